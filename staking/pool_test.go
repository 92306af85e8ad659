package staking_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

func TestBondOpened(t *testing.T) {
	w := newWorld(t)
	w.do(begin(100), staking.BondOpened{Bond: "a100", Owner: "sam", MultiplierCenti: 500, GPUs: 1})
	for name, c := range map[string]struct {
		event staking.BondOpened
		want  error
	}{
		"again":            {staking.BondOpened{Bond: "a100", Owner: "eve", MultiplierCenti: 100, GPUs: 1}, staking.ErrBondExists},
		"no name":          {staking.BondOpened{Owner: "sam", GPUs: 1}, staking.ErrID},
		"no owner":         {staking.BondOpened{Bond: "b", GPUs: 1}, staking.ErrID},
		"129 bytes":        {staking.BondOpened{Bond: staking.BondID(strings.Repeat("b", 129)), Owner: "sam", GPUs: 1}, staking.ErrID},
		"no processors":    {staking.BondOpened{Bond: "b", Owner: "sam"}, staking.ErrGPUs},
		"too large a bond": {staking.BondOpened{Bond: "b", Owner: "sam", MultiplierCenti: math.MaxUint32, GPUs: math.MaxUint32}, tokenomics.ErrOverflow},
	} {
		t.Run(name, func(t *testing.T) { world{w.Pool, t}.refuse(begin(100), c.event, c.want) })
	}
	w.do(begin(100), staking.BondOpened{Bond: staking.BondID(strings.Repeat("b", 128)), Owner: "sam", GPUs: 1})
}

func TestDeposited(t *testing.T) {
	w := newWorld(t)
	w.open()
	w.refuse(begin(101), staking.Deposited{Bond: "b", Holder: "sam", Amount: 1}, staking.ErrNoBond)
	w.refuse(begin(101), staking.Deposited{Bond: "a100", Holder: "eve", Amount: 1}, staking.ErrNotOwner)
	w.refuse(begin(101), staking.Deposited{Bond: "a100", Holder: "sam"}, staking.ErrAmount)
	got := w.do(begin(101), staking.Deposited{Bond: "a100", Holder: "sam", Amount: 1})
	require.Equal(t, []staking.Effect{staking.Locked{Bond: "a100", Holder: "sam", Role: staking.Owner, Amount: 1}}, got)
	w.do(begin(101), staking.Deposited{Bond: "a100", Holder: "sam", Amount: math.MaxUint64 - 1})
	w.refuse(begin(101), staking.Deposited{Bond: "a100", Holder: "sam", Amount: 1}, tokenomics.ErrOverflow)
}

// Attack: positions of dust that make a bond expensive to handle.
func TestLotsAreBounded(t *testing.T) {
	w := newWorld(t, func(p *staking.Params) { p.MaxLotsPerBond = 2 })
	w.open(io(1_000), 1)
	w.refuse(begin(101), staking.Deposited{Bond: "a100", Holder: "sam", Amount: 1}, staking.ErrLots)
	w.do(begin(101), offer())
	w.refuse(begin(101), staking.OfferAccepted{Offer: "o1", Holder: "ann", Amount: io(500)}, staking.ErrLots)
}

func TestTimeBackwards(t *testing.T) {
	w := newWorld(t)
	w.open(io(1_000))
	w.refuse(begin(100).Add(-time.Nanosecond), staking.Deposited{Bond: "a100", Holder: "sam", Amount: 1}, staking.ErrTimeBackwards)
	w.do(begin(100), staking.Deposited{Bond: "a100", Holder: "sam", Amount: 1}) // the same instant again
	w.do(begin(101).In(time.FixedZone("east", 3_600)), staking.Deposited{Bond: "a100", Holder: "sam", Amount: 1})
	w.refuse(begin(101).Add(-time.Nanosecond), staking.Deposited{Bond: "a100", Holder: "sam", Amount: 1}, staking.ErrTimeBackwards)
}

