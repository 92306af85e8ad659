package sched

import "math"

const maxDelayMicros = 10_000_000 // ten seconds: no link that works is slower

// link is one direction of a measured pair, kept at the site where it begins.
type link struct {
	to          int32
	delay, mbps uint32
}

func (f *Fleet) linkMeasured(e LinkMeasured) error {
	if err := first(
		named("LinkMeasured.A", string(e.A)),
		named("LinkMeasured.B", string(e.B)),
		within("LinkMeasured.DelayMicros", uint64(e.DelayMicros), 0, maxDelayMicros),
		within("LinkMeasured.Mbps", uint64(e.Mbps), 1, math.MaxUint32),
	); err != nil {
		return err
	}
	if e.A == e.B {
		return invalid("LinkMeasured: %q to itself", e.A)
	}
	f.links.set(f.site(e.A), f.site(e.B), e.DelayMicros, e.Mbps)
	f.stale = true
	return nil
}
