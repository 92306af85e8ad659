package staking_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// bonded returns a pool with an RTX 3090, which needs 200 IO: its owner, sam, has bonded them and offers 31 % for 100 IO.
func bonded() *staking.Pool {
	pool, err := staking.NewPool(staking.IONet())
	if err != nil {
		panic(err)
	}
	happen(pool, begin(100),
		staking.BondOpened{Bond: "rtx3090", Owner: "sam", MultiplierCenti: 50, GPUs: 1},
		staking.Deposited{Bond: "rtx3090", Holder: "sam", Amount: 200 * tokenomics.UnitsPerToken},
		staking.OfferPosted{
			Offer: "o1", Bond: "rtx3090", Holder: "sam", Amount: 100 * tokenomics.UnitsPerToken, RewardShareBps: 3_100, Expires: begin(200),
		})
	return pool
}

// filled returns the pool of bonded after ann has accepted, in the same epoch.
func filled() *staking.Pool {
	pool := bonded()
	happen(pool, begin(100), staking.OfferAccepted{Offer: "o1", Holder: "ann", Amount: 100 * tokenomics.UnitsPerToken})
	return pool
}

// play applies events that are allowed and returns the effects of the last one.
func happen(pool *staking.Pool, at time.Time, events ...staking.Event) []staking.Effect {
	var effects []staking.Effect
	for _, e := range events {
		var err error
		if effects, err = pool.Apply(at, e); err != nil {
			panic(err)
		}
	}
	return effects
}

func ExampleNewPool() {
	pool, err := staking.NewPool(staking.IONet())
	fmt.Println(pool.Books() == staking.Books{}, err)
	_, err = staking.NewPool(staking.Params{})
	fmt.Println(err)
	// Output:
	// true <nil>
	// staking: parameters: version is empty
}

func ExamplePool() {
	pool := filled()
	fmt.Println("a pool of", pool.Params().Version, "at", pool.Now().Format(time.DateTime))
	due, ok := pool.Next()
	fmt.Println(due, ok)
	// Output:
	// a pool of ionet-2025-07 at 2024-06-19 19:00:00
	// 0001-01-01 00:00:00 +0000 UTC false
}

// A refused event says why, and changes nothing.
func ExamplePool_Apply() {
	pool := bonded()
	_, err := pool.Apply(begin(101), staking.OfferAccepted{Offer: "o1", Holder: "sam", Amount: 100 * tokenomics.UnitsPerToken})
	fmt.Println(errors.Is(err, staking.ErrSelfStake), err)
	effects, err := pool.Apply(begin(101), staking.OfferClosed{Offer: "o1", Holder: "sam"})
	fmt.Println(effects, err)
	// Output:
	// true staking: owner cannot co-stake on the own bond: "sam", bond "rtx3090"
	// [{o1 closed}] <nil>
}

// A driver asks when the next deadline is, and ticks no later than then.
func ExamplePool_Next() {
	pool := bonded()
	due, ok := pool.Next()
	fmt.Println(due.Format(time.DateTime), ok)
	_, err := pool.Apply(due, staking.OfferClosed{Offer: "o1", Holder: "sam"})
	fmt.Println(errors.Is(err, staking.ErrTick))
	fmt.Println(happen(pool, due, staking.Ticked{}))
	// Output:
	// 2024-06-23 23:00:00 true
	// true
	// [{o1 expired}]
}

func ExamplePool_Bond() {
	var b staking.BondView
	b, ok := filled().Bond("rtx3090")
	fmt.Println(ok, b.Owner, "holds", b.OwnerStake, "and others", b.CoStake, "of", b.Required)
	for _, l := range b.Lots {
		fmt.Printf("lot %d: %s IO of %s, %s\n", l.ID, l.Balance, l.Holder, l.State)
	}
	// Output:
	// true sam holds 200 and others 100 of 200
	// lot 1: 200 IO of sam, active
	// lot 2: 100 IO of ann, active
}

