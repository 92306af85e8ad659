package sched

import (
	"math"
	"math/bits"
)

// cheapestOrder returns the open path over all groups with the least sum of passes, by dynamic programming over subsets (Held and Karp, "A
// dynamic programming approach to sequencing problems", 1962): least[set][j] is the cheapest path over the groups of the set that ends at j.
// Of equally cheap paths it takes one that begins with the lowest number.
func (c *crew) cheapestOrder() []int {
	n := c.stages
	least, before, hop := make([]int64, n<<n), make([]int8, n<<n), make([]int64, n*n)
	for a := range n {
		for b := range a {
			hop[a*n+b] = c.hopOf(a, b)
			hop[b*n+a] = hop[a*n+b]
		}
	}
	for set := 1; set < 1<<n; set++ {
		for ends := set; ends != 0; ends &= ends - 1 {
			j := bits.TrailingZeros(uint(ends))
			rest := set &^ (1 << j)
			best, from := int64(math.MaxInt64), 0
			if rest == 0 {
				best = 0
			}
			for r := rest; r != 0; r &= r - 1 {
				k := bits.TrailingZeros(uint(r))
				if v := least[rest*n+k] + hop[j*n+k]; v < best {
					best, from = v, k
				}
			}
			least[set*n+j], before[set*n+j] = best, int8(from)
		}
	}
	set, end := 1<<n-1, 0
	for j := range n {
		if least[set*n+j] < least[set*n+end] {
			end = j
		}
	}
	order := make([]int, n)
	for i := range order {
		order[i] = end
		next := int(before[set*n+end])
		set &^= 1 << end
		end = next
	}
	return order
}
