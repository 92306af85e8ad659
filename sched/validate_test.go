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

const top = 1<<32 - 1 // of all that a node has or costs

// long is a name of so many bytes.
func long(n int) string { return strings.Repeat("x", n) }

func alternative(a sched.Alternative) func(*sched.Request) {
	return func(r *sched.Request) { r.Alternatives = []sched.Alternative{a} }
}

func cards(n int) []gpu.DeviceID { return machine("n", "s", n).Devices }

func TestNodeLimits(t *testing.T) {
	type N = sched.Node
	type F = []func(*N)
	check(t, []limits[N]{
		{"Node.ID", F{func(n *N) { n.ID = sched.NodeID(long(128)) }}, F{func(n *N) { n.ID = "" }, func(n *N) { n.ID = sched.NodeID(long(129)) }}},
		{"Node.Site", F{func(n *N) { n.Site = sched.SiteID(long(128)) }}, F{func(n *N) { n.Site = "" }, func(n *N) { n.Site = sched.SiteID(long(129)) }}},
		{"Node.Supplier", F{func(n *N) { n.Supplier = "x" }}, F{func(n *N) { n.Supplier = "" }, func(n *N) { n.Supplier = sched.SupplierID(long(129)) }}},
		{"Node.Model", F{func(n *N) { n.Model = long(128) }}, F{func(n *N) { n.Model = "" }, func(n *N) { n.Model = long(129) }}},
		{"Node.MemoryMiB", F{func(n *N) { n.MemoryMiB = 1 }, func(n *N) { n.MemoryMiB = top }}, F{func(n *N) { n.MemoryMiB = 0 }, func(n *N) { n.MemoryMiB = top + 1 }}},
		{
			"Node.Devices",
			F{func(n *N) { n.Devices = cards(1) }, func(n *N) { n.Devices = cards(16) }},
			F{func(n *N) { n.Devices = nil }, func(n *N) { n.Devices = cards(17) }, func(n *N) { n.Devices[1] = n.Devices[0] }, func(n *N) { n.Devices[1] = "" }},
		},
		{
			"Node.Islands",
			F{func(n *N) { n.Islands = []uint8{} }, func(n *N) { n.Islands = []uint8{0, 15} }},
			F{func(n *N) { n.Islands = []uint8{0} }, func(n *N) { n.Islands = []uint8{0, 1, 2} }, func(n *N) { n.Islands = []uint8{0, 16} }},
		},
		{"Node.CPUMilli", F{func(n *N) { n.CPUMilli = 1 }, func(n *N) { n.CPUMilli = top }}, F{func(n *N) { n.CPUMilli = 0 }, func(n *N) { n.CPUMilli = top + 1 }}},
		{"Node.RAMMiB", F{func(n *N) { n.RAMMiB = 1 }, func(n *N) { n.RAMMiB = top }}, F{func(n *N) { n.RAMMiB = 0 }, func(n *N) { n.RAMMiB = top + 1 }}},
		{"Node.DiskMiB", F{func(n *N) { n.DiskMiB = 0 }, func(n *N) { n.DiskMiB = top }}, F{func(n *N) { n.DiskMiB = top + 1 }, func(n *N) { n.DiskMiB = math.MaxUint64 }}},
		{
			"Node.Country",
			F{func(n *N) { n.Country = "AZ" }},
			F{func(n *N) { n.Country = "de" }, func(n *N) { n.Country = "D" }, func(n *N) { n.Country = "DEU" }, func(n *N) { n.Country = "D[" }, func(n *N) { n.Country = "@D" }},
		},
		{"Node.Region", F{func(n *N) { n.Region = "" }, func(n *N) { n.Region = long(128) }}, F{func(n *N) { n.Region = long(129) }}},
		{"Node.Connectivity", F{func(n *N) { n.Connectivity = 1 }, func(n *N) { n.Connectivity = 4 }}, F{func(n *N) { n.Connectivity = 0 }, func(n *N) { n.Connectivity = 5 }}},
		{"Tier", F{func(n *N) { n.Tier = 0 }, func(n *N) { n.Tier = 4 }}, F{func(n *N) { n.Tier = 5 }}},
		{"Assurance", F{func(n *N) { n.Assurance = 0 }, func(n *N) { n.Assurance = 4 }}, F{func(n *N) { n.Assurance = 5 }}},
		{"Compliance", F{func(n *N) { n.Compliance = 0 }, func(n *N) { n.Compliance = 255 }}, nil},
		{"StandingPPM", F{func(n *N) { n.StandingPPM = 0 }, func(n *N) { n.StandingPPM = 1_000_000 }}, F{func(n *N) { n.StandingPPM = 1_000_001 }}},
		{"LossPPM", F{func(n *N) { n.LossPPM = 0 }, func(n *N) { n.LossPPM = 1_000_000 }}, F{func(n *N) { n.LossPPM = 1_000_001 }}},
		{"HourMicro", F{func(n *N) { n.HourMicro = 0 }, func(n *N) { n.HourMicro = top }}, F{func(n *N) { n.HourMicro = top + 1 }}},
		{"Node.HostWatts", F{func(n *N) { n.HostWatts = 0 }, func(n *N) { n.HostWatts = 65_535 }}, F{func(n *N) { n.HostWatts = 65_536 }}},
		{"Node.DeviceWatts", F{func(n *N) { n.DeviceWatts = 0 }, func(n *N) { n.DeviceWatts = 65_535 }}, F{func(n *N) { n.DeviceWatts = 65_536 }}},
	}, func() N { return machine("n", "s", 2) }, N.Validate)
}

