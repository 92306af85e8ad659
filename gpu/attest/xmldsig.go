package attest

import (
	"bytes"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"strings"
)

// Names of XML Signature (https://www.w3.org/TR/xmldsig-core1/) that NVIDIA's manifests use. No others are accepted.
const (
	dsig         = "http://www.w3.org/2000/09/xmldsig#"
	c14n11       = "http://www.w3.org/2006/12/xml-c14n11"
	ecdsaSHA384  = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"
	digestSHA384 = "http://www.w3.org/2001/04/xmldsig-more#sha384"
	enveloped    = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
)

// envelope is an enveloped signature over a whole document, taken apart.
type envelope struct {
	signature  *node // the element, which the digest leaves out
	signedInfo *node
	digest     []byte // SHA-384 of the rest of the document
	value      []byte // r || s over the SHA-384 of signedInfo
	certs      []*x509.Certificate
}

// parseEnvelope reads the signature of a document: the last child of its root, and the only one. Its one reference is the
// document itself (URI ""), so that there is nothing else that could be signed in its place.
func parseEnvelope(root *node) (*envelope, error) {
	kids, ok := root.elements()
	if !ok || len(kids) == 0 || !kids[len(kids)-1].is(dsig, "Signature") || countSignatures(root) != 1 {
		return nil, fmt.Errorf("%w: want one signature, last in the document", ErrManifest)
	}
	e := &envelope{signature: kids[len(kids)-1]}
	parts, err := children(e.signature, "SignedInfo", "SignatureValue", "KeyInfo")
	if err != nil {
		return nil, err
	}
	e.signedInfo = parts[0]
	if err := e.parseSignedInfo(); err != nil {
		return nil, err
	}
	if e.value, err = decoded(parts[1]); err != nil {
		return nil, err
	}
	data, err := children(parts[2], "X509Data")
	if err != nil {
		return nil, err
	}
	certs, ok := data[0].elements()
	if !ok || len(certs) > maxCertificates {
		return nil, fmt.Errorf("%w: %d certificates or text between them, at most %d", ErrManifest, len(certs), maxCertificates)
	}
	var ders [][]byte
	for _, c := range certs {
		if !c.is(dsig, "X509Certificate") || len(c.attrs) > 0 {
			return nil, fmt.Errorf("%w: %q among the certificates", ErrManifest, c.local)
		}
		der, err := decoded(c)
		if err != nil {
			return nil, err
		}
		ders = append(ders, der)
	}
	if e.certs, err = parseDER(ders); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrManifest, err)
	}
	return e, nil
}

func (e *envelope) parseSignedInfo() error {
	info, err := children(e.signedInfo, "CanonicalizationMethod", "SignatureMethod", "Reference")
	if err != nil {
		return err
	}
	ref, err := children(info[2], "Transforms", "DigestMethod", "DigestValue")
	if err != nil {
		return err
	}
	transforms, err := children(ref[0], "Transform", "Transform")
	if err != nil {
		return err
	}
	for _, a := range []struct {
		n            *node
		local, value string
	}{
		{info[0], "Algorithm", c14n11},
		{info[1], "Algorithm", ecdsaSHA384},
		{info[2], "URI", ""},
		{transforms[0], "Algorithm", enveloped},
		{transforms[1], "Algorithm", c14n11},
		{ref[1], "Algorithm", digestSHA384},
	} {
		if v, ok := a.n.attr("", a.local); !ok || v != a.value || len(a.n.attrs) != 1 {
			return fmt.Errorf("%w: %s of %q is %q, want %q and no other attribute", ErrManifest, a.local, a.n.local, v, a.value)
		}
	}
	for _, leaf := range []*node{info[0], info[1], transforms[0], transforms[1], ref[1]} {
		if len(leaf.kids) != 0 {
			return fmt.Errorf("%w: %q has parameters", ErrManifest, leaf.local)
		}
	}
	e.digest, err = decoded(ref[2])
	return err
}

// verify checks digest and signature with the key of a certificate.
func (e *envelope) verify(root *node, signer *x509.Certificate) error {
	if sum := sha512.Sum384(canonical(root, e.signature)); !bytes.Equal(sum[:], e.digest) {
		return fmt.Errorf("%w: document has digest %x, signed was %x", ErrManifest, sum, e.digest)
	}
	if !verifyRaw(publicKey(signer), canonical(e.signedInfo, nil), e.value) {
		return fmt.Errorf("%w: %w", ErrManifest, ErrSignature)
	}
	return nil
}

func countSignatures(n *node) int {
	c := 0
	if n.local == "Signature" {
		c++
	}
	for _, k := range n.kids {
		c += countSignatures(k)
	}
	return c
}

// children returns the children of an element of xmldsig, which must have these names in this order and no text between.
func children(n *node, names ...string) ([]*node, error) {
	kids, ok := n.elements()
	if !ok || len(kids) != len(names) {
		return nil, fmt.Errorf("%w: %q has %d elements or text, want %q", ErrManifest, n.local, len(kids), names)
	}
	for i, name := range names {
		if !kids[i].is(dsig, name) {
			return nil, fmt.Errorf("%w: %q has %q, want %q", ErrManifest, n.local, kids[i].local, name)
		}
	}
	return kids, nil
}

// decoded reads base64 with line breaks.
func decoded(n *node) ([]byte, error) {
	text, ok := n.content()
	if !ok {
		return nil, fmt.Errorf("%w: %q has elements", ErrManifest, n.local)
	}
	b, err := base64.StdEncoding.Strict().DecodeString(strings.NewReplacer("\n", "", "\t", "", " ", "").Replace(text))
	if err != nil {
		return nil, fmt.Errorf("%w: %q: %w", ErrManifest, n.local, err)
	}
	return b, nil
}
