package tokenomics_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/golden"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// publishedRecords reads the records that io.net's documentation shows.
func publishedRecords(t testing.TB) []tokenomics.BlockRecord {
	t.Helper()
	text, err := os.ReadFile("testdata/records.json")
	require.NoError(t, err)
	var file struct{ Blocks []tokenomics.BlockRecord }
	require.NoError(t, json.Unmarshal(text, &file))
	require.Len(t, file.Blocks, 3)
	return file.Blocks
}

func newAuditor(t testing.TB) *tokenomics.Auditor {
	t.Helper()
	p := tokenomics.IONet()
	a, err := tokenomics.NewAuditor(p, newSchedule(t, p.Emission))
	require.NoError(t, err)
	return a
}

// findings renders what an audit found.
func findings(t testing.TB, a *tokenomics.Auditor, r tokenomics.BlockRecord) (tokenomics.BlockAudit, []string) {
	t.Helper()
	audit, err := a.AuditBlock(r)
	require.NoError(t, err)
	out := []string{}
	for _, f := range audit.Findings {
		out = append(out, f.String())
	}
	return audit, out
}

func TestPublishedRecords(t *testing.T) {
	a := newAuditor(t)
	records := publishedRecords(t)
	june20, found := findings(t, a, records[0])
	require.Empty(t, found)
	require.Equal(t, tokenomics.Epoch(105), june20.Epoch)
	require.Equal(t, "4559.62004271", june20.Emission.String())
	require.Equal(t, []tokenomics.PoolAudit{{
		PoolBudget: tokenomics.PoolBudget{Pool: tokenomics.PoolGPU, Points: 8_000_000, Amount: 364_769_603_416},
		Witnesses:  6, Low: 415_972_440, High: 415_972_444, Total: 415_972_440,
	}}, june20.Pools)
	for i, row := range june20.Rows {
		for _, c := range []tokenomics.AuditCheck{row.Score, row.Normalised, row.Reward} {
			require.Equal(t, tokenomics.Agrees, c.Verdict, "row %d", i+1)
		}
		require.True(t, row.Score.Expected.Equal(row.Score.Printed))
		require.True(t, row.Reward.Expected.Equal(row.Reward.Printed), "to 1e-8")
		require.True(t, row.Normalised.Expected.Round(3).Equal(row.Normalised.Printed))
	}

	june9, found := findings(t, a, records[1])
	require.Equal(t, []string{
		"block: emission 10000, nothing fits: the block is in no epoch of the schedule; no epoch emits this",
	}, found)
	require.Equal(t, tokenomics.Agrees, june9.Rows[0].Score.Verdict)
	require.Equal(t, "1020", june9.Rows[0].Score.Expected.String(), "version 1, the tenth of 10,205")
	require.Equal(t, tokenomics.Agrees, june9.Rows[0].Reward.Verdict)
	require.Equal(t, [2]uint64{42_789_723, 42_823_405}, [2]uint64{june9.Pools[0].Low, june9.Pools[0].High})

	_, found = findings(t, a, records[2])
	require.Equal(t, []string{
		"row 1: normalised 569, expected 566.96, off 2.04: a total of 114486392 to 114687774 would give it",
	}, found)
}

// The intervals of the totals, by trying every total around.
func TestTotalsAgainstEveryTotal(t *testing.T) {
	a := newAuditor(t)
	r := publishedRecords(t)[0]
	for _, use := range [][3]bool{{true, false, false}, {false, true, false}, {true, true, false}, {false, true, true}} {
		r := r
		r.Rows = append([]tokenomics.DeviceRecord(nil), r.Rows...)
		for i := range r.Rows {
			r.Rows[i].Normalised = ""
			if !use[i] {
				r.Rows[i].Reward = ""
			}
		}
		audit, found := findings(t, a, r)
		require.Empty(t, found)
		p := audit.Pools[0]
		fits := func(total uint64) bool {
			for i, d := range r.Rows {
				if score := audit.Rows[i].Score.Printed.BigInt(); use[i] {
					n := new(big.Int).Mul(big.NewInt(364_769_603_416), score)
					n.Quo(n, new(big.Int).SetUint64(total))
					if decimal.NewFromBigInt(n, -8).StringFixed(8) != string(d.Reward) {
						return false
					}
				}
			}
			return true
		}
		for total := p.Low - 300; total < p.High+300; total++ {
			require.Equal(t, p.Low <= total && total <= p.High, fits(total), "%v %d", use, total)
		}
	}
}

