package sched_test

import (
	"cmp"
	"math/bits"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/sched"
)

// follow carries an event that the fleet has taken, and what followed from it, over to the model. Whatever the fleet may not do fails the test.
func (m *model) follow(f *sched.Fleet, at time.Time, e sched.Event, effects []sched.Effect) {
	m.now = at
	m.facts(at, e)
	_, tick := e.(sched.Ticked)
	last := time.Time{}
	inOrder := func(v time.Time) {
		require.False(m.t, tick && v.Before(last), "a tick carries out what is due in order of its time: %+v", effects)
		last = v
	}
	for _, x := range effects {
		switch x := x.(type) {
		case sched.Held:
			m.held(e.(sched.Hold), x)
		case sched.HoldEnded:
			inOrder(m.holdEnded(e, x))
		case sched.Leased:
			inOrder(at)
			m.leased(e, x)
		case sched.Started:
			l := m.leases[x.Lease]
			require.Equal(m.t, sched.StateBooked, l.State)
			require.False(m.t, l.From.After(at))
			inOrder(l.From)
			l.State, l.active = sched.StateRunning, true
		case sched.Queued:
			r := e.(sched.Submitted).Request
			m.leases[x.Lease] = &modelLease{Lease: sched.Lease{ID: x.Lease, Job: x.Job, State: sched.StateWaiting}, request: r}
			require.True(m.t, r.Queue)
			require.Equal(m.t, r.Job, x.Why.Job)
		case sched.Extended:
			l := m.leases[x.Lease]
			require.Equal(m.t, l.Until.Add(e.(sched.Extend).By), x.Until)
			l.Until = x.Until
		case sched.Notified:
			m.notified(e, x)
		case sched.NoticeLifted:
			l := m.leases[x.Lease]
			_, paid := e.(sched.FundsAdded)
			require.Equal(m.t, map[bool]sched.Cause{true: sched.CauseUnfunded, false: sched.CausePreempted}[paid], l.Notice)
			if m.renotice(l); !l.paid.IsZero() {
				l.Notice, l.NoticeAt, l.paid = sched.CauseUnfunded, l.paid, time.Time{}
			}
		case sched.Replaced:
			inOrder(m.replaced(e, x))
		case sched.Requeued:
			m.requeued(x)
		case sched.Moved:
			m.moved(x)
		case sched.Ended:
			inOrder(m.over1(e, x))
		}
	}
	switch e := e.(type) { // of a lease that is preempted before
	case sched.FundsEnded:
		if len(effects) == 0 {
			m.leases[e.Lease].paid = e.Until
		}
	case sched.FundsAdded:
		if len(effects) == 0 {
			m.leases[e.Lease].paid = time.Time{}
		}
	}
	for _, l := range m.leases {
		if l.fresh != nil {
			m.lawful(l, l.fresh, tick)
			l.fresh = nil
		}
	}
	m.settled(e)
	m.agree(f)
	m.sound()
}

// agree compares what the fleet says of its leases with the model, which takes over only what waiting jobs are promised.
func (m *model) agree(f *sched.Fleet) {
	n := 0
	for l := range f.Leases() {
		n++
		x := m.leases[l.ID]
		require.NotNil(m.t, x, "%+v", l)
		require.Equal(m.t, x.State, l.State)
		if l.State != sched.StateWaiting {
			require.Equal(m.t, x.Lease, l)
		}
		x.Lease = l
	}
	require.Len(m.t, m.leases, n)
	require.Equal(m.t, m.total, f.Stats().MeteredSeconds)
}

