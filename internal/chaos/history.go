package chaos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// Outcome is what became of a script.
type Outcome struct {
	Crashes int
	Kills   map[string]int // of these, by the point at which the payer was
	Faults  map[string]int // that really happened, by kind
	Events  map[string]int // in the journals as they are at the end, by type; of controls none are counted
	Over    uint64         // base units that recipients have too much
	Under   uint64         // base units that recipients have too little
	Wrong   []string       // what else is wrong: with the books, with the number of attempts, or that it does not come to an end
}

// Held says whether the payers did right.
func (o Outcome) Held() bool { return o.Over == 0 && o.Under == 0 && len(o.Wrong) == 0 }

// history is a script that is being played.
type history struct {
	*world
	script Script
	payers []*seat
	lying  [endpoints]bool
	deny   [endpoints]bool
	since  []int64 // when each wave was decided
	out    Outcome
	offset int64 // of the clock
	latest int64 // that any payer was told, in Unix seconds
	tick   int
	dir    string
}

// seat is where a payer sits, dead or alive.
type seat struct {
	process *process
	journal string
	life    int
	lost    bool
	asleep  int
	crashes []*crash // that wait until the payer comes to their points
	last    status
	trouble string // of the last step
}

const (
	secondsPerTick = 30
	healRounds     = 150 // after which a history that has not come to an end never does
	healBlocks     = 12
	reclaimRounds  = 6
)

