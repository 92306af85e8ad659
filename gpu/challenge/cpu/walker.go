package cpu

import (
	"context"
	"fmt"

	"github.com/idlegrid/idlegrid/gpu/challenge"
)

// table is what Fill made, and the last walk of it.
type table struct {
	spec    challenge.Spec
	seed    challenge.Seed
	entries []challenge.Entry
	start   challenge.Hash
	ends    []challenge.State // of all segments; nil: no walk yet
	tree    challenge.Tree
}

// Fill makes the table of the spec. It returns ErrMemory, an error that wraps challenge.ErrInvalid, or the context's.
func (p *Prover) Fill(ctx context.Context, s challenge.Spec) error {
	if err := p.admit(s); err != nil {
		return err
	}
	if s.Memory == (challenge.MemorySpec{}) {
		return fmt.Errorf("%w: memory is empty, want a table", challenge.ErrInvalid)
	}
	p.table = nil
	t := &table{spec: s, seed: s.TableSeed(), entries: make([]challenge.Entry, s.Memory.Entries())}
	const batch = 64 // entries between two looks at the context
	err := p.spread(ctx, (len(t.entries)+batch-1)/batch, func(i int) {
		for j := i * batch; j < min((i+1)*batch, len(t.entries)); j++ {
			t.entries[j] = s.Memory.Entry(t.seed, uint64(j))
		}
	})
	if err != nil {
		return err
	}
	p.table = t
	return nil
}

// Walk makes all lanes' steps. It returns ErrUncommitted without a table, or the context's error.
func (p *Prover) Walk(ctx context.Context, nonce [32]byte) (challenge.WalkCommitment, error) {
	t := p.table
	if t == nil {
		return challenge.WalkCommitment{}, ErrUncommitted
	}
	m := t.spec.Memory
	ends, leaves := make([]challenge.State, m.Leaves()), make([]challenge.Hash, m.Leaves())
	err := p.spread(ctx, int(m.Lanes), func(lane int) {
		h := challenge.LaneStart(nonce, uint32(lane))
		for s := range int(m.Segments) {
			for range m.Steps {
				h = h.Absorb(t.seed, &t.entries[h.Line(m.Entries())])
			}
			i := lane*int(m.Segments) + s
			ends[i], leaves[i] = h, h.Hash()
		}
	})
	if err != nil {
		return challenge.WalkCommitment{}, err
	}
	t.start, t.ends, t.tree = nonce, ends, challenge.NewTree(leaves)
	return challenge.WalkCommitment{Root: t.tree.Root()}, nil
}

// OpenWalk answers the nonce for the last walk. It returns ErrUncommitted without one, or the context's error.
func (p *Prover) OpenWalk(ctx context.Context, nonce [32]byte) ([]challenge.WalkOpening, error) {
	t := p.table
	if t == nil || t.ends == nil {
		return nil, ErrUncommitted
	}
	segments := challenge.WalkIndices(t.spec, challenge.WalkCommitment{Root: t.tree.Root()}, t.start, nonce)
	out := make([]challenge.WalkOpening, 0, len(segments))
	for _, i := range segments {
		o := challenge.WalkOpening{Segment: i, To: t.ends[i], ToPath: t.tree.Path(uint64(i))}
		if i%t.spec.Memory.Segments > 0 {
			o.From, o.FromPath = t.ends[i-1], t.tree.Path(uint64(i-1))
		}
		out = append(out, o)
	}
	return out, ctx.Err()
}
