package sched_test

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/sched"
)

// The tests of this file are named after what the package promises, and after what goes wrong in schedulers.

func TestGangIsAllOrNone(t *testing.T) {
	r := newRig(t, nil, machine("n1", "a", 3))
	q := job("j", 1, 1)
	q.Replicas = 4
	_, err := r.try(0, sched.Submitted{Request: q})
	require.ErrorContains(t, err, "largest gang 3 of 4")
	require.Equal(t, 3, r.f.Stats().Free)
	q.Replicas = 3
	r.do(0, sched.Submitted{Request: q})
	require.Equal(t, 0, r.f.Stats().Free)
}

func TestCardsInSumAreNoReplica(t *testing.T) {
	r := newRig(t, nil, machine("n1", "a", 4), machine("n2", "a", 4))
	_, err := r.f.Try(job("one of eight", 8, 1))
	require.ErrorContains(t, err, "2 size")
	q := job("eight of one", 1, 1)
	q.Replicas = 8
	_, err = r.f.Try(q)
	require.NoError(t, err)
}

func TestBusyProcessorIsNamed(t *testing.T) {
	n := machine("n1", "a", 4)
	n.CPUMilli, n.RAMMiB, n.DiskMiB = 8_000, 8_000, 8_000
	r := newRig(t, nil, n)
	q := job("j", 1, 1)
	q.CPUMilli, q.RAMMiB, q.DiskMiB = 4_000, 3_000, 2_000
	r.do(0, sched.Submitted{Request: q})
	for _, c := range []struct {
		cpu, ram, disk uint64
		says           string
	}{{4_000, 5_000, 6_000, ""}, {4_001, 9_000, 9_000, "1 cpu"}, {4_000, 5_001, 9_000, "1 ram"}, {4_000, 5_000, 6_001, "1 disk"}} {
		q.CPUMilli, q.RAMMiB, q.DiskMiB = c.cpu, c.ram, c.disk
		if _, err := r.f.Try(q); c.says == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, "1 node considered: "+c.says)
		}
	}
}

func TestUnknownDelayIsNotZero(t *testing.T) {
	r := newRig(t, nil, machine("n1", "a", 1), machine("n2", "b", 1))
	q := job("j", 1, 1)
	q.Replicas, q.MaxSites, q.MaxDelayMicros = 2, 2, 10_000_000
	_, err := r.f.Try(q)
	require.ErrorContains(t, err, "2 unmeasured")
	q.AllowUnmeasured = true
	p, err := r.f.Try(q)
	require.NoError(t, err)
	require.Equal(t, sched.Unmeasured, p.DelayMicros)
	q.AllowUnmeasured = false
	r.do(0, sched.LinkMeasured{A: "b", B: "a", DelayMicros: 0, Mbps: 1}) // a measured zero is zero, in both directions
	p, err = r.f.Try(q)
	require.NoError(t, err)
	require.Zero(t, p.DelayMicros)
}

func TestTriangleIsNotAssumed(t *testing.T) {
	r := newRig(t, nil, machine("n1", "a", 1), machine("n2", "b", 1), machine("n3", "c", 1))
	r.do(0, sched.LinkMeasured{A: "a", B: "b", DelayMicros: 10, Mbps: 10})
	r.do(0, sched.LinkMeasured{A: "b", B: "c", DelayMicros: 10, Mbps: 10})
	q := job("j", 1, 1)
	q.Replicas, q.MaxSites, q.MaxDelayMicros = 3, 3, 30
	_, err := r.f.Try(q)
	require.ErrorContains(t, err, "unmeasured")
	r.do(0, sched.LinkMeasured{A: "a", B: "c", DelayMicros: 31, Mbps: 10})
	_, err = r.f.Try(q)
	require.ErrorContains(t, err, "MaxDelayMicros 30 -> 31")
}

