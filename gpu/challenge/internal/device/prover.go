package device

import (
	"context"
	"errors"
	"fmt"

	"github.com/idlegrid/idlegrid/gpu/challenge"
)

const (
	maxProducts = 1 << 43 // multiplications in a launch
	maxEntries  = 1 << 36 // multiplications of openings in a launch: each also costs a 16th of a Philox call, twice
)

// Prover is a challenge.Prover and a challenge.Walker on one device. It is not safe for concurrent use.
type Prover struct {
	driver Driver
	kernel Kernel
	closed bool
	work   *work  // of the last Commit, nil if there is none
	table  *table // of the last Fill, nil if there is none
}

// work is what is kept of the last commitment.
type work struct {
	arena
	spec  challenge.Spec
	form  uint32
	made  challenge.Commitment
	seeds []challenge.Seed
	trees []tree
}

// New makes a prover, which owns the driver from then on.
func New(d Driver, k Kernel) *Prover { return &Prover{driver: d, kernel: k} }

// Commit computes all rounds and returns their roots. Errors wrap challenge.ErrInvalid, ErrKernel, ErrMemory, ErrLost or the
// context's.
func (p *Prover) Commit(ctx context.Context, s challenge.Spec) (challenge.Commitment, error) {
	if err := p.ready(s); err != nil {
		return challenge.Commitment{}, err
	}
	if err := p.dropWork(); err != nil {
		return challenge.Commitment{}, err
	}
	how, err := p.kernel.plan(p.driver.Info(), s)
	if err != nil {
		return challenge.Commitment{}, p.wrap(err)
	}
	w := &work{arena: arena{driver: p.driver}, spec: s, form: how.form}
	if err := w.compute(ctx, how); err != nil {
		return challenge.Commitment{}, errors.Join(err, w.free())
	}
	p.work = w
	return challenge.Commitment{Roots: append([]challenge.Hash(nil), w.made.Roots...)}, nil
}

// Open answers for the last Commit. Errors wrap ErrOrder, ErrMemory, ErrLost or the context's.
func (p *Prover) Open(ctx context.Context, nonce [32]byte) ([]challenge.Opening, error) {
	if p.work == nil {
		return nil, p.wrap(fmt.Errorf("%w: open before commit", ErrOrder))
	}
	w, s := p.work, p.work.spec
	asked := challenge.Indices(s, w.made, nonce)
	step := max(1, maxEntries/(uint64(s.N)*uint64(s.Width)<<keepFrom))
	out := make([]challenge.Opening, 0, len(asked))
	for len(asked) > 0 {
		n := min(step, uint64(len(asked)))
		part, err := w.open(ctx, asked[:n])
		if err != nil {
			return nil, err
		}
		out, asked = append(out, part...), asked[n:]
	}
	return out, nil
}

// Close frees everything and gives the device back.
func (p *Prover) Close() error {
	if p.closed {
		return nil
	}
	p.closed = true
	return errors.Join(p.dropWork(), p.dropTable(), p.driver.Close())
}

// Info returns what is fixed about the device.
func (p *Prover) Info() Info { return p.driver.Info() }

func (p *Prover) ready(s challenge.Spec) error {
	if p.closed {
		return p.wrap(fmt.Errorf("%w: prover is closed", ErrOrder))
	}
	if err := s.Validate(); err != nil {
		return p.wrap(err)
	}
	return nil
}

func (p *Prover) wrap(err error) error { return fmt.Errorf("%s: %w", p.driver.Info().API, err) }

func (p *Prover) dropWork() error {
	w := p.work
	p.work = nil
	if w == nil {
		return nil
	}
	return w.free()
}

// bench is where rounds are computed: factors, product and room to hash.
type bench struct {
	arena
	how    plan
	factor [2]Buffer
	c      Buffer
	room   room
}

// compute does all rounds. What only they need is freed at the end.
func (w *work) compute(ctx context.Context, how plan) (err error) {
	s := w.spec
	per := treeNodes(s.Leaves())
	nodes, err := w.alloc(32 * per * uint64(s.Rounds))
	if err != nil {
		return err
	}
	b := &bench{arena: arena{driver: w.driver}, how: how}
	defer func() { err = errors.Join(err, b.free()) }()
	if err := b.setUp(s); err != nil {
		return err
	}
	seed := s.Seed()
	for t := range uint64(s.Rounds) {
		tr := newTree(nodes, t*per, s.Leaves())
		root, err := b.round(ctx, s, seed, tr)
		if err != nil {
			return err
		}
		w.seeds, w.trees, w.made.Roots = append(w.seeds, seed), append(w.trees, tr), append(w.made.Roots, root)
		seed = seed.Next(root)
	}
	return nil
}

