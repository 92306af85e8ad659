package tokenomics

import (
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// disagree explains witnesses that no set of constants reconciles with each other and with a printed total, and returns
// the basis and the totals by which to go on: the scores as they should be if the witnesses agree by these alone.
func (c *blockAuditing) disagree(b, right basis, witnesses []witness, record PoolRecord) (basis, totals) {
	fit := c.intersect(b, witnesses, -1)
	if t := c.intersect(right, witnesses, -1); fit.first() == 0 && t.first() > 0 {
		b, fit = right, t
	}
	if record.Total == "" {
		return b, c.outlier(b, witnesses)
	}
	printed, _ := record.Total.read("") // validate read it
	if fit.first() == 0 && len(witnesses) > 0 || len(witnesses) == 1 {
		for _, w := range witnesses {
			c.refute(b, w, totals{low: printed, high: printed, step: 1})
		}
		return b, totals{low: 1, step: 1}
	}
	f := Finding{
		Pool: b.budget.Pool, Constant: ConstTotalScore, Printed: record.Total.decimal(), Note: verdict(witnesses, fit),
	}
	if near := fit.first(); near > 0 {
		if printed > fit.high {
			near = fit.high
		}
		f.Fits, f.Expected, f.Low, f.High = true, scaled(near, 0), scaled(fit.low, 0), scaled(fit.high, 0)
	}
	c.find(f)
	return b, fit
}

// verdict says who outvotes a printed total.
func verdict(witnesses []witness, fit totals) string {
	if len(witnesses) == 0 {
		return "the listed scores alone add up to more"
	}
	s := fmt.Sprintf("%d printed figures agree on this interval", len(witnesses))
	if only := fit.first(); fit.step > 1 && only > fit.high-min(fit.high, fit.step) {
		s += fmt.Sprintf(", whose only multiple of %d is %d", fit.step, only)
	}
	return s
}

// outlier names the one row without which all others agree on a total, or that there is none.
func (c *blockAuditing) outlier(b basis, witnesses []witness) totals {
	var rows, guilty []int
	for _, w := range witnesses {
		if !slices.Contains(rows, w.row) {
			rows = append(rows, w.row)
		}
	}
	for _, row := range rows {
		if c.intersect(b, witnesses, row).first() > 0 {
			guilty = append(guilty, row)
		}
	}
	if len(guilty) == 1 && len(rows) > 2 {
		fit := c.intersect(b, witnesses, guilty[0])
		for _, w := range witnesses {
			if w.row == guilty[0] {
				c.refute(b, w, fit)
			}
		}
		return fit
	}
	names := make([]string, len(rows))
	for i, row := range rows {
		names[i] = fmt.Sprint(row + 1)
	}
	c.find(Finding{
		Pool: b.budget.Pool, Constant: ConstTotalScore,
		Note: "no total fits the rows " + strings.Join(names, ", ") + " together",
	})
	return totals{low: 1, step: 1}
}

// refute records a witness that agrees with none of the totals.
func (c *blockAuditing) refute(b basis, w witness, fit totals) {
	low, high := c.bounds(b, w)
	if max(low, fit.low) <= min(high, fit.high) {
		return
	}
	least, most := c.compute(b, w, fit.high), c.compute(b, w, fit.low)
	f := Finding{
		Row: w.row + 1, Pool: b.budget.Pool, Constant: w.constant, Printed: w.printed.decimal(), Fits: true,
		Expected: least, Low: least, High: most, Note: "no total gives it",
	}
	if f.Printed.GreaterThan(most) {
		f.Expected = most
	}
	if low <= high {
		f.Note = fmt.Sprintf("a total of %d to %d would give it", low, high)
	}
	c.find(f)
}

// compute returns what a witness should say with a total.
func (c *blockAuditing) compute(b basis, w witness, total uint64) decimal.Decimal {
	score := c.score(b, w.row)
	if total == 0 {
		return decimal.Zero
	}
	if w.constant == ConstNormalised {
		points := scaled(score, 0).Mul(scaled(b.budget.Points, 0))
		return points.DivRound(scaled(total, 0), int32(w.printed.Places())+2)
	}
	reward, err := b.budget.Amount.MulDiv(score, total, Down)
	if err != nil { // the total is far less than the score: there is no such reward
		return decimal.Zero
	}
	return reward.Decimal()
}

// fill computes the rows of a pool by its total.
func (c *blockAuditing) fill(b basis, audit PoolAudit, pool Pool) {
	for i, d := range c.r.Rows {
		row := &c.out.Rows[i]
		if row.Pool != pool {
			continue
		}
		for _, x := range []struct {
			check    *AuditCheck
			constant AuditConstant
			printed  Printed
		}{{&row.Normalised, ConstNormalised, d.Normalised}, {&row.Reward, ConstReward, d.Reward}} {
			if x.printed != "" {
				x.check.Printed = x.printed.decimal()
			}
			if audit.Total == 0 || c.score(b, i) == 0 || x.constant == ConstReward && c.out.Emission == 0 {
				continue
			}
			w := witness{i, x.constant, x.printed}
			x.check.Expected = c.compute(b, w, audit.Total)
			if x.printed == "" {
				continue
			}
			x.check.Verdict = Differs
			if low, high := c.bounds(b, w); low <= audit.Total && audit.Total <= high {
				x.check.Verdict = Agrees
			}
		}
	}
}
