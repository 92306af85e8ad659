package sched

import (
	"math"
	"math/bits"
	"slices"
	"time"

	"github.com/idlegrid/idlegrid/gpu"
)

const (
	maxDevices   = 16             // of a node
	maxRoom      = math.MaxUint32 // thousandths of a core, MiB: 4 million cores, 4 PiB
	maxHourMicro = math.MaxUint32 // 4,294 dollars a card and hour; 2^20 cards of it still fit a uint64
	maxWatts     = math.MaxUint16
	million      = 1_000_000
)

type (
	// NodeID names a machine.
	NodeID string
	// SiteID names the nodes behind one uplink.
	SiteID string
	// SupplierID names an owner of nodes.
	SupplierID string
)

// Node is one machine with devices of one model. A machine with cards of two models is entered as two nodes.
type Node struct {
	ID       NodeID
	Site     SiteID
	Supplier SupplierID
	// Model is the name of the devices' model as the driver reports it.
	Model string
	// MemoryMiB is the memory of each device.
	MemoryMiB uint64
	// Devices are the node's cards, 1 to 16, each named once. A replica gets the first free ones in this order.
	Devices []gpu.DeviceID
	// Islands gives for each device the number of the group within which devices talk fast (NVLink, one PCIe switch), 0 to 15;
	// none means that all are in one. A replica gets devices of as few islands as possible.
	Islands []uint8
	// CPUMilli is thousandths of a processor core, RAMMiB main memory, DiskMiB local disk, all of the whole node and at most 2^32-1.
	CPUMilli, RAMMiB, DiskMiB uint64
	// Country is the ISO 3166-1 alpha-2 code, in capitals.
	Country string
	// Region names a part of a country or a group of countries as the network cuts them; it may be empty.
	Region string
	// Connectivity is the published tier of the node's line, 1 (worst) to 4 (best).
	Connectivity uint8
	// Tier is the node's tier in the network, 0 (none) to 4 (best).
	Tier uint8
	// Assurance is how well the node's claims are proven, 0 (not at all) to 4 (best).
	Assurance uint8
	// Compliance is the set of standards that the node's operator proved to keep.
	Compliance Compliance
	// StandingPPM is the node's reputation in parts per million, at most 1,000,000.
	StandingPPM uint32
	// LossPPM is the chance that the node is lost within an hour, in parts per million, by itself and not with its whole site.
	LossPPM uint32
	// HourMicro is the price of one device for an hour in millionths of a dollar, at most 2^32-1 (4,294 dollars).
	HourMicro uint64
	// Shares says that a device may be divided among several jobs by thousandths, MIG that it may be divided into NVIDIA's instances.
	Shares, MIG bool
	// HostWatts is what the machine draws more when it is awake than asleep, DeviceWatts what one busy device draws, at most 65,535.
	HostWatts, DeviceWatts uint32
}

// Compliance is a set of standards, as bits. What each bit stands for beyond the three named is the network's to say.
type Compliance uint8

// The standards that io.net's interface names.
const (
	SOC2 Compliance = 1 << iota
	HIPAA
	EndToEnd
)

// Validate returns an error that wraps ErrInvalid and names the first field out of its range.
func (n Node) Validate() error {
	if err := first(
		named("Node.ID", string(n.ID)),
		named("Node.Site", string(n.Site)),
		named("Node.Supplier", string(n.Supplier)),
		named("Node.Model", n.Model),
		within("Node.MemoryMiB", n.MemoryMiB, 1, maxRoom),
		within("len(Node.Devices)", uint64(len(n.Devices)), 1, maxDevices),
		within("Node.CPUMilli", n.CPUMilli, 1, maxRoom),
		within("Node.RAMMiB", n.RAMMiB, 1, maxRoom),
		within("Node.DiskMiB", n.DiskMiB, 0, maxRoom),
		country("Node.Country", n.Country),
		short("Node.Region", n.Region),
		within("Node.Connectivity", uint64(n.Connectivity), 1, 4),
		n.Terms().validate(),
		within("Node.HostWatts", uint64(n.HostWatts), 0, maxWatts),
		within("Node.DeviceWatts", uint64(n.DeviceWatts), 0, maxWatts),
	); err != nil {
		return err
	}
	for i, d := range n.Devices {
		if err := named("Node.Devices", string(d)); err != nil {
			return err
		}
		if slices.Contains(n.Devices[:i], d) {
			return invalid("Node.Devices: %q twice", d)
		}
	}
	if len(n.Islands) != 0 && len(n.Islands) != len(n.Devices) {
		return invalid("len(Node.Islands) %d: want 0 or one a device, %d", len(n.Islands), len(n.Devices))
	}
	for _, v := range n.Islands {
		if v >= maxDevices {
			return invalid("Node.Islands %d: want 0 to %d", v, maxDevices-1)
		}
	}
	return nil
}

// NodeTerms are what may change of a node while it is up; see the fields of Node.
type NodeTerms struct {
	Tier, Assurance uint8
	Compliance      Compliance
	StandingPPM     uint32
	LossPPM         uint32
	HourMicro       uint64
}

// Terms returns the terms that a node came up with.
func (n Node) Terms() NodeTerms {
	return NodeTerms{
		Tier: n.Tier, Assurance: n.Assurance, Compliance: n.Compliance, StandingPPM: n.StandingPPM, LossPPM: n.LossPPM, HourMicro: n.HourMicro,
	}
}

func (t NodeTerms) validate() error {
	return first(
		within("Tier", uint64(t.Tier), 0, 4),
		within("Assurance", uint64(t.Assurance), 0, 4),
		within("StandingPPM", uint64(t.StandingPPM), 0, million),
		within("LossPPM", uint64(t.LossPPM), 0, million),
		within("HourMicro", t.HourMicro, 0, maxHourMicro),
	)
}

// NodeStatus is a node as the fleet holds it.
type NodeStatus struct {
	Node Node
	// Up says whether the node is there, Draining that it takes no new job, ReclaimedAt when its supplier takes it back (zero: not announced).
	Up, Draining bool
	ReclaimedAt  time.Time
	// Free are the devices that nothing holds now, in the node's order; none if the node is down.
	Free []gpu.DeviceID
	// FreeCPUMilli, FreeRAMMiB and FreeDiskMiB are what nothing holds now.
	FreeCPUMilli, FreeRAMMiB, FreeDiskMiB uint64
}

// full is the mask of all devices of a node with so many cards.
func full(cards int) uint16 { return uint16(1<<cards - 1) }

func count(mask uint16) int { return bits.OnesCount16(mask) }

// lowest returns the mask of the n lowest bits that are set in free.
func lowest(free uint16, n int) uint16 {
	rest := free
	for range n {
		rest &= rest - 1
	}
	return free &^ rest
}
