package nvml

import (
	"context"
	"fmt"
	"strings"

	"github.com/idlegrid/idlegrid/gpu"
)

// reader asks the questions of one goroutine, each through the gate: a question whose symbol is absent is not asked, and none
// is asked after the deadline, or after an answer that makes all further ones pointless.
type reader struct {
	ctx  context.Context //nolint:containedctx // a reader lives as long as one call of its maker
	raw  raw
	h    handle
	over string // why nothing is asked any more
	gone code   // what the library said when the driver went away
}

// shut says why a question is not asked; empty if it may be.
func (r *reader) shut(c call) string {
	if r.over == "" && r.ctx.Err() != nil {
		r.over = gpu.WhyTimeout
	}
	if r.over != "" {
		return r.over
	}
	if !r.raw.has(c) {
		return gpu.WhySymbolAbsent
	}
	return ""
}

// heard turns a code into a reason and notes what ends the reading.
func (r *reader) heard(c code) string {
	switch {
	case c == codeLost:
		r.over = gpu.WhyLost
	case c.gone():
		r.over, r.gone = c.why(), c
	}
	return c.why()
}

// ask asks for numbers.
func (r *reader) ask(c call, a, b uint32) (answer, string) {
	if why := r.shut(c); why != "" {
		return answer{}, why
	}
	v, rc := r.raw.ask(c, r.h, a, b)
	return v, r.heard(rc)
}

// text asks for a string and takes it only if others can read it too.
func (r *reader) text(c call) gpu.Opt[string] {
	if why := r.shut(c); why != "" {
		return gpu.None[string](why)
	}
	v, rc := r.raw.text(c, r.h)
	if why := r.heard(rc); why != "" {
		return gpu.None[string](why)
	}
	return printable(v)
}

// printable takes what an inventory may hold: up to 128 bytes of printable ASCII, not padded. The library pads some strings
// with spaces, which say nothing.
func printable(s string) gpu.Opt[string] {
	s = strings.TrimSpace(s)
	if s == "" || len(s) > 128 {
		return gpu.None[string](gpu.WhyUnreadable)
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return gpu.None[string](gpu.WhyUnreadable)
		}
	}
	return gpu.Some(s)
}

// host asks what belongs to no device.
func (r *reader) host() (host, error) {
	h := host{driver: r.text(callDriver).V, nvml: r.text(callNVML)}
	v, why := r.ask(callCUDA2, 0, 0)
	if why == gpu.WhySymbolAbsent {
		v, why = r.ask(callCUDA, 0, 0)
	}
	h.cuda = gpu.Opt[string]{Why: why}
	if why == "" { // 12040 is 12.4
		h.cuda = gpu.Some(fmt.Sprintf("%d.%d", v[0]/1000, v[0]%1000/10))
	}
	h.confidential = r.confidential()
	n, why := r.ask(callCount, 0, 0)
	if why != "" {
		return h, fmt.Errorf("%w: count devices: %s", gpu.ErrUnsupported, why)
	}
	h.count = uint32(n[0])
	return h, nil
}

func (r *reader) confidential() gpu.Opt[gpu.Confidential] {
	v, why := r.ask(callConfidential, 0, 0)
	if why != "" {
		return gpu.None[gpu.Confidential](why)
	}
	environments := []string{"none", "sim", "prod"}
	if v[0] >= uint64(len(environments)) {
		return gpu.None[gpu.Confidential](gpu.WhyUnreadable)
	}
	return gpu.Some(gpu.Confidential{Environment: environments[v[0]], Enabled: v[1] != 0, DevTools: v[2] != 0})
}

// open turns an index into the handle that all further questions are about.
func (r *reader) open(index uint32) string {
	if why := r.shut(callDevice); why != "" {
		return why
	}
	h, rc := r.raw.child(callDevice, nil, index)
	if why := r.heard(rc); why != "" {
		return why
	}
	r.h = h
	return ""
}

// identity asks who a device is. Without all of it the device is missing, and the reason is returned. So far is told the
// device as far as it is known, before each question that may hang.
func (r *reader) identity(soFar func(gpu.Device)) (gpu.Device, gpu.Opt[gpu.PCIPair], gpu.Opt[gpu.MemoryUse], string) {
	var d gpu.Device
	id := r.text(callUUID)
	d.ID = gpu.DeviceID(id.V)
	soFar(d)
	subsystem := gpu.None[gpu.PCIPair](gpu.WhyNotSupported)
	p, why := r.pci(callPCI, 0)
	if why == "" {
		d.BusID = p.bus
		d.Vendor, d.PCIDeviceID = gpu.Vendor(p.id&0xffff), uint16(p.id>>16)
		if p.subsys != 0 {
			subsystem = gpu.Some(gpu.PCIPair{Vendor: uint16(p.subsys & 0xffff), Device: uint16(p.subsys >> 16)})
		}
		if d.Vendor == 0 || d.PCIDeviceID == 0 {
			why = gpu.WhyUnreadable
		}
	}
	soFar(d)
	name := r.text(callName)
	d.Model = name.V
	memory := r.memory()
	d.MemoryMiB = memory.V.Total >> 20
	if memory.OK && d.MemoryMiB == 0 {
		memory.Why = gpu.WhyUnreadable
	}
	for _, w := range []string{id.Why, why, name.Why, memory.Why} {
		if w != "" {
			return d, subsystem, memory, w
		}
	}
	d.Serial, d.VBIOS = r.text(callSerial).V, r.text(callVBIOS).V
	return d, subsystem, memory, r.over
}

// memory prefers the question whose answer tells what the driver keeps for itself.
func (r *reader) memory() gpu.Opt[gpu.MemoryUse] {
	v, why := r.ask(callMemory2, 0, 0)
	if why == gpu.WhySymbolAbsent || why == gpu.WhyNotSupported {
		v, why = r.ask(callMemory, 0, 0)
	}
	if why != "" {
		return gpu.None[gpu.MemoryUse](why)
	}
	return gpu.Some(gpu.MemoryUse{Total: v[0], Free: v[1], Used: v[2], Reserved: v[3]})
}

// pci asks for an address, and takes it only if it is one.
func (r *reader) pci(c call, link uint32) (pciInfo, string) {
	if why := r.shut(c); why != "" {
		return pciInfo{}, why
	}
	p, rc := r.raw.pci(c, r.h, link)
	if why := r.heard(rc); why != "" {
		return pciInfo{}, why
	}
	if p.bus == "" {
		p.bus = p.legacy
	}
	if !isBus(p.bus) {
		return pciInfo{}, gpu.WhyUnreadable
	}
	return p, ""
}

// isBus reports whether s is domain:bus:device.function, with four or eight digits of domain.
func isBus(s string) bool {
	form := "dddd:dd:ad.b" // a device is below 32, a function below 8
	if len(s) > len(form) {
		form = "dddd" + form
	}
	if len(s) != len(form) {
		return false
	}
	digits := map[byte]string{'d': "0123456789abcdefABCDEF", 'a': "01", 'b': "01234567", ':': ":", '.': "."}
	for i := range len(form) {
		if strings.IndexByte(digits[form[i]], s[i]) < 0 {
			return false
		}
	}
	return true
}
