package calibrate_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/calibrate"
	"github.com/idlegrid/idlegrid/reputation"
)

// record returns a file of the folder reputation in IDLEGRID_DATA: the plain one, or what the program xz makes of the packed one.
func record(t *testing.T, name string) *bytes.Reader {
	t.Helper()
	dir := os.Getenv("IDLEGRID_DATA")
	if dir == "" {
		t.Skip("records are read from the folder reputation in IDLEGRID_DATA, which is not set")
	}
	path := filepath.Join(dir, "reputation", name)
	if data, err := os.ReadFile(path); err == nil {
		return bytes.NewReader(data)
	}
	xz, err := exec.LookPath("xz")
	if err != nil {
		t.Skipf("%s is packed, and there is no program xz", name)
	}
	data, err := exec.CommandContext(t.Context(), xz, "-dc", path+".xz").Output()
	require.NoError(t, err)
	return bytes.NewReader(data)
}

// The score on the relays of Tor, fitted on days before 75 only: better than the geometric mean of three memories, which in turn
// is far ahead of what others use.
func TestTor(t *testing.T) {
	if underRace {
		t.Skip("the record is judged without the race detector")
	}
	trace, err := calibrate.ReadTrace(record(t, "tor_up_intervals_first105d.csv"), record(t, "tor_snapshots.csv"))
	require.NoError(t, err)
	for _, c := range []struct {
		name                 string
		fit                  int
		q                    calibrate.Question
		cases                int
		auc, bss, ece        float64
		newcomers, beginners float64
	}{
		{"24h", 74, calibrate.Question{Horizon: 24 * hour}, 286_737, .874, .267, .004, .20, .03},
		{"6h", 74, calibrate.Question{Horizon: 6 * hour}, 286_737, .910, .241, .002, -.01, .03},
		{"72h", 74, calibrate.Question{Horizon: 72 * hour}, 266_858, .846, .233, .01, .13, .036},
		{"168h", 68, calibrate.Question{Horizon: 168 * hour}, 227_317, .836, .263, .018, .07, .07},
		{"99 % over 168h", 68, calibrate.Question{Horizon: 168 * hour, SLOPPM: 990_000}, 227_317, .831, .248, .016, .08, .065},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := calibrate.Run(trace, calibrate.Config{
				Fit: calibrate.Days{From: 14, To: c.fit}, Test: calibrate.Days{From: 75, To: 104}, Question: c.q,
			})
			require.NoError(t, err)
			rows := map[string]calibrate.Metrics{}
			for _, row := range r.Compared {
				rows[row.Name] = row.Metrics
			}
			m := rows["score"]
			require.Equal(t, c.cases, m.Cases)
			require.GreaterOrEqual(t, m.AUC, c.auc)
			require.GreaterOrEqual(t, m.BSS, c.bss)
			require.LessOrEqual(t, m.ECE, c.ece)
			require.GreaterOrEqual(t, r.Beginners.BSS, c.newcomers)
			require.LessOrEqual(t, r.Beginners.ECE, c.beginners)
			for _, other := range []string{"lifetime uptime", "EWMA uptime 6h", "EWMA uptime 24h", "Wilson bound, 168h", "Beta mean, 168h"} {
				require.Greater(t, m.AUC, rows[other].AUC, other)
				require.Greater(t, m.BSS, rows[other].BSS+.03, other)
			}
			require.Greater(t, m.AUC, rows["geometric mean of three memories"].AUC)
			if c.name == "24h" {
				require.GreaterOrEqual(t, rows["geometric mean of three memories"].AUC, .870)
				require.GreaterOrEqual(t, rows["geometric mean of three memories"].BSS, .258)
				require.LessOrEqual(t, rows["geometric mean of three memories"].ECE, .008)
				require.Equal(t, 6601, r.Beginners.Cases)
				require.LessOrEqual(t, m.Best20, .0045)
				require.InDelta(t, m.BestHalf, m.BestHalfP, .0035)
			}
		})
	}
}

// A record of Tor that ends at day 90 gives the same predictions for every day that it can judge.
func TestTorCut(t *testing.T) {
	trace, err := calibrate.ReadTrace(record(t, "tor_up_intervals_first105d.csv"), record(t, "tor_snapshots.csv"))
	require.NoError(t, err)
	q := calibrate.Question{Horizon: 24 * hour}
	days := calibrate.Days{From: 75, To: 104}
	whole := trace.Evaluations(days, q)
	n := 0
	for trace.Times[n] < trace.Times[0]+90*86_400 {
		n++
	}
	cut := trace.Cut(n)
	short := cut.Evaluations(days, q)
	require.Len(t, short, 14)
	for i, e := range short {
		require.Equal(t, whole[i].Now, e.Now)
		require.Len(t, e.Cases, len(whole[i].Cases))
		for c, v := range e.Cases {
			require.Equal(t, trace.Nodes[whole[i].Cases[c].Node].ID, cut.Nodes[v.Node].ID)
			require.Equal(t, whole[i].Cases[c].Failed, v.Failed)
		}
	}
	require.Equal(t, scored(t, trace, whole[:14], q), scored(t, cut, short, q))
}

// The failures of Los Alamos National Laboratory, which is to be thanked for the record (LA-UR-05-7318).
func TestRealLANL(t *testing.T) {
	s, err := calibrate.ReadLANL(record(t, "lanl_failures_first_half.csv"), record(t, "lanl_systems_first_half.csv"))
	require.NoError(t, err)
	require.Len(t, s, 15)
	p, err := calibrate.FitLANL(s, calibrate.LANLHalfLives(), "x")
	require.NoError(t, err)
	cases, err := calibrate.PredictLANL(s, p)
	require.NoError(t, err)
	require.Len(t, cases, 110_698)
	m := calibrate.MeasureLANL(cases)
	require.InDelta(t, .0772, m.Base, 5e-5)
	require.GreaterOrEqual(t, m.AUC, .73)
	require.GreaterOrEqual(t, m.BSS, .20)
}

// scored is what a book of fixed parameters says of all cases.
func scored(t *testing.T, trace *calibrate.Trace, evals []calibrate.Evaluation, q calibrate.Question) (out []reputation.Score) {
	t.Helper()
	require.NoError(t, trace.Replay(reputation.Weighted(), evals, q.Horizon, func(e int, score func(int) reputation.Score) {
		for c := range evals[e].Cases {
			out = append(out, score(c))
		}
	}))
	return out
}
