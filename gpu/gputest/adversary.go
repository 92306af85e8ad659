package gputest

import (
	"context"
	"encoding/binary"
	"slices"
	"sync"
	"time"

	"github.com/idlegrid/idlegrid/gpu/challenge"
	"github.com/idlegrid/idlegrid/gpu/challenge/cpu"
)

// Lazy is a prover that leaves out a share of the work: of its leaves, those are garbage. It is caught with 1-(1-f)^k. It
// keeps whole products, so that it serves small sides only.
type Lazy struct {
	Wrong uint32 // share of garbage leaves, parts per billion
	Coin  uint64 // which ones

	spec   challenge.Spec
	roots  challenge.Commitment
	values [][][]int32
	trees  []challenge.Tree
}

// Commit computes all rounds but what it leaves out. It returns the spec's or the context's error.
func (l *Lazy) Commit(ctx context.Context, s challenge.Spec) (challenge.Commitment, error) {
	if err := s.Validate(); err != nil {
		return challenge.Commitment{}, err
	}
	l.spec, l.roots, l.values, l.trees = s, challenge.Commitment{}, nil, nil
	seed := s.Seed()
	coin := challenge.Seed{uint32(l.Coin), uint32(l.Coin >> 32), 1, 2}
	perRow := s.N / s.Width
	for t := range s.Rounds {
		values, leaves := make([][]int32, s.Leaves()), make([]challenge.Hash, s.Leaves())
		for i := range values {
			if err := ctx.Err(); err != nil {
				return challenge.Commitment{}, err
			}
			values[i] = make([]int32, s.Width)
			toss := uint64(coin.Block(challenge.A, uint64(t)<<32|uint64(i))[0]) * challenge.Billion >> 32
			if toss >= uint64(l.Wrong) {
				seed.Entries(values[i], s.Kind, s.N, uint32(i)/perRow, uint32(i)%perRow*s.Width)
			} else {
				values[i][0] = -1 << 31 // no product is that
			}
			leaves[i] = challenge.LeafHash(values[i])
		}
		tree := challenge.NewTree(leaves)
		l.values, l.trees, l.roots.Roots = append(l.values, values), append(l.trees, tree), append(l.roots.Roots, tree.Root())
		seed = seed.Next(tree.Root())
	}
	return l.roots, nil
}

// Open opens what was committed, garbage or not.
func (l *Lazy) Open(ctx context.Context, nonce [32]byte) ([]challenge.Opening, error) {
	var out []challenge.Opening
	for _, x := range challenge.Indices(l.spec, l.roots, nonce) {
		out = append(out, challenge.Opening{Index: x, Values: l.values[x.Round][x.Leaf], Path: l.trees[x.Round].Path(uint64(x.Leaf))})
	}
	return out, ctx.Err()
}

// Close does nothing.
func (l *Lazy) Close() error { return nil }

// Replaying answers every challenge with what another prover answered to the first. It is caught because the seed binds
// session, device and shape, and the nonce asks for other leaves.
type Replaying struct {
	Prover challenge.Prover

	roots    challenge.Commitment
	openings []challenge.Opening
}

// Commit asks the other prover once and remembers.
func (r *Replaying) Commit(ctx context.Context, s challenge.Spec) (challenge.Commitment, error) {
	var err error
	if r.roots.Roots == nil {
		r.roots, err = r.Prover.Commit(ctx, s)
	}
	return r.roots, err
}

// Open asks the other prover once and remembers.
func (r *Replaying) Open(ctx context.Context, nonce [32]byte) ([]challenge.Opening, error) {
	var err error
	if r.openings == nil {
		r.openings, err = r.Prover.Open(ctx, nonce)
	}
	return r.openings, err
}

// Close closes the other prover.
func (r *Replaying) Close() error { return r.Prover.Close() }

