package worker_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
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
