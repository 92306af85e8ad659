package sched

import (
	"fmt"
	"slices"

	"github.com/idlegrid/idlegrid/gpu"
)

func (f *Fleet) nodeUp(n Node) error {
	if err := n.Validate(); err != nil {
		return err
	}
	i, known := f.ids.node(n.ID)
	if known && f.nodes.at(i).present {
		return fmt.Errorf("%w: %q", ErrNodeUp, n.ID)
	}
	for _, d := range n.Devices {
		if j, _, ok := f.ids.device(d); ok && f.nodes.at(j).present {
			return fmt.Errorf("%w: %q of %q is at %q", ErrDuplicateDevice, d, n.ID, f.ids.nodeID(j))
		}
	}
	i = f.put(n)
	s := f.nodes.edit(i)
	s.present, s.draining, s.reclaim = true, false, 0
	f.setUp(i, true)
	f.up++
	f.devices += len(n.Devices)
	f.free += len(n.Devices)
	f.stale = true
	return nil
}

// put enters the facts of a node, as down and with all free. What it was before, if it was there, it is not any more.
func (f *Fleet) put(n Node) int32 {
	for _, d := range n.Devices { // of nodes that are down: their devices are here now
		if j, _, ok := f.ids.device(d); ok {
			f.forgetNode(j)
		}
	}
	if i, ok := f.ids.node(n.ID); ok {
		f.forgetNode(i)
	}
	i := f.index.add(f.factsOf(&n))
	f.joined++
	f.enter(i, &n)
	f.nodes.edit(i).joined = f.joined
	return i
}

// enter fills in what the fleet keeps of a node beside the index.
func (f *Fleet) enter(i int32, n *Node) {
	f.nodes.grow(i + 1)
	s := f.nodes.edit(i)
	*s = nodeState{loss: n.LossPPM, known: true}
	if n.Shares || n.MIG {
		f.partCount++
		f.parts.grow(f.partCount)
		*f.parts.edit(f.partCount - 1) = part{}
		s.part = f.partCount
		f.index.setShare(i, f.largestShare(i))
	}
	f.index.editRow(i).booking = 0
	f.ids.put(i, n.ID, n.Devices)
	f.known++
}

// forgetNode takes a node that is down out of everything.
func (f *Fleet) forgetNode(i int32) {
	f.ids.drop(i)
	*f.nodes.edit(i) = nodeState{}
	f.index.remove(i)
	f.known--
}

func (f *Fleet) factsOf(n *Node) nodeFacts {
	return nodeFacts{
		kind: f.kind(n.Model, n.MemoryMiB), country: f.place(n.Country, n.Region), site: f.site(n.Site),
		supplier: f.suppliers.add(n.Supplier), shape: f.shape(n),
		hour: uint32(n.HourMicro), standing: n.StandingPPM, cpu: uint32(n.CPUMilli), ram: uint32(n.RAMMiB), disk: uint32(n.DiskMiB),
		cards: uint8(len(n.Devices)), tier: n.Tier, connectivity: n.Connectivity, assurance: n.Assurance, compliance: uint8(n.Compliance),
		shares: n.Shares || n.MIG,
	}
}

func (f *Fleet) kind(model string, memory uint64) int32 {
	k := kind{f.models.add(model), memory}
	i := f.kinds.add(k)
	f.kindsOf = entered(f.kindsOf, k.model, i)
	return i
}

func (f *Fleet) place(country, region string) int32 {
	p := place{f.countries.add(country), f.regions.add(region)}
	i := f.places.add(p)
	f.placesOf = entered(f.placesOf, p.country, i)
	return i
}

// entered returns lists with a number entered in one of them; the lists that were there stay as they are, since views may read them.
func entered(lists [][]int32, at, v int32) [][]int32 {
	if int(at) < len(lists) && slices.Contains(lists[at], v) {
		return lists
	}
	out := slices.Clone(lists)
	for len(out) <= int(at) {
		out = append(out, nil)
	}
	out[at] = append(slices.Clone(out[at]), v)
	return out
}

func (f *Fleet) shape(n *Node) int32 {
	s := shape{
		kind: f.kind(n.Model, n.MemoryMiB), place: f.place(n.Country, n.Region),
		cpu: uint32(n.CPUMilli), ram: uint32(n.RAMMiB), disk: uint32(n.DiskMiB), cards: uint8(len(n.Devices)), connectivity: n.Connectivity,
		shares: n.Shares, mig: n.MIG, hostWatts: uint16(n.HostWatts), watts: uint16(n.DeviceWatts),
	}
	for i, v := range n.Islands {
		s.islands[i] = v
		s.several = s.several || v != n.Islands[0]
	}
	return f.shapes.add(s)
}

