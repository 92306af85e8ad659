package spl

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gagliardetto/solana-go"

	"github.com/idlegrid/idlegrid/settlement"
)

var (
	// ErrPayScheme is returned for a text that is no solana: URL.
	ErrPayScheme = errors.New("spl: pay URL: not a solana: URL")
	// ErrPayInteractive is returned for a Solana Pay transaction request, whose path is a link: its server makes the transaction.
	ErrPayInteractive = errors.New("spl: pay URL: a transaction request, not a transfer request")
	// ErrPayRecipient is returned for a recipient that is no address.
	ErrPayRecipient = errors.New("spl: pay URL: recipient is no address")
	// ErrPayAmount is returned for an amount that is no plain decimal: digits, with a dot between digits or none, no sign, no
	// exponent, no needless zero in front.
	ErrPayAmount = errors.New("spl: pay URL: amount is no plain decimal")
	// ErrPayPlaces is returned for an amount with more decimal places than the mint has.
	ErrPayPlaces = errors.New("spl: pay URL: amount has more places than the mint")
	// ErrPayRange is returned for an amount beyond 64 bits of base units.
	ErrPayRange = errors.New("spl: pay URL: amount is beyond 64 bits")
	// ErrPayToken is returned for an spl-token that is no address.
	ErrPayToken = errors.New("spl: pay URL: spl-token is no address")
	// ErrPayReference is returned for a reference that is not 32 bytes in base58, or for too many of them.
	ErrPayReference = errors.New("spl: pay URL: reference is not 32 bytes in base58")
	// ErrPayRepeated is returned for a field that stands twice and may stand once.
	ErrPayRepeated = errors.New("spl: pay URL: field stands twice")
	// ErrPayText is returned for a label, message or memo that is too long or not UTF-8, and for a query that is malformed.
	ErrPayText = errors.New("spl: pay URL: text is malformed")
)

const (
	maxPayURL  = 4096 // bytes: beyond what a QR code holds
	maxPayText = 512  // bytes of a label, message or memo
	maxPayRefs = 32   // a transaction has 64 addresses
	maxAmount  = 64   // digits and dot
)

// PayRequest is a Solana Pay transfer request.
type PayRequest struct {
	Recipient  settlement.Account // a wallet: the money goes to its associated token account
	Amount     string             // plain decimal in whole tokens, not base units; empty: the payer chooses
	Mint       settlement.Account // empty: lamports
	References []settlement.Reference
	Label      string // who asks
	Message    string // what for
	Memo       string // written into the transaction, for everybody to see
}

// RequestFor returns the request for what a bill asks for. Of the bill's memo and reference nothing is secret once it is paid.
func RequestFor(b settlement.Bill, label, message string) PayRequest {
	return PayRequest{
		Recipient: b.Owner, Amount: FormatAmount(b.Units, b.Asset.Decimals), Mint: b.Asset.Mint,
		References: []settlement.Reference{b.Reference}, Label: label, Message: message, Memo: b.Memo,
	}
}

// FormatAmount writes base units as a plain decimal of whole tokens, exactly and without needless zeros: 1,500,000 units of 6
// places are "1.5".
func FormatAmount(units uint64, places uint8) string {
	digits := strconv.FormatUint(units, 10)
	if missing := int(places) + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	whole, part := digits[:len(digits)-int(places)], strings.TrimRight(digits[len(digits)-int(places):], "0")
	if part == "" {
		return whole
	}
	return whole + "." + part
}

// ParseAmount reads a plain decimal of whole tokens as base units, exactly. It returns ErrPayAmount, ErrPayPlaces or
// ErrPayRange; zeros at the end count as places, as in the specification.
func ParseAmount(text string, places uint8) (uint64, error) {
	if err := checkAmount(text); err != nil {
		return 0, err
	}
	whole, part, _ := strings.Cut(text, ".")
	if len(part) > int(places) {
		return 0, fmt.Errorf("%w: %q, the mint has %d", ErrPayPlaces, text, places)
	}
	var units uint64
	for _, d := range whole + part + strings.Repeat("0", int(places)-len(part)) {
		n := uint64(d - '0')
		if units > (math.MaxUint64-n)/10 {
			return 0, fmt.Errorf("%w: %q with %d places", ErrPayRange, text, places)
		}
		units = units*10 + n
	}
	return units, nil
}

// Units returns the amount in base units of a mint with so many places. It returns ErrPayAmount for a request without amount.
func (p PayRequest) Units(places uint8) (uint64, error) { return ParseAmount(p.Amount, places) }

