package tokenomics

import (
	"fmt"
	"math"
	"math/big"
	"math/bits"
)

// totals is an interval of total scores, empty if low > high. Only multiples of step count.
type totals struct{ low, high, step uint64 }

// first returns the smallest total that counts, 0 if there is none.
func (t totals) first() uint64 {
	if t.low > math.MaxUint64-t.step {
		return 0
	}
	if n := (t.low + t.step - 1) / t.step * t.step; n <= t.high {
		return n
	}
	return 0
}

func (t totals) holds(total uint64) bool { return t.low <= total && total <= t.high }

// witness is one printed number that bounds the total score.
type witness struct {
	row      int // from 0
	constant AuditConstant
	printed  Printed
}

// basis is one set of constants by which a pool may have been computed.
type basis struct {
	pool     Pool // of the rows; the budget may be that of another
	emission Amount
	budget   PoolBudget
	era      PoolEra // of the budget, which is of its share-th pool
	share    int
	right    bool          // by the scores as they should have been
	blamed   AuditConstant // 0 in the first one
	epoch    Epoch
}

// checkPool intersects what the rows of a pool say and explains what does not fit.
func (c *blockAuditing) checkPool(pool Pool) {
	var record PoolRecord
	for _, p := range c.r.Pools {
		if p.Pool == pool {
			record = p
		}
	}
	witnesses, rows := c.witnesses(pool)
	if !rows && record.Pool == NoPool {
		return
	}
	all := c.bases(pool, record)
	if len(all) == 0 {
		c.find(Finding{Pool: pool, Constant: ConstPoolPoints, Note: "no era of the policy has the pool"})
		return
	}
	used := all[0]
	c.checkPoints(record, used.budget)
	printed, hasTotal := uint64(0), record.Total != ""
	if hasTotal {
		printed, _ = record.Total.read("") // validate read it
	}
	fit := c.intersect(used, witnesses, -1)
	good := func(t totals) bool { return t.first() > 0 && (!hasTotal || t.holds(printed)) }
	if !good(fit) {
		if b, t, ok := c.reconcile(all, witnesses, good); ok {
			c.blame(used, b, pool)
			used, fit = b, t
		} else {
			used, fit = c.disagree(used, all[len(all)-1], witnesses, record)
		}
	}
	audit := PoolAudit{PoolBudget: used.budget, Witnesses: len(witnesses)}
	audit.Pool = pool
	total := fit.first()
	if total > 0 {
		audit.Low, audit.High = fit.low, fit.high
	}
	switch {
	case hasTotal && (fit.holds(printed) || total == 0):
		audit.Total = printed
	case len(witnesses) > 0:
		audit.Total = total
	}
	c.out.Pools = append(c.out.Pools, audit)
	c.fill(used, audit, pool)
}

// reconcile returns the first set of constants but the expected one with which all witnesses agree. The epochs whose
// emission the rows imply come last: to find them costs a walk through the schedule.
func (c *blockAuditing) reconcile(all []basis, witnesses []witness, good func(totals) bool) (basis, totals, bool) {
	for _, b := range all[1:] {
		if t := c.intersect(b, witnesses, -1); good(t) {
			return b, t, true
		}
	}
	for _, k := range c.impliedEpochs(all[0], witnesses) {
		b := all[0]
		b.emission, b.blamed, b.epoch = c.emissions.Emission(k), ConstEmission, k
		b.budget = budgetOf(b.era, b.share, b.emission)
		if t := c.intersect(b, witnesses, -1); good(t) {
			return b, t, true
		}
	}
	return basis{}, totals{}, false
}

