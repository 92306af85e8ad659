package network

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/reputation"
	"github.com/idlegrid/idlegrid/sched"
)

// maxProofID is how long the name of a challenge may be, in bytes.
const maxProofID = 128

// transport is the reason of a challenge that says nothing: the line failed, not the device.
const transport = "transport"

// late lists the reasons by which a right answer came too late.
func late() []string {
	return []string{"timeout-fill", "timeout-commit", "timeout-walk", "timeout-open", "rate-low", "reads-low"}
}

// level is how far the claim of a node is carried: that of its least device. It lapses by itself.
func (n *Network) level(at time.Time, x *node) gpu.Assurance {
	if x.admitted.IsZero() || len(x.inventory.Devices) == 0 {
		return gpu.Claimed
	}
	least := gpu.Attested
	for _, d := range x.inventory.Devices {
		l, _ := n.registry.Assurance(d.ID, at)
		least = min(least, l)
	}
	return least
}

// device sees to it that a node has a device.
func (n *Network) device(name string, id gpu.DeviceID) error {
	x, err := n.find(name)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(x.inventory.Devices, func(d gpu.Device) bool { return d.ID == id }) {
		return fmt.Errorf("%w: device %q: node %q has no such device", ErrInvalid, id, name)
	}
	return nil
}

// prove takes what a verifier found out about a device. The work was checked, and its time taken, outside: neither can be
// done again when the journal is replayed.
func (n *Network) prove(at time.Time, c Prove) ([]Fact, error) {
	if err := n.device(c.Node, c.Device); err != nil {
		return nil, err
	}
	if err := n.registry.Speaks(n.nodes[c.Node].key); err != nil { // a thief may have answered
		return nil, err
	}
	switch {
	case c.ID == "" || len(c.ID) > maxProofID:
		return nil, fmt.Errorf("%w: prove: id has %d bytes, want 1 to %d", ErrInvalid, len(c.ID), maxProofID)
	case len(c.Reason) > maxProofID:
		return nil, fmt.Errorf("%w: prove: reason has %d bytes, at most %d", ErrInvalid, len(c.Reason), maxProofID)
	case strings.ContainsFunc(c.Reason, func(r rune) bool { return r <= ' ' || r > '~' }):
		return nil, fmt.Errorf("%w: prove: reason %q is not a word of printable ASCII", ErrInvalid, c.Reason)
	case c.Passed != (c.Reason == ""):
		return nil, fmt.Errorf("%w: prove: passed %v with reason %q: a failure has a reason and a pass has none", ErrInvalid, c.Passed, c.Reason)
	case c.Reason == transport:
		return []Fact{Proved{Found: c}}, nil // no evidence either way: nobody is punished for a line
	}
	answer := reputation.AnswerRight
	var e gpu.Event = gpu.Proved{Device: c.Device}
	if !c.Passed {
		answer, e = reputation.AnswerWrong, gpu.Disproved{Device: c.Device, Reason: c.Reason}
		if slices.Contains(late(), c.Reason) {
			answer = reputation.AnswerLate
		}
	}
	if _, err := n.book.Apply(at, reputation.Challenged{ID: c.ID, Subject: reputation.Subject(c.Node), Answer: answer}); err != nil && !errors.Is(err, reputation.ErrUnused) {
		return nil, fmt.Errorf("%w: prove: %w", ErrInvalid, err)
	}
	if c.Passed && !c.Judged { // right, but nobody knows whether it was fast enough
		return append([]Fact{Proved{Found: c}}, n.rerate(at, c.Node)...), nil
	}
	effects, err := n.registry.Apply(at, e)
	must(err)
	return append([]Fact{Proved{Found: c, Changes: changes(effects)}}, n.rerate(at, c.Node)...), nil
}

func (n *Network) attestChip(at time.Time, c AttestChip) ([]Fact, error) {
	if err := n.device(c.Node, c.Device); err != nil {
		return nil, err
	}
	effects, err := n.registry.Apply(at, gpu.ChipAttested{Device: c.Device, ChipID: c.ChipID})
	if err != nil {
		return nil, err
	}
	return append([]Fact{ChipAttested{Found: c, Changes: changes(effects)}}, n.rerate(at, c.Node)...), nil
}

