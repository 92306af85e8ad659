package settlementtest

import (
	"context"
	"errors"

	"github.com/idlegrid/idlegrid/settlement"
)

// ErrLost is what a send returns whose reply is lost.
var ErrLost = errors.New("settlementtest: the reply is lost")

// errNotOffered is what an endpoint returns for what the chain behind it cannot do.
var errNotOffered = errors.New("settlementtest: the chain does not offer that")

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

// Unlucky is a chain on the way to which things happen. It is a Finder and a Reclaimer as far as the chain is.
type Unlucky struct {
	settlement.Chain
	// Mishap says what becomes of a send. It is called once for each.
	Mishap func(txs []settlement.Tx) Mishap
	// Mute is what every question returns; nil while it is answered. Sends go through.
	Mute error
}

// Send delivers the attempts, or not, as Mishap says.
func (u *Unlucky) Send(ctx context.Context, txs []settlement.Tx) error {
	switch u.Mishap(txs) {
	case Dropped:
		return nil
	case ReplyLost:
		_ = u.Chain.Send(ctx, txs) // its reply is lost
		return ErrLost
	case Twice:
		_ = u.Chain.Send(ctx, txs) // the second one counts
	case None:
	}
	return u.Chain.Send(ctx, txs)
}

// Look implements settlement.Chain.
func (u *Unlucky) Look(ctx context.Context, attempts []settlement.Attempt) (settlement.Sighting, error) {
	if u.Mute != nil {
		return settlement.Sighting{}, u.Mute
	}
	return u.Chain.Look(ctx, attempts)
}

// Find implements settlement.Finder.
func (u *Unlucky) Find(ctx context.Context, batches []settlement.Batch) (settlement.Findings, error) {
	if u.Mute != nil {
		return settlement.Findings{}, u.Mute
	}
	return find(ctx, u.Chain, batches)
}

// Reclaim implements settlement.Reclaimer.
func (u *Unlucky) Reclaim(ctx context.Context, markers []settlement.MarkerID) (settlement.Reclaims, error) {
	if u.Mute != nil {
		return settlement.Reclaims{}, u.Mute
	}
	return reclaim(ctx, u.Chain, markers)
}

func find(ctx context.Context, c settlement.Chain, batches []settlement.Batch) (settlement.Findings, error) {
	if f, ok := c.(settlement.Finder); ok {
		return f.Find(ctx, batches)
	}
	return settlement.Findings{}, errNotOffered
}

func reclaim(ctx context.Context, c settlement.Chain, markers []settlement.MarkerID) (settlement.Reclaims, error) {
	if r, ok := c.(settlement.Reclaimer); ok {
		return r.Reclaim(ctx, markers)
	}
	return settlement.Reclaims{}, errNotOffered
}
