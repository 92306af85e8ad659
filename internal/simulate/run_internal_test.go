package simulate

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// supplier is a cohort as one would tell it.
type supplier struct {
	active       bool
	patience     int // months left: of loss before it leaves, or of profit before it comes
	stay, wait   int
	leave, enter int64
	machines     int64
}

func (s *supplier) month(income int64) {
	full := s.wait
	if s.active {
		full = s.stay
	}
	good, bad := income > s.enter, income < s.leave
	if !s.active {
		good, bad = bad, good
	}
	switch {
	case bad:
		s.patience--
	case good:
		s.patience = min(full, s.patience+1)
	}
	if s.patience == 0 {
		s.active = !s.active
		s.patience = s.wait
		if s.active {
			s.patience = s.stay
		}
	}
}

// The loop without branches does what the suppliers that are told one by one do.
func TestAgents(t *testing.T) {
	p := IONet()
	p.Agents.Cohorts = 13
	a := newAgents(p)
	levels := make([]int8, len(a.machines))
	active := a.start(levels)
	var told []supplier
	for i := range levels {
		stay, wait := int(a.high[i])+1, -int(a.low[i])
		require.GreaterOrEqual(t, min(stay, wait), int(p.Agents.Patience))
		require.LessOrEqual(t, max(stay, wait), 3*int(p.Agents.Patience))
		told = append(told, supplier{true, stay, stay, wait, a.leave[i], a.enter[i], a.machines[i]})
	}
	for c, cl := range p.Classes {
		require.Equal(t, cl.Machines<<machineBits, active[c], "a class starts with all of its machines")
	}
	rng := rand.New(rand.NewPCG(11, 12))
	left := 0
	for range 2_000 {
		for c, cl := range p.Classes {
			income := cl.CostMicro/2 + rng.Uint64N(cl.CostMicro)
			if rng.IntN(9) == 0 { // on the edges
				at := c*a.n + rng.IntN(a.n)
				income = uint64([]int64{a.leave[at], a.enter[at], a.leave[at] - 1, a.enter[at] + 1}[rng.IntN(4)])
			}
			var want int64
			for i := c * a.n; i < (c+1)*a.n; i++ {
				was := told[i].active
				told[i].month(int64(income))
				if was && !told[i].active {
					left++
				}
				if told[i].active {
					want += told[i].machines
				}
			}
			require.Equal(t, uint64(want), a.step(levels, c, income))
		}
	}
	require.Greater(t, left, 200, "suppliers come and go")
}

// ghost lets a policy lie about one result.
type ghost struct {
	tokenomics.Policy
	lie func(*tokenomics.PolicyState, *tokenomics.Result)
}

func (g ghost) Step(s tokenomics.PolicyState, in tokenomics.Inputs) (tokenomics.PolicyState, tokenomics.Result, error) {
	s, r, err := g.Policy.Step(s, in)
	g.lie(&s, &r)
	return s, r, err
}

func world0(t *testing.T, p Params, s Scenario) *world {
	t.Helper()
	rules, err := newPolicies(p)
	require.NoError(t, err)
	w, err := newWorld(p, s, newTables(), rules)
	require.NoError(t, err)
	return w
}

