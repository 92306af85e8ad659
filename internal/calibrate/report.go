package calibrate

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/idlegrid/idlegrid/reputation"
)

// Report writes what an evaluation found, for people. It returns the first error of w.
func (r *Result) Report(w io.Writer) error {
	p := &printer{w: w}
	t, c := r.Trace, r.Config
	p.line("Does the score come true? %d nodes in %d snapshots from %s to %s",
		len(t.Nodes), len(t.Times), date(t.Times[0]), date(t.Times[len(t.Times)-1]))
	if c.Question.SLOPPM > 0 {
		p.line("Asked of every node that is up: uptime below %s over the next %s?", percent(float64(c.Question.SLOPPM)/1e6), hours(c.Question.Horizon))
	} else {
		p.line("Asked of every node that is up: an outage within %s?", hours(c.Question.Horizon))
	}
	p.line("Fitted to days %v: %d evaluations, %d cases. Tested on days %v: %d evaluations, %d cases.",
		c.Fit, r.FitDays, r.FitCases, c.Test, len(r.Test), len(r.Score.P)+len(r.Newcomers.P))
	p.line("")
	p.params(r.Params)
	score := r.Compared[0].Metrics
	p.line("")
	p.line("Established nodes: %d cases, of which %s failed", score.Cases, percent(score.Base))
	p.head()
	for _, row := range r.Compared {
		p.metrics(row.Name, row.Metrics)
	}
	if r.Beginners.Cases > 0 {
		p.line("")
		p.line("Newcomers, observed for less than %s: %d cases, of which %s failed", hours(Established), r.Beginners.Cases, percent(r.Beginners.Base))
		p.metrics("score", r.Beginners)
	}
	p.weeks(r)
	p.line("")
	p.line("What a prediction means, established nodes")
	p.line("  %-18s %7s  %9s  %s", "stays up", "share", "predicted", "failed")
	for _, b := range r.brackets() {
		if b.Cases > 0 {
			p.line("  %-18s %7s  %9s  %s", b.label, percent(float64(b.Cases)/float64(score.Cases)), percent(b.P), percent(b.Y))
		}
	}
	return p.err
}

// printer writes lines until one fails.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintln(p.w, strings.TrimRight(fmt.Sprintf(format, args...), " "))
	}
}

func (p *printer) head() {
	p.line("  %-32s %6s %7s  %-16s %6s  %8s  %s", "", "AUC", "skill", "95 % of it", "ECE", "best 20%", "better half, predicted")
}

func (p *printer) metrics(name string, m Metrics) {
	p.line("  %-32s %6.4f %7.4f  %6.3f to %6.3f %6.4f  %8s  %s, %s", name, m.AUC, m.BSS, m.BSSLow, m.BSSHigh, m.ECE,
		percent(m.Best20), percent(m.BestHalf), percent(m.BestHalfP))
}

func (p *printer) params(q reputation.Params) {
	p.line("Parameters %q", q.Version)
	for _, m := range q.Memories {
		weight := ""
		if m.WeightPPM > 0 {
			weight = fmt.Sprintf(", weight 0.%06d", m.WeightPPM)
		}
		p.line("  memory of %4gh: %d.%06d outages in %6.2f h%s",
			m.HalfLife.Hours(), m.PriorMicroOutages/1e6, m.PriorMicroOutages%1e6, m.PriorUp.Hours(), weight)
	}
	if h := q.Hazard; h.RunShift > 0 {
		p.line("  bias %.6f, weight of run + %s: -0.%06d", float64(h.BiasMicroNats)/1e6, hours(h.RunShift), h.RunPPM)
	}
	for _, a := range q.Newcomer {
		p.line("  newcomer below %3s: %s within 24 h, %s after an outage",
			hours(a.Until), percent(float64(a.CleanPPM)/1e6), percent(float64(a.MarkedPPM)/1e6))
	}
}

// weeks measures the established of each seven test days.
func (p *printer) weeks(r *Result) {
	p.line("")
	p.line("Week by week, established nodes")
	for from := 0; from < len(r.Test); {
		to := from
		for to < len(r.Test) && r.Test[to].Day < r.Test[from].Day+7 {
			to++
		}
		s := r.Score.between(from, to)
		p.metrics(fmt.Sprintf("days %d-%d", r.Test[from].Day, r.Test[to-1].Day+1), Measure(s))
		from = to
	}
}

// between is the part of a sample from one day's index to another's.
func (s *Sample) between(from, to int) (out Sample) {
	d := 0
	s.days(func(a, b int) {
		if d >= from && d < to {
			out.Day = append(out.Day, len(out.P))
			out.P, out.Y = append(out.P, s.P[a:b]...), append(out.Y, s.Y[a:b]...)
		}
		d++
	})
	return out
}

type bracket struct {
	Bin
	label string
}

// brackets groups predictions by what they say.
func (r *Result) brackets() []bracket {
	limits := []float64{0.015, 0.03, 0.07, 0.2, 1} // of failing, upper
	out := []bracket{{label: "0.985 and more"}, {label: "0.97 to 0.985"}, {label: "0.93 to 0.97"}, {label: "0.8 to 0.93"}, {label: "less than 0.8"}}
	for i, v := range r.Score.P {
		k := 0
		for v > limits[k] {
			k++
		}
		out[k].Cases++
		out[k].P += v
		if r.Score.Y[i] {
			out[k].Failed++
		}
	}
	for k := range out {
		if b := &out[k]; b.Cases > 0 {
			b.P /= float64(b.Cases)
			b.Y = float64(b.Failed) / float64(b.Cases)
		}
	}
	return out
}

// MeasureLANL measures test cases of LANL. What is drawn anew for the range of the skill are a system's days.
func MeasureLANL(cases []LANLCase) Metrics {
	var s Sample
	for i, c := range cases {
		if i == 0 || c.System != cases[i-1].System || c.Day != cases[i-1].Day {
			s.Day = append(s.Day, len(s.P))
		}
		s.P, s.Y = append(s.P, float64(1_000_000-c.UpPPM)/1e6), append(s.Y, c.Failed)
	}
	return Measure(s)
}

// ReportLANL writes how well test cases of LANL came true.
func ReportLANL(w io.Writer, systems []System, params reputation.Params, cases []LANLCase) error {
	p := &printer{w: w}
	m := MeasureLANL(cases)
	p.line("Failures of %d systems at Los Alamos National Laboratory (LA-UR-05-7318), which is to be thanked for the record", len(systems))
	p.params(params)
	p.line("A failure within 30 days: %d test cases, of which %s failed", m.Cases, percent(m.Base))
	p.head()
	p.metrics("score", m)
	return p.err
}

// ReportClusters writes how clusters did.
func ReportClusters(w io.Writer, all []Clusters) error {
	p := &printer{w: w}
	p.line("Clusters of the better half, filled until %s keep their size", percent(Target/1e6))
	for _, c := range all {
		if c.Clusters > 0 {
			n := float64(c.Clusters)
			p.line("  %2d nodes: %d clusters, %.2f spares each, %s kept their size", c.K, c.Clusters, float64(c.Spares)/n, percent(float64(c.Kept)/n))
		}
	}
	return p.err
}

func percent(share float64) string { return fmt.Sprintf("%.2f %%", float64(share*100)) }

func hours(d time.Duration) string { return fmt.Sprintf("%g h", d.Hours()) }

func date(unix int64) string { return time.Unix(unix, 0).UTC().Format(time.DateTime) }
