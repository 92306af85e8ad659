package tokenomics

import "fmt"

// column says which multipliers of the table hold.
type column uint8

const (
	oldColumn column = iota
	newColumn
)

// scoreFacts is what a row says of its base score; 0 is unknown.
type scoreFacts struct {
	dated      bool
	model      bool          // the table has the model
	columns    [2]Multiplier // of the table
	pools      [2]Pool
	column     column // that holds at the block
	multiplier Multiplier
	weight     uint64 // multiplier * quantity
	version    ScoreVersion
}

// facts gathers what is known of a row. Without a date the newest version and the old column are tried first.
func (c *blockAuditing) facts(d DeviceRecord) scoreFacts {
	f := scoreFacts{dated: c.dated(), version: ScoreV2}
	if f.dated {
		f.version = c.p.ScoreVersion(c.at)
		if !c.at.Before(c.p.Multipliers.EarnFrom) {
			f.column = newColumn
		}
	}
	from := c.p.Multipliers.EarnFrom
	f.columns[oldColumn], f.pools[oldColumn], f.model = c.table.Earning(d.Model, from.Add(-1))
	f.columns[newColumn], f.pools[newColumn], _ = c.table.Earning(d.Model, from)
	if f.multiplier = f.columns[f.column]; d.Multiplier != "" {
		_ = f.multiplier.UnmarshalText([]byte(d.Multiplier)) // validate read it
	}
	f.weight = uint64(f.multiplier) * uint64(d.Quantity)
	return f
}

// checkScore compares the multiplier and the base score of a row with what else it says.
func (c *blockAuditing) checkScore(i int) {
	d, row := c.r.Rows[i], &c.out.Rows[i]
	f := c.facts(d)
	switch {
	case d.Pool != NoPool:
		row.Pool = d.Pool
	case f.model:
		row.Pool = f.pools[f.column]
	case len(c.r.Pools) == 1:
		row.Pool = c.r.Pools[0].Pool
	}
	if want := f.correct(); f.multiplier != want {
		x := differs(f.blame(f.multiplier), uint64(f.multiplier), uint64(want), 2)
		x.Row, x.Pool, x.Note = i+1, row.Pool, f.columnNote(f.multiplier)
		c.find(x)
	}
	right := f.expected(d)
	c.scores[i] = rowScore{used: right, right: right}
	if d.Score == "" {
		row.Score.Expected = scaled(right, 0)
		return
	}
	printed, _ := d.Score.read("") // validate read it
	c.scores[i].used = printed
	row.Score = AuditCheck{Verdict: Agrees, Printed: d.Score.decimal(), Expected: d.Score.decimal()}
	best, differing := f.explain(d, printed)
	if best != 0 && len(differing) == 0 {
		if right == 0 || f.multiplier == f.correct() {
			c.scores[i].right = printed
		}
		return
	}
	row.Score.Verdict, row.Score.Expected = Differs, scaled(right, 0)
	if best == 0 {
		x := Finding{Constant: ConstScore, Printed: d.Score.decimal(), Note: "it is a base score of neither version"}
		if right > 0 {
			x = x.wants(scaled(right, 0))
		}
		differing = []Finding{x}
	}
	for _, x := range differing {
		x.Row, x.Pool = i+1, row.Pool
		if x.Note == "" && right > 0 {
			x.Note = fmt.Sprintf("base score %d, expected %d", printed, right)
		}
		c.find(x)
	}
}

// correct returns the multiplier that should have been used: the printed one where the table has no say.
func (f scoreFacts) correct() Multiplier {
	if f.model && f.dated {
		return f.columns[f.column]
	}
	return f.multiplier
}

// expected returns the base score that follows from the row, 0 if it says too little. A device is taken as not hired
// unless it says so.
func (f scoreFacts) expected(d DeviceRecord) uint64 {
	score, err := BaseScore(ScoreInput{
		Version: f.version, Connectivity: d.Connectivity, Multiplier: f.correct(), Quantity: d.Quantity,
		Hired: d.Hired != nil && *d.Hired,
	})
	if err != nil {
		return 0
	}
	return score
}

// explain takes a printed score apart by either version and returns the one that leaves the fewest constants differing,
// with them; 0 if the score is of neither.
func (f scoreFacts) explain(d DeviceRecord, printed uint64) (best ScoreVersion, differing []Finding) {
	for _, v := range []ScoreVersion{f.version, ScoreV1 + ScoreV2 - f.version} {
		parts, ok := DecodeScore(v, printed)
		if !ok {
			continue
		}
		found := f.differing(d, v, parts)
		if v != f.version && f.dated {
			found = append([]Finding{differs(ConstScoreFactor, factor(v), factor(f.version), 0)}, found...)
		}
		if best == 0 || len(found) < len(differing) {
			best, differing = v, found
		}
	}
	return best, differing
}

// differing lists what a decoded score says other than its row.
func (f scoreFacts) differing(d DeviceRecord, v ScoreVersion, parts ScoreParts) (out []Finding) {
	if d.Connectivity != 0 && d.Connectivity != parts.Connectivity {
		out = append(out, differs(ConstConnectivity, uint64(parts.Connectivity), uint64(d.Connectivity), 0))
	}
	if v == ScoreV2 && d.Hired != nil && *d.Hired != parts.Hired {
		out = append(out, differs(ConstHired, flag(parts.Hired), flag(*d.Hired), 0))
	}
	if f.weight == 0 || parts.Weight == f.weight {
		return out
	}
	n, m := uint64(d.Quantity), uint64(f.multiplier)
	each := Multiplier(parts.Weight / n)
	switch {
	case parts.Weight%n == 0 && parts.Weight/n <= 1<<32-1 && f.blame(each) == ConstMultiplierColumn:
		if !f.dated {
			break // either column may hold
		}
		x := differs(ConstMultiplierColumn, uint64(each), m, 2)
		x.Note = f.columnNote(each)
		out = append(out, x)
	case parts.Weight%m == 0: // a number of processors has to be whole, so this is the narrower explanation
		out = append(out, differs(ConstQuantity, parts.Weight/m, n, 0))
	case parts.Weight%n == 0:
		out = append(out, differs(ConstMultiplier, parts.Weight/n, m, 2))
	default:
		x := differs(ConstScore, parts.Weight, f.weight, 2)
		x.Note = "multiplier times quantity"
		out = append(out, x)
	}
	return out
}

// blame says which constant a multiplier other than the expected one is.
func (f scoreFacts) blame(m Multiplier) AuditConstant {
	if f.model && m == f.columns[newColumn-f.column] && m != f.columns[f.column] {
		return ConstMultiplierColumn
	}
	return ConstMultiplier
}

func (f scoreFacts) columnNote(m Multiplier) string {
	switch {
	case f.blame(m) != ConstMultiplierColumn:
		return "neither column of the table has it"
	case f.column == oldColumn:
		return "it is of the new column, which does not hold yet"
	}
	return "it is of the old column, which no longer holds"
}

// differs makes a finding of a constant whose value follows from what is printed; the expected value reconciles it.
func differs(constant AuditConstant, printed, expected uint64, places int32) Finding {
	return Finding{Constant: constant, Printed: scaled(printed, places)}.wants(scaled(expected, places))
}

// factor returns the last factor of the published formula of a version.
func factor(v ScoreVersion) uint64 {
	if v == ScoreV1 {
		return 10
	}
	return 100
}

func flag(yes bool) uint64 {
	if yes {
		return 1
	}
	return 0
}