// facts carries over what an event says of nodes and links.
func (m *model) facts(at time.Time, e sched.Event) {
	switch e := e.(type) {
	case sched.NodeUp:
		for id, n := range m.nodes { // a device that is here now is not there any more
			if !n.up && slices.ContainsFunc(n.Devices, func(d gpu.DeviceID) bool { return slices.Contains(e.Node.Devices, d) }) {
				delete(m.nodes, id)
			}
		}
		m.nodes[e.Node.ID] = &modelNode{Node: e.Node, up: true}
	case sched.NodeDown:
		n := m.nodes[e.Node]
		n.up, n.draining, n.reclaim = false, false, time.Time{}
	case sched.NodeChanged:
		n, t := m.nodes[e.Node], e.Terms
		n.Tier, n.Assurance, n.Compliance, n.StandingPPM, n.LossPPM, n.HourMicro = t.Tier, t.Assurance, t.Compliance, t.StandingPPM, t.LossPPM, t.HourMicro
	case sched.Drain:
		m.nodes[e.Node].draining = e.On
	case sched.Reclaim:
		if n := m.nodes[e.Node]; n.reclaim.IsZero() {
			n.reclaim = at.Add(time.Duration(m.policy.ReclaimNoticeSeconds) * time.Second)
		}
	case sched.LinkMeasured:
		a, b := min(e.A, e.B), max(e.A, e.B)
		m.links[[2]sched.SiteID{a, b}] = e
	case sched.Ticked:
		for _, n := range m.nodes {
			if !n.reclaim.IsZero() && !n.reclaim.After(at) {
				n.draining = true
			}
		}
	}
}

func (m *model) add(l sched.Lease, r sched.Request, alternative int) *modelLease {
	require.False(m.t, m.over[l.ID], "%s is over", l.ID)
	x := &modelLease{Lease: l, request: r, limits: r, alternative: alternative, active: !l.From.After(m.now)}
	x.fresh = x.members()
	for _, y := range x.members() {
		x.holds = append(x.holds, holding{y, l.From})
	}
	require.Equal(m.t, r.Duration, l.Until.Sub(l.From))
	require.Equal(m.t, r.Job, l.Job)
	require.Equal(m.t, r.Class, l.Class)
	sum := uint64(0)
	for _, y := range x.members() {
		n := m.nodes[y.Node]
		want := n.HourMicro
		switch {
		case y.ShareMilli != 0:
			want = (want*uint64(y.ShareMilli) + 999) / 1000
		case y.MIGSlices != 0:
			want = (want*uint64(bits.OnesCount8(y.MIGSlices)) + 7) / 8
		case len(y.Devices) == 0:
			want = 0
		}
		require.Equal(m.t, want, y.HourMicro)
		sum += want * uint64(len(y.Devices))
	}
	require.Equal(m.t, sum, l.HourMicro)
	m.leases[l.ID] = x
	return x
}

func (m *model) held(e sched.Hold, x sched.Held) {
	if l, ok := m.leases[x.Lease.ID]; ok { // the same again
		require.Equal(m.t, l.ttl, x.Until)
		require.Equal(m.t, l.Lease, x.Lease)
		return
	}
	ttl := cmp.Or(e.TTL, time.Duration(m.policy.HoldSeconds)*time.Second)
	require.Equal(m.t, sooner(m.now.Add(ttl), x.Lease.Until), x.Until)
	m.add(x.Lease, e.Request, x.Placement.Alternative).ttl = x.Until
}

func (m *model) holdEnded(e sched.Event, x sched.HoldEnded) time.Time {
	l := m.leases[x.Lease]
	require.Equal(m.t, l.Job, x.Job)
	expired := l.State == sched.StateHeld && !l.ttl.After(m.now)
	at := m.now
	switch x.Cause {
	case sched.CauseExpired:
		require.True(m.t, expired)
		at = l.ttl
	case sched.CauseLate:
		require.Equal(m.t, sched.StateWaiting, l.State)
		require.True(m.t, m.now.After(l.request.NotAfter))
	case sched.CauseReclaimed:
		at = m.lostAt(e, l)
	case sched.CauseReleased:
		require.False(m.t, expired)
		require.IsType(m.t, sched.Release{}, e)
	default:
		require.Equal(m.t, sched.CauseNodeLost, x.Cause)
	}
	delete(m.leases, x.Lease)
	m.over[x.Lease] = true
	return at
}

