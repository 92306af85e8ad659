package spl_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/gagliardetto/solana-go"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// TestAttackRent: the rent of a marker is told by one endpoint alone. With 0 the transaction would succeed and leave no marker
// behind, so that a second attempt at the batch could pay again, as it did before 0 was refused; with too much a marker would swallow the payer's lamports.
func TestAttackRent(t *testing.T) {
	b := newBench(t)
	vault, desk := b.open(b.token, "vault", 1000), b.open(b.token, "desk", 1000)
	ann := b.open(b.token, "ann", 0)
	b.chain(spl.Config{})
	l := newLiar(t, b.URL(), nil)
	c := b.chain(spl.Config{URL: l.URL, Name: "liar"}, "vault", "desk")
	one := batch(0, b.token, vault, ann)
	two := batch(1, b.token, vault, ann) // two senders take another way through the encoder
	two.Lines = append(two.Lines, settlement.Line{Kind: settlement.Pay, Asset: b.token, From: desk, To: ann, Units: 1})
	for _, rent := range []string{"0", "99999999", "500000000000", "18446744073709551615", "-1", "0.5", "1e30", "null", `"650240"`, "[]", "{}"} {
		l.tell(says("getMinimumBalanceForRentExemption", rent))
		for _, p := range []settlement.Batch{one, two, {ID: one.ID, Revision: 1}} {
			tx, err := prepare(t, c, p)
			require.Error(t, err, "rent %s, %d lines", rent, len(p.Lines))
			require.Empty(t, tx)
		}
	}
	for i, rate := range []uint64{696, 2575, 5080, 6960} { // those of the public clusters
		l.tell(says("getMinimumBalanceForRentExemption", fmt.Sprint(128*rate)))
		_, err := prepare(t, c, one)
		require.NoError(t, err, "%d", i)
	}
}

// TestAttackNamesakes: strangers may name the marker, name our payer, and fail; only who makes the account counts.
func TestAttackNamesakes(t *testing.T) {
	b := newBench(t)
	own := b.open(b.token, "boss", 1000)
	ann := b.open(b.token, "ann", 0)
	c := b.chain(spl.Config{})
	p := batch(0, b.token, own, ann)
	at := b.strangers(c, p)
	mark := solana.MustPublicKeyFromBase58(string(at))
	// Mallory names our payer and our marker in a payment to herself, before and after ours, and copies our instruction with
	// herself as the payer, which the runtime refuses: the base has not signed.
	names := give("mallory", keyOf("mallory"), 1)
	names.Accounts = append(names.Accounts, spl.Meta{Key: keyOf("boss"), Writable: true}, spl.Meta{Key: mark, Writable: true})
	b.do([]string{"mallory"}, names)
	tx, res := b.pay(c, p)
	require.Equal(t, settlement.Succeeded, res.Sight)
	b.do([]string{"mallory"}, names)
	b.do([]string{"mallory"}, give("mallory", mark, 1_000_000))
	// Our payer's key signs another purpose that names the marker, and a payment to it.
	b.do([]string{"boss"}, give("boss", mark, 1_000_000))
	b.blocks(svmtest.BlocksToFinal)
	f := find(t, c, p)
	require.Equal(t, settlement.Ours, f.Origin)
	require.Equal(t, tx.ID, f.Tx)
	require.Equal(t, p.Lines, f.Lines)
}

// TestAttackOwnPayment: a transfer of our own payer to a marker's address before any attempt is no attempt: the number is
// burnt, and no line is held paid.
func TestAttackOwnPayment(t *testing.T) {
	b := newBench(t)
	own := b.open(b.token, "boss", 1000)
	ann := b.open(b.token, "ann", 0)
	c := b.chain(spl.Config{})
	p := batch(0, b.token, own, ann)
	at := b.strangers(c, p)
	b.do([]string{"boss"}, give("boss", solana.MustPublicKeyFromBase58(string(at)), 1_000_000))
	b.blocks(svmtest.BlocksToFinal)
	require.NotEqual(t, settlement.Ours, find(t, c, p).Origin)
	_, res := b.pay(c, p)
	require.True(t, res.Failure.Marker)
	require.NotEqual(t, settlement.Ours, find(t, c, p).Origin)
	p.Marker = 1
	_, res = b.pay(c, p)
	require.Equal(t, settlement.Succeeded, res.Sight)
	b.holds(c, b.token, ann, 1)
}