// TestBandEdges asks with limits on, below and above the thresholds of the index, and beyond the last one.
func TestBandEdges(t *testing.T) {
	p := sched.IONet()
	prices := append([]uint32{0}, p.PriceBands...)
	prices = append(prices, p.PriceBands[len(p.PriceBands)-1]+1_000_000)
	for _, candidates := range []uint16{0, 1} {
		for _, edge := range prices {
			for _, price := range []uint64{uint64(edge), uint64(edge) + 1, uint64(edge) + 2} {
				n := machine("n1", "a", 1)
				n.HourMicro = price
				r := newRig(t, func(p *sched.Policy) { p.Candidates = candidates }, n)
				for d := -1; d <= 1; d++ {
					q := job("j", 1, 1)
					if q.MaxHourMicro = uint64(int64(price) + int64(d)); q.MaxHourMicro == 0 || q.MaxHourMicro > 1<<32 {
						continue
					}
					_, err := r.f.Try(q)
					require.Equal(t, d >= 0, err == nil, "price %d, limit %d", price, q.MaxHourMicro)
				}
			}
		}
		for _, edge := range p.StandingBands {
			for _, standing := range []uint32{edge - 1, edge, edge + 1} {
				n := machine("n1", "a", 1)
				n.StandingPPM = standing
				r := newRig(t, nil, n)
				for d := -1; d <= 1; d++ {
					q := job("j", 1, 1)
					q.MinStandingPPM = uint32(int(standing) + d)
					_, err := r.f.Try(q)
					require.Equal(t, d <= 0, err == nil, "standing %d, limit %d", standing, q.MinStandingPPM)
				}
			}
		}
	}
}

// TestBandHitThatFailsIsNoCandidate fills the price band with nodes that are just too dear: they must not use up the candidates.
func TestBandHitThatFailsIsNoCandidate(t *testing.T) {
	r := newRig(t, func(p *sched.Policy) { p.Candidates = 2 })
	for i := range 200 {
		n := machine(sched.NodeID(fmt.Sprintf("n%03d", i)), "a", 1)
		n.HourMicro = 499_999 // the band ends at 500,000
		r.do(0, sched.NodeUp{Node: n})
	}
	n := machine("last", "a", 1)
	n.HourMicro = 450_000
	r.do(0, sched.NodeUp{Node: n})
	q := job("j", 1, 1)
	q.MaxHourMicro = 450_000
	p, err := r.f.Try(q)
	require.NoError(t, err)
	require.Equal(t, sched.NodeID("last"), p.Members[0].Node)
}

func TestHoldAndCommitAtTheSameInstant(t *testing.T) {
	for _, tick := range []bool{false, true} {
		r := newRig(t, nil, machine("n1", "a", 1))
		r.do(0, sched.Hold{Request: job("j", 1, 1), TTL: minute})
		want := sched.ErrHoldExpired
		if tick {
			r.do(minute, sched.Ticked{})
			want = sched.ErrUnknownLease
		}
		r.refused(minute, sched.Commit{Lease: "lease-1"}, want)
	}
	r := newRig(t, nil, machine("n1", "a", 1))
	r.do(0, sched.Hold{Request: job("j", 1, 1), TTL: minute})
	first := only[sched.Leased](r, minute-1, sched.Commit{Lease: "lease-1"})
	require.Equal(t, first, only[sched.Leased](r, minute, sched.Commit{Lease: "lease-1"}), "the same again")
	require.Empty(t, r.do(minute, sched.Ticked{}))
}

// TestHalfOpenToTheNanosecond books one nanosecond too early, or too late, and just in time.
func TestHalfOpenToTheNanosecond(t *testing.T) {
	for d := time.Duration(-1); d <= 1; d++ {
		r := newRig(t, func(p *sched.Policy) { p.ReclaimNoticeSeconds = 3600 }, machine("n1", "a", 1), machine("n2", "a", 2))
		q := job("next", 2, 1)
		q.NotBefore = noon.Add(hour + d)
		r.do(0, sched.Submitted{Request: q}) // on n2
		r.do(0, sched.Reclaim{Node: "n1"})
		_, err := r.f.Try(job("before", 2, 1))
		require.Equal(t, d >= 0, err == nil, "%d ns", d)
		q = job("after", 2, 1)
		q.NotBefore = noon.Add(2 * hour)
		_, err = r.f.Try(q)
		require.Equal(t, d <= 0, err == nil, "%d ns", d)
		if d >= 0 { // the reclaim of n1 at one o'clock, seen from a nanosecond later
			r.do(0, sched.Submitted{Request: job("filler", 2, 1)})
			_, err = r.try(d, sched.Submitted{Request: job("reclaimed", 1, 1)})
			require.Equal(t, d == 0, err == nil, "%d ns", d)
		}
	}
}

