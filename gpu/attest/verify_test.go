package attest_test

import (
	"bytes"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"math/big"
	mrand "math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu/attest"
)

func fingerprint(c *x509.Certificate) attest.Fingerprint { return sha256.Sum256(c.Raw) }

func TestGenuineEvidence(t *testing.T) {
	for _, c := range []struct {
		name, chip, driver, vbios, project, sku, fwid string
		mode                                          attest.CCMode
	}{
		{"h100-545", "41FFEEB20009E0BE49", "545.00", "96.00.5E.00.01", "1010", "882", "", attest.CCUntold},
		{
			"h100-590", "412921CE551E4EEDA3", "590.12", "96.00.A5.00.01", "G520", "885",
			"956ecf09ee4191f115224d1cb09e76b897b77591c3ea7c2a22e1c50546aeba7961cd67edbb4a274e294fe1402036211d", attest.CCPPCIE,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, nonce := genuine(t, c.name)
			r, err := attest.Verify(e, lenient(), nonce, when())
			require.NoError(t, err)
			require.Equal(t, c.chip, r.ChipID)
			require.Equal(t, attest.Hopper, r.Architecture)
			require.Equal(t, []string{"GH100", c.driver, c.vbios, c.project, c.sku, c.fwid}, []string{r.Model, r.Driver, r.VBIOS, r.Project, r.ChipSKU, r.FWID})
			require.Equal(t, c.mode, r.Mode)
			require.Len(t, r.Measurements, 64)

			_, err = attest.Verify(e, attest.NVIDIA(), nonce, when())
			if c.fwid == "" {
				var pe *attest.PolicyError
				require.ErrorAs(t, err, &pe)
				require.Equal(t, "RequireFWID", pe.Field)
			} else {
				require.NoError(t, err)
			}
		})
	}
}

// Every byte of a report counts: one bit flipped in any of them is refused. The chain is verified once.
func TestEveryByteOfTheReportCounts(t *testing.T) {
	for _, name := range []string{"h100-545", "h100-590"} {
		e, nonce := genuine(t, name)
		chip, err := attest.OpenChip(e.ChainPEM, lenient(), when())
		require.NoError(t, err)
		step := 1
		if underRace {
			step = 37
		}
		for i := 0; i < len(e.Report); i += step {
			bad := bytes.Clone(e.Report)
			bad[i] ^= 1 << (i % 8)
			_, err := chip.Verify(bad, nonce)
			require.Error(t, err, "%s: byte %d", name, i)
			if i >= 4 && i < 36 {
				require.ErrorIs(t, err, attest.ErrNonce)
			}
		}
		_, err = chip.Verify(e.Report, nonce) // and unharmed it passes
		require.NoError(t, err)
	}
}

func TestEveryLengthOfTheReportIsRefused(t *testing.T) {
	e, nonce := genuine(t, "h100-590")
	chip, err := attest.OpenChip(e.ChainPEM, lenient(), when())
	require.NoError(t, err)
	for n := range e.Report {
		_, err := chip.Verify(e.Report[:n], nonce)
		require.ErrorIs(t, err, attest.ErrReport, "%d bytes", n)
	}
	for _, tail := range [][]byte{{0}, make([]byte, 96), e.Report} {
		_, err := chip.Verify(slices.Concat(e.Report, tail), nonce)
		require.ErrorIs(t, err, attest.ErrReport)
	}
}

// One bit flipped anywhere in a certificate is refused: none is off the path.
func TestEveryByteOfTheChainCounts(t *testing.T) {
	e, nonce := genuine(t, "h100-590")
	ders := certs(t, e.ChainPEM)
	require.Len(t, ders, 5)
	step := 1
	if underRace {
		step = 41
	}
	for i, der := range ders {
		for k := 0; k < len(der); k += step {
			bad := slices.Clone(ders)
			bad[i] = bytes.Clone(der)
			bad[i][k] ^= 1 << (k % 8)
			_, err := attest.Verify(attest.Evidence{Report: e.Report, ChainPEM: join(bad...)}, lenient(), nonce, when())
			require.Error(t, err, "certificate %d byte %d", i, k)
		}
	}
}

