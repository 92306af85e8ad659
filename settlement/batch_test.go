package settlement_test

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/golden"
	"github.com/idlegrid/idlegrid/settlement"
)

func TestPlan(t *testing.T) {
	dollars := pay("ann", 5, "dollars")
	dollars.Asset = usdc
	desk := pay("ann", 5, "desk")
	desk.From = "desk"
	for _, row := range []struct {
		name string
		in   []settlement.Intent
		want []string
	}{
		{"nothing", nil, nil},
		{"one", []settlement.Intent{pay("ann", 5, "a")}, []string{"7/4/0: pay vault→ann 5 IO"}},
		{"summed", []settlement.Intent{pay("ann", 5, "a"), pay("bob", 1, "b"), pay("ann", 2, "c")}, []string{"7/4/0: pay vault→ann 7 IO, pay vault→bob 1 IO"}},
		{"MaxLines", []settlement.Intent{pay("c", 1, "1"), pay("a", 1, "2"), pay("b", 1, "3")}, []string{"7/4/0: pay vault→a 1 IO, pay vault→b 1 IO, pay vault→c 1 IO"}},
		{
			"MaxLines and one",
			[]settlement.Intent{pay("d", 1, "0"), pay("c", 1, "1"), pay("a", 1, "2"), pay("b", 1, "3")},
			[]string{"7/4/0: pay vault→a 1 IO, pay vault→b 1 IO, pay vault→c 1 IO", "7/4/1: pay vault→d 1 IO"},
		},
		{
			"a lane each",
			[]settlement.Intent{burn(9, "burn"), dollars, desk, pay("ann", 5, "a")},
			[]string{"7/4/0: pay desk→ann 5 IO", "7/5/0: pay vault→ann 5 IO", "7/6/0: pay vault→ann 5 USDC", "7/7/0: burn vault 9 IO"},
		},
		{"burns summed", []settlement.Intent{burn(9, "a"), burn(2, "b")}, []string{"7/4/0: burn vault 11 IO"}},
		{
			"bundles last",
			[]settlement.Intent{bundled(pay("ann", 1, "a"), "y"), bundled(burn(2, "b"), "y"), bundled(pay("ann", 3, "c"), "x"), pay("ann", 4, "d")},
			[]string{"7/4/0: pay vault→ann 4 IO", "7/5/0: pay vault→ann 3 IO", "7/5/1: burn vault 2 IO, pay vault→ann 1 IO"},
		},
		{"the largest sum", []settlement.Intent{pay("ann", math.MaxUint64-1, "a"), pay("ann", 1, "b")}, []string{"7/4/0: pay vault→ann 18446744073709551615 IO"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := settlement.Plan(params(), 7, 4, row.in)
			require.NoError(t, err)
			var text []string
			for _, b := range got {
				text = append(text, b.ID.String()+": "+lines(b))
			}
			require.Equal(t, row.want, text)
		})
	}
}

func TestPlanRefuses(t *testing.T) {
	with := func(f func(in *settlement.Intent)) settlement.Intent {
		in := pay("ann", 1, "a")
		f(&in)
		return in
	}
	for _, row := range []struct {
		field string
		in    []settlement.Intent
	}{
		{"ID is zero", []settlement.Intent{with(func(in *settlement.Intent) { in.ID = settlement.IntentID{} })}},
		{"Kind is 0", []settlement.Intent{with(func(in *settlement.Intent) { in.Kind = 0 })}},
		{"Kind is 4", []settlement.Intent{with(func(in *settlement.Intent) { in.Kind = 4 })}},
		{`Asset is unknown: mint "DOGE" with 8 decimals`, []settlement.Intent{with(func(in *settlement.Intent) { in.Asset.Mint = "DOGE" })}},
		{`Asset is unknown: mint "IO" with 9 decimals`, []settlement.Intent{with(func(in *settlement.Intent) { in.Asset.Decimals = 9 })}},
		{"From is empty", []settlement.Intent{with(func(in *settlement.Intent) { in.From = "" })}},
		{"To is empty", []settlement.Intent{with(func(in *settlement.Intent) { in.To = "" })}},
		{`To is "ann", a burn has none`, []settlement.Intent{with(func(in *settlement.Intent) { in.Kind = settlement.Burn })}},
		{`To is "vault", the same as From`, []settlement.Intent{with(func(in *settlement.Intent) { in.To = "vault" })}},
		{"Units is 0", []settlement.Intent{with(func(in *settlement.Intent) { in.Units = 0 })}},
		{`Units take the sum paid to "ann" beyond 64 bits`, []settlement.Intent{pay("ann", math.MaxUint64, "a"), pay("ann", 1, "b")}},
		{`Bundle "x" needs 4 lines, MaxLines is 3`, []settlement.Intent{
			bundled(pay("a", 1, "a"), "x"), bundled(pay("b", 1, "b"), "x"), bundled(pay("c", 1, "c"), "x"), bundled(pay("d", 1, "d"), "x"),
		}},
	} {
		t.Run(row.field, func(t *testing.T) {
			_, err := settlement.Plan(params(), 7, 0, row.in)
			var bad *settlement.IntentError
			require.ErrorAs(t, err, &bad)
			require.ErrorContains(t, err, row.field)
			require.True(t, strings.HasPrefix(row.field, bad.Field))
		})
	}
	_, err := settlement.Plan(params(), 7, 0, []settlement.Intent{pay("ann", 1, "a"), pay("bob", 1, "b"), pay("ann", 1, "a")})
	require.ErrorIs(t, err, settlement.ErrConflict)
	_, err = settlement.Plan(settlement.Params{}, 7, 0, nil)
	require.ErrorContains(t, err, "Version is empty")
}

