package gpu

import (
	"slices"
	"strconv"
	"strings"
)

// checkMIG compares the instances of a divided device with their profiles and with the device.
func (k *checker) checkMIG(d Device, spec Spec) {
	mig := d.Reading.MIG.V
	if !mig.Enabled && len(mig.Instances) > 0 {
		k.add(ruleMIG, "%d instances and MIG is off", len(mig.Instances))
	}
	if mig.Enabled && neverDivides(spec.ComputeCapability) {
		k.add(ruleMIG, "MIG is on, and %q does not divide", d.Model)
	}
	if most := mig.MaxInstances; most > 0 && len(mig.Instances) > int(most) {
		k.add(ruleMIG, "%d instances, at most %d", len(mig.Instances), most)
	}
	var memory, sms uint64
	var ids []DeviceID
	for _, m := range mig.Instances {
		if slices.Contains(ids, m.ID) {
			k.add(ruleMIG, "two instances have the id %q", string(m.ID))
		}
		ids = append(ids, m.ID)
		gib, shared, ok := profileOf(m.Profile)
		switch {
		case !ok:
			k.add(ruleMIG, "%q is no profile", m.Profile)
			continue
		case m.MemoryMiB > gib*1024:
			k.add(ruleMIG, "an instance of profile %q has %d MiB", m.Profile, m.MemoryMiB)
		}
		if !shared { // compute instances share the memory of their GPU instance
			memory += m.MemoryMiB
		}
		sms += uint64(m.SMs)
	}
	if memory > d.MemoryMiB {
		k.add(ruleMIG, "instances have %d MiB together, the device has %d", memory, d.MemoryMiB)
	}
	if most, ok := mostSMs(d, spec); ok && sms > uint64(most) {
		k.add(ruleMIG, "instances have %d multiprocessors together, the device has %d", sms, most)
	}
}

// neverDivides reports whether no model of a compute capability has MIG (NVIDIA, Multi-Instance GPU User Guide, supported GPUs: all
// are of 8.0, or 9.0 and later).
func neverDivides(cc string) bool {
	return slices.Contains([]string{"6.0", "6.1", "7.0", "7.5", "8.6", "8.9"}, cc)
}

// mostSMs is how many multiprocessors a device has: what it says, or the largest variant of its row.
func mostSMs(d Device, spec Spec) (uint32, bool) {
	if n, ok := d.Reading.SMs.Get(); ok {
		return n, true
	}
	if len(spec.SMs) > 0 {
		return uint32(slices.Max(spec.SMs)), true
	}
	return 0, false
}

// profileOf reads "1g.10gb", "1g.10gb+me", "1g.24gb-me" and "1c.3g.20gb" (NVIDIA, Multi-Instance GPU User Guide): the memory, and whether it
// is a compute instance, which shares it.
func profileOf(name string) (gib uint64, shared, ok bool) {
	if i := strings.IndexAny(name, "+-"); i >= 0 {
		name = name[:i] // "+me", "-me", "+gfx": which engines come with it
	}
	parts := strings.Split(name, ".")
	if len(parts) == 3 {
		c, isCompute := strings.CutSuffix(parts[0], "c")
		if !isCompute || !digits(c) {
			return 0, false, false
		}
		shared, parts = true, parts[1:]
	}
	if len(parts) != 2 {
		return 0, false, false
	}
	share, isGPU := strings.CutSuffix(parts[0], "g")
	size, isMemory := strings.CutSuffix(parts[1], "gb")
	if !isGPU || !isMemory || !digits(share) || !digits(size) {
		return 0, false, false
	}
	gib, err := strconv.ParseUint(size, 10, 16)
	return gib, shared, err == nil
}

// digits reports whether s is decimal digits only, which ParseUint would not insist on.
func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
