// Command openb asks how full a production GPU cluster gets under a policy of placement: it replays the jobs of openb, 1,213 hosts
// with 6,212 cards, under this project's default policy and under those that were published.
//
// Without flags it replays a trace with the same marginals that is made up from a seed, on two seeds. The real files are read with
// -nodes and -pods.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/idlegrid/idlegrid/internal/openb"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string, w, errs io.Writer) error {
	var o openb.Options
	f := flag.NewFlagSet("openb", flag.ContinueOnError)
	f.SetOutput(errs)
	f.StringVar(&o.Nodes, "nodes", "", "file of hosts, CSV, plain or gzip (default: a trace made up from a seed)")
	f.StringVar(&o.Pods, "pods", "", "files of pods, CSV, plain or gzip, separated by commas")
	f.StringVar(&o.Seeds, "seeds", "42-43", "seeds A-B, both included")
	f.StringVar(&o.Policies, "policies", "", "policies, separated by commas (default: default,fgd with -csv, else default,fgd,bestfit,packing,random)")
	f.BoolVar(&o.CSV, "csv", false, "write workload,policy,seed,alloc100,alloc130 instead of a table")
	f.BoolVar(&o.Churn, "churn", false, "let jobs leave again, at 1.1 times the load that the cluster can carry: mean allocation and accepted share")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("openb: unexpected argument %q", f.Arg(0))
	}
	return openb.Do(o, w)
}
