package spl_test

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/gagliardetto/solana-go"
	"github.com/gagliardetto/solana-go/programs/system"
	"github.com/gagliardetto/solana-go/programs/token"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// guard is a limited signer of a name with a clock that the test moves.
type guard struct {
	*spl.Limited
	now time.Time
}

func newGuard(t testing.TB, name string) *guard {
	t.Helper()
	k, err := spl.NewKey(svmtest.Key(name))
	require.NoError(t, err)
	g := &guard{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	text := func(k solana.PublicKey) settlement.Account { return settlement.Account(k.String()) }
	g.Limited, err = spl.NewLimited(k, spl.LimitedConfig{
		Programs: []settlement.Account{
			text(solana.SystemProgramID), text(solana.TokenProgramID), text(solana.Token2022ProgramID), text(solana.MemoProgramID), text(solana.ComputeBudget),
		},
		Caps: []spl.Cap{
			{Mint: "IO", Sources: []settlement.Account{text(keyOf("source")), text(keyOf("second"))}, MaxTx: 100, Max: 250},
			{Mint: "USDC", Sources: []settlement.Account{text(keyOf("dollars"))}, MaxTx: math.MaxUint64 - 1, Max: math.MaxUint64 - 1},
		},
		MaxTxLamports: 1_000_000, MaxLamports: 2_000_000, Window: time.Hour, Now: func() time.Time { return g.now },
	})
	require.NoError(t, err)
	return g
}

// sign asks the guard for the signature of a transaction that has only its own.
func (g *guard) sign(t testing.TB, p *spl.Payout) error {
	t.Helper()
	raw, err := new(spl.Encoder).AppendPayout(nil, p)
	require.NoError(t, err)
	part, err := spl.NewPartial(raw)
	require.NoError(t, err)
	return part.Sign(t.Context(), g.Limited)
}

func (g *guard) message(t testing.TB, f spl.Format, in ...solana.Instruction) error {
	t.Helper()
	m := &spl.Message{Format: f, Payer: keyOf("payer"), ComputeUnits: 1, Loaded: 1}
	for _, x := range in {
		own, err := spl.FromSolana(x)
		require.NoError(t, err)
		m.Instructions = append(m.Instructions, own)
	}
	raw, err := new(spl.Encoder).AppendMessage(nil, m)
	require.NoError(t, err)
	part, err := spl.NewPartial(raw)
	require.NoError(t, err)
	return part.Sign(t.Context(), g.Limited)
}

// paying is a payout of one line.
func paying(f spl.Format, units uint64) *spl.Payout {
	p := shaped(spl.Shape{Format: f, ComputeUnits: true}, 1)
	p.Lines[0].Units = units
	return p
}

func TestLimitedUnits(t *testing.T) {
	for _, f := range []spl.Format{spl.V1, spl.V0, spl.Legacy} {
		for _, change := range []func(*spl.Payout){
			func(*spl.Payout) {},
			func(p *spl.Payout) { p.Checked = true },
			func(p *spl.Payout) { p.Batch = true },
			func(p *spl.Payout) { p.Program, p.Checked = solana.Token2022ProgramID, true },
			func(p *spl.Payout) { p.Burn, p.Lines[0].To = true, solana.PublicKey{} },
			func(p *spl.Payout) { p.Source = keyOf("second") },
			func(p *spl.Payout) { p.Owner, p.Members = keyOf("owner"), []solana.PublicKey{keyOf("payer")} },
		} {
			g := newGuard(t, "payer")
			pay := func(units uint64) *spl.Payout { p := paying(f, units); change(p); return p }
			require.NoError(t, g.sign(t, pay(100)))
			require.ErrorIs(t, g.sign(t, pay(101)), spl.ErrLimited)
			require.NoError(t, g.sign(t, pay(100)), "the same message again is no more money")
			require.NoError(t, g.sign(t, pay(99)))
			require.ErrorContains(t, g.sign(t, pay(52)), `52 units of mint "IO", 251 in the window, want at most 100 and 250`)
			require.NoError(t, g.sign(t, pay(51)))
			require.ErrorIs(t, g.sign(t, pay(1)), spl.ErrLimited)
			g.now = g.now.Add(time.Hour - 1)
			require.ErrorIs(t, g.sign(t, pay(1)), spl.ErrLimited)
			g.now = g.now.Add(1)
			require.NoError(t, g.sign(t, pay(98)), "a new window")
		}
	}
}

func TestLimitedLines(t *testing.T) {
	g := newGuard(t, "payer")
	p := shaped(spl.Shape{Format: spl.V1, Batch: true}, 14) // 1 + 2 + ... + 14 = 105
	require.ErrorIs(t, g.sign(t, p), spl.ErrLimited)
	p.Lines = p.Lines[:13]
	require.NoError(t, g.sign(t, p), "91")
	p = paying(spl.V1, math.MaxUint64)
	p.Source, p.Lines = keyOf("dollars"), append(p.Lines, spl.Transfer{To: recipient(7), Units: math.MaxUint64})
	require.ErrorContains(t, g.sign(t, p), `18446744073709551615 units of mint "USDC"`, "the sum does not wrap")

	// Recipients from a lookup table are all right, a source from one is not known.
	require.NoError(t, g.sign(t, shaped(spl.Shape{Format: spl.V0, Table: true}, 3)))
	require.ErrorContains(t, g.sign(t, shaped(spl.Shape{Format: spl.V0, Table: true, TableSource: true}, 3)), "is not listed")
}

func TestLimitedLamports(t *testing.T) {
	for _, f := range []spl.Format{spl.V1, spl.V0, spl.Legacy} {
		pay := func(priority, marker uint64) *spl.Payout {
			p := shaped(spl.Shape{Format: f, Marker: true, ComputeUnits: true}, 1)
			p.Priority, p.Marker.Lamports = priority, marker
			return p
		}
		g := newGuard(t, "payer")
		require.NoError(t, g.sign(t, pay(300_000, 695_000)))
		require.ErrorContains(t, g.sign(t, pay(300_001, 695_000)), "1000001 lamports")
		require.ErrorContains(t, g.sign(t, pay(300_000, 695_001)), "1000001 lamports")
		require.NoError(t, g.sign(t, pay(300_000, 690_000)))
		require.NoError(t, g.sign(t, paying(f, 1)), "5,000 more are 2,000,000")
		require.ErrorContains(t, g.sign(t, paying(f, 2)), "5000 lamports, 2005000 in the window, want at most 1000000 and 2000000")
		owner := newGuard(t, "owner")
		p := pay(2_000_000, 2_000_000)
		p.Owner = keyOf("owner")
		require.NoError(t, owner.sign(t, p), "the lamports are the payer's")
	}
}

func TestLimitedInstructions(t *testing.T) {
	payer, other := keyOf("payer"), keyOf("other")
	source := keyOf("source")
	seedBytes := func(to solana.PublicKey, lamports uint64) solana.Instruction {
		return system.NewTransferWithSeedInstruction(lamports, "x", solana.SystemProgramID, keyOf("derived"), payer, to).Build()
	}
	batch := func(data ...byte) solana.Instruction {
		return solana.NewInstruction(solana.TokenProgramID, solana.AccountMetaSlice{
			solana.Meta(source).WRITE(), solana.Meta(other).WRITE(), solana.Meta(payer).SIGNER(),
		}, append([]byte{255}, data...))
	}
	raw := func(program solana.PublicKey, data ...byte) solana.Instruction {
		return solana.NewInstruction(program, solana.AccountMetaSlice{solana.Meta(payer).SIGNER()}, data)
	}
	nonce := func(in interface{ Build() *system.Instruction }) solana.Instruction { return in.Build() }
	inner := append([]byte{3}, binary.LittleEndian.AppendUint64(nil, 5)...)
	for _, row := range []struct {
		name string
		in   solana.Instruction
		want string // empty: signed
	}{
		{"transfer of lamports", system.NewTransferInstruction(900_000, payer, other).Build(), ""},
		{"transfer of more", system.NewTransferInstruction(1_000_000, payer, other).Build(), "1005000 lamports"},
		{"new account", system.NewCreateAccountInstruction(1_000_000, 0, other, payer, keyOf("new")).Build(), "1010000 lamports"},
		{"reclaim", seedBytes(payer, 1e9), ""},
		{"reclaim for somebody", seedBytes(other, 1e9), "1000005000 lamports"},
		{"assign", system.NewAssignInstruction(other, payer).Build(), "instruction 1 of the System program is not known to be harmless"},
		{"nonce authority", nonce(system.NewAuthorizeNonceAccountInstruction(other, keyOf("nonce"), payer)), "instruction 7 of the System program"},
		{"nonce withdrawal", nonce(system.NewWithdrawNonceAccountInstruction(
			1, keyOf("nonce"), other, solana.SysVarRecentBlockHashesPubkey, solana.SysVarRentPubkey, payer,
		)), "instruction 5 of the System program"},
		{"nonce advance", nonce(system.NewAdvanceNonceAccountInstruction(keyOf("nonce"), solana.SysVarRecentBlockHashesPubkey, payer)), ""},
		{"short", raw(solana.SystemProgramID, 2), "no instruction of the System program"},
		{"shorter", raw(solana.SystemProgramID, 2, 0, 0, 0, 1), "no instruction of the System program"},
		{"seed too long", raw(solana.SystemProgramID, append([]byte{3, 0, 0, 0}, make([]byte, 39)...)...), "no instruction of the System program"},
		{"another source", token.NewTransferInstruction(1, keyOf("hidden"), other, payer, nil).Build(), "is not listed"},
		{"another's money", token.NewTransferInstruction(1e9, keyOf("hidden"), other, keyOf("owner"), nil).Build(), ""},
		{"approve", token.NewApproveInstruction(1, source, other, payer, nil).Build(), "instruction 4 of a token program is not known to be harmless"},
		{"set authority", token.NewSetAuthorityInstruction(token.AuthorityAccountOwner, other, source, payer, nil).Build(), "instruction 6 of a token program"},
		{"close", token.NewCloseAccountInstruction(source, other, payer, nil).Build(), "instruction 9 of a token program"},
		{"burn", token.NewBurnInstruction(101, source, other, payer, nil).Build(), "101 units"},
		{"batch", batch(append([]byte{3, 9}, inner...)...), ""},
		{"batch beyond its accounts", batch(append([]byte{4, 9}, inner...)...), "does not fit its accounts"},
		{"batch cut short", batch(3, 9, 3), "does not fit its accounts"},
		{"batch in a batch", batch(3, 1, 255), "a batch in a batch"},
		{"batch with a close", batch(3, 1, 9), "instruction 9 of a token program"},
		{"batch without an account", batch(append([]byte{0, 9}, inner...)...), "without a source"},
		{"program not listed", solana.NewInstruction(keyOf("program"), nil, nil), "is not listed"},
		{"empty", raw(solana.TokenProgramID), "no instruction of a token program"},
	} {
		for _, f := range []spl.Format{spl.V1, spl.V0, spl.Legacy} {
			err := newGuard(t, "payer").message(t, f, row.in)
			if row.want == "" {
				require.NoError(t, err, row.name)
				continue
			}
			require.ErrorIs(t, err, spl.ErrLimited, row.name)
			require.ErrorContains(t, err, row.want, row.name)
		}
	}
	for _, f := range []spl.Format{spl.V1, spl.V0, spl.Legacy} {
		raw, err := new(spl.Encoder).AppendPayout(nil, paying(f, 1))
		require.NoError(t, err)
		part, err := spl.NewPartial(raw)
		require.NoError(t, err)
		message, g := part.Message(), newGuard(t, "payer")
		_, err = g.Sign(t.Context(), append(message, 0))
		require.ErrorIs(t, err, spl.ErrLimited, "bytes behind a message of %s", f)
		_, err = g.Sign(t.Context(), message[:len(message)-1])
		require.ErrorIs(t, err, spl.ErrLimited, "%s, cut short", f)
		if at := map[spl.Format]int{spl.V0: 4, spl.Legacy: 3}[f]; at > 0 {
			longer := append(append(slices.Clone(message[:at]), message[at]|0x80, 0), message[at+1:]...)
			_, err = g.Sign(t.Context(), longer)
			require.ErrorIs(t, err, spl.ErrLimited, "a length of %s that is not in its shortest form", f)
		}
		_, err = g.Sign(t.Context(), message)
		require.NoError(t, err)
	}
	for _, bytes := range []string{"", "x", "\x81", "\x80\x01"} {
		_, err := newGuard(t, "payer").Sign(t.Context(), []byte(bytes))
		require.ErrorIs(t, err, spl.ErrLimited, "%q is no message", bytes)
	}
}

func TestLimitedConfigRefused(t *testing.T) {
	k, err := spl.NewKey(svmtest.Key("payer"))
	require.NoError(t, err)
	io := settlement.Account(keyOf("source").String())
	for want, c := range map[string]spl.LimitedConfig{
		"Window is 0s":       {Now: time.Now},
		"Now must be given":  {Window: 1},
		"Programs[0]":        {Window: 1, Now: time.Now, Programs: []settlement.Account{"x"}},
		"Caps[0].Sources[0]": {Window: 1, Now: time.Now, Caps: []spl.Cap{{Sources: []settlement.Account{"x"}}}},
		`Caps[1].Sources[0]: "` + string(io) + `" stands twice`: {
			Window: 1, Now: time.Now, Caps: []spl.Cap{{Sources: []settlement.Account{io}}, {Sources: []settlement.Account{io}}},
		},
	} {
		_, err := spl.NewLimited(k, c)
		require.ErrorContains(t, err, want)
	}
}

// FuzzLimited asks a guard for signatures of spoilt messages: what it signs is, as solana-go reads it, transfers and burns of
// known programs, with no more units out of the capped accounts than the cap.
func FuzzLimited(f *testing.F) {
	for _, format := range []spl.Format{spl.V1, spl.V0, spl.Legacy} {
		raw, err := new(spl.Encoder).AppendPayout(nil, shaped(spl.Shape{Format: format, Marker: true, ComputeUnits: true, Checked: format == spl.V0}, 5))
		require.NoError(f, err)
		part, err := spl.NewPartial(raw)
		require.NoError(f, err)
		f.Add(part.Message(), uint16(100), byte(1))
	}
	f.Fuzz(func(t *testing.T, message []byte, at uint16, flip byte) {
		if len(message) > 0 {
			message[int(at)%len(message)] ^= flip
		}
		signature, err := newGuard(t, "payer").Sign(t.Context(), message)
		if err != nil {
			require.ErrorIs(t, err, spl.ErrLimited)
			return
		}
		tx := decoded(t, message, signature)
		sum := map[solana.PublicKey]uint64{}
		for _, in := range tx.Message.Instructions {
			program := tx.Message.AccountKeys[in.ProgramIDIndex]
			metas, err := in.ResolveInstructionAccounts(&tx.Message)
			if len(tx.Message.AddressTableLookups) > 0 || err != nil || program != solana.TokenProgramID || in.Data[0] == 255 {
				continue
			}
			if !slices.ContainsFunc(metas, func(m *solana.AccountMeta) bool { return m.PublicKey == keyOf("payer") }) {
				continue
			}
			x, err := token.DecodeInstruction(metas, in.Data)
			require.NoError(t, err)
			switch y := x.Impl.(type) {
			case *token.Transfer:
				sum[metas[0].PublicKey] += *y.Amount
			case *token.TransferChecked:
				sum[metas[0].PublicKey] += *y.Amount
			case *token.Burn:
				sum[metas[0].PublicKey] += *y.Amount
			case *token.BurnChecked:
				sum[metas[0].PublicKey] += *y.Amount
			default:
				t.Fatalf("signed %T", y)
			}
		}
		for from, units := range sum {
			require.Contains(t, []solana.PublicKey{keyOf("source"), keyOf("second"), keyOf("dollars")}, from)
			require.True(t, from == keyOf("dollars") || units <= 100, "%d units", units)
		}
	})
}

// decoded returns the transaction of a message that its first signer has signed.
func decoded(t testing.TB, message []byte, signature [64]byte) *solana.Transaction {
	t.Helper()
	var raw []byte
	if message[0] == 0x81 {
		raw = append(append(append(raw, message...), signature[:]...), make([]byte, 64*int(message[1]-1))...)
	} else {
		n := message[0]
		if n == 0x80 {
			n = message[1]
		}
		raw = append(append(append(append(raw, n), signature[:]...), make([]byte, 64*int(n-1))...), message...)
	}
	tx, err := solana.TransactionFromBytes(raw)
	require.NoError(t, err)
	return tx
}
