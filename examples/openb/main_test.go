package main

import (
	"bytes"
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
func TestOpenb(t *testing.T) {
	golden.Check(t, "testdata/openb.golden", tell(t))
}

// Each run has a line.
func TestCSV(t *testing.T) {
	golden.Check(t, "testdata/csv.golden", tell(t, "-csv", "-seeds", "42", "-policies", "default,fgd"))
}

// Nonsense is refused with a reason.
func TestNonsense(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-nodes", "x"}, "want both or neither"},
		{[]string{"-nodes", "none", "-pods", "none"}, "no such file"},
		{[]string{"-seeds", "43-42"}, "want A-B"},
		{[]string{"-seeds", "x"}, "want A-B"},
		{[]string{"-seeds", "1-2000"}, "want A-B"},
		{[]string{"-policies", "best"}, `policy "best"`},
		{[]string{"more"}, "unexpected argument"},
		{[]string{"-what"}, "not defined"},
	} {
		var out, errs bytes.Buffer
		require.ErrorContains(t, run(c.args, &out, &errs), c.want)
	}
}
