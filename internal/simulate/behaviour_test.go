package simulate_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/simulate"
)

// calm are the assumptions without chance.
func calm(months uint32) simulate.Params {
	p := simulate.IONet()
	p.Months = months
	p.Price.VolatilityPPM, p.Price.JumpPPM, p.Demand.VolatilityPPM = 0, 0, 0
	return p
}

var once = simulate.Options{Runs: 1, Workers: 1}

// Before anything vests, minting and burning alone leave the value of what circulates as it is.
func TestImpact(t *testing.T) {
	s := simulated(t, calm(13), simulate.Policies()[0], once)
	value := s.At(simulate.PriceMicro, 1).P50 * s.At(simulate.CirculatingIO, 0).P50
	for m := 2; m < 12; m++ {
		require.InEpsilon(t, value, s.At(simulate.PriceMicro, m).P50*s.At(simulate.CirculatingIO, m-1).P50, 1e-5, "month %d", m)
	}
	p := calm(13)
	p.Price.ImpactPPM = 0
	require.Equal(t, p.Price.StartMicro, uint64(simulated(t, p, simulate.Policies()[0], once).At(simulate.PriceMicro, 12).P50))
}

// At a steady price half of the fees, which are 4.5 % of the rents, buys what is burned; the break-even price follows.
func TestFeesAndBurn(t *testing.T) {
	p := calm(3)
	p.Price.ImpactPPM = 0
	s := simulated(t, p, simulate.Policies()[0], once)
	for m := range 3 {
		rents := s.At(simulate.RevenueUSD, m).P50
		require.Greater(t, rents, int64(1_000_000))
		burn := s.At(simulate.BurnIO, m).P50
		require.InDelta(t, float64(rents)*0.045/2, burn, 1, "month %d", m)
		require.InEpsilon(t, float64(burn)/float64(s.At(simulate.EmissionIO, m).P50)*1e6, s.At(simulate.BreakEvenMicro, m).P50, 1e-4)
		require.InEpsilon(t, float64(rents)*0.045/float64(s.At(simulate.EmissionIO, m).P50)*1e6, s.At(simulate.RatioPPM, m).P50, 1e-4)
		require.InDelta(t, float64(s.At(simulate.EmissionIO, m).P50)+float64(rents)*0.955, s.At(simulate.PaidUSD, m).P50, 2)
	}
	require.InDelta(t, 80_000, s.At(simulate.GenesisInflationPPM, 0).P50, 1, "8 % a year")
	require.InDelta(t, float64(s.At(simulate.SupplyInflationPPM, 2).P50)-float64(s.At(simulate.BurnIO, 2).P50)*12e6/float64(s.At(simulate.SupplyIO, 2).P50), s.At(simulate.NetInflationPPM, 2).P50, 2)
	// What one month bought, the next one burned.
	require.InDelta(t, s.At(simulate.BurnIO, 0).P50+s.At(simulate.BurnIO, 1).P50, s.At(simulate.BurnedIO, 2).P50, 1)
}

// The worked example of the package: an H100 in July 2024.
func TestWorkedExample(t *testing.T) {
	s := simulated(t, calm(1), simulate.Policies()[0], once)
	require.InEpsilon(t, 3.456/1.60-1, float64(s.At(s.Margin(0), 0).P50)/1e6, 0.001)
	// (3.456 - 1.60) dollars in 8,766 hours, over 25,000 dollars and 2,000 IO.
	require.InEpsilon(t, (3.456-1.60)*8766/27_000, float64(s.At(s.Return(0), 0).P50)/1e6, 0.001)
	require.Equal(t, int64(600), s.At(s.Active(0), 0).P50)
}

// As long as the vaults last and demand fills the target, the engine tops suppliers up to 115 % of their cost.
func TestPromise(t *testing.T) {
	p := calm(60)
	s := simulated(t, p, simulate.Policies()[1], once)
	topped := 0
	for m := 23; m < 60; m++ {
		if s.At(simulate.UsedPPM, m).P50 > 760_000 && s.At(simulate.UnfundedUSD, m).P50 == 0 {
			require.GreaterOrEqual(t, s.At(s.Margin(1), m).P50, int64(149_900), "month %d", m)
			topped++
		}
	}
	require.Greater(t, topped, 8)
	// A higher promise costs more of the vault.
	p.Treasury.TargetPPM = 1_300_000
	require.Less(t, simulated(t, p, simulate.Policies()[1], once).At(simulate.VaultIO, 59).P50, s.At(simulate.VaultIO, 59).P50)
}

