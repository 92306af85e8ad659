package network_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/internal/golden"
	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// play is a world to which anything may happen, sensible or not. Its course follows from the seed.
type play struct {
	*world
	r       *rand.Rand
	at      time.Time
	nodes   []string
	jobs    int
	offers  int
	refused int
	kinds   map[string]int // commands that were not refused
	stages  map[network.Stage]int
}

// playFor gives n random commands, across the change of the pools.
func playFor(t testing.TB, seed uint64, n int, sparse bool) *play {
	t.Helper()
	start := twoPools.Add(-48 * time.Hour)
	first, err := tokenomics.IONet().Calendar.At(start)
	require.NoError(t, err)
	p := &play{
		world: newWorld(t, network.IONet(accounts(), first), "ann", "bo", "cyd", "eve", "ivy"),
		r:     rand.New(rand.NewPCG(seed, 1)), at: start, kinds: map[string]int{}, stages: map[network.Stage]int{},
	}
	p.sparse = sparse
	for i, model := range []string{a100, a4000, a4000, r3080, r3080, "Voodoo 2"} { // some that earn for certain
		name := fmt.Sprintf("n%d", i)
		supplier := []string{"ann", "bo", "cyd", "nobody"}[i%4]
		p.nodes = append(p.nodes, name)
		p.join(start, name, supplier, model, 1+i, network.List{Connectivity: uint8(1 + i%4), HourMicro: uint64(i) * 100_000})
		v, _ := p.net.Node(name)
		p.do(start, network.Stake{Node: name, Amount: v.Required})
	}
	for len(p.log) < n {
		if p.r.IntN(3) == 0 {
			p.at = p.at.Add(time.Duration(p.r.Int64N(int64(8 * time.Minute))))
		}
		if p.r.IntN(20) == 0 {
			p.round()
			continue
		}
		_, _ = p.apply(p.at, p.next())
	}
	require.NoError(t, p.net.Audit())
	for _, b := range p.net.Bills(1 << 30) {
		p.stages[b.Stage]++
	}
	return p
}

// apply gives a command and counts it.
func (p *play) apply(at time.Time, c network.Command) ([]network.Fact, error) {
	p.t.Helper()
	facts, err := p.world.apply(at, c)
	if err != nil {
		p.refused++
	} else {
		p.kinds[fmt.Sprintf("%T", c)]++
	}
	return facts, err
}

// round is a step of a runner, on a chain that moves by some blocks: attempts expire now and then.
func (p *play) round() {
	runner := &settlement.Runner{
		Chains: []settlement.Chain{p.chain, p.chain.Endpoint("second")}, Quorum: 2,
		Open: p.net.Journal().Open, Reclaimable: p.net.Journal().Reclaimable,
		Apply: func(at time.Time, e settlement.Event) ([]settlement.Effect, error) {
			_, err := p.apply(at, network.Settle{Event: e})
			return nil, err
		},
	}
	_, err := runner.Step(p.t.Context(), p.at)
	if err != nil {
		require.ErrorContains(p.t, err, "more are to go")
		require.NotErrorIs(p.t, err, settlement.ErrStale)
	}
	p.chain.Advance(p.r.IntN(60))
	if p.r.IntN(30) == 0 {
		p.chain.Advance(200)
	}
}

func pick[T any](p *play, from ...T) T { return from[p.r.IntN(len(from))] }

// name is mostly a node's.
func (p *play) name() string {
	if p.r.IntN(20) == 0 {
		return pick(p, "", "bogus")
	}
	return pick(p, p.nodes...)
}

