package challenge_test

import (
	"math"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu/challenge"
)

func TestParams(t *testing.T) {
	require.NoError(t, challenge.DefaultParams().Validate())
	for says, change := range map[string]func(p *challenge.Params){
		"tolerance 0, want 1 to 1000000":  func(p *challenge.Params) { p.Tolerance = 0 },
		"tolerance 1000001":               func(p *challenge.Params) { p.Tolerance = 1_000_001 },
		"excess 999999, want 1000000 to":  func(p *challenge.Params) { p.Excess = 999_999 },
		"rttBound -1ns, want 0s to 1s":    func(p *challenge.Params) { p.RTTBound = -1 },
		"rttBound 1.000000001s":           func(p *challenge.Params) { p.RTTBound = time.Second + 1 },
		"fillTime 0s, want above 0s":      func(p *challenge.Params) { p.FillTime = 0 },
		"patience 1h0m0.000000001s, want": func(p *challenge.Params) { p.Patience = time.Hour + 1 },
		"openTime -1ns, want above 0s":    func(p *challenge.Params) { p.OpenTime = -1 },
	} {
		p := challenge.DefaultParams()
		change(&p)
		require.ErrorIs(t, p.Validate(), challenge.ErrInvalid)
		require.ErrorContains(t, p.Validate(), says)
	}
}

func TestCredit(t *testing.T) {
	p := challenge.DefaultParams()
	ms := func(list ...int) (out []time.Duration) {
		for _, x := range list {
			out = append(out, time.Duration(x)*time.Millisecond)
		}
		return out
	}
	for _, row := range []struct {
		pings []time.Duration
		want  int
	}{
		{nil, 0},
		{ms(9, 9, 9, 9), 0},
		{ms(9, 7, 8, 9, 9), 7},
		{ms(149, 150, 200, 300, 400), 149},
		{ms(151, 152, 153, 154, 155), 150},
		{ms(9, 9, 9, 9, -1), 0},
		{ms(0, 9, 9, 9, 9), 0},
	} {
		require.Equal(t, time.Duration(row.want)*time.Millisecond, p.Credit(row.pings), "%v", row.pings)
	}
}

// FuzzDeadline holds the 128-bit arithmetic to math/big.
func FuzzDeadline(f *testing.F) {
	f.Add(uint64(35_184_372_088_832), uint64(1e15), uint32(700_000), int64(1e8))
	f.Add(uint64(math.MaxUint64), uint64(1), uint32(1), int64(1e9))
	f.Add(uint64(0), uint64(1), uint32(1_000_000), int64(0))
	f.Fuzz(func(t *testing.T, work, rate uint64, tolerance uint32, credit int64) {
		p := challenge.DefaultParams()
		p.Tolerance = tolerance%1_000_000 + 1
		c := time.Duration(uint64(credit) % 1e9)
		u := func(x uint64) *big.Int { return new(big.Int).SetUint64(x) }
		least := u(rate)
		least.Quo(least.Mul(least, u(uint64(p.Tolerance))), u(1e6))
		if least.Sign() == 0 {
			least = u(1)
		}
		want := u(work)
		want.Mul(want, u(1e9)).Add(want, least).Sub(want, u(1)).Quo(want, least)
		want.Add(want, u(uint64(c)))
		if want.Cmp(u(math.MaxInt64)) > 0 {
			want = u(math.MaxInt64)
		}
		require.Equal(t, want.Int64(), int64(p.Deadline(work, rate, c)))
	})
}

// TestDetection: the figures that the protocol was sized by, and the ends.
func TestDetection(t *testing.T) {
	for _, row := range []struct{ wrong, k, want uint32 }{
		{10_000_000, 128, 723_748_332},
		{20_000_000, 128, 924_675_251},
		{50_000_000, 128, 998_591_938},
		{50_000_000, 256, 999_998_017},
		{0, 128, 0},
		{1, 1, 1},
		{challenge.Billion, 1, challenge.Billion},
		{challenge.Billion, 0, 0},
		{math.MaxUint32, 3, challenge.Billion},
		{challenge.Billion / 2, 1, challenge.Billion / 2},
		{challenge.Billion / 2, 2, challenge.Billion / 4 * 3},
	} {
		require.Equal(t, row.want, challenge.Detection(row.wrong, row.k), "%+v", row)
	}
	require.Equal(t, uint32(challenge.Billion), challenge.Undetected(0, 1_000_000))
	for _, k := range []uint32{1, 128, 2048} {
		f := challenge.Undetected(k, 1_000_000)
		require.Greater(t, challenge.Billion-challenge.Detection(f, k), uint32(1_000_000))
		require.LessOrEqual(t, challenge.Billion-challenge.Detection(f+1, k), uint32(1_000_000))
	}
}

