package sched_test

import (
	"errors"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/sched"
)

// world is a small fleet with all that the oracle needs to judge a request.
type world struct {
	nodes []sched.Node
	links map[[2]sched.SiteID]sched.LinkMeasured
	sites []sched.SiteID
}

func randomWorld(r *rand.Rand, maxSites int) world {
	w := world{links: map[[2]sched.SiteID]sched.LinkMeasured{}}
	for s := range 1 + r.IntN(maxSites) {
		id := sched.SiteID(fmt.Sprintf("s%02d", s))
		w.sites = append(w.sites, id)
		for i := range 1 + r.IntN(3) {
			n := machine(sched.NodeID(fmt.Sprintf("n%02d-%d", s, i)), id, 1+r.IntN(8))
			n.HourMicro = uint64(1+r.IntN(4)) * 100_000
			n.StandingPPM = uint32(6+r.IntN(4)) * 100_000
			n.Tier, n.Connectivity = uint8(r.IntN(5)), uint8(1+r.IntN(4))
			n.CPUMilli = uint64(1+r.IntN(8)) * 8_000
			n.Country = []string{"DE", "FR"}[r.IntN(2)]
			w.nodes = append(w.nodes, n)
		}
	}
	density := 1 + r.IntN(10) // of ten pairs
	for i, b := range w.sites {
		for _, a := range w.sites[:i] {
			if r.IntN(10) < density {
				w.links[[2]sched.SiteID{a, b}] = sched.LinkMeasured{A: a, B: b, DelayMicros: uint32(1+r.IntN(9)) * 10_000, Mbps: uint32(1+r.IntN(5)) * 200}
			}
		}
	}
	return w
}

func (w world) fleet(t testing.TB, p sched.Policy) *sched.Fleet {
	t.Helper()
	f, err := sched.NewFleet(p)
	require.NoError(t, err)
	for _, n := range w.nodes {
		_, err := f.Apply(noon, sched.NodeUp{Node: n})
		require.NoError(t, err)
	}
	for i, b := range w.sites {
		for _, a := range w.sites[:i] {
			if l, ok := w.links[[2]sched.SiteID{a, b}]; ok {
				_, err := f.Apply(noon, l)
				require.NoError(t, err)
			}
		}
	}
	return f
}

func randomRequest(r *rand.Rand) sched.Request {
	q := sched.Request{
		Job: "gang", Owner: "ann", Replicas: uint16(1 + r.IntN(24)), GPUsPerReplica: uint16(1 + r.IntN(3)), MaxSites: uint8(r.IntN(6)),
		CPUMilli: uint64(r.IntN(3)) * 4_000, Duration: time.Hour,
	}
	// Each limit in a third of the cases.
	set := func() bool { return r.IntN(3) == 0 }
	if set() {
		q.MaxDelayMicros = uint32(1+r.IntN(9)) * 10_000
	}
	if set() {
		q.MinMbps = uint32(1+r.IntN(5)) * 200
	}
	if set() {
		q.MaxHourMicro = uint64(1+r.IntN(4)) * 100_000
	}
	if set() {
		q.MinStandingPPM = uint32(6+r.IntN(4)) * 100_000
	}
	if set() {
		q.MinTier = uint8(r.IntN(4))
	}
	if set() {
		q.Countries = []string{"DE"}
	}
	return q
}

// answer is the best placement as the oracle sees it.
type answer struct {
	ok    bool
	sites []sched.SiteID
	delay uint32
	price uint64
	most  int // replicas that fit
}

func (a answer) better(b answer) bool {
	switch {
	case !b.ok:
		return true
	case len(a.sites) != len(b.sites):
		return len(a.sites) < len(b.sites)
	case a.delay != b.delay:
		return a.delay < b.delay
	case a.price != b.price:
		return a.price < b.price
	}
	return slices.Compare(a.sites, b.sites) < 0
}

