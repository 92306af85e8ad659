package canon

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// Writer appends values in canonical form. The zero value is an empty message without a domain.
type Writer struct{ b []byte }

// NewWriter starts a message in the given domain, for example "idlegrid/sched/v1".
func NewWriter(domain string) *Writer {
	w := &Writer{b: make([]byte, 0, 256)}
	w.String(domain)
	return w
}

// Uint8 appends one byte.
func (w *Writer) Uint8(v uint8) { w.b = append(w.b, v) }

// Uint16 appends two bytes.
func (w *Writer) Uint16(v uint16) { w.b = binary.BigEndian.AppendUint16(w.b, v) }

// Uint32 appends four bytes.
func (w *Writer) Uint32(v uint32) { w.b = binary.BigEndian.AppendUint32(w.b, v) }

// Uint64 appends eight bytes.
func (w *Writer) Uint64(v uint64) { w.b = binary.BigEndian.AppendUint64(w.b, v) }

// Int64 appends eight bytes, two's complement.
func (w *Writer) Int64(v int64) { w.Uint64(uint64(v)) }

// Bool appends one byte, 0 or 1.
func (w *Writer) Bool(v bool) {
	if v {
		w.Uint8(1)
		return
	}
	w.Uint8(0)
}

// String appends the length and the bytes of s.
func (w *Writer) String(s string) {
	w.Uint32(uint32(len(s)))
	w.b = append(w.b, s...)
}

// Bytes appends the length and the bytes of p.
func (w *Writer) Bytes(p []byte) {
	w.Uint32(uint32(len(p)))
	w.b = append(w.b, p...)
}

// Raw appends p without a length, for values of fixed width such as keys and hashes.
func (w *Writer) Raw(p []byte) { w.b = append(w.b, p...) }

// Time appends an instant. Its zone is not written.
func (w *Writer) Time(t time.Time) {
	w.Int64(t.Unix())
	w.Uint32(uint32(t.Nanosecond()))
}

// Len appends the number of elements that follow.
func (w *Writer) Len(n int) { w.Uint32(uint32(n)) }

// Data returns the message. It shares memory with the writer.
func (w *Writer) Data() []byte { return w.b }

// Sum returns the SHA-256 of the message.
func (w *Writer) Sum() [32]byte { return sha256.Sum256(w.b) }
