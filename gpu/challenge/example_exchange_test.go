package challenge_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/idlegrid/idlegrid/gpu/challenge"
)

func ExampleNewExchange() {
	_, err := challenge.NewExchange(challenge.DefaultParams(), challenge.Spec{}, challenge.Rate{})
	fmt.Println(err)
	// Output: challenge: invalid: version 0, want 1
}

// An exchange with a prover that holds its table and does its work, on a clock that the example moves.
func ExampleExchange() {
	x, err := challenge.NewExchange(challenge.DefaultParams(), exampleSpec(), challenge.Rate{})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, p, now := context.Background(), exampleProver(), time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	var next challenge.Event = challenge.Begun{}
	for next != nil {
		effects, err := x.Apply(now, next)
		if err != nil {
			fmt.Println(err)
			return
		}
		next = nil
		now = now.Add(100 * time.Millisecond)
		for _, f := range effects {
			switch f := f.(type) {
			case challenge.WakeAt: // with no answer by then: challenge.Ticked{}, on a broken line: challenge.Broken{}
			case challenge.SendPing:
				next = challenge.Ponged{}
			case challenge.SendFill:
				_ = p.Fill(ctx, f.Spec)
				next = challenge.Filled{}
			case challenge.Ready:
				next = challenge.Started{Session: challenge.Hash{50}} // drawn at random, as each nonce
			case challenge.SendWork:
				c, _ := p.Commit(ctx, f.Spec)
				next = challenge.Committed{Commitment: c, Nonce: challenge.Hash{51}}
			case challenge.SendWalk:
				c, _ := p.Walk(ctx, f.Nonce)
				next = challenge.Walked{Commitment: c, Nonce: challenge.Hash{52}}
			case challenge.Examine:
				next = challenge.Examined{Err: f.Verify()}
			case challenge.SendOpen:
				o, _ := p.Open(ctx, f.Nonce)
				w, _ := p.OpenWalk(ctx, f.Nonce)
				next = challenge.Opened{Openings: o, Segments: w}
			case challenge.Judged:
				fmt.Printf("%q after %v, %d operations a second\n", f.Verdict.Reason, f.Verdict.Commit, f.Verdict.OpsPerSec)
			}
		}
	}
	v, over := x.Verdict()
	fmt.Println(v.Passed(), over, x.Audit(), len(x.Digest()))
	// Output:
	// "" after 100ms, 10485760 operations a second
	// true true <nil> 32
}

// The openings are checked outside of the exchange, on any goroutine: many devices answer at once.
func ExampleExamine() {
	var e challenge.Examine // of a real exchange it holds all that is needed
	var answer *challenge.AnswerError
	fmt.Println(errors.As(e.Verify(), &answer), errors.Is(e.Verify(), challenge.ErrInvalid))
	// Output:
	// false true
}

// A prover that gives up before the work is no evidence. Once the work has begun it would be late.
func ExampleDeclined() {
	x, err := challenge.NewExchange(challenge.DefaultParams(), exampleSpec(), challenge.Rate{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range []challenge.Event{challenge.Begun{}, challenge.Declined{}} {
		if _, err := x.Apply(time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC), e); err != nil {
			fmt.Println(err)
		}
	}
	v, over := x.Verdict()
	fmt.Println(v.Reason, v.Failed(), over)
	// Output: transport false true
}

func ExampleVerdict() {
	for _, r := range []challenge.Reason{challenge.OK, challenge.Value, challenge.Transport} {
		v := challenge.Verdict{Reason: r}
		fmt.Println(v.Passed(), v.Failed())
	}
	// Output:
	// true false
	// false true
	// false false
}

func ExampleNewBarrier() {
	_, err := challenge.NewBarrier(challenge.DefaultParams(), []challenge.Task{{Spec: exampleSpec()}, {Spec: exampleSpec()}})
	fmt.Println(err)
	// Output: challenge: invalid: task 1 has session or device of another
}

// Two claims; the line to the first breaks, the second never answers.
func ExampleBarrier() {
	one, two := exampleSpec(), exampleSpec()
	one.Memory, two.Memory = challenge.MemorySpec{}, challenge.MemorySpec{}
	two.Session, two.Device = challenge.Hash{2}, "GPU-1"
	b, err := challenge.NewBarrier(challenge.DefaultParams(), []challenge.Task{{Spec: one}, {Spec: two}})
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	events := []challenge.Event{challenge.Begun{}}
	for i := range uint32(2) {
		for range challenge.Pings {
			events = append(events, challenge.Of{Exchange: i, Event: challenge.Ponged{}})
		}
	}
	events = append(events, challenge.Together{Sessions: []challenge.Hash{{3}, {4}}}, challenge.Of{Exchange: 0, Event: challenge.Broken{}}, challenge.Ticked{})
	for i, e := range events {
		if i == len(events)-1 {
			now = now.Add(time.Hour)
		}
		effects, err := b.Apply(now, e)
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, f := range effects {
			switch f := f.(type) {
			case challenge.To: // f.Effect goes to the prover of f.Exchange
			case challenge.Assembled:
				fmt.Println("assembled")
			case challenge.Concluded:
				fmt.Println("late:", f.Outcome.Late, "complete:", f.Outcome.Complete)
			}
		}
	}
	o, over := b.Outcome()
	fmt.Println(o.Verdicts[0].Reason, o.Verdicts[1].Reason, over, b.Audit(), len(b.Digest()))
	// Output:
	// assembled
	// late: [1] complete: false
	// transport timeout-commit true <nil> 32
}

// wallClock moves by a second each time that it is asked.
type wallClock struct{ now time.Time }

func (c *wallClock) Now() time.Time {
	c.now = c.now.Add(time.Second)
	return c.now
}

func ExampleRun() {
	x, err := challenge.NewExchange(challenge.DefaultParams(), exampleSpec(), challenge.Rate{})
	if err != nil {
		fmt.Println(err)
		return
	}
	p := exampleProver()
	v, err := challenge.Run(context.Background(), challenge.Driver{
		Clock: &wallClock{now: time.Unix(1_700_000_000, 0)}, Entropy: rand.NewChaCha8([32]byte{1}), Prover: p, Walker: p,
	}, x)
	fmt.Println(v.Passed(), v.Commit, err)
	// Output: true 1s <nil>
}
