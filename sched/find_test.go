package sched_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/sched"
)

// TestCheapestWalkPassesEmptyBands compares only the first node of the cheapest band that has one.
func TestCheapestWalkPassesEmptyBands(t *testing.T) {
	r := newRig(t, func(p *sched.Policy) { p.Candidates = 1 })
	for i, price := range []uint64{5_000_000, 900_000, 20_000_000, 300_000} {
		n := machine(sched.NodeID(fmt.Sprintf("n%d", i)), "a", 1)
		n.HourMicro = price
		r.do(0, sched.NodeUp{Node: n})
	}
	for i, want := range []sched.NodeID{"n3", "n1", "n0", "n2"} {
		leased := only[sched.Leased](r, 0, sched.Submitted{Request: job(sched.JobID(fmt.Sprintf("j%d", i)), 1, 1)})
		require.Equal(t, want, leased.Lease.Members[0].Node)
	}
}

// TestGangsOnWhatIsBusyNow places gangs that need no device that is wholly free at this moment.
func TestGangsOnWhatIsBusyNow(t *testing.T) {
	n := machine("n1", "a", 2)
	n.Shares, n.MIG = true, true
	r := newRig(t, nil, n)
	share := job("share", 1, 2)
	share.ShareMilli = 100
	r.do(0, sched.Submitted{Request: share})
	instance := job("instance", 1, 2)
	instance.MIG = sched.MIG2g
	r.do(0, sched.Submitted{Request: instance})
	share.Job, share.Replicas, share.ShareMilli = "shares", 3, 300
	only[sched.Leased](r, 0, sched.Submitted{Request: share})
	instance.Job, instance.Replicas = "instances", 2
	only[sched.Leased](r, 0, sched.Submitted{Request: instance})
	cpu := job("cpu", 0, 2)
	cpu.Replicas, cpu.CPUMilli = 3, 1_000
	only[sched.Leased](r, 0, sched.Submitted{Request: cpu})
	whole := job("whole", 1, 2)
	whole.Replicas, whole.NotBefore = 2, noon.Add(2*hour)
	only[sched.Leased](r, 0, sched.Submitted{Request: whole})
}

// TestRestoreWithEveryNodeDown asks a restored fleet in which no node takes jobs.
func TestRestoreWithEveryNodeDown(t *testing.T) {
	r := newRig(t, func(p *sched.Policy) { p.Candidates = 4 }, machine("n1", "a", 1), machine("n2", "a", 2))
	r.do(0, sched.NodeDown{Node: "n1"})
	r.do(0, sched.Drain{Node: "n2", On: true})
	r.again(with1(sched.IONet(), func(p *sched.Policy) { p.Candidates = 4 }))
	for _, replicas := range []uint16{1, 2} {
		q := job("j", 1, 1)
		q.Replicas, q.Models = replicas, []string{"Tesla T4"}
		_, err := r.try(0, sched.Submitted{Request: q})
		require.ErrorContains(t, err, "2 nodes considered: 2 down")
	}
}

// TestNoCountOfWhatWasTakenBack refuses the second of two moves, and proposes others, on a fleet whose weights follow its changes.
func TestNoCountOfWhatWasTakenBack(t *testing.T) {
	f, err := sched.NewFleet(sched.Default())
	require.NoError(t, err)
	r := &rig{t: t, f: f}
	for _, id := range []sched.NodeID{"n1", "n2"} {
		r.do(0, sched.NodeUp{Node: machine(id, "a", 2)})
	}
	r.do(0, sched.Observed{Mix: []sched.Spec{{GPUs: 1, Count: 1}, {GPUs: 2, Count: 1}}})
	for i := range 3 {
		q := job(sched.JobID(fmt.Sprintf("j%d", i)), 1, 1)
		q.Movable = true
		r.do(0, sched.Submitted{Request: q})
	}
	r.do(0, sched.Finished{Lease: "lease-1"})
	before := f.Digest()
	for range 300 {
		_, err = r.try(0, sched.Migrate{Moves: []sched.Move{{Lease: "lease-2", To: "n2"}, {Lease: "lease-3", To: "n2"}}})
		require.ErrorAs(t, err, new(*sched.ConflictError))
		p, err := f.Defragment(job("big", 2, 1), 4)
		require.NoError(t, err)
		require.Len(t, p.Moves, 1)
		require.Equal(t, before, f.Digest())
	}
}

