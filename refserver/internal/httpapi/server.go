package httpapi

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/gpu/challenge"
	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/internal/worker"
	"github.com/idlegrid/idlegrid/refserver/internal/door"
	"github.com/idlegrid/idlegrid/refserver/internal/verifier"
	"github.com/idlegrid/idlegrid/sched"
)

// maxBody bounds the body of any request, in bytes: a report and a little.
const maxBody = gpu.MaxBody + 4<<10

// Config is what the handler needs.
type Config struct {
	Door *door.Door
	Log  *slog.Logger
	// Verifier poses challenges to nodes that were just heard; nil poses none.
	Verifier *verifier.Verifier
	// Token admits an operator's commands; empty admits none.
	Token string
	// Mode is shown on the page: what kind of network this is and how fast its clock goes.
	Mode string
	// Chain describes the chain on which payments are made; empty if none is connected.
	Chain string
}

type server struct {
	cfg    Config
	page   page
	posing sync.Mutex
}

// New returns the handler of everything.
func New(cfg Config) (http.Handler, error) {
	p, err := newPage()
	if err != nil {
		return nil, err
	}
	s := &server{cfg: cfg, page: p}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.showPage)
	mux.HandleFunc("GET /assets/{name}", s.asset)
	mux.HandleFunc("GET /healthz", s.health)
	mux.HandleFunc("GET /api/v1/overview", s.overview)
	mux.HandleFunc("GET /api/v1/nodes", s.nodes)
	mux.HandleFunc("GET /api/v1/nodes/{name}", s.node)
	mux.HandleFunc("GET /api/v1/leases", s.leases)
	mux.HandleFunc("GET /api/v1/blocks", s.blocks)
	mux.HandleFunc("GET /api/v1/bills", s.bills)
	mux.HandleFunc("GET /api/v1/payments", s.payments)
	mux.HandleFunc("GET /api/v1/digest", s.digest)
	mux.HandleFunc("POST /api/v1/placements", s.try)
	mux.HandleFunc("POST /api/v1/challenges", s.challenge)
	mux.HandleFunc("POST /api/v1/reports", s.report)
	mux.HandleFunc("POST /api/v1/proofs/{id}/{device}", s.prove)
	mux.HandleFunc("POST /api/v1/commands", s.command)
	return s.guard(s.route(mux)), nil
}

// route answers in problem details where the mux would in plain text: for a path that is not there, or a method that the
// path does not have.
func (s *server) route(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		own, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		said := &unsent{header: http.Header{}}
		own.ServeHTTP(said, r)
		if said.status == http.StatusMethodNotAllowed {
			allowed := said.header.Get("Allow")
			w.Header().Set("Allow", allowed)
			s.fail(w, r, &badRequest{said.status, fmt.Sprintf("%s: this resource has %s only", r.Method, allowed)})
			return
		}
		s.fail(w, r, &badRequest{http.StatusNotFound, fmt.Sprintf("no such resource: %q", r.URL.Path)})
	})
}

// unsent keeps the status and the header of an answer that nobody gets.
type unsent struct {
	header http.Header
	status int
}

// Header returns the header to be.
func (u *unsent) Header() http.Header { return u.header }

// WriteHeader keeps the status.
func (u *unsent) WriteHeader(status int) { u.status = status }

// Write drops the body.
func (u *unsent) Write(b []byte) (int, error) { return len(b), nil }

// guard bounds and checks every request before anything else looks at it.
func (s *server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if ip := net.ParseIP(strings.Trim(host, "[]")); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			s.fail(w, r, &badRequest{http.StatusMisdirectedRequest, fmt.Sprintf("host %q: this server answers to localhost only", r.Host)})
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		next.ServeHTTP(w, r)
	})
}

func (s *server) health(w http.ResponseWriter, r *http.Request) {
	if err := s.cfg.Door.Alive(); err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, http.StatusOK, map[string]string{"status": "ok"})
}

func (s *server) digest(w http.ResponseWriter, _ *http.Request) {
	seq, digest, audit := s.cfg.Door.Digest()
	out := map[string]any{"seq": seq, "digest": fmt.Sprintf("%x", digest), "audit": "ok"}
	if audit != nil {
		out["audit"] = audit.Error()
	}
	s.answer(w, http.StatusOK, out)
}

// try answers where a job would be placed now. Nothing changes.
func (s *server) try(w http.ResponseWriter, r *http.Request) {
	var c network.Submit
	if err := s.decode(r, &c); err != nil {
		s.fail(w, r, err)
		return
	}
	var placement sched.Placement
	var err error
	s.cfg.Door.Read(func(n *network.Network) { placement, err = n.Try(c) })
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, http.StatusOK, placementView(placement))
}

// challenge gives an enrolled key the nonce of its next report.
func (s *server) challenge(w http.ResponseWriter, r *http.Request) {
	var c struct {
		Key network.Key `json:"key"`
	}
	if err := s.decode(r, &c); err != nil {
		s.fail(w, r, err)
		return
	}
	nonce, err := s.pose(c.Key)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, http.StatusCreated, map[string]any{"key": c.Key, "nonce": nonce})
}

