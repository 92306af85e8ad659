package gpu

import (
	_ "embed" // for catalog.tsv
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
)

//go:embed catalog.tsv
var catalogTSV string

// Spec is what the catalogue knows about one model.
type Spec struct {
	ID                string   // the catalogue's own name: "nvidia-h200"
	Name              string   // the driver's name, letter for letter: "NVIDIA H200"
	Vendor            Vendor   // PCI vendor id
	DeviceIDs         []uint16 // PCI device ids of the boards that bear the name
	ComputeCapability string   // "9.0"
	SMs               []uint16 // streaming multiprocessors, one figure a variant; empty: not known
	BandwidthGBps     []uint32 // memory bandwidth in 10^9 bytes a second, one figure a variant; empty: not known
	NominalGB         []uint32 // the round number on the box, one figure a variant
	MemoryMiB         []uint64 // every total that drivers report for it, ascending
	ModifiedMiB       []uint64 // totals of boards rebuilt with larger memory chips, ascending
	GPUsPerBoard      uint8    // devices that share one board and its serial number
	MemoryVerified    bool     // whether MemoryMiB was seen in drivers' outputs; otherwise it was only published
	Sources           string   // letters explained at the head of catalog.tsv
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

func (s Spec) clone() Spec {
	s.DeviceIDs, s.SMs, s.BandwidthGBps = slices.Clone(s.DeviceIDs), slices.Clone(s.SMs), slices.Clone(s.BandwidthGBps)
	s.NominalGB, s.MemoryMiB = slices.Clone(s.NominalGB), slices.Clone(s.MemoryMiB)
	s.ModifiedMiB = slices.Clone(s.ModifiedMiB)
	return s
}

// columns of catalog.tsv, in order.
var columns = [...]string{
	"id", "name", "vendor", "device_ids", "cc", "sm", "bw_gbps", "gb", "mib", "modified_mib", "per_board", "sources",
	"unverified",
}

func parseCatalog(text string) (*Catalog, error) {
	c := &Catalog{byName: map[string]int{}}
	head := strings.Join(columns[:], "\t")
	ids := map[string]bool{}
	for n, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		switch {
		case strings.HasPrefix(line, "#"):
			continue
		case head != "":
			if line != head {
				return nil, fmt.Errorf("gpu: catalogue line %d: columns %q, want %q", n+1, line, head)
			}
			head = ""
			continue
		}
		s, err := parseSpec(strings.Split(line, "\t"))
		if err != nil {
			return nil, fmt.Errorf("gpu: catalogue line %d: %w", n+1, err)
		}
		if _, twice := c.byName[s.Name]; twice || ids[s.ID] {
			return nil, fmt.Errorf("gpu: catalogue line %d: %q (%q) is there twice", n+1, s.Name, s.ID)
		}
		c.byName[s.Name], ids[s.ID] = 0, true
		c.specs = append(c.specs, s)
	}
	slices.SortFunc(c.specs, func(a, b Spec) int { return strings.Compare(a.Name, b.Name) })
	for i, s := range c.specs {
		c.byName[s.Name] = i
	}
	return c, nil
}

func parseSpec(f []string) (Spec, error) {
	if len(f) != len(columns) {
		return Spec{}, fmt.Errorf("%d columns, want %d", len(f), len(columns))
	}
	s := Spec{ID: f[0], Name: f[1], ComputeCapability: f[4], Sources: f[11], MemoryVerified: !strings.HasPrefix(f[12], "mem")}
	if f[2] != NVIDIA.String() {
		return Spec{}, fmt.Errorf("vendor %q", f[2])
	}
	s.Vendor = NVIDIA
	var perBoard []uint8
	for _, err := range []error{
		numbers(&s.DeviceIDs, f[3], 16, 16), numbers(&s.SMs, f[5], 10, 16), numbers(&s.BandwidthGBps, f[6], 10, 32),
		numbers(&s.NominalGB, f[7], 10, 32), numbers(&s.MemoryMiB, f[8], 10, 64), numbers(&s.ModifiedMiB, f[9], 10, 64),
		numbers(&perBoard, f[10], 10, 8),
	} {
		if err != nil {
			return Spec{}, err
		}
	}
	if s.ID == "" || s.Name == "" || len(s.DeviceIDs) == 0 || len(s.MemoryMiB) == 0 || len(perBoard) != 1 {
		return Spec{}, fmt.Errorf("%q: id, name, device_ids, mib and per_board are needed", s.Name)
	}
	s.GPUsPerBoard = perBoard[0]
	return s, nil
}

// numbers parses alternatives that '|' separates; an empty text is none.
func numbers[T uint8 | uint16 | uint32 | uint64](to *[]T, text string, base, bits int) error {
	if text == "" {
		return nil
	}
	for _, part := range strings.Split(text, "|") {
		v, err := strconv.ParseUint(part, base, bits)
		if err != nil {
			return err
		}
		*to = append(*to, T(v))
	}
	return nil
}
