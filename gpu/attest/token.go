package attest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// MaxToken is the most that a token or a key set may have, in bytes; NVIDIA's key sets have 81 KB, a token of 8 GPUs 30 KB.
const MaxToken = 1 << 20

// TokenPolicy says which tokens of an attestation service are accepted. Its zero value accepts none.
type TokenPolicy struct {
	// Issuer is the service that must have issued every token. Source: NVIDIA's attestation documentation.
	Issuer string `json:"issuer"`

	// Skew is how far the service's clock may be from the verifier's, in either direction, 0 to 5 min. An operator's choice.
	Skew time.Duration `json:"skew"`
}

// NRAS returns the policy for NVIDIA's Remote Attestation Service: its issuer, and 30 s of skew.
func NRAS() TokenPolicy {
	return TokenPolicy{Issuer: "https://nras.attestation.nvidia.com", Skew: 30 * time.Second}
}

// Validate returns the first fault of the policy. Errors wrap ErrInvalid.
func (p TokenPolicy) Validate() error {
	if p.Issuer == "" {
		return fmt.Errorf("%w: Issuer is empty", ErrInvalid)
	}
	if p.Skew < 0 || p.Skew > 5*time.Minute {
		return fmt.Errorf("%w: Skew is %v, want 0 to 5m", ErrInvalid, p.Skew)
	}
	return nil
}

// Appraisal is what a service says about evidence that it verified.
type Appraisal struct {
	KeyID   string    // of the key that signed the overall token
	Issued  time.Time // when the service judged
	Expires time.Time // when its word ends: the earliest of all tokens
	GPUs    []GPUWord // sorted by name
}

// GPUWord is what a service says about one GPU. It does not hold the chip's identity: UEID is that of the leaf.
type GPUWord struct {
	Name   string // in the bundle, such as GPU-0
	Model  string // such as GH100
	UEID   string // see Chip.UEID
	Driver string // such as 550.90.07
	VBIOS  string // such as 96.00.9F.00.04
}

// tokenClaims are the claims that overall and detached tokens share, and those of the overall token. Numbers are whole
// seconds since 1970.
type tokenClaims struct {
	Issuer    string                       `json:"iss"`
	Nonce     string                       `json:"eat_nonce"`
	Issued    int64                        `json:"iat"`
	NotBefore int64                        `json:"nbf"`
	Expires   int64                        `json:"exp"`
	Passed    *bool                        `json:"x-nvidia-overall-att-result"`
	Modules   map[string][]json.RawMessage `json:"submods"`
}

// gpuClaims are those of a detached token about a GPU.
type gpuClaims struct {
	tokenClaims

	Model        string `json:"hwmodel"`
	UEID         string `json:"ueid"`
	Driver       string `json:"x-nvidia-gpu-driver-version"`
	VBIOS        string `json:"x-nvidia-gpu-vbios-version"`
	Measurements string `json:"measres"`
	Debug        string `json:"dbgstat"`
	SecureBoot   bool   `json:"secboot"`
	NonceMatches bool   `json:"x-nvidia-gpu-attestation-report-nonce-match"`
}

