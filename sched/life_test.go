package sched_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/sched"
)

// rig is a fleet whose every step is audited, and whose every refusal must change nothing.
type rig struct {
	t  testing.TB
	f  *sched.Fleet
	at time.Time
}

func newRig(t testing.TB, change func(*sched.Policy), nodes ...sched.Node) *rig {
	t.Helper()
	p := sched.IONet()
	if change != nil {
		change(&p)
	}
	f, err := sched.NewFleet(p)
	require.NoError(t, err)
	r := &rig{t: t, f: f, at: noon}
	for _, n := range nodes {
		r.do(0, sched.NodeUp{Node: n})
	}
	return r
}

// try applies an event so long after noon.
func (r *rig) try(after time.Duration, e sched.Event) ([]sched.Effect, error) {
	r.t.Helper()
	before := r.f.Digest()
	effects, err := r.f.Apply(noon.Add(after), e)
	require.NoError(r.t, r.f.Audit(), "after %T", e)
	if err != nil {
		require.Equal(r.t, before, r.f.Digest(), "%T was refused and changed the fleet", e)
		require.Empty(r.t, effects)
	}
	return effects, err
}

// do applies an event that must be taken.
func (r *rig) do(after time.Duration, e sched.Event) []sched.Effect {
	r.t.Helper()
	effects, err := r.try(after, e)
	require.NoError(r.t, err)
	return effects
}

// only applies an event that must be taken and returns its only effect.
func only[E sched.Effect](r *rig, after time.Duration, e sched.Event) E {
	r.t.Helper()
	effects := r.do(after, e)
	require.Len(r.t, effects, 1, "%+v", effects)
	x, ok := effects[0].(E)
	require.True(r.t, ok, "%T", effects[0])
	return x
}

// refused applies an event that must not be taken.
func (r *rig) refused(after time.Duration, e sched.Event, want error) {
	r.t.Helper()
	_, err := r.try(after, e)
	require.ErrorIs(r.t, err, want)
}

// again goes on with a copy that was restored from a snapshot.
func (r *rig) again(p sched.Policy) {
	r.t.Helper()
	g, err := sched.Restore(p, r.f.Snapshot())
	require.NoError(r.t, err)
	require.Equal(r.t, r.f.Digest(), g.Digest())
	r.f = g
}

// job is one replica of so many devices for so many hours.
func job(id sched.JobID, gpus uint16, hours int) sched.Request {
	return sched.Request{Job: id, Owner: "ann", Replicas: 1, GPUsPerReplica: gpus, Duration: time.Duration(hours) * time.Hour}
}

func with1[T any](v T, change func(*T)) T {
	change(&v)
	return v
}

func of[E sched.Effect](effects []sched.Effect) (out []E) {
	for _, x := range effects {
		if e, ok := x.(E); ok {
			out = append(out, e)
		}
	}
	return out
}

const (
	minute = time.Minute
	hour   = time.Hour
)

// TestNodeDownForgetsItsReclaim loses a node for good before its supplier takes it back: nothing of the notice is left.
func TestNodeDownForgetsItsReclaim(t *testing.T) {
	r := newRig(t, nil, machine("n1", "a", 2))
	r.do(0, sched.Submitted{Request: job("j", 1, 3)})
	r.do(0, sched.Reclaim{Node: "n1"})
	ended := only[sched.Ended](r, 10*minute, sched.NodeDown{Node: "n1"})
	require.Equal(t, sched.CauseNodeLost, ended.Cause)
	r.do(20*minute, sched.NodeUp{Node: machine("n1", "a", 2)})
	r.do(21*minute, sched.Submitted{Request: job("k", 2, 5)})
	require.Empty(t, r.do(2*hour, sched.Ticked{}), "the reclaim was announced for another stay")
}

