package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/golden"
)

func TestStory(t *testing.T) {
	var out, again bytes.Buffer
	require.NoError(t, run(&out))
	require.NoError(t, run(&again))
	require.Equal(t, out.String(), again.String())
	golden.Check(t, "testdata/standing.golden", out.String())
	// Who never failed is the likeliest to stay up, and not the one to trust.
	require.Regexp(t, `anna +9\d{5}, 99\d{4} +standing 8\d{5}, and gets the job\n`, out.String())
	require.Regexp(t, `carla +\d+, \d+ +standing \d+, stands at`, out.String())
}
