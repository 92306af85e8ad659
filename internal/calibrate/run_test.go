package calibrate_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/calibrate"
	"github.com/idlegrid/idlegrid/reputation"
)

func config() calibrate.Config {
	return calibrate.Config{
		Fit: calibrate.Days{From: 10, To: 24}, Test: calibrate.Days{From: 25, To: 32}, Question: calibrate.Question{Horizon: 24 * hour},
	}
}

func predictions(t *testing.T, r *calibrate.Result) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, r.WritePredictions(&b))
	return b.String()
}

// Everything that is written has the same bytes on one processor and on several.
func TestDeterminism(t *testing.T) {
	all := func(procs int) (digest [32]byte) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		r, err := calibrate.Run(calibrate.Generate(3, 400, 34), config())
		require.NoError(t, err)
		var b bytes.Buffer
		require.NoError(t, r.Report(&b))
		require.NoError(t, r.WritePredictions(&b))
		require.NoError(t, calibrate.WriteParams(&b, r.Params))
		require.NoError(t, r.Diagram(&b))
		_, err = r.Clusters(&b, reputation.DefaultFrailty())
		require.NoError(t, err)
		return sha256.Sum256(b.Bytes())
	}
	require.Equal(t, all(1), all(4))
}

// A record that ends sooner gives the same predictions for all days that it can judge: nothing looks ahead.
func TestCutRecord(t *testing.T) {
	trace := calibrate.Generate(4, 300, 34)
	whole, err := calibrate.Run(trace, config())
	require.NoError(t, err)
	cut, err := calibrate.Run(trace.Cut(29*24), config())
	require.NoError(t, err)
	require.Less(t, len(cut.Test), len(whole.Test))
	short, long := predictions(t, cut), predictions(t, whole)
	require.Greater(t, len(short), 10_000)
	require.True(t, strings.HasPrefix(long, short))
	require.Equal(t, whole.Params, cut.Params)
}

// Fit days that reach into the test days are refused, and so are their horizons.
func TestNoLookAhead(t *testing.T) {
	trace := calibrate.Generate(5, 200, 34)
	c := config()
	c.Fit.To = 26
	_, err := calibrate.Run(trace, c)
	require.ErrorIs(t, err, calibrate.ErrInvalid)
	require.ErrorContains(t, err, "fit days 10-26 do not end before test days 25-32")
	c = config()
	c.Question.Horizon = 72 * hour
	r, err := calibrate.Run(trace, c)
	require.NoError(t, err)
	require.Equal(t, 12, r.FitDays, "of days 10 to 24 the last two reach into day 25")
}

func TestRunRefuses(t *testing.T) {
	trace := calibrate.Generate(5, 50, 34)
	for says, change := range map[string]func(*calibrate.Config){
		"horizon 0s":            func(c *calibrate.Config) { c.Question.Horizon = 0 },
		"horizon 1.5s":          func(c *calibrate.Config) { c.Question.Horizon = 1500 * time.Millisecond },
		"horizon 9000h":         func(c *calibrate.Config) { c.Question.Horizon = 9000 * hour },
		"SLO of 1000001":        func(c *calibrate.Config) { c.Question.SLOPPM = 1_000_001 },
		"0 test days 90-99":     func(c *calibrate.Config) { c.Test = calibrate.Days{From: 90, To: 99} },
		"0 fit days 24-25":      func(c *calibrate.Config) { c.Fit, c.Question.Horizon = calibrate.Days{From: 24, To: 25}, 48*hour },
		"nothing to fit to":     func(c *calibrate.Config) { c.Fit = calibrate.Days{From: 1, To: 2} },
		"test days 25-32 can":   func(c *calibrate.Config) { c.Question.Horizon = 600 * hour },
		"fit days 10-24 and 0 ": func(c *calibrate.Config) { c.Test = calibrate.Days{From: 33, To: 40} },
	} {
		c := config()
		change(&c)
		_, err := calibrate.Run(trace, c)
		require.ErrorIs(t, err, calibrate.ErrInvalid, says)
		require.ErrorContains(t, err, says)
	}
}

