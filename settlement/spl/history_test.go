package spl_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// history returns all traces.
func history(t testing.TB, c *spl.Chain) ([]settlement.Trace, error) {
	t.Helper()
	var out []settlement.Trace
	err := c.History(t.Context(), func(x settlement.Trace) error {
		out = append(out, x)
		return nil
	})
	return out, err
}

// TestHistory tells a payer's whole life: a payment, a creation, a failure, a burn, a seal, a reclaim and a transfer that is
// none of these; and the sums are those of the chain.
func TestHistory(t *testing.T) {
	b := newBench(t)
	vault := b.open(b.token, "vault", 1000)
	ann := b.open(b.token, "ann", 0)
	nobody := svmtest.Address(svmtest.Key("nobody"))
	require.NoError(t, b.Airdrop(t.Context(), svmtest.Address(svmtest.Key("payer")), 1e9))
	node := newLiar(t, b.URL(), nil)
	c := b.chain(spl.Config{URL: node.URL, Payer: signer(t, "payer"), CreateMissing: true}, "vault")

	pay := batch(0, b.token, vault, ann, ann)
	one, _ := b.pay(c, pay)
	again, err := prepare(t, c, pay)
	require.NoError(t, err)
	send(t, c, again)
	_, err = prepare(t, c, batch(1, b.token, vault, nobody))
	require.ErrorIs(t, err, settlement.ErrLater)
	b.blocks(1)
	burn, _ := b.pay(c, settlement.Batch{ID: settlement.BatchID{Epoch: 1, Lane: 1}, Lines: []settlement.Line{{Kind: settlement.Burn, Asset: b.token, From: vault, Units: 7}}})
	seal, _ := b.pay(c, settlement.Batch{ID: settlement.BatchID{Epoch: 1, Lane: 2}})
	require.NoError(t, b.TransferLamports(t.Context(), b.boss, svmtest.Address(svmtest.Key("payer")), 12345)) // not ours
	_, err = c.Reclaim(t.Context(), []settlement.MarkerID{pay.MarkerID()})
	require.NoError(t, err)
	b.blocks(1)
	b.do([]string{"payer"}, give("payer", keyOf("ann"), 1_000_000))
	b.blocks(svmtest.BlocksToFinal)

	got, err := history(t, c)
	require.NoError(t, err)
	require.Len(t, got, 7)
	at, err := c.MarkerAddress(t.Context(), pay.MarkerID())
	require.NoError(t, err)
	change := func(owner settlement.Account, before, after uint64) settlement.Change {
		return settlement.Change{Owner: owner, Asset: b.token, Before: before, After: after}
	}
	require.Equal(t, one.ID, got[0].Tx)
	require.Equal(t, at, got[0].Marker)
	require.EqualValues(t, 650_240, got[0].Rent)
	require.Equal(t, pay.Lines, got[0].Lines)
	require.ElementsMatch(t, []settlement.Change{change(vault, 1000, 998), change(ann, 0, 2)}, got[0].Changes)
	require.True(t, got[1].Failed)
	require.Equal(t, again.ID, got[1].Tx)
	require.Zero(t, got[1].Rent)
	require.Empty(t, got[1].Changes)
	require.EqualValues(t, 1_488_440, got[2].Opened)
	require.Empty(t, got[2].Marker)
	require.Equal(t, burn.ID, got[3].Tx)
	require.Equal(t, []settlement.Change{change(vault, 998, 991)}, got[3].Changes)
	require.Equal(t, settlement.Burn, got[3].Lines[0].Kind)
	require.Equal(t, seal.ID, got[4].Tx)
	require.Empty(t, got[4].Lines)
	require.Equal(t, []settlement.Account{at}, got[5].Reclaimed)
	require.EqualValues(t, 650_240, got[5].Returned)
	spent := uint64(0)
	for i, x := range got {
		require.Equal(t, i == 6, x.Unknown, "%d", i)
		spent += x.Fee + x.Rent + x.Opened - x.Returned
	}
	require.Equal(t, uint64(1e9)+12345-1_000_000-spent, b.lamports("payer"), "rent in = rent out")

	stop := errors.New("enough")
	require.ErrorIs(t, c.History(t.Context(), func(settlement.Trace) error { return stop }), stop)
	historyGaps(t, c, node, seal.ID)
}

// historyGaps takes parts of a history away: none may be told as whole.
func historyGaps(t *testing.T, c *spl.Chain, node *liar, middle string) {
	t.Helper()
	without := func(id string) lie {
		return func(x call, was json.RawMessage) (json.RawMessage, []byte) {
			var rows, out []map[string]any
			if x.Method != "getSignaturesForAddress" || json.Unmarshal(was, &rows) != nil {
				return was, nil
			}
			for _, r := range rows {
				if r["signature"] != id {
					out = append(out, r)
				}
			}
			text, _ := json.Marshal(out)
			if out == nil {
				text = []byte("[]")
			}
			return text, nil
		}
	}
	late := func(x call, was json.RawMessage) (json.RawMessage, []byte) {
		switch x.Method {
		case "getFirstAvailableBlock":
			return json.RawMessage("5"), nil
		case "getBlock":
			return json.RawMessage(`{"blockHeight":4}`), nil
		}
		return was, nil
	}
	for name, row := range map[string]struct {
		lie  lie
		want string
	}{
		"a transaction in the midst":    {without(middle), "lamports before transaction"},
		"a transaction that is unknown": {says("getTransaction", "null"), "is listed and not known"},
		"the beginning":                 {late, "remembers nothing before slot 5"},
		"the end": {func(x call, was json.RawMessage) (json.RawMessage, []byte) {
			var rows []json.RawMessage
			if x.Method != "getSignaturesForAddress" || json.Unmarshal(was, &rows) != nil || len(rows) < 2 {
				return was, nil
			}
			return json.RawMessage("[" + string(bytes.Join(raw(rows[1:]), []byte(","))) + "]"), nil
		}, "after the last transaction that is told"},
	} {
		node.tell(row.lie)
		_, err := history(t, c)
		require.ErrorIs(t, err, spl.ErrGap, name)
		require.ErrorContains(t, err, row.want, name)
	}
	node.tell(nil)
	_, err := history(t, c)
	require.NoError(t, err)
}

func raw(rows []json.RawMessage) [][]byte {
	var out [][]byte
	for _, r := range rows {
		out = append(out, r)
	}
	return out
}
