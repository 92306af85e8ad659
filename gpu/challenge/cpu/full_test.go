package cpu_test

import (
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu/challenge"
	"github.com/idlegrid/idlegrid/gpu/challenge/cpu"
)

// The size that is promised, as a whole: a product of side 16384 is computed, and the answer to 128 openings of 32 entries is
// verified from its encoded form, on one core. It takes some minutes (GOEXPERIMENT=simd halves them) and 3 GB, so it runs only
// when asked for; the figures it logs stand in docs/benchmarks.md.
func TestFullSize(t *testing.T) {
	if os.Getenv("IDLEGRID_FULL") == "" {
		t.Skip("IDLEGRID_FULL=1 computes a product of side 16384")
	}
	s := challenge.Spec{
		Version: challenge.Version, Session: challenge.Hash{1}, Device: "GPU-1", N: 16384, Rounds: 1, Width: 32, Openings: 128,
	}
	p, err := cpu.New(cpu.Config{Workers: runtime.NumCPU(), MaxBytes: 8 << 30})
	require.NoError(t, err)
	began := time.Now()
	c, err := p.Commit(t.Context(), s)
	require.NoError(t, err)
	t.Logf("commit by kernel %s on %d cores: %v, %d Gop/s", p.Kernel(), runtime.NumCPU(), time.Since(began).Round(time.Second),
		s.Ops()/uint64(time.Since(began)))
	began = time.Now()
	o, err := p.Open(t.Context(), [32]byte{2})
	require.NoError(t, err)
	t.Logf("open: %v", time.Since(began).Round(time.Millisecond))
	b, err := challenge.Openings(o).MarshalBinary()
	require.NoError(t, err)
	t.Logf("openings: %d bytes", len(b))
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for range 5 {
		began = time.Now()
		var got challenge.Openings
		require.NoError(t, got.UnmarshalBinary(b))
		require.NoError(t, challenge.Verify(s, c, [32]byte{2}, got))
		t.Logf("decode and verify: %v", time.Since(began).Round(100*time.Microsecond))
	}
	o[77].Values[5]++
	require.Error(t, challenge.Verify(s, c, [32]byte{2}, o))
}
