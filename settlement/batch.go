package settlement

import (
	"bytes"
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
// lane it uses is firstLane. Transfers (Pay, Move, Refund), burns and swaps of one asset and sender have a lane each, in this
// order; the bundles share the last one, a batch each. A swap is a line and a batch of its own. No plan under these rules has
// fewer batches. A bundle that needs more than p.MaxLines lines is an *IntentError, as is a wrong field or a sum that
// overflows; an ID that stands twice is ErrConflict; a lane that would be Overflow is ErrLanes.
func Plan(p Params, epoch tokenomics.Epoch, firstLane uint32, intents []Intent) ([]Batch, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	in := make([]*Intent, len(intents))
	for i := range intents {
		if err := intents[i].check(p); err != nil {
			return nil, err
		}
		in[i] = &intents[i]
	}
	if err := noTwins(in); err != nil {
		return nil, err
	}
	return plan(p.MaxLines, epoch, firstLane, in)
}

// plan is Plan for intents that are checked and different. It sorts them: lines, one after the other, then hold exactly the
// intents in this order.
func plan(maxLines uint16, epoch tokenomics.Epoch, firstLane uint32, in []*Intent) ([]Batch, error) {
	slices.SortFunc(in, compareIntents)
	ids := make([]IntentID, len(in)) // of all lines, so that a line costs no allocation
	for i, x := range in {
		ids[i] = x.ID
	}
	var out []Batch
	lane, index := firstLane, uint32(0)
	for start := 0; start < len(in); {
		end := start + 1
		for end < len(in) && sameGroup(in[start], in[end]) {
			end++
		}
		lines, err := sum(in[start:end], ids[start:end])
		if err != nil {
			return nil, err
		}
		bundle, size := in[start].Bundle, int(maxLines)
		if bundle != "" && len(lines) > size {
			return nil, &IntentError{in[start].ID, "Bundle", fmt.Sprintf("%q needs %d lines, MaxLines is %d", bundle, len(lines), size)}
		}
		if in[start].Kind == Swap {
			size = 1
		}
		if newLane := start > 0 && (bundle == "" || in[start-1].Bundle == ""); newLane {
			lane, index = lane+1, 0
		}
		if lane == Overflow || lane < firstLane {
			return nil, fmt.Errorf("%w: epoch %d has used %d", ErrLanes, epoch, firstLane)
		}
		for part := range slices.Chunk(lines, size) {
			out = append(out, Batch{ID: BatchID{epoch, lane, index}, Bundle: bundle, Lines: slices.Clip(part)})
			index++
		}
		start = end
	}
	return out, nil
}

// rank tells the sorts of movement that may not share a lane.
func (k Kind) rank() int {
	switch k {
	case Pay, Move, Refund:
		return 0
	case Burn:
		return 1
	case Swap:
		return 2
	}
	return 3
}

// compareIntents orders by bundle, then by what makes a lane, then by what makes a line, then by ID.
func compareIntents(a, b *Intent) int {
	if c := cmp.Compare(a.Bundle, b.Bundle); c != 0 {
		return c
	}
	if a.Bundle == "" {
		if c := cmp.Compare(a.Kind.rank(), b.Kind.rank()); c != 0 {
			return c
		}
	}
	if c := cmp.Compare(a.Asset.Mint, b.Asset.Mint); c != 0 {
		return c
	}
	if c := cmp.Compare(a.From, b.From); c != 0 {
		return c
	}
	if c := cmp.Compare(a.To, b.To); c != 0 {
		return c
	}
	if c := cmp.Compare(a.Kind, b.Kind); c != 0 {
		return c
	}
	return bytes.Compare(a.ID[:], b.ID[:])
}

// sameGroup says whether two neighbours in the order of compareIntents may share a lane.
func sameGroup(a, b *Intent) bool {
	if a.Bundle != "" || b.Bundle != "" {
		return a.Bundle == b.Bundle
	}
	return a.Kind.rank() == b.Kind.rank() && a.Asset == b.Asset && a.From == b.From
}

// sum makes lines of the intents of one group, which are sorted and have these IDs.
func sum(in []*Intent, ids []IntentID) ([]Line, error) {
	lines := make([]Line, 0, len(in))
	for i, x := range in {
		if n := len(lines); n > 0 {
			l := &lines[n-1]
			if l.Kind == x.Kind && x.Kind != Swap && l.Asset == x.Asset && l.From == x.From && l.To == x.To {
				if l.Units+x.Units < l.Units {
					return nil, &IntentError{x.ID, "Units", fmt.Sprintf("take the sum paid to %q beyond 64 bits", x.To)}
				}
				l.Units += x.Units
				l.Intents = ids[i-len(l.Intents) : i+1 : i+1]
				continue
			}
		}
		lines = append(lines, Line{x.Kind, x.Asset, x.From, x.To, x.Units, x.Into, x.Least, ids[i : i+1 : i+1]})
	}
	return lines, nil
}

// noTwins refuses an ID that stands twice, wherever in the list.
func noTwins(in []*Intent) error {
	seen := make(map[IntentID]struct{}, len(in))
	for _, x := range in {
		if _, ok := seen[x.ID]; ok {
			return fmt.Errorf("%w: intent %x stands twice", ErrConflict, x.ID[:4])
		}
		seen[x.ID] = struct{}{}
	}
	return nil
}
