package tokenomics_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/tokenomics"
)

func dollars(n uint64) tokenomics.USD { return tokenomics.USD(n * tokenomics.MicrosPerUSD) }

// at returns a price in millionths of a dollar.
func at(micro uint64) tokenomics.Price {
	return tokenomics.Price{MicroPerToken: micro, At: july2024(), Source: "test"}
}

// anHour returns inputs for the first hour.
func anHour() tokenomics.Inputs {
	return tokenomics.Inputs{Start: july2024(), End: july2024().Add(time.Hour)}
}

func ide() tokenomics.IDEPolicy {
	return tokenomics.IDEPolicy{Name: "ide", BurnShareBps: 5000, Target: 115, FirstYear: 12}
}

func TestIDEByHand(t *testing.T) {
	// Two suppliers are owed 30 and 10 dollars, a token costs 4: 7.5 and 2.5 tokens.
	in := anHour()
	in.Release, in.Revenue = at(4_000_000), dollars(100)
	in.Owed = []tokenomics.Claim{{ID: "a", USD: dollars(30)}, {ID: "b", USD: dollars(10)}}
	s := tokenomics.PolicyState{Decimals: 8, Genesis: 500 * tokens, Cap: 800 * tokens, Minted: 100 * tokens}
	next, r, err := ide().Step(s, in)
	require.NoError(t, err)
	require.Equal(t, tokenomics.Result{
		Policy: "ide", Mint: 10 * tokens, BuyBack: dollars(30), Retained: dollars(70), RatioPPM: 2_500_000,
		Payouts: []tokenomics.Payout{{ID: "a", Amount: 7.5 * tokens, USD: dollars(30)}, {ID: "b", Amount: 2.5 * tokens, USD: dollars(10)}},
	}, r)
	require.Equal(t, tokenomics.PolicyState{
		Decimals: 8, Genesis: 500 * tokens, Cap: 800 * tokens, Minted: 110 * tokens, Released: 10 * tokens, PaidUSD: dollars(40), Revenue: dollars(100),
	}, next)

	// The vaults hold 6 and 3 tokens: 9 of 10 are paid, a tenth of each claim stays owed, and no revenue is left to burn.
	s.Minted, s.FeeVault, in.Revenue = 294*tokens, 2*tokens, dollars(36)
	in.FeesIn = tokens
	next, r, err = ide().Step(s, in)
	require.NoError(t, err)
	require.Equal(t, tokenomics.Result{
		Policy: "ide", Mint: 6 * tokens, FromFeeVault: 3 * tokens, Retained: dollars(36), RatioPPM: 1_000_000, Flags: tokenomics.Shortfall,
		Unfunded: tokens, UnfundedUSD: dollars(4), CutPPM: 100_000,
		Payouts: []tokenomics.Payout{{ID: "a", Amount: 6.75 * tokens, USD: dollars(27)}, {ID: "b", Amount: 2.25 * tokens, USD: dollars(9)}},
	}, r)
	require.Equal(t, []tokenomics.Claim{{ID: "a", USD: dollars(3)}, {ID: "b", USD: dollars(1)}}, next.Debts)
	require.Zero(t, next.FeeVault)
	require.Zero(t, next.Room())

	// Debts are paid before anything else is forgotten: c comes between, and a is owed more.
	next.Minted -= 10 * tokens
	in.FeesIn, in.Owed = 0, []tokenomics.Claim{{ID: "a", USD: dollars(1)}, {ID: "aa", USD: dollars(2)}, {ID: "z"}}
	last, r, err := ide().Step(next, in)
	require.NoError(t, err)
	require.Equal(t, []tokenomics.Payout{
		{ID: "a", Amount: tokens, USD: dollars(4)}, {ID: "aa", Amount: 0.5 * tokens, USD: dollars(2)}, {ID: "b", Amount: 0.25 * tokens, USD: dollars(1)},
	}, r.Payouts)
	require.Empty(t, last.Debts)

	drop := ide()
	drop.DropDebts = true
	in.FeesIn, in.Owed = tokens, []tokenomics.Claim{{ID: "a", USD: dollars(30)}, {ID: "b", USD: dollars(10)}}
	forgotten, r, err := drop.Step(s, in)
	require.NoError(t, err)
	require.Equal(t, dollars(4), r.UnfundedUSD, "what is forgotten is said")
	require.Empty(t, forgotten.Debts)
}

