package httpapi_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/gpu/challenge"
	"github.com/idlegrid/idlegrid/gpu/challenge/cpu"
	"github.com/idlegrid/idlegrid/internal/agent"
	"github.com/idlegrid/idlegrid/internal/localnet"
	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/internal/worker"
	"github.com/idlegrid/idlegrid/refserver/internal/door"
	"github.com/idlegrid/idlegrid/refserver/internal/httpapi"
	"github.com/idlegrid/idlegrid/refserver/internal/verifier"
)

// measured are rates of a card that any processor reaches: what is tested here is the way of the messages.
func measured(model string) challenge.Rate {
	return challenge.Rate{
		Model: model, Kind: challenge.Int8, OpsPerSec: 2_000_000, ReadsPerSec: 200, Runs: 3, Driver: "550.54.15", Kernel: "test/1",
		Source: "this test", Measured: "2026-01-31", ClockMHz: 1, PowerWatts: 1,
	}
}

// counter gives bytes that follow from how many were asked for.
type counter struct {
	mu sync.Mutex
	n  byte // guarded by mu
}

func (c *counter) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	sum := sha256.Sum256([]byte{c.n})
	return copy(p, sum[:]), nil
}

// host is a Source that says what it was told.
type host struct {
	mu  sync.Mutex
	inv gpu.Inventory // guarded by mu
	err error         // guarded by mu
}

func (h *host) Probe(context.Context) (gpu.Inventory, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.inv.Taken = time.Now()
	return h.inv, h.err
}
func (h *host) Watch(context.Context, func(gpu.Notice)) error { return gpu.ErrUnsupported }
func (h *host) Close() error                                  { return nil }

// site is a server on the world's clock and a worker of a host with two cards.
type site struct {
	door   *door.Door
	worker *worker.Worker
	host   *host
	url    string
}

func newSite(t *testing.T, rates []challenge.Rate, prover func(gpu.DeviceID) (challenge.Prover, error)) *site {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	accounts := network.Accounts{
		Rewards: localnet.Address("rewards"), Escrow: localnet.Address("escrow"), Treasury: localnet.Address("treasury"), Desk: localnet.Address("desk"),
	}
	d, err := door.Open(door.Config{Params: network.IONet(accounts, epoch), Now: time.Now, Log: log})
	require.NoError(t, err)
	table, err := challenge.NewRates(rates)
	require.NoError(t, err)
	params := challenge.DefaultParams()
	params.OpenTime = 10 * time.Second                                           // the machine that tests may have other things to do
	began, evening := time.Now(), time.Date(2026, 1, 31, 20, 0, 30, 0, time.UTC) // by then the minute's challenge is due
	full := verifier.Full()
	full.Memory.Cost = 8 // a table that a processor makes in no time
	v, err := verifier.New(verifier.Config{
		Params: params, Schedule: challenge.Schedule{Epoch: time.Minute}, Rates: table, Work: 250 * time.Millisecond, Full: full,
		Least: verifier.Least(), MemoryPPM: 100, Now: func() time.Time { return evening.Add(time.Since(began)) }, Entropy: &counter{}, Log: log,
		Do: func(c network.Prove) error { _, _, err := d.Do(c); return err },
		Speaker: func(key [32]byte) (node string) {
			d.Read(func(n *network.Network) { node = n.Speaker(key) })
			return node
		},
	})
	require.NoError(t, err)
	handler, err := httpapi.New(httpapi.Config{Door: d, Log: log, Verifier: v})
	require.NoError(t, err)
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)

	c, err := gpu.NewCatalog()
	require.NoError(t, err)
	cards := agent.New(c, "host", "NVIDIA RTX A4000", 2, 0)
	seed := sha256.Sum256([]byte("host"))
	key := ed25519.NewKeyFromSeed(seed[:])
	s := &site{door: d, url: server.URL, host: &host{inv: gpu.Inventory{Host: "host", BootID: "b", Driver: "550.54.15", Devices: cards.Devices}}}
	_, _, err = d.Do(network.Enrol{Node: "host", Key: network.Key(key[32:]), Supplier: "ann"})
	require.NoError(t, err)
	s.worker, err = worker.New(worker.Config{
		Server: server.URL, Key: key, Source: s.host, Prover: prover, HTTP: server.Client(), Every: time.Minute,
	})
	require.NoError(t, err)
	return s
}

func (s *site) node(t *testing.T) network.Node {
	t.Helper()
	var out network.Node
	s.door.Read(func(n *network.Network) { out, _ = n.Node("host") })
	return out
}

func processor(gpu.DeviceID) (challenge.Prover, error) {
	return cpu.New(cpu.Config{Workers: 1, MaxBytes: 64 << 20})
}

