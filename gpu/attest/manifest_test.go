package attest_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu/attest"
)

func TestGenuineManifests(t *testing.T) {
	for _, c := range []struct {
		name, version string
		active        int
	}{
		{"driver-545", "545.00", 21},
		{"vbios-engineering", "96.00.5E.00.01", 12},
		{"vbios-production", "96.00.5E.00.01", 12},
	} {
		m := manifest(t, c.name)
		require.Equal(t, []string{c.version, "GH100"}, []string{m.Version, m.Product})
		require.Len(t, m.References, 64)
		active := 0
		for i, r := range m.References {
			require.Equal(t, i, r.Index)
			if r.Active {
				active++
			}
		}
		require.Equal(t, c.active, active, c.name)
		require.Equal(t, 2025, m.Expires.Year())
	}
	require.Len(t, manifest(t, "vbios-production").References[12].Values, 4)
}

// The genuine report against the genuine manifests of its driver and its VBIOS.
func TestGenuineMeasurements(t *testing.T) {
	e, nonce := genuine(t, "h100-545")
	p := lenient()
	var err error
	p.Golden, err = attest.NewGolden(manifest(t, "driver-545"), manifest(t, "vbios-engineering"))
	require.NoError(t, err)
	r, err := attest.Verify(e, p, nonce, when())
	require.NoError(t, err)
	require.Equal(t, 32, r.Compared)

	p.Golden, err = attest.NewGolden(manifest(t, "driver-545"), manifest(t, "vbios-production"))
	require.NoError(t, err)
	r, err = attest.Verify(e, p, nonce, when())
	require.Nil(t, r)
	require.ErrorIs(t, err, attest.ErrMeasurements)
	var me *attest.MismatchError
	require.ErrorAs(t, err, &me)
	var got []int
	for _, m := range me.Mismatches {
		got = append(got, m.Index)
		require.Equal(t, me.Result.Measurements[m.Index], m.Have)
	}
	require.Equal(t, []int{1, 2, 3, 9}, got)
	require.Equal(t, "41FFEEB20009E0BE49", me.Result.ChipID)

	other, nonce := genuine(t, "h100-590")
	_, err = attest.Verify(other, p, nonce, when())
	var pe *attest.PolicyError
	require.ErrorAs(t, err, &pe, "manifests of another driver")
	require.Equal(t, "Golden", pe.Field)
}

// Whatever is changed in a manifest outside of the signature's own white space is refused, or leaves the meaning as it was.
func TestEveryByteOfTheManifestCounts(t *testing.T) {
	xml := read(t, "vbios-engineering.swidtag")
	want := manifest(t, "vbios-engineering")
	step := 3
	if underRace {
		step = 307
	}
	same := 0
	for i := 0; i < len(xml); i += step {
		bad := bytes.Clone(xml)
		bad[i] ^= 1
		m, err := attest.ParseRIM(bad, attest.NVIDIA(), when())
		if err == nil { // white space inside of a tag or of base64: the canonical form is the same
			require.Equal(t, want, m, "byte %d, %q", i, xml[max(0, i-20):i+1])
			same++
			continue
		}
		require.ErrorIs(t, err, attest.ErrManifest)
	}
	require.Less(t, same, len(xml)/step/100+1)
	for n := 0; n < len(xml)-1; n += 97 {
		_, err := attest.ParseRIM(xml[:n], attest.NVIDIA(), when())
		require.ErrorIs(t, err, attest.ErrManifest)
	}
}

