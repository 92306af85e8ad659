package tokenomics

import (
	"errors"
	"fmt"
	"time"

	"github.com/shopspring/decimal"
)

// ErrAuditor is returned for an auditor that is asked to work without a schedule.
var ErrAuditor = errors.New("tokenomics: invalid auditor")

// AuditConstant is what a [Finding] blames.
type AuditConstant uint8

const (
	// ConstScore is a base score that no single constant explains.
	ConstScore AuditConstant = iota + 1
	// ConstScoreFactor is the last factor of the published formula: 10 in version 1, 100 in version 2.
	ConstScoreFactor
	// ConstMultiplier is the multiplier of a model.
	ConstMultiplier
	// ConstMultiplierColumn is a multiplier from the column of the other date.
	ConstMultiplierColumn
	// ConstConnectivity is the tier of a connection.
	ConstConnectivity
	// ConstQuantity is the number of processors.
	ConstQuantity
	// ConstHired is whether a device is hired, 0 or 1.
	ConstHired
	// ConstEmission is the emission of the block.
	ConstEmission
	// ConstPoolPoints is the number of points of a pool.
	ConstPoolPoints
	// ConstTotalScore is the sum of all base scores of a pool.
	ConstTotalScore
	// ConstNormalised is the normalised score of a row.
	ConstNormalised
	// ConstReward is the reward of a row.
	ConstReward
)

// String returns the name of the constant in lower case.
func (c AuditConstant) String() string {
	switch c {
	case ConstScore:
		return "score"
	case ConstScoreFactor:
		return "score factor"
	case ConstMultiplier:
		return "multiplier"
	case ConstMultiplierColumn:
		return "multiplier column"
	case ConstConnectivity:
		return "connectivity"
	case ConstQuantity:
		return "quantity"
	case ConstHired:
		return "hired"
	case ConstEmission:
		return "emission"
	case ConstPoolPoints:
		return "pool points"
	case ConstTotalScore:
		return "total score"
	case ConstNormalised:
		return "normalised"
	case ConstReward:
		return "reward"
	}
	return fmt.Sprintf("AuditConstant(%d)", uint8(c))
}

// MarshalText returns the name of the constant.
func (c AuditConstant) MarshalText() ([]byte, error) {
	return nameOf(c, c >= ConstScore && c <= ConstReward, ErrAuditor)
}

// UnmarshalText reads what MarshalText returns.
func (c *AuditConstant) UnmarshalText(text []byte) error {
	return named(c, ConstScore, ConstReward, text, ErrAuditor)
}

// Finding names a constant that does not fit the rest of a record.
type Finding struct {
	// Row is the row, from 1 on; 0 is the block or one of its pools.
	Row int
	// Pool is the pool concerned, NoPool where it is the block.
	Pool Pool
	// Constant is what fails.
	Constant AuditConstant
	// Printed is its value as printed, or as it follows from what is printed; Expected is what it should have been, and
	// Off is Printed - Expected. An expected normalised score is rounded to two places more than the printed one has; of
	// several values that fit, the nearest is expected.
	Printed, Expected, Off decimal.Decimal
	// Fits tells whether values of the constant are known that reconcile the record; Low and High bound them. Where it is
	// false, Expected, Low and High are 0.
	Fits      bool
	Low, High decimal.Decimal
	// Epoch is the epoch to which a misplaced emission belongs, 0 if none.
	Epoch Epoch
	// Note says the rest for people.
	Note string
}

// wants returns the finding with the one value that was expected.
func (f Finding) wants(v decimal.Decimal) Finding {
	f.Fits, f.Expected, f.Low, f.High = true, v, v, v
	return f
}

// String returns the finding in one line.
func (f Finding) String() string {
	where := "block"
	switch {
	case f.Row > 0:
		where = fmt.Sprintf("row %d", f.Row)
	case f.Pool != NoPool:
		where = "pool " + f.Pool.String()
	}
	s := fmt.Sprintf("%s: %s %s, nothing fits", where, f.Constant, f.Printed)
	if f.Fits {
		s = fmt.Sprintf("%s: %s %s, expected %s, off %s", where, f.Constant, f.Printed, f.Expected, f.Off)
		if !f.Low.Equal(f.High) {
			s += fmt.Sprintf(", fits %s to %s", f.Low, f.High)
		}
	}
	if f.Note != "" {
		s += ": " + f.Note
	}
	return s
}

