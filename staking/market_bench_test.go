package staking_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/staking"
)

// One page of 20 out of 10,000 open offers, with an outlook for each.
func BenchmarkMarket(b *testing.B) {
	b.Run("offers=10k", func(b *testing.B) {
		pool, err := staking.NewPool(staking.IONet())
		require.NoError(b, err)
		for i := range 10_000 {
			id, owner := fmt.Sprintf("b%05d", i), staking.HolderID(fmt.Sprintf("o%05d", i))
			for _, e := range []staking.Event{
				staking.BondOpened{Bond: staking.BondID(id), Owner: owner, MultiplierCenti: 500, GPUs: 1},
				staking.Deposited{Bond: staking.BondID(id), Holder: owner, Amount: io(1_000)},
				staking.OfferPosted{
					Offer: staking.OfferID(id), Bond: staking.BondID(id), Holder: owner, Amount: io(500),
					RewardShareBps: 500 + uint32(i%9_000), Expires: begin(200),
				},
			} {
				_, err := pool.Apply(begin(100), e)
				require.NoError(b, err)
			}
		}
		outlook := func(staking.BondID) (staking.Outlook, bool) { return earns(1_000_000), true }
		b.ReportAllocs()
		for b.Loop() {
			page, err := pool.Market(staking.Query{Holder: "ann", Limit: 20, HurdlePPM: 80_000}, outlook)
			if err != nil || len(page) != 20 {
				b.Fatal("no page")
			}
		}
	})
}