func TestOfferPosted(t *testing.T) {
	type set = func(*staking.OfferPosted)
	for name, c := range map[string]struct {
		change set
		want   error
	}{
		"half of the requirement":       {func(*staking.OfferPosted) {}, nil},
		"a unit less":                   {func(o *staking.OfferPosted) { o.Amount-- }, nil},
		"a unit more":                   {func(o *staking.OfferPosted) { o.Amount++ }, staking.ErrCoStake},
		"most of 64 bits":               {func(o *staking.OfferPosted) { o.Amount = math.MaxUint64 }, staking.ErrCoStake},
		"minimum fill":                  {func(o *staking.OfferPosted) { o.Amount = io(1) }, nil},
		"a unit below the minimum fill": {func(o *staking.OfferPosted) { o.Amount = io(1) - 1 }, staking.ErrAmount},
		"share 4.99 %":                  {func(o *staking.OfferPosted) { o.RewardShareBps = 499 }, staking.ErrRewardShare},
		"share 5 %":                     {func(o *staking.OfferPosted) { o.RewardShareBps = 500 }, nil},
		"share 100 %":                   {func(o *staking.OfferPosted) { o.RewardShareBps = 10_000 }, nil},
		"share 100.01 %":                {func(o *staking.OfferPosted) { o.RewardShareBps = 10_001 }, staking.ErrRewardShare},
		"share beyond 32 bits' sums":    {func(o *staking.OfferPosted) { o.RewardShareBps = math.MaxUint32 }, staking.ErrRewardShare},
		"expires at once":               {func(o *staking.OfferPosted) { o.Expires = begin(101) }, staking.ErrExpiry},
		"expired before":                {func(o *staking.OfferPosted) { o.Expires = begin(100) }, staking.ErrExpiry},
		"expires a nanosecond later":    {func(o *staking.OfferPosted) { o.Expires = begin(101).Add(1) }, nil},
		"no name":                       {func(o *staking.OfferPosted) { o.Offer = "" }, staking.ErrID},
		"unknown bond":                  {func(o *staking.OfferPosted) { o.Bond = "b" }, staking.ErrNoBond},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.open(io(1_000))
			if c.want != nil {
				w.refuse(begin(101), offer(c.change), c.want)
				return
			}
			require.Empty(t, w.do(begin(101), offer(c.change)))
		})
	}
}

// The owner holds the whole requirement first, to the unit.
func TestOwnerFirst(t *testing.T) {
	w := newWorld(t)
	w.open(io(1_000) - 1)
	_, err := w.Apply(begin(101), offer())
	var short *staking.ShortStakeError
	require.ErrorAs(t, err, &short)
	require.Equal(t, staking.ShortStakeError{Bond: "a100", Have: io(1_000) - 1, Need: io(1_000)}, *short)
	w.do(begin(101), staking.Deposited{Bond: "a100", Holder: "sam", Amount: 1})
	w.do(begin(101), offer())
}

// All open and filled offers of a bond together keep the limits, whatever the number of offers.
func TestOffersTogether(t *testing.T) {
	w := newWorld(t)
	w.open(io(1_000))
	w.do(begin(101), offer(func(o *staking.OfferPosted) { o.Amount, o.RewardShareBps = io(300), 6_000 }))
	second := func(change ...func(*staking.OfferPosted)) staking.OfferPosted {
		o := offer(change...)
		o.Offer = "o2"
		return o
	}
	fits := func(o *staking.OfferPosted) { o.Amount, o.RewardShareBps = io(200), 4_000 }
	w.refuse(begin(101), second(fits), staking.ErrOpenOffers)
	w.do(begin(101), staking.OfferAccepted{Offer: "o1", Holder: "ann", Amount: io(300)})
	w.refuse(begin(101), second(fits, func(o *staking.OfferPosted) { o.Amount++ }), staking.ErrCoStake)
	w.refuse(begin(101), second(fits, func(o *staking.OfferPosted) { o.RewardShareBps++ }), staking.ErrRewardShare)
	w.do(begin(101), second(fits))

	many := newWorld(t, func(p *staking.Params) { p.MaxOffersPerBond = 2 })
	many.open(io(1_000))
	many.do(begin(101), offer(func(o *staking.OfferPosted) { o.Amount, o.RewardShareBps = io(300), 6_000 }))
	many.refuse(begin(101), second(fits, func(o *staking.OfferPosted) { o.Amount++ }), staking.ErrCoStake)
	many.refuse(begin(101), second(fits, func(o *staking.OfferPosted) { o.RewardShareBps++ }), staking.ErrRewardShare)
	many.do(begin(101), second(fits))
}

