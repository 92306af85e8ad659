package simulate_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/golden"
	"github.com/idlegrid/idlegrid/internal/simulate"
	"github.com/idlegrid/idlegrid/tokenomics"
)

func simulated(t *testing.T, p simulate.Params, s simulate.Scenario, o simulate.Options) *simulate.Summary {
	t.Helper()
	e, err := simulate.New(p)
	require.NoError(t, err)
	sum, err := e.Run(t.Context(), s, o)
	require.NoError(t, err)
	return sum
}

// The same seed gives the same bytes with one worker on one processor and with several; testdata holds their digest.
func TestDeterminism(t *testing.T) {
	var text strings.Builder
	for _, s := range append(simulate.Policies(), simulate.Stressed(simulate.Policies()[1], 36)[2]) {
		digest := func(workers, procs int, seed uint64) [32]byte {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			// One more than two blocks of runs.
			return sha256.Sum256(simulated(t, simulate.IONet(), s, simulate.Options{Runs: 129, Seed: seed, Workers: workers}).CSV())
		}
		one := digest(1, 1, 7)
		require.Equal(t, one, digest(4, 2, 7), s.Name)
		require.NotEqual(t, one, digest(4, 2, 8), s.Name)
		fmt.Fprintf(&text, "%s %x\n", s.Name, one)
	}
	golden.Check(t, "testdata/digest.txt", text.String())
}

// The emission of the monthly rule is io.net's published table: whole tokens, which the table rounds and we cut.
func TestPublishedMonths(t *testing.T) {
	s := simulated(t, simulate.IONet(), simulate.Policies()[0], simulate.Options{Runs: 3, Seed: 1, Workers: 1})
	for m, printed := range []int64{3333333, 3299497, 3266003, 3232850, 3200033, 3167549, 3135395, 3103568, 3072063, 3040879, 3010011, 2979456} {
		b := s.At(simulate.EmissionIO, m)
		require.Contains(t, []int64{printed, printed - 1}, b.P50, "month %d", m)
		require.Equal(t, b.P5, b.P95, "chance does not touch the schedule")
	}
	last := s.At(simulate.VaultIO, 239)
	require.Equal(t, simulate.Band{}, last, "nothing is left to mint")
	// The engine takes over in June 2026, with what the published months left: 231,315,466.96.
	e := simulated(t, simulate.IONet(), simulate.Policies()[1], simulate.Options{Runs: 3, Seed: 1, Workers: 1})
	require.Equal(t, int64(231_315_466), e.At(simulate.VaultIO, 22).P50)
	require.Equal(t, s.At(simulate.PriceMicro, 22), e.At(simulate.PriceMicro, 22))
}

// Vesting is that of the documents: nothing before the end of month 13, all by the end of month 48.
func TestVesting(t *testing.T) {
	s := simulated(t, simulate.IONet(), simulate.Policies()[0], simulate.Options{Runs: 1, Workers: 1})
	for m, want := range map[int]int64{0: 272_000_000, 11: 272_000_000, 12: 261_922_222, 35: 30_133_333, 46: 2_511_111, 47: 0} {
		require.InDelta(t, want, s.At(simulate.LockedIO, m).P50, 3, "month %d", m)
	}
}

// A shock halves the price in its month, under the same chance, and leaves what came before.
func TestShock(t *testing.T) {
	o := simulate.Options{Runs: 5, Seed: 3, Workers: 1}
	p := simulate.IONet()
	p.Months, p.Price.ImpactPPM = 40, 0
	calm := simulate.Policies()[0]
	base := simulated(t, p, calm, o)
	for i, s := range simulate.Stressed(calm, 30) {
		hit := simulated(t, p, s, o)
		require.Equal(t, base.At(simulate.PriceMicro, 29), hit.At(simulate.PriceMicro, 29), s.Name)
		require.Equal(t, base.At(simulate.RevenueUSD, 29), hit.At(simulate.RevenueUSD, 29), s.Name)
		price, revenue := base.At(simulate.PriceMicro, 30).P50, base.At(simulate.RevenueUSD, 30).P50
		if i != 1 {
			price /= 2
		}
		require.InDelta(t, price, hit.At(simulate.PriceMicro, 30).P50, 1, s.Name)
		if i > 0 {
			revenue = revenue * 45 / 100
		}
		// Where machines were short, less than 55 % is missed.
		require.InEpsilon(t, revenue, hit.At(simulate.RevenueUSD, 30).P50, 0.01, s.Name)
	}
}

// Without chance and impact the price follows its drift.
func TestDrift(t *testing.T) {
	p := simulate.IONet()
	p.Months = 121
	p.Price = simulate.PriceParams{StartMicro: 1_000_000, DriftPPM: 100_000}
	s := simulated(t, p, simulate.Policies()[0], simulate.Options{Runs: 2, Workers: 1})
	for _, years := range []int{0, 1, 5, 10} {
		require.InDelta(t, 1_000_000*math.Pow(1.1, float64(years)), s.At(simulate.PriceMicro, 12*years).P50, 2, "%d years", years)
	}
}

