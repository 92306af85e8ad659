package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/golden"
)

func TestStory(t *testing.T) {
	var out, again bytes.Buffer
	require.NoError(t, run(t.Context(), &out))
	require.NoError(t, run(t.Context(), &again))
	require.Equal(t, out.String(), again.String())
	golden.Check(t, "testdata/payburn.golden", out.String())
	// By hand: 39.88 USDC after the fee buy floor(10,000 IO * 39.88/(25,000 + 39.88)); 16 IO less 1 % are the least.
	for _, want := range []string{
		"Credited:40000000 Balance:1000000", "at least 1584000000 units", "the swap got 1592659389 units", "and then 8659389",
		"supply 1000000000000 - 1592659389 = 998407340611",
	} {
		require.Contains(t, out.String(), want)
	}
}