func TestAuditorExplains(t *testing.T) {
	a := newAuditor(t)
	type record = tokenomics.BlockRecord
	total := func(text string) func(r *record) {
		return func(r *record) {
			r.Pools = []tokenomics.PoolRecord{{Pool: tokenomics.PoolGPU, Total: tokenomics.Printed(text)}}
		}
	}
	yes := true
	var verdicts strings.Builder // how every figure of every row came out
	for _, c := range []struct {
		name  string
		spoil func(r *record)
		want  []string
	}{
		{"nothing", func(*record) {}, []string{}},
		{"the total that fits", total("415972440"), []string{}},
		{"the last total that fits", total("415972444"), []string{}},
		{"a total one too small", total("415972439"), []string{
			"pool gpu: total score 415972439, expected 415972440, off -1, fits 415972440 to 415972444: 6 printed figures agree on this interval, whose only multiple of 5 is 415972440",
		}},
		{"a total one too large", total("415972445"), []string{
			"pool gpu: total score 415972445, expected 415972444, off 1, fits 415972440 to 415972444: 6 printed figures agree on this interval, whose only multiple of 5 is 415972440",
		}},
		{"the total that circulates", total("415972385"), []string{
			"pool gpu: total score 415972385, expected 415972440, off -55, fits 415972440 to 415972444: 6 printed figures agree on this interval, whose only multiple of 5 is 415972440",
		}},
		{"a score that is a tenth", func(r *record) { r.Rows[0].Score = "10020" }, []string{
			"row 1: score factor 10, expected 100, off -90: base score 10020, expected 100200",
		}},
		{"version 2 before its time", func(r *record) {
			*r = publishedRecords(t)[1]
			r.Emission, r.Rows[0].Reward, r.Rows[0].Score = "", "", "10205"
		}, []string{"row 1: score factor 100, expected 10, off 90: base score 10205, expected 1020"}},
		{"the other tier", func(r *record) { r.Rows[2].Connectivity = 3 }, []string{
			"row 3: connectivity 1, expected 3, off -2: base score 30050, expected 30150",
		}},
		{"five points for being hired", func(r *record) { r.Rows[1].Score = "8205" }, []string{
			"row 2: hired 1, expected 0, off 1: base score 8205, expected 8200",
		}},
		{"hired without the five points", func(r *record) { r.Rows[1].Hired = &yes }, []string{
			"row 2: hired 0, expected 1, off -1: base score 8200, expected 8205",
		}},
		{"one processor too many", func(r *record) { r.Rows[2].Quantity = 5 }, []string{
			"row 3: quantity 6, expected 5, off 1: base score 30050, expected 25050",
		}},
		{"the other column in the score", func(r *record) { r.Rows[1].Score = "30200" }, []string{
			"row 2: multiplier column 1.5, expected 0.4, off 1.1: it is of the new column, which does not hold yet",
		}},
		{"the other column as printed", func(r *record) { r.Rows[1].Multiplier, r.Rows[1].Score = "1.5", "30200" }, []string{
			"row 2: multiplier column 1.5, expected 0.4, off 1.1: it is of the new column, which does not hold yet",
		}},
		{"a multiplier of no column", func(r *record) { r.Rows[1].Multiplier, r.Rows[1].Score = "0.6", "12200" }, []string{
			"row 2: multiplier 0.6, expected 0.4, off 0.2: neither column of the table has it",
		}},
		{"a multiplier of no column, in the score", func(r *record) { r.Rows[1].Score = "12200" }, []string{
			"row 2: multiplier 0.6, expected 0.4, off 0.2: base score 12200, expected 8200",
		}},
		{"a weight of neither", func(r *record) { r.Rows[2].Score = "30250" }, []string{
			"row 3: score 1.51, expected 1.5, off 0.01: multiplier times quantity",
		}},
		{"no base score at all", func(r *record) { r.Rows[0].Score = "100201" }, []string{
			"row 1: score 100201, expected 100200, off 1: it is a base score of neither version",
		}},
		{"the hour after", func(r *record) { r.Emission = "4559.557" }, []string{
			"block: emission 4559.557, expected 4559.62004271, off -0.06304271: epoch 106 emits this, 2024-06-20T01:00:00Z",
		}},
		{"no hour at all", func(r *record) { r.Emission = "4559.590" }, []string{
			"block: emission 4559.59, expected 4559.62004271, off -0.03004271: no epoch emits this",
		}},
		{"hours without end", func(r *record) { r.Emission = "4558" }, []string{
			"block: emission 4558, expected 4559.62004271, off -1.62004271: epochs 115 to 138 emit this",
		}},
		{"points of the later era", func(r *record) {
			r.Pools = []tokenomics.PoolRecord{{Pool: tokenomics.PoolGPU, Points: "9500000", Total: "415972440"}}
		}, []string{
			"pool gpu: pool points 9500000, expected 8000000, off 1500000: these are the points of pool enterprise from 2025-06-04",
		}},
		{"rows by the points of the later era", total("493967275"), []string{
			"pool gpu: pool points 9500000, expected 8000000, off 1500000: the rows were computed by the points of pool enterprise",
		}},
		{"one reward of three", func(r *record) { r.Rows[0].Reward = "0.87866150" }, []string{
			"row 1: reward 0.8786615, expected 0.8786619, off -0.0000004, fits 0.8786619 to 0.87866193: a total of 415972634 to 415972638 would give it",
		}},
		{"one reward against the total", func(r *record) {
			total("415972440")(r)
			r.Rows[2].Reward = "0.30000000"
		}, []string{"row 3: reward 0.3, expected 0.26351088, off 0.03648912: a total of 365377541 to 365377552 would give it"}},
		{"two rows that contradict each other", func(r *record) {
			r.Rows, r.Rows[1].Reward = r.Rows[:2], "0.08"
		}, []string{"pool gpu: total score 0, nothing fits: no total fits the rows 1, 2 together"}},
		{"a total outvoted, with a tenth", func(r *record) {
			total("415972385")(r)
			r.Rows[1].Score, r.Rows[2].Hired = "820", nil
		}, []string{
			"row 2: score factor 10, expected 100, off -90: base score 820, expected 8200",
			"pool gpu: total score 415972385, expected 415972440, off -55, fits 415972440 to 415972444: 6 printed figures agree on this interval, whose only multiple of 5 is 415972440",
		}},
		{"a tenth beside one that may be hired", func(r *record) {
			r.Rows[1].Score, r.Rows[1].Hired, r.Rows[2].Score = "8205", nil, "3005"
			r.Rows[1].Normalised, r.Rows[1].Reward = "157.799", "0.07195030"
		}, []string{"row 3: score factor 10, expected 100, off -90: base score 3005, expected 30050"}},
		{"a total of version 1", func(r *record) {
			total("42789722")(r)
			r.At, r.Emission = r.At.Add(-time.Hour), ""
			r.Rows[0].Score, r.Rows[0].Normalised, r.Rows[0].Reward = "10020", "1927.051", ""
			r.Rows[1].Score, r.Rows[1].Normalised, r.Rows[1].Reward = "820", "157.703", ""
			r.Rows = r.Rows[:2]
		}, []string{
			"pool gpu: total score 42789722, expected 41597249, off 1192473, fits 41597228 to 41597249: 2 printed figures agree on this interval",
		}},
		{"less than the rows have", func(r *record) {
			total("138449")(r)
			for i := range r.Rows {
				r.Rows[i].Normalised, r.Rows[i].Reward = "", ""
			}
		}, []string{
			"pool gpu: total score 138449, expected 138450, off -1, fits 138450 to 18446744073709551615: the listed scores alone add up to more",
		}},
		{"a pool that never was", func(r *record) {
			r.Rows = r.Rows[:1]
			r.Rows[0].Pool, r.Rows[0].Normalised, r.Rows[0].Reward = tokenomics.PoolCommunity, "", ""
			r.Pools = []tokenomics.PoolRecord{{Pool: tokenomics.PoolCommunity, Points: "500001"}}
		}, []string{"pool community: pool points 500001, expected 500000, off 1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := publishedRecords(t)[0]
			c.spoil(&r)
			audit, found := findings(t, a, r)
			require.Equal(t, c.want, found)
			fmt.Fprintf(&verdicts, "%s:", c.name)
			for _, row := range audit.Rows {
				for _, x := range []tokenomics.AuditCheck{row.Score, row.Normalised, row.Reward} {
					fmt.Fprintf(&verdicts, " %s %s,", x.Expected, x.Verdict)
				}
			}
			for _, p := range audit.Pools {
				fmt.Fprintf(&verdicts, " %s %d of %d to %d by %d", p.Pool, p.Total, p.Low, p.High, p.Witnesses)
			}
			verdicts.WriteByte('\n')
		})
	}
	golden.Check(t, "testdata/audits.golden", verdicts.String())
}

