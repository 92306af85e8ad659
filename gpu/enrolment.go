package gpu

import (
	"crypto/ed25519"
	"encoding/binary"
	"fmt"
	"time"
)

const (
	enrolmentDomain = "idlegrid/gpu/enrolment/v1\x00"
	rotationDomain  = "idlegrid/gpu/rotation/v1\x00"
	maxEnrolment    = len(enrolmentDomain) + 32 + 32 + 8 + 2 + maxText + 2 + MaxDevices*(2+maxText) + ed25519.SignatureSize
)

// Enrolment is a supplier's statement that a key speaks for devices of theirs, signed by the wallet that they are paid to.
type Enrolment struct {
	Wallet   [32]byte   // the supplier's ed25519 public key: on Solana, the wallet's address
	Key      [32]byte   // the agent's
	Supplier string     // as the registry shall call them, printable ASCII, 1 to 128 bytes
	Devices  []DeviceID // what the key may report, at most MaxDevices; none: whatever its host has
	Expires  time.Time  // in whole seconds, the rest is cut off; zero: never
}

// Event is what a Registry is to be told once the statement was verified.
func (e Enrolment) Event() Enrolled {
	return Enrolled{Key: e.Key, Supplier: e.Supplier, Devices: e.Devices, Expires: e.Expires}
}

// Sign returns the statement as it travels, signed by the wallet that it names. Errors wrap ErrInvalid.
func (e Enrolment) Sign(wallet ed25519.PrivateKey) ([]byte, error) {
	if len(wallet) != ed25519.PrivateKeySize || [32]byte(wallet[32:]) != e.Wallet {
		return nil, fmt.Errorf("%w: enrolment by wallet %x signed with another key", ErrInvalid, e.Wallet)
	}
	if err := e.validate(); err != nil {
		return nil, err
	}
	b := append([]byte(enrolmentDomain), e.Wallet[:]...)
	b = append(b, e.Key[:]...)
	var until int64
	if !e.Expires.IsZero() {
		until = e.Expires.Unix()
	}
	b = binary.BigEndian.AppendUint64(b, uint64(until))
	b = appendText(b, e.Supplier)
	b = binary.BigEndian.AppendUint16(b, uint16(len(e.Devices)))
	for _, d := range e.Devices {
		b = appendText(b, string(d))
	}
	return append(b, ed25519.Sign(wallet, b)...), nil
}

func (e Enrolment) validate() error {
	if err := checkText("supplier", e.Supplier, true); err != nil {
		return err
	}
	if !e.Expires.IsZero() && e.Expires.Unix() <= 0 {
		return fmt.Errorf("%w: expires %v is not after 1970", ErrInvalid, e.Expires)
	}
	return checkIDs(e.Devices)
}

func checkIDs(ids []DeviceID) error {
	if len(ids) > MaxDevices {
		return fmt.Errorf("%w: devices lists %d, at most %d", ErrInvalid, len(ids), MaxDevices)
	}
	for i, d := range ids {
		if err := checkText("devices", string(d), true); err != nil {
			return err
		}
		for _, o := range ids[:i] {
			if o == d {
				return fmt.Errorf("%w: devices lists %q twice", ErrInvalid, string(d))
			}
		}
	}
	return nil
}

// OpenEnrolment checks a signed statement of a wallet. It returns ErrMalformed for bytes that are no statement and
// ErrSignature for one that this wallet did not sign. It never panics.
func OpenEnrolment(signed []byte, wallet [32]byte) (Enrolment, error) {
	if len(signed) > maxEnrolment || len(signed) < len(enrolmentDomain)+ed25519.SignatureSize ||
		string(signed[:len(enrolmentDomain)]) != enrolmentDomain {
		return Enrolment{}, fmt.Errorf("%w: %d bytes are no enrolment", ErrMalformed, len(signed))
	}
	body := signed[:len(signed)-ed25519.SignatureSize]
	c := cutter{b: body[len(enrolmentDomain):]}
	e := Enrolment{Wallet: [32]byte(c.take(32)), Key: [32]byte(c.take(32))}
	if until := int64(binary.BigEndian.Uint64(c.take(8))); until != 0 {
		e.Expires = time.Unix(until, 0).UTC()
	}
	e.Supplier = c.text()
	for range min(int(binary.BigEndian.Uint16(c.take(2))), MaxDevices+1) {
		e.Devices = append(e.Devices, DeviceID(c.text()))
	}
	if c.short || len(c.b) != 0 {
		return Enrolment{}, fmt.Errorf("%w: an enrolment that is too short or too long", ErrMalformed)
	}
	if err := e.validate(); err != nil {
		return Enrolment{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if e.Wallet != wallet || weakKey(wallet) || !ed25519.Verify(wallet[:], body, signed[len(body):]) {
		return Enrolment{}, fmt.Errorf("%w: enrolment by wallet %x, want %x", ErrSignature, e.Wallet, wallet)
	}
	return e, nil
}

// Rotation is an agent's statement that it changes its key.
type Rotation struct{ Old, New [32]byte }

// Sign returns the statement as it travels, signed by both keys: the old one allows it, the new one shows that it is held.
// Errors wrap ErrInvalid.
func (r Rotation) Sign(old, next ed25519.PrivateKey) ([]byte, error) {
	if len(old) != ed25519.PrivateKeySize || len(next) != ed25519.PrivateKeySize || [32]byte(old[32:]) != r.Old || [32]byte(next[32:]) != r.New {
		return nil, fmt.Errorf("%w: rotation signed with keys that it does not name", ErrInvalid)
	}
	b := r.signed()
	return append(append(b, ed25519.Sign(old, b)...), ed25519.Sign(next, b)...), nil
}

// OpenRotation checks a signed statement: ErrMalformed for bytes that are none, ErrSignature where one of the two keys did
// not sign, ErrWeakKey for a new key that anybody can sign for. It never panics.
func OpenRotation(signed []byte) (Rotation, error) {
	n := len(rotationDomain) + 64
	if len(signed) != n+2*ed25519.SignatureSize || string(signed[:len(rotationDomain)]) != rotationDomain {
		return Rotation{}, fmt.Errorf("%w: %d bytes are no rotation", ErrMalformed, len(signed))
	}
	r := Rotation{Old: [32]byte(signed[len(rotationDomain):]), New: [32]byte(signed[len(rotationDomain)+32:])}
	if weakKey(r.New) {
		return Rotation{}, ErrWeakKey
	}
	first, second := signed[n:n+ed25519.SignatureSize], signed[n+ed25519.SignatureSize:]
	if !ed25519.Verify(r.Old[:], signed[:n], first) || !ed25519.Verify(r.New[:], signed[:n], second) {
		return Rotation{}, ErrSignature
	}
	return r, nil
}

func (r Rotation) signed() []byte {
	return append(append([]byte(rotationDomain), r.Old[:]...), r.New[:]...)
}

func appendText(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

// cutter takes fields off the front of a message; what is missing is zero, and short says so.
type cutter struct {
	b     []byte
	short bool
}

func (c *cutter) take(n int) []byte {
	if n > len(c.b) {
		c.short, c.b = true, nil
		return make([]byte, n)
	}
	out := c.b[:n]
	c.b = c.b[n:]
	return out
}

func (c *cutter) text() string { return string(c.take(int(binary.BigEndian.Uint16(c.take(2))))) }
