package staking_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// clockwork is the calendar, found once: what a benchmark measures is the pool.
var clockwork = staking.IONet().Calendar

// town is a pool of many bonds of 200 IO, each with a lot of its owner's and one of a co-staker's who fills 100 IO at 31 %.
type town struct {
	pool   *staking.Pool
	bonds  []staking.BondID
	owners []staking.HolderID
	cos    []staking.HolderID
	offers []staking.OfferID
}

func newTown(b *testing.B, bonds int) town {
	b.Helper()
	pool, err := staking.NewPool(staking.IONet())
	require.NoError(b, err)
	c := town{pool: pool}
	for i := range bonds {
		c.bonds = append(c.bonds, staking.BondID(fmt.Sprintf("bond-%07d", i)))
		c.owners = append(c.owners, staking.HolderID(fmt.Sprintf("owner-%07d", i)))
		c.cos = append(c.cos, staking.HolderID(fmt.Sprintf("co-staker-%07d", i)))
		c.offers = append(c.offers, staking.OfferID(fmt.Sprintf("offer-%07d", i)))
		c.apply(b, clockwork.StartOf(100), staking.BondOpened{Bond: c.bonds[i], Owner: c.owners[i], MultiplierCenti: 100, GPUs: 1})
		c.apply(b, clockwork.StartOf(100), staking.Deposited{Bond: c.bonds[i], Holder: c.owners[i], Amount: io(200)})
		c.apply(b, clockwork.StartOf(100), c.offer(i))
		c.apply(b, clockwork.StartOf(100), staking.OfferAccepted{Offer: c.offers[i], Holder: c.cos[i], Amount: io(100)})
	}
	return c
}

func (c town) offer(i int) staking.OfferPosted {
	return staking.OfferPosted{
		Offer: c.offers[i], Bond: c.bonds[i], Holder: c.owners[i], Amount: io(100), RewardShareBps: 3_100, Expires: clockwork.StartOf(200),
	}
}

func (c town) apply(b *testing.B, at time.Time, e staking.Event) {
	if _, err := c.pool.Apply(at, e); err != nil {
		b.Fatal(err)
	}
}

// reward rewards every bond for an epoch.
func (c town) reward(b *testing.B, e tokenomics.Epoch) {
	for _, id := range c.bonds {
		c.apply(b, clockwork.StartOf(e+1), staking.Rewarded{Bond: id, Epoch: e, Amount: 87_866_191})
	}
}

// order is the same random order in every run: what a network asks of a pool follows no order.
func order(n int) []int { return rand.New(rand.NewPCG(1, 2)).Perm(n) }

func sizes() []int { return []int{500, 50_000, 500_000} }

// size writes a number of thousands or millions.
func size(n int) string {
	if n < 1_000_000 {
		return fmt.Sprintf("%dk", n/1_000)
	}
	return fmt.Sprintf("%dM", n/1_000_000)
}

// One epoch of rewards after the other, over all bonds in random order.
func BenchmarkRewarded(b *testing.B) {
	for _, n := range []int{1_000, 100_000, 1_000_000} {
		b.Run("bonds="+size(n), func(b *testing.B) {
			c, turn := newTown(b, n), order(n)
			runtime.GC()
			b.ReportAllocs()
			i, epoch := 0, tokenomics.Epoch(101)
			for b.Loop() {
				c.apply(b, clockwork.StartOf(epoch+1), staking.Rewarded{Bond: c.bonds[turn[i]], Epoch: epoch, Amount: 87_866_191})
				if i++; i == n {
					i, epoch = 0, epoch+1
				}
			}
		})
	}
}

// perBond measures an event that each bond takes once. When all have had it, the town is built anew beside the clock.
func perBond(b *testing.B, prepare func(town), event func(c town, i int) (time.Time, staking.Event)) {
	b.Helper()
	for _, n := range sizes() {
		b.Run("lots="+size(2*n), func(b *testing.B) {
			turn := order(n)
			var c town
			b.ReportAllocs()
			i := n
			for b.Loop() {
				if i == n {
					b.StopTimer()
					c.pool = nil // before the next one is built
					c, i = newTown(b, n), 0
					prepare(c)
					runtime.GC()
					b.StartTimer()
				}
				at, e := event(c, turn[i])
				c.apply(b, at, e)
				i++
			}
		})
	}
}

func BenchmarkDeposited(b *testing.B) {
	perBond(b, func(town) {}, func(c town, i int) (time.Time, staking.Event) {
		return clockwork.StartOf(101), staking.Deposited{Bond: c.bonds[i], Holder: c.owners[i], Amount: 1}
	})
}

func BenchmarkClaimed(b *testing.B) {
	perBond(b, func(c town) { c.reward(b, 101) }, func(c town, i int) (time.Time, staking.Event) {
		return clockwork.StartOf(102), staking.Claimed{Bond: c.bonds[i], Holder: c.cos[i]}
	})
}

func BenchmarkUnstaked(b *testing.B) {
	perBond(b, func(town) {}, func(c town, i int) (time.Time, staking.Event) {
		return clockwork.StartOf(101), staking.Unstaked{Bond: c.bonds[i], Holder: c.cos[i], Offer: c.offers[i]}
	})
}

