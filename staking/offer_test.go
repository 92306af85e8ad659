package staking_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// accept is a fill of an offer.
func accept(offer staking.OfferID, by staking.HolderID, n tokenomics.Amount) staking.OfferAccepted {
	return staking.OfferAccepted{Offer: offer, Holder: by, Amount: n}
}

func TestOfferPosted(t *testing.T) {
	end := time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		change func(*staking.OfferPosted)
		want   error
	}{
		"half of the requirement":       {func(*staking.OfferPosted) {}, nil},
		"a unit less":                   {func(o *staking.OfferPosted) { o.Amount-- }, nil},
		"a unit more":                   {func(o *staking.OfferPosted) { o.Amount++ }, staking.ErrCoStake},
		"most of 64 bits":               {func(o *staking.OfferPosted) { o.Amount = math.MaxUint64 }, staking.ErrCoStake},
		"nothing":                       {func(o *staking.OfferPosted) { o.Amount = 0 }, staking.ErrAmount},
		"minimum fill":                  {func(o *staking.OfferPosted) { o.Amount = io(1) }, nil},
		"a unit below the minimum fill": {func(o *staking.OfferPosted) { o.Amount = io(1) - 1 }, staking.ErrAmount},
		"fills from 1 IO":               {func(o *staking.OfferPosted) { o.MinFill = io(1) }, nil},
		"fills from a unit below 1 IO":  {func(o *staking.OfferPosted) { o.MinFill = io(1) - 1 }, staking.ErrAmount},
		"fills from a unit":             {func(o *staking.OfferPosted) { o.MinFill = 1 }, staking.ErrAmount},
		"fills of the whole":            {func(o *staking.OfferPosted) { o.MinFill = io(500) }, nil},
		"fills of a unit more":          {func(o *staking.OfferPosted) { o.MinFill = io(500) + 1 }, staking.ErrAmount},
		"one fill":                      {func(o *staking.OfferPosted) { o.MaxFills = 1 }, nil},
		"two fills":                     {func(o *staking.OfferPosted) { o.MaxFills = 2 }, staking.ErrFills},
		"share 4.99 %":                  {func(o *staking.OfferPosted) { o.RewardShareBps = 499 }, staking.ErrRewardShare},
		"share 5 %":                     {func(o *staking.OfferPosted) { o.RewardShareBps = 500 }, nil},
		"share 100 %":                   {func(o *staking.OfferPosted) { o.RewardShareBps = 10_000 }, nil},
		"share 100.01 %":                {func(o *staking.OfferPosted) { o.RewardShareBps = 10_001 }, staking.ErrRewardShare},
		"share beyond 32 bits' sums":    {func(o *staking.OfferPosted) { o.RewardShareBps = math.MaxUint32 }, staking.ErrRewardShare},
		"no lock":                       {func(o *staking.OfferPosted) { o.Lock = 0 }, nil},
		"a lock of a nanosecond":        {func(o *staking.OfferPosted) { o.Lock = 1 }, nil},
		"a lock of -1 ns":               {func(o *staking.OfferPosted) { o.Lock = -1 }, staking.ErrLock},
		"the longest lock":              {func(o *staking.OfferPosted) { o.Lock = days(365) }, nil},
		"a nanosecond longer":           {func(o *staking.OfferPosted) { o.Lock = days(365) + 1 }, staking.ErrLock},
		"expires at once":               {func(o *staking.OfferPosted) { o.Expires = begin(101) }, staking.ErrExpiry},
		"expired a nanosecond before":   {func(o *staking.OfferPosted) { o.Expires = begin(101).Add(-1) }, staking.ErrExpiry},
		"expires a nanosecond later":    {func(o *staking.OfferPosted) { o.Expires = begin(101).Add(1) }, nil},
		"expires never":                 {func(o *staking.OfferPosted) { o.Expires = time.Time{} }, staking.ErrExpiry},
		"expires before 2200":           {func(o *staking.OfferPosted) { o.Expires = end.Add(-1) }, nil},
		"expires in 2200":               {func(o *staking.OfferPosted) { o.Expires = end }, staking.ErrExpiry},
		"expires in 9999":               {func(o *staking.OfferPosted) { o.Expires = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) }, staking.ErrExpiry},
		"no name":                       {func(o *staking.OfferPosted) { o.Offer = "" }, staking.ErrID},
		"a name of 128 bytes":           {func(o *staking.OfferPosted) { o.Offer = staking.OfferID(strings.Repeat("x", 128)) }, nil},
		"a name of 129 bytes":           {func(o *staking.OfferPosted) { o.Offer = staking.OfferID(strings.Repeat("x", 129)) }, staking.ErrID},
		"unknown bond":                  {func(o *staking.OfferPosted) { o.Bond = "b" }, staking.ErrNoBond},
		"not the owner":                 {func(o *staking.OfferPosted) { o.Holder = "eve" }, staking.ErrNotOwner},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.open(io(1_000))
			if c.want != nil {
				w.refuse(begin(101), post(c.change), c.want)
				return
			}
			require.Empty(t, w.do(begin(101), post(c.change)))
		})
	}
}

