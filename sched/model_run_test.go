package sched_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/sched"
)

// trial plays random events on a fleet, a model and now and then a twin that was restored.
type trial struct {
	t      *testing.T
	r      *rand.Rand
	f      *sched.Fleet
	m      *model
	policy sched.Policy
	at     time.Time
	twin   *sched.Fleet
	left   int // events for which the twin is to go on
	views  []kept
	counts map[string]int
}

// kept is a view and what it said when it was made.
type kept struct {
	v     *sched.View
	r     sched.Request
	said  string
	until int
}

func newTrial(t *testing.T, seed uint64) *trial {
	r := rand.New(rand.NewPCG(11, seed))
	p := sched.IONet()
	p.MinDurationSeconds, p.RememberSeconds, p.ReclaimNoticeSeconds = 60, 3600, uint32(r.IntN(3)*1800)
	p.Backfill = sched.Backfill(1 + r.IntN(3))
	p.MaxQueue = uint32(r.IntN(12))
	if r.IntN(2) == 0 {
		p.Order = [][]sched.Criterion{
			nil, {sched.Fragmentation, sched.Cheapest}, {sched.Loosest}, {sched.Surest, sched.Power}, {sched.Locality, sched.Arbitrary}, {sched.Mixed},
		}[r.IntN(6)]
		p.Mix = []sched.Weight{{Criterion: sched.Standing, Weight: 3}, {Criterion: sched.Tightest, Weight: 2}}
	}
	if r.IntN(2) == 0 {
		p.Candidates, p.Rotate = uint16(1+r.IntN(4)), true
	}
	f, err := sched.NewFleet(p)
	require.NoError(t, err)
	x := &trial{t: t, r: r, f: f, m: newModel(t, p), policy: p, at: noon, counts: map[string]int{}}
	x.play(sched.Ticked{})
	for i := range 6 {
		x.play(sched.NodeUp{Node: x.node(i)})
	}
	return x
}

// some returns true in one of n cases.
func (x *trial) some(n int) bool { return x.r.IntN(n) == 0 }

func (x *trial) node(i int) sched.Node {
	r := x.r
	n := machine(sched.NodeID(fmt.Sprintf("n%d", i)), sched.SiteID(fmt.Sprintf("s%d", i%4)), 1+r.IntN(4))
	n.Supplier = sched.SupplierID(fmt.Sprintf("o%d", i%3))
	n.Model = []string{"A", "B"}[r.IntN(2)]
	n.CPUMilli, n.RAMMiB, n.DiskMiB = uint64(2+r.IntN(7))*1000, uint64(4+r.IntN(8))*1024, uint64(r.IntN(5))*100
	n.HourMicro = uint64(1+r.IntN(4)) * 100_000
	n.Country, n.Region = []string{"DE", "FR"}[r.IntN(2)], []string{"", "eu"}[r.IntN(2)]
	n.Tier, n.Assurance, n.Connectivity = uint8(r.IntN(5)), uint8(r.IntN(5)), uint8(1+r.IntN(4))
	n.StandingPPM, n.LossPPM = uint32(6+r.IntN(5))*100_000, uint32(r.IntN(3))*10_000
	n.Compliance = sched.Compliance(r.IntN(4))
	n.Shares, n.MIG = r.IntN(2) == 0, r.IntN(3) == 0
	if r.IntN(3) == 0 {
		for range n.Devices {
			n.Islands = append(n.Islands, uint8(r.IntN(2)))
		}
	}
	if x.some(12) {
		n.Devices[0] = "wanders"
	}
	return n
}

