package tokenomics_test

import (
	"encoding/json"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// issued is the time of the prices that price returns.
func issued() time.Time { return price(1).At }

func invoicePolicy() tokenomics.InvoicePolicy {
	return tokenomics.InvoicePolicy{Decimals: 8, MaxPriceAge: 5 * time.Minute, Burn: tokenomics.IONet().Burn}
}

func newInvoice(t testing.TB, net tokenomics.USD, with tokenomics.Currency) tokenomics.Invoice {
	t.Helper()
	q, err := tokenomics.IONet().Fees.Quote(net, with)
	require.NoError(t, err)
	v, err := tokenomics.NewInvoice("inv-1", q, issued(), issued().Add(time.Hour))
	require.NoError(t, err)
	return v
}

func TestCompare(t *testing.T) {
	for _, c := range []struct {
		net                    tokenomics.USD
		with                   tokenomics.Currency
		renter, supplier       string // added
		renterTwo, supplierTwo string // compounded
		renterMore, more       string
	}{
		{1_000_000_000, tokenomics.USDC, "1022.50", "977.50", "1022.55", "977.55", "0.05", "0.05"},
		{1_000_000_000, tokenomics.IO, "1002.50", "997.50", "1002.50", "997.50", "0", "0"},
		{0, tokenomics.Card, "0.00", "0.00", "0.00", "0.00", "0", "0"},
		// Two roundings instead of one: the supplier may get a millionth less.
		{3, tokenomics.Card, "0.000004", "0.000002", "0.000005", "0.000001", "0.000001", "-0.000001"},
	} {
		for _, order := range []tokenomics.FeeOrder{tokenomics.Additive, tokenomics.Compounded, 0} {
			fees := tokenomics.IONet().Fees
			fees.Order = order // does not matter
			got, err := fees.Compare(c.net, c.with)
			require.NoError(t, err)
			require.Equal(t, c.renter, got.Additive.RenterPays.String())
			require.Equal(t, c.supplier, got.Additive.SupplierGets.String())
			require.Equal(t, c.renterTwo, got.Compounded.RenterPays.String())
			require.Equal(t, c.supplierTwo, got.Compounded.SupplierGets.String())
			require.Equal(t, c.renterMore, got.RenterMore.String())
			require.Equal(t, c.more, got.SupplierMore.String())
			require.NoError(t, got.Additive.Validate())
			require.NoError(t, got.Compounded.Validate())
		}
	}
	// Each order may overflow alone: the first here, the second one further down.
	_, err := tokenomics.IONet().Fees.Compare(math.MaxUint64, tokenomics.Card)
	require.ErrorIs(t, err, tokenomics.ErrOverflow)
	const edge = 18_040_776_599_226_945_272 // with 2.25 % it just fits, with 0.25 % and then 2 % it does not
	_, err = func() (tokenomics.Quote, error) {
		fees := tokenomics.IONet().Fees
		return fees.Quote(edge, tokenomics.Card)
	}()
	require.NoError(t, err)
	got, err := tokenomics.IONet().Fees.Compare(edge, tokenomics.Card)
	require.ErrorIs(t, err, tokenomics.ErrOverflow)
	require.Zero(t, got)
}

func TestQuoteValidate(t *testing.T) {
	good := newInvoice(t, 1_000_000_000, tokenomics.USDC).Quote
	require.NoError(t, good.Validate())
	for _, c := range []struct {
		name  string
		spoil func(q *tokenomics.Quote)
		err   error
		says  string
	}{
		{"no currency", func(q *tokenomics.Quote) { q.With = 0 }, tokenomics.ErrCurrency, ""},
		{"unknown currency", func(q *tokenomics.Quote) { q.With = tokenomics.Card + 1 }, tokenomics.ErrCurrency, ""},
		{"no order", func(q *tokenomics.Quote) { q.Order = 0 }, tokenomics.ErrFees, "order 0"},
		{"unknown fee", func(q *tokenomics.Quote) { q.SupplierFees[1].Kind = 3 }, tokenomics.ErrFees, "kind 3"},
		{"renter's line", func(q *tokenomics.Quote) { q.RenterFees[0].Amount++ }, tokenomics.ErrFees, "the renter's lines"},
		{"renter's sum", func(q *tokenomics.Quote) { q.RenterPays-- }, tokenomics.ErrFees, "the renter's lines"},
		{"supplier's line", func(q *tokenomics.Quote) { q.SupplierFees[1].Amount-- }, tokenomics.ErrFees, "the supplier's lines"},
		{"supplier's sum", func(q *tokenomics.Quote) { q.SupplierGets++ }, tokenomics.ErrFees, "the supplier's lines"},
		{"revenue", func(q *tokenomics.Quote) { q.Revenue++ }, tokenomics.ErrFees, "revenue 45.000001"},
		{"lines that wrap", func(q *tokenomics.Quote) { q.RenterFees[0].Amount = math.MaxUint64 }, tokenomics.ErrOverflow, "the lines"},
		{"revenue that wraps", func(q *tokenomics.Quote) {
			*q = tokenomics.Quote{With: tokenomics.IO, Order: tokenomics.Additive, Net: 5, RenterPays: 5, SupplierGets: 6}
		}, tokenomics.ErrFees, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := newInvoice(t, 1_000_000_000, tokenomics.USDC).Quote
			c.spoil(&q)
			require.ErrorIs(t, q.Validate(), c.err)
			require.ErrorContains(t, q.Validate(), c.says)
			_, err := tokenomics.NewInvoice("a", q, issued(), issued())
			require.ErrorIs(t, err, c.err)
		})
	}
}

