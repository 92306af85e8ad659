package sched

import "slices"

// linkStore is the table of the measured pairs of sites. It is symmetric and sparse: each site has the list of its links, in order of the
// other site. A view of it costs a pointer for every 64 sites, since what a view shares is copied when it is next written. Its zero value
// is empty.
type linkStore struct {
	pages []*linkPage
	epoch uint64
}

const (
	pageShift = 6
	pageSites = 1 << pageShift
)

// linkPage holds the lists of consecutive sites. It, and each list, belongs to the one store whose epoch it carries; with an older epoch it
// may be shared and is not written.
type linkPage struct {
	epoch uint64
	since [pageSites]uint64 // epoch of each list
	lists [pageSites][]link
}

// set records a measurement between two different sites, in both directions. It replaces an older one.
func (l *linkStore) set(a, b int32, delay, mbps uint32) {
	l.put(a, link{b, delay, mbps})
	l.put(b, link{a, delay, mbps})
}

// of returns the last measurement between two sites.
func (l *linkStore) of(a, b int32) (delay, mbps uint32, ok bool) {
	s := l.around(a)
	i := seek(s, b)
	if i == len(s) || s[i].to != b {
		return 0, 0, false
	}
	return s[i].delay, s[i].mbps, true
}

// around returns the links of a site in order of the other site. The caller must not write them, nor keep them over the next set.
func (l *linkStore) around(a int32) []link {
	if int(a>>pageShift) >= len(l.pages) {
		return nil
	}
	p := l.pages[a>>pageShift]
	if p == nil {
		return nil
	}
	return p.lists[a&(pageSites-1)]
}

// view returns a store with what is in l now. Neither sees what is later written to the other.
func (l *linkStore) view() linkStore {
	l.epoch++
	return linkStore{pages: slices.Clone(l.pages), epoch: l.epoch}
}

func (l *linkStore) put(from int32, k link) {
	p, i := l.own(from), from&(pageSites-1)
	s := p.lists[i]
	at := seek(s, k.to)
	if p.since[i] != l.epoch {
		// Room for the link to come, or half as much again: the next insertion finds it.
		s = append(make([]link, 0, len(s)+len(s)/2+1), s...)
		p.since[i] = l.epoch
	}
	if at < len(s) && s[at].to == k.to {
		s[at] = k
	} else {
		s = slices.Insert(s, at, k)
	}
	p.lists[i] = s
}

// own returns the page of a site, made or copied if it is not this store's alone.
func (l *linkStore) own(site int32) *linkPage {
	at := int(site >> pageShift)
	for len(l.pages) <= at {
		l.pages = append(l.pages, nil)
	}
	p := l.pages[at]
	switch {
	case p == nil:
		p = &linkPage{epoch: l.epoch}
		for i := range p.since {
			p.since[i] = l.epoch
		}
	case p.epoch != l.epoch:
		c := *p
		c.epoch = l.epoch
		p = &c
	}
	l.pages[at] = p
	return p
}

// seek returns the place of the first link to a site not below to. It is slices.BinarySearchFunc without a call for each comparison, in half
// the time.
func seek(s []link, to int32) int {
	low, high := 0, len(s)
	for low < high {
		if middle := int(uint(low+high) >> 1); s[middle].to < to {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}