// Card stands for one GPU whose work takes a time that the test sets: on a clock of testing/synctest that is exact. It
// does one piece of work at a time and holds a number of tables. Its results are those of the processor.
type Card struct {
	work, walk time.Duration
	tables     int
	free       chan struct{}

	mu   sync.Mutex
	held []*cpu.Prover // whose tables it holds, the oldest first
}

// NewCard returns a card that takes work for all rounds of a spec and walk for a walk, and holds that many tables.
func NewCard(work, walk time.Duration, tables int) *Card {
	c := &Card{work: work, walk: walk, tables: tables, free: make(chan struct{}, 1)}
	c.free <- struct{}{}
	return c
}

// Claims returns n provers that all answer from this one card. Honest is one. Of more, each waits for the others, and the
// tables that the card does not hold are walked as zeros. A card that is n times as fast as its model's
// deadline asks, and holds n tables, is not caught: it has what n of the model have.
func (c *Card) Claims(n int) ([]*Shared, error) {
	out := make([]*Shared, 0, n)
	for range n {
		p, err := cpu.New(cpu.Config{Workers: 1, MaxBytes: 1 << 30})
		if err != nil {
			return nil, err
		}
		out = append(out, &Shared{card: c, prover: p})
	}
	return out, nil
}

// Shared is one of several claims on one Card.
type Shared struct {
	card   *Card
	prover *cpu.Prover
	delay  time.Duration

	spec challenge.Spec // of the table
	lost *Forgetful     // walks in place of a table that is gone
}

// Relayed returns the same claim, of which every answer travels that much longer: the device is elsewhere. It is caught if
// the deadline leaves no room; the credit for the line is bounded by Params.RTTBound, and the rest is the tolerance.
func (s *Shared) Relayed(delay time.Duration) *Shared {
	return &Shared{card: s.card, prover: s.prover, delay: delay, spec: s.spec}
}

// SplitOver returns a claim that several devices work on, each on its part of every round, in a work'th of the time. It is
// not caught: work proves that the node reaches a rate, not with how many devices. Memory tables, which each would have to
// hold in part, are walked at the rate of a network between them.
func SplitOver(devices int, work, walk time.Duration) (*Shared, error) {
	list, err := NewCard(work/time.Duration(devices), walk, 1).Claims(1)
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// Commit waits for the device, works, and answers.
func (s *Shared) Commit(ctx context.Context, spec challenge.Spec) (challenge.Commitment, error) {
	if err := s.card.use(ctx, s.card.work); err != nil {
		return challenge.Commitment{}, err
	}
	c, err := s.prover.Commit(ctx, spec)
	if err != nil {
		return challenge.Commitment{}, err
	}
	return c, wait(ctx, s.delay)
}

// Open answers at once.
func (s *Shared) Open(ctx context.Context, nonce [32]byte) ([]challenge.Opening, error) {
	o, err := s.prover.Open(ctx, nonce)
	if err != nil {
		return nil, err
	}
	return o, wait(ctx, s.delay)
}

// Fill makes a table; if the card holds as many as it can, the oldest goes.
func (s *Shared) Fill(ctx context.Context, spec challenge.Spec) error {
	s.spec = spec
	if err := s.prover.Fill(ctx, spec); err != nil {
		return err
	}
	s.card.mu.Lock()
	defer s.card.mu.Unlock()
	s.card.held = append(s.card.held, s.prover)
	if over := len(s.card.held) - s.card.tables; over > 0 {
		s.card.held = s.card.held[over:]
	}
	return nil
}

// Walk waits for the card and walks the table, or zeros where it is gone.
func (s *Shared) Walk(ctx context.Context, nonce [32]byte) (challenge.WalkCommitment, error) {
	if err := s.card.use(ctx, s.card.walk); err != nil {
		return challenge.WalkCommitment{}, err
	}
	s.lost = nil
	var w challenge.Walker = s.prover
	if !s.card.holds(s.prover) {
		s.lost = &Forgetful{Missing: challenge.Billion}
		if err := s.lost.Fill(ctx, s.spec); err != nil {
			return challenge.WalkCommitment{}, err
		}
		w = s.lost
	}
	c, err := w.Walk(ctx, nonce)
	if err != nil {
		return challenge.WalkCommitment{}, err
	}
	return c, wait(ctx, s.delay)
}

// OpenWalk opens the walk.
func (s *Shared) OpenWalk(ctx context.Context, nonce [32]byte) ([]challenge.WalkOpening, error) {
	if s.lost != nil {
		return s.lost.OpenWalk(ctx, nonce)
	}
	return s.prover.OpenWalk(ctx, nonce)
}

// Close drops what the claim holds.
func (s *Shared) Close() error { return s.prover.Close() }

func (c *Card) holds(p *cpu.Prover) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Contains(c.held, p)
}