// Attack: fill at or after the expiry, fill twice, fill by halves.
func TestOfferAccepted(t *testing.T) {
	accept := staking.OfferAccepted{Offer: "o1", Holder: "ann", Amount: io(500)}
	for name, c := range map[string]struct {
		at    time.Time
		event staking.OfferAccepted
		want  error
	}{
		"a nanosecond before the expiry": {begin(200).Add(-1), accept, nil},
		"at the expiry":                  {begin(200), accept, staking.ErrOfferExpired},
		"a nanosecond after":             {begin(200).Add(1), accept, staking.ErrOfferExpired},
		"when it was posted":             {begin(101), accept, nil},
		"a unit less":                    {begin(101), staking.OfferAccepted{Offer: "o1", Holder: "ann", Amount: io(500) - 1}, staking.ErrAmount},
		"a unit more":                    {begin(101), staking.OfferAccepted{Offer: "o1", Holder: "ann", Amount: io(500) + 1}, staking.ErrAmount},
		"nothing":                        {begin(101), staking.OfferAccepted{Offer: "o1", Holder: "ann"}, staking.ErrAmount},
		"by the owner":                   {begin(101), staking.OfferAccepted{Offer: "o1", Holder: "sam", Amount: io(500)}, staking.ErrSelfStake},
		"by nobody":                      {begin(101), staking.OfferAccepted{Offer: "o1", Amount: io(500)}, staking.ErrID},
		"unknown":                        {begin(101), staking.OfferAccepted{Offer: "o2", Holder: "ann", Amount: io(500)}, staking.ErrNoOffer},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.open(io(1_000))
			w.do(begin(101), offer())
			if c.want != nil {
				w.refuse(c.at, c.event, c.want)
				return
			}
			require.Equal(t,
				[]staking.Effect{staking.Locked{Bond: "a100", Holder: "ann", Role: staking.CoStaker, Amount: io(500)}},
				w.do(c.at, c.event))
			w.refuse(c.at, c.event, staking.ErrOfferOver)
			w.refuse(c.at, staking.OfferClosed{Offer: "o1"}, staking.ErrOfferOver)
		})
	}
}

func TestOfferClosed(t *testing.T) {
	w := newWorld(t)
	w.open(io(1_000))
	w.refuse(begin(101), staking.OfferClosed{Offer: "o1"}, staking.ErrNoOffer)
	w.do(begin(101), offer())
	require.Empty(t, w.do(begin(102), staking.OfferClosed{Offer: "o1"}))
	w.refuse(begin(102), staking.OfferClosed{Offer: "o1"}, staking.ErrOfferOver)
	w.refuse(begin(102), staking.OfferAccepted{Offer: "o1", Holder: "ann", Amount: io(500)}, staking.ErrOfferOver)
	w.refuse(begin(102), offer(), staking.ErrOfferExists) // attack: the same offer with other terms
	w.do(begin(102), offer(func(o *staking.OfferPosted) { o.Offer = "o2" }))
	w.refuse(begin(200), staking.OfferClosed{Offer: "o2"}, staking.ErrOfferExpired)
}

// An expired offer no longer stands in the way of the next one, and needs no tick to expire.
func TestOfferExpires(t *testing.T) {
	w := newWorld(t)
	w.open(io(1_000))
	w.do(begin(101), offer())
	next := offer(func(o *staking.OfferPosted) { o.Offer, o.Expires = "o2", begin(300) })
	w.refuse(begin(200).Add(-1), next, staking.ErrOpenOffers)
	w.do(begin(200), next)
	first, ok := w.Offer("o1")
	require.True(t, ok)
	require.Equal(t, staking.StateExpired, first.State)
	w.do(begin(250), staking.OfferAccepted{Offer: "o2", Holder: "ann", Amount: io(500)})
}

func TestClaims(t *testing.T) {
	w := newWorld(t)
	for i, bond := range []staking.BondID{"b1", "b2", "b3"} {
		id := staking.OfferID("o" + string(bond))
		w.do(begin(100), staking.BondOpened{Bond: bond, Owner: "sam", MultiplierCenti: 100, GPUs: 1})
		w.do(begin(100), staking.Deposited{Bond: bond, Holder: "sam", Amount: io(200)})
		w.do(begin(100), staking.OfferPosted{Offer: id, Bond: bond, Amount: io(100), RewardShareBps: 3_100, Expires: begin(200)})
		accept := staking.OfferAccepted{Offer: id, Holder: "ann", Amount: io(100)}
		if i == 2 {
			w.refuse(begin(100), accept, staking.ErrClaims)
			accept.Holder = "bob"
		}
		w.do(begin(100), accept)
	}
	ann, ok := w.Holder("ann")
	require.True(t, ok)
	require.Equal(t, staking.HolderView{Bonded: io(200), Claims: 2}, ann)
}

