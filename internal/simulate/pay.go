package simulate

import (
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
	in := tokenomics.Inputs{Start: n.start, End: n.end}
	if n.rule != Monthly {
		in.Release, in.Credit = n.quote(n.micro), n.quote(n.micro)
	}
	var res tokenomics.Result
	switch n.rule {
	case Monthly:
		in.Revenue = tokenomics.USD(n.fees)
	case Incentive:
		// What was retained of the month before is converted for the fee vault; dollars that find no tokens stay.
		in.FeesIn = min(tokens(r.retained, n.micro), r.forSale())
		r.retained -= min(r.retained, usd(uint64(in.FeesIn), n.micro))
		in.Owed, in.Revenue = w.topUp(n), tokenomics.USD(n.fees)
	case BurnMint:
		// In the first half of the month renters buy credits, with what tokens they find; in the second these are burned,
		// and suppliers and network are paid for what they earned.
		in.Wanted = tokenomics.USD(min(n.gross, usd(uint64(r.forSale()), in.Credit.MicroPerToken)))
		in.End = n.mid
		if err := w.decide(r, n, &in, &res); err != nil {
			return err
		}
		n.gross = uint64(res.Issued)
		n.fees = n.gross * w.p.Treasury.FeePPM / million
		move(&r.book.liquid, &r.book.bought, res.Burn)
		n.burn = res.Burn
		in.Start, in.End, in.Wanted, in.Revenue, n.due = n.mid, n.end, 0, tokenomics.USD(n.fees), n.gross-n.fees
		in.Owed = claims(n.fees, n.due)
	}
	if err := w.decide(r, n, &in, &res); err != nil {
		return err
	}
	// Credits that were bought and redeemed in the month are neither emission nor burn.
	round := min(n.burn, res.Remint)
	n.burn, n.emission = n.burn-round, n.emission-round
	return w.buy(r, n, &res)
}

// quote returns a price of the month.
func (n *now) quote(micro uint64) tokenomics.Price {
	return tokenomics.Price{MicroPerToken: micro, At: n.end, Source: "simulation"}
}

// decide takes the policy through a part of a month. What was bought to be burned before is confirmed by it. An error ends
// the run.
func (w *world) decide(r *run, n *now, in *tokenomics.Inputs, res *tokenomics.Result) (err error) {
	in.Burned = r.book.bought
	if r.state, *res, err = w.rules[n.rule].Step(r.state, *in); err != nil {
		return err
	}
	r.book.bought = 0
	move(&r.book.liquid, &r.book.fees, in.FeesIn)
	move(&r.book.fees, &r.book.liquid, res.FromFeeVault)
	r.book.liquid += res.Mint + res.Remint
	n.emission += res.Mint + res.Remint + res.FromFeeVault
	n.budget += uint64(res.Budget)
	n.unfundedUSD += uint64(res.UnfundedUSD)
	for _, p := range res.Payouts {
		if p.ID == suppliers {
			n.settled += uint64(p.Amount)
		}
	}
	if n.rewards = n.budget; n.rule != BurnMint {
		n.rewards += n.settled
	}
	return nil
}

// network and suppliers have claims on the policy; cohorts of one class are paid alike.
const network, suppliers = "network", "suppliers"

func claims(fees, due uint64) (out []tokenomics.Claim) {
	if fees > 0 {
		out = append(out, tokenomics.Claim{ID: network, USD: tokenomics.USD(fees)})
	}
	if due > 0 {
		out = append(out, tokenomics.Claim{ID: suppliers, USD: tokenomics.USD(due)})
	}
	return out
}

// topUp works out what the engine owes: what rents leave short of the target. Of a class that is used less than the target
// utilisation it pays only for as many machines as demand needs; all active machines of the class share that.
func (w *world) topUp(n *now) []tokenomics.Claim {
	for c := range w.classes {
		share := ratio(n.used[c], w.target, uint64(one))
		promised := part(part(w.classes[c].target, n.cheap), share)
		n.owed[c] = promised - min(promised, part(part(n.rent[c], n.used[c]), w.keep))
		n.due += n.owed[c] * (n.machines[c] * n.hours >> machineBits)
	}
	return claims(0, n.due)
}

// buy takes out of the market what is to be burned: of the fees what the burn policy says, of a surplus what the engine
// orders.
func (w *world) buy(r *run, n *now, res *tokenomics.Result) error {
	want := tokens(uint64(res.BuyBack), n.micro)
	if n.rule != Incentive {
		var err error
		if want, err = w.p.Network.Burn.Burn(tokens(n.fees, n.micro), n.quote(n.micro), n.quote(n.average)); err != nil {
			return err
		}
	}
	want = min(want, r.forSale())
	if n.rule == Incentive {
		r.retained += n.fees - min(n.fees, usd(uint64(want), n.micro))
	}
	n.burn += want
	n.burnUSD = usd(uint64(n.burn), n.micro)
	move(&r.book.liquid, &r.book.bought, want)
	return nil
}

// paidPart returns, in Q32 and at most 4, what part of a month's claims was paid, at the price of the month.
func (n *now) paidPart() uint64 {
	if n.due == 0 {
		return 0
	}
	return ratio(usd(n.settled, n.micro), n.due, 4*uint64(one))
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
	w.lock(r, n)
}

// lock stakes what the ratios of the run ask for, and at most half of what circulates.
func (w *world) lock(r *run, n *now) {
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