// solve tries every set of sites.
func (w world) solve(q sched.Request) (best answer) {
	prices := map[sched.SiteID][]uint64{} // of each replica that a site could hold
	for _, n := range w.nodes {
		if q.MaxHourMicro > 0 && n.HourMicro > q.MaxHourMicro || n.StandingPPM < q.MinStandingPPM || n.Tier < q.MinTier ||
			n.Connectivity < q.MinConnectivity || len(q.Countries) > 0 && !slices.Contains(q.Countries, n.Country) {
			continue
		}
		room := len(n.Devices) / int(q.GPUsPerReplica)
		if q.CPUMilli > 0 {
			room = min(room, int(n.CPUMilli/q.CPUMilli))
		}
		for range room {
			prices[n.Site] = append(prices[n.Site], n.HourMicro*uint64(q.GPUsPerReplica))
		}
	}
	for set := uint(1); set < 1<<len(w.sites); set++ {
		if bits.OnesCount(set) > max(int(q.MaxSites), 1) {
			continue
		}
		a, all, useless := answer{ok: true}, []uint64(nil), false
		for i, s := range w.sites {
			if set>>i&1 == 0 {
				continue
			}
			useless = useless || len(prices[s]) == 0
			for _, t := range a.sites {
				l, known := w.links[[2]sched.SiteID{t, s}]
				switch {
				case !known && (q.MaxDelayMicros > 0 || q.MinMbps > 0):
					useless = true
				case !known:
					a.delay = sched.Unmeasured
				case q.MaxDelayMicros > 0 && l.DelayMicros > q.MaxDelayMicros || l.Mbps < q.MinMbps:
					useless = true
				default:
					a.delay = max(a.delay, l.DelayMicros)
				}
			}
			a.sites = append(a.sites, s)
			all = append(all, prices[s]...)
		}
		if useless {
			continue
		}
		best.most = max(best.most, min(len(all), int(q.Replicas)))
		if len(all) < int(q.Replicas) {
			continue
		}
		slices.Sort(all)
		for _, p := range all[:q.Replicas] {
			a.price += p
		}
		if most := best.most; a.better(best) {
			best, best.most = a, most
		}
	}
	return best
}

// verify checks a placement against everything that was asked, from the facts of the world alone.
func (w world) verify(t testing.TB, q sched.Request, p sched.Placement) {
	t.Helper()
	require.Len(t, p.Members, int(q.Replicas))
	seen, cpu, sites, hour := map[string]bool{}, map[sched.NodeID]uint64{}, map[sched.SiteID]bool{}, uint64(0)
	for rank, m := range p.Members {
		i := slices.IndexFunc(w.nodes, func(n sched.Node) bool { return n.ID == m.Node })
		n := w.nodes[i]
		require.Equal(t, rank, m.Rank)
		require.Equal(t, n.Site, m.Site)
		require.Equal(t, n.HourMicro, m.HourMicro)
		require.Len(t, m.Devices, int(q.GPUsPerReplica))
		for _, d := range m.Devices {
			require.Contains(t, n.Devices, d)
			require.False(t, seen[string(d)], "%s twice", d)
			seen[string(d)] = true
			hour += n.HourMicro
		}
		cpu[n.ID] += q.CPUMilli
		require.LessOrEqual(t, cpu[n.ID], n.CPUMilli)
		require.True(t, q.MaxHourMicro == 0 || n.HourMicro <= q.MaxHourMicro)
		require.GreaterOrEqual(t, n.StandingPPM, q.MinStandingPPM)
		require.GreaterOrEqual(t, n.Tier, q.MinTier)
		require.GreaterOrEqual(t, n.Connectivity, q.MinConnectivity)
		require.True(t, len(q.Countries) == 0 || slices.Contains(q.Countries, n.Country))
		sites[n.Site] = true
	}
	require.Equal(t, hour, p.HourMicro)
	require.Len(t, sites, p.Sites)
	require.LessOrEqual(t, p.Sites, max(int(q.MaxSites), 1))
	for i, b := range w.sites {
		for _, a := range w.sites[:i] {
			l, known := w.links[[2]sched.SiteID{a, b}]
			if sites[a] && sites[b] && (q.MaxDelayMicros > 0 || q.MinMbps > 0) {
				require.True(t, known)
				require.True(t, q.MaxDelayMicros == 0 || l.DelayMicros <= q.MaxDelayMicros)
				require.GreaterOrEqual(t, l.Mbps, q.MinMbps)
			}
		}
	}
}