func TestNewInvoiceRefuses(t *testing.T) {
	q := newInvoice(t, 1, tokenomics.IO).Quote
	for _, c := range []struct {
		name        string
		id          string
		issued, due time.Time
		ok          bool
	}{
		{"no ID", "", issued(), issued(), false},
		{"longest ID", strings.Repeat("i", 128), issued(), issued(), true},
		{"ID too long", strings.Repeat("i", 129), issued(), issued(), false},
		{"no time", "a", time.Time{}, issued(), false},
		{"due at once", "a", issued(), issued(), true},
		{"due before", "a", issued(), issued().Add(-1), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, err := tokenomics.NewInvoice(c.id, q, c.issued, c.due)
			if c.ok {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, tokenomics.ErrInvoice)
			require.Zero(t, v)
			v = tokenomics.Invoice{ID: c.id, Quote: q, Issued: c.issued, Due: c.due}
			_, err = invoicePolicy().Charge(issued(), v, price(1))
			require.ErrorIs(t, err, tokenomics.ErrInvoice)
			_, err = invoicePolicy().Settle(v, tokenomics.Payment{})
			require.ErrorIs(t, err, tokenomics.ErrInvoice)
		})
	}
}

func TestInvoicePolicyValidate(t *testing.T) {
	p := invoicePolicy()
	require.NoError(t, p.Validate())
	p.MaxPriceAge = 1
	require.NoError(t, p.Validate())
	p.MaxPriceAge = 0
	require.ErrorIs(t, p.Validate(), tokenomics.ErrInvoice)
	p = invoicePolicy()
	p.Decimals = 10
	require.ErrorIs(t, p.Validate(), tokenomics.ErrDecimals)
	p = invoicePolicy()
	p.Burn.MaxBps = 10_001
	require.ErrorIs(t, p.Validate(), tokenomics.ErrBurn)
}

