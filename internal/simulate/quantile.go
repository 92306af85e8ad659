package simulate

import (
	"math/bits"
	"slices"
)

// Band is what many runs say of one series in one month, in its unit. The percentiles are of the nearest rank: the
// smallest recorded value that at least 5, 50 or 95 % of the runs do not exceed. Mean is rounded down.
type Band struct{ P5, P50, P95, Mean int64 }

const (
	// sample is how many values of a column are looked at before all are counted, and buckets how many parts their range is
	// cut into. Their number sets the speed and never the result.
	sample, bucketBits = 128, 10
	buckets            = 1 << bucketBits
	// alike stands for a rank whose value needs no selection.
	alike = 255
)

// selector finds order statistics without sorting. Its memory is used again.
type selector struct {
	column []int32
	key    []uint16 // the bucket of each value
	drawn  [sample]int32
	count  [2][buckets]uint32 // two, so that equal values in a row do not wait for each other
	mark   [buckets]uint8
	rest   [3][]int32 // the values of the buckets that hold a rank
}

// band summarises a column, which is not changed.
func (s *selector) band(column []int32) Band {
	n := len(column)
	sum := int64(0)
	for _, v := range column {
		sum += int64(v)
	}
	at := s.find(column, [3]int{(n*5+99)/100 - 1, (n*50+99)/100 - 1, (n*95+99)/100 - 1})
	return Band{int64(at[0]), int64(at[1]), int64(at[2]), floorDiv(sum, int64(n))}
}

// find counts the values in equal parts of the range of most of them, collects the parts that hold a rank, and selects in
// them. What lies outside that range counts to the first and the last part.
func (s *selector) find(column []int32, ranks [3]int) (at [3]int32) {
	low, shift := s.frame(column)
	s.key = slices.Grow(s.key[:0], len(column))[:len(column)]
	s.count = [2][buckets]uint32{}
	keys := s.key[:len(column)]
	for i, v := range column {
		key := max(0, min(buckets-1, (int64(v)-low)>>shift))
		keys[i] = uint16(key)
		s.count[i&1][key&(buckets-1)]++
	}
	count := &s.count[0]
	for i, n := range s.count[1] {
		count[i] += n
	}
	clear(s.mark[:])
	bucket, before, marks := 0, 0, uint8(0)
	var in [3]uint8
	for i, rank := range ranks {
		for before+int(count[bucket]) <= rank {
			before += int(count[bucket])
			bucket++
		}
		if shift == 0 && 0 < bucket && bucket < buckets-1 { // all values of the bucket are the same
			at[i], in[i] = int32(low)+int32(bucket), alike
			continue
		}
		if s.mark[bucket] == 0 {
			s.rest[marks] = s.rest[marks][:0]
			marks++
			s.mark[bucket] = marks
		}
		in[i] = s.mark[bucket] - 1
		ranks[i] = rank - before
	}
	if marks > 0 {
		for i, key := range keys {
			if m := s.mark[key&(buckets-1)]; m != 0 {
				s.rest[m-1] = append(s.rest[m-1], column[i])
			}
		}
	}
	for i, rank := range ranks {
		if in[i] != alike {
			at[i] = nth(s.rest[in[i]], rank)
		}
	}
	return at
}

// frame returns the lower end of a range that holds most values, by a sample, and the binary logarithm of its parts.
func (s *selector) frame(column []int32) (low int64, shift uint) {
	drawn := s.drawn[:min(sample, len(column))]
	for i := range drawn {
		drawn[i] = column[i*len(column)/len(drawn)]
	}
	slices.Sort(drawn)
	margin := len(drawn) / 64
	low, high := int64(drawn[margin])-1, int64(drawn[len(drawn)-1-margin])+1
	return low, uint(bits.Len64(uint64(high-low)>>bucketBits)) & 63
}

// nth returns the value that would stand at k if a were sorted; it changes the order of a.
func nth(a []int32, k int) int32 {
	for len(a) > 12 {
		x, y, z := a[0], a[len(a)/2], a[len(a)-1]
		pivot := max(min(x, y), min(max(x, y), z))
		i, j := 0, len(a)-1
		for i <= j {
			for a[i] < pivot {
				i++
			}
			for a[j] > pivot {
				j--
			}
			if i <= j {
				a[i], a[j] = a[j], a[i]
				i, j = i+1, j-1
			}
		}
		switch { // a[:j+1] <= pivot <= a[i:], and what lies between equals it
		case k <= j:
			a = a[:j+1]
		case k >= i:
			a, k = a[i:], k-i
		default:
			return pivot
		}
	}
	slices.Sort(a)
	return a[k]
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