func TestRequestLimits(t *testing.T) {
	type R = sched.Request
	type F = []func(*R)
	noDevice := func(r *R) { r.GPUsPerReplica = 0 } // only CPU, of which eight() asks for some
	check(t, []limits[R]{
		{"Request.Job", F{func(r *R) { r.Job = sched.JobID(long(128)) }}, F{func(r *R) { r.Job = "" }, func(r *R) { r.Job = sched.JobID(long(129)) }}},
		{"Request.Owner", F{func(r *R) { r.Owner = long(128) }}, F{func(r *R) { r.Owner = "" }, func(r *R) { r.Owner = long(129) }}},
		{"Request.Replicas", F{func(r *R) { r.Replicas = 1 }, func(r *R) { r.Replicas = 65535 }}, F{func(r *R) { r.Replicas = 0 }}},
		{
			"Request.GPUsPerReplica",
			F{noDevice, func(r *R) { r.GPUsPerReplica = 1 }, func(r *R) { r.GPUsPerReplica = 16 }},
			F{func(r *R) { r.GPUsPerReplica = 17 }, func(r *R) { r.GPUsPerReplica, r.CPUMilli = 0, 0 }, func(r *R) { r.GPUsPerReplica, r.ShareMilli = 2, 500 }, func(r *R) { r.GPUsPerReplica, r.MIG = 0, sched.MIG1g }},
		},
		{
			"Request.ShareMilli",
			F{func(r *R) { r.ShareMilli = 1 }, func(r *R) { r.ShareMilli = 999 }},
			F{func(r *R) { r.ShareMilli = 1000 }, func(r *R) { r.ShareMilli, r.MIG = 1, sched.MIG1g }},
		},
		{"Request.MIG", F{func(r *R) { r.MIG = sched.MIG1g }, func(r *R) { r.MIG = sched.MIG7g }}, F{func(r *R) { r.MIG = sched.MIG7g + 1 }}},
		{"Request.Models", F{func(r *R) { r.Models = slices.Repeat([]string{"m"}, 64) }}, F{func(r *R) { r.Models = slices.Repeat([]string{"m"}, 65) }, func(r *R) { r.Models = []string{""} }}},
		{"Request.MinMemoryMiB", F{func(r *R) { r.MinMemoryMiB = top }}, F{func(r *R) { r.MinMemoryMiB = top + 1 }}},
		{
			"Request.Alternatives",
			F{func(r *R) { r.Alternatives = slices.Repeat([]sched.Alternative{{GPUsPerReplica: 2}}, 16) }},
			F{func(r *R) { r.Alternatives = slices.Repeat([]sched.Alternative{{GPUsPerReplica: 2}}, 17) }, func(r *R) { noDevice(r); r.Alternatives = []sched.Alternative{{GPUsPerReplica: 1}} }},
		},
		{
			"Alternative.GPUsPerReplica",
			F{alternative(sched.Alternative{GPUsPerReplica: 1}), alternative(sched.Alternative{GPUsPerReplica: 16})},
			F{alternative(sched.Alternative{}), alternative(sched.Alternative{GPUsPerReplica: 17}), func(r *R) { r.ShareMilli = 5; alternative(sched.Alternative{GPUsPerReplica: 2})(r) }},
		},
		{"Alternative.Models", F{alternative(sched.Alternative{GPUsPerReplica: 1, Models: slices.Repeat([]string{"m"}, 64)})}, F{alternative(sched.Alternative{GPUsPerReplica: 1, Models: slices.Repeat([]string{"m"}, 65)})}},
		{"Alternative.MinMemoryMiB", F{alternative(sched.Alternative{GPUsPerReplica: 1, MinMemoryMiB: top})}, F{alternative(sched.Alternative{GPUsPerReplica: 1, MinMemoryMiB: top + 1})}},
		{"Alternative.MaxHourMicro", F{alternative(sched.Alternative{GPUsPerReplica: 1, MaxHourMicro: top})}, F{alternative(sched.Alternative{GPUsPerReplica: 1, MaxHourMicro: top + 1})}},
		{"Request.CPUMilli", F{func(r *R) { r.CPUMilli = top }}, F{func(r *R) { r.CPUMilli = top + 1 }}},
		{"Request.RAMMiB", F{func(r *R) { r.RAMMiB = top }}, F{func(r *R) { r.RAMMiB = top + 1 }}},
		{"Request.DiskMiB", F{func(r *R) { r.DiskMiB = top }}, F{func(r *R) { r.DiskMiB = top + 1 }}},
		{"Request.Countries", F{func(r *R) { r.Countries = slices.Repeat([]string{"DE"}, 255) }}, F{func(r *R) { r.Countries = slices.Repeat([]string{"DE"}, 256) }, func(r *R) { r.Countries = []string{"De"} }}},
		{"Countries", F{func(r *R) { r.NotCountries = slices.Repeat([]string{"DE"}, 255) }}, F{func(r *R) { r.NotCountries = slices.Repeat([]string{"DE"}, 256) }, func(r *R) { r.NotCountries = []string{"De"} }}},
		{"Request.Regions", F{func(r *R) { r.Regions = slices.Repeat([]string{"eu"}, 255) }}, F{func(r *R) { r.Regions = slices.Repeat([]string{"eu"}, 256) }, func(r *R) { r.Regions = []string{""} }}},
		{"Request.MinConnectivity", F{func(r *R) { r.MinConnectivity = 4 }}, F{func(r *R) { r.MinConnectivity = 5 }}},
		{"Request.MinTier", F{func(r *R) { r.MinTier = 4 }}, F{func(r *R) { r.MinTier = 5 }}},
		{"Request.MinAssurance", F{func(r *R) { r.MinAssurance = 4 }}, F{func(r *R) { r.MinAssurance = 5 }}},
		{"Request.MinStandingPPM", F{func(r *R) { r.MinStandingPPM = 1_000_000 }}, F{func(r *R) { r.MinStandingPPM = 1_000_001 }}},
		{"Request.MaxHourMicro", F{func(r *R) { r.MaxHourMicro = top }}, F{func(r *R) { r.MaxHourMicro = top + 1 }}},
		{"Request.Suppliers", F{func(r *R) { r.Suppliers = slices.Repeat([]sched.SupplierID{"s"}, 255) }}, F{func(r *R) { r.Suppliers = slices.Repeat([]sched.SupplierID{"s"}, 256) }, func(r *R) { r.Suppliers = []sched.SupplierID{""} }}},
		{"Suppliers", F{func(r *R) { r.NotSuppliers = slices.Repeat([]sched.SupplierID{"s"}, 255) }}, F{func(r *R) { r.NotSuppliers = slices.Repeat([]sched.SupplierID{"s"}, 256) }, func(r *R) { r.NotSuppliers = []sched.SupplierID{""} }}},
		{"Request.ApartFrom", F{func(r *R) { r.ApartFrom = slices.Repeat([]sched.JobID{"s"}, 255) }}, F{func(r *R) { r.ApartFrom = slices.Repeat([]sched.JobID{"s"}, 256) }, func(r *R) { r.ApartFrom = []sched.JobID{""} }}},
		{
			"Request.MinSites",
			F{func(r *R) { r.MaxSites, r.MinSites = 8, 8 }, func(r *R) { r.MaxSites, r.MinSites = 0, 1 }},
			F{func(r *R) { r.MaxSites, r.MinSites = 7, 8 }, func(r *R) { r.MaxSites, r.MinSites = 9, 9 }, func(r *R) { r.MaxSites, r.MinSites = 0, 2 }},
		},
		{"Request.MaxDelayMicros", F{func(r *R) { r.MaxDelayMicros = 10_000_000 }}, F{func(r *R) { r.MaxDelayMicros = 10_000_001 }}},
		{"Request.Near", F{func(r *R) { r.Near = sched.SiteID(long(128)) }}, F{func(r *R) { r.Near = sched.SiteID(long(129)) }}},
		{"Request.Duration", F{func(r *R) { r.Duration = time.Second }}, F{func(r *R) { r.Duration = 0 }, func(r *R) { r.Duration = -time.Hour }, func(r *R) { r.Duration++ }, func(r *R) { r.Duration-- }}},
		{"Request.Class", F{func(r *R) { r.Class = sched.Spot }}, F{func(r *R) { r.Class = sched.Spot + 1 }}},
		{
			"Request.NotAfter",
			F{func(r *R) { r.NotBefore, r.NotAfter = noon, noon }, func(r *R) { r.NotAfter = noon }, func(r *R) { r.NotBefore = noon }},
			F{func(r *R) { r.NotBefore, r.NotAfter = noon, noon.Add(-1) }},
		},
		{"Request.Spares", F{func(r *R) { r.Spares = 256 }}, F{func(r *R) { r.Spares = 257 }}},
		{"Request.MinSurvivalPPM", F{func(r *R) { r.MinSurvivalPPM = 999_999 }}, F{func(r *R) { r.MinSurvivalPPM = 1_000_000 }}},
		{
			"Request.MayRelax",
			F{func(r *R) { r.MayRelax = []sched.Field{sched.FieldSites, sched.FieldPrice} }},
			F{func(r *R) { r.MayRelax = []sched.Field{0} }, func(r *R) { r.MayRelax = []sched.Field{sched.FieldReplicas} }, func(r *R) { r.MayRelax = []sched.Field{sched.FieldSites, sched.FieldSites} }},
		},
	}, eight, R.Validate)
}

