package httpapi_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/refserver/internal/httpapi"
)

// fields returns the names of an object, sorted.
func fields(m map[string]any) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func shape(s string) []string {
	out := strings.Fields(s)
	slices.Sort(out)
	return out
}

// Every list has the fields that it promises, amounts as strings, lists as lists even when they are empty.
func TestLists(t *testing.T) {
	w := peopled(t)
	for path, tc := range map[string]struct {
		count    int
		fields   string // of every element
		optional string // of some
		amounts  string // fields that are strings of digits
	}{
		"nodes": {
			4, "name supplier model devices free site country connectivity hour_micro up assurance health ends_ppm up_ppm low_ppm high_ppm observed_ns tier " +
				"stake_required stake co_stake rewarded", "shortfalls unfit next_tier next_tier_at tier_until", "stake_required stake co_stake rewarded",
		},
		"leases":   {1, "id job owner from until devices sites hour_micro where members", "", ""},
		"blocks":   {1, "epoch start emission paid nodes excluded entries", "", "emission paid"},
		"bills":    {1, "lease job wallet currency net_usd pays_usd revenue_usd paid_io burn_io treasury_io stage", "", "net_usd pays_usd revenue_usd paid_io burn_io treasury_io"},
		"payments": {10, "id kind asset amount from cause batch state", "to signature slot reason", "amount"},
	} {
		t.Run(path, func(t *testing.T) {
			got := w.get("/api/v1/" + path)
			require.Equal(t, http.StatusOK, got.StatusCode)
			require.Equal(t, "application/json", got.Header.Get("Content-Type"))
			var list []map[string]any
			got.json(t, &list)
			require.Len(t, list, tc.count, got.body)
			for _, x := range list {
				have := slices.DeleteFunc(fields(x), func(f string) bool { return slices.Contains(shape(tc.optional), f) })
				require.Equal(t, shape(tc.fields), have)
				for _, f := range shape(tc.amounts) {
					require.Regexp(t, `^\d+(\.\d+)?$`, x[f], f)
				}
			}
			require.NotContains(t, got.body, "null")
			require.Equal(t, "[]\n", empty(t, httpapi.Config{}).get("/api/v1/"+path).body, "an empty list is a list")
		})
	}
}

// What the lists say is what happened.
func TestListsSayWhatHappened(t *testing.T) {
	w := peopled(t)
	var blocks []struct {
		Epoch    int
		Paid     string
		Nodes    int
		Excluded []struct{ Node, Rule, Why string }
		Entries  []struct {
			Node, Reward string
			Parts        []struct{ Role, Amount, Holder string }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(w.get("/api/v1/blocks").body), &blocks))
	require.Equal(t, epoch, blocks[0].Epoch)
	require.Equal(t, 3, blocks[0].Nodes)
	require.Equal(t, evil, blocks[0].Excluded[0].Node)
	require.Equal(t, "stake", blocks[0].Excluded[0].Rule)
	require.Equal(t, "a100", blocks[0].Entries[0].Node)
	require.Len(t, blocks[0].Entries[0].Parts, 2, "ann and dee")

	var payments []struct{ Kind, Asset, Amount, State, Signature, Reason, Cause string }
	require.NoError(t, json.Unmarshal([]byte(w.get("/api/v1/payments").body), &payments))
	count := map[string]int{}
	for _, p := range payments {
		count[p.State]++
		switch p.State {
		case "paid":
			require.NotEmpty(t, p.Signature)
			require.Empty(t, p.Reason)
		case "refused":
			require.Contains(t, p.Cause, "rig6")
			require.Contains(t, p.Reason, "no token account")
		}
	}
	require.Equal(t, map[string]int{"paid": 9, "refused": 1}, count)
	require.Equal(t, "block 105, node rig6, owner", payments[slices.IndexFunc(payments, func(p struct{ Kind, Asset, Amount, State, Signature, Reason, Cause string }) bool {
		return p.State == "refused"
	})].Cause)

	var bills []struct{ Stage, Currency, Job string }
	require.NoError(t, json.Unmarshal([]byte(w.get("/api/v1/bills").body), &bills))
	require.Equal(t, "render", bills[0].Job)
	require.Equal(t, "done", bills[0].Stage)
	require.Equal(t, "USDC", bills[0].Currency)

	var leases []struct {
		Job, Where string
		Devices    int
	}
	require.NoError(t, json.Unmarshal([]byte(w.get("/api/v1/leases").body), &leases))
	require.Equal(t, "train", leases[0].Job)
	require.Equal(t, 6, leases[0].Devices)
	require.Equal(t, "6 at ham-03", leases[0].Where)
}