func (b *bench) setUp(s challenge.Spec) (err error) {
	n := uint64(s.N)
	for m := range b.factor {
		if b.factor[m], err = b.alloc(b.how.factorBytes(n)); err != nil {
			return err
		}
	}
	if b.c, err = b.alloc(4 * n * n); err != nil {
		return err
	}
	b.room, err = b.hashRoom(s.Leaves())
	return err
}

// round computes one product and its tree.
func (b *bench) round(ctx context.Context, s challenge.Spec, seed challenge.Seed, tr tree) (challenge.Hash, error) {
	blocks := b.how.blocks(uint64(s.N))
	for m, f := range b.factor {
		err := b.launch(ctx, "generate", blocks, u32(seed[0]), u32(seed[1]), u32(seed[2]), u32(seed[3]), u32(uint32(m)),
			u32(b.how.form), u64(blocks), f.arg())
		if err != nil {
			return challenge.Hash{}, err
		}
	}
	if err := b.multiply(ctx, uint64(s.N)); err != nil {
		return challenge.Hash{}, err
	}
	return tr.build(ctx, &b.arena, b.c, uint64(s.Width), b.room)
}

// multiply launches a product, as many rows of tiles at a time as make maxProducts, in whole bands of 8 if there is room.
func (b *bench) multiply(ctx context.Context, n uint64) error {
	rows, cols := uint64(ceil(n, b.how.tall)), uint64(ceil(n, b.how.wide))
	step := max(1, maxProducts/(n*n*b.how.tall))
	if step > 8 {
		step = step / 8 * 8
	}
	for top := uint64(0); top < rows; top += step {
		count := min(step, rows-top)
		err := b.launch(ctx, b.how.kernel, 256*count*cols, b.factor[0].arg(), b.factor[1].arg(), b.c.arg(), u32(uint32(n)),
			u32(uint32(top)), u32(uint32(count)))
		if err != nil {
			return err
		}
		if err := b.driver.Wait(); err != nil {
			return err
		}
	}
	return nil
}

// open computes the leaves around the asked ones anew and puts paths together: the lowest levels from those leaves, the rest
// from what was kept.
func (w *work) open(ctx context.Context, asked []challenge.Index) (out []challenge.Opening, err error) {
	a := arena{driver: w.driver}
	defer func() { err = errors.Join(err, a.free()) }()
	leaves, err := w.leaves(ctx, &a, asked)
	if err != nil {
		return nil, err
	}
	width, low := uint64(w.spec.Width), uint64(1)<<keepFrom
	sums, err := a.alloc(32 * low * uint64(len(asked)))
	if err != nil {
		return nil, err
	}
	count := low * uint64(len(asked))
	if err := a.launch(ctx, "hash_records", count, leaves.arg(), u64(0), u32(uint32(width)), u32(0), u64(count), sums.arg(), u64(0)); err != nil {
		return nil, err
	}
	below, err := a.words(sums, 0, 8*count)
	if err != nil {
		return nil, err
	}
	var own, above []uint64
	for i, x := range asked {
		own = append(own, uint64(i)*low+uint64(x.Leaf)%low)
		above = w.trees[x.Round].places(above, uint64(x.Leaf))
	}
	values, err := a.records(ctx, leaves, width, own)
	if err != nil {
		return nil, err
	}
	upper, err := a.records(ctx, w.trees[0].nodes, 8, above)
	if err != nil {
		return nil, err
	}
	known, kept, up := hashes(below), hashes(upper), w.spec.Depth()-keepFrom
	for i, x := range asked {
		o := challenge.Opening{Index: x, Values: make([]int32, width)}
		for k := range o.Values {
			o.Values[k] = int32(values[uint64(i)*width+uint64(k)])
		}
		lowest := challenge.NewTree(known[uint64(i)*low : (uint64(i)+1)*low])
		o.Path = append(lowest.Path(uint64(x.Leaf)%low), kept[i*up:(i+1)*up]...)
		out = append(out, o)
	}
	return out, nil
}

// leaves computes, for each leaf, the 16 below the same kept node.
func (w *work) leaves(ctx context.Context, a *arena, asked []challenge.Index) (Buffer, error) {
	run := uint64(w.spec.Width) << keepFrom
	var list []uint32
	for _, x := range asked {
		first := uint64(x.Leaf) >> keepFrom * run
		seed := w.seeds[x.Round]
		list = append(list, seed[0], seed[1], seed[2], seed[3], uint32(first), uint32(first>>32), 0, 0)
	}
	q, err := a.upload(list)
	if err != nil {
		return 0, err
	}
	count := uint64(len(asked))
	out, err := a.alloc(4 * run * count)
	if err != nil {
		return 0, err
	}
	return out, a.launch(ctx, "entries", run*count, q.arg(), u32(uint32(run)), u64(count), u64(uint64(w.spec.N)),
		u32(w.form), out.arg())
}
