package spl_test

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

const moment = 50 * time.Millisecond // long enough to try, and nothing rests on it

// TestWoken: a payment that becomes final ends the wait; so it does after the websocket has been lost.
func TestWoken(t *testing.T) {
	s := newShop(t, svmtest.Config{})
	s.config.WebsocketURL = s.WebsocketURL()
	s.restart()
	defer func() { require.NoError(t, s.watcher.Close()) }()
	p := s.bill("a", 1)
	woken := func() {
		t.Helper()
		for range 100 { // a payment may be final before the node has heard of the subscription
			s.pay("ann", p)
			s.blocks(svmtest.BlocksToFinal)
			if ok, err := s.watcher.Wait(t.Context(), 4*moment); ok {
				require.NoError(t, err)
				return
			}
		}
		t.Fatal("no payment has ended a wait")
	}
	woken()
	require.NotEmpty(t, s.scan())
	woken()

	require.NoError(t, s.watcher.Close())
	require.NoError(t, s.Inject(t.Context(), svmtest.Fault{Method: "accountSubscribe", Do: svmtest.ResetBefore}))
	ok, err := s.watcher.Wait(t.Context(), moment)
	require.False(t, ok)
	require.ErrorContains(t, err, "spl: websocket: 127.0.0.1")
	woken()

	// Dropped for good: polling sees what there is.
	s.config.WebsocketURL = "ws://127.0.0.1:1/secret-of-ours"
	s.restart()
	s.pay("ann", s.bill("b", 1))
	ok, err = s.watcher.Wait(t.Context(), moment)
	require.False(t, ok)
	require.ErrorContains(t, err, "spl: websocket: connect to 127.0.0.1:1")
	require.NotContains(t, err.Error(), "secret-of-ours")
	require.Contains(t, s.final(), "credited b 1")
}

// server is a websocket server of one connection each, which says what it was given.
func server(t *testing.T, answer func(head *http.Request, c net.Conn, r *bufio.Reader)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			r := bufio.NewReader(c)
			if head, err := http.ReadRequest(r); err == nil {
				answer(head, c, r)
			}
			_ = c.Close()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return "ws://" + l.Addr().String() + "/secret-of-ours?key=secret-of-ours"
}

