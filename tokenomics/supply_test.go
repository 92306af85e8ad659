package tokenomics_test

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/canon"
	"github.com/idlegrid/idlegrid/internal/golden"
	"github.com/idlegrid/idlegrid/internal/script"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// smallNet has ten epochs, of which the cap cuts the fifth, so that tests reach every end.
func smallNet() tokenomics.Params {
	p := tokenomics.IONet()
	p.Version = "test/1"
	p.Genesis, p.Cap, p.Cutovers, p.Allocation = 1_000_000, 1_300_000, nil, nil
	p.Emission.Base, p.Emission.Cap, p.Emission.Epochs = 1_000_000, 300_000, 10
	p.Emission.Rate, p.Emission.Decline = p.Emission.Rate.Shift(4), p.Emission.Decline.Shift(4) // 9.1 % and 13.9 %
	return p
}

func newSupply(t testing.TB, p tokenomics.Params, from tokenomics.Epoch) *tokenomics.Supply {
	t.Helper()
	s, err := tokenomics.NewSupply(p, from)
	require.NoError(t, err)
	return s
}

// show renders effects in one line each.
func show(effects []tokenomics.Effect) string {
	var out strings.Builder
	for _, e := range effects {
		switch e := e.(type) {
		case tokenomics.Minted:
			fmt.Fprintf(&out, "minted %d %s\n", e.Epoch, e.Amount)
		case tokenomics.Retired:
			fmt.Fprintf(&out, "retired %s %s\n", e.Amount, e.Proof)
		case tokenomics.Unlocked:
			fmt.Fprintf(&out, "unlocked %s %s\n", e.Bucket, e.Amount)
		case tokenomics.Decided:
			fmt.Fprintf(&out, "decided %d %s: payouts %v, unfunded %s, buy-back %s, burn %s, issued %s, %s\n", e.Epoch, e.Result.Policy,
				e.Result.Payouts, e.Result.Unfunded, e.Result.BuyBack, e.Result.Burn, e.Result.Issued, e.Result.Flags)
		default:
			fmt.Fprintf(&out, "%T\n", e)
		}
	}
	return out.String()
}

// inputs reads what an epoch brings: price= in millionths of a dollar, owed=ID:MICROS,..., revenue= and wanted= in millionths.
func inputs(t testing.TB, c script.Command) (in tokenomics.Inputs) {
	number := func(key string) uint64 {
		if !c.Has(key) {
			return 0
		}
		return c.Uint(key)
	}
	if micro := number("price"); micro > 0 {
		in.Release = tokenomics.Price{MicroPerToken: micro, At: july2024(), Source: "script"}
		in.Credit = in.Release
	}
	in.Revenue, in.Wanted, in.Burned = tokenomics.USD(number("revenue")), tokenomics.USD(number("wanted")), tokenomics.Amount(number("burned"))
	for _, claim := range strings.FieldsFunc(c.Opt("owed", ""), func(r rune) bool { return r == ',' }) {
		id, usd, _ := strings.Cut(claim, ":")
		n, err := strconv.ParseUint(usd, 10, 64)
		require.NoError(t, err)
		in.Owed = append(in.Owed, tokenomics.Claim{ID: id, USD: tokenomics.USD(n)})
	}
	return in
}

func account(t testing.TB, name string) (a tokenomics.Account) {
	require.NoError(t, a.UnmarshalText([]byte(name)))
	return a
}

