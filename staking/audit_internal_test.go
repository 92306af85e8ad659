package staking

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// audited returns a pool with two bonds, an offer in each state and a reward: enough to break every invariant.
func audited(t *testing.T) *Pool {
	t.Helper()
	params := IONet()
	p, err := NewPool(params)
	require.NoError(t, err)
	at := params.Calendar.StartOf(100)
	const io = tokenomics.UnitsPerToken
	for _, e := range []Event{
		BondOpened{Bond: "a", Owner: "sam", MultiplierCenti: 500, GPUs: 1},
		Deposited{Bond: "a", Holder: "sam", Amount: 600 * io},
		Deposited{Bond: "a", Holder: "sam", Amount: 400 * io},
		OfferPosted{Offer: "o1", Bond: "a", Amount: 200 * io, RewardShareBps: 2_000, Expires: at.Add(time.Hour)},
		OfferClosed{Offer: "o1"},
		OfferPosted{Offer: "o2", Bond: "a", Amount: 300 * io, RewardShareBps: 3_000, Expires: at.Add(time.Hour)},
		OfferAccepted{Offer: "o2", Holder: "ann", Amount: 300 * io},
		OfferPosted{Offer: "o3", Bond: "a", Amount: 100 * io, RewardShareBps: 1_000, Expires: at.Add(1_000 * time.Hour)},
		BondOpened{Bond: "b", Owner: "eve", MultiplierCenti: 100, GPUs: 1},
	} {
		_, err := p.Apply(at, e)
		require.NoError(t, err)
	}
	_, err = p.Apply(at.Add(2*time.Hour), Rewarded{Bond: "a", Epoch: 101, Amount: 1_001})
	require.NoError(t, err)
	require.NoError(t, p.Audit())
	return p
}

// Every invariant that the audit states is broken once, and the audit says so.
func TestAuditNotices(t *testing.T) {
	for name, damage := range map[string]func(*Pool){
		"books":                            func(p *Pool) { p.books.Deposits++ },
		"books {Deposits":                  func(p *Pool) { p.books.Paid-- },
		"holder \"sam\": bonded":           func(p *Pool) { p.holders[0].bonded++ },
		"holder \"ann\": bonded":           func(p *Pool) { p.holders[1].paid-- },
		"holder \"eve\": bonded":           func(p *Pool) { p.holders[2].claims++ },
		"holder \"ann\" has 3 claims":      func(p *Pool) { p.holders[1].claims = 3 },
		"holder \"sam\" is not indexed":    func(p *Pool) { p.holderIndex["sam"] = 1 },
		"bond \"a\" is not indexed":        func(p *Pool) { delete(p.bondIndex, "a") },
		"offer \"o1\" is not indexed":      func(p *Pool) { p.offerIndex["o1"] = 1 },
		"an index names more":              func(p *Pool) { p.offerIndex["o9"] = 0 },
		"bond \"a\" requires":              func(p *Pool) { p.bonds[0].required++ },
		"bond \"a\": owner 1000.00000001":  func(p *Pool) { p.bonds[0].ownerStake++ },
		"bond \"a\": owner 1000, co":       func(p *Pool) { p.bonds[0].lots[2].balance++; p.offers[1].amount++ },
		"bond \"a\" has a lot that offer":  func(p *Pool) { p.bonds[0].lots[2].balance++ },
		"paid its co-stakers":              func(p *Pool) { p.bonds[0].lots[2].paid = 1_002 },
		"earned 0.00001001 in no epoch":    func(p *Pool) { p.bonds[0].lastEpoch = 0 },
		"rewarded for epoch 102 at":        func(p *Pool) { p.bonds[0].lastEpoch = 102 },
		"has 3 lots, the limit is 2":       func(p *Pool) { p.params.MaxLotsPerBond = 2 },
		"lots out of order":                func(p *Pool) { p.bonds[0].lots[1].bondedAt = p.bonds[0].lots[0].bondedAt.Add(-1) },
		"has an empty lot":                 func(p *Pool) { p.bonds[0].lots[0].balance = 0 },
		"counts from epoch 100, not 101":   func(p *Pool) { p.bonds[0].lots[0].from-- },
		"lot of \"eve\" without an offer":  func(p *Pool) { p.bonds[0].lots[0].holder = 2 },
		"lot of \"sam\" without an offer":  func(p *Pool) { p.bonds[0].lots[0].paid = 1 },
		"a lot of 2024-06-19T22:00:00Z":    func(p *Pool) { p.bonds[0].lots[2].bondedAt = p.now.Add(time.Hour) },
		"was filled at":                    func(p *Pool) { p.bonds[0].lots[2].bondedAt = p.now; p.bonds[0].lots[2].from = 103 },
		"offer \"o2\" was filled twice":    func(p *Pool) { p.bonds[0].lots = append(p.bonds[0].lots, p.bonds[0].lots[2]) },
		"is a co-staker of it":             func(p *Pool) { p.bonds[0].lots[2].holder, p.offers[1].holder = 0, 0 },
		"offer \"o3\" is filled, and lots": func(p *Pool) { p.offers[2].state = StateFilled },
		"offer \"o1\" is for":              func(p *Pool) { p.offers[0].amount = 1 },
		"offer \"o1\" gives 499 bps":       func(p *Pool) { p.offers[0].shareBps = 499 },
		"offer \"o1\", posted":             func(p *Pool) { p.offers[0].expires = p.offers[0].posted },
		"has 300 of co-stake, the limit":   func(p *Pool) { p.params.MaxCoBps = 2_999 },
		"offer \"o3\" asks for 100, co-st": func(p *Pool) { p.params.MaxCoBps = 3_999 },
		"gives 10001 bps":                  func(p *Pool) { p.offers[1].shareBps = 9_001 },
		"has 1 open offers, the limit":     func(p *Pool) { p.params.MaxOffersPerBond = 0 },
		"its owner holds 999.99999999":     func(p *Pool) { p.bonds[0].lots[0].balance--; p.bonds[0].ownerStake-- },
	} {
		t.Run(name, func(t *testing.T) {
			p := audited(t)
			damage(p)
			err := p.Audit()
			require.ErrorIs(t, err, ErrAudit)
			require.ErrorContains(t, err, name)
		})
	}
}

// A line that the table does not have is a programmer's mistake.
func TestUnknownLinePanics(t *testing.T) {
	require.Panics(t, func() { TierRule{}.meets("size", Evidence{}, time.Time{}) })
	require.Panics(t, func() { TierRule{}.describe("size", Evidence{}, time.Time{}) })
	require.Panics(t, func() { Params{MaxCoBps: 20_000}.maxCo(^tokenomics.Amount(0)) })
}