// TestQueueIsServedByWhateverFrees waits behind each thing that can make room, and expects the next tick to begin the job.
func TestQueueIsServedByWhateverFrees(t *testing.T) {
	for _, c := range []struct {
		name  string
		setup func(r *rig)
		event sched.Event
	}{
		{"finished", nil, sched.Finished{Lease: "lease-1"}},
		{"node up", nil, sched.NodeUp{Node: machine("n2", "a", 2)}},
		{"drain off", func(r *rig) {
			r.do(0, sched.NodeUp{Node: machine("n3", "a", 2)})
			r.do(0, sched.Drain{Node: "n3", On: true})
		}, sched.Drain{Node: "n3"}},
		{"terms", func(r *rig) {
			r.do(0, sched.NodeUp{Node: with1(machine("n3", "a", 2), func(n *sched.Node) { n.Tier = 0 })})
		}, sched.NodeChanged{Node: "n3", Terms: machine("n3", "a", 2).Terms()}},
		{"link", func(r *rig) {
			r.do(0, sched.NodeUp{Node: with1(machine("n3", "b", 1), func(n *sched.Node) { n.Supplier = "x" })})
			r.do(0, sched.NodeUp{Node: with1(machine("n4", "c", 1), func(n *sched.Node) { n.Supplier = "x" })})
		}, sched.LinkMeasured{A: "b", B: "c", DelayMicros: 10, Mbps: 10}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, nil, machine("n1", "a", 2))
			r.do(0, sched.Submitted{Request: job("first", 2, 10)})
			if c.setup != nil {
				c.setup(r)
			}
			wait := job("waits", 1, 2)
			wait.Replicas, wait.Queue, wait.MinTier, wait.MaxSites, wait.MaxDelayMicros = 2, true, 2, 2, 100
			only[sched.Queued](r, minute, sched.Submitted{Request: wait})
			require.Empty(t, r.do(2*minute, sched.Ticked{}))
			r.do(3*minute, c.event)
			leased := only[sched.Leased](r, 4*minute, sched.Ticked{})
			require.Equal(t, noon.Add(4*minute), leased.Lease.From)
			require.Empty(t, r.f.Queue())
		})
	}
}

// TestHigherPriorityTakesThePromise queues a more urgent job behind one that was promised a beginning: the promise is the urgent one's.
func TestHigherPriorityTakesThePromise(t *testing.T) {
	for _, b := range []sched.Backfill{sched.BackfillFirst, sched.BackfillNone} {
		r := newRig(t, func(p *sched.Policy) { p.Backfill = b }, machine("n1", "a", 2))
		r.do(0, sched.Submitted{Request: job("runs", 2, 2)})
		low := job("low", 2, 3)
		low.Queue = true
		r.do(minute, sched.Submitted{Request: low})
		high := low
		high.Job, high.Priority = "high", 1
		r.do(2*minute, sched.Submitted{Request: high})
		effects := r.do(2*hour, sched.Ticked{})
		require.Len(t, of[sched.Leased](effects), 1)
		require.Equal(t, sched.JobID("high"), of[sched.Leased](effects)[0].Lease.Job)
	}
}

// TestRequeuedJobHasNoOldDeadline loses a lease after the last instant at which it might have begun: that was kept, so the job may wait.
func TestRequeuedJobHasNoOldDeadline(t *testing.T) {
	r := newRig(t, nil, machine("n1", "a", 2))
	q := job("j", 2, 4)
	q.Reform, q.Queue, q.NotAfter = true, true, noon.Add(hour)
	r.do(0, sched.Submitted{Request: q})
	effects := r.do(2*hour, sched.NodeDown{Node: "n1"})
	require.Len(t, effects, 2)
	require.Equal(t, sched.JobID("j"), effects[1].(sched.Requeued).Job)
	require.Empty(t, r.do(3*hour, sched.Ticked{}))
	r.do(3*hour, sched.NodeUp{Node: machine("n2", "a", 2)})
	leased := only[sched.Leased](r, 4*hour, sched.Ticked{})
	require.Equal(t, noon.Add(6*hour), leased.Lease.Until, "two of its four hours are left")
}

