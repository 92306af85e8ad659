package simulate

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// block is how many runs a worker takes at a time, and span how many months it takes each through.
	block, span = 64, 12
	// mostRuns bounds the memory of a simulation, which is about 3 kB a run.
	mostRuns = 1_000_000
)

// Options say how often a scenario is run.
type Options struct {
	// Runs is how many courses of chance there are, 1 to 1,000,000.
	Runs int
	// Seed decides all of them. Run i of one seed sees the same chance in every scenario.
	Seed uint64
	// Workers is how many runs proceed at a time, at least 1. It changes no result.
	Workers int
	// Progress is called, if it is not nil, with the number of months that all runs have done, from one goroutine.
	Progress func(months int)
}

// Engine simulates scenarios under one set of assumptions. It is not changed by that and safe for concurrent use.
type Engine struct {
	p       Params
	tables  *tables
	columns []column
	rules   policies
}

// Summary is the result of all runs of a scenario.
type Summary struct {
	Scenario Scenario
	Runs     int
	Start    time.Time
	Months   int
	columns  []column
	classes  []ClassParams
	bands    [][]Band // of a month, by series
}

// New returns an engine, or the error of [Params.Validate].
func New(p Params) (*Engine, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	rules, err := newPolicies(p)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrParams, err)
	}
	return &Engine{p: p, tables: newTables(), columns: columns(p), rules: rules}, nil
}

// Run simulates a scenario. The same parameters, scenario, runs and seed give the same summary, whatever the number of
// workers, of processors, and their kind. It fails with [ErrParams], with the error of a policy, or with that of ctx.
func (e *Engine) Run(ctx context.Context, s Scenario, o Options) (*Summary, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if o.Runs < 1 || o.Runs > mostRuns || o.Workers < 1 {
		return nil, fmt.Errorf("%w: %d runs and %d workers, want 1 to %d and at least 1", ErrParams, o.Runs, o.Workers, mostRuns)
	}
	w, err := newWorld(e.p, s, e.tables, e.rules)
	if err != nil {
		return nil, err
	}
	c := &course{w: w, o: o, series: len(e.columns), runs: make([]run, o.Runs), cells: make([]int32, (o.Runs+block-1)/block*span*len(e.columns)*block), selectors: make([]selector, o.Workers)}
	out := &Summary{Scenario: s, Runs: o.Runs, Start: e.p.Start.UTC(), Months: len(w.months), columns: e.columns, classes: e.p.Classes}
	out.bands = make([][]Band, len(w.months))
	c.begin()
	for from := 0; from < len(w.months); from += span {
		to := min(from+span, len(w.months))
		if err := c.advance(ctx, from, to); err != nil {
			return nil, fmt.Errorf("scenario %q: %w", s.Name, err)
		}
		if err := c.summarise(ctx, out.bands[from:to]); err != nil {
			return nil, err
		}
		if o.Progress != nil {
			o.Progress(to)
		}
	}
	return out, nil
}

// course is a simulation on its way.
type course struct {
	w      *world
	o      Options
	series int
	runs   []run
	cells  []int32 // of a span of months: block of runs, month, series, run

	selectors []selector // one for each worker
}

func (c *course) begin() {
	agents := len(c.w.agents.machines)
	levels := make([]int8, agents*c.o.Runs)
	for i := range c.runs {
		c.w.start(&c.runs[i], c.o.Seed, uint64(i), levels[i*agents:(i+1)*agents])
	}
}

// advance takes every run from one month to another. Each writes to cells of its own, so their order changes nothing.
func (c *course) advance(ctx context.Context, from, to int) error {
	return c.share(ctx, (len(c.runs)+block-1)/block, func(b int, _ *selector) error {
		first := b * block
		for m := from; m < to; m++ {
			out := row{cells: c.tile(b, m-from)}
			for i := first; i < min(first+block, len(c.runs)); i++ {
				out.run = i - first
				if err := c.w.step(&c.runs[i], m, &out); err != nil {
					return fmt.Errorf("run %d: %w", i, err)
				}
			}
		}
		return nil
	})
}

// share has the workers do the parts of a task, each worker every so many-th.
func (c *course) share(ctx context.Context, parts int, do func(part int, s *selector) error) error {
	g, ctx := errgroup.WithContext(ctx)
	for i := range c.selectors {
		g.Go(func() error {
			for part := i; part < parts; part += len(c.selectors) {
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := do(part, &c.selectors[i]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// tile returns the cells of a block of runs in a month: it fits into the first cache, where it is written.
func (c *course) tile(b, month int) []int32 {
	size := c.series * block
	return c.cells[(b*span+month)*size:][:size]
}

// column gathers what all runs recorded of a series.
func (c *course) column(dst []int32, month, series int) []int32 {
	dst = dst[:0]
	for b := 0; len(dst) < len(c.runs); b++ {
		dst = append(dst, c.tile(b, month)[series*block:][:min(block, len(c.runs)-len(dst))]...)
	}
	return dst
}

// summarise reduces a span of months to its bands, one month at a time and worker.
func (c *course) summarise(ctx context.Context, bands [][]Band) error {
	return c.share(ctx, len(bands), func(i int, sel *selector) error {
		bands[i] = make([]Band, c.series)
		for s := range bands[i] {
			sel.column = c.column(sel.column, i, s)
			bands[i][s] = sel.band(sel.column)
		}
		return nil
	})
}

// At returns what the runs say of a series in a month, counted from 0. Both have to be in range.
func (s *Summary) At(series Series, month int) Band { return s.bands[month][series] }

// Active is the series of the active machines of class number c. There are two more for each class: [Summary.Margin], its
// income over its typical cost less 1, and [Summary.Return], its yearly net income over hardware and stake.
func (s *Summary) Active(c int) Series { return active(c) }

// Margin is described at [Summary.Active].
func (s *Summary) Margin(c int) Series { return margin(len(s.classes), c) }

// Return is described at [Summary.Active].
func (s *Summary) Return(c int) Series { return apr(len(s.classes), c) }
