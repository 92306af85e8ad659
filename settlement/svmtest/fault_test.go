package svmtest_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// met sends a transaction that meets an action, and returns the answer, and whether it was executed.
func met(t *testing.T, n *svmtest.Node, do svmtest.Action, blocks int) (answer, bool) {
	t.Helper()
	require.NoError(t, n.Inject(t.Context(), svmtest.Fault{Method: "sendTransaction", Do: do, Blocks: blocks}))
	raw := transfer(t, n, v1)
	require.NoError(t, n.Advance(t.Context(), 1)) // so that a fork of one block leaves the blockhash
	a := post(t, n.URL(), "sendTransaction", b64(raw), map[string]any{"encoding": "base64", "skipPreflight": true})
	_, code := send(t, n, "sendTransaction", []byte{1})
	require.EqualValues(t, -32602, code, "the next call meets nothing")
	return a, lamports(t, n, "ann", "processed") > 0
}

// statusOnly is a row whose answer is a status of HTTP and no JSON-RPC.
func statusOnly(do svmtest.Action, code int, executed bool) func(*testing.T, *svmtest.Node) {
	return func(t *testing.T, n *svmtest.Node) {
		a, done := met(t, n, do, 0)
		require.NoError(t, a.err)
		require.Equal(t, code, a.status)
		require.Equal(t, executed, done)
	}
}

// refused is a row whose answer is an error of JSON-RPC.
func refused(do svmtest.Action, code float64, executed bool) func(*testing.T, *svmtest.Node) {
	return func(t *testing.T, n *svmtest.Node) {
		a, done := met(t, n, do, 0)
		_, _, got := a.rpc(t)
		require.Equal(t, code, got)
		require.Equal(t, executed, done)
	}
}

// reset is a row whose connection is reset.
func reset(do svmtest.Action, executed bool) func(*testing.T, *svmtest.Node) {
	return func(t *testing.T, n *svmtest.Node) {
		a, done := met(t, n, do, 0)
		require.Error(t, a.err)
		require.Equal(t, executed, done)
	}
}

// hang is a row whose answer does not come before the client gives up.
func hang(do svmtest.Action, executed bool) func(*testing.T, *svmtest.Node) {
	return func(t *testing.T, n *svmtest.Node) {
		require.NoError(t, n.Inject(t.Context(), svmtest.Fault{Method: "sendTransaction", Do: do}))
		body := `{"jsonrpc":"2.0","id":7,"method":"sendTransaction","params":["` + b64(transfer(t, n, v1)) + `",{"encoding":"base64","skipPreflight":true}]}`
		ctx, giveUp := context.WithCancel(t.Context())
		gaveUp := make(chan error)
		go func() {
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.URL(), strings.NewReader(body))
			if err == nil {
				_, err = http.DefaultClient.Do(req) //nolint:bodyclose // there is none
			}
			gaveUp <- err
		}()
		for { // ends, or the test times out
			s, err := n.Stats(t.Context())
			require.NoError(t, err)
			if s.Faults[do] == 1 {
				break
			}
		}
		select {
		case err := <-gaveUp:
			require.Fail(t, "answered", "%v", err)
		default:
		}
		giveUp()
		require.ErrorIs(t, <-gaveUp, context.Canceled)
		require.Equal(t, executed, lamports(t, n, "ann", "processed") > 0)
	}
}

// inject adds one fault to a method.
func inject(t *testing.T, n *svmtest.Node, method string, do svmtest.Action, blocks int) {
	t.Helper()
	require.NoError(t, n.Inject(t.Context(), svmtest.Fault{Method: method, Do: do, Blocks: blocks}))
}

