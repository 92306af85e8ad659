package sched

import (
	"slices"

	"github.com/idlegrid/idlegrid/gpu"
)

const (
	maxDevices   = 16                // of a node
	maxRoom      = 1 << 40           // CPU, memory: far above any machine, far below overflow
	maxHourMicro = 1_000_000_000_000 // a million dollars: 2^20 devices of it still fit a uint64
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
	// CPUMilli is thousandths of a processor core, RAMMiB main memory, both of the whole node.
	CPUMilli, RAMMiB uint64
	// Country is the ISO 3166-1 alpha-2 code, in capitals.
	Country string
	// Connectivity is the published tier of the node's line, 1 (worst) to 4 (best).
	Connectivity uint8
	// Tier is the node's tier in the network, 0 (none) to 4 (best).
	Tier uint8
	// StandingPPM is the node's reputation in parts per million, at most 1,000,000.
	StandingPPM uint32
	// HourMicro is the price of one device for an hour in millionths of a dollar, at most a million dollars.
	HourMicro uint64
}

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
		country("Node.Country", n.Country),
		within("Node.Connectivity", uint64(n.Connectivity), 1, 4),
		terms(n.Tier, n.StandingPPM, n.HourMicro),
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
	return nil
}

// NodeStatus is a node as the fleet holds it.
type NodeStatus struct {
	Node Node
	// Up says whether the node takes jobs.
	Up bool
	// Free are the devices that no lease holds, in the node's order; none if the node is down.
	Free []gpu.DeviceID
	// FreeCPUMilli and FreeRAMMiB are what no lease holds.
	FreeCPUMilli, FreeRAMMiB uint64
}

// terms checks what may change while a node is up.
func terms(tier uint8, standing uint32, hour uint64) error {
	return first(
		within("Tier", uint64(tier), 0, 4),
		within("StandingPPM", uint64(standing), 0, million),
		within("HourMicro", hour, 0, maxHourMicro),
	)
}
