package chart_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/chart"
	"github.com/idlegrid/idlegrid/internal/golden"
)

func small() chart.Chart {
	return chart.Chart{
		Title: "Supply & <demand>", Subtitle: `made "by hand"`,
		X: chart.Axis{Label: "year"}, Y: chart.Axis{Label: "IO", Zero: true},
		At:    []int64{0, 12, 24},
		Ticks: []chart.Tick{{At: 0, Label: "2024"}, {At: 12, Label: "2025"}, {At: 13, Label: "too near"}, {At: 24, Label: "2026"}},
		Areas: []chart.Line{{Name: "held", Values: []int64{300, 400, 500}}, {Name: "burned", Values: []int64{0, 50, 100}}},
		Bands: []chart.Band{{Name: "emission", Low: []int64{10, 10, 10}, Mid: []int64{20, 30, 40}, High: []int64{90, 90, 90}}},
		Lines: []chart.Line{{Name: "cap", Values: []int64{800, 800, 800}, Dashed: true}, {Name: "loss", Values: []int64{-100, 0, 50}}},
		Marks: []chart.Mark{{At: 12, Label: "cut-over"}, {At: 24, Label: "the end of it all"}},
	}
}

func svg(t *testing.T, c interface{ SVG() ([]byte, error) }) string {
	t.Helper()
	out, err := c.SVG()
	require.NoError(t, err)
	wellFormed(t, out)
	again, err := c.SVG()
	require.NoError(t, err)
	require.Equal(t, string(out), string(again))
	return string(out)
}

// wellFormed reads all of an XML document, in which every element is closed and the root stands alone.
func wellFormed(t *testing.T, doc []byte) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(doc))
	roots, depth := 0, 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		switch token.(type) {
		case xml.StartElement:
			if depth == 0 {
				roots++
			}
			depth++
		case xml.EndElement:
			depth--
		}
	}
	require.Equal(t, 1, roots)
}

func TestChart(t *testing.T) {
	text := svg(t, small())
	golden.Check(t, "testdata/chart.golden", text)
	require.Contains(t, text, "<title>Supply &amp; &lt;demand&gt;</title>")
	require.Contains(t, text, `role="img"`)
	require.NotContains(t, text, "too near", "labels do not overlap")
}

func TestTornado(t *testing.T) {
	golden.Check(t, "testdata/tornado.golden", svg(t, chart.Tornado{
		Title: "What decides the supply", Subtitle: "one at a time", X: chart.Axis{Label: "IO"}, Base: 600,
		Bars: []chart.Bar{
			{Name: "price", LowNote: "$0.50", HighNote: "$2.00", Low: 700, High: 450},
			{Name: "demand", LowNote: "25 %", HighNote: "65 %", Low: 580, High: 620},
			{Name: "both up", LowNote: "1", HighNote: "2", Low: 610, High: 650},
			{Name: "nothing", LowNote: "1", HighNote: "2", Low: 600, High: 600},
		},
	}))
}

// Axes end at round numbers and say their unit once it is needed.
func TestTicks(t *testing.T) {
	for _, c := range []struct {
		name string
		axis chart.Axis
		from int64
		to   int64
		want []string
		not  []string
	}{
		{"hundreds of millions", chart.Axis{Zero: true}, 1, 800_000_000, []string{">0<", ">200 M<", ">800 M<"}, []string{">100 M<", ">1 G<"}},
		{"thousands", chart.Axis{}, 12_000, 15_000, []string{">12 k<", ">12.5 k<", ">15 k<"}, []string{">0<"}},
		{"below zero", chart.Axis{Places: 4}, -20_000, 60_000, []string{">−2<", ">0<", ">6<"}, nil},
		{"fractions", chart.Axis{Places: 6}, 0, 300_000, []string{">0.05<", ">0.3<"}, []string{">0.35<"}},
		{"powers of ten", chart.Axis{Log: true}, 5, 2_000_000, []string{">1<", ">10 k<", ">10 M<"}, []string{">100 M<", ">5<"}},
		{"dollars", chart.Axis{Log: true, Places: 6}, 20_000, 30_000_000, []string{">0.01<", ">1<", ">100<"}, []string{">0.001<"}},
		{"with a floor", chart.Axis{Log: true, Floor: 100}, 0, 5_000, []string{">100<", ">10 k<"}, []string{">10<", ">1<"}},
		{"all the same", chart.Axis{}, 7, 7, []string{">7<", ">8<"}, nil},
		{"all the same, logarithmic", chart.Axis{Log: true}, 1, 1, []string{">1<", ">10<"}, nil},
	} {
		text := svg(t, chart.Chart{Y: c.axis, At: []int64{0, 1}, Lines: []chart.Line{{Name: "x", Values: []int64{c.from, c.to}}}})
		for _, w := range c.want {
			require.Contains(t, text, w, c.name)
		}
		for _, w := range c.not {
			require.NotContains(t, text, w, c.name)
		}
	}
}

