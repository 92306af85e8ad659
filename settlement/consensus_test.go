package settlement_test

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// life is how many blocks an attempt can land in, in the chain of this file, unless a plot says otherwise.
const life = 6

// seeds is how many histories each case plays.
func seeds() uint64 {
	if testing.Short() || raceEnabled {
		return 20
	}
	return 100
}

// ledger is all that a chain guarantees: a marker is made once, by a transaction that is carried whole and in time. It counts
// what each recipient got. It shares nothing with the journal.
type ledger struct {
	height uint64
	made   map[settlement.MarkerID]*landing // for ever: a history
	gone   map[settlement.MarkerID]bool     // reclaimed: it can be made once more
	fate   map[string]string                // of each attempt that is in a block: "landed", "marker" or the bad recipient
	got    map[settlement.Account]uint64
	bad    map[settlement.Account]bool
}

type landing struct {
	tx       string
	slot     uint64
	stranger bool
	lines    []settlement.Line
}

// flight is a signed attempt.
type flight struct {
	tx     settlement.Tx
	marker settlement.MarkerID
	lines  []settlement.Line
}

// land puts an attempt into a block if it is not too late.
func (l *ledger) land(f flight) {
	if _, done := l.fate[f.tx.ID]; done || l.height > f.tx.LastValid {
		return
	}
	if l.made[f.marker] != nil && !l.gone[f.marker] {
		l.fate[f.tx.ID] = "marker"
		return
	}
	for _, x := range f.lines {
		if l.bad[x.To] {
			l.fate[f.tx.ID] = string(x.To)
			return
		}
	}
	l.fate[f.tx.ID] = "landed"
	delete(l.gone, f.marker)
	l.made[f.marker] = &landing{tx: f.tx.ID, slot: l.height, lines: f.lines}
	for _, x := range f.lines {
		l.got[x.To] += x.Units
	}
}

// payer is a journal that works on the ledger, and what it has sent.
type payer struct {
	testing.TB
	*rand.Rand
	name    string
	l       *ledger
	j       *settlement.Journal
	backup  *settlement.Journal
	flights map[string]flight // of all payers
	decided []settlement.Decided
	n       int
	calm    bool // no mishaps any more
	params  settlement.Params
	noticed bool // every loss is noticed
	sleeps  bool // it sleeps for days, and a backup is as old as that
	life    uint64
	stats   map[string]int
}

// now is the time: a block takes a second.
func (p *payer) now() time.Time { return morning.Add(time.Duration(p.l.height) * time.Second) }

// apply applies an event that may be refused for being too early, and never for breaking consensus.
func (p *payer) apply(e settlement.Event) bool {
	_, err := p.j.Apply(p.now(), e)
	if errors.Is(err, settlement.ErrBroken) {
		p.stats["broken"]++
	}
	if errors.Is(err, settlement.ErrUnseen) {
		p.stats["unseen"]++
	}
	if err == nil {
		p.stats[fmt.Sprintf("%T", e)]++
	}
	return err == nil
}

// step does something with every batch that is open.
func (p *payer) step() {
	for _, e := range p.j.Open() {
		if p.IntN(3) == 0 && !p.calm {
			continue
		}
		switch e.State {
		case settlement.StatePlanned:
			if e.Stale(p.now()) && (p.calm || p.IntN(4) > 0) { // else it is the journal that refuses
				p.find(e)
				e, _ = p.j.Batch(e.Batch.ID)
			}
			if e.State == settlement.StatePlanned {
				p.sign(e)
			}
		case settlement.StateSigned, settlement.StateUnsure, settlement.StateMarked:
			p.look(e)
		case settlement.StatePaid, settlement.StateRefused, settlement.StateStuck, settlement.StateWaiting:
			p.Fatalf("batch %s is open and %s", e.Batch.ID, e.State)
		}
	}
	for _, m := range p.j.Probes() {
		p.find(settlement.Entry{Batch: settlement.Batch{ID: m.Batch, Marker: m.N}})
	}
}

func (p *payer) sign(e settlement.Entry) {
	if len(e.Batch.Lines) > 0 {
		if k := p.IntN(len(e.Batch.Lines)); (!p.calm && p.IntN(6) == 0) || p.l.bad[e.Batch.Lines[k].To] {
			p.apply(settlement.Rejected{Batch: e.Batch.ID, Revision: e.Batch.Revision, Faults: fault(k)})
			return
		}
	}
	p.n++
	f := flight{tx(fmt.Sprint(p.name, p.n)), e.Batch.MarkerID(), e.Batch.Lines}
	f.tx.LastValid = p.l.height + p.life
	if !p.apply(settlement.Signed{Batch: e.Batch.ID, Revision: e.Batch.Revision, Tx: f.tx}) {
		return
	}
	p.flights[f.tx.ID] = f
	if p.calm || p.IntN(2) == 0 {
		p.l.land(f)
	}
}

