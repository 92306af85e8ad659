package challenge_test

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu/challenge"
	"github.com/idlegrid/idlegrid/internal/golden"
)

// world plays barriers of one to three devices that answer honestly, late, with lies, out of order or not at all, as the seed
// has it. It returns the hash over all states and effects, and how often each reason came.
func world(t *testing.T, seed uint64, barriers int) (sum [32]byte, reasons map[challenge.Reason]int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 0))
	h := sha256.New()
	reasons = map[challenge.Reason]int{}
	c := newClock()
	for range barriers {
		r := rated()
		if rng.IntN(4) == 0 {
			r = challenge.Rate{}
		}
		devices := 1 + rng.IntN(3)
		s := newStage(t, c, devices, rng.IntN(2) == 0, r)
		fmt.Fprintln(h, s.do(challenge.Begun{}))
		for over := false; !over; _, over = s.b.Outcome() {
			c.add(time.Duration(rng.Int64N(int64(100 * time.Millisecond))))
			digest := s.b.Digest()
			fmt.Fprintf(h, "%x %s\n", digest, s.any(rng, rng.IntN(devices)))
		}
		o, _ := s.b.Outcome()
		for _, v := range o.Verdicts {
			reasons[v.Reason]++
		}
		fmt.Fprintf(h, "%x %v\n", s.b.Digest(), o)
	}
	h.Sum(sum[:0])
	return sum, reasons
}

// any applies one event: mostly the honest answer of an exchange, if it was asked for one.
func (s *stage) any(rng *rand.Rand, i int) string {
	of := func(e challenge.Event) string { return s.do(challenge.Of{Exchange: uint32(i), Event: e}) }
	switch rng.IntN(100) {
	case 0:
		s.c.add(time.Duration(rng.Int64N(int64(3 * time.Second))))
		return s.do(challenge.Ticked{})
	case 1:
		return of(challenge.Declined{})
	case 2:
		return of(challenge.Broken{})
	case 3:
		s.c.add(time.Hour)
		return s.do(challenge.Ticked{})
	case 4:
		return of(challenge.Opened{Openings: []challenge.Opening{{}}})
	}
	if i == 0 && rng.IntN(3) == 0 {
		return s.together()
	}
	e := s.answer(i)
	if e == nil {
		return of(challenge.Examined{Err: s.players[i].examine.Verify()})
	}
	if w, ok := e.(challenge.Committed); ok && rng.IntN(8) == 0 {
		w.Commitment = s.players[rng.IntN(len(s.players))].roots
		e = w
	}
	if o, ok := e.(challenge.Opened); ok && rng.IntN(8) == 0 {
		o.Openings[rng.IntN(len(o.Openings))].Values[rng.IntN(16)]++
	}
	return of(e)
}

// TestDeterminism: the same seed gives the same states, questions and verdicts on one processor and on all.
func TestDeterminism(t *testing.T) {
	for _, procs := range []int{1, runtime.NumCPU()} {
		old := runtime.GOMAXPROCS(procs)
		defer runtime.GOMAXPROCS(old)
		sum, reasons := world(t, 7, 200)
		for _, r := range []challenge.Reason{
			challenge.OK, challenge.Transport, challenge.RateLow, challenge.ReadsLow, challenge.MerklePath, challenge.Shape, challenge.Replay,
			challenge.TimeoutCommit, challenge.TimeoutOpen, challenge.TimeoutFill, challenge.TimeoutWalk,
		} {
			require.Positive(t, reasons[r], "%q does not come: %v", r, reasons)
		}
		require.Greater(t, reasons[challenge.OK], 40, "most are honest: %v", reasons)
		golden.Check(t, "testdata/digest.txt", fmt.Sprintf("%x\n", sum))
	}
}
