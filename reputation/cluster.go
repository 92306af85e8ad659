package reputation

import (
	"fmt"
	"math/bits"
	"slices"
)

// Member is a subject as a part of a cluster.
type Member struct {
	// UpPPM is the probability of no outage until the end of the horizon, in parts per million: Score.UpPPM.
	UpPPM uint32
	// Site is what the subject shares with others at its place; empty: with none.
	Site string
	// Owner is who runs the subject; empty: nobody else's is known to be run by the same.
	Owner string
}

// ClusterModel gives the probability that enough members of a cluster stay up. It never changes and may be used by several
// goroutines at a time.
//
// Probabilities are rounded to 10^-8, which is what the arithmetic is good for, and then down to parts per million. A member with
// UpPPM above 10^6 panics.
//
// Where sites and owners cross (several owners at a site that have members at other sites too), the combinations of causes
// are more than can be gone through for large clusters. The least likely of them then count as failures of the cluster: the
// result is a lower bound, and may miss the rules about more members by as much as it is below. Where every owner has one site
// or every site one owner, the result is exact.
type ClusterModel struct {
	tables  *tables
	frailty Frailty
	law     weather
}

// NewClusterModel returns a model, or the error of Frailty.Validate.
func NewClusterModel(f Frailty) (*ClusterModel, error) {
	if err := f.Validate(); err != nil {
		return nil, err
	}
	t := newTables()
	return &ClusterModel{tables: t, frailty: f, law: t.newWeather(f.VariancePPM)}, nil
}

// Frailty returns what the model was made from.
func (c *ClusterModel) Frailty() Frailty { return c.frailty }

// AllUp returns the probability that every member stays up, in parts per million, rounded down; 10^6 for no members. Without
// shared causes of site or owner it is (sum s^-v - (n-1))^(-1/v), the survival copula of Clayton; for v = 0 the product.
func (c *ClusterModel) AllUp(members []Member) uint32 {
	return keptPPM(c.prepare("AllUp", members).fails(upTo(len(members)), 0))
}

// AtLeast returns the probability that k members or more stay up, in parts per million, rounded down; 10^6 for k of 0 or less,
// 0 for k above the number of members. It rises with every UpPPM and with every member more, and falls with k. What is shared
// raises it for k = n and lowers it for k = 1 against independence; between, clusters with spares enough for a probability
// near one lose by it, and those that would fail often anyway may gain.
func (c *ClusterModel) AtLeast(members []Member, k int) uint32 {
	return c.prepare("AtLeast", members).atLeast(upTo(len(members)), k)
}

// Marginals returns for each member by how much AtLeast would fall without it, in parts per million.
func (c *ClusterModel) Marginals(members []Member, k int) []uint32 {
	o := c.prepare("Marginals", members)
	set := upTo(len(members))
	whole := o.atLeast(set, k)
	out := make([]uint32, len(members))
	for i := range members {
		out[i] = whole - min(whole, o.atLeast(slices.Delete(slices.Clone(set), i, i+1), k))
	}
	return out
}

// Gains returns for each candidate by how much AtLeast would rise if it alone joined the members, in parts per million.
func (c *ClusterModel) Gains(members, candidates []Member, k int) []uint32 {
	o := c.prepare("Gains", slices.Concat(members, candidates))
	set := upTo(len(members))
	before := o.atLeast(set, k)
	out := make([]uint32, len(candidates))
	for i := range candidates {
		after := o.atLeast(append(slices.Clone(set), len(members)+i), k)
		out[i] = after - min(after, before)
	}
	return out
}

// upTo is 0, 1 .. n-1.
func upTo(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = i
	}
	return s
}

// keptPPM is a probability of failure as one of staying up: to the nearest 10^-8, then down to a millionth.
func keptPPM(fail uint64) uint32 {
	h, l := bits.Mul64(fail, 100_000_000)
	return 1_000_000 - uint32((h+l>>63+99)/100)
}

// odds are members at every point of the weather: entry j n + i is member i at point j.
type odds struct {
	n, points int
	law       weather
	own       []uint64 // P(not struck by its own causes)
	site      []uint64 // by its site's; nil if no site has a share
	owner     []uint64
	hazards   []scaled
	sites     []int32 // number of the site, -1 for none
	owners    []int32
}

