package spl_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"testing"

	"github.com/gagliardetto/solana-go"
	"github.com/gagliardetto/solana-go/rpc"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// create is System CreateAccount with the rent that the chain asks, paid by the boss.
func (b *bench) create(k solana.PublicKey, size uint64, owner solana.PublicKey) spl.Instruction {
	b.Helper()
	rent, err := rpc.New(b.URL()).GetMinimumBalanceForRentExemption(b.Context(), size, rpc.CommitmentProcessed)
	require.NoError(b, err)
	d := binary.LittleEndian.AppendUint64([]byte{0, 0, 0, 0}, rent)
	d = binary.LittleEndian.AppendUint64(d, size)
	return spl.Instruction{
		Program:  solana.SystemProgramID,
		Accounts: []spl.Meta{{Key: keyOf("boss"), Signer: true, Writable: true}, {Key: k, Signer: true, Writable: true}},
		Data:     append(d, owner[:]...),
	}
}

// mint2022 makes a mint of Token-2022 with one extension: the bytes that it takes and the instruction that sets it up.
func (b *bench) mint2022(name string, size int, setup ...byte) settlement.Asset {
	b.Helper()
	k, boss := keyOf(name), keyOf("boss")
	space := uint64(82)
	in := []spl.Instruction{}
	if len(setup) > 0 {
		space = 166 + 4 + uint64(size)
		in = append(in, spl.Instruction{Program: solana.Token2022ProgramID, Accounts: []spl.Meta{{Key: k, Writable: true}}, Data: setup})
	}
	in = append([]spl.Instruction{b.create(k, space, solana.Token2022ProgramID)}, in...)
	in = append(in, spl.Instruction{
		Program: solana.Token2022ProgramID, Accounts: []spl.Meta{{Key: k, Writable: true}},
		Data: append(append([]byte{20, 6}, boss[:]...), append([]byte{1}, boss[:]...)...),
	})
	b.do([]string{"boss", name}, in...)
	return settlement.Asset{Mint: settlement.Account(k.String()), Decimals: 6}
}

// open2022 makes the associated account for a token of Token-2022 and mints units into it.
func (b *bench) open2022(a settlement.Asset, name string, units uint64) settlement.Account {
	b.Helper()
	owner := svmtest.Address(svmtest.Key(name))
	at, mint := ata(b, a, owner, solana.Token2022ProgramID), solana.MustPublicKeyFromBase58(string(a.Mint))
	in := []spl.Instruction{{
		Program: solana.SPLAssociatedTokenAccountProgramID,
		Accounts: []spl.Meta{
			{Key: keyOf("boss"), Signer: true, Writable: true},
			{Key: at, Writable: true},
			{Key: keyOf(name)},
			{Key: mint},
			{Key: solana.SystemProgramID},
			{Key: solana.Token2022ProgramID},
		},
		Data: []byte{1},
	}}
	if units > 0 {
		in = append(in, spl.Instruction{
			Program:  solana.Token2022ProgramID,
			Accounts: []spl.Meta{{Key: mint, Writable: true}, {Key: at, Writable: true}, {Key: keyOf("boss"), Signer: true}},
			Data:     binary.LittleEndian.AppendUint64([]byte{7}, units),
		})
	}
	b.do([]string{"boss"}, in...)
	return owner
}

// feeSetup is InitializeTransferFeeConfig.
func feeSetup(points uint16, most uint64) []byte {
	d := binary.LittleEndian.AppendUint16([]byte{26, 0, 0, 0}, points)
	return binary.LittleEndian.AppendUint64(d, most)
}

