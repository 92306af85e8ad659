package spl

import (
	"context"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/gagliardetto/solana-go"

	"github.com/idlegrid/idlegrid/settlement"
)

var (
	// ErrNoSigner is returned when a transaction needs the signature of a key that is not there.
	ErrNoSigner = errors.New("spl: no signer")
	// ErrSignature is returned for a signature that does not verify.
	ErrSignature = errors.New("spl: wrong signature")
	// ErrMalformed is returned for bytes that are no transaction.
	ErrMalformed = errors.New("spl: no transaction")
)

// Signer holds one key, or knows who holds it. Its methods may be called concurrently.
type Signer interface {
	// PublicKey returns the key's address, always the same.
	PublicKey() settlement.Account
	// Sign returns the ed25519 signature of the message, which it neither keeps nor changes. The same message gives the same
	// signature (RFC 8032).
	Sign(ctx context.Context, message []byte) ([64]byte, error)
}

// Key is a Signer whose key is in memory. Nothing that prints it shows the key, which is out of the reach of reflection.
type Key struct {
	account settlement.Account
	sign    func(message []byte) [64]byte
}

// NewKey returns a signer with a copy of the key.
func NewKey(private ed25519.PrivateKey) (*Key, error) {
	if len(private) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("spl: a private key of %d bytes, want %d", len(private), ed25519.PrivateKeySize)
	}
	own := ed25519.NewKeyFromSeed(private.Seed())
	if !own.Equal(private) {
		return nil, fmt.Errorf("spl: a private key whose public half does not belong to it")
	}
	return &Key{
		account: settlement.Account(solana.PublicKeyFromBytes(own[ed25519.SeedSize:]).String()),
		sign:    func(message []byte) [64]byte { return [64]byte(ed25519.Sign(own, message)) },
	}, nil
}

// PublicKey implements Signer.
func (k *Key) PublicKey() settlement.Account { return k.account }

// Sign implements Signer.
func (k *Key) Sign(_ context.Context, message []byte) ([64]byte, error) { return k.sign(message), nil }

// Format implements fmt.Formatter: every verb prints the address.
func (k Key) Format(s fmt.State, _ rune) { _, _ = fmt.Fprintf(s, "spl.Key(%s)", k.account) }

// MarshalText implements encoding.TextMarshaler with the address.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.account), nil }

// Keyring signs transactions with several signers. It is immutable.
type Keyring struct{ entries []entry }

type entry struct {
	key    solana.PublicKey
	signer Signer
}

// NewKeyring returns a ring of signers, of which no two may have the same key.
func NewKeyring(signers ...Signer) (*Keyring, error) {
	r := &Keyring{}
	for i, s := range signers {
		if s == nil {
			return nil, fmt.Errorf("spl: signer %d is nil", i)
		}
		k, err := solana.PublicKeyFromBase58(string(s.PublicKey()))
		if err != nil {
			return nil, fmt.Errorf("spl: signer %d: address %q: %w", i, s.PublicKey(), err)
		}
		if r.find(&k) != nil {
			return nil, fmt.Errorf("spl: signer %d: %q stands twice", i, s.PublicKey())
		}
		r.entries = append(r.entries, entry{k, s})
	}
	return r, nil
}

// Has says whether the ring can sign for the key.
func (r *Keyring) Has(k solana.PublicKey) bool { return r.find(&k) != nil }

// Sign puts the signatures of all who have to sign into the transaction. If the ring lacks one of them it returns ErrNoSigner,
// and then, as with every other error, the transaction is as it was.
func (r *Keyring) Sign(ctx context.Context, tx []byte) error {
	f, err := readFrame(tx)
	if err != nil {
		return err
	}
	for i := range f.signers {
		if k := f.signer(i); r.find(k) == nil {
			return fmt.Errorf("%w for %q", ErrNoSigner, *k)
		}
	}
	var all [maxSigners][64]byte
	for i := range f.signers {
		all[i], err = r.find(f.signer(i)).Sign(ctx, f.message)
		if err != nil {
			return fmt.Errorf("spl: sign as %q: %w", *f.signer(i), err)
		}
	}
	for i := range f.signers {
		copy(f.signature(i), all[i][:])
	}
	return nil
}

func (r *Keyring) find(k *solana.PublicKey) Signer {
	for i := range r.entries {
		if r.entries[i].key == *k {
			return r.entries[i].signer
		}
	}
	return nil
}

// markerText is what is signed to derive the secret of markers. It is signed for nothing else, and is no transaction: its
// first byte would call for 105 signatures.
const markerText = "idlegrid/settlement/spl/marker-secret/v1"

// markerSecret derives the secret that the seeds of a payer's markers are made with from a signature, so that it is the same
// wherever the key lives: in memory, in a file or behind a process. Who can sign for the payer can find its markers.
func markerSecret(ctx context.Context, s Signer) (secret [32]byte, err error) {
	key, err := solana.PublicKeyFromBase58(string(s.PublicKey()))
	if err != nil {
		return secret, fmt.Errorf("spl: address %q: %w", s.PublicKey(), err)
	}
	first, err := s.Sign(ctx, []byte(markerText))
	if err != nil {
		return secret, fmt.Errorf("spl: sign as %q: %w", key, err)
	}
	again, err := s.Sign(ctx, []byte(markerText))
	if err != nil {
		return secret, fmt.Errorf("spl: sign as %q: %w", key, err)
	}
	switch {
	case !ed25519.Verify(key[:], []byte(markerText), first[:]):
		return secret, fmt.Errorf("%w of %q", ErrSignature, key)
	case first != again:
		return secret, fmt.Errorf("spl: the signer of %q gives one text two signatures: its markers could not be found again", key)
	}
	out, err := hkdf.Key(sha256.New, first[:], nil, markerText, len(secret))
	if err != nil {
		return secret, fmt.Errorf("spl: derive the markers' secret: %w", err)
	}
	return [32]byte(out), nil
}
