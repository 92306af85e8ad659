package simulate

import (
	"errors"
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/tokenomics"
)

const (
	// million is 1 in parts per million.
	million = 1_000_000
	// mostClasses bounds the classes of machines, and mostMonths the length of a simulation.
	mostClasses, mostMonths = 8, 600
	// mostMachines bounds a class. With it, the bounds on rents (2^25 millionths an hour, fourfold), trends (64-fold) and 744
	// hours a month, what 8 classes earn in a month stays below 2^63 millionths of a dollar.
	mostMachines = 100_000
)

// ErrParams is returned for assumptions or a scenario that cannot be simulated.
var ErrParams = errors.New("simulate: invalid parameters")

// Params is every assumption of a simulation. Parts per million (PPM) are of 1; a month is a calendar month.
type Params struct {
	// Version names this set of assumptions.
	Version string `json:"version"`
	// Start is the instant at which month 0 begins, the first of a month.
	Start time.Time `json:"start"`
	// Months is the length of the simulation, 1 to 600; 240 is the length of io.net's schedule.
	Months uint32 `json:"months"`
	// Network is the money of the network: genesis, cap, allocation, and the burn before the incentive engine. Its token has 8
	// decimal places. Its own schedules, cut-overs, pools and fees are not used: the fields below say what is simulated.
	Network tokenomics.Params `json:"network"`
	// Schedule is what the monthly rule mints, and the burn-and-mint rule besides.
	Schedule tokenomics.ScheduleParams `json:"schedule"`
	// Incentive is the policy of the incentive rule.
	Incentive tokenomics.IDEPolicy `json:"incentive"`
	// BurnMint is the policy of the burn-and-mint rule, without its schedule.
	BurnMint tokenomics.BurnMintPolicy `json:"burn_mint"`
	// Price is how the price of the token moves.
	Price PriceParams `json:"price"`
	// Demand is what renters want.
	Demand DemandParams `json:"demand"`
	// Agents is how suppliers behave.
	Agents AgentParams `json:"agents"`
	// Classes are the kinds of machines, at most 8.
	Classes []ClassParams `json:"classes"`
	// Stake is how stakers and co-stakers behave.
	Stake StakeParams `json:"stake"`
	// Treasury is what the network takes, pays and burns.
	Treasury TreasuryParams `json:"treasury"`
}

// PriceParams moves the price: geometric Brownian motion with jumps, and an answer to what is minted and burned.
type PriceParams struct {
	// StartMicro is the price of a token in month 0, in millionths of a dollar.
	StartMicro uint64 `json:"start_micro"`
	// DriftPPM is the yearly drift of the median price, without jumps and impact.
	DriftPPM int64 `json:"drift_ppm"`
	// VolatilityPPM is the yearly standard deviation of the logarithm.
	VolatilityPPM uint64 `json:"volatility_ppm"`
	// JumpPPM is the probability of a jump in a month.
	JumpPPM uint64 `json:"jump_ppm"`
	// JumpMeanPPM and JumpSpreadPPM are mean and standard deviation of the logarithm of a jump.
	JumpMeanPPM   int64  `json:"jump_mean_ppm"`
	JumpSpreadPPM uint64 `json:"jump_spread_ppm"`
	// ImpactPPM is the elasticity of the price in the circulating supply: at 1,000,000 minting or burning alone leaves the
	// value of all circulating tokens as it is.
	ImpactPPM int64 `json:"impact_ppm"`
}

// GrowthParams is a rate of growth that falls from one level to another.
type GrowthParams struct {
	// FirstPPM is the yearly growth at the start and LastPPM the one that it tends to.
	FirstPPM int64 `json:"first_ppm"`
	LastPPM  int64 `json:"last_ppm"`
	// HalfLifeMonths is after how many months half of the difference is left.
	HalfLifeMonths uint32 `json:"half_life_months"`
}

// DemandParams is what renters want.
type DemandParams struct {
	// SharePPM is the part of the machines' hours that is wanted in month 0 at the reference prices.
	SharePPM uint64 `json:"share_ppm"`
	// Growth is the trend of the hours wanted.
	Growth GrowthParams `json:"growth"`
	// VolatilityPPM is the standard deviation of the logarithm of demand that a month adds.
	VolatilityPPM uint64 `json:"volatility_ppm"`
	// MemoryPPM is the part of a deviation from the trend that is left a month later.
	MemoryPPM uint64 `json:"memory_ppm"`
	// ElasticityPPM is by how many percent the hours wanted fall when rentals become one percent dearer.
	ElasticityPPM uint64 `json:"elasticity_ppm"`
	// ChurnPPM is the part of the demand that could not be served which leaves; it comes back as deviations fade.
	ChurnPPM uint64 `json:"churn_ppm"`
	// TargetPPM is the utilisation at which rental prices rest, and SpeedPPM the change of their binary logarithm in a month
	// for a utilisation that is 100 % off.
	TargetPPM uint64 `json:"target_ppm"`
	SpeedPPM  uint64 `json:"speed_ppm"`
}

