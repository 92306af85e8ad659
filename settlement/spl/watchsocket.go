package spl

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // RFC 6455 asks for it; nothing rests on it
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/gagliardetto/solana-go"
)

const (
	socketTimeout = 10 * time.Second // for a connection, and for the rest of a message that has begun
	maxFrame      = 1 << 20          // bytes
	socketGUID    = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
)

// Opcodes of RFC 6455, 11.8.
const (
	opContinue = 0
	opText     = 1
	opClose    = 8
	opPing     = 9
	opPong     = 10
)

// errSocket hides what a websocket's error may say of its URL.
var errSocket = errors.New("spl: websocket")

// socket is a websocket that is told when accounts change. It only saves waiting: what it says is not read, but looked up.
type socket struct {
	url      *url.URL
	accounts []solana.PublicKey
	conn     net.Conn
	in       *bufio.Reader
}

func newSocket(address string, accounts []solana.PublicKey) (*socket, error) {
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "ws" && u.Scheme != "wss") || u.Host == "" {
		return nil, errors.New("spl: watch: WebsocketURL is no ws or wss address")
	}
	return &socket{url: u, accounts: accounts}, nil
}

// Wait returns when something may have come in, and after atMost at the latest. It connects and subscribes if that is needed; an
// error says that the websocket did not help, after the time has passed all the same, so that a caller may scan and wait in
// turns whatever happens.
func (w *Watcher) Wait(ctx context.Context, atMost time.Duration) (woken bool, err error) {
	until := time.NewTimer(atMost)
	defer until.Stop()
	if w.socket != nil {
		limited, cancel := context.WithTimeout(ctx, atMost)
		woken, err = w.socket.wait(limited)
		cancel()
		if woken {
			return true, nil
		}
	}
	select {
	case <-ctx.Done():
	case <-until.C:
	}
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	return false, err
}

// Close ends the websocket, if there is one. The next Wait opens it again.
func (w *Watcher) Close() error {
	if w.socket != nil {
		w.socket.drop()
	}
	return nil
}

// wait returns true when a notification has come, and false when the context ends, which leaves the connection open.
func (s *socket) wait(ctx context.Context) (bool, error) {
	if s.conn == nil {
		if err := s.connect(ctx); err != nil {
			return false, err
		}
	}
	for {
		woken, err := s.next(ctx)
		switch {
		case woken:
			return true, nil
		case err == nil:
		case ctx.Err() != nil && s.conn != nil:
			return false, nil
		default:
			s.drop()
			return false, err
		}
	}
}

func (s *socket) drop() {
	if s.conn != nil {
		_ = s.conn.Close()
	}
	s.conn, s.in = nil, nil
}

// connect opens the websocket and subscribes to the accounts.
func (s *socket) connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, socketTimeout)
	defer cancel()
	var d net.Dialer
	dial := d.DialContext
	port := "80"
	if s.url.Scheme == "wss" {
		dial, port = (&tls.Dialer{NetDialer: &d, Config: &tls.Config{MinVersion: tls.VersionTLS12}}).DialContext, "443"
	}
	host := s.url.Host
	if s.url.Port() == "" {
		host = net.JoinHostPort(s.url.Hostname(), port)
	}
	conn, err := dial(ctx, "tcp", host)
	if err != nil {
		return fmt.Errorf("%w: connect to %s: %w", errSocket, s.url.Host, err)
	}
	s.conn, s.in = conn, bufio.NewReader(conn)
	deadline, _ := ctx.Deadline()
	_ = conn.SetDeadline(deadline)
	if err := s.upgrade(); err != nil {
		s.drop()
		return err
	}
	for i, k := range s.accounts {
		ask, err := json.Marshal(map[string]any{
			"jsonrpc": "2.0", "id": i + 1, "method": "accountSubscribe",
			"params": []any{k.String(), map[string]any{"commitment": finalized, "encoding": "base64"}},
		})
		if err == nil {
			err = s.write(opText, ask)
		}
		if err != nil {
			s.drop()
			return fmt.Errorf("%w: subscribe at %s: %w", errSocket, s.url.Host, err)
		}
	}
	return conn.SetDeadline(time.Time{})
}

