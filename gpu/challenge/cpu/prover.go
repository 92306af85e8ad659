package cpu

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/idlegrid/idlegrid/gpu/challenge"
)

const (
	stripeRows = 64 // rows of A at a time: the least side, so that stripes are whole
	levels     = 4  // of a tree that are not kept
	group      = 1 << levels
)

var (
	// ErrMemory says that a task needs more memory than Config.MaxBytes.
	ErrMemory = errors.New("cpu: task needs too much memory")
	// ErrUncommitted says that there is no commitment, table or walk to go on from.
	ErrUncommitted = errors.New("cpu: nothing is committed")
)

// Config says what a prover may use.
type Config struct {
	// Workers is the number of goroutines that work at once, 1 to 1024; the number of cores is a good one.
	Workers int
	// MaxBytes is the most memory that a task may take: Spec.DeviceBytes, and 64 bytes for each segment of the walk, whose tree
	// is kept whole here.
	MaxBytes uint64
	// Plain keeps to the kernel of plain Go where a faster one could be used.
	Plain bool
}

// Prover answers challenges. It is not safe for concurrent use.
type Prover struct {
	config Config
	kernel kernel

	spec  challenge.Spec // of the last commitment
	seeds []challenge.Seed
	upper []challenge.Tree // from the 4th level on
	roots challenge.Commitment

	table *table
}

// New returns a prover. It fails if a field of the configuration is out of range.
func New(c Config) (*Prover, error) {
	if c.Workers < 1 || c.Workers > 1024 {
		return nil, fmt.Errorf("cpu: workers %d, want 1 to 1024", c.Workers)
	}
	if c.MaxBytes == 0 {
		return nil, errors.New("cpu: maxBytes is 0")
	}
	p := &Prover{config: c, kernel: plainKernel()}
	if !c.Plain {
		p.kernel = bestKernel()
	}
	return p, nil
}

// Kernel names the kernel in use: "plain" or "avx2".
func (p *Prover) Kernel() string { return p.kernel.name }

// Commit computes all rounds. It returns ErrMemory, an error that wraps challenge.ErrInvalid, or the context's.
func (p *Prover) Commit(ctx context.Context, s challenge.Spec) (challenge.Commitment, error) {
	if err := p.admit(s); err != nil {
		return challenge.Commitment{}, err
	}
	p.spec, p.seeds, p.upper, p.roots = s, nil, nil, challenge.Commitment{}
	seed := s.Seed()
	var seeds []challenge.Seed
	var upper []challenge.Tree
	var roots []challenge.Hash
	for range s.Rounds {
		tree, err := p.round(ctx, s, seed)
		if err != nil {
			return challenge.Commitment{}, err
		}
		seeds, upper, roots = append(seeds, seed), append(upper, tree), append(roots, tree.Root())
		seed = seed.Next(tree.Root())
	}
	p.seeds, p.upper, p.roots = seeds, upper, challenge.Commitment{Roots: roots}
	return challenge.Commitment{Roots: append([]challenge.Hash(nil), roots...)}, nil
}

// Open answers the nonce for the last commitment. It returns ErrUncommitted or the context's error.
func (p *Prover) Open(ctx context.Context, nonce [32]byte) ([]challenge.Opening, error) {
	if p.seeds == nil {
		return nil, ErrUncommitted
	}
	indices := challenge.Indices(p.spec, p.roots, nonce)
	out := make([]challenge.Opening, len(indices))
	err := p.spread(ctx, len(indices), func(i int) { out[i] = p.open(indices[i]) })
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Close drops what the prover holds. It never fails.
func (p *Prover) Close() error {
	p.seeds, p.upper, p.table = nil, nil, nil
	return nil
}

func (p *Prover) admit(s challenge.Spec) error {
	if err := s.Validate(); err != nil {
		return err
	}
	if need := s.DeviceBytes() + 64*s.Memory.Leaves(); need > p.config.MaxBytes {
		return fmt.Errorf("%w: %d bytes, at most %d", ErrMemory, need, p.config.MaxBytes)
	}
	return nil
}

// round returns the tree of one product, from its 4th level on.
func (p *Prover) round(ctx context.Context, s challenge.Spec, seed challenge.Seed) (challenge.Tree, error) {
	n := int(s.N)
	bt := make([]int8, n*n)
	err := p.spread(ctx, n, func(row int) { seed.Row(bt[row*n:(row+1)*n], s.Kind, challenge.Bt, uint32(row)) })
	if err != nil {
		return challenge.Tree{}, err
	}
	nodes := make([]challenge.Hash, s.Leaves()/group)
	perStripe := len(nodes) / (n / stripeRows)
	scratch := sync.Pool{New: func() any { return &stripe{a: make([]int8, stripeRows*n), c: make([]int32, stripeRows*n)} }}
	err = p.spread(ctx, n/stripeRows, func(i int) {
		t, _ := scratch.Get().(*stripe)
		defer scratch.Put(t)
		for row := range stripeRows {
			seed.Row(t.a[row*n:(row+1)*n], s.Kind, challenge.A, uint32(i*stripeRows+row))
		}
		p.kernel.multiply(t, bt, n, s.Kind)
		for j := range perStripe {
			nodes[i*perStripe+j] = groupRoot(t.c[j*group*int(s.Width):(j+1)*group*int(s.Width)], int(s.Width))
		}
	})
	if err != nil {
		return challenge.Tree{}, err
	}
	return challenge.NewTree(nodes), nil
}

// open recomputes the 16 leaves under the node that is kept.
func (p *Prover) open(x challenge.Index) challenge.Opening {
	w := int(p.spec.Width)
	perRow := p.spec.N / p.spec.Width
	first := x.Leaf / group * group
	values := make([]int32, group*w)
	for i := range group {
		leaf := first + uint32(i)
		p.seeds[x.Round].Entries(values[i*w:(i+1)*w], p.spec.Kind, p.spec.N, leaf/perRow, leaf%perRow*p.spec.Width)
	}
	own := int(x.Leaf - first)
	path := groupTree(values, w).Path(uint64(own))
	return challenge.Opening{
		Index:  x,
		Values: append([]int32(nil), values[own*w:(own+1)*w]...),
		Path:   append(path, p.upper[x.Round].Path(uint64(x.Leaf/group))...),
	}
}

// spread calls f for 0..n-1, by as many goroutines as there are workers, and waits for them. After the context ends no
// further call begins, and its error is returned.
func (p *Prover) spread(ctx context.Context, n int, f func(i int)) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(p.config.Workers, n) {
		wg.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				f(i)
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}

func groupTree(values []int32, width int) challenge.Tree {
	leaves := make([]challenge.Hash, group)
	for i := range leaves {
		leaves[i] = challenge.LeafHash(values[i*width : (i+1)*width])
	}
	return challenge.NewTree(leaves)
}

func groupRoot(values []int32, width int) challenge.Hash { return groupTree(values, width).Root() }
