package simulate

import (
	"fmt"
	"io"
	"strings"
)

// meets returns the first month from which on the median burn is at least the median emission in twelve months in a row, or
// -1: single months are chance.
func (s *Summary) meets() int {
	row := 0
	for m := range s.bands {
		if row++; s.At(BurnIO, m).P50 < s.At(EmissionIO, m).P50 {
			row = 0
		}
		if row == 12 {
			return m - 11
		}
	}
	return -1
}

// millions writes whole tokens as millions with one place, rounded down.
func millions(v int64) string { return fixed(v/100_000, 1) + " M" }

// grouped writes a number with commas.
func grouped(v int64) string {
	s := fixed(v, 0)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// within writes a band as "median (5 % to 95 %)".
func within(b Band, write func(int64) string) string {
	return fmt.Sprintf("%s (%s to %s)", write(b.P50), write(b.P5), write(b.P95))
}

// Story writes what the study says, in plain words.
func (st *Study) Story(w io.Writer) error {
	var out strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&out, format+"\n", args...) }
	first := st.Policies[0]
	say("%d runs of %d months from %s, seed %d. Medians, and in brackets what 5 and 95 %% of the runs do not exceed.",
		first.Runs, first.Months, first.Start.Format("January 2006"), st.options.Seed)
	say("Costs, demand and prices are assumptions (docs/design/simulation.md); emission, burn and every balance are exact.")
	for _, m := range milestones(first.Months) {
		st.tellSupply(say, m)
	}
	st.tellFlows(say)
	if first.Months > stressMonth+60 {
		for i := range st.Stressed {
			st.tellStress(say, i)
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// milestones are the ends of years 1, 5 and 20, as far as they lie in the simulation, and its own end.
func milestones(months int) (out []int) {
	for _, m := range []int{12, 60, 240} {
		if m < months {
			out = append(out, m)
		}
	}
	return append(out, months)
}

type teller func(format string, args ...any)

func (st *Study) tellSupply(say teller, months int) {
	say("\nSupply after %d months, in IO:", months)
	for _, s := range st.Policies {
		say("  %-17s %s, circulating %s, burned %s", s.Scenario.Title, within(s.At(SupplyIO, months-1), millions),
			millions(s.At(CirculatingIO, months-1).P50), millions(s.At(BurnedIO, months-1).P50))
	}
}

func (st *Study) tellFlows(say teller) {
	say("\nWhen burn meets emission, for twelve months at least:")
	for _, s := range st.Policies {
		last := s.Months - 1
		when := "not within the simulation"
		if m := s.meets(); m >= 0 {
			when = "from " + s.Start.AddDate(0, m, 0).Format("January 2006")
		}
		say("  %-17s %s; in the last month %s IO are minted and %s burned", s.Scenario.Title, when,
			grouped(s.At(EmissionIO, last).P50), grouped(s.At(BurnIO, last).P50))
	}
	if s := st.Policies[1]; s.Months > cutOver+12 {
		year, saved := int64(0), int64(0)
		for m := cutOver; m < cutOver+12; m++ {
			year += s.At(EmissionIO, m).Mean
			saved += st.Policies[0].At(EmissionIO, m).Mean - s.At(EmissionIO, m).Mean
		}
		say("  In its first year the engine releases %s IO, %s less than the schedule (means). Of the reward vault it leaves", millions(year), millions(saved))
		say("  %s IO in the end; its target is 115 M less than the schedule, burns included.", within(s.At(VaultIO, s.Months-1), millions))
	}
}

// tellStress compares each stress with the same chance without it.
func (st *Study) tellStress(say teller, i int) {
	calm := st.Policies[i]
	at := calm.Start.AddDate(0, stressMonth, 0).Format("January 2006")
	say("\nStress in %s under the %s, machines against no stress, after 1, 2 and 5 years:", at, calm.Scenario.Title)
	for j, name := range []string{"price -50 %", "demand -55 %", "both"} {
		s := st.Stressed[i][j]
		line := ""
		for _, years := range []int{1, 2, 5} {
			m := stressMonth + 12*years - 1
			line += fmt.Sprintf(" %4d %%", 100*s.At(Machines, m).P50/max(1, calm.At(Machines, m).P50))
		}
		say("  %-13s%s   %s", name, line, st.leavers(s, calm))
	}
}

// leavers names the class that loses a tenth of its machines first, against no stress, and the one that loses most.
func (st *Study) leavers(s, calm *Summary) string {
	first, worst, when, depth := -1, -1, stressMonth+61, int64(90)
	for c := range s.classes {
		for m := stressMonth; m < stressMonth+60; m++ {
			part := 100 * s.At(active(c), m).P50 / max(1, calm.At(active(c), m).P50)
			if part <= 90 && m < when {
				first, when = c, m
			}
			if part < depth {
				worst, depth = c, part
			}
		}
	}
	if first < 0 || worst < 0 {
		return "no class loses a tenth"
	}
	return fmt.Sprintf("first to leave: %s, after %d months; hit most: %s, down to %d %%", s.classes[first].Name, when-stressMonth+1, s.classes[worst].Name, depth)
}
