package calibrate_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/calibrate"
)

const systems = "system,nodes,origin,days,fit_days\n1,16,2000-01-01T12:00,300,150\n2,15,2000-01-01T12:00,300,150\n3,16,2000-01-01T12:00,299,150\n"

// rows is a record in which node n of system 1 fails every n+5 days.
func rows() string {
	var b strings.Builder
	b.WriteString("system,node,start,down_minutes,cause\n2,0,2000-01-02T12:00,5,Software\n")
	origin := time.Date(2000, 1, 1, 12, 0, 0, 0, time.UTC)
	for n := range 16 {
		for d := n + 5; d < 300; d += n*n/4*5/2 + n + 5 {
			fmt.Fprintf(&b, "1,%d,%s,60,Hardware\n", n, origin.Add(time.Duration(d)*24*time.Hour).Format("2006-01-02T15:04"))
		}
	}
	return b.String()
}

func read(t *testing.T) []calibrate.System {
	t.Helper()
	s, err := calibrate.ReadLANL(strings.NewReader(rows()), strings.NewReader(systems))
	require.NoError(t, err)
	return s
}

// Only systems of 16 nodes and 300 days are asked about; every tenth day from 60 on, if 30 more are on record.
func TestLANL(t *testing.T) {
	s := read(t)
	require.Len(t, s, 1)
	p, err := calibrate.FitLANL(s, []time.Duration{90 * 24 * hour, 365 * 24 * hour}, "x")
	require.NoError(t, err)
	cases, err := calibrate.PredictLANL(s, p)
	require.NoError(t, err)
	require.Len(t, cases, 16*13, "days 150 to 270")
	require.Equal(t, [3]int{1, 150, 0}, [3]int{cases[0].System, cases[0].Day, cases[0].Node})
	require.Equal(t, [3]int{1, 270, 15}, [3]int{cases[207].System, cases[207].Day, cases[207].Node})
	require.Less(t, cases[0].UpPPM, cases[14].UpPPM, "who failed often is expected to")
	require.True(t, cases[0].Failed, "every five days")
	var b bytes.Buffer
	require.NoError(t, calibrate.WriteLANL(&b, cases))
	require.Regexp(t, `^system,day,node,probability_no_failure_30d\n1,150,0,0\.\d{9}\n1,150,1,`, b.String())
	require.NoError(t, calibrate.ReportLANL(&b, s, p, cases))
	require.Contains(t, b.String(), "Los Alamos National Laboratory")
}

// What happens on a test day or later does not change its prediction, nor the fit.
func TestLANLNoLookAhead(t *testing.T) {
	s := read(t)
	lives := []time.Duration{90 * 24 * hour}
	p, err := calibrate.FitLANL(s, lives, "x")
	require.NoError(t, err)
	all, err := calibrate.PredictLANL(s, p)
	require.NoError(t, err)
	more := rows() + "1,14,2000-07-09T12:01,60,Hardware\n" // day 190, a minute after it began
	late, err := calibrate.ReadLANL(strings.NewReader(more), strings.NewReader(systems))
	require.NoError(t, err)
	q, err := calibrate.FitLANL(late, lives, "x")
	require.NoError(t, err)
	require.Equal(t, p, q)
	same := rows() + "1,0,2000-04-30T12:01,60,Hardware\n" // day 120, the last that is fitted to; it would have failed anyway
	again, err := calibrate.ReadLANL(strings.NewReader(same), strings.NewReader(systems))
	require.NoError(t, err)
	q, err = calibrate.FitLANL(again, lives, "x")
	require.NoError(t, err)
	require.Equal(t, p, q)
	got, err := calibrate.PredictLANL(late, p)
	require.NoError(t, err)
	for i, c := range all {
		require.Equal(t, c.Node == 14 && c.Day >= 200, got[i].UpPPM != c.UpPPM, "%+v", c)
		if c.Node == 14 && c.Day > 160 && c.Day <= 190 {
			require.True(t, got[i].Failed)
		}
	}
}

func TestLANLRefuses(t *testing.T) {
	for _, c := range []struct{ failures, systems, says string }{
		{rows() + "1,16,2000-02-01T00:00,1,\n", systems, "the system has 16 nodes"},
		{rows() + "9,1,2000-02-01T00:00,1,\n", systems, "failure"},
		{rows() + "1,1,1999-02-01T00:00,1,\n", systems, "failure"},
		{rows() + "1,1,soon,1,\n", systems, "failure"},
		{rows(), systems + "1,16,2000-01-01T12:00,300,150\n", "system 1 is there twice"},
		{rows(), systems + "4,x,2000-01-01T12:00,300,150\n", `"x" is no number`},
		{rows(), systems + "4,16,noon,300,150\n", `"noon" is no time`},
		{"", systems, "failures: empty"},
	} {
		_, err := calibrate.ReadLANL(strings.NewReader(c.failures), strings.NewReader(c.systems))
		require.ErrorContains(t, err, c.says)
	}
	_, err := calibrate.FitLANL(nil, []time.Duration{hour}, "x")
	require.ErrorIs(t, err, calibrate.ErrInvalid)
}
