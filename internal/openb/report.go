package openb

import (
	"encoding/csv"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/idlegrid/idlegrid/sched"
)

// Options say what Do replays.
type Options struct {
	// Nodes and Pods are files; without them a trace is generated. Pods are several files, separated by commas.
	Nodes, Pods string
	// Seeds is "A-B", both included.
	Seeds string
	// Policies are names, separated by commas: default, random, packing, bestfit, fgd. Without any they are all of them, for a CSV default and fgd only.
	Policies string
	// CSV writes a line a run instead of a table; Churn runs the protocol with departures.
	CSV, Churn bool
}

// workload is a trace with its name.
type workload struct {
	name  string
	trace *Trace
}

// run is one replay and its two figures: the allocation at 100 and at 130 per cent of arrivals, or with departures the mean allocation and the accepted share of
// what was asked for; all in per cent.
type run struct {
	workload, policy string
	seed             int64
	figures          [2]float64
}

// Do replays every workload under every policy with every seed, as many at a time as there are processors, and writes what came of it.
func Do(o Options, w io.Writer) error {
	if o.Policies == "" {
		o.Policies = "default,fgd,bestfit,packing,random"
		if o.CSV {
			o.Policies = "default,fgd"
		}
	}
	works, err := o.workloads()
	if err != nil {
		return err
	}
	first, last, err := seeds(o.Seeds)
	if err != nil {
		return err
	}
	var runs []run
	for _, work := range works {
		for name := range strings.SplitSeq(o.Policies, ",") {
			if _, err := maker(name); err != nil {
				return err
			}
			for s := first; s <= last; s++ {
				runs = append(runs, run{workload: work.name, policy: name, seed: s})
			}
		}
	}
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range runs {
		g.Go(func() error { return runs[i].do(works, o.Churn) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if o.CSV {
		return o.writeCSV(w, runs)
	}
	return o.writeTable(w, runs)
}

func (o *Options) workloads() ([]workload, error) {
	if (o.Nodes == "") != (o.Pods == "") {
		return nil, fmt.Errorf("openb: -nodes %q and -pods %q: want both or neither", o.Nodes, o.Pods)
	}
	if o.Nodes == "" {
		t, err := Generate(1, DefaultMix())
		return []workload{{"generated", t}}, err
	}
	hosts, err := ReadHosts(o.Nodes)
	if err != nil {
		return nil, err
	}
	var out []workload
	for path := range strings.SplitSeq(o.Pods, ",") {
		pods, err := ReadPods(path)
		if err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(path), ".gz"), ".csv")
		out = append(out, workload{strings.TrimPrefix(name, "openb_pod_list_"), NewTrace(hosts, pods)})
	}
	return out, nil
}

func seeds(text string) (first, last int64, err error) {
	a, b, several := strings.Cut(text, "-")
	if !several {
		b = a
	}
	first, err = strconv.ParseInt(a, 10, 64)
	if err == nil {
		last, err = strconv.ParseInt(b, 10, 64)
	}
	if err != nil || first < 0 || last < first || last-first >= 1000 {
		return 0, 0, fmt.Errorf("openb: -seeds %q: want A-B with 0 <= A <= B, at most 1000 seeds", text)
	}
	return first, last, nil
}

func maker(name string) (Maker, error) {
	switch name {
	case "default":
		return Sched(sched.Default()), nil
	case "random":
		return Random, nil
	case "packing":
		return Packing, nil
	case "bestfit":
		return BestFit, nil
	case "fgd":
		return FGD, nil
	}
	return nil, fmt.Errorf("openb: policy %q: want default, random, packing, bestfit or fgd", name)
}

func (r *run) do(works []workload, churn bool) error {
	mk, err := maker(r.policy)
	if err != nil {
		return err
	}
	for _, w := range works {
		if w.name != r.workload {
			continue
		}
		if churn {
			t, err := Churn(w.trace, r.seed, DefaultChurn(), mk)
			r.figures = [2]float64{t.Allocation, t.Accepted}
			return err
		}
		c, err := Run(w.trace, r.seed, mk)
		r.figures = [2]float64{c[100], c[130]}
		return err
	}
	return nil
}

func (o *Options) columns() [2]string {
	if o.Churn {
		return [2]string{"alloc", "accepted"}
	}
	return [2]string{"alloc100", "alloc130"}
}

func (o *Options) writeCSV(w io.Writer, runs []run) error {
	c := csv.NewWriter(w)
	names := o.columns()
	lines := [][]string{{"workload", "policy", "seed", names[0], names[1]}}
	for _, r := range runs {
		lines = append(lines, []string{
			r.workload, r.policy, strconv.FormatInt(r.seed, 10), fmt.Sprintf("%.4f", r.figures[0]), fmt.Sprintf("%.4f", r.figures[1]),
		})
	}
	return c.WriteAll(lines)
}

// writeTable writes the mean over the seeds, a line a workload and two figures a policy, and below them the mean over the workloads.
func (o *Options) writeTable(w io.Writer, runs []run) error {
	policies := strings.Split(o.Policies, ",")
	names := o.columns()
	var b strings.Builder
	fmt.Fprintf(&b, "%s / %s in %%, mean of the seeds %s\n\n%-14s", names[0], names[1], o.Seeds, "workload")
	for _, p := range policies {
		fmt.Fprintf(&b, "%16s", p)
	}
	b.WriteString("\n")
	var order []string
	for _, r := range runs {
		if len(order) == 0 || order[len(order)-1] != r.workload {
			order = append(order, r.workload)
		}
	}
	line := func(name string, of func(run) bool) {
		fmt.Fprintf(&b, "%-14s", name)
		for _, p := range policies {
			sum, n := [2]float64{}, 0.0
			for _, r := range runs {
				if r.policy == p && of(r) {
					sum[0], sum[1], n = sum[0]+r.figures[0], sum[1]+r.figures[1], n+1
				}
			}
			fmt.Fprintf(&b, "%16s", fmt.Sprintf("%.2f / %.2f", sum[0]/n, sum[1]/n))
		}
		b.WriteString("\n")
	}
	for _, name := range order {
		line(name, func(r run) bool { return r.workload == name })
	}
	if len(order) > 1 {
		line("mean", func(run) bool { return true })
	}
	_, err := io.WriteString(w, b.String())
	return err
}