// TestRequestTimes checks the limits that only a fleet knows, against the time of the event.
func TestRequestTimes(t *testing.T) {
	ahead := time.Duration(sched.IONet().MaxAheadSeconds) * time.Second
	for _, c := range []struct {
		name                string
		notBefore, notAfter time.Time
		duration            time.Duration
		field               string
	}{
		{"now", noon, noon, time.Hour, ""},
		{"in the past", noon.Add(-time.Hour), time.Time{}, time.Hour, ""},
		{"as far as may be", noon.Add(ahead), noon.Add(ahead), time.Hour, ""},
		{"too far", noon.Add(ahead + 1), time.Time{}, time.Hour, "Request.NotBefore"},
		{"too far at the end", noon, noon.Add(ahead + 1), time.Hour, "Request.NotAfter"},
		{"over before it began", time.Time{}, noon.Add(-1), time.Hour, "Request.NotAfter"},
		{"over with a past beginning", noon.Add(-2 * time.Hour), noon.Add(-time.Hour), time.Hour, "Request.NotAfter"},
		{"before 1970", time.Unix(-1, 0), time.Time{}, time.Hour, "time"},
		{"too short", noon, noon, time.Hour - time.Second, "Request.Duration"},
		{"the longest", noon, noon, 366 * 24 * time.Hour, ""},
		{"too long", noon, noon, 366*24*time.Hour + time.Second, "Request.Duration"},
	} {
		r := eight()
		r.Replicas, r.NotBefore, r.NotAfter, r.Duration = 1, c.notBefore, c.notAfter, c.duration
		for _, e := range []sched.Event{sched.Submitted{Request: r}, sched.Hold{Request: r}} {
			_, err := leftovers().Apply(noon, e)
			if c.field == "" {
				require.NoError(t, err, c.name)
				continue
			}
			require.ErrorIs(t, err, sched.ErrInvalid, c.name)
			require.ErrorContains(t, err, c.field, c.name)
		}
	}
}

