package settlement

import (
	"fmt"
	"slices"
)

// Audit returns the first invariant that is broken, an error that wraps ErrBroken, and nil if none is: every intent is in
// exactly one line, every line is the sum of its intents, a batch has at most one live attempt and at most one that paid,
// and for every asset what was decided is what was paid, is open and was refused.
func (j *Journal) Audit() error {
	if err := j.params.Validate(); err != nil {
		return fmt.Errorf("%w: %w", ErrBroken, err)
	}
	seen := 0
	for n := range j.batches {
		b := &j.batches[n]
		if err := b.audit(); err != nil {
			return fmt.Errorf("%w: batch %s: %w", ErrBroken, b.id, err)
		}
		if i, ok := j.byBatch[b.id]; !ok || int(i) != n {
			return fmt.Errorf("%w: batch %s is not found by its ID", ErrBroken, b.id)
		}
		if b.bundle != "" && j.bundles[b.bundle] != int32(n) {
			return fmt.Errorf("%w: bundle %q stands twice", ErrBroken, b.bundle)
		}
		for i := range b.lines {
			if err := j.auditLine(int32(n), int32(i)); err != nil {
				return fmt.Errorf("%w: batch %s: line %d: %w", ErrBroken, b.id, i, err)
			}
			seen += len(b.lines[i].Intents)
		}
	}
	if seen != len(j.intents) || seen != len(j.byID) || len(j.byBatch) != len(j.batches) {
		return fmt.Errorf("%w: %d intents in lines, %d decided, %d known", ErrBroken, seen, len(j.intents), len(j.byID))
	}
	for _, a := range j.params.Assets {
		if t := j.Totals(a); t.Decided != t.Paid+t.Open+t.Refused || t.Decided != j.volume[a] {
			return fmt.Errorf("%w: asset %q: %+v of %d", ErrBroken, a.Mint, t, j.volume[a])
		}
	}
	return nil
}

// auditLine checks that the intents of a line point to it, agree with it and sum to it.
func (j *Journal) auditLine(n, i int32) error {
	b := &j.batches[n]
	l := &b.lines[i]
	sum := uint64(0)
	for k, id := range l.Intents {
		at, ok := j.byID[id]
		if !ok {
			return fmt.Errorf("intent %x was not decided", id[:4])
		}
		in := &j.intents[at]
		if in.ID != id || in.batch != n || in.line != i {
			return fmt.Errorf("intent %x is elsewhere", id[:4])
		}
		if in.Kind != l.Kind || in.Asset != l.Asset || in.From != l.From || in.To != l.To || in.Bundle != b.bundle {
			return fmt.Errorf("intent %x is another movement", id[:4])
		}
		if err := in.check(j.params); err != nil {
			return err
		}
		if k > 0 && slices.Compare(l.Intents[k-1][:], id[:]) >= 0 {
			return fmt.Errorf("intent %x is out of order", id[:4])
		}
		if sum+in.Units < sum {
			return fmt.Errorf("units overflow")
		}
		sum += in.Units
	}
	if sum != l.Units || sum == 0 {
		return fmt.Errorf("%d units, its intents sum to %d", l.Units, sum)
	}
	return nil
}

func (b *batch) audit() error {
	if len(b.lines) == 0 {
		return fmt.Errorf("no line")
	}
	left := 0
	for i := range b.lines {
		l := &b.lines[i]
		if l.gone > b.revision || (l.gone > 0) != (l.reason != "") {
			return fmt.Errorf("line %d: gone at %d of %d, reason %q", i, l.gone, b.revision, l.reason)
		}
		if l.gone == 0 {
			left++
		}
	}
	live := 0
	for i, a := range b.attempts {
		if a.tx.ID == "" || a.over != (len(a.tx.Raw) == 0) || a.over != (a.outcome != "") || a.revision > b.revision {
			return fmt.Errorf("attempt %d is malformed", i)
		}
		if !a.over {
			live++
		}
		if (a.outcome == outcomeLanded) != (int32(i) == b.paidBy) {
			return fmt.Errorf("attempt %d is %q, attempt %d paid", i, a.outcome, b.paidBy)
		}
	}
	ok := false
	switch b.state {
	case StatePlanned:
		ok = left > 0 && live == 0 && b.paidBy < 0 && b.reason == ""
	case StateSigned:
		ok = left > 0 && live == 1 && b.paidBy < 0 && b.reason == ""
	case StatePaid:
		ok = live == 0 && b.paidBy >= 0 && int(b.paidBy) < len(b.attempts) && b.reason == ""
	case StateStuck:
		ok = left > 0 && live == 0 && b.paidBy < 0 && b.reason != ""
	case StateRefused:
		ok = left == 0 && live == 0 && b.paidBy < 0 && b.reason == ""
	}
	if !ok {
		return fmt.Errorf("%s with %d lines, %d live attempts, paid by %d, reason %q", b.state, left, live, b.paidBy, b.reason)
	}
	return nil
}
