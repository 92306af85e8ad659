package gpu

import (
	_ "embed" // for catalog.tsv
	"iter"
	"slices"
)

//go:embed catalog.tsv
var catalogTSV string

// Spec is what the catalogue knows about one model. Where boards of one name differ, a list holds every variant's figure; an
// empty list or a zero is a figure that the catalogue does not know.
type Spec struct {
	ID                string     // the catalogue's own name: "nvidia-h200"
	Name              string     // the driver's name, letter for letter: "NVIDIA H200"
	Vendor            Vendor     // PCI vendor id
	Form              string     // "sxm", "oam", "superchip", "pcie" (server card), "workstation", "desktop"
	Architecture      string     // the vendor's name of the generation: "Hopper"
	DeviceIDs         []uint16   // PCI device ids of the boards that bear the name
	Revisions         []uint8    // PCI revision ids, where one device id is several models; empty: any
	ComputeCapability string     // "9.0" (CUDA) or "gfx942" (AMD); empty: not known
	SMs               []uint16   // streaming multiprocessors; AMD: compute units
	BusWidthBits      []uint32   // of the memory bus
	BandwidthGBps     []uint32   // memory bandwidth in 10^9 bytes a second
	BoostMHz          []uint32   // the vendor's boost clock; drivers of desktop boards report more
	NominalGB         []uint32   // the round number on the box
	MemoryMiB         []uint64   // every total that drivers report for it, ascending
	ModifiedMiB       []uint64   // totals of boards rebuilt with larger memory chips, ascending
	GPUsPerBoard      uint8      // devices that share one board and its serial number
	Int8TOPS          uint32     // dense int8 rate in 10^12 operations a second, to nearest; 0: not known
	Int8Published     bool       // whether the vendor published Int8TOPS; otherwise it is SMs x BoostMHz x Int8PerSMClock
	NVLinks           Opt[uint8] // links that the part has, bridged or not; 0: it has none
	PCIeGen           uint8      // the highest generation
	PCIeWidth         uint8      // the most lanes
	MaxWatts          uint32     // power limit as sold; partners' desktop boards go higher
	DriverBranch      uint32     // first driver branch that runs it: 520 for 520.61.05
	MemoryVerified    bool       // whether all of MemoryMiB was seen in drivers' outputs; otherwise some of it was only published
	Sources           string     // letters explained at the head of catalog.tsv
}

// Catalog knows GPU models by the exact name that the driver reports. It is immutable and safe for concurrent use.
type Catalog struct {
	specs  []Spec         // sorted by name
	byName map[string]int // index into specs
}

// NewCatalog parses the catalogue that is part of the package.
func NewCatalog() (*Catalog, error) { return parseCatalog(catalogTSV) }

// Lookup finds the model of that exact name. The slices of the answer are the caller's.
func (c *Catalog) Lookup(model string) (Spec, bool) {
	i, ok := c.byName[model]
	if !ok {
		return Spec{}, false
	}
	return c.specs[i].clone(), true
}

// All iterates over the models, sorted by name. Their slices are the caller's.
func (c *Catalog) All() iter.Seq[Spec] {
	return func(yield func(Spec) bool) {
		for _, s := range c.specs {
			if !yield(s.clone()) {
				return
			}
		}
	}
}

// Identify finds the models of a vendor that bear a PCI device id and revision, sorted by name: several where boards differ
// in something else (A2 and A16). Their slices are the caller's.
func (c *Catalog) Identify(vendor Vendor, device uint16, revision uint8) []Spec {
	var out []Spec
	for _, s := range c.specs {
		if s.Vendor == vendor && slices.Contains(s.DeviceIDs, device) && (len(s.Revisions) == 0 || slices.Contains(s.Revisions, revision)) {
			out = append(out, s.clone())
		}
	}
	return out
}

// bearers gives the names that a device id has in the catalogue. It leaves out ids that are several models by their revision, which an
// inventory does not have: 73BF is a Radeon RX 6900 XT, an RX 6800 XT and, not in the catalogue, an RX 6800.
func (c *Catalog) bearers(vendor Vendor, device uint16) []string {
	var out []string
	for _, s := range c.specs {
		if s.Vendor == vendor && slices.Contains(s.DeviceIDs, device) && len(s.Revisions) == 0 {
			out = append(out, s.Name)
		}
	}
	return out
}

// Int8PerSMClock is how many dense int8 operations a streaming multiprocessor or compute unit does in one clock, a multiply
// and an add counted as two: tensor cores from 7.5 on, dp4a before. 0 is not known; 10.3 has next to no int8 rate.
func Int8PerSMClock(computeCapability string) uint32 {
	switch computeCapability {
	case "7.0":
		return 512
	case "6.1", "gfx908", "gfx90a":
		return 1024
	case "7.5", "8.6", "8.9", "12.0":
		return 2048
	case "8.0", "gfx942":
		return 4096
	case "9.0":
		return 8192
	case "10.0":
		return 16384
	}
	return 0
}

func (s Spec) clone() Spec {
	s.DeviceIDs, s.Revisions = slices.Clone(s.DeviceIDs), slices.Clone(s.Revisions)
	s.SMs, s.BusWidthBits = slices.Clone(s.SMs), slices.Clone(s.BusWidthBits)
	s.BandwidthGBps, s.BoostMHz = slices.Clone(s.BandwidthGBps), slices.Clone(s.BoostMHz)
	s.NominalGB, s.MemoryMiB, s.ModifiedMiB = slices.Clone(s.NominalGB), slices.Clone(s.MemoryMiB), slices.Clone(s.ModifiedMiB)
	return s
}