// TestAttackPruned: a history that has lost the beginning never tells that a marker was not made, or was made by a stranger.
func TestAttackPruned(t *testing.T) {
	b := newBench(t)
	own := b.open(b.token, "boss", 1000)
	ann := b.open(b.token, "ann", 0)
	b.chain(spl.Config{})
	l := newLiar(t, b.URL(), nil)
	c := b.chain(spl.Config{URL: l.URL, Name: "pruned"})
	p := batch(0, b.token, own, ann)
	at := b.strangers(c, p)
	_, res := b.pay(c, p)
	require.Equal(t, settlement.Succeeded, res.Sight)
	b.do([]string{"mallory"}, give("mallory", solana.MustPublicKeyFromBase58(string(at)), 1_000_000))
	b.blocks(svmtest.BlocksToFinal)
	_, err := c.Reclaim(t.Context(), []settlement.MarkerID{p.MarkerID()})
	require.NoError(t, err)
	b.blocks(svmtest.BlocksToFinal)
	whole := 0
	var rows []json.RawMessage
	l.tell(func(c call, was json.RawMessage) (json.RawMessage, []byte) {
		if c.Method == "getSignaturesForAddress" && whole == 0 {
			require.NoError(t, json.Unmarshal(was, &rows))
			whole = len(rows)
		}
		return was, nil
	})
	require.Equal(t, settlement.Ours, find(t, c, p).Origin)
	require.Equal(t, 3, whole, "made, funded, reclaimed")
	for keep := 1; keep < whole; keep++ {
		first := true
		l.tell(func(c call, was json.RawMessage) (json.RawMessage, []byte) {
			if c.Method != "getSignaturesForAddress" {
				return was, nil
			}
			if !first {
				return json.RawMessage("[]"), nil
			}
			first = false
			out, err := json.Marshal(rows[:keep])
			require.NoError(t, err)
			return out, nil
		})
		require.Equal(t, settlement.Unclear, find(t, c, p).Origin, "the newest %d of %d", keep, whole)
	}
}

// TestAttackPages: a page of a history that is longer than what was asked for is refused, before anything of it is kept.
func TestAttackPages(t *testing.T) {
	b := newBench(t)
	l := newLiar(t, b.URL(), nil)
	c := b.chain(spl.Config{URL: l.URL, Name: "liar"})
	page := make([]map[string]any, 1001)
	for i := range page {
		page[i] = map[string]any{"signature": fmt.Sprint(i), "slot": 1, "err": "no"}
	}
	text, err := json.Marshal(page)
	require.NoError(t, err)
	l.tell(says("getSignaturesForAddress", string(text)))
	_, err = c.Find(t.Context(), []settlement.Batch{{ID: settlement.BatchID{Epoch: 1}}})
	require.ErrorContains(t, err, "1001 rows")
}

// TestAttackBlockhash: an endpoint may give a blockhash of another chain, or one that has been used up. Such an attempt never
// lands, is buried, and the next one pays.
func TestAttackBlockhash(t *testing.T) {
	b := newBench(t)
	own := b.open(b.token, "boss", 1000)
	ann := b.open(b.token, "ann", 0)
	b.chain(spl.Config{})
	l := newLiar(t, b.URL(), nil)
	c := b.chain(spl.Config{URL: l.URL, Name: "liar"})
	p := batch(0, b.token, own, ann)
	l.tell(changes(t, "getLatestBlockhash", func(m map[string]any) {
		m["value"].(map[string]any)["blockhash"] = svmtest.Address(svmtest.Key("another chain"))
	}))
	tx, err := prepare(t, c, p)
	require.NoError(t, err)
	_ = c.Send(t.Context(), []settlement.Tx{tx})
	l.tell(nil)
	b.blocks(150)
	require.Equal(t, settlement.Missing, look(t, c, p, tx).Sight)
	b.blocks(svmtest.BlocksToFinal + 2)
	require.Equal(t, settlement.Dead, look(t, c, p, tx).Sight)
	_, res := b.pay(c, p)
	require.Equal(t, settlement.Succeeded, res.Sight)
	b.holds(c, b.token, ann, 1)
}

// late keeps what is sent through it back.
type late struct {
	*spl.Chain
	kept []settlement.Tx
	open bool
}

func (l *late) Send(ctx context.Context, txs []settlement.Tx) error {
	if l.open {
		return l.Chain.Send(ctx, txs)
	}
	l.kept = append(l.kept, txs...)
	return nil
}

