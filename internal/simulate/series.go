package simulate

import "fmt"

// Series is a figure that is recorded in every month of every run, as a whole number of its unit.
type Series int

// The series. Those of a class follow after these: see [Summary.Active].
const (
	// PriceMicro is the price of a token in millionths of a dollar.
	PriceMicro Series = iota
	// SupplyIO to BurnedIO are whole tokens, rounded down, at the end of the month. Circulating is liquid and staked; the
	// fee vault includes what was bought to be burned, the reward vault is what the cap leaves to mint, and burned is without what
	// was minted again: with locked they add up to the cap.
	SupplyIO
	CirculatingIO
	LiquidIO
	OwnStakeIO
	CoStakeIO
	LockedIO
	FeeVaultIO
	VaultIO
	BurnedIO
	// EmissionIO and BurnIO are what the month minted or released, and what it burned or bought to burn.
	EmissionIO
	BurnIO
	// GenesisInflationPPM and SupplyInflationPPM are the month's emission times 12 over genesis and over the supply.
	GenesisInflationPPM
	SupplyInflationPPM
	// NetInflationPPM is the month's emission less its burn, times 12, over the supply.
	NetInflationPPM
	// StakerPPM and CoStakerPPM are the month's rewards times 12 over the stake of owners and co-stakers.
	StakerPPM
	CoStakerPPM
	// StakedPPM is what is staked of the circulating supply.
	StakedPPM
	// RatioPPM is the sustainability ratio: the network's fees over the worth of the rewards that it paid beside the rents,
	// at most 1,000, which is also what it is where nothing was paid.
	RatioPPM
	// BreakEvenMicro is the price at which the dollars that burned tokens this month would have bought what it emitted.
	BreakEvenMicro
	// RevenueUSD is what renters paid, PaidUSD what suppliers got in all, and UnfundedUSD what was owed and not paid.
	RevenueUSD
	PaidUSD
	UnfundedUSD
	// UsedPPM is the utilisation of all active machines.
	UsedPPM
	// Machines is how many machines are active.
	Machines
	fixedSeries
)

// column describes a series.
type column struct {
	name   string // for CSV
	places int    // decimal places that the unit stands for
}

func fixedColumns() []column {
	return []column{
		{"price_usd", 6},
		{"supply_io", 0},
		{"circulating_io", 0},
		{"liquid_io", 0},
		{"own_stake_io", 0},
		{"co_stake_io", 0},
		{"locked_io", 0},
		{"fee_vault_io", 0},
		{"reward_vault_io", 0},
		{"burned_io", 0},
		{"emission_io", 0},
		{"burn_io", 0},
		{"inflation_over_genesis_pct", 4},
		{"inflation_over_supply_pct", 4},
		{"net_inflation_pct", 4},
		{"staker_apr_pct", 4},
		{"co_staker_apr_pct", 4},
		{"staked_of_circulating_pct", 4},
		{"sustainability_ratio", 6},
		{"break_even_price_usd", 6},
		{"renters_paid_usd", 0},
		{"suppliers_got_usd", 0},
		{"unfunded_usd", 0},
		{"utilisation_pct", 4},
		{"machines", 0},
	}
}

// columns lists every series of a simulation with these classes.
func columns(p Params) []column {
	out := fixedColumns()
	for _, kind := range []struct {
		name   string
		places int
	}{{"machines", 0}, {"margin_pct", 4}, {"apr_pct", 4}} {
		for _, c := range p.Classes {
			out = append(out, column{fmt.Sprintf("%s_%s", c.Name, kind.name), kind.places})
		}
	}
	return out
}

// active, margin and apr are the series of class c among n: its active machines, its income over its typical cost less
// 1, and its yearly net income over its hardware and stake.
func active(c int) Series    { return fixedSeries + Series(c) }
func margin(n, c int) Series { return fixedSeries + Series(n+c) }
func apr(n, c int) Series    { return fixedSeries + Series(2*n+c) }
