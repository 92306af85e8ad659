package gputest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/gpu/challenge"
	"github.com/idlegrid/idlegrid/gpu/challenge/cuda"
	"github.com/idlegrid/idlegrid/gpu/gputest"
)

// TestFakeCUDA: two libraries from one build have two states, and flags and the environment reach the fake.
func TestFakeCUDA(t *testing.T) {
	a, b := gputest.FakeCUDA(t), gputest.FakeCUDA(t)
	require.NotEqual(t, a, b)
	t.Setenv("FAKECUDA_FAIL", "cuDeviceGetCount:2:999")
	for _, library := range []string{a, b} { // each counts by itself: the first call of each succeeds
		_, devices, err := cuda.Devices(library)
		require.NoError(t, err)
		require.Len(t, devices, 1)
	}
	_, _, err := cuda.Devices(a)
	require.ErrorContains(t, err, "cuDeviceGetCount")
	_, devices, err := cuda.Devices(gputest.FakeCUDA(t, "-DFAKECUDA_DEVICES=3", "-DFAKECUDA_CC=75", "-DFAKECUDA_MEMORY=1048576"))
	require.NoError(t, err)
	require.Len(t, devices, 3)
	require.Equal(t, gpu.Some("7.5"), devices[2].ComputeCapability)
	require.Equal(t, uint64(1<<20), devices[2].MemoryBytes)
}

// A test of an agent gets a GPU that proves its work, and is lost at the third launch.
func ExampleFakeCUDA() {
	_ = func(t *testing.T) { // the body of TestLost
		t.Setenv("FAKECUDA_LOST", "3")
		p, err := cuda.Open(cuda.Config{Library: gputest.FakeCUDA(t)})
		require.NoError(t, err)
		_, err = p.Commit(t.Context(), challenge.Spec{
			Version: challenge.Version, Session: challenge.Hash{1}, Device: "GPU-0", N: 256, Rounds: 1, Width: 32, Openings: 8,
		})
		require.ErrorIs(t, err, cuda.ErrLost)
	}
}