func (p *play) next() network.Command {
	switch p.r.IntN(18) {
	case 0:
		return p.enrol()
	case 1, 2, 3:
		return p.aReport()
	case 4:
		i := p.r.IntN(len(p.nodes))
		return network.List{
			Node: pick(p, p.nodes[i], p.nodes[i], "bogus"), Site: pick(p, "fra-01", "fra-01", "fra-01", "osl-02", ""), Country: "DE", Connectivity: uint8(1 + i%4 + p.r.IntN(6)/5),
			CPUMilli: 32_000, RAMMiB: 262_144, HourMicro: p.r.Uint64N(2_000_000),
		}
	case 5:
		return network.Link{A: pick(p, "fra-01", "osl-02"), B: pick(p, "fra-01", "osl-02"), DelayMicros: p.r.Uint32N(50_000), Mbps: p.r.Uint32N(2000)}
	case 6:
		if p.r.IntN(4) == 0 {
			return network.Heartbeats{Down: []string{p.name()}}
		}
		return network.Heartbeats{Up: p.nodes}
	case 7:
		return network.Attest{Node: p.name(), Criterion: pick(p, "transport encryption", "SOC 2", ""), Issuer: "i", Expires: p.at.Add(time.Duration(p.r.IntN(72)-1) * time.Hour)}
	case 8:
		return network.Stake{Node: p.name(), Amount: tokenomics.Amount(p.r.Uint64N(300 * one))}
	case 9:
		p.offers++
		return network.PostOffer{
			Offer: fmt.Sprint(p.offers - p.r.IntN(2)), Node: p.name(), Amount: pick[tokenomics.Amount](p, one, one, 2*one, 1), ShareBps: p.r.Uint32N(2000), Expires: p.at.Add(time.Hour),
		}
	case 10:
		return network.AcceptOffer{Offer: fmt.Sprint(p.offers), Holder: pick(p, "ann", "eve", "ivy", "nobody", "rewards", ""), Amount: pick[tokenomics.Amount](p, one, one, 2*one)}
	case 11:
		return network.SetPrice{MicroPerToken: p.r.Uint64N(9_000_000), Source: pick(p, "feed", "feed", "")}
	case 12, 13:
		return p.submit()
	case 14:
		return network.Finish{Lease: fmt.Sprintf("lease-%d", p.r.IntN(p.jobs+1))}
	case 15:
		e, _ := tokenomics.IONet().Calendar.At(p.at)
		return network.OtherScores{Epoch: e + tokenomics.Epoch(p.r.IntN(3)) - 1, Pool: tokenomics.Pool(p.r.IntN(5)), Score: p.r.Uint64N(10_000_000)}
	}
	if p.r.IntN(2) == 0 {
		return p.retry()
	}
	return pick[network.Command](p, network.Tick{}, network.Settle{Event: settlement.Decided{}}, network.Settle{Event: p.forged()})
}

// retry is of one of the last payments, refused or not. Sooner or later nobody gets an account, and never does not.
func (p *play) retry() network.Command {
	if p.r.IntN(100) == 0 {
		p.open(p.net.Params().IO, "nobody", 0)
	}
	if refused := p.refusedOf(); len(refused) > 0 && p.r.IntN(3) > 0 {
		return network.Retry{Payment: pick(p, refused...).Intent.ID.String()}
	}
	last := p.net.Payments(20)
	if len(last) == 0 {
		return network.Retry{Payment: pick(p, "", "00")}
	}
	return network.Retry{Payment: pick(p, last...).Intent.ID.String()}
}

func (p *play) enrol() network.Command {
	if len(p.nodes) >= 16 || p.r.IntN(3) > 0 {
		name := p.name()
		if a, ok := p.agents[name]; ok {
			return network.Enrol{Node: name + pick(p, "", "2"), Key: a.Key(), Supplier: "ann"}
		}
		return network.Enrol{Node: name, Supplier: "ann"}
	}
	name := fmt.Sprintf("n%d", len(p.nodes))
	p.nodes = append(p.nodes, name)
	return network.Enrol{Node: name, Key: p.agent(name, pick(p, a100, a4000, r3080), 1+p.r.IntN(8)).Key(), Supplier: pick(p, "ann", "bo", "nobody", "never")}
}

// aReport is mostly true; sometimes a card is missing, has moved, or is somebody else's, or the bytes are wrong.
func (p *play) aReport() network.Command {
	a := p.agents[pick(p, p.nodes...)]
	honest := a.Devices
	switch devices := append([]gpu.Device{}, honest...); p.r.IntN(40) {
	case 0:
		a.Devices = devices[:max(1, len(devices)-1)]
	case 1:
		devices[0].MemoryMiB++
		a.Devices = devices
	case 2:
		a.Devices = append(devices, p.agents["n0"].Devices[0])
	}
	var nonce [32]byte
	p.nonces++
	nonce[0], nonce[1], nonce[2] = byte(p.nonces), byte(p.nonces>>8), byte(p.nonces>>16)
	_, _ = p.apply(p.at, network.Challenge{Key: a.Key(), Nonce: nonce})
	b, err := a.Report(p.at, nonce)
	require.NoError(p.t, err)
	a.Devices = honest
	if p.r.IntN(20) == 0 {
		b[p.r.IntN(len(b))] ^= 1 << p.r.IntN(8)
	}
	return network.Report{Signed: b}
}

func (p *play) submit() network.Command {
	p.jobs++
	return network.Submit{
		Job: fmt.Sprintf("j%d", p.jobs-p.r.IntN(20)/19), Wallet: pick(p, "eve", "ivy", "ann", "poor", "escrow"), Currency: tokenomics.Currency(1 + p.r.IntN(3)),
		Replicas: uint16(p.r.IntN(4)), GPUsPerReplica: uint16(1 + p.r.IntN(3)), MaxSites: uint8(p.r.IntN(3)), MinTier: uint8(p.r.IntN(8) / 6),
		Models: pick(p, nil, nil, []string{a4000}), Seconds: 3600 + p.r.Uint32N(7200)/7*7,
	}
}

