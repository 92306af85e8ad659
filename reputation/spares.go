package reputation

import (
	"cmp"
	"fmt"
	"slices"
)

// maxSpares is where the search for spares of equal members ends.
const maxSpares = 1024

// Fill returns how many candidates, taken from the front, make k of them stay up with the probability targetPPM at least; ok
// is false if all of them do not, and n then is their number. A target above 10^6 panics.
func (c *ClusterModel) Fill(candidates []Member, k int, targetPPM uint32) (n int, ok bool) {
	checkTarget("Fill", targetPPM)
	if k <= 0 {
		return 0, true
	}
	from := k
	for spares := 8; from <= len(candidates); spares *= 4 {
		until := min(len(candidates), k+spares)
		o := c.prepare("Fill", candidates[:until])
		set := upTo(until)
		if o.sites == nil && o.owners == nil {
			for s, fail := range o.failsEach(set, k, until-k) {
				if keptPPM(fail) >= targetPPM {
					return k + s, true
				}
			}
			from = until + 1
		}
		for ; from <= until; from++ {
			if o.atLeast(set[:from], k) >= targetPPM {
				return from, true
			}
		}
	}
	return len(candidates), false
}

// Spares chooses among all candidates a cluster of which k stay up with the probability targetPPM at least, and returns their
// indices; all beyond k of them are spares. If even all candidates fall short, it returns them all and false. A target above
// 10^6 panics.
//
// Where no site or owner is shared, the best come first, ties by index, and no smaller cluster reaches the target. Where one
// is, for each number of spares from none on a cluster is built member by member, each the one that keeps P(more are down
// than there are spares) the lowest; the first that reaches the target is returned, in the order of choice. That spreads
// over sites and owners, but a smaller cluster that it does not find may exist.
func (c *ClusterModel) Spares(candidates []Member, k int, targetPPM uint32) (who []int, ok bool) {
	checkTarget("Spares", targetPPM)
	if k <= 0 {
		return nil, true
	}
	order := upTo(len(candidates))
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(candidates[b].UpPPM, candidates[a].UpPPM) })
	o := c.prepare("Spares", candidates)
	if o.sites == nil && o.owners == nil {
		best := make([]Member, len(order))
		for i, j := range order {
			best[i] = candidates[j]
		}
		n, ok := c.Fill(best, k, targetPPM)
		return order[:n], ok
	}
	if o.atLeast(order, k) < targetPPM {
		return order, false
	}
	for spares := 0; k+spares < len(order); spares++ {
		if who := o.spread(order, k+spares, spares); o.atLeast(who, k) >= targetPPM {
			return who, true
		}
	}
	return order, true
}

// spread chooses n of the candidates, which are ordered best first, so that few of them fail together. The first ones are
// chosen before there are enough to exceed the spares, by their own worth only: at the end they are chosen again.
func (o *odds) spread(order []int, n, spares int) []int {
	var kinds [][]int // candidates that differ in their probability only, best first
	at := map[[2]int32]int{}
	for _, i := range order {
		key := [2]int32{o.place(o.sites, i), o.place(o.owners, i)}
		k, ok := at[key]
		if !ok {
			k = len(kinds)
			at[key] = k
			kinds = append(kinds, nil)
		}
		kinds[k] = append(kinds[k], i)
	}
	var who []int
	for range n {
		who = o.enlarge(who, kinds, spares)
	}
	for range min(spares, n-1) {
		back := who[0]
		who = slices.Clone(who[1:])
		k := at[[2]int32{o.place(o.sites, back), o.place(o.owners, back)}]
		kinds[k] = slices.Insert(kinds[k], 0, back)
		who = o.enlarge(who, kinds, spares)
	}
	return who
}

func (o *odds) place(numbers []int32, i int) int32 {
	if numbers == nil {
		return -1
	}
	return numbers[i]
}

// enlarge adds the candidate that leaves the lowest probability of more down than spares, of equals the one most likely to
// stay up, then the first; and takes it out of its kind.
func (o *odds) enlarge(who []int, kinds [][]int, spares int) []int {
	best, least := -1, uint64(0)
	for k, kind := range kinds {
		if len(kind) == 0 {
			continue
		}
		var fail uint64
		if len(who) >= spares {
			fail = o.fails(append(slices.Clone(who), kind[0]), spares)
		}
		if best < 0 || fail < least || fail == least && o.hazards[kind[0]].compare(o.hazards[kinds[best][0]]) < 0 {
			best, least = k, fail
		}
	}
	who = append(who, kinds[best][0])
	kinds[best] = kinds[best][1:]
	return who
}

// SparesFor returns how many spares a cluster needs so that k of its members stay up with the probability targetPPM at least,
// if all members have the same probability upPPM and share no site or owner; ok is false if 1,024 are not enough. With a
// target of 990,000 this is the promise of a cluster stability over 99 %. Numbers above 10^6 panic.
func (c *ClusterModel) SparesFor(k int, upPPM, targetPPM uint32) (spares int, ok bool) {
	checkTarget("SparesFor", targetPPM)
	n, ok := c.Fill(slices.Repeat([]Member{{UpPPM: upPPM}}, max(k, 0)+maxSpares), k, targetPPM)
	return max(n-max(k, 0), 0), ok
}

// SparesTable returns SparesFor for every probability (a row each) and every size (a column each), -1 where 1,024 spares are
// not enough. Numbers above 10^6 panic.
func (c *ClusterModel) SparesTable(upPPM []uint32, sizes []int, targetPPM uint32) [][]int {
	rows := make([][]int, len(upPPM))
	for i, up := range upPPM {
		rows[i] = make([]int, len(sizes))
		for j, k := range sizes {
			s, ok := c.SparesFor(k, up, targetPPM)
			if !ok {
				s = -1
			}
			rows[i][j] = s
		}
	}
	return rows
}

func checkTarget(function string, targetPPM uint32) {
	if targetPPM > 1_000_000 {
		panic(fmt.Sprintf("reputation: ClusterModel.%s: target %d above 10^6", function, targetPPM))
	}
}
