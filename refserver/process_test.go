package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/network"
)

// TestMain lets the test binary be the server: with REFSERVER_CHILD set it is one, with the same arguments.
func TestMain(m *testing.M) {
	if os.Getenv("REFSERVER_CHILD") == "" {
		os.Exit(m.Run())
	}
	main()
}

// process is a server in a process of its own.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	url   string
	mode  string
	said  bytes.Buffer // standard error; to be read when the process has ended
	ended chan struct{}
	err   error // of the end; to be read after ended is closed
}

// start starts a server and waits until it says where it listens. A server that does not get there is the test's failure.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(os.Args[0], append([]string{"-addr", "127.0.0.1:0"}, args...)...), ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), "REFSERVER_CHILD=1")
	p.cmd.Stderr = &p.said
	stdout, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	lines := make(chan string)
	go func() {
		for s := bufio.NewScanner(stdout); s.Scan(); {
			lines <- s.Text()
		}
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // if it has not ended before
		<-p.ended
	})
	for _, to := range []*string{&p.mode, &p.url} {
		select {
		case *to = <-lines:
		case <-p.ended:
			require.Fail(t, "the server has ended", "%v: %s", p.err, &p.said)
		case <-time.After(2 * time.Minute): // the runtime's packages may have to be installed
			require.Fail(t, "the server does not start")
		}
	}
	return p
}

// end sends a signal and waits for the end.
func (p *process) end(how os.Signal) error {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Signal(how))
	select {
	case <-p.ended:
	case <-time.After(30 * time.Second):
		require.Fail(p.t, "the server does not end")
	}
	return p.err
}

func (p *process) get(path string, v any) {
	p.t.Helper()
	got, err := http.Get(p.url + path)
	require.NoError(p.t, err)
	defer got.Body.Close()
	b, err := io.ReadAll(got.Body)
	require.NoError(p.t, err)
	require.Equal(p.t, http.StatusOK, got.StatusCode, "%s: %s", path, b)
	if text, ok := v.(*string); ok {
		*text = string(b)
		return
	}
	require.NoError(p.t, json.Unmarshal(b, v))
}

// state is what /api/v1/digest says.
type state struct {
	Seq           uint64
	Digest, Audit string
}

func (p *process) state() (s state) {
	p.t.Helper()
	p.get("/api/v1/digest", &s)
	require.Equal(p.t, "ok", s.Audit)
	return s
}

// enrol is the order of an operator to enrol a machine.
func enrol(name string) []byte {
	seed := sha256.Sum256([]byte(name))
	key := network.Key(ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey))
	return fmt.Appendf(nil, `{"kind":"enrol","command":{"node":%q,"key":%q,"supplier":"ann"}}`, name, key)
}

// order gives a command and returns its number once it is acknowledged.
func order(client *http.Client, base, token string, body []byte) (seq uint64, err error) {
	r, err := http.NewRequest(http.MethodPost, base+"/api/v1/commands", bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	got, err := client.Do(r)
	if err != nil {
		return 0, err
	}
	defer got.Body.Close()
	var done struct{ Seq uint64 }
	if err := json.NewDecoder(got.Body).Decode(&done); err != nil {
		return 0, err
	}
	if got.StatusCode != http.StatusCreated {
		return 0, fmt.Errorf("status %d", got.StatusCode)
	}
	return done.Seq, nil
}

func tokenIn(t *testing.T, data string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(data, "operator.token"))
	require.NoError(t, err)
	return strings.TrimSpace(string(b))
}

// replayed returns the state that a server has which reads a copy of the journal and was never disturbed.
func replayed(t *testing.T, data string) state {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(data, "journal"))
	require.NoError(t, err)
	other := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(other, "journal"), b, 0o600))
	s, err := openKept(options{data: other}, slog.New(slog.DiscardHandler), nil)
	require.NoError(t, err)
	seq, digest, audit := s.door.Digest()
	require.NoError(t, audit)
	require.NoError(t, s.close())
	return state{seq, fmt.Sprintf("%x", digest), "ok"}
}

// acknowledged collects what four clients were told is done.
type acknowledged struct {
	mu   sync.Mutex
	seqs map[uint64]string // guarded by mu: number -> machine
}

