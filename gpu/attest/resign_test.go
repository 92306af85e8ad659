package attest_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu/attest"
)

// A manifest that is signed well, but by a signature that says it signs something else: refused for what it says. The
// canonical form that is signed here is made by replacing text, not by the package.
func TestSignedButNotThis(t *testing.T) {
	xml := string(read(t, "driver-545.swidtag"))
	root := issue(t, authority("Test RIM Root"), nil)
	signer := issue(t, &x509.Certificate{Subject: pkix.Name{CommonName: "Test Signer"}, KeyUsage: x509.KeyUsageDigitalSignature}, root)
	p := attest.NVIDIA()
	p.ManifestRoots = []attest.Fingerprint{fingerprint(root.cert)}
	from, to := strings.Index(xml, "<ds:SignedInfo>"), strings.Index(xml, "<ds:SignatureValue>")
	swid := "http://standards.iso.org/iso/19770/-2/2015/schema.xsd"
	apex := `<ds:SignedInfo xmlns="` + swid + `" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" xmlns:ns0="` + swid +
		`" xmlns:ns2="http://www.w3.org/2001/04/xmlenc#sha384">`
	empty := regexp.MustCompile(`<(ds:[A-Za-z]+)([^<>]*)/>`)
	for _, c := range []struct{ name, old, replacement string }{
		{"as NVIDIA signs", "", ""},
		{"a part of the document", `URI=""`, `URI="#payload"`},
		{"no document", ` URI=""`, ``},
		{"with an id", `<ds:Reference URI=""`, `<ds:Reference Id="r" URI=""`},
		{"canonical form 1.0", `http://www.w3.org/2006/12/xml-c14n11`, `http://www.w3.org/TR/2001/REC-xml-c14n-20010315`},
		{"a filter", `http://www.w3.org/2000/09/xmldsig#enveloped-signature`, `http://www.w3.org/TR/1999/REC-xpath-19991116`},
		{"SHA-1", `http://www.w3.org/2001/04/xmldsig-more#sha384`, `http://www.w3.org/2000/09/xmldsig#sha1`},
		{"HMAC", `http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384`, `http://www.w3.org/2000/09/xmldsig#hmac-sha1`},
		{"another document", `<ds:DigestValue>Dc2C`, `<ds:DigestValue>Dc2D`},
	} {
		t.Run(c.name, func(t *testing.T) {
			info := strings.Replace(xml[from:to], c.old, c.replacement, 1)
			form := empty.ReplaceAllString(strings.Replace(info, "<ds:SignedInfo>", apex, 1), "<$1$2></$1>")
			signed := sign(t, []byte(form), signer.key)
			b64 := base64.StdEncoding.EncodeToString
			made := xml[:from] + info + "<ds:SignatureValue>" + b64(signed[len(form):]) + "</ds:SignatureValue><ds:KeyInfo><ds:X509Data><ds:X509Certificate>" +
				b64(root.cert.Raw) + "</ds:X509Certificate><ds:X509Certificate>" + b64(signer.cert.Raw) +
				"</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature></SoftwareIdentity>"
			m, err := attest.ParseRIM([]byte(made), p, when())
			if c.old == "" {
				require.NoError(t, err)
				require.Equal(t, "545.00", m.Version)
				return
			}
			require.ErrorIs(t, err, attest.ErrManifest)
			require.NotErrorIs(t, err, attest.ErrSignature, "it is refused for what it says")
		})
	}
}
