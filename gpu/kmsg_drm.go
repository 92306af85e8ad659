package gpu

import (
	"strconv"
	"strings"
)

// parseAMDGPU reads, after "amdgpu ", "0000:03:00.0: amdgpu: GPU reset begin!. Source:  3" and what else drivers/gpu/drm/amd/amdgpu says
// in amdgpu_device.c and amdgpu_ras.c of Linux.
func parseAMDGPU(s string) (Notice, bool) {
	slot, s, ok := cutDevice(s)
	if !ok {
		return Notice{}, false
	}
	s = strings.TrimPrefix(s, "amdgpu: ")
	var n Notice
	switch {
	case strings.HasPrefix(s, "GPU reset begin!"):
		n.Kind = NoticeHang
	case strings.HasPrefix(s, "GPU reset("):
		_, end, _ := strings.Cut(s, ")")
		switch {
		case strings.HasPrefix(end, " succeeded!"):
			n.Kind = NoticeReset
		case strings.HasPrefix(end, " failed"):
			n.Kind, n.Fatal = NoticeHang, Some(true)
		default:
			return Notice{}, false
		}
	default:
		n.Kind, ok = rasKind(s)
	}
	if !ok {
		return Notice{}, false // nearly every line: no text is made for it
	}
	n.BusID = formatBus(slot)
	return n, true
}

// rasKind reads "{12}socket: 0, die: 1, 3 new uncorrectable hardware errors detected in umc block". The number must be there and not
// zero: "no uncorrectable hardware errors detected" is good news. Totals ("detected in total in") are repeated at every query.
// Kernels before 6.7 left out "new" and logged only what a query found to be new.
func rasKind(s string) (NoticeKind, bool) {
	before, _, ok := strings.Cut(s, "correctable hardware errors detected in ")
	if !ok || strings.Contains(s, " detected in total in ") {
		return 0, false
	}
	before, un := strings.CutSuffix(before, "un")
	before = strings.TrimSuffix(before, "new ")
	before, ok = strings.CutSuffix(before, " ")
	if !ok {
		return 0, false
	}
	digits := before[strings.LastIndexByte(before, ' ')+1:]
	if v, err := strconv.ParseUint(digits, 10, 64); err != nil || v == 0 {
		return 0, false
	}
	if un {
		return NoticeUncorrected, true
	}
	return NoticeCorrected, true
}

// parseI915 reads, after "i915 ", "0000:00:02.0: [drm] GPU HANG: ecode 12:1:859ffffb, in slack [19356]" and "0000:00:02.0: [drm] GT0:
// Resetting chip for stopped heartbeat on rcs0" (i915_gpu_error.c, intel_reset.c). The line does not say that the reset worked, but
// the driver wedges the device where it did not, and its calls then fail.
func parseI915(s string) (Notice, bool) {
	slot, s, ok := cutDevice(s)
	if !ok {
		return Notice{}, false
	}
	s = strings.TrimPrefix(s, "[drm] ")
	n := Notice{BusID: formatBus(slot)}
	if rest, hang := strings.CutPrefix(s, "GPU HANG: ecode "); hang {
		n.Kind = NoticeHang
		if i := strings.LastIndexByte(rest, '['); i >= 0 {
			digits, _, _ := strings.Cut(rest[i+1:], "]")
			if v, err := strconv.ParseUint(digits, 10, 32); err == nil && v != 0 {
				n.PID = Some(uint32(v))
			}
		}
		return n, true
	}
	if rest, gt := strings.CutPrefix(s, "GT"); gt {
		s = strings.TrimPrefix(strings.TrimLeft(rest, "0123456789"), ": ")
	}
	n.Kind = NoticeReset
	return n, strings.HasPrefix(s, "Resetting chip for ")
}

// parseXe reads, after "xe ", "0000:09:00.0: [drm] *ERROR* CRITICAL: Xe has declared device 0000:09:00.0 as wedged." (xe_device.c).
func parseXe(s string) (Notice, bool) {
	slot, s, ok := cutDevice(s)
	if !ok || !strings.HasPrefix(s, "[drm] *ERROR* CRITICAL: Xe has declared device ") || !strings.Contains(s, " as wedged") {
		return Notice{}, false
	}
	return Notice{Kind: NoticeHang, BusID: formatBus(slot), Fatal: Some(true)}, true
}

// cutDevice takes "0000:03:00.0: " from the front: what the kernel's dev_info and dev_err write.
func cutDevice(s string) (uint64, string, bool) {
	bus, rest, ok := strings.Cut(s, ": ")
	if !ok {
		return 0, "", false
	}
	slot, ok := parseSlot(bus)
	return slot, rest, ok
}
