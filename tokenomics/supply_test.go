package tokenomics_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"runtime"
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
	p.Genesis, p.Cap = 1_000_000, 1_300_000
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
		default:
			fmt.Fprintf(&out, "%T\n", e)
		}
	}
	return out.String()
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
				p = map[string]tokenomics.Params{"ionet": tokenomics.IONet(), "small": smallNet()}[c.Str("name")]
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
				return fmt.Sprintf("genesis %s, minted %s, burned %s, total %s, reserve %s, next epoch %d",
					b.Genesis, b.MintedTotal, b.BurnedTotal, b.Total(), b.Reserve, s.Next())
			case "restore":
				back, err := tokenomics.Restore(p, s.Snapshot())
				require.NoError(t, err)
				require.Equal(t, s.Digest(), back.Digest())
				s = back
				return ""
			case "emitted":
				e = tokenomics.Emitted{Epoch: tokenomics.Epoch(c.Uint("epoch"))}
			case "burned":
				amount, err := tokenomics.ParseAmount(c.Str("amount"))
				require.NoError(t, err)
				e = tokenomics.Burned{Amount: amount, Proof: c.Str("proof")}
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
	for _, from := range []tokenomics.Epoch{0, 12} {
		_, err := tokenomics.NewSupply(p, from)
		require.ErrorIs(t, err, tokenomics.ErrParams, "epoch %d", from)
	}
	require.Zero(t, newSupply(t, p, 1).Books().MintedTotal)
	last := newSupply(t, p, 11)
	require.Equal(t, tokenomics.Amount(300_000), last.Books().MintedTotal)
	require.Zero(t, last.Books().Reserve)
	require.NoError(t, last.Audit())
}

// A supply that is taken up on its way has the books of one that was there from the start.
func TestStartOnTheWay(t *testing.T) {
	p := tokenomics.IONet()
	whole, later := newSupply(t, p, 1), newSupply(t, p, 105)
	for k := tokenomics.Epoch(1); k < 105; k++ {
		_, err := whole.Apply(p.Calendar.StartOf(k), tokenomics.Emitted{Epoch: k})
		require.NoError(t, err)
	}
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
	s := newSupply(t, p, 1)
	for k := tokenomics.Epoch(1); k <= p.Emission.Epochs; k++ {
		_, err := s.Apply(p.Calendar.StartOf(k+1), tokenomics.Emitted{Epoch: k})
		require.NoError(t, err)
	}
	require.NoError(t, s.Audit())
	require.Equal(t, tokenomics.Books{Genesis: p.Genesis, MintedTotal: p.Cap - p.Genesis}, s.Books())
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
	require.ErrorContains(t, err, "the schedule says", "parameters that changed under the same name")
	other.Version = ""
	_, err = tokenomics.Restore(other, good)
	require.ErrorIs(t, err, tokenomics.ErrParams)
}

// Snapshots that add up and still are of no supply.
func TestRestoreRefusesForgeries(t *testing.T) {
	p := smallNet()
	forge := func(next uint32, minted, burned uint64, burns ...tokenomics.Burned) []byte {
		w := canon.NewWriter("idlegrid/tokenomics/supply/v1")
		w.String(p.Version)
		w.Time(p.Calendar.Start)
		w.Uint32(next)
		w.Uint64(minted)
		w.Uint64(burned)
		w.Len(len(burns))
		for _, b := range burns {
			w.Uint64(uint64(b.Amount))
			w.String(b.Proof)
		}
		return w.Data()
	}
	_, err := tokenomics.Restore(p, forge(1, 0, 1, tokenomics.Burned{Amount: 1, Proof: "a"}))
	require.NoError(t, err, "the forger's layout is right")
	for _, c := range []struct {
		name     string
		snapshot []byte
	}{
		{"epoch 0 is next", forge(0, 300_000, 0)},
		{"minted without an epoch", forge(1, 1, 0)},
		{"a burn of nothing", forge(1, 0, 0, tokenomics.Burned{Proof: "a"})},
		{"a burn without a proof", forge(1, 0, 1, tokenomics.Burned{Amount: 1})},
		{"a proof too long", forge(1, 0, 1, tokenomics.Burned{Amount: 1, Proof: strings.Repeat("x", 129)})},
		{"a proof twice", forge(1, 0, 2, tokenomics.Burned{Amount: 1, Proof: "a"}, tokenomics.Burned{Amount: 1, Proof: "a"})},
		{"more burned than there was", forge(1, 0, 1_000_001, tokenomics.Burned{Amount: 1_000_001, Proof: "a"})},
	} {
		_, err := tokenomics.Restore(p, c.snapshot)
		require.ErrorIs(t, err, tokenomics.ErrSnapshot, c.name)
	}
}

