package settlement

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// Runner carries the open batches of a journal to a chain and back, through several endpoints of which no one is believed
// alone. What it must not forget is in the journal, so that a new Runner goes on where another one died; it only remembers
// what each endpoint last said of heights and slots, to catch one that contradicts itself. It is not safe for concurrent use;
// two of them on one journal are, if Open and Apply are: at worst an event is refused with ErrStale.
type Runner struct {
	// Chains are the endpoints, best one first. Attempts are made by the first one that can, sent to all, looked for at all. When
	// an attempt has expired the next endpoint makes them: the one before may give blockhashes that nobody else knows.
	// Those that are a [Finder] are asked who made a marker, those that are a [Reclaimer] for its rent.
	Chains []Chain
	// Quorum is Params.Quorum of the journal: how many endpoints have to agree. At least 1, at most len(Chains).
	Quorum int
	// Open returns the batches to work on, for example Journal.Open.
	Open func() []Entry
	// Apply hands an event to the journal, and returns only when it is durable: for example Recorder.Apply, or Journal.Apply
	// where nothing has to survive the process.
	Apply func(at time.Time, e Event) ([]Effect, error)
	// Clock tells the time at which an attempt is recorded as signed: a machine may sleep in the middle of a round, and the rule of
	// [Params.ReclaimAfterSeconds] must not take it for awake. Nil: the time that Step was given, for a process that never sleeps.
	Clock func() time.Time
	// Probes returns further markers to be found or seen absent, for example Journal.Probes. Nil: none, and then no journal can
	// be recovered.
	Probes func() []MarkerID
	// Reclaimable returns the markers whose rent may be taken back at that time and final height, for example
	// Journal.Reclaimable. Nil: none.
	Reclaimable func(at time.Time, height uint64) []MarkerID

	seats bench
	turn  int // which endpoint makes attempts: the next one after each that has expired
}

// Step makes one round. It looks at every endpoint for the attempts that are on their way and records what enough of them agree
// on; sends again what any of them misses; asks who made the markers that nobody can explain; signs, records and then sends an
// attempt for every batch that waits for one; and takes the rent of old markers back. It never sleeps. It says whether an
// event was applied; if none was, time or the chain has to move.
//
// Trouble with one batch or endpoint does not stop the others: the errors are joined. An endpoint that contradicts itself or
// most others is not heard in this round; two that disagree on an attempt or a marker are named, and nothing is recorded of
// it. An event that the journal refuses is an error that changes nothing. Any other error of Apply, and [ErrBroken], ends the
// round at once, and nothing is sent after it.
func (r *Runner) Step(ctx context.Context, now time.Time) (moved bool, err error) {
	if err := r.check(); err != nil {
		return false, err
	}
	s := step{Runner: r, ctx: ctx, now: now}
	for _, part := range []func() error{s.look, s.find, s.prepare, s.reclaim} {
		if err := part(); err != nil {
			return s.moved, errors.Join(append(s.trouble, err)...)
		}
	}
	return s.moved, errors.Join(s.trouble...)
}

