package spl_test

import (
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/gagliardetto/solana-go"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
)

// Addresses of the specification's examples.
const (
	specRecipient = "mvines9iiHiQTysrwkJjGf2gb9Ex9jXJX8ns3qwf2kN"
	specMint      = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
)

// TestSpecExamples reads the examples that stand in the specification (docs.solanapay.com/spec).
func TestSpecExamples(t *testing.T) {
	for text, want := range map[string]spl.PayRequest{
		"solana:" + specRecipient + "?amount=1&label=Michael&message=Thanks%20for%20all%20the%20fish&memo=OrderId12345": {
			Recipient: specRecipient, Amount: "1", Label: "Michael", Message: "Thanks for all the fish", Memo: "OrderId12345",
		},
		"solana:" + specRecipient + "?amount=0.01&spl-token=" + specMint: {Recipient: specRecipient, Amount: "0.01", Mint: specMint},
		"solana:" + specRecipient + "?label=Michael":                     {Recipient: specRecipient, Label: "Michael"},
		"solana:" + specRecipient:                                        {Recipient: specRecipient},
		"SOLANA:" + specRecipient + "?amount=0&unknown=1":                {Recipient: specRecipient, Amount: "0"},
		"solana:" + specRecipient + "?label=a+b&message=c%2Bd":           {Recipient: specRecipient, Label: "a b", Message: "c+d"},
	} {
		got, err := spl.ParsePayURL(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
}

func TestPayURLRefused(t *testing.T) {
	long := strings.Repeat("1", 65)
	for text, want := range map[string]error{
		"":                            spl.ErrPayScheme,
		specRecipient:                 spl.ErrPayScheme,
		"bitcoin:" + specRecipient:    spl.ErrPayScheme,
		"solana":                      spl.ErrPayScheme,
		"solana:https://example.com/": spl.ErrPayInteractive,
		"solana:https%3A%2F%2Fexample.com%2F%3Fx%3D1": spl.ErrPayInteractive,
		"solana:":                                                                       spl.ErrPayRecipient,
		"solana:" + specRecipient[12:]:                                                  spl.ErrPayRecipient,
		"solana:" + specRecipient + "/":                                                 spl.ErrPayRecipient,
		"solana:0" + specRecipient[12:]:                                                 spl.ErrPayRecipient,
		"solana:" + specRecipient + "?amount=":                                          spl.ErrPayAmount,
		"solana:" + specRecipient + "?amount=.5":                                        spl.ErrPayAmount,
		"solana:" + specRecipient + "?amount=1.":                                        spl.ErrPayAmount,
		"solana:" + specRecipient + "?amount=01":                                        spl.ErrPayAmount,
		"solana:" + specRecipient + "?amount=00.1":                                      spl.ErrPayAmount,
		"solana:" + specRecipient + "?amount=1e3":                                       spl.ErrPayAmount,
		"solana:" + specRecipient + "?amount=-1":                                        spl.ErrPayAmount,
		"solana:" + specRecipient + "?amount=%2B1":                                      spl.ErrPayAmount,
		"solana:" + specRecipient + "?amount=1,5":                                       spl.ErrPayAmount,
		"solana:" + specRecipient + "?amount=1.2.3":                                     spl.ErrPayAmount,
		"solana:" + specRecipient + "?amount=0x10":                                      spl.ErrPayAmount,
		"solana:" + specRecipient + "?amount=NaN":                                       spl.ErrPayAmount,
		"solana:" + specRecipient + "?amount=１":                                         spl.ErrPayAmount,
		"solana:" + specRecipient + "?amount=" + long:                                   spl.ErrPayAmount,
		"solana:" + specRecipient + "?amount=1&amount=1":                                spl.ErrPayRepeated,
		"solana:" + specRecipient + "?spl-token=":                                       spl.ErrPayToken,
		"solana:" + specRecipient + "?spl-token=x":                                      spl.ErrPayToken,
		"solana:" + specRecipient + "?spl-token=" + specMint[12:]:                       spl.ErrPayToken,
		"solana:" + specRecipient + "?reference=":                                       spl.ErrPayReference,
		"solana:" + specRecipient + "?reference=x":                                      spl.ErrPayReference,
		"solana:" + specRecipient + "?" + strings.Repeat("reference="+specMint+"&", 33): spl.ErrPayReference,
		"solana:" + specRecipient + "?label=a&label=b":                                  spl.ErrPayRepeated,
		"solana:" + specRecipient + "?message=a&message=b":                              spl.ErrPayRepeated,
		"solana:" + specRecipient + "?memo=a&memo=b":                                    spl.ErrPayRepeated,
		"solana:" + specRecipient + "?spl-token=a&spl-token=b":                          spl.ErrPayRepeated,
		"solana:" + specRecipient + "?label=%ff":                                        spl.ErrPayText,
		"solana:" + specRecipient + "?label=%zz":                                        spl.ErrPayText,
		"solana:" + specRecipient + "?label=a;b":                                        spl.ErrPayText,
		"solana:" + specRecipient + "?label=a#b":                                        spl.ErrPayText,
		"solana:" + specRecipient + "?memo=" + strings.Repeat("x", 513):                 spl.ErrPayText,
		"solana:" + specRecipient + "?label=" + strings.Repeat("x", 4096):               spl.ErrPayText,
	} {
		_, err := spl.ParsePayURL(text)
		require.ErrorIs(t, err, want, text)
	}
	_, err := spl.PayRequest{Recipient: "x"}.URL()
	require.ErrorIs(t, err, spl.ErrPayRecipient)
	_, err = spl.PayRequest{Recipient: specRecipient, Label: strings.Repeat("ü", 256), Message: strings.Repeat("ü", 256), Memo: strings.Repeat("ü", 256)}.URL()
	require.ErrorIs(t, err, spl.ErrPayText, "percent-encoded it is too long")
}

func TestAmounts(t *testing.T) {
	for _, row := range []struct {
		units  uint64
		places uint8
		text   string
	}{
		{0, 0, "0"},
		{0, 9, "0"},
		{1, 0, "1"},
		{1, 9, "0.000000001"},
		{10, 6, "0.00001"},
		{1_500_000, 6, "1.5"},
		{1_000_000, 6, "1"},
		{math.MaxUint64, 0, "18446744073709551615"},
		{math.MaxUint64, 9, "18446744073.709551615"},
		{math.MaxUint64, 30, "0.000000000018446744073709551615"},
	} {
		require.Equal(t, row.text, spl.FormatAmount(row.units, row.places))
		got, err := spl.ParseAmount(row.text, row.places)
		require.NoError(t, err, row.text)
		require.Equal(t, row.units, got)
	}
	for _, row := range []struct {
		text   string
		places uint8
		want   error
	}{
		{"0.0000001", 6, spl.ErrPayPlaces},
		{"1.5000000", 6, spl.ErrPayPlaces},
		{"1.0", 0, spl.ErrPayPlaces},
		{"", 6, spl.ErrPayAmount},
		{"18446744073709551616", 0, spl.ErrPayRange},
		{"18446744073.709551616", 9, spl.ErrPayRange},
		{"184467440737095516150", 0, spl.ErrPayRange},
		{"99999999999999999999", 0, spl.ErrPayRange},
		{"1", 20, spl.ErrPayRange},
	} {
		_, err := spl.ParseAmount(row.text, row.places)
		require.ErrorIs(t, err, row.want, row.text)
	}
	got, err := spl.ParseAmount("1.500000", 6)
	require.NoError(t, err)
	require.EqualValues(t, 1_500_000, got)
}

// FuzzAmount compares with math/big: what is written is read again, and what is read is exact.
func FuzzAmount(f *testing.F) {
	f.Add("1.5", uint64(15), uint8(6))
	f.Fuzz(func(t *testing.T, text string, units uint64, places uint8) {
		places %= 30
		back, err := spl.ParseAmount(spl.FormatAmount(units, places), places)
		require.NoError(t, err)
		require.Equal(t, units, back)
		got, err := spl.ParseAmount(text, places)
		if err != nil {
			return
		}
		exact, ok := new(big.Rat).SetString(text)
		require.True(t, ok)
		scale := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil))
		require.Zero(t, exact.Mul(exact, scale).Cmp(new(big.Rat).SetInt(new(big.Int).SetUint64(got))), text)
	})
}

