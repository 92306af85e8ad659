package host_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/gpu/challenge"
	"github.com/idlegrid/idlegrid/gpu/gputest"
	"github.com/idlegrid/idlegrid/internal/host"
)

func noon() time.Time { return time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC) }

// What the driver says by itself counts before the next probe does.
func TestHealth(t *testing.T) {
	h, err := host.Open(t.Context(), "h100x8", noon)
	require.NoError(t, err)
	defer func() { require.NoError(t, h.Close()) }()
	inv, err := h.Probe(t.Context())
	require.NoError(t, err)
	id := inv.Devices[3].ID
	require.Equal(t, gpu.Healthy, h.Health(inv)(id))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- h.Follow(ctx) }()
	fake, ok := h.Source.(*gputest.Source)
	require.True(t, ok)
	require.Eventually(t, func() bool {
		fake.Notify(gpu.Notice{At: noon(), Kind: gpu.NoticeXid, ID: id, Xid: 79})
		return h.Health(inv)(id) == gpu.Lost
	}, time.Minute, time.Millisecond)
	require.Equal(t, gpu.Healthy, h.Health(inv)(inv.Devices[2].ID))
	cancel()
	require.NoError(t, <-done)
}

func TestProver(t *testing.T) {
	h, err := host.Open(t.Context(), "a4000x1", noon)
	require.NoError(t, err)
	defer func() { require.NoError(t, h.Close()) }()
	p, err := h.Prover("GPU-1")
	require.NoError(t, err)
	defer func() { require.NoError(t, p.Close()) }()
	_, walks := p.(challenge.Walker)
	require.True(t, walks)
}

// On a machine without a GPU the source is there all the same, and says so.
func TestThisMachine(t *testing.T) {
	h, err := host.Open(t.Context(), "", time.Now)
	require.NoError(t, err)
	require.NoError(t, h.Close())
	_, err = host.Open(t.Context(), "h100", noon)
	require.Error(t, err)
}
