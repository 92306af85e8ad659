package worker_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/gpu/challenge"
	"github.com/idlegrid/idlegrid/gpu/gputest"
	"github.com/idlegrid/idlegrid/internal/worker"
)

func source(t testing.TB) *gputest.Source {
	t.Helper()
	p, err := gputest.ParseProfile("a4000x1")
	require.NoError(t, err)
	s, err := gputest.NewSource(p, time.Now)
	require.NoError(t, err)
	return s
}

// offline is a network without a server.
type offline struct{ tries atomic.Int32 }

func (o *offline) RoundTrip(*http.Request) (*http.Response, error) {
	o.tries.Add(1)
	return nil, errors.New("no route to host")
}

// While the server is away a worker waits longer and longer, up to five minutes, and never gives up.
func TestWorkerBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line := &offline{}
		var waits []time.Duration
		w, err := worker.New(worker.Config{
			Server: "http://127.0.0.1:1", Key: ed25519.NewKeyFromSeed(make([]byte, 32)), Source: source(t), Every: 30 * time.Second,
			HTTP: &http.Client{Transport: line}, Show: func(s worker.State) {
				if s.Next > 0 {
					require.Equal(t, "reconnecting", s.Doing)
					require.Contains(t, s.Trouble, "no route to host")
					waits = append(waits, s.Next)
				}
			},
		})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		require.NoError(t, w.Run(ctx))
		require.Greater(t, len(waits), 15)
		for i, d := range waits {
			most := min(5*time.Minute, 2*time.Second<<i)
			if i > 20 {
				most = 5 * time.Minute
			}
			require.LessOrEqual(t, d, most)
			require.GreaterOrEqual(t, d, most*4/5)
		}
	})
}

// A server that has other hardware in mind, or another nonce, gets an inventory over a fresh nonce the next time.
func TestWorkerBeginsAnew(t *testing.T) {
	var kinds []gpu.Kind
	refuse := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if strings.HasSuffix(r.URL.Path, "/challenges") {
			_, _ = w.Write([]byte(`{"nonce":"` + strings.Repeat("01", 32) + `"}`))
			return
		}
		if refuse {
			w.WriteHeader(http.StatusConflict)
			_, _ = w.Write([]byte(`{"type":"urn:idlegrid:stale","detail":"an inventory is wanted"}`))
			return
		}
		b := make([]byte, 100)
		_, _ = r.Body.Read(b)
		kinds = append(kinds, gpu.Kind(b[len("idlegrid/gpu/report/v1\x00")]))
		_ = json.NewEncoder(w).Encode(map[string]string{"nonce": strings.Repeat("02", 32)})
	}))
	defer server.Close()
	w, err := worker.New(worker.Config{
		Server: server.URL + "/", Key: ed25519.NewKeyFromSeed(make([]byte, 32)), Source: source(t), Every: time.Second, HTTP: server.Client(),
	})
	require.NoError(t, err)
	require.NoError(t, w.Turn(t.Context()))
	require.NoError(t, w.Turn(t.Context()))
	refuse = true
	var no *worker.RefusedError
	require.ErrorAs(t, w.Turn(t.Context()), &no)
	require.Equal(t, worker.RefusedError{Status: 409, Type: "urn:idlegrid:stale", Detail: "an inventory is wanted"}, *no)
	refuse = false
	require.NoError(t, w.Turn(t.Context()))
	require.Equal(t, []gpu.Kind{gpu.InventoryReport, gpu.HeartbeatReport, gpu.InventoryReport}, kinds)
}

func TestNewRefuses(t *testing.T) {
	for want, c := range map[string]worker.Config{
		"key has 0 bytes, want 64": {},
		"every 0s is under 1s":     {Key: make(ed25519.PrivateKey, 64)},
		"a source and":             {Key: make(ed25519.PrivateKey, 64), Every: time.Second},
	} {
		_, err := worker.New(c)
		require.ErrorContains(t, err, want)
	}
}

