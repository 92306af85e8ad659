package calibrate

import (
	"fmt"
	"io"
	"math"

	"github.com/idlegrid/idlegrid/internal/chart"
)

// Diagram draws how often the cases of each of 20 groups failed against what was predicted, both on logarithmic scales, with
// two standard errors as if the cases were independent.
func (r *Result) Diagram(w io.Writer) error {
	bins := r.Score.Reliability(20)
	const floor = 10 // parts per million: what is drawn for none
	c := chart.Chart{
		Title:    "Predicted and observed",
		Subtitle: fmt.Sprintf("%d cases on %d test days, 20 groups of equal size", len(r.Score.P), len(r.Test)),
		X:        chart.Axis{Label: "predicted to fail"},
		Y:        chart.Axis{Label: "failed", Places: 6, Log: true, Floor: floor},
	}
	line := chart.Line{Name: "predicted", Dashed: true}
	band := chart.Band{Name: "observed, with two standard errors"}
	for _, b := range bins {
		p, y := max(b.P, floor/1e6), b.Y
		at := place(p)
		if n := len(c.At); n > 0 && at <= c.At[n-1] {
			continue // a group that cannot be told from the one before
		}
		spread := 2 * math.Sqrt(float64(y*(1-y))/float64(b.Cases))
		c.At = append(c.At, at)
		line.Values = append(line.Values, int64(ppm(p)))
		band.Low = append(band.Low, int64(ppm(max(y-spread, 0))))
		band.Mid = append(band.Mid, int64(ppm(y)))
		band.High = append(band.High, int64(ppm(min(y+spread, 1))))
	}
	c.Lines, c.Bands = []chart.Line{line}, []chart.Band{band}
	for _, t := range []struct {
		p     float64
		label string
	}{{1e-4, "0.0001"}, {1e-3, "0.001"}, {0.01, "0.01"}, {0.03, "0.03"}, {0.1, "0.1"}, {0.3, "0.3"}, {1, "1"}} {
		if at := place(t.p); len(c.At) > 0 && at >= c.At[0] && at <= c.At[len(c.At)-1] {
			c.Ticks = append(c.Ticks, chart.Tick{At: at, Label: t.label})
		}
	}
	svg, err := c.SVG()
	if err != nil {
		return err
	}
	_, err = w.Write(svg)
	return err
}

// place is where a probability stands on the logarithmic axis.
func place(p float64) int64 { return int64(math.Round(float64(ln(p) * 1000))) }