// A block printed by the library itself, with any constant left out, has nothing to find and is dated by its emission.
func TestAuditorInfers(t *testing.T) {
	a := newAuditor(t)
	r := publishedRecords(t)[0]
	r.At = time.Time{}
	audit, found := findings(t, a, r)
	require.Empty(t, found)
	require.Equal(t, tokenomics.Epoch(105), audit.Epoch, "4559.620 is printed by one epoch alone")

	r.Emission = "4560"
	audit, found = findings(t, a, r)
	require.Empty(t, found, "several epochs print like that")
	require.Zero(t, audit.Epoch)

	r.Emission = ""
	for i := range r.Rows {
		r.Rows[i].Multiplier = ""
	}
	audit, found = findings(t, a, r)
	require.Empty(t, found)
	require.Equal(t, 3, audit.Pools[0].Witnesses, "rewards say nothing without an emission")
	require.Equal(t, tokenomics.NotChecked, audit.Rows[0].Reward.Verdict)
	require.Equal(t, tokenomics.Agrees, audit.Rows[0].Normalised.Verdict)

	r.Rows[0].Score = "10020"
	_, found = findings(t, a, r)
	require.NotContains(t, fmt.Sprint(found), "factor", "without a date either version holds")

	r = tokenomics.BlockRecord{Rows: []tokenomics.DeviceRecord{{Model: "NVIDIA RTX A4000", Quantity: 1, Score: "30200"}}}
	_, found = findings(t, a, r)
	require.Empty(t, found, "without a date either column holds")
	r.At = tokenomics.IONet().Multipliers.EarnFrom
	_, found = findings(t, a, r)
	require.Empty(t, found, "the new column")
	r.Rows[0].Score = "8200"
	_, found = findings(t, a, r)
	require.Equal(t, []string{
		"row 1: multiplier column 0.4, expected 1.5, off -1.1: it is of the old column, which no longer holds",
	}, found)
}

