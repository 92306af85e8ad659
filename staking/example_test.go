package staking_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// An A100 with a co-staker, from the deposit to the reward.
func Example() {
	pool, err := staking.NewPool(staking.IONet())
	if err != nil {
		panic(err)
	}
	hour := pool.Params().Calendar.StartOf
	for _, step := range []struct {
		at    time.Time
		event staking.Event
	}{
		{hour(103), staking.BondOpened{Bond: "a100", Owner: "sam", MultiplierCenti: 500, GPUs: 1}},
		{hour(103), staking.Deposited{Bond: "a100", Holder: "sam", Amount: 1_000 * tokenomics.UnitsPerToken}},
		{hour(103), staking.OfferPosted{
			Offer: "half", Bond: "a100", Amount: 500 * tokenomics.UnitsPerToken, RewardShareBps: 3_100, Expires: hour(120),
		}},
		{hour(104), staking.OfferAccepted{Offer: "half", Holder: "ann", Amount: 500 * tokenomics.UnitsPerToken}},
		{hour(106), staking.Rewarded{Bond: "a100", Epoch: 105, Amount: 87_866_191}},
	} {
		var effects []staking.Effect
		effects, err = pool.Apply(step.at, step.event)
		if err != nil {
			panic(err)
		}
		for _, e := range effects {
			switch e := e.(type) {
			case staking.Locked:
				fmt.Printf("locked %s IO of %s, %s of %s\n", e.Amount, e.Holder, e.Role, e.Bond)
			case staking.Paid:
				fmt.Printf("paid %s IO to %s for epoch %d\n", e.Amount, e.Holder, e.Epoch)
			}
		}
	}
	// Output:
	// locked 1000 IO of sam, owner of a100
	// locked 500 IO of ann, co-staker of a100
	// paid 0.60627672 IO to sam for epoch 105
	// paid 0.27238519 IO to ann for epoch 105
}

// bonded returns a pool with one bond of 200 IO that its owner, sam, has met.
func bonded() *staking.Pool {
	pool, err := staking.NewPool(staking.IONet())
	if err != nil {
		panic(err)
	}
	for _, e := range []staking.Event{
		staking.BondOpened{Bond: "rtx3090", Owner: "sam", MultiplierCenti: 50, GPUs: 1},
		staking.Deposited{Bond: "rtx3090", Holder: "sam", Amount: 200 * tokenomics.UnitsPerToken},
		staking.OfferPosted{
			Offer: "o1", Bond: "rtx3090", Amount: 100 * tokenomics.UnitsPerToken, RewardShareBps: 3_100, Expires: begin(200),
		},
	} {
		if _, err := pool.Apply(begin(100), e); err != nil {
			panic(err)
		}
	}
	return pool
}

func ExampleIONet() {
	p := staking.IONet()
	fmt.Println(p.Version, p.BaseStake, "IO a processor, co-stakers at most", p.MaxCoBps, "bps")
	// Output: ionet-2025-07 200 IO a processor, co-stakers at most 5000 bps
}

func ExampleParams_Validate() {
	p := staking.IONet()
	p.MinRewardShareBps = 10_001
	fmt.Println(p.Validate())
	// Output: staking: parameters: min_reward_share_bps 10001 is not in 1..10000
}

func ExampleParams_Required() {
	p := staking.IONet()
	for _, d := range []struct {
		name       string
		multiplier uint32 // hundredths
		gpus       uint32
	}{
		{"H100", 1_000, 8},
		{"RTX 4070", 25, 4},
	} {
		n, err := p.Required(d.multiplier, d.gpus)
		fmt.Printf("%d x %s: %s IO %v\n", d.gpus, d.name, n, err)
	}
	// Output:
	// 8 x H100: 16000 IO <nil>
	// 4 x RTX 4070: 800 IO <nil>
}

func ExampleNewPool() {
	pool, err := staking.NewPool(staking.IONet())
	fmt.Println(pool.Books(), err)
	_, err = staking.NewPool(staking.Params{})
	fmt.Println(err)
	// Output:
	// {0 0 0 0} <nil>
	// staking: parameters: version is empty
}

func ExamplePool_Apply() {
	pool := bonded()
	_, err := pool.Apply(begin(101), staking.OfferAccepted{Offer: "o1", Holder: "sam", Amount: 100 * tokenomics.UnitsPerToken})
	fmt.Println(errors.Is(err, staking.ErrSelfStake), err)
	_, err = pool.Apply(begin(101), staking.OfferClosed{Offer: "o1"})
	fmt.Println(err)
	// Output:
	// true staking: owner cannot co-stake on the own bond: "sam", bond "rtx3090"
	// <nil>
}

func ExamplePool_Audit() {
	fmt.Println(bonded().Audit())
	// Output: <nil>
}

func ExamplePool_Digest() {
	a, b := bonded(), bonded()
	fmt.Println(a.Digest() == b.Digest())
	// Output: true
}

func ExamplePool_Snapshot() {
	pool := bonded()
	fmt.Println(len(pool.Snapshot()), "bytes")
	// Output: 269 bytes
}

func ExampleRestore() {
	pool := bonded()
	twin, err := staking.Restore(staking.IONet(), pool.Snapshot())
	fmt.Println(twin.Digest() == pool.Digest(), err)
	_, err = staking.Restore(staking.IONet(), []byte("noise"))
	fmt.Println(errors.Is(err, staking.ErrSnapshot))
	// Output:
	// true <nil>
	// true
}

