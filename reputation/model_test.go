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

// model is the same model in floating point, written from its definition and advanced at every observation.
type model struct {
	p        reputation.Params
	e, u     []float64
	observed float64
	outages  int
	last     time.Time
	up       bool
	known    bool
}

func (m *model) observe(at time.Time, up bool) {
	if !m.known {
		m.e, m.u = make([]float64, len(m.p.Memories)), make([]float64, len(m.p.Memories))
		m.last, m.up, m.known = at, up, true
		return
	}
	dt := at.Sub(m.last).Seconds()
	share := 0.0
	if dt <= m.p.Gap.Seconds() {
		m.observed += dt
		if m.up {
			share += .5
		}
		if up {
			share += .5
		}
	}
	m.decay(dt, share)
	if dt <= m.p.Gap.Seconds() && m.up && !up {
		m.outages++
		for k := range m.e {
			m.e[k]++
		}
	}
	m.last, m.up = at, up
}

func (m *model) decay(dt, share float64) {
	for k, mem := range m.p.Memories {
		h := mem.HalfLife.Seconds()
		q := math.Exp2(-dt / h)
		m.e[k] *= q
		m.u[k] = m.u[k]*q + share*(1-q)*h/math.Ln2
	}
}

// stays is P(no outage within the horizon), in hours, at the last observation.
func (m *model) stays(hours float64) float64 {
	f := 1.0
	for k, mem := range m.p.Memories {
		a, b := float64(mem.PriorMicroOutages)/1e6, mem.PriorUp.Seconds()
		f *= -math.Expm1(-(m.e[k] + a) * math.Log1p(hours*3600/(m.u[k]+b)))
	}
	s := 1 - math.Pow(f, 1/float64(len(m.e)))
	if m.observed < m.p.Established.Seconds() {
		for _, row := range m.p.Newcomer {
			if m.observed < row.Until.Seconds() {
				p := float64(row.CleanPPM) / 1e6
				if m.outages > 0 {
					p = float64(row.MarkedPPM) / 1e6
				}
				return min(s, 1/(1+hours/24*p/(1-p)))
			}
		}
	}
	return s
}

// against plays a random life on both and compares every score, of one to three memories.
func against(t *testing.T, seed uint64, steps int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(5, seed))
	p := reputation.Default()
	p.Memories = p.Memories[rng.IntN(3):]
	b, err := reputation.NewBook(p)
	require.NoError(t, err)
	m := model{p: p}
	apply(t, b, start, reputation.Joined{Subject: "x"})
	at, down := start, rng.Float64()*.1
	for range steps {
		at = at.Add(time.Duration(rng.IntN(7200)) * time.Second)
		if rng.IntN(100) == 0 {
			at = at.Add(time.Duration(rng.IntN(100)) * time.Hour)
		}
		up := rng.Float64() >= down
		apply(t, b, at, reputation.Seen{Subject: "x", Up: up})
		m.observe(at, up)
		if rng.IntN(10) == 0 {
			hours := 1 << rng.IntN(12)
			got := score(t, b, at, time.Duration(hours)*time.Hour)
			require.InDelta(t, m.stays(float64(hours)), float64(got.UpPPM)/1e6, 5.02e-7, "half a millionth and the error of the model")
		}
	}
	require.NoError(t, b.Audit())
}

func TestAgainstFloat(t *testing.T) {
	for seed := range uint64(60) {
		against(t, seed, 2000)
	}
}

func FuzzAgainstFloat(f *testing.F) {
	f.Add(uint64(1), uint8(200))
	f.Fuzz(func(t *testing.T, seed uint64, steps uint8) { against(t, seed, int(steps)) })
}

// FuzzBook plays arbitrary bytes as events.
func FuzzBook(f *testing.F) {
	f.Add([]byte("\x00\x01\x02\x03abcdefgh\xff\xfe\xfd"))
	f.Fuzz(func(t *testing.T, script []byte) {
		b := book(t, "x", "y")
		at := start
		for i := 0; i+1 < len(script); i += 2 {
			at = at.Add(time.Duration(int8(script[i])) * time.Duration(script[i+1]) * time.Minute)
			var e reputation.Event = reputation.Seen{Subject: reputation.Subject(script[i : i+1]), Up: script[i+1]&1 == 0}
			switch script[i+1] % 5 {
			case 0:
				e = reputation.Joined{Subject: reputation.Subject(script[i : i+1])}
			case 1, 2:
				e = reputation.Seen{Subject: "x", Up: script[i]&1 == 0}
			}
			before := b.Digest()
			if _, err := b.Apply(at, e); err != nil {
				require.Equal(t, before, b.Digest(), "a refusal changes nothing")
				at = at.Add(48 * time.Hour)
			}
		}
		require.NoError(t, b.Audit())
		again, err := reputation.Restore(reputation.Default(), b.Snapshot())
		require.NoError(t, err)
		require.Equal(t, b.Digest(), again.Digest())
		for s, sc := range b.All(at, day) {
			x, _ := again.Explain(s, at, day)
			require.Equal(t, sc.UpPPM, x.ToPPM)
		}
	})
}