// model is the supply as a reader of the rules would keep it on paper: big numbers, one list, no tricks.
type model struct {
	schedule       *tokenomics.Schedule
	start          time.Time
	next           uint32
	minted, burned *big.Int
	genesis        *big.Int
	at             time.Time
	proofs         []string
}

func (m *model) apply(at time.Time, e tokenomics.Event) (ok bool) {
	if at.Before(m.at) {
		return false
	}
	switch e := e.(type) {
	case tokenomics.Emitted:
		begins := m.start.Add(time.Duration(e.Epoch-1) * time.Hour)
		if uint32(e.Epoch) != m.next || at.Before(begins) {
			return false
		}
		m.next++
		amount := uint64(m.schedule.Cumulative(e.Epoch) - m.schedule.Cumulative(e.Epoch-1))
		m.minted.Add(m.minted, new(big.Int).SetUint64(amount))
	case tokenomics.Burned:
		n := new(big.Int).SetUint64(uint64(e.Amount))
		left := new(big.Int).Add(m.genesis, m.minted)
		left.Sub(left, m.burned)
		if n.Sign() == 0 || n.Cmp(left) > 0 || e.Proof == "" || len(e.Proof) > 128 {
			return false
		}
		for _, p := range m.proofs {
			if p == e.Proof {
				return false
			}
		}
		m.proofs = append(m.proofs, e.Proof)
		m.burned.Add(m.burned, n)
	}
	m.at = at
	return true
}

// play applies n random events to a supply and to the model and compares them after each.
func play(t testing.TB, p tokenomics.Params, r *rand.Rand, n int) *tokenomics.Supply {
	t.Helper()
	s := newSupply(t, p, 1)
	m := &model{
		schedule: newSchedule(t, p.Emission), start: p.Calendar.Start, next: 1, minted: new(big.Int),
		burned: new(big.Int), genesis: new(big.Int).SetUint64(uint64(p.Genesis)),
	}
	now := p.Calendar.Start
	for range n {
		now = now.Add(time.Duration(r.Int64N(int64(2*time.Hour))) - 30*time.Minute)
		var e tokenomics.Event
		if r.IntN(2) == 0 {
			e = tokenomics.Emitted{Epoch: s.Next() + tokenomics.Epoch(max(0, r.IntN(8)-5)) - tokenomics.Epoch(r.IntN(2)*r.IntN(2))}
		} else {
			e = tokenomics.Burned{
				Amount: tokenomics.Amount(r.Uint64N(uint64(s.Books().Total())/4 + 2)),
				Proof:  strings.Repeat("p", 64*r.IntN(3)*r.IntN(2)) + fmt.Sprint(r.IntN(2*n)),
			}
		}
		before := s.Digest()
		effects, err := s.Apply(now, e)
		require.Equal(t, m.apply(now, e), err == nil, "%s %#v: %v", now, e, err)
		if err != nil {
			require.Nil(t, effects)
			require.Equal(t, before, s.Digest(), "a refused event changes nothing")
		} else {
			require.NotEqual(t, before, s.Digest())
		}
		require.NoError(t, s.Audit())
		b := s.Books()
		require.Equal(t, m.minted.Uint64(), uint64(b.MintedTotal))
		require.Equal(t, m.burned.Uint64(), uint64(b.BurnedTotal))
		require.Equal(t, p.Cap, b.Genesis+b.MintedTotal+b.Reserve)
		require.Equal(t, b.Genesis+b.MintedTotal, b.Total()+b.BurnedTotal)
		if err != nil && errors.Is(err, tokenomics.ErrTimeBackwards) {
			now = now.Add(time.Hour)
		}
	}
	return s
}

func TestSupplyAgainstAModel(t *testing.T) {
	for seed := range uint64(20) {
		p := smallNet()
		if seed%4 == 0 {
			p = tokenomics.IONet()
		}
		play(t, p, rand.New(rand.NewPCG(seed, 11)), 300)
	}
}

func FuzzSupply(f *testing.F) {
	f.Add(uint64(1), uint64(2), uint8(40))
	p := smallNet()
	f.Fuzz(func(t *testing.T, a, b uint64, n uint8) {
		s := play(t, p, rand.New(rand.NewPCG(a, b)), int(n))
		back, err := tokenomics.Restore(p, s.Snapshot())
		require.NoError(t, err)
		require.Equal(t, s.Digest(), back.Digest())
		require.Equal(t, s.Books(), back.Books())
	})
}

func FuzzRestore(f *testing.F) {
	p := smallNet()
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
		s := play(t, tokenomics.IONet(), rand.New(rand.NewPCG(2024, 6)), 500)
		d := s.Digest()
		return hex.EncodeToString(d[:]) + "\n"
	}
	was := runtime.GOMAXPROCS(1)
	one := world()
	runtime.GOMAXPROCS(was)
	require.Equal(t, one, world())
	golden.Check(t, "testdata/digest.txt", one)
}

func BenchmarkApply(b *testing.B) {
	p := tokenomics.IONet()
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
