package simulate

import (
	"context"
	"fmt"
)

// stressMonth is when the stresses come: July 2027, a year after the engine began and the investors' tokens are vested.
const stressMonth = 36

// Study is the comparison of the policies, without and with stress, under the same chance.
type Study struct {
	params Params
	// Policies are the results of [Policies], in their order.
	Policies []*Summary
	// Stressed are those of [Stressed] for the monthly schedule and for the engine.
	Stressed [2][]*Summary
	// Effects are those of the assumptions on the engine; see [Study.Vary].
	Effects []Effect
	options Options
}

// Compare runs the study. Progress is called with the months that are done of all that there are.
func Compare(ctx context.Context, p Params, o Options, progress func(done, total int)) (*Study, error) {
	e, err := New(p)
	if err != nil {
		return nil, err
	}
	st := &Study{params: p, options: o}
	policies := Policies()
	all := policies
	for i := range st.Stressed {
		all = append(all, Stressed(policies[i], stressMonth)...)
	}
	for i, s := range all {
		o.Progress = func(months int) {
			if progress != nil {
				progress(i*int(p.Months)+months, len(all)*int(p.Months))
			}
		}
		sum, err := e.Run(ctx, s, o)
		if err != nil {
			return nil, err
		}
		if i < len(policies) {
			st.Policies = append(st.Policies, sum)
		} else {
			of := (i - len(policies)) / 3
			st.Stressed[of] = append(st.Stressed[of], sum)
		}
	}
	return st, nil
}

// Effect is what one assumption changes: the medians at the end of the simulation, at its low and its high value.
type Effect struct {
	Name, Low, High    string
	Supply, Machines   [2]int64 // whole tokens, machines
	BaseIO, BaseNumber int64    // the same without a change
}

// variation sets one assumption to one of two values and says which.
type variation struct {
	name string
	set  func(p *Params, high bool) string
}

// percent sets v to the low or the high value, in parts per million, and names it.
func percent[T int64 | uint64](v *T, high bool, low, top T) string {
	if *v = low; high {
		*v = top
	}
	return fmt.Sprintf("%d %%", *v/10_000)
}

// variations are the assumptions that are varied. All values are our choice.
func variations() []variation {
	dollars := func(v *uint64, high bool, low, top uint64) string {
		if *v = low; high {
			*v = top
		}
		return fmt.Sprintf("$%s", fixed(int64(*v/10_000), 2))
	}
	return []variation{
		{"price at the start", func(p *Params, h bool) string { return dollars(&p.Price.StartMicro, h, 500_000, 2_000_000) }},
		{"price drift a year", func(p *Params, h bool) string { return percent(&p.Price.DriftPPM, h, -100_000, 100_000) }},
		{"price volatility", func(p *Params, h bool) string { return percent(&p.Price.VolatilityPPM, h, 300_000, 900_000) }},
		{"jumps a month", func(p *Params, h bool) string { return percent(&p.Price.JumpPPM, h, 0, 100_000) }},
		{"impact of supply", func(p *Params, h bool) string { return percent(&p.Price.ImpactPPM, h, 0, 2_000_000) }},
		{"demand at the start", func(p *Params, h bool) string { return percent(&p.Demand.SharePPM, h, 250_000, 650_000) }},
		{"first growth of demand", func(p *Params, h bool) string { return percent(&p.Demand.Growth.FirstPPM, h, 200_000, 600_000) }},
		{"rental elasticity", func(p *Params, h bool) string { return percent(&p.Demand.ElasticityPPM, h, 600_000, 2_400_000) }},
		{"fall of costs a year", func(p *Params, h bool) string { return percent(&p.Agents.CheaperPPM, h, 0, 150_000) }},
		{"spread of costs", func(p *Params, h bool) string { return percent(&p.Agents.SpreadPPM, h, 200_000, 600_000) }},
		{"fees", func(p *Params, h bool) string { return percent(&p.Treasury.FeePPM, h, 10_000, 90_000) }},
		{"promise over cost", func(p *Params, h bool) string { return percent(&p.Treasury.TargetPPM, h, 1_000_000, 1_300_000) }},
	}
}

// Vary runs the engine's scenario with each assumption at two values, the others unchanged, a quarter as often as the study.
func (st *Study) Vary(ctx context.Context, progress func(done, total int)) error {
	s, o := Policies()[1], st.options
	o.Runs, o.Progress = max(1, o.Runs/4), nil
	medians := func(p Params) (supply, machines int64, err error) {
		e, err := New(p)
		if err != nil {
			return 0, 0, err
		}
		sum, err := e.Run(ctx, s, o)
		if err != nil {
			return 0, 0, err
		}
		last := sum.Months - 1
		return sum.At(SupplyIO, last).P50, sum.At(Machines, last).P50, nil
	}
	baseIO, baseNumber, err := medians(st.params)
	if err != nil {
		return err
	}
	var effects []Effect
	all := variations()
	for i, v := range all {
		f := Effect{Name: v.name, BaseIO: baseIO, BaseNumber: baseNumber}
		for j, note := range []*string{&f.Low, &f.High} {
			p := st.params
			*note = v.set(&p, j == 1)
			if f.Supply[j], f.Machines[j], err = medians(p); err != nil {
				return fmt.Errorf("%s at %s: %w", v.name, *note, err)
			}
		}
		effects = append(effects, f)
		if progress != nil {
			progress(i+1, len(all))
		}
	}
	st.Effects = effects
	return nil
}
