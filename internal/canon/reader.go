package canon

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// ErrMalformed is what every error of a [Reader] wraps.
var ErrMalformed = errors.New("canon: malformed message")

// Reader takes values from a message in the order in which they were written.
type Reader struct {
	b   []byte
	at  int
	err error
}

// NewReader opens a message and checks its domain.
func NewReader(b []byte, domain string) *Reader {
	r := &Reader{b: b}
	if got := r.String(); r.err == nil && got != domain {
		r.fail("domain %q, want %q", got, domain)
	}
	return r
}

func (r *Reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s at byte %d", ErrMalformed, fmt.Sprintf(format, args...), r.at)
	}
}

func (r *Reader) take(n int) []byte {
	if r.err == nil && n > len(r.b)-r.at {
		r.fail("%d bytes wanted, %d left", n, len(r.b)-r.at)
	}
	if r.err != nil {
		return nil
	}
	p := r.b[r.at : r.at+n]
	r.at += n
	return p
}

// Uint8 reads one byte.
func (r *Reader) Uint8() uint8 {
	if p := r.take(1); p != nil {
		return p[0]
	}
	return 0
}

// Uint16 reads two bytes.
func (r *Reader) Uint16() uint16 {
	if p := r.take(2); p != nil {
		return binary.BigEndian.Uint16(p)
	}
	return 0
}

// Uint32 reads four bytes.
func (r *Reader) Uint32() uint32 {
	if p := r.take(4); p != nil {
		return binary.BigEndian.Uint32(p)
	}
	return 0
}

// Uint64 reads eight bytes.
func (r *Reader) Uint64() uint64 {
	if p := r.take(8); p != nil {
		return binary.BigEndian.Uint64(p)
	}
	return 0
}

// Int64 reads eight bytes, two's complement.
func (r *Reader) Int64() int64 { return int64(r.Uint64()) }

// Bool reads one byte, which must be 0 or 1.
func (r *Reader) Bool() bool {
	v := r.Uint8()
	if v > 1 {
		r.fail("bool %d", v)
	}
	return v == 1
}

// String reads a length and that many bytes.
func (r *Reader) String() string { return string(r.take(r.Len(1))) }

// Bytes reads a length and that many bytes into a fresh slice.
func (r *Reader) Bytes() []byte { return append([]byte{}, r.take(r.Len(1))...) }

// Raw fills p from the next len(p) bytes.
func (r *Reader) Raw(p []byte) { copy(p, r.take(len(p))) }

// Time reads an instant, in UTC.
func (r *Reader) Time() time.Time {
	s, n := r.Int64(), r.Uint32()
	if n > 999_999_999 {
		r.fail("%d nanoseconds", n)
	}
	if r.err != nil {
		return time.Time{}
	}
	return time.Unix(s, int64(n)).UTC()
}

// Len reads the number of elements that follow, each at least size bytes long. A number that the rest of the message
// cannot hold is an error and reads as 0, so that a caller may allocate what it asks for.
func (r *Reader) Len(size int) int {
	n := r.Uint32()
	if left := len(r.b) - r.at; r.err == nil && uint64(n) > uint64(left/max(size, 1)) { // as an int, n may be negative on 32 bits
		r.fail("%d elements of %d bytes, %d left", n, size, left)
	}
	if r.err != nil {
		return 0
	}
	return int(n)
}

// Err returns the first error, nil if there was none.
func (r *Reader) Err() error { return r.err }

// Close returns the first error; bytes that nobody read are one.
func (r *Reader) Close() error {
	if r.err == nil && r.at != len(r.b) {
		r.fail("%d bytes left over", len(r.b)-r.at)
	}
	return r.err
}
