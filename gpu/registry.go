package gpu

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"
)

// Refusals of Registry.Apply besides those of Open.
var (
	ErrTimeBackwards = errors.New("gpu: time runs backwards")
	ErrUnknownKey    = errors.New("gpu: key is not enrolled")
	ErrKnownKey      = errors.New("gpu: key is enrolled already")
	ErrWeakKey       = errors.New("gpu: key is of small order, anybody can sign for it")
	ErrReplay        = errors.New("gpu: nonce or sequence number is used up")
	ErrSkew          = errors.New("gpu: report was sent too long ago or in the future")
)

// IdentityTakenError says that a device was reported under one key and is known under another.
type IdentityTakenError struct {
	Device   DeviceID
	Supplier string // who reported it first
}

// Error names the device and who has it.
func (e *IdentityTakenError) Error() string {
	return fmt.Sprintf("gpu: device %q is known under another key, of supplier %q", string(e.Device), e.Supplier)
}

// Record is a device that was admitted.
type Record struct {
	Device    Device    // as last reported; BusID in one spelling
	Key       [32]byte  // the key that it belongs to
	Supplier  string    // who enrolled that key
	Assurance Assurance // of the inventory that it was last in
	Since     time.Time // when it was first admitted
	Seen      time.Time // when it was last admitted
	Present   bool      // whether the key's last inventory listed it
}

// Registry decides which reports are believed. It is a state machine: the same events at the same times give the same
// state. It is not safe for concurrent use.
type Registry struct {
	params  Params
	catalog *Catalog
	now     time.Time

	agents  []agent            // in the order of enrolment
	byKey   map[[32]byte]int32 // index into agents
	records []record           // in the order of first admission
	byID    map[DeviceID]int32 // index into records
}

// agent is what is known of one key.
type agent struct {
	key      [32]byte
	supplier string
	seq      uint64   // of the last accepted report
	nonce    [32]byte // the last challenge; all zero: none yet
	open     bool     // whether that challenge still waits for its answer
	records  []int32  // devices bound to this key
}

type record struct {
	device      Device
	agent       int32
	assurance   Assurance
	since, seen time.Time
	present     bool
}

// NewRegistry returns a registry without keys, over the catalogue of the package.
func NewRegistry(p Params) (*Registry, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	c, err := NewCatalog()
	if err != nil {
		return nil, err
	}
	return &Registry{params: p, catalog: c, byKey: map[[32]byte]int32{}, byID: map[DeviceID]int32{}}, nil
}

// Apply takes one event. An error means that nothing changed: a refused report leaves the nonce open and the sequence
// number as it was, so that nobody can spoil an honest agent's turn by sending rubbish in its name.
//
// Every event may be refused with ErrTimeBackwards, and Enrolled with ErrKnownKey, ErrWeakKey or ErrInvalid, Challenged with
// ErrUnknownKey or ErrNonce (a nonce of zeros, or the key's last one again), Reported with ErrMalformed, ErrUnknownKey,
// ErrSignature, ErrReplay, ErrSkew, ErrInvalid, *ContradictionError or *IdentityTakenError, in this order.
func (g *Registry) Apply(at time.Time, e Event) ([]Effect, error) {
	if at.Before(g.now) {
		return nil, fmt.Errorf("%w: %v is before %v", ErrTimeBackwards, at.UTC(), g.now)
	}
	var out []Effect
	var err error
	switch e := e.(type) {
	case Enrolled:
		err = g.enrol(e)
	case Challenged:
		err = g.challenge(e)
	case Reported:
		out, err = g.report(at.UTC(), e)
	default:
		err = fmt.Errorf("%w: no event", ErrInvalid) // nil: the interface is sealed
	}
	if err != nil {
		return nil, err
	}
	g.now = at.UTC()
	return out, nil
}

// Device returns what is known of a device, and false if it was never admitted.
func (g *Registry) Device(id DeviceID) (Record, bool) {
	i, ok := g.byID[id]
	if !ok {
		return Record{}, false
	}
	return g.view(i), true
}

// Devices iterates over all devices that were ever admitted, sorted by id.
func (g *Registry) Devices() iter.Seq[Record] {
	return func(yield func(Record) bool) {
		for _, id := range slices.Sorted(maps.Keys(g.byID)) {
			if !yield(g.view(g.byID[id])) {
				return
			}
		}
	}
}

func (g *Registry) view(i int32) Record {
	r, a := &g.records[i], &g.agents[g.records[i].agent]
	return Record{
		Device: r.device, Key: a.key, Supplier: a.supplier, Assurance: r.assurance, Since: r.since, Seen: r.seen, Present: r.present,
	}
}

