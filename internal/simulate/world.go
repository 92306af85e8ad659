package simulate

import (
	"time"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// month is what every run of a scenario shares about a month.
type month struct {
	start, mid time.Time
	end        time.Time
	hours      uint64            // in the calendar month
	wanted     uint64            // trend of demand, Q32: 1 in month 0
	offered    uint64            // trend of the machines that may be offered, Q32
	cheap      uint64            // costs and reference prices relative to month 0, Q32
	dear       uint64            // the inverse of cheap, Q32
	locked     tokenomics.Amount // not vested at the end of the month
	price      int64             // change of log2 of the price besides chance, Q32
	demand     int64             // shocks of demand up to now, log2 in Q32
	rule       Rule
}

// class is a ClassParams in the units of the engine.
type class struct {
	ClassParams
	hours  uint64            // wanted in month 0 an hour, at the reference price: machines in 1/65,536
	stake  tokenomics.Amount // of one machine
	target uint64            // what the engine owes for an hour, millionths of a dollar in month 0
	part   uint64            // the inverse of the cost: millionths of it in a millionth of a dollar, Q32
}

// world is all that the runs of one scenario share. Nothing in it changes.
type world struct {
	p       Params
	t       *tables
	agents  *agents
	classes []class
	months  []month
	locked  tokenomics.Amount // before month 0
	rules   policies

	sigma, jumpMean, jumpSpread int64 // of log2 of the price in a month, Q32
	jump                        uint64
	impact, elasticity          int64 // Q32
	noise, memory, speed        int64 // Q32
	target, churn               uint64
	stakeSpeed, least, coMost   int64 // Q32
	offer                       uint64
	enterprise, keep            uint64    // of block rewards and of rents, Q32
	lightest                    [2]uint64 // weight of the first cohort of a pool, at least 256
}

// q32 returns parts per million in Q32, rounded down.
func q32(ppm uint64) int64 { return int64(ppm<<32) / million }

// log2PPM returns log2(1 + ppm/1,000,000) in Q32.
func (t *tables) log2PPM(ppm int64) int64 { return t.log2(uint64(million+ppm)) - t.log2(million) }

// newWorld computes what does not depend on chance.
func newWorld(p Params, s Scenario, t *tables, rules policies) (*world, error) {
	w := &world{
		p: p, t: t, rules: rules, agents: newAgents(p),
		// A standard deviation of a natural logarithm in a year is 1/sqrt(12) of it in a month, and 1/ln 2 of that in log2.
		sigma:    natural(mulQ(q32(p.Price.VolatilityPPM), rootOf12th)),
		jumpMean: natural(signedQ32(p.Price.JumpMeanPPM)), jumpSpread: natural(q32(p.Price.JumpSpreadPPM)),
		jump: p.Price.JumpPPM, impact: q32(uint64(p.Price.ImpactPPM)), elasticity: q32(p.Demand.ElasticityPPM),
		noise: natural(q32(p.Demand.VolatilityPPM)), memory: q32(p.Demand.MemoryPPM), speed: q32(p.Demand.SpeedPPM),
		target: uint64(q32(p.Demand.TargetPPM)), churn: uint64(q32(p.Demand.ChurnPPM)),
		stakeSpeed: q32(p.Stake.SpeedPPM), least: q32(p.Stake.LeastPPM), coMost: q32(p.Stake.CoMostPPM),
		offer: uint64(q32(p.Stake.OfferPPM)), enterprise: uint64(q32(p.Treasury.EnterprisePPM)), keep: uint64(one - q32(p.Treasury.FeePPM)),
		lightest: [2]uint64{256, 256},
	}
	for i, c := range p.Classes {
		w.classes = append(w.classes, class{
			ClassParams: c,
			hours:       part(c.Machines<<machineBits, uint64(q32(p.Demand.SharePPM))),
			stake:       p.Stake.PerMultiplier * tokenomics.Amount(max(100, c.MultiplierCenti)) / 100,
			target:      c.CostMicro * p.Treasury.TargetPPM / million,
			part:        million << 32 / c.CostMicro,
		})
		own := &w.lightest[pool(&w.classes[i])]
		if weight := uint64(w.agents.machines[i*w.agents.n]) * c.MultiplierCenti; *own == 256 || weight < *own {
			*own = max(256, weight)
		}
	}
	return w, w.calendar(s)
}

// mostTrend bounds trends at 64 times the start and mostFall prices at 1/1,024 of it, in log2.
const mostTrend, mostFall = 6 * one, 10 * one

// rootOf12th is 1/sqrt(12) and log2e 1/ln 2, both in Q32.
const rootOf12th, log2e = 1_239_850_262, 6_196_328_019

func natural(x int64) int64 { return mulQ(x, log2e) }

func signedQ32(ppm int64) int64 {
	if ppm < 0 {
		return -q32(uint64(-ppm))
	}
	return q32(uint64(ppm))
}

// calendar lays out the months: dates, trends, vesting, shocks and rules.
func (w *world) calendar(s Scenario) error {
	p := w.p
	locked, err := p.vesting()
	if err != nil {
		return err
	}
	w.locked = locked[0]
	var wanted, offered, cheap, demand int64
	wantedGrowth, offeredGrowth := newTrend(w.t, p.Demand.Growth), newTrend(w.t, p.Agents.Growth)
	drift := w.t.log2PPM(p.Price.DriftPPM) / 12
	cheaper := w.t.log2PPM(-int64(p.Agents.CheaperPPM)) / 12
	for m := range p.Months {
		start := p.Start.UTC().AddDate(0, int(m), 0)
		mo := month{
			start: start, end: start.AddDate(0, 1, 0), rule: s.rule(m), locked: locked[m+1],
			wanted: w.t.scale(1<<32, min(wanted, mostTrend)), offered: w.t.scale(1<<32, min(offered, mostTrend)),
			cheap: w.t.scale(1<<32, max(cheap, -mostFall)), dear: w.t.scale(1<<32, min(-cheap, mostFall)),
		}
		mo.hours = uint64(mo.end.Sub(start) / time.Hour)
		mo.mid = start.Add(time.Duration(mo.hours/2) * time.Hour)
		if m > 0 {
			mo.price = drift
		}
		if m == s.Price.Month && s.Price.KeepPPM > 0 {
			mo.price += w.t.log2(s.Price.KeepPPM) - w.t.log2(million)
		}
		if m == s.Demand.Month && s.Demand.KeepPPM > 0 {
			demand = w.t.log2(s.Demand.KeepPPM) - w.t.log2(million)
		}
		mo.demand = demand
		w.months = append(w.months, mo)
		wanted, offered, cheap = wanted+wantedGrowth.next(), offered+offeredGrowth.next(), cheap+cheaper
	}
	return nil
}

// trend walks a GrowthParams, in log2 a month.
type trend struct{ excess, last, keep int64 }

func newTrend(t *tables, g GrowthParams) trend {
	last := t.log2PPM(g.LastPPM) / 12
	return trend{excess: t.log2PPM(g.FirstPPM)/12 - last, last: last, keep: int64(t.scale(1<<32, -one/int64(g.HalfLifeMonths)))}
}

func (g *trend) next() int64 {
	rate := g.last + g.excess
	g.excess = mulQ(g.excess, g.keep)
	return rate
}