// The offers seen in the public marketplace: 2,000 of 4,000 IO at 50 %, and 100 of 200 at 31 %.
func TestOffersSeen(t *testing.T) {
	for name, c := range map[string]struct {
		centi, gpus, bps uint32
		required, amount uint64
	}{
		"8 RTX 6000 Ada at 2.50": {250, 8, 5_000, 4_000, 2_000},
		"RTX 3090":               {50, 1, 3_100, 200, 100},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.do(begin(100), staking.BondOpened{Bond: "a100", Owner: "sam", MultiplierCenti: c.centi, GPUs: c.gpus})
			w.deposit(begin(100), io(c.required))
			o := post(func(o *staking.OfferPosted) { o.Amount, o.RewardShareBps = io(c.amount)+1, c.bps })
			w.refuse(begin(100), o, staking.ErrCoStake)
			o.Amount--
			w.do(begin(100), o)
			w.do(begin(100), accept("o1", "ann", o.Amount))
			require.Equal(t, io(c.amount), w.bond().CoStake)
		})
	}
}

// The owner holds the whole requirement first, to the unit; a grace does not make less of it.
func TestOwnerFirst(t *testing.T) {
	w := newWorld(t)
	w.open(io(1_000) - 1)
	w.refuseShort(begin(101), post(), staking.ShortStakeError{Bond: "a100", Have: io(1_000) - 1, Need: io(1_000)})
	w.deposit(begin(101), 1)
	w.do(begin(101), post())
	w.do(begin(102), staking.OfferClosed{Offer: "o1", Holder: "sam"})
	w.requalify(begin(102), 501, true)
	again := post(func(o *staking.OfferPosted) { o.Offer = "o2" })
	w.refuseShort(begin(102), again, staking.ShortStakeError{Bond: "a100", Have: io(1_000), Need: io(1_002)})
	w.deposit(begin(102), io(2))
	w.do(begin(102), again)
}

// All open and filled offers of a bond together keep the limits, whatever the number of offers.
func TestOffersTogether(t *testing.T) {
	fits := func(o *staking.OfferPosted) { o.Offer, o.Amount, o.RewardShareBps = "o2", io(200), 4_000 }
	more := func(o *staking.OfferPosted) { o.Amount++ }
	dearer := func(o *staking.OfferPosted) { o.RewardShareBps++ }
	two := func(p *staking.Params) { p.MaxOffersPerBond = 2 }
	firstOne := post(func(o *staking.OfferPosted) { o.Amount, o.RewardShareBps = io(300), 6_000 })
	both := func(a, b func(*staking.OfferPosted)) staking.OfferPosted {
		return post(func(o *staking.OfferPosted) { a(o); b(o) })
	}

	w := newWorld(t)
	w.open(io(1_000))
	w.do(begin(101), firstOne)
	w.refuse(begin(101), post(fits), staking.ErrOpenOffers)
	w.do(begin(101), accept("o1", "ann", io(300)))
	w.refuse(begin(101), both(fits, more), staking.ErrCoStake)
	w.refuse(begin(101), both(fits, dearer), staking.ErrRewardShare)
	w.do(begin(101), post(fits))

	many := newWorld(t, two)
	many.open(io(1_000))
	many.do(begin(101), firstOne)
	many.refuse(begin(101), both(fits, more), staking.ErrCoStake)
	many.refuse(begin(101), both(fits, dearer), staking.ErrRewardShare)
	many.do(begin(101), post(fits))
	third := post(func(o *staking.OfferPosted) { o.Offer = "o3" })
	many.refuse(begin(101), third, staking.ErrOpenOffers)
}

