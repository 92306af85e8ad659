package gpu

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"
)

// MaxKnown is the most devices that one key may ever report: 64 times what an inventory may list. Every device is remembered for good, so that a
// key without this bound fills the memory, and takes one identity after another from whoever has not reported it yet.
const MaxKnown = 64 * MaxDevices

// Refusals of Registry.Apply besides those of Open.
var (
	ErrTimeBackwards = errors.New("gpu: time runs backwards")
	ErrUnknownKey    = errors.New("gpu: key is not enrolled")
	ErrKnownKey      = errors.New("gpu: key is enrolled already")
	ErrWeakKey       = errors.New("gpu: key is of small order, anybody can sign for it")
	ErrRevoked       = errors.New("gpu: key was revoked or replaced")
	ErrExpired       = errors.New("gpu: enrolment of the key has expired")
	ErrReplay        = errors.New("gpu: nonce or sequence number is used up")
	ErrSkew          = errors.New("gpu: report was sent too long ago or in the future")
	ErrStale         = errors.New("gpu: heartbeat is of other hardware or another boot than the last inventory")
	ErrForeign       = errors.New("gpu: device is not among those that the key may report")
	ErrUnknownDevice = errors.New("gpu: device is not known")
)

// IdentityTakenError says that a device, or the chip on it, was reported under one key and is known under another.
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
	Device    Device    // as last reported, without its Reading; BusID in one spelling
	Key       [32]byte  // the key that it belongs to
	Supplier  string    // who enrolled that key
	Assurance Assurance // at the registry's last event; Registry.Assurance tells it for a later instant
	Since     time.Time // when it was first admitted
	Seen      time.Time // when it was last admitted
	Present   bool      // whether the key's last inventory listed it
	Proved    time.Time // when it last passed a challenge and has failed none since; zero: never
	Attested  time.Time // when its chip was last attested; zero: never
	ChipID    string    // what the vendor certified; empty: nothing
}

// Registry decides which reports are believed. It is a state machine: the same events at the same times give the same
// state. It is not safe for concurrent use.
type Registry struct {
	params  Params
	catalog *Catalog
	now     time.Time

	agents  []agent            // in the order of enrolment
	byKey   map[[32]byte]int32 // index into agents, of keys in use and of keys replaced
	records []record           // in the order of first admission
	byID    map[DeviceID]int32 // index into records
	byChip  map[string]int32   // index into records
}

// agent is what is known of one key and of those that it replaced.
type agent struct {
	key      [32]byte
	old      [][32]byte // replaced keys, the oldest first
	supplier string
	only     []DeviceID // what it may report; none: anything
	expires  time.Time  // zero: never
	revoked  string     // why; empty: it is not
	seq      uint64     // of the last accepted report
	nonce    [32]byte   // the last challenge; all zero: none yet
	open     bool       // whether that challenge still waits for its answer
	digest   [32]byte   // of the last admitted inventory; all zero: none yet
	bootID   string     // of it
	driver   string     // of it
	records  []int32    // devices bound to this key
}

type record struct {
	device      Device
	agent       int32
	assurance   Assurance // of the inventory that it was last in: Claimed or Consistent
	since, seen time.Time
	present     bool
	proved      time.Time
	attested    time.Time
	chip        string
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
	return &Registry{
		params: p, catalog: c, byKey: map[[32]byte]int32{}, byID: map[DeviceID]int32{}, byChip: map[string]int32{},
	}, nil
}

// Apply takes one event. An error means that nothing changed: a refused report leaves the nonce open and the sequence
// number as it was, so that nobody can spoil an honest agent's turn by sending rubbish in its name.
//
// Every event may be refused with ErrTimeBackwards or ErrInvalid, and
//   - Enrolled with ErrKnownKey or ErrWeakKey;
//   - Rotated with what OpenRotation returns, ErrUnknownKey, ErrRevoked or ErrKnownKey (the new key);
//   - Revoked with ErrUnknownKey or ErrRevoked;
//   - Challenged with ErrUnknownKey, ErrRevoked, ErrExpired or ErrNonce (a nonce of zeros, or the key's last one again);
//   - Reported with ErrMalformed, ErrUnknownKey, ErrRevoked, ErrExpired, ErrSignature, ErrReplay, ErrSkew, then an inventory
//     with *ContradictionError, ErrForeign or *IdentityTakenError, a heartbeat with ErrStale, in this order;
//   - Proved, Disproved and ChipAttested with ErrUnknownDevice, and ChipAttested with *IdentityTakenError for a chip that is
//     on another device.
func (g *Registry) Apply(at time.Time, e Event) ([]Effect, error) {
	if at.Before(g.now) {
		return nil, fmt.Errorf("%w: %v is before %v", ErrTimeBackwards, at.UTC(), g.now)
	}
	at = at.UTC()
	var out []Effect
	var err error
	switch e := e.(type) {
	case Enrolled:
		err = g.enrol(e)
	case Rotated:
		err = g.rotate(e)
	case Revoked:
		err = g.revoke(e)
	case Challenged:
		err = g.challenge(at, e)
	case Reported:
		out, err = g.report(at, e)
	case Proved:
		out, err = g.prove(at, e)
	case Disproved:
		out, err = g.disprove(at, e)
	case ChipAttested:
		out, err = g.attest(at, e)
	default:
		err = fmt.Errorf("%w: no event", ErrInvalid) // nil: the interface is sealed
	}
	if err != nil {
		return nil, err
	}
	g.now = at
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

// Refuses returns the error with which Apply would refuse these bytes as a report at this instant, nil if it would admit
// them. It changes nothing, so that a server can turn rubbish away before it writes anything down.
func (g *Registry) Refuses(at time.Time, signed []byte) error {
	if at.Before(g.now) {
		return fmt.Errorf("%w: %v is before %v", ErrTimeBackwards, at.UTC(), g.now)
	}
	_, err := g.judge(at.UTC(), signed)
	return err
}

// Speaks returns nil if a key may report today: ErrUnknownKey or ErrRevoked if not. It changes nothing.
func (g *Registry) Speaks(key [32]byte) error {
	_, err := g.speaker(key)
	return err
}

// Asked returns the nonce that a key has been sent and has not answered yet, and false if there is none or the key may not
// report any more. Whoever hands out nonces to anybody who asks should hand out this one again: a fresh one would replace it,
// and a stranger who knows the key could keep its agent from ever being heard.
func (g *Registry) Asked(key [32]byte) ([32]byte, bool) {
	i, err := g.speaker(key)
	if err != nil || !g.agents[i].open {
		return [32]byte{}, false
	}
	return g.agents[i].nonce, true
}

func (g *Registry) view(i int32) Record {
	r, a := &g.records[i], &g.agents[g.records[i].agent]
	return Record{
		Device: r.device, Key: a.key, Supplier: a.supplier, Assurance: g.level(r, g.now), Since: r.since, Seen: r.seen,
		Present: r.present, Proved: r.proved, Attested: r.attested, ChipID: r.chip,
	}
}
