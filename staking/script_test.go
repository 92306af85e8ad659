package staking_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/script"
	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// The scripts are testdata/script-*.txt. In them, epoch e=105 sets the clock to the beginning of that epoch and wait d=24h
// moves it on; the other commands are events, with amounts in IO, and show prints the pool.
func TestScripts(t *testing.T) {
	script.Run(t, "testdata/script-*.txt", func(t *testing.T) func(script.Command) string {
		s := &scripted{w: newWorld(t), at: begin(1)}
		return s.run
	})
}

type scripted struct {
	w  world
	at time.Time
}

func (s *scripted) run(c script.Command) string {
	if e := s.event(c); e != nil {
		return s.apply(e)
	}
	switch c.Name {
	case "network":
		s.w = newWorld(s.w.t, func(p *staking.Params) { p.MaxFills = uint32(c.Uint("fills")) })
	case "epoch":
		s.at = begin(tokenomics.Epoch(c.Uint("e"))).Add(s.span(c.Opt("after", "0s")))
	case "wait":
		s.at = s.at.Add(s.span(c.Str("d")))
	case "next":
		at, ok := s.w.Next()
		if !ok {
			return "nothing is due"
		}
		return "due " + clock(at)
	case "show":
		return s.show()
	default:
		return "unknown command"
	}
	return clock(s.at)
}

func (s *scripted) span(text string) time.Duration {
	s.w.t.Helper()
	d, err := time.ParseDuration(text)
	require.NoError(s.w.t, err)
	return d
}

func (s *scripted) money(text string) tokenomics.Amount {
	s.w.t.Helper()
	n, err := tokenomics.ParseAmount(text)
	require.NoError(s.w.t, err)
	return n
}