func (g *Registry) enrol(e Enrolled) error {
	if err := checkText("supplier", e.Supplier, true); err != nil {
		return err
	}
	if weakKey(e.Key) {
		return ErrWeakKey
	}
	if _, known := g.byKey[e.Key]; known {
		return fmt.Errorf("%w: %x", ErrKnownKey, e.Key)
	}
	g.byKey[e.Key] = int32(len(g.agents))
	g.agents = append(g.agents, agent{key: e.Key, supplier: e.Supplier})
	return nil
}

func (g *Registry) challenge(e Challenged) error {
	i, ok := g.byKey[e.Key]
	if !ok {
		return fmt.Errorf("%w: %x", ErrUnknownKey, e.Key)
	}
	a := &g.agents[i]
	if e.Nonce == a.nonce || e.Nonce == [32]byte{} {
		return fmt.Errorf("%w: a challenge needs a fresh nonce", ErrNonce)
	}
	a.nonce, a.open = e.Nonce, true
	return nil
}

// Refuses returns the error with which Apply would refuse these bytes as a report at this instant, nil if it would admit
// them. It changes nothing, so that a server can turn rubbish away before it writes anything down.
func (g *Registry) Refuses(at time.Time, signed []byte) error {
	if at.Before(g.now) {
		return fmt.Errorf("%w: %v is before %v", ErrTimeBackwards, at.UTC(), g.now)
	}
	_, err := g.judge(at.UTC(), signed)
	return err
}

// verdict is what a report that can be admitted comes to.
type verdict struct {
	agent    int32
	seq      uint64
	inv      Inventory
	findings []Finding
}

// report checks everything before it changes anything.
func (g *Registry) report(at time.Time, e Reported) ([]Effect, error) {
	v, err := g.judge(at, e.Signed)
	if err != nil {
		return nil, err
	}
	a := &g.agents[v.agent]
	a.seq, a.open = v.seq, false
	level := Assess(v.findings)
	g.admit(at, v.agent, v.inv.Devices, level)
	return []Effect{Admitted{Key: a.key, Supplier: a.supplier, Inventory: v.inv, Findings: v.findings, Assurance: level}}, nil
}

// judge checks who signed, that it is fresh, and what it says.
func (g *Registry) judge(at time.Time, signed []byte) (verdict, error) {
	r, err := parseReport(signed)
	if err != nil {
		return verdict{}, err
	}
	i, ok := g.byKey[r.Key]
	if !ok {
		return verdict{}, fmt.Errorf("%w: %x", ErrUnknownKey, r.Key)
	}
	a := &g.agents[i]
	switch early := r.Sent.Sub(at); {
	case !verify(signed, r.Key):
		return verdict{}, ErrSignature
	case !a.open || r.Nonce != a.nonce:
		return verdict{}, fmt.Errorf("%w: nonce %x is not open", ErrReplay, r.Nonce)
	case r.Seq <= a.seq:
		return verdict{}, fmt.Errorf("%w: sequence number %d, the last was %d", ErrReplay, r.Seq, a.seq)
	case early > g.params.Skew || early < -g.params.Skew:
		return verdict{}, fmt.Errorf("%w: sent %v, arrived %v, at most %v apart", ErrSkew, r.Sent, at, g.params.Skew)
	}
	inv, err := ParseInventory(r.Body)
	if err != nil {
		return verdict{}, err
	}
	findings := Check(inv, g.catalog)
	for _, f := range findings {
		if f.Severity == Contradiction {
			return verdict{}, &ContradictionError{Findings: findings}
		}
	}
	for n, d := range inv.Devices {
		j, known := g.byID[d.ID]
		if !known {
			continue
		}
		if owner := g.records[j].agent; owner != i {
			return verdict{}, &IdentityTakenError{Device: d.ID, Supplier: g.agents[owner].supplier}
		}
		findings = append(findings, changed(g.records[j].device, d, n)...)
	}
	return verdict{agent: i, seq: r.Seq, inv: inv, findings: findings}, nil
}

// admit records the devices of an accepted inventory.
func (g *Registry) admit(at time.Time, i int32, devices []Device, level Assurance) {
	a := &g.agents[i]
	for _, j := range a.records {
		g.records[j].present = false
	}
	for _, d := range devices {
		slot, _ := parseBus(d.BusID)
		d.BusID = formatBus(slot)
		j, known := g.byID[d.ID]
		if !known {
			j = int32(len(g.records))
			g.byID[d.ID] = j
			g.records = append(g.records, record{agent: i, since: at})
			a.records = append(a.records, j)
		}
		r := &g.records[j]
		d.Reading = nil // the state passes, the identity stays
		r.device, r.assurance, r.seen, r.present = d, level, at, true
	}
}
