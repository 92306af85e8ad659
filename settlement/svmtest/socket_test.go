package svmtest_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// subscribe begins a subscription and checks its number.
func (s *socket) subscribe(kind string, id int, params string) {
	s.Helper()
	s.say(fmt.Sprintf(`{"jsonrpc":"2.0","id":9,"method":"%sSubscribe","params":[%s]}`, kind, params))
	require.EqualValues(s, id, s.hear()["result"])
}

// told returns the result of the next notification, which is of a kind.
func (s *socket) told(kind string) map[string]any {
	s.Helper()
	got := s.hear()
	require.Equal(s, kind+"Notification", got["method"])
	m, _ := got["params"].(map[string]any)["result"].(map[string]any)
	return m
}

func TestRootsAreToldOneByOne(t *testing.T) {
	n := rich(t)
	s := dial(t, n)
	s.subscribe("root", 1, "")
	root := ask(t, n, "getSlot").(float64)
	require.NoError(t, n.Advance(t.Context(), 3))
	for i := range 3 {
		require.InDelta(t, root+1+float64(i), s.hear()["params"].(map[string]any)["result"], 0)
	}
	require.NoError(t, n.Stall(t.Context(), true))
	require.NoError(t, n.Advance(t.Context(), 2))
	s.say(`{"jsonrpc":"2.0","id":4,"method":"getHealth"}`)
	require.Equal(t, "ok", s.hear()["result"], "no root while finality stalls")
	require.NoError(t, n.Stall(t.Context(), false))
	require.NoError(t, n.Advance(t.Context(), 1))
	for i := range 3 {
		require.InDelta(t, root+4+float64(i), s.hear()["params"].(map[string]any)["result"], 0)
	}
}

func TestAccountsAreToldAtTheirLevel(t *testing.T) {
	n := rich(t)
	s := dial(t, n)
	s.subscribe("account", 1, fmt.Sprintf(`%q,{"commitment":"processed","encoding":"base64"}`, pub("ann")))
	s.subscribe("account", 2, fmt.Sprintf(`%q,{"commitment":"confirmed","encoding":"base64"}`, pub("ann")))
	sent(t, n, transfer(t, n, v1))
	require.EqualValues(t, 1e6, s.told("account")["value"].(map[string]any)["lamports"])
	require.NoError(t, n.Advance(t.Context(), 1))
	require.EqualValues(t, 1e6, s.told("account")["value"].(map[string]any)["lamports"])
	_, err := n.Fork(t.Context(), 2, -1)
	require.NoError(t, err)
	require.Nil(t, s.told("account")["value"], "the fork has taken it away at both levels")
	require.Nil(t, s.told("account")["value"])
}

func TestLogsAreToldOnce(t *testing.T) {
	n := rich(t)
	require.NoError(t, n.Advance(t.Context(), svmtest.BlocksToFinal))
	old := blockhash(t, n, "finalized")
	s := dial(t, n)
	s.subscribe("logs", 1, fmt.Sprintf(`{"mentions":[%q]},{"commitment":"processed"}`, pub("ann")))
	s.subscribe("logs", 2, `"all",{"commitment":"confirmed"}`)
	boss := keys(svmtest.Key("boss"))
	a := sent(t, n, signed(t, old, v1, boss, pay("boss", "ann", 1e6)))
	b := sent(t, n, signed(t, old, v1, boss, pay("boss", "bob", 1e6)))
	c := sent(t, n, signed(t, old, v1, boss, pay("boss", "ann", 2e6)))
	signature := func() any {
		v := s.told("logs")["value"].(map[string]any)
		require.NotEmpty(t, v["logs"])
		return v["signature"]
	}
	require.Equal(t, a, signature())
	require.Equal(t, c, signature())
	require.NoError(t, n.Advance(t.Context(), 1))
	require.Equal(t, []any{a, b, c}, []any{signature(), signature(), signature()})
	_, err := n.Fork(t.Context(), 2, 0)
	require.NoError(t, err)
	require.Equal(t, []any{a, c}, []any{signature(), signature()}, "in the new block again")
	require.NoError(t, n.Advance(t.Context(), 1))
	require.Equal(t, []any{a, b, c}, []any{signature(), signature(), signature()})
	d := sent(t, n, signed(t, old, v1, boss, pay("boss", "ann", 3e6)))
	require.Equal(t, d, signature())
	_, err = n.Fork(t.Context(), 1, 0)
	require.NoError(t, err)
	require.Equal(t, d, signature(), "in place of the block in which it was told")
	s.say(`{"jsonrpc":"2.0","id":4,"method":"getHealth"}`)
	require.Equal(t, "ok", s.hear()["result"])
}

func TestSubscriptionsRefused(t *testing.T) {
	n := rich(t)
	s := dial(t, n)
	for _, q := range []string{
		`"accountSubscribe","params":["x"]`, `"accountSubscribe"`, `"signatureSubscribe","params":[7]`, `"logsSubscribe","params":[{"mentions":[]}]`,
		`"logsSubscribe","params":["some"]`, `"slotSubscribe","params":[0,{"commitment":"sure"}]`,
	} {
		s.say(`{"jsonrpc":"2.0","id":1,"method":` + q + `}`)
		require.EqualValues(t, -32602, s.hear()["error"].(map[string]any)["code"], q)
	}
	s.say(`{"jsonrpc":"2.0","id":1,"method":"voteSubscribe"}`)
	require.EqualValues(t, -32601, s.hear()["error"].(map[string]any)["code"])
	s.say(`{"jsonrpc":"2.0","id":1,"method":"slotUnsubscribe","params":[99]}`)
	require.Equal(t, false, s.hear()["result"])
}

// TestFaultsOfSubscriptions: over a websocket, what HTTP says with a status ends the connection.
func TestFaultsOfSubscriptions(t *testing.T) {
	n := rich(t)
	s := dial(t, n)
	inject(t, n, "slotSubscribe", svmtest.NodeUnhealthy, 0)
	s.say(`{"jsonrpc":"2.0","id":1,"method":"slotSubscribe"}`)
	require.EqualValues(t, -32005, s.hear()["error"].(map[string]any)["code"])
	inject(t, n, "slotSubscribe", svmtest.HangBefore, 0)
	s.say(`{"jsonrpc":"2.0","id":1,"method":"slotSubscribe"}`)
	s.say(`{"jsonrpc":"2.0","id":2,"method":"getHealth"}`)
	require.Equal(t, "ok", s.hear()["result"], "the subscription is not answered")
	inject(t, n, "getHealth", svmtest.Unavailable, 0)
	s.say(`{"jsonrpc":"2.0","id":2,"method":"getHealth"}`)
	_, err := s.r.ReadByte()
	require.Error(t, err)
}
