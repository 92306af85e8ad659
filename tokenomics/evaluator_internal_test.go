package tokenomics

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
)

// The slow evaluation, by intervals for most epochs, agrees with the fast one wherever the fast one decides.
func TestExactAgreesWithFast(t *testing.T) {
	p := IONet().Emission
	e := newEvaluator(p)
	for k := Epoch(1); k <= p.Epochs; k += 997 {
		fast, decided := e.at(k)
		require.True(t, decided, "epoch %d", k)
		require.Equal(t, exactCumulative(p, k), fast, "epoch %d", k)
	}
}

func TestPublishedScheduleNeedsNoExactEpoch(t *testing.T) {
	s, err := NewSchedule(IONet().Emission)
	require.NoError(t, err)
	require.Empty(t, s.hard)
	require.Equal(t, Epoch(175_319), s.last)
}

func TestWholeNumbersTakeTheExactPath(t *testing.T) {
	half := decimal.RequireFromString("0.5")
	s, err := NewSchedule(EmissionParams{Base: 1 << 40, Rate: half, Decline: half, Epochs: 500, Cap: 1 << 41})
	require.NoError(t, err)
	require.Len(t, s.hard, 40, "epochs 1 to 40 are whole numbers")
	require.Equal(t, Epoch(40), s.last, "2^40 - 1 is reached and never passed")
}

// Every evaluation of at, decided or not, lies within the margin of the true value.
func TestMarginHolds(t *testing.T) {
	p := IONet().Emission
	e := newEvaluator(p)
	a := p.amplitude()
	const width = 512
	for k := Epoch(1); k <= p.Epochs; k += 4_999 {
		lo, hi := powerBounds(p.retained(), k, width)
		require.Positive(t, hi.Cmp(lo))
		// The true value in units of 2^-64, to far less than one unit.
		v := new(big.Int).Lsh(big.NewInt(1), width)
		v.Sub(v, lo)
		v.Mul(v, a.Num())
		v.Quo(v, new(big.Int).Lsh(a.Denom(), width-64))

		power := e.powers[0]
		for range k - 1 { // the walk, whose error is the largest
			power = power.mulHigh(e.powers[0])
		}
		c, frac := e.value(power)
		got := new(big.Int).Lsh(new(big.Int).SetUint64(uint64(c)), 64)
		got.Add(got, new(big.Int).SetUint64(frac))
		off := got.Sub(got, v)
		require.Negative(t, off.CmpAbs(new(big.Int).SetUint64(e.margin)), "epoch %d is off by %s of 2^-64", k, off)
	}
}

func TestMulHigh(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	big128 := func(x uint128) *big.Int {
		v := new(big.Int).Lsh(new(big.Int).SetUint64(x.hi), 64)
		return v.Add(v, new(big.Int).SetUint64(x.lo))
	}
	pick := func() uint64 { // all ones and zeros often, for the carries
		switch r.IntN(4) {
		case 0:
			return 0
		case 1:
			return 1<<64 - 1
		}
		return r.Uint64()
	}
	for range 20_000 {
		x, y := uint128{pick(), pick()}, uint128{pick(), pick()}
		want := new(big.Int).Mul(big128(x), big128(y))
		require.Zero(t, want.Rsh(want, 128).Cmp(big128(x.mulHigh(y))), "%x * %x", x, y)
	}
}