// Recover is for a journal that was lost, as a whole or at its end. It asks the endpoints how long what was signed before can
// still land, and applies [Recovering]. The procedure:
//
//  1. Make sure that no other process signs. Use up every nonce that an attempt may stand on.
//  2. Open what is left of the journal, or an empty one with the same Params, and Recover it. Batches of epochs before since
//     are never paid by absence: since is the first epoch whose markers cannot have been reclaimed.
//  3. Apply the same Decided again, in the same order, from whatever decided them: the same batches come out.
//  4. Step until no batch is unsure and no probe is open. What the lost journal had paid is found on the chain.
//  5. Apply the zero Recovering. From now on batches are prepared as ever.
//
// It returns an error, and has applied nothing, if fewer than Quorum endpoints answer plausibly.
func (r *Runner) Recover(ctx context.Context, now time.Time, since tokenomics.Epoch) error {
	if err := r.check(); err != nil {
		return err
	}
	s := step{Runner: r, ctx: ctx, now: now}
	last, n := uint64(0), 0
	found := s.findings(nil)
	height := s.seats.height(r.Quorum)
	for _, f := range found {
		// Finality may stall for a while, but not so long that nobody would recover a journal meanwhile. A height that a quorum
		// has reached is the measure: one endpoint far ahead of it would make the wait last for ever.
		const window = 3000
		if f.LastValid < f.Height || f.LastValid > height+window {
			s.note(fmt.Errorf("%d is no last block at height %d, want %d to %d", f.LastValid, f.Height, f.Height, height+window), "ask endpoint %q", f.Endpoint)
			continue
		}
		last, n = max(last, f.LastValid), n+1
	}
	if n < r.Quorum {
		return errors.Join(append(s.trouble, fmt.Errorf("settlement: recover: %d endpoints say how long an attempt can land, want Quorum, %d", n, r.Quorum))...)
	}
	if _, err := r.Apply(now, Recovering{LastValid: last, Since: since}); err != nil {
		return fmt.Errorf("settlement: record %T: %w", Recovering{}, err)
	}
	return nil
}

func (r *Runner) check() error {
	if r.Quorum < 1 || r.Quorum > len(r.Chains) {
		return fmt.Errorf("settlement: runner: Quorum is %d, want 1 to len(Chains), %d", r.Quorum, len(r.Chains))
	}
	return nil
}

// step is one round. Its methods return the errors that end the round and collect the others.
type step struct {
	*Runner
	ctx     context.Context //nolint:containedctx // lives as long as the call of Step
	now     time.Time
	moved   bool
	trouble []error
	marked  []BatchID // signed, and at least one endpoint says that the marker exists for no known reason
}

func (s *step) note(err error, format string, args ...any) {
	if err != nil {
		s.trouble = append(s.trouble, fmt.Errorf("settlement: %s: %w", fmt.Sprintf(format, args...), err))
	}
}

// record applies an event. A refusal is noted: nothing has changed, and the rest of the round makes sense.
func (s *step) record(e Event) (ok bool, _ error) {
	if _, signed := e.(Signed); signed && s.Clock != nil {
		if t := s.Clock(); t.After(s.now) {
			s.now = t
		}
	}
	_, err := s.Apply(s.now, e)
	switch {
	case err == nil:
		s.moved = true
		return true, nil
	case errors.Is(err, ErrBroken):
	case errors.Is(err, ErrStale), errors.Is(err, ErrUnseen), errors.Is(err, ErrUnknownBatch), errors.Is(err, ErrQuorum), errors.Is(err, ErrUnexplained):
		_, absent := e.(Absent)
		_, poisoned := e.(Poisoned)
		if early := (absent || poisoned) && errors.Is(err, ErrQuorum); !early { // else the last block has not passed yet
			s.note(err, "record %T", e)
		}
		return false, nil
	}
	return false, fmt.Errorf("settlement: record %T: %w", e, err)
}

// send hands attempts to every endpoint. Whether one was heard in this round does not matter: a send is no evidence.
func (s *step) send(txs []Tx, what string) {
	if len(txs) == 0 {
		return
	}
	for i, c := range s.Chains {
		s.note(c.Send(s.ctx, txs), "send %s to endpoint %d", what, i)
	}
}

// sightings asks every endpoint for the attempts, and returns the answers that count.
func (s *step) sightings(ask []Attempt) []Sighting {
	var all []Sighting
	var said []header
	for i, c := range s.Chains {
		seen, err := c.Look(s.ctx, ask)
		if err == nil && len(seen.Results) != len(ask) {
			err = fmt.Errorf("%d results for %d attempts", len(seen.Results), len(ask))
		}
		if err != nil {
			s.note(err, "look at endpoint %d", i)
			continue
		}
		all, said = append(all, seen), append(said, header{seen.Endpoint, seen.Height, seen.Slot})
	}
	return seated(s, all, said)
}

