package worker

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/gpu/challenge"
)

// prove answers for all devices of an offer side by side, since their clocks start together.
func (w *Worker) prove(ctx context.Context, o Offer) error {
	var wait sync.WaitGroup
	errs := make([]error, len(o.Devices))
	verdicts := make([]*challenge.Verdict, len(o.Devices))
	for i, p := range o.Devices {
		wait.Go(func() { verdicts[i], errs[i] = w.line(ctx, o.ID, i, p) })
	}
	wait.Wait()
	for i, v := range verdicts {
		if v != nil {
			w.state.Verdicts[o.Devices[i].Device] = *v
			if w.cfg.Tested != nil {
				w.cfg.Tested(o.Devices[i].Device, *v)
			}
		}
	}
	return errors.Join(errs...)
}

// line answers the steps of one device until its verdict.
func (w *Worker) line(ctx context.Context, id string, device int, p Part) (*challenge.Verdict, error) {
	prover, opened := w.open(p.Device)
	if opened == nil {
		defer prover.Close() //nolint:errcheck // nothing is left to be done about it
	}
	nonce, answer := p.Nonce, Answer{Kind: Pong}
	for {
		body, err := answer.MarshalBinary()
		if err != nil {
			return nil, fmt.Errorf("worker: %w", err)
		}
		signed, err := w.sign(gpu.AnswerReport, nonce, body)
		if err != nil {
			return nil, err
		}
		step, err := w.client.answer(ctx, id, device, signed)
		if err != nil {
			return nil, err
		}
		if step.Kind == StepDone {
			return step.Verdict, nil
		}
		nonce, answer = step.Nonce, Answer{Kind: Failed}
		if opened != nil {
			answer.Text = opened.Error()
		} else if answer, err = serve(ctx, prover, step); err != nil {
			answer = Answer{Kind: Failed, Text: err.Error()}
		}
	}
}

func (w *Worker) open(id gpu.DeviceID) (challenge.Prover, error) {
	if w.cfg.Prover == nil {
		return nil, errors.New("worker: there is no prover")
	}
	return w.cfg.Prover(id)
}

// serve does what a step asks for.
func serve(ctx context.Context, p challenge.Prover, s Step) (a Answer, err error) {
	walker, walks := p.(challenge.Walker)
	if !walks && (s.Kind == StepFill || s.Kind == StepWalk) {
		return a, errors.New("worker: the prover has no table")
	}
	if (s.Kind == StepFill || s.Kind == StepWork) && s.Spec == nil || (s.Kind == StepWalk || s.Kind == StepOpen) && s.Draw == nil {
		return a, fmt.Errorf("%w: step %q without what it is about", ErrMessage, s.Kind)
	}
	switch s.Kind {
	case StepPing:
		return Answer{Kind: Pong}, nil
	case StepWait:
		return Answer{Kind: Again}, nil
	case StepFill:
		return Answer{Kind: Filled}, walker.Fill(ctx, *s.Spec)
	case StepWork:
		a.Kind = Committed
		a.Roots, err = p.Commit(ctx, *s.Spec)
	case StepWalk:
		a.Kind = Walked
		a.Walk, err = walker.Walk(ctx, *s.Draw)
	case StepOpen:
		a.Kind = Opened
		if a.Openings, err = p.Open(ctx, *s.Draw); err == nil && walks {
			a.Segments, err = walker.OpenWalk(ctx, *s.Draw)
		}
	default:
		return a, fmt.Errorf("%w: step %q", ErrMessage, s.Kind)
	}
	return a, err
}