// An offer that is closed or expired frees its amount and its share, and so does a fill that begins to leave.
func TestOffersMakeRoom(t *testing.T) {
	whole := func(o *staking.OfferPosted) { o.RewardShareBps = 10_000 }
	next := post(whole, func(o *staking.OfferPosted) { o.Offer, o.Expires = "o2", begin(300) })
	for name, c := range map[string]func(world){
		"closed":   func(w world) { w.do(begin(200).Add(-1), staking.OfferClosed{Offer: "o1", Holder: "sam"}) },
		"expired":  func(w world) { w.pass(begin(200)) },
		"unstaked": func(w world) { w.do(begin(101), accept("o1", "ann", io(500))); w.do(begin(101), leave("ann", "o1")) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.open(io(1_000))
			w.do(begin(101), post(whole))
			w.refuse(begin(101), next, staking.ErrOpenOffers)
			c(w)
			w.do(begin(200), next)
		})
	}
}

func TestOfferAccepted(t *testing.T) {
	for name, c := range map[string]struct {
		at    time.Time
		event staking.OfferAccepted
		want  error
	}{
		"a second before the expiry":     {begin(200).Add(-time.Second), accept("o1", "ann", io(500)), nil},
		"a nanosecond before the expiry": {begin(200).Add(-1), accept("o1", "ann", io(500)), nil},
		"at the expiry":                  {begin(200), accept("o1", "ann", io(500)), staking.ErrTick},
		"a nanosecond after":             {begin(200).Add(1), accept("o1", "ann", io(500)), staking.ErrTick},
		"when it was posted":             {begin(101), accept("o1", "ann", io(500)), nil},
		"a unit less":                    {begin(101), accept("o1", "ann", io(500)-1), staking.ErrAmount},
		"a unit more":                    {begin(101), accept("o1", "ann", io(500)+1), staking.ErrAmount},
		"nothing":                        {begin(101), accept("o1", "ann", 0), staking.ErrAmount},
		"by the owner":                   {begin(101), accept("o1", "sam", io(500)), staking.ErrSelfStake},
		"by nobody":                      {begin(101), accept("o1", "", io(500)), staking.ErrID},
		"by a name of 129 bytes":         {begin(101), accept("o1", staking.HolderID(strings.Repeat("x", 129)), io(500)), staking.ErrID},
		"by a wallet of the owner's":     {begin(101), accept("o1", "tom", io(500)), staking.ErrSelfStake},
		"unknown":                        {begin(101), accept("o2", "ann", io(500)), staking.ErrNoOffer},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.open(io(1_000))
			w.do(begin(101), staking.WalletsLinked{A: "tom", B: "sam"})
			w.do(begin(101), post())
			if c.want != nil {
				w.refuse(c.at, c.event, c.want)
				return
			}
			require.Equal(t, []staking.Effect{
				staking.Locked{Bond: "a100", Holder: "ann", Role: staking.CoStaker, Lot: 2, Amount: io(500)},
				staking.OfferEnded{Offer: "o1", State: staking.StateFilled},
			}, w.do(c.at, c.event))
		})
	}
}

