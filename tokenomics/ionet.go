package tokenomics

import (
	"time"

	"github.com/shopspring/decimal"
)

// IONet returns the parameters of io.net. The comments give the page of its documentation from which a value comes, or
// say that it is our choice.
func IONet() Params {
	const tokens = UnitsPerToken
	// The block of 2024-06-20T00 emitted 4,559.620, which is epoch 105: epoch 1 began 104 hours before. The page's own
	// date of the first block, 2024-06-25T12, is later than blocks that were recorded.
	firstBlock := time.Date(2024, 6, 15, 16, 0, 0, 0, time.UTC)
	// block-rewards/proposed-device-block-reward-multiplier; stakes kept the old column for a month.
	twoPools := time.Date(2025, 6, 4, 15, 0, 0, 0, time.UTC)
	stakeGrace := time.Date(2025, 7, 1, 0, 0, 0, 0, time.UTC)
	monthly, allocation := IONetMonthly(), IONetAllocation()
	return Params{
		Version:  "io.net/1",
		Decimals: AmountPlaces,         // two independent public repositories; not verified on chain
		Genesis:  500_000_000 * tokens, // coin/io-tokenomics
		Cap:      800_000_000 * tokens, // coin/io-tokenomics
		Emission: ionetEmission(),
		// The published totals of the monthly table leave June 2024 out; its blocks follow the hourly schedule. Records of 2025
		// follow the monthly one.
		Cutovers:   []CutoverParams{{From: monthly.Start, Schedule: &monthly}, IONetIDE()},
		Allocation: &allocation,
		Calendar:   Calendar{Start: firstBlock, Length: time.Hour},
		Pools: PoolPolicy{Eras: []PoolEra{
			// explorer/workers-page: the normalised scores add up to 8 and 2 million.
			{From: firstBlock, Shares: []PoolShare{{PoolGPU, 8_000_000}, {PoolCPU, 2_000_000}}},
			// 95:5 is published; that the points add up to 10 million as before is our choice.
			{From: twoPools, Shares: []PoolShare{{PoolEnterprise, 9_500_000}, {PoolCommunity, 500_000}}},
		}},
		Multipliers: MultiplierParams{EarnFrom: twoPools, StakeFrom: stakeGrace, Rows: ionetMultipliers()},
		// Records printed for 2024-06-09 and 06-13 follow version 1, those from 2024-06-20T00 on version 2. The first
		// instant known to follow version 2 is our choice.
		ScoreV2From: time.Date(2024, 6, 20, 0, 0, 0, 0, time.UTC),
		// coin/io-tokenomics: 0.25 % on both sides, and 2 % unless the renter pays in the token. The order in which the
		// two combine is not published: both on the net amount is our choice.
		Fees: FeePolicy{ReservationBps: 25, PaymentUSDCBps: 200, PaymentCardBps: 200, Order: Additive},
		// Published is only that the burn is "adjusted dynamically based on the price"; the curve is our choice.
		Burn: BurnPolicy{ShareBps: 5_000, MinBps: 1_000, MaxBps: 10_000},
	}
}

// ionetEmission is the hourly schedule of docs.iog.net/docs/token-emission-schedule: 8 % a year over 8,760 hours, cut
// to the 24 places printed, over 20 years of 8,766 hours less one. As printed it would pass the cap by 44,090.64 base
// units in its last hour, which is why the cap is part of it.
func ionetEmission() EmissionParams {
	return EmissionParams{
		ID:      "io.net/hourly",
		Base:    500_000_000 * UnitsPerToken,
		Rate:    decimal.New(91324200913242, -19),  // 0.0000091324200913242
		Decline: decimal.New(138869523959793, -19), // 0.0000138869523959793
		Epochs:  175_319,
		Cap:     300_000_000 * UnitsPerToken,
	}
}

// IONetMonthly returns the monthly schedule of io.net, docs/coin/ionet-monthly-token-emission-schedule: 240 months from July
// 2024, the first of 8 % / 12 of the supply at genesis. The printed factor, 0.989849199, gives 2 of the 12 printed months
// and passes 300,000,000 by 5,578.78; the factor that ends there exactly, 0.98984895296..., gives all of them, and the hourly
// emission of later ledger records besides. It is taken to 50 digits, with which the sum ends one base unit below the cap: the
// last month is raised by that unit.
func IONetMonthly() ScheduleParams {
	factor, _ := decimal.NewFromString("0.98984895296234951635211519733579014610602088070146") // digits of a number
	return ScheduleParams{
		Emission: EmissionParams{
			ID:          "io.net/monthly",
			Base:        500_000_000 * UnitsPerToken,
			Rate:        decimal.New(8, -2),
			RateDivisor: 12,
			Decline:     decimal.NewFromInt(1).Sub(factor),
			Epochs:      240,
			Cap:         300_000_000 * UnitsPerToken,
			Snap:        1,
		},
		Start:   time.Date(2024, 7, 1, 0, 0, 0, 0, time.UTC),
		Monthly: true,
	}
}

// IONetIDE returns io.net's incentive dynamic engine, in force since 2026-06-11, as far as third parties have described it
// (CoinDesk and exchanges, June 2026); the formula itself is not published and ours ([IDEPolicy]). That it began at midnight
// UTC is our choice.
func IONetIDE() CutoverParams {
	const tokens = UnitsPerToken
	return CutoverParams{
		From: time.Date(2026, 6, 11, 0, 0, 0, 0, time.UTC),
		IDE:  &IDEPolicy{Name: "io.net/ide/1", BurnShareBps: 5_000, Target: 115_000_000 * tokens, FirstYear: 12_000_000 * tokens},
	}
}
