package tokenomics_test

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// checkBlock proves what the comments of DistributeBlock state.
func checkBlock(t testing.TB, d tokenomics.BlockDistribution, claims []tokenomics.PoolClaims) {
	t.Helper()
	sum := new(big.Int)
	add := func(sign int64, amounts ...tokenomics.Amount) {
		for _, a := range amounts {
			sum.Add(sum, new(big.Int).Mul(big.NewInt(sign), new(big.Int).SetUint64(uint64(a))))
		}
	}
	add(1, d.Emission, d.Brought)
	add(-1, d.Paid, d.Carried, d.Held)
	require.Zero(t, sum.Sign(), "the block conserves")
	budgets, brought, paid, carried, held, unminted := new(big.Int), d.Released, tokenomics.Amount(0), tokenomics.Amount(0), d.Released, tokenomics.Amount(0)
	for _, p := range d.Pools {
		add(1, p.Amount, p.Brought)
		add(-1, p.Paid, p.Carried, p.Held)
		require.Zero(t, sum.Sign(), "pool %s conserves", p.Pool)
		budgets.Add(budgets, new(big.Int).SetUint64(uint64(p.Amount)))
		brought, paid, carried, held, unminted = brought+p.Brought, paid+p.Paid, carried+p.Carried, held+p.Held, unminted+p.Unminted
		var c tokenomics.PoolClaims
		for _, x := range claims {
			if x.Pool == p.Pool {
				c = x
			}
		}
		require.Len(t, p.Rewards, len(c.Shares))
		total := c.Others
		for _, s := range c.Shares {
			total += s.Score
		}
		require.Equal(t, total, p.Total)
		for i, s := range c.Shares {
			require.Equal(t, s.ID, p.Rewards[i].ID)
			want := new(big.Int)
			if total > 0 {
				all := new(big.Int).SetUint64(uint64(p.Amount + p.Brought))
				want.Quo(want.Mul(all, new(big.Int).SetUint64(s.Score)), new(big.Int).SetUint64(total))
			}
			require.Equal(t, want.Uint64(), uint64(p.Rewards[i].Amount))
			add(1, p.Rewards[i].Amount)
		}
		add(-1, p.Paid)
		require.Zero(t, sum.Sign(), "the rewards of pool %s add up", p.Pool)
		require.True(t, p.Carried == 0 || p.Held == 0)
		require.True(t, p.Carried == 0 || uint64(p.Carried) < uint64(len(c.Shares)), "only dust is carried")
		if total == 0 {
			require.Equal(t, p.Amount, p.Unminted, "an empty pool is not minted")
		} else {
			require.Zero(t, p.Unminted)
		}
	}
	require.Equal(t, uint64(d.Emission), budgets.Uint64())
	require.Equal(t, []tokenomics.Amount{d.Brought, d.Paid, d.Carried, d.Held, d.Unminted},
		[]tokenomics.Amount{brought, paid, carried, held, unminted})
}