func TestCharge(t *testing.T) {
	p := invoicePolicy()
	usdc, err := p.Charge(issued(), newInvoice(t, 1_000_000_000, tokenomics.USDC), tokenomics.Price{})
	require.NoError(t, err, "dollars need no price")
	require.Equal(t, tokenomics.Charge{With: tokenomics.USDC, Dollars: 1_022_500_000}, usdc)
	text, err := json.Marshal(usdc)
	require.NoError(t, err)
	require.Equal(t, `{"with":"USDC","dollars":"1022.50","tokens":"0"}`, string(text))

	v := newInvoice(t, 1_000_000_000, tokenomics.IO)
	for _, c := range []struct {
		name  string
		after time.Duration
		err   error
	}{
		{"a nanosecond before the price was seen", -1, tokenomics.ErrPrice},
		{"at once", 0, nil},
		{"as old as may be", 5 * time.Minute, nil},
		{"a nanosecond older", 5*time.Minute + 1, tokenomics.ErrPrice},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := p.Charge(issued().Add(c.after), v, price(3_000_000))
			require.ErrorIs(t, err, c.err)
			_, settled := p.Settle(v, tokenomics.Payment{
				At: issued().Add(c.after), Tokens: 33_416_666_667, Price: price(3_000_000), Reference: price(1),
			})
			if c.err != nil {
				require.Zero(t, got)
				require.Error(t, settled)
				return
			}
			require.NoError(t, settled)
			// 1,002.50 / 3, rounded up.
			require.Equal(t, tokenomics.Charge{
				With: tokenomics.IO, Dollars: 1_002_500_000, Tokens: 33_416_666_667, Price: price(3_000_000),
			}, got)
		})
	}
	_, err = p.Charge(issued(), v, price(0))
	require.ErrorIs(t, err, tokenomics.ErrPrice)
	_, err = p.Charge(issued(), newInvoice(t, 1<<62, tokenomics.IO), price(1))
	require.ErrorIs(t, err, tokenomics.ErrOverflow)
	_, err = tokenomics.InvoicePolicy{}.Charge(issued(), v, price(1))
	require.ErrorIs(t, err, tokenomics.ErrInvoice)
}

func TestSettle(t *testing.T) {
	p := invoicePolicy()
	at, ref := issued(), price(2_500_000)
	for _, c := range []struct {
		name string
		net  tokenomics.USD
		with tokenomics.Currency
		paid tokenomics.Payment
		want tokenomics.Settlement // what is particular to the row
	}{
		{
			"1,000 in USDC at 2.50", 1_000_000_000, tokenomics.USDC,
			tokenomics.Payment{At: at, Dollars: 1_022_500_000, Price: price(2_500_000), Reference: ref},
			tokenomics.Settlement{
				Conversion: tokenomics.Conversion{Dollars: 1_022_500_000, Tokens: 40_900_000_000},
				Supplier:   39_100_000_000, Revenue: 1_800_000_000, Burn: 900_000_000, Treasury: 900_000_000,
			},
		},
		{
			"a price that does not divide, two dollars too many, late", 1_000_000_000, tokenomics.Card,
			tokenomics.Payment{
				At: at.Add(time.Hour + 1), Dollars: 1_024_500_000, Reference: ref,
				Price: tokenomics.Price{MicroPerToken: 3_000_000, At: at.Add(time.Hour), Source: "test"},
			},
			tokenomics.Settlement{
				Late: true, BackDollars: 2_000_000,
				Conversion: tokenomics.Conversion{Dollars: 1_022_500_000, Tokens: 34_083_333_333},
				Supplier:   32_583_333_333, Revenue: 1_500_000_000, Burn: 625_000_000, Treasury: 875_000_000,
			},
		},
		{
			"dear tokens leave millionths", 1_000_000, tokenomics.USDC,
			tokenomics.Payment{At: at, Dollars: 1_022_500, Price: price(1_000_000_000_000), Reference: ref},
			tokenomics.Settlement{
				BackDollars: 2_500,
				Conversion:  tokenomics.Conversion{Dollars: 1_020_000, Tokens: 102},
				Supplier:    97, Revenue: 5, Burn: 1, Treasury: 4,
			},
		},
		{
			"in IO, one base unit too many", 1_000_000_000, tokenomics.IO,
			tokenomics.Payment{At: at, Tokens: 33_416_666_668, Price: price(3_000_000), Reference: ref},
			tokenomics.Settlement{
				BackTokens: 1,
				Conversion: tokenomics.Conversion{Dollars: 1_002_500_000, Tokens: 33_416_666_667},
				Supplier:   33_250_000_000, Revenue: 166_666_667, Burn: 69_444_445, Treasury: 97_222_222,
			},
		},
		{
			"nothing is due", 0, tokenomics.USDC,
			tokenomics.Payment{At: at, Dollars: 7, Price: price(2_500_000), Reference: ref},
			tokenomics.Settlement{BackDollars: 7},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := p.Settle(newInvoice(t, c.net, c.with), c.paid)
			require.NoError(t, err)
			c.want.Invoice, c.want.With, c.want.Order, c.want.At = "inv-1", c.with, tokenomics.Additive, c.paid.At
			c.want.PaidDollars, c.want.PaidTokens = c.paid.Dollars, c.paid.Tokens
			c.want.Conversion.PerToken = tokenomics.USD(c.paid.Price.MicroPerToken)
			c.want.Conversion.SeenAt, c.want.Conversion.Source = c.paid.Price.At, "test"
			require.Equal(t, c.want, got)
			require.NoError(t, got.Audit())
			require.Equal(t, c.paid.Price, got.Conversion.Price())
		})
	}
}

