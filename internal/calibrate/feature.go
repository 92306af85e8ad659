package calibrate

import (
	"slices"
	"time"
)

// Feature is what a record says of a node at an evaluation, in real numbers. It is what parameters are fitted to and what
// baselines look at; predictions of the score come from a reputation.Book.
type Feature struct {
	Outages  perMemory // E, decayed outages, for each half-life
	Up       perMemory // U, decayed hours up
	Watched  perMemory // decayed hours observed
	Run      float64   // hours since the node came up
	Observed float64   // hours since it was first seen
	Life     float64   // hours up since it was first seen
	Marks    int       // outages since it was first seen
}

// perMemory has a number for each half-life: at most four, in place, since there are a million of them.
type perMemory [4]float64

// Features are those of all cases: At[e][c] belongs to evals[e].Cases[c].
type Features struct {
	HalfLives []time.Duration
	At        [][]Feature
}

// Features replays every node from its first snapshot and looks at it at each evaluation, before anything later. There are at
// most four half-lives.
func (t *Trace) Features(evals []Evaluation, halfLives []time.Duration) Features {
	out := Features{HalfLives: halfLives, At: make([][]Feature, len(evals))}
	marks := make([][]int, len(t.Nodes)) // the evaluations at which a node is a case
	at := make([][]int, len(t.Nodes))
	for e, ev := range evals {
		out.At[e] = make([]Feature, len(ev.Cases))
		for c, v := range ev.Cases {
			marks[v.Node], at[v.Node] = append(marks[v.Node], e), append(at[v.Node], c)
		}
	}
	var gaps []int
	for s := 1; s < len(t.Times); s++ {
		if t.Times[s]-t.Times[s-1] > Gap {
			gaps = append(gaps, s)
		}
	}
	w := newWalker(t, halfLives)
	for i := range t.Nodes {
		if len(marks[i]) == 0 {
			continue
		}
		w.start(&t.Nodes[i], gaps)
		for k, e := range marks[i] {
			w.walk(evals[e].Now)
			out.At[e][at[i][k]] = w.feature()
		}
	}
	return out
}

// walker carries one node through the snapshots.
type walker struct {
	t          *Trace
	halfLives  []time.Duration
	rates      []float64 // half-lives in an hour
	node       *Node
	gaps       []int // snapshots that follow a gap, those still ahead
	now, came  int   // snapshots
	interval   int   // of node.Up, the one at or before now
	e, u, seen perMemory
	life       int64 // twice the seconds up, so that half a step is a whole number
	marks      int
	kept       map[int64][]float64 // 2^(-dt/h) for each half-life, by seconds
}

func newWalker(t *Trace, halfLives []time.Duration) *walker {
	w := &walker{t: t, halfLives: halfLives, kept: map[int64][]float64{}}
	for _, h := range halfLives {
		w.rates = append(w.rates, 1/h.Hours())
	}
	return w
}

func (w *walker) start(n *Node, gaps []int) {
	w.node, w.now, w.came, w.interval, w.life, w.marks = n, n.Up[0].From, n.Up[0].From, 0, 0, 0
	from, _ := slices.BinarySearch(gaps, w.now+1)
	w.gaps = gaps[from:]
	w.e, w.u, w.seen = perMemory{}, perMemory{}, perMemory{}
}

// walk goes on to a snapshot in steps that end at changes and around gaps.
func (w *walker) walk(to int) {
	for w.now < to {
		v := w.node.Up[w.interval]
		up, change := w.now < v.Until, v.Until // the next snapshot at which the node is seen in the other state
		if !up {
			change = len(w.t.Times)
			if w.interval+1 < len(w.node.Up) {
				change = w.node.Up[w.interval+1].From
			}
		}
		for len(w.gaps) > 0 && w.gaps[0] <= w.now {
			w.gaps = w.gaps[1:]
		}
		gap := len(w.t.Times)
		if len(w.gaps) > 0 {
			gap = w.gaps[0]
		}
		if rest := min(to, change-1, gap-1); rest > w.now { // nothing happens until there
			w.pass(rest, share(up))
			continue
		}
		next := w.now + 1
		switch {
		case next == gap:
			w.pass(next, unseen)
		case next == change:
			w.pass(next, changed)
		default:
			w.pass(next, share(up))
		}
		if next != change {
			continue
		}
		if up && next != gap {
			w.marks++
			for k := range w.rates {
				w.e[k]++
			}
		}
		if !up {
			w.interval++
			w.came = next
		}
	}
}

const (
	unseen  = -1
	changed = 0.5 // somewhere in between
)

func share(up bool) float64 {
	if up {
		return 1
	}
	return 0
}

// pass lets the time to a snapshot pass, of which a share was up.
func (w *walker) pass(to int, up float64) {
	dt := w.t.Times[to] - w.t.Times[w.now]
	w.now = to
	if up > 0 {
		w.life += int64(2*up) * dt
	}
	kept := w.decay(dt)
	for k, q := range kept {
		w.e[k] *= q
		w.u[k] *= q
		w.seen[k] *= q
		if up == unseen {
			continue
		}
		gain := (1 - q) / float64(w.rates[k]*ln2)
		w.seen[k] += gain
		w.u[k] += float64(gain * up)
	}
}

const ln2 = 0.693147180559945309417

// decay is 2^(-dt/h) for each half-life. Most steps are distances that occur again and again.
func (w *walker) decay(dt int64) []float64 {
	if q, ok := w.kept[dt]; ok {
		return q
	}
	q := make([]float64, len(w.rates))
	for k, r := range w.rates {
		q[k] = exp(-float64(float64(dt)/3600*r) * ln2)
	}
	if len(w.kept) < 1<<18 {
		w.kept[dt] = q
	}
	return q
}

func (w *walker) feature() Feature {
	t := w.t
	return Feature{
		Outages: w.e, Up: w.u, Watched: w.seen,
		Run:      float64(t.Times[w.now]-t.Times[w.came]) / 3600,
		Observed: float64(t.observed[w.now]-t.observed[w.node.Up[0].From]) / 3600,
		Life:     float64(w.life) / 7200, Marks: w.marks,
	}
}
