package gpu_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
)

// Lines as drivers log them: NVIDIA/open-gpu-kernel-modules (kernel_rc.c, nv.c), NVIDIA's memory error management and fabric manager
// guides, Linux (amdgpu_ras.c, amdgpu_device.c, i915_gpu_error.c, intel_reset.c, xe_device.c), and public reports of them.
func TestParseKernelLine(t *testing.T) {
	xid := func(bus string, code uint32) gpu.Notice {
		return gpu.Notice{Kind: gpu.NoticeXid, BusID: bus, Xid: code}
	}
	with := func(n gpu.Notice, f func(*gpu.Notice)) gpu.Notice { f(&n); return n }
	pid := func(p uint32) func(*gpu.Notice) { return func(n *gpu.Notice) { n.PID = gpu.Some(p) } }
	fatal := func(yes bool, sub ...uint32) func(*gpu.Notice) {
		return func(n *gpu.Notice) {
			n.Fatal = gpu.Some(yes)
			for _, s := range sub {
				n.SubCode = gpu.Some(s)
			}
		}
	}
	kind := func(k gpu.NoticeKind, bus string) gpu.Notice { return gpu.Notice{Kind: k, BusID: bus} }
	for line, want := range map[string]gpu.Notice{
		"NVRM: Xid (PCI:0000:05:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.": xid("00000000:05:00.0", 79),
		"NVRM: Xid (0000:03:00): 14, Channel 00000001":                                                 xid("00000000:03:00.0", 14),
		"NVRM: Xid (PCI:0000:cb:00): 109, pid=1797828, name=pt_main_thread, Ch 00000008":               with(xid("00000000:CB:00.0", 109), pid(1797828)),
		"NVRM: Xid (PCI:0000:01:00 GPU-I:05): 94, pid=7194, Contained: CE User Channel (0x9).":         with(xid("00000000:01:00.0", 94), pid(7194)),
		"NVRM: Xid (PCI:0000:3b:00 GPU-I:01 GPU-CI:02): 13, pid=9, name=a, Graphics Exception":         with(xid("00000000:3B:00.0", 13), pid(9)),
		"NVRM: Xid (PCI:10000:01:00): 48, An uncorrectable double bit error (DBE) has been detected":   xid("00010000:01:00.0", 48),
		"NVRM: Xid (PCI:0000:01:00): 63":                                                               xid("00000000:01:00.0", 63),
		"NVRM: Xid (PCI:0000:01:00): 31, pid=0, n":                                                     xid("00000000:01:00.0", 31),
		"[ 12.5] NVRM: Xid (PCI:0000:01:00): 31, x":                                                    xid("00000000:01:00.0", 31),
		"<3>NVRM: Xid (PCI:0000:01:00): 31, x":                                                         xid("00000000:01:00.0", 31),
		"[Fri Aug 30 11:43:09 2024] NVRM: Xid (PCI:0000:01:00): 31, x":                                 xid("00000000:01:00.0", 31),
		"Nov 22 18:29:55 hostname kernel: [ 966.503025] NVRM: Xid (0000:01:00): 31, Ch 0000000b":       xid("00000000:01:00.0", 31),
		"2023-07-14T13:12:00.727413-07:00 xps kernel: NVRM: Xid (PCI:0000:01:00): 31, x\r\n":           xid("00000000:01:00.0", 31),
		"NVRM: Xid (PCI:0018:01:00): 149, NETIR_LINK_EVT  Fatal   XC0 i0 Link 08 (0x004505c6 0x0)":     with(xid("00000018:01:00.0", 149), fatal(true, 4)),
		"NVRM: Xid (PCI:0018:01:00): 149, NETIR_BER_EVENT Nonfatal XC0 i0 Link 03 (0x00086226 0x1)": with(xid("00000018:01:00.0", 149),
			fatal(false, 0)),
		"NVRM: Xid (PCI:0000:00:1e): 149, NETIR_LINK_EVT Fatal XC 1 i 2 Link 01 [0x025525c6]": with(xid("00000000:00:1E.0", 149), fatal(true, 37)),
		"NVRM: Xid (PCI:0000:01:00): 145, pid=3, name=E Fatal XC0 (0x0, RLW_CTRL Nonfatal XC0 i0 Link 00 (0x00100003 0x0)": with(
			xid("00000000:01:00.0", 145), func(n *gpu.Notice) { n.PID = gpu.Some(uint32(3)); fatal(false, 1)(n) }),
		"NVRM: Xid (PCI:0000:01:00): 145, something new": xid("00000000:01:00.0", 145),
		"NVRM: Xid (PCI:0000:01:00): 154, GPU recovery action changed from 0x0 (None) to 0x2 (Node Reboot Required)": with(
			xid("00000000:01:00.0", 154), func(n *gpu.Notice) { n.SubCode = gpu.Some(uint32(2)); n.Action = "Node Reboot Required" }),
		"NVRM: Xid (PCI:0000:01:00): 154, GPU recovery action changed from 0x1 (PF FLR) to 0x0 (None)": with(
			xid("00000000:01:00.0", 154), func(n *gpu.Notice) { n.SubCode = gpu.Some(uint32(0)); n.Action = "None" }),
		"NVRM: GPU 0000:18:00.0: GPU has fallen off the bus.": kind(gpu.NoticeLost, "00000000:18:00.0"),
		"NVRM: The NVIDIA GPU 0000:b3:00.0\nNVRM: (PCI ID: 10de:26b5) installed in this system has\nNVRM: fallen off the bus and is not responding to commands.": kind(
			gpu.NoticeLost, "00000000:B3:00.0"),
		"NVRM: The NVIDIA GPU 0000:05:00.0 installed in this system has fallen off the bus and is not responding to commands.": kind(
			gpu.NoticeLost, "00000000:05:00.0"),
		"nvidia-nvswitch3: SXid (PCI:0000:05:00.0): 12028, Non-fatal, Link 32 egress non-posted PRIV error (First)": {
			Kind: gpu.NoticeSXid, BusID: "00000000:05:00.0", Xid: 12028, Fatal: gpu.Some(false),
		},
		"[131453.7] nvidia-nvswitch0: SXid (PCI:0000:00:00.0): 20034, Fatal, Link 30 LTSSM Fault Up": {
			Kind: gpu.NoticeSXid, BusID: "00000000:00:00.0", Xid: 20034, Fatal: gpu.Some(true),
		},
		"amdgpu 0000:67:00.0: amdgpu: GPU reset begin!":        kind(gpu.NoticeHang, "00000000:67:00.0"),
		"amdgpu 0000:f3:00.0: GPU reset begin!. Source:  3":    kind(gpu.NoticeHang, "00000000:F3:00.0"),
		"amdgpu 0000:03:00.0: amdgpu: GPU reset(2) succeeded!": kind(gpu.NoticeReset, "00000000:03:00.0"),
		"amdgpu 0000:03:00.0: amdgpu: GPU reset(2) failed":     with(kind(gpu.NoticeHang, "00000000:03:00.0"), fatal(true)),
		"amdgpu 0000:03:00.0: {7}socket: 0, die: 1, 3 new uncorrectable hardware errors detected in umc block": kind(
			gpu.NoticeUncorrected, "00000000:03:00.0"),
		"amdgpu 0000:03:00.0: amdgpu: socket: 0, die: 0 2 uncorrectable hardware errors detected in gfx block": kind(
			gpu.NoticeUncorrected, "00000000:03:00.0"),
		"amdgpu 0000:03:00.0: amdgpu: 2 uncorrectable hardware errors detected in umc block": kind(gpu.NoticeUncorrected, "00000000:03:00.0"),
		"amdgpu 0000:03:00.0: amdgpu: socket: 0, die: 0, 1 new correctable hardware errors detected in umc block, no user action is needed": kind(
			gpu.NoticeCorrected, "00000000:03:00.0"),
		"i915 0000:00:02.0: [drm] GPU HANG: ecode 12:1:859ffffb, in slack [19356]":                with(kind(gpu.NoticeHang, "00000000:00:02.0"), pid(19356)),
		"i915 0000:00:02.0: [drm] GPU HANG: ecode 12:0:00000000":                                  kind(gpu.NoticeHang, "00000000:00:02.0"),
		"i915 0000:00:02.0: [drm] Resetting chip for stopped heartbeat on rcs0":                   kind(gpu.NoticeReset, "00000000:00:02.0"),
		"i915 0000:00:02.0: [drm] GT0: Resetting chip for stopped heartbeat on rcs0":              kind(gpu.NoticeReset, "00000000:00:02.0"),
		"xe 0000:09:00.0: [drm] *ERROR* CRITICAL: Xe has declared device 0000:09:00.0 as wedged.": with(kind(gpu.NoticeHang, "00000000:09:00.0"), fatal(true)),
	} {
		got, ok := gpu.ParseKernelLine(line)
		require.True(t, ok, line)
		require.True(t, strings.HasSuffix(strings.TrimRight(line, "\r\n"), got.Text), line)
		got.Text = ""
		require.Equal(t, want, got, line)
	}
}

