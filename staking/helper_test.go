package staking_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// io returns whole tokens.
func io(n uint64) tokenomics.Amount { return tokenomics.Amount(n * tokenomics.UnitsPerToken) }

// begin returns the instant at which an epoch of io.net begins.
func begin(e tokenomics.Epoch) time.Time { return staking.IONet().Calendar.StartOf(e) }

// world is a pool under test. Its helpers fail the test where a step that is no part of the behaviour under test fails.
type world struct {
	*staking.Pool
	t testing.TB
}

func newWorld(t testing.TB, change ...func(*staking.Params)) world {
	t.Helper()
	p := staking.IONet()
	for _, f := range change {
		f(&p)
	}
	pool, err := staking.NewPool(p)
	require.NoError(t, err)
	return world{pool, t}
}

// do applies an event that must succeed, and audits.
func (w world) do(at time.Time, e staking.Event) []staking.Effect {
	w.t.Helper()
	effects, err := w.Apply(at, e)
	require.NoError(w.t, err)
	require.NoError(w.t, w.Audit())
	return effects
}

// tick carries out every deadline up to an instant.
func (w world) tick(at time.Time) []staking.Effect {
	w.t.Helper()
	return w.do(at, staking.Ticked{})
}

// refuse applies an event that must fail with the given error and change nothing.
func (w world) refuse(at time.Time, e staking.Event, want error) error {
	w.t.Helper()
	before := w.Digest()
	effects, err := w.Apply(at, e)
	require.ErrorIs(w.t, err, want)
	require.Nil(w.t, effects)
	require.Equal(w.t, before, w.Digest(), "a refused event changed the state")
	return err
}

// open opens a bond of one processor of multiplier 5 (1,000 IO) for sam in epoch 100 and deposits.
func (w world) open(deposits ...tokenomics.Amount) {
	w.t.Helper()
	w.do(begin(100), staking.BondOpened{Bond: "a100", Owner: "sam", MultiplierCenti: 500, GPUs: 1})
	for _, n := range deposits {
		w.do(begin(100), staking.Deposited{Bond: "a100", Holder: "sam", Amount: n})
	}
}

// offer is an offer on the bond of open that is within all limits.
func offer(change ...func(*staking.OfferPosted)) staking.OfferPosted {
	o := staking.OfferPosted{Offer: "o1", Bond: "a100", Holder: "sam", Amount: io(500), RewardShareBps: 3_100, Expires: begin(200)}
	for _, f := range change {
		f(&o)
	}
	return o
}
