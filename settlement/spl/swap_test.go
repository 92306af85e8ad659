package spl_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
	"github.com/idlegrid/idlegrid/tokenomics"
)

const (
	splToken   = settlement.Account("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
	lotUnits   = uint64(40_000_000) // 40 USDC
	leastUnits = uint64(1_580_000_000)
	deskTokens = uint64(1_000_000_000_000) // 10,000 IO
)

// fixedMarket is an own price that does not move: 2.50 dollars a token, on both sides.
type fixedMarket struct {
	market settlement.Market
	now    time.Time
	err    error
}

func (m *fixedMarket) Market(context.Context) (settlement.Market, time.Time, error) {
	return m.market, m.now, m.err
}

func newMarket(bid, ask uint64) *fixedMarket {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	return &fixedMarket{now: now, market: settlement.Market{
		Bid: tokenomics.Price{MicroPerToken: bid, At: now, Source: "test"},
		Ask: tokenomics.Price{MicroPerToken: ask, At: now, Source: "test"},
	}}
}

// crooked is a Swapper whose instructions and quotes a test bends.
type crooked struct {
	settlement.Swapper
	quote func(*settlement.SwapQuote)
	build func(settlement.SwapOrder, []settlement.Instruction) []settlement.Instruction
}

func (c *crooked) Quote(ctx context.Context, in, out settlement.Asset, units uint64) (settlement.SwapQuote, error) {
	q, err := c.Swapper.Quote(ctx, in, out, units)
	if c.quote != nil {
		c.quote(&q)
	}
	return q, err
}

func (c *crooked) Build(ctx context.Context, o settlement.SwapOrder) ([]settlement.Instruction, error) {
	ix, err := c.Swapper.Build(ctx, o)
	if c.build != nil {
		ix = c.build(o, ix)
	}
	return ix, err
}

// swapBench is a local chain with a lot in a swap wallet and a pool to swap it in.
type swapBench struct {
	testing.TB
	*svmtest.Node
	boss, wallet, desk        ed25519.PrivateKey
	token, dollar             settlement.Asset
	walletAt, deskAt, vaultAt settlement.Account
	chain                     *spl.Chain
	pool                      *spl.Pool
	config                    spl.ConverterConfig
}

func newSwapBench(t testing.TB) *swapBench {
	t.Helper()
	ctx := t.Context()
	b := &swapBench{TB: t, Node: svmtest.ForTest(t, svmtest.Config{}), boss: svmtest.Key("boss"), wallet: svmtest.Key("swapper"), desk: svmtest.Key("desk")}
	b.walletAt, b.deskAt, b.vaultAt = svmtest.Address(b.wallet), svmtest.Address(b.desk), svmtest.Address(svmtest.Key("vault"))
	require.NoError(t, b.Airdrop(ctx, svmtest.Address(b.boss), 1e12))
	require.NoError(t, b.Airdrop(ctx, b.deskAt, 1e9))
	var err error
	b.token, err = b.CreateMint(ctx, b.boss, svmtest.Key("IO"), 8)
	require.NoError(t, err)
	b.dollar, err = b.CreateMint(ctx, b.boss, svmtest.Key("USDC"), 6)
	require.NoError(t, err)
	b.open(b.dollar, b.walletAt, lotUnits)
	b.open(b.token, b.deskAt, deskTokens)
	b.open(b.dollar, b.deskAt, deskTokens/100*5/2) // at 2.50 dollars
	b.open(b.token, b.vaultAt, 0)
	b.chain, err = spl.New(spl.Config{URL: b.URL(), Payer: signer(b, "boss"), Owners: []spl.Signer{signer(b, "swapper"), signer(b, "vault"), signer(b, "moves")}})
	require.NoError(t, err)
	b.settle()
	b.pool, err = spl.NewPool(b.chain, spl.PoolConfig{Owner: b.deskAt, FeeBps: 30})
	require.NoError(t, err)
	require.NoError(t, b.pool.Approve(ctx, signer(b, "desk"), b.walletAt, b.token, deskTokens))
	b.settle()
	b.config = spl.ConverterConfig{
		Wallet:   b.walletAt,
		Swapper:  b.pool,
		Market:   newMarket(2_500_000, 2_500_000),
		Programs: []settlement.Account{splToken},
		Policy: settlement.SwapPolicy{
			Dollar: b.dollar, Token: b.token, MaxAgeSeconds: 60, MaxSpreadBps: 50, MaxSlippageBps: 100, MaxGainBps: 100, MaxImpactBps: 100, MaxSlots: 20,
		},
	}
	return b
}

func (b *swapBench) open(a settlement.Asset, owner settlement.Account, units uint64) {
	b.Helper()
	require.NoError(b, b.CreateAccount(b.Context(), b.boss, a, owner))
	if units > 0 {
		require.NoError(b, b.MintTo(b.Context(), b.boss, a, owner, units))
	}
}

func (b *swapBench) settle() {
	b.Helper()
	require.NoError(b, b.Advance(b.Context(), svmtest.BlocksToFinal))
}

func (b *swapBench) balance(a settlement.Asset, owner settlement.Account) uint64 {
	b.Helper()
	units, err := b.chain.Balance(b.Context(), a, owner)
	if errors.Is(err, spl.ErrNoAccount) {
		return 0
	}
	require.NoError(b, err)
	return units
}

func (b *swapBench) converter() *spl.Converter {
	b.Helper()
	v, err := spl.NewConverter(b.chain, b.config)
	require.NoError(b, err)
	return v
}

// lot is a batch that swaps the lot into the vault, or burns what it gets if to is empty.
func (b *swapBench) lot(index uint32, to settlement.Account) settlement.Batch {
	return settlement.Batch{ID: settlement.BatchID{Epoch: 7, Index: index}, Lines: []settlement.Line{{
		Kind: settlement.Swap, Asset: b.dollar, From: b.walletAt, To: to, Units: lotUnits, Into: b.token, Least: leastUnits,
	}}}
}

// prepareSwap returns what Prepare makes of one batch.
func prepareSwap(t testing.TB, c settlement.Chain, b settlement.Batch) (settlement.Tx, error) {
	t.Helper()
	p, err := c.Prepare(t.Context(), []settlement.Batch{b})
	require.NoError(t, err)
	require.Len(t, p, 1)
	return p[0].Tx, p[0].Err
}

// land sends an attempt, makes it final and looks at it.
func (b *swapBench) land(c settlement.Chain, batch settlement.Batch, tx settlement.Tx) settlement.Result {
	b.Helper()
	require.NoError(b, c.Send(b.Context(), []settlement.Tx{tx}))
	b.settle()
	s, err := c.Look(b.Context(), []settlement.Attempt{{Marker: batch.MarkerID(), Tx: tx}})
	require.NoError(b, err)
	require.Len(b, s.Results, 1)
	return s.Results[0]
}

func TestSwapIntoTheVault(t *testing.T) {
	b := newSwapBench(t)
	c := b.converter()
	batch := b.lot(0, b.vaultAt)
	want, err := b.pool.Quote(t.Context(), b.dollar, b.token, lotUnits)
	require.NoError(t, err)
	// d = 40 USDC less 0.3 %, floor(y*d/(x+d)) with x = 25,000 USDC and y = 10,000 IO.
	d := new(big.Int).SetUint64(lotUnits * 9970 / 10000)
	product := new(big.Int).Mul(d, new(big.Int).SetUint64(deskTokens))
	require.Equal(t, product.Quo(product, d.Add(d, big.NewInt(25_000_000_000))).Uint64(), want.Expect)
	require.EqualValues(t, 16, want.ImpactBps)

	tx, err := prepareSwap(t, c, batch)
	require.NoError(t, err)
	got := b.land(c, batch, tx)
	require.Equal(t, settlement.Succeeded, got.Sight, "%+v", got)
	require.Equal(t, want.Expect, got.Got)
	require.EqualValues(t, 10_000, got.Fee)
	require.Len(t, tx.Raw, 953)
	require.EqualValues(t, 1309, (&bench{TB: t, Node: b.Node}).units(tx.ID))
	require.Equal(t, leastUnits, b.balance(b.token, b.vaultAt), "the vault has the least at once")
	require.Zero(t, b.balance(b.dollar, b.walletAt))

	// The marker lets no second attempt through, whoever signed it.
	_, err = prepareSwap(t, c, batch)
	var refused *spl.GuardError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, spl.GuardWallet, refused.Step)

	// What came above the least follows by an ordinary payment out of the wallet, after it was gathered.
	rest := settlement.Batch{ID: settlement.BatchID{Epoch: 7, Lane: 1}, Lines: []settlement.Line{{
		Kind: settlement.Move, Asset: b.token, From: b.walletAt, To: b.vaultAt, Units: want.Expect - leastUnits,
	}}}
	_, err = prepareSwap(t, c, rest)
	require.ErrorIs(t, err, settlement.ErrLater)
	_, err = prepareSwap(t, c, rest)
	require.Error(t, err, "it is on its way")
	b.settle()
	tx, err = prepareSwap(t, c, rest)
	require.NoError(t, err)
	require.Equal(t, settlement.Succeeded, b.land(c, rest, tx).Sight)
	require.Equal(t, want.Expect, b.balance(b.token, b.vaultAt))
	require.Zero(t, b.balance(b.token, b.walletAt))
	require.NoError(t, c.Gather(t.Context(), b.token), "nothing is left")
}

