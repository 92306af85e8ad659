package settlement

import (
	"errors"
	"fmt"
	"math/bits"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// ErrBuyBurn is returned for an order to buy and burn that is wrong, and for effects that are not about it.
var ErrBuyBurn = errors.New("settlement: invalid buy-back and burn")

// BuyBurn orders that revenue buys tokens which are burned: the swap and the burn of Least in one transaction, the burn of
// what came above Least in a following one.
type BuyBurn struct {
	Name   string  // names the order, and no other one: for example a period
	Cause  string  // for people: where the revenue is from
	In     Asset   // what is spent, for example USDC
	Token  Asset   // what is bought and burned
	Wallet Account // the swap wallet, which holds what is spent
	Spend  uint64  // base units of In, more than 0
	Least  uint64  // fewest base units of Token, more than 0: see [SwapPolicy.Least]
}

// Validate returns [ErrBuyBurn] with the first field that is wrong, nil if none is.
func (o BuyBurn) Validate() error {
	switch {
	case o.Name == "":
		return fmt.Errorf("%w: Name is empty", ErrBuyBurn)
	case o.In.Mint == "" || o.Token.Mint == "" || o.In.Mint == o.Token.Mint:
		return fmt.Errorf("%w: order %q: In is mint %q and Token mint %q, want two", ErrBuyBurn, o.Name, o.In.Mint, o.Token.Mint)
	case o.Wallet == "":
		return fmt.Errorf("%w: order %q: Wallet is empty", ErrBuyBurn, o.Name)
	case o.Spend == 0 || o.Least == 0:
		return fmt.Errorf("%w: order %q: Spend is %d and Least %d, want more than 0", ErrBuyBurn, o.Name, o.Spend, o.Least)
	}
	return nil
}

// Swap returns the intent of the swap, whose proceeds are burned in its own transaction up to Least.
func (o BuyBurn) Swap() Intent {
	return Intent{
		ID:    NewIntentID(Swap, "buyburn", o.Name),
		Kind:  Swap,
		Asset: o.In,
		From:  o.Wallet,
		Units: o.Spend,
		Into:  o.Token,
		Least: o.Least,
		Cause: o.Cause,
	}
}

// Rest returns the intent that burns what the swap got beyond Least, and false if there is nothing. It fails with
// [ErrBuyBurn] for an effect that is not about the swap, and for one that got less than Least.
func (o BuyBurn) Rest(swap Paid) (rest Intent, more bool, err error) {
	if err := o.is(swap); err != nil {
		return Intent{}, false, err
	}
	if swap.Got == o.Least {
		return Intent{}, false, nil
	}
	return Intent{
		ID:    o.restID(),
		Kind:  Burn,
		Asset: o.Token,
		From:  o.Wallet,
		Units: swap.Got - o.Least,
		Cause: o.Cause,
	}, true, nil
}

func (o BuyBurn) restID() IntentID { return NewIntentID(Burn, "buyburn", o.Name) }

func (o BuyBurn) is(swap Paid) error {
	if err := o.Validate(); err != nil {
		return err
	}
	switch {
	case len(swap.Intents) != 1 || swap.Intents[0] != o.Swap().ID:
		return fmt.Errorf("%w: batch %s does not carry the swap of order %q alone", ErrBuyBurn, swap.Batch, o.Name)
	case swap.Got < o.Least:
		return fmt.Errorf("%w: order %q got %d, less than the least %d", ErrBuyBurn, o.Name, swap.Got, o.Least)
	}
	return nil
}

// SupplyAt is the supply of a token in a final block.
type SupplyAt struct {
	Slot  uint64
	Units uint64 // base units
}

// SupplyChange is what one final transaction did to a supply, its own or a stranger's.
type SupplyChange struct {
	Tx     string
	Slot   uint64
	Minted uint64 // base units by which the supply rose, net
	Burned uint64 // base units by which the supply fell, net; one of the two is 0
}

// SupplyProof explains how a supply became another one: every transaction that changed it, in the order of their slots.
type SupplyProof struct {
	Token   Asset
	Before  SupplyAt
	After   SupplyAt
	Changes []SupplyChange // with slots after Before.Slot, up to After.Slot
}

// Audit returns [ErrBooks] unless the changes lead from the supply before to the supply after, to the base unit.
func (p SupplyProof) Audit() error {
	supply, slot := p.Before.Units, p.Before.Slot
	seen := map[string]bool{}
	for _, c := range p.Changes {
		switch {
		case c.Slot <= p.Before.Slot || c.Slot > p.After.Slot || c.Slot < slot:
			return fmt.Errorf("%w: supply of %q: transaction %q of slot %d is out of order or outside of %d to %d",
				ErrBooks, p.Token.Mint, c.Tx, c.Slot, p.Before.Slot, p.After.Slot)
		case seen[c.Tx] || c.Tx == "":
			return fmt.Errorf("%w: supply of %q: transaction %q stands twice or has no name", ErrBooks, p.Token.Mint, c.Tx)
		case (c.Minted == 0) == (c.Burned == 0):
			return fmt.Errorf("%w: supply of %q: transaction %q minted %d and burned %d, want one of them",
				ErrBooks, p.Token.Mint, c.Tx, c.Minted, c.Burned)
		case c.Burned > supply:
			return fmt.Errorf("%w: supply of %q: transaction %q burned %d of %d", ErrBooks, p.Token.Mint, c.Tx, c.Burned, supply)
		}
		var over uint64
		if supply, over = bits.Add64(supply-c.Burned, c.Minted, 0); over != 0 {
			return fmt.Errorf("%w: supply of %q: transaction %q takes it beyond 64 bits", ErrBooks, p.Token.Mint, c.Tx)
		}
		seen[c.Tx], slot = true, c.Slot
	}
	if supply != p.After.Units {
		return fmt.Errorf("%w: supply of %q: the changes lead from %d to %d, the chain says %d",
			ErrBooks, p.Token.Mint, p.Before.Units, supply, p.After.Units)
	}
	return nil
}

// Burned returns what a transaction has burned by the proof, 0 if it is not in it.
func (p SupplyProof) Burned(tx string) uint64 {
	for _, c := range p.Changes {
		if c.Tx == tx {
			return c.Burned
		}
	}
	return 0
}

// BurnEntry is the one entry of the ledger about revenue that bought and burned tokens.
type BurnEntry struct {
	Order     BuyBurn
	Got       uint64 // base units of Token that the swap got, all of which are burned
	SwapTx    string // bought them, and burned Order.Least
	RestTx    string // burned the rest; empty if there was none
	Supply    SupplyProof
	Strangers uint64 // base units that others burned in between
	Minted    uint64 // base units that were minted in between
}

// Entry makes the ledger's entry of the order's paid swap, of the paid burn of the rest, if there was one, and of the proof
// that the supply fell. It fails with [ErrBuyBurn] if an effect is not about the order or is missing, and with [ErrBooks]
// if the books do not add up.
func (o BuyBurn) Entry(swap Paid, rest *Paid, supply SupplyProof) (BurnEntry, error) {
	_, more, err := o.Rest(swap)
	switch {
	case err != nil:
		return BurnEntry{}, err
	case more != (rest != nil):
		return BurnEntry{}, fmt.Errorf("%w: order %q got %d of at least %d: a burn of the rest is there is %t, is needed is %t",
			ErrBuyBurn, o.Name, swap.Got, o.Least, rest != nil, more)
	case rest != nil && (len(rest.Intents) != 1 || rest.Intents[0] != o.restID()):
		return BurnEntry{}, fmt.Errorf("%w: batch %s does not carry the burn of order %q alone", ErrBuyBurn, rest.Batch, o.Name)
	}
	e := BurnEntry{Order: o, Got: swap.Got, SwapTx: swap.Tx, Supply: supply}
	if rest != nil {
		e.RestTx = rest.Tx
	}
	for _, c := range supply.Changes {
		if c.Tx != e.SwapTx && c.Tx != e.RestTx {
			e.Strangers += c.Burned
		}
		e.Minted += c.Minted
	}
	return e, e.Audit()
}

// Audit returns [ErrBooks] and the first sum that is wrong, nil if none is: what was got is burned by transactions that the
// proof holds, and before + minted = after + got + what strangers burned.
func (e BurnEntry) Audit() error {
	if err := e.Supply.Audit(); err != nil {
		return err
	}
	rest := e.Got - min(e.Got, e.Order.Least)
	switch {
	case e.Supply.Token != e.Order.Token:
		return fmt.Errorf("%w: order %q burns mint %q, the proof is about mint %q", ErrBooks, e.Order.Name, e.Order.Token.Mint, e.Supply.Token.Mint)
	case e.Got < e.Order.Least:
		return fmt.Errorf("%w: order %q: Got is %d, less than Least, %d", ErrBooks, e.Order.Name, e.Got, e.Order.Least)
	case e.Supply.Burned(e.SwapTx) != e.Order.Least:
		return fmt.Errorf("%w: order %q: transaction %q burned %d, not the least %d",
			ErrBooks, e.Order.Name, e.SwapTx, e.Supply.Burned(e.SwapTx), e.Order.Least)
	case (e.RestTx == "") != (rest == 0) || rest > 0 && e.Supply.Burned(e.RestTx) != rest:
		return fmt.Errorf("%w: order %q: transaction %q burned %d, not the rest %d",
			ErrBooks, e.Order.Name, e.RestTx, e.Supply.Burned(e.RestTx), rest)
	}
	var left, right wide
	left.add(e.Supply.Before.Units)
	left.add(e.Minted)
	right.add(e.Supply.After.Units)
	right.add(e.Got)
	right.add(e.Strangers)
	if left != right {
		return fmt.Errorf("%w: order %q: supply before and minted are %s, supply after and burned %s", ErrBooks, e.Order.Name, left, right)
	}
	return nil
}

// Events returns what the books of the supply are told, a burn for each transaction: [tokenomics.Supply] counts each proof
// once. from is where the tokens were by those books.
func (e BurnEntry) Events(from tokenomics.Account) []tokenomics.Burned {
	out := []tokenomics.Burned{{Amount: tokenomics.Amount(e.Order.Least), Proof: e.SwapTx, From: from}}
	if e.RestTx != "" {
		out = append(out, tokenomics.Burned{Amount: tokenomics.Amount(e.Got - e.Order.Least), Proof: e.RestTx, From: from})
	}
	return out
}
