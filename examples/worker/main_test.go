package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// screen is what the worker prints, line by line.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// await waits until something stands on the screen. The machine may be slow: there are two minutes.
func (s *screen) await(t *testing.T, pattern string) []string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	var found []string
	require.Eventually(t, func() bool {
		found = re.FindStringSubmatch(s.String())
		return found != nil
	}, 2*time.Minute, 50*time.Millisecond, "%s: %s", pattern, s)
	return found
}

// serve starts a reference server in a process of its own, and stops it with the test.
func serve(t *testing.T, addr, data string) (url string, stop func()) {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "refserver")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../../refserver").CombinedOutput()
	require.NoError(t, err, "%s", out)
	ctx, cancel := context.WithCancel(context.Background())
	server := exec.CommandContext(ctx, binary, "-addr", addr, "-data", data, "-proofs", "1m")
	said, err := server.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, server.Start())
	lines := bufio.NewScanner(said)
	require.True(t, lines.Scan(), "what it is")
	require.True(t, lines.Scan(), "where it is")
	url = lines.Text()
	stop = sync.OnceFunc(func() {
		_ = server.Process.Signal(os.Interrupt)
		_, _ = io.Copy(io.Discard, said)
		_ = server.Wait()
		cancel()
	})
	t.Cleanup(stop)
	return url, stop
}

// A supplier starts the agent before the operator has enrolled it; it is enrolled, heard, and survives a restart of the
// server. All of it is real but the cards.
func TestAgainstTheServer(t *testing.T) {
	data := t.TempDir()
	url, stop := serve(t, "127.0.0.1:0", data)
	var shown screen
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, options{server: url, fake: "4090x2", key: filepath.Join(t.TempDir(), "key"), every: time.Second}, &shown)
	}()
	enrol := shown.await(t, `\{"kind":"enrol".*\}`)[0]
	shown.await(t, "reconnecting 2 GPUs, 0 reports taken.*key is not enrolled")

	token, err := os.ReadFile(filepath.Join(data, "operator.token"))
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/api/v1/commands", strings.NewReader(enrol))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusCreated, res.StatusCode)
	shown.await(t, "waiting +2 GPUs, [1-9]")

	stop()
	shown.await(t, "reconnecting 2 GPUs, [1-9].*refused")
	before := len(shown.String())
	_, _ = serve(t, strings.TrimPrefix(url, "http://"), data)
	require.Eventually(t, func() bool { return strings.Contains(shown.String()[before:], "waiting") }, 2*time.Minute, 50*time.Millisecond)
	cancel()
	require.NoError(t, <-done)
}