// prepare looks every exponential up once. What a member has no site or owner for belongs to its own causes.
func (c *ClusterModel) prepare(function string, members []Member) *odds {
	o := &odds{n: len(members), points: len(c.law.z), law: c.law, hazards: make([]scaled, len(members))}
	o.own = make([]uint64, o.points*o.n)
	o.sites = number(members, c.frailty.SitePPM, func(m Member) string { return m.Site })
	o.owners = number(members, c.frailty.OwnerPPM, func(m Member) string { return m.Owner })
	if o.sites != nil {
		o.site = make([]uint64, o.points*o.n)
	}
	if o.owners != nil {
		o.owner = make([]uint64, o.points*o.n)
	}
	fill := func(to []uint64, i int, h scaled) {
		for j, z := range c.law.z {
			to[j*o.n+i] = c.tables.surviving(h, z)
		}
	}
	for i, m := range members {
		if m.UpPPM > 1_000_000 {
			panic(fmt.Sprintf("reputation: ClusterModel.%s: member %d has UpPPM %d above 10^6", function, i, m.UpPPM))
		}
		h := c.tables.frailHazard(m.UpPPM, c.frailty.VariancePPM)
		o.hazards[i] = h
		rest := uint32(1_000_000)
		if o.sites != nil && o.sites[i] >= 0 {
			rest -= c.frailty.SitePPM
			fill(o.site, i, h.part(c.frailty.SitePPM))
		}
		if o.owners != nil && o.owners[i] >= 0 {
			rest -= c.frailty.OwnerPPM
			fill(o.owner, i, h.part(c.frailty.OwnerPPM))
		}
		fill(o.own, i, h.part(rest))
	}
	return o
}

// number gives equal names equal numbers; a name that occurs once is none. It is nil if no name occurs twice.
func number(members []Member, share uint32, name func(Member) string) []int32 {
	if share == 0 {
		return nil
	}
	count := map[string]int{}
	for _, m := range members {
		count[name(m)]++
	}
	var out []int32
	known := map[string]int32{}
	for i, m := range members {
		s := name(m)
		if s == "" || count[s] < 2 {
			continue
		}
		if out == nil {
			out = slices.Repeat([]int32{-1}, len(members))
		}
		if _, ok := known[s]; !ok {
			known[s] = int32(len(known))
		}
		out[i] = known[s]
	}
	return out
}

func (o *odds) atLeast(set []int, k int) uint32 {
	switch {
	case k <= 0:
		return 1_000_000
	case k > len(set):
		return 0
	}
	return keptPPM(o.fails(set, len(set)-k))
}

// fails is P(more than spares of the set go down).
func (o *odds) fails(set []int, spares int) uint64 {
	if o.sites == nil && o.owners == nil {
		return o.failsEach(set, len(set)-spares, spares)[spares]
	}
	return o.failsTogether(set, spares)
}

// failsEach is P(fewer than k of the first k+s of the set stay up) for every s up to spares, where nothing is shared but the
// weather. At a point of it the members are independent: f[d] is P(d are down), one more member at a time.
func (o *odds) failsEach(set []int, k, spares int) []uint64 {
	fail := make([]uint64, spares+1)
	f := make([]uint64, spares+1)
	for j, w := range o.law.w {
		clear(f)
		f[0] = one
		row := o.own[j*o.n : (j+1)*o.n]
		for n, i := range set[:min(k+spares, len(set))] {
			include(f, row[i])
			if s := n + 1 - k; s >= 0 {
				var up uint64
				for _, p := range f[:s+1] {
					up += p
				}
				fail[s] += high(w, one-up)
			}
		}
	}
	return fail
}

// include adds a member that stays up with probability p to the law f of how many are down. Products are rounded down, so
// that what is lost counts as more down than f reaches to.
func include(f []uint64, p uint64) {
	if p == one {
		return
	}
	q := one - p
	for d := len(f) - 1; d > 0; d-- {
		f[d] = high(f[d], p) + high(f[d-1], q)
	}
	f[0] = high(f[0], p)
}
