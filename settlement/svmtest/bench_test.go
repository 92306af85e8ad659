package svmtest_test

import (
	"crypto/ed25519"
	"fmt"
	"testing"

	"github.com/gagliardetto/solana-go"
	"github.com/gagliardetto/solana-go/programs/token"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// owners are addresses that nobody has a key for.
func owners(n int) []settlement.Account {
	out := make([]settlement.Account, n)
	for i := range out {
		out[i] = svmtest.Address(svmtest.Key(fmt.Sprintf("owner %d", i)))
	}
	return out
}

// payouts signs transactions of version 1 with lines transfers each, one unit to each of the accounts.
func payouts(t testing.TB, n *svmtest.Node, from ed25519.PrivateKey, a settlement.Asset, to []solana.PublicKey, lines int) [][]byte {
	t.Helper()
	source, err := n.TokenAddress(t.Context(), a, svmtest.Address(from))
	require.NoError(t, err)
	hash := blockhash(t, n, "processed")
	owner := solana.PrivateKey(from).PublicKey()
	var out [][]byte
	for len(to) > 0 {
		part := to[:min(lines, len(to))]
		to = to[len(part):]
		var list []solana.Instruction
		for _, k := range part {
			list = append(list, token.NewTransferInstruction(1, solana.MustPublicKeyFromBase58(string(source)), k, owner, nil).Build())
		}
		out = append(out, signed(t, hash, v1, keys(from), list...))
	}
	return out
}

// BenchmarkPayouts executes 10,000 payouts, 59 in each of 170 transactions sent over HTTP. Building and signing is not in it.
func BenchmarkPayouts(b *testing.B) {
	n := svmtest.ForTest(b, svmtest.Config{})
	boss := svmtest.Key("boss")
	require.NoError(b, n.Airdrop(b.Context(), svmtest.Address(boss), 1e12))
	asset, err := n.CreateMint(b.Context(), boss, svmtest.Key("IO"), 8)
	require.NoError(b, err)
	all := owners(10_000)
	require.NoError(b, n.CreateAccounts(b.Context(), asset, all, 0))
	require.NoError(b, n.CreateAccounts(b.Context(), asset, []settlement.Account{svmtest.Address(boss)}, 1e15))
	accounts := make([]solana.PublicKey, len(all))
	mint := solana.MustPublicKeyFromBase58(string(asset.Mint))
	for i, o := range all {
		accounts[i], _, err = solana.FindAssociatedTokenAddress(solana.MustPublicKeyFromBase58(string(o)), mint)
		require.NoError(b, err)
	}
	before, err := n.Stats(b.Context())
	require.NoError(b, err)
	b.ResetTimer()
	for b.Loop() {
		b.StopTimer()
		require.NoError(b, n.Advance(b.Context(), 1))
		raws := payouts(b, n, boss, asset, accounts, 59)
		b.StartTimer()
		for _, raw := range raws {
			_, code := send(b, n, "sendTransaction", raw)
			require.Zero(b, code)
		}
	}
	b.StopTimer()
	after, err := n.Stats(b.Context())
	require.NoError(b, err)
	require.Equal(b, before.Failed, after.Failed)
	require.EqualValues(b, 170*b.N, after.Transactions-before.Transactions)
}

// BenchmarkAdvance adds 500 empty blocks.
func BenchmarkAdvance(b *testing.B) {
	n := svmtest.ForTest(b, svmtest.Config{})
	for b.Loop() {
		require.NoError(b, n.Advance(b.Context(), 500))
	}
}

// BenchmarkCreateAccounts makes 10,000 token accounts.
func BenchmarkCreateAccounts(b *testing.B) {
	n := rich(b)
	asset, err := n.CreateMint(b.Context(), svmtest.Key("boss"), svmtest.Key("IO"), 8)
	require.NoError(b, err)
	all := owners(10_000)
	for b.Loop() {
		require.NoError(b, n.CreateAccounts(b.Context(), asset, all, 1))
	}
}

// BenchmarkBalances reads 10,000 balances.
func BenchmarkBalances(b *testing.B) {
	n := rich(b)
	asset, err := n.CreateMint(b.Context(), svmtest.Key("boss"), svmtest.Key("IO"), 8)
	require.NoError(b, err)
	all := owners(10_000)
	for b.Loop() {
		_, err := n.Balances(b.Context(), asset, all)
		require.NoError(b, err)
	}
}

func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		n, err := svmtest.Start(b.Context(), svmtest.Config{})
		require.NoError(b, err)
		require.NoError(b, n.Close())
	}
}

func BenchmarkSend(b *testing.B) {
	n := rich(b)
	raws := make([][]byte, 140) // as long as the oldest blockhash is good
	b.ReportAllocs()
	for i := 0; b.Loop(); i = (i + 1) % len(raws) {
		if i == 0 {
			b.StopTimer()
			for k := range raws {
				require.NoError(b, n.Advance(b.Context(), 1)) // another blockhash, hence another transaction
				raws[k] = transfer(b, n, legacy)
			}
			b.StartTimer()
		}
		_, code := send(b, n, "sendTransaction", raws[i])
		require.Zero(b, code)
	}
}
