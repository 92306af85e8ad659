package sched

import (
	"math/bits"

	"github.com/idlegrid/idlegrid/gpu"
)

const (
	arenaPage = 1 << 16 // bytes; an offset is the number of a page and 16 bits inside it
	maxArena  = 1 << 16 // pages
	maxNodes  = 1 << 28 // a slot of a table has 4 bits for the device of a node
	hashes    = 2
	ofNodes   = 0 // the table of node IDs
	ofDevices = 1 // the table of device IDs
)

// An ID is kept as a kind and bytes: the forms that drivers give as 16 bytes, anything else as it is.
const (
	kindGPU  = iota // "GPU-" and a UUID in lower case
	kindMIG         // "MIG-" and a UUID
	kindUUID        // a UUID
	kindRaw         // kindRaw + n: n bytes
	maxRaw   = 255 - kindRaw
)

// ids holds the names of nodes and devices in few bytes, and finds the one by the other. The zero value is empty.
//
// A node's names are one block of an arena that is only appended to: a header (devices - 1, and whether all devices are of
// kindGPU), the node's ID with its kind before it, then the devices' IDs, without kinds where the header has said it. Blocks do
// not cross pages. Two tables of slots (node*16 + device) lead from an ID to the block; they do not know where blocks are, so
// that compaction leaves them alone.
type ids struct {
	offset pages[uint32] // by node; 0: has no block
	arena  [][]byte
	used   uint64 // the next offset; the first one is 1
	live   uint64 // bytes of blocks in use
	dead   uint64 // bytes of blocks dropped
	tables [hashes]idTable
	block  []byte // scratch of put
}

// put enters a node's names. The node has none yet; no other node has one of them. It panics where an ID is longer than 252
// bytes, where there are not 1 to 16 devices, and where 4 GiB of names are full.
func (x *ids) put(node int32, id NodeID, devices []gpu.DeviceID) {
	if len(devices) == 0 || len(devices) > maxDevices || node >= maxNodes {
		panic("sched: ids.put: devices or node out of range")
	}
	b := append(x.block[:0], byte(len(devices)-1)|headerPacked)
	b = appendID(b, newKey(string(id)))
	head := len(b)
	for _, d := range devices {
		k := newKey(string(d))
		if k.kind != kindGPU {
			b[0] &^= headerPacked
			break
		}
		b = appendUUID(b, k)
	}
	if b[0]&headerPacked == 0 {
		b = b[:head]
		for _, d := range devices {
			b = appendID(b, newKey(string(d)))
		}
	}
	x.block = b
	x.offset.grow(node + 1)
	*x.offset.edit(node) = x.write(b)
	x.insert(ofNodes, node, 1)
	x.insert(ofDevices, node, len(devices))
}

// write appends a block and returns its offset.
func (x *ids) write(b []byte) uint32 {
	if end := uint64(len(x.arena)) * arenaPage; x.used+uint64(len(b)) > end {
		if len(x.arena) == maxArena {
			panic("sched: ids.put: the arena is full")
		}
		x.arena = append(x.arena, make([]byte, arenaPage))
		x.used = max(end, 1)
	}
	at := uint32(x.used)
	copy(x.arena[at/arenaPage][at%arenaPage:], b)
	x.used += uint64(len(b))
	x.live += uint64(len(b))
	return at
}

// drop forgets a node's names, if it has any.
func (x *ids) drop(node int32) {
	if node >= x.offset.len() || x.offset.at(node) == 0 {
		return
	}
	b := x.read(node)
	x.remove(ofNodes, node, 0)
	for k := range int(b[0]&headerCount) + 1 {
		x.remove(ofDevices, node, k)
	}
	*x.offset.edit(node) = 0
	n := uint64(blockLen(b))
	x.live -= n
	x.dead += n
	if x.dead > x.live && x.dead > arenaPage {
		x.compact()
	}
}

// compact moves the blocks in use to new pages, in order of nodes.
func (x *ids) compact() {
	old := *x
	x.arena, x.used, x.live, x.dead = nil, 0, 0, 0
	for node := range x.offset.len() {
		if x.offset.at(node) == 0 {
			continue
		}
		b := old.read(node)
		*x.offset.edit(node) = x.write(b[:blockLen(b)])
	}
}

