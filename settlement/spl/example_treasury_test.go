package spl_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/gagliardetto/solana-go"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

// Nothing that prints a key shows it.
func ExampleKey() {
	k, err := spl.NewKey(svmtest.Key("payer"))
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := json.Marshal(k)
	fmt.Printf("%v %s %v\n", *k, text, err)
	_, err = k.Sign(context.Background(), []byte("message"))
	fmt.Println(k.PublicKey(), err)
	// Output:
	// spl.Key(69hcN7WL2JFS2xsqMwMSDQGk1nUhkbvkBCq6hMYxmEbz) "69hcN7WL2JFS2xsqMwMSDQGk1nUhkbvkBCq6hMYxmEbz" <nil>
	// 69hcN7WL2JFS2xsqMwMSDQGk1nUhkbvkBCq6hMYxmEbz <nil>
}

func ExampleNewKey() {
	_, err := spl.NewKey(nil)
	fmt.Println(err)
	// Output: spl: a private key of 0 bytes, want 64
}

func ExampleLoadKey() {
	dir, err := os.MkdirTemp("", "keys")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "id.json")
	_ = os.WriteFile(path, []byte("["+numbers(svmtest.Key("payer"))+"]"), 0o600)
	k, err := spl.LoadKey(path)
	fmt.Println(k, err)
	_ = os.Chmod(path, 0o644)
	_, err = spl.LoadKey(path)
	fmt.Println(errors.Is(err, spl.ErrKeyMode) || runtime.GOOS == "windows")
	// Output:
	// spl.Key(69hcN7WL2JFS2xsqMwMSDQGk1nUhkbvkBCq6hMYxmEbz) <nil>
	// true
}

func ExampleKeyring() {
	k, _ := spl.NewKey(svmtest.Key("payer"))
	ring, err := spl.NewKeyring(k)
	fmt.Println(err, ring.Has(keyOf("payer")), ring.Has(keyOf("ann")))
	var e spl.Encoder
	tx, _ := e.AppendPayout(nil, shaped(spl.Shape{Format: spl.V1, Owner: true}, 1))
	fmt.Println(errors.Is(ring.Sign(context.Background(), tx), spl.ErrNoSigner))
	// Output:
	// <nil> true false
	// true
}

func ExampleNewKeyring() {
	_, err := spl.NewKeyring(nil)
	fmt.Println(err)
	// Output: spl: signer 0 is nil
}

// A command that asks a KMS.
func ExampleProcess() {
	p, err := spl.NewProcess(spl.ProcessConfig{
		Account: "69hcN7WL2JFS2xsqMwMSDQGk1nUhkbvkBCq6hMYxmEbz",
		Argv:    []string{"/nonexistent/kms-sign", "--key", "payouts"},
	})
	fmt.Println(p.PublicKey(), err)
	fmt.Println(p.String(), p.GoString() == p.String()) // without the arguments, which may name a secret
	_, err = p.Sign(context.Background(), []byte("message"))
	fmt.Println(errors.Is(err, os.ErrNotExist))
	// Output:
	// 69hcN7WL2JFS2xsqMwMSDQGk1nUhkbvkBCq6hMYxmEbz <nil>
	// spl.Process(69hcN7WL2JFS2xsqMwMSDQGk1nUhkbvkBCq6hMYxmEbz) true
	// true
}

func ExampleNewProcess() {
	_, err := spl.NewProcess(spl.ProcessConfig{Account: "69hcN7WL2JFS2xsqMwMSDQGk1nUhkbvkBCq6hMYxmEbz"})
	fmt.Println(err)
	// Output: spl: ProcessConfig.Argv is empty, want a command
}

// A signer that lets 100 units go in a transaction, whatever the planner says.
func ExampleLimited() {
	k, _ := spl.NewKey(svmtest.Key("payer"))
	limited, err := spl.NewLimited(k, spl.LimitedConfig{
		Programs:      []settlement.Account{settlement.Account(solana.TokenProgramID.String())},
		Caps:          []spl.Cap{{Mint: "IO", Sources: []settlement.Account{settlement.Account(keyOf("source").String())}, MaxTx: 100, Max: 1000}},
		MaxTxLamports: 10_000, MaxLamports: 100_000, Window: time.Hour, Now: time.Now,
	})
	fmt.Println(limited.PublicKey() == k.PublicKey(), err)
	ring, _ := spl.NewKeyring(limited)
	p := shaped(spl.Shape{Format: spl.V1}, 1)
	for _, units := range []uint64{100, 101} {
		p.Lines[0].Units = units
		var e spl.Encoder
		tx, _ := e.AppendPayout(nil, p)
		err := ring.Sign(context.Background(), tx)
		fmt.Println(err == nil, errors.Is(err, spl.ErrLimited))
	}
	_, err = limited.Sign(context.Background(), []byte("anything else"))
	fmt.Println(err)
	// Output:
	// true <nil>
	// true false
	// false true
	// spl: beyond the signer's limits: 13 bytes that are no message
}

