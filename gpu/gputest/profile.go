package gputest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/idlegrid/idlegrid/gpu"
)

// Topology says how the devices of a profile are joined.
type Topology uint8

// The topologies. Devices of the same half of the node share a NUMA node from four devices on.
const (
	PCIe     Topology = iota // by PCIe only
	Bridges                  // NVLink bridges between devices 0 and 1, 2 and 3, and so on
	Switched                 // every NVLink to a switch: all to all
)

// Phase is a stretch of the day of a profile: so long, so busy.
type Phase struct {
	Seconds  uint32
	Permille uint32 // how busy the devices are, 0 to 1000
}

// Profile is a node in data. Everything that a Source of it says follows from the profile and the clock.
type Profile struct {
	Name     string
	Board    Board
	Count    int // 1 to gpu.MaxDevices
	Topology Topology
	MIG      []string      // names of the instances on every device, which the model must be able to hold; nil: not divided
	Seed     uint64        // serial numbers, UUIDs and the noise of the telemetry come from it
	Uptime   time.Duration // of the driver when the source is made, at most 10 years
	Load     []Phase       // repeats from the moment the driver was loaded; nil: idle for ever
	Faults   []Fault
}

// Profiles lists the profiles of this package by name, each a machine that exists.
func Profiles() []Profile {
	var out []Profile
	for _, name := range []string{
		"4090x2", "a100x8", "a4000x1", "b200x8", "h100-pciex4", "h100x8", "h200x8", "l40sx4", "mi300xx8", "mig-a100",
	} {
		p, err := ParseProfile(name)
		if err != nil {
			panic("gputest: Profiles: " + err.Error()) // the tests make every one
		}
		out = append(out, p)
	}
	return out
}

// ParseProfile makes a profile of a name: a board, "x" and a count from 1 to gpu.MaxDevices, as in "h100x8", or "mig-a100",
// an A100 divided into four. The boards are h100, h100-pcie, h200, a100, b200, 4090, a4000, l40s and mi300x.
func ParseProfile(name string) (Profile, error) {
	p := Profile{Name: name, Seed: 1, Uptime: 75*time.Hour + 7*time.Second, Load: []Phase{{600, 0}, {1800, 960}, {300, 400}}}
	if name == "mig-a100" {
		p.Board, p.Count = a100Small(), 1
		p.MIG = []string{"3g.20gb", "2g.10gb", "1g.5gb+me", "1g.5gb"}
		return p, p.Validate()
	}
	i := strings.LastIndexByte(name, 'x')
	if i < 0 {
		return Profile{}, fmt.Errorf("gputest: profile %q is not a board, an x and a count", name)
	}
	board, ok := boards(name[:i])
	count, err := strconv.Atoi(name[i+1:])
	if !ok || err != nil || strconv.Itoa(count) != name[i+1:] {
		return Profile{}, fmt.Errorf("gputest: profile %q is not a board, an x and a count", name)
	}
	p.Board, p.Count = board, count
	switch {
	case board.NVLinks == 0 || count == 1:
	case board.Switched:
		p.Topology = Switched
	default:
		p.Topology = Bridges
	}
	return p, p.Validate()
}

// Validate reports the first fault: a count that is not in 1..gpu.MaxDevices, a topology that the board cannot have, MIG
// instances that the model cannot hold, a load above 1000 or without end, a fault that ParseFault would refuse.
func (p Profile) Validate() error {
	switch {
	case p.Count < 1 || p.Count > gpu.MaxDevices:
		return fmt.Errorf("gputest: profile %q: count %d is not in 1..%d", p.Name, p.Count, gpu.MaxDevices)
	case p.Topology > Switched || p.Topology != PCIe && (p.Board.NVLinks == 0 || len(p.MIG) > 0):
		return fmt.Errorf("gputest: profile %q: topology %d needs a board with NVLinks that is not divided", p.Name, p.Topology)
	case p.Uptime < 0 || p.Uptime > 10*365*24*time.Hour:
		return fmt.Errorf("gputest: profile %q: uptime %v is not in 0..10 years", p.Name, p.Uptime)
	case p.Board.Vendor == 0 || p.Board.Model == "" || p.Board.MemoryMiB <= p.Board.ReservedMiB+idleMiB || p.Board.LimitMilliwatts == 0:
		return fmt.Errorf("gputest: profile %q: the board needs a vendor, a model, memory and a power limit", p.Name)
	case p.Board.IdleMilliwatts > p.Board.LimitMilliwatts:
		return fmt.Errorf("gputest: profile %q: the board draws more when idle than it may", p.Name)
	}
	for _, ph := range p.Load {
		if ph.Seconds == 0 || ph.Permille > 1000 {
			return fmt.Errorf("gputest: profile %q: a phase of %d seconds at %d permille", p.Name, ph.Seconds, ph.Permille)
		}
	}
	if len(p.MIG) > 0 {
		if _, err := p.instances(0); err != nil {
			return err
		}
	}
	for _, f := range p.Faults {
		if err := f.validate(p.Count); err != nil {
			return err
		}
	}
	return nil
}

// clone copies the lists, so that a source keeps to the profile that it was made from.
func (p Profile) clone() Profile {
	p.MIG, p.Load, p.Faults = slices.Clone(p.MIG), slices.Clone(p.Load), slices.Clone(p.Faults)
	return p
}
