package sched_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/sched"
)

// model is a fleet as maps and lists: it decides nothing, but knows from the events and effects alone what is held by whom and when, and
// by trying everything what would be possible.
type model struct {
	t      testing.TB
	policy sched.Policy
	now    time.Time
	nodes  map[sched.NodeID]*modelNode
	links  map[[2]sched.SiteID]sched.LinkMeasured
	leases map[sched.LeaseID]*modelLease
	ended  map[sched.JobID]time.Time
	over   map[sched.LeaseID]bool
	billed map[gpu.DeviceID][]bill
	total  uint64
	lost   *modelLease // the last lease that ended
}

type modelNode struct {
	sched.Node
	up, draining bool
	reclaim      time.Time
}

// modelLease is a lease in any state, with the request behind it.
type modelLease struct {
	sched.Lease
	request     sched.Request
	limits      sched.Request // the same without the limits that were given up
	alternative int
	active      bool // holds its devices, and not only in the calendar
	ttl         time.Time
	holds       []holding
	past        []bill
	endedAt     time.Time
	paid        time.Time // until when there are funds, where it is preempted before
	tookSpares  bool
	fresh       []sched.Member // placed by the last event
}

// holding is one member from some time on.
type holding struct {
	sched.Member
	since time.Time
}

// bill is a device, or a part of one, for one lease over a stretch.
type bill struct {
	sched.Usage
	slices   uint8
	from, to time.Time
}