// TestRequeuedJobKeepsItsPlace loses a lease while another job of the same priority waits: who came first goes first.
func TestRequeuedJobKeepsItsPlace(t *testing.T) {
	r := newRig(t, nil, machine("n1", "a", 2))
	q := job("first", 2, 4)
	q.Reform, q.Queue = true, true
	r.do(0, sched.Submitted{Request: q})
	q.Job = "second"
	r.do(0, sched.Submitted{Request: q})
	r.do(hour, sched.NodeDown{Node: "n1"})
	waiting := r.f.Queue()
	require.Equal(t, []sched.JobID{"first", "second"}, []sched.JobID{waiting[0].Job, waiting[1].Job})
	r.again(sched.IONet())
	r.do(hour, sched.NodeUp{Node: machine("n2", "a", 2)})
	require.Equal(t, sched.JobID("first"), only[sched.Leased](r, hour, sched.Ticked{}).Lease.Job)
}

// TestNothingMovesOrRevivesWhatIsOver lets a lease pass its end without a tick: neither a move, nor money, nor an extension brings it back.
func TestNothingMovesOrRevivesWhatIsOver(t *testing.T) {
	r := newRig(t, nil, machine("n1", "a", 1), machine("n2", "a", 1))
	r.do(0, sched.Submitted{Request: job("j", 1, 2)})
	r.do(0, sched.FundsEnded{Lease: "lease-1", Until: noon.Add(hour)})
	r.refused(hour, sched.FundsAdded{Lease: "lease-1"}, sched.ErrUnknownLease)
	r.refused(hour, sched.FundsEnded{Lease: "lease-1", Until: noon.Add(2 * hour)}, sched.ErrUnknownLease)
	r.refused(hour, sched.Extend{Lease: "lease-1", By: hour}, sched.ErrUnknownLease)
	r.refused(hour, sched.Migrate{Moves: []sched.Move{{Lease: "lease-1", To: "n2"}}}, sched.ErrUnknownLease)
	ended := only[sched.Ended](r, 5*hour, sched.Ticked{})
	require.Equal(t, sched.CauseUnfunded, ended.Cause)
	require.Equal(t, uint64(3600), ended.Usage[0].Seconds)
	require.Len(t, ended.Usage, 1)
}

// TestFundsDoNotLiftAReclaim ends and adds funds while the node is to be taken back: that notice holds on.
func TestFundsDoNotLiftAReclaim(t *testing.T) {
	r := newRig(t, nil, machine("n1", "a", 1))
	r.do(0, sched.Submitted{Request: job("j", 1, 5)})
	only[sched.Notified](r, 0, sched.Reclaim{Node: "n1"})
	r.do(minute, sched.FundsEnded{Lease: "lease-1", Until: noon.Add(30 * minute)})
	only[sched.NoticeLifted](r, 2*minute, sched.FundsAdded{Lease: "lease-1"})
	l, _ := r.f.Lease("lease-1")
	require.Equal(t, sched.CauseReclaimed, l.Notice)
	require.Equal(t, noon.Add(hour), l.NoticeAt)
}

// TestExtensionLooksAtWhatIsThereThen extends past a lease that is over by then: what it has now does not stand in the way.
func TestExtensionLooksAtWhatIsThereThen(t *testing.T) {
	n := machine("n1", "a", 3)
	n.CPUMilli = 3_000
	r := newRig(t, nil, n)
	one := func(id sched.JobID, hours int, cpu uint64, from time.Duration) sched.Request {
		q := job(id, 1, hours)
		q.CPUMilli, q.NotBefore = cpu, noon.Add(from)
		return q
	}
	r.do(0, sched.Submitted{Request: one("a", 2, 1_000, 0)})
	r.do(0, sched.Submitted{Request: one("o", 1, 1_000, 0)})
	r.do(0, sched.Submitted{Request: one("p", 4, 1_500, hour)})
	x := only[sched.Extended](r, minute, sched.Extend{Lease: "lease-1", By: hour})
	require.Equal(t, noon.Add(3*hour), x.Until)
}

