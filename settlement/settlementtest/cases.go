package settlementtest

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/idlegrid/idlegrid/settlement"
)

func (w *world) paysOnce() {
	w.decide(w.pay(w.rig.Ann, 200, "a"), w.pay(w.rig.Bob, 30, "b"), w.pay(w.rig.Ann, 300, "c"))
	w.decide(w.pay(w.rig.Ann, 200, "a"))
	w.drive(10)
	w.drive(2)
	w.totals(w.rig.Token, 530, 0, 0)
	w.holds(w.rig.Token, w.rig.Ann, 500)
	w.holds(w.rig.Token, w.rig.Bob, 30)
	w.holds(w.rig.Token, w.rig.Vault, Endowment-530)
	e := w.only()
	if len(e.Attempts) != 1 || e.Attempts[0].Slot == 0 || e.Attempts[0].Fee == 0 {
		w.Fatalf("attempts %+v, want one with slot and fee", e.Attempts)
	}
	if p, ok := w.recorder.Journal().Payment(settlement.NewIntentID(settlement.Pay, "c")); !ok || p.Tx != e.Attempts[0].Tx.ID {
		w.Fatalf("payment %+v, want one by %q", p, e.Attempts[0].Tx.ID)
	}
}

func (w *world) replyLost() {
	w.mishap(func([]settlement.Tx) Mishap { return ReplyLost })
	w.paysOnce()
	if len(w.trouble) == 0 {
		w.Fatal("a lost reply is trouble, and none was reported")
	}
}

func (w *world) deliveredTwice() {
	w.mishap(func([]settlement.Tx) Mishap { return Twice })
	w.paysOnce()
}

func (w *world) dropped() {
	n, limit := 0, 2*len(w.unlucky) // two sends to each endpoint
	var sent []string
	w.mishap(func(txs []settlement.Tx) Mishap {
		n++
		for _, tx := range txs {
			sent = append(sent, tx.ID+string(tx.Raw))
		}
		if n <= limit {
			return Dropped
		}
		return None
	})
	w.paysOnce()
	if sent = slices.Compact(sent); n != limit+len(w.unlucky) || len(sent) != 1 {
		w.Fatalf("%d sends of %d different attempts, want %d of 1", n, len(sent), limit+len(w.unlucky))
	}
}

// loseFirst drops whatever the first attempt is sent with.
func (w *world) loseFirst() {
	first := ""
	w.mishap(func(txs []settlement.Tx) Mishap {
		if first == "" {
			first = txs[0].ID
		}
		if txs[0].ID == first {
			return Dropped
		}
		return None
	})
}

func (w *world) expired() {
	w.loseFirst()
	w.decide(w.pay(w.rig.Ann, 500, "a"))
	w.drive(10)
	w.totals(w.rig.Token, 500, 0, 0)
	w.holds(w.rig.Token, w.rig.Ann, 500)
	if a := w.only().Attempts; len(a) != 2 || a[0].Outcome != "expired" || a[1].Outcome != "landed" {
		w.Fatalf("attempts %+v, want one expired and one landed", a)
	}
}

// attempt prepares a batch by itself, as a process would whose journal is not ours.
func (w *world) attempt(b settlement.Batch) settlement.Tx {
	w.Helper()
	made, err := w.rig.Chain.Prepare(w.Context(), []settlement.Batch{b})
	if err != nil {
		w.Fatal(err)
	}
	if made[0].Err != nil {
		w.Fatal(made[0].Err)
	}
	return made[0].Tx
}

// send sends an attempt to the first endpoint and waits until it is final.
func (w *world) send(tx settlement.Tx) {
	w.Helper()
	if err := w.rig.Chain.Send(w.Context(), []settlement.Tx{tx}); err != nil {
		w.Fatal(err)
	}
	w.rig.Advance(blocksPerRound)
}

