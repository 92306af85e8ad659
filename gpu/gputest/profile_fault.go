package gputest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/idlegrid/idlegrid/gpu"
)

// Fault is something that goes wrong with one device, or a lie that its driver tells. Both views of the kernel and that of
// CUDA go on telling the truth. ParseFault lists the kinds.
type Fault struct {
	Kind   string        // "xid:79", "hang", "name:NVIDIA H100 80GB HBM3"
	Device int           // index; of node-wide kinds 0
	From   int           // the first probe that sees it, counted from 1; 0: by After
	Last   int           // the last probe that sees it; 0: until Source.Reset or Source.Reboot
	After  time.Duration // if From is 0: how long after the making of the source, by its clock
}

// ParseFault reads a fault as "kind[:argument][@from[-last]|@duration][#device]": "lost", "xid:79@3#1" (Xid 79 on device 1 at
// the third probe), "hang@2-4", "ecc:5@90s". The kinds:
//
//	xid:N              a notice of that error number, once
//	lost               the device has fallen off the bus: missing, Xid 79, still in the PCI tree
//	hang               the device answers nothing: the probe waits until its deadline, the device is missing
//	driver-gone        the whole node: Probe answers gpu.ErrNoDriver
//	ecc:N              N uncorrected memory errors, with a notice
//	ecc-corrected:N    N corrected ones
//	row-remap-pending  a row waits for a reset to be replaced
//	row-remap-failed   no spare row was left; stays after a reset
//	throttle:REASON    a name of gpu.Throttle, such as hw-thermal: half the clock, and too hot where it is a thermal one
//	width-drop:N       PCIe runs at N lanes
//	replays:N          N PCIe replays
//	nvlink-down:N      NVLink N is down
//
// and the lies:
//
//	name:TEXT, memory:MIB, pci:HEX, uuid:TEXT, serial:TEXT, cc:TEXT, sms:N, driver:TEXT (the whole node)
//	duplicate-uuid, duplicate-serial, duplicate-bus   as the device before it, device 0 as the last
//	static             the telemetry stands still where it was when the fault began
//	energy-back        the energy counter is at 0
func ParseFault(s string) (Fault, error) {
	f := Fault{From: 1}
	rest, device, ok := cutLast(s, '#')
	if ok {
		n, err := strconv.Atoi(device)
		if err != nil || n < 0 {
			return Fault{}, fmt.Errorf("gputest: fault %q: device %q", s, device)
		}
		f.Device = n
	}
	kind, when, ok := cutLast(rest, '@')
	if ok {
		from, last, span := strings.Cut(when, "-")
		n, err := strconv.Atoi(from)
		switch d, derr := time.ParseDuration(when); {
		case err == nil && n > 0:
			f.From = n
		case derr == nil && d >= 0 && !span:
			f.From, f.After = 0, d
		default:
			return Fault{}, fmt.Errorf("gputest: fault %q: %q is neither a probe nor a duration", s, when)
		}
		if span {
			if n, err = strconv.Atoi(last); err != nil || n < f.From {
				return Fault{}, fmt.Errorf("gputest: fault %q: probes %q", s, when)
			}
			f.Last = n
		}
	}
	f.Kind = kind
	return f, f.validate(gpu.MaxDevices)
}

// String spells the fault as ParseFault reads it.
func (f Fault) String() string {
	s := f.Kind
	switch {
	case f.From == 0:
		s += "@" + f.After.String()
	case f.Last != 0:
		s += fmt.Sprintf("@%d-%d", f.From, f.Last)
	default:
		s += fmt.Sprintf("@%d", f.From)
	}
	return fmt.Sprintf("%s#%d", s, f.Device)
}