// The logarithm of the price after a year has the volatility that is asked for.
func TestVolatility(t *testing.T) {
	p := simulate.IONet()
	p.Months = 13
	p.Price = simulate.PriceParams{StartMicro: 1_000_000, VolatilityPPM: 600_000}
	b := simulated(t, p, simulate.Policies()[0], simulate.Options{Runs: 4000, Seed: 2, Workers: 2}).At(simulate.PriceMicro, 12)
	require.InDelta(t, 0, math.Log(float64(b.P50)/1e6), 0.05)
	require.InDelta(t, 1.645*0.6, math.Log(float64(b.P95)/1e6), 0.05)
	require.InDelta(t, -1.645*0.6, math.Log(float64(b.P5)/1e6), 0.05)
}

func TestParamsJSON(t *testing.T) {
	want := simulate.IONet()
	text, err := json.Marshal(want)
	require.NoError(t, err)
	var got simulate.Params
	require.NoError(t, json.Unmarshal(text, &got))
	again, err := json.Marshal(got)
	require.NoError(t, err)
	require.Equal(t, string(text), string(again))
	o := simulate.Options{Runs: 3, Seed: 9, Workers: 1}
	require.Equal(t, simulated(t, want, simulate.Policies()[2], o).CSV(), simulated(t, got, simulate.Policies()[2], o).CSV())
	for _, s := range simulate.Policies() {
		text, err := json.Marshal(s)
		require.NoError(t, err)
		var back simulate.Scenario
		require.NoError(t, json.Unmarshal(text, &back))
		require.Equal(t, s, back)
	}
	var r simulate.Rule
	require.ErrorIs(t, r.UnmarshalText([]byte("weekly")), simulate.ErrParams)
	_, err = r.MarshalText()
	require.ErrorIs(t, err, simulate.ErrParams)
	require.Equal(t, "Rule(0)", r.String())
}

func TestParamsValidate(t *testing.T) {
	for _, c := range []struct {
		says string
		set  func(*simulate.Params)
	}{
		{"", func(*simulate.Params) {}},
		{"no version", func(p *simulate.Params) { p.Version = "" }},
		{"0 months", func(p *simulate.Params) { p.Months = 0 }},
		{"", func(p *simulate.Params) { p.Months = 1 }},
		{"", func(p *simulate.Params) { p.Months = 600 }},
		{"601 months", func(p *simulate.Params) { p.Months = 601 }},
		{"first of a month", func(p *simulate.Params) { p.Start = p.Start.Add(time.Hour) }},
		{"0 classes", func(p *simulate.Params) { p.Classes = nil }},
		{"", func(p *simulate.Params) { p.Classes = append(p.Classes, p.Classes...) }},
		{"12 classes", func(p *simulate.Params) { p.Classes = append(append(p.Classes, p.Classes...), p.Classes...) }},
		{"0 cohorts", func(p *simulate.Params) { p.Agents.Cohorts = 0 }},
		{"patience of 0", func(p *simulate.Params) { p.Agents.Patience = 0 }},
		{"", func(p *simulate.Params) { p.Agents.Patience = 40 }},
		{"patience of 41", func(p *simulate.Params) { p.Agents.Patience = 41 }},
		{"hurdle of 0", func(p *simulate.Params) { p.Stake.HurdlePPM = 0 }},
		{`class "H100": 0 machines`, func(p *simulate.Params) { p.Classes[0].Machines = 0 }},
		{"", func(p *simulate.Params) { p.Classes[0].Machines = 100_000 }},
		{"100001 machines", func(p *simulate.Params) { p.Classes[0].Machines = 100_001 }},
		{"H100.cost_micro is 0, want 1 to 20000000", func(p *simulate.Params) { p.Classes[0].CostMicro = 0 }},
		{"H100.rent_micro is 20000001", func(p *simulate.Params) { p.Classes[0].RentMicro = 20_000_001 }},
		{"price.start_micro is 9999", func(p *simulate.Params) { p.Price.StartMicro = 9_999 }},
		{"", func(p *simulate.Params) { p.Price.StartMicro = 10_000 }},
		{"price.volatility_ppm is 5000001", func(p *simulate.Params) { p.Price.VolatilityPPM = 5_000_001 }},
		{"price.volatility_ppm is 4611686018427387904", func(p *simulate.Params) { p.Price.VolatilityPPM = math.MaxUint64 }},
		{"demand.growth.half_life_months is 0", func(p *simulate.Params) { p.Demand.Growth.HalfLifeMonths = 0 }},
		{"agents.growth.first_ppm", func(p *simulate.Params) { p.Agents.Growth.FirstPPM = -500_001 }},
		{"invalid allocation", func(p *simulate.Params) { p.Network.Allocation.Version = "" }},
		{"a token of 6 decimal places, want 8", func(p *simulate.Params) {
			p.Network.Decimals = 6
		}},
		{"invalid policy", func(p *simulate.Params) { p.Incentive.BurnShareBps = 4_999 }},
		{"invalid policy", func(p *simulate.Params) { p.BurnMint.Name = "" }},
		{"invalid parameters", func(p *simulate.Params) { p.Network.Version = "" }},
	} {
		p := simulate.IONet()
		c.set(&p)
		_, err := simulate.New(p)
		if c.says == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorIs(t, err, simulate.ErrParams, c.says)
		require.ErrorContains(t, err, c.says)
	}
}