func TestDistributeBlock(t *testing.T) {
	type (
		claims = tokenomics.PoolClaims
		share  = tokenomics.Share
		carry  = tokenomics.PoolCarry
	)
	const gpu, cpu, enterprise = tokenomics.PoolGPU, tokenomics.PoolCPU, tokenomics.PoolEnterprise
	p := tokenomics.IONet().Pools
	old, later := p.Eras[0].From, p.Eras[1].From
	three := []share{{"a", 1}, {"b", 1}, {"c", 1}}
	for _, c := range []struct {
		name    string
		at      time.Time
		claims  []claims
		brought []carry
		rewards string
		sums    string // paid, carried, held, unminted, released
	}{
		{"nobody", old, nil, nil, "[] []", "0 0 100 100 0"},
		{"dust is carried", old, []claims{{gpu, three, 0}}, nil, "[26 26 26] []", "78 2 20 20 0"},
		{"dust is brought", old, []claims{{gpu, three, 0}}, []carry{{gpu, 1}}, "[27 27 27] []", "81 0 20 20 0"},
		{"the order of the lists does not matter", old, []claims{{cpu, []share{{"z", 5}}, 0}, {gpu, three, 0}}, []carry{{cpu, 7}, {gpu, 1}}, "[27 27 27] [27]", "108 0 0 0 0"},
		{"dust in an empty pool is held, and was minted", old, nil, []carry{{gpu, 1}}, "[] []", "0 0 101 100 0"},
		{"others hold the rest, dust and all", old, []claims{{gpu, three, 3}}, nil, "[13 13 13] []", "39 0 61 20 0"},
		{"others alone", old, []claims{{gpu, nil, 3}, {cpu, []share{{"z", 1}}, 0}}, nil, "[] [20]", "20 0 80 0 0"},
		{"scores of nothing", old, []claims{{gpu, []share{{"a", 0}, {"b", 0}}, 0}}, nil, "[0 0] []", "0 0 100 100 0"},
		{"one of nothing", old, []claims{{gpu, []share{{"a", 0}, {"b", 9}}, 0}}, nil, "[0 80] []", "80 0 20 20 0"},
		{"a pool that is gone", later, []claims{{enterprise, three, 0}}, []carry{{gpu, 2}}, "[31 31 31] []", "93 2 7 5 2"},
		{"its last instant", later.Add(-1), []claims{{gpu, three, 0}}, []carry{{gpu, 2}}, "[27 27 27] []", "81 1 20 20 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := p.DistributeBlock(100, c.at, c.claims, c.brought)
			require.NoError(t, err)
			checkBlock(t, d, c.claims)
			var rewards [2][]uint64
			for i, pool := range d.Pools {
				for _, w := range pool.Rewards {
					rewards[i] = append(rewards[i], uint64(w.Amount))
				}
			}
			require.Equal(t, c.rewards, fmt.Sprint(rewards[0], rewards[1]))
			require.Equal(t, c.sums, fmt.Sprint(uint64(d.Paid), uint64(d.Carried), uint64(d.Held), uint64(d.Unminted), uint64(d.Released)))
			require.Equal(t, []carry{{d.Pools[0].Pool, d.Pools[0].Carried}, {d.Pools[1].Pool, d.Pools[1].Carried}}, d.Carries())
		})
	}
}

func TestDistributeBlockRefuses(t *testing.T) {
	type (
		claims = tokenomics.PoolClaims
		share  = tokenomics.Share
		carry  = tokenomics.PoolCarry
	)
	const gpu, cpu = tokenomics.PoolGPU, tokenomics.PoolCPU
	p := tokenomics.IONet().Pools
	at := p.Eras[0].From
	for _, c := range []struct {
		name     string
		emission tokenomics.Amount
		at       time.Time
		claims   []claims
		brought  []carry
		err      error
		says     string
	}{
		{"before the first era", 1, at.Add(-1), nil, nil, tokenomics.ErrPools, "before the first era"},
		{"a pool of the other era", 1, at, []claims{{tokenomics.PoolEnterprise, nil, 0}}, nil, tokenomics.ErrShares, "no pool enterprise"},
		{"no pool", 1, at, []claims{{tokenomics.NoPool, nil, 0}}, nil, tokenomics.ErrShares, "no pool none"},
		{"unknown pool", 1, at, []claims{{5, nil, 0}}, nil, tokenomics.ErrShares, "no pool Pool(5)"},
		{"two lists", 1, at, []claims{{gpu, nil, 0}, {gpu, nil, 0}}, nil, tokenomics.ErrShares, "two lists of pool gpu"},
		{"dust twice", 1, at, nil, []carry{{gpu, 0}, {gpu, 0}}, tokenomics.ErrShares, "dust of pool gpu"},
		{"dust of no pool", 1, at, nil, []carry{{tokenomics.NoPool, 0}}, tokenomics.ErrShares, "dust of pool none"},
		{"dust of an unknown pool", 1, at, nil, []carry{{5, 0}}, tokenomics.ErrShares, "dust of pool Pool(5)"},
		{"dust beyond 64 bits", 1, at, nil, []carry{{gpu, math.MaxUint64}}, tokenomics.ErrOverflow, ""},
		{"no ID", 1, at, []claims{{gpu, []share{{"a", 1}, {"", 1}}, 0}}, nil, tokenomics.ErrShares, "share 2 has no ID"},
		{"twice in a pool", 1, at, []claims{{gpu, []share{{"a", 1}, {"b", 1}, {"a", 1}}, 0}}, nil, tokenomics.ErrShares, `two shares of "a"`},
		{"in both pools, in order", 1, at, []claims{{gpu, []share{{"a", 1}, {"c", 1}}, 0}, {cpu, []share{{"b", 1}, {"c", 1}}, 0}}, nil, tokenomics.ErrShares, `two shares of "c"`},
		{"in both pools, out of order", 1, at, []claims{{gpu, []share{{"c", 1}, {"a", 1}}, 0}, {cpu, []share{{"a", 1}}, 0}}, nil, tokenomics.ErrShares, `two shares of "a"`},
		{"scores of 65 bits", 1, at, []claims{{gpu, []share{{"a", math.MaxUint64}}, 1}}, nil, tokenomics.ErrShares, `with "a" the scores of pool gpu exceed 64 bits`},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := p.DistributeBlock(c.emission, c.at, c.claims, c.brought)
			require.ErrorIs(t, err, c.err)
			require.ErrorContains(t, err, c.says)
			require.Zero(t, d)
		})
	}
	d, err := p.DistributeBlock(1, at, nil, []carry{{gpu, math.MaxUint64 - 1}})
	require.NoError(t, err, "the largest that fits")
	require.Equal(t, tokenomics.Amount(math.MaxUint64), d.Held)
	_, err = p.DistributeBlock(0, at, []claims{{gpu, []share{{"a", math.MaxUint64 - 1}}, 1}}, nil)
	require.NoError(t, err, "the largest total")
}

