package spl_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gagliardetto/solana-go"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// methods are those that a Chain and a Watcher call.
var methods = []string{
	"getEpochInfo", "getLatestBlockhash", "getMinimumBalanceForRentExemption", "getMultipleAccounts", "getSignatureStatuses",
	"getSignaturesForAddress", "getTransaction", "getFirstAvailableBlock", "getBlock", "sendTransaction", "getBlockTime",
}

// oracle answers one method with what a fuzzer gives and the others with the little that a chain at block 900 has.
type oracle struct {
	*httptest.Server
	answer atomic.Pointer[fake]
}

// fake is the answer to one method: its result, or the whole body.
type fake struct {
	method string
	text   []byte
	whole  bool
	known  string // transaction that is final, in statuses and histories
}

const (
	oracleHeight = 900
	oracleSlot   = 1000
)

func newOracle(t testing.TB) *oracle {
	t.Helper()
	o := &oracle{}
	o.answer.Store(&fake{})
	o.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var c call
		_ = json.Unmarshal(body, &c)
		f := o.answer.Load()
		switch {
		case c.Method != f.method:
			_, _ = fmt.Fprintf(w, `{"id":%s,"result":%s}`, c.ID, plainAnswer(c, f.known))
		case f.whole:
			_, _ = w.Write(f.text)
		default:
			_, _ = fmt.Fprintf(w, `{"id":%s,"result":%s}`, c.ID, f.text)
		}
	}))
	t.Cleanup(o.Close)
	return o
}

// plainAnswer is what a chain answers that knows at most one transaction.
func plainAnswer(c call, known string) string {
	list := func(n int, last string) string { return strings.Repeat("null,", max(n-1, 0)) + last }
	var keys []string
	if len(c.Params) > 0 {
		_ = json.Unmarshal(c.Params[0], &keys)
	}
	switch c.Method {
	case "getEpochInfo":
		return fmt.Sprintf(`{"absoluteSlot":%d,"blockHeight":%d,"epoch":3}`, oracleSlot, oracleHeight)
	case "getLatestBlockhash":
		return fmt.Sprintf(`{"context":{"slot":%d},"value":{"blockhash":"%s","lastValidBlockHeight":%d}}`, oracleSlot, keyOf("hash"), oracleHeight+150)
	case "getMinimumBalanceForRentExemption":
		return "650240"
	case "getMultipleAccounts":
		return fmt.Sprintf(`{"context":{"slot":%d},"value":[%s]}`, oracleSlot, list(len(keys), `{"lamports":1,"owner":"11111111111111111111111111111111","data":["","base64"]}`))
	case "getSignatureStatuses":
		last := "null"
		if known != "" {
			last = `{"confirmationStatus":"finalized"}`
		}
		return fmt.Sprintf(`{"context":{"slot":%d},"value":[%s]}`, oracleSlot, list(len(keys), last))
	case "getSignaturesForAddress":
		if known != "" && !bytes.Contains(c.Params[1], []byte("before")) {
			return fmt.Sprintf(`[{"signature":%q,"slot":%d,"err":null}]`, known, oracleSlot-1)
		}
		return "[]"
	case "getFirstAvailableBlock", "getBlockTime":
		return "0"
	case "getBlock":
		return `{"blockHeight":0}`
	}
	return "null"
}

// attempt builds a signed payment of the boss with its marker, and the batch that it is of.
func (o *oracle) attempt(t testing.TB, c *spl.Chain) (settlement.Tx, settlement.Batch) {
	t.Helper()
	p := batch(0, settlement.Asset{Mint: svmtest.Address(svmtest.Key("mint")), Decimals: 8}, svmtest.Address(svmtest.Key("boss")), svmtest.Address(svmtest.Key("ann")))
	at, err := c.MarkerAddress(t.Context(), p.MarkerID())
	require.NoError(t, err)
	seed := strings.Repeat("0", 32) // the runtime would refuse it; who reads the transaction goes by the address
	raw, err := new(spl.Encoder).AppendPayout(nil, &spl.Payout{
		Format: spl.V1, Payer: keyOf("boss"), Owner: keyOf("boss"), Source: keyOf("source"), Program: solana.TokenProgramID, Mint: keyOf("mint"), Decimals: 8,
		Marker: spl.Mark{Address: solana.MustPublicKeyFromBase58(string(at)), Seed: seed, Lamports: 650_240}, Blockhash: solana.Hash(keyOf("hash")),
		ComputeUnits: 1000, Loaded: 1 << 20, Lines: []spl.Transfer{{To: keyOf("sink"), Units: 1}},
	})
	require.NoError(t, err)
	require.NoError(t, ringOf(t, "boss").Sign(t.Context(), raw))
	id, err := spl.TxID(raw)
	require.NoError(t, err)
	return settlement.Tx{ID: id, Raw: raw, LastValid: oracleHeight + 150}, p
}

// told is the answer of getTransaction for some bytes, with balances in which every account that had nothing gets rent.
func told(raw []byte, err string) []byte {
	n := 0
	if tx, fault := solana.TransactionFromBytes(raw); fault == nil {
		n = len(tx.Message.AccountKeys)
	}
	list := func(x string) string { return strings.TrimSuffix(strings.Repeat(x+",", n), ",") }
	return fmt.Appendf(nil, `{"slot":%d,"transaction":[%q,"base64"],"meta":{"err":%s,"fee":5000,"preBalances":[%s],"postBalances":[%s]}}`,
		oracleSlot-1, base64.StdEncoding.EncodeToString(raw), err, list("0"), list("650240"))
}

