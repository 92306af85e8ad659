package spl_test

import (
	"encoding/json"
	"fmt"

	"github.com/idlegrid/idlegrid/settlement/spl"
)

// Whoever logs a configuration does not log the provider's key with it.
func ExampleConfig() {
	c := spl.Config{URL: "https://user:password@rpc.example.com/token?api-key=secret", Payer: exampleSigner("payer")}
	fmt.Printf("%+v\n%#v\n", c, c)
	b, err := json.Marshal(c)
	fmt.Println(string(b), err)
	text, err := c.MarshalText()
	fmt.Println(string(text) == c.String(), c.GoString() == c.String(), err)
	chain, err := spl.New(c)
	fmt.Printf("%v %v %v\n", chain.String(), chain.GoString(), err)
	// Output:
	// spl.Config(rpc.example.com)
	// spl.Config(rpc.example.com)
	// "spl.Config(rpc.example.com)" <nil>
	// true true <nil>
	// spl.Chain(rpc.example.com) spl.Chain(rpc.example.com) <nil>
}

func ExampleWatchConfig() {
	c := spl.WatchConfig{URL: "https://rpc.example.com/token"}
	fmt.Printf("%+v %#v\n", c, c)
	b, err := c.MarshalText()
	fmt.Println(string(b), c.String(), c.GoString(), err)
	// Output:
	// spl.WatchConfig(rpc.example.com) spl.WatchConfig(rpc.example.com)
	// spl.WatchConfig(rpc.example.com) spl.WatchConfig(rpc.example.com) spl.WatchConfig(rpc.example.com) <nil>
}

func ExampleWatchWitness() {
	x := spl.WatchWitness{URL: "https://rpc.example.com/token"}
	b, err := x.MarshalText()
	fmt.Println(string(b), x.String(), x.GoString(), err)
	// Output: spl.WatchWitness(rpc.example.com) spl.WatchWitness(rpc.example.com) spl.WatchWitness(rpc.example.com) <nil>
}