// What is done to the text of PEM is refused or changes nothing.
func TestPEMTextChangesNothing(t *testing.T) {
	e, _ := genuine(t, "h100-545")
	want, err := attest.OpenChip(e.ChainPEM, lenient(), when())
	require.NoError(t, err)
	rng := mrand.New(mrand.NewPCG(1, 2))
	for range 300 {
		bad := bytes.Clone(e.ChainPEM)
		bad[rng.IntN(len(bad))] = byte(rng.IntN(256))
		c, err := attest.OpenChip(bad, lenient(), when())
		if err == nil {
			require.Equal(t, want, c)
		}
	}
	for name, bad := range map[string][]byte{
		"text before":    slices.Concat([]byte("hello\n"), e.ChainPEM),
		"text after":     slices.Concat(e.ChainPEM, []byte("hello\n")),
		"other block":    slices.Concat(e.ChainPEM, []byte("-----BEGIN X-----\nAAAA\n-----END X-----\n")),
		"headers":        bytes.Replace(e.ChainPEM, []byte("CERTIFICATE-----\n"), []byte("CERTIFICATE-----\nA: b\n\n"), 1),
		"broken block":   slices.Concat([]byte("-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----\n"), e.ChainPEM),
		"too many":       bytes.Repeat(e.ChainPEM, 2),
		"too long":       bytes.Repeat([]byte("\n"), attest.MaxChain+1),
		"nothing":        nil,
		"twice the text": slices.Concat(e.ChainPEM[:900], e.ChainPEM),
	} {
		_, err := attest.OpenChip(bad, lenient(), when())
		require.ErrorIs(t, err, attest.ErrChain, name)
	}
}

func TestOrderOfTheChainDoesNotMatter(t *testing.T) {
	e, nonce := genuine(t, "h100-545")
	other, _ := genuine(t, "h100-590")
	ders, strange := certs(t, e.ChainPEM), certs(t, other.ChainPEM)
	want, err := attest.Verify(e, lenient(), nonce, when())
	require.NoError(t, err)
	rng := mrand.New(mrand.NewPCG(3, 4))
	for range 12 {
		rng.Shuffle(len(ders), func(i, j int) { ders[i], ders[j] = ders[j], ders[i] })
		got, err := attest.Verify(attest.Evidence{Report: e.Report, ChainPEM: join(ders...)}, lenient(), nonce, when())
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	extra := join(append(slices.Clone(ders), ders[0], strange[1])...) // a copy, and another chip's BROM
	got, err := attest.Verify(attest.Evidence{Report: e.Report, ChainPEM: extra}, lenient(), nonce, when())
	require.NoError(t, err)
	require.Equal(t, want.ChipID, got.ChipID)
	_, err = attest.OpenChip(join(append(slices.Clone(ders), strange[0])...), lenient(), when())
	require.ErrorIs(t, err, attest.ErrChain, "a second leaf")
	for i := range ders {
		_, err := attest.OpenChip(join(slices.Delete(slices.Clone(ders), i, i+1)...), lenient(), when())
		require.ErrorIs(t, err, attest.ErrChain, "certificate %d is missing", i)
	}
}

func TestRefusals(t *testing.T) {
	a, nonce := genuine(t, "h100-545")
	b, _ := genuine(t, "h100-590")
	f := newFake(t, options{})
	forged := attest.Evidence{Report: f.report(t, nonce, 64, f.fields()), ChainPEM: f.chain()}
	lone := slices.Concat(a.ChainPEM, []byte("\n"), join(f.root.cert.Raw))
	other := nonce
	other[31] ^= 1
	for _, c := range []struct {
		name  string
		e     attest.Evidence
		nonce [32]byte
		at    time.Time
		want  error
	}{
		{"another nonce", a, other, when(), attest.ErrNonce},
		{"no nonce", a, [32]byte{}, when(), attest.ErrNonce},
		{"before the chain is valid", a, nonce, time.Date(2020, 10, 16, 23, 59, 59, 0, time.UTC), attest.ErrChain},
		{"second chip's chain", attest.Evidence{Report: a.Report, ChainPEM: b.ChainPEM}, nonce, when(), attest.ErrSignature},
		{"own root", forged, nonce, when(), attest.ErrChain},
		{"own root last behind a genuine chain", attest.Evidence{Report: forged.Report, ChainPEM: lone}, nonce, when(), attest.ErrSignature},
		{
			"genuine root behind an own chain",
			attest.Evidence{Report: forged.Report, ChainPEM: slices.Concat(f.chain(), join(certs(t, a.ChainPEM)[4]))},
			nonce, when(), attest.ErrChain,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := attest.Verify(c.e, lenient(), c.nonce, c.at)
			require.ErrorIs(t, err, c.want)
			require.Nil(t, r)
		})
	}
	_, err := attest.Verify(a, lenient(), nonce, time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC))
	require.NoError(t, err, "the last second")
}

