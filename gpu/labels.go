package gpu

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// MIGStrategy says how labels show divided devices, as in NVIDIA's device plugin for Kubernetes.
type MIGStrategy uint8

// The strategies.
const (
	MIGNone   MIGStrategy = iota // devices show whole
	MIGSingle                    // all instances are alike and show as the GPUs of the node
	MIGMixed                     // every kind of instance has labels of its own beside those of the devices
)

// String returns the strategy as the device plugin spells it.
func (s MIGStrategy) String() string { return word(int(s), "none", "single", "mixed") }

// LabelsConfig is what Labels says beside the inventory.
type LabelsConfig struct {
	// Machine is what the firmware calls the machine (/sys/class/dmi/id/product_name on Linux); empty: no such label.
	Machine string
	// MIG is how divided devices show.
	MIG MIGStrategy
}

// Label is one label of a Kubernetes node: a key and a value that Kubernetes admits.
type Label struct {
	Key, Value string
}

// Labels describes the NVIDIA devices of an inventory with the labels of NVIDIA's gpu-feature-discovery, sorted by key. There
// are none without such a device, and none for a value that is missing. Of a node with several models the one with the most
// devices shows, of equally many the first by name; gpu.count counts that model only.
//
// Values are cut to what Kubernetes admits: at most 63 bytes of [A-Za-z0-9-_.] with a letter or a digit at both ends. In a
// key the "+" of an instance's name becomes ".", and an instance whose name ParseMIGName refuses has no labels.
//
// Keys and rules: NVIDIA/k8s-device-plugin, docs/gpu-feature-discovery and internal/lm. Left out are the timestamp, which is
// no property of the hardware, the labels of sharing and of fabric cliques, the engines' counts, and those deprecated.
func Labels(inv Inventory, c LabelsConfig) []Label {
	devices, all := mainModel(inv)
	if len(devices) == 0 {
		return nil
	}
	l := labelSet{}
	l.set("gpu.machine", c.Machine)
	l.versions(inv)
	l.mode(inv, all)
	l.resource("gpu", devices[0].Model, len(devices))
	l.number("gpu.memory", devices[0].MemoryMiB)
	l.architecture(devices)
	l.capable(all)
	if c.MIG != MIGNone {
		l.set("mig.strategy", c.MIG.String())
	}
	switch c.MIG {
	case MIGSingle:
		l.single(all)
	case MIGMixed:
		l.mixed(all)
	case MIGNone:
	}
	out := make([]Label, 0, len(l))
	for _, key := range slices.Sorted(maps.Keys(l)) {
		out = append(out, Label{key, l[key]})
	}
	return out
}

