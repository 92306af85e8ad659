package settlement_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/canon"
	"github.com/idlegrid/idlegrid/internal/golden"
	"github.com/idlegrid/idlegrid/settlement"
)

// takings draws events that are mostly possible, and some that are not.
type takings struct {
	*rand.Rand
	till   *settlement.Till
	minute int
}

// name draws a bill of the last half hour or so.
func (x *takings) name(most int) string { return fmt.Sprint("b", x.minute/15*3+x.IntN(most)) }

func (x *takings) bill() settlement.Bill {
	b := bill(x.name(5))
	b.Units = x.Uint64N(12) + 1
	b.RefundOver = x.Uint64N(8)
	b.Remainder = settlement.Disposal(x.IntN(2) + 1)
	b.Expires = noon.Add(time.Duration(x.minute+5+x.IntN(60)) * time.Minute)
	if x.IntN(3) == 0 {
		b.Asset, b.Owner = cents, "stripe"
	}
	return b
}

func (x *takings) inflow() settlement.Inflow {
	var ids []string
	for range x.IntN(4) {
		ids = append(ids, x.name(5))
	}
	in := inflow(fmt.Sprint("s", x.minute/15*10+x.IntN(20)), x.Uint64N(30)+1, ids...)
	in.Arrived = noon.Add(time.Duration(x.minute+x.IntN(9)-4) * time.Minute)
	for range x.IntN(4) {
		in.Transfers = append(in.Transfers, settlement.Transfer{Units: x.Uint64N(12), Refs: refs(x.name(5), x.name(5))[:x.IntN(3)]})
	}
	switch x.IntN(12) {
	case 0, 1, 2, 3:
		in.ID.Account, in.Owner, in.Asset, in.Program = "card", "stripe", cents, ""
		in.Settles = in.Arrived.Add(time.Duration(x.IntN(100)) * time.Minute)
	case 4:
		in.Asset.Mint = "FAKE"
	case 5:
		in.ID.Account = "vault"
	case 6:
		in.Asset, in.Program = settlement.Asset{Decimals: 9}, ""
		in.Units += 35
	case 7:
		in.Payer = ""
	}
	return in
}

func (x *takings) next() settlement.TillEvent {
	x.minute += x.IntN(3)
	var ids []settlement.InflowID
	for in := range x.till.Inflows() {
		ids = append(ids, in.Inflow.ID)
	}
	id := settlement.InflowID{Tx: "none", Account: "till-usdc"}
	if len(ids) > 0 {
		id = ids[max(0, len(ids)-1-x.IntN(20))]
	}
	switch x.IntN(16) {
	case 0, 1, 2:
		return settlement.BillOpened{Bill: x.bill()}
	case 3, 4, 5, 6, 7, 8:
		return settlement.InflowSeen{Inflow: x.inflow()}
	case 9, 11:
		if in, ok := x.till.Inflow(id); ok && x.IntN(2) == 0 {
			return settlement.InflowSeen{Inflow: in.Inflow} // seen again, without its explanation
		}
		return settlement.InflowReversed{Inflow: id, Cause: fmt.Sprint("c", x.IntN(3)), Units: x.Uint64N(9)}
	case 10:
		return settlement.SeenThrough{Time: noon.Add(time.Duration(x.minute-x.IntN(20)) * time.Minute)}
	case 12:
		if x.IntN(2) == 0 {
			return settlement.Released{Inflow: id, Units: x.Uint64N(12), Bill: x.name(5)}
		}
		return settlement.Released{Inflow: id, Units: x.Uint64N(12), Customer: "someone"}
	case 13:
		return settlement.RefundOrdered{Inflow: id, Units: x.Uint64N(12), To: []settlement.Account{"", "zoe"}[x.IntN(2)]}
	case 14:
		for o := range x.till.Refunds() {
			if o.Inflow == id && x.IntN(2) == 0 {
				return settlement.RefundRefused{Intent: o.Intent.ID}
			}
		}
		return settlement.RefundRefused{Intent: settlement.IntentID{1}}
	default:
		return settlement.TreasuryChanged{Account: "till-usdc", Trouble: []string{"", "", "frozen"}[x.IntN(3)]}
	}
}

