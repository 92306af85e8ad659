package scene

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/internal/agent"
	"github.com/idlegrid/idlegrid/internal/localnet"
	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/internal/trace"
	"github.com/idlegrid/idlegrid/sched"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// Machine is a machine before it joins.
type Machine struct {
	Name, Supplier, Model string // Supplier is the name of a wallet
	Cards                 int
	MemoryMiB             uint64 // of a card whose model the catalogue does not have
	Site, Country         string
	Connectivity          uint8
	CPUMilli, RAMMiB      uint64
	HourMicro             uint64
}

// Outage is a time in which a machine is not seen.
type Outage struct {
	Machine  string
	From, To time.Time
}

// Scene is what moves. It is not safe for concurrent use.
type Scene struct {
	apply   func(at time.Time, c network.Command) ([]network.Fact, error)
	catalog *gpu.Catalog
	agents  map[string]*agent.Agent
	names   []string // in order of joining
	nonces  uint64
}

// New returns an empty scene. Apply is what a command goes through.
func New(apply func(at time.Time, c network.Command) ([]network.Fact, error)) (*Scene, error) {
	c, err := gpu.NewCatalog()
	return &Scene{apply: apply, catalog: c, agents: map[string]*agent.Agent{}}, err
}

// Published are the machines of the published block, with suppliers and places of our own.
func Published() []Machine {
	return []Machine{
		{Name: "a100", Supplier: "ann", Model: "NVIDIA A100 80GB PCIe", Cards: 1, Site: "fra-01", Country: "DE", Connectivity: 4, CPUMilli: 32_000, RAMMiB: 262_144, HourMicro: 1_800_000},
		{Name: "a4000", Supplier: "bo", Model: "NVIDIA RTX A4000", Cards: 1, Site: "osl-02", Country: "NO", Connectivity: 4, CPUMilli: 16_000, RAMMiB: 65_536, HourMicro: 400_000},
		{Name: "rig6", Supplier: "cyd", Model: "NVIDIA GeForce RTX 3080", Cards: 6, Site: "ham-03", Country: "DE", Connectivity: 1, CPUMilli: 12_000, RAMMiB: 65_536, HourMicro: 250_000},
	}
}

// People are the wallets of those whom the story of [Published] is about: three suppliers with their stake, dee who
// stakes beside ann, and eve who rents.
func People() []localnet.Wallet {
	const one = tokenomics.UnitsPerToken
	return []localnet.Wallet{
		{Name: "ann", IO: 1000 * one},
		{Name: "bo", IO: 200 * one},
		{Name: "cyd", IO: 1200 * one},
		{Name: "dee", IO: 500 * one},
		{Name: "eve", USDC: 1_000_000_000},
	}
}

// Fleet are the machines of a trace's world.
func Fleet(w trace.World) []Machine {
	var out []Machine
	for _, n := range w.Nodes() {
		out = append(out, Machine{
			Name: string(n.ID), Supplier: string(n.Supplier), Model: n.Model, Cards: len(n.Devices), MemoryMiB: n.MemoryMiB, Site: string(n.Site),
			Country: n.Country, Connectivity: n.Connectivity, CPUMilli: n.CPUMilli, RAMMiB: n.RAMMiB, HourMicro: n.HourMicro,
		})
	}
	return out
}

