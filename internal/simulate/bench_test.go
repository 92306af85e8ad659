package simulate_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/simulate"
)

func BenchmarkRuns(b *testing.B) {
	e, err := simulate.New(simulate.IONet())
	require.NoError(b, err)
	for _, s := range simulate.Policies() {
		b.Run(fmt.Sprintf("runs=10k/policy=%s", s.Name), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, err := e.Run(b.Context(), s, simulate.Options{Runs: 10_000, Seed: 1, Workers: 1})
				require.NoError(b, err)
			}
			b.ReportMetric(float64(10_000*240*b.N)/b.Elapsed().Seconds(), "months/s")
		})
	}
}
