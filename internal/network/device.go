package network

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/reputation"
	"github.com/idlegrid/idlegrid/sched"
	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// horizon is the length of the reference job whose survival a standing speaks of (reference: reputation, section 3).
const horizon = 24 * time.Hour

// node is what only the composition knows of a machine.
type node struct {
	key          Key
	supplier     string
	inventory    gpu.Inventory // as first admitted; no devices before
	unfit        string        // why the last inventory admitted is not that one
	assurance    gpu.Assurance // at the last look
	health       gpu.Health    // of the worst device, as the agent last said
	draining     bool          // whether the fleet was told to give it no new jobs
	admitted     time.Time
	listing      *List
	attestations []staking.Attestation
	up           bool
	upSince      time.Time
	score        reputation.Score
	assessment   staking.Assessment // of the last look
	grade        staking.Grade      // over time: it says the tier
	rated        bool
}

func (n *Network) sortedNodes() []string { return slices.Sorted(maps.Keys(n.nodes)) }

func (n *Network) find(name string) (*node, error) {
	if x, ok := n.nodes[name]; ok {
		return x, nil
	}
	return nil, fmt.Errorf("%w: %q", ErrUnknownNode, name)
}

func (n *Network) holderOf(name string) staking.HolderID {
	if x, ok := n.nodes[name]; ok {
		return staking.HolderID(x.supplier)
	}
	return ""
}

func (n *Network) enrol(at time.Time, c Enrol) error {
	if c.Node == "" || len(c.Node) > 128 {
		return fmt.Errorf("%w: node %q: want 1 to 128 bytes", ErrInvalid, c.Node)
	}
	if err := n.outsider("supplier", c.Supplier); err != nil {
		return err
	}
	if _, ok := n.nodes[c.Node]; ok {
		return fmt.Errorf("%w: %q", ErrKnownNode, c.Node)
	}
	if _, err := n.registry.Apply(at, gpu.Enrolled{Key: c.Key, Supplier: c.Supplier}); err != nil {
		return err
	}
	_, err := n.book.Apply(at, reputation.Joined{Subject: reputation.Subject(c.Node)})
	must(err)
	n.nodes[c.Node] = &node{key: c.Key, supplier: c.Supplier}
	n.byKey[c.Key] = c.Node
	return nil
}

// Refuses returns why a challenge or a report would be refused at this instant, nil if it would not, and nil for any other
// command. It changes nothing: these two need no token, and what is refused need not be written down.
func (n *Network) Refuses(at time.Time, c Command) error {
	if r, ok := c.(Report); ok {
		return n.registry.Refuses(at, r.Signed)
	}
	if ch, ok := c.(Challenge); ok {
		return n.refusesKey(ch.Key)
	}
	return nil
}

// report admits an inventory. The first one opens the node's bond, which is for so many processors of one model: a node
// that reports other hardware later is admitted as what it is now, but takes no jobs and earns nothing.
func (n *Network) report(at time.Time, c Report) ([]Fact, error) {
	effects, err := n.registry.Apply(at, gpu.Reported{Signed: c.Signed})
	if err != nil {
		return nil, err
	}
	var facts []Fact
	for _, e := range effects {
		if b, ok := e.(gpu.Beat); ok {
			facts = append(facts, n.beat(at, n.byKey[b.Key], b.Heartbeat)...)
		}
		a, ok := e.(gpu.Admitted)
		if !ok {
			continue
		}
		name := n.byKey[a.Key]
		x := n.nodes[name]
		first := len(x.inventory.Devices) == 0
		x.assurance, x.admitted, x.unfit = a.Assurance, at, x.compare(a.Inventory)
		facts = append(facts, Admitted{Node: name, Inventory: a.Inventory, Findings: a.Findings, Assurance: a.Assurance})
		if first && x.unfit == "" {
			x.inventory = a.Inventory
			m, _ := n.multipliers.Stake(x.model(), at)
			_, err := n.pool.Apply(at, staking.BondOpened{
				Bond: staking.BondID(name), Owner: staking.HolderID(x.supplier), MultiplierCenti: uint32(m), GPUs: uint32(len(x.inventory.Devices)),
			})
			must(err)
			if x.listing != nil {
				facts = append(facts, n.enter(at, name)...)
			}
		}
		facts = append(append(facts, n.rerate(at, name)...), n.offer(at, name)...)
	}
	return facts, nil
}

