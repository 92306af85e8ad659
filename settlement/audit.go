package settlement

import (
	"fmt"
	"maps"
	"slices"
)

// Audit returns the first invariant that is broken, an error that wraps ErrBroken, and nil if none is: every intent is in
// exactly one line or waits, every line is the sum of its intents, a batch has at most one live attempt and at most one that
// made its marker, a line is moved only out of a batch that can carry it no more, and for every asset what was decided is what
// was paid, is open, was refused and waits. It takes all sums again, from nothing but the intents and the lines.
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
		if err := j.auditPlace(b); err != nil {
			return fmt.Errorf("%w: batch %s: %w", ErrBroken, b.id, err)
		}
		for i := range b.lines {
			if err := j.auditLine(int32(n), int32(i)); err != nil {
				return fmt.Errorf("%w: batch %s: line %d: %w", ErrBroken, b.id, i, err)
			}
			if !b.lines[i].moved {
				seen += len(b.lines[i].Intents)
			}
		}
	}
	for i := range j.intents {
		in := &j.intents[i]
		if at, ok := j.byID[in.ID]; !ok || int(at) != i {
			return fmt.Errorf("%w: intent %x is not found by its ID", ErrBroken, in.ID[:4])
		}
		if in.batch >= 0 {
			continue
		}
		if err := in.check(j.params); err != nil || in.batch != -1 || in.line != -1 || !in.waits() {
			return fmt.Errorf("%w: intent %x waits, and must not", ErrBroken, in.ID[:4])
		}
		seen++
	}
	if seen != len(j.intents) || seen != len(j.byID) {
		return fmt.Errorf("%w: %d intents in lines and waiting, %d decided, %d known", ErrBroken, seen, len(j.intents), len(j.byID))
	}
	for i, o := range j.day {
		if o.at.After(j.now) || (i > 0 && o.at.Before(j.day[i-1].at)) || !j.params.knows(o.asset) {
			return fmt.Errorf("%w: outlay %d of the day is out of place", ErrBroken, i)
		}
	}
	return j.auditIndex()
}

// auditPlace checks where a batch stands in its lane and in time.
func (j *Journal) auditPlace(b *batch) error {
	if b.id.Lane == Overflow {
		if o := j.overflow[b.id.Epoch]; o == nil || b.id.Index >= o.next {
			return fmt.Errorf("beyond the end of its lane")
		}
	}
	if j.held(b) && b.busy() {
		return fmt.Errorf("has a live attempt, and the batch before it is open")
	}
	if b.since.IsZero() || b.since.After(j.now) || b.closed.After(j.now) {
		return fmt.Errorf("decided at no time, or closed or seen absent in the future")
	}
	return nil
}

// auditIndex compares all that the journal keeps at hand with what it is told from.
func (j *Journal) auditIndex() error {
	again := Journal{params: j.params, intents: j.intents, batches: j.batches}
	if err := again.reindex(); err != nil {
		return fmt.Errorf("%w: %w", ErrBroken, err)
	}
	for _, c := range []struct {
		what string
		same bool
	}{
		{"batches by ID", maps.Equal(j.byBatch, again.byBatch)},
		{"bundles", maps.Equal(j.bundles, again.bundles)},
		{"lanes", maps.Equal(j.lanes, again.lanes)},
		{"pools", maps.EqualFunc(j.pools, again.pools, func(a, b pool) bool { return a.units == b.units && slices.Equal(a.in, b.in) })},
		{"spending by epoch", maps.Equal(j.spent, again.spent)},
		{"books", slices.Equal(j.books, again.books)},
		{"open batches", slices.Equal(j.open, again.open)},
		{"markers to reclaim", slices.Equal(slices.Sorted(slices.Values(j.kept)), slices.Sorted(slices.Values(again.kept)))},
		{"unsure batches", j.unsure == again.unsure},
	} {
		if !c.same {
			return fmt.Errorf("%w: %s are not what they are told from", ErrBroken, c.what)
		}
	}
	for _, p := range slices.SortedFunc(maps.Keys(j.pools), pair.compare) {
		if units, least := j.pools[p].units, j.params.limit(p.asset).MinPay; units >= least {
			return fmt.Errorf("%w: %d units wait for %q, MinPay is %d", ErrBroken, units, p.to, least)
		}
	}
	return nil
}