func TestManifestRefusals(t *testing.T) {
	xml := string(read(t, "driver-545.swidtag"))
	at := func(old, replacement string) string {
		require.Contains(t, xml, old)
		return strings.Replace(xml, old, replacement, 1)
	}
	signature := xml[strings.Index(xml, "<ds:Signature"):strings.Index(xml, "</SoftwareIdentity>")]
	for name, bad := range map[string]string{
		"entity declared":        `<!DOCTYPE x [<!ENTITY a "b">]>` + xml,
		"processing instruction": `<?php ?>` + xml,
		"comment":                at("<ns0:Entity", "<!-- 1 --><ns0:Entity"),
		"CDATA":                  at("<ds:DigestValue>", "<ds:DigestValue><![CDATA[A]]>"),
		"character reference":    at("GH100", "&#71;H100"),
		"carriage return":        at("\n", "\r\n"),
		"not ASCII":              at("GH100", "GH1\u0660\u0660"),
		"xml:id":                 at("<ns0:Entity", `<ns0:Entity xml:id="a"`),
		"undeclared prefix":      at("<ns0:Entity", "<nsx:Entity"),
		"prefix twice":           at(`xmlns:ns0=`, `xmlns:ns2="urn:x" xmlns:ns0=`),
		"relative namespace":     at(`xmlns:ns0=`, `xmlns:nsr="x" xmlns:ns0=`),
		"attribute twice":        at(`corpus="false"`, `corpus="false" corpus="true"`),
		"two roots":              xml + xml,
		"text after":             xml + "x",
		"end of another":         at("</ns0:Payload>", "</ns0:Payloads>"),
		"signature gone":         at(signature, ""),
		"signature twice":        at(signature, signature+signature),
		"signature first":        at("    <ns0:Entity", signature+"<ns0:Entity"),
		"signature nested":       at("    </ns0:Payload>", signature+"</ns0:Payload>"),
		"reference to a part":    at(`URI=""`, `URI="#x"`),
		"other digest":           at(`xmldsig-more#sha384`, `xmlenc#sha256`),
		"other canonical form":   at(`http://www.w3.org/2006/12/xml-c14n11`, `http://www.w3.org/2001/10/xml-exc-c14n#`),
		"a value changed":        at(`active="False"`, `active="True"`),
		"an entry gone":          at(xml[strings.Index(xml, `        <ns0:Resource`):strings.Index(xml, `        <ns0:Resource type="Measurement" index="1"`)], ""),
		"text in the payload":    at("    </ns0:Payload>", "x</ns0:Payload>"),
		"deep":                   strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100),
		"nothing":                "",
		"long":                   strings.Repeat(" ", attest.MaxManifest+1),
	} {
		_, err := attest.ParseRIM([]byte(bad), attest.NVIDIA(), when())
		require.ErrorIs(t, err, attest.ErrManifest, name)
	}
	for name, at := range map[string]time.Time{"early": when().AddDate(-2, 0, 0), "late": when().AddDate(2, 0, 0)} {
		_, err := attest.ParseRIM([]byte(xml), attest.NVIDIA(), at)
		require.ErrorIs(t, err, attest.ErrChain, name)
	}
	p := attest.NVIDIA()
	p.ManifestRoots = p.DeviceRoots
	_, err := attest.ParseRIM([]byte(xml), p, when())
	require.ErrorIs(t, err, attest.ErrChain, "a device's root signs no manifests")
	p.ManifestRoots = nil
	_, err = attest.ParseRIM([]byte(xml), p, when())
	require.ErrorIs(t, err, attest.ErrInvalid)
	p = attest.NVIDIA()
	p.Revocations = &answers{revoked: "HCC RIM L4 Signer"}
	_, err = attest.ParseRIM([]byte(xml), p, when())
	require.ErrorIs(t, err, attest.ErrRevoked)
}

// Changes that mean nothing in XML are no changes: quotes, order of attributes, white space in tags, long empty elements.
func TestCanonicalFormIsWhatIsSigned(t *testing.T) {
	xml := string(read(t, "driver-545.swidtag"))
	for _, same := range [][2]string{
		{`role="softwareCreator tagCreator"/>`, `role='softwareCreator tagCreator'></ns0:Entity>`},
		{`corpus="false" name="GH100"`, "name = \"GH100\"\n\tcorpus=\"false\""},
		{`<SoftwareIdentity `, `<?xml version="1.0" encoding="UTF-8"?>` + "\n<SoftwareIdentity "},
		{`</ns0:Payload>`, `</ns0:Payload >`},
		{`<ds:SignedInfo>`, `<ds:SignedInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">`},
	} {
		require.Contains(t, xml, same[0])
		m, err := attest.ParseRIM([]byte(strings.Replace(xml, same[0], same[1], 1)), attest.NVIDIA(), when())
		require.NoError(t, err, same[1])
		require.Equal(t, manifest(t, "driver-545"), m)
	}
}

