package settlement

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

var (
	// ErrWebhookMalformed is returned for a signature header that is none, or a body that is too long.
	ErrWebhookMalformed = errors.New("settlement: webhook is malformed")
	// ErrWebhookSignature is returned for a webhook that none of the secrets has signed.
	ErrWebhookSignature = errors.New("settlement: webhook is not signed by a known secret")
	// ErrWebhookTime is returned for a webhook that was signed too long ago, or in the future: so an old one that was listened
	// to cannot be told again.
	ErrWebhookTime = errors.New("settlement: webhook is not of this time")
)

const (
	maxSignature = 4096    // bytes of the header
	maxWebhook   = 1 << 20 // bytes of the body
	maxTolerance = 86_400  // seconds
)

// WebhookKeys are the secrets that a card processor may sign webhooks with: the one in use, and during a rotation the one
// before. They never stand in an error.
type WebhookKeys struct {
	secrets   [][]byte
	tolerance time.Duration
}

// NewWebhookKeys takes one secret or more, of at least 16 bytes, as the processor shows them, and how many seconds a signature
// may be off, 1 to 86,400; Stripe's libraries allow 300.
func NewWebhookKeys(toleranceSeconds uint64, secrets ...[]byte) (WebhookKeys, error) {
	if toleranceSeconds < 1 || toleranceSeconds > maxTolerance {
		return WebhookKeys{}, fmt.Errorf("settlement: webhook keys: tolerance is %d s, want 1 to %d", toleranceSeconds, maxTolerance)
	}
	if len(secrets) == 0 {
		return WebhookKeys{}, fmt.Errorf("settlement: webhook keys: no secret")
	}
	k := WebhookKeys{tolerance: time.Duration(toleranceSeconds) * time.Second}
	for i, s := range secrets {
		if len(s) < minSecret {
			return WebhookKeys{}, fmt.Errorf("settlement: webhook keys: secret %d has %d bytes, want at least %d", i, len(s), minSecret)
		}
		k.secrets = append(k.secrets, append([]byte(nil), s...))
	}
	return k, nil
}

// String hides the secrets.
func (k WebhookKeys) String() string { return fmt.Sprintf("%d webhook keys", len(k.secrets)) }

// GoString hides the secrets.
func (k WebhookKeys) GoString() string { return k.String() }

// Sign returns the header for a body, as signed at that time with the first secret: "t=" with Unix seconds, and "v1=" with the
// hexadecimal HMAC-SHA256 over seconds, a dot and the body.
func (k WebhookKeys) Sign(at time.Time, body []byte) string {
	seconds := strconv.FormatInt(at.Unix(), 10)
	var mac []byte
	if len(k.secrets) > 0 {
		mac = webhookMAC(k.secrets[0], seconds, body)
	}
	return "t=" + seconds + ",v1=" + hex.EncodeToString(mac)
}

// Verify checks the signature header of a webhook over its raw body, as of the time at. The header is what Sign returns; it may
// hold several v1 signatures, of which one has to be right, and of other schemes, which are ignored. It returns
// ErrWebhookMalformed, ErrWebhookSignature or ErrWebhookTime; the signature is judged before the time.
func (k WebhookKeys) Verify(at time.Time, header string, body []byte) error {
	if len(body) > maxWebhook {
		return fmt.Errorf("%w: body has %d bytes, want at most %d", ErrWebhookMalformed, len(body), maxWebhook)
	}
	seconds, macs, err := parseSignature(header)
	if err != nil {
		return err
	}
	signed, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil || strconv.FormatInt(signed, 10) != seconds || signed < 0 {
		return fmt.Errorf("%w: t is no time in Unix seconds", ErrWebhookMalformed)
	}
	right := false
	for _, secret := range k.secrets {
		want := webhookMAC(secret, seconds, body)
		for _, mac := range macs {
			// No early exit: how long it takes says nothing about which secret or signature was right.
			right = hmac.Equal(want, mac) || right
		}
	}
	if !right {
		return ErrWebhookSignature
	}
	// Compared in seconds: the difference of far instants does not fit a Duration.
	if off, most := at.Unix()-signed, int64(k.tolerance/time.Second); off > most || off < -most {
		return fmt.Errorf("%w: it is %d s old, want at most %d", ErrWebhookTime, off, most)
	}
	return nil
}

// parseSignature splits the header. Signatures of a wrong length cannot be right and are left out.
func parseSignature(header string) (seconds string, macs [][]byte, err error) {
	if len(header) > maxSignature {
		return "", nil, fmt.Errorf("%w: signature has %d bytes, want at most %d", ErrWebhookMalformed, len(header), maxSignature)
	}
	found := false
	for item := range strings.SplitSeq(header, ",") {
		key, value, ok := strings.Cut(strings.TrimSpace(item), "=")
		if !ok {
			return "", nil, fmt.Errorf("%w: signature has an item without =", ErrWebhookMalformed)
		}
		switch key {
		case "t":
			if seconds != "" {
				return "", nil, fmt.Errorf("%w: signature has two times", ErrWebhookMalformed)
			}
			seconds = value
		case "v1":
			found = true
			if mac, err := hex.DecodeString(value); err == nil && len(mac) == sha256.Size {
				macs = append(macs, mac)
			}
		}
	}
	if seconds == "" || !found {
		return "", nil, fmt.Errorf("%w: signature has no t or no v1", ErrWebhookMalformed)
	}
	return seconds, macs, nil
}

func webhookMAC(secret []byte, seconds string, body []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(seconds))
	mac.Write([]byte{'.'})
	mac.Write(body)
	return mac.Sum(nil)
}