func TestSettleRefuses(t *testing.T) {
	at, ref := issued(), price(2_500_000)
	good := tokenomics.Payment{At: at, Dollars: 1_022_500_000, Price: price(2_500_000), Reference: ref}
	for _, c := range []struct {
		name  string
		with  tokenomics.Currency
		spoil func(p *tokenomics.InvoicePolicy, m *tokenomics.Payment)
		err   error
		says  string
	}{
		{"a millionth short", tokenomics.USDC, func(_ *tokenomics.InvoicePolicy, m *tokenomics.Payment) { m.Dollars-- }, tokenomics.ErrPayment, "1022.499999 dollars arrived, 1022.50 are due"},
		{"tokens for dollars", tokenomics.USDC, func(_ *tokenomics.InvoicePolicy, m *tokenomics.Payment) { m.Tokens = 1 }, tokenomics.ErrPayment, "tokens arrived"},
		{"dollars for tokens", tokenomics.IO, func(*tokenomics.InvoicePolicy, *tokenomics.Payment) {}, tokenomics.ErrPayment, "dollars arrived"},
		{"a base unit short", tokenomics.IO, func(_ *tokenomics.InvoicePolicy, m *tokenomics.Payment) {
			m.Dollars, m.Tokens = 0, 40_099_999_999
		}, tokenomics.ErrPayment, "400.99999999 tokens arrived, 401 are due"},
		{"before it was issued", tokenomics.USDC, func(_ *tokenomics.InvoicePolicy, m *tokenomics.Payment) {
			m.At, m.Price.At = at.Add(-1), at.Add(-1)
		}, tokenomics.ErrPayment, "was issued"},
		{"no source", tokenomics.USDC, func(_ *tokenomics.InvoicePolicy, m *tokenomics.Payment) { m.Price.Source = "" }, tokenomics.ErrPrice, "no source"},
		{"stale", tokenomics.USDC, func(_ *tokenomics.InvoicePolicy, m *tokenomics.Payment) { m.At = at.Add(time.Hour) }, tokenomics.ErrPrice, "more than 5m0s before"},
		{"no reference", tokenomics.USDC, func(_ *tokenomics.InvoicePolicy, m *tokenomics.Payment) { m.Reference = tokenomics.Price{} }, tokenomics.ErrPrice, "reference"},
		{"buys nothing", tokenomics.USDC, func(p *tokenomics.InvoicePolicy, m *tokenomics.Payment) {
			p.Decimals, m.Price.MicroPerToken = 0, 1e15
		}, tokenomics.ErrPayment, "buy no base unit"},
		{"too many tokens", tokenomics.USDC, func(p *tokenomics.InvoicePolicy, m *tokenomics.Payment) {
			m.Dollars, m.Price.MicroPerToken = math.MaxUint64, 1
			p.Decimals = 9
		}, nil, ""},
		{"no policy", tokenomics.USDC, func(p *tokenomics.InvoicePolicy, _ *tokenomics.Payment) { p.MaxPriceAge = 0 }, tokenomics.ErrInvoice, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, m := invoicePolicy(), good
			c.spoil(&p, &m)
			s, err := p.Settle(newInvoice(t, 1_000_000_000, c.with), m)
			if c.err == nil {
				require.NoError(t, err, "10^18 base units fit")
				return
			}
			require.ErrorIs(t, err, c.err)
			require.ErrorContains(t, err, c.says)
			require.Zero(t, s)
		})
	}
	for with, m := range map[tokenomics.Currency]tokenomics.Payment{
		tokenomics.USDC: {Dollars: math.MaxUint64}, tokenomics.IO: {Tokens: math.MaxUint64},
	} {
		m.At, m.Price, m.Reference = at, price(1), ref
		_, err := invoicePolicy().Settle(newInvoice(t, 1<<62, with), m)
		require.ErrorIs(t, err, tokenomics.ErrOverflow)
	}
}

