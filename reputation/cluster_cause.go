package reputation

import (
	"cmp"
	"slices"
)

// cause is a site or an owner with two members or more.
type cause struct {
	kind    int      // bySite or byOwner
	members []int    // weakest first
	survive []uint64 // P(not struck by it), as odds.site
}

// branch is a set of members that causes hold together. Given how far its first cause reached, what remains are members that
// share nothing more and smaller branches that are independent of each other.
type branch struct {
	first cause
	free  []int
	inner []*branch
}

// failsTogether is fails where sites or owners are shared.
func (o *odds) failsTogether(set []int, spares int) uint64 {
	causes := append(o.causes(bySite, set, o.sites, o.site), o.causes(byOwner, set, o.owners, o.owner)...)
	r := reach{odds: o, struck: make([]bool, o.n), alone: make([]uint64, o.n)}
	free, inner := r.grow(set, causes)
	shared := make([]int, o.n) // kinds of causes that a member has in common with others of the set
	for _, c := range causes {
		for _, i := range c.members {
			shared[i] |= c.kind
		}
	}
	var fail uint64
	for j, w := range o.law.w {
		r.row = j * o.n
		for _, i := range set {
			r.alone[i] = o.alone(r.row+i, i, shared[i])
		}
		var up uint64
		for _, p := range r.law(free, inner, spares) {
			up += p
		}
		fail += high(w, one-up)
	}
	return fail
}

const (
	bySite  = 1
	byOwner = 2
)

// alone is P(not struck) by what a member shares with nobody in the set: its own causes, and a site or owner where it is the
// only one.
func (o *odds) alone(at, i, shared int) uint64 {
	p := o.own[at]
	if shared&bySite == 0 && o.sites != nil && o.sites[i] >= 0 {
		p = high(p, o.site[at])
	}
	if shared&byOwner == 0 && o.owners != nil && o.owners[i] >= 0 {
		p = high(p, o.owner[at])
	}
	return p
}

// causes groups the members of a set by number.
func (o *odds) causes(kind int, set []int, numbers []int32, survive []uint64) []cause {
	if numbers == nil {
		return nil
	}
	groups := make([][]int, len(numbers))
	for _, i := range set {
		if g := numbers[i]; g >= 0 {
			groups[g] = append(groups[g], i)
		}
	}
	var out []cause
	for _, members := range groups {
		if len(members) < 2 {
			continue
		}
		slices.SortStableFunc(members, func(a, b int) int { return o.hazards[b].compare(o.hazards[a]) })
		out = append(out, cause{kind, members, survive})
	}
	return out
}

// compare orders hazards: positive if s is the larger.
func (s scaled) compare(other scaled) int {
	if s.m == 0 || other.m == 0 {
		return cmp.Compare(s.m, other.m)
	}
	return cmp.Or(cmp.Compare(s.e, other.e), cmp.Compare(s.m, other.m))
}

// reach goes through how far the causes reach at one point of the weather.
type reach struct {
	*odds
	row    int
	alone  []uint64
	struck []bool // by the causes decided so far
	floor  uint64 // combinations less likely than this are given up
	visits int
}

// grow splits a set into members without a cause and branches.
func (r *reach) grow(set []int, causes []cause) (free []int, inner []*branch) {
	group := make(map[int]int, len(set)) // the smallest member of the branch
	for _, i := range set {
		group[i] = i
	}
	root := func(i int) int {
		for group[i] != i {
			i = group[i]
		}
		return i
	}
	held := make(map[int]bool, len(set))
	for _, c := range causes {
		for _, i := range c.members {
			held[i] = true
			a, b := root(c.members[0]), root(i)
			group[max(a, b)] = min(a, b)
		}
	}
	for _, i := range set {
		if !held[i] {
			free = append(free, i)
			continue
		}
		if root(i) != i {
			continue
		}
		inner = append(inner, r.branch(i, root, set, causes))
	}
	return free, inner
}

