package staking

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"time"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// ErrYield is wrapped by every error about an [Outlook], about [Terms], and about the two figures of deterrence. The
// message names the field and its limits.
var ErrYield = errors.New("staking: yield")

// year is what yields and hazards are per.
const year = 365 * 24 * time.Hour

// Outlook is what a device can be expected to earn and to lose. It is an estimate, and no part of a pool's state.
type Outlook struct {
	// RewardLow is the lower end of the interval of RewardMean, in base units.
	RewardLow tokenomics.Amount
	// RewardMean is the whole device's reward of an epoch in which it is eligible, in base units.
	RewardMean tokenomics.Amount
	// RewardHigh is the upper end of the interval, in base units.
	RewardHigh tokenomics.Amount
	// EligiblePPM is the part of all epochs in which the device earns, in parts per million.
	EligiblePPM uint32
	// SlashHazardPPM is how many slashes a year of 365 days are expected, in parts per million: 1,000,000 is one a year.
	SlashHazardPPM uint32
	// SlashLossPPM is what one slash takes of a co-staker's stake, in parts per million.
	SlashLossPPM uint32
}

// OutlookOf estimates from what the device earned in each epoch, oldest first and zero where it earned nothing, with
// perDay epochs in a day: 24 with io.net. Epochs at the beginning that make no whole day are left out; there must be two
// days. What can be lost is not in this history and is 0 in the result.
//
// RewardMean is the sum over the number of epochs that earned anything, EligiblePPM is that number over all epochs, both
// rounded down. The interval is
//
//	mean -+ t * s / sqrt(days)
//
// where s is the standard deviation of the days' sums and t Student's 97.5 % quantile, rounded down below and up above, and
// never below 0. It covers the long-run mean in 95 of 100 cases if days are independent and nearly normal. It is made from
// days and not from hours because hours are not independent: a device that is hired or down stays so for hours. Where that
// lasts half a day, two weeks give an interval that covers the mean in 87 of 100 cases; made from hours, it would be 32.
// It is narrower still than it should be for a device that is down for days on end, and it says nothing of a change to
// come, such as next month's emission. (io.net shows the mean of 7 days only.)
//
// The error wraps [ErrYield], or is [tokenomics.ErrOverflow] if the rewards add up to more than 2^64-1.
func OutlookOf(rewards []tokenomics.Amount, perDay int) (Outlook, error) {
	if perDay < 1 {
		return Outlook{}, fmt.Errorf("%w: %d epochs in a day, at least 1", ErrYield, perDay)
	}
	days := len(rewards) / perDay
	if days < 2 {
		return Outlook{}, fmt.Errorf("%w: %d rewards, an interval needs two days of %d", ErrYield, len(rewards), perDay)
	}
	rewards = rewards[len(rewards)-days*perDay:]
	var total tokenomics.Amount
	var earned uint64
	squares := new(big.Int)
	for d := range days {
		var sum tokenomics.Amount
		for _, r := range rewards[d*perDay : (d+1)*perDay] {
			var err error
			if sum, err = sum.Add(r); err != nil {
				return Outlook{}, err
			}
			if r > 0 {
				earned++
			}
		}
		var err error
		if total, err = total.Add(sum); err != nil {
			return Outlook{}, err
		}
		n := integer(uint64(sum))
		squares.Add(squares, n.Mul(n, n))
	}
	if earned == 0 {
		return Outlook{}, nil
	}
	o := Outlook{
		RewardMean:  total / tokenomics.Amount(earned),
		EligiblePPM: uint32(earned * fullPPM / uint64(len(rewards))),
	}
	o.RewardLow, o.RewardHigh = interval(total, squares, days, earned)
	return o, nil
}

// interval returns the ends of the interval of the reward of one of so many epochs that earned, from the sum of all days
// and the sum of their squares. In thousandths of a base unit the half-width of the total is, since the days' deviations
// have the sum of squares squares - total^2/days,
//
//	days * t/sqrt(days) * sqrt((squares - total^2/days) / (days-1)) = sqrt(t^2 * (days*squares - total^2) / (days-1)).
func interval(total tokenomics.Amount, squares *big.Int, days int, earned uint64) (low, high tokenomics.Amount) {
	sum := integer(uint64(total))
	spread := new(big.Int).Mul(squares, big.NewInt(int64(days)))
	spread.Sub(spread, new(big.Int).Mul(sum, sum))
	t := big.NewInt(student(days - 1))
	spread.Mul(spread, t.Mul(t, t))
	// Up, as the root: an interval that is wider by less than a thousandth of a unit.
	spread = quotientUp(spread, big.NewInt(int64(days-1)))
	half := new(big.Int).Sqrt(spread)
	if new(big.Int).Mul(half, half).Cmp(spread) < 0 {
		half.Add(half, big.NewInt(1))
	}
	sum.Mul(sum, big.NewInt(1_000))
	each := new(big.Int).Mul(integer(earned), big.NewInt(1_000))
	below := new(big.Int).Sub(sum, half)
	if below.Sign() > 0 {
		low = tokenomics.Amount(below.Div(below, each).Uint64())
	}
	above := quotientUp(sum.Add(sum, half), each)
	if !above.IsUint64() {
		return low, math.MaxUint64
	}
	return low, tokenomics.Amount(above.Uint64())
}

