package tokenomics_test

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/golden"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// quickOracle has short times, so that a random walk reaches every state.
func quickOracle() tokenomics.OracleParams {
	p := tokenomics.DefaultOracle("a", "b", "c", "d")
	p.Version = "test/1"
	p.Window, p.StaleAfter, p.Warmup = 60*time.Second, 20*time.Second, 20*time.Second
	p.Spacing, p.Epoch = 2*time.Second, 40*time.Second
	p.MinMicro, p.MaxMicro = 1_000_000, 10_000_000_000 // so dear that sums over the window pass 64 bits
	return p
}

func newOracle(t testing.TB, p tokenomics.OracleParams) *tokenomics.Oracle {
	t.Helper()
	o, err := tokenomics.NewOracle(p)
	require.NoError(t, err)
	return o
}

// oracleModel keeps every quote for ever and computes each reading from the beginning, in fractions.
type oracleModel struct {
	p      tokenomics.OracleParams
	at     time.Time
	quotes map[string][]tokenomics.Quoted
	halted bool
	since  time.Time
	epoch  int64
	anchor uint64
	last   uint64
}

type modelView struct {
	covered, quorum time.Duration
	low, high       uint64
	mean            *big.Rat // nil without any
	median          uint64
	fresh           []uint64
	near            []uint64
	oldest          time.Time
	state           tokenomics.OracleState
}

// quotesAt returns what the sources say at t, ascending, and when each saw it.
func (m *oracleModel) quotesAt(t time.Time) (prices []uint64, seen []time.Time) {
	type one struct {
		price uint64
		seen  time.Time
	}
	var all []one
	for _, s := range m.p.Sources {
		var last *tokenomics.Quoted
		for i := range m.quotes[s] {
			if q := &m.quotes[s][i]; !q.SeenAt.After(t) {
				last = q
			}
		}
		if last != nil && t.Sub(last.SeenAt) < m.p.StaleAfter {
			all = append(all, one{last.MicroPerToken, last.SeenAt})
		}
	}
	slices.SortFunc(all, func(a, b one) int { return cmp.Compare(a.price, b.price) })
	for _, q := range all {
		prices, seen = append(prices, q.price), append(seen, q.seen)
	}
	return prices, seen
}

// off returns |a - b| / b in basis points.
func off(a uint64, b *big.Rat) *big.Rat {
	d := new(big.Rat).Sub(new(big.Rat).SetUint64(a), b)
	return d.Abs(d).Quo(d, b).Mul(d, big.NewRat(10_000, 1))
}

func (m *oracleModel) far(a, b uint64, bps uint32) bool {
	return off(a, new(big.Rat).SetUint64(b)).Cmp(big.NewRat(int64(bps), 1)) > 0
}

func modelMedian(prices []uint64) *big.Rat {
	n := len(prices)
	sum := new(big.Rat).SetUint64(prices[(n-1)/2])
	return sum.Add(sum, new(big.Rat).SetUint64(prices[n/2])).Quo(sum, big.NewRat(2, 1))
}

func floorRat(r *big.Rat) uint64 { return new(big.Int).Quo(r.Num(), r.Denom()).Uint64() }

// priceOf returns the price that the quotes of one instant make, or 0.
func (m *oracleModel) priceOf(prices []uint64) uint64 {
	n := uint32(len(prices))
	if n < m.p.Least || n < m.p.Quorum && m.far(prices[n-1], prices[0], m.p.OutlierBps) {
		return 0
	}
	return floorRat(modelMedian(prices))
}

