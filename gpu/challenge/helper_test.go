package challenge_test

import (
	"time"

	"github.com/idlegrid/idlegrid/gpu/challenge"
)

// small is a spec that a test can afford.
func small(k challenge.Kind, n, rounds, width, openings uint32) challenge.Spec {
	return challenge.Spec{
		Version: challenge.Version, Kind: k, Session: challenge.Hash{1, 2, 3}, Device: "GPU-0", N: n, Rounds: rounds, Width: width,
		Openings: openings,
	}
}

// tabled is small with a table of 4 KiB.
func tabled() challenge.Spec {
	s := small(challenge.Int8, 64, 2, 16, 8)
	s.Memory = challenge.MemorySpec{Bytes: 1 << 12, Cost: 3, Lanes: 4, Segments: 4, Steps: 5, Openings: 6}
	return s
}

func nonce(b byte) (h challenge.Hash) {
	for i := range h {
		h[i] = b
	}
	return h
}

// clock is a time that only the test moves.
type clock struct{ now time.Time }

func newClock() *clock { return &clock{now: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time { return c.now }

func (c *clock) add(d time.Duration) time.Time {
	c.now = c.now.Add(d)
	return c.now
}
