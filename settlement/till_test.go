package settlement_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
)

// The world of the till's tests: a treasury in dollars, one in tokens, and one at a card processor.
var (
	dollars = settlement.Asset{Mint: "USDC", Decimals: 6}
	tokens  = settlement.Asset{Mint: "IO", Decimals: 8}
	cents   = settlement.Asset{Mint: "card:usd", Decimals: 2}
	noon    = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
)

func tillParams() settlement.TillParams {
	return settlement.TillParams{
		Version: "test", WatchSeconds: 3600, MinCoin: 50,
		Treasuries: []settlement.Treasury{
			{Account: "till-usdc", Owner: "desk", Asset: dollars, Program: "token", MinRefund: 3},
			{Account: "till-io", Owner: "desk", Asset: tokens, Program: "token", MinRefund: 3},
			{Account: "card", Owner: "stripe", Asset: cents},
		},
	}
}

// ref is the reference of the bill with that ID.
func ref(id string) settlement.Reference {
	r, err := settlement.BillReference([]byte("a secret of a test"), id)
	if err != nil {
		panic(err)
	}
	return r
}

func refs(ids ...string) []settlement.Reference {
	var out []settlement.Reference
	for _, id := range ids {
		out = append(out, ref(id))
	}
	return out
}

// bill asks for 25 dollars of a customer who has an hour; a surplus beyond 10 is sent back.
func bill(id string) settlement.Bill {
	return settlement.Bill{
		ID: id, Customer: "cust-" + id, Asset: dollars, Owner: "desk", Units: 25, Reference: ref(id), Memo: "memo " + id,
		Expires: noon.Add(time.Hour), Remainder: settlement.ToBalance, RefundOver: 10,
	}
}

// inflow brings units into the treasury in dollars, one minute past noon.
func inflow(tx string, units uint64, ids ...string) settlement.Inflow {
	return settlement.Inflow{
		ID: settlement.InflowID{Tx: tx, Account: "till-usdc"}, Owner: "desk", Asset: dollars, Program: "token", Units: units,
		Payer: "ann", Arrived: noon.Add(time.Minute), Refs: refs(ids...),
	}
}

func newTill(t testing.TB) *settlement.Till {
	t.Helper()
	out, err := settlement.NewTill(tillParams())
	require.NoError(t, err)
	return out
}

// tell applies events, which must be accepted, audits after each, and returns the effects of all as text.
func tell(t testing.TB, till *settlement.Till, events ...settlement.TillEvent) string {
	t.Helper()
	var out []string
	for _, e := range events {
		effects, err := till.Apply(noon, e)
		require.NoError(t, err)
		require.NoError(t, till.Audit())
		out = append(out, effectLines(effects)...)
	}
	return strings.Join(out, "\n")
}

func effectLines(effects []settlement.TillEffect) []string {
	var out []string
	for _, e := range effects {
		out = append(out, effectLine(e))
	}
	return out
}

func effectLine(e settlement.TillEffect) string {
	pending := func(final bool) string {
		if final {
			return ""
		}
		return ", not final"
	}
	switch e := e.(type) {
	case settlement.Credited:
		return fmt.Sprintf("credited %s with %d of %s, lacks %d%s", e.Bill, e.Units, e.Inflow.Tx, e.Unpaid, pending(e.Final))
	case settlement.Balanced:
		return fmt.Sprintf("balance of %s: %d of %s, %s%s", e.Customer, e.Units, e.Inflow.Tx, e.Why, pending(e.Final))
	case settlement.Suspended:
		return strings.TrimSuffix(fmt.Sprintf("suspended %d of %s: %s; %s", e.Units, e.Inflow.Tx, e.Why, strings.Join(e.Bills, " ")), "; ")
	case settlement.Kept:
		return fmt.Sprintf("kept %d of %s for %s", e.Units, e.Inflow.Tx, e.Payer)
	case settlement.Owed:
		return fmt.Sprintf("owed %d of %s to %s for %q", e.Intent.Units, e.Inflow.Tx, e.Intent.To, e.Bill)
	case settlement.Lapsed:
		return fmt.Sprintf("lapsed %s with %d", e.Bill, e.Units)
	case settlement.Settled:
		return "settled " + e.Inflow.Tx
	case settlement.Reversed:
		return fmt.Sprintf("reversed %d of %s, bill %q, customer %q", e.Units, e.Inflow.Tx, e.Bill, e.Customer)
	case settlement.Alarmed:
		return fmt.Sprintf("alarm %s: %q", e.Account, e.Trouble)
	}
	panic(fmt.Sprintf("unknown effect %T", e))
}

