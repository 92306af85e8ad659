package simulate

import (
	"math/bits"
	"slices"
)

// Band is what many runs say of one series in one month, in its unit. The percentiles are of the nearest rank: the
// smallest recorded value that at least 5, 50 or 95 % of the runs do not exceed. Mean is rounded down.
type Band struct{ P5, P50, P95, Mean int64 }

// buckets is how many parts of the range a selection counts at once.
const bucketBits, buckets = 10, 1 << bucketBits

// selector finds order statistics without sorting. Its memory is used again.
type selector struct {
	column []int32
	count  [buckets]uint32
	mark   [buckets]uint8
	rest   [3][]int32 // the values of the parts that hold a rank
}

// band summarises a column, which is not changed.
func (s *selector) band(column []int32) Band {
	low, high, sum := column[0], column[0], int64(0)
	for _, v := range column {
		low, high, sum = min(low, v), max(high, v), sum+int64(v)
	}
	n := int64(len(column))
	mean := floorDiv(sum, n)
	if low == high {
		return Band{int64(low), int64(low), int64(low), mean}
	}
	at := s.find(column, low, high, [3]int{int((n*5+99)/100) - 1, int((n*50+99)/100) - 1, int((n*95+99)/100) - 1})
	return Band{int64(at[0]), int64(at[1]), int64(at[2]), mean}
}

// find counts the values in equal parts of their range, collects the parts that hold a rank, and selects in them.
func (s *selector) find(column []int32, low, high int32, ranks [3]int) (at [3]int32) {
	shift := uint(max(0, bits.Len32(uint32(high)-uint32(low))-bucketBits)) & 31
	clear(s.count[:])
	for _, v := range column {
		s.count[(uint32(v)-uint32(low))>>shift&(buckets-1)]++
	}
	clear(s.mark[:])
	bucket, before, marks := 0, 0, uint8(0)
	var in [3]uint8
	for i, rank := range ranks {
		for before+int(s.count[bucket]) <= rank {
			before += int(s.count[bucket])
			bucket++
		}
		if s.mark[bucket] == 0 {
			s.rest[marks] = s.rest[marks][:0]
			marks++
			s.mark[bucket] = marks
		}
		in[i] = s.mark[bucket] - 1
		ranks[i] = rank - before
	}
	for _, v := range column {
		if m := s.mark[(uint32(v)-uint32(low))>>shift&(buckets-1)]; m != 0 {
			s.rest[m-1] = append(s.rest[m-1], v)
		}
	}
	for i, rank := range ranks {
		at[i] = nth(s.rest[in[i]], rank)
	}
	return at
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
