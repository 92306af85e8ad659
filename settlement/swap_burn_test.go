package settlement_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/tokenomics"
)

func buyBurn() settlement.BuyBurn {
	io, usdc := swapAssets()
	return settlement.BuyBurn{Name: "2026-01", Cause: "revenue", In: usdc, Token: io, Wallet: "swapper", Spend: 100, Least: 40}
}

// paidOrder returns what the journal says of the order's two batches, and the proof of the supply, with strangers in between.
func paidOrder(o settlement.BuyBurn, got uint64) (swap settlement.Paid, rest *settlement.Paid, proof settlement.SupplyProof) {
	swap = settlement.Paid{Tx: "swap", Slot: 11, Got: got, Intents: []settlement.IntentID{o.Swap().ID}}
	proof = settlement.SupplyProof{
		Token: o.Token, Before: settlement.SupplyAt{Slot: 10, Units: 1000}, After: settlement.SupplyAt{Slot: 20, Units: 1000 + 5 - 7 - got},
		Changes: []settlement.SupplyChange{{"swap", 11, 0, o.Least}, {"others", 12, 0, 7}, {"mint", 12, 5, 0}},
	}
	if more, ok, err := o.Rest(swap); ok && err == nil {
		rest = &settlement.Paid{Tx: "rest", Slot: 20, Intents: []settlement.IntentID{more.ID}}
		proof.Changes = append(proof.Changes, settlement.SupplyChange{Tx: "rest", Slot: 20, Burned: more.Units})
	}
	return swap, rest, proof
}

func TestBuyBurn(t *testing.T) {
	o := buyBurn()
	swap, rest, proof := paidOrder(o, 43)
	e, err := o.Entry(swap, rest, proof)
	require.NoError(t, err)
	require.EqualValues(t, 43, e.Got)
	require.EqualValues(t, 7, e.Strangers)
	require.EqualValues(t, 5, e.Minted)
	require.Equal(t, []tokenomics.Burned{
		{Amount: 40, Proof: "swap", From: tokenomics.FeeVault}, {Amount: 3, Proof: "rest", From: tokenomics.FeeVault},
	}, e.Events(tokenomics.FeeVault))
	more, ok, err := o.Rest(swap)
	require.NoError(t, err)
	require.True(t, ok)
	_, err = settlement.Plan(settlement.IONet(), 7, 0, []settlement.Intent{o.Swap(), more})
	require.NoError(t, err, "the journal takes both")

	swap, rest, proof = paidOrder(o, 40)
	require.Nil(t, rest, "nothing above the least")
	e, err = o.Entry(swap, nil, proof)
	require.NoError(t, err)
	require.Len(t, e.Events(tokenomics.FeeVault), 1)
}

func TestBuyBurnRefuses(t *testing.T) {
	for want, change := range map[string]func(o *settlement.BuyBurn){
		"Name is empty":   func(o *settlement.BuyBurn) { o.Name = "" },
		"In is mint":      func(o *settlement.BuyBurn) { o.In = o.Token },
		"Wallet is empty": func(o *settlement.BuyBurn) { o.Wallet = "" },
		"Spend is 0":      func(o *settlement.BuyBurn) { o.Spend = 0 },
		"Least 0":         func(o *settlement.BuyBurn) { o.Least = 0 },
	} {
		o := buyBurn()
		change(&o)
		require.ErrorIs(t, o.Validate(), settlement.ErrBuyBurn)
		require.ErrorContains(t, o.Validate(), want)
	}
	type books struct {
		swap  settlement.Paid
		rest  *settlement.Paid
		proof settlement.SupplyProof
	}
	for name, row := range map[string]struct {
		change func(b *books)
		err    error
	}{
		"another swap":         {func(b *books) { b.swap.Intents[0][0]++ }, settlement.ErrBuyBurn},
		"got too little":       {func(b *books) { b.swap.Got = 39 }, settlement.ErrBuyBurn},
		"rest missing":         {func(b *books) { b.rest = nil }, settlement.ErrBuyBurn},
		"rest not needed":      {func(b *books) { b.swap.Got = 40 }, settlement.ErrBuyBurn},
		"another rest":         {func(b *books) { b.rest.Intents[0][0]++ }, settlement.ErrBuyBurn},
		"got one more":         {func(b *books) { b.swap.Got++ }, settlement.ErrBooks},
		"another token":        {func(b *books) { b.proof.Token.Mint = "x" }, settlement.ErrBooks},
		"swap not in it":       {func(b *books) { b.proof.Changes[0].Tx = "x" }, settlement.ErrBooks},
		"rest not in it":       {func(b *books) { b.proof.Changes[3].Tx = "x" }, settlement.ErrBooks},
		"a gap":                {func(b *books) { b.proof.Changes = append(b.proof.Changes[:1], b.proof.Changes[2:]...) }, settlement.ErrBooks},
		"one unit off":         {func(b *books) { b.proof.After.Units++ }, settlement.ErrBooks},
		"before the beginning": {func(b *books) { b.proof.Before.Slot = 11 }, settlement.ErrBooks},
		"after the end":        {func(b *books) { b.proof.After.Slot = 19 }, settlement.ErrBooks},
		"out of order":         {func(b *books) { b.proof.Changes[0].Slot = 13 }, settlement.ErrBooks},
		"twice":                {func(b *books) { b.proof.Changes = append(b.proof.Changes, b.proof.Changes[3]) }, settlement.ErrBooks},
		"both":                 {func(b *books) { b.proof.Changes[1].Minted = 7 }, settlement.ErrBooks},
		"neither":              {func(b *books) { b.proof.Changes[1].Burned = 0 }, settlement.ErrBooks},
		"more than there is":   {func(b *books) { b.proof.Changes[1].Burned = 1001 }, settlement.ErrBooks},
		"beyond 64 bits":       {func(b *books) { b.proof.Changes[2].Minted = math.MaxUint64 }, settlement.ErrBooks},
	} {
		t.Run(name, func(t *testing.T) {
			o := buyBurn()
			var b books
			b.swap, b.rest, b.proof = paidOrder(o, 43)
			row.change(&b)
			_, err := o.Entry(b.swap, b.rest, b.proof)
			require.ErrorIs(t, err, row.err)
		})
	}
}
