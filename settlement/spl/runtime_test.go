package spl_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/gagliardetto/solana-go"
	associated "github.com/gagliardetto/solana-go/programs/associated-token-account"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// lab is a local runtime on which transactions of the encoder are executed as they are.
type lab struct {
	testing.TB
	*svmtest.Node
	token   settlement.Asset
	mint    solana.PublicKey
	program solana.PublicKey // of the mint
	ring    *spl.Keyring
	marks   int
}

func newLab(t testing.TB) *lab { return newLabOf(t, solana.TokenProgramID) }

// newLabOf returns a lab whose mint is of one of the two token programs.
func newLabOf(t testing.TB, program solana.PublicKey) *lab {
	t.Helper()
	l := &lab{TB: t, Node: svmtest.ForTest(t, svmtest.Config{}), program: program, ring: ringOf(t, append([]string{"nonce", "vault", "extra"}, everybody...)...)}
	for _, name := range []string{"payer", "owner"} {
		require.NoError(t, l.Airdrop(t.Context(), svmtest.Address(svmtest.Key(name)), 1e12))
	}
	var err error
	if program == solana.Token2022ProgramID {
		l.token, err = l.CreateMint2022(t.Context(), svmtest.Key("payer"), svmtest.Key("mint"), 8, svmtest.Extensions{})
	} else {
		l.token, err = l.CreateMint(t.Context(), svmtest.Key("payer"), svmtest.Key("mint"), 8)
	}
	require.NoError(t, err)
	l.mint = keyOf("mint")
	return l
}

// ask calls a method and decodes its result.
func (l *lab) ask(out any, method string, params ...any) {
	l.Helper()
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	require.NoError(l, err)
	resp, err := http.Post(l.URL(), "application/json", bytes.NewReader(body))
	require.NoError(l, err)
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		Result json.RawMessage
		Error  *struct{ Message string }
	}
	require.NoError(l, json.NewDecoder(resp.Body).Decode(&answer))
	require.Nil(l, answer.Error, "%s: %+v", method, answer.Error)
	require.NoError(l, json.Unmarshal(answer.Result, out))
}

func (l *lab) hash() solana.Hash {
	l.Helper()
	var out struct{ Value struct{ Blockhash string } }
	l.ask(&out, "getLatestBlockhash", map[string]any{"commitment": "processed"})
	return solana.MustHashFromBase58(out.Value.Blockhash)
}

func (l *lab) rent(size int) (lamports uint64) {
	l.Helper()
	l.ask(&lamports, "getMinimumBalanceForRentExemption", size)
	return lamports
}

// outcome is what the runtime made of a transaction.
type outcome struct {
	Err                       json.RawMessage
	Fee, ComputeUnitsConsumed uint64
}

func (o outcome) failed() bool { return len(o.Err) > 0 && string(o.Err) != "null" }

// run executes a signed transaction in a block of its own. It returns false if the node did not take it into a block.
func (l *lab) run(raw []byte) (outcome, bool) {
	l.Helper()
	id, err := spl.TxID(raw)
	require.NoError(l, err)
	var sent string
	l.ask(&sent, "sendTransaction", base64.StdEncoding.EncodeToString(raw), map[string]any{"encoding": "base64", "skipPreflight": true})
	require.Equal(l, id, sent)
	require.NoError(l, l.Advance(l.Context(), 1))
	var out *struct{ Meta outcome }
	l.ask(&out, "getTransaction", id, map[string]any{"commitment": "confirmed", "maxSupportedTransactionVersion": 1, "encoding": "base64"})
	if out == nil {
		return outcome{}, false
	}
	return out.Meta, true
}

// message signs and runs instructions in a format, and requires that they succeed.
func (l *lab) message(f spl.Format, instructions ...spl.Instruction) outcome {
	l.Helper()
	raw, err := new(spl.Encoder).AppendMessage(nil, &spl.Message{
		Format: f, Payer: keyOf("payer"), Blockhash: l.hash(), ComputeUnits: 1_400_000, Loaded: 1 << 20, Instructions: instructions,
	})
	require.NoError(l, err)
	require.NoError(l, l.ring.Sign(l.Context(), raw))
	out, ok := l.run(raw)
	require.True(l, ok)
	require.False(l, out.failed(), "%s", out.Err)
	return out
}