// A host is heard, challenged on all its devices at once, and Proven: every part between the prover and the journal is real.
func TestWorkerIsProven(t *testing.T) {
	s := newSite(t, []challenge.Rate{measured("NVIDIA RTX A4000")}, processor)
	require.NoError(t, s.worker.Turn(t.Context()))
	require.Len(t, s.worker.State().Verdicts, 2)
	for id, v := range s.worker.State().Verdicts {
		require.Equal(t, challenge.OK, v.Reason, "%s: %s", id, v.Text)
		require.True(t, v.RateJudged)
		require.True(t, v.ReadsJudged)
	}
	require.Equal(t, "proven", s.node(t).Assurance)
	require.NoError(t, s.worker.Turn(t.Context()), "a heartbeat, over the nonce of the acknowledgement")
	require.Equal(t, 2, s.worker.State().Beats)
	require.True(t, s.node(t).Up)
	_, _, audit := s.door.Digest()
	require.NoError(t, audit)

	s.host.inv.BootID = "c" // a reboot makes an inventory of the next heartbeat
	require.NoError(t, s.worker.Turn(t.Context()))
	s.host.inv.Devices[0].MemoryMiB = 81920
	var no *worker.RefusedError
	require.ErrorAs(t, s.worker.Turn(t.Context()), &no)
	require.Equal(t, "urn:idlegrid:contradiction", no.Type)
	s.host.inv.Devices[0].MemoryMiB = s.host.inv.Devices[1].MemoryMiB
	require.NoError(t, s.worker.Turn(t.Context()), "and the way back is open")
}

// Without a measured rate the work is right and proves nothing.
func TestWorkerOfAnUnknownRate(t *testing.T) {
	s := newSite(t, nil, processor)
	require.NoError(t, s.worker.Turn(t.Context()))
	require.Equal(t, challenge.OK, s.worker.State().Verdicts[s.host.inv.Devices[0].ID].Reason)
	require.Equal(t, "consistent", s.node(t).Assurance)
}

// flawed is a prover that commits to something else than it opens.
type flawed struct{ *cpu.Prover }

func (f flawed) Commit(ctx context.Context, s challenge.Spec) (challenge.Commitment, error) {
	c, err := f.Prover.Commit(ctx, s)
	if err == nil {
		c.Roots[0][0] ^= 1
	}
	return c, err
}

func TestWorkerThatCheats(t *testing.T) {
	s := newSite(t, []challenge.Rate{measured("NVIDIA RTX A4000")}, func(gpu.DeviceID) (challenge.Prover, error) {
		p, err := cpu.New(cpu.Config{Workers: 1, MaxBytes: 64 << 20})
		return flawed{p}, err
	})
	require.NoError(t, s.worker.Turn(t.Context()))
	for _, v := range s.worker.State().Verdicts {
		require.True(t, v.Failed(), "%s", v.Reason)
	}
	require.Len(t, s.worker.State().Verdicts, 2)
	require.Equal(t, "consistent", s.node(t).Assurance)
}

// A prover that cannot work is a line that broke, not a lie.
func TestWorkerWithoutAProver(t *testing.T) {
	s := newSite(t, []challenge.Rate{measured("NVIDIA RTX A4000")}, func(gpu.DeviceID) (challenge.Prover, error) {
		return nil, errors.New("all memory is let")
	})
	require.NoError(t, s.worker.Turn(t.Context()))
	require.Equal(t, challenge.Transport, s.worker.State().Verdicts[s.host.inv.Devices[0].ID].Reason)
	require.Equal(t, "consistent", s.node(t).Assurance)
}

func TestProofsRefuse(t *testing.T) {
	s := newSite(t, nil, processor)
	post := func(path, media, body string) int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+path, strings.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("Content-Type", media)
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		return res.StatusCode
	}
	const octets = "application/octet-stream"
	require.Equal(t, http.StatusNotFound, post("/api/v1/proofs/none/0", octets, "x"))
	require.Equal(t, http.StatusNotFound, post("/api/v1/proofs/none/one", octets, "x"))
	require.Equal(t, http.StatusUnsupportedMediaType, post("/api/v1/proofs/none/0", "application/json", "{}"))
}

// Of 64 copies of one report exactly one is taken.
func TestReportOnce(t *testing.T) {
	w := empty(t, httpapi.Config{})
	a, _ := newAgent(t, "host", "NVIDIA RTX A4000", 1)
	w.do(network.Enrol{Node: "host", Key: a.Key(), Supplier: "ann"})
	signed, err := a.Report(w.clock.Now(), w.nonce(a))
	require.NoError(t, err)
	server := httptest.NewServer(w.handler)
	defer server.Close()
	var wait sync.WaitGroup
	codes := make([]int, 64)
	for i := range codes {
		wait.Go(func() {
			res, err := http.Post(server.URL+"/api/v1/reports", "application/octet-stream", strings.NewReader(string(signed)))
			if err == nil {
				codes[i] = res.StatusCode
				_ = res.Body.Close()
			}
		})
	}
	wait.Wait()
	count := map[int]int{}
	for _, c := range codes {
		count[c]++
	}
	require.Equal(t, map[int]int{http.StatusCreated: 1, http.StatusConflict: 63}, count)
}