func TestScripts(t *testing.T) {
	script.Run(t, "testdata/supply_*.txt", func(t *testing.T) func(script.Command) string {
		var s *tokenomics.Supply
		var p tokenomics.Params
		var now time.Time
		return func(c script.Command) string {
			var e tokenomics.Event
			switch c.Name {
			case "network":
				p = map[string]tokenomics.Params{"ionet": tokenomics.IONet(), "small": smallNet(), "cut": cutNet()}[c.Str("name")]
				var err error
				if s, err = tokenomics.NewSupply(p, tokenomics.Epoch(c.Uint("from"))); err != nil {
					return err.Error()
				}
				now = p.Calendar.StartOf(s.Next())
				return ""
			case "at":
				var err error
				now, err = time.Parse(time.RFC3339Nano, c.Str("t"))
				require.NoError(t, err)
				return ""
			case "books":
				b := s.Books()
				return fmt.Sprintf("genesis %s, minted %s, burned %s, total %s, reserve %s, next epoch %d\n"+
					"circulating %s, rewards %s, fee vault %s, locked %s",
					b.Genesis, b.MintedTotal, b.BurnedTotal, b.Total(), b.Reserve, s.Next(), b.Circulating, b.Rewards, b.FeeVault, b.Locked)
			case "restore":
				back, err := tokenomics.Restore(p, s.Snapshot())
				require.NoError(t, err)
				require.Equal(t, s.Digest(), back.Digest())
				s = back
				return ""
			case "emitted":
				e = tokenomics.Emitted{Epoch: tokenomics.Epoch(c.Uint("epoch")), Inputs: inputs(t, c)}
			case "burned":
				amount, err := tokenomics.ParseAmount(c.Str("amount"))
				require.NoError(t, err)
				e = tokenomics.Burned{Amount: amount, Proof: c.Str("proof"), From: account(t, c.Opt("from", "circulating"))}
			case "vested":
				e = tokenomics.Vested{}
			case "moved":
				amount, err := tokenomics.ParseAmount(c.Str("amount"))
				require.NoError(t, err)
				e = tokenomics.Moved{From: account(t, c.Str("from")), To: account(t, c.Str("to")), Amount: amount}
			default:
				t.Fatalf("unknown command %q", c.Name)
			}
			before := s.Digest()
			effects, err := s.Apply(now, e)
			require.NoError(t, s.Audit())
			if err != nil {
				require.Equal(t, before, s.Digest(), "a refused event changes nothing")
				return err.Error()
			}
			return show(effects)
		}
	})
}

func TestApplyRefusesNoEvent(t *testing.T) {
	s := newSupply(t, smallNet(), 1)
	_, err := s.Apply(time.Unix(2e9, 0), nil)
	require.ErrorIs(t, err, tokenomics.ErrEvent)
}

func TestNewSupplyBounds(t *testing.T) {
	p := smallNet()
	_, err := tokenomics.NewSupply(p, 0)
	require.ErrorIs(t, err, tokenomics.ErrParams)
	require.Zero(t, newSupply(t, p, 1).Books().MintedTotal)
	last := newSupply(t, p, 11)
	require.Equal(t, tokenomics.Amount(300_000), last.Books().MintedTotal)
	require.Zero(t, last.Books().Reserve)
	require.NoError(t, last.Audit())
	require.Equal(t, last.Books(), newSupply(t, p, 1000).Books(), "after the end nothing more is emitted")
}

// A supply that is taken up on its way has the books of one that was there from the start.
func TestStartOnTheWay(t *testing.T) {
	p := tokenomics.IONet()
	whole, later := newSupply(t, p, 1), newSupply(t, p, 105)
	for k := tokenomics.Epoch(1); k < 105; k++ {
		_, err := whole.Apply(p.Calendar.StartOf(k), tokenomics.Emitted{Epoch: k})
		require.NoError(t, err)
	}
	received := whole.Books().Rewards
	require.Equal(t, later.Books().MintedTotal, received)
	_, err := whole.Apply(p.Calendar.StartOf(105), tokenomics.Moved{From: tokenomics.Rewards, To: tokenomics.Circulating, Amount: received})
	require.NoError(t, err)
	require.Equal(t, whole.Books(), later.Books())
	a, err := whole.Apply(p.Calendar.StartOf(106), tokenomics.Emitted{Epoch: 105})
	require.NoError(t, err)
	b, err := later.Apply(p.Calendar.StartOf(106), tokenomics.Emitted{Epoch: 105})
	require.NoError(t, err)
	require.Equal(t, []tokenomics.Effect{tokenomics.Minted{Epoch: 105, Amount: 455_962_004_271}}, a)
	require.Equal(t, a, b)
	require.Equal(t, whole.Digest(), later.Digest())
}

func TestWholeLife(t *testing.T) {
	p := tokenomics.IONet()
	p.Cutovers, p.Allocation = nil, nil
	s := newSupply(t, p, 1)
	for k := tokenomics.Epoch(1); k <= p.Emission.Epochs; k++ {
		_, err := s.Apply(p.Calendar.StartOf(k+1), tokenomics.Emitted{Epoch: k})
		require.NoError(t, err)
	}
	require.NoError(t, s.Audit())
	require.Equal(t, tokenomics.Books{
		Genesis: p.Genesis, MintedTotal: p.Cap - p.Genesis, Circulating: p.Genesis, Rewards: p.Cap - p.Genesis,
	}, s.Books())
	require.Equal(t, p.Cap, s.Books().Total())
}

