package attest_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu/attest"
)

// when is a time at which every certificate of testdata is valid.
func when() time.Time { return time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC) }

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	return b
}

// genuine returns evidence of testdata and the nonce that it answers.
func genuine(t testing.TB, name string) (attest.Evidence, [32]byte) {
	t.Helper()
	e := attest.Evidence{Report: read(t, name+".report.bin"), ChainPEM: read(t, name+".chain.pem")}
	return e, [32]byte(e.Report[4:36])
}

// lenient is NVIDIA's policy for drivers that do not tell their FWID.
func lenient() attest.Policy {
	p := attest.NVIDIA()
	p.RequireFWID = false
	return p
}

func manifest(t testing.TB, name string) *attest.Manifest {
	t.Helper()
	m, err := attest.ParseRIM(read(t, name+".swidtag"), attest.NVIDIA(), when())
	require.NoError(t, err)
	return m
}

// certs splits PEM into certificates.
func certs(t testing.TB, chain []byte) [][]byte {
	t.Helper()
	var out [][]byte
	for blk, rest := pem.Decode(chain); blk != nil; blk, rest = pem.Decode(rest) {
		out = append(out, blk.Bytes)
	}
	return out
}

func join(ders ...[]byte) []byte {
	var b bytes.Buffer
	for _, der := range ders {
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: der})
	}
	return b.Bytes()
}

func key(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	return k
}

// issued is a certificate with its key.
type issued struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// issue makes a certificate for a template, signed by parent, or by itself.
func issue(t testing.TB, tpl *x509.Certificate, parent *issued) *issued {
	t.Helper()
	k := key(t)
	if tpl.SerialNumber == nil {
		tpl.SerialNumber = big.NewInt(7)
	}
	if tpl.NotAfter.IsZero() {
		tpl.NotBefore, tpl.NotAfter = when().AddDate(-1, 0, 0), when().AddDate(1, 0, 0)
	}
	if tpl.SignatureAlgorithm == 0 {
		tpl.SignatureAlgorithm = x509.ECDSAWithSHA384
	}
	by := &issued{cert: tpl, key: k}
	if parent != nil {
		by = parent
	}
	der, err := x509.CreateCertificate(rand.Reader, tpl, by.cert, &k.PublicKey, by.key)
	require.NoError(t, err)
	c, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &issued{cert: c, key: k}
}

func authority(name string) *x509.Certificate {
	return &x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
}

// fake is a chip under a root of its own, as a factory would make it.
type fake struct {
	root, ica, brom, leaf *issued
	fwid                  [48]byte
}

// options bend a fake chip.
type options struct {
	brom, leafName string                                // common names; empty: those of a GH100
	dice           bool                                  // DICE information instead of a composite device id, with these flags
	flags          byte                                  // first byte
	zeroFWID       bool                                  // certify zeros
	serial         string                                // subject serial number of the BROM; empty: that of the certificate
	san            string                                // empty: NVIDIA:GH100:1
	mend           func(who string, c *x509.Certificate) // last change of a template
}

type fwidDER struct {
	Algorithm asn1.ObjectIdentifier
	Digest    []byte
}

func newFake(t testing.TB, o options) *fake {
	t.Helper()
	pick := func(s, otherwise string) string {
		if s == "" {
			return otherwise
		}
		return s
	}
	mend := func(who string, c *x509.Certificate) *x509.Certificate {
		if o.mend != nil {
			o.mend(who, c)
		}
		return c
	}
	f := &fake{}
	if !o.zeroFWID {
		f.fwid = sha512.Sum384([]byte("firmware"))
	}
	f.root = issue(t, mend("root", authority("Test Root")), nil)
	f.ica = issue(t, mend("ica", authority("Test ICA")), f.root)
	b := authority(pick(o.brom, "GH100 A01 GSP BROM"))
	b.SerialNumber = big.NewInt(0x4100AB)
	b.Subject.SerialNumber = pick(o.serial, "4100AB")
	f.brom = issue(t, mend("brom", b), f.ica)
	leaf := &x509.Certificate{
		Subject: pkix.Name{CommonName: pick(o.leafName, "GH100 A01 GSP FMC LF")}, KeyUsage: x509.KeyUsageDigitalSignature, SerialNumber: big.NewInt(1234),
		ExtraExtensions: []pkix.Extension{
			{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: spdmName(t, pick(o.san, "NVIDIA:GH100:1"))},
			{Id: asn1.ObjectIdentifier{2, 23, 133, 5, 4, 1}, Value: f.firmware(t, o)},
		},
	}
	f.leaf = issue(t, mend("leaf", leaf), f.brom)
	return f
}

