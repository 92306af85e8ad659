package staking_test

import (
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// days returns a span of so many times 24 hours.
func days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }

// post is an offer of sam's on the bond of world.open that is within all limits.
func post(change ...func(*staking.OfferPosted)) staking.OfferPosted {
	o := offer(change...)
	if o.Holder == "" {
		o.Holder = "sam"
	}
	return o
}

// pass carries out all deadlines up to an instant.
func (w world) pass(at time.Time) []staking.Effect {
	w.t.Helper()
	return w.do(at, staking.Ticked{})
}

// refuseShort applies an event that must fail for want of stake and change nothing.
func (w world) refuseShort(at time.Time, e staking.Event, want staking.ShortStakeError) {
	w.t.Helper()
	before := w.Digest()
	effects, err := w.Apply(at, e)
	var short *staking.ShortStakeError
	require.ErrorAs(w.t, err, &short)
	require.Equal(w.t, want, *short)
	require.Nil(w.t, effects)
	require.Equal(w.t, before, w.Digest(), "a refused event changed the state")
}

// deposit bonds stake of sam's on the bond of world.open.
func (w world) deposit(at time.Time, n tokenomics.Amount) []staking.Effect {
	w.t.Helper()
	return w.do(at, staking.Deposited{Bond: "a100", Holder: "sam", Amount: n})
}

// sell posts an offer, on the bond of world.open if it says nothing else, and has it filled at once by one holder.
func (w world) sell(at time.Time, by staking.HolderID, change ...func(*staking.OfferPosted)) {
	w.t.Helper()
	o := post(change...)
	w.do(at, o)
	w.do(at, staking.OfferAccepted{Offer: o.Offer, Holder: by, Amount: o.Amount})
}

// shared opens the bond of world.open with 1,000 IO of sam's (lot 1) and 500 IO of ann's at 31 % (lot 2), all in epoch 100.
func (w world) shared(change ...func(*staking.OfferPosted)) {
	w.t.Helper()
	w.open(io(1_000))
	w.sell(begin(100), "ann", change...)
}

// bond returns the bond of world.open.
func (w world) bond() staking.BondView {
	w.t.Helper()
	b, ok := w.Bond("a100")
	require.True(w.t, ok)
	return b
}

// lot returns a lot of the bond of world.open; the zero value if it has left.
func (w world) lot(id staking.LotID) staking.LotView {
	w.t.Helper()
	for _, l := range w.bond().Lots {
		if l.ID == id {
			return l
		}
	}
	return staking.LotView{}
}

// reward rewards the bond of world.open at the end of an epoch.
func (w world) reward(e tokenomics.Epoch, n tokenomics.Amount) []staking.Effect {
	w.t.Helper()
	return w.do(begin(e+1), staking.Rewarded{Bond: "a100", Epoch: e, Amount: n})
}

// requalify changes the multiplier of the bond of world.open, in hundredths.
func (w world) requalify(at time.Time, centi uint32, table bool) []staking.Effect {
	w.t.Helper()
	return w.do(at, staking.Requalified{Bond: "a100", MultiplierCenti: centi, GPUs: 1, TableChanged: table})
}

// leave unstakes the fill of an offer of the bond of world.open, or the owner's lots if the offer is empty.
func leave(holder staking.HolderID, offer staking.OfferID) staking.Unstaked {
	return staking.Unstaked{Bond: "a100", Holder: holder, Offer: offer}
}

// underbonded is a shortage of the bond of world.open.
func underbonded(have, need tokenomics.Amount, deadline time.Time) staking.Effect {
	return staking.Underbonded{Bond: "a100", Have: have, Need: need, Deadline: deadline}
}

// unlocking is a step of a lot of the bond of world.open on its way out.
func unlocking(l staking.LotView, s staking.LotState, until time.Time, forced bool) staking.Effect {
	return staking.Unlocking{
		Bond: "a100", Holder: l.Holder, Role: l.Role, Lot: l.ID, Amount: l.Balance, State: s, Until: until, Forced: forced,
	}
}