// look tells the journal what has become of an attempt, or who made the marker.
func (p *payer) look(e settlement.Entry) {
	now := seen(p.l.height)
	for _, a := range e.Attempts {
		fate := p.l.fate[a.Tx.ID]
		forgotten := fate != "" && !p.calm && p.IntN(8) == 0 // by all endpoints: a lie that a quorum tells
		switch {
		case fate == "landed" && !forgotten:
			p.apply(settlement.Landed{Batch: e.Batch.ID, Tx: a.Tx.ID, Slot: 1, Witnesses: now})
			return
		case a.Over:
		case fate == "" || forgotten:
			if p.l.height > a.Tx.LastValid && (forgotten || p.l.made[e.Batch.MarkerID()] == nil) {
				p.apply(settlement.Expired{Batch: e.Batch.ID, Tx: a.Tx.ID, Witnesses: now})
				return
			}
		case fate == "marker":
			p.apply(settlement.Failed{Batch: e.Batch.ID, Tx: a.Tx.ID, Failure: settlement.Failure{Marker: true, Reason: fate}, Witnesses: now})
			return
		default:
			at := slices.IndexFunc(e.Batch.Lines, func(l settlement.Line) bool { return string(l.To) == fate })
			p.apply(settlement.Failed{Batch: e.Batch.ID, Tx: a.Tx.ID, Failure: settlement.Failure{Faults: fault(at), Reason: fate}, Witnesses: now})
			return
		}
	}
	p.find(e)
}

// find tells the journal who made the marker. The chain knows neither intents nor kinds.
func (p *payer) find(e settlement.Entry) {
	m, now := e.Batch.MarkerID(), seen(p.l.height)
	made := p.l.made[m]
	switch {
	case made == nil:
		if e.State == settlement.StateUnsure || e.State == settlement.StatePlanned || e.State == 0 {
			p.apply(settlement.Absent{Marker: m, Witnesses: now})
		}
	case made.stranger:
		p.apply(settlement.Poisoned{Marker: m, Tx: made.tx, Slot: made.slot, Witnesses: now})
	default:
		found := settlement.Found{Marker: m, Tx: made.tx, Slot: made.slot, Witnesses: now}
		for _, l := range made.lines {
			l.Intents, l.Kind = nil, settlement.Move
			found.Lines = append(found.Lines, l)
		}
		p.apply(found)
	}
}

// reclaim takes back what the journal says may be taken.
func (p *payer) reclaim() {
	for _, m := range p.j.Reclaimable(p.now(), p.l.height) {
		if p.apply(settlement.Reclaimed{Markers: []settlement.MarkerID{m}, Witnesses: seen(p.l.height)}) {
			p.l.gone[m] = true
		}
	}
}

// retry orders some refused intents again, in any order.
func (p *payer) retry() {
	for x := range p.j.Payments() {
		if x.State == settlement.StateRefused && (p.calm || p.IntN(3) == 0) {
			p.apply(settlement.Retried{MaxLines: uint16(p.IntN(3)), Intents: []settlement.IntentID{x.Intent.ID}})
		}
	}
}

// lose loses the journal: all of it, or its end. If it is noticed, Recovering is given first; otherwise the payer goes on as if
// nothing had been.
func (p *payer) lose() {
	noticed := p.noticed || p.IntN(2) == 0
	p.j = p.backup
	if p.IntN(3) == 0 && (noticed || !p.sleeps) { // a decision that comes twice is held new if it is not known
		var err error
		p.j, err = settlement.NewJournal(p.params)
		require.NoError(p, err)
	}
	p.keep()
	p.stats["lost"]++
	if noticed {
		p.apply(settlement.Recovering{LastValid: p.l.height + p.life})
	}
	for _, d := range p.decided {
		p.apply(d)
	}
	if p.sleeps {
		p.keep()
	}
}

func (p *payer) keep() {
	back, err := settlement.Restore(p.params, p.j.Snapshot())
	require.NoError(p, err)
	p.backup = back
}

