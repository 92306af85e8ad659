package chaos_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/chaos"
)

func TestScriptsRoundTrip(t *testing.T) {
	for _, mode := range chaos.Modes() {
		for seed := range uint64(20) {
			s := chaos.Generate(mode, seed, small())
			again, err := chaos.Parse(s.String())
			require.NoError(t, err)
			require.Equal(t, s, again)
			require.Equal(t, s, chaos.Generate(mode, seed, small()), "a seed is a history")
		}
	}
	require.NotEqual(t, chaos.Generate(chaos.Protocol, 1, small()), chaos.Generate(chaos.Protocol, 2, small()))
}

func TestParseRefuses(t *testing.T) {
	const good = "mode protocol\nworld 1 1 10 1\n"
	for text, want := range map[string]string{
		"":                              "mode is \"\"",
		"mode brave\nworld 1 1 1 1":     "mode is \"brave\", want one of",
		"mode naive":                    "Batches is 0, want 1 to 100",
		"mode naive\nworld 1 51 1 1":    "Lines is 51, want 1 to 50",
		"mode naive\nworld 1 1 1001 1":  "Ticks is 1001, want 1 to 1000",
		"mode naive\nworld 1 1 1 0":     "Blocks is 0, want 1 to 100",
		"mode naive\nworld 1 1 x 0":     "line 2: \"x\" is no number",
		good + "at 10 heal":             "is at tick 10, want 0 to 9",
		good + "at -1 heal":             "is at tick -1, want 0 to 9",
		good + "at 3 heal\n\nat 2 heal": "in rising order",
		good + "at three heal":          "line 3: \"three\" is no number",
		good + "on 3 heal":              "line 3: \"on 3 heal\" is none of mode, world, token 2022 and at",
	} {
		_, err := chaos.Parse(text)
		require.ErrorContains(t, err, want, text)
	}
	s, err := chaos.Parse("# a remark\n\n" + good + "at 3 heal\n")
	require.NoError(t, err)
	require.Equal(t, []chaos.Op{{Tick: 3, Words: []string{"heal"}}}, s.Ops)
}

// An operation that is wrong is an error of the script, and not a fault of the payers.
func TestRunRefuses(t *testing.T) {
	for op, want := range map[string]string{
		"dance":                           "there is no such operation",
		"crash 0 lunch 0":                 "\"lunch\" is no point",
		"deny 3 on":                       "endpoint 3, want 0 to 2",
		"deny 0 maybe":                    "want an endpoint, and on or off",
		"freeze 1":                        "line 1, want 0 to 0",
		"crash 1 step 0":                  "payer 1, want 0 to 0",
		"fault 0 - 0 1 sneeze 0":          "no action is named",
		"endpoint 0 0 forgets-everything": "is no condition",
	} {
		s, err := chaos.Parse("mode protocol\nworld 1 1 1 1\nat 0 " + op)
		require.NoError(t, err)
		_, err = chaos.Run(t.Context(), s)
		require.ErrorContains(t, err, want, op)
	}
}

// Scripts that went wrong once, or that show what a control does. Those of a control have to overpay; the others to hold.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			s, err := chaos.Parse(string(text))
			require.NoError(t, err)
			out, err := chaos.Run(t.Context(), s)
			require.NoError(t, err)
			require.Equal(t, strings.Count(string(text), " crash "), out.Crashes, "the payer has to die where the script says: %v", out.Kills)
			if s.Mode.Control() {
				require.NotZero(t, out.Over, "the control must overpay")
				s.Mode = protocolOf(s.Mode) // and the protocol must not, in the same history
				out, err = chaos.Run(t.Context(), s)
				require.NoError(t, err)
			}
			require.True(t, out.Held(), "%+v", out)
		})
	}
}

// protocolOf returns the mode that differs from a control in nothing but the rule that the control lacks.
func protocolOf(control chaos.Mode) chaos.Mode {
	return map[chaos.Mode]chaos.Mode{
		chaos.Naive: chaos.Protocol, chaos.NoMarker: chaos.ProtocolLost, chaos.EarlyReclaim: chaos.ProtocolRace,
	}[control]
}

func TestShrink(t *testing.T) {
	s := chaos.Generate(chaos.Protocol, 3, small())
	require.Greater(t, len(s.Ops), 20)
	a, b := s.Ops[4], s.Ops[17]
	has := func(s chaos.Script, o chaos.Op) bool {
		for _, x := range s.Ops {
			if x.Tick == o.Tick && strings.Join(x.Words, " ") == strings.Join(o.Words, " ") {
				return true
			}
		}
		return false
	}
	tried := 0
	short := chaos.Shrink(s, func(s chaos.Script) bool {
		tried++
		return has(s, a) && has(s, b) && s.World.Lines >= 1
	})
	require.Equal(t, []chaos.Op{a, b}, short.Ops)
	require.Equal(t, 1, short.World.Batches)
	require.Equal(t, b.Tick+1, short.World.Ticks)
	require.Less(t, tried, 200)
}

// A seed is a history: played twice it has the same faults, crashes and sums. Calls that hang are left out, as they end by the
// client's clock.
func TestRunIsDeterministic(t *testing.T) {
	for _, mode := range []chaos.Mode{chaos.ProtocolRace, chaos.Naive} {
		s := chaos.Generate(mode, 5, small())
		var calm []chaos.Op
		for _, o := range s.Ops {
			if !strings.Contains(strings.Join(o.Words, " "), "hang") {
				calm = append(calm, o)
			}
		}
		s.Ops = calm
		first, err := chaos.Run(t.Context(), s)
		require.NoError(t, err)
		second, err := chaos.Run(t.Context(), s)
		require.NoError(t, err)
		require.Equal(t, first, second, mode)
	}
}
