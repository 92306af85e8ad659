package sched

// The tables of ids are open: a slot's place is as near behind its home as was free. They are filled to 90 %, because a byte of
// the hash beside each slot keeps a search from following slots of other IDs (one in 255), and grow by a quarter, so that they
// are never less than 72 % full: at a million devices that saves a third of what doubling may cost. Deletion moves later slots
// back instead of leaving a mark, so that tables do not rot.

const (
	fullNum, fullDen = 9, 10 // of the slots may be in use
)

type idTable struct {
	slots pages[uint32] // node*16 + device
	tags  pages[uint8]  // 0: the slot is empty
	size  int32
	used  int32
}

func (t *idTable) view() idTable {
	return idTable{slots: t.slots.view(), tags: t.tags.view(), size: t.size, used: t.used}
}

// home is the slot where the search for a hash starts.
func (t *idTable) home(h uint64) int32 { return int32((h >> 32) * uint64(t.size) >> 32) }

func (t *idTable) after(i int32) int32 {
	if i++; i == t.size {
		return 0
	}
	return i
}

// place enters a slot.
func (t *idTable) place(h uint64, slot uint32) {
	i := t.home(h)
	for t.tags.at(i) != 0 {
		i = t.after(i)
	}
	*t.tags.edit(i), *t.slots.edit(i) = tag(h), slot
	t.used++
}

// tag is the byte of a hash beside its slot, from bits that home does not look at.
func tag(h uint64) uint8 { return uint8(max(h&255, 1)) }

// find returns the slot of an ID.
func (x *ids) find(table int, k key) (uint32, bool) {
	t := &x.tables[table]
	if t.used == 0 {
		return 0, false
	}
	h := k.hash()
	want := tag(h)
	for i := t.home(h); ; i = t.after(i) {
		switch t.tags.at(i) {
		case 0:
			return 0, false
		case want:
			if slot := t.slots.at(i); x.entry(table, int32(slot>>4), int(slot&15)).is(&k) {
				return slot, true
			}
		}
	}
}

// insert enters a node's ID or those of its n devices.
func (x *ids) insert(table int, node int32, n int) {
	t := &x.tables[table]
	if (int(t.used)+n)*fullDen > int(t.size)*fullNum {
		x.widen(table, n)
		return // the node has its block by now, so that it is among those that were entered anew
	}
	x.enter(t, table, node)
}

// enter enters what a node's block has for a table.
func (x *ids) enter(t *idTable, table int, node int32) {
	b, slot := x.read(node), uint32(node)<<4
	e, rest := readID(b[1:])
	if table == ofNodes {
		t.place(e.hash(), slot)
		return
	}
	for k := range uint32(b[0]&headerCount) + 1 {
		if b[0]&headerPacked != 0 {
			e, rest = arenaID{kind: kindGPU, data: rest[:uuidLen]}, rest[uuidLen:]
		} else {
			e, rest = readID(rest)
		}
		t.place(e.hash(), slot|k)
	}
}

// widen makes a table a quarter longer, and long enough for n more, and enters all nodes that have a block.
func (x *ids) widen(table, n int) {
	old := &x.tables[table]
	size := (int(old.size)*5/4 + n + pageLen) / pageLen * pageLen
	t := idTable{size: int32(size)}
	t.slots.grow(t.size)
	t.tags.grow(t.size)
	for node := range x.offset.len() {
		if x.offset.at(node) != 0 {
			x.enter(&t, table, node)
		}
	}
	x.tables[table] = t
}

// remove takes a slot out and moves those behind it nearer to their homes.
func (x *ids) remove(table int, node int32, k int) {
	t := &x.tables[table]
	slot := uint32(node)<<4 | uint32(k)
	hole := t.home(x.entry(table, node, k).hash())
	for t.slots.at(hole) != slot || t.tags.at(hole) == 0 {
		hole = t.after(hole)
	}
	for i := t.after(hole); t.tags.at(i) != 0; i = t.after(i) {
		s := t.slots.at(i)
		home := t.home(x.entry(table, int32(s>>4), int(s&15)).hash())
		if t.distance(home, i) >= t.distance(hole, i) {
			*t.tags.edit(hole), *t.slots.edit(hole) = t.tags.at(i), s
			hole = i
		}
	}
	*t.tags.edit(hole) = 0
	t.used--
}

// distance is how many steps lie between two slots.
func (t *idTable) distance(from, to int32) int32 {
	if to >= from {
		return to - from
	}
	return to - from + t.size
}
