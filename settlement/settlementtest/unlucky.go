package settlementtest

import (
	"context"
	"errors"

	"github.com/idlegrid/idlegrid/settlement"
)

// ErrLost is what a send returns whose reply is lost.
var ErrLost = errors.New("settlementtest: the reply is lost")

// Mishap is what becomes of one send.
type Mishap uint8

const (
	// None lets it pass.
	None Mishap = iota
	// Dropped accepts it and forgets it.
	Dropped
	// ReplyLost delivers it and returns ErrLost.
	ReplyLost
	// Twice delivers it two times.
	Twice
)

// Unlucky is a chain on the way to which things happen.
type Unlucky struct {
	settlement.Chain
	// Mishap says what becomes of a send. It is called once for each.
	Mishap func(tx settlement.Tx) Mishap
}

// Send delivers the attempt, or not, as Mishap says.
func (u *Unlucky) Send(ctx context.Context, tx settlement.Tx) error {
	switch u.Mishap(tx) {
	case Dropped:
		return nil
	case ReplyLost:
		_ = u.Chain.Send(ctx, tx) // its reply is lost
		return ErrLost
	case Twice:
		_ = u.Chain.Send(ctx, tx) // the second one counts
	case None:
	}
	return u.Chain.Send(ctx, tx)
}
