package svmtest_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

var processed = map[string]any{"commitment": "processed"}

// transfer returns a signed transfer of lamports from the boss to ann, legacy or of version 1.
func transfer(t testing.TB, n *svmtest.Node, format int) []byte {
	t.Helper()
	return signed(t, blockhash(t, n, "processed"), format, keys(svmtest.Key("boss")), pay("boss", "ann", 1_000_000))
}

// send sends bytes without preflight, and returns the error's code.
func send(t testing.TB, n *svmtest.Node, method string, raw []byte) (any, float64) {
	t.Helper()
	return call(t, n, method, base64.StdEncoding.EncodeToString(raw), map[string]any{"encoding": "base64", "skipPreflight": true})
}

func rich(t testing.TB) *svmtest.Node {
	t.Helper()
	n := svmtest.ForTest(t, svmtest.Config{})
	require.NoError(t, n.Airdrop(t.Context(), svmtest.Address(svmtest.Key("boss")), 1e12))
	return n
}

func TestTransaction(t *testing.T) {
	for _, format := range []int{legacy, v1} {
		n := rich(t)
		raw := transfer(t, n, format)
		sim, _ := call(t, n, "simulateTransaction", base64.StdEncoding.EncodeToString(raw), map[string]any{"encoding": "base64", "sigVerify": true, "commitment": "processed"})
		require.Nil(t, value(t, sim).(map[string]any)["err"])
		require.EqualValues(t, 150, value(t, sim).(map[string]any)["unitsConsumed"])
		signature, code := send(t, n, "sendTransaction", raw)
		require.Zero(t, code)
		_, code = call(t, n, "sendTransaction", base64.StdEncoding.EncodeToString(raw), map[string]any{"encoding": "base64"})
		require.EqualValues(t, -32002, code, "a preflight says that it was processed")
		status := func() any {
			got, _ := call(t, n, "getSignatureStatuses", []any{signature})
			return value(t, got).([]any)[0].(map[string]any)["confirmationStatus"]
		}
		require.Equal(t, "processed", status())
		got, _ := call(t, n, "getTransaction", signature, map[string]any{"commitment": "confirmed", "maxSupportedTransactionVersion": 1})
		require.Nil(t, got)
		require.NoError(t, n.Advance(t.Context(), 1))
		require.Equal(t, "confirmed", status())
		got, _ = call(t, n, "getTransaction", signature, map[string]any{"commitment": "confirmed", "maxSupportedTransactionVersion": 1, "encoding": "base64"})
		m := got.(map[string]any)["meta"].(map[string]any)
		require.EqualValues(t, 5000, m["fee"])
		require.Nil(t, m["err"])
		if format == v1 {
			_, code = call(t, n, "getTransaction", signature, map[string]any{"commitment": "confirmed"})
			require.EqualValues(t, -32015, code)
		}
		require.NoError(t, n.Advance(t.Context(), svmtest.BlocksToFinal-1))
		require.Equal(t, "finalized", status())
		balance, _ := call(t, n, "getBalance", svmtest.Address(svmtest.Key("ann")))
		require.EqualValues(t, 1_000_000, value(t, balance))
	}
}

// TestSpoiltBytes sends transactions of which bytes were changed, cut off or added. The runtime behind is one that ends the
// process on bytes that it cannot read: none may get that far, and nothing may be paid.
func TestSpoiltBytes(t *testing.T) {
	n := rich(t)
	r := rand.New(rand.NewPCG(1, 2))
	for _, format := range []int{legacy, v1} {
		raw := transfer(t, n, format)
		for at := range raw {
			spoilt := bytes.Clone(raw)
			spoilt[at] ^= byte(1 + r.IntN(255))
			send(t, n, "sendTransaction", spoilt)
			send(t, n, "simulateTransaction", spoilt)
			send(t, n, "sendTransaction", raw[:at])
		}
		for range 300 {
			spoilt := append(bytes.Clone(raw), make([]byte, r.IntN(3))...)
			for range 1 + r.IntN(6) {
				spoilt[r.IntN(len(spoilt))] ^= byte(1 + r.IntN(255))
			}
			if bytes.Equal(spoilt, raw) {
				continue // spoilt twice in one place
			}
			send(t, n, "sendTransaction", spoilt)
			send(t, n, "simulateTransaction", spoilt)
			send(t, n, "getFeeForMessage", spoilt)
		}
		balance, _ := call(t, n, "getBalance", svmtest.Address(svmtest.Key("ann")), processed)
		require.Zero(t, value(t, balance))
	}
	signature, code := send(t, n, "sendTransaction", transfer(t, n, v1))
	require.Zero(t, code)
	require.NotEmpty(t, signature)
}

