package challenge_test

import (
	"context"
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/gpu/challenge"
	"github.com/idlegrid/idlegrid/gpu/challenge/cpu"
)

// exampleSpec is a task small enough for a processor.
func exampleSpec() challenge.Spec {
	return challenge.Spec{
		Version: challenge.Version, Kind: challenge.Int8, Session: challenge.Hash{1}, Device: "GPU-0", N: 64, Rounds: 2, Width: 16, Openings: 4,
		Memory: challenge.MemorySpec{Bytes: 1 << 12, Cost: 2, Lanes: 2, Segments: 2, Steps: 4, Openings: 2},
	}
}

func exampleProver() *cpu.Prover {
	p, err := cpu.New(cpu.Config{Workers: 1, MaxBytes: 1 << 30})
	if err != nil {
		panic(err)
	}
	return p
}

func ExampleSpec() {
	s := exampleSpec()
	fmt.Println(s.Validate(), s.Leaves(), s.Depth(), s.Ops(), s.DeviceBytes())
	other := s
	other.Device = "GPU-1"
	fmt.Println(s.Seed() == other.Seed(), s.Seed() == s.TableSeed())
	s.N = 100
	fmt.Println(s.Validate())
	// Output:
	// <nil> 256 8 1048576 30784
	// false false
	// challenge: invalid: n 100, want a power of two from 64 to 65536
}

func ExampleKind() {
	fmt.Println(challenge.Int8, challenge.Fp16Ints)
	// Output: int8 fp16ints
}

func ExampleHash() {
	fmt.Println(challenge.Hash{0xab, 0xcd})
	// Output: abcd000000000000000000000000000000000000000000000000000000000000
}

func ExampleMemorySpec() {
	m := exampleSpec().Memory
	fmt.Println(m.Validate(), m.Entries(), m.Leaves(), m.Reads())
	e := m.Entry(challenge.Seed{1, 2, 3, 4}, 7)
	fmt.Printf("%08x\n", e[:4])
	// Output:
	// <nil> 32 4 16
	// [c457285c bccd4ef1 6d6b59a4 fb9b8edc]
}

func ExamplePhilox() {
	fmt.Printf("%08x\n", challenge.Philox([4]uint32{}, [2]uint32{}))
	// Output: [6627e8d5 e169c58d bc57ac4c 9b00dbd8]
}

func ExampleSeed() {
	s := challenge.Seed{1, 2, 3, 4}
	row := make([]int8, 64)
	s.Row(row, challenge.Int8, challenge.A, 5)
	entries := make([]int32, 2)
	s.Entries(entries, challenge.Int8, 64, 5, 10)
	fmt.Printf("%d %d %08x\n", row[:4], entries, s.Block(challenge.Bt, 0))
	fmt.Println(s.Next(challenge.Hash{1}) == s.Next(challenge.Hash{2}))
	// Output:
	// [104 -108 -59 93] [13087 50052] [d75cde83 cbb43915 8851a4f8 366bd641]
	// false
}

func ExampleLaneStart() {
	h := challenge.LaneStart(challenge.Hash{1}, 0)
	fmt.Println(h == challenge.LaneStart(challenge.Hash{1}, 1), h == challenge.LaneStart(challenge.Hash{2}, 0))
	// Output: false false
}

func ExampleState() {
	m, table := exampleSpec().Memory, exampleSpec().TableSeed()
	h := challenge.State{0, 1 << 31} // half of all there is
	line := h.Line(m.Entries())
	e := m.Entry(table, line)
	fmt.Println(line, h.Absorb(table, &e) == h, h.Hash() == challenge.LeafHash([]int32{0, -1 << 31, 0, 0}))
	// Output: 16 false true
}

func ExampleLeafHash() {
	fmt.Println(challenge.LeafHash([]int32{1, 2}) == challenge.LeafHash([]int32{2, 1}))
	// Output: false
}

func ExampleNodeHash() {
	a, b := challenge.LeafHash([]int32{1}), challenge.LeafHash([]int32{2})
	fmt.Println(challenge.NodeHash(a, b) == challenge.NewTree([]challenge.Hash{a, b}).Root())
	// Output: true
}

