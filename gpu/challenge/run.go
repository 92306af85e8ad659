package challenge

import (
	"context"
	"fmt"
	"io"
	"time"
)

// Clock tells the time. Its times should hold a monotonic reading.
type Clock interface{ Now() time.Time }

// Driver is what Run needs of the world.
type Driver struct {
	Clock   Clock
	Entropy io.Reader                       // of 32 random bytes a nonce: crypto/rand's
	Ping    func(ctx context.Context) error // one round trip; nil: the prover is here
	Prover  Prover
	Walker  Walker // nil: specs without a table only
}

// Run drives an exchange that has not begun to its verdict. Calls are made one after another; one that comes back late is
// a timeout, one that fails is Declined, and one that the context ends is a timeout if its limit has passed and a broken
// line if not: give a context that ends what may hang. Errors are those of Entropy and of Exchange.Apply; a verdict is
// none.
func Run(ctx context.Context, d Driver, x *Exchange) (Verdict, error) {
	var next Event = Begun{}
	for {
		effects, err := x.Apply(d.Clock.Now(), next)
		if err != nil {
			return Verdict{}, err
		}
		next = nil
		for _, f := range effects {
			if j, ok := f.(Judged); ok {
				return j.Verdict, nil
			}
			if next == nil {
				if next, err = d.answer(ctx, f, x.spec.Memory != (MemorySpec{})); err != nil {
					return Verdict{}, err
				}
			}
		}
		if next == nil {
			return Verdict{}, fmt.Errorf("%w: nothing is due", ErrOrder)
		}
	}
}

// answer does what an effect asks for and returns what came of it; nil for an effect that asks for nothing.
func (d Driver) answer(ctx context.Context, f Effect, table bool) (Event, error) {
	switch f := f.(type) {
	case SendPing:
		if d.Ping == nil {
			return Ponged{}, nil
		}
		return unless(ctx, d.Ping(ctx), Ponged{}), nil
	case SendFill:
		if d.Walker == nil {
			return nil, fmt.Errorf("%w: a table without a walker", ErrInvalid)
		}
		return unless(ctx, d.Walker.Fill(ctx, f.Spec), Filled{}), nil
	case Ready:
		session, err := d.nonce()
		return Started{Session: session}, err
	case SendWork:
		c, failed := d.Prover.Commit(ctx, f.Spec)
		nonce, err := d.nonce()
		return unless(ctx, failed, Committed{Commitment: c, Nonce: nonce}), err
	case SendWalk:
		c, failed := d.Walker.Walk(ctx, f.Nonce)
		nonce, err := d.nonce()
		return unless(ctx, failed, Walked{Commitment: c, Nonce: nonce}), err
	case SendOpen:
		return d.open(ctx, f.Nonce, table), nil
	case Examine:
		return Examined{Err: f.Verify()}, nil
	case WakeAt, Judged, To, Assembled, Concluded:
	}
	return nil, nil
}

func (d Driver) open(ctx context.Context, nonce Hash, table bool) Event {
	o, err := d.Prover.Open(ctx, nonce)
	e := Opened{Openings: o}
	if err == nil && table {
		e.Segments, err = d.Walker.OpenWalk(ctx, nonce)
	}
	return unless(ctx, err, e)
}

// unless is the answer. Where the call failed it is a broken line if the context ended it, else the prover's own doing.
func unless(ctx context.Context, failed error, answer Event) Event {
	switch {
	case failed == nil:
		return answer
	case ctx.Err() != nil:
		return Broken{}
	}
	return Declined{}
}

func (d Driver) nonce() (h Hash, err error) {
	if _, err = io.ReadFull(d.Entropy, h[:]); err != nil {
		return Hash{}, fmt.Errorf("challenge: nonce: %w", err)
	}
	return h, nil
}
