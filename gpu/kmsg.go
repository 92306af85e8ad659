package gpu

import (
	"fmt"
	"strconv"
	"strings"
)

// ParseKernelLine reads one line of the kernel's log, with or without the time that dmesg and the prefix that syslog put before it. It
// knows these, by the drivers' sources:
//
//   - NVIDIA's Xids, with or without "PCI:", MIG instances, process id and name; NVLink5's severity and sub-code; the recovery of 154;
//   - NVIDIA's "GPU has fallen off the bus", in one line, or in several as one text with newlines (KernelLog joins separate lines);
//   - SXids of NVSwitches; their lines of raw data are no notices of their own;
//   - amdgpu's resets and RAS counts of new errors (not its totals, and not "no errors");
//   - i915's hangs and resets, and xe's wedged devices.
//
// Every other line is false. Notice.At is left zero: the line's own time is of another clock. BusID is in the spelling of NVML. Text is
// the line without its prefix, unchanged, and shares its memory. It never panics.
func ParseKernelLine(line string) (Notice, bool) {
	return parseMessage(trimLogPrefix(strings.TrimRight(line, "\r\n")))
}

// parseMessage reads a message without anything before it.
func parseMessage(text string) (Notice, bool) {
	n, ok := Notice{}, false
	switch {
	case strings.HasPrefix(text, "NVRM: Xid ("):
		n, ok = parseXidLine(text[len("NVRM: Xid ("):])
	case strings.HasPrefix(text, "NVRM: "):
		n, ok = parseFallen(text[len("NVRM: "):])
	case strings.HasPrefix(text, "nvidia-nvswitch"):
		n, ok = parseSXid(text[len("nvidia-nvswitch"):])
	case strings.HasPrefix(text, "amdgpu "):
		n, ok = parseAMDGPU(text[len("amdgpu "):])
	case strings.HasPrefix(text, "i915 "):
		n, ok = parseI915(text[len("i915 "):])
	case strings.HasPrefix(text, "xe "):
		n, ok = parseXe(text[len("xe "):])
	}
	if !ok {
		return Notice{}, false
	}
	n.Text = text
	return n, true
}

// trimLogPrefix drops what log readers put before a message: "<4>", "Jan 2 15:04:05 host kernel: ", "[ 1234.567890] ". Only whole
// prefixes go, so that a message which merely quotes one of ours is not taken for it: the kernel logs names that anybody may choose,
// as in "process 'sh' launched '/tmp/x kernel: NVRM: Xid (PCI:0000:05:00): 79, ' with NULL argv".
func trimLogPrefix(s string) string {
	if len(s) > 3 && s[0] == '<' {
		if end := strings.IndexByte(s[:min(len(s), 6)], '>'); end > 0 {
			s = s[end+1:]
		}
	}
	// 100 bytes hold a time and a host name; "kernel: " further on is part of a message.
	if head := s[:min(len(s), 100)]; len(s) > 0 && s[0] != '[' {
		if i := strings.Index(head, " kernel: "); i >= 0 && isLogHead(head[:i]) {
			s = s[i+len(" kernel: "):]
		} else if rest, ok := strings.CutPrefix(s, "kernel: "); ok {
			s = rest
		}
	}
	if len(s) > 0 && s[0] == '[' { // "[ 12.3] " of the kernel, "[Fri Aug 30 11:43:09 2024] " of dmesg -T
		if end := strings.Index(s[:min(len(s), 40)], "] "); end > 0 && !strings.ContainsRune(s[:end], '(') {
			s = s[end+2:]
		}
	}
	return s
}

