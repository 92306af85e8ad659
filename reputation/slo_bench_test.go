package reputation_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/reputation"
)

// BenchmarkSLO measures one heartbeat every 30 seconds. up: nothing changes. down: an outage goes on, all rules alert. flap: it
// changes at every second one, and lost time is merged. The years of a long run are cut: a new lease begins after 30 days.
func BenchmarkSLO(b *testing.B) {
	for _, c := range []struct {
		name string
		up   func(i int) bool
	}{
		{"up", func(int) bool { return true }},
		{"down", func(i int) bool { return i < 100 }},
		{"flap", func(i int) bool { return i%4 < 2 }},
	} {
		b.Run("heartbeat/"+c.name, func(b *testing.B) {
			contract := reputation.DefaultContract("lease")
			contract.Window = 366 * day // no period ends
			begin := promise(b, contract, start).Snapshot()
			s, i := promise(b, contract, start), 0
			b.ReportAllocs()
			for b.Loop() {
				if i == 30*2_880 {
					b.StopTimer()
					var err error
					s, err = reputation.RestoreSLO(contract, begin)
					require.NoError(b, err)
					i = 0
					b.StartTimer()
				}
				i++
				_, err := s.Apply(start.Add(time.Duration(i)*30*time.Second), reputation.SLOSeen{Up: c.up(i)})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("status", func(b *testing.B) {
		s := promise(b, reputation.DefaultContract("lease"), start)
		alive(b, s, start, sec(60))
		down(b, s, sec(60), sec(120))
		b.ReportAllocs()
		for b.Loop() {
			if s.Status().BudgetSeconds == 0 {
				b.Fatal("no budget")
			}
		}
	})
}

// Nothing is allocated while nothing changes, up or down.
func TestSLOAllocatesNothing(t *testing.T) {
	s := promise(t, reputation.DefaultContract("lease"), start)
	happen(t, s, sec(30), seen{Up: true})
	at, up := sec(30), true
	step := func() {
		at = at.Add(30 * time.Second)
		if _, err := s.Apply(at, seen{Up: up}); err != nil {
			t.Fatal(err)
		}
	}
	require.Zero(t, testing.AllocsPerRun(1_000, step))
	up = false
	for range 20 {
		step()
	}
	require.Zero(t, testing.AllocsPerRun(1_000, step))
}
