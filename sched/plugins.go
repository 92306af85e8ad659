package sched

// Filter is a partner's own condition. Filter says whether a node may serve a request; it is asked about nodes that pass all others. It must
// answer the same for the same arguments, must not keep or change them, and must not say no because more is free.
type Filter interface {
	Filter(r *Request, n *NodeView) bool
}

// Scorer is a partner's own preference. The higher score is preferred, where Policy.Order has Custom; in a mix it counts as 0 to 100 points. The
// conditions are those of Filter.
type Scorer interface {
	Score(r *Request, n *NodeView) int64
}

// Plugins are a partner's parts of the decision. Each of them is called at most Calls times in a decision on one replica, also by those who ask a View, in their
// goroutines: a partner who lets several of them ask has to see to it that the plugins stand that.
type Plugins struct {
	// Name names them and their version; it is part of every digest, and must be empty if there are none.
	Name   string
	Filter Filter
	Scorer Scorer
	// Calls bounds the calls; 0 is Policy.Candidates, and where that is 0 there is no bound. A Filter that cuts all the nodes that it may be asked about
	// makes the request fail with Exhaustive false.
	Calls uint16
}

func (x *Plugins) validate(p *Policy) error {
	some := x.Filter != nil || x.Scorer != nil
	if some != (x.Name != "") {
		return invalid("Plugins.Name %q: want a name exactly if there is a Filter or a Scorer", x.Name)
	}
	if err := short("Plugins.Name", x.Name); err != nil {
		return err
	}
	uses := false
	for _, c := range p.Order {
		uses = uses || c == Custom
	}
	for _, w := range p.Mix {
		uses = uses || w.Criterion == Custom
	}
	if uses && x.Scorer == nil {
		return invalid("Plugins.Scorer: want one where the policy has %v", Custom)
	}
	return nil
}

// calls is the bound on calls, a very large number where there is none.
func (x *Plugins) calls(p *Policy) int {
	switch {
	case x.Calls != 0:
		return int(x.Calls)
	case p.Candidates != 0:
		return int(p.Candidates)
	}
	return int(^uint(0) >> 1)
}

// NodeView is what a plugin sees of a node. It is good only during the call.
type NodeView struct {
	s    *state
	i    int32
	free room
}

func (v *NodeView) of(s *state, i int32, r *room) *NodeView {
	v.s, v.i, v.free = s, i, *r
	return v
}

// ID returns the node's ID. It allocates.
func (v *NodeView) ID() NodeID { return v.s.ids.nodeID(v.i) }

// Site returns the node's site.
func (v *NodeView) Site() SiteID { return v.s.siteOf(v.i) }

// Supplier returns the node's owner.
func (v *NodeView) Supplier() SupplierID { return v.s.suppliers.list[v.s.index.row(v.i).supplier] }

// Model returns the model of the node's devices.
func (v *NodeView) Model() string { return v.s.models.list[v.s.kinds.list[v.shape().kind].model] }

// MemoryMiB returns the memory of a device.
func (v *NodeView) MemoryMiB() uint64 { return v.s.kinds.list[v.shape().kind].memory }

// Country returns the node's country.
func (v *NodeView) Country() string {
	return v.s.countries.list[v.s.places.list[v.shape().place].country]
}

// Cards returns how many devices the node has, Free how many of them are free for the whole time that the request asks for.
func (v *NodeView) Cards() int { return int(v.shape().cards) }

// Free returns how many devices are free for the whole time that the request asks for.
func (v *NodeView) Free() int { return count(v.free.free) }

// FreeCPUMilli returns the CPU that is free for that time, in thousandths of a core.
func (v *NodeView) FreeCPUMilli() uint64 { return uint64(v.free.cpu) }

// FreeRAMMiB returns the main memory that is free for that time.
func (v *NodeView) FreeRAMMiB() uint64 { return uint64(v.free.ram) }

// Terms returns the node's terms as they are now.
func (v *NodeView) Terms() NodeTerms {
	rec := v.s.index.record(v.i)
	return NodeTerms{
		Tier: rec.tier(), Assurance: v.s.index.assurance(v.i), Compliance: Compliance(v.s.index.compliance(v.i)), StandingPPM: rec.exactStanding(),
		LossPPM: v.s.nodes.at(v.i).loss(), HourMicro: uint64(rec.hour),
	}
}

// Connectivity returns the tier of the node's line.
func (v *NodeView) Connectivity() uint8 { return v.s.index.record(v.i).connectivity() }

func (v *NodeView) shape() *shape { return &v.s.shapes.list[v.s.index.row(v.i).shape] }