func (w *world) secondAttempt() {
	w.decide(w.pay(w.rig.Ann, 500, "a"))
	b := w.only().Batch
	var attempts []settlement.Attempt
	for range 2 {
		attempts = append(attempts, settlement.Attempt{Marker: b.MarkerID(), Tx: w.attempt(b)})
		w.rig.Advance(2)
	}
	for _, a := range attempts {
		w.send(a.Tx)
	}
	s, err := w.rig.Chain.Look(w.Context(), attempts)
	if err != nil {
		w.Fatal(err)
	}
	if s.Results[0].Sight != settlement.Succeeded || s.Results[1].Sight != settlement.Reverted || !s.Results[1].Failure.Marker {
		w.Fatalf("results %+v, want the second attempt refused by the marker", s.Results)
	}
	w.holds(w.rig.Token, w.rig.Ann, 500)
}

func (w *world) missingAccount() {
	w.decide(w.pay(w.rig.Ann, 500, "a"), w.pay(w.rig.Absent, 70, "b"), w.pay(w.rig.Bob, 30, "c"))
	w.drive(10)
	w.totals(w.rig.Token, 530, 0, 70)
	w.holds(w.rig.Token, w.rig.Ann, 500)
	w.holds(w.rig.Token, w.rig.Bob, 30)
	p, _ := w.recorder.Journal().Payment(settlement.NewIntentID(settlement.Pay, "b"))
	if p.State != settlement.StateRefused || !strings.Contains(p.Reason, string(w.rig.Absent)) || !strings.Contains(p.Reason, "no token account") {
		w.Fatalf("payment %+v, want a refusal that names %q and says that it has no token account", p, w.rig.Absent)
	}
	if len(w.trouble) > 0 {
		w.Fatalf("trouble: %q", w.trouble)
	}
}

func (w *world) senderShort() {
	in := w.pay(w.rig.Ann, Endowment+1, "a")
	other := w.pay(w.rig.Bob, 30, "b")
	other.From = w.rig.Desk
	w.decide(in, other)
	w.drive(6)
	w.totals(w.rig.Token, 30, Endowment+1, 0)
	w.holds(w.rig.Token, w.rig.Ann, 0)
	w.holds(w.rig.Token, w.rig.Bob, 30)
	if len(w.trouble) == 0 || !strings.Contains(w.trouble[0], string(w.rig.Vault)) {
		w.Fatalf("trouble %q, want one that names %q", w.trouble, w.rig.Vault)
	}
}

func (w *world) burn() {
	before := w.rig.Supply(w.rig.Token)
	w.decide(settlement.Intent{
		ID: settlement.NewIntentID(settlement.Burn, "a"), Kind: settlement.Burn, Asset: w.rig.Token, From: w.rig.Vault, Units: 400, Cause: "a",
	})
	w.drive(10)
	w.totals(w.rig.Token, 400, 0, 0)
	w.holds(w.rig.Token, w.rig.Vault, Endowment-400)
	if got := w.rig.Supply(w.rig.Token); got != before-400 {
		w.Fatalf("supply %d, want %d", got, before-400)
	}
}

// conversion is dollars from the treasury to the desk, and tokens from the desk to whom.
func (w *world) conversion(whom settlement.Account) []settlement.Intent {
	leg := func(cause string, a settlement.Asset, from, to settlement.Account, units uint64) settlement.Intent {
		return settlement.Intent{
			ID: settlement.NewIntentID(settlement.Move, cause), Kind: settlement.Move, Asset: a, From: from, To: to, Units: units, Bundle: "lot 1", Cause: cause,
		}
	}
	return []settlement.Intent{
		leg("dollars", w.rig.Dollar, w.rig.Treasury, w.rig.Desk, 250),
		leg("tokens", w.rig.Token, w.rig.Desk, whom, 100),
	}
}

