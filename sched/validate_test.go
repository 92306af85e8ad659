package sched_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/internal/golden"
	"github.com/idlegrid/idlegrid/sched"
)

// limits is a field at its bounds (both pass) and just outside them (both fail, where they exist).
type limits[T any] struct {
	field     string
	pass, not []func(*T)
}

func check[T any](t *testing.T, cases []limits[T], fresh func() T, validate func(T) error) {
	t.Helper()
	require.NoError(t, validate(fresh()))
	for _, c := range cases {
		for i, change := range c.pass {
			v := fresh()
			change(&v)
			require.NoError(t, validate(v), "%s, good value %d", c.field, i)
		}
		for i, change := range c.not {
			v := fresh()
			change(&v)
			err := validate(v)
			require.ErrorIs(t, err, sched.ErrInvalid, "%s, bad value %d", c.field, i)
			require.ErrorContains(t, err, c.field)
		}
	}
}

func cards(n int) []gpu.DeviceID { return machine("n", "s", n).Devices }

func TestNodeLimits(t *testing.T) {
	type N = sched.Node
	type F = []func(*N)
	check(t, []limits[N]{
		{"Node.ID", F{func(n *N) { n.ID = sched.NodeID(strings.Repeat("x", 128)) }}, F{func(n *N) { n.ID = "" }, func(n *N) { n.ID = sched.NodeID(strings.Repeat("x", 129)) }}},
		{"Node.Site", nil, F{func(n *N) { n.Site = "" }}},
		{"Node.Supplier", nil, F{func(n *N) { n.Supplier = "" }}},
		{"Node.Model", nil, F{func(n *N) { n.Model = "" }}},
		{"Node.MemoryMiB", F{func(n *N) { n.MemoryMiB = 1 }, func(n *N) { n.MemoryMiB = 1 << 40 }}, F{func(n *N) { n.MemoryMiB = 0 }, func(n *N) { n.MemoryMiB = 1<<40 + 1 }}},
		{
			"Node.Devices",
			F{func(n *N) { n.Devices = cards(1) }, func(n *N) { n.Devices = cards(16) }},
			F{func(n *N) { n.Devices = nil }, func(n *N) { n.Devices = cards(17) }, func(n *N) { n.Devices[1] = n.Devices[0] }, func(n *N) { n.Devices[1] = "" }},
		},
		{"Node.CPUMilli", F{func(n *N) { n.CPUMilli = 1 }}, F{func(n *N) { n.CPUMilli = 0 }, func(n *N) { n.CPUMilli = math.MaxUint64 }}},
		{"Node.RAMMiB", F{func(n *N) { n.RAMMiB = 1 }}, F{func(n *N) { n.RAMMiB = 0 }, func(n *N) { n.RAMMiB = math.MaxUint64 }}},
		{
			"Node.Country",
			F{func(n *N) { n.Country = "AZ" }},
			F{func(n *N) { n.Country = "de" }, func(n *N) { n.Country = "D" }, func(n *N) { n.Country = "DEU" }, func(n *N) { n.Country = "D[" }, func(n *N) { n.Country = "@D" }},
		},
		{"Node.Connectivity", F{func(n *N) { n.Connectivity = 1 }, func(n *N) { n.Connectivity = 4 }}, F{func(n *N) { n.Connectivity = 0 }, func(n *N) { n.Connectivity = 5 }}},
		{"Tier", F{func(n *N) { n.Tier = 0 }, func(n *N) { n.Tier = 4 }}, F{func(n *N) { n.Tier = 5 }}},
		{"StandingPPM", F{func(n *N) { n.StandingPPM = 0 }, func(n *N) { n.StandingPPM = 1_000_000 }}, F{func(n *N) { n.StandingPPM = 1_000_001 }}},
		{"HourMicro", F{func(n *N) { n.HourMicro = 0 }, func(n *N) { n.HourMicro = 1e12 }}, F{func(n *N) { n.HourMicro = 1e12 + 1 }}},
	}, func() N { return machine("n", "s", 2) }, N.Validate)
}

