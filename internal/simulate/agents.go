package simulate

import "math"

// agents are the suppliers of all classes as a struct of arrays: class c owns the cohorts c*n to (c+1)*n-1. What they
// cost never changes and is shared by all runs; only the levels belong to a run.
type agents struct {
	n        int     // cohorts of a class
	leave    []int64 // income below which a month is one of loss, in millionths of a dollar an hour
	enter    []int64 // income above which it is one of profit
	machines []int64 // of each cohort, in 1/65,536
	low      []int8  // level of a cohort that has just left
	high     []int8  // level of one that has just come
}

// machineBits are the binary places of the machines of a cohort.
const machineBits = 16

// newAgents spreads the costs of each class evenly, and its machines equally, over its cohorts. The cheapest bears losses
// three times as long as the dearest and comes back in a third of its time: were all alike, they would come and go as one.
func newAgents(p Params) *agents {
	n := int(p.Agents.Cohorts)
	a := &agents{n: n}
	for _, c := range p.Classes {
		for i := range n {
			// Evenly from 1 - spread to 1 + spread, at the middle of each of n cells.
			place := million - int64(p.Agents.SpreadPPM) + int64(p.Agents.SpreadPPM)*int64(2*i+1)/int64(n)
			cost := max(1, int64(c.CostMicro)*place/million)
			a.leave = append(a.leave, cost)
			a.enter = append(a.enter, cost*int64(million+p.Agents.ReturnPPM)/million)
			machines := c.Machines << machineBits
			a.machines = append(a.machines, int64(machines*uint64(i+1)/uint64(n)-machines*uint64(i)/uint64(n)))
			patience := int(p.Agents.Patience)
			later := 2 * patience * i / n
			a.low = append(a.low, int8(-patience-later))
			a.high = append(a.high, int8(3*patience-later-1))
		}
	}
	return a
}

// step gives the cohorts of class c a month with an income, in millionths of a dollar an hour at the costs of month 0.
// A level of 0 or more is an active cohort; profit raises it, loss lowers it, and whoever comes or goes begins at the far
// end of its patience. It returns how many machines are active, in 1/65,536. The loop has no branch: whoever is on the edge
// costs no more.
func (a *agents) step(levels []int8, c int, income uint64) (active uint64) {
	in := int64(min(income, math.MaxInt64>>1))
	from, to := c*a.n, (c+1)*a.n
	levels = levels[from:to]
	leave, enter, machines := a.leave[from:to][:len(levels)], a.enter[from:to][:len(levels)], a.machines[from:to][:len(levels)]
	low, high := a.low[from:to][:len(levels)], a.high[from:to][:len(levels)]
	var sum int64
	for i, before := range levels {
		old := int64(before) // in words: operations on bytes need extensions
		level := old + (in-leave[i])>>63 - (enter[i]-in)>>63
		away := level >> 63 // -1 for a cohort that is not active
		least, most := int64(low[i]), int64(high[i])
		end := most ^ (most^least)&away
		level = max(least, min(most, level))
		level ^= (level ^ end) & ((old ^ level) >> 63)
		levels[i] = int8(level)
		sum += machines[i] &^ away
	}
	return uint64(sum)
}

// start sets every cohort to the level of one that has just come.
func (a *agents) start(levels []int8) (active [mostClasses]uint64) {
	copy(levels, a.high)
	for i, m := range a.machines {
		active[i/a.n] += uint64(m)
	}
	return active
}
