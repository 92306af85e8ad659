package svmtest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

func TestForkTakesEverythingAway(t *testing.T) {
	n := rich(t)
	ctx := t.Context()
	require.NoError(t, n.Advance(ctx, svmtest.BlocksToFinal))
	old := blockhash(t, n, "processed")
	require.NoError(t, n.Advance(ctx, 1))
	fresh := blockhash(t, n, "processed")
	signature := sent(t, n, signed(t, old, v1, keys(svmtest.Key("boss")), pay("boss", "ann", 1e6)))
	require.NoError(t, n.Advance(ctx, 2))
	slot, height := ask(t, n, "getSlot", at("processed")).(float64), ask(t, n, "getBlockHeight", at("processed")).(float64)
	require.Equal(t, "confirmed", status(t, n, signature)["confirmationStatus"])

	dropped, err := n.Fork(ctx, 3, -1)
	require.NoError(t, err)
	require.Equal(t, []string{signature}, dropped)
	require.Nil(t, status(t, n, signature))
	require.Nil(t, transaction(t, n, signature))
	require.Empty(t, rows(t, n, "ann"))
	for _, level := range []string{"processed", "confirmed", "finalized"} {
		require.Zero(t, lamports(t, n, "ann", level))
		require.InDelta(t, 1e12, lamports(t, n, "boss", level), 0)
	}
	require.Equal(t, false, value(t, ask(t, n, "isBlockhashValid", fresh, at("processed"))))
	require.Equal(t, true, value(t, ask(t, n, "isBlockhashValid", old, at("processed"))))
	require.InDelta(t, slot+1, ask(t, n, "getSlot", at("processed")), 0, "slots are skipped, not used again")
	require.InDelta(t, height-2, ask(t, n, "getBlockHeight", at("processed")), 0)
	_, code := call(t, n, "getBlock", slot, map[string]any{"commitment": "confirmed", "transactionDetails": "none"})
	require.EqualValues(t, -32004, code, "not there yet")
	require.NoError(t, n.Advance(ctx, 2))
	_, code = call(t, n, "getBlock", slot, map[string]any{"commitment": "confirmed", "transactionDetails": "none"})
	require.EqualValues(t, -32007, code, "skipped")
	parent := ask(t, n, "getBlock", slot+1, map[string]any{"commitment": "confirmed", "transactionDetails": "none"}).(map[string]any)["parentSlot"]
	require.InDelta(t, slot-3, parent, 0)
	s, err := n.Stats(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 1, s.Forks)
}

func TestDroppedTransactionsMayComeAgain(t *testing.T) {
	for _, row := range []struct {
		name   string
		replay int
		fresh  bool // with the blockhash of a block that is dropped
		after  int  // blocks until it is there, -1: never
	}{
		{"at once", 0, false, 0},
		{"later", 3, false, 3},
		{"never", -1, false, -1},
		{"with a blockhash that is no more", 3, true, -1},
		{"after its blockhash has expired", 151, false, -1},
	} {
		t.Run(row.name, func(t *testing.T) {
			n := rich(t)
			ctx := t.Context()
			require.NoError(t, n.Advance(ctx, svmtest.BlocksToFinal))
			hash := blockhash(t, n, "processed")
			require.NoError(t, n.Advance(ctx, 1))
			if row.fresh {
				hash = blockhash(t, n, "processed")
			}
			signature := sent(t, n, signed(t, hash, v1, keys(svmtest.Key("boss")), pay("boss", "ann", 1e6)))
			_, err := n.Fork(ctx, 1, row.replay)
			require.NoError(t, err)
			for blocks := range 160 {
				require.Equal(t, row.after >= 0 && blocks >= row.after, status(t, n, signature) != nil, "after %d blocks", blocks)
				require.NoError(t, n.Advance(ctx, 1))
			}
			want := 0.0
			if row.after >= 0 {
				want = 1e6
			}
			require.Equal(t, want, lamports(t, n, "ann", "finalized"))
		})
	}
}

func TestFinalBlocksAreNeverDropped(t *testing.T) {
	n := rich(t)
	ctx := t.Context()
	signature := sent(t, n, transfer(t, n, v1))
	require.NoError(t, n.Advance(ctx, svmtest.BlocksToFinal))
	final := ask(t, n, "getSlot")
	for range 3 {
		dropped, err := n.Fork(ctx, 1000, 0)
		require.NoError(t, err)
		require.Empty(t, dropped)
		require.Equal(t, final, ask(t, n, "getSlot"), "finality does not move back")
		require.Equal(t, "finalized", status(t, n, signature)["confirmationStatus"])
		require.InDelta(t, 1e6, lamports(t, n, "ann", "finalized"), 0)
	}
	require.InDelta(t, 1, ask(t, n, "getBlockHeight", at("processed")).(float64)-ask(t, n, "getBlockHeight").(float64), 0)
	require.NoError(t, n.Advance(ctx, svmtest.BlocksToFinal-1))
	require.Equal(t, final, ask(t, n, "getSlot"))
	require.NoError(t, n.Advance(ctx, 1))
	require.Greater(t, ask(t, n, "getSlot"), final)
}

