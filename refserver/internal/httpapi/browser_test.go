package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"html"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/internal/scene"
)

// browse loads an address in a real browser, lets its clock run for some seconds, and returns the document as it is then, and
// what the browser had to say.
func browse(t *testing.T, address string) (dom, said string) {
	t.Helper()
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		const missing = "chromium (Debian package chromium) is not installed"
		if os.Getenv("IDLEGRID_REQUIRE") == "all" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	profile, err := os.MkdirTemp("", "idlegrid-chromium-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(profile) }) // a helper of the browser may still write there
	ctx, stop := context.WithTimeout(t.Context(), 90*time.Second)
	defer stop()
	cmd := exec.CommandContext(ctx, chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--user-data-dir="+profile,
		"--enable-logging=stderr", "--virtual-time-budget=9000", "--dump-dom", address)
	cmd.Env = append(os.Environ(), "HOME="+profile, "XDG_CONFIG_HOME="+profile, "XDG_CACHE_HOME="+profile)
	cmd.WaitDelay = 5 * time.Second
	var out, trouble bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &trouble
	require.NoError(t, cmd.Run(), trouble.String())
	return out.String(), trouble.String()
}

// serve puts a handler between the browser and the server.
func (w *world) serve(h func(inner http.Handler) http.Handler) (address string) {
	w.t.Helper()
	server := httptest.NewServer(h(w.handler))
	w.t.Cleanup(server.Close)
	return server.URL
}

// The page in a real browser, as it is served: tables are filled, the script may run and draws the page anew, and what a
// machine is called does not become part of the program.
func TestBrowserDrawsThePage(t *testing.T) {
	w := peopled(t)
	var drawn atomic.Int32
	address := w.serve(func(inner http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			inner.ServeHTTP(rw, r)
			if r.URL.Path == "/" && drawn.Add(1) == 1 { // after the first drawing the price changes
				_, _, _ = w.Do(network.SetPrice{MicroPerToken: 4_560_000, Source: "told after the page was sent"})
			}
		})
	})
	dom, said := browse(t, address+"/")
	require.Regexp(t, `<b id="supply">[0-9]{3}`, dom)
	for _, table := range []string{"devices", "leases", "blocks", "payouts"} {
		rows := regexp.MustCompile(`(?s)<table id="` + table + `".*?</table>`).FindString(dom)
		require.Contains(t, rows, "<td", table)
	}
	require.Contains(t, dom, "told after the page was sent", "the script has drawn the page anew")
	require.Greater(t, drawn.Load(), int32(1))
	require.Contains(t, dom, "<title>idlegrid</title>")
	require.Contains(t, dom, html.EscapeString(evil)[:10])
	require.NotContains(t, said, "Content Security Policy")
	require.NotContains(t, said, "Uncaught")
}

// probe looks at the page from outside, in a frame of a telephone's width and in one of a desk's: how wide it is, and
// whether what a reader has opened, scrolled and focused is still so after the script has drawn it anew.
const probe = `<!doctype html><body><pre id="seen">nothing</pre>
<iframe id="phone" src="/" width="375" height="800"></iframe><iframe id="desk" src="/" width="1280" height="800"></iframe>
<script>
const seen = {};
const draw = () => { document.getElementById("seen").textContent = JSON.stringify(seen); };
window.onerror = (e) => { seen.error = String(e); draw(); };
window.onload = () => {
  for (const name of ["phone", "desk"]) {
    const doc = document.getElementById(name).contentDocument;
    const root = doc.documentElement;
    for (const d of doc.querySelectorAll("details")) d.open = true; // the widest that it gets
    seen[name] = { Window: root.clientWidth, Document: root.scrollWidth, Columns: getComputedStyle(doc.querySelector(".tiles")).gridTemplateColumns.split(" ").length };
    for (const d of doc.querySelectorAll("details")) d.open = false;
  }
  const doc = document.getElementById("phone").contentDocument;
  const main = doc.getElementById("main");
  const box = doc.getElementById("devices").parentElement;
  const details = doc.querySelector("#blocks details");
  details.open = true;
  details.querySelector("summary").focus();
  box.scrollLeft = 40;
  box.scrollTop = 30;
  const before = [box.scrollLeft, box.scrollTop];
  setTimeout(() => {
    const box = doc.getElementById("devices").parentElement;
    const details = doc.querySelector("#blocks details");
    seen.after = {
      Drawn: doc.getElementById("main") !== main, Before: before, Scroll: [box.scrollLeft, box.scrollTop], Open: details.open,
      Others: doc.querySelectorAll("details[open]").length - 1, Focus: doc.activeElement === details.querySelector("summary"), Title: doc.title,
    };
    draw();
  }, 3000);
};
</script>`

func TestBrowserOnATelephone(t *testing.T) {
	w := peopled(t)
	for i, m := range scene.Published() { // so many machines that the table of them scrolls
		for range 12 {
			m.Name += "-another"
			m.Supplier, m.HourMicro = "zoe", m.HourMicro+uint64(i)
			w.keep(w.scene.Join(w.clock.Now(), m))
		}
	}
	address := w.serve(func(inner http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/probe" {
				_, _ = rw.Write([]byte(probe))
				return
			}
			rec := httptest.NewRecorder()
			inner.ServeHTTP(rec, r)
			for name, value := range rec.Header() {
				rw.Header()[name] = value
			}
			csp := rec.Header().Get("Content-Security-Policy")
			rw.Header().Set("Content-Security-Policy", strings.Replace(csp, "frame-ancestors 'none'", "frame-ancestors 'self'", 1)) // else there is no looking in
			rw.WriteHeader(rec.Code)
			_, _ = rw.Write(rec.Body.Bytes())
		})
	})
	dom, said := browse(t, address+"/probe")
	text := regexp.MustCompile(`(?s)<pre id="seen">(.*?)</pre>`).FindStringSubmatch(dom)
	require.Len(t, text, 2, dom)
	type size struct{ Window, Document, Columns int }
	var seen struct {
		Phone, Desk size
		After       struct {
			Drawn, Open, Focus bool
			Before, Scroll     []float64
			Others             int
			Title              string
		}
		Error string
	}
	require.NoError(t, json.Unmarshal([]byte(html.UnescapeString(text[1])), &seen), "%s\n%s", text[1], said)
	require.Empty(t, seen.Error)
	for _, s := range []size{seen.Phone, seen.Desk} {
		require.NotZero(t, s.Window)
		require.LessOrEqual(t, s.Document, s.Window, "the document scrolls sideways: %+v", s)
	}
	require.LessOrEqual(t, seen.Phone.Window, 375)
	require.Equal(t, 2, seen.Phone.Columns, "the tiles stand in two columns on a telephone")
	require.Greater(t, seen.Desk.Columns, 2)
	require.True(t, seen.After.Drawn)
	require.Equal(t, []float64{40, 30}, seen.After.Before, "the table is larger than its frame")
	require.Equal(t, seen.After.Before, seen.After.Scroll)
	require.True(t, seen.After.Open)
	require.Zero(t, seen.After.Others)
	require.True(t, seen.After.Focus)
	require.Equal(t, "idlegrid", seen.After.Title)
}
