package challenge

import (
	"fmt"
	"math/bits"
)

// VerifyWalk checks the segments that the nonce asks for, of a walk that started from the nonce start: both ends' paths, and
// every step between them with its entry of the table computed anew, 8*(Cost+1) calls of Philox a step. Errors wrap ErrInvalid
// for a spec that is not valid or has no table, else they are *AnswerError with WalkShape, WalkPath or WalkValue.
func VerifyWalk(s Spec, c WalkCommitment, start, nonce [32]byte, o []WalkOpening) error {
	if err := s.Validate(); err != nil {
		return err
	}
	if s.Memory == (MemorySpec{}) {
		return fmt.Errorf("%w: memory is empty, want a table", ErrInvalid)
	}
	want := WalkIndices(s, c, start, nonce)
	if len(o) != len(want) {
		return &AnswerError{WalkShape, -1, fmt.Sprintf("%d segments, want %d", len(o), len(want))}
	}
	table := s.TableSeed()
	for i := range o {
		if o[i].Segment != want[i] {
			return &AnswerError{WalkShape, i, fmt.Sprintf("segment %d, want %d", o[i].Segment, want[i])}
		}
		if reason, text := s.Memory.checkSegment(table, c.Root, start, &o[i]); reason != OK {
			return &AnswerError{reason, i, text}
		}
	}
	return nil
}

func (m MemorySpec) checkSegment(table Seed, root Hash, start [32]byte, o *WalkOpening) (reason Reason, text string) {
	depth := bits.Len64(m.Leaves() - 1)
	from := o.From
	if o.Segment%m.Segments == 0 {
		if o.From != (State{}) || len(o.FromPath) != 0 {
			return WalkShape, fmt.Sprintf("segment %d begins a lane, want no state before it", o.Segment)
		}
		from = LaneStart(start, o.Segment/m.Segments)
	} else {
		if len(o.FromPath) != depth {
			return WalkShape, fmt.Sprintf("path of %d nodes, want %d", len(o.FromPath), depth)
		}
		if !CheckPath(root, from.Hash(), uint64(o.Segment-1), o.FromPath) {
			return WalkPath, fmt.Sprintf("start of segment %d does not lead to the root", o.Segment)
		}
	}
	if len(o.ToPath) != depth {
		return WalkShape, fmt.Sprintf("path of %d nodes, want %d", len(o.ToPath), depth)
	}
	if !CheckPath(root, o.To.Hash(), uint64(o.Segment), o.ToPath) {
		return WalkPath, fmt.Sprintf("end of segment %d does not lead to the root", o.Segment)
	}
	for range m.Steps {
		e := m.Entry(table, from.Line(m.Entries()))
		from = from.Absorb(table, &e)
	}
	if from != o.To {
		return WalkValue, fmt.Sprintf("segment %d ends elsewhere", o.Segment)
	}
	return OK, ""
}
