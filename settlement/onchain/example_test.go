package onchain_test

import (
	"bytes"
	"fmt"

	"github.com/idlegrid/idlegrid/settlement/onchain"
)

func ExampleNewTree() {
	ann, bob := onchain.Address{1}, onchain.Address{2}
	tree, err := onchain.NewTree([]onchain.Entry{{Account: ann, Total: 1000}, {Account: bob, Total: 500}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d leaves, depth %d, sum %d, root %x\n", tree.Len(), tree.Depth(), tree.Sum(), tree.Root())
	_, err = onchain.NewTree([]onchain.Entry{{Account: ann}, {Account: ann}})
	fmt.Println(err != nil)
	// Output:
	// 2 leaves, depth 1, sum 1500, root e5ac6748fd357f8b94f71c74f05dec13d5332bf5c1512a6c1efeaffc7b066849
	// true
}

func ExampleTree() {
	ann, bob := onchain.Address{1}, onchain.Address{2}
	hour1, err1 := onchain.NewTree([]onchain.Entry{{Account: ann, Total: 1000}})
	hour2, err2 := onchain.NewTree([]onchain.Entry{{Account: ann, Total: 2500}, {Account: bob, Total: 1}})
	if err1 != nil || err2 != nil {
		fmt.Println(err1, err2)
		return
	}
	fmt.Println(hour2.Follows(hour1), hour1.Follows(hour2))
	proof, err := hour2.Proof(0)
	fmt.Println(len(proof), err, hour2.Entry(0).Total)
	// Output:
	// <nil> onchain: tree: 1 entries, the earlier one has 2
	// 1 <nil> 2500
}

func ExampleVerify() {
	tree, err := onchain.NewTree([]onchain.Entry{{Account: onchain.Address{1}, Total: 10}, {Account: onchain.Address{2}, Total: 20}})
	if err != nil {
		fmt.Println(err)
		return
	}
	proof, err := tree.Proof(1)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(onchain.Verify(tree.Root(), 1, tree.Entry(1), proof))
	fmt.Println(onchain.Verify(tree.Root(), 1, onchain.Entry{Account: onchain.Address{2}, Total: 21}, proof))
	// Output:
	// true
	// false
}

func ExampleDistributor() {
	d := onchain.Distributor{Program: onchain.Address{1}, State: onchain.Address{2}, Ledger: onchain.Address{3}, Vault: onchain.Address{4}}
	authority, guardian := onchain.Address{5}, onchain.Address{6}
	tree, err := onchain.NewTree([]onchain.Entry{{Account: onchain.Address{7}, Total: 1000}})
	if err != nil {
		fmt.Println(err)
		return
	}
	proof, err := tree.Proof(0)
	if err != nil {
		fmt.Println(err)
		return
	}
	begin, err := d.Initialize(onchain.Settings{Authority: authority, Guardian: guardian, Delay: 9000, Cap: 1_000_000})
	fmt.Println(len(begin.Accounts), len(begin.Data), err)
	root, err := d.SetRoot(authority, onchain.Root{Epoch: 1, Sum: tree.Sum(), Hash: tree.Root()})
	fmt.Println(len(root.Accounts), len(root.Data), err)
	claim, err := d.Claim(0, tree.Entry(0), proof)
	fmt.Println(len(claim.Accounts), len(claim.Data), err)
	fmt.Println(len(d.Pause(guardian).Accounts), len(d.Resume(authority, guardian).Accounts))
	// Output:
	// 5 32 <nil>
	// 2 56 <nil>
	// 6 16 <nil>
	// 2 3
}

func ExampleDecodeState() {
	_, err := onchain.DecodeState(make([]byte, onchain.StateSize))
	fmt.Println(err)
	// Output: onchain: state: it begins with "\x00\x00\x00\x00\x00\x00\x00\x00", want "idgstate": it is not initialized
}

func ExampleDecodeLedger() {
	data := append([]byte("idgledgr"), make([]byte, 32)...) // of a state of zeros
	data = append(data, 0xe8, 0x03, 0, 0, 0, 0, 0, 0)       // index 0 was paid 1,000
	ledger, err := onchain.DecodeLedger(data)
	fmt.Println(ledger.Paid, err)
	// Output: [1000] <nil>
}

func ExampleLedger() {
	ledger := onchain.Ledger{Paid: []uint64{1000}}
	fmt.Println(ledger.Due(0, onchain.Entry{Total: 2500}), ledger.Due(0, onchain.Entry{Total: 900}), ledger.Due(1, onchain.Entry{Total: 5}))
	// Output: 1500 0 0
}

func ExampleLedgerSize() {
	fmt.Println(onchain.LedgerSize(10_000))
	// Output: 80040 <nil>
}

func ExampleVaultAuthority() {
	address, bump := onchain.VaultAuthority(onchain.Address{1}, onchain.Address{2})
	fmt.Printf("%x… %d\n", address[:4], bump)
	// Output: 306b4bd4… 255
}

func ExampleTokenProgram() {
	a := onchain.TokenProgram()
	fmt.Printf("%x\n", a[:4])
	// Output: 06ddf6e1
}

func ExampleProgram() {
	program := onchain.Program()
	fmt.Println(bytes.HasPrefix(program, []byte("\x7fELF")), len(program) <= 8000)
	// Output: true true
}

func ExampleCode() {
	fmt.Println(onchain.NothingDue, uint32(onchain.NothingDue))
	// Output: nothing due 19
}

// Instructions, roots and the rest are plain data.
func ExampleInstruction() {
	in := onchain.Instruction{Program: onchain.Address{1}, Accounts: []onchain.Meta{{Address: onchain.Address{2}, Writable: true}}, Data: []byte{3}}
	state := onchain.State{Active: onchain.Root{Epoch: 1, Hash: onchain.Hash{4}}}
	fmt.Println(len(in.Accounts), in.Data, state.Active.Epoch, onchain.Proof{} == nil)
	// Output: 1 [3] 1 false
}