// TestSharesOfALaterTime fills a device for a time that has not come, where the index knows nothing.
func TestSharesOfALaterTime(t *testing.T) {
	n := machine("n1", "a", 1)
	n.Shares = true
	r := newRig(t, nil, n)
	q := job("first", 1, 1)
	q.NotBefore, q.ShareMilli = noon.Add(hour), 401
	r.do(0, sched.Submitted{Request: q})
	for share, fits := range map[uint16]bool{598: true, 599: true, 600: false} {
		q.Job, q.ShareMilli = "second", share
		_, err := r.f.Try(q)
		require.Equal(t, fits, err == nil, "%d", share)
	}
	_, err := r.f.Try(with1(q, func(q *sched.Request) { q.ShareMilli = 0 }))
	require.ErrorContains(t, err, "1 cards")
}

func TestOneKeyOneHold(t *testing.T) {
	r := newRig(t, nil, machine("n1", "a", 2))
	a := only[sched.Held](r, 0, sched.Hold{Request: job("j", 1, 1)})
	b := only[sched.Held](r, 30*time.Second, sched.Hold{Request: job("j", 1, 1)})
	require.Equal(t, a.Lease, b.Lease)
	require.Equal(t, a.Until, b.Until, "asking again does not hold it longer")
	require.Equal(t, a.Placement.Members, b.Placement.Members)
	require.Equal(t, 1, r.f.Stats().Free)
}

func TestHoldThatOutlivesAReclaim(t *testing.T) {
	r := newRig(t, func(p *sched.Policy) { p.ReclaimNoticeSeconds = 600 }, machine("n1", "a", 1))
	r.do(0, sched.Hold{Request: job("j", 1, 1), TTL: 30 * minute})
	require.Equal(t, sched.CauseReclaimed, only[sched.Notified](r, 0, sched.Reclaim{Node: "n1"}).Cause)
	require.Equal(t, sched.CauseReclaimed, only[sched.HoldEnded](r, 20*minute, sched.Ticked{}).Cause)
	r.refused(20*minute, sched.Commit{Lease: "lease-1"}, sched.ErrUnknownLease)
}

func TestLateTicksInOrder(t *testing.T) {
	r := newRig(t, nil, machine("n1", "a", 8))
	for i, hours := range []int{3, 1, 2, 1} {
		r.do(0, sched.Submitted{Request: job(sched.JobID(fmt.Sprintf("j%d", i)), 1, hours)})
	}
	later := job("booked", 1, 1)
	later.NotBefore = noon.Add(90 * minute)
	r.do(0, sched.Submitted{Request: later})
	r.do(0, sched.Hold{Request: job("held", 1, 1), TTL: hour})
	var got []string
	for _, e := range r.do(9*hour, sched.Ticked{}) {
		switch e := e.(type) {
		case sched.Ended:
			got = append(got, string(e.Lease.ID))
		case sched.Started:
			got = append(got, "+"+string(e.Lease))
		case sched.HoldEnded:
			got = append(got, "-"+string(e.Lease))
		}
	}
	require.Equal(t, []string{"lease-2", "lease-4", "-lease-6", "+lease-5", "lease-3", "lease-5", "lease-1"}, got)
}

func TestNoLeaseEndsInADayWithoutTicks(t *testing.T) {
	r := newRig(t, nil, machine("n1", "a", 2), machine("n2", "a", 1))
	r.do(0, sched.Submitted{Request: job("week", 1, 168)})
	r.do(0, sched.Submitted{Request: job("hour", 1, 1)})
	r.do(23*hour, sched.NodeChanged{Node: "n2", Terms: machine("n2", "a", 1).Terms()})
	r.do(24*hour, sched.NodeUp{Node: machine("n3", "a", 1)})
	require.Equal(t, 2, r.f.Stats().Running)
	ended := only[sched.Ended](r, 24*hour, sched.Ticked{})
	require.Equal(t, noon.Add(hour), ended.Lease.Until)
	require.Empty(t, r.do(168*hour-1, sched.Ticked{}))
	require.Equal(t, uint64(168*3600), only[sched.Ended](r, 200*hour, sched.Ticked{}).Usage[0].Seconds)
}