// impliedEpochs returns the epochs that a row with both figures implies, if they are few. Reward and normalised score of
// a device have the same score and total, so their quotient is emission / sum of all points, whatever those are:
//
//	least*sum*2*10^p/(2v+1) < emission < (most+1)*sum*2*10^p/(2v-1) + 1.
func (c *blockAuditing) impliedEpochs(b basis, witnesses []witness) (out []Epoch) {
	const few = 4
	low, high := uint64(0), uint64(math.MaxUint64)
	var sum uint64
	for _, s := range b.era.Shares {
		sum += s.Points // the policy was validated: it fits
	}
	for i, w := range witnesses[:max(1, len(witnesses))-1] {
		if next := witnesses[i+1]; w.constant == ConstNormalised && next.row == w.row { // its reward comes next
			least, most := next.printed.amounts()
			under, over, unit := rounded(w.printed)
			unit.Mul(unit, new(big.Int).SetUint64(sum))
			low = max(low, floor64(new(big.Int).Mul(unit, new(big.Int).SetUint64(least)), under))
			if over.Sign() > 0 && most < math.MaxUint64 {
				high = min(high, floor64(unit.Mul(unit, new(big.Int).SetUint64(most+1)), over))
			}
		}
	}
	if low == 0 || low >= high {
		return nil
	}
	first, last := c.epochsOf(low, high+1)
	for k := first; first > 0 && k <= last && len(out) < few; k++ {
		out = append(out, k)
	}
	return out
}

func times(a, b uint64) *big.Int {
	n := new(big.Int).SetUint64(a)
	return n.Mul(n, new(big.Int).SetUint64(b))
}

// rounded returns 2v+1, 2v-1 and 2*10^p of a number of v units of 10^-p: the number n rounds to it where
// (2v-1)/(2*10^p) <= n < (2v+1)/(2*10^p).
func rounded(p Printed) (under, over, unit *big.Int) {
	v, _ := p.read("") // validate read it
	unit = new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(p.Places())), nil)
	unit.Lsh(unit, 1)
	over = times(v, 2)
	under = new(big.Int).Add(over, big.NewInt(1))
	return under, over.Sub(over, big.NewInt(1)), unit
}

// witnesses lists the printed numbers of a pool that bound its total, and reports whether it has any row.
func (c *blockAuditing) witnesses(pool Pool) (out []witness, rows bool) {
	for i, d := range c.r.Rows {
		if c.out.Rows[i].Pool != pool {
			continue
		}
		if rows = true; c.scores[i].used == 0 {
			continue
		}
		if d.Normalised != "" {
			out = append(out, witness{i, ConstNormalised, d.Normalised})
		}
		if d.Reward != "" && c.out.Emission > 0 {
			out = append(out, witness{i, ConstReward, d.Reward})
		}
	}
	return out, rows
}

// bases lists the constants to try, the expected ones first. It is empty if no era has the pool.
func (c *blockAuditing) bases(pool Pool, record PoolRecord) (out []basis) {
	era := c.era(pool, record)
	if era < 0 {
		return nil
	}
	first := basis{pool: pool, emission: c.out.Emission}
	var others []basis
	for i, e := range c.p.Pools.Eras {
		for j, s := range e.Shares {
			b := basis{pool: pool, emission: c.out.Emission, budget: budgetOf(e, j, c.out.Emission), blamed: ConstPoolPoints}
			switch {
			case i == era && s.Pool == pool:
				first.budget, first.era, first.share = b.budget, e, j
				for _, o := range c.other {
					others = append(others, basis{
						pool: pool, emission: o.amount, budget: budgetOf(e, j, o.amount), blamed: ConstEmission, epoch: o.epoch,
					})
				}
			default:
				out = append(out, b)
			}
		}
	}
	out = append(append([]basis{first}, out...), others...)
	right := first
	right.right, right.blamed = true, ConstScore
	return append(out, right)
}

// era returns the era by which a pool is computed: that of the block if it is dated and has the pool, else the first
// one that has it, with the printed points if it can be; -1 if none has.
func (c *blockAuditing) era(pool Pool, record PoolRecord) int {
	found := -1
	for i, e := range c.p.Pools.Eras {
		for _, s := range e.Shares {
			if s.Pool != pool {
				continue
			}
			matches := record.Points != "" && scaled(s.Points, 0).Equal(record.Points.decimal())
			if found < 0 || (c.dated() && !c.at.Before(e.From)) || (!c.dated() && matches) {
				found = i
			}
		}
	}
	return found
}

// budgetOf returns what share j of an era has of an emission.
func budgetOf(e PoolEra, j int, emission Amount) PoolBudget {
	budgets, err := PoolPolicy{Eras: []PoolEra{e}}.Divide(emission, e.From)
	if err != nil {
		panic("tokenomics.Auditor: " + err.Error()) // the policy was validated, and an era of it is one
	}
	return budgets[j]
}

