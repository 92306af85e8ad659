package sched

import (
	"fmt"
	"slices"

	"github.com/idlegrid/idlegrid/gpu"
)

// Verdict says why a device was not chosen for a request, or that it was.
type Verdict struct {
	Device gpu.DeviceID
	Node   NodeID
	// Fails lists every reason that by itself keeps the node from one replica of the request, with what it has and what it would need; of supplier, apart, share,
	// window and custom only the first.
	Fails []Refusal
	// Taken says that the device itself is held now; another device of the node may still do.
	Taken bool
	// Chosen is the node that one replica goes to, empty if it goes nowhere. It is this node where the device's node wins.
	Chosen NodeID
	// Rank is the place of the node among those compared, 1 for the winner; 0 if it does not pass, or comes in the walk after the last one compared.
	Rank, Compared int
	// Lost is the criterion by which it loses to the winner, 0 if it wins or only comes later; Had and Won are what it has and what the winner has, as the
	// criterion measures it.
	Lost     Criterion
	Had, Won int64
	// WinsAtHourMicro is the highest price at which the node would have been chosen; 0 if no price would do it, or it wins.
	WinsAtHourMicro uint64
}

// Why says what speaks against a device for one replica of a request now: the question of a supplier whose card stays idle. The error wraps ErrInvalid or
// is ErrUnknownDevice.
func (f *Fleet) Why(r Request, d gpu.DeviceID) (Verdict, error) {
	return f.why(&r, d, f.rotate, &f.scratch)
}

func (s *state) why(r *Request, d gpu.DeviceID, rotate uint32, sc *scratch) (Verdict, error) {
	if err := s.check(r); err != nil {
		return Verdict{}, err
	}
	i, k, ok := s.ids.device(d)
	if !ok {
		return Verdict{}, fmt.Errorf("%w: %q", ErrUnknownDevice, d)
	}
	out := Verdict{Device: d, Node: s.ids.nodeID(i), Taken: s.index.record(i).free&(1<<k) == 0}
	one := r.clone()
	one.Replicas, one.Spares, one.MinSurvivalPPM = 1, 0, 0
	c := &call{state: s, now: s.now, rotate: rotate, sc: sc}
	from, _ := c.window(one)
	q := s.ask(one, 0, s.now, from, rotate, sc)
	out.Fails = s.fails(&q, i, sc)
	p, found := s.single(&q, sc)
	if !found {
		return out, nil
	}
	winner := p.members[0].node
	out.Chosen, out.Compared = s.ids.nodeID(winner), p.compared
	if winner == i {
		out.Rank = 1
		return out, nil
	}
	if len(out.Fails) > 0 {
		return out, nil
	}
	a, b := s.rankedOf(&q, i, sc), s.rankedOf(&q, winner, sc)
	if d, by := s.compare(&q, &a, &b, sc); d > 0 {
		j := slices.Index(s.policy.Order, by)
		out.Lost, out.Had, out.Won = by, by.shown(a.keys[j]), by.shown(b.keys[j])
	}
	rank, ahead := s.rankAmong(&q, &a, winner, sc)
	out.Rank = rank
	out.WinsAtHourMicro = s.winsAt(&q, &a, &b, ahead, sc)
	return out, nil
}

func (s *state) rankedOf(q *ask, i int32, sc *scratch) (out ranked) {
	s.beyond(q, i, sc, &out.free, &out.m)
	out.m.node = i
	return out
}

// rankAmong counts how many of those compared are better, or as good and earlier; ahead says that the node comes before the winner in the walk.
func (s *state) rankAmong(q *ask, a *ranked, winner int32, sc *scratch) (rank int, ahead bool) {
	rank = 1
	seen, met := 0, false
	w := &sc.walk
	s.walk(&q.query, w, s.cheapestFirst())
	for i := s.next(w); i >= 0; i = s.next(w) {
		other := ranked{}
		if s.beyond(q, i, sc, &other.free, &other.m) != 0 {
			continue
		}
		other.m.node = i
		seen++
		ahead = ahead || met && i == winner
		if i == a.m.node {
			met = true
		} else if d, _ := s.compare(q, &other, a, sc); d < 0 || d == 0 && !met {
			rank++
		}
		if seen == int(s.policy.Candidates) {
			break
		}
	}
	if !met {
		return 0, false
	}
	return rank, ahead
}

