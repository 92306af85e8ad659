package challenge

import (
	"fmt"
	"math/bits"

	"github.com/idlegrid/idlegrid/internal/canon"
)

const (
	commitmentDomain     = "idlegrid/gpu/challenge/commitment/v1"
	openingsDomain       = "idlegrid/gpu/challenge/openings/v1"
	walkCommitmentDomain = "idlegrid/gpu/challenge/walk-commitment/v1"
	walkOpeningsDomain   = "idlegrid/gpu/challenge/walk-openings/v1"

	maxDepth = 28 // 2^28 leaves: MaxSide^2 / MinWidth
)

// Openings are all openings of one answer, ascending by Index. In binary form a node that two paths share stands there once:
// an opening after another of the same round leaves out the upper nodes, which follow from the one before.
type Openings []Opening

// WalkOpenings are all segments of one answer, ascending by Segment. In binary form the path of a segment's end leaves out
// what it shares with that of its start.
type WalkOpenings []WalkOpening

// MarshalBinary returns the canonical form. It wraps ErrInvalid for more than MaxRounds roots or none.
func (c Commitment) MarshalBinary() ([]byte, error) {
	if err := checkRange("roots", uint64(len(c.Roots)), 1, MaxRounds); err != nil {
		return nil, err
	}
	w := canon.NewWriter(commitmentDomain)
	w.Len(len(c.Roots))
	for _, r := range c.Roots {
		w.Raw(r[:])
	}
	return w.Data(), nil
}

// UnmarshalBinary reads the canonical form and nothing else. Errors wrap ErrMalformed and leave c as it was.
func (c *Commitment) UnmarshalBinary(b []byte) error {
	r := canon.NewReader(b, commitmentDomain)
	n := r.Len(32)
	if r.Err() == nil && (n < 1 || n > MaxRounds) {
		return fmt.Errorf("%w: %d roots, want 1 to %d", ErrMalformed, n, MaxRounds)
	}
	roots := readHashes(r, n)
	if err := r.Close(); err != nil {
		return fmt.Errorf("%w: commitment: %w", ErrMalformed, err)
	}
	c.Roots = roots
	return nil
}

// MarshalBinary returns the canonical form.
func (c WalkCommitment) MarshalBinary() ([]byte, error) {
	w := canon.NewWriter(walkCommitmentDomain)
	w.Raw(c.Root[:])
	return w.Data(), nil
}

// UnmarshalBinary reads the canonical form and nothing else. Errors wrap ErrMalformed and leave c as it was.
func (c *WalkCommitment) UnmarshalBinary(b []byte) error {
	r := canon.NewReader(b, walkCommitmentDomain)
	var root Hash
	r.Raw(root[:])
	if err := r.Close(); err != nil {
		return fmt.Errorf("%w: walk commitment: %w", ErrMalformed, err)
	}
	c.Root = root
	return nil
}

// MarshalBinary returns the canonical form. It wraps ErrInvalid for openings that are not ascending, not all of one shape or
// whose paths contradict each other: no verifier would take those.
func (o Openings) MarshalBinary() ([]byte, error) {
	if err := checkRange("openings", uint64(len(o)), 1, MaxOpenings); err != nil {
		return nil, err
	}
	width, depth := len(o[0].Values), len(o[0].Path)
	if width < 1 || width > MaxWidth || depth > maxDepth {
		return nil, fmt.Errorf("%w: openings of %d values and %d nodes, want 1 to %d and at most %d", ErrInvalid, width, depth, MaxWidth, maxDepth)
	}
	w := canon.NewWriter(openingsDomain)
	w.Uint16(uint16(width))
	w.Uint8(uint8(depth))
	w.Len(len(o))
	for i := range o {
		x := &o[i]
		if len(x.Values) != width || len(x.Path) != depth || uint64(x.Leaf)>>depth != 0 {
			return nil, fmt.Errorf("%w: opening %d differs in shape", ErrInvalid, i)
		}
		own := depth
		if i > 0 {
			var ok bool
			if own, ok = o[i-1].shares(x); !ok {
				return nil, fmt.Errorf("%w: opening %d is not after the one before it, or their paths differ", ErrInvalid, i)
			}
		}
		w.Uint32(x.Round)
		w.Uint32(x.Leaf)
		for _, v := range x.Values {
			w.Uint32(uint32(v))
		}
		writeHashes(w, x.Path[:own])
	}
	return w.Data(), nil
}

// UnmarshalBinary reads the canonical form and nothing else. Errors wrap ErrMalformed and leave o as it was. What it reads
// is well formed, not verified.
func (o *Openings) UnmarshalBinary(b []byte) error {
	r := canon.NewReader(b, openingsDomain)
	width, depth := int(r.Uint16()), int(r.Uint8())
	n := r.Len(8 + 4*width)
	if r.Err() == nil && (n < 1 || n > MaxOpenings || width < 1 || width > MaxWidth || depth > maxDepth) {
		return fmt.Errorf("%w: %d openings of %d values and %d nodes", ErrMalformed, n, width, depth)
	}
	out := make(Openings, 0, min(n, MaxOpenings))
	for i := 0; i < n && r.Err() == nil; i++ {
		x := Opening{Index: Index{Round: r.Uint32(), Leaf: r.Uint32()}, Values: make([]int32, width)}
		for j := range x.Values {
			x.Values[j] = int32(r.Uint32())
		}
		if uint64(x.Leaf)>>depth != 0 {
			return fmt.Errorf("%w: opening %d of leaf %d in a tree of depth %d", ErrMalformed, i, x.Leaf, depth)
		}
		own := depth
		var before *Opening
		if i > 0 {
			before = &out[i-1]
			if !before.Index.less(x.Index) {
				return fmt.Errorf("%w: opening %d is not after the one before it", ErrMalformed, i)
			}
			if before.Round == x.Round {
				own = bits.Len32(before.Leaf^x.Leaf) - 1
			}
		}
		x.Path = readHashes(r, own)
		if own < depth && r.Err() == nil {
			x.Path = graft(x.Path, LeafHash(before.Values), uint64(before.Leaf), before.Path)
		}
		out = append(out, x)
	}
	if err := r.Close(); err != nil {
		return fmt.Errorf("%w: openings: %w", ErrMalformed, err)
	}
	*o = out
	return nil
}

