package svmtest_test

import (
	"math/rand/v2"
	"testing"

	"github.com/gagliardetto/solana-go"
	alt "github.com/gagliardetto/solana-go/programs/address-lookup-table"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// tabled returns a node and a final lookup table of the boss's that holds ann's and bob's addresses.
func tabled(t *testing.T) (*svmtest.Node, solana.PublicKey) {
	t.Helper()
	n := rich(t)
	require.NoError(t, n.Advance(t.Context(), svmtest.BlocksToFinal))
	slot := uint64(ask(t, n, "getSlot").(float64))
	create, table, err := alt.NewCreateLookupTableInstruction(pub("boss"), pub("boss"), slot)
	require.NoError(t, err)
	extend := alt.NewExtendLookupTableInstruction(table, pub("boss"), pub("boss"), []solana.PublicKey{pub("ann"), pub("bob")})
	s := sent(t, n, signed(t, blockhash(t, n, "finalized"), legacy, keys(svmtest.Key("boss")), create.Build(), extend.Build()))
	require.Nil(t, status(t, n, s)["err"])
	return n, table
}

// throughTable signs transfers to ann and bob, of which a table has the addresses.
func throughTable(t *testing.T, n *svmtest.Node, table solana.PublicKey, known ...solana.PublicKey) []byte {
	t.Helper()
	return sign(t, blockhash(t, n, "processed"), keys(svmtest.Key("boss")), []solana.Instruction{pay("boss", "ann", 1e6), pay("boss", "bob", 2e6)},
		solana.TransactionPayer(pub("boss")), solana.TransactionAddressTables(map[solana.PublicKey]solana.PublicKeySlice{table: known}))
}

func TestLookupTables(t *testing.T) {
	n, table := tabled(t)
	known := []solana.PublicKey{pub("ann"), pub("bob")}
	require.Nil(t, status(t, n, sent(t, n, throughTable(t, n, table, known...))), "not in the block in which the table was extended")
	require.NoError(t, n.Advance(t.Context(), 1))
	s := sent(t, n, throughTable(t, n, table, known...))
	require.Nil(t, status(t, n, s)["err"])
	require.InDelta(t, 1e6, lamports(t, n, "ann", "processed"), 0)
	require.InDelta(t, 2e6, lamports(t, n, "bob", "processed"), 0)
	require.NoError(t, n.Advance(t.Context(), 1))
	got := transaction(t, n, s)
	require.EqualValues(t, 0, got["version"])
	meta := got["meta"].(map[string]any)
	require.Equal(t, map[string]any{"writable": []any{pub("ann").String(), pub("bob").String()}, "readonly": []any{}}, meta["loadedAddresses"])
	require.Len(t, meta["postBalances"], 4, "boss, the system program, and the two from the table")
	require.InDelta(t, 1e6, meta["postBalances"].([]any)[2].(float64)-meta["preBalances"].([]any)[2].(float64), 0)
	require.Len(t, rows(t, n, "bob"), 1, "found by an address that is in the table only")

	_, code := call(t, n, "getTransaction", s, at("confirmed"))
	require.EqualValues(t, -32015, code, "the client has to say that it knows version 0")
	stranger := []solana.PublicKey{pub("ann"), pub("eve"), pub("bob")}
	require.Nil(t, status(t, n, sent(t, n, throughTable(t, n, table, stranger...))), "dropped: the third address is not there")
	require.Nil(t, status(t, n, sent(t, n, throughTable(t, n, pub("no table"), known...))), "dropped: no table")
	require.Nil(t, status(t, n, sent(t, n, throughTable(t, n, pub("boss"), known...))), "dropped: the boss is no table")
	sim := value(t, ask(t, n, "simulateTransaction", b64(throughTable(t, n, pub("no table"), known...)),
		map[string]any{"encoding": "base64", "commitment": "processed"})).(map[string]any)
	require.Equal(t, "AddressLookupTableNotFound", sim["err"])
}

func TestForkTakesALookupTableAway(t *testing.T) {
	n, table := tabled(t)
	require.NoError(t, n.Advance(t.Context(), 1))
	_, err := n.Fork(t.Context(), 2, -1)
	require.NoError(t, err)
	s := sent(t, n, throughTable(t, n, table, pub("ann"), pub("bob")))
	require.Nil(t, status(t, n, s))
}

// TestSpoiltLookups changes bytes of a transaction with a table: the runtime behind must not see what it cannot read.
func TestSpoiltLookups(t *testing.T) {
	n, table := tabled(t)
	require.NoError(t, n.Advance(t.Context(), 1))
	raw := throughTable(t, n, table, pub("ann"), pub("bob"))
	r := rand.New(rand.NewPCG(3, 4))
	for at := range raw {
		send(t, n, "sendTransaction", raw[:at])
		spoilt := append([]byte(nil), raw...)
		spoilt[at] ^= byte(1 + r.IntN(255))
		send(t, n, "sendTransaction", spoilt)
		send(t, n, "simulateTransaction", spoilt)
	}
	require.Zero(t, lamports(t, n, "ann", "processed"))
	require.NotNil(t, status(t, n, sent(t, n, raw)))
}
