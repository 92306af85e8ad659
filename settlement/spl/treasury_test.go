package spl_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/gagliardetto/solana-go"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// state reads an account's owner and data.
func (l *lab) state(k solana.PublicKey) (owner solana.PublicKey, data []byte) {
	l.Helper()
	var text struct {
		Value *struct {
			Owner string
			Data  []string
		}
	}
	l.ask(&text, "getAccountInfo", k, map[string]any{"encoding": "base64", "commitment": "processed"})
	require.NotNil(l, text.Value, "%s", k)
	require.NoError(l, json.Unmarshal([]byte(`"`+text.Value.Data[0]+`"`), &data))
	return solana.MustPublicKeyFromBase58(text.Value.Owner), data
}

// TestMultisigTreasury pays 57 lines out of a multisig's account, of which 2 of 3 members have to sign.
func TestMultisigTreasury(t *testing.T) {
	for _, program := range []solana.PublicKey{solana.TokenProgramID, solana.Token2022ProgramID} {
		multisigTreasury(t, newLabOf(t, program))
	}
}

func multisigTreasury(t *testing.T, l *lab) {
	t.Helper()
	ring := ringOf(t, "payer", "vault")
	treasury := keyOf("vault")
	m := spl.Multisig{Need: 2, Members: []solana.PublicKey{keyOf("payer"), keyOf("m1"), keyOf("m2")}}
	list, err := spl.CreateMultisig(keyOf("payer"), treasury, l.program, m, l.rent(spl.MultisigSize))
	require.NoError(t, err)
	raw, err := new(spl.Encoder).AppendMessage(nil, &spl.Message{
		Format: spl.V1, Payer: keyOf("payer"), Blockhash: l.hash(), ComputeUnits: 10_000, Loaded: 1 << 20, Instructions: list,
	})
	require.NoError(t, err)
	require.NoError(t, ring.Sign(t.Context(), raw))
	out, _ := l.run(raw)
	require.False(t, out.failed(), "%s", out.Err)
	owner, data := l.state(treasury)
	got, err := spl.ReadMultisig(owner, data)
	require.NoError(t, err)
	require.Equal(t, m, got)
	require.EqualValues(t, 2_453_640, l.rent(spl.MultisigSize))

	source := l.endow(treasury, 10_000)
	var owners []solana.PublicKey
	for i := range 57 {
		owners = append(owners, keyOf(fmt.Sprint("recipient ", i)))
	}
	to := l.open(owners...)
	s := spl.Shape{Format: spl.V1, Marker: true, Members: 2, PayerMember: true}
	require.Equal(t, 57, s.MaxLines())
	p := shaped(s, 57)
	l.real(p, source, to)
	p.Owner, p.Members, p.ComputeUnits = treasury, []solana.PublicKey{keyOf("payer"), keyOf("m1")}, 500_000
	raw, err = new(spl.Encoder).AppendPayout(nil, p)
	require.NoError(t, err)
	require.Len(t, raw, 3382)

	// Signatures are collected one by one, and travel as text.
	part, err := spl.NewPartial(raw)
	require.NoError(t, err)
	require.Equal(t, []solana.PublicKey{keyOf("payer"), keyOf("m1")}, part.Missing())
	for i, name := range []string{"m1", "payer"} {
		_, err = part.Tx()
		require.ErrorIs(t, err, spl.ErrNoSigner)
		text, err := json.Marshal(part)
		require.NoError(t, err)
		part = new(spl.Partial)
		require.NoError(t, json.Unmarshal(text, part))
		k, err := spl.NewKey(svmtest.Key(name))
		require.NoError(t, err)
		require.NoError(t, part.Sign(t.Context(), k))
		require.Len(t, part.Missing(), 1-i)
	}
	raw, err = part.Tx()
	require.NoError(t, err)
	out, _ = l.run(raw)
	require.False(t, out.failed(), "%s", out.Err)
	require.EqualValues(t, 10_000, out.Fee)
	if l.program == solana.TokenProgramID {
		require.EqualValues(t, 17_991, out.ComputeUnitsConsumed)
	}
	require.EqualValues(t, 10_000-57*58/2, l.held(treasury))

	// One member short.
	p.Members, p.Marker, p.Blockhash = p.Members[:1], l.mark(), l.hash()
	raw, err = new(spl.Encoder).AppendPayout(nil, p)
	require.NoError(t, err)
	require.NoError(t, l.ring.Sign(t.Context(), raw))
	out, _ = l.run(raw)
	require.JSONEq(t, `{"InstructionError":[1,"MissingRequiredSignature"]}`, string(out.Err))
	require.EqualValues(t, 10_000-57*58/2, l.held(treasury))
}