// TestTicksOfAnySizeBillTheSame plays the same leases with ticks every minute, every three hours and only at the end.
func TestTicksOfAnySizeBillTheSame(t *testing.T) {
	bills := func(every time.Duration) map[sched.LeaseID]string {
		r := newRig(t, nil, machine("n1", "a", 16), machine("n2", "a", 16))
		g := rand.New(rand.NewPCG(8, 8))
		out := map[sched.LeaseID]string{}
		note := func(effects []sched.Effect) {
			for _, e := range of[sched.Ended](effects) {
				out[e.Lease.ID] = fmt.Sprint(e.Cause, e.Lease.Until) // which device it is depends on what was noticed to be free
				for _, u := range e.Usage {
					out[e.Lease.ID] += fmt.Sprint(u.Seconds, u.Milli, u.HourMicro)
				}
			}
		}
		next := every
		for at := time.Duration(0); at < 24*hour; at += time.Duration(1+g.IntN(90)) * minute {
			for ; next <= at; next += every {
				note(r.do(next, sched.Ticked{}))
			}
			q := job(sched.JobID(fmt.Sprintf("j%d", at)), 1, 1+g.IntN(5))
			q.NotBefore = noon.Add(at + time.Duration(g.IntN(3))*hour)
			leased, err := r.try(at, sched.Submitted{Request: q})
			if err != nil {
				t.Fatal(err) // there is room for all, so that what is free late changes nothing
			}
			if g.IntN(3) == 0 {
				r.do(at, sched.FundsEnded{Lease: leased[0].(sched.Leased).Lease.ID, Until: noon.Add(at + time.Duration(g.IntN(300))*minute)})
			}
		}
		note(r.do(100*hour, sched.Ticked{}))
		return out
	}
	want := bills(minute)
	require.Len(t, want, len(bills(minute)))
	for _, every := range []time.Duration{3 * hour, 99 * hour} {
		require.Equal(t, want, bills(every))
	}
}

func TestSpareOfLostNodeTakesOver(t *testing.T) {
	r := newRig(t, nil, machine("n1", "a", 1), machine("n2", "a", 1), machine("n3", "a", 1))
	q := job("j", 1, 4)
	q.Replicas, q.Spares = 2, 1
	before := only[sched.Leased](r, 0, sched.Submitted{Request: q}).Lease
	require.Len(t, before.Spares, 1)
	x := only[sched.Replaced](r, hour, sched.NodeDown{Node: before.Members[0].Node})
	require.Equal(t, 1, x.FromSpares)
	require.Equal(t, before.Spares[0].Node, x.Lease.Members[0].Node)
	require.Equal(t, before.Members[1], x.Lease.Members[1], "who is healthy stays")
	require.Empty(t, x.Lease.Spares)
	ended := only[sched.Ended](r, 2*hour, sched.NodeDown{Node: before.Members[1].Node})
	require.Equal(t, sched.CauseNodeLost, ended.Cause)
	seconds := map[sched.NodeID]uint64{}
	for _, u := range ended.Usage {
		seconds[u.Node] += u.Seconds
	}
	require.Equal(t, map[sched.NodeID]uint64{"n1": 3600, "n2": 7200, "n3": 7200}, seconds)
}

// TestLossAtTheBookedEnd loses a node a nanosecond before the lease ends, and at that instant: what is over needs no spare.
func TestLossAtTheBookedEnd(t *testing.T) {
	for _, early := range []time.Duration{1, 0} {
		r := newRig(t, nil, machine("n1", "a", 1), machine("n2", "a", 1))
		q := job("j", 1, 1)
		q.Spares = 1
		r.do(0, sched.Submitted{Request: q})
		if effects := r.do(hour-early, sched.NodeDown{Node: "n1"}); early == 0 {
			require.Equal(t, sched.CauseExpired, effects[0].(sched.Ended).Cause)
		} else {
			require.Equal(t, 1, effects[0].(sched.Replaced).FromSpares)
		}
	}
}