func ExamplePool_Bonds() {
	for id, b := range bonded().Bonds() {
		fmt.Println(id, b.Missing)
	}
	// Output: rtx3090 0
}

func ExamplePool_Offer() {
	var o staking.OfferView
	o, ok := filled().Offer("o1")
	fmt.Println(ok, o.Bond, o.Filled, "of", o.Amount, o.State)
	// Output: true rtx3090 100 of 100 filled
}

func ExamplePool_Offers() {
	var open []staking.OfferID
	for id, o := range bonded().Offers() {
		if o.State == staking.StateOpen {
			open = append(open, id)
		}
	}
	fmt.Println(open)
	// Output: [o1]
}

func ExamplePool_Holder() {
	pool := filled()
	for _, id := range []staking.HolderID{"sam", "ann", "bob"} {
		var h staking.HolderView
		h, ok := pool.Holder(id)
		fmt.Println(id, ok, h.Bonded, h.Claims)
	}
	// Output:
	// sam true 200 0
	// ann true 100 1
	// bob false 0 0
}

func ExamplePool_Books() {
	pool := filled()
	happen(pool, begin(102), staking.Rewarded{Bond: "rtx3090", Epoch: 101, Amount: 7_190_646}, staking.Claimed{Bond: "rtx3090", Holder: "ann"})
	var b staking.Books = pool.Books()
	fmt.Println(b.Deposits, "+", b.Rewards, "=", b.Bonded, "+", b.Accrued, "+", b.Paid)
	// Output: 300 + 0.07190646 = 300 + 0.04961546 + 0.022291
}

func ExamplePool_Eligible() {
	pool := bonded() // in epoch 100: its stake counts from the next one on
	fmt.Println(pool.Eligible("rtx3090", 100))
	fmt.Println(pool.Eligible("rtx3090", 101))
	// Output:
	// staking: bond "rtx3090" holds 0 IO, needs 200; 200 IO more came too late to count in epoch 100
	// <nil>
}

func ExamplePool_Claimable() {
	pool := filled()
	happen(pool, begin(102), staking.Rewarded{Bond: "rtx3090", Epoch: 101, Amount: 7_190_646})
	fmt.Println(pool.Claimable("rtx3090", "sam"), pool.Claimable("rtx3090", "ann"), pool.Claimable("rtx3090", "bob"))
	// Output: 0.04961546 0.022291 0
}

func ExamplePool_Case() {
	pool := filled()
	happen(pool, begin(102), staking.Infracted{
		Evidence: "idle, but busy", Bond: "rtx3090", Kind: staking.Utilisation, At: begin(101), Measure: 1,
	})
	var c staking.CaseView
	c, ok := pool.Case("idle, but busy")
	fmt.Println(ok, c.Taken, "IO taken, to be appealed before", c.Deadline.Format(time.DateTime))
	for id, c := range pool.Cases() {
		for _, x := range c.Parts {
			fmt.Printf("%q took %s IO of lot %d, %s's\n", id, x.Stake, x.Lot, x.Holder)
		}
	}
	// Output:
	// true 3 IO taken, to be appealed before 2024-07-19 21:00:00
	// "idle, but busy" took 3 IO of lot 1, sam's
}

// What is known of a pool's own state: that it is sound, and that it is the same as another one.
func ExamplePool_Audit() {
	pool, twin := filled(), filled()
	fmt.Println(pool.Audit(), pool.Digest() == twin.Digest())
	happen(twin, begin(101), staking.HireStarted{Bond: "rtx3090"})
	fmt.Println(twin.Audit(), pool.Digest() == twin.Digest())
	// Output:
	// <nil> true
	// <nil> false
}

func ExampleRestore() {
	pool := filled()
	saved := pool.Snapshot()
	twin, err := staking.Restore(pool.Params(), saved)
	fmt.Println(twin.Digest() == pool.Digest(), err)
	saved[len(saved)-60]++
	_, err = staking.Restore(pool.Params(), saved)
	fmt.Println(errors.Is(err, staking.ErrSnapshot))
	// Output:
	// true <nil>
	// true
}