// A token of six places: the same dollars are other base units.
func TestPoliciesInOtherDecimals(t *testing.T) {
	in := anHour()
	in.Release, in.Credit, in.Wanted = at(4_000_000), at(4_000_000), dollars(8)
	in.Owed = []tokenomics.Claim{{ID: "a", USD: dollars(40)}}
	s := tokenomics.PolicyState{Decimals: 6, Genesis: 500_000_000, Cap: 800_000_000}
	_, r, err := ide().Step(s, in)
	require.NoError(t, err)
	require.Equal(t, tokenomics.Amount(10_000_000), r.Mint)
	_, r, err = tokenomics.BurnMintPolicy{Name: "x"}.Step(s, in)
	require.NoError(t, err)
	require.Equal(t, tokenomics.Amount(2_000_000), r.Burn)
	s.Decimals = 10
	_, _, err = ide().Step(s, in)
	require.ErrorIs(t, err, tokenomics.ErrDecimals)
}

// Without a usable price nothing is released and every dollar stays owed, to the next epoch or the next policy.
func TestNoPriceNoRelease(t *testing.T) {
	in := anHour()
	in.Revenue = dollars(100)
	in.Owed = []tokenomics.Claim{{ID: "b", USD: 7}}
	s := tokenomics.PolicyState{Decimals: 8, Genesis: 500, Cap: 800, Debts: []tokenomics.Claim{{ID: "a", USD: 5}, {ID: "b", USD: 1}}}
	next, r, err := ide().Step(s, in)
	require.NoError(t, err)
	require.Equal(t, tokenomics.Result{Policy: "ide", Flags: tokenomics.NoPrice, BuyBack: dollars(50), Retained: dollars(50)}, r)
	require.Equal(t, []tokenomics.Claim{{ID: "a", USD: 5}, {ID: "b", USD: 8}}, next.Debts)
	require.Equal(t, []tokenomics.Claim{{ID: "a", USD: 5}, {ID: "b", USD: 1}}, s.Debts, "the state before is not touched")

	fixed := fixedPolicy(t, flat(t, "flat"), hours(july2024()))
	kept, _, err := fixed.Step(next, in)
	require.NoError(t, err)
	require.Equal(t, []tokenomics.Claim{{ID: "a", USD: 5}, {ID: "b", USD: 15}}, kept.Debts, "a fixed schedule keeps what is owed in dollars")
	in.Release = tokenomics.Price{MicroPerToken: 1}
	_, _, err = ide().Step(s, in)
	require.ErrorIs(t, err, tokenomics.ErrPrice, "a price without time and source is none")
}

// A price so low that the need has more than 64 bits stops no epoch: all there is is paid, the rest stays owed.
func TestNeedBeyondAllNumbers(t *testing.T) {
	in := anHour()
	in.Release, in.Owed = at(1), []tokenomics.Claim{{ID: "a", USD: dollars(1_000_000)}}
	s := tokenomics.PolicyState{Decimals: 8, Genesis: 500 * tokens, Cap: 800 * tokens}
	next, r, err := ide().Step(s, in)
	require.NoError(t, err)
	require.Equal(t, tokenomics.Amount(300*tokens), r.Mint)
	require.Equal(t, tokenomics.Shortfall, r.Flags)
	require.Equal(t, tokenomics.Amount(1<<64-1-300*tokens), r.Unfunded)
	require.Equal(t, uint32(1_000_000), r.CutPPM)
	require.Equal(t, []tokenomics.Claim{{ID: "a", USD: dollars(1_000_000) - 300}}, next.Debts, "300 tokens are worth 300 millionths")
}