// TestConflictNamesTheLatestEnd books more and more of a node's processor: an extension may go on until the last of it is gone.
func TestConflictNamesTheLatestEnd(t *testing.T) {
	n := machine("n1", "a", 4)
	n.CPUMilli = 3_000
	r := newRig(t, nil, n)
	for i, from := range []time.Duration{0, hour, 2 * hour, 3 * hour} {
		q := job(sched.JobID(fmt.Sprintf("j%d", i)), 0, 8)
		if q.NotBefore, q.CPUMilli = noon.Add(from), 1_000; i == 0 {
			q.Duration = hour
		}
		r.do(0, sched.Submitted{Request: q})
	}
	_, err := r.try(minute, sched.Extend{Lease: "lease-1", By: 5 * hour})
	require.Equal(t, &sched.ConflictError{Lease: "lease-1", Node: "n1", With: "lease-4", Until: noon.Add(3 * hour)}, err)
	require.EqualError(t, err, `sched: lease "lease-1" on node "n1" conflicts with "lease-4": at most until 2024-06-20T15:00:00Z`)
	r.do(minute, sched.Extend{Lease: "lease-1", By: 2 * hour})
	_, err = r.try(minute, sched.Extend{Lease: "lease-1", By: time.Second})
	require.Equal(t, &sched.ConflictError{Lease: "lease-1", Node: "n1", With: "lease-4", Until: noon.Add(3 * hour)}, err)
	r.do(minute, sched.Finished{Lease: "lease-4"})
	r.do(minute, sched.Extend{Lease: "lease-1", By: time.Second})
}

// TestLateReclaimBillsNobodyTwice notices only late that a node was taken back: what replaces its members begins when that is noticed,
// not while another job had the devices.
func TestLateReclaimBillsNobodyTwice(t *testing.T) {
	r := newRig(t, nil, machine("n1", "a", 1), machine("n2", "a", 1))
	q := job("j", 1, 5)
	q.Reform = true
	r.do(0, sched.Submitted{Request: q})
	r.do(0, sched.Submitted{Request: job("k", 1, 4)})
	r.do(0, sched.Reclaim{Node: "n1"})
	ended := only[sched.Ended](r, 2*hour, sched.Finished{Lease: "lease-2"})
	require.Equal(t, uint64(7200), ended.Usage[0].Seconds)
	replaced := only[sched.Replaced](r, 3*hour, sched.Ticked{})
	require.Equal(t, sched.NodeID("n2"), replaced.New[0].Node)
	ended = only[sched.Ended](r, 4*hour, sched.Finished{Lease: "lease-1"})
	require.Len(t, ended.Usage, 2)
	require.Equal(t, uint64(3600), ended.Usage[0].Seconds, "until the node was taken back")
	require.Equal(t, uint64(3600), ended.Usage[1].Seconds, "from the tick on: k had the device for an hour of the gap")
}

// TestReformKeepsApartNodes loses one of two replicas that must not share a node.
func TestReformKeepsApartNodes(t *testing.T) {
	r := newRig(t, nil, machine("n1", "a", 2), machine("n2", "a", 2))
	q := job("j", 1, 5)
	q.Replicas, q.ApartNodes, q.Reform, q.Queue = 2, true, true, true
	r.do(0, sched.Submitted{Request: q})
	effects := r.do(hour, sched.NodeDown{Node: "n2"})
	require.Len(t, of[sched.Requeued](effects), 1, "n1 has a card left, but a replica of the job already: %+v", effects)
}