// compare says what keeps an inventory from being the node that its bond is for; "" if nothing does.
func (x *node) compare(inv gpu.Inventory) string {
	for _, d := range inv.Devices {
		if d.Model != inv.Devices[0].Model {
			return fmt.Sprintf("devices of two models, %q and %q: a node has devices of one model", inv.Devices[0].Model, d.Model)
		}
	}
	// The slot, the VBIOS and the driver may change: the same cards are worth the same.
	cards := func(inv gpu.Inventory) []string {
		var out []string
		for _, d := range inv.Devices {
			out = append(out, fmt.Sprintf("%s %d", d.ID, d.MemoryMiB))
		}
		slices.Sort(out)
		return out
	}
	if len(x.inventory.Devices) == 0 || x.model() == inv.Devices[0].Model && slices.Equal(cards(x.inventory), cards(inv)) {
		return ""
	}
	return fmt.Sprintf("the bond is for the %d x %q that were reported first, and these %d x %q are not they",
		len(x.inventory.Devices), x.model(), len(inv.Devices), inv.Devices[0].Model)
}

func (x *node) model() string {
	if len(x.inventory.Devices) == 0 {
		return ""
	}
	return x.inventory.Devices[0].Model
}

func (n *Network) list(at time.Time, c List) ([]Fact, error) {
	x, err := n.find(c.Node)
	if err != nil {
		return nil, err
	}
	old := x.listing
	x.listing = &c
	if len(x.inventory.Devices) == 0 { // checked with a stand-in: the devices are not known yet
		probe := n.fleetNode(c.Node)
		probe.Model, probe.MemoryMiB, probe.Devices = "unknown", 1, []gpu.DeviceID{"unknown"}
		if err := probe.Validate(); err != nil {
			x.listing = old
			return nil, err
		}
		return nil, nil
	}
	if err := n.fleetNode(c.Node).Validate(); err != nil {
		x.listing = old
		return nil, err
	}
	if old != nil && (old.Site != c.Site || old.Country != c.Country || old.Connectivity != c.Connectivity || old.CPUMilli != c.CPUMilli || old.RAMMiB != c.RAMMiB) {
		x.listing = old
		return nil, fmt.Errorf("%w: node %q is listed: only its price can change", ErrInvalid, c.Node)
	}
	return n.enter(at, c.Node), nil
}

// enter puts a node that is reported and listed into the fleet, or gives it its new price, and rates it.
func (n *Network) enter(at time.Time, name string) []Fact {
	id := sched.NodeID(name)
	facts := n.rate(at, name)
	if _, there := n.fleet.Node(id); there {
		_, err := n.fleet.Apply(at, sched.NodeChanged{Node: id, Terms: n.fleetNode(name).Terms()})
		must(err)
	} else {
		_, err := n.fleet.Apply(at, sched.NodeUp{Node: n.fleetNode(name)})
		must(err)
		n.drain(at, name)
	}
	return append(append([]Fact{Listed{Node: name}}, facts...), n.offer(at, name)...)
}

func (n *Network) fleetNode(name string) sched.Node {
	x := n.nodes[name]
	l := x.listing
	out := sched.Node{
		ID: sched.NodeID(name), Site: sched.SiteID(l.Site), Supplier: sched.SupplierID(x.supplier), Model: x.model(),
		CPUMilli: l.CPUMilli, RAMMiB: l.RAMMiB, Country: l.Country, Connectivity: l.Connectivity,
		Tier: uint8(x.grade.Tier), Assurance: uint8(x.assurance), StandingPPM: x.score.Standing, HourMicro: l.HourMicro,
	}
	for _, d := range x.inventory.Devices {
		out.Devices = append(out.Devices, d.ID)
		out.MemoryMiB = d.MemoryMiB
	}
	return out
}

