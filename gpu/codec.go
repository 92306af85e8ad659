package gpu

import (
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/internal/canon"
)

const stateDomain = "idlegrid/gpu/registry/v2"

// Digest is the SHA-256 of the canonical encoding of the whole state, parameters included.
func (g *Registry) Digest() [32]byte { return g.encode().Sum() }

// Snapshot returns the state in canonical form, for Restore.
func (g *Registry) Snapshot() []byte { return g.encode().Data() }

// Restore returns the registry that a snapshot was taken of. The parameters must be those that it was taken under. It never
// panics on any input; errors wrap ErrInvalid.
func Restore(p Params, b []byte) (*Registry, error) {
	g, err := NewRegistry(p)
	if err != nil {
		return nil, err
	}
	r := canon.NewReader(b, stateDomain)
	if version, digest := r.String(), raw32(r); r.Err() == nil && (version != p.Version || digest != p.digest()) {
		return nil, fmt.Errorf("%w: snapshot of parameters %q with other numbers", ErrInvalid, version)
	}
	g.now = r.Time()
	for range r.Len(agentBytes) {
		g.addAgent(decodeAgent(r))
	}
	for range r.Len(deviceBytes + 4 + 1 + 12 + 12 + 1 + 12 + 12 + 4) {
		d := record{device: decodeDevice(r), agent: int32(r.Uint32()), assurance: Assurance(r.Uint8())}
		d.since, d.seen, d.present = r.Time(), r.Time(), r.Bool()
		d.proved, d.attested, d.chip = r.Time(), r.Time(), r.String()
		if r.Err() == nil && (d.agent < 0 || int(d.agent) >= len(g.agents)) {
			return nil, fmt.Errorf("%w: snapshot: device %q of agent %d", ErrInvalid, string(d.device.ID), d.agent)
		}
		if r.Err() == nil {
			g.addRecord(d)
		}
	}
	if err := r.Close(); err != nil {
		return nil, fmt.Errorf("%w: snapshot: %w", ErrInvalid, err)
	}
	if err := g.Audit(); err != nil {
		return nil, fmt.Errorf("%w: snapshot: %w", ErrInvalid, err)
	}
	return g, nil
}

func (g *Registry) addAgent(a agent) {
	i := int32(len(g.agents))
	for _, k := range a.old {
		g.byKey[k] = i
	}
	g.byKey[a.key] = i
	g.agents = append(g.agents, a)
}

func (g *Registry) addRecord(d record) {
	i := int32(len(g.records))
	a := &g.agents[d.agent]
	a.records = append(a.records, i)
	g.byID[d.device.ID] = i
	if d.chip != "" {
		g.byChip[d.chip] = i
	}
	g.records = append(g.records, d)
}

// agentBytes is the least that an agent takes in a canonical encoding.
const agentBytes = 32 + 4 + 4 + 4 + 12 + 4 + 8 + 32 + 1 + 32 + 4 + 4

func (a *agent) encode(w *canon.Writer) {
	w.Raw(a.key[:])
	w.Len(len(a.old))
	for _, k := range a.old {
		w.Raw(k[:])
	}
	w.String(a.supplier)
	w.Len(len(a.only))
	for _, d := range a.only {
		w.String(string(d))
	}
	w.Time(a.expires)
	w.String(a.revoked)
	w.Uint64(a.seq)
	w.Raw(a.nonce[:])
	w.Bool(a.open)
	w.Raw(a.digest[:])
	w.String(a.bootID)
	w.String(a.driver)
}

func decodeAgent(r *canon.Reader) agent {
	var a agent
	r.Raw(a.key[:])
	for range r.Len(32) {
		a.old = append(a.old, raw32(r))
	}
	a.supplier = r.String()
	for range r.Len(4) {
		a.only = append(a.only, DeviceID(r.String()))
	}
	a.expires, a.revoked, a.seq = r.Time(), r.String(), r.Uint64()
	r.Raw(a.nonce[:])
	a.open = r.Bool()
	r.Raw(a.digest[:])
	a.bootID, a.driver = r.String(), r.String()
	return a
}

func raw32(r *canon.Reader) (b [32]byte) {
	r.Raw(b[:])
	return b
}

// digest identifies the numbers of a set of parameters.
func (p Params) digest() [32]byte {
	w := canon.NewWriter("idlegrid/gpu/params/v1")
	for _, d := range []time.Duration{p.Skew, p.ConsistentFor, p.ProvenFor, p.AttestedFor} {
		w.Int64(int64(d))
	}
	return w.Sum()
}

func (g *Registry) encode() *canon.Writer {
	w := canon.NewWriter(stateDomain)
	w.String(g.params.Version)
	sum := g.params.digest()
	w.Raw(sum[:])
	w.Time(g.now)
	w.Len(len(g.agents))
	for i := range g.agents {
		g.agents[i].encode(w)
	}
	w.Len(len(g.records))
	for i := range g.records {
		d := &g.records[i]
		d.device.encode(w)
		w.Uint32(uint32(d.agent))
		w.Uint8(uint8(d.assurance))
		w.Time(d.since)
		w.Time(d.seen)
		w.Bool(d.present)
		w.Time(d.proved)
		w.Time(d.attested)
		w.String(d.chip)
	}
	return w
}
