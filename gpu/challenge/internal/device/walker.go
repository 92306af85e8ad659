package device

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/idlegrid/idlegrid/gpu/challenge"
)

const (
	maxCalls = 1 << 34 // Philox calls of a fill in a launch
	maxReads = 1 << 28 // reads of a walk before the context is looked at with an empty queue
)

// table is a filled table, and the last walk over it.
type table struct {
	arena
	spec    challenge.Spec
	entries Buffer
	walk    *walked
}

// walked is what is kept of a walk.
type walked struct {
	arena
	start [32]byte
	made  challenge.WalkCommitment
	ends  Buffer
	tree  tree
}

// Fill makes the table of the spec. Errors wrap challenge.ErrInvalid, ErrMemory, ErrLost or the context's.
func (p *Prover) Fill(ctx context.Context, s challenge.Spec) error {
	if err := p.ready(s); err != nil {
		return err
	}
	if s.Memory == (challenge.MemorySpec{}) {
		return p.wrap(fmt.Errorf("%w: memory is empty, there is no table to fill", challenge.ErrInvalid))
	}
	if err := p.dropTable(); err != nil {
		return err
	}
	t := &table{arena: arena{driver: p.driver}, spec: s}
	if err := t.fill(ctx); err != nil {
		return errors.Join(err, t.free())
	}
	p.table = t
	return nil
}

// Walk makes all steps from the nonce. Errors wrap ErrOrder, ErrMemory, ErrLost or the context's.
func (p *Prover) Walk(ctx context.Context, nonce [32]byte) (challenge.WalkCommitment, error) {
	if p.table == nil {
		return challenge.WalkCommitment{}, p.wrap(fmt.Errorf("%w: walk before fill", ErrOrder))
	}
	if err := p.table.dropWalk(); err != nil {
		return challenge.WalkCommitment{}, err
	}
	w := &walked{arena: arena{driver: p.driver}, start: nonce}
	if err := p.table.step(ctx, w); err != nil {
		return challenge.WalkCommitment{}, errors.Join(err, w.free())
	}
	p.table.walk = w
	return w.made, nil
}

// OpenWalk answers for the last Walk. Errors wrap ErrOrder, ErrMemory, ErrLost or the context's.
func (p *Prover) OpenWalk(ctx context.Context, nonce [32]byte) ([]challenge.WalkOpening, error) {
	if p.table == nil || p.table.walk == nil {
		return nil, p.wrap(fmt.Errorf("%w: open of a walk before walk", ErrOrder))
	}
	t := p.table
	asked := challenge.WalkIndices(t.spec, t.walk.made, t.walk.start, nonce)
	var leaves []uint64
	for _, x := range asked {
		leaves = append(leaves, uint64(x))
		if x%t.spec.Memory.Segments > 0 {
			leaves = append(leaves, uint64(x)-1)
		}
	}
	states, paths, err := t.walk.open(ctx, leaves)
	if err != nil {
		return nil, err
	}
	out := make([]challenge.WalkOpening, 0, len(asked))
	for i := 0; i < len(leaves); i++ {
		o := challenge.WalkOpening{Segment: uint32(leaves[i]), To: states[i], ToPath: paths[i]}
		if o.Segment%t.spec.Memory.Segments > 0 {
			i++
			o.From, o.FromPath = states[i], paths[i]
		}
		out = append(out, o)
	}
	return out, nil
}

func (p *Prover) dropTable() error {
	t := p.table
	p.table = nil
	if t == nil {
		return nil
	}
	return errors.Join(t.dropWalk(), t.free())
}

func (t *table) dropWalk() error {
	w := t.walk
	t.walk = nil
	if w == nil {
		return nil
	}
	return w.free()
}

func (t *table) fill(ctx context.Context) (err error) {
	if t.entries, err = t.alloc(t.spec.Memory.Bytes); err != nil {
		return err
	}
	seed, cost, cells := t.spec.TableSeed(), t.spec.Memory.Cost, t.spec.Memory.Bytes/16
	step := maxCalls / uint64(cost)
	for first := uint64(0); first < cells; first += step {
		n := min(step, cells-first)
		err := t.launch(ctx, "fill", n, u32(seed[0]), u32(seed[1]), u32(seed[2]), u32(seed[3]), u32(cost), u64(first), u64(n), t.entries.arg())
		if err != nil {
			return err
		}
		if err := t.driver.Wait(); err != nil {
			return err
		}
	}
	return nil
}