// A chain of blocks across the change of pools: what was emitted is paid, carried or held, to the unit.
func FuzzDistributeBlock(f *testing.F) {
	f.Add(uint64(455_962_004_271), uint64(1), uint64(2), uint8(5))
	f.Add(uint64(7), uint64(3), uint64(4), uint8(200))
	p := tokenomics.IONet().Pools
	change := p.Eras[1].From
	f.Fuzz(func(t *testing.T, emission, a, b uint64, n uint8) {
		r := rand.New(rand.NewPCG(a, b))
		emission %= 1 << 60
		var brought []tokenomics.PoolCarry
		var paid, held tokenomics.Amount
		for hour := range 6 {
			at := change.Add(time.Duration(hour-3) * time.Hour)
			pools := []tokenomics.Pool{tokenomics.PoolGPU, tokenomics.PoolCPU}
			if hour >= 3 {
				pools = []tokenomics.Pool{tokenomics.PoolCommunity, tokenomics.PoolEnterprise}
			}
			var claims []tokenomics.PoolClaims
			for i, pool := range pools[:r.IntN(3)] {
				c := tokenomics.PoolClaims{Pool: pool, Others: uint64(r.IntN(2)*r.IntN(2)) * r.Uint64N(1<<50)}
				for k := range r.IntN(int(n) + 1) {
					id := fmt.Sprintf("%d%08x", i, k)
					if a%2 == 0 {
						id = fmt.Sprintf("%08x%d", r.Uint32(), k) // out of order
					}
					c.Shares = append(c.Shares, tokenomics.Share{ID: id, Score: r.Uint64N(1 << (1 + r.UintN(50)))})
				}
				claims = append(claims, c)
			}
			d, err := p.DistributeBlock(tokenomics.Amount(emission), at, claims, brought)
			require.NoError(t, err)
			checkBlock(t, d, claims)
			paid, held, brought = paid+d.Paid, held+d.Held, d.Carries()
		}
		require.Equal(t, 6*emission, uint64(paid+held+brought[0].Amount+brought[1].Amount))
	})
}

func BenchmarkDistributeBlock(b *testing.B) {
	p := tokenomics.IONet().Pools
	at := p.Eras[1].From
	for _, n := range []int{10_000, 1_000_000} {
		b.Run(fmt.Sprintf("devices=%d", n), func(b *testing.B) {
			r := rand.New(rand.NewPCG(9, 10))
			claims := []tokenomics.PoolClaims{{Pool: tokenomics.PoolEnterprise}, {Pool: tokenomics.PoolCommunity}}
			for i := range n {
				c := &claims[i%2]
				c.Shares = append(c.Shares, tokenomics.Share{ID: fmt.Sprintf("GPU-%08x", i), Score: 5 * (1 + r.Uint64N(100_000))})
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.DistributeBlock(455_962_004_271, at, claims, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
