package spl_test

import (
	"crypto/ed25519"
	"fmt"
	"testing"

	"github.com/gagliardetto/solana-go"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// keyOf returns the address that belongs to a name.
func keyOf(name string) solana.PublicKey {
	return solana.PrivateKey(svmtest.Key(name)).PublicKey()
}

// ringOf returns signers with the keys that belong to names.
func ringOf(t testing.TB, names ...string) *spl.Keyring {
	t.Helper()
	var all []spl.Signer
	for _, n := range names {
		k, err := spl.NewKey(svmtest.Key(n))
		require.NoError(t, err)
		all = append(all, k)
	}
	r, err := spl.NewKeyring(all...)
	require.NoError(t, err)
	return r
}

// plain is a payout of n lines from the payer's own account, with a marker.
func plain(f spl.Format, n int) *spl.Payout {
	p := &spl.Payout{
		Format: f, Payer: keyOf("payer"), Owner: keyOf("payer"), Source: keyOf("source"), Program: solana.TokenProgramID,
		Blockhash: solana.Hash(keyOf("hash")), Units: 20_000, Loaded: 1 << 20,
	}
	seed := "0123456789abcdef0123456789abcdef"
	at, err := solana.CreateWithSeed(p.Payer, seed, solana.SystemProgramID)
	if err != nil {
		panic(err)
	}
	p.Marker = spl.Mark{Address: at, Seed: seed, Lamports: 650_240}
	for i := range n {
		p.Lines = append(p.Lines, spl.Transfer{To: keyOf(fmt.Sprint("to ", i)), Units: uint64(i) + 1})
	}
	return p
}

func TestPayoutV1(t *testing.T) {
	var e spl.Encoder
	raw, err := e.AppendPayout(nil, plain(spl.V1, 59))
	require.NoError(t, err)
	require.Len(t, raw, 3236)
	require.ErrorIs(t, spl.VerifyTx(raw), spl.ErrSignature)
	require.NoError(t, ringOf(t, "payer").Sign(t.Context(), raw))
	require.NoError(t, spl.VerifyTx(raw))
	tx, err := solana.TransactionFromBytes(raw)
	require.NoError(t, err)
	require.NoError(t, tx.VerifySignatures())
	require.NoError(t, tx.Sanitize())
	id, err := spl.TxID(raw)
	require.NoError(t, err)
	require.Equal(t, tx.Signatures[0].String(), id)
	public, ok := svmtest.Key("payer").Public().(ed25519.PublicKey)
	require.True(t, ok)
	require.True(t, ed25519.Verify(public, raw[:len(raw)-64], raw[len(raw)-64:]))
}