func ExampleNewLimited() {
	k, _ := spl.NewKey(svmtest.Key("payer"))
	_, err := spl.NewLimited(k, spl.LimitedConfig{})
	fmt.Println(err)
	// Output: spl: LimitedConfig.Window is 0s, want more than 0, and Now must be given
}

// Two members sign one transaction, one after the other.
func ExamplePartial() {
	ctx := context.Background()
	var e spl.Encoder
	tx, _ := e.AppendPayout(nil, shaped(spl.Shape{Format: spl.V1, Members: 2, PayerMember: true}, 3))
	part, err := spl.NewPartial(tx)
	fmt.Println(len(part.Missing()), "missing,", err)
	first, _ := spl.NewKey(svmtest.Key("payer"))
	fmt.Println(part.Sign(ctx, first))

	text, _ := part.MarshalText() // by mail to the second member
	other := new(spl.Partial)
	fmt.Println(other.UnmarshalText(text))
	second, _ := spl.NewKey(svmtest.Key("m1"))
	signature, _ := second.Sign(ctx, other.Message())
	fmt.Println(other.Add(keyOf("m1"), signature))
	fmt.Println(part.Merge(other))
	tx, err = part.Tx()
	fmt.Println(spl.VerifyTx(tx), err)
	// Output:
	// 2 missing, <nil>
	// <nil>
	// <nil>
	// <nil>
	// <nil>
	// <nil> <nil>
}

func ExampleNewPartial() {
	_, err := spl.NewPartial([]byte{1, 2, 3})
	fmt.Println(err)
	// Output: spl: no transaction: 3 bytes with 1 signatures
}

func ExampleMultisig() {
	m := spl.Multisig{Need: 3, Members: []solana.PublicKey{keyOf("ann"), keyOf("bob")}}
	fmt.Println(m.Validate())
	// Output: spl: Multisig.Need is 3, want 1 to 2, the number of members
}

func ExampleCreateMultisig() {
	m := spl.Multisig{Need: 2, Members: []solana.PublicKey{keyOf("ann"), keyOf("bob"), keyOf("eve")}}
	list, err := spl.CreateMultisig(keyOf("payer"), keyOf("treasury"), solana.TokenProgramID, m, 2_453_640)
	fmt.Println(len(list), "instructions,", len(list[1].Accounts), "accounts,", err)
	// Output: 2 instructions, 4 accounts, <nil>
}

func ExampleReadMultisig() {
	_, err := spl.ReadMultisig(solana.TokenProgramID, nil)
	fmt.Println(err)
	// Output: spl: no multisig account: 0 bytes of "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"
}

// A nonce is used by one attempt at a time.
func ExampleNonceLane() {
	lane := spl.NewNonceLane(spl.Advance{Account: keyOf("nonce"), Authority: keyOf("payer")}, solana.Hash{1})
	at, value, err := lane.Take()
	fmt.Println(at.Account == keyOf("nonce"), value == solana.Hash{1}, err)
	_, _, err = lane.Take()
	fmt.Println(errors.Is(err, settlement.ErrLater))
	fmt.Println(lane.Seen(solana.Hash{1}), lane.Seen(solana.Hash{2}))
	fmt.Println(lane.Nonce().Value)
	// Output:
	// true true <nil>
	// true
	// false true
	// 8opHzTAnfzRpPEx21XtnrVTX28YQuCpAjcn1PczScKh
}

func ExampleNewNonceLane() {
	lane := spl.NewNonceLane(spl.Advance{Account: keyOf("nonce"), Authority: keyOf("payer")}, solana.Hash{})
	fmt.Println(lane.Nonce().Value)
	// Output: 11111111111111111111111111111111
}

func ExampleAdvance() {
	in := spl.Advance{Account: keyOf("nonce"), Authority: keyOf("payer")}.Instruction()
	fmt.Println(in.Data, in.Accounts[2].Signer)
	// Output: [4 0 0 0] true
}

func ExampleCreateNonce() {
	list := spl.CreateNonce(keyOf("payer"), keyOf("nonce"), keyOf("cold"), 1_056_640)
	fmt.Println(len(list), "instructions, the new account signs:", list[0].Accounts[1].Signer)
	// Output: 2 instructions, the new account signs: true
}

