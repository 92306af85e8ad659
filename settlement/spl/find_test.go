package spl_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/gagliardetto/solana-go"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// find returns what the chain knows of the making of one marker.
func find(t testing.TB, c *spl.Chain, b settlement.Batch) settlement.Finding {
	t.Helper()
	f, err := c.Find(t.Context(), []settlement.Batch{b})
	require.NoError(t, err)
	require.Len(t, f.Results, 1)
	require.Equal(t, c.Name(), f.Endpoint)
	require.GreaterOrEqual(t, f.Results[0].Context, f.Slot)
	require.GreaterOrEqual(t, f.Slot, f.Height)
	require.Greater(t, f.LastValid, f.Height)
	return f.Results[0]
}

// strangers gives a stranger lamports and returns the address of a batch's marker.
func (b *bench) strangers(c *spl.Chain, p settlement.Batch) settlement.Account {
	b.Helper()
	require.NoError(b, b.Airdrop(b.Context(), svmtest.Address(svmtest.Key("mallory")), 1e9))
	at, err := c.MarkerAddress(b.Context(), p.MarkerID())
	require.NoError(b, err)
	return at
}

func TestFindOurs(t *testing.T) {
	for _, format := range []spl.Format{spl.V1, spl.V0, spl.Legacy} {
		t.Run(format.String(), func(t *testing.T) {
			b := newBench(t)
			vault := b.open(b.token, "vault", 1000)
			to := b.recipients(4)
			c := b.chain(spl.Config{Format: format, PriorityFee: 5, Memo: true}, "vault")
			whole := batch(0, b.token, vault, to...)
			whole.Lines[1].Kind, whole.Lines[2].Units = settlement.Refund, 30
			part := whole
			part.Revision, part.Lines = 2, []settlement.Line{whole.Lines[0], whole.Lines[2]}
			require.Equal(t, settlement.Finding{Origin: settlement.Never, Context: find(t, c, whole).Context}, find(t, c, whole))
			tx, err := prepare(t, c, part)
			require.NoError(t, err)
			send(t, c, tx)
			b.blocks(svmtest.BlocksToFinal - 1)
			require.Equal(t, settlement.Never, find(t, c, whole).Origin, "it is not final")
			b.blocks(1)
			f := find(t, c, whole)
			require.Equal(t, settlement.Ours, f.Origin)
			require.Equal(t, tx.ID, f.Tx)
			require.EqualValues(t, 10_005, f.Fee)
			require.Equal(t, part.Lines, f.Lines, "what it carried, and not what was planned")
			// A plan that was lost knows no line: the chain tells them all the same, as payments.
			f = find(t, c, settlement.Batch{ID: whole.ID})
			require.Equal(t, part.Lines, f.Lines)

			// A recipient that gives the account away afterwards keeps the name that was paid.
			b.reown(b.token, "recipient 0", "buyer")
			b.blocks(svmtest.BlocksToFinal)
			require.Equal(t, part.Lines, find(t, c, whole).Lines)

			// An attempt that was refused by the marker changes nothing.
			second, err := prepare(t, c, settlement.Batch{ID: whole.ID, Lines: whole.Lines[3:]})
			require.NoError(t, err)
			send(t, c, second)
			b.blocks(svmtest.BlocksToFinal)
			require.Equal(t, tx.ID, find(t, c, whole).Tx)

			// Nor does a stranger who funds it too late, or a reclaim.
			at := b.strangers(c, whole)
			require.NoError(t, b.TransferLamports(t.Context(), svmtest.Key("mallory"), at, 1_000_000))
			b.blocks(svmtest.BlocksToFinal)
			require.Equal(t, tx.ID, find(t, c, whole).Tx)
			_, err = c.Reclaim(t.Context(), []settlement.MarkerID{whole.MarkerID()})
			require.NoError(t, err)
			b.blocks(svmtest.BlocksToFinal)
			f = find(t, c, whole)
			require.Equal(t, settlement.Ours, f.Origin)
			require.Equal(t, tx.ID, f.Tx)
		})
	}
}