func TestSpoiltRequests(t *testing.T) {
	n := svmtest.ForTest(t, svmtest.Config{})
	for _, body := range []string{
		"", "{", "null", "1", "[]", "[1,null]", `{"method":1}`, `{"method":"getSlot","params":{}}`, `{"method":"getSlot","params":[1]}`, `{"method":"__proto__"}`,
		`{"method":"getBalance","params":[{}]}`, `{"method":"getProgramAccounts","params":["11111111111111111111111111111111",{"filters":7}]}`,
		`{"method":"getAccountInfo","params":["11111111111111111111111111111111",{"dataSlice":{"offset":-1,"length":1e300}}]}`,
		`{"method":"simulateTransaction","params":["1",{"accounts":7}]}`, strings.Repeat("[", 100_000), strings.Repeat("x", 2<<20),
	} {
		resp, err := http.Post(n.URL(), "application/json", strings.NewReader(body))
		require.NoError(t, err, "%.60s", body)
		_, err = io.Copy(io.Discard, resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	}
	require.NoError(t, n.Advance(t.Context(), 1))
}

// socket is as much of a websocket client as the test needs: small frames of text.
type socket struct {
	testing.TB
	net.Conn
	r *bufio.Reader
}

func dial(t testing.TB, n *svmtest.Node) *socket {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(n.WebsocketURL(), "ws://"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	_, err = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n")
	require.NoError(t, err)
	r := bufio.NewReader(c)
	resp, err := http.ReadResponse(r, nil)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
	return &socket{t, c, r}
}

// say sends a text of at most 65,535 bytes, masked with zeros.
func (s *socket) say(text string) {
	s.Helper()
	b := binary.BigEndian.AppendUint16([]byte{0x81, 0x80 | 126}, uint16(len(text)))
	_, err := s.Write(append(append(b, 0, 0, 0, 0), text...))
	require.NoError(s, err)
}

// hear returns the next text of at most 65,535 bytes.
func (s *socket) hear() map[string]any {
	s.Helper()
	head := make([]byte, 2)
	_, err := io.ReadFull(s.r, head)
	require.NoError(s, err)
	size := int(head[1])
	if size == 126 {
		_, err = io.ReadFull(s.r, head)
		require.NoError(s, err)
		size = int(binary.BigEndian.Uint16(head))
	}
	text := make([]byte, size)
	_, err = io.ReadFull(s.r, text)
	require.NoError(s, err)
	var out map[string]any
	require.NoError(s, json.Unmarshal(text, &out))
	return out
}

func TestWebsocket(t *testing.T) {
	n := rich(t)
	s := dial(t, n)
	s.say("spoilt {")
	s.say(`{"jsonrpc":"2.0","id":1,"method":"slotSubscribe"}`)
	require.EqualValues(t, 1, s.hear()["result"])
	require.NoError(t, n.Advance(t.Context(), 1))
	slot := s.hear()["params"].(map[string]any)["result"].(map[string]any)
	require.InDelta(t, 1, slot["slot"].(float64)-slot["parent"].(float64), 0)
	require.InDelta(t, svmtest.BlocksToFinal, slot["slot"].(float64)-slot["root"].(float64), 0)
	s.say(`{"jsonrpc":"2.0","id":2,"method":"slotUnsubscribe","params":[1]}`)
	require.Equal(t, true, s.hear()["result"])

	signature, _ := send(t, n, "sendTransaction", transfer(t, n, v1))
	s.say(fmt.Sprintf(`{"jsonrpc":"2.0","id":3,"method":"signatureSubscribe","params":[%q,{"commitment":"confirmed"}]}`, signature))
	require.EqualValues(t, 2, s.hear()["result"])
	require.NoError(t, n.Advance(t.Context(), 1))
	told := s.hear()
	require.Equal(t, "signatureNotification", told["method"])
	require.Equal(t, map[string]any{"err": nil}, value(t, told["params"].(map[string]any)["result"]))
	s.say(`{"jsonrpc":"2.0","id":4,"method":"getHealth"}`)
	require.Equal(t, "ok", s.hear()["result"], "once told, a subscription is over")
}