// press has four clients enrol machines until the server is gone or stop is closed, and calls each with the number of those
// that were acknowledged.
func (a *acknowledged) press(base, token, prefix string, each func(n int)) {
	var all sync.WaitGroup
	for c := range 4 {
		all.Go(func() {
			client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for i := 0; ; i++ {
				name := fmt.Sprintf("%s-%d-%d", prefix, c, i)
				seq, err := order(client, base, token, enrol(name))
				if err != nil {
					return
				}
				a.mu.Lock()
				a.seqs[seq] += name // two of one number would make a name that no machine has
				n := len(a.seqs)
				a.mu.Unlock()
				each(n)
			}
		})
	}
	all.Wait()
}

// kill -9 of the server while four clients have commands acknowledged: every one of them is there after the restart, and the
// state is that of a server which was never disturbed.
func TestKillNine(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	told := &acknowledged{seqs: map[uint64]string{}}
	for round := range 3 {
		p := start(t, "-data", data)
		require.Equal(t, "idlegrid refserver: journal and operator's token in "+data, p.mode)
		var once sync.Once
		before := len(told.seqs)
		told.press(p.url, tokenIn(t, data), fmt.Sprintf("m%d", round), func(n int) {
			if n >= before+60+17*round {
				once.Do(func() { _ = p.cmd.Process.Kill() })
			}
		})
		<-p.ended
		require.GreaterOrEqual(t, len(told.seqs), before+60)

		p = start(t, "-data", data)
		var nodes []struct{ Name string }
		p.get("/api/v1/nodes?limit=1000", &nodes)
		there := map[string]bool{}
		for _, n := range nodes {
			there[n.Name] = true
		}
		last := p.state().Seq
		for seq, name := range told.seqs {
			require.True(t, there[name], "%q was acknowledged as command %d and is lost", name, seq)
			require.LessOrEqual(t, seq, last)
		}
		require.LessOrEqual(t, len(nodes), len(told.seqs)+4*(round+1), "at most one unanswered command of each client")
		was := p.state()
		require.NoError(t, p.end(syscall.SIGTERM))
		require.Equal(t, was, replayed(t, data))
	}
}

// A folder belongs to one server at a time.
func TestSecondServer(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	first := start(t, "-data", data)
	code, said := ends(t, nil, "-addr", "127.0.0.1:0", "-data", data)
	require.Equal(t, 1, code)
	require.Contains(t, said, "refserver: wal: ")
	require.Contains(t, said, "is in use")
	require.Contains(t, said, data)
	_, err := order(http.DefaultClient, first.url, tokenIn(t, data), enrol("x"))
	require.NoError(t, err, "the first one goes on")
	require.NoError(t, first.end(os.Interrupt))
	start(t, "-data", data)
}

// ends runs a server that is expected to end by itself, and returns its exit code and what it said.
func ends(t *testing.T, env []string, args ...string) (code int, said string) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(append(os.Environ(), "REFSERVER_CHILD=1"), env...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), string(out)
	}
	require.NoError(t, err)
	return 0, string(out)
}

func TestExits(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	for name, tc := range map[string]struct {
		env  []string
		args []string
		code int
		says string
	}{
		"help":            {nil, []string{"-h"}, 0, "Usage of refserver"},
		"unknown flag":    {nil, []string{"-nothing"}, 2, "-nothing"},
		"foreign address": {nil, []string{"-addr", "0.0.0.0:0"}, 2, "refserver: -addr \"0.0.0.0:0\": only a loopback address"},
		"port taken":      {nil, []string{"-demo", "-addr", l.Addr().String()}, 1, "another program has the port"},
		"no node": {
			[]string{"PATH=" + t.TempDir()},
			[]string{"-demo", "-addr", "127.0.0.1:0"},
			1, "refserver: svmtest: Node.js is missing: node not found in PATH: install Node.js 20 or newer",
		},
	} {
		t.Run(name, func(t *testing.T) {
			code, said := ends(t, tc.env, tc.args...)
			require.Equal(t, tc.code, code, said)
			require.Contains(t, said, tc.says)
			require.NotContains(t, said, "panic")
			require.NotContains(t, said, "goroutine")
		})
	}
}

// waiting runs a server in this process and sends it the head of a request whose body it then waits for.
type waiting struct {
	data    string
	where   string // host and port
	stop    context.CancelFunc
	ended   chan error
	conn    net.Conn
	answers *bufio.Reader
}