func changes(effects []gpu.Effect) []gpu.AssuranceChanged {
	var out []gpu.AssuranceChanged
	for _, e := range effects {
		if c, ok := e.(gpu.AssuranceChanged); ok {
			out = append(out, c)
		}
	}
	return out
}

// rotate gives a node's agent its new key.
func (n *Network) rotate(at time.Time, c RotateKey) error {
	r, err := gpu.OpenRotation(c.Signed)
	if err != nil {
		return err
	}
	if _, err := n.registry.Apply(at, gpu.Rotated{Signed: c.Signed}); err != nil {
		return err
	}
	name := n.byKey[r.Old]
	delete(n.byKey, r.Old)
	n.byKey[r.New] = name
	n.nodes[name].key = r.New
	return nil
}

// revoke takes a node's key out of use. The node is not what it was any more: it takes no jobs and earns nothing, and its
// devices are free for another node of the same supplier.
func (n *Network) revoke(at time.Time, c RevokeKey) ([]Fact, error) {
	x, err := n.find(c.Node)
	if err != nil {
		return nil, err
	}
	if _, err := n.registry.Apply(at, gpu.Revoked{Key: x.key, Why: c.Why}); err != nil {
		return nil, err
	}
	x.unfit = "its key was revoked: " + c.Why
	return append(n.rerate(at, c.Node), n.offer(at, c.Node)...), nil
}

// beat takes a heartbeat that an agent signed: the node is up, and as well as its worst device.
func (n *Network) beat(at time.Time, name string, h gpu.Heartbeat) []Fact {
	x := n.nodes[name]
	worst, sick := gpu.Healthy, gpu.DeviceID("")
	for _, p := range h.Pulses {
		if p.Health > worst {
			worst, sick = p.Health, p.ID
		}
	}
	facts := n.seen(at, name, true)
	if x.health != worst {
		facts = append(facts, Health{Node: name, From: x.health, To: worst, Device: sick})
		x.health = worst
	}
	n.drain(at, name)
	return facts
}

// drain keeps new jobs from a node that says of itself that a device is not fit for them; what runs there stays.
func (n *Network) drain(at time.Time, name string) {
	x := n.nodes[name]
	want := !x.health.Schedulable()
	status, there := n.fleet.Node(sched.NodeID(name))
	if !there || !status.Up || x.draining == want {
		return
	}
	_, err := n.fleet.Apply(at, sched.Drain{Node: sched.NodeID(name), On: want})
	must(err)
	x.draining = want
}

// Idle returns the node whose agent holds a key and its devices as first admitted, if it may be challenged now: it is what its
// bond is for, and no lease pays for its devices. Otherwise it returns "" and none. The slice belongs to the network.
func (n *Network) Idle(key Key) (string, []gpu.Device) {
	name := n.byKey[key]
	x, ok := n.nodes[name]
	if !ok || x.key != key || x.unfit != "" {
		return "", nil
	}
	if s, listed := n.fleet.Node(sched.NodeID(name)); listed && len(s.Free) < len(x.inventory.Devices) {
		return "", nil
	}
	return name, x.inventory.Devices
}

// Asked returns the nonce that a key was sent and has not answered yet, and false if there is none.
func (n *Network) Asked(key Key) (Key, bool) {
	nonce, ok := n.registry.Asked(key)
	return nonce, ok
}

// Speaker returns the node that a key may speak for now: "" for a key of no node, one that was replaced, and one that was
// revoked.
func (n *Network) Speaker(key Key) string {
	if n.refusesKey(key) != nil {
		return ""
	}
	return n.byKey[key]
}

// refusesKey says why no report of a key would be taken.
func (n *Network) refusesKey(key Key) error {
	if n.byKey[key] == "" {
		return fmt.Errorf("%w: %s", gpu.ErrUnknownKey, key)
	}
	if x := n.nodes[n.byKey[key]]; x.key != key {
		return fmt.Errorf("%w: %s was replaced", gpu.ErrRevoked, key)
	}
	if err := n.registry.Speaks(key); err != nil {
		return err
	}
	return nil
}