// TestNodeBetweenTwoLeases asks for a place where a lease is over but was not ended, and the next one was to begin.
func TestNodeBetweenTwoLeases(t *testing.T) {
	n := machine("n1", "a", 4)
	n.CPUMilli = 4_000
	r := newRig(t, nil, n)
	q := job("a", 1, 1)
	q.CPUMilli = 2_000
	r.do(0, sched.Submitted{Request: q})
	q.Job, q.CPUMilli, q.NotBefore = "b", 3_000, noon.Add(hour)
	r.do(0, sched.Submitted{Request: q})
	q.Job, q.CPUMilli, q.NotBefore = "c", 2_000, time.Time{}
	_, err := r.try(hour+minute, sched.Submitted{Request: q})
	require.ErrorAs(t, err, new(*sched.UnplaceableError))
}

// TestSpreadGangsWhoseRoomIsCounted asks for spreads where the sites' room has to be counted node by node.
func TestSpreadGangsWhoseRoomIsCounted(t *testing.T) {
	nodes := []sched.Node{}
	for _, s := range []sched.SiteID{"a", "b", "c"} {
		for i := range 3 {
			n := machine(sched.NodeID(fmt.Sprintf("%s%d", s, i)), s, 4)
			n.Shares = true
			nodes = append(nodes, n)
		}
	}
	for name, change := range map[string]func(*sched.Request){
		"apart":  func(q *sched.Request) { q.ApartNodes = true },
		"shares": func(q *sched.Request) { q.ShareMilli = 600 },
		"later":  func(q *sched.Request) { q.NotBefore = noon.Add(hour) },
		"plain":  func(*sched.Request) {},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil, nodes...)
			q := job("j", 1, 2)
			q.Replicas, q.MaxSites, q.MinSites, q.PerSite = 5, 3, 3, 2
			change(&q)
			p, err := r.f.Try(q)
			require.NoError(t, err)
			require.Len(t, p.Members, 5)
			require.Equal(t, 3, p.Sites)
			load := map[sched.SiteID]int{}
			for _, m := range p.Members {
				load[m.Site]++
				require.LessOrEqual(t, load[m.Site], 2)
			}
		})
	}
}

// TestWalksFindWhateverIsThere rotates the walk over nodes of many kinds and places, with and without a limit on candidates.
func TestWalksFindWhateverIsThere(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for round := range 100 {
		policy := sched.IONet()
		policy.Candidates, policy.Rotate = uint16(r.IntN(3)), true
		if r.IntN(2) == 0 {
			policy.Order = []sched.Criterion{sched.Tightest}
		}
		x := newRig(t, func(p *sched.Policy) { *p = policy })
		up := 0
		for i := range 1 + r.IntN(40) {
			n := machine(sched.NodeID(fmt.Sprintf("n%d", i)), sched.SiteID(fmt.Sprintf("s%d", r.IntN(5))), 1+r.IntN(3))
			n.Model, n.Country = []string{"A", "B", "C"}[r.IntN(3)], []string{"DE", "FR"}[r.IntN(2)]
			n.HourMicro = uint64(r.IntN(6)) * 300_000
			x.do(0, sched.NodeUp{Node: n})
			up += len(n.Devices)
		}
		for i := range up { // one device each, until nothing is left
			x.do(0, sched.Rotated{Seed: r.Uint32()})
			q := job(sched.JobID(fmt.Sprintf("j%d", i)), 1, 1)
			_, err := x.try(0, sched.Submitted{Request: q})
			require.NoError(t, err, "round %d, device %d of %d, %v %d", round, i, up, policy.Order, policy.Candidates)
		}
	}
}
