package svmtest_test

import (
	"testing"

	"github.com/gagliardetto/solana-go"
	"github.com/gagliardetto/solana-go/programs/system"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// nonced returns a node with a final nonce account of the boss's, and its value.
func nonced(t *testing.T) (n *svmtest.Node, nonce settlement.Account, value string) {
	t.Helper()
	n = rich(t)
	nonce = svmtest.Address(svmtest.Key("nonce"))
	value, err := n.CreateNonce(t.Context(), svmtest.Key("boss"), svmtest.Key("nonce"), svmtest.Address(svmtest.Key("boss")))
	require.NoError(t, err)
	require.NoError(t, n.Advance(t.Context(), svmtest.BlocksToFinal))
	return n, nonce, value
}

// durable signs a transfer of lamports that carries a nonce.
func durable(t *testing.T, value string, format int, amount uint64) []byte {
	t.Helper()
	return signed(t, value, format, keys(svmtest.Key("boss")), advance(), pay("boss", "ann", amount))
}

func advance() solana.Instruction {
	return system.NewAdvanceNonceAccountInstruction(pub("nonce"), solana.SysVarRecentBlockHashesPubkey, pub("boss")).Build()
}

func TestDurableNonceOutlivesBlockhashes(t *testing.T) {
	for _, format := range []int{legacy, v1} {
		n, nonce, value := nonced(t)
		raw := durable(t, value, format, 1e6)
		other := durable(t, value, format, 2e6)
		require.NoError(t, n.Advance(t.Context(), 400))
		signature := sent(t, n, raw)
		require.Nil(t, status(t, n, signature)["err"])
		next, err := n.Nonce(t.Context(), nonce)
		require.NoError(t, err)
		require.NotEqual(t, value, next)
		require.Nil(t, status(t, n, sent(t, n, other)), "a value is used once")
		require.NoError(t, n.Advance(t.Context(), 1))
		require.Nil(t, status(t, n, sent(t, n, other)))
		require.InDelta(t, 1e6, lamports(t, n, "ann", "processed"), 0)
		again := sent(t, n, durable(t, next, format, 3e6))
		require.NotNil(t, status(t, n, again), "the next value is good in the next block")
	}
}

// TestFailedTransactionBurnsItsNonce: the fee is paid and the nonce advanced though everything else is undone.
func TestFailedTransactionBurnsItsNonce(t *testing.T) {
	for name, bad := range map[string]solana.Instruction{
		"an instruction fails": pay("boss", "ann", 1e15),
		"a program is missing": solana.NewInstruction(pub("no program"), nil, nil),
	} {
		n, nonce, value := nonced(t)
		before := lamports(t, n, "boss", "processed")
		signature := sent(t, n, signed(t, value, v1, keys(svmtest.Key("boss")), advance(), pay("boss", "ann", 1e6), bad))
		require.NotNil(t, status(t, n, signature)["err"], name)
		require.InDelta(t, before-5000, lamports(t, n, "boss", "processed"), 0)
		require.Zero(t, lamports(t, n, "ann", "processed"))
		next, err := n.Nonce(t.Context(), nonce)
		require.NoError(t, err)
		require.NotEqual(t, value, next, name)
		require.NoError(t, n.Advance(t.Context(), 1))
		require.Nil(t, status(t, n, sent(t, n, durable(t, value, v1, 1e6))), name)
	}
}

func TestForkGivesTheNonceBack(t *testing.T) {
	n, nonce, value := nonced(t)
	raw := durable(t, value, v1, 1e6)
	sent(t, n, raw)
	_, err := n.Fork(t.Context(), 1, -1)
	require.NoError(t, err)
	now, err := n.Nonce(t.Context(), nonce)
	require.NoError(t, err)
	require.Equal(t, value, now)
	require.Zero(t, lamports(t, n, "ann", "processed"))
	signature := sent(t, n, raw)
	require.Nil(t, status(t, n, signature)["err"], "the same bytes land again")
	require.InDelta(t, 1e6, lamports(t, n, "ann", "processed"), 0)
}

// TestNonceOfABlock: a nonce is advanced once in a block, by a transaction that carries it or by one with a blockhash.
func TestNonceOfABlock(t *testing.T) {
	n, nonce, value := nonced(t)
	ordinary := signed(t, blockhash(t, n, "finalized"), v1, keys(svmtest.Key("boss")), advance())
	require.Nil(t, status(t, n, sent(t, n, ordinary))["err"])
	next, err := n.Nonce(t.Context(), nonce)
	require.NoError(t, err)
	require.NotEqual(t, value, next)
	require.Nil(t, status(t, n, sent(t, n, durable(t, next, v1, 1e6))), "not in the block in which it was advanced")
	require.NoError(t, n.Advance(t.Context(), 1))
	require.NotNil(t, status(t, n, sent(t, n, durable(t, next, v1, 1e6))))
}

func TestNonceNeedsItsAuthority(t *testing.T) {
	n, _, value := nonced(t)
	require.NoError(t, n.Airdrop(t.Context(), svmtest.Address(svmtest.Key("thief")), 1e9))
	steal := system.NewAdvanceNonceAccountInstruction(pub("nonce"), solana.SysVarRecentBlockHashesPubkey, pub("thief")).Build()
	signature := sent(t, n, signed(t, value, v1, keys(svmtest.Key("thief")), steal, pay("thief", "ann", 1)))
	require.Nil(t, status(t, n, signature), "dropped: it is not a nonce transaction, and its blockhash is none")
	signature = sent(t, n, signed(t, value, v1, keys(svmtest.Key("boss")), pay("boss", "ann", 1), advance()))
	require.Nil(t, status(t, n, signature), "dropped: the nonce is not advanced first")
}
