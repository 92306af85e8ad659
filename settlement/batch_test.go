package settlement_test

import (
	"errors"
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
	refund := pay("ann", 2, "refund")
	refund.Kind = settlement.Refund
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
			"refunds like payments, a swap alone",
			[]settlement.Intent{swap(3, "b"), swap(3, "a"), burn(1, "c"), refund},
			[]string{"7/4/0: refund vault→ann 2 IO", "7/5/0: burn vault 1 IO", "7/6/0: swap desk→treasury 3 IO", "7/6/1: swap desk→treasury 3 IO"},
		},
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
		{"Kind is 6", []settlement.Intent{with(func(in *settlement.Intent) { in.Kind = 6 })}},
		{"Into or Least is given", []settlement.Intent{with(func(in *settlement.Intent) { in.Least = 1 })}},
		{"Into is unknown", []settlement.Intent{{ID: settlement.IntentID{1}, Kind: settlement.Swap, Asset: io, From: "desk", Units: 1, Into: io, Least: 1}}},
		{"Least is 0", []settlement.Intent{{ID: settlement.IntentID{1}, Kind: settlement.Swap, Asset: io, From: "desk", Units: 1, Into: usdc}}},
		{`Bundle is "x", a swap`, []settlement.Intent{bundled(swap(1, "a"), "x")}},
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

	both := []settlement.Intent{pay("ann", 1, "a"), burn(1, "b")}
	_, err = settlement.Plan(params(), 7, settlement.Overflow-1, both[:1])
	require.NoError(t, err, "the last lane")
	for _, first := range []uint32{settlement.Overflow - 1, settlement.Overflow} {
		_, err = settlement.Plan(params(), 7, first, both)
		require.ErrorIs(t, err, settlement.ErrLanes)
	}
}

// fewest is the fewest batches that lines can be cut into, by trying every way: each line goes to every batch it may share, and
// to a new one. It knows the rules and nothing of lanes.
func fewest(lines []settlement.Intent, size int) int {
	mayShare := func(a, b settlement.Intent) bool {
		class := func(k settlement.Kind) int {
			return map[settlement.Kind]int{settlement.Burn: 1, settlement.Swap: 2}[k]
		}
		if a.Bundle != b.Bundle {
			return false
		}
		return a.Bundle != "" || class(a.Kind) == class(b.Kind) && a.Kind != settlement.Swap && a.Asset == b.Asset && a.From == b.From
	}
	best := len(lines)
	var batches [][]settlement.Intent
	var try func(i int)
	try = func(i int) {
		if len(batches) >= best && i < len(lines) || len(batches) > best {
			return
		}
		if i == len(lines) {
			best = len(batches)
			return
		}
		for b := range batches {
			if len(batches[b]) < size && mayShare(batches[b][0], lines[i]) {
				batches[b] = append(batches[b], lines[i])
				try(i + 1)
				batches[b] = batches[b][:len(batches[b])-1]
			}
		}
		batches = append(batches, []settlement.Intent{lines[i]})
		try(i + 1)
		batches = batches[:len(batches)-1]
	}
	try(0)
	return best
}

// TestPlanIsOptimal compares the number of batches with brute force, for every size of batch.
func TestPlanIsOptimal(t *testing.T) {
	cut := 0
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 7))
		in := make([]settlement.Intent, 1+r.IntN(12))
		for i := range in { // of different recipients: an intent is a line
			in[i] = pay(settlement.Account(fmt.Sprint("to", i)), 1, fmt.Sprint(i))
			in[i].Kind = []settlement.Kind{settlement.Pay, settlement.Pay, settlement.Move, settlement.Refund, settlement.Burn, settlement.Swap}[r.IntN(6)]
			in[i].From = settlement.Account(fmt.Sprint("vault", r.IntN(2)))
			switch {
			case in[i].Kind == settlement.Burn:
				in[i].To, in[i].From = "", settlement.Account(fmt.Sprint("vault", i))
			case in[i].Kind == settlement.Swap:
				in[i].Into, in[i].Least = usdc, 1
			case r.IntN(5) == 0:
				in[i].Bundle = fmt.Sprint("bundle", i%2)
			}
		}
		for size := 1; size <= 5; size++ {
			p := params()
			p.MaxLines = uint16(size)
			plan, err := settlement.Plan(p, 1, 0, in)
			if bad := (*settlement.IntentError)(nil); errors.As(err, &bad) {
				require.Equal(t, "Bundle", bad.Field)
				continue
			}
			require.NoError(t, err)
			require.Len(t, plan, fewest(in, size), "seed %d, size %d: %v", seed, size, in)
			if len(plan) < len(in) {
				cut++
			}
		}
	}
	require.Greater(t, cut, 100, "most cases have something to pack")
}

