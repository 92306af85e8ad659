package spl_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// epoch returns payments to n wallets that have accounts, as a plan makes them.
func (b *bench) epoch(n int, from settlement.Account) []settlement.Batch {
	b.Helper()
	owners := make([]settlement.Account, n)
	for i := range owners {
		owners[i] = svmtest.Address(svmtest.Key(fmt.Sprint("supplier ", i)))
	}
	require.NoError(b, b.CreateAccounts(b.Context(), b.token, owners, 0))
	var out []settlement.Batch
	for len(owners) > 0 {
		k := min(59, len(owners))
		out = append(out, batch(uint32(len(out)), b.token, from, owners[:k]...))
		owners = owners[k:]
	}
	return out
}

// BenchmarkPrepare prepares 10,000 payouts in 170 batches on the local runtime, all calls included: the blockhash, the rent and
// 20,000 accounts the first time, 10,000 when the wallets are known.
func BenchmarkPrepare(b *testing.B) {
	w := newBench(b)
	own := w.open(w.token, "boss", 1e9)
	batches := w.epoch(10_000, own)
	for _, known := range []bool{false, true} {
		b.Run(fmt.Sprintf("payouts=10k/walletsKnown=%t", known), func(b *testing.B) {
			c := w.chain(spl.Config{})
			b.ReportAllocs()
			for b.Loop() {
				if !known {
					b.StopTimer()
					c = w.chain(spl.Config{})
					b.StartTimer()
				}
				out, err := c.Prepare(b.Context(), batches)
				require.NoError(b, err)
				for _, p := range out {
					require.NoError(b, p.Err)
				}
			}
			b.ReportMetric(10_000*float64(b.N)/b.Elapsed().Seconds(), "payouts/s")
		})
	}
}

// TestTenThousand pays 10,000 wallets once: 170 transactions, 85 lamports each.
func TestTenThousand(t *testing.T) {
	b := newBench(t)
	own := b.open(b.token, "boss", 1e9)
	batches := b.epoch(10_000, own)
	c := b.chain(spl.Config{})
	out, err := c.Prepare(t.Context(), batches)
	require.NoError(t, err)
	var attempts []settlement.Attempt
	var txs []settlement.Tx
	for i, p := range out {
		require.NoError(t, p.Err)
		attempts = append(attempts, settlement.Attempt{Marker: batches[i].MarkerID(), Tx: p.Tx})
		txs = append(txs, p.Tx)
	}
	require.Len(t, txs, 170)
	send(t, c, txs...)
	b.blocks(svmtest.BlocksToFinal)
	s, err := c.Look(t.Context(), attempts)
	require.NoError(t, err)
	fees := uint64(0)
	for _, r := range s.Results {
		require.Equal(t, settlement.Succeeded, r.Sight)
		fees += r.Fee
	}
	require.EqualValues(t, 850_000, fees)
	b.holds(c, b.token, own, 1e9-10_000)
	f, err := c.Find(t.Context(), batches)
	require.NoError(t, err)
	for i, r := range f.Results {
		require.Equal(t, txs[i].ID, r.Tx)
		require.Equal(t, batches[i].Lines, r.Lines)
	}
}

// BenchmarkFinal pays 10,000 wallets through a journal and two endpoints while a block comes every 400 ms, from the decision
// until both endpoints have told that the last payment is final.
func BenchmarkFinal(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		w := newBenchWith(b, svmtest.Config{Endpoints: 2})
		own := w.open(w.token, "boss", 1e9)
		plan := w.epoch(10_000, own)
		p := settlement.Params{Version: "bench", MaxLines: 59, Quorum: 2, Assets: []settlement.Asset{w.token}}
		j, err := settlement.NewJournal(p)
		require.NoError(b, err)
		e := settlement.Decided{Epoch: 1}
		for _, x := range plan {
			for _, l := range x.Lines {
				e.Intents = append(e.Intents, settlement.Intent{
					ID: settlement.NewIntentID(l.Kind, string(l.To)), Kind: l.Kind, Asset: l.Asset, From: l.From, To: l.To, Units: l.Units,
				})
			}
		}
		run := settlement.Runner{
			Chains: []settlement.Chain{w.chain(spl.Config{URL: w.URLs()[0]}), w.chain(spl.Config{URL: w.URLs()[1]})},
			Quorum: 2, Open: j.Open, Apply: j.Apply,
		}
		blocks := time.NewTicker(400 * time.Millisecond)
		b.StartTimer()
		_, err = j.Apply(time.Now(), e)
		require.NoError(b, err)
		for len(j.Open()) > 0 {
			_, err := run.Step(b.Context(), time.Now())
			require.NoError(b, err)
			<-blocks.C
			w.blocks(1)
		}
		b.StopTimer()
		blocks.Stop()
		require.EqualValues(b, 10_000, j.Totals(w.token).Paid)
		b.StartTimer()
	}
}
