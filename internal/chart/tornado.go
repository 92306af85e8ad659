package chart

import "fmt"

// Bar is what the low and the high value of one assumption lead to.
type Bar struct {
	// Name is the assumption, LowNote and HighNote its two values.
	Name, LowNote, HighNote string
	Low, High               int64
}

// Tornado is a chart of sensitivity: a bar for each assumption, from the result at its low value to the one at its high
// value, around the result without a change. Bars stand in the given order, from the top.
type Tornado struct {
	Title, Subtitle string
	X               Axis
	Base            int64
	Bars            []Bar
}

// SVG returns the picture, at most 20 bars of it being readable. It fails with [ErrChart] without a bar.
func (t Tornado) SVG() ([]byte, error) {
	if len(t.Bars) == 0 {
		return nil, fmt.Errorf("%w: it has no bar", ErrChart)
	}
	const names, notes = 2300, 760 // room for the names on the left, and for notes on both sides of the bars
	p := newPage(t.Title, t.Subtitle, []string{"low value", "high value"}, []kind{box, box})
	low, high := bounded(t.Base), bounded(t.Base)
	for _, b := range t.Bars {
		low, high = min(low, bounded(b.Low), bounded(b.High)), max(high, bounded(b.Low), bounded(b.High))
	}
	low, high = t.X.bounds(low, high)
	x := newScale(t.X, low, high, names+notes, width-right-notes)
	for _, v := range t.X.ticks(low, high) {
		at := x.at(v)
		p.printf(`<path class="g" d="M%s %sV%s"/>`+"\n", px(at), px(p.top), px(height-bottom))
		p.text(at, height-bottom+200, "s", "middle", t.X.format(v, max(abs(low), abs(high))))
	}
	p.text(x.at((low+high)/2), height-240, "s", "middle", t.X.Label)
	pitch := (height - bottom - p.top) / int64(len(t.Bars))
	base := x.at(t.Base)
	for i, b := range t.Bars {
		y := p.top + pitch*int64(i)
		p.text(names-100, y+pitch/2+45, "", "end", b.Name)
		for c, end := range []int64{x.at(b.Low), x.at(b.High)} {
			from, to := min(base, end), max(base, end)
			p.printf(`<rect class="f%d" x="%s" y="%s" width="%s" height="%s" fill-opacity="0.75"/>`+"\n",
				c, px(from), px(y+pitch/8), px(max(10, to-from)), px(pitch*3/4))
		}
		lowAt, highAt := x.at(b.Low), x.at(b.High)
		p.note(min(lowAt, highAt, base)-60, y+pitch/2+45, "end", pick(lowAt <= highAt, b.LowNote, b.HighNote))
		p.note(max(lowAt, highAt, base)+60, y+pitch/2+45, "start", pick(lowAt <= highAt, b.HighNote, b.LowNote))
	}
	p.printf(`<path class="x" d="M%s %sV%s"/>`+"\n", px(base), px(p.top-60), px(height-bottom))
	return p.end(), nil
}

func (p *page) note(x, y int64, anchor, s string) { p.text(x, y, "s", anchor, s) }

func pick(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}