func reference(i int, active bool, values ...byte) attest.Reference {
	r := attest.Reference{Index: i, Name: fmt.Sprintf("Measurement_%d", i), Active: active}
	for _, v := range values {
		b, err := hex.DecodeString(hex48(v))
		if err != nil {
			panic(err)
		}
		r.Values = append(r.Values, [48]byte(b))
	}
	return r
}

// The fake chip's measurement i is i in every byte.
func TestGolden(t *testing.T) {
	nonce := nonceOf(5)
	f := newFake(t, options{})
	for _, c := range []struct {
		name          string
		driver, vbios []attest.Reference
		off           bool // NVDEC 0
		compared      int
		want          []int
		fault         error
	}{
		{"all match", []attest.Reference{reference(1, true, 1)}, []attest.Reference{reference(2, true, 2)}, false, 2, nil, nil},
		{"last alternative", []attest.Reference{reference(1, true, 8, 9, 1)}, nil, false, 1, nil, nil},
		{"no alternative", []attest.Reference{reference(1, true, 8, 9)}, nil, false, 1, []int{1}, nil},
		{"inactive is not compared", []attest.Reference{reference(1, false, 8), reference(3, true, 3)}, nil, false, 1, nil, nil},
		{"sorted", []attest.Reference{reference(3, true, 8)}, []attest.Reference{reference(1, true, 8)}, false, 2, []int{1, 3}, nil},
		{"not measured", []attest.Reference{reference(36, true, 36)}, nil, false, 1, []int{36}, nil},
		{"NVDEC 0 on", []attest.Reference{reference(35, true, 8)}, nil, false, 1, []int{35}, nil},
		{"NVDEC 0 off", []attest.Reference{reference(35, true, 8), reference(1, true, 1)}, nil, true, 1, nil, nil},
		{"active in both", []attest.Reference{reference(1, true, 1)}, []attest.Reference{reference(1, true, 1)}, false, 0, nil, attest.ErrManifest},
		{"active in one", []attest.Reference{reference(1, true, 1)}, []attest.Reference{reference(1, false, 1)}, false, 1, nil, nil},
		{"nothing active", []attest.Reference{reference(1, false, 1)}, nil, false, 0, nil, attest.ErrManifest},
	} {
		t.Run(c.name, func(t *testing.T) {
			fields := f.fields()
			if c.off {
				fields = with(fields, attest.OpaqueNVDEC0, "\x55")
			}
			p := f.policy()
			var err error
			p.Golden, err = attest.NewGolden(
				&attest.Manifest{Version: "550.90.07", References: c.driver}, &attest.Manifest{Version: "96.00.5e.00.01", References: c.vbios})
			require.ErrorIs(t, err, c.fault)
			if c.fault != nil {
				return
			}
			r, err := attest.Verify(attest.Evidence{Report: f.report(t, nonce, 36, fields), ChainPEM: f.chain()}, p, nonce, when())
			var me *attest.MismatchError
			var got []int
			if errors.As(err, &me) {
				r = me.Result
				for _, m := range me.Mismatches {
					got = append(got, m.Index)
				}
			} else {
				require.NoError(t, err)
			}
			require.Equal(t, c.want, got)
			require.Equal(t, c.compared, r.Compared)
		})
	}
	_, err := attest.NewGolden(nil, &attest.Manifest{})
	require.ErrorIs(t, err, attest.ErrManifest)
}
