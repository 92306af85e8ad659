package settlementtest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/idlegrid/idlegrid/settlement"
)

// Endowment is what a rig's rich accounts hold, in base units.
const Endowment = 1_000_000

// blocksPerRound is enough for a block to become final, on Solana and in Memory.
const blocksPerRound = 40

// Rig is a chain under test, with accounts on it. What it holds at the beginning is final.
type Rig struct {
	Chain  settlement.Chain
	Token  settlement.Asset // of 8 decimals
	Dollar settlement.Asset // of 6 decimals

	Vault    settlement.Account // holds Endowment of Token; the chain can sign for it
	Desk     settlement.Account // holds Endowment of Token and no Dollar, in an account; the chain can sign for it
	Treasury settlement.Account // holds Endowment of Dollar; the chain can sign for it
	Ann, Bob settlement.Account // hold no Token, in an account each
	Absent   settlement.Account // has no account for anything

	Advance func(blocks int)                                          // adds blocks
	Balance func(a settlement.Asset, owner settlement.Account) uint64 // as of the newest final block, 0 without an account
	Supply  func(a settlement.Asset) uint64                           // as of the newest final block
}

// Exercise tests a chain: newRig makes a fresh rig for each case.
func Exercise(t *testing.T, newRig func(t *testing.T) Rig) {
	t.Helper()
	for _, c := range []struct {
		name string
		run  func(w *world)
	}{
		{"pays once", (*world).paysOnce},
		{"reply lost", (*world).replyLost},
		{"delivered twice", (*world).deliveredTwice},
		{"dropped, then the same bytes again", (*world).dropped},
		{"expired, then another attempt", (*world).expired},
		{"second attempt refused", (*world).secondAttempt},
		{"recipient without an account", (*world).missingAccount},
		{"sender short", (*world).senderShort},
		{"burn", (*world).burn},
		{"bundle carried whole", (*world).bundleWhole},
		{"bundle refused whole", (*world).bundleRefused},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(newWorld(t, newRig(t))) })
	}
	t.Run("crash anywhere", func(t *testing.T) { crashAnywhere(t, newRig) })
}

// world is a rig with a journal and a runner.
type world struct {
	*testing.T
	rig      Rig
	unlucky  *Unlucky
	recorder *settlement.Recorder
	runner   settlement.Runner
	now      time.Time
	trouble  []string
}

func newWorld(t *testing.T, rig Rig) *world {
	t.Helper()
	w := &world{T: t, rig: rig, now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	w.unlucky = &Unlucky{rig.Chain, func(settlement.Tx) Mishap { return None }}
	w.open(&Store{}, w.unlucky)
	return w
}

// open starts a recorder and a runner on what the store holds.
func (w *world) open(s settlement.Store, c settlement.Chain) {
	w.Helper()
	params := settlement.Params{Version: "exercise", MaxLines: 10, Assets: []settlement.Asset{w.rig.Token, w.rig.Dollar}}
	r, err := settlement.NewRecorder(params, s)
	if err != nil {
		w.Fatal(err)
	}
	w.recorder = r
	w.runner = settlement.Runner{Chain: c, Open: r.Journal().Open, Apply: r.Apply}
}

// pay returns an intent to pay Token from the vault.
func (w *world) pay(to settlement.Account, units uint64, cause string) settlement.Intent {
	return settlement.Intent{
		ID: settlement.NewIntentID(settlement.Pay, cause), Kind: settlement.Pay, Asset: w.rig.Token, From: w.rig.Vault, To: to, Units: units, Cause: cause,
	}
}

func (w *world) decide(in ...settlement.Intent) {
	w.Helper()
	if _, err := w.recorder.Apply(w.now, settlement.Decided{Epoch: 1, Intents: in}); err != nil {
		w.Fatal(err)
	}
}

// drive makes rounds until nothing is open, at most n.
func (w *world) drive(n int) {
	w.Helper()
	for range n {
		w.now = w.now.Add(time.Minute)
		if _, err := w.runner.Step(w.Context(), w.now); err != nil {
			w.trouble = append(w.trouble, err.Error())
		}
		if err := w.recorder.Journal().Audit(); err != nil {
			w.Fatal(err)
		}
		if len(w.recorder.Journal().Open()) == 0 {
			return
		}
		w.rig.Advance(blocksPerRound)
	}
}

// holds checks balances, given as asset, account, units.
func (w *world) holds(a settlement.Asset, owner settlement.Account, units uint64) {
	w.Helper()
	if got := w.rig.Balance(a, owner); got != units {
		w.Fatalf("%q holds %d of %q, want %d (trouble: %q)", owner, got, a.Mint, units, w.trouble)
	}
}

// totals checks the books of an asset.
func (w *world) totals(a settlement.Asset, paid, open, refused uint64) {
	w.Helper()
	want := settlement.Totals{Decided: paid + open + refused, Paid: paid, Open: open, Refused: refused}
	if got := w.recorder.Journal().Totals(a); got != want {
		w.Fatalf("books %+v, want %+v (trouble: %q)", got, want, w.trouble)
	}
}

// only returns the only batch there is.
func (w *world) only() settlement.Entry {
	w.Helper()
	all := slices.Collect(w.recorder.Journal().Batches())
	if len(all) != 1 {
		w.Fatalf("%d batches, want 1", len(all))
	}
	return all[0]
}

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
	w.unlucky.Mishap = func(settlement.Tx) Mishap { return ReplyLost }
	w.paysOnce()
	if len(w.trouble) == 0 {
		w.Fatal("a lost reply is trouble, and none was reported")
	}
}

