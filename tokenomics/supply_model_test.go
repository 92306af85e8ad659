package tokenomics_test

import (
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// cutNet is a small network that goes through every policy within a day, with an allocation of half its genesis.
func cutNet() tokenomics.Params {
	p := smallNet()
	p.Version, p.Cap = "test/cut", 1_200_000
	p.Emission.Cap = 100_000
	start := p.Calendar.Start
	hour := func(n int) time.Time { return start.Add(time.Duration(n)*time.Hour + 17*time.Minute) }
	schedule := func(from time.Time) *tokenomics.ScheduleParams {
		return &tokenomics.ScheduleParams{Start: from, Emission: tokenomics.EmissionParams{
			ID: "test/flat", Base: 1_000_000, Rate: decimal.New(1, -2), Epochs: 1000, Cap: 10_000_000,
		}}
	}
	p.Cutovers = []tokenomics.CutoverParams{
		{From: hour(2), IDE: &tokenomics.IDEPolicy{Name: "test/ide", BurnShareBps: 5000}},
		{From: hour(8), BurnMint: &tokenomics.BurnMintPolicy{Name: "test/bme", WarnPPM: 950_000, HaltPPM: 900_000}, Schedule: schedule(start)},
		{From: hour(14), NetEmission: &tokenomics.NetEmissionPolicy{Name: "test/net", Parts: 3, MaxBps: 5000}, Schedule: schedule(hour(13))},
		{From: hour(18), Inflation: &tokenomics.InflationPolicy{
			Name: "test/inflation", Start: start, Initial: decimal.New(1, 0), Taper: decimal.New(15, -2), Floor: decimal.New(15, -3),
		}},
		{From: hour(24), Schedule: schedule(hour(20))},
	}
	p.Allocation = &tokenomics.AllocationParams{
		Version: "test/cut", Cap: p.Cap, Start: start, MonthOne: start,
		Buckets: []tokenomics.Bucket{
			{Name: "team", Amount: 400_001, AtStart: 7, Release: tokenomics.ReleaseLinear, Linear: tokenomics.LinearRelease{
				From: start, Until: start.Add(30 * time.Hour), Step: time.Minute,
			}},
			{Name: "all", Amount: 300_000, AtStart: 100_000, Release: tokenomics.ReleaseEmission},
		},
	}
	return p
}

// model is the supply as a reader of the rules would keep it on paper: big numbers, one list, no tricks. What a policy
// decides it takes from the policy, which has tests of its own.
type model struct {
	p          tokenomics.Params
	timeline   *tokenomics.Timeline
	allocation *tokenomics.Allocation
	next       tokenomics.Epoch
	state      tokenomics.PolicyState
	held       map[tokenomics.Account]*big.Int
	freed      map[string]tokenomics.Amount
	burned     *big.Int
	since      tokenomics.Amount
	at         time.Time
	proofs     []string
}

func newModel(t testing.TB, p tokenomics.Params) *model {
	timeline, err := p.Timeline()
	require.NoError(t, err)
	m := &model{
		p: p, timeline: timeline, next: 1, state: tokenomics.PolicyState{Decimals: 8, Genesis: p.Genesis, Cap: p.Cap},
		freed: map[string]tokenomics.Amount{}, burned: new(big.Int), held: map[tokenomics.Account]*big.Int{},
	}
	for a := tokenomics.Circulating; a <= tokenomics.Locked; a++ {
		m.held[a] = new(big.Int)
	}
	m.held[tokenomics.Circulating].SetUint64(uint64(p.Genesis))
	if p.Allocation != nil {
		m.allocation, err = tokenomics.NewAllocation(*p.Allocation)
		require.NoError(t, err)
		for i, b := range p.Allocation.Buckets {
			all := b.Amount
			if b.Release == tokenomics.ReleaseEmission {
				all = b.AtStart
			}
			m.freed[b.Name] = m.allocation.UnlockedAt(p.Calendar.Start)[i].Unlocked
			m.move(tokenomics.Circulating, tokenomics.Locked, all-m.freed[b.Name])
		}
	}
	return m
}

func (m *model) move(from, to tokenomics.Account, n tokenomics.Amount) {
	m.held[from].Sub(m.held[from], new(big.Int).SetUint64(uint64(n)))
	m.held[to].Add(m.held[to], new(big.Int).SetUint64(uint64(n)))
}

func (m *model) holds(a tokenomics.Account, n tokenomics.Amount) bool {
	return a < tokenomics.Locked && m.held[a].Cmp(new(big.Int).SetUint64(uint64(n))) >= 0
}

func (m *model) emit(e tokenomics.Emitted) bool {
	in := e.Inputs
	in.Burned = m.since
	s := m.state
	s.FeeVault = tokenomics.Amount(m.held[tokenomics.FeeVault].Uint64())
	s, r, err := m.timeline.Step(e.Epoch, s, in)
	if err != nil {
		return false
	}
	m.state, m.since, m.next = s, 0, m.next+1
	m.move(tokenomics.FeeVault, tokenomics.Rewards, r.FromFeeVault)
	m.held[tokenomics.Rewards].Add(m.held[tokenomics.Rewards], new(big.Int).SetUint64(uint64(r.Mint+r.Remint)))
	return true
}

func (m *model) apply(at time.Time, e tokenomics.Event) (ok bool) {
	if at.Before(m.at) {
		return false
	}
	switch e := e.(type) {
	case tokenomics.Emitted:
		if e.Epoch != m.next || at.Before(m.p.Calendar.Start.Add(time.Duration(e.Epoch-1)*time.Hour)) || !m.emit(e) {
			return false
		}
	case tokenomics.Burned:
		if e.Amount == 0 || !m.holds(e.From, e.Amount) || e.Proof == "" || len(e.Proof) > 128 {
			return false
		}
		for _, p := range m.proofs {
			if p == e.Proof {
				return false
			}
		}
		m.proofs = append(m.proofs, e.Proof)
		n := new(big.Int).SetUint64(uint64(e.Amount))
		m.held[e.From].Sub(m.held[e.From], n)
		m.burned.Add(m.burned, n)
		m.since += e.Amount
	case tokenomics.Moved:
		if e.Amount == 0 || e.From == e.To || e.To >= tokenomics.Locked || !m.holds(e.From, e.Amount) {
			return false
		}
		m.move(e.From, e.To, e.Amount)
	case tokenomics.Vested:
		if m.allocation == nil {
			break
		}
		for _, b := range m.allocation.UnlockedAt(at) {
			if b.Unlocked > m.freed[b.Name] {
				m.move(tokenomics.Locked, tokenomics.Circulating, b.Unlocked-m.freed[b.Name])
				m.freed[b.Name] = b.Unlocked
			}
		}
	}
	m.at = at
	return true
}

// randomEvent draws an event that is as often as not refused.
func randomEvent(r *rand.Rand, s *tokenomics.Supply, n int) tokenomics.Event {
	amount := tokenomics.Amount(r.Uint64N(uint64(s.Books().Total())/4 + 2))
	switch r.IntN(5) {
	case 0, 1:
		k := s.Next() + tokenomics.Epoch(max(0, r.IntN(8)-5)) - tokenomics.Epoch(r.IntN(2)*r.IntN(2))
		return tokenomics.Emitted{Epoch: k, Inputs: randomInputs(r)}
	case 2:
		return tokenomics.Burned{
			Amount: amount, From: tokenomics.Account(r.IntN(5)),
			Proof: strings.Repeat("p", 64*r.IntN(3)*r.IntN(2)) + fmt.Sprint(r.IntN(2*n)),
		}
	case 3:
		return tokenomics.Moved{From: tokenomics.Account(r.IntN(5)), To: tokenomics.Account(r.IntN(5)), Amount: amount}
	}
	return tokenomics.Vested{}
}

// randomInputs draws what an epoch brings, in the size of cutNet.
func randomInputs(r *rand.Rand) (in tokenomics.Inputs) {
	price := func() (p tokenomics.Price) {
		if r.IntN(4) > 0 {
			p = tokenomics.Price{MicroPerToken: 1 + r.Uint64N(1<<r.UintN(34)), At: july2024(), Source: "test"}
		}
		return p
	}
	in.Release, in.Credit = price(), price()
	in.Revenue, in.Wanted = tokenomics.USD(r.Uint64N(5000)), tokenomics.USD(r.Uint64N(5000))
	for _, id := range []string{"a", "b", "c", "d"} {
		if r.IntN(2) == 0 {
			in.Owed = append(in.Owed, tokenomics.Claim{ID: id, USD: tokenomics.USD(r.Uint64N(1 << r.UintN(12)))})
		}
	}
	return in
}

// play applies n random events to a supply and to the model and compares them after each.
func play(t testing.TB, p tokenomics.Params, r *rand.Rand, n int) *tokenomics.Supply {
	t.Helper()
	s, m := newSupply(t, p, 1), newModel(t, p)
	now := p.Calendar.Start
	for range n {
		now = now.Add(time.Duration(r.Int64N(int64(time.Hour))) - 20*time.Minute)
		e := randomEvent(r, s, n)
		before := s.Digest()
		effects, err := s.Apply(now, e)
		require.Equal(t, m.apply(now, e), err == nil, "%s %#v: %v", now, e, err)
		if err != nil {
			require.Nil(t, effects)
			require.Equal(t, before, s.Digest(), "a refused event changes nothing")
		}
		require.NoError(t, s.Audit())
		b := s.Books()
		require.Equal(t, m.held[tokenomics.Circulating].Uint64(), uint64(b.Circulating))
		require.Equal(t, m.held[tokenomics.Rewards].Uint64(), uint64(b.Rewards))
		require.Equal(t, m.held[tokenomics.FeeVault].Uint64(), uint64(b.FeeVault))
		require.Equal(t, m.held[tokenomics.Locked].Uint64(), uint64(b.Locked))
		require.Equal(t, m.burned.Uint64(), uint64(b.BurnedTotal))
		require.LessOrEqual(t, uint64(b.Locked), uint64(p.Genesis))
		require.Equal(t, p.Cap, b.Genesis+b.MintedTotal+b.Reserve)
		require.Equal(t, b.Total(), b.Circulating+b.Rewards+b.FeeVault+b.Locked)
		if err != nil && errors.Is(err, tokenomics.ErrTimeBackwards) {
			now = now.Add(time.Hour)
		}
	}
	return s
}