func TestIDEReport(t *testing.T) {
	p := ide()
	then := tokenomics.PolicyState{Decimals: 8, Genesis: 500, Cap: 800, Minted: 69, Burned: 10, Released: 5, PaidUSD: 100, Revenue: 300}
	now := tokenomics.PolicyState{Decimals: 8, Genesis: 500, Cap: 800, Minted: 99, Burned: 22, Released: 45, PaidUSD: 150, Revenue: 400}
	r, err := p.Report(then, now, 131)
	require.NoError(t, err)
	require.Equal(t, tokenomics.IDEReport{
		Released: 40, Scheduled: 131, Burned: 12, Saved: 103, RewardVault: 201, MeetsFirstYear: true, SustainabilityPPM: 2_000_000,
	}, r)
	r, err = p.Report(then, now, 143)
	require.NoError(t, err)
	require.True(t, r.MeetsTarget)
	require.Equal(t, tokenomics.Amount(115), r.Saved)
	r, err = p.Report(then, now, 27)
	require.NoError(t, err)
	require.Zero(t, r.Saved, "it released more than the schedule would have")
	require.False(t, r.MeetsFirstYear)
	r, err = p.Report(then, now, 40)
	require.NoError(t, err)
	require.Equal(t, tokenomics.Amount(12), r.Saved)
	require.True(t, r.MeetsFirstYear, "to the unit")
	r, err = p.Report(now, now, 7)
	require.NoError(t, err, "a state compares with itself")
	require.Equal(t, tokenomics.Amount(7), r.Saved)
	require.Zero(t, r.SustainabilityPPM)
	for _, forget := range []func(s *tokenomics.PolicyState){
		func(s *tokenomics.PolicyState) { s.Released++ }, func(s *tokenomics.PolicyState) { s.Burned++ },
		func(s *tokenomics.PolicyState) { s.PaidUSD++ }, func(s *tokenomics.PolicyState) { s.Revenue++ },
	} {
		later := now
		forget(&later)
		_, err = p.Report(later, now, 1)
		require.ErrorIs(t, err, tokenomics.ErrInputs)
	}
	_, err = p.Report(then, now, 1<<64-1)
	require.ErrorIs(t, err, tokenomics.ErrOverflow)
}

func TestPoliciesValidate(t *testing.T) {
	fixed := fixedPolicy(t, flat(t, "flat"), hours(july2024()))
	good := tokenomics.PolicyState{Decimals: 8, Genesis: 1000, Cap: 2000}
	for _, c := range []struct {
		name   string
		policy tokenomics.Policy
		says   string
	}{
		{"ide", ide(), ""},
		{"ide without a name", tokenomics.IDEPolicy{BurnShareBps: 5000}, "no id"},
		{"ide that burns less than half", tokenomics.IDEPolicy{Name: "x", BurnShareBps: 4999}, "burn_share_bps 4999, want 5000 to 10000"},
		{"ide that burns all", tokenomics.IDEPolicy{Name: "x", BurnShareBps: 10_000}, ""},
		{"ide that burns more", tokenomics.IDEPolicy{Name: "x", BurnShareBps: 10_001}, "10001"},
		{"ide whose first year is more than all", tokenomics.IDEPolicy{Name: "x", BurnShareBps: 5000, FirstYear: 1}, "first_year"},
		{"burn-mint", tokenomics.BurnMintPolicy{Name: "x", WarnPPM: 9, HaltPPM: 9}, ""},
		{"burn-mint without a name", tokenomics.BurnMintPolicy{}, "no id"},
		{"burn-mint that halts before it warns", tokenomics.BurnMintPolicy{Name: "x", WarnPPM: 8, HaltPPM: 9}, "halt_ppm"},
		{"net emission", tokenomics.NetEmissionPolicy{Name: "x", Curve: fixed, Parts: 1, MaxBps: 10_000}, ""},
		{"net emission without a name", tokenomics.NetEmissionPolicy{Curve: fixed, Parts: 1}, "no id"},
		{"net emission without a curve", tokenomics.NetEmissionPolicy{Name: "x", Parts: 1}, "no curve"},
		{"net emission of no parts", tokenomics.NetEmissionPolicy{Name: "x", Curve: fixed}, "parts"},
		{"net emission of more than all", tokenomics.NetEmissionPolicy{Name: "x", Curve: fixed, Parts: 1, MaxBps: 10_001}, "max_bps"},
	} {
		next, _, err := c.policy.Step(good, anHour())
		if c.says == "" {
			require.NoError(t, err, c.name)
			require.NoError(t, next.Check())
			continue
		}
		require.ErrorIs(t, err, tokenomics.ErrPolicy, c.name)
		require.ErrorContains(t, err, c.says, c.name)
		require.Zero(t, next)
	}
}