// Every state of an offer but the first is final.
func TestOfferStates(t *testing.T) {
	for name, c := range map[string]struct {
		end   func(world) []staking.Effect
		state staking.OfferState
	}{
		"filled": {func(w world) []staking.Effect {
			w.do(begin(102), accept("o1", "ann", io(200)))
			return w.do(begin(102), accept("o1", "bob", io(300)))[1:]
		}, staking.StateFilled},
		"exhausted": {func(w world) []staking.Effect {
			w.do(begin(102), accept("o1", "ann", io(200)))
			return w.do(begin(102), accept("o1", "bob", io(299)))[1:]
		}, staking.StateExhausted},
		"closed": {func(w world) []staking.Effect {
			return w.do(begin(102), staking.OfferClosed{Offer: "o1", Holder: "sam"})
		}, staking.StateClosed},
		"closed with a fill": {func(w world) []staking.Effect {
			w.do(begin(102), accept("o1", "ann", io(200)))
			return w.do(begin(102), staking.OfferClosed{Offer: "o1", Holder: "sam"})
		}, staking.StateClosed},
		"expired": {func(w world) []staking.Effect { return w.pass(begin(200)) }, staking.StateExpired},
		"expired with a fill": {func(w world) []staking.Effect {
			w.do(begin(102), accept("o1", "ann", io(200)))
			return w.pass(begin(200))
		}, staking.StateExpired},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(p *staking.Params) { p.MaxFills = 2 })
			w.open(io(1_000))
			w.do(begin(101), post(func(o *staking.OfferPosted) { o.MinFill, o.MaxFills = io(100), 2 }))
			o, _ := w.Offer("o1")
			require.Equal(t, staking.StateOpen, o.State)
			require.Equal(t, []staking.Effect{staking.OfferEnded{Offer: "o1", State: c.state}}, c.end(w))
			o, _ = w.Offer("o1")
			require.Equal(t, c.state, o.State)
			w.refuse(begin(200), accept("o1", "cyd", io(100)), staking.ErrOfferOver)
			w.refuse(begin(200), staking.OfferClosed{Offer: "o1", Holder: "sam"}, staking.ErrOfferOver)
			// Attack: the same offer with other terms.
			w.refuse(begin(200), post(func(o *staking.OfferPosted) { o.Expires = begin(300) }), staking.ErrOfferExists)
			require.Empty(t, w.pass(begin(200)), "an offer that is over does not expire")
		})
	}
}

func TestOfferClosed(t *testing.T) {
	w := newWorld(t)
	w.open(io(1_000))
	w.do(begin(101), post())
	for _, holder := range []staking.HolderID{"ann", "", "eve"} {
		w.refuse(begin(102), staking.OfferClosed{Offer: "o1", Holder: holder}, staking.ErrNotOwner)
	}
	w.do(begin(200).Add(-1), staking.OfferClosed{Offer: "o1", Holder: "sam"})
	_, due := w.Next()
	require.False(t, due)
}

// Fills of an offer that several may share: each at least the minimum, or exactly the rest; nobody twice.
func TestPartialFills(t *testing.T) {
	w := newWorld(t, func(p *staking.Params) { p.MaxFills, p.MaxClaims = 4, 9 })
	w.open(io(1_000))
	w.do(begin(101), post(func(o *staking.OfferPosted) { o.MinFill, o.MaxFills = io(150), 4 }))
	w.refuse(begin(101), accept("o1", "ann", io(150)-1), staking.ErrAmount)
	require.Equal(t, []staking.Effect{staking.Locked{Bond: "a100", Holder: "ann", Role: staking.CoStaker, Lot: 2, Amount: io(150)}},
		w.do(begin(101), accept("o1", "ann", io(150))))
	w.refuse(begin(101), accept("o1", "ann", io(150)), staking.ErrClaims)
	w.refuse(begin(101), accept("o1", "bob", io(350)+1), staking.ErrAmount)
	w.do(begin(101), accept("o1", "bob", io(250)))
	w.refuse(begin(101), accept("o1", "cyd", io(100)-1), staking.ErrAmount)
	w.refuse(begin(101), accept("o1", "cyd", io(100)+1), staking.ErrAmount)
	o, _ := w.Offer("o1")
	require.Equal(t, staking.OfferView{
		Bond: "a100", Amount: io(500), Filled: io(400), MinFill: io(150), Fills: 2, MaxFills: 4, RewardShareBps: 3_100,
		Posted: begin(101), Expires: begin(200), State: staking.StateOpen,
	}, o)
	require.Equal(t, []staking.Effect{
		staking.Locked{Bond: "a100", Holder: "cyd", Role: staking.CoStaker, Lot: 4, Amount: io(100)},
		staking.OfferEnded{Offer: "o1", State: staking.StateFilled},
	}, w.do(begin(101), accept("o1", "cyd", io(100))))
}

