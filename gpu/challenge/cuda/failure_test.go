package cuda_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/gpu/challenge"
	"github.com/idlegrid/idlegrid/gpu/challenge/cuda"
	"github.com/idlegrid/idlegrid/gpu/challenge/internal/device/devicetest"
	"github.com/idlegrid/idlegrid/gpu/gputest"
)

// small is the least task with all parts.
func small() challenge.Spec {
	s := devicetest.Spec(challenge.Int8, 64, 2, 16, 2, 0)
	s.Memory = challenge.MemorySpec{Bytes: 1 << 12, Cost: 1, Lanes: 16, Segments: 2, Steps: 1, Openings: 2}
	return s
}

// whole does a whole task and returns the first error.
func whole(ctx context.Context, p *cuda.Prover, s challenge.Spec) error {
	if err := p.Fill(ctx, s); err != nil {
		return err
	}
	if _, err := p.Commit(ctx, s); err != nil {
		return err
	}
	if _, err := p.Open(ctx, [32]byte{1}); err != nil {
		return err
	}
	if _, err := p.Walk(ctx, [32]byte{2}); err != nil {
		return err
	}
	_, err := p.OpenWalk(ctx, [32]byte{3})
	return err
}

// TestSymbols: a library that lacks any one of the functions is refused by its name, and nothing crashes.
func TestSymbols(t *testing.T) {
	calls := regexp.MustCompile(`"(cu[A-Z]\w+)", &l\.`)
	text, err := os.ReadFile("library.go")
	require.NoError(t, err)
	found := calls.FindAllStringSubmatch(string(text), -1)
	require.Len(t, found, 21)
	for _, f := range found {
		library := gputest.FakeCUDA(t, "-O0", "-DFAKECUDA_NO_"+f[1])
		_, err := cuda.Open(cuda.Config{Library: library})
		require.ErrorIs(t, err, gpu.ErrUnsupported)
		require.ErrorContains(t, err, f[1])
		_, _, err = cuda.Devices(library)
		require.ErrorContains(t, err, f[1])
	}
}

// TestCallsFail lets every call of every kind fail in turn. The error says which call; the prover gives everything back.
func TestCallsFail(t *testing.T) {
	for _, row := range []struct {
		call string
		code int
		want error
	}{
		{"cuMemAlloc_v2", 2, cuda.ErrMemory},
		{"cuLaunchKernel", 701, nil},
		{"cuCtxSynchronize", 719, cuda.ErrLost},
		{"cuMemcpyDtoH_v2", 1, nil},
		{"cuMemcpyHtoD_v2", 214, cuda.ErrLost},
		{"cuModuleGetFunction", 500, nil},
	} {
		failed := 0
		for n := 1; ; n++ {
			t.Setenv("FAKECUDA_FAIL", fmt.Sprintf("%s:%d:%d", row.call, n, row.code))
			p, err := cuda.Open(cuda.Config{Library: gputest.FakeCUDA(t)})
			require.NoError(t, err)
			err = whole(t.Context(), p, small())
			if err == nil {
				require.NoError(t, p.Close())
				break
			}
			failed++
			require.ErrorContains(t, err, row.call)
			if row.want != nil {
				require.ErrorIs(t, err, row.want)
			}
			require.NoError(t, whole(t.Context(), p, small()), "%s %d: the next task is not touched", row.call, n)
			require.NoError(t, p.Close(), "%s %d: the fake refuses to give a context back while a buffer is left", row.call, n)
		}
		require.Greater(t, failed, 2, row.call)
	}
}

