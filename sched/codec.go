package sched

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/internal/canon"
)

const domain = "idlegrid/sched/v1"

// Snapshot returns the whole state in canonical form: two fleets that answer alike have the same bytes.
func (f *Fleet) Snapshot() []byte { return f.encode().Data() }

// Digest returns the SHA-256 of Snapshot.
func (f *Fleet) Digest() [32]byte { return f.encode().Sum() }

// Restore returns the fleet of a snapshot. The policy must be the one under which it was taken, else the error is
// ErrPolicyMismatch; bytes that are no snapshot of a sound fleet are ErrSnapshot.
func Restore(p Policy, b []byte) (*Fleet, error) {
	f, err := NewFleet(p)
	if err != nil {
		return nil, err
	}
	r := canon.NewReader(b, domain)
	policy := r.Bytes()
	if r.Err() == nil && string(policy) != string(encodePolicy(p)) {
		return nil, ErrPolicyMismatch
	}
	d := decoder{f: f, r: r}
	d.decode()
	if err := r.Close(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	if d.err == nil {
		d.err = f.Audit()
	}
	if d.err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSnapshot, d.err)
	}
	return f, nil
}

func encodePolicy(p Policy) []byte {
	var w canon.Writer
	w.String(p.Version)
	w.Len(len(p.Order))
	for _, c := range p.Order {
		w.Uint8(uint8(c))
	}
	w.Len(len(p.Relax))
	for _, x := range p.Relax {
		w.Uint8(uint8(x))
	}
	w.Uint32(p.SearchSteps)
	w.Uint32(p.MinDurationSeconds)
	w.Uint32(p.MaxDurationSeconds)
	w.Uint32(p.RememberSeconds)
	return w.Data()
}

// encode numbers sites and nodes in order of their IDs, whatever numbers they have in this fleet.
func (f *Fleet) encode() *canon.Writer {
	w := canon.NewWriter(domain)
	w.Bytes(encodePolicy(f.policy))
	w.Time(f.now)
	w.Uint64(f.granted)
	w.Uint64(f.ended)
	w.Uint64(f.metered)

	sites := make([]int32, len(f.sites.list)) // new number -> ours
	for i := range sites {
		sites[i] = int32(i)
	}
	slices.SortFunc(sites, func(a, b int32) int { return cmp.Compare(f.sites.list[a], f.sites.list[b]) })
	w.Len(len(sites))
	for _, s := range sites {
		w.String(string(f.sites.list[s]))
	}
	f.encodeLinks(w, sites)

	nodes := f.byNodeID()
	number := make([]uint32, len(nodes)) // ours -> new number
	w.Len(len(nodes))
	for i, n := range nodes {
		number[n] = uint32(i)
		encodeNode(w, &f.facts[n], f.rows[n].up)
	}
	w.Len(len(f.due))
	for _, slot := range f.byGrant() {
		encodeLease(w, &f.leases[slot], number)
	}
	w.Len(len(f.recent))
	for _, e := range f.recent {
		w.Time(e.at)
		w.String(string(e.job))
	}
	return w
}

// encodeLinks writes each pair once, at the site with the smaller new number.
func (f *Fleet) encodeLinks(w *canon.Writer, sites []int32) {
	number := make([]int32, len(sites))
	for i, s := range sites {
		number[s] = int32(i)
	}
	var out []link
	for i, s := range sites {
		out = out[:0]
		for _, l := range f.links[s] {
			if to := number[l.to]; to > int32(i) {
				out = append(out, link{to, l.delay, l.mbps})
			}
		}
		slices.SortFunc(out, func(a, b link) int { return cmp.Compare(a.to, b.to) })
		w.Len(len(out))
		for _, l := range out {
			w.Uint32(uint32(l.to))
			w.Uint32(l.delay)
			w.Uint32(l.mbps)
		}
	}
}

func encodeNode(w *canon.Writer, n *Node, up bool) {
	w.String(string(n.ID))
	w.String(string(n.Site))
	w.String(string(n.Supplier))
	w.String(n.Model)
	w.Uint64(n.MemoryMiB)
	w.Len(len(n.Devices))
	for _, d := range n.Devices {
		w.String(string(d))
	}
	w.Uint64(n.CPUMilli)
	w.Uint64(n.RAMMiB)
	w.String(n.Country)
	w.Uint8(n.Connectivity)
	w.Uint8(n.Tier)
	w.Uint32(n.StandingPPM)
	w.Uint64(n.HourMicro)
	w.Bool(up)
}

func encodeLease(w *canon.Writer, l *lease, number []uint32) {
	w.Uint64(l.seq)
	w.String(string(l.job))
	w.String(l.owner)
	w.Time(l.from)
	w.Time(l.until)
	w.Uint64(l.cpu)
	w.Uint64(l.ram)
	w.Len(len(l.members))
	for _, m := range l.members {
		w.Uint32(number[m.node])
		w.Uint16(m.mask)
		w.Uint64(m.hour)
	}
}

