package gpu_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
)

func xids(t testing.TB) *gpu.Xids {
	t.Helper()
	x, err := gpu.NewXids()
	require.NoError(t, err)
	return x
}

// NVIDIA's catalogue of 2025-10-29, listed by immediate action once more and by hand: a slip in the table shows.
func TestXidsAgainstCatalogue(t *testing.T) {
	span := func(from, to uint32) (out []uint32) {
		for c := from; c <= to; c++ {
			out = append(out, c)
		}
		return out
	}
	join := func(lists ...[]uint32) (out []uint32) {
		for _, l := range lists {
			out = append(out, l...)
		}
		return out
	}
	want := map[string][]uint32{
		"RESTART_APP": join([]uint32{8, 11, 13, 25, 31, 32, 39, 40, 41, 60, 68, 69, 70, 71, 72, 75, 76, 77, 80}, span(82, 86),
			[]uint32{88, 89, 94}, span(96, 105), span(126, 135), []uint32{139}),
		"RESET_GPU":            {46, 62, 64, 95, 109, 110, 119, 120, 136, 140, 143, 155, 156, 158},
		"IGNORE":               {37, 38, 43, 44, 63, 66, 67, 92, 93, 106, 107, 121, 137, 141, 152, 153, 157, 160, 161},
		"RESTART_BM":           {79},
		"RESTART_VM":           {151},
		"WORKFLOW_XID_45":      {45},
		"WORKFLOW_XID_48":      {48},
		"WORKFLOW_NVLINK_ERR":  {74},
		"WORKFLOW_NVLINK5_ERR": span(144, 150),
		"XID_154":              {154},
		"CHECK_MECHANICALS":    {54},
		"UPDATE_SWFW":          {78},
		"CHECK_UVM":            {159},
		"CONTACT_SUPPORT":      {142},
		"":                     span(162, 172),
	}
	x := xids(t)
	got := map[string][]uint32{}
	all, unused := 0, 0
	for e := range x.All() {
		all++
		require.Equal(t, uint32(all), e.Code)
		if !e.Used {
			unused++
			require.Contains(t, []string{"CONTACT_SUPPORT", "IGNORE"}, e.Immediate)
			continue
		}
		got[e.Immediate] = append(got[e.Immediate], e.Code)
		require.NotEmpty(t, e.Description, e.Code)
	}
	require.Equal(t, 172, all)
	require.Equal(t, want, got)
	for _, outside := range []uint32{0, 173, 1 << 31} {
		_, ok := x.Lookup(outside)
		require.False(t, ok)
	}
}

// What follows from the catalogue's action, and where our rule differs from it.
func TestXidRules(t *testing.T) {
	follows := map[string]gpu.HealthRule{
		"RESTART_APP": gpu.RuleAppFault, "RESET_GPU": gpu.RuleReset, "IGNORE": gpu.RuleNone, "RESTART_VM": gpu.RuleRestartVM,
		"CHECK_MECHANICALS": gpu.RulePower, "RESTART_BM": gpu.RuleLost, "CONTACT_SUPPORT": gpu.RuleDriver, "UPDATE_SWFW": gpu.RuleDriver,
		"CHECK_UVM": gpu.RuleDriver, "WORKFLOW_NVLINK_ERR": gpu.RuleNVLink, "WORKFLOW_NVLINK5_ERR": gpu.RuleNVLink,
		"WORKFLOW_XID_48": gpu.RuleUncorrected, "WORKFLOW_XID_45": gpu.RuleAppFault, "XID_154": gpu.RuleRecoveryBoot,
	}
	differs := map[uint32]gpu.HealthRule{}
	for e := range xids(t).All() {
		if e.Immediate != "" && e.Rule != follows[e.Immediate] {
			differs[e.Code] = e.Rule
		}
		if e.Immediate == "RESTART_APP" {
			require.Equal(t, gpu.FaultApp, e.Fault, e.Code)
			require.LessOrEqual(t, e.Rule.Health(), gpu.Degraded)
		}
		require.Equal(t, e.Rule == gpu.RuleNone, e.Rule.Exit() == gpu.ExitNone, e.Code)
	}
	require.Equal(t, map[uint32]gpu.HealthRule{
		43: gpu.RuleAppFault, 44: gpu.RuleAppFault, // ignored there, counted here
		63: gpu.RuleRowsPending, 64: gpu.RuleRowsFailed, 92: gpu.RuleCorrected, 157: gpu.RuleCorrected,
	}, differs)
}

func TestXidRuleOfNotice(t *testing.T) {
	yes, no, unsaid := gpu.Some(true), gpu.Some(false), gpu.Opt[bool]{}
	action := func(n uint32) gpu.Notice { return gpu.Notice{Xid: 154, SubCode: gpu.Some(n)} }
	for _, row := range []struct {
		name string
		n    gpu.Notice
		want gpu.HealthRule
	}{
		{"before the first NVLink5 error", gpu.Notice{Xid: 143, Fatal: no}, gpu.RuleReset},
		{"NVLink5 fatal", gpu.Notice{Xid: 144, Fatal: yes}, gpu.RuleNVLink},
		{"NVLink5 not fatal", gpu.Notice{Xid: 150, Fatal: no}, gpu.RuleNone},
		{"NVLink5 unsaid", gpu.Notice{Xid: 149, Fatal: unsaid}, gpu.RuleDriver},
		{"after the last", gpu.Notice{Xid: 151, Fatal: no}, gpu.RuleRestartVM},
		{"recovery unsaid", gpu.Notice{Xid: 154}, gpu.RuleNone},
		{"recovery none", action(0), gpu.RuleNone},
		{"recovery reset", action(1), gpu.RuleReset},
		{"recovery reboot", action(2), gpu.RuleRecoveryBoot},
		{"recovery drain", action(3), gpu.RuleDrainP2P},
		{"recovery drain and reset", action(4), gpu.RuleReset},
		{"recovery domain", action(5), gpu.RuleDrainP2P},
		{"recovery bus reset", action(6), gpu.RuleReset},
		{"recovery system reboot", action(7), gpu.RuleRecoveryBoot},
		{"recovery of tomorrow", action(8), gpu.RuleDriver},
		{"last known", gpu.Notice{Xid: 172}, gpu.RuleUncorrected},
		{"first unknown", gpu.Notice{Xid: 173}, gpu.RuleDriver},
		{"no number", gpu.Notice{}, gpu.RuleDriver},
	} {
		require.Equal(t, row.want, xids(t).Rule(row.n), row.name)
	}
}