// use occupies the card for a time.
func (c *Card) use(ctx context.Context, t time.Duration) error {
	select {
	case <-c.free:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { c.free <- struct{}{} }()
	return wait(ctx, t)
}

func wait(ctx context.Context, t time.Duration) error {
	timer := time.NewTimer(t)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Forgetful is a walker that holds a part of its table only. What is missing it makes up, and is caught by the value of an
// opened segment with 1-(1-p)^g each; or it recomputes it, and is caught by the time, which Recomputed gives the work of.
type Forgetful struct {
	Missing   uint32 // share of entries that are not held, parts per billion
	Recompute bool   // whether they are computed again; else they are zeros

	spec  challenge.Spec
	nonce challenge.Hash
	ends  []challenge.State
	tree  challenge.Tree
	again uint64
}

// Fill remembers the spec: entries are computed when they are read, which is all the same to the verifier.
func (f *Forgetful) Fill(_ context.Context, s challenge.Spec) error {
	f.spec = s
	return s.Validate()
}

// Walk walks what it holds.
func (f *Forgetful) Walk(ctx context.Context, nonce [32]byte) (challenge.WalkCommitment, error) {
	m, seed := f.spec.Memory, f.spec.TableSeed()
	f.nonce, f.ends, f.again = nonce, nil, 0
	var leaves []challenge.Hash
	for lane := range m.Lanes {
		h := challenge.LaneStart(nonce, lane)
		for range m.Segments {
			for range m.Steps {
				var e challenge.Entry
				j := h.Line(m.Entries())
				gone := f.gone(j)
				if gone {
					f.again++
				}
				if !gone || f.Recompute {
					e = m.Entry(seed, j)
				}
				h = h.Absorb(seed, &e)
			}
			f.ends, leaves = append(f.ends, h), append(leaves, h.Hash())
		}
	}
	f.tree = challenge.NewTree(leaves)
	return challenge.WalkCommitment{Root: f.tree.Root()}, ctx.Err()
}

// OpenWalk opens the walk.
func (f *Forgetful) OpenWalk(ctx context.Context, nonce [32]byte) ([]challenge.WalkOpening, error) {
	var out []challenge.WalkOpening
	for _, i := range challenge.WalkIndices(f.spec, challenge.WalkCommitment{Root: f.tree.Root()}, f.nonce, nonce) {
		o := challenge.WalkOpening{Segment: i, To: f.ends[i], ToPath: f.tree.Path(uint64(i))}
		if i%f.spec.Memory.Segments > 0 {
			o.From, o.FromPath = f.ends[i-1], f.tree.Path(uint64(i-1))
		}
		out = append(out, o)
	}
	return out, ctx.Err()
}

// Recomputed is how many reads of the last walk found nothing: each costs 8*Cost calls of Philox in place of a read.
func (f *Forgetful) Recomputed() uint64 { return f.again }

// gone tells the entries that are not held by a hash of their number: no pattern that a walk could meet.
func (f *Forgetful) gone(j uint64) bool {
	h := challenge.LeafHash([]int32{int32(j), int32(j >> 32)})
	return uint64(binary.BigEndian.Uint32(h[:4]))*challenge.Billion>>32 < uint64(f.Missing)
}