func newModel(t testing.TB, p sched.Policy) *model {
	return &model{
		t: t, policy: p, nodes: map[sched.NodeID]*modelNode{}, links: map[[2]sched.SiteID]sched.LinkMeasured{},
		leases: map[sched.LeaseID]*modelLease{}, ended: map[sched.JobID]time.Time{}, over: map[sched.LeaseID]bool{}, billed: map[gpu.DeviceID][]bill{},
	}
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func sooner(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// end is when a lease ends as things stand.
func (l *modelLease) end() time.Time {
	if l.Notice == sched.CausePreempted || l.Notice == sched.CauseUnfunded {
		return sooner(l.Until, l.NoticeAt)
	}
	return l.Until
}

func (l *modelLease) members() []sched.Member { return slices.Concat(l.Members, l.Spares) }

// booked says whether a lease has its members at an instant by the calendar.
func (l *modelLease) booked(at time.Time) bool { return !at.Before(l.From) && at.Before(l.end()) }

// blocks says whether a lease stands in the way of others at an instant. What ought to have ended does so until it is ended.
func (m *model) blocks(l *modelLease, at time.Time) bool {
	return l.active && !at.After(m.now) || l.booked(at)
}

// space is what a node has left.
type space struct {
	milli          map[gpu.DeviceID]uint16 // taken by shares; 1000 where a device is taken whole
	slices         map[gpu.DeviceID]uint8  // taken by instances
	cpu, ram, disk int64
}

// left is what a node has left beside some leases. If strict, it fails the test if anything is given twice.
func (m *model) left(n *modelNode, strict bool, has func(l *modelLease) bool) space {
	s := space{
		milli: map[gpu.DeviceID]uint16{}, slices: map[gpu.DeviceID]uint8{}, cpu: int64(n.CPUMilli), ram: int64(n.RAMMiB), disk: int64(n.DiskMiB),
	}
	for _, l := range m.leases {
		for _, x := range l.members() {
			if x.Node == n.ID && has(l) {
				m.take(&s, &x, &l.request, strict)
			}
		}
	}
	return s
}

// take takes what a member has.
func (m *model) take(s *space, x *sched.Member, r *sched.Request, strict bool) {
	s.cpu, s.ram, s.disk = s.cpu-int64(r.CPUMilli), s.ram-int64(r.RAMMiB), s.disk-int64(r.DiskMiB)
	good := s.cpu >= 0 && s.ram >= 0 && s.disk >= 0
	for _, d := range x.Devices {
		switch {
		case x.MIGSlices != 0:
			good = good && s.milli[d] == 0 && s.slices[d]&x.MIGSlices == 0
			s.slices[d] |= x.MIGSlices
		case x.ShareMilli != 0:
			good = good && s.slices[d] == 0 && s.milli[d]+x.ShareMilli <= 1000
			s.milli[d] = min(1000, s.milli[d]+x.ShareMilli)
		default:
			good = good && s.slices[d] == 0 && s.milli[d] == 0
			s.milli[d] = 1000
		}
	}
	if strict && !good {
		require.Fail(m.t, "given twice", "%+v of %+v beside %+v", *x, *r, *s)
	}
}

// beginnings lists the instants of [from, until) at which what is left of a node may shrink.
func (m *model) beginnings(from, until time.Time) []time.Time {
	out := []time.Time{from}
	for _, l := range m.leases {
		if l.From.After(from) && l.From.Before(until) {
			out = append(out, l.From)
		}
	}
	return out
}

// room counts the replicas that a node holds over a stretch.
func (m *model) room(r *sched.Request, a asked, n *modelNode, from time.Time) int {
	until := from.Add(r.Duration)
	if !m.suits(r, a, n) || !n.reclaim.IsZero() && n.reclaim.Before(until) {
		return 0
	}
	milli, taken := map[gpu.DeviceID]uint16{}, map[gpu.DeviceID]uint8{}
	cpu, ram, disk := int64(n.CPUMilli), int64(n.RAMMiB), int64(n.DiskMiB)
	for _, at := range m.beginnings(from, until) {
		s := m.left(n, false, func(l *modelLease) bool { return m.blocks(l, at) })
		cpu, ram, disk = min(cpu, s.cpu), min(ram, s.ram), min(disk, s.disk)
		for _, d := range n.Devices {
			milli[d] = max(milli[d], s.milli[d])
			taken[d] |= s.slices[d]
		}
	}
	count, free := 0, 0
	for _, d := range n.Devices {
		switch {
		case r.ShareMilli != 0 && taken[d] == 0:
			count += int((1000 - milli[d]) / r.ShareMilli)
		case r.MIG != 0 && milli[d] == 0:
			count += instances(r.MIG, taken[d])
		case milli[d] == 0 && taken[d] == 0:
			free++
		}
	}
	switch {
	case r.ShareMilli != 0 || r.MIG != 0:
	case a.gpus == 0:
		count = 1 << 20
	default:
		count = free / a.gpus
	}
	for _, x := range [][2]int64{{cpu, int64(r.CPUMilli)}, {ram, int64(r.RAMMiB)}, {disk, int64(r.DiskMiB)}} {
		if x[1] != 0 {
			count = min(count, int(x[0]/x[1]))
		}
	}
	if r.ApartNodes {
		count = min(count, 1)
	}
	return count
}

// instances counts how many instances of a profile fit beside the slices that are taken (NVIDIA Multi-Instance GPU User Guide).
func instances(p sched.MIGProfile, taken uint8) (n int) {
	wide := map[sched.MIGProfile]int{sched.MIG1g: 1, sched.MIG1gWide: 2, sched.MIG2g: 2, sched.MIG3g: 4, sched.MIG4g: 4, sched.MIG7g: 8}[p]
	for _, at := range map[sched.MIGProfile][]int{
		sched.MIG1g: {0, 1, 2, 3, 4, 5, 6}, sched.MIG1gWide: {0, 2, 4, 6}, sched.MIG2g: {0, 2, 4}, sched.MIG3g: {0, 4}, sched.MIG4g: {0}, sched.MIG7g: {0},
	}[p] {
		if taken&uint8((1<<wide-1)<<at) == 0 {
			n++
		}
	}
	return n
}

// asked is one alternative of a request.
type asked struct {
	models []string
	memory uint64
	hour   uint64
	gpus   int
}

func alternatives(r *sched.Request) []asked {
	out := []asked{{r.Models, r.MinMemoryMiB, r.MaxHourMicro, int(r.GPUsPerReplica)}}
	for _, a := range r.Alternatives {
		out = append(out, asked{a.Models, a.MinMemoryMiB, a.MaxHourMicro, int(a.GPUsPerReplica)})
	}
	return out
}

// suits says whether a node may serve at all, whatever is free.
func (m *model) suits(r *sched.Request, a asked, n *modelNode) bool {
	memory := n.MemoryMiB
	if r.MIG != 0 {
		memory = memory * map[sched.MIGProfile]uint64{sched.MIG1g: 1, sched.MIG1gWide: 2, sched.MIG2g: 2, sched.MIG3g: 4, sched.MIG4g: 4, sched.MIG7g: 8}[r.MIG] / 8
	}
	for _, l := range m.leases {
		if slices.Contains(r.ApartFrom, l.Job) && slices.ContainsFunc(l.members(), func(x sched.Member) bool { return x.Node == n.ID }) {
			return false
		}
	}
	among := func(list []string, v string) bool { return len(list) == 0 || slices.Contains(list, v) }
	return n.up && !n.draining && among(a.models, n.Model) && memory >= a.memory && (a.hour == 0 || n.HourMicro <= a.hour) &&
		among(r.Countries, n.Country) && among(r.Regions, n.Region) && !slices.Contains(r.NotCountries, n.Country) &&
		n.Connectivity >= r.MinConnectivity && n.Tier >= r.MinTier && n.Assurance >= r.MinAssurance && n.Compliance&r.Compliance == r.Compliance &&
		n.StandingPPM >= r.MinStandingPPM && (len(r.Suppliers) == 0 || slices.Contains(r.Suppliers, n.Supplier)) &&
		!slices.Contains(r.NotSuppliers, n.Supplier) && (r.ShareMilli == 0 || n.Shares) && (r.MIG == 0 || n.MIG)
}

// near says whether two sites may stand in one gang.
func (m *model) near(r *sched.Request, a, b sched.SiteID) bool {
	if b < a {
		a, b = b, a
	}
	l, ok := m.links[[2]sched.SiteID{a, b}]
	if a == b || r.MaxDelayMicros == 0 && r.MinMbps == 0 || !ok && r.AllowUnmeasured {
		return true
	}
	return ok && (r.MaxDelayMicros == 0 || l.DelayMicros <= r.MaxDelayMicros) && l.Mbps >= r.MinMbps
}

// possible tries every set of sites for each alternative from an instant on. Spares are left out.
func (m *model) possible(r *sched.Request, from time.Time) bool {
	for _, a := range alternatives(r) {
		owners := []sched.SupplierID{""}
		if r.OneSupplier {
			owners = owners[:0]
			for _, n := range m.nodes {
				owners = append(owners, n.Supplier)
			}
			slices.Sort(owners)
			owners = slices.Compact(owners)
		}
		for _, by := range owners {
			if m.possibleWith(r, a, from, by) {
				return true
			}
		}
	}
	return false
}

func (m *model) possibleWith(r *sched.Request, a asked, from time.Time, by sched.SupplierID) bool {
	rooms, sites := map[sched.SiteID]int{}, []sched.SiteID(nil)
	for _, n := range m.nodes {
		if by != "" && n.Supplier != by {
			continue
		}
		if k := m.room(r, a, n, from); k > 0 {
			if rooms[n.Site] == 0 {
				sites = append(sites, n.Site)
			}
			rooms[n.Site] += k
		}
	}
	for set := range 1 << len(sites) {
		count, room, good := 0, 0, true
		for i, s := range sites {
			if set>>i&1 == 0 {
				continue
			}
			count++
			k := rooms[s]
			if r.PerSite != 0 {
				k = min(k, int(r.PerSite))
			}
			room += k
			for j := range i {
				good = good && (set>>j&1 == 0 || m.near(r, s, sites[j]))
			}
		}
		if good && room >= int(r.Replicas) && count <= int(max(r.MaxSites, 1)) && count >= int(r.MinSites) && count > 0 {
			return true
		}
	}
	return false
}

// earliest is the first instant of (from, latest] at which something ends and the request fits; zero if there is none.
func (m *model) earliest(r *sched.Request, from, latest time.Time) (out time.Time) {
	var ends []time.Time
	for _, l := range m.leases {
		if from.Equal(m.now) && l.active && !l.end().After(m.now) && latest.After(from) { // the next tick ends it
			ends = append(ends, from.Add(1))
		}
		if e := l.end(); len(l.members()) > 0 && e.After(from) && !e.After(latest) {
			ends = append(ends, e)
		}
	}
	slices.SortFunc(ends, time.Time.Compare)
	for _, e := range slices.Compact(ends) {
		if m.possible(r, e) {
			return e
		}
	}
	return out
}

// lawful checks members that the fleet has just placed against all limits of their lease. Capacity is checked for all leases together.
func (m *model) lawful(l *modelLease, fresh []sched.Member, tick bool) {
	r, a := l.limits, alternatives(&l.limits)[l.alternative]
	r.ApartFrom = slices.DeleteFunc(slices.Clone(r.ApartFrom), func(j sched.JobID) bool {
		return tick || j == r.Job // what the same tick placed afterwards is not for this one to avoid
	})
	for _, x := range fresh {
		n := m.nodes[x.Node]
		require.True(m.t, m.suits(&r, a, n), "%s of %+v may not go to %+v", l.ID, r, *n)
		require.True(m.t, n.reclaim.IsZero() || !n.reclaim.Before(l.Until), "%s outlives the reclaim of %s", l.ID, n.ID)
		require.Len(m.t, x.Devices, a.gpus)
		require.Equal(m.t, r.ShareMilli, x.ShareMilli)
		require.Equal(m.t, r.MIG != 0, x.MIGSlices != 0)
		require.Equal(m.t, n.Site, x.Site)
		require.Equal(m.t, n.Supplier, x.Supplier)
		for _, y := range l.members() {
			require.True(m.t, m.near(&r, x.Site, y.Site), "%s: %s and %s are too far apart", l.ID, x.Site, y.Site)
		}
	}
	require.Len(m.t, l.Members, int(r.Replicas))
	sites, owners, nodes := map[sched.SiteID]int{}, map[sched.SupplierID]bool{}, map[sched.NodeID]int{}
	for i, x := range l.members() {
		require.Equal(m.t, i, x.Rank)
		nodes[x.Node]++
		owners[x.Supplier] = true
		if i < len(l.Members) {
			sites[x.Site]++
		}
	}
	require.LessOrEqual(m.t, len(sites), int(max(r.MaxSites, 1)))
	require.True(m.t, !r.OneSupplier || len(owners) == 1)
	for n, k := range nodes {
		require.True(m.t, !r.ApartNodes || k == 1, "%s has %d at %s", l.ID, k, n)
	}
	if l.tookSpares {
		return // a spare goes where it can, and what takes a rank stays where it is
	}
	require.GreaterOrEqual(m.t, len(sites), int(r.MinSites))
	for s, k := range sites {
		require.True(m.t, r.PerSite == 0 || k <= int(r.PerSite), "%s has %d at %s", l.ID, k, s)
	}
}

// sound adds up every node at every instant at which something begins, and now.
func (m *model) sound() {
	for _, n := range m.nodes {
		m.left(n, true, func(l *modelLease) bool { return l.active })
		for _, at := range m.beginnings(m.now, m.now.Add(1<<62)) {
			m.left(n, true, func(l *modelLease) bool { return l.booked(at) })
		}
	}
}

// key names what a member has.
func key(x *sched.Member) string {
	return fmt.Sprint(x.Node, x.Devices, x.ShareMilli, x.MIGSlices, x.HourMicro)
}

func keys(list []sched.Member) string {
	out := make([]string, len(list))
	for i := range list {
		out[i] = key(&list[i])
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}
