package sched

import (
	"errors"
	"fmt"
	"slices"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/internal/canon"
)

const domain = "idlegrid/sched/v2"

// Snapshot returns the whole state: a fleet that is restored from it answers every event as this one does. The order in which nodes joined is
// part of it, since the walk over them follows it.
func (f *Fleet) Snapshot() []byte { return f.encode().Data() }

// Digest returns the SHA-256 of Snapshot.
func (f *Fleet) Digest() [32]byte { return f.encode().Sum() }

// Restore returns the fleet of a snapshot. The policy must be the one under which it was taken, else the error is
// ErrPolicyMismatch; bytes that are no snapshot of a sound fleet are ErrSnapshot.
func Restore(p Policy, b []byte) (*Fleet, error) { return RestoreCustom(p, Plugins{}, b) }

// RestoreCustom is Restore for a fleet with plugins. They must have the name of those under which the snapshot was taken.
func RestoreCustom(p Policy, x Plugins, b []byte) (*Fleet, error) {
	f, err := NewCustomFleet(p, x)
	if err != nil {
		return nil, err
	}
	r := canon.NewReader(b, domain)
	policy := r.Bytes()
	if r.Err() == nil && string(policy) != string(f.encodePolicy()) {
		return nil, ErrPolicyMismatch
	}
	d := decoder{f: f, r: r}
	d.decode()
	if err := r.Close(); err != nil && d.err == nil { // else it stopped there, with bytes left
		d.err = err
	}
	if d.err == nil {
		d.err = f.Audit()
	}
	if d.err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSnapshot, d.err)
	}
	return f, nil
}

func (f *Fleet) encodePolicy() []byte {
	var w canon.Writer
	p := f.policy
	w.String(p.Version)
	w.String(f.plugins.Name)
	w.Uint16(f.plugins.Calls)
	w.Len(len(p.Order))
	for _, c := range p.Order {
		w.Uint8(uint8(c))
	}
	w.Len(len(p.Mix))
	for _, m := range p.Mix {
		w.Uint8(uint8(m.Criterion))
		w.Uint16(m.Weight)
	}
	w.Uint16(p.Candidates)
	w.Bool(p.Rotate)
	w.Uint64(p.Seed)
	for _, b := range [][]uint32{p.PriceBands, p.StandingBands} {
		w.Len(len(b))
		for _, v := range b {
			w.Uint32(v)
		}
	}
	w.Len(len(p.Relax))
	for _, x := range p.Relax {
		w.Uint8(uint8(x))
	}
	for _, v := range []uint32{
		p.SearchSteps, p.MinDurationSeconds, p.MaxDurationSeconds, p.MaxAheadSeconds, p.RememberSeconds, p.HoldSeconds, p.MaxHoldSeconds,
		p.SpotNoticeSeconds, p.ReclaimNoticeSeconds, p.MaxQueue,
	} {
		w.Uint32(v)
	}
	w.Uint8(uint8(p.Backfill))
	return w.Data()
}

func (f *Fleet) encode() *canon.Writer {
	w := canon.NewWriter(domain)
	w.Bytes(f.encodePolicy())
	w.Int64(f.now)
	w.Uint64(f.granted)
	w.Uint64(f.ended)
	w.Uint64(f.metered)
	w.Uint32(f.rotate)
	w.Uint32(f.joined)
	w.Bool(f.stale && len(f.queue) > 0) // without a queue it says nothing
	f.demand.encode(w)
	encodeNames(w, f.models.list)
	encodeNames(w, f.countries.list)
	encodeNames(w, f.regions.list)
	encodeNames(w, f.sites.list)
	encodeNames(w, f.suppliers.list)
	w.Len(len(f.kinds.list))
	for _, k := range f.kinds.list {
		w.Uint32(uint32(k.model))
		w.Uint64(k.memory)
	}
	w.Len(len(f.places.list))
	for _, p := range f.places.list {
		w.Uint32(uint32(p.country))
		w.Uint32(uint32(p.region))
	}
	w.Len(len(f.shapes.list))
	for i := range f.shapes.list {
		f.shapes.list[i].encode(w)
	}
	f.encodeSites(w)
	number := f.encodeNodes(w)
	slots := f.bySeqAll()
	w.Len(len(slots))
	for _, slot := range slots {
		f.encodeLease(w, f.leases.ref(slot), number)
	}
	w.Len(len(f.recent))
	for _, e := range f.recent {
		w.Int64(e.at)
		w.String(string(e.job))
	}
	return w
}

