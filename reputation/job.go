package reputation

import (
	"fmt"
	"math/bits"
)

// JobParams say what a job counts.
type JobParams struct {
	// Signal is the law of the share of jobs that end by the supplier's fault. Zero: jobs do not count.
	Signal Signal `json:"signal"`
	// FullMicroUSD is what a job has to pay to count whole; one that pays a quarter of it counts half: the weight is the
	// square root of the share, so that many small jobs count more than one large one, and cost more than they gain.
	FullMicroUSD uint64 `json:"full_micro_usd"`
	// PairMilli is the most that the jobs of one renter on the devices of one owner count within Params.Window, in
	// thousandths of a job: whoever trades with himself through another wallet gets no further than this.
	PairMilli uint64 `json:"pair_milli"`
}

func (p JobParams) validate() error {
	if err := p.Signal.validate("job"); err != nil {
		return err
	}
	if !p.Signal.used() {
		if p != (JobParams{}) {
			return fmt.Errorf("%w: job: a signal that is not used has parameters", ErrInvalid)
		}
		return nil
	}
	if p.FullMicroUSD == 0 || p.FullMicroUSD > 1e15 {
		return fmt.Errorf("%w: job: full_micro_usd %d is not in 1..10^15", ErrInvalid, p.FullMicroUSD)
	}
	if p.PairMilli == 0 || p.PairMilli > 1e9 {
		return fmt.Errorf("%w: job: pair_milli %d is not in 1..10^9", ErrInvalid, p.PairMilli)
	}
	return nil
}

// trade is a renter and an owner.
type trade struct {
	renter string
	owner  uint32
}

// entry is an identifier that is remembered, with what its job counted for the pair.
type entry struct {
	at     uint32
	id     string
	pair   trade
	weight uint64 // Q32.32
}

// diary remembers identifiers, and what pairs have counted, for as long as the window.
type diary struct {
	entries []entry // in the order of time
	ids     map[string]bool
	pairs   map[trade]uint64
}

func newDiary() diary { return diary{ids: map[string]bool{}, pairs: map[trade]uint64{}} }

// knows reports whether an identifier is remembered at an instant. What the window has passed is forgotten by the next event
// that is taken, and counts no more before.
func (d *diary) knows(id string, at, window uint32) bool {
	if !d.ids[id] {
		return false
	}
	for _, e := range d.entries {
		if at-e.at < window {
			break
		}
		if e.id == id {
			return false
		}
	}
	return true
}

// forget drops what the diary of a book need not remember at an instant.
func (b *Book) forget(at uint32) { b.diary.forget(at, seconds(b.params.Window)) }

// forget drops what is as old as the window. Each entry is dropped once, so that an event costs constant time on average.
func (d *diary) forget(at, window uint32) {
	n := 0
	for n < len(d.entries) && at-d.entries[n].at >= window {
		e := d.entries[n]
		delete(d.ids, e.id)
		if e.weight > 0 {
			if d.pairs[e.pair] -= e.weight; d.pairs[e.pair] == 0 {
				delete(d.pairs, e.pair)
			}
		}
		d.entries[n] = entry{}
		n++
	}
	d.entries = d.entries[n:]
}

func (d *diary) note(e entry) {
	d.entries = append(d.entries, e)
	d.ids[e.id] = true
	if e.weight > 0 {
		d.pairs[e.pair] += e.weight
	}
}

// weight returns what a job that was done counts, in Q32.32, rounded down.
func (b *Book) weight(e JobEnded, owner uint32) uint64 {
	if e.Renter == b.owners[owner].name {
		return 0 // nobody vouches for himself
	}
	p := &b.params.Job
	w := uint64(unit)
	if e.PaidMicroUSD < p.FullMicroUSD {
		share, _ := bits.Div64(e.PaidMicroUSD, 0, p.FullMicroUSD)
		w = root(share)
	}
	most := (p.PairMilli << 32) / 1000 // 10^9 << 32 fits 64 bits
	return min(w, most-min(most, b.diary.pairs[trade{e.Renter, owner}]))
}

// endJob counts a job.
func (b *Book) endJob(i, at uint32, e JobEnded) []Effect {
	m := b.mark(i)
	note := entry{at: at, id: "j" + e.ID}
	switch e.Outcome {
	case JobDone:
		n := b.answerable(i)
		w := b.weight(e, n)
		note.pair, note.weight = trade{e.Renter, n}, w
		m.job.add(b.tables, &b.laws.job, at, w, false)
		if w > 0 {
			o := &b.owners[n]
			o.good += min(e.GPUSeconds, ^o.good)
		}
		b.diary.note(note)
		return []Effect{JobWeighed{Subject: e.Subject, WeightPPM: uint32(w * 1_000_000 >> 32)}}
	case JobFailed: // whole, whatever was paid: a refund does not undo it
		m.job.add(b.tables, &b.laws.job, at, unit, true)
	case JobVoid:
	}
	b.diary.note(note)
	return nil
}