// TestWhatCanCome has the rows of the intake's table: each is one inflow, or a few, for the open bill "a".
func TestWhatCanCome(t *testing.T) {
	change := func(in settlement.Inflow, f func(in *settlement.Inflow)) settlement.Inflow {
		f(&in)
		return in
	}
	back := bill("a")
	back.Remainder = settlement.ToPayer
	io := bill("io")
	io.Asset = tokens
	payer := bill("payer")
	payer.Payer, payer.Memo = "ann", ""
	after := noon.Add(time.Hour + time.Nanosecond)
	for _, row := range []struct {
		name    string
		bills   []settlement.Bill
		inflows []settlement.Inflow
		through time.Time // zero: nothing lapses
		want    string
	}{
		{"exact", nil, []settlement.Inflow{inflow("s1", 25, "a")}, after, "credited a with 25 of s1, lacks 0"},
		{"one unit less", nil, []settlement.Inflow{inflow("s1", 24, "a")}, time.Time{}, "credited a with 24 of s1, lacks 1"},
		{"in two parts", nil, []settlement.Inflow{inflow("s1", 24, "a"), inflow("s2", 1, "a")}, after, "credited a with 24 of s1, lacks 1\ncredited a with 1 of s2, lacks 0"},
		{"part at expiry", nil, []settlement.Inflow{inflow("s1", 20, "a")}, after, "credited a with 20 of s1, lacks 5\nlapsed a with 20\nbalance of cust-a: 20 of s1, part"},
		{"part in the last moment", nil, []settlement.Inflow{inflow("s1", 20, "a")}, noon.Add(time.Hour), "credited a with 20 of s1, lacks 5"},
		{"part at expiry, sent back", []settlement.Bill{back}, []settlement.Inflow{inflow("s1", 20, "a")}, after, "credited a with 20 of s1, lacks 5\nlapsed a with 20\nowed 20 of s1 to ann for \"a\""},
		{"part of dust at expiry", []settlement.Bill{back}, []settlement.Inflow{inflow("s1", 2, "a")}, after, "credited a with 2 of s1, lacks 23\nlapsed a with 2\nbalance of cust-a: 2 of s1, part"},
		{"parts of two payers, sent back", []settlement.Bill{back}, []settlement.Inflow{inflow("s1", 20, "a"), change(inflow("s2", 4, "a"), func(in *settlement.Inflow) { in.Payer = "bob" })}, after, "credited a with 20 of s1, lacks 5\ncredited a with 4 of s2, lacks 1\nlapsed a with 24\nowed 20 of s1 to ann for \"a\"\nowed 4 of s2 to bob for \"a\""},
		{"nothing at expiry", nil, nil, after, "lapsed a with 0"},
		{"more", nil, []settlement.Inflow{inflow("s1", 35, "a")}, after, "credited a with 25 of s1, lacks 0\nbalance of cust-a: 10 of s1, more"},
		{"more than the threshold", nil, []settlement.Inflow{inflow("s1", 36, "a")}, after, "credited a with 25 of s1, lacks 0\nowed 11 of s1 to ann for \"a\""},
		{"more, of nobody known", nil, []settlement.Inflow{change(inflow("s1", 36, "a"), func(in *settlement.Inflow) { in.Payer = "" })}, after, "credited a with 25 of s1, lacks 0\nbalance of cust-a: 11 of s1, more"},
		{"more, of our own", nil, []settlement.Inflow{change(inflow("s1", 36, "a"), func(in *settlement.Inflow) { in.Payer = "desk" })}, after, "credited a with 25 of s1, lacks 0\nbalance of cust-a: 11 of s1, more"},
		{"twice", nil, []settlement.Inflow{inflow("s1", 25, "a"), inflow("s2", 25, "a")}, after, "credited a with 25 of s1, lacks 0\nowed 25 of s2 to ann for \"a\""},
		{"seen twice", nil, []settlement.Inflow{inflow("s1", 25, "a"), inflow("s1", 25, "a")}, after, "credited a with 25 of s1, lacks 0"},
		{"late", nil, []settlement.Inflow{change(inflow("s1", 25, "a"), func(in *settlement.Inflow) { in.Arrived = after })}, time.Time{}, "balance of cust-a: 25 of s1, late"},
		{"in the last moment", nil, []settlement.Inflow{change(inflow("s1", 25, "a"), func(in *settlement.Inflow) { in.Arrived = noon.Add(time.Hour) })}, after, "credited a with 25 of s1, lacks 0"},
		{"late, sent back", []settlement.Bill{back}, []settlement.Inflow{change(inflow("s1", 25, "a"), func(in *settlement.Inflow) { in.Arrived = after })}, time.Time{}, "owed 25 of s1 to ann for \"a\""},
		{"wrong mint", nil, []settlement.Inflow{change(inflow("s1", 25, "a"), func(in *settlement.Inflow) {
			in.ID.Account, in.Asset.Mint = "elsewhere", "FAKE"
		})}, after, "suspended 25 of s1: unknown mint; a\nlapsed a with 0"},
		{"right mint, other decimals", nil, []settlement.Inflow{change(inflow("s1", 25, "a"), func(in *settlement.Inflow) { in.Asset.Decimals = 9 })}, after, "suspended 25 of s1: unknown mint; a\nlapsed a with 0"},
		{"mint of another treasury", nil, []settlement.Inflow{change(inflow("s1", 25, "a"), func(in *settlement.Inflow) {
			in.ID.Account, in.Asset = "till-io", tokens
		})}, after, "suspended 25 of s1: reference of a bill of another treasury; a\nlapsed a with 0"},
		{"other program", nil, []settlement.Inflow{change(inflow("s1", 25, "a"), func(in *settlement.Inflow) { in.Program = "token-2022" })}, after, "suspended 25 of s1: other token program; a\nlapsed a with 0"},
		{"native coin", nil, []settlement.Inflow{change(inflow("s1", 50, "a"), func(in *settlement.Inflow) {
			in.ID.Account, in.Asset, in.Program = "desk", settlement.Asset{Decimals: 9}, ""
		})}, after, "suspended 50 of s1: the chain's own coin; a\nlapsed a with 0"},
		{"native dust", nil, []settlement.Inflow{change(inflow("s1", 49, "a"), func(in *settlement.Inflow) {
			in.ID.Account, in.Asset, in.Program = "desk", settlement.Asset{Decimals: 9}, ""
		})}, time.Time{}, "kept 49 of s1 for ann"},
		{"another account of ours", nil, []settlement.Inflow{change(inflow("s1", 25, "a"), func(in *settlement.Inflow) { in.ID.Account = "vault" })}, after, "suspended 25 of s1: account of ours that is no treasury; a\nlapsed a with 0"},
		{"treasury given away", nil, []settlement.Inflow{change(inflow("s1", 25, "a"), func(in *settlement.Inflow) { in.Owner = "thief" })}, after, "suspended 25 of s1: account of ours that is no treasury; a\nlapsed a with 0"},
		{"dust", nil, []settlement.Inflow{inflow("s1", 2)}, time.Time{}, "kept 2 of s1 for ann"},
		{"least that is no dust", nil, []settlement.Inflow{inflow("s1", 3)}, time.Time{}, "suspended 3 of s1: no reference"},
		{"dust with a reference", nil, []settlement.Inflow{inflow("s1", 1, "a")}, time.Time{}, "credited a with 1 of s1, lacks 24"},
		{"no reference", nil, []settlement.Inflow{inflow("s1", 25)}, time.Time{}, "suspended 25 of s1: no reference"},
		{"a stranger's reference", nil, []settlement.Inflow{inflow("s1", 25, "z")}, time.Time{}, "suspended 25 of s1: no reference"},
		{"no reference, memo", nil, []settlement.Inflow{change(inflow("s1", 7), func(in *settlement.Inflow) { in.Memo = "memo a" })}, time.Time{}, "suspended 7 of s1: no reference; a"},
		{"no reference, payer and sum", []settlement.Bill{bill("a"), payer}, []settlement.Inflow{inflow("s1", 25)}, time.Time{}, "suspended 25 of s1: no reference; payer"},
		{"no reference, payer and another sum", []settlement.Bill{bill("a"), payer}, []settlement.Inflow{inflow("s1", 24)}, time.Time{}, "suspended 24 of s1: no reference"},
		{"a stranger's reference beside ours", nil, []settlement.Inflow{inflow("s1", 25, "z", "a")}, time.Time{}, "credited a with 25 of s1, lacks 0"},
		{"the same reference twice", nil, []settlement.Inflow{inflow("s1", 25, "a", "a")}, time.Time{}, "credited a with 25 of s1, lacks 0"},
		{"bill of another asset beside ours", []settlement.Bill{bill("a"), io}, []settlement.Inflow{inflow("s1", 25, "a", "io")}, time.Time{}, "credited a with 25 of s1, lacks 0"},
	} {
		t.Run(row.name, func(t *testing.T) {
			till := newTill(t)
			if row.bills == nil {
				row.bills = []settlement.Bill{bill("a")}
			}
			var events []settlement.TillEvent
			for _, b := range row.bills {
				events = append(events, settlement.BillOpened{Bill: b})
			}
			for _, in := range row.inflows {
				events = append(events, settlement.InflowSeen{Inflow: in})
			}
			if !row.through.IsZero() {
				events = append(events, settlement.SeenThrough{Time: row.through})
			}
			require.Equal(t, row.want, tell(t, till, events...))
		})
	}
}

