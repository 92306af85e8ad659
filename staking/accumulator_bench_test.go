package staking_test

import (
	"math/big"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// many is how many positions an accumulator of the benchmarks has.
const many = 1_000_000

// crowd returns an accumulator with that many positions of 200 to 1,200 IO.
func crowd(b *testing.B) (*staking.Accumulator, []staking.Position) {
	b.Helper()
	r := rand.New(rand.NewPCG(3, 3))
	a, ps := new(staking.Accumulator), make([]staking.Position, many)
	for i := range ps {
		require.NoError(b, a.Set(&ps[i], io(200)+tokenomics.Amount(r.Uint64N(uint64(io(1_000))))))
	}
	b.ReportAllocs()
	return a, ps
}

// shuffled returns positions in random order, as many as a power of two, so that a mask wraps around.
func shuffled() []uint32 {
	r := rand.New(rand.NewPCG(3, 4))
	order := make([]uint32, 1<<20)
	for i := range order {
		order[i] = r.Uint32N(many)
	}
	return order
}

func BenchmarkDistribute(b *testing.B) {
	b.Run("positions=1M", func(b *testing.B) {
		a, _ := crowd(b)
		for b.Loop() {
			if a.Distribute(456_621) != nil {
				b.Fatal("refused")
			}
		}
	})
	b.Run("positions=1M/arithmetic=big", func(b *testing.B) {
		b.ReportAllocs()
		acc, carry, total := new(big.Int), new(big.Int), new(big.Int).SetUint64(uint64(io(700*many)))
		reward, q := big.NewInt(456_621), new(big.Int)
		for b.Loop() {
			n := new(big.Int).Lsh(reward, 64)
			q.QuoRem(n.Add(n, carry), total, carry)
			acc.Add(acc, q)
		}
	})
}

func BenchmarkSettle(b *testing.B) {
	b.Run("positions=1", func(b *testing.B) {
		a, ps := crowd(b)
		for b.Loop() {
			a.Settle(&ps[0])
		}
	})
	b.Run("positions=1/arithmetic=big", func(b *testing.B) {
		b.ReportAllocs()
		acc, at, shares, owed := big.NewInt(0), big.NewInt(0), new(big.Int).SetUint64(uint64(io(700))), new(big.Int)
		step := big.NewInt(1 << 40)
		for b.Loop() {
			acc.Add(acc, step)
			gain := new(big.Int).Sub(acc, at)
			owed.Add(owed, gain.Mul(gain, shares))
			at.Set(acc)
		}
	})
}

func BenchmarkClaim(b *testing.B) {
	order := shuffled()
	b.Run("positions=1M", func(b *testing.B) {
		a, ps := crowd(b)
		i := 0
		for b.Loop() {
			a.Claim(&ps[order[i&(len(order)-1)]])
			i++
		}
		b.ReportMetric(float64(unsafe.Sizeof(ps[0])), "B/position")
	})
	b.Run("positions=1M/layout=map", func(b *testing.B) {
		a, ps := crowd(b)
		byID := make(map[uint64]*staking.Position, many)
		for i := range ps {
			byID[uint64(i)] = &ps[i]
		}
		i := 0
		for b.Loop() {
			a.Claim(byID[uint64(order[i&(len(order)-1)])])
			i++
		}
	})
}

func BenchmarkSettleAll(b *testing.B) {
	b.Run("positions=1M", func(b *testing.B) {
		a, ps := crowd(b)
		for b.Loop() {
			if a.Distribute(456_621) != nil {
				b.Fatal("refused")
			}
			for i := range ps {
				a.Settle(&ps[i])
			}
		}
	})
}
