package spl_test

import (
	"context"
	"fmt"

	"github.com/gagliardetto/solana-go"
	"github.com/gagliardetto/solana-go/programs/memo"

	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// Two lines with a marker, built and signed into one buffer.
func ExampleEncoder() {
	ctx := context.Background()
	payer, err := spl.NewKey(svmtest.Key("payer"))
	if err != nil {
		fmt.Println(err)
		return
	}
	ring, _ := spl.NewKeyring(payer)
	p := spl.Payout{
		Format: spl.V1, Payer: keyOf("payer"), Owner: keyOf("payer"), Source: keyOf("source"), Program: solana.TokenProgramID,
		Marker:    spl.Mark{Address: keyOf("marker"), Seed: "3f0c", Lamports: 650_240},
		Blockhash: solana.Hash{1}, ComputeUnits: 1000, Loaded: 1 << 20,
		Lines: []spl.Transfer{{To: keyOf("ann"), Units: 500}, {To: keyOf("bob"), Units: 400}},
	}
	var e spl.Encoder
	tx, err := e.AppendPayout(make([]byte, 0, p.Format.MaxBytes()), &p)
	fmt.Println(len(tx), "bytes,", err)
	fmt.Println(ring.Sign(ctx, tx), spl.VerifyTx(tx))
	// Output:
	// 472 bytes, <nil>
	// <nil> <nil>
}

func ExampleEncoder_AppendMessage() {
	m := spl.Message{
		Format: spl.Legacy, Payer: keyOf("payer"),
		Instructions: []spl.Instruction{{Program: solana.MemoProgramID, Data: []byte("hello")}},
	}
	var e spl.Encoder
	tx, err := e.AppendMessage(nil, &m)
	fmt.Println(len(tx), "bytes,", err)
	m.Format = spl.V1
	_, err = e.AppendMessage(nil, &m)
	fmt.Println(err)
	// Output:
	// 174 bytes, <nil>
	// spl: Message.ComputeUnits is 0 and Loaded is 0: version 1 grants nothing that is not asked for
}

// The instruction that failed names the line.
func ExamplePayout() {
	p := spl.Payout{Nonce: spl.Advance{Account: keyOf("nonce")}, Marker: spl.Mark{Address: keyOf("marker")}, Memo: "7/0/12"}
	const failed = 5
	fmt.Println("marker", p.MarkerIndex(), "line", failed-p.FirstLine())
	// Output: marker 1 line 2
}

func ExampleFormat() {
	for _, f := range []spl.Format{spl.V1, spl.V0, spl.Legacy} {
		fmt.Println(f, f.MaxBytes(), f.MaxReclaims())
	}
	// Output:
	// v1 4096 31
	// v0 1232 8
	// legacy 1232 8
}

// How many lines fit, and what 10,000 payouts cost.
func ExampleShape() {
	for _, s := range []spl.Shape{{Format: spl.V1, Memo: 6}, {Format: spl.V1, Marker: true}, {Format: spl.Legacy, Marker: true}} {
		n := s.MaxLines()
		c, err := s.Cost(10_000, 0, 650_240)
		fmt.Println(s.Format, n, "lines,", s.Bytes(n), "bytes,", c.Transactions, "transactions,", c.MilliPerPayout(), "thousandths,", err)
	}
	// Output:
	// v1 60 lines, 3132 bytes, 167 transactions, 83500 thousandths, <nil>
	// v1 59 lines, 3236 bytes, 170 transactions, 88000 thousandths, <nil>
	// legacy 17 lines, 1190 bytes, 589 transactions, 331500 thousandths, <nil>
}

func ExampleCost() {
	c, _ := spl.Shape{Format: spl.V1, Marker: true}.Cost(59, 1000, 650_240)
	fmt.Println(c.Fees, "+", c.ReclaimFees, "=", c.Total(), "lamports, and", c.Float, "come back;", c.MilliPerPayout(), "thousandths each")
	// Output: 6000 + 5000 = 11000 lamports, and 650240 come back; 186441 thousandths each
}

func ExampleMixed() {
	for _, creations := range []int{0, 1, 10, 11, 12} {
		fmt.Println(creations, "new:", spl.Mixed(creations, false), "others, in a batch", spl.Mixed(creations, true))
	}
	// Output:
	// 0 new: 59 others, in a batch 59
	// 1 new: 55 others, in a batch 55
	// 10 new: 3 others, in a batch 37
	// 11 new: -1 others, in a batch 35
	// 12 new: -1 others, in a batch 33
}

// A fee from what others have paid lately: three of four blocks would have let it in, and it is never more than 10,000 lamports.
func ExamplePriorityFee() {
	price, err := spl.Percentile([]uint64{0, 2_000_000, 50_000, 900_000}, 75)
	fmt.Println(price, err, spl.PriorityFee(price, 4634, 10_000), spl.PriorityFee(1<<40, 4634, 10_000))
	// Output: 900000 <nil> 4171 10000
}

func ExamplePercentile() {
	median, err := spl.Percentile([]uint64{9, 1, 5}, 50)
	fmt.Println(median, err)
	// Output: 5 <nil>
}

func ExampleFromSolana() {
	in, err := spl.FromSolana(memo.NewMemoInstruction([]byte("hello")).Build())
	fmt.Println(string(in.Data), err, in.Instruction().ProgramID() == solana.MemoProgramID)
	// Output: hello <nil> true
}

func ExampleInstruction() {
	in := spl.Instruction{Program: solana.MemoProgramID, Accounts: []spl.Meta{{Key: keyOf("ann"), Signer: true}}, Data: []byte("hello")}
	metas := in.Instruction().Accounts()
	fmt.Println(metas[0].IsSigner, metas[0].IsWritable)
	// Output: true false
}

func ExampleMark() {
	m := spl.Mark{Address: keyOf("marker"), Seed: "3f0c", Lamports: 650_240}
	in := m.Instruction(keyOf("payer"))
	fmt.Println(in.Program, len(in.Accounts), "accounts,", len(in.Data), "bytes")
	// Output: 11111111111111111111111111111111 2 accounts, 96 bytes
}

func ExampleTxID() {
	var e spl.Encoder
	tx, _ := e.AppendPayout(nil, shaped(spl.Shape{Format: spl.V1}, 1))
	_, err := spl.TxID(tx)
	fmt.Println(err)
	payer, _ := spl.NewKey(svmtest.Key("payer"))
	ring, _ := spl.NewKeyring(payer)
	fmt.Println(ring.Sign(context.Background(), tx))
	id, err := spl.TxID(tx)
	fmt.Println(len(id) > 80, err)
	// Output:
	// spl: wrong signature of "69hcN7WL2JFS2xsqMwMSDQGk1nUhkbvkBCq6hMYxmEbz": it is missing
	// <nil>
	// true <nil>
}

func ExampleVerifyTx() {
	var e spl.Encoder
	tx, _ := e.AppendPayout(nil, shaped(spl.Shape{Format: spl.V1}, 1))
	fmt.Println(spl.VerifyTx(tx))
	// Output: spl: wrong signature of "69hcN7WL2JFS2xsqMwMSDQGk1nUhkbvkBCq6hMYxmEbz"
}

func ExampleProbe() {
	ctx := context.Background()
	node, err := svmtest.Start(ctx, svmtest.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = node.Close() }()
	payer, _ := spl.NewKey(svmtest.Key("payer"))
	c := spl.Config{URL: node.URL(), Payer: payer}
	c.Format, err = spl.Probe(ctx, c)
	fmt.Println(c.Format, err)
	chain, err := spl.New(c)
	if err != nil {
		fmt.Println(err)
		return
	}
	prices, err := chain.RecentPrices(ctx, payer.PublicKey())
	fmt.Println(len(prices) > 0, err)
	// Output:
	// v1 <nil>
	// true <nil>
}
