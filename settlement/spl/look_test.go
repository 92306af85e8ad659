package spl_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// TestEndpointThatIsWrong looks through endpoints that answer as broken ones have been seen to: each must be an error or
// leave the attempt alive, never dead.
func TestEndpointThatIsWrong(t *testing.T) {
	id := strings.Repeat("1", 64) // a signature of zeros
	attempt := settlement.Attempt{Marker: settlement.MarkerID{Batch: settlement.BatchID{Epoch: 1}}, Tx: settlement.Tx{ID: id, Raw: []byte{1}, LastValid: 100}}
	info := func(slot, height uint64) string {
		return fmt.Sprintf(`{"absoluteSlot":%d,"blockHeight":%d,"epoch":0,"slotIndex":0,"slotsInEpoch":432000}`, slot, height)
	}
	const account = `{"lamports":1,"owner":"11111111111111111111111111111111","data":["","base64"],"executable":false,"rentEpoch":0,"space":0}`
	for _, row := range []struct {
		name    string
		method  string
		answer  string
		sight   settlement.Sight
		want    string // the error
		without bool   // the node refuses minContextSlot
	}{
		{"all agree", "", "", settlement.Dead, "", false},
		{"all agree, on an old node", "", "", settlement.Dead, "", true},
		{"the last block is not over", "getEpochInfo", info(900, 100), settlement.Missing, "", false},
		{"more blocks than slots", "getEpochInfo", info(1000, 1001), 0, "block height 1001 at slot 1000", false},
		{"a test validator that skipped no slot", "getEpochInfo", info(1000, 1000), settlement.Dead, "", false},
		{"slot given as height", "getEpochInfo", info(10_000_001, 10_000_001), 0, "block height 10000001 at slot 10000001", false},
		{"no slot", "getEpochInfo", `{}`, 0, "block height 0 at slot 0", false},
		{"statuses of an older slot", "getSignatureStatuses", `{"context":{"slot":999},"value":[null]}`, 0, "of slot 999", false},
		{"statuses of an older slot, on an old node", "getSignatureStatuses", `{"context":{"slot":999},"value":[null]}`, 0, "of slot 999", true},
		{"no statuses", "getSignatureStatuses", `{"context":{"slot":1000},"value":[]}`, 0, "0 statuses", false},
		{"status not final", "getSignatureStatuses", `{"context":{"slot":1000},"value":[{"slot":5,"confirmations":3,"err":null,"confirmationStatus":"confirmed"}]}`, settlement.Pending, "", false},
		{"status of an unknown level", "getSignatureStatuses", `{"context":{"slot":1000},"value":[{"slot":5,"err":null}]}`, settlement.Pending, "", false},
		{"status final, transaction unknown", "getSignatureStatuses", `{"context":{"slot":1000},"value":[{"slot":5,"confirmations":null,"err":null,"confirmationStatus":"finalized"}]}`, settlement.Pending, "", false},
		{"no accounts", "getMultipleAccounts", `{"context":{"slot":1000},"value":[]}`, 0, "answered 0", false},
		{"no account at all", "getMultipleAccounts", `{"context":{"slot":1000},"value":[null,null]}`, 0, "does not know the clock", false},
		{"accounts of an older slot", "getMultipleAccounts", `{"context":{"slot":999},"value":[null,` + account + `]}`, 0, "as of slot 999", false},
		{"marker exists", "getMultipleAccounts", `{"context":{"slot":1000},"value":[` + account + `,` + account + `]}`, settlement.Marked, "", false},
		{"transaction without outcome", "getTransaction", `{"slot":5,"transaction":["AA==","base64"]}`, 0, "its outcome is left out", false},
		{"bytes that are no transaction", "getTransaction", `{"slot":5,"transaction":["AA==","base64"],"meta":{}}`, 0, "do not decode", false},
		{"bytes in another encoding", "getTransaction", `{"slot":5,"transaction":["AA==","base58"],"meta":{}}`, 0, "want base64", false},
		{"a transaction as an object", "getTransaction", `{"slot":5,"transaction":{},"meta":{}}`, 0, "want base64", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			answers := map[string]string{
				"getEpochInfo":         info(1000, 200),
				"getSignatureStatuses": `{"context":{"slot":1000},"value":[null]}`,
				"getTransaction":       `null`,
				"getMultipleAccounts":  `{"context":{"slot":1000},"value":[null,` + account + `]}`,
			}
			if row.method != "" {
				answers[row.method] = row.answer
			}
			node := newLiar(t, "", func(c call, _ json.RawMessage) (json.RawMessage, []byte) {
				if row.without && strings.Contains(fmt.Sprintf("%s", c.Params), "minContextSlot") {
					return refuses(c.Method, -32602, "Invalid params")(c, nil)
				}
				return json.RawMessage(answers[c.Method]), nil
			})
			c, err := spl.New(spl.Config{URL: node.URL, Payer: signer(t, "payer")})
			require.NoError(t, err)
			s, err := c.Look(t.Context(), []settlement.Attempt{attempt})
			if row.want != "" {
				require.ErrorContains(t, err, row.want)
				return
			}
			require.NoError(t, err)
			require.Equal(t, row.sight, s.Results[0].Sight, "%+v", s)
			require.GreaterOrEqual(t, s.Results[0].Context, s.Slot)
		})
	}
}

