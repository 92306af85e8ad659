package attest

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The firmware extension of a genuine GB100's leaf (NVIDIA/attestation-sdk, common-test-data/cmw/blackwell_evidence.cmw.json,
// commit 443b9e3a, Apache-2.0), field by field: of that chip nothing else is in testdata.
func TestFirmwareOfBlackwell(t *testing.T) {
	const digest = "d090cab1b6e6ffddca83d1781e25b3f040fa1f3c7608230cb5f41b1c1b99f5f748349e59d0ef8eb830c9bc79ccf77502"
	id := "303d0609608648016503040202" + "0430"
	ext := "3081b1" + "8006" + hex.EncodeToString([]byte("NVIDIA")) + "810d" + hex.EncodeToString([]byte("GB100 A01 GSP")) + "8202" + hex.EncodeToString([]byte("01")) +
		"830101" + "840100" + "850100" + "a67e" + id + digest + id + strings.Repeat("0", 96) + "870500FLAGS" + "8801c0" + "890100"
	for flags, ok := range map[string]bool{
		"80000001": true,  // as on the chip: not configured, flags of fixed width
		"c0000001": false, // not secure
		"a0000001": false, // recovery
		"90000001": false, // debug
	} {
		value, err := hex.DecodeString(strings.Replace(ext, "FLAGS", flags, 1))
		require.NoError(t, err)
		leaf := &x509.Certificate{Extensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 23, 133, 5, 4, 1}, Value: value}}}
		got, err := certifiedFirmware(leaf)
		if ok {
			require.NoError(t, err)
			require.Equal(t, digest, hex.EncodeToString(got))
			continue
		}
		require.ErrorIs(t, err, ErrFirmware)
	}
}