func encodeNames[T ~string](w *canon.Writer, list []T) {
	w.Len(len(list))
	for _, s := range list {
		w.String(string(s))
	}
}

func (s *shape) encode(w *canon.Writer) {
	w.Uint32(uint32(s.kind))
	w.Uint32(uint32(s.place))
	w.Uint32(s.cpu)
	w.Uint32(s.ram)
	w.Uint32(s.disk)
	w.Uint8(s.cards)
	w.Uint8(s.connectivity)
	w.Bool(s.shares)
	w.Bool(s.mig)
	w.Uint16(s.hostWatts)
	w.Uint16(s.watts)
	w.Raw(s.islands[:])
}

// encodeSites writes what is measured of sites; each pair once, at the site with the smaller number.
func (f *Fleet) encodeSites(w *canon.Writer) {
	for i := range int32(len(f.sites.list)) {
		w.Uint32(f.siteLoss.at(i))
		links := f.links.around(i)
		links = links[seek(links, i):]
		w.Len(len(links))
		for _, l := range links {
			w.Uint32(uint32(l.to))
			w.Uint32(l.delay)
			w.Uint32(l.mbps)
		}
	}
}

// encodeNodes writes the partitions of the index and the nodes in each, in the order of the walk. It returns the numbers that leases use for nodes.
func (f *Fleet) encodeNodes(w *canon.Writer) (number []uint32) {
	layout := f.index.layout()
	w.Len(len(layout))
	for _, l := range layout {
		w.Uint32(uint32(l.kind))
		w.Uint32(uint32(l.country))
		w.Uint32(uint32(l.nodes))
		w.Len(len(l.runs))
		for _, site := range l.runs {
			w.Uint32(uint32(site + 1))
		}
	}
	number = make([]uint32, f.nodes.len())
	w.Len(f.known)
	n := uint32(0)
	for _, l := range layout {
		part := f.index.part(f.index.partition(l.kind, l.country))
		for place := range l.nodes {
			if i := part.nodes.position(place); f.index.has(mapTaken, i) {
				number[i] = n
				n++
				f.encodeNode(w, i, place)
			}
		}
	}
	return number
}

func (f *Fleet) encodeNode(w *canon.Writer, i, place int32) {
	row, st, rec := f.index.row(i), f.nodes.at(i), f.index.record(i)
	w.Uint32(uint32(place))
	w.Uint32(uint32(f.siteNumber(i)))
	w.Uint32(uint32(row.supplier))
	w.Uint32(uint32(row.shape))
	w.Uint32(rec.hour)
	w.Uint32(rec.exactStanding())
	w.Uint32(st.loss())
	w.Uint32(st.joined)
	w.Uint8(rec.tier())
	w.Uint8(f.index.assurance(i))
	w.Uint8(f.index.compliance(i))
	w.Bool(st.present())
	w.Bool(st.draining())
	w.Int64(f.reclaimAt.at(i))
	w.String(string(f.ids.nodeID(i)))
	for _, d := range f.ids.devices(i) {
		w.String(string(d))
	}
}

func (f *Fleet) encodeLease(w *canon.Writer, l *lease, number []uint32) {
	w.Uint64(l.seq)
	w.Uint64(l.ticket)
	w.String(string(l.job))
	w.String(l.owner)
	w.Uint8(uint8(l.class))
	w.Uint8(uint8(l.state))
	w.Bool(l.active)
	w.Int64(l.from)
	w.Int64(l.until)
	w.Int64(l.ttl)
	w.Uint32(l.cpu)
	w.Uint32(l.ram)
	w.Uint32(l.disk)
	w.Uint8(l.gpus)
	w.Uint16(l.share)
	w.Uint8(uint8(l.mig))
	w.Uint8(l.alternative)
	w.Uint8(l.priority)
	w.Uint8(uint8(l.notice))
	w.Int64(l.noticeAt)
	w.String(string(l.noticeFor))
	w.Int64(l.paid)
	w.Len(int(l.spares))
	w.Len(len(l.members))
	for k := range l.members {
		m := &l.members[k]
		w.Uint32(number[m.node])
		w.Uint16(m.mask)
		w.Uint16(m.milli)
		w.Uint8(m.slices)
		w.Uint32(m.hour)
		w.Int64(m.since)
	}
	w.Len(len(l.past))
	for i := range l.past {
		u := &l.past[i]
		w.String(string(u.Node))
		w.String(string(u.Supplier))
		w.String(string(u.Device))
		w.Uint16(u.Milli)
		w.Uint64(u.Seconds)
		w.Uint64(u.HourMicro)
	}
	w.Bool(l.request != nil)
	if l.request != nil {
		encodeRequest(w, l.request)
	}
}

