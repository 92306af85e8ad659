package gputest_test

import (
	"context"
	"fmt"

	"github.com/idlegrid/idlegrid/gpu/challenge"
	"github.com/idlegrid/idlegrid/gpu/challenge/cpu"
	"github.com/idlegrid/idlegrid/gpu/gputest"
)

// A prover with 30 % of garbage, asked for 64 leaves, passes with 0.7^64: never.
func ExampleLazy() {
	ctx, s := context.Background(), workSpec(64)
	l := &gputest.Lazy{Wrong: 300_000_000}
	c, _ := l.Commit(ctx, s)
	o, _ := l.Open(ctx, challenge.Hash{9})
	fmt.Println(reasonOf(challenge.Verify(s, c, challenge.Hash{9}, o)), l.Close())
	// Output: value <nil>
}

func ExampleReplaying() {
	ctx, s := context.Background(), workSpec(8)
	p, _ := cpu.New(cpu.Config{Workers: 1, MaxBytes: 1 << 30})
	r := &gputest.Replaying{Prover: p}
	c, _ := r.Commit(ctx, s)
	o, _ := r.Open(ctx, challenge.Hash{9})
	fmt.Println(challenge.Verify(s, c, challenge.Hash{9}, o))
	s.Session[5]++
	c, _ = r.Commit(ctx, s)
	o, _ = r.Open(ctx, challenge.Hash{8})
	fmt.Println(reasonOf(challenge.Verify(s, c, challenge.Hash{8}, o)), r.Close())
	// Output:
	// <nil>
	// shape <nil>
}

// Two claims on a card that holds one table: the second one's fill drops the first one's.
func ExampleCard() {
	ctx, s := context.Background(), workSpec(8)
	claims, _ := gputest.NewCard(0, 0, 1).Claims(2)
	for _, p := range claims {
		_ = p.Fill(ctx, s)
	}
	for _, p := range claims {
		c, _ := p.Walk(ctx, challenge.Hash{3})
		o, _ := p.OpenWalk(ctx, challenge.Hash{4})
		fmt.Printf("%q\n", reasonOf(challenge.VerifyWalk(s, c, challenge.Hash{3}, challenge.Hash{4}, o)))
	}
	// Output:
	// "walk-value"
	// ""
}

func ExampleNewCard() {
	claims, err := gputest.NewCard(0, 0, 1).Claims(8)
	fmt.Println(len(claims), err)
	// Output: 8 <nil>
}

func ExampleShared() {
	ctx, s := context.Background(), workSpec(8)
	claims, _ := gputest.NewCard(0, 0, 1).Claims(1)
	p := claims[0].Relayed(0)
	c, _ := p.Commit(ctx, s)
	o, _ := p.Open(ctx, challenge.Hash{9})
	fmt.Println(challenge.Verify(s, c, challenge.Hash{9}, o), p.Close())
	// Output: <nil> <nil>
}

func ExampleSplitOver() {
	p, err := gputest.SplitOver(4, 0, 0)
	fmt.Println(p.Close(), err)
	// Output: <nil> <nil>
}

func ExampleForgetful() {
	ctx, s := context.Background(), workSpec(8)
	f := &gputest.Forgetful{Missing: challenge.Billion, Recompute: true}
	_ = f.Fill(ctx, s)
	c, _ := f.Walk(ctx, challenge.Hash{3})
	o, _ := f.OpenWalk(ctx, challenge.Hash{4})
	fmt.Println(challenge.VerifyWalk(s, c, challenge.Hash{3}, challenge.Hash{4}, o), f.Recomputed() == s.Memory.Reads())
	// Output: <nil> true
}
