package tokenomics

import "time"

// ionetMonthOne is the first instant of month 1 after the initial distribution. coin/coin-restrictions counts months
// "after the initial distribution" and names no date. July 2024 is where the table of monthly emission begins, and it
// makes July 2025, from which the article counts its unlocks, month 13, in which the first tranches fall.
func ionetMonthOne() time.Time { return time.Date(2024, 7, 1, 0, 0, 0, 0, time.UTC) }

// IONetAllocation returns the table of io.net's documentation (coin/io-tokenomics, coin/coin-restrictions). That
// research and ecosystem is free from the start is the reading by which its unlock chart begins highest; no restriction
// is published for it. The instant of the initial distribution is not in the documents: the begin of the hourly emission
// is our choice.
func IONetAllocation() AllocationParams {
	const tokens = UnitsPerToken
	investors := MonthlyRelease{FirstMonth: 13, EveryMonths: 1, Tranches: 24} // end of months 13 to 36
	employees := MonthlyRelease{FirstMonth: 13, EveryMonths: 1, Tranches: 36} // end of months 13 to 48
	return AllocationParams{
		Version:  "io.net/documents/1",
		Cap:      800_000_000 * tokens,
		Start:    time.Date(2024, 6, 15, 16, 0, 0, 0, time.UTC),
		MonthOne: ionetMonthOne(),
		Buckets: []Bucket{
			// 50 %: 100 million at genesis and the whole emission.
			{Name: "community", Amount: 400_000_000 * tokens, AtStart: 100_000_000 * tokens, Release: ReleaseEmission},
			{Name: "research and ecosystem", Amount: 128_000_000 * tokens, AtStart: 128_000_000 * tokens}, // 16 %
			{Name: "seed", Amount: 100_000_000 * tokens, Release: ReleaseMonthly, Monthly: investors},     // 12.5 %
			{Name: "series A", Amount: 81_600_000 * tokens, Release: ReleaseMonthly, Monthly: investors},  // 10.2 %
			{Name: "core", Amount: 90_400_000 * tokens, Release: ReleaseMonthly, Monthly: employees},      // 11.3 %
		},
	}
}

// ArticleAllocation returns what the blocmates article on io.net (mid-2025) states, and no more: "just over 15 % of
// total supply" becomes free over 35 months from July 2025. It takes 15 % of 800 million, 120 million, as the least
// that this can mean, in 35 equal tranches, the first at the end of July 2025; equal tranches are our choice. The rest
// of the cap but the emission is left unsaid, so what circulates by this table is a lower bound.
func ArticleAllocation() AllocationParams {
	const tokens = UnitsPerToken
	return AllocationParams{
		Version:  "io.net/article/1",
		Cap:      800_000_000 * tokens,
		Start:    time.Date(2024, 6, 15, 16, 0, 0, 0, time.UTC),
		MonthOne: ionetMonthOne(),
		Buckets: []Bucket{
			{Name: "emission", Amount: 300_000_000 * tokens, Release: ReleaseEmission},
			{
				Name: "stated unlock", Amount: 120_000_000 * tokens, Release: ReleaseMonthly,
				Monthly: MonthlyRelease{FirstMonth: 13, EveryMonths: 1, Tranches: 35},
			},
		},
	}
}
