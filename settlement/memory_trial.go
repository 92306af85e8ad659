package settlement

import (
	"cmp"
	"fmt"
	"maps"
	"math/bits"
	"slices"
)

// trial carries lines on paper: what a transaction would do to a state.
type trial struct {
	pools  map[[2]Asset]memoryPool
	before *memoryState
	after  map[holding]uint64
	got    uint64
}

// memoryFault is a line that cannot be carried. It is named if the recipient is at fault.
type memoryFault struct {
	Fault
	named bool
}

// run returns the first line that cannot be carried, nil if all can be.
func (t *trial) run(lines []Line) *memoryFault {
	for i, l := range lines {
		if f := t.line(i, l); f != nil {
			return f
		}
	}
	return nil
}

func (t *trial) line(i int, l Line) *memoryFault {
	fault := func(named bool, format string, args ...any) *memoryFault {
		return &memoryFault{Fault{i, fmt.Sprintf(format, args...)}, named}
	}
	paid := l.Asset // what arrives
	if l.Kind == Swap {
		paid = l.Into
	}
	to := holding{paid, l.To}
	if !t.exists(to) && l.To != "" {
		return fault(true, "account %q holds no token account for mint %q", l.To, paid.Mint)
	}
	if have := t.have(holding{l.Asset, l.From}); have < l.Units {
		return fault(false, "account %q holds %d units, %d more are to go", l.From, have, l.Units)
	}
	t.add(holding{l.Asset, l.From}, -l.Units)
	units := l.Units
	if l.Kind == Swap {
		p, ok := t.pools[[2]Asset{l.Asset, l.Into}]
		if !ok {
			return fault(false, "no pool gives %q for %q", l.Into.Mint, l.Asset.Mint)
		}
		// 128-bit: the product overflows 64 bits from 4.3e9 units at a rate of 4.3e9
		hi, lo := bits.Mul64(l.Units, p.num)
		if hi >= p.den {
			return fault(false, "the pool owes more than 64 bits")
		}
		units, _ = bits.Div64(hi, lo, p.den)
		have := t.have(holding{paid, p.owner})
		if units < l.Least || have < units {
			return fault(false, "the pool gives %d of the %d units it holds, at least %d are wanted", units, have, l.Least)
		}
		t.add(holding{l.Asset, p.owner}, l.Units)
		t.add(holding{paid, p.owner}, -units)
		t.got += units
	}
	if l.To != "" { // else it is burned
		t.add(to, units)
	}
	return nil
}

func (t *trial) exists(h holding) bool {
	_, ok := t.before.balances[h]
	return ok
}

func (t *trial) have(h holding) uint64 {
	if units, ok := t.after[h]; ok {
		return units
	}
	return t.before.balances[h]
}

// add cannot overflow: the supply fits.
func (t *trial) add(h holding, units uint64) { t.after[h] = t.have(h) + units }

// changes lists the balances that differ, by owner and asset.
func (t *trial) changes() []Change {
	var out []Change
	for _, h := range slices.SortedFunc(maps.Keys(t.after), func(a, b holding) int {
		return cmp.Or(cmp.Compare(a.owner, b.owner), compareAssets(a.asset, b.asset))
	}) {
		if before := t.before.balances[h]; before != t.after[h] {
			out = append(out, Change{h.owner, h.asset, before, t.after[h]})
		}
	}
	return out
}