func TestToken2022(t *testing.T) {
	b := newBench(t)
	a := b.mint2022("T22", 0)
	own := b.open2022(a, "boss", 1000)
	var to []settlement.Account
	for i := range 59 {
		to = append(to, b.open2022(a, fmt.Sprint("r", i), 0))
	}
	c := b.chain(spl.Config{})
	tx, res := b.pay(c, batch(0, a, own, to[:58]...)) // TransferChecked names the mint
	require.Equal(t, settlement.Succeeded, res.Sight, "%+v", res)
	t.Logf("58 lines of Token-2022 take %d units", b.units(tx.ID))
	b.holds(c, a, to[57], 1)
	_, err := prepare(t, c, batch(1, a, own, to...))
	require.ErrorContains(t, err, "64 addresses")
	burn := settlement.Batch{ID: settlement.BatchID{Epoch: 9}, Lines: []settlement.Line{{Kind: settlement.Burn, Asset: a, From: own, Units: 3}}}
	_, res = b.pay(c, burn)
	require.Equal(t, settlement.Succeeded, res.Sight, "%+v", res)
	supply, err := c.Supply(t.Context(), a)
	require.NoError(t, err)
	require.EqualValues(t, 997, supply.Units)
	f, err := c.Find(t.Context(), []settlement.Batch{burn})
	require.NoError(t, err)
	require.Equal(t, burn.Lines, f.Results[0].Lines)
}

// TestExtensionsRefused has mints that cannot be paid out: every line is refused with the extension's name.
func TestExtensionsRefused(t *testing.T) {
	b := newBench(t)
	boss := keyOf("boss")
	hook := append(append([]byte{36, 0}, boss[:]...), solana.MemoProgramID[:]...)
	confidential := append(append([]byte{27, 0}, boss[:]...), make([]byte, 33)...)
	for _, row := range []struct {
		name  string
		size  int
		setup []byte
		want  string
	}{
		{"fee", 108, feeSetup(100, 5), "has the extension TransferFeeConfig: the recipient would get less than is sent"},
		{"soulbound", 0, []byte{32}, "has the extension NonTransferable"},
		{"hook", 64, hook, "has the extension TransferHook"},
		{"confidential", 65, confidential, "has the extension ConfidentialTransferMint"},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := b.mint2022(row.name, row.size, row.setup...)
			own, ann := b.open2022(a, "boss", 0), b.open2022(a, "ann", 0)
			got := faults(t, b.chain(spl.Config{}), batch(0, a, own, ann, ann))
			require.Len(t, got, 2)
			require.Contains(t, got[1].Reason, row.want)
		})
	}
	t.Run("a hook that is not set", func(t *testing.T) {
		a := b.mint2022("hookless", 64, append(append([]byte{36, 0}, boss[:]...), make([]byte, 32)...)...)
		own, ann := b.open2022(a, "boss", 10), b.open2022(a, "ann", 0)
		_, res := b.pay(b.chain(spl.Config{}), batch(0, a, own, ann))
		require.Equal(t, settlement.Succeeded, res.Sight, "%+v", res)
	})
	t.Run("accounts made frozen", func(t *testing.T) {
		a := b.mint2022("cold", 1, 28, 0, 2)
		own, ann := b.open2022(a, "boss", 0), b.open2022(a, "ann", 0)
		_, err := prepare(t, b.chain(spl.Config{}), batch(0, a, own, ann))
		require.ErrorContains(t, err, "is frozen", "the sender's account was made frozen too")
		thaw := func(name string) spl.Instruction {
			return spl.Instruction{Program: solana.Token2022ProgramID, Accounts: []spl.Meta{
				{Key: ata(t, a, svmtest.Address(svmtest.Key(name)), solana.Token2022ProgramID), Writable: true},
				{Key: solana.MustPublicKeyFromBase58(string(a.Mint))},
				{Key: boss, Signer: true},
			}, Data: []byte{11}}
		}
		b.do([]string{"boss"}, thaw("boss"))
		b.open2022(a, "boss", 10)
		nobody := svmtest.Address(svmtest.Key("nobody"))
		got := faults(t, b.chain(spl.Config{CreateMissing: true}), batch(0, a, own, ann, nobody))
		require.Contains(t, got[0].Reason, "is frozen")
		require.Contains(t, got[1].Reason, "whose accounts are made frozen: DefaultAccountState")
	})
	t.Run("paused", func(t *testing.T) {
		a := b.mint2022("pausable", 33, append([]byte{44, 0}, boss[:]...)...)
		own, ann := b.open2022(a, "boss", 10), b.open2022(a, "ann", 0)
		c := b.chain(spl.Config{})
		_, res := b.pay(c, batch(7, a, own, ann))
		require.Equal(t, settlement.Succeeded, res.Sight, "%+v", res)
		b.do([]string{"boss"}, spl.Instruction{Program: solana.Token2022ProgramID, Accounts: []spl.Meta{
			{Key: solana.MustPublicKeyFromBase58(string(a.Mint)), Writable: true}, {Key: boss, Signer: true},
		}, Data: []byte{44, 1}})
		b.blocks(2)
		_, err := prepare(t, c, batch(8, a, own, ann))
		require.ErrorContains(t, err, "is paused by its authority")
	})
}

