package nvml

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/idlegrid/idlegrid/gpu"
)

// mig reads how a device is divided. Without every instance's identity and size there is no value: half a division would
// look like a smaller device.
func (r *reader) mig() gpu.Opt[gpu.MIG] {
	mode, why := r.ask(callMIGMode, 0, 0)
	if why != "" {
		return gpu.None[gpu.MIG](why)
	}
	m := gpu.MIG{Enabled: mode[0] != 0, Pending: mode[1] != 0}
	most, why := r.ask(callMIGMax, 0, 0)
	if why != "" && (m.Enabled || r.over != "") {
		return gpu.None[gpu.MIG](why)
	}
	m.MaxInstances = uint32(most[0])
	if !m.Enabled {
		return gpu.Some(m)
	}
	for i := range min(m.MaxInstances, gpu.MaxDevices) {
		if why := r.shut(callMIGDevice); why != "" {
			return gpu.None[gpu.MIG](why)
		}
		h, rc := r.raw.child(callMIGDevice, r.h, i)
		if rc == codeNotFound || rc == codeInvalidArgument {
			continue // indices have holes
		}
		why := r.heard(rc)
		var part gpu.MIGInstance
		if why == "" {
			part, why = r.instance(h)
		}
		if why != "" {
			return gpu.None[gpu.MIG](why)
		}
		m.Instances = append(m.Instances, part)
	}
	return gpu.Some(m)
}

// instance asks about one part of the device. Its name is the device's with the profile at the end.
func (r *reader) instance(h handle) (gpu.MIGInstance, string) {
	part := reader{ctx: r.ctx, raw: r.raw, h: h}
	id, name := part.text(callUUID), part.text(callName)
	v, why := part.ask(callAttributes, 0, 0)
	if part.over != "" { // the whole device is lost, or time is up
		r.over, r.gone = part.over, part.gone
	}
	for _, w := range []string{id.Why, why} {
		if w != "" {
			return gpu.MIGInstance{}, w
		}
	}
	sms, mib, slices := v[0], v[1], v[2]
	_, profile, ok := strings.Cut(name.V, " MIG ")
	if !ok {
		profile = fmt.Sprintf("%dg.%dgb", slices, (mib+1023)/1024)
	}
	return gpu.MIGInstance{ID: gpu.DeviceID(id.V), Profile: profile, MemoryMiB: mib, SMs: uint32(sms)}, ""
}

// maxProcesses is as many as an inventory lists.
const maxProcesses = 1024

// processes reads the three lists as one, by PID; of more than an inventory holds, those with the lowest PIDs.
func (r *reader) processes() gpu.Opt[[]gpu.Process] {
	all := []gpu.Process{}
	for _, list := range []struct {
		call call
		kind string
	}{{callCompute, "compute"}, {callGraphics, "graphics"}, {callMPS, "mps"}} {
		why := r.shut(list.call)
		var found []process
		if why == "" {
			var rc code
			found, rc = r.raw.processes(list.call, r.h)
			why = r.heard(rc)
		}
		if why != "" && (list.kind == "compute" || r.over != "") {
			return gpu.None[[]gpu.Process](why)
		}
		if why != "" {
			continue // a device without a display, or without MPS, has no such processes
		}
		for _, p := range found {
			use := gpu.Some(p.memory)
			if p.memory == math.MaxUint64 { // NVML_VALUE_NOT_AVAILABLE
				use = gpu.None[uint64](gpu.WhyNotSupported)
			}
			all = append(all, gpu.Process{PID: p.pid, Kind: list.kind, MemoryBytes: use})
		}
	}
	slices.SortStableFunc(all, func(a, b gpu.Process) int { return cmp.Or(cmp.Compare(a.PID, b.PID), cmp.Compare(a.Kind, b.Kind)) })
	return gpu.Some(all[:min(len(all), maxProcesses)])
}
