package staking_test

import (
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// A co-staker leaves: seven days in which the stake counts and the owner can refill, and fourteen in which it can still be
// slashed.
func ExampleUnstaked() {
	pool := filled()
	tell := func(effects []staking.Effect) {
		for _, e := range effects {
			switch e := e.(type) {
			case staking.Unlocking:
				fmt.Printf("%s IO of %s, %s until %s\n", e.Amount, e.Holder, e.State, e.Until.Format(time.DateOnly))
			case staking.Matured:
				fmt.Printf("%s IO of %s can be withdrawn\n", e.Amount, e.Holder)
			case staking.Released:
				fmt.Printf("%s IO are back at %s\n", e.Amount, e.Holder)
			}
		}
	}
	tell(happen(pool, begin(101), staking.Unstaked{Bond: "rtx3090", Holder: "ann", Offer: "o1"}))
	for due, more := pool.Next(); more; due, more = pool.Next() {
		tell(happen(pool, due, staking.Ticked{}))
	}
	tell(happen(pool, pool.Now(), staking.Withdrawn{Bond: "rtx3090", Holder: "ann"}))
	// Output:
	// 100 IO of ann, waiting until 2024-06-26
	// 100 IO of ann, cooling until 2024-07-10
	// 100 IO of ann can be withdrawn
	// 100 IO are back at ann
}

// The owner leaves first, and the co-staker has to leave too: the rest is short of the requirement.
func ExampleUnderbonded() {
	pool := filled()
	for _, e := range happen(pool, begin(101), staking.Unstaked{Bond: "rtx3090", Holder: "sam"}) {
		switch e := e.(type) {
		case staking.Unlocking:
			fmt.Printf("%s IO of %s, %s until %s, forced: %t\n", e.Amount, e.Holder, e.State, e.Until.Format(time.DateOnly), e.Forced)
		case staking.Underbonded:
			fmt.Printf("%s holds %s IO of %s\n", e.Bond, e.Have, e.Need)
		}
	}
	// Output:
	// 200 IO of sam, cooling until 2024-07-03, forced: false
	// 100 IO of ann, cooling until 2024-07-03, forced: true
	// rtx3090 holds 0 IO of 200
}

// Ten days after the fill the owner takes out what it replaced.
func ExampleOverflowWithdrawn() {
	pool := filled()
	half := staking.OverflowWithdrawn{Bond: "rtx3090", Holder: "sam", Amount: 100 * tokenomics.UnitsPerToken}
	_, err := pool.Apply(begin(101), half)
	fmt.Println(err)
	fmt.Println(happen(pool, begin(100).Add(240*time.Hour), half))
	// Output:
	// staking: amount: overflow of bond "rtx3090" is 0 IO, not 100; to leave with all stake is to unstake
	// [{rtx3090 sam 1 100}]
}

// The network doubles a multiplier. What sufficed before suffices for thirty days more.
func ExampleRequalified() {
	pool := filled()
	happen(pool, begin(101), staking.Requalified{Bond: "rtx3090", MultiplierCenti: 200, GPUs: 1, TableChanged: true})
	b, _ := pool.Bond("rtx3090")
	fmt.Println(b.Counted, "of", b.Required, "IO, but", b.Suffices, "suffice until", b.GraceUntil.Format(time.DateOnly))
	// Output: 300 of 400 IO, but 200 suffice until 2024-07-19
}

// While the device is hired nobody unstakes.
func ExampleHireStarted() {
	pool := filled()
	happen(pool, begin(101), staking.HireStarted{Bond: "rtx3090"})
	_, err := pool.Apply(begin(101), staking.Unstaked{Bond: "rtx3090", Holder: "ann", Offer: "o1"})
	fmt.Println(err)
	happen(pool, begin(102), staking.HireEnded{Bond: "rtx3090"})
	happen(pool, begin(102), staking.Unstaked{Bond: "rtx3090", Holder: "ann", Offer: "o1"})
	// Output: staking: device is hired: "rtx3090", 1 hires
}

// A device that leaves the network closes its offers and earns nothing from the running epoch on.
func ExampleDeviceTerminated() {
	pool := bonded()
	for _, e := range happen(pool, begin(105), staking.DeviceTerminated{Bond: "rtx3090"}) {
		if e, ok := e.(staking.OfferEnded); ok {
			fmt.Println(e.Offer, "is", e.State)
		}
	}
	fmt.Println(pool.Eligible("rtx3090", 104))
	fmt.Println(pool.Eligible("rtx3090", 105))
	// Output:
	// o1 is closed
	// <nil>
	// staking: device is terminated: "rtx3090" in epoch 105
}

// Two wallets turn out to be one person's, who had co-staked on the own device.
func ExampleWalletsLinked() {
	pool := filled()
	effects := happen(pool, begin(101), staking.WalletsLinked{A: "sam", B: "ann"})
	if e, ok := effects[0].(staking.Unlocking); ok {
		fmt.Println(e.Holder, "leaves, forced:", e.Forced)
	}
	fmt.Println(pool.Linked("ann", "sam"))
	// Output:
	// ann leaves, forced: true
	// true
}

// Two hours of outage: 4 % of all stake, from the rewards that nobody has claimed and then from the owner. Nobody appeals,
// and the renter gets a tenth.
func ExampleInfracted() {
	pool := filled()
	happen(pool, begin(102), staking.Rewarded{Bond: "rtx3090", Epoch: 101, Amount: 7_190_646})
	for _, e := range happen(pool, begin(103), staking.Infracted{
		Evidence: "outage", Bond: "rtx3090", Kind: staking.InadequateService, At: begin(101), Measure: 7_200, Renter: "ron",
	}) {
		if e, ok := e.(staking.Slashed); ok {
			fmt.Printf("%s, lot %d: %s IO of stake, %s of rewards\n", e.Holder, e.Lot, e.Stake, e.Rewards)
		}
	}
	c, _ := pool.Case("outage")
	happen(pool, c.Deadline.Add(-1), staking.Ticked{})
	for _, e := range happen(pool, c.Deadline, staking.Ticked{}) {
		switch e := e.(type) {
		case staking.Compensated:
			fmt.Println(e.Holder, "gets", e.Amount)
		case staking.Burned:
			fmt.Println(e.Amount, "are burned")
		}
	}
	// Output:
	// sam, lot 0: 0 IO of stake, 0.04961546 of rewards
	// sam, lot 1: 11.92809354 IO of stake, 0 of rewards
	// ann, lot 2: 0 IO of stake, 0.022291 of rewards
	// ron gets 1.2
	// 10.8 are burned
}

// An appeal that is won puts everything back.
func ExampleAppealed() {
	pool := filled()
	happen(pool, begin(102), staking.Infracted{
		Evidence: "fake", Bond: "rtx3090", Kind: staking.Spoofing, At: begin(101), Measure: 1,
	})
	fmt.Println("in escrow:", pool.Books().Escrow)
	happen(pool, begin(103), staking.Appealed{Evidence: "fake", Holder: "ann"})
	for _, e := range happen(pool, begin(104), staking.AppealDecided{Evidence: "fake", Won: true}) {
		if e, ok := e.(staking.Restored); ok {
			fmt.Printf("lot %d of %s has %s IO again\n", e.Lot, e.Holder, e.Stake)
		}
	}
	// Output:
	// in escrow: 250
	// lot 1 of sam has 200 IO again
	// lot 2 of ann has 50 IO again
}
