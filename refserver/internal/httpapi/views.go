package httpapi

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/sched"
	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/tokenomics"
)

type memberView struct {
	Rank      int            `json:"rank"`
	Node      string         `json:"node"`
	Site      string         `json:"site"`
	Supplier  string         `json:"supplier"`
	Devices   []gpu.DeviceID `json:"devices"`
	HourMicro uint64         `json:"hour_micro"`
}

type leaseView struct {
	ID        string       `json:"id"`
	Job       string       `json:"job"`
	Owner     string       `json:"owner"`
	From      time.Time    `json:"from"`
	Until     time.Time    `json:"until"`
	Devices   int          `json:"devices"`
	Sites     int          `json:"sites"`
	HourMicro uint64       `json:"hour_micro"`
	Where     string       `json:"where"` // devices by site, in order of rank
	Members   []memberView `json:"members"`
}

type placedView struct {
	Sites       int          `json:"sites"`
	DelayMicros uint32       `json:"delay_micros"`
	HourMicro   uint64       `json:"hour_micro"`
	Members     []memberView `json:"members"`
}

func members(in []sched.Member) []memberView {
	out := []memberView{}
	for _, m := range in {
		out = append(out, memberView{m.Rank, string(m.Node), string(m.Site), string(m.Supplier), m.Devices, m.HourMicro})
	}
	return out
}

// where counts the devices of each site, in order of rank.
func where(in []sched.Member) (text string, devices, sites int) {
	var order []sched.SiteID
	count := map[sched.SiteID]int{}
	for _, m := range in {
		if count[m.Site] == 0 {
			order = append(order, m.Site)
		}
		count[m.Site] += len(m.Devices)
		devices += len(m.Devices)
	}
	var parts []string
	for _, s := range order {
		parts = append(parts, fmt.Sprintf("%d at %s", count[s], s))
	}
	return strings.Join(parts, ", "), devices, len(order)
}

func placementView(p sched.Placement) placedView {
	return placedView{Sites: p.Sites, DelayMicros: p.DelayMicros, HourMicro: p.HourMicro, Members: members(p.Members)}
}

func leaseOf(l sched.Lease) leaseView {
	v := leaseView{
		ID: string(l.ID), Job: string(l.Job), Owner: l.Owner, From: l.From, Until: l.Until, HourMicro: l.HourMicro, Members: members(l.Members),
	}
	v.Where, v.Devices, v.Sites = where(l.Members)
	return v
}

type blockView struct {
	Epoch    tokenomics.Epoch  `json:"epoch"`
	Start    time.Time         `json:"start"`
	Emission tokenomics.Amount `json:"emission"`
	Paid     tokenomics.Amount `json:"paid"`
	Nodes    int               `json:"nodes"`
	Excluded []excludedView    `json:"excluded"`
	Entries  []entryView       `json:"entries"`
}

type excludedView struct {
	Node string `json:"node"`
	Rule string `json:"rule"`
	Why  string `json:"why"`
}

type entryView struct {
	Node   string            `json:"node"`
	Model  string            `json:"model"`
	GPUs   uint32            `json:"gpus"`
	Score  uint64            `json:"score"`
	Reward tokenomics.Amount `json:"reward"`
	Parts  []partView        `json:"parts"`
}

type partView struct {
	Holder string            `json:"holder"`
	Role   string            `json:"role"`
	Amount tokenomics.Amount `json:"amount"`
}

func blockOf(b network.Block) blockView {
	v := blockView{Epoch: b.Epoch, Start: b.Start, Emission: b.Emission, Paid: b.Paid(), Nodes: len(b.Entries), Excluded: []excludedView{}, Entries: []entryView{}}
	for _, x := range b.Excluded {
		v.Excluded = append(v.Excluded, excludedView(x))
	}
	for _, e := range b.Entries {
		out := entryView{Node: e.Node, Model: e.Model, GPUs: e.GPUs, Score: e.Score, Reward: e.Reward, Parts: []partView{}}
		for _, p := range e.Parts {
			out.Parts = append(out.Parts, partView{string(p.Holder), p.Role.String(), p.Amount})
		}
		v.Entries = append(v.Entries, out)
	}
	return v
}

