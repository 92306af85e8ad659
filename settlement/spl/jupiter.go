package spl

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gagliardetto/solana-go"

	"github.com/idlegrid/idlegrid/settlement"
)

const (
	jupiterURL      = "https://api.jup.ag"
	jupiterBody     = 1 << 20 // bytes of an answer at most
	jupiterTimeout  = 10 * time.Second
	jupiterShown    = 200 // bytes of an unwanted answer that an error shows
	jupiterAccounts = 64
	jupiterProgram  = "JUP6LkbZbjS1jKKwapdHNy74zcZ3tLUZoi5QNyVTaV4"
)

// ErrJupiter is returned, wrapped, for an answer of Jupiter that is not what was asked for.
var ErrJupiter = errors.New("spl: jupiter")

// APIKey is a secret that no formatting shows. Reading it takes a conversion to string.
type APIKey string

// String hides the key.
func (APIKey) String() string { return "[hidden]" }

// GoString hides the key.
func (APIKey) GoString() string { return "[hidden]" }

// MarshalText hides the key.
func (APIKey) MarshalText() ([]byte, error) { return []byte("[hidden]"), nil }

// JupiterAPI is a generation of Jupiter's swap interface.
type JupiterAPI uint8

const (
	// JupiterBuild is Swap V2: one GET /swap/v2/build answers quote and instructions.
	JupiterBuild JupiterAPI = iota
	// JupiterMetis is Metis V1, which is no longer developed: GET /swap/v1/quote, then POST /swap/v1/swap-instructions.
	JupiterMetis
)

// JupiterConfig says how Jupiter is asked.
type JupiterConfig struct {
	// URL is where the interface is, without a path; empty: https://api.jup.ag. Only a loopback address may be http.
	URL string
	// Key is sent as x-api-key, which V2 requires; empty: none.
	Key APIKey
	// Taker is the swap wallet.
	Taker settlement.Account
	// API is the generation of the interface.
	API JupiterAPI
	// SlippageBps is Jupiter's own limit, 1 to 9,999 basis points below its quote. What a swap has to get does not rest on it.
	SlippageBps uint16
	// MaxAccounts bounds the accounts of a route, 1 to 64: the addresses of a transaction of version 1 are 64, of which ours
	// take up to 10. 0 means 50.
	MaxAccounts uint8
	// Client sends the requests; nil: one with a timeout of 10 s. Redirects are not followed, whoever sends.
	Client *http.Client
}

// Jupiter is a Swapper that asks Jupiter's router for instructions. It believes no answer: amounts, mints and mode have to
// be those of the question, instructions to make or to close accounts and to tip are left out or refused, and what is left
// is for a [Converter] to guard. Lookup tables are not used: version 1 has none, and every instruction names its accounts
// in full. It was written from the public documentation and never run against the live service. It is safe for concurrent
// use.
type Jupiter struct {
	config JupiterConfig // without the key
	key    func() string // a function, because fmt prints unexported strings as they are
	client *http.Client
}

// JupiterProgram is the address of Jupiter's aggregator, version 6, the one program that its swaps call at the top: for
// ConverterConfig.Programs. Taken from Jupiter's documentation, not read from the chain.
func JupiterProgram() settlement.Account { return jupiterProgram }

// NewJupiter checks the configuration. It does not connect.
func NewJupiter(c JupiterConfig) (*Jupiter, error) {
	if c.URL == "" {
		c.URL = jupiterURL
	}
	if c.MaxAccounts == 0 {
		c.MaxAccounts = 50
	}
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || strings.Trim(u.Path, "/") != "" {
		return nil, fmt.Errorf("%w: URL is no plain https address without path, query and user", ErrJupiter)
	}
	loopback := u.Hostname() == "127.0.0.1" || u.Hostname() == "localhost" || u.Hostname() == "::1"
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback) {
		return nil, fmt.Errorf("%w: URL has the scheme %q, want https", ErrJupiter, u.Scheme)
	}
	c.URL = strings.TrimRight(c.URL, "/")
	if _, err := solana.PublicKeyFromBase58(string(c.Taker)); err != nil {
		return nil, fmt.Errorf("%w: Taker is %q, want an address", ErrJupiter, c.Taker)
	}
	switch {
	case c.API > JupiterMetis:
		return nil, fmt.Errorf("%w: API is %d, want 0 or 1", ErrJupiter, c.API)
	case c.SlippageBps < 1 || c.SlippageBps > 9999:
		return nil, fmt.Errorf("%w: SlippageBps is %d, want 1 to 9999", ErrJupiter, c.SlippageBps)
	case c.MaxAccounts > jupiterAccounts:
		return nil, fmt.Errorf("%w: MaxAccounts is %d, want 1 to %d", ErrJupiter, c.MaxAccounts, jupiterAccounts)
	}
	for _, r := range string(c.Key) {
		if r < '!' || r > '~' {
			return nil, fmt.Errorf("%w: Key has a character that no header carries", ErrJupiter)
		}
	}
	client := http.Client{Timeout: jupiterTimeout}
	if c.Client != nil {
		client = *c.Client
	}
	// The key must not follow a redirect to another host.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	key := string(c.Key)
	c.Key = ""
	return &Jupiter{c, func() string { return key }, &client}, nil
}

