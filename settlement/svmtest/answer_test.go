package svmtest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// ask makes one call and returns the result.
func ask(t testing.TB, n *svmtest.Node, method string, params ...any) any {
	t.Helper()
	result, code := call(t, n, method, params...)
	require.Zero(t, code, method)
	return result
}

// statuses are the values of getSignatureStatuses.
func statuses(t testing.TB, n *svmtest.Node, signatures ...string) []any {
	t.Helper()
	return value(t, ask(t, n, "getSignatureStatuses", signatures)).([]any)
}

// rows are the rows of getSignaturesForAddress of a name.
func rows(t testing.TB, n *svmtest.Node, name string) []any {
	t.Helper()
	return ask(t, n, "getSignaturesForAddress", pub(name).String(), at("confirmed")).([]any)
}

// transaction asks for a transaction at the level confirmed: nil, or its object.
func transaction(t testing.TB, n *svmtest.Node, signature string) map[string]any {
	t.Helper()
	c := map[string]any{"commitment": "confirmed", "maxSupportedTransactionVersion": 1, "encoding": "base64"}
	m, _ := ask(t, n, "getTransaction", signature, c).(map[string]any)
	return m
}

// landed executes one transfer from the boss to ann, and adds a block.
func landed(t testing.TB, n *svmtest.Node) string {
	t.Helper()
	signature := sent(t, n, transfer(t, n, v1))
	require.NoError(t, n.Advance(t.Context(), 1))
	return signature
}

// edited are the actions that change what an endpoint says.
func edited() map[svmtest.Action]func(*testing.T, *svmtest.Node) {
	return map[svmtest.Action]func(*testing.T, *svmtest.Node){
		svmtest.NullResult: func(t *testing.T, n *svmtest.Node) {
			a, done := met(t, n, svmtest.NullResult, 0)
			result, _, code := a.rpc(t)
			require.Nil(t, result)
			require.Zero(t, code)
			require.True(t, done)
		},
		svmtest.RepeatedReply: func(t *testing.T, n *svmtest.Node) {
			before := ask(t, n, "getSlot", at("processed"))
			require.NoError(t, n.Advance(t.Context(), 5))
			inject(t, n, "getSlot", svmtest.RepeatedReply, 0)
			require.Equal(t, before, ask(t, n, "getSlot", at("processed")))
			require.InDelta(t, 5, ask(t, n, "getSlot", at("processed")).(float64)-before.(float64), 0)
		},
		svmtest.Stale: func(t *testing.T, n *svmtest.Node) {
			landed(t, n)
			inject(t, n, "getBalance", svmtest.Stale, 2)
			require.Zero(t, lamports(t, n, "ann", "processed"))
			require.InDelta(t, 1e6, lamports(t, n, "ann", "processed"), 0)
		},
		svmtest.AheadContext: func(t *testing.T, n *svmtest.Node) {
			context := func() float64 {
				return ask(t, n, "getSignatureStatuses", []string{}).(map[string]any)["context"].(map[string]any)["slot"].(float64)
			}
			before := context()
			inject(t, n, "getSignatureStatuses", svmtest.AheadContext, 7)
			require.InDelta(t, before+7, context(), 0)
		},
		svmtest.NullStatus: func(t *testing.T, n *svmtest.Node) {
			s := landed(t, n)
			inject(t, n, "", svmtest.NullStatus, 0)
			require.NotNil(t, transaction(t, n, s), "concerns the one method only")
			require.Equal(t, []any{nil, nil}, statuses(t, n, s, s))
			require.NotContains(t, statuses(t, n, s, s), nil)
		},
		svmtest.EarlyFinal: func(t *testing.T, n *svmtest.Node) {
			s := landed(t, n)
			inject(t, n, "", svmtest.EarlyFinal, 0)
			got := statuses(t, n, s, "unknown")
			require.Equal(t, "finalized", got[0].(map[string]any)["confirmationStatus"])
			require.Nil(t, got[0].(map[string]any)["confirmations"])
			require.Nil(t, got[1])
			require.Equal(t, "confirmed", status(t, n, s)["confirmationStatus"])
		},
		svmtest.NullTransaction: func(t *testing.T, n *svmtest.Node) {
			s := landed(t, n)
			inject(t, n, "", svmtest.NullTransaction, 0)
			require.NotNil(t, status(t, n, s), "concerns the one method only")
			require.Nil(t, transaction(t, n, s))
			require.NotNil(t, transaction(t, n, s))
		},
		svmtest.NoMeta: func(t *testing.T, n *svmtest.Node) {
			s := landed(t, n)
			inject(t, n, "getTransaction", svmtest.NoMeta, 0)
			got := transaction(t, n, s)
			require.Contains(t, got, "meta")
			require.Nil(t, got["meta"])
			require.NotEmpty(t, got["transaction"])
			require.NotNil(t, transaction(t, n, s)["meta"])
		},
		svmtest.HiddenError: func(t *testing.T, n *svmtest.Node) {
			s := sent(t, n, signed(t, blockhash(t, n, "processed"), v1, keys(svmtest.Key("boss")), pay("boss", "ann", 1e15)))
			require.NoError(t, n.Advance(t.Context(), 1))
			require.NotNil(t, status(t, n, s)["err"])
			inject(t, n, "getSignatureStatuses", svmtest.HiddenError, 0)
			require.Nil(t, statuses(t, n, s)[0].(map[string]any)["err"])
			require.NotNil(t, status(t, n, s)["err"])
			seen, err := n.Stats(t.Context())
			require.NoError(t, err)
			require.EqualValues(t, 1, seen.Faults[svmtest.HiddenError])
		},
		svmtest.NullAccount: func(t *testing.T, n *svmtest.Node) {
			inject(t, n, "", svmtest.NullAccount, 0)
			require.NotZero(t, lamports(t, n, "boss", "finalized"), "concerns two methods only")
			all := func() []any {
				return value(t, ask(t, n, "getMultipleAccounts", []any{pub("boss"), pub("boss")})).([]any)
			}
			require.Equal(t, []any{nil, nil}, all())
			require.NotContains(t, all(), nil)
		},
		svmtest.EmptyHistory: func(t *testing.T, n *svmtest.Node) {
			landed(t, n)
			inject(t, n, "", svmtest.EmptyHistory, 0)
			require.Equal(t, []any{}, rows(t, n, "ann"))
			require.Len(t, rows(t, n, "ann"), 1)
		},
		svmtest.ShortList: func(t *testing.T, n *svmtest.Node) {
			landed(t, n)
			landed(t, n)
			landed(t, n)
			all := rows(t, n, "ann")
			require.Len(t, all, 3)
			inject(t, n, "getSignaturesForAddress", svmtest.ShortList, 0)
			require.Equal(t, all[:1], rows(t, n, "ann"), "the newest stay")
		},
		svmtest.SlotAsHeight: func(t *testing.T, n *svmtest.Node) {
			height := ask(t, n, "getBlockHeight")
			inject(t, n, "getBlockHeight", svmtest.SlotAsHeight, 0)
			require.Equal(t, ask(t, n, "getSlot"), ask(t, n, "getBlockHeight"))
			require.Equal(t, height, ask(t, n, "getBlockHeight"))
		},
	}
}

