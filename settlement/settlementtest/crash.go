package settlementtest

import (
	"context"
	"errors"
	"testing"

	"github.com/idlegrid/idlegrid/settlement"
)

// errDead is what every operation returns once the process is dead.
var errDead = errors.New("settlementtest: the process is dead")

// death lets a process die before its n-th operation.
type death struct {
	n    int // operations left
	dead bool
	done int
}

// operate runs an operation unless the process is dead, and lets it die if its time has come.
func operate[T any](d *death, op func() (T, error)) (none T, _ error) {
	if d.dead {
		return none, errDead
	}
	d.done++
	d.n--
	if d.n != 0 {
		return op()
	}
	d.dead = true
	return none, errDead
}

// mortalStore is a store as a process sees it that dies.
type mortalStore struct {
	*death
	settlement.Store
}

// Append implements settlement.Store.
func (m mortalStore) Append(record []byte) error {
	_, err := operate(m.death, func() (any, error) { return nil, m.Store.Append(record) })
	return err
}

// mortalChain is a chain as a process sees it that dies.
type mortalChain struct {
	*death
	settlement.Chain
}

// Prepare implements settlement.Chain.
func (m mortalChain) Prepare(ctx context.Context, b []settlement.Batch) ([]settlement.Prepared, error) {
	return operate(m.death, func() ([]settlement.Prepared, error) { return m.Chain.Prepare(ctx, b) })
}

// Send implements settlement.Chain.
func (m mortalChain) Send(ctx context.Context, txs []settlement.Tx) error {
	_, err := operate(m.death, func() (any, error) { return nil, m.Chain.Send(ctx, txs) })
	return err
}

// Look implements settlement.Chain.
func (m mortalChain) Look(ctx context.Context, a []settlement.Attempt) (settlement.Sighting, error) {
	return operate(m.death, func() (settlement.Sighting, error) { return m.Chain.Look(ctx, a) })
}

// Find implements settlement.Finder.
func (m mortalChain) Find(ctx context.Context, b []settlement.Batch) (settlement.Findings, error) {
	return operate(m.death, func() (settlement.Findings, error) { return find(ctx, m.Chain, b) })
}

// Reclaim implements settlement.Reclaimer.
func (m mortalChain) Reclaim(ctx context.Context, k []settlement.MarkerID) (settlement.Reclaims, error) {
	return operate(m.death, func() (settlement.Reclaims, error) { return reclaim(ctx, m.Chain, k) })
}

// mortal is a payer on the store that dies with d.
func (w *world) mortal(d *death, s settlement.Store) payer {
	w.Helper()
	var chains []settlement.Chain
	for _, c := range w.rig.chains() {
		chains = append(chains, mortalChain{d, c})
	}
	return w.open(mortalStore{d, s}, chains...)
}

// everyDeath runs a life that dies before each of its operations, and the next one on what it left. To die before an operation
// is to die after the one before it: whether the process still learned its outcome makes no difference to what is left.
func everyDeath(t *testing.T, newRig func(t *testing.T) Rig, least int, run func(w *world, d *death)) {
	t.Helper()
	for n := 1; ; n++ {
		d := &death{n: n}
		run(newWorld(t, newRig(t)), d)
		if d.done < n { // it lived: every operation has had its death
			if d.done < least {
				t.Fatalf("only %d operations to die in", d.done)
			}
			return
		}
	}
}

