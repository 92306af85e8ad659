package sched_test

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/idlegrid/idlegrid/sched"
)

// tell writes effects in a line each.
func tell(effects []sched.Effect) {
	for _, e := range effects {
		switch e := e.(type) {
		case sched.Held:
			fmt.Println("held", e.Lease.ID, "until", e.Until.Format(time.TimeOnly), e.Placement.Members[0].Node)
		case sched.HoldEnded:
			fmt.Println("gave up", e.Lease, e.Job, e.Cause)
		case sched.Leased:
			fmt.Println("leased", e.Lease.ID, e.Lease.State, e.Lease.From.Format(time.TimeOnly), "to", e.Lease.Until.Format(time.TimeOnly), members(e.Lease.Members))
		case sched.Started:
			fmt.Println("started", e.Lease)
		case sched.Notified:
			fmt.Println("notified", e.Lease, e.Cause, "at", e.At.Format(time.TimeOnly)+strings.TrimSuffix(" for "+string(e.For), " for "))
		case sched.Replaced:
			fmt.Println("replaced", e.Cause, members(e.Lost), "by", members(e.New), e.FromSpares, "from spares", e.Relaxed)
		case sched.Ended:
			fmt.Println("ended", e.Lease.ID, e.Cause, "at", e.Lease.Until.Format(time.TimeOnly), usage(e.Usage))
		}
	}
}

// fleet is one of some machines with so many cards each, at one site.
func fleet(cards ...int) *sched.Fleet {
	f, err := sched.NewFleet(sched.IONet())
	if err != nil {
		panic(err)
	}
	for i, n := range cards {
		must(f.Apply(noon, sched.NodeUp{Node: machine(sched.NodeID(fmt.Sprintf("n%d", i+1)), "a", n)}))
	}
	return f
}

func ExampleHold() {
	f := fleet(1)
	held := must(f.Apply(noon, sched.Hold{Request: job("train", 1, 2), TTL: 5 * time.Minute}))[0].(sched.Held)
	fmt.Println(held.Lease.ID, held.Lease.State, held.Lease.HourMicro, held.Until.Format(time.TimeOnly))
	tell(must(f.Apply(noon.Add(4*time.Minute), sched.Commit{Lease: "lease-1"}))) // it was paid for
	tell(must(f.Apply(noon.Add(time.Hour), sched.Finished{Lease: "lease-1"})))

	tell(must(f.Apply(noon.Add(time.Hour), sched.Hold{Request: job("other", 1, 2)}))) // a minute, by the policy
	gone := must(f.Apply(noon.Add(time.Hour), sched.Release{Lease: "lease-2"}))[0].(sched.HoldEnded)
	fmt.Println(gone.Lease, gone.Job, gone.Cause)
	tell(must(f.Apply(noon.Add(time.Hour), sched.Hold{Request: job("third", 1, 2)})))
	_, err := f.Apply(noon.Add(61*time.Minute), sched.Commit{Lease: "lease-3"})
	fmt.Println(err, errors.Is(err, sched.ErrHoldExpired))
	tell(must(f.Apply(noon.Add(61*time.Minute), sched.Ticked{})))
	// Output:
	// lease-1 held 400000 12:05:00
	// leased lease-1 running 12:00:00 to 14:00:00 n1/0
	// ended lease-1 finished at 13:00:00 1 devices, 3600 s each
	// held lease-2 until 13:01:00 n1
	// lease-2 other released
	// held lease-3 until 13:01:00 n1
	// sched: hold has expired: "lease-3" at 2024-06-20T13:01:00Z true
	// gave up lease-3 third expired
}

func ExampleFleet_Queue() {
	f := fleet(2)
	one := job("one", 2, 3)
	tell(must(f.Apply(noon, sched.Submitted{Request: one})))
	two := job("two", 1, 1)
	two.Queue = true
	queued := must(f.Apply(noon, sched.Submitted{Request: two}))[0].(sched.Queued)
	fmt.Println(queued.Job, queued.Earliest.Format(time.TimeOnly), queued.Why)
	for _, l := range f.Queue() {
		fmt.Println(l.ID, l.Job, l.State, l.From.Format(time.TimeOnly))
	}
	tell(must(f.Apply(noon.Add(time.Hour), sched.Finished{Lease: "lease-1"})))
	tell(must(f.Apply(noon.Add(time.Hour), sched.Ticked{})))
	// Output:
	// leased lease-1 running 12:00:00 to 15:00:00 n1/0+n1/1
	// two 15:00:00 sched: job "two" cannot be placed: 1 node considered: 1 cards; no change admits it; it fits as it is at 2024-06-20T15:00:00Z
	// lease-2 two waiting 15:00:00
	// ended lease-1 finished at 13:00:00 2 devices, 3600 s each
	// leased lease-2 running 13:00:00 to 14:00:00 n1/0
}

