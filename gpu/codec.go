package gpu

import (
	"fmt"

	"github.com/idlegrid/idlegrid/internal/canon"
)

const stateDomain = "idlegrid/gpu/registry/v1"

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
	if version, skew := r.String(), r.Int64(); r.Err() == nil && (version != p.Version || skew != int64(p.Skew)) {
		return nil, fmt.Errorf("%w: snapshot of parameters %q with skew %d ns", ErrInvalid, version, skew)
	}
	g.now = r.Time()
	for range r.Len(32 + 4 + 8 + 32 + 1) {
		var a agent
		r.Raw(a.key[:])
		a.supplier, a.seq = r.String(), r.Uint64()
		r.Raw(a.nonce[:])
		a.open = r.Bool()
		g.byKey[a.key] = int32(len(g.agents))
		g.agents = append(g.agents, a)
	}
	for range r.Len(deviceBytes + 4 + 1 + 12 + 12 + 1) {
		d := record{device: decodeDevice(r), agent: int32(r.Uint32()), assurance: Assurance(r.Uint8())}
		d.since, d.seen, d.present = r.Time(), r.Time(), r.Bool()
		if r.Err() == nil && (d.agent < 0 || int(d.agent) >= len(g.agents)) {
			return nil, fmt.Errorf("%w: snapshot: device %q of agent %d", ErrInvalid, string(d.device.ID), d.agent)
		}
		if r.Err() == nil {
			a := &g.agents[d.agent]
			a.records = append(a.records, int32(len(g.records)))
			g.byID[d.device.ID] = int32(len(g.records))
		}
		g.records = append(g.records, d)
	}
	if err := r.Close(); err != nil {
		return nil, fmt.Errorf("%w: snapshot: %w", ErrInvalid, err)
	}
	if err := g.Audit(); err != nil {
		return nil, fmt.Errorf("%w: snapshot: %w", ErrInvalid, err)
	}
	return g, nil
}

func (g *Registry) encode() *canon.Writer {
	w := canon.NewWriter(stateDomain)
	w.String(g.params.Version)
	w.Int64(int64(g.params.Skew))
	w.Time(g.now)
	w.Len(len(g.agents))
	for i := range g.agents {
		a := &g.agents[i]
		w.Raw(a.key[:])
		w.String(a.supplier)
		w.Uint64(a.seq)
		w.Raw(a.nonce[:])
		w.Bool(a.open)
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
	}
	return w
}