func cutLast(s string, sep byte) (before, after string, found bool) {
	if i := strings.LastIndexByte(s, sep); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

func (f Fault) validate(devices int) error {
	kind, arg, _ := strings.Cut(f.Kind, ":")
	numbers := []string{"xid", "ecc", "ecc-corrected", "width-drop", "replays", "nvlink-down", "memory", "sms"}
	texts := []string{"name", "uuid", "serial", "cc", "driver", "throttle", "pci"}
	plain := []string{
		"lost", "hang", "driver-gone", "row-remap-pending", "row-remap-failed", "duplicate-uuid", "duplicate-serial", "duplicate-bus", "static",
		"energy-back",
	}
	number, err := strconv.ParseUint(arg, 10, 32)
	ok := arg != ""
	switch {
	case slices.Contains(numbers, kind):
		ok = err == nil && (kind != "xid" || number > 0)
	case kind == "throttle":
		ok = reason(arg) != 0
	case kind == "pci":
		_, err = strconv.ParseUint(arg, 16, 16)
		ok = err == nil
	case slices.Contains(plain, f.Kind):
		ok = true
	case !slices.Contains(texts, kind):
		return fmt.Errorf("gputest: fault %q is of no kind that ParseFault lists", f.Kind)
	}
	switch {
	case !ok:
		return fmt.Errorf("gputest: fault %q: the argument is missing or wrong", f.Kind)
	case f.Device < 0 || f.Device >= devices:
		return fmt.Errorf("gputest: fault %q: device %d of %d", f.Kind, f.Device, devices)
	case f.From < 0 || f.After < 0 || f.Last < 0 || f.Last > 0 && f.Last < f.From:
		return fmt.Errorf("gputest: fault %q: from probe %d to %d after %v", f.Kind, f.From, f.Last, f.After)
	}
	return nil
}

// reason finds a throttle reason by its name; 0 if there is none.
func reason(name string) gpu.Throttle {
	for bit := range 9 {
		if t := gpu.Throttle(1) << bit; t.Names()[0] == name {
			return t
		}
	}
	return 0
}

// split gives the kind without its argument, the argument, and the number in it, if it is one.
func (f Fault) split() (kind, arg string, n uint64) {
	kind, arg, _ = strings.Cut(f.Kind, ":")
	n, _ = strconv.ParseUint(arg, 10, 32)
	return kind, arg, n
}

// damage does to a device's answers what a fault of the hardware does.
func (f Fault) damage(d *gpu.Device) {
	kind, arg, n := f.split()
	r := d.Reading
	switch kind {
	case "ecc":
		r.UncorrectedVolatile, r.UncorrectedAggregate = more(r.UncorrectedVolatile, n), more(r.UncorrectedAggregate, n)
	case "ecc-corrected":
		r.CorrectedVolatile, r.CorrectedAggregate = more(r.CorrectedVolatile, n), more(r.CorrectedAggregate, n)
	case "row-remap-pending":
		r.Rows = gpu.Some(gpu.RowRemap{Uncorrectable: r.Rows.V.Uncorrectable + 1, Pending: true, Failed: r.Rows.V.Failed})
	case "row-remap-failed":
		r.Rows = gpu.Some(gpu.RowRemap{Uncorrectable: r.Rows.V.Uncorrectable, Pending: r.Rows.V.Pending, Failed: true})
	case "throttle":
		why := reason(arg)
		r.Throttle, r.SMClockMHz = gpu.Some(r.Throttle.V&^gpu.ThrottleIdle|why), gpu.Some(r.MaxSMClockMHz.V/2)
		if why&(gpu.ThrottleHWThermal|gpu.ThrottleSWThermal) != 0 {
			r.TempCelsius = gpu.Some(r.SlowdownCelsius.V)
		}
		if why&(gpu.ThrottleHWThermal|gpu.ThrottleHWPowerBrake) != 0 {
			r.Throttle.V |= gpu.ThrottleHWSlowdown // the driver sets both
		}
	case "width-drop":
		r.PCIeWidth = gpu.Some(uint32(n))
	case "replays":
		r.PCIeReplays = gpu.Some(n)
	case "nvlink-down":
		if links := r.NVLinks.V; n < uint64(len(links)) {
			links[n].Up, links[n].RemoteBusID, links[n].RemoteKind = false, "", ""
		}
	}
}

func more(o gpu.Opt[uint64], n uint64) gpu.Opt[uint64] { return gpu.Some(o.V + n) }

// lie changes what the driver says of the device at index k of the inventory.
func (f Fault) lie(inv *gpu.Inventory, k int) {
	kind, arg, n := f.split()
	d := &inv.Devices[k]
	before := inv.Devices[(k+len(inv.Devices)-1)%len(inv.Devices)]
	switch kind {
	case "name":
		d.Model = arg
	case "memory":
		d.MemoryMiB = n
		m := d.Reading.Memory.V
		m.Total = n << 20
		m.Free = max(m.Total, m.Used+m.Reserved) - m.Used - m.Reserved
		d.Reading.Memory = gpu.Some(m)
	case "pci":
		id, _ := strconv.ParseUint(arg, 16, 16)
		d.PCIDeviceID = uint16(id)
	case "uuid":
		d.ID = gpu.DeviceID(arg)
	case "serial":
		d.Serial = arg
	case "cc":
		d.Reading.ComputeCapability = gpu.Some(arg)
	case "sms":
		d.Reading.SMs = gpu.Some(uint32(n))
	case "driver":
		inv.Driver = arg
	case "duplicate-uuid":
		d.ID = before.ID
	case "duplicate-serial":
		d.Serial = before.Serial
	case "duplicate-bus":
		d.BusID = before.BusID
	case "energy-back":
		d.Reading.EnergyMillijoules = gpu.Some(uint64(0))
	}
}

// notices are what the driver says when the fault begins.
func (f Fault) notices(at time.Time, d gpu.Device) []gpu.Notice {
	kind, _, n := f.split()
	say := func(k gpu.NoticeKind, xid uint32) gpu.Notice {
		return gpu.Notice{At: at, Kind: k, ID: d.ID, BusID: d.BusID, Xid: xid}
	}
	switch kind {
	case "xid":
		return []gpu.Notice{say(gpu.NoticeXid, uint32(n))}
	case "lost":
		return []gpu.Notice{say(gpu.NoticeXid, 79), say(gpu.NoticeLost, 0)}
	case "ecc":
		return []gpu.Notice{say(gpu.NoticeXid, 48), say(gpu.NoticeUncorrected, 0)}
	case "ecc-corrected":
		return []gpu.Notice{say(gpu.NoticeCorrected, 0)}
	case "row-remap-pending":
		return []gpu.Notice{say(gpu.NoticeXid, 63)}
	case "row-remap-failed":
		return []gpu.Notice{say(gpu.NoticeXid, 64)}
	case "nvlink-down":
		return []gpu.Notice{say(gpu.NoticeXid, 74)}
	}
	return nil
}
