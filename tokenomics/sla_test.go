package tokenomics_test

import (
	"encoding/json"
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/tokenomics"
)

func TestSLACredit(t *testing.T) {
	p := tokenomics.DefaultSLA()
	require.NoError(t, p.Validate())
	const month = 30 * 24 * 3_600
	for _, c := range []struct {
		name        string
		tier        uint8
		good, total uint64
		invoice     tokenomics.USD
		bps         uint32
		credit      tokenomics.USD
		remainder   string
	}{
		{"all the time", 4, month, month, 1_000_000_000, 0, 0, "0"},
		{"at the target", 4, 999_500, 1_000_000, 1_000_000_000, 0, 0, "0"},
		{"a second below", 4, 999_499, 1_000_000, 1_000_000_000, 1_000, 100_000_000, "0"},
		{"2^64 seconds, just below the target", 4, 18_437_520_701_672_696_839, math.MaxUint64, 10, 1_000, 1, "0"},
		{"2^64 seconds, just above it", 4, 18_437_520_701_672_696_840, math.MaxUint64, 10, 0, 0, "0"},
		{"at the second row", 4, 995, 1_000, 1_000_000_000, 1_000, 100_000_000, "0"},
		{"below it", 4, 994, 1_000, 1_000_000_000, 2_500, 250_000_000, "0"},
		{"at the last row", 4, 9, 10, 1_000_000_000, 2_500, 250_000_000, "0"},
		{"below it: all", 4, 899, 1_000, 1_000_000_001, 10_000, 1_000_000_001, "0"},
		{"never", 1, 0, 1, math.MaxUint64, 10_000, math.MaxUint64, "0"},
		{"the same time on another tier", 1, 994, 1_000, 1_000_000_000, 0, 0, "0"},
		{"rounded down", 3, 998, 1_000, 1_000_000_009, 1_000, 100_000_000, "0.0000009"},
		{"less than a millionth", 3, 998, 1_000, 9, 1_000, 0, "0.0000009"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := p.Credit(c.tier, tokenomics.Attainment{Good: c.good, Total: c.total}, c.invoice)
			require.NoError(t, err)
			require.Equal(t, c.bps, got.Row.CreditBps)
			require.Equal(t, c.credit, got.Credit)
			require.Equal(t, c.remainder, got.Remainder.String())
			require.True(t, got.Exact.Equal(got.Credit.Decimal().Add(got.Remainder)))
			require.Equal(t, p.Version, got.Version)
			require.Equal(t, c.tier, got.Tier)
		})
	}
	for _, c := range []struct {
		tier        uint8
		good, total uint64
	}{{0, 1, 1}, {5, 1, 1}, {4, 0, 0}, {4, 2, 1}} {
		got, err := p.Credit(c.tier, tokenomics.Attainment{Good: c.good, Total: c.total}, 1)
		require.ErrorIs(t, err, tokenomics.ErrSLA)
		require.Zero(t, got)
	}
}

func TestSLAParamsValidate(t *testing.T) {
	row := func(below, credit uint32) tokenomics.SLARow {
		return tokenomics.SLARow{BelowPPM: below, CreditBps: credit}
	}
	tier := func(n uint8, rows ...tokenomics.SLARow) tokenomics.SLATier {
		return tokenomics.SLATier{Tier: n, Rows: rows}
	}
	for _, c := range []struct {
		name  string
		tiers []tokenomics.SLATier
		ok    bool
	}{
		{"one row", []tokenomics.SLATier{tier(0, row(1, 1))}, true},
		{"the whole range", []tokenomics.SLATier{tier(0, row(1_000_000, 1), row(1, 10_000))}, true},
		{"no tiers", nil, false},
		{"no rows", []tokenomics.SLATier{tier(0)}, false},
		{"below nothing", []tokenomics.SLATier{tier(0, row(0, 1))}, false},
		{"below more than all", []tokenomics.SLATier{tier(0, row(1_000_001, 1))}, false},
		{"no credit", []tokenomics.SLATier{tier(0, row(1, 0))}, false},
		{"more than the invoice", []tokenomics.SLATier{tier(0, row(1, 10_001))}, false},
		{"bounds that do not fall", []tokenomics.SLATier{tier(0, row(5, 1), row(5, 2))}, false},
		{"credits that do not rise", []tokenomics.SLATier{tier(0, row(5, 2), row(4, 2))}, false},
		{"tier twice", []tokenomics.SLATier{tier(1, row(1, 1)), tier(1, row(1, 1))}, false},
		{"tiers out of order", []tokenomics.SLATier{tier(2, row(1, 1)), tier(1, row(1, 1))}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := tokenomics.SLAParams{Version: "test/1", Tiers: c.tiers}
			if c.ok {
				require.NoError(t, p.Validate())
				p.Version = ""
			}
			require.ErrorIs(t, p.Validate(), tokenomics.ErrSLA)
			_, err := p.Credit(0, tokenomics.Attainment{Total: 1}, 1)
			require.ErrorIs(t, err, tokenomics.ErrSLA)
		})
	}
}

