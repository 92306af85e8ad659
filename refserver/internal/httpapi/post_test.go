package httpapi_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/internal/agent"
	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/internal/worker"
	"github.com/idlegrid/idlegrid/refserver/internal/httpapi"
	"github.com/idlegrid/idlegrid/settlement"
)

const auth = "Authorization: Bearer " + token

// maxBody is the server's limit of a body.
const maxBody = gpu.MaxBody + 4<<10

// The faults of a body are found before any command is made of it.
func TestBodies(t *testing.T) {
	w := peopled(t)
	before, digest, _ := w.Digest()
	huge := strings.Repeat(" ", maxBody+1)
	for _, path := range []string{"/api/v1/placements", "/api/v1/challenges", "/api/v1/commands"} {
		for body, says := range map[string]string{
			"": "EOF", "{": "unexpected EOF", "nonsense": "invalid character", "[]": "cannot unmarshal", `"x"`: "cannot unmarshal",
			`{"x":1}`: `unknown field "x"`, "{} {}": "follows", "{}]": "",
		} {
			p := w.post(path, body, auth).refusal(t, http.StatusBadRequest)
			require.Contains(t, p.Detail, says, "%s %q", path, body)
		}
		for _, media := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonx", "application/json;;", "application/octet-stream"} {
			p := w.post(path, "{}", auth, "Content-Type: "+media).refusal(t, http.StatusUnsupportedMediaType)
			require.Contains(t, p.Detail, "want application/json")
		}
		p := w.post(path, huge, auth).refusal(t, http.StatusRequestEntityTooLarge)
		require.Contains(t, p.Detail, "too large")
		p = w.post(path, `{"key":"`+strings.Repeat("a", maxBody)+`"}`, auth).refusal(t, http.StatusRequestEntityTooLarge)
		require.Contains(t, p.Detail, "too large")
	}
	w.ask(http.MethodPost, "/api/v1/reports", huge, "Content-Type: application/octet-stream").refusal(t, http.StatusRequestEntityTooLarge)
	p := w.post("/api/v1/reports", "{}").refusal(t, http.StatusUnsupportedMediaType)
	require.Contains(t, p.Detail, "want application/octet-stream")
	after, same, _ := w.Digest()
	require.Equal(t, before, after, "nothing of this is a command")
	require.Equal(t, digest, same)
}

// A parameter of the media type is no other media type.
func TestContentTypeParameter(t *testing.T) {
	w := peopled(t)
	for _, media := range []string{"application/json; charset=utf-8", "Application/JSON"} {
		require.Equal(t, http.StatusOK, w.post("/api/v1/placements", submit("x", 1, 1, "NVIDIA RTX A4000"), "Content-Type: "+media).StatusCode, media)
	}
}

// A job that could be placed is told where, and nothing changes.
func TestPlacement(t *testing.T) {
	w := peopled(t)
	before, _, _ := w.Digest()
	got := w.post("/api/v1/placements", submit("x", 1, 1, "NVIDIA RTX A4000"))
	require.Equal(t, http.StatusOK, got.StatusCode, got.body)
	var p struct {
		Sites       int
		HourMicro   uint64 `json:"hour_micro"`
		DelayMicros uint32 `json:"delay_micros"`
		Members     []map[string]any
	}
	got.json(t, &p)
	require.Equal(t, 1, p.Sites)
	require.Equal(t, uint64(400_000), p.HourMicro, "the cheaper of two")
	require.Len(t, p.Members, 1)
	require.Equal(t, "a4000", p.Members[0]["node"])
	require.Len(t, p.Members[0]["devices"], 1)
	after, _, _ := w.Digest()
	require.Equal(t, before, after)
}

