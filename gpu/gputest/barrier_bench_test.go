package gputest_test

import (
	"context"
	"encoding/binary"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu/challenge"
	"github.com/idlegrid/idlegrid/gpu/challenge/cpu"
)

// timed is a task of some 25 ms on one core, without a table: the table alone would catch the cheat whatever the time.
func timed(n uint64) challenge.Spec {
	s := challenge.Spec{Version: challenge.Version, Device: "GPU-1", N: 256, Rounds: 4, Width: 32, Openings: 8}
	binary.BigEndian.PutUint64(s.Session[:], n+1)
	return s
}

// BenchmarkBarrierRealTimers lets real provers work on the real clock. Of "one" a single processor core, one after the other,
// answers for two devices; of "two" each device has a core of its own. The metric is the share of barriers in which somebody
// was late, in parts per million: of "one" all should be, of "two" none. The rate is that of a device alone on the same
// machine in the same run, with the protocol's own tolerance.
func BenchmarkBarrierRealTimers(b *testing.B) {
	rate := alone(b)
	for name, cards := range map[string]int{"one": 1, "two": 2} {
		b.Run(name, func(b *testing.B) {
			late, n := 0, uint64(0)
			for b.Loop() {
				n++
				if barrier(b, cards, rate, n) {
					late++
				}
			}
			b.ReportMetric(float64(late)*1e6/float64(b.N), "late-ppm")
		})
	}
}

// alone is the median rate of a device that is not disturbed.
func alone(b *testing.B) challenge.Rate {
	b.Helper()
	p := prover(b)
	var took []time.Duration
	for i := range uint64(21) {
		began := time.Now()
		_, err := p.Commit(b.Context(), timed(1<<40+i))
		require.NoError(b, err)
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	ops := timed(0).Ops() * uint64(time.Second) / uint64(took[len(took)/2])
	return challenge.Rate{
		Model: "core", OpsPerSec: ops, Runs: 21, Driver: "none", Kernel: "plain", Source: "this run", Measured: "2026-01-31",
		ClockMHz: 1, PowerWatts: 1,
	}
}

func prover(b *testing.B) *cpu.Prover {
	b.Helper()
	p, err := cpu.New(cpu.Config{Workers: 1, MaxBytes: 64 << 20, Plain: true})
	require.NoError(b, err)
	return p
}

// barrier challenges two devices at one instant and reports whether one of them was late.
func barrier(b *testing.B, cards int, rate challenge.Rate, n uint64) bool {
	b.Helper()
	first, second := timed(2*n), timed(2*n+1)
	second.Device = "GPU-2"
	x, err := challenge.NewBarrier(challenge.DefaultParams(), []challenge.Task{{Spec: first, Rate: rate}, {Spec: second, Rate: rate}})
	require.NoError(b, err)
	_, err = x.Apply(time.Now(), challenge.Begun{})
	require.NoError(b, err)
	var effects []challenge.Effect
	for range challenge.Pings {
		for i := range uint32(2) {
			effects, err = x.Apply(time.Now(), challenge.Of{Exchange: i, Event: challenge.Ponged{}})
			require.NoError(b, err)
		}
	}
	require.Contains(b, effects, challenge.Effect(challenge.Assembled{}))
	hosts := []*cpu.Prover{prover(b), prover(b)}
	locks := []*sync.Mutex{{}, {}}
	if cards == 1 {
		hosts[1], locks[1] = hosts[0], locks[0]
	}
	effects, err = x.Apply(time.Now(), challenge.Together{Sessions: []challenge.Hash{timed(4*n + 1).Session, timed(4*n + 2).Session}})
	require.NoError(b, err)
	var mu sync.Mutex
	var wait sync.WaitGroup
	for _, f := range effects {
		to, ok := f.(challenge.To)
		if !ok {
			continue
		}
		work, ok := to.Effect.(challenge.SendWork)
		if !ok {
			continue
		}
		wait.Go(func() {
			locks[to.Exchange].Lock()
			c, err := hosts[to.Exchange].Commit(context.Background(), work.Spec)
			locks[to.Exchange].Unlock()
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				_, err = x.Apply(time.Now(), challenge.Of{Exchange: to.Exchange, Event: challenge.Committed{Commitment: c, Nonce: challenge.Hash{9}}})
			}
			if err != nil {
				b.Error(err)
			}
		})
	}
	wait.Wait()
	o, _ := x.Outcome()
	return len(o.Late) > 0
}
