// Command costake tells of a supplier and three co-stakers: a reward, appeals lost and won, exits in both orders.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

const one, hour, day = tokenomics.Amount(tokenomics.UnitsPerToken), time.Hour, 24 * time.Hour

func main() {
	var out bytes.Buffer
	err := run(&out)
	if _, unwritten := out.WriteTo(os.Stdout); errors.Join(err, unwritten) != nil {
		fmt.Fprintln(os.Stderr, "costake:", errors.Join(err, unwritten))
		os.Exit(1)
	}
}

func run(out *bytes.Buffer) error {
	rules := staking.IONet()
	rules.Version, rules.MaxFills = "io.net, but three holders may share an offer", 3
	pool, err := staking.NewPool(rules)
	if err != nil {
		return err
	}
	s := &story{out: out, pool: pool, at: rules.Calendar.StartOf(105)}
	hire(s)
	faults(s)
	exits(s)
	s.balances()
	return errors.Join(s.err, pool.Audit())
}

func hire(s *story) {
	s.chapter("Sam supplies eight RTX 6000 Ada (multiplier 2.5): 200 * 2.5 * 8 = 4,000 IO are required")
	s.do(staking.BondOpened{Bond: "ada8", Owner: "sam", MultiplierCenti: 250, GPUs: 8}, staking.Deposited{Bond: "ada8", Holder: "sam", Amount: 4_000 * one})
	s.chapter("He asks for 2,000 IO, half of it, and gives half of the rewards; three holders fill the offer")
	s.do(staking.OfferPosted{
		Offer: "o1", Bond: "ada8", Holder: "sam", Amount: 2_000 * one, MinFill: 400 * one, MaxFills: 3, RewardShareBps: 5_000, Expires: s.at.Add(day),
	})
	s.do(staking.OfferAccepted{Offer: "o1", Holder: "ann", Amount: 1_000 * one})
	s.do(staking.OfferAccepted{Offer: "o1", Holder: "bob", Amount: 600 * one}, staking.OfferAccepted{Offer: "o1", Holder: "cyd", Amount: 400 * one})
	s.pass(2 * hour)
	s.chapter("Epoch 106 brings the device 100 IO: half goes to the fills by their size, half to Sam. Bob claims: a fraction of a unit stays for the next time")
	s.do(staking.Rewarded{Bond: "ada8", Epoch: 106, Amount: 100 * one}, staking.Claimed{Bond: "ada8", Holder: "bob"})
}

func faults(s *story) {
	s.chapter("Rae has hired the device and cannot reach it for two hours: 4 % of all 6,000 IO, unclaimed rewards first, then Sam's stake")
	s.do(staking.Infracted{Evidence: "outage", Bond: "ada8", Kind: staking.InadequateService, At: s.at, Measure: 7_200, Renter: "rae"})
	s.chapter("Sam appeals and loses: a tenth is for the renter, the rest is burned")
	s.do(staking.Appealed{Evidence: "outage", Holder: "sam"}, staking.AppealDecided{Evidence: "outage"})
	s.chapter("The idle cards are said to have been busy for an hour: 1 %. Sam shows that they were Rae's, and wins")
	s.do(staking.Infracted{Evidence: "busy", Bond: "ada8", Kind: staking.Utilisation, At: s.at, Measure: 1})
	s.do(staking.Appealed{Evidence: "busy", Holder: "sam"}, staking.AppealDecided{Evidence: "busy", Won: true})
	s.pass(hour)
	s.do(staking.Rewarded{Bond: "ada8", Epoch: 107, Amount: 80 * one})
}

func exits(s *story) {
	s.chapter("A co-staker leaves first: bob waits 7 days, in which he counts and earns nothing, and cools for 14")
	s.do(staking.Unstaked{Bond: "ada8", Holder: "bob", Offer: "o1"})
	s.pass(8 * day)
	s.chapter("The owner leaves: 1,400 IO are short of 4,000, so ann and cyd cool with him for 14 days")
	s.do(staking.Unstaked{Bond: "ada8", Holder: "sam"})
	s.pass(14 * day)
	s.chapter("At the end of the cooldown everybody withdraws, with what is earned")
	s.do(staking.Withdrawn{Bond: "ada8", Holder: "sam"}, staking.Withdrawn{Bond: "ada8", Holder: "ann"})
	s.do(staking.Withdrawn{Bond: "ada8", Holder: "bob"}, staking.Withdrawn{Bond: "ada8", Holder: "cyd"}, staking.Claimed{Bond: "ada8", Holder: "sam"})
}

// story applies events and says what followed.
type story struct {
	out  *bytes.Buffer
	pool *staking.Pool
	at   time.Time
	err  error
}

func (s *story) chapter(text string) {
	fmt.Fprintf(s.out, "\n%s: %s.\n", s.at.Format("2006-01-02 15:04"), text)
}

func (s *story) pass(d time.Duration) {
	end := s.at.Add(d)
	for next, ok := s.pool.Next(); ok && !next.After(end); next, ok = s.pool.Next() {
		s.at = next
		s.do(staking.Ticked{})
	}
	s.at = end
}

func (s *story) do(events ...staking.Event) {
	for _, event := range events {
		effects, err := s.pool.Apply(s.at, event)
		s.err = errors.Join(s.err, err)
		for _, e := range effects {
			fmt.Fprintf(s.out, "  %s\n", e)
		}
	}
}

// balances explains what everybody has in the end, all of it outside of the pool.
func (s *story) balances() {
	fmt.Fprintf(s.out, "\nWhat came back of the stake, what was paid, and what slashes took:\n")
	for _, who := range []staking.HolderID{"sam", "ann", "bob", "cyd"} {
		h, _ := s.pool.Holder(who)
		fmt.Fprintf(s.out, "  %s has %s + %s = %s IO; slashed %s\n", who, h.Released, h.Paid, h.Released+h.Paid, h.Slashed)
	}
	b := s.pool.Books()
	fmt.Fprintf(s.out, "  deposits %s + rewards %s = released %s + paid %s + compensated %s + burned %s + still here %s\n",
		b.Deposits, b.Rewards, b.Released, b.Paid, b.Compensated, b.Burned, b.Bonded+b.Accrued+b.Escrow)
}
