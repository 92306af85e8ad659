//go:build linux && (amd64 || arm64)

package cuda

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/gpu/challenge"
	"github.com/idlegrid/idlegrid/gpu/challenge/internal/device"
	"github.com/idlegrid/idlegrid/gpu/challenge/internal/device/devicetest"
	"github.com/idlegrid/idlegrid/gpu/gputest"
)

// openReal opens the first device of the system's own driver. CI has none: the test is skipped there and says why. A container
// may have the device and no libcuda.
func openReal(t *testing.T, kernel string) *timer {
	t.Helper()
	gputest.Require(t)
	d, err := open(Config{})
	if errors.Is(err, gpu.ErrNoLibrary) {
		t.Skip("no GPU that CUDA can use: ", err)
	}
	require.NoError(t, err)
	timed := &timer{Driver: d, spent: map[string]time.Duration{}}
	timed.Prover = device.New(timed, device.Kernel(kernel))
	t.Cleanup(func() { require.NoError(t, timed.Prover.Close()) })
	return timed
}

// timer is a driver that waits after each launch and adds up what each kernel took.
type timer struct {
	device.Driver
	*device.Prover
	spent map[string]time.Duration
	off   bool
}

// Info, Close, Commit and the rest are those of the prover, what a driver needs is forwarded.
func (t *timer) Info() device.Info { return t.Driver.Info() }

// Close closes the driver: the prover calls it.
func (t *timer) Close() error { return t.Driver.Close() }

// Launch measures, unless it is off.
func (t *timer) Launch(kernel string, groups uint32, args ...device.Arg) error {
	if t.off {
		return t.Driver.Launch(kernel, groups, args...)
	}
	start := time.Now()
	if err := t.Driver.Launch(kernel, groups, args...); err != nil {
		return err
	}
	err := t.Wait()
	t.spent[kernel] += time.Since(start)
	return err
}

// TestRealRoots: a real device's roots are those of the definitions, its openings verify, and altered ones do not.
func TestRealRoots(t *testing.T) {
	for _, kernel := range []string{"dp4a", "imma", "hmma"} {
		p := openReal(t, kernel)
		if kernel != "dp4a" && !p.Info().Tensor {
			continue
		}
		for salt := range byte(3) {
			for _, n := range []uint32{256, 512, 1024} {
				for _, kind := range []challenge.Kind{challenge.Int8, challenge.Fp16Ints} {
					if kernel != "hmma" || kind == challenge.Fp16Ints {
						devicetest.Exercise(t, p.Prover, devicetest.Spec(kind, n, 2, 32, 128, salt))
					}
				}
			}
		}
		for _, s := range devicetest.Tasks(false) {
			if kernel == "dp4a" {
				devicetest.Exercise(t, p.Prover, s)
			}
		}
	}
}

// TestRealRate prints rows for docs/benchmarks.md: whole commits, and what each kernel took of one.
func TestRealRate(t *testing.T) {
	for _, kernel := range []string{"imma", "dp4a", "hmma"} {
		for _, n := range []uint32{8192, 16384, 32768, 65536} {
			p := openReal(t, kernel)
			if kernel != "dp4a" && !p.Info().Tensor || kernel == "dp4a" && n > 32768 {
				continue
			}
			kind := challenge.Int8
			if kernel == "hmma" {
				kind = challenge.Fp16Ints
			}
			p.off = true
			s := devicetest.Spec(kind, n, 1, 32, 128, 1)
			_, err := p.Commit(t.Context(), s) // the driver compiles and the clocks rise
			require.NoError(t, err)
			var took []time.Duration
			for range 10 {
				start := time.Now()
				_, err := p.Commit(t.Context(), s)
				require.NoError(t, err)
				took = append(took, time.Since(start))
			}
			slices.Sort(took)
			start := time.Now()
			_, err = p.Open(t.Context(), [32]byte{1})
			require.NoError(t, err)
			opened := time.Since(start)
			p.off = false
			_, err = p.Commit(t.Context(), s)
			require.NoError(t, err)
			t.Logf("| %s | %s | %d | %.1f ms | %.1f TOPS | spread %.1f %% | 128 openings %.1f ms |%s", p.Info().Name, kernel, n,
				ms(took[5]), float64(s.Ops())/took[5].Seconds()/1e12, 100*(ms(took[9])-ms(took[0]))/ms(took[5]), ms(opened), shares(p.spent))
			require.NoError(t, p.Prover.Close())
		}
	}
}

// TestRealMemory prints fill and read rates for docs/benchmarks.md, over lanes and costs.
func TestRealMemory(t *testing.T) {
	p := openReal(t, "")
	p.off = true
	for _, cost := range []uint32{64, 256, 512} {
		s := devicetest.Spec(challenge.Int8, 64, 1, 16, 1, 1)
		s.Memory = challenge.MemorySpec{Bytes: 32 << 30, Cost: cost, Lanes: 1, Segments: 4, Steps: 256, Openings: 1}
		start := time.Now()
		require.NoError(t, p.Fill(t.Context(), s))
		t.Logf("| %s | cost %d | fill %.2f GB/s |", p.Info().Name, cost, float64(s.Memory.Bytes)/time.Since(start).Seconds()/1e9)
	}
	for lanes := uint32(1 << 14); lanes <= 1<<18; lanes *= 2 {
		s := devicetest.Spec(challenge.Int8, 64, 1, 16, 1, 1)
		s.Memory = challenge.MemorySpec{Bytes: 32 << 30, Cost: 1, Lanes: lanes, Segments: 16, Steps: 256, Openings: 8}
		require.NoError(t, p.Fill(t.Context(), s))
		start := time.Now()
		c, err := p.Walk(t.Context(), [32]byte{1})
		took := time.Since(start)
		require.NoError(t, err)
		o, err := p.OpenWalk(context.Background(), [32]byte{2})
		require.NoError(t, err)
		require.NoError(t, challenge.VerifyWalk(s, c, [32]byte{1}, [32]byte{2}, o))
		t.Logf("| %s | lanes %d | %.3g reads/s | %.0f GB/s |", p.Info().Name, lanes, float64(s.Memory.Reads())/took.Seconds(),
			128*float64(s.Memory.Reads())/took.Seconds()/1e9)
	}
}

func ms(d time.Duration) float64 { return d.Seconds() * 1e3 }

func shares(spent map[string]time.Duration) (out string) {
	names := slices.SortedFunc(maps.Keys(spent), func(a, b string) int { return cmp.Compare(spent[b], spent[a]) })
	for _, n := range names {
		out += fmt.Sprintf(" %s %.1f ms,", n, ms(spent[n]))
	}
	return out
}
