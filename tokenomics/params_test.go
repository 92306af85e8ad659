package tokenomics_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/golden"
	"github.com/idlegrid/idlegrid/tokenomics"
)

func TestIONetIsValid(t *testing.T) {
	p := tokenomics.IONet()
	require.NoError(t, p.Validate())
	require.Equal(t, p.Cap, p.Genesis+p.Emission.Cap)
	require.Equal(t, tokenomics.ScoreV1, p.ScoreVersion(p.ScoreV2From.Add(-1)))
	require.Equal(t, tokenomics.ScoreV2, p.ScoreVersion(p.ScoreV2From))
}

// A network that goes through every policy, from JSON: it decides the same.
func TestPoliciesTravelAsJSON(t *testing.T) {
	p := cutNet()
	require.NoError(t, p.Validate())
	text, err := json.Marshal(p)
	require.NoError(t, err)
	require.Contains(t, string(text), `"inflation":{"id":"test/inflation","start":"2024-06-15T16:00:00Z","initial":"1","taper":"0.15","floor":"0.015"}`)
	var back tokenomics.Params
	require.NoError(t, json.Unmarshal(text, &back))
	require.NoError(t, back.Validate())
	one, two := newSupply(t, p, 1), newSupply(t, back, 1)
	r := rand.New(rand.NewPCG(21, 22))
	for k := tokenomics.Epoch(1); k <= 40; k++ {
		e := tokenomics.Emitted{Epoch: k, Inputs: randomInputs(r)}
		_, err := one.Apply(p.Calendar.StartOf(k+1), e)
		_, err2 := two.Apply(p.Calendar.StartOf(k+1), e)
		require.Equal(t, err, err2)
		require.Equal(t, one.Digest(), two.Digest())
	}
}

func TestParamsTravelAsJSON(t *testing.T) {
	p := tokenomics.IONet()
	text, err := json.MarshalIndent(p, "", "  ")
	require.NoError(t, err)
	golden.Check(t, "testdata/ionet.golden", string(text)+"\n")
	var back tokenomics.Params
	require.NoError(t, json.Unmarshal(text, &back))
	again, err := json.MarshalIndent(back, "", "  ")
	require.NoError(t, err)
	require.Equal(t, string(text), string(again))
	require.NoError(t, back.Validate())
}

func TestParamsValidate(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(p *tokenomics.Params)
		err    error
		says   string
	}{
		{"no version", func(p *tokenomics.Params) { p.Version = "" }, tokenomics.ErrParams, "no version"},
		{"genesis above the cap", func(p *tokenomics.Params) { p.Genesis = p.Cap + 1 }, tokenomics.ErrParams, "exceeds the cap"},
		{"one unit of emission too much", func(p *tokenomics.Params) { p.Emission.Cap++ }, tokenomics.ErrParams, "cap - genesis"},
		{"decimals", func(p *tokenomics.Params) { p.Decimals = 10 }, tokenomics.ErrDecimals, "10 places"},
		{"emission", func(p *tokenomics.Params) { p.Emission.Epochs = 0 }, tokenomics.ErrEmission, "epochs"},
		{"calendar", func(p *tokenomics.Params) { p.Calendar.Length = 0 }, tokenomics.ErrCalendar, "length"},
		{"a cut-over to nothing", func(p *tokenomics.Params) { p.Cutovers[0].Schedule = nil }, tokenomics.ErrPolicy, "exactly one policy"},
		{"a cut-over to a bad engine", func(p *tokenomics.Params) { p.Cutovers[1].IDE.Name = "" }, tokenomics.ErrPolicy, "no id"},
		{"a cut-over to a bad schedule", func(p *tokenomics.Params) { p.Cutovers[0].Schedule.Emission.Epochs = 0 }, tokenomics.ErrEmission, "epochs"},
		{"cut-overs out of order", func(p *tokenomics.Params) { p.Cutovers[1].From = p.Cutovers[0].From }, tokenomics.ErrParams, "cut-over 2"},
		{"an allocation of nothing", func(p *tokenomics.Params) { p.Allocation.Version = "" }, tokenomics.ErrAllocation, "no version"},
		{"an allocation of more than genesis", func(p *tokenomics.Params) { p.Allocation.Buckets[0].AtStart++ }, tokenomics.ErrParams, "500000000.00000001"},
		{"pools", func(p *tokenomics.Params) { p.Pools.Eras = nil }, tokenomics.ErrPools, "no era"},
		{"multipliers", func(p *tokenomics.Params) { p.Multipliers.Rows[0].Model = "" }, tokenomics.ErrMultipliers, "no model"},
		{"fees", func(p *tokenomics.Params) { p.Fees.Order = 0 }, tokenomics.ErrFees, "order"},
		{"burn", func(p *tokenomics.Params) { p.Burn.MaxBps = 10_001 }, tokenomics.ErrBurn, "10001"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := tokenomics.IONet()
			c.change(&p)
			require.ErrorIs(t, p.Validate(), c.err)
			require.ErrorContains(t, p.Validate(), c.says)
			_, err := tokenomics.NewSupply(p, 1)
			require.ErrorIs(t, err, c.err)
		})
	}
}

