package svmtest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// from makes one call to an endpoint.
func from(t testing.TB, n *svmtest.Node, i int, method string, params ...any) any {
	t.Helper()
	result, _, code := post(t, n.URLs()[i], method, params...).rpc(t)
	require.Zero(t, code, method)
	return result
}

func TestEndpointsShareOneChain(t *testing.T) {
	n := svmtest.ForTest(t, svmtest.Config{Endpoints: 3})
	require.Len(t, n.URLs(), 3)
	require.Len(t, n.WebsocketURLs(), 3)
	require.Equal(t, n.URL(), n.URLs()[0])
	require.NoError(t, n.Airdrop(t.Context(), svmtest.Address(svmtest.Key("ann")), 5))
	require.NoError(t, n.SetEndpoint(t.Context(), 1, svmtest.Endpoint{Lag: 10}))
	require.NoError(t, n.Advance(t.Context(), 9))
	height := func(i int, level string) float64 { return from(t, n, i, "getBlockHeight", at(level)).(float64) }
	for _, level := range []string{"processed", "confirmed", "finalized"} {
		require.InDelta(t, height(0, level), height(2, level), 0)
	}
	require.InDelta(t, 10, height(0, "processed")-height(1, "processed"), 0)
	require.InDelta(t, 10, height(0, "confirmed")-height(1, "confirmed"), 0)
	balance := func(i int) any { return value(t, from(t, n, i, "getBalance", pub("ann"), at("processed"))) }
	require.EqualValues(t, 5, balance(0))
	require.EqualValues(t, 0, balance(1))
	require.NoError(t, n.Advance(t.Context(), 1))
	require.EqualValues(t, 5, balance(1))
}

// TestLaggingEndpointNeverTakesFinalityBack forks below an endpoint that is behind.
func TestLaggingEndpointNeverTakesFinalityBack(t *testing.T) {
	n := svmtest.ForTest(t, svmtest.Config{Endpoints: 2})
	ctx := t.Context()
	require.NoError(t, n.SetEndpoint(ctx, 1, svmtest.Endpoint{Lag: 7}))
	require.NoError(t, n.Advance(ctx, 100))
	for depth := range 40 {
		final := from(t, n, 1, "getSlot")
		_, err := n.Fork(ctx, depth, 0)
		require.NoError(t, err)
		require.GreaterOrEqual(t, from(t, n, 1, "getSlot"), final)
		require.GreaterOrEqual(t, from(t, n, 1, "getSlot", at("processed")), from(t, n, 1, "getSlot"))
		require.NoError(t, n.Advance(ctx, depth))
	}
}

func TestEndpointThatForgets(t *testing.T) {
	n := rich(t)
	s := landed(t, n)
	require.NoError(t, n.SetEndpoint(t.Context(), 0, svmtest.Endpoint{ForgetStatuses: true}))
	require.Nil(t, status(t, n, s))
	require.NotNil(t, transaction(t, n, s))
	require.NoError(t, n.SetEndpoint(t.Context(), 0, svmtest.Endpoint{ForgetTransactions: true}))
	require.NotNil(t, status(t, n, s))
	require.Nil(t, transaction(t, n, s))
	require.Empty(t, rows(t, n, "ann"))
	require.NoError(t, n.SetEndpoint(t.Context(), 0, svmtest.Endpoint{}))
	require.NotNil(t, transaction(t, n, s))
	require.Len(t, rows(t, n, "ann"), 1)
}

func TestEndpointThatCallsTheSlotAHeight(t *testing.T) {
	n := svmtest.ForTest(t, svmtest.Config{})
	require.Greater(t, ask(t, n, "getSlot").(float64), ask(t, n, "getBlockHeight").(float64)+150)
	require.NoError(t, n.SetEndpoint(t.Context(), 0, svmtest.Endpoint{SlotAsHeight: true}))
	for _, level := range []string{"processed", "confirmed", "finalized"} {
		require.Equal(t, ask(t, n, "getSlot", at(level)), ask(t, n, "getBlockHeight", at(level)))
		info := ask(t, n, "getEpochInfo", at(level)).(map[string]any)
		require.Equal(t, info["absoluteSlot"], info["blockHeight"])
	}
}

func TestMinContextSlot(t *testing.T) {
	n := rich(t)
	s := landed(t, n)
	slot := ask(t, n, "getSlot", at("processed")).(float64)
	for _, row := range []struct {
		method string
		first  any
		level  string
	}{
		{"getSignatureStatuses", []string{s}, "processed"},
		{"getTransaction", s, "confirmed"},
		{"getSignaturesForAddress", pub("ann"), "confirmed"},
		{"getAccountInfo", pub("ann"), "processed"},
		{"getTokenAccountsByOwner", pub("ann"), "processed"},
	} {
		top := slot
		if row.level == "confirmed" {
			top--
		}
		for above, code := range map[float64]float64{0: 0, 1: -32016} {
			c := map[string]any{"commitment": row.level, "minContextSlot": top + above, "maxSupportedTransactionVersion": 1}
			params := []any{row.first, c}
			if row.method == "getTokenAccountsByOwner" {
				params = []any{row.first, map[string]any{"programId": "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"}, c}
			}
			_, got := call(t, n, row.method, params...)
			require.Equal(t, code, got, "%s %+v", row.method, above)
		}
	}
	require.NoError(t, n.SetEndpoint(t.Context(), 0, svmtest.Endpoint{RefuseMinContextSlot: true}))
	c := map[string]any{"minContextSlot": 1}
	_, code := call(t, n, "getSignatureStatuses", []string{s}, c)
	require.EqualValues(t, -32602, code)
	_, code = call(t, n, "getTransaction", s, c)
	require.EqualValues(t, -32602, code)
	_, code = call(t, n, "getAccountInfo", pub("ann"), c)
	require.Zero(t, code)
}

// TestEndpointBehindAStall reads through an endpoint that has not yet seen a long stall of finality end.
func TestEndpointBehindAStall(t *testing.T) {
	n := svmtest.ForTest(t, svmtest.Config{Endpoints: 2})
	ctx := t.Context()
	ann := svmtest.Address(svmtest.Key("ann"))
	require.NoError(t, n.SetEndpoint(ctx, 1, svmtest.Endpoint{Lag: 300}))
	require.NoError(t, n.Airdrop(ctx, ann, 1))
	require.NoError(t, n.Stall(ctx, true))
	for range 30 {
		require.NoError(t, n.Advance(ctx, 100))
		require.NoError(t, n.Airdrop(ctx, ann, 1))
	}
	require.NoError(t, n.Stall(ctx, false))
	require.NoError(t, n.Advance(ctx, 100))
	balance := func(i int, level string) any { return value(t, from(t, n, i, "getBalance", ann, at(level))) }
	require.EqualValues(t, 31, balance(0, "finalized"))
	require.EqualValues(t, 29, balance(1, "processed"), "the last two are not in sight")
	require.EqualValues(t, 0, balance(1, "finalized"), "nothing was final 300 blocks ago")
	inject(t, n, "getBalance", svmtest.Stale, 300)
	require.EqualValues(t, 29, balance(0, "processed"), "stale by as much")
	require.EqualValues(t, 31, balance(0, "processed"))
	_, err := n.Fork(ctx, 1000, 0)
	require.NoError(t, err)
	require.EqualValues(t, 31, balance(0, "finalized"))
}
