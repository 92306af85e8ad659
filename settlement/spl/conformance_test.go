package spl_test

import (
	"testing"

	"github.com/gagliardetto/solana-go"
	"github.com/gagliardetto/solana-go/rpc"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/settlementtest"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// TestConformance runs the suite of chains over two endpoints of one chain, in each format. Where a process dies does not
// depend on the format: the deaths are version 1's alone.
func TestConformance(t *testing.T) {
	for _, row := range []struct {
		format   spl.Format
		exercise func(*testing.T, func(*testing.T) settlementtest.Rig)
	}{
		{spl.V1, settlementtest.Exercise}, {spl.V0, settlementtest.ExerciseCases}, {spl.Legacy, settlementtest.ExerciseCases},
	} {
		t.Run(row.format.String(), func(t *testing.T) {
			row.exercise(t, func(t *testing.T) settlementtest.Rig { return newRig(t, spl.Config{Format: row.format, Parallel: 1}) })
		})
	}
}

func newRig(t *testing.T, config spl.Config) settlementtest.Rig {
	t.Helper()
	b := newBenchWith(t, svmtest.Config{Endpoints: 2})
	names := map[settlement.Account]string{}
	for _, n := range []string{"vault", "desk", "treasury", "ann", "bob", "nobody"} {
		names[svmtest.Address(svmtest.Key(n))] = n
	}
	rig := settlementtest.Rig{
		Token:    b.token,
		Dollar:   b.dollar,
		Vault:    b.open(b.token, "vault", settlementtest.Endowment),
		Desk:     b.open(b.token, "desk", settlementtest.Endowment),
		Treasury: b.open(b.dollar, "treasury", settlementtest.Endowment),
		Ann:      b.open(b.token, "ann", 0),
		Bob:      b.open(b.token, "bob", 0),
		Absent:   svmtest.Address(svmtest.Key("nobody")),
		Advance:  b.blocks,
	}
	b.open(b.dollar, "desk", 0)
	chain := b.chain(config, "vault", "desk", "treasury")
	config.URL = b.URLs()[1]
	rig.Chain, rig.Second = chain, b.chain(config, "vault", "desk", "treasury")
	rig.Balance = func(a settlement.Asset, owner settlement.Account) uint64 {
		units, err := chain.Balance(t.Context(), a, owner)
		if err != nil {
			require.ErrorIs(t, err, spl.ErrNoAccount)
		}
		return units
	}
	rig.Supply = func(a settlement.Asset) uint64 {
		supply, err := chain.Supply(t.Context(), a)
		require.NoError(t, err)
		return supply.Units
	}
	rig.Open = func(owner settlement.Account) {
		require.NoError(t, b.CreateAccount(t.Context(), b.boss, b.token, owner))
		b.blocks(svmtest.BlocksToFinal)
	}
	rig.Close = func(owner settlement.Account) {
		b.shut(b.token, names[owner])
		b.blocks(svmtest.BlocksToFinal)
	}
	rig.Poison = func(id settlement.MarkerID) {
		at, err := chain.MarkerAddress(t.Context(), id)
		require.NoError(t, err)
		require.NoError(t, b.Airdrop(t.Context(), svmtest.Address(svmtest.Key("mallory")), 1e9))
		require.NoError(t, b.TransferLamports(t.Context(), svmtest.Key("mallory"), at, 1_000_000))
		b.blocks(svmtest.BlocksToFinal)
	}
	rig.Fork = func(n int) int {
		_, err := b.Fork(t.Context(), n, -1)
		require.NoError(t, err)
		return n
	}
	rig.Rent = func() uint64 {
		sum := uint64(0)
		for i := range uint32(8) {
			for n := range uint16(2) {
				at, err := chain.MarkerAddress(t.Context(), settlement.MarkerID{Batch: settlement.BatchID{Epoch: 1, Index: i}, N: n})
				require.NoError(t, err)
				r, err := rpc.New(b.URL()).GetBalance(t.Context(), solana.MustPublicKeyFromBase58(string(at)), rpc.CommitmentFinalized)
				require.NoError(t, err)
				sum += r.Value
			}
		}
		return sum
	}
	return rig
}
