package attest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"time"
)

// Limits of a chain; genuine ones have 5 certificates in 4 to 6 KB of PEM.
const (
	MaxChain = 64 << 10 // the most that a chain in PEM may have, in bytes

	maxCertificates = 8
)

// parsePEM reads certificates and nothing else: no headers, no other blocks, no text between them.
func parsePEM(b []byte) ([]*x509.Certificate, error) {
	if len(b) > MaxChain {
		return nil, &ChainError{Reason: fmt.Sprintf("%d bytes of PEM, at most %d", len(b), MaxChain)}
	}
	var ders [][]byte
	for b = bytes.TrimSpace(b); len(b) > 0; b = bytes.TrimSpace(b) {
		if len(ders) == maxCertificates {
			return nil, &ChainError{Reason: fmt.Sprintf("more than %d certificates", maxCertificates)}
		}
		blk, rest := pem.Decode(b)
		if blk == nil || blk.Type != "CERTIFICATE" || len(blk.Headers) != 0 || !bytes.HasPrefix(b, []byte("-----BEGIN CERTIFICATE-----")) {
			return nil, &ChainError{Reason: fmt.Sprintf("PEM block %d is no plain certificate", len(ders)+1)}
		}
		if bytes.Count(b[:len(b)-len(rest)], []byte("-----BEGIN")) != 1 { // pem skips a broken block and takes the next
			return nil, &ChainError{Reason: fmt.Sprintf("PEM block %d is broken", len(ders)+1)}
		}
		ders = append(ders, blk.Bytes)
		b = rest
	}
	return parseDER(ders)
}

// parseDER parses certificates and drops exact copies.
func parseDER(ders [][]byte) ([]*x509.Certificate, error) {
	if len(ders) > maxCertificates {
		return nil, &ChainError{Reason: fmt.Sprintf("%d certificates, at most %d", len(ders), maxCertificates)}
	}
	var out []*x509.Certificate
	for i, der := range ders {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, &ChainError{Reason: fmt.Sprintf("certificate %d: %v", i+1, err)}
		}
		if !slices.ContainsFunc(out, c.Equal) {
			out = append(out, c)
		}
	}
	return out, nil
}

// findPath finds the one path from the one end entity to a pinned root and verifies it, leaf first. The order of certs does not
// matter, and certificates off the path are not looked at, but two may not have one subject: then there is never a choice
// of issuer, so that the path is a fact, found in at most maxCertificates signatures whatever an attacker sends.
func findPath(certs []*x509.Certificate, roots []Fingerprint, at time.Time) ([]*x509.Certificate, error) {
	var leaf *x509.Certificate
	for i, c := range certs {
		for _, d := range certs[:i] {
			if bytes.Equal(c.RawSubject, d.RawSubject) {
				return nil, &ChainError{Subject: c.Subject.String(), Reason: "two certificates have this subject"}
			}
		}
		if c.IsCA {
			continue
		}
		if leaf != nil {
			return nil, &ChainError{Subject: c.Subject.String(), Reason: "a second certificate that is no authority's"}
		}
		leaf = c
	}
	if leaf == nil {
		return nil, &ChainError{Reason: "no certificate that is no authority's"}
	}
	if err := checkCertificate(leaf, at, x509.KeyUsageDigitalSignature); err != nil {
		return nil, err
	}
	path := []*x509.Certificate{leaf}
	for child := leaf; !slices.Contains(roots, Fingerprint(sha256.Sum256(child.Raw))); {
		i := slices.IndexFunc(certs, func(c *x509.Certificate) bool { return bytes.Equal(c.RawSubject, child.RawIssuer) })
		if i < 0 {
			return nil, &ChainError{Subject: child.Subject.String(), Reason: fmt.Sprintf("its issuer %q is not among the certificates", child.Issuer)}
		}
		parent := certs[i]
		if slices.Contains(path, parent) {
			return nil, &ChainError{Subject: parent.Subject.String(), Reason: "ends the path and is not a pinned root"}
		}
		if err := checkIssued(parent, child, len(path)-1, at); err != nil {
			return nil, err
		}
		path = append(path, parent)
		child = parent
	}
	if len(path) == 1 {
		return nil, &ChainError{Subject: leaf.Subject.String(), Reason: "a root signs no reports"}
	}
	return path, nil
}