func TestMultiplierTableGolden(t *testing.T) {
	p := tokenomics.IONet().Multipliers
	table, err := tokenomics.NewMultiplierTable(p)
	require.NoError(t, err)
	var out strings.Builder
	out.WriteString("model\told\tpool\tnew\tpool\tnote\n")
	for r := range table.All() {
		fmt.Fprintf(&out, "%s\t%s\t%s\t%s\t%s\t%s\n", r.Model, r.Old, r.OldPool, r.New, r.NewPool, r.Note)
	}
	golden.Check(t, "testdata/multipliers.golden", out.String())
}

func TestMultiplierDates(t *testing.T) {
	p := tokenomics.IONet().Multipliers
	table, err := tokenomics.NewMultiplierTable(p)
	require.NoError(t, err)
	for _, c := range []struct {
		model       string
		at          time.Time
		earn        tokenomics.Multiplier
		pool        tokenomics.Pool
		stake       tokenomics.Multiplier
		known       bool
		description string
	}{
		{"NVIDIA GeForce RTX 4070", p.EarnFrom.Add(-1), 25, tokenomics.PoolGPU, 25, true, "before the change"},
		{"NVIDIA GeForce RTX 4070", p.EarnFrom, 150, tokenomics.PoolCommunity, 25, true, "stakes have a month's grace"},
		{"NVIDIA GeForce RTX 4070", p.StakeFrom.Add(-1), 150, tokenomics.PoolCommunity, 25, true, "its last instant"},
		{"NVIDIA GeForce RTX 4070", p.StakeFrom, 150, tokenomics.PoolCommunity, 150, true, "after it"},
		{"NVIDIA H200", p.EarnFrom, 1200, tokenomics.PoolEnterprise, 1500, true, "a multiplier that fell"},
		{"Apple M3 Max", p.EarnFrom.Add(-1), 100, tokenomics.PoolCPU, 100, true, "Apple was in the CPU pool"},
		{"NVIDIA A40", p.EarnFrom.Add(-1), 200, tokenomics.PoolGPU, 200, true, "before it was dropped"},
		{"NVIDIA A40", p.StakeFrom, 0, tokenomics.NoPool, 0, true, "dropped, but known"},
		{"A40", p.EarnFrom, 0, tokenomics.NoPool, 0, false, "names are matched exactly"},
		{"", p.EarnFrom, 0, tokenomics.NoPool, 0, false, "no name"},
	} {
		earn, pool, known := table.Earning(c.model, c.at)
		require.Equal(t, []any{c.earn, c.pool, c.known}, []any{earn, pool, known}, c.description)
		stake, known := table.Stake(c.model, c.at)
		require.Equal(t, []any{c.stake, c.known}, []any{stake, known}, c.description)
	}
	p.Rows[0].Old = 7777
	m, _, _ := table.Earning(p.Rows[0].Model, p.EarnFrom.Add(-1))
	require.NotEqual(t, tokenomics.Multiplier(7777), m, "the table keeps its own rows")
}

