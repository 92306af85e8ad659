package sched

import "math/big"

const wholeMilli = 1000

// cardValues says what the free part of a device is worth to a mix of shares: value[r] is how much of a whole device, in thousandths and rounded down, can be
// filled with what fits into r free thousandths, each size counted at what it costs when all shares are packed on as few devices as possible. Sizes that
// leave no usable rest together are worth exactly a device; 300 free thousandths where only shares of 500 are asked for are worth nothing.
//
// The costs are the dual prices of the fractional cutting stock problem (Gilmore and Gomory, "A linear programming approach to the cutting-stock
// problem", Operations Research 9, 1961), solved by column generation in whole numbers. Without shares a device is worth only as a whole.
func cardValues(sizes []int, counts []int64) (value [wholeMilli + 1]int32) {
	if len(sizes) == 0 {
		value[wholeMilli] = wholeMilli
		return value
	}
	prices, _ := cuttingPrices(sizes, counts)
	best := knapsack(sizes, prices)
	top := best[wholeMilli]
	for r := range best {
		v := new(big.Int).Mul(big.NewInt(wholeMilli), best[r])
		value[r] = int32(v.Quo(v, top).Int64())
	}
	return value
}

// knapsack is the most that sizes bring in r thousandths, for each r; a size may be used many times.
func knapsack(sizes []int, prices []*big.Int) []*big.Int {
	best := make([]*big.Int, wholeMilli+1)
	best[0] = new(big.Int)
	var sum big.Int
	for r := 1; r <= wholeMilli; r++ {
		best[r] = best[r-1]
		for i, s := range sizes {
			if s <= r && sum.Add(best[r-s], prices[i]).Cmp(best[r]) > 0 {
				best[r] = new(big.Int).Set(&sum)
			}
		}
	}
	return best
}

// pattern is how often each size is cut from one device where best says what is most.
func pattern(sizes []int, prices, best []*big.Int) []int64 {
	out := make([]int64, len(sizes))
	var sum big.Int
	for r := wholeMilli; r > 0; {
		next := r - 1
		if best[r].Cmp(best[r-1]) > 0 {
			for i, s := range sizes {
				if s <= r && sum.Add(best[r-s], prices[i]).Cmp(best[r]) == 0 {
					out[i]++
					next = r - s
					break
				}
			}
		}
		r = next
	}
	return out
}

// maxPivots bounds the column generation; with as few sizes as there are it ends long before.
const maxPivots = 2000

// cuttingPrices returns the dual price of each size, as numerators over one denominator.
//
// The basis B of patterns is kept as its adjugate A = det(B) * B^-1, by integer pivoting (Edmonds, "Systems of distinct representatives and linear algebra",
// 1967): every division below leaves no rest.
func cuttingPrices(sizes []int, counts []int64) (prices []*big.Int, det *big.Int) {
	m := len(sizes)
	// At first pattern i cuts size i only, as often as it fits: B is diagonal.
	det = big.NewInt(1)
	for _, s := range sizes {
		det.Mul(det, big.NewInt(int64(wholeMilli/s)))
	}
	adj := make([][]*big.Int, m) // adj[j][i]: row of pattern j, column of size i
	for j := range adj {
		adj[j] = make([]*big.Int, m)
		for i := range adj[j] {
			adj[j][i] = new(big.Int)
		}
		adj[j][j].Quo(det, big.NewInt(int64(wholeMilli/sizes[j])))
	}
	for range maxPivots {
		prices = columnSums(adj)
		best := knapsack(sizes, prices)
		if best[wholeMilli].Cmp(det) <= 0 {
			break // no pattern is worth more than the device it takes: the prices are the dual optimum
		}
		d := times(adj, pattern(sizes, prices, best))
		out := leaving(times(adj, counts), d)
		if out < 0 {
			break
		}
		pivot(adj, d, out, det)
		det = d[out]
	}
	return prices, det
}

func columnSums(adj [][]*big.Int) []*big.Int {
	out := make([]*big.Int, len(adj))
	for i := range out {
		out[i] = new(big.Int)
		for j := range adj {
			out[i].Add(out[i], adj[j][i])
		}
	}
	return out
}

func times(adj [][]*big.Int, v []int64) []*big.Int {
	out := make([]*big.Int, len(adj))
	var t big.Int
	for j := range adj {
		out[j] = new(big.Int)
		for i, x := range v {
			if x != 0 {
				out[j].Add(out[j], t.Mul(adj[j][i], big.NewInt(x)))
			}
		}
	}
	return out
}

// leaving is the pattern that is used up first as the new one comes in: the least x/d over d above 0, the first such one on ties; -1 if there is none.
func leaving(x, d []*big.Int) int {
	out := -1
	var a, b big.Int
	for j := range d {
		if d[j].Sign() <= 0 {
			continue
		}
		if out < 0 || a.Mul(x[j], d[out]).Cmp(b.Mul(x[out], d[j])) < 0 {
			out = j
		}
	}
	return out
}

func pivot(adj [][]*big.Int, d []*big.Int, out int, det *big.Int) {
	var t big.Int
	for j := range adj {
		if j == out {
			continue
		}
		for i := range adj[j] {
			v := adj[j][i]
			v.Mul(v, d[out])
			v.Sub(v, t.Mul(d[j], adj[out][i]))
			v.Quo(v, det)
		}
	}
}