func TestRequestLimits(t *testing.T) {
	type R = sched.Request
	type F = []func(*R)
	check(t, []limits[R]{
		{"Request.Job", nil, F{func(r *R) { r.Job = "" }}},
		{"Request.Owner", nil, F{func(r *R) { r.Owner = "" }}},
		{"Request.Replicas", F{func(r *R) { r.Replicas = 1 }, func(r *R) { r.Replicas = 65535 }}, F{func(r *R) { r.Replicas = 0 }}},
		{"Request.GPUsPerReplica", F{func(r *R) { r.GPUsPerReplica = 1 }, func(r *R) { r.GPUsPerReplica = 16 }}, F{func(r *R) { r.GPUsPerReplica = 0 }, func(r *R) { r.GPUsPerReplica = 17 }}},
		{"Request.Models", F{func(r *R) { r.Models = slices.Repeat([]string{"m"}, 64) }}, F{func(r *R) { r.Models = slices.Repeat([]string{"m"}, 65) }, func(r *R) { r.Models = []string{""} }}},
		{"Request.MinMemoryMiB", F{func(r *R) { r.MinMemoryMiB = 1 << 40 }}, F{func(r *R) { r.MinMemoryMiB = 1<<40 + 1 }}},
		{"Request.CPUMilli", F{func(r *R) { r.CPUMilli = 1 << 40 }}, F{func(r *R) { r.CPUMilli = 1<<40 + 1 }}},
		{"Request.RAMMiB", F{func(r *R) { r.RAMMiB = 1 << 40 }}, F{func(r *R) { r.RAMMiB = 1<<40 + 1 }}},
		{"Request.Countries", F{func(r *R) { r.Countries = slices.Repeat([]string{"DE"}, 255) }}, F{func(r *R) { r.Countries = slices.Repeat([]string{"DE"}, 256) }, func(r *R) { r.Countries = []string{"De"} }}},
		{"Request.MinConnectivity", F{func(r *R) { r.MinConnectivity = 4 }}, F{func(r *R) { r.MinConnectivity = 5 }}},
		{"Request.MinTier", F{func(r *R) { r.MinTier = 4 }}, F{func(r *R) { r.MinTier = 5 }}},
		{"Request.MinStandingPPM", F{func(r *R) { r.MinStandingPPM = 1_000_000 }}, F{func(r *R) { r.MinStandingPPM = 1_000_001 }}},
		{"Request.MaxHourMicro", F{func(r *R) { r.MaxHourMicro = 1e12 }}, F{func(r *R) { r.MaxHourMicro = 1e12 + 1 }}},
		{"Request.MaxDelayMicros", F{func(r *R) { r.MaxDelayMicros = 10_000_000 }}, F{func(r *R) { r.MaxDelayMicros = 10_000_001 }}},
		{"Request.Duration", F{func(r *R) { r.Duration = time.Second }}, F{func(r *R) { r.Duration = 0 }, func(r *R) { r.Duration = -time.Hour }, func(r *R) { r.Duration++ }}},
	}, eight, R.Validate)
}

func TestPolicyLimits(t *testing.T) {
	type P = sched.Policy
	type F = []func(*P)
	check(t, []limits[P]{
		{"Policy.Version", nil, F{func(p *P) { p.Version = "" }}},
		{"Policy.Order", F{func(p *P) { p.Order = nil }}, F{func(p *P) { p.Order[0] = 0 }, func(p *P) { p.Order[0] = 4 }, func(p *P) { p.Order[0] = p.Order[1] }}},
		{"Policy.Relax", F{func(p *P) { p.Relax = nil }}, F{func(p *P) { p.Relax[0] = 0 }, func(p *P) { p.Relax[0] = 9 }, func(p *P) { p.Relax[0] = p.Relax[1] }}},
		{"Policy.SearchSteps", F{func(p *P) { p.SearchSteps = 1000 }}, F{func(p *P) { p.SearchSteps = 999 }}},
		{"Policy.MinDurationSeconds", F{func(p *P) { p.MinDurationSeconds = 1 }}, F{func(p *P) { p.MinDurationSeconds = 0 }}},
		{"Policy.MaxDurationSeconds", F{func(p *P) { p.MaxDurationSeconds = p.MinDurationSeconds }}, F{func(p *P) { p.MaxDurationSeconds = p.MinDurationSeconds - 1 }}},
	}, sched.IONet, P.Validate)
}

