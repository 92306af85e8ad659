package simulate

import (
	"time"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// IONet returns our assumptions about io.net. What io.net published has its source beside it. Everything else is our
// choice, made to be of a plausible size and to be varied: no forecast, and nobody's measurement.
func IONet() Params {
	const token, usd = tokenomics.UnitsPerToken, tokenomics.MicrosPerUSD
	engine := *tokenomics.IONetIDE().IDE
	engine.DropDebts = true
	akash := tokenomics.BurnMintPolicy{Name: "burn-and-mint/1", WarnPPM: 950_000, HaltPPM: 900_000} // AEP-76
	return Params{
		Version: "simulate/1",
		Start:   time.Date(2024, 7, 1, 0, 0, 0, 0, time.UTC), // coin/ionet-monthly-token-emission-schedule: the first month
		Months:  240,                                         // ibidem
		Network: tokenomics.IONet(),
		// What the vaults cannot pay lowers what the engine promises (reported of the engine), so it is no debt.
		Schedule: tokenomics.IONetMonthly(), Incentive: engine, BurnMint: akash,
		Price: PriceParams{ // our choice: a round price without drift that moves as a token of its size does
			StartMicro: 1 * usd, DriftPPM: 0, VolatilityPPM: 600_000,
			JumpPPM: 40_000, JumpMeanPPM: -100_000, JumpSpreadPPM: 250_000, ImpactPPM: million,
		},
		Demand: DemandParams{ // our choice
			SharePPM: 450_000, Growth: GrowthParams{FirstPPM: 400_000, LastPPM: 30_000, HalfLifeMonths: 36},
			VolatilityPPM: 60_000, MemoryPPM: 900_000, ElasticityPPM: 1_200_000, ChurnPPM: 100_000,
			TargetPPM: 700_000, SpeedPPM: 200_000,
		},
		Agents: AgentParams{ // our choice
			Cohorts: 8, SpreadPPM: 400_000, Patience: 3, ReturnPPM: 100_000,
			Growth: GrowthParams{FirstPPM: 400_000, LastPPM: 30_000, HalfLifeMonths: 36}, CheaperPPM: 50_000,
		},
		// The multipliers and pools are block-rewards/proposed-device-block-reward-multiplier; the rest is our choice.
		Classes: []ClassParams{
			{Name: "H100", Enterprise: true, MultiplierCenti: 1000, Machines: 600, CostMicro: 1_600_000, RentMicro: 2_300_000, Hardware: 25_000 * usd},
			{Name: "A100", Enterprise: true, MultiplierCenti: 500, Machines: 1500, CostMicro: 750_000, RentMicro: 1_100_000, Hardware: 10_000 * usd},
			{Name: "RTX 4090", Enterprise: true, MultiplierCenti: 125, Machines: 3000, CostMicro: 220_000, RentMicro: 330_000, Hardware: 1_800 * usd},
			{Name: "RTX 3090", Enterprise: false, MultiplierCenti: 175, Machines: 4000, CostMicro: 110_000, RentMicro: 170_000, Hardware: 800 * usd},
		},
		Stake: StakeParams{
			PerMultiplier: 200 * token, // coin/io-coin: 200 IO times the multiplier, at least 1
			HurdlePPM:     150_000, CoHurdlePPM: 100_000, SpeedPPM: 50_000, LeastPPM: 200_000,
			CoMostPPM: 500_000, // the co-staking pages: at most half of the requirement
			OfferPPM:  300_000,
		},
		Treasury: TreasuryParams{
			FeePPM:        45_000,    // coin/io-tokenomics: 0.25 % and 2 % on each side, for whoever pays in dollars
			EnterprisePPM: 950_000,   // block-rewards/proposed-device-block-reward-multiplier; for all months: our choice
			TargetPPM:     1_150_000, // our choice
		},
	}
}