// AuditVerdict is what came of checking one printed number.
type AuditVerdict uint8

const (
	// NotChecked is a number that is not printed or for which the record holds too little.
	NotChecked AuditVerdict = iota
	// Agrees is a number within the interval of its own rounding.
	Agrees
	// Differs is a number outside it.
	Differs
)

// String returns "not checked", "agrees" or "differs".
func (v AuditVerdict) String() string {
	switch v {
	case NotChecked:
		return "not checked"
	case Agrees:
		return "agrees"
	case Differs:
		return "differs"
	}
	return fmt.Sprintf("AuditVerdict(%d)", uint8(v))
}

// MarshalText returns the name of the verdict.
func (v AuditVerdict) MarshalText() ([]byte, error) { return nameOf(v, v <= Differs, ErrAuditor) }

// UnmarshalText reads what MarshalText returns.
func (v *AuditVerdict) UnmarshalText(text []byte) error {
	return named(v, NotChecked, Differs, text, ErrAuditor)
}

// AuditCheck compares one printed number with what was computed.
type AuditCheck struct {
	Verdict AuditVerdict
	// Expected is what was computed, 0 where nothing was; a normalised score is rounded to two places more than printed.
	Expected decimal.Decimal
	// Printed is the number as printed, 0 where it is not.
	Printed decimal.Decimal
}

// RowAudit is what came of one row.
type RowAudit struct {
	// Pool is the pool in which the row was computed, NoPool if none is known.
	Pool Pool
	// Score, Normalised and Reward are the three figures. The latter two are computed with [PoolAudit].Total.
	Score, Normalised, Reward AuditCheck
}

// PoolAudit is what the rows of one pool say together.
type PoolAudit struct {
	// PoolBudget holds the pool of the rows, and the points and the budget by which they were computed.
	PoolBudget
	// Witnesses is the number of printed normalised scores and rewards in the pool that were used.
	Witnesses int
	// Low and High bound the sums of all base scores with which every witness agrees, but those of a row that was found
	// wrong by itself, in exact integers. Both are 0 if there is no such sum. Without witnesses they are the sum of the
	// rows and the largest number.
	Low, High uint64
	// Total is the sum with which the rows were computed: the printed one if it fits or if no other does; else the least
	// from Low to High, of version 2 the least multiple of 5, because every score is one; 0 if nothing bounds it.
	Total uint64
}

// BlockAudit is what came of a block.
type BlockAudit struct {
	// Epoch is the epoch of the block, 0 if it is in none or unknown.
	Epoch Epoch
	// Emission is that of the schedule; the printed one where the block is in no epoch; 0 if neither is known.
	Emission Amount
	// Rows are in the order of the record, Pools in the order of their numbers.
	Rows  []RowAudit
	Pools []PoolAudit
	// Findings are the constants that fail: the block's, then the rows', then the pools'. None is a clean record.
	Findings []Finding
}

// BlockEmissions is what each epoch emits: a [Schedule] for the blocks of one schedule, or the [Timeline] of a network for
// all.
type BlockEmissions interface {
	// Emission returns what an epoch emits.
	Emission(k Epoch) Amount
	// Epochs returns the number of epochs.
	Epochs() Epoch
}

// Auditor recomputes published blocks and names the constant that fails. It never changes and is safe for concurrent
// use if its schedule is.
type Auditor struct {
	p         Params
	emissions BlockEmissions
	table     *MultiplierTable
}

// NewAuditor returns an auditor by the pools, multipliers, scores and calendar of p and the given emissions. It fails
// with the errors of [Params.Validate], and with [ErrAuditor] without emissions.
func NewAuditor(p Params, emissions BlockEmissions) (*Auditor, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	if emissions == nil {
		return nil, fmt.Errorf("%w: no emissions", ErrAuditor)
	}
	table, err := NewMultiplierTable(p.Multipliers)
	if err != nil {
		return nil, err
	}
	return &Auditor{p: p, emissions: emissions, table: table}, nil
}