// A second valid signature can be made of any: evidence must not be told apart by its bytes.
func TestSignatureIsMalleable(t *testing.T) {
	e, nonce := genuine(t, "h100-545")
	n := len(e.Report)
	s := new(big.Int).Sub(elliptic.P384().Params().N, new(big.Int).SetBytes(e.Report[n-48:]))
	twin := bytes.Clone(e.Report)
	s.FillBytes(twin[n-48:])
	require.NotEqual(t, e.Report, twin)
	_, err := attest.Verify(attest.Evidence{Report: twin, ChainPEM: e.ChainPEM}, lenient(), nonce, when())
	require.NoError(t, err)
}

func TestForeignChains(t *testing.T) {
	nonce := nonceOf(7)
	for _, c := range []struct {
		name string
		o    options
		want error // nil: accepted
	}{
		{"ordinary", options{}, nil},
		{"DICE information", options{dice: true}, nil},
		{"DICE not configured", options{dice: true, flags: 0x80}, nil},
		{"DICE not secure", options{dice: true, flags: 0x40}, attest.ErrFirmware},
		{"DICE recovery", options{dice: true, flags: 0x20}, attest.ErrFirmware},
		{"DICE debug", options{dice: true, flags: 0x10}, attest.ErrFirmware},
		{"firmware of zeros", options{zeroFWID: true}, attest.ErrIdentity},
		{"DICE firmware of zeros", options{dice: true, zeroFWID: true}, attest.ErrIdentity},
		{"a switch", options{brom: "LS10 A01 BROM", leafName: "LS10 A01 FMC LF"}, attest.ErrIdentity},
		{"unknown model", options{brom: "GX100 A01 GSP BROM", leafName: "GX100 A01 GSP FMC LF", san: "NVIDIA:GX100:1"}, attest.ErrIdentity},
		{"Blackwell", options{brom: "GB100 A01 GSP BROM", leafName: "GB100 A01 GSP FMC LF", san: "NVIDIA:GB100:1", dice: true}, nil},
		{"leaf of another model", options{leafName: "GB100 A01 GSP FMC LF"}, attest.ErrIdentity},
		{"leaf of another kind", options{leafName: "GH100 A01 GSP BROM"}, attest.ErrIdentity},
		{"serial numbers differ", options{serial: "4100AC"}, attest.ErrIdentity},
		{"name of another model", options{san: "NVIDIA:GB100:1"}, attest.ErrIdentity},
		{"name of another maker", options{san: "ACME:GH100:1"}, attest.ErrIdentity},
		{"name without serial", options{san: "NVIDIA:GH100:"}, attest.ErrIdentity},
		{"BROM is no authority", mended("brom", func(c *x509.Certificate) { c.IsCA = false }), attest.ErrChain},
		{"BROM may not sign", mended("brom", func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature }), attest.ErrChain},
		{"leaf may not sign", mended("leaf", func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyAgreement }), attest.ErrChain},
		{"leaf has ended", mended("leaf", func(c *x509.Certificate) { c.NotAfter = when().Add(-time.Second) }), attest.ErrChain},
		{"leaf ends now", mended("leaf", func(c *x509.Certificate) { c.NotAfter = when() }), nil},
		{"root has ended", mended("root", func(c *x509.Certificate) { c.NotAfter = when().Add(-time.Second) }), attest.ErrChain},
		{"ICA is not valid yet", mended("ica", func(c *x509.Certificate) { c.NotBefore, c.NotAfter = when().Add(time.Second), when().AddDate(1, 0, 0) }), attest.ErrChain},
		{"path too long", mended("ica", func(c *x509.Certificate) { c.MaxPathLenZero = true }), attest.ErrChain},
		{"path just long enough", mended("ica", func(c *x509.Certificate) { c.MaxPathLen = 1 }), nil},
		{"SHA-256", mended("leaf", func(c *x509.Certificate) { c.SignatureAlgorithm = x509.ECDSAWithSHA256 }), attest.ErrChain},
		{"name constraints", mended("ica", func(c *x509.Certificate) { c.PermittedDNSDomains = []string{"nvidia.com"} }), attest.ErrChain},
		{"one subject twice", mended("brom", func(c *x509.Certificate) { c.Subject.CommonName, c.Subject.SerialNumber = "Test ICA", "" }), attest.ErrChain},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t, c.o)
			r, err := attest.Verify(attest.Evidence{Report: f.report(t, nonce, 8, f.fields()), ChainPEM: f.chain()}, f.policy(), nonce, when())
			if c.want == nil {
				require.NoError(t, err)
				require.Equal(t, "4100AB", r.ChipID)
				require.Equal(t, "1234", r.UEID)
				require.Equal(t, attest.CCMPT, r.Mode)
				return
			}
			require.ErrorIs(t, err, c.want)
		})
	}
}