func TestSecondSwapOfABatchIsRefusedByTheMarker(t *testing.T) {
	b := newSwapBench(t)
	c := b.converter()
	batch := b.lot(0, b.vaultAt)
	first, err := prepareSwap(t, c, batch)
	require.NoError(t, err)
	require.NoError(t, b.Advance(t.Context(), 2)) // another blockhash, another transaction
	second, err := prepareSwap(t, c, batch)
	require.NoError(t, err)
	require.NotEqual(t, first.ID, second.ID)
	require.Equal(t, settlement.Succeeded, b.land(c, batch, first).Sight)
	require.NoError(t, b.MintTo(t.Context(), b.boss, b.dollar, b.walletAt, lotUnits))
	res := b.land(c, batch, second)
	require.Equal(t, settlement.Reverted, res.Sight)
	require.True(t, res.Failure.Marker)
	require.Equal(t, lotUnits, b.balance(b.dollar, b.walletAt))
}

// A stranger who learns the address of the proceeds and sends lamports there first does not stop the swap.
func TestFreshAccountMayBePrefunded(t *testing.T) {
	b := newSwapBench(t)
	var into settlement.Account
	b.config.Swapper = &crooked{Swapper: b.pool, build: func(o settlement.SwapOrder, ix []settlement.Instruction) []settlement.Instruction {
		into = o.Into
		return ix
	}}
	c := b.converter()
	batch := b.lot(0, b.vaultAt)
	tx, err := prepareSwap(t, c, batch)
	require.NoError(t, err)
	require.NoError(t, b.Airdrop(t.Context(), into, 1_000_000))
	require.Equal(t, settlement.Succeeded, b.land(c, batch, tx).Sight)
}