// TestTransactionThatIsNotOurs has an endpoint that answers with another transaction, or another outcome's bytes.
func TestTransactionThatIsNotOurs(t *testing.T) {
	b := newBench(t)
	own := b.open(b.token, "boss", 1000)
	ann := b.open(b.token, "ann", 0)
	node := newLiar(t, b.URL(), nil)
	c := b.chain(spl.Config{URL: node.URL})
	p, q := batch(0, b.token, own, ann), batch(1, b.token, own, ann)
	tx, _ := b.pay(c, p)
	other, _ := b.pay(c, q)
	node.tell(func(x call, was json.RawMessage) (json.RawMessage, []byte) {
		if x.Method == "getTransaction" {
			_ = json.Unmarshal(x.Params[0], new(string))
			x.Params[0], _ = json.Marshal(other.ID)
		}
		return was, nil
	})
	require.Equal(t, settlement.Succeeded, look(t, c, p, tx).Sight)
	forged := tx
	forged.Raw = append([]byte(nil), tx.Raw...)
	forged.Raw[50]++
	_, err := c.Look(t.Context(), []settlement.Attempt{{Marker: p.MarkerID(), Tx: forged}})
	require.ErrorContains(t, err, "other bytes than ours")
	_, err = c.Look(t.Context(), []settlement.Attempt{{Tx: settlement.Tx{ID: "short"}}})
	require.ErrorContains(t, err, `spl: attempt "short"`)

	node.tell(changes(t, "getTransaction", func(r map[string]any) { r["meta"].(map[string]any)["preBalances"] = []int{1} }))
	_, err = c.Look(t.Context(), []settlement.Attempt{{Marker: p.MarkerID(), Tx: tx}})
	require.ErrorContains(t, err, "addresses with 1 and")
	node.tell(changes(t, "getTransaction", func(r map[string]any) {
		m := r["meta"].(map[string]any)
		m["postBalances"] = m["preBalances"]
	}))
	_, err = c.Look(t.Context(), []settlement.Attempt{{Marker: p.MarkerID(), Tx: tx}})
	require.ErrorContains(t, err, "has succeeded, but it has not made marker 1/0/0")
	_, err = c.Look(t.Context(), []settlement.Attempt{{Marker: q.MarkerID(), Tx: tx}})
	require.ErrorContains(t, err, "has succeeded, but it has not made marker 1/0/1")
	// SIMD-0290: it has failed, cost nothing and left no log.
	node.tell(changes(t, "getTransaction", func(r map[string]any) {
		m := r["meta"].(map[string]any)
		m["err"], m["fee"], m["logMessages"] = "InsufficientFundsForFee", 0, []string{}
	}))
	res := look(t, c, p, tx)
	require.Equal(t, settlement.Reverted, res.Sight)
	require.Zero(t, res.Fee)
	require.Equal(t, settlement.Failure{Reason: `"InsufficientFundsForFee": the payer could not pay the fee, and was not charged`}, res.Failure)
	// A status that is forgotten while the transaction is known.
	node.tell(func(x call, was json.RawMessage) (json.RawMessage, []byte) {
		if x.Method == "getSignatureStatuses" {
			return json.RawMessage(`{"context":{"slot":999999999},"value":[null]}`), nil
		}
		return was, nil
	})
	require.Equal(t, settlement.Missing, look(t, c, p, tx).Sight, "it could still land, as far as this endpoint knows")
	b.blocks(200)
	require.Equal(t, settlement.Succeeded, look(t, c, p, tx).Sight)
	// Both are forgotten: the marker still says that somebody paid.
	node.tell(func(x call, was json.RawMessage) (json.RawMessage, []byte) {
		switch x.Method {
		case "getSignatureStatuses":
			return json.RawMessage(`{"context":{"slot":999999999},"value":[null]}`), nil
		case "getTransaction":
			return json.RawMessage("null"), nil
		}
		return was, nil
	})
	require.Equal(t, settlement.Marked, look(t, c, p, tx).Sight)
}

