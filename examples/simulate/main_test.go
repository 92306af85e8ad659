package main

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/golden"
)

func tell(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	require.NoError(t, run(t.Context(), args, &out, &errs, false))
	require.Empty(t, errs.String(), "no bar where there is no terminal")
	return out.String()
}

// The story without flags is the one in testdata.
func TestSimulate(t *testing.T) {
	golden.Check(t, "testdata/simulate.golden", tell(t))
}

// All files are the same bytes on one processor and on several.
func TestFiles(t *testing.T) {
	written := func(procs int) (names []string, all [][]byte, told string) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		dir := t.TempDir()
		told = strings.ReplaceAll(tell(t, "-runs", "70", "-months", "110", "-seed", "5", "-out", filepath.Join(dir, "new")), dir, "DIR")
		entries, err := os.ReadDir(filepath.Join(dir, "new"))
		require.NoError(t, err)
		for _, e := range entries {
			data, err := os.ReadFile(filepath.Join(dir, "new", e.Name()))
			require.NoError(t, err)
			names, all = append(names, e.Name()), append(all, data)
		}
		return names, all, told
	}
	names, all, told := written(1)
	again, same, retold := written(4)
	require.Equal(t, names, again)
	require.Equal(t, all, same)
	require.Equal(t, told, retold)
	require.Contains(t, told, "38 tables and plots are in DIR")
	for _, name := range []string{
		"monthly.csv", "engine-both.csv", "buckets-engine.svg", "supply-fan.svg", "inflation.svg", "flow-monthly.svg", "break-even-monthly.svg",
		"apr-stakers.svg", "apr-suppliers-engine.svg", "vaults.svg", "tornado-supply.svg", "stress-monthly.svg", "spiral-engine.svg",
	} {
		require.Contains(t, names, name)
	}
	require.Equal(t, 112, bytes.Count(all[indexOf(names, "monthly.csv")], []byte("\n"))+1, "a head and a line for each month")
}

func indexOf(names []string, name string) int {
	for i, n := range names {
		if n == name {
			return i
		}
	}
	return -1
}

// Few months make a shorter story, which still ends.
func TestShort(t *testing.T) {
	for _, months := range []string{"2", "12", "13", "24", "36", "37", "60"} {
		dir := t.TempDir()
		require.Contains(t, tell(t, "-runs", "2", "-months", months, "-out", dir), "Supply after "+months+" months", months)
	}
}

func TestBadFlags(t *testing.T) {
	for says, args := range map[string][]string{
		"not defined: -price":              {"-price", "1"},
		`unexpected argument "now"`:        {"now"},
		"-months 1, want 2 to 600":         {"-months", "1"},
		"-months 601, want 2 to 600":       {"-months", "601"},
		"-runs 0, want 1 to 100000":        {"-runs", "0"},
		"-runs 100001, want 1 to 100000":   {"-runs", "100001"},
		`invalid value "x" for flag -runs`: {"-runs", "x"},
	} {
		err := run(t.Context(), args, io.Discard, io.Discard, false)
		require.ErrorIs(t, err, errUsage, says)
		require.ErrorContains(t, err, says)
	}
	var errs bytes.Buffer
	require.ErrorIs(t, run(t.Context(), []string{"-h"}, io.Discard, &errs, false), flag.ErrHelp)
	require.Contains(t, errs.String(), "-seed")
}

// A folder that cannot be made is an error that names it.
func TestNoFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	err := run(t.Context(), []string{"-runs", "1", "-months", "2", "-out", file}, io.Discard, io.Discard, false)
	require.ErrorContains(t, err, file)
	require.NotErrorIs(t, err, errUsage)
}

// The bar fills one line, which is cleared in the end; files and the null device get none.
func TestProgress(t *testing.T) {
	var out bytes.Buffer
	bar := progress(&out, true)("working")
	bar(1, 2)
	require.Equal(t, "\rworking ["+strings.Repeat("#", 20)+strings.Repeat(".", 20)+"]  50 %", out.String())
	bar(2, 2)
	require.True(t, strings.HasSuffix(out.String(), "\r"+strings.Repeat(" ", len("working [")+40+len("] 100 %"))+"\r"))
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	require.NoError(t, err)
	defer null.Close()
	require.False(t, terminal(null))
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	require.NoError(t, err)
	defer file.Close()
	require.False(t, terminal(file))
}
