package sched

// names numbers strings in the order in which they come, for ever. A view shares what is there.
type names[T ~string] struct {
	list  []T           // never changed below its length, so that a view keeps its own prefix
	slots pages[uint32] // open addressing by hash: number plus one, 0 is empty
	size  uint32        // a power of two, or 0
}

// find returns the number of a string, and false if it has none.
func (n *names[T]) find(s T) (int32, bool) {
	if n.size == 0 {
		return -1, false
	}
	for i := uint32(hashRaw(string(s))); ; i++ {
		v := n.slots.at(int32(i & (n.size - 1)))
		if v == 0 {
			return -1, false
		}
		if n.list[v-1] == s {
			return int32(v - 1), true
		}
	}
}

// add returns the number of a string, a new one if it had none.
func (n *names[T]) add(s T) int32 {
	if i, ok := n.find(s); ok {
		return i
	}
	n.list = append(n.list, s)
	if uint32(len(n.list))*4 > n.size*3 { // at most three quarters full
		n.size = max(16, 2*n.size)
		n.slots = pages[uint32]{}
		n.slots.grow(int32(n.size))
		for i := range n.list {
			n.seat(uint32(i))
		}
	} else {
		n.seat(uint32(len(n.list) - 1))
	}
	return int32(len(n.list) - 1)
}

func (n *names[T]) seat(number uint32) {
	for i := uint32(hashRaw(string(n.list[number]))); ; i++ {
		if at := int32(i & (n.size - 1)); n.slots.at(at) == 0 {
			*n.slots.edit(at) = number + 1
			return
		}
	}
}

func (n *names[T]) view() names[T] {
	return names[T]{list: n.list[:len(n.list):len(n.list)], slots: n.slots.view(), size: n.size}
}

// catalog numbers values in the order in which they come. Only the writer looks them up.
type catalog[T comparable] struct {
	list  []T // never changed below its length, so that a view keeps its own prefix
	index map[T]int32
}

func (c *catalog[T]) add(v T) int32 {
	if i, ok := c.index[v]; ok {
		return i
	}
	if c.index == nil {
		c.index = map[T]int32{}
	}
	i := int32(len(c.list))
	c.index[v] = i
	c.list = append(c.list, v)
	return i
}

func (c *catalog[T]) view() catalog[T] { return catalog[T]{list: c.list[:len(c.list):len(c.list)]} }

// numbers is a table of whole numbers above 0 and where each is kept.
type numbers struct {
	keys  pages[uint64] // 0 is empty
	at    pages[int32]
	size  uint32 // a power of two, or 0
	count uint32
}

// mix64 spreads the bits of a number (finaliser of MurmurHash3, Austin Appleby, public domain).
func mix64(v uint64) uint64 {
	v ^= v >> 33
	v *= 0xff51afd7ed558ccd
	v ^= v >> 33
	v *= 0xc4ceb9fe1a85ec53
	return v ^ v>>33
}

func (n *numbers) find(key uint64) (int32, bool) {
	if n.size == 0 {
		return -1, false
	}
	for i := uint32(mix64(key)); ; i++ {
		switch s := int32(i & (n.size - 1)); n.keys.at(s) {
		case key:
			return n.at.at(s), true
		case 0:
			return -1, false
		}
	}
}

// put enters a number that is not there.
func (n *numbers) put(key uint64, at int32) {
	if (n.count+1)*4 > n.size*3 {
		old := *n
		*n = numbers{size: max(64, 2*old.size)}
		n.keys.grow(int32(n.size))
		n.at.grow(int32(n.size))
		for i := range int32(old.size) {
			if k := old.keys.at(i); k != 0 {
				n.put(k, old.at.at(i))
			}
		}
	}
	for i := uint32(mix64(key)); ; i++ {
		if s := int32(i & (n.size - 1)); n.keys.at(s) == 0 {
			*n.keys.edit(s), *n.at.edit(s) = key, at
			n.count++
			return
		}
	}
}

// drop takes a number out and moves those back that stand further from their own place because of it.
func (n *numbers) drop(key uint64) {
	mask := n.size - 1
	hole := uint32(mix64(key)) & mask
	for n.keys.at(int32(hole)) != key {
		hole = (hole + 1) & mask
	}
	for i := (hole + 1) & mask; ; i = (i + 1) & mask {
		k := n.keys.at(int32(i))
		if k == 0 {
			break
		}
		if home := uint32(mix64(k)) & mask; (i-home)&mask >= (i-hole)&mask {
			*n.keys.edit(int32(hole)), *n.at.edit(int32(hole)) = k, n.at.at(int32(i))
			hole = i
		}
	}
	*n.keys.edit(int32(hole)) = 0
	n.count--
}

func (n *numbers) view() numbers {
	return numbers{keys: n.keys.view(), at: n.at.view(), size: n.size, count: n.count}
}