func TestPolicyLimits(t *testing.T) {
	type P = sched.Policy
	type F = []func(*P)
	bands := func(n int) (out []uint32) {
		for i := range n {
			out = append(out, uint32(i))
		}
		return out
	}
	check(t, []limits[P]{
		{"Policy.Version", F{func(p *P) { p.Version = long(128) }}, F{func(p *P) { p.Version = "" }, func(p *P) { p.Version = long(129) }}},
		{"Policy.Order", F{func(p *P) { p.Order = nil }, func(p *P) { p.Order = []sched.Criterion{sched.Cheapest, sched.Custom} }}, F{func(p *P) { p.Order[0] = 0 }, func(p *P) { p.Order[0] = sched.Custom + 1 }, func(p *P) { p.Order[0] = p.Order[1] }}},
		{
			"Policy.Mix",
			F{func(p *P) { p.Mix = []sched.Weight{{sched.Cheapest, 0}, {sched.Custom, 65535}} }},
			F{func(p *P) { p.Mix = []sched.Weight{{0, 1}} }, func(p *P) { p.Mix = []sched.Weight{{sched.Custom + 1, 1}} }, func(p *P) { p.Mix = []sched.Weight{{sched.Mixed, 1}} }, func(p *P) { p.Mix = []sched.Weight{{sched.Power, 1}, {sched.Power, 1}} }},
		},
		{"Policy.Relax", F{func(p *P) { p.Relax = nil }}, F{func(p *P) { p.Relax[0] = 0 }, func(p *P) { p.Relax[0] = sched.FieldReplicas + 1 }, func(p *P) { p.Relax[0] = p.Relax[1] }}},
		{"Policy.PriceBands", F{func(p *P) { p.PriceBands = nil }, func(p *P) { p.PriceBands = bands(31) }}, F{func(p *P) { p.PriceBands = bands(32) }, func(p *P) { p.PriceBands = []uint32{2, 1} }, func(p *P) { p.PriceBands = []uint32{1, 1} }}},
		{"Policy.StandingBands", F{func(p *P) { p.StandingBands = nil }, func(p *P) { p.StandingBands = bands(31) }}, F{func(p *P) { p.StandingBands = bands(32) }, func(p *P) { p.StandingBands = []uint32{2, 1} }}},
		{"Policy.Candidates", F{func(p *P) { p.Candidates = 4096 }}, F{func(p *P) { p.Candidates = 4097 }}},
		{"Policy.SearchSteps", F{func(p *P) { p.SearchSteps = 1000 }}, F{func(p *P) { p.SearchSteps = 999 }}},
		{"Policy.MinDurationSeconds", F{func(p *P) { p.MinDurationSeconds = 1 }}, F{func(p *P) { p.MinDurationSeconds = 0 }}},
		{"Policy.MaxDurationSeconds", F{func(p *P) { p.MaxDurationSeconds = p.MinDurationSeconds }}, F{func(p *P) { p.MaxDurationSeconds = p.MinDurationSeconds - 1 }}},
		{"Policy.MaxHoldSeconds", F{func(p *P) { p.MaxHoldSeconds, p.HoldSeconds = 1, 1 }}, F{func(p *P) { p.MaxHoldSeconds = 0 }}},
		{"Policy.HoldSeconds", F{func(p *P) { p.HoldSeconds = 1 }, func(p *P) { p.HoldSeconds = p.MaxHoldSeconds }}, F{func(p *P) { p.HoldSeconds = 0 }, func(p *P) { p.HoldSeconds = p.MaxHoldSeconds + 1 }}},
		{"Policy.Backfill", F{func(p *P) { p.Backfill = sched.BackfillNone }}, F{func(p *P) { p.Backfill = 0 }, func(p *P) { p.Backfill = sched.BackfillNone + 1 }}},
		{"Policy.MaxQueue", F{func(p *P) { p.MaxQueue = 0 }, func(p *P) { p.MaxQueue = 10_000_000 }}, F{func(p *P) { p.MaxQueue = 10_000_001 }}},
	}, sched.IONet, P.Validate)
}

