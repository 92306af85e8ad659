package gpu_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/internal/golden"
)

func TestCatalogRows(t *testing.T) {
	c := catalog(t)
	ids := map[string]bool{}
	last := ""
	rows := 0
	for s := range c.All() {
		rows++
		require.Less(t, last, s.Name, "sorted and unique")
		last = s.Name
		require.False(t, ids[s.ID], s.ID)
		ids[s.ID] = true
		require.Equal(t, gpu.NVIDIA, s.Vendor)
		require.NotEmpty(t, s.Sources, s.Name)
		require.True(t, slices.IsSorted(s.MemoryMiB), s.Name)
		require.NotContains(t, s.DeviceIDs, uint16(0))
		require.NotEmpty(t, s.NominalGB, s.Name)
		require.GreaterOrEqual(t, s.GPUsPerBoard, uint8(1))
		for _, mib := range s.MemoryMiB {
			fits := func(gb uint32) bool { return mib <= uint64(gb)*1024 && mib*100 >= uint64(gb)*1024*92 }
			require.True(t, slices.ContainsFunc(s.NominalGB, fits), "%s: %d MiB is not 92 to 100 %% of %v GB", s.Name, mib, s.NominalGB)
		}
		for _, mib := range s.ModifiedMiB {
			require.Greater(t, mib, slices.Max(s.MemoryMiB), s.Name)
		}
		require.Contains(t, []string{"6.0", "7.0", "7.5", "8.0", "8.6", "8.9", "9.0", "10.0", "10.3", "12.0"}, s.ComputeCapability)
		got, ok := c.Lookup(s.Name)
		require.True(t, ok)
		require.Equal(t, s, got)
	}
	require.GreaterOrEqual(t, rows, 60)
	for range c.All() { // a loop may end early
		break
	}
}

func TestCatalogLookup(t *testing.T) {
	c := catalog(t)
	for _, name := range []string{
		"NVIDIA A100 80GB PCIe", "NVIDIA RTX A4000", "NVIDIA GeForce RTX 3080", "Tesla T4", "Tesla V100-SXM2-16GB",
		"Tesla V100-SXM2-32GB", "Tesla P100-PCIE-16GB", "NVIDIA A10", "NVIDIA H100 80GB HBM3",
	} {
		s, ok := c.Lookup(name)
		require.True(t, ok, name)
		require.Equal(t, name, s.Name)
	}
	for _, name := range []string{"", "nvidia h200", "NVIDIA H200 ", "H200"} {
		_, ok := c.Lookup(name)
		require.False(t, ok, "%q", name)
	}
	s, _ := c.Lookup("NVIDIA H200")
	s.MemoryMiB[0], s.DeviceIDs[0] = 1, 1 // the caller's to spoil
	again, _ := c.Lookup("NVIDIA H200")
	require.Equal(t, []uint64{143771}, again.MemoryMiB)
	require.Equal(t, []uint16{0x2335}, again.DeviceIDs)
}

func TestCatalogGolden(t *testing.T) {
	var b strings.Builder
	for s := range catalog(t).All() {
		fmt.Fprintf(&b, "%s | %04x | %s | SMs %d | %d GB/s | %d GB | %d MiB, modified %d | %d a board | verified %v | %s\n", s.Name,
			s.DeviceIDs, s.ComputeCapability, s.SMs, s.BandwidthGBps, s.NominalGB, s.MemoryMiB, s.ModifiedMiB, s.GPUsPerBoard,
			s.MemoryVerified, s.Sources)
	}
	golden.Check(t, "testdata/catalog.golden", b.String())
}
