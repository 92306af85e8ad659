package network_test

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/internal/agent"
	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/tokenomics"
)

const (
	one   = tokenomics.UnitsPerToken
	epoch = 105 // of the published block, which begins at hour

	a100  = "NVIDIA A100 80GB PCIe"
	a4000 = "NVIDIA RTX A4000"
	r3080 = "NVIDIA GeForce RTX 3080"
)

// hour is when the published block begins: 2024-06-20T00:00Z.
var hour = time.Date(2024, 6, 20, 0, 0, 0, 0, time.UTC)

func accounts() network.Accounts {
	return network.Accounts{Rewards: "rewards", Escrow: "escrow", Treasury: "treasury", Desk: "desk"}
}

// world is a network on a chain in memory, with the agents of its machines.
type world struct {
	t      testing.TB
	net    *network.Network
	chain  *settlement.Memory
	agents map[string]*agent.Agent
	nonces int
	start  map[settlement.Asset]map[settlement.Account]uint64
	log    [][]byte // every command, refused ones too
	sparse bool     // only every 50th command is looked at
}

// lastEpoch is the last one that emits under io.net's schedules.
func lastEpoch(t testing.TB) tokenomics.Epoch {
	t.Helper()
	timeline, err := network.IONet(accounts(), 1).Tokenomics.Timeline()
	require.NoError(t, err)
	last, ok := timeline.Last()
	require.True(t, ok)
	return last
}

// newWorld opens the accounts of the network and of people: each is given IO and dollars.
func newWorld(t testing.TB, p network.Params, people ...string) *world {
	t.Helper()
	n, err := network.New(p)
	require.NoError(t, err)
	w := &world{t: t, net: n, chain: settlement.NewMemory(), agents: map[string]*agent.Agent{}, start: map[settlement.Asset]map[settlement.Account]uint64{p.IO: {}, p.USDC: {}}}
	w.open(p.IO, p.Accounts.Rewards, uint64(n.Books().Reserve))
	w.open(p.IO, p.Accounts.Desk, 100_000*one)
	w.open(p.USDC, p.Accounts.Desk, 0)
	for _, a := range []settlement.Account{p.Accounts.Escrow, p.Accounts.Treasury} {
		w.open(p.IO, a, 0)
		w.open(p.USDC, a, 0)
	}
	for _, name := range people {
		w.open(p.IO, settlement.Account(name), 10_000*one)
		w.open(p.USDC, settlement.Account(name), 10_000_000_000)
	}
	return w
}

func (w *world) open(a settlement.Asset, owner settlement.Account, units uint64) {
	w.chain.Open(a, owner, units)
	w.start[a][owner] += units
}

// apply gives a command and keeps it. A refused one must change nothing but the clock.
func (w *world) apply(at time.Time, c network.Command) ([]network.Fact, error) {
	w.t.Helper()
	b, unwritten := network.Encode(at, c)
	if unwritten == nil {
		w.log = append(w.log, b)
	}
	var before [32]byte
	still := at.Equal(w.net.Now()) && (!w.sparse || len(w.log)%50 == 0)
	if still {
		before = w.net.Digest()
	}
	facts, err := w.net.Apply(at, c)
	if unwritten != nil {
		require.Error(w.t, err, "%T cannot be written (%v), but was applied", c, unwritten)
	}
	if err != nil && still {
		require.Equal(w.t, before, w.net.Digest(), "%T was refused (%v) and changed something", c, err)
		require.Empty(w.t, facts)
	}
	if !w.sparse || len(w.log)%50 == 0 {
		require.NoError(w.t, w.net.Audit())
	}
	return facts, err
}

// atOnce are rules by which a tier is given as soon as it is met.
func atOnce(p network.Params) network.Params {
	p.Tiers.Version, p.Tiers.DwellSeconds = "at once", 0
	return p
}

// do gives a command that must not be refused.
func (w *world) do(at time.Time, c network.Command) []network.Fact {
	w.t.Helper()
	facts, err := w.apply(at, c)
	require.NoError(w.t, err)
	return facts
}

// join enrols, lists and reports a machine and has it seen up.
func (w *world) join(at time.Time, name, supplier, model string, cards int, l network.List) []network.Fact {
	w.t.Helper()
	a := w.agent(name, model, cards)
	w.do(at, network.Enrol{Node: name, Key: a.Key(), Supplier: supplier})
	l.Node = name
	if l.Site == "" {
		l.Site, l.Country, l.CPUMilli, l.RAMMiB = "fra-01", "DE", 32_000, 262_144
	}
	facts := w.do(at, l)
	facts = append(facts, w.do(at, network.Heartbeats{Up: []string{name}})...)
	return append(facts, w.report(at, name)...)
}