// At one price burning for credits and minting for them again leaves the supply as the schedule alone would.
func TestBurnMintIsNeutral(t *testing.T) {
	monthly, burnMint := simulated(t, calm(120), simulate.Policies()[0], once), simulated(t, calm(120), simulate.Policies()[2], once)
	for m := range 120 {
		require.InDelta(t, monthly.At(simulate.SupplyIO, m).P50, burnMint.At(simulate.SupplyIO, m).P50, 3, "month %d", m)
		for _, flow := range []simulate.Series{simulate.EmissionIO, simulate.BurnIO, simulate.BurnedIO} {
			require.InDelta(t, monthly.At(flow, m).P50, burnMint.At(flow, m).P50, 3, "month %d", m)
		}
		require.InDelta(t, monthly.At(simulate.PaidUSD, m).P50, burnMint.At(simulate.PaidUSD, m).P50, 3, "month %d", m)
	}
}

// Rents rise where machines are used more than the target, and fall where they are used less.
func TestRents(t *testing.T) {
	for _, c := range []struct {
		share uint64
		more  bool
	}{{600_000, false}, {800_000, true}} {
		p := calm(2)
		p.Demand.SharePPM, p.Demand.ElasticityPPM, p.Demand.Growth.FirstPPM, p.Demand.Growth.LastPPM = c.share, 0, 0, 0
		p.Agents.Growth = p.Demand.Growth
		p.Agents.CheaperPPM, p.Agents.Patience = 0, 40
		s := simulated(t, p, simulate.Policies()[0], once)
		require.InDelta(t, c.share, s.At(simulate.UsedPPM, 0).P50, 1)
		// July and August have 31 days.
		require.Equal(t, c.more, s.At(simulate.RevenueUSD, 1).P50 > s.At(simulate.RevenueUSD, 0).P50)
	}
}

// Stakers and co-stakers come for what exceeds their hurdles, and go below.
func TestStakes(t *testing.T) {
	p := calm(24)
	ratio := func() (own, co int64) {
		s := simulated(t, p, simulate.Policies()[0], once)
		return s.At(simulate.OwnStakeIO, 23).P50, s.At(simulate.CoStakeIO, 23).P50
	}
	own, co := ratio()
	require.InDelta(t, own, co, 2, "co-stakers hold the half that they may")
	s := simulated(t, p, simulate.Policies()[0], once)
	rewards := float64(s.At(simulate.EmissionIO, 23).P50) * 12e6
	require.InEpsilon(t, rewards*0.7/float64(s.At(simulate.OwnStakeIO, 22).P50), s.At(simulate.StakerPPM, 23).P50, 1e-5)
	require.InEpsilon(t, rewards*0.3/float64(s.At(simulate.CoStakeIO, 22).P50), s.At(simulate.CoStakerPPM, 23).P50, 1e-5)
	p.Stake.CoHurdlePPM = 100_000_000
	both, none := ratio()
	require.Zero(t, none)
	require.InDelta(t, own+co, both, 2)
	p.Stake.HurdlePPM = 100_000_000
	least, _ := ratio()
	require.InDelta(t, float64(both)*0.2, least, 2, "only those stay who stake whatever the return")
}

// Suppliers leave after a crash, the dearest first, and the cheapest keep a class alive.
func TestExit(t *testing.T) {
	p := calm(60)
	s := simulate.Policies()[0]
	base := simulated(t, p, s, once)
	s.Price, s.Demand = simulate.Shock{Month: 24, KeepPPM: 50_000}, simulate.Shock{Month: 24, KeepPPM: 300_000}
	hit := simulated(t, p, s, once)
	require.Equal(t, base.At(simulate.Machines, 26), hit.At(simulate.Machines, 26), "patience of three months")
	for c := range p.Classes {
		before := base.At(base.Active(c), 40).P50
		require.Less(t, hit.At(hit.Active(c), 40).P50, before*7/10, p.Classes[c].Name)
		require.Positive(t, hit.At(hit.Active(c), 59).P50, p.Classes[c].Name)
	}
}

// still are assumptions under which nothing moves but what a test sets.
func still(months uint32) simulate.Params {
	p := calm(months)
	p.Price.ImpactPPM, p.Demand.SpeedPPM, p.Demand.ElasticityPPM = 0, 0, 0
	p.Demand.Growth.FirstPPM, p.Demand.Growth.LastPPM, p.Agents.CheaperPPM, p.Agents.Patience = 0, 0, 0, 40
	p.Agents.Growth = p.Demand.Growth
	return p
}

// Trends are what their parameters say: growth that halves each year, and prices that fall by a tenth a year.
func TestTrends(t *testing.T) {
	p := still(37)
	p.Demand.SharePPM = 200_000
	p.Demand.Growth = simulate.GrowthParams{FirstPPM: 400_000, LastPPM: 50_000, HalfLifeMonths: 12}
	p.Agents.CheaperPPM = 100_000
	s := simulated(t, p, simulate.Policies()[0], once)
	log := 0.0
	for m := range 37 {
		if m%12 == 0 { // the same days of July
			require.InEpsilon(t, 200_000*math.Exp(log), s.At(simulate.UsedPPM, m).P50, 1e-4, "month %d", m)
			rents := float64(s.At(simulate.RevenueUSD, 0).P50) * math.Exp(log) * math.Pow(0.9, float64(m)/12)
			require.InEpsilon(t, rents, s.At(simulate.RevenueUSD, m).P50, 1e-4, "month %d", m)
		}
		low := math.Log(1.05) / 12
		log += low + (math.Log(1.4)/12-low)*math.Pow(0.5, float64(m)/12)
	}
}