// actions is how each action looks to a client. The node's boss is rich, finally.
func actions() map[svmtest.Action]func(*testing.T, *svmtest.Node) {
	rows := map[svmtest.Action]func(*testing.T, *svmtest.Node){
		svmtest.TooManyRequests: func(t *testing.T, n *svmtest.Node) {
			a, done := met(t, n, svmtest.TooManyRequests, 0)
			require.Equal(t, 429, a.status)
			require.Equal(t, "1", a.header.Get("Retry-After"))
			require.False(t, done)
		},
		svmtest.TooManyRequestsInBody:  refused(svmtest.TooManyRequestsInBody, -32429, false),
		svmtest.Forbidden:              statusOnly(svmtest.Forbidden, 403, false),
		svmtest.ServerError:            statusOnly(svmtest.ServerError, 500, false),
		svmtest.BadGateway:             statusOnly(svmtest.BadGateway, 502, false),
		svmtest.Unavailable:            statusOnly(svmtest.Unavailable, 503, false),
		svmtest.GatewayTimeout:         statusOnly(svmtest.GatewayTimeout, 504, true),
		svmtest.ResetBefore:            reset(svmtest.ResetBefore, false),
		svmtest.ResetAfter:             reset(svmtest.ResetAfter, true),
		svmtest.HangBefore:             hang(svmtest.HangBefore, false),
		svmtest.HangAfter:              hang(svmtest.HangAfter, true),
		svmtest.InternalError:          refused(svmtest.InternalError, -32603, true),
		svmtest.NodeUnhealthy:          refused(svmtest.NodeUnhealthy, -32005, false),
		svmtest.ContextSlotNotReached:  refused(svmtest.ContextSlotNotReached, -32016, false),
		svmtest.HistoryUnavailable:     refused(svmtest.HistoryUnavailable, -32011, false),
		svmtest.BlockhashNotFound:      refused(svmtest.BlockhashNotFound, -32002, false),
		svmtest.BlockhashNotFoundAfter: refused(svmtest.BlockhashNotFoundAfter, -32002, true),
		svmtest.ResetMidway: func(t *testing.T, n *svmtest.Node) {
			a, done := met(t, n, svmtest.ResetMidway, 0)
			require.Error(t, a.err)
			require.True(t, done)
		},
		svmtest.HTMLBody: func(t *testing.T, n *svmtest.Node) {
			a, done := met(t, n, svmtest.HTMLBody, 0)
			require.Equal(t, 200, a.status)
			require.Equal(t, "text/html", a.header.Get("Content-Type"))
			require.True(t, strings.HasPrefix(a.body, "<!DOCTYPE html>"))
			require.False(t, done)
		},
		svmtest.CutJSON: func(t *testing.T, n *svmtest.Node) {
			a, done := met(t, n, svmtest.CutJSON, 0)
			require.NoError(t, a.err)
			require.True(t, strings.HasPrefix(a.body, `{"jsonrpc":"2.0"`) && !strings.HasSuffix(a.body, "}"), a.body)
			require.True(t, done)
		},
		svmtest.EmptyBody: func(t *testing.T, n *svmtest.Node) {
			a, done := met(t, n, svmtest.EmptyBody, 0)
			require.Equal(t, 200, a.status)
			require.Empty(t, a.body)
			require.True(t, done)
		},
		svmtest.DuplicateReply: func(t *testing.T, n *svmtest.Node) {
			a, done := met(t, n, svmtest.DuplicateReply, 0)
			one, two, found := strings.Cut(a.body, "\n")
			require.True(t, found)
			require.Equal(t, one, two)
			require.True(t, done)
		},
		svmtest.OtherID: func(t *testing.T, n *svmtest.Node) {
			a, done := met(t, n, svmtest.OtherID, 0)
			_, id, code := a.rpc(t)
			require.EqualValues(t, 8, id, "7 was asked")
			require.Zero(t, code)
			require.True(t, done)
		},
	}
	for do, row := range edited() {
		rows[do] = row
	}
	for do, row := range onTheWay() {
		rows[do] = row
	}
	return rows
}

