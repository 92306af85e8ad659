package settlement

import (
	"fmt"
	"slices"
)

// plausible says that a witness does not contradict itself. Slots are never fewer than blocks, and what is read afterwards is
// read as of no earlier slot: an endpoint that answers a slot where it is asked for the height, or that lags behind its own
// answer, bears witness to nothing.
func (w Witness) plausible() bool {
	return w.Endpoint != "" && w.Slot >= w.Height && w.Context >= w.Slot
}

// quorum refuses witnesses of which fewer than Params.Quorum endpoints count.
func (j *Journal) quorum(what fmt.Stringer, list []Witness, counts func(Witness) bool) error {
	var names []string
	for _, w := range list {
		if w.plausible() && counts(w) && !slices.Contains(names, w.Endpoint) {
			names = append(names, w.Endpoint)
		}
	}
	if len(names) < int(j.params.Quorum) {
		return fmt.Errorf("%w: %s: %d of %d witnesses count, want %d different ones", ErrQuorum, what, len(names), len(list), j.params.Quorum)
	}
	return nil
}

// any counts every witness.
func anyWitness(Witness) bool { return true }

// over says whether the witness proves that an attempt that it does not know can never land any more.
func (t Tx) over(w Witness) bool {
	if t.LastValid == 0 {
		return w.Nonce != "" && w.Nonce != t.Nonce.Value
	}
	return w.Height > t.LastValid
}

// cloneWitnesses copies what an event bears, for the journal to keep.
func cloneWitnesses(list []Witness) []Witness {
	if len(list) == 0 {
		return nil
	}
	return slices.Clone(list)
}
