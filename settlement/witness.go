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

// quorum refuses witnesses of which fewer than Params.Quorum endpoints prove what is said of the subject. need tells what
// proves it.
func (j *Journal) quorum(subject fmt.Stringer, list []Witness, proves func(Witness) bool, need string) error {
	var names []string
	for _, w := range list {
		if w.plausible() && proves(w) && !slices.Contains(names, w.Endpoint) {
			names = append(names, w.Endpoint)
		}
	}
	if len(names) < int(j.params.Quorum) {
		return fmt.Errorf("%w: %s: %d of %d witnesses are of different endpoints, plausible, and %s; Quorum is %d",
			ErrQuorum, subject, len(names), len(list), need, j.params.Quorum)
	}
	return nil
}

// quorumOf is quorum for what needs no height: that something is final.
func (j *Journal) quorumOf(subject fmt.Stringer, list []Witness) error {
	return j.quorum(subject, list, func(Witness) bool { return true }, "saw it final")
}

// over says whether the witness proves that an attempt that it does not know can never land any more.
func (t Tx) over(w Witness) bool {
	if t.LastValid == 0 {
		return w.Nonce != "" && w.Nonce != t.Nonce.Value
	}
	return w.Height > t.LastValid
}

// need says what over asks for.
func (t Tx) need() string {
	if t.LastValid == 0 {
		return fmt.Sprintf("saw another nonce than %q", t.Nonce.Value)
	}
	return fmt.Sprintf("saw a block above %d", t.LastValid)
}

// cloneWitnesses copies what an event bears, for the journal to keep.
func cloneWitnesses(list []Witness) []Witness {
	if len(list) == 0 {
		return nil
	}
	return slices.Clone(list)
}