// node returns the node of an ID.
func (x *ids) node(id NodeID) (int32, bool) {
	slot, ok := x.find(ofNodes, newKey(string(id)))
	return int32(slot >> 4), ok
}

// device returns the node that has a device, and which of its devices it is.
func (x *ids) device(id gpu.DeviceID) (node int32, k int, ok bool) {
	slot, ok := x.find(ofDevices, newKey(string(id)))
	return int32(slot >> 4), int(slot & 15), ok
}

// nodeID returns the ID of a node that has names.
func (x *ids) nodeID(node int32) NodeID { return NodeID(x.entry(ofNodes, node, 0).String()) }

// deviceID returns the ID of device k of a node.
func (x *ids) deviceID(node int32, k int) gpu.DeviceID {
	return gpu.DeviceID(x.entry(ofDevices, node, k).String())
}

// devices returns the IDs of a node's devices, in their order.
func (x *ids) devices(node int32) []gpu.DeviceID {
	out := make([]gpu.DeviceID, int(x.read(node)[0]&headerCount)+1)
	for k := range out {
		out[k] = x.deviceID(node, k)
	}
	return out
}

// view returns the names as they are now, to be read while x goes on. Blocks are never written twice, so that only the tables
// are shared page by page.
func (x *ids) view() ids {
	v := ids{offset: x.offset.view(), arena: x.arena, used: x.used, live: x.live, dead: x.dead}
	for i := range x.tables {
		v.tables[i] = x.tables[i].view()
	}
	return v
}

const (
	headerCount  = 15     // devices - 1
	headerPacked = 1 << 4 // all devices are of kindGPU and come without their kinds
	uuidLen      = 16     // bytes
	uuidText     = 36     // bytes in text
	hexDigits    = "0123456789abcdef"
)

// read returns the arena from the start of a node's block to the end of its page.
func (x *ids) read(node int32) []byte {
	at := x.offset.at(node)
	return x.arena[at/arenaPage][at%arenaPage:]
}

// entry returns an ID of a node.
func (x *ids) entry(table int, node int32, k int) arenaID {
	b := x.read(node)
	e, rest := readID(b[1:])
	if table == ofNodes {
		return e
	}
	if b[0]&headerPacked != 0 {
		return arenaID{kind: kindGPU, data: rest[k*uuidLen:][:uuidLen]}
	}
	for range k + 1 {
		e, rest = readID(rest)
	}
	return e
}

// blockLen is the length of the block that b starts with.
func blockLen(b []byte) int {
	_, rest := readID(b[1:])
	devices := int(b[0]&headerCount) + 1
	if b[0]&headerPacked != 0 {
		return len(b) - len(rest) + devices*uuidLen
	}
	for range devices {
		_, rest = readID(rest)
	}
	return len(b) - len(rest)
}

// arenaID is an ID in the arena.
type arenaID struct {
	kind byte
	data []byte
}

func readID(b []byte) (arenaID, []byte) {
	n := uuidLen
	if b[0] >= kindRaw {
		n = int(b[0] - kindRaw)
	}
	return arenaID{kind: b[0], data: b[1 : 1+n]}, b[1+n:]
}

// String is the ID as it was put.
func (e arenaID) String() string {
	if e.kind >= kindRaw {
		return string(e.data)
	}
	buf := make([]byte, 0, 4+uuidText)
	switch e.kind {
	case kindGPU:
		buf = append(buf, "GPU-"...)
	case kindMIG:
		buf = append(buf, "MIG-"...)
	}
	for i, c := range e.data {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			buf = append(buf, '-')
		}
		buf = append(buf, hexDigits[c>>4], hexDigits[c&15])
	}
	return string(buf)
}

func (e arenaID) hash() uint64 {
	if e.kind >= kindRaw {
		return hashRaw(e.data)
	}
	return hashUUID(e.kind, big64(e.data), big64(e.data[8:]))
}