// take runs a history of n events. With a model, the till is compared with it after each.
func take(t testing.TB, seed uint64, n int, m *model) (*settlement.Till, map[string]int) {
	t.Helper()
	x := &takings{Rand: rand.New(rand.NewPCG(seed, 8)), till: newTill(t)}
	seen := map[string]int{}
	intents := map[settlement.IntentID]settlement.Intent{}
	for i := range n {
		e := x.next()
		var before [32]byte
		if m != nil {
			before = x.till.Digest()
		}
		now := noon.Add(time.Duration(x.minute) * time.Minute)
		effects, err := x.till.Apply(now, e)
		if err != nil {
			seen["refused"]++
		}
		for _, f := range effects {
			seen[fmt.Sprintf("%T", f)]++
			if o, ok := f.(settlement.Owed); ok {
				require.NotContains(t, intents, o.Intent.ID, "an intent is owed once")
				intents[o.Intent.ID] = o.Intent
			}
		}
		if m == nil {
			continue
		}
		require.NoError(t, x.till.Audit(), "event %d: %+v", i, e)
		if err != nil {
			require.Equal(t, before, x.till.Digest(), "a refused event changes nothing: %+v", e)
		} else {
			m.apply(now, e)
		}
		require.Equal(t, m.books(), tillBooks(x.till), "event %d: %+v", i, e)
		back, err := settlement.DecodeTillEvent(settlement.EncodeTillEvent(e))
		require.NoError(t, err)
		require.Equal(t, settlement.EncodeTillEvent(e), settlement.EncodeTillEvent(back))
	}
	return x.till, seen
}

// FuzzTill compares random histories with the model, and with themselves after a restore.
func FuzzTill(f *testing.F) {
	corpus := uint64(15)
	if raceEnabled {
		corpus = 5
	}
	for seed := range corpus {
		f.Add(seed, uint8(250))
	}
	f.Fuzz(func(t *testing.T, seed uint64, n uint8) {
		till, _ := take(t, seed, int(n), newModel())
		again, err := settlement.RestoreTill(tillParams(), till.Snapshot())
		require.NoError(t, err)
		require.Equal(t, till.Digest(), again.Digest())
		require.Equal(t, slices.Collect(till.References()), slices.Collect(again.References()))
		require.Equal(t, slices.Collect(till.Refunds()), slices.Collect(again.Refunds()))
		// Both go on alike.
		x := &takings{Rand: rand.New(rand.NewPCG(seed, 9)), till: till, minute: 1000}
		for range 20 {
			e, now := x.next(), noon.Add(1000*time.Hour)
			a, errA := till.Apply(now, e)
			b, errB := again.Apply(now, e)
			require.Equal(t, errA, errB)
			require.Equal(t, a, b)
		}
		require.Equal(t, till.Digest(), again.Digest())
		// The books, the slow way.
		for _, a := range []settlement.Asset{dollars, tokens, cents, {Mint: "FAKE", Decimals: 6}, {Decimals: 9}} {
			var sum settlement.TillTotals
			for in := range till.Inflows() {
				if in.Inflow.Asset == a {
					sum.In += in.In
					sum.Credited += in.Credited
					sum.Balance += in.Balance
					sum.Suspended += in.Suspended
					sum.Kept += in.Kept
					sum.Owed += in.Owed
					sum.Reversed += in.Reversed
					require.LessOrEqual(t, in.Owed, in.Inflow.Units)
				}
			}
			require.Equal(t, sum, till.Totals(a))
			require.Equal(t, sum.In, sum.Credited+sum.Balance+sum.Suspended+sum.Kept+sum.Owed+sum.Reversed)
		}
	})
}

