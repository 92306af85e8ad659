package spl

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	maxAnswer    = 64 << 20 // bytes of one answer; 100 accounts or one transaction take less than one
	maxMessage   = 300      // bytes of an endpoint's message that an error repeats
	maxScrubbed  = 1 << 16  // bytes of an answer that is no JSON of which an error may show the beginning
	minSecret    = 6        // a part of the URL's path that is shorter is no key, and too common a word to be struck out
	callTimeout  = 30 * time.Second
	codeParams   = -32602 // invalid params: also what a node says of a field that it does not know
	codeBehind   = -32016 // minContextSlot has not been reached
	codeNoMethod = -32601
)

// errBehind is for an endpoint whose node has not reached the slot that another answer of it was about.
var errBehind = errors.New("spl: the endpoint has fallen behind its own answers")

// rpcError is an error that the endpoint has put into its answer.
type rpcError struct {
	code    int
	message string
}

// Error returns code and message.
func (e *rpcError) Error() string { return fmt.Sprintf("error %d: %q", e.code, e.message) }

// Is makes an answer that its node is behind an errBehind.
func (e *rpcError) Is(target error) bool { return target == errBehind && e.code == codeBehind }

// endpoint calls the methods of one JSON-RPC endpoint. No error that it returns holds the URL's path, query or user, which
// are where providers put the caller's key.
type endpoint struct {
	name    string
	url     string
	secrets []string // parts of the URL that an error must not repeat
	client  *http.Client
	timeout time.Duration
	ids     atomic.Uint64
	old     sync.Map // methods whose minContextSlot the endpoint refuses
}

// newEndpoint checks the address. The name is the host, with its port, unless another is given.
func newEndpoint(c Config) (*endpoint, error) {
	u, err := url.Parse(c.URL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, errors.New("spl: URL is no http or https address")
	}
	e := &endpoint{name: c.Name, url: c.URL, timeout: c.Timeout, client: &http.Client{
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: c.Parallel, MaxConnsPerHost: 2 * c.Parallel,
			IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true,
		},
		// Whoever redirects a payment's bytes gets nothing: the address is the operator's choice.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if e.name == "" {
		e.name = u.Host
	}
	for _, part := range strings.Split(u.EscapedPath(), "/") {
		e.keep(part)
	}
	for _, part := range strings.FieldsFunc(u.RawQuery, func(r rune) bool { return r == '&' || r == ';' }) {
		_, value, named := strings.Cut(part, "=")
		if !named {
			value = part
		}
		e.keep(value)
	}
	if user := u.User.String(); user != "" {
		for _, part := range strings.SplitN(user, ":", 2) {
			e.keep(part)
		}
		password, _ := u.User.Password()
		e.keep(base64.StdEncoding.EncodeToString([]byte(u.User.Username() + ":" + password))) // as the header has it
	}
	for _, s := range e.secrets {
		if strings.Contains(e.name, s) && c.Name != "" {
			return nil, errors.New("spl: Name repeats a part of the URL's path, query or user, which may be a secret")
		}
	}
	return e, nil
}

// keep remembers a part of the URL, as it stands and as it reads.
func (e *endpoint) keep(part string) {
	all := []string{part}
	for _, read := range []func(string) (string, error){url.PathUnescape, url.QueryUnescape} {
		if s, err := read(part); err == nil {
			all = append(all, s)
		}
	}
	for _, s := range all {
		if len(s) >= minSecret && !slices.Contains(e.secrets, s) {
			e.secrets = append(e.secrets, s)
		}
	}
	// The longer first: one may be a part of another.
	slices.SortStableFunc(e.secrets, func(a, b string) int { return len(b) - len(a) })
}

// scrub strikes the parts of the URL out of a text, and cuts it to maxMessage bytes.
func (e *endpoint) scrub(text string) string {
	for _, s := range e.secrets {
		text = strings.ReplaceAll(text, s, "***")
	}
	if len(text) > maxMessage {
		text = text[:maxMessage]
	}
	return text
}