// mainModel returns the devices of the commonest model, and all of NVIDIA's.
func mainModel(inv Inventory) (devices, all []Device) {
	count := map[string]int{}
	for _, d := range inv.Devices {
		if d.Vendor == NVIDIA {
			all = append(all, d)
			count[d.Model]++
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	model := slices.MinFunc(all, func(a, b Device) int {
		return cmp.Or(cmp.Compare(count[b.Model], count[a.Model]), cmp.Compare(a.Model, b.Model))
	}).Model
	for _, d := range all {
		if d.Model == model {
			devices = append(devices, d)
		}
	}
	return devices, all
}

// labelSet maps whole keys to values.
type labelSet map[string]string

// set cleans the value and keeps it unless nothing is left.
func (l labelSet) set(key, value string) {
	if v := labelValue(value); v != "" {
		l["nvidia.com/"+key] = v
	}
}

func (l labelSet) number(key string, v uint64) { l.set(key, strconv.FormatUint(v, 10)) }

// versions splits the driver's version and that of CUDA; one of another form has only "full".
func (l labelSet) versions(inv Inventory) {
	l.version("cuda.driver-version", inv.Driver, 2, 3)
	if v, ok := inv.CUDADriver.Get(); ok {
		l.version("cuda.runtime-version", v, 2, 2)
	}
}

func (l labelSet) version(key, version string, least, most int) {
	l.set(key+".full", version)
	parts := strings.Split(version, ".")
	if len(parts) < least || len(parts) > most || slices.ContainsFunc(parts, func(p string) bool { return !allDigits(p) }) {
		return
	}
	for i, part := range parts {
		l.set(key+"."+[...]string{"major", "minor", "revision"}[i], part)
	}
}

// mode tells by the PCI class of the devices whether they drive displays: 0x0300 is a VGA, 0x0302 a 3D controller.
func (l labelSet) mode(inv Inventory, all []Device) {
	class := map[uint64]uint32{}
	for _, f := range inv.PCIView.V {
		if slot, ok := parseBus(f.BusID); ok {
			class[slot] = f.Class >> 8
		}
	}
	mode := ""
	for _, d := range all {
		slot, _ := parseBus(d.BusID)
		var m string
		switch c, seen := class[slot]; {
		case !seen:
			continue
		case c == 0x0300:
			m = "graphics"
		case c == 0x0302:
			m = "compute"
		default:
			m = "unknown"
		}
		if mode != "" && mode != m {
			m = "unknown"
		}
		mode = m
	}
	l.set("gpu.mode", mode)
}

func (l labelSet) resource(resource, product string, count int) {
	l.set(resource+".product", product)
	l.number(resource+".count", uint64(count))
}

// architecture takes the compute capability of the first device that gives it.
func (l labelSet) architecture(devices []Device) {
	for _, d := range devices {
		if d.Reading == nil {
			continue
		}
		major, minor, ok := strings.Cut(d.Reading.ComputeCapability.V, ".")
		if ok && allDigits(major) && allDigits(minor) {
			l.set("gpu.compute.major", major)
			l.set("gpu.compute.minor", minor)
			l.set("gpu.family", archFamily(major, minor))
			return
		}
	}
}

// archFamily names the architecture; "undefined" for one that is not known here.
func archFamily(major, minor string) string {
	switch major {
	case "3":
		return "kepler"
	case "5":
		return "maxwell"
	case "6":
		return "pascal"
	case "7":
		if minor < "5" {
			return "volta"
		}
		return "turing"
	case "8":
		if minor == "9" {
			return "ada-lovelace"
		}
		return "ampere"
	case "9":
		return "hopper"
	case "10", "12":
		return "blackwell"
	}
	return "undefined"
}

// capable is true if a device has a MIG mode, false if all say that they have none, and left out where some do not say.
func (l labelSet) capable(all []Device) {
	none := 0
	for _, d := range all {
		switch {
		case d.Reading == nil:
		case d.Reading.MIG.OK:
			l.set("mig.capable", "true")
			return
		case d.Reading.MIG.Why == WhyNotSupported:
			none++
		}
	}
	if none == len(all) {
		l.set("mig.capable", "false")
	}
}

// migKind is the instances of one name: the first of them, on which device's model, and how many there are.
type migKind struct {
	name  MIGName
	model string
	first MIGInstance
	count int
}

// single shows instances in place of devices. Where some devices are divided and some are not, one has no instances, or they
// are not all alike, the product says so and the count is 0.
func (l labelSet) single(all []Device) {
	divided, empty := 0, false
	for _, d := range all {
		if d.Reading != nil && d.Reading.MIG.V.Enabled {
			divided++
			empty = empty || len(d.Reading.MIG.V.Instances) == 0
		}
	}
	if divided == 0 {
		return
	}
	kinds, odd := instanceKinds(all)
	if empty || odd || divided < len(all) || len(kinds) != 1 {
		l.resource("gpu", all[0].Model+" MIG INVALID", 0)
		l.number("gpu.memory", 0)
		return
	}
	l.instances("gpu", kinds[0])
}

// mixed gives every kind of instance labels of its own.
func (l labelSet) mixed(all []Device) {
	kinds, _ := instanceKinds(all)
	for _, k := range kinds {
		l.instances("mig-"+strings.ReplaceAll(k.name.String(), "+", "."), k)
	}
}

func (l labelSet) instances(resource string, k migKind) {
	l.resource(resource, k.model+" MIG "+k.name.String(), k.count)
	l.number(resource+".memory", k.first.MemoryMiB)
	l.number(resource+".multiprocessors", uint64(k.first.SMs))
	l.number(resource+".slices.gi", uint64(k.name.Slices))
	l.number(resource+".slices.ci", uint64(cmp.Or(k.name.Compute, k.name.Slices)))
}

// instanceKinds gathers the instances by name, in the order in which names first appear; odd says that one had no name that
// can be read.
func instanceKinds(all []Device) (kinds []migKind, odd bool) {
	for _, d := range all {
		if d.Reading == nil || !d.Reading.MIG.V.Enabled {
			continue
		}
		for _, m := range d.Reading.MIG.V.Instances {
			name, err := ParseMIGName(m.Profile)
			if err != nil {
				odd = true
				continue
			}
			i := slices.IndexFunc(kinds, func(k migKind) bool { return k.name == name })
			if i < 0 {
				i = len(kinds)
				kinds = append(kinds, migKind{name: name, model: d.Model, first: m})
			}
			kinds[i].count++
		}
	}
	return kinds, odd
}

// labelValue drops what a label cannot hold, joins words with "-", and trims the ends until both are a letter or a digit.
func labelValue(s string) string {
	clean := strings.Map(func(r rune) rune {
		if r < 0x80 && (alnum(byte(r)) || strings.ContainsRune("-_. ", r)) {
			return r
		}
		return -1
	}, s)
	clean = strings.Join(strings.Fields(clean), "-")
	clean = clean[:min(len(clean), 63)]
	return strings.Trim(clean, "-_.")
}

func alnum(b byte) bool {
	return '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}

// allDigits reports whether s is a number and short enough for a version.
func allDigits(s string) bool { return s != "" && len(s) <= 9 && strings.Trim(s, "0123456789") == "" }
