package spl_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/gagliardetto/solana-go"
	"github.com/gagliardetto/solana-go/rpc"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// A journal with a swap, a buy-back and what gathers their proceeds is explained by the chain alone, to the base unit and to
// the lamport.
func TestSwapsReconcile(t *testing.T) {
	b := newSwapBench(t)
	ctx := t.Context()
	payer := svmtest.Address(svmtest.Key("payer"))
	const purse = uint64(1e9)
	require.NoError(t, b.Airdrop(ctx, payer, purse))
	require.NoError(t, b.MintTo(ctx, b.boss, b.dollar, b.walletAt, 10))
	b.settle()
	var err error
	b.chain, err = spl.New(spl.Config{URL: b.URL(), Payer: signer(t, "payer"), Owners: []spl.Signer{signer(t, "swapper"), signer(t, "vault")}})
	require.NoError(t, err)
	b.config.SpareUnits = lotUnits
	r := newLotRun(b)

	lot := settlement.Intent{
		ID: settlement.NewIntentID(settlement.Swap, "lot"), Kind: settlement.Swap, Asset: b.dollar, From: b.walletAt, To: b.vaultAt,
		Units: lotUnits / 2, Into: b.token, Least: leastUnits / 2,
	}
	r.decide(7, lot)
	first := r.until(lot.ID, settlement.StatePaid)
	order := settlement.BuyBurn{Name: "1", Cause: "revenue", In: b.dollar, Token: b.token, Wallet: b.walletAt, Spend: lotUnits / 2, Least: leastUnits / 2}
	r.decide(8, order.Swap())
	second := r.until(order.Swap().ID, settlement.StatePaid)
	paid := settlement.Paid{Batch: second.Batch, Tx: second.Tx, Slot: second.Slot, Got: second.Got, Intents: []settlement.IntentID{order.Swap().ID}}
	burn, needed, err := order.Rest(paid)
	require.NoError(t, err)
	require.True(t, needed)
	r.decide(8, burn)
	r.until(burn.ID, settlement.StatePaid)
	rest := settlement.Intent{
		ID: settlement.NewIntentID(settlement.Move, "rest"), Kind: settlement.Move, Asset: b.token, From: b.walletAt, To: b.vaultAt,
		Units: b.balance(b.token, b.walletAt),
	}
	require.Equal(t, first.Got-lot.Least, rest.Units)
	r.decide(8, rest)
	r.until(rest.ID, settlement.StatePaid)

	report, err := settlement.Reconcile(ctx, r.journal, b.chain)
	require.NoError(t, err)
	require.Empty(t, report.Differences)
	require.Equal(t, 4, report.Batches)
	require.Equal(t, 5, report.Transactions, "one of them gathered the proceeds of both swaps")
	require.Equal(t, leastUnits/2+burn.Units, report.Books[slices.IndexFunc(report.Books, func(x settlement.Book) bool { return x.Asset == b.token })].Burned)
	const holding = 1_488_440 // rent of a token account
	require.EqualValues(t, 3*holding, report.RentOpened, "two fresh accounts and the wallet's own")
	require.EqualValues(t, 2*holding, report.RentClosed)
	lamports, err := rpc.New(b.URL()).GetBalance(ctx, solana.MustPublicKeyFromBase58(string(payer)), rpc.CommitmentFinalized)
	require.NoError(t, err)
	require.Equal(t, purse-report.Fees-report.RentIn-report.RentOpened+report.RentClosed, lamports.Value)

	// A swap that took one unit more, one that left one less, and one whose instructions are not ours are differences.
	for name, row := range map[string]struct {
		bend func(*settlement.Trace)
		want string
	}{
		"takes more": {func(x *settlement.Trace) { change(x, b.walletAt, b.dollar).After-- }, "the lines say 0 more and 20000000 less"},
		"pays less":  {func(x *settlement.Trace) { change(x, b.vaultAt, b.token).After = leastUnits/2 - 1 }, "has 789999999"},
		"is strange": {func(x *settlement.Trace) { x.Unknown = true }, "holds an instruction that settlement never writes"},
		"has no To":  {func(x *settlement.Trace) { x.Lines[0].To = "" }, "the journal says"},
	} {
		bent, err := settlement.Reconcile(ctx, r.journal, bentHistory{b.chain, first.Tx, row.bend})
		require.NoError(t, err)
		require.NotEmpty(t, bent.Differences, name)
		require.Equal(t, first.Tx, bent.Differences[0].Tx, name)
		require.Contains(t, fmt.Sprint(bent.Differences), row.want, name)
	}

	// What the payer gives away by hand is explained by nothing.
	node := bench{TB: t, Node: b.Node}
	node.do([]string{"payer"}, give("payer", keyOf("ann"), 1_000_000))
	b.settle()
	report, err = settlement.Reconcile(ctx, r.journal, b.chain)
	require.NoError(t, err)
	require.Len(t, report.Differences, 1)
}

// bentHistory tells one transaction otherwise than it was.
type bentHistory struct {
	settlement.Historian
	tx   string
	bend func(*settlement.Trace)
}

func (h bentHistory) History(ctx context.Context, each func(settlement.Trace) error) error {
	return h.Historian.History(ctx, func(x settlement.Trace) error {
		if x.Tx == h.tx {
			h.bend(&x)
		}
		return each(x)
	})
}

// change finds what a transaction did to a balance.
func change(x *settlement.Trace, owner settlement.Account, a settlement.Asset) *settlement.Change {
	i := slices.IndexFunc(x.Changes, func(c settlement.Change) bool { return c.Owner == owner && c.Asset == a })
	return &x.Changes[i]
}