// account returns where an owner's tokens are.
func (l *lab) account(owner solana.PublicKey) solana.PublicKey {
	l.Helper()
	at, _, err := solana.FindProgramAddress([][]byte{owner[:], l.program[:], l.mint[:]}, solana.SPLAssociatedTokenAccountProgramID)
	require.NoError(l, err)
	return at
}

// create returns the instruction that makes an owner's token account.
func (l *lab) create(owner solana.PublicKey) spl.Instruction {
	l.Helper()
	in, err := spl.FromSolana(associated.NewCreateIdempotentInstruction(keyOf("payer"), owner, l.mint).Build())
	require.NoError(l, err)
	in.Accounts[1].Key, in.Accounts[5].Key = l.account(owner), l.program // the builder knows SPL Token alone
	return in
}

// open makes token accounts, 12 a transaction, and returns them.
func (l *lab) open(owners ...solana.PublicKey) []solana.PublicKey {
	l.Helper()
	var list []spl.Instruction
	var out []solana.PublicKey
	for i, o := range owners {
		list = append(list, l.create(o))
		out = append(out, l.account(o))
		if len(list) == 12 || i == len(owners)-1 {
			l.message(spl.V1, list...)
			list = nil
		}
	}
	return out
}

// endow mints units to an owner, whose account is made if need be, and returns it.
func (l *lab) endow(owner solana.PublicKey, units uint64) solana.PublicKey {
	l.Helper()
	out := l.open(owner)[0]
	require.NoError(l, l.MintTo(l.Context(), svmtest.Key("payer"), l.token, settlement.Account(owner.String()), units))
	return out
}

// held returns the units of an owner.
func (l *lab) held(owner solana.PublicKey) uint64 {
	l.Helper()
	units, err := l.Balance(l.Context(), l.token, settlement.Account(owner.String()))
	require.NoError(l, err)
	return units
}

// mark returns a marker that was not used before.
func (l *lab) mark() spl.Mark {
	l.Helper()
	l.marks++
	m := spl.Mark{Seed: fmt.Sprintf("%032d", l.marks), Lamports: l.rent(0)}
	var err error
	m.Address, err = solana.CreateWithSeed(keyOf("payer"), m.Seed, solana.SystemProgramID)
	require.NoError(l, err)
	return m
}

// real gives a payout of the tests' shapes addresses that exist here.
func (l *lab) real(p *spl.Payout, source solana.PublicKey, to []solana.PublicKey) {
	l.Helper()
	p.Blockhash, p.Source, p.Mint, p.Program = l.hash(), source, l.mint, l.program
	for i := range p.Lines {
		p.Lines[i].To = to[i]
	}
	if p.Marker.Address != (solana.PublicKey{}) {
		p.Marker = l.mark()
	}
}