// A slash takes from the rewards of two and from the stake of the owner.
func BenchmarkInfracted(b *testing.B) {
	ids := make([]staking.EvidenceID, 500_000)
	for i := range ids {
		ids[i] = staking.EvidenceID(fmt.Sprintf("evidence-%07d", i))
	}
	perBond(b, func(c town) { c.reward(b, 101) }, func(c town, i int) (time.Time, staking.Event) {
		return clockwork.StartOf(102), staking.Infracted{Evidence: ids[i], Bond: c.bonds[i], Kind: staking.Utilisation, At: clockwork.StartOf(101), Measure: 1}
	})
}

// A fill of an offer beside another one: the requirement has doubled and the owner has filled up meanwhile.
func BenchmarkOfferAccepted(b *testing.B) {
	perBond(b, func(c town) {
		for i, id := range c.bonds {
			c.apply(b, clockwork.StartOf(101), staking.Requalified{Bond: id, MultiplierCenti: 200, GPUs: 1})
			c.apply(b, clockwork.StartOf(101), staking.Deposited{Bond: id, Holder: c.owners[i], Amount: io(200)})
			o := c.offer(i)
			o.Offer += "-2"
			c.offers[i] = o.Offer
			c.apply(b, clockwork.StartOf(101), o)
		}
	}, func(c town, i int) (time.Time, staking.Event) {
		return clockwork.StartOf(102), staking.OfferAccepted{Offer: c.offers[i], Holder: c.owners[(i+1)%len(c.owners)], Amount: io(100)}
	})
}

// A link looks at every bond, since any of them may be its owner's.
func BenchmarkWalletsLinked(b *testing.B) {
	perBond(b, func(town) {}, func(c town, i int) (time.Time, staking.Event) {
		return clockwork.StartOf(101), staking.WalletsLinked{A: "hub", B: "w" + c.cos[i]}
	})
}

// A heap of a million deadlines, which are carried out one after the other: the cost of each.
func BenchmarkTicked(b *testing.B) {
	const n = 1_000_000
	turn := order(n)
	var pool *staking.Pool
	b.Run("lots=1M", func(b *testing.B) {
		left := 0
		b.ReportAllocs()
		for b.Loop() {
			if left == 0 {
				b.StopTimer()
				pool, left = cooling(b, turn), n
				runtime.GC()
				b.StartTimer()
			}
			due, ok := pool.Next()
			effects, err := pool.Apply(due, staking.Ticked{})
			if !ok || err != nil || len(effects) != 1 {
				b.Fatal(due, len(effects), err)
			}
			left--
		}
	})
}

// cooling is a pool in which every lot cools, each in a bond of its own, in random order and to different instants: a million
// of them in a million seconds, which is less than a cooldown.
func cooling(b *testing.B, turn []int) *staking.Pool {
	b.Helper()
	pool, err := staking.NewPool(staking.IONet())
	require.NoError(b, err)
	apply := func(at time.Time, e staking.Event) {
		if _, err := pool.Apply(at, e); err != nil {
			b.Fatal(err)
		}
	}
	id := func(i int) staking.BondID { return staking.BondID(fmt.Sprintf("bond-%07d", i)) }
	for i := range turn {
		apply(clockwork.StartOf(100), staking.BondOpened{Bond: id(i), Owner: "sam", GPUs: 1})
		apply(clockwork.StartOf(100), staking.Deposited{Bond: id(i), Holder: "sam", Amount: io(200)})
	}
	for k, i := range turn {
		apply(clockwork.StartOf(100).Add(time.Duration(k)*time.Second), staking.Unstaked{Bond: id(i), Holder: "sam"})
	}
	return pool
}

func BenchmarkWholeState(b *testing.B) {
	const n = 100_000
	pool := newTown(b, n).pool
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

// What a lot takes in memory, with its part of the bond, the offer, the wallet and the names, in a pool of a million lots.
func BenchmarkMemory(b *testing.B) {
	for name, c := range map[string]struct{ bonds, lots int }{
		"lots=1M/of a bond=2":  {500_000, 2},
		"lots=1M/of a bond=50": {20_000, 50},
	} {
		b.Run(name, func(b *testing.B) {
			var perLot float64
			for b.Loop() {
				before := heap()
				pool := crowded(b, c.bonds, c.lots)
				perLot = float64(heap()-before) / float64(c.bonds*c.lots)
				runtime.KeepAlive(pool)
			}
			b.ReportMetric(perLot, "B/lot")
		})
	}
}

// heap returns the bytes in use after a collection.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// crowded is a pool of bonds with one fill each; the other lots are deposits.
func crowded(b *testing.B, bonds, lots int) *staking.Pool {
	b.Helper()
	c := newTown(b, bonds)
	for i := range bonds {
		for range lots - 2 {
			c.apply(b, clockwork.StartOf(101), staking.Deposited{Bond: c.bonds[i], Holder: c.owners[i], Amount: 1})
		}
	}
	return c.pool
}
