package settlement

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Runner carries the open batches of a journal to a chain and back. All of its memory is in the journal, so that a new
// Runner goes on where another one died. It is not safe for concurrent use; two of them on one journal are: at worst an
// event is refused with ErrStale.
type Runner struct {
	// Chains are the endpoints, best one first. Attempts are made by the first one that can, sent to all, looked for at all.
	Chains []Chain
	// Quorum is Params.Quorum of the journal: how many endpoints have to agree.
	Quorum int
	// Open returns the batches to work on, for example Journal.Open.
	Open func() []Entry
	// Apply hands an event to the journal, and returns only when it is durable: for example Recorder.Apply, or Journal.Apply
	// where nothing has to survive the process.
	Apply func(at time.Time, e Event) ([]Effect, error)
}

// Step makes one round: it looks for the attempts that are on their way, records what became of them, sends again what is
// missing, and then signs, records and sends an attempt for every batch that waits for one. It never sleeps. It says whether
// an event was applied; if none was, time or the chain has to move. Trouble with one batch does not stop the others: the
// errors are joined. An error of Apply ends the round at once, and nothing is sent after it.
func (r *Runner) Step(ctx context.Context, now time.Time) (moved bool, err error) {
	s := step{r, ctx, now, false, nil}
	if err := s.look(); err != nil {
		return s.moved, errors.Join(append(s.trouble, err)...)
	}
	if err := s.prepare(); err != nil {
		return s.moved, errors.Join(append(s.trouble, err)...)
	}
	return s.moved, errors.Join(s.trouble...)
}

// step is one round. Its methods return the errors that end the round and collect the others.
type step struct {
	*Runner
	ctx     context.Context //nolint:containedctx // lives as long as the call of Step
	now     time.Time
	moved   bool
	trouble []error
}

func (s *step) note(err error, format string, args ...any) {
	if err != nil {
		s.trouble = append(s.trouble, fmt.Errorf("settlement: %s: %w", fmt.Sprintf(format, args...), err))
	}
}

func (s *step) record(e Event) error {
	if _, err := s.Apply(s.now, e); err != nil {
		return fmt.Errorf("settlement: record %T: %w", e, err)
	}
	s.moved = true
	return nil
}

// look asks the chain once for the attempts of all signed batches, those called expired included.
func (s *step) look() error {
	var signed []Entry
	var ask []Attempt
	for _, e := range s.Open() {
		if e.State != StateSigned {
			continue
		}
		signed = append(signed, e)
		for _, a := range e.Attempts {
			ask = append(ask, Attempt{e.Batch.MarkerID(), a.Tx})
		}
	}
	if len(ask) == 0 {
		return nil
	}
	seen, err := s.Chains[0].Look(s.ctx, ask)
	if err == nil && len(seen.Results) != len(ask) {
		err = fmt.Errorf("%d results for %d attempts", len(seen.Results), len(ask))
	}
	if err != nil {
		s.note(err, "look at %d attempts", len(ask))
		return nil
	}
	for _, e := range signed {
		n := len(e.Attempts)
		if err := s.settle(e, seen, seen.Results[:n]); err != nil {
			return err
		}
		seen.Results = seen.Results[n:]
	}
	return nil
}

// settle records what became of a signed batch. An attempt that has landed counts first, whatever was said of it before:
// then a failure of the live one on the marker needs no explanation.
func (s *step) settle(e Entry, seen Sighting, results []Result) error {
	for i, res := range results {
		if res.Sight == Succeeded {
			return s.record(Landed{e.Batch.ID, e.Attempts[i].Tx.ID, res.Slot, res.Fee, res.Got, nil})
		}
	}
	for i, res := range results {
		a := e.Attempts[i]
		if a.Over {
			continue
		}
		switch res.Sight {
		case Reverted:
			return s.record(Failed{e.Batch.ID, a.Tx.ID, res.Slot, res.Fee, res.Failure, nil})
		case Missing:
			s.note(s.Chains[0].Send(s.ctx, []Tx{a.Tx}), "send batch %s again", e.Batch.ID)
		case Dead:
			return s.record(Expired{e.Batch.ID, a.Tx.ID, []Witness{{Endpoint: seen.Endpoint, Height: seen.Height, Slot: seen.Slot, Context: res.Context, Nonce: res.Nonce}}})
		case Marked:
			s.note(errors.New("its marker exists, but the chain does not know who made it: another endpoint may"), "look for attempt %q of batch %s", a.Tx.ID, e.Batch.ID)
		case Pending, Succeeded:
		}
	}
	return nil
}

// prepare makes an attempt for every planned batch. A batch that loses lines waits for the next round.
func (s *step) prepare() error {
	for _, e := range s.Open() {
		if e.State != StatePlanned {
			continue
		}
		all, err := s.Chains[0].Prepare(s.ctx, []Batch{e.Batch})
		if err != nil {
			s.note(err, "prepare batch %s", e.Batch.ID)
			continue
		}
		tx, err := all[0].Tx, all[0].Err
		if lines := (*LineError)(nil); errors.As(err, &lines) {
			if err := s.record(Rejected{e.Batch.ID, e.Batch.Revision, lines.Faults}); err != nil {
				return err
			}
			continue
		}
		if errors.Is(err, ErrLater) {
			continue
		}
		if err != nil {
			s.note(err, "prepare batch %s", e.Batch.ID)
			continue
		}
		if err := s.record(Signed{e.Batch.ID, e.Batch.Revision, tx}); err != nil {
			return err
		}
		s.note(s.Chains[0].Send(s.ctx, []Tx{tx}), "send batch %s", e.Batch.ID)
	}
	return nil
}
