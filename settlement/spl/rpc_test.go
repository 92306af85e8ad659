package spl_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
)

// TestSecretsOfTheURL has providers' keys in every part of the address, and endpoints that fail in every way, one that repeats
// the key among them: no error holds it, and neither does the name.
func TestSecretsOfTheURL(t *testing.T) {
	const path, query, user, password = "0123-path-key", "query/key 45", "user-67", "pass-89"
	attempt := settlement.Attempt{Tx: settlement.Tx{ID: strings.Repeat("1", 64), Raw: []byte{1}}}
	for name, handler := range map[string]http.HandlerFunc{
		"429": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "3 "+path)
			w.WriteHeader(http.StatusTooManyRequests)
			_, _ = fmt.Fprint(w, r.URL.String())
		},
		"HTML": func(w http.ResponseWriter, r *http.Request) { _, _ = fmt.Fprint(w, "<html>", r.URL.String()) },
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.String()+"/again", http.StatusTemporaryRedirect)
		},
		"error": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":1,"error":{"code":-32052,"message":"key %s (%s) of %s:%s is not allowed"}}`, path, query, user, password)
		},
		"result": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":1,"result":{"absoluteSlot":%q}}`, path+query)
		},
		"other id": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%q,"result":{}}`, query)
		},
		"reset": func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_ = conn.Close()
			}
		},
		"hang": hang,
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(handler)
			defer srv.Close()
			host := strings.TrimPrefix(srv.URL, "http://")
			address := "http://" + user + ":" + password + "@" + host + "/rpc/" + path + "?api-key=query%2Fkey+45"
			c, err := spl.New(spl.Config{URL: address, Payer: signer(t, "payer"), Timeout: 50 * time.Millisecond})
			require.NoError(t, err)
			require.Equal(t, host, c.Name())
			var all []error
			_, err = c.Look(t.Context(), []settlement.Attempt{attempt})
			all = append(all, err, c.Send(t.Context(), []settlement.Tx{attempt.Tx}))
			_, err = c.Prepare(t.Context(), []settlement.Batch{{}})
			all = append(all, err)
			_, err = c.Find(t.Context(), []settlement.Batch{{}})
			all = append(all, err)
			for _, err := range all {
				require.Error(t, err)
				for _, secret := range []string{path, query, user, password, "query%2Fkey"} {
					require.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err.Error()), secret)
				}
			}
		})
	}
}

// hang answers nothing until the client has gone, which a server sees only when it has read the call.
func hang(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

func TestAnswersRefused(t *testing.T) {
	info := `{"absoluteSlot":1000,"blockHeight":200,"epoch":0}`
	for _, row := range []struct{ name, body, want string }{
		{"no JSON", `<html>too busy</html>`, `the answer is no JSON-RPC: "<html>too busy</html>"`},
		{"cut", `{"jsonrpc":"2.0","id":1,"result":{"absol`, "the answer is no JSON-RPC"},
		{"empty", ``, "the answer is no JSON-RPC"},
		{"the reply to another call", `{"jsonrpc":"2.0","id":7,"result":` + info + `}`, `the answer is for call "7", not 1`},
		{"neither result nor error", `{"jsonrpc":"2.0","id":1}`, "neither result nor error"},
		{"an error", `{"jsonrpc":"2.0","id":1,"error":{"code":-32005,"message":"Node is behind"}}`, `getEpochInfo at node 1: error -32005: "Node is behind"`},
		{"a number that is none", `{"jsonrpc":"2.0","id":1,"result":{"absoluteSlot":"x"}}`, "read the result"},
		{"a negative height", `{"jsonrpc":"2.0","id":1,"result":{"absoluteSlot":10,"blockHeight":-1}}`, "read the result"},
		{"a long message", `{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"` + strings.Repeat("x", 5000) + `"}}`, "error 1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, row.body) }))
			defer srv.Close()
			c, err := spl.New(spl.Config{URL: srv.URL, Name: "node 1", Payer: signer(t, "payer")})
			require.NoError(t, err)
			_, err = c.Look(t.Context(), nil)
			require.ErrorContains(t, err, row.want)
			require.Less(t, len(err.Error()), 500)
		})
	}
}

func TestCanceled(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(hang))
	defer srv.Close()
	c, err := spl.New(spl.Config{URL: srv.URL, Payer: signer(t, "payer")})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.Look(ctx, nil)
	require.ErrorIs(t, err, context.Canceled)
}

// TestMinContextSlot sends it wherever an answer has to be as of a slot, and does without where the node refuses it.
func TestMinContextSlot(t *testing.T) {
	b := newBench(t)
	own := b.open(b.token, "boss", 1000)
	ann := b.open(b.token, "ann", 0)
	node := newLiar(t, b.URL(), nil)
	c := b.chain(spl.Config{URL: node.URL, Parallel: 1})
	p := batch(0, b.token, own, ann)
	tx, res := b.pay(c, p)
	require.Equal(t, settlement.Succeeded, res.Sight)
	_, err := c.Find(t.Context(), []settlement.Batch{p})
	require.NoError(t, err)
	sends := func(of []call) int {
		n := 0
		for _, x := range of {
			for _, p := range x.Params {
				if strings.Contains(string(p), `"minContextSlot":4`) {
					n++
				}
			}
		}
		return n
	}
	for _, method := range []string{"getSignatureStatuses", "getTransaction", "getMultipleAccounts", "getSignaturesForAddress"} {
		look(t, c, p, tx)
		_, err := c.Find(t.Context(), []settlement.Batch{p})
		require.NoError(t, err)
		calls := node.of(method)
		require.NotEmpty(t, calls, method)
		require.Equal(t, len(calls), sends(calls), method)
	}
	node.tell(func(x call, was json.RawMessage) (json.RawMessage, []byte) {
		if x.Method == "getSignatureStatuses" && sends([]call{x}) > 0 {
			return nil, fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%s,"error":{"code":-32602,"message":"unknown field minContextSlot"}}`, x.ID)
		}
		return was, nil
	})
	look(t, c, p, tx)
	require.Len(t, node.of("getSignatureStatuses"), 2)
	look(t, c, p, tx)
	require.Zero(t, sends(node.of("getSignatureStatuses")), "once refused, it is not sent again")
	node.tell(refuses("getTransaction", -32016, "Minimum context slot has not been reached"))
	_, err = c.Look(t.Context(), []settlement.Attempt{{Marker: p.MarkerID(), Tx: tx}})
	require.ErrorContains(t, err, "error -32016")
}