// is says whether the entry is the ID of the key.
func (e arenaID) is(k *key) bool {
	if e.kind != k.kind {
		return false
	}
	if k.kind >= kindRaw {
		return string(e.data) == k.raw
	}
	return big64(e.data) == k.hi && big64(e.data[8:]) == k.lo
}

// key is an ID that is looked for.
type key struct {
	kind   byte
	hi, lo uint64
	raw    string
}

// newKey reads an ID. Every ID has one key: what is a UUID in lower case is never kept as text.
func newKey(s string) key {
	kind, text := byte(kindUUID), s
	if len(s) == 4+uuidText {
		switch s[:4] {
		case "GPU-":
			kind, text = kindGPU, s[4:]
		case "MIG-":
			kind, text = kindMIG, s[4:]
		}
	}
	if hi, lo, ok := parseUUID(text); ok {
		return key{kind: kind, hi: hi, lo: lo}
	}
	if len(s) > maxRaw {
		return key{kind: kindRaw, raw: s} // of no entry: its length is not 0
	}
	return key{kind: byte(kindRaw + len(s)), raw: s}
}

func (k *key) hash() uint64 {
	if k.kind >= kindRaw {
		return hashRaw(k.raw)
	}
	return hashUUID(k.kind, k.hi, k.lo)
}

func appendID(b []byte, k key) []byte {
	if k.kind < kindRaw {
		return appendUUID(append(b, k.kind), k)
	}
	if len(k.raw) > maxRaw {
		panic("sched: ids.put: an ID is too long")
	}
	return append(append(b, k.kind), k.raw...)
}

func appendUUID(b []byte, k key) []byte {
	for s := 56; s >= 0; s -= 8 {
		b = append(b, byte(k.hi>>s))
	}
	for s := 56; s >= 0; s -= 8 {
		b = append(b, byte(k.lo>>s))
	}
	return b
}

// parseUUID reads 8-4-4-4-12 hexadecimal digits in lower case.
func parseUUID(s string) (hi, lo uint64, ok bool) {
	if len(s) != uuidText || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return 0, 0, false
	}
	var bad uint64
	take := func(v uint64, s string) uint64 {
		for i := range len(s) {
			d := digit(s[i])
			bad |= d
			v = v<<4 | d&15
		}
		return v
	}
	hi = take(take(take(0, s[:8]), s[9:13]), s[14:18])
	lo = take(take(0, s[19:23]), s[24:])
	return hi, lo, bad < 16
}

// digit is the value of a hexadecimal digit in lower case, and 16 for any other byte.
func digit(c byte) uint64 {
	if d := c - '0'; d < 10 {
		return uint64(d)
	}
	if d := c - 'a'; d < 6 {
		return uint64(d) + 10
	}
	return 16
}

func big64(b []byte) uint64 {
	_ = b[7]
	return uint64(b[7]) | uint64(b[6])<<8 | uint64(b[5])<<16 | uint64(b[4])<<24 |
		uint64(b[3])<<32 | uint64(b[2])<<40 | uint64(b[1])<<48 | uint64(b[0])<<56
}

// The hash multiplies to 128 bits and folds, as wyhash does (Wang Yi, public domain); the constants are the first digits of
// the fractions of the square roots of 2, 3, 5, 7, made odd. It is the same on every machine and has no seed, for nothing that
// is decided may depend on one: who can choose IDs can make them collide, and then costs time, not correctness.
const (
	hash0 = 0x6a09e667f3bcc909
	hash1 = 0xbb67ae8584caa73b
	hash2 = 0x3c6ef372fe94f82b
	hash3 = 0xa54ff53a5f1d36f1
)

func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

func hashUUID(kind byte, hi, lo uint64) uint64 {
	return fold(fold(hi^hash0, lo^hash1)^uint64(kind)^hash2, hash3)
}

func hashRaw[T string | []byte](s T) uint64 {
	h := uint64(len(s)) ^ hash0
	for len(s) >= 8 {
		v := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
		h = fold(h^v, hash1)
		s = s[8:]
	}
	var v uint64
	for i := range len(s) {
		v |= uint64(s[i]) << (8 * i)
	}
	return fold(h^v^hash2, hash3)
}
