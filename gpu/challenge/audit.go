package challenge

import (
	"errors"
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/internal/canon"
)

const (
	exchangeDomain = "idlegrid/gpu/challenge/exchange/v1"
	barrierDomain  = "idlegrid/gpu/challenge/barrier/v1"
)

// Audit returns the first invariant that the state breaks, nil if it breaks none: no limit lies before its phase, nonces are
// not zero and differ, the roots are there once they came, and a pass has all that was asked.
func (x *Exchange) Audit() error {
	waits := x.phase != idle && x.phase != ready && x.phase != examining && x.phase != done
	switch {
	case x.phase > done:
		return fmt.Errorf("challenge: audit: phase %d", x.phase)
	case x.mark.After(x.now):
		return fmt.Errorf("challenge: audit: phase began at %v, now %v", x.mark, x.now)
	case waits == x.limit.IsZero() || waits && x.limit.Before(x.now):
		return fmt.Errorf("challenge: audit: phase %d with limit %v, now %v", x.phase, x.limit, x.now)
	case len(x.pings) > Pings || x.phase > pinging && x.phase < done && len(x.pings) < Pings:
		return fmt.Errorf("challenge: audit: phase %d after %d pings", x.phase, len(x.pings))
	case x.phase >= working && x.phase < done && (x.work.Session == x.spec.Session || x.work.Session == Hash{}):
		return errors.New("challenge: audit: work without a session of its own")
	case x.phase >= walking && x.phase < done && len(x.commit.Roots) != int(x.spec.Rounds):
		return fmt.Errorf("challenge: audit: phase %d with %d roots", x.phase, len(x.commit.Roots))
	case x.start != Hash{} && (x.start == x.open || x.start == x.work.Session):
		return errors.New("challenge: audit: a nonce was used twice")
	case x.phase < done && x.verdict.Reason != OK:
		return fmt.Errorf("challenge: audit: reason %q before the end", x.verdict.Reason)
	case x.phase == done && x.verdict.Reason == OK && (x.open == Hash{} || x.verdict.RateJudged != (x.rate.OpsPerSec > 0)):
		return errors.New("challenge: audit: passed without openings")
	}
	return nil
}

// Digest is the SHA-256 of the canonical encoding of the whole state, parameters included.
func (x *Exchange) Digest() [32]byte {
	w := canon.NewWriter(exchangeDomain)
	x.encode(w)
	return w.Sum()
}

func (x *Exchange) encode(w *canon.Writer) {
	w.Uint32(x.params.Tolerance)
	w.Uint32(x.params.Excess)
	for _, d := range []time.Duration{x.params.RTTBound, x.params.FillTime, x.params.Patience, x.params.OpenTime} {
		w.Int64(int64(d))
	}
	for _, s := range []Spec{x.spec, x.work} {
		w.Raw(s.Session[:])
		w.String(s.Device)
		w.Bytes(s.shape())
	}
	x.rate.encode(w)
	w.Uint8(uint8(x.phase))
	w.Time(x.now)
	w.Time(x.mark)
	w.Time(x.limit)
	w.Len(len(x.pings))
	for _, d := range x.pings {
		w.Int64(int64(d))
	}
	w.Len(len(x.commit.Roots))
	writeHashes(w, x.commit.Roots)
	writeHashes(w, []Hash{x.walk.Root, x.start, x.open})
	x.verdict.encode(w)
}

func (r Rate) encode(w *canon.Writer) {
	for _, s := range []string{r.Model, r.PeakSource, r.Driver, r.Kernel, r.Source, r.Measured} {
		w.String(s)
	}
	w.Uint8(uint8(r.Kind))
	for _, v := range []uint64{r.Peak, r.OpsPerSec, r.ReadsPerSec} {
		w.Uint64(v)
	}
	for _, v := range []uint32{r.Spread, r.Runs, r.ClockMHz, r.PowerWatts} {
		w.Uint32(v)
	}
}

func (v Verdict) encode(w *canon.Writer) {
	w.String(string(v.Reason))
	w.String(v.Text)
	for _, d := range []time.Duration{v.RTT, v.Commit, v.Walk} {
		w.Int64(int64(d))
	}
	w.Uint64(v.OpsPerSec)
	w.Uint64(v.ReadsPerSec)
	w.Bool(v.RateJudged)
	w.Bool(v.ReadsJudged)
}

// Audit returns the first invariant that the state breaks, nil if it breaks none: each exchange keeps its own, none works
// before all have started, and the end is the end of all.
func (b *Barrier) Audit() error {
	over := 0
	for i, x := range b.exchanges {
		if err := x.Audit(); err != nil {
			return fmt.Errorf("exchange %d: %w", i, err)
		}
		if x.now.After(b.now) {
			return fmt.Errorf("challenge: audit: exchange %d is at %v, the barrier at %v", i, x.now, b.now)
		}
		if !b.started && x.phase > ready && x.phase < done || b.started && x.phase < working {
			return fmt.Errorf("challenge: audit: exchange %d in phase %d, barrier started: %v", i, x.phase, b.started)
		}
		if x.phase == done {
			over++
		}
	}
	if b.over != (over == len(b.exchanges)) {
		return fmt.Errorf("challenge: audit: %d of %d exchanges ended, barrier over: %v", over, len(b.exchanges), b.over)
	}
	return nil
}

// Digest is the SHA-256 of the canonical encoding of the whole state, parameters included.
func (b *Barrier) Digest() [32]byte {
	w := canon.NewWriter(barrierDomain)
	w.Time(b.now)
	w.Bool(b.assembled)
	w.Bool(b.started)
	w.Bool(b.over)
	w.Len(len(b.exchanges))
	for _, x := range b.exchanges {
		x.encode(w)
	}
	return w.Sum()
}
