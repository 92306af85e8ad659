package tokenomics

import (
	"math/big"
	"math/rand/v2"
	"strings"
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

// The margin is what its derivation says, and a fraction is decided at exactly the margin from both whole numbers: on a
// random walk and by random access, where the walk keeps twice the distance.
func TestMarginAtItsEdges(t *testing.T) {
	p := IONet().Emission
	e := newEvaluator(p)
	floor := floorRat(p.amplitude()).Uint64()
	require.Equal(t, uint(55), e.whole)
	// 175,319 has 18 bits: (floor(A)+1) * 2^19 / 2^64, rounded up, and 3.
	bound := new(big.Int).Lsh(new(big.Int).SetUint64(floor+1), 19)
	require.Equal(t, bound.Rsh(bound, 64).Uint64()+1+3, e.margin)

	for k := Epoch(1); k < 50; k++ {
		power := e.powers[0]
		for range k - 1 {
			power = power.mulHigh(e.powers[0])
		}
		walked := func(margin uint64) bool {
			f := e
			f.margin = margin
			w := f.walk()
			var safe bool
			for range k {
				_, safe = w.next()
			}
			return safe
		}
		_, frac := e.value(power)
		near := min(frac, ^frac) // the distance to the next whole number, less one unit above
		require.True(t, walked(near/2), "epoch %d", k)
		require.False(t, walked(near/2+1), "epoch %d", k)
	}
	// By random access: epoch 1 is the first power itself. Both sides of a whole number come up.
	below, above := 0, 0
	for base := range Amount(40) {
		p.Base = 500_000_000*UnitsPerToken + base*12_345
		e := newEvaluator(p)
		_, frac := e.value(e.powers[0])
		if frac>>63 == 0 {
			above++
		} else {
			below++
		}
		e.margin = min(frac, ^frac)
		_, decided := e.at(1)
		require.True(t, decided, "base %d", base)
		e.margin++
		_, decided = e.at(1)
		require.False(t, decided, "base %d", base)
	}
	require.Greater(t, min(below, above), 5)
}

// Almost all epochs are decided by one product each, and all by random access: what is slow is rare.
func TestFastPathIsTaken(t *testing.T) {
	p := IONet().Emission
	e := newEvaluator(p)
	w := e.walk()
	left := 0
	for k := Epoch(1); k <= p.Epochs; k++ {
		if _, safe := w.next(); !safe {
			left++
		}
		if _, decided := e.at(k); !decided {
			t.Fatalf("epoch %d is left open", k)
		}
	}
	require.Zero(t, left)
}

func TestQuote(t *testing.T) {
	require.Equal(t, `"`+strings.Repeat("x", 40)+`"`, quote(strings.Repeat("x", 40)))
	require.Equal(t, `"`+strings.Repeat("x", 40)+`"... (41 bytes)`, quote(strings.Repeat("x", 41)))
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