// student returns the 97.5 % quantile of Student's distribution in thousandths, for so many degrees of freedom; beyond 30
// that of the next lower number in the usual table, which errs on the wide side.
func student(freedom int) int64 {
	table := []int64{
		12_706, 4_303, 3_182, 2_776, 2_571, 2_447, 2_365, 2_306, 2_262, 2_228, 2_201, 2_179, 2_160, 2_145, 2_131,
		2_120, 2_110, 2_101, 2_093, 2_086, 2_080, 2_074, 2_069, 2_064, 2_060, 2_056, 2_052, 2_048, 2_045, 2_042,
	}
	switch {
	case freedom >= 120:
		return 1_980
	case freedom >= 60:
		return 2_000
	case freedom >= 40:
		return 2_021
	}
	return table[min(freedom, len(table))-1]
}

// Validate returns an error that names the first field outside its limits; it wraps [ErrYield].
func (o Outlook) Validate() error {
	switch {
	case o.RewardLow > o.RewardMean || o.RewardMean > o.RewardHigh:
		return fmt.Errorf("%w: rewards %s, %s and %s do not rise", ErrYield, o.RewardLow, o.RewardMean, o.RewardHigh)
	case o.EligiblePPM > fullPPM:
		return fmt.Errorf("%w: eligible_ppm %d is above %d", ErrYield, o.EligiblePPM, fullPPM)
	case o.SlashLossPPM > fullPPM:
		return fmt.Errorf("%w: slash_loss_ppm %d is above %d", ErrYield, o.SlashLossPPM, fullPPM)
	}
	return nil
}

// Terms are what an offer asks for and gives, and how long a fill of it stays.
type Terms struct {
	// Amount is the whole amount of the offer, in base units, above 0.
	Amount tokenomics.Amount
	// RewardShareBps is the part of the device's rewards that the whole amount gets, in basis points, at most 10,000.
	RewardShareBps uint32
	// Epoch is the length of an epoch, above 0.
	Epoch time.Duration
	// Holding is how long the fill is active, above 0: at least the offer's lock.
	Holding time.Duration
	// Exit is how long it is bonded afterwards without earning, the wait and the cooldown: 504 hours with io.net.
	Exit time.Duration
}

// Validate returns an error that names the first field outside its limits; it wraps [ErrYield].
func (t Terms) Validate() error {
	switch {
	case t.Amount == 0:
		return fmt.Errorf("%w: amount is 0", ErrYield)
	case t.RewardShareBps > fullBps:
		return fmt.Errorf("%w: reward_share_bps %d is above %d", ErrYield, t.RewardShareBps, fullBps)
	case t.Epoch <= 0:
		return fmt.Errorf("%w: epoch %s is not above 0", ErrYield, t.Epoch)
	case t.Holding <= 0 || t.Holding > longestSpan:
		return fmt.Errorf("%w: holding %s is not in 1ns..%s", ErrYield, t.Holding, longestSpan)
	case t.Exit < 0 || t.Exit > 2*longestSpan:
		return fmt.Errorf("%w: exit %s is not in 0s..%s", ErrYield, t.Exit, 2*longestSpan)
	}
	return nil
}

// epochs returns how many epochs a fill earns in, at least: not in the one in which it was bonded.
func (t Terms) epochs() int64 { return max(0, int64(t.Holding/t.Epoch)-1) }

// bonded returns how long the stake is bound, and can be slashed, in nanoseconds.
func (t Terms) bonded() int64 { return int64(t.Holding + t.Exit) }

// Yield is what a fill brings in a year of 365 days, in parts per million of the stake: 100,000 is 10 %. It is negative
// where slashes cost more than rewards bring.
type Yield struct {
	// LowPPM is the yield at RewardLow, rounded down.
	LowPPM int64
	// MeanPPM is the yield at RewardMean, rounded down.
	MeanPPM int64
	// HighPPM is the yield at RewardHigh, rounded up.
	HighPPM int64
}

