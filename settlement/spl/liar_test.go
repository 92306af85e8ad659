package spl_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// call is one call that came to an endpoint of a test.
type call struct {
	ID     json.RawMessage
	Method string
	Params []json.RawMessage
}

// lie changes the answer to a call; a whole answer that is not nil replaces the result.
type lie func(c call, result json.RawMessage) (json.RawMessage, []byte)

// liar is an endpoint before a real node that changes what it answers.
type liar struct {
	*httptest.Server
	mu    sync.Mutex
	calls []call
	lie   lie
}

// newLiar starts one. Without a node every result is null before it is changed.
func newLiar(t testing.TB, node string, tell lie) *liar {
	t.Helper()
	l := &liar{lie: tell}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var c call
		_ = json.Unmarshal(body, &c)
		answer := struct {
			Version string          `json:"jsonrpc"`
			ID      json.RawMessage `json:"id"`
			Result  json.RawMessage `json:"result,omitempty"`
			Error   json.RawMessage `json:"error,omitempty"`
		}{"2.0", c.ID, json.RawMessage("null"), nil}
		if node != "" {
			resp, err := http.Post(node, "application/json", bytes.NewReader(body))
			if err != nil {
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			_ = json.NewDecoder(resp.Body).Decode(&answer)
			_ = resp.Body.Close()
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.calls = append(l.calls, c)
		if l.lie != nil {
			result, whole := l.lie(c, answer.Result)
			if whole != nil {
				_, _ = w.Write(whole)
				return
			}
			if answer.Result = result; string(result) != "null" && len(result) > 0 {
				answer.Error = nil
			}
		}
		_ = json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(l.Close)
	return l
}

// tell changes what it answers from now on.
func (l *liar) tell(f lie) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lie = f
}

// of returns the calls of a method, and forgets all.
func (l *liar) of(method string) []call {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []call
	for _, c := range l.calls {
		if c.Method == method {
			out = append(out, c)
		}
	}
	l.calls = nil
	return out
}

// says lets one method answer what is given.
func says(method, result string) lie {
	return func(c call, was json.RawMessage) (json.RawMessage, []byte) {
		if c.Method == method {
			return json.RawMessage(result), nil
		}
		return was, nil
	}
}

// refuses lets one method answer an error.
func refuses(method string, code int, message string) lie {
	return func(c call, was json.RawMessage) (json.RawMessage, []byte) {
		if c.Method == method {
			return nil, fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%s,"error":{"code":%d,"message":%q}}`, c.ID, code, message)
		}
		return was, nil
	}
}

// changes lets one method answer a changed result.
func changes(t testing.TB, method string, change func(result map[string]any)) lie {
	return func(c call, was json.RawMessage) (json.RawMessage, []byte) {
		var m map[string]any
		if c.Method != method || string(was) == "null" {
			return was, nil
		}
		d := json.NewDecoder(bytes.NewReader(was))
		d.UseNumber()
		require.NoError(t, d.Decode(&m))
		change(m)
		out, err := json.Marshal(m)
		require.NoError(t, err)
		return out, nil
	}
}