// upgrade asks for the protocol (RFC 6455, 4.1).
func (s *socket) upgrade() error {
	var nonce [16]byte
	_, _ = rand.Read(nonce[:]) // never fails: crypto/rand
	key := base64.StdEncoding.EncodeToString(nonce[:])
	req := &http.Request{Method: http.MethodGet, URL: &url.URL{Path: s.url.Path, RawPath: s.url.RawPath, RawQuery: s.url.RawQuery}, Host: s.url.Host, Header: http.Header{
		"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {key},
	}}
	if s.url.User != nil {
		password, _ := s.url.User.Password()
		req.SetBasicAuth(s.url.User.Username(), password)
	}
	if err := req.Write(s.conn); err != nil {
		return fmt.Errorf("%w: upgrade at %s: the request was not taken", errSocket, s.url.Host)
	}
	resp, err := http.ReadResponse(s.in, req)
	if err != nil {
		return fmt.Errorf("%w: upgrade at %s: the answer is no HTTP", errSocket, s.url.Host)
	}
	_ = resp.Body.Close()
	sum := sha1.Sum([]byte(key + socketGUID)) //nolint:gosec // see the import
	if resp.StatusCode != http.StatusSwitchingProtocols || resp.Header.Get("Sec-Websocket-Accept") != base64.StdEncoding.EncodeToString(sum[:]) {
		return fmt.Errorf("%w: upgrade at %s: status %d", errSocket, s.url.Host, resp.StatusCode)
	}
	return nil
}

// next reads one message and says whether it is a notification. When the context ends before a message begins, the connection
// stays as it is.
func (s *socket) next(ctx context.Context) (bool, error) {
	over := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = s.conn.SetReadDeadline(time.Unix(1, 0))
		close(over)
	})
	_, err := s.in.Peek(1)
	if !stop() {
		<-over
		_ = s.conn.SetReadDeadline(time.Time{})
	}
	if err != nil {
		return false, fmt.Errorf("%w: %s has hung up", errSocket, s.url.Host)
	}
	if err := s.conn.SetReadDeadline(time.Now().Add(socketTimeout)); err != nil {
		return false, fmt.Errorf("%w: %s has hung up", errSocket, s.url.Host)
	}
	text, err := s.message()
	if err != nil {
		s.drop()
		return false, err
	}
	if err := s.conn.SetReadDeadline(time.Time{}); err != nil {
		return false, fmt.Errorf("%w: %s has hung up", errSocket, s.url.Host)
	}
	var m struct {
		ID     json.RawMessage
		Method string
		Error  *struct{ Code int }
	}
	switch err := json.Unmarshal(text, &m); {
	case len(text) == 0: // ping or pong
		return false, nil
	case err != nil:
		return false, fmt.Errorf("%w: %s says what is no JSON", errSocket, s.url.Host)
	case m.Error != nil:
		return false, fmt.Errorf("%w: %s refuses a subscription with error %d", errSocket, s.url.Host, m.Error.Code)
	}
	return m.Method == "accountNotification", nil
}

// message reads a message, or answers a ping and returns nothing.
func (s *socket) message() ([]byte, error) {
	var out []byte
	for {
		final, op, part, err := s.frame()
		if err != nil {
			return nil, err
		}
		switch op {
		case opClose:
			return nil, fmt.Errorf("%w: %s has closed", errSocket, s.url.Host)
		case opPing:
			if err := s.write(opPong, part); err != nil {
				return nil, fmt.Errorf("%w: %s has hung up", errSocket, s.url.Host)
			}
		case opText, opContinue:
			if out = append(out, part...); len(out) > maxFrame {
				return nil, fmt.Errorf("%w: a message of %s is larger than %d bytes", errSocket, s.url.Host, maxFrame)
			}
			if final {
				return out, nil
			}
			continue
		}
		if len(out) == 0 {
			return nil, nil
		}
	}
}

// frame reads one frame (RFC 6455, 5.2). A server does not mask.
func (s *socket) frame() (final bool, op byte, body []byte, err error) {
	bad := func(what string) error { return fmt.Errorf("%w: %s: %s", errSocket, s.url.Host, what) }
	var head [8]byte
	if _, err := io.ReadFull(s.in, head[:2]); err != nil {
		return false, 0, nil, bad("a frame ends early")
	}
	final, op = head[0]&0x80 != 0, head[0]&0x0f
	if head[0]&0x70 != 0 || head[1]&0x80 != 0 {
		return false, 0, nil, bad("a frame is malformed")
	}
	size := uint64(head[1])
	if size >= 126 {
		n := 2
		if size == 127 {
			n = 8
		}
		if _, err := io.ReadFull(s.in, head[8-n:]); err != nil {
			return false, 0, nil, bad("a frame ends early")
		}
		clear(head[:8-n])
		size = binary.BigEndian.Uint64(head[:])
	}
	if size > maxFrame {
		return false, 0, nil, bad("a frame is too large")
	}
	body = make([]byte, size)
	if _, err := io.ReadFull(s.in, body); err != nil {
		return false, 0, nil, bad("a frame ends early")
	}
	return final, op, body, nil
}

// write sends one frame, masked as a client has to.
func (s *socket) write(op byte, body []byte) error {
	b := []byte{0x80 | op}
	switch n := len(body); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	var mask [4]byte
	_, _ = rand.Read(mask[:]) // never fails: crypto/rand
	b = append(b, mask[:]...)
	for i, x := range body {
		b = append(b, x^mask[i%4])
	}
	_, err := s.conn.Write(b)
	return err
}