// onTheWay are the actions between an endpoint and the leader.
func onTheWay() map[svmtest.Action]func(*testing.T, *svmtest.Node) {
	return map[svmtest.Action]func(*testing.T, *svmtest.Node){
		svmtest.AcceptedAndDropped: func(t *testing.T, n *svmtest.Node) {
			a, done := met(t, n, svmtest.AcceptedAndDropped, 0)
			signature, _, _ := a.rpc(t)
			require.False(t, done)
			require.NoError(t, n.Advance(t.Context(), 200))
			require.Nil(t, status(t, n, signature.(string)))
		},
		svmtest.LandLate: func(t *testing.T, n *svmtest.Node) {
			a, done := met(t, n, svmtest.LandLate, 149)
			signature, _, _ := a.rpc(t)
			require.False(t, done)
			require.NoError(t, n.Advance(t.Context(), 148))
			require.Nil(t, status(t, n, signature.(string)))
			require.NoError(t, n.Advance(t.Context(), 1))
			require.Equal(t, "processed", status(t, n, signature.(string))["confirmationStatus"])
			require.InDelta(t, 1e6, lamports(t, n, "ann", "processed"), 0)
		},
		svmtest.DeliveredTwice: func(t *testing.T, n *svmtest.Node) {
			a, done := met(t, n, svmtest.DeliveredTwice, 2)
			signature, _, _ := a.rpc(t)
			require.True(t, done)
			first := status(t, n, signature.(string))["slot"]
			dropped, err := n.Fork(t.Context(), 1, -1) // takes the first delivery away
			require.NoError(t, err)
			require.Equal(t, []string{signature.(string)}, dropped)
			require.Nil(t, status(t, n, signature.(string)))
			require.NoError(t, n.Advance(t.Context(), 2))
			require.Greater(t, status(t, n, signature.(string))["slot"], first)
			require.InDelta(t, 1e6, lamports(t, n, "ann", "processed"), 0)
		},
		svmtest.WrongSignature: func(t *testing.T, n *svmtest.Node) {
			a, done := met(t, n, svmtest.WrongSignature, 0)
			signature, _, _ := a.rpc(t)
			require.True(t, done)
			require.Nil(t, status(t, n, signature.(string)))
		},
	}
}

func TestEachActionIsSeen(t *testing.T) {
	rows := actions()
	count := 0
	for do := range svmtest.Actions() {
		count++
		row, ok := rows[do]
		require.True(t, ok, "%s has no test", do)
		t.Run(do.String(), func(t *testing.T) {
			n := rich(t)
			require.NoError(t, n.Advance(t.Context(), svmtest.BlocksToFinal))
			row(t, n)
			s, err := n.Stats(t.Context())
			require.NoError(t, err)
			require.EqualValues(t, 1, s.Faults[do])
		})
	}
	require.Len(t, rows, count)
	require.GreaterOrEqual(t, count, 30)
}

func TestFaultsAreKeyedToCalls(t *testing.T) {
	n := svmtest.ForTest(t, svmtest.Config{Endpoints: 2})
	require.NoError(t, n.Inject(t.Context(),
		svmtest.Fault{Endpoint: -1, Method: "getSlot", Skip: 2, Count: 2, Do: svmtest.ServerError},
		svmtest.Fault{Endpoint: 1, Do: svmtest.BadGateway},
		svmtest.Fault{Endpoint: 0, Skip: 5, Do: svmtest.Forbidden},
	))
	urls := n.URLs()
	require.Len(t, urls, 2)
	for i, row := range []struct {
		endpoint int
		method   string
		want     int
	}{
		{0, "getSlot", 200},      // 1 skipped by the first, 1 by the third
		{0, "getEpochInfo", 200}, // 2 by the third
		{1, "getEpochInfo", 502}, // the second
		{1, "getSlot", 200},      // 2 skipped by the first
		{0, "getSlot", 500},      // the first; the third does not see it
		{1, "getSlot", 500},
		{0, "getSlot", 200}, // 3 by the third
		{0, "getSlot", 200},
		{0, "getSlot", 200},
		{0, "getSlot", 403},
		{0, "getSlot", 200},
	} {
		require.Equal(t, row.want, post(t, urls[row.endpoint], row.method).status, "call %d", i)
	}
	require.NoError(t, n.Inject(t.Context(), svmtest.Fault{Do: svmtest.ServerError, Count: 9}))
	require.NoError(t, n.Advance(t.Context(), 1), "this package's own calls meet none")
	require.NoError(t, n.ClearFaults(t.Context()))
	require.Equal(t, 200, post(t, n.URL(), "getSlot").status)
	s, err := n.Stats(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 10, s.Calls["getSlot"])
	require.EqualValues(t, 2, s.Calls["getEpochInfo"])
	require.NotContains(t, s.Calls, "svm_advance")
	require.Equal(t, map[svmtest.Action]uint64{svmtest.ServerError: 2, svmtest.BadGateway: 1, svmtest.Forbidden: 1}, s.Faults)
}

