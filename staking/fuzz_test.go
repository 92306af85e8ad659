package staking_test

import (
	"encoding/binary"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// Restore never panics, and what it accepts passes its audit and writes the bytes that it was read from.
func FuzzRestore(f *testing.F) {
	good := staking.Sample(f).Snapshot()
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := staking.Restore(staking.SampleParams(), b)
		if err != nil {
			return
		}
		require.NoError(t, p.Audit())
		require.Equal(t, b, p.Snapshot())
	})
}

// fuzzed is a pool with one bond of 1,000 IO and a list of fills, each from two bytes of the input: every fill is an offer
// of its own, or one of several of one offer.
func fuzzed(t *testing.T, together bool, shares []byte, change ...func(*staking.Params)) (w world, amounts, bps []uint64) {
	t.Helper()
	change = append(change, func(p *staking.Params) {
		p.MinRewardShareBps, p.MinFill, p.MaxClaims, p.MaxFills = 1, 1, 64, 64
	})
	w = newWorld(t, change...)
	w.open(io(1_000))
	sum, total := uint64(0), uint64(0)
	for i := 0; i+1 < len(shares) && i < 20; i += 2 {
		n := uint64(binary.BigEndian.Uint16(shares[i:]))
		if n > 0 && sum+n <= 10_000 {
			sum += n
			amounts, bps = append(amounts, n), append(bps, n)
			total += n
		}
	}
	if together && total > 0 {
		w.do(begin(100), post(func(o *staking.OfferPosted) {
			o.Amount, o.MinFill, o.MaxFills, o.RewardShareBps = tokenomics.Amount(total), 1, 64, uint32(sum)
		}))
	}
	for i, n := range amounts {
		id := staking.OfferID("o1")
		if !together {
			id = staking.OfferID(wallet(i))
			w.do(begin(100), post(func(o *staking.OfferPosted) {
				o.Offer, o.Amount, o.RewardShareBps = id, tokenomics.Amount(n), uint32(bps[i])
			}))
		}
		w.do(begin(100), accept(id, wallet(i), tokenomics.Amount(n)))
	}
	return w, amounts, bps
}

// exactPart returns floor(n*num/den).
func exactPart(n, num, den uint64) uint64 {
	x := new(big.Int).Mul(new(big.Int).SetUint64(n), new(big.Int).SetUint64(num))
	return x.Div(x, new(big.Int).SetUint64(den)).Uint64()
}

// A reward is divided without a rest: the owner's part and the co-stakers' are the whole. A holder with an offer of the own
// gets exactly the floor of the share; several who share one get at most a unit less than the floor of theirs, and
// nobody a unit more.
func FuzzReward(f *testing.F) {
	f.Add(uint64(87_866_191), []byte{0x0c, 0x1c}, false)
	f.Add(^uint64(0)-200_000_000_000, []byte{0x01, 0xf4, 0x13, 0x88, 0x01, 0xf5}, false)
	f.Add(uint64(1_000_000), []byte{0x03, 0xe8, 0x03, 0xe8, 0x00, 0x07}, true)
	f.Fuzz(func(t *testing.T, reward uint64, shares []byte, together bool) {
		w, amounts, bps := fuzzed(t, together, shares)
		r := staking.Rewarded{Bond: "a100", Epoch: 101, Amount: tokenomics.Amount(reward)}
		room := ^uint64(0) - uint64(w.Books().Deposits)
		if reward > room {
			w.refuse(begin(102), r, tokenomics.ErrOverflow)
			return
		}
		effects := w.do(begin(102), r)
		if reward == 0 {
			require.Empty(t, effects)
			return
		}
		got, ok := effects[0].(staking.Accrued)
		require.True(t, ok)
		require.EqualValues(t, reward, got.Owner+got.CoStakers)
		sum, total := uint64(0), uint64(0)
		for i := range amounts {
			sum += bps[i]
			total += amounts[i]
		}
		var all uint64
		for i, n := range amounts {
			claimed := uint64(w.Claimable("a100", wallet(i)))
			if !together {
				want := exactPart(reward, bps[i], 10_000)
				require.Equal(t, want, claimed)
				all += want
				continue
			}
			all = exactPart(reward, sum, 10_000)
			want := exactPart(all, n, total)
			require.LessOrEqual(t, claimed, want)
			require.GreaterOrEqual(t, claimed+1, want)
		}
		require.EqualValues(t, all, got.CoStakers)
		require.Equal(t, got.Owner, w.Claimable("a100", "sam"))
	})
}

