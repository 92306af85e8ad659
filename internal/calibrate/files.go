package calibrate

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/idlegrid/idlegrid/reputation"
)

// WritePredictions writes every case of the test days, newcomers included: snapshot_time,node,probability_up_for_horizon, by time
// and node, with nine decimals.
func (r *Result) WritePredictions(w io.Writer) error {
	out := bufio.NewWriter(w)
	if _, err := out.WriteString("snapshot_time,node,probability_up_for_horizon\n"); err != nil {
		return err
	}
	for e, ev := range r.Test {
		for c, v := range ev.Cases {
			if _, err := fmt.Fprintf(out, "%d,%d,%s\n", r.Trace.Times[ev.Now], r.Trace.Nodes[v.Node].ID, nine(r.Up[e][c])); err != nil {
				return err
			}
		}
	}
	return out.Flush()
}

// WriteLANL writes test cases of LANL: system,day,node,probability_no_failure_30d.
func WriteLANL(w io.Writer, cases []LANLCase) error {
	out := bufio.NewWriter(w)
	if _, err := out.WriteString("system,day,node,probability_no_failure_30d\n"); err != nil {
		return err
	}
	for _, c := range cases {
		if _, err := fmt.Fprintf(out, "%d,%d,%d,%s\n", c.System, c.Day, c.Node, nine(c.UpPPM)); err != nil {
			return err
		}
	}
	return out.Flush()
}

// nine writes parts per million as a share with nine decimals.
func nine(ppm uint32) string { return fmt.Sprintf("%d.%06d000", ppm/1_000_000, ppm%1_000_000) }

// WriteParams writes parameters as JSON, for reputation.Params.
func WriteParams(w io.Writer, p reputation.Params) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(p)
}

// Target is the probability with which a cluster is to keep its size, in parts per million.
const Target = 990_000

// Clusters says how clusters of one size did.
type Clusters struct {
	K, Clusters, Kept int
	Spares            int // over all clusters
}

// Clusters cuts clusters of k = 8, 16 and 64 from the test days: the better half of the established nodes of a day by
// prediction, ties to the smaller number, in the order of their numbers; each takes nodes until at least k of them stay up with
// the probability Target. Nodes at the end that are not enough for one more belong to none. It writes
// snapshot_time,k,cluster,node, clusters numbered from 0 on each day, and returns how many kept k nodes.
func (r *Result) Clusters(w io.Writer, f reputation.Frailty) ([]Clusters, error) {
	model, err := reputation.NewClusterModel(f)
	if err != nil {
		return nil, err
	}
	out := bufio.NewWriter(w)
	if _, err := out.WriteString("snapshot_time,k,cluster,node\n"); err != nil {
		return nil, err
	}
	all := []Clusters{{K: 8}, {K: 16}, {K: 64}}
	for e, ev := range r.Test {
		who := betterHalf(ev.Cases, r.Up[e])
		members := make([]reputation.Member, len(who))
		for i, c := range who {
			members[i].UpPPM = r.Up[e][c]
		}
		for i := range all {
			s := &all[i]
			for from, number := 0, 0; ; number++ {
				n, ok := model.Fill(members[from:], s.K, Target)
				if !ok {
					break
				}
				up := 0
				for _, c := range who[from : from+n] {
					v := ev.Cases[c]
					if !v.Failed {
						up++
					}
					if _, err := fmt.Fprintf(out, "%d,%d,%d,%d\n", r.Trace.Times[ev.Now], s.K, number, r.Trace.Nodes[v.Node].ID); err != nil {
						return nil, err
					}
				}
				s.Clusters++
				s.Spares += n - s.K
				if up >= s.K {
					s.Kept++
				}
				from += n
			}
		}
	}
	return all, out.Flush()
}

// betterHalf is the established cases with the higher predictions, in order of node.
func betterHalf(cases []Case, up []uint32) []int {
	var who []int
	for c, v := range cases {
		if !v.Newcomer() {
			who = append(who, c)
		}
	}
	slices.SortFunc(who, func(a, b int) int { return cmp.Or(cmp.Compare(up[b], up[a]), a-b) })
	who = who[:len(who)/2]
	slices.Sort(who) // cases are in order of node
	return who
}
