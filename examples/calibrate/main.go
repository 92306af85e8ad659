// Command calibrate asks whether the score comes true: it fits parameters to the first days of a record of when nodes were
// up, predicts the days after them, and compares with what happened and with what others use as a score.
//
// Without flags the record is a short one that is made up from a seed. -intervals reads a real one, plain or gzip, with the
// times of its snapshots beside it; -failures and -systems read the failures of Los Alamos National Laboratory instead.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/idlegrid/idlegrid/internal/calibrate"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "calibrate:", err)
		os.Exit(1)
	}
}

func run(args []string, w, errs io.Writer) error {
	var o calibrate.Options
	f := flag.NewFlagSet("calibrate", flag.ContinueOnError)
	f.SetOutput(errs)
	f.StringVar(&o.Intervals, "intervals", "", "file of up intervals, CSV, plain or gzip (default: a record made up from a seed)")
	f.StringVar(&o.Snapshots, "snapshots", "", "file of snapshot times (default tor_snapshots.csv beside the intervals)")
	f.StringVar(&o.Fit, "fit-days", "14-44", "days A-B to fit on, without B")
	f.StringVar(&o.Test, "test-days", "45-60", "days A-B to predict, without B")
	f.DurationVar(&o.Horizon, "horizon", 24*time.Hour, "how far to predict")
	f.Float64Var(&o.SLO, "slo", 0, "predict an uptime of at least this share over the horizon, not that there is no outage")
	f.StringVar(&o.Failures, "failures", "", "file of failures at Los Alamos, with -systems")
	f.StringVar(&o.Systems, "systems", "", "file of the systems that failed")
	f.StringVar(&o.Out, "out", "", "file for the predictions")
	f.StringVar(&o.Params, "params", "", "file for the fitted parameters, JSON")
	f.StringVar(&o.Clusters, "clusters", "", "file for clusters of 8, 16 and 64 nodes with their spares")
	f.StringVar(&o.Diagram, "diagram", "", "file for a plot of predicted against observed, SVG")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	return calibrate.Do(o, w)
}
