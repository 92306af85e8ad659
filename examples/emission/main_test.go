package main

import (
	"bytes"
	"encoding/csv"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/golden"
)

func printed(t *testing.T, name string, asCSV bool) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, run(&out, name, asCSV, nil))
	return out.String()
}

func TestStory(t *testing.T) {
	story := printed(t, "", false)
	golden.Check(t, "testdata/emission.golden", story)
	for _, want := range []string{
		"add up to 300000000.00000000 and 300000000.00000000", "off by 0.000440906435", "off by 5578.782936374150", "off by -1106613.370270300389",
	} {
		require.Contains(t, story, want)
	}
	require.Contains(t, story, printed(t, "hourly", false))
	require.Contains(t, story, printed(t, "monthly", false))
}

// Every epoch of both schedules: it adds up, never rises, and ends at the cap.
func TestTables(t *testing.T) {
	for name, epochs := range map[string]int{"hourly": 175_319, "monthly": 240} {
		rows, err := csv.NewReader(strings.NewReader(printed(t, name, true))).ReadAll()
		require.NoError(t, err)
		require.Equal(t, []string{"epoch", "emission", "cumulative"}, rows[0])
		require.Len(t, rows, epochs+1)
		sum, before := new(big.Int), uint64(1<<63)
		for i, row := range rows[1:] {
			require.Equal(t, strconv.Itoa(i+1), row[0])
			e, err := strconv.ParseUint(row[1], 10, 64)
			require.NoError(t, err)
			require.LessOrEqual(t, e, before+1, "%s: epoch %d: no emission rises but by the fraction of a unit", name, i+1)
			require.Equal(t, sum.Add(sum, new(big.Int).SetUint64(e)).String(), row[2])
			before = e
		}
		require.Equal(t, "30000000000000000", sum.String())
	}
}

// The months of the table are the twelve that io.net prints.
func TestPublishedMonths(t *testing.T) {
	rows := strings.Split(printed(t, "monthly", true), "\n")
	for i, want := range []string{
		"3333333", "3299497", "3266003", "3232850", "3200033", "3167549", "3135395", "3103568", "3072063", "3040879", "3010011", "2979456",
	} {
		units, err := strconv.ParseUint(strings.Split(rows[i+1], ",")[1], 10, 64)
		require.NoError(t, err)
		require.Equal(t, want, strconv.FormatUint((units+50_000_000)/100_000_000, 10), "month %d", i+1)
	}
}

func TestNonsense(t *testing.T) {
	for _, c := range []struct {
		name string
		csv  bool
		rest []string
		says string
	}{
		{"yearly", false, nil, `-schedule is "yearly", want hourly or monthly`},
		{"", true, nil, `-schedule is "", want hourly or monthly`},
		{"hourly", true, []string{"x"}, `unexpected argument "x"`},
	} {
		var out bytes.Buffer
		require.EqualError(t, run(&out, c.name, c.csv, c.rest), c.says)
		require.Empty(t, out.String())
	}
}
