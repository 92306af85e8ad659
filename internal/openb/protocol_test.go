package openb_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/openb"
)

// ledger is a placer without hosts: it accepts while the cards in sum suffice, and keeps what happened.
type ledger struct {
	setup    openb.Setup
	room     int64
	asked    []openb.Spec
	held     map[int]openb.Spec
	released int
}

func (l *ledger) Place(s openb.Spec) (int, bool) {
	l.asked = append(l.asked, s)
	if s.Demand() > l.room {
		return 0, false
	}
	l.room -= s.Demand()
	l.held[len(l.asked)] = s
	return len(l.asked), true
}

func (l *ledger) Release(handle int) {
	s, ok := l.held[handle]
	if !ok {
		panic("released twice")
	}
	delete(l.held, handle)
	l.released++
	l.room += s.Demand()
}

// keep makes a ledger and hands it out.
func keep(out **ledger) openb.Maker {
	return func(s openb.Setup) (openb.Placer, error) {
		*out = &ledger{setup: s, held: map[int]openb.Spec{}, room: s.Trace.Capacity()}
		return *out, nil
	}
}

// small is ten hosts of four cards and pods that ask for the given per cent of them.
func small(percent int) *openb.Trace {
	var hosts []openb.Host
	for i := range 10 {
		hosts = append(hosts, openb.Host{Name: fmt.Sprintf("h%d", i), Model: "T4", CPUMilli: 1000, MemoryMiB: 1000, GPUs: 4})
	}
	var pods []openb.Pod
	for i := range percent {
		pods = append(pods, openb.Pod{Name: fmt.Sprintf("p%03d", i), Spec: openb.Spec{CPUMilli: int64(i + 1), GPUs: 1, Milli: 400}})
	}
	return openb.NewTrace(hosts, pods)
}

func sum(specs []openb.Spec) (d int64) {
	for _, s := range specs {
		d += s.Demand()
	}
	return d
}

func TestRunTunesTheListToTheCapacity(t *testing.T) {
	for _, percent := range []int{1, 60, 129, 130, 131, 200} {
		t.Run(fmt.Sprint(percent), func(t *testing.T) {
			tr := small(percent)
			var l *ledger
			_, err := openb.Run(tr, 42, keep(&l))
			require.NoError(t, err)
			require.Equal(t, int64(52_000), sum(l.asked), "1.3 x 40 cards is a multiple of the share")
			require.Zero(t, l.released)
			n := min(percent, 130)
			if percent <= 130 {
				first := map[int64]bool{}
				for _, s := range l.asked[:n] {
					first[s.CPUMilli] = true
				}
				require.Len(t, first, n, "the whole list comes first, each pod once")
			}
			names := map[string]bool{}
			for _, h := range l.setup.Hosts {
				names[h.Name] = true
			}
			require.Len(t, names, 10)
			require.False(t, slices.IsSortedFunc(l.setup.Hosts, func(a, b openb.Host) int { return int(a.Name[1]) - int(b.Name[1]) }))
		})
	}
}

// TestRunStopsAtThePublishedLimit: the last draw counts one of its cards against the limit of 52, so pods of three cards end at 54.
func TestRunStopsAtThePublishedLimit(t *testing.T) {
	tr := small(1)
	tr.Pods[0].Spec = openb.Spec{CPUMilli: 1, GPUs: 3, Milli: 1000}
	var l *ledger
	_, err := openb.Run(tr, 42, keep(&l))
	require.NoError(t, err)
	require.Equal(t, int64(54_000), sum(l.asked))
}

func TestRunMeasuresPerCent(t *testing.T) {
	var l *ledger
	c, err := openb.Run(small(130), 42, keep(&l))
	require.NoError(t, err)
	require.True(t, math.IsNaN(c[0]), "the first pod arrives at 1 %")
	for b := 1; b <= 130; b++ {
		require.InDelta(t, min(b, 100), c[b], 1e-9, "bucket %d", b)
	}
}

func TestSameSeedSameRun(t *testing.T) {
	var a, b, c *ledger
	for seed, out := range map[int64][]**ledger{42: {&a, &b}, 43: {&c}} {
		for _, o := range out {
			_, err := openb.Run(small(100), seed, keep(o))
			require.NoError(t, err)
		}
	}
	require.Equal(t, a.asked, b.asked)
	require.Equal(t, a.setup.Hosts, b.setup.Hosts)
	require.NotEqual(t, a.asked, c.asked)
	require.NotEqual(t, a.setup.Hosts, c.setup.Hosts)
}

func TestChurn(t *testing.T) {
	tests := []struct {
		name        string
		load        float64
		alloc, part float64 // of the ledger
		within      float64
	}{
		// 50 servers of exponential stays are not the deterministic limit: the bounds are wide.
		{"light", 0.5, 50, 100, 4},
		{"heavy", 3, 98, 33, 4},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			var l *ledger
			cfg := openb.ChurnConfig{Load: c.load, WarmUp: 2_000, Measured: 20_000}
			got, err := openb.Churn(small(100), 42, cfg, keep(&l))
			require.NoError(t, err)
			require.Len(t, l.asked, 22_000)
			require.Positive(t, l.released)
			require.InDelta(t, c.alloc, got.Allocation, c.within)
			require.InDelta(t, c.part, got.Accepted, c.within)
			again, err := openb.Churn(small(100), 42, cfg, keep(&l))
			require.NoError(t, err)
			require.Equal(t, got, again)
		})
	}
}

func TestMakersErrorIsReturned(t *testing.T) {
	no := errors.New("no")
	mk := func(openb.Setup) (openb.Placer, error) { return nil, no }
	_, err := openb.Run(small(10), 1, mk)
	require.ErrorIs(t, err, no)
	_, err = openb.Churn(small(10), 1, openb.DefaultChurn(), mk)
	require.ErrorIs(t, err, no)
}
