package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/golden"
)

func TestStory(t *testing.T) {
	var out, again bytes.Buffer
	require.NoError(t, run(&out))
	require.NoError(t, run(&again))
	require.Equal(t, out.String(), again.String())
	golden.Check(t, "testdata/costake.golden", out.String())
	// The numbers that can be reckoned by hand: half of 180 IO by size of the fills, 4 % of 6,000 IO, a tenth of it for Rae.
	for _, want := range []string{
		"bob has 600 + 27 = 627 IO; slashed 0", "rae gets 24 IO", "216 IO are burned", "not of the holder's own will", "still here 0",
	} {
		require.Contains(t, out.String(), want)
	}
	require.Equal(t, 1, strings.Count(out.String(), "are sam's again"))
}