func TestOverview(t *testing.T) {
	got := peopled(t).get("/api/v1/overview")
	require.Equal(t, http.StatusOK, got.StatusCode)
	var o map[string]any
	got.json(t, &o)
	for field, want := range map[string]any{
		"epoch": float64(epoch + 1), "nodes": 4.0, "nodes_up": 4.0, "devices": 9.0, "devices_free": 3.0, "leases": 1.0, "cap": "800000000",
		"payments_open": 0.0, "payments_paid": 9.0, "payments_refused": 1.0, "at": hour().Add(time.Hour).Format(time.RFC3339),
	} {
		require.Equal(t, want, o[field], field)
	}
}

func TestNode(t *testing.T) {
	w := peopled(t)
	for _, name := range []string{"a100", evil} {
		got := w.get("/api/v1/nodes/" + url.PathEscape(name))
		require.Equal(t, http.StatusOK, got.StatusCode)
		var n struct{ Name string }
		require.NoError(t, json.Unmarshal([]byte(got.body), &n))
		require.Equal(t, name, n.Name)
	}
	p := w.get("/api/v1/nodes/nobody").refusal(t, http.StatusNotFound)
	require.Contains(t, p.Detail, `"nobody"`)
}

func TestDigest(t *testing.T) {
	w := peopled(t)
	var got struct {
		Seq           uint64
		Digest, Audit string
	}
	w.get("/api/v1/digest").json(t, &got)
	seq, digest, _ := w.Digest()
	require.Equal(t, seq, got.Seq)
	require.Equal(t, fmt.Sprintf("%x", digest), got.Digest)
	require.Equal(t, "ok", got.Audit)
}

func TestHealth(t *testing.T) {
	w := empty(t, httpapi.Config{})
	require.JSONEq(t, `{"status":"ok"}`, w.get("/healthz").body)
	require.NoError(t, w.Close())
	got := w.get("/healthz")
	p := got.refusal(t, http.StatusServiceUnavailable)
	require.Contains(t, p.Detail, "closed")
	require.Equal(t, "5", got.Header.Get("Retry-After"))
	require.Equal(t, http.StatusOK, w.get("/api/v1/overview").StatusCode, "what is known can still be read")
}

func TestLimit(t *testing.T) {
	w := peopled(t)
	for query, want := range map[string]int{"?limit=1": 1, "?limit=3": 3, "?limit=1000": 4, "": 4, "?limit=": 4, "?": 4} {
		var list []any
		w.get("/api/v1/nodes"+query).json(t, &list)
		require.Len(t, list, want, query)
	}
	for _, path := range []string{"nodes", "leases", "blocks", "bills", "payments"} {
		for query, says := range map[string]string{
			"limit=0": `"0": want a whole number from 1 to 1000`, "limit=1001": `"1001"`, "limit=-1": `"-1"`, "limit=ten": `"ten"`,
			"limit=1.5": `"1.5"`, "limit=99999999999999999999": "from 1 to 1000", "limit=1&limit=2": `"limit"`, "lmit=2": `"lmit"`, "limit=1&x=": `"x"`,
			"limit=%zz": "%zz", "limit=1;x=2": "semicolon",
		} {
			p := w.get("/api/v1/"+path+"?"+query).refusal(t, http.StatusBadRequest)
			require.Contains(t, p.Detail, says, query)
		}
	}
}

