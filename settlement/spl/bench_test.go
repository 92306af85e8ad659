package spl_test

import (
	"testing"

	"github.com/gagliardetto/solana-go"
	"github.com/gagliardetto/solana-go/programs/memo"
	"github.com/gagliardetto/solana-go/programs/token"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// payouts reports how many payouts a second were built and signed.
func payouts(b *testing.B, lines int) {
	b.ReportMetric(float64(lines)*float64(b.N)/b.Elapsed().Seconds(), "payouts/s")
}

// BenchmarkAppendPayout builds and signs the largest payout of each way, in a buffer that is used again.
func BenchmarkAppendPayout(b *testing.B) {
	for _, row := range []struct {
		name  string
		shape spl.Shape
	}{
		{"v1-marker", spl.Shape{Format: spl.V1, Marker: true}},
		{"v1-memo", spl.Shape{Format: spl.V1, Memo: 41}},
		{"v1-marker-batch", spl.Shape{Format: spl.V1, Marker: true, Batch: true}},
		{"v0-table-memo", spl.Shape{Format: spl.V0, Table: true, ComputeUnits: true, Memo: 10}},
		{"legacy-memo", spl.Shape{Format: spl.Legacy, ComputeUnits: true, Memo: 10}},
	} {
		b.Run("format="+row.name, func(b *testing.B) {
			n := row.shape.MaxLines()
			p, ring := shaped(row.shape, n), ringOf(b, "payer")
			var e spl.Encoder
			dst := make([]byte, 0, 4096)
			ctx := b.Context()
			b.ReportAllocs()
			for b.Loop() {
				p.Lines[0].Units++
				raw, err := e.AppendPayout(dst, p)
				if err != nil || ring.Sign(ctx, raw) != nil {
					b.Fatal(err)
				}
			}
			payouts(b, n)
		})
	}
}

// BenchmarkAppendPayoutUnsigned is the same without the signature.
func BenchmarkAppendPayoutUnsigned(b *testing.B) {
	p := shaped(spl.Shape{Format: spl.V1, Marker: true}, 59)
	var e spl.Encoder
	dst := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.AppendPayout(dst, p); err != nil {
			b.Fatal(err)
		}
	}
	payouts(b, 59)
}

// solanaGo builds and signs 60 lines and a memo with solana-go's transactions, from instructions that f makes.
func solanaGo(b *testing.B, f func(p *spl.Payout) []solana.Instruction) {
	p := shaped(spl.Shape{Format: spl.V1, Memo: 41}, 60)
	key := solana.PrivateKey(svmtest.Key("payer"))
	config := solana.TransactionConfig{}.WithComputeUnitLimit(p.ComputeUnits).WithLoadedAccountsDataSizeLimit(p.Loaded)
	b.ReportAllocs()
	var raw []byte
	for b.Loop() {
		p.Lines[0].Units++
		tx, err := solana.NewTransaction(f(p), p.Blockhash, solana.TransactionPayer(p.Payer), solana.TransactionV1Config(config))
		if err != nil {
			b.Fatal(err)
		}
		if _, err = tx.Sign(func(solana.PublicKey) *solana.PrivateKey { return &key }); err != nil {
			b.Fatal(err)
		}
		if raw, err = tx.MarshalBinary(); err != nil {
			b.Fatal(err)
		}
	}
	payouts(b, len(p.Lines))
	require.Len(b, raw, 3167)
}

// BenchmarkSolanaGoBuilders uses solana-go's builders of token instructions.
func BenchmarkSolanaGoBuilders(b *testing.B) {
	solanaGo(b, func(p *spl.Payout) []solana.Instruction {
		out := []solana.Instruction{memo.NewMemoInstruction([]byte(p.Memo)).Build()}
		for _, l := range p.Lines {
			out = append(out, token.NewTransferInstruction(l.Units, p.Source, l.To, p.Owner, nil).Build())
		}
		return out
	})
}

// BenchmarkSolanaGoOwnInstructions uses solana-go's transactions alone: the instructions are ready-made bytes.
func BenchmarkSolanaGoOwnInstructions(b *testing.B) {
	solanaGo(b, func(p *spl.Payout) []solana.Instruction {
		out := make([]solana.Instruction, 0, len(p.Lines)+1)
		out = append(out, solana.NewInstruction(solana.MemoProgramID, nil, []byte(p.Memo)))
		for _, l := range p.Lines {
			d := []byte{3, 0, 0, 0, 0, 0, 0, 0, 0}
			for i := range 8 {
				d[1+i] = byte(l.Units >> (8 * i))
			}
			out = append(out, solana.NewInstruction(solana.TokenProgramID, solana.AccountMetaSlice{
				solana.Meta(p.Source).WRITE(), solana.Meta(l.To).WRITE(), solana.Meta(p.Owner).SIGNER(),
			}, d))
		}
		return out
	})
}