// AuditBlock recomputes a block from its record and looks for the constant that explains what does not agree.
//
// A base score is compared with model, multiplier, quantity, tier and hiring as far as they are printed, and taken apart
// by [DecodeScore] if it differs. Every reward and every normalised score bounds the total score of its pool; the
// bounds of a pool are intersected. A reward is a floor to the base unit; if it is printed with fewer places, and for
// the emission, cut and rounded figures count as the same. A normalised score is rounded to the nearest.
//
// Where the witnesses do not agree with each other or with a printed total, the points of other pools and eras, the
// epoch to which a misplaced emission belongs, the printed emission, the scores as they should be, and the epoch whose
// emission the rows imply are tried, in this order. If none fits, two or more witnesses outvote a printed total; a single
// witness does not, and is itself found wrong. Without a printed total the one row is named without which the others agree, or that no total fits.
//
// The dust that a pool brought from the block before is not published and is left out: it is less than a base unit for
// each device. The only errors are [ErrRecord], for what cannot be read.
func (a *Auditor) AuditBlock(r BlockRecord) (BlockAudit, error) {
	if err := r.validate(); err != nil {
		return BlockAudit{}, err
	}
	c := &blockAuditing{Auditor: a, r: r, scores: make([]rowScore, len(r.Rows))}
	c.out.Rows = make([]RowAudit, len(r.Rows))
	c.checkEmission()
	for i := range r.Rows {
		c.checkScore(i)
	}
	for pool := PoolGPU; pool <= PoolCommunity; pool++ {
		c.checkPool(pool)
	}
	return c.out, nil
}

// blockAuditing is one audit on its way.
type blockAuditing struct {
	*Auditor
	r      BlockRecord
	out    BlockAudit
	at     time.Time // of the block, zero if unknown
	other  []otherEmission
	scores []rowScore
}

// otherEmission is an emission that the block may have had instead.
type otherEmission struct {
	amount Amount
	epoch  Epoch
}

// rowScore is a row's score as printed, or as computed where it is not, and as it should have been; 0 is unknown.
type rowScore struct{ used, right uint64 }

// dated reports whether the time of the block is known.
func (c *blockAuditing) dated() bool { return !c.at.IsZero() }

func (c *blockAuditing) find(f Finding) {
	if f.Fits {
		f.Off = f.Printed.Sub(f.Expected)
	}
	c.out.Findings = append(c.out.Findings, f)
}

// checkEmission finds the epoch of the block and compares its emission.
func (c *blockAuditing) checkEmission() {
	c.at = c.r.At
	var note string
	if c.dated() {
		k, err := c.p.Calendar.At(c.at)
		if err == nil && k <= c.emissions.Epochs() {
			c.out.Epoch, c.out.Emission = k, c.emissions.Emission(k)
		} else {
			note = "the block is in no epoch of the schedule; "
		}
	}
	if c.r.Emission == "" {
		return
	}
	exact, _ := ParseAmount(string(c.r.Emission)) // validate read it
	least, most := c.r.Emission.amounts()
	if e := uint64(c.out.Emission); c.out.Epoch > 0 && least <= e && e <= most {
		return
	}
	first, last := c.epochsOf(least, most)
	if !c.dated() && first > 0 && first == last {
		c.out.Epoch, c.out.Emission, c.at = first, c.emissions.Emission(first), c.p.Calendar.StartOf(first)
		return
	}
	if !c.dated() && first > 0 {
		return // several epochs print like that: nothing is wrong, and nothing is known
	}
	if c.out.Epoch == 0 {
		c.out.Emission = exact
	}
	if first > 0 {
		c.other = append(c.other, otherEmission{c.emissions.Emission(first), first})
	}
	c.other = append(c.other, otherEmission{amount: exact})
	f := Finding{Constant: ConstEmission, Printed: c.r.Emission.decimal(), Epoch: first}
	if c.out.Epoch > 0 {
		f = f.wants(c.out.Emission.Decimal())
	}
	switch {
	case first == 0:
		f.Note = note + "no epoch emits this"
	case first == last:
		f.Note = fmt.Sprintf("%sepoch %d emits this, %s", note, first, c.p.Calendar.StartOf(first).Format(time.RFC3339))
	default:
		f.Note = fmt.Sprintf("%sepochs %d to %d emit this", note, first, last)
	}
	c.find(f)
}

// epochsOf returns the first and the last epoch whose emission is from least to most, 0 if there is none. It looks at
// every epoch: a schedule need not fall to the unit.
func (c *blockAuditing) epochsOf(least, most uint64) (first, last Epoch) {
	for k := Epoch(1); k <= c.emissions.Epochs(); k++ {
		if e := uint64(c.emissions.Emission(k)); least <= e && e <= most {
			if first == 0 {
				first = k
			}
			last = k
		}
	}
	return first, last
}
