package spl_test

import (
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// batch returns a batch of payments of one unit each.
func batch(index uint32, a settlement.Asset, from settlement.Account, to ...settlement.Account) settlement.Batch {
	b := settlement.Batch{ID: settlement.BatchID{Epoch: 1, Index: index}}
	for _, x := range to {
		b.Lines = append(b.Lines, settlement.Line{Kind: settlement.Pay, Asset: a, From: from, To: x, Units: 1})
	}
	return b
}

// look returns what the chain knows of one attempt.
func look(t testing.TB, c *spl.Chain, b settlement.Batch, tx settlement.Tx) settlement.Result {
	t.Helper()
	s, err := c.Look(t.Context(), []settlement.Attempt{{Batch: b.ID, Tx: tx}})
	require.NoError(t, err)
	require.Len(t, s.Results, 1)
	return s.Results[0]
}

// meta is what the test reads of a transaction that landed.
type meta struct {
	Meta struct {
		ComputeUnitsConsumed, Fee uint64
	}
}

func (b *bench) transaction(id string) meta {
	b.Helper()
	body := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"getTransaction","params":[%q,{"commitment":"finalized","maxSupportedTransactionVersion":1}]}`, id)
	resp, err := http.Post(b.URL(), "application/json", strings.NewReader(body))
	require.NoError(b, err)
	defer func() { _ = resp.Body.Close() }()
	var out struct{ Result *meta }
	require.NoError(b, json.NewDecoder(resp.Body).Decode(&out))
	require.NotNil(b, out.Result)
	return *out.Result
}

// recipients opens n accounts.
func (b *bench) recipients(n int) []settlement.Account {
	b.Helper()
	out := make([]settlement.Account, n)
	for i := range out {
		out[i] = b.open(b.token, fmt.Sprint("recipient ", i), 0)
	}
	return out
}

func TestLargestBatch(t *testing.T) {
	b := newBench(t)
	own := b.open(b.token, "boss", 1000)
	vault := b.open(b.token, "vault", 1000)
	to := b.recipients(60)
	c := b.chain(spl.Config{}, "vault")
	for i, row := range []struct {
		from  settlement.Account
		lines int
		bytes int // 0: refused
		units uint64
		fee   uint64
	}{
		{own, 1, 452, 226, 5000},
		{own, 59, 3236, 4634, 5000},
		{own, 60, 0, 0, 0},
		{vault, 58, 3284, 4558, 10_000},
		{vault, 59, 0, 0, 0},
	} {
		p := batch(uint32(i), b.token, row.from, to[:row.lines]...)
		tx, err := c.Prepare(t.Context(), p)
		if row.bytes == 0 {
			require.Error(t, err, "%d lines", row.lines)
			continue
		}
		require.NoError(t, err)
		require.Len(t, tx.Raw, row.bytes)
		require.NoError(t, c.Send(t.Context(), tx))
		require.NoError(t, b.Advance(t.Context(), svmtest.BlocksToFinal))
		res := look(t, c, p, tx)
		require.Equal(t, settlement.Succeeded, res.Sight, "%+v", res)
		require.Equal(t, row.fee, res.Fee)
		require.Equal(t, row.units, b.transaction(tx.ID).Meta.ComputeUnitsConsumed)
	}
}

func TestBurnTakes126Units(t *testing.T) {
	b := newBench(t)
	own := b.open(b.token, "boss", 1000)
	c := b.chain(spl.Config{PriorityFee: 77})
	p := settlement.Batch{Lines: []settlement.Line{{Kind: settlement.Burn, Asset: b.token, From: own, Units: 10}}}
	tx, err := c.Prepare(t.Context(), p)
	require.NoError(t, err)
	require.NoError(t, c.Send(t.Context(), tx))
	require.NoError(t, b.Advance(t.Context(), svmtest.BlocksToFinal))
	require.Equal(t, settlement.Succeeded, look(t, c, p, tx).Sight)
	m := b.transaction(tx.ID).Meta
	require.EqualValues(t, 150+126, m.ComputeUnitsConsumed, "the marker and the burn")
	require.EqualValues(t, 5077, m.Fee)
}

func TestLife(t *testing.T) {
	b := newBench(t)
	own := b.open(b.token, "boss", 1000)
	ann := b.open(b.token, "ann", 0)
	c := b.chain(spl.Config{})
	p := batch(0, b.token, own, ann)
	tx, err := c.Prepare(t.Context(), p)
	require.NoError(t, err)
	require.Equal(t, settlement.Result{Sight: settlement.Missing}, look(t, c, p, tx))
	require.NoError(t, c.Send(t.Context(), tx))
	require.Equal(t, settlement.Pending, look(t, c, p, tx).Sight)
	require.NoError(t, b.Advance(t.Context(), svmtest.BlocksToFinal-1))
	require.Equal(t, settlement.Pending, look(t, c, p, tx).Sight)
	require.NoError(t, b.Advance(t.Context(), 1))
	require.Equal(t, settlement.Succeeded, look(t, c, p, tx).Sight)

	// An attempt that never arrives can land in its last block, and not in the one after.
	p = batch(1, b.token, own, ann)
	last, err := c.Prepare(t.Context(), p)
	require.NoError(t, err)
	require.NoError(t, b.Advance(t.Context(), 149)) // a confirmed blockhash is one block old
	late, err := c.Prepare(t.Context(), batch(2, b.token, own, ann))
	require.NoError(t, err)
	require.Equal(t, last.LastValid+149, late.LastValid)
	require.NoError(t, c.Send(t.Context(), last))
	require.NoError(t, b.Advance(t.Context(), svmtest.BlocksToFinal))
	require.Equal(t, settlement.Succeeded, look(t, c, p, last).Sight)
	require.NoError(t, b.Advance(t.Context(), 150-1-svmtest.BlocksToFinal+1))
	p = batch(2, b.token, own, ann)
	require.NoError(t, c.Send(t.Context(), late), "accepted without a look, and dropped")
	require.NoError(t, b.Advance(t.Context(), svmtest.BlocksToFinal))
	s, err := c.Look(t.Context(), []settlement.Attempt{{Batch: p.ID, Tx: late}})
	require.NoError(t, err)
	require.Equal(t, settlement.Sighting{Height: late.LastValid + 1, Results: []settlement.Result{{Sight: settlement.Missing}}}, s)
}

func TestRecipientAtFault(t *testing.T) {
	b := newBench(t)
	vault := b.open(b.token, "vault", 1000)
	ann, bob := b.open(b.token, "ann", 0), b.open(b.token, "bob", 0)
	nobody := svmtest.Address(svmtest.Key("nobody"))
	c := b.chain(spl.Config{}, "vault")

	p := batch(0, b.token, vault, ann, nobody, "not base58 0OIl", bob)
	_, err := c.Prepare(t.Context(), p)
	var lines *settlement.LineError
	require.ErrorAs(t, err, &lines)
	require.Len(t, lines.Faults, 1, "an address that is none comes first")
	require.Equal(t, 2, lines.Faults[0].Line)
	_, err = c.Prepare(t.Context(), batch(0, b.token, vault, ann, nobody, bob))
	require.ErrorAs(t, err, &lines)
	require.Equal(t, []settlement.Fault{{Line: 1, Reason: fmt.Sprintf("recipient %q: has no token account for mint %q: one must be created first", nobody, b.token.Mint)}}, lines.Faults)

	// Frozen between signing and landing: the chain's error names the line.
	p = batch(1, b.token, vault, ann, bob)
	tx, err := c.Prepare(t.Context(), p)
	require.NoError(t, err)
	require.NoError(t, b.Freeze(t.Context(), b.boss, b.token, bob))
	require.NoError(t, c.Send(t.Context(), tx))
	require.NoError(t, b.Advance(t.Context(), svmtest.BlocksToFinal))
	res := look(t, c, p, tx)
	require.Equal(t, settlement.Reverted, res.Sight)
	require.False(t, res.Failure.Marker)
	require.Len(t, res.Failure.Faults, 1)
	require.Equal(t, 1, res.Failure.Faults[0].Line)
	require.Contains(t, res.Failure.Faults[0].Reason, "is frozen")
	_, err = c.Prepare(t.Context(), p)
	require.ErrorAs(t, err, &lines)
	require.Contains(t, lines.Faults[0].Reason, "is frozen")
	units, err := c.Balance(t.Context(), b.token, ann)
	require.NoError(t, err)
	require.Zero(t, units, "the batch failed as a whole")

	// Frozen sender: nobody's fault but ours.
	p = batch(2, b.token, vault, ann)
	tx, err = c.Prepare(t.Context(), p)
	require.NoError(t, err)
	require.NoError(t, b.Freeze(t.Context(), b.boss, b.token, vault))
	require.NoError(t, c.Send(t.Context(), tx))
	require.NoError(t, b.Advance(t.Context(), svmtest.BlocksToFinal))
	res = look(t, c, p, tx)
	require.Equal(t, settlement.Reverted, res.Sight)
	require.Empty(t, res.Failure.Faults)
	require.NotEmpty(t, res.Failure.Reason)
	_, err = c.Prepare(t.Context(), p)
	require.ErrorContains(t, err, "the sender")
	require.ErrorContains(t, err, "frozen")
}

func TestCreateMissing(t *testing.T) {
	b := newBench(t)
	own := b.open(b.token, "boss", 1000)
	c := b.chain(spl.Config{CreateMissing: true})
	var to []settlement.Account
	for i := range 25 {
		to = append(to, svmtest.Address(svmtest.Key(fmt.Sprint("newcomer ", i))))
	}
	p := batch(0, b.token, own, to...)
	_, err := c.Prepare(t.Context(), p)
	require.ErrorIs(t, err, settlement.ErrLater)
	require.ErrorContains(t, err, "25 token accounts are being made")
	_, err = c.Prepare(t.Context(), p)
	require.ErrorIs(t, err, settlement.ErrLater, "not confirmed yet")
	require.NoError(t, b.Advance(t.Context(), 1))
	tx, err := c.Prepare(t.Context(), p)
	require.NoError(t, err)
	require.NoError(t, c.Send(t.Context(), tx))
	require.NoError(t, b.Advance(t.Context(), svmtest.BlocksToFinal))
	require.Equal(t, settlement.Succeeded, look(t, c, p, tx).Sight)
	for _, a := range to {
		units, err := c.Balance(t.Context(), b.token, a)
		require.NoError(t, err)
		require.EqualValues(t, 1, units)
	}
}

// TestJournalWithCreateMissing runs the machine over accounts that have to be made.
func TestJournalWithCreateMissing(t *testing.T) {
	b := newBench(t)
	own := b.open(b.token, "boss", 1000)
	c := b.chain(spl.Config{CreateMissing: true})
	j, err := settlement.NewJournal(settlement.Params{Version: "test", MaxLines: 58, Assets: []settlement.Asset{b.token}})
	require.NoError(t, err)
	ann := svmtest.Address(svmtest.Key("ann"))
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	_, err = j.Apply(now, settlement.Decided{Epoch: 1, Intents: []settlement.Intent{{
		ID: settlement.NewIntentID(settlement.Pay, "ann"), Kind: settlement.Pay, Asset: b.token, From: own, To: ann, Units: 9,
	}}})
	require.NoError(t, err)
	r := settlement.Runner{Chain: c, Open: j.Open, Apply: j.Apply}
	for range 3 {
		_, err := r.Step(t.Context(), now)
		require.NoError(t, err)
		require.NoError(t, b.Advance(t.Context(), svmtest.BlocksToFinal))
	}
	require.Equal(t, settlement.Totals{Decided: 9, Paid: 9}, j.Totals(b.token))
}

func TestBatchRefused(t *testing.T) {
	b := newBench(t)
	vault := b.open(b.token, "vault", 10)
	ann := b.open(b.token, "ann", 0)
	c := b.chain(spl.Config{}, "vault")
	wrong := b.token
	wrong.Decimals = 6
	none := settlement.Asset{Mint: ann, Decimals: 8}
	for _, row := range []struct {
		batch settlement.Batch
		want  string
	}{
		{batch(0, wrong, vault, ann), "has 8 decimals, not 6"},
		{batch(0, none, vault, ann), "spl: no mint at"},
		{batch(0, b.dollar, vault, ann), "spl: no token account of the sender"},
		{batch(0, b.token, ann, vault), "spl: no key for the sender"},
		{batch(0, b.token, "x", vault), `spl: account "x"`},
		{batch(0, settlement.Asset{Mint: "x"}, vault, ann), `spl: mint "x"`},
		{batch(0, b.token, vault, ann, ann, ann, ann, ann, ann, ann, ann, ann, ann, ann), "holds 10 units"},
	} {
		_, err := c.Prepare(t.Context(), row.batch)
		require.ErrorContains(t, err, row.want)
	}
	_, err := c.Balance(t.Context(), b.dollar, ann)
	require.ErrorIs(t, err, spl.ErrNoAccount)
	_, err = c.Balance(t.Context(), b.dollar, "x")
	require.Error(t, err)
	_, err = c.Supply(t.Context(), none)
	require.ErrorIs(t, err, spl.ErrNoMint)
	_, err = c.Supply(t.Context(), wrong)
	require.ErrorContains(t, err, "8 decimals")
	_, err = c.Supply(t.Context(), settlement.Asset{Mint: "x"})
	require.Error(t, err)
	supply, err := c.Supply(t.Context(), b.token)
	require.NoError(t, err)
	require.EqualValues(t, 10, supply)
}

func TestConfigRefused(t *testing.T) {
	key := svmtest.Key("payer")
	for name, c := range map[string]spl.Config{
		"URL":       {URL: "ftp://x", Payer: key},
		"Payer":     {URL: "http://x"},
		"Owners[1]": {URL: "http://x", Payer: key, Owners: []ed25519.PrivateKey{key, key[:31]}},
	} {
		_, err := spl.New(c)
		require.ErrorContains(t, err, "spl: "+name)
	}
}

// TestEndpointThatIsWrong looks through endpoints that answer as broken ones have been seen to: each must be an error or
// leave the attempt alive, never dead.
func TestEndpointThatIsWrong(t *testing.T) {
	id := strings.Repeat("1", 64) // a signature of zeros
	attempt := settlement.Attempt{Batch: settlement.BatchID{Epoch: tokenomics.Epoch(1)}, Tx: settlement.Tx{ID: id, Raw: []byte{1}, LastValid: 100}}
	const info = `{"absoluteSlot":1000,"blockHeight":200,"epoch":0,"slotIndex":0,"slotsInEpoch":432000}`
	for _, row := range []struct {
		name    string
		answers map[string]string
		dead    bool
		want    string
	}{
		{"all agree", map[string]string{}, true, ""},
		{"more blocks than slots", map[string]string{"getEpochInfo": `{"absoluteSlot":1000,"blockHeight":1001,"epoch":0,"slotIndex":0,"slotsInEpoch":432000}`}, false, "block height 1001 at slot 1000"},
		{"a test validator that skipped no slot", map[string]string{"getEpochInfo": `{"absoluteSlot":1000,"blockHeight":1000,"epoch":0,"slotIndex":0,"slotsInEpoch":432000}`}, true, ""},
		{"slot given as height", map[string]string{"getEpochInfo": `{"absoluteSlot":10000001,"blockHeight":10000001,"epoch":0,"slotIndex":0,"slotsInEpoch":432000}`}, false, "block height 10000001 at slot 10000001"},
		{"statuses of an older slot", map[string]string{"getSignatureStatuses": `{"context":{"slot":999},"value":[null]}`}, false, "of slot 999"},
		{"no statuses", map[string]string{"getSignatureStatuses": `{"context":{"slot":1000},"value":[]}`}, false, "0 statuses"},
		{"no accounts", map[string]string{"getMultipleAccounts": `{"context":{"slot":1000},"value":[]}`}, false, "answered 0"},
		{"marker exists", map[string]string{"getMultipleAccounts": `{"context":{"slot":1000},"value":[{"lamports":1,"owner":"11111111111111111111111111111111","data":["","base64"],"executable":false,"rentEpoch":0}]}`}, false, ""},
		{"status final, transaction unknown", map[string]string{"getSignatureStatuses": `{"context":{"slot":1000},"value":[{"slot":5,"confirmations":null,"err":null,"confirmationStatus":"finalized"}]}`}, false, ""},
		{"transaction without outcome", map[string]string{"getTransaction": `{"slot":5,"transaction":["AA==","base64"]}`}, false, "left its outcome out"},
		{"not JSON", map[string]string{"getTransaction": `<html>`}, false, "spl: read transaction"},
	} {
		t.Run(row.name, func(t *testing.T) {
			answers := map[string]string{
				"getEpochInfo":         info,
				"getSignatureStatuses": `{"context":{"slot":1000},"value":[null]}`,
				"getTransaction":       `null`,
				"getMultipleAccounts":  `{"context":{"slot":1000},"value":[null]}`,
			}
			for k, v := range row.answers {
				answers[k] = v
			}
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				var q struct {
					ID     any
					Method string
				}
				_ = json.NewDecoder(r.Body).Decode(&q)
				id, _ := json.Marshal(q.ID)
				_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":%s}`, id, answers[q.Method])
			}))
			defer srv.Close()
			c, err := spl.New(spl.Config{URL: srv.URL, Payer: svmtest.Key("payer")})
			require.NoError(t, err)
			s, err := c.Look(t.Context(), []settlement.Attempt{attempt})
			if row.want != "" {
				require.ErrorContains(t, err, row.want)
				return
			}
			require.NoError(t, err)
			res := s.Results[0]
			require.Equal(t, row.dead, res.Sight == settlement.Missing && !res.Marker && s.Height > attempt.Tx.LastValid, "%+v", s)
		})
	}
}

