package spl_test

import (
	"context"
	"encoding/binary"
	"math/big"
	"os"
	"testing"

	"github.com/gagliardetto/solana-go"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// mood is what the pool program does besides a swap, see testdata/pool/pool.c.
type mood uint64

const (
	honest mood = iota
	giveLess
	takeMore
	approveSource
	ownSource
	approveInto
	ownInto
	closeInto
)

// programPool is a Swapper over a constant-product pool that a program of its own keeps: what it does with the wallet's
// signature is seen only by executing it.
type programPool struct {
	*swapBench
	program, moodAt, thief, authority settlement.Account
	bump                              uint8
}

func newProgramPool(b *swapBench) *programPool {
	b.Helper()
	ctx := b.Context()
	p := &programPool{swapBench: b, program: svmtest.Address(svmtest.Key("pool program")), moodAt: svmtest.Address(svmtest.Key("mood")), thief: svmtest.Address(svmtest.Key("thief"))}
	elf, err := os.ReadFile("testdata/pool/pool.so")
	require.NoError(b, err)
	require.NoError(b, b.AddProgram(ctx, p.program, elf))
	authority, bump, err := solana.FindProgramAddress([][]byte{[]byte("pool")}, solana.MustPublicKeyFromBase58(string(p.program)))
	require.NoError(b, err)
	p.authority, p.bump = settlement.Account(authority.String()), bump
	b.open(b.token, p.authority, deskTokens)
	b.open(b.dollar, p.authority, deskTokens/100*5/2)
	require.NoError(b, b.Airdrop(ctx, p.thief, 1e9))
	p.set(honest, 0)
	b.config.Swapper, b.config.Programs = p, []settlement.Account{p.program}
	return p
}

// set changes the pool's mood, at once.
func (p *programPool) set(m mood, n uint64) {
	p.Helper()
	data := binary.LittleEndian.AppendUint64(nil, uint64(m))
	require.NoError(p, p.SetAccount(p.Context(), p.moodAt, svmtest.Account{
		Lamports: 1e9, Owner: p.program, Data: binary.LittleEndian.AppendUint64(data, n),
	}))
	p.settle()
}

func (p *programPool) Quote(ctx context.Context, in, out settlement.Asset, units uint64) (settlement.SwapQuote, error) {
	q := settlement.SwapQuote{In: in, Out: out, Units: units, Route: "program"}
	x, err := p.Balance(ctx, in, p.authority)
	if err != nil {
		return q, err
	}
	y, err := p.Balance(ctx, out, p.authority)
	if err != nil {
		return q, err
	}
	d := new(big.Int).SetUint64(units * 9970 / 10000)
	sum := new(big.Int).Add(d, new(big.Int).SetUint64(x))
	d.Mul(d, new(big.Int).SetUint64(y))
	q.Expect = d.Quo(d, sum).Uint64()
	q.Least = q.Expect
	return q, nil
}

func (p *programPool) Build(ctx context.Context, o settlement.SwapOrder) ([]settlement.Instruction, error) {
	in, err := p.TokenAddress(ctx, o.Quote.In, p.authority)
	if err != nil {
		return nil, err
	}
	out, err := p.TokenAddress(ctx, o.Quote.Out, p.authority)
	if err != nil {
		return nil, err
	}
	data := binary.LittleEndian.AppendUint64(nil, o.Quote.Units)
	data = binary.LittleEndian.AppendUint64(data, o.Quote.Least)
	data = binary.LittleEndian.AppendUint64(data, uint64(p.bump))
	return []settlement.Instruction{{Program: p.program, Data: data, Accounts: []settlement.AccountUse{
		{Account: o.Wallet, Signer: true},
		{Account: o.From, Writable: true},
		{Account: o.Into, Writable: true},
		{Account: in, Writable: true},
		{Account: out, Writable: true},
		{Account: p.authority},
		{Account: splToken},
		{Account: p.moodAt},
		{Account: p.thief},
	}}}, nil
}

// spareBench has ten units beyond the lot in the wallet.
func spareBench(t testing.TB) *programPool {
	t.Helper()
	b := newSwapBench(t)
	p := newProgramPool(b)
	b.open(b.dollar, b.walletAt, 10)
	b.settle()
	b.config.SpareUnits = 10
	return p
}

func TestSwapThroughAProgram(t *testing.T) {
	p := spareBench(t)
	c := p.converter()
	want, err := p.Quote(t.Context(), p.dollar, p.token, lotUnits)
	require.NoError(t, err)
	batch := p.lot(0, p.vaultAt)
	tx, err := prepareSwap(t, c, batch)
	require.NoError(t, err)
	res := p.land(c, batch, tx)
	require.Equal(t, settlement.Succeeded, res.Sight, "%+v", res)
	require.Equal(t, want.Expect, res.Got)
	require.Equal(t, leastUnits, p.balance(p.token, p.vaultAt))
	require.EqualValues(t, 10, p.balance(p.dollar, p.walletAt))
	require.Equal(t, deskTokens-want.Expect, p.balance(p.token, p.authority))
}

// What the program would do is seen by executing it: refused by the simulation, or of no effect.
func TestProgramIsCaughtBySimulation(t *testing.T) {
	p := spareBench(t)
	c := p.converter()
	for name, row := range map[string]struct {
		mood mood
		n    uint64
		want string // empty: it passes
	}{
		"honest":                            {honest, 0, ""},
		"gives one unit less than promised": {giveLess, 1, "the venue promised at least"},
		"takes one unit more":               {takeMore, 1, "it fails"},
		"delegate of the source":            {approveSource, 1 << 40, ""},
		"owner of the source":               {ownSource, 0, "it fails"},
		"delegate of the proceeds":          {approveInto, 1 << 40, ""},
		"owner of the proceeds":             {ownInto, 0, "it fails"},
		"close authority of the proceeds":   {closeInto, 0, "somebody got a right over the proceeds: close authority"},
	} {
		t.Run(name, func(t *testing.T) {
			p.set(row.mood, row.n)
			_, err := prepareSwap(t, c, p.lot(0, p.vaultAt))
			if row.want == "" {
				require.NoError(t, err)
				return
			}
			refusedBy(t, err, spl.GuardSimulation, row.want)
		})
	}
}

// The program is honest until the transaction is signed and changes its mind then: the chain holds what the guard promised.
func TestProgramThatChangesItsMindIsStoppedByTheChain(t *testing.T) {
	for name, row := range map[string]struct {
		mood  mood
		n     func(expect uint64) uint64
		lands bool
	}{
		"gives the least":                    {giveLess, func(e uint64) uint64 { return e - leastUnits }, true},
		"gives one unit less than the least": {giveLess, func(e uint64) uint64 { return e - leastUnits + 1 }, false},
		"takes one unit more":                {takeMore, func(uint64) uint64 { return 1 }, false},
		"delegate of the source":             {approveSource, func(uint64) uint64 { return 1 << 40 }, true},
		"owner of the source":                {ownSource, func(uint64) uint64 { return 0 }, false},
		"delegate of the proceeds":           {approveInto, func(uint64) uint64 { return 1 << 40 }, true},
		"owner of the proceeds":              {ownInto, func(uint64) uint64 { return 0 }, false},
		"close authority of the proceeds":    {closeInto, func(uint64) uint64 { return 0 }, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := spareBench(t)
			c := p.converter()
			quote, err := p.Quote(t.Context(), p.dollar, p.token, lotUnits)
			require.NoError(t, err)
			batch := p.lot(0, p.vaultAt)
			tx, err := prepareSwap(t, c, batch)
			require.NoError(t, err)
			p.set(row.mood, row.n(quote.Expect))
			res := p.land(c, batch, tx)
			if !row.lands {
				require.Equal(t, settlement.Reverted, res.Sight)
				require.Empty(t, res.Failure.Faults, "a venue that cheats is not the recipient's fault")
				require.Equal(t, lotUnits+10, p.balance(p.dollar, p.walletAt))
				require.Zero(t, p.balance(p.token, p.vaultAt))
				return
			}
			require.Equal(t, settlement.Succeeded, res.Sight, "%+v", res)
			got := quote.Expect
			if row.mood == giveLess {
				got = leastUnits
			}
			require.Equal(t, got, res.Got)
			require.EqualValues(t, 10, p.balance(p.dollar, p.walletAt), "it took the lot and no more")
			require.Equal(t, leastUnits, p.balance(p.token, p.vaultAt))
			// Nobody but the owner has a right over what the wallet pays with, and the rest of the proceeds is gathered.
			at, err := p.TokenAddress(t.Context(), p.dollar, p.walletAt)
			require.NoError(t, err)
			a, ok, err := p.AccountAt(t.Context(), at)
			require.NoError(t, err)
			require.True(t, ok)
			require.Zero(t, binary.LittleEndian.Uint32(a.Data[72:]), "delegate")
			require.Zero(t, binary.LittleEndian.Uint32(a.Data[129:]), "close authority")
			require.ErrorIs(t, c.Gather(t.Context(), p.token), settlement.ErrLater)
			p.settle()
			require.NoError(t, c.Gather(t.Context(), p.token))
			require.Equal(t, got-leastUnits, p.balance(p.token, p.walletAt))
		})
	}
}
