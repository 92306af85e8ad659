package simulate_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/simulate"
)

func TestTmp(t *testing.T) {
	e, err := simulate.New(simulate.IONet())
	require.NoError(t, err)
	for _, s := range simulate.Policies() {
		sum, err := e.Run(t.Context(), s, simulate.Options{Runs: 500, Seed: 1, Workers: 2})
		require.NoError(t, err)
		fmt.Println(s.Name)
		for m := 0; m < 240; m += 12 {
			fmt.Printf("%3d", m)
			for i := simulate.Series(0); i < 37; i++ {
				b := sum.At(i, m)
				fmt.Printf(" %d", b.P50)
				if i == 0 {
					fmt.Printf("[%d %d]", b.P5, b.P95)
				}
			}
			fmt.Println()
		}
	}
}
