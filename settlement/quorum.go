package settlement

import (
	"fmt"
	"slices"
)

// header is what an endpoint says of the chain before it says anything else.
type header struct {
	endpoint     string
	height, slot uint64 // of its newest final block
}

// follows returns why a later answer cannot be of the same chain as an earlier one, by slot, and "" if it can: every block has
// a slot of its own, so that neither the height, nor the slot, nor the number of slots without a block ever falls. A proxy
// that answers the slot where the height was asked for is found by the last of these.
func follows(before, after header) string {
	switch {
	case after.slot < before.slot:
		return fmt.Sprintf("slot %d after slot %d", after.slot, before.slot)
	case after.height < before.height:
		return fmt.Sprintf("height %d in slot %d after height %d in slot %d", after.height, after.slot, before.height, before.slot)
	case after.slot-after.height < before.slot-before.height:
		return fmt.Sprintf("%d slots without a block until slot %d, and %d until slot %d",
			before.slot-before.height, before.slot, after.slot-after.height, after.slot)
	}
	return ""
}

// bench seats the endpoints whose answers count in a round. It remembers what was last believed of each.
type bench struct {
	heard []header // by order of first answer
}

// seat says of each answer why it does not count, nil if it does. An answer is barred that contradicts itself, what its
// endpoint has said before, or more of the other answers than any of them does: of two that contradict each other, both.
func (b *bench) seat(said []header) []error {
	out := make([]error, len(said))
	for i, h := range said {
		switch k := b.index(h.endpoint); {
		case h.endpoint == "":
			out[i] = fmt.Errorf("settlement: an endpoint without a name")
		case slices.ContainsFunc(said[:i], func(o header) bool { return o.endpoint == h.endpoint }):
			out[i] = fmt.Errorf("settlement: two endpoints are named %q", h.endpoint)
		case h.height > h.slot:
			out[i] = fmt.Errorf("settlement: endpoint %q contradicts itself: height %d in slot %d", h.endpoint, h.height, h.slot)
		case k >= 0:
			if why := follows(b.heard[k], h); why != "" {
				out[i] = fmt.Errorf("settlement: endpoint %q contradicts itself: %s", h.endpoint, why)
			}
		}
	}
	b.outvote(said, out)
	for i, h := range said {
		if out[i] != nil {
			continue
		}
		if k := b.index(h.endpoint); k >= 0 {
			b.heard[k] = h
		} else {
			b.heard = append(b.heard, h)
		}
	}
	return out
}

func (b *bench) index(endpoint string) int {
	return slices.IndexFunc(b.heard, func(h header) bool { return h.endpoint == endpoint })
}

// outvote bars who contradicts the most others, until nobody contradicts anybody.
func (b *bench) outvote(said []header, out []error) {
	for {
		most := 0
		count := make([]int, len(said))
		against := make([]error, len(said))
		for i, h := range said {
			for k, o := range said {
				if out[i] != nil || out[k] != nil {
					continue
				}
				why := follows(o, h)
				if h.slot < o.slot {
					why = follows(h, o)
				}
				if why != "" {
					count[i]++
					against[i] = fmt.Errorf("settlement: endpoints %q and %q contradict each other: %s", h.endpoint, o.endpoint, why)
				}
			}
			most = max(most, count[i])
		}
		if most == 0 {
			return
		}
		for i := range said {
			if count[i] == most {
				out[i] = against[i]
			}
		}
	}
}

// height returns the height that so many endpoints have reached.
func (b *bench) height(quorum int) uint64 {
	var all []uint64
	for _, h := range b.heard {
		all = append(all, h.height)
	}
	if slices.Sort(all); len(all) < quorum {
		return 0
	}
	return all[len(all)-quorum]
}

// opinion is what one endpoint says of one attempt.
type opinion struct {
	header
	Result
}

func (o opinion) witness() Witness { return Witness{o.endpoint, o.height, o.slot, o.Context, o.Nonce} }

// counts says whether the endpoint answered as of the block it named, or later.
func (o opinion) counts() bool { return o.Context >= o.slot }

// buries says whether the opinion is evidence that the attempt can land no more.
func (o opinion) buries(tx Tx) bool {
	if o.Sight != Dead || !o.counts() {
		return false
	}
	if tx.Nonce.Value != "" {
		return o.Nonce != "" && o.Nonce != tx.Nonce.Value
	}
	return o.height > tx.LastValid
}