// A job that cannot be placed is told why, in numbers, and what would help, with the proof.
func TestUnplaceable(t *testing.T) {
	w := peopled(t)
	job := submit("x", 1, 1, "NVIDIA RTX A4000")
	job.MaxHourMicro = 300_000
	p := w.post("/api/v1/placements", job).refusal(t, http.StatusConflict)
	require.Equal(t, "urn:idlegrid:unplaceable", p.Type)
	require.Equal(t, "job cannot be placed", p.Title)
	require.NotNil(t, p.Unplaceable)
	require.Equal(t, 4, p.Unplaceable.Nodes)
	nodes := 0
	for _, r := range p.Unplaceable.Refusals {
		require.NotEmpty(t, r.Reason)
		nodes += r.Nodes
	}
	require.NotZero(t, nodes)
	require.NotEmpty(t, p.Unplaceable.Relaxations)
	helped := p.Unplaceable.Relaxations[0]
	require.NotEmpty(t, helped.Changes)
	require.NotEmpty(t, helped.Placement["members"])

	job = submit("x", 1, 1, "no such card")
	p = w.post("/api/v1/placements", job).refusal(t, http.StatusConflict)
	require.Contains(t, p.Detail, "model")

	for name, change := range map[string]func(*network.Submit){
		"no replicas":    func(s *network.Submit) { s.Replicas = 0 },
		"no time":        func(s *network.Submit) { s.Seconds = 0 },
		"no such tier":   func(s *network.Submit) { s.MinTier = 200 },
		"no such nation": func(s *network.Submit) { s.Countries = []string{"Norway"} },
	} {
		bad := submit("x", 1, 1, "NVIDIA RTX A4000")
		change(&bad)
		body, err := json.Marshal(bad)
		require.NoError(t, err)
		p := w.post("/api/v1/placements", string(body)).refusal(t, http.StatusUnprocessableEntity)
		require.Contains(t, p.Detail, "Request.", name)
	}
	p = w.post("/api/v1/placements", `{"job":"x"}`).refusal(t, http.StatusUnprocessableEntity)
	require.Contains(t, p.Detail, "currency is missing")
}

// An agent asks for a nonce, signs its inventory over it, and is believed once.
func TestReport(t *testing.T) {
	w := empty(t, httpapi.Config{Token: token})
	a, catalog := newAgent(t, "host", "NVIDIA RTX A4000", 2)
	w.post("/api/v1/challenges", map[string]any{"key": network.Key(a.Key())}).refusal(t, http.StatusForbidden)
	w.do(network.Enrol{Node: "host", Key: a.Key(), Supplier: "ann"})

	signed, err := a.Report(w.clock.Now(), w.nonce(a))
	require.NoError(t, err)
	forged := append([]byte{}, signed...)
	forged[len(forged)-1] ^= 1
	p := w.report(forged).refusal(t, http.StatusForbidden)
	require.Equal(t, "urn:idlegrid:forged", p.Type)
	stranger, _ := newAgent(t, "stranger", "NVIDIA RTX A4000", 1)
	foreign, err := stranger.Report(w.clock.Now(), [32]byte{1})
	require.NoError(t, err)
	w.report(foreign).refusal(t, http.StatusForbidden)
	w.report([]byte("no report")).refusal(t, http.StatusUnprocessableEntity)

	got := w.report(signed)
	require.Equal(t, http.StatusCreated, got.StatusCode, got.body)
	var done worker.Ack
	got.json(t, &done)
	seq, _, _ := w.Digest()
	require.Equal(t, seq, done.Seq+1, "the nonce of the next report was posed after it")
	require.Nil(t, done.Proof, "nobody poses challenges here")
	require.Equal(t, "admitted: node host reports 2 x NVIDIA RTX A4000, consistent", done.Facts[0])

	p = w.report(signed).refusal(t, http.StatusConflict)
	require.Equal(t, "urn:idlegrid:replayed", p.Type)
	late, err := a.Report(w.clock.Now().Add(-24*time.Hour), w.nonce(a))
	require.NoError(t, err)
	p = w.report(late).refusal(t, http.StatusConflict)
	require.Equal(t, "urn:idlegrid:replayed", p.Type)

	liar := agent.New(catalog, "liar", "NVIDIA RTX A4000", 1, 80<<10) // such a card has 16 GiB
	w.do(network.Enrol{Node: "liar", Key: liar.Key(), Supplier: "mal"})
	signed, err = liar.Report(w.clock.Now(), w.nonce(liar))
	require.NoError(t, err)
	p = w.report(signed).refusal(t, http.StatusUnprocessableEntity)
	require.Equal(t, "urn:idlegrid:contradiction", p.Type)
	require.Contains(t, p.Detail, "memory", "the rule is named")

	thief, _ := newAgent(t, "thief", "NVIDIA RTX A4000", 2)
	thief.Devices = a.Devices
	w.do(network.Enrol{Node: "thief", Key: thief.Key(), Supplier: "mal"})
	signed, err = thief.Report(w.clock.Now(), w.nonce(thief))
	require.NoError(t, err)
	p = w.report(signed).refusal(t, http.StatusConflict)
	require.Equal(t, "urn:idlegrid:identity-taken", p.Type)
}

