package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/golden"
)

func TestStory(t *testing.T) {
	var out, progress bytes.Buffer
	require.NoError(t, run(t.Context(), &out, &progress, t.TempDir(), 10_003))
	golden.Check(t, "testdata/payout.golden", out.String())
	for _, want := range []string{
		// 170 payouts and 6 reclaims of 31 markers at most, 5,000 lamports each: 880,000 lamports for 10,000 payments.
		"10000 payments in 170 transactions, 6 more", "880000 lamports of fees, 88.00 a payment", "differences between chain and journal: 0",
	} {
		require.Contains(t, out.String(), want)
	}
	require.Contains(t, progress.String(), "170 of 170 batches\n")
}

func TestFewSuppliers(t *testing.T) {
	var out, progress bytes.Buffer
	require.ErrorContains(t, run(t.Context(), &out, &progress, t.TempDir(), 3), "payroll: fewer than 4 suppliers")
	require.NoError(t, run(t.Context(), &out, &progress, t.TempDir(), 4))
}