func TestLinkLimits(t *testing.T) {
	type L = sched.LinkMeasured
	type F = []func(*L)
	check(t, []limits[L]{
		{"LinkMeasured.A", nil, F{func(l *L) { l.A = "" }}},
		{"LinkMeasured.B", nil, F{func(l *L) { l.B = "" }}},
		{"LinkMeasured", nil, F{func(l *L) { l.B = l.A }}},
		{"LinkMeasured.DelayMicros", F{func(l *L) { l.DelayMicros = 0 }, func(l *L) { l.DelayMicros = 10_000_000 }}, F{func(l *L) { l.DelayMicros = 10_000_001 }}},
		{"LinkMeasured.Mbps", F{func(l *L) { l.Mbps = 1 }, func(l *L) { l.Mbps = math.MaxUint32 }}, F{func(l *L) { l.Mbps = 0 }}},
	}, func() L { return L{A: "a", B: "c", DelayMicros: 5, Mbps: 5} }, func(l L) error {
		_, err := leftovers().Apply(noon, l)
		return err
	})
}

func TestPolicyJSON(t *testing.T) {
	b, err := json.MarshalIndent(sched.IONet(), "", "  ")
	require.NoError(t, err)
	golden.Check(t, "testdata/ionet.golden", string(b)+"\n")
	var p sched.Policy
	require.NoError(t, json.Unmarshal(b, &p))
	require.Equal(t, sched.IONet(), p)
	require.ErrorIs(t, json.Unmarshal([]byte(`{"order":["best"]}`), &p), sched.ErrInvalid)
	require.ErrorIs(t, json.Unmarshal([]byte(`{"relax":["Luck"]}`), &p), sched.ErrInvalid)
}

func TestNamesOfUnknownNumbers(t *testing.T) {
	require.Equal(t, "0 4 0 18 9 4", fmt.Sprint(sched.Criterion(0), sched.Criterion(4), sched.Reason(0), sched.Reason(18), sched.Field(9), sched.Cause(4)))
}

// TestNothingIsShared changes everything that a caller passed in or got out, and expects the fleet to stay what it was.
func TestNothingIsShared(t *testing.T) {
	policy := sched.IONet()
	f, err := sched.NewFleet(policy)
	require.NoError(t, err)
	n := machine("n1", "a", 4)
	must(f.Apply(noon, sched.NodeUp{Node: n}))
	r := eight()
	r.Replicas = 2
	leased := must(f.Apply(noon, sched.Submitted{Request: r}))[0].(sched.Leased)
	before := f.Digest()

	policy.Order[0], n.Devices[0] = sched.Tightest, "stolen"
	leased.Lease.Members[0].Devices[0], leased.Placement.Members[0].Devices[0] = "stolen", "stolen"
	for s := range f.Nodes() {
		s.Node.Devices[0], s.Free[0] = "stolen", "stolen"
	}
	for l := range f.Leases() {
		l.Members[0].Devices[0] = "stolen"
	}
	f.Snapshot()[20]++
	require.Equal(t, before, f.Digest())
	require.NoError(t, f.Audit())
}

func TestApplyPanicsOnNil(t *testing.T) {
	require.PanicsWithValue(t, "sched: Fleet.Apply: event <nil>", func() { _, _ = leftovers().Apply(noon, nil) })
}

func TestPriceIsFixedAtSubmission(t *testing.T) {
	f := leftovers()
	r := eight()
	r.Replicas = 1
	id := must(f.Apply(noon, sched.Submitted{Request: r}))[0].(sched.Leased).Lease.ID
	must(f.Apply(noon, sched.NodeChanged{Node: "n2", Terms: sched.NodeTerms{HourMicro: 1}}))
	l, _ := f.Lease(id)
	require.Equal(t, uint64(400_000), l.HourMicro)
	ended := must(f.Apply(noon.Add(time.Hour), sched.Finished{Lease: id}))[0].(sched.Ended)
	require.Equal(t, uint64(400_000), ended.Usage[0].HourMicro)
}

