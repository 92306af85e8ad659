package settlement_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/script"
	"github.com/idlegrid/idlegrid/settlement"
)

func TestTillScripts(t *testing.T) {
	script.Run(t, "testdata/till/*.script.txt", func(t *testing.T) func(script.Command) string {
		c := &counter{t: t, till: newTill(t), now: noon}
		return c.do
	})
}

// counter plays a script to a till. Minutes count from noon.
type counter struct {
	t    *testing.T
	till *settlement.Till
	now  time.Time
}

func (x *counter) do(c script.Command) string {
	x.now = x.now.Add(time.Second)
	switch c.Name {
	case "bill":
		b := bill(c.Str("id"))
		b.Units = c.Uint("units")
		b.Asset, b.Owner = x.asset(c), settlement.Account(c.Opt("owner", "desk"))
		b.Expires = x.minute(c, "expires")
		if c.Opt("remainder", "balance") == "payer" {
			b.Remainder = settlement.ToPayer
		}
		return x.apply(settlement.BillOpened{Bill: b})
	case "inflow":
		in := inflow(c.Str("tx"), c.Uint("units"), strings.Fields(c.Opt("refs", ""))...)
		in.Asset, in.ID.Account = x.asset(c), settlement.Account(c.Opt("account", "till-usdc"))
		in.Owner, in.Program = settlement.Account(c.Opt("owner", "desk")), settlement.Account(c.Opt("program", "token"))
		in.Payer, in.Memo, in.Arrived = settlement.Account(c.Opt("payer", "ann")), c.Opt("memo", ""), x.minute(c, "at")
		if c.Has("settles") {
			in.Settles, in.Program = x.minute(c, "settles"), ""
		}
		for _, item := range strings.Fields(c.Opt("transfers", "")) { // units:ref+ref
			var part settlement.Transfer
			sum, names, _ := strings.Cut(item, ":")
			_, err := fmt.Sscan(sum, &part.Units)
			require.NoError(x.t, err)
			part.Refs = refs(strings.FieldsFunc(names, func(r rune) bool { return r == '+' })...)
			in.Transfers = append(in.Transfers, part)
		}
		return x.apply(settlement.InflowSeen{Inflow: in})
	case "reversed":
		return x.apply(settlement.InflowReversed{Inflow: x.id(c), Cause: c.Str("cause"), Units: c.Uint("units")})
	case "through":
		return x.apply(settlement.SeenThrough{Time: x.minute(c, "at")})
	case "release":
		return x.apply(settlement.Released{Inflow: x.id(c), Units: c.Uint("units"), Bill: c.Opt("bill", ""), Customer: c.Opt("customer", "")})
	case "refund":
		return x.apply(settlement.RefundOrdered{Inflow: x.id(c), Units: c.Uint("units"), To: settlement.Account(c.Opt("to", ""))})
	case "refund-refused":
		for o := range x.till.Refunds() {
			if o.Inflow == x.id(c) {
				return x.apply(settlement.RefundRefused{Intent: o.Intent.ID})
			}
		}
		x.t.Fatalf("no refund of %q", x.id(c))
	case "treasury":
		return x.apply(settlement.TreasuryChanged{Account: settlement.Account(c.Str("account")), Trouble: c.Opt("trouble", "")})
	case "state":
		b, ok := x.till.Bill(c.Str("bill"))
		require.True(x.t, ok)
		return fmt.Sprintf("%s %d of %d", b.State, b.Paid, b.Bill.Units)
	case "books":
		return fmt.Sprintf("%+v", x.till.Totals(x.asset(c)))
	}
	x.t.Fatalf("unknown command %q", c.Name)
	return ""
}

func (x *counter) id(c script.Command) settlement.InflowID {
	return settlement.InflowID{Tx: c.Str("tx"), Account: settlement.Account(c.Opt("account", "till-usdc"))}
}

func (x *counter) asset(c script.Command) settlement.Asset {
	a, ok := map[string]settlement.Asset{
		"USDC": dollars, "IO": tokens, "card:usd": cents, "FAKE": {Mint: "FAKE", Decimals: 6}, "SOL": {Decimals: 9},
	}[c.Opt("asset", "USDC")]
	require.True(x.t, ok)
	return a
}

func (x *counter) minute(c script.Command, key string) time.Time {
	d, err := time.ParseDuration(c.Opt(key, "1m"))
	require.NoError(x.t, err)
	return noon.Add(d)
}

func (x *counter) apply(e settlement.TillEvent) string {
	before := x.till.Digest()
	effects, err := x.till.Apply(x.now, e)
	require.NoError(x.t, x.till.Audit())
	if err != nil {
		require.Equal(x.t, before, x.till.Digest())
		return "refused: " + err.Error()
	}
	return strings.Join(effectLines(effects), "\n")
}