// What is not there, and what cannot be done with what is there, is said in problem details too.
func TestNoSuchResource(t *testing.T) {
	w := empty(t, httpapi.Config{})
	for _, path := range []string{"/nothing", "/api", "/api/v1/", "/api/v2/overview", "/api/v1/nodes/", "/assets/", "/assets/page.html", "/assets/nothing.js", "/assets/..%2fpage.html", "/assets/%2e%2e%2fserver.go", "/index.html", "/a%20b"} {
		w.get(path).refusal(t, http.StatusNotFound)
	}
	for _, path := range []string{"/", "/healthz", "/assets/page.js", "/api/v1/overview", "/api/v1/nodes", "/api/v1/nodes/x", "/api/v1/digest"} {
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions} {
			got := w.ask(method, path, "")
			p := got.refusal(t, http.StatusMethodNotAllowed)
			require.Equal(t, "GET, HEAD", got.Header.Get("Allow"))
			require.Contains(t, p.Detail, method)
		}
		require.NotEqual(t, http.StatusMethodNotAllowed, w.ask(http.MethodHead, path, "").StatusCode)
	}
	for _, path := range []string{"placements", "challenges", "reports", "commands"} {
		got := w.get("/api/v1/" + path)
		got.refusal(t, http.StatusMethodNotAllowed)
		require.Equal(t, "POST", got.Header.Get("Allow"))
	}
}

// A page elsewhere can have its own name point to this machine. A request that comes by such a name is refused.
func TestHost(t *testing.T) {
	w := empty(t, httpapi.Config{})
	port := w.url[strings.LastIndex(w.url, ":"):]
	for _, host := range []string{"localhost", "localhost" + port, "127.0.0.1", "127.0.0.1" + port, "127.9.9.9", "[::1]" + port, "[::1]"} {
		require.Equal(t, http.StatusOK, w.ask(http.MethodGet, "/healthz", "", "Host: "+host).StatusCode, host)
	}
	for _, host := range []string{"evil.example", "evil.example" + port, "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "0.0.0.0", "[::]", "[fe80::1]", "xlocalhost"} {
		for _, path := range []string{"/", "/healthz", "/api/v1/overview", "/nothing"} {
			p := w.ask(http.MethodGet, path, "", "Host: "+host).refusal(t, http.StatusMisdirectedRequest)
			require.Contains(t, p.Detail, host)
		}
		w.ask(http.MethodPost, "/api/v1/commands", "{}", "Host: "+host, "Authorization: Bearer "+token).refusal(t, http.StatusMisdirectedRequest)
	}
}

func TestSecurityHeaders(t *testing.T) {
	w := empty(t, httpapi.Config{})
	for _, got := range []answer{w.get("/"), w.get("/healthz"), w.get("/nothing"), w.get("/assets/page.js"), w.ask(http.MethodGet, "/", "", "Host: evil.example")} {
		require.Equal(t, "nosniff", got.Header.Get("X-Content-Type-Options"))
		require.Equal(t, "no-referrer", got.Header.Get("Referrer-Policy"))
		csp := got.Header.Get("Content-Security-Policy")
		require.Contains(t, csp, "default-src 'none'")
		require.Contains(t, csp, "frame-ancestors 'none'")
		require.NotContains(t, csp, "unsafe")
		require.Empty(t, got.Header.Get("Access-Control-Allow-Origin"))
	}
	for name, media := range map[string]string{"page.js": "text/javascript; charset=utf-8", "style.css": "text/css; charset=utf-8"} {
		got := w.get("/assets/" + name)
		require.Equal(t, http.StatusOK, got.StatusCode)
		require.Equal(t, media, got.Header.Get("Content-Type"))
		require.NotEmpty(t, got.body)
	}
}

// Reading while commands come is safe for every resource.
func TestReadersBesideWriters(t *testing.T) {
	w := peopled(t)
	errs := make(chan error)
	paths := []string{"/", "/api/v1/overview", "/api/v1/nodes", "/api/v1/leases", "/api/v1/blocks", "/api/v1/bills", "/api/v1/payments", "/api/v1/digest"}
	for _, path := range paths {
		go func() {
			for range 4 {
				if err := visit(w.url + path); err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
		}()
	}
	for range 20 {
		w.do(network.Heartbeats{Up: []string{"a100"}})
	}
	for range paths {
		require.NoError(t, <-errs)
	}
}

func visit(address string) error {
	got, err := http.Get(address)
	if err != nil {
		return err
	}
	defer got.Body.Close()
	_, err = io.Copy(io.Discard, got.Body)
	return err
}
