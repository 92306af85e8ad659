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
// is, candidates are ordered in five ways, from the best first to those that avoid a common cause at almost any price, and Fill
// is asked about each; the smallest cluster is returned, of equals the one with the highest probability, in that order. It
// keeps the promise, but a smaller one that none of the orders begins with may exist.
func (c *ClusterModel) Spares(candidates []Member, k int, targetPPM uint32) (who []int, ok bool) {
	checkTarget("Spares", targetPPM)
	if k <= 0 {
		return nil, true
	}
	order := upTo(len(candidates))
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(candidates[b].UpPPM, candidates[a].UpPPM) })
	o := c.prepare("Spares", candidates)
	orders := [][]int{order}
	if o.sites != nil || o.owners != nil {
		for caution := uint(1); caution <= 4; caution++ {
			orders = append(orders, c.spread(candidates, o, order, caution))
		}
	}
	var kept uint32
	for _, by := range orders {
		list := make([]Member, len(by))
		for i, j := range by {
			list[i] = candidates[j]
		}
		n, good := c.Fill(list, k, targetPPM)
		if !good {
			continue
		}
		p := c.AtLeast(list[:n], k)
		if !ok || n < len(who) || n == len(who) && p > kept {
			who, ok, kept = by[:n], true, p
		}
	}
	if !ok {
		return order, false
	}
	return who, true
}

// spread orders candidates so that each adds the least to E 2^(caution D), where D is how many are down: by Chernoff's bound
// P(D > spares) is below that over 2^(caution (spares+1)), so a group that falls together weighs more than as many alone. To
// first order in the probabilities of going down q the expectation is a sum over causes: for the own cause of a member
// q (2^caution - 1), for a site of which the j weakest fall with probability q_j the sum of q_j (2^(caution j) - 2^(caution (j-1))).
func (c *ClusterModel) spread(candidates []Member, o *odds, order []int, caution uint) []int {
	kinds := o.kinds(order)
	sites, owners := make([][]uint64, len(candidates)), make([][]uint64, len(candidates)) // the q of a group, largest first
	own := uint64(1_000_000-c.frailty.SitePPM-c.frailty.OwnerPPM) * (1<<caution - 1)
	out := make([]int, 0, len(order))
	for range order {
		best, least := -1, uint64(0)
		for k, kind := range kinds {
			if len(kind) == 0 {
				continue
			}
			q := uint64(1_000_000 - candidates[kind[0]].UpPPM)
			cost := q*own + uint64(c.frailty.SitePPM)*joining(sites, o.sites, kind[0], q, caution) +
				uint64(c.frailty.OwnerPPM)*joining(owners, o.owners, kind[0], q, caution)
			if best < 0 || cost < least {
				best, least = k, cost
			}
		}
		i := kinds[best][0]
		kinds[best] = kinds[best][1:]
		out = append(out, i)
		q := uint64(1_000_000 - candidates[i].UpPPM)
		join(sites, o.sites, i, q)
		join(owners, o.owners, i, q)
	}
	return out
}

// kinds groups candidates that differ in nothing but their probability and keeps the order within a kind. Kinds stand in the
// order of their first.
func (o *odds) kinds(order []int) [][]int {
	var kinds [][]int
	at := map[[2]int32]int{}
	for _, i := range order {
		key := [2]int32{-1, -1}
		if o.sites != nil {
			key[0] = o.sites[i]
		}
		if o.owners != nil {
			key[1] = o.owners[i]
		}
		k, ok := at[key]
		if !ok {
			k = len(kinds)
			at[key] = k
			kinds = append(kinds, nil)
		}
		kinds[k] = append(kinds[k], i)
	}
	return kinds
}

// joining is what a member adds to the term of its group: all that are no worse move up by one place.
func joining(groups [][]uint64, numbers []int32, i int, q uint64, caution uint) uint64 {
	if numbers == nil || numbers[i] < 0 {
		return q * tilt(1, caution)
	}
	var sum uint64
	group := groups[numbers[i]]
	at, _ := slices.BinarySearchFunc(group, q, descending)
	for j := at; j <= len(group); j++ {
		before := uint64(0)
		if j < len(group) {
			before = group[j]
		}
		sum += (q - before) * tilt(j+1, caution) // place j had before and has q, the next gets before
		q = before
	}
	return sum
}

func join(groups [][]uint64, numbers []int32, i int, q uint64) {
	if numbers == nil || numbers[i] < 0 {
		return
	}
	g := numbers[i]
	at, _ := slices.BinarySearchFunc(groups[g], q, descending)
	groups[g] = slices.Insert(groups[g], at, q)
}

func descending(a, b uint64) int { return cmp.Compare(b, a) }

// tilt is 2^(caution j) - 2^(caution (j-1)), at most 2^20: with q and a share below 2^20 each no sum overflows.
func tilt(j int, caution uint) uint64 {
	if uint(j)*caution > 20 {
		return 1 << 20
	}
	return 1<<(uint(j)*caution) - 1<<(uint(j-1)*caution)
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
