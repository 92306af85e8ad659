package challenge

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
)

// Version is the only version of the protocol so far.
const Version = 1

// Bounds of a Spec. N below 2^17 keeps every entry of an int8 product inside int32, and N*2^6 below 2^24, where fp32 sums of
// integers are exact.
const (
	MinSide     = 64      // rows of a matrix
	MaxSide     = 1 << 16 // rows of a matrix
	MinWidth    = 16      // entries in a leaf
	MaxWidth    = 1024    // entries in a leaf
	MaxRounds   = 1024    // chained products
	MaxOpenings = 4096    // leaves or segments that one nonce asks for
	MaxDevice   = 128     // bytes of a device's name
)

var (
	// ErrInvalid says that a task is out of its bounds; the text names the field and the limit.
	ErrInvalid = errors.New("challenge: invalid")
	// ErrMalformed says that bytes are no canonical encoding.
	ErrMalformed = errors.New("challenge: malformed")
)

// Kind is the arithmetic of a round. Every kind is exact.
type Kind uint8

// The kinds. Int8 multiplies bytes into 32 bits. Fp16Ints multiplies integers of four bits, which fp16 tensor cores with fp32
// sums do exactly: it is for devices that have almost no int8 rate (B300, GB300).
const (
	Int8     Kind = 0
	Fp16Ints Kind = 1
)

// Spec is a task. It is public, and all that both sides compute follows from it, the roots and the nonces.
type Spec struct {
	Version  uint16     `json:"version"`         // of the protocol: 1
	Kind     Kind       `json:"kind"`            // arithmetic, as text "int8" or "fp16ints"
	Session  Hash       `json:"session"`         // 256 bits that the verifier draws afresh for each challenge
	Device   string     `json:"device"`          // the claim under test, 1 to 128 bytes of printable ASCII
	N        uint32     `json:"n"`               // rows and columns, a power of two from 64 to 65536
	Rounds   uint32     `json:"rounds"`          // chained products, 1 to 1024
	Width    uint32     `json:"width"`           // entries in a leaf, a power of two from 16 to 1024 and at most N
	Openings uint32     `json:"openings"`        // leaves to be opened, 1 to 4096 and at most all
	Memory   MemorySpec `json:"memory,omitzero"` // the zero value: no table
}

// Validate returns nil or an error that wraps ErrInvalid and names the field and its limit.
func (s Spec) Validate() error {
	switch {
	case s.Version != Version:
		return fmt.Errorf("%w: version %d, want %d", ErrInvalid, s.Version, Version)
	case s.Kind > Fp16Ints:
		return fmt.Errorf("%w: kind %d, at most %d", ErrInvalid, s.Kind, Fp16Ints)
	case s.Session == Hash{}:
		return fmt.Errorf("%w: session is all zeros, it has to be drawn", ErrInvalid)
	}
	if err := checkText("device", s.Device); err != nil {
		return err
	}
	if err := checkPower("n", s.N, MinSide, MaxSide); err != nil {
		return err
	}
	if err := checkRange("rounds", uint64(s.Rounds), 1, MaxRounds); err != nil {
		return err
	}
	if err := checkPower("width", s.Width, MinWidth, min(MaxWidth, s.N)); err != nil {
		return err
	}
	if err := checkRange("openings", uint64(s.Openings), 1, min(MaxOpenings, s.Leaves()*uint64(s.Rounds))); err != nil {
		return err
	}
	if s.Memory == (MemorySpec{}) {
		return nil
	}
	return s.Memory.Validate()
}

// Seed is that of the first round. It binds session, device and shape: work for another is other work.
func (s Spec) Seed() Seed {
	return seedFrom(hashFields("idlegrid/gpu/challenge/seed/v1", s.Session[:], []byte(s.Device), s.shape()))
}

// TableSeed is that of the table in memory.
func (s Spec) TableSeed() Seed {
	return seedFrom(hashFields("idlegrid/gpu/challenge/table/v1", s.Session[:], []byte(s.Device), s.shape()))
}

// Leaves is the number of leaves of a round: N*N/Width. Width must not be 0.
func (s Spec) Leaves() uint64 { return uint64(s.N) * uint64(s.N) / uint64(s.Width) }

// Depth is the number of nodes in a path from leaf to root.
func (s Spec) Depth() int { return bits.Len64(s.Leaves() - 1) }

// Ops is the work of all rounds, a product and a sum counted as two: 2 * N^3 * Rounds, at most 2^59.
func (s Spec) Ops() uint64 { return 2 * uint64(s.N) * uint64(s.N) * uint64(s.N) * uint64(s.Rounds) }

// DeviceBytes is the memory that a prover needs which keeps no product: 6*N^2 for A, Bt and one C, for each round the levels
// of its tree from the 4th on, 64 bytes for each 16 leaves, the table, and 16 bytes for each segment of the walk.
func (s Spec) DeviceBytes() uint64 {
	n := uint64(s.N)
	return 6*n*n + uint64(s.Rounds)*s.Leaves()/16*64 + s.Memory.Bytes + 16*s.Memory.Leaves()
}

// shape is all of a Spec but session and device, in fixed widths.
func (s Spec) shape() []byte {
	b := binary.BigEndian.AppendUint16(make([]byte, 0, 64), s.Version)
	b = append(b, byte(s.Kind))
	for _, v := range []uint32{s.N, s.Rounds, s.Width, s.Openings} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	b = binary.BigEndian.AppendUint64(b, s.Memory.Bytes)
	for _, v := range []uint32{s.Memory.Cost, s.Memory.Lanes, s.Memory.Segments, s.Memory.Steps, s.Memory.Openings} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}

// String returns "int8" or "fp16ints".
func (k Kind) String() string {
	switch k {
	case Int8:
		return "int8"
	case Fp16Ints:
		return "fp16ints"
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// MarshalText returns the name; errors wrap ErrInvalid.
func (k Kind) MarshalText() ([]byte, error) {
	if k > Fp16Ints {
		return nil, fmt.Errorf("%w: kind %d, at most %d", ErrInvalid, uint8(k), Fp16Ints)
	}
	return []byte(k.String()), nil
}

// UnmarshalText reads a name; errors wrap ErrMalformed.
func (k *Kind) UnmarshalText(b []byte) error {
	switch string(b) {
	case "int8":
		*k = Int8
	case "fp16ints":
		*k = Fp16Ints
	default:
		return fmt.Errorf("%w: kind %q, want int8 or fp16ints", ErrMalformed, b)
	}
	return nil
}

func checkRange(field string, v, low, high uint64) error {
	if v < low || v > high {
		return fmt.Errorf("%w: %s %d, want %d to %d", ErrInvalid, field, v, low, high)
	}
	return nil
}

func checkPower(field string, v, low, high uint32) error {
	if v < low || v > high || bits.OnesCount32(v) != 1 {
		return fmt.Errorf("%w: %s %d, want a power of two from %d to %d", ErrInvalid, field, v, low, high)
	}
	return nil
}

func checkText(field, v string) error {
	if len(v) < 1 || len(v) > MaxDevice {
		return fmt.Errorf("%w: %s of %d bytes, want 1 to %d", ErrInvalid, field, len(v), MaxDevice)
	}
	for i := range len(v) {
		if v[i] < ' ' || v[i] > '~' {
			return fmt.Errorf("%w: %s %q, want printable ASCII", ErrInvalid, field, v)
		}
	}
	return nil
}
