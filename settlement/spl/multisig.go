package spl

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"slices"

	"github.com/gagliardetto/solana-go"
)

// MultisigSize is the size of a multisig account of the token programs, in bytes, by which the chain names its rent.
const MultisigSize = 355

// tokenInitMultisig2 is InitializeMultisig2, which needs no rent sysvar.
const tokenInitMultisig2 = 19

// Multisig is an account of a token program that owns token accounts in the name of its members.
type Multisig struct {
	Need    uint8              // how many members have to sign, 1 to len(Members)
	Members []solana.PublicKey // 1 to 11
}

// Validate returns the first field that is out of range, nil if none is.
func (m Multisig) Validate() error {
	if len(m.Members) < 1 || len(m.Members) > maxMembers {
		return fmt.Errorf("spl: Multisig.Members are %d, want 1 to %d", len(m.Members), maxMembers)
	}
	if m.Need < 1 || int(m.Need) > len(m.Members) {
		return fmt.Errorf("spl: Multisig.Need is %d, want 1 to %d, the number of members", m.Need, len(m.Members))
	}
	for i, k := range m.Members {
		if slices.Contains(m.Members[:i], k) {
			return fmt.Errorf("spl: Multisig.Members[%d]: %q stands twice", i, k)
		}
	}
	return nil
}

// CreateMultisig returns the two instructions that make a multisig account, whose new key signs with the payer. Its rent is what
// the chain asks for MultisigSize bytes. The program is SPL Token or Token-2022: a multisig of one is none to the other.
func CreateMultisig(payer, account, program solana.PublicKey, m Multisig, rent uint64) ([]Instruction, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	if program != solana.TokenProgramID && program != solana.Token2022ProgramID {
		return nil, fmt.Errorf("spl: program %q of a multisig, want SPL Token or Token-2022", program)
	}
	metas := []Meta{{account, false, true}}
	for _, k := range m.Members {
		metas = append(metas, Meta{Key: k})
	}
	return []Instruction{
		createAccount(payer, account, program, rent, MultisigSize),
		{program, metas, []byte{tokenInitMultisig2, m.Need}},
	}, nil
}

// ReadMultisig reads the account of a multisig: its owner and data.
func ReadMultisig(owner solana.PublicKey, data []byte) (Multisig, error) {
	// Need u8, number of members u8, initialised u8, eleven places for members.
	if (owner != solana.TokenProgramID && owner != solana.Token2022ProgramID) || len(data) != MultisigSize || data[2] != 1 || data[1] > maxMembers {
		return Multisig{}, fmt.Errorf("spl: no multisig account: %d bytes of %q", len(data), owner)
	}
	m := Multisig{Need: data[0]}
	for i := range int(data[1]) {
		m.Members = append(m.Members, solana.PublicKeyFromBytes(data[3+32*i:][:32]))
	}
	return m, m.Validate()
}

// Partial is a transaction with the signatures that were collected so far. Its bytes are those of the transaction, with zeros
// where a signature is missing, so that it can be handed from member to member. It is not safe for concurrent use.
type Partial struct{ tx []byte }

// NewPartial returns the partial of a transaction, which is copied. It returns ErrMalformed for bytes that are none, and
// ErrSignature if a signature in it is wrong.
func NewPartial(tx []byte) (*Partial, error) {
	f, err := readFrame(tx)
	if err != nil {
		return nil, err
	}
	for i := range f.signers {
		if !missing(f.signature(i)) && !ed25519.Verify(f.signer(i)[:], f.message, f.signature(i)) {
			return nil, fmt.Errorf("%w of %q", ErrSignature, *f.signer(i))
		}
	}
	return &Partial{bytes.Clone(tx)}, nil
}

// Message returns a copy of what is to be signed.
func (p *Partial) Message() []byte { return bytes.Clone(p.frame().message) }

// Add puts a signature in. It returns ErrNoSigner if the key has nothing to sign here, and ErrSignature if it does not verify; then
// nothing has changed.
func (p *Partial) Add(key solana.PublicKey, signature [64]byte) error {
	f := p.frame()
	for i := range f.signers {
		if *f.signer(i) != key {
			continue
		}
		if !ed25519.Verify(key[:], f.message, signature[:]) {
			return fmt.Errorf("%w of %q", ErrSignature, key)
		}
		copy(f.signature(i), signature[:])
		return nil
	}
	return fmt.Errorf("%w: %q has nothing to sign here", ErrNoSigner, key)
}

// Sign adds the signature of a signer.
func (p *Partial) Sign(ctx context.Context, s Signer) error {
	key, err := solana.PublicKeyFromBase58(string(s.PublicKey()))
	if err != nil {
		return fmt.Errorf("spl: address %q: %w", s.PublicKey(), err)
	}
	f := p.frame()
	for i := range f.signers {
		if *f.signer(i) == key {
			signature, err := s.Sign(ctx, f.message)
			if err != nil {
				return fmt.Errorf("spl: sign as %q: %w", key, err)
			}
			return p.Add(key, signature)
		}
	}
	return fmt.Errorf("%w: %q has nothing to sign here", ErrNoSigner, key)
}

// Missing returns who has not signed yet, in the transaction's order.
func (p *Partial) Missing() []solana.PublicKey {
	var out []solana.PublicKey
	f := p.frame()
	for i := range f.signers {
		if missing(f.signature(i)) {
			out = append(out, *f.signer(i))
		}
	}
	return out
}

// Merge takes over what another partial of the same message has collected. It is an error if it is another message.
func (p *Partial) Merge(other *Partial) error {
	f, g := p.frame(), other.frame()
	if !bytes.Equal(f.message, g.message) {
		return fmt.Errorf("spl: two partial transactions with different messages")
	}
	for i := range f.signers {
		if missing(f.signature(i)) {
			copy(f.signature(i), g.signature(i))
		}
	}
	return nil
}

// Tx returns a copy of the transaction. It returns ErrNoSigner, with the first who has not signed, if it is not complete.
func (p *Partial) Tx() ([]byte, error) {
	if list := p.Missing(); len(list) > 0 {
		return nil, fmt.Errorf("%w: %d signatures are missing, the first is that of %q", ErrNoSigner, len(list), list[0])
	}
	return bytes.Clone(p.tx), nil
}

// MarshalText implements encoding.TextMarshaler with base64.
func (p *Partial) MarshalText() ([]byte, error) {
	return base64.StdEncoding.AppendEncode(nil, p.tx), nil
}

// UnmarshalText implements encoding.TextUnmarshaler. It checks as NewPartial does.
func (p *Partial) UnmarshalText(text []byte) error {
	raw, err := base64.StdEncoding.AppendDecode(nil, text)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	q, err := NewPartial(raw)
	if err != nil {
		return err
	}
	*p = *q
	return nil
}

// frame cannot fail on bytes that were checked; the zero value has none.
func (p *Partial) frame() frame {
	f, _ := readFrame(p.tx)
	return f
}

func missing(signature []byte) bool { return bytes.Equal(signature, zeros[:solana.SignatureLength]) }