// VerifyToken verifies the answer of NVIDIA's Remote Attestation Service, a detached EAT bundle (RFC 9711) in JSON:
// [["JWT", overall], {"GPU-0": token, ...}]. Every token must be signed (ES384) by a key of the set, be of the issuer, be
// in its time and carry the nonce; the detached ones must be those whose SHA-256 the overall token lists, no more and no
// fewer; and the word must be good: the overall result true, and for each GPU measurements that match, secure boot, debug
// disabled, the report's nonce matched. The key set (JWKS) is the caller's to fetch over TLS: its certificates are not
// looked at. Errors wrap ErrToken, or ErrNonce, ErrSignature where that is the reason, or ErrInvalid for the policy.
func VerifyToken(bundle, jwks []byte, p TokenPolicy, nonce [32]byte, at time.Time) (*Appraisal, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	if nonce == [32]byte{} {
		return nil, fmt.Errorf("%w: %w: zeros challenge nobody", ErrToken, ErrNonce)
	}
	if len(bundle) > MaxToken || len(jwks) > MaxToken {
		return nil, fmt.Errorf("%w: %d bytes with a key set of %d, at most %d", ErrToken, len(bundle), len(jwks), MaxToken)
	}
	overall, detached, err := parseBundle(bundle)
	if err != nil {
		return nil, err
	}
	v := tokenVerifier{policy: p, nonce: nonce, at: at}
	if v.keys, err = parseKeys(jwks); err != nil {
		return nil, err
	}
	var c tokenClaims
	kid, err := v.open(overall, &c)
	if err != nil {
		return nil, fmt.Errorf("%w: overall: %w", ErrToken, err)
	}
	if err := v.common(c); err != nil {
		return nil, fmt.Errorf("%w: overall: %w", ErrToken, err)
	}
	if c.Passed == nil || !*c.Passed {
		return nil, fmt.Errorf("%w: overall result is not true", ErrToken)
	}
	if len(c.Modules) != len(detached) || len(detached) == 0 {
		return nil, fmt.Errorf("%w: %d modules with %d tokens", ErrToken, len(c.Modules), len(detached))
	}
	a := &Appraisal{KeyID: kid, Issued: time.Unix(c.Issued, 0).UTC(), Expires: time.Unix(c.Expires, 0).UTC()}
	for _, name := range slices.Sorted(maps.Keys(detached)) {
		w, expires, err := v.gpu(name, detached[name], c.Modules[name])
		if err != nil {
			return nil, fmt.Errorf("%w: %q: %w", ErrToken, name, err)
		}
		a.GPUs = append(a.GPUs, w)
		if expires.Before(a.Expires) {
			a.Expires = expires
		}
	}
	return a, nil
}

// parseBundle takes a detached EAT bundle apart.
func parseBundle(b []byte) (overall string, detached map[string]string, err error) {
	var parts []json.RawMessage
	var head []string
	if err := json.Unmarshal(b, &parts); err != nil {
		return "", nil, fmt.Errorf("%w: bundle: %w", ErrToken, err)
	}
	if len(parts) != 2 {
		return "", nil, fmt.Errorf("%w: bundle is an array of %d, want 2", ErrToken, len(parts))
	}
	if err := json.Unmarshal(parts[0], &head); err != nil {
		return "", nil, fmt.Errorf("%w: bundle: %w", ErrToken, err)
	}
	if len(head) != 2 || head[0] != "JWT" {
		return "", nil, fmt.Errorf(`%w: bundle begins with %q, want "JWT" and a token`, ErrToken, head)
	}
	if err := json.Unmarshal(parts[1], &detached); err != nil {
		return "", nil, fmt.Errorf("%w: bundle has no detached tokens: %w", ErrToken, err)
	}
	return head[1], detached, nil
}

// gpu verifies one detached token against its digest in the overall token.
func (v *tokenVerifier) gpu(name, token string, module []json.RawMessage) (GPUWord, time.Time, error) {
	var kind string
	var digest []string
	if len(module) != 2 || json.Unmarshal(module[0], &kind) != nil || json.Unmarshal(module[1], &digest) != nil ||
		kind != "DIGEST" || len(digest) != 2 || !strings.EqualFold(digest[0], "SHA-256") {
		return GPUWord{}, time.Time{}, fmt.Errorf("module is %s, want a SHA-256 DIGEST", module)
	}
	sum := sha256.Sum256([]byte(token))
	if want, err := hex.DecodeString(digest[1]); err != nil || !bytes.Equal(sum[:], want) {
		return GPUWord{}, time.Time{}, fmt.Errorf("token has digest %x, listed is %q", sum, digest[1])
	}
	var c gpuClaims
	if _, err := v.open(token, &c); err != nil {
		return GPUWord{}, time.Time{}, err
	}
	if err := v.common(c.tokenClaims); err != nil {
		return GPUWord{}, time.Time{}, err
	}
	switch {
	case !strings.EqualFold(c.Measurements, "success"):
		return GPUWord{}, time.Time{}, fmt.Errorf("measurements: %q", c.Measurements)
	case !c.SecureBoot:
		return GPUWord{}, time.Time{}, fmt.Errorf("secure boot is not true")
	case c.Debug != "disabled":
		return GPUWord{}, time.Time{}, fmt.Errorf("debug is %q, want disabled", c.Debug)
	case !c.NonceMatches:
		return GPUWord{}, time.Time{}, fmt.Errorf("the report's %w", ErrNonce)
	}
	return GPUWord{Name: name, Model: c.Model, UEID: c.UEID, Driver: c.Driver, VBIOS: c.VBIOS}, time.Unix(c.Expires, 0).UTC(), nil
}
