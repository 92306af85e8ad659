package nvml

import (
	"encoding/hex"
	"strings"

	"github.com/idlegrid/idlegrid/gpu"
)

// nvlinks reads the links that the part has. NOT_SUPPORTED means that there is no such link (a PCIe card has none), a state
// of 0 that it is down: the one is never taken for the other.
func (r *reader) nvlinks() gpu.Opt[[]gpu.NVLink] {
	var links []gpu.NVLink
	for i := range uint32(maxLinks) {
		v, why := r.ask(callLinkState, i, 0)
		switch why {
		case gpu.WhyNotSupported:
			continue
		case codeInvalidArgument.why(): // beyond the links that this driver knows
			return found(links)
		case "":
		default:
			return gpu.None[[]gpu.NVLink](why)
		}
		l := gpu.NVLink{
			Index: uint8(i), Up: v[0] != 0,
			Replays:    r.linkErrors(i, linkReplay),
			Recoveries: r.linkErrors(i, linkRecovery),
			CRCErrors:  r.linkErrors(i, linkCRC),
		}
		if v, why := r.ask(callLinkVersion, i, 0); why == "" {
			l.Version = uint32(v[0])
		}
		if p, why := r.pci(callLinkRemote, i); why == "" {
			l.RemoteBusID = p.bus
		}
		if v, why := r.ask(callLinkKind, i, 0); why == "" && v[0] < 3 {
			l.RemoteKind = [...]string{"gpu", "ibmnpu", "switch"}[v[0]]
		}
		if r.over != "" {
			return gpu.None[[]gpu.NVLink](r.over)
		}
		links = append(links, l)
	}
	return found(links)
}

func found(links []gpu.NVLink) gpu.Opt[[]gpu.NVLink] {
	if len(links) == 0 {
		return gpu.None[[]gpu.NVLink](gpu.WhyNotSupported)
	}
	return gpu.Some(links)
}

func (r *reader) linkErrors(link, counter uint32) gpu.Opt[uint64] {
	v, why := r.ask(callLinkErrors, link, counter)
	if why != "" {
		return gpu.None[uint64](why)
	}
	return gpu.Some(v[0])
}

// fabric reads the device's place in an NVSwitch fabric. The status means something once the device has joined.
func (r *reader) fabric() gpu.Opt[gpu.Fabric] {
	c := callFabricV
	why := r.shut(c)
	if why == gpu.WhySymbolAbsent {
		c = callFabric
		why = r.shut(c)
	}
	if why != "" {
		return gpu.None[gpu.Fabric](why)
	}
	v, rc := r.raw.fabric(c, r.h)
	if why := r.heard(rc); why != "" {
		return gpu.None[gpu.Fabric](why)
	}
	states := []string{"not-supported", "not-started", "in-progress", "completed"}
	if int(v.state) >= len(states) {
		return gpu.None[gpu.Fabric](gpu.WhyUnreadable)
	}
	f := gpu.Fabric{State: states[v.state], Clique: v.clique}
	if f.State == "completed" {
		f.Status = "success"
		if v.status != codeSuccess {
			f.Status = v.status.why()
		}
	}
	if v.cluster != [16]byte{} {
		h := hex.EncodeToString(v.cluster[:])
		f.Cluster = strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
	}
	return gpu.Some(f)
}

// joint is what the library says about a pair of devices.
type joint struct {
	kind   gpu.LinkKind // LinkUnknown: it did not say
	nvlink bool         // the two reach each other over NVLink
}

// joint asks how the device is joined to another. It is false if the answer is not whole.
func (r *reader) joint(other handle) (joint, bool) {
	var j joint
	if r.shut(callAncestor) == "" {
		v, rc := r.raw.pair(callAncestor, r.h, other, 0)
		if r.heard(rc) == "" {
			j.kind = linkKind(v)
		}
	}
	if r.shut(callP2P) == "" {
		v, rc := r.raw.pair(callP2P, r.h, other, p2pNVLink)
		j.nvlink = r.heard(rc) == "" && v == 0 // NVML_P2P_STATUS_OK
	}
	return j, r.over == ""
}

// linkKind names a level of the PCI tree (nvmlGpuTopologyLevel_t).
func linkKind(level uint64) gpu.LinkKind {
	switch level {
	case 0:
		return gpu.LinkBoard
	case 10:
		return gpu.LinkSwitch
	case 20:
		return gpu.LinkSwitches
	case 30:
		return gpu.LinkHost
	case 40:
		return gpu.LinkNode
	case 50:
		return gpu.LinkSystem
	}
	return gpu.LinkUnknown
}

// link puts together what both devices' links and the library say. Through switches two devices have as many links to each
// other as the one with fewer has to the switches.
func link(a, b int, devices []gpu.Device, j joint) (gpu.Link, bool) {
	l := gpu.Link{A: uint8(a), B: uint8(b), Kind: j.kind}
	direct, viaA := towards(devices[a], devices[b].BusID)
	_, viaB := towards(devices[b], devices[a].BusID)
	switch {
	case direct > 0:
		l.Kind, l.Count = gpu.LinkNVLink, direct
	case j.nvlink:
		l.Kind, l.Count = gpu.LinkNVLink, min(viaA, viaB)
	}
	return l, l.Kind != gpu.LinkUnknown
}

// towards counts a device's links that are up: those that end at the bus address, and those that end at a switch.
func towards(d gpu.Device, bus string) (direct, switched uint8) {
	for _, l := range d.Reading.NVLinks.V {
		switch {
		case !l.Up:
		case l.RemoteKind == "switch":
			switched++
		case l.RemoteBusID != "" && sameBus(l.RemoteBusID, bus):
			direct++
		}
	}
	return direct, switched
}

// sameBus compares two addresses, of four or eight digits of domain each.
func sameBus(a, b string) bool {
	long := func(s string) string {
		if len(s) == len("0000:18:00.0") {
			return "0000" + s
		}
		return s
	}
	return strings.EqualFold(long(a), long(b))
}