// Inputs that cannot be are refused by every policy alike.
func TestInputsRefused(t *testing.T) {
	fixed := fixedPolicy(t, flat(t, "flat"), hours(july2024()))
	inflation, err := tokenomics.NewInflation(solana())
	require.NoError(t, err)
	for _, p := range []tokenomics.Policy{
		fixed, ide(), tokenomics.BurnMintPolicy{Name: "x"}, tokenomics.NetEmissionPolicy{Name: "x", Curve: fixed, Parts: 1}, inflation,
	} {
		for _, c := range []struct {
			name   string
			change func(in *tokenomics.Inputs)
			err    error
		}{
			{"nothing wrong", func(*tokenomics.Inputs) {}, nil},
			{"an epoch of no length", func(in *tokenomics.Inputs) { in.End = in.Start }, tokenomics.ErrInputs},
			{"all burned", func(in *tokenomics.Inputs) { in.Burned, in.FeesIn = 1000, 0 }, nil},
			{"more burned than there is", func(in *tokenomics.Inputs) { in.Burned, in.FeesIn = 1001, 0 }, tokenomics.ErrInputs},
			{"all in the fee vault", func(in *tokenomics.Inputs) { in.FeesIn = 1000 }, nil},
			{"more fees than there is", func(in *tokenomics.Inputs) { in.FeesIn = 1001 }, tokenomics.ErrInputs},
			{"burned out of the fee vault", func(in *tokenomics.Inputs) { in.FeesIn, in.Burned = 1000, 1 }, tokenomics.ErrInputs},
			{"fees without end", func(in *tokenomics.Inputs) { in.FeesIn = 1<<64 - 1 }, tokenomics.ErrInputs},
			{"revenue without end", func(in *tokenomics.Inputs) { in.Revenue = 1<<64 - 1 }, tokenomics.ErrInputs},
			{"a claim of nobody", func(in *tokenomics.Inputs) { in.Owed = []tokenomics.Claim{{USD: 1}} }, tokenomics.ErrInputs},
			{"claims out of order", func(in *tokenomics.Inputs) { in.Owed = []tokenomics.Claim{{ID: "b"}, {ID: "a"}} }, tokenomics.ErrInputs},
			{"a claim twice", func(in *tokenomics.Inputs) { in.Owed = []tokenomics.Claim{{ID: "a"}, {ID: "a"}} }, tokenomics.ErrInputs},
			{"claims without end", func(in *tokenomics.Inputs) {
				in.Owed = []tokenomics.Claim{{ID: "a", USD: 1 << 63}, {ID: "b", USD: 1 << 63}}
			}, tokenomics.ErrOverflow},
			{"a claim beside a debt without end", func(in *tokenomics.Inputs) {
				in.Owed = []tokenomics.Claim{{ID: "debtor", USD: 1<<64 - 1}}
			}, tokenomics.ErrOverflow},
		} {
			in := anHour()
			in.FeesIn = 1
			c.change(&in)
			s := tokenomics.PolicyState{Decimals: 8, Genesis: 1000, Cap: 2000, Revenue: 1, Debts: []tokenomics.Claim{{ID: "debtor", USD: 1}}}
			next, r, err := p.Step(s, in)
			if c.err == nil {
				require.NoError(t, err, "%s: %s", p.ID(), c.name)
				require.NoError(t, next.Check(), "%s: %s", p.ID(), c.name)
				continue
			}
			require.ErrorIs(t, err, c.err, "%s: %s", p.ID(), c.name)
			require.Zero(t, next)
			require.Zero(t, r)
		}
	}
}