// AgentParams is how suppliers behave.
type AgentParams struct {
	// Cohorts is how many suppliers each class has, 1 to 1,000,000. They share its machines equally.
	Cohorts uint32 `json:"cohorts"`
	// SpreadPPM is how far the costs lie from the class's: evenly between cost*(1 - spread) and cost*(1 + spread).
	SpreadPPM uint64 `json:"spread_ppm"`
	// Patience is how many months of loss the dearest cohort of a class bears before it leaves, and of profit the cheapest
	// waits for before it comes, 1 to 40. It rises to three times as much at the other end of the costs.
	Patience int32 `json:"patience"`
	// ReturnPPM is by how much income has to exceed the cost before a supplier comes (back).
	ReturnPPM uint64 `json:"return_ppm"`
	// Growth is the trend of the number of machines that may be offered.
	Growth GrowthParams `json:"growth"`
	// CheaperPPM is the yearly fall of costs, hardware prices and reference rental prices.
	CheaperPPM uint64 `json:"cheaper_ppm"`
}

// ClassParams is a kind of machine with one GPU.
type ClassParams struct {
	// Name is what plots call it.
	Name string `json:"name"`
	// Enterprise says which of the two reward pools pays it.
	Enterprise bool `json:"enterprise"`
	// MultiplierCenti is its earning multiplier in hundredths.
	MultiplierCenti uint64 `json:"multiplier_centi"`
	// Machines is how many may be offered in month 0, at most 100,000.
	Machines uint64 `json:"machines"`
	// CostMicro is what an hour costs its supplier, power, place and wear, in millionths of a dollar.
	CostMicro uint64 `json:"cost_micro"`
	// RentMicro is the reference price of an hour, in millionths of a dollar.
	RentMicro uint64 `json:"rent_micro"`
	// Hardware is its price.
	Hardware tokenomics.USD `json:"hardware"`
}

// StakeParams is how stakers and co-stakers behave.
type StakeParams struct {
	// PerMultiplier is the stake of a machine with a multiplier of 1 or less.
	PerMultiplier tokenomics.Amount `json:"per_multiplier"`
	// HurdlePPM is the yearly return at which owners stake neither more nor less, CoHurdlePPM the one of co-stakers.
	HurdlePPM   uint64 `json:"hurdle_ppm"`
	CoHurdlePPM uint64 `json:"co_hurdle_ppm"`
	// SpeedPPM is the most by which either ratio moves in a month.
	SpeedPPM uint64 `json:"speed_ppm"`
	// LeastPPM is the part of the active machines that stakes whatever the return.
	LeastPPM uint64 `json:"least_ppm"`
	// CoMostPPM is the most of a stake that co-stakers hold, and OfferPPM the part of a machine's rewards that they get
	// where they hold it; they get less in proportion to what they hold.
	CoMostPPM uint64 `json:"co_most_ppm"`
	OfferPPM  uint64 `json:"offer_ppm"`
}

// TreasuryParams is what the network takes, pays and burns.
type TreasuryParams struct {
	// FeePPM is what it keeps of a rental, both sides together.
	FeePPM uint64 `json:"fee_ppm"`
	// EnterprisePPM is the part of block rewards that the enterprise pool gets.
	EnterprisePPM uint64 `json:"enterprise_ppm"`
	// TargetPPM is what the incentive engine promises for an hour of a machine, rents included, in parts of the class's cost.
	TargetPPM uint64 `json:"target_ppm"`
}

// Validate returns [ErrParams] and what is wrong, or nil.
func (p Params) Validate() error {
	for _, part := range []interface{ Validate() error }{p.Network, p.Incentive, p.BurnMint} {
		if err := part.Validate(); err != nil {
			return fmt.Errorf("%w: %w", ErrParams, err)
		}
	}
	switch {
	case p.Version == "":
		return fmt.Errorf("%w: no version", ErrParams)
	case p.Network.Decimals != tokenomics.AmountPlaces:
		return fmt.Errorf("%w: a token of %d decimal places, want %d", ErrParams, p.Network.Decimals, tokenomics.AmountPlaces)
	case p.Months < 1 || p.Months > mostMonths:
		return fmt.Errorf("%w: %d months, want 1 to %d", ErrParams, p.Months, mostMonths)
	case !p.Start.Equal(time.Date(p.Start.UTC().Year(), p.Start.UTC().Month(), 1, 0, 0, 0, 0, time.UTC)):
		return fmt.Errorf("%w: start %s is not the first of a month", ErrParams, p.Start.Format(time.RFC3339))
	case len(p.Classes) < 1 || len(p.Classes) > mostClasses:
		return fmt.Errorf("%w: %d classes, want 1 to %d", ErrParams, len(p.Classes), mostClasses)
	case p.Agents.Cohorts < 1 || p.Agents.Cohorts > million:
		return fmt.Errorf("%w: %d cohorts, want 1 to %d", ErrParams, p.Agents.Cohorts, million)
	case p.Agents.Patience < 1 || p.Agents.Patience > 40:
		return fmt.Errorf("%w: a patience of %d months, want 1 to 40", ErrParams, p.Agents.Patience)
	case p.Stake.HurdlePPM == 0 || p.Stake.CoHurdlePPM == 0:
		return fmt.Errorf("%w: a hurdle of 0", ErrParams)
	}
	for _, c := range p.Classes {
		if c.Name == "" || c.Machines < 1 || c.Machines > mostMachines || c.MultiplierCenti < 1 || c.MultiplierCenti > 100_000 {
			return fmt.Errorf("%w: class %q: %d machines with multiplier %d, want 1 to %d and 1 to 100000 hundredths",
				ErrParams, c.Name, c.Machines, c.MultiplierCenti, mostMachines)
		}
	}
	for _, b := range p.bounds() {
		if b.value < b.least || b.value > b.most {
			return fmt.Errorf("%w: %s is %d, want %d to %d", ErrParams, b.name, b.value, b.least, b.most)
		}
	}
	return nil
}

