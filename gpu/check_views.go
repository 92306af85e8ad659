package gpu

import (
	"slices"
	"strings"
)

// checkViews compares the inventory with the other witnesses that were heard. A host can forge all of them, one by one; a
// forged management library alone forges none.
func (k *checker) checkViews() {
	if k.inv.Hypervisor.OK && k.inv.Hypervisor.V == WSL {
		k.checkCUDA()
		return
	}
	if view, ok := k.inv.PCIView.Get(); ok {
		k.checkPCI(view)
	}
	if view, ok := k.inv.ProcView.Get(); ok {
		k.checkProc(view)
	}
	k.checkCUDA()
}

// checkPCI compares with the kernel's PCI tree.
func (k *checker) checkPCI(view []PCIFunction) {
	var slots []uint64 // of devices that the inventory mentions
	for i, d := range k.inv.Devices {
		k.device = i
		slot, _ := parseBus(d.BusID)
		slots = append(slots, slot)
		at := slices.IndexFunc(view, func(f PCIFunction) bool { return sameSlot(f.BusID, slot) })
		switch want := (PCIPair{uint16(d.Vendor), d.PCIDeviceID}); {
		case at < 0:
			k.add(ruleSysfsMissing, "the PCI tree has nothing in slot %q", d.BusID)
		case view[at].ID != want:
			k.add(ruleSysfsMissing, "the PCI tree has %04x:%04x in slot %q, not %04x:%04x", view[at].ID.Vendor, view[at].ID.Device, d.BusID,
				want.Vendor, want.Device)
		}
	}
	for _, m := range k.inv.Missing {
		if slot, ok := parseBus(m.BusID); ok {
			slots = append(slots, slot)
		}
	}
	k.device = Host
	for _, f := range view {
		ours := slices.ContainsFunc(k.inv.Devices, func(d Device) bool { return uint16(d.Vendor) == f.ID.Vendor })
		lent := f.Driver == "vfio-pci" || f.Driver == "pci-stub" // to a virtual machine
		slot, isSlot := parseBus(f.BusID)
		if ours && isGPU(f) && !lent && isSlot && !slices.Contains(slots, slot) {
			k.add(ruleSysfsExtra, "the PCI tree has %04x:%04x in slot %q, the inventory does not", f.ID.Vendor, f.ID.Device, f.BusID)
		}
	}
}

// checkProc compares with the files of NVIDIA's kernel module.
func (k *checker) checkProc(view []ProcGPU) {
	for i, d := range k.inv.Devices {
		if d.Vendor != NVIDIA {
			continue
		}
		k.device = i
		slot, _ := parseBus(d.BusID)
		at := slices.IndexFunc(view, func(g ProcGPU) bool { return sameSlot(g.BusID, slot) })
		if at < 0 {
			k.add(ruleProcMismatch, "/proc/driver/nvidia has nothing in slot %q", d.BusID)
			continue
		}
		g := view[at]
		if g.Model != d.Model && g.Model != "Unknown" { // a board that is newer than the module's own table of names
			k.add(ruleProcMismatch, "the model is %q, in /proc/driver/nvidia %q", d.Model, g.Model)
		}
		// Before the device is first used, the module prints question marks.
		if id, ok := g.ID.Get(); ok && !strings.Contains(id, "?") && strings.HasPrefix(string(d.ID), "GPU-") && id != string(d.ID) {
			k.add(ruleProcMismatch, "the UUID is %q, in /proc/driver/nvidia %q", string(d.ID), id)
		}
		if v, ok := g.VBIOS.Get(); ok && !strings.Contains(v, "?") && d.VBIOS != "" && !strings.EqualFold(v, d.VBIOS) {
			k.add(ruleProcMismatch, "the VBIOS is %q, in /proc/driver/nvidia %q", d.VBIOS, v)
		}
	}
	k.device = Host
}

// checkCUDA compares with the CUDA driver library, which may show fewer devices than there are.
func (k *checker) checkCUDA() {
	view, ok := k.inv.CUDAView.Get()
	if !ok {
		return
	}
	for _, g := range view {
		i, total := k.owner(g.ID)
		k.device = i
		if i == Host {
			if !k.mayBeMissing(g.ID) {
				k.add(ruleCUDAUUID, "the CUDA driver has %q (%q), the inventory does not", string(g.ID), g.Name)
			}
			continue
		}
		d := k.inv.Devices[i]
		mig := Opt[MIG]{}
		if d.Reading != nil {
			mig = d.Reading.MIG
		}
		part := strings.HasPrefix(g.Name, d.Model+" MIG ") && (!mig.OK || mig.V.Enabled)
		if g.Name != d.Model && !part {
			k.add(ruleCUDAName, "the model is %q, the CUDA driver has %q", d.Model, g.Name)
		}
		// The driver keeps a part for itself: 0.8 % of an A100, about 3 % of a small board, more of a small vGPU. cuDeviceGetUuid gives
		// the UUID of the whole device for an instance, cuDeviceGetUuid_v2 that of the instance: of the first only the bound holds.
		most := (total + 1) * mib
		least := min(most/10*9, most-min(most, keptBytes))
		if part && bareID(d.ID) == bareID(g.ID) {
			least = 0
		}
		if g.MemoryBytes > most || g.MemoryBytes < least {
			k.add(ruleCUDAMemory, "the total is %d MiB, the CUDA driver has %d bytes", total, g.MemoryBytes)
		}
		spec, _ := k.spec(d.Model)
		if cc, has := g.ComputeCapability.Get(); has && spec.ComputeCapability != "" && cc != spec.ComputeCapability {
			k.add(ruleComputeCapability, "the CUDA driver has compute capability %q, the model has %q", cc, spec.ComputeCapability)
		}
		if n, has := g.SMs.Get(); has && !fits(n, spec.SMs, part || mig.V.Enabled) {
			k.add(ruleSMCount, "the CUDA driver has %d multiprocessors, the model has %d", n, spec.SMs)
		}
	}
	k.device = Host
}

// keptBytes is what a driver may keep of a device however small it is.
const keptBytes = 512 * mib

// bareID is an id without what drivers put before it.
func bareID(id DeviceID) string {
	return strings.TrimPrefix(strings.TrimPrefix(string(id), "GPU-"), "MIG-")
}

// mayBeMissing reports whether a device that the CUDA driver has may be one that could not be read: the one of that id, or one of
// which no id is known.
func (k *checker) mayBeMissing(id DeviceID) bool {
	return slices.ContainsFunc(k.inv.Missing, func(m Missing) bool { return m.ID == "" || bareID(m.ID) == bareID(id) })
}

// owner finds the device of a UUID that the CUDA driver gave, itself or by one of its instances, and the memory that it has
// in MiB. CUDA writes "GPU-" before an instance's UUID too. The index is Host where there is none.
func (k *checker) owner(id DeviceID) (index int, totalMiB uint64) {
	for i, d := range k.inv.Devices {
		if bareID(d.ID) == bareID(id) {
			return i, d.MemoryMiB
		}
		if d.Reading == nil {
			continue
		}
		for _, m := range d.Reading.MIG.V.Instances {
			if bareID(m.ID) == bareID(id) {
				return i, m.MemoryMiB
			}
		}
	}
	return Host, 0
}

func sameSlot(bus string, slot uint64) bool {
	other, ok := parseBus(bus)
	return ok && other == slot
}
