package staking_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// cut divides n at random into k parts, each at least 1.
func cut(r *rand.Rand, n tokenomics.Amount, k int) []tokenomics.Amount {
	parts := make([]tokenomics.Amount, k)
	for i := range parts {
		parts[i] = 1
	}
	for rest := n - tokenomics.Amount(k); rest > 0; {
		x := min(rest, tokenomics.Amount(1+r.Uint64N(uint64(n)/2+1)))
		parts[r.IntN(k)] += x
		rest -= x
	}
	return parts
}

// shared plays some epochs of a device on which parts of one person's stake, each in a wallet of its own, stand beside a
// stranger's fill. It returns what the parts earned together, and what a slash took of them.
func shared(t *testing.T, parts []tokenomics.Amount, stranger tokenomics.Amount, rewards []tokenomics.Amount, oneWallet bool) (earned, lost int64) {
	var all tokenomics.Amount
	for _, n := range parts {
		all += n
	}
	a := newArena(t, func(p *staking.Params) {
		p.MinFill, p.MaxFills, p.MaxClaims, p.MaxOffersPerBond, p.SlashOrder, p.CoMaxLossBps = 1, 64, 64, 64, staking.ProRata, 10_000
		p.Slashes[0].Steps = []staking.SlashStep{{Bps: 137}}
	})
	a.device(begin(100), "d", "sam", io(1_000))
	a.do(begin(100), staking.OfferPosted{
		Offer: "o", Bond: "d", Holder: "sam", Amount: all + stranger, MinFill: 1, MaxFills: 64, RewardShareBps: 3_701, Expires: begin(200),
	})
	wallets := make([]staking.HolderID, len(parts))
	for i, n := range parts {
		wallets[i] = staking.HolderID(fmt.Sprint("eve", i))
		a.do(begin(100), staking.OfferAccepted{Offer: "o", Holder: wallets[i], Amount: n})
		if oneWallet && i > 0 {
			a.do(begin(100), staking.WalletsLinked{A: wallets[0], B: wallets[i]})
		}
	}
	a.do(begin(100), staking.OfferAccepted{Offer: "o", Holder: "ann", Amount: stranger})
	for i, n := range rewards {
		e := tokenomics.Epoch(101 + i)
		a.do(begin(e+1), staking.Rewarded{Bond: "d", Epoch: e, Amount: n})
		if i%3 == 1 { // some claim often, and gain nothing by it
			for _, w := range wallets {
				_, _ = a.try(begin(e+1), staking.Claimed{Bond: "d", Holder: w})
			}
		}
	}
	earned = a.worth(wallets...)
	for _, h := range append([]staking.HolderID{"sam", "ann"}, wallets...) { // what is taken of rewards is another question
		_, _ = a.try(begin(300), staking.Claimed{Bond: "d", Holder: h})
	}
	a.do(begin(300), spoofed("x", "d", begin(299)))
	return earned, earned - a.worth(wallets...)
}

// One person behind k wallets earns no more than behind one, and no less is taken.
func TestSplittingIdentities(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		n, k := tokenomics.Amount(1+r.Uint64N(1_000_000)), 2+r.IntN(9)
		n += tokenomics.Amount(k)
		stranger := tokenomics.Amount(1 + r.Uint64N(1_000_000))
		rewards := make([]tokenomics.Amount, 1+r.IntN(9))
		for i := range rewards {
			rewards[i] = tokenomics.Amount(r.Uint64N(1_000_000))
		}
		whole, wholeLost := shared(t, []tokenomics.Amount{n}, stranger, rewards, false)
		split, splitLost := shared(t, cut(r, n, k), stranger, rewards, r.IntN(2) == 0)
		require.LessOrEqual(t, split, whole, "seed %d", seed)
		require.GreaterOrEqual(t, splitLost, wholeLost-1, "seed %d", seed) // the odd unit of a division moves, and no more
	}
}

// One operator with one bond of k processors, or with k bonds of one under k names, is paid and slashed the same: rewards
// come by device, and a slash is rounded up once for each bond.
func TestSplittingOperators(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 2))
		k := uint32(2 + r.IntN(7))
		reward := tokenomics.Amount(r.Uint64N(1_000_000))
		play := func(owners []staking.HolderID, gpus uint32) int64 {
			a := newArena(t)
			weights := make([]uint64, len(owners))
			for i := range weights {
				weights[i] = 1
			}
			parts, err := tokenomics.Split(reward, weights)
			require.NoError(t, err)
			for i, o := range owners {
				bond := staking.BondID(fmt.Sprint("d", i))
				a.do(begin(100), staking.BondOpened{Bond: bond, Owner: o, MultiplierCenti: 225, GPUs: gpus})
				a.do(begin(100), staking.Deposited{Bond: bond, Holder: o, Amount: io(450) * tokenomics.Amount(gpus)})
			}
			for i := range owners {
				a.do(begin(102), staking.Rewarded{Bond: staking.BondID(fmt.Sprint("d", i)), Epoch: 101, Amount: parts[i]})
				a.do(begin(102), busy(staking.EvidenceID(fmt.Sprint(i)), staking.BondID(fmt.Sprint("d", i)), begin(101)))
			}
			return a.worth(owners...)
		}
		many := make([]staking.HolderID, k)
		for i := range many {
			many[i] = staking.HolderID(fmt.Sprint("eve", i))
		}
		require.LessOrEqual(t, play(many, 1), play([]staking.HolderID{"eve"}, k), "seed %d", seed)
	}
}