// One row for every case of the test days, newcomers included, by time and node.
func TestPredictions(t *testing.T) {
	trace := calibrate.Generate(6, 200, 34)
	r, err := calibrate.Run(trace, config())
	require.NoError(t, err)
	rows, err := csv.NewReader(strings.NewReader(predictions(t, r))).ReadAll()
	require.NoError(t, err)
	require.Equal(t, []string{"snapshot_time", "node", "probability_up_for_horizon"}, rows[0])
	cases := 0
	for _, e := range trace.Evaluations(config().Test, config().Question) {
		for _, c := range e.Cases {
			cases++
			require.Equal(t, fmt.Sprint(trace.Times[e.Now]), rows[cases][0])
			require.Equal(t, fmt.Sprint(trace.Nodes[c.Node].ID), rows[cases][1])
			require.Regexp(t, `^[01]\.\d{9}$`, rows[cases][2])
		}
	}
	require.Len(t, rows, cases+1)
	require.Equal(t, cases, len(r.Score.P)+len(r.Newcomers.P))
}

// What is written as parameters makes a book that gives the predictions.
func TestParamsRoundTrip(t *testing.T) {
	trace := calibrate.Generate(7, 200, 34)
	r, err := calibrate.Run(trace, config())
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, calibrate.WriteParams(&b, r.Params))
	var p reputation.Params
	require.NoError(t, json.Unmarshal(b.Bytes(), &p))
	require.Equal(t, r.Params, p)
	// The weather of a test day comes from the days before it.
	fit := trace.Evaluations(config().Fit, config().Question)
	require.NoError(t, trace.Replay(p, slices.Concat(fit, r.Test), 24*hour, func(e int, score func(int) reputation.Score) {
		if e -= len(fit); e < 0 {
			return
		}
		for c := range r.Test[e].Cases {
			require.Equal(t, r.Up[e][c], score(c).UpPPM)
		}
	}))
	p.Memories = nil
	require.ErrorIs(t, trace.Replay(p, r.Test, 24*hour, nil), reputation.ErrInvalid)
}

// A question about uptime is answered through a scale that was fitted on the fit days, in the order of the book's answers.
func TestUptimeQuestion(t *testing.T) {
	trace := calibrate.Generate(8, 400, 34)
	c := config()
	r, err := calibrate.Run(trace, c)
	require.NoError(t, err)
	c.Question.SLOPPM = 900_000
	slo, err := calibrate.Run(trace, c)
	require.NoError(t, err)
	require.Equal(t, r.Params, slo.Params, "the book learns of outages")
	require.Less(t, slo.Compared[0].Base, r.Compared[0].Base)
	require.Positive(t, slo.Compared[0].BSS)
	for i, p := range r.Score.P {
		for j := i + 1; j < min(i+20, len(r.Score.P)); j++ {
			if p < r.Score.P[j] {
				require.LessOrEqual(t, slo.Score.P[i], slo.Score.P[j])
			}
		}
	}
}