// Rows of epoch 106 under the hour of epoch 105: the normalised scores tell which emission was paid.
func TestAuditorNamesTheEmissionOfTheRows(t *testing.T) {
	a := newAuditor(t)
	p := tokenomics.IONet()
	r := publishedRecords(t)[0]
	e := newSchedule(t, p.Emission).Emission(106)
	budgets, err := p.Pools.Divide(e, r.At)
	require.NoError(t, err)
	const total = 415_972_440
	for i := range r.Rows {
		var score uint64
		_, err := fmt.Sscan(string(r.Rows[i].Score), &score)
		require.NoError(t, err)
		reward, err := budgets[0].Amount.MulDiv(score, total, tokenomics.Down)
		require.NoError(t, err)
		r.Rows[i].Reward = tokenomics.Printed(reward.Fixed())
		r.Rows[i].Normalised = tokenomics.Printed(tokenomics.Normalised(score, total, 8_000_000).StringFixed(3))
	}
	r.Pools = []tokenomics.PoolRecord{{Pool: tokenomics.PoolGPU, Total: "415972440"}}
	r.Emission = tokenomics.Printed(e.Fixed())
	audit, found := findings(t, a, r)
	require.Equal(t, []string{
		"block: emission 4559.55672349, expected 4559.62004271, off -0.06331922: epoch 106 emits this, 2024-06-20T01:00:00Z",
		"pool gpu: emission 4559.55672349, expected 4559.62004271, off -0.06331922: the rows were computed by this emission, that of epoch 106",
	}, found)
	require.Equal(t, tokenomics.Epoch(106), audit.Findings[1].Epoch)
	require.Equal(t, tokenomics.Agrees, audit.Rows[0].Reward.Verdict)

	// Without any emission printed: reward / normalised score is emission / 10 million.
	r.Emission = ""
	audit, found = findings(t, a, r)
	require.Equal(t, []string{
		"pool gpu: emission 4559.55672349, expected 4559.62004271, off -0.06331922: the rows were computed by this emission, that of epoch 106",
	}, found)
	require.Equal(t, tokenomics.Epoch(106), audit.Findings[0].Epoch)
	require.Equal(t, uint64(total), audit.Pools[0].Total)
	require.Equal(t, budgets[0].Amount, audit.Pools[0].Amount)
	r.Pools = nil
	audit, found = findings(t, a, r)
	require.Len(t, found, 1)
	require.Equal(t, tokenomics.Epoch(106), audit.Findings[0].Epoch)
	require.Equal(t, uint64(total), audit.Pools[0].Total)
}

