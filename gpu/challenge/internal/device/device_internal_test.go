package device

import (
	"crypto/sha256"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu/challenge"
)

// TestLaneMessage hashes the two blocks without their padding: what the device hashes is what challenge.LaneStart does.
func TestLaneMessage(t *testing.T) {
	nonce := [32]byte{1, 2, 3}
	for _, lane := range []uint32{0, 1, 0xabcdef, 0xffffffff} {
		words, at := laneMessage(nonce)
		words[at] |= lane >> 16
		words[at+1] |= lane << 16
		var b []byte
		for _, w := range words {
			b = binary.BigEndian.AppendUint32(b, w)
		}
		n := binary.BigEndian.Uint64(b[120:]) / 8
		require.Equal(t, byte(0x80), b[n])
		h := sha256.Sum256(b[:n])
		want := challenge.LaneStart(nonce, lane)
		for i, w := range want {
			require.Equal(t, w, binary.LittleEndian.Uint32(h[4*i:]))
		}
	}
}

// TestTreePlaces: levels lie one behind the other without gap or overlap, and a tree stays in its room.
func TestTreePlaces(t *testing.T) {
	for _, leaves := range []uint64{1, 2, 8, 16, 32, 1 << 10, 1 << 28} {
		tr := newTree(0, 2*treeNodes(leaves), leaves)
		next := tr.at
		for level := tr.low; level <= tr.depth; level++ {
			require.Equal(t, next, tr.place(level, 0))
			next += leaves >> level
		}
		require.LessOrEqual(t, next, 3*treeNodes(leaves))
		require.Len(t, tr.places(nil, leaves-1), tr.depth-tr.low)
	}
}

func TestPlan(t *testing.T) {
	ampere, blackwell, pascal := Info{Tensor: true}, Info{Tensor: true, HalfFirst: true}, Info{}
	for _, row := range []struct {
		kernel Kernel
		info   Info
		kind   challenge.Kind
		n      uint32
		want   string // "" if it is refused
		form   uint32
	}{
		{KernelAuto, pascal, challenge.Int8, 1024, "product_dp4a", formBytes},
		{KernelAuto, pascal, challenge.Fp16Ints, 1024, "product_dp4a", formNibbles},
		{KernelAuto, ampere, challenge.Int8, 128, "product_dp4a", formBytes},
		{KernelAuto, ampere, challenge.Int8, 256, "product_imma", formBytes},
		{KernelAuto, ampere, challenge.Fp16Ints, 256, "product_imma", formNibbles},
		{KernelAuto, blackwell, challenge.Int8, 256, "product_imma", formBytes},
		{KernelAuto, blackwell, challenge.Fp16Ints, 256, "product_hmma", formHalves},
		{KernelAuto, blackwell, challenge.Fp16Ints, 128, "product_dp4a", formNibbles},
		{KernelDP4A, ampere, challenge.Int8, 256, "product_dp4a", formBytes},
		{KernelHMMA, ampere, challenge.Fp16Ints, 256, "product_hmma", formHalves},
		{KernelHMMA, ampere, challenge.Int8, 256, "", 0},
		{KernelIMMA, ampere, challenge.Int8, 128, "", 0},
		{KernelIMMA, pascal, challenge.Int8, 256, "", 0},
		{"wgmma", ampere, challenge.Int8, 256, "", 0},
	} {
		p, err := row.kernel.plan(row.info, challenge.Spec{Kind: row.kind, N: row.n})
		if row.want == "" {
			require.ErrorIs(t, err, ErrKernel, "%+v", row)
			continue
		}
		require.NoError(t, err, "%+v", row)
		require.Equal(t, row.want, p.kernel, "%+v", row)
		require.Equal(t, row.form, p.form, "%+v", row)
	}
}

// recorder is a driver that does nothing and writes down what it is asked.
type recorder struct {
	launches []string
	groups   []uint32
	args     [][]Arg
	sizes    map[Buffer]uint64
	next     Buffer
	most     uint64
	now      uint64
	waits    int
}

func (r *recorder) Info() Info   { return Info{API: "recorder", Tensor: true} }
func (r *recorder) Close() error { return nil }
func (r *recorder) Wait() error  { r.waits++; return nil }
func (r *recorder) Alloc(bytes uint64) (Buffer, error) {
	r.next++
	r.sizes[r.next] = bytes
	r.now += bytes
	r.most = max(r.most, r.now)
	return r.next, nil
}

