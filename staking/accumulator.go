package staking

import (
	"errors"
	"fmt"
	"iter"
	"math/bits"

	"github.com/idlegrid/idlegrid/internal/canon"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// ErrNobody says that a reward came while nobody had stake. The caller decides what becomes of it: whoever stakes next has
// not earned it.
var ErrNobody = errors.New("staking: reward without stake")

// Accumulator divides rewards among positions in proportion to their stake, in a time that does not depend on their
// number. It keeps the reward per unit of stake, acc, with 64 binary places:
//
//	acc += floor((reward*2^64 + carry) / stake),  carry = what is left, in 2^-64 base units
//
// and a position has earned stake * (acc - acc at its last settlement). Whole base units can be claimed, the fraction
// stays with the position. So nothing is lost and nothing appears: what came in less what went out is what the positions
// hold, their fractions and the carry, exactly ([Accumulator.Audit]).
//
// A position is less than stake*2^-64 base units short of its exact part of one reward, since the carry goes to the next
// one. Where all stake is 100 million IO, that is less than 0.0006 base units for all positions together. A position that
// holds all the stake gets the carry too, and so exactly the floor of all that came in.
//
// If the stake shrinks to the carry or below, the carry is divided among those who stay, or who come next if nobody does.
// That is all that a newcomer can get of earlier rewards, and less than one base unit: it is what earlier positions left
// behind, and whoever leaves and comes back gains nothing by it. When every position has been closed, the carry is 0.
//
// The zero value has no stake. An Accumulator and its positions belong together: a position of another one gives nonsense.
type Accumulator struct {
	total        uint64 // sum of the shares; carry < total unless it is 0
	accHi, accLo uint64 // Q64.64; it may wrap, only differences count
	carry        uint64 // in 2^-64 base units
	in, out      uint64 // whole units: all that was distributed, all that was paid or taken out
}

// Position is one holder's part of an [Accumulator]. The zero value has no stake and has earned nothing. It has 40 bytes.
type Position struct {
	shares       uint64
	accHi, accLo uint64 // the accumulator's at the last settlement
	frac         uint64 // earned, in 2^-64 base units
	pending      uint64 // earned, in whole base units
}

// Stake returns the stake of all positions, in base units.
func (a *Accumulator) Stake() tokenomics.Amount { return tokenomics.Amount(a.total) }

// Held returns what was distributed and has not been paid, in base units: what all positions have earned, with their
// fractions and the carry.
func (a *Accumulator) Held() tokenomics.Amount { return tokenomics.Amount(a.in - a.out) }

// Stake returns the position's stake, in base units.
func (p Position) Stake() tokenomics.Amount { return tokenomics.Amount(p.shares) }

// Earned returns what the position could claim now, in whole base units, rounded down: the fraction stays its own.
func (p Position) Earned(a *Accumulator) tokenomics.Amount {
	b := *a
	b.Settle(&p)
	return tokenomics.Amount(p.pending)
}

// Distribute gives a reward, in base units, to all positions. Without stake it is refused with [ErrNobody], and with
// [tokenomics.ErrOverflow] if more than 2^64-1 base units would have come in since the beginning.
func (a *Accumulator) Distribute(reward tokenomics.Amount) error {
	if a.total == 0 {
		return ErrNobody
	}
	in, over := bits.Add64(a.in, uint64(reward), 0)
	if over != 0 {
		return tokenomics.ErrOverflow
	}
	a.in = in
	whole, rest := uint64(reward)/a.total, uint64(reward)%a.total
	// rest < total, so the quotient of the low word fits 64 bits.
	low, carry := bits.Div64(rest, a.carry, a.total)
	a.carry = carry
	a.accLo, over = bits.Add64(a.accLo, low, 0)
	a.accHi += whole + over
	return nil
}

// Settle books what the position has earned since it was settled last. It never needs to be called for the sake of the
// numbers: every other method settles first.
func (a *Accumulator) Settle(p *Position) {
	p.book(a)
	if a.carry != 0 && p.shares == a.total && a.total != 0 {
		// Nobody else has a part in the carry.
		var over uint64
		p.frac, over = bits.Add64(p.frac, a.carry, 0)
		p.pending += over
		a.carry = 0
	}
}

// book settles without the carry. It cannot overflow: shares never exceed the total, so no position is owed more than all
// that came in, which is below 2^64 base units.
func (p *Position) book(a *Accumulator) {
	low, borrow := bits.Sub64(a.accLo, p.accLo, 0)
	high := a.accHi - p.accHi - borrow
	h, l := bits.Mul64(p.shares, low)
	frac, over := bits.Add64(p.frac, l, 0)
	p.frac = frac
	p.pending += p.shares*high + h + over
	p.accHi, p.accLo = a.accHi, a.accLo
}

// Set settles the position and gives it a stake, in base units, that earns from the next reward on. At 0 it keeps what it
// has earned. The error is [tokenomics.ErrOverflow] if the stake of all positions exceeds 2^64-1; nothing changes then.
func (a *Accumulator) Set(p *Position, stake tokenomics.Amount) error {
	total, over := bits.Add64(a.total-p.shares, uint64(stake), 0)
	if over != 0 {
		return tokenomics.ErrOverflow
	}
	a.Settle(p)
	a.total, p.shares = total, uint64(stake)
	a.spread()
	return nil
}

// spread keeps the carry below the total. The unit of the carry does not depend on the total, so that it can be divided by
// a total that has changed.
func (a *Accumulator) spread() {
	if a.total == 0 || a.carry < a.total {
		return
	}
	var over uint64
	a.accLo, over = bits.Add64(a.accLo, a.carry/a.total, 0)
	a.accHi += over
	a.carry %= a.total
}

// Claim settles the position and takes its whole base units. The fraction stays.
func (a *Accumulator) Claim(p *Position) tokenomics.Amount {
	a.Settle(p)
	n := p.pending
	p.pending = 0
	a.out += n
	return tokenomics.Amount(n)
}

// Close takes a position out for good: its whole base units are paid and its fraction goes to the carry, for those who
// stay. Where fractions left behind add up to a whole base unit, that unit is dust, 0 or 1, for whomever the caller gives
// what is left over. The position is the zero value afterwards.
func (a *Accumulator) Close(p *Position) (paid, dust tokenomics.Amount) {
	paid = a.Claim(p)
	a.total -= p.shares
	var unit uint64
	a.carry, unit = bits.Add64(a.carry, p.frac, 0)
	a.out += unit
	*p = Position{}
	a.spread()
	return paid, tokenomics.Amount(unit)
}

// take moves n whole units out of what the position has earned, into the hands of the caller.
func (a *Accumulator) take(p *Position, n tokenomics.Amount) {
	a.Settle(p)
	if uint64(n) > p.pending {
		panic("staking: Accumulator.take: more than was earned")
	}
	p.pending -= uint64(n)
	a.out += uint64(n)
}

// give returns n whole units that were taken before.
func (a *Accumulator) give(p *Position, n tokenomics.Amount) {
	if uint64(n) > a.out {
		panic("staking: Accumulator.give: more than was taken")
	}
	p.pending += uint64(n)
	a.out -= uint64(n)
}

// Audit compares the accumulator with all its positions, those without stake included, which are each passed once in any
// order: the stakes add up, and what came in less what went out is what they hold and the carry, to the last 2^-64 base
// unit. The error wraps [ErrAudit].
func (a *Accumulator) Audit(positions iter.Seq[Position]) error {
	// The sum has 192 bits: shares, units, and fractions of units beside their own overflow.
	var shares, units, frac, over, lost uint64
	for p := range positions {
		if overOwed(a, p) {
			return fmt.Errorf("%w: a position of stake %s is owed more than 2^64 base units", ErrAudit, p.Stake())
		}
		p.book(a)
		shares, over = bits.Add64(shares, p.shares, 0)
		lost |= over
		frac, over = bits.Add64(frac, p.frac, 0)
		units, over = bits.Add64(units, p.pending, over)
		lost |= over
	}
	frac, over = bits.Add64(frac, a.carry, 0)
	units, over = bits.Add64(units, 0, over)
	switch {
	case lost|over != 0 || shares != a.total:
		return fmt.Errorf("%w: accumulated stake is %s, that of its positions %s", ErrAudit, a.Stake(), tokenomics.Amount(shares))
	case a.total != 0 && a.carry >= a.total:
		return fmt.Errorf("%w: the carry %d is not below the stake of %d base units", ErrAudit, a.carry, a.total)
	case a.out > a.in || units != a.in-a.out || frac != 0:
		return fmt.Errorf("%w: %s came in and %s went out, but positions and carry hold %s and %d/2^64 base units",
			ErrAudit, tokenomics.Amount(a.in), tokenomics.Amount(a.out), tokenomics.Amount(units), frac)
	}
	return nil
}

// overOwed reports whether booking p would overflow, as it can only if p is not a position of a.
func overOwed(a *Accumulator, p Position) bool {
	low, borrow := bits.Sub64(a.accLo, p.accLo, 0)
	high := a.accHi - p.accHi - borrow
	h, l := bits.Mul64(p.shares, low)
	top, whole := bits.Mul64(p.shares, high)
	_, c := bits.Add64(p.frac, l, 0)
	whole, over := bits.Add64(whole, h, c)
	_, more := bits.Add64(whole, p.pending, 0)
	return top|over|more != 0
}

// accumulatorSize and positionSize are what write writes, in bytes.
const (
	accumulatorSize = 6 * 8
	positionSize    = 5 * 8
)

// write appends the accumulator in canonical form.
func (a *Accumulator) write(w *canon.Writer) {
	for _, n := range [...]uint64{a.total, a.accHi, a.accLo, a.carry, a.in, a.out} {
		w.Uint64(n)
	}
}

// readAccumulator reads what write wrote. Only Audit can say whether it is sound.
func readAccumulator(r *canon.Reader) Accumulator {
	return Accumulator{total: r.Uint64(), accHi: r.Uint64(), accLo: r.Uint64(), carry: r.Uint64(), in: r.Uint64(), out: r.Uint64()}
}

// write appends the position in canonical form.
func (p Position) write(w *canon.Writer) {
	for _, n := range [...]uint64{p.shares, p.accHi, p.accLo, p.frac, p.pending} {
		w.Uint64(n)
	}
}

// readPosition reads what write wrote. Only Accumulator.Audit can say whether it is sound.
func readPosition(r *canon.Reader) Position {
	return Position{shares: r.Uint64(), accHi: r.Uint64(), accLo: r.Uint64(), frac: r.Uint64(), pending: r.Uint64()}
}