// winsAt is the highest price at which a node would beat the winner; of equals the one that is ahead wins.
func (s *state) winsAt(q *ask, a, b *ranked, ahead bool, sc *scratch) uint64 {
	at := slices.Index(s.policy.Order, Cheapest)
	if at < 0 {
		return 0
	}
	for j := range at { // what is decided before the price, no price changes
		if x, y := s.keyAt(q, a, j, sc), s.keyAt(q, b, j, sc); x != y {
			if x < y {
				return uint64(q.hour)
			}
			return 0
		}
	}
	price := s.keyAt(q, b, at, sc)
	for j := at + 1; j < len(s.policy.Order); j++ {
		if x, y := s.keyAt(q, a, j, sc), s.keyAt(q, b, j, sc); x != y {
			if x > y {
				price--
			}
			return uint64(max(price, 0))
		}
	}
	if !ahead {
		price--
	}
	return uint64(max(price, 0))
}

// fails lists every reason that keeps a node from one replica.
func (s *state) fails(q *ask, i int32, sc *scratch) (out []Refusal) {
	rec, row := s.index.record(i), s.index.row(i)
	sh := &s.shapes.list[row.shape]
	cards := int(sh.cards)
	add := func(bad bool, reason Reason, have, need uint64) {
		if bad {
			out = append(out, Refusal{Reason: reason, Nodes: 1, Devices: cards, Have: have, Need: need})
		}
	}
	st := s.nodes.at(i)
	add(!st.present() || st.draining(), ReasonDown, 0, 0)
	model := q.kinds != nil && !slices.Contains(q.kinds, sh.kind)
	small := slices.Contains(q.small, sh.kind)
	add(model && !small, ReasonModel, 0, 0)
	add(small, ReasonMemory, s.kinds.list[sh.kind].memory, q.r.MinMemoryMiB)
	add(q.countries != nil && q.countries[sh.place>>6]&(1<<(sh.place&63)) == 0, ReasonCountry, 0, 0)
	add(sh.connectivity < q.connectivity, ReasonConnectivity, uint64(sh.connectivity), uint64(q.connectivity))
	add(q.compliance&^s.index.compliance(i) != 0, ReasonCompliance, uint64(s.index.compliance(i)), uint64(q.compliance))
	add(s.index.assurance(i) < q.assurance, ReasonAssurance, uint64(s.index.assurance(i)), uint64(q.assurance))
	add(rec.tier() < q.tier, ReasonTier, uint64(rec.tier()), uint64(q.tier))
	add(rec.exactStanding() < q.standing, ReasonStanding, uint64(rec.exactStanding()), uint64(q.standing))
	add(rec.hour > q.hour, ReasonPrice, uint64(rec.hour), uint64(q.hour))
	add(cards < q.gpus, ReasonSize, uint64(cards), uint64(q.gpus))
	if !q.later() {
		free := count(rec.free)
		add(cards >= q.gpus && free < q.gpus && q.share == 0 && q.mig == 0, ReasonCards, uint64(free), uint64(q.gpus))
		add(row.cpu < q.takes.cpu, ReasonCPU, uint64(row.cpu), uint64(q.takes.cpu))
		add(row.ram < q.takes.ram, ReasonRAM, uint64(row.ram), uint64(q.takes.ram))
		add(row.disk < q.takes.disk, ReasonDisk, uint64(row.disk), uint64(q.takes.disk))
	}
	var free room
	var m member
	if reason := s.beyond(q, i, sc, &free, &m); reason != 0 && (reason != ReasonWindow || len(out) == 0) {
		add(true, reason, 0, 0)
	}
	return out
}