// mended bends one template: notBefore is set where only the end was.
func mended(who string, f func(*x509.Certificate)) options {
	return options{mend: func(w string, c *x509.Certificate) {
		if w != who {
			return
		}
		c.NotBefore, c.NotAfter = when().AddDate(-1, 0, 0), when().AddDate(1, 0, 0)
		f(c)
	}}
}

func TestOpaqueFields(t *testing.T) {
	nonce := nonceOf(9)
	f := newFake(t, options{})
	for _, c := range []struct {
		name   string
		fields []opaque
		want   error
	}{
		{"no driver", with(f.fields(), attest.OpaqueDriver, "-"), attest.ErrReport},
		{"driver without zero", with(f.fields(), attest.OpaqueDriver, "550.90"), attest.ErrReport},
		{"driver with a zero inside", with(f.fields(), attest.OpaqueDriver, "550\x0090\x00"), attest.ErrReport},
		{"driver is a word", with(f.fields(), attest.OpaqueDriver, "latest\x00"), attest.ErrReport},
		{"empty project", with(f.fields(), attest.OpaqueProject, "\x00"), attest.ErrReport},
		{"VBIOS of 7 bytes", with(f.fields(), attest.OpaqueVBIOS, "1234567"), attest.ErrReport},
		{"VBIOS above a byte", with(f.fields(), attest.OpaqueVBIOS, "\x00\x5e\x00\x96\x00\x01\x00\x00"), attest.ErrReport},
		{"NVDEC 0 neither", with(f.fields(), attest.OpaqueNVDEC0, "\x00"), attest.ErrReport},
		{"FWID short", with(f.fields(), attest.OpaqueFWID, "123"), attest.ErrReport},
		{"FWID of other firmware", with(f.fields(), attest.OpaqueFWID, string(bytes.Repeat([]byte{1}, 48))), attest.ErrFirmware},
		{"FWID of zeros", with(f.fields(), attest.OpaqueFWID, string(make([]byte, 48))), attest.ErrFirmware},
		{"no FWID", with(f.fields(), attest.OpaqueFWID, "-"), attest.ErrPolicy},
		{"mode 3", with(f.fields(), attest.OpaqueMode, "\x03\x00"), attest.ErrReport},
		{"field twice", append(f.fields(), opaque{attest.OpaqueDriver, "550.90.07\x00"}), attest.ErrReport},
		{"unknown field", append(f.fields(), opaque{999, "?"}), nil},
		{"no fields", nil, attest.ErrReport},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := attest.Verify(attest.Evidence{Report: f.report(t, nonce, 8, c.fields), ChainPEM: f.chain()}, f.policy(), nonce, when())
			require.ErrorIs(t, err, c.want)
			if c.want == nil {
				require.NoError(t, err)
			}
		})
	}
}