// TestManyAttempts looks at more attempts than one call takes, of all fates, and gives each its own result.
func TestManyAttempts(t *testing.T) {
	b := newBench(t)
	own := b.open(b.token, "boss", 1_000_000)
	ann := b.open(b.token, "ann", 0)
	c := b.chain(spl.Config{})
	var batches []settlement.Batch
	for i := range 600 {
		batches = append(batches, batch(uint32(i), b.token, own, ann))
	}
	prepared, err := c.Prepare(t.Context(), batches)
	require.NoError(t, err)
	var sent []settlement.Tx
	var attempts []settlement.Attempt
	for i, p := range prepared {
		require.NoError(t, p.Err)
		attempts = append(attempts, settlement.Attempt{Marker: batches[i].MarkerID(), Tx: p.Tx})
		if i%3 == 0 {
			sent = append(sent, p.Tx)
		}
	}
	send(t, c, sent...)
	b.blocks(svmtest.BlocksToFinal)
	s, err := c.Look(t.Context(), attempts)
	require.NoError(t, err)
	b.blocks(150)
	late, err := c.Look(t.Context(), attempts)
	require.NoError(t, err)
	for i := range attempts {
		want, later := settlement.Missing, settlement.Dead
		if i%3 == 0 {
			want, later = settlement.Succeeded, settlement.Succeeded
		}
		require.Equal(t, want, s.Results[i].Sight, "%d", i)
		require.Equal(t, later, late.Results[i].Sight, "%d", i)
	}
}

// TestPlausibleBlockhash refuses a blockhash whose last block cannot be right.
func TestPlausibleBlockhash(t *testing.T) {
	b := newBench(t)
	own := b.open(b.token, "boss", 1000)
	ann := b.open(b.token, "ann", 0)
	node := newLiar(t, b.URL(), nil)
	c := b.chain(spl.Config{URL: node.URL})
	for _, row := range []struct {
		last uint64
		want string
	}{{447_552_100, "want at most 300 more"}, {3, "want at most 300 more"}, {250, ""}} {
		node.tell(changes(t, "getLatestBlockhash", func(r map[string]any) { r["value"].(map[string]any)["lastValidBlockHeight"] = row.last }))
		_, err := prepare(t, c, batch(0, b.token, own, ann))
		if row.want == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, row.want)
		}
	}
	node.tell(changes(t, "getLatestBlockhash", func(r map[string]any) { r["context"].(map[string]any)["slot"] = 5 }))
	_, err := prepare(t, c, batch(0, b.token, own, ann))
	require.ErrorContains(t, err, "a blockhash of slot 5")
}

// TestNonceAttempt looks at an attempt with a nonce: it is dead when a final block has another value, and never by height.
func TestNonceAttempt(t *testing.T) {
	b := newBench(t)
	value, err := b.CreateNonce(t.Context(), b.boss, svmtest.Key("nonce"), svmtest.Address(b.boss))
	require.NoError(t, err)
	c := b.chain(spl.Config{})
	at := svmtest.Address(svmtest.Key("nonce"))
	attempt := settlement.Attempt{Tx: settlement.Tx{ID: strings.Repeat("1", 64), Nonce: settlement.Nonce{Account: at, Value: value}}}
	see := func() settlement.Result {
		s, err := c.Look(t.Context(), []settlement.Attempt{attempt})
		require.NoError(t, err)
		require.GreaterOrEqual(t, s.Results[0].Context, s.Slot)
		return s.Results[0]
	}
	b.blocks(300)
	r := see()
	require.Equal(t, settlement.Missing, r.Sight, "it does not expire")
	require.Equal(t, value, r.Nonce)
	b.do([]string{"boss"}, spl.Advance{Account: keyOf("nonce"), Authority: keyOf("boss")}.Instruction())
	b.blocks(svmtest.BlocksToFinal - 2)
	require.Equal(t, settlement.Missing, see().Sight, "the advance is not final")
	b.blocks(2)
	r = see()
	require.Equal(t, settlement.Dead, r.Sight)
	require.NotEmpty(t, r.Nonce)
	require.NotEqual(t, value, r.Nonce)
	attempt.Tx.Nonce.Account = svmtest.Address(svmtest.Key("nobody"))
	r = see()
	require.Equal(t, settlement.Missing, r.Sight, "an account that is not there proves nothing")
	require.Empty(t, r.Nonce)
	attempt.Tx.Nonce.Account = "x"
	_, err = c.Look(t.Context(), []settlement.Attempt{attempt})
	require.ErrorContains(t, err, `spl: account "x"`)
}