// seated drops the answers that do not count and notes why.
func seated[A any](s *step, all []A, said []header) []A {
	var out []A
	for i, err := range s.seats.seat(said) {
		if err != nil {
			s.trouble = append(s.trouble, err)
			continue
		}
		out = append(out, all[i])
	}
	return out
}

// look asks for the attempts of all batches of which one may land, those called over included, and sends the missing again.
func (s *step) look() error {
	var open []Entry
	var ask []Attempt
	for _, e := range s.Open() {
		if e.State == StatePlanned || len(e.Attempts) == 0 {
			continue
		}
		open = append(open, e)
		for _, a := range e.Attempts {
			ask = append(ask, Attempt{MarkerID{e.Batch.ID, a.Marker}, a.Tx})
		}
	}
	if len(ask) == 0 {
		return nil
	}
	seen := s.sightings(ask)
	if len(seen) == 0 {
		return nil
	}
	var missing []Tx
	at := 0
	for _, e := range open {
		lost, err := s.settle(e, seen, at)
		if err != nil {
			return err
		}
		missing = append(missing, lost...)
		at += len(e.Attempts)
	}
	s.send(missing, "again")
	return nil
}

// settle records what became of a batch, whose attempts have the results from number at on, and returns what to send again. An
// attempt that has landed counts first, whatever was said of it before: then a failure of another one on the marker needs no
// explanation.
func (s *step) settle(e Entry, seen []Sighting, at int) (missing []Tx, _ error) {
	var events []Event
	for i, a := range e.Attempts {
		var list []opinion
		lost := false
		for _, x := range seen {
			o := opinion{header{x.Endpoint, x.Height, x.Slot}, x.Results[at+i]}
			list = append(list, o)
			lost = lost || o.Sight == Missing
			if o.Sight == Marked && !a.Over && !slices.Contains(s.marked, e.Batch.ID) {
				s.marked = append(s.marked, e.Batch.ID)
			}
		}
		event, err := verdict(s.Quorum, e.Batch.ID, a.Tx, list)
		if err != nil && !a.Over {
			s.trouble = append(s.trouble, err)
		}
		if _, landed := event.(Landed); landed {
			_, err := s.record(event)
			return nil, err
		}
		if a.Over {
			continue
		}
		if event != nil {
			events = append(events, event)
		} else if lost && len(a.Tx.Raw) > 0 {
			missing = append(missing, a.Tx)
		}
	}
	for _, event := range events {
		ok, err := s.record(event)
		if err != nil {
			return nil, err
		}
		if _, expired := event.(Expired); ok && expired {
			s.turn++
		}
	}
	return missing, nil
}

// prepare makes an attempt for every planned batch, in one call, and sends them when all are recorded. A batch that loses lines
// waits for the next round.
func (s *step) prepare() error {
	var planned []Batch
	for _, e := range s.Open() {
		if e.State == StatePlanned && !e.Stale(s.now) {
			planned = append(planned, e.Batch)
		}
	}
	if len(planned) == 0 {
		return nil
	}
	made := s.proposals(planned)
	var fresh []Tx
	for i, p := range made {
		b := planned[i]
		lines := (*LineError)(nil)
		var event Event = Signed{b.ID, b.Revision, p.Tx}
		switch {
		case p.Err == nil:
		case errors.As(p.Err, &lines):
			event = Rejected{b.ID, b.Revision, lines.Faults}
		case errors.Is(p.Err, ErrLater):
			continue
		default:
			s.note(p.Err, "prepare batch %s", b.ID)
			continue
		}
		ok, err := s.record(event)
		if err != nil {
			return err
		}
		if ok && p.Err == nil {
			fresh = append(fresh, p.Tx)
		}
	}
	s.send(fresh, "new attempts")
	return nil
}
