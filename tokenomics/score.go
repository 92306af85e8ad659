package tokenomics

import (
	"errors"
	"fmt"
	"math/bits"

	"github.com/shopspring/decimal"
)

// ErrScore is returned for a [ScoreInput] that earns no score; the message names the field.
var ErrScore = errors.New("tokenomics: no base score")

// ScoreVersion is a published form of the base score.
type ScoreVersion uint8

const (
	// ScoreV1 is a tenth of version 2, rounded down: the records of June 2024 before the 20th.
	ScoreV1 ScoreVersion = iota + 1
	// ScoreV2 is 50*tier + 200*m*qty + 5*hired with m in hundredths: every record from 2024-06-20 on.
	ScoreV2
)

// ScoreInput is what the base score of a device follows from.
type ScoreInput struct {
	Version ScoreVersion
	// Connectivity is the tier of the connection, 1 (low) to 4 (ultra high speed).
	Connectivity uint8
	// Multiplier weighs the model, above 0.
	Multiplier Multiplier
	// Quantity is the number of processors of the model in the device, above 0.
	Quantity uint32
	// Hired tells whether a renter uses the device.
	Hired bool
}

// BaseScore returns the weight of a device among those of its pool,
//
//	50*connectivity + 200*m*quantity + 5*hired,
//
// with the multiplier m in hundredths; version 1 is a tenth of it, rounded down. It fails with [ErrScore], because a
// device that is not eligible must not earn by its connection alone, and with [ErrOverflow].
func BaseScore(d ScoreInput) (uint64, error) {
	switch {
	case d.Version != ScoreV1 && d.Version != ScoreV2:
		return 0, fmt.Errorf("%w: version %d, want 1 or 2", ErrScore, d.Version)
	case d.Connectivity < 1 || d.Connectivity > 4:
		return 0, fmt.Errorf("%w: connectivity tier %d, want 1 to 4", ErrScore, d.Connectivity)
	case d.Multiplier == 0:
		return 0, fmt.Errorf("%w: multiplier 0, the model earns nothing", ErrScore)
	case d.Quantity == 0:
		return 0, fmt.Errorf("%w: quantity 0", ErrScore)
	}
	score := 50 * uint64(d.Connectivity)
	if d.Hired {
		score += 5
	}
	hi, hardware := bits.Mul64(200*uint64(d.Multiplier), uint64(d.Quantity))
	sum, carry := bits.Add64(hardware, score, 0)
	if hi != 0 || carry != 0 {
		return 0, fmt.Errorf("%w: base score of %d processors with multiplier %s", ErrOverflow, d.Quantity, d.Multiplier)
	}
	if d.Version == ScoreV1 {
		return sum / 10, nil
	}
	return sum, nil
}

// Normalised returns the published form of a score for display: score/total of the points of the pool, to three places,
// halves away from zero. Nothing is paid by it; without a total it is 0.
func Normalised(score, total, poolPoints uint64) decimal.Decimal {
	if total == 0 {
		return decimal.Zero
	}
	points := decimal.NewFromUint64(score).Mul(decimal.NewFromUint64(poolPoints))
	return points.DivRound(decimal.NewFromUint64(total), 3)
}

// NormalisedTo returns the same quotient, score*points/total, with as many places as asked for (0 to 1,000, or else it
// panics), cut and not rounded, and reports whether that is all of it. Most quotients have no end: what is returned
// then is below the exact value by less than one unit of the last place. Nothing is paid by it; without a total it is
// 0 and not exact.
func NormalisedTo(score, total, poolPoints uint64, places int32) (value decimal.Decimal, exact bool) {
	if places < 0 || places > 1_000 {
		panic(fmt.Sprintf("tokenomics.NormalisedTo: %d places, want 0 to 1000", places))
	}
	if total == 0 {
		return decimal.Zero, false
	}
	points := decimal.NewFromUint64(score).Mul(decimal.NewFromUint64(poolPoints))
	value, rest := points.QuoRem(decimal.NewFromUint64(total), places)
	return value, rest.IsZero()
}

// ScoreParts is what a base score tells about its device.
type ScoreParts struct {
	// Connectivity is the tier of the connection, 1 to 4.
	Connectivity uint8
	// Weight is the multiplier in hundredths times the quantity.
	Weight uint64
	// Hired tells whether a renter uses the device. A score of version 1 does not show it, and Hired is false.
	Hired bool
}

// DecodeScore takes a base score apart. The tier adds 50 to 200, being hired 5 and the hardware a multiple of 200, so
// the score's remainder by 200 names tier and hiring without a doubt. It reports false for a number that is no base
// score of the version.
func DecodeScore(v ScoreVersion, score uint64) (ScoreParts, bool) {
	if v == ScoreV1 { // a tenth, rounded down: the 5 of the hired is lost
		hi, lo := bits.Mul64(score, 10)
		if hi != 0 || lo%50 != 0 {
			return ScoreParts{}, false
		}
		score = lo
	} else if v != ScoreV2 {
		return ScoreParts{}, false
	}
	parts := ScoreParts{Connectivity: uint8(score % 200 / 50), Hired: score%50 == 5}
	if parts.Connectivity == 0 {
		parts.Connectivity = 4
	}
	base := 50 * uint64(parts.Connectivity)
	if parts.Hired {
		base += 5
	}
	if score <= base || (score-base)%200 != 0 {
		return ScoreParts{}, false
	}
	parts.Weight = (score - base) / 200
	return parts, true
}
