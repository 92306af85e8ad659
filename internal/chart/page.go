package chart

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// kind is how the legend shows a series.
type kind int

const (
	solid kind = iota
	dashed
	box
	banded
)

// colours are those of Okabe and Ito, in an order in which neighbours differ in lightness too; the second column is for dark
// backgrounds.
func colours() [][2]string {
	return [][2]string{
		{"#0072b2", "#56b4e9"},
		{"#d55e00", "#ff8a3d"},
		{"#009e73", "#2fd6a5"},
		{"#b04a8f", "#e08fc0"},
		{"#b37a00", "#f0c040"},
		{"#6b6b6b", "#b5b5b5"},
		{"#4d9fd6", "#9ad0f5"},
		{"#8c510a", "#d8a870"},
	}
}

// page is a picture in the making.
type page struct {
	bytes.Buffer
	top     int64 // of the plot
	stacked bool  // areas are buckets, not ranges
}

func (p *page) printf(format string, args ...any) { fmt.Fprintf(&p.Buffer, format, args...) }

// px writes tenths of a pixel.
func px(v int64) string { return strings.Replace(decimal(v, 1), "−", "-", 1) }

func escape(s string) string {
	var out strings.Builder
	for _, r := range s {
		switch {
		case r == '&':
			out.WriteString("&amp;")
		case r == '<':
			out.WriteString("&lt;")
		case r == '>':
			out.WriteString("&gt;")
		case r == '"':
			out.WriteString("&quot;")
		case r < ' ' && r != '\t' && r != '\n' || r == utf8.RuneError || r == 0xfffe || r == 0xffff:
			out.WriteByte('?') // no character of XML
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}

// textWidth estimates the width of a text of 13 pixels, in tenths.
func textWidth(s string) int64 { return int64(utf8.RuneCountInString(s)) * 78 }

// newPage begins a picture with its heads and the legend.
func newPage(title, subtitle string, names []string, kinds []kind) *page {
	p := new(page)
	p.printf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s">`+"\n",
		width/10, height/10, width/10, height/10, escape(title))
	p.printf("<title>%s</title>\n<desc>%s</desc>\n<style>\n", escape(title), escape(subtitle))
	p.WriteString("text{font:13px sans-serif;fill:#222}.h{font-size:18px;font-weight:bold}.s{fill:#555}.bg{fill:#fff}" +
		".g{stroke:#ddd;fill:none}.x{stroke:#555;fill:none}.m{stroke:#555;stroke-dasharray:2 3}.l{fill:none;stroke-width:2.2;stroke-linejoin:round}.d{stroke-dasharray:7 4}\n")
	for i, c := range colours() {
		p.printf(".c%d{stroke:%s}.f%d{fill:%s}\n", i, c[0], i, c[0])
	}
	p.WriteString("@media (prefers-color-scheme:dark){text{fill:#eee}.s{fill:#bbb}.bg{fill:#15181d}.g{stroke:#333a44}.x,.m{stroke:#aaa}\n")
	for i, c := range colours() {
		p.printf(".c%d{stroke:%s}.f%d{fill:%s}\n", i, c[1], i, c[1])
	}
	p.WriteString("}\n</style>\n" + `<rect class="bg" width="100%" height="100%"/>` + "\n")
	p.text(left-560, 320, "h", "start", title)
	p.text(left-560, 530, "s", "start", subtitle)
	p.legend(names, kinds)
	return p
}

// legend writes the names in rows above the plot, and so decides where that begins.
func (p *page) legend(names []string, kinds []kind) {
	x, y := int64(left), int64(780)
	for i, name := range names {
		w := 340 + textWidth(name) + 180
		if x > left && x+w > width-right {
			x, y = left, y+220
		}
		c := i % len(colours())
		switch kinds[i] {
		case box:
			p.printf(`<rect class="f%d" x="%s" y="%s" width="26" height="11" fill-opacity="0.75"/>`+"\n", c, px(x), px(y-100))
		case banded:
			p.printf(`<rect class="f%d" x="%s" y="%s" width="26" height="11" fill-opacity="0.22"/>`+"\n", c, px(x), px(y-100))
			p.printf(`<path class="l c%d" d="M%s %sh26"/>`+"\n", c, px(x), px(y-45))
		case dashed:
			p.printf(`<path class="l d c%d" d="M%s %sh26"/>`+"\n", c, px(x), px(y-45))
		case solid:
			p.printf(`<path class="l c%d" d="M%s %sh26"/>`+"\n", c, px(x), px(y-45))
		}
		p.text(x+340, y, "", "start", name)
		x += w
	}
	p.top = y + 380 // a line for the labels of marks
}

func (p *page) text(x, y int64, class, anchor, s string) {
	if class != "" {
		class = ` class="` + class + `"`
	}
	p.printf(`<text%s x="%s" y="%s" text-anchor="%s">%s</text>`+"\n", class, px(x), px(y), anchor, escape(s))
}

func (p *page) yAxis(a Axis, y scale, low, high int64) {
	ticks := a.ticks(low, high)
	largest := max(abs(low), abs(high))
	for _, v := range ticks {
		at := y.at(v)
		p.printf(`<path class="g" d="M%s %sH%s"/>`+"\n", px(left), px(at), px(width-right))
		p.text(left-80, at+45, "s", "end", a.format(v, largest))
	}
	middle := (p.top + height - bottom) / 2
	p.printf(`<text class="s" transform="translate(18 %s) rotate(-90)" text-anchor="middle">%s</text>`+"\n", px(middle), escape(a.Label))
}

func (p *page) xAxis(a Axis, ticks []Tick, x scale) {
	p.printf(`<path class="x" d="M%s %sH%s"/>`+"\n", px(left), px(height-bottom), px(width-right))
	end := int64(0) // of the label before
	for _, t := range ticks {
		at := x.at(t.At)
		p.printf(`<path class="x" d="M%s %sv5"/>`+"\n", px(at), px(height-bottom))
		if half := textWidth(t.Label) / 2; at-half > end {
			p.text(at, height-bottom+200, "s", "middle", t.Label)
			end = at + half + 60
		}
	}
	p.text((left+width-right)/2, height-240, "s", "middle", a.Label)
}

func (p *page) points(path []point) {
	for i, q := range path {
		if i > 0 {
			p.WriteByte(' ')
		}
		p.WriteString(px(q.x) + "," + px(q.y))
	}
}

// area fills what lies between two paths, the second of which runs back.
func (p *page) area(colour int, there, back []point) {
	opacity := "0.22"
	if p.stacked {
		opacity = "0.75"
	}
	p.printf(`<polygon class="f%d" fill-opacity="%s" points="`, colour%len(colours()), opacity)
	p.points(append(there, back...))
	p.WriteString("\"/>\n")
}

func (p *page) line(colour int, path []point, broken bool) {
	class := "l"
	if broken {
		class = "l d"
	}
	p.printf(`<polyline class="%s c%d" points="`, class, colour%len(colours()))
	p.points(path)
	p.WriteString("\"/>\n")
}

// mark draws a vertical line; its label stands above the plot, on the side that has room.
func (p *page) mark(x int64, label string) {
	p.printf(`<path class="m" d="M%s %sV%s"/>`+"\n", px(x), px(p.top-60), px(height-bottom))
	anchor, shift := "start", int64(40)
	if x+textWidth(label) > width-right {
		anchor, shift = "end", -40
	}
	p.text(x+shift, p.top-40, "s", anchor, label)
}

func (p *page) end() []byte {
	p.WriteString("</svg>\n")
	return p.Bytes()
}