// MarshalBinary returns the canonical form. It wraps ErrInvalid for segments that are not ascending or not all of one shape.
func (o WalkOpenings) MarshalBinary() ([]byte, error) {
	if err := checkRange("segments", uint64(len(o)), 1, MaxOpenings); err != nil {
		return nil, err
	}
	depth := len(o[0].ToPath)
	if depth > maxDepth {
		return nil, fmt.Errorf("%w: path of %d nodes, at most %d", ErrInvalid, depth, maxDepth)
	}
	w := canon.NewWriter(walkOpeningsDomain)
	w.Uint8(uint8(depth))
	w.Len(len(o))
	for i := range o {
		x := &o[i]
		first := len(x.FromPath) == 0 && x.From == State{}
		own := depth
		switch {
		case len(x.ToPath) != depth || uint64(x.Segment)>>depth != 0, i > 0 && o[i-1].Segment >= x.Segment,
			!first && (x.Segment == 0 || len(x.FromPath) != depth):
			return nil, fmt.Errorf("%w: segment %d at %d is out of order or shape", ErrInvalid, x.Segment, i)
		case !first:
			own = bits.Len32((x.Segment-1)^x.Segment) - 1
			grafted := graft(x.ToPath[:own:own], x.From.Hash(), uint64(x.Segment-1), x.FromPath)
			if !equalHashes(grafted, x.ToPath) {
				return nil, fmt.Errorf("%w: segment %d has paths that differ", ErrInvalid, x.Segment)
			}
		}
		w.Uint32(x.Segment)
		w.Bool(first)
		if !first {
			writeState(w, x.From)
			writeHashes(w, x.FromPath)
		}
		writeState(w, x.To)
		writeHashes(w, x.ToPath[:own])
	}
	return w.Data(), nil
}

// UnmarshalBinary reads the canonical form and nothing else. Errors wrap ErrMalformed and leave o as it was. What it reads
// is well formed, not verified.
func (o *WalkOpenings) UnmarshalBinary(b []byte) error {
	r := canon.NewReader(b, walkOpeningsDomain)
	depth := int(r.Uint8())
	n := r.Len(4 + 1 + 16)
	if r.Err() == nil && (n < 1 || n > MaxOpenings || depth > maxDepth) {
		return fmt.Errorf("%w: %d segments with paths of %d nodes", ErrMalformed, n, depth)
	}
	out := make(WalkOpenings, 0, min(n, MaxOpenings))
	for i := 0; i < n && r.Err() == nil; i++ {
		x := WalkOpening{Segment: r.Uint32()}
		first := r.Bool()
		if r.Err() == nil && (uint64(x.Segment)>>depth != 0 || i > 0 && out[i-1].Segment >= x.Segment || x.Segment == 0 && !first) {
			return fmt.Errorf("%w: segment %d at %d is out of order or shape", ErrMalformed, x.Segment, i)
		}
		own := depth
		if !first && r.Err() == nil {
			x.From, x.FromPath = readState(r), readHashes(r, depth)
			own = bits.Len32((x.Segment-1)^x.Segment) - 1
		}
		x.To = readState(r)
		x.ToPath = readHashes(r, own)
		if !first && r.Err() == nil {
			x.ToPath = graft(x.ToPath, x.From.Hash(), uint64(x.Segment-1), x.FromPath)
		}
		out = append(out, x)
	}
	if err := r.Close(); err != nil {
		return fmt.Errorf("%w: walk openings: %w", ErrMalformed, err)
	}
	*o = out
	return nil
}

func (x Index) less(y Index) bool {
	return x.Round < y.Round || x.Round == y.Round && x.Leaf < y.Leaf
}

// shares returns how many nodes of y's path do not follow from o, which comes before it; false if y is not after o or the
// nodes that should be the same are not.
func (o *Opening) shares(y *Opening) (own int, ok bool) {
	if !o.less(y.Index) {
		return 0, false
	}
	if o.Round != y.Round {
		return len(y.Path), true
	}
	own = bits.Len32(o.Leaf^y.Leaf) - 1
	return own, equalHashes(graft(y.Path[:own:own], LeafHash(o.Values), uint64(o.Leaf), o.Path), y.Path)
}

// graft completes the lower nodes of a path: the next one is the ancestor of another node, whose path is known, and from
// there on both paths are one.
func graft(lower []Hash, node Hash, i uint64, path []Hash) []Hash {
	out := append(lower, climb(node, i, path[:len(lower)]))
	return append(out, path[len(out):]...)
}

func equalHashes(a, b []Hash) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func writeHashes(w *canon.Writer, list []Hash) {
	for _, h := range list {
		w.Raw(h[:])
	}
}

func readHashes(r *canon.Reader, n int) []Hash {
	if r.Err() != nil {
		return nil
	}
	out := make([]Hash, n)
	for i := range out {
		r.Raw(out[i][:])
	}
	return out
}

func writeState(w *canon.Writer, h State) {
	for _, x := range h {
		w.Uint32(x)
	}
}

func readState(r *canon.Reader) (h State) {
	for i := range h {
		h[i] = r.Uint32()
	}
	return h
}
