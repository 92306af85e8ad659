package gputest_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu/gputest"
)

// The library has its functions and, where one was left out, all but that one; nothing of its insides is to be seen.
func TestFakeNVMLSymbols(t *testing.T) {
	all := gputest.FakeNVMLSymbols(t)
	require.Contains(t, all, "nvmlInit_v2")
	require.Greater(t, len(all), 80)
	f := gputest.NewFakeNVML(t, oneCard(), "nvmlDeviceGetName")
	code, err := os.ReadFile(f.Path())
	require.NoError(t, err)
	require.Contains(t, string(code), "without_nvmlDeviceGetName")
	require.NotContains(t, string(code), "\x00nvmlDeviceGetName\x00")
	for _, s := range all {
		require.True(t, strings.HasPrefix(s, "nvml"), s)
	}
}

// The state is what the library reads: one line for each answer, faults and switches first.
func TestFakeNVMLState(t *testing.T) {
	inv := oneCard()
	inv.Devices[0].Serial = "50% of - it"
	f := gputest.NewFakeNVML(t, inv)
	f.Fail("nvmlDeviceGetName", 0, 999)
	f.Fail("nvmlDeviceGetName", 0, 4)
	f.Hang("nvmlInit_v2", gputest.AnyDevice)
	f.Switch("trace", true)
	f.Emit(0, 8, 79)
	state := func() []string {
		b, err := os.ReadFile(f.Path() + ".state")
		require.NoError(t, err)
		return strings.Split(string(b), "\n")
	}
	lines := state()
	require.Equal(t, []string{"fault nvmlDeviceGetName 0 4", "fault nvmlInit_v2 -1 hang", "trace", "event 1 0 8 79"}, lines[:4])
	require.Contains(t, lines, "= name 0 0 0 0 NVIDIA%20L4")
	require.Contains(t, lines, "= serial 0 0 0 0 50%25%20of%20-%20it")
	require.Contains(t, lines, "= vbios 0 0 0 3 -")
	require.Contains(t, lines, "= memory 0 0 0 0 - 24152899584 24152899584 0 0")
	f.Fail("nvmlDeviceGetName", 0, 0)
	f.Release()
	f.Switch("trace", false)
	require.Equal(t, "event 1 0 8 79", state()[0])
	require.Zero(t, f.Hanging())
	require.Zero(t, f.Calls("nvmlDeviceGetName", 0))
}