func ExampleFleet_Calendar() {
	f := fleet(2)
	night := job("night", 2, 8)
	night.NotBefore = noon.Add(10 * time.Hour)
	tell(must(f.Apply(noon, sched.Submitted{Request: night})))
	tell(must(f.Apply(noon, sched.Submitted{Request: job("day", 1, 9)})))
	longer := must(f.Apply(noon, sched.Extend{Lease: "lease-2", By: time.Hour}))[0].(sched.Extended)
	fmt.Println(longer.Lease, longer.Until.Format(time.TimeOnly))
	_, err := f.Apply(noon, sched.Extend{Lease: "lease-2", By: time.Second})
	fmt.Println(err)
	var b sched.Booking
	for _, b = range f.Calendar("n1") {
		fmt.Println(b.Lease, b.State, b.From.Format(time.TimeOnly), b.Until.Format(time.TimeOnly), b.Devices)
	}
	for _, e := range must(f.Apply(noon.Add(10*time.Hour), sched.Ticked{})) {
		switch e := e.(type) {
		case sched.Ended:
			fmt.Println(e.Lease.ID, "is over")
		case sched.Started:
			fmt.Println(e.Lease, "begins")
		}
	}
	// Output:
	// leased lease-1 booked 22:00:00 to 06:00:00 n1/0+n1/1
	// leased lease-2 running 12:00:00 to 21:00:00 n1/0
	// lease-2 22:00:00
	// sched: lease "lease-2" on node "n1" conflicts with "lease-1": at most until 2024-06-20T22:00:00Z
	// lease-2 running 12:00:00 22:00:00 [n1/0]
	// lease-1 booked 22:00:00 06:00:00 [n1/0 n1/1]
	// lease-2 is over
	// lease-1 begins
}

func ExampleConflictError() {
	f := fleet(1)
	tell(must(f.Apply(noon, sched.Submitted{Request: job("a", 1, 2)})))
	next := job("b", 1, 1)
	next.NotBefore = noon.Add(3 * time.Hour)
	tell(must(f.Apply(noon, sched.Submitted{Request: next})))
	_, err := f.Apply(noon, sched.Extend{Lease: "lease-1", By: 2 * time.Hour})
	var no *sched.ConflictError
	if errors.As(err, &no) {
		fmt.Println(no.Lease, no.Node, no.With, no.Until.Format(time.TimeOnly))
	}
	fmt.Println(no.Error())
	// Output:
	// leased lease-1 running 12:00:00 to 14:00:00 n1/0
	// leased lease-2 booked 15:00:00 to 16:00:00 n1/0
	// lease-1 n1 lease-2 15:00:00
	// sched: lease "lease-1" on node "n1" conflicts with "lease-2": at most until 2024-06-20T15:00:00Z
}

func ExampleReclaim() {
	f := fleet(2, 2)
	gang := job("gang", 1, 6)
	gang.Replicas, gang.Spares = 2, 1
	tell(must(f.Apply(noon, sched.Submitted{Request: gang})))
	notice := must(f.Apply(noon, sched.Reclaim{Node: "n1"}))[0].(sched.Notified)
	fmt.Println(notice.Lease, notice.Cause, notice.At.Format(time.TimeOnly))
	tell(must(f.Apply(noon.Add(time.Hour), sched.Ticked{}))) // one spare is not enough for two
	again := job("again", 1, 6)
	again.Queue, again.Reform = true, true
	tell(must(f.Apply(noon.Add(time.Hour), sched.Submitted{Request: again})))
	waits := must(f.Apply(noon.Add(2*time.Hour), sched.NodeDown{Node: "n2"}))[1].(sched.Requeued) // after Ended
	l, _ := f.Lease(waits.Lease)
	fmt.Println(waits.Job, waits.Lease, l.State)
	// Output:
	// leased lease-1 running 12:00:00 to 18:00:00 n1/0 n1/1
	// lease-1 reclaimed 13:00:00
	// ended lease-1 reclaimed at 13:00:00 3 devices, 3600 s each
	// leased lease-2 running 13:00:00 to 19:00:00 n2/0
	// again lease-3 waiting
}

func ExampleReplaced() {
	f := fleet(1, 1, 1)
	gang := job("gang", 1, 6)
	gang.Replicas, gang.Spares = 2, 1
	tell(must(f.Apply(noon, sched.Submitted{Request: gang})))
	tell(must(f.Apply(noon.Add(time.Hour), sched.NodeDown{Node: "n1"})))
	tell(must(f.Apply(noon.Add(2*time.Hour), sched.Finished{Lease: "lease-1"})))
	// Output:
	// leased lease-1 running 12:00:00 to 18:00:00 n1/0 n2/0
	// replaced node lost n1/0 by n3/0 1 from spares []
	// ended lease-1 finished at 14:00:00 1 devices, 3600 s each; 2 devices, 7200 s each
}