// Audit must be able to fail: each row changes one line of a record that adds up.
func TestSettlementAudit(t *testing.T) {
	for with, paid := range map[tokenomics.Currency]tokenomics.Payment{
		tokenomics.USDC: {Dollars: 1_022_500_005}, tokenomics.IO: {Tokens: 50_000_000_000},
	} {
		paid.At, paid.Price, paid.Reference = issued(), price(2_500_000), price(2_500_000)
		good, err := invoicePolicy().Settle(newInvoice(t, 1_000_000_000, with), paid)
		require.NoError(t, err)
		require.NoError(t, good.Audit())
		for i, spoil := range []func(s *tokenomics.Settlement){
			func(s *tokenomics.Settlement) { s.Supplier++ },
			func(s *tokenomics.Settlement) { s.Revenue-- },
			func(s *tokenomics.Settlement) { s.Burn++ },
			func(s *tokenomics.Settlement) { s.Treasury-- },
			func(s *tokenomics.Settlement) { s.Supplier, s.Revenue = s.Conversion.Tokens+1, math.MaxUint64 },
			func(s *tokenomics.Settlement) { s.BackDollars++ },
			func(s *tokenomics.Settlement) { s.BackTokens++ },
			func(s *tokenomics.Settlement) { s.BackTokens, s.BackDollars = math.MaxUint64, math.MaxUint64 },
			func(s *tokenomics.Settlement) { s.PaidDollars++ },
			func(s *tokenomics.Settlement) { s.PaidTokens-- },
			func(s *tokenomics.Settlement) { s.Conversion.Tokens++ },
		} {
			bad := good
			spoil(&bad)
			require.ErrorIs(t, bad.Audit(), tokenomics.ErrInvoice, "%s %d", with, i)
		}
		bad := good
		bad.Conversion.Source = ""
		require.ErrorIs(t, bad.Audit(), tokenomics.ErrPrice)
	}
}

