package gputest

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/idlegrid/idlegrid/gpu"
)

// writeNVLinks writes the links of a device; a link that is not listed is one that the part does not have.
func writeNVLinks(s stateWriter, r *gpu.Reading) {
	const replay, recovery, crcFlit = 0, 1, 2
	if !r.NVLinks.OK {
		s.reply("linkstate", 0, 0, codeOf(r.NVLinks.Why), "")
	}
	for _, l := range r.NVLinks.V {
		i := int(l.Index)
		s.reply("linkstate", i, 0, 0, "", uint64(bit(l.Up)))
		if l.Version != 0 {
			s.reply("linkversion", i, 0, 0, "", uint64(l.Version))
		}
		if l.RemoteBusID != "" {
			s.reply("linkremote", i, 0, 0, l.RemoteBusID)
		}
		if k := slices.Index([]string{"gpu", "ibmnpu", "switch"}, l.RemoteKind); k >= 0 {
			s.reply("linkkind", i, 0, 0, "", uint64(k))
		}
		number(s, "linkerrors", i, replay, l.Replays)
		number(s, "linkerrors", i, recovery, l.Recoveries)
		number(s, "linkerrors", i, crcFlit, l.CRCErrors)
	}
	f, ok := r.Fabric.Get()
	if !ok {
		s.reply("fabric", 0, 0, codeOf(r.Fabric.Why), "")
		return
	}
	state := max(0, slices.Index([]string{"not-supported", "not-started", "in-progress", "completed"}, f.State))
	status := 0
	if f.Status != "success" && f.Status != "" {
		status = codeOf(f.Status)
	}
	s.reply("fabric", 0, 0, 0, strings.ReplaceAll(f.Cluster, "-", ""), uint64(state), uint64(status), uint64(f.Clique))
}

// writeMIG writes the parts of a device: each has a number of its own and answers for itself.
func writeMIG(s stateWriter, d gpu.Device, r *gpu.Reading) {
	m, ok := r.MIG.Get()
	if !ok {
		s.reply("migmode", 0, 0, codeOf(r.MIG.Why), "")
		return
	}
	s.reply("migmode", 0, 0, 0, "", uint64(bit(m.Enabled)), uint64(bit(m.Pending)))
	s.reply("migmax", 0, 0, 0, "", uint64(m.MaxInstances))
	for i, part := range m.Instances {
		s.reply("mig", i, 0, 0, "")
		p := stateWriter{s.w, firstChild + 16*s.dev + i}
		p.reply("uuid", 0, 0, 0, string(part.ID))
		p.reply("name", 0, 0, 0, d.Model+" MIG "+part.Profile)
		profileSlices := 0
		_, _ = fmt.Sscanf(part.Profile, "%dg.", &profileSlices)
		p.reply("attributes", 0, 0, 0, "", uint64(part.SMs), part.MemoryMiB, uint64(profileSlices))
	}
	for i := len(m.Instances); i < int(m.MaxInstances); i++ {
		s.reply("mig", i, 0, rcNotFound, "")
	}
}

// writeProcesses writes the three lists of processes.
func writeProcesses(s stateWriter, r *gpu.Reading) {
	for kind, name := range []string{"compute", "graphics", "mps"} {
		if !r.Processes.OK {
			s.reply("processes", kind, 0, codeOf(r.Processes.Why), "")
			continue
		}
		n := 0
		for _, p := range r.Processes.V {
			if p.Kind != name {
				continue
			}
			memory := p.MemoryBytes.V
			if !p.MemoryBytes.OK {
				memory = math.MaxUint64 // NVML_VALUE_NOT_AVAILABLE
			}
			s.reply("process", kind, n, 0, "", uint64(p.PID), memory)
			n++
		}
		s.reply("processes", kind, 0, 0, "", uint64(n))
	}
}