func TestMultisigRefused(t *testing.T) {
	k := func(n int) (out []solana.PublicKey) {
		for i := range n {
			out = append(out, recipient(i))
		}
		return out
	}
	for want, m := range map[string]spl.Multisig{
		"Multisig.Members are 0, want 1 to 11":  {Need: 1},
		"Multisig.Members are 12, want 1 to 11": {Need: 1, Members: k(12)},
		"Multisig.Need is 0, want 1 to 2":       {Members: k(2)},
		"Multisig.Need is 3, want 1 to 2":       {Need: 3, Members: k(2)},
		"Multisig.Members[1]":                   {Need: 1, Members: []solana.PublicKey{recipient(1), recipient(1)}},
	} {
		_, err := spl.CreateMultisig(keyOf("payer"), keyOf("x"), solana.TokenProgramID, m, 1)
		require.ErrorContains(t, err, want)
	}
	_, err := spl.CreateMultisig(keyOf("payer"), keyOf("x"), solana.SystemProgramID, spl.Multisig{Need: 1, Members: k(1)}, 1)
	require.ErrorContains(t, err, "want SPL Token or Token-2022")
	data := make([]byte, 355)
	_, err = spl.ReadMultisig(solana.TokenProgramID, data)
	require.ErrorContains(t, err, "no multisig account")
	data[0], data[1], data[2] = 1, 12, 1
	_, err = spl.ReadMultisig(solana.TokenProgramID, data)
	require.ErrorContains(t, err, "no multisig account")
	data[1] = 1
	_, err = spl.ReadMultisig(solana.SystemProgramID, data)
	require.ErrorContains(t, err, "no multisig account")
	_, err = spl.ReadMultisig(solana.Token2022ProgramID, data)
	require.NoError(t, err)
}

func TestPartialRefused(t *testing.T) {
	raw, err := new(spl.Encoder).AppendPayout(nil, shaped(spl.Shape{Format: spl.V1, Owner: true}, 2))
	require.NoError(t, err)
	part, err := spl.NewPartial(raw)
	require.NoError(t, err)
	require.ErrorIs(t, part.Add(keyOf("m1"), [64]byte{1}), spl.ErrNoSigner)
	require.ErrorIs(t, part.Add(keyOf("owner"), [64]byte{1}), spl.ErrSignature)
	require.Len(t, part.Missing(), 2)
	k, err := spl.NewKey(svmtest.Key("m1"))
	require.NoError(t, err)
	require.ErrorIs(t, part.Sign(t.Context(), k), spl.ErrNoSigner)
	spoilt := append([]byte(nil), raw...)
	spoilt[len(spoilt)-1] = 1
	_, err = spl.NewPartial(spoilt)
	require.ErrorIs(t, err, spl.ErrSignature)
	require.ErrorIs(t, part.UnmarshalText([]byte("!")), spl.ErrMalformed)
	require.ErrorIs(t, part.UnmarshalText([]byte("AAAA")), spl.ErrMalformed)
	require.Len(t, part.Missing(), 2, "a text that is refused changes nothing")

	// Two members sign copies.
	left, right := part, new(spl.Partial)
	text, err := part.MarshalText()
	require.NoError(t, err)
	require.NoError(t, right.UnmarshalText(text))
	for p, name := range map[*spl.Partial]string{left: "payer", right: "owner"} {
		k, err := spl.NewKey(svmtest.Key(name))
		require.NoError(t, err)
		require.NoError(t, p.Sign(t.Context(), k))
	}
	require.NoError(t, left.Merge(right))
	signed, err := left.Tx()
	require.NoError(t, err)
	require.NoError(t, spl.VerifyTx(signed))
	raw, err = new(spl.Encoder).AppendPayout(nil, shaped(spl.Shape{Format: spl.V1, Owner: true}, 3))
	require.NoError(t, err)
	other, err := spl.NewPartial(raw)
	require.NoError(t, err)
	require.ErrorContains(t, left.Merge(other), "different messages")
}

