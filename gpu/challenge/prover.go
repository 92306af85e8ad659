package challenge

import "context"

// Prover does the work: a CPU (package cpu) or a GPU (packages cuda and opencl). It serves one challenge at a time and is not
// safe for concurrent use.
type Prover interface {
	// Commit computes all rounds of the spec and returns their roots in order. It returns early with the context's error.
	Commit(ctx context.Context, s Spec) (Commitment, error)
	// Open answers the nonce for the spec that was committed last: the leaves of Indices, in that order.
	Open(ctx context.Context, nonce [32]byte) ([]Opening, error)
	// Close gives back what the prover holds. It may be called more than once.
	Close() error
}

// Walker holds the table and walks it. Walk and OpenWalk go by the spec that was given to Fill, whose session is not that of
// the spec given to Commit. Where a Prover is a Walker too, the table stays from Fill until Close or the next Fill: Commit
// and Open leave it in place.
type Walker interface {
	// Fill makes the table of the spec's Memory. It is not timed.
	Fill(ctx context.Context, s Spec) error
	// Walk makes all lanes' steps from the nonce and returns the root over the ends of all segments.
	Walk(ctx context.Context, nonce [32]byte) (WalkCommitment, error)
	// OpenWalk answers the nonce for the last walk: the segments of WalkIndices, in that order.
	OpenWalk(ctx context.Context, nonce [32]byte) ([]WalkOpening, error)
}

// Commitment is what a prover is bound to before it learns what it has to open: one root for each round.
type Commitment struct {
	Roots []Hash `json:"roots"`
}

// Index names a leaf: a round from 0, and a leaf of that round's product, row by row.
type Index struct {
	Round uint32 `json:"round"`
	Leaf  uint32 `json:"leaf"`
}

// Opening shows a leaf: its Width values and the path to the round's root, the sibling of the leaf first.
type Opening struct {
	Index
	Values []int32 `json:"values"`
	Path   []Hash  `json:"path"`
}

// State is that of a lane of a walk, four words.
type State [4]uint32

// WalkCommitment is the root over the states at the ends of all segments.
type WalkCommitment struct {
	Root Hash `json:"root"`
}

// WalkOpening shows a segment: the states at its two ends, each with its path. The first segment of a lane starts from the
// nonce: its From is zero and its FromPath empty.
type WalkOpening struct {
	Segment  uint32 `json:"segment"` // lane*Segments + segment of the lane
	From     State  `json:"from"`
	To       State  `json:"to"`
	FromPath []Hash `json:"fromPath"`
	ToPath   []Hash `json:"toPath"`
}
