package attest

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"time"
)

// Namespaces of a manifest: ISO/IEC 19770-2:2015 (SWID tags), and the prefix of the attributes that hold hashes.
const (
	swid     = "http://standards.iso.org/iso/19770/-2/2015/schema.xsd"
	hashes   = "http://www.w3.org/2001/04/xmlenc#sha384"
	maxIndex = 254 // SPDM blocks are numbered 1 to 255
)

// Manifest is a signed reference integrity manifest (RIM): what NVIDIA says that a driver or a VBIOS measures.
type Manifest struct {
	TagID      string      // the manifest's own identity
	Product    string      // such as GH100
	Version    string      // of the driver, such as 545.00, or of the VBIOS, such as 96.00.5E.00.01
	Signer     string      // the certificate that signed, as a distinguished name
	Expires    time.Time   // when the first certificate of its chain ends: NVIDIA signs anew before
	References []Reference // in the order of the manifest, active or not
}

// Reference is what a manifest says about one measurement.
type Reference struct {
	Index  int        // 0 to 254; SPDM block Index+1
	Name   string     // such as HashedMeasurement_1_FSP
	Active bool       // whether it is to be compared
	Values [][48]byte // any of them matches; SHA-384
}

// ParseRIM reads a manifest, a SWID tag with an enveloped XML signature, and verifies digest, signature and chain, down to
// one of the policy's manifest roots at a time, none revoked. It reads the subset of XML and of XML Signature that NVIDIA's
// manifests use and refuses anything else. Errors wrap ErrManifest and, where they are about certificates, ErrChain or
// ErrRevoked.
func ParseRIM(xml []byte, p Policy, at time.Time) (*Manifest, error) {
	if len(p.ManifestRoots) == 0 {
		return nil, fmt.Errorf("%w: %w: ManifestRoots is empty", ErrManifest, ErrInvalid)
	}
	root, err := parseXML(xml)
	if err != nil {
		return nil, err
	}
	if !root.is(swid, "SoftwareIdentity") {
		return nil, fmt.Errorf("%w: document is a %q, want a SoftwareIdentity", ErrManifest, root.local)
	}
	e, err := parseEnvelope(root)
	if err != nil {
		return nil, err
	}
	path, err := findPath(e.certs, p.ManifestRoots, at)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrManifest, err)
	}
	if err := e.verify(root, path[0]); err != nil {
		return nil, err
	}
	if err := unrevoked(path, p.Revocations); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrManifest, err)
	}
	m := &Manifest{Signer: path[0].Subject.String(), Expires: path[0].NotAfter.UTC()}
	for _, c := range path {
		if c.NotAfter.Before(m.Expires) {
			m.Expires = c.NotAfter.UTC()
		}
	}
	return m, m.read(root)
}

// read takes the verified content: Entity, Meta, Payload, Signature.
func (m *Manifest) read(root *node) error {
	kids, _ := root.elements()
	if len(kids) != 4 || !kids[0].is(swid, "Entity") || !kids[1].is(swid, "Meta") || !kids[2].is(swid, "Payload") {
		return fmt.Errorf("%w: %d elements, want Entity, Meta, Payload, Signature", ErrManifest, len(kids))
	}
	var err error
	if m.TagID, err = required(root, "tagId"); err != nil {
		return err
	}
	if m.Version, err = required(kids[1], "colloquialVersion"); err != nil {
		return err
	}
	if m.Product, err = required(kids[1], "product"); err != nil {
		return err
	}
	resources, ok := kids[2].elements()
	if !ok || len(resources) == 0 {
		return fmt.Errorf("%w: payload has no resources, or text", ErrManifest)
	}
	seen := map[int]bool{}
	for _, n := range resources {
		r, err := readReference(n)
		if err != nil {
			return err
		}
		if seen[r.Index] {
			return fmt.Errorf("%w: index %d comes twice", ErrManifest, r.Index)
		}
		seen[r.Index] = true
		m.References = append(m.References, r)
	}
	return nil
}

func readReference(n *node) (Reference, error) {
	fault := func(format string, args ...any) (Reference, error) {
		return Reference{}, fmt.Errorf("%w: resource: %s", ErrManifest, fmt.Sprintf(format, args...))
	}
	if kind, _ := n.attr("", "type"); !n.is(swid, "Resource") || kind != "Measurement" || len(n.kids) != 0 {
		return fault("%q of type %q, want a Measurement", n.local, kind)
	}
	var r Reference
	var err error
	if r.Name, err = required(n, "name"); err != nil {
		return fault("%v", err)
	}
	if r.Index, err = number(n, "index", maxIndex); err != nil {
		return fault("%v", err)
	}
	switch v, _ := n.attr("", "active"); v {
	case "True":
		r.Active = true
	case "False":
	default:
		return fault("index %d: active is %q, want True or False", r.Index, v)
	}
	if size, err := number(n, "size", digestBytes); err != nil || size != digestBytes {
		return fault("index %d: size %d, want %d", r.Index, size, digestBytes)
	}
	alternatives, err := number(n, "alternatives", maxAttributes)
	if err != nil || alternatives == 0 || len(n.attrs) != 6+alternatives {
		return fault("index %d: %d alternatives with %d attributes, want 6 and one for each", r.Index, alternatives, len(n.attrs))
	}
	for i := range alternatives {
		v, _ := n.attr(hashes, "Hash"+strconv.Itoa(i))
		b, err := hex.DecodeString(v)
		if err != nil || len(b) != digestBytes {
			return fault("index %d: Hash%d is %q, want %d hexadecimal digits", r.Index, i, v, 2*digestBytes)
		}
		r.Values = append(r.Values, [48]byte(b))
	}
	return r, nil
}

func required(n *node, local string) (string, error) {
	v, _ := n.attr("", local)
	if v == "" {
		return "", fmt.Errorf("%w: %q has no %s", ErrManifest, n.local, local)
	}
	return v, nil
}

// number reads a decimal attribute from 0 to most, without signs or leading zeros.
func number(n *node, local string, most int) (int, error) {
	v, _ := n.attr("", local)
	i, err := strconv.Atoi(v)
	if err != nil || i < 0 || i > most || strconv.Itoa(i) != v {
		return 0, fmt.Errorf("%w: %s is %q, want 0 to %d", ErrManifest, local, v, most)
	}
	return i, nil
}