// checkPoints compares the printed points of a pool.
func (c *blockAuditing) checkPoints(record PoolRecord, budget PoolBudget) {
	want := scaled(budget.Points, 0)
	if record.Points == "" || record.Points.decimal().Equal(want) {
		return
	}
	f := Finding{Pool: budget.Pool, Constant: ConstPoolPoints, Printed: record.Points.decimal()}.wants(want)
	for _, e := range c.p.Pools.Eras {
		for _, s := range e.Shares {
			if scaled(s.Points, 0).Equal(f.Printed) {
				f.Note = fmt.Sprintf("these are the points of pool %s from %s", s.Pool, e.From.UTC().Format("2006-01-02"))
			}
		}
	}
	c.find(f)
}

// blame records that a pool was computed by another constant.
func (c *blockAuditing) blame(expected, used basis, pool Pool) {
	f := Finding{Pool: pool, Constant: used.blamed, Epoch: used.epoch}
	switch used.blamed {
	case ConstPoolPoints:
		f.Printed = scaled(used.budget.Points, 0)
		f = f.wants(scaled(expected.budget.Points, 0))
		f.Note = fmt.Sprintf("the rows were computed by the points of pool %s", used.budget.Pool)
	case ConstEmission:
		f.Printed = used.emission.Decimal()
		f = f.wants(expected.emission.Decimal())
		if f.Note = "the rows were computed by this emission"; f.Epoch > 0 {
			f.Note += fmt.Sprintf(", that of epoch %d", f.Epoch)
		}
	default:
		return // the wrong scores are found already
	}
	c.find(f)
}

// intersect returns the totals with which every witness but those of one row agrees.
func (c *blockAuditing) intersect(b basis, witnesses []witness, skip int) totals {
	t := totals{low: 1, high: math.MaxUint64, step: 1}
	if c.dated() && c.p.ScoreVersion(c.at) == ScoreV2 {
		t.step = 5 // every score is a multiple of it, and so is their sum
	}
	var sum, carry uint64
	for i := range c.scores {
		if c.out.Rows[i].Pool == b.pool && i != skip {
			if sum, carry = bits.Add64(sum, c.score(b, i), 0); carry != 0 {
				sum = math.MaxUint64
			}
		}
	}
	t.low = max(t.low, sum)
	for _, w := range witnesses {
		if w.row == skip {
			continue
		}
		low, high := c.bounds(b, w)
		t.low, t.high = max(t.low, low), min(t.high, high)
	}
	return t
}

// bounds returns the totals with which one witness agrees.
//
// A reward floor(B*S/T) is from least to most where B*S/(most+1) < T <= B*S/least. A normalised score P*S/T rounds to v
// units of 10^-p where P*S*2*10^p/(2v+1) < T <= P*S*2*10^p/(2v-1).
func (c *blockAuditing) bounds(b basis, w witness) (low, high uint64) {
	score := c.score(b, w.row)
	var num, under, over *big.Int
	if w.constant == ConstReward {
		least, most := w.printed.amounts()
		num = times(score, uint64(b.budget.Amount))
		under, over = new(big.Int).SetUint64(most), new(big.Int).SetUint64(least)
		under.Add(under, big.NewInt(1))
	} else {
		var unit *big.Int
		under, over, unit = rounded(w.printed)
		num = times(score, b.budget.Points)
		num.Mul(num, unit)
	}
	low, high = floor64(num, under), math.MaxUint64
	if low < math.MaxUint64 {
		low++
	}
	if over.Sign() > 0 {
		high = floor64(num, over)
	}
	return low, high
}

// score returns the score of a row, from 0, by which it is computed.
func (c *blockAuditing) score(b basis, row int) uint64 {
	if b.right {
		return c.scores[row].right
	}
	return c.scores[row].used
}

// floor64 returns floor(num/den), at most the largest number of 64 bits.
func floor64(num, den *big.Int) uint64 {
	q := new(big.Int).Quo(num, den)
	if !q.IsUint64() {
		return math.MaxUint64
	}
	return q.Uint64()
}