func TestSparesOfOneSiteDoNotSaveASite(t *testing.T) {
	r := newRig(t, nil, machine("n1", "a", 16))
	r.do(0, sched.SiteRated{Site: "a", LossPPM: 20_000})
	q := job("j", 1, 1)
	q.MinSurvivalPPM = 985_000
	_, err := r.f.Try(q)
	require.ErrorContains(t, err, "1 survival")
	q.MinSurvivalPPM = 979_999 // the chance is 98 %, and rounded down
	p, err := r.f.Try(q)
	require.NoError(t, err)
	require.Equal(t, uint32(979_999), p.SurvivalPPM)
}

// TestVictimsAreFewAndCheap compares the spot leases that go with the cheapest set that makes room, by trying every set.
func TestVictimsAreFewAndCheap(t *testing.T) {
	g := rand.New(rand.NewPCG(12, 12))
	rounds, preempted := 300, 0
	if testing.Short() || underRace {
		rounds = 60
	}
	for range rounds {
		r := newRig(t, nil)
		for i := range 1 + g.IntN(4) {
			r.do(0, sched.NodeUp{Node: machine(sched.NodeID(fmt.Sprintf("n%d", i)), "a", 1+g.IntN(4))})
		}
		var spot []sched.Lease
		for i := range 10 {
			q := job(sched.JobID(fmt.Sprintf("j%d", i)), uint16(1+g.IntN(2)), 1+g.IntN(5))
			q.Replicas, q.Class = uint16(1+g.IntN(2)), sched.Class(2*min(g.IntN(4), 1)) // spot mostly
			if effects, err := r.try(0, sched.Submitted{Request: q}); err == nil && q.Class == sched.Spot {
				spot = append(spot, effects[0].(sched.Leased).Lease)
			}
		}
		q := job("reserved", uint16(1+g.IntN(3)), 2)
		q.Replicas, q.Class = uint16(1+g.IntN(3)), sched.Reserved
		free := map[sched.NodeID]int{}
		for n := range r.f.Nodes() {
			free[n.Node.ID] = len(n.Free)
		}
		best, found := uint64(0), false
		for set := range uint(1) << len(spot) {
			if cost, ok := evict(spot, set, free, &q); ok && (!found || cost < best) {
				best, found = cost, true
			}
		}
		effects, err := r.try(0, sched.Submitted{Request: q})
		require.Equal(t, found, err == nil, "%+v", q)
		paid := uint64(0)
		for _, x := range of[sched.Notified](effects) {
			l, _ := r.f.Lease(x.Lease)
			paid += lostBy(&l)
			preempted++
		}
		require.Equal(t, best, paid)
	}
	require.Positive(t, preempted)
}

// lostBy is what a lease loses in device seconds if it ends in five minutes.
func lostBy(l *sched.Lease) (sum uint64) {
	for _, m := range l.Members {
		sum += uint64(len(m.Devices)) * uint64(l.Until.Sub(noon.Add(5*minute))/time.Second)
	}
	return sum
}

// evict says what a set of leases loses, and whether a request fits without them.
func evict(spot []sched.Lease, set uint, free map[sched.NodeID]int, q *sched.Request) (cost uint64, ok bool) {
	more := map[sched.NodeID]int{}
	for ; set != 0; set &= set - 1 {
		l := &spot[bits.TrailingZeros(set)]
		cost += lostBy(l)
		for _, m := range l.Members {
			more[m.Node] += len(m.Devices)
		}
	}
	room := 0
	for n, k := range free {
		room += (k + more[n]) / int(q.GPUsPerReplica)
	}
	return cost, room >= int(q.Replicas)
}