func TestRates(t *testing.T) {
	table, err := challenge.NewRates(append(challenge.PublishedRates(), rated()))
	require.NoError(t, err)
	r, ok := table.Rate("test", challenge.Int8)
	require.True(t, ok)
	require.Equal(t, rated(), r)
	_, ok = table.Rate("test", challenge.Fp16Ints)
	require.False(t, ok)
	for _, r := range challenge.PublishedRates() {
		require.Zero(t, r.OpsPerSec+r.ReadsPerSec, "none was measured")
		require.NotEmpty(t, r.PeakSource)
	}
	for says, change := range map[string]func(r *challenge.Rate){
		"model is empty":              func(r *challenge.Rate) { r.Model = "" },
		"kind 2":                      func(r *challenge.Rate) { r.Kind = 2 },
		"peakSource is empty":         func(r *challenge.Rate) { r.PeakSource = "" },
		"at most the peak":            func(r *challenge.Rate) { r.Peak = r.OpsPerSec - 1 },
		"driver is empty":             func(r *challenge.Rate) { r.Driver = "" },
		"kernel is empty":             func(r *challenge.Rate) { r.Kernel = "" },
		"source is empty":             func(r *challenge.Rate) { r.Source = "" },
		`measured "soon", want a day`: func(r *challenge.Rate) { r.Measured = "soon" },
		"runs 2, want at least 3":     func(r *challenge.Rate) { r.Runs = 2 },
		"spread 1000000, want below":  func(r *challenge.Rate) { r.Spread = 1_000_000 },
		"clockMHz 0":                  func(r *challenge.Rate) { r.ClockMHz = 0 },
	} {
		r := rated()
		change(&r)
		_, err := challenge.NewRates([]challenge.Rate{r})
		require.ErrorIs(t, err, challenge.ErrInvalid)
		require.ErrorContains(t, err, says)
	}
	_, err = challenge.NewRates([]challenge.Rate{rated(), rated()})
	require.ErrorContains(t, err, "stands twice")
}

func TestFit(t *testing.T) {
	s := small(challenge.Int8, 64, 1, 32, 128)
	got, err := challenge.Fit(s, 1e15, 2*time.Second, 80<<30)
	require.NoError(t, err)
	require.Equal(t, []uint32{65536, 3}, []uint32{got.N, got.Rounds})
	got, err = challenge.Fit(s, 1e15, 2*time.Second, 8<<30)
	require.NoError(t, err)
	require.Equal(t, []uint32{32768, 16}, []uint32{got.N, got.Rounds}, "memory bounds the side, and then the trees of the rounds")
	s.Memory = tabled().Memory
	got, err = challenge.Fit(s, 1e15, 2*time.Second, 80<<30)
	require.NoError(t, err)
	require.Equal(t, uint64(72<<30), got.Memory.Bytes)
	require.LessOrEqual(t, got.DeviceBytes(), uint64(80<<30))
	for _, f := range []func() (challenge.Spec, error){
		func() (challenge.Spec, error) { return challenge.Fit(s, 0, time.Second, 1<<30) },
		func() (challenge.Spec, error) { return challenge.Fit(s, 1, 0, 1<<30) },
		func() (challenge.Spec, error) { return challenge.Fit(s, 1e15, time.Second, 1<<14) },
	} {
		_, err = f()
		require.ErrorIs(t, err, challenge.ErrInvalid)
	}
}

func TestSchedule(t *testing.T) {
	s := challenge.Schedule{Epoch: 24 * time.Hour, PerEpoch: 100}
	require.NoError(t, s.Validate(3*time.Second))
	require.Equal(t, uint64(3542), s.Load(3*time.Second))
	require.ErrorContains(t, s.Validate(time.Minute), "load of 70834 ppm, at most 20000")
	for _, bad := range []challenge.Schedule{{Epoch: time.Second}, {Epoch: 721 * time.Hour}, {Epoch: time.Hour, PerEpoch: 1001}} {
		require.ErrorIs(t, bad.Validate(time.Millisecond), challenge.ErrInvalid)
	}
	require.ErrorIs(t, s.Validate(0), challenge.ErrInvalid)
	key, beacon := [32]byte{1}, [32]byte{2}
	list := s.Device(key, beacon, 7, "GPU-0")
	require.Len(t, list, 100)
	require.IsIncreasing(t, list)
	sum := time.Duration(0)
	for _, at := range list {
		require.True(t, at >= 0 && at < s.Epoch)
		sum += at / 100
	}
	require.InDelta(t, 12, sum.Hours(), 3, "uniform: mean of 12 h, deviation of 0.7 h")
	require.Equal(t, list, s.Device(key, beacon, 7, "GPU-0"))
	require.NotEqual(t, list, s.Device(key, beacon, 8, "GPU-0"))
	require.NotEqual(t, list, s.Device(key, [32]byte{3}, 7, "GPU-0"), "who made the keys could not choose")
	require.NotEqual(t, s.Barrier(key, beacon, 7, "a"), s.Barrier(key, beacon, 7, "b"))

	var claims []challenge.Claim
	for i := range 40 {
		claims = append(claims, challenge.Claim{Supplier: string(rune('a' + i%4)), Device: string(rune('A' + i))})
	}
	pairs := s.Pairs(key, beacon, 7, claims)
	seen := map[challenge.Claim]bool{}
	for _, p := range pairs {
		require.NotEqual(t, p.First.Supplier, p.Second.Supplier)
		require.False(t, seen[p.First] || seen[p.Second])
		seen[p.First], seen[p.Second] = true, true
	}
	left := map[string]bool{}
	for i, c := range claims {
		if !seen[c] {
			left[c.Supplier] = true
		}
		claims[i], claims[0] = claims[0], claims[i]
	}
	require.LessOrEqual(t, len(left), 1)
	require.Equal(t, pairs, s.Pairs(key, beacon, 7, claims), "in whatever order the claims come")

	last := [32]byte{9}
	require.True(t, challenge.VerifyKey(challenge.KeyBefore(last, 5), challenge.KeyBefore(last, 4)))
	require.False(t, challenge.VerifyKey(challenge.KeyBefore(last, 4), challenge.KeyBefore(last, 5)))
	require.Equal(t, last, challenge.KeyBefore(last, 0))
}