// decoder fills a fleet from a snapshot. It checks what Audit cannot see any more once the state is built.
type decoder struct {
	f      *Fleet
	r      *canon.Reader
	err    error
	number []int32 // of each node of the snapshot, in this fleet
}

func (d *decoder) ok() bool { return d.err == nil && d.r.Err() == nil }

func (d *decoder) require(ok bool, what string) {
	if d.err == nil && !ok {
		d.err = errors.New(what)
	}
}

func (d *decoder) decode() {
	f, r := d.f, d.r
	f.now, f.granted, f.ended, f.metered, f.rotate, f.joined, f.stale = r.Int64(), r.Uint64(), r.Uint64(), r.Uint64(), r.Uint32(), r.Uint32(), r.Bool()
	demand := d.demand()
	decodeNames(d, &f.models, 1)
	decodeNames(d, &f.countries, 2)
	decodeNames(d, &f.regions, 0)
	decodeNames(d, &f.sites, 1)
	decodeNames(d, &f.suppliers, 1)
	for range r.Len(12) {
		k := kind{int32(r.Uint32()), r.Uint64()}
		d.require(inside(k.model, len(f.models.list)) && k.memory > 0 && k.memory <= maxRoom, "kind out of range")
		if d.ok() {
			f.kind(f.models.list[k.model], k.memory)
		}
	}
	for range r.Len(8) {
		p := place{int32(r.Uint32()), int32(r.Uint32())}
		d.require(inside(p.country, len(f.countries.list)) && inside(p.region, len(f.regions.list)), "place out of range")
		if d.ok() {
			f.place(f.countries.list[p.country], f.regions.list[p.region])
		}
	}
	for range r.Len(30) {
		d.shape()
	}
	d.sites()
	d.layout()
	d.nodes()
	if !d.ok() {
		return
	}
	for range r.Len(60) {
		if !d.ok() {
			return
		}
		d.lease()
	}
	d.require(!f.stale || len(f.queue) > 0, "nothing waits for what changed")
	for range r.Len(12) {
		if !d.ok() {
			return
		}
		e := endedJob{at: r.Int64(), job: JobID(r.String())}
		_, known := f.jobs[e.job]
		d.require(!known && named("job", string(e.job)) == nil, "remembered job twice, or without a name")
		d.require(e.at >= 0 && e.at <= f.now, "remembered job ended after the last event")
		f.jobs[e.job] = jobState{ended: e.at}
		f.recent = append(f.recent, e)
	}
	if !d.ok() {
		return
	}
	f.demand = demand // only now: what was entered so far is counted at once
	f.prepare()
	d.require(len(demand.weight) == len(demand.wants), "weights of another mix")
	if d.ok() {
		f.sum()
	}
}

func inside(i int32, n int) bool { return i >= 0 && int(i) < n }

func decodeNames[T ~string](d *decoder, to *names[T], least int) {
	for i := range d.r.Len(4) {
		s := d.r.String()
		d.require(len(s) >= least && len(s) <= maxText, "name out of range")
		if !d.ok() {
			return
		}
		d.require(int(to.add(T(s))) == i, "name twice")
	}
}

func (d *decoder) shape() {
	r, f := d.r, d.f
	s := shape{
		kind: int32(r.Uint32()), place: int32(r.Uint32()), cpu: r.Uint32(), ram: r.Uint32(), disk: r.Uint32(), cards: r.Uint8(), connectivity: r.Uint8(),
		shares: r.Bool(), mig: r.Bool(), hostWatts: r.Uint16(), watts: r.Uint16(),
	}
	r.Raw(s.islands[:])
	for i, v := range s.islands {
		d.require(v < maxDevices && (i < int(s.cards) || v == 0), "island out of range")
		s.several = s.several || i < int(s.cards) && v != s.islands[0]
	}
	d.require(inside(s.kind, len(f.kinds.list)) && inside(s.place, len(f.places.list)) && s.cards >= 1 && s.cards <= maxDevices &&
		s.connectivity >= 1 && s.connectivity <= 4 && s.cpu > 0 && s.ram > 0, "shape out of range")
	n := len(f.shapes.list)
	d.require(int(f.shapes.add(s)) == n, "shape twice")
}