// verdict returns what enough endpoints agree on about an attempt, nil if they do not yet. Those who contradict each other
// are an error that names both, and then there is no verdict.
func verdict(quorum int, id BatchID, tx Tx, list []opinion) (Event, error) {
	var final, dead []opinion
	for _, o := range list {
		switch {
		case (o.Sight == Succeeded || o.Sight == Reverted) && o.counts() && o.Context >= o.Slot:
			final = append(final, o)
		case o.buries(tx):
			dead = append(dead, o)
		}
	}
	if len(final) > 0 && len(dead) > 0 {
		return nil, disagree(id, tx, final[0], dead[0])
	}
	for _, o := range final {
		if f := final[0]; o.Sight != f.Sight || o.Slot != f.Slot || o.Fee != f.Fee || o.Got != f.Got || !sameFailure(o.Failure, f.Failure) {
			return nil, disagree(id, tx, f, o)
		}
	}
	switch {
	case len(final) >= quorum && final[0].Sight == Succeeded:
		return Landed{id, tx.ID, final[0].Slot, final[0].Fee, final[0].Got, witnesses(final)}, nil
	case len(final) >= quorum:
		return Failed{id, tx.ID, final[0].Slot, final[0].Fee, final[0].Failure, witnesses(final)}, nil
	case len(dead) >= quorum:
		return Expired{id, tx.ID, witnesses(dead)}, nil
	}
	return nil, nil //nolint:nilnil // no verdict yet is no fault
}

// sameFailure compares what the machine acts on. Nodes of two versions may word a reason differently.
func sameFailure(a, b Failure) bool {
	return a.Marker == b.Marker && slices.EqualFunc(a.Faults, b.Faults, func(x, y Fault) bool { return x.Line == y.Line })
}

func disagree(id BatchID, tx Tx, a, b opinion) error {
	return fmt.Errorf("settlement: endpoints disagree on attempt %q of batch %s: %s, %s", tx.ID, id, a.claim(), b.claim())
}

func (o opinion) claim() string {
	switch o.Sight {
	case Succeeded:
		return fmt.Sprintf("%q says that it landed in slot %d (fee %d, got %d)", o.endpoint, o.Slot, o.Fee, o.Got)
	case Reverted:
		return fmt.Sprintf("%q says that it failed in slot %d (fee %d, marker %t, %d lines)", o.endpoint, o.Slot, o.Fee, o.Failure.Marker, len(o.Failure.Faults))
	case Missing, Pending, Dead, Marked:
	}
	return fmt.Sprintf("%q says that it is dead at height %d", o.endpoint, o.height)
}

func witnesses(list []opinion) []Witness {
	out := make([]Witness, 0, len(list))
	for _, o := range list {
		out = append(out, o.witness())
	}
	return out
}

// testimony is what one endpoint says of one marker.
type testimony struct {
	header
	Finding
}

func (t testimony) witness() Witness {
	return Witness{Endpoint: t.endpoint, Height: t.height, Slot: t.slot, Context: t.Context}
}

// origin returns what enough endpoints agree on about a marker, nil if they do not yet.
func origin(quorum int, marker MarkerID, list []testimony) (Event, error) {
	var made, never []testimony
	for _, t := range list {
		switch {
		case t.Context < t.slot:
		case (t.Origin == Ours || t.Origin == Theirs) && t.Context >= t.Slot && t.Tx != "":
			made = append(made, t)
		case t.Origin == Never:
			never = append(never, t)
		}
	}
	for _, t := range made {
		if f := made[0]; t.Origin != f.Origin || t.Tx != f.Tx || t.Slot != f.Slot || t.Fee != f.Fee || t.Got != f.Got || !slices.EqualFunc(t.Lines, f.Lines, sameLine) {
			return nil, fmt.Errorf("settlement: endpoints disagree on marker %s: %q says %q in slot %d made it, %q says %q in slot %d",
				marker, f.endpoint, f.Tx, f.Slot, t.endpoint, t.Tx, t.Slot)
		}
		for _, n := range never {
			if n.slot >= t.Slot {
				return nil, fmt.Errorf("settlement: endpoints disagree on marker %s: %q says %q in slot %d made it, %q says that nothing has until slot %d",
					marker, t.endpoint, t.Tx, t.Slot, n.endpoint, n.slot)
			}
		}
	}
	seen := func(list []testimony) []Witness {
		out := make([]Witness, 0, len(list))
		for _, t := range list {
			out = append(out, t.witness())
		}
		return out
	}
	switch {
	case len(made) >= quorum && made[0].Origin == Ours:
		f := made[0]
		return Found{marker, f.Tx, f.Slot, f.Fee, f.Got, f.Lines, seen(made)}, nil
	case len(made) >= quorum:
		return Poisoned{marker, made[0].Tx, made[0].Slot, seen(made)}, nil
	case len(never) >= quorum:
		return Absent{marker, seen(never)}, nil
	}
	return nil, nil //nolint:nilnil // no verdict yet is no fault
}

func sameLine(a, b Line) bool {
	return a.Kind == b.Kind && a.Asset == b.Asset && a.From == b.From && a.To == b.To && a.Units == b.Units
}