// TestTransferFee pays a token of which a fee is withheld, where that is allowed: what arrives is told, and is true.
func TestTransferFee(t *testing.T) {
	b := newBench(t)
	a := b.mint2022("fee", 108, feeSetup(250, 40)...)
	own, ann := b.open2022(a, "boss", 100_000), b.open2022(a, "ann", 0)
	c := b.chain(spl.Config{TransferFees: true})
	total := uint64(0)
	for i, row := range []struct{ units, arrives uint64 }{{1, 0}, {39, 38}, {40, 39}, {41, 39}, {1000, 975}, {1600, 1560}, {1601, 1561}, {10_000, 9960}} {
		got, err := c.Received(t.Context(), a, row.units)
		require.NoError(t, err)
		require.Equal(t, row.arrives, got, "%d units", row.units)
		p := batch(uint32(i), a, own, ann)
		p.Lines[0].Units = row.units
		_, res := b.pay(c, p)
		require.Equal(t, settlement.Succeeded, res.Sight, "%+v", res)
		total += row.arrives
		b.holds(c, a, ann, total)
		f, err := c.Find(t.Context(), []settlement.Batch{p})
		require.NoError(t, err)
		require.Equal(t, p.Lines, f.Results[0].Lines, "a line carries what was sent")
	}
	var many []settlement.Account
	for range 58 {
		many = append(many, ann)
	}
	tx, res := b.pay(c, batch(99, a, own, many...))
	require.Equal(t, settlement.Succeeded, res.Sight, "%+v", res)
	t.Logf("58 lines with a transfer fee take %d units", b.units(tx.ID))
	got, err := c.Received(t.Context(), a, math.MaxUint64)
	require.NoError(t, err)
	require.Equal(t, uint64(math.MaxUint64-40), got)
	got, err = c.Received(t.Context(), b.token, 5)
	require.NoError(t, err)
	require.EqualValues(t, 5, got)
}

// TestMemoRequired pays an account that takes nothing without a memo, among others that do not care.
func TestMemoRequired(t *testing.T) {
	b := newBench(t)
	a := b.mint2022("T22", 0)
	own, ann, bob := b.open2022(a, "boss", 1000), b.open2022(a, "ann", 0), b.open2022(a, "bob", 0)
	at := ata(t, a, bob, solana.Token2022ProgramID)
	late, err := prepare(t, b.chain(spl.Config{}), batch(1, a, own, ann, bob))
	require.NoError(t, err)
	b.do([]string{"boss", "bob"},
		spl.Instruction{Program: solana.Token2022ProgramID, Accounts: []spl.Meta{
			{Key: at, Writable: true}, {Key: keyOf("boss"), Signer: true, Writable: true}, {Key: solana.SystemProgramID}, {Key: keyOf("bob"), Signer: true},
		}, Data: []byte{29, 8, 0}},
		spl.Instruction{Program: solana.Token2022ProgramID, Accounts: []spl.Meta{{Key: at, Writable: true}, {Key: keyOf("bob"), Signer: true}}, Data: []byte{30, 0}})
	c := b.chain(spl.Config{})
	send(t, c, late)
	b.blocks(svmtest.BlocksToFinal)
	res := look(t, c, batch(1, a, own, ann, bob), late)
	require.Equal(t, settlement.Reverted, res.Sight)
	require.Len(t, res.Failure.Faults, 1)
	require.Equal(t, 1, res.Failure.Faults[0].Line)
	require.Contains(t, res.Failure.Faults[0].Reason, "took nothing without a memo when the payment landed")

	for _, format := range []spl.Format{spl.V1, spl.V0, spl.Legacy} {
		c := b.chain(spl.Config{Format: format, Memo: true})
		p := batch(10+uint32(format), a, own, ann, bob, ann)
		_, res := b.pay(c, p)
		require.Equal(t, settlement.Succeeded, res.Sight, "%+v", res)
	}
	b.holds(c, a, bob, 3)
}