func TestInvoiceInJSON(t *testing.T) {
	v := newInvoice(t, 1_000_000_000, tokenomics.USDC)
	text, err := json.Marshal(v)
	require.NoError(t, err)
	require.JSONEq(t, `{
		"id": "inv-1", "issued": "2024-06-20T00:00:00Z", "due": "2024-06-20T01:00:00Z",
		"quote": {
			"net": "1000.00", "with": "USDC", "order": "additive",
			"renter_fees": [{"kind":"reservation","bps":25,"amount":"2.50"},{"kind":"payment","bps":200,"amount":"20.00"}],
			"renter_pays": "1022.50",
			"supplier_fees": [{"kind":"reservation","bps":25,"amount":"2.50"},{"kind":"payment","bps":200,"amount":"20.00"}],
			"supplier_gets": "977.50", "revenue": "45.00"
		}
	}`, string(text))
	var back tokenomics.Invoice
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, v, back)

	s, err := invoicePolicy().Settle(v, tokenomics.Payment{
		At: issued(), Dollars: 1_022_500_000, Price: price(2_500_000), Reference: price(2_500_000),
	})
	require.NoError(t, err)
	text, err = json.Marshal(s)
	require.NoError(t, err)
	require.JSONEq(t, `{
		"invoice": "inv-1", "with": "USDC", "order": "additive", "at": "2024-06-20T00:00:00Z", "late": false,
		"paid_dollars": "1022.50", "paid_tokens": "0", "back_dollars": "0.00", "back_tokens": "0",
		"conversion": {
			"dollars": "1022.50", "tokens": "409", "per_token": "2.50", "seen_at": "2024-06-20T00:00:00Z", "source": "test"
		},
		"supplier": "391", "revenue": "18", "burn": "9", "treasury": "9"
	}`, string(text))
	var again tokenomics.Settlement
	require.NoError(t, json.Unmarshal(text, &again))
	require.Equal(t, s, again)
}

func FuzzInvoice(f *testing.F) {
	f.Add(uint64(1_000_000_000), uint16(25), uint16(200), true, uint8(2), uint64(2_500_000), uint64(3_000_000), uint64(0), uint8(8))
	f.Add(uint64(7), uint16(1), uint16(9_999), false, uint8(1), uint64(1e15), uint64(1), uint64(5), uint8(0))
	f.Fuzz(func(t *testing.T, net uint64, first, second uint16, added bool, with uint8, micro, ref, extra uint64, places uint8) {
		fees := tokenomics.FeePolicy{
			ReservationBps: uint32(first), PaymentIOBps: uint32(second) / 2, PaymentUSDCBps: uint32(second),
			PaymentCardBps: uint32(second), Order: tokenomics.Compounded,
		}
		if added {
			fees.Order = tokenomics.Additive
		}
		q, err := fees.Quote(tokenomics.USD(net), tokenomics.Currency(with%4))
		if err != nil {
			return
		}
		require.NoError(t, q.Validate())
		v, err := tokenomics.NewInvoice("i", q, issued(), issued())
		require.NoError(t, err)
		p := invoicePolicy()
		p.Decimals = tokenomics.Decimals(places % 10)
		charge, err := p.Charge(issued(), v, price(micro))
		if err != nil {
			require.Zero(t, charge)
			return
		}
		m := tokenomics.Payment{At: issued(), Price: price(micro), Reference: price(ref)}
		if q.With == tokenomics.IO {
			m.Tokens = charge.Tokens + tokenomics.Amount(extra%1_000)
		} else {
			m.Dollars = charge.Dollars + tokenomics.USD(extra%1_000)
		}
		s, err := p.Settle(v, m)
		if err != nil {
			require.Zero(t, s)
			return
		}
		require.NoError(t, s.Audit())
		require.Equal(t, s.Conversion.Tokens, s.Supplier+s.Burn+s.Treasury, "every base unit has an owner")
		if q.With == tokenomics.IO {
			require.Equal(t, charge.Tokens, s.Conversion.Tokens)
			require.Equal(t, m.Tokens, s.Supplier+s.Burn+s.Treasury+s.BackTokens)
		} else {
			require.Equal(t, m.Dollars, s.Conversion.Dollars+s.BackDollars)
		}
		if q.RenterPays > 0 {
			// supplier = floor(tokens * gets / pays)
			want := new(big.Int).Mul(new(big.Int).SetUint64(uint64(s.Conversion.Tokens)), new(big.Int).SetUint64(uint64(q.SupplierGets)))
			want.Quo(want, new(big.Int).SetUint64(uint64(q.RenterPays)))
			require.Equal(t, want.Uint64(), uint64(s.Supplier))
		}
	})
}
