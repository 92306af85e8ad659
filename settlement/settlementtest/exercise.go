package settlementtest

import (
	"slices"
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
	Second settlement.Chain // another endpoint of the same chain; nil if there is none, and then every case trusts the first alone
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

	// What follows may be nil; the cases that need it are skipped then, and say so.

	Open   func(owner settlement.Account)     // makes an account for Token, finally
	Close  func(owner settlement.Account)     // closes an empty account for Token, finally
	Poison func(marker settlement.MarkerID)   // has a stranger fund the address of a marker, finally
	Fork   func(blocks int) (dropped int)     // drops the newest blocks, as far as they are not final
	Rent   func() uint64                      // lamports that lie in markers of ours, as of the newest final block
	Swap   func(token uint64) (dollar uint64) // what the chain gives for Token of the vault now
}

// Exercise tests a chain: newRig makes a fresh rig for each case. It runs ExerciseCases, and then lets the payer die before
// and after each of its operations.
func Exercise(t *testing.T, newRig func(t *testing.T) Rig) {
	t.Helper()
	ExerciseCases(t, newRig)
	t.Run("crash anywhere", func(t *testing.T) { crashAnywhere(t, newRig) })
	t.Run("crash anywhere in recovery", func(t *testing.T) { crashInRecovery(t, newRig) })
}

// ExerciseCases is the part of Exercise in which nobody dies. It is enough for a second configuration of a chain that passes
// the whole in its first one, and takes a quarter of its rigs.
func ExerciseCases(t *testing.T, newRig func(t *testing.T) Rig) {
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
		{"recipient whose account goes after signing", (*world).closedAccount},
		{"sender short", (*world).senderShort},
		{"burn", (*world).burn},
		{"swap", (*world).swap},
		{"bundle carried whole", (*world).bundleWhole},
		{"bundle refused whole", (*world).bundleRefused},
		{"sealed when no line is left", (*world).sealed},
		{"refused, then retried", (*world).retried},
		{"poisoned marker", (*world).poisoned},
		{"reclaimed", (*world).reclaimed},
		{"forked out, then in again", (*world).forked},
		{"one endpoint is not enough", (*world).quorum},
		{"journal lost after the payment", (*world).lostAfter},
		{"journal lost with an attempt on its way", (*world).lostOnTheWay},
		{"journal lost before anything was sent", (*world).lostBefore},
		{"two payers", (*world).race},
		{"two payers who know different things", (*world).raceApart},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(newWorld(t, newRig(t))) })
	}
}

// payer is a journal and a runner over a rig.
type payer struct {
	recorder *settlement.Recorder
	runner   settlement.Runner
}

// world is a rig with a payer and the clock.
type world struct {
	*testing.T
	payer
	rig     Rig
	unlucky []*Unlucky // one for each endpoint
	now     time.Time
	trouble []string
}

func newWorld(t *testing.T, rig Rig) *world {
	t.Helper()
	w := &world{T: t, rig: rig, now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	for _, c := range rig.chains() {
		w.unlucky = append(w.unlucky, &Unlucky{Chain: c, Mishap: func([]settlement.Tx) Mishap { return None }})
	}
	w.payer = w.open(&Store{}, w.endpoints()...)
	return w
}

func (r Rig) chains() []settlement.Chain {
	if r.Second == nil {
		return []settlement.Chain{r.Chain}
	}
	return []settlement.Chain{r.Chain, r.Second}
}

// endpoints are the rig's chains with their mishaps.
func (w *world) endpoints() []settlement.Chain {
	var out []settlement.Chain
	for _, u := range w.unlucky {
		out = append(out, u)
	}
	return out
}

// open starts a recorder and a runner on what the store holds. All endpoints have to agree.
func (w *world) open(s settlement.Store, chains ...settlement.Chain) payer {
	w.Helper()
	params := settlement.Params{
		Version: "exercise", MaxLines: 10, Quorum: uint8(len(chains)), ReclaimAfterSeconds: 3600,
		Assets: []settlement.Asset{w.rig.Token, w.rig.Dollar},
	}
	r, err := settlement.NewRecorder(params, s)
	if err != nil {
		w.Fatal(err)
	}
	j := r.Journal()
	return payer{r, settlement.Runner{
		Chains: chains, Quorum: len(chains), Open: j.Open, Apply: r.Apply, Probes: j.Probes, Reclaimable: j.Reclaimable,
	}}
}

// mishap has the same become of every send, whichever endpoint it goes to.
func (w *world) mishap(f func(txs []settlement.Tx) Mishap) {
	for _, u := range w.unlucky {
		u.Mishap = f
	}
}

// pay returns an intent to pay Token from the vault.
func (w *world) pay(to settlement.Account, units uint64, cause string) settlement.Intent {
	return settlement.Intent{
		ID: settlement.NewIntentID(settlement.Pay, cause), Kind: settlement.Pay, Asset: w.rig.Token, From: w.rig.Vault, To: to, Units: units, Cause: cause,
	}
}

// apply applies an event, which must be accepted.
func (w *world) apply(e settlement.Event) {
	w.Helper()
	if _, err := w.recorder.Apply(w.now, e); err != nil {
		w.Fatal(err)
	}
}

func (w *world) decide(in ...settlement.Intent) {
	w.Helper()
	w.apply(settlement.Decided{Epoch: 1, Intents: in})
}

// step makes one round of the payer.
func (w *world) step(p payer) {
	w.Helper()
	w.now = w.now.Add(time.Minute)
	if _, err := p.runner.Step(w.Context(), w.now); err != nil {
		w.trouble = append(w.trouble, err.Error())
	}
	if err := p.recorder.Journal().Audit(); err != nil {
		w.Fatal(err)
	}
}

// drive makes rounds until nothing is open, at most n.
func (w *world) drive(n int) {
	w.Helper()
	for range n {
		w.step(w.payer)
		if j := w.recorder.Journal(); len(j.Open()) == 0 && len(j.Probes()) == 0 {
			return
		}
		w.rig.Advance(blocksPerRound)
	}
}

// holds checks a balance.
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

// needs skips a case that the rig does not offer.
func (w *world) needs(what string, offered bool) {
	w.Helper()
	if !offered {
		w.Skipf("the rig offers no %s", what)
	}
}