func TestPolicy(t *testing.T) {
	nonce := nonceOf(5)
	f := newFake(t, options{})
	e := attest.Evidence{Report: f.report(t, nonce, 8, f.fields()), ChainPEM: f.chain()}
	for _, c := range []struct {
		least string
		ok    bool
	}{
		{"", true},
		{"550", true},
		{"550.90", true},
		{"550.90.06", true},
		{"550.90.07", true},
		{"550.90.7", true},
		{"550.90.08", false},
		{"550.90.07.01", false},
		{"550.100", false},
		{"560", false},
		{"1000", false},
	} {
		p := f.policy()
		p.MinDriver = c.least
		_, err := attest.Verify(e, p, nonce, when())
		if c.ok {
			require.NoError(t, err, c.least)
			continue
		}
		var pe *attest.PolicyError
		require.ErrorAs(t, err, &pe, c.least)
		require.Equal(t, "MinDriver", pe.Field)
		require.Equal(t, "550.90.07", pe.Have)
	}
	p := f.policy()
	p.Architectures = []attest.Architecture{attest.Blackwell}
	_, err := attest.Verify(e, p, nonce, when())
	require.ErrorIs(t, err, attest.ErrPolicy)
	for _, bad := range []func(*attest.Policy){
		func(p *attest.Policy) { p.DeviceRoots = nil },
		func(p *attest.Policy) { p.Architectures = nil },
		func(p *attest.Policy) { p.Architectures = []attest.Architecture{"volta"} },
		func(p *attest.Policy) { p.MinDriver = "550." },
		func(p *attest.Policy) { p.MinDriver = "5.5.0.9.0" },
		func(p *attest.Policy) { p.MinDriver = "5000000" },
	} {
		p := f.policy()
		bad(&p)
		_, err := attest.Verify(e, p, nonce, when())
		require.ErrorIs(t, err, attest.ErrInvalid)
	}
}

// answers is a list of revoked subjects.
type answers struct {
	revoked string
	err     error
	asked   []string
}

func (a *answers) Revoked(c, issuer *x509.Certificate) (bool, error) {
	a.asked = append(a.asked, c.Subject.CommonName+" < "+issuer.Subject.CommonName)
	return c.Subject.CommonName == a.revoked, a.err
}

func TestRevocations(t *testing.T) {
	nonce := nonceOf(5)
	f := newFake(t, options{})
	e := attest.Evidence{Report: f.report(t, nonce, 8, f.fields()), ChainPEM: f.chain()}
	p := f.policy()
	good := &answers{}
	p.Revocations = good
	_, err := attest.Verify(e, p, nonce, when())
	require.NoError(t, err)
	require.Equal(t, []string{
		"GH100 A01 GSP FMC LF < GH100 A01 GSP BROM", "GH100 A01 GSP BROM < Test ICA", "Test ICA < Test Root",
	}, good.asked)
	for _, who := range []string{"GH100 A01 GSP FMC LF", "GH100 A01 GSP BROM", "Test ICA"} {
		p.Revocations = &answers{revoked: who}
		_, err := attest.Verify(e, p, nonce, when())
		require.ErrorIs(t, err, attest.ErrRevoked)
	}
	p.Revocations = &answers{err: x509.ErrUnsupportedAlgorithm}
	_, err = attest.Verify(e, p, nonce, when())
	require.ErrorIs(t, err, attest.ErrRevoked)
	require.ErrorIs(t, err, x509.ErrUnsupportedAlgorithm, "no answer is not a good answer")
}

func TestFingerprint(t *testing.T) {
	root := certs(t, read(t, "h100-545.chain.pem"))[4]
	sum := sha256.Sum256(root)
	f, err := attest.ParseFingerprint(hex.EncodeToString(sum[:]))
	require.NoError(t, err)
	require.Equal(t, []attest.Fingerprint{f}, attest.NVIDIA().DeviceRoots)
	for _, bad := range []string{"", "12", f.String() + "00", "g" + f.String()[1:]} {
		_, err := attest.ParseFingerprint(bad)
		require.ErrorIs(t, err, attest.ErrInvalid)
		require.Error(t, new(attest.Fingerprint).UnmarshalText([]byte(bad)))
	}
}
