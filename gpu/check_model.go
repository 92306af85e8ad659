package gpu

import (
	"slices"
	"strings"
)

const (
	mib           = 1 << 20
	memorySlack   = 2 * mib // four numbers, each printed to a whole MiB, are off by at most two
	wholeBranch   = 510     // from this branch on drivers give the whole memory as the total, before it what they left of it
	keptPercent   = 5       // the most that they kept: 2.9 % of an RTX 2070 (7952 of 8192 MiB); decimal GB are 7 % below GiB
	eccSlackMiB   = 8       // 15/16 of 49140 is 46068.75, of 24564 23028.75: drivers report 46068 and 23028
	serverPercent = 115
	cardPercent   = 150 // board partners sell desktop boards with far higher limits: an RTX 3070 of 220 W with 280 W
)

// checkModel compares identity and memory of a device with the row of its name.
func (k *checker) checkModel(d Device, spec Spec) {
	if d.Vendor != spec.Vendor || !slices.Contains(spec.DeviceIDs, d.PCIDeviceID) {
		k.add(ruleNameVsDeviceID, "%q has PCI id %04x:%04x, known are %04x:%04x", d.Model, uint16(d.Vendor), d.PCIDeviceID,
			uint16(spec.Vendor), spec.DeviceIDs)
	}
	if branch, ok := driverBranch(k.inv.Driver); ok && d.Vendor == NVIDIA && branch < spec.DriverBranch {
		k.add(ruleDriverBranch, "driver %q is older than %d, the first branch for %q", k.inv.Driver, spec.DriverBranch, d.Model)
	}
	switch {
	case slices.Contains(spec.MemoryMiB, d.MemoryMiB):
	case slices.Contains(spec.ModifiedMiB, d.MemoryMiB):
		k.add(ruleMemoryModified, "%q with %d MiB is a board with larger memory chips", d.Model, d.MemoryMiB)
	case eccTotal(spec, d.MemoryMiB):
		k.add(ruleMemoryECC, "%q has %d MiB, ECC on or off from %d", d.Model, d.MemoryMiB, spec.MemoryMiB)
	case k.keptBack(spec, d.MemoryMiB):
		k.add(ruleMemoryReserved, "%q has %d MiB, driver %q may keep up to %d %% of %d", d.Model, d.MemoryMiB, k.inv.Driver, keptPercent,
			spec.MemoryMiB)
	case !spec.MemoryVerified: // part of the list was never seen on hardware: it may be the list that is wrong
		k.add(ruleMemoryPublished, "%q has %d MiB, published are %d", d.Model, d.MemoryMiB, spec.MemoryMiB)
	default:
		k.add(ruleMemoryTotal, "%q has %d MiB, drivers report %d", d.Model, d.MemoryMiB, spec.MemoryMiB)
	}
}

// checkUnknown judges a device whose name has no row by what its PCI id and its generation tell.
func (k *checker) checkUnknown(d Device) {
	k.add(ruleNameUnknown, "%q is not in the catalogue", d.Model)
	part := d.Reading != nil && d.Reading.Virtualization.V == vGPU // has the whole board's id, a name and a size of its own
	if names := k.catalog.bearers(d.Vendor, d.PCIDeviceID); names != nil && !part && !mobile(d.Model, names) {
		k.add(ruleIDOfOtherModel, "%q has PCI id %04x:%04x, which is %q", d.Model, uint16(d.Vendor), d.PCIDeviceID, names)
	}
	if d.Vendor != NVIDIA || d.Reading == nil {
		return
	}
	cc := d.Reading.ComputeCapability.V
	first := firstBranch(cc)
	if branch, ok := driverBranch(k.inv.Driver); ok && branch < first {
		k.add(ruleDriverBranch, "driver %q is older than %d, the first branch for compute capability %s", k.inv.Driver, first, cc)
	}
	// Of every model from Ada and Hopper on, drivers keep some memory back: no total in the catalogue is whole GiB.
	if first >= firstBranch("8.9") && d.MemoryMiB%1024 == 0 && !part {
		k.add(ruleMemoryRound, "%q of compute capability %s has %d MiB, whole GiB", d.Model, cc, d.MemoryMiB)
	}
}

// vGPU is the Reading.Virtualization of a guest that has a part of a board: "GRID A100-40C" with 40960 MiB.
const vGPU = "vgpu"

// mobile reports whether a name is that of a notebook's part, some of which share their id with the desktop's: 1E90 is "NVIDIA
// GeForce RTX 2080" and "NVIDIA GeForce RTX 2080 with Max-Q Design".
func mobile(model string, names []string) bool {
	for _, suffix := range []string{" with Max-Q Design", " Laptop GPU"} {
		if base, ok := strings.CutSuffix(model, suffix); ok {
			return slices.Contains(names, base) || slices.Contains(names, "NVIDIA "+base)
		}
	}
	return false
}

