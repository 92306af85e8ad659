package trace

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/sched"
)

// ErrConfig is wrapped by every error about a Config.
var ErrConfig = errors.New("trace: config")

// Config says how large a world is and what of it is not from the trace.
type Config struct {
	// Hosts is how many machines; 1,213 are the trace's fleet.
	Hosts int
	// Sites is over how many sites they stand.
	Sites int
	// DemandPPM is how many devices all requests together ask for at least, in parts per million of those that there are.
	DemandPPM uint64
	// ModelPPM and CountryPPM are how many requests name a model, or a country, in parts per million.
	ModelPPM, CountryPPM uint64
}

// Default returns a world of the trace's size. With 96 sites leftovers are typical: see the package comment.
func Default() Config {
	return Config{Hosts: 1213, Sites: 96, DemandPPM: 950_000, ModelPPM: 1_000_000, CountryPPM: 200_000}
}

// World is a fleet and what is asked of it.
type World struct {
	nodes    []sched.Node
	links    []sched.LinkMeasured
	requests []sched.Request
}

// Generate returns the world of a seed, drawn from the committed histograms.
func Generate(seed uint64, c Config) (World, error) {
	if err := c.validate(); err != nil {
		return World{}, err
	}
	r := rand.New(rand.NewPCG(seed, 1))
	var deck, hosts []Host
	for _, k := range hostCounts() {
		deck = append(deck, slices.Repeat([]Host{k.kind}, k.n)...)
	}
	for len(hosts) < c.Hosts {
		r.Shuffle(len(deck), func(i, j int) { deck[i], deck[j] = deck[j], deck[i] })
		hosts = append(hosts, deck[:min(len(deck), c.Hosts-len(hosts))]...)
	}
	var kinds []Pod
	for _, k := range podCounts() {
		kinds = append(kinds, slices.Repeat([]Pod{k.kind}, k.n)...)
	}
	return Assemble(seed, c, hosts, kinds)
}

// Assemble returns a world with the given hosts, whose requests are drawn from the given pods. c.Hosts is not read. A pod that no host
// could hold when empty is not drawn.
func Assemble(seed uint64, c Config, hosts []Host, pods []Pod) (World, error) {
	c.Hosts = len(hosts)
	if err := c.validate(); err != nil {
		return World{}, err
	}
	if len(pods) == 0 {
		return World{}, fmt.Errorf("%w: no pods", ErrConfig)
	}
	var w World
	sites := newSites(rand.New(rand.NewPCG(seed, 2)), c.Sites)
	w.nodes = newNodes(rand.New(rand.NewPCG(seed, 3)), sites, hosts)
	for i, a := range sites {
		for _, b := range sites[:i] {
			w.links = append(w.links, a.link(b))
		}
	}
	var err error
	w.requests, err = newRequests(rand.New(rand.NewPCG(seed, 4)), c, hosts, w.nodes, pods)
	return w, err
}

// Nodes returns the fleet in order of node IDs.
func (w World) Nodes() []sched.Node {
	out := slices.Clone(w.nodes)
	for i := range out {
		out[i].Devices = slices.Clone(out[i].Devices)
	}
	return out
}

// Links returns a measurement for every pair of sites.
func (w World) Links() []sched.LinkMeasured { return slices.Clone(w.links) }

// Requests returns the jobs in order of their submission. Each is one replica, as the pods of the trace are.
func (w World) Requests() []sched.Request {
	out := slices.Clone(w.requests)
	for i := range out {
		out[i].Models, out[i].Countries = slices.Clone(out[i].Models), slices.Clone(out[i].Countries)
	}
	return out
}

func (c Config) validate() error {
	for _, f := range []struct {
		name     string
		v, limit uint64
	}{
		{"Hosts", uint64(c.Hosts) - 1, 999_999},
		{"Sites", uint64(c.Sites) - 1, 999},
		{"DemandPPM", c.DemandPPM, 10_000_000},
		{"ModelPPM", c.ModelPPM, 1_000_000},
		{"CountryPPM", c.CountryPPM, 1_000_000},
	} {
		if f.v > f.limit {
			return fmt.Errorf("%w: %s out of range in %+v", ErrConfig, f.name, c)
		}
	}
	return nil
}

// site is a site with what its nodes share.
type site struct {
	id           sched.SiteID
	place        place
	access       uint32 // microseconds
	connectivity uint8
	weight       int // of its number of hosts
	suppliers    []supplier
}

type supplier struct {
	id       sched.SupplierID
	tier     uint8
	standing uint32
	level    uint64 // of its prices, in thousandths
}