// site returns the number of a site, new or known.
func (f *Fleet) site(id SiteID) int32 {
	i := f.sites.add(id)
	f.siteLoss.grow(i + 1)
	return i
}

func (f *Fleet) nodeDown(now int64, id NodeID) ([]Effect, error) {
	i, err := f.upNode(id)
	if err != nil {
		return nil, err
	}
	f.setUp(i, false)
	s := f.nodes.edit(i)
	s.present, s.draining = false, false
	f.up--
	f.devices -= f.index.record(i).cards()
	f.free -= count(f.index.record(i).free)
	return f.lose(now, now, i, CauseNodeLost), nil
}

func (f *Fleet) upNode(id NodeID) (int32, error) {
	i, ok := f.ids.node(id)
	if !ok {
		return 0, fmt.Errorf("%w: %q", ErrUnknownNode, id)
	}
	if !f.nodes.at(i).present {
		return 0, fmt.Errorf("%w: %q", ErrNodeDown, id)
	}
	return i, nil
}

func (f *Fleet) nodeChanged(e NodeChanged) error {
	i, ok := f.ids.node(e.Node)
	if !ok {
		return fmt.Errorf("%w: %q", ErrUnknownNode, e.Node)
	}
	if err := e.Terms.validate(); err != nil {
		return err
	}
	t := e.Terms
	f.index.change(i, uint32(t.HourMicro), t.StandingPPM, t.Tier, f.index.record(i).connectivity(), t.Assurance, uint8(t.Compliance))
	f.nodes.edit(i).loss = t.LossPPM
	f.stale = true
	return nil
}

func (f *Fleet) drain(e Drain) error {
	i, err := f.upNode(e.Node)
	if err != nil {
		return err
	}
	s := f.nodes.edit(i)
	s.draining = e.On
	f.setUp(i, !e.On)
	f.stale = true
	return nil
}

// setUp says whether a node takes jobs.
func (f *Fleet) setUp(i int32, up bool) {
	f.weigh(i, -1)
	f.index.setUp(i, up)
	f.weigh(i, 1)
	f.changed()
}

func (f *Fleet) siteRated(e SiteRated) error {
	if err := first(
		named("SiteRated.Site", string(e.Site)),
		within("SiteRated.LossPPM", uint64(e.LossPPM), 0, million),
	); err != nil {
		return err
	}
	*f.siteLoss.edit(f.site(e.Site)) = e.LossPPM
	f.stale = true
	return nil
}

// node is the public form of a node's facts, with the terms as they are now.
func (s *state) node(i int32) Node {
	rec, row, st := s.index.record(i), s.index.row(i), s.nodes.at(i)
	sh := &s.shapes.list[row.shape]
	n := Node{
		ID: s.ids.nodeID(i), Site: s.siteOf(i), Supplier: s.suppliers.list[row.supplier],
		Model: s.models.list[s.kinds.list[sh.kind].model], MemoryMiB: s.kinds.list[sh.kind].memory, Devices: s.ids.devices(i),
		CPUMilli: uint64(sh.cpu), RAMMiB: uint64(sh.ram), DiskMiB: uint64(sh.disk),
		Country: s.countries.list[s.places.list[sh.place].country], Region: s.regions.list[s.places.list[sh.place].region],
		Connectivity: sh.connectivity, Tier: rec.tier(), Assurance: s.index.assurance(i), Compliance: Compliance(s.index.compliance(i)),
		StandingPPM: rec.exactStanding(), LossPPM: st.loss, HourMicro: uint64(rec.hour),
		Shares: sh.shares, MIG: sh.mig, HostWatts: uint32(sh.hostWatts), DeviceWatts: uint32(sh.watts),
	}
	if sh.several {
		n.Islands = slices.Clone(sh.islands[:sh.cards])
	}
	return n
}

func (s *state) siteOf(i int32) SiteID { return s.sites.list[s.siteNumber(i)] }

func (s *state) siteNumber(i int32) int32 { return s.index.run(s.index.row(i).run).site }

// status is the public form of a node.
func (s *state) status(i int32) NodeStatus {
	st := s.nodes.at(i)
	out := NodeStatus{Node: s.node(i), Up: st.present, Draining: st.draining, ReclaimedAt: moment(st.reclaim)}
	if st.present {
		row := s.index.row(i)
		out.Free, out.FreeCPUMilli = pick(out.Node.Devices, s.index.record(i).free), uint64(row.cpu)
		out.FreeRAMMiB, out.FreeDiskMiB = uint64(row.ram), uint64(row.disk)
	}
	return out
}

// pick returns the devices of a mask.
func pick(all []gpu.DeviceID, mask uint16) []gpu.DeviceID {
	out := make([]gpu.DeviceID, 0, count(mask))
	for i, d := range all {
		if mask&(1<<i) != 0 {
			out = append(out, d)
		}
	}
	return out
}
