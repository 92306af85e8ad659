package nvml

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/idlegrid/idlegrid/gpu"
)

// part is what one goroutine has read of one device so far. When the probe's time is up it is sealed: what comes later is
// nobody's any more.
type part struct {
	mu     sync.Mutex
	sealed bool
	device gpu.Device
	known  bool // the identity is whole
	handle handle
	why    string // why the device is missing; empty if it is there
	gone   code   // what the driver said when it went away
	values gpu.Reading
}

// newPart starts with nothing but timeouts: what is overwritten in time was read.
func newPart(fields []field) *part {
	p := &part{why: gpu.WhyTimeout}
	for _, f := range fields {
		f.none(&p.values, gpu.WhyTimeout)
	}
	return p
}

// set changes the part unless it is sealed.
func (p *part) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.sealed {
		change()
	}
}

// seal ends all changes. Afterwards the part may be read without the lock.
func (p *part) seal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sealed = true
}

// read fills the part. It runs inside the device's slot.
func (p *part) read(r *reader, index uint32, fields []field) {
	defer func() {
		p.set(func() {
			p.gone = r.gone
			if r.over == gpu.WhyLost { // what it said before it fell off is of no use any more
				p.why = r.over
			}
		})
	}()
	if why := r.open(index); why != "" {
		p.set(func() { p.why = why })
		return
	}
	d, subsystem, memory, why := r.identity(func(d gpu.Device) { p.set(func() { p.device = d }) })
	p.set(func() {
		p.device, p.why, p.known, p.handle = d, why, why == "", r.h
		p.values.Subsystem, p.values.Memory = subsystem, memory
	})
	if why != "" {
		return
	}
	for _, f := range fields {
		store := f.ask(r)
		if r.over != "" {
			return
		}
		p.set(func() { store(&p.values) })
	}
}

// probe reads the host and all devices at once, each on a goroutine of its own.
func (s *Source) probe(ctx context.Context) (gpu.Inventory, error) {
	taken := time.Now().UTC()
	views := s.views(ctx)
	sess, h, err := s.lib.enter(ctx)
	if err != nil {
		return gpu.Inventory{}, err
	}
	defer s.lib.exit(sess)
	parts, joints := s.devices(ctx, sess, int(min(h.count, gpu.MaxDevices)))
	inv := gpu.Inventory{
		Taken: taken, Backend: s.lib.raw.backend(),
		Driver: h.driver, NVML: h.nvml, CUDADriver: h.cuda, Confidential: h.confidential,
	}
	places := s.assemble(&inv, sess, parts)
	inv.Links = links(inv.Devices, places, joints)
	if s.lib.isBroken(sess) {
		return gpu.Inventory{}, fmt.Errorf("%w: it went away during a probe", gpu.ErrNoDriver)
	}
	if h.count > gpu.MaxDevices {
		inv.Missing = append(inv.Missing, gpu.Missing{Why: fmt.Sprintf("the driver counts %d devices, of which %d are read", h.count, gpu.MaxDevices)})
	}
	s.compare(&inv)
	if s.cfg.HashLibrary {
		inv.LibrarySHA = s.digest()
	}
	v := views()
	inv.Host, inv.BootID, inv.Platform, inv.Hypervisor = v.Host, v.BootID, v.Platform, v.Hypervisor
	inv.PCIView, inv.ProcView, inv.CUDAView = v.PCIView, v.ProcView, v.CUDAView
	return inv, nil
}

// device reads one device, as far as it comes.
func (s *Source) device(ctx context.Context, sess *session, index uint32) *part {
	p := newPart(s.lib.fields)
	slot := s.lib.device(sess, index)
	_, err := run(ctx, &slot.slot, func() struct{} {
		p.read(&reader{ctx: ctx, raw: s.lib.raw}, index, s.lib.fields)
		return struct{}{}
	})
	p.seal()
	if errors.Is(err, errPanicked) {
		p.why, p.known = gpu.WhyUnreadable, false
	}
	if p.gone != codeSuccess {
		s.lib.breakUp(sess)
	}
	if p.known {
		s.lib.remember(slot, p.device.ID, p.device.BusID)
	}
	return p
}

