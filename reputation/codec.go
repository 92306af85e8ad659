package reputation

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/idlegrid/idlegrid/internal/canon"
)

const stateDomain = "idlegrid/reputation/book/v2"

// recordBytes is what a subject with an empty name takes in a snapshot.
const recordBytes = 4 + maxMemories*16 + 5*4 + 3 + 4 + 4 + 1

// Digest is the SHA-256 of the canonical encoding of the whole state, parameters included, subjects sorted.
func (b *Book) Digest() [32]byte { return b.encode().Sum() }

// Snapshot returns the state in canonical form, for Restore.
func (b *Book) Snapshot() []byte { return b.encode().Data() }

// Restore returns the book that a snapshot was taken of. The parameters must be those that it was taken under. It never
// panics on any input; errors wrap ErrInvalid.
func Restore(p Params, snapshot []byte) (*Book, error) {
	b, err := NewBook(p)
	if err != nil {
		return nil, err
	}
	r := canon.NewReader(snapshot, stateDomain)
	want, got := p.sum(), [32]byte{}
	if r.Raw(got[:]); r.Err() == nil && got != want {
		return nil, fmt.Errorf("%w: snapshot of other parameters than %q", ErrInvalid, p.Version)
	}
	b.now = r.Time()
	b.readStocks(r)
	b.readOwners(r)
	last := Subject("")
	for range r.Len(recordBytes) {
		s := Subject(r.String())
		if r.Err() == nil && s <= last {
			return nil, fmt.Errorf("%w: snapshot: subject %q after %q", ErrInvalid, string(s), string(last))
		}
		var n record
		for k := range n.e {
			n.e[k], n.u[k] = r.Uint64(), r.Uint64()
		}
		n.asOf, n.seen, n.born, n.gaps, n.outages = r.Uint32(), r.Uint32(), r.Uint32(), r.Uint32(), r.Uint32()
		n.up, n.known, n.stock = r.Bool(), r.Bool(), r.Bool()
		b.index[s] = uint32(len(b.names))
		b.names, b.records = append(b.names, s), append(b.records, n)
		b.ownerOf, b.siteOf = append(b.ownerOf, r.Uint32()), append(b.siteOf, r.String())
		b.marks = append(b.marks, readMarks(r))
		last = s
	}
	b.readDiary(r)
	if err := r.Close(); err != nil {
		return nil, fmt.Errorf("%w: snapshot: %w", ErrInvalid, err)
	}
	if err := b.Audit(); err != nil {
		return nil, fmt.Errorf("%w: snapshot: %w", ErrInvalid, err)
	}
	return b, nil
}

func (b *Book) encode() *canon.Writer {
	w := canon.NewWriter(stateDomain)
	sum := b.params.sum()
	w.Raw(sum[:])
	w.Time(b.now)
	b.stocks.write(w)
	b.writeOwners(w)
	w.Len(len(b.names))
	for _, s := range slices.Sorted(maps.Keys(b.index)) {
		w.String(string(s))
		i := b.index[s]
		n := &b.records[i]
		for k := range n.e {
			w.Uint64(n.e[k])
			w.Uint64(n.u[k])
		}
		for _, v := range []uint32{n.asOf, n.seen, n.born, n.gaps, n.outages} {
			w.Uint32(v)
		}
		w.Bool(n.up)
		w.Bool(n.known)
		w.Bool(n.stock)
		w.Uint32(b.ownerOf[i])
		w.String(b.siteOf[i])
		b.marks[i].write(w)
	}
	b.writeDiary(w)
	return w
}

// sum is the SHA-256 of the parameters.
func (p Params) sum() [32]byte {
	w := canon.NewWriter("idlegrid/reputation/params/v2")
	w.String(p.Version)
	w.Len(len(p.Memories))
	for _, m := range p.Memories {
		w.Int64(int64(m.HalfLife))
		w.Uint64(m.PriorMicroOutages)
		w.Int64(int64(m.PriorUp))
		w.Uint32(m.WeightPPM)
	}
	w.Int64(int64(p.Weather.HalfLife))
	w.Int64(int64(p.Weather.Period))
	w.Uint32(p.Weather.MaxPPM)
	w.Int64(p.Hazard.BiasMicroNats)
	w.Uint32(p.Hazard.RunPPM)
	w.Int64(int64(p.Hazard.RunShift))
	for _, d := range []time.Duration{p.Gap, p.Established, p.Reference} {
		w.Int64(int64(d))
	}
	w.Len(len(p.Newcomer))
	for _, a := range p.Newcomer {
		w.Int64(int64(a.Until))
		w.Uint32(a.CleanPPM)
		w.Uint32(a.MarkedPPM)
	}
	for _, s := range []Signal{p.Job.Signal, p.Challenge, p.Link} {
		w.Int64(int64(s.HalfLife))
		w.Uint64(s.PriorMilliFailed)
		w.Uint64(s.PriorMilliGood)
	}
	w.Uint64(p.Job.FullMicroUSD)
	w.Uint64(p.Job.PairMilli)
	w.Int64(int64(p.Window))
	w.Int64(int64(p.Conduct.HalfLife))
	w.Uint64(p.Conduct.GoodGPUSeconds)
	w.Len(len(p.Conduct.Kinds))
	for _, k := range p.Conduct.Kinds {
		w.String(k.Name)
		w.Uint32(k.Micro)
	}
	return w.Sum()
}
