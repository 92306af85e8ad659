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