func TestBuyBurnEntry(t *testing.T) {
	b := newSwapBench(t)
	c := b.converter()
	ctx := t.Context()
	order := settlement.BuyBurn{
		Name: "2026-01", Cause: "revenue of January", In: b.dollar, Token: b.token, Wallet: b.walletAt, Spend: lotUnits, Least: leastUnits,
	}
	// Others own tokens and burn them too, before, in between and after.
	b.open(b.token, svmtest.Address(b.boss), 1000)
	b.settle()
	stranger := func(index uint32, units uint64) settlement.Batch {
		return settlement.Batch{ID: settlement.BatchID{Epoch: 1, Index: index}, Lines: []settlement.Line{{
			Kind: settlement.Burn, Asset: b.token, From: svmtest.Address(b.boss), Units: units,
		}}}
	}
	burn := func(batch settlement.Batch) settlement.Paid {
		tx, err := prepareSwap(t, c, batch)
		require.NoError(t, err)
		res := b.land(c, batch, tx)
		require.Equal(t, settlement.Succeeded, res.Sight)
		return settlement.Paid{Batch: batch.ID, Tx: tx.ID, Slot: res.Slot, Got: res.Got}
	}
	burn(stranger(0, 100))
	before, err := b.chain.Supply(ctx, b.token)
	require.NoError(t, err)

	in := order.Swap()
	swap := burn(settlement.Batch{ID: settlement.BatchID{Epoch: 7}, Lines: []settlement.Line{{
		Kind: in.Kind, Asset: in.Asset, From: in.From, Units: in.Units, Into: in.Into, Least: in.Least,
	}}})
	swap.Intents = []settlement.IntentID{in.ID}
	require.Greater(t, swap.Got, leastUnits)
	burn(stranger(1, 7))
	require.NoError(t, b.MintTo(ctx, b.boss, b.token, b.vaultAt, 5))

	more, needed, err := order.Rest(swap)
	require.NoError(t, err)
	require.True(t, needed)
	batch := settlement.Batch{ID: settlement.BatchID{Epoch: 7, Lane: 1}, Lines: []settlement.Line{{
		Kind: more.Kind, Asset: more.Asset, From: more.From, Units: more.Units,
	}}}
	_, err = prepareSwap(t, c, batch)
	require.ErrorIs(t, err, settlement.ErrLater)
	b.settle()
	rest := burn(batch)
	rest.Intents = []settlement.IntentID{more.ID}

	proof, err := b.chain.SupplyProof(ctx, b.token, before)
	require.NoError(t, err)
	require.Len(t, proof.Changes, 4)
	entry, err := order.Entry(swap, &rest, proof)
	require.NoError(t, err)
	require.EqualValues(t, 7, entry.Strangers)
	require.EqualValues(t, 5, entry.Minted)
	require.Equal(t, before.Units+5-7-swap.Got, proof.After.Units, "to the base unit")
	require.Len(t, entry.Events(tokenomics.FeeVault), 2)

	// A history with a gap is no proof: without the stranger's burn the books do not add up.
	gap := proof
	gap.Changes = append(append([]settlement.SupplyChange(nil), proof.Changes[:1]...), proof.Changes[2:]...)
	_, err = order.Entry(swap, &rest, gap)
	require.ErrorIs(t, err, settlement.ErrBooks)

	// The second proof begins where the first one ended, and what is older is not in it.
	again, err := b.chain.SupplyProof(ctx, b.token, proof.After)
	require.NoError(t, err)
	require.Empty(t, again.Changes)
}

