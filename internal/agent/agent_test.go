package agent_test

import (
	"crypto/ed25519"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/internal/agent"
)

var noon = time.Date(2024, 6, 20, 12, 0, 0, 0, time.UTC)

func catalog(t testing.TB) *gpu.Catalog {
	t.Helper()
	c, err := gpu.NewCatalog()
	require.NoError(t, err)
	return c
}

// TestReport opens what an agent signs, and has a registry admit it without a finding.
func TestReport(t *testing.T) {
	c := catalog(t)
	for _, cards := range []int{1, 8, gpu.MaxDevices} {
		a := agent.New(c, "box", "NVIDIA RTX A4000", cards, 0)
		g, err := gpu.NewRegistry(gpu.Default())
		require.NoError(t, err)
		_, err = g.Apply(noon, gpu.Enrolled{Key: a.Key(), Supplier: "ann"})
		require.NoError(t, err)
		for seq := uint64(1); seq <= 3; seq++ {
			nonce := [32]byte{byte(seq)}
			b, err := a.Report(noon, nonce)
			require.NoError(t, err)
			key := a.Key()
			r, err := gpu.Open(b, ed25519.PublicKey(key[:]), nonce)
			require.NoError(t, err)
			require.Equal(t, seq, r.Seq)
			require.Equal(t, noon, r.Sent)
			inv, err := gpu.ParseInventory(r.Body)
			require.NoError(t, err)
			require.Equal(t, a.Devices, inv.Devices)
			require.Equal(t, "box", inv.Host)
			require.Empty(t, gpu.Check(inv, c))
			_, err = gpu.Open(b, ed25519.PublicKey(key[:]), [32]byte{9})
			require.ErrorIs(t, err, gpu.ErrNonce)

			_, err = g.Apply(noon, gpu.Challenged{Key: key, Nonce: nonce})
			require.NoError(t, err)
			effects, err := g.Apply(noon, gpu.Reported{Signed: b})
			require.NoError(t, err)
			admitted, ok := effects[0].(gpu.Admitted)
			require.True(t, ok)
			require.Empty(t, admitted.Findings)
			require.Equal(t, gpu.Consistent, admitted.Assurance)
		}
	}
}

// TestEveryModel has what the catalogue has: an agent of any model gives no finding.
func TestEveryModel(t *testing.T) {
	c := catalog(t)
	n := 0
	for spec := range c.All() {
		a := agent.New(c, "box", spec.Name, 2, 0)
		inv := gpu.Inventory{Taken: noon, Host: "box", BootID: "b", Driver: "580.65.06", Devices: a.Devices}
		require.NoError(t, inv.Validate())
		require.Empty(t, gpu.Check(inv, c), spec.Name)
		n++
	}
	require.Positive(t, n)
}

// TestUnknownModel is admitted, and no more than claimed.
func TestUnknownModel(t *testing.T) {
	c := catalog(t)
	a := agent.New(c, "box", "Voodoo 2", 1, 8)
	require.Equal(t, uint64(8), a.Devices[0].MemoryMiB)
	findings := gpu.Check(gpu.Inventory{Devices: a.Devices}, c)
	require.Len(t, findings, 1)
	require.Equal(t, gpu.Claimed, gpu.Assess(findings))
}

// TestNames: key and cards follow from the name alone, and no two names share any.
func TestNames(t *testing.T) {
	c := catalog(t)
	a, again, b := agent.New(c, "a", "Tesla T4", 4, 0), agent.New(c, "a", "Tesla T4", 4, 0), agent.New(c, "b", "Tesla T4", 4, 0)
	require.Equal(t, a.Key(), again.Key())
	require.Equal(t, a.Devices, again.Devices)
	one, err := a.Report(noon, [32]byte{1})
	require.NoError(t, err)
	two, err := again.Report(noon, [32]byte{1})
	require.NoError(t, err)
	require.Equal(t, one, two)
	require.NotEqual(t, a.Key(), b.Key())
	seen := map[gpu.DeviceID]bool{}
	for _, d := range append(a.Devices, b.Devices...) {
		require.False(t, seen[d.ID])
		seen[d.ID] = true
	}
}

func TestReportOfAYearThatIsNone(t *testing.T) {
	a := agent.New(catalog(t), "box", "Tesla T4", 1, 0)
	_, err := a.Report(time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC), [32]byte{1})
	require.ErrorContains(t, err, "agent: ")
}
