package tokenomics

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"

	"github.com/shopspring/decimal"
)

// wholePPM is all of the time in parts per million.
const wholePPM = 1_000_000

// ErrSLA is returned for an invalid [SLAParams], for an attainment that is none, and for a tier without rows.
var ErrSLA = errors.New("tokenomics: invalid SLA credit")

// SLARow grants a credit below an attainment.
type SLARow struct {
	// BelowPPM is the attainment, in parts per million of the time, from which on the row no longer grants: 1 to 1,000,000.
	BelowPPM uint32 `json:"below_ppm"`
	// CreditBps is the credit in basis points of the invoice, at most 10,000.
	CreditBps uint32 `json:"credit_bps"`
}

// SLATier holds the rows of one tier of service.
type SLATier struct {
	// Tier is its number, by which an attainment is looked up.
	Tier uint8 `json:"tier"`
	// Rows are in descending order of BelowPPM with ascending credits, at least one.
	Rows []SLARow `json:"rows"`
}

// SLAParams is a table of credits for service that was worse than promised.
type SLAParams struct {
	// Version names the table; a change of any value needs a new one.
	Version string `json:"version"`
	// Tiers are in ascending order of their number, at least one.
	Tiers []SLATier `json:"tiers"`
}

// DefaultSLA returns a ladder that is wholly our choice: io.net has a text to sign under /v1/io/sla without a number in
// it. The tiers are those of connectivity, 1 to 4, and their targets 99, 99.5, 99.9 and 99.95 % of the time. Below its
// target a tier grants a tenth of the invoice, below 95, 95, 99 and 99.5 % a quarter, and below 90 % all of it.
func DefaultSLA() SLAParams {
	ladder := func(target, second uint32) []SLARow {
		return []SLARow{{target, 1_000}, {second, 2_500}, {900_000, 10_000}}
	}
	return SLAParams{Version: "idlegrid/sla/1", Tiers: []SLATier{
		{1, ladder(990_000, 950_000)},
		{2, ladder(995_000, 950_000)},
		{3, ladder(999_000, 990_000)},
		{4, ladder(999_500, 995_000)},
	}}
}

// Validate returns [ErrSLA] and what is wrong, or nil.
func (p SLAParams) Validate() error {
	if p.Version == "" || len(p.Tiers) == 0 {
		return fmt.Errorf("%w: version %s with %d tiers", ErrSLA, quote(p.Version), len(p.Tiers))
	}
	for i, t := range p.Tiers {
		if i > 0 && t.Tier <= p.Tiers[i-1].Tier {
			return fmt.Errorf("%w: tier %d after tier %d", ErrSLA, t.Tier, p.Tiers[i-1].Tier)
		}
		if len(t.Rows) == 0 {
			return fmt.Errorf("%w: tier %d has no rows", ErrSLA, t.Tier)
		}
		before := SLARow{BelowPPM: wholePPM + 1}
		for _, r := range t.Rows {
			switch {
			case r.BelowPPM == 0 || r.BelowPPM >= before.BelowPPM:
				return fmt.Errorf("%w: tier %d: below %d ppm, want 1 to %d", ErrSLA, t.Tier, r.BelowPPM, before.BelowPPM-1)
			case r.CreditBps <= before.CreditBps || r.CreditBps > wholeBps:
				return fmt.Errorf("%w: tier %d: credit of %d bps, want %d to %d",
					ErrSLA, t.Tier, r.CreditBps, before.CreditBps+1, wholeBps)
			}
			before = r
		}
	}
	return nil
}

// Attainment is how much of the time the service was as promised.
type Attainment struct {
	// Good of Total seconds were; Good is at most Total, and Total is not 0.
	Good  uint64 `json:"good,string"`
	Total uint64 `json:"total,string"`
}

// below reports whether good/total < ppm/10^6, exactly, by cross-multiplication in 128 bits.
func (a Attainment) below(ppm uint32) bool {
	hi, lo := bits.Mul64(a.Good, wholePPM)
	wantHi, wantLo := bits.Mul64(a.Total, uint64(ppm))
	return hi < wantHi || hi == wantHi && lo < wantLo
}

// SLACredit is what goes back to a renter for one invoice. Its parts add up: Credit and Remainder are Exact.
type SLACredit struct {
	// Version and Tier name the rows that were looked at, Row the one that granted the credit; without a credit it is zero.
	Version string `json:"version"`
	Tier    uint8  `json:"tier"`
	Row     SLARow `json:"row"`
	// Exact is the credit in dollars as the row says.
	Exact decimal.Decimal `json:"exact"`
	// Credit is what is paid out: Exact, rounded down to a millionth of a dollar. It never exceeds the invoice.
	Credit USD `json:"credit"`
	// Remainder is what the rounding keeps, less than a millionth of a dollar, for the caller to carry or drop.
	Remainder decimal.Decimal `json:"remainder"`
}

// MarshalJSON writes the decimals as strings, whatever the global settings of the decimal package say.
func (c SLACredit) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Version   string `json:"version"`
		Tier      uint8  `json:"tier"`
		Row       SLARow `json:"row"`
		Exact     string `json:"exact"`
		Credit    USD    `json:"credit"`
		Remainder string `json:"remainder"`
	}{c.Version, c.Tier, c.Row, c.Exact.String(), c.Credit, c.Remainder.String()})
}

// Credit returns what an attainment grants on an invoice of the given dollars: the credit of the lowest row that it is
// below, none if it is below none. An attainment that is exactly at a row's bound is not below it. It fails with [ErrSLA].
func (p SLAParams) Credit(tier uint8, a Attainment, invoice USD) (SLACredit, error) {
	if err := p.Validate(); err != nil {
		return SLACredit{}, err
	}
	if a.Total == 0 || a.Good > a.Total {
		return SLACredit{}, fmt.Errorf("%w: %d good of %d seconds", ErrSLA, a.Good, a.Total)
	}
	c := SLACredit{Version: p.Version, Tier: tier}
	known := false
	for _, t := range p.Tiers {
		if t.Tier != tier {
			continue
		}
		known = true
		for _, r := range t.Rows {
			if a.below(r.BelowPPM) {
				c.Row = r
			}
		}
	}
	if !known {
		return SLACredit{}, fmt.Errorf("%w: the table %s has no tier %d", ErrSLA, quote(p.Version), tier)
	}
	var err error
	if c.Credit, err = invoice.MulDiv(uint64(c.Row.CreditBps), wholeBps, Down); err != nil {
		return SLACredit{}, err
	}
	c.Exact = invoice.Decimal().Mul(decimal.New(int64(c.Row.CreditBps), -4))
	c.Remainder = c.Exact.Sub(c.Credit.Decimal())
	return c, nil
}
