package challenge

import "fmt"

// AnswerError says that an answer does not prove what was asked.
type AnswerError struct {
	Reason Reason // Shape, MerklePath or Value, or one of the walk's
	Item   int    // which opening, in the order asked for; -1: the answer as a whole
	Text   string // what was found
}

// Error gives reason, item and text.
func (e *AnswerError) Error() string {
	if e.Item < 0 {
		return fmt.Sprintf("challenge: %s: %s", e.Reason, e.Text)
	}
	return fmt.Sprintf("challenge: %s: opening %d: %s", e.Reason, e.Item, e.Text)
}

// Verifier checks the openings of one commitment under one nonce. It is immutable: its methods may be called from several
// goroutines at once.
type Verifier struct {
	spec    Spec
	roots   []Hash
	seeds   []Seed // of the rounds
	indices []Index
}

// NewVerifier returns a verifier of the openings that a nonce asks for, which must have been drawn after the commitment came.
// Errors wrap ErrInvalid for a bad spec, and are *AnswerError with Shape for a commitment that does not fit it.
func NewVerifier(s Spec, c Commitment, nonce [32]byte) (*Verifier, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if err := checkRoots(s, c); err != nil {
		return nil, err
	}
	v := &Verifier{spec: s, roots: append([]Hash(nil), c.Roots...), seeds: make([]Seed, s.Rounds), indices: Indices(s, c, nonce)}
	v.seeds[0] = s.Seed()
	for t := 1; t < len(v.seeds); t++ {
		v.seeds[t] = v.seeds[t-1].Next(v.roots[t-1])
	}
	return v, nil
}

// Indices returns the leaves that have to be opened, ascending.
func (v *Verifier) Indices() []Index { return append([]Index(nil), v.indices...) }

// VerifyOne checks opening i of those asked for: that it is this leaf, its path, and each of its values. It costs Width rows
// of N entries and the memory of one row. The error is an *AnswerError. It panics if i is none of Indices.
func (v *Verifier) VerifyOne(i int, o Opening) error {
	want := v.indices[i]
	switch {
	case o.Index != want:
		return &AnswerError{Shape, i, fmt.Sprintf("round %d leaf %d, want round %d leaf %d", o.Round, o.Leaf, want.Round, want.Leaf)}
	case len(o.Values) != int(v.spec.Width):
		return &AnswerError{Shape, i, fmt.Sprintf("%d values, want %d", len(o.Values), v.spec.Width)}
	case len(o.Path) != v.spec.Depth():
		return &AnswerError{Shape, i, fmt.Sprintf("path of %d nodes, want %d", len(o.Path), v.spec.Depth())}
	}
	if !CheckPath(v.roots[want.Round], LeafHash(o.Values), uint64(want.Leaf), o.Path) {
		return &AnswerError{MerklePath, i, fmt.Sprintf("round %d leaf %d does not lead to the root", want.Round, want.Leaf)}
	}
	row, col := v.spec.place(want.Leaf)
	values := make([]int32, v.spec.Width)
	v.seeds[want.Round].Entries(values, v.spec.Kind, v.spec.N, row, col)
	for j, x := range values {
		if o.Values[j] != x {
			return &AnswerError{Value, i, fmt.Sprintf("round %d row %d column %d is %d, want %d", want.Round, row, col+uint32(j), o.Values[j], x)}
		}
	}
	return nil
}

// Verify checks that the openings are those that the nonce asks for, in order, and that each is right: O(Openings * Width * N)
// time on one core and O(N) memory. To use several cores, share one Verifier and let each of them call VerifyOne for a part.
// Errors are those of NewVerifier and VerifyOne.
func Verify(s Spec, c Commitment, nonce [32]byte, o []Opening) error {
	v, err := NewVerifier(s, c, nonce)
	if err != nil {
		return err
	}
	if len(o) != len(v.indices) {
		return &AnswerError{Shape, -1, fmt.Sprintf("%d openings, want %d", len(o), len(v.indices))}
	}
	for i := range o {
		if err := v.VerifyOne(i, o[i]); err != nil {
			return err
		}
	}
	return nil
}

// Verify checks the openings of an exchange, and those of its walk. It costs what Verify and VerifyWalk cost, on one core;
// it changes nothing and may be called on any goroutine. The error is an *AnswerError; of the zero Examine it wraps
// ErrInvalid.
func (e Examine) Verify() error {
	if err := Verify(e.work, e.commitment, e.nonce, e.opened.Openings); err != nil {
		return err
	}
	if e.spec.Memory != (MemorySpec{}) {
		return VerifyWalk(e.spec, e.walk, e.start, e.nonce, e.opened.Segments)
	}
	if n := len(e.opened.Segments); n > 0 {
		return &AnswerError{WalkShape, -1, fmt.Sprintf("%d segments, want 0", n)}
	}
	return nil
}

// place is the row and the first column of a leaf.
func (s Spec) place(leaf uint32) (row, col uint32) {
	perRow := s.N / s.Width
	return leaf / perRow, leaf % perRow * s.Width
}

// checkRoots wants one root for each round, and no root twice: the seed of a round depends on the root before it, so that a
// root that comes again was copied.
func checkRoots(s Spec, c Commitment) error {
	if len(c.Roots) != int(s.Rounds) {
		return &AnswerError{Shape, -1, fmt.Sprintf("%d roots, want %d", len(c.Roots), s.Rounds)}
	}
	seen := make(map[Hash]bool, len(c.Roots))
	for t, r := range c.Roots {
		if seen[r] {
			return &AnswerError{Shape, -1, fmt.Sprintf("root of round %d is that of a round before", t)}
		}
		seen[r] = true
	}
	return nil
}