func TestPluginLimits(t *testing.T) {
	custom := sched.IONet()
	custom.Order = []sched.Criterion{sched.Custom}
	mixed := sched.IONet()
	mixed.Mix = []sched.Weight{{Criterion: sched.Custom, Weight: 1}}
	for _, c := range []struct {
		policy  sched.Policy
		plugins sched.Plugins
		field   string
	}{
		{sched.IONet(), sched.Plugins{}, ""},
		{sched.IONet(), sched.Plugins{Name: "f/1", Filter: noFilter{}}, ""},
		{sched.IONet(), sched.Plugins{Name: long(128), Filter: noFilter{}}, ""},
		{sched.IONet(), sched.Plugins{Name: long(129), Filter: noFilter{}}, "Plugins.Name"},
		{sched.IONet(), sched.Plugins{Filter: noFilter{}}, "Plugins.Name"},
		{sched.IONet(), sched.Plugins{Name: "none"}, "Plugins.Name"},
		{custom, sched.Plugins{Name: "f/1", Filter: noFilter{}}, "Plugins.Scorer"},
		{mixed, sched.Plugins{}, "Plugins.Scorer"},
	} {
		_, err := sched.NewCustomFleet(c.policy, c.plugins)
		if c.field == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorIs(t, err, sched.ErrInvalid)
		require.ErrorContains(t, err, c.field)
	}
}

