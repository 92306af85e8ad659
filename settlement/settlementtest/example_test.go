package settlementtest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/settlementtest"
)

// A chain's own test hands over fresh rigs. What a rig holds at the beginning is a million units of each asset.
func ExampleExercise() {
	newRig := func(t *testing.T) settlementtest.Rig { return memoryRig(t) }
	_ = func(t *testing.T) { settlementtest.Exercise(t, newRig) } // the body of TestMyChain
	rig := newRig(nil)
	fmt.Println(rig.Balance(rig.Token, rig.Vault), rig.Balance(rig.Token, rig.Absent))
	// Output: 1000000 0
}

// A second configuration of the same chain needs no deaths.
func ExampleExerciseCases() {
	newRig := func(t *testing.T) settlementtest.Rig { return memoryRig(t) }
	_ = func(t *testing.T) { settlementtest.ExerciseCases(t, newRig) } // the body of TestMyChainOtherwise
	rig := newRig(nil)
	fmt.Println(rig.Supply(rig.Token), rig.Supply(rig.Dollar))
	// Output: 2000000 2000000
}

func ExampleStore() {
	var s settlementtest.Store
	fmt.Println(s.Append([]byte("one")), s.Append([]byte("two")))
	err := s.Replay(func(record []byte) error {
		fmt.Printf("%s\n", record)
		return nil
	})
	fmt.Println(err)
	// Output:
	// <nil> <nil>
	// one
	// two
	// <nil>
}

// A reply that is lost says nothing about the money: here it has moved.
func ExampleUnlucky() {
	ctx := context.Background()
	m := settlement.NewMemory()
	io := settlement.Asset{Mint: "IO", Decimals: 8}
	m.Open(io, "vault", 10)
	u := settlementtest.Unlucky{Chain: m, Mishap: func([]settlement.Tx) settlementtest.Mishap { return settlementtest.ReplyLost }}
	made, _ := u.Prepare(ctx, []settlement.Batch{{Lines: []settlement.Line{{Kind: settlement.Burn, Asset: io, From: "vault", Units: 4}}}})
	fmt.Println(u.Send(ctx, []settlement.Tx{made[0].Tx}))
	fmt.Println(m.Supply(io))
	u.Mute = errors.New("no route to host")
	_, err := u.Look(ctx, nil)
	fmt.Println(err)
	_, err = u.Find(ctx, nil)
	fmt.Println(err)
	_, err = u.Reclaim(ctx, nil)
	fmt.Println(err)
	// Output:
	// settlementtest: the reply is lost
	// 6
	// no route to host
	// no route to host
	// no route to host
}