// checkReading compares what a device says of itself beside its identity with its row, which is empty for an unknown name.
func (k *checker) checkReading(d Device, spec Spec) {
	r := d.Reading
	k.checkMemoryUse(d)
	if cc, ok := r.ComputeCapability.Get(); ok && spec.ComputeCapability != "" && cc != spec.ComputeCapability {
		k.add(ruleComputeCapability, "%q has compute capability %q, the model has %q", d.Model, cc, spec.ComputeCapability)
	}
	divided := r.MIG.OK && r.MIG.V.Enabled
	if n, ok := r.SMs.Get(); ok && !fits(n, spec.SMs, divided) {
		k.add(ruleSMCount, "%q has %d multiprocessors, the model has %d", d.Model, n, spec.SMs)
	}
	if n, ok := r.Cores.Get(); ok {
		if per := coresPerSM(spec.ComputeCapability); per != 0 && (n%per != 0 || !fits(n/per, spec.SMs, divided)) {
			k.add(ruleSMCount, "%q has %d cores, the model has %d multiprocessors of %d", d.Model, n, spec.SMs, per)
		}
	}
	if n, ok := r.BusWidthBits.Get(); ok && len(spec.BusWidthBits) > 0 && !slices.Contains(spec.BusWidthBits, n) {
		k.add(ruleBusWidth, "%q has a memory bus of %d bits, the model has %d", d.Model, n, spec.BusWidthBits)
	}
	k.checkLimits(d, spec)
	k.checkLinks(d, spec)
	if r.MIG.OK {
		k.checkMIG(d, spec)
	}
	if v := r.Virtualization.V; r.Virtualization.OK && v != "" && v != "none" {
		k.add(ruleVirtualised, "%q is seen through %q", d.Model, v)
	}
}

// checkMemoryUse compares the parts of the memory with the total, and both totals.
func (k *checker) checkMemoryUse(d Device) {
	m, ok := d.Reading.Memory.Get()
	if !ok {
		return
	}
	const most = maxMemoryMiB * mib // sums of three stay far below 2^64
	if max(m.Total, m.Free, m.Used, m.Reserved) > most {
		k.add(ruleMemorySum, "%d of %d bytes free, %d used, %d reserved", m.Free, m.Total, m.Used, m.Reserved)
		return
	}
	// Some drivers count what they keep for themselves as used.
	if apart(m.Total, m.Free+m.Used) > memorySlack && apart(m.Total, m.Free+m.Used+m.Reserved) > memorySlack {
		k.add(ruleMemorySum, "%d free + %d used + %d reserved are not %d bytes", m.Free, m.Used, m.Reserved, m.Total)
	}
	if apart(m.Total, d.MemoryMiB*mib) > memorySlack {
		k.add(ruleMemorySum, "the total is %d bytes and %d MiB", m.Total, d.MemoryMiB)
	}
}

// checkLimits compares the highest clock and power limit with what such boards report.
func (k *checker) checkLimits(d Device, spec Spec) {
	if most := highestMHz(spec); most > 0 {
		if n, ok := d.Reading.MaxSMClockMHz.Get(); ok && uint64(n)*100 > uint64(most)*serverPercent {
			k.add(ruleClockMax, "%q has a highest clock of %d MHz, such boards have %d", d.Model, n, most)
		}
	}
	percent := uint64(serverPercent)
	if spec.Form == "desktop" {
		percent = cardPercent
	}
	for _, limit := range []Opt[uint32]{d.Reading.PowerDefaultLimitMilliwatts, d.Reading.PowerMaxLimitMilliwatts} {
		if n, ok := limit.Get(); ok && spec.MaxWatts > 0 && uint64(n) > uint64(spec.MaxWatts)*10*percent { // W x % x 1000 / 100
			k.add(rulePowerMax, "%q has a power limit of %d mW, the model has %d W", d.Model, n, spec.MaxWatts)
			return
		}
	}
}

// checkLinks compares PCIe and NVLinks with the row.
func (k *checker) checkLinks(d Device, spec Spec) {
	r := d.Reading
	for _, l := range []struct {
		what      string
		now, most Opt[uint32]
		model     uint8
	}{{"generation", r.PCIeGen, r.PCIeMaxGen, spec.PCIeGen}, {"width", r.PCIeWidth, r.PCIeMaxWidth, spec.PCIeWidth}} {
		n := max(l.now.V, l.most.V)
		switch {
		case l.model > 0 && n > uint32(l.model):
			k.add(rulePCIeMax, "%q has PCIe %s %d, the model has %d", d.Model, l.what, n, l.model)
		// Behind a hypervisor's virtual bridge, which names any maximum, lspci prints "overdriven" for it.
		case l.now.OK && l.most.OK && l.now.V > l.most.V && !k.virtual(r):
			k.add(rulePCIeMax, "%q runs PCIe %s %d and has at most %d", d.Model, l.what, l.now.V, l.most.V)
		}
	}
	most, known := spec.NVLinks.Get()
	n := len(r.NVLinks.V)
	for _, l := range k.inv.Links {
		if l.Kind == LinkNVLink && (int(l.A) == k.device || int(l.B) == k.device) {
			n = max(n, int(l.Count))
		}
	}
	switch {
	case !known || n <= int(most):
	case most == 0:
		k.add(ruleNVLinkOnPCIe, "%q has %d NVLinks, the model has none", d.Model, n)
	default:
		k.add(ruleLinkCount, "%q has %d NVLinks, the model has %d", d.Model, n, most)
	}
}