func (r *recorder) Free(b Buffer) error {
	r.now -= r.sizes[b]
	delete(r.sizes, b)
	return nil
}

func (r *recorder) Copy(Direction, Buffer, uint64, []byte) error { return nil }

func (r *recorder) Launch(kernel string, groups uint32, args ...Arg) error {
	r.launches, r.groups, r.args = append(r.launches, kernel), append(r.groups, groups), append(r.args, args)
	return nil
}

// TestLargest plans the largest side, where counts do not fit 32 bits: every launch fits a grid, the launches of a product cover
// all rows of tiles once, the hashes cover all leaves once, and the memory is the documented one.
func TestLargest(t *testing.T) {
	s := challenge.Spec{
		Version: challenge.Version, Session: challenge.Hash{1}, Device: "d", N: challenge.MaxSide, Rounds: 2, Width: 16, Openings: 3,
		Memory: challenge.MemorySpec{Bytes: 141 << 30, Cost: 256, Lanes: 1 << 17, Segments: 512, Steps: 256, Openings: 8},
	}
	for _, row := range []struct {
		kernel Kernel
		wide   uint64
	}{{KernelDP4A, 128}, {KernelIMMA, 256}} {
		r := &recorder{sizes: map[Buffer]uint64{}}
		p := New(r, row.kernel)
		_, err := p.Commit(t.Context(), s)
		require.NoError(t, err)
		require.LessOrEqual(t, r.most, 6*uint64(s.N)*uint64(s.N)+2*s.Leaves()/16*64+48<<20)
		require.Equal(t, 2*s.Leaves()/16*64, r.now, "what stays")
		top, leaves, products := uint64(0), uint64(0), 0
		for i, name := range r.launches {
			a := r.args[i]
			switch name {
			case "generate":
				require.Equal(t, uint64(s.N)*uint64(s.N)/16, a[6].Value)
				require.Equal(t, a[6].Value/256, uint64(r.groups[i]))
			case "product_" + string(row.kernel):
				require.Equal(t, top, a[4].Value)
				require.Equal(t, a[5].Value*(uint64(s.N)/row.wide), uint64(r.groups[i]))
				require.LessOrEqual(t, a[5].Value*128*uint64(s.N)*uint64(s.N), uint64(maxProducts))
				top = (top + a[5].Value) % 512
				products++
			case "hash_records":
				if a[2].Value == uint64(s.Width) && a[3].Value == 0 {
					require.Equal(t, leaves, a[1].Value)
					leaves = (leaves + a[4].Value) % s.Leaves()
				}
			}
		}
		require.Zero(t, top)
		require.Zero(t, leaves)
		require.Equal(t, 64, products)
		require.NoError(t, p.Close())
		require.Zero(t, r.now)
	}
}

// TestLargestTable does the same for a table and its walk: cells are covered once, and waits are rare enough to cost nothing.
func TestLargestTable(t *testing.T) {
	s := challenge.Spec{
		Version: challenge.Version, Session: challenge.Hash{1}, Device: "d", N: 64, Rounds: 1, Width: 16, Openings: 1,
		Memory: challenge.MemorySpec{Bytes: challenge.MaxTable, Cost: 256, Lanes: 1 << 17, Segments: 512, Steps: 256, Openings: 8},
	}
	r := &recorder{sizes: map[Buffer]uint64{}}
	p := New(r, KernelAuto)
	require.NoError(t, p.Fill(t.Context(), s))
	next := uint64(0)
	for _, a := range r.args {
		require.Equal(t, next, a[5].Value)
		require.LessOrEqual(t, a[6].Value*256, uint64(maxCalls))
		next += a[6].Value
	}
	require.Equal(t, uint64(challenge.MaxTable/16), next)
	r.waits = 0
	_, err := p.Walk(t.Context(), [32]byte{})
	require.NoError(t, err)
	require.Equal(t, uint64(512), r.args[len(r.launches)-1-countFrom(r.launches, "walk")][8].Value+1, "the last segment")
	require.Equal(t, 64+int(s.Memory.Leaves()/treePiece), r.waits)
	require.NoError(t, p.Close())
	require.Zero(t, r.now)
}

// countFrom is the number of launches after the last of that kernel.
func countFrom(launches []string, kernel string) int {
	for i := len(launches) - 1; i >= 0; i-- {
		if launches[i] == kernel {
			return len(launches) - 1 - i
		}
	}
	return len(launches)
}