func accept(head *http.Request) string {
	sum := sha1.Sum([]byte(head.Header.Get("Sec-Websocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
		base64.StdEncoding.EncodeToString(sum[:]) + "\r\n\r\n"
}

// frame is a short frame as a server sends it.
func frame(first byte, body string) string { return string([]byte{first, byte(len(body))}) + body }

func TestWebsocketFrames(t *testing.T) {
	const told = `{"jsonrpc":"2.0","method":"accountNotification","params":{}}`
	big := binary.BigEndian.AppendUint64([]byte{0x81, 127}, 1<<20+1)
	medium := `{"method":"accountNotification","pad":"` + strings.Repeat("x", 300) + `"}`
	middle := string(binary.BigEndian.AppendUint16([]byte{0x81, 126}, uint16(len(medium)))) + medium
	long := string(binary.BigEndian.AppendUint64([]byte{0x81, 127}, uint64(len(medium)))) + medium
	for _, row := range []struct {
		name, says string
		woken      bool
		want       string // in the error
	}{
		{"a notification", frame(0x81, told), true, ""},
		{"behind an answer", frame(0x81, `{"id":1,"result":5}`) + frame(0x81, told), true, ""},
		{"in two frames", frame(0x01, told[:10]) + frame(0x80, told[10:]), true, ""},
		{"with a ping in its midst", frame(0x01, told[:10]) + frame(0x89, "hi") + frame(0x80, told[10:]), true, ""},
		{"behind a pong", frame(0x8a, "") + frame(0x81, told), true, ""},
		{"of medium length", middle, true, ""},
		{"with a long length", long, true, ""},
		{"closed", frame(0x88, ""), false, "has closed"},
		{"refused", frame(0x81, `{"id":1,"error":{"code":-32602,"message":"secret-of-ours"}}`), false, "refuses a subscription with error -32602"},
		{"no JSON", frame(0x81, "<html>"), false, "what is no JSON"},
		{"masked", string([]byte{0x81, 0x81, 1, 2, 3, 4, 5}), false, "malformed"},
		{"an extension", frame(0xc1, told), false, "malformed"},
		{"too large", string(big), false, "too large"},
		{"cut in its head", string([]byte{0x81}), false, "ends early"},
		{"cut in its length", string([]byte{0x81, 126, 1}), false, "ends early"},
		{"cut in its body", frame(0x81, told)[:20], false, "ends early"},
		{"nothing", "", false, "has hung up"},
	} {
		t.Run(row.name, func(t *testing.T) {
			address := server(t, func(head *http.Request, c net.Conn, r *bufio.Reader) {
				_, _ = io.WriteString(c, accept(head))
				var b [2]byte
				_, _ = io.ReadFull(r, b[:]) // the subscription has begun to come
				_, _ = io.ReadFull(r, make([]byte, 4))
				_, _ = io.WriteString(c, row.says)
				if row.woken {
					_, _ = io.Copy(io.Discard, r) // until the watcher closes
				}
			})
			w := quietWatcher(t, address)
			var ok bool
			var err error
			for !ok && err == nil {
				ok, err = w.Wait(t.Context(), moment)
			}
			require.Equal(t, row.woken, ok, err)
			if row.want != "" && !strings.Contains(err.Error(), "hung up") { // a reset may overtake what was said
				require.ErrorContains(t, err, row.want)
			}
			if err != nil {
				require.NotContains(t, err.Error(), "secret-of-ours")
			}
			require.NoError(t, w.Close())
		})
	}
}

func TestWebsocketUpgradeRefused(t *testing.T) {
	for says, answer := range map[string]string{
		"status 403":            "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
		"status 101":            "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: wrong\r\n\r\n",
		"the answer is no HTTP": "secret-of-ours\r\n\r\n",
	} {
		w := quietWatcher(t, server(t, func(_ *http.Request, c net.Conn, _ *bufio.Reader) { _, _ = io.WriteString(c, answer) }))
		ok, err := w.Wait(t.Context(), moment)
		require.False(t, ok)
		require.ErrorContains(t, err, says)
		require.NotContains(t, err.Error(), "secret-of-ours")
	}
}

// TestPingIsAnswered: and a wait that ends leaves the connection as it is.
func TestPingIsAnswered(t *testing.T) {
	pong := make(chan []byte, 1)
	connections := 0
	address := server(t, func(head *http.Request, c net.Conn, r *bufio.Reader) {
		connections++
		_, _ = io.WriteString(c, accept(head))
		skip(r)
		_, _ = io.WriteString(c, frame(0x89, "hello"))
		pong <- skip(r)
		_, _ = io.WriteString(c, frame(0x81, `{"method":"accountNotification"}`))
		_, _ = io.Copy(io.Discard, r)
	})
	w := quietWatcher(t, address)
	for {
		ok, err := w.Wait(t.Context(), moment)
		require.NoError(t, err)
		if ok {
			break
		}
	}
	require.Equal(t, "hello", string(<-pong))
	require.NoError(t, w.Close())
	require.Equal(t, 1, connections)
}

// skip reads one short or medium frame of a client and returns its body.
func skip(r io.Reader) []byte {
	var head [2]byte
	_, _ = io.ReadFull(r, head[:])
	n := int(head[1] & 0x7f)
	if n == 126 {
		var size [2]byte
		_, _ = io.ReadFull(r, size[:])
		n = int(binary.BigEndian.Uint16(size[:]))
	}
	var mask [4]byte
	_, _ = io.ReadFull(r, mask[:])
	body := make([]byte, n)
	_, _ = io.ReadFull(r, body)
	for i := range body {
		body[i] ^= mask[i%4]
	}
	return body
}

// quietWatcher has a websocket and no chain.
func quietWatcher(t testing.TB, websocket string) *spl.Watcher {
	t.Helper()
	w, err := spl.NewWatcher(spl.WatchConfig{
		URL: "http://127.0.0.1:1", WebsocketURL: websocket, Own: []settlement.Account{specRecipient},
		Treasuries: []settlement.Treasury{{Account: specMint, Owner: specRecipient, Asset: settlement.Asset{Mint: specMint}, Program: tokenProgram}},
	})
	require.NoError(t, err)
	return w
}
