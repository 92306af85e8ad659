package gpu_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
)

// one is a host with one device.
func one(driver, model string, id uint16, mib uint64) gpu.Inventory {
	inv := h100s(1, 1)
	inv.Driver, inv.Platform = driver, "linux/amd64"
	d := &inv.Devices[0]
	d.Model, d.PCIDeviceID, d.MemoryMiB = model, id, mib
	return inv
}

// Totals that drivers before branch 510 print, from nvidia-smi outputs in public repositories: the driver leaves out what it
// keeps, a few MiB more or less from board to board.
func TestCheckOlderDriverTotals(t *testing.T) {
	reserved := []string{"0 memory-reserved info"}
	for name, c := range map[string]struct {
		inv  gpu.Inventory
		want []string
	}{
		"V100":                 {one("418.67", "Tesla V100-SXM2-16GB", 0x1db1, 16130), reserved},
		"V100 PCIe":            {one("410.79", "Tesla V100-PCIE-16GB", 0x1db4, 16130), reserved},
		"2080 Ti":              {one("440.33.01", "GeForce RTX 2080 Ti", 0x1e04, 10989), reserved},
		"2080 Ti, next to it":  {one("440.33.01", "GeForce RTX 2080 Ti", 0x1e07, 10986), reserved},
		"2080":                 {one("430.26", "GeForce RTX 2080", 0x1e82, 7979), reserved},
		"TITAN RTX":            {one("460.32.03", "TITAN RTX", 0x1e02, 24220), reserved},
		"3090":                 {one("470.57.02", "NVIDIA GeForce RTX 3090", 0x2204, 24260), reserved},
		"A6000, ECC on":        {one("470.57.02", "NVIDIA RTX A6000", 0x2230, 45634), reserved},
		"A6000, ECC off":       {one("470.57.02", "NVIDIA RTX A6000", 0x2230, 48685), reserved},
		"A10, ECC off":         {one("470.82.01", "NVIDIA A10", 0x2236, 24258), reserved},
		"T4, ECC off":          {one("450.51.06", "Tesla T4", 0x1eb8, 16127), reserved},
		"P40, ECC on":          {one("418.67", "Tesla P40", 0x1b38, 22919), reserved},
		"P40, ECC on, today":   {one("550.54.15", "Tesla P40", 0x1b38, 23040), []string{"0 memory-ecc info"}},
		"A30":                  {one("460.73.01", "A30", 0x20b7, 24258), nil},
		"A100 PCIe":            {one("470.57.02", "NVIDIA A100-PCIE-40GB", 0x20f1, 40536), nil},
		"newer than the table": {one("620.11", "NVIDIA H100 80GB HBM3", 0x2330, 81000), reserved},

		"whole since 510":        {one("510.47.03", "NVIDIA A100-SXM4-80GB", 0x20b2, 81250), []string{"0 memory-total contradiction"}},
		"branch before":          {one("509.47.03", "NVIDIA A100-SXM4-80GB", 0x20b2, 81250), reserved},
		"5 %":                    {one("620.11", "NVIDIA H100 80GB HBM3", 0x2330, 77482), reserved},
		"more than 5 %":          {one("620.11", "NVIDIA H100 80GB HBM3", 0x2330, 77481), []string{"0 memory-total contradiction"}},
		"80 decimal GB":          {one("470.57.02", "NVIDIA A100-SXM4-80GB", 0x20b2, 76293), []string{"0 memory-total contradiction"}},
		"above the whole":        {one("470.57.02", "NVIDIA A100-SXM4-80GB", 0x20b2, 81921), []string{"0 memory-total contradiction"}},
		"newer, off the box":     {one("620.11", "NVIDIA H100 80GB HBM3", 0x2330, 81920), []string{"0 memory-total contradiction"}},
		"HBM has no 15 of 16":    {one("470.57.02", "NVIDIA A100-SXM4-80GB", 0x20b2, 76800), []string{"0 memory-total contradiction"}},
		"half a card is no card": {one("470.57.02", "NVIDIA RTX A6000", 0x2230, 24564), []string{"0 memory-total contradiction"}},
	} {
		require.NoError(t, c.inv.Validate(), name)
		require.Equal(t, c.want, rules(gpu.Check(c.inv, catalog(t))), name)
	}
}