func newSites(r *rand.Rand, n int) []site {
	all := places()
	weights := make([]int, len(all))
	for i, p := range all {
		weights[i] = p.weight
	}
	seen := map[string]int{}
	out := make([]site, n)
	owners := 0
	for i := range out {
		p := all[i%len(all)]
		if i >= len(all) {
			p = all[draw(r, weights)]
		}
		seen[p.country]++
		s := site{
			id: sched.SiteID(fmt.Sprintf("%s-%02d", strings.ToLower(p.country), seen[p.country])), place: p,
			access: 200 + r.Uint32N(2801), connectivity: uint8(1 + draw(r, []int{1, 3, 4, 2})), weight: 2 + r.IntN(7),
		}
		for range 1 + r.IntN(3) {
			owners++
			s.suppliers = append(s.suppliers, supplier{
				id: sched.SupplierID(fmt.Sprintf("supplier-%03d", owners)), tier: uint8(draw(r, []int{1, 2, 4, 3, 2})),
				standing: 850_000 + r.Uint32N(150_000), level: 800 + r.Uint64N(401),
			})
		}
		out[i] = s
	}
	return out
}

// link is what would be measured between two sites.
func (s site) link(t site) sched.LinkMeasured {
	m := between(s.place.near, t.place.near)
	if s.place != t.place {
		m.ms += s.place.detour + t.place.detour
	}
	return sched.LinkMeasured{
		A: t.id, B: s.id, DelayMicros: 1000*m.ms + s.access + t.access,
		Mbps: min(m.mbps, uploadMbps(s.connectivity), uploadMbps(t.connectivity)),
	}
}

func newNodes(r *rand.Rand, sites []site, hosts []Host) []sched.Node {
	weights := make([]int, len(sites))
	for i, s := range sites {
		weights[i] = s.weight
	}
	out := make([]sched.Node, len(hosts))
	for i, h := range hosts {
		s := sites[draw(r, weights)]
		by := s.suppliers[r.IntN(len(s.suppliers))]
		m := modelOf(h.Model)
		n := sched.Node{
			ID: sched.NodeID(fmt.Sprintf("host-%06d", i)), Site: s.id, Supplier: by.id, Model: m.name, MemoryMiB: m.memoryMiB,
			CPUMilli: h.CPUMilli, RAMMiB: h.MemoryMiB, Country: s.place.country, Connectivity: s.connectivity, Tier: by.tier,
			StandingPPM: by.standing - r.Uint32N(50_000),
			HourMicro:   m.hourMicro * by.level / 1000 / 1000 * 1000, // whole tenths of a cent
		}
		for range h.GPUs {
			a, b := r.Uint64(), r.Uint64()
			n.Devices = append(n.Devices, gpu.DeviceID(fmt.Sprintf("GPU-%08x-%04x-%04x-%04x-%012x", a>>32, a>>16&0xffff, a&0xffff, b>>48, b&(1<<48-1))))
		}
		out[i] = n
	}
	return out
}

func newRequests(r *rand.Rand, c Config, hosts []Host, nodes []sched.Node, pods []Pod) ([]sched.Request, error) {
	var devices []int // the host of each
	for i, h := range hosts {
		devices = append(devices, slices.Repeat([]int{i}, h.GPUs)...)
	}
	if len(devices) == 0 {
		return nil, fmt.Errorf("%w: no host has a device", ErrConfig)
	}
	want := uint64(len(devices)) * c.DemandPPM / 1_000_000
	var out []sched.Request
	misses := 0
	for asked := uint64(0); asked < want; {
		p := pods[r.IntN(len(pods))]
		// A request that names a model or a country names that of a device whose node could hold it when empty, so that demand follows supply.
		like := devices[r.IntN(len(devices))]
		if h := hosts[like]; h.GPUs < p.GPUs || h.CPUMilli < p.CPUMilli || h.MemoryMiB < p.MemoryMiB || !p.allows(h.Model) {
			if misses++; misses > 1000*len(hosts) {
				return nil, fmt.Errorf("%w: no host can hold the pods", ErrConfig)
			}
			continue
		}
		misses = 0
		q := sched.Request{
			Job: sched.JobID(fmt.Sprintf("job-%06d", len(out))), Owner: fmt.Sprintf("renter-%03d", r.IntN(200)),
			Replicas: 1, GPUsPerReplica: uint16(p.GPUs), CPUMilli: p.CPUMilli, RAMMiB: p.MemoryMiB, MaxSites: 1,
			Duration: time.Duration(1+r.IntN(72)) * time.Hour,
		}
		for m := range strings.SplitSeq(p.Models, "|") {
			if m != "" {
				q.Models = append(q.Models, modelOf(m).name)
			}
		}
		if r.Uint64N(1_000_000) < c.ModelPPM && p.Models == "" {
			q.Models = []string{nodes[like].Model}
		}
		if r.Uint64N(1_000_000) < c.CountryPPM {
			q.Countries = []string{nodes[like].Country}
		}
		out = append(out, q)
		asked += uint64(p.GPUs)
	}
	return out, nil
}

func (p Pod) allows(model string) bool {
	return p.Models == "" || slices.Contains(strings.Split(p.Models, "|"), model)
}

// draw returns an index with the given weights.
func draw(r *rand.Rand, weights []int) int {
	sum := 0
	for _, w := range weights {
		sum += w
	}
	at := r.IntN(sum)
	for i, w := range weights {
		if at -= w; at < 0 {
			return i
		}
	}
	panic("trace: draw: no weight")
}
