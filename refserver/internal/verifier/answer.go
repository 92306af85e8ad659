package verifier

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/gpu/challenge"
	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/internal/worker"
)

// Answer takes what an agent signed for one of a challenge's devices, by its number in the offer, and returns the next step.
// It waits for one that depends on other devices, but no longer than 20 s: the step is then to ask again. The same bytes may
// be handed in again where the step to them was lost on the way. Errors are ErrUnknown, those of gpu.Open, gpu.ErrUnknownKey
// for a key that does not speak for the node now, worker.ErrMessage and ErrOrder; none of them ends the challenge or changes
// it.
func (v *Verifier) Answer(ctx context.Context, id string, device int, signed []byte) (worker.Step, error) {
	at := v.cfg.Now()
	v.mu.Lock()
	r := v.runs[id]
	v.mu.Unlock()
	if r == nil || device < 0 || device >= len(r.sides) {
		return worker.Step{}, fmt.Errorf("%w: %.60q, device %d", ErrUnknown, id, device)
	}
	due, err := v.hear(r, device, at, signed)
	if err != nil {
		return worker.Step{}, err
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-due:
	case <-timer.C:
	case <-ctx.Done():
		return worker.Step{}, ctx.Err()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &r.sides[device]
	if s.next == nil {
		return worker.Step{Kind: worker.StepWait, Nonce: s.nonce}, nil
	}
	step := *s.next
	step.Nonce = s.nonce
	return step, nil
}

// hear takes an answer that arrived at an instant and returns what is closed when the next step is there. What takes long is
// done without the run's lock: it must not run on the clocks of the other devices.
func (v *Verifier) hear(r *run, device int, at time.Time, signed []byte) (<-chan struct{}, error) {
	sum := sha256.Sum256(signed)
	r.mu.Lock()
	s := &r.sides[device]
	nonce, heard, due := s.nonce, s.heard, s.due
	r.mu.Unlock()
	if sum == heard {
		return due, nil
	}
	key := gpu.ReportKey(signed)
	report, err := gpu.Open(signed, key[:], nonce)
	if err != nil {
		return nil, err
	}
	if node := v.cfg.Speaker(key); node != r.node {
		return nil, fmt.Errorf("%w: %x does not speak for node %q", gpu.ErrUnknownKey, key, r.node)
	}
	if report.Kind != gpu.AnswerReport {
		return nil, fmt.Errorf("%w: a report of kind %v", worker.ErrMessage, report.Kind)
	}
	var a worker.Answer
	if err := a.UnmarshalBinary(report.Body); err != nil {
		return nil, err
	}
	next, examine, err := v.take(r, device, at, nonce, sum, a)
	if err != nil || examine == nil {
		return next, err
	}
	examined := challenge.Of{Exchange: uint32(device), Event: challenge.Examined{Err: examine.Verify()}}
	r.mu.Lock()
	defer r.mu.Unlock()
	return next, v.apply(r, v.cfg.Now(), examined)
}

// take applies an answer over a nonce, which it uses up. It returns what is closed when the next step is there, and what is
// to be examined first, if anything is.
func (v *Verifier) take(r *run, device int, at time.Time, nonce, sum challenge.Hash, a worker.Answer) (<-chan struct{}, *challenge.Examine, error) {
	var fresh challenge.Hash
	if err := v.draw(&fresh); err != nil {
		return nil, nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &r.sides[device]
	switch {
	case s.heard == sum:
		return s.due, nil, nil
	case s.nonce != nonce: // another answer was quicker
		return nil, nil, gpu.ErrNonce
	case r.over || a.Kind == worker.Again:
		s.nonce, s.heard = fresh, sum
		return s.due, nil, nil
	}
	e, err := v.event(a)
	if err != nil {
		return nil, nil, err
	}
	old := *s
	s.next, s.due, s.examine = nil, make(chan struct{}), nil
	if err := v.apply(r, at, challenge.Of{Exchange: uint32(device), Event: e}); err != nil {
		*s = old
		if errors.Is(err, challenge.ErrOrder) {
			err = fmt.Errorf("%w: %w", ErrOrder, err)
		}
		return nil, nil, err
	}
	s.nonce, s.heard = fresh, sum
	return s.due, s.examine, nil
}

// event is what an answer says to the exchange.
func (v *Verifier) event(a worker.Answer) (challenge.Event, error) {
	var nonce challenge.Hash
	if err := v.draw(&nonce); err != nil {
		return nil, err
	}
	switch a.Kind {
	case worker.Pong:
		return challenge.Ponged{}, nil
	case worker.Filled:
		return challenge.Filled{}, nil
	case worker.Committed:
		return challenge.Committed{Commitment: a.Roots, Nonce: nonce}, nil
	case worker.Walked:
		return challenge.Walked{Commitment: a.Walk, Nonce: nonce}, nil
	case worker.Opened:
		return challenge.Opened{Openings: a.Openings, Segments: a.Segments}, nil
	case worker.Failed:
		v.cfg.Log.Info("a prover gave up", "why", a.Text)
		return challenge.Declined{}, nil
	}
	return nil, fmt.Errorf("%w: kind %d", worker.ErrMessage, a.Kind)
}

// apply gives an event to a run's barrier and carries out what follows. The caller holds the run's lock. The instant is that
// of the event's arrival, or that of a later event which was quicker to get the lock.
func (v *Verifier) apply(r *run, at time.Time, e challenge.Event) error {
	if at.Before(r.last) {
		at = r.last
	}
	effects, err := r.barrier.Apply(at, e)
	if err != nil {
		return err
	}
	r.last = at
	for _, f := range effects {
		switch f := f.(type) {
		case challenge.To:
			r.ask(int(f.Exchange), f.Effect)
		case challenge.Assembled:
			sessions := make([]challenge.Hash, len(r.sides))
			for i := range sessions {
				if err := v.draw(&sessions[i]); err != nil {
					return err
				}
			}
			// The clocks start now, not when the last device's message came in.
			if err := v.apply(r, v.cfg.Now(), challenge.Together{Sessions: sessions}); err != nil {
				return err
			}
		case challenge.Concluded:
			v.conclude(r, f.Outcome)
		case challenge.SendPing, challenge.SendFill, challenge.Ready, challenge.SendWork, challenge.SendWalk, challenge.SendOpen,
			challenge.Examine, challenge.WakeAt, challenge.Judged: // only inside To
		}
	}
	return nil
}

// ask makes the next step of one device from what its exchange wants sent.
func (r *run) ask(device int, f challenge.Effect) {
	var step worker.Step
	switch f := f.(type) {
	case challenge.SendPing:
		step = worker.Step{Kind: worker.StepPing}
	case challenge.SendFill:
		step = worker.Step{Kind: worker.StepFill, Spec: &f.Spec}
	case challenge.SendWork:
		step = worker.Step{Kind: worker.StepWork, Spec: &f.Spec}
	case challenge.SendWalk:
		step = worker.Step{Kind: worker.StepWalk, Draw: &f.Nonce}
	case challenge.SendOpen:
		step = worker.Step{Kind: worker.StepOpen, Draw: &f.Nonce}
	case challenge.Examine:
		r.sides[device].examine = &f
		return
	case challenge.Judged:
		step = worker.Step{Kind: worker.StepDone, Verdict: &f.Verdict}
	case challenge.Ready, challenge.WakeAt, challenge.To, challenge.Assembled, challenge.Concluded:
		return
	}
	s := &r.sides[device]
	if s.next == nil {
		close(s.due)
	}
	s.next = &step
}

// conclude tells the network what was found, and forgets the run.
func (v *Verifier) conclude(r *run, o challenge.Outcome) {
	r.over = true
	for i, verdict := range o.Verdicts {
		c := network.Prove{
			ID: fmt.Sprintf("%s-%d", r.id, i), Node: r.node, Device: r.devices[i], Passed: verdict.Passed(),
			Reason: string(verdict.Reason), OpsPerSecond: verdict.OpsPerSec, CommitMicros: uint64(verdict.Commit.Microseconds()),
			// A barrier that is not complete says nothing of whether one device answered for two.
			Judged: verdict.Passed() && verdict.RateJudged && verdict.ReadsJudged && o.Complete,
		}
		if err := v.cfg.Do(c); err != nil {
			v.cfg.Log.Warn("a verdict was not taken", "node", r.node, "device", r.devices[i], "error", err)
		}
		v.cfg.Log.Info("challenge judged", "node", r.node, "device", r.devices[i], "reason", verdict.Reason, "text", verdict.Text,
			"ops_per_second", verdict.OpsPerSec, "judged", c.Judged)
	}
	r.ended = v.cfg.Now()
	v.mu.Lock()
	delete(v.node, r.node)
	v.mu.Unlock()
}
