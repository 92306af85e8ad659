package challenge

import (
	"encoding/hex"
	"fmt"

	"github.com/idlegrid/idlegrid/internal/canon"
)

// Hash is 32 bytes: a SHA-256, the id of a session or a nonce. As text it is 64 hexadecimal digits in lower case.
type Hash [32]byte

// String returns the digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText returns the digits.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads 64 hexadecimal digits; errors wrap ErrMalformed.
func (h *Hash) UnmarshalText(b []byte) error {
	var out Hash
	if len(b) != hex.EncodedLen(len(out)) {
		return fmt.Errorf("%w: hash of %d digits, want %d", ErrMalformed, len(b), hex.EncodedLen(len(out)))
	}
	if _, err := hex.Decode(out[:], b); err != nil {
		return fmt.Errorf("%w: hash: %w", ErrMalformed, err)
	}
	*h = out
	return nil
}

// hashFields is SHA-256 over a domain and fields, each with its length before it: no two lists share an encoding.
func hashFields(domain string, fields ...[]byte) Hash {
	w := canon.NewWriter(domain)
	for _, f := range fields {
		w.Bytes(f)
	}
	return w.Sum()
}