// heartbeats feeds the book. All names are checked first, so that a list with a wrong one changes nothing.
func (n *Network) heartbeats(at time.Time, c Heartbeats) ([]Fact, error) {
	seen := map[string]bool{}
	for _, name := range slices.Concat(c.Up, c.Down) {
		if _, err := n.find(name); err != nil {
			return nil, err
		}
		if seen[name] {
			return nil, fmt.Errorf("%w: node %q stands twice in the heartbeats", ErrInvalid, name)
		}
		seen[name] = true
	}
	var facts []Fact
	for _, name := range c.Up {
		facts = append(facts, n.seen(at, name, true)...)
	}
	for _, name := range c.Down {
		facts = append(facts, n.seen(at, name, false)...)
	}
	return facts, nil
}

func (n *Network) seen(at time.Time, name string, up bool) []Fact {
	_, err := n.book.Apply(at, reputation.Seen{Subject: reputation.Subject(name), Up: up})
	must(err)
	x := n.nodes[name]
	if x.up == up {
		return nil
	}
	x.up = up
	if up {
		x.upSince = at
	}
	return n.offer(at, name)
}

// offer takes a node out of the fleet that is down or unfit, and puts it back when it is neither.
func (n *Network) offer(at time.Time, name string) []Fact {
	x := n.nodes[name]
	status, listed := n.fleet.Node(sched.NodeID(name))
	want := x.up && x.unfit == ""
	switch {
	case !listed || status.Up == want:
		return nil
	case want:
		_, err := n.fleet.Apply(at, sched.NodeUp{Node: n.fleetNode(name)})
		must(err)
		x.draining = false // a node that comes back takes jobs until it is told otherwise
		n.drain(at, name)
		return nil
	}
	effects, err := n.fleet.Apply(at, sched.NodeDown{Node: sched.NodeID(name)})
	must(err)
	return n.fromFleet(at, effects)
}

func (n *Network) attest(at time.Time, c Attest) ([]Fact, error) {
	x, err := n.find(c.Node)
	if err != nil {
		return nil, err
	}
	if c.Criterion == "" || c.Issuer == "" || !c.Expires.After(at) {
		return nil, fmt.Errorf("%w: attestation of %q: criterion and issuer are needed, and an expiry after %s", ErrInvalid, c.Node, at.UTC().Format(time.RFC3339))
	}
	x.attestations = append(x.attestations, staking.Attestation{Criterion: staking.Criterion(c.Criterion), Issuer: c.Issuer, IssuedAt: at, ExpiresAt: c.Expires})
	return n.rerate(at, c.Node), nil
}

// stake applies an event about a node's bond and rates the node anew.
func (n *Network) stake(at time.Time, name string, e staking.Event) ([]Fact, error) {
	if _, err := n.find(name); err != nil {
		return nil, err
	}
	effects, err := n.pool.Apply(at, e)
	if err != nil {
		return nil, err
	}
	var facts []Fact
	for _, e := range effects {
		if l, ok := e.(staking.Locked); ok {
			bond, _ := n.pool.Bond(l.Bond)
			facts = append(facts, Locked{Node: string(l.Bond), Holder: string(l.Holder), Role: l.Role, Amount: l.Amount, Bond: bond})
		}
	}
	return append(facts, n.rerate(at, name)...), nil
}

func (n *Network) accept(at time.Time, c AcceptOffer) ([]Fact, error) {
	if err := n.outsider("holder", c.Holder); err != nil {
		return nil, err
	}
	o, ok := n.pool.Offer(staking.OfferID(c.Offer))
	if !ok {
		return nil, fmt.Errorf("%w: no offer %q", ErrInvalid, c.Offer)
	}
	return n.stake(at, string(o.Bond), staking.OfferAccepted{Offer: staking.OfferID(c.Offer), Holder: staking.HolderID(c.Holder), Amount: c.Amount})
}

func (n *Network) setPrice(at time.Time, c SetPrice) error {
	p := tokenomics.Price{MicroPerToken: c.MicroPerToken, At: at, Source: c.Source}
	if err := p.Validate(); err != nil {
		return err
	}
	if p.Source == "" {
		return errors.Join(ErrInvalid, errors.New("network: set_price: source is empty"))
	}
	if err := checkPrice(p); err != nil {
		return errors.Join(ErrInvalid, err)
	}
	n.price = p
	return nil
}
