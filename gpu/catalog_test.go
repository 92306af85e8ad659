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
	rows, verified := 0, 0
	for s := range c.All() {
		rows++
		require.Less(t, last, s.Name, "sorted and unique")
		last = s.Name
		require.False(t, ids[s.ID], s.ID)
		ids[s.ID] = true
		require.Contains(t, []gpu.Vendor{gpu.NVIDIA, gpu.AMD, gpu.Intel}, s.Vendor)
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
		require.Contains(t, []string{
			"6.0", "6.1", "7.0", "7.5", "8.0", "8.6", "8.9", "9.0", "10.0", "10.3", "12.0", "gfx908", "gfx90a", "gfx942", "gfx1030",
			"gfx1100", "gfx1201", "",
		}, s.ComputeCapability)
		require.Equal(t, s.Vendor == gpu.Intel, s.ComputeCapability == "", s.Name)
		require.Contains(t, []string{"sxm", "oam", "superchip", "pcie", "workstation", "desktop"}, s.Form, s.Name)
		require.NotEmpty(t, s.Architecture, s.Name)
		require.NotZero(t, s.MaxWatts, s.Name)
		require.Contains(t, []uint8{3, 4, 5, 6}, s.PCIeGen, s.Name)
		require.Contains(t, []uint8{8, 16}, s.PCIeWidth, s.Name)
		require.Equal(t, s.Vendor == gpu.NVIDIA, s.NVLinks.OK, s.Name)
		require.Equal(t, s.Vendor == gpu.NVIDIA, s.DriverBranch > 0, s.Name)
		if s.MemoryVerified {
			verified++
			require.True(t, strings.ContainsAny(s.Sources, "SR"), "%s: totals seen need a source of outputs", s.Name)
		}
		got, ok := c.Lookup(s.Name)
		require.True(t, ok)
		require.Equal(t, s, got)
	}
	require.Equal(t, 110, rows)
	require.Equal(t, 76, verified, "rows with no figure that is unverified")
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

// The int8 rate is that of the clock and the multiprocessors: computed ones within 1 % or half a unit, published ones not above
// it by more than 1 %. H100 SXM is published at 1830 MHz and power-limited parts lower.
func TestCatalogInt8(t *testing.T) {
	computed, published := 0, 0
	for s := range catalog(t).All() {
		if s.Int8TOPS == 0 || len(s.SMs) != 1 || len(s.BoostMHz) != 1 {
			continue
		}
		k := uint64(gpu.Int8PerSMClock(s.ComputeCapability))
		require.NotZero(t, k, s.Name)
		milli := uint64(s.SMs[0]) * uint64(s.BoostMHz[0]) * k / 1000 // thousandths of 10^12 a second
		have := uint64(s.Int8TOPS) * 1000
		if s.Int8Published {
			published++
			require.LessOrEqual(t, have, milli*101/100, s.Name)
			continue
		}
		computed++
		require.InDelta(t, milli, have, float64(max(500, milli/100)), s.Name)
	}
	require.GreaterOrEqual(t, computed, 50)
	require.GreaterOrEqual(t, published, 10)
}

// The models that suppliers of public networks bring most are here, under the driver's spelling.
func TestCatalogNames(t *testing.T) {
	c := catalog(t)
	for _, name := range []string{
		"NVIDIA B200", "NVIDIA H200", "NVIDIA H100 80GB HBM3", "NVIDIA H100 PCIe", "NVIDIA H100 NVL", "NVIDIA A100-SXM4-80GB",
		"NVIDIA A100 80GB PCIe", "NVIDIA A100-SXM4-40GB", "NVIDIA A100-PCIE-40GB", "NVIDIA L40S", "NVIDIA L40", "NVIDIA L4",
		"NVIDIA A40", "NVIDIA A30", "NVIDIA A16", "NVIDIA A10", "NVIDIA A10G", "Tesla T4", "Tesla V100-SXM2-16GB",
		"Tesla P100-PCIE-16GB", "NVIDIA RTX 6000 Ada Generation", "NVIDIA RTX 5000 Ada Generation", "NVIDIA RTX 4000 Ada Generation",
		"NVIDIA RTX 4000 SFF Ada Generation", "NVIDIA RTX A6000", "NVIDIA RTX A5000", "NVIDIA RTX A4000",
		"NVIDIA GeForce RTX 5090", "NVIDIA GeForce RTX 4090", "NVIDIA GeForce RTX 4080", "NVIDIA GeForce RTX 4080 SUPER",
		"NVIDIA GeForce RTX 4070", "NVIDIA GeForce RTX 4070 SUPER", "NVIDIA GeForce RTX 4070 Ti", "NVIDIA GeForce RTX 4070 Ti SUPER",
		"NVIDIA GeForce RTX 4060", "NVIDIA GeForce RTX 4060 Ti", "NVIDIA GeForce RTX 3090", "NVIDIA GeForce RTX 3090 Ti",
		"NVIDIA GeForce RTX 3080", "NVIDIA GeForce RTX 3080 Ti", "NVIDIA GeForce RTX 3070", "NVIDIA GeForce RTX 3070 Ti",
		"NVIDIA GeForce RTX 3060", "NVIDIA GeForce RTX 3060 Ti", "NVIDIA GeForce RTX 2080 Ti", "Quadro RTX 4000",
	} {
		_, ok := c.Lookup(name)
		require.True(t, ok, name)
	}
}

func TestCatalogIdentify(t *testing.T) {
	names := func(v gpu.Vendor, id uint16, rev uint8) []string {
		var out []string
		for _, s := range catalog(t).Identify(v, id, rev) {
			out = append(out, s.Name)
		}
		return out
	}
	require.Equal(t, []string{"NVIDIA A16", "NVIDIA A2"}, names(gpu.NVIDIA, 0x25b6, 0xa1))
	require.Equal(t, []string{"AMD Radeon RX 7900 XTX"}, names(gpu.AMD, 0x744c, 0xc8))
	require.Equal(t, []string{"AMD Radeon RX 7900 GRE"}, names(gpu.AMD, 0x744c, 0xce))
	require.Empty(t, names(gpu.AMD, 0x744c, 0xff))
	require.Empty(t, names(gpu.Intel, 0x744c, 0xc8))
}

func TestCatalogGolden(t *testing.T) {
	var b strings.Builder
	for s := range catalog(t).All() {
		fmt.Fprintf(&b, "%s | %s %s | %04x.%02x | %s | SMs %d | %d bits, %d GB/s | %d MHz | %d GB | %d MiB, modified %d | %d a board | "+
			"int8 %d, published %v | NVLinks %v | PCIe %dx%d | %d W | branch %d | verified %v | %s\n", s.Name, s.Form, s.Architecture,
			s.DeviceIDs, s.Revisions, s.ComputeCapability, s.SMs, s.BusWidthBits, s.BandwidthGBps, s.BoostMHz, s.NominalGB, s.MemoryMiB,
			s.ModifiedMiB, s.GPUsPerBoard, s.Int8TOPS, s.Int8Published, s.NVLinks, s.PCIeGen, s.PCIeWidth, s.MaxWatts, s.DriverBranch,
			s.MemoryVerified, s.Sources)
	}
	golden.Check(t, "testdata/catalog.golden", b.String())
}