// Machines that may be offered follow a trend of their own.
func TestOffer(t *testing.T) {
	p := still(25)
	p.Agents.Growth = simulate.GrowthParams{FirstPPM: 200_000, LastPPM: 200_000, HalfLifeMonths: 1}
	s := simulated(t, p, simulate.Policies()[0], once)
	require.InDelta(t, 9_100*1.44, s.At(simulate.Machines, 24).P50, 1)
}

// Demand strays by what a month adds and comes back by what it keeps: 6 % and 90 % make 13.8 % in the long run.
func TestDemand(t *testing.T) {
	p := still(49)
	p.Demand.VolatilityPPM, p.Demand.SharePPM = 60_000, 500_000
	b := simulated(t, p, simulate.Policies()[0], simulate.Options{Runs: 4000, Seed: 4, Workers: 2}).At(simulate.UsedPPM, 48)
	long := 0.06 / math.Sqrt(1-0.81)
	require.InDelta(t, 1.645*long, math.Log(float64(b.P95)/float64(b.P50)), 0.015)
	require.InDelta(t, 1.645*long, math.Log(float64(b.P50)/float64(b.P5)), 0.015)
	require.InEpsilon(t, 500_000, b.P50, 0.02)
}

// Demand that finds no machine is lost in part, and the lost part comes back as deviations do.
func TestChurn(t *testing.T) {
	p := still(40)
	p.Demand.SharePPM = 1_500_000
	p.Demand.ChurnPPM = 0
	p.Demand.MemoryPPM = 1_000_000
	halved := simulate.Policies()[0]
	halved.Demand = simulate.Shock{Month: 30, KeepPPM: 500_000}
	used := func(month int) int64 { return simulated(t, p, halved, once).At(simulate.UsedPPM, month).P50 }
	require.Equal(t, int64(1_000_000), used(29))
	require.InDelta(t, 750_000, used(30), 1, "nobody left: half of 150 % are wanted")
	p.Demand.ChurnPPM = 1_000_000
	require.InEpsilon(t, 500_000, used(30), 0.001, "all who found nothing left: half of 100 % are wanted")
	p.Demand.MemoryPPM = 0
	require.InEpsilon(t, 750_000, used(31), 0.001, "deviations are forgotten at once")
}

// A jump every month by the same factor is a steady fall; every tenth month it is a tenth of that on average.
func TestJumps(t *testing.T) {
	p := still(25)
	p.Price.JumpPPM, p.Price.JumpMeanPPM, p.Price.JumpSpreadPPM = 1_000_000, -100_000, 0
	s := simulated(t, p, simulate.Policies()[0], once)
	require.InEpsilon(t, 1e6*math.Exp(-2.4), s.At(simulate.PriceMicro, 24).P50, 1e-4)
	p.Price.JumpPPM = 100_000
	b := simulated(t, p, simulate.Policies()[0], simulate.Options{Runs: 2000, Seed: 6, Workers: 1}).At(simulate.PriceMicro, 24)
	// The number of jumps is binomial (24, 0.1): e^(-0.1) each.
	require.InEpsilon(t, 1e6*math.Pow(1-0.1+0.1*math.Exp(-0.1), 24), b.Mean, 0.01)
	require.InEpsilon(t, 1e6*math.Exp(-0.2), b.P50, 1e-4)
}

// Every dollar of the engine's fees is burned or becomes tokens of the fee vault a month later.
func TestFeeVault(t *testing.T) {
	p := still(60)
	p.Demand.SharePPM = 850_000 // rents exceed the promise
	s := simulated(t, p, simulate.Policies()[1], once)
	dollars := 0.0
	for m := 23; m < 60; m++ {
		burn := s.At(simulate.BurnIO, m).P50
		require.Positive(t, burn)
		require.InDelta(t, dollars, s.At(simulate.FeeVaultIO, m).P50-burn, float64(m), "month %d, at a dollar a token", m)
		dollars += float64(s.At(simulate.RevenueUSD, m).P50)*0.045 - float64(burn)
	}
	require.Greater(t, dollars, 1e6)
}

// A buyer finds a tenth of what is liquid in a month.
func TestForSale(t *testing.T) {
	p := still(3)
	p.Price.StartMicro, p.Treasury.FeePPM = 10_000, 500_000
	s := simulated(t, p, simulate.Policies()[0], once)
	// Of what was liquid at genesis, 228 M, the stake was locked before.
	stake := s.At(simulate.OwnStakeIO, 0).P50 + s.At(simulate.CoStakeIO, 0).P50
	require.InEpsilon(t, float64(228_000_000+3_333_333-stake)/10, s.At(simulate.BurnIO, 0).P50, 0.002)
}
