package simulate

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/idlegrid/idlegrid/internal/chart"
)

// File is something to be written, in its folder.
type File struct {
	Name string
	Data []byte
}

// plot is a chart under its file name.
type plot struct {
	name  string
	chart interface{ SVG() ([]byte, error) }
}

// Files returns the tables and the plots, in the order of their names.
func (st *Study) Files() ([]File, error) {
	var out []File
	for _, s := range slices.Concat(st.Policies, st.Stressed[0], st.Stressed[1]) {
		out = append(out, File{s.Scenario.Name + ".csv", s.CSV()})
	}
	plots := slices.Concat(st.overview(), st.stress(), st.tornado())
	for i, s := range st.Policies {
		plots = append(plots, st.policy(s, i)...)
	}
	for _, p := range plots {
		svg, err := p.chart.SVG()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
		out = append(out, File{p.name + ".svg", svg})
	}
	slices.SortFunc(out, func(a, b File) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}

// base is a chart with the time of the study on its horizontal axis.
func (st *Study) base(title, subtitle string, y chart.Axis) chart.Chart {
	s := st.Policies[0]
	c := chart.Chart{Title: title, Subtitle: subtitle, X: chart.Axis{Label: "year"}, Y: y}
	years := max(1, (s.Months/12+9)/10)
	for m := range s.Months {
		c.At = append(c.At, int64(m))
		if at := s.Start.AddDate(0, m, 0); at.YearDay() == 1 && at.Year()%years == 0 {
			c.Ticks = append(c.Ticks, chart.Tick{At: int64(m), Label: fmt.Sprint(at.Year())})
		}
	}
	return c
}

func (st *Study) runs() string {
	return fmt.Sprintf("%d runs, seed %d; median and range of 5 to 95 %%", st.options.Runs, st.options.Seed)
}

func (st *Study) medians() string {
	return fmt.Sprintf("medians of %d runs, seed %d", st.options.Runs, st.options.Seed)
}

func (s *Summary) median(series Series) (out []int64) {
	for m := range s.bands {
		out = append(out, s.At(series, m).P50)
	}
	return out
}

func (s *Summary) mean(series ...Series) []int64 {
	out := make([]int64, s.Months)
	for _, one := range series {
		for m := range out {
			out[m] += s.At(one, m).Mean
		}
	}
	return out
}

func (s *Summary) line(series Series) chart.Line {
	return chart.Line{Name: s.Scenario.Title, Values: s.median(series)}
}

func (s *Summary) band(name string, series Series) chart.Band {
	b := chart.Band{Name: name, Mid: s.median(series)}
	for m := range s.bands {
		b.Low, b.High = append(b.Low, s.At(series, m).P5), append(b.High, s.At(series, m).P95)
	}
	return b
}

// begun marks the month in which the engine begins, where that is part of the study.
func (st *Study) begun(c *chart.Chart) {
	if st.Policies[0].Months > cutOver {
		c.Marks = append(c.Marks, chart.Mark{At: cutOver, Label: "engine begins"})
	}
}

// overview compares the policies.
func (st *Study) overview() []plot {
	monthly, engine := st.Policies[0], st.Policies[1]
	fan := func(title string, y chart.Axis, series Series, only ...*Summary) chart.Chart {
		c := st.base(title, st.runs(), y)
		for _, s := range only {
			c.Bands = append(c.Bands, s.band(s.Scenario.Title, series))
		}
		return c
	}
	lines := func(title string, y chart.Axis, series Series) chart.Chart {
		c := st.base(title, st.medians(), y)
		for _, s := range st.Policies {
			c.Lines = append(c.Lines, s.line(series))
		}
		st.begun(&c)
		return c
	}
	price := fan("Assumed: the price of IO wanders, with jumps, and answers to issuance", chart.Axis{Label: "dollars per IO (logarithmic)", Places: 6, Log: true}, PriceMicro, monthly, engine)
	supply := fan("Supply by policy", chart.Axis{Label: "IO"}, SupplyIO, st.Policies...)
	inflation := lines("Inflation: what a month mints less what it burns, a year, over the supply", chart.Axis{Label: "% a year", Places: 4, Zero: true}, NetInflationPPM)
	inflation.Lines = append(inflation.Lines, chart.Line{Name: "monthly schedule, emission over genesis", Values: monthly.median(GenesisInflationPPM), Dashed: true},
		chart.Line{Name: "monthly schedule, emission over supply", Values: monthly.median(SupplyInflationPPM), Dashed: true})
	staker := lines("Return of owners' stakes, before costs", chart.Axis{Label: "% a year (logarithmic)", Places: 4, Log: true}, StakerPPM)
	co := lines("Return of co-stakers", chart.Axis{Label: "% a year (logarithmic)", Places: 4, Log: true}, CoStakerPPM)
	vaults := st.base("What is left in the vaults", st.runs(), chart.Axis{Label: "IO", Zero: true})
	vaults.Bands = []chart.Band{engine.band("reward vault, engine", VaultIO), engine.band("fee vault, engine", FeeVaultIO)}
	vaults.Lines = []chart.Line{{Name: "reward vault, monthly schedule", Values: monthly.median(VaultIO), Dashed: true}}
	st.begun(&vaults)
	ratio := fan("Sustainability ratio of the engine: fees over what it pays beside the rents", chart.Axis{Label: "ratio (logarithmic, at most 1,000)", Places: 6, Log: true, Floor: 10_000}, RatioPPM, engine)
	st.begun(&ratio)
	machines := fan("Active machines by policy", chart.Axis{Label: "machines", Zero: true}, Machines, monthly, engine)
	return []plot{
		{"price", price},
		{"supply-fan", supply},
		{"inflation", inflation},
		{"apr-stakers", staker},
		{"apr-co-stakers", co},
		{"vaults", vaults},
		{"sustainability", ratio},
		{"machines", machines},
	}
}

// policy shows one of them by itself.
func (st *Study) policy(s *Summary, i int) []plot {
	name, title := s.Scenario.Name, s.Scenario.Title
	buckets := st.base("The cap of 800 M IO by bucket: "+title, fmt.Sprintf("means of %d runs, seed %d, which add up to the cap", st.options.Runs, st.options.Seed), chart.Axis{Label: "IO", Zero: true})
	buckets.Areas = []chart.Line{
		{Name: "circulating, liquid", Values: s.mean(LiquidIO)},
		{Name: "circulating, staked", Values: s.mean(OwnStakeIO, CoStakeIO)},
		{Name: "not vested", Values: s.mean(LockedIO)},
		{Name: "fee vault", Values: s.mean(FeeVaultIO)},
		{Name: "not minted", Values: s.mean(VaultIO)},
		{Name: "burned", Values: s.mean(BurnedIO)},
	}
	flow := st.base("Emission against burn: "+title, st.runs(), chart.Axis{Label: "IO a month (logarithmic)", Log: true, Floor: 1000})
	flow.Bands = []chart.Band{s.band("emission", EmissionIO), s.band("burn", BurnIO)}
	if m := s.meets(); m >= 0 {
		flow.Marks = []chart.Mark{{At: int64(m), Label: "the median burn meets the median emission"}}
	}
	breakEven := st.base("Break-even: the price at which burn would equal emission: "+title, st.medians(), chart.Axis{Label: "dollars per IO (logarithmic)", Places: 6, Log: true, Floor: 1000})
	breakEven.Lines = []chart.Line{{Name: "price", Values: s.median(PriceMicro)}, {Name: "break-even price", Values: s.median(BreakEvenMicro)}}
	supplier := st.base("Return of suppliers on hardware and stake: "+title, st.medians(), chart.Axis{Label: "% a year", Places: 4, Zero: true})
	margins := st.base("Margin of suppliers, income over cost: "+title, st.medians(), chart.Axis{Label: "% of cost", Places: 4, Zero: true})
	for c, cl := range s.classes {
		supplier.Lines = append(supplier.Lines, chart.Line{Name: cl.Name, Values: s.median(s.Return(c))})
		margins.Lines = append(margins.Lines, chart.Line{Name: cl.Name, Values: s.median(s.Margin(c))})
	}
	if i == 1 {
		st.begun(&supplier)
		st.begun(&margins)
	}
	return []plot{{"buckets-" + name, buckets}, {"flow-" + name, flow}, {"break-even-" + name, breakEven}, {"apr-suppliers-" + name, supplier}, {"margin-" + name, margins}}
}

// stress shows how suppliers leave, for the two policies that are stressed.
func (st *Study) stress() (out []plot) {
	for i, stressed := range st.Stressed {
		calm := st.Policies[i]
		if calm.Months <= stressMonth+1 {
			return nil
		}
		c := st.base("Suppliers under stress: "+calm.Scenario.Title, st.medians(), chart.Axis{Label: "active machines", Zero: true})
		c.Lines = []chart.Line{{Name: "no stress", Values: calm.median(Machines), Dashed: true}}
		for j, name := range []string{"price −50 %", "demand −55 %", "both"} {
			c.Lines = append(c.Lines, chart.Line{Name: name, Values: stressed[j].median(Machines)})
		}
		c.Marks = []chart.Mark{{At: stressMonth, Label: "stress"}}
		spiral := st.base("Who leaves, and who returns, when price and demand fall: "+calm.Scenario.Title, st.medians()+"; machines of each class against no stress", chart.Axis{Label: "% of the machines without stress", Zero: true})
		for k, cl := range calm.classes {
			line := chart.Line{Name: cl.Name}
			for m := range calm.bands {
				line.Values = append(line.Values, 100*stressed[2].At(active(k), m).P50/max(1, calm.At(active(k), m).P50))
			}
			spiral.Lines = append(spiral.Lines, line)
		}
		spiral.Marks = c.Marks
		from, to := stressMonth-12, min(calm.Months, stressMonth+85)
		out = append(out, plot{"stress-" + calm.Scenario.Name, window(c, from, to)}, plot{"spiral-" + calm.Scenario.Name, window(spiral, from, to)})
	}
	return out
}

// window cuts a chart of lines to some months, and marks every year.
func window(c chart.Chart, from, to int) chart.Chart {
	c.At, c.Ticks = c.At[from:to], nil
	for i := range c.Lines {
		c.Lines[i].Values = c.Lines[i].Values[from:to]
	}
	c.X.Label = "years since the stress"
	for m := from; m < to; m += 12 {
		c.Ticks = append(c.Ticks, chart.Tick{At: int64(m), Label: fmt.Sprint((m - stressMonth) / 12)})
	}
	return c
}

// tornado shows the effects, the largest first.
func (st *Study) tornado() []plot {
	if len(st.Effects) == 0 {
		return nil
	}
	one := func(title, label string, base int64, of func(Effect) [2]int64) chart.Tornado {
		t := chart.Tornado{Title: title, Subtitle: fmt.Sprintf("medians of %d runs, seed %d, incentive engine; one assumption changed at a time", max(1, st.options.Runs/4), st.options.Seed), X: chart.Axis{Label: label}, Base: base}
		effects := slices.Clone(st.Effects)
		span := func(e Effect) int64 {
			v := of(e)
			return max(v[0], v[1], base) - min(v[0], v[1], base)
		}
		slices.SortStableFunc(effects, func(a, b Effect) int { return cmp.Compare(span(b), span(a)) })
		for _, e := range effects {
			v := of(e)
			t.Bars = append(t.Bars, chart.Bar{Name: e.Name, LowNote: e.Low, HighNote: e.High, Low: v[0], High: v[1]})
		}
		return t
	}
	end := st.Policies[0].Start.AddDate(0, st.Policies[0].Months, 0).Year()
	return []plot{
		{"tornado-supply", one(fmt.Sprintf("What decides the supply in %d", end), "supply, IO", st.Effects[0].BaseIO, func(e Effect) [2]int64 { return e.Supply })},
		{"tornado-machines", one(fmt.Sprintf("What decides how many machines are active in %d", end), "active machines", st.Effects[0].BaseNumber, func(e Effect) [2]int64 { return e.Machines })},
	}
}