// TestNonceLane signs 400 blocks before it sends, uses one value twice, and moves a nonce on.
func TestNonceLane(t *testing.T) {
	for _, f := range []spl.Format{spl.V1, spl.V0, spl.Legacy} {
		l := newLab(t)
		own := l.endow(keyOf("payer"), 1000)
		to := l.open(keyOf("ann"))
		at := spl.Advance{Account: keyOf("nonce"), Authority: keyOf("payer")}
		l.message(f, spl.CreateNonce(keyOf("payer"), at.Account, at.Authority, l.rent(spl.NonceSize))...)
		read := func() solana.Hash {
			owner, data := l.state(at.Account)
			authority, value, err := spl.ReadNonce(owner, data)
			require.NoError(t, err)
			require.Equal(t, at.Authority, authority)
			return value
		}
		lane := spl.NewNonceLane(at, read())
		require.NoError(t, l.Advance(t.Context(), 1))
		attempt := func(units uint64) []byte {
			p := shaped(spl.Shape{Format: f, Nonce: true, ComputeUnits: true}, 1)
			l.real(p, own, to)
			p.Lines[0].Units = units
			use, value, err := lane.Take()
			require.NoError(t, err)
			require.Equal(t, at, use)
			p.Blockhash = value
			raw, err := new(spl.Encoder).AppendPayout(nil, p)
			require.NoError(t, err)
			require.NoError(t, l.ring.Sign(t.Context(), raw))
			return raw
		}
		first := attempt(5)
		require.Equal(t, settlement.Nonce{Account: settlement.Account(at.Account.String()), Value: read().String()}, lane.Nonce())
		_, _, err := lane.Take()
		require.ErrorIs(t, err, settlement.ErrLater)
		require.False(t, lane.Seen(read()), "nothing has landed")
		_, _, err = lane.Take()
		require.ErrorIs(t, err, settlement.ErrLater)
		second := func() []byte { // whoever signs outside the lane
			p := shaped(spl.Shape{Format: f, Nonce: true, ComputeUnits: true}, 1)
			l.real(p, own, to)
			p.Lines[0].Units, p.Blockhash = 7, read()
			raw, err := new(spl.Encoder).AppendPayout(nil, p)
			require.NoError(t, err)
			require.NoError(t, l.ring.Sign(t.Context(), raw))
			return raw
		}()
		require.NoError(t, l.Advance(t.Context(), 400))
		out, ok := l.run(first)
		require.True(t, ok)
		require.False(t, out.failed(), "%s", out.Err)
		_, ok = l.run(second)
		require.False(t, ok, "the value is used up")
		require.EqualValues(t, 5, l.held(keyOf("ann")))
		require.True(t, lane.Seen(read()))

		// Cancelled: the value moves on without the attempt, which is dead then.
		lost := attempt(9)
		l.message(f, at.Instruction())
		require.True(t, lane.Seen(read()))
		_, ok = l.run(lost)
		require.False(t, ok)
		require.EqualValues(t, 5, l.held(keyOf("ann")))

		next := spl.Advance{Account: at.Account, Authority: keyOf("owner")}
		l.message(f, spl.AuthorizeNonce(at, next.Authority))
		at = next
		read()
		l.message(f, spl.WithdrawNonce(at, keyOf("ann"), l.rent(spl.NonceSize)))
	}
}

func TestReadNonceRefused(t *testing.T) {
	data := make([]byte, 80)
	data[0], data[4] = 1, 1
	_, _, err := spl.ReadNonce(solana.SystemProgramID, data)
	require.NoError(t, err)
	for _, row := range []struct {
		owner solana.PublicKey
		data  []byte
	}{
		{solana.TokenProgramID, data},
		{solana.SystemProgramID, data[:79]},
		{solana.SystemProgramID, make([]byte, 80)},
		{solana.SystemProgramID, append([]byte{0, 0, 0, 0, 1}, make([]byte, 75)...)},
	} {
		_, _, err := spl.ReadNonce(row.owner, row.data)
		require.ErrorContains(t, err, "spl: no nonce account")
	}
}

// TestTableRuns makes, fills, reads and ends a lookup table.
func TestTableRuns(t *testing.T) {
	l := newLab(t)
	require.NoError(t, l.Advance(t.Context(), 5))
	var slot uint64
	l.ask(&slot, "getSlot", map[string]any{"commitment": "processed"})
	at, create, err := spl.CreateTable(keyOf("payer"), keyOf("payer"), slot-1)
	require.NoError(t, err)
	var entries []solana.PublicKey
	for i := range 57 {
		entries = append(entries, recipient(i))
	}
	l.message(spl.V1, append([]spl.Instruction{create}, spl.ExtendTable(at, keyOf("payer"), keyOf("payer"), entries[:39])...)...)
	l.message(spl.V1, spl.ExtendTable(at, keyOf("payer"), keyOf("payer"), entries[39:])...)
	owner, data := l.state(at)
	table, err := spl.ReadTable(at, owner, data)
	require.NoError(t, err)
	require.Equal(t, entries, table.Entries())
	require.Equal(t, at, table.Address())
	l.message(spl.Legacy, spl.DeactivateTable(at, keyOf("payer")))
	owner, data = l.state(at)
	_, err = spl.ReadTable(at, owner, data)
	require.ErrorContains(t, err, "was deactivated in slot")
	raw, err := new(spl.Encoder).AppendMessage(nil, &spl.Message{
		Format: spl.Legacy, Payer: keyOf("payer"), Blockhash: l.hash(), Instructions: []spl.Instruction{spl.CloseTable(at, keyOf("payer"), keyOf("payer"))},
	})
	require.NoError(t, err)
	require.NoError(t, l.ring.Sign(t.Context(), raw))
	out, _ := l.run(raw)
	require.Contains(t, string(out.Err), "InstructionError", "it is still in its cool-down")

	_, err = spl.ReadTable(at, solana.SystemProgramID, data)
	require.ErrorContains(t, err, "no lookup table")
	_, err = spl.ReadTable(at, owner, data[:55])
	require.ErrorContains(t, err, "no lookup table")
	for i := range 8 {
		data[4+i] = 0xff
	}
	_, err = spl.ReadTable(at, owner, data[:60])
	require.ErrorContains(t, err, "no multiple of 32")
	_, err = spl.NewTable(at, make([]solana.PublicKey, 257))
	require.ErrorContains(t, err, "a lookup table of 257 addresses, want 1 to 256")
	_, err = spl.NewTable(at, nil)
	require.ErrorContains(t, err, "want 1 to 256")
}