func TestMarkerStopsTheSecondAttempt(t *testing.T) {
	b := newBench(t)
	own := b.open(b.token, "boss", 1000)
	ann := b.open(b.token, "ann", 0)
	c := b.chain(spl.Config{})
	p := batch(0, b.token, own, ann)
	first, err := c.Prepare(t.Context(), p)
	require.NoError(t, err)
	require.NoError(t, b.Advance(t.Context(), 2))
	second, err := c.Prepare(t.Context(), p)
	require.NoError(t, err)
	require.NotEqual(t, first.ID, second.ID)
	require.NoError(t, c.Send(t.Context(), first))
	require.NoError(t, c.Send(t.Context(), second))
	require.NoError(t, b.Advance(t.Context(), svmtest.BlocksToFinal))
	require.Equal(t, settlement.Succeeded, look(t, c, p, first).Sight)
	res := look(t, c, p, second)
	require.True(t, res.Failure.Marker)
	require.EqualValues(t, 150, b.transaction(second.ID).Meta.ComputeUnitsConsumed, "nothing but the marker was tried")

	// An attempt that is missing and too old, while the marker exists, is not dead.
	require.NoError(t, b.Advance(t.Context(), 200))
	unsent := settlement.Tx{ID: strings.Repeat("1", 64), LastValid: first.LastValid}
	require.Equal(t, settlement.Result{Sight: settlement.Missing, Marker: true}, look(t, c, p, unsent))
}

func TestDeterministic(t *testing.T) {
	run := func() []byte {
		b := newBench(t)
		own := b.open(b.token, "boss", 1000)
		c := b.chain(spl.Config{})
		tx, err := c.Prepare(t.Context(), batch(0, b.token, own, b.open(b.token, "ann", 0)))
		require.NoError(t, err)
		return tx.Raw
	}
	require.Equal(t, run(), run())
}

func BenchmarkPayout(b *testing.B) {
	w := newBench(b)
	own := w.open(w.token, "boss", 1_000_000_000)
	to := w.recipients(59)
	c := w.chain(spl.Config{})
	for _, lines := range []int{1, 59} {
		b.Run(fmt.Sprintf("lines=%d", lines), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p := batch(0, w.token, own, to[:lines]...)
				tx, err := c.Prepare(b.Context(), p)
				require.NoError(b, err)
				require.NoError(b, c.Send(b.Context(), tx))
				require.NoError(b, w.Advance(b.Context(), 1))
			}
		})
	}
}