func FuzzRestore(f *testing.F) {
	b := book(f, "x", "y")
	apply(f, b, start.Add(day), reputation.Seen{Subject: "x", Up: true})
	apply(f, b, start.Add(day+time.Hour), reputation.Seen{Subject: "x", Up: false})
	f.Add(b.Snapshot())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, snapshot []byte) {
		b, err := reputation.Restore(reputation.Default(), snapshot)
		if err != nil {
			require.ErrorIs(t, err, reputation.ErrInvalid)
			return
		}
		require.Equal(t, snapshot, b.Snapshot(), "one state has one encoding")
		for s, sc := range b.All(start.Add(1000*day), day) { // no state that passes the audit breaks the arithmetic
			x, _ := b.Explain(s, start.Add(1000*day), day)
			require.Equal(t, sc.UpPPM, x.ToPPM)
		}
	})
}

func TestRestore(t *testing.T) {
	b := world(t)
	good := b.Snapshot()
	again, err := reputation.Restore(reputation.Default(), good)
	require.NoError(t, err)
	require.Equal(t, b.Digest(), again.Digest())
	_, err = again.Apply(start, reputation.Joined{Subject: "late"})
	require.ErrorIs(t, err, reputation.ErrTimeBackwards)

	for name, change := range map[string]func(*reputation.Params){
		"version":     func(p *reputation.Params) { p.Version += "'" },
		"half-life":   func(p *reputation.Params) { p.Memories[0].HalfLife++ },
		"prior a":     func(p *reputation.Params) { p.Memories[1].PriorMicroOutages++ },
		"prior b":     func(p *reputation.Params) { p.Memories[2].PriorUp += time.Second },
		"gap":         func(p *reputation.Params) { p.Gap += time.Second },
		"established": func(p *reputation.Params) { p.Established -= time.Second },
		"reference":   func(p *reputation.Params) { p.Reference += time.Second },
		"newcomer":    func(p *reputation.Params) { p.Newcomer[0].CleanPPM++ },
		"no params":   func(p *reputation.Params) { *p = reputation.Params{} },
	} {
		p := reputation.Default()
		change(&p)
		_, err := reputation.Restore(p, good)
		require.ErrorIs(t, err, reputation.ErrInvalid, name)
	}
	small := book(t, "x", "y")
	apply(t, small, start, reputation.Seen{Subject: "y", Up: true})
	apply(t, small, start.Add(day), reputation.Seen{Subject: "y", Up: true})
	good = small.Snapshot()
	for i := range good {
		for _, mask := range []byte{1, 0x41, 0x80} {
			bad := append([]byte{}, good...)
			bad[i] ^= mask
			if b, err := reputation.Restore(reputation.Default(), bad); err == nil {
				require.Equal(t, bad, b.Snapshot())
				require.NotEqual(t, small.Digest(), b.Digest())
			}
		}
		_, err := reputation.Restore(reputation.Default(), good[:i])
		require.ErrorIs(t, err, reputation.ErrInvalid)
	}
}

// The 90 % interval of the rate holds the true rate in 85 to 95 % of synthetic nodes, under two laws of true rates.
func TestCoverage(t *testing.T) {
	for name, law := range map[string]func(*rand.Rand) float64{ // outages an hour
		"log-uniform, 1/2000 h to 1/20 h": func(r *rand.Rand) float64 { return math.Exp(-math.Log(20) - r.Float64()*math.Log(100)) },
		"exponential, mean 1/400 h":       func(r *rand.Rand) float64 { return r.ExpFloat64() / 400 },
	} {
		coverage(t, name, reputation.Default(), law)
		coverage(t, name+", weighted", reputation.Weighted(), law)
	}
}

func coverage(t *testing.T, name string, p reputation.Params, law func(*rand.Rand) float64) {
	t.Helper()
	const days, nodes = 60, 1500
	rng := rand.New(rand.NewPCG(7, 7))
	inside := 0
	for range nodes {
		rate := law(rng)
		b, err := reputation.NewBook(p)
		require.NoError(t, err)
		apply(t, b, start, reputation.Joined{Subject: "x"})
		end := start.Add(days * day)
		at := start
		for {
			next := at.Add(time.Duration(rng.ExpFloat64() / rate * float64(time.Hour)))
			if next.After(end) {
				watch(t, b, at, end, 6*time.Hour, true)
				break
			}
			watch(t, b, at, next, 6*time.Hour, true)
			for _, up := range []bool{true, false, true} { // an outage without length
				apply(t, b, next, reputation.Seen{Subject: "x", Up: up})
			}
			at = next
		}
		s := score(t, b, end, time.Hour)
		if truth := math.Exp(-rate) * 1e6; truth >= float64(s.LowPPM) && truth <= float64(s.HighPPM) {
			inside++
		}
	}
	share := float64(inside) / nodes
	t.Logf("%s: %.3f inside", name, share)
	require.InDelta(t, .90, share, .05, name)
}

