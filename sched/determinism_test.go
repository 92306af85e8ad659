package sched_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/golden"
	"github.com/idlegrid/idlegrid/internal/trace"
	"github.com/idlegrid/idlegrid/sched"
)

// day plays a day of a seeded fleet of 300 hosts and 24 sites: jobs come through the first hours, gangs among them, nodes go down and come back, ticks are late.
func day(t testing.TB) *sched.Fleet {
	t.Helper()
	w, err := trace.Generate(5, trace.Config{Hosts: 300, Sites: 24, DemandPPM: 1_300_000, ModelPPM: 700_000, CountryPPM: 200_000})
	require.NoError(t, err)
	f, err := sched.NewFleet(sched.IONet())
	require.NoError(t, err)
	nodes := w.Nodes()
	for _, n := range nodes {
		must(f.Apply(noon, sched.NodeUp{Node: n}))
	}
	for _, l := range w.Links() {
		must(f.Apply(noon, l))
	}
	at := noon
	for i, r := range w.Requests() {
		at = at.Add(time.Minute)
		if i%10 == 0 {
			r.Replicas, r.MaxSites, r.MaxDelayMicros, r.Countries = uint16(4+i%13), 3, 60_000, nil
		}
		if _, err := f.Apply(at, sched.Submitted{Request: r}); err != nil {
			var no *sched.UnplaceableError
			require.ErrorAs(t, err, &no)
		}
		switch i % 50 {
		case 20:
			must(f.Apply(at, sched.NodeDown{Node: nodes[i%len(nodes)].ID}))
		case 40:
			must(f.Apply(at, sched.NodeUp{Node: nodes[(i-20)%len(nodes)]}))
		case 45:
			must(f.Apply(at, sched.Ticked{}))
		}
	}
	must(f.Apply(at.Add(12*time.Hour), sched.Ticked{}))
	require.NoError(t, f.Audit())
	return f
}

func TestDigestOfADay(t *testing.T) {
	f := day(t)
	digest := fmt.Sprintf("%x\n", f.Digest())
	golden.Check(t, "testdata/digest.txt", digest)
	old := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(old)
	require.Equal(t, digest, fmt.Sprintf("%x\n", day(t).Digest()))
	s := f.Stats()
	require.Positive(t, s.Ended)
	require.Positive(t, s.Running)
}

// TestDigestOfLives plays random events of every kind, with one processor and with all of them.
func TestDigestOfLives(t *testing.T) {
	play := func() (out string) {
		for seed := range uint64(4) {
			x := newTrial(t, 500+seed)
			for range 500 {
				x.at = x.at.Add(time.Duration(x.r.IntN(900)) * time.Second)
				x.play(x.event())
			}
			out += fmt.Sprintf("%x\n", x.f.Digest())
		}
		return out
	}
	want := play()
	golden.Check(t, "testdata/lives.txt", want)
	old := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(old)
	require.Equal(t, want, play())
}

// TestRestartAtEveryEvent stops after each event of a day and goes on from the snapshot.
func TestRestartAtEveryEvent(t *testing.T) {
	f := leftovers()
	g := leftovers()
	job := eight()
	job.Replicas, job.MaxSites = 2, 2
	at := noon
	for i := range 60 {
		at = at.Add(11 * time.Minute)
		job.Job = sched.JobID(fmt.Sprintf("job-%d", i))
		for _, e := range []sched.Event{sched.Submitted{Request: job}, sched.Ticked{}} {
			a, err1 := f.Apply(at, e)
			b, err2 := g.Apply(at, e)
			require.Equal(t, a, b)
			require.Equal(t, err1, err2)
			var err error
			g, err = sched.Restore(sched.IONet(), g.Snapshot())
			require.NoError(t, err)
			require.Equal(t, f.Digest(), g.Digest())
		}
	}
	require.Positive(t, f.Stats().Ended)
}
