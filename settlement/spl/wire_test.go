package spl_test

import (
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/gagliardetto/solana-go"
	computebudget "github.com/gagliardetto/solana-go/programs/compute-budget"
	"github.com/gagliardetto/solana-go/programs/memo"
	"github.com/gagliardetto/solana-go/programs/system"
	"github.com/gagliardetto/solana-go/programs/token"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// keyOf returns the address that belongs to a name. It keeps what it has derived, which takes 50 µs.
func keyOf(name string) solana.PublicKey {
	if k, ok := derived.Load(name); ok {
		return k.(solana.PublicKey)
	}
	k := solana.PrivateKey(svmtest.Key(name)).PublicKey()
	derived.Store(name, k)
	return k
}

var derived sync.Map

// ringOf returns signers with the keys that belong to names.
func ringOf(t testing.TB, names ...string) *spl.Keyring {
	t.Helper()
	var all []spl.Signer
	for _, n := range names {
		k, err := spl.NewKey(svmtest.Key(n))
		require.NoError(t, err)
		all = append(all, k)
	}
	r, err := spl.NewKeyring(all...)
	require.NoError(t, err)
	return r
}

// everybody can sign for every payout of the tests here.
var everybody = []string{"payer", "owner", "authority", "m0", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "m9", "m10"}

const seed = "0123456789abcdef0123456789abcdef"

// recipient returns the n-th recipient; it is no point of the curve, as a token account is not.
func recipient(n int) solana.PublicKey {
	var k solana.PublicKey
	binary.BigEndian.PutUint64(k[:], uint64(n+1)*0x9e3779b97f4a7c15)
	binary.BigEndian.PutUint64(k[16:], uint64(n+1))
	return k
}

// shaped returns a payout of n lines of a shape, of SPL Token.
func shaped(s spl.Shape, n int) *spl.Payout {
	p := &spl.Payout{
		Format: s.Format, Payer: keyOf("payer"), Owner: keyOf("payer"), Source: keyOf("source"), Program: solana.TokenProgramID,
		Mint: keyOf("mint"), Decimals: 8, Checked: s.Checked, Batch: s.Batch, Memo: strings.Repeat("m", s.Memo),
		Blockhash: solana.Hash(keyOf("hash")),
	}
	if s.Owner || s.Members > 0 {
		p.Owner = keyOf("owner")
	}
	for i := range s.Members {
		if i == 0 && s.PayerMember {
			p.Members = append(p.Members, p.Payer)
			continue
		}
		p.Members = append(p.Members, keyOf(fmt.Sprint("m", i)))
	}
	if s.Marker {
		p.Marker = spl.Mark{Address: keyOf("marker"), Seed: seed, Lamports: 650_240}
	}
	if s.Nonce {
		p.Nonce = spl.Advance{Account: keyOf("nonce"), Authority: keyOf("payer")}
	}
	if s.ComputeUnits || s.Format == spl.V1 {
		p.ComputeUnits = 20_000
	}
	if s.Loaded || s.Format == spl.V1 {
		p.Loaded = 1 << 20
	}
	if s.Priority {
		p.Priority = 1_000_000
	}
	var entries []solana.PublicKey
	for i := range n {
		p.Lines = append(p.Lines, spl.Transfer{To: recipient(i), Units: uint64(i) + 1})
		entries = append(entries, recipient(i))
	}
	if s.Table && n > 0 {
		if s.TableSource {
			entries = append(entries, p.Source, p.Mint)
		}
		table, err := spl.NewTable(keyOf("table"), entries)
		if err != nil {
			panic(err)
		}
		p.Table = table
	}
	return p
}

// expected returns the payout's instructions as solana-go builds them.
func expected(p *spl.Payout) []solana.Instruction {
	var out []solana.Instruction
	if p.Nonce.Account != (solana.PublicKey{}) {
		out = append(out, system.NewAdvanceNonceAccountInstruction(p.Nonce.Account, solana.SysVarRecentBlockHashesPubkey, p.Nonce.Authority).Build())
	}
	if p.Marker.Address != (solana.PublicKey{}) {
		in := system.NewCreateAccountWithSeedInstruction(
			p.Payer, p.Marker.Seed, p.Marker.Lamports, 0, solana.SystemProgramID, p.Payer, p.Marker.Address, p.Payer,
		).Build()
		data, err := in.Data()
		if err != nil {
			panic(err)
		}
		// The base is the payer, whom solana-go names a second time; the program does not want that.
		out = append(out, solana.NewInstruction(solana.SystemProgramID, in.Accounts()[:2], data))
	}
	if p.Memo != "" {
		out = append(out, memo.NewMemoInstruction([]byte(p.Memo)).Build())
	}
	var batch []byte
	var metas solana.AccountMetaSlice
	for _, l := range p.Lines {
		var in solana.Instruction
		switch {
		case p.Burn:
			in = token.NewBurnCheckedInstruction(l.Units, p.Decimals, p.Source, p.Mint, p.Owner, p.Members).Build()
		case p.Checked:
			in = token.NewTransferCheckedInstruction(l.Units, p.Decimals, p.Source, p.Mint, l.To, p.Owner, p.Members).Build()
		default:
			in = token.NewTransferInstruction(l.Units, p.Source, l.To, p.Owner, p.Members).Build()
		}
		data, err := in.Data()
		if err != nil {
			panic(err)
		}
		if p.Batch {
			batch = append(append(batch, byte(len(in.Accounts())), byte(len(data))), data...)
			metas = append(metas, in.Accounts()...)
			continue
		}
		out = append(out, solana.NewInstruction(p.Program, in.Accounts(), data))
	}
	if p.Batch && len(p.Lines) > 0 {
		out = append(out, solana.NewInstruction(p.Program, metas, append([]byte{255}, batch...)))
	}
	if p.Format == spl.V1 {
		return out
	}
	if p.ComputeUnits > 0 {
		out = append(out, computebudget.NewSetComputeUnitLimitInstruction(p.ComputeUnits).Build())
	}
	if p.Priority > 0 {
		price := p.Priority / uint64(p.ComputeUnits) * 1_000_000
		price += p.Priority % uint64(p.ComputeUnits) * 1_000_000 / uint64(p.ComputeUnits)
		out = append(out, computebudget.NewSetComputeUnitPriceInstruction(price).Build())
	}
	if p.Loaded > 0 {
		out = append(out, computebudget.NewSetLoadedAccountsDataSizeLimitInstruction(p.Loaded).Build())
	}
	return out
}

// same requires that the bytes are a signed transaction of exactly these instructions, as solana-go reads them.
func same(t testing.TB, raw []byte, p *spl.Payout) {
	t.Helper()
	tx, err := solana.TransactionFromBytes(raw)
	require.NoError(t, err)
	require.NoError(t, tx.Sanitize())
	require.NoError(t, tx.VerifySignatures())
	again, err := tx.MarshalBinary()
	require.NoError(t, err)
	require.Equal(t, raw, again)
	require.Equal(t, p.Payer, tx.Message.AccountKeys[0])
	require.Equal(t, p.Blockhash, tx.Message.RecentBlockhash)
	if p.Table != nil && len(tx.Message.AddressTableLookups) > 0 {
		require.NoError(t, tx.Message.SetAddressTables(map[solana.PublicKey]solana.PublicKeySlice{p.Table.Address(): p.Table.Entries()}))
		require.NoError(t, tx.Message.ResolveLookups())
	}
	if p.Format == spl.V1 {
		c := tx.Message.TransactionConfig
		require.Equal(t, p.ComputeUnits, *c.ComputeUnitLimit)
		require.Equal(t, p.Loaded, *c.LoadedAccountsDataSizeLimit)
		if p.Priority > 0 {
			require.Equal(t, p.Priority, *c.PriorityFee)
		} else {
			require.Nil(t, c.PriorityFee)
		}
	}
	metas, err := tx.Message.AccountMetaList()
	require.NoError(t, err)
	type right struct{ signs, writes bool }
	want := map[solana.PublicKey]right{p.Payer: {true, true}}
	list := expected(p)
	require.Len(t, tx.Message.Instructions, len(list))
	for i, in := range list {
		got := tx.Message.Instructions[i]
		data, err := in.Data()
		require.NoError(t, err)
		require.Equal(t, data, []byte(got.Data))
		require.Equal(t, in.ProgramID(), metas[got.ProgramIDIndex].PublicKey)
		want[in.ProgramID()] = right{want[in.ProgramID()].signs, want[in.ProgramID()].writes}
		require.Len(t, got.Accounts, len(in.Accounts()))
		for j, a := range in.Accounts() {
			require.Equal(t, a.PublicKey, metas[got.Accounts[j]].PublicKey, "account %d of instruction %d", j, i)
			r := want[a.PublicKey]
			want[a.PublicKey] = right{r.signs || a.IsSigner, r.writes || a.IsWritable}
		}
	}
	require.Len(t, metas, len(want))
	for _, m := range metas {
		require.Equal(t, want[m.PublicKey], right{m.IsSigner, m.IsWritable}, "%s", m.PublicKey)
	}
}

// everyShape returns all shapes, of which each has its own bounds.
func everyShape() []spl.Shape {
	var out []spl.Shape
	for bits := range 1 << 11 {
		on := func(i int) bool { return bits>>i&1 != 0 }
		for _, f := range []spl.Format{spl.V1, spl.V0, spl.Legacy} {
			s := spl.Shape{
				Format: f, Owner: on(0), Marker: on(1), Nonce: on(2), Checked: on(3), Batch: on(4), Priority: on(5), ComputeUnits: on(5) || on(6), Loaded: on(7),
			}
			if on(8) {
				s.Memo = 10
			}
			if on(9) {
				s.Members, s.PayerMember = 3, on(0)
			}
			if on(10) {
				s.Members += 8
			}
			out = append(out, s)
			if f == spl.V0 {
				s.Table = true
				out = append(out, s)
				s.TableSource = true
				out = append(out, s)
			}
		}
	}
	return out
}

// TestMaxLines compares the formula with the encoder: n lines fit and have the size that it says, n+1 do not.
func TestMaxLines(t *testing.T) {
	var e spl.Encoder
	for _, s := range everyShape() {
		n := s.MaxLines()
		_, err := e.AppendPayout(nil, shaped(s, n+1))
		require.Error(t, err, "%d lines of %+v", n+1, s)
		if n == 0 {
			require.Greater(t, s.Members, 3, "only the signatures of many members leave no room: %+v", s)
			continue
		}
		for _, lines := range []int{1, n} {
			raw, err := e.AppendPayout(nil, shaped(s, lines))
			require.NoError(t, err, "%d lines of %+v", lines, s)
			require.Len(t, raw, s.Bytes(lines), "%d lines of %+v", lines, s)
		}
	}
}

// TestPublishedLines are the figures of the design's table.
func TestPublishedLines(t *testing.T) {
	for _, row := range []struct {
		name         string
		shape        spl.Shape
		lines, bytes int
	}{
		{"v1 bare", spl.Shape{Format: spl.V1}, 61, 3138},
		{"v1, memo", spl.Shape{Format: spl.V1, Memo: 41}, 60, 3167},
		{"v1, marker", spl.Shape{Format: spl.V1, Marker: true}, 59, 3236},
		{"v1, marker, other owner", spl.Shape{Format: spl.V1, Marker: true, Owner: true}, 58, 3284},
		{"v1, marker, memo", spl.Shape{Format: spl.V1, Marker: true, Memo: 16}, 58, 3240},
		{"v1, nonce", spl.Shape{Format: spl.V1, Nonce: true}, 58, 3101},
		{"v1, marker, nonce", spl.Shape{Format: spl.V1, Marker: true, Nonce: true}, 57, 3215},
		{"v1, marker, 2 of 3 with the payer one of them", spl.Shape{Format: spl.V1, Marker: true, Members: 2, PayerMember: true}, 57, 3382},
		{"v0, table, units, memo", spl.Shape{Format: spl.V0, Table: true, ComputeUnits: true, Memo: 10}, 57, 1231},
		{"v0, table with the source, units, memo", spl.Shape{Format: spl.V0, Table: true, TableSource: true, ComputeUnits: true, Memo: 10}, 59, 1232},
		{"v0, table, batch, memo", spl.Shape{Format: spl.V0, Table: true, Batch: true, Memo: 10}, 60, 1185},
		{"v0, table, marker, units", spl.Shape{Format: spl.V0, Table: true, Marker: true, ComputeUnits: true}, 47, 1219},
		{"legacy, units, memo", spl.Shape{Format: spl.Legacy, ComputeUnits: true, Memo: 41}, 19, 1207},
		{"legacy, units, short memo", spl.Shape{Format: spl.Legacy, ComputeUnits: true, Memo: 10}, 20, 1223},
		{"legacy bare", spl.Shape{Format: spl.Legacy}, 22, 1232},
		{"legacy, marker, units", spl.Shape{Format: spl.Legacy, Marker: true, ComputeUnits: true}, 17, 1230},
	} {
		require.Equal(t, row.lines, row.shape.MaxLines(), row.name)
		require.Equal(t, row.lines, row.shape.MaxLines(), row.name)
		require.Equal(t, row.bytes, row.shape.Bytes(row.lines), row.name)
	}
}

// FuzzPayout builds payouts of all options and compares what solana-go reads with what its own builders make.
func FuzzPayout(f *testing.F) {
	f.Add(uint32(0), uint8(0), uint8(3), uint64(7), "")
	f.Add(uint32(0xffff), uint8(1), uint8(60), uint64(1), "memo")
	f.Add(uint32(0x155), uint8(2), uint8(22), uint64(1<<63), "\xff")
	ring := ringOf(f, everybody...)
	f.Fuzz(func(t *testing.T, bits uint32, format, lines uint8, units uint64, text string) {
		on := func(i int) bool { return bits>>i&1 != 0 }
		s := spl.Shape{
			Format: spl.Format(format%3) + 1, Owner: on(0), Marker: on(1), Nonce: on(2), Checked: on(3), Batch: on(4), ComputeUnits: on(5), Priority: on(5) && on(6),
			Loaded: on(7), Table: on(8), TableSource: on(9), Members: int(bits >> 16 & 15), PayerMember: on(14),
		}
		s.Table = s.Table && s.Format == spl.V0
		p := shaped(s, int(lines%66))
		p.Memo = text
		p.Burn = on(10)
		if on(11) {
			p.Nonce.Authority = keyOf("authority")
		}
		if on(12) {
			p.Program = solana.Token2022ProgramID
		}
		for i := range p.Lines {
			p.Lines[i].Units = units + uint64(i)
			if p.Burn {
				p.Lines[i].To = solana.PublicKey{}
			} else if on(13) {
				p.Lines[i].To = recipient(i % 7) // some stand twice
			}
		}
		p.Priority = min(p.Priority, units)
		var e spl.Encoder
		dst := []byte("in front")
		out, err := e.AppendPayout(dst, p)
		if err != nil {
			require.Equal(t, dst, out)
			return
		}
		raw := out[len(dst):]
		require.Equal(t, "in front", string(out[:len(dst)]))
		require.NoError(t, ring.Sign(t.Context(), raw))
		require.NoError(t, spl.VerifyTx(raw))
		same(t, raw, p)
		id, err := spl.TxID(raw)
		require.NoError(t, err)
		tx, err := solana.TransactionFromBytes(raw)
		require.NoError(t, err)
		require.Equal(t, tx.Signatures[0].String(), id)

		m := spl.Message{Format: p.Format, Payer: p.Payer, Blockhash: p.Blockhash, ComputeUnits: p.ComputeUnits, Loaded: p.Loaded, Priority: p.Priority}
		if p.Table != nil {
			m.Tables = []*spl.Table{p.Table}
		}
		q := *p
		q.Format = spl.V1 // the budget's instructions are the encoder's
		for _, in := range expected(&q) {
			own, err := spl.FromSolana(in)
			require.NoError(t, err)
			m.Instructions = append(m.Instructions, own)
		}
		other, err := e.AppendMessage(nil, &m)
		require.NoError(t, err)
		require.NoError(t, ring.Sign(t.Context(), other))
		require.Equal(t, raw, other, "any message of the same instructions is the same bytes")
	})
}

// FuzzFrame reads spoilt transactions: no panic, and what verifies is what solana-go reads.
func FuzzFrame(f *testing.F) {
	ring := ringOf(f, everybody...)
	var e spl.Encoder
	for _, format := range []spl.Format{spl.V1, spl.V0, spl.Legacy} {
		raw, err := e.AppendPayout(nil, shaped(spl.Shape{Format: format, Marker: true, Owner: true, ComputeUnits: true}, 3))
		require.NoError(f, err)
		require.NoError(f, ring.Sign(f.Context(), raw))
		f.Add(raw, uint16(0), byte(0))
	}
	f.Fuzz(func(t *testing.T, raw []byte, at uint16, flip byte) {
		if len(raw) > 0 {
			raw[int(at)%len(raw)] ^= flip
		}
		_, _ = spl.TxID(raw)
		_, _ = spl.NewPartial(raw)
		_ = ring.Sign(t.Context(), append([]byte(nil), raw...))
		if spl.VerifyTx(raw) != nil {
			return
		}
		tx, err := solana.TransactionFromBytes(raw)
		if err == nil {
			require.NoError(t, tx.VerifySignatures())
		}
	})
}

func TestPayoutRefused(t *testing.T) {
	var none solana.PublicKey
	for _, row := range []struct {
		change func(*spl.Payout)
		want   string
	}{
		{func(p *spl.Payout) { p.Payer = none }, "Payout.Payer is zero"},
		{func(p *spl.Payout) { p.Format = 0 }, "Payout.Format is 0, want V1, V0 or Legacy"},
		{func(p *spl.Payout) { p.Format = 4 }, "Payout.Format is 4"},
		{func(p *spl.Payout) { p.Lines, p.Marker = nil, spl.Mark{} }, "Payout.Lines is empty"},
		{func(p *spl.Payout) { p.Marker.Seed = seed + "x" }, "Payout.Marker.Seed has 33 bytes, want at most 32"},
		{func(p *spl.Payout) { p.Marker.Lamports = 0 }, "Payout.Marker.Lamports is 0"},
		{func(p *spl.Payout) { p.Nonce.Account = keyOf("nonce") }, "Payout.Nonce.Authority is zero"},
		{func(p *spl.Payout) { p.Table = shaped(spl.Shape{Format: spl.V0, Table: true}, 1).Table }, "Payout.Table is given, format v1 knows none"},
		{func(p *spl.Payout) { p.Members = make([]solana.PublicKey, 12) }, "Payout.Members are 12, want at most 11"},
		{func(p *spl.Payout) { p.Source = none }, "Payout.Source or Owner is zero"},
		{func(p *spl.Payout) { p.Program = keyOf("x") }, "Payout.Program is"},
		{func(p *spl.Payout) { p.Checked, p.Mint = true, none }, "Payout.Mint is zero"},
		{func(p *spl.Payout) { p.Batch, p.Program = true, solana.Token2022ProgramID }, "Payout.Batch is set, which Token-2022 does not know"},
		{func(p *spl.Payout) { p.Lines[2].Units = 0 }, "Payout.Lines[2].Units is 0"},
		{func(p *spl.Payout) { p.Lines[2].To = none }, "Payout.Lines[2].To is"},
		{func(p *spl.Payout) { p.Burn = true }, "Payout.Burn is true"},
		{func(p *spl.Payout) { p.Lines[1].To = p.Source }, "Payout.Lines[1].To is Source"},
		{func(p *spl.Payout) { p.ComputeUnits = 1_400_001 }, "Payout.ComputeUnits is 1400001, want at most 1400000"},
		{func(p *spl.Payout) { p.Loaded = 64<<20 + 1 }, "Payout.Loaded is 67108865, want at most 67108864"},
		{func(p *spl.Payout) { p.ComputeUnits = 0 }, "version 1 grants nothing that is not asked for"},
		{func(p *spl.Payout) { p.Loaded = 0 }, "version 1 grants nothing that is not asked for"},
		{func(p *spl.Payout) { p.Format, p.ComputeUnits, p.Priority = spl.Legacy, 0, 1 }, "Payout.Priority is 1 without ComputeUnits"},
		{func(p *spl.Payout) { p.Payer = p.Program }, "Payout.Payer is a program that it calls"},
		{func(p *spl.Payout) { p.Lines = shaped(spl.Shape{Format: spl.V1}, 60).Lines }, "Payout needs more than 64 addresses"},
		{func(p *spl.Payout) { p.Format, p.Lines = spl.Legacy, shaped(spl.Shape{Format: spl.V1}, 20).Lines }, "a transaction of format legacy has 1232 at most"},
		{func(p *spl.Payout) {
			p.Lines = p.Lines[:1]
			for range 70 {
				p.Lines = append(p.Lines, p.Lines[0])
			}
		}, "Payout has 72 instructions, a transaction has 64 at most"},
		{func(p *spl.Payout) {
			p.Owner, p.Nonce = keyOf("owner"), spl.Advance{Account: keyOf("nonce"), Authority: keyOf("authority")}
			for i := range 11 {
				p.Members = append(p.Members, keyOf(fmt.Sprint("m", i)))
			}
		}, "Payout needs 13 signatures, a transaction has 12 at most"},
		{func(p *spl.Payout) { p.Memo = strings.Repeat("m", 4000) }, "a transaction of format v1 has 4096 at most"},
		{func(p *spl.Payout) { p.Memo = strings.Repeat("m", 70_000) }, "has 70000 bytes of data, at most 65535"},
	} {
		p := shaped(spl.Shape{Format: spl.V1, Marker: true}, 5)
		row.change(p)
		var e spl.Encoder
		out, err := e.AppendPayout([]byte{1}, p)
		require.ErrorContains(t, err, row.want)
		require.Equal(t, []byte{1}, out)
	}
}

func TestMessageRefused(t *testing.T) {
	call := spl.Instruction{Program: solana.MemoProgramID, Data: []byte("m")}
	table, err := spl.NewTable(keyOf("table"), []solana.PublicKey{keyOf("x")})
	require.NoError(t, err)
	for _, row := range []struct {
		change func(*spl.Message)
		want   string
	}{
		{func(m *spl.Message) { m.Payer = solana.PublicKey{} }, "Message.Payer is zero"},
		{func(m *spl.Message) { m.Instructions = nil }, "Message has no instruction"},
		{func(m *spl.Message) { m.Heap = 1000 }, "Message.Heap is 1000"},
		{func(m *spl.Message) { m.Heap = 512 << 10 }, "Message.Heap is 524288"},
		{func(m *spl.Message) { m.Tables = []*spl.Table{table} }, "Message.Tables has 1 tables, format v1 knows none"},
		{func(m *spl.Message) { m.Instructions[0].Accounts = make([]spl.Meta, 256) }, "instruction 0 names 256 accounts, at most 255"},
	} {
		m := &spl.Message{Format: spl.V1, Payer: keyOf("payer"), ComputeUnits: 1, Loaded: 1, Instructions: []spl.Instruction{call}}
		row.change(m)
		var e spl.Encoder
		_, err := e.AppendMessage(nil, m)
		require.ErrorContains(t, err, row.want)
	}
}

func TestMessageWithTablesAndHeap(t *testing.T) {
	one, err := spl.NewTable(keyOf("one"), []solana.PublicKey{keyOf("a"), keyOf("b"), keyOf("a")})
	require.NoError(t, err)
	two, err := spl.NewTable(keyOf("two"), []solana.PublicKey{keyOf("c"), keyOf("b"), keyOf("d")})
	require.NoError(t, err)
	unused, err := spl.NewTable(keyOf("unused"), []solana.PublicKey{keyOf("z")})
	require.NoError(t, err)
	in := spl.Instruction{Program: keyOf("d"), Data: []byte{9}, Accounts: []spl.Meta{
		{Key: keyOf("a")}, {Key: keyOf("b"), Writable: true}, {Key: keyOf("c"), Writable: true}, {Key: keyOf("a"), Writable: true}, {Key: keyOf("e")},
	}}
	m := &spl.Message{
		Format: spl.V0, Payer: keyOf("payer"), ComputeUnits: 5, Heap: 64 << 10, Instructions: []spl.Instruction{in}, Tables: []*spl.Table{one, unused, two},
	}
	var e spl.Encoder
	raw, err := e.AppendMessage(nil, m)
	require.NoError(t, err)
	require.NoError(t, ringOf(t, "payer").Sign(t.Context(), raw))
	tx, err := solana.TransactionFromBytes(raw)
	require.NoError(t, err)
	require.NoError(t, tx.Sanitize())
	require.Len(t, tx.Message.AddressTableLookups, 2, "a table that holds nothing of it is not named")
	require.NoError(t, tx.Message.SetAddressTables(map[solana.PublicKey]solana.PublicKeySlice{one.Address(): one.Entries(), two.Address(): two.Entries()}))
	require.NoError(t, tx.Message.ResolveLookups())
	metas, err := tx.Message.Instructions[0].ResolveInstructionAccounts(&tx.Message)
	require.NoError(t, err)
	for i, a := range in.Accounts {
		require.Equal(t, a.Key, metas[i].PublicKey, "account %d", i)
	}
	require.True(t, metas[0].IsWritable, "named twice, written once")
	require.False(t, metas[4].IsWritable)
	require.Equal(t, keyOf("d"), tx.Message.AccountKeys[tx.Message.Instructions[0].ProgramIDIndex], "a program stands in the message, table or not")
	require.Equal(t, []byte{1, 0, 0, 1, 0}, []byte(tx.Message.Instructions[2].Data), "64 KiB of heap")

	m.Format, m.Tables, m.Loaded = spl.V1, nil, 1
	raw, err = e.AppendMessage(nil, m)
	require.NoError(t, err)
	tx, err = solana.TransactionFromBytes(raw)
	require.NoError(t, err)
	require.EqualValues(t, 64<<10, *tx.Message.TransactionConfig.HeapSize)
}

func TestNoMemoryIsAllocated(t *testing.T) {
	ring := ringOf(t, everybody...)
	var e spl.Encoder
	dst := make([]byte, 0, 4096)
	for _, s := range []spl.Shape{
		{Format: spl.V1, Marker: true}, {Format: spl.V0, Table: true, ComputeUnits: true, Memo: 10}, {Format: spl.Legacy, ComputeUnits: true, Memo: 10},
	} {
		p := shaped(s, s.MaxLines())
		ctx := t.Context()
		require.Zero(t, testing.AllocsPerRun(20, func() {
			raw, err := e.AppendPayout(dst, p)
			if err != nil || ring.Sign(ctx, raw) != nil {
				panic(err)
			}
		}), "%+v", s)
	}
}
