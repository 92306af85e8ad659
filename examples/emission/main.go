// Command emission tells the two emission schedules that io.net has published: the first months, the year ends, the last
// hour, what the printed constants would have done, and how one schedule follows on the other. With -csv it writes every
// epoch of one schedule in base units instead: hours with -schedule hourly, calendar months with -schedule monthly.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/shopspring/decimal"

	"github.com/idlegrid/idlegrid/tokenomics"
)

func main() {
	name := flag.String("schedule", "", "hourly or monthly; empty: both are told")
	csv := flag.Bool("csv", false, "write epoch,emission,cumulative in base units for every epoch")
	flag.Parse()
	out := bufio.NewWriter(os.Stdout)
	if err := errors.Join(run(out, *name, *csv, flag.Args()), out.Flush()); err != nil {
		fmt.Fprintln(os.Stderr, "emission:", err)
		os.Exit(2)
	}
}

func run(out io.Writer, name string, csv bool, rest []string) error {
	n := tokenomics.IONet()
	hourly, monthly := tokenomics.ScheduleParams{Emission: n.Emission, Start: n.Calendar.Start}, tokenomics.IONetMonthly()
	p, known := map[string]tokenomics.ScheduleParams{"hourly": hourly, "monthly": monthly}[name]
	switch {
	case len(rest) > 0:
		return fmt.Errorf("unexpected argument %q", rest[0])
	case !known && (name != "" || csv):
		return fmt.Errorf("-schedule is %q, want hourly or monthly", name)
	case csv:
		return table(out, p.Emission)
	case known:
		return tell(out, n.Genesis, p)
	}
	return errors.Join(tell(out, n.Genesis, hourly), tell(out, n.Genesis, monthly), handover(out, n))
}

// table writes every epoch.
func table(out io.Writer, p tokenomics.EmissionParams) error {
	s, err := tokenomics.NewSchedule(p)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "epoch,emission,cumulative")
	for k, e := range s.All() {
		fmt.Fprintf(out, "%d,%d,%d\n", k, uint64(e), uint64(s.Cumulative(k)))
	}
	return nil
}

// tell tells one schedule.
func tell(out io.Writer, genesis tokenomics.Amount, p tokenomics.ScheduleParams) error {
	curve, calendar, err := p.Curve(time.Hour)
	if err != nil {
		return err
	}
	supply, err := tokenomics.NewProjection(genesis, curve, calendar)
	if err != nil {
		return err
	}
	hour := func(k tokenomics.Epoch) string { return (curve.Cumulative(k) - curve.Cumulative(k-1)).Fixed() }
	fmt.Fprintf(out, "%s, from %s\n  first months          emission IO     its last hour\n", curve.ID(), p.Start.Format(time.DateTime))
	var months, years tokenomics.Amount
	for m := range supply.By(tokenomics.Month) {
		if months += m.Emission; m.From.Year() == 2024 {
			fmt.Fprintf(out, "    %s  %20s  %16s\n", m.From.Format("2006-01"), m.Emission.Fixed(), hour(m.Last))
		}
	}
	fmt.Fprintln(out, "  year ends            supply IO   inflation of the next 12 months: of genesis, of the supply")
	for y := range supply.By(tokenomics.Year) {
		years += y.Emission
		rate := supply.Inflation(y.To)
		fmt.Fprintf(out, "    %d  %22s  %7s %%  %7s %%\n", y.From.Year(), supply.At(y.To).Supply.Fixed(), rate.OverGenesis.Shift(2).StringFixed(4), rate.OverSupply.Shift(2).StringFixed(4))
	}
	fmt.Fprintf(out, "  hour %d is the last and emits %s; months and years add up to %s and %s\n",
		curve.Epochs(), hour(curve.Epochs()), months.Fixed(), years.Fixed())
	return asPrinted(out, p.Emission)
}

// asPrinted says what the constants do without the clamp of the cap, and other constants that documents print.
func asPrinted(out io.Writer, e tokenomics.EmissionParams) error {
	readings := [][2]string{{"its constants", e.Decline.String()}}
	if e.RateDivisor == 12 {
		readings = append(readings, [2]string{"the printed factor 0.989849199", "0.010150801"}, [2]string{"a decline of 1.02 %", "0.0102"})
	}
	for _, r := range readings {
		e.Decline = decimal.RequireFromString(r[1])
		check, err := e.CheckCap()
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "  without the cap, by %s: %s, off by %s\n", r[0], check.Sum.Shift(-8).StringFixed(12), check.Miss.Shift(-8).StringFixed(12))
	}
	exact, err := tokenomics.SolveDecline(e, 60)
	fmt.Fprintf(out, "  the decline that meets the cap: %s\n\n", exact.Decline)
	return err
}

// handover says how one schedule follows on the other.
func handover(out io.Writer, n tokenomics.Params) error {
	t, err := n.Timeline()
	fmt.Fprintln(out, "in the life of the network one follows on the other; an engine pays what is owed in dollars at the price of the hour:")
	for _, from := range []time.Time{n.Calendar.Start.Add(time.Hour), n.Cutovers[0].From, n.Cutovers[1].From} {
		for _, k := range []tokenomics.Epoch{n.Calendar.Ended(from), n.Calendar.Ended(from) + 1} {
			planned, _ := t.Planned(k)
			fmt.Fprintf(out, "  %s  epoch %6d  %-15s %s\n", n.Calendar.StartOf(k).Format(time.DateTime), k, t.Policy(k).ID(), planned.Fixed())
		}
	}
	return err
}