func (x *trial) request() sched.Request {
	r := x.r
	q := sched.Request{
		Job: sched.JobID(fmt.Sprintf("j%d", r.IntN(60))), Owner: "ann", Replicas: 1, GPUsPerReplica: uint16(1 + r.IntN(2)),
		CPUMilli: uint64(r.IntN(4)) * 1000, RAMMiB: uint64(r.IntN(3)) * 1024, DiskMiB: uint64(r.IntN(2)) * 100,
		Duration: time.Duration(10+r.IntN(170)) * time.Minute, Queue: x.some(3), Priority: uint8(r.IntN(3)), Reform: x.some(2),
		Class: sched.Class(r.IntN(3)),
	}
	if x.some(2) {
		x.gang(&q)
	}
	switch r.IntN(8) {
	case 0, 1:
		q.GPUsPerReplica, q.ShareMilli = 1, uint16(200+r.IntN(600))
	case 2:
		q.GPUsPerReplica, q.MIG = 1, sched.MIGProfile(1+r.IntN(6))
	case 3:
		q.GPUsPerReplica, q.CPUMilli = 0, 1500
	}
	if q.GPUsPerReplica > 0 && x.some(6) {
		a := sched.Alternative{GPUsPerReplica: q.GPUsPerReplica, Models: []string{"B"}}
		if q.ShareMilli == 0 && q.MIG == 0 {
			a.GPUsPerReplica = uint16(1 + r.IntN(4))
		}
		q.Models, q.Alternatives = []string{"A"}, []sched.Alternative{a}
	}
	if x.some(3) {
		x.narrow(&q)
	}
	if x.some(4) {
		q.NotBefore = x.at.Add(time.Duration(r.IntN(200)) * time.Minute)
	}
	if x.some(4) {
		q.NotAfter = later(x.at, q.NotBefore).Add(time.Duration(r.IntN(300)) * time.Minute)
	}
	return q
}

func (x *trial) gang(q *sched.Request) {
	r := x.r
	q.Replicas, q.MaxSites = uint16(2+r.IntN(4)), uint8(r.IntN(4))
	if x.some(4) {
		q.MinSites = uint8(min(int(q.Replicas), max(int(q.MaxSites), 1)))
	}
	if x.some(4) {
		q.PerSite = uint16(1 + r.IntN(3))
	}
	if x.some(3) {
		q.MaxDelayMicros, q.MinMbps = uint32(1+r.IntN(4))*1000, uint32(r.IntN(2))*100
		q.AllowUnmeasured = x.some(2)
	}
	q.OneSupplier, q.ApartNodes = x.some(6), x.some(4)
	if x.some(4) {
		q.Spares = uint16(1 + r.IntN(2))
	} else if x.some(8) {
		q.MinSurvivalPPM = 900_000
	}
	if x.some(3) {
		q.MayRelax = []sched.Field{sched.FieldPrice, sched.FieldDelay, sched.FieldSites}
	}
}

func (x *trial) narrow(q *sched.Request) {
	r := x.r
	for range 1 + r.IntN(2) {
		switch r.IntN(12) {
		case 0:
			q.MinTier = uint8(1 + r.IntN(3))
		case 1:
			q.MinStandingPPM = uint32(7+r.IntN(3)) * 100_000
		case 2:
			q.MaxHourMicro = uint64(1+r.IntN(4)) * 100_000
		case 3:
			q.Countries = []string{"DE"}
		case 4:
			q.NotCountries = []string{"FR"}
		case 5:
			q.Regions = []string{"eu"}
		case 6:
			q.Suppliers = []sched.SupplierID{"o0", "o7"}
		case 7:
			q.NotSuppliers = []sched.SupplierID{"o1"}
		case 8:
			q.ApartFrom = []sched.JobID{"j1", "j2", "j3", "j4", "j5"}
		case 9:
			q.Compliance = sched.SOC2
		case 10:
			q.MinConnectivity, q.MinAssurance = 2, 1
		case 11:
			q.MinMemoryMiB = uint64(r.IntN(3)) * 7680
		}
	}
}