// TestOtherAnswersOfOneAction asks the other methods that an action concerns.
func TestOtherAnswersOfOneAction(t *testing.T) {
	n := rich(t)
	failed := sent(t, n, signed(t, blockhash(t, n, "processed"), v1, keys(svmtest.Key("boss")), pay("boss", "ann", 1e15)))
	require.NoError(t, n.Advance(t.Context(), 1))
	for range 2 {
		require.NoError(t, n.Inject(t.Context(), svmtest.Fault{Method: "getTransaction", Do: svmtest.HiddenError},
			svmtest.Fault{Method: "getSignaturesForAddress", Do: svmtest.HiddenError}))
		require.Nil(t, transaction(t, n, failed)["meta"].(map[string]any)["err"])
		require.NotNil(t, transaction(t, n, failed)["meta"].(map[string]any)["err"])
		require.Nil(t, rows(t, n, "ann")[0].(map[string]any)["err"])
		require.NotNil(t, rows(t, n, "ann")[0].(map[string]any)["err"])
	}
	inject(t, n, "getEpochInfo", svmtest.SlotAsHeight, 0)
	info := ask(t, n, "getEpochInfo").(map[string]any)
	require.Equal(t, info["absoluteSlot"], info["blockHeight"])
	inject(t, n, "getAccountInfo", svmtest.NullAccount, 0)
	require.Nil(t, value(t, ask(t, n, "getAccountInfo", pub("boss"), at("processed"))))
	inject(t, n, "getMultipleAccounts", svmtest.ShortList, 0)
	require.Len(t, value(t, ask(t, n, "getMultipleAccounts", []any{pub("boss"), pub("boss"), pub("boss")})), 1)
	inject(t, n, "simulateTransaction", svmtest.BlockhashNotFound, 0)
	_, code := call(t, n, "simulateTransaction", b64(transfer(t, n, v1)), map[string]any{"encoding": "base64"})
	require.EqualValues(t, -32002, code)
	inject(t, n, "getSlot", svmtest.RepeatedReply, 0)
	require.Nil(t, ask(t, n, "getSlot"), "there was none before")
	require.NoError(t, n.Inject(t.Context(), svmtest.Fault{Method: "sendTransaction", Do: svmtest.DeliveredTwice}))
	sent(t, n, transfer(t, n, v1))
	require.InDelta(t, 1e6, lamports(t, n, "ann", "processed"), 0, "once")
}