// lostAt is when a lease loses members by an event: with a tick, when the first of its nodes is taken back.
func (m *model) lostAt(e sched.Event, l *modelLease) time.Time {
	at := m.now
	if _, ok := e.(sched.Ticked); ok {
		for _, x := range l.members() {
			if t := m.nodes[x.Node].reclaim; !t.IsZero() {
				at = sooner(at, t)
			}
		}
	}
	return at
}

func (m *model) leased(e sched.Event, x sched.Leased) {
	l, known := m.leases[x.Lease.ID]
	switch e := e.(type) {
	case sched.Commit:
		if l.State == sched.StateHeld {
			require.True(m.t, m.now.Before(l.ttl))
			l.State, l.ttl = sched.StateBooked, time.Time{}
			if l.active {
				l.State = sched.StateRunning
			}
		}
		require.Equal(m.t, l.Lease, x.Lease)
	case sched.Submitted:
		require.False(m.t, known)
		m.add(x.Lease, e.Request, x.Placement.Alternative)
	default:
		require.Equal(m.t, sched.StateWaiting, l.State)
		require.True(m.t, l.request.NotAfter.IsZero() || !x.Lease.From.After(l.request.NotAfter))
		m.add(x.Lease, l.request, x.Placement.Alternative)
	}
}

func (m *model) notified(e sched.Event, x sched.Notified) {
	l := m.leases[x.Lease]
	want := m.now.Add(time.Duration(m.policy.SpotNoticeSeconds) * time.Second)
	switch x.Cause {
	case sched.CauseReclaimed:
		want = m.nodes[e.(sched.Reclaim).Node].reclaim
		require.True(m.t, l.Until.After(want))
	case sched.CauseUnfunded:
		want = sooner(e.(sched.FundsEnded).Until, l.Until)
		l.Notice, l.NoticeAt, l.paid = x.Cause, e.(sched.FundsEnded).Until, time.Time{}
		require.Equal(m.t, want, x.At)
		return
	default:
		require.Equal(m.t, sched.CausePreempted, x.Cause)
		require.Equal(m.t, sched.Spot, l.Class)
		require.Equal(m.t, sched.Reserved, e.(sched.Submitted).Request.Class)
		require.Equal(m.t, e.(sched.Submitted).Request.Job, x.For)
		if l.Notice == sched.CauseUnfunded {
			l.paid = l.NoticeAt
		}
	}
	require.Equal(m.t, want, x.At)
	l.Notice, l.NoticeAt = x.Cause, x.At
}

// renotice gives a lease the notice of the first of its nodes that is taken back, or none.
func (m *model) renotice(l *modelLease) {
	l.Notice, l.NoticeAt = 0, time.Time{}
	for _, x := range l.members() {
		if t := m.nodes[x.Node].reclaim; !t.IsZero() && t.Before(l.Until) && (l.Notice == 0 || t.Before(l.NoticeAt)) {
			l.Notice, l.NoticeAt = sched.CauseReclaimed, t
		}
	}
}

// stop ends what one member has of a lease.
func (m *model) stop(l *modelLease, x *sched.Member, at time.Time) {
	i := slices.IndexFunc(l.holds, func(h holding) bool { return key(&h.Member) == key(x) })
	require.GreaterOrEqual(m.t, i, 0, "%s does not hold %+v", l.ID, *x)
	l.bill(l.holds[i], at)
	l.holds = slices.Delete(l.holds, i, i+1)
}