// TestOracle compares the search with the oracle on random fleets of up to 12 sites, with the steps of the policy and with very few.
func TestOracle(t *testing.T) {
	for _, steps := range []uint32{sched.IONet().SearchSteps, 1000} {
		p := sched.IONet()
		p.SearchSteps = steps
		cases, fits, accepted, equal, single, gave := 3000, 0, 0, 0, 0, 0
		if testing.Short() || underRace {
			cases = 300
		}
		r := rand.New(rand.NewPCG(1, uint64(steps)))
		for range cases {
			w, q := randomWorld(r, 12), randomRequest(r)
			q.Replicas = max(q.Replicas, 2)
			f := w.fleet(t, p)
			want := w.solve(q)
			got, err := f.Try(q)
			if err != nil {
				var no *sched.UnplaceableError
				require.ErrorAs(t, err, &no)
				gave += w.checkRefusal(t, q, want, no)
				if want.ok {
					require.False(t, no.Exhaustive, "a search that says it saw everything missed a placement")
					fits++
				}
				continue
			}
			require.True(t, want.ok)
			w.verify(t, q, got)
			fits++
			accepted++
			if want.price == got.HourMicro && want.delay == got.DelayMicros && len(want.sites) == got.Sites {
				equal++
			} else {
				require.False(t, got.Exhaustive)
			}
			q.MaxSites = 1
			if _, err := f.Try(q); err == nil {
				single++
			}
		}
		t.Logf("%d steps: %d cases, %d can be placed: %d accepted, %d equal the best; %d with one site only; %d relaxations, all proven",
			steps, cases, fits, accepted, equal, single, gave)
		require.GreaterOrEqual(t, 100*accepted, 99*fits)
		require.GreaterOrEqual(t, 100*equal, 95*fits)
	}
}

// checkRefusal compares an explanation with the oracle and returns how many relaxations it holds.
func (w world) checkRefusal(t testing.TB, q sched.Request, want answer, no *sched.UnplaceableError) int {
	t.Helper()
	sum, devices := 0, 0
	for _, r := range no.Refusals {
		sum += r.Nodes
		devices += r.Devices
	}
	require.Equal(t, len(w.nodes), sum)
	require.Equal(t, no.Considered, sum)
	require.Equal(t, no.Devices, devices)
	require.LessOrEqual(t, no.Largest, want.most)
	if no.Exhaustive {
		require.Equal(t, want.most, no.Largest)
	}
	for _, x := range no.Relax {
		changed := q
		for _, c := range x.Changes {
			changed = with(changed, c.Field, c.To)
		}
		w.verify(t, changed, x.Placement)
		if !x.Minimal {
			continue
		}
		// Any of them one unit back towards what was asked, and nothing fits.
		for _, c := range x.Changes {
			to := c.To
			if c.From > to {
				to++
			} else {
				to--
			}
			require.False(t, w.solve(with(changed, c.Field, to)).ok, "%v is not the least change of %+v", c, q)
		}
	}
	return len(no.Relax)
}

func with(q sched.Request, field sched.Field, v uint64) sched.Request {
	switch field {
	case sched.FieldSites:
		q.MaxSites = uint8(v)
	case sched.FieldDelay:
		q.MaxDelayMicros = uint32(v)
	case sched.FieldMbps:
		q.MinMbps = uint32(v)
	case sched.FieldStanding:
		q.MinStandingPPM = uint32(v)
	case sched.FieldConnectivity:
		q.MinConnectivity = uint8(v)
	case sched.FieldTier:
		q.MinTier = uint8(v)
	case sched.FieldPrice:
		q.MaxHourMicro = v
	case sched.FieldReplicas:
		q.Replicas = uint16(v)
	}
	return q
}

// TestSingleIsTheBestNode compares the choice of one node with sorting all of them.
func TestSingleIsTheBestNode(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for range 1000 {
		w, q := randomWorld(r, 6), randomRequest(r)
		q.Replicas = 1
		f := w.fleet(t, sched.IONet())
		nodes := slices.SortedStableFunc(slices.Values(w.nodes), func(a, b sched.Node) int {
			switch {
			case a.HourMicro != b.HourMicro:
				return int(a.HourMicro) - int(b.HourMicro)
			case a.StandingPPM != b.StandingPPM:
				return int(b.StandingPPM) - int(a.StandingPPM)
			case len(a.Devices) != len(b.Devices):
				return len(a.Devices) - len(b.Devices)
			}
			return 0 // the one that joined first
		})
		best := slices.IndexFunc(nodes, func(n sched.Node) bool {
			return world{nodes: []sched.Node{n}, sites: []sched.SiteID{n.Site}}.solve(q).ok
		})
		got, err := f.Try(q)
		var no *sched.UnplaceableError
		if errors.As(err, &no) {
			require.Equal(t, -1, best)
			require.True(t, no.Exhaustive)
			continue
		}
		require.NoError(t, err)
		at := slices.IndexFunc(nodes, func(n sched.Node) bool { return n.ID == got.Members[0].Node })
		require.Equal(t, []any{nodes[best].HourMicro, nodes[best].StandingPPM, len(nodes[best].Devices)},
			[]any{nodes[at].HourMicro, nodes[at].StandingPPM, len(nodes[at].Devices)})
		w.verify(t, q, got)
	}
}
