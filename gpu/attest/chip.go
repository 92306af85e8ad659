package attest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/subtle"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// Chip is one physical GPU, known by a chain of certificates that ends at a pinned root. It verifies any number of reports
// that this chip signs, for the time at which the chain was opened.
type Chip struct {
	ID           string       // serial number of the per-chip certificate, upper-case hexadecimal: one chip, one identity
	Model        string       // as the certificates name it, such as GH100
	Architecture Architecture // of that model
	Serial       string       // the device's own serial number from the leaf's subject alternative name (SPDM, DSP0274)
	UEID         string       // serial number of the leaf in decimal, which NVIDIA's tokens carry; changes with the firmware

	policy Policy
	key    *ecdsa.PublicKey
	fwid   []byte // certified SHA-384 of the firmware that holds the key
}

// OpenChip verifies a chain in PEM, whatever its order, at a time. It returns *ChainError for a path that breaks a rule,
// ErrIdentity for one that is genuine and not a GPU's (NVIDIA's switches have the same root), ErrFirmware for a leaf that
// says its firmware can be debugged, ErrRevoked, or ErrInvalid for the policy.
func OpenChip(chainPEM []byte, p Policy, at time.Time) (*Chip, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	certs, err := parsePEM(chainPEM)
	if err != nil {
		return nil, err
	}
	path, err := findPath(certs, p.DeviceRoots, at)
	if err != nil {
		return nil, err
	}
	c, err := identify(path)
	if err != nil {
		return nil, err
	}
	if err := unrevoked(path, p.Revocations); err != nil {
		return nil, err
	}
	c.policy = p
	return c, nil
}

// Verify verifies a report of this chip for a nonce. The errors are those of the function Verify that do not concern the
// chain.
func (c *Chip) Verify(report []byte, nonce [32]byte) (*Result, error) {
	t, err := answer(report, nonce)
	if err != nil {
		return nil, err
	}
	return c.appraise(t)
}

// answer parses a report and checks that it answers a nonce.
func answer(report []byte, nonce [32]byte) (*Transcript, error) {
	if nonce == [32]byte{} {
		return nil, fmt.Errorf("%w: zeros challenge nobody", ErrNonce)
	}
	t, err := ParseTranscript(report)
	if err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare(t.Nonce[:], nonce[:]) != 1 {
		return nil, ErrNonce
	}
	return t, nil
}

// appraise verifies the signature and judges what it covers.
func (c *Chip) appraise(t *Transcript) (*Result, error) {
	if !verifyRaw(c.key, t.signed, t.signature) {
		return nil, ErrSignature
	}
	f, err := t.facts()
	if err != nil {
		return nil, err
	}
	if f.fwid != nil && !bytes.Equal(f.fwid, c.fwid) {
		return nil, fmt.Errorf("%w: report has %x, certificate %x", ErrFirmware, f.fwid, c.fwid)
	}
	r := &Result{
		ChipID: c.ID, Model: c.Model, Architecture: c.Architecture, Serial: c.Serial, UEID: c.UEID,
		Driver: f.driver, VBIOS: f.vbios, Project: f.project, ProjectSKU: f.projectSKU, ChipSKU: f.chipSKU,
		FWID: hex.EncodeToString(f.fwid), Mode: f.mode, Measurements: t.Measurements, nvdec0Off: f.nvdec0Off,
	}
	if err := c.policy.admits(r); err != nil {
		return nil, err
	}
	if c.policy.Golden == nil {
		return r, nil
	}
	mismatches, err := c.policy.Golden.Compare(r)
	if err != nil {
		return nil, err
	}
	r.Compared = c.policy.Golden.count(r)
	if len(mismatches) > 0 {
		return nil, &MismatchError{Result: r, Mismatches: mismatches}
	}
	return r, nil
}

// identify reads who a verified path is. Names on it are NVIDIA's words, since its root is pinned: the leaf is that of the
// firmware (FMC) that the chip's boot ROM (BROM) measured and certified, so that the leaf's issuer is the chip.
func identify(path []*x509.Certificate) (*Chip, error) {
	leaf, brom := path[0], path[1]
	words := strings.Split(brom.Subject.CommonName, " ") // "GH100 A01 GSP BROM" over "GH100 A01 GSP FMC LF"
	if len(words) != 4 || words[2] != "GSP" || words[3] != "BROM" || leaf.Subject.CommonName != strings.Join(words[:3], " ")+" FMC LF" {
		return nil, fmt.Errorf("%w: %q issued by %q", ErrIdentity, leaf.Subject.CommonName, brom.Subject.CommonName)
	}
	c := &Chip{
		ID: brom.Subject.SerialNumber, Model: words[0], UEID: leaf.SerialNumber.String(), key: publicKey(leaf),
	}
	switch {
	case strings.HasPrefix(c.Model, "GH"):
		c.Architecture = Hopper
	case strings.HasPrefix(c.Model, "GB"):
		c.Architecture = Blackwell
	default:
		return nil, fmt.Errorf("%w: model %q is of no known architecture", ErrIdentity, c.Model)
	}
	if want := strings.ToUpper(hex.EncodeToString(brom.SerialNumber.Bytes())); c.ID != want || c.ID == "" {
		return nil, fmt.Errorf("%w: subject serial number %q, that of the certificate is %q", ErrIdentity, c.ID, want)
	}
	var err error
	if c.Serial, err = deviceSerial(leaf, c.Model); err != nil {
		return nil, err
	}
	c.fwid, err = certifiedFirmware(leaf)
	return c, err
}

// deviceSerial reads the SPDM name of a device from a leaf: otherName 1.3.6.1.4.1.412.274.1, "NVIDIA:GH100:48B0...".
func deviceSerial(leaf *x509.Certificate, model string) (string, error) {
	var name struct {
		ID    asn1.ObjectIdentifier
		Value string `asn1:"explicit,tag:0,utf8"`
	}
	ext, ok := extension(leaf, asn1.ObjectIdentifier{2, 5, 29, 17})
	if !ok {
		return "", fmt.Errorf("%w: leaf has no alternative name", ErrIdentity)
	}
	var names []asn1.RawValue
	if rest, err := asn1.Unmarshal(ext, &names); err != nil {
		return "", fmt.Errorf("%w: alternative names: %w", ErrIdentity, err)
	} else if len(rest) > 0 || len(names) != 1 {
		return "", fmt.Errorf("%w: leaf has %d alternative names and %d bytes after them, want 1 and none", ErrIdentity, len(names), len(rest))
	}
	if _, err := asn1.UnmarshalWithParams(names[0].FullBytes, &name, "tag:0"); err != nil { // of one element nothing is left
		return "", fmt.Errorf("%w: alternative name: %w", ErrIdentity, err)
	}
	spdmName := asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 412, 274, 1} // DMTF, device information
	serial, ok := strings.CutPrefix(name.Value, "NVIDIA:"+model+":")
	if !name.ID.Equal(spdmName) || !ok || serial == "" {
		return "", fmt.Errorf("%w: alternative name %v %q, want %v and %q", ErrIdentity, name.ID, name.Value, spdmName, "NVIDIA:"+model+":...")
	}
	return serial, nil
}

// extension returns the value of an extension that a certificate has once.
func extension(c *x509.Certificate, id asn1.ObjectIdentifier) ([]byte, bool) {
	for _, e := range c.Extensions { // crypto/x509 refuses certificates that have one twice
		if e.Id.Equal(id) {
			return e.Value, true
		}
	}
	return nil, false
}