func (m *oracleModel) view(at time.Time) modelView {
	from := at.Add(-m.p.Window)
	points := []time.Time{from, at}
	for _, s := range m.p.Sources {
		for _, q := range m.quotes[s] {
			for _, t := range []time.Time{q.SeenAt, q.SeenAt.Add(m.p.StaleAfter)} {
				if t.After(from) && t.Before(at) {
					points = append(points, t)
				}
			}
		}
	}
	slices.SortFunc(points, time.Time.Compare)
	var v modelView
	sum := new(big.Rat)
	for i := range len(points) - 1 {
		prices, _ := m.quotesAt(points[i])
		length := points[i+1].Sub(points[i])
		if price := m.priceOf(prices); price > 0 && length > 0 {
			v.covered += length
			if uint32(len(prices)) >= m.p.Quorum {
				v.quorum += length
			}
			if v.low == 0 || price < v.low {
				v.low = price
			}
			v.high = max(v.high, price)
			weight := new(big.Rat).SetUint64(price)
			sum.Add(sum, weight.Mul(weight, big.NewRat(int64(length), 1)))
		}
	}
	if v.covered > 0 {
		v.mean = sum.Quo(sum, big.NewRat(int64(v.covered), 1))
	}
	var seen []time.Time
	v.fresh, seen = m.quotesAt(at)
	v.median = m.priceOf(v.fresh)
	for i, q := range v.fresh {
		if v.mean != nil && !m.far(q, floorRat(v.mean), m.p.OutlierBps) {
			v.near = append(v.near, q)
			if v.oldest.IsZero() || seen[i].Before(v.oldest) {
				v.oldest = seen[i]
			}
		}
	}
	fresh, near := uint32(len(v.fresh)), uint32(len(v.near))
	switch {
	case fresh == 0:
		v.state = tokenomics.OracleStale
	case fresh < m.p.Least || v.covered < m.p.Warmup:
		v.state = tokenomics.OracleNoQuorum
	case near < m.p.Least:
		v.state = tokenomics.OracleOutlier
	case near < m.p.Quorum:
		v.state = tokenomics.OracleDegraded
	default:
		v.state = tokenomics.OracleOK
	}
	return v
}

// look moves the model's memory of the halt to at, and returns the state.
func (m *oracleModel) look(at time.Time) tokenomics.OracleState {
	v := m.view(at)
	epoch := at.UnixNano() / int64(m.p.Epoch)
	switch {
	case m.halted:
		if v.state == tokenomics.OracleOK && v.quorum == m.p.Window && at.Sub(m.since) >= m.p.Window &&
			!m.far(v.high, v.low, m.p.JumpBps) {
			m.halted, m.since, m.epoch, m.anchor, m.last = false, time.Time{}, epoch, v.median, v.median
		}
	case v.median > 0:
		if m.last == 0 {
			m.anchor = v.median
		} else if epoch > m.epoch {
			m.anchor = m.last
		}
		m.epoch, m.last = epoch, v.median
		if m.far(v.median, m.anchor, m.p.JumpBps) {
			m.halted, m.since = true, at
		}
	}
	if m.halted {
		return tokenomics.OracleHalted
	}
	return v.state
}

func (m *oracleModel) apply(at time.Time, e tokenomics.OracleEvent) bool {
	if at.Before(m.at) {
		return false
	}
	if q, ok := e.(tokenomics.Quoted); ok {
		list := m.quotes[q.Source]
		repeated := len(list) > 0 && list[len(list)-1] == q
		switch {
		case !slices.Contains(m.p.Sources, q.Source), q.MicroPerToken < m.p.MinMicro, q.MicroPerToken > m.p.MaxMicro,
			q.SeenAt.After(at), at.Sub(q.SeenAt) >= m.p.StaleAfter:
			return false
		case !repeated && len(list) > 0 && q.SeenAt.Sub(list[len(list)-1].SeenAt) < m.p.Spacing:
			return false
		case !repeated:
			m.quotes[q.Source] = append(list, q)
		}
	}
	m.at = at
	return true
}

