package svmtest_test

import (
	"context"
	"crypto/ed25519"
	"fmt"

	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

func ExampleNode_Execute() {
	ctx := context.Background()
	node, err := svmtest.Start(ctx, svmtest.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = node.Close() }()
	boss := svmtest.Key("boss")
	if err := node.Airdrop(ctx, svmtest.Address(boss), 1_000_000_000); err != nil {
		fmt.Println(err)
		return
	}
	memo := svmtest.Instruction{Program: "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr", Data: []byte("hello")}
	receipt, err := node.Execute(ctx, []ed25519.PrivateKey{boss}, memo)
	fmt.Println(receipt.Err == "", receipt.Fee, err)
	memo.Data = []byte{0xff} // no UTF-8
	receipt, err = node.Execute(ctx, []ed25519.PrivateKey{boss}, memo)
	fmt.Println(receipt.Err, receipt.Fee, err)
	// Output:
	// true 5000 <nil>
	// {"InstructionError":[0,"ProgramFailedToComplete"]} 5000 <nil>
}

func ExampleInstruction() {
	in := svmtest.Instruction{
		Program:  "11111111111111111111111111111111",
		Accounts: []svmtest.AccountMeta{{Address: svmtest.Address(svmtest.Key("ann")), Signer: true, Writable: true}},
	}
	var receipt svmtest.Receipt // what Execute returns
	fmt.Println(len(in.Accounts), receipt.Err == "")
	// Output: 1 true
}

func ExampleAddressOf() {
	fmt.Println(svmtest.AddressOf([32]byte{}))
	// Output: 11111111111111111111111111111111
}

func ExampleBytesOf() {
	key, err := svmtest.BytesOf("11111111111111111111111111111112")
	fmt.Println(key[31], err)
	_, err = svmtest.BytesOf("no address")
	fmt.Println(err != nil)
	// Output:
	// 1 <nil>
	// true
}