func TestRestoreRefuses(t *testing.T) {
	p := smallNet()
	s := newSupply(t, p, 1)
	at := p.Calendar.StartOf(3)
	for _, e := range []tokenomics.Event{
		tokenomics.Emitted{Epoch: 1}, tokenomics.Burned{Amount: 5, Proof: "a"}, tokenomics.Burned{Amount: 6, Proof: "b"},
	} {
		_, err := s.Apply(at, e)
		require.NoError(t, err)
	}
	good := s.Snapshot()
	back, err := tokenomics.Restore(p, good)
	require.NoError(t, err)
	require.Equal(t, good, back.Snapshot())
	_, err = back.Apply(at.Add(-1), tokenomics.Emitted{Epoch: 2})
	require.ErrorIs(t, err, tokenomics.ErrTimeBackwards, "the clock is part of the state")
	_, err = back.Apply(at, tokenomics.Burned{Amount: 1, Proof: "b"})
	require.ErrorIs(t, err, tokenomics.ErrProof, "the proofs are part of the state")

	for n := range good {
		_, err := tokenomics.Restore(p, good[:n])
		require.ErrorIs(t, err, tokenomics.ErrSnapshot, "%d bytes of %d", n, len(good))
	}
	_, err = tokenomics.Restore(p, append(good, 0))
	require.ErrorIs(t, err, tokenomics.ErrSnapshot)
	other := p
	other.Version = "test/2"
	_, err = tokenomics.Restore(other, good)
	require.ErrorIs(t, err, tokenomics.ErrSnapshot)
	require.ErrorContains(t, err, `under parameters "test/1", not "test/2"`)
	other = p
	other.Emission.Base++
	other.Emission.Rate = other.Emission.Rate.Shift(-1)
	_, err = tokenomics.Restore(other, good)
	require.ErrorContains(t, err, "the schedules say", "parameters that changed under the same name")
	other.Version = ""
	_, err = tokenomics.Restore(other, good)
	require.ErrorIs(t, err, tokenomics.ErrParams)
}

// forgery writes a snapshot field by field.
type forgery struct {
	next                              uint32
	minted, burned, rewards, locked   uint64
	burns                             []tokenomics.Burned
	debts                             []tokenomics.Claim
	reminted, pending, vault, recycle uint64
	freed                             []uint64
}

func (f forgery) snapshot(p tokenomics.Params) []byte {
	w := canon.NewWriter("idlegrid/tokenomics/supply/v2")
	w.String(p.Version)
	w.Time(p.Calendar.Start)
	w.Uint32(f.next)
	for _, v := range []uint64{f.minted, f.reminted, 0, f.pending, f.vault, f.recycle, 0, 0, 0, 0, 0, 0} {
		w.Uint64(v)
	}
	w.Len(len(f.debts))
	for _, d := range f.debts {
		w.String(d.ID)
		w.Uint64(uint64(d.USD))
	}
	for _, v := range []uint64{f.burned, f.rewards, f.locked} {
		w.Uint64(v)
	}
	w.Len(len(f.freed))
	for _, v := range f.freed {
		w.Uint64(v)
	}
	w.Len(len(f.burns))
	for _, b := range f.burns {
		w.Uint64(uint64(b.Amount))
		w.String(b.Proof)
		w.Uint8(uint8(b.From))
	}
	return w.Data()
}

