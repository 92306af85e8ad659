package staking_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// An A100 with a co-staker, from the deposit to the reward and its payment.
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
			Offer: "half", Bond: "a100", Holder: "sam", Amount: 500 * tokenomics.UnitsPerToken, RewardShareBps: 3_100, Expires: hour(120),
		}},
		{hour(104), staking.OfferAccepted{Offer: "half", Holder: "ann", Amount: 500 * tokenomics.UnitsPerToken}},
		{hour(106), staking.Rewarded{Bond: "a100", Epoch: 105, Amount: 87_866_191}},
		{hour(106), staking.Claimed{Bond: "a100", Holder: "ann"}},
	} {
		effects, err := pool.Apply(step.at, step.event)
		if err != nil {
			panic(err)
		}
		for _, e := range effects {
			switch e := e.(type) {
			case staking.Locked:
				fmt.Printf("locked %s IO of %s, %s of %s\n", e.Amount, e.Holder, e.Role, e.Bond)
			case staking.Accrued:
				fmt.Printf("in epoch %d the owner earned %s IO and the co-staker %s\n", e.Epoch, e.Owner, e.CoStakers)
			case staking.Paid:
				fmt.Printf("paid %s IO to %s\n", e.Amount, e.Holder)
			}
		}
	}
	// Output:
	// locked 1000 IO of sam, owner of a100
	// locked 500 IO of ann, co-staker of a100
	// in epoch 105 the owner earned 0.60627672 IO and the co-staker 0.27238519
	// paid 0.27238519 IO to ann
}

func ExampleIONet() {
	p := staking.IONet()
	fmt.Println(p.Version, p.BaseStake, "IO a processor, co-stakers at most", p.MaxCoBps, "bps")
	fmt.Println("an owner leaves in", p.OwnerCooldown, "and a co-staker in", p.CoWait+p.CoCooldown)
	// Output:
	// ionet-2025-07 200 IO a processor, co-stakers at most 5000 bps
	// an owner leaves in 336h0m0s and a co-staker in 504h0m0s
}

func ExampleParams_Validate() {
	p := staking.IONet()
	p.EvidenceWindow = 15 * 24 * time.Hour
	fmt.Println(p.Validate())
	// Output:
	// staking: parameters: evidence_window 360h0m0s is above the shortest cooldown, 336h0m0s: stake would leave before the evidence
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

// A network writes its own rules for what an infraction costs.
func ExampleSlashRule() {
	p := staking.IONet()
	p.Slashes = []staking.SlashRule{{
		Kind:      staking.InadequateService,
		Steps:     []staking.SlashStep{{Over: 600, Bps: 100}, {Over: 3_600, Bps: 500}},
		CapBps:    1_000,
		CapWindow: 30 * 24 * time.Hour,
		RenterBps: 1_000,
	}}
	fmt.Println(p.Validate())
	p.Slashes[0].Steps[1].Bps = 100
	fmt.Println(p.Validate())
	// Output:
	// <nil>
	// staking: parameters: slashes, "inadequate service": step 2 does not rise
}

func ExampleInfraction() {
	for _, r := range staking.IONet().Slashes {
		var kind staking.Infraction = r.Kind
		fmt.Println(kind, r.Steps[0].Bps, "bps and up")
	}
	// Output:
	// spoofing 10000 bps and up
	// data compromise 10000 bps and up
	// inadequate service 200 bps and up
	// utilisation over threshold 100 bps and up
	// missed proof 100 bps and up
}

// In JSON an order is its name.
func ExampleSlashOrder() {
	var order staking.SlashOrder
	err := json.Unmarshal([]byte(`"pro rata"`), &order)
	fmt.Println(order == staking.ProRata, err)
	fmt.Println(staking.SupplierFirst, json.Unmarshal([]byte(`"random"`), &order))
	// Output:
	// true <nil>
	// supplier first staking: unknown slash order "random"
}

func ExampleRole() {
	fmt.Println(staking.Owner, staking.CoStaker)
	// Output: owner co-staker
}

func ExampleLotState() {
	fmt.Println(staking.LotActive, staking.LotWaiting, staking.LotCooling, staking.LotMatured)
	// Output: active waiting cooling matured
}

func ExampleOfferState() {
	fmt.Println(staking.StateOpen, staking.StateFilled, staking.StateClosed, staking.StateExpired, staking.StateExhausted)
	// Output: open filled closed expired exhausted
}

// A refusal for want of stake says what there is, what is needed, and what came too late.
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