func wait(t *testing.T, body []byte) *waiting {
	t.Helper()
	w := &waiting{data: filepath.Join(t.TempDir(), "data"), ended: make(chan error, 1)}
	ctx, stop := context.WithCancel(t.Context())
	w.stop = stop
	read, write := io.Pipe()
	go func() {
		w.ended <- errors.Join(run(ctx, options{addr: "127.0.0.1:0", data: w.data, speed: 1}, write, io.Discard), write.Close())
	}()
	lines := bufio.NewScanner(read)
	require.True(t, lines.Scan())
	require.True(t, lines.Scan())
	where, err := url.Parse(lines.Text())
	require.NoError(t, err)
	w.where = where.Host

	w.conn, err = net.Dial("tcp", w.where)
	require.NoError(t, err)
	t.Cleanup(func() { _ = w.conn.Close() })
	require.NoError(t, w.conn.SetDeadline(time.Now().Add(30*time.Second)))
	_, err = fmt.Fprintf(w.conn, "POST /api/v1/commands HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"+
		"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n", tokenIn(t, w.data), len(body))
	require.NoError(t, err)
	w.answers = bufio.NewReader(w.conn)
	for _, want := range []string{"HTTP/1.1 100 Continue\r\n", "\r\n"} {
		line, err := w.answers.ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, want, line)
	}
	return w
}

// When the server is told to end, it takes no new request, answers those that it has, and what it has answered is kept.
func TestGracefulStop(t *testing.T) {
	body := enrol("late")
	w := wait(t, body)
	w.stop()
	require.Eventually(t, func() bool {
		c, err := net.Dial("tcp", w.where)
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	}, 10*time.Second, time.Millisecond, "nothing new is let in")
	_, err := w.conn.Write(body)
	require.NoError(t, err)
	got, err := http.ReadResponse(w.answers, nil)
	require.NoError(t, err)
	defer got.Body.Close()
	require.Equal(t, http.StatusCreated, got.StatusCode)
	require.NoError(t, <-w.ended)

	s, err := openKept(options{data: w.data}, slog.New(slog.DiscardHandler), nil)
	require.NoError(t, err)
	s.door.Read(func(n *network.Network) {
		_, there := n.Node("late")
		require.True(t, there)
	})
	require.NoError(t, s.close())
}

// A request that does not come to its end does not keep the server, which says so and gives its journal up.
func TestStopDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	w := wait(t, enrol("never"))
	w.stop()
	err := <-w.ended
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "requests did not come to their end in 5s")
	s, err := openKept(options{data: w.data}, slog.New(slog.DiscardHandler), nil)
	require.NoError(t, err)
	require.NoError(t, s.close())
}

// The demonstration from its start to a signature on the page, in a process of its own; it leaves nothing behind.
func TestDemo(t *testing.T) {
	t.Parallel()
	p := start(t, "-demo", "-speed", "3600")
	require.Equal(t, "idlegrid refserver: a demonstration: made-up machines and renters, one hour in 1s", p.mode)
	var health struct{ Status string }
	p.get("/healthz", &health)
	require.Equal(t, "ok", health.Status)
	var o struct {
		PaymentsPaid int `json:"payments_paid"`
		Leases       int
	}
	var blocks []struct{ Epoch int }
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for deadline := time.Now().Add(time.Minute); o.PaymentsPaid == 0 || len(blocks) == 0; <-look.C {
		require.True(t, time.Now().Before(deadline), "nothing is paid within a minute: %+v", o)
		p.get("/api/v1/overview", &o)
		p.get("/api/v1/blocks", &blocks)
	}
	var page string
	p.get("/", &page)
	require.Regexp(t, `<code title="[1-9A-HJ-NP-Za-km-z]{80,90}">[^<]+</code> <small>slot [1-9]`, page)
	require.Contains(t, page, "made-up machines and renters")
	p.state()
	chain := regexp.MustCompile(`Solana runtime at http://(127\.0\.0\.1:\d+)`).FindStringSubmatch(page)
	require.Len(t, chain, 2)
	conn, err := net.Dial("tcp", chain[1])
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	require.NoError(t, p.end(os.Interrupt), p.said.String())
	require.NotContains(t, p.said.String(), "level=ERROR")
	require.NotContains(t, p.said.String(), "level=WARN")
	_, err = net.Dial("tcp", chain[1])
	require.Error(t, err, "the chain has ended with the server")
}