// step makes all steps of all lanes and hashes the states at the ends of segments.
func (t *table) step(ctx context.Context, w *walked) (err error) {
	m, seed := t.spec.Memory, t.spec.TableSeed()
	lanes := uint64(m.Lanes)
	nodes, err := w.alloc(32 * treeNodes(m.Leaves()))
	if err != nil {
		return err
	}
	if w.ends, err = w.alloc(16 * m.Leaves()); err != nil {
		return err
	}
	w.tree = newTree(nodes, 0, m.Leaves())
	a := arena{driver: t.driver}
	defer func() { err = errors.Join(err, a.free()) }()
	state, err := starts(ctx, &a, w.start, lanes)
	if err != nil {
		return err
	}
	r, err := a.hashRoom(m.Leaves())
	if err != nil {
		return err
	}
	reads := uint64(0)
	for s := range uint64(m.Segments) {
		err := a.launch(ctx, "walk", lanes, u32(seed[0]), u32(seed[1]), t.entries.arg(), u64(m.Entries()), state.arg(), u64(lanes),
			u64(uint64(m.Steps)), u64(uint64(m.Segments)), u64(s), w.ends.arg())
		if err != nil {
			return err
		}
		if reads += lanes * uint64(m.Steps); reads >= maxReads {
			reads = 0
			if err := t.driver.Wait(); err != nil {
				return err
			}
		}
	}
	w.made.Root, err = w.tree.build(ctx, &a, w.ends, 4, r)
	return err
}

// starts computes challenge.LaneStart of every lane on the device.
func starts(ctx context.Context, a *arena, nonce [32]byte, lanes uint64) (Buffer, error) {
	message, at := laneMessage(nonce)
	m, err := a.upload(message[:])
	if err != nil {
		return 0, err
	}
	state, err := a.alloc(16 * lanes)
	if err != nil {
		return 0, err
	}
	return state, a.launch(ctx, "lanes", lanes, m.arg(), u32(at), u64(lanes), state.arg())
}

// laneMessage is what challenge.LaneStart hashes, padded to two blocks, as numbers, with zeros in place of the lane. The
// lane's four bytes begin in the middle of word at: 4+30 bytes of domain, 4+32 of nonce and a length of 4 are before them.
func laneMessage(nonce [32]byte) (words [32]uint32, at uint32) {
	b := make([]byte, 0, 128)
	for _, field := range [][]byte{[]byte("idlegrid/gpu/challenge/lane/v1"), nonce[:], make([]byte, 4)} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(field)))
		b = append(b, field...)
	}
	n := len(b)
	b = append(b, 0x80)
	b = append(b, make([]byte, 120-len(b))...)
	b = binary.BigEndian.AppendUint64(b, 8*uint64(n))
	for i := range words {
		words[i] = binary.BigEndian.Uint32(b[4*i:])
	}
	return words, uint32(n-4) / 4
}

// open returns states and paths of ends of segments.
func (w *walked) open(ctx context.Context, leaves []uint64) (states []challenge.State, paths [][]challenge.Hash, err error) {
	a := arena{driver: w.driver}
	defer func() { err = errors.Join(err, a.free()) }()
	low := uint64(1) << w.tree.low
	var around, above []uint64
	for _, x := range leaves {
		for k := range low {
			around = append(around, x/low*low+k)
		}
		above = w.tree.places(above, x)
	}
	near, err := a.records(ctx, w.ends, 4, around)
	if err != nil {
		return nil, nil, err
	}
	far, err := a.records(ctx, w.tree.nodes, 8, above)
	if err != nil {
		return nil, nil, err
	}
	kept, up := hashes(far), w.tree.depth-w.tree.low
	for i, x := range leaves {
		lowest := make([]challenge.Hash, low)
		for k := range lowest {
			lowest[k] = challenge.State(near[4*(i*int(low)+k):]).Hash()
		}
		states = append(states, challenge.State(near[4*(i*int(low)+int(x%low)):]))
		paths = append(paths, append(challenge.NewTree(lowest).Path(x%low), kept[i*up:(i+1)*up]...))
	}
	return states, paths, nil
}
