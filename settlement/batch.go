package settlement

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// BatchID is a place in an epoch's plan. It is never reused, and the marker of every attempt is derived from it.
type BatchID struct {
	Epoch tokenomics.Epoch // the epoch that decided the money
	Lane  uint32           // one asset, sender and sort of lines, or one decision's bundles; counted in order of decision
	Index uint32           // place in the lane, from 0
}

// String returns epoch, lane and index with slashes, for example "7/0/12".
func (id BatchID) String() string { return fmt.Sprintf("%d/%d/%d", id.Epoch, id.Lane, id.Index) }

// Compare orders batches by epoch, lane and index.
func (id BatchID) Compare(other BatchID) int {
	return cmp.Or(cmp.Compare(id.Epoch, other.Epoch), cmp.Compare(id.Lane, other.Lane), cmp.Compare(id.Index, other.Index))
}

// Overflow is the lane of an epoch that holds lines which their first batch was closed without: see [Retried]. Its indices
// count from 0 without a gap.
const Overflow = ^uint32(0)

// MarkerID names the account that at most one attempt of a batch can create. N is 0, and counts up when a stranger made the
// account first.
type MarkerID struct {
	Batch BatchID
	N     uint16
}

// String returns the batch, and the number where it is not 0, for example "7/0/12" or "7/0/12#1".
func (m MarkerID) String() string {
	if m.N == 0 {
		return m.Batch.String()
	}
	return fmt.Sprintf("%s#%d", m.Batch, m.N)
}

// Line is what one batch carries from one account to another.
type Line struct {
	Kind    Kind
	Asset   Asset
	From    Account
	To      Account    // empty for a Burn, and for a Swap whose proceeds are burned
	Units   uint64     // the sum of the intents
	Into    Asset      // of a Swap, zero otherwise
	Least   uint64     // of a Swap, zero otherwise
	Intents []IntentID // in rising order
}

// Batch is what one transaction is to carry, whole or not at all. A batch without lines seals: its transaction makes the
// marker and nothing else, after which no attempt at the batch can land any more.
type Batch struct {
	ID       BatchID
	Marker   uint16 // number of its marker, see [MarkerID]
	Revision uint16 // how often lines were taken out
	Bundle   string // name of the bundle that it is, empty if it is none
	Lines    []Line
}

// MarkerID names the marker of the batch's next attempt.
func (b Batch) MarkerID() MarkerID { return MarkerID{b.ID, b.Marker} }

// Plan sums intents into lines, sorts them and cuts them into batches: same intents in any order, same batches. The first
// lane it uses is firstLane. Each kind of movement (burns apart from the rest), asset and sender has its lane; the bundles
// share the last one, a batch each. A bundle that needs more than p.MaxLines lines is an *IntentError, as is a wrong field
// or a sum that overflows; an ID that stands twice is ErrConflict.
func Plan(p Params, epoch tokenomics.Epoch, firstLane uint32, intents []Intent) ([]Batch, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	in := slices.Clone(intents)
	slices.SortFunc(in, compareIntents)
	for _, x := range in {
		if err := x.check(p); err != nil {
			return nil, err
		}
	}
	if err := noTwins(in); err != nil {
		return nil, err
	}
	var out []Batch
	lane, index := firstLane, uint32(0)
	for start := 0; start < len(in); {
		end := start + 1
		for end < len(in) && sameGroup(in[start], in[end]) {
			end++
		}
		lines, err := sum(in[start:end])
		if err != nil {
			return nil, err
		}
		bundle := in[start].Bundle
		if bundle != "" && len(lines) > int(p.MaxLines) {
			return nil, &IntentError{in[start].ID, "Bundle", fmt.Sprintf("%q needs %d lines, MaxLines is %d", bundle, len(lines), p.MaxLines)}
		}
		if newLane := start > 0 && (bundle == "" || in[start-1].Bundle == ""); newLane {
			lane, index = lane+1, 0
		}
		for part := range slices.Chunk(lines, int(p.MaxLines)) {
			out = append(out, Batch{ID: BatchID{epoch, lane, index}, Bundle: bundle, Lines: slices.Clip(part)})
			index++
		}
		start = end
	}
	return out, nil
}

// compareIntents orders by bundle, then by what makes a lane, then by what makes a line, then by ID.
func compareIntents(a, b Intent) int {
	if c := cmp.Compare(a.Bundle, b.Bundle); c != 0 {
		return c
	}
	if a.Bundle == "" && (a.Kind == Burn) != (b.Kind == Burn) {
		return cmp.Compare(a.Kind, b.Kind) // burns, the largest kind, come last
	}
	return cmp.Or(
		cmp.Compare(a.Asset.Mint, b.Asset.Mint),
		cmp.Compare(a.From, b.From),
		cmp.Compare(a.To, b.To),
		cmp.Compare(a.Kind, b.Kind),
		slices.Compare(a.ID[:], b.ID[:]),
	)
}

// sameGroup says whether two neighbours in the order of compareIntents may share a batch.
func sameGroup(a, b Intent) bool {
	if a.Bundle != "" || b.Bundle != "" {
		return a.Bundle == b.Bundle
	}
	return (a.Kind == Burn) == (b.Kind == Burn) && a.Asset == b.Asset && a.From == b.From
}

// sum makes lines of the intents of one group, which are sorted.
func sum(in []Intent) ([]Line, error) {
	var lines []Line
	for _, x := range in {
		if n := len(lines); n > 0 {
			l := &lines[n-1]
			if l.Kind == x.Kind && l.Asset == x.Asset && l.From == x.From && l.To == x.To {
				if l.Units+x.Units < l.Units {
					return nil, &IntentError{x.ID, "Units", fmt.Sprintf("take the sum paid to %q beyond 64 bits", x.To)}
				}
				l.Units += x.Units
				l.Intents = append(l.Intents, x.ID)
				continue
			}
		}
		lines = append(lines, Line{x.Kind, x.Asset, x.From, x.To, x.Units, x.Into, x.Least, []IntentID{x.ID}})
	}
	return lines, nil
}

// noTwins refuses an ID that stands twice, wherever in the list.
func noTwins(in []Intent) error {
	ids := make([]IntentID, len(in))
	for i, x := range in {
		ids[i] = x.ID
	}
	slices.SortFunc(ids, func(a, b IntentID) int { return slices.Compare(a[:], b[:]) })
	for i := 1; i < len(ids); i++ {
		if ids[i] == ids[i-1] {
			return fmt.Errorf("%w: intent %x stands twice", ErrConflict, ids[i][:4])
		}
	}
	return nil
}
