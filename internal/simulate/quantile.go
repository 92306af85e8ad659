package simulate

import "slices"

// Band is what many runs say of one series in one month, in its unit. The percentiles are of the nearest rank: the
// smallest recorded value that at least 5, 50 or 95 % of the runs do not exceed. Mean is rounded down.
type Band struct{ P5, P50, P95, Mean int64 }

// buckets is how many parts of the range a selection counts at once.
const buckets = 1 << 10

// selector finds order statistics without sorting. Its memory is used again.
type selector struct {
	count [buckets]int32
	rest  []int32
}

// band summarises a column, which is not changed.
func (s *selector) band(column []int32) Band {
	low, high, sum := column[0], column[0], int64(0)
	for _, v := range column {
		low, high, sum = min(low, v), max(high, v), sum+int64(v)
	}
	n := int64(len(column))
	b := Band{Mean: floorDiv(sum, n)}
	ranks := [3]int{int((n*5+99)/100) - 1, int((n*50+99)/100) - 1, int((n*95+99)/100) - 1}
	var at [3]int64
	if low == high {
		at = [3]int64{int64(low), int64(low), int64(low)}
	} else {
		s.find(column, low, high, ranks, &at)
	}
	b.P5, b.P50, b.P95 = at[0], at[1], at[2]
	return b
}

// find counts the values in equal parts of their range, and sorts only the part in which a rank lies.
func (s *selector) find(column []int32, low, high int32, ranks [3]int, at *[3]int64) {
	shift := 0
	for (int64(high)-int64(low))>>shift >= buckets {
		shift++
	}
	clear(s.count[:])
	for _, v := range column {
		s.count[(int64(v)-int64(low))>>shift]++
	}
	bucket, before, sorted := 0, 0, -1
	for i, rank := range ranks {
		for before+int(s.count[bucket]) <= rank {
			before += int(s.count[bucket])
			bucket++
		}
		if shift == 0 {
			at[i] = int64(low) + int64(bucket)
			continue
		}
		if sorted != bucket {
			s.rest = s.rest[:0]
			for _, v := range column {
				if int((int64(v)-int64(low))>>shift) == bucket {
					s.rest = append(s.rest, v)
				}
			}
			slices.Sort(s.rest)
			sorted = bucket
		}
		at[i] = int64(s.rest[rank-before])
	}
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