// Run plays a script, with its files in a folder of its own that is gone afterwards. The program must serve as a payer: see
// PayerEnv.
func Run(ctx context.Context, s Script) (Outcome, error) {
	dir, err := os.MkdirTemp("", "chaos")
	if err != nil {
		return Outcome{}, fmt.Errorf("chaos: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	w, err := newWorld(ctx, s)
	if err != nil {
		return Outcome{}, err
	}
	defer func() { _ = w.Close() }()
	h := &history{world: w, script: s, dir: dir, out: Outcome{Kills: map[string]int{}, Events: map[string]int{}, Faults: map[string]int{}}}
	for i := range s.Mode.payers() {
		h.payers = append(h.payers, &seat{journal: filepath.Join(dir, fmt.Sprintf("journal%d", i))})
	}
	defer h.stop()
	if err := h.play(ctx); err != nil {
		return h.out, fmt.Errorf("chaos: tick %d: %w", h.tick, err)
	}
	return h.out, nil
}

func (h *history) stop() {
	for _, p := range h.payers {
		if p.process != nil {
			_ = p.process.kill()
			p.process = nil
		}
	}
}

func (h *history) play(ctx context.Context) error {
	next := 0
	for ; h.tick < h.script.World.Ticks; h.tick++ {
		for ; next < len(h.script.Ops) && h.script.Ops[next].Tick == h.tick; next++ {
			if err := h.perform(ctx, h.script.Ops[next].Words); err != nil {
				return fmt.Errorf("%s: %w", strings.Join(h.script.Ops[next].Words, " "), err)
			}
		}
		for _, p := range h.payers {
			if p.asleep > 0 {
				p.asleep--
				continue
			}
			if err := h.order(ctx, p, command{Do: "step"}); err != nil {
				return err
			}
		}
		if err := h.Advance(ctx, h.script.World.Blocks); err != nil {
			return err
		}
	}
	if err := h.count(ctx); err != nil {
		return err
	}
	if err := h.end(ctx); err != nil {
		return err
	}
	return h.judge(ctx)
}

// order gives a command to a payer, who is started if need be, and may be killed on the way.
func (h *history) order(ctx context.Context, p *seat, c command) error {
	if p.process == nil {
		j := job{Mode: h.script.Mode, Journal: p.journal, URLs: h.URLs(), Asset: h.asset, World: h.size, Life: p.life, Lost: p.lost}
		process, err := start(ctx, j)
		if err != nil {
			return err
		}
		p.process = process
		p.life++
	}
	c.Unix, c.Waves, c.Deny = h.now().Unix(), waves(h.size, h.tick), h.deny
	for len(h.since) < c.Waves {
		h.since = append(h.since, c.Unix)
	}
	c.Since = h.since[:c.Waves]
	h.latest = max(h.latest, c.Unix)
	s, killed, err := p.process.do(c, p.crashes)
	if err != nil {
		p.process = nil
		return err
	}
	if killed != nil {
		p.process = nil
		p.crashes = slices.DeleteFunc(p.crashes, func(c *crash) bool { return c == killed })
		h.out.Crashes++
		h.out.Kills[killed.point]++
		return h.damage(p, killed.then)
	}
	if p.last = s; c.Do == "step" {
		p.trouble = s.Trouble
	}
	p.lost = p.lost && !s.Recovered
	if s.Broken {
		return p.restart()
	}
	return nil
}

// restart ends a payer that can go on only in a new process.
func (p *seat) restart() error {
	err := p.process.kill()
	p.process = nil
	return err
}

// damage is what a crash did to the file.
func (h *history) damage(p *seat, then []string) error {
	if len(then) == 0 {
		return nil
	}
	switch then[0] {
	case "lost":
		if err := os.Remove(p.journal); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		p.lost = true
		h.out.Faults["journal lost"]++
	case "torn":
		n, err := numbers(then[1:])
		if err != nil || len(n) != 1 {
			return fmt.Errorf("torn %v: want a number", then[1:])
		}
		info, err := os.Stat(p.journal)
		if err != nil {
			return err
		}
		if err := os.Truncate(p.journal, max(0, info.Size()-int64(n[0]))); err != nil {
			return err
		}
		h.out.Faults["record torn"]++
	}
	return nil
}

// now is the payers' clock.
func (h *history) now() time.Time {
	return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(int64(h.tick)*secondsPerTick+h.offset) * time.Second)
}

// end heals everything and lets the payers go on until nothing is left to do. Then hours pass, in which all that was ever signed
// dies, and the rent of the markers is taken back. Crashes still come, as the points that are rare come last; but from the time at
// which a marker may be gone a journal is no longer lost, see Runner.Recover.
func (h *history) end(ctx context.Context) error {
	if err := h.calm(ctx); err != nil {
		return err
	}
	quiet, err := h.rounds(ctx, healRounds)
	if err != nil {
		return err
	}
	if !quiet {
		h.out.Wrong = append(h.out.Wrong, fmt.Sprintf("not at its end after %d rounds in which nothing went wrong", healRounds))
		for i, p := range h.payers {
			h.out.Wrong = append(h.out.Wrong, fmt.Sprintf("payer %d: %d open, %d refused, recovering: %t; %s; %s",
				i, p.last.Open, p.last.Refused, p.last.Recovering, p.last.Left, p.trouble))
		}
		return nil
	}
	if err := h.Advance(ctx, svmtest.BlocksToFinal+150); err != nil {
		return err
	}
	h.offset += 2 * reclaimAfter
	for _, p := range h.payers {
		p.crashes = slices.DeleteFunc(p.crashes, func(c *crash) bool { return slices.Contains(c.then, "lost") })
	}
	for range reclaimRounds {
		if _, err := h.rounds(ctx, 1); err != nil {
			return err
		}
	}
	return h.Advance(ctx, svmtest.BlocksToFinal)
}

// rounds makes rounds without faults until nothing is left to do, and says whether that was reached.
func (h *history) rounds(ctx context.Context, most int) (quiet bool, err error) {
	for range most {
		h.tick++
		quiet = true
		for _, well := range []error{h.heal(ctx), h.drain(ctx, false), h.short(ctx, false)} {
			if well != nil {
				return false, well
			}
		}
		for _, p := range h.payers {
			p.asleep = 0
			for _, do := range []string{"step", "resume", "retry"} {
				if err := h.order(ctx, p, command{Do: do}); err != nil {
					return false, err
				}
				if p.process == nil {
					break
				}
			}
			quiet = quiet && p.process != nil && p.last.Open == 0 && p.last.Refused == 0 && !p.last.Recovering
		}
		if err := h.Advance(ctx, healBlocks); err != nil {
			return false, err
		}
		if quiet {
			return true, nil
		}
	}
	return false, nil
}

// calm takes all faults away.
func (h *history) calm(ctx context.Context) error {
	for _, step := range []func() error{
		func() error { return h.ClearFaults(ctx) },
		func() error { return h.Stall(ctx, false) },
		func() error { return h.gate(ctx, true) },
		func() error { return h.heal(ctx) },
		func() error { return h.drain(ctx, false) },
		func() error { return h.short(ctx, false) },
		func() error { h.deny = [endpoints]bool{}; return nil },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	// A payer that starts again while the clock is behind its journal may do nothing until it has caught up: an operator sets it.
	h.offset += max(0, h.latest-h.now().Unix())
	for i := range endpoints {
		if err := h.SetEndpoint(ctx, i, svmtest.Endpoint{}); err != nil {
			return err
		}
	}
	return nil
}

// count asks the runtime which faults happened.
func (h *history) count(ctx context.Context) error {
	s, err := h.Stats(ctx)
	if err != nil {
		return err
	}
	for action, n := range s.Faults {
		h.out.Faults[action.String()] += int(n)
	}
	return nil
}
