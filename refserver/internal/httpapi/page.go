package httpapi

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/tokenomics"
)

//go:embed assets
var assets embed.FS

// page is the parsed template.
type page struct{ t *template.Template }

func newPage() (page, error) {
	t, err := template.New("page.html").Funcs(template.FuncMap{
		"short":   short,
		"usd":     func(micro uint64) string { return tokenomics.USD(micro).String() },
		"group":   group,
		"percent": func(ppm uint32) string { return fmt.Sprintf("%d.%02d", ppm/10_000, ppm%10_000/100) },
		"clock":   func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") },
		"hours":   func(d time.Duration) string { return fmt.Sprintf("%.0f h", d.Hours()) },
	}).ParseFS(assets, "assets/page.html")
	return page{t}, err
}

// shown is what the page shows.
type shown struct {
	Mode, Chain string
	Overview    network.Overview
	Hired       int
	Nodes       []network.Node
	MoreNodes   int
	Leases      []leaseView
	Blocks      []blockView
	Payments    []paymentView
}

const (
	maxNodes    = 60
	maxLeases   = 20
	maxBlocks   = 8
	maxPayments = 24
)

func (s *server) look() shown {
	v := shown{Mode: s.cfg.Mode, Chain: s.cfg.Chain}
	s.cfg.Door.Read(func(n *network.Network) {
		v.Overview = n.Overview()
		v.Hired = v.Overview.Devices - v.Overview.DevicesFree
		all := n.Nodes()
		v.Nodes = first(all, maxNodes)
		v.MoreNodes = len(all) - len(v.Nodes)
		for _, l := range first(n.Leases(), maxLeases) {
			v.Leases = append(v.Leases, leaseOf(l))
		}
		for _, b := range n.Blocks(maxBlocks) {
			v.Blocks = append(v.Blocks, blockOf(b))
		}
		for _, p := range n.Payments(10 * maxPayments) { // the newest of which something has come; without a chain all wait
			waits := p.State == settlement.StatePlanned || p.State == settlement.StateSigned
			if len(v.Payments) < maxPayments && (!waits || s.cfg.Chain == "") {
				v.Payments = append(v.Payments, paymentOf(n, p))
			}
		}
	})
	return v
}

func (s *server) showPage(w http.ResponseWriter, r *http.Request) {
	var b bytes.Buffer
	if err := s.page.t.Execute(&b, s.look()); err != nil {
		s.cfg.Log.Error("page", "err", err)
		s.fail(w, r, &badRequest{http.StatusInternalServerError, "the page could not be drawn; the log says why"})
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if _, err := w.Write(b.Bytes()); err != nil {
		s.cfg.Log.Debug("page", "err", err)
	}
}

func (s *server) asset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	media, ok := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}[path.Ext(name)]
	b, err := assets.ReadFile("assets/" + name)
	if !ok || err != nil {
		s.fail(w, r, &badRequest{http.StatusNotFound, fmt.Sprintf("no such resource: %q", r.URL.Path)})
		return
	}
	w.Header().Set("Content-Type", media) // not as the system has it: a wrong one is not run under nosniff
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(b))
}

// short cuts the middle out of an address or a signature.
func short(s string) string {
	if len(s) <= 16 {
		return s
	}
	return s[:6] + "…" + s[len(s)-6:]
}

// group sets narrow spaces that do not break between the thousands of an amount and cuts it to the given places, without rounding.
func group(places int, a tokenomics.Amount) string {
	whole, frac, _ := strings.Cut(a.Fixed(), ".")
	var b strings.Builder
	for i, c := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteString("\u202f")
		}
		b.WriteRune(c)
	}
	if places > 0 {
		b.WriteString("." + frac[:places])
	}
	return b.String()
}
