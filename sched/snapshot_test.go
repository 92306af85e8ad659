package sched_test

import (
	"bytes"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/sched"
)

// TestEveryByteOfASnapshot changes each byte of snapshots of busy fleets: what is restored then is refused, or is a sound fleet with
// which things go on.
func TestEveryByteOfASnapshot(t *testing.T) {
	fleets, stride := 6, 1
	if testing.Short() || underRace {
		fleets, stride = 1, 7
	}
	restored := 0
	for seed := range uint64(fleets) {
		x := newTrial(t, 1000+seed)
		for range 150 {
			x.at = x.at.Add(time.Duration(x.r.IntN(300)) * time.Second)
			x.play(x.event())
		}
		good := x.f.Snapshot()
		for i := 0; i < len(good); i += stride {
			b := append([]byte(nil), good...)
			b[i] ^= 1 << (i % 8)
			if x.some(2) {
				b[i] = byte(x.r.UintN(256))
			}
			f, err := sched.Restore(x.policy, b)
			if err != nil {
				continue
			}
			restored++
			require.NoError(t, f.Audit(), "byte %d", i)
			require.True(t, bytes.Equal(b, f.Snapshot()), "byte %d: one state, one encoding", i)
			goOn(t, x, f)
		}
	}
	t.Logf("%d changed snapshots are those of another sound fleet", restored)
	require.Positive(t, restored)
}

// goOn plays some events on a fleet of unknown origin.
func goOn(t *testing.T, x *trial, f *sched.Fleet) {
	at := later(x.at, f.View().At())
	r := rand.New(rand.NewPCG(9, 9))
	own := *x
	own.r = r
	for range 8 {
		at = at.Add(time.Duration(r.IntN(5000)) * time.Second)
		if _, err := f.Apply(at, own.event()); err == nil {
			require.NoError(t, f.Audit())
		}
	}
}

// TestTruncatedSnapshots cuts a snapshot at every byte.
func TestTruncatedSnapshots(t *testing.T) {
	x := newTrial(t, 77)
	for range 100 {
		x.at = x.at.Add(time.Minute)
		x.play(x.event())
	}
	good := x.f.Snapshot()
	for i := range good {
		_, err := sched.Restore(x.policy, good[:i])
		require.ErrorIs(t, err, sched.ErrSnapshot, "%d bytes", i)
	}
	_, err := sched.Restore(x.policy, append(good, 0))
	require.ErrorIs(t, err, sched.ErrSnapshot)
}

// TestViewsWhileTheFleetGoesOn asks views in other goroutines while events are applied; under the race detector nothing may be shared that is written.
func TestViewsWhileTheFleetGoesOn(t *testing.T) {
	for seed := range uint64(6) {
		x := newTrial(t, 30+seed)
		for range 200 {
			x.at = x.at.Add(time.Minute)
			x.play(x.event())
		}
		askWhile(t, x)
	}
}

func askWhile(t *testing.T, x *trial) {
	var wait sync.WaitGroup
	for range 10 {
		v, r := x.f.View(), x.request()
		said := says(v, r)
		for range 2 {
			wait.Go(func() {
				for range 3 {
					if now := says(v, r); now != said {
						t.Errorf("a view changed from\n%s\nto\n%s", said, now)
						return
					}
				}
			})
		}
		for range 10 {
			x.at = x.at.Add(time.Minute)
			x.play(x.event())
		}
	}
	wait.Wait()
}
