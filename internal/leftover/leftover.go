package leftover

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
)

// Host is one machine with free cards.
type Host struct {
	Free int
	// HourMicro is the price of a card for an hour, in millionths of a dollar.
	HourMicro uint64
}

// Site is the hosts behind one uplink.
type Site struct {
	ID    string
	City  string
	Hosts []Host

	city         int
	x, y         int // km from the middle of the city
	accessMicros uint32
	uplinkMbps   uint32
}

// Link is the measurement of two sites, by their places in the list.
type Link struct {
	A, B        int
	DelayMicros uint32
	Mbps        uint32
}

// Ask is what is asked for. A limit of 0 is no limit.
type Ask struct {
	// Replicas of GPUs cards each, a replica on one host.
	Replicas, GPUs              int
	MinSites, MaxSites, PerSite int
	MaxDelayMicros, MinMbps     uint32
	Unmeasured                  bool
}

// Case is one problem.
type Case struct {
	Sites []Site
	Links []Link
	Ask   Ask
}

// Room is how many replicas of so many cards the hosts of a site hold.
func (s *Site) Room(gpus int) int {
	sum := 0
	for _, h := range s.Hosts {
		sum += h.Free / gpus
	}
	return sum
}

// Small draws a case of 2 to 12 sites.
func Small(seed uint64) Case {
	r := rand.New(rand.NewPCG(seed, 12)) //nolint:gosec // a seeded generator is the point
	var c Case
	n := 2 + r.IntN(11)
	// A few cities, near each other or not, so that some pairs are close and some are not.
	pool := make([]int, 1+r.IntN(5))
	for i := range pool {
		pool[i] = r.IntN(len(cities()))
	}
	for i := range n {
		c.Sites = append(c.Sites, draw(r, i, pool[r.IntN(len(pool))], 8))
	}
	measured := 5 + r.IntN(6) // of ten pairs
	for b := range c.Sites {
		for a := range b {
			if r.IntN(10) < measured {
				c.Links = append(c.Links, between(c.Sites, a, b))
			}
		}
	}
	if r.IntN(3) == 0 { // a coarse clock: then many sets are equally far apart
		for i := range c.Links {
			c.Links[i].DelayMicros = (c.Links[i].DelayMicros/20_000 + 1) * 20_000
		}
	}
	c.Ask.GPUs = [...]int{1, 1, 1, 2, 2, 4, 8}[r.IntN(7)]
	room := 0
	for i := range c.Sites {
		room += c.Sites[i].Room(c.Ask.GPUs)
	}
	c.Ask.Replicas = min(max(room*(20+r.IntN(80))/100, 2), 64/c.Ask.GPUs)
	c.Ask.MaxSites = 1 + r.IntN(8)
	c.limit(r)
	return c
}

// limit draws the limits among what occurs, each in a part of the cases.
func (c *Case) limit(r *rand.Rand) {
	if len(c.Links) > 0 && r.IntN(3) > 0 {
		c.Ask.MaxDelayMicros = c.Links[r.IntN(len(c.Links))].DelayMicros
	}
	if len(c.Links) > 0 && r.IntN(3) == 0 {
		c.Ask.MinMbps = c.Links[r.IntN(len(c.Links))].Mbps
	}
	c.Ask.Unmeasured = c.Ask.MaxDelayMicros == 0 && c.Ask.MinMbps == 0 || r.IntN(6) == 0
	if r.IntN(8) == 0 {
		c.Ask.PerSite = 1 + r.IntN(c.Ask.Replicas)
	}
	if r.IntN(8) == 0 {
		c.Ask.MinSites = 1 + r.IntN(c.Ask.MaxSites)
	}
}

// Large draws a case with so many sites, each measured against about so many of its nearest. The sites have 0 to 6 free cards, and 64
// replicas of one card are asked for, within 5 ms: at least 11 sites.
func Large(seed uint64, sites, degree int) Case {
	r := rand.New(rand.NewPCG(seed, 5000)) //nolint:gosec // a seeded generator is the point
	c := Case{Ask: Ask{Replicas: 64, GPUs: 1, MaxSites: 24, MaxDelayMicros: 5000}}
	weights := 0
	for _, p := range cities() {
		weights += p.weight
	}
	byCity := make([][]int, len(cities()))
	for i := range sites {
		at, city := r.IntN(weights), 0
		for at >= cities()[city].weight {
			at -= cities()[city].weight
			city++
		}
		c.Sites = append(c.Sites, draw(r, i, city, 6))
		byCity[city] = append(byCity[city], i)
	}
	for _, list := range byCity {
		c.nearest(list, degree)
	}
	return c
}

// nearest links each site of a city to its nearest there: half as many as wanted, since others choose it too.
func (c *Case) nearest(list []int, degree int) {
	seen := map[[2]int]bool{}
	for _, a := range list {
		way := func(b int) int {
			dx, dy := c.Sites[a].x-c.Sites[b].x, c.Sites[a].y-c.Sites[b].y
			return dx*dx + dy*dy
		}
		others := slices.SortedFunc(slices.Values(list), func(b, d int) int { return cmp.Or(cmp.Compare(way(b), way(d)), b-d) })
		for _, b := range others[:min(len(others), degree*4/5)] {
			pair := [2]int{min(a, b), max(a, b)}
			if a != b && !seen[pair] {
				seen[pair] = true
				c.Links = append(c.Links, between(c.Sites, pair[0], pair[1]))
			}
		}
	}
}

// draw makes a site with at most so many free cards.
func draw(r *rand.Rand, i, city, most int) Site {
	s := Site{
		ID: fmt.Sprintf("s%04d", i), City: cities()[city].name, city: city,
		x: r.IntN(601) - 300, y: r.IntN(601) - 300,
		accessMicros: 100 + uint32(r.IntN(1400)),
		uplinkMbps:   [...]uint32{300, 600, 1200, 1200, 2500}[r.IntN(5)],
	}
	level := 300_000 + uint64(r.IntN(20))*25_000
	for left := r.IntN(most + 1); left > 0; {
		n := 1 + r.IntN(left)
		s.Hosts = append(s.Hosts, Host{Free: n, HourMicro: level + uint64(r.IntN(5))*10_000})
		left -= n
	}
	return s
}

// between measures two sites.
func between(sites []Site, a, b int) Link {
	s, t := &sites[a], &sites[b]
	km := way(s.city, t.city) + root((s.x-t.x)*(s.x-t.x)+(s.y-t.y)*(s.y-t.y))
	delay := uint32(km)*15 + s.accessMicros + t.accessMicros // there and back at 200 km/ms, and half of it again
	mbps := min(s.uplinkMbps, t.uplinkMbps, max(55_000_000/delay, 100))
	return Link{A: a, B: b, DelayMicros: delay, Mbps: mbps}
}

// root is the square root rounded down.
func root(n int) int {
	x := 0
	for step := 1 << 14; step > 0; step >>= 1 {
		if (x+step)*(x+step) <= n {
			x += step
		}
	}
	return x
}