// poison has a stranger fund the marker of a batch that is signed, if it is in time.
func (p *payer) poison() {
	for _, e := range p.j.Open() {
		if m := e.Batch.MarkerID(); p.l.made[m] == nil && m.N < 3 && p.IntN(8) == 0 {
			p.l.made[m] = &landing{tx: "stranger", slot: p.l.height, stranger: true}
			p.stats["strangers"]++
		}
	}
}

// plot is what a history is about.
type plot struct {
	payers  []string
	reclaim uint64 // seconds
	sleeps  bool   // payers sleep for days, while the others go on
	life    uint64 // blocks in which an attempt can land; 0: life
	naive   bool   // they sleep with a journal that does not know that anybody reclaims
}

// play lets payers with a journal each work on one plan over one ledger, with all that can go wrong, and then calmly. It says what
// is wrong in the end, and nothing if each recipient has got what is owed and each journal knows it.
func (x plot) play(t testing.TB, seed uint64, stats map[string]int) string {
	r := rand.New(rand.NewPCG(seed, 11))
	l := &ledger{
		height: 1, made: map[settlement.MarkerID]*landing{}, gone: map[settlement.MarkerID]bool{}, fate: map[string]string{}, got: map[settlement.Account]uint64{},
		bad: map[settlement.Account]bool{"acc1": true, "acc4": true},
	}
	flights := map[string]flight{}
	payers := []*payer{}
	for i, name := range x.payers {
		p := params()
		if p.ReclaimAfterSeconds = x.reclaim; x.naive && i > 0 {
			p.ReclaimAfterSeconds = 0
		}
		j, err := settlement.NewJournal(p)
		require.NoError(t, err)
		payers = append(payers, &payer{
			TB: t, Rand: r, name: name, l: l, j: j, flights: flights, stats: stats, params: p, noticed: x.reclaim > 0 && !x.sleeps, sleeps: x.sleeps, life: cmp.Or(x.life, life),
		})
		payers[i].keep()
	}
	owed := decide(r, seed, payers)
	if x.sleeps {
		for _, p := range payers {
			p.keep()
		}
	}
	asleep, wakes := -1, 0
	for round := range 120 {
		n := r.IntN(len(payers))
		if x.sleeps && n == 1 && asleep < 0 && r.IntN(8) == 0 {
			asleep, wakes = n, round+10+r.IntN(60)
			stats["sleeps"]++
		}
		if n == asleep {
			n = 0
		}
		p := payers[n]
		p.step()
		mishap(p)
		for _, id := range slices.Sorted(maps.Keys(flights)) {
			if r.IntN(9) == 0 { // late, or once more
				l.land(flights[id])
			}
		}
		p.reclaim()
		l.height += uint64(r.IntN(3))
		if asleep >= 0 {
			l.height += uint64(r.IntN(3)) * x.reclaim / 8
		}
		if asleep >= 0 && round == wakes {
			asleep = -1
			l.height += 3 * 24 * 3600
		}
		require.NoError(t, p.j.Audit(), "round %d", round)
	}
	x.calm(l, payers, asleep)
	return x.settled(t, seed, l, payers, owed)
}

// calm lets all come to an end. Who sleeps wakes up when the others have finished and reclaimed.
func (x plot) calm(l *ledger, payers []*payer, asleep int) {
	l.bad = nil
	for i := range 400 {
		open := 0
		for n, p := range payers {
			if n == asleep && i < 100 {
				open++
				continue
			}
			p.calm = true
			p.step()
			p.retry()
			if x.sleeps {
				p.reclaim()
			}
			l.height++
			open += len(p.j.Open()) + len(p.j.Probes()) + int(p.j.Totals(io).Refused)
		}
		if open == 0 {
			break
		}
	}
}

// settled compares what each recipient has got, and what each journal says of it, with what was owed.
func (x plot) settled(t testing.TB, seed uint64, l *ledger, payers []*payer, owed map[settlement.Account]uint64) string {
	if !maps.Equal(owed, l.got) {
		return fmt.Sprintf("seed %d: owed %v, got %v", seed, owed, l.got)
	}
	for _, p := range payers {
		require.NoError(t, p.j.Audit())
		if b := p.j.Totals(io); b.Decided != b.Paid {
			return fmt.Sprintf("seed %d: payer %s: %+v", seed, p.name, b)
		}
		for x := range p.j.Payments() {
			if l.fate[x.Tx] != "landed" {
				return fmt.Sprintf("seed %d: payer %s says that %q paid %q", seed, p.name, x.Tx, x.Intent.To)
			}
		}
	}
	return ""
}