// checkIssued checks that parent issued child; below is the number of authorities under parent on the path.
func checkIssued(parent, child *x509.Certificate, below int, at time.Time) error {
	fault := func(format string, args ...any) error {
		return &ChainError{Subject: child.Subject.String(), Reason: fmt.Sprintf(format, args...)}
	}
	if err := checkCertificate(parent, at, x509.KeyUsageCertSign); err != nil {
		return err
	}
	if !parent.BasicConstraintsValid || !parent.IsCA {
		return fault("its issuer %q is no authority", parent.Subject)
	}
	if (parent.MaxPathLen > 0 || parent.MaxPathLenZero) && below > parent.MaxPathLen {
		return fault("%d authorities under %q, at most %d", below, parent.Subject, parent.MaxPathLen)
	}
	if len(child.AuthorityKeyId) > 0 && len(parent.SubjectKeyId) > 0 && !bytes.Equal(child.AuthorityKeyId, parent.SubjectKeyId) {
		return fault("names issuer key %x, %q has %x", child.AuthorityKeyId, parent.Subject, parent.SubjectKeyId)
	}
	if child.SignatureAlgorithm != x509.ECDSAWithSHA384 {
		return fault("signed by %v, want %v", child.SignatureAlgorithm, x509.ECDSAWithSHA384)
	}
	if err := parent.CheckSignature(child.SignatureAlgorithm, child.RawTBSCertificate, child.Signature); err != nil {
		return fault("not signed by %q: %v", parent.Subject, err)
	}
	return nil
}

// checkCertificate checks what a certificate must be by itself, wherever it stands on a path.
func checkCertificate(c *x509.Certificate, at time.Time, use x509.KeyUsage) error {
	fault := func(format string, args ...any) error {
		return &ChainError{Subject: c.Subject.String(), Reason: fmt.Sprintf(format, args...)}
	}
	nameConstraints := asn1.ObjectIdentifier{2, 5, 29, 30} // RFC 5280, 4.2.1.10: not obeyed here, so refused
	switch {
	case c.Version != 3:
		return fault("version %d, want 3", c.Version)
	case at.Before(c.NotBefore) || at.After(c.NotAfter):
		return fault("valid from %v to %v, asked for %v", c.NotBefore.UTC(), c.NotAfter.UTC(), at.UTC())
	case len(c.UnhandledCriticalExtensions) > 0:
		return fault("critical extension %v is not known", c.UnhandledCriticalExtensions[0])
	case c.KeyUsage&use == 0:
		return fault("its key may not be used so: usage %#x, want %#x", int(c.KeyUsage), int(use))
	case publicKey(c) == nil:
		return fault("its key is %v, want ECDSA on P-384", c.PublicKeyAlgorithm)
	}
	for _, e := range c.Extensions {
		if e.Id.Equal(nameConstraints) {
			return fault("has name constraints, which no device's chain has")
		}
	}
	return nil
}

// publicKey returns the key of a certificate, nil if it is not on P-384.
func publicKey(c *x509.Certificate) *ecdsa.PublicKey {
	if k, ok := c.PublicKey.(*ecdsa.PublicKey); ok && k.Curve == elliptic.P384() {
		return k
	}
	return nil
}

// verifyRaw verifies an ECDSA signature r || s, 48 bytes each, over the SHA-384 of a message.
func verifyRaw(k *ecdsa.PublicKey, message, signature []byte) bool {
	if len(signature) != signatureBytes {
		return false
	}
	sum := sha512.Sum384(message)
	half := signatureBytes / 2
	return ecdsa.Verify(k, sum[:], new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:]))
}

// unrevoked asks for every certificate of a verified path but the root.
func unrevoked(path []*x509.Certificate, r Revocations) error {
	if r == nil {
		return nil
	}
	for i, c := range path[:len(path)-1] {
		revoked, err := r.Revoked(c, path[i+1])
		if err != nil {
			return fmt.Errorf("%w: no answer for %q: %w", ErrRevoked, c.Subject, err)
		}
		if revoked {
			return fmt.Errorf("%w: %q", ErrRevoked, c.Subject)
		}
	}
	return nil
}