// Whatever total the library itself pays by, the auditor finds nothing and its interval holds that total; and a total
// outside the interval is found.
func FuzzAuditBlock(f *testing.F) {
	f.Add(uint64(1), uint64(2), uint8(3), uint32(105))
	f.Add(uint64(7), uint64(2), uint8(9), uint32(20_000))
	a := newAuditor(f)
	p := tokenomics.IONet()
	schedule := newSchedule(f, p.Emission)
	table, err := tokenomics.NewMultiplierTable(p.Multipliers)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, x, y uint64, n uint8, epoch uint32) {
		r := rand.New(rand.NewPCG(x, y))
		k := tokenomics.Epoch(epoch%175_319) + 1
		at := p.Calendar.StartOf(k)
		e := schedule.Emission(k)
		if p.ScoreVersion(at) == tokenomics.ScoreV1 {
			return // totals of version 1 need not be multiples of 5
		}
		record := tokenomics.BlockRecord{At: at, Emission: tokenomics.Printed(e.Fixed())}
		claims := map[tokenomics.Pool]*tokenomics.PoolClaims{}
		var rows []tokenomics.DeviceRecord
		for range 1 + n%12 {
			row := p.Multipliers.Rows[r.IntN(len(p.Multipliers.Rows))]
			m, pool, _ := table.Earning(row.Model, at)
			if pool == tokenomics.NoPool {
				continue
			}
			hired := r.IntN(2) == 0
			d := tokenomics.DeviceRecord{Model: row.Model, Quantity: 1 + r.Uint32N(8), Connectivity: 1 + uint8(r.UintN(4)), Hired: &hired}
			score, err := tokenomics.BaseScore(tokenomics.ScoreInput{
				Version: p.ScoreVersion(at), Connectivity: d.Connectivity, Multiplier: m, Quantity: d.Quantity, Hired: hired,
			})
			require.NoError(t, err)
			if claims[pool] == nil {
				claims[pool] = &tokenomics.PoolClaims{Pool: pool, Others: 5 * r.Uint64N(100_000_000)}
			}
			claims[pool].Shares = append(claims[pool].Shares, tokenomics.Share{ID: fmt.Sprint(len(rows)), Score: score})
			if r.IntN(3) > 0 {
				d.Score = tokenomics.Printed(fmt.Sprint(score))
			}
			rows = append(rows, d)
		}
		var list []tokenomics.PoolClaims
		for pool := tokenomics.PoolGPU; pool <= tokenomics.PoolCommunity; pool++ {
			if claims[pool] != nil {
				list = append(list, *claims[pool])
			}
		}
		block, err := p.Pools.DistributeBlock(e, at, list, nil)
		require.NoError(t, err)
		totals := map[tokenomics.Pool]uint64{}
		for _, pool := range block.Pools {
			totals[pool.Pool] = pool.Total
			for i, w := range pool.Rewards {
				var row int
				_, err := fmt.Sscan(w.ID, &row)
				require.NoError(t, err)
				score := claims[pool.Pool].Shares[i].Score
				rows[row].Reward = tokenomics.Printed(w.Amount.Fixed())
				rows[row].Normalised = tokenomics.Printed(tokenomics.Normalised(score, pool.Total, pool.Points).StringFixed(3))
			}
		}
		record.Rows = rows
		audit, found := findings(t, a, record)
		require.Empty(t, found)
		for _, pool := range audit.Pools {
			total := totals[pool.Pool]
			require.LessOrEqual(t, pool.Low, total)
			require.GreaterOrEqual(t, pool.High, total)
		}
		if len(audit.Pools) > 0 && audit.Pools[0].Witnesses > 1 && audit.Pools[0].High < 1<<60 {
			wrong := audit.Pools[0].High + 1
			record.Pools = []tokenomics.PoolRecord{{Pool: audit.Pools[0].Pool, Total: tokenomics.Printed(fmt.Sprint(wrong))}}
			audit, _ := findings(t, a, record)
			require.Len(t, audit.Findings, 1)
			require.Equal(t, tokenomics.ConstTotalScore, audit.Findings[0].Constant)
			require.Equal(t, "1", audit.Findings[0].Off.String())
		}
	})
}