// Suppliers are the names of the machines' suppliers, sorted.
func Suppliers(machines []Machine) []string {
	var out []string
	for _, m := range machines {
		out = append(out, m.Supplier)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Join enrols, lists and reports a machine, and has it seen up.
func (s *Scene) Join(at time.Time, m Machine) ([]network.Fact, error) {
	memory := m.MemoryMiB
	if _, ok := s.catalog.Lookup(m.Model); ok {
		memory = 0
	}
	a := agent.New(s.catalog, m.Name, m.Model, m.Cards, memory)
	for _, c := range []network.Command{
		network.Enrol{Node: m.Name, Key: a.Key(), Supplier: string(localnet.Address(m.Supplier))},
		network.List{
			Node: m.Name, Site: m.Site, Country: m.Country, Connectivity: m.Connectivity, CPUMilli: m.CPUMilli, RAMMiB: m.RAMMiB, HourMicro: m.HourMicro,
		},
		network.Heartbeats{Up: []string{m.Name}},
	} {
		if _, err := s.apply(at, c); err != nil {
			return nil, fmt.Errorf("scene: %s: %w", m.Name, err)
		}
	}
	s.agents[m.Name] = a
	s.names = append(s.names, m.Name)
	return s.Report(at, m.Name)
}

// Report has a machine's agent sign its inventory over a fresh nonce.
func (s *Scene) Report(at time.Time, name string) ([]network.Fact, error) {
	a, ok := s.agents[name]
	if !ok {
		return nil, fmt.Errorf("scene: no machine %q has joined", name)
	}
	s.nonces++
	nonce := sha256.Sum256(fmt.Appendf(nil, "idlegrid/scene/nonce/%d", s.nonces))
	if _, err := s.apply(at, network.Challenge{Key: a.Key(), Nonce: nonce}); err != nil {
		return nil, fmt.Errorf("scene: %s: %w", name, err)
	}
	signed, err := a.Report(at, nonce)
	if err != nil {
		return nil, fmt.Errorf("scene: %s: %w", name, err)
	}
	return s.apply(at, network.Report{Signed: signed})
}

// Beat has every machine seen once.
func (s *Scene) Beat(at time.Time, outages []Outage) ([]network.Fact, error) {
	var h network.Heartbeats
	for _, name := range s.names {
		if slices.ContainsFunc(outages, func(o Outage) bool { return o.Machine == name && !at.Before(o.From) && at.Before(o.To) }) {
			h.Down = append(h.Down, name)
		} else {
			h.Up = append(h.Up, name)
		}
	}
	return s.apply(at, h)
}

// Links gives the network the measured links of a world, and puts further sites beside it: each at 20 ms and 1 Gb/s from
// every site of the world.
func (s *Scene) Links(at time.Time, w trace.World, beside ...string) error {
	links := w.Links()
	var sites []sched.SiteID
	for _, n := range w.Nodes() {
		sites = append(sites, n.Site)
	}
	slices.Sort(sites)
	sites = slices.Compact(sites)
	for i, x := range beside {
		for _, y := range sites {
			links = append(links, sched.LinkMeasured{A: sched.SiteID(x), B: y, DelayMicros: 20_000, Mbps: 1000})
		}
		for _, y := range beside[:i] {
			links = append(links, sched.LinkMeasured{A: sched.SiteID(x), B: sched.SiteID(y), DelayMicros: 20_000, Mbps: 1000})
		}
	}
	for _, l := range links {
		if _, err := s.apply(at, network.Link{A: string(l.A), B: string(l.B), DelayMicros: l.DelayMicros, Mbps: l.Mbps}); err != nil {
			return fmt.Errorf("scene: %w", err)
		}
	}
	return nil
}

// Fill submits requests, each paid by the wallet in USDC, and counts those that were placed. A job that cannot be placed
// is left out. Each is booked for as long as it asks, and at least for the given time.
func (s *Scene) Fill(at time.Time, wallet string, least time.Duration, requests []sched.Request) (placed int) {
	for _, r := range requests {
		r.Duration = max(r.Duration, least)
		_, err := s.apply(at, network.Submit{
			Job: string(r.Job), Wallet: string(localnet.Address(wallet)), Currency: tokenomics.USDC, Replicas: r.Replicas, GPUsPerReplica: r.GPUsPerReplica,
			Models: r.Models, MinMemoryMiB: r.MinMemoryMiB, CPUMilli: r.CPUMilli, RAMMiB: r.RAMMiB, Countries: r.Countries, MaxSites: r.MaxSites,
			Seconds: uint32(r.Duration / time.Second),
		})
		if err == nil {
			placed++
		}
	}
	return placed
}
