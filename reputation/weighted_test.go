package reputation_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/reputation"
)

func weightedBook(t testing.TB, subjects ...reputation.Subject) *reputation.Book {
	t.Helper()
	b, err := reputation.NewBook(reputation.Weighted())
	require.NoError(t, err)
	for _, s := range subjects {
		apply(t, b, start, reputation.Joined{Subject: s})
	}
	return b
}

// The model in real numbers, for a subject that has been up for some hours without an outage: every integral is in closed form.
func TestWeightedAgainstFloat(t *testing.T) {
	p := reputation.Weighted()
	b := weightedBook(t, "x")
	for h := range 90*24 + 1 {
		at := start.Add(time.Duration(h) * time.Hour)
		apply(t, b, at, reputation.Seen{Subject: "x", Up: true})
		if h < 72 || h%100 != 0 {
			continue
		}
		for _, horizon := range []float64{1, 24, 168} {
			lnH := float64(p.Hazard.BiasMicroNats)/1e6 - float64(p.Hazard.RunPPM)/1e6*math.Log(float64(h)+24)
			for _, m := range p.Memories {
				half := m.HalfLife.Hours()
				u := half / math.Ln2 * (1 - math.Exp2(-float64(h)/half))
				lnH += float64(m.WeightPPM) / 1e6 * math.Log(float64(m.PriorMicroOutages)/1e6*math.Log1p(horizon/(u+m.PriorUp.Hours())))
			}
			s := score(t, b, at, time.Duration(horizon)*time.Hour)
			require.InDelta(t, 1e6*math.Exp(-math.Exp(lnH)), float64(s.UpPPM), 1, "%d h, horizon %v h", h, horizon)
		}
	}
	x, ok := b.Explain("x", start.Add(90*day), day)
	require.True(t, ok)
	var names []string
	sum := int64(0)
	for _, term := range x.Terms {
		names = append(names, term.Name)
		sum += term.MicroNats
	}
	require.Equal(t, []string{"age", "6h", "720h", "run", "weather"}, names)
	require.Equal(t, x.MicroNats, sum)
}

// One more outage, a later one and a longer job never score better, whatever the history.
func TestWeightedMonotone(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 21))
		end := start.Add(40 * day)
		play := func(extra, shift time.Duration) reputation.Score {
			r := rand.New(rand.NewPCG(seed, 22))
			b := weightedBook(t, "x")
			downs := map[time.Time]bool{}
			for range r.IntN(6) {
				downs[start.Add(time.Duration(r.IntN(39*24))*time.Hour)] = true
			}
			if extra > 0 {
				downs[start.Add(extra+shift)] = true
			}
			for h := range 40*48 + 1 {
				at := start.Add(time.Duration(h) * 30 * time.Minute)
				apply(t, b, at, reputation.Seen{Subject: "x", Up: true})
				if downs[at] { // an outage without length
					apply(t, b, at, reputation.Seen{Subject: "x", Up: false})
					apply(t, b, at, reputation.Seen{Subject: "x", Up: true})
				}
			}
			s := score(t, b, end, day)
			require.LessOrEqual(t, score(t, b, end, 25*time.Hour).UpPPM, s.UpPPM)
			return s
		}
		// Between two hours of the others', so that they never meet.
		when := time.Duration(r.IntN(38*24))*time.Hour + 30*time.Minute
		without, with, later := play(0, 0), play(when, 0), play(when, 24*time.Hour)
		require.LessOrEqual(t, with.UpPPM, without.UpPPM, "seed %d", seed)
		require.LessOrEqual(t, later.UpPPM, with.UpPPM, "seed %d", seed)
		require.LessOrEqual(t, with.LowPPM, without.LowPPM, "seed %d", seed)
	}
}

