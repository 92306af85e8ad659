package chaos

import (
	"context"
	"fmt"
	"strings"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
)

// Points are the places in a step at which a payer can be killed. Those of append are followed by a dot and the event's name.
func Points() []string {
	out := []string{"step", "retry", "resume"}
	for _, what := range []string{"prepare", "sign", "send", "look", "find", "reclaim"} {
		out = append(out, what+".before", what+".after")
	}
	for _, event := range []string{
		"Decided", "Signed", "Rejected", "Landed", "Failed", "Expired", "Found", "Recovering", "Absent", "Retried", "Poisoned", "Reclaimed",
		"Resumed",
	} {
		out = append(out, "append.before."+event, "append.after."+event)
	}
	return out
}

// fullChain is all that a chain can do for a Runner.
type fullChain interface {
	settlement.Chain
	settlement.Finder
	settlement.Reclaimer
}

// watched announces each call before it is made and after.
type watched struct {
	chain fullChain
	line  *line
}

// Prepare implements settlement.Chain.
func (w *watched) Prepare(ctx context.Context, b []settlement.Batch) (out []settlement.Prepared, err error) {
	err = w.around("prepare", func() error { out, err = w.chain.Prepare(ctx, b); return err })
	return out, err
}

// Send implements settlement.Chain.
func (w *watched) Send(ctx context.Context, txs []settlement.Tx) error {
	return w.around("send", func() error { return w.chain.Send(ctx, txs) })
}

// Look implements settlement.Chain.
func (w *watched) Look(ctx context.Context, a []settlement.Attempt) (out settlement.Sighting, err error) {
	err = w.around("look", func() error { out, err = w.chain.Look(ctx, a); return err })
	return out, err
}

// Find implements settlement.Finder.
func (w *watched) Find(ctx context.Context, b []settlement.Batch) (out settlement.Findings, err error) {
	err = w.around("find", func() error { out, err = w.chain.Find(ctx, b); return err })
	return out, err
}

// Reclaim implements settlement.Reclaimer.
func (w *watched) Reclaim(ctx context.Context, m []settlement.MarkerID) (out settlement.Reclaims, err error) {
	err = w.around("reclaim", func() error { out, err = w.chain.Reclaim(ctx, m); return err })
	return out, err
}

func (w *watched) around(what string, f func() error) error {
	if err := w.line.at(what + ".before"); err != nil {
		return err
	}
	if err := f(); err != nil {
		return err
	}
	return w.line.at(what + ".after")
}

// slowSigner announces each signature.
type slowSigner struct {
	spl.Signer
	line *line
}

// Sign implements spl.Signer.
func (s *slowSigner) Sign(ctx context.Context, message []byte) ([64]byte, error) {
	if err := s.line.at("sign.before"); err != nil {
		return [64]byte{}, err
	}
	out, err := s.Signer.Sign(ctx, message)
	if err != nil {
		return out, err
	}
	return out, s.line.at("sign.after")
}

// watchedStore announces each record, by the event that is in it.
type watchedStore struct {
	settlement.Store
	line   *line
	event  settlement.Event
	failed bool // for ever
}

// eventName is the name of an event's type.
func eventName(e settlement.Event) string {
	return strings.TrimPrefix(fmt.Sprintf("%T", e), "settlement.")
}

// Append implements settlement.Store.
func (s *watchedStore) Append(record []byte) error {
	name := eventName(s.event)
	if err := s.line.at("append.before." + name); err != nil {
		return err
	}
	if err := s.Store.Append(record); err != nil {
		s.failed = true
		return err
	}
	return s.line.at("append.after." + name)
}
