package sched

import (
	"cmp"
	"math"
	"slices"

	"github.com/idlegrid/idlegrid/internal/canon"
)

// Spec is one kind of request in the observed mix, and how often it came: what Fragmentation keeps room for.
type Spec struct {
	// GPUs is how many devices a replica asks for, 0 to 16; ShareMilli is 1 to 999 where it asks for a share of one.
	GPUs, ShareMilli uint16
	// CPUMilli and RAMMiB are what a replica asks for beside them.
	CPUMilli, RAMMiB uint64
	// Models are the models of which any will do; none means every model.
	Models []string
	// Count is how often such replicas came, at least 1.
	Count uint32
}

const (
	maxMix       = 100_000
	maxWants     = 256
	coveredParts = 95 // of a hundred replicas: rarer kinds are left out (Weng et al., "Beware of Fragmentation", USENIX ATC 2023)
)

// want is a kind of replica in the mix, in the fleet's numbers.
type want struct {
	gpus     int32
	milli    int32 // of each device
	each     int32 // how many of them a whole device holds
	cpu, ram uint32
	models   []int32 // ascending; nil: all
	part     int64   // of all devices that the mix asks for, a share counted whole, in 1/2^30
	above    int64   // part of the devices asked for that is asked for by kinds at least as hard to place, in 1/1024
}

// demand is the observed mix and what follows from it.
type demand struct {
	mix     []Spec // as it was observed
	wants   []want
	value   [wholeMilli + 1]int32
	ofAny   []int32   // wants that take every model
	ofModel [][]int32 // wants that take a model, by model
	weight  []int64   // of each want, in 1/2^30; never changed, but replaced

	// The writer's: how much of the fleet each kind of replica could use. In a large fleet only every stride-th node is counted.
	sums   []int64
	stride uint32
	since  uint32 // changes since the weights were last set
}

func newDemand(mix []Spec) *demand {
	d := &demand{stride: 1}
	d.value = cardValues(nil, nil)
	d.mix = make([]Spec, len(mix))
	for i, s := range mix {
		d.mix[i] = s
		d.mix[i].Models = slices.Clone(s.Models)
	}
	return d
}

func (f *Fleet) observed(e Observed) error {
	if err := within("len(Observed.Mix)", uint64(len(e.Mix)), 0, maxMix); err != nil {
		return err
	}
	for _, s := range e.Mix {
		if err := first(
			within("Spec.GPUs", uint64(s.GPUs), 0, maxDevices),
			within("Spec.ShareMilli", uint64(s.ShareMilli), 0, wholeMilli-1),
			within("Spec.CPUMilli", s.CPUMilli, 0, maxRoom),
			within("Spec.RAMMiB", s.RAMMiB, 0, maxRoom),
			models("Spec.Models", s.Models),
			within("Spec.Count", uint64(s.Count), 1, math.MaxUint32),
		); err != nil {
			return err
		}
		if s.ShareMilli != 0 && s.GPUs != 1 {
			return invalid("Spec.GPUs %d: want 1 with ShareMilli", s.GPUs)
		}
	}
	f.demand = newDemand(e.Mix)
	f.prepare()
	f.recount()
	return nil
}

// prepare derives the wants and the values of cards from the mix.
func (f *Fleet) prepare() {
	d := f.demand
	all, total := f.grouped()
	covered := uint64(0)
	var kept []Spec
	for _, s := range all {
		if covered*100 >= total*coveredParts || len(kept) == maxWants {
			break
		}
		covered += uint64(s.Count)
		if s.GPUs > 0 {
			kept = append(kept, s)
		}
	}
	sum := int64(0)
	for _, s := range kept {
		w := want{gpus: int32(s.GPUs), milli: wholeMilli, cpu: uint32(s.CPUMilli), ram: uint32(s.RAMMiB), part: int64(s.Count) * int64(s.GPUs)}
		if s.ShareMilli != 0 {
			w.milli = int32(s.ShareMilli)
		}
		for _, m := range s.Models {
			w.models = append(w.models, f.models.add(m))
		}
		slices.Sort(w.models)
		w.each = wholeMilli / w.milli
		sum += w.part
		d.wants = append(d.wants, w)
	}
	for i := range d.wants {
		d.wants[i].above = d.aboveOf(i, kept)
	}
	for i := range d.wants {
		d.wants[i].part = mulDiv(d.wants[i].part, oneQ30, sum)
	}
	d.listModels(len(f.models.list))
	sizes, counts := shareSizes(all)
	d.value = cardValues(sizes, counts)
}

