package attest

import (
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Fingerprint is the SHA-256 of a certificate in DER. In text and JSON it is 64 hexadecimal digits.
type Fingerprint [32]byte

// ParseFingerprint reads 64 hexadecimal digits. Errors wrap ErrInvalid.
func ParseFingerprint(s string) (Fingerprint, error) {
	var f Fingerprint
	if len(s) != 2*len(f) {
		return f, fmt.Errorf("%w: fingerprint %q has %d digits, want %d", ErrInvalid, s, len(s), 2*len(f))
	}
	if _, err := hex.Decode(f[:], []byte(s)); err != nil {
		return Fingerprint{}, fmt.Errorf("%w: fingerprint %q: %w", ErrInvalid, s, err)
	}
	return f, nil
}

// String returns 64 hexadecimal digits in lower case.
func (f Fingerprint) String() string { return hex.EncodeToString(f[:]) }

// MarshalText returns what String returns.
func (f Fingerprint) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads what ParseFingerprint reads.
func (f *Fingerprint) UnmarshalText(b []byte) error {
	got, err := ParseFingerprint(string(b))
	if err == nil {
		*f = got
	}
	return err
}

// Architecture is a generation of GPUs that can attest.
type Architecture string

// Architectures whose certificates and reports this package knows.
const (
	Hopper    Architecture = "hopper"    // GH100
	Blackwell Architecture = "blackwell" // GB100 and later
)

// Revocations answers for one certificate of a verified chain whether its issuer has revoked it: an OCSP client or a
// downloaded list behind an interface, because this package opens no connection. It is asked for every certificate but the
// root, and may answer false for those that name no responder, as the two of the chip itself do on Hopper. An error is a
// refusal: no answer is not a good answer.
type Revocations interface {
	Revoked(cert, issuer *x509.Certificate) (bool, error)
}

// Policy says which evidence is accepted. Its zero value accepts none.
type Policy struct {
	// DeviceRoots are the certificates at which a device's chain may end. Source: NVIDIA/nvtrust, verifier_device_root.pem.
	DeviceRoots []Fingerprint `json:"device_roots"`

	// ManifestRoots are the certificates at which a manifest's chain may end. Source: NVIDIA/nvtrust, verifier_RIM_root.pem.
	ManifestRoots []Fingerprint `json:"manifest_roots"`

	// Architectures are those that are accepted.
	Architectures []Architecture `json:"architectures"`

	// MinDriver is the oldest driver that is accepted, in decimal numbers with dots, such as 550.90.07; empty: any. An
	// operator's choice.
	MinDriver string `json:"min_driver,omitempty"`

	// RequireFWID refuses reports that do not tell the firmware which signs. Drivers before 550 do not: without it nothing
	// in the report itself ties the leaf certificate to firmware. An operator's choice.
	RequireFWID bool `json:"require_fwid"`

	// Golden are the reference values that measurements must have; nil: measurements are shown and not judged.
	Golden *Golden `json:"-"`

	// Revocations is asked for every certificate below a root; nil: nobody is asked.
	Revocations Revocations `json:"-"`
}

// NVIDIA returns the policy for NVIDIA's GPUs: its two roots, both architectures, any driver that tells its FWID, no
// reference values and no revocations.
func NVIDIA() Policy {
	return Policy{
		// "NVIDIA Device Identity CA", valid from 2021-11-05 to 9999-12-31
		DeviceRoots: []Fingerprint{{
			0x10, 0x2b, 0xf6, 0x59, 0xd5, 0x41, 0x96, 0x14, 0xc9, 0xd8, 0xe6, 0xae, 0xce, 0xbc, 0x80, 0x45,
			0x4e, 0xb2, 0x6b, 0x1d, 0xf6, 0xa7, 0x69, 0xac, 0x72, 0x0b, 0x9a, 0x69, 0x0b, 0x16, 0x7b, 0x48,
		}},
		// "NVIDIA CoRIM signing Root CA", valid from 2023-03-16 to 2053-03-08
		ManifestRoots: []Fingerprint{{
			0x12, 0x97, 0x7b, 0x51, 0x15, 0xac, 0xb0, 0x38, 0x11, 0x79, 0x27, 0x9f, 0xff, 0xeb, 0x5a, 0x8c,
			0x4d, 0x26, 0x49, 0x71, 0xeb, 0xb3, 0x22, 0x98, 0x02, 0x3a, 0x46, 0x5f, 0xa4, 0x1d, 0xf5, 0xd1,
		}},
		Architectures: []Architecture{Hopper, Blackwell},
		RequireFWID:   true,
	}
}

// Validate returns the first fault of the policy. Errors wrap ErrInvalid.
func (p Policy) Validate() error {
	if len(p.DeviceRoots) == 0 {
		return fmt.Errorf("%w: DeviceRoots is empty", ErrInvalid)
	}
	if len(p.Architectures) == 0 {
		return fmt.Errorf("%w: Architectures is empty", ErrInvalid)
	}
	for _, a := range p.Architectures {
		if a != Hopper && a != Blackwell {
			return fmt.Errorf("%w: Architectures has %q, want %q or %q", ErrInvalid, string(a), string(Hopper), string(Blackwell))
		}
	}
	if p.MinDriver != "" {
		if _, err := parseVersion(p.MinDriver); err != nil {
			return fmt.Errorf("%w: MinDriver: %w", ErrInvalid, err)
		}
	}
	return nil
}

// admits checks what genuine evidence says against the policy; p is valid, and so is the driver's version.
func (p Policy) admits(r *Result) error {
	if !slices.Contains(p.Architectures, r.Architecture) {
		return &PolicyError{Field: "Architectures", Have: string(r.Architecture), Want: fmt.Sprintf("one of %q", p.Architectures)}
	}
	if p.MinDriver != "" {
		have, errHave := parseVersion(r.Driver)
		least, errLeast := parseVersion(p.MinDriver)
		if errHave != nil || errLeast != nil || slices.Compare(have, least) < 0 {
			return &PolicyError{Field: "MinDriver", Have: r.Driver, Want: "at least " + p.MinDriver}
		}
	}
	if p.RequireFWID && r.FWID == "" {
		return &PolicyError{Field: "RequireFWID", Have: "", Want: "a report that tells it"}
	}
	return nil
}

// parseVersion reads 545.00 or 550.90.07: one to four numbers of one to six digits. 550.90 is older than 550.90.07.
func parseVersion(s string) ([]uint32, error) {
	parts := strings.Split(s, ".")
	if len(parts) > 4 {
		return nil, fmt.Errorf("version %q has %d numbers, at most 4", s, len(parts))
	}
	out := make([]uint32, len(parts))
	for i, w := range parts {
		if w == "" || len(w) > 6 || strings.Trim(w, "0123456789") != "" {
			return nil, fmt.Errorf("version %q: %q is no number of 1 to 6 digits", s, w)
		}
		n, err := strconv.ParseUint(w, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("version %q: %w", s, err)
		}
		out[i] = uint32(n)
	}
	return out, nil
}