// lease names one of those that pass, or now and then any or none.
func (x *trial) lease(pass func(l *modelLease) bool) sched.LeaseID {
	var ids []sched.LeaseID
	whatever := x.some(8)
	for id, l := range x.m.leases {
		if whatever || pass(l) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 || x.some(20) {
		return sched.LeaseID(fmt.Sprintf("lease-%d", x.r.IntN(50)))
	}
	slices.Sort(ids)
	return ids[x.r.IntN(len(ids))]
}

func held(l *modelLease) bool { return l.State == sched.StateHeld }

func waits(l *modelLease) bool { return l.State == sched.StateWaiting }

func granted(l *modelLease) bool {
	return l.State == sched.StateBooked || l.State == sched.StateRunning
}

func unfunded(l *modelLease) bool { return l.Notice == sched.CauseUnfunded }

func (x *trial) event() sched.Event {
	r := x.r
	i := r.IntN(7)
	node := sched.NodeID(fmt.Sprintf("n%d", i))
	switch v := r.IntN(100); {
	case v < 28:
		return sched.Submitted{Request: x.request()}
	case v < 38:
		return sched.Hold{Request: x.request(), TTL: time.Duration(r.IntN(4)) * 300 * time.Second}
	case v < 45:
		return sched.Commit{Lease: x.lease(held)}
	case v < 47:
		return sched.Release{Lease: x.lease(func(l *modelLease) bool { return held(l) || waits(l) })}
	case v < 54:
		return sched.Finished{Lease: x.lease(granted)}
	case v < 58:
		return sched.Extend{Lease: x.lease(granted), By: time.Duration(1+r.IntN(120)) * time.Minute}
	case v < 61:
		return sched.FundsEnded{Lease: x.lease(granted), Until: x.at.Add(time.Duration(r.IntN(100)-2) * time.Minute)}
	case v < 63:
		return sched.FundsAdded{Lease: x.lease(unfunded)}
	case v < 69:
		if n := x.m.nodes[node]; n != nil && n.up && !x.some(8) {
			return sched.Ticked{}
		}
		return sched.NodeUp{Node: x.node(i)}
	case v < 72:
		return sched.NodeDown{Node: node}
	case v < 74:
		return sched.NodeChanged{Node: node, Terms: x.node(i).Terms()}
	case v < 76:
		return sched.Drain{Node: node, On: x.some(4)}
	case v < 78:
		return sched.Reclaim{Node: node}
	case v < 79:
		return sched.SiteRated{Site: sched.SiteID(fmt.Sprintf("s%d", r.IntN(4))), LossPPM: uint32(r.IntN(100_000))}
	case v < 83:
		a, b := r.IntN(4), r.IntN(4)
		return sched.LinkMeasured{A: sched.SiteID(fmt.Sprintf("s%d", a)), B: sched.SiteID(fmt.Sprintf("s%d", b)), DelayMicros: uint32(1+r.IntN(4)) * 1000, Mbps: uint32(1+r.IntN(3)) * 60}
	case v < 84:
		if x.some(2) {
			return sched.Observed{Mix: []sched.Spec{{GPUs: uint16(r.IntN(4)), CPUMilli: 1000, Count: 1 + uint32(r.IntN(9))}, {GPUs: 1, ShareMilli: 500, Count: 3}}}
		}
		return sched.Rotated{Seed: r.Uint32()}
	case v < 87:
		return sched.Migrate{Moves: []sched.Move{{Lease: x.lease(granted), Rank: r.IntN(2), To: node}, {Lease: x.lease(granted), To: node}}[:1+r.IntN(2)]}
	}
	return sched.Ticked{}
}

// play applies one event everywhere.
func (x *trial) play(e sched.Event) {
	before := x.f.Digest()
	judge := x.judge(e)
	effects, err := x.f.Apply(x.at, e)
	require.NoError(x.t, x.f.Audit(), "after %+v: %+v", e, effects)
	if x.twin != nil {
		also, err2 := x.twin.Apply(x.at, e)
		require.Equal(x.t, effects, also, "%+v", e)
		require.Equal(x.t, err, err2)
	}
	if err != nil {
		require.Empty(x.t, effects)
		require.Equal(x.t, before, x.f.Digest(), "%+v was refused (%v) and changed the fleet", e, err)
		x.counts[fmt.Sprintf("%T refused", e)]++
	} else {
		for _, y := range effects {
			x.counts[fmt.Sprintf("%T", y)]++
		}
		x.m.follow(x.f, x.at, e, effects)
	}
	judge(effects, err)
}

// judge looks before an event at what a request may get, and returns the comparison with what it got.
func (x *trial) judge(e sched.Event) func([]sched.Effect, error) {
	var r sched.Request
	switch e := e.(type) {
	case sched.Submitted:
		r = e.Request
	case sched.Hold:
		r = e.Request
	default:
		return func([]sched.Effect, error) {}
	}
	m, busy := x.m, false
	m.now = x.at
	for _, l := range m.leases {
		busy = busy || l.Job == r.Job
	}
	ended, was := m.ended[r.Job]
	busy = busy || was && x.at.Before(ended.Add(time.Duration(m.policy.RememberSeconds)*time.Second))
	from := later(x.at, r.NotBefore)
	possible := m.possible(&r, from)
	when, next := from, m.earliest(&r, from, from.Add(time.Duration(m.policy.MaxAheadSeconds)*time.Second))
	if !possible {
		when = m.earliest(&r, from, r.NotAfter)
	}
	return func(effects []sched.Effect, err error) {
		var why *sched.UnplaceableError
		if q := of[sched.Queued](effects); len(q) == 1 {
			why = q[0].Why
		}
		switch {
		case errors.Is(err, sched.ErrDuplicateJob):
			require.True(x.t, busy)
		case err != nil && !errors.As(err, &why) && !errors.Is(err, sched.ErrQueueFull):
			require.ErrorIs(x.t, err, sched.ErrInvalid)
		case why != nil:
			require.False(x.t, busy)
			x.refused(&r, why, !when.IsZero(), next)
		case len(of[sched.Leased](effects)) == 1 && r.Replicas == 1 && r.Class != sched.Reserved:
			require.Equal(x.t, when, of[sched.Leased](effects)[0].Lease.From, "%+v", r)
		}
	}
}

// refused compares a refusal with what is possible.
func (x *trial) refused(r *sched.Request, why *sched.UnplaceableError, possible bool, next time.Time) {
	sum := 0
	for _, y := range why.Refusals {
		sum += y.Nodes
	}
	require.Equal(x.t, len(x.m.nodes), sum)
	require.Equal(x.t, why.Considered, sum)
	if r.Spares > 0 || r.MinSurvivalPPM > 0 {
		return
	}
	if r.Replicas == 1 {
		require.True(x.t, why.Exhaustive, "%+v", r)
		require.Equal(x.t, next, why.Earliest, "%+v", r)
	}
	if why.Exhaustive {
		require.False(x.t, possible, "%+v is possible and was refused: %v", *r, why)
	}
	x.counts["refusals compared"]++
}

// look makes views and twins now and then, and asks old views whether they still say the same.
func (x *trial) look(i int) {
	x.views = slices.DeleteFunc(x.views, func(k kept) bool {
		if i < k.until {
			return false
		}
		require.Equal(x.t, k.said, says(k.v, k.r), "a view changed")
		return true
	})
	if x.some(40) {
		v, r := x.f.View(), x.request()
		x.views = append(x.views, kept{v, r, says(v, r), i + x.r.IntN(100)})
		placed, err := x.f.Try(r)
		again, err2 := v.Try(r)
		require.Equal(x.t, placed, again)
		require.Equal(x.t, err, err2)
	}
	if x.left--; x.left == 0 {
		require.Equal(x.t, x.f.Digest(), x.twin.Digest())
		x.twin = nil
	}
	if x.twin == nil && x.some(60) {
		var err error
		x.twin, err = sched.Restore(x.policy, x.f.Snapshot())
		require.NoError(x.t, err)
		x.left = 50
	}
}

// says is all that a view answers.
func says(v *sched.View, r sched.Request) string {
	out := fmt.Sprintf("%v %+v %+v\n", v.At(), v.Stats(), v.Queue())
	for n := range v.Nodes() {
		out += fmt.Sprintf("%+v %+v\n", n, v.Calendar(n.Node.ID))
	}
	for l := range v.Leases() {
		out += fmt.Sprintf("%+v\n", l)
	}
	p, err := v.Try(r)
	out += fmt.Sprintf("%+v %v\n", p, err)
	verdict, err := v.Why(r, "n1/0")
	return out + fmt.Sprintf("%+v %v", verdict, err)
}

// TestModel compares the fleet with the model over random events.
func TestModel(t *testing.T) {
	seeds, events := uint64(20), 5_000
	if testing.Short() || underRace {
		seeds, events = 4, 1_000
	}
	counts := map[string]int{}
	for seed := range seeds {
		x := newTrial(t, seed)
		for i := range events {
			x.at = x.at.Add(time.Duration(x.r.IntN(300)) * time.Second)
			if x.some(8) {
				x.at = x.at.Add(time.Duration(x.r.IntN(2400))*time.Second + time.Duration(x.r.IntN(1000)))
			}
			x.play(x.event())
			x.look(i)
		}
		for k, n := range x.counts {
			counts[k] += n
		}
	}
	t.Logf("%v", counts)
	for _, k := range []string{"Held", "HoldEnded", "Leased", "Started", "Queued", "Extended", "Notified", "NoticeLifted", "Replaced", "Requeued", "Moved", "Ended"} {
		require.Positive(t, counts["sched."+k], k)
	}
}