func TestSLAInJSON(t *testing.T) {
	p := tokenomics.DefaultSLA()
	text, err := json.Marshal(p)
	require.NoError(t, err)
	var back tokenomics.SLAParams
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, p, back)
	got, err := p.Credit(3, tokenomics.Attainment{Good: 998, Total: 1_000}, 9)
	require.NoError(t, err)
	text, err = json.Marshal(got)
	require.NoError(t, err)
	require.JSONEq(t, `{"version":"idlegrid/sla/1","tier":3,"row":{"below_ppm":999000,"credit_bps":1000},
		"exact":"0.0000009","credit":"0.00","remainder":"0.0000009"}`, string(text))
	text, err = json.Marshal(tokenomics.Attainment{Good: 1, Total: 2})
	require.NoError(t, err)
	require.Equal(t, `{"good":"1","total":"2"}`, string(text))
}

func FuzzSLA(f *testing.F) {
	f.Add(uint8(4), uint64(999_499), uint64(1_000_000), uint64(1_000_000_000))
	f.Add(uint8(1), uint64(math.MaxUint64), uint64(math.MaxUint64), uint64(math.MaxUint64))
	p := tokenomics.DefaultSLA()
	f.Fuzz(func(t *testing.T, tier uint8, good, total, invoice uint64) {
		got, err := p.Credit(tier, tokenomics.Attainment{Good: good, Total: total}, tokenomics.USD(invoice))
		if err != nil {
			require.Zero(t, got)
			return
		}
		var bps uint64 // of the last row that good/total is below
		attained := new(big.Rat).SetFrac(new(big.Int).SetUint64(good), new(big.Int).SetUint64(total))
		for _, r := range p.Tiers[tier-1].Rows {
			if attained.Cmp(big.NewRat(int64(r.BelowPPM), 1_000_000)) < 0 {
				bps = uint64(r.CreditBps)
			}
		}
		exact := new(big.Rat).SetFrac(new(big.Int).SetUint64(bps), big.NewInt(10_000))
		exact.Mul(exact, new(big.Rat).SetFrac(new(big.Int).SetUint64(invoice), big.NewInt(1_000_000)))
		require.Zero(t, exact.Cmp(got.Exact.Rat()))
		require.LessOrEqual(t, uint64(got.Credit), invoice)
		require.GreaterOrEqual(t, got.Remainder.Sign(), 0)
		require.Negative(t, got.Remainder.Rat().Cmp(big.NewRat(1, 1_000_000)))
		require.True(t, got.Exact.Equal(got.Credit.Decimal().Add(got.Remainder)))
	})
}

// All money of a credit is text.
func TestSLACreditInJSON(t *testing.T) {
	c, err := tokenomics.DefaultSLA().Credit(4, tokenomics.Attainment{Good: 999, Total: 1000}, 123_456_789)
	require.NoError(t, err)
	text, err := json.Marshal(c)
	require.NoError(t, err)
	require.Contains(t, string(text), `"exact":"12.3456789","credit":"12.345678","remainder":"0.0000009"`)
	var back tokenomics.SLACredit
	require.NoError(t, json.Unmarshal(text, &back))
	require.True(t, back.Exact.Equal(c.Exact) && back.Remainder.Equal(c.Remainder) && back.Credit == c.Credit && back.Row == c.Row)
}

// A table that is refused says what it wants instead.
func TestSLAParamsSayWhatTheyWant(t *testing.T) {
	p := tokenomics.SLAParams{Version: "x", Tiers: []tokenomics.SLATier{
		{Tier: 1, Rows: []tokenomics.SLARow{{BelowPPM: 500, CreditBps: 2}, {BelowPPM: 500, CreditBps: 3}}},
	}}
	require.ErrorContains(t, p.Validate(), "tier 1: below 500 ppm, want 1 to 499")
	p.Tiers[0].Rows[1] = tokenomics.SLARow{BelowPPM: 400, CreditBps: 2}
	require.ErrorContains(t, p.Validate(), "tier 1: credit of 2 bps, want 3 to 10000")
}