// TestReformKeepsOneSupplier loses a member of a gang that is to stay with one supplier.
func TestReformKeepsOneSupplier(t *testing.T) {
	owned := func(id sched.NodeID, by sched.SupplierID, price uint64) sched.Node {
		n := machine(id, "a", 1)
		n.Supplier, n.HourMicro = by, price
		return n
	}
	r := newRig(t, nil, owned("n1", "x", 10), owned("n2", "x", 10), owned("n3", "y", 11), owned("n4", "x", 12))
	q := job("j", 1, 5)
	q.Replicas, q.OneSupplier, q.Reform = 2, true, true
	r.do(0, sched.Submitted{Request: q})
	replaced := only[sched.Replaced](r, hour, sched.NodeDown{Node: "n2"})
	require.Equal(t, sched.NodeID("n4"), replaced.New[0].Node)
	ended := only[sched.Ended](r, 2*hour, sched.NodeDown{Node: "n4"})
	require.Equal(t, sched.CauseNodeLost, ended.Cause)
}

// TestReformKeepsPerSite loses a member where the sites that are left are full by the request's own limit.
func TestReformKeepsPerSite(t *testing.T) {
	r := newRig(t, nil, machine("n1", "a", 4), machine("n2", "b", 1))
	r.do(0, sched.LinkMeasured{A: "a", B: "b", DelayMicros: 5, Mbps: 5})
	q := job("j", 1, 5)
	q.Replicas, q.MaxSites, q.PerSite, q.Reform, q.Queue = 2, 2, 1, true, true
	r.do(0, sched.Submitted{Request: q})
	effects := r.do(hour, sched.NodeDown{Node: "n2"})
	require.Len(t, of[sched.Requeued](effects), 1, "site a may hold one replica only: %+v", effects)
}

// TestRestoreOfAnOverdueLease snapshots a fleet in which a lease is over but was not ended, and the next one on its device was due to begin.
func TestRestoreOfAnOverdueLease(t *testing.T) {
	r := newRig(t, nil, machine("n1", "a", 1))
	r.do(0, sched.Submitted{Request: job("j", 1, 1)})
	q := job("k", 1, 1)
	q.NotBefore = noon.Add(hour)
	r.do(0, sched.Submitted{Request: q})
	r.do(hour+minute, sched.Rotated{})
	r.again(sched.IONet())
	effects := r.do(hour+2*minute, sched.Ticked{})
	require.Equal(t, "[sched.Ended sched.Started]", fmt.Sprintf("[%T %T]", effects[0], effects[1]))
}

// TestBookedLeaseThatPassedUnnoticed lets a booked lease pass without a tick, after which another takes its device.
func TestBookedLeaseThatPassedUnnoticed(t *testing.T) {
	r := newRig(t, nil, machine("n1", "a", 1))
	q := job("booked", 1, 1)
	q.NotBefore = noon.Add(hour)
	r.do(0, sched.Submitted{Request: q})
	r.do(3*hour, sched.Submitted{Request: job("next", 1, 2)})
	effects := r.do(4*hour, sched.Ticked{})
	require.Equal(t, sched.Started{Lease: "lease-1"}, effects[0])
	require.Equal(t, uint64(3600), effects[1].(sched.Ended).Usage[0].Seconds)
	n, _ := r.f.Node("n1")
	require.Empty(t, n.Free)
}

// TestHoldDoesNotOutliveWhatItHolds holds for longer than is booked.
func TestHoldDoesNotOutliveWhatItHolds(t *testing.T) {
	r := newRig(t, func(p *sched.Policy) { p.MinDurationSeconds = 60 }, machine("n1", "a", 1))
	q := job("j", 1, 1)
	q.Duration = minute
	require.Equal(t, noon.Add(minute), only[sched.Held](r, 0, sched.Hold{Request: q, TTL: hour}).Until)
	r.refused(minute, sched.Commit{Lease: "lease-1"}, sched.ErrHoldExpired)
}

