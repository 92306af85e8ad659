package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/localnet"
	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/internal/scene"
	"github.com/idlegrid/idlegrid/refserver/internal/door"
	"github.com/idlegrid/idlegrid/refserver/internal/httpapi"
	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/tokenomics"
)

const (
	token = "a token of this test"
	evil  = `<script>document.title="taken"</script>` // the name of a machine
	epoch = 105
	one   = tokenomics.UnitsPerToken
)

// hour is when io.net's published block begins.
func hour() time.Time { return time.Date(2024, 6, 20, 0, 0, 0, 0, time.UTC) }

// clock is set by hand.
type clock struct {
	mu sync.Mutex
	at time.Time // guarded by mu
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

// world is a server with something behind it.
type world struct {
	*door.Door
	t       *testing.T
	clock   *clock
	scene   *scene.Scene
	handler http.Handler
	url     string
}

// empty returns a world without machines; its clock stands seven hours before the published block.
func empty(t *testing.T, c httpapi.Config) *world {
	t.Helper()
	w := &world{t: t, clock: &clock{at: hour().Add(-7 * time.Hour)}}
	accounts := network.Accounts{
		Rewards: localnet.Address("rewards"), Escrow: localnet.Address("escrow"), Treasury: localnet.Address("treasury"), Desk: localnet.Address("desk"),
	}
	var err error
	c.Log = slog.New(slog.DiscardHandler)
	w.Door, err = door.Open(door.Config{Params: network.IONet(accounts, epoch), Now: w.clock.Now, Log: c.Log})
	require.NoError(t, err)
	w.scene, err = scene.New(func(at time.Time, c network.Command) ([]network.Fact, error) {
		w.clock.set(at)
		_, facts, err := w.Do(c)
		return facts, err
	})
	require.NoError(t, err)
	c.Door = w.Door
	w.handler, err = httpapi.New(c)
	require.NoError(t, err)
	server := httptest.NewServer(w.handler)
	t.Cleanup(server.Close)
	w.url = server.URL
	return w
}

// peopled returns a world in which three machines and one of a bad name have lived through the published block: their
// rewards are paid, one job is billed and done, a gang of six is running.
func peopled(t *testing.T) *world {
	t.Helper()
	w := empty(t, httpapi.Config{Token: token, Mode: "a test & nothing else", Chain: "in memory"})
	machines := append(scene.Published(), scene.Machine{
		Name: evil, Supplier: "mal", Model: "NVIDIA RTX A4000", Cards: 1, Site: "osl-02", Country: "NO", Connectivity: 2, HourMicro: 900_000, CPUMilli: 1000, RAMMiB: 1024,
	})
	at := w.clock.Now()
	for _, m := range machines {
		w.keep(w.scene.Join(at, m))
	}
	for ; !at.After(hour()); at = at.Add(time.Hour) {
		w.keep(w.scene.Beat(at, nil))
		if at.Equal(hour().Add(-2 * time.Hour)) {
			w.endow(machines)
		}
	}
	w.do(submit("render", 1, 1, "NVIDIA A100 80GB PCIe"))
	w.do(submit("train", 1, 6, "NVIDIA GeForce RTX 3080"))
	w.clock.set(hour().Add(30 * time.Minute))
	for _, m := range machines {
		w.keep(w.scene.Report(w.clock.Now(), m.Name))
	}
	var first string
	w.Read(func(n *network.Network) { first = string(n.Leases()[0].ID) })
	w.do(network.Finish{Lease: first})
	w.clock.set(hour().Add(time.Hour))
	w.do(network.Tick{})
	w.settle()
	return w
}

func submit(job string, replicas, gpus uint16, model string) network.Submit {
	return network.Submit{
		Job: job, Wallet: string(localnet.Address("eve")), Currency: tokenomics.USDC, Replicas: replicas, GPUsPerReplica: gpus, Models: []string{model},
		MaxSites: 1, Seconds: 7200,
	}
}

func (w *world) keep(_ []network.Fact, err error) {
	w.t.Helper()
	require.NoError(w.t, err)
}

func (w *world) do(c network.Command) {
	w.t.Helper()
	_, facts, err := w.Do(c)
	w.keep(facts, err)
}

// endow gives all machines but the one of the bad name their stake.
func (w *world) endow(machines []scene.Machine) {
	w.t.Helper()
	for _, m := range machines {
		var need tokenomics.Amount
		w.Read(func(n *network.Network) { v, _ := n.Node(m.Name); need = v.Required })
		if m.Name == evil {
			need--
		}
		w.do(network.Stake{Node: m.Name, Amount: need})
	}
	w.do(network.PostOffer{Offer: "offer-1", Node: "a100", Amount: 500 * one, ShareBps: 3100, Expires: hour()})
	w.do(network.AcceptOffer{Offer: "offer-1", Holder: string(localnet.Address("dee")), Amount: 500 * one})
}

// settle pays all that is open on a chain in memory. Cyd has no account there: what is owed to cyd is refused.
func (w *world) settle() {
	w.t.Helper()
	chain := settlement.NewMemory()
	w.Read(func(n *network.Network) {
		p := n.Params()
		for _, asset := range []settlement.Asset{p.IO, p.USDC} {
			for _, name := range []string{"rewards", "escrow", "treasury", "desk", "ann", "bo", "dee", "eve"} {
				chain.Open(asset, localnet.Address(name), 100_000*one)
			}
		}
	})
	runner := w.Runner(chain, chain.Endpoint("second"))
	for range 12 {
		_, err := runner.Step(w.t.Context(), w.clock.Now())
		require.NoError(w.t, err)
		chain.Advance(40)
	}
	require.Empty(w.t, runner.Open())
}

// answer is what came back.
type answer struct {
	*http.Response
	body string
}

// ask makes a request, with a header given as "Name: value" lines.
func (w *world) ask(method, path, body string, header ...string) answer {
	w.t.Helper()
	ctx, stop := context.WithTimeout(w.t.Context(), time.Minute)
	defer stop()
	r, err := http.NewRequestWithContext(ctx, method, w.url+path, strings.NewReader(body))
	require.NoError(w.t, err)
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			r.Host = value
			continue
		}
		r.Header.Set(name, value)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	got, err := client.Do(r)
	require.NoError(w.t, err)
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	require.NoError(w.t, err)
	return answer{got, string(text)}
}