// Weather: what came beyond what was expected is taken from everybody who is established, from a day's horizon on, and
// forgotten. Newcomers neither feel nor make it.
func TestWeather(t *testing.T) {
	names := make([]reputation.Subject, 100)
	for i := range names {
		names[i] = reputation.Subject(fmt.Sprintf("n%02d", i))
	}
	b := weightedBook(t, names...)
	at := start
	hour := func(down func(i int) bool) {
		for i, s := range names {
			apply(t, b, at, reputation.Seen{Subject: s, Up: !down(i)})
		}
		at = at.Add(time.Hour)
	}
	none := func(int) bool { return false }
	for range 10 * 24 {
		hour(none)
	}
	last := names[99]
	before, _ := b.Score(last, at, day)
	apply(t, b, at, reputation.StockTaken{})
	refuse(t, b, at.Add(23*time.Hour-time.Second), reputation.StockTaken{}, reputation.ErrTooEarly)
	for range 12 {
		hour(none)
	}
	hour(func(i int) bool { return i < 9 }) // 9 of 100, where less than one was expected
	for range 11 {
		hour(none)
	}
	calm, _ := b.Score(last, at, day)
	require.GreaterOrEqual(t, calm.UpPPM, before.UpPPM, "the stock is not counted yet")
	apply(t, b, at, reputation.StockTaken{})
	require.NoError(t, b.Audit())
	storm, _ := b.Score(last, at, day)
	keeps := 1 - (.09 - (1 - float64(before.UpPPM)/1e6))
	require.InDelta(t, keeps, float64(storm.UpPPM)/float64(calm.UpPPM), .003)
	week, _ := b.Score(last, at, 7*day)
	require.InDelta(t, math.Pow(keeps, 7), float64(week.UpPPM)/float64(unweathered(t, b, last, at, 7*day)), .04)
	short, _ := b.Score(last, at, day-time.Second)
	require.Greater(t, short.UpPPM, storm.UpPPM+50_000, "shorter horizons know no weather")
	x, _ := b.Explain(last, at, day)
	require.Negative(t, x.Terms[4].MicroNats)

	apply(t, b, at, reputation.Joined{Subject: "new"})
	fresh, _ := b.Score("new", at, day)
	require.Equal(t, uint32(580_000), fresh.UpPPM)
	require.Zero(t, fresh.Standing)
	twin, err := reputation.Restore(reputation.Weighted(), b.Snapshot())
	require.NoError(t, err)
	require.Equal(t, b.Digest(), twin.Digest())
	for d := range 20 {
		for range 24 {
			hour(none)
		}
		apply(t, b, at, reputation.StockTaken{})
		require.NoError(t, b.Audit(), "day %d", d)
	}
	after, _ := b.Score(last, at, day)
	require.Greater(t, after.UpPPM, calm.UpPPM, "it is forgotten")
	refuse(t, book(t, "x"), start, reputation.StockTaken{}, reputation.ErrUnused)
}

// unweathered is the score of the same state under parameters without weather.
func unweathered(t testing.TB, b *reputation.Book, s reputation.Subject, at time.Time, horizon time.Duration) uint32 {
	t.Helper()
	x, ok := b.Explain(s, at, horizon)
	require.True(t, ok)
	odds := math.Exp(math.Log(float64(x.ToPPM)/(1e6-float64(x.ToPPM))) - float64(x.Terms[4].MicroNats)/1e6)
	return uint32(1e6 * odds / (1 + odds))
}

// A burst of identities, however large, moves nobody's score, and is no weather.
func TestBurstIsNoWeather(t *testing.T) {
	play := func(burst int) [2]reputation.Score {
		b := weightedBook(t, "x", "y")
		for i := range burst {
			apply(t, b, start, reputation.Joined{Subject: reputation.Subject(fmt.Sprint("sybil", i))})
		}
		at := start
		for h := range 30 * 24 {
			at = start.Add(time.Duration(h) * time.Hour)
			apply(t, b, at, reputation.Seen{Subject: "x", Up: true})
			apply(t, b, at, reputation.Seen{Subject: "y", Up: h%200 != 199})
			for i := range burst {
				if h >= 500 && h <= 520 {
					apply(t, b, at, reputation.Seen{Subject: reputation.Subject(fmt.Sprint("sybil", i)), Up: h < 509})
				}
			}
			if h%24 == 0 {
				apply(t, b, at, reputation.StockTaken{})
			}
		}
		x, _ := b.Score("x", at, day)
		y, _ := b.Score("y", at, day)
		return [2]reputation.Score{x, y}
	}
	require.Equal(t, play(0), play(300))
}

