package spl

import (
	"fmt"
	"math/bits"
	"slices"
)

// feePerSignature is what each signature of a transaction costs, in lamports. It has been the same since the cluster's start;
// a test compares it with what the runtime charges.
const feePerSignature = 5000

// Cost is what a number of payouts costs, in lamports.
type Cost struct {
	Payouts      uint64
	Transactions uint64 // that pay
	Fees         uint64 // of these: signatures and priority
	Reclaims     uint64 // transactions that take the markers' rent back
	ReclaimFees  uint64 // of these
	Float        uint64 // rent that stays in the markers until then, and comes back
}

// Cost returns what payouts in full transactions of the shape cost, at a priority fee a transaction and the rent of a marker
// as the chain names it, both in lamports. Markers are reclaimed in transactions of the same format, as many as fit. It is an
// error if not even one line fits, or if the sum is beyond 64 bits.
func (s Shape) Cost(payouts, priority, rent uint64) (Cost, error) {
	s.Priority = s.Priority || priority > 0
	lines := uint64(s.MaxLines())
	if lines == 0 {
		return Cost{}, fmt.Errorf("spl: no line fits into a transaction of shape %+v", s)
	}
	c := Cost{Payouts: payouts, Transactions: up(payouts, lines)}
	var over [3]uint64
	over[0], c.Fees = bits.Mul64(c.Transactions, feePerSignature*uint64(s.signers())+priority)
	if s.Marker {
		c.Reclaims = up(c.Transactions, uint64(s.Format.MaxReclaims()))
		over[1], c.ReclaimFees = bits.Mul64(c.Reclaims, feePerSignature)
		over[2], c.Float = bits.Mul64(c.Transactions, rent)
	}
	if over != [3]uint64{} || c.Total() < c.Fees || priority > ^uint64(0)-feePerSignature*maxSigners {
		return Cost{}, fmt.Errorf("spl: the cost of %d payouts at a priority fee of %d is beyond 64 bits", payouts, priority)
	}
	return c, nil
}

// Total returns what is gone: the fees, without the rent, which comes back.
func (c Cost) Total() uint64 { return c.Fees + c.ReclaimFees }

// MilliPerPayout returns the total for each payout in thousandths of a lamport, rounded up, against us.
func (c Cost) MilliPerPayout() uint64 {
	if c.Payouts == 0 {
		return 0
	}
	high, low := bits.Mul64(c.Total(), 1000)
	if high >= c.Payouts {
		return ^uint64(0)
	}
	q, r := bits.Div64(high, low, c.Payouts)
	if r > 0 {
		q++
	}
	return q
}

// MaxReclaims returns how many markers one transaction of the format takes the rent back of, without a priority fee and with
// both budgets set in version 1.
func (f Format) MaxReclaims() int {
	// TransferWithSeed: tag, lamports, length and seed, owner; three accounts, of which the marker is a new address.
	const data, accounts, key = 4 + 8 + 8 + maxSeed + 32, 3, 32
	switch f {
	case V1:
		return (maxBytesV1 - (42 + 2*32 + 8 + 64)) / (key + 4 + accounts + data)
	case V0:
		return (maxBytesOld - (1 + 64 + 1 + 3 + 1 + 2*32 + 32 + 1 + 1)) / (key + 3 + accounts + data)
	case Legacy:
		return (maxBytesOld - (1 + 64 + 3 + 1 + 2*32 + 32 + 1)) / (key + 3 + accounts + data)
	}
	return 0
}

// Percentile returns the p-th percentile of prices, 1 to 100, by the nearest rank: the smallest price that is not less than p of a
// hundred of them. Of none it is 0. The slice is left as it is.
func Percentile(prices []uint64, p uint8) (uint64, error) {
	if p < 1 || p > 100 {
		return 0, fmt.Errorf("spl: percentile %d, want 1 to 100", p)
	}
	if len(prices) == 0 {
		return 0, nil
	}
	sorted := slices.Sorted(slices.Values(prices))
	return sorted[(len(sorted)*int(p)+99)/100-1], nil
}

// PriorityFee returns what units cost at a price in millionths of a lamport each, rounded up as the runtime does, and at most the
// cap, in lamports.
func PriorityFee(price uint64, units uint32, most uint64) uint64 {
	const micro = 1_000_000
	high, low := bits.Mul64(price, uint64(units))
	if high >= micro {
		return most
	}
	q, r := bits.Div64(high, low, micro)
	if r > 0 && q < ^uint64(0) {
		q++
	}
	return min(q, most)
}

// up divides and rounds up.
func up(a, b uint64) uint64 {
	if a == 0 {
		return 0
	}
	return (a-1)/b + 1
}
