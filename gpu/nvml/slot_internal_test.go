package nvml

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
)

// within gives a context that ends after d of the bubble's time.
func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// The life of a slot: work in time, work that hangs, nobody let in meanwhile, and work again after the late return.
func TestSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s slot
		began := time.Now()
		v, err := run(within(t, time.Second), &s, func() int {
			time.Sleep(500 * time.Millisecond)
			return 7
		})
		require.NoError(t, err)
		require.Equal(t, 7, v)
		require.Equal(t, 500*time.Millisecond, time.Since(began))

		release := make(chan struct{})
		began = time.Now()
		_, err = run(within(t, time.Second), &s, func() int { <-release; return 0 })
		require.ErrorIs(t, err, gpu.ErrStuck)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, time.Second, time.Since(began), "exactly at the deadline")

		for range 3 {
			began = time.Now()
			_, err = run(within(t, time.Second), &s, func() int { t.Error("let in beside a stuck call"); return 0 })
			require.ErrorIs(t, err, gpu.ErrStuck)
			require.Zero(t, time.Since(began), "no waiting for a slot that is known to be stuck")
		}
		close(release)
		synctest.Wait()
		v, err = run(within(t, time.Second), &s, func() int { return 8 })
		require.NoError(t, err)
		require.Equal(t, 8, v)
	})
}

// One goroutine at a time, whoever waits; and one that waits in vain gives up at its own deadline.
func TestSlotIsExclusive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s slot
		var inside, done atomic.Int32
		for range 20 {
			go func() {
				_, err := run(within(t, time.Minute), &s, func() int {
					if inside.Add(1) != 1 {
						t.Error("two at once")
					}
					time.Sleep(time.Second)
					inside.Add(-1)
					return 0
				})
				if err == nil {
					done.Add(1)
				}
			}()
		}
		synctest.Wait()
		began := time.Now()
		_, err := run(within(t, 100*time.Millisecond), &s, func() int { return 0 })
		require.ErrorIs(t, err, gpu.ErrStuck)
		require.Equal(t, 100*time.Millisecond, time.Since(began))
		time.Sleep(time.Minute)
		require.Equal(t, int32(20), done.Load())
	})
}

// A panic in a binding is an error, and the slot is free afterwards.
func TestSlotPanic(t *testing.T) {
	var s slot
	_, err := run(t.Context(), &s, func() int { panic("slice bounds out of range") })
	require.ErrorIs(t, err, errPanicked)
	require.ErrorContains(t, err, "slice bounds")
	v, err := run(t.Context(), &s, func() int { return 1 })
	require.NoError(t, err)
	require.Equal(t, 1, v)
}

// A context that has ended lets nobody in.
func TestSlotEndedContext(t *testing.T) {
	var s slot
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(gpu.ErrClosed)
	_, err := run(ctx, &s, func() int { t.Error("let in"); return 0 })
	require.ErrorIs(t, err, gpu.ErrClosed)
}

func TestIsBus(t *testing.T) {
	for text, want := range map[string]bool{
		"00000000:18:00.0": true, "0000:18:00.0": true, "0001:FF:1f.7": true, "0000:18:20.0": false, "0000:18:00.8": false,
		"": false, "000:18:00.0": false, "00000:18:00.0": false, "0000:18:00.0 ": false, "0000-18:00.0": false, "000g:18:00.0": false,
	} {
		require.Equal(t, want, isBus(text), text)
	}
}

func TestCodeWords(t *testing.T) {
	for c, want := range map[code]string{
		0: "", 3: gpu.WhyNotSupported, 13: gpu.WhySymbolAbsent, 4: gpu.WhyNoPermission, 10: gpu.WhyTimeout, 15: gpu.WhyLost,
		14: gpu.WhyUnreadable, 999: "error 999", -1: "error -1", 17: "blocked by the operating system",
	} {
		require.Equal(t, want, c.why())
	}
}

// The maps line of a library, of a deleted one, and of memory without a file.
func TestMapped(t *testing.T) {
	path, inode, ok := mapped("7f7e4c400000-7f7e4c600000 r-xp 00001000 fd:01 1835034      /usr/lib/libnvidia-ml.so.550.54.15")
	require.True(t, ok)
	require.Equal(t, uint64(1835034), inode)
	require.Equal(t, "/usr/lib/libnvidia-ml.so.550.54.15", path)
	require.True(t, sameLibrary(path, DefaultLibrary))
	require.False(t, sameLibrary("/usr/lib/libnvidia-ml-fake.so.1", DefaultLibrary))
	for _, line := range []string{"", "7f7e4c400000-7f7e4c600000 rw-p 00000000 00:00 0 ", "x", "7ffd rw-p 0 00:00 0   [stack]"} {
		_, _, ok = mapped(line)
		require.False(t, ok, line)
	}
	path, _, ok = mapped("7f7e4c400000-7f7e4c600000 r-xp 0 fd:01 7 /tmp/lib.so (deleted)")
	require.True(t, ok)
	require.Equal(t, gpu.None[string](gpu.WhyUnreadable), hashFile(path, 7))
}