// everything calls all methods of the chain and checks what an answer may never lead to.
func everything(t *testing.T, c *spl.Chain, tx settlement.Tx, p settlement.Batch, f *fake) {
	t.Helper()
	s, err := c.Look(t.Context(), []settlement.Attempt{{Marker: p.MarkerID(), Tx: tx}})
	if err == nil {
		switch r := s.Results[0]; r.Sight {
		case settlement.Dead, settlement.Marked:
			require.Greater(t, s.Height, tx.LastValid, "%s %q", f.method, f.text)
			require.Equal(t, "getEpochInfo", f.method)
		case settlement.Succeeded, settlement.Reverted:
			require.True(t, bytes.Contains(f.text, []byte(base64.StdEncoding.EncodeToString(tx.Raw))), "%s %q", f.method, f.text)
		case settlement.Missing, settlement.Pending:
		}
	}
	if found, err := c.Find(t.Context(), []settlement.Batch{p}); err == nil && found.Results[0].Origin == settlement.Ours {
		require.Equal(t, "getTransaction", f.method, "%q", f.text)
	}
	if made, err := c.Prepare(t.Context(), []settlement.Batch{p}); err == nil && made[0].Err == nil {
		require.Empty(t, made[0].Tx, "there is no mint: %s %q", f.method, f.text)
	}
	_, _ = c.Reclaim(t.Context(), []settlement.MarkerID{p.MarkerID()})
	_ = c.History(t.Context(), func(settlement.Trace) error { return nil })
	_ = c.Send(t.Context(), []settlement.Tx{tx})
}

// FuzzAnswers lets one method answer anything at all, as its result or as the whole body.
func FuzzAnswers(f *testing.F) {
	o := newOracle(f)
	c, err := spl.New(spl.Config{URL: o.URL, Name: "oracle", Payer: signer(f, "boss"), Parallel: 1, CreateMissing: true})
	require.NoError(f, err)
	tx, p := o.attempt(f, c)
	deep := strings.Repeat("[", 20_000)
	for i := range methods {
		for _, text := range []string{
			"", "null", "0", "-1", "1e400", "NaN", "18446744073709551616", `""`, "[]", "[null]", "[[]]", "{}", deep, `{"context":{"slot":-5},"value":null}`,
			`{"context":{"slot":99999},"value":[{},{}]}`, `{"context":{"slot":99999},"value":[null,{"lamports":1.5,"owner":"0OIl","data":["!","base64"]}]}`,
			`[{"signature":"x","slot":9,"err":null},null]`, `{"absoluteSlot":900,"blockHeight":1000}`, `{"absoluteSlot":18446744073709551615,"blockHeight":18446744073709551614}`,
			`{"absoluteSlot":1000,"blockHeight":1000.0}`, string(told(tx.Raw, "null")), string(told(tx.Raw, `{"InstructionError":[0,{"Custom":0}]}`)),
			string(told(tx.Raw, `{"InstructionError":[255,{"Custom":-1}]}`)), string(told(tx.Raw, `{"InstructionError":[-1,[]]}`)), string(told(tx.Raw, `"AccountInUse"`)),
		} {
			f.Add(uint8(i), []byte(text), false)
		}
		f.Add(uint8(i), []byte(`{"jsonrpc":"2.0","id":1,"result":null}`), true)
		f.Add(uint8(i), []byte(`{"error":{"code":-32602,"message":"minContextSlot"}}`), true)
	}
	f.Fuzz(func(t *testing.T, method uint8, text []byte, whole bool) {
		a := &fake{method: methods[int(method)%len(methods)], text: text, whole: whole}
		if slices.Contains([]string{"getTransaction", "getMultipleAccounts"}, a.method) {
			a.known = tx.ID
		}
		o.answer.Store(a)
		everything(t, c, tx, p, a)
	})
}

// FuzzTransactions lets getTransaction give anything at all as the bytes of a transaction.
func FuzzTransactions(f *testing.F) {
	o := newOracle(f)
	c, err := spl.New(spl.Config{URL: o.URL, Name: "oracle", Payer: signer(f, "boss"), Parallel: 1})
	require.NoError(f, err)
	tx, p := o.attempt(f, c)
	o.answer.Store(&fake{method: "getTransaction", text: told(tx.Raw, "null"), known: tx.ID})
	require.Equal(f, settlement.Succeeded, look(f, c, p, tx).Sight, "the oracle can be believed")
	found, err := c.Find(f.Context(), []settlement.Batch{p})
	require.NoError(f, err)
	require.Equal(f, settlement.Ours, found.Results[0].Origin)
	f.Add(tx.Raw, "null")
	f.Add(tx.Raw, `{"InstructionError":[1,{"Custom":1}]}`)
	for _, n := range []int{0, 1, 64, 65, len(tx.Raw) / 2, len(tx.Raw) - 1} {
		f.Add(tx.Raw[:n], "null")
	}
	for i := range 40 { // the header and what counts instructions and addresses
		b := bytes.Clone(tx.Raw)
		b[i] = 0xff
		f.Add(b, "null")
	}
	f.Add(bytes.Repeat([]byte{0xff}, 4096), "null")
	f.Add(append([]byte{1}, make([]byte, 300)...), "null")
	f.Fuzz(func(t *testing.T, raw []byte, failure string) {
		if !json.Valid([]byte(failure)) {
			t.Skip()
		}
		a := &fake{method: "getTransaction", text: told(raw, failure), known: tx.ID}
		if decoded, err := solana.TransactionFromBytes(raw); err == nil && len(decoded.Signatures) > 0 {
			a.known = decoded.Signatures[0].String()
		}
		o.answer.Store(a)
		attempt := tx
		attempt.ID, attempt.Raw = a.known, nil
		_, _ = c.Look(t.Context(), []settlement.Attempt{{Marker: p.MarkerID(), Tx: attempt}})
		everything(t, c, tx, p, a)
	})
}