// call asks once. It never repeats a call by itself.
func (e *endpoint) call(ctx context.Context, method string, params []any, out any) error {
	if err := e.ask(ctx, method, params, out); err != nil {
		return fmt.Errorf("spl: %s at %s: %w", method, e.name, err)
	}
	return nil
}

// read asks as of at least a slot: by minContextSlot, unless the endpoint has refused that for this method. The config, which
// it changes, is the last parameter, after those given.
func (e *endpoint) read(ctx context.Context, method string, config map[string]any, slot uint64, out any, params ...any) error {
	params = append(params, config)
	if _, refused := e.old.Load(method); slot == 0 || refused {
		return e.call(ctx, method, params, out)
	}
	config["minContextSlot"] = slot
	err := e.call(ctx, method, params, out)
	var answer *rpcError
	if !errors.As(err, &answer) || answer.code != codeParams {
		return err
	}
	delete(config, "minContextSlot")
	if err := e.call(ctx, method, params, out); err != nil {
		return err
	}
	e.old.Store(method, true)
	return nil
}

func (e *endpoint) ask(ctx context.Context, method string, params []any, out any) error {
	ctx, cancel := context.WithTimeout(ctx, e.timeout)
	defer cancel()
	id := e.ids.Add(1)
	body, err := json.Marshal(struct {
		Version string `json:"jsonrpc"`
		ID      uint64 `json:"id"`
		Method  string `json:"method"`
		Params  []any  `json:"params,omitempty"`
	}{"2.0", id, method, params})
	if err != nil {
		return fmt.Errorf("encode the call: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(body))
	if err != nil {
		return errors.New("the address cannot be asked")
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := e.client.Do(req)
	if err != nil {
		return e.transport(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return fmt.Errorf("read the answer: %w", e.transport(err))
	case len(answer) > maxAnswer:
		return fmt.Errorf("the answer is larger than %d bytes", maxAnswer)
	}
	return e.decode(resp, answer, id, out)
}

// decode reads an answer. A status other than 200 may still carry an error of the RPC, which says more.
func (e *endpoint) decode(resp *http.Response, answer []byte, id uint64, out any) error {
	var r struct {
		ID     json.RawMessage
		Result json.RawMessage
		Error  *struct {
			Code    int
			Message string
		}
	}
	err := json.Unmarshal(answer, &r)
	switch {
	case err == nil && r.Error != nil:
		return &rpcError{r.Error.Code, e.scrub(r.Error.Message)}
	case resp.StatusCode != http.StatusOK:
		if wait := resp.Header.Get("Retry-After"); wait != "" {
			return fmt.Errorf("status %d, asked to wait %q s", resp.StatusCode, e.scrub(wait))
		}
		return fmt.Errorf("status %d", resp.StatusCode)
	case err != nil:
		text := e.scrub(string(answer[:min(len(answer), maxScrubbed)])) // before it is cut: half a secret would not be found
		return fmt.Errorf("the answer is no JSON-RPC: %q", text[:min(len(text), 100)])
	case string(r.ID) != fmt.Sprint(id):
		return fmt.Errorf("the answer is for call %q, not %d", e.scrub(string(r.ID)), id)
	case len(r.Result) == 0:
		return errors.New("the answer has neither result nor error")
	}
	if err := json.Unmarshal(r.Result, out); err != nil {
		return fmt.Errorf("read the result: %s", e.scrub(err.Error()))
	}
	return nil
}

// transport takes the URL out of an error of net/http and keeps what can be asked with errors.Is.
func (e *endpoint) transport(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if text := err.Error(); e.scrub(text) != text {
		switch {
		case errors.Is(err, context.Canceled):
			return context.Canceled
		case errors.Is(err, context.DeadlineExceeded):
			return context.DeadlineExceeded
		}
		return errors.New(e.scrub(text))
	}
	return err
}