// keptBack reports whether a total is a little below one of the model's and the driver is of a branch that may keep some: drivers
// before wholeBranch do, by an amount that differs from board to board (RTX 2080 Ti of 11264 MiB: 10986, 10989, 11019; Tesla V100
// of 16384: 16130, 16152, 16160), and of those newer than this table nobody knows. Nobody gains by claiming less.
func (k *checker) keptBack(spec Spec, total uint64) bool {
	branch, ok := driverBranch(k.inv.Driver)
	if !ok || spec.Vendor != NVIDIA || branch >= wholeBranch && branch <= newestBranch {
		return false
	}
	near := func(whole uint64) bool { return total < whole && total*100 >= whole*(100-keptPercent) }
	return slices.ContainsFunc(spec.MemoryMiB, func(m uint64) bool {
		return near(m) || inlineECC(spec) && (near(m*15/16) || near(m*16/15))
	})
}

// inlineECC reports whether a model keeps check bits in the memory itself, as boards with GDDR do; HBM has memory of its own for
// them.
func inlineECC(spec Spec) bool {
	return slices.Contains([]string{"6.1", "7.5", "8.6", "8.9", "12.0"}, spec.ComputeCapability)
}

// virtual reports whether a device is seen through a hypervisor.
func (k *checker) virtual(r *Reading) bool {
	h, v := k.inv.Hypervisor, r.Virtualization
	return h.OK && h.V != "none" || v.V == "passthrough" || v.V == vGPU
}

// eccTotal reports whether a total is to a listed one as GDDR boards are with and without check bits in their memory: 15 to 16,
// one way or the other.
func eccTotal(spec Spec, total uint64) bool {
	if !inlineECC(spec) {
		return false
	}
	pair := func(more, less uint64) bool { return apart(more*15/16, less) <= eccSlackMiB }
	listed := func(total uint64) bool {
		return slices.ContainsFunc(spec.MemoryMiB, func(m uint64) bool { return pair(m, total) || pair(total, m) })
	}
	return listed(total) && !slices.ContainsFunc(spec.MemoryMiB, listed) // a list with both needs no guess
}

// fits reports whether a count is one of a model's figures, or below one of them where the device is divided.
func fits(n uint32, figures []uint16, divided bool) bool {
	return len(figures) == 0 || slices.ContainsFunc(figures, func(f uint16) bool { return n == uint32(f) || divided && n < uint32(f) })
}

func apart(a, b uint64) uint64 { return max(a, b) - min(a, b) }

// coresPerSM is the number of FP32 lanes of a multiprocessor (CUDA C++ Programming Guide, compute capabilities); 0: not known.
func coresPerSM(cc string) uint32 {
	switch major, _, _ := strings.Cut(cc, "."); {
	case slices.Contains([]string{"6.0", "7.0", "7.5", "8.0"}, cc):
		return 64
	case slices.Contains([]string{"6", "8", "9", "10", "12"}, major):
		return 128
	}
	return 0
}

// highestMHz is the highest clock that drivers report for boards of a model: the boost clock of a server part; of other boards
// the end of their generation's voltage curve, well above it. 0: not known.
func highestMHz(spec Spec) uint32 {
	desk := spec.Form == "desktop" || spec.Form == "workstation"
	switch {
	case len(spec.BoostMHz) == 0:
		return 0
	case desk && topMHz(spec.ComputeCapability) == 0:
		return 0
	case desk:
		return max(slices.Max(spec.BoostMHz), topMHz(spec.ComputeCapability))
	}
	return slices.Max(spec.BoostMHz)
}

// topMHz is the highest clock seen in nvidia-smi outputs of desktop and workstation boards of a compute capability (RTX 3090
// 2115, RTX 5090 3090); 0: not known.
func topMHz(cc string) uint32 {
	switch cc {
	case "7.0":
		return 1912
	case "7.5":
		return 2100
	case "8.6":
		return 2115
	case "8.9":
		return 3105
	case "12.0":
		return 3090
	}
	return 0
}