// crashAnywhere pays ann and refuses who has no account; if the rig can make one, he is paid in the end.
func crashAnywhere(t *testing.T, newRig func(t *testing.T) Rig) {
	t.Helper()
	everyDeath(t, newRig, 7, func(w *world, d *death) {
		store := &Store{}
		w.payer = w.mortal(d, store)
		w.tryDecide()
		w.drive(5)
		w.tryRetry()
		w.drive(5)
		w.payer = w.open(store, w.rig.chains()...) // the next process
		w.tryDecide()                              // who decides cannot know whether the first time was recorded
		w.drive(12)
		w.tryRetry()
		w.drive(12)
		refused := uint64(70)
		if w.rig.Open != nil {
			refused = 0
			w.holds(w.rig.Token, w.rig.Absent, 70)
		}
		w.totals(w.rig.Token, 570-refused, 0, refused)
		w.holds(w.rig.Token, w.rig.Ann, 500)
		w.holds(w.rig.Token, w.rig.Vault, Endowment-570+refused)
	})
}

func (w *world) tryDecide() {
	w.Helper()
	in := []settlement.Intent{w.pay(w.rig.Ann, 500, "a"), w.pay(w.rig.Absent, 70, "b")}
	_, err := w.recorder.Apply(w.now, settlement.Decided{Epoch: 1, Intents: in})
	if err != nil && !errors.Is(err, errDead) {
		w.Fatal(err)
	}
}

// tryRetry makes the absent an account and retries what was refused him. It is stale if that was done before, or cannot be
// done yet.
func (w *world) tryRetry() {
	w.Helper()
	if w.rig.Open == nil {
		return
	}
	p, _ := w.recorder.Journal().Payment(settlement.NewIntentID(settlement.Pay, "b"))
	if p.State != settlement.StateRefused {
		return
	}
	w.rig.Open(w.rig.Absent)
	_, err := w.recorder.Apply(w.now, settlement.Retried{Intents: []settlement.IntentID{p.Intent.ID}})
	if err != nil && !errors.Is(err, errDead) && !errors.Is(err, settlement.ErrStale) {
		w.Fatal(err)
	}
}

// crashInRecovery loses a journal that has paid, and dies while it is recovered.
func crashInRecovery(t *testing.T, newRig func(t *testing.T) Rig) {
	t.Helper()
	if newWorld(t, newRig(t)).finders() == 0 {
		t.Skip("the rig offers no Finder")
	}
	everyDeath(t, newRig, 8, func(w *world, d *death) {
		w.decide(w.pay(w.rig.Ann, 500, "a"))
		w.drive(12)
		store := &Store{}
		w.payer = w.mortal(d, store)
		w.tryRecover()
		w.payer = w.open(store, w.rig.chains()...) // the next process
		w.tryRecover()
		w.totals(w.rig.Token, 530, 0, 0)
		w.holds(w.rig.Token, w.rig.Ann, 500)
		w.holds(w.rig.Token, w.rig.Bob, 30)
		w.holds(w.rig.Token, w.rig.Vault, Endowment-530)
	})
}

// tryRecover recovers as far as it lives, and pays bob, whom the lost journal has not heard of.
func (w *world) tryRecover() {
	w.Helper()
	j := w.recorder.Journal()
	if r, on := j.Recovery(); r.LastValid == 0 && !on {
		if err := w.runner.Recover(w.Context(), w.now, 0); err != nil && !errors.Is(err, errDead) {
			w.Fatal(err)
		} else if err != nil {
			return
		}
	}
	_, err := w.recorder.Apply(w.now, settlement.Decided{Epoch: 1, Intents: []settlement.Intent{w.pay(w.rig.Ann, 500, "a")}})
	if err != nil && !errors.Is(err, errDead) {
		w.Fatal(err)
	}
	w.drive(12)
	if _, on := j.Recovery(); on {
		if _, err := w.recorder.Apply(w.now, settlement.Recovering{}); err != nil && !errors.Is(err, errDead) && !errors.Is(err, settlement.ErrStale) {
			w.Fatal(err)
		}
	}
	_, err = w.recorder.Apply(w.now, settlement.Decided{Epoch: 2, Intents: []settlement.Intent{w.pay(w.rig.Bob, 30, "c")}})
	if err != nil && !errors.Is(err, errDead) {
		w.Fatal(err)
	}
	w.drive(12)
}