func ExampleNewTree() {
	fmt.Println(challenge.NewTree([]challenge.Hash{{7}}).Root() == challenge.Hash{7})
	// Output: true
}

func ExampleTree() {
	t := challenge.NewTree([]challenge.Hash{{1}, {2}, {3}, {4}})
	path := t.Path(2)
	fmt.Println(len(path), path[0] == challenge.Hash{4}, challenge.CheckPath(t.Root(), challenge.Hash{3}, 2, path))
	// Output: 2 true true
}

func ExampleCheckPath() {
	t := challenge.NewTree([]challenge.Hash{{1}, {2}})
	fmt.Println(challenge.CheckPath(t.Root(), challenge.Hash{1}, 0, t.Path(0)), challenge.CheckPath(t.Root(), challenge.Hash{1}, 1, t.Path(0)))
	// Output: true false
}

func ExampleIndices() {
	s := exampleSpec()
	fmt.Println(len(challenge.Indices(s, challenge.Commitment{Roots: []challenge.Hash{{1}, {2}}}, challenge.Hash{3})))
	// Output: 4
}

func ExampleWalkIndices() {
	fmt.Println(len(challenge.WalkIndices(exampleSpec(), challenge.WalkCommitment{}, challenge.Hash{1}, challenge.Hash{2})))
	// Output: 2
}

func ExampleVerify() {
	ctx, s, p := context.Background(), exampleSpec(), exampleProver()
	c, _ := p.Commit(ctx, s)
	nonce := challenge.Hash{9} // drawn after the roots came
	o, _ := p.Open(ctx, nonce)
	fmt.Println(challenge.Verify(s, c, nonce, o))
	o[1].Values[0]++
	err := challenge.Verify(s, c, nonce, o)
	fmt.Println(err != nil)
	// Output:
	// <nil>
	// true
}

func ExampleNewVerifier() {
	_, err := challenge.NewVerifier(exampleSpec(), challenge.Commitment{}, challenge.Hash{9})
	fmt.Println(err)
	// Output: challenge: shape: 0 roots, want 2
}