// TestTwoReferences has the class of CVE-2022-35917: one payment that names several bills must not pay each of them.
func TestTwoReferences(t *testing.T) {
	part := func(units uint64, ids ...string) settlement.Transfer {
		return settlement.Transfer{Units: units, Refs: refs(ids...)}
	}
	for _, row := range []struct {
		name      string
		units     uint64
		transfers []settlement.Transfer
		paid      string // bill that is paid before
		want      string
	}{
		{"one transfer, both", 50, []settlement.Transfer{part(50, "a", "b")}, "", "suspended 50 of s1: several references; a b"},
		{"no transfer understood", 50, nil, "", "suspended 50 of s1: several references; a b"},
		{"one each", 50, []settlement.Transfer{part(25, "a"), part(25, "b")}, "", "credited a with 25 of s1, lacks 0\ncredited b with 25 of s1, lacks 0"},
		{"one each, in the other order", 45, []settlement.Transfer{part(25, "b"), part(20, "a")}, "", "credited b with 25 of s1, lacks 0\ncredited a with 20 of s1, lacks 5"},
		{"two for one", 45, []settlement.Transfer{part(10, "a"), part(20, "b"), part(15, "a")}, "", "credited a with 25 of s1, lacks 0\ncredited b with 20 of s1, lacks 5"},
		{"one each and one for both", 45, []settlement.Transfer{part(10, "a"), part(20, "b"), part(15, "a", "b")}, "", "credited a with 10 of s1, lacks 15\ncredited b with 20 of s1, lacks 5\nsuspended 15 of s1: several references; a b"},
		{"one each and one for none", 45, []settlement.Transfer{part(10, "a"), part(20, "b"), part(15)}, "", "credited a with 10 of s1, lacks 15\ncredited b with 20 of s1, lacks 5\nsuspended 15 of s1: several references; a b"},
		{"less is explained than came", 50, []settlement.Transfer{part(25, "a"), part(20, "b")}, "", "credited a with 25 of s1, lacks 0\ncredited b with 20 of s1, lacks 5\nsuspended 5 of s1: several references; b"},
		{"a fee was taken", 44, []settlement.Transfer{part(25, "a"), part(20, "b")}, "", "suspended 44 of s1: several references; a b"},
		{"sums beyond 64 bits", 44, []settlement.Transfer{part(math.MaxUint64, "a"), part(45, "b")}, "", "suspended 44 of s1: several references; a b"},
		{"one is paid already", 25, []settlement.Transfer{part(25, "a", "b")}, "a", "credited b with 25 of s1, lacks 0"},
		{"a transfer of nothing", 25, []settlement.Transfer{part(0, "a"), part(25, "b")}, "", "credited b with 25 of s1, lacks 0"},
	} {
		t.Run(row.name, func(t *testing.T) {
			till := newTill(t)
			tell(t, till, settlement.BillOpened{Bill: bill("a")}, settlement.BillOpened{Bill: bill("b")})
			if row.paid != "" {
				tell(t, till, settlement.InflowSeen{Inflow: inflow("s0", 25, row.paid)})
			}
			in := inflow("s1", row.units, "a", "b")
			in.Transfers = row.transfers
			require.Equal(t, row.want, tell(t, till, settlement.InflowSeen{Inflow: in}))
			require.Equal(t, row.units, func() uint64 { e, _ := till.Inflow(in.ID); return e.In }())
		})
	}
	// Both bills paid before: nobody's any more.
	till := newTill(t)
	tell(t, till, settlement.BillOpened{Bill: bill("a")}, settlement.BillOpened{Bill: bill("b")},
		settlement.InflowSeen{Inflow: inflow("s1", 25, "a")}, settlement.InflowSeen{Inflow: inflow("s2", 25, "b")})
	require.Equal(t, "suspended 9 of s3: several references", tell(t, till, settlement.InflowSeen{Inflow: inflow("s3", 9, "a", "b")}))
}