func TestKeep(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b", "key")
	first, err := worker.Keep(path)
	require.NoError(t, err)
	again, err := worker.Keep(path)
	require.NoError(t, err)
	require.Equal(t, first, again)
	if runtime.GOOS != "windows" {
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	}
	require.NoError(t, os.WriteFile(path, []byte("short"), 0o600))
	_, err = worker.Keep(path)
	require.ErrorContains(t, err, "5 bytes, want 32")
}

// wire is a network in memory: what it says to a path, and what was lost on the way back.
type wire func(path string, body []byte) (string, error)

func (f wire) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	text, err := f(r.URL.Path, body)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(text)), Request: r}, nil
}

// A registry believes an inventory for a day: a host that stays as it is tells it again before that.
func TestWorkerRenewsItsInventory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var last time.Time
		count := map[gpu.Kind]int{}
		line := wire(func(path string, body []byte) (string, error) {
			if path == "/api/v1/reports" {
				kind := gpu.Kind(body[len("idlegrid/gpu/report/v1\x00")])
				count[kind]++
				if kind == gpu.InventoryReport {
					last = time.Now()
				}
				require.Less(t, time.Since(last), 7*time.Hour)
			}
			return `{"nonce":"` + strings.Repeat("01", 32) + `"}`, nil
		})
		w, err := worker.New(worker.Config{
			Server: "http://127.0.0.1:1", Key: ed25519.NewKeyFromSeed(make([]byte, 32)), Source: source(t), Every: 5 * time.Minute,
			HTTP: &http.Client{Transport: line},
		})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 48*time.Hour)
		defer cancel()
		require.NoError(t, w.Run(ctx))
		require.Equal(t, 8, count[gpu.InventoryReport])
		require.Greater(t, count[gpu.HeartbeatReport], 500)
	})
}

// A step that is lost on the way is asked for again with the same bytes; a line that stays broken ends the challenge.
func TestWorkerRepeatsAnAnswer(t *testing.T) {
	for lost, broken := range map[int]bool{0: false, 1: false, 5: false, 6: true} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			var heard [][]byte
			told := 0
			line := wire(func(path string, body []byte) (string, error) {
				switch path {
				case "/api/v1/proofs/c/0":
					heard = append(heard, body)
					if len(heard) <= lost {
						return "", errors.New("connection reset by peer")
					}
					return `{"step":"done","verdict":{"reason":"","opsPerSec":"1","readsPerSec":"1"}}`, nil
				case "/api/v1/reports":
					part := `{"device":"GPU-0","nonce":"` + strings.Repeat("02", 32) + `"}`
					return `{"nonce":"` + strings.Repeat("01", 32) + `","proof":{"id":"c","devices":[` + part + `]}}`, nil
				}
				return `{"nonce":"` + strings.Repeat("01", 32) + `"}`, nil
			})
			w, err := worker.New(worker.Config{
				Server: "http://127.0.0.1:1", Key: ed25519.NewKeyFromSeed(make([]byte, 32)), Source: source(t), Every: 5 * time.Minute,
				HTTP: &http.Client{Transport: line},
				Tested: func(id gpu.DeviceID, v challenge.Verdict) {
					require.Equal(t, gpu.DeviceID("GPU-0"), id)
					require.True(t, v.Passed())
					told++
				},
			})
			require.NoError(t, err)
			err = w.Turn(t.Context())
			require.Equal(t, !broken, told == 1)
			require.Equal(t, broken, err != nil, "%d lost: %v", lost, err)
			require.Equal(t, !broken, w.State().Verdicts["GPU-0"].OpsPerSec == 1)
			require.Len(t, heard, min(lost, 5)+1)
			for _, b := range heard {
				require.Equal(t, heard[0], b)
			}
			require.Less(t, time.Since(began), 2*time.Second, "openings may take no longer")
		})
	}
}
