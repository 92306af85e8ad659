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
	golden.Check(t, "testdata/idlecards.golden", out.String())
	// What can be reckoned by hand: who has what, 5*1.9 + 3*2.0 + 2.1 dollars an hour, six hours for eight cards and a spare, two of the lost.
	for _, want := range []string{
		"largest gang 5 of 8; smallest change: MaxSites 1 -> 2", "smallest change: MaxDelayMicros 5000 -> 7200", "anna-1 at oslo takes 5",
		"17600000 millionths", "rank 2 goes from [boris-3/0] to the spare [carla-1/0]", "boris-3/0 of boris: 2h0m0s",
	} {
		require.Contains(t, out.String(), want)
	}
	require.Equal(t, 8, strings.Count(out.String(), "6h0m0s"))
}
