package simulate

import (
	"fmt"
	"math/bits"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// mulDiv returns a*b/c rounded down, or the largest number where that has more than 64 bits or c is 0.
func mulDiv(a, b, c uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	if hi >= c {
		return 1<<64 - 1
	}
	q, _ := bits.Div64(hi, lo, c)
	return q
}

// tokens returns how many base units dollars buy, rounded down.
func tokens(usd, micro uint64) tokenomics.Amount {
	return tokenomics.Amount(mulDiv(usd, tokenomics.UnitsPerToken, micro))
}

// forSale is the most that a buyer finds in a month: a tenth of what is liquid.
func (r *run) forSale() tokenomics.Amount { return r.book.liquid / 10 }

// pay steps the policy and moves what it decides: new tokens to suppliers, and what the treasury buys out of the market.
func (w *world) pay(r *run, n *now) error {
	burned := r.book.bought
	in := tokenomics.Inputs{
		Start: n.start, End: n.end, Burned: burned,
		Release: tokenomics.Price{MicroPerToken: max(n.micro, n.average), At: n.end, Source: "simulation"},
		Credit:  tokenomics.Price{MicroPerToken: min(n.micro, n.average), At: n.end, Source: "simulation"},
	}
	fee := tokenomics.Amount(0)
	switch n.rule {
	case Monthly:
		in.Revenue = tokenomics.USD(n.fees)
	case Incentive:
		// Fees fill the fee vault; the rest of the rents is the revenue of which the surplus is taken.
		fee = min(tokens(n.fees, n.micro), r.forSale())
		in.FeesIn, in.Revenue = fee, tokenomics.USD(n.gross-n.fees)
		in.Owed = w.claims(n)
	case BurnMint:
		in.Wanted, in.Revenue = tokenomics.USD(n.gross), tokenomics.USD(n.fees)
		n.due = n.gross - n.fees
		in.Owed = claim(n.due)
	}
	state, res, err := n.policy.Step(r.state, in)
	if err != nil {
		return err
	}
	if state.Burned != r.state.Burned+burned {
		return fmt.Errorf("%w: %s was burned, the policy says %s", errBooks, burned, state.Burned-r.state.Burned)
	}
	r.book.bought = 0 // burned: the policy's total is what the audit compares with
	move(&r.book.liquid, &r.book.fees, fee)
	move(&r.book.fees, &r.book.liquid, res.FromFeeVault)
	r.book.liquid += res.Mint + res.Remint
	r.state = state
	n.emission = res.Mint + res.Remint + res.FromFeeVault
	n.rewards, n.unfundedUSD = uint64(res.Budget), uint64(res.UnfundedUSD)
	for _, p := range res.Payouts {
		n.rewards, n.settled = n.rewards+uint64(p.Amount), n.settled+uint64(p.USD)
	}
	return w.buy(r, n, &res)
}

// claim is what all suppliers are owed together; cohorts of one class are paid alike.
func claim(usd uint64) []tokenomics.Claim {
	if usd == 0 {
		return nil
	}
	return []tokenomics.Claim{{ID: "suppliers", USD: tokenomics.USD(usd)}}
}

// claims works out what the engine owes: the target for as many machines as demand needs at the target utilisation, and
// for no more than there are. All active machines of a class share it.
func (w *world) claims(n *now) []tokenomics.Claim {
	for c := range w.classes {
		share := ratio(n.used[c], w.target, uint64(one))
		n.owed[c] = part(part(w.classes[c].target, n.cheap), share)
		n.due += n.owed[c] * (n.machines[c] * n.hours >> machineBits)
	}
	return claim(n.due)
}

// buy takes out of the market what is to be burned.
func (w *world) buy(r *run, n *now, res *tokenomics.Result) error {
	want := tokenomics.Amount(0)
	switch n.rule {
	case Monthly:
		price := func(micro uint64) tokenomics.Price {
			return tokenomics.Price{MicroPerToken: micro, At: n.end, Source: "simulation"}
		}
		var err error
		if want, err = w.p.Network.Burn.Burn(tokens(n.fees, n.micro), price(n.micro), price(n.average)); err != nil {
			return err
		}
	case Incentive:
		want = tokens(uint64(res.BuyBack), n.micro)
	case BurnMint:
		want = res.Burn
	}
	n.burn = min(want, r.forSale())
	n.burnUSD = usd(uint64(n.burn), n.micro)
	move(&r.book.liquid, &r.book.bought, n.burn)
	return nil
}

// paidPart returns, in Q32 and at most 4, what part of a month's claims was paid, at the price of the month.
func (n *now) paidPart() uint64 {
	if n.rule == Monthly || n.due == 0 {
		return uint64(one)
	}
	return ratio(usd(n.rewards, n.micro), n.due, 4*uint64(one))
}

// restake lets owners and co-stakers look at their returns and move their stakes.
func (w *world) restake(r *run, n *now) {
	coShare := uint64(0) // of the rewards, Q32
	if w.coMost > 0 {
		coShare = mulDiv(uint64(r.co), w.offer, uint64(w.coMost))
	}
	n.stakeAPR = mulDiv((n.rewards-part(n.rewards, coShare))*12, million, uint64(r.book.own))
	if w.coMost > 0 { // rewards * offer * (co/most) over stake * co: what part co-stakers hold cancels
		n.coAPR = mulDiv(n.rewards*12, w.p.Stake.OfferPPM*million/w.p.Stake.CoMostPPM, uint64(r.book.own+r.book.co))
	}
	pull := func(apr, hurdle uint64) int64 { // -1 to 1 times the speed
		return mulQ(w.stakeSpeed, int64(ratio(min(apr, 2*hurdle), hurdle, 2*uint64(one)))-one)
	}
	r.coverage = max(w.least, min(one, r.coverage+pull(n.stakeAPR, w.p.Stake.HurdlePPM)))
	r.co = max(0, min(w.coMost, r.co+pull(n.coAPR, w.p.Stake.CoHurdlePPM)))
	var required uint64
	for c := range w.classes {
		hi, lo := bits.Mul64(n.machines[c], uint64(w.classes[c].stake))
		required += hi<<(64-machineBits) | lo>>machineBits
	}
	total := min(part(required, uint64(r.coverage)), uint64(r.book.circulating())/2)
	co := tokenomics.Amount(part(total, uint64(r.co)))
	own := tokenomics.Amount(total) - co
	move(&r.book.own, &r.book.liquid, r.book.own)
	move(&r.book.co, &r.book.liquid, r.book.co)
	move(&r.book.liquid, &r.book.own, own)
	move(&r.book.liquid, &r.book.co, co)
}