func TestParseKernelLineRefuses(t *testing.T) {
	for _, line := range []string{
		"", "\n", "NVRM: ", "NVRM: Xid (", "NVRM: Xid (PCI:0000:05:00", "NVRM: Xid (PCI:0000:05:00): ", "NVRM: Xid (PCI:0000:05:00): x",
		"NVRM: Xid (PCI:0000:05:00): 0, x", "NVRM: Xid (PCI:0000:05:00): 4294967296, x", "NVRM: Xid (PCI:0000:05:00): 79.5",
		"NVRM: Xid (PCI:0000:05:20): 79, x", // a device number has five bits
		"NVRM: Xid (PCI:00000000000:05:00): 79, x", "NVRM: Xid (PCI::05:00): 79, x", "NVRM: Xid (PCI:0000:05): 79, x",
		"NVRM: GPU at PCI:0000:05:00: GPU-8d1d5f1c-3f0a-4f0e-9b7a-1c2d3e4f5a6b", "NVRM: GPU 0000:18:00.0: GPU serial number is 0.",
		"NVRM: The NVIDIA GPU 0000:b3:00.0", "NVRM: fallen off the bus and is not responding to commands.",
		// Quoted, not said: a process may be called anything.
		"foo[12]: NVRM: Xid (PCI:0000:05:00): 79, x", "audit: comm=\"a kernel: NVRM\" NVRM: Xid (PCI:0000:05:00): 79, x",
		"traps: NVRM: GPU 0000:18:00.0: GPU has fallen off the bus.",
		"process 'sh' launched '/tmp/a kernel: NVRM: Xid (PCI:0000:05:00): 79, ' with NULL argv: empty string added",
		"usb 1-1: Product: x kernel: NVRM: Xid (PCI:0000:05:00): 79, x", "a b:c:d kernel: NVRM: Xid (PCI:0000:05:00): 79, x",
		"Nov 22 18:29:55 host kernel: process 'sh' launched '/a kernel: NVRM: Xid (PCI:0000:05:00): 79, ' with NULL argv: empty string added",
		"nvidia-nvswitch3: SXid (PCI:0000:c1:00.0): 28006, Severity 0 Engine instance 46 Sub-engine instance 00",
		"nvidia-nvswitch3: SXid (PCI:0000:c1:00.0): 28006, Data {0x00, 0x00}", "nvidia-nvswitch3: SXid (PCI:0000:c1:00.0): garbled, Fatal",
		"nvidia-nvswitchX: SXid (PCI:0000:c1:00.0): 28006, Fatal",
		"amdgpu 0000:03:00.0: amdgpu: socket: 0, die: 1, 3 uncorrectable hardware errors detected in total in umc block",
		"amdgpu 0000:03:00.0: amdgpu: no uncorrectable hardware errors detected in umc block",
		"amdgpu 0000:03:00.0: amdgpu: 0 new uncorrectable hardware errors detected in umc block",
		"amdgpu 0000:03:00.0: amdgpu: GPU reset succeeded, trying to resume", "amdgpu 0000:03:00.0: amdgpu: GPU reset(2) end",
		"amdgpu: GPU reset begin!", "i915 0000:00:02.0: [drm] Resetting rcs0 for preemption time out", "[drm] GPU HANG: ecode 7:0:0x85df3c1c",
		"xe 0000:07:00.0: [drm] GT0: reset done",
	} {
		n, ok := gpu.ParseKernelLine(line)
		require.False(t, ok, line)
		require.Zero(t, n)
	}
}