func spdmName(t testing.TB, name string) []byte {
	t.Helper()
	other, err := asn1.MarshalWithParams(struct {
		ID    asn1.ObjectIdentifier
		Value string `asn1:"explicit,tag:0,utf8"`
	}{asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 412, 274, 1}, name}, "tag:0")
	require.NoError(t, err)
	b, err := asn1.Marshal([]asn1.RawValue{{FullBytes: other}})
	require.NoError(t, err)
	return b
}

func (f *fake) firmware(t testing.TB, o options) []byte {
	t.Helper()
	id := fwidDER{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}, f.fwid[:]}
	var b []byte
	var err error
	if o.dice {
		b, err = asn1.Marshal(struct {
			Vendor string         `asn1:"tag:0,utf8"`
			FWIDs  []fwidDER      `asn1:"tag:6"`
			Flags  asn1.BitString `asn1:"tag:7"`
		}{"NVIDIA", []fwidDER{id, {id.Algorithm, make([]byte, 48)}}, asn1.BitString{Bytes: []byte{o.flags, 0, 0, 1}, BitLength: 32}})
	} else {
		b, err = asn1.Marshal(struct {
			Version int
			Key     []int // any sequence: it is not read
			FWID    fwidDER
		}{1, []int{}, id})
	}
	require.NoError(t, err)
	return b
}

func (f *fake) chain() []byte {
	return join(f.leaf.cert.Raw, f.brom.cert.Raw, f.ica.cert.Raw, f.root.cert.Raw)
}

// policy accepts this chip's root and nothing of NVIDIA's.
func (f *fake) policy() attest.Policy {
	p := attest.NVIDIA()
	p.DeviceRoots = []attest.Fingerprint{fingerprint(f.root.cert)}
	return p
}

// opaque is one field of a report.
type opaque struct {
	kind  attest.OpaqueKind
	value string
}

// fields are the opaque data of an ordinary report.
func (f *fake) fields() []opaque {
	return []opaque{
		{attest.OpaqueVBIOS, "\x00\x5e\x00\x96\x01\x00\x00\x00"},
		{attest.OpaqueChipSKU, "882\x00"},
		{attest.OpaqueProject, "1010\x00"},
		{attest.OpaqueProjectSKU, "0200\x00"},
		{attest.OpaqueDriver, "550.90.07\x00"},
		{attest.OpaqueNVDEC0, "\xaa"},
		{attest.OpaqueFWID, string(f.fwid[:])},
		{attest.OpaqueMode, "\x01\x00"},
	}
}

// with returns fields with one of them changed; value "-" drops it.
func with(fields []opaque, kind attest.OpaqueKind, value string) []opaque {
	var out []opaque
	for _, o := range fields {
		switch {
		case o.kind != kind:
			out = append(out, o)
		case value != "-":
			out = append(out, opaque{kind, value})
		}
	}
	return out
}

// report signs a report with n measurements, of which number i is i in every byte.
func (f *fake) report(t testing.TB, nonce [32]byte, n int, fields []opaque) []byte {
	t.Helper()
	b := append([]byte{0x11, 0xE0, 1, 0xFF}, nonce[:]...)
	b = append(b, 0, 0x11, 0x60, 0, 0, byte(n), byte(n*55), byte(n*55>>8), byte(n*55>>16))
	for i := range n {
		b = append(b, byte(i+1), 1, 51, 0, 1, 48, 0)
		b = append(b, bytes.Repeat([]byte{byte(i)}, 48)...)
	}
	b = append(b, bytes.Repeat([]byte{0xDD}, 32)...)
	var o []byte
	for _, x := range fields {
		o = binary.LittleEndian.AppendUint16(o, uint16(x.kind))
		o = binary.LittleEndian.AppendUint16(o, uint16(len(x.value)))
		o = append(o, x.value...)
	}
	b = binary.LittleEndian.AppendUint16(b, uint16(len(o)))
	return sign(t, append(b, o...), f.leaf.key)
}

// sign appends r || s over the SHA-384 of b.
func sign(t testing.TB, b []byte, k *ecdsa.PrivateKey) []byte {
	t.Helper()
	sum := sha512.Sum384(b)
	r, s, err := ecdsa.Sign(rand.Reader, k, sum[:])
	require.NoError(t, err)
	var sig [96]byte
	r.FillBytes(sig[:48])
	s.FillBytes(sig[48:])
	return append(bytes.Clone(b), sig[:]...)
}

func nonceOf(b byte) [32]byte { return [32]byte(bytes.Repeat([]byte{b}, 32)) }

func hex48(b byte) string { return strings.Repeat(hex.EncodeToString([]byte{b}), 48) }