// FuzzPayURL: no text panics; what is read is written and read again as the same request.
func FuzzPayURL(f *testing.F) {
	f.Add("solana:" + specRecipient + "?amount=0.01&spl-token=" + specMint + "&reference=" + specMint + "&label=a%20b&memo=%C3%BC")
	f.Add("solana:" + specRecipient + "?amount=1&message=%26%3D%23")
	f.Add("solana:https://x")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := spl.ParsePayURL(text)
		if err != nil {
			return
		}
		require.NoError(t, p.Validate())
		again, err := p.URL()
		if err != nil { // what was given unescaped may be too long escaped
			require.ErrorIs(t, err, spl.ErrPayText)
			return
		}
		back, err := spl.ParsePayURL(again)
		require.NoError(t, err, again)
		require.Equal(t, p, back)
		twice, err := back.URL()
		require.NoError(t, err)
		require.Equal(t, again, twice)
	})
}

// FuzzPayRequest: whatever a valid request holds survives its URL.
func FuzzPayRequest(f *testing.F) {
	f.Add([]byte("recipient"), []byte("reference"), uint64(1), "label & = # + %", "ü", "memo")
	f.Fuzz(func(t *testing.T, recipient, reference []byte, units uint64, label, message, memo string) {
		var to, ref solana.PublicKey
		copy(to[:], recipient)
		copy(ref[:], reference)
		p := spl.PayRequest{
			Recipient: settlement.Account(to.String()), Amount: spl.FormatAmount(units, 6), Mint: specMint,
			References: []settlement.Reference{settlement.Reference(ref)}, Label: label, Message: message, Memo: memo,
		}
		text, err := p.URL()
		if err != nil {
			require.ErrorIs(t, err, spl.ErrPayText)
			return
		}
		back, err := spl.ParsePayURL(text)
		require.NoError(t, err, text)
		require.Equal(t, p, back)
	})
}

