package gpu

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// MIGName is the name of a kind of MIG instance, taken apart: "1g.5gb", "1g.10gb+me", "1c.3g.20gb".
type MIGName struct {
	Compute uint8  // compute slices of a compute instance that is less than its GPU instance; 0: all of them
	Slices  uint8  // compute slices of the GPU instance, 1 to 7
	GB      uint16 // memory in GB, rounded as the driver rounds it; only a name, see MIGInstance.MemoryMiB for the size
	Media   string // "", "+me", "+me.all", "+gfx" or "-me": which media and graphics engines come with it
}

// ParseMIGName reads a name as nvidia-smi and NVML spell it, without "MIG " before it. Errors wrap ErrInvalid.
func ParseMIGName(s string) (MIGName, error) {
	body := s
	var n MIGName
	if i := strings.IndexAny(s, "+-"); i >= 0 {
		body, n.Media = s[:i], s[i:]
		if !slices.Contains([]string{"+me", "+me.all", "+gfx", "-me"}, n.Media) {
			return MIGName{}, fmt.Errorf("%w: MIG name %q: unknown suffix %q", ErrInvalid, s, n.Media)
		}
	}
	parts := strings.Split(body, ".")
	units := []string{"c", "g", "gb"}
	if len(parts) == 2 {
		units = units[1:]
	} else if len(parts) != 3 {
		return MIGName{}, fmt.Errorf("%w: MIG name %q is not [Nc.]Ng.Ngb", ErrInvalid, s)
	}
	values := make([]uint64, len(parts))
	for i, unit := range units {
		digits, ok := strings.CutSuffix(parts[i], unit)
		v, err := strconv.ParseUint(digits, 10, 16)
		if !ok || err != nil || digits[0] == '0' {
			return MIGName{}, fmt.Errorf("%w: MIG name %q: %q is not a number and %q", ErrInvalid, s, parts[i], unit)
		}
		values[i] = v
	}
	part := len(values) == 3
	whole := values[len(values)-2]
	if whole > computeSlices || part && values[0] >= whole {
		return MIGName{}, fmt.Errorf("%w: MIG name %q: slices are not in 1..%d, or a part is not less than the whole", ErrInvalid, s, computeSlices)
	}
	if part {
		n.Compute = uint8(values[0])
	}
	n.Slices, n.GB = uint8(whole), uint16(values[len(values)-1])
	return n, nil
}

// String spells the name as ParseMIGName reads it.
func (n MIGName) String() string {
	s := fmt.Sprintf("%dg.%dgb%s", n.Slices, n.GB, n.Media)
	if n.Compute > 0 {
		return fmt.Sprintf("%dc.%s", n.Compute, s)
	}
	return s
}

// whole is the name of the GPU instance that a compute instance is part of.
func (n MIGName) whole() MIGName {
	n.Compute = 0
	return n
}

const (
	computeSlices = 7 // of a device that divides into the most
	memorySlices  = 8
)

// MIGRow is a kind of instance that a model offers.
type MIGRow struct {
	Name         MIGName
	MemorySlices uint8   // how many it takes of the device's 8 (A30: 4)
	Starts       []uint8 // the memory slices at which it may begin, ascending
	Most         uint8   // how many of them an empty device holds
}

// MIGPlace is an instance on a device: the memory slices from Start on.
type MIGPlace struct {
	Name  MIGName
	Start uint8
}

// MIGTable is what NVIDIA's driver allows on one model. It is immutable.
type MIGTable struct {
	model string
	rows  []MIGRow
}

// NewMIGTable returns the table of the model of that exact name, and false for a model that does not divide or whose
// placements NVIDIA has not published.
func NewMIGTable(model string) (MIGTable, bool) {
	gb, known := migSizes(model)
	if !known {
		return MIGTable{}, false
	}
	if model == "NVIDIA A30" {
		return MIGTable{model: model, rows: []MIGRow{
			{MIGName{Slices: 1, GB: 6}, 1, []uint8{0, 1, 2, 3}, 4},
			{MIGName{Slices: 1, GB: 6, Media: "+me"}, 1, []uint8{0, 1, 2, 3}, 1},
			{MIGName{Slices: 2, GB: 12}, 2, []uint8{0, 2}, 2},
			{MIGName{Slices: 2, GB: 12, Media: "+me"}, 2, []uint8{0, 2}, 1},
			{MIGName{Slices: 4, GB: 24}, 4, []uint8{0}, 1},
		}}, true
	}
	return MIGTable{model: model, rows: []MIGRow{
		{MIGName{Slices: 1, GB: gb[0]}, 1, []uint8{0, 1, 2, 3, 4, 5, 6}, 7},
		{MIGName{Slices: 1, GB: gb[0], Media: "+me"}, 1, []uint8{0, 1, 2, 3, 4, 5, 6}, 1},
		{MIGName{Slices: 1, GB: gb[1]}, 2, []uint8{0, 2, 4, 6}, 4},
		{MIGName{Slices: 2, GB: gb[1]}, 2, []uint8{0, 2, 4}, 3},
		{MIGName{Slices: 3, GB: gb[2]}, 4, []uint8{0, 4}, 2},
		{MIGName{Slices: 4, GB: gb[2]}, 4, []uint8{0}, 1},
		{MIGName{Slices: 7, GB: gb[3]}, 8, []uint8{0}, 1},
	}}, true
}

