package calibrate

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/idlegrid/idlegrid/reputation"
)

// Options are what the program calibrate is told. Names of files may be empty.
type Options struct {
	Intervals string        // a record of when nodes were up, CSV, plain or gzip; empty: one that is made up
	Snapshots string        // times of its snapshots; empty: tor_snapshots.csv beside it
	Fit, Test string        // days "A-B"; empty: 14-44 and 45-60
	Horizon   time.Duration // how far to predict
	SLO       float64       // predict this share of uptime; 0: no outage
	Failures  string        // failures of LANL; with Systems, instead of all above
	Systems   string
	Out       string // predictions are written there
	Params    string // fitted parameters, JSON
	Clusters  string // clusters with their spares
	Diagram   string // predicted against observed, SVG
}

// Do runs the program: it reports to w and writes the files that are named.
func Do(o Options, w io.Writer) error {
	switch {
	case !(o.SLO >= 0 && o.SLO <= 1):
		return fmt.Errorf("%w: SLO %g is no share", ErrInvalid, o.SLO)
	case (o.Failures == "") != (o.Systems == ""):
		return fmt.Errorf("%w: failures and systems belong together", ErrInvalid)
	case o.Failures != "":
		return o.lanl(w)
	}
	return o.judge(w)
}

func (o Options) judge(w io.Writer) error {
	if o.Fit == "" {
		o.Fit = "14-44"
	}
	if o.Test == "" {
		o.Test = "45-60"
	}
	fit, err := ParseDays(o.Fit)
	test, err2 := ParseDays(o.Test)
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	trace, err := o.trace()
	if err != nil {
		return err
	}
	q := Question{Horizon: o.Horizon, SLOPPM: uint32(math.Round(float64(o.SLO * 1e6)))}
	r, err := Run(trace, Config{Fit: fit, Test: test, Question: q})
	if err != nil {
		return err
	}
	if o.Intervals == "" {
		_, err = fmt.Fprintln(w, "A record that is made up from a seed; -intervals reads a real one.")
	}
	if err := errors.Join(err, r.Report(w)); err != nil {
		return err
	}
	write := func(name string, f func(io.Writer) error) {
		if name != "" && err == nil {
			err = save(name, w, f)
		}
	}
	write(o.Params, func(to io.Writer) error { return WriteParams(to, r.Params) })
	write(o.Diagram, r.Diagram)
	write(o.Clusters, func(to io.Writer) error {
		all, err := r.Clusters(to, reputation.DefaultFrailty())
		return errors.Join(err, ReportClusters(w, all))
	})
	write(o.Out, r.WritePredictions)
	return err
}

// trace reads the record, or makes one up: 1,500 nodes in 62 days.
func (o Options) trace() (*Trace, error) {
	if o.Intervals == "" {
		return Generate(1, 1500, 62), nil
	}
	if o.Snapshots == "" {
		o.Snapshots = filepath.Join(filepath.Dir(o.Intervals), "tor_snapshots.csv")
	}
	intervals, snapshots, err := readBoth(o.Intervals, o.Snapshots)
	if err != nil {
		return nil, err
	}
	return ReadTrace(intervals, snapshots)
}

// LANLHalfLives are the memories that are fitted to LANL: a node there fails once in years.
func LANLHalfLives() []time.Duration {
	const day = 24 * time.Hour
	return []time.Duration{90 * day, 180 * day, 365 * day}
}

func (o Options) lanl(w io.Writer) error {
	failures, systems, err := readBoth(o.Failures, o.Systems)
	if err != nil {
		return err
	}
	rooms, err := ReadLANL(failures, systems)
	if err != nil {
		return err
	}
	params, err := FitLANL(rooms, LANLHalfLives(), "LANL, first halves")
	if err != nil {
		return err
	}
	cases, err := PredictLANL(rooms, params)
	if err := errors.Join(err, ReportLANL(w, rooms, params, cases)); err != nil || o.Out == "" {
		return err
	}
	return save(o.Out, w, func(to io.Writer) error { return WriteLANL(to, cases) })
}

// readBoth reads two files whole: they are a few megabytes.
func readBoth(a, b string) (*bytes.Reader, *bytes.Reader, error) {
	first, err := os.ReadFile(a)   //nolint:gosec // the file that the user names
	second, err2 := os.ReadFile(b) //nolint:gosec // likewise
	return bytes.NewReader(first), bytes.NewReader(second), errors.Join(err, err2)
}

// save writes a file and tells its SHA-256.
func save(name string, w io.Writer, f func(io.Writer) error) error {
	var b bytes.Buffer
	if err := f(&b); err != nil {
		return err
	}
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "sha256 %x  %s\n", sha256.Sum256(b.Bytes()), filepath.Base(name))
	return err
}
