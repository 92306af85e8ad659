package staking_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/staking"
)

// labels wants the labels that the owner and the co-staker see.
func (w world) labels(offer staking.OfferID, owner, co string) {
	w.t.Helper()
	for _, c := range []struct {
		as   staking.Role
		want string
	}{{staking.Owner, owner}, {staking.CoStaker, co}} {
		got, ok := w.Status(offer, c.as)
		require.True(w.t, ok)
		require.Equal(w.t, c.want, got.String(), "%s, as %s", offer, c.as)
	}
}

// post posts an offer of sam's.
func (w world) post(change ...func(*staking.OfferPosted)) {
	w.t.Helper()
	w.do(begin(101), offer(append(change, func(o *staking.OfferPosted) { o.Holder = "sam" })...))
}

func (w world) accept(who staking.HolderID, n uint64) {
	w.t.Helper()
	w.do(begin(102), staking.OfferAccepted{Offer: "o1", Holder: who, Amount: io(n)})
}

// The labels of an offer from its posting until its co-staker is gone.
func TestStatusCoStakerLeaves(t *testing.T) {
	w := newWorld(t)
	w.open(io(1_000))
	w.post()
	w.labels("o1", "Sufficient (Waiting for Co-Staker)", "Sufficient (Waiting for Co-Staker)")
	w.do(begin(101), staking.Requalified{Bond: "a100", MultiplierCenti: 501, GPUs: 1})
	w.labels("o1", "Insufficient (Waiting for Co-Staker)", "Insufficient (Waiting for Co-Staker)")
	w.accept("ann", 500)
	w.labels("o1", "no label", "no label")
	left := begin(110)
	w.do(left, staking.Unstaked{Bond: "a100", Holder: "ann", Offer: "o1"})
	w.labels("o1", "Sufficient (Wait Period)", "Co-Staker Unstaked (In Wait Period)")
	w.do(left.Add(7*day), staking.Ticked{})
	w.labels("o1", "In Cooldown", "In Cooldown")
	// The owner refills, and the new offer has its own labels.
	w.do(left.Add(7*day), staking.Deposited{Bond: "a100", Holder: "sam", Amount: io(2)})
	w.do(left.Add(7*day), offer(func(o *staking.OfferPosted) { o.Offer, o.Holder, o.Expires = "o2", "sam", left.Add(8*day) }))
	w.labels("o2", "Sufficient (Waiting for Co-Staker)", "Sufficient (Waiting for Co-Staker)")
	w.do(left.Add(8*day), staking.Ticked{})
	w.labels("o2", "Offer Closed", "Offer Closed")
	w.do(left.Add(21*day), staking.Ticked{})
	w.labels("o1", "In Cooldown", "In Cooldown")
	w.do(left.Add(21*day), staking.Withdrawn{Bond: "a100", Holder: "ann"})
	w.labels("o1", "Co-Staker Withdrawn", "Co-Staker Withdrawn")
}

func TestStatusOwnerLeaves(t *testing.T) {
	w := newWorld(t)
	w.open(io(1_000))
	w.post()
	w.accept("ann", 500)
	w.do(begin(110), staking.Unstaked{Bond: "a100", Holder: "sam"})
	w.labels("o1", "In Cooldown", "In Cooldown")
	w.do(begin(110).Add(14*day), staking.Ticked{})
	w.do(begin(110).Add(14*day), staking.Withdrawn{Bond: "a100", Holder: "ann"})
	w.labels("o1", "In Cooldown", "Co-Staker Withdrawn")
	w.do(begin(110).Add(14*day), staking.Withdrawn{Bond: "a100", Holder: "sam"})
	w.labels("o1", "Co-Staker Withdrawn", "Co-Staker Withdrawn")
}

// An owner whose stake cools while co-stakers' is enough is not their business.
func TestStatusOwnerCoolsAlone(t *testing.T) {
	w := newWorld(t, func(p *staking.Params) { p.MaxCoBps = 10_000 })
	w.open(io(1_000))
	w.post(func(o *staking.OfferPosted) { o.Amount = io(1_000) })
	w.accept("ann", 1_000)
	w.do(begin(110), staking.Unstaked{Bond: "a100", Holder: "sam"})
	w.labels("o1", "In Cooldown", "no label")
}

func TestStatusWaitWithoutEnough(t *testing.T) {
	w := newWorld(t)
	w.open(io(1_000))
	w.post()
	w.accept("ann", 500)
	w.do(begin(110), staking.Requalified{Bond: "a100", MultiplierCenti: 751, GPUs: 1})
	w.do(begin(110), staking.Unstaked{Bond: "a100", Holder: "ann", Offer: "o1"})
	w.labels("o1", "no label", "Co-Staker Unstaked (In Wait Period)")
}

// An offer of several fills can be open, and one of them on its way out.
func TestStatusOfSeveralFills(t *testing.T) {
	w := newWorld(t, func(p *staking.Params) { p.MaxFills = 3 })
	w.open(io(1_000))
	w.post(func(o *staking.OfferPosted) { o.MinFill, o.MaxFills = io(100), 3 })
	w.accept("ann", 100)
	w.labels("o1", "Sufficient (Waiting for Co-Staker)", "Sufficient (Waiting for Co-Staker)")
	w.do(begin(110), staking.Unstaked{Bond: "a100", Holder: "ann", Offer: "o1"})
	w.labels("o1", "Sufficient (Wait Period)", "Co-Staker Unstaked (In Wait Period)")
	w.do(begin(110), staking.OfferAccepted{Offer: "o1", Holder: "bob", Amount: io(100)})
	w.do(begin(111), staking.OfferClosed{Offer: "o1", Holder: "sam"})
	w.labels("o1", "Sufficient (Wait Period)", "Co-Staker Unstaked (In Wait Period)")
	w.do(begin(110).Add(21*day), staking.Ticked{})
	w.do(begin(110).Add(21*day), staking.Withdrawn{Bond: "a100", Holder: "ann"})
	w.labels("o1", "Offer Closed", "Offer Closed")
}

func TestStatusUnknown(t *testing.T) {
	w := newWorld(t)
	w.open(io(1_000))
	w.post()
	for _, c := range []struct {
		offer staking.OfferID
		as    staking.Role
	}{{"o2", staking.Owner}, {"o1", 0}, {"o1", 3}} {
		got, ok := w.Status(c.offer, c.as)
		require.False(t, ok)
		require.Equal(t, staking.StatusNone, got)
	}
	require.Equal(t, "status(8)", staking.Status(8).String())
}
