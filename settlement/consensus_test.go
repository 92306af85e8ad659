package settlement_test

import (
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

// life is how many blocks an attempt can land in, in the chain of this file.
const life = 6

// ledger is all that a chain guarantees: a marker is made once, by a transaction that is carried whole and in time. It counts
// what each recipient got. It shares nothing with the journal.
type ledger struct {
	height uint64
	made   map[settlement.MarkerID]*landing // nil lines: a stranger's
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
	if l.made[f.marker] != nil {
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
	stats   map[string]int
}

// apply applies an event that may be refused for being too early, and never for breaking consensus.
func (p *payer) apply(e settlement.Event) bool {
	_, err := p.j.Apply(morning.Add(time.Duration(p.l.height)*time.Second), e)
	require.NotErrorIs(p, err, settlement.ErrBroken)
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
			p.sign(e)
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
	f.tx.LastValid = p.l.height + life
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
		if e.State == settlement.StateUnsure || e.State == 0 {
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

// retry orders some refused intents again, in any order.
func (p *payer) retry() {
	for x := range p.j.Payments() {
		if x.State == settlement.StateRefused && (p.calm || p.IntN(3) == 0) {
			p.apply(settlement.Retried{MaxLines: uint16(p.IntN(3)), Intents: []settlement.IntentID{x.Intent.ID}})
		}
	}
}

// lose loses the journal: all of it, or its end. With order, somebody notices and gives Recovering first; without, an older
// backup is used as if nothing had been.
func (p *payer) lose() {
	order := true
	switch p.IntN(3) {
	case 0:
		p.j = newJournal(p)
	case 1:
		order = false
		fallthrough
	default:
		back, err := settlement.Restore(params(), p.backup.Snapshot())
		require.NoError(p, err)
		p.j = back
	}
	p.stats["lost"]++
	if order {
		p.apply(settlement.Recovering{LastValid: p.l.height + life})
	}
	for _, d := range p.decided {
		p.apply(d)
	}
}

func (p *payer) keep() {
	back, err := settlement.Restore(params(), p.j.Snapshot())
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

// consensus lets two payers with a journal each work on one plan over one ledger, with all that can go wrong, and then calmly.
func consensus(t testing.TB, seed uint64, stats map[string]int) {
	r := rand.New(rand.NewPCG(seed, 11))
	l := &ledger{
		height: 1, made: map[settlement.MarkerID]*landing{}, fate: map[string]string{}, got: map[settlement.Account]uint64{},
		bad: map[settlement.Account]bool{"acc1": true, "acc4": true},
	}
	flights := map[string]flight{}
	payers := []*payer{}
	for _, name := range []string{"p", "q"} {
		p := &payer{TB: t, Rand: r, name: name, l: l, j: newJournal(t), flights: flights, stats: stats}
		p.keep()
		payers = append(payers, p)
	}
	var all []settlement.Intent
	for k := range 3 {
		d := settlement.Decided{Epoch: tokenomics.Epoch(k%2 + 1)}
		for i := range 1 + r.IntN(7) {
			in := pay(settlement.Account(fmt.Sprint("acc", r.IntN(6))), uint64(1+r.IntN(2)), fmt.Sprint(seed, k, i))
			if r.IntN(4) == 0 {
				in.Bundle = fmt.Sprint("lot", k)
				in.To = settlement.Account(fmt.Sprint("acc", i%3))
			}
			d.Intents = append(d.Intents, in)
		}
		all = append(all, d.Intents...)
		for _, p := range payers {
			p.decided = append(p.decided, d)
			require.True(t, p.apply(d))
		}
	}
	for round := range 120 {
		p := payers[r.IntN(2)]
		p.step()
		switch r.IntN(12) {
		case 0:
			p.retry()
		case 1:
			p.poison()
		case 2:
			p.keep()
		case 3:
			if r.IntN(3) == 0 {
				p.lose()
			}
		case 4:
			l.bad = map[settlement.Account]bool{settlement.Account(fmt.Sprint("acc", r.IntN(6))): true}
		}
		for _, id := range slices.Sorted(maps.Keys(flights)) {
			if r.IntN(9) == 0 { // late, or once more
				l.land(flights[id])
			}
		}
		l.height += uint64(r.IntN(3))
		require.NoError(t, p.j.Audit(), "round %d", round)
	}
	l.bad = nil
	for range 400 {
		open := 0
		for _, p := range payers {
			p.calm = true
			p.step()
			p.retry()
			l.height++
			open += len(p.j.Open()) + len(p.j.Probes())
			if b := p.j.Totals(io); b.Refused > 0 {
				open++
			}
		}
		if open == 0 {
			break
		}
	}
	owed := map[settlement.Account]uint64{}
	for _, in := range all {
		owed[in.To] += in.Units
	}
	require.Equal(t, owed, l.got, "seed %d: to the base unit", seed)
	for _, p := range payers {
		require.NoError(t, p.j.Audit())
		b := p.j.Totals(io)
		require.Equal(t, b.Decided, b.Paid, "seed %d: payer %s: %+v", seed, p.name, b)
		for x := range p.j.Payments() { // and each journal says of the same transaction that it paid
			e, ok := p.j.Batch(x.Batch)
			require.True(t, ok)
			require.Equal(t, "landed", l.fate[x.Tx], "seed %d: %s", seed, e.Batch.ID)
		}
	}
}

// TestConsensus: two payers, journals lost as a whole or in part, strangers, endpoints that forget, late attempts, bad
// recipients, retries in different orders. Each recipient gets what is owed, to the base unit, and each journal knows it in the
// end. (Two lines of one epoch that pay one recipient the same are one to the chain: the journals may differ in which came first.)
func TestConsensus(t *testing.T) {
	stats := map[string]int{}
	for seed := range uint64(200) {
		consensus(t, seed, stats)
	}
	for _, k := range []string{"lost", "strangers", "settlement.Found", "settlement.Poisoned", "settlement.Absent", "settlement.Retried", "settlement.Failed", "settlement.Landed", "settlement.Expired"} {
		require.Greater(t, stats[k], 50, "%s: %v", k, stats)
	}
	t.Log(stats)
}

func FuzzConsensus(f *testing.F) {
	f.Add(uint64(1000))
	f.Fuzz(func(t *testing.T, seed uint64) { consensus(t, seed, map[string]int{}) })
}
