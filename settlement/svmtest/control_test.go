package svmtest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/gagliardetto/solana-go"
	"github.com/gagliardetto/solana-go/programs/memo"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

func TestSetAccount(t *testing.T) {
	n := svmtest.ForTest(t, svmtest.Config{})
	ctx := t.Context()
	ann := svmtest.Address(svmtest.Key("ann"))
	want := svmtest.Account{Lamports: 1<<53 - 1, Owner: "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA", Data: make([]byte, 1<<20)}
	require.NoError(t, n.SetAccount(ctx, ann, want))
	got, found, err := n.AccountAt(ctx, ann)
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, want, got)
	require.Zero(t, lamports(t, n, "ann", "finalized"), "it is in the newest block")
	require.NoError(t, n.Advance(ctx, svmtest.BlocksToFinal))
	require.EqualValues(t, 1<<53-1, lamports(t, n, "ann", "finalized"))
	for name, row := range map[string]struct {
		address settlement.Account
		account svmtest.Account
	}{
		"Lamports is 9007199254740992, the limit is 9007199254740991": {ann, svmtest.Account{Lamports: 1 << 53}},
		"WrongSize": {"1", svmtest.Account{}},
		"Invalid":   {ann, svmtest.Account{Owner: "0"}},
		"invalid account data": {ann, svmtest.Account{
			Lamports: 1, Owner: "BPFLoader2111111111111111111111111111111111", Data: []byte("x"), Executable: true,
		}},
		"Invalid Clock sysvar data":     {"SysvarC1ock11111111111111111111111111111111", svmtest.Account{Lamports: 1}},
		"svmtest: set 1 accounts: erro": {"", svmtest.Account{}},
	} {
		require.ErrorContains(t, n.SetAccount(ctx, row.address, row.account), name)
	}
	require.EqualValues(t, 1<<53-1, lamports(t, n, "ann", "processed"))
	_, _, err = n.AccountAt(ctx, "x")
	require.ErrorContains(t, err, `read account "x"`)
}

// TestAddProgram puts a copy of the memo program at another address and calls it.
func TestAddProgram(t *testing.T) {
	n := rich(t)
	ctx := t.Context()
	elf, found, err := n.AccountAt(ctx, settlement.Account(solana.MemoProgramID.String()))
	require.NoError(t, err)
	require.True(t, found)
	require.True(t, elf.Executable)
	require.NoError(t, n.AddProgram(ctx, svmtest.Address(svmtest.Key("program")), elf.Data))
	_, err = n.Fork(ctx, 1000, 0)
	require.NoError(t, err)
	data, err := memo.NewMemoInstruction([]byte("hello"), pub("boss")).Build().Data()
	require.NoError(t, err)
	require.NoError(t, n.Airdrop(ctx, svmtest.Address(svmtest.Key("boss")), 1e12), "the fork took the first one away")
	require.NoError(t, n.Advance(ctx, 1)) // a program can be called in the block after it came
	s := sent(t, n, signed(t, blockhash(t, n, "processed"), v1, keys(svmtest.Key("boss")),
		solana.NewInstruction(pub("program"), solana.AccountMetaSlice{solana.Meta(pub("boss")).SIGNER()}, data)))
	require.Nil(t, status(t, n, s)["err"])
	require.NoError(t, n.Advance(ctx, 1))
	require.Contains(t, fmt.Sprint(transaction(t, n, s)["meta"].(map[string]any)["logMessages"]), "hello")
	require.ErrorContains(t, n.AddProgram(ctx, svmtest.Address(svmtest.Key("program")), []byte("hello")), "add program")
	require.ErrorContains(t, n.AddProgram(ctx, "x", elf.Data), "add program")
}

func TestStats(t *testing.T) {
	n := rich(t)
	ctx := t.Context()
	landed(t, n)
	sent(t, n, signed(t, blockhash(t, n, "processed"), v1, keys(svmtest.Key("boss")), pay("boss", "ann", 1e15)))
	require.NoError(t, n.Inject(ctx, svmtest.Fault{Method: "sendTransaction", Do: svmtest.LandLate, Blocks: 9}))
	sent(t, n, transfer(t, n, v1))
	s, err := n.Stats(ctx)
	require.NoError(t, err)
	slot := uint64(ask(t, n, "getSlot", at("processed")).(float64))
	require.Equal(t, svmtest.Stats{
		Height: 33, FinalHeight: 2, Slot: slot, Transactions: 3, Failed: 1, InFlight: 1, Remembered: 3,
		Calls:  map[string]uint64{"getLatestBlockhash": 3, "sendTransaction": 3},
		Faults: map[svmtest.Action]uint64{svmtest.LandLate: 1},
	}, s)
	require.NoError(t, n.Advance(ctx, 9))
	late, err := n.Stats(ctx)
	require.NoError(t, err)
	require.Zero(t, late.InFlight)
	require.EqualValues(t, 4, late.Transactions)
	text, err := json.Marshal(s)
	require.NoError(t, err)
	var back svmtest.Stats
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, s, back)
	require.Equal(t, []string{"getLatestBlockhash", "sendTransaction"}, slices.Sorted(maps.Keys(s.Calls)))
}

func TestControlRefused(t *testing.T) {
	n := rich(t)
	ctx := t.Context()
	require.ErrorContains(t, n.Advance(ctx, -1), "blocks, 0 to 1000000")
	require.ErrorContains(t, n.Advance(ctx, 1_000_001), "blocks, 0 to 1000000")
	_, err := n.Fork(ctx, -1, 0)
	require.ErrorContains(t, err, "depth, 0 to")
	_, err = n.Fork(ctx, 1, 1_000_001)
	require.ErrorContains(t, err, "replay")
	for _, params := range [][]any{{[]any{map[string]any{"do": "nonsense"}}}, {7}, nil} {
		_, code := call(t, n, "svm_inject", params...)
		require.NotZero(t, code)
	}
	for method, params := range map[string][]any{
		"svm_stall": {1}, "svm_setV1": {nil}, "svm_setEndpoint": {9, map[string]any{}}, "svm_setAccounts": {[]any{nil}}, "svm_tokens": {[]any{"x"}},
		"svm_addProgram": {pub("x"), 7}, "svm_account": {}, "svm_setRent": {"1"}, "svm_fork": {},
	} {
		_, code := call(t, n, method, params...)
		require.NotZero(t, code, method)
	}
	require.InDelta(t, 1e12, lamports(t, n, "boss", "processed"), 0)
}

func TestEndpointsRefused(t *testing.T) {
	for _, count := range []int{-1, 17} {
		_, err := svmtest.Start(t.Context(), svmtest.Config{Endpoints: count})
		require.ErrorContains(t, err, "want 1 to 16")
	}
	n := svmtest.ForTest(t, svmtest.Config{Endpoints: 16})
	seen := map[string]bool{}
	for _, url := range n.URLs() {
		seen[url] = true
		require.Equal(t, 200, post(t, url, "getSlot").status)
	}
	require.Len(t, seen, 16)
}
