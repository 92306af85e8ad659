package sched

import "github.com/idlegrid/idlegrid/gpu"

type ids struct{}

func (x *ids) put(node int32, id NodeID, devices []gpu.DeviceID) { panic("stub") }
func (x *ids) drop(node int32)                                   { panic("stub") }
func (x *ids) node(id NodeID) (int32, bool)                      { panic("stub") }
func (x *ids) device(id gpu.DeviceID) (node int32, k int, ok bool) {
	panic("stub")
}
func (x *ids) nodeID(node int32) NodeID                { panic("stub") }
func (x *ids) deviceID(node int32, k int) gpu.DeviceID { panic("stub") }
func (x *ids) devices(node int32) []gpu.DeviceID       { panic("stub") }
func (x *ids) view() ids                               { panic("stub") }
