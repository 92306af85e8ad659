package gpu_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
)

func BenchmarkMonitor(b *testing.B) {
	m, err := gpu.NewMonitor(gpu.DefaultHealth())
	require.NoError(b, err)
	inv := h100s(1, 8)
	for i := range inv.Devices {
		inv.Devices[i].Reading = fine()
	}
	probed := gpu.Probed{Inventory: inv}
	_, err = m.Apply(noon, probed)
	require.NoError(b, err)
	b.Run("Probed/devices=8", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = m.Apply(noon, probed)
		}
	})
	b.Run("Noticed/devices=8", func(b *testing.B) {
		b.ReportAllocs()
		e := gpu.Noticed{Notice: gpu.Notice{Kind: gpu.NoticeXid, Xid: 31, BusID: "0000:18:00.0", PID: gpu.Some(uint32(7))}}
		for b.Loop() {
			_, _ = m.Apply(noon, e)
		}
	})
	snapshot := m.Snapshot()
	b.Run("Restore/devices=8", func(b *testing.B) {
		for b.Loop() {
			_, _ = gpu.RestoreMonitor(gpu.DefaultHealth(), snapshot)
		}
		b.ReportMetric(float64(len(snapshot))/8, "snapshot-B/device")
	})
}

func BenchmarkParseKernelLine(b *testing.B) {
	for name, line := range map[string]string{
		"Xid":   "NVRM: Xid (PCI:0000:cb:00): 109, pid=1797828, name=pt_main_thread, Ch 00000008",
		"other": "[ 12.5] usb 1-1: new high-speed USB device number 2 using xhci_hcd",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				gpu.ParseKernelLine(line)
			}
		})
	}
}