// TestLargestPayoutsRun executes the largest payout of each way, and compares its fee, compute units and cost with what was said.
func TestLargestPayoutsRun(t *testing.T) {
	l := newLab(t)
	own, vault := l.endow(keyOf("payer"), 1e9), l.endow(keyOf("owner"), 1e9)
	var owners []solana.PublicKey
	for i := range 64 {
		owners = append(owners, keyOf(fmt.Sprint("recipient ", i)))
	}
	to := l.open(owners...)
	table := l.table(append([]solana.PublicKey{own, l.mint}, to...)...)
	want := make([]uint64, len(to))
	for _, row := range []struct {
		name  string
		shape spl.Shape
		lines int
		units uint64 // compute units, 0: not fixed
		fee   uint64
	}{
		{"v1, marker", spl.Shape{Format: spl.V1, Marker: true}, 59, 4634, 5000},
		{"v1, marker, other owner", spl.Shape{Format: spl.V1, Marker: true, Owner: true}, 58, 4558, 10_000},
		{"v1, memo", spl.Shape{Format: spl.V1, Memo: 41}, 60, 0, 5000},
		{"v1 bare", spl.Shape{Format: spl.V1}, 61, 4636, 5000},
		{"v1 bare, priority", spl.Shape{Format: spl.V1, Priority: true}, 61, 4636, 1_005_000},
		{"v1, marker, checked", spl.Shape{Format: spl.V1, Marker: true, Checked: true}, 58, 150 + 58*105, 5000},
		{"v1, marker, batch", spl.Shape{Format: spl.V1, Marker: true, Batch: true}, 59, 0, 5000},
		{"v1 bare, batch", spl.Shape{Format: spl.V1, Batch: true}, 61, 0, 5000},
		{"v0, memo", spl.Shape{Format: spl.V0, ComputeUnits: true, Memo: 10}, 20, 0, 5000},
		{"v0, marker", spl.Shape{Format: spl.V0, ComputeUnits: true, Marker: true}, 17, 0, 5000},
		{"v0, table, memo", spl.Shape{Format: spl.V0, Table: true, ComputeUnits: true, Memo: 10}, 57, 0, 5000},
		{"v0, table with the source, memo", spl.Shape{Format: spl.V0, Table: true, TableSource: true, ComputeUnits: true, Memo: 10}, 59, 0, 5000},
		{"v0, table, batch, memo", spl.Shape{Format: spl.V0, Table: true, Batch: true, Memo: 10}, 60, 0, 5000},
		{"v0, table with source and mint, marker, checked, priority", spl.Shape{
			Format: spl.V0, Table: true, TableSource: true, Marker: true, Checked: true, ComputeUnits: true, Priority: true,
		}, 43, 0, 1_005_000},
		{"legacy, memo", spl.Shape{Format: spl.Legacy, ComputeUnits: true, Memo: 41}, 19, 0, 5000},
		{"legacy bare", spl.Shape{Format: spl.Legacy}, 22, 22 * 76, 5000},
		{"legacy, marker, priority", spl.Shape{Format: spl.Legacy, ComputeUnits: true, Loaded: true, Priority: true, Marker: true}, 16, 0, 1_005_000},
	} {
		require.Equal(t, row.lines, row.shape.MaxLines(), row.name)
		p, from := shaped(row.shape, row.lines), own
		if row.shape.Owner {
			from = vault
		}
		l.real(p, from, to)
		if row.shape.Table {
			p.Table = table
			if !row.shape.TableSource {
				p.Table = l.table(to...)
			}
		}
		for i, line := range p.Lines {
			want[i] += line.Units
		}
		raw, err := new(spl.Encoder).AppendPayout(nil, p)
		require.NoError(t, err, row.name)
		require.NoError(t, l.ring.Sign(t.Context(), raw))
		out, ok := l.run(raw)
		require.True(t, ok, row.name)
		require.False(t, out.failed(), "%s: %s", row.name, out.Err)
		require.Equal(t, row.fee, out.Fee, row.name)
		if row.units > 0 {
			require.Equal(t, row.units, out.ComputeUnitsConsumed, row.name)
		}
		t.Logf("%s: %d lines, %d bytes, %d units, %d lamports", row.name, row.lines, len(raw), out.ComputeUnitsConsumed, out.Fee)
		cost, err := row.shape.Cost(uint64(row.lines), p.Priority, p.Marker.Lamports)
		require.NoError(t, err)
		require.Equal(t, out.Fee, cost.Fees, row.name)
		require.Equal(t, p.Marker.Lamports, cost.Float, row.name)
	}
	var all uint64
	for i, o := range owners {
		require.Equal(t, want[i], l.held(o))
		all += want[i]
	}
	require.Equal(t, 2e9, float64(all+l.held(keyOf("payer"))+l.held(keyOf("owner"))))
}

// table makes a lookup table that can be used in the next block.
func (l *lab) table(entries ...solana.PublicKey) *spl.Table {
	l.Helper()
	var slot uint64
	l.ask(&slot, "getSlot", map[string]any{"commitment": "processed"})
	at, create, err := spl.CreateTable(keyOf("payer"), keyOf("payer"), slot-1)
	require.NoError(l, err)
	l.message(spl.V1, create)
	for part := range slices.Chunk(entries, 114) {
		l.message(spl.V1, spl.ExtendTable(at, keyOf("payer"), keyOf("payer"), part)...)
	}
	owner, data := l.state(at)
	t, err := spl.ReadTable(at, owner, data)
	require.NoError(l, err)
	return t
}