func (w *world) agent(name, model string, cards int) *agent.Agent {
	w.t.Helper()
	c, err := gpu.NewCatalog()
	require.NoError(w.t, err)
	memory := uint64(0)
	if _, ok := c.Lookup(model); !ok {
		memory = 4096
	}
	a := agent.New(c, name, model, cards, memory)
	w.agents[name] = a
	return a
}

// signed is a report of the machine over a nonce that was asked of it.
func (w *world) signed(at time.Time, name string) []byte {
	w.t.Helper()
	w.nonces++
	nonce := sha256.Sum256(fmt.Append(nil, w.nonces))
	a := w.agents[name]
	w.do(at, network.Challenge{Key: a.Key(), Nonce: nonce})
	b, err := a.Report(at, nonce)
	require.NoError(w.t, err)
	return b
}

func (w *world) report(at time.Time, name string) []network.Fact {
	w.t.Helper()
	return w.do(at, network.Report{Signed: w.signed(at, name)})
}

// sworn are witnesses of two endpoints at a height.
func sworn(height uint64) []settlement.Witness {
	return []settlement.Witness{
		{Endpoint: "a", Height: height, Slot: height, Context: height}, {Endpoint: "b", Height: height, Slot: height, Context: height},
	}
}

// settle carries everything to the chain, until nothing moves any more.
func (w *world) settle(at time.Time) []network.Fact {
	w.t.Helper()
	var facts []network.Fact
	runner := &settlement.Runner{
		Chains: []settlement.Chain{w.chain, w.chain.Endpoint("second")},
		Quorum: int(w.net.Params().Settlement.Quorum),
		Open:   func() []settlement.Entry { return w.net.Journal().Open() },
		Apply: func(_ time.Time, e settlement.Event) ([]settlement.Effect, error) {
			more, err := w.apply(at, network.Settle{Event: e})
			facts = append(facts, more...)
			return nil, err
		},
	}
	for idle := 0; idle < 2; idle++ {
		moved, err := runner.Step(w.t.Context(), at)
		if moved {
			idle = -1
		}
		if err != nil { // somebody cannot pay: what can be paid is
			require.ErrorContains(w.t, err, "more are to go")
		}
		w.chain.Advance(33)
	}
	return facts
}

// balances holds every account on the chain against the payments, and the vault and the supply against the blocks.
func (w *world) balances() {
	w.t.Helper()
	p := w.net.Params()
	flow := map[settlement.Asset]map[settlement.Account]uint64{p.IO: {}, p.USDC: {}} // modulo 2^64
	var unpaid uint64
	for x := range w.net.Journal().Payments() {
		switch {
		case x.State == settlement.StatePaid:
			flow[x.Intent.Asset][x.Intent.From] -= x.Intent.Units
			if x.Intent.Kind != settlement.Burn {
				flow[x.Intent.Asset][x.Intent.To] += x.Intent.Units
			}
		case x.Intent.From == p.Accounts.Rewards:
			unpaid += x.Intent.Units
		}
	}
	for asset, owners := range w.start {
		for owner, units := range owners {
			got, ok := w.chain.Balance(asset, owner)
			require.True(w.t, ok)
			require.Equal(w.t, units+flow[asset][owner], got, "balance of %s", owner)
		}
	}
	o := w.net.Overview()
	vault, _ := w.chain.Balance(p.IO, p.Accounts.Rewards)
	require.Equal(w.t, uint64(o.Reserve+o.Held+o.Carried)+unpaid, vault, "the vault")
	var minted uint64
	for _, units := range w.start[p.IO] {
		minted += units
	}
	require.Equal(w.t, minted-uint64(o.Burned), w.chain.Supply(p.IO), "the supply")
}

// replayed is a second network with the commands of this one.
func (w *world) replayed() *network.Network {
	w.t.Helper()
	n, err := network.New(w.net.Params())
	require.NoError(w.t, err)
	for _, b := range w.log {
		at, c, err := network.Decode(b)
		require.NoError(w.t, err)
		_, _ = n.Apply(at, c)
	}
	return n
}

// of picks the facts of one sort.
func of[F network.Fact](facts []network.Fact) []F {
	var out []F
	for _, f := range facts {
		if x, ok := f.(F); ok {
			out = append(out, x)
		}
	}
	return out
}
