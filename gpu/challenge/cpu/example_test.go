package cpu_test

import (
	"context"
	"fmt"

	"github.com/idlegrid/idlegrid/gpu/challenge"
	"github.com/idlegrid/idlegrid/gpu/challenge/cpu"
)

func ExampleNew() {
	_, err := cpu.New(cpu.Config{Workers: 0, MaxBytes: 1 << 30})
	fmt.Println(err)
	// Output: cpu: workers 0, want 1 to 1024
}

func ExampleProver() {
	ctx := context.Background()
	p, err := cpu.New(cpu.Config{Workers: 2, MaxBytes: 1 << 30, Plain: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = p.Close() }()
	s := challenge.Spec{
		Version: challenge.Version, Session: challenge.Hash{1}, Device: "cpu", N: 64, Rounds: 2, Width: 16, Openings: 4,
		Memory: challenge.MemorySpec{Bytes: 1 << 12, Cost: 2, Lanes: 2, Segments: 2, Steps: 4, Openings: 2},
	}
	start, nonce := challenge.Hash{3}, challenge.Hash{4} // drawn at random after the roots, each
	_ = p.Fill(ctx, s)
	c, _ := p.Commit(ctx, s)
	w, _ := p.Walk(ctx, start)
	open, _ := p.Open(ctx, nonce)
	segments, _ := p.OpenWalk(ctx, nonce)
	fmt.Println(p.Kernel(), len(c.Roots), challenge.Verify(s, c, nonce, open), challenge.VerifyWalk(s, w, start, nonce, segments))
	// Output: plain 2 <nil> <nil>
}
