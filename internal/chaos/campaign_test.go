package chaos_test

import (
	bg "context"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/chaos"
)

func TestMain(m *testing.M) {
	if os.Getenv(chaos.PayerEnv) != "" {
		if err := chaos.Payer(bg.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// small is the world of the short campaign.
func small() chaos.World { return chaos.World{Batches: 5, Lines: 6, Ticks: 24, Blocks: 12} }

// One history without faults pays everybody.
func TestCalm(t *testing.T) {
	for _, mode := range chaos.Modes() {
		if mode == chaos.EarlyReclaim {
			continue
		}
		out, err := chaos.Run(t.Context(), chaos.Script{Mode: mode, World: chaos.World{Batches: 3, Lines: 4, Ticks: 6, Blocks: 12}})
		require.NoError(t, err, mode)
		require.True(t, out.Held(), "%s: %+v", mode, out)
	}
}

// The short campaign: every mode of the protocol holds and every control fails.
func TestShortCampaign(t *testing.T) {
	report, err := chaos.Campaign(t.Context(), chaos.Config{Batches: 7 * 15, Seed: 1, Parallel: 2, World: small()})
	require.NoError(t, err)
	t.Logf("\n%s\n%s", report.Table(), report.KindTable())
	require.NoError(t, report.Verdict())
}