func (w *world) bundleWhole() {
	w.decide(w.conversion(w.rig.Bob)...)
	w.drive(10)
	w.totals(w.rig.Dollar, 250, 0, 0)
	w.totals(w.rig.Token, 100, 0, 0)
	w.holds(w.rig.Dollar, w.rig.Treasury, Endowment-250)
	w.holds(w.rig.Dollar, w.rig.Desk, 250)
	w.holds(w.rig.Token, w.rig.Desk, Endowment-100)
	w.holds(w.rig.Token, w.rig.Bob, 100)
	w.only()
}

func (w *world) bundleRefused() {
	w.decide(w.conversion(w.rig.Absent)...)
	w.drive(10)
	w.totals(w.rig.Dollar, 0, 0, 250)
	w.totals(w.rig.Token, 0, 0, 100)
	w.holds(w.rig.Dollar, w.rig.Treasury, Endowment)
	w.holds(w.rig.Token, w.rig.Desk, Endowment)
}

func (w *world) closedAccount() {
	w.needs("Close", w.rig.Close != nil)
	w.decide(w.pay(w.rig.Ann, 500, "a"), w.pay(w.rig.Bob, 30, "c"))
	w.mishap(func([]settlement.Tx) Mishap { return Dropped })
	w.step(w.payer)
	w.rig.Close(w.rig.Bob)
	w.mishap(func([]settlement.Tx) Mishap { return None })
	w.drive(10)
	w.totals(w.rig.Token, 500, 0, 30)
	w.holds(w.rig.Token, w.rig.Ann, 500)
	if e := w.only(); len(e.Attempts) != 2 || e.Attempts[0].Fee == 0 || e.Batch.Revision != 1 {
		w.Fatalf("%+v, want a failed attempt and one without the line at fault (trouble: %q)", e, w.trouble)
	}
}

func (w *world) swap() {
	w.needs("Swap", w.rig.Swap != nil)
	least := w.rig.Swap(1000)
	in := settlement.Intent{
		ID: settlement.NewIntentID(settlement.Swap, "a"), Kind: settlement.Swap, Asset: w.rig.Token, From: w.rig.Vault, To: w.rig.Treasury,
		Units: 1000, Into: w.rig.Dollar, Least: least, Cause: "a",
	}
	dear := in
	dear.ID, dear.Least = settlement.NewIntentID(settlement.Swap, "b"), 2*least
	w.decide(in, dear)
	w.drive(6)
	w.totals(w.rig.Token, 1000, 1000, 0)
	p, _ := w.recorder.Journal().Payment(in.ID)
	if p.Got < least {
		w.Fatalf("got %d, want %d at least", p.Got, least)
	}
	w.holds(w.rig.Token, w.rig.Vault, Endowment-1000)
	w.holds(w.rig.Dollar, w.rig.Treasury, Endowment+p.Got)
}

// sealed: nobody is left to be paid, and an attempt that carried a line lands no more.
func (w *world) sealed() {
	w.decide(w.pay(w.rig.Absent, 70, "a"))
	b := w.only().Batch
	b.Lines[0].To = w.rig.Ann // an attempt of a process that thought otherwise
	early := w.attempt(b)
	w.drive(10)
	if e := w.only(); e.State != settlement.StateRefused || len(e.Attempts) != 1 || e.Attempts[0].Outcome != "landed" {
		w.Fatalf("%+v, want it refused by a transaction without lines (trouble: %q)", e, w.trouble)
	}
	w.totals(w.rig.Token, 0, 0, 70)
	if err := w.rig.Chain.Send(w.Context(), []settlement.Tx{early}); err == nil {
		w.rig.Advance(blocksPerRound)
	}
	w.holds(w.rig.Token, w.rig.Ann, 0)
	w.holds(w.rig.Token, w.rig.Vault, Endowment)
}

