package gpu

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"
)

// SysfsConfig says what a Sysfs reads.
type SysfsConfig struct {
	FS       fs.FS            // the root of the host's file system: os.DirFS("/"); needed
	Catalog  *Catalog         // names devices by their PCI ids, which is all that the kernel knows of many; needed
	Now      func() time.Time // the clock of Inventory.Taken: time.Now; needed
	Platform string           // Inventory.Platform: runtime.GOOS + "/" + runtime.GOARCH; may be empty
}

// Sysfs is a Source that reads the kernel's files and nothing else: GPUs of AMD and Intel with their state, and which GPUs of
// NVIDIA the PCI bus holds. Those are in Inventory.Missing, because the kernel does not know their memory; so are devices
// without an identity. It is safe for concurrent use if FS and Now are.
//
// An AMD device is named by its unique_id: "AMD-1f2e3d4c5b6a7988". Where there is none, an id is made of the host's machine id
// and the slot, hashed: it tells devices apart and moves with the slot.
type Sysfs struct {
	config SysfsConfig
	closed func() error // nil until closed
	end    func()
}

// NewSysfs returns a source. An error wraps ErrInvalid and names the field that is missing.
func NewSysfs(c SysfsConfig) (*Sysfs, error) {
	switch {
	case c.FS == nil:
		return nil, fmt.Errorf("%w: sysfs: FS is nil", ErrInvalid)
	case c.Catalog == nil:
		return nil, fmt.Errorf("%w: sysfs: Catalog is nil", ErrInvalid)
	case c.Now == nil:
		return nil, fmt.Errorf("%w: sysfs: Now is nil", ErrInvalid)
	}
	ctx, cancel := context.WithCancel(context.Background()) // a latch that any number of callers may ask and set
	return &Sysfs{config: c, closed: ctx.Err, end: cancel}, nil
}

// Probe reads the files once. A file that is not there is a value that is not supported. It looks at ctx between files; a read
// that the kernel holds up cannot be cut short. Without any GPU it returns ErrNoDriver, and ErrUnsupported where there is no
// PCI tree.
func (s *Sysfs) Probe(ctx context.Context) (Inventory, error) {
	if s.closed() != nil {
		return Inventory{}, ErrClosed
	}
	t := tree{ctx: ctx, fs: s.config.FS}
	inv := Inventory{Taken: s.config.Now().UTC(), Backend: "sysfs", Platform: s.config.Platform}
	Views(ctx, s.config.FS, &inv)
	if !inv.PCIView.OK {
		if err := ctx.Err(); err != nil {
			return Inventory{}, err
		}
		return Inventory{}, fmt.Errorf("%w: PCI tree: %s", ErrUnsupported, inv.PCIView.Why)
	}
	for _, f := range inv.PCIView.V {
		if isGPU(f) {
			s.probe(t, f, &inv)
		}
	}
	if len(inv.Devices)+len(inv.Missing) == 0 {
		return Inventory{}, fmt.Errorf("%w: the PCI tree has no GPU of AMD, Intel or NVIDIA", ErrNoDriver)
	}
	inv.Driver = driverOf(t, inv)
	return inv, nil
}

// Watch returns ErrUnsupported: the kernel's files announce nothing. After Close it returns ErrClosed.
func (s *Sysfs) Watch(context.Context, func(Notice)) error {
	if s.closed() != nil {
		return ErrClosed
	}
	return ErrUnsupported
}

// Close ends the source. It holds nothing open.
func (s *Sysfs) Close() error {
	s.end()
	return nil
}