func ExamplePool_Bond() {
	var b staking.BondView
	b, ok := bonded().Bond("rtx3090")
	fmt.Println(ok, b.Owner, "has", b.Counted, "of", b.Required, "missing", b.Missing)
	for _, lot := range b.Lots {
		show := func(l staking.LotView) { fmt.Println(l.Role, l.Holder, l.Balance, "earns from epoch", l.EarnsFrom) }
		show(lot)
	}
	// Output:
	// true sam has 200 of 200 missing 0
	// owner sam 200 earns from epoch 101
}

func ExamplePool_Bonds() {
	var ids []staking.BondID
	for id, b := range bonded().Bonds() {
		ids = append(ids, id)
		fmt.Println(id, b.MultiplierCenti, b.GPUs)
	}
	fmt.Println(ids)
	// Output:
	// rtx3090 50 1
	// [rtx3090]
}

func ExamplePool_Offer() {
	var o staking.OfferView
	o, ok := bonded().Offer("o1")
	fmt.Println(ok, o.Amount, o.RewardShareBps, o.State)
	// Output: true 100 3100 open
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
	pool := bonded()
	for _, id := range []staking.HolderID{"sam", "ann"} {
		var h staking.HolderView
		h, ok := pool.Holder(id)
		fmt.Println(id, ok, h.Bonded, h.Paid, h.Claims)
	}
	// Output:
	// sam true 200 0 0
	// ann false 0 0 0
}

func ExamplePool_Books() {
	var b staking.Books = bonded().Books()
	fmt.Println(b.Deposits == b.Bonded, b.Rewards == b.Paid)
	// Output: true true
}

func ExamplePool_Eligible() {
	pool := bonded() // in epoch 100: its stake counts from the next one on
	fmt.Println(pool.Eligible("rtx3090", 100))
	fmt.Println(pool.Eligible("rtx3090", 101))
	// Output:
	// staking: bond "rtx3090" holds 0 IO, needs 200; 200 IO more came too late to count in epoch 100
	// <nil>
}

func ExampleShortStakeError() {
	pool := bonded()
	_, err := pool.Apply(begin(102), staking.Rewarded{Bond: "rtx3090", Epoch: 100, Amount: 1})
	var short *staking.ShortStakeError
	if errors.As(err, &short) {
		fmt.Println(short.Have, short.Need, short.Late)
	}
	fmt.Println(err)
	// Output:
	// 0 200 200
	// staking: bond "rtx3090" holds 0 IO, needs 200; 200 IO more came too late to count in epoch 100
}

func ExampleRole() {
	fmt.Println(staking.Owner, staking.CoStaker)
	// Output: owner co-staker
}

func ExampleOfferState() {
	fmt.Println(staking.StateOpen, staking.StateFilled, staking.StateClosed, staking.StateExpired)
	// Output: open filled closed expired
}

func ExampleDefaultTiers() {
	show := func(t staking.Tier, r staking.TierRule) { fmt.Println(t, r.Name, r.Compliance) }
	for i, rule := range staking.DefaultTiers().Tiers {
		show(staking.Tier(i+1), rule)
	}
	// Output:
	// 1 Verified []
	// 2 Standard [[transport encryption]]
	// 3 Professional [[transport encryption] [disk encryption]]
	// 4 Enterprise [[SOC 2 ISO 27001]]
}

func ExampleTierPolicy_Validate() {
	p := staking.DefaultTiers()
	p.Tiers[2].MinConnectivity = 1
	fmt.Println(p.Validate())
	// Output: staking: parameters: tier 3 asks for less min_connectivity than tier 2
}

func ExampleTierPolicy_Assess() {
	now := time.Date(2025, 7, 1, 12, 0, 0, 0, time.UTC)
	evidence := staking.Evidence{
		HardwareProvedAt: now.Add(-20 * time.Minute),
		MultiplierCenti:  500,
		Pool:             staking.Enterprise,
		Required:         1_000 * tokenomics.UnitsPerToken,
		Counted:          1_000 * tokenomics.UnitsPerToken,
		OwnerPart:        1_000 * tokenomics.UnitsPerToken,
		Connectivity:     2,
		Attestations: []staking.Attestation{{
			Criterion: staking.TransportEncryption, Issuer: "network", IssuedAt: now.Add(-time.Hour), ExpiresAt: now.Add(time.Hour),
		}},
		StandingLowPPM: 932_000,
	}
	var a staking.Assessment = staking.DefaultTiers().Assess(evidence, now)
	fmt.Println("tier", a.Tier)
	for _, s := range a.Shortfalls {
		fmt.Println(s)
	}
	// Output:
	// tier 2
	// tier 3 needs connectivity: 3 or higher, has 2; measure a faster line
	// tier 3 needs compliance: disk encryption attested, has none; have it attested
	// tier 3 needs standing: 940000 ppm of staying up for 24 h, has 932000; stay up: the lower bound rises with every hour
}

func ExampleShortfall() {
	s := staking.Shortfall{
		Tier: 1, Criterion: staking.CriterionStake, Have: "150", Need: "200", Unit: "IO", Cure: "bond 50 IO more",
	}
	fmt.Println(s)
	// Output: tier 1 needs stake: 200 IO, has 150; bond 50 IO more
}

func ExampleCriterion() {
	issuedFor := []staking.Criterion{staking.SOC2, staking.ISO27001}
	fmt.Printf("%q\n", issuedFor)
	// Output: ["SOC 2" "ISO 27001"]
}

func ExampleHardwarePool() {
	fmt.Println(staking.NoPool, staking.Community, staking.Enterprise)
	// Output: none community enterprise
}
