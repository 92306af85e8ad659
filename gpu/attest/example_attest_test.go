package attest_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/idlegrid/idlegrid/gpu/attest"
)

// file reads a sample.
func file(name string) []byte {
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		panic(err)
	}
	return b
}

// The evidence is that of a genuine H100. Its nonce is taken from the report, because nobody asked for it today; a verifier
// draws one and lets it be answered once, within a minute.
func ExampleVerify() {
	e := attest.Evidence{Report: file("h100-590.report.bin"), ChainPEM: file("h100-590.chain.pem")}
	nonce := [32]byte(e.Report[4:36])
	r, err := attest.Verify(e, attest.NVIDIA(), nonce, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("chip", r.ChipID, r.Model, r.Architecture == attest.Hopper)
	fmt.Println("driver", r.Driver, "VBIOS", r.VBIOS, "mode", r.Mode)
	driver, vbios := r.ManifestIDs()
	fmt.Println(driver)
	fmt.Println(vbios)

	nonce[0]++
	_, err = attest.Verify(e, attest.NVIDIA(), nonce, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	fmt.Println(err)
	// Output:
	// chip 412921CE551E4EEDA3 GH100 true
	// driver 590.12 VBIOS 96.00.A5.00.01 mode PPCIE
	// NV_GPU_DRIVER_GH100_590.12
	// NV_GPU_VBIOS_G520_0200_885_9600A50001
	// attest: nonce is not the one asked for
}

// A chip that is known may answer many nonces.
func ExampleOpenChip() {
	chip, err := attest.OpenChip(file("h100-590.chain.pem"), attest.NVIDIA(), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	fmt.Println(chip.ID, chip.Serial, err)
	_, err = attest.OpenChip(file("h100-590.chain.pem"), attest.NVIDIA(), time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC))
	var ce *attest.ChainError
	fmt.Println(errors.As(err, &ce), ce.Reason)
	// Output:
	// 412921CE551E4EEDA3 48B02DF44660DA06 <nil>
	// true valid from 2020-10-17 00:00:00 +0000 UTC to 9999-12-31 23:59:59 +0000 UTC, asked for 2020-01-01 00:00:00 +0000 UTC
}

func ExampleChip() {
	chip, err := attest.OpenChip(file("h100-590.chain.pem"), attest.NVIDIA(), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		fmt.Println(err)
		return
	}
	report := file("h100-590.report.bin")
	nonce := [32]byte(report[4:36])
	_, err = chip.Verify(report, nonce)
	fmt.Println(err)
	report[110] ^= 1 // a measurement
	_, err = chip.Verify(report, nonce)
	fmt.Println(err)
	// Output:
	// <nil>
	// attest: signature does not fit
}

// What a report says before anything of it is verified.
func ExampleParseTranscript() {
	t, err := attest.ParseTranscript(file("h100-590.report.bin"))
	if err != nil {
		fmt.Println(err)
		return
	}
	driver, _ := t.Field(attest.OpaqueDriver)
	fmt.Printf("%d measurements, %d opaque fields, %v %q\n", len(t.Measurements), len(t.Fields), attest.OpaqueDriver, driver)
	_, err = attest.ParseTranscript(file("h100-590.report.bin")[:4000])
	fmt.Println(err)
	// Output:
	// 64 measurements, 17 opaque fields, driver "590.12\x00"
	// attest: malformed report: opaque data of 305 bytes where the length says 579
}

func ExampleTranscript() {
	t, err := attest.ParseTranscript(file("h100-545.report.bin"))
	if err != nil {
		fmt.Println(err)
		return
	}
	var first attest.OpaqueField = t.Fields[0]
	var kind attest.OpaqueKind = first.Kind
	_, told := t.Field(attest.OpaqueFWID)
	fmt.Printf("%v %x, fwid told: %v\n", kind, first.Value, told)
	// Output: vbios 005e009601000000, fwid told: false
}

func ExampleParseRIM() {
	signed := time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC)
	m, err := attest.ParseRIM(file("driver-545.swidtag"), attest.NVIDIA(), signed)
	if err != nil {
		fmt.Println(err)
		return
	}
	var r attest.Reference = m.References[35]
	fmt.Println(m.Product, m.Version, "until", m.Expires.Format(time.DateOnly))
	fmt.Println(r.Name, r.Active, len(r.Values), "alternatives")
	// Output:
	// GH100 545.00 until 2025-06-26
	// HashedMeasurement_35_GSP true 2 alternatives
}

// The chip is genuine; its VBIOS is not the one that NVIDIA shipped under that version.
func ExampleNewGolden() {
	signed := time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC)
	p := attest.NVIDIA()
	p.RequireFWID = false // this driver is too old to tell
	var m [2]*attest.Manifest
	for i, name := range []string{"driver-545.swidtag", "vbios-production.swidtag"} {
		var err error
		if m[i], err = attest.ParseRIM(file(name), p, signed); err != nil {
			fmt.Println(err)
			return
		}
	}
	var err error
	if p.Golden, err = attest.NewGolden(m[0], m[1]); err != nil {
		fmt.Println(err)
		return
	}
	e := attest.Evidence{Report: file("h100-545.report.bin"), ChainPEM: file("h100-545.chain.pem")}
	_, err = attest.Verify(e, p, [32]byte(e.Report[4:36]), signed)
	var me *attest.MismatchError
	if errors.As(err, &me) {
		for _, x := range me.Mismatches {
			fmt.Printf("%d %s %x...\n", x.Index, x.Name, x.Have[:4])
		}
		fmt.Println(len(me.Mismatches), "of", me.Result.Compared, "on chip", me.Result.ChipID)
	}
	// Output:
	// 1 HashedMeasurement_1_FSP 0b42836f...
	// 2 HashedMeasurement_2_FSP 33a8bbdb...
	// 3 HashedMeasurement_3_FSP b592ef5b...
	// 9 Measurement_9 aca2223b...
	// 4 of 32 on chip 41FFEEB20009E0BE49
}