func TestHazardParams(t *testing.T) {
	require.NoError(t, reputation.Weighted().Validate())
	for want, change := range map[string]func(*reputation.Params){
		"weight_ppm 1000001 is above":     func(p *reputation.Params) { p.Memories[0].WeightPPM = 1_000_001 },
		"there is no hazard":              func(p *reputation.Params) { p.Hazard = reputation.Hazard{} },
		"no memory has a weight":          func(p *reputation.Params) { p.Memories[0].WeightPPM, p.Memories[1].WeightPPM = 0, 0 },
		"bias_micro_nats 100000001":       func(p *reputation.Params) { p.Hazard.BiasMicroNats = 100_000_001 },
		"bias_micro_nats -100000001":      func(p *reputation.Params) { p.Hazard.BiasMicroNats = -100_000_001 },
		"run_ppm 1000001":                 func(p *reputation.Params) { p.Hazard.RunPPM = 1_000_001 },
		"hazard: run_shift_ns 0s":         func(p *reputation.Params) { p.Hazard.RunShift = 0 },
		"weather: half_life_ns 0s":        func(p *reputation.Params) { p.Weather.HalfLife = 0 },
		"weather: period_ns 24h0m1s":      func(p *reputation.Params) { p.Weather.Period = day + time.Second },
		"weather: max_ppm 0 is not":       func(p *reputation.Params) { p.Weather.MaxPPM = 0 },
		"weather: max_ppm 1000001 is not": func(p *reputation.Params) { p.Weather.MaxPPM = 1_000_001 },
		"job: half_life_ns 0s":            func(p *reputation.Params) { p.Job.Signal.PriorMilliGood = 1_000 },
		"a signal that is not used":       func(p *reputation.Params) { p.Job.FullMicroUSD = 1 },
		"window_ns 1h0m0s":                func(p *reputation.Params) { p.Window = time.Hour },
		"challenge: prior_milli_failed 3 ": func(p *reputation.Params) {
			p.Challenge = reputation.Signal{HalfLife: day, PriorMilliFailed: 3, PriorMilliGood: 1_000}
		},
		"link: prior_milli_good 999 is not": func(p *reputation.Params) {
			p.Link = reputation.Signal{HalfLife: day, PriorMilliFailed: 4, PriorMilliGood: 999}
		},
		"conduct: there are no kinds": func(p *reputation.Params) { p.Conduct.GoodGPUSeconds = 1 },
	} {
		p := reputation.Weighted()
		change(&p)
		require.ErrorIs(t, p.Validate(), reputation.ErrInvalid)
		require.ErrorContains(t, p.Validate(), want)
	}
	for want, change := range map[string]func(*reputation.Params){
		"full_micro_usd 0":                func(p *reputation.Params) { p.Job.FullMicroUSD = 0 },
		"pair_milli 0":                    func(p *reputation.Params) { p.Job.PairMilli = 0 },
		"window_ns 0s":                    func(p *reputation.Params) { p.Window = 0 },
		"good_gpu_seconds 0":              func(p *reputation.Params) { p.Conduct.GoodGPUSeconds = 0 },
		"conduct: half_life_ns 0s":        func(p *reputation.Params) { p.Conduct.HalfLife = 0 },
		`kind "dispute lost" does not`:    func(p *reputation.Params) { p.Conduct.Kinds[1].Name = "dispute lost" },
		`kind "dispute lost": micro 0`:    func(p *reputation.Params) { p.Conduct.Kinds[0].Micro = 0 },
		"kind 0 has a name of 0 bytes":    func(p *reputation.Params) { p.Conduct.Kinds[0].Name = "" },
		"challenge: prior_milli_good 0 ":  func(p *reputation.Params) { p.Challenge.PriorMilliGood = 0 },
		"link: prior_milli_failed 100000": func(p *reputation.Params) { p.Link.PriorMilliFailed = 1_000_001 },
	} {
		p := reputation.IONet()
		change(&p)
		require.ErrorIs(t, p.Validate(), reputation.ErrInvalid)
		require.ErrorContains(t, p.Validate(), want)
	}
}