// auditLine checks that the intents of a line agree with it and sum to it, and that they point to it unless it is moved.
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
		if here := in.batch == n && in.line == i; in.ID != id || here == l.moved {
			return fmt.Errorf("intent %x is elsewhere", id[:4])
		}
		if in.Kind != l.Kind || in.Asset != l.Asset || in.From != l.From || in.To != l.To || in.Into != l.Into || in.Least != l.Least {
			return fmt.Errorf("intent %x is another movement", id[:4])
		}
		if l.gone == 0 && in.Bundle != b.bundle {
			return fmt.Errorf("intent %x is of bundle %q, not %q", id[:4], in.Bundle, b.bundle)
		}
		if l.moved && in.batch < 0 {
			return fmt.Errorf("intent %x waits, and its line is moved", id[:4])
		}
		if err := in.check(j.params); err != nil {
			return err
		}
		if k > 0 && compareIDs(l.Intents[k-1], id) >= 0 {
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
	if len(b.lines) == 0 && b.id.Lane != Overflow {
		return fmt.Errorf("no line")
	}
	left, paid := 0, 0
	for i := range b.lines {
		l := &b.lines[i]
		if l.gone > b.revision || (l.gone > 0) != (l.reason != "") || (l.paid && (l.gone > 0 || l.moved)) || (l.moved && l.gone == 0) {
			return fmt.Errorf("line %d: gone at %d of %d, reason %q, moved: %t, paid: %t", i, l.gone, b.revision, l.reason, l.moved, l.paid)
		}
		if l.gone == 0 {
			left++
		}
		if l.paid {
			paid++
		}
		carried := func(a attempt) bool { return b.carries(l, a.revision) }
		if l.moved && !b.isClosed() && slices.ContainsFunc(b.attempts, carried) {
			return fmt.Errorf("line %d is moved out of a batch that could carry it", i)
		}
	}
	live := 0
	for i := range b.attempts {
		a := &b.attempts[i]
		if err := a.audit(b); err != nil {
			return fmt.Errorf("attempt %d: %w", i, err)
		}
		if !a.over {
			live++
		}
		if (a.outcome == outcomeLanded) != (int32(i) == b.made) {
			return fmt.Errorf("attempt %d is %q, attempt %d made the marker", i, a.outcome, b.made)
		}
	}
	made := b.made >= 0 && int(b.made) < len(b.attempts)
	ok := made == b.isClosed() && made == !b.closed.IsZero() && (made || b.made == -1) && (!b.reclaimed || made)
	ok = ok && (b.reason != "") == (b.state == StateStuck) && (!b.doubt || b.state == StateUnsure || b.state == StateStuck)
	switch b.state {
	case StatePlanned, StateMarked, StateStuck:
		ok = ok && live == 0 && paid == 0
	case StateSigned:
		ok = ok && live == 1 && paid == 0
	case StateUnsure:
		ok = ok && live <= 1 && paid == 0 && b.doubt
	case StatePaid:
		ok = ok && live == 0 && paid == left && left > 0
	case StateRefused:
		ok = ok && live == 0 && left == 0
	case StateWaiting:
		ok = false
	default:
		ok = false
	}
	if !ok {
		return fmt.Errorf("%s with %d lines, %d paid, %d live attempts, marker made by %d, reason %q", b.state, left, paid, live, b.made, b.reason)
	}
	return nil
}

// audit checks one attempt of b.
func (a *attempt) audit(b *batch) error {
	switch {
	case a.tx.ID == "", a.over != (len(a.tx.Raw) == 0), a.over != (a.outcome != ""), a.revision > b.revision, a.marker > b.marker:
		return fmt.Errorf("is malformed")
	case !a.over && (a.tx.LastValid == 0) == (a.tx.Nonce == Nonce{}):
		return fmt.Errorf("has a last block and a nonce, or neither")
	case a.over != (len(a.witnesses) > 0) && a.outcome != outcomeBeaten:
		return fmt.Errorf("is over: %t, with %d witnesses", a.over, len(a.witnesses))
	}
	return nil
}