func TestFindSeal(t *testing.T) {
	b := newBench(t)
	own := b.open(b.token, "boss", 1000)
	ann := b.open(b.token, "ann", 0)
	c := b.chain(spl.Config{})
	p := batch(0, b.token, own, ann)
	late, err := prepare(t, c, p)
	require.NoError(t, err)
	seal, res := b.pay(c, settlement.Batch{ID: p.ID, Revision: 1})
	require.Equal(t, settlement.Succeeded, res.Sight)
	f := find(t, c, p)
	require.Equal(t, settlement.Ours, f.Origin)
	require.Equal(t, seal.ID, f.Tx)
	require.Empty(t, f.Lines)
	send(t, c, late) // what was signed before the seal can land no more
	b.blocks(svmtest.BlocksToFinal)
	res = look(t, c, p, late)
	require.True(t, res.Failure.Marker)
	b.holds(c, b.token, ann, 0)
}

func TestFindTheirs(t *testing.T) {
	b := newBench(t)
	own := b.open(b.token, "boss", 1000)
	ann := b.open(b.token, "ann", 0)
	c := b.chain(spl.Config{})
	p := batch(0, b.token, own, ann)
	at := b.strangers(c, p)

	// Naming the address is not making it.
	b.do([]string{"boss"}, spl.Instruction{
		Program:  solana.SystemProgramID,
		Accounts: []spl.Meta{{Key: keyOf("boss"), Signer: true, Writable: true}, {Key: keyOf("mallory"), Writable: true}, {Key: solana.MustPublicKeyFromBase58(string(at))}},
		Data:     []byte{2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0},
	})
	b.blocks(svmtest.BlocksToFinal)
	require.Equal(t, settlement.Never, find(t, c, p).Origin)

	require.NoError(t, b.TransferLamports(t.Context(), svmtest.Key("mallory"), at, 1_000_000))
	require.Equal(t, settlement.Never, find(t, c, p).Origin, "it is not final")
	b.blocks(svmtest.BlocksToFinal)
	f := find(t, c, p)
	require.Equal(t, settlement.Theirs, f.Origin)
	require.NotEmpty(t, f.Tx)
	require.NotZero(t, f.Slot)
	_, res := b.pay(c, p)
	require.True(t, res.Failure.Marker)
	require.Equal(t, f, withContext(find(t, c, p), f.Context))

	// The next marker is another account.
	p.Marker = 1
	require.Equal(t, settlement.Never, find(t, c, p).Origin)
	_, res = b.pay(c, p)
	require.Equal(t, settlement.Succeeded, res.Sight)
	b.holds(c, b.token, ann, 1)
	next, err := c.MarkerAddress(t.Context(), p.MarkerID())
	require.NoError(t, err)
	require.NotEqual(t, at, next)
}

func withContext(f settlement.Finding, slot uint64) settlement.Finding {
	f.Context = slot
	return f
}

