package sched

import (
	"math"
	"slices"
)

// ask is a request in the fleet's numbers: one alternative of it, from one instant on.
type ask struct {
	query
	takes
	r        *Request
	replicas int
	mig      MIGProfile
	now      int64
	from     int64
	until    int64
	custom   bool // plugins have a filter

	suppliers, notSuppliers []int32
	apart                   []int32  // nodes to keep away from, ascending
	model                   int32    // the only one that will do, -1 if there are several
	near                    int32    // site, -1 if none is named or known
	beside                  []member // hold part of their nodes already, for the same request
	besideSites             []int32  // sites to which the limits on links hold
	notSites                []int32
	onlySite                int32      // number of a site plus one, 0 for any
	held                    []siteHeld // replicas of the same request that stay, by site
	delay, mbps             uint32
	lone                    bool  // each replica on a node of its own
	sieve                   sieve // what the index makes of the query, once it was asked for
	sifted, none            bool
	plain                   bool // whole devices that are free now: the index alone decides, but for nodes with something booked
}

// later says whether the stretch begins after now, so that what is free now says little.
func (q *ask) later() bool { return q.from > q.now }

// batchLen is how many nodes of a walk are fetched together.
const batchLen = 64

// scratch holds the buffers of searches, so that a search allocates little. Nothing in it outlives a call.
type scratch struct {
	kinds, small   []int32
	places         []uint64
	suppliers, not []int32
	apart          []int32
	nodes          []int32
	ask            ask // of the search that is going on
	cursor         cursor
	walk           walker
	runs           runCursor
	view           NodeView
	ranked         [3]ranked
	memo           memo
	losses         [64]lossEntry
	decision       uint64 // counts them, so that losses need not be cleared
	batch          [batchLen]int32
	members        []member
	gang           gangScratch
}

// ask translates a request that was checked. Alternative 0 is the request's own.
func (s *state) ask(r *Request, alternative int, now, from int64, rotate uint32, sc *scratch) ask {
	q := ask{
		r: r, replicas: int(r.Replicas), mig: r.MIG, now: now, from: max(from, now), takes: takes{uint32(r.CPUMilli), uint32(r.RAMMiB), uint32(r.DiskMiB)},
		delay: r.MaxDelayMicros, mbps: r.MinMbps, lone: r.ApartNodes, near: -1, custom: s.plugins.Filter != nil,
	}
	q.until = until(q.from, r.Duration)
	q.query = query{
		gpus: int(r.GPUsPerReplica), share: r.ShareMilli, hour: math.MaxUint32, standing: r.MinStandingPPM, cpu: uint32(r.CPUMilli), ram: uint32(r.RAMMiB),
		disk: uint32(r.DiskMiB), tier: r.MinTier, connectivity: r.MinConnectivity, assurance: r.MinAssurance, compliance: uint8(r.Compliance),
		anyFree: q.later(),
	}
	if s.policy.Rotate {
		q.rotate = rotate
	}
	list, memory, hour := r.Models, r.MinMemoryMiB, r.MaxHourMicro
	if alternative > 0 {
		a := &r.Alternatives[alternative-1]
		list, memory, hour, q.gpus = a.Models, a.MinMemoryMiB, a.MaxHourMicro, int(a.GPUsPerReplica)
	}
	if hour != 0 {
		q.hour = uint32(hour)
	}
	if q.mig != 0 {
		q.gpus = 0 // the index knows no instances
	}
	if q.share != 0 && q.anyFree {
		q.share = 0 // nor what shares will be free
	}
	s.askKinds(&q, list, memory, sc)
	s.askPlaces(&q, sc)
	s.askSuppliers(&q, sc)
	q.share = r.ShareMilli
	if id := r.Near; id != "" {
		q.near, _ = s.sites.find(id)
	}
	q.model = -1
	if len(q.kinds) == 1 {
		q.model = s.kinds.list[q.kinds[0]].model
	}
	q.plain = q.share == 0 && q.mig == 0 && !q.later() && q.suppliers == nil && q.notSuppliers == nil && q.apart == nil && !q.custom
	return q
}

// askKinds lists the kinds of devices that will do, and those of a model that would but with too little memory.
func (s *state) askKinds(q *ask, list []string, memory uint64, sc *scratch) {
	if len(list) == 0 && memory == 0 {
		return
	}
	sc.kinds, sc.small = sc.kinds[:0], sc.small[:0]
	for k, name := range list {
		if m, ok := s.models.find(name); ok && !slices.Contains(list[:k], name) {
			for _, i := range s.kindsOf[m] {
				s.askKind(q, i, memory, sc)
			}
		}
	}
	if len(list) == 0 {
		for i := range s.kinds.list {
			s.askKind(q, int32(i), memory, sc)
		}
	}
	if sc.kinds == nil {
		sc.kinds = []int32{} // none, not all
	}
	q.kinds, q.small = sc.kinds, sc.small
}

// askKind enters a kind of a model that was asked for, by its memory.
func (s *state) askKind(q *ask, i int32, memory uint64, sc *scratch) {
	have := s.kinds.list[i].memory
	if q.mig != 0 {
		have = have * uint64(q.mig.memory()) / memorySlices
	}
	if have < memory {
		sc.small = append(sc.small, i)
	} else {
		sc.kinds = append(sc.kinds, i)
	}
}

