package settlement_test

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
)

func lotParams() settlement.LotParams {
	io, usdc := swapAssets()
	return settlement.LotParams{In: usdc, Into: io, Wallet: "swapper", Treasury: "treasury", Moves: "moves"}
}

// paidLot is what the journal says of a lot's swap that landed.
func paidLot(l settlement.Lot, got uint64) settlement.Paid {
	return settlement.Paid{Batch: settlement.BatchID{Epoch: 7}, Tx: "tx", Slot: 9, Got: got, Intents: []settlement.IntentID{l.Swap().ID}}
}

func TestLot(t *testing.T) {
	io, usdc := swapAssets()
	bills := []settlement.LotBill{{"c", 10, 40}, {"a", 30, 130}, {"b", 60, 250}}
	l, err := settlement.NewLot(lotParams(), "2026-01-01T12", 400, bills)
	require.NoError(t, err)
	require.Equal(t, settlement.Intent{
		ID: settlement.NewIntentID(settlement.Swap, "lot", "2026-01-01T12"), Kind: settlement.Swap, Asset: usdc, From: "swapper", To: "treasury",
		Units: 100, Into: io, Least: 400, Cause: "lot 2026-01-01T12: 3 bills",
	}, l.Swap())
	_, err = settlement.Plan(settlement.IONet(), 7, 0, []settlement.Intent{l.Swap()})
	require.NoError(t, err, "the journal takes it")

	b, err := l.Settle(paidLot(l, 417))
	require.NoError(t, err)
	require.NoError(t, b.Audit())
	// 417 by 30, 60 and 10 of 100: cumulative floors 125, 375, 417.
	require.Equal(t, []settlement.LotShare{{"a", 30, 130, 125}, {"b", 60, 250, 250}, {"c", 10, 40, 42}}, b.Shares)
	require.EqualValues(t, 2, b.Gain)
	require.EqualValues(t, 5, b.Loss)
	after, err := l.After(b)
	require.NoError(t, err)
	require.Len(t, after, 2)
	require.Equal(t, settlement.Intent{
		ID: settlement.NewIntentID(settlement.Move, "lot", "2026-01-01T12", "surplus"), Kind: settlement.Move, Asset: io,
		From: "swapper", To: "treasury", Units: 17, Cause: "lot 2026-01-01T12: surplus",
	}, after[0])
	require.Equal(t, settlement.Account("moves"), after[1].From, "a loss is the named account's")
	require.EqualValues(t, 3, after[1].Units)
	_, err = settlement.Plan(settlement.IONet(), 7, 0, after)
	require.NoError(t, err)

	b, err = l.Settle(paidLot(l, 500))
	require.NoError(t, err)
	after, err = l.After(b)
	require.NoError(t, err)
	require.Equal(t, settlement.Account("moves"), after[1].To, "and so is a gain")
	require.EqualValues(t, 80, after[1].Units)

	l, err = settlement.NewLot(lotParams(), "x", 420, bills)
	require.NoError(t, err)
	b, err = l.Settle(paidLot(l, 420))
	require.NoError(t, err)
	after, err = l.After(b)
	require.NoError(t, err)
	require.Empty(t, after, "nothing above the least, and no move on balance")
}