func TestQueries(t *testing.T) {
	w := newWorld(t)
	w.open(io(600), io(600))
	w.do(begin(101), staking.BondOpened{Bond: "a0", Owner: "eve", MultiplierCenti: 25, GPUs: 4})
	w.do(begin(101), staking.Deposited{Bond: "a0", Holder: "eve", Amount: io(750)})
	w.do(begin(101), offer())
	w.do(begin(102), staking.OfferAccepted{Offer: "o1", Holder: "ann", Amount: io(500)})

	got, ok := w.Bond("a100")
	require.True(t, ok)
	require.Equal(t, staking.BondView{
		Owner: "sam", MultiplierCenti: 500, GPUs: 1, Required: io(1_000), Counted: io(1_700), OwnerStake: io(1_200), CoStake: io(500),
		Lots: []staking.LotView{
			{Holder: "sam", Role: staking.Owner, Balance: io(600), BondedAt: begin(100), EarnsFrom: 101},
			{Holder: "sam", Role: staking.Owner, Balance: io(600), BondedAt: begin(100), EarnsFrom: 101},
			{
				Holder: "ann", Role: staking.CoStaker, Offer: "o1", RewardShareBps: 3_100, Balance: io(500),
				BondedAt: begin(102), EarnsFrom: 103,
			},
		},
	}, got)
	got.Lots[0].Balance = 0 // the slice is the caller's
	require.NoError(t, w.Audit())

	short, ok := w.Bond("a0")
	require.True(t, ok)
	require.Equal(t, io(50), short.Missing)

	var bonds []staking.BondID
	for id := range w.Bonds() {
		bonds = append(bonds, id)
	}
	require.Equal(t, []staking.BondID{"a0", "a100"}, bonds)
	for range w.Bonds() {
		break
	}
	for id, o := range w.Offers() {
		require.Equal(t, staking.OfferID("o1"), id)
		require.Equal(t, staking.OfferView{
			Bond: "a100", Amount: io(500), RewardShareBps: 3_100, Posted: begin(101), Expires: begin(200),
			State: staking.StateFilled, Holder: "ann",
		}, o)
	}
	for range w.Offers() {
		break
	}
	_, ok = w.Bond("b")
	require.False(t, ok)
	_, ok = w.Offer("o2")
	require.False(t, ok)
	_, ok = w.Holder("bob")
	require.False(t, ok)
	require.Equal(t, staking.Books{Deposits: io(2_450), Bonded: io(2_450)}, w.Books())
}

func TestOffersAreSorted(t *testing.T) {
	w := newWorld(t, func(p *staking.Params) { p.MaxOffersPerBond = 9 })
	w.open(io(1_000))
	for _, id := range []staking.OfferID{"o7", "o10", "o2", "o1"} {
		w.do(begin(101), offer(func(o *staking.OfferPosted) { o.Offer, o.Amount, o.RewardShareBps = id, io(100), 500 }))
	}
	var got []staking.OfferID
	for id := range w.Offers() {
		got = append(got, id)
	}
	require.True(t, slices.IsSorted(got))
	require.Len(t, got, 4)
}

// A pointer to an event, or none, is a programmer's mistake.
func TestUnknownEventPanics(t *testing.T) {
	w := newWorld(t)
	require.PanicsWithValue(t, "staking: Pool.Apply: unknown event <nil>", func() { _, _ = w.Apply(begin(1), nil) })
	require.Panics(t, func() { _, _ = w.Apply(begin(1), &staking.Deposited{}) })
}

func TestText(t *testing.T) {
	require.Equal(t, "owner co-staker role(3)", staking.Owner.String()+" "+staking.CoStaker.String()+" "+staking.Role(3).String())
	var states []string
	for s := staking.OfferState(0); s <= 5; s++ {
		states = append(states, s.String())
	}
	require.Equal(t, []string{"state(0)", "open", "filled", "closed", "expired", "state(5)"}, states)
	require.EqualError(t, &staking.ShortStakeError{Bond: "gpu-1", Have: io(150), Need: io(200)},
		`staking: bond "gpu-1" holds 150 IO, needs 200`)
	require.EqualError(t, &staking.ShortStakeError{Bond: "gpu-1", Have: io(150), Need: io(200), Epoch: 105, Late: io(50)},
		`staking: bond "gpu-1" holds 150 IO, needs 200; 50 IO more came too late to count in epoch 105`)
}
