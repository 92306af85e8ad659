package chart

import (
	"errors"
	"fmt"
	"slices"
)

// ErrChart is returned for a chart that cannot be drawn.
var ErrChart = errors.New("chart: cannot be drawn")

// Axis is one direction of a chart.
type Axis struct {
	// Label says what is measured and in which unit.
	Label string
	// Places is how many decimal places the values stand for: 1234 with 2 is 12.34.
	Places int
	// Log draws powers of ten at equal distances; values below 1 count as 1.
	Log bool
	// Floor is the least value that a logarithmic axis shows; whatever is lower is drawn on its bottom.
	Floor int64
	// Zero extends the axis to 0 where it is not logarithmic.
	Zero bool
}

// Tick is a mark of the horizontal axis.
type Tick struct {
	At    int64
	Label string
}

// Line is a curve with one value for each of the chart's positions.
type Line struct {
	Name   string
	Values []int64
	// Dashed draws it broken, for a reference.
	Dashed bool
}

// Band is a curve with a range around it.
type Band struct {
	Name           string
	Low, Mid, High []int64
}

// Mark is a vertical line with a text at its head.
type Mark struct {
	At    int64
	Label string
}

// Chart is a plot over one horizontal axis. Areas are stacked in their order, from the bottom; bands and lines are drawn
// over them. Slices are only read.
type Chart struct {
	// Title says what one sees, Subtitle how it came to be.
	Title, Subtitle string
	X, Y            Axis
	// At are the horizontal positions, at least two, ascending; every series has a value for each.
	At    []int64
	Ticks []Tick
	Areas []Line
	Bands []Band
	Lines []Line
	Marks []Mark
}

// The layout, in tenths of a pixel.
const (
	width, height = 9000, 5400
	left, right   = 860, 300
	bottom        = 700
)

// SVG returns the picture. It fails with [ErrChart] if there are fewer than two positions, if they do not ascend, if a
// series has another number of values, or if there is none.
func (c Chart) SVG() ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	stacked := stack(c.Areas, len(c.At))
	low, high := c.Y.bounds(c.extremes(stacked))
	p := newPage(c.Title, c.Subtitle, c.names(), c.kinds())
	y := newScale(c.Y, low, high, height-bottom, p.top)
	x := newScale(Axis{}, c.At[0], c.At[len(c.At)-1], left, width-right)
	p.yAxis(c.Y, y, low, high)
	p.xAxis(c.X, c.Ticks, x)
	p.stacked = true
	for i := range c.Areas {
		p.area(i, c.path(x, y, stacked[i+1]), reversed(c.path(x, y, stacked[i])))
	}
	p.stacked = false
	for i, b := range c.Bands {
		p.area(len(c.Areas)+i, c.path(x, y, b.High), reversed(c.path(x, y, b.Low)))
	}
	for i, b := range c.Bands {
		p.line(len(c.Areas)+i, c.path(x, y, b.Mid), false)
	}
	for i, l := range c.Lines {
		p.line(len(c.Areas)+len(c.Bands)+i, c.path(x, y, l.Values), l.Dashed)
	}
	for _, m := range c.Marks {
		p.mark(x.at(m.At), m.Label)
	}
	return p.end(), nil
}

func (c Chart) check() error {
	if len(c.At) < 2 {
		return fmt.Errorf("%w: %d positions, want at least 2", ErrChart, len(c.At))
	}
	for i := 1; i < len(c.At); i++ {
		if c.At[i] <= c.At[i-1] {
			return fmt.Errorf("%w: position %d is not above the one before", ErrChart, i)
		}
	}
	series := 0
	length := func(name string, values ...[]int64) error {
		series++
		for _, v := range values {
			if len(v) != len(c.At) {
				return fmt.Errorf("%w: %q has %d values at %d positions", ErrChart, name, len(v), len(c.At))
			}
		}
		return nil
	}
	for _, l := range slices.Concat(c.Areas, c.Lines) {
		if err := length(l.Name, l.Values); err != nil {
			return err
		}
	}
	for _, b := range c.Bands {
		if err := length(b.Name, b.Low, b.Mid, b.High); err != nil {
			return err
		}
	}
	if series == 0 {
		return fmt.Errorf("%w: it has no series", ErrChart)
	}
	return nil
}

// names lists the series in the order of their colours.
func (c Chart) names() (out []string) {
	for _, l := range c.Areas {
		out = append(out, l.Name)
	}
	for _, b := range c.Bands {
		out = append(out, b.Name)
	}
	for _, l := range c.Lines {
		out = append(out, l.Name)
	}
	return out
}

// kinds says how the legend shows each of them: areas as boxes, dashed lines broken.
func (c Chart) kinds() []kind {
	out := slices.Repeat([]kind{box}, len(c.Areas))
	out = append(out, slices.Repeat([]kind{banded}, len(c.Bands))...)
	for _, l := range c.Lines {
		if l.Dashed {
			out = append(out, dashed)
		} else {
			out = append(out, solid)
		}
	}
	return out
}

// stack adds the areas up: the first row is the ground.
func stack(areas []Line, n int) [][]int64 {
	out := [][]int64{make([]int64, n)}
	for i, a := range areas {
		next := slices.Clone(out[i])
		for j, v := range a.Values {
			next[j] = add(next[j], v)
		}
		out = append(out, next)
	}
	return out
}

// add is bounded to what the scales can take.
func add(a, b int64) int64 { return bounded(bounded(a) + bounded(b)) }

// limit bounds values, so that differences and stacks fit.
const limit = 1 << 60

func bounded(v int64) int64 { return max(-limit, min(limit, v)) }

func (c Chart) extremes(stacked [][]int64) (low, high int64) {
	low, high = limit, -limit
	see := func(values []int64) {
		for _, v := range values {
			low, high = min(low, bounded(v)), max(high, bounded(v))
		}
	}
	if len(c.Areas) > 0 {
		for _, row := range stacked {
			see(row)
		}
	}
	for _, b := range c.Bands {
		see(b.Low)
		see(b.Mid)
		see(b.High)
	}
	for _, l := range c.Lines {
		see(l.Values)
	}
	return low, high
}

type point struct{ x, y int64 }

func (c Chart) path(x, y scale, values []int64) []point {
	out := make([]point, len(values))
	for i, v := range values {
		out[i] = point{x.at(c.At[i]), y.at(v)}
	}
	return out
}

func reversed(p []point) []point {
	slices.Reverse(p)
	return p
}