// TestMoneyForLongerMeetsWhatIsBooked says that a lease can pay for longer than was said before, when others booked what it was to leave.
func TestMoneyForLongerMeetsWhatIsBooked(t *testing.T) {
	r := newRig(t, nil, machine("n1", "a", 1))
	r.do(0, sched.Submitted{Request: job("j", 1, 5)})
	r.do(0, sched.FundsEnded{Lease: "lease-1", Until: noon.Add(hour)})
	q := job("next", 1, 1)
	q.NotBefore = noon.Add(2 * hour)
	r.do(0, sched.Submitted{Request: q})
	_, err := r.try(minute, sched.FundsEnded{Lease: "lease-1", Until: noon.Add(3 * hour)})
	require.Equal(t, &sched.ConflictError{Lease: "lease-1", Node: "n1", With: "lease-2", Until: noon.Add(2 * hour)}, err)
	r.do(minute, sched.FundsEnded{Lease: "lease-1", Until: noon.Add(2 * hour)})
	_, err = r.try(minute, sched.FundsAdded{Lease: "lease-1"})
	require.ErrorAs(t, err, new(*sched.ConflictError))
	// The same for a lease that was not to begin any more: one that began before it is in its way.
	r = newRig(t, nil, machine("n1", "a", 1))
	q = job("later", 1, 5)
	q.NotBefore = noon.Add(3 * hour)
	r.do(0, sched.Submitted{Request: q})
	r.do(0, sched.FundsEnded{Lease: "lease-1", Until: noon.Add(hour)})
	r.do(0, sched.Submitted{Request: job("long", 1, 4)})
	_, err = r.try(minute, sched.FundsAdded{Lease: "lease-1"})
	require.Equal(t, &sched.ConflictError{Lease: "lease-1", Node: "n1", With: "lease-2", Until: noon.Add(3 * hour)}, err)
}

// TestNobodyGoesForAJobWithoutDevices asks for processors that a spot lease has.
func TestNobodyGoesForAJobWithoutDevices(t *testing.T) {
	n := machine("n1", "a", 1)
	n.CPUMilli = 1_000
	r := newRig(t, nil, n)
	q := job("spot", 1, 1)
	q.Class, q.CPUMilli = sched.Spot, 1_000
	r.do(0, sched.Submitted{Request: q})
	q = job("reserved", 0, 1)
	q.Class, q.CPUMilli = sched.Reserved, 1_000
	_, err := r.try(0, sched.Submitted{Request: q})
	require.ErrorAs(t, err, new(*sched.UnplaceableError))
}

// TestNobodyGoesForAJobThatIsCancelled cancels a reserved lease before it begins: who was to make room for it stays, unless others have booked it.
func TestNobodyGoesForAJobThatIsCancelled(t *testing.T) {
	r := newRig(t, nil, machine("n1", "a", 2))
	for _, id := range []sched.JobID{"s1", "s2"} {
		r.do(0, sched.Submitted{Request: with1(job(id, 1, 5), func(q *sched.Request) { q.Class = sched.Spot })})
	}
	require.Len(t, r.do(0, sched.Submitted{Request: with1(job("r", 2, 1), func(q *sched.Request) { q.Class = sched.Reserved })}), 3)
	next := job("next", 1, 1)
	next.NotBefore = noon.Add(2 * hour)
	require.Equal(t, sched.LeaseID("lease-4"), only[sched.Leased](r, 0, sched.Submitted{Request: next}).Lease.ID)
	effects := r.do(minute, sched.Finished{Lease: "lease-3"})
	require.Len(t, effects, 2)
	require.Equal(t, sched.NoticeLifted{Lease: "lease-2"}, effects[1], "lease-1 has to go: what it has is booked from two hours on")
	effects = r.do(5*minute, sched.Ticked{})
	require.Len(t, effects, 1)
	require.Equal(t, sched.LeaseID("lease-1"), effects[0].(sched.Ended).Lease.ID)
}