func TestTillHistoriesReachEverything(t *testing.T) {
	_, seen := take(t, 1, 1000, nil)
	for _, e := range []settlement.TillEffect{
		settlement.Credited{},
		settlement.Balanced{},
		settlement.Suspended{},
		settlement.Kept{},
		settlement.Owed{},
		settlement.Lapsed{},
		settlement.Settled{},
		settlement.Reversed{},
		settlement.Alarmed{},
	} {
		require.NotZero(t, seen[fmt.Sprintf("%T", e)], "%T: %v", e, seen)
	}
	require.NotZero(t, seen["refused"])
}

// TestTillDeterminism plays a history on one processor and on all, and compares both with the digest on file.
func TestTillDeterminism(t *testing.T) {
	run := func(procs int) string {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		till, _ := take(t, 42, 1000, nil)
		return fmt.Sprintf("%x\n", till.Digest())
	}
	one := run(1)
	require.Equal(t, one, run(runtime.NumCPU()))
	golden.Check(t, "testdata/till/digest.txt", one)
}

// TestTillRestoreRefuses cuts and spoils a snapshot at every byte.
func TestTillRestoreRefuses(t *testing.T) {
	till, _ := take(t, 3, 40, nil)
	whole := till.Snapshot()
	for n := range whole {
		_, err := settlement.RestoreTill(tillParams(), whole[:n])
		require.Error(t, err, n)
		spoilt := slices.Clone(whole)
		spoilt[n] ^= 1
		if again, err := settlement.RestoreTill(tillParams(), spoilt); err == nil {
			require.NoError(t, again.Audit())
			require.Equal(t, spoilt, again.Snapshot(), "byte %d: what is accepted is what it says", n)
		}
	}
	p := tillParams()
	p.WatchSeconds++
	_, err := settlement.RestoreTill(p, whole)
	require.ErrorContains(t, err, "under other params")
}

func FuzzDecodeTillEvent(f *testing.F) {
	in := inflow("s1", 25, "a", "b")
	in.Transfers = []settlement.Transfer{{Units: 5, Refs: refs("a")}}
	in.Settles = noon.Add(time.Hour)
	for _, e := range []settlement.TillEvent{
		settlement.BillOpened{Bill: bill("a")},
		settlement.InflowSeen{Inflow: in},
		settlement.InflowReversed{Inflow: in.ID, Cause: "c", Units: 1},
		settlement.SeenThrough{Time: noon},
		settlement.Released{Inflow: in.ID, Units: 1, Bill: "a"},
		settlement.RefundOrdered{Inflow: in.ID, Units: 1, To: "x"},
		settlement.RefundRefused{Intent: settlement.IntentID{1}},
		settlement.TreasuryChanged{Account: "x", Trouble: "y"},
	} {
		b := settlement.EncodeTillEvent(e)
		f.Add(b)
		for n := range b {
			_, err := settlement.DecodeTillEvent(b[:n])
			require.ErrorIs(f, err, canon.ErrMalformed)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := settlement.DecodeTillEvent(b)
		if err != nil {
			if !errors.Is(err, canon.ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		require.Equal(t, b, settlement.EncodeTillEvent(e))
	})
}

func BenchmarkTill(b *testing.B) {
	const bills = 10_000
	ids := make([]string, bills)
	for i := range ids {
		ids[i] = fmt.Sprint("bill ", i)
	}
	b.Run(fmt.Sprintf("bills=%d", bills), func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			till := newTill(b)
			for i, id := range ids {
				x := bill(id)
				if _, err := till.Apply(noon, settlement.BillOpened{Bill: x}); err != nil {
					b.Fatal(err)
				}
				if _, err := till.Apply(noon, settlement.InflowSeen{Inflow: inflow(fmt.Sprint(i), 25, id)}); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}
