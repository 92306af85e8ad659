// Command chaos plays the campaign: histories of every mode, until the batches are enough. It prints one line a mode and ends
// with an error unless the protocol held everywhere and every control failed. With -log it can be stopped, and goes on later
// where it was; with -script it plays one script and prints what became of it.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/idlegrid/idlegrid/internal/chaos"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	run := campaign
	if os.Getenv(chaos.PayerEnv) != "" {
		run = func(ctx context.Context, _ []string, out io.Writer) error { return chaos.Payer(ctx, os.Stdin, out) }
	}
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func campaign(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("chaos", flag.ContinueOnError)
	c := chaos.Config{World: chaos.World{Batches: 30, Lines: 5, Ticks: 48, Blocks: 12}}
	flags.IntVar(&c.Batches, "batches", 10_000, "how many batches, at least, in all modes together")
	flags.Uint64Var(&c.Seed, "seed", 1, "seed of the first history of each mode")
	flags.IntVar(&c.Parallel, "parallel", 2, "how many histories at once")
	modes := flags.String("modes", "", "the modes to play, with commas between them; empty: all")
	kinds := flags.Bool("kinds", false, "count the faults by kind, and the crashes by point")
	log := flags.String("log", "", "a file that takes the result of each history, and from which a campaign goes on")
	script := flags.String("script", "", "a script to play instead")
	shrink := flags.Bool("shrink", false, "make the first failing history as short as it can be, and print it")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *script != "" {
		return one(ctx, *script, out)
	}
	if *modes != "" {
		for m := range strings.SplitSeq(*modes, ",") {
			c.Modes = append(c.Modes, chaos.Mode(m))
		}
	}
	if *log != "" {
		done, err := keep(*log, &c)
		if err != nil {
			return err
		}
		defer func() { _ = done() }()
	}
	report, err := chaos.Campaign(ctx, c)
	if err != nil {
		return err
	}
	text := report.Table()
	if *kinds {
		text += report.KindTable()
	}
	for _, row := range report.Rows {
		for _, f := range row.Failed {
			if row.Mode.Control() {
				continue
			}
			text += fmt.Sprintf("mode %s, seed %d: %+v\n", f.Mode, f.Seed, f.Outcome)
			if *shrink {
				text += shortest(ctx, chaos.Generate(f.Mode, f.Seed, f.World)).String()
				*shrink = false
			}
		}
	}
	_, err = io.WriteString(out, text)
	return errors.Join(err, report.Verdict())
}

// one plays a script from a file.
func one(ctx context.Context, file string, out io.Writer) error {
	text, err := os.ReadFile(file) //nolint:gosec // named by the user
	if err != nil {
		return err
	}
	s, err := chaos.Parse(string(text))
	if err != nil {
		return err
	}
	o, err := chaos.Run(ctx, s)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(out, "%+v\n", o); err != nil {
		return err
	}
	if !o.Held() {
		return errors.New("the payers did wrong")
	}
	return nil
}

// shortest shrinks a script that fails. A script on which the machinery itself fails is no shorter one.
func shortest(ctx context.Context, s chaos.Script) chaos.Script {
	return chaos.Shrink(s, func(try chaos.Script) bool {
		o, err := chaos.Run(ctx, try)
		return err == nil && !o.Held()
	})
}

// keep lets a campaign remember what it played in a file of one JSON object a line.
func keep(file string, c *chaos.Config) (done func() error, err error) {
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600) //nolint:gosec // named by the user
	if err != nil {
		return nil, err
	}
	type key struct {
		mode chaos.Mode
		seed uint64
	}
	known := map[key]chaos.Result{}
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		var r chaos.Result
		if json.Unmarshal(in.Bytes(), &r) == nil { // else it is the line that was being written when it stopped
			known[key{r.Mode, r.Seed}] = r
		}
	}
	if err := in.Err(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	c.Known = func(m chaos.Mode, seed uint64) (chaos.Result, bool) {
		r, ok := known[key{m, seed}]
		return r, ok
	}
	c.Each = func(r chaos.Result) error {
		text, err := json.Marshal(r)
		if err != nil {
			return err
		}
		_, err = f.Write(append(text, '\n'))
		return err
	}
	return f.Close, nil
}