func TestTillRefuses(t *testing.T) {
	open := settlement.BillOpened{Bill: bill("a")}
	other := func(f func(b *settlement.Bill)) settlement.TillEvent {
		b := bill("b")
		f(&b)
		return settlement.BillOpened{Bill: b}
	}
	seen := func(f func(in *settlement.Inflow)) settlement.TillEvent {
		in := inflow("s9", 9)
		f(&in)
		return settlement.InflowSeen{Inflow: in}
	}
	long := strings.Repeat("x", 257)
	card := inflow("ch", 30)
	card.ID.Account, card.Owner, card.Asset, card.Program, card.Settles = "card", "stripe", cents, "", noon.Add(240*time.Hour)
	s1, ch := inflow("s1", 40).ID, card.ID
	none := settlement.InflowID{Tx: "none"}
	for name, row := range map[string]struct {
		event settlement.TillEvent
		is    error
		says  string
	}{
		"bill without ID":             {other(func(b *settlement.Bill) { b.ID = "" }), nil, "ID has 0 bytes, want 1 to 256"},
		"bill with a long ID":         {other(func(b *settlement.Bill) { b.ID = long }), nil, "ID has 257 bytes"},
		"bill without customer":       {other(func(b *settlement.Bill) { b.Customer = "" }), nil, "Customer has 0 bytes"},
		"bill of unknown asset":       {other(func(b *settlement.Bill) { b.Asset.Mint = "FAKE" }), nil, `Asset is in no treasury of owner "desk"`},
		"bill of unknown owner":       {other(func(b *settlement.Bill) { b.Owner = "vault" }), nil, `Asset is in no treasury of owner "vault"`},
		"bill of nothing":             {other(func(b *settlement.Bill) { b.Units = 0 }), nil, "Units is 0"},
		"bill without reference":      {other(func(b *settlement.Bill) { b.Reference = settlement.Reference{} }), nil, "Reference is zero"},
		"bill with a used reference":  {other(func(b *settlement.Bill) { b.Reference = ref("a") }), settlement.ErrConflict, `bill "b" has the reference of bill "a"`},
		"bill with a long memo":       {other(func(b *settlement.Bill) { b.Memo = long }), nil, "Memo has 257 bytes"},
		"bill with a long payer":      {other(func(b *settlement.Bill) { b.Payer = settlement.Account(long) }), nil, "Payer has 257 bytes"},
		"bill without expiry":         {other(func(b *settlement.Bill) { b.Expires = time.Time{} }), nil, "Expires is not set"},
		"bill that is expired":        {other(func(b *settlement.Bill) { b.Expires = noon }), nil, "Expires is 2026-01-01T12:00:00Z, which is past"},
		"bill without a policy":       {other(func(b *settlement.Bill) { b.Remainder = 0 }), nil, "Remainder is 0, want 1 or 2"},
		"bill of another sum":         {other(func(b *settlement.Bill) { b.ID = "a" }), settlement.ErrConflict, "was opened as"},
		"inflow without transaction":  {seen(func(in *settlement.Inflow) { in.ID.Tx = "" }), nil, "ID.Tx has 0 bytes"},
		"inflow without account":      {seen(func(in *settlement.Inflow) { in.ID.Account = "" }), nil, "ID.Account has 0 bytes"},
		"inflow without owner":        {seen(func(in *settlement.Inflow) { in.Owner = "" }), nil, "Owner has 0 bytes"},
		"inflow of nothing":           {seen(func(in *settlement.Inflow) { in.Units = 0 }), nil, "Units is 0"},
		"inflow of too much":          {seen(func(in *settlement.Inflow) { in.Units = math.MaxUint64 }), nil, "beyond 64 bits"},
		"inflow with a long payer":    {seen(func(in *settlement.Inflow) { in.Payer = settlement.Account(long) }), nil, "Payer has 257 bytes"},
		"inflow with a long memo":     {seen(func(in *settlement.Inflow) { in.Memo = long }), nil, "Memo has 257 bytes"},
		"inflow of no time":           {seen(func(in *settlement.Inflow) { in.Arrived = time.Time{} }), nil, "Arrived is not set"},
		"inflow that settles before":  {seen(func(in *settlement.Inflow) { in.Settles = noon }), nil, "Settles is 2026-01-01T12:00:00Z, before it arrived"},
		"inflow with many references": {seen(func(in *settlement.Inflow) { in.Refs = make([]settlement.Reference, 65) }), nil, "Refs has 65 addresses, want at most 64"},
		"inflow with many transfers":  {seen(func(in *settlement.Inflow) { in.Transfers = make([]settlement.Transfer, 65) }), nil, "Transfers has 65"},
		"transfer with many": {seen(func(in *settlement.Inflow) {
			in.Transfers = []settlement.Transfer{{Refs: make([]settlement.Reference, 65)}}
		}), nil, "Transfers [0].Refs has 65"},
		"inflow of other units":     {seen(func(in *settlement.Inflow) { in.ID, in.Units = s1, 41 }), settlement.ErrConflict, `inflow "s1/till-usdc" was seen as 40 units`},
		"inflow of another payer":   {seen(func(in *settlement.Inflow) { in.ID, in.Units, in.Payer = s1, 40, "bob" }), settlement.ErrConflict, "was seen as"},
		"order about no inflow":     {settlement.Released{Inflow: none, Units: 1, Bill: "a"}, settlement.ErrUnknownInflow, ""},
		"order of nothing":          {settlement.Released{Inflow: s1, Bill: "a"}, settlement.ErrFunds, "0 units"},
		"order of too much":         {settlement.Released{Inflow: s1, Units: 41, Bill: "a"}, settlement.ErrFunds, `41 units of "s1/till-usdc", want 1 to 40`},
		"order for nobody":          {settlement.Released{Inflow: s1, Units: 1}, nil, "want one of them"},
		"order for both":            {settlement.Released{Inflow: s1, Units: 1, Bill: "a", Customer: "c"}, nil, "want one of them"},
		"order for no bill":         {settlement.Released{Inflow: s1, Units: 1, Bill: "z"}, settlement.ErrUnknownBill, `"z"`},
		"order for another asset":   {settlement.Released{Inflow: ch, Units: 1, Bill: "a"}, nil, `Bill "a" is in mint "USDC", the inflow in "card:usd"`},
		"order for a paid bill":     {settlement.Released{Inflow: s1, Units: 1, Bill: "paid"}, settlement.ErrBillClosed, `bill "paid" is paid`},
		"refund of too much":        {settlement.RefundOrdered{Inflow: s1, Units: 41}, settlement.ErrFunds, ""},
		"refund to nobody":          {settlement.RefundOrdered{Inflow: ch, Units: 1}, nil, `To is "stripe"`},
		"refund to ourselves":       {settlement.RefundOrdered{Inflow: s1, Units: 1, To: "desk"}, nil, `To is "desk"`},
		"refund that never was":     {settlement.RefundRefused{}, settlement.ErrUnknownInflow, "was never owed"},
		"reversal of no inflow":     {settlement.InflowReversed{Inflow: none, Cause: "x", Units: 1}, settlement.ErrUnknownInflow, ""},
		"reversal of what is final": {settlement.InflowReversed{Inflow: s1, Cause: "x", Units: 1}, settlement.ErrSettled, ""},
		"reversal without cause":    {settlement.InflowReversed{Inflow: ch, Units: 1}, nil, "Cause has 0 bytes"},
		"reversal of too much":      {settlement.InflowReversed{Inflow: ch, Cause: "x", Units: 31}, settlement.ErrFunds, "want 1 to 30"},
		"trouble of no treasury":    {settlement.TreasuryChanged{Account: "vault"}, settlement.ErrUnknownTreasury, ""},
		"trouble too long":          {settlement.TreasuryChanged{Account: "card", Trouble: long}, nil, "Trouble has 257 bytes"},
		"nothing":                   {nil, settlement.ErrStale, ""},
	} {
		t.Run(name, func(t *testing.T) {
			till := newTill(t)
			paid := bill("paid")
			card.Payer = "stripe"
			tell(t, till, open, settlement.BillOpened{Bill: paid}, settlement.InflowSeen{Inflow: inflow("s0", 25, "paid")},
				settlement.InflowSeen{Inflow: inflow("s1", 40)}, settlement.InflowSeen{Inflow: card}, settlement.SeenThrough{Time: noon.Add(-time.Minute)})
			before := till.Digest()
			_, err := till.Apply(noon, row.event)
			require.Error(t, err)
			if row.is != nil {
				require.ErrorIs(t, err, row.is)
			}
			require.ErrorContains(t, err, row.says)
			require.Equal(t, before, till.Digest())
			require.NoError(t, till.Audit())
		})
	}
	till := newTill(t)
	tell(t, till, open)
	_, err := till.Apply(noon.Add(-1), open)
	require.ErrorIs(t, err, settlement.ErrTimeBackwards)
}