// Validate returns the first field that is out of range, by the sentinel that ParsePayURL returns for it.
func (p PayRequest) Validate() error {
	if _, err := solana.PublicKeyFromBase58(string(p.Recipient)); err != nil {
		return fmt.Errorf("%w: %.60q", ErrPayRecipient, p.Recipient)
	}
	if p.Amount != "" {
		if err := checkAmount(p.Amount); err != nil {
			return err
		}
	}
	if p.Mint != "" {
		if _, err := solana.PublicKeyFromBase58(string(p.Mint)); err != nil {
			return fmt.Errorf("%w: %.60q", ErrPayToken, p.Mint)
		}
	}
	if len(p.References) > maxPayRefs {
		return fmt.Errorf("%w: there are %d, at most %d", ErrPayReference, len(p.References), maxPayRefs)
	}
	for _, f := range []struct{ name, value string }{{"label", p.Label}, {"message", p.Message}, {"memo", p.Memo}} {
		if len(f.value) > maxPayText || !utf8.ValidString(f.value) {
			return fmt.Errorf("%w: %s has %d bytes, want at most %d of UTF-8", ErrPayText, f.name, len(f.value), maxPayText)
		}
	}
	return nil
}

// URL writes the request. A space is %20: some wallets read + as it stands.
func (p PayRequest) URL() (string, error) {
	if err := p.Validate(); err != nil {
		return "", err
	}
	var fields []string
	add := func(name, value string) {
		if value != "" {
			fields = append(fields, name+"="+strings.ReplaceAll(url.QueryEscape(value), "+", "%20"))
		}
	}
	add("amount", p.Amount)
	add("spl-token", string(p.Mint))
	for _, r := range p.References {
		add("reference", solana.PublicKey(r).String())
	}
	add("label", p.Label)
	add("message", p.Message)
	add("memo", p.Memo)
	out := "solana:" + string(p.Recipient)
	if len(fields) > 0 {
		out += "?" + strings.Join(fields, "&")
	}
	if len(out) > maxPayURL {
		return "", fmt.Errorf("%w: it has %d bytes, want at most %d", ErrPayText, len(out), maxPayURL)
	}
	return out, nil
}

// ParsePayURL reads a transfer request as a wallet does. Whatever the specification tells a wallet to refuse is refused, by one
// of the sentinels of this file; fields that it does not know are ignored. That an amount has no more places than the mint is
// seen by Units, once the mint is known.
func ParsePayURL(text string) (PayRequest, error) {
	if len(text) > maxPayURL {
		return PayRequest{}, fmt.Errorf("%w: it has %d bytes, want at most %d", ErrPayText, len(text), maxPayURL)
	}
	scheme, rest, ok := strings.Cut(text, ":")
	if !ok || !strings.EqualFold(scheme, "solana") { // a scheme may be in capitals: RFC 3986, 3.1
		return PayRequest{}, ErrPayScheme
	}
	path, query, _ := strings.Cut(rest, "?")
	if head, err := url.PathUnescape(path); err == nil && strings.HasPrefix(strings.ToLower(head), "https:") {
		return PayRequest{}, ErrPayInteractive
	}
	values, err := url.ParseQuery(query)
	if err != nil || strings.Contains(rest, "#") {
		return PayRequest{}, fmt.Errorf("%w: its query does not decode", ErrPayText)
	}
	p := PayRequest{Recipient: settlement.Account(path)}
	for _, f := range []struct {
		name string
		to   *string
	}{{"amount", &p.Amount}, {"spl-token", (*string)(&p.Mint)}, {"label", &p.Label}, {"message", &p.Message}, {"memo", &p.Memo}} {
		got := values[f.name]
		switch {
		case len(got) > 1:
			return PayRequest{}, fmt.Errorf("%w: %s", ErrPayRepeated, f.name)
		case len(got) == 0:
			continue
		case got[0] == "" && f.name == "amount":
			return PayRequest{}, fmt.Errorf("%w: it is empty", ErrPayAmount)
		case got[0] == "" && f.name == "spl-token":
			return PayRequest{}, fmt.Errorf("%w: it is empty", ErrPayToken)
		}
		*f.to = got[0]
	}
	for _, r := range values["reference"] {
		k, err := solana.PublicKeyFromBase58(r)
		if err != nil {
			return PayRequest{}, fmt.Errorf("%w: %.60q", ErrPayReference, r)
		}
		p.References = append(p.References, settlement.Reference(k))
	}
	if err := p.Validate(); err != nil {
		return PayRequest{}, err
	}
	return p, nil
}

// checkAmount says whether a text is a plain decimal.
func checkAmount(text string) error {
	whole, part, dot := strings.Cut(text, ".")
	digits := func(s string) bool {
		return s != "" && strings.Trim(s, "0123456789") == ""
	}
	if len(text) > maxAmount || !digits(whole) || dot && !digits(part) || len(whole) > 1 && whole[0] == '0' {
		return fmt.Errorf("%w: %.70q", ErrPayAmount, text)
	}
	return nil
}