// TestSecondMarkerFails executes two attempts with one marker, and a seal.
func TestSecondMarkerFails(t *testing.T) {
	l := newLab(t)
	own := l.endow(keyOf("payer"), 100)
	to := l.open(keyOf("ann"))
	for _, f := range []spl.Format{spl.V1, spl.V0, spl.Legacy} {
		p := shaped(spl.Shape{Format: f, Marker: true, ComputeUnits: true}, 1)
		l.real(p, own, to)
		before := l.held(keyOf("ann"))
		for i := range 3 {
			p.Blockhash = l.hash()
			if i == 2 {
				p.Lines = nil
			}
			raw, err := new(spl.Encoder).AppendPayout(nil, p)
			require.NoError(t, err)
			require.NoError(t, l.ring.Sign(t.Context(), raw))
			out, ok := l.run(raw)
			require.True(t, ok)
			if i == 0 {
				require.False(t, out.failed(), "%s", out.Err)
				continue
			}
			require.JSONEq(t, `{"InstructionError":[0,{"Custom":0}]}`, string(out.Err))
		}
		require.Equal(t, before+1, l.held(keyOf("ann")))
		p.Marker, p.Blockhash = l.mark(), l.hash()
		raw, err := new(spl.Encoder).AppendPayout(nil, p)
		require.NoError(t, err)
		require.NoError(t, l.ring.Sign(t.Context(), raw))
		out, _ := l.run(raw)
		require.False(t, out.failed(), "a seal: %s", out.Err)
	}
}

// TestMixedRuns compares the formula for creations among payments with the runtime.
func TestMixedRuns(t *testing.T) {
	for _, program := range []solana.PublicKey{solana.TokenProgramID, solana.Token2022ProgramID} {
		mixedRuns(t, newLabOf(t, program))
	}
	require.Equal(t, 59, spl.Mixed(0, false))
	require.Equal(t, 33, spl.Mixed(12, true))
	require.Equal(t, 3, spl.Mixed(10, false))
	require.Equal(t, -1, spl.Mixed(13, true))
	require.Equal(t, -1, spl.Mixed(-1, true))
}

func mixedRuns(t *testing.T, l *lab) {
	t.Helper()
	own := l.endow(keyOf("payer"), 1e9)
	var owners []solana.PublicKey
	for i := range 64 {
		owners = append(owners, keyOf(fmt.Sprint("old ", i)))
	}
	to := l.open(owners...)
	fresh := 0
	try := func(creations, old int, batch bool) bool {
		m := l.mark()
		msg := &spl.Message{
			Format: spl.V1, Payer: keyOf("payer"), Blockhash: l.hash(), ComputeUnits: 1_400_000, Loaded: 1 << 20,
			Instructions: []spl.Instruction{m.Instruction(keyOf("payer"))},
		}
		all := append([]solana.PublicKey(nil), to[:old]...)
		for i := range creations {
			owner := keyOf(fmt.Sprint("new ", fresh+i))
			msg.Instructions = append(msg.Instructions, l.create(owner))
			all = append(all, l.account(owner))
		}
		p := &spl.Payout{Payer: keyOf("payer"), Owner: keyOf("payer"), Source: own, Program: l.program, Batch: batch}
		for _, k := range all {
			p.Lines = append(p.Lines, spl.Transfer{To: k, Units: 1})
		}
		for _, in := range expected(p) {
			x, err := spl.FromSolana(in)
			require.NoError(t, err)
			msg.Instructions = append(msg.Instructions, x)
		}
		raw, err := new(spl.Encoder).AppendMessage(nil, msg)
		if err != nil {
			return false
		}
		require.NoError(t, l.ring.Sign(t.Context(), raw))
		out, ok := l.run(raw)
		if ok && !out.failed() {
			fresh += creations
		}
		return ok && !out.failed()
	}
	for creations := range 14 {
		for _, batch := range []bool{false, true} {
			if batch && l.program != solana.TokenProgramID {
				continue // which Token-2022 does not know
			}
			n := spl.Mixed(creations, batch)
			if n >= 0 {
				require.True(t, try(creations, n, batch), "%d creations, %d others, batch %t", creations, n, batch)
			}
			if n < len(to) {
				require.False(t, try(creations, n+1, batch), "%d creations, %d others, batch %t", creations, n+1, batch)
			}
		}
	}
}
