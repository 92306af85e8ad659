package opencl_test

import (
	"context"
	"errors"
	"maps"
	"os"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/gpu/challenge"
	"github.com/idlegrid/idlegrid/gpu/challenge/internal/device/devicetest"
	"github.com/idlegrid/idlegrid/gpu/challenge/opencl"
)

// open opens a device that every machine with pocl has. Without one the test is skipped, or fails if all has to run.
func open(t *testing.T, kernel string) *opencl.Prover {
	t.Helper()
	p, err := opencl.Open(opencl.Config{Kernel: kernel})
	if errors.Is(err, gpu.ErrNoLibrary) || errors.Is(err, gpu.ErrNoDriver) || errors.Is(err, gpu.ErrUnsupported) {
		const missing = "no OpenCL device (Debian packages ocl-icd-libopencl1 and pocl-opencl-icd)"
		if os.Getenv("IDLEGRID_REQUIRE") == "all" && runtime.GOOS == "linux" {
			t.Fatal(missing, err)
		}
		t.Skip(missing)
	}
	require.NoError(t, err)
	return p
}

// TestProver runs the kernels on the first device, in CI a CPU: those on tensor cores with the instructions imitated.
func TestProver(t *testing.T) {
	for _, kernel := range []string{"", "imma", "hmma"} {
		p := open(t, kernel)
		require.NotEmpty(t, p.Name())
		tasks := devicetest.Tasks(kernel != "")
		for _, name := range slices.Sorted(maps.Keys(tasks)) {
			if s := tasks[name]; kernel != "hmma" || s.Kind == challenge.Fp16Ints {
				t.Run(kernel+" "+name, func(t *testing.T) { devicetest.Exercise(t, p, s) })
			}
		}
		require.NoError(t, p.Close())
		require.NoError(t, p.Close())
	}
}

func TestDevices(t *testing.T) {
	require.NoError(t, open(t, "").Close())
	all, err := opencl.Devices("")
	require.NoError(t, err)
	for i, d := range all {
		require.Equal(t, i, d.Index)
		require.NotEmpty(t, d.Name)
		require.NotEmpty(t, d.Platform)
		require.NotZero(t, d.MemoryBytes)
		require.LessOrEqual(t, d.MaxBufferBytes, d.MemoryBytes)
	}
	for _, i := range []int{-1, len(all)} {
		_, err := opencl.Open(opencl.Config{Index: i})
		require.ErrorIs(t, err, opencl.ErrNoDevice)
	}
}

func TestOrder(t *testing.T) {
	p := open(t, "")
	_, err := p.Open(t.Context(), [32]byte{})
	require.ErrorIs(t, err, opencl.ErrOrder)
	_, err = p.Walk(t.Context(), [32]byte{})
	require.ErrorIs(t, err, opencl.ErrOrder)
	_, err = p.OpenWalk(t.Context(), [32]byte{})
	require.ErrorIs(t, err, opencl.ErrOrder)
	require.ErrorIs(t, p.Fill(t.Context(), devicetest.Spec(challenge.Int8, 64, 1, 16, 1, 0)), challenge.ErrInvalid)
	require.NoError(t, p.Close())
	_, err = p.Commit(t.Context(), devicetest.Spec(challenge.Int8, 64, 1, 16, 1, 0))
	require.ErrorIs(t, err, opencl.ErrOrder)
}

// TestRefusals: what cannot be done is refused, and the prover goes on working.
func TestRefusals(t *testing.T) {
	p := open(t, "")
	huge := devicetest.Spec(challenge.Int8, 64, 1, 16, 1, 0)
	huge.Memory = challenge.MemorySpec{Bytes: challenge.MaxTable, Cost: 1, Lanes: 1, Segments: 1, Steps: 1, Openings: 1}
	require.ErrorIs(t, p.Fill(t.Context(), huge), opencl.ErrMemory)
	ended, end := context.WithCancel(t.Context())
	end()
	_, err := p.Commit(ended, devicetest.Spec(challenge.Int8, 64, 1, 16, 1, 0))
	require.ErrorIs(t, err, context.Canceled)
	_, err = p.Commit(t.Context(), challenge.Spec{})
	require.ErrorIs(t, err, challenge.ErrInvalid)
	devicetest.Exercise(t, p, devicetest.Spec(challenge.Int8, 64, 1, 16, 4, 0))
	require.NoError(t, p.Close())

	p = open(t, "hmma")
	_, err = p.Commit(t.Context(), devicetest.Spec(challenge.Int8, 256, 1, 16, 1, 0))
	require.ErrorIs(t, err, opencl.ErrKernel)
	_, err = p.Commit(t.Context(), devicetest.Spec(challenge.Fp16Ints, 128, 1, 16, 1, 0))
	require.ErrorIs(t, err, opencl.ErrKernel)
	require.NoError(t, p.Close())
}

func TestLibrary(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("looks at a Linux library")
	}
	_, err := opencl.Open(opencl.Config{Library: "/nonexistent/libOpenCL.so.1"})
	require.ErrorIs(t, err, gpu.ErrNoLibrary)
	_, err = opencl.Open(opencl.Config{Library: "libc.so.6"})
	require.ErrorIs(t, err, gpu.ErrUnsupported)
	require.ErrorContains(t, err, "clGetPlatformIDs")
}
