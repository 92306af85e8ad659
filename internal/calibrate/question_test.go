package calibrate_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/calibrate"
)

const hour = time.Hour

// hourly is a trace with a snapshot every hour from 0 on, but for those left out.
func hourly(t *testing.T, snapshots int, without map[int]bool, nodes ...calibrate.Node) *calibrate.Trace {
	t.Helper()
	var times []int64
	for s := range snapshots {
		if !without[s] {
			times = append(times, int64(s)*3600)
		}
	}
	trace, err := calibrate.NewTrace(times, nodes)
	require.NoError(t, err)
	return trace
}

func node(id uint64, bounds ...int) calibrate.Node {
	n := calibrate.Node{ID: id}
	for i := 0; i < len(bounds); i += 2 {
		n.Up = append(n.Up, calibrate.Interval{From: bounds[i], Until: bounds[i+1]})
	}
	return n
}

// Asked at hour 24 about 24 hours: the horizon's last snapshot is that of hour 48, the first beyond it that of hour 49.
func TestEvaluations(t *testing.T) {
	trace := hourly(t, 60, nil,
		node(1, 0, 60),          // stays
		node(2, 0, 49),          // missing right after the horizon
		node(3, 0, 48),          // missing at the end of the horizon
		node(4, 0, 25),          // missing at once
		node(5, 0, 24),          // is not up when it is asked
		node(6, 24, 60),         // was not seen before
		node(7, 23, 60),         // was, an hour ago
		node(8, 0, 10, 20, 60),  // has had an outage before
		node(9, 0, 30, 31, 60),  // is back after one
		node(10, 25, 60),        // comes later
		node(11, 0, 10, 24, 60), // has just come back
	)
	all := trace.Evaluations(calibrate.Days{From: 0, To: 9}, calibrate.Question{Horizon: 24 * hour})
	require.Len(t, all, 2, "of day 2 the horizon is not over")
	require.Empty(t, all[0].Cases, "nobody was seen before the first snapshot")
	e := all[1]
	require.Equal(t, [3]int{1, 24, 49}, [3]int{e.Day, e.Now, e.End})
	failed := map[uint64]bool{}
	for _, c := range e.Cases {
		failed[trace.Nodes[c.Node].ID] = c.Failed
	}
	require.Equal(t, map[uint64]bool{1: false, 2: false, 3: true, 4: true, 7: false, 8: false, 9: true, 11: false}, failed)
	require.Equal(t, int64(24*3600), e.Cases[0].Observed)
	require.True(t, e.Cases[0].Newcomer())
	require.False(t, calibrate.Case{Observed: 72 * 3600}.Newcomer())
	require.True(t, calibrate.Case{Observed: 72*3600 - 1}.Newcomer())
}

// Six hours between two snapshots are observed, more are not, and a horizon with such a gap is not asked about.
func TestGaps(t *testing.T) {
	long := map[int]bool{}
	for s := 31; s < 37; s++ { // from 30 to 37: seven hours
		long[s] = true
	}
	q := calibrate.Question{Horizon: 24 * hour}
	trace := hourly(t, 130, long, node(1, 0, 124))
	var days []int
	var observed []int64
	for _, e := range trace.Evaluations(calibrate.Days{From: 0, To: 9}, q) {
		days = append(days, e.Day)
		for _, c := range e.Cases {
			observed = append(observed, c.Observed/3600)
		}
	}
	require.Equal(t, []int{0, 2, 3, 4}, days)
	require.Equal(t, []int64{41, 65, 89}, observed, "seven hours less")
	delete(long, 36) // six hours
	trace = hourly(t, 130, long, node(1, 0, 125))
	require.Len(t, trace.Evaluations(calibrate.Days{From: 0, To: 9}, q), 5)
}

// The uptime of a horizon of 10 hours is at the border of 90 %: a step with one end up counts half.
func TestSLO(t *testing.T) {
	trace := hourly(t, 40, nil,
		node(1, 0, 40),                 // 100 %
		node(2, 0, 26, 27, 40),         // misses one snapshot inside: 9 of 10 hours
		node(3, 0, 34),                 // down at the last: 9.5
		node(4, 0, 33),                 // down at the last two: 8.5
		node(5, 0, 26, 27, 34, 36, 40), // 8.5
		node(6, 0, 35),                 // down after the horizon
	)
	failed := func(slo uint32) (out []bool) {
		e := trace.Evaluations(calibrate.Days{From: 1, To: 2}, calibrate.Question{Horizon: 10 * hour, SLOPPM: slo})[0]
		require.Equal(t, [2]int{24, 35}, [2]int{e.Now, e.End})
		for _, c := range e.Cases {
			out = append(out, c.Failed)
		}
		return out
	}
	require.Equal(t, []bool{false, false, false, true, true, false}, failed(900_000))
	require.Equal(t, []bool{false, true, false, true, true, false}, failed(900_001))
	require.Equal(t, []bool{false, true, true, true, true, false}, failed(950_001))
}

func TestParseDays(t *testing.T) {
	d, err := calibrate.ParseDays("14-74")
	require.NoError(t, err)
	require.Equal(t, calibrate.Days{From: 14, To: 74}, d)
	require.Equal(t, "14-74", d.String())
	for _, s := range []string{"", "14", "74-14", "14-14", "-1-4", "a-b", "1-2-3", "1-99999999999"} {
		_, err := calibrate.ParseDays(s)
		require.ErrorIs(t, err, calibrate.ErrInvalid, s)
	}
}
