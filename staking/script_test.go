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

// The scripts are testdata/script-*.txt. In them, epoch e=105 sets the clock to the beginning of that epoch; the other commands are events, with
// amounts in IO, and show prints the pool.
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

func amount(c script.Command, t testing.TB) tokenomics.Amount {
	n, err := tokenomics.ParseAmount(c.Str("amount"))
	require.NoError(t, err)
	return n
}

func (s *scripted) run(c script.Command) string {
	switch c.Name {
	case "epoch":
		s.at = begin(tokenomics.Epoch(c.Uint("e")))
		if c.Has("after") {
			d, err := time.ParseDuration(c.Str("after"))
			require.NoError(s.w.t, err)
			s.at = s.at.Add(d)
		}
		return ""
	case "open":
		return s.apply(staking.BondOpened{
			Bond: staking.BondID(c.Str("bond")), Owner: staking.HolderID(c.Str("owner")),
			MultiplierCenti: uint32(c.Uint("centi")), GPUs: uint32(c.Uint("gpus")),
		})
	case "deposit":
		return s.apply(staking.Deposited{
			Bond: staking.BondID(c.Str("bond")), Holder: staking.HolderID(c.Str("holder")), Amount: amount(c, s.w.t),
		})
	case "offer":
		return s.apply(staking.OfferPosted{
			Offer: staking.OfferID(c.Str("offer")), Bond: staking.BondID(c.Str("bond")), Amount: amount(c, s.w.t),
			RewardShareBps: uint32(c.Uint("bps")), Expires: begin(tokenomics.Epoch(c.Uint("until"))),
		})
	case "accept":
		return s.apply(staking.OfferAccepted{
			Offer: staking.OfferID(c.Str("offer")), Holder: staking.HolderID(c.Str("holder")), Amount: amount(c, s.w.t),
		})
	case "close":
		return s.apply(staking.OfferClosed{Offer: staking.OfferID(c.Str("offer"))})
	case "reward":
		return s.apply(staking.Rewarded{
			Bond: staking.BondID(c.Str("bond")), Epoch: tokenomics.Epoch(c.Uint("e")), Amount: amount(c, s.w.t),
		})
	case "show":
		return s.show()
	}
	return "unknown command"
}

func (s *scripted) apply(e staking.Event) string {
	before := s.w.Digest()
	effects, err := s.w.Apply(s.at, e)
	if err != nil {
		require.Equal(s.w.t, before, s.w.Digest())
		return "refused: " + err.Error()
	}
	require.NoError(s.w.t, s.w.Audit())
	var out strings.Builder
	for _, e := range effects {
		switch e := e.(type) {
		case staking.Locked:
			fmt.Fprintf(&out, "locked %s %s %s %s\n", e.Bond, e.Holder, e.Role, e.Amount)
		case staking.Paid:
			fmt.Fprintf(&out, "paid %s %s %s epoch %d %s\n", e.Bond, e.Holder, e.Role, e.Epoch, e.Amount)
		}
	}
	return out.String()
}

func (s *scripted) show() string {
	var out strings.Builder
	for id, b := range s.w.Bonds() {
		fmt.Fprintf(&out, "bond %s of %s: %s of %s, owner %s, co-stake %s, missing %s, rewarded %s, last epoch %d\n",
			id, b.Owner, b.Counted, b.Required, b.OwnerStake, b.CoStake, b.Missing, b.Rewarded, b.LastEpoch)
		for _, l := range b.Lots {
			fmt.Fprintf(&out, "  %s %s %s from epoch %d", l.Holder, l.Role, l.Balance, l.EarnsFrom)
			if l.Role == staking.CoStaker {
				fmt.Fprintf(&out, ", offer %s, %d bps, paid %s", l.Offer, l.RewardShareBps, l.Paid)
			}
			out.WriteString("\n")
		}
	}
	for id, o := range s.w.Offers() {
		fmt.Fprintf(&out, "offer %s on %s: %s at %d bps, %s", id, o.Bond, o.Amount, o.RewardShareBps, o.State)
		if o.Holder != "" {
			fmt.Fprintf(&out, " by %s", o.Holder)
		}
		out.WriteString("\n")
	}
	b := s.w.Books()
	fmt.Fprintf(&out, "deposits %s = bonded %s, rewards %s = paid %s\n", b.Deposits, b.Bonded, b.Rewards, b.Paid)
	return out.String()
}
