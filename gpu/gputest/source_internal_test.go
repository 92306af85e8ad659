package gputest

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
)

// A watch that is over leaves nothing behind for notices to pile up in.
func TestWatchersAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, err := ParseProfile("h100x1")
		require.NoError(t, err)
		s, err := NewSource(p, nil)
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Watch(ctx, func(gpu.Notice) {}) }()
		synctest.Wait()
		require.Len(t, s.watchers, 1)
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
		require.Empty(t, s.watchers)
	})
}