// TestShortJobsDoNotStarveTheHead lets short jobs come for ever: the first of the queue begins when it was promised.
func TestShortJobsDoNotStarveTheHead(t *testing.T) {
	r := newRig(t, nil, machine("n1", "a", 4))
	r.do(0, sched.Submitted{Request: job("runs", 3, 6)})
	big := job("big", 4, 2)
	big.Queue = true
	promised := only[sched.Queued](r, 0, sched.Submitted{Request: big}).Earliest
	require.Equal(t, noon.Add(6*hour), promised)
	began := 0
	for i := range 60 {
		at := time.Duration(i) * 6 * minute
		q := job(sched.JobID(fmt.Sprintf("short-%d", i)), 1, 1)
		q.Queue, q.Priority = i%2 == 0, 0
		effects, err := r.try(at, sched.Submitted{Request: q})
		if err == nil {
			effects = append(effects, r.do(at, sched.Ticked{})...)
		}
		for _, l := range of[sched.Leased](effects) {
			began++
			require.NotEqual(t, sched.JobID("big"), l.Lease.Job)
			require.False(t, l.Lease.Until.After(promised), "%s would be in the way", l.Lease.Job)
		}
	}
	require.Positive(t, began, "what ends in time passes")
	l := of[sched.Leased](r.do(6*hour, sched.Ticked{}))
	require.Equal(t, sched.JobID("big"), l[0].Lease.Job)
	require.Equal(t, promised, l[0].Lease.From)
}

// TestSplitIdentityGainsNothing lets one operator of a network appear under ever more names: the jobs that its cards win stay the same.
func TestSplitIdentityGainsNothing(t *testing.T) {
	won := func(names int, rotate bool) (jobs int) {
		r := newRig(t, func(p *sched.Policy) {
			if p.Rotate = rotate; rotate {
				p.Candidates = 8
			}
		})
		g := rand.New(rand.NewPCG(21, 21))
		for i := range 60 {
			n := machine(sched.NodeID(fmt.Sprintf("n%02d", i)), sched.SiteID(fmt.Sprintf("s%d", i%6)), 1+g.IntN(4))
			n.HourMicro, n.Supplier = uint64(1+g.IntN(3))*100_000, "other"
			if i%3 == 0 {
				n.Supplier = sched.SupplierID(fmt.Sprintf("x-%d", i%names))
			}
			r.do(0, sched.NodeUp{Node: n})
		}
		for i := range 80 {
			r.do(0, sched.Rotated{Seed: g.Uint32()})
			leased := only[sched.Leased](r, 0, sched.Submitted{Request: job(sched.JobID(fmt.Sprintf("j%d", i)), 1, 1)})
			if leased.Lease.Members[0].Supplier != "other" {
				jobs++
			}
		}
		return jobs
	}
	for _, rotate := range []bool{false, true} {
		one := won(1, rotate)
		require.Positive(t, one)
		for _, names := range []int{2, 5, 20} {
			require.Equal(t, one, won(names, rotate), "%d names", names)
		}
	}
}

func TestRotationLetsLateNodesEarn(t *testing.T) {
	won := func(rotate bool) map[sched.NodeID]int {
		r := newRig(t, func(p *sched.Policy) { p.Rotate, p.Candidates, p.Order = rotate, 4, nil })
		for i := range 32 {
			r.do(0, sched.NodeUp{Node: machine(sched.NodeID(fmt.Sprintf("n%02d", i)), sched.SiteID(fmt.Sprintf("s%d", i%4)), 4)})
		}
		g := rand.New(rand.NewPCG(22, 22))
		out := map[sched.NodeID]int{}
		for i := range 400 {
			r.do(time.Duration(i)*hour, sched.Rotated{Seed: g.Uint32()})
			leased := only[sched.Leased](r, time.Duration(i)*hour, sched.Submitted{Request: job(sched.JobID(fmt.Sprintf("j%d", i)), 1, 1)})
			out[leased.Lease.Members[0].Node]++
			r.do(time.Duration(i)*hour+minute, sched.Finished{Lease: leased.Lease.ID})
		}
		return out
	}
	require.Len(t, won(false), 1, "the first of equals gets everything")
	fair := won(true)
	require.Len(t, fair, 32)
	for n, k := range fair {
		require.Positive(t, k, n)
	}
}