func TestAuditBlockRefuses(t *testing.T) {
	a := newAuditor(t)
	for _, c := range []struct {
		name  string
		spoil func(r *tokenomics.BlockRecord)
		says  string
	}{
		{"emission", func(r *tokenomics.BlockRecord) { r.Emission = "4,559.620" }, "emission"},
		{"emission too large", func(r *tokenomics.BlockRecord) { r.Emission = "200000000000" }, "emission"},
		{"nine places", func(r *tokenomics.BlockRecord) { r.Emission = "1.123456789" }, "9 decimal places"},
		{"score", func(r *tokenomics.BlockRecord) { r.Rows[1].Score = "x" }, "row 2: score"},
		{"score with places", func(r *tokenomics.BlockRecord) { r.Rows[1].Score = "1020.5" }, "row 2: score"},
		{"normalised", func(r *tokenomics.BlockRecord) { r.Rows[2].Normalised = "-1" }, "row 3: normalised"},
		{"reward", func(r *tokenomics.BlockRecord) { r.Rows[0].Reward = "1e3" }, "row 1: reward"},
		{"multiplier", func(r *tokenomics.BlockRecord) { r.Rows[0].Multiplier = "0.125" }, "row 1: multiplier"},
		{"tier", func(r *tokenomics.BlockRecord) { r.Rows[0].Connectivity = 5 }, "row 1: connectivity tier 5"},
		{"pool of a row", func(r *tokenomics.BlockRecord) { r.Rows[0].Pool = 5 }, "row 1: unknown pool 5"},
		{"no pool", func(r *tokenomics.BlockRecord) { r.Pools = make([]tokenomics.PoolRecord, 1) }, "pool none"},
		{"unknown pool", func(r *tokenomics.BlockRecord) { r.Pools = []tokenomics.PoolRecord{{Pool: 5}} }, "Pool(5)"},
		{"pool twice", func(r *tokenomics.BlockRecord) {
			r.Pools = []tokenomics.PoolRecord{{Pool: tokenomics.PoolCPU}, {Pool: tokenomics.PoolCPU}}
		}, "pool cpu is unknown or comes twice"},
		{"points", func(r *tokenomics.BlockRecord) {
			r.Pools = []tokenomics.PoolRecord{{Pool: tokenomics.PoolCPU, Points: "8M"}}
		}, "pool cpu: points"},
		{"half a total", func(r *tokenomics.BlockRecord) {
			r.Pools = []tokenomics.PoolRecord{{Pool: tokenomics.PoolCPU, Total: "0.5"}}
		}, "pool cpu: points or total with decimal places"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := publishedRecords(t)[0]
			c.spoil(&r)
			audit, err := a.AuditBlock(r)
			require.ErrorIs(t, err, tokenomics.ErrRecord)
			require.ErrorContains(t, err, c.says)
			require.Zero(t, audit)
		})
	}
	p := tokenomics.IONet()
	_, err := tokenomics.NewAuditor(p, nil)
	require.ErrorIs(t, err, tokenomics.ErrAuditor)
	p.Version = ""
	_, err = tokenomics.NewAuditor(p, newSchedule(t, p.Emission))
	require.ErrorIs(t, err, tokenomics.ErrParams)
}