// A fill that leaves does not come back into the offer: what was filled stays filled.
func TestFillsAreCountedOnce(t *testing.T) {
	w := newWorld(t, func(p *staking.Params) { p.MaxFills = 2 })
	w.open(io(1_000))
	w.do(begin(101), post(func(o *staking.OfferPosted) { o.MinFill, o.MaxFills, o.Expires = io(100), 2, begin(9_000) }))
	w.do(begin(101), accept("o1", "ann", io(400)))
	w.do(begin(101), leave("ann", "o1"))
	w.refuse(begin(101), accept("o1", "bob", io(101)), staking.ErrAmount)
	w.refuse(begin(101), accept("o1", "ann", io(100)), staking.ErrClaims)
	w.pass(begin(101).Add(days(21)))
	w.do(begin(101).Add(days(21)), staking.Withdrawn{Bond: "a100", Holder: "ann"})
	o, _ := w.Offer("o1")
	require.Equal(t, io(400), o.Filled)
	require.EqualValues(t, 1, o.Withdrawn)
	// Whoever is gone for good is like anybody else.
	w.do(begin(101).Add(days(21)), accept("o1", "ann", io(100)))
	o, _ = w.Offer("o1")
	require.Equal(t, staking.StateFilled, o.State)
	require.EqualValues(t, 2, o.Fills)
}

// What a fill must fulfil beyond the terms: the bond may have changed since the offer was posted.
func TestFillOfAChangedBond(t *testing.T) {
	for name, c := range map[string]struct {
		change func(world)
		amount uint64
		want   error
		short  staking.ShortStakeError
	}{
		"a smaller requirement, half of it": {func(w world) { w.requalify(begin(102), 400, false) }, 400, nil, staking.ShortStakeError{}},
		"a smaller requirement, more":       {func(w world) { w.requalify(begin(102), 400, false) }, 401, staking.ErrCoStake, staking.ShortStakeError{}},
		"a larger one that the fill meets":  {func(w world) { w.requalify(begin(102), 700, false) }, 400, nil, staking.ShortStakeError{}},
		"a larger one, just not met": {
			func(w world) { w.requalify(begin(102), 701, false) }, 400, nil, staking.ShortStakeError{Bond: "a100", Have: io(1_000), Need: io(1_402)},
		},
		"a grace makes no difference": {
			func(w world) { w.requalify(begin(102), 701, true) }, 400, nil, staking.ShortStakeError{Bond: "a100", Have: io(1_000), Need: io(1_402)},
		},
		"a slash that the fill meets": {func(w world) { w.spoof(begin(102), 4) }, 400, nil, staking.ShortStakeError{}},
		"a slash that it does not": {
			func(w world) { w.spoof(begin(102), 5) }, 400, nil, staking.ShortStakeError{Bond: "a100", Have: io(500), Need: io(1_000)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(p *staking.Params) { p.MaxFills, p.Slashes = 2, []staking.SlashRule{tenths()} })
			w.open(io(1_000))
			w.do(begin(101), post(func(o *staking.OfferPosted) { o.MinFill, o.MaxFills = io(100), 2 }))
			c.change(w)
			e := accept("o1", "ann", io(c.amount))
			switch {
			case c.want != nil:
				w.refuse(begin(102), e, c.want)
			case c.short.Need > 0:
				w.refuseShort(begin(102), e, c.short)
			default:
				w.do(begin(102), e)
			}
		})
	}
}

