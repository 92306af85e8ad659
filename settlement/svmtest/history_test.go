package svmtest_test

import (
	"fmt"
	"testing"

	"github.com/gagliardetto/solana-go"
	ata "github.com/gagliardetto/solana-go/programs/associated-token-account"
	"github.com/gagliardetto/solana-go/programs/memo"
	"github.com/gagliardetto/solana-go/rpc"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

func TestMemosInHistory(t *testing.T) {
	n := rich(t)
	note := func(text string) solana.Instruction {
		return memo.NewMemoInstruction([]byte(text), pub("boss")).Build()
	}
	for _, list := range [][]solana.Instruction{{note("first")}, {pay("boss", "ann", 1e6)}, {note("zwölf"), note("two")}} {
		sent(t, n, signed(t, blockhash(t, n, "processed"), v1, keys(svmtest.Key("boss")), list...))
		require.NoError(t, n.Advance(t.Context(), 1))
	}
	var got []any
	for _, row := range rows(t, n, "boss") {
		got = append(got, row.(map[string]any)["memo"])
	}
	require.Equal(t, []any{"[6] zwölf; [3] two", nil, "[5] first"}, got)
}

func TestHistoryPages(t *testing.T) {
	n := rich(t)
	var all []string
	for i := range 7 {
		all = append([]string{sent(t, n, signed(t, blockhash(t, n, "processed"), v1, keys(svmtest.Key("boss")), pay("boss", "ann", 1e6+uint64(i))))}, all...)
		if i%3 == 2 {
			require.NoError(t, n.Advance(t.Context(), 1))
		}
	}
	other := sent(t, n, signed(t, blockhash(t, n, "processed"), v1, keys(svmtest.Key("boss")), pay("boss", "bob", 1e6)))
	require.NoError(t, n.Advance(t.Context(), 1))
	page := func(c map[string]any) []string {
		c["commitment"] = "confirmed"
		out := []string{}
		for _, row := range ask(t, n, "getSignaturesForAddress", pub("ann"), c).([]any) {
			out = append(out, row.(map[string]any)["signature"].(string))
		}
		return out
	}
	require.Equal(t, all, page(map[string]any{}))
	require.Equal(t, all[:3], page(map[string]any{"limit": 3}))
	require.Equal(t, all[3:5], page(map[string]any{"limit": 2, "before": all[2]}))
	require.Equal(t, all[:4], page(map[string]any{"until": all[4]}))
	require.Equal(t, all[1:4], page(map[string]any{"before": all[0], "until": all[4]}))
	require.Equal(t, all, page(map[string]any{"before": other}), "older than a transaction of other addresses")
	require.Empty(t, page(map[string]any{"before": "unknown"}))
	require.Equal(t, all, page(map[string]any{"until": "unknown"}))
	for _, limit := range []any{0, 1001, -1, 1.5} {
		_, code := call(t, n, "getSignaturesForAddress", pub("ann"), map[string]any{"limit": limit})
		require.EqualValues(t, -32602, code, "%v", limit)
	}
}

// TestInnerInstructions creates a token account by the program for associated accounts, which calls others.
func TestInnerInstructions(t *testing.T) {
	n := rich(t)
	asset, err := n.CreateMint(t.Context(), svmtest.Key("boss"), svmtest.Key("IO"), 2)
	require.NoError(t, err)
	s := sent(t, n, signed(t, blockhash(t, n, "processed"), v1, keys(svmtest.Key("boss")), pay("boss", "ann", 1e6),
		ata.NewCreateIdempotentInstruction(pub("boss"), pub("ann"), solana.MPK(string(asset.Mint))).Build()))
	require.NoError(t, n.Advance(t.Context(), 1))
	zero := uint64(1)
	client := rpc.New(n.URL())
	got, err := client.GetTransaction(t.Context(), solana.MustSignatureFromBase58(s), &rpc.GetTransactionOpts{
		Commitment: rpc.CommitmentConfirmed, Encoding: solana.EncodingBase64, MaxSupportedTransactionVersion: &zero,
	})
	require.NoError(t, err)
	require.Nil(t, got.Meta.Err)
	require.Len(t, got.Meta.InnerInstructions, 1)
	require.EqualValues(t, 1, got.Meta.InnerInstructions[0].Index)
	tx, err := got.Transaction.GetTransaction()
	require.NoError(t, err)
	var programs []solana.PublicKey
	for _, x := range got.Meta.InnerInstructions[0].Instructions {
		require.EqualValues(t, 2, x.StackHeight)
		programs = append(programs, tx.Message.AccountKeys[x.ProgramIDIndex])
	}
	require.Contains(t, programs, solana.SystemProgramID)
	require.Contains(t, programs, solana.TokenProgramID)
	require.Contains(t, got.Meta.LogMessages[0], "invoke [1]")
}

func TestBlocks(t *testing.T) {
	n := rich(t)
	s := landed(t, n)
	require.NoError(t, n.Advance(t.Context(), 5))
	slot := status(t, n, s)["slot"].(float64)
	block := ask(t, n, "getBlock", slot, map[string]any{"commitment": "confirmed", "maxSupportedTransactionVersion": 1, "encoding": "base64"}).(map[string]any)
	require.Len(t, block["transactions"], 1)
	require.InDelta(t, slot-1, block["parentSlot"], 0)
	listed := ask(t, n, "getBlock", slot, map[string]any{"commitment": "confirmed", "transactionDetails": "signatures"}).(map[string]any)
	require.Equal(t, []any{s}, listed["signatures"])
	require.Equal(t, []any{slot, slot + 1}, ask(t, n, "getBlocks", slot, slot+1, at("confirmed")))
	require.Equal(t, []any{slot}, ask(t, n, "getBlocksWithLimit", slot, 1, at("confirmed")))
	require.Empty(t, ask(t, n, "getBlocks", slot, slot+1, at("finalized")))
	_, code := call(t, n, "getBlock", slot, at("confirmed"))
	require.EqualValues(t, -32015, code, "the client has to say that it knows version 1")
	for _, bad := range []any{slot + 1e6, "x", -1, nil} {
		_, code := call(t, n, "getBlockTime", bad)
		require.Contains(t, []float64{-32004, -32602}, code)
	}
}

// TestStatusesNeedASearch: without it a node knows the statuses of the last 300 final blocks only.
func TestStatusesNeedASearch(t *testing.T) {
	n := rich(t)
	s := landed(t, n)
	require.NoError(t, n.Advance(t.Context(), svmtest.BlocksToFinal+299))
	require.NotNil(t, statuses(t, n, s)[0])
	require.NoError(t, n.Advance(t.Context(), 1))
	require.Nil(t, statuses(t, n, s)[0])
	require.Equal(t, "finalized", status(t, n, s)["confirmationStatus"])
}

// TestOldTransactionsAreForgotten: by option the memory of a long run is bounded. Balances stay.
func TestOldTransactionsAreForgotten(t *testing.T) {
	n := svmtest.ForTest(t, svmtest.Config{KeepBlocks: 600})
	ctx := t.Context()
	require.NoError(t, n.Airdrop(ctx, svmtest.Address(svmtest.Key("boss")), 1e12))
	var all []string
	for i := range 30 {
		for k := range 100 {
			raw := signed(t, blockhash(t, n, "processed"), v1, keys(svmtest.Key("boss")), pay("boss", "ann", uint64(1e6+100*i+k)))
			all = append(all, sent(t, n, raw))
		}
		require.NoError(t, n.Advance(ctx, 100))
		s, err := n.Stats(ctx)
		require.NoError(t, err)
		require.LessOrEqual(t, s.Remembered, uint64(800))
		require.Len(t, rows(t, n, "ann"), int(min(s.Transactions-1, s.Remembered, 1000)), "after %d", i)
	}
	s, err := n.Stats(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 3001, s.Transactions, "the airdrop is one")
	require.Nil(t, status(t, n, all[0]))
	require.NotNil(t, status(t, n, all[len(all)-1]))
	require.InDelta(t, 3000*1e6+3000*2999/2, lamports(t, n, "ann", "finalized"), 0)
	_, err = n.Fork(ctx, 20, 0)
	require.NoError(t, err)
	_, err = svmtest.Start(ctx, svmtest.Config{KeepBlocks: 599})
	require.ErrorContains(t, err, "KeepBlocks is 599, want 0 or at least 600")
}

func TestEncodingsThatAreNotModelled(t *testing.T) {
	n := rich(t)
	s := landed(t, n)
	for _, encoding := range []string{"json", "jsonParsed", "base64+zstd", "constructor"} {
		c := map[string]any{"encoding": encoding, "commitment": "confirmed", "maxSupportedTransactionVersion": 1}
		for method, params := range map[string][]any{
			"getTransaction": {s, c}, "getAccountInfo": {pub("boss"), c}, "sendTransaction": {"", c}, "getMultipleAccounts": {[]any{pub("boss")}, c},
			"getBlock": {status(t, n, s)["slot"], c},
		} {
			_, code := call(t, n, method, params...)
			require.EqualValues(t, -32602, code, "%s %s", method, encoding)
		}
	}
	got, err := rpc.New(n.URL()).GetAccountInfoWithOpts(t.Context(), pub("boss"), &rpc.GetAccountInfoOpts{Encoding: solana.EncodingBase64Zstd})
	require.Error(t, err)
	require.Nil(t, got)
}

// TestClientOfOthers runs what solana-go's client can ask of a cluster.
func TestClientOfOthers(t *testing.T) {
	n := rich(t)
	ctx := t.Context()
	s := landed(t, n)
	client := rpc.New(n.URL())
	out, err := client.GetSignatureStatuses(ctx, true, solana.MustSignatureFromBase58(s))
	require.NoError(t, err)
	require.Equal(t, rpc.ConfirmationStatusConfirmed, out.Value[0].ConfirmationStatus)
	info, err := client.GetEpochInfo(ctx, rpc.CommitmentFinalized)
	require.NoError(t, err)
	require.Less(t, info.BlockHeight, info.AbsoluteSlot)
	health, err := client.GetHealth(ctx)
	require.NoError(t, err)
	require.Equal(t, "ok", health)
	schedule, err := client.GetEpochSchedule(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 432_000, schedule.SlotsPerEpoch)
	identity, err := client.GetIdentity(ctx)
	require.NoError(t, err)
	require.NotEqual(t, solana.PublicKey{}, identity.Identity)
	list, err := client.GetSignaturesForAddressWithOpts(ctx, pub("ann"), &rpc.GetSignaturesForAddressOpts{Commitment: rpc.CommitmentConfirmed})
	require.NoError(t, err)
	require.Equal(t, s, list[0].Signature.String())
	_, err = client.GetTransaction(ctx, solana.Signature{}, nil)
	require.ErrorIs(t, err, rpc.ErrNotFound)
	supply, err := client.GetTokenSupply(ctx, pub("ann"), "")
	require.Error(t, err, fmt.Sprint(supply))
}