// Clusters are cut from the better half, in order, no node twice, and each reaches the target by the core's own model.
func TestClusters(t *testing.T) {
	trace := calibrate.Generate(9, 800, 34)
	r, err := calibrate.Run(trace, config())
	require.NoError(t, err)
	var b bytes.Buffer
	all, err := r.Clusters(&b, reputation.DefaultFrailty())
	require.NoError(t, err)
	rows, err := csv.NewReader(&b).ReadAll()
	require.NoError(t, err)
	require.Equal(t, []string{"snapshot_time", "k", "cluster", "node"}, rows[0])
	model, err := reputation.NewClusterModel(reputation.DefaultFrailty())
	require.NoError(t, err)
	up := map[string]uint32{}
	for e, ev := range r.Test {
		for c, v := range ev.Cases {
			up[fmt.Sprint(trace.Times[ev.Now], " ", trace.Nodes[v.Node].ID)] = r.Up[e][c]
		}
	}
	count, spares, used := map[int]int{}, map[int]int{}, map[string]int{}
	for i := 1; i < len(rows); {
		var members []reputation.Member
		from, last := i, 0
		for ; i < len(rows) && strings.Join(rows[i][:3], ",") == strings.Join(rows[from][:3], ","); i++ {
			n, err := strconv.Atoi(rows[i][3])
			require.NoError(t, err)
			require.Greater(t, n, last)
			last = n
			ppm, is := up[rows[i][0]+" "+rows[i][3]]
			require.True(t, is)
			members = append(members, reputation.Member{UpPPM: ppm})
			used[rows[i][0]+" "+rows[i][1]]++
		}
		k, err := strconv.Atoi(rows[from][1])
		require.NoError(t, err)
		require.GreaterOrEqual(t, model.AtLeast(members, k), uint32(calibrate.Target))
		require.Less(t, model.AtLeast(members[:len(members)-1], k), uint32(calibrate.Target), "none too many")
		count[k]++
		spares[k] += len(members) - k
	}
	require.Len(t, all, 3)
	for d, e := range r.Test {
		from, to := r.Score.Day[d], len(r.Score.P)
		if d+1 < len(r.Test) {
			to = r.Score.Day[d+1]
		}
		half := (to - from) / 2
		n := used[fmt.Sprint(trace.Times[e.Now], " 8")]
		require.True(t, n <= half && n > half-12, "all of the better half but a rest: %d of %d", n, half)
	}
	for _, c := range all {
		require.Equal(t, c.Clusters, count[c.K])
		require.Equal(t, c.Spares, spares[c.K])
		require.GreaterOrEqual(t, 100*c.Kept, 97*c.Clusters)
	}
	_, err = r.Clusters(io.Discard, reputation.Frailty{VariancePPM: 5_000_000})
	require.ErrorIs(t, err, reputation.ErrInvalid)
}

// The made-up record has what a real one has: few failures of the established, many of newcomers, a crowd on one day, and a
// score that is better than the uptime.
func TestGenerate(t *testing.T) {
	trace := calibrate.Generate(1, 1500, 62)
	require.Equal(t, trace, calibrate.Generate(1, 1500, 62))
	require.NotEqual(t, trace.Nodes, calibrate.Generate(2, 1500, 62).Nodes)
	r, err := calibrate.Run(trace, calibrate.Config{
		Fit: calibrate.Days{From: 14, To: 44}, Test: calibrate.Days{From: 45, To: 60}, Question: calibrate.Question{Horizon: 24 * hour},
	})
	require.NoError(t, err)
	rows := map[string]calibrate.Metrics{}
	for _, row := range r.Compared {
		rows[row.Name] = row.Metrics
	}
	require.InDelta(t, 0.035, rows["score"].Base, 0.01)
	require.Greater(t, r.Beginners.Base, 0.2)
	require.Greater(t, rows["score"].AUC, rows["lifetime uptime"].AUC+0.03)
	require.Greater(t, rows["score"].BSS, rows["EWMA uptime 168h"].BSS+0.03)
	require.Less(t, rows["score"].ECE, 0.01)
	worst := 0.0
	for d, from := range r.Score.Day {
		failed, to := 0.0, len(r.Score.Y)
		if d+1 < len(r.Score.Day) {
			to = r.Score.Day[d+1]
		}
		for _, y := range r.Score.Y[from:to] {
			if y {
				failed++
			}
		}
		worst = max(worst, failed/float64(to-from))
	}
	require.Greater(t, worst, 1.5*rows["score"].Base, "weather")
	most := 0
	for _, e := range trace.Evaluations(calibrate.Days{From: 25, To: 40}, calibrate.Question{Horizon: hour}) {
		most = max(most, len(e.Cases))
	}
	require.Greater(t, most, 2200, "a crowd")
}