// clock writes an instant with as many digits as it needs.
func clock(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05.999999999") }

// event returns the event of a command, nil if it is none.
func (s *scripted) event(c script.Command) staking.Event {
	bond := staking.BondID(c.Opt("bond", ""))
	holder := staking.HolderID(c.Opt("holder", ""))
	offer := staking.OfferID(c.Opt("offer", ""))
	evidence := staking.EvidenceID(c.Opt("evidence", ""))
	switch c.Name {
	case "open":
		return staking.BondOpened{
			Bond: bond, Owner: staking.HolderID(c.Str("owner")), MultiplierCenti: uint32(c.Uint("centi")), GPUs: uint32(c.Uint("gpus")),
		}
	case "requalify":
		return staking.Requalified{
			Bond: bond, MultiplierCenti: uint32(c.Uint("centi")), GPUs: uint32(c.Uint("gpus")), TableChanged: c.Opt("table", "same") == "changed",
		}
	case "hire":
		return staking.HireStarted{Bond: bond}
	case "unhire":
		return staking.HireEnded{Bond: bond}
	case "terminate":
		return staking.DeviceTerminated{Bond: bond}
	case "deposit":
		return staking.Deposited{Bond: bond, Holder: holder, Amount: s.money(c.Str("amount"))}
	case "overflow":
		return staking.OverflowWithdrawn{Bond: bond, Holder: holder, Amount: s.money(c.Str("amount"))}
	case "unstake":
		return staking.Unstaked{Bond: bond, Holder: holder, Offer: offer}
	case "withdraw":
		return staking.Withdrawn{Bond: bond, Holder: holder}
	case "offer":
		return staking.OfferPosted{
			Offer: offer, Bond: bond, Holder: holder, Amount: s.money(c.Str("amount")), MinFill: s.money(c.Opt("min", "0")),
			MaxFills: uint32(len(c.Opt("fills", ""))), RewardShareBps: uint32(c.Uint("bps")),
			Expires: begin(tokenomics.Epoch(c.Uint("until"))), Lock: s.span(c.Opt("lock", "0s")),
		}
	case "accept":
		return staking.OfferAccepted{Offer: offer, Holder: holder, Amount: s.money(c.Str("amount"))}
	case "close":
		return staking.OfferClosed{Offer: offer, Holder: holder}
	case "link":
		return staking.WalletsLinked{A: staking.HolderID(c.Str("a")), B: staking.HolderID(c.Str("b"))}
	case "reward":
		return staking.Rewarded{Bond: bond, Epoch: tokenomics.Epoch(c.Uint("e")), Amount: s.money(c.Str("amount"))}
	case "claim":
		return staking.Claimed{Bond: bond, Holder: holder}
	case "slash":
		return staking.Infracted{
			Evidence: evidence, Bond: bond, Kind: staking.Infraction(c.Str("kind")), At: begin(tokenomics.Epoch(c.Uint("e"))),
			Measure: c.Uint("measure"), Renter: staking.HolderID(c.Opt("renter", "")), Reporter: staking.HolderID(c.Opt("reporter", "")),
		}
	case "appeal":
		return staking.Appealed{Evidence: evidence, Holder: holder}
	case "decide":
		return staking.AppealDecided{Evidence: evidence, Won: c.Str("won") == "yes"}
	case "tick":
		return staking.Ticked{}
	}
	return nil
}

func (s *scripted) apply(e staking.Event) string {
	before := s.w.Digest()
	effects, err := s.w.Apply(s.at, e)
	if err != nil {
		require.Equal(s.w.t, before, s.w.Digest())
		return "refused: " + strings.TrimPrefix(err.Error(), "staking: ")
	}
	require.NoError(s.w.t, s.w.Audit())
	var out strings.Builder
	for _, e := range effects {
		out.WriteString(line(e) + "\n")
	}
	return out.String()
}

// line writes an effect.
func line(e staking.Effect) string {
	switch e := e.(type) {
	case staking.Locked:
		return fmt.Sprintf("locked %s of %s, %s of %s: lot %d", e.Amount, e.Holder, e.Role, e.Bond, e.Lot)
	case staking.Unlocking:
		return fmt.Sprintf("lot %d, %s of %s, %s until %s, forced: %t", e.Lot, e.Amount, e.Holder, e.State, clock(e.Until), e.Forced)
	case staking.Matured:
		return fmt.Sprintf("lot %d, %s of %s, has matured", e.Lot, e.Amount, e.Holder)
	case staking.Released:
		return fmt.Sprintf("released %s to %s: payment %d of %s", e.Amount, e.Holder, e.Number, e.Bond)
	case staking.Accrued:
		return fmt.Sprintf("accrued in epoch %d for %s: owner %s, co-stakers %s", e.Epoch, e.Bond, e.Owner, e.CoStakers)
	case staking.Paid:
		return fmt.Sprintf("paid %s to %s, %s, up to epoch %d: payment %d of %s", e.Amount, e.Holder, e.Role, e.Epoch, e.Number, e.Bond)
	case staking.Underbonded:
		return fmt.Sprintf("underbonded %s: %s of %s from %s", e.Bond, e.Have, e.Need, clock(e.Deadline))
	case staking.OfferEnded:
		return fmt.Sprintf("offer %s is %s", e.Offer, e.State)
	case staking.Slashed:
		return fmt.Sprintf("slashed %s, lot %d, stake %s, rewards %s: %s", e.Holder, e.Lot, e.Stake, e.Rewards, e.Evidence)
	case staking.Restored:
		return fmt.Sprintf("restored %s, lot %d, stake %s, rewards %s: %s", e.Holder, e.Lot, e.Stake, e.Rewards, e.Evidence)
	case staking.Burned:
		return fmt.Sprintf("burned %s for %s: %s", e.Amount, e.Kind, e.Evidence)
	case staking.Compensated:
		return fmt.Sprintf("compensated %s with %s: %s", e.Holder, e.Amount, e.Evidence)
	}
	return fmt.Sprintf("%T", e)
}

func (s *scripted) show() string {
	var out strings.Builder
	for id, b := range s.w.Bonds() {
		fmt.Fprintf(&out, "bond %s of %s: %s of %s, owner %s, co-stake %s, missing %s, overflow %s, owner earned %s, last epoch %d\n",
			id, b.Owner, b.Counted, b.Required, b.OwnerStake, b.CoStake, b.Missing, b.Overflow, b.OwnerEarned, b.LastEpoch)
		for _, l := range b.Lots {
			fmt.Fprintf(&out, "  lot %d of %s, %s: %s of %s from epoch %d", l.ID, l.Holder, l.State, l.Balance, l.Bonded, l.EarnsFrom)
			if l.Role == staking.CoStaker {
				fmt.Fprintf(&out, ", offer %s, %d bps, earned %s", l.Offer, l.RewardShareBps, l.Earned)
			}
			out.WriteString("\n")
		}
	}
	for id, o := range s.w.Offers() {
		fmt.Fprintf(&out, "offer %s on %s: %s of %s at %d bps, %d of %d fills, %s\n",
			id, o.Bond, o.Filled, o.Amount, o.RewardShareBps, o.Fills, o.MaxFills, o.State)
	}
	for id, c := range s.w.Cases() {
		fmt.Fprintf(&out, "case %s, %s: %s taken of %s due, %d bps of %s, until %s, appealed: %t\n",
			id, c.Kind, c.Taken, c.Due, c.Bps, c.Basis, clock(c.Deadline), c.Appealed)
	}
	b := s.w.Books()
	fmt.Fprintf(&out, "in: deposits %s, rewards %s\n", b.Deposits, b.Rewards)
	fmt.Fprintf(&out, "there: bonded %s, accrued %s, escrow %s\n", b.Bonded, b.Accrued, b.Escrow)
	fmt.Fprintf(&out, "out: released %s, paid %s, burned %s, compensated %s\n", b.Released, b.Paid, b.Burned, b.Compensated)
	return out.String()
}