// bill adds what a member used until an instant.
func (l *modelLease) bill(h holding, at time.Time) {
	if at.Before(l.From) {
		return
	}
	milli := uint16(1000)
	switch {
	case h.ShareMilli != 0:
		milli = h.ShareMilli
	case h.MIGSlices != 0:
		milli = uint16(1000 * bits.OnesCount8(h.MIGSlices) / 8)
	}
	for _, d := range h.Devices {
		l.past = append(l.past, bill{
			Usage: sched.Usage{
				Lease: l.ID, Node: h.Node, Supplier: h.Supplier, Device: d, Milli: milli, Seconds: uint64(max(0, at.Sub(h.since)) / time.Second), HourMicro: h.HourMicro,
			},
			slices: h.MIGSlices, from: h.since, to: at,
		})
	}
}

func (m *model) replaced(e sched.Event, x sched.Replaced) time.Time {
	l := m.leases[x.Lease.ID]
	at := m.lostAt(e, l)
	var gone sched.NodeID
	for _, y := range x.Lost {
		require.True(m.t, gone == "" || gone == y.Node)
		gone = y.Node
		if l.From.Before(at) {
			m.stop(l, &y, at)
		} else {
			l.holds = slices.DeleteFunc(l.holds, func(h holding) bool { return h.Node == gone })
		}
	}
	require.False(m.t, slices.ContainsFunc(x.Lease.Members, func(y sched.Member) bool { return y.Node == gone }))
	for _, y := range x.New[x.FromSpares:] {
		l.holds = append(l.holds, holding{y, later(m.now, l.From)})
		l.fresh = append(l.fresh, y)
	}
	l.tookSpares = l.tookSpares || x.FromSpares > 0
	// Healthy members keep their ranks and their nodes.
	for rank, y := range l.Members {
		if y.Node != gone {
			require.Equal(m.t, y, x.Lease.Members[rank])
		}
	}
	for _, c := range x.Relaxed {
		require.True(m.t, l.request.Reform && slices.Contains(l.request.MayRelax, c.Field))
		setLoosest(&l.limits, c.Field)
	}
	require.True(m.t, x.FromSpares == len(x.New) || l.request.Reform)
	was := *l
	l.Lease = x.Lease
	if was.Notice == sched.CauseReclaimed {
		was.Lease = x.Lease
		m.renotice(&was)
	}
	require.Equal(m.t, was.Notice, l.Notice)
	require.Equal(m.t, was.NoticeAt, l.NoticeAt)
	require.Len(m.t, l.Members, len(was.Members))
	m.sameHolds(l)
	return at
}

func (m *model) sameHolds(l *modelLease) {
	var have []sched.Member
	for _, h := range l.holds {
		have = append(have, h.Member)
	}
	require.Equal(m.t, keys(l.members()), keys(have), "%s", l.ID)
}

func setLoosest(r *sched.Request, f sched.Field) {
	switch f {
	case sched.FieldSites:
		r.MaxSites = 255
	case sched.FieldDelay:
		r.MaxDelayMicros = 0
	case sched.FieldMbps:
		r.MinMbps = 0
	case sched.FieldStanding:
		r.MinStandingPPM = 0
	case sched.FieldConnectivity:
		r.MinConnectivity = 0
	case sched.FieldTier:
		r.MinTier = 0
	case sched.FieldAssurance:
		r.MinAssurance = 0
	case sched.FieldPrice:
		r.MaxHourMicro = 0
	}
}

func (m *model) requeued(x sched.Requeued) {
	l := m.lost
	require.NotNil(m.t, l)
	m.lost = nil
	require.Equal(m.t, l.Job, x.Job)
	require.True(m.t, l.request.Queue && l.request.Reform)
	delete(m.ended, x.Job)
	r := l.request
	rest := l.Until.Sub(later(l.endedAt, l.From))
	r.Duration = max(time.Second, (rest + time.Second - 1).Truncate(time.Second))
	r.NotBefore, r.NotAfter = time.Time{}, time.Time{}
	if l.From.After(m.now) {
		r.NotBefore = l.From
	}
	m.leases[x.Lease] = &modelLease{Lease: sched.Lease{ID: x.Lease, Job: x.Job, State: sched.StateWaiting}, request: r}
}

