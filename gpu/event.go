package gpu

// Event is something that happened to a Registry: Enrolled, Challenged or Reported.
//
//sumtype:decl
type Event interface{ event() }

// Enrolled says that a supplier vouches for an agent's key. A key is enrolled once; a supplier may have many.
type Enrolled struct {
	Key      [32]byte // ed25519 public key, made on the host that it speaks for
	Supplier string   // printable ASCII, 1 to 128 bytes
}

// Challenged says that a key was sent a nonce to put into its next report. The nonce is drawn by whoever runs the registry,
// 256 random bits each time; it replaces one that was still open.
type Challenged struct {
	Key   [32]byte
	Nonce [32]byte
}

// Reported says that these bytes arrived. Who sent them is only known once the signature is verified.
type Reported struct{ Signed []byte }

func (Enrolled) event()   {}
func (Challenged) event() {}
func (Reported) event()   {}

// Effect is what follows from an Event: Admitted.
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
	Assurance Assurance
}

func (Admitted) effect() {}