// TestFundsEndBehindAPreemption ends funds after the preemption that is announced, or before it was: when that is called off, they still end.
func TestFundsEndBehindAPreemption(t *testing.T) {
	for _, first := range []bool{true, false} {
		r := newRig(t, nil, machine("n1", "a", 1))
		funds := sched.FundsEnded{Lease: "lease-1", Until: noon.Add(2 * hour)}
		r.do(0, sched.Submitted{Request: with1(job("s", 1, 5), func(q *sched.Request) { q.Class = sched.Spot })})
		if first {
			r.do(0, funds)
		}
		require.Len(t, r.do(0, sched.Submitted{Request: with1(job("r", 1, 1), func(q *sched.Request) { q.Class = sched.Reserved })}), 2)
		if !first {
			require.Empty(t, r.do(0, funds))
		}
		r.again(sched.IONet())
		require.Len(t, r.do(minute, sched.Finished{Lease: "lease-2"}), 2)
		ended := only[sched.Ended](r, 9*hour, sched.Ticked{})
		require.Equal(t, sched.CauseUnfunded, ended.Cause)
		require.Equal(t, uint64(7200), ended.Usage[0].Seconds)
	}
}

// TestIdleTickChangesNothing ticks twice at one instant, after events that a queue would have to know of.
func TestIdleTickChangesNothing(t *testing.T) {
	r := newRig(t, nil, machine("n1", "a", 1))
	r.do(0, sched.Submitted{Request: job("j", 1, 1)})
	r.do(0, sched.Finished{Lease: "lease-1"})
	before := r.f.Digest()
	r.do(0, sched.Ticked{})
	require.Equal(t, before, r.f.Digest())
}

// TestRestoreOfALeaseThatWillNotBegin snapshots a fleet in which a lease is out of funds before it begins, and another has its stretch.
func TestRestoreOfALeaseThatWillNotBegin(t *testing.T) {
	r := newRig(t, nil, machine("n1", "a", 1))
	q := job("poor", 1, 2)
	q.NotBefore = noon.Add(2 * hour)
	q.Job = "first"
	r.do(0, sched.Submitted{Request: q})
	r.do(0, sched.Finished{Lease: "lease-1"})
	r.do(0, sched.Submitted{Request: job("long", 1, 1)})
	q.Job = "poor"
	r.do(0, sched.Submitted{Request: q})
	r.do(0, sched.FundsEnded{Lease: "lease-3", Until: noon.Add(hour)})
	r.do(0, sched.Extend{Lease: "lease-2", By: 4 * hour}) // the older lease now has the stretch of the younger
	r.again(sched.IONet())
}

// TestReplacementWhereAnotherWasBooked puts a member where a lease was booked, and passed, that was not ended yet.
func TestReplacementWhereAnotherWasBooked(t *testing.T) {
	r := newRig(t, nil, machine("n1", "a", 1), machine("n2", "b", 1))
	q := job("passed", 1, 1)
	q.NotBefore = noon.Add(hour)
	r.do(0, sched.Submitted{Request: q})
	q = job("moves", 1, 9)
	q.Reform, q.NotBefore = true, time.Time{}
	require.Equal(t, sched.NodeID("n2"), only[sched.Leased](r, 0, sched.Submitted{Request: q}).Lease.Members[0].Node)
	require.Equal(t, sched.NodeID("n1"), only[sched.Replaced](r, 3*hour, sched.NodeDown{Node: "n2"}).New[0].Node)
	r.again(sched.IONet())
	require.Len(t, r.do(4*hour, sched.Ticked{}), 2)
}

// TestLostHoldThatHadExpired loses a node after the time to live of what was held there.
func TestLostHoldThatHadExpired(t *testing.T) {
	r := newRig(t, nil, machine("n1", "a", 1))
	only[sched.Held](r, 0, sched.Hold{Request: job("j", 1, 1)})
	require.Equal(t, sched.CauseExpired, only[sched.HoldEnded](r, minute, sched.NodeDown{Node: "n1"}).Cause)
}