// forged is news that nobody brought: of any batch, most of it impossible, and what is possible only says that an attempt
// was not made after all.
func (p *play) forged() settlement.Event {
	e, _ := tokenomics.IONet().Calendar.At(p.at)
	id := settlement.BatchID{Epoch: e - tokenomics.Epoch(p.r.IntN(3)), Lane: p.r.Uint32N(3), Index: p.r.Uint32N(2)}
	return pick[settlement.Event](p,
		settlement.Landed{Batch: id, Tx: "none", Slot: 1, Witnesses: sworn(1)},
		settlement.Failed{Batch: id, Tx: "none", Failure: settlement.Failure{Reason: "r"}, Witnesses: sworn(1)},
		settlement.Expired{Batch: id, Tx: "none", Witnesses: sworn(1 << 60)}, settlement.Resumed{Batch: id}, settlement.Signed{Batch: id, Revision: 9},
		settlement.Rejected{Batch: id, Faults: []settlement.Fault{{Line: 99, Reason: "r"}}})
}

func TestRandomPlay(t *testing.T) {
	p := playFor(t, 1, 20_000, true)
	require.Len(t, p.kinds, 17, "every command is taken at times: %v", p.kinds)
	require.Greater(t, p.refused, 2000)
	require.Greater(t, p.stages[network.StageDone], 100)
	require.Positive(t, p.stages[network.StageUnpaid])
	var rewarded int
	for _, b := range p.net.Blocks(1 << 30) {
		if b.Paid() > 0 {
			rewarded++
		}
	}
	require.Greater(t, rewarded, 100)

	digest := fmt.Sprintf("%x\n", p.net.Digest())
	golden.Check(t, "testdata/digest.txt", digest)
	old := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(old)
	require.Equal(t, digest, fmt.Sprintf("%x\n", p.replayed().Digest()), "replayed from what was written, at GOMAXPROCS 1")

	for range 20 { // what is on its way becomes final
		p.settle(p.at)
	}
	p.balances()
}

// TestRandomPlays looks at every command of a few short plays.
func TestRandomPlays(t *testing.T) {
	for seed := range uint64(5) {
		p := playFor(t, 100+seed, 1500, false)
		p.settle(p.at)
		p.balances()
		require.Equal(t, p.net.Digest(), p.replayed().Digest())
	}
}

// FuzzPlay: nothing that happens breaks an invariant, and what is refused changes nothing.
func FuzzPlay(f *testing.F) {
	f.Add(uint64(7))
	f.Fuzz(func(t *testing.T, seed uint64) {
		p := playFor(t, seed, 600, false)
		p.settle(p.at)
		p.balances()
		require.Equal(t, p.net.Digest(), p.replayed().Digest())
	})
}

// TestDigestSeesEverything gives commands that change one thing each: the digest tells them all.
func TestDigestSeesEverything(t *testing.T) {
	w := published(t)
	at := w.net.Now()
	stranger := w.agent("stranger", a4000, 1).Key()
	list := network.List{Node: "late", Site: "s", Country: "DE", Connectivity: 4, CPUMilli: 1, RAMMiB: 1, HourMicro: 1}
	dearer := list
	dearer.HourMicro++
	seen := map[[32]byte]network.Command{w.net.Digest(): nil}
	for _, c := range []network.Command{
		network.Enrol{Node: "late", Key: stranger, Supplier: "ivy"},
		list,
		dearer,
		network.Challenge{Key: stranger, Nonce: network.Key{1}},
		network.Link{A: "a", B: "b", DelayMicros: 1, Mbps: 1},
		network.Heartbeats{Up: []string{"late"}},
		network.Attest{Node: "rig6", Criterion: "SOC 2", Issuer: "i", Expires: at.Add(time.Hour)},
		network.Attest{Node: "rig6", Criterion: "SOC 2", Issuer: "another", Expires: at.Add(time.Hour)},
		network.Stake{Node: "rig6", Amount: 1},
		network.PostOffer{Offer: "o", Node: "rig6", Amount: one, ShareBps: 500, Expires: at.Add(time.Hour)},
		network.AcceptOffer{Offer: "o", Holder: "ivy", Amount: one},
		network.SetPrice{MicroPerToken: 3_000_000, Source: "a"},
		network.SetPrice{MicroPerToken: 3_000_000, Source: "b"},
		network.Submit{Job: "j", Wallet: "eve", Currency: tokenomics.USDC, Replicas: 1, GPUsPerReplica: 1, Seconds: 3600},
		network.Finish{Lease: "lease-1"},
		network.OtherScores{Epoch: epoch, Pool: tokenomics.PoolGPU, Score: 1},
		network.OtherScores{Epoch: epoch, Pool: tokenomics.PoolGPU, Score: 2},
	} {
		w.do(at, c)
		d := w.net.Digest()
		require.NotContains(t, seen, d, "%+v is not seen", c)
		seen[d] = c
	}
}