// TestRefundIsOneIntent: its ID comes from transaction, account and bill; what one inflow is owed for one bill a second time is
// counted; and nothing is owed beyond what came in.
func TestRefundIsOneIntent(t *testing.T) {
	till := newTill(t)
	b := bill("a")
	b.Remainder, b.RefundOver = settlement.ToPayer, 0
	tell(t, till, settlement.BillOpened{Bill: b}, settlement.InflowSeen{Inflow: inflow("s1", 40, "a")})
	owed := slices.Collect(till.Refunds())
	require.Len(t, owed, 1)
	want := settlement.Intent{
		ID:   settlement.NewIntentID(settlement.Refund, "refund", "s1", "till-usdc", "a"),
		Kind: settlement.Refund, Asset: dollars, From: "desk", To: "ann", Units: 15, Cause: `refund of s1/till-usdc for bill "a"`,
	}
	require.Equal(t, want, owed[0].Intent)

	// The journal refuses it: it is suspended, and goes to an address that the customer has confirmed.
	refused := settlement.RefundRefused{Intent: want.ID}
	require.Equal(t, "suspended 15 of s1: refund refused", tell(t, till, refused))
	require.Empty(t, tell(t, till, refused), "told again")
	require.Empty(t, slices.Collect(till.Refunds()))
	in := inflow("s1", 40).ID
	require.Equal(t, `owed 10 of s1 to ann2 for ""`, tell(t, till, settlement.RefundOrdered{Inflow: in, Units: 10, To: "ann2"}))
	require.Equal(t, `owed 5 of s1 to ann for ""`, tell(t, till, settlement.RefundOrdered{Inflow: in, Units: 5}))
	owed = slices.Collect(till.Refunds())
	require.Equal(t, settlement.NewIntentID(settlement.Refund, "refund", "s1", "till-usdc", ""), owed[0].Intent.ID)
	require.Equal(t, settlement.NewIntentID(settlement.Refund, "refund", "s1", "till-usdc", "", "2"), owed[1].Intent.ID)
	_, err := till.Apply(noon, settlement.RefundOrdered{Inflow: in, Units: 1})
	require.ErrorIs(t, err, settlement.ErrFunds)
	require.Equal(t, settlement.TillTotals{In: 40, Credited: 25, Owed: 15}, till.Totals(dollars))
}