// TestAttackEarlyDeath: the endpoint that gives the blockhash says that it is used up at once. Both endpoints then hold attempt
// after attempt dead, in good faith, and all of them land late, the last one first. Consensus pays once, and the journal learns
// which one it was.
func TestAttackEarlyDeath(t *testing.T) {
	b := newBenchWith(t, svmtest.Config{Endpoints: 2})
	own := b.open(b.token, "boss", 1000)
	ann, bob := b.open(b.token, "ann", 0), b.open(b.token, "bob", 0)
	b.chain(spl.Config{})
	l := newLiar(t, b.URL(), func(c call, was json.RawMessage) (json.RawMessage, []byte) {
		if c.Method != "getLatestBlockhash" || len(c.Params) == 0 {
			return was, nil
		}
		var m struct {
			Context json.RawMessage `json:"context"`
			Value   struct {
				Blockhash            string `json:"blockhash"`
				LastValidBlockHeight uint64 `json:"lastValidBlockHeight"`
			} `json:"value"`
		}
		require.NoError(t, json.Unmarshal(was, &m))
		m.Value.LastValidBlockHeight -= 150
		out, err := json.Marshal(m)
		require.NoError(t, err)
		return out, nil
	})
	lying := &late{Chain: b.chain(spl.Config{URL: l.URL, Name: "liar"})}
	honest := &late{Chain: b.chain(spl.Config{URL: b.URLs()[1]})}
	j, err := settlement.NewJournal(settlement.Params{Version: "attack", MaxLines: 10, Quorum: 2, Assets: []settlement.Asset{b.token}})
	require.NoError(t, err)
	now := time.Unix(1_800_000_000, 0)
	var in []settlement.Intent
	for i, to := range []settlement.Account{ann, bob} {
		cause := fmt.Sprint("hour ", i)
		in = append(in, settlement.Intent{ID: settlement.NewIntentID(settlement.Pay, cause), Kind: settlement.Pay, Asset: b.token, From: own, To: to, Units: 7, Cause: cause})
	}
	_, err = j.Apply(now, settlement.Decided{Epoch: 1, Intents: in})
	require.NoError(t, err)
	step := func() {
		run := settlement.Runner{Chains: []settlement.Chain{lying, honest}, Quorum: 2, Open: j.Open, Apply: j.Apply, Probes: j.Probes}
		_, err := run.Step(t.Context(), now)
		require.NoError(t, err)
		require.NoError(t, j.Audit())
	}
	for range 3 {
		step()
		b.blocks(svmtest.BlocksToFinal + 2)
	}
	entry, _ := j.Batch(settlement.BatchID{Epoch: 1})
	require.Len(t, entry.Attempts, 2, "the next one is made by the other endpoint")
	require.Equal(t, "expired", entry.Attempts[0].Outcome, "an early death")
	kept := slices.Concat(lying.kept, honest.kept)
	slices.Reverse(kept)
	lying.open, honest.open = true, true
	for _, tx := range kept {
		_ = honest.Send(t.Context(), []settlement.Tx{tx})
		b.blocks(1)
	}
	for range 4 {
		b.blocks(svmtest.BlocksToFinal + 2)
		step()
	}
	b.holds(honest.Chain, b.token, ann, 7)
	b.holds(honest.Chain, b.token, bob, 7)
	require.Equal(t, settlement.Totals{Decided: 14, Paid: 14}, j.Totals(b.token))
	report, err := settlement.Reconcile(t.Context(), j, honest)
	require.NoError(t, err)
	for _, d := range report.Differences {
		require.Empty(t, d.Batch, "%s", d.Text)
	}
}

// TestAttackBody: what is compressed, endless or deep is given up at a bound, and the endpoint is named.
func TestAttackBody(t *testing.T) {
	var bomb bytes.Buffer
	z, err := gzip.NewWriterLevel(&bomb, gzip.BestSpeed)
	require.NoError(t, err)
	for range 65 {
		_, err := z.Write(bytes.Repeat([]byte(" "), 1<<20))
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	for name, answer := range map[string]http.HandlerFunc{
		"larger than 67108864 bytes": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes())
		},
		"no JSON-RPC": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(bytes.Repeat([]byte(`{"result":`), 20_000))
		},
		"deadline exceeded": func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte(`{"jsonrpc":"2.0",`))
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(answer)
			defer s.Close()
			config := spl.Config{URL: s.URL, Name: "mallory", Payer: signer(t, "boss")}
			if name == "deadline exceeded" {
				config.Timeout = time.Millisecond
			}
			c, err := spl.New(config)
			require.NoError(t, err)
			_, err = c.Look(t.Context(), nil)
			require.ErrorContains(t, err, name)
			require.ErrorContains(t, err, "mallory")
		})
	}
}
