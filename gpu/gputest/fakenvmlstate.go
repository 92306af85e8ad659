package gputest

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
)

// The codes of nvml.h that a reason for a missing value stands for.
const (
	rcNotSupported     = 3
	rcNoPermission     = 4
	rcNotFound         = 6
	rcTimeout          = 10
	rcFunctionNotFound = 13
	rcCorruptedInforom = 14
	rcLost             = 15
)

// firstChild is the number of the first part of device 0; a device has 16 numbers for its parts.
const firstChild = 100

// codeOf is the return code for a reason: the inverse of what package nvml makes of one.
func codeOf(why string) int {
	switch why {
	case gpu.WhyNotSupported, "":
		return rcNotSupported
	case gpu.WhyNoPermission:
		return rcNoPermission
	case gpu.WhyTimeout:
		return rcTimeout
	case gpu.WhySymbolAbsent:
		return rcFunctionNotFound
	case gpu.WhyUnreadable:
		return rcCorruptedInforom
	case gpu.WhyLost:
		return rcLost
	}
	if n, err := strconv.Atoi(strings.TrimPrefix(why, "error ")); err == nil && n > 0 {
		return n
	}
	return rcNotSupported
}

// stateWriter writes reply lines: "= key device a b code text number...", the form that state.c reads.
type stateWriter struct {
	w   *strings.Builder
	dev int
}

// reply writes one answer. An empty text is "-".
func (s stateWriter) reply(key string, a, b, code int, text string, nums ...uint64) {
	if text == "" {
		text = "-"
	} else {
		text = percent(text)
	}
	fmt.Fprintf(s.w, "= %s %d %d %d %d %s", key, s.dev, a, b, code, text)
	for _, n := range nums {
		fmt.Fprintf(s.w, " %d", n)
	}
	fmt.Fprintln(s.w)
}

