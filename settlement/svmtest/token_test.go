package svmtest_test

import (
	"testing"

	"github.com/gagliardetto/solana-go"
	"github.com/gagliardetto/solana-go/programs/memo"
	"github.com/gagliardetto/solana-go/programs/token"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// minted returns a node on which the boss and ann hold accounts of a Token-2022 mint, the boss 1,000 units in his.
func minted(t *testing.T, e svmtest.Extensions) (*svmtest.Node, settlement.Asset) {
	t.Helper()
	n := rich(t)
	ctx := t.Context()
	boss := svmtest.Key("boss")
	require.NoError(t, n.Airdrop(ctx, svmtest.Address(svmtest.Key("ann")), 1e10))
	asset, err := n.CreateMint2022(ctx, boss, svmtest.Key("T22"), 2, e)
	require.NoError(t, err)
	for _, name := range []string{"boss", "ann"} {
		require.NoError(t, n.CreateAccount(ctx, boss, asset, svmtest.Address(svmtest.Key(name))))
		if e.DefaultFrozen && name == "boss" {
			require.NoError(t, n.Thaw(ctx, boss, asset, svmtest.Address(boss)))
		}
	}
	require.NoError(t, n.MintTo(ctx, boss, asset, svmtest.Address(boss), 1000))
	return n, asset
}

func TestToken2022(t *testing.T) {
	boss, ann := svmtest.Key("boss"), svmtest.Address(svmtest.Key("ann"))
	for _, row := range []struct {
		name       string
		extensions svmtest.Extensions
		sent, got  uint64
	}{
		{"without extensions", svmtest.Extensions{}, 333, 333},
		{"fee of 1 %, rounded up", svmtest.Extensions{TransferFeeBasisPoints: 100, MaxFee: 1000}, 333, 329},
		{"fee of 1 %, at most 2", svmtest.Extensions{TransferFeeBasisPoints: 100, MaxFee: 2}, 333, 331},
	} {
		t.Run(row.name, func(t *testing.T) {
			n, asset := minted(t, row.extensions)
			require.NoError(t, n.Transfer(t.Context(), boss, asset, ann, row.sent))
			units, err := n.Balance(t.Context(), asset, ann)
			require.NoError(t, err)
			require.Equal(t, row.got, units)
			all, err := n.Balances(t.Context(), asset, []settlement.Account{ann, svmtest.Address(boss), svmtest.Address(svmtest.Key("nobody"))})
			require.NoError(t, err)
			require.Equal(t, []uint64{row.got, 1000 - row.sent, 0}, all)
		})
	}
}

func TestTokenAccountsFrozenByDefault(t *testing.T) {
	n, asset := minted(t, svmtest.Extensions{DefaultFrozen: true})
	boss, ann := svmtest.Key("boss"), svmtest.Address(svmtest.Key("ann"))
	require.ErrorContains(t, n.Transfer(t.Context(), boss, asset, ann, 1), "0x11", "account frozen")
	require.NoError(t, n.Thaw(t.Context(), boss, asset, ann))
	require.NoError(t, n.Transfer(t.Context(), boss, asset, ann, 1))
	require.NoError(t, n.Freeze(t.Context(), boss, asset, ann))
	require.ErrorContains(t, n.Transfer(t.Context(), boss, asset, ann, 2), "0x11")
}

func TestTokenAccountThatRequiresAMemo(t *testing.T) {
	n, asset := minted(t, svmtest.Extensions{})
	boss, ann := svmtest.Key("boss"), svmtest.Key("ann")
	require.NoError(t, n.RequireMemo(t.Context(), ann, asset, true))
	require.ErrorContains(t, n.Transfer(t.Context(), boss, asset, svmtest.Address(ann), 1), "0x24", "no memo")
	from, err := n.TokenAddress(t.Context(), asset, svmtest.Address(boss))
	require.NoError(t, err)
	to, err := n.TokenAddress(t.Context(), asset, svmtest.Address(ann))
	require.NoError(t, err)
	source, mint, dest := solana.MPK(string(from)), solana.MPK(string(asset.Mint)), solana.MPK(string(to))
	transfer := token.NewTransferCheckedInstruction(5, 2, source, mint, dest, pub("boss"), nil).Build()
	data, err := transfer.Data()
	require.NoError(t, err)
	s := sent(t, n, signed(t, blockhash(t, n, "processed"), v1, keys(boss),
		memo.NewMemoInstruction([]byte("thanks"), pub("boss")).Build(),
		solana.NewInstruction(solana.Token2022ProgramID, transfer.Accounts(), data)))
	require.Nil(t, status(t, n, s)["err"])
	require.NoError(t, n.RequireMemo(t.Context(), ann, asset, false))
	require.NoError(t, n.Transfer(t.Context(), boss, asset, svmtest.Address(ann), 1))
	units, err := n.Balance(t.Context(), asset, svmtest.Address(ann))
	require.NoError(t, err)
	require.EqualValues(t, 6, units)
}

func TestWhatOwnersDo(t *testing.T) {
	n := rich(t)
	ctx := t.Context()
	boss, ann := svmtest.Key("boss"), svmtest.Key("ann")
	asset, err := n.CreateMint(ctx, boss, svmtest.Key("IO"), 2)
	require.NoError(t, err)
	require.NoError(t, n.TransferLamports(ctx, boss, svmtest.Address(ann), 1e9))
	require.InDelta(t, 1e9, lamports(t, n, "ann", "processed"), 0)
	for _, k := range []settlement.Account{svmtest.Address(boss), svmtest.Address(ann)} {
		require.NoError(t, n.CreateAccount(ctx, boss, asset, k))
	}
	account, err := n.TokenAddress(ctx, asset, svmtest.Address(ann))
	require.NoError(t, err)
	require.NoError(t, n.SetTokenOwner(ctx, ann, asset, svmtest.Address(svmtest.Key("eve"))))
	a, found, err := n.AccountAt(ctx, account)
	require.NoError(t, err)
	require.True(t, found)
	eve := pub("eve")
	require.Equal(t, eve[:], a.Data[32:64])
	require.ErrorContains(t, n.CloseAccount(ctx, ann, asset), "0x4", "no longer hers")
	require.NoError(t, n.CloseAccount(ctx, boss, asset))
	account, err = n.TokenAddress(ctx, asset, svmtest.Address(boss))
	require.NoError(t, err)
	_, found, err = n.AccountAt(ctx, account)
	require.NoError(t, err)
	require.False(t, found)
}

func TestMultisig(t *testing.T) {
	n := rich(t)
	ctx := t.Context()
	boss := svmtest.Key("boss")
	vault := svmtest.Address(svmtest.Key("vault"))
	asset, err := n.CreateMint(ctx, boss, svmtest.Key("IO"), 2)
	require.NoError(t, err)
	signers := []settlement.Account{svmtest.Address(svmtest.Key("a")), svmtest.Address(svmtest.Key("b")), svmtest.Address(svmtest.Key("c"))}
	require.NoError(t, n.CreateMultisig(ctx, boss, svmtest.Key("vault"), 2, signers...))
	for _, k := range []settlement.Account{vault, svmtest.Address(boss)} {
		require.NoError(t, n.CreateAccount(ctx, boss, asset, k))
	}
	require.NoError(t, n.MintTo(ctx, boss, asset, vault, 10))
	source, err := n.TokenAddress(ctx, asset, vault)
	require.NoError(t, err)
	to, err := n.TokenAddress(ctx, asset, svmtest.Address(boss))
	require.NoError(t, err)
	by := func(names ...string) any {
		all, own := keys(boss), []solana.PublicKey{}
		for _, name := range names {
			all, own = append(all, svmtest.Key(name)), append(own, pub(name))
		}
		s := sent(t, n, signed(t, blockhash(t, n, "processed"), v1, all,
			token.NewTransferInstruction(1, solana.MPK(string(source)), solana.MPK(string(to)), pub("vault"), own).Build()))
		return status(t, n, s)["err"]
	}
	require.Equal(t, map[string]any{"InstructionError": []any{0.0, "MissingRequiredSignature"}}, by("a"))
	require.Nil(t, by("a", "c"))
	require.ErrorContains(t, n.CreateMultisig(ctx, boss, svmtest.Key("other"), 3, signers[:2]...), "multisig of 3 of 2 signers")
	require.ErrorContains(t, n.CreateMultisig(ctx, boss, svmtest.Key("other"), 0, signers[:2]...), "multisig of 0 of 2 signers")
}

func TestManyAccountsAtOnce(t *testing.T) {
	n := rich(t)
	ctx := t.Context()
	boss := svmtest.Key("boss")
	asset, err := n.CreateMint(ctx, boss, svmtest.Key("IO"), 2)
	require.NoError(t, err)
	all := owners(2500)
	require.NoError(t, n.CreateAccounts(ctx, asset, all, 3))
	supply, err := n.Supply(ctx, asset)
	require.NoError(t, err)
	require.EqualValues(t, 7500, supply)
	got, err := n.Balances(ctx, asset, all)
	require.NoError(t, err)
	for i := range all {
		require.EqualValues(t, 3, got[i])
	}
	require.NoError(t, n.CreateAccount(ctx, boss, asset, svmtest.Address(boss)))
	require.NoError(t, n.MintTo(ctx, boss, asset, svmtest.Address(boss), 10))
	require.NoError(t, n.Transfer(ctx, boss, asset, all[7], 4), "they are accounts like others")
	units, err := n.Balance(ctx, asset, all[7])
	require.NoError(t, err)
	require.EqualValues(t, 7, units)
	require.ErrorContains(t, n.CreateAccounts(ctx, asset, all[:1], 1<<64-1), "2^64 - 1")
	require.ErrorContains(t, n.CreateAccounts(ctx, asset, append(all[:1:1], all[0]), 1), "is there twice")
	require.ErrorContains(t, n.CreateAccounts(ctx, settlement.Asset{Mint: all[0]}, all, 1), "is no mint")
}