type bound struct {
	name               string
	value, least, most int64
}

// bounds lists the numbers whose range keeps every product of the engine within its type.
func (p Params) bounds() []bound {
	const all = million
	ppm := func(name string, v uint64, most int64) bound { return bound{name, int64(min(v, 1<<62)), 0, most} }
	growth := func(name string, g GrowthParams) []bound {
		return []bound{
			{name + ".first_ppm", g.FirstPPM, -all / 2, 10 * all},
			{name + ".last_ppm", g.LastPPM, -all / 2, all / 2},
			{name + ".half_life_months", int64(g.HalfLifeMonths), 1, mostMonths},
		}
	}
	out := []bound{
		{"price.start_micro", int64(min(p.Price.StartMicro, 1<<62)), 10_000, 1_000_000_000},
		{"price.drift_ppm", p.Price.DriftPPM, -all * 9 / 10, 10 * all},
		ppm("price.volatility_ppm", p.Price.VolatilityPPM, 5*all), ppm("price.jump_ppm", p.Price.JumpPPM, all),
		{"price.jump_mean_ppm", p.Price.JumpMeanPPM, -3 * all, 3 * all},
		ppm("price.jump_spread_ppm", p.Price.JumpSpreadPPM, 3*all),
		{"price.impact_ppm", p.Price.ImpactPPM, 0, 5 * all},
		ppm("demand.share_ppm", p.Demand.SharePPM, 2*all), ppm("demand.volatility_ppm", p.Demand.VolatilityPPM, all),
		ppm("demand.memory_ppm", p.Demand.MemoryPPM, all), ppm("demand.elasticity_ppm", p.Demand.ElasticityPPM, 5*all),
		ppm("demand.churn_ppm", p.Demand.ChurnPPM, all),
		{"demand.target_ppm", int64(min(p.Demand.TargetPPM, 1<<62)), 10_000, all},
		ppm("demand.speed_ppm", p.Demand.SpeedPPM, all), ppm("agents.spread_ppm", p.Agents.SpreadPPM, all),
		ppm("agents.return_ppm", p.Agents.ReturnPPM, all), ppm("agents.cheaper_ppm", p.Agents.CheaperPPM, all/2),
		ppm("stake.speed_ppm", p.Stake.SpeedPPM, all), ppm("stake.least_ppm", p.Stake.LeastPPM, all),
		ppm("stake.co_most_ppm", p.Stake.CoMostPPM, all/2), ppm("stake.offer_ppm", p.Stake.OfferPPM, all),
		ppm("stake.hurdle_ppm", p.Stake.HurdlePPM, 100*all), ppm("stake.co_hurdle_ppm", p.Stake.CoHurdlePPM, 100*all),
		ppm("stake.per_multiplier", uint64(p.Stake.PerMultiplier), 1_000_000*tokenomics.UnitsPerToken),
		ppm("treasury.fee_ppm", p.Treasury.FeePPM, all/2), ppm("treasury.enterprise_ppm", p.Treasury.EnterprisePPM, all),
		ppm("treasury.target_ppm", p.Treasury.TargetPPM, 10*all),
	}
	for _, c := range p.Classes {
		out = append(out, bound{c.Name + ".cost_micro", int64(min(c.CostMicro, 1<<62)), 1, 20_000_000},
			bound{c.Name + ".rent_micro", int64(min(c.RentMicro, 1<<62)), 1, 20_000_000},
			bound{c.Name + ".hardware", int64(min(c.Hardware, 1<<62)), 1, 1_000_000 * tokenomics.MicrosPerUSD})
	}
	return append(append(out, growth("demand.growth", p.Demand.Growth)...), growth("agents.growth", p.Agents.Growth)...)
}
