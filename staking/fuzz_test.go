package staking_test

import (
	"encoding/binary"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// Restore never panics, and what it accepts passes its audit and writes the bytes that it was read from.
func FuzzRestore(f *testing.F) {
	w := sample(f)
	good := w.Snapshot()
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := staking.Restore(w.Params(), b)
		if err != nil {
			return
		}
		require.NoError(t, p.Audit())
		require.Equal(t, b, p.Snapshot())
	})
}

// Random event lists agree with the oracle, pass the audit after every event, and change nothing where they are refused.
func FuzzApply(f *testing.F) {
	for seed := range uint64(4) {
		f.Add(seed, uint16(50))
	}
	f.Fuzz(func(t *testing.T, seed uint64, n uint16) {
		play(t, newGenerator(seed), int(n%500), map[string]int{})
	})
}

// A reward is divided without a rest, and the co-stakers together get the floor of their shares, whatever the numbers.
func FuzzReward(f *testing.F) {
	f.Add(uint64(87_866_191), []byte{0x0c, 0x1c})
	f.Add(^uint64(0), []byte{0x01, 0xf4, 0x13, 0x88, 0x01, 0xf5})
	f.Fuzz(func(t *testing.T, reward uint64, shares []byte) {
		w := newWorld(t, func(p *staking.Params) { p.MinRewardShareBps, p.MinFill, p.MaxClaims = 1, 1, 64 })
		w.open(io(1_000))
		sum := uint64(0)
		for i := 0; i+1 < len(shares) && i < 20; i += 2 {
			bps := uint64(binary.BigEndian.Uint16(shares[i:])) % 10_001
			id := staking.OfferID(rune('a' + i))
			o := offer(func(o *staking.OfferPosted) { o.Offer, o.Amount, o.RewardShareBps = id, 1, uint32(bps) })
			if bps == 0 || sum+bps > 10_000 {
				w.refuse(begin(100), o, staking.ErrRewardShare)
				continue
			}
			sum += bps
			w.do(begin(100), o)
			w.do(begin(100), staking.OfferAccepted{Offer: id, Holder: staking.HolderID(id), Amount: 1})
		}
		var owner, co tokenomics.Amount
		for _, e := range w.do(begin(102), staking.Rewarded{Bond: "a100", Epoch: 101, Amount: tokenomics.Amount(reward)}) {
			paid, ok := e.(staking.Paid)
			require.True(t, ok)
			require.Positive(t, paid.Amount)
			if paid.Role == staking.Owner {
				owner += paid.Amount
			} else {
				co += paid.Amount
			}
		}
		want := new(big.Int).Mul(new(big.Int).SetUint64(reward), new(big.Int).SetUint64(sum))
		require.Equal(t, want.Div(want, big.NewInt(10_000)).Uint64(), uint64(co))
		require.Equal(t, reward, uint64(owner+co))
	})
}
