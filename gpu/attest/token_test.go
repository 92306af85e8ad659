package attest_test

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu/attest"
)

// service is an attestation service with one key.
type service struct {
	key *ecdsa.PrivateKey
	now time.Time
}

func (s *service) jwks(t testing.TB) []byte {
	t.Helper()
	point, err := s.key.PublicKey.Bytes()
	require.NoError(t, err)
	enc := base64.RawURLEncoding.EncodeToString
	return fmt.Appendf(nil, `{"keys":[{"kty":"RSA","kid":"other"},{"kty":"EC","crv":"P-384","kid":"k1","x":%q,"y":%q,"x5c":[]}]}`, enc(point[1:49]), enc(point[49:]))
}

func (s *service) token(t testing.TB, header string, claims map[string]any) string {
	t.Helper()
	body, err := json.Marshal(claims)
	require.NoError(t, err)
	enc := base64.RawURLEncoding.EncodeToString
	input := enc([]byte(header)) + "." + enc(body)
	signed := sign(t, []byte(input), s.key)
	return input + "." + enc(signed[len(input):])
}

const es384 = `{"kid":"k1","alg":"ES384"}`

func (s *service) claims(more map[string]any) map[string]any {
	c := map[string]any{
		"iss": "https://nras.attestation.nvidia.com", "eat_nonce": hex48(3)[:64], "iat": s.now.Unix(), "nbf": s.now.Unix(), "exp": s.now.Add(time.Hour).Unix(),
	}
	maps.Copy(c, more)
	return c
}

func (s *service) gpu(more map[string]any) map[string]any {
	c := s.claims(map[string]any{
		"hwmodel": "GH100", "ueid": "1234", "x-nvidia-gpu-driver-version": "550.90.07", "x-nvidia-gpu-vbios-version": "96.00.9F.00.04",
		"measres": "success", "dbgstat": "disabled", "secboot": true, "x-nvidia-gpu-attestation-report-nonce-match": true,
	})
	maps.Copy(c, more)
	return c
}

func bundle(overall string, detached map[string]string) []byte {
	b, err := json.Marshal([]any{[]string{"JWT", overall}, detached})
	if err != nil {
		panic(err)
	}
	return b
}

func modules(detached map[string]string) map[string]any {
	out := map[string]any{}
	for name, token := range detached {
		sum := sha256.Sum256([]byte(token))
		out[name] = []any{"DIGEST", []string{"SHA-256", hex.EncodeToString(sum[:])}}
	}
	return out
}

