package settlementtest

import (
	"github.com/idlegrid/idlegrid/settlement"
)

// finders counts the endpoints that can find who made a marker.
func (w *world) finders() (n int) {
	for _, c := range w.rig.chains() {
		if _, ok := c.(settlement.Finder); ok {
			n++
		}
	}
	return n
}

// lose starts with an empty journal and recovers it as far as Recover goes.
func (w *world) lose() {
	w.Helper()
	w.payer = w.open(&Store{}, w.endpoints()...)
	if err := w.runner.Recover(w.Context(), w.now, 0); err != nil {
		w.Fatal(err)
	}
}

// found ends the recovery, after which everything must be as it was.
func (w *world) found() {
	w.Helper()
	w.drive(12)
	if j := w.recorder.Journal(); len(j.Open()) > 0 || len(j.Probes()) > 0 {
		w.Fatalf("%d batches open, %d probes (trouble: %q)", len(j.Open()), len(j.Probes()), w.trouble)
	}
	w.apply(settlement.Recovering{})
}

// lostAfter loses the journal of a payment, a refusal and a retry, and goes on.
func (w *world) lostAfter() {
	w.needs("Finder", w.finders() > 0)
	decided := []settlement.Intent{w.pay(w.rig.Ann, 500, "a"), w.pay(w.rig.Absent, 70, "b")}
	w.decide(decided...)
	w.drive(10)
	paid, refused := uint64(500), uint64(70)
	if w.rig.Open != nil {
		w.rig.Open(w.rig.Absent)
		w.apply(settlement.Retried{Intents: []settlement.IntentID{decided[1].ID}})
		w.drive(10)
		paid, refused = 570, 0
	}
	w.totals(w.rig.Token, paid, 0, refused)
	before, _ := w.recorder.Journal().Payment(decided[0].ID)

	w.lose()
	w.decide(decided...)
	w.found()
	w.totals(w.rig.Token, paid, 0, refused)
	after, _ := w.recorder.Journal().Payment(decided[0].ID)
	if before.Tx != after.Tx || before.Slot != after.Slot || before.Batch != after.Batch {
		w.Fatalf("%+v, want %+v", after, before)
	}
	w.decide(w.pay(w.rig.Bob, 30, "c"))
	w.drive(10)
	w.totals(w.rig.Token, paid+30, 0, refused)
	w.holds(w.rig.Token, w.rig.Ann, 500)
	w.holds(w.rig.Token, w.rig.Bob, 30)
	w.holds(w.rig.Token, w.rig.Vault, Endowment-paid-30)
}

// lostOnTheWay loses the journal while an attempt is signed and nobody knows whether it was sent. It comes after the recovery
// has begun.
func (w *world) lostOnTheWay() {
	w.needs("Finder", w.finders() > 0)
	w.decide(w.pay(w.rig.Ann, 500, "a"))
	late := w.attempt(w.only().Batch)
	w.lose()
	w.decide(w.pay(w.rig.Ann, 500, "a"))
	w.step(w.payer)
	w.totals(w.rig.Token, 0, 500, 0)
	w.send(late)
	w.found()
	w.totals(w.rig.Token, 500, 0, 0)
	w.holds(w.rig.Token, w.rig.Ann, 500)
	w.holds(w.rig.Token, w.rig.Vault, Endowment-500)
	if a := w.only().Attempts; len(a) != 1 || a[0].Tx.ID != late.ID {
		w.Fatalf("attempts %+v, want %q alone", a, late.ID)
	}
}

// lostBefore loses the journal while an attempt is signed that is never sent: the batch is paid when that one is dead.
func (w *world) lostBefore() {
	w.needs("Finder", w.finders() > 0)
	w.decide(w.pay(w.rig.Ann, 500, "a"))
	never := w.attempt(w.only().Batch)
	w.lose()
	w.decide(w.pay(w.rig.Ann, 500, "a"))
	w.step(w.payer)
	if w.only().State != settlement.StateUnsure {
		w.Fatalf("batch is %s, want it unsure while %q can land", w.only().State, never.ID)
	}
	w.found()
	w.totals(w.rig.Token, 500, 0, 0)
	w.holds(w.rig.Token, w.rig.Ann, 500)
	_ = w.rig.Chain.Send(w.Context(), []settlement.Tx{never}) // too late, whatever is answered
	w.rig.Advance(blocksPerRound)
	w.holds(w.rig.Token, w.rig.Ann, 500)
}

// race lets two payers who do not know each other pay the same.
func (w *world) race() {
	w.needs("Finder", w.finders() > 0)
	decided := []settlement.Intent{w.pay(w.rig.Ann, 500, "a"), w.pay(w.rig.Bob, 30, "b")}
	payers := []payer{w.payer, w.open(&Store{}, w.rig.chains()...)}
	for _, p := range payers {
		w.payer = p
		w.decide(decided...)
	}
	for range 10 {
		for _, p := range payers {
			w.step(p)
			w.rig.Advance(2)
		}
		w.rig.Advance(blocksPerRound)
	}
	for _, p := range payers {
		w.payer = p
		w.totals(w.rig.Token, 530, 0, 0)
	}
	w.holds(w.rig.Token, w.rig.Ann, 500)
	w.holds(w.rig.Token, w.rig.Bob, 30)
	w.holds(w.rig.Token, w.rig.Vault, Endowment-530)
}

// raceApart is a race in which one payer has refused a line that the other one carries: whoever lands first is right.
func (w *world) raceApart() {
	w.needs("Finder", w.finders() > 0)
	w.needs("Open", w.rig.Open != nil)
	decided := []settlement.Intent{w.pay(w.rig.Ann, 500, "a"), w.pay(w.rig.Absent, 70, "b")}
	w.mishap(func([]settlement.Tx) Mishap { return Dropped })
	w.decide(decided...)
	w.step(w.payer) // refuses the line
	w.step(w.payer) // signs the rest, which gets lost
	w.totals(w.rig.Token, 0, 500, 70)
	w.rig.Open(w.rig.Absent)
	slow := w.payer
	w.payer = w.open(&Store{}, w.rig.chains()...)
	w.decide(decided...)
	w.drive(10)
	w.totals(w.rig.Token, 570, 0, 0)

	w.mishap(func([]settlement.Tx) Mishap { return None })
	w.payer = slow
	w.drive(10)
	w.totals(w.rig.Token, 570, 0, 0)
	w.holds(w.rig.Token, w.rig.Ann, 500)
	w.holds(w.rig.Token, w.rig.Absent, 70)
	w.holds(w.rig.Token, w.rig.Vault, Endowment-570)
}