func ExampleGolden() {
	zero, one := [48]byte{}, [48]byte{1}
	g, err := attest.NewGolden(
		&attest.Manifest{Version: "550.90.07", References: []attest.Reference{{Index: 0, Name: "boot", Active: true, Values: [][48]byte{zero, one}}}},
		&attest.Manifest{Version: "96.00.9F.00.01", References: []attest.Reference{{Index: 1, Name: "fuses", Active: true, Values: [][48]byte{one}}}},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	r := &attest.Result{Driver: "550.90.07", VBIOS: "96.00.9F.00.01", Measurements: [][48]byte{one}}
	list, err := g.Compare(r)
	var first attest.Mismatch = list[0]
	fmt.Println(first, err)
	r.Driver = "550.54.15"
	_, err = g.Compare(r)
	fmt.Println(err)
	// Output:
	// 1 (fuses): not measured: the report has 1 <nil>
	// attest: policy: Golden: have "550.54.15", want driver 550.90.07
}

func ExampleResult() {
	r := &attest.Result{Model: "GB100", Architecture: attest.Blackwell, Driver: "575.32", VBIOS: "97.00.88.00.0F", Project: "G525", ProjectSKU: "0202", ChipSKU: "886"}
	driver, vbios := r.ManifestIDs()
	fmt.Println(driver, vbios)
	// Output: NV_GPU_CC_DRIVER_GB100_575.32 NV_GPU_VBIOS_G525_0202_886_970088000F
}

func ExampleNVIDIA() {
	p := attest.NVIDIA()
	p.MinDriver = "590.48"
	e := attest.Evidence{Report: file("h100-590.report.bin"), ChainPEM: file("h100-590.chain.pem")}
	_, err := attest.Verify(e, p, [32]byte(e.Report[4:36]), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	var pe *attest.PolicyError
	fmt.Println(errors.As(err, &pe), pe)
	// Output: true attest: policy: MinDriver: have "590.12", want at least 590.48
}

func ExamplePolicy() {
	p := attest.NVIDIA()
	p.Architectures = []attest.Architecture{attest.Blackwell}
	fmt.Println(p.Validate())
	b, err := json.Marshal(p.DeviceRoots)
	fmt.Println(string(b), err)
	fmt.Println(attest.Policy{}.Validate())
	// Output:
	// <nil>
	// ["102bf659d5419614c9d8e6aecebc80454eb26b1df6a769ac720b9a690b167b48"] <nil>
	// attest: invalid policy: DeviceRoots is empty
}

// list is a downloaded list of revoked serial numbers.
type list map[string]bool

func (l list) Revoked(cert, _ *x509.Certificate) (bool, error) {
	return l[cert.SerialNumber.Text(16)], nil
}

func ExampleRevocations() {
	p := attest.NVIDIA()
	var r attest.Revocations = list{"412921ce551e4eeda3": true}
	p.Revocations = r
	_, err := attest.OpenChip(file("h100-590.chain.pem"), p, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	fmt.Println(errors.Is(err, attest.ErrRevoked))
	// Output: true
}

func ExampleParseFingerprint() {
	f, err := attest.ParseFingerprint("102bf659d5419614c9d8e6aecebc80454eb26b1df6a769ac720b9a690b167b48")
	fmt.Println(f == attest.NVIDIA().DeviceRoots[0], err)
	// Output: true <nil>
}

func ExampleFingerprint() {
	var f attest.Fingerprint
	fmt.Println(json.Unmarshal([]byte(`"12"`), &f))
	// Output: attest: invalid policy: fingerprint "12" has 2 digits, want 64
}

func ExampleCCMode() {
	fmt.Println(attest.CCUntold, attest.CCSPT, attest.CCMPT, attest.CCMode(3))
	// Output: untold SPT MPT PPCIE
}

func ExampleNRAS() {
	fmt.Println(attest.NRAS().Issuer, attest.NRAS().Skew)
	// Output: https://nras.attestation.nvidia.com 30s
}

func ExampleTokenPolicy() {
	p := attest.NRAS()
	p.Skew = time.Hour
	fmt.Println(p.Validate())
	// Output: attest: invalid policy: Skew is 1h0m0s, want 0 to 5m
}

// The service here is our own, under a key of its own; NVIDIA's answers have the same form.
func ExampleVerifyToken() {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		panic(err)
	}
	nonce := [32]byte{1, 2, 3}
	b64 := base64.RawURLEncoding.EncodeToString
	token := func(claims string) string {
		input := b64([]byte(`{"kid":"k1","alg":"ES384"}`)) + "." + b64([]byte(claims))
		sum := sha512.Sum384([]byte(input))
		r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
		if err != nil {
			panic(err)
		}
		return input + "." + b64(append(r.FillBytes(make([]byte, 48)), s.FillBytes(make([]byte, 48))...))
	}
	common := fmt.Sprintf(`"iss":"https://nras.attestation.nvidia.com","eat_nonce":"%x","iat":%d,"exp":%d`, nonce, now.Unix(), now.Add(time.Hour).Unix())
	gpu := token(`{` + common + `,"hwmodel":"GH100","ueid":"1234","x-nvidia-gpu-driver-version":"590.12","measres":"success","secboot":true,
		"dbgstat":"disabled","x-nvidia-gpu-attestation-report-nonce-match":true}`)
	sum := sha256.Sum256([]byte(gpu))
	overall := token(`{` + common + `,"x-nvidia-overall-att-result":true,"submods":{"GPU-0":["DIGEST",["SHA-256","` + hex.EncodeToString(sum[:]) + `"]]}}`)
	point, err := key.PublicKey.Bytes()
	if err != nil {
		panic(err)
	}
	jwks := fmt.Sprintf(`{"keys":[{"kty":"EC","crv":"P-384","kid":"k1","x":%q,"y":%q}]}`, b64(point[1:49]), b64(point[49:]))
	bundle := fmt.Sprintf(`[["JWT",%q],{"GPU-0":%q}]`, overall, gpu)

	var a *attest.Appraisal
	a, err = attest.VerifyToken([]byte(bundle), []byte(jwks), attest.NRAS(), nonce, now.Add(time.Minute))
	if err != nil {
		fmt.Println(err)
		return
	}
	var w attest.GPUWord = a.GPUs[0]
	fmt.Println(w.Name, w.Model, w.Driver, "until", a.Expires.Format(time.TimeOnly))
	_, err = attest.VerifyToken([]byte(bundle), []byte(jwks), attest.NRAS(), nonce, now.Add(2*time.Hour))
	fmt.Println(errors.Is(err, attest.ErrToken))
	// Output:
	// GPU-0 GH100 590.12 until 01:00:00
	// true
}
