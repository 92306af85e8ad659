package staking_test

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/idlegrid/idlegrid/staking"
)

// seller returns a pool in which sam has bonded 1,000 IO for an A100 and asks for 500 more, for 31 % of its rewards.
func seller() (*staking.Pool, error) {
	pool, err := staking.NewPool(staking.IONet())
	if err != nil {
		return nil, err
	}
	for _, e := range []staking.Event{
		staking.BondOpened{Bond: "a100", Owner: "sam", MultiplierCenti: 500, GPUs: 1},
		staking.Deposited{Bond: "a100", Holder: "sam", Amount: io(1_000)},
		staking.OfferPosted{Offer: "o1", Bond: "a100", Holder: "sam", Amount: io(500), RewardShareBps: 3_100, Expires: begin(400)},
	} {
		if _, err := pool.Apply(begin(100), e); err != nil {
			return nil, err
		}
	}
	return pool, nil
}

// ann looks for 10 % a year, and sam sees why the offer is not for him.
func ExamplePool_Market() {
	pool, err := seller()
	if err != nil {
		fmt.Println(err)
		return
	}
	outlook := func(staking.BondID) (staking.Outlook, bool) {
		return staking.Outlook{RewardLow: 1_800_000, RewardMean: 2_000_000, RewardHigh: 2_200_000, EligiblePPM: 980_000}, true
	}
	for _, who := range []staking.HolderID{"ann", "sam"} {
		listings, err := pool.Market(staking.Query{Holder: who, HurdlePPM: 100_000, ShowExcluded: true}, outlook)
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, l := range listings {
			fmt.Printf("%s: %s, %s IO for %d bps, fair from %d bps\n", who, l.Offer, l.Left, l.View.RewardShareBps, l.FairShareBps)
			fmt.Printf("  %d ppm a year, %d to %d\n", l.Yield.MeanPPM, l.Yield.LowPPM, l.Yield.HighPPM)
			for _, x := range l.Exclusions {
				fmt.Printf("  %s (%t)\n", x.Sentence, errors.Is(x.Reason, staking.ErrSelfStake))
			}
		}
	}
	// Output:
	// ann: o1, 500 IO for 3100 bps, fair from 3081 bps
	//   100648 ppm a year, 90583 to 110714
	// sam: o1, 500 IO for 3100 bps, fair from 3081 bps
	//   100648 ppm a year, 90583 to 110714
	//   the device is your own (true)
}

// An offer in the words of io.net.
func ExamplePool_Status() {
	pool, err := seller()
	if err != nil {
		fmt.Println(err)
		return
	}
	show := func() {
		owner, _ := pool.Status("o1", staking.Owner)
		co, _ := pool.Status("o1", staking.CoStaker)
		fmt.Printf("%s | %s\n", owner, co)
	}
	show()
	for _, e := range []staking.Event{
		staking.OfferAccepted{Offer: "o1", Holder: "ann", Amount: io(500)},
		staking.Unstaked{Bond: "a100", Holder: "ann", Offer: "o1"},
	} {
		if _, err := pool.Apply(begin(101), e); err != nil {
			fmt.Println(err)
			return
		}
		show()
	}
	// Output:
	// Sufficient (Waiting for Co-Staker) | Sufficient (Waiting for Co-Staker)
	// no label | no label
	// Sufficient (Wait Period) | Co-Staker Unstaked (In Wait Period)
}

func ExampleQuery() {
	q := staking.Query{MinShareBps: 500, MaxLock: 30 * 24 * time.Hour, Sort: staking.ByShare, Limit: 20}
	fmt.Println(q.Validate())
	q.MinShareBps = 20_000
	fmt.Println(q.Validate())
	// Output:
	// <nil>
	// staking: query: min_share_bps 20000 is above 10000
}

// Three days of a device that was down for six hours of the second.
func ExampleOutlookOf() {
	rewards := slices.Concat(repeat(24, 1_000), repeat(18, 1_000), repeat(6, 0), repeat(24, 1_100))
	o, err := staking.OutlookOf(rewards, 24)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(uint64(o.RewardLow), uint64(o.RewardMean), uint64(o.RewardHigh), o.EligiblePPM)
	_, err = staking.OutlookOf(rewards[:30], 24)
	fmt.Println(err)
	// Output:
	// 547 1036 1525 916666
	// staking: yield: 30 rewards, an interval needs two days of 24
}

// 500 IO for 31 % of what an A100 earns. Whoever stays for a month has them bound for 51 days.
func ExampleOutlook() {
	o := staking.Outlook{
		RewardLow: 1_800_000, RewardMean: 2_000_000, RewardHigh: 2_200_000, EligiblePPM: 980_000,
		SlashHazardPPM: 50_000, SlashLossPPM: 40_000, // once in 20 years, 4 %
	}
	fmt.Println("valid:", o.Validate())
	for _, holding := range []time.Duration{30 * 24 * time.Hour, 365 * 24 * time.Hour} {
		t := staking.Terms{Amount: io(500), RewardShareBps: 3_100, Epoch: time.Hour, Holding: holding, Exit: 504 * time.Hour}
		y, err := o.Yield(t)
		if err != nil {
			fmt.Println(err)
			return
		}
		share, err := o.FairShareBps(t, 80_000)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s: %d ppm (%d to %d), fair for 8 %% from %d bps\n", holding, y.MeanPPM, y.LowPPM, y.HighPPM, share)
	}
	// Output:
	// valid: <nil>
	// 720h0m0s: 60531 ppm (54278 to 66785), fair for 8 % from 4066 bps
	// 8760h0m0s: 98648 ppm (88583 to 108714), fair for 8 % from 2526 bps
}

func ExampleTerms() {
	fmt.Println(staking.Terms{Amount: io(500), RewardShareBps: 3_100, Epoch: time.Hour}.Validate())
	// Output:
	// staking: yield: holding 0s is not in 1ns..87840h0m0s
}

// Whoever gains 20 IO by cheating and has 2,000 IO at stake must be found out once in 101 times.
func ExampleLeastAuditPPM() {
	ppm, err := staking.LeastAuditPPM(io(20), io(2_000))
	fmt.Println(ppm, err)
	// Output:
	// 9901 <nil>
}

// If one in a hundred is audited, a gain of 20 IO needs 1,980 IO of stake, and a unit more.
func ExampleLeastStake() {
	stake, err := staking.LeastStake(io(20), 10_000)
	fmt.Println(stake, err)
	// Output:
	// 1980.00000001 <nil>
}