func newAgent(t *testing.T, name, model string, cards int) (*agent.Agent, *gpu.Catalog) {
	t.Helper()
	c, err := gpu.NewCatalog()
	require.NoError(t, err)
	return agent.New(c, name, model, cards, 0), c
}

// nonce asks for a nonce over HTTP. It is the same until it is answered.
func (w *world) nonce(a *agent.Agent) [32]byte {
	w.t.Helper()
	got := w.post("/api/v1/challenges", map[string]any{"key": network.Key(a.Key())})
	require.Equal(w.t, http.StatusCreated, got.StatusCode, got.body)
	var c struct{ Key, Nonce network.Key }
	got.json(w.t, &c)
	require.Equal(w.t, network.Key(a.Key()), c.Key)
	require.NotZero(w.t, c.Nonce)
	return c.Nonce
}

func (w *world) report(signed []byte) answer {
	w.t.Helper()
	return w.ask(http.MethodPost, "/api/v1/reports", string(signed), "Content-Type: application/octet-stream")
}

func TestChallenge(t *testing.T) {
	w := empty(t, httpapi.Config{})
	a, _ := newAgent(t, "host", "NVIDIA RTX A4000", 1)
	w.do(network.Enrol{Node: "host", Key: a.Key(), Supplier: "ann"})
	before, _, _ := w.Digest()
	own := w.nonce(a)
	for range 3 {
		require.Equal(t, own, w.nonce(a), "a stranger who asks in the agent's name does not spoil its turn")
	}
	after, _, _ := w.Digest()
	require.Equal(t, before+1, after, "and writes nothing")
	signed, err := a.Report(w.clock.Now(), own)
	require.NoError(t, err)
	var ack worker.Ack
	w.report(signed).json(t, &ack)
	require.NotEqual(t, network.Key(own), network.Key(ack.Nonce))
	require.Equal(t, [32]byte(ack.Nonce), w.nonce(a))
	for _, body := range []string{`{"key":"ab"}`, `{"key":"` + strings.Repeat("g", 64) + `"}`, `{"key":7}`, `{"key":"` + network.Key(a.Key()).String() + `","nonce":"` + network.Key{1}.String() + `"}`} {
		w.post("/api/v1/challenges", body).refusal(t, http.StatusBadRequest)
	}
	w.post("/api/v1/challenges", "{}").refusal(t, http.StatusForbidden)
}

// Only who holds the token orders, and what the token does not allow is not allowed to anybody.
func TestCommandToken(t *testing.T) {
	order := `{"kind":"set_price","command":{"micro_per_token":2000000,"source":"the operator"}}`
	w := peopled(t)
	before, _, _ := w.Digest()
	for _, header := range []string{"X: none", "Authorization: Bearer", "Authorization: Bearer ", "Authorization: Bearer wrong", "Authorization: " + token, "Authorization: Basic " + token, auth + "x", auth[:len(auth)-1]} {
		got := w.post("/api/v1/commands", order, header)
		p := got.refusal(t, http.StatusUnauthorized)
		require.Equal(t, "Bearer", got.Header.Get("WWW-Authenticate"))
		require.Contains(t, p.Detail, "operator.token")
		require.NotContains(t, got.body, token)
	}
	closed := empty(t, httpapi.Config{}) // a server without a token takes no orders, with an empty one neither
	for _, header := range []string{"X: none", "Authorization: Bearer ", "Authorization: Bearer"} {
		closed.post("/api/v1/commands", order, header).refusal(t, http.StatusUnauthorized)
	}
	after, _, _ := w.Digest()
	require.Equal(t, before, after)
}

