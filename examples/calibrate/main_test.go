package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/golden"
)

func tell(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	require.NoError(t, run(args, &out, &errs))
	require.Empty(t, errs.String())
	return out.String()
}

// What is told without flags is in testdata.
func TestCalibrate(t *testing.T) {
	golden.Check(t, "testdata/calibrate.golden", tell(t))
}

// put writes a small record in which nodes fail at odd distances, the intervals packed.
func put(t *testing.T, dir string) (intervals string) {
	t.Helper()
	var times, up strings.Builder
	times.WriteString("snapshot,unix_time,nodes_up\n")
	for s := range 30 * 24 {
		fmt.Fprintf(&times, "%d,%d,0\n", s, 1_000_000+s*3600)
	}
	up.WriteString("node,up_from_snapshot,up_until_snapshot_exclusive\n")
	for n := range 40 {
		for s, k := n%7, 0; s < 700; k++ {
			until := min(s+20+n*(k%5)*6, 720)
			fmt.Fprintf(&up, "%d,%d,%d\n", n, s, until)
			s = until + 1 + n%3
		}
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "tor_snapshots.csv"), []byte(times.String()), 0o600))
	intervals = filepath.Join(dir, "up.csv.gz")
	f, err := os.Create(intervals)
	require.NoError(t, err)
	defer f.Close()
	w := gzip.NewWriter(f)
	_, err = w.Write([]byte(up.String()))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return intervals
}

// Files are read and written where they are named, and their digests told.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	intervals := put(t, dir)
	told := tell(t, "-intervals", intervals, "-fit-days", "5-20", "-test-days", "21-28", "-horizon", "12h",
		"-out", in("p.csv"), "-params", in("p.json"), "-clusters", in("c.csv"), "-diagram", in("d.svg"))
	for name, head := range map[string]string{
		"p.csv": "snapshot_time,node,probability_up_for_horizon\n2814400,0,0.", "p.json": "{\n  \"version\": \"days 5-20, horizon 12h, geometric mean\"",
		"c.csv": "snapshot_time,k,cluster,node\n", "d.svg": "<svg",
	} {
		data, err := os.ReadFile(in(name))
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(string(data), head), name)
		require.Contains(t, told, fmt.Sprintf("sha256 %x  %s\n", sha256.Sum256(data), name))
	}
	require.Contains(t, tell(t, "-intervals", intervals, "-snapshots", in("tor_snapshots.csv"), "-fit-days", "5-20", "-test-days", "21-27",
		"-horizon", "24h", "-slo", "0.95"), "uptime below 95.00 % over the next 24 h?")
}

func TestLANLFiles(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, os.WriteFile(in("s.csv"), []byte("system,nodes,origin,days,fit_days\n1,16,2000-01-01T00:00,400,200\n"), 0o600))
	var b strings.Builder
	b.WriteString("system,node,start\n")
	for m := range 12 {
		for n := range m + 1 {
			fmt.Fprintf(&b, "1,%d,2000-%02d-%02dT01:00\n", n, m+1, n+3)
		}
	}
	require.NoError(t, os.WriteFile(in("f.csv"), []byte(b.String()), 0o600))
	told := tell(t, "-failures", in("f.csv"), "-systems", in("s.csv"), "-out", in("l.csv"))
	require.Contains(t, told, "Los Alamos National Laboratory")
	data, err := os.ReadFile(in("l.csv"))
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(data), "system,day,node,probability_no_failure_30d\n1,200,0,0."))
	require.Contains(t, told, fmt.Sprintf("%x", sha256.Sum256(data)))
	require.Contains(t, tell(t, "-failures", in("f.csv"), "-systems", in("s.csv")), "better half")
}

func TestBadFlags(t *testing.T) {
	dir := t.TempDir()
	for says, args := range map[string][]string{
		"not defined: -price":       {"-price", "1"},
		`unexpected argument "now"`: {"now"},
		"SLO 1.5 is no share":       {"-slo", "1.5"},
		"SLO NaN is no share":       {"-slo", "NaN"},
		"belong together":           {"-failures", "x"},
		`days "3"`:                  {"-fit-days", "3"},
		`days "4-4"`:                {"-test-days", "4-4"},
		"no-such-file":              {"-intervals", filepath.Join(dir, "no-such-file")},
		"nor-this":                  {"-failures", filepath.Join(dir, "nor-this"), "-systems", "x"},
		"horizon -1h0m0s":           {"-horizon", "-1h"},
	} {
		err := run(args, io.Discard, io.Discard)
		require.ErrorContains(t, err, says)
	}
	require.Error(t, run([]string{"-out", filepath.Join(dir, "none", "p.csv")}, io.Discard, io.Discard), "a folder that is not there")
}