func TestMultipliersValidate(t *testing.T) {
	type row = tokenomics.MultiplierRow
	at := time.Date(2025, 6, 4, 15, 0, 0, 0, time.UTC)
	gpu, none := tokenomics.PoolGPU, tokenomics.NoPool
	for _, c := range []struct {
		name string
		p    tokenomics.MultiplierParams
		says string
	}{
		{"stake before earnings", tokenomics.MultiplierParams{EarnFrom: at, StakeFrom: at.Add(-1)}, "stake before"},
		{"two rows", tokenomics.MultiplierParams{Rows: []row{{"a", gpu, 1, none, 0, ""}, {"a", gpu, 1, none, 0, ""}}}, "two rows"},
		{"multiplier without a pool", tokenomics.MultiplierParams{Rows: []row{{"a", gpu, 1, none, 1, ""}}}, "pool"},
		{"pool without a multiplier", tokenomics.MultiplierParams{Rows: []row{{"a", gpu, 0, none, 0, ""}}}, "pool"},
		{"unknown pool", tokenomics.MultiplierParams{Rows: []row{{"a", 9, 1, none, 0, ""}}}, "unknown pool"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := tokenomics.NewMultiplierTable(c.p)
			require.ErrorIs(t, err, tokenomics.ErrMultipliers)
			require.ErrorContains(t, err, c.says)
		})
	}
	_, err := tokenomics.NewMultiplierTable(tokenomics.MultiplierParams{})
	require.NoError(t, err, "a table may be empty")
}

