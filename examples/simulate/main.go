// Command simulate lets suppliers, renters, stakers and a treasury live with three ways of paying suppliers for 20 years, in
// many courses of chance, and tells what becomes of the supply and of the machines: io.net's monthly schedule, the same
// with its incentive engine from June 2026, and burn-and-mint.
//
// With -out DIR it writes the tables (CSV) and plots (SVG) there, besides.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/idlegrid/idlegrid/internal/simulate"
)

// errUsage is what is wrong with the flags; the flag package has said so already, or run does.
var errUsage = errors.New("usage")

func main() {
	err := run(context.Background(), os.Args[1:], os.Stdout, os.Stderr, terminal(os.Stderr))
	switch {
	case errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		fmt.Fprintln(os.Stderr, "simulate:", err)
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "simulate:", err)
		os.Exit(1)
	}
}

// terminal says whether a file is a character device other than the null device: where a bar can be drawn.
func terminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && f.Name() != os.DevNull
}

func run(ctx context.Context, args []string, out, errs io.Writer, draw bool) error {
	flags := flag.NewFlagSet("simulate", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	p := simulate.IONet()
	runs := flags.Int("runs", 1000, "courses of chance of each scenario")
	seed := flags.Uint64("seed", 1, "what decides them")
	months := flags.Uint("months", uint(p.Months), "length of the simulation")
	dir := flags.String("out", "", "folder for tables and plots; empty: none are written")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		flags.SetOutput(errs)
		flags.Usage()
		return err
	case err != nil:
		return fmt.Errorf("%w: %w", errUsage, err)
	case flags.NArg() > 0:
		return fmt.Errorf("%w: unexpected argument %q", errUsage, flags.Arg(0))
	case *months < 2 || *months > 600:
		return fmt.Errorf("%w: -months %d, want 2 to 600", errUsage, *months)
	case *runs < 1 || *runs > 100_000:
		return fmt.Errorf("%w: -runs %d, want 1 to 100000", errUsage, *runs)
	}
	if *dir != "" { // better now than after the work is done
		if err := os.MkdirAll(*dir, 0o750); err != nil {
			return err
		}
	}
	p.Months = uint32(*months)
	bar := progress(errs, draw)
	options := simulate.Options{Runs: *runs, Seed: *seed, Workers: runtime.GOMAXPROCS(0)}
	study, err := simulate.Compare(ctx, p, options, bar("simulating"))
	if err != nil {
		return err
	}
	if *dir != "" {
		if err := study.Vary(ctx, bar("varying assumptions")); err != nil {
			return err
		}
	}
	if err := study.Story(out); err != nil || *dir == "" {
		return err
	}
	return write(*dir, study, out)
}

// progress returns makers of bars: on a terminal they draw one line and clear it when all is done.
func progress(w io.Writer, draw bool) func(what string) func(done, total int) {
	const width = 40
	return func(what string) func(done, total int) {
		return func(done, total int) {
			if !draw {
				return
			}
			full := width * done / total
			_, _ = fmt.Fprintf(w, "\r%s [%s%s] %3d %%", what, strings.Repeat("#", full), strings.Repeat(".", width-full), 100*done/total)
			if done == total {
				_, _ = fmt.Fprintf(w, "\r%s\r", strings.Repeat(" ", width+len(what)+9))
			}
		}
	}
}

// write puts the files into a folder.
func write(dir string, study *simulate.Study, out io.Writer) error {
	files, err := study.Files()
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o600); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(out, "\n%d tables and plots are in %s.\n", len(files), dir)
	return err
}
