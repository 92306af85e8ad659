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

// A clock that is set back does not make the monitor deaf, and a probe that makes no sense makes no device healthy.
func TestHealthWhenTheClockIsSetBack(t *testing.T) {
	at := noon()
	h, err := host.Open(t.Context(), "h100x8", func() time.Time { return at })
	require.NoError(t, err)
	defer func() { require.NoError(t, h.Close()) }()
	inv, err := h.Probe(t.Context())
	require.NoError(t, err)
	id := inv.Devices[3].ID
	at = at.AddDate(10, 0, 0)
	require.Equal(t, gpu.Healthy, h.Health(inv)(id))
	at = at.AddDate(-10, 0, 0)
	inv.Missing = []gpu.Missing{{ID: id, Why: gpu.WhyLost}}
	inv.Devices = append(inv.Devices[:3:3], inv.Devices[4:]...)
	inv.Links = nil
	require.Equal(t, gpu.Lost, h.Health(inv)(id))
	require.Equal(t, gpu.Healthy, h.Health(inv)(inv.Devices[0].ID))
	inv.BootID = ""
	require.Equal(t, gpu.Unhealthy, h.Health(inv)(inv.Devices[0].ID))
}

// A passed challenge is the self-test that ends what waits for one; a wrong result is a failed one, and a late one is neither.
func TestTested(t *testing.T) {
	h, err := host.Open(t.Context(), "h100x8", noon)
	require.NoError(t, err)
	defer func() { require.NoError(t, h.Close()) }()
	inv, err := h.Probe(t.Context())
	require.NoError(t, err)
	id := inv.Devices[3].ID
	require.Equal(t, gpu.Healthy, h.Health(inv)(id))
	stuck := inv
	stuck.Devices, stuck.Links = append(inv.Devices[:3:3], inv.Devices[4:]...), nil
	stuck.Missing = []gpu.Missing{{ID: id, Why: gpu.WhyTimeout}}
	require.Equal(t, gpu.Unhealthy, h.Health(stuck)(id))
	h.Tested(id, challenge.Verdict{OpsPerSec: 1})
	require.Equal(t, gpu.Unhealthy, h.Health(inv)(id), "it was not read, so it was not tested")
	h.Tested(id, challenge.Verdict{Reason: challenge.TimeoutCommit})
	require.Equal(t, gpu.Unhealthy, h.Health(inv)(id))
	h.Tested(id, challenge.Verdict{})
	require.Equal(t, gpu.Healthy, h.Health(inv)(id))
	h.Tested(id, challenge.Verdict{Reason: challenge.RateLow})
	require.Equal(t, gpu.Healthy, h.Health(inv)(id))
	h.Tested(id, challenge.Verdict{Reason: challenge.Value})
	require.Equal(t, gpu.Unhealthy, h.Health(inv)(id))
}

// No other device answers for one of NVIDIA's that CUDA does not open.
func TestProverOfALostDevice(t *testing.T) {
	h, err := host.Open(t.Context(), "", time.Now)
	require.NoError(t, err)
	defer func() { require.NoError(t, h.Close()) }()
	_, err = h.Prover("GPU-00000000-0000-4000-8000-000000000001")
	require.ErrorContains(t, err, "host: device GPU-00000000-0000-4000-8000-000000000001: ")
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