// TestBatchMeetsFaults sends several calls in one request: what happens to the connection happens to all of them.
func TestBatchMeetsFaults(t *testing.T) {
	n := svmtest.ForTest(t, svmtest.Config{})
	batch := `[{"jsonrpc":"2.0","id":1,"method":"getSlot"},{"jsonrpc":"2.0","id":2,"method":"getHealth"}]`
	ask := func() (int, string) {
		resp, err := http.Post(n.URL(), "application/json", strings.NewReader(batch))
		require.NoError(t, err)
		defer func() { _ = resp.Body.Close() }()
		b, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, string(b)
	}
	inject(t, n, "getHealth", svmtest.NodeUnhealthy, 0)
	code, body := ask()
	require.Equal(t, 200, code)
	require.Contains(t, body, `"id":1}`)
	require.Contains(t, body, `-32005`)
	inject(t, n, "getHealth", svmtest.Unavailable, 0)
	code, _ = ask()
	require.Equal(t, 503, code)
}

func TestFaultRefused(t *testing.T) {
	n := svmtest.ForTest(t, svmtest.Config{})
	for want, f := range map[string]svmtest.Fault{
		"Do is 0, which is no action":                       {},
		"Do is 200, which is no action":                     {Do: 200},
		"Endpoint is 1, want -1 to 0":                       {Do: svmtest.Stale, Blocks: 1, Endpoint: 1},
		"Endpoint is -2, want -1 to 0":                      {Do: svmtest.Stale, Blocks: 1, Endpoint: -2},
		"Skip is -1":                                        {Do: svmtest.ServerError, Skip: -1},
		"Count is -1":                                       {Do: svmtest.ServerError, Count: -1},
		"Blocks is 0, want 1 to 149 for land-late":          {Do: svmtest.LandLate},
		"Blocks is 150, want 1 to 149 for land-late":        {Do: svmtest.LandLate, Blocks: 150},
		"Blocks is 150, want 0 to 149 for delivered-twice":  {Do: svmtest.DeliveredTwice, Blocks: 150},
		"Blocks is 301, want 1 to 300 for stale":            {Do: svmtest.Stale, Blocks: 301},
		"Blocks is 0, want 1 to 1000000 for ahead-context":  {Do: svmtest.AheadContext},
		"Blocks is 1, want 0 to 0 for reset-after":          {Do: svmtest.ResetAfter, Blocks: 1},
		"inject fault 0: Blocks is 1, want 0 to 0 for html": {Do: svmtest.HTMLBody, Blocks: 1},
	} {
		require.ErrorContains(t, n.Inject(t.Context(), f), want)
	}
	require.ErrorContains(t, n.Inject(t.Context(), svmtest.Fault{Do: svmtest.ServerError}, svmtest.Fault{}), "fault 1")
	require.Equal(t, 200, post(t, n.URL(), "getSlot").status, "none was added")
	require.ErrorContains(t, n.SetEndpoint(t.Context(), 1, svmtest.Endpoint{}), "set endpoint 1: there are 1")
	require.ErrorContains(t, n.SetEndpoint(t.Context(), 0, svmtest.Endpoint{Lag: 301}), "Lag is 301, want 0 to 300")
}

func TestActionNames(t *testing.T) {
	seen := map[string]bool{}
	for do := range svmtest.Actions() {
		text, err := do.MarshalText()
		require.NoError(t, err)
		require.Equal(t, do.String(), string(text))
		require.False(t, seen[do.String()])
		seen[do.String()] = true
		var back svmtest.Action
		require.NoError(t, back.UnmarshalText(text))
		require.Equal(t, do, back)
	}
	var a svmtest.Action
	require.ErrorContains(t, a.UnmarshalText([]byte("none")), `no action is named "none"`)
	_, err := a.MarshalText()
	require.ErrorContains(t, err, "action 0 is none")
	require.Equal(t, "action-0", a.String())
	require.Equal(t, "land-late", svmtest.LandLate.String())
	require.Equal(t, "slot-as-height", svmtest.SlotAsHeight.String())
}
