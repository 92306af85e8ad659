package attest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// tokenVerifier holds what all tokens of a bundle are verified against.
type tokenVerifier struct {
	policy TokenPolicy
	keys   map[string]*ecdsa.PublicKey // by key id
	nonce  [32]byte
	at     time.Time
}

// parseKeys reads the P-384 keys of a JSON Web Key Set (RFC 7517) and skips others. A key id that comes twice is an error.
func parseKeys(b []byte) (map[string]*ecdsa.PublicKey, error) {
	var set struct {
		Keys []struct {
			Type  string `json:"kty"`
			Curve string `json:"crv"`
			ID    string `json:"kid"`
			X     string `json:"x"`
			Y     string `json:"y"`
		} `json:"keys"`
	}
	if err := json.Unmarshal(b, &set); err != nil {
		return nil, fmt.Errorf("%w: key set: %w", ErrToken, err)
	}
	out := map[string]*ecdsa.PublicKey{}
	for _, k := range set.Keys {
		if k.Type != "EC" || k.Curve != "P-384" || k.ID == "" {
			continue
		}
		if out[k.ID] != nil {
			return nil, fmt.Errorf("%w: key set has %q twice", ErrToken, k.ID)
		}
		x, errX := decodeURL(k.X)
		y, errY := decodeURL(k.Y)
		if errX != nil || errY != nil || len(x) != 48 || len(y) != 48 {
			return nil, fmt.Errorf("%w: key %q has no point of 48 and 48 bytes", ErrToken, k.ID)
		}
		key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P384(), append(append([]byte{4}, x...), y...))
		if err != nil {
			return nil, fmt.Errorf("%w: key %q: %w", ErrToken, k.ID, err)
		}
		out[k.ID] = key
	}
	return out, nil
}

// open verifies a compact JWS (RFC 7515) and reads its claims into c. The header decides nothing but the key: its algorithm
// must be ES384, and extensions that must be understood are refused.
func (v *tokenVerifier) open(token string, c any) (kid string, err error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", fmt.Errorf("%d parts, want 3", len(parts))
	}
	var raw [3][]byte
	for i, s := range parts {
		if raw[i], err = decodeURL(s); err != nil {
			return "", fmt.Errorf("part %d: %w", i+1, err)
		}
	}
	var header struct {
		Algorithm string          `json:"alg"`
		ID        string          `json:"kid"`
		Critical  json.RawMessage `json:"crit"`
	}
	if err := json.Unmarshal(raw[0], &header); err != nil {
		return "", fmt.Errorf("header: %w", err)
	}
	if header.Algorithm != "ES384" || header.Critical != nil {
		return "", fmt.Errorf("algorithm %q with critical extensions %s, want ES384 with none", header.Algorithm, header.Critical)
	}
	key := v.keys[header.ID]
	if key == nil {
		return "", fmt.Errorf("key %q is not in the set", header.ID)
	}
	if !verifyRaw(key, []byte(parts[0]+"."+parts[1]), raw[2]) {
		return "", ErrSignature
	}
	if err := json.Unmarshal(raw[1], c); err != nil {
		return "", fmt.Errorf("claims: %w", err)
	}
	return header.ID, nil
}

// common checks what every token must say.
func (v *tokenVerifier) common(c tokenClaims) error {
	nonce, err := hex.DecodeString(c.Nonce)
	from := max(c.NotBefore, c.Issued)
	switch {
	case c.Issuer != v.policy.Issuer:
		return fmt.Errorf("issued by %q, want %q", c.Issuer, v.policy.Issuer)
	case err != nil || subtle.ConstantTimeCompare(nonce, v.nonce[:]) != 1:
		return ErrNonce
	case c.Expires == 0 || !v.at.Before(time.Unix(c.Expires, 0).Add(v.policy.Skew)):
		return fmt.Errorf("expired at %v, asked for %v", time.Unix(c.Expires, 0).UTC(), v.at.UTC())
	case v.at.Before(time.Unix(from, 0).Add(-v.policy.Skew)):
		return fmt.Errorf("valid from %v, asked for %v", time.Unix(from, 0).UTC(), v.at.UTC())
	}
	return nil
}

func decodeURL(s string) ([]byte, error) { return base64.RawURLEncoding.Strict().DecodeString(s) }
