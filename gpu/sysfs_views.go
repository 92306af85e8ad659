package gpu

import (
	"context"
	"io/fs"
	"strings"
)

const (
	pciDevices = "sys/bus/pci/devices"
	procGPUs   = "proc/driver/nvidia/gpus"
)

// Views fills in what the kernel of a Linux host says beside a driver: Host and BootID where they are empty, Hypervisor,
// PCIView and ProcView in any case. The file system is the root of the host: os.DirFS("/"). What cannot be read has a reason.
//
// The hypervisor is "none", WSL, the kind that the firmware names ("kvm", "vmware", "hyper-v", "xen", "virtualbox", "amazon",
// "google", "openstack"), or "unknown". Only a processor of the x86 family says that there is none.
func Views(ctx context.Context, root fs.FS, inv *Inventory) {
	t := tree{ctx: ctx, fs: root}
	if name := t.text("proc/sys/kernel/hostname"); inv.Host == "" {
		inv.Host = name.V
	}
	if id := t.text("proc/sys/kernel/random/boot_id"); inv.BootID == "" {
		inv.BootID = id.V
	}
	inv.Hypervisor = hypervisor(t)
	inv.PCIView = pciView(t)
	inv.ProcView = procView(t)
}

// hypervisor says what the host runs on.
func hypervisor(t tree) Opt[string] {
	release := t.text("proc/sys/kernel/osrelease")
	if low := strings.ToLower(release.V); strings.Contains(low, "wsl") || strings.Contains(low, "microsoft-standard") {
		return Some(WSL)
	}
	cpu := t.read("proc/cpuinfo")
	flags, known := cpuFlags(cpu.V)
	kind, named := firmwareKind(t)
	switch {
	case strings.Contains(flags+" ", " hypervisor "):
		if named {
			return Some(kind)
		}
		return Some("unknown")
	case known: // the flag is there or it is not: metal instances of a cloud have the cloud's firmware names
		return Some("none")
	case named:
		return Some(kind)
	case !cpu.OK:
		return None[string](cpu.Why)
	}
	return None[string](WhyNotSupported)
}

// cpuFlags finds the first line of flags, which x86 processors have.
func cpuFlags(cpuinfo string) (flags string, ok bool) {
	for line := range strings.Lines(cpuinfo) {
		if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == "flags" {
			return " " + strings.TrimSpace(value), true
		}
	}
	return "", false
}

// firmwareKind names the hypervisor by the system's firmware tables.
func firmwareKind(t tree) (kind string, ok bool) {
	names := strings.ToLower(t.text("sys/class/dmi/id/sys_vendor").V + " " + t.text("sys/class/dmi/id/product_name").V + " " +
		t.text("sys/hypervisor/type").V)
	for _, k := range [...][2]string{
		{"amazon ec2", "amazon"},
		{"google", "google"},
		{"openstack", "openstack"},
		{"vmware", "vmware"},
		{"virtualbox", "virtualbox"},
		{"innotek", "virtualbox"},
		{"microsoft corporation virtual machine", "hyper-v"},
		{"xen", "xen"},
		{"qemu", "kvm"},
		{"kvm", "kvm"},
	} {
		if strings.Contains(names, k[0]) {
			return k[1], true
		}
	}
	return "", false
}

// pciView lists the display controllers and accelerators of the PCI tree, by slot.
func pciView(t tree) Opt[[]PCIFunction] {
	slots := t.list(pciDevices, "")
	if !slots.OK {
		return None[[]PCIFunction](slots.Why)
	}
	out := []PCIFunction{}
	for _, slot := range slots.V {
		if _, ok := parseBus(slot); !ok {
			continue
		}
		t.dir = pciDevices + "/" + slot
		class := hexNumber[uint32](t, "class")
		if !class.OK || class.V>>16 != 0x03 && class.V>>8 != 0x1200 {
			continue
		}
		if t.list("physfn", "").OK {
			continue // a virtual function: a part of a device that is listed, made for a guest
		}
		if len(out) == maxFunctions {
			break
		}
		f := PCIFunction{BusID: slot, Class: class.V & 0xffffff, Driver: boundDriver(t)}
		f.ID = PCIPair{hexNumber[uint16](t, "vendor").V, hexNumber[uint16](t, "device").V}
		f.Subsystem = PCIPair{hexNumber[uint16](t, "subsystem_vendor").V, hexNumber[uint16](t, "subsystem_device").V}
		if f.ID.Vendor != 0 && f.ID.Device != 0 { // a function that has fallen off the bus answers with ones, or not at all
			out = append(out, f)
		}
	}
	if t.ctx.Err() != nil {
		return None[[]PCIFunction](WhyTimeout)
	}
	return Some(out)
}

// boundDriver is the kernel driver of a function: the line DRIVER= of its uevent.
func boundDriver(t tree) string {
	for line := range strings.Lines(t.read("uevent").V) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "DRIVER="); ok && checkText("driver", name, true) == nil {
			return name
		}
	}
	return ""
}

// isGPU reports whether a function is a GPU of a vendor that is known: a display controller, or an accelerator of AMD or
// NVIDIA. Intel's accelerators of that class are no GPUs.
func isGPU(f PCIFunction) bool {
	switch Vendor(f.ID.Vendor) {
	case NVIDIA, AMD:
		return f.Class>>16 == 0x03 || f.Class>>8 == 0x1200
	case Intel:
		return f.Class>>16 == 0x03
	}
	return false
}

// procView lists what NVIDIA's kernel module says in /proc, by slot.
func procView(t tree) Opt[[]ProcGPU] {
	slots := t.list(procGPUs, "")
	if !slots.OK {
		return None[[]ProcGPU](slots.Why)
	}
	out := []ProcGPU{}
	for _, slot := range slots.V {
		if _, ok := parseBus(slot); !ok || len(out) == maxFunctions {
			continue
		}
		t.dir = procGPUs + "/" + slot
		info := t.read("information")
		if !info.OK {
			return None[[]ProcGPU](info.Why)
		}
		g := ProcGPU{BusID: slot, Model: lineOf(info.V, "Model").V, ID: lineOf(info.V, "GPU UUID"), VBIOS: lineOf(info.V, "Video BIOS")}
		out = append(out, g)
	}
	return Some(out)
}

// lineOf finds a line "Name:  value".
func lineOf(text, name string) Opt[string] {
	for line := range strings.Lines(text) {
		if left, right, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(left) == name {
			value := strings.TrimSpace(right)
			if checkText(name, value, true) != nil {
				return None[string](WhyUnreadable)
			}
			return Some(value)
		}
	}
	return None[string](WhyNotSupported)
}