// compare holds a reading against the model at an instant.
func (m *oracleModel) compare(t testing.TB, o *tokenomics.Oracle, at time.Time) tokenomics.OracleState {
	t.Helper()
	r, err := o.Reading(at)
	require.NoError(t, err)
	v, later := m.view(at), *m
	state := later.look(at)
	require.Equal(t, state.String(), r.State.String())
	require.Equal(t, v.covered, r.Window)
	require.Equal(t, len(v.fresh), int(r.Fresh))
	require.Equal(t, len(v.near), int(r.Sources))
	release, credit := new(big.Rat), new(big.Rat)
	if v.mean == nil {
		require.Zero(t, r.TWAP)
	} else {
		require.Equal(t, floorRat(v.mean), r.TWAP.MicroPerToken)
		require.True(t, at.Equal(r.TWAP.At))
		require.NoError(t, r.TWAP.Validate())
		release, credit = v.mean, v.mean
	}
	if len(v.near) == 0 {
		require.Zero(t, r.Spot)
	} else {
		spot := modelMedian(v.near)
		require.Equal(t, floorRat(spot), r.Spot.MicroPerToken)
		require.True(t, v.oldest.Equal(r.Spot.At))
		require.NoError(t, r.Spot.Validate())
		if spot.Cmp(release) > 0 {
			release = spot
		}
		if spot.Cmp(credit) < 0 {
			credit = spot
		}
	}
	if n := len(v.fresh); n > 0 { // rounded up
		spread := off(v.fresh[n-1], new(big.Rat).SetUint64(v.fresh[0]))
		up := floorRat(spread)
		if !spread.IsInt() {
			up++
		}
		require.Equal(t, up, r.SpreadBps)
	}
	high, highErr := r.Release()
	low, lowErr := r.Credit()
	if !state.Usable() {
		var refused *tokenomics.PriceStateError
		require.ErrorAs(t, highErr, &refused)
		require.Equal(t, state, refused.State)
		require.Equal(t, highErr, lowErr)
		return state
	}
	require.NoError(t, errors.Join(highErr, lowErr))
	require.Equal(t, floorRat(credit), low.MicroPerToken)
	up := floorRat(release)
	if !release.IsInt() {
		up++
	}
	require.Equal(t, up, high.MicroPerToken)
	return state
}

// playOracle sends n random events to an oracle and to the model and compares them after each.
func playOracle(t testing.TB, r *rand.Rand, n int, visited map[tokenomics.OracleState]int) *tokenomics.Oracle {
	t.Helper()
	p := quickOracle()
	o, m := newOracle(t, p), &oracleModel{p: p, quotes: map[string][]tokenomics.Quoted{}}
	now, level := time.Unix(1_718_841_600, 0), uint64(2_500_000_000)
	calm := r.IntN(3) > 0
	for range n {
		if r.IntN(40) == 0 {
			calm = !calm
		}
		switch r.IntN(12) {
		case 0:
			now = now.Add(-time.Nanosecond)
		case 1:
			now = now.Add(time.Duration(r.Int64N(int64(30 * time.Second))))
		default:
			now = now.Add(time.Duration(r.Int64N(int64(2 * time.Second))))
		}
		level += r.Uint64N(level/200+1) - level/400
		if !calm && r.IntN(30) == 0 {
			level = level * (70 + r.Uint64N(60)) / 100
		}
		level = min(max(level, 10_000_000), 9_000_000_000)
		q := tokenomics.Quoted{
			Source: p.Sources[r.IntN(len(p.Sources))], MicroPerToken: level + r.Uint64N(level/200+1), SeenAt: now,
		}
		if !calm && q.Source == "b" {
			q.MicroPerToken = r.Uint64N(11_000_000_000) // lies
		}
		switch r.IntN(16) {
		case 0:
			q.SeenAt = now.Add(time.Nanosecond)
		case 1:
			q.SeenAt = now.Add(-time.Duration(r.Int64N(int64(21 * time.Second))))
		case 2:
			q.Source = "nobody"
		case 3:
			if list := m.quotes[q.Source]; len(list) > 0 {
				q = list[len(list)-1] // again
			}
		}
		var e tokenomics.OracleEvent = q
		if r.IntN(10) == 0 {
			e = tokenomics.Ticked{}
		}
		before, was := o.Digest(), o.State()
		effects, err := o.Apply(now, e)
		require.NoError(t, o.Audit())
		require.Equal(t, m.apply(now, e), err == nil, "%s %+v: %v", now, e, err)
		if err != nil {
			require.Nil(t, effects)
			require.Equal(t, before, o.Digest(), "a refused event changes nothing")
			if now.Before(m.at) {
				now = m.at
			}
			continue
		}
		state := m.look(now)
		require.Equal(t, state.String(), o.State().String())
		require.Equal(t, was != state, len(effects) == 1)
		for _, e := range effects {
			require.Equal(t, tokenomics.OracleTurned{From: was, To: state}, e)
		}
		visited[m.compare(t, o, now)]++
		m.compare(t, o, now.Add(time.Duration(r.Int64N(int64(70*time.Second)))))
	}
	return o
}

