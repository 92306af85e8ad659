package svmtest_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
)

func ExampleStart() {
	node, err := svmtest.Start(context.Background(), svmtest.Config{Port: 0})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(strings.HasPrefix(node.URL(), "http://127.0.0.1:"), strings.HasPrefix(node.WebsocketURL(), "ws://127.0.0.1:"))
	fmt.Println(node.Close())
	// Output:
	// true true
	// <nil>
}

func ExampleNode() {
	ctx := context.Background()
	node, err := svmtest.Start(ctx, svmtest.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = node.Close() }()
	boss := svmtest.Key("boss")
	ann := svmtest.Address(svmtest.Key("ann"))
	var io settlement.Asset
	for _, step := range []func() error{
		func() error { return node.Airdrop(ctx, svmtest.Address(boss), 1_000_000_000) },
		func() (err error) { io, err = node.CreateMint(ctx, boss, svmtest.Key("IO"), 8); return err },
		func() error { return node.CreateAccount(ctx, boss, io, ann) },
		func() error { return node.MintTo(ctx, boss, io, ann, 5_0000_0000) },
		func() error { return node.Freeze(ctx, boss, io, ann) },
		func() error { return node.RevokeMintAuthority(ctx, boss, io) },
		func() error { return node.Advance(ctx, svmtest.BlocksToFinal) },
	} {
		if err := step(); err != nil {
			fmt.Println(err)
		}
	}
	units, err := node.Balance(ctx, io, ann)
	fmt.Println(units, err)
	fmt.Println("minting again is refused:", node.MintTo(ctx, boss, io, ann, 1) != nil)
	// Output:
	// 500000000 <nil>
	// minting again is refused: true
}

func ExampleKey() {
	fmt.Println(svmtest.Key("ann").Equal(svmtest.Key("ann")), svmtest.Key("ann").Equal(svmtest.Key("bob")))
	// Output: true false
}

func ExampleAddress() {
	fmt.Println(svmtest.Address(svmtest.Key("ann")))
	// Output: 8855UwPgrsKVx2YhUCaxW7d22dt29aqjpd5fhEMegWHf
}

// demo stands in for a *testing.T in a program that is no test.
type demo struct{ cleanup []func() }

func (d *demo) Helper()                           {}
func (d *demo) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
func (d *demo) Cleanup(f func())                  { d.cleanup = append(d.cleanup, f) }

func ExampleForTest() {
	d := &demo{}
	var t svmtest.TB = d // in a test: its *testing.T
	node := svmtest.ForTest(t, svmtest.Config{})
	fmt.Println(node.Advance(context.Background(), 1))
	for _, f := range d.cleanup { // package testing does this at the end of a test
		f()
	}
	// Output: <nil>
}

func ExampleNode_Fork() {
	ctx := context.Background()
	node, err := svmtest.Start(ctx, svmtest.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = node.Close() }()
	ann := svmtest.Address(svmtest.Key("ann"))
	fmt.Println(node.Airdrop(ctx, ann, 5), node.Advance(ctx, 2))
	dropped, err := node.Fork(ctx, 3, -1) // the airdrop's block, and the two after it
	fmt.Println(len(dropped), "dropped", err)
	_, found, err := node.AccountAt(ctx, ann)
	fmt.Println(found, err)
	// Output:
	// <nil> <nil>
	// 1 dropped <nil>
	// false <nil>
}

func ExampleNode_Inject() {
	ctx := context.Background()
	node, err := svmtest.Start(ctx, svmtest.Config{Endpoints: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = node.Close() }()
	// The second endpoint lies 40 blocks behind, and the third call to getHealth of any endpoint is refused.
	fmt.Println(node.SetEndpoint(ctx, 1, svmtest.Endpoint{Lag: 40}))
	fmt.Println(node.Inject(ctx, svmtest.Fault{Endpoint: -1, Method: "getHealth", Skip: 2, Do: svmtest.TooManyRequests}))
	for i := range 4 {
		resp, err := http.Post(node.URLs()[i%2], "application/json", strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"getHealth"}`))
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(resp.Status)
		_ = resp.Body.Close()
	}
	stats, err := node.Stats(ctx)
	fmt.Println(stats.Calls, stats.Faults, err)
	// Output:
	// <nil>
	// <nil>
	// 200 OK
	// 200 OK
	// 429 Too Many Requests
	// 200 OK
	// map[getHealth:4] map[too-many-requests:1] <nil>
}

func ExampleActions() {
	kinds := 0
	for range svmtest.Actions() {
		kinds++
	}
	fmt.Println(kinds, "kinds of faults")
	// Output: 40 kinds of faults
}

func ExampleAction() {
	var a svmtest.Action
	text, err := svmtest.LandLate.MarshalText()
	fmt.Println(string(text), svmtest.LandLate.String(), err)
	fmt.Println(a.UnmarshalText([]byte("accepted-and-dropped")), a == svmtest.AcceptedAndDropped, a)
	// Output:
	// land-late land-late <nil>
	// <nil> true accepted-and-dropped
}