// decoder fills a fleet from a snapshot. It checks what Audit cannot see any more once the state is built.
type decoder struct {
	f   *Fleet
	r   *canon.Reader
	err error
}

func (d *decoder) ok() bool { return d.err == nil && d.r.Err() == nil }

func (d *decoder) require(ok bool, what string) {
	if d.err == nil && !ok {
		d.err = errors.New(what)
	}
}

func (d *decoder) decode() {
	f, r := d.f, d.r
	f.now = r.Time()
	f.granted, f.ended, f.metered = r.Uint64(), r.Uint64(), r.Uint64()
	sites := r.Len(5)
	for i := 0; i < sites && d.ok(); i++ {
		s := SiteID(r.String())
		d.require(named("site", string(s)) == nil, "site without a name")
		d.require(i == 0 || f.sites.list[i-1] < s, "sites out of order")
		f.site(s)
	}
	for i := 0; i < sites && d.ok(); i++ {
		d.links(int32(i), sites)
	}
	for range r.Len(50) {
		if !d.ok() {
			return
		}
		d.node()
	}
	for range r.Len(50) {
		if !d.ok() {
			return
		}
		d.lease()
	}
	for range r.Len(16) {
		if !d.ok() {
			return
		}
		e := endedJob{at: r.Time(), job: JobID(r.String())}
		_, known := f.jobs[e.job]
		d.require(!known && named("job", string(e.job)) == nil, "remembered job twice, or without a name")
		d.require(!e.at.After(f.now), "remembered job ended after the last event")
		f.jobs[e.job] = jobState{ended: e.at}
		f.recent = append(f.recent, e)
	}
}

func (d *decoder) links(from int32, sites int) {
	last := from
	for range d.r.Len(12) {
		l := link{to: int32(d.r.Uint32()), delay: d.r.Uint32(), mbps: d.r.Uint32()}
		d.require(l.to > last && int(l.to) < sites, "links out of order")
		d.require(l.delay <= maxDelayMicros && l.mbps > 0, "link out of range")
		if !d.ok() {
			return
		}
		last = l.to
		d.f.setLink(from, l)
		d.f.setLink(l.to, link{from, l.delay, l.mbps})
	}
}

func (d *decoder) node() {
	r, f := d.r, d.f
	n := Node{ID: NodeID(r.String()), Site: SiteID(r.String()), Supplier: SupplierID(r.String()), Model: r.String(), MemoryMiB: r.Uint64()}
	for range r.Len(5) {
		n.Devices = append(n.Devices, gpu.DeviceID(r.String()))
	}
	n.CPUMilli, n.RAMMiB, n.Country = r.Uint64(), r.Uint64(), r.String()
	n.Connectivity, n.Tier, n.StandingPPM, n.HourMicro = r.Uint8(), r.Uint8(), r.Uint32(), r.Uint64()
	up := r.Bool()
	_, site := f.sites.index[n.Site]
	d.require(site, "node at an unknown site")
	d.require(len(f.facts) == 0 || f.facts[len(f.facts)-1].ID < n.ID, "nodes out of order")
	if !d.ok() {
		return
	}
	if up {
		d.err = f.nodeUp(n)
	} else if d.err = n.Validate(); d.err == nil {
		f.put(n)
	}
}

func (d *decoder) lease() {
	r, f := d.r, d.f
	l := lease{seq: r.Uint64(), job: JobID(r.String()), owner: r.String(), from: r.Time(), until: r.Time(), cpu: r.Uint64(), ram: r.Uint64()}
	room := map[int32]held{}
	for range r.Len(14) {
		m := member{int32(r.Uint32()), r.Uint16(), r.Uint64()}
		d.require(m.node >= 0 && int(m.node) < len(f.rows), "lease on an unknown node")
		d.require(m.hour <= maxHourMicro && l.cpu <= maxRoom && l.ram <= maxRoom, "lease out of range")
		if !d.ok() {
			return
		}
		row, h := &f.rows[m.node], room[m.node]
		h.cpu += l.cpu
		h.ram += l.ram
		d.require(row.free&^h.mask&m.mask == m.mask && row.cpu >= h.cpu && row.ram >= h.ram, "lease on what is not free")
		h.mask |= m.mask
		room[m.node] = h
		l.members = append(l.members, m)
	}
	_, known := f.jobs[l.job]
	d.require(!known && named("job", string(l.job)) == nil && named("owner", l.owner) == nil, "lease without a job of its own")
	last := uint64(0)
	if n := len(f.leases); n > 0 {
		last = f.leases[n-1].seq
	}
	d.require(l.seq > last, "leases out of order")
	if d.ok() {
		f.jobs[l.job] = jobState{running: true}
		f.store(l)
	}
}