// A slash takes what is due, or all that can be taken: what is taken and what is left are what there was, nobody loses more
// than the rules allow, the order is kept, and an appeal that is won puts back every unit.
func FuzzSlash(f *testing.F) {
	f.Add(uint64(1_000), []byte{0x0c, 0x1c, 0x01, 0x00}, uint32(400), uint32(5_000), uint64(700), false)
	f.Add(uint64(0), []byte{0x00, 0x01, 0x00, 0x01}, uint32(10_000), uint32(10_000), uint64(1), true)
	f.Add(uint64(1)<<60, []byte{0x13, 0x88}, uint32(1), uint32(0), uint64(1)<<40, true)
	f.Fuzz(func(t *testing.T, reward uint64, shares []byte, bps, maxLoss uint32, more uint64, proRata bool) {
		bps, maxLoss = bps%10_000+1, maxLoss%10_001
		w, _, _ := fuzzed(t, false, shares, func(p *staking.Params) {
			p.CoMaxLossBps, p.MaxLotsPerBond = maxLoss, 100
			p.Slashes = []staking.SlashRule{{Kind: staking.Spoofing, Steps: []staking.SlashStep{{Bps: bps}}}}
			if proRata {
				p.SlashOrder = staking.ProRata
			}
		})
		if more %= 1 << 62; more > 0 {
			w.deposit(begin(100), tokenomics.Amount(more))
		}
		w.do(begin(102), staking.Rewarded{Bond: "a100", Epoch: 101, Amount: tokenomics.Amount(reward % (1 << 62))})
		w.do(begin(103).Add(-time.Nanosecond), staking.Deposited{Bond: "a100", Holder: "sam", Amount: 77}) // after the infraction
		before, books := w.bond(), w.Books()
		w.do(begin(103), infracted("e", staking.Spoofing, begin(102), 1))
		after := w.bond()
		c, _ := w.Case("e")

		basis := before.Counted - 77
		require.Equal(t, basis, c.Basis)
		due := exactPart(uint64(basis), uint64(bps), 10_000)
		if due*10_000 != uint64(basis)*uint64(bps) {
			due++ // both products may wrap, but they differ by less than 10,000
		}
		require.EqualValues(t, due, c.Due)
		taken, could := checkTaken(t, before, after, maxLoss)
		require.Equal(t, taken, c.Taken)
		require.Equal(t, min(c.Due, could), taken, "all that is due, or all that there is")
		require.Equal(t, books.Bonded+books.Accrued, w.Books().Bonded+w.Books().Accrued+w.Books().Escrow)
		checkOrder(t, before, after, proRata)

		if len(c.Parts) == 0 {
			return
		}
		w.do(begin(104), staking.Appealed{Evidence: "e", Holder: c.Parts[0].Holder})
		w.do(begin(104), staking.AppealDecided{Evidence: "e", Won: true})
		back := w.bond()
		require.Equal(t, before, back)
		require.Equal(t, books, w.Books())
	})
}

// checkTaken compares a bond before and after a slash and returns what was taken, and what could have been.
func checkTaken(t *testing.T, before, after staking.BondView, maxLoss uint32) (taken, could tokenomics.Amount) {
	t.Helper()
	taken, could = before.OwnerEarned-after.OwnerEarned, before.OwnerEarned
	for i, l := range before.Lots {
		now := after.Lots[i]
		lost := l.Balance - now.Balance
		require.LessOrEqual(t, lost, l.Balance)
		require.Equal(t, now.Lost, lost)
		if l.BondedAt.After(begin(102)) {
			require.Zero(t, lost, "it came after the infraction")
			continue
		}
		most := l.Balance
		if l.Role == staking.CoStaker {
			most = tokenomics.Amount(exactPart(uint64(l.Bonded), uint64(maxLoss), 10_000))
			require.LessOrEqual(t, lost, most)
		}
		require.LessOrEqual(t, now.Earned, l.Earned)
		taken += lost + l.Earned - now.Earned
		could += most + l.Earned
	}
	return taken, could
}

// checkOrder checks that no stake was taken while there were rewards, and none of a co-staker's before the owner's.
func checkOrder(t *testing.T, before, after staking.BondView, proRata bool) {
	t.Helper()
	rewards, owners := after.OwnerEarned, tokenomics.Amount(0)
	for _, l := range after.Lots {
		rewards += l.Earned
		if l.Role == staking.Owner && !l.BondedAt.After(begin(102)) {
			owners += l.Balance
		}
	}
	if after.Counted < before.Counted {
		require.Zero(t, rewards)
	}
	if after.CoStake < before.CoStake && !proRata {
		require.Zero(t, owners)
	}
}