func ExampleFundsEnded() {
	f := fleet(1)
	tell(must(f.Apply(noon, sched.Submitted{Request: job("a", 1, 9)})))
	tell(must(f.Apply(noon, sched.FundsEnded{Lease: "lease-1", Until: noon.Add(time.Hour)})))
	lifted := must(f.Apply(noon.Add(time.Minute), sched.FundsAdded{Lease: "lease-1"}))[0].(sched.NoticeLifted)
	fmt.Println(lifted.Lease, "is paid for")
	tell(must(f.Apply(noon.Add(time.Hour), sched.FundsEnded{Lease: "lease-1", Until: noon.Add(2 * time.Hour)})))
	tell(must(f.Apply(noon.Add(24*time.Hour), sched.Ticked{}))) // late, and yet it does not run free
	// Output:
	// leased lease-1 running 12:00:00 to 21:00:00 n1/0
	// notified lease-1 unfunded at 13:00:00
	// lease-1 is paid for
	// notified lease-1 unfunded at 14:00:00
	// ended lease-1 unfunded at 14:00:00 1 devices, 7200 s each
}

func ExampleClass() {
	f := fleet(2)
	for _, class := range []sched.Class{sched.Spot, sched.OnDemand, sched.Reserved} {
		q := job(sched.JobID(class.String()), 1, 2)
		q.Class = class
		tell(must(f.Apply(noon, sched.Submitted{Request: q})))
	}
	tell(must(f.Apply(noon.Add(5*time.Minute), sched.Ticked{})))
	// Output:
	// leased lease-1 running 12:00:00 to 14:00:00 n1/0
	// leased lease-2 running 12:00:00 to 14:00:00 n1/1
	// notified lease-1 preempted at 12:05:00 for reserved
	// leased lease-3 booked 12:05:00 to 14:05:00 n1/0
	// ended lease-1 preempted at 12:05:00 1 devices, 300 s each
	// started lease-3
}

func ExampleFleet_Defragment() {
	f := fleet(2, 2)
	for i := range 3 {
		q := job(sched.JobID(fmt.Sprintf("small-%d", i)), 1, 4)
		q.Movable = true
		tell(must(f.Apply(noon, sched.Submitted{Request: q})))
	}
	tell(must(f.Apply(noon, sched.Finished{Lease: "lease-1"}))) // now each machine has one card left
	big := job("big", 2, 4)
	var p sched.Proposal
	p, err := f.Defragment(big, 4)
	fmt.Println(p.Moves, p.Cards, p.Before, p.After, members(p.Placement.Members), err)
	moved := must(f.Apply(noon, sched.Migrate{Moves: p.Moves}))[0].(sched.Moved)
	fmt.Println(moved.Lease.ID, moved.From[0].Devices, "to", moved.To[0].Devices)
	tell(must(f.Apply(noon, sched.Submitted{Request: big})))
	var m sched.Move
	for _, m = range p.Moves {
		fmt.Println(m.Lease, m.Rank, m.To)
	}
	// Output:
	// leased lease-1 running 12:00:00 to 16:00:00 n1/0
	// leased lease-2 running 12:00:00 to 16:00:00 n1/1
	// leased lease-3 running 12:00:00 to 16:00:00 n2/0
	// ended lease-1 finished at 12:00:00 1 devices, 0 s each
	// [{lease-2 0 n2}] 1 0 1 n1/0+n1/1 <nil>
	// lease-2 [n1/1] to [n2/1]
	// leased lease-4 running 12:00:00 to 16:00:00 n1/0+n1/1
	// lease-2 0 n2
}

func ExampleDrain() {
	f := fleet(1)
	must(f.Apply(noon, sched.Drain{Node: "n1", On: true}))
	_, err := f.Try(job("a", 1, 1))
	fmt.Println(err)
	must(f.Apply(noon, sched.Drain{Node: "n1"}))
	_, err = f.Try(job("a", 1, 1))
	fmt.Println(err)
	// Output:
	// sched: job "a" cannot be placed: 1 node considered: 1 down; no change admits it
	// <nil>
}

func ExampleSurvival() {
	// Eight replicas need all of eight machines, or eight of nine, each of which lives with 99 %.
	fmt.Println(sched.Survival([]uint32{990_000, 990_000, 990_000, 990_000, 990_000, 990_000, 990_000, 990_000}, 8))
	fmt.Println(sched.Survival([]uint32{990_000, 990_000, 990_000, 990_000, 990_000, 990_000, 990_000, 990_000, 990_000}, 8))

	f := fleet(4, 4)
	must(f.Apply(noon, sched.NodeUp{Node: machine("n3", "b", 4)}))
	must(f.Apply(noon, sched.LinkMeasured{A: "a", B: "b", DelayMicros: 500, Mbps: 10_000}))
	must(f.Apply(noon, sched.SiteRated{Site: "a", LossPPM: 10_000}))
	q := job("sure", 1, 1)
	q.Replicas, q.MinSurvivalPPM, q.MaxSites = 4, 999_000, 2
	p, err := f.Try(q)
	fmt.Println(members(p.Members), "spare", members(p.Spares), p.SurvivalPPM, err)
	// Output:
	// 922744
	// 996564
	// n1/0 n1/1 n1/2 n1/3 spare n3/0 n3/1 n3/2 n3/3 1000000 <nil>
}

func ExampleState() {
	f := fleet(1)
	must(f.Apply(noon, sched.Hold{Request: job("a", 1, 1)}))
	l, _ := f.Lease("lease-1")
	fmt.Println(l.State, sched.StateWaiting, sched.StateBooked, sched.StateRunning)
	// Output:
	// held waiting booked running
}