func TestParams(t *testing.T) {
	require.NoError(t, reputation.Default().Validate())
	for want, change := range map[string]func(*reputation.Params){
		"version has 0 bytes":                  func(p *reputation.Params) { p.Version = "" },
		"0 memories are not in 1..3":           func(p *reputation.Params) { p.Memories = nil },
		"4 memories are not in 1..3":           func(p *reputation.Params) { p.Memories = append(p.Memories, p.Memories[2]) },
		"memory 1: reputation: invalid: half_": func(p *reputation.Params) { p.Memories[1].HalfLife = p.Memories[0].HalfLife },
		"memory 0: reputation: invalid: half_": func(p *reputation.Params) { p.Memories[0].HalfLife = time.Hour - time.Second },
		"half_life_ns 24h0m0.000000001s":       func(p *reputation.Params) { p.Memories[0].HalfLife++ },
		"prior_micro_outages 3999":             func(p *reputation.Params) { p.Memories[0].PriorMicroOutages = 3999 },
		"prior_micro_outages 1000000001":       func(p *reputation.Params) { p.Memories[0].PriorMicroOutages = 1e9 + 1 },
		"prior_up_ns 0s":                       func(p *reputation.Params) { p.Memories[0].PriorUp = 0 },
		"gap_ns 0s":                            func(p *reputation.Params) { p.Gap = 0 },
		"reference_ns 0s":                      func(p *reputation.Params) { p.Reference = 0 },
		"established_ns -1s":                   func(p *reputation.Params) { p.Established = -time.Second },
		"newcomer reaches to 72h0m0s, establi": func(p *reputation.Params) { p.Established += time.Second },
		"newcomer reaches to 0s":               func(p *reputation.Params) { p.Newcomer = nil },
		"newcomer reaches to 72h0m0s, estab":   func(p *reputation.Params) { p.Established = 0 },
		"newcomer 1: reputation: invalid: unt": func(p *reputation.Params) { p.Newcomer[1].Until = p.Newcomer[0].Until },
		"newcomer 0: not 0 < clean_ppm 0":      func(p *reputation.Params) { p.Newcomer[0].CleanPPM = 0 },
		"clean_ppm 940001 <= marked_ppm 94000": func(p *reputation.Params) { p.Newcomer[0].CleanPPM = 940_001 },
		"marked_ppm 1000000":                   func(p *reputation.Params) { p.Newcomer[0].MarkedPPM = 1e6 },
	} {
		p := reputation.Default()
		change(&p)
		require.ErrorIs(t, p.Validate(), reputation.ErrInvalid)
		require.ErrorContains(t, p.Validate(), want)
		_, err := reputation.NewBook(p)
		require.ErrorIs(t, err, reputation.ErrInvalid)
	}
	p := reputation.Default()
	p.Established, p.Newcomer = 0, nil
	b, err := reputation.NewBook(p)
	require.NoError(t, err)
	apply(t, b, start, reputation.Joined{Subject: "x"})
	require.Equal(t, uint32(952_674), score(t, b, start, day).UpPPM, "1 - .0473258")
}

// A book keeps its parameters though the caller changes his.
func TestParamsAreCopied(t *testing.T) {
	p := reputation.Default()
	b, err := reputation.NewBook(p)
	require.NoError(t, err)
	apply(t, b, start, reputation.Joined{Subject: "x"})
	before := score(t, b, start, day)
	p.Newcomer[0].CleanPPM, p.Memories[0].HalfLife = 1, time.Hour
	require.Equal(t, before, score(t, b, start, day))
	_, err = reputation.Restore(reputation.Default(), b.Snapshot())
	require.NoError(t, err)
}

func BenchmarkApply(b *testing.B) {
	for _, kind := range []string{"same", "change"} {
		b.Run(kind, func(b *testing.B) {
			k := book(b, "x")
			events := []reputation.Event{reputation.Seen{Subject: "x", Up: true}, reputation.Seen{Subject: "x", Up: kind == "same"}}
			at := start
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				if at = at.Add(time.Minute); at.Year() > 2100 {
					b.StopTimer()
					k, at = book(b, "x"), start
					b.StartTimer()
				}
				if _, err := k.Apply(at, events[n&1]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkScore(b *testing.B) {
	for _, horizon := range []time.Duration{day, 7 * day} {
		b.Run(fmt.Sprintf("horizon=%v", horizon), func(b *testing.B) {
			k := book(b, "x")
			watch(b, k, start, start.Add(30*day), time.Hour, true)
			at := start.Add(30 * day)
			b.ReportAllocs()
			for b.Loop() {
				k.Score("x", at, horizon)
			}
		})
	}
}

func BenchmarkExplain(b *testing.B) {
	k := book(b, "x")
	watch(b, k, start, start.Add(30*day), time.Hour, true)
	at := start.Add(30 * day)
	b.ReportAllocs()
	for b.Loop() {
		k.Explain("x", at, day)
	}
}