// Yield returns what a fill earns over Holding, less what slashes are expected to take over Holding and Exit, put in
// relation to the year. It does not compound, and the amount of the fill does not matter but for rounding. With the
// reward R of an epoch, the part p of eligible epochs, the n epochs that fit Holding less the one in which the fill is
// bonded, and h slashes a year that each take l:
//
//	p*n*R*share/amount * year/(Holding + Exit) - h*l
//
// The error wraps [ErrYield], or is [tokenomics.ErrOverflow] beyond 2^63-1 parts per million.
func (o Outlook) Yield(t Terms) (Yield, error) {
	if err := errors.Join(o.Validate(), t.Validate()); err != nil {
		return Yield{}, err
	}
	// All over 10^4 (share) * 10^6 (hazard and loss) * amount * (Holding + Exit).
	den := product(fullBps*fullPPM, uint64(t.Amount), uint64(t.bonded()))
	loss := product(uint64(o.SlashHazardPPM)*uint64(o.SlashLossPPM), fullBps, uint64(t.Amount), uint64(t.bonded()))
	net := func(reward tokenomics.Amount) *big.Int {
		gain := product(uint64(o.EligiblePPM), uint64(t.epochs()), uint64(reward), uint64(t.RewardShareBps), uint64(year), fullPPM)
		return gain.Sub(gain, loss)
	}
	// Div of big rounds down for a positive divisor.
	low, mean := net(o.RewardLow), net(o.RewardMean)
	low.Div(low, den)
	mean.Div(mean, den)
	high := quotientUp(net(o.RewardHigh), den)
	if !high.IsInt64() {
		return Yield{}, fmt.Errorf("staking: yield of %s base units a year for %s: %w", o.RewardHigh, t.Amount, tokenomics.ErrOverflow)
	}
	return Yield{LowPPM: low.Int64(), MeanPPM: mean.Int64(), HighPPM: high.Int64()}, nil
}

// FairShareBps returns the smallest share, in basis points, at which the mean yield reaches a hurdle, in parts per million
// a year; the terms' own share does not matter. It is rounded up:
//
//	amount * (hurdle + h*l) * (Holding + Exit) / (p*n*R * year)
//
// in the terms of [Outlook.Yield]. A result above 10,000 says that not even the whole reward would do: 15,000 that it
// would have to be half as large again. It is at most 2^32-1, which is also the result where the device earns nothing.
// The error wraps [ErrYield].
func (o Outlook) FairShareBps(t Terms, hurdlePPM uint32) (uint32, error) {
	if err := errors.Join(o.Validate(), t.Validate()); err != nil {
		return 0, err
	}
	cost := integer(uint64(hurdlePPM) * fullPPM)
	cost.Add(cost, integer(uint64(o.SlashHazardPPM)*uint64(o.SlashLossPPM)))
	cost.Mul(cost, product(fullBps, uint64(t.Amount), uint64(t.bonded())))
	gain := product(uint64(o.EligiblePPM), uint64(t.epochs()), uint64(o.RewardMean), uint64(year), fullPPM)
	switch {
	case cost.Sign() == 0:
		return 0, nil
	case gain.Sign() == 0:
		return math.MaxUint32, nil
	}
	share := quotientUp(cost, gain)
	if !share.IsUint64() {
		return math.MaxUint32, nil
	}
	return uint32(min(share.Uint64(), math.MaxUint32)), nil
}

// LeastAuditPPM returns how often cheating must be found at least for it not to pay, in parts per million: the smallest a
// with a > gain/(gain + stake), where whoever cheats gains so much if it is not found, and loses the stake if it is. Both
// are in base units. The error wraps [ErrYield] for a gain or a stake of 0: nothing tempts, or nothing deters.
func LeastAuditPPM(gain, stake tokenomics.Amount) (uint32, error) {
	if gain == 0 || stake == 0 {
		return 0, fmt.Errorf("%w: gain %s and stake %s must be above 0", ErrYield, gain, stake)
	}
	both := integer(uint64(gain))
	both.Add(both, integer(uint64(stake)))
	a := product(uint64(gain), fullPPM)
	// Above the fraction, not at it.
	return uint32(a.Div(a, both).Uint64()) + 1, nil
}

// LeastStake returns the smallest stake, in base units, with which cheating does not pay if it is found so often, in parts
// per million, 1 to 1,000,000: the smallest S with auditPPM/10^6 > gain/(gain + S). The error wraps [ErrYield] for a gain
// or an audit of 0, or is [tokenomics.ErrOverflow].
func LeastStake(gain tokenomics.Amount, auditPPM uint32) (tokenomics.Amount, error) {
	if gain == 0 || auditPPM == 0 || auditPPM > fullPPM {
		return 0, fmt.Errorf("%w: gain %s must be above 0, audit_ppm %d in 1..%d", ErrYield, gain, auditPPM, fullPPM)
	}
	n, err := gain.MulDiv(uint64(fullPPM-auditPPM), uint64(auditPPM), tokenomics.Down)
	if err != nil {
		return 0, err
	}
	// Above gain*(1-a)/a, not at it.
	return n.Add(1)
}

func integer(n uint64) *big.Int { return new(big.Int).SetUint64(n) }

func product(factors ...uint64) *big.Int {
	n := big.NewInt(1)
	for _, f := range factors {
		n.Mul(n, integer(f))
	}
	return n
}

// quotientUp returns ceil(n/den) for a positive den.
func quotientUp(n, den *big.Int) *big.Int {
	q, rest := new(big.Int).DivMod(n, den, new(big.Int))
	if rest.Sign() > 0 {
		q.Add(q, big.NewInt(1))
	}
	return q
}