// The ends of the axis stand at the ends of the plot, the middle in the middle.
func TestPlaces(t *testing.T) {
	text := svg(t, chart.Chart{At: []int64{0, 5, 10}, Lines: []chart.Line{{Name: "x", Values: []int64{0, 500, 1000}}}})
	require.Contains(t, text, `points="86,470 478,293 870,116"`)
	text = svg(t, chart.Chart{Y: chart.Axis{Log: true}, At: []int64{0, 5, 10}, Lines: []chart.Line{{Name: "x", Values: []int64{1, 100, 10_000}}}})
	require.Contains(t, text, `points="86,470 478,293.1 870,116"`)
}

// However many names there are, the legend keeps above the plot.
func TestLegend(t *testing.T) {
	c := chart.Chart{At: []int64{0, 1}}
	for range 12 {
		c.Lines = append(c.Lines, chart.Line{Name: "a rather long name of a series", Values: []int64{0, 1}})
	}
	text := svg(t, c)
	require.Equal(t, 12, strings.Count(text, "a rather long name"))
	require.NotContains(t, text, `"86,470 870,116"`)
	require.Contains(t, text, `"86,470 870,226"`, "six rows of the legend, the plot begins below them")
}

func TestRefused(t *testing.T) {
	for says, set := range map[string]func(*chart.Chart){
		"0 positions":                func(c *chart.Chart) { c.At = nil },
		"1 positions":                func(c *chart.Chart) { c.At = c.At[:1] },
		"position 2 is not above":    func(c *chart.Chart) { c.At = []int64{0, 12, 12} },
		`"held" has 2 values at 3`:   func(c *chart.Chart) { c.Areas[0].Values = c.Areas[0].Values[:2] },
		`"loss" has 0 values at 3`:   func(c *chart.Chart) { c.Lines[1].Values = nil },
		`"emission" has 1 values at`: func(c *chart.Chart) { c.Bands[0].High = c.Bands[0].High[:1] },
		"no series":                  func(c *chart.Chart) { c.Areas, c.Bands, c.Lines = nil, nil, nil },
	} {
		c := small()
		set(&c)
		_, err := c.SVG()
		require.ErrorIs(t, err, chart.ErrChart, says)
		require.ErrorContains(t, err, says)
	}
	_, err := chart.Tornado{}.SVG()
	require.ErrorIs(t, err, chart.ErrChart)
}

// Whatever the texts and values, the file is XML.
func FuzzSVG(f *testing.F) {
	f.Add("<&>\"'", int64(math.MinInt64), int64(math.MaxInt64), int64(0), 3, true)
	f.Add("\x00\xff]]>", int64(1), int64(-1), int64(math.MaxInt64), 30, false)
	f.Fuzz(func(t *testing.T, s string, a, b, c int64, places int, log bool) {
		axis := chart.Axis{Label: s, Places: max(0, min(40, places)), Log: log, Zero: b > 0, Floor: c}
		out, err := chart.Chart{
			Title: s, Subtitle: s, X: axis, Y: axis, At: []int64{0, 1, 2},
			Ticks: []chart.Tick{{At: a, Label: s}},
			Areas: []chart.Line{{Name: s, Values: []int64{a, b, c}}, {Name: s, Values: []int64{c, a, b}}},
			Bands: []chart.Band{{Name: s, Low: []int64{a, a, a}, Mid: []int64{b, b, b}, High: []int64{c, c, c}}},
			Lines: []chart.Line{{Name: s, Values: []int64{b, a, c}}},
			Marks: []chart.Mark{{At: b, Label: s}},
		}.SVG()
		require.NoError(t, err)
		wellFormed(t, out)
		out, err = chart.Tornado{Title: s, X: axis, Base: a, Bars: []chart.Bar{{Name: s, LowNote: s, HighNote: s, Low: b, High: c}}}.SVG()
		require.NoError(t, err)
		wellFormed(t, out)
	})
}
