package gpu

import "fmt"

// Health is how well a device does.
type Health uint8

// The states, from good to bad.
const (
	Healthy Health = iota
	Degraded
	Unhealthy
	Lost
)

// String returns the state in words.
func (h Health) String() string { return word(int(h), "healthy", "degraded", "unhealthy", "lost") }

// MarshalText encodes the word.
func (h Health) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText decodes the word.
func (h *Health) UnmarshalText(b []byte) error {
	for i := Healthy; i <= Lost; i++ {
		if i.String() == string(b) {
			*h = i
			return nil
		}
	}
	return fmt.Errorf("%w: health %.32q", ErrInvalid, b)
}