func TestForkUndoesAccountsMadeByHand(t *testing.T) {
	n := rich(t)
	ctx := t.Context()
	ann := svmtest.Address(svmtest.Key("ann"))
	require.NoError(t, n.SetAccount(ctx, ann, svmtest.Account{Lamports: 5, Data: []byte{1}}))
	require.NoError(t, n.SetAccount(ctx, ann, svmtest.Account{Lamports: 6, Data: []byte{2}}))
	require.NoError(t, n.Advance(ctx, 1))
	require.NoError(t, n.SetAccount(ctx, ann, svmtest.Account{}))
	_, found, err := n.AccountAt(ctx, ann)
	require.NoError(t, err)
	require.False(t, found)
	_, err = n.Fork(ctx, 1, 0)
	require.NoError(t, err)
	a, found, err := n.AccountAt(ctx, ann)
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, svmtest.Account{Lamports: 6, Owner: "11111111111111111111111111111111", Data: []byte{2}}, a)
	_, err = n.Fork(ctx, 2, 0)
	require.NoError(t, err)
	_, found, err = n.AccountAt(ctx, ann)
	require.NoError(t, err)
	require.False(t, found)
}

func TestFinalityStalls(t *testing.T) {
	n := rich(t)
	ctx := t.Context()
	signature := sent(t, n, transfer(t, n, v1))
	require.NoError(t, n.Stall(ctx, true))
	final := ask(t, n, "getBlockHeight").(float64)
	require.NoError(t, n.Advance(ctx, 400))
	require.Equal(t, final, ask(t, n, "getBlockHeight"))
	require.Equal(t, "confirmed", status(t, n, signature)["confirmationStatus"])
	require.Zero(t, lamports(t, n, "ann", "finalized"))
	dropped, err := n.Fork(ctx, 1000, -1) // as deep as a stall allows
	require.NoError(t, err)
	require.Equal(t, signature, dropped[len(dropped)-1])
	require.NoError(t, n.Advance(ctx, 100))
	require.NoError(t, n.Stall(ctx, false))
	require.Equal(t, final, ask(t, n, "getBlockHeight"))
	require.NoError(t, n.Advance(ctx, 1))
	tip := ask(t, n, "getBlockHeight", at("processed")).(float64)
	require.InDelta(t, tip-svmtest.BlocksToFinal, ask(t, n, "getBlockHeight"), 0, "it catches up at once")
}

// TestHistoriesAreDeterministic makes the same calls twice, forks, faults and late landings among them.
func TestHistoriesAreDeterministic(t *testing.T) {
	history := func() []any {
		n := svmtest.ForTest(t, svmtest.Config{Endpoints: 2})
		ctx := t.Context()
		require.NoError(t, n.Airdrop(ctx, svmtest.Address(svmtest.Key("boss")), 1e12))
		require.NoError(t, n.Advance(ctx, svmtest.BlocksToFinal))
		require.NoError(t, n.Inject(ctx, svmtest.Fault{Endpoint: -1, Method: "sendTransaction", Skip: 2, Count: 3, Do: svmtest.LandLate, Blocks: 4},
			svmtest.Fault{Method: "sendTransaction", Skip: 6, Do: svmtest.AcceptedAndDropped}))
		var out []any
		for i := range 12 {
			send(t, n, "sendTransaction", signed(t, blockhash(t, n, "confirmed"), v1, keys(svmtest.Key("boss")), pay("boss", "ann", 1e6)))
			require.NoError(t, n.Advance(ctx, i%3))
			if i%4 == 3 {
				dropped, err := n.Fork(ctx, i%5, i%3)
				require.NoError(t, err)
				out = append(out, dropped)
			}
		}
		require.NoError(t, n.Advance(ctx, 50))
		s, err := n.Stats(ctx)
		require.NoError(t, err)
		return append(out, rows(t, n, "ann"), blockhash(t, n, "processed"), lamports(t, n, "ann", "finalized"), s)
	}
	first := history()
	require.Equal(t, first, history())
	require.NotEmpty(t, first[len(first)-4])
}