// branch takes the cause with the most members first: what it leaves falls apart the soonest.
func (r *reach) branch(of int, root func(int) int, set []int, causes []cause) *branch {
	var members []int
	for _, i := range set {
		if root(i) == of {
			members = append(members, i)
		}
	}
	var mine []cause
	most := 0
	for _, c := range causes {
		if root(c.members[0]) != of {
			continue
		}
		if len(mine) > 0 && len(c.members) > len(mine[most].members) {
			most = len(mine)
		}
		mine = append(mine, c)
	}
	b := &branch{first: mine[most]}
	b.free, b.inner = r.grow(members, slices.Delete(mine, most, most+1))
	return b
}

const (
	maxVisits = 1 << 13 // combinations at a point of the weather
	firstGive = 1 << 20 // 2^-44
)

// law is the law of how many of a set are down, to most. If it takes too many visits, combinations of causes are given up
// from the least likely on, until it does not: what they had counts as more down than most.
func (r *reach) law(free []int, inner []*branch, most int) []uint64 {
	for {
		r.visits = 0
		if f := r.down(free, inner, most, one); f != nil {
			return f
		}
		r.floor = max(firstGive, r.floor<<4)
	}
}

// down is the law of how many of the members not yet struck go down; nil if that takes too many visits.
func (r *reach) down(free []int, inner []*branch, most int, weight uint64) []uint64 {
	f := make([]uint64, most+1)
	f[0] = one
	for _, i := range free {
		if !r.struck[i] {
			include(f, r.alone[i])
		}
	}
	for _, b := range inner {
		g := make([]uint64, most+1)
		if len(b.inner) == 0 {
			r.visits++
			r.last(b, g)
		} else if !r.each(b, g, weight) {
			return nil
		}
		f = together(f, g)
	}
	if r.visits > maxVisits && r.floor < 1<<62 {
		return nil
	}
	return f
}

// together is the law of a sum.
func together(f, g []uint64) []uint64 {
	out := make([]uint64, len(f))
	for a, p := range f {
		for b, q := range g[:len(g)-a] {
			out[a+b] += high(p, q)
		}
	}
	return out
}

// last adds the law of a branch with one cause to g. Its members are all of that cause: from the strongest on, f is the law
// of those that the cause spared.
func (r *reach) last(b *branch, g []uint64) {
	live := r.live(b)
	f := make([]uint64, len(g))
	f[0] = one
	above := one // P(the next stronger one is spared)
	for n := len(live); n >= 0; n-- {
		var spared uint64
		if n > 0 {
			spared = b.first.survive[r.row+live[n-1]]
		}
		if n < len(g) && above > spared {
			for d, p := range f[:len(g)-n] {
				g[n+d] += high(p, above-spared)
			}
		}
		if n > 0 {
			include(f, r.alone[live[n-1]])
			above = spared
		}
	}
}

// each adds the law of a branch with more causes to g: for each reach of the first, what is left is solved on its own. It
// reports whether it came to an end.
func (r *reach) each(b *branch, g []uint64, weight uint64) bool {
	live := r.live(b)
	ok := true
	var below uint64
	for n := 0; n <= len(live) && n < len(g) && ok; n++ {
		spared := one
		if n < len(live) {
			spared = b.first.survive[r.row+live[n]]
		}
		if spared > below && high(weight, spared-below) >= r.floor {
			r.visits++
			f := r.down(b.free, b.inner, len(g)-1-n, high(weight, spared-below))
			ok = f != nil
			for d, p := range f {
				g[n+d] += high(p, spared-below)
			}
		}
		below = max(below, spared)
		if n < len(live) {
			r.struck[live[n]] = true
		}
	}
	for _, i := range live {
		r.struck[i] = false
	}
	return ok
}

// live are the members of a branch's first cause that no other has struck, weakest first.
func (r *reach) live(b *branch) []int {
	live := make([]int, 0, len(b.first.members))
	for _, i := range b.first.members {
		if !r.struck[i] {
			live = append(live, i)
		}
	}
	return live
}
