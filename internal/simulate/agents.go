package simulate

import "math"

// agents are the suppliers of all classes as a struct of arrays: class c owns the cohorts c*n to (c+1)*n-1. What they
// cost never changes and is shared by all runs; only the levels belong to a run.
type agents struct {
	n        int     // cohorts of a class
	patience int8    // of every cohort
	leave    []int64 // income below which a month is one of loss, in millionths of a dollar an hour
	enter    []int64 // income above which it is one of profit
	machines []int64 // of each cohort, in 1/65,536
}

// machineBits are the binary places of the machines of a cohort.
const machineBits = 16

// newAgents spreads the costs of each class evenly, and its machines equally, over its cohorts.
func newAgents(p Params) *agents {
	n := int(p.Agents.Cohorts)
	a := &agents{n: n, patience: int8(p.Agents.Patience)}
	for _, c := range p.Classes {
		for i := range n {
			// Evenly from 1 - spread to 1 + spread, at the middle of each of n cells.
			place := million - int64(p.Agents.SpreadPPM) + int64(p.Agents.SpreadPPM)*int64(2*i+1)/int64(n)
			cost := max(1, int64(c.CostMicro)*place/million)
			a.leave = append(a.leave, cost)
			a.enter = append(a.enter, cost*int64(million+p.Agents.ReturnPPM)/million)
			machines := c.Machines << machineBits
			a.machines = append(a.machines, int64(machines*uint64(i+1)/uint64(n)-machines*uint64(i)/uint64(n)))
		}
	}
	return a
}

// step gives the cohorts of class c a month with an income, in millionths of a dollar an hour at the costs of month 0.
// A level of 0 or more is an active cohort; profit raises it, loss lowers it, and the patience bounds it on either side.
// It returns how many machines are active, in 1/65,536. The loop has no branch: whoever is on the edge costs no more.
func (a *agents) step(levels []int8, c int, income uint64) (active uint64) {
	in := int64(min(income, math.MaxInt64>>1))
	low, high := -a.patience, a.patience-1
	from, to := c*a.n, (c+1)*a.n
	levels, leave, enter, machines := levels[from:to], a.leave[from:to], a.enter[from:to], a.machines[from:to]
	leave, enter, machines = leave[:len(levels)], enter[:len(levels)], machines[:len(levels)]
	var sum int64
	for i, level := range levels {
		level += int8((in-leave[i])>>63) - int8((enter[i]-in)>>63)
		level = max(low, min(high, level))
		levels[i] = level
		sum += machines[i] &^ int64(level>>7)
	}
	return uint64(sum)
}

// start sets every cohort to the level at which it is active for as long as it bears a loss.
func (a *agents) start(levels []int8) (active []uint64) {
	for i := range levels {
		levels[i] = a.patience - 1
	}
	active = make([]uint64, len(levels)/a.n)
	for i, m := range a.machines {
		active[i/a.n] += uint64(m)
	}
	return active
}