// probe appends one GPU to the devices of an inventory, or to what is missing from it.
func (s *Sysfs) probe(t tree, f PCIFunction, inv *Inventory) {
	t.dir = pciDevices + "/" + f.BusID
	d := Device{Vendor: Vendor(f.ID.Vendor), PCIDeviceID: f.ID.Device, BusID: f.BusID, Reading: &Reading{Subsystem: Some(f.Subsystem)}}
	miss := func(why string) {
		if len(inv.Missing) < maxFunctions {
			inv.Missing = append(inv.Missing, Missing{ID: d.ID, BusID: f.BusID, Why: why})
		}
	}
	var total Opt[uint64]
	switch d.Vendor {
	case AMD:
		total = readAMD(t, &d)
	case Intel:
		total = readIntel(t, &d)
	default:
		if i := slices.IndexFunc(inv.ProcView.V, func(g ProcGPU) bool { return g.BusID == f.BusID }); i >= 0 {
			d.ID = DeviceID(inv.ProcView.V[i].ID.V)
		}
		miss(WhyNotSupported + ": needs the vendor's management library")
		return
	}
	if d.ID == "" {
		d.ID = t.localID(f.BusID)
	}
	switch {
	case d.ID == "":
		miss(WhyNotSupported + ": no identity")
		return
	case !total.OK:
		miss(total.Why + ": memory total")
		return
	case total.V < mib || total.V/mib > maxMemoryMiB:
		miss(WhyUnreadable + ": memory total")
		return
	case len(inv.Devices) == MaxDevices:
		miss(fmt.Sprintf("%s: more than %d devices", WhyNotSupported, MaxDevices))
		return
	}
	d.MemoryMiB = total.V / mib
	s.name(t, &d)
	inv.Devices = append(inv.Devices, d)
}

// name fills in what the catalogue knows by PCI id and revision. Where it has several models, the memory tells; where it has
// none, the board's own product name stands, or the ids.
func (s *Sysfs) name(t tree, d *Device) {
	revision := hexNumber[uint8](t, "revision")
	rows := s.config.Catalog.Identify(d.Vendor, d.PCIDeviceID, revision.V)
	if len(rows) > 1 {
		rows = slices.DeleteFunc(rows, func(r Spec) bool { return !slices.Contains(r.MemoryMiB, d.MemoryMiB) })
	}
	product := t.text("product_name")
	switch {
	case len(rows) == 1:
		d.Model = rows[0].Name
		if rows[0].ComputeCapability != "" {
			d.Reading.ComputeCapability = Some(rows[0].ComputeCapability)
		}
		d.Reading.Architecture = Some(rows[0].Architecture)
	case product.OK:
		d.Model = product.V
	default:
		d.Model = fmt.Sprintf("%v %04x", d.Vendor, d.PCIDeviceID)
	}
}

// driverOf is the version of the kernel driver of the first device, or of what is missing: NVIDIA's, where its module says
// one, else the driver's name and the kernel's release.
func driverOf(t tree, inv Inventory) string {
	t.dir = ""
	if v := t.text("sys/module/nvidia/version"); v.OK && len(inv.Devices) == 0 {
		return v.V
	}
	driver := "none"
	for _, f := range inv.PCIView.V {
		if isGPU(f) && f.Driver != "" {
			driver = f.Driver
			break
		}
	}
	if v := t.text("sys/module/" + driver + "/version"); v.OK {
		return driver + " " + v.V
	}
	if v := t.text("proc/sys/kernel/osrelease"); v.OK && len(driver)+1+len(v.V) <= maxText {
		return driver + " " + v.V
	}
	return driver
}

// localID makes an id of the host and a slot. machine-id(5) asks not to show the host's id itself.
func (t tree) localID(slot string) DeviceID {
	t.dir = ""
	host := t.text("etc/machine-id")
	if !host.OK {
		return ""
	}
	sum := sha256.Sum256([]byte("idlegrid/gpu/slot/v1\x00" + host.V + "\x00" + slot))
	return DeviceID(fmt.Sprintf("SLOT-%x", sum[:16]))
}

// whyOf says why a file gave no value.
func whyOf(ctx context.Context, err error) string {
	switch {
	case ctx.Err() != nil:
		return WhyTimeout
	case errors.Is(err, fs.ErrNotExist):
		return WhyNotSupported
	case errors.Is(err, fs.ErrPermission):
		return WhyNoPermission
	}
	return WhyUnreadable
}