func (w *world) deliveredTwice() {
	w.unlucky.Mishap = func(settlement.Tx) Mishap { return Twice }
	w.paysOnce()
}

func (w *world) dropped() {
	n := 0
	var sent []string
	w.unlucky.Mishap = func(tx settlement.Tx) Mishap {
		n++
		sent = append(sent, tx.ID+string(tx.Raw))
		if n <= 2 {
			return Dropped
		}
		return None
	}
	w.paysOnce()
	if sent = slices.Compact(sent); n != 3 || len(sent) != 1 {
		w.Fatalf("%d sends of %d different attempts, want 3 of 1", n, len(sent))
	}
}

func (w *world) expired() {
	first := ""
	w.unlucky.Mishap = func(tx settlement.Tx) Mishap {
		if first == "" {
			first = tx.ID
		}
		if tx.ID == first {
			return Dropped
		}
		return None
	}
	w.decide(w.pay(w.rig.Ann, 500, "a"))
	w.drive(10)
	w.totals(w.rig.Token, 500, 0, 0)
	w.holds(w.rig.Token, w.rig.Ann, 500)
	if a := w.only().Attempts; len(a) != 2 || a[0].Outcome != "expired" || a[1].Outcome != "landed" {
		w.Fatalf("attempts %+v, want one expired and one landed", a)
	}
}

func (w *world) secondAttempt() {
	w.decide(w.pay(w.rig.Ann, 500, "a"))
	b := w.only().Batch
	var attempts []settlement.Attempt
	for range 2 {
		tx, err := w.rig.Chain.Prepare(w.Context(), b)
		if err != nil {
			w.Fatal(err)
		}
		attempts = append(attempts, settlement.Attempt{Batch: b.ID, Tx: tx})
		w.rig.Advance(2)
	}
	for _, a := range attempts {
		if err := w.rig.Chain.Send(w.Context(), a.Tx); err != nil {
			w.Fatal(err)
		}
	}
	w.rig.Advance(blocksPerRound)
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

// errDead is what every operation returns once the process is dead.
var errDead = errors.New("settlementtest: the process is dead")

// death lets a process die before or after its n-th operation.
type death struct {
	settlement.Chain
	store settlement.Store
	n     int // operations left
	after bool
	dead  bool
	done  int
}

// operate runs an operation unless the process is dead, and lets it die if its time has come.
func (d *death) operate(op func() error) error {
	if d.dead {
		return errDead
	}
	d.done++
	d.n--
	if d.n == 0 {
		d.dead = true
		if d.after {
			_ = op() // nobody learns the outcome
		}
		return errDead
	}
	return op()
}

// Append implements settlement.Store.
func (d *death) Append(record []byte) error {
	return d.operate(func() error { return d.store.Append(record) })
}

// Replay implements settlement.Store. It is no operation to die in.
func (d *death) Replay(each func([]byte) error) error { return d.store.Replay(each) }

// Prepare implements settlement.Chain.
func (d *death) Prepare(ctx context.Context, b settlement.Batch) (tx settlement.Tx, err error) {
	err = d.operate(func() error {
		var err error
		tx, err = d.Chain.Prepare(ctx, b)
		return err
	})
	return tx, err
}

// Send implements settlement.Chain.
func (d *death) Send(ctx context.Context, tx settlement.Tx) error {
	return d.operate(func() error { return d.Chain.Send(ctx, tx) })
}

// Look implements settlement.Chain.
func (d *death) Look(ctx context.Context, a []settlement.Attempt) (s settlement.Sighting, err error) {
	err = d.operate(func() error {
		var err error
		s, err = d.Chain.Look(ctx, a)
		return err
	})
	return s, err
}

// crashAnywhere lets the process die before and after each of its operations, and starts another one on the same store.
func crashAnywhere(t *testing.T, newRig func(t *testing.T) Rig) {
	t.Helper()
	for n := 1; ; n++ {
		for _, after := range []bool{false, true} {
			w := newWorld(t, newRig(t))
			store := &Store{}
			d := &death{Chain: w.rig.Chain, store: store, n: n, after: after}
			w.open(d, d)
			w.tryDecide()
			w.drive(5)
			w.open(store, w.rig.Chain) // the next process
			w.tryDecide()              // who decides cannot know whether the first time was recorded
			w.drive(10)
			w.totals(w.rig.Token, 500, 0, 70)
			w.holds(w.rig.Token, w.rig.Ann, 500)
			w.holds(w.rig.Token, w.rig.Vault, Endowment-500)
			if d.done < n { // it lived: every operation has had its death
				if n < 7 {
					t.Fatalf("only %d operations to die in", d.done)
				}
				return
			}
		}
	}
}

func (w *world) tryDecide() {
	in := []settlement.Intent{w.pay(w.rig.Ann, 500, "a"), w.pay(w.rig.Absent, 70, "b")}
	_, err := w.recorder.Apply(w.now, settlement.Decided{Epoch: 1, Intents: in})
	if err != nil && !errors.Is(err, errDead) {
		w.Fatal(err)
	}
}