// Snapshots that add up and still are of no supply.
func TestRestoreRefusesForgeries(t *testing.T) {
	p := smallNet()
	type burns = []tokenomics.Burned
	_, err := tokenomics.Restore(p, forgery{next: 1, burned: 1, burns: burns{{Amount: 1, Proof: "a"}}}.snapshot(p))
	require.NoError(t, err, "the forger's layout is right")
	for _, c := range []struct {
		name string
		f    forgery
	}{
		{"epoch 0 is next", forgery{next: 0, minted: 300_000}},
		{"minted without an epoch", forgery{next: 1, minted: 1}},
		{"a burn of nothing", forgery{next: 1, burns: burns{{Proof: "a"}}}},
		{"a burn without a proof", forgery{next: 1, burned: 1, burns: burns{{Amount: 1}}}},
		{"a burn of what is locked", forgery{next: 1, burned: 1, burns: burns{{Amount: 1, Proof: "a", From: tokenomics.Locked}}}},
		{"a proof too long", forgery{next: 1, burned: 1, burns: burns{{Amount: 1, Proof: strings.Repeat("x", 129)}}}},
		{"a proof twice", forgery{next: 1, burned: 2, burns: burns{{Amount: 1, Proof: "a"}, {Amount: 1, Proof: "a"}}}},
		{"more burned than there was", forgery{next: 1, burned: 1_000_001, burns: burns{{Amount: 1_000_001, Proof: "a"}}}},
		{"more rewards than there is", forgery{next: 1, rewards: 1_000_001}},
		{"locked without an allocation", forgery{next: 1, locked: 1}},
		{"freed without an allocation", forgery{next: 1, freed: []uint64{1}}},
		{"minted again without a burn", forgery{next: 1, reminted: 1}},
		{"a pool without a burn", forgery{next: 1, recycle: 1}},
		{"more pending than there is", forgery{next: 1, pending: 1_000_001}},
		{"a vault of more than there is", forgery{next: 1, vault: 1_000_001}},
		{"a debt of nothing", forgery{next: 1, debts: []tokenomics.Claim{{ID: "a"}}}},
	} {
		_, err := tokenomics.Restore(p, c.f.snapshot(p))
		require.ErrorIs(t, err, tokenomics.ErrSnapshot, c.name)
	}
}

func TestSupplyAgainstAModel(t *testing.T) {
	for seed := range uint64(20) {
		p := smallNet()
		switch seed % 4 {
		case 0:
			p = tokenomics.IONet()
		case 1, 2:
			p = cutNet()
		}
		play(t, p, rand.New(rand.NewPCG(seed, 11)), 300)
	}
}

func FuzzSupply(f *testing.F) {
	f.Add(uint64(1), uint64(2), uint8(40))
	p := cutNet()
	f.Fuzz(func(t *testing.T, a, b uint64, n uint8) {
		s := play(t, p, rand.New(rand.NewPCG(a, b)), int(n))
		back, err := tokenomics.Restore(p, s.Snapshot())
		require.NoError(t, err)
		require.Equal(t, s.Digest(), back.Digest())
		require.Equal(t, s.Books(), back.Books())
	})
}

func FuzzRestore(f *testing.F) {
	p := cutNet()
	f.Add(newSupply(f, p, 1).Snapshot())
	f.Add(play(f, p, rand.New(rand.NewPCG(1, 2)), 30).Snapshot())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := tokenomics.Restore(p, b)
		if err != nil {
			require.Nil(t, s)
			require.ErrorIs(t, err, tokenomics.ErrSnapshot)
			return
		}
		require.NoError(t, s.Audit())
		require.Equal(t, b, s.Snapshot(), "a state has one encoding")
	})
}

// The same seeded world gives the same digest whatever the number of processors, and on every machine.
func TestDeterminism(t *testing.T) {
	world := func() string {
		a := play(t, tokenomics.IONet(), rand.New(rand.NewPCG(2024, 6)), 500).Digest()
		b := play(t, cutNet(), rand.New(rand.NewPCG(2024, 6)), 500).Digest()
		return hex.EncodeToString(a[:]) + "\n" + hex.EncodeToString(b[:]) + "\n"
	}
	was := runtime.GOMAXPROCS(1)
	one := world()
	runtime.GOMAXPROCS(was)
	require.Equal(t, one, world())
	golden.Check(t, "testdata/digest.txt", one)
}

func BenchmarkApply(b *testing.B) {
	p := tokenomics.IONet()
	p.Cutovers = nil
	fresh := newSupply(b, p, 1)
	snapshot := fresh.Snapshot()
	s, at := fresh, p.Calendar.StartOf(p.Emission.Epochs)
	b.ReportAllocs()
	for b.Loop() {
		if s.Next() > p.Emission.Epochs {
			b.StopTimer()
			var err error
			s, err = tokenomics.Restore(p, snapshot)
			require.NoError(b, err)
			b.StartTimer()
		}
		if _, err := s.Apply(at, tokenomics.Emitted{Epoch: s.Next()}); err != nil {
			b.Fatal(err)
		}
	}
}