func TestParams(t *testing.T) {
	require.NoError(t, settlement.IONet().Validate())
	for want, change := range map[string]func(p *settlement.Params){
		"Version is empty":                  func(p *settlement.Params) { p.Version = "" },
		"MaxLines is 0":                     func(p *settlement.Params) { p.MaxLines = 0 },
		"MaxLines is 1001":                  func(p *settlement.Params) { p.MaxLines = 1001 },
		"Quorum is 0, want 1 to 16":         func(p *settlement.Params) { p.Quorum = 0 },
		"Quorum is 17":                      func(p *settlement.Params) { p.Quorum = 17 },
		"ReclaimAfterSeconds is 315360001":  func(p *settlement.Params) { p.ReclaimAfterSeconds = 315360001 },
		`Limits[0]: mint "DOGE" is not`:     func(p *settlement.Params) { p.Limits = []settlement.Limit{{Mint: "DOGE"}} },
		`Limits[1]: mint "IO" stands twice`: func(p *settlement.Params) { p.Limits = []settlement.Limit{{Mint: "IO"}, {Mint: "IO"}} },
		"MinPay is 3, more than MaxLine, 2": func(p *settlement.Params) { p.Limits = []settlement.Limit{{Mint: "IO", MinPay: 3, MaxLine: 2}} },
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
	p := params()
	p.Quorum, p.ReclaimAfterSeconds = 16, 315360000
	p.Limits = []settlement.Limit{{Mint: "IO", MinPay: 3, MaxLine: 3}, {Mint: "USDC", MinPay: 1}}
	require.NoError(t, p.Validate())
	for _, n := range []uint16{1, 1000} {
		p := params()
		p.MaxLines = n
		require.NoError(t, p.Validate())
	}
}

// worldParams know what swaps of world get.
func worldParams() settlement.Params {
	p := params()
	p.Assets = append(p.Assets, settlement.Asset{Mint: "GAS"})
	return p
}

// world draws intents from a seed: few accounts, so that much has to be summed, and some bundles of one line or two.
func world(seed uint64, n int) []settlement.Intent {
	r := rand.New(rand.NewPCG(seed, 1))
	out := make([]settlement.Intent, n)
	for i := range out {
		in := pay(settlement.Account(fmt.Sprint("acc", r.IntN(9))), r.Uint64N(1000)+1, fmt.Sprint(seed, i))
		in.From = settlement.Account(fmt.Sprint("vault", r.IntN(2)))
		in.Asset = []settlement.Asset{io, usdc}[r.IntN(2)]
		in.Kind = settlement.Kind(r.IntN(5) + 1)
		switch in.Kind {
		case settlement.Burn:
			in.To = ""
		case settlement.Swap:
			in.Into, in.Least = settlement.Asset{Mint: "GAS"}, r.Uint64N(9)+1
		case settlement.Pay, settlement.Move, settlement.Refund:
		}
		if in.Kind != settlement.Swap && r.IntN(8) == 0 {
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
		got, err := settlement.Plan(worldParams(), 7, 4, in)
		require.NoError(t, err)

		shuffled := slices.Clone(in)
		rand.New(rand.NewPCG(seed, 2)).Shuffle(len(in), func(i, k int) { shuffled[i], shuffled[k] = shuffled[k], shuffled[i] })
		again, err := settlement.Plan(worldParams(), 7, 4, shuffled)
		require.NoError(t, err)
		require.Equal(t, got, again, "the order of the intents is of no account")

		key := func(k settlement.Kind, a settlement.Asset, from, to settlement.Account, bundle string) string {
			return fmt.Sprint(k, a, from, to, bundle)
		}
		want := map[string]*big.Int{}
		for _, x := range in {
			k := key(x.Kind, x.Asset, x.From, x.To, x.Bundle)
			if x.Kind == settlement.Swap { // never summed
				k = x.ID.String()
			}
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
				full := got[i-1].ID.Lane != b.ID.Lane || b.Bundle != "" || len(got[i-1].Lines) == 3 || b.Lines[0].Kind == settlement.Swap
				require.True(t, full, "a batch is begun only when the one before is full")
			}
			for _, l := range b.Lines {
				k := key(l.Kind, l.Asset, l.From, l.To, b.Bundle)
				if l.Kind == settlement.Swap {
					require.Len(t, b.Lines, 1)
					k = l.Intents[0].String()
				}
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
	plan, err := settlement.Plan(worldParams(), 7, 0, world(7, 40))
	require.NoError(t, err)
	var b strings.Builder
	for _, x := range plan {
		fmt.Fprintf(&b, "%-8s %-9s %s\n", x.ID, x.Bundle, lines(x))
	}
	golden.Check(t, filepath.Join("testdata", "plan.golden"), b.String())
}
