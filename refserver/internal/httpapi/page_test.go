package httpapi_test

import (
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/internal/scene"
	"github.com/idlegrid/idlegrid/refserver/internal/httpapi"
	"github.com/idlegrid/idlegrid/settlement"
)

// The page shows what the JSON does, without any script.
func TestPage(t *testing.T) {
	w := peopled(t)
	got := w.get("/")
	require.Equal(t, http.StatusOK, got.StatusCode)
	require.Equal(t, "text/html; charset=utf-8", got.Header.Get("Content-Type"))
	require.Equal(t, "no-store", got.Header.Get("Cache-Control"))
	for _, id := range []string{"supply", "emission", "burned", "devices", "leases", "blocks", "payouts"} {
		require.Contains(t, got.body, ` id="`+id+`"`)
	}
	for _, text := range []string{"a test &amp; nothing else · in memory", "a100", "6 at ham-03", " circulate</span>", "9 paid, 0 open, 1 refused", "<td class=\"n\">105</td>", "slot 8", "no token account"} {
		require.Contains(t, got.body, text)
	}
	require.NotContains(t, got.body, "<no value>")
	require.NotContains(t, got.body, "%!")

	bare := empty(t, httpapi.Config{}).get("/").body
	for _, text := range []string{"No machine is enrolled yet.", "No lease is running.", "No block is closed yet.", "Nothing was paid yet. No chain is connected: payouts wait."} {
		require.Contains(t, bare, text)
	}
}

// Whatever a machine is called, it is text: on the page, and in no JSON that a browser could take for a page.
func TestPageEscapes(t *testing.T) {
	w := peopled(t)
	page := w.get("/").body
	require.NotContains(t, page, evil)
	require.GreaterOrEqual(t, strings.Count(page, html.EscapeString(evil)), 2, "in the table of machines and among those not nominated")
	for _, path := range []string{"/api/v1/nodes", "/api/v1/blocks", "/api/v1/nodes/%3Cscript%3E"} {
		require.NotContains(t, w.get(path).body, "<script>")
	}
	require.NotContains(t, w.get("/%3Cscript%3Ealert(1)%3C/script%3E").body, "<script>")
	require.NotContains(t, w.get("/api/v1/nodes?limit=%3Cscript%3E").body, "<script>")
}

// The policy of the page admits its own files only: there is nothing inline that a browser would have to refuse.
func TestPageHasNothingInline(t *testing.T) {
	page := peopled(t).get("/").body
	require.NotRegexp(t, `(?i)<style`, page)
	require.NotRegexp(t, `(?i)\sstyle\s*=`, page)
	require.NotRegexp(t, `(?i)<[^>]*\son[a-z]+\s*=`, page)
	require.NotRegexp(t, `(?i)javascript:`, page)
	require.Equal(t, []string{`<script src="/assets/page.js" defer></script>`}, regexp.MustCompile(`(?is)<script.*?</script>`).FindAllString(page, -1))
	for _, m := range regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		require.True(t, strings.HasPrefix(m[1], "/") && !strings.HasPrefix(m[1], "//") || m[1] == "data:,", m[1])
	}
}

// Every link of the page leads somewhere.
func TestPageLinks(t *testing.T) {
	w := peopled(t)
	links := regexp.MustCompile(`(?:src|href)="(/[^"]*)"`).FindAllStringSubmatch(w.get("/").body, -1)
	require.Greater(t, len(links), 8)
	for _, m := range links {
		require.Equal(t, http.StatusOK, w.get(m[1]).StatusCode, m[1])
	}
}

// Without a chain all payments wait, and are shown. With one, the page shows those that something has come of, and a batch
// that an operator has to look at is one of them.
func TestPageShowsWhatWaits(t *testing.T) {
	waiting := func(c httpapi.Config) *world {
		w := empty(t, c)
		w.keep(w.scene.Join(w.clock.Now(), scene.Published()[0]))
		w.do(submit("render", 1, 1, "NVIDIA A100 80GB PCIe"))
		w.clock.set(hour())
		w.do(network.Tick{})
		return w
	}
	require.Contains(t, waiting(httpapi.Config{}).get("/").body, `<span class="planned">planned</span>`)

	w := waiting(httpapi.Config{Chain: "in memory"})
	require.Contains(t, w.get("/").body, "Nothing was paid yet.")
	var batch settlement.Batch
	w.Read(func(n *network.Network) { batch = n.Journal().Open()[0].Batch })
	w.do(network.Settle{Event: settlement.Signed{Batch: batch.ID, Revision: batch.Revision, Tx: settlement.Tx{ID: "tx", Raw: []byte{1}, LastValid: 9}}})
	w.do(network.Settle{Event: settlement.Failed{
		Batch: batch.ID, Tx: "tx", Slot: 1, Failure: settlement.Failure{Reason: "nobody knows <b>why</b>"},
		Witnesses: []settlement.Witness{{Endpoint: "a", Height: 1, Slot: 1, Context: 1}, {Endpoint: "b", Height: 1, Slot: 1, Context: 1}},
	}})
	require.Contains(t, w.get("/").body, `<span class="stuck">stuck: nobody knows &lt;b&gt;why&lt;/b&gt;</span>`)
}
