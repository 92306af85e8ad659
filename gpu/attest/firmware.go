package attest

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
)

// fwid is the FWID of the TCG's DICE architectures: the digest of a layer of firmware.
type fwid struct {
	Algorithm asn1.ObjectIdentifier
	Digest    []byte
}

// tcbInfo is DiceTcbInfo of "DICE Attestation Architecture" of the TCG, version 1.1, section 6.1.1; Blackwell has it.
type tcbInfo struct {
	Vendor     string         `asn1:"optional,tag:0,utf8"`
	Model      string         `asn1:"optional,tag:1,utf8"`
	Version    string         `asn1:"optional,tag:2,utf8"`
	SVN        int            `asn1:"optional,tag:3"`
	Layer      int            `asn1:"optional,tag:4"`
	Index      int            `asn1:"optional,tag:5"`
	FWIDs      []fwid         `asn1:"optional,tag:6"`
	Flags      asn1.BitString `asn1:"optional,tag:7"`
	VendorInfo []byte         `asn1:"optional,tag:8"`
	Type       []byte         `asn1:"optional,tag:9"`
}

// compositeDeviceID is what Hopper has under the same identifier: the boot ROM's key and the digest of what it started.
type compositeDeviceID struct {
	Version int
	Key     asn1.RawValue
	FWID    fwid
}

// Operational flags of tcbInfo that no production firmware has.
const (
	flagNotSecure = 1
	flagRecovery  = 2
	flagDebug     = 3
)

// certifiedFirmware returns the digest of the firmware that a leaf certifies, from extension 2.23.133.5.4.1, and refuses
// firmware that is certified as open to debugging.
func certifiedFirmware(leaf *x509.Certificate) ([]byte, error) {
	ext, ok := extension(leaf, asn1.ObjectIdentifier{2, 23, 133, 5, 4, 1})
	if !ok {
		return nil, fmt.Errorf("%w: leaf certifies no firmware", ErrIdentity)
	}
	var seq asn1.RawValue
	if rest, err := asn1.Unmarshal(ext, &seq); err != nil {
		return nil, fmt.Errorf("%w: firmware of the leaf: %w", ErrIdentity, err)
	} else if len(rest) > 0 || seq.Tag != asn1.TagSequence || len(seq.Bytes) == 0 {
		return nil, fmt.Errorf("%w: firmware of the leaf is no sequence by itself", ErrIdentity)
	}
	if seq.Bytes[0] != asn1.TagInteger {
		return firmwareOfTCB(ext)
	}
	var id compositeDeviceID
	if _, err := asn1.Unmarshal(ext, &id); err != nil {
		return nil, fmt.Errorf("%w: composite device id: %w", ErrIdentity, err)
	}
	if id.Version != 1 {
		return nil, fmt.Errorf("%w: composite device id of version %d, want 1", ErrIdentity, id.Version)
	}
	return digestOf(id.FWID)
}

func firmwareOfTCB(ext []byte) ([]byte, error) {
	var info tcbInfo
	if _, err := asn1.Unmarshal(ext, &info); err != nil {
		return nil, fmt.Errorf("%w: DICE information: %w", ErrIdentity, err)
	}
	if len(info.FWIDs) == 0 {
		return nil, fmt.Errorf("%w: DICE information without a firmware id", ErrIdentity)
	}
	for _, bit := range []int{flagNotSecure, flagRecovery, flagDebug} {
		if info.Flags.At(bit) != 0 {
			return nil, fmt.Errorf("%w: certified with operational flags %x: not secure, in recovery or in debug", ErrFirmware, info.Flags.Bytes)
		}
	}
	return digestOf(info.FWIDs[0]) // the first is the firmware that signs; the second is zeros in all samples
}

// digestOf returns a SHA-384. Zeros certify nothing: a report of zeros would match them.
func digestOf(f fwid) ([]byte, error) {
	sha384 := asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}
	if !f.Algorithm.Equal(sha384) || len(f.Digest) != digestBytes || bytes.Equal(f.Digest, make([]byte, digestBytes)) {
		return nil, fmt.Errorf("%w: firmware id %v %x, want a SHA-384 that is not zero", ErrIdentity, f.Algorithm, f.Digest)
	}
	return f.Digest, nil
}
