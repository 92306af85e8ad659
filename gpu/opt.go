package gpu

import (
	"encoding/json"
	"fmt"
)

// Why a value is missing. A source may give other words, such as "error 999" for an answer of the driver that has no name
// here; consumers show them and do not branch on them.
const (
	WhyNotSupported = "not supported" // the driver knows the question and has no answer for this device
	WhySymbolAbsent = "symbol absent" // the driver is older than the question
	WhyNoPermission = "no permission" // the answer needs more rights
	WhyTimeout      = "timeout"       // the driver did not answer by the deadline, or the device is stuck
	WhyLost         = "lost"          // the device has fallen off the bus
	WhyUnreadable   = "unreadable"    // there was an answer and it makes no sense
)

// Opt is a value that a driver may not give. The zero value is one that nobody asked for; a missing value is never a zero.
//
// In JSON a value is {"value": 41}, a missing one is {"why": "not supported"}; fields tagged omitzero leave out what was not
// asked for.
type Opt[T any] struct {
	V   T      // meaningful only if OK
	OK  bool   // whether V is what the driver said
	Why string // why there is no value, one of the Why constants or the driver's own words; empty if OK or not asked
}

// Some returns a value that is there.
func Some[T any](v T) Opt[T] { return Opt[T]{V: v, OK: true} }

// None returns a value that is missing, and why: printable ASCII, at most 128 bytes.
func None[T any](why string) Opt[T] { return Opt[T]{Why: why} }

// Get returns the value and whether there is one.
func (o Opt[T]) Get() (T, bool) { return o.V, o.OK }

// IsZero reports whether nobody asked; encoding/json leaves such fields out where they are tagged omitzero.
func (o Opt[T]) IsZero() bool { return !o.OK && o.Why == "" }

// String returns the value as fmt prints it, or the reason in brackets.
func (o Opt[T]) String() string {
	switch {
	case o.OK:
		return fmt.Sprint(o.V)
	case o.Why == "":
		return "(not asked)"
	}
	return "(" + o.Why + ")"
}

// MarshalJSON encodes the value or the reason. A list that is there and empty is [], nil or not: null would be no value.
func (o Opt[T]) MarshalJSON() ([]byte, error) {
	if !o.OK {
		return json.Marshal(optJSON{Why: o.Why})
	}
	v, err := json.Marshal(o.V)
	if err != nil {
		return nil, err
	}
	if string(v) == "null" {
		v = []byte("[]")
	}
	return append(append([]byte(`{"value":`), v...), '}'), nil
}

// UnmarshalJSON decodes what MarshalJSON wrote; a value and a reason at once, and a value of null, wrap ErrInvalid.
func (o *Opt[T]) UnmarshalJSON(b []byte) error {
	var j optJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	out := Opt[T]{OK: j.Value != nil, Why: j.Why}
	switch {
	case out.OK && out.Why != "":
		return fmt.Errorf("%w: a value that is there and missing (%q)", ErrInvalid, j.Why)
	case string(j.Value) == "null":
		return fmt.Errorf("%w: a value that is null", ErrInvalid)
	case out.OK:
		if err := json.Unmarshal(j.Value, &out.V); err != nil {
			return err
		}
	}
	*o = out
	return nil
}

// optJSON is how an Opt travels.
type optJSON struct {
	Value json.RawMessage `json:"value,omitempty"`
	Why   string          `json:"why,omitempty"`
}