// listModels lists the wants of each model that is known by now; later ones are in no want by name.
func (d *demand) listModels(n int) {
	d.ofModel = make([][]int32, n)
	for i := range d.wants {
		if d.wants[i].models == nil {
			d.ofAny = append(d.ofAny, int32(i))
		}
		for m := range d.ofModel {
			if _, ok := slices.BinarySearch(d.wants[i].models, int32(m)); ok || d.wants[i].models == nil {
				d.ofModel[m] = append(d.ofModel[m], int32(i))
			}
		}
	}
}

// grouped adds up equal kinds of the mix, the most frequent first; ties go to what asks for more.
func (f *Fleet) grouped() (out []Spec, total uint64) {
	key := func(a, b Spec) int {
		return cmp.Or(cmp.Compare(b.CPUMilli, a.CPUMilli), cmp.Compare(b.RAMMiB, a.RAMMiB), cmp.Compare(b.ShareMilli, a.ShareMilli),
			cmp.Compare(b.GPUs, a.GPUs), slices.Compare(b.Models, a.Models))
	}
	list := slices.Clone(f.demand.mix)
	for i := range list {
		list[i].Models = slices.Clone(list[i].Models)
		slices.Sort(list[i].Models)
		list[i].Models = slices.Compact(list[i].Models)
	}
	slices.SortStableFunc(list, key)
	for _, s := range list {
		total += uint64(s.Count)
		if n := len(out); n > 0 && key(out[n-1], s) == 0 {
			out[n-1].Count = uint32(min(uint64(out[n-1].Count)+uint64(s.Count), math.MaxUint32))
			continue
		}
		out = append(out, s)
	}
	slices.SortStableFunc(out, func(a, b Spec) int { return cmp.Compare(b.Count, a.Count) })
	return out, total
}

// shareSizes lists the sizes of shares in the mix and how often each came. Sizes are taken in hundredths, rounded up, which keeps them few.
func shareSizes(mix []Spec) (sizes []int, counts []int64) {
	var by [wholeMilli + 1]int64
	for _, s := range mix {
		if s.ShareMilli != 0 {
			by[(s.ShareMilli+9)/10*10] += int64(s.Count)
		}
	}
	for size, n := range by[:wholeMilli] {
		if n > 0 {
			sizes, counts = append(sizes, size), append(counts, n)
		}
	}
	return sizes, counts
}

// aboveOf is which part of the devices asked for is asked for by kinds at least as hard to place as one: as many devices or more, and no model that it would not take.
func (d *demand) aboveOf(i int, kept []Spec) int64 {
	a := &d.wants[i]
	some, all := int64(0), int64(0)
	for j := range d.wants {
		b := &d.wants[j]
		x := int64(kept[j].Count) * int64(b.gpus) * int64(b.milli)
		all += x
		if b.gpus >= a.gpus && (a.models == nil || b.models != nil && subset(b.models, a.models)) {
			some += x
		}
	}
	return mulDiv(some, oneQ10, all)
}

func subset(a, b []int32) bool {
	for _, v := range a {
		if _, ok := slices.BinarySearch(b, v); !ok {
			return false
		}
	}
	return true
}

// mulDiv is a*b/c through 128 bits, rounded down; all are at least 0, c above 0, and the result fits.
func mulDiv(a, b, c int64) int64 {
	if c == 0 {
		return 0
	}
	q, _ := bitsMulDiv(uint64(a), uint64(b), uint64(c))
	return int64(q)
}

func (d *demand) encode(w *canon.Writer) {
	w.Len(len(d.mix))
	for _, s := range d.mix {
		w.Uint16(s.GPUs)
		w.Uint16(s.ShareMilli)
		w.Uint64(s.CPUMilli)
		w.Uint64(s.RAMMiB)
		encodeNames(w, s.Models)
		w.Uint32(s.Count)
	}
	w.Uint32(d.stride)
	w.Uint32(d.since)
	w.Len(len(d.weight))
	for _, v := range d.weight {
		w.Int64(v)
	}
}

// demand reads a mix; the numbers of its models are found once the models are read.
func (d *decoder) demand() *demand {
	r := d.r
	out := newDemand(nil)
	for range r.Len(24) {
		s := Spec{GPUs: r.Uint16(), ShareMilli: r.Uint16(), CPUMilli: r.Uint64(), RAMMiB: r.Uint64(), Models: list[string](d), Count: r.Uint32()}
		d.require(s.GPUs <= maxDevices && s.ShareMilli < wholeMilli && s.CPUMilli <= maxRoom && s.RAMMiB <= maxRoom && s.Count > 0 &&
			(s.ShareMilli == 0 || s.GPUs == 1) && models("mix", s.Models) == nil, "mix out of range")
		out.mix = append(out.mix, s)
	}
	d.require(len(out.mix) <= maxMix, "mix out of range")
	out.stride, out.since = r.Uint32(), r.Uint32()
	d.require(out.stride > 0, "stride out of range")
	for range r.Len(8) {
		out.weight = append(out.weight, r.Int64())
	}
	return out
}
