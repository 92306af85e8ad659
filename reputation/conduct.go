package reputation

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
	"time"
)

// ConductParams say what proven faults cost, and how they are lived down.
type ConductParams struct {
	// HalfLife is how long it takes until a fault weighs half, in nanoseconds: whole seconds, 1 hour to 10 years.
	HalfLife time.Duration `json:"half_life_ns"`
	// GoodGPUSeconds is how much work, well done and paid, it takes until a fault weighs half. A fault weighs what the one
	// of the two says that has come less far: neither time alone nor work alone clears a record.
	GoodGPUSeconds uint64 `json:"good_gpu_seconds"`
	// Kinds are the faults, in rising order of their names. None: conduct does not count.
	Kinds []FaultKind `json:"kinds"`
}

// FaultKind is a sort of fault with its severity: a fault of severity s multiplies the probability by exp(-s).
type FaultKind struct {
	Name  string `json:"name"`
	Micro uint32 `json:"micro"` // the severity in millionths, 1 to 10^8
}

// The faults of [IONet].
const (
	FaultDispute     = "dispute lost"
	FaultMissedProof = "missed proof"
	FaultSLA         = "sla breach"
	FaultSpoofing    = "spoofing"
	FaultStake       = "stake below minimum"
	FaultUtilisation = "utilisation over threshold"
	FaultWrongAnswer = "wrong answer"
)

func (p ConductParams) used() bool { return len(p.Kinds) > 0 }

func (p ConductParams) validate() error {
	if !p.used() {
		if p.HalfLife != 0 || p.GoodGPUSeconds != 0 {
			return fmt.Errorf("%w: conduct: there are no kinds", ErrInvalid)
		}
		return nil
	}
	if err := within("conduct: half_life_ns", p.HalfLife, time.Hour, 10*year); err != nil {
		return err
	}
	if p.GoodGPUSeconds == 0 || p.GoodGPUSeconds > 1e12 {
		return fmt.Errorf("%w: conduct: good_gpu_seconds %d is not in 1..10^12", ErrInvalid, p.GoodGPUSeconds)
	}
	for i, k := range p.Kinds {
		switch {
		case k.Name == "" || len(k.Name) > maxText:
			return fmt.Errorf("%w: conduct: kind %d has a name of %d bytes, not 1..%d", ErrInvalid, i, len(k.Name), maxText)
		case i > 0 && k.Name <= p.Kinds[i-1].Name:
			return fmt.Errorf("%w: conduct: kind %q does not rise", ErrInvalid, k.Name)
		case k.Micro == 0 || k.Micro > 1e8:
			return fmt.Errorf("%w: conduct: kind %q: micro %d is not in 1..10^8", ErrInvalid, k.Name, k.Micro)
		}
	}
	return nil
}

// severity returns the severity of a fault in Q32.32, 0 for one that there is none of.
func (p ConductParams) severity(name string) uint64 {
	i, ok := slices.BinarySearchFunc(p.Kinds, name, func(k FaultKind, name string) int { return cmp.Compare(k.Name, name) })
	if !ok {
		return 0
	}
	return uint64(p.Kinds[i].Micro) << 32 / 1_000_000
}

// owner is who answers for subjects.
type owner struct {
	name   string // of a subject that is its own owner: the empty one
	good   uint64 // GPU-seconds of work well done
	faults []fault
}

// fault is a proven fault that still weighs.
type fault struct {
	id       string
	at       uint32
	good     uint64 // the owner's work then
	severity uint64 // Q32.32
}

// halved returns how often a fault has been halved, in Q16.48 half-lives: by time or by work, whichever is less.
func (f *fault) halved(p *ConductParams, at uint32, good uint64) uint64 {
	byTime := ratio(uint64(at-f.at), uint64(seconds(p.HalfLife)))
	return min(byTime, ratio(good-f.good, p.GoodGPUSeconds))
}

// ratio is v/whole in Q16.48, at most 64.
func ratio(v, whole uint64) uint64 {
	if v/whole >= 64 {
		return 64 << 48
	}
	h, l := bits.Mul64(v, 1<<48)
	q, _ := bits.Div64(h, l, whole) // h < whole, since v/whole < 2^16
	return q
}

// mass is the sum of the severities of an owner's faults as far as they still weigh, Q32.32, at most 64.
func (b *Book) mass(o *owner, at uint32) uint64 {
	mass := uint64(0)
	for i := range o.faults {
		f := &o.faults[i]
		mass = min(mass+high(f.severity, b.tables.exp2neg(f.halved(&b.params.Conduct, max(at, f.at), o.good))), 64<<32)
	}
	return mass
}

// conduct returns what an owner's faults leave of a probability, as the chance of a failure: 1 - exp(-mass).
func (b *Book) conduct(o *owner, at uint32) uint64 {
	h, l := bits.Mul64(b.mass(o, at), log2eQ62)
	return one - b.tables.exp2neg(min(h<<18|l>>46, 64<<48)) // Q32.32 * Q2.62 is Q34.94; >> 46 is Q16.48
}

// blame adds a fault to the owner of a subject. Those that weigh less than a millionth of their severity are dropped.
func (b *Book) blame(i, at uint32, id string, severity uint64) {
	n := b.answerable(i)
	o := &b.owners[n]
	o.faults = slices.DeleteFunc(o.faults, func(f fault) bool {
		old := f.halved(&b.params.Conduct, at, o.good) >= 20<<48
		if old {
			delete(b.faults, f.id)
		}
		return old
	})
	o.faults = append(o.faults, fault{id: id, at: at, good: o.good, severity: severity})
	b.faults[id] = n
}

// overturn takes a fault back.
func (b *Book) overturn(id string) {
	o := &b.owners[b.faults[id]]
	o.faults = slices.DeleteFunc(o.faults, func(f fault) bool { return f.id == id })
	delete(b.faults, id)
}