// migSizes gives the GB in the names of a model's instances of 1, 2, 4 and 8 memory slices. Names: NVIDIA Multi-Instance
// GPU User Guide v580, "Supported MIG Profiles" (A30, A100, H100 80/94/96 GB, H200, B200), whose A100 table stands for the
// A800 too; placements: nvidia-smi mig -lgipp in the same guide (A100); the same was printed for H100 of 80 and 94 GB. The guide shows
// those of A30, H200 and B200 as diagrams.
func migSizes(model string) (gb [4]uint16, ok bool) {
	switch model {
	case "NVIDIA A30":
		return gb, true
	case "NVIDIA A100-SXM4-40GB", "NVIDIA A100-PCIE-40GB":
		return [4]uint16{5, 10, 20, 40}, true
	case "NVIDIA A100-SXM4-80GB", "NVIDIA A100 80GB PCIe", "NVIDIA A800-SXM4-80GB", "NVIDIA A800 80GB PCIe",
		"NVIDIA H100 80GB HBM3", "NVIDIA H100 PCIe", "NVIDIA H800":
		return [4]uint16{10, 20, 40, 80}, true
	case "NVIDIA H100 NVL":
		return [4]uint16{12, 24, 47, 94}, true
	case "NVIDIA GH200 480GB", "NVIDIA GH200 120GB", "NVIDIA H20":
		return [4]uint16{12, 24, 48, 96}, true
	case "NVIDIA H200":
		return [4]uint16{18, 35, 71, 141}, true
	case "NVIDIA B200":
		return [4]uint16{23, 45, 90, 180}, true
	}
	return gb, false
}

// Rows lists the kinds of instance, from the smallest. The slices are the caller's.
func (t MIGTable) Rows() []MIGRow {
	rows := slices.Clone(t.rows)
	for i := range rows {
		rows[i].Starts = slices.Clone(rows[i].Starts)
	}
	return rows
}

// Layout places instances of the given names on an empty device, and returns the places in the order of the names: of all
// layouts the one that is least when the starts are compared in that order. A compute instance counts as its GPU instance.
// It is exact: an error that wraps ErrInvalid means that a name is not one of the model's, or that no layout exists.
func (t MIGTable) Layout(names ...MIGName) ([]MIGPlace, error) {
	places := make([]MIGPlace, len(names))
	kinds := make([]MIGRow, len(names))
	total, media := 0, 0
	for i, n := range names {
		row, ok := t.row(n)
		if !ok {
			return nil, fmt.Errorf("%w: %s does not offer MIG instances %q", ErrInvalid, t.model, n)
		}
		places[i].Name, kinds[i] = n, row
		total += int(row.MemorySlices)
		media += row.media()
	}
	// The search tries at most 8 names at 7 starts each; what cannot fit by count is refused before it.
	if total > memorySlices || media > 1 || !placeMIG(kinds, places, 0) {
		return nil, fmt.Errorf("%w: %s cannot hold MIG instances %v at once", ErrInvalid, t.model, names)
	}
	return places, nil
}

// Room is how many more instances of that name fit beside those that are there, where they are: the "Free" of nvidia-smi mig
// -lgip. It is 0 for a name that is not one of the model's.
func (t MIGTable) Room(there []MIGPlace, name MIGName) int {
	row, ok := t.row(name)
	if !ok {
		return 0
	}
	var used uint8
	media := 0
	for _, p := range there {
		if r, ok := t.row(p.Name); ok {
			used |= r.mask(p.Start)
			media += r.media()
		}
	}
	if row.media() > 0 && media > 0 {
		return 0
	}
	// Places of one kind are equal or disjoint, since a start is a multiple of the size: counting free starts is exact.
	n := 0
	for _, s := range row.Starts {
		if used&row.mask(s) == 0 {
			n++
		}
	}
	return min(n, int(row.Most))
}

// RoomAtBest is Room for instances whose places are not known, as in MIG.Instances: the most that could still fit if those
// that are there lay as well as they can. It is -1 if they cannot be there at once.
func (t MIGTable) RoomAtBest(there []MIGName, name MIGName) int {
	all := slices.Clone(there)
	n := -1
	for {
		if _, err := t.Layout(all...); err != nil {
			return n
		}
		n++
		all = append(all, name)
	}
}

func (t MIGTable) row(n MIGName) (MIGRow, bool) {
	i := slices.IndexFunc(t.rows, func(r MIGRow) bool { return r.Name == n.whole() })
	if i < 0 || n.Compute >= n.Slices {
		return MIGRow{}, false
	}
	return t.rows[i], true
}

// media is 1 if an instance has the engines of which a device has one: only one instance at a time can. The instance that is
// the whole device has them too, and needs no count since nothing fits beside it.
func (r MIGRow) media() int {
	if r.Name.Media == "+me" {
		return 1
	}
	return 0
}

func (r MIGRow) mask(start uint8) uint8 { return uint8((1<<r.MemorySlices - 1) << start) }

// placeMIG finds starts for kinds, the earliest first; used are the memory slices that are taken.
func placeMIG(kinds []MIGRow, places []MIGPlace, used uint8) bool {
	if len(kinds) == 0 {
		return true
	}
	for _, s := range kinds[0].Starts {
		if m := kinds[0].mask(s); used&m == 0 {
			places[0].Start = s
			if placeMIG(kinds[1:], places[1:], used|m) {
				return true
			}
		}
	}
	return false
}