func (s *state) askPlaces(q *ask, sc *scratch) {
	r := q.r
	if len(r.Countries) == 0 && len(r.Regions) == 0 && len(r.NotCountries) == 0 {
		return
	}
	n := len(s.places.list)/64 + 1
	if len(sc.places) < n {
		sc.places = make([]uint64, n)
	}
	sc.places = sc.places[:n]
	clear(sc.places)
	q.countries = sc.places
	if len(r.Regions) == 0 && len(r.NotCountries) == 0 {
		for _, name := range r.Countries {
			if c, ok := s.countries.find(name); ok {
				for _, i := range s.placesOf[c] {
					sc.places[i>>6] |= 1 << (i & 63)
				}
			}
		}
		return
	}
	for i := range s.places.list {
		p := &s.places.list[i]
		c := s.countries.list[p.country]
		if (len(r.Countries) == 0 || slices.Contains(r.Countries, c)) && !slices.Contains(r.NotCountries, c) &&
			(len(r.Regions) == 0 || slices.Contains(r.Regions, s.regions.list[p.region])) {
			sc.places[i>>6] |= 1 << (i & 63)
		}
	}
}

func (s *state) askSuppliers(q *ask, sc *scratch) {
	r := q.r
	if len(r.Suppliers) > 0 {
		sc.suppliers = s.supplierNumbers(append(sc.suppliers[:0], -1), r.Suppliers) // never empty: an unknown one is not everyone
		q.suppliers = sc.suppliers
	}
	if len(r.NotSuppliers) > 0 {
		sc.not = s.supplierNumbers(append(sc.not[:0], -1), r.NotSuppliers)
		q.notSuppliers = sc.not
	}
	if len(r.ApartFrom) == 0 {
		return
	}
	sc.apart = append(sc.apart[:0], -1)
	for slot := range s.slots {
		if l := s.leases.ref(slot); l.seq != 0 && slices.Contains(r.ApartFrom, l.job) {
			for k := range l.members {
				sc.apart = append(sc.apart, l.members[k].node)
			}
		}
	}
	slices.Sort(sc.apart)
	q.apart = sc.apart
}

func (s *state) supplierNumbers(to []int32, ids []SupplierID) []int32 {
	for _, id := range ids {
		if i, ok := s.suppliers.find(id); ok {
			to = append(to, i)
		}
	}
	return to
}

// beyond says what keeps a node that the index let through from holding one replica, 0 if nothing does, and then where it would go.
// The price is not set.
func (s *state) beyond(q *ask, i int32, sc *scratch, r *room, m *member) Reason {
	if q.suppliers != nil || q.notSuppliers != nil {
		by := s.index.row(i).supplier
		if q.suppliers != nil && !slices.Contains(q.suppliers, by) || slices.Contains(q.notSuppliers, by) {
			return ReasonSupplier
		}
	}
	if q.apart != nil {
		if _, found := slices.BinarySearch(q.apart, i); found {
			return ReasonApart
		}
	}
	sh := &s.shapes.list[s.index.row(i).shape]
	if q.share != 0 && !sh.shares || q.mig != 0 && !sh.mig {
		return ReasonShare
	}
	if q.besideSites != nil && !s.mayJoin(q, i) {
		return ReasonSites
	}
	if reason := s.load(q, i, r); reason != 0 {
		return reason
	}
	for k := range q.beside {
		if q.beside[k].node != i {
			continue
		}
		if q.lone {
			return ReasonApart
		}
		r.give(&q.beside[k], q.takes)
	}
	if !s.fits(q, sh, r, m) {
		return q.lacking(r)
	}
	m.node = i
	if q.custom && !s.plugins.Filter.Filter(q.r, sc.view.of(s, i, r)) {
		return ReasonCustom
	}
	return 0
}

// passes says whether a node passes all that the index knows of.
func (s *state) passes(q *ask, i int32) bool {
	if !q.sifted {
		q.none, q.sifted = !s.index.sift(&q.query, &q.sieve), true
	}
	if q.none {
		return false
	}
	part := s.index.part(s.index.run(s.index.row(i).run).part)
	if q.kinds != nil && !slices.Contains(q.kinds, part.kind) || !q.allows(part.country) {
		return false
	}
	return s.index.and(&q.sieve, i>>6)>>(i&63)&1 != 0 && s.index.fits(&q.query, &q.sieve, i)
}

// mayJoin says whether a node's site may stand beside those that are taken.
func (s *state) mayJoin(q *ask, i int32) bool {
	at := s.siteNumber(i)
	if slices.Contains(q.notSites, at) || q.onlySite != 0 && q.onlySite != at+1 {
		return false
	}
	for _, o := range q.besideSites {
		if o == at || q.delay == 0 && q.mbps == 0 {
			continue
		}
		delay, mbps, ok := s.links.of(o, at)
		switch {
		case !ok && q.r.AllowUnmeasured:
		case !ok || q.delay != 0 && delay > q.delay || mbps < q.mbps:
			return false
		}
	}
	return q.notSites != nil || slices.Contains(q.besideSites, at)
}

// load fills in what a node has free for the whole stretch of the request.
func (s *state) load(q *ask, i int32, r *room) Reason {
	if !q.later() && !s.index.record(i).booked() {
		s.roomNow(i, r)
		return 0
	}
	if t := s.reclaimAt.at(i); t != 0 && t < q.until {
		return ReasonWindow
	}
	s.roomOver(i, q.now, q.from, q.until, -1, r)
	return 0
}

// lacking says what of a room is too little, where the stretch and not the moment decides.
func (q *ask) lacking(r *room) Reason {
	switch {
	case q.share != 0 || q.mig != 0:
		return ReasonShare
	case !q.later():
		return ReasonWindow // the index found enough of it free now
	case count(r.free) < q.gpus:
		return ReasonCards
	case r.cpu < q.takes.cpu:
		return ReasonCPU
	case r.ram < q.takes.ram:
		return ReasonRAM
	}
	return ReasonDisk
}