// tenths is a rule for tests: measure n costs n tenths of the stake.
func tenths() staking.SlashRule {
	r := staking.SlashRule{Kind: staking.Spoofing, Fraud: true}
	for i := range uint64(10) {
		r.Steps = append(r.Steps, staking.SlashStep{Over: i, Bps: uint32(i+1) * 1_000})
	}
	return r
}

// evidenceOf names the evidence of an instant.
func evidenceOf(at time.Time) staking.EvidenceID {
	return staking.EvidenceID(at.Format(time.RFC3339Nano))
}

// spoof slashes the bond of world.open for an infraction of now, under the rule of tenths.
func (w world) spoof(at time.Time, measure uint64) []staking.Effect {
	w.t.Helper()
	return w.do(at, staking.Infracted{
		Evidence: evidenceOf(at), Bond: "a100", Kind: staking.Spoofing, At: at, Measure: measure,
	})
}

// Nobody has more than two fills at a time, and a fill ends when its lot is withdrawn.
func TestClaims(t *testing.T) {
	w := newWorld(t)
	at := begin(100)
	for i, bond := range []staking.BondID{"b1", "b2", "b3"} {
		id := staking.OfferID("o" + string(bond))
		w.do(at, staking.BondOpened{Bond: bond, Owner: "sam", MultiplierCenti: 100, GPUs: 1})
		w.do(at, staking.Deposited{Bond: bond, Holder: "sam", Amount: io(200)})
		w.do(at, staking.OfferPosted{Offer: id, Bond: bond, Holder: "sam", Amount: io(100), RewardShareBps: 3_100, Expires: begin(9_000)})
		if i < 2 {
			w.do(at, accept(id, "ann", io(100)))
		}
	}
	third := accept("ob3", "ann", io(100))
	claims := func(want uint32) {
		ann, ok := w.Holder("ann")
		require.True(t, ok)
		require.Equal(t, want, ann.Claims)
	}
	claims(2)
	w.refuse(at, third, staking.ErrClaims)
	w.do(at, staking.Unstaked{Bond: "b1", Holder: "ann", Offer: "ob1"})
	w.refuse(at, third, staking.ErrClaims)
	w.pass(at.Add(days(7)))
	w.refuse(at.Add(days(7)), third, staking.ErrClaims)
	w.pass(at.Add(days(21)))
	w.refuse(at.Add(days(21)), third, staking.ErrClaims)
	w.do(at.Add(days(21)), staking.Withdrawn{Bond: "b1", Holder: "ann"})
	claims(1)
	w.do(at.Add(days(21)), third)
	claims(2)
}

// Who co-stakes on a bond bonds there again only when the own stake has cooled.
func TestFillWhileStakeLeaves(t *testing.T) {
	w := newWorld(t)
	w.shared()
	w.do(begin(101), leave("ann", "o1"))
	w.do(begin(101), post(func(o *staking.OfferPosted) { o.Offer, o.Expires = "o2", begin(9_000) }))
	again := accept("o2", "ann", io(500))
	w.refuse(begin(101), again, staking.ErrCooling)
	w.pass(begin(101).Add(days(7)))
	w.refuse(begin(101).Add(days(7)), again, staking.ErrCooling)
	w.refuse(begin(101).Add(days(21)-time.Nanosecond), again, staking.ErrCooling)
	w.pass(begin(101).Add(days(21)))
	w.do(begin(101).Add(days(21)), again) // matured, and not withdrawn yet
}

// Attack: positions of dust that make a bond expensive to handle.
func TestLotsAreBounded(t *testing.T) {
	w := newWorld(t, func(p *staking.Params) { p.MaxLotsPerBond = 2 })
	w.open(io(1_000), 1)
	w.refuse(begin(101), staking.Deposited{Bond: "a100", Holder: "sam", Amount: 1}, staking.ErrLots)
	w.do(begin(101), post())
	w.refuse(begin(101), accept("o1", "ann", io(500)), staking.ErrLots)
	w.do(begin(101), staking.OverflowWithdrawn{Bond: "a100", Holder: "sam", Amount: 1})
	w.do(begin(101), accept("o1", "ann", io(500)))
}
