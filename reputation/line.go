package reputation

import "time"

// Quantiles are the 5 %, 50 % and 95 % quantiles of decayed samples.
type Quantiles struct{ P5, P50, P95 uint64 }

// Line is what samples of a subject's line found lately. Each quantile is the middle of a bucket, so that it is off by at
// most 4.5 % within the range of the buckets: 16 us to 1 s, and 1 Mb/s to 67 Gb/s; beyond, it is the end of the range.
type Line struct {
	// LatencyMicros are the quantiles of the latency, in microseconds.
	LatencyMicros Quantiles
	// DownKbps are the quantiles of the throughput down, in kilobits a second.
	DownKbps Quantiles
	// UpKbps are those of the throughput up.
	UpKbps Quantiles
	// MilliSamples is what the samples weigh together, in thousandths of one.
	MilliSamples uint64
}

const (
	buckets      = 128
	perOctave    = 8
	latencyFloor = 4  // log2 of the lowest bucket in microseconds
	speedFloor   = 10 // log2 of the lowest bucket in kilobits a second
)

// sketch is a histogram of decayed counts over buckets that grow by 2^(1/8).
type sketch [buckets]uint32 // Q16.16

// add puts a sample into its bucket, after all were decayed by the kept share.
func (s *sketch) add(t *tables, kept uint64, floor int, v uint64) {
	for i := range s {
		if kept < one { // which would take a unit though nothing is forgotten
			s[i] = uint32(high(uint64(s[i]), kept))
		}
	}
	i := 0
	if v>>floor > 0 {
		i = min(int((t.log2(v)-int64(floor)<<48)*perOctave>>48), buckets-1)
	}
	s[i] += min(1<<16, ^s[i])
}

func (s *sketch) quantiles(t *tables, floor int) Quantiles {
	var total uint64
	for _, n := range s {
		total += uint64(n)
	}
	at := func(percent uint64) uint64 {
		var sum uint64
		for i, n := range s {
			if sum += uint64(n); n > 0 && sum*100 >= total*percent {
				// The middle of the bucket: 2^(floor + (i+1/2)/8), to the nearest.
				x := int64(64-floor)<<48 - int64(2*i+1)<<48/(2*perOctave)
				return (t.exp2neg(uint64(x-1<<48)) + 1) / 2
			}
		}
		return 0
	}
	return Quantiles{at(5), at(50), at(95)}
}

// lines are the samples of one subject.
type lines struct {
	latency, down, up sketch
	asOf              uint32
}

// measure takes a sample.
func (b *Book) measure(i, at uint32, e Measured) {
	m := b.mark(i)
	l := &b.laws.link
	m.link.add(b.tables, l, at, unit, !e.Meets)
	if m.lines == nil {
		m.lines = &lines{asOf: at}
	}
	kept := one
	if at > m.lines.asOf {
		kept = l.clock.kept(b.tables, at-m.lines.asOf)
	}
	m.lines.asOf = at
	m.lines.latency.add(b.tables, kept, latencyFloor, uint64(e.Latency/time.Microsecond))
	m.lines.down.add(b.tables, kept, speedFloor, uint64(e.DownKbps))
	m.lines.up.add(b.tables, kept, speedFloor, uint64(e.UpKbps))
}

// Line returns what samples of a subject's line found; ok is false if there is none.
func (b *Book) Line(s Subject) (line Line, ok bool) {
	i, known := b.index[s]
	if !known || b.marks[i] == nil || b.marks[i].lines == nil {
		return Line{}, false
	}
	l := b.marks[i].lines
	for _, n := range l.latency {
		line.MilliSamples += uint64(n)
	}
	line.MilliSamples = line.MilliSamples * 1000 >> 16
	line.LatencyMicros = l.latency.quantiles(b.tables, latencyFloor)
	line.DownKbps = l.down.quantiles(b.tables, speedFloor)
	line.UpKbps = l.up.quantiles(b.tables, speedFloor)
	return line, true
}