// The log of a busy host is all but nothing to us: such lines must not cost an allocation.
func TestParseKernelLineAllocatesNothingForOthers(t *testing.T) {
	for _, line := range []string{
		"NET: Registered protocol family 10", "[ 12.5] usb 1-1: new high-speed USB device number 2", "NVRM: loading NVIDIA UNIX x86_64 Kernel Module",
		"Nov 22 18:29:55 host kernel: [ 966.5] IPv6: ADDRCONF(NETDEV_CHANGE): veth0: link becomes ready", "amdgpu 0000:03:00.0: amdgpu: SMU is resumed",
	} {
		require.Zero(t, testing.AllocsPerRun(10, func() { gpu.ParseKernelLine(line) }), line)
	}
	xid := "NVRM: Xid (PCI:0000:cb:00): 109, pid=1797828, name=pt_main_thread, Ch 00000008"
	require.LessOrEqual(t, testing.AllocsPerRun(10, func() { gpu.ParseKernelLine(xid) }), 8.0) // the bus id, by fmt
}

func TestParseKernelRecord(t *testing.T) {
	for text, want := range map[string]gpu.KernelRecord{
		"7,160,424069,-;pci_root PNP0A03:00\n SUBSYSTEM=acpi\n DEVICE=+acpi:PNP0A03:00\n": {
			Level: 7, Seq: 160, SinceBoot: 424069 * time.Microsecond, Text: "pci_root PNP0A03:00",
		},
		"30,340,5690716,-;udevd[80]: starting": {Level: 6, Facility: 3, Seq: 340, SinceBoot: 5690716 * time.Microsecond, Text: "udevd[80]: starting"},
		"4,1,2,c,new,fields;a\\x0ab\\\\x\\x5c\\xzz\\": {
			Level: 4, Seq: 1, SinceBoot: 2 * time.Microsecond, Fragment: true, Text: "a\nb\\\\x\\\\xzz\\",
		},
		"4,18446744073709551615,9007199254740991,-;": {Level: 4, Seq: 1<<64 - 1, SinceBoot: (1<<53 - 1) * time.Microsecond},
	} {
		got, ok := gpu.ParseKernelRecord([]byte(text))
		require.True(t, ok, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{
		"", ";", "4;x", "4,1;x", "4,1,2;x", "4,1,2,-", "a,1,2,-;x", "4,-1,2,-;x", "4,1,9007199254740992,-;x", "4294967296,1,2,-;x",
	} {
		_, ok := gpu.ParseKernelRecord([]byte(text))
		require.False(t, ok, text)
	}
}

const xid31 = "NVRM: Xid (PCI:0000:01:00): 31, pid=7, name=a, x"

func TestKernelLog(t *testing.T) {
	l := gpu.NewKernelLog("boot-1", noon, gpu.KernelCursor{})
	feed := func(record string) bool {
		_, ok := l.Feed([]byte(record))
		return ok
	}
	n, ok := l.Feed([]byte("4,10,1500000,-;" + xid31))
	require.True(t, ok)
	require.Equal(t, noon.Add(1500*time.Millisecond), n.At)
	require.False(t, feed("4,10,1500000,-;"+xid31), "the same record again")
	require.False(t, feed("4,9,1500000,-;"+xid31), "an older one")
	require.False(t, feed("12,11,1600000,-;"+xid31), "written by a user: facility 1")
	require.Zero(t, l.Lost())
	require.True(t, feed("4,15,1600000,-;"+xid31))
	require.Equal(t, uint64(3), l.Lost(), "12 to 14 were overwritten")
	require.Equal(t, gpu.KernelCursor{Boot: "boot-1", Seq: 15}, l.Cursor())

	// A restarted agent goes on where it was; after a reboot the numbers begin anew.
	l = gpu.NewKernelLog("boot-1", noon, l.Cursor())
	require.False(t, feed("4,15,1600000,-;"+xid31))
	require.True(t, feed("4,16,1600000,-;"+xid31))
	l = gpu.NewKernelLog("boot-2", noon, l.Cursor())
	require.True(t, feed("4,0,100,-;"+xid31))
	require.False(t, feed("4,0,100,-;"+xid31))
	require.True(t, feed("4,1,100,-;"+xid31))
}

// A record of the kernel is read as it stands: whoever makes the kernel log a name of his choice does not speak for a driver, not
// even if the name looks like the prefix of a log reader.
func TestKernelLogNamesAreNoMessages(t *testing.T) {
	l := gpu.NewKernelLog("boot-1", noon, gpu.KernelCursor{})
	for i, text := range []string{
		"process 'sh' launched '/tmp/a kernel: " + xid31 + "' with NULL argv: empty string added", "kernel: " + xid31, "[ 1.0] " + xid31,
		"<4>" + xid31, "Nov 22 18:29:55 host kernel: " + xid31, "a[7]: segfault at 0 ip 0\\x0a" + xid31, "x kernel: NVRM: The NVIDIA GPU 0000:b3:00.0",
		"NVRM: fallen off the bus and is not responding to commands.",
	} {
		_, ok := l.Feed(fmt.Appendf(nil, "4,%d,1,-;%s", i+1, text))
		require.False(t, ok, text)
	}
	_, ok := l.Feed([]byte("4,100,1,-;" + xid31))
	require.True(t, ok)
}

func TestKernelLogJoins(t *testing.T) {
	first, second, third := "NVRM: The NVIDIA GPU 0000:b3:00.0", "NVRM: (PCI ID: 10de:26b5) installed in this system has",
		"NVRM: fallen off the bus and is not responding to commands."
	for _, row := range []struct {
		name  string
		lines []string
		want  string // bus id of a notice for the last line; empty: none
	}{
		{"three lines", []string{first, second, third}, "00000000:B3:00.0"},
		{"with times", []string{"[ 1.0] " + first, "[ 1.0] " + third}, "00000000:B3:00.0"},
		{"two lines", []string{"NVRM: The NVIDIA GPU 0000:01:00.0 (PCI ID: 10de:1e07) installed in this", "NVRM: system has " + third[6:]}, "00000000:01:00.0"},
		{"three lines between", []string{first, "a", "b", "c", third}, "00000000:B3:00.0"},
		{"four lines between", []string{first, "a", "b", "c", "d", third}, ""},
		{"the end alone", []string{third}, ""},
		{"told once", []string{first, third, third}, ""},
		{"said by another", []string{first, "foo: " + third[6:]}, ""},
		{"the later device", []string{first, "NVRM: The NVIDIA GPU 0000:c1:00.0", third}, "00000000:C1:00.0"},
	} {
		l := gpu.NewKernelLog("b", noon, gpu.KernelCursor{})
		var n gpu.Notice
		for _, line := range row.lines {
			n, _ = l.Line(line, noon)
		}
		require.Equal(t, row.want, n.BusID, row.name)
	}
	l := gpu.NewKernelLog("b", noon, gpu.KernelCursor{})
	for i, record := range []string{"4,1,1,c;NVRM: Xid (PCI:00", "4,2,1,c;00:01:00): 3", "4,3,1,-;1, pid=7"} {
		n, _ := l.Feed([]byte(record))
		require.Equal(t, []uint32{0, 0, 31}[i], n.Xid, "a number may be cut in two")
	}
	_, ok := l.Feed([]byte("4,4,1,c;something that never ends "))
	require.False(t, ok)
	n, ok := l.Feed([]byte("4,5,1,-;" + xid31))
	require.True(t, ok)
	require.Equal(t, uint32(31), n.Xid)
	escaped := "3,6,1,-;" + first + `\x0a` + second + `\x0a` + third
	n, ok = l.Feed([]byte(escaped))
	require.True(t, ok)
	require.Equal(t, gpu.NoticeLost, n.Kind)
}

func FuzzParseKernelLine(f *testing.F) {
	f.Add(xid31)
	f.Add("[ 1.0] NVRM: Xid (PCI:0018:01:00): 149, NETIR_LINK_EVT  Fatal   XC0 i0 Link 08 (0x004505c6 0x00000000)")
	f.Add("NVRM: Xid (PCI:0000:01:00): 154, GPU recovery action changed from 0x0 (None) to 0x2 (OS Reboot)")
	f.Add("amdgpu 0000:03:00.0: {7}socket: 0, die: 1, 3 new uncorrectable hardware errors detected in umc block")
	f.Fuzz(func(t *testing.T, line string) {
		n, ok := gpu.ParseKernelLine(line)
		if !ok {
			require.Zero(t, n)
			return
		}
		require.True(t, n.Kind >= gpu.NoticeXid && n.Kind <= gpu.NoticeReset)
		require.Len(t, n.BusID, len("00000000:00:00.0"))
		require.Contains(t, line, n.Text)
		again, ok := gpu.ParseKernelLine(n.Text)
		require.True(t, ok, "the text is the line without its prefix")
		require.Equal(t, n, again)
	})
}

func FuzzKernelLog(f *testing.F) {
	f.Add([]byte("4,10,1500000,-;"+xid31), []byte("4,11,1500000,c;x"))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		l := gpu.NewKernelLog("b", noon, gpu.KernelCursor{})
		for _, record := range [][]byte{a, b, a} {
			before := l.Cursor().Seq
			r, ok := gpu.ParseKernelRecord(record)
			n, told := l.Feed(record)
			require.False(t, told && (!ok || r.Facility != 0))
			require.GreaterOrEqual(t, l.Cursor().Seq, before)
			require.False(t, told && n.At.Before(noon))
		}
	})
}