func TestPoolsDivide(t *testing.T) {
	p := tokenomics.IONet().Pools
	first, second := p.Eras[0].From, p.Eras[1].From
	for _, c := range []struct {
		name string
		at   time.Time
		want []tokenomics.PoolBudget
	}{
		{"first era", first, []tokenomics.PoolBudget{{tokenomics.PoolGPU, 8_000_000, 7}, {tokenomics.PoolCPU, 2_000_000, 2}}},
		{"its last instant", second.Add(-1), []tokenomics.PoolBudget{
			{tokenomics.PoolGPU, 8_000_000, 7}, {tokenomics.PoolCPU, 2_000_000, 2},
		}},
		{"second era", second, []tokenomics.PoolBudget{
			{tokenomics.PoolEnterprise, 9_500_000, 8}, {tokenomics.PoolCommunity, 500_000, 1},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := p.Divide(9, c.at)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
	_, err := p.Divide(9, first.Add(-1))
	require.ErrorIs(t, err, tokenomics.ErrPools)
	require.ErrorContains(t, err, "before the first era")
}

func TestPoolsValidate(t *testing.T) {
	type share = tokenomics.PoolShare
	at := time.Date(2024, 6, 15, 16, 0, 0, 0, time.UTC)
	era := func(shares ...share) []tokenomics.PoolEra { return []tokenomics.PoolEra{{From: at, Shares: shares}} }
	gpu, cpu := tokenomics.PoolGPU, tokenomics.PoolCPU
	for _, c := range []struct {
		name string
		eras []tokenomics.PoolEra
		says string
	}{
		{"none", nil, "no era"},
		{"no shares", era(), "era 1 has no share"},
		{"no pool", era(share{tokenomics.NoPool, 1}), "era 1 names pool none"},
		{"unknown pool", era(share{9, 1}), "Pool(9)"},
		{"twice", era(share{gpu, 1}, share{gpu, 1}), "pool gpu twice"},
		{"no points", era(share{gpu, 1}, share{cpu, 0}), "era 1 gives pool cpu 0 points"},
		{"points of 65 bits", era(share{gpu, math.MaxUint64}, share{cpu, 1}), "64 bits"},
		{"eras at the same instant", append(era(share{gpu, 1}), era(share{gpu, 1})...), "era 2 does not begin after"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := tokenomics.PoolPolicy{Eras: c.eras}
			require.ErrorIs(t, p.Validate(), tokenomics.ErrPools)
			require.ErrorContains(t, p.Validate(), c.says)
			_, err := p.Divide(1, at)
			require.ErrorIs(t, err, tokenomics.ErrPools)
		})
	}
}

// text is a value that is written and read as text.
type text interface {
	MarshalText() ([]byte, error)
	String() string
}

func TestNames(t *testing.T) {
	for _, c := range []struct {
		value text
		want  string
		read  func(b []byte) (any, error)
	}{
		{tokenomics.NoPool, "none", read(tokenomics.NoPool, (*tokenomics.Pool).UnmarshalText)},
		{tokenomics.PoolGPU, "gpu", read(tokenomics.NoPool, (*tokenomics.Pool).UnmarshalText)},
		{tokenomics.PoolCPU, "cpu", read(tokenomics.NoPool, (*tokenomics.Pool).UnmarshalText)},
		{tokenomics.PoolEnterprise, "enterprise", read(tokenomics.NoPool, (*tokenomics.Pool).UnmarshalText)},
		{tokenomics.PoolCommunity, "community", read(tokenomics.NoPool, (*tokenomics.Pool).UnmarshalText)},
		{tokenomics.IO, "IO", read(tokenomics.IO, (*tokenomics.Currency).UnmarshalText)},
		{tokenomics.USDC, "USDC", read(tokenomics.IO, (*tokenomics.Currency).UnmarshalText)},
		{tokenomics.Card, "card", read(tokenomics.IO, (*tokenomics.Currency).UnmarshalText)},
		{tokenomics.Additive, "additive", read(tokenomics.Additive, (*tokenomics.FeeOrder).UnmarshalText)},
		{tokenomics.Compounded, "compounded", read(tokenomics.Additive, (*tokenomics.FeeOrder).UnmarshalText)},
		{tokenomics.Circulating, "circulating", read(tokenomics.Locked, (*tokenomics.Account).UnmarshalText)},
		{tokenomics.Rewards, "rewards", read(tokenomics.Locked, (*tokenomics.Account).UnmarshalText)},
		{tokenomics.FeeVault, "fee vault", read(tokenomics.Locked, (*tokenomics.Account).UnmarshalText)},
		{tokenomics.Locked, "locked", read(tokenomics.Circulating, (*tokenomics.Account).UnmarshalText)},
		{tokenomics.Multiplier(0), "0", read(tokenomics.Multiplier(0), (*tokenomics.Multiplier).UnmarshalText)},
		{tokenomics.Multiplier(25), "0.25", read(tokenomics.Multiplier(0), (*tokenomics.Multiplier).UnmarshalText)},
		{tokenomics.Multiplier(40), "0.4", read(tokenomics.Multiplier(0), (*tokenomics.Multiplier).UnmarshalText)},
		{tokenomics.Multiplier(3000), "30", read(tokenomics.Multiplier(0), (*tokenomics.Multiplier).UnmarshalText)},
		{
			tokenomics.Multiplier(math.MaxUint32), "42949672.95",
			read(tokenomics.Multiplier(0), (*tokenomics.Multiplier).UnmarshalText),
		},
	} {
		require.Equal(t, c.want, c.value.String())
		b, err := c.value.MarshalText()
		require.NoError(t, err)
		require.Equal(t, c.want, string(b))
		back, err := c.read(b)
		require.NoError(t, err)
		require.Equal(t, c.value, back)
		_, err = c.read([]byte("no such thing"))
		require.Error(t, err)
	}
	_, err := read(tokenomics.Multiplier(0), (*tokenomics.Multiplier).UnmarshalText)([]byte("42949672.96"))
	require.ErrorIs(t, err, tokenomics.ErrOverflow)

	for _, bad := range []text{tokenomics.Pool(9), tokenomics.Currency(0), tokenomics.Currency(9), tokenomics.FeeOrder(0), tokenomics.Account(4)} {
		_, err := bad.MarshalText()
		require.Error(t, err, bad.String())
	}
	require.Equal(t, "Pool(9) Currency(0) FeeOrder(0) FeeKind(0) Rounding(0)", fmt.Sprint(tokenomics.Pool(9), " ",
		tokenomics.Currency(0), " ", tokenomics.FeeOrder(0), " ", tokenomics.FeeKind(0), " ", tokenomics.Rounding(0)))
	require.Equal(t, "reservation payment down up", fmt.Sprint(tokenomics.ReservationFee, " ", tokenomics.PaymentFee, " ",
		tokenomics.Down, " ", tokenomics.Up))
}

// read adapts an UnmarshalText to a fresh value.
func read[T any](zero T, unmarshal func(*T, []byte) error) func(b []byte) (any, error) {
	return func(b []byte) (any, error) {
		v := zero
		err := unmarshal(&v, b)
		return v, err
	}
}
