package gpu

import "time"

// Event is something that happened to a Registry: one of the types of this file.
//
//sumtype:decl
type Event interface{ event() }

// Enrolled says that a supplier vouches for an agent's key. A key is enrolled once; a supplier may have many. Whoever applies
// it has seen to it that the supplier said so, for example by OpenEnrolment.
type Enrolled struct {
	Key      [32]byte   // ed25519 public key, made on the host that it speaks for
	Supplier string     // printable ASCII, 1 to 128 bytes
	Devices  []DeviceID // the devices that the key may report, at most MaxDevices; none: whatever its host has
	Expires  time.Time  // from then on the key is not heard; zero: never
}

// Rotated says that an agent changed its key: these are the bytes of Rotation.Sign, by the old key and by the new one. Its
// devices, its sequence number and its enrolment go over to the new key; the old one is never heard again.
type Rotated struct{ Signed []byte }

// Revoked says that a key is not trusted any more, because it was lost, stolen or enrolled by mistake. Its devices stay
// known; another key of the same supplier may report them, and nobody else's.
type Revoked struct {
	Key [32]byte
	Why string // printable ASCII, 1 to 128 bytes
}

// Challenged says that a key was sent a nonce to put into its next report. The nonce is drawn by whoever runs the registry,
// 256 random bits each time; it replaces one that was still open.
type Challenged struct {
	Key   [32]byte
	Nonce [32]byte
}

// Reported says that these bytes arrived. Who sent them is only known once the signature is verified.
type Reported struct{ Signed []byte }

// Proved says that a device passed a challenge of work and memory (gpu/challenge), posed when nobody could foresee it.
type Proved struct{ Device DeviceID }

// Disproved says that a device failed one. A fault of the line between is no failure.
type Disproved struct {
	Device DeviceID
	Reason string // the challenge's word for it, printable ASCII, 1 to 128 bytes
}

// ChipAttested says that a vendor's evidence for a device was verified (gpu/attest), with a fresh nonce.
type ChipAttested struct {
	Device DeviceID
	ChipID string // what the vendor certified: one chip, one identity; printable ASCII, 1 to 128 bytes
}

func (Enrolled) event()     {}
func (Rotated) event()      {}
func (Revoked) event()      {}
func (Challenged) event()   {}
func (Reported) event()     {}
func (Proved) event()       {}
func (Disproved) event()    {}
func (ChipAttested) event() {}

// Effect is what follows from an Event: one of the types below.
//
//sumtype:decl
type Effect interface{ effect() }

// Admitted says that an inventory was accepted: signed by an enrolled key, fresh, without contradiction, and of devices that
// no other key had reported before.
type Admitted struct {
	Key       [32]byte
	Supplier  string
	Inventory Inventory
	Findings  []Finding // none of them a Contradiction
	Assurance Assurance // the least of its devices'
}

// Beat says that a heartbeat was accepted.
type Beat struct {
	Key       [32]byte
	Supplier  string
	Heartbeat Heartbeat
}

// AssuranceChanged says that a proof, or the failure of one, carried a device to another level.
type AssuranceChanged struct {
	Device   DeviceID
	From, To Assurance
	Why      string
}

func (Admitted) effect()         {}
func (Beat) effect()             {}
func (AssuranceChanged) effect() {}
