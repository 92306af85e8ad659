package spl_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// lotRun is a journal and a runner over a converter.
type lotRun struct {
	*swapBench
	journal *settlement.Journal
	runner  settlement.Runner
}

func newLotRun(b *swapBench) *lotRun {
	b.Helper()
	j, err := settlement.NewJournal(settlement.Params{Version: "test", MaxLines: 58, Quorum: 1, Assets: []settlement.Asset{b.token, b.dollar}})
	require.NoError(b, err)
	return &lotRun{b, j, settlement.Runner{Chains: []settlement.Chain{b.converter()}, Quorum: 1, Open: j.Open, Apply: j.Apply}}
}

func (r *lotRun) decide(epoch int, in ...settlement.Intent) {
	r.Helper()
	_, err := r.journal.Apply(swapTime, settlement.Decided{Epoch: tokenomics.Epoch(epoch), Intents: in})
	require.NoError(r, err)
}

// until steps, with the chain's blocks in between, until an intent is in a state.
func (r *lotRun) until(id settlement.IntentID, state settlement.State) settlement.Payment {
	r.Helper()
	for range 12 {
		if p, _ := r.journal.Payment(id); p.State == state {
			return p
		}
		_, _ = r.runner.Step(r.Context(), swapTime) // trouble shows in the state
		r.settle()
	}
	p, _ := r.journal.Payment(id)
	require.Equal(r, state, p.State, "%+v", p)
	return p
}

// swapTime is when everything happens.
var swapTime = newMarket(1, 1).now //nolint:gochecknoglobals // a constant

// An hour's bills, from the lot to the treasury's last unit, on the real runtime and through a pool program.
func TestLotFromBillsToTreasury(t *testing.T) {
	p := spareBench(t)
	p.config.SpareUnits = 10
	moves := svmtest.Address(svmtest.Key("moves"))
	p.open(p.token, moves, 50_000_000)
	p.settle()
	r := newLotRun(p.swapBench)
	lot, err := settlement.NewLot(settlement.LotParams{In: p.dollar, Into: p.token, Wallet: p.walletAt, Treasury: p.vaultAt, Moves: moves},
		"2026-01-01T12", leastUnits, []settlement.LotBill{
			{Bill: "7", Units: 10_000_000, Owed: 401_000_000}, {Bill: "8", Units: 25_000_001, Owed: 1_000_000_000}, {Bill: "9", Units: 4_999_999, Owed: 199_999_999},
		})
	require.NoError(t, err)
	require.Equal(t, lotUnits, lot.Units())
	swap := lot.Swap()
	r.decide(7, swap)

	paid := r.until(swap.ID, settlement.StatePaid)
	books, err := lot.Settle(settlement.Paid{Batch: paid.Batch, Tx: paid.Tx, Slot: paid.Slot, Got: paid.Got, Intents: []settlement.IntentID{swap.ID}})
	require.NoError(t, err)
	require.NoError(t, books.Audit())
	require.Equal(t, leastUnits, p.balance(p.token, p.vaultAt))
	after, err := lot.After(books)
	require.NoError(t, err)
	require.Len(t, after, 2)
	r.decide(7, after...)
	for _, x := range after {
		r.until(x.ID, settlement.StatePaid)
	}
	owed := uint64(401_000_000 + 1_000_000_000 + 199_999_999)
	require.Equal(t, owed, p.balance(p.token, p.vaultAt), "the treasury holds what customers were promised, to the base unit")
	require.Equal(t, 50_000_000+books.Got-owed, p.balance(p.token, moves), "and the named account what the price moved")
	require.Zero(t, p.balance(p.token, p.walletAt))
	require.EqualValues(t, 10, p.balance(p.dollar, p.walletAt))
	require.NoError(t, r.journal.Audit())
}

// A swap whose venue cheats fails as a whole, for no line's fault; while it cheats nothing is signed, and then a new quote is a
// new attempt of the same batch.
func TestCheatedSwapIsTriedAgain(t *testing.T) {
	p := spareBench(t)
	r := newLotRun(p.swapBench)
	lot, err := settlement.NewLot(settlement.LotParams{In: p.dollar, Into: p.token, Wallet: p.walletAt, Treasury: p.vaultAt, Moves: "moves"},
		"x", leastUnits, []settlement.LotBill{{Bill: "7", Units: lotUnits, Owed: leastUnits}})
	require.NoError(t, err)
	swap := lot.Swap()
	r.decide(7, swap)
	tx, err := prepareSwap(t, r.runner.Chains[0], r.journal.Open()[0].Batch)
	require.NoError(t, err)
	_, err = r.journal.Apply(swapTime, settlement.Signed{Batch: r.journal.Open()[0].Batch.ID, Tx: tx})
	require.NoError(t, err)
	p.set(giveLess, 1<<30)
	r.until(swap.ID, settlement.StatePlanned)
	require.Equal(t, lotUnits+10, p.balance(p.dollar, p.walletAt))
	_, err = r.runner.Step(t.Context(), swapTime)
	require.ErrorContains(t, err, "refused by simulation")
	require.Len(t, r.journal.Open()[0].Attempts, 1, "the simulation shows what the venue does")
	p.set(honest, 0)
	paid := r.until(swap.ID, settlement.StatePaid)
	require.Greater(t, paid.Got, leastUnits)
	require.NotEqual(t, tx.ID, paid.Tx)
	require.EqualValues(t, 10, p.balance(p.dollar, p.walletAt), "given once")
}