func TestLotRefuses(t *testing.T) {
	one := []settlement.LotBill{{"a", 1, 1}}
	for want, row := range map[string]struct {
		params func(p *settlement.LotParams)
		name   string
		least  uint64
		bills  []settlement.LotBill
	}{
		"In has no mint":             {func(p *settlement.LotParams) { p.In.Mint = "" }, "x", 1, one},
		"Into is mint":               {func(p *settlement.LotParams) { p.Into = p.In }, "x", 1, one},
		"none may be empty":          {func(p *settlement.LotParams) { p.Moves = "" }, "x", 1, one},
		"have to differ":             {func(p *settlement.LotParams) { p.Moves = p.Treasury }, "x", 1, one},
		"its name is empty":          {nil, "", 1, one},
		"least is 0":                 {nil, "x", 0, one},
		"it has no bills":            {nil, "x", 1, nil},
		"a bill has no name":         {nil, "x", 1, []settlement.LotBill{{"", 1, 1}}},
		"bill \"a\": Units is 0":     {nil, "x", 1, []settlement.LotBill{{"a", 0, 1}}},
		"bill \"a\" stands twice":    {nil, "x", 1, []settlement.LotBill{{"a", 1, 1}, {"b", 1, 1}, {"a", 2, 2}}},
		"takes Units beyond 64 bits": {nil, "x", 1, []settlement.LotBill{{"a", math.MaxUint64, 1}, {"b", 1, 1}}},
		"takes Owed beyond 64 bits":  {nil, "x", 1, []settlement.LotBill{{"a", 1, math.MaxUint64}, {"b", 1, 1}}},
	} {
		p := lotParams()
		if row.params != nil {
			row.params(&p)
		}
		_, err := settlement.NewLot(p, row.name, row.least, row.bills)
		require.ErrorIs(t, err, settlement.ErrLot)
		require.ErrorContains(t, err, want)
	}
	l, err := settlement.NewLot(lotParams(), "x", 5, one)
	require.NoError(t, err)
	for want, change := range map[string]func(p *settlement.Paid){
		"less than the least 5":  func(p *settlement.Paid) { p.Got = 4 },
		"does not carry alone":   func(p *settlement.Paid) { p.Intents = append(p.Intents, p.Intents[0]) },
		"which batch 7/0/0 does": func(p *settlement.Paid) { p.Intents[0][0]++ },
		"Tx is empty":            func(p *settlement.Paid) { p.Tx = "" },
	} {
		p := paidLot(l, 5)
		change(&p)
		_, err := l.Settle(p)
		require.ErrorIs(t, err, settlement.ErrLot)
		require.ErrorContains(t, err, want)
	}
	b, err := l.Settle(paidLot(l, 5))
	require.NoError(t, err)
	other, err := settlement.NewLot(lotParams(), "y", 5, one)
	require.NoError(t, err)
	_, err = other.After(b)
	require.ErrorIs(t, err, settlement.ErrLot)
	for name, change := range map[string]func(b *settlement.LotBooks){
		"share": func(b *settlement.LotBooks) { b.Shares[0].Share++ },
		"units": func(b *settlement.LotBooks) { b.Shares[0].Units++ },
		"owed":  func(b *settlement.LotBooks) { b.Shares[0].Owed++ },
		"gain":  func(b *settlement.LotBooks) { b.Gain++ },
		"loss":  func(b *settlement.LotBooks) { b.Loss++ },
		"got":   func(b *settlement.LotBooks) { b.Got-- },
		"twice": func(b *settlement.LotBooks) { b.Shares = append(b.Shares, settlement.LotShare{Bill: "a"}) },
	} {
		b, err := l.Settle(paidLot(l, 5))
		require.NoError(t, err)
		change(&b)
		_, err = l.After(b)
		require.ErrorIs(t, err, settlement.ErrBooks, name)
	}
}

// FuzzLot settles lots of random bills: the shares are those of a slow oracle, the books add up, bills in another order give
// the same books, and what follows moves exactly the difference.
func FuzzLot(f *testing.F) {
	f.Add(uint64(1), uint8(3), uint64(417))
	f.Add(uint64(2), uint8(200), uint64(math.MaxUint64))
	f.Add(uint64(3), uint8(0), uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64, n uint8, got uint64) {
		r := rand.New(rand.NewPCG(seed, 0))
		if got == 0 {
			return
		}
		var bills []settlement.LotBill
		total := new(big.Int)
		for i := range int(n) + 1 {
			b := settlement.LotBill{Bill: fmt.Sprintf("%03d", i), Units: r.Uint64()>>(9+r.UintN(50)) + 1, Owed: r.Uint64() >> (9 + r.UintN(50))}
			bills = append(bills, b)
			total.Add(total, new(big.Int).SetUint64(b.Units))
		}
		least := r.Uint64N(got) + 1
		l, err := settlement.NewLot(lotParams(), "x", least, bills)
		require.NoError(t, err)
		b, err := l.Settle(paidLot(l, got))
		require.NoError(t, err)
		require.NoError(t, b.Audit())

		up, before := new(big.Int), new(big.Int)
		balance := new(big.Int) // of the account Moves
		for i, s := range b.Shares {
			up.Add(up, new(big.Int).SetUint64(bills[i].Units))
			floor := new(big.Int).Mul(up, new(big.Int).SetUint64(got))
			floor.Quo(floor, total)
			want := new(big.Int).Sub(floor, before)
			before = floor
			require.Equal(t, want.Uint64(), s.Share)
			balance.Add(balance, want).Sub(balance, new(big.Int).SetUint64(s.Owed))
		}
		after, err := l.After(b)
		require.NoError(t, err)
		moved := new(big.Int)
		for _, x := range after {
			n := new(big.Int).SetUint64(x.Units)
			switch {
			case x.From == "swapper":
				require.Equal(t, got-least, x.Units)
			case x.To == "moves":
				moved.Add(moved, n)
			default:
				require.Equal(t, settlement.Account("moves"), x.From)
				moved.Sub(moved, n)
			}
		}
		require.Zero(t, balance.Cmp(moved), "%s and %s", balance, moved)

		r.Shuffle(len(bills), func(i, j int) { bills[i], bills[j] = bills[j], bills[i] })
		again, err := settlement.NewLot(lotParams(), "x", least, bills)
		require.NoError(t, err)
		same, err := again.Settle(paidLot(l, got))
		require.NoError(t, err)
		require.Equal(t, b, same)
	})
}