func TestFlags(t *testing.T) {
	require.Equal(t, "none", tokenomics.Flags(0).String())
	require.Equal(t, "no price|capped|shortfall|warned|sales halted", (tokenomics.NoPrice | tokenomics.Capped | tokenomics.Shortfall |
		tokenomics.Warned | tokenomics.SalesHalted).String())
	require.Equal(t, "capped|Flags(192)", (tokenomics.Capped | 192).String())
	require.True(t, tokenomics.Flags(3).Has(tokenomics.Capped))
	require.False(t, tokenomics.Flags(2).Has(3))
}

// claims is the settlement of claims in fractions: what each supplier was owed, got and is still owed.
func checkClaims(t *testing.T, s, next tokenomics.PolicyState, in tokenomics.Inputs, r tokenomics.Result, most tokenomics.Amount) {
	t.Helper()
	due := map[string]uint64{}
	for _, c := range slices.Concat(s.Debts, in.Owed) {
		due[c.ID] += uint64(c.USD)
	}
	var sum, paid, debts, tokensPaid uint64
	for _, c := range due {
		sum += c
	}
	for _, d := range next.Debts {
		debts += uint64(d.USD)
	}
	if sum == 0 || in.Release.MicroPerToken == 0 {
		require.Equal(t, sum, debts)
		require.Equal(t, s.CarryUSD, next.CarryUSD)
		require.Empty(t, r.Payouts)
		return
	}
	// need = floor(total * 10^8 / price), pay = min(need, most)
	total := new(big.Int).SetUint64(sum + uint64(s.CarryUSD))
	price := new(big.Int).SetUint64(in.Release.MicroPerToken)
	need := new(big.Int).Mul(total, big.NewInt(tokens))
	need.Quo(need, price)
	pay := min(need.Uint64(), uint64(most))
	for _, p := range r.Payouts {
		paid += uint64(p.USD)
		tokensPaid += uint64(p.Amount)
		require.LessOrEqual(t, uint64(p.USD), due[p.ID])
		// Within one unit of the exact share of what is paid.
		share := new(big.Rat).SetFrac(new(big.Int).Mul(new(big.Int).SetUint64(pay), new(big.Int).SetUint64(due[p.ID])), new(big.Int).SetUint64(sum))
		off := share.Sub(share, new(big.Rat).SetInt(new(big.Int).SetUint64(uint64(p.Amount))))
		require.Negative(t, off.Abs(off).Cmp(big.NewRat(1, 1)))
	}
	require.Equal(t, pay, tokensPaid)
	require.Equal(t, need.Uint64()-pay, uint64(r.Unfunded))
	require.Equal(t, uint64(r.UnfundedUSD), debts)
	require.Equal(t, sum, paid+debts, "every dollar is paid or owed")
	// What the tokens are worth and what is carried make up for what was paid.
	worth := new(big.Rat).SetFrac(new(big.Int).Mul(new(big.Int).SetUint64(pay), price), big.NewInt(tokens))
	ceil := new(big.Int).Sub(worth.Num(), big.NewInt(1))
	ceil.Quo(ceil, worth.Denom()).Add(ceil, big.NewInt(1))
	if pay == 0 {
		ceil.SetInt64(0)
	}
	require.Equal(t, ceil.Uint64(), uint64(next.PaidUSD-s.PaidUSD))
	require.Equal(t, sum+uint64(s.CarryUSD), ceil.Uint64()+debts+uint64(next.CarryUSD), "nothing is lost")
	if r.Unfunded == 0 {
		unit := new(big.Int).Quo(new(big.Int).Add(price, big.NewInt(tokens-1)), big.NewInt(tokens))
		require.LessOrEqual(t, uint64(next.CarryUSD), unit.Uint64(), "a carry is less than a base unit costs")
	}
}