// TestOpenFails does the same for what is called while a device is opened.
func TestOpenFails(t *testing.T) {
	for _, row := range []struct {
		fail string
		want error
	}{
		{"cuInit:1:999", gpu.ErrNoDriver},
		{"cuInit:1:100", cuda.ErrNoDevice},
		{"cuDeviceGet:1:101", cuda.ErrNoDevice},
		{"cuDeviceGetName:1:46", cuda.ErrLost},
		{"cuDeviceGetUuid:1:46", cuda.ErrLost},
		{"cuDeviceTotalMem_v2:1:46", cuda.ErrLost},
		{"cuDeviceGetAttribute:4:1", gpu.ErrUnsupported},
		{"cuDevicePrimaryCtxRetain:1:2", cuda.ErrMemory},
		{"cuCtxSetCurrent:1:46", cuda.ErrLost},
		{"cuModuleLoadDataEx:1:2", cuda.ErrMemory},
	} {
		t.Setenv("FAKECUDA_FAIL", row.fail)
		library := gputest.FakeCUDA(t)
		_, err := cuda.Open(cuda.Config{Library: library})
		require.ErrorIs(t, err, row.want, row.fail)
		t.Setenv("FAKECUDA_FAIL", "")
		p, err := cuda.Open(cuda.Config{Library: library})
		require.NoError(t, err, row.fail)
		require.NoError(t, p.Close())
	}
}

// TestCanceled ends the context at each of the points where it is looked at.
func TestCanceled(t *testing.T) {
	p, err := cuda.Open(cuda.Config{Library: gputest.FakeCUDA(t)})
	require.NoError(t, err)
	for looks := 0; ; looks++ {
		err := whole(&countdown{Context: t.Context(), left: looks}, p, small())
		if err == nil {
			require.Greater(t, looks, 20)
			break
		}
		require.ErrorIs(t, err, context.Canceled)
	}
	devicetest.Exercise(t, p, small())
	require.NoError(t, p.Close())
}

// countdown is a context that ends after it was asked a number of times.
type countdown struct {
	context.Context
	left int
}

func (c *countdown) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

// TestLost: a fault that a kernel meets is told by a later call, and the prover can be closed.
func TestLost(t *testing.T) {
	for n := range 12 {
		t.Setenv("FAKECUDA_LOST", fmt.Sprint(n+1))
		p, err := cuda.Open(cuda.Config{Library: gputest.FakeCUDA(t)})
		require.NoError(t, err)
		require.ErrorIs(t, whole(t.Context(), p, small()), cuda.ErrLost)
		_ = p.Close() // the driver answers every call with the fault by now
	}
}

func TestDeviceChoice(t *testing.T) {
	library := gputest.FakeCUDA(t, "-DFAKECUDA_DEVICES=2")
	version, devices, err := cuda.Devices(library)
	require.NoError(t, err)
	require.Equal(t, "12.4", version)
	require.Equal(t, []gpu.CUDADevice{
		{
			ID: "GPU-10111213-1415-1617-1819-1a1b1c1d1e00", Name: "NVIDIA H100 80GB HBM3", MemoryBytes: 85520809984, BusID: "0000:18:00.0",
			SMs: gpu.Some[uint32](132), ComputeCapability: gpu.Some("9.0"),
		},
		{
			ID: "GPU-10111213-1415-1617-1819-1a1b1c1d1e01", Name: "NVIDIA H100 80GB HBM3", MemoryBytes: 85520809984, BusID: "0000:19:00.0",
			SMs: gpu.Some[uint32](132), ComputeCapability: gpu.Some("9.0"),
		},
	}, devices)
	for _, c := range []cuda.Config{{Index: 1}, {ID: devices[1].ID}} {
		c.Library = library
		p, err := cuda.Open(c)
		require.NoError(t, err)
		devicetest.Exercise(t, p, small())
		require.NoError(t, p.Close())
	}
	for _, c := range []cuda.Config{{Index: 2}, {Index: -1}, {Index: 1 << 40}, {ID: "GPU-0"}} {
		c.Library = library
		_, err := cuda.Open(c)
		require.ErrorIs(t, err, cuda.ErrNoDevice)
	}
	_, _, err = cuda.Devices(gputest.FakeCUDA(t, "-DFAKECUDA_DEVICES=0"))
	require.ErrorIs(t, err, cuda.ErrNoDevice)
}