func TestToken(t *testing.T) {
	s := &service{key: key(t), now: when()}
	type change struct {
		overall, gpu map[string]any
		header       string
		detached     func(map[string]string)
		key          *ecdsa.PrivateKey
	}
	for _, c := range []struct {
		name string
		change
		at   time.Duration
		want error
	}{
		{"good", change{}, 0, nil},
		{"last second, with skew", change{}, time.Hour + 29*time.Second, nil},
		{"expired", change{}, time.Hour + 30*time.Second, attest.ErrToken},
		{"issued in the future, within skew", change{}, -30 * time.Second, nil},
		{"issued in the future", change{}, -31 * time.Second, attest.ErrToken},
		{"GPU's expired", change{gpu: map[string]any{"exp": when().Add(-time.Hour).Unix()}}, 0, attest.ErrToken},
		{"without an end", change{overall: map[string]any{"exp": nil}}, 0, attest.ErrToken},
		{"time with a fraction", change{overall: map[string]any{"exp": json.Number("1e12")}}, 0, attest.ErrToken},
		{"other issuer", change{overall: map[string]any{"iss": "https://example.com"}}, 0, attest.ErrToken},
		{"GPU's issuer", change{gpu: map[string]any{"iss": ""}}, 0, attest.ErrToken},
		{"other nonce", change{overall: map[string]any{"eat_nonce": hex48(4)[:64]}}, 0, attest.ErrNonce},
		{"GPU's nonce", change{gpu: map[string]any{"eat_nonce": hex48(4)[:64]}}, 0, attest.ErrNonce},
		{"overall false", change{overall: map[string]any{"x-nvidia-overall-att-result": false}}, 0, attest.ErrToken},
		{"overall missing", change{overall: map[string]any{"x-nvidia-overall-att-result": nil}}, 0, attest.ErrToken},
		{"measurements fail", change{gpu: map[string]any{"measres": "fail"}}, 0, attest.ErrToken},
		{"debug on", change{gpu: map[string]any{"dbgstat": "enabled"}}, 0, attest.ErrToken},
		{"no secure boot", change{gpu: map[string]any{"secboot": nil}}, 0, attest.ErrToken},
		{"report's nonce", change{gpu: map[string]any{"x-nvidia-gpu-attestation-report-nonce-match": false}}, 0, attest.ErrNonce},
		{"algorithm none", change{header: `{"kid":"k1","alg":"none"}`}, 0, attest.ErrToken},
		{"unknown key", change{header: `{"kid":"k2","alg":"ES384"}`}, 0, attest.ErrToken},
		{"critical extension", change{header: `{"kid":"k1","alg":"ES384","crit":["b64"],"b64":false}`}, 0, attest.ErrToken},
		{"another's signature", change{key: key(t)}, 0, attest.ErrSignature},
		{"token gone", change{detached: func(d map[string]string) { delete(d, "GPU-0") }}, 0, attest.ErrToken},
		{"token too many", change{detached: func(d map[string]string) { d["GPU-2"] = d["GPU-1"] }}, 0, attest.ErrToken},
		{"token renamed", change{detached: func(d map[string]string) { d["GPU-2"] = d["GPU-1"]; delete(d, "GPU-1") }}, 0, attest.ErrToken},
		{"tokens swapped", change{detached: func(d map[string]string) { d["GPU-0"], d["GPU-1"] = d["GPU-1"], d["GPU-0"] }}, 0, attest.ErrToken},
	} {
		t.Run(c.name, func(t *testing.T) {
			header := c.header
			if header == "" {
				header = es384
			}
			detached := map[string]string{
				"GPU-1": s.token(t, es384, s.gpu(map[string]any{"ueid": "5678"})), "GPU-0": s.token(t, es384, s.gpu(c.gpu)),
			}
			claims := s.claims(map[string]any{"x-nvidia-overall-att-result": true, "submods": modules(detached)})
			maps.Copy(claims, c.overall)
			signer := *s
			if c.key != nil {
				signer.key = c.key
			}
			overall := signer.token(t, header, claims)
			if c.detached != nil {
				c.detached(detached)
			}
			a, err := attest.VerifyToken(bundle(overall, detached), s.jwks(t), attest.NRAS(), nonceOf(3), when().Add(c.at))
			require.ErrorIs(t, err, c.want)
			if c.want != nil {
				require.ErrorIs(t, err, attest.ErrToken)
				return
			}
			require.Equal(t, []attest.GPUWord{
				{Name: "GPU-0", Model: "GH100", UEID: "1234", Driver: "550.90.07", VBIOS: "96.00.9F.00.04"},
				{Name: "GPU-1", Model: "GH100", UEID: "5678", Driver: "550.90.07", VBIOS: "96.00.9F.00.04"},
			}, a.GPUs)
		})
	}
}

func TestTokenShapes(t *testing.T) {
	s := &service{key: key(t), now: when()}
	for _, bad := range []string{``, `[]`, `{}`, `[["JWT","a.b.c"]]`, `[["JWS","a.b.c"],{}]`, `[["JWT","a.b"],{"GPU-0":"a"}]`, `[["JWT","a.b.c"],{}]`, `[["JWT","a.b.c"],7]`} {
		_, err := attest.VerifyToken([]byte(bad), s.jwks(t), attest.NRAS(), nonceOf(3), when())
		require.ErrorIs(t, err, attest.ErrToken, bad)
	}
	for _, bad := range []string{
		``, `{"keys":[{"kty":"EC","crv":"P-384","kid":"k1","x":"AA","y":"AA"}]}`,
		`{"keys":[{"kty":"EC","crv":"P-384","kid":"k1","x":"` + base64.RawURLEncoding.EncodeToString(make([]byte, 48)) + `","y":"` + base64.RawURLEncoding.EncodeToString(make([]byte, 48)) + `"}]}`,
	} {
		_, err := attest.VerifyToken([]byte(`[["JWT","a.b.c"],{"GPU-0":"a"}]`), []byte(bad), attest.NRAS(), nonceOf(3), when())
		require.ErrorIs(t, err, attest.ErrToken, bad)
	}
	_, err := attest.VerifyToken(nil, nil, attest.NRAS(), [32]byte{}, when())
	require.ErrorIs(t, err, attest.ErrNonce)
	for _, p := range []attest.TokenPolicy{{}, {Issuer: "x", Skew: -1}, {Issuer: "x", Skew: 6 * time.Minute}} {
		_, err := attest.VerifyToken(nil, nil, p, nonceOf(3), when())
		require.ErrorIs(t, err, attest.ErrInvalid)
	}
}
