package tokenomics_test

import (
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// Any schedule is a few numbers: here a constant reward, a rising one, and one that compounds.
func ExampleSchedule_forms() {
	p := tokenomics.EmissionParams{ID: "mine", Base: 1000, Rate: decimal.RequireFromString("0.1"), Epochs: 4, Cap: 10_000}
	for _, form := range []struct {
		name        string
		decline     string
		compounding bool
	}{{"constant", "0", false}, {"rising", "-0.5", false}, {"falling", "0.5", false}, {"compounding", "0", true}} {
		p.Decline, p.Compounding = decimal.RequireFromString(form.decline), form.compounding
		s, err := tokenomics.NewSchedule(p)
		fmt.Print(form.name, " ", err, ":")
		for _, e := range s.All() {
			fmt.Print(" ", uint64(e))
		}
		fmt.Println()
	}
	// Output:
	// constant <nil>: 100 100 100 100
	// rising <nil>: 100 150 225 337
	// falling <nil>: 100 50 25 12
	// compounding <nil>: 100 110 121 133
}

func ExampleSolveDecline() {
	p := tokenomics.IONetMonthly().Emission
	solution, err := tokenomics.SolveDecline(p, 50)
	fmt.Println(solution.Decline, solution.Digits, err)
	// The documents say 1.02 %, and 800 million would never be reached:
	p.Decline, p.Snap = decimal.RequireFromString("0.0102"), 0
	check, _ := p.CheckCap()
	fmt.Println("1.02 % misses the cap by", check.Miss.Shift(-8).StringFixed(2), "IO")
	p.Cap = 1
	_, err = tokenomics.SolveDecline(p, 50)
	fmt.Println(err)
	// Output:
	// 0.010151047037650483647884802664209853893979119298539 50 <nil>
	// 1.02 % misses the cap by -1106613.37 IO
	// tokenomics: no decline meets the cap: the first epoch alone emits 333333333333333.33 of the cap's 1 base units, and no decline takes any of it away
}

func ExampleNewMonths() {
	s, _ := tokenomics.NewSchedule(tokenomics.IONetMonthly().Emission)
	m, err := tokenomics.NewMonths(s, time.Date(2024, 7, 1, 0, 0, 0, 0, time.UTC), time.Hour)
	fmt.Println(m.Emission(1), m.Epochs(), m.Cumulative(m.Epochs()), err)
	_, err = tokenomics.NewMonths(s, time.Date(2024, 7, 2, 0, 0, 0, 0, time.UTC), time.Hour)
	fmt.Println(err)
	// Output:
	// 4480.28673835 175320 300000000 <nil>
	// tokenomics: invalid calendar: 2024-07-02T00:00:00Z is not the beginning of a month
}

// The hours of July 2024 add up to what the table prints for the month.
func ExampleMonths() {
	curve, calendar, err := tokenomics.IONetMonthly().Curve(time.Hour)
	july := calendar.Ended(time.Date(2024, 8, 1, 0, 0, 0, 0, time.UTC))
	fmt.Println(curve.ID(), july, curve.Cumulative(july), err)
	months, ok := curve.(*tokenomics.Months)
	fmt.Println(ok, months.Calendar() == calendar, months.ID(), months.Emission(745))
	// Output:
	// io.net/monthly 744 3333333.33333333 <nil>
	// true true io.net/monthly 4434.80713692
}

func ExampleIONetMonthly() {
	p := tokenomics.IONetMonthly()
	s, err := tokenomics.NewSchedule(p.Emission)
	fmt.Println(s.Emission(1), s.Emission(12), s.Cumulative(240), err)
	// Output: 3333333.33333333 2979455.84494074 300000000 <nil>
}

func ExampleScheduleParams() {
	p := tokenomics.IONetMonthly()
	curve, calendar, err := p.Curve(24 * time.Hour) // in days instead of hours
	fmt.Println(curve.Epochs(), calendar.Start.Format(time.DateOnly), curve.Cumulative(31), err)
	// Output: 7305 2024-07-01 3333333.33333333 <nil>
}

func ExampleNewProjection() {
	n := tokenomics.IONet()
	s, _ := tokenomics.NewSchedule(n.Emission)
	p, err := tokenomics.NewProjection(n.Genesis, s, n.Calendar)
	point := p.At(time.Date(2025, 6, 15, 16, 0, 0, 0, time.UTC))
	fmt.Println(point.Epoch, point.Emitted, point.Supply, err)
	rate := p.Inflation(point.At)
	fmt.Println("inflation", rate.OverGenesis.StringFixed(6), "of genesis,", rate.OverSupply.StringFixed(6), "of the supply")
	// Output:
	// 8760 37662980.66331321 537662980.66331321 <nil>
	// inflation 0.066698 of genesis, 0.062026 of the supply
}

func ExampleProjection() {
	n := tokenomics.IONet()
	s, _ := tokenomics.NewSchedule(n.Emission)
	p, _ := tokenomics.NewProjection(n.Genesis, s, n.Calendar)
	var sum tokenomics.Amount
	for year := range p.By(tokenomics.Year) {
		if y := year.From.Year(); y < 2026 || y == 2044 {
			fmt.Println(y, "epochs", year.First, "to", year.Last, "emit", year.Emission)
		}
		sum += year.Emission
	}
	fmt.Println(sum, tokenomics.Year)
	// Output:
	// 2024 epochs 1 to 4784 emit 21135066.61139611
	// 2025 epochs 4785 to 13544 emit 35242122.3623888
	// 2044 epochs 171321 to 175319 emit 1645372.76496741
	// 300000000 year
}

func ExamplePeriod() {
	fmt.Println(tokenomics.Day, tokenomics.Month, tokenomics.Year)
	// Output: day month year
}