func TestOracleAgainstAModel(t *testing.T) {
	visited := map[tokenomics.OracleState]int{}
	for seed := range uint64(6) {
		playOracle(t, rand.New(rand.NewPCG(seed, 5)), 150, visited)
	}
	for s := tokenomics.OracleOK; s <= tokenomics.OracleHalted; s++ {
		require.Positive(t, visited[s], "no walk came to %s: %v", s, visited)
	}
}

func FuzzOracle(f *testing.F) {
	f.Add(uint64(1), uint64(2), uint8(40))
	f.Fuzz(func(t *testing.T, a, b uint64, n uint8) {
		o := playOracle(t, rand.New(rand.NewPCG(a, b)), int(n)/2, map[tokenomics.OracleState]int{})
		back, err := tokenomics.RestoreOracle(quickOracle(), o.Snapshot())
		require.NoError(t, err)
		require.Equal(t, o.Digest(), back.Digest())
		require.Equal(t, o.State(), back.State())
	})
}

func FuzzRestoreOracle(f *testing.F) {
	p := quickOracle()
	f.Add(newOracle(f, p).Snapshot())
	f.Add(playOracle(f, rand.New(rand.NewPCG(1, 2)), 60, map[tokenomics.OracleState]int{}).Snapshot())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := tokenomics.RestoreOracle(p, b)
		if err != nil {
			require.Nil(t, o)
			require.ErrorIs(t, err, tokenomics.ErrSnapshot)
			return
		}
		require.NoError(t, o.Audit())
		require.Equal(t, b, o.Snapshot(), "a state has one encoding")
	})
}

// The same seeded world gives the same digest whatever the number of processors, and on every machine.
func TestOracleDeterminism(t *testing.T) {
	world := func() string {
		o := playOracle(t, rand.New(rand.NewPCG(2024, 6)), 200, map[tokenomics.OracleState]int{})
		d := o.Digest()
		return hex.EncodeToString(d[:]) + "\n"
	}
	was := runtime.GOMAXPROCS(1)
	one := world()
	runtime.GOMAXPROCS(was)
	require.Equal(t, one, world())
	golden.Check(t, "testdata/oracle_digest.golden", one)
}

// benchOracle has heard of three sources every five seconds for more than a window.
func benchOracle(b *testing.B) (*tokenomics.Oracle, time.Time) {
	p := tokenomics.DefaultOracle("a", "b", "c")
	o, at := newOracle(b, p), time.Unix(1_718_841_600, 0)
	for i := range 3 * 500 {
		_, err := o.Apply(at, tokenomics.Quoted{Source: p.Sources[i%3], MicroPerToken: 2_500_000 + uint64(i%7), SeenAt: at})
		require.NoError(b, err)
		if i%3 == 2 {
			at = at.Add(5 * time.Second)
		}
	}
	require.Equal(b, tokenomics.OracleOK, o.State())
	return o, at
}

func BenchmarkOracle(b *testing.B) {
	b.Run("Apply/samples=1083", func(b *testing.B) {
		o, at := benchOracle(b)
		sources := []string{"a", "b", "c"}
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if i%3 == 0 {
				at = at.Add(5 * time.Second)
			}
			if _, err := o.Apply(at, tokenomics.Quoted{Source: sources[i%3], MicroPerToken: 2_500_000, SeenAt: at}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Reading/samples=1083", func(b *testing.B) {
		o, at := benchOracle(b)
		r, err := o.Reading(at)
		require.NoError(b, err)
		require.Equal(b, "1083", fmt.Sprint(r.Samples))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := o.Reading(at); err != nil {
				b.Fatal(err)
			}
		}
	})
}
