package staking_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// crowd returns a pool of n bonds of 200 IO, every fourth with a co-staker.
func crowd(b testing.TB, n int) *staking.Pool {
	p := staking.IONet()
	p.MaxClaims = uint32(n)
	pool, err := staking.NewPool(p)
	require.NoError(b, err)
	at := begin(100)
	apply := func(e staking.Event) {
		_, err := pool.Apply(at, e)
		require.NoError(b, err)
	}
	for i := range n {
		id := fmt.Sprintf("bond-%07d", i)
		owner := staking.HolderID(fmt.Sprintf("owner-%06d", i/8))
		apply(staking.BondOpened{Bond: staking.BondID(id), Owner: owner, MultiplierCenti: 100, GPUs: 1})
		apply(staking.Deposited{Bond: staking.BondID(id), Holder: owner, Amount: io(200)})
		if i%4 == 0 {
			apply(staking.OfferPosted{
				Offer: staking.OfferID(id), Bond: staking.BondID(id), Amount: io(100), RewardShareBps: 3_100, Expires: at.Add(time.Hour),
			})
			apply(staking.OfferAccepted{Offer: staking.OfferID(id), Holder: "fund", Amount: io(100)})
		}
	}
	return pool
}

// One epoch of rewards after the other, over all bonds in turn.
func BenchmarkRewarded(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		b.Run(fmt.Sprintf("bonds=%d", n), func(b *testing.B) {
			pool := crowd(b, n)
			ids := make([]staking.BondID, 0, n)
			for id := range pool.Bonds() {
				ids = append(ids, id)
			}
			b.ReportAllocs()
			i, epoch, hours := 0, tokenomics.Epoch(101), pool.Params().Calendar
			for b.Loop() {
				if _, err := pool.Apply(hours.StartOf(epoch+1), staking.Rewarded{Bond: ids[i], Epoch: epoch, Amount: 87_866_191}); err != nil {
					b.Fatal(err)
				}
				if i++; i == n {
					i, epoch = 0, epoch+1
				}
			}
		})
	}
}

func BenchmarkDeposited(b *testing.B) {
	p := staking.IONet()
	p.MaxLotsPerBond = 1 << 31
	pool, err := staking.NewPool(p)
	require.NoError(b, err)
	_, err = pool.Apply(begin(100), staking.BondOpened{Bond: "b", Owner: "sam", MultiplierCenti: 100, GPUs: 1})
	require.NoError(b, err)
	at := begin(100)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := pool.Apply(at, staking.Deposited{Bond: "b", Holder: "sam", Amount: 1}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAssess(b *testing.B) {
	policy := staking.DefaultTiers()
	for name, e := range map[string]staking.Evidence{"tier=4": best(), "tier=0": {}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				policy.Assess(e, when)
			}
		})
	}
}

func BenchmarkWholeState(b *testing.B) {
	const n = 100_000
	pool := crowd(b, n)
	snapshot := pool.Snapshot()
	b.Run("Digest/bonds=100k", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			pool.Digest()
		}
		b.ReportMetric(float64(len(snapshot))/n, "B/bond")
	})
	b.Run("Audit/bonds=100k", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := pool.Audit(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Restore/bonds=100k", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := staking.Restore(pool.Params(), snapshot); err != nil {
				b.Fatal(err)
			}
		}
	})
}
