package staking_test

import (
	"errors"
	"fmt"
	"slices"

	"github.com/idlegrid/idlegrid/staking"
)

// Two holders share three rewards of one base unit, then the larger one leaves.
func ExampleAccumulator() {
	var (
		a        staking.Accumulator
		ann, bob staking.Position
	)
	if errors.Join(a.Set(&ann, 1), a.Set(&bob, 2)) != nil {
		return
	}
	for range 3 {
		if err := a.Distribute(1); err != nil {
			fmt.Println(err)
		}
		fmt.Println("ann", uint64(ann.Earned(&a)), "bob", uint64(bob.Earned(&a)), "held", uint64(a.Held()))
	}
	fmt.Println("bob claims", uint64(a.Claim(&bob)))
	if err := a.Set(&bob, 0); err != nil {
		fmt.Println(err)
	}
	fmt.Println("audit:", a.Audit(slices.Values([]staking.Position{ann, bob})))
	paid, dust := a.Close(&ann)
	fmt.Println("ann is paid", uint64(paid), "dust", uint64(dust), "held", uint64(a.Held()))
	fmt.Println(a.Distribute(1))
	// Output:
	// ann 0 bob 0 held 1
	// ann 0 bob 1 held 2
	// ann 1 bob 2 held 3
	// bob claims 2
	// audit: <nil>
	// ann is paid 1 dust 0 held 0
	// staking: reward without stake
}

// A position is a value: its owner keeps it where it likes.
func ExamplePosition() {
	var (
		a   staking.Accumulator
		ann staking.Position
	)
	if a.Set(&ann, 500) != nil || a.Distribute(1_000) != nil {
		return
	}
	fmt.Println(uint64(ann.Stake()), uint64(a.Stake()), uint64(ann.Earned(&a)))
	a.Settle(&ann)
	fmt.Println(uint64(a.Claim(&ann)), uint64(ann.Earned(&a)))
	// Output:
	// 500 500 1000
	// 1000 0
}