// pose returns the nonce that a key has to answer next: the one that it was sent last, if that is still open. Anybody may ask,
// for any key; a fresh nonce each time would replace the one that the agent is about to answer, and grow the journal.
func (s *server) pose(key network.Key) (nonce network.Key, err error) {
	s.posing.Lock() // else two who ask at once replace each other's
	defer s.posing.Unlock()
	var open bool
	s.cfg.Door.Read(func(n *network.Network) { nonce, open = n.Asked(key) })
	if err := s.cfg.Door.Alive(); open || err != nil {
		return nonce, err
	}
	if _, err := rand.Read(nonce[:]); err != nil {
		return nonce, err
	}
	_, _, err = s.cfg.Door.Do(network.Challenge{Key: key, Nonce: nonce})
	return nonce, err
}

// report takes what an agent signed, as it is.
func (s *server) report(w http.ResponseWriter, r *http.Request) {
	b, err := octets(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	seq, facts, err := s.cfg.Door.Do(network.Report{Signed: b})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	out := worker.Ack{Seq: seq, Facts: lines(facts)}
	if err := s.acknowledge(b, &out); err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, http.StatusCreated, out)
}

// acknowledge gives the agent of a report that was taken the nonce of its next one, and a challenge if one is due.
func (s *server) acknowledge(signed []byte, out *worker.Ack) error {
	key := network.Key(gpu.ReportKey(signed))
	nonce, err := s.pose(key)
	if err != nil {
		return err
	}
	out.Nonce = challenge.Hash(nonce)
	if s.cfg.Verifier == nil {
		return nil
	}
	var node string
	var devices []gpu.Device
	s.cfg.Door.Read(func(n *network.Network) { node, devices = n.Idle(key) })
	if len(devices) == 0 {
		return nil
	}
	offer, due, err := s.cfg.Verifier.Offer(node, devices)
	if err != nil {
		s.cfg.Log.Warn("no challenge could be posed", "node", node, "error", err)
		return nil // the report stands
	}
	if due {
		out.Proof = &offer
	}
	return nil
}

// prove takes an agent's answer to a step of a challenge and returns the next step.
func (s *server) prove(w http.ResponseWriter, r *http.Request) {
	b, err := octets(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	device, err := strconv.Atoi(r.PathValue("device"))
	if err != nil || s.cfg.Verifier == nil {
		s.fail(w, r, fmt.Errorf("%w: device %q", verifier.ErrUnknown, r.PathValue("device")))
		return
	}
	step, err := s.cfg.Verifier.Answer(r.Context(), r.PathValue("id"), device, b)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, http.StatusOK, step)
}

// command takes what an operator orders, in the form of the journal without the instant.
func (s *server) command(w http.ResponseWriter, r *http.Request) {
	text, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	given, want := sha256.Sum256([]byte(text)), sha256.Sum256([]byte(s.cfg.Token))
	if s.cfg.Token == "" || !bearer || subtle.ConstantTimeCompare(given[:], want[:]) != 1 {
		w.Header().Set("WWW-Authenticate", "Bearer")
		s.fail(w, r, &badRequest{http.StatusUnauthorized, "an operator's token is needed: Authorization: Bearer, then what stands in operator.token of the state folder"})
		return
	}
	if err := contentType(r, "application/json"); err != nil {
		s.fail(w, r, err)
		return
	}
	b, err := io.ReadAll(r.Body)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	at, c, err := network.Decode(b)
	if err != nil {
		s.fail(w, r, bad(err.Error()))
		return
	}
	if !at.IsZero() {
		s.fail(w, r, bad("\"at\" is set by the server"))
		return
	}
	if _, ok := c.(network.Settle); ok {
		s.fail(w, r, &badRequest{http.StatusForbidden, "only the chain settles"})
		return
	}
	s.do(w, r, c)
}

func (s *server) do(w http.ResponseWriter, r *http.Request, c network.Command) {
	seq, facts, err := s.cfg.Door.Do(c)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, http.StatusCreated, struct {
		Seq   uint64   `json:"seq"`
		Facts []string `json:"facts"`
	}{seq, lines(facts)})
}

// lines says each fact in one line.
func lines(facts []network.Fact) []string {
	out := []string{}
	for _, f := range facts {
		out = append(out, network.Describe(f))
	}
	return out
}

// decode reads a JSON body and nothing else.
func (s *server) decode(r *http.Request, v any) error {
	if err := contentType(r, "application/json"); err != nil {
		return err
	}
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		var long *http.MaxBytesError
		if errors.As(err, &long) {
			return err
		}
		return bad("body: " + err.Error())
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return bad("body: something follows the value")
	}
	return nil
}

// octets reads a body of bytes that are signed as they are.
func octets(r *http.Request) ([]byte, error) {
	if err := contentType(r, "application/octet-stream"); err != nil {
		return nil, err
	}
	return io.ReadAll(r.Body)
}

// contentType refuses a body of another media type. A page elsewhere cannot send these without asking the browser first.
func contentType(r *http.Request, want string) error {
	given := r.Header.Get("Content-Type")
	if media, _, err := mime.ParseMediaType(given); err != nil || media != want {
		return &badRequest{http.StatusUnsupportedMediaType, fmt.Sprintf("content type %q, want %s", given, want)}
	}
	return nil
}

// limit reads ?limit=, 1 to 1000, by default 100.
func limit(r *http.Request) (int, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return 0, bad("query: " + err.Error())
	}
	for _, key := range slices.Sorted(maps.Keys(query)) {
		if key != "limit" || len(query[key]) > 1 {
			return 0, bad(fmt.Sprintf("query parameter %q: there is only limit, once", key))
		}
	}
	text := query.Get("limit")
	if text == "" {
		return 100, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 1000 {
		return 0, bad(fmt.Sprintf("limit %q: want a whole number from 1 to 1000", text))
	}
	return n, nil
}
