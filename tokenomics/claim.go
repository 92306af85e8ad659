package tokenomics

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// settled is what became of the dollars that were owed in one step.
type settled struct {
	pay         Amount // leaves the vaults
	payouts     []Payout
	unfunded    Amount // was needed besides
	paidUSD     USD
	unfundedUSD USD
	cutPPM      uint32
	flags       Flags
}

// settleClaims pays what is owed, older debts included, in tokens at the price of the step:
//
//	need = floor((claims + carry) * 10^d / price),  pay = min(need, most)
//
// for a token of d places. What is paid is worth ceil(pay * price / 10^d) dollars. If all is funded the rest, less than the price of one base
// unit, is carried; otherwise what is unpaid is divided among the claims as debts, in proportion to them. Nothing is lost:
//
//	claims + carry = paid + debts + new carry.
//
// A need beyond 64 bits counts as the largest number. The price rounds against the suppliers by less than one base unit, and the carry makes it good.
func settleClaims(s *PolicyState, in Inputs, most Amount) (settled, error) {
	claims, sum, err := mergeClaims(s.Debts, in.Owed)
	if err != nil {
		return settled{}, err
	}
	if sum == 0 { // a carry alone is owed to nobody by name
		return settled{}, nil
	}
	total, err := sum.Add(s.CarryUSD)
	if err != nil {
		return settled{}, fmt.Errorf("claims: %w", err)
	}
	if in.Release.MicroPerToken == 0 {
		s.Debts = slices.Clone(claims)
		return settled{flags: NoPrice}, nil
	}
	need, _, err := s.Decimals.Convert(total, in.Release)
	if errors.Is(err, ErrOverflow) { // at such a price nobody has as much: no epoch may hang on it
		need, err = math.MaxUint64, nil
	}
	if err != nil {
		return settled{}, fmt.Errorf("claims: %w", err)
	}
	out := settled{pay: min(need, most)}
	out.unfunded = need - out.pay
	// At most total: pay <= need, and need base units cost no more than total.
	if out.paidUSD, err = s.Decimals.Cost(out.pay, in.Release); err != nil {
		return settled{}, fmt.Errorf("claims: %w", err)
	}
	unpaid := total - out.paidUSD
	if out.unfunded == 0 {
		s.CarryUSD, unpaid = unpaid, 0
	} else {
		out.flags = Shortfall
		out.unfundedUSD = min(unpaid, sum)
		s.CarryUSD, unpaid = unpaid-out.unfundedUSD, out.unfundedUSD
		cut, err := mulDiv(uint64(out.unfunded), 1_000_000, uint64(need), Up)
		if err != nil {
			return settled{}, fmt.Errorf("claims: %w", err)
		}
		out.cutPPM = uint32(cut)
	}
	out.payouts, s.Debts = divideClaims(claims, sum, out.pay, unpaid)
	return out, nil
}

// divideClaims divides the tokens and the unpaid dollars among the claims, whose sum is above zero, as [Split] does, in the
// order of their IDs.
func divideClaims(claims []Claim, sum USD, pay Amount, unpaid USD) (payouts []Payout, debts []Claim) {
	tokens, owed := proportion{total: uint64(pay), sum: uint64(sum)}, proportion{total: uint64(unpaid), sum: uint64(sum)}
	payouts = make([]Payout, len(claims))
	for i, c := range claims {
		debt := USD(owed.next(uint64(c.USD))) // at most the claim, as unpaid is at most their sum
		payouts[i] = Payout{ID: c.ID, Amount: Amount(tokens.next(uint64(c.USD))), USD: c.USD - debt}
		if debt > 0 {
			debts = append(debts, Claim{ID: c.ID, USD: debt})
		}
	}
	return payouts, debts
}

// mergeClaims adds what is owed newly to what was owed before, both in ascending order of their IDs, and leaves out what is
// nothing. The slices that it is given are not changed; the claims may share memory with them.
func mergeClaims(debts, owed []Claim) (claims []Claim, sum USD, err error) {
	for i, c := range owed {
		if c.ID == "" || i > 0 && owed[i-1].ID >= c.ID {
			return nil, 0, fmt.Errorf("%w: owed: claim %d, of %s, is not in ascending order of IDs", ErrInputs, i+1, quote(c.ID))
		}
	}
	if len(debts) == 0 && !slices.ContainsFunc(owed, Claim.none) {
		for _, c := range owed {
			if sum, err = sum.Add(c.USD); err != nil {
				return nil, 0, fmt.Errorf("owed to all: %w", err)
			}
		}
		return owed, sum, nil
	}
	claims = make([]Claim, 0, len(debts)+len(owed))
	for len(debts) > 0 || len(owed) > 0 {
		var next Claim
		switch {
		case len(owed) == 0 || len(debts) > 0 && debts[0].ID < owed[0].ID:
			next, debts = debts[0], debts[1:]
		case len(debts) == 0 || owed[0].ID < debts[0].ID:
			next, owed = owed[0], owed[1:]
		default:
			next = debts[0]
			if next.USD, err = next.USD.Add(owed[0].USD); err != nil {
				return nil, 0, fmt.Errorf("owed to %s: %w", quote(next.ID), err)
			}
			debts, owed = debts[1:], owed[1:]
		}
		if next.none() {
			continue
		}
		if sum, err = sum.Add(next.USD); err != nil {
			return nil, 0, fmt.Errorf("owed to all: %w", err)
		}
		claims = append(claims, next)
	}
	return claims, sum, nil
}

// none reports whether nothing is claimed.
func (c Claim) none() bool { return c.USD == 0 }