func (w *world) get(path string) answer {
	w.t.Helper()
	return w.ask(http.MethodGet, path, "")
}

// post sends JSON.
func (w *world) post(path string, body any, header ...string) answer {
	w.t.Helper()
	text, raw := body.(string)
	if !raw {
		b, err := json.Marshal(body)
		require.NoError(w.t, err)
		text = string(b)
	}
	return w.ask(http.MethodPost, path, text, append([]string{"Content-Type: application/json"}, header...)...)
}

// json decodes the body and wants it to be JSON by its type and nothing but one value of that shape.
func (a answer) json(t *testing.T, v any) {
	t.Helper()
	require.Contains(t, []string{"application/json", "application/problem+json"}, a.Header.Get("Content-Type"))
	dec := json.NewDecoder(bytes.NewReader([]byte(a.body)))
	dec.DisallowUnknownFields()
	require.NoError(t, dec.Decode(v), a.body)
	require.False(t, dec.More())
}

// problem is what RFC 9457 and this server say of a refusal.
type problem struct {
	Type, Title, Detail, Instance string
	Status                        int
	Unplaceable                   *struct {
		Nodes    int `json:"nodes_considered"`
		Largest  int `json:"largest_gang"`
		Refusals []struct {
			Reason         string
			Nodes, Devices int
			Have, Need     uint64
		}
		Relaxations []struct {
			Changes   []string
			Minimal   bool
			Placement map[string]any
		}
	}
}

// refusal wants a problem of that status, whole by RFC 9457, about the resource that was asked for.
func (a answer) refusal(t *testing.T, status int) problem {
	t.Helper()
	require.Equal(t, status, a.StatusCode, a.body)
	require.Equal(t, "application/problem+json", a.Header.Get("Content-Type"))
	var p problem
	a.json(t, &p)
	require.Equal(t, status, p.Status)
	require.NotEmpty(t, p.Type)
	require.NotEmpty(t, p.Title)
	require.NotEmpty(t, p.Detail)
	require.Equal(t, a.Request.URL.EscapedPath(), p.Instance)
	return p
}
