package spl_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// units returns the compute units that a final transaction took.
func (b *bench) units(id string) uint64 {
	b.Helper()
	body := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"getTransaction","params":[%q,{"commitment":"finalized","maxSupportedTransactionVersion":1}]}`, id)
	resp, err := http.Post(b.URL(), "application/json", strings.NewReader(body))
	require.NoError(b, err)
	defer func() { _ = resp.Body.Close() }()
	var out struct {
		Result *struct {
			Meta struct{ ComputeUnitsConsumed uint64 }
		}
	}
	require.NoError(b, json.NewDecoder(resp.Body).Decode(&out))
	require.NotNil(b, out.Result)
	return out.Result.Meta.ComputeUnitsConsumed
}

func TestLargestBatch(t *testing.T) {
	b := newBench(t)
	own := b.open(b.token, "boss", 1000)
	vault := b.open(b.token, "vault", 1000)
	to := b.recipients(60)
	for i, row := range []struct {
		format spl.Format
		memo   bool
		from   settlement.Account
		lines  int
		bytes  int // 0: refused
		units  uint64
		fee    uint64
	}{
		{spl.V1, false, own, 0, 340, 150, 5000},
		{spl.V1, false, own, 1, 452, 226, 5000},
		{spl.V1, false, own, 59, 3236, 4634, 5000},
		{spl.V1, false, own, 60, 0, 0, 0},
		{spl.V1, false, vault, 58, 3284, 4558, 10_000},
		{spl.V1, false, vault, 59, 0, 0, 0},
		{spl.V1, true, own, 58, 0, 0, 5000},
		{spl.V1, true, own, 59, 0, 0, 0},
		{spl.Legacy, false, own, 16, 0, 0, 5000},
		{spl.Legacy, false, own, 19, 0, 0, 0},
		{spl.V0, false, own, 16, 0, 0, 5000},
	} {
		t.Run(fmt.Sprintf("%s memo=%t lines=%d from=%.4s", row.format, row.memo, row.lines, row.from), func(t *testing.T) {
			c := b.chain(spl.Config{Format: row.format, Memo: row.memo}, "vault")
			p := batch(uint32(i), b.token, row.from, to[:row.lines]...)
			tx, err := prepare(t, c, p)
			if row.fee == 0 {
				require.ErrorContains(t, err, "a transaction")
				return
			}
			require.NoError(t, err)
			send(t, c, tx)
			b.blocks(svmtest.BlocksToFinal)
			res := look(t, c, p, tx)
			require.Equal(t, settlement.Succeeded, res.Sight, "%+v", res)
			require.Equal(t, row.fee, res.Fee)
			if row.bytes > 0 {
				require.Len(t, tx.Raw, row.bytes)
				require.Equal(t, row.units, b.units(tx.ID))
			}
		})
	}
}

func TestBurnTakes126Units(t *testing.T) {
	b := newBench(t)
	own := b.open(b.token, "boss", 1000)
	c := b.chain(spl.Config{PriorityFee: 77})
	p := settlement.Batch{Lines: []settlement.Line{{Kind: settlement.Burn, Asset: b.token, From: own, Units: 10}}}
	tx, res := b.pay(c, p)
	require.Equal(t, settlement.Succeeded, res.Sight)
	require.EqualValues(t, 150+126, b.units(tx.ID), "the marker and the burn")
	require.EqualValues(t, 5077, res.Fee)
}

// TestBundle pays two assets from two owners and burns, in one transaction.
func TestBundle(t *testing.T) {
	for _, format := range []spl.Format{spl.V1, spl.V0, spl.Legacy} {
		t.Run(format.String(), func(t *testing.T) {
			b := newBench(t)
			vault, desk := b.open(b.token, "vault", 1000), b.open(b.dollar, "desk", 500)
			b.open(b.token, "desk", 0)
			ann := b.open(b.dollar, "ann", 0)
			c := b.chain(spl.Config{Format: format, Memo: true}, "vault", "desk")
			p := settlement.Batch{ID: settlement.BatchID{Epoch: 3}, Bundle: "lot", Lines: []settlement.Line{
				{Kind: settlement.Move, Asset: b.token, From: vault, To: desk, Units: 7},
				{Kind: settlement.Refund, Asset: b.dollar, From: desk, To: ann, Units: 8},
				{Kind: settlement.Burn, Asset: b.token, From: vault, Units: 9},
			}}
			tx, res := b.pay(c, p)
			require.Equal(t, settlement.Succeeded, res.Sight, "%+v", res)
			require.EqualValues(t, 15_000, res.Fee, "boss, vault and desk sign")
			b.holds(c, b.token, vault, 984)
			b.holds(c, b.token, desk, 7)
			b.holds(c, b.dollar, ann, 8)
			b.holds(c, b.dollar, desk, 492)
			f, err := c.Find(t.Context(), []settlement.Batch{p})
			require.NoError(t, err)
			require.Equal(t, settlement.Ours, f.Results[0].Origin)
			require.Equal(t, tx.ID, f.Results[0].Tx)
			require.Equal(t, p.Lines, f.Results[0].Lines)
		})
	}
}

// holds checks a final balance.
func (b *bench) holds(c *spl.Chain, a settlement.Asset, owner settlement.Account, units uint64) {
	b.Helper()
	got, err := c.Balance(b.Context(), a, owner)
	require.NoError(b, err)
	require.Equal(b, units, got)
}

// TestManyBatches prepares batches that share a sender and a payer: what one takes the next one has not.
func TestManyBatches(t *testing.T) {
	b := newBench(t)
	own := b.open(b.token, "boss", 5)
	to := b.recipients(3)
	c := b.chain(spl.Config{})
	bad := batch(2, b.token, own, "x")
	p := []settlement.Batch{batch(0, b.token, own, to...), batch(1, b.token, own, to...), bad, batch(3, b.token, own, to[:2]...), batch(4, b.token, own)}
	out, err := c.Prepare(t.Context(), p)
	require.NoError(t, err)
	require.NoError(t, out[0].Err)
	require.ErrorContains(t, out[1].Err, "holds 5 units")
	require.ErrorContains(t, out[1].Err, "and 2 that no other batch takes")
	var lines *settlement.LineError
	require.ErrorAs(t, out[2].Err, &lines)
	require.NoError(t, out[3].Err)
	require.NoError(t, out[4].Err, "a seal needs no units")
	send(t, c, out[0].Tx, out[3].Tx, out[4].Tx)
	b.blocks(svmtest.BlocksToFinal)
	for _, i := range []int{0, 3, 4} {
		require.Equal(t, settlement.Succeeded, look(t, c, p[i], out[i].Tx).Sight)
	}
	b.holds(c, b.token, own, 0)
}

func TestPayerShort(t *testing.T) {
	b := newBench(t)
	own := b.open(b.token, "boss", 1000)
	ann := b.open(b.token, "ann", 0)
	_ = own
	vault := b.open(b.token, "vault", 100)
	payer := svmtest.Address(svmtest.Key("poor"))
	require.NoError(t, b.Airdrop(t.Context(), payer, 2*650_240+2*10_000-1+650_240))
	c := b.chain(spl.Config{Payer: signer(t, "poor")}, "vault")
	out, err := c.Prepare(t.Context(), []settlement.Batch{batch(0, b.token, vault, ann), batch(1, b.token, vault, ann)})
	require.NoError(t, err)
	require.NoError(t, out[0].Err)
	require.ErrorContains(t, out[1].Err, "spl: the payer holds 660239 lamports that no other batch takes, this one takes 660240")
}

// TestRentOfMarkers asks for the rent each time: it may change between two batches.
func TestRentOfMarkers(t *testing.T) {
	b := newBench(t)
	own := b.open(b.token, "boss", 1000)
	ann := b.open(b.token, "ann", 0)
	c := b.chain(spl.Config{})
	for i, perByte := range []uint64{5080, 6960, 2575, 696, 5080} {
		require.NoError(t, b.SetRent(t.Context(), perByte))
		p := batch(uint32(i), b.token, own, ann)
		_, res := b.pay(c, p)
		require.Equal(t, settlement.Succeeded, res.Sight, "%+v", res)
		at, err := c.MarkerAddress(t.Context(), p.MarkerID())
		require.NoError(t, err)
		a, ok, err := b.AccountAt(t.Context(), at)
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, 128*perByte, a.Lamports)
	}
}

func TestLife(t *testing.T) {
	b := newBench(t)
	own := b.open(b.token, "boss", 1000)
	ann := b.open(b.token, "ann", 0)
	c := b.chain(spl.Config{})
	p := batch(0, b.token, own, ann)
	tx, err := prepare(t, c, p)
	require.NoError(t, err)
	require.Equal(t, settlement.Missing, look(t, c, p, tx).Sight)
	send(t, c, tx)
	require.Equal(t, settlement.Pending, look(t, c, p, tx).Sight)
	b.blocks(svmtest.BlocksToFinal - 1)
	require.Equal(t, settlement.Pending, look(t, c, p, tx).Sight)
	b.blocks(1)
	require.Equal(t, settlement.Succeeded, look(t, c, p, tx).Sight)

	// An attempt that never arrives can land in its last block, and not in the one after.
	p = batch(1, b.token, own, ann)
	last, err := prepare(t, c, p)
	require.NoError(t, err)
	b.blocks(149) // a confirmed blockhash is one block old
	late, err := prepare(t, c, batch(2, b.token, own, ann))
	require.NoError(t, err)
	require.Equal(t, last.LastValid+149, late.LastValid)
	send(t, c, last)
	b.blocks(svmtest.BlocksToFinal)
	require.Equal(t, settlement.Succeeded, look(t, c, p, last).Sight)
	b.blocks(150 - 1 - svmtest.BlocksToFinal + 1)
	p = batch(2, b.token, own, ann)
	send(t, c, late) // accepted without a look, and dropped
	b.blocks(svmtest.BlocksToFinal - 1)
	s, err := c.Look(t.Context(), []settlement.Attempt{{Marker: p.MarkerID(), Tx: late}})
	require.NoError(t, err)
	require.Equal(t, late.LastValid, s.Height)
	require.Equal(t, settlement.Missing, s.Results[0].Sight, "its last block is final, and the answer may be of that block")
	b.blocks(1)
	s, err = c.Look(t.Context(), []settlement.Attempt{{Marker: p.MarkerID(), Tx: late}})
	require.NoError(t, err)
	require.Equal(t, late.LastValid+1, s.Height)
	require.Equal(t, settlement.Dead, s.Results[0].Sight)
	require.GreaterOrEqual(t, s.Results[0].Context, s.Slot)
	require.Equal(t, c.Name(), s.Endpoint)
}

func TestMarkerStopsTheSecondAttempt(t *testing.T) {
	b := newBench(t)
	own := b.open(b.token, "boss", 1000)
	ann := b.open(b.token, "ann", 0)
	for _, format := range []spl.Format{spl.V1, spl.V0, spl.Legacy} {
		c := b.chain(spl.Config{Format: format, Memo: true})
		p := batch(uint32(format), b.token, own, ann)
		first, err := prepare(t, c, p)
		require.NoError(t, err)
		b.blocks(2)
		second, err := prepare(t, c, p)
		require.NoError(t, err)
		require.NotEqual(t, first.ID, second.ID)
		send(t, c, first)
		send(t, c, second)
		b.blocks(svmtest.BlocksToFinal)
		one := look(t, c, p, first)
		require.Equal(t, settlement.Succeeded, one.Sight, "%+v", one)
		res := look(t, c, p, second)
		require.Equal(t, settlement.Reverted, res.Sight)
		require.True(t, res.Failure.Marker)
		require.Empty(t, res.Failure.Faults)
		require.EqualValues(t, 150, b.units(second.ID), "nothing but the marker was tried")

		// An attempt that is missing and too old, while the marker exists, is not dead.
		b.blocks(200)
		unsent := settlement.Tx{ID: strings.Repeat("1", 64), LastValid: first.LastValid}
		require.Equal(t, settlement.Marked, look(t, c, p, unsent).Sight)
	}
}

func TestDeterministic(t *testing.T) {
	run := func() []byte {
		b := newBench(t)
		own := b.open(b.token, "boss", 1000)
		c := b.chain(spl.Config{})
		tx, err := prepare(t, c, batch(0, b.token, own, b.open(b.token, "ann", 0)))
		require.NoError(t, err)
		return tx.Raw
	}
	require.Equal(t, run(), run())
}

func TestConfigRefused(t *testing.T) {
	key := signer(t, "payer")
	for want, c := range map[string]spl.Config{
		"spl: URL is no http or https address":           {URL: "ftp://x", Payer: key},
		"spl: Payer is nil":                              {URL: "http://x"},
		`spl: Payer and Owners: spl: signer 1`:           {URL: "http://x", Payer: key, Owners: []spl.Signer{key}},
		"spl: Format is 9":                               {URL: "http://x", Payer: key, Format: 9},
		"spl: Parallel is 257":                           {URL: "http://x", Payer: key, Parallel: 257},
		"spl: MaxCreations is -1":                        {URL: "http://x", Payer: key, MaxCreations: -1},
		"spl: Timeout is -1ns":                           {URL: "http://x", Payer: key, Timeout: -1},
		`spl: OffCurve[0] is "y"`:                        {URL: "http://x", Payer: key, OffCurve: []settlement.Account{"y"}},
		"spl: Name repeats a part of the URL's path":     {URL: "http://x/secret-key", Payer: key, Name: "node secret-key"},
		"spl: Tables has 1 tables, format v1 knows none": {URL: "http://x", Payer: key, Tables: []*spl.Table{nil}},
	} {
		_, err := spl.New(c)
		require.ErrorContains(t, err, want)
	}
}
