package sched

import (
	"cmp"
	"math"
	"slices"
)

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
	a, b := f.site(e.A), f.site(e.B)
	f.setLink(a, link{b, e.DelayMicros, e.Mbps})
	f.setLink(b, link{a, e.DelayMicros, e.Mbps})
	return nil
}

// site returns the number of a site, new or known.
func (f *Fleet) site(id SiteID) int32 {
	i := f.sites.add(id)
	if int(i) == len(f.links) {
		f.links = append(f.links, nil)
	}
	return i
}

func (f *Fleet) setLink(from int32, l link) {
	s := f.links[from]
	i, ok := slices.BinarySearchFunc(s, l.to, toOrder)
	if ok {
		s[i] = l
		return
	}
	f.links[from] = slices.Insert(s, i, l)
}

func (f *Fleet) linkOf(a, b int32) (link, bool) {
	i, ok := slices.BinarySearchFunc(f.links[a], b, toOrder)
	if !ok {
		return link{}, false
	}
	return f.links[a][i], true
}

func toOrder(l link, to int32) int { return cmp.Compare(l.to, to) }
