package tokenomics

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

var (
	// ErrPolicy is returned for a policy whose parameters contradict each other, and for a policy of the caller's own
	// whose result breaks the rules of [Policy].
	ErrPolicy = errors.New("tokenomics: invalid policy")
	// ErrInputs is returned for inputs of a step that cannot be: claims out of order, burns of more than there is.
	ErrInputs = errors.New("tokenomics: invalid inputs")
)

// Policy decides what one epoch creates, releases and burns. A step is pure: the state and the inputs decide the next
// state and the result, and an error means that nothing happened. States pass unchanged from one policy to the next, so
// a [Timeline] can cut over at any epoch.
//
// The rules of a step, which a Timeline checks on every result:
//
//   - Minted grows by Result.Mint and stays within Cap - Genesis: a burn never makes new room under the cap.
//   - Reminted grows by Result.Remint and stays within Burned: recycled tokens have an account of their own.
//   - FeeVault falls by Result.FromFeeVault and rises by Inputs.FeesIn.
//   - Burned grows by Inputs.Burned alone: by what was confirmed, never by what was ordered.
//   - Mint + Remint + FromFeeVault = Budget + the sum of Payouts.
type Policy interface {
	// ID names the policy and its parameters in records, for example "io.net/ide/1".
	ID() string
	// Step decides one epoch.
	Step(s PolicyState, in Inputs) (PolicyState, Result, error)
}

// Claim is what one supplier is owed in dollars.
type Claim struct {
	ID  string `json:"id"`
	USD USD    `json:"usd"`
}

// Inputs is what an epoch brings to a policy.
type Inputs struct {
	// Start and End bound the epoch: Start included, End excluded.
	Start, End time.Time
	// Release is the price at which dollars that are owed become tokens; the zero value says that none may be used.
	// Where spot and average differ it is the higher one, so that a dip releases no more.
	Release Price
	// Credit is the price at which tokens become dollars; the zero value says that none may be used. It is the lower of
	// spot and average.
	Credit Price
	// Revenue is what the network took in dollars.
	Revenue USD
	// Owed is what suppliers earned in dollars, in ascending order of their IDs, each once.
	Owed []Claim
	// Wanted is for how many dollars users want to buy credits under a [BurnMintPolicy].
	Wanted USD
	// FeesIn is how many tokens came into the fee vault.
	FeesIn Amount
	// Burned is how many tokens were confirmed as burned since the step before.
	Burned Amount
}

// PolicyState is what policies remember. A policy copies what it does not use.
type PolicyState struct {
	// Decimals is the number of places of the token, which prices are per whole one of.
	Decimals Decimals
	// Genesis is the supply before the first epoch, and Cap the most that genesis and all mints may come to.
	Genesis, Cap Amount
	// Minted is what was created within the cap, and Reminted what was created again for what had been burned.
	Minted, Reminted Amount
	// Burned is what was destroyed; Pending was ordered to be and is not confirmed yet.
	Burned, Pending Amount
	// FeeVault holds tokens that the network took as fees and that a policy may release.
	FeeVault Amount
	// Recycle is the part of Burned that may be minted again and was not: Helium's pool, the collateral of credits.
	Recycle Amount
	// Credits is how many dollars of credits are outstanding.
	Credits USD
	// Debts are the dollars that suppliers were owed and not paid, in ascending order of their IDs.
	Debts []Claim
	// CarryUSD is owed too: less than the price of one base unit.
	CarryUSD USD
	// CarryUnits is a fraction of a base unit, in units of 2^-64, which the next mint by a rate takes up.
	CarryUnits uint64
	// Released is what policies that pay in dollars have released in tokens, PaidUSD what that was worth when it was paid,
	// and Revenue what they took: the totals of the sustainability ratio.
	Released         Amount
	PaidUSD, Revenue USD
}

// Payout is what one supplier gets for a claim.
type Payout struct {
	ID     string
	Amount Amount
	// USD is the part of the claim that this settles.
	USD USD
}

// Result is what a step decided.
type Result struct {
	// Policy is the ID of the policy that decided.
	Policy string
	// Mint is created and counts against the cap; Remint is created again for what was burned; FromFeeVault is released.
	Mint, Remint, FromFeeVault Amount
	// Budget is the part of these that is shared out as block rewards; Payouts is the part that settles claims, in ascending
	// order of their IDs.
	Budget  Amount
	Payouts []Payout
	// Unfunded is what claims needed and the vaults did not have, UnfundedUSD what that was worth, and CutPPM the part of
	// all claims that this is, in millionths rounded up: the factor by which prices or promised returns would have to fall.
	Unfunded    Amount
	UnfundedUSD USD
	CutPPM      uint32
	// Burn orders that tokens be burned, BuyBack that tokens for so many dollars be bought and then burned. Neither counts
	// until it is reported as Inputs.Burned.
	Burn    Amount
	BuyBack USD
	// Retained is the revenue that is not spent on the buy-back.
	Retained USD
	// Issued is how many dollars of credits were sold.
	Issued USD
	// RatioPPM is revenue over dollars paid for [IDEPolicy], collateral over credits for [BurnMintPolicy], in millionths
	// rounded down, and 0 where there is none. It is at most 2^32-1.
	RatioPPM uint32
	// Flags say what was out of the ordinary.
	Flags Flags
}

// Flags is a set of what was out of the ordinary in a step.
type Flags uint8

const (
	// NoPrice says that dollars were owed or wanted and no usable price was given: nothing was released or sold for them.
	NoPrice Flags = 1 << iota
	// Capped says that the cap left less than the policy would have minted.
	Capped
	// Shortfall says that the vaults held less than was owed.
	Shortfall
	// Warned says that the collateral of credits is below the threshold of a warning.
	Warned
	// SalesHalted says that the collateral of credits is so low that no credits are sold.
	SalesHalted
)

// Has reports whether f contains all of g.
func (f Flags) Has(g Flags) bool { return f&g == g }

// String returns the names of the flags, such as "capped|shortfall", or "none".
func (f Flags) String() string {
	var out []string
	for i, name := range []string{"no price", "capped", "shortfall", "warned", "sales halted"} {
		if f&(1<<i) != 0 {
			out = append(out, name)
		}
	}
	if rest := f &^ (1<<5 - 1); rest != 0 {
		out = append(out, fmt.Sprintf("Flags(%d)", uint8(rest)))
	}
	if out == nil {
		return "none"
	}
	return strings.Join(out, "|")
}

// Total returns the supply that exists: genesis and all mints, without what was burned.
func (s PolicyState) Total() Amount { return s.Genesis + s.Minted + s.Reminted - s.Burned }

// Room returns what may still be minted within the cap: io.net's reward vault.
func (s PolicyState) Room() Amount { return s.Cap - s.Genesis - s.Minted }
