package door

import (
	"context"
	"errors"
	"time"

	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/settlement"
)

// Run lets time pass and carries payments until ctx ends: at once and then every so often it applies a Tick if an epoch or
// a lease is over, and makes a round of the runner (which may be nil). Trouble with the chain is logged and tried again; a
// door that closes ends the loop with the reason.
func (d *Door) Run(ctx context.Context, every time.Duration, runner *settlement.Runner) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for trouble := ""; ; {
		if err := d.tickIfDue(); err != nil {
			return err
		}
		if runner != nil {
			trouble = d.settle(ctx, runner, trouble)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// settle makes a round of the runner and returns what troubled it. The same trouble is logged once.
func (d *Door) settle(ctx context.Context, runner *settlement.Runner, before string) string {
	_, err := runner.Step(ctx, d.cfg.Now())
	if err == nil {
		return ""
	}
	if ctx.Err() != nil || errors.Is(err, ErrClosed) { // nothing to do with the chain
		return before
	}
	if err.Error() != before {
		d.cfg.Log.Error("settlement round", "err", err)
	}
	return err.Error()
}

// tickIfDue applies a Tick if something has come to its end since the last command.
func (d *Door) tickIfDue() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.down != nil {
		return d.down
	}
	due, ok := d.net.Due()
	if !ok || d.cfg.Now().Before(due) {
		return nil
	}
	_, _, err := d.do(network.Tick{})
	return err
}