func ExampleVerifier() {
	ctx, s, p := context.Background(), exampleSpec(), exampleProver()
	c, _ := p.Commit(ctx, s)
	o, _ := p.Open(ctx, challenge.Hash{9})
	v, err := challenge.NewVerifier(s, c, challenge.Hash{9})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range v.Indices() { // a caller may spread these over its cores
		if err := v.VerifyOne(i, o[i]); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(len(v.Indices()))
	// Output: 4
}

func ExampleAnswerError() {
	err := &challenge.AnswerError{Reason: challenge.Value, Item: 3, Text: "round 0 row 1 column 2 is 5, want 6"}
	fmt.Println(err)
	// Output: challenge: value: opening 3: round 0 row 1 column 2 is 5, want 6
}

func ExampleVerifyWalk() {
	ctx, s, p := context.Background(), exampleSpec(), exampleProver()
	_ = p.Fill(ctx, s)
	start, nonce := challenge.Hash{3}, challenge.Hash{4}
	c, _ := p.Walk(ctx, start)
	o, _ := p.OpenWalk(ctx, nonce)
	fmt.Println(challenge.VerifyWalk(s, c, start, nonce, o))
	// Output: <nil>
}

func ExampleOpenings() {
	ctx, s, p := context.Background(), exampleSpec(), exampleProver()
	_, _ = p.Commit(ctx, s)
	o, _ := p.Open(ctx, challenge.Hash{9})
	b, err := challenge.Openings(o).MarshalBinary()
	var back challenge.Openings
	fmt.Println(err, back.UnmarshalBinary(b), len(back))
	var w challenge.WalkOpenings
	fmt.Println(w.UnmarshalBinary(b) != nil)
	// Output:
	// <nil> <nil> 4
	// true
}

func ExampleCheckProduct() {
	s, n := challenge.Seed{1, 2, 3, 4}, uint32(64)
	c := make([]int32, n*n)
	for row := range n {
		s.Entries(c[row*n:(row+1)*n], challenge.Int8, n, row, 0)
	}
	coin := challenge.Seed{5, 6, 7, 8} // drawn at random
	fmt.Println(challenge.CheckProduct(s, challenge.Int8, n, c, coin, 1))
	c[100]++
	fmt.Println(challenge.CheckProduct(s, challenge.Int8, n, c, coin, 1))
	// Output:
	// true
	// false
}

func ExampleDetection() {
	fmt.Println(challenge.Detection(50_000_000, 128)) // 5 % of the leaves are wrong
	// Output: 998591938
}

func ExampleUndetected() {
	fmt.Println(challenge.Undetected(8*256, 1_000_000)) // at a risk of 0.1 %, of 8 segments of 256 reads
	// Output: 3367245
}

func ExampleDefaultParams() {
	fmt.Println(challenge.DefaultParams().Validate())
	// Output: <nil>
}

func ExampleParams() {
	p := challenge.DefaultParams()
	credit := p.Credit([]time.Duration{90e6, 80e6, 85e6, 300e6, 81e6})
	s := challenge.Spec{N: 32768, Rounds: 10}
	fmt.Println(p.Validate(), credit, p.Deadline(s.Ops(), 1e15, credit))
	// Output: <nil> 80ms 1.085267774s
}

func ExampleNewRates() {
	_, err := challenge.NewRates([]challenge.Rate{{Model: "NVIDIA H200", OpsPerSec: 1e15}})
	fmt.Println(err)
	// Output: rate of "NVIDIA H200", int8: challenge: invalid: driver is empty, want how the rate was measured
}

func ExamplePublishedRates() {
	for _, r := range challenge.PublishedRates()[:2] {
		fmt.Println(r.Model, r.Peak/1e12, r.OpsPerSec)
	}
	// Output:
	// NVIDIA A100-SXM4-80GB 624 0
	// NVIDIA GeForce RTX 4090 661 0
}

func ExampleRates() {
	t, err := challenge.NewRates(challenge.PublishedRates())
	if err != nil {
		fmt.Println(err)
		return
	}
	r, ok := t.Rate("NVIDIA L40", challenge.Int8)
	fmt.Println(r.Peak/1e12, ok)
	// Output: 362 true
}

func ExampleFit() {
	s := exampleSpec()
	s.Width, s.Openings = 32, 128
	s.Memory = challenge.MemorySpec{}
	s, err := challenge.Fit(s, 1e15, 2*time.Second, 80<<30)
	fmt.Println(s.N, s.Rounds, err)
	// Output: 65536 3 <nil>
}

func ExampleSchedule() {
	s := challenge.Schedule{Epoch: 24 * time.Hour, PerEpoch: 4}
	key, beacon := [32]byte{1}, [32]byte{2}
	fmt.Println(s.Validate(10*time.Second), s.Load(10*time.Second), len(s.Device(key, beacon, 0, "GPU-0")))
	fmt.Println(s.Barrier(key, beacon, 0, "alice") < s.Epoch)
	pairs := s.Pairs(key, beacon, 0, []challenge.Claim{{Supplier: "alice", Device: "GPU-0"}, {Supplier: "bob", Device: "GPU-1"}})
	fmt.Println(len(pairs))
	// Output:
	// <nil> 695 4
	// true
	// 1
}

func ExampleVerifyKey() {
	last := [32]byte{7} // drawn at random and kept
	published := challenge.KeyBefore(last, 2)
	fmt.Println(challenge.VerifyKey(published, challenge.KeyBefore(last, 1)))
	// Output: true
}

func ExampleKeyBefore() {
	fmt.Println(challenge.VerifyKey(challenge.KeyBefore([32]byte{7}, 1), [32]byte{7}))
	// Output: true
}

func ExampleFitWalk() {
	m := challenge.MemorySpec{Bytes: 72 << 30, Cost: 256, Lanes: 1 << 17, Steps: 512, Openings: 8}
	m, err := challenge.FitWalk(m, 1e10, time.Second)
	fmt.Println(m.Segments, m.Steps, m.Reads(), err)
	// Output: 128 596 9999220736 <nil>
}
