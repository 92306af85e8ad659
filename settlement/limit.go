package settlement

import (
	"fmt"
	"slices"
	"time"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// LimitError says which bound of [Params] a decision would break.
type LimitError struct {
	Limit string // name of the field, for example "MaxEpoch"
	Asset Asset  // zero for MaxLines
	Have  uint64 // what it would come to: base units, or lines
	Want  uint64 // the most that is allowed
}

// Error names the limit, the asset and both numbers.
func (e *LimitError) Error() string {
	if e.Asset == (Asset{}) {
		return fmt.Sprintf("settlement: %s: %d, at most %d", e.Limit, e.Have, e.Want)
	}
	return fmt.Sprintf("settlement: %s of %q: %d units, at most %d", e.Limit, e.Asset.Mint, e.Have, e.Want)
}

// outlet is an epoch's spending of one asset.
type outlet struct {
	epoch tokenomics.Epoch
	asset Asset
}

// outlay is what one decision gave away of one asset.
type outlay struct {
	at    time.Time
	asset Asset
	units uint64
}

// pair is whose money goes to whom.
type pair struct {
	asset    Asset
	from, to Account
}

// pool holds the intents of a pair that wait to be enough together.
type pool struct {
	units uint64
	in    []int32
}

// leaves says whether the intent takes money out of our accounts.
func (in *Intent) leaves() bool { return in.Kind != Move }

// waits says whether the intent has to wait while its pair has less than MinPay.
func (in *Intent) waits() bool { return in.Kind == Pay && in.Bundle == "" }

// within24h returns the outlays that a decision at that instant counts.
func (j *Journal) within24h(at time.Time) []outlay {
	for i, o := range j.day {
		if at.Sub(o.at) < 24*time.Hour {
			return j.day[i:]
		}
	}
	return nil
}

// spending returns what a decision gives away of each of Params.Assets.
func (j *Journal) spending(in []*Intent) []uint64 {
	out := make([]uint64, len(j.params.Assets))
	for _, x := range in {
		if x.leaves() {
			out[slices.Index(j.params.Assets, x.Asset)] += x.Units
		}
	}
	return out
}

// checkSums refuses intents that would take the books of an asset beyond 64 bits: no other sum can overflow then.
func (j *Journal) checkSums(in []*Intent) error {
	for _, a := range j.params.Assets {
		sum := j.Totals(a).Decided
		for _, x := range in {
			if x.Asset != a {
				continue
			}
			if sum+x.Units < sum {
				return &IntentError{x.ID, "Units", fmt.Sprintf("take all that was decided in %q beyond 64 bits", a.Mint)}
			}
			sum += x.Units
		}
	}
	return nil
}

// checkCaps refuses a decision that gives away more than the epoch, or 24 hours, may.
func (j *Journal) checkCaps(at time.Time, epoch tokenomics.Epoch, spending []uint64) error {
	for i, a := range j.params.Assets {
		l := j.params.limit(a)
		if total := j.spent[outlet{epoch, a}] + spending[i]; l.MaxEpoch > 0 && total > l.MaxEpoch {
			return &LimitError{"MaxEpoch", a, total, l.MaxEpoch}
		}
		if l.MaxDay == 0 || j.recovering {
			continue
		}
		total := spending[i]
		for _, o := range j.within24h(at) {
			if o.asset == a {
				total += o.units
			}
		}
		if total > l.MaxDay {
			return &LimitError{"MaxDay", a, total, l.MaxDay}
		}
	}
	return nil
}

// checkLines refuses a plan with a line beyond MaxLine.
func (j *Journal) checkLines(plan []Batch) error {
	if len(j.params.Limits) == 0 {
		return nil
	}
	for _, b := range plan {
		for _, l := range b.Lines {
			if most := j.params.limit(l.Asset).MaxLine; most > 0 && l.Units > most {
				return &LimitError{"MaxLine", l.Asset, l.Units, most}
			}
		}
	}
	return nil
}

// spend notes what a decision that was accepted gives away.
func (j *Journal) spend(at time.Time, epoch tokenomics.Epoch, spending []uint64) {
	day := slices.Clone(j.within24h(at))
	for i, a := range j.params.Assets {
		l := j.params.limit(a)
		if spending[i] == 0 {
			continue
		}
		if l.MaxEpoch > 0 {
			j.spent[outlet{epoch, a}] += spending[i]
		}
		if l.MaxDay > 0 && !j.recovering {
			day = append(day, outlay{at.UTC(), a, spending[i]})
		}
	}
	j.day = day
}
