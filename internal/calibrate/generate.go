package calibrate

import (
	"math/rand/v2"
	"slices"
)

// Generate makes a trace of some days with the statistics of a real record of volunteers' servers, in integers: the same seed
// gives the same trace on every machine. Most nodes hardly ever fail, few fail all the time; those who were down come back
// after an hour or after many; every day new ones come, of which most are gone within a day; some days are worse for all; and
// in the middle of the record a crowd registers at once and leaves together.
func Generate(seed uint64, nodes, days int) *Trace {
	const steps = 24                                                         // a day
	g := &generator{r: rand.New(rand.NewPCG(seed, 5)), last: days*steps - 1} //nolint:gosec // a trace that can be made again, not a secret
	times := make([]int64, days*steps)
	for s := range times {
		times[s] = 1_700_000_000 + int64(s)*3600 + int64(g.r.IntN(300))
	}
	weather := make([]uint64, len(times)) // per mille of the usual rate
	for d := range days {
		w := uint64(700 + g.r.IntN(400))
		if g.r.IntN(12) == 0 {
			w *= 3
		}
		for s := range steps {
			weather[d*steps+s] = w
		}
	}
	for range nodes {
		g.live(0, g.last+1, g.kind(), weather)
	}
	for d := 1; d < days; d++ {
		for range nodes / 60 {
			from := d*steps + g.r.IntN(steps)
			switch k := g.r.IntN(10); {
			case k < 7: // an address that lasts for a day
				g.live(from, from+4+g.r.IntN(21), kind{rate: 200, back: 2}, weather)
			case k < 9:
				g.live(from, from+60+g.r.IntN(600), g.kind(), weather)
			default:
				g.live(from, g.last+1, g.kind(), weather)
			}
		}
	}
	crowd := days/2*steps + 15
	for range nodes / 2 {
		g.live(crowd, crowd+12, kind{rate: 1, back: 1}, weather)
	}
	t, err := NewTrace(times, g.nodes)
	if err != nil {
		panic("calibrate: Generate: " + err.Error()) // its intervals ascend by construction
	}
	return t
}

// kind is how a node behaves: outages in a million hours, and hours until it is back.
type kind struct{ rate, back int }

type generator struct {
	r     *rand.Rand
	last  int
	nodes []Node
}

// kind draws one. Who fails often is back soon, who hardly ever fails stays away for long: how much of the time a node was up
// says little about how often it fails.
func (g *generator) kind() kind {
	switch k := g.r.IntN(100); {
	case k < 55:
		return kind{rate: 100, back: 16}
	case k < 80:
		return kind{rate: 700, back: 8}
	case k < 97:
		return kind{rate: 3000, back: 3}
	default:
		return kind{rate: 25_000, back: 1}
	}
}

// live lets a node come and go from one snapshot to another. What was away a short while ago is away again sooner, and once in a
// few months a node becomes another kind.
func (g *generator) live(from, until int, k kind, weather []uint64) {
	until = min(until, g.last+1)
	n := Node{ID: uint64(len(g.nodes) + 1)}
	came, fresh := from, 0
	for s := from + 1; s < until; s++ {
		rate := uint64(k.rate) * weather[s]
		if fresh > 0 {
			rate *= 6
			fresh--
		}
		if g.r.IntN(3000) == 0 {
			k = g.kind()
		}
		if g.r.Uint64N(1_000_000_000) >= rate {
			continue
		}
		n.Up = append(n.Up, Interval{From: came, Until: s})
		s += 1 + g.r.IntN(2*k.back)
		came, fresh = s, 12
	}
	if came < until {
		n.Up = append(n.Up, Interval{From: came, Until: until})
	}
	if n.Up = slices.Clip(n.Up); len(n.Up) > 0 {
		g.nodes = append(g.nodes, n)
	}
}