// assemble sorts the parts into devices and missing ones. It returns the index of every device of the inventory.
func (s *Source) assemble(inv *gpu.Inventory, sess *session, parts []*part) []int {
	var places []int
	for i, p := range parts {
		if p.why == "" {
			d := p.device
			values := p.values
			d.Reading = &values
			inv.Devices = append(inv.Devices, d)
			places = append(places, i)
			continue
		}
		m := gpu.Missing{ID: p.device.ID, BusID: p.device.BusID, Why: p.why}
		id, bus := s.lib.known(s.lib.device(sess, uint32(i)))
		if m.ID == "" {
			m.ID = id
		}
		if m.BusID == "" {
			m.BusID = bus
		}
		inv.Missing = append(inv.Missing, m)
	}
	return places
}

// pair is two devices of a session, the lower index first.
type pair [2]int

// devices reads all devices at once. As soon as two of them are there, it asks how they are joined, so that a third that hangs
// does not take the time for it. A device that hangs here was read in full: only the link is absent.
func (s *Source) devices(ctx context.Context, sess *session, n int) ([]*part, map[pair]joint) {
	parts := make([]*part, n)
	done := make(chan int)
	for i := range parts {
		go func() {
			parts[i] = s.device(ctx, sess, uint32(i))
			done <- i
		}()
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	joints := map[pair]joint{}
	var there []int
	for range n {
		i := <-done
		if parts[i].why != "" {
			continue
		}
		for _, j := range there {
			p := pair{min(i, j), max(i, j)}
			all.Go(func() {
				if answer, ok := s.joint(ctx, sess, p, parts); ok {
					mu.Lock()
					joints[p] = answer
					mu.Unlock()
				}
			})
		}
		there = append(there, i)
	}
	all.Wait()
	return parts, joints
}

// joint asks how two devices are joined, inside the slot of the first.
func (s *Source) joint(ctx context.Context, sess *session, p pair, parts []*part) (joint, bool) {
	if !s.lib.raw.has(callAncestor) && !s.lib.raw.has(callP2P) {
		return joint{}, false
	}
	type reply struct {
		joint
		ok   bool
		gone code
	}
	slot := s.lib.device(sess, uint32(p[0]))
	a, err := run(ctx, &slot.slot, func() reply {
		r := &reader{ctx: ctx, raw: s.lib.raw, h: parts[p[0]].handle}
		j, ok := r.joint(parts[p[1]].handle)
		return reply{j, ok, r.gone}
	})
	if a.gone != codeSuccess {
		s.lib.breakUp(sess)
	}
	return a.joint, err == nil && a.ok
}

// links puts the pairs into words, by the devices' places in the inventory.
func links(devices []gpu.Device, places []int, joints map[pair]joint) []gpu.Link {
	var out []gpu.Link
	for a := range devices {
		for b := a + 1; b < len(devices); b++ {
			if l, ok := link(a, b, devices, joints[pair{places[a], places[b]}]); ok {
				out = append(out, l)
			}
		}
	}
	return out
}

// compare adds the devices that were seen before and are not listed now, and remembers those that are.
func (s *Source) compare(inv *gpu.Inventory) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := map[gpu.DeviceID]bool{}
	for _, d := range inv.Devices {
		now[d.ID] = true
		s.known[d.ID] = d.BusID
	}
	for _, m := range inv.Missing {
		now[m.ID] = true
	}
	var lost []gpu.DeviceID
	for id := range s.known {
		if !now[id] {
			lost = append(lost, id)
		}
	}
	slices.Sort(lost)
	for _, id := range lost {
		inv.Missing = append(inv.Missing, gpu.Missing{ID: id, BusID: s.known[id], Why: gpu.WhyLost})
	}
}
