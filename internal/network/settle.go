package network

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// settle applies what came of the money and takes every bill that waited for it a step further.
func (n *Network) settle(at time.Time, e settlement.Event) ([]Fact, error) {
	switch e.(type) {
	case nil:
		return nil, fmt.Errorf("%w: settle: there is no event", ErrInvalid)
	case settlement.Decided, settlement.Retried:
		return nil, fmt.Errorf("%w: settle: only the network decides what is paid", ErrInvalid)
	case settlement.Recovering:
		return nil, fmt.Errorf("%w: settle: the network's journal holds its settlement, and is lost with it or not at all", ErrInvalid)
	case settlement.Signed, settlement.Rejected, settlement.Landed, settlement.Failed, settlement.Expired, settlement.Found, settlement.Poisoned,
		settlement.Absent, settlement.Reclaimed, settlement.Resumed:
	}
	effects, err := n.journal.Apply(at, e)
	if err != nil {
		return nil, err
	}
	var facts []Fact
	for _, e := range effects {
		switch e := e.(type) {
		case settlement.Paid:
			batch, _ := n.journal.Batch(e.Batch)
			facts = append(facts, Paid{Batch: e.Batch, Tx: e.Tx, Slot: e.Slot, Lines: batch.Batch.Lines})
			facts = append(facts, n.paid(at, e)...)
		case settlement.Refused:
			facts = append(facts, Unpaid{Batch: e.Batch, To: e.To, Reason: e.Reason})
			for _, id := range e.Intents {
				n.refuse(id)
			}
		case settlement.Stuck:
			facts = append(facts, Stuck(e))
		case settlement.Find:
			facts = append(facts, Unclear{Marker: e.Batch.MarkerID()})
		case settlement.Prepare, settlement.Send: // the runner's business
		case settlement.Waiting: // Params.Validate allows no least payment
		}
	}
	return facts, nil
}

// paid books burns and takes the bills whose intents are final a step further, in the order of the bills.
func (n *Network) paid(at time.Time, e settlement.Paid) []Fact {
	var facts []Fact
	touched := map[int]bool{}
	n.paidOut += len(e.Intents)
	for _, id := range e.Intents {
		if n.burns[id] {
			facts = append(facts, n.retire(at, id, e.Tx))
		}
		n.receive(at, id)
		n.unrefuse(id) // what landed is an earlier attempt, or another payer's, which carried it
		if i, ok := n.waiting[id]; ok {
			delete(n.waiting, id)
			n.bills[i].pending--
			touched[i] = true
		}
	}
	for _, i := range slices.Sorted(maps.Keys(touched)) {
		facts = append(facts, n.follow(at, i)...)
	}
	return facts
}

// receive books a reward that has arrived: it circulates from now on.
func (n *Network) receive(at time.Time, id settlement.IntentID) {
	p, _ := n.journal.Payment(id)
	if p.Intent.From != n.p.Accounts.Rewards || p.Intent.Asset != n.p.IO {
		return
	}
	_, err := n.supply.Apply(at, tokenomics.Moved{From: tokenomics.Rewards, To: tokenomics.Circulating, Amount: tokenomics.Amount(p.Intent.Units)})
	must(err)
}

// refuse notes that an intent will not be paid. The bill that waits for it stops where it is.
func (n *Network) refuse(id settlement.IntentID) {
	if n.refused[id] {
		return
	}
	n.refused[id] = true
	i, ok := n.waiting[id]
	if !ok {
		return
	}
	b := n.bills[i]
	if b.refusals == 0 {
		b.stopped, b.Stage = b.Stage, StageUnpaid
	}
	b.refusals++
}

// unrefuse takes that back. A bill goes on when none of its intents is refused any more.
func (n *Network) unrefuse(id settlement.IntentID) {
	if !n.refused[id] {
		return
	}
	delete(n.refused, id)
	i, ok := n.waiting[id]
	if !ok {
		return
	}
	b := n.bills[i]
	if b.refusals--; b.refusals == 0 {
		b.Stage = b.stopped
	}
}

// retire books a burn that is final: the supply falls by exactly what the chain has burned.
func (n *Network) retire(at time.Time, id settlement.IntentID, tx string) Fact {
	p, _ := n.journal.Payment(id)
	amount := tokenomics.Amount(p.Intent.Units)
	_, err := n.supply.Apply(at, tokenomics.Burned{Amount: amount, Proof: tx + "/" + id.String()[:16]})
	must(err)
	delete(n.burns, id)
	return Retired{Amount: amount, Proof: tx, Total: n.supply.Books().Total()}
}