// TestEndsToTheInstant ends a lease of an hour around its booked end and around a whole second.
func TestEndsToTheInstant(t *testing.T) {
	for _, c := range []struct {
		after   time.Duration
		cause   sched.Cause
		seconds uint64
	}{
		{0, sched.CauseFinished, 0},
		{time.Second - 1, sched.CauseFinished, 0},
		{time.Second, sched.CauseFinished, 1},
		{time.Second + 1, sched.CauseFinished, 1},
		{time.Hour - 1, sched.CauseFinished, 3599},
		{time.Hour, sched.CauseExpired, 3600},
		{time.Hour + 1, sched.CauseExpired, 3600},
	} {
		f := leftovers()
		r := eight()
		r.Replicas, r.Duration = 1, time.Hour
		must(f.Apply(noon, sched.Submitted{Request: r}))
		ended := must(f.Apply(noon.Add(c.after), sched.Finished{Lease: "lease-1"}))[0].(sched.Ended)
		require.Equal(t, c.cause, ended.Cause, c.after)
		require.Equal(t, c.seconds, ended.Usage[0].Seconds, c.after)

		f = leftovers()
		must(f.Apply(noon, sched.Submitted{Request: r}))
		require.Len(t, must(f.Apply(noon.Add(c.after), sched.Ticked{})), map[bool]int{true: 1}[c.cause == sched.CauseExpired], c.after)
	}
}

// TestLargestPriceDoesNotOverflow fills the largest request with the dearest devices that a node can have.
func TestLargestPriceDoesNotOverflow(t *testing.T) {
	f, err := sched.NewFleet(sched.IONet())
	require.NoError(t, err)
	for i := range 4096 {
		n := machine(sched.NodeID(fmt.Sprintf("n%04d", i)), "a", 16)
		n.HourMicro = 1e12
		must(f.Apply(noon, sched.NodeUp{Node: n}))
	}
	p, err := f.Try(sched.Request{Job: "all", Owner: "ann", Replicas: 65535, GPUsPerReplica: 1, Duration: time.Hour})
	require.NoError(t, err)
	require.Equal(t, uint64(65535e12), p.HourMicro)
	_, err = f.Try(sched.Request{Job: "more", Owner: "ann", Replicas: 4097, GPUsPerReplica: 16, Duration: time.Hour})
	require.ErrorContains(t, err, "4096 replicas; largest gang 4096 of 4097")
}

// TestCutShort gives the search far too few steps for 60 sites of which few are linked: it must say so, and must not break a limit.
func TestCutShort(t *testing.T) {
	p := sched.IONet()
	p.SearchSteps = 1000
	f, err := sched.NewFleet(p)
	require.NoError(t, err)
	for i := range 60 {
		must(f.Apply(noon, sched.NodeUp{Node: machine(sched.NodeID(fmt.Sprintf("n%02d", i)), sched.SiteID(fmt.Sprintf("s%02d", i)), 4)}))
		for j := range i {
			if i%3 != j%3 { // three parts: no four sites are all linked
				must(f.Apply(noon, sched.LinkMeasured{
					A: sched.SiteID(fmt.Sprintf("s%02d", i)), B: sched.SiteID(fmt.Sprintf("s%02d", j)), DelayMicros: uint32(1000 + 10*i + j), Mbps: 100,
				}))
			}
		}
	}
	r := eight()
	r.MaxSites, r.MaxDelayMicros = 3, 100_000
	for _, replicas := range []uint16{8, 12} {
		r.Replicas = replicas
		placed, err := f.Try(r)
		require.NoError(t, err)
		require.False(t, placed.Exhaustive)
		require.Equal(t, int(replicas/4), placed.Sites)
	}
	r.MaxSites, r.Replicas = 4, 16
	_, err = f.Try(r)
	var no *sched.UnplaceableError
	require.ErrorAs(t, err, &no)
	require.False(t, no.Exhaustive)
	require.ErrorContains(t, err, "; the search was cut short")
	for _, x := range no.Relax {
		require.False(t, x.Minimal && x.Changes[0].Field == sched.FieldReplicas)
	}
}
