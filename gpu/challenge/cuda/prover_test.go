package cuda_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu/challenge/cuda"
	"github.com/idlegrid/idlegrid/gpu/challenge/internal/device/devicetest"
	"github.com/idlegrid/idlegrid/gpu/gputest"
)

// TestProver runs every kernel's tasks over the fake library: launches, arguments and addresses are what its checks accept, and
// what is read back proves the work.
func TestProver(t *testing.T) {
	for _, kernel := range []string{"", "dp4a", "imma", "hmma"} {
		library := gputest.FakeCUDA(t)
		p, err := cuda.Open(cuda.Config{Library: library, Kernel: kernel})
		require.NoError(t, err)
		require.Equal(t, "NVIDIA H100 80GB HBM3", p.Name())
		tasks := devicetest.Tasks(kernel == "imma" || kernel == "hmma")
		for _, name := range slices.Sorted(maps.Keys(tasks)) {
			if s := tasks[name]; kernel != "hmma" || s.Kind == 1 {
				t.Run(kernel+" "+name, func(t *testing.T) { devicetest.Exercise(t, p, s) })
			}
		}
		require.NoError(t, p.Close(), "the fake refuses to give a context back while a buffer is left")
		require.NoError(t, p.Close())
	}
}