// Quote implements settlement.Swapper. V2 does not say its slot, which is left 0, and neither generation documents the unit
// of its price impact, which is left 0 too: what a quote is worth is judged by our own price.
func (j *Jupiter) Quote(ctx context.Context, in, out settlement.Asset, units uint64) (settlement.SwapQuote, error) {
	if j.config.API == JupiterMetis {
		q, _, err := j.metisQuote(ctx, in, out, units)
		return q, err
	}
	answer, err := j.build(ctx, in, out, units, "")
	if err != nil {
		return settlement.SwapQuote{}, err
	}
	return answer.quote(in, out, units, j.config.SlippageBps)
}

// Build implements settlement.Swapper. The instructions are those of a quote of their own, which may be a little better or
// worse than order.Quote; one that promises less than order.Quote.Least is refused.
func (j *Jupiter) Build(ctx context.Context, o settlement.SwapOrder) ([]settlement.Instruction, error) {
	if o.Wallet != j.config.Taker {
		return nil, fmt.Errorf("%w: the order is of wallet %q, Taker is %q", ErrJupiter, o.Wallet, j.config.Taker)
	}
	var answer *jupiterAnswer
	var q settlement.SwapQuote
	var err error
	if j.config.API == JupiterMetis {
		answer, q, err = j.metisBuild(ctx, o)
	} else if answer, err = j.build(ctx, o.Quote.In, o.Quote.Out, o.Quote.Units, o.Into); err == nil {
		q, err = answer.quote(o.Quote.In, o.Quote.Out, o.Quote.Units, j.config.SlippageBps)
	}
	if err != nil {
		return nil, err
	}
	if q.Expect < o.Quote.Least {
		return nil, fmt.Errorf("%w: outAmount is %d now, the quote's least was %d", ErrJupiter, q.Expect, o.Quote.Least)
	}
	return answer.instructions(j.config.Taker, o, int(j.config.MaxAccounts))
}

func (j *Jupiter) parameters(in, out settlement.Asset, units uint64) url.Values {
	return url.Values{
		"inputMint":   {string(in.Mint)},
		"outputMint":  {string(out.Mint)},
		"amount":      {strconv.FormatUint(units, 10)},
		"slippageBps": {strconv.Itoa(int(j.config.SlippageBps))},
		"maxAccounts": {strconv.Itoa(int(j.config.MaxAccounts))},
	}
}

// build is GET /swap/v2/build.
func (j *Jupiter) build(ctx context.Context, in, out settlement.Asset, units uint64, into settlement.Account) (*jupiterAnswer, error) {
	v := j.parameters(in, out, units)
	v.Set("taker", string(j.config.Taker))
	if into != "" {
		v.Set("destinationTokenAccount", string(into))
	}
	body, err := j.ask(ctx, http.MethodGet, "/swap/v2/build?"+v.Encode(), nil)
	if err != nil {
		return nil, err
	}
	return decodeJupiter(body)
}

// metisQuote is GET /swap/v1/quote. The answer goes back as it is to get instructions for it.
func (j *Jupiter) metisQuote(ctx context.Context, in, out settlement.Asset, units uint64) (settlement.SwapQuote, json.RawMessage, error) {
	v := j.parameters(in, out, units)
	v.Set("swapMode", "ExactIn")
	body, err := j.ask(ctx, http.MethodGet, "/swap/v1/quote?"+v.Encode(), nil)
	if err != nil {
		return settlement.SwapQuote{}, nil, err
	}
	answer, err := decodeJupiter(body)
	if err != nil {
		return settlement.SwapQuote{}, nil, err
	}
	q, err := answer.quote(in, out, units, j.config.SlippageBps)
	return q, body, err
}

// metisBuild asks for a quote and for its instructions by POST /swap/v1/swap-instructions.
func (j *Jupiter) metisBuild(ctx context.Context, o settlement.SwapOrder) (*jupiterAnswer, settlement.SwapQuote, error) {
	q, quote, err := j.metisQuote(ctx, o.Quote.In, o.Quote.Out, o.Quote.Units)
	if err != nil {
		return nil, q, err
	}
	request, err := json.Marshal(map[string]any{
		"quoteResponse":           quote,
		"userPublicKey":           j.config.Taker,
		"destinationTokenAccount": o.Into,
		"wrapAndUnwrapSol":        false,
		"useSharedAccounts":       true, // no token accounts of ours in the middle of a route
	})
	if err != nil {
		return nil, q, fmt.Errorf("%w: encode the request: %w", ErrJupiter, err)
	}
	body, err := j.ask(ctx, http.MethodPost, "/swap/v1/swap-instructions", request)
	if err != nil {
		return nil, q, err
	}
	answer, err := decodeJupiter(body)
	return answer, q, err
}

// ask sends one request and returns the body of its answer. The key is in no error: what the service echoes is cut.
func (j *Jupiter) ask(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, j.config.URL+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%w: make the request: %w", ErrJupiter, err)
	}
	request.Header.Set("Accept", "application/json")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if key := j.key(); key != "" {
		request.Header.Set("x-api-key", key)
	}
	response, err := j.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrJupiter, method, err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(response.Body, jupiterBody+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: read the answer: %w", ErrJupiter, err)
	case len(answer) > jupiterBody:
		return nil, fmt.Errorf("%w: the answer has more than %d bytes", ErrJupiter, jupiterBody)
	case response.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%w: status %d: %s", ErrJupiter, response.StatusCode, j.shown(answer))
	}
	return answer, nil
}

// shown is the beginning of an unwanted answer, without the key.
func (j *Jupiter) shown(answer []byte) string {
	text := string(answer)
	if key := j.key(); key != "" {
		text = strings.ReplaceAll(text, key, "[hidden]")
	}
	return strconv.Quote(text[:min(len(text), jupiterShown)])
}
