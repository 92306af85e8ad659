package tokenomics_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// Numbers at the ends of their ranges, and constants that nothing bounds.
func TestAuditorAtTheEnds(t *testing.T) {
	a := newAuditor(t)
	type row = tokenomics.DeviceRecord
	at := publishedRecords(t)[0].At
	const gpu = tokenomics.PoolGPU
	for _, c := range []struct {
		name string
		r    tokenomics.BlockRecord
		want []string
	}{
		{"nothing", tokenomics.BlockRecord{}, []string{}},
		{"a total of nothing", tokenomics.BlockRecord{
			At: at, Pools: []tokenomics.PoolRecord{{Pool: gpu, Total: "0"}}, Rows: []row{{Pool: gpu, Score: "8150", Normalised: "1"}},
		}, []string{"row 1: normalised 1, expected 0, off 1: a total of 43466666667 to 130400000000 would give it"}},
		{"a reward beyond 64 bits", tokenomics.BlockRecord{
			At: at, Pools: []tokenomics.PoolRecord{{Pool: gpu, Total: "1"}}, Rows: []row{{Pool: gpu, Score: "1000000000000150", Reward: "1"}},
		}, []string{"row 1: reward 1, expected 0, off 1: a total of 1823848017080273578 to 7295392068321094308 would give it"}},
		{"scores beyond 64 bits", tokenomics.BlockRecord{
			At: at, Pools: []tokenomics.PoolRecord{{Pool: gpu, Total: "5"}},
			Rows: []row{{Pool: gpu, Score: "18446744073709551550"}, {Pool: gpu, Score: "18446744073709551550"}},
		}, []string{"pool gpu: total score 5, nothing fits: the listed scores alone add up to more"}},
		{"a reward of nothing bounds nothing", tokenomics.BlockRecord{At: at, Rows: []row{{Pool: gpu, Score: "8150", Reward: "0"}}}, []string{}},
		{"a normalised score of nothing", tokenomics.BlockRecord{At: at, Rows: []row{{Pool: gpu, Score: "8150", Normalised: "0"}}}, []string{}},
		{"a reward without a score", tokenomics.BlockRecord{At: at, Rows: []row{{Pool: gpu, Reward: "1"}}}, []string{}},
		{"a row of no pool", tokenomics.BlockRecord{At: at, Rows: []row{{Model: "Voodoo 2", Score: "8150", Reward: "1"}}}, []string{}},
		{"an emission of all bits", tokenomics.BlockRecord{At: at, Emission: "184467440737.0955161"}, []string{
			"block: emission 184467440737.0955161, expected 4559.62004271, off 184467436177.47547339: no epoch emits this",
		}},
		{"after the last epoch", tokenomics.BlockRecord{At: at.AddDate(20, 0, 0), Emission: "400.12944255"}, []string{
			"block: emission 400.12944255, nothing fits: the block is in no epoch of the schedule; epoch 175319 emits this, 2044-06-15T14:00:00Z",
		}},
		{"the last epoch", tokenomics.BlockRecord{At: time.Date(2044, 6, 15, 14, 0, 0, 0, time.UTC), Emission: "400.12944255"}, []string{}},
		{"a reward that no total gives", tokenomics.BlockRecord{
			At: at, Pools: []tokenomics.PoolRecord{{Pool: gpu, Total: "8150"}}, Rows: []row{{Pool: gpu, Score: "8150", Reward: "3647.50000000"}},
		}, []string{"row 1: reward 3647.5, expected 3647.69603416, off -0.19603416: no total gives it"}},
		{"a reward that one total gives", tokenomics.BlockRecord{
			At: at, Pools: []tokenomics.PoolRecord{{Pool: gpu, Total: "8155"}}, Rows: []row{{Pool: gpu, Score: "8150", Reward: "3647.69603416"}},
		}, []string{"row 1: reward 3647.69603416, expected 3645.4595559, off 2.23647826: a total of 8150 to 8150 would give it"}},
		{"a normalised score that needs a total beyond 64 bits", tokenomics.BlockRecord{
			At: at, Pools: []tokenomics.PoolRecord{{Pool: gpu, Total: "18446744073709551610"}},
			Rows: []row{{Pool: gpu, Score: "18446744073709551550", Normalised: "0.00000001"}},
		}, []string{"row 1: normalised 0.00000001, expected 8000000, off -7999999.99999999: a total of 18446744073709551615 to 18446744073709551615 would give it"}},
		{"a multiplier of an unknown model", tokenomics.BlockRecord{At: at, Rows: []row{{Model: "Voodoo 2", Multiplier: "7"}}}, []string{}},
		{"a multiplier of the new column without a date", tokenomics.BlockRecord{Rows: []row{{Model: "NVIDIA RTX A4000", Multiplier: "1.5"}}}, []string{}},
		{"no hour at all, of no date", tokenomics.BlockRecord{Emission: "10000"}, []string{
			"block: emission 10000, nothing fits: no epoch emits this",
		}},
		{"another pool has larger scores", tokenomics.BlockRecord{
			At: at, Pools: []tokenomics.PoolRecord{{Pool: gpu, Total: "8150"}},
			Rows: []row{{Pool: gpu, Score: "8150"}, {Pool: tokenomics.PoolCPU, Score: "100200"}},
		}, []string{}},
		{"hired, and no more is known", tokenomics.BlockRecord{At: at, Rows: []row{{Pool: gpu, Hired: new(bool), Score: "8205"}}}, []string{
			"row 1: hired 1, expected 0, off 1",
		}},
		{"a time that no calendar has", tokenomics.BlockRecord{At: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(800_000, 0, 0)}, []string{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, found := findings(t, a, c.r)
			require.Equal(t, c.want, found)
		})
	}
	p := tokenomics.IONet()
	p.Pools.Eras = p.Pools.Eras[:1]
	p.Pools.Eras[0].Shares = p.Pools.Eras[0].Shares[:1]
	small, err := tokenomics.NewAuditor(p, newSchedule(t, p.Emission))
	require.NoError(t, err)
	audit, found := findings(t, small, tokenomics.BlockRecord{At: at, Rows: []row{{Pool: tokenomics.PoolCPU, Score: "8150"}}})
	require.Equal(t, []string{"pool cpu: pool points 0, nothing fits: no era of the policy has the pool"}, found)
	require.Empty(t, audit.Pools)
	p.Pools.Eras[0].Shares[0].Points = 0
	_, err = tokenomics.NewAuditor(p, newSchedule(t, p.Emission))
	require.ErrorIs(t, err, tokenomics.ErrPools)
}