// percent writes what would end a word, and "-" alone, as %XX.
func percent(text string) string {
	var b strings.Builder
	for i := range len(text) {
		if c := text[i]; c <= ' ' || c > '~' || c == '%' || text == "-" {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// number writes an optional number.
func number[T ~uint32 | ~uint64 | ~int32](s stateWriter, key string, a, b int, o gpu.Opt[T]) {
	if !o.OK {
		s.reply(key, a, b, codeOf(o.Why), "")
		return
	}
	s.reply(key, a, b, 0, "", uint64(o.V))
}

func yes(s stateWriter, key string, o gpu.Opt[bool]) {
	number(s, key, 0, 0, gpu.Opt[uint32]{V: bit(o.V), OK: o.OK, Why: o.Why})
}

func words(s stateWriter, key string, o gpu.Opt[string]) {
	if !o.OK {
		s.reply(key, 0, 0, codeOf(o.Why), "")
		return
	}
	s.reply(key, 0, 0, 0, o.V)
}

// oneOf writes a number that stands for a word, the word's place in the list.
func oneOf(s stateWriter, key string, o gpu.Opt[string], list ...string) {
	i := slices.Index(list, o.V)
	if o.OK && i < 0 {
		i = math.MaxInt16 // a number without a name
	}
	number(s, key, 0, 0, gpu.Opt[uint32]{V: uint32(i), OK: o.OK, Why: o.Why})
}

func bit(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}

// writeState writes all that the library has to know to answer as a host with this inventory.
func writeState(w *strings.Builder, inv gpu.Inventory) {
	s := stateWriter{w, AnyDevice}
	s.reply("driver", 0, 0, 0, inv.Driver)
	words(s, "nvml", inv.NVML)
	s.reply("count", 0, 0, 0, "", uint64(len(inv.Devices)))
	cuda := gpu.Opt[uint32]{OK: inv.CUDADriver.OK, Why: inv.CUDADriver.Why}
	if major, minor, ok := twoNumbers(inv.CUDADriver.V); ok {
		cuda.V = uint32(1000*major + 10*minor)
	}
	number(s, "cuda", 0, 0, cuda)
	if c, ok := inv.Confidential.Get(); ok {
		environment := max(0, slices.Index([]string{"none", "sim", "prod"}, c.Environment))
		s.reply("confidential", 0, 0, 0, "", uint64(environment), uint64(bit(c.Enabled)), uint64(bit(c.DevTools)))
	} else {
		s.reply("confidential", 0, 0, codeOf(inv.Confidential.Why), "")
	}
	for i, d := range inv.Devices {
		writeDevice(stateWriter{w, i}, d)
	}
	for _, l := range inv.Links {
		writeLink(w, l)
	}
}

func writeLink(w *strings.Builder, l gpu.Link) {
	const nvlink = 2 // NVML_P2P_CAPS_INDEX_NVLINK
	levels := map[gpu.LinkKind]uint64{
		gpu.LinkBoard: 0, gpu.LinkSwitch: 10, gpu.LinkSwitches: 20, gpu.LinkHost: 30, gpu.LinkNode: 40, gpu.LinkSystem: 50,
		gpu.LinkNVLink: 50,
	}
	for _, end := range [][2]uint8{{l.A, l.B}, {l.B, l.A}} {
		s, other := stateWriter{w, int(end[0])}, int(end[1])
		s.reply("ancestor", other, 0, 0, "", levels[l.Kind])
		status := uint64(5) // NVML_P2P_STATUS_NOT_SUPPORTED
		if l.Kind == gpu.LinkNVLink {
			status = 0
		}
		s.reply("p2p", other, nvlink, 0, "", status)
	}
}

func writeDevice(s stateWriter, d gpu.Device) {
	s.reply("handle", 0, 0, 0, "")
	s.reply("uuid", 0, 0, 0, string(d.ID))
	s.reply("name", 0, 0, 0, d.Model)
	for _, f := range []struct{ key, text string }{{"serial", d.Serial}, {"vbios", d.VBIOS}} {
		if f.text == "" {
			s.reply(f.key, 0, 0, rcNotSupported, "")
		} else {
			s.reply(f.key, 0, 0, 0, f.text)
		}
	}
	r := d.Reading
	if r == nil {
		r = &gpu.Reading{}
	}
	subsystem := uint64(0)
	if p, ok := r.Subsystem.Get(); ok {
		subsystem = uint64(p.Device)<<16 | uint64(p.Vendor)
	}
	s.reply("pci", 0, 0, 0, d.BusID, uint64(d.PCIDeviceID)<<16|uint64(d.Vendor), subsystem)
	m := gpu.MemoryUse{Total: d.MemoryMiB << 20, Free: d.MemoryMiB << 20}
	if r.Memory.OK {
		m = r.Memory.V
	}
	s.reply("memory", 0, 0, 0, "", m.Total, m.Free, m.Used, m.Reserved)
	writePart(s, r)
	writeTelemetry(s, r)
	writeErrors(s, r)
	writeNVLinks(s, r)
	writeMIG(s, d, r)
	writeProcesses(s, r)
	const allEvents = 1 | 2 | 4 | 8 | 0x10 | 0x80 | 0x100 | 0x200 | 0x1000 | 0x2000 | 0x4000
	s.reply("events", 0, 0, 0, "", allEvents)
}

// writePart writes what the part is.
func writePart(s stateWriter, r *gpu.Reading) {
	oneOf(s, "arch", r.Architecture, "", "", "Kepler", "Maxwell", "Pascal", "Volta", "Turing", "Ampere", "Ada", "Hopper", "Blackwell")
	words(s, "board", r.BoardPart)
	if major, minor, ok := twoNumbers(r.ComputeCapability.V); ok {
		s.reply("cc", 0, 0, 0, "", uint64(major), uint64(minor))
	} else {
		s.reply("cc", 0, 0, codeOf(r.ComputeCapability.Why), "")
	}
	number(s, "cores", 0, 0, r.Cores)
	number(s, "bus", 0, 0, r.BusWidthBits)
	oneOf(s, "virt", r.Virtualization, "none", "passthrough", "vgpu", "host-vgpu", "host-vsga")
	oneOf(s, "computemode", r.ComputeMode, "default", "exclusive-thread", "prohibited", "exclusive-process")
	yes(s, "persistence", r.PersistenceMode)
	yes(s, "display", r.DisplayActive)
	number(s, "gen", 0, 0, r.PCIeGen)
	number(s, "genmax", 0, 0, r.PCIeMaxGen)
	number(s, "width", 0, 0, r.PCIeWidth)
	number(s, "widthmax", 0, 0, r.PCIeMaxWidth)
	number(s, "replays", 0, 0, r.PCIeReplays)
	if b, ok := r.BAR1.Get(); ok {
		s.reply("bar1", 0, 0, 0, "", b.Total, b.Free, b.Used)
	} else {
		s.reply("bar1", 0, 0, codeOf(r.BAR1.Why), "")
	}
}

// writeTelemetry writes clocks, power, temperatures and utilisation.
func writeTelemetry(s stateWriter, r *gpu.Reading) {
	const (
		smClock, memClock       = 1, 2
		memoryTemp, instant     = 82, 186
		shutdown, slowdown, die = 0, 1, 0
	)
	number(s, "clock", smClock, 0, r.SMClockMHz)
	number(s, "clock", memClock, 0, r.MemClockMHz)
	number(s, "clockmax", smClock, 0, r.MaxSMClockMHz)
	number(s, "clockmax", memClock, 0, r.MaxMemClockMHz)
	number(s, "pstate", 0, 0, r.PState)
	number(s, "power", 0, 0, r.PowerMilliwatts)
	s.reply("field", instant, 0, codeOf(r.PowerMilliwatts.Why), "")
	number(s, "limit", 0, 0, r.PowerLimitMilliwatts)
	number(s, "limitdefault", 0, 0, r.PowerDefaultLimitMilliwatts)
	if most, ok := r.PowerMaxLimitMilliwatts.Get(); ok {
		s.reply("limits", 0, 0, 0, "", 0, uint64(most))
	} else {
		s.reply("limits", 0, 0, codeOf(r.PowerMaxLimitMilliwatts.Why), "")
	}
	number(s, "energy", 0, 0, r.EnergyMillijoules)
	number(s, "temp", die, 0, r.TempCelsius)
	if t, ok := r.MemoryTempCelsius.Get(); ok {
		s.reply("field", memoryTemp, 0, 0, "", uint64(uint32(t)), 1)
	} else {
		s.reply("field", memoryTemp, 0, codeOf(r.MemoryTempCelsius.Why), "")
	}
	number(s, "threshold", shutdown, 0, r.ShutdownCelsius)
	number(s, "threshold", slowdown, 0, r.SlowdownCelsius)
	number(s, "fan", 0, 0, r.FanPercent)
	number(s, "reasons", 0, 0, r.Throttle)
	if g, ok := r.GPUUtilPercent.Get(); ok {
		s.reply("utilization", 0, 0, 0, "", uint64(g), uint64(r.MemUtilPercent.V))
	} else {
		s.reply("utilization", 0, 0, codeOf(r.GPUUtilPercent.Why), "")
	}
	number(s, "encoder", 0, 0, r.EncoderUtilPercent)
	number(s, "decoder", 0, 0, r.DecoderUtilPercent)
}

// writeErrors writes memory errors.
func writeErrors(s stateWriter, r *gpu.Reading) {
	const corrected, uncorrected, volatileCount, aggregate = 0, 1, 0, 1
	yes(s, "eccmode", r.ECCEnabled)
	number(s, "ecc", corrected, volatileCount, r.CorrectedVolatile)
	number(s, "ecc", uncorrected, volatileCount, r.UncorrectedVolatile)
	number(s, "ecc", corrected, aggregate, r.CorrectedAggregate)
	number(s, "ecc", uncorrected, aggregate, r.UncorrectedAggregate)
	if x, ok := r.Rows.Get(); ok {
		s.reply("rows", 0, 0, 0, "", uint64(x.Correctable), uint64(x.Uncorrectable), uint64(bit(x.Pending)), uint64(bit(x.Failed)))
	} else {
		s.reply("rows", 0, 0, codeOf(r.Rows.Why), "")
	}
	pages := r.RetiredPages
	half := pages
	half.V = pages.V / 2
	pages.V -= half.V
	number(s, "retired", 0, 0, pages)
	number(s, "retired", 1, 0, half)
	yes(s, "retiredpending", r.RetirementPending)
}

// twoNumbers reads "9.0".
func twoNumbers(text string) (major, minor int, ok bool) {
	_, err := fmt.Sscanf(text, "%d.%d", &major, &minor)
	return major, minor, err == nil
}

// exportedBy lists a library's functions.
func exportedBy(t testing.TB, path string) []string {
	t.Helper()
	f, err := elf.Open(path)
	require.NoError(t, err)
	defer f.Close() //nolint:errcheck // it was only read
	symbols, err := f.DynamicSymbols()
	require.NoError(t, err)
	var out []string
	for _, s := range symbols {
		if s.Section != elf.SHN_UNDEF && elf.ST_TYPE(s.Info) == elf.STT_FUNC && strings.HasPrefix(s.Name, "nvml") {
			out = append(out, s.Name)
		}
	}
	slices.Sort(out)
	return out
}

// hostOrder is the order of the bytes of a number in the page that test and library share: all hosts of these tests agree.
func hostOrder() nativeOrder { return binary.NativeEndian }

// nativeOrder is what the fakes need of binary.NativeEndian.
type nativeOrder interface {
	binary.ByteOrder
	binary.AppendByteOrder
}