func TestTreasuryInTrouble(t *testing.T) {
	till := newTill(t)
	frozen := settlement.TreasuryChanged{Account: "till-usdc", Trouble: "account is frozen"}
	require.Equal(t, `alarm till-usdc: "account is frozen"`, tell(t, till, frozen))
	require.Empty(t, tell(t, till, frozen))
	_, err := till.Apply(noon, settlement.BillOpened{Bill: bill("a")})
	require.ErrorIs(t, err, settlement.ErrTreasury)
	io := bill("a")
	io.Asset = tokens
	require.Empty(t, tell(t, till, settlement.BillOpened{Bill: io}), "the other one is not in trouble")
	require.Equal(t, `alarm till-usdc: ""`, tell(t, till, settlement.TreasuryChanged{Account: "till-usdc"}))
	require.Empty(t, tell(t, till, settlement.BillOpened{Bill: bill("b")}))
}

func TestReferencesAreWatched(t *testing.T) {
	till := newTill(t)
	long := bill("b")
	long.Expires = noon.Add(2 * time.Hour)
	tell(t, till, settlement.BillOpened{Bill: bill("a")}, settlement.BillOpened{Bill: long}, settlement.InflowSeen{Inflow: inflow("s1", 25, "a")})
	require.Equal(t, refs("a", "b"), slices.Collect(till.References()))
	tell(t, till, settlement.SeenThrough{Time: noon.Add(2 * time.Hour)}) // an hour after its expiry
	require.Equal(t, refs("a", "b"), slices.Collect(till.References()))
	tell(t, till, settlement.SeenThrough{Time: noon.Add(2*time.Hour + 1)})
	require.Equal(t, refs("b"), slices.Collect(till.References()))
	require.Equal(t, noon.Add(2*time.Hour+1), till.Through())
	require.Empty(t, tell(t, till, settlement.SeenThrough{Time: noon}), "a feed that is behind")
	require.Equal(t, noon.Add(2*time.Hour+1), till.Through())
}

