package tokenomics

import (
	"fmt"

	"github.com/idlegrid/idlegrid/internal/canon"
)

// oracleDomain names the layout of a snapshot; another layout needs another name.
const oracleDomain = "idlegrid/tokenomics/oracle/v1"

// Snapshot returns the whole state in its one canonical form, for [RestoreOracle].
func (o *Oracle) Snapshot() []byte { return o.encode().Data() }

// Digest returns the SHA-256 of the snapshot.
func (o *Oracle) Digest() [32]byte { return o.encode().Sum() }

// RestoreOracle returns the oracle of which b is the snapshot. The parameters must be those of the snapshot, by their
// version. It checks every invariant and fails with [ErrSnapshot] or [ErrOracle].
func RestoreOracle(p OracleParams, b []byte) (*Oracle, error) {
	o, err := NewOracle(p)
	if err != nil {
		return nil, err
	}
	r := canon.NewReader(b, oracleDomain)
	version := r.String()
	o.at = r.Int64()
	o.brake = brake{halted: r.Bool(), since: r.Int64(), epoch: r.Int64(), anchor: r.Uint64(), last: r.Uint64()}
	feeds := r.Len(4)
	if r.Err() == nil && (version != p.Version || feeds != len(o.feeds)) {
		return nil, fmt.Errorf("%w: made under parameters %s with %d sources, not %q with %d",
			ErrSnapshot, quote(version), feeds, p.Version, len(o.feeds))
	}
	for i := range o.feeds {
		for range r.Len(16) {
			o.feeds[i].seen = append(o.feeds[i].seen, r.Int64())
			o.feeds[i].micro = append(o.feeds[i].micro, r.Uint64())
		}
	}
	if err := r.Close(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	if err := o.auditQuotes(); err != nil { // before anything is computed from them
		return nil, fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	o.state = o.brake.state(o.view(o.at))
	if err := o.Audit(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	return o, nil
}

func (o *Oracle) encode() *canon.Writer {
	w := canon.NewWriter(oracleDomain)
	w.String(o.p.Version)
	w.Int64(o.at)
	w.Bool(o.brake.halted)
	w.Int64(o.brake.since)
	w.Int64(o.brake.epoch)
	w.Uint64(o.brake.anchor)
	w.Uint64(o.brake.last)
	w.Len(len(o.feeds))
	for i := range o.feeds {
		f := &o.feeds[i]
		w.Len(len(f.seen))
		for k := range f.seen {
			w.Int64(f.seen[k])
			w.Uint64(f.micro[k])
		}
	}
	return w
}

// Audit returns the first invariant that is broken, or nil: the samples of each source ascend by the spacing, are
// believable, of the past, still needed and no more than the parameters allow; the brake fits the clock and has
// nothing left to do; and the state is what the samples and the brake say.
func (o *Oracle) Audit() error {
	if err := o.auditQuotes(); err != nil {
		return err
	}
	v := o.view(o.at)
	b := o.judge(o.at, v)
	if b != o.brake {
		return fmt.Errorf("tokenomics: audit: the brake is %+v, the samples say %+v", o.brake, b)
	}
	if want := b.state(v); o.state != want {
		return fmt.Errorf("tokenomics: audit: state %q, the samples say %q", o.state.String(), want.String())
	}
	return nil
}

func (o *Oracle) auditQuotes() error {
	if o.at < 0 || o.at/1_000_000_000 >= lastSecond {
		return fmt.Errorf("tokenomics: audit: the last event is at %d ns", o.at)
	}
	for i := range o.feeds {
		f := &o.feeds[i]
		name := quote(o.p.Sources[i])
		if n := len(f.seen); n != len(f.micro) || uint64(n) > o.p.MaxSamples() {
			return fmt.Errorf("tokenomics: audit: %s has %d times and %d prices, at most %d",
				name, n, len(f.micro), o.p.MaxSamples())
		}
		for k, seen := range f.seen {
			if m := f.micro[k]; m < o.p.MinMicro || m > o.p.MaxMicro {
				return fmt.Errorf("tokenomics: audit: %s quotes %d millionths", name, m)
			}
			if seen < 0 || seen > o.at || k > 0 && seen-f.seen[k-1] < int64(o.p.Spacing) {
				return fmt.Errorf("tokenomics: audit: %s has sample %d at %d ns, of %d ns", name, k+1, seen, o.at)
			}
		}
		if n := len(f.seen); n > 1 && min(f.seen[1], f.seen[0]+int64(o.p.StaleAfter)) <= o.at-int64(o.p.Window) {
			return fmt.Errorf("tokenomics: audit: %s keeps a sample that nobody needs", name)
		}
	}
	b := o.brake
	believed := func(m uint64) bool { return m >= o.p.MinMicro && m <= o.p.MaxMicro }
	switch {
	case b.since < 0 || b.since > o.at, !b.halted && b.since != 0:
		return fmt.Errorf("tokenomics: audit: halted %t since %d ns", b.halted, b.since)
	case b.epoch < 0 || b.epoch > o.at/int64(o.p.Epoch):
		return fmt.Errorf("tokenomics: audit: a median in epoch %d, at %d ns", b.epoch, o.at)
	case b == brake{}:
		return nil
	case !believed(b.anchor), !believed(b.last):
		return fmt.Errorf("tokenomics: audit: medians %d and %d", b.anchor, b.last)
	}
	return nil
}