// noFilter lets every node pass.
type noFilter struct{}

func (noFilter) Filter(*sched.Request, *sched.NodeView) bool { return true }

func TestSiteLimits(t *testing.T) {
	type S = sched.SiteRated
	type F = []func(*S)
	check(t, []limits[S]{
		{"SiteRated.Site", F{func(s *S) { s.Site = sched.SiteID(long(128)) }}, F{func(s *S) { s.Site = "" }, func(s *S) { s.Site = sched.SiteID(long(129)) }}},
		{"SiteRated.LossPPM", F{func(s *S) { s.LossPPM = 0 }, func(s *S) { s.LossPPM = 1_000_000 }}, F{func(s *S) { s.LossPPM = 1_000_001 }}},
	}, func() S { return S{Site: "a", LossPPM: 5} }, func(s S) error {
		_, err := leftovers().Apply(noon, s)
		return err
	})
}

func TestHoldLimits(t *testing.T) {
	r := eight()
	r.Replicas = 1
	for _, c := range []struct {
		ttl, until time.Duration // until 0: refused
	}{
		{-time.Second, 0},
		{0, time.Minute},
		{1, 0},
		{time.Second, time.Second},
		{time.Second + 1, 0},
		{time.Hour, time.Hour},
		{time.Hour + time.Second, 0},
	} {
		effects, err := leftovers().Apply(noon, sched.Hold{Request: r, TTL: c.ttl})
		if c.until == 0 {
			require.ErrorIs(t, err, sched.ErrInvalid)
			require.ErrorContains(t, err, "Hold.TTL")
			continue
		}
		require.NoError(t, err)
		require.Equal(t, noon.Add(c.until), effects[0].(sched.Held).Until)
	}
}