func TestTillParamsRefused(t *testing.T) {
	for says, change := range map[string]func(p *settlement.TillParams){
		"Version has 0 bytes":                   func(p *settlement.TillParams) { p.Version = "" },
		"Treasuries has 0":                      func(p *settlement.TillParams) { p.Treasuries = nil },
		"Treasuries[1]: Account has 0 bytes":    func(p *settlement.TillParams) { p.Treasuries[1].Account = "" },
		"Treasuries[1]: Owner has 0 bytes":      func(p *settlement.TillParams) { p.Treasuries[1].Owner = "" },
		"Treasuries[1]: Asset.Mint has 0 bytes": func(p *settlement.TillParams) { p.Treasuries[1].Asset.Mint = "" },
		`Treasuries[1]: Account is "desk"`:      func(p *settlement.TillParams) { p.Treasuries[1].Account = "desk" },
		`account "till-usdc" stands twice`:      func(p *settlement.TillParams) { p.Treasuries[1].Account = "till-usdc" },
		`owner "desk" has another treasury of mint "IO"`: func(p *settlement.TillParams) {
			p.Treasuries = append(p.Treasuries, settlement.Treasury{Account: "x", Owner: "desk", Asset: tokens})
		},
		"WatchSeconds is": func(p *settlement.TillParams) { p.WatchSeconds = 10*366*86400 + 1 },
	} {
		p := tillParams()
		change(&p)
		require.ErrorContains(t, p.Validate(), says)
		_, err := settlement.NewTill(p)
		require.ErrorContains(t, err, says)
		_, err = settlement.RestoreTill(p, nil)
		require.ErrorContains(t, err, says)
	}
	till := newTill(t)
	p := till.Params()
	p.Treasuries[0].Account = "mine"
	require.Equal(t, tillParams(), till.Params(), "what Params returns is the caller's")
}

func TestBillReference(t *testing.T) {
	secret := []byte("0123456789abcdef")
	a, err := settlement.BillReference(secret, "a")
	require.NoError(t, err)
	b, err := settlement.BillReference(secret, "b")
	require.NoError(t, err)
	c, err := settlement.BillReference([]byte("0123456789abcdeg"), "a")
	require.NoError(t, err)
	require.NotEqual(t, a, b)
	require.NotEqual(t, a, c)
	_, err = settlement.BillReference(secret[:15], "a")
	require.ErrorContains(t, err, "secret has 15 bytes, want at least 16")
	require.NotContains(t, err.Error(), "0123")
}