func TestInstructionsRefused(t *testing.T) {
	mint := solana.MustPublicKeyFromBase58(specMint)
	token := spl.PayToken{Mint: mint, Program: solana.TokenProgramID, Decimals: 6}
	p := spl.PayRequest{Recipient: specRecipient, Amount: "0.01", Mint: specMint}
	for says, f := range map[string]func() error{
		"recipient is no address": func() error { _, err := spl.PayRequest{}.Instructions(specRecipient, token, 1); return err },
		`payer "x"`:               func() error { _, err := p.Instructions("x", token, 10_000); return err },
		"token is mint": func() error {
			_, err := p.Instructions(specRecipient, spl.PayToken{Mint: solana.SystemProgramID}, 10_000)
			return err
		},
		"units is 10001, the request is for 10000": func() error { _, err := p.Instructions(specRecipient, token, 10_001); return err },
		"more places than the mint": func() error {
			_, err := p.Instructions(specRecipient, spl.PayToken{Mint: mint, Decimals: 1}, 10_000)
			return err
		},
	} {
		require.ErrorContains(t, f(), says)
	}
	p.Memo, p.References = "hello", []settlement.Reference{{1}, {2}}
	in, err := p.Instructions(specRecipient, token, 10_000)
	require.NoError(t, err)
	require.Len(t, in, 2)
	require.Equal(t, spl.Instruction{Program: solana.MemoProgramID, Data: []byte("hello")}, in[0], "just before the transfer")
	require.Equal(t, []spl.Meta{{Key: solana.PublicKey{1}}, {Key: solana.PublicKey{2}}}, in[1].Accounts[4:], "behind the others, in order, only read")
	p.Mint = ""
	in, err = p.Instructions(specRecipient, spl.PayToken{}, 10_000_000)
	require.NoError(t, err)
	require.Equal(t, solana.SystemProgramID, in[1].Program)
	require.Len(t, in[1].Accounts, 4)
}

func TestRequestFor(t *testing.T) {
	b := settlement.Bill{
		ID: "job-7", Owner: specRecipient, Asset: settlement.Asset{Mint: specMint, Decimals: 6}, Units: 25_500_000,
		Reference: settlement.Reference(solana.MustPublicKeyFromBase58(specMint)), Memo: "job-7", Expires: time.Unix(1, 0),
	}
	text, err := spl.RequestFor(b, "idlegrid", "8 GPU hours").URL()
	require.NoError(t, err)
	require.Equal(t, "solana:"+specRecipient+"?amount=25.5&spl-token="+specMint+"&reference="+specMint+"&label=idlegrid&message=8%20GPU%20hours&memo=job-7", text)
}
