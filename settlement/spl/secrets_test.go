package spl_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gagliardetto/solana-go"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
	"github.com/idlegrid/idlegrid/settlement/wal"
	"github.com/idlegrid/idlegrid/tokenomics"
)

const secretWindow = 8 // bytes in a row that count as a leak

// secrets are what must not be written down anywhere, by name, as bytes.
type secrets map[string][]byte

// needles returns every secret in every usual form, whole and in part, with its name.
func (s secrets) needles() map[string]string {
	out := map[string]string{}
	for name, b := range s {
		put := func(form, text string) { out[text] = name + " in " + form }
		put("base58", solana.Base58(b).String())
		put("query form", url.QueryEscape(string(b)))
		for i := range len(b) - secretWindow + 1 {
			w := b[i : i+secretWindow]
			put("raw", string(w))
			put("hexadecimal", hex.EncodeToString(w))
			put("HEXADECIMAL", strings.ToUpper(hex.EncodeToString(w)))
			put("a list of numbers", numbers(w))
		}
		// Base64 has three alignments; 12 characters are 9 bytes.
		for i := range 3 {
			for _, e := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
				text := e.EncodeToString(b[min(i, len(b)):])
				for j := 0; j+12 <= len(text); j += 4 {
					put("base64", text[j:j+12])
				}
			}
		}
	}
	return out
}

// key adds a private key and what can be made of it: the seed, the expanded key, and the secret of its markers.
func (s secrets) key(t testing.TB, name string, k ed25519.PrivateKey) {
	t.Helper()
	s[name] = k.Seed()
	expanded := sha512.Sum512(k.Seed())
	s[name+", expanded"] = expanded[:]
	const text = "idlegrid/settlement/spl/marker-secret/v1" // of which the signature is the root of all seeds of markers
	signed := ed25519.Sign(k, []byte(text))
	s[name+"'s marker signature"] = signed
	derived, err := hkdf.Key(sha256.New, signed, nil, text, 32)
	require.NoError(t, err)
	s[name+"'s marker secret"] = derived
}

// papers is everything that was written down or shown.
type papers struct {
	mu    sync.Mutex
	texts map[string]string // text -> where it was
	log   *slog.Logger
	out   [2]bytes.Buffer
}

func newPapers() *papers {
	p := &papers{texts: map[string]string{}}
	p.log = slog.New(slog.NewMultiHandler(slog.NewTextHandler(&p.out[0], nil), slog.NewJSONHandler(&p.out[1], nil)))
	return p
}

// show prints a value in every way that a careless program might, and logs it.
func (p *papers) show(where string, v any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		p.texts[fmt.Sprintf(verb, v)] = where
	}
	if b, err := json.Marshal(v); err == nil {
		p.texts[string(b)] = where
	}
	p.log.Info(where, "value", v)
}

// trouble shows an error and all that it wraps.
func (p *papers) trouble(where string, err error) {
	if err == nil {
		return
	}
	p.show(where, err)
	switch x := err.(type) { //nolint:errorlint // every link is looked at
	case interface{ Unwrap() []error }:
		for _, e := range x.Unwrap() {
			p.trouble(where, e)
		}
	case interface{ Unwrap() error }:
		p.trouble(where, x.Unwrap())
	}
}

func (p *papers) file(t testing.TB, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Greater(t, len(b), 1000)
	p.texts[string(b)] = path
}