// A pool that is in two eras has the points of the era of the block, or the printed ones if there is no date.
func TestAuditorChoosesTheEra(t *testing.T) {
	p := tokenomics.IONet()
	p.Pools.Eras[1].Shares = []tokenomics.PoolShare{{Pool: tokenomics.PoolCPU, Points: 1}, {Pool: tokenomics.PoolGPU, Points: 9}}
	a, err := tokenomics.NewAuditor(p, newSchedule(t, p.Emission))
	require.NoError(t, err)
	change := p.Pools.Eras[1].From
	for _, c := range []struct {
		at      time.Time
		printed tokenomics.Printed
		points  uint64
		says    string
	}{
		{change.Add(-1), "", 8_000_000, "[]"},
		{change, "", 9, "[]"},
		{time.Time{}, "", 8_000_000, "[]"},
		{time.Time{}, "8000000", 8_000_000, "[]"},
		{time.Time{}, "9", 9, "[]"},
		{time.Time{}, "7", 8_000_000, "[pool gpu: pool points 7, expected 8000000, off -7999993]"},
		{change.Add(-1), "9", 8_000_000, "[pool gpu: pool points 9, expected 8000000, off -7999991: these are the points of pool gpu from 2025-06-04]"},
		{change, "8000000", 9, "[pool gpu: pool points 8000000, expected 9, off 7999991: these are the points of pool gpu from 2024-06-15]"},
	} {
		r := tokenomics.BlockRecord{At: c.at, Pools: []tokenomics.PoolRecord{{Pool: tokenomics.PoolGPU, Points: c.printed}}}
		audit, found := findings(t, a, r)
		require.Equal(t, c.says, fmt.Sprint(found))
		require.Equal(t, c.points, audit.Pools[0].Points)
	}
}

// Whatever the record says, the audit ends, and says the same again.
func FuzzBlockRecord(f *testing.F) {
	a := newAuditor(f)
	for _, r := range publishedRecords(f) {
		text, err := json.Marshal(r)
		require.NoError(f, err)
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var r tokenomics.BlockRecord
		if json.Unmarshal(text, &r) != nil {
			return
		}
		audit, err := a.AuditBlock(r)
		if err != nil {
			require.ErrorIs(t, err, tokenomics.ErrRecord)
			return
		}
		again, err := a.AuditBlock(r)
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint(audit), fmt.Sprint(again))
		for _, x := range audit.Findings {
			require.True(t, !x.Fits || x.Low.LessThanOrEqual(x.Expected) && x.Expected.LessThanOrEqual(x.High), x.String())
		}
	})
}

func BenchmarkAuditBlock(b *testing.B) {
	a := newAuditor(b)
	r := publishedRecords(b)[0]
	b.Run("rows=3", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := a.AuditBlock(r); err != nil {
				b.Fatal(err)
			}
		}
	})
}