func (m *model) moved(x sched.Moved) {
	l := m.leases[x.Lease.ID]
	require.Equal(m.t, sched.StateRunning, l.State)
	for i, from := range x.From {
		m.stop(l, &from, m.now)
		to := x.To[i]
		require.Equal(m.t, from.Rank, to.Rank)
		require.Equal(m.t, from.HourMicro, to.HourMicro)
		n := m.nodes[to.Node]
		require.True(m.t, n.up && !n.draining && (n.reclaim.IsZero() || !n.reclaim.Before(l.end())))
		require.Equal(m.t, m.nodes[from.Node].Model, n.Model)
		l.holds = append(l.holds, holding{to, m.now})
	}
	l.Lease = x.Lease
	m.sameHolds(l)
}

// over1 checks the end of a lease: its instant, its cause, and that the bill is what it held.
func (m *model) over1(e sched.Event, x sched.Ended) time.Time {
	l := m.leases[x.Lease.ID]
	at, cause := m.now, sched.CauseFinished
	if _, ok := e.(sched.Ticked); ok {
		at, cause = m.lostAt(e, l), sched.CauseReclaimed
	} else if _, ok := e.(sched.NodeDown); ok {
		cause = sched.CauseNodeLost
	}
	if end := l.end(); !at.Before(end) {
		at, cause = end, sched.CauseExpired
		if end.Before(l.Until) {
			cause = l.Notice
		}
	}
	require.Equal(m.t, cause, x.Cause, "%+v", x.Lease)
	for _, h := range l.holds {
		l.bill(h, at)
	}
	var want []sched.Usage
	for _, b := range l.past {
		want = append(want, b.Usage)
		m.total += b.Seconds
		m.nobodyElse(b)
	}
	require.ElementsMatch(m.t, want, x.Usage)
	require.Equal(m.t, later(at, l.From), x.Lease.Until)
	require.Equal(m.t, l.Members, x.Lease.Members)
	delete(m.leases, l.ID)
	m.over[l.ID] = true
	m.ended[l.Job] = at
	l.endedAt = at
	m.lost = l
	return at
}

// nobodyElse checks that a stretch on a device is billed to nobody else.
func (m *model) nobodyElse(b bill) {
	old := m.billed[b.Device]
	if n := len(old); n > 200 {
		old = slices.Clone(old[n-100:])
	}
	for _, at := range append([]time.Time{b.from}, startsOf(old)...) {
		if at.Before(b.from) || !at.Before(b.to) {
			continue
		}
		milli, taken := int(b.Milli), b.slices
		for _, o := range old {
			if !o.from.After(at) && at.Before(o.to) {
				milli += int(o.Milli)
				require.Zero(m.t, taken&o.slices, "%+v and %+v", b, o)
				require.Equal(m.t, taken == 0, o.slices == 0)
				taken |= o.slices
			}
		}
		require.LessOrEqual(m.t, milli, 1000, "%+v overlaps at %v", b, at)
	}
	m.billed[b.Device] = append(old, b)
}

func startsOf(list []bill) (out []time.Time) {
	for _, b := range list {
		out = append(out, b.from)
	}
	return out
}

// settled checks that a tick leaves nothing undone that is due.
func (m *model) settled(e sched.Event) {
	if _, ok := e.(sched.Ticked); !ok {
		return
	}
	for _, l := range m.leases {
		switch l.State {
		case sched.StateRunning:
			require.True(m.t, l.end().After(m.now), "%s was to end", l.ID)
		case sched.StateBooked:
			require.True(m.t, l.From.After(m.now), "%s was to begin", l.ID)
		case sched.StateHeld:
			require.True(m.t, l.ttl.After(m.now), "%s was to expire", l.ID)
		}
	}
	for _, n := range m.nodes {
		if n.draining && !n.reclaim.IsZero() && !n.reclaim.After(m.now) {
			n.reclaim = time.Time{}
		}
	}
}
