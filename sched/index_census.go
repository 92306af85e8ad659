package sched

import "math/bits"

// field names a filter, in the order in which a census charges.
type field uint8

const (
	fieldDown field = iota
	fieldModel
	fieldMemory
	fieldCountry
	fieldConnectivity
	fieldCompliance
	fieldAssurance
	fieldTier
	fieldStanding
	fieldPrice
	fieldSize  // the node has fewer devices than are asked for
	fieldCards // too few of them are free, or no share is large enough
	fieldCPU
	fieldRAM
	fieldDisk
	fieldNone // passes
	fields
)

// charge is what one filter is charged with.
type charge struct {
	nodes, cards int32
	have         uint32 // the value of a charged node that is nearest to what was asked; 0 where the filter has no order
}

// census counts every node once: under the first filter that cuts it.
type census [fields]charge

// stage is a filter of a census that looks at nodes.
type stage struct {
	field field
	maps  [8]int16 // a node that is not in all of these is cut
	n     int
	sure  int16 // a node that is in this one, and in maps, passes; -1: none, 0: all do
	size  int   // a node needs so many devices, instead of maps
	best  uint32
	some  bool // best has been set
}

const noMap = -1

// census counts which filter cuts how many nodes and devices, each charged to the first that cuts it in the order of the fields.
// Nodes of kinds in q.small are charged to memory. It allocates a word for every 64 positions and does the most of its work on
// words: records are read where a limit lies inside a band, and for main memory and disk, which have no maps.
func (x *index) census(q *query) census {
	var out census
	out[fieldDown] = charge{nodes: x.total.nodes - x.total.up[0], cards: x.total.cards - x.total.upCards}
	x.chargeKinds(q, &out)
	var stages [fields]stage
	list := x.stages(q, stages[:0])
	for w, mask := range x.chosen(q, &out) {
		if mask != 0 {
			x.chargeWord(q, list, int32(w), x.maps.word(mapUp, int32(w))&mask, &out)
		}
	}
	for i := range list {
		out[list[i].field].have = list[i].best
	}
	return out
}

// chargeKinds charges to model and memory. The kinds that pass are charged to the country, for now.
func (x *index) chargeKinds(q *query, out *census) {
	all := charge{nodes: x.total.up[0], cards: x.total.upCards}
	if q.kinds == nil {
		out[fieldCountry] = all
		return
	}
	for _, list := range []struct {
		field field
		kinds []int32
	}{{fieldCountry, q.kinds}, {fieldMemory, q.small}} {
		c := &out[list.field]
		for _, k := range list.kinds {
			if k >= 0 && k < x.kindCount {
				kind := x.kinds.at(k)
				c.nodes += kind.up
				c.cards += kind.upCards
			}
		}
		all.nodes -= c.nodes
		all.cards -= c.cards
	}
	out[fieldModel] = all
}

// chosen returns the positions of the partitions that pass kinds and countries, by word, and takes their nodes off the country's
// charge.
func (x *index) chosen(q *query, out *census) []uint64 {
	words := make([]uint64, (x.nodes.end+wordLen-1)/wordLen)
	c := &out[fieldCountry]
	if q.kinds == nil && q.countries == nil {
		*c = charge{}
		for w := range words {
			words[w] = ^uint64(0)
		}
		return words
	}
	var r ring
	for p := x.nextPart(q, &r); p >= 0; p = x.nextPart(q, &r) {
		counts := &x.counts.table[p>>8][p&(pageLen-1)]
		c.nodes -= counts.up[0]
		c.cards -= counts.upCards
		for _, e := range x.part(p).nodes.extents {
			mask := e.mask()
			for w, end := e.words(); w < end; w++ {
				words[w] |= mask
			}
		}
	}
	return words
}

// stages lists the filters that the query sets, in order.
func (x *index) stages(q *query, list []stage) []stage {
	add := func(f field, want, least, levels, first int) {
		if want <= least {
			return
		}
		s := stage{field: f, n: 1}
		s.maps[0] = noMap
		if want <= levels {
			s.maps[0] = int16(first + want - least - 1)
		}
		list = append(list, s)
	}
	add(fieldConnectivity, int(q.connectivity), 1, levelMax, mapConnect)
	if q.compliance != 0 {
		s := stage{field: fieldCompliance}
		for b := range 8 {
			if q.compliance>>b&1 != 0 {
				s.maps[s.n] = int16(mapComply + b)
				s.n++
			}
		}
		list = append(list, s)
	}
	add(fieldAssurance, int(q.assurance), 0, levelMax, mapAssure)
	add(fieldTier, int(q.tier), 0, levelMax, mapTier)
	if q.standing > 0 {
		l := x.standingLevel(q.standing)
		exact := l > 0 && x.standings[l-1] == q.standing
		list = append(list, inBand(fieldStanding, mapStanding, l, len(x.standings), exact))
	}
	list = append(list, x.priceStage(q))
	if q.gpus > 1 {
		list = append(list, stage{field: fieldSize, size: q.gpus})
	}
	if q.anyFree {
		if q.share > 0 {
			list = append(list, stage{field: fieldCards, sure: noMap})
		}
		return list
	}
	switch {
	case q.share > 0:
		list = append(list, inBand(fieldCards, mapShare, shareLevel(q.share), shareLevels, q.share%125 == 0))
	case q.gpus > 0:
		list = append(list, stage{field: fieldCards, n: 1, maps: [8]int16{int16(mapUp + min(q.gpus, maxDevices))}})
	}
	if q.cpu > 0 {
		l := cpuLevel(q.cpu)
		list = append(list, inBand(fieldCPU, mapCPU, l, cpuLevels, l > 0 && q.cpu == milliPerCore<<(l-1)))
	}
	if q.ram > 0 {
		list = append(list, stage{field: fieldRAM, sure: noMap})
	}
	if q.disk > 0 {
		list = append(list, stage{field: fieldDisk, sure: noMap})
	}
	return list
}

