package gpu

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// Kind says what the body of a report is.
type Kind uint8

// The kinds of body.
const (
	InventoryReport Kind = 1 // an Inventory in JSON
	HeartbeatReport Kind = 2 // a Heartbeat in JSON
	AnswerReport    Kind = 3 // an answer to whoever posed a challenge of work or memory: its own encoding
)

// String returns the kind in words.
func (k Kind) String() string {
	switch k {
	case InventoryReport:
		return "inventory"
	case HeartbeatReport:
		return "heartbeat"
	case AnswerReport:
		return "answer"
	}
	return fmt.Sprintf("unknown(%d)", uint8(k))
}

func (k Kind) known() bool { return k >= InventoryReport && k <= AnswerReport }

// MaxBody is the most bytes that the body of a report may have.
const MaxBody = 256 << 10

// Report is one message of a host's agent to the network.
type Report struct {
	Kind  Kind
	Key   [32]byte  // the agent's ed25519 public key
	Seq   uint64    // from 1; higher than in every report of this key that was accepted before
	Sent  time.Time // the agent's clock; it travels in whole milliseconds, the rest is cut off
	Nonce [32]byte  // the challenge that is answered
	Body  []byte    // at most MaxBody bytes, signed as they are and never encoded again
}

// Refusals of a report that Open and Registry.Apply share.
var (
	ErrMalformed = errors.New("gpu: malformed report")
	ErrSignature = errors.New("gpu: signature does not fit")
	ErrNonce     = errors.New("gpu: nonce is not the one asked for")
)

const (
	reportDomain = "idlegrid/gpu/report/v1\x00"
	headerBytes  = len(reportDomain) + 1 + 32 + 8 + 8 + 32
)

// Sign returns the report as it travels: domain, kind, key, sequence number, Unix milliseconds and nonce in fixed widths,
// the body, and an ed25519 signature over the header and the SHA-256 of the body. The key must be the one that the report
// names; the body must not exceed MaxBody. Errors wrap ErrInvalid.
func (r Report) Sign(key ed25519.PrivateKey) ([]byte, error) {
	if len(key) != ed25519.PrivateKeySize || [32]byte(key[32:]) != r.Key {
		return nil, fmt.Errorf("%w: report of key %x signed with another key", ErrInvalid, r.Key)
	}
	if !r.Kind.known() {
		return nil, fmt.Errorf("%w: report of kind %v", ErrInvalid, r.Kind)
	}
	if len(r.Body) > MaxBody {
		return nil, fmt.Errorf("%w: body of %d bytes, at most %d", ErrInvalid, len(r.Body), MaxBody)
	}
	b := make([]byte, 0, headerBytes+len(r.Body)+ed25519.SignatureSize)
	b = append(b, reportDomain...)
	b = append(b, byte(r.Kind))
	b = append(b, r.Key[:]...)
	b = binary.BigEndian.AppendUint64(b, r.Seq)
	b = binary.BigEndian.AppendUint64(b, uint64(r.Sent.UnixMilli()))
	b = append(b, r.Nonce[:]...)
	b = append(b, r.Body...)
	return append(b, ed25519.Sign(key, signedPart(b))...), nil
}

// Open checks a signed report of a key against the nonce that the key was asked to answer. It returns ErrMalformed for
// bytes that are no report, ErrSignature for a report that the key did not sign, ErrNonce for an answer to something else.
// The body is a copy.
func Open(signed []byte, key ed25519.PublicKey, nonce [32]byte) (Report, error) {
	r, err := parseReport(signed)
	if err != nil {
		return Report{}, err
	}
	if len(key) != ed25519.PublicKeySize || [32]byte(key) != r.Key {
		return Report{}, fmt.Errorf("%w: report of key %x, want %x", ErrSignature, r.Key, []byte(key))
	}
	if !verify(signed, r.Key) {
		return Report{}, ErrSignature
	}
	if r.Nonce != nonce {
		return Report{}, ErrNonce
	}
	return r, nil
}

// parseReport reads the fields; nothing of them is true before the signature is verified.
func parseReport(b []byte) (Report, error) {
	n := len(b) - headerBytes - ed25519.SignatureSize
	if n < 0 || n > MaxBody {
		return Report{}, fmt.Errorf("%w: %d bytes are not in %d..%d", ErrMalformed, len(b),
			headerBytes+ed25519.SignatureSize, headerBytes+ed25519.SignatureSize+MaxBody)
	}
	if string(b[:len(reportDomain)]) != reportDomain {
		return Report{}, fmt.Errorf("%w: not of domain %q", ErrMalformed, reportDomain)
	}
	f := b[len(reportDomain):]
	r := Report{
		Kind:  Kind(f[0]),
		Key:   [32]byte(f[1:]),
		Seq:   binary.BigEndian.Uint64(f[33:]),
		Sent:  time.UnixMilli(int64(binary.BigEndian.Uint64(f[41:]))).UTC(),
		Nonce: [32]byte(f[49:]),
		Body:  append([]byte{}, b[headerBytes:headerBytes+n]...),
	}
	if !r.Kind.known() {
		return Report{}, fmt.Errorf("%w: kind %d", ErrMalformed, uint8(r.Kind))
	}
	return r, nil
}

// verify checks the signature of what parseReport took for a report.
func verify(b []byte, key [32]byte) bool {
	end := len(b) - ed25519.SignatureSize
	return ed25519.Verify(key[:], signedPart(b[:end]), b[end:])
}

// signedPart is the header followed by the hash of the body: a fixed width, so that no body can pass for a header.
func signedPart(b []byte) []byte {
	sum := sha256.Sum256(b[headerBytes:])
	return append(append(make([]byte, 0, headerBytes+len(sum)), b[:headerBytes]...), sum[:]...)
}
