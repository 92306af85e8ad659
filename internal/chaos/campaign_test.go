package chaos_test

import (
	bg "context"
	"fmt"
	"os"
	"slices"
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
func small() chaos.World { return chaos.World{Batches: 6, Lines: 4, Ticks: 28, Blocks: 12} }

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

// The short campaign: every mode of the protocol holds and every control fails, and what the modes are named after has happened.
func TestShortCampaign(t *testing.T) {
	world := small()
	report, err := chaos.Campaign(t.Context(), chaos.Config{Batches: len(chaos.Modes()) * world.Batches * rounds, Seed: 1, Parallel: 3, World: world})
	require.NoError(t, err)
	t.Logf("\n%s\n%s", report.Table(), report.KindTable())
	require.NoError(t, report.Verdict())

	require.GreaterOrEqual(t, happened(report.Kinds), 30, "kinds of faults")
	require.GreaterOrEqual(t, happened(report.Kills), 20, "points of death")
	for mode, kind := range map[chaos.Mode]string{
		chaos.Protocol: "fork", chaos.ProtocolLost: "journal lost", chaos.ProtocolLying: "endpoints: two deny every attempt",
		chaos.ProtocolRace: "payers race for a batch",
	} {
		i := slices.IndexFunc(report.Rows, func(r chaos.Row) bool { return r.Mode == mode })
		require.NotZero(t, report.Rows[i].Kinds[kind], "%s: %s", mode, kind)
		require.NotZero(t, report.Rows[i].Crashes, mode)
	}
}

// happened counts the kinds that happened at all.
func happened(kinds map[string]int) int {
	n := 0
	for _, times := range kinds {
		if times > 0 {
			n++
		}
	}
	return n
}

// A campaign proves nothing if a control pays nobody twice, and the protocol may not be wrong in anything.
func TestVerdict(t *testing.T) {
	row := func(m chaos.Mode, over, under uint64, wrong ...string) chaos.Row {
		r := chaos.Row{Mode: m, Histories: 1, Over: over, Under: under}
		if over+under > 0 || len(wrong) > 0 {
			r.Failed = []chaos.Result{{Mode: m, Seed: 7, Outcome: chaos.Outcome{Over: over, Under: under, Wrong: wrong}}}
		}
		return r
	}
	require.NoError(t, chaos.Report{Rows: []chaos.Row{row(chaos.Protocol, 0, 0), row(chaos.Naive, 1, 0)}}.Verdict())
	for want, r := range map[string]chaos.Row{
		"control naive overpaid nobody in 1 histories":        row(chaos.Naive, 0, 0),
		"control early-reclaim overpaid nobody":               row(chaos.EarlyReclaim, 0, 3),
		"mode protocol failed in 1 of 1 histories, first":     row(chaos.Protocol, 1, 0),
		"mode protocol-lost failed in 1 of 1 histories":       row(chaos.ProtocolLost, 0, 1),
		"with seed 7: 0 over, 0 under, journal 0: not square": row(chaos.ProtocolRace, 0, 0, "journal 0: not square"),
	} {
		require.ErrorContains(t, chaos.Report{Rows: []chaos.Row{r}}.Verdict(), want)
	}
}

func TestCampaignRefuses(t *testing.T) {
	world := chaos.World{Batches: 1, Lines: 1, Ticks: 1, Blocks: 1}
	for want, c := range map[string]chaos.Config{
		`Modes names "nonsense"`:  {Batches: 1, World: world, Modes: []chaos.Mode{chaos.Naive, "nonsense"}},
		"Batches is -5":           {Batches: -5, World: world},
		"no batches in its World": {Batches: 1},
		"no modes":                {Batches: 1, World: world, Modes: []chaos.Mode{}},
	} {
		_, err := chaos.Campaign(t.Context(), c)
		require.ErrorContains(t, err, want)
	}
}
