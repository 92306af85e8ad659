package verifier

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/gpu/challenge"
	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/internal/worker"
)

// Answer takes what an agent signed for one of a challenge's devices, by its number in the offer, and returns the next step.
// It waits for one that depends on other devices, but no longer than 20 s: the step is then to ask again. Errors are
// ErrUnknown, those of gpu.Open, worker.ErrMessage and ErrOrder; none of them ends the challenge or changes it.
func (v *Verifier) Answer(ctx context.Context, id string, device int, signed []byte) (worker.Step, error) {
	v.mu.Lock()
	r := v.runs[id]
	v.mu.Unlock()
	if r == nil || device < 0 || device >= len(r.sides) {
		return worker.Step{}, fmt.Errorf("%w: %.60q, device %d", ErrUnknown, id, device)
	}
	due, err := v.take(r, device, signed)
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

// take applies an answer and returns what is closed when the next step is there.
func (v *Verifier) take(r *run, device int, signed []byte) (<-chan struct{}, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &r.sides[device]
	report, err := gpu.Open(signed, r.key[:], s.nonce)
	if err != nil {
		return nil, err
	}
	if report.Kind != gpu.AnswerReport {
		return nil, fmt.Errorf("%w: a report of kind %v", worker.ErrMessage, report.Kind)
	}
	var a worker.Answer
	if err := a.UnmarshalBinary(report.Body); err != nil {
		return nil, err
	}
	var fresh challenge.Hash // the answer uses its nonce up
	if err := v.draw(&fresh); err != nil {
		return nil, err
	}
	if r.over || a.Kind == worker.Again {
		s.nonce = fresh
		return s.due, nil
	}
	e, err := v.event(a)
	if err != nil {
		return nil, err
	}
	old, due := s.next, s.due
	s.next, s.due = nil, make(chan struct{})
	if err := v.apply(r, challenge.Of{Exchange: uint32(device), Event: e}); err != nil {
		s.next, s.due = old, due
		if errors.Is(err, challenge.ErrOrder) {
			err = fmt.Errorf("%w: %w", ErrOrder, err)
		}
		return nil, err
	}
	s.nonce = fresh
	return s.due, nil
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
		return challenge.Broken{}, nil
	}
	return nil, fmt.Errorf("%w: kind %d", worker.ErrMessage, a.Kind)
}

// apply gives an event to a run's barrier and carries out what follows. The caller holds the run's lock.
func (v *Verifier) apply(r *run, e challenge.Event) error {
	effects, err := r.barrier.Apply(v.cfg.Now(), e)
	if err != nil {
		return err
	}
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
			if err := v.apply(r, challenge.Together{Sessions: sessions}); err != nil {
				return err
			}
		case challenge.Concluded:
			v.conclude(r, f.Outcome)
		case challenge.SendPing, challenge.SendFill, challenge.Ready, challenge.SendWork, challenge.SendWalk, challenge.SendOpen,
			challenge.WakeAt, challenge.Judged: // only inside To
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
			ID: fmt.Sprintf("%s-%d", r.id, i), Node: r.node, Device: r.devices[i], Passed: verdict.Reason == challenge.OK,
			Reason: string(verdict.Reason), OpsPerSecond: verdict.OpsPerSec, CommitMicros: uint64(verdict.Commit.Microseconds()),
			// A barrier that is not complete says nothing of whether one device answered for two.
			Judged: verdict.RateJudged && verdict.ReadsJudged && o.Complete,
		}
		if !c.Passed {
			c.Judged = false
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