// inBand is a filter whose limit lies at or above level l of a row of maps, 0 being below the first.
func inBand(f field, first, l, levels int, exact bool) stage {
	s := stage{field: f}
	if l > 0 {
		s.n, s.maps[0] = 1, int16(first+l-1)
	}
	switch {
	case exact:
	case l < levels:
		s.sure = int16(first + l)
	default:
		s.sure = noMap
	}
	return s
}

func (x *index) priceStage(q *query) stage {
	s := stage{field: fieldPrice}
	b := x.priceBand(q.hour)
	if q.band > 0 {
		panic("sched: index.census: a census is of all bands")
	}
	if b < len(x.prices) {
		s.n, s.maps[0] = 1, int16(mapPrice+b)
		if x.prices[b] == q.hour {
			return s
		}
	}
	if s.sure = noMap; b > 0 {
		s.sure = int16(mapPrice + b - 1)
	}
	return s
}

// chargeWord takes the nodes of a word through the stages.
func (x *index) chargeWord(q *query, list []stage, w int32, word uint64, out *census) {
	digits := x.digits(w)
	cards := digits.cards(word)
	for i := range list {
		if word == 0 {
			return
		}
		s := &list[i]
		pass := x.pass(q, s, w, word)
		cut := word &^ pass
		if cut == 0 {
			continue
		}
		left := digits.cards(pass)
		c := &out[s.field]
		c.nodes += int32(bits.OnesCount64(cut))
		c.cards += cards - left
		x.nearest(s, w, cut)
		word, cards = pass, left
	}
	out[fieldNone].nodes += int32(bits.OnesCount64(word))
	out[fieldNone].cards += cards
}

// digits are the four binary digits of cards - 1 of the nodes of a word.
type digits [4]uint64

func (x *index) digits(w int32) (d digits) {
	for b := range d {
		d[b] = x.maps.word(mapSize+b, w)
	}
	return d
}

// cards is how many devices the nodes of a word have.
func (d *digits) cards(word uint64) int32 {
	n := bits.OnesCount64(word)
	for b := range d {
		n += bits.OnesCount64(word&d[b]) << b
	}
	return int32(n)
}

// pass returns those nodes of a word that pass a stage.
func (x *index) pass(q *query, s *stage, w int32, word uint64) uint64 {
	if s.size > 0 {
		return word & x.atLeastCards(w, s.size)
	}
	for _, m := range s.maps[:s.n] {
		if m == noMap {
			return 0
		}
		word &= x.maps.word(int(m), w)
	}
	if s.sure == 0 {
		return word
	}
	look := word
	if s.sure > 0 {
		look &^= x.maps.word(int(s.sure), w)
	}
	for ; look != 0; look &= look - 1 {
		i := w<<6 + int32(trailing(look))
		if !x.within(q, s.field, i) {
			word &^= look & -look
		}
	}
	return word
}

// within says whether a node keeps a limit that has an exact value.
func (x *index) within(q *query, f field, i int32) bool {
	if f == fieldCards && q.anyFree {
		return x.record(i).shares() && q.share <= wholeDevice
	}
	v := x.value(f, i)
	switch f {
	case fieldStanding:
		return v >= q.standing
	case fieldPrice:
		return v <= q.hour
	case fieldCards:
		return v >= uint32(q.share)
	case fieldCPU:
		return v >= q.cpu
	case fieldRAM:
		return v >= q.ram
	default:
		return v >= q.disk
	}
}

// atLeastCards returns the positions of a word that have at least n devices, from the four maps of the digits of cards - 1.
func (x *index) atLeastCards(w int32, n int) uint64 {
	if n > maxDevices {
		return 0
	}
	above, equal := uint64(0), ^uint64(0)
	for b := 3; b >= 0; b-- {
		digit := x.maps.word(mapSize+b, w)
		if (n-1)>>b&1 != 0 {
			equal &= digit
		} else {
			above |= equal & digit
		}
	}
	return above | equal
}