// playPolicy takes one policy through random epochs and holds every step to the rules and to the fractions.
func playPolicy(t *testing.T, r *rand.Rand, p tokenomics.Policy, n int) (decided int) {
	t.Helper()
	tl := newTimeline(t, hours(july2024()), tokenomics.Era{Policy: p})
	s := tokenomics.PolicyState{Decimals: 8, Genesis: tokenomics.Amount(1 + r.Uint64N(1<<40)), Minted: 0, CarryUSD: tokenomics.USD(r.Uint64N(3))}
	s.Cap = s.Genesis + tokenomics.Amount(r.Uint64N(1<<r.UintN(40)))
	for k := range tokenomics.Epoch(n) {
		in := randomInputs(r)
		if r.IntN(3) == 0 && s.Total() > 0 {
			in.Burned = tokenomics.Amount(r.Uint64N(uint64(s.Total())/8 + 1))
			in.FeesIn = tokenomics.Amount(r.Uint64N(uint64(s.Total()-in.Burned-min(s.FeeVault, s.Total()-in.Burned))/2 + 1))
		}
		next, res, err := tl.Step(k+1, s, in)
		if err != nil {
			require.ErrorIs(t, err, tokenomics.ErrInputs, "%+v", in)
			continue
		}
		vaults := s.Room() + s.FeeVault + in.FeesIn
		switch p.(type) {
		case tokenomics.IDEPolicy:
			checkClaims(t, s, next, in, res, vaults)
			require.True(t, res.FromFeeVault == 0 || next.Room() == 0, "the reward vault is drained first")
			surplus := uint64(in.Revenue) - min(uint64(in.Revenue), uint64(next.PaidUSD-s.PaidUSD))
			require.GreaterOrEqual(t, 2*uint64(res.BuyBack), surplus, "half of the surplus at least")
			require.LessOrEqual(t, uint64(res.BuyBack), surplus)
			require.Equal(t, in.Revenue, res.BuyBack+res.Retained)
		case tokenomics.BurnMintPolicy:
			confirmed := min(s.Pending, in.Burned)
			checkClaims(t, s, next, in, res, s.Recycle+confirmed)
			require.Equal(t, s.Recycle+confirmed-res.Remint, next.Recycle)
			require.Equal(t, s.Pending-confirmed+res.Burn, next.Pending)
			require.Equal(t, s.Credits+res.Issued-min(s.Credits, next.PaidUSD-s.PaidUSD), next.Credits)
			if res.Issued > 0 {
				worth := new(big.Int).Mul(new(big.Int).SetUint64(uint64(res.Burn)), new(big.Int).SetUint64(in.Credit.MicroPerToken))
				require.GreaterOrEqual(t, worth.Cmp(new(big.Int).Mul(new(big.Int).SetUint64(uint64(res.Issued)), big.NewInt(tokens))), 0, "credits are backed")
			}
		case tokenomics.NetEmissionPolicy:
			require.LessOrEqual(t, next.Reminted+next.Recycle, next.Burned)
			require.Equal(t, s.Recycle+in.Burned, next.Recycle+res.Remint)
		}
		s = next
		decided++
	}
	return decided
}

func policies(t testing.TB) []tokenomics.Policy {
	fixed := fixedPolicy(t, flat(t, "flat"), hours(july2024()))
	inflation, err := tokenomics.NewInflation(solana())
	require.NoError(t, err)
	drop := ide()
	drop.Name, drop.BurnShareBps = "ide-9999", 9999
	return []tokenomics.Policy{
		fixed, ide(), drop,
		tokenomics.BurnMintPolicy{Name: "bme", WarnPPM: 950_000, HaltPPM: 900_000},
		tokenomics.BurnMintPolicy{Name: "render", WarnPPM: 950_000, HaltPPM: 900_000, Rewards: fixed},
		tokenomics.NetEmissionPolicy{Name: "net", Curve: fixed, Parts: 336, MaxBps: 100},
		tokenomics.NetEmissionPolicy{Name: "net", Curve: fixed, Parts: 1, MaxBps: 10_000},
		inflation,
	}
}