// In every month of every run the supply is genesis + minted + minted again - burned, the books hold all of it, and what
// the policies say agrees with what is told here one by one.
func TestConservation(t *testing.T) {
	p := IONet()
	for i, s := range append(Policies(), Stressed(Policies()[1], stressMonth)...) {
		w := world0(t, p, s)
		cells := make([]int32, len(columns(p))*block)
		var minted, reminted, burned tokenomics.Amount
		for k, inner := range w.rules {
			if inner != nil {
				w.rules[k] = ghost{inner, func(_ *tokenomics.PolicyState, r *tokenomics.Result) {
					minted, reminted = minted+r.Mint, reminted+r.Remint
				}}
			}
		}
		for number := range uint64(6) {
			var r run
			w.start(&r, uint64(i), number, make([]int8, len(w.agents.machines)))
			minted, reminted, burned = 0, 0, 0
			for m := range w.months {
				bought := r.book.bought
				require.NoError(t, w.step(&r, m, &row{cells: cells}))
				if s.rule(uint32(m)) != BurnMint {
					burned += bought // what one month buys the next one burns
				} else {
					burned = r.state.Burned
				}
				b := r.book
				require.Equal(t, p.Network.Genesis+minted+reminted-burned, b.liquid+b.own+b.co+b.locked+b.fees+b.bought)
				require.Equal(t, w.months[m].locked, b.locked)
				var cap32 int64
				for _, series := range []Series{LiquidIO, OwnStakeIO, CoStakeIO, LockedIO, FeeVaultIO, VaultIO, BurnedIO} {
					cap32 += int64(cells[int(series)*block])
				}
				require.InDelta(t, 800_000_000, cap32, 7, "the buckets add up to the cap, up to the fraction that each drops")
			}
			if s.Name == "monthly" {
				require.Equal(t, tokenomics.Amount(300_000_000*tokenomics.UnitsPerToken), minted, "the schedule ends at the cap exactly")
			}
		}
	}
}

// A policy that mints, releases or burns what it does not book is found out in the same month.
func TestAudit(t *testing.T) {
	for name, lie := range map[string]func(*tokenomics.PolicyState, *tokenomics.Result){
		"minted and not booked": func(_ *tokenomics.PolicyState, r *tokenomics.Result) { r.Mint++ },
		"booked and not minted": func(s *tokenomics.PolicyState, _ *tokenomics.Result) { s.Minted++ },
		"burned too much":       func(s *tokenomics.PolicyState, _ *tokenomics.Result) { s.Burned++ },
		"fees of nobody":        func(s *tokenomics.PolicyState, _ *tokenomics.Result) { s.FeeVault++ },
		"above the cap":         func(s *tokenomics.PolicyState, r *tokenomics.Result) { s.Minted, r.Mint = s.Minted+s.Cap, r.Mint+s.Cap },
		"minted again":          func(s *tokenomics.PolicyState, r *tokenomics.Result) { s.Reminted, r.Remint = s.Reminted+1, r.Remint+1 },
	} {
		p := IONet()
		w := world0(t, p, Policies()[0])
		w.rules[Monthly] = ghost{w.rules[Monthly], lie}
		var r run
		w.start(&r, 1, 1, make([]int8, len(w.agents.machines)))
		require.ErrorIs(t, w.step(&r, 0, &row{cells: make([]int32, len(columns(p))*block)}), errBooks, name)
	}
	from, to := tokenomics.Amount(1), tokenomics.Amount(0)
	require.PanicsWithValue(t, "simulate.move: more than there is", func() { move(&from, &to, 2) })
}

// An error of a policy stops the simulation and says where.
func TestPolicyError(t *testing.T) {
	e, err := New(IONet())
	require.NoError(t, err)
	broken := errors.New("broken")
	e.rules[Monthly] = failing{e.rules[Monthly], broken}
	_, err = e.Run(t.Context(), Policies()[0], Options{Runs: 1, Workers: 1})
	require.ErrorIs(t, err, broken)
	require.ErrorContains(t, err, `scenario "monthly": run 0: month 0`)
}

type failing struct {
	tokenomics.Policy
	err error
}

func (f failing) Step(s tokenomics.PolicyState, _ tokenomics.Inputs) (tokenomics.PolicyState, tokenomics.Result, error) {
	return s, tokenomics.Result{}, f.err
}

func BenchmarkAgents(b *testing.B) {
	p := IONet()
	p.Agents.Cohorts = 2_500
	a := newAgents(p)
	b.Run("agents=10k", func(b *testing.B) {
		levels := make([]int8, len(a.machines))
		a.start(levels)
		b.ReportAllocs()
		income := uint64(0)
		for b.Loop() {
			for c := range p.Classes {
				income = income*6_364_136_223_846_793_005 + 1
				a.step(levels, c, p.Classes[c].CostMicro/2+income>>40%p.Classes[c].CostMicro)
			}
		}
		b.ReportMetric(float64(len(levels)*b.N)/b.Elapsed().Seconds(), "agent-steps/s")
	})
}