func TestNewConverterRefuses(t *testing.T) {
	b := newSwapBench(t)
	good := b.config
	for name, row := range map[string]struct {
		change func(*spl.ConverterConfig)
		want   string
	}{
		"wallet":    {func(c *spl.ConverterConfig) { c.Wallet = "nobody0" }, "Wallet is"},
		"payer":     {func(c *spl.ConverterConfig) { c.Wallet = svmtest.Address(b.boss) }, "a key of its own"},
		"key":       {func(c *spl.ConverterConfig) { c.Wallet = b.deskAt }, "no key for Wallet"},
		"swapper":   {func(c *spl.ConverterConfig) { c.Swapper = nil }, "Swapper or Market"},
		"market":    {func(c *spl.ConverterConfig) { c.Market = nil }, "Swapper or Market"},
		"programs":  {func(c *spl.ConverterConfig) { c.Programs = nil }, "Programs is empty"},
		"program":   {func(c *spl.ConverterConfig) { c.Programs = []settlement.Account{"x0"} }, "Programs[0]"},
		"policy":    {func(c *spl.ConverterConfig) { c.Policy.MaxAgeSeconds = 0 }, "MaxAgeSeconds"},
		"all is ok": {func(*spl.ConverterConfig) {}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			config := good
			row.change(&config)
			_, err := spl.NewConverter(b.chain, config)
			if row.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, row.want)
		})
	}
}

// A journal that was lost finds its swaps on the chain: the line, and what it got.
func TestSwapIsFoundByItsMarker(t *testing.T) {
	for _, to := range []settlement.Account{"", svmtest.Address(svmtest.Key("vault"))} {
		b := newSwapBench(t)
		c := b.converter()
		batch := b.lot(0, to)
		tx, err := prepareSwap(t, c, batch)
		require.NoError(t, err)
		res := b.land(c, batch, tx)
		require.Equal(t, settlement.Succeeded, res.Sight)
		found, err := c.Find(t.Context(), []settlement.Batch{batch})
		require.NoError(t, err)
		require.Len(t, found.Results, 1)
		f := found.Results[0]
		require.Equal(t, settlement.Ours, f.Origin)
		require.Equal(t, tx.ID, f.Tx)
		require.Equal(t, res.Got, f.Got)
		require.Equal(t, batch.Lines, f.Lines)
	}
}