func TestParams(t *testing.T) {
	require.NoError(t, settlement.IONet().Validate())
	for want, change := range map[string]func(p *settlement.Params){
		"Version is empty":                  func(p *settlement.Params) { p.Version = "" },
		"MaxLines is 0":                     func(p *settlement.Params) { p.MaxLines = 0 },
		"MaxLines is 1001":                  func(p *settlement.Params) { p.MaxLines = 1001 },
		"Assets is empty":                   func(p *settlement.Params) { p.Assets = nil },
		"Assets[1]: Mint is empty":          func(p *settlement.Params) { p.Assets[1].Mint = "" },
		`Assets[1]: mint "IO" stands twice`: func(p *settlement.Params) { p.Assets[1].Mint = "IO" },
	} {
		p := params()
		change(&p)
		require.ErrorContains(t, p.Validate(), want)
		_, err := settlement.NewJournal(p)
		require.ErrorContains(t, err, want)
	}
	for _, n := range []uint16{1, 1000} {
		p := params()
		p.MaxLines = n
		require.NoError(t, p.Validate())
	}
}

// world draws intents from a seed: few accounts, so that much has to be summed, and some bundles of one line or two.
func world(seed uint64, n int) []settlement.Intent {
	r := rand.New(rand.NewPCG(seed, 1))
	out := make([]settlement.Intent, n)
	for i := range out {
		in := pay(settlement.Account(fmt.Sprint("acc", r.IntN(9))), r.Uint64N(1000)+1, fmt.Sprint(seed, i))
		in.From = settlement.Account(fmt.Sprint("vault", r.IntN(2)))
		in.Asset = []settlement.Asset{io, usdc}[r.IntN(2)]
		in.Kind = settlement.Kind(r.IntN(3) + 1)
		if in.Kind == settlement.Burn {
			in.To = ""
		}
		if r.IntN(8) == 0 {
			in.Bundle = fmt.Sprint("bundle", i/2)
		}
		in.ID = settlement.NewIntentID(in.Kind, in.Cause)
		out[i] = in
	}
	return out
}

// FuzzPlan compares a plan with an obvious one: sums in a map of big numbers, and rules checked one by one.
func FuzzPlan(f *testing.F) {
	f.Add(uint64(1), uint16(40))
	f.Add(uint64(2), uint16(0))
	f.Fuzz(func(t *testing.T, seed uint64, n uint16) {
		in := world(seed, int(n%200))
		got, err := settlement.Plan(params(), 7, 4, in)
		require.NoError(t, err)

		shuffled := slices.Clone(in)
		rand.New(rand.NewPCG(seed, 2)).Shuffle(len(in), func(i, k int) { shuffled[i], shuffled[k] = shuffled[k], shuffled[i] })
		again, err := settlement.Plan(params(), 7, 4, shuffled)
		require.NoError(t, err)
		require.Equal(t, got, again, "the order of the intents is of no account")

		key := func(k settlement.Kind, a settlement.Asset, from, to settlement.Account, bundle string) string {
			return fmt.Sprint(k, a, from, to, bundle)
		}
		want := map[string]*big.Int{}
		for _, x := range in {
			k := key(x.Kind, x.Asset, x.From, x.To, x.Bundle)
			if want[k] == nil {
				want[k] = new(big.Int)
			}
			want[k].Add(want[k], new(big.Int).SetUint64(x.Units))
		}
		carried := 0
		for i, b := range got {
			require.NotEmpty(t, b.Lines)
			require.LessOrEqual(t, len(b.Lines), 3)
			if i > 0 {
				require.Negative(t, got[i-1].ID.Compare(b.ID))
				full := got[i-1].ID.Lane != b.ID.Lane || b.Bundle != "" || len(got[i-1].Lines) == 3
				require.True(t, full, "a batch is begun only when the one before is full")
			}
			for _, l := range b.Lines {
				k := key(l.Kind, l.Asset, l.From, l.To, b.Bundle)
				require.Equal(t, want[k].String(), fmt.Sprint(l.Units))
				delete(want, k)
				carried += len(l.Intents)
				if b.Bundle == "" {
					require.Equal(t, b.Lines[0].Asset, l.Asset)
					require.Equal(t, b.Lines[0].From, l.From)
					require.Equal(t, b.Lines[0].Kind == settlement.Burn, l.Kind == settlement.Burn)
				}
			}
		}
		require.Empty(t, want)
		require.Equal(t, len(in), carried)
	})
}

func TestPlanGolden(t *testing.T) {
	plan, err := settlement.Plan(params(), 7, 0, world(7, 40))
	require.NoError(t, err)
	var b strings.Builder
	for _, x := range plan {
		fmt.Fprintf(&b, "%-8s %-9s %s\n", x.ID, x.Bundle, lines(x))
	}
	golden.Check(t, filepath.Join("testdata", "plan.golden"), b.String())
}