func TestCommands(t *testing.T) {
	w := peopled(t)
	before, _, _ := w.Digest()
	settled, err := network.Encode(time.Time{}, network.Settle{Event: settlement.Resumed{}})
	require.NoError(t, err)
	for body, want := range map[string]int{
		`{"at":"2026-01-01T00:00:00Z","kind":"tick"}`: http.StatusBadRequest,
		`{"kind":"conjure"}`:                          http.StatusBadRequest,
		`{"kind":""}`:                                 http.StatusBadRequest,
		`{"kind":"enrol","command":{"nodes":"x"}}`:    http.StatusBadRequest,
		`{"kind":"stake","command":{"amount":1.5}}`:   http.StatusBadRequest,
		`{"kind":"settle","command":{"event":""}}`:    http.StatusBadRequest,
		string(settled):                               http.StatusForbidden,
	} {
		w.post("/api/v1/commands", body, auth).refusal(t, want)
	}
	seq, _, _ := w.Digest()
	require.Equal(t, before, seq, "none of these is a command")

	got := w.post("/api/v1/commands", `{"kind":"submit","command":{"job":"late","wallet":"eve","currency":"USDC","replicas":1,"gpus_per_replica":1,"models":["NVIDIA RTX A4000"],"max_sites":1,"seconds":3600}}`, auth)
	require.Equal(t, http.StatusCreated, got.StatusCode, got.body)
	var done struct {
		Seq   uint64
		Facts []string
	}
	got.json(t, &done)
	require.Equal(t, before+1, done.Seq)
	require.Len(t, done.Facts, 1)
	require.Contains(t, done.Facts[0], "placed: job late")

	got = w.post("/api/v1/commands", `{"kind":"tick"}`, auth)
	require.Equal(t, http.StatusCreated, got.StatusCode)
	require.JSONEq(t, `{"seq":`+jsonOf(t, before+2)+`,"facts":[]}`, got.body, "no facts are an empty list")

	for body, want := range map[string]int{ // refused by the network, and so in the journal
		`{"kind":"stake","command":{"node":"nobody","amount":"1"}}`:                 http.StatusNotFound,
		`{"kind":"heartbeats","command":{"up":["nobody"]}}`:                         http.StatusNotFound,
		`{"kind":"finish","command":{"lease":"none"}}`:                              http.StatusNotFound,
		`{"kind":"enrol","command":{"node":"a100","supplier":"x"}}`:                 http.StatusConflict,
		`{"kind":"set_price","command":{"micro_per_token":0,"source":"x"}}`:         http.StatusUnprocessableEntity,
		`{"kind":"stake","command":{"node":"a100","amount":"0"}}`:                   http.StatusUnprocessableEntity,
		`{"kind":"accept_offer","command":{"offer":"?","holder":"x","amount":"1"}}`: http.StatusUnprocessableEntity,
	} {
		w.post("/api/v1/commands", body, auth).refusal(t, want)
	}
	seq, _, audit := w.Digest()
	require.NoError(t, audit)
	require.Equal(t, before+9, seq)
}

// When the door is closed nothing is answered as if it had been done.
func TestClosedDoor(t *testing.T) {
	w := peopled(t)
	require.NoError(t, w.Close())
	w.post("/api/v1/commands", `{"kind":"tick"}`, auth).refusal(t, http.StatusServiceUnavailable)
	w.post("/api/v1/challenges", "{}").refusal(t, http.StatusServiceUnavailable)
	w.report([]byte("x")).refusal(t, http.StatusServiceUnavailable)
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}
