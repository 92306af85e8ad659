package chaos

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// Config says how large a campaign is.
type Config struct {
	// Batches are at least so many, in all modes together.
	Batches int
	// Seed is of the first history of each mode; the next ones follow.
	Seed uint64
	// Parallel is how many histories are played at once, 0: 1.
	Parallel int
	// Modes are those to be played, nil: all.
	Modes []Mode
	// World is the size of each history.
	World World
	// Known returns the result of a history that was played before, and whether it was. Nil: none was.
	Known func(Mode, uint64) (Result, bool)
	// Each is called after each history, one call at a time. Nil: nobody is told.
	Each func(Result) error
}

// Result is one history of a campaign.
type Result struct {
	Mode    Mode
	Seed    uint64
	World   World
	Outcome Outcome
}

// Row is what all histories of a mode come to.
type Row struct {
	Mode                                Mode
	Histories, Batches, Faults, Crashes int
	Over, Under                         uint64
	Kinds                               map[string]int // faults that happened, by kind
	Kills                               map[string]int // crashes, by point
	Failed                              []Result       // those that did not hold
}

// Report is what a campaign comes to.
type Report struct {
	Rows   []Row          // in the order of the modes
	Kinds  map[string]int // faults that happened, by kind
	Kills  map[string]int // crashes, by point
	Events map[string]int // in the journals at the end, by type
}

// Campaign plays histories of every mode in turn until the batches are enough. An error is one of the machinery.
func Campaign(ctx context.Context, c Config) (Report, error) {
	modes := c.Modes
	if modes == nil {
		modes = Modes()
	}
	if len(modes) == 0 || c.World.Batches < 1 {
		return Report{}, errors.New("chaos: campaign: no modes, or no batches in its World")
	}
	if c.Batches < 1 {
		return Report{}, fmt.Errorf("chaos: campaign: Batches is %d, want 1 or more", c.Batches)
	}
	for _, m := range modes {
		if !slices.Contains(Modes(), m) {
			return Report{}, fmt.Errorf("chaos: campaign: Modes names %q, want some of %q", m, Modes())
		}
	}
	rounds := (c.Batches + len(modes)*c.World.Batches - 1) / (len(modes) * c.World.Batches)
	results := make([]Result, rounds*len(modes))
	turn := make(chan struct{}, 1) // who holds it calls Each
	turn <- struct{}{}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, c.Parallel))
	for i := range results {
		g.Go(func() error {
			r := Result{Mode: modes[i%len(modes)], Seed: c.Seed + uint64(i/len(modes)), World: c.World}
			if c.Known != nil {
				if known, ok := c.Known(r.Mode, r.Seed); ok && known.World == r.World {
					results[i] = known
					return nil
				}
			}
			var err error
			if r.Outcome, err = Run(ctx, Generate(r.Mode, r.Seed, r.World)); err != nil {
				return fmt.Errorf("chaos: mode %s, seed %d: %w", r.Mode, r.Seed, err)
			}
			results[i] = r
			if c.Each == nil {
				return nil
			}
			<-turn
			defer func() { turn <- struct{}{} }()
			return c.Each(r)
		})
	}
	if err := g.Wait(); err != nil {
		return Report{}, err
	}
	return sum(modes, results), nil
}

func sum(modes []Mode, results []Result) Report {
	out := Report{Kinds: map[string]int{}, Kills: map[string]int{}, Events: map[string]int{}}
	for _, m := range modes {
		row := Row{Mode: m, Kinds: map[string]int{}, Kills: map[string]int{}}
		for _, r := range results {
			if r.Mode != m {
				continue
			}
			row.Histories++
			row.Batches += r.World.Batches
			row.Crashes += r.Outcome.Crashes
			row.Over += r.Outcome.Over
			row.Under += r.Outcome.Under
			for kind, n := range r.Outcome.Faults {
				row.Faults += n
				row.Kinds[kind] += n
				out.Kinds[kind] += n
			}
			for point, n := range r.Outcome.Kills {
				row.Kills[point] += n
				out.Kills[point] += n
			}
			for event, n := range r.Outcome.Events {
				out.Events[event] += n
			}
			if !r.Outcome.Held() {
				row.Failed = append(row.Failed, r)
			}
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

// Verdict returns nil if every mode of the protocol held and every control overpaid.
func (r Report) Verdict() error {
	var all []error
	for _, row := range r.Rows {
		switch {
		case row.Mode.Control() && row.Over == 0:
			all = append(all, fmt.Errorf("chaos: control %s overpaid nobody in %d histories: the campaign proves nothing", row.Mode, row.Histories))
		case !row.Mode.Control() && len(row.Failed) > 0:
			f := row.Failed[0]
			all = append(all, fmt.Errorf("chaos: mode %s failed in %d of %d histories, first with seed %d: %d over, %d under, %s",
				row.Mode, len(row.Failed), row.Histories, f.Seed, f.Outcome.Over, f.Outcome.Under, strings.Join(f.Outcome.Wrong, "; ")))
		}
	}
	return errors.Join(all...)
}

// Table returns one line a mode: mode, batches, faults, crashes, over, under.
func (r Report) Table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-15s %8s %8s %8s %14s %14s\n", "mode", "batches", "faults", "crashes", "over", "under")
	for _, row := range r.Rows {
		fmt.Fprintf(&b, "%-15s %8d %8d %8d %14d %14d\n", row.Mode, row.Batches, row.Faults, row.Crashes, row.Over, row.Under)
	}
	return b.String()
}

// KindTable returns one line for each kind of fault that happened, and then for each type of event in the journals, and
// each point at which a payer can be killed: how often it was, and its name.
func (r Report) KindTable() string {
	var b strings.Builder
	for _, kind := range slices.Sorted(maps.Keys(r.Kinds)) {
		if r.Kinds[kind] > 0 {
			fmt.Fprintf(&b, "%8d %s\n", r.Kinds[kind], kind)
		}
	}
	for _, event := range slices.Sorted(maps.Keys(r.Events)) {
		fmt.Fprintf(&b, "%8d events %s\n", r.Events[event], event)
	}
	for _, point := range Points() {
		fmt.Fprintf(&b, "%8d killed at %s\n", r.Kills[point], point)
	}
	return b.String()
}