// TestCapability: each device gets the module that it can take. The fake's compiler refuses text for a later one.
func TestCapability(t *testing.T) {
	for _, row := range []struct {
		capability int
		kernel     string
		want       error
	}{
		{60, "", gpu.ErrUnsupported},
		{61, "", nil},
		{61, "imma", cuda.ErrKernel},
		{75, "", nil},
		{75, "hmma", cuda.ErrKernel},
		{80, "imma", nil},
		{103, "", nil},
		{90, "wgmma", cuda.ErrKernel},
	} {
		p, err := cuda.Open(cuda.Config{Library: gputest.FakeCUDA(t, "-O0", fmt.Sprintf("-DFAKECUDA_CC=%d", row.capability)), Kernel: row.kernel})
		if err == nil {
			_, err = p.Commit(t.Context(), devicetest.Spec(challenge.Fp16Ints, 256, 1, 16, 1, 0))
			require.NoError(t, p.Close())
		}
		if row.want == nil {
			require.NoError(t, err, "%d", row.capability)
			continue
		}
		require.ErrorIs(t, err, row.want, "%d %s", row.capability, row.kernel)
	}
}

// TestOldDriver: what the driver's compiler says about text that it does not take is part of the error.
func TestOldDriver(t *testing.T) {
	_, err := cuda.Open(cuda.Config{Library: gputest.FakeCUDA(t, "-O0", "-DFAKECUDA_PTX=65")})
	require.ErrorIs(t, err, gpu.ErrUnsupported)
	require.ErrorContains(t, err, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION, 222")
	require.ErrorContains(t, err, "ptxas fatal   : Unsupported .version 7.0; current version is '6.5'")
}

func TestMemory(t *testing.T) {
	p, err := cuda.Open(cuda.Config{Library: gputest.FakeCUDA(t, "-DFAKECUDA_MEMORY=1000000")})
	require.NoError(t, err)
	_, err = p.Commit(t.Context(), devicetest.Spec(challenge.Int8, 512, 1, 16, 1, 0))
	require.ErrorIs(t, err, cuda.ErrMemory)
	require.ErrorContains(t, err, "cuMemAlloc_v2 of 1048576 bytes: out of device memory (CUDA_ERROR_OUT_OF_MEMORY, 2)")
	devicetest.Exercise(t, p, small())
	require.NoError(t, p.Close())
}

func TestNoLibrary(t *testing.T) {
	text := filepath.Join(t.TempDir(), "libcuda.so.1")
	require.NoError(t, os.WriteFile(text, []byte("no library"), 0o600))
	gputest.FakeCUDA(t) // skips where there is no CUDA to speak of
	for _, path := range []string{"/nonexistent/libcuda.so.1", text} {
		_, err := cuda.Open(cuda.Config{Library: path})
		require.ErrorIs(t, err, gpu.ErrNoLibrary)
		_, _, err = cuda.Devices(path)
		require.ErrorIs(t, err, gpu.ErrNoLibrary)
	}
}

func TestOrder(t *testing.T) {
	p, err := cuda.Open(cuda.Config{Library: gputest.FakeCUDA(t)})
	require.NoError(t, err)
	_, err = p.Open(t.Context(), [32]byte{})
	require.ErrorIs(t, err, cuda.ErrOrder)
	_, err = p.Walk(t.Context(), [32]byte{})
	require.ErrorIs(t, err, cuda.ErrOrder)
	_, err = p.OpenWalk(t.Context(), [32]byte{})
	require.ErrorIs(t, err, cuda.ErrOrder)
	require.ErrorIs(t, p.Fill(t.Context(), devicetest.Spec(challenge.Int8, 64, 1, 16, 1, 0)), challenge.ErrInvalid)
	require.NoError(t, p.Close())
	_, err = p.Commit(t.Context(), small())
	require.ErrorIs(t, err, cuda.ErrOrder)
	require.ErrorIs(t, p.Fill(t.Context(), small()), cuda.ErrOrder)
}