// isLogHead reports whether a text is what syslog and the journal put before the program's name: "Jan 2 15:04:05 host" or
// "2006-01-02T15:04:05-07:00 host".
func isLogHead(s string) bool {
	const date = len("2006-01-02T")
	n, clock := 0, ""
	for field := range strings.FieldsSeq(s) {
		if n++; n == 1 && len(field) > date {
			clock = field[date:]
		} else if n == 3 {
			clock = field
		}
	}
	return (n == 2 || n == 4) && len(clock) >= 8 && digits(clock[:2]) && clock[2] == ':' && digits(clock[3:5]) && clock[5] == ':' &&
		digits(clock[6:8])
}

// parseXidLine reads what follows "NVRM: Xid (" in NVIDIA/open-gpu-kernel-modules, kernel_rc.c and nv_gpu_ops: "PCI:0000:05:00
// GPU-I:03 GPU-CI:00): 13, pid=1234, name=python3, Graphics Exception". Early drivers left out "PCI:".
func parseXidLine(s string) (Notice, bool) {
	n, rest, ok := parseXidHead(NoticeXid, s)
	if !ok {
		return Notice{}, false
	}
	rest, ok = strings.CutPrefix(rest, ", ")
	if !ok {
		return n, rest == "" || rest == ","
	}
	if pid, found := strings.CutPrefix(rest, "pid="); found {
		digits, _, _ := strings.Cut(pid, ",")
		if v, err := strconv.ParseUint(digits, 10, 32); err == nil && v != 0 {
			n.PID = Some(uint32(v))
		}
	}
	switch {
	case n.Xid >= 144 && n.Xid <= 150:
		parseNVLink5(&n, rest)
	case n.Xid == 154:
		parseRecovery(&n, rest)
	}
	return n, true
}

// parseXidHead reads "PCI:0000:05:00): 79" and returns the rest.
func parseXidHead(kind NoticeKind, s string) (Notice, string, bool) {
	inside, rest, ok := strings.Cut(s, "): ")
	if !ok {
		return Notice{}, "", false
	}
	inside = strings.TrimPrefix(inside, "PCI:")
	bus, _, _ := strings.Cut(inside, " ") // " GPU-I:03" and " GPU-CI:00" name MIG instances
	slot, ok := parseSlot(bus)
	if !ok {
		return Notice{}, "", false
	}
	digits := 0
	for digits < len(rest) && rest[digits] >= '0' && rest[digits] <= '9' {
		digits++
	}
	code, err := strconv.ParseUint(rest[:digits], 10, 32)
	if err != nil || code == 0 {
		return Notice{}, "", false
	}
	return Notice{Kind: kind, BusID: formatBus(slot), Xid: uint32(code)}, rest[digits:], true
}

// parseNVLink5 reads "NETIR_LINK_EVT  Fatal   XC0 i0 Link 08 (0x004505c6 0x00000000 ...)". The last " XC" counts: before it may stand
// the name of a process, which is whatever its owner wants. The sub-code is bits 20 to 25 of the first word, which for a link that
// went down tell why (NVIDIA's catalogue, "IntrInfo decode"). Drivers before R575 write [0x...] in square brackets.
func parseNVLink5(n *Notice, s string) {
	xc := strings.LastIndex(s, " XC")
	if xc < 0 {
		return
	}
	severity := strings.TrimRight(s[:xc], " ")
	severity = severity[strings.LastIndexByte(severity, ' ')+1:]
	switch severity {
	case "Fatal":
		n.Fatal = Some(true)
	case "Nonfatal", "Non-fatal":
		n.Fatal = Some(false)
	default:
		return
	}
	s = s[xc:]
	open := strings.IndexAny(s, "([")
	if open < 0 {
		return
	}
	if v, ok := parseHex(s[open+1:]); ok {
		n.SubCode = Some(v >> 20 & 0x3f)
	}
}

// parseRecovery reads "GPU recovery action changed from 0x0 (None) to 0x2 (Node Reboot Required)".
func parseRecovery(n *Notice, s string) {
	const to = " to 0x"
	i := strings.LastIndex(s, to)
	if i < 0 || !strings.Contains(s[:i], "recovery action changed from 0x") {
		return
	}
	v, ok := parseHex(s[i+len(" to "):])
	if !ok {
		return
	}
	n.SubCode = Some(v)
	if _, label, ok := strings.Cut(s[i:], "("); ok {
		n.Action, _, _ = strings.Cut(label, ")")
	}
}

