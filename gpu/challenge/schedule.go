package challenge

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
	"time"
)

// MaxLoad is the largest share of a device's time that challenges may take, in parts per million: 2 %.
const MaxLoad = 20_000

// Schedule draws times that nobody can foresee and everybody can audit afterwards. The keys of epochs are a chain: that of
// an epoch is the SHA-256 of that of the next. The key of epoch 0 is published first, each other after its epoch. The beacon
// is public and fixed only when the epoch begins, a block hash, so that who made the chain could not choose the times.
type Schedule struct {
	Epoch    time.Duration `json:"epoch"`    // length of an epoch, 1 min to 30 days
	PerEpoch uint32        `json:"perEpoch"` // times that a device is challenged alone, 0 to 1000
}

// Claim names a device and who offers it.
type Claim struct {
	Supplier string `json:"supplier"`
	Device   string `json:"device"`
}

// Pair is two claims of different suppliers that are challenged at one instant.
type Pair struct {
	First, Second Claim
	At            time.Duration // from the epoch's beginning
}

// Validate returns nil or an error that wraps ErrInvalid and names the field and its limit; work is what one challenge takes
// of a device. Each device has PerEpoch challenges of its own, one barrier and at most one pair: more than MaxLoad of the
// epoch in all is refused.
func (s Schedule) Validate(work time.Duration) error {
	switch {
	case s.Epoch < time.Minute || s.Epoch > 30*24*time.Hour:
		return fmt.Errorf("%w: epoch %v, want 1m to 720h", ErrInvalid, s.Epoch)
	case s.PerEpoch > 1000:
		return fmt.Errorf("%w: perEpoch %d, at most 1000", ErrInvalid, s.PerEpoch)
	case work <= 0 || work > s.Epoch:
		return fmt.Errorf("%w: work of %v, want above 0s and at most the epoch of %v", ErrInvalid, work, s.Epoch)
	}
	if load := s.Load(work); load > MaxLoad {
		return fmt.Errorf("%w: load of %d ppm, at most %d", ErrInvalid, load, MaxLoad)
	}
	return nil
}

// Load is the share of a device's time that its challenges take, in parts per million, rounded up: PerEpoch, a barrier and a
// pair of this much work each.
func (s Schedule) Load(work time.Duration) uint64 {
	total := uint64(work) * (uint64(s.PerEpoch) + 2)
	return mulDivUp(total, Million, uint64(s.Epoch))
}

// Device returns the times of an epoch at which a device is challenged alone, from its beginning, ascending.
func (s Schedule) Device(key, beacon [32]byte, epoch uint64, device string) []time.Duration {
	out := make([]time.Duration, s.PerEpoch)
	for i := range out {
		out[i] = s.at(draws(key, beacon, epoch, "device", uint32(i), device))
	}
	slices.Sort(out)
	return out
}

// Barrier returns the one time of an epoch at which all devices of a supplier are challenged together.
func (s Schedule) Barrier(key, beacon [32]byte, epoch uint64, supplier string) time.Duration {
	return s.at(draws(key, beacon, epoch, "barrier", 0, supplier))
}

// Pairs matches claims across suppliers at random, so that a device which two suppliers share is asked for twice at once.
// Each claim is in one pair at most. Those left over are all of one supplier. The order of the claims does not matter.
func (s Schedule) Pairs(key, beacon [32]byte, epoch uint64, claims []Claim) []Pair {
	type ranked struct {
		rank  Hash
		claim Claim
	}
	list := make([]ranked, 0, len(claims))
	for _, c := range claims {
		list = append(list, ranked{draws(key, beacon, epoch, "rank", 0, c.Supplier, c.Device), c})
	}
	slices.SortFunc(list, func(a, b ranked) int { return bytes.Compare(a.rank[:], b.rank[:]) })
	var out []Pair
	var waiting []Claim // all of one supplier
	for _, r := range list {
		if len(waiting) == 0 || waiting[0].Supplier == r.claim.Supplier {
			waiting = append(waiting, r.claim)
			continue
		}
		a, b := waiting[0], r.claim
		waiting = waiting[1:]
		at := s.at(draws(key, beacon, epoch, "pair", 0, a.Supplier, a.Device, b.Supplier, b.Device))
		out = append(out, Pair{First: a, Second: b, At: at})
	}
	return out
}

// VerifyKey reports whether a revealed key is the one after a known key: the known one is its SHA-256.
func VerifyKey(previous, revealed [32]byte) bool { return sha256.Sum256(revealed[:]) == previous }

// KeyBefore returns the key that many epochs before the one given. Whoever runs a schedule draws the last key of a chain at
// random, publishes the first, and derives the others by this.
func KeyBefore(key [32]byte, epochs uint64) [32]byte {
	for range epochs {
		key = sha256.Sum256(key[:])
	}
	return key
}

// at is a draw's place in the epoch: mulhi64 of its first be64 and the epoch in nanoseconds, rounded down.
func (s Schedule) at(d Hash) time.Duration {
	at, _ := bits.Mul64(binary.BigEndian.Uint64(d[:]), uint64(s.Epoch))
	return time.Duration(at)
}

// draws is HMAC-SHA256 under the epoch's key of H(domain, beacon, epoch be64, label, i be32, names...).
func draws(key, beacon [32]byte, epoch uint64, label string, i uint32, names ...string) (d Hash) {
	fields := [][]byte{beacon[:], binary.BigEndian.AppendUint64(nil, epoch), []byte(label), binary.BigEndian.AppendUint32(nil, i)}
	for _, n := range names {
		fields = append(fields, []byte(n))
	}
	h := hashFields("idlegrid/gpu/challenge/schedule/v1", fields...)
	m := hmac.New(sha256.New, key[:])
	m.Write(h[:])
	m.Sum(d[:0])
	return d
}