func TestExtendLimits(t *testing.T) {
	r := eight()
	r.Replicas = 1 // two hours
	day := 24 * time.Hour
	for _, c := range []struct {
		by time.Duration
		ok bool
	}{
		{-time.Hour, false},
		{0, false},
		{1, false},
		{time.Second, true},
		{time.Second + 1, false},
		{366*day - 2*time.Hour, true},
		{366*day - 2*time.Hour + time.Second, false},
		{math.MaxInt64 - math.MaxInt64%time.Second, false},
	} {
		f := leftovers()
		must(f.Apply(noon, sched.Submitted{Request: r}))
		effects, err := f.Apply(noon, sched.Extend{Lease: "lease-1", By: c.by})
		if !c.ok {
			require.ErrorIs(t, err, sched.ErrInvalid, c.by)
			require.ErrorContains(t, err, "Extend.By")
			continue
		}
		require.NoError(t, err)
		require.Equal(t, noon.Add(2*time.Hour+c.by), effects[0].(sched.Extended).Until)
	}
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
	require.ErrorIs(t, json.Unmarshal([]byte(`{"mix":[{"criterion":"best","weight":1}]}`), &p), sched.ErrInvalid)
	require.ErrorIs(t, json.Unmarshal([]byte(`{"backfill":"some"}`), &p), sched.ErrInvalid)
	require.ErrorIs(t, json.Unmarshal([]byte(`{"relax":["Luck"]}`), &p), sched.ErrInvalid)
}

func TestNamesOfUnknownNumbers(t *testing.T) {
	require.Equal(t, "0 12 0 28 10 9 0 5 3 0 4 7", fmt.Sprint(
		sched.Criterion(0), sched.Custom+1, sched.Reason(0), sched.ReasonSurvival+1, sched.FieldReplicas+1, sched.CauseLate+1,
		sched.State(0), sched.StateRunning+1, sched.Spot+1, sched.Backfill(0), sched.BackfillNone+1, sched.MIG7g+1,
	))
}

func TestNamesAreDistinct(t *testing.T) {
	distinct(t, sched.Cheapest, sched.Custom)
	distinct(t, sched.ReasonDown, sched.ReasonSurvival)
	distinct(t, sched.FieldSites, sched.FieldReplicas)
	distinct(t, sched.CauseFinished, sched.CauseLate)
	distinct(t, sched.StateWaiting, sched.StateRunning)
	distinct(t, sched.OnDemand, sched.Spot)
	distinct(t, sched.BackfillFirst, sched.BackfillNone)
	distinct(t, sched.MIG1g, sched.MIG7g)
}

func distinct[T ~uint8](t *testing.T, from, to T) {
	t.Helper()
	seen := map[string]bool{}
	for v := from; v <= to; v++ {
		name := fmt.Sprint(v)
		require.False(t, seen[name] || name == fmt.Sprint(uint8(v)), "%T %d is named %q", v, uint8(v), name)
		seen[name] = true
	}
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
		n.HourMicro = top
		must(f.Apply(noon, sched.NodeUp{Node: n}))
	}
	p, err := f.Try(sched.Request{Job: "all", Owner: "ann", Replicas: 65535, GPUsPerReplica: 1, Duration: time.Hour})
	require.NoError(t, err)
	require.Equal(t, uint64(65535*top), p.HourMicro)
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