func (d *decoder) sites() {
	r, f := d.r, d.f
	n := int32(len(f.sites.list))
	f.siteLoss.grow(n)
	for i := range n {
		loss := r.Uint32()
		d.require(loss <= million, "loss of a site out of range")
		if loss != 0 && d.ok() {
			*f.siteLoss.edit(i) = loss
		}
		last := i
		for range r.Len(12) {
			l := link{to: int32(r.Uint32()), delay: r.Uint32(), mbps: r.Uint32()}
			d.require(l.to > last && l.to < n, "links out of order")
			d.require(l.delay <= maxDelayMicros && l.mbps > 0, "link out of range")
			if !d.ok() {
				return
			}
			last = l.to
			f.links.set(i, l.to, l.delay, l.mbps)
		}
	}
}

func (d *decoder) layout() {
	r, f := d.r, d.f
	last := partLayout{kind: -1}
	for range r.Len(16) {
		l := partLayout{kind: int32(r.Uint32()), country: int32(r.Uint32()), nodes: int32(r.Uint32())}
		for range r.Len(4) {
			l.runs = append(l.runs, int32(r.Uint32())-1)
		}
		d.require(inside(l.kind, len(f.kinds.list)) && inside(l.country, len(f.places.list)),
			"partition out of range")
		d.require(l.kind > last.kind || l.kind == last.kind && l.country > last.country, "partitions out of order")
		last = l
		for _, site := range l.runs {
			d.require(site >= -1 && int(site) < len(f.sites.list), "run out of range")
		}
		if !d.ok() {
			return
		}
		d.err = f.index.lay(&l)
	}
}

func (d *decoder) nodes() {
	n := d.r.Len(50)
	for range n {
		if !d.ok() {
			return
		}
		d.node()
	}
	if d.ok() {
		d.err = d.f.index.complete()
	}
	slices.SortFunc(d.f.reclaims, reclaimed.compare)
}

func (d *decoder) node() {
	r, f := d.r, d.f
	at, site, supplier, shape := int32(r.Uint32()), int32(r.Uint32()), int32(r.Uint32()), int32(r.Uint32())
	t := NodeTerms{HourMicro: uint64(r.Uint32()), StandingPPM: r.Uint32(), LossPPM: r.Uint32()}
	joined := r.Uint32()
	t.Tier, t.Assurance, t.Compliance = r.Uint8(), r.Uint8(), Compliance(r.Uint8())
	st := nodeState{bits: t.LossPPM | nodeKnown, joined: joined}
	st.flag(nodePresent, r.Bool())
	st.flag(nodeDraining, r.Bool())
	reclaim := r.Int64()
	id := NodeID(r.String())
	d.require(inside(site, len(f.sites.list)) && inside(supplier, len(f.suppliers.list)) && inside(shape, len(f.shapes.list)), "node out of range")
	d.require(named("node", string(id)) == nil && t.validate() == nil && reclaim >= 0 && (st.present() || !st.draining() && reclaim == 0), "node out of range")
	if !d.ok() {
		return
	}
	sh := &f.shapes.list[shape]
	devices := make([]gpu.DeviceID, sh.cards)
	for k := range devices {
		devices[k] = gpu.DeviceID(r.String())
		_, _, known := f.ids.device(devices[k])
		d.require(named("device", string(devices[k])) == nil && !known && !slices.Contains(devices[:k], devices[k]), "device twice, or without a name")
	}
	_, known := f.ids.node(id)
	d.require(!known, "node twice")
	if !d.ok() {
		return
	}
	var i int32
	if i, d.err = f.index.addAt(at, nodeFacts{
		kind: sh.kind, country: sh.place, site: site, supplier: supplier, shape: shape, hour: uint32(t.HourMicro), standing: t.StandingPPM, cpu: sh.cpu,
		ram: sh.ram, disk: sh.disk, cards: sh.cards, tier: t.Tier, connectivity: sh.connectivity, assurance: t.Assurance, compliance: uint8(t.Compliance),
		shares: sh.shares || sh.mig,
	}); d.err != nil {
		return
	}
	f.enter(i, &Node{ID: id, Devices: devices, LossPPM: t.LossPPM, Shares: sh.shares, MIG: sh.mig}, joined)
	f.revive(i, st, reclaim)
	d.number = append(d.number, i)
}

// revive brings a node that was entered into the state that it had.
func (f *Fleet) revive(i int32, st nodeState, reclaim int64) {
	*f.nodes.edit(i) = st
	if !st.present() {
		return
	}
	f.index.setUp(i, !st.draining())
	cards := f.index.record(i).cards()
	f.up++
	f.devices += cards
	f.free += cards
	if reclaim != 0 {
		*f.reclaimAt.edit(i) = reclaim
		f.reclaims = append(f.reclaims, reclaimed{reclaim, i, st.joined})
		f.mark(i)
	}
}