// Offers between own wallets, posted, filled in parts, left and posted anew, change nothing of what they get together.
func TestWashingOffers(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 3))
		wallets := []staking.HolderID{"eve", "eve1", "eve2", "eve3"}
		a := newArena(t, func(p *staking.Params) {
			p.MinFill, p.MaxFills, p.MaxOffersPerBond, p.MaxClaims, p.CoWait = 1, 8, 4, 64, time.Duration(r.IntN(3))*time.Hour
		})
		a.device(begin(100), "d", "eve", io(1_000))
		var rewarded int64
		for e := tokenomics.Epoch(101); e < 200; e++ {
			at := begin(e).Add(time.Duration(r.Int64N(int64(time.Hour))))
			offer := staking.OfferID(fmt.Sprint(r.IntN(40)))
			for range r.IntN(4) {
				switch r.IntN(4) {
				case 0:
					_, _ = a.try(at, staking.OfferPosted{
						Offer: offer, Bond: "d", Holder: "eve", Amount: tokenomics.Amount(1 + r.Uint64N(500)), MinFill: 1, MaxFills: 1 + r.Uint32N(8),
						RewardShareBps: 500 + r.Uint32N(3_000), Expires: at.Add(time.Duration(1+r.IntN(9)) * time.Hour),
					})
				case 1:
					_, _ = a.try(at, staking.OfferAccepted{
						Offer: offer, Holder: wallets[1+r.IntN(3)], Amount: tokenomics.Amount(1 + r.Uint64N(500)),
					})
				case 2:
					_, _ = a.try(at, staking.Unstaked{Bond: "d", Holder: wallets[1+r.IntN(3)], Offer: offer})
				case 3:
					_, _ = a.try(at, staking.Claimed{Bond: "d", Holder: wallets[r.IntN(4)]})
				}
			}
			n := tokenomics.Amount(r.Uint64N(1_000_000))
			if _, err := a.try(begin(e+1), staking.Rewarded{Bond: "d", Epoch: e, Amount: n}); err == nil {
				rewarded += int64(n)
			}
		}
		require.LessOrEqual(t, a.worth(wallets...), rewarded, "seed %d", seed)
		a.leave(begin(200), wallets...)
		require.Equal(t, rewarded, a.cash["eve"]+a.cash["eve1"]+a.cash["eve2"]+a.cash["eve3"], "seed %d: nothing is left in the pool", seed)
		require.Zero(t, a.Books().Accrued)
	}
}

// Whenever a fill comes and goes, it earns its part of the epochs that it stood through from beginning to end, and of no
// other: the exact part, in fractions, is never exceeded.
func TestTimingStake(t *testing.T) {
	const amount, bps = 1_000_000, 2_999
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 4))
		in := begin(105).Add(time.Duration(r.Int64N(int64(4 * time.Hour))))
		if r.IntN(2) == 0 {
			in = begin(tokenomics.Epoch(105 + r.IntN(4))).Add(time.Duration(r.IntN(3) - 1)) // at a boundary, or a nanosecond beside it
		}
		out := in.Add(time.Duration(r.Int64N(int64(6 * time.Hour))))
		if r.IntN(2) == 0 {
			out = begin(tokenomics.Epoch(110 + r.IntN(4))).Add(time.Duration(r.IntN(3) - 1))
		}
		lag := time.Duration(r.IntN(4)) * time.Hour // rewards come late
		stake := tokenomics.Amount(1 + r.Uint64N(amount))
		a := newArena(t, func(p *staking.Params) { p.MinFill, p.MaxFills = 1, 2 })
		a.device(begin(100), "d", "sam", io(1_000))
		fair := new(big.Rat)
		e := tokenomics.Epoch(101)
		until := func(at time.Time) {
			for ; !begin(e + 1).Add(lag).After(at); e++ {
				n := tokenomics.Amount(r.Uint64N(100_000_000))
				a.do(begin(e+1).Add(lag), staking.Rewarded{Bond: "d", Epoch: e, Amount: n})
				if begin(e).After(in) && !begin(e+1).After(out) {
					part := new(big.Rat).SetFrac(new(big.Int).SetUint64(uint64(n)*bps), big.NewInt(10_000))
					fair.Add(fair, part.Mul(part, new(big.Rat).SetFrac64(int64(stake), amount)))
				}
			}
		}
		until(in)
		a.do(in, staking.OfferPosted{
			Offer: "o", Bond: "d", Holder: "sam", Amount: amount, MinFill: 1, MaxFills: 2, RewardShareBps: bps, Expires: in.Add(time.Hour),
		})
		a.do(in, staking.OfferAccepted{Offer: "o", Holder: "eve", Amount: stake})
		until(out)
		a.do(out, staking.Unstaked{Bond: "d", Holder: "eve", Offer: "o"})
		until(begin(140))
		got := new(big.Rat).SetInt64(a.worth("eve"))
		require.LessOrEqual(t, got.Cmp(fair), 0, "seed %d: %s, fair is %s", seed, got.FloatString(3), fair.FloatString(3))
		// Two roundings down for each epoch, and the claim.
		least := new(big.Rat).Sub(fair, big.NewRat(2*12+1, 1))
		require.GreaterOrEqual(t, got.Cmp(least), 0, "seed %d: %s, fair is %s", seed, got.FloatString(3), fair.FloatString(3))
	}
}