func TestRunRefuses(t *testing.T) {
	e, err := simulate.New(simulate.IONet())
	require.NoError(t, err)
	good, one := simulate.Policies()[0], simulate.Options{Runs: 1, Workers: 1}
	for _, c := range []struct {
		says string
		set  func(*simulate.Scenario, *simulate.Options)
	}{
		{"without a name", func(s *simulate.Scenario, _ *simulate.Options) { s.Name = "" }},
		{"no phase from month 0", func(s *simulate.Scenario, _ *simulate.Options) { s.Phases = nil }},
		{"no phase from month 0", func(s *simulate.Scenario, _ *simulate.Options) {
			s.Phases = []simulate.Phase{{From: 1, Rule: simulate.Monthly}}
		}},
		{"unknown rule 0", func(s *simulate.Scenario, _ *simulate.Options) { s.Phases = []simulate.Phase{{}} }},
		{"not after the one before", func(s *simulate.Scenario, _ *simulate.Options) { s.Phases = append(s.Phases, s.Phases[0]) }},
		{"a shock that keeps", func(s *simulate.Scenario, _ *simulate.Options) { s.Price.KeepPPM = 10_000_001 }},
		{"0 runs", func(_ *simulate.Scenario, o *simulate.Options) { o.Runs = 0 }},
		{"1000001 runs", func(_ *simulate.Scenario, o *simulate.Options) { o.Runs = 1_000_001 }},
		{"0 workers", func(_ *simulate.Scenario, o *simulate.Options) { o.Workers = 0 }},
	} {
		s, o := good, one
		c.set(&s, &o)
		_, err := e.Run(t.Context(), s, o)
		require.ErrorIs(t, err, simulate.ErrParams, c.says)
		require.ErrorContains(t, err, c.says)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = e.Run(gone, good, one)
	require.ErrorIs(t, err, context.Canceled)
}

// A network without an allocation has nothing locked.
func TestNoAllocation(t *testing.T) {
	p := simulate.IONet()
	p.Network.Allocation = nil
	s := simulated(t, p, simulate.Policies()[0], simulate.Options{Runs: 1, Workers: 1})
	require.Zero(t, s.At(simulate.LockedIO, 0).P50)
	require.Greater(t, s.At(simulate.CirculatingIO, 0).P50, int64(503_000_000))
}

// Assumptions at the ends of their ranges end in figures or in an error, never in a panic.
func FuzzRun(f *testing.F) {
	f.Add(uint64(1), uint8(0), uint64(0), uint64(0), int64(0))
	f.Add(uint64(2), uint8(1), uint64(math.MaxUint64), uint64(1<<40), int64(-900_000))
	f.Add(uint64(3), uint8(2), uint64(12345678901234567), uint64(1<<63), int64(10_000_000))
	f.Fuzz(func(t *testing.T, seed uint64, rule uint8, a, b uint64, drift int64) {
		p := simulate.IONet()
		p.Months, p.Price.DriftPPM = 60, drift
		p.Price.StartMicro, p.Price.VolatilityPPM = 10_000+a%1_000_000_000, b%5_000_001
		p.Price.JumpPPM, p.Price.JumpSpreadPPM = a%1_000_001, b%3_000_001
		p.Demand.SharePPM, p.Demand.Growth.FirstPPM = a%2_000_001, int64(b%10_000_001)
		p.Demand.SpeedPPM, p.Demand.ElasticityPPM = b%1_000_001, a%5_000_001
		p.Classes[a%4].Machines, p.Classes[b%4].RentMicro = 1+b%100_000, 1+a%20_000_000
		p.Treasury.TargetPPM, p.Stake.CoMostPPM = b%10_000_001, a%500_001
		e, err := simulate.New(p)
		if err != nil {
			require.ErrorIs(t, err, simulate.ErrParams)
			return
		}
		_, err = e.Run(t.Context(), simulate.Policies()[rule%3], simulate.Options{Runs: 3, Seed: seed, Workers: 1})
		if err != nil {
			require.ErrorIs(t, err, tokenomics.ErrOverflow)
		}
	})
}