// TestFindUnclear has endpoints whose history lacks parts: none of them may say Never, or name a maker.
func TestFindUnclear(t *testing.T) {
	b := newBench(t)
	own := b.open(b.token, "boss", 1000)
	ann := b.open(b.token, "ann", 0)
	node := newLiar(t, b.URL(), nil)
	c := b.chain(spl.Config{URL: node.URL})
	p := batch(0, b.token, own, ann)
	tx, _ := b.pay(c, p)
	require.Equal(t, settlement.Ours, find(t, c, p).Origin)

	node.tell(says("getSignaturesForAddress", "[]"))
	require.Equal(t, settlement.Unclear, find(t, c, p).Origin, "the account exists, its history is pruned")
	node.tell(says("getTransaction", "null"))
	require.Equal(t, settlement.Unclear, find(t, c, p).Origin, "the transaction is pruned")
	node.tell(changes(t, "getTransaction", func(r map[string]any) { r["meta"].(map[string]any)["err"] = "AccountInUse" }))
	require.Equal(t, settlement.Unclear, find(t, c, p).Origin, "listed as successful, told as failed")

	// The payment is pruned and the stranger's later transfer is not: whoever came second has not made it.
	at := b.strangers(c, p)
	require.NoError(t, b.TransferLamports(t.Context(), svmtest.Key("mallory"), at, 1_000_000))
	b.blocks(svmtest.BlocksToFinal)
	node.tell(func(x call, was json.RawMessage) (json.RawMessage, []byte) {
		if x.Method != "getSignaturesForAddress" {
			return was, nil
		}
		var rows, out []map[string]any
		_ = json.Unmarshal(was, &rows)
		for _, r := range rows {
			if r["signature"] != tx.ID {
				out = append(out, r)
			}
		}
		if out == nil {
			return json.RawMessage("[]"), nil
		}
		text, _ := json.Marshal(out)
		return text, nil
	})
	require.Equal(t, settlement.Unclear, find(t, c, p).Origin)
	// The reclaim alone is left: the account is gone, and was there.
	node.tell(nil)
	_, err := c.Reclaim(t.Context(), []settlement.MarkerID{p.MarkerID()})
	require.NoError(t, err)
	b.blocks(svmtest.BlocksToFinal)
	require.Equal(t, settlement.Ours, find(t, c, p).Origin)
	node.tell(changesRows(1))
	require.Equal(t, settlement.Unclear, find(t, c, p).Origin)

	for _, row := range []struct {
		lie  lie
		want string
	}{
		{says("getMultipleAccounts", `{"context":{"slot":1},"value":[null,{"lamports":1,"owner":"11111111111111111111111111111111","data":["","base64"]}]}`), "as of slot 1"},
		{says("getSignaturesForAddress", fmt.Sprintf(`[{"signature":%q,"slot":5,"err":null}]`, tx.ID)), "begins again on every page"},
		{says("getSignaturesForAddress", `[{"signature":"a","slot":5,"err":null},{"signature":"b","slot":6,"err":null}]`), "out of order: slot 6 after 5"},
		{refuses("getSignaturesForAddress", -32016, "Minimum context slot has not been reached"), "error -32016"},
	} {
		node.tell(row.lie)
		_, err := c.Find(t.Context(), []settlement.Batch{p})
		require.ErrorContains(t, err, row.want)
	}
}

// changesRows keeps the newest n rows of every history.
func changesRows(n int) lie {
	return func(x call, was json.RawMessage) (json.RawMessage, []byte) {
		var rows []json.RawMessage
		if x.Method != "getSignaturesForAddress" {
			return was, nil
		}
		if _ = json.Unmarshal(was, &rows); len(rows) < 2 {
			return json.RawMessage("[]"), nil // the next pages
		}
		out, _ := json.Marshal(rows[:n])
		return out, nil
	}
}

// TestFindPages has a marker with more transactions than a page: the oldest one decides.
func TestFindPages(t *testing.T) {
	b := newBench(t)
	own := b.open(b.token, "boss", 1000)
	ann := b.open(b.token, "ann", 0)
	node := newLiar(t, b.URL(), nil)
	c := b.chain(spl.Config{URL: node.URL})
	p := batch(0, b.token, own, ann)
	tx, _ := b.pay(c, p)
	at := b.strangers(c, p)
	for range 5 {
		require.NoError(t, b.TransferLamports(t.Context(), svmtest.Key("mallory"), at, 1_000_000))
	}
	b.blocks(svmtest.BlocksToFinal)
	// Pages of two rows, as of an endpoint that cuts them.
	node.tell(func(x call, was json.RawMessage) (json.RawMessage, []byte) {
		var rows []json.RawMessage
		if x.Method != "getSignaturesForAddress" {
			return was, nil
		}
		_ = json.Unmarshal(was, &rows)
		out, _ := json.Marshal(rows[:min(2, len(rows))])
		return out, nil
	})
	require.Equal(t, tx.ID, find(t, c, p).Tx)
	require.Len(t, node.of("getSignaturesForAddress"), 4)
}
