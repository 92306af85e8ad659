package gpu

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// columns of catalog.tsv, in order.
const columns = "id\tname\tvendor\tform\tarch\tdevice_ids\trevisions\tcc\tsm\tbus_bits\tbw_gbps\tboost_mhz\tgb\tmib\tmodified_mib\t" +
	"per_board\tint8_tops\tint8_basis\tnvlinks\tpcie_gen\tpcie_width\tmax_w\tbranch\tsources\tunverified"

func parseCatalog(text string) (*Catalog, error) {
	c := &Catalog{byName: map[string]int{}}
	head := columns
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

// parseSpec reads one line. Lists may be empty; a row without an id, a name, a device id, a memory total or a count of GPUs a
// board could not be judged by, and is refused.
func parseSpec(f []string) (Spec, error) {
	names := strings.Split(columns, "\t")
	if len(f) != len(names) {
		return Spec{}, fmt.Errorf("%d columns, want %d", len(f), len(names))
	}
	at := func(column string) string { return f[slices.Index(names, column)] }
	s := Spec{
		ID: at("id"), Name: at("name"), Form: at("form"), Architecture: at("arch"), ComputeCapability: at("cc"),
		Int8Published: at("int8_basis") == "p", Sources: at("sources"), MemoryVerified: !strings.HasPrefix(at("unverified"), "mem"),
	}
	for _, v := range []Vendor{NVIDIA, AMD, Intel} {
		if at("vendor") == v.String() {
			s.Vendor = v
		}
	}
	if s.Vendor == 0 {
		return Spec{}, fmt.Errorf("vendor %q", at("vendor"))
	}
	for _, err := range []error{
		numbers(&s.DeviceIDs, at("device_ids"), 16, 16), numbers(&s.Revisions, at("revisions"), 16, 8), numbers(&s.SMs, at("sm"), 10, 16),
		numbers(&s.BusWidthBits, at("bus_bits"), 10, 32), numbers(&s.BandwidthGBps, at("bw_gbps"), 10, 32),
		numbers(&s.BoostMHz, at("boost_mhz"), 10, 32), numbers(&s.NominalGB, at("gb"), 10, 32), numbers(&s.MemoryMiB, at("mib"), 10, 64),
		numbers(&s.ModifiedMiB, at("modified_mib"), 10, 64), number(&s.GPUsPerBoard, at("per_board"), 8),
		number(&s.Int8TOPS, at("int8_tops"), 32), number(&s.PCIeGen, at("pcie_gen"), 8), number(&s.PCIeWidth, at("pcie_width"), 8),
		number(&s.MaxWatts, at("max_w"), 32), number(&s.DriverBranch, at("branch"), 32),
	} {
		if err != nil {
			return Spec{}, err
		}
	}
	if links := at("nvlinks"); links != "" {
		var n uint8
		if err := number(&n, links, 8); err != nil {
			return Spec{}, err
		}
		s.NVLinks = Some(n)
	}
	if s.ID == "" || s.Name == "" || len(s.DeviceIDs) == 0 || len(s.MemoryMiB) == 0 || s.GPUsPerBoard == 0 {
		return Spec{}, fmt.Errorf("%q: id, name, device_ids, mib and per_board are needed", s.Name)
	}
	return s, nil
}

// number parses one figure; an empty text leaves zero.
func number[T uint8 | uint32](to *T, text string, bits int) error {
	if text == "" {
		return nil
	}
	v, err := strconv.ParseUint(text, 10, bits)
	*to = T(v)
	return err
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