// decide hands the same intents to all payers, and returns what each recipient is owed.
func decide(r *rand.Rand, seed uint64, payers []*payer) map[settlement.Account]uint64 {
	owed := map[settlement.Account]uint64{}
	for k := range 3 {
		d := settlement.Decided{Epoch: tokenomics.Epoch(k%2 + 1)}
		for i := range 1 + r.IntN(7) {
			in := pay(settlement.Account(fmt.Sprint("acc", r.IntN(6))), uint64(1+r.IntN(2)), fmt.Sprint(seed, k, i))
			if r.IntN(4) == 0 {
				in.Bundle = fmt.Sprint("lot", k)
				in.To = settlement.Account(fmt.Sprint("acc", i%3))
				in.Units += 10 // what a bundle carries is no single line's, or the chain might not tell them apart
			}
			d.Intents = append(d.Intents, in)
			owed[in.To] += in.Units
		}
		for _, p := range payers {
			p.decided = append(p.decided, d)
			require.True(p, p.apply(d))
		}
	}
	return owed
}

// mishap is something that happens beside the work.
func mishap(p *payer) {
	switch p.IntN(12) {
	case 0:
		p.retry()
	case 1:
		p.poison()
	case 2:
		p.keep()
	case 3:
		if p.IntN(3) == 0 {
			p.lose()
		}
	case 4:
		p.l.bad = map[settlement.Account]bool{settlement.Account(fmt.Sprint("acc", p.IntN(6))): true}
	}
}

// TestConsensus: journals lost as a whole or in part and unnoticed, strangers, endpoints that forget, late attempts, bad
// recipients, retries in different orders. Each recipient gets what is owed, to the base unit, and each journal knows it in the
// end. (Two lines of one epoch that pay one recipient the same are one to the chain: the journals may differ in which came first.)
func TestConsensus(t *testing.T) {
	for _, row := range []struct {
		name string
		plot plot
		also []string // what has to have happened, besides
	}{
		{"two payers", plot{payers: []string{"p", "q"}}, nil},
		{"one payer who reclaims as soon as the evidence is there", plot{payers: []string{"p"}, reclaim: 1}, []string{"settlement.Reclaimed", "unseen"}},
		{"one of two sleeps for days, with whatever journal it had, and the other one reclaims", sleepers, []string{"settlement.Reclaimed", "unseen", "sleeps"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			stats := map[string]int{}
			for seed := range seeds() {
				require.Empty(t, row.plot.play(t, seed, stats))
			}
			require.Zero(t, stats["broken"])
			for _, k := range append([]string{
				"lost", "strangers", "settlement.Found", "settlement.Poisoned", "settlement.Absent", "settlement.Retried", "settlement.Failed", "settlement.Landed", "settlement.Expired",
			}, row.also...) {
				require.Greater(t, stats[k], int(seeds()/3), "%s: %v", k, stats)
			}
			t.Log(stats)
		})
	}
}

// sleepers reclaim after more than twice the life of an attempt, which is what makes sleeping harmless.
var sleepers = plot{payers: []string{"p", "q"}, reclaim: 2*life + 2, sleeps: true}

// TestConsensusControl is why ReclaimAfterSeconds has a rule, and why it is long: two payers pay twice if the one that sleeps does
// not know that the other one reclaims, and if an attempt can live longer than half of it. A ledger on which nothing can go
// wrong would prove nothing.
func TestConsensusControl(t *testing.T) {
	naive, short := sleepers, sleepers
	naive.naive, short.reclaim, short.life = true, 1, 20*life
	for _, row := range []struct {
		name  string
		plot  plot
		seeds uint64
		least int // so many have to go wrong
	}{
		{"no rule", naive, seeds(), int(seeds() / 2)},
		{"too short", short, 15, 1}, // they are long
	} {
		t.Run(row.name, func(t *testing.T) {
			wrong, stats := 0, map[string]int{}
			for seed := range row.seeds {
				if row.plot.play(t, seed, stats) != "" {
					wrong++
				}
			}
			require.GreaterOrEqual(t, wrong, row.least)
			t.Logf("%d of %d histories paid wrongly", wrong, row.seeds)
		})
	}
}

func FuzzConsensus(f *testing.F) {
	f.Add(uint64(1000), false)
	f.Fuzz(func(t *testing.T, seed uint64, one bool) {
		if one {
			require.Empty(t, plot{payers: []string{"p"}, reclaim: 1}.play(t, seed, map[string]int{}))
			return
		}
		require.Empty(t, plot{payers: []string{"p", "q"}}.play(t, seed, map[string]int{}))
		require.Empty(t, sleepers.play(t, seed, map[string]int{}))
	})
}