func (w *world) retried() {
	w.needs("Open", w.rig.Open != nil)
	w.decide(w.pay(w.rig.Ann, 500, "a"), w.pay(w.rig.Absent, 70, "b"))
	again := settlement.Retried{Intents: []settlement.IntentID{settlement.NewIntentID(settlement.Pay, "b")}}
	w.step(w.payer)
	if _, err := w.recorder.Apply(w.now, again); !errors.Is(err, settlement.ErrStale) {
		w.Fatalf("error %v, want ErrStale: an attempt that carries the payment could land", err)
	}
	w.drive(10)
	w.totals(w.rig.Token, 500, 0, 70)
	w.rig.Open(w.rig.Absent)
	w.apply(again)
	w.totals(w.rig.Token, 500, 70, 0)
	w.drive(10)
	w.totals(w.rig.Token, 570, 0, 0)
	w.holds(w.rig.Token, w.rig.Ann, 500)
	w.holds(w.rig.Token, w.rig.Absent, 70)
	p, _ := w.recorder.Journal().Payment(again.Intents[0])
	if p.Batch != (settlement.BatchID{Epoch: 1, Lane: settlement.Overflow}) {
		w.Fatalf("paid by batch %s, want the first of the overflow lane", p.Batch)
	}
	if _, err := w.recorder.Apply(w.now, again); !errors.Is(err, settlement.ErrStale) {
		w.Fatalf("error %v, want ErrStale: it is paid", err)
	}
}

func (w *world) poisoned() {
	w.needs("Poison", w.rig.Poison != nil)
	w.decide(w.pay(w.rig.Ann, 500, "a"))
	w.rig.Poison(w.only().Batch.MarkerID())
	w.drive(20)
	w.totals(w.rig.Token, 500, 0, 0)
	w.holds(w.rig.Token, w.rig.Ann, 500)
	e := w.only()
	if last := e.Attempts[len(e.Attempts)-1]; last.Marker != 1 || last.Outcome != "landed" {
		w.Fatalf("%+v, want it paid under its second marker (trouble: %q)", e, w.trouble)
	}
}

func (w *world) reclaimed() {
	w.needs("Rent", w.rig.Rent != nil)
	w.decide(w.pay(w.rig.Ann, 500, "a"))
	w.drive(10)
	w.totals(w.rig.Token, 500, 0, 0)
	w.rig.Advance(200) // no attempt can land any more
	w.step(w.payer)
	w.rig.Advance(blocksPerRound)
	if w.only().Reclaimed || w.rig.Rent() == 0 {
		w.Fatal("the marker went before its time")
	}
	w.now = w.now.Add(time.Hour)
	for range 3 {
		w.step(w.payer)
		w.rig.Advance(blocksPerRound)
	}
	if !w.only().Reclaimed || w.rig.Rent() != 0 {
		w.Fatalf("%d lamports lie in markers, want 0 (trouble: %q)", w.rig.Rent(), w.trouble)
	}
	w.holds(w.rig.Token, w.rig.Ann, 500)
}

func (w *world) forked() {
	w.needs("Fork", w.rig.Fork != nil)
	w.decide(w.pay(w.rig.Ann, 500, "a"))
	w.rig.Advance(3)
	w.step(w.payer)
	w.rig.Advance(2)
	if n := w.rig.Fork(3); n != 3 {
		w.Fatalf("%d blocks dropped, want 3", n)
	}
	w.drive(10)
	w.totals(w.rig.Token, 500, 0, 0)
	w.holds(w.rig.Token, w.rig.Ann, 500)
	w.holds(w.rig.Token, w.rig.Vault, Endowment-500)
}

// quorum: while one endpoint does not answer, nothing is believed.
func (w *world) quorum() {
	w.needs("Second", w.rig.Second != nil)
	w.decide(w.pay(w.rig.Ann, 500, "a"))
	w.unlucky[1].Mute = ErrLost
	w.drive(8)
	if e := w.only(); e.State != settlement.StateSigned || len(e.Attempts) != 1 {
		w.Fatalf("%+v, want it signed once: one endpoint of two is no quorum", e)
	}
	w.holds(w.rig.Token, w.rig.Ann, 500)
	w.unlucky[1].Mute = nil
	w.drive(3)
	w.totals(w.rig.Token, 500, 0, 0)
}
