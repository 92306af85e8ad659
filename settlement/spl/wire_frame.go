package spl

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"fmt"

	"github.com/gagliardetto/solana-go"
)

// frame is where the parts of a transaction are that signing needs.
type frame struct {
	message    []byte // what is signed
	signatures []byte // 64 bytes each
	keys       []byte // 32 bytes each, the signers' first
	signers    int
}

// readFrame finds them. It checks no more than it needs, and the length of the whole.
func readFrame(tx []byte) (frame, error) {
	if len(tx) == 0 {
		return frame{}, fmt.Errorf("%w: it is empty", ErrMalformed)
	}
	if tx[0] == 0x81 {
		return readFrameV1(tx)
	}
	f := frame{signers: int(tx[0])}
	start := 1 + f.signers*solana.SignatureLength
	if f.signers == 0 || f.signers > maxSigners || len(tx) < start+2 || len(tx) > maxBytesOld {
		return f, fmt.Errorf("%w: %d bytes with %d signatures", ErrMalformed, len(tx), f.signers)
	}
	f.signatures, f.message = tx[1:start], tx[start:]
	rest := f.message
	if rest[0]&0x80 != 0 {
		if rest[0] != 0x80 {
			return f, fmt.Errorf("%w: version %d", ErrMalformed, rest[0]&0x7f)
		}
		rest = rest[1:]
	}
	if len(rest) < 4 || int(rest[0]) != f.signers || int(rest[3]) < f.signers || len(rest) < 4+int(rest[3])*solana.PublicKeyLength {
		return f, fmt.Errorf("%w: its addresses do not fit", ErrMalformed)
	}
	f.keys = rest[4:][:int(rest[3])*solana.PublicKeyLength]
	return f, nil
}

// readFrameV1 reads a transaction of version 1, whose signatures are what is left behind the message.
func readFrameV1(tx []byte) (frame, error) {
	const fixed = 4 + 4 + 32 + 2
	if len(tx) < fixed || len(tx) > maxBytesV1 {
		return frame{}, fmt.Errorf("%w: %d bytes", ErrMalformed, len(tx))
	}
	f := frame{signers: int(tx[1])}
	instructions, count := int(tx[fixed-2]), int(tx[fixed-1])
	mask := binary.LittleEndian.Uint32(tx[4:])
	size := fixed + count*solana.PublicKeyLength
	for bit, n := range []int{4, 4, 4, 4, 4} { // the priority fee has two bits and 8 bytes
		if mask>>bit&1 != 0 {
			size += n
		}
	}
	heads := size
	size += 4 * instructions
	if f.signers == 0 || f.signers > maxSigners || count < f.signers || len(tx) < size {
		return f, fmt.Errorf("%w: %d bytes with %d addresses and %d signatures", ErrMalformed, len(tx), count, f.signers)
	}
	f.keys = tx[fixed:][:count*solana.PublicKeyLength]
	for i := range instructions {
		h := tx[heads+4*i:]
		size += int(h[1]) + int(binary.LittleEndian.Uint16(h[2:]))
	}
	if len(tx) != size+f.signers*solana.SignatureLength {
		return f, fmt.Errorf("%w: %d bytes, its parts are %d", ErrMalformed, len(tx), size+f.signers*solana.SignatureLength)
	}
	f.message, f.signatures = tx[:size], tx[size:]
	return f, nil
}

// signer returns the address of a signer.
func (f *frame) signer(i int) *solana.PublicKey {
	return (*solana.PublicKey)(f.keys[i*solana.PublicKeyLength:][:solana.PublicKeyLength])
}

// signature returns the place of a signature.
func (f *frame) signature(i int) []byte {
	return f.signatures[i*solana.SignatureLength:][:solana.SignatureLength]
}

// TxID returns the first signature of a transaction, by which the chain knows it, in base58. It is an error if the
// transaction is not signed.
func TxID(tx []byte) (string, error) {
	f, err := readFrame(tx)
	if err != nil {
		return "", err
	}
	if bytes.Equal(f.signature(0), zeros[:solana.SignatureLength]) {
		return "", fmt.Errorf("%w of %q: it is missing", ErrSignature, *f.signer(0))
	}
	return solana.SignatureFromBytes(f.signature(0)).String(), nil
}

// VerifyTx checks all signatures of a transaction. It returns ErrSignature, with the key of the first that is wrong.
func VerifyTx(tx []byte) error {
	f, err := readFrame(tx)
	if err != nil {
		return err
	}
	for i := range f.signers {
		if !ed25519.Verify(f.signer(i)[:], f.message, f.signature(i)) {
			return fmt.Errorf("%w of %q", ErrSignature, *f.signer(i))
		}
	}
	return nil
}