// leaks returns what is found of the secrets.
func (p *papers) leaks(s secrets) []string {
	p.texts[p.out[0].String()], p.texts[p.out[1].String()] = "log as text", "log as JSON"
	type needle struct{ text, name string }
	byStart := map[string][]needle{} // no needle is shorter than a window
	for text, name := range s.needles() {
		byStart[text[:secretWindow]] = append(byStart[text[:secretWindow]], needle{text, name})
	}
	var out []string
	text := strings.Join(slices.Sorted(maps.Keys(p.texts)), "\x00\x00\x00")
	for _, shape := range []string{text, strings.ReplaceAll(text, ", ", ","), strings.ReplaceAll(text, " ", ",")} {
		for i := range len(shape) - secretWindow + 1 {
			for _, n := range byStart[shape[i:i+secretWindow]] {
				if strings.HasPrefix(shape[i:], n.text) {
					out = append(out, fmt.Sprintf("%s: …%q…", n.name, shape[max(0, i-80):min(len(shape), i+80)]))
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// gateway is a provider's: it wants user, token and API key, and passes calls on to the node. When it is rude, it answers with all
// that it was asked with, cut at any place, instead.
type gateway struct {
	*httptest.Server
	rude func() (pad int, on bool)
}

func newGateway(t testing.TB, node, user, password, token, key string) (*gateway, string) {
	t.Helper()
	g := &gateway{rude: func() (int, bool) { return 0, false }}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if u, p, ok := r.BasicAuth(); !ok || u != user || p != password || r.URL.Path != "/v1/"+token || r.URL.Query().Get("api-key") != key {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if pad, on := g.rude(); on {
			_, _ = fmt.Fprintf(w, "%s %s %s %s://%s", strings.Repeat("x", pad), r.URL, r.Header, user, password)
			return
		}
		body, _ := io.ReadAll(r.Body)
		req, _ := http.NewRequestWithContext(r.Context(), http.MethodPost, node, bytes.NewReader(body))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer func() { _ = resp.Body.Close() }()
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	}))
	t.Cleanup(g.Close)
	u, err := url.Parse(g.URL)
	require.NoError(t, err)
	u.User, u.Path, u.RawQuery = url.UserPassword(user, password), "/v1/"+token, "api-key="+key
	return g, u.String()
}

// TestSecrets runs payments, intake and a swap through all that goes wrong, and looks for every secret in all that is written down:
// errors, events, effects, journals on the disk, logs, and the objects themselves.
func TestSecrets(t *testing.T) {
	s := newShop(t, svmtest.Config{})
	hidden, seen := secrets{}, newPapers()
	for _, name := range []string{"boss", "vault", "swapper", "desk"} {
		hidden.key(t, name+"'s key", svmtest.Key(name))
	}
	for name, text := range map[string]string{
		"user": "account-4711-xyz", "password": "pass+word/of-ours", "token": "tok3nInThePathOfTheURL", "API key": "api-key-of-the-query-0815",
		"Jupiter's key": "jup-9f8e7d6c5b4a", "webhook's secret": "whsec_0123456789abcdefgh", "bills' secret": shopSecret,
	} {
		hidden[name] = []byte(text)
	}
	gate, address := newGateway(t, s.URL(), string(hidden["user"]), string(hidden["password"]), string(hidden["token"]), string(hidden["API key"]))
	file, err := spl.LoadKey(keyFile(t, "["+numbers(svmtest.Key("boss"))+"]", 0o600))
	require.NoError(t, err)
	s.open(s.token, "vault", 1e9)
	s.open(s.token, "desk", 1000)
	vault := process(t, svmtest.Address(svmtest.Key("vault")), svmtest.Key("vault"), "")
	config := spl.Config{URL: address, Payer: file, Owners: []spl.Signer{vault, signer(t, "swapper"), signer(t, "desk")}, Timeout: 250 * time.Millisecond, Parallel: 2}
	chain, err := spl.New(config)
	require.NoError(t, err)
	watch := s.config
	watch.URL, watch.Timeout, watch.Witnesses = address, config.Timeout, []spl.WatchWitness{{URL: s.URL(), Name: "second"}}
	watch.WebsocketURL = strings.Replace(address, "http", "ws", 1)
	life := &secretLife{shop: s, papers: seen, dir: t.TempDir(), chain: chain}
	life.open(watch)
	s.pay("ann", s.bill("a", 25e6))
	for b := range s.till.Bills() {
		_, err := life.till.Apply(swapTime, settlement.BillOpened{Bill: b.Bill})
		require.NoError(t, err)
	}
	s.blocks(svmtest.BlocksToFinal)

	life.faults(gate)
	life.swap(string(hidden["Jupiter's key"]))
	life.webhook(hidden["webhook's secret"])
	for _, v := range []any{config, &config, chain, file, *file, vault, watch, &watch, life.watcher, watch.Witnesses[0], life.runner} {
		seen.show("object", v)
	}
	life.close()
	require.Greater(t, len(seen.texts), 200, "there was something to look at")
	require.Greater(t, life.paid, uint64(30))
	require.EqualValues(t, 25e6, life.till.Till().Totals(s.dollar).Credited)
	require.Empty(t, seen.leaks(hidden))

	// It can fail: every secret that is planted, in each form, is found.
	for name, b := range hidden {
		for form, text := range map[string]string{
			"raw": string(b), "part": string(b[2 : 2+secretWindow]), "hex": hex.EncodeToString(b), "base58": solana.Base58(b).String(),
			"base64": base64.StdEncoding.EncodeToString(b), "list": fmt.Sprint(b[:9]), "json": "[" + strings.ReplaceAll(numbers(b[1:]), ",", ", ") + "]",
		} {
			planted := newPapers()
			planted.trouble("planted", fmt.Errorf("call: %w", errors.New("x"+text+"y")))
			require.NotEmpty(t, planted.leaks(secrets{name: b}), "%s as %s", name, form)
		}
	}
}

// secretLife is a payer and an intake whose every word is kept.
type secretLife struct {
	*shop
	*papers
	dir     string
	chain   *spl.Chain
	journal *settlement.Recorder
	runner  settlement.Runner
	till    *settlement.TillRecorder
	watcher *spl.Watcher
	logs    []*wal.Log
	epoch   tokenomics.Epoch
	paid    uint64
}

func (l *secretLife) open(c spl.WatchConfig) {
	l.Helper()
	for _, name := range []string{"journal", "till"} {
		log, err := wal.Open(filepath.Join(l.dir, name))
		require.NoError(l, err)
		l.logs = append(l.logs, log)
	}
	var err error
	l.journal, err = settlement.NewRecorder(settlement.Params{Version: "test", MaxLines: 57, Quorum: 1, Assets: []settlement.Asset{l.token, l.dollar}}, l.logs[0])
	require.NoError(l, err)
	l.till, err = settlement.NewTillRecorder(settlement.IONetTill(l.treasury), l.logs[1])
	require.NoError(l, err)
	l.watcher, err = spl.NewWatcher(c)
	require.NoError(l, err)
	j := l.journal.Journal()
	l.runner = settlement.Runner{Chains: []settlement.Chain{l.chain}, Quorum: 1, Open: j.Open, Apply: l.tell, Probes: j.Probes, Reclaimable: j.Reclaimable}
}

func (l *secretLife) close() {
	l.Helper()
	for i, name := range []string{"journal", "till"} {
		require.NoError(l, l.logs[i].Close())
		l.file(l, filepath.Join(l.dir, name))
	}
}

// tell applies an event of the journal, and shows it and its effects.
func (l *secretLife) tell(at time.Time, e settlement.Event) ([]settlement.Effect, error) {
	l.show("event", e)
	l.show("event", settlement.EncodeEvent(e))
	effects, err := l.journal.Apply(at, e)
	for _, f := range effects {
		l.show("effect", f)
	}
	l.trouble("apply", err)
	return effects, err
}

// decide decides one payment, in an epoch of its own.
func (l *secretLife) decide(from string, a settlement.Asset, to string) {
	l.Helper()
	l.epoch++
	_, err := l.tell(swapTime, settlement.Decided{Epoch: l.epoch, Intents: []settlement.Intent{{
		ID: settlement.NewIntentID(settlement.Pay, fmt.Sprint(l.epoch)), Kind: settlement.Pay, Asset: a, From: svmtest.Address(svmtest.Key(from)),
		To: svmtest.Address(svmtest.Key(to)), Units: 1,
	}}})
	require.NoError(l, err)
}

func (l *secretLife) step() {
	l.Helper()
	_, err := l.runner.Step(l.Context(), swapTime)
	l.trouble("step", err)
}

// scan scans once and records what is told.
func (l *secretLife) scan() {
	l.Helper()
	var from spl.Cursor
	if b := l.till.Bookmark(); b != nil {
		require.NoError(l, json.Unmarshal(b, &from))
	}
	r, err := l.watcher.Scan(l.Context(), from, slices.Collect(l.till.Till().References()))
	l.trouble("scan", err)
	if err != nil {
		return
	}
	for _, e := range r.Events {
		l.show("till event", e)
		effects, err := l.till.Apply(swapTime, e)
		l.show("till effect", effects)
		l.trouble("till", err)
	}
	text, err := json.Marshal(r.Cursor)
	require.NoError(l, err)
	require.NoError(l, l.till.SetBookmark(text))
}

// faults pays once under every action that an endpoint has been seen to take, and under a gateway that repeats what it hears.
func (l *secretLife) faults(g *gateway) {
	l.Helper()
	l.decide("vault", l.token, "desk")
	for action := range svmtest.Actions() {
		f := svmtest.Fault{Endpoint: 0, Do: action, Count: 4}
		switch action {
		case svmtest.Stale, svmtest.AheadContext, svmtest.LandLate, svmtest.DeliveredTwice:
			f.Blocks = 20
		}
		require.NoError(l, l.Inject(l.Context(), f))
		l.decide("desk", l.token, "vault")
		for range 3 {
			l.step()
		}
		l.scan()
		require.NoError(l, l.ClearFaults(l.Context()))
		l.blocks(svmtest.BlocksToFinal)
		l.step()
	}
	for pad := range 110 { // so that what is shown ends anywhere within a secret
		g.rude = func() (int, bool) { return pad, true }
		_, err := l.chain.Balance(l.Context(), l.token, l.treasury.Owner)
		require.Error(l, err)
		l.trouble("balance", err)
	}
	l.step()
	l.scan()
	_, err := l.watcher.Wait(l.Context(), 20*time.Millisecond)
	l.trouble("wait", err)
	g.rude = func() (int, bool) { return 0, false }
	l.trouble("history", l.chain.History(l.Context(), func(x settlement.Trace) error { l.show("trace", x); return nil }))
	for range 4 {
		l.blocks(svmtest.BlocksToFinal)
		l.step()
	}
	l.scan()
	l.paid = l.journal.Journal().Totals(l.token).Paid
	g.CloseClientConnections()
	for _, bad := range []string{"http://127.0.0.1:1", "https://" + g.Listener.Addr().String()} {
		u, err := url.Parse(bad)
		require.NoError(l, err)
		u.User, u.Path, u.RawQuery = url.UserPassword("account-4711-xyz", "pass+word/of-ours"), "/tok3nInThePathOfTheURL", "api-key-of-the-query-0815"
		c, err := spl.New(spl.Config{URL: u.String(), Payer: signer(l, "boss"), Timeout: 2 * time.Second})
		require.NoError(l, err)
		_, err = c.Supply(l.Context(), l.token)
		require.Error(l, err)
		l.trouble("dial", err)
	}
}

// swap asks a Jupiter that repeats the key it was called with, and swaps against a pool.
func (l *secretLife) swap(key string) {
	l.Helper()
	jupiter := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = fmt.Fprintf(w, "%s: key %s may not", r.URL, r.Header.Get("X-Api-Key"))
	}))
	defer jupiter.Close()
	c := spl.JupiterConfig{URL: jupiter.URL, Key: spl.APIKey(key), Taker: svmtest.Address(svmtest.Key("swapper")), SlippageBps: 100}
	j, err := spl.NewJupiter(c)
	require.NoError(l, err)
	_, err = j.Quote(l.Context(), l.dollar, l.token, 40e6)
	require.Error(l, err)
	l.trouble("jupiter", err)
	l.show("jupiter", c)
	l.show("jupiter", j)

	l.fund()
	pool, err := spl.NewPool(l.chain, spl.PoolConfig{Owner: svmtest.Address(svmtest.Key("ann")), FeeBps: 30})
	require.NoError(l, err)
	require.NoError(l, pool.Approve(l.Context(), signer(l, "ann"), c.Taker, l.token, 1e12))
	l.blocks(svmtest.BlocksToFinal)
	policy := settlement.SwapPolicy{Dollar: l.dollar, Token: l.token, MaxAgeSeconds: 60, MaxSpreadBps: 50, MaxSlippageBps: 100, MaxGainBps: 100, MaxImpactBps: 100, MaxSlots: 20}
	for _, by := range []settlement.Swapper{j, pool} {
		v, err := spl.NewConverter(l.chain, spl.ConverterConfig{
			Wallet: c.Taker, Swapper: by, Market: theMarket{}, Policy: policy, Programs: []settlement.Account{tokenProgram},
		})
		require.NoError(l, err)
		l.show("converter", v)
		b := settlement.Batch{ID: settlement.BatchID{Epoch: 999}, Lines: []settlement.Line{{
			Kind: settlement.Swap, Asset: l.dollar, From: c.Taker, Units: 40e6, Into: l.token, Least: 1_585_000_000,
		}}}
		made, err := v.Prepare(l.Context(), []settlement.Batch{b})
		require.NoError(l, err)
		l.show("prepared", made[0])
		l.trouble("prepare a swap", made[0].Err)
		require.Equal(l, by == settlement.Swapper(pool), made[0].Err == nil, "%v", made[0].Err)
	}
}

// fund gives the pool what it trades with, and the wallet its lot.
func (l *secretLife) fund() {
	l.Helper()
	l.shop.open(l.dollar, "swapper", 40e6)
	ann := l.shop.open(l.token, "ann", 1e12)
	require.NoError(l, l.MintTo(l.Context(), l.boss, l.dollar, ann, 24_000e6))
}

func (l *secretLife) webhook(secret []byte) {
	l.Helper()
	keys, err := settlement.NewWebhookKeys(300, secret)
	require.NoError(l, err)
	l.show("webhook", keys)
	for _, header := range []string{"", "t=1,v1=00", keys.Sign(swapTime.Add(time.Hour), nil), strings.Replace(keys.Sign(swapTime, nil), "v1=", "v1=00", 1)} {
		err := keys.Verify(swapTime, header, nil)
		require.Error(l, err)
		l.trouble("webhook", err)
	}
	_, err = settlement.NewWebhookKeys(0, secret)
	l.trouble("webhook", err)
	_, err = settlement.NewWebhookKeys(300, secret[:9])
	l.trouble("webhook", err)
}
