package staking_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// arena is a pool with the wallets around it: it follows what every wallet has paid in and got out, by the effects alone,
// so that an attack can be judged by what its wallets own in the end and not by what the pool says of them.
type arena struct {
	*staking.Pool
	t    testing.TB
	cash map[staking.HolderID]int64 // may be negative: what was paid in
}

func newArena(t testing.TB, change ...func(*staking.Params)) *arena {
	t.Helper()
	p := staking.IONet()
	for _, f := range change {
		f(&p)
	}
	pool, err := staking.NewPool(p)
	require.NoError(t, err)
	return &arena{Pool: pool, t: t, cash: map[staking.HolderID]int64{}}
}

// pass carries out every deadline up to an instant, each at its own time.
func (a *arena) pass(at time.Time) {
	a.t.Helper()
	for {
		next, ok := a.Next()
		if !ok || next.After(at) {
			return
		}
		effects, err := a.Apply(next, staking.Ticked{})
		require.NoError(a.t, err)
		a.book(effects)
	}
}

// try applies an event after all deadlines before it.
func (a *arena) try(at time.Time, e staking.Event) ([]staking.Effect, error) {
	a.t.Helper()
	a.pass(at)
	before := a.Digest()
	effects, err := a.Apply(at, e)
	if err != nil {
		require.Equal(a.t, before, a.Digest(), "a refused event changed the state")
	}
	a.book(effects)
	require.NoError(a.t, a.Audit())
	return effects, err
}

func (a *arena) do(at time.Time, e staking.Event) []staking.Effect {
	a.t.Helper()
	effects, err := a.try(at, e)
	require.NoError(a.t, err)
	return effects
}

func (a *arena) refuse(at time.Time, e staking.Event, want error) {
	a.t.Helper()
	_, err := a.try(at, e)
	require.ErrorIs(a.t, err, want)
}

func (a *arena) book(effects []staking.Effect) {
	for _, e := range effects {
		switch e := e.(type) {
		case staking.Locked:
			a.cash[e.Holder] -= int64(e.Amount)
		case staking.Released:
			a.cash[e.Holder] += int64(e.Amount)
		case staking.Paid:
			a.cash[e.Holder] += int64(e.Amount)
		case staking.Compensated:
			a.cash[e.Holder] += int64(e.Amount)
		case staking.Unlocking, staking.Matured, staking.Accrued, staking.Underbonded, staking.OfferEnded,
			staking.Slashed, staking.Restored, staking.Burned:
		}
	}
}

// worth is what wallets have gained since the beginning: cash, stake in any state, and what they can claim. What lies in
// escrow is lost unless it comes back.
func (a *arena) worth(holders ...staking.HolderID) int64 {
	var sum int64
	for _, h := range holders {
		sum += a.cash[h]
		if v, ok := a.Holder(h); ok {
			sum += int64(v.Bonded)
		}
		for id := range a.Bonds() {
			sum += int64(a.Claimable(id, h))
		}
	}
	return sum
}

// leave has every one of the wallets unstake, wait, withdraw and claim, as far as the pool lets it.
func (a *arena) leave(at time.Time, holders ...staking.HolderID) {
	a.t.Helper()
	const day = 24 * time.Hour
	for _, wait := range []time.Duration{0, 10 * day, 60 * day} {
		now := at.Add(wait)
		for id, b := range a.Bonds() {
			for _, l := range b.Lots {
				_, _ = a.try(now, staking.Unstaked{Bond: id, Holder: l.Holder, Offer: l.Offer})
			}
			for _, h := range holders {
				_, _ = a.try(now, staking.Withdrawn{Bond: id, Holder: h})
				_, _ = a.try(now, staking.Claimed{Bond: id, Holder: h})
			}
		}
	}
}

// device opens a bond of one A100 (1,000 IO) and has its owner deposit.
func (a *arena) device(at time.Time, id staking.BondID, owner staking.HolderID, deposit tokenomics.Amount) {
	a.t.Helper()
	a.do(at, staking.BondOpened{Bond: id, Owner: owner, MultiplierCenti: 500, GPUs: 1})
	a.do(at, staking.Deposited{Bond: id, Holder: owner, Amount: deposit})
}

// market posts an offer of the bond's owner and has the holder fill it.
func (a *arena) market(at time.Time, id staking.OfferID, bond staking.BondID, n tokenomics.Amount, bps uint32, by staking.HolderID) {
	a.t.Helper()
	b, ok := a.Bond(bond)
	require.True(a.t, ok)
	a.do(at, staking.OfferPosted{
		Offer: id, Bond: bond, Holder: b.Owner, Amount: n, RewardShareBps: bps, Expires: at.Add(time.Hour),
	})
	a.do(at, staking.OfferAccepted{Offer: id, Holder: by, Amount: n})
}

// spoofed is evidence of a fraud, which costs everything that can be taken.
func spoofed(id staking.EvidenceID, bond staking.BondID, at time.Time) staking.Infracted {
	return staking.Infracted{Evidence: id, Bond: bond, Kind: staking.Spoofing, At: at, Measure: 1}
}

// busy is evidence of a busy idle device, which costs one percent.
func busy(id staking.EvidenceID, bond staking.BondID, at time.Time) staking.Infracted {
	return staking.Infracted{Evidence: id, Bond: bond, Kind: staking.Utilisation, At: at, Measure: 1}
}

// taken sums up what a slash took.
func taken(effects []staking.Effect) (stake, rewards tokenomics.Amount) {
	for _, e := range effects {
		if s, ok := e.(staking.Slashed); ok {
			stake += s.Stake
			rewards += s.Rewards
		}
	}
	return stake, rewards
}