type billView struct {
	Lease    string              `json:"lease"`
	Job      string              `json:"job"`
	Wallet   string              `json:"wallet"`
	Currency tokenomics.Currency `json:"currency"`
	Net      tokenomics.USD      `json:"net_usd"`
	Pays     tokenomics.USD      `json:"pays_usd"`
	Revenue  tokenomics.USD      `json:"revenue_usd"`
	Paid     tokenomics.Amount   `json:"paid_io"`
	Burn     tokenomics.Amount   `json:"burn_io"`
	Treasury tokenomics.Amount   `json:"treasury_io"`
	Stage    string              `json:"stage"`
}

func billOf(b network.Bill) billView {
	return billView{
		Lease: string(b.Lease), Job: string(b.Job), Wallet: b.Wallet, Currency: b.Currency, Net: b.Net, Pays: b.Pays, Revenue: b.Revenue,
		Paid: b.Paid, Burn: b.Burn, Treasury: b.Treasury, Stage: b.Stage.String(),
	}
}

type paymentView struct {
	ID     string `json:"id"`
	Kind   string `json:"kind"`
	Asset  string `json:"asset"` // "IO" or "USDC"
	Amount string `json:"amount"`
	From   string `json:"from"`
	To     string `json:"to,omitempty"`
	Cause  string `json:"cause"`
	Batch  string `json:"batch"`
	State  string `json:"state"`
	Tx     string `json:"signature,omitempty"`
	Slot   uint64 `json:"slot,omitempty"`
	Reason string `json:"reason,omitempty"`
}

func paymentOf(n *network.Network, p settlement.Payment) paymentView {
	v := paymentView{
		ID: p.Intent.ID.String(), Kind: p.Intent.Kind.String(), Asset: "IO", Amount: tokenomics.Amount(p.Intent.Units).String(),
		From: string(p.Intent.From), To: string(p.Intent.To), Cause: p.Intent.Cause, Batch: p.Batch.String(), State: p.State.String(),
		Tx: p.Tx, Slot: p.Slot, Reason: p.Reason,
	}
	if p.Intent.Asset == n.Params().USDC {
		v.Asset, v.Amount = "USDC", tokenomics.USD(p.Intent.Units).String()
	}
	return v
}

// list answers with what get returns for the limit of the request.
func list[T, V any](s *server, get func(n *network.Network, limit int) []T, view func(T) V) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		n, err := limit(r)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		out := []V{}
		s.cfg.Door.Read(func(net *network.Network) {
			for _, x := range get(net, n) {
				out = append(out, view(x))
			}
		})
		s.answer(w, http.StatusOK, out)
	}
}

func first[T any](all []T, limit int) []T { return all[:min(len(all), limit)] }

func (s *server) overview(w http.ResponseWriter, _ *http.Request) {
	var o network.Overview
	s.cfg.Door.Read(func(n *network.Network) { o = n.Overview() })
	s.answer(w, http.StatusOK, o)
}

func (s *server) nodes(w http.ResponseWriter, r *http.Request) {
	list(s, func(n *network.Network, limit int) []network.Node { return first(n.Nodes(), limit) },
		func(x network.Node) network.Node { return x })(w, r)
}

func (s *server) node(w http.ResponseWriter, r *http.Request) {
	var v network.Node
	var ok bool
	s.cfg.Door.Read(func(n *network.Network) { v, ok = n.Node(r.PathValue("name")) })
	if !ok {
		s.fail(w, r, fmt.Errorf("%w: %q", network.ErrUnknownNode, r.PathValue("name")))
		return
	}
	s.answer(w, http.StatusOK, v)
}

func (s *server) leases(w http.ResponseWriter, r *http.Request) {
	list(s, func(n *network.Network, limit int) []sched.Lease { return first(n.Leases(), limit) }, leaseOf)(w, r)
}

func (s *server) blocks(w http.ResponseWriter, r *http.Request) {
	list(s, func(n *network.Network, limit int) []network.Block { return n.Blocks(limit) }, blockOf)(w, r)
}

func (s *server) bills(w http.ResponseWriter, r *http.Request) {
	list(s, func(n *network.Network, limit int) []network.Bill { return n.Bills(limit) }, billOf)(w, r)
}

func (s *server) payments(w http.ResponseWriter, r *http.Request) {
	list(s, func(n *network.Network, limit int) (out []paymentView) {
		for _, p := range n.Payments(limit) {
			out = append(out, paymentOf(n, p))
		}
		return out
	}, func(v paymentView) paymentView { return v })(w, r)
}