// parseHex reads "0x" and up to eight digits; what follows is left.
func parseHex(s string) (uint32, bool) {
	s, ok := strings.CutPrefix(s, "0x")
	if !ok {
		return 0, false
	}
	end := 0
	for end < len(s) && strings.IndexByte("0123456789abcdefABCDEF", s[end]) >= 0 {
		end++
	}
	v, err := strconv.ParseUint(s[:end], 16, 32)
	return uint32(v), err == nil
}

// parseFallen reads, after "NVRM: ", "GPU 0000:18:00.0: GPU has fallen off the bus." and nv.c's "The NVIDIA GPU 0000:b3:00.0\nNVRM:
// (PCI ID: 10de:26b5) installed in this system has\nNVRM: fallen off the bus and is not responding to commands."
func parseFallen(s string) (Notice, bool) {
	bus, ok := strings.CutPrefix(s, "GPU ")
	if ok {
		bus, ok = strings.CutSuffix(strings.TrimSuffix(bus, "."), ": GPU has fallen off the bus")
	} else if bus, ok = strings.CutPrefix(s, "The NVIDIA GPU "); ok {
		ok = strings.Contains(bus, fallenWords)
		bus = bus[:strings.IndexAny(bus+" ", " \n")]
	}
	slot, good := parseSlot(bus)
	if !ok || !good {
		return Notice{}, false
	}
	return Notice{Kind: NoticeLost, BusID: formatBus(slot)}, true
}

// fallenWords are on the last of the lines that tell of a fallen device.
const fallenWords = "fallen off the bus and is not responding"

// parseSXid reads, after "nvidia-nvswitch", "3: SXid (PCI:0000:05:00.0): 12028, Non-fatal, Link 32 egress non-posted PRIV error
// (First)" (NVIDIA Fabric Manager user guide, appendix D). "Severity 0 Engine instance ..." and "Data {..." belong to the line before.
func parseSXid(s string) (Notice, bool) {
	s = strings.TrimLeft(s, "0123456789")
	s, ok := strings.CutPrefix(s, ": SXid (")
	if !ok {
		return Notice{}, false
	}
	n, rest, ok := parseXidHead(NoticeSXid, s)
	switch {
	case !ok:
		return Notice{}, false
	case strings.HasPrefix(rest, ", Fatal"):
		n.Fatal = Some(true)
	case strings.HasPrefix(rest, ", Non-fatal"):
		n.Fatal = Some(false)
	default:
		return Notice{}, false
	}
	return n, true
}

// parseSlot reads a PCI address with or without its function, with one to eight digits of domain.
func parseSlot(s string) (uint64, bool) {
	domain, rest, ok := strings.Cut(s, ":")
	if !ok || len(domain) == 0 || len(domain) > 8 || len(rest) < len("00:00") || len(rest) > len("00:00.0") {
		return 0, false
	}
	fn := ".0"
	if len(rest) > len("00:00") {
		rest, fn = rest[:5], rest[5:]
	}
	var b [16]byte // "00000000:00:00.0"; parseBus does not keep it
	copy(b[:], "00000000")
	copy(b[8-len(domain):], domain)
	b[8] = ':'
	if len(fn) != 2 || copy(b[9:], rest) != 5 || copy(b[14:], fn) != 2 {
		return 0, false
	}
	return parseBus(string(b[:]))
}

// busName is a slot for a text, in the short spelling of the kernel.
func busName(slot uint64) string {
	return fmt.Sprintf("%04x:%02x:%02x.%x", slot>>16, slot>>8&0xff, slot>>3&0x1f, slot&7)
}
