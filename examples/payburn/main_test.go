package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/golden"
)

func TestStory(t *testing.T) {
	out := run(t.Context())
	require.Equal(t, out, run(t.Context()))
	golden.Check(t, "testdata/payburn.golden", out)
	// By hand: 39.88 USDC after the fee buy floor(10,000 IO * 39.88/(25,000 + 39.88)); 16 IO less 1 % are the least.
	for _, want := range []string{
		"have 46 USDC in final blocks: 40 USDC credited to bill 7; 1 USDC more", "5 USDC without a reference", "to get 15.84 IO",
		"gives 15.92659389 IO", "the other 0.08659389 IO", "was 10000 IO, 15.92659389 IO are burned, and it is 9984.07340611 IO",
	} {
		require.Contains(t, out, want)
	}
}