func ExampleAuthorizeNonce() {
	in := spl.AuthorizeNonce(spl.Advance{Account: keyOf("nonce"), Authority: keyOf("payer")}, keyOf("cold"))
	fmt.Println(in.Data[0], len(in.Data))
	// Output: 7 36
}

func ExampleWithdrawNonce() {
	in := spl.WithdrawNonce(spl.Advance{Account: keyOf("nonce"), Authority: keyOf("payer")}, keyOf("payer"), 1)
	fmt.Println(in.Data)
	// Output: [5 0 0 0 1 0 0 0 0 0 0 0]
}

func ExampleReadNonce() {
	_, _, err := spl.ReadNonce(solana.SystemProgramID, nil)
	fmt.Println(err)
	// Output: spl: no nonce account: 0 bytes of "11111111111111111111111111111111"
}

// With the recipients in a table, version 0 carries 57 lines instead of 20.
func ExampleTable() {
	p := shaped(spl.Shape{Format: spl.V0, ComputeUnits: true, Memo: 10}, 57)
	var list []solana.PublicKey
	for _, l := range p.Lines {
		list = append(list, l.To)
	}
	var e spl.Encoder
	_, err := e.AppendPayout(nil, p)
	fmt.Println(err)
	p.Table, err = spl.NewTable(keyOf("table"), list)
	fmt.Println(len(p.Table.Entries()), p.Table.Address() == keyOf("table"), err)
	tx, err := e.AppendPayout(nil, p)
	fmt.Println(len(tx), "bytes", err)
	// Output:
	// spl: Payout needs 2964 bytes, a transaction of format v0 has 1232 at most
	// 57 true <nil>
	// 1231 bytes <nil>
}

func ExampleNewTable() {
	_, err := spl.NewTable(keyOf("table"), nil)
	fmt.Println(err)
	// Output: spl: a lookup table of 0 addresses, want 1 to 256
}

func ExampleCreateTable() {
	at, in, err := spl.CreateTable(keyOf("payer"), keyOf("payer"), 447_120_000)
	fmt.Println(in.Accounts[0].Key == at, len(in.Data), err)
	// Output: true 13 <nil>
}

func ExampleExtendTable() {
	list := spl.ExtendTable(keyOf("table"), keyOf("payer"), keyOf("payer"), make([]solana.PublicKey, 57))
	fmt.Println(len(list), len(list[0].Data), len(list[1].Data))
	// Output: 2 1228 620
}

func ExampleDeactivateTable() {
	fmt.Println(spl.DeactivateTable(keyOf("table"), keyOf("payer")).Data)
	// Output: [3 0 0 0]
}

func ExampleCloseTable() {
	fmt.Println(spl.CloseTable(keyOf("table"), keyOf("payer"), keyOf("payer")).Data)
	// Output: [4 0 0 0]
}

func ExampleReadTable() {
	_, err := spl.ReadTable(keyOf("payer"), solana.SystemProgramID, nil)
	fmt.Println(err)
	// Output: spl: what stands at "69hcN7WL2JFS2xsqMwMSDQGk1nUhkbvkBCq6hMYxmEbz" is no lookup table
}

// A transfer out of a Squads vault: proposed, approved by two, executed.
func ExampleSquads() {
	s := spl.Squads{Program: solana.MustPublicKeyFromBase58(spl.SquadsProgram), Multisig: keyOf("multisig")}
	vault, err := s.Vault(0)
	if err != nil {
		fmt.Println(err)
		return
	}
	what := []spl.Instruction{{
		Program:  solana.TokenProgramID,
		Accounts: []spl.Meta{{Key: keyOf("source"), Writable: true}, {Key: keyOf("to"), Writable: true}, {Key: vault, Signer: true}},
		Data:     []byte{3, 5, 0, 0, 0, 0, 0, 0, 0},
	}}
	propose, err := s.Propose(1, 0, keyOf("ann"), keyOf("payer"), what)
	fmt.Println(len(propose), err)
	approve, err := s.Approve(1, keyOf("bob"))
	proposal, _ := s.Proposal(1)
	fmt.Println(approve.Accounts[2].Key == proposal, err)
	execute, err := s.Execute(1, 0, keyOf("ann"), what)
	transaction, _ := s.Transaction(1)
	fmt.Println(execute.Accounts[2].Key == transaction, len(execute.Accounts), err)

	limit, _ := s.SpendingLimit(keyOf("limit"))
	_, err = s.Spend(spl.Spend{Limit: limit, Member: keyOf("ann")})
	fmt.Println(err)
	// Output:
	// 2 <nil>
	// true <nil>
	// true 8 <nil>
	// spl: Spend.Units is 0
}