func TestPoliciesAtRandom(t *testing.T) {
	for i, p := range policies(t) {
		decided := 0
		for seed := range uint64(25) {
			decided += playPolicy(t, rand.New(rand.NewPCG(seed, uint64(i))), p, 40)
		}
		require.Greater(t, decided, 500, "most of 1000 steps of %s are refused", p.ID())
	}
}

func FuzzPolicies(f *testing.F) {
	all := policies(f)
	f.Add(uint64(1), uint64(2))
	f.Fuzz(func(t *testing.T, a, b uint64) {
		playPolicy(t, rand.New(rand.NewPCG(a, b)), all[a%uint64(len(all))], 30)
	})
}

func TestCutoverParams(t *testing.T) {
	monthly, net := tokenomics.IONetMonthly(), tokenomics.NetEmissionPolicy{Name: "net", Parts: 336, MaxBps: 100}
	bme, inflation, engine := tokenomics.BurnMintPolicy{Name: "bme"}, solana(), ide()
	bad := monthly
	bad.Emission.Epochs = 0
	for _, c := range []struct {
		name string
		c    tokenomics.CutoverParams
		id   string
		says string
	}{
		{"nothing", tokenomics.CutoverParams{}, "", "exactly one policy"},
		{"a schedule", tokenomics.CutoverParams{Schedule: &monthly}, "io.net/monthly", ""},
		{"an engine", tokenomics.CutoverParams{IDE: &engine}, "ide", ""},
		{"an engine and a schedule", tokenomics.CutoverParams{IDE: &engine, Schedule: &monthly}, "", "exactly one policy"},
		{"burn-mint", tokenomics.CutoverParams{BurnMint: &bme}, "bme", ""},
		{"burn-mint with rewards", tokenomics.CutoverParams{BurnMint: &bme, Schedule: &monthly}, "bme", ""},
		{"two policies", tokenomics.CutoverParams{BurnMint: &bme, IDE: &engine}, "", "exactly one policy"},
		{"net emission", tokenomics.CutoverParams{NetEmission: &net, Schedule: &monthly}, "net", ""},
		{"net emission without a schedule", tokenomics.CutoverParams{NetEmission: &net}, "", "no schedule beside it"},
		{"inflation", tokenomics.CutoverParams{Inflation: &inflation}, "solana", ""},
		{"inflation and a schedule", tokenomics.CutoverParams{Inflation: &inflation, Schedule: &monthly}, "", "exactly one policy"},
		{"a bad schedule", tokenomics.CutoverParams{Schedule: &bad}, "", "epochs"},
	} {
		p, err := c.c.Policy(time.Hour)
		if c.says != "" {
			require.ErrorContains(t, err, c.says, c.name)
			continue
		}
		require.NoError(t, err, c.name)
		require.Equal(t, c.id, p.ID(), c.name)
	}
	late := monthly
	late.Start = late.Start.Add(time.Second)
	_, err := tokenomics.CutoverParams{Schedule: &late}.Policy(time.Hour)
	require.ErrorIs(t, err, tokenomics.ErrCalendar)
	require.NotContains(t, fmt.Sprint(err), "panic")
}

func solana() tokenomics.InflationPolicy {
	return tokenomics.InflationPolicy{
		Name: "solana", Start: july2024(), Initial: decimal.New(8, -2), Taper: decimal.New(15, -2), Floor: decimal.New(15, -3),
	}
}

func BenchmarkStep(b *testing.B) {
	in := anHour()
	in.Release, in.Credit, in.Revenue, in.Wanted = at(4_000_000), at(4_000_000), dollars(100), dollars(10)
	in.Owed = []tokenomics.Claim{{ID: "all", USD: dollars(40)}}
	for _, p := range policies(b) {
		b.Run(strings.ReplaceAll(p.ID(), "/", "-"), func(b *testing.B) {
			s := tokenomics.PolicyState{Decimals: 8, Genesis: 500_000_000 * tokens, Cap: 800_000_000 * tokens, Burned: tokens, Recycle: tokens}
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := p.Step(s, in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
