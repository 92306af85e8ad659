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

func TestApplyTime(t *testing.T) {
	w := newWorld(t)
	require.True(t, w.Now().IsZero())
	w.open(io(1_000))
	deposit := staking.Deposited{Bond: "a100", Holder: "sam", Amount: 1}
	w.refuse(begin(100).Add(-time.Nanosecond), deposit, staking.ErrTimeBackwards)
	w.refuse(begin(100).Add(-time.Second), staking.Ticked{}, staking.ErrTimeBackwards)
	w.do(begin(100), deposit) // the same instant again
	w.do(begin(101).In(time.FixedZone("east", 3_600)), deposit)
	require.Equal(t, begin(101), w.Now())
	require.Equal(t, time.UTC, w.Now().Location())
	w.refuse(begin(101).Add(-time.Nanosecond), deposit, staking.ErrTimeBackwards)
	w.do(begin(101).Add(time.Nanosecond), deposit)
}

func TestApplyTimeRange(t *testing.T) {
	first, end := time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
	open := staking.BondOpened{Bond: "b", Owner: "sam", GPUs: 1}
	for name, c := range map[string]struct {
		at time.Time
		ok bool
	}{
		"the zero time":                      {time.Time{}, false},
		"a second before 1900":               {first.Add(-time.Second), false},
		"a nanosecond before 1900":           {first.Add(-time.Nanosecond), false},
		"1900":                               {first, true},
		"1900, in a zone of the year before": {first.In(time.FixedZone("west", -3_600)), true},
		"a nanosecond before 2200":           {end.Add(-time.Nanosecond), true},
		"2200":                               {end, false},
		"2200, in a zone of the year before": {end.In(time.FixedZone("west", -3_600)), false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if c.ok {
				w.do(c.at, open)
				require.Equal(t, c.at.UTC(), w.Now())
				return
			}
			w.refuse(c.at, open, staking.ErrTime)
			w.refuse(c.at, staking.Ticked{}, staking.ErrTime)
		})
	}
}

// An event at a deadline, or after it, waits for the tick. Before it there is nothing to carry out.
func TestApplyTick(t *testing.T) {
	slash := func(w world) {
		w.do(begin(101), staking.Infracted{Evidence: "e1", Bond: "a100", Kind: staking.Utilisation, At: begin(101), Measure: 1})
	}
	for name, c := range map[string]struct {
		change  func(*staking.Params)
		prepare func(world)
		due     time.Time
	}{
		"the end of a wait":        {nil, func(w world) { w.do(begin(101), leave("ann", "o1")) }, begin(101).Add(days(7))},
		"the end of a cooldown":    {nil, func(w world) { w.do(begin(101), leave("sam", "")) }, begin(101).Add(days(14))},
		"the end of an appeal":     {nil, func(w world) { slash(w) }, begin(101).Add(days(30))},
		"the expiry of an offer":   {moreCo, func(w world) { w.do(begin(101), second(500)) }, begin(200)},
		"the end of a grace":       {nil, func(w world) { w.requalify(begin(101), 600, true) }, begin(101).Add(days(30))},
		"the memory of evidence":   {longAppeal, func(w world) { slash(w) }, begin(101).Add(days(10 + 30))},
		"the memory without a cap": {longAppeal, outage, begin(101).Add(days(10) + time.Hour)},
		"the end of a cooldown, no wait": {
			func(p *staking.Params) { p.CoWait = 0 }, func(w world) { w.do(begin(101), leave("ann", "o1")) }, begin(101).Add(days(14)),
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, early := range []time.Duration{time.Second, time.Nanosecond} {
				w := prepared(t, c.change, c.prepare)
				due, ok := w.Next()
				require.True(t, ok)
				require.Equal(t, c.due, due)
				w.do(c.due.Add(-early), staking.HireStarted{Bond: "a100"})
				require.Empty(t, w.pass(c.due.Add(-early)))
				require.Equal(t, due, first(w.Next()))
			}
			for _, late := range []time.Duration{0, time.Nanosecond, time.Second} {
				w := prepared(t, c.change, c.prepare)
				w.refuse(c.due.Add(late), staking.HireStarted{Bond: "a100"}, staking.ErrTick)
				w.pass(c.due.Add(late))
				require.NotEqual(t, c.due, first(w.Next()))
				w.do(c.due.Add(late), staking.HireStarted{Bond: "a100"})
			}
		})
	}
}

func first(at time.Time, _ bool) time.Time { return at }

// prepared is the bond of world.shared after some events.
func prepared(t *testing.T, change func(*staking.Params), prepare func(world)) world {
	t.Helper()
	if change == nil {
		change = func(*staking.Params) {}
	}
	w := newWorld(t, change)
	w.shared()
	prepare(w)
	return w
}

// longAppeal makes evidence be forgotten while its case is open.
func longAppeal(p *staking.Params) { p.AppealWindow = days(100) }

// moreCo leaves room for co-stake beside that of world.shared.
func moreCo(p *staking.Params) { p.MaxCoBps = 6_000 }

// outage slashes the bond of world.shared in epoch 101 for an outage of an hour: 2 %.
func outage(w world) {
	w.t.Helper()
	w.do(begin(101), staking.Infracted{
		Evidence: "e1", Bond: "a100", Kind: staking.InadequateService, At: begin(101), Measure: 3_600,
	})
}

// second is another offer beside the one of world.shared, with a share in basis points, for 1 IO.
func second(bps uint32) staking.OfferPosted {
	return post(func(o *staking.OfferPosted) { o.Offer, o.Amount, o.RewardShareBps = "o2", io(1), bps })
}

// A tick carries out what is due in the order of the deadlines, and what arises from it up to its instant.
func TestTickOrder(t *testing.T) {
	w := newWorld(t, moreCo)
	w.shared()
	w.do(begin(101), second(500))
	w.do(begin(101), leave("ann", "o1"))
	ann := w.lot(2)
	wait := begin(101).Add(days(7))
	require.Equal(t, []staking.Effect{
		staking.OfferEnded{Offer: "o2", State: staking.StateExpired},
		unlocking(ann, staking.LotCooling, wait.Add(days(14)), false),
		staking.Matured{Bond: "a100", Holder: "ann", Lot: 2, Amount: io(500)},
	}, w.pass(begin(101).Add(days(1_000))))
	_, more := w.Next()
	require.False(t, more)
	require.Empty(t, w.pass(begin(101).Add(days(1_000))), "nothing is carried out twice")
}

// Deadlines of one instant: waits, cooldowns, offers, appeals, graces, in this order, and within a kind by number.
func TestTickOneInstant(t *testing.T) {
	w := newWorld(t, func(p *staking.Params) {
		p.CoWait, p.CoCooldown, p.OwnerCooldown, p.AppealWindow, p.Grace = days(14), days(14), days(14), days(14), days(14)
		p.MaxClaims = 9
	})
	at, due := begin(100), begin(100).Add(days(14))
	w.open(io(1_000))
	w.sell(at, "ann", func(o *staking.OfferPosted) { o.Amount = io(200) })
	w.do(at, second(500))
	w.do(at, staking.OfferClosed{Offer: "o2", Holder: "sam"})
	w.sell(at, "bob", func(o *staking.OfferPosted) { o.Offer, o.Amount, o.RewardShareBps = "o3", io(200), 500 })
	for _, b := range []staking.BondID{"b1", "b2"} {
		w.do(at, staking.BondOpened{Bond: b, Owner: "eve", MultiplierCenti: 100, GPUs: 1})
		w.do(at, staking.Deposited{Bond: b, Holder: "eve", Amount: io(200)})
	}
	w.do(at, staking.OfferPosted{Offer: "o4", Bond: "b1", Holder: "eve", Amount: io(1), RewardShareBps: 500, Expires: due})
	w.do(at, staking.Infracted{Evidence: "e1", Bond: "b2", Kind: staking.Utilisation, At: at, Measure: 1})
	w.requalify(at, 501, true)
	w.do(at, leave("bob", "o3"))
	w.do(at, leave("ann", "o1"))
	w.do(at, staking.Unstaked{Bond: "b2", Holder: "eve"})
	ann, bob := w.lot(2), w.lot(3)
	require.Equal(t, []staking.Effect{
		unlocking(ann, staking.LotCooling, due.Add(days(14)), false),
		unlocking(bob, staking.LotCooling, due.Add(days(14)), false),
		underbonded(io(1_000), io(1_002), due),
		staking.Matured{Bond: "b2", Holder: "eve", Lot: 5, Amount: io(198)},
		staking.OfferEnded{Offer: "o4", State: staking.StateExpired},
		staking.Burned{Evidence: "e1", Bond: "b2", Kind: staking.Utilisation, Amount: io(2)},
		underbonded(io(1_000), io(1_002), due),
	}, w.pass(due))
}

// Every name in an event is looked up, and an unknown one is refused as what it is.
func TestUnknownNames(t *testing.T) {
	for name, c := range map[string]struct {
		event staking.Event
		want  error
	}{
		"requalified":           {staking.Requalified{Bond: "b", GPUs: 1}, staking.ErrNoBond},
		"hired":                 {staking.HireStarted{Bond: "b"}, staking.ErrNoBond},
		"hire ended":            {staking.HireEnded{Bond: "b"}, staking.ErrNoBond},
		"terminated":            {staking.DeviceTerminated{Bond: "b"}, staking.ErrNoBond},
		"deposited":             {staking.Deposited{Bond: "b", Holder: "sam", Amount: 1}, staking.ErrNoBond},
		"overflow":              {staking.OverflowWithdrawn{Bond: "b", Holder: "sam", Amount: 1}, staking.ErrNoBond},
		"unstaked by the owner": {staking.Unstaked{Bond: "b", Holder: "sam"}, staking.ErrNoBond},
		"unstaked":              {staking.Unstaked{Bond: "b", Holder: "ann", Offer: "o1"}, staking.ErrNoBond},
		"unstaked, no offer":    {staking.Unstaked{Bond: "a100", Holder: "ann", Offer: "o9"}, staking.ErrNoStake},
		"unstaked, no holder":   {staking.Unstaked{Bond: "a100", Holder: "bob", Offer: "o1"}, staking.ErrNoStake},
		"withdrawn":             {staking.Withdrawn{Bond: "b", Holder: "sam"}, staking.ErrNoBond},
		"withdrawn, no holder":  {staking.Withdrawn{Bond: "a100", Holder: "bob"}, staking.ErrNoStake},
		"posted":                {post(func(o *staking.OfferPosted) { o.Offer, o.Bond = "o9", "b" }), staking.ErrNoBond},
		"accepted":              {staking.OfferAccepted{Offer: "o9", Holder: "bob", Amount: 1}, staking.ErrNoOffer},
		"closed":                {staking.OfferClosed{Offer: "o9", Holder: "sam"}, staking.ErrNoOffer},
		"rewarded":              {staking.Rewarded{Bond: "b", Epoch: 101, Amount: 1}, staking.ErrNoBond},
		"claimed":               {staking.Claimed{Bond: "b", Holder: "sam"}, staking.ErrNoBond},
		"claimed, no holder":    {staking.Claimed{Bond: "a100", Holder: "bob"}, staking.ErrNothing},
		"infracted":             {staking.Infracted{Evidence: "e", Bond: "b", Kind: staking.Spoofing, At: begin(102), Measure: 1}, staking.ErrNoBond},
		"appealed":              {staking.Appealed{Evidence: "e", Holder: "sam"}, staking.ErrNoCase},
		"decided":               {staking.AppealDecided{Evidence: "e"}, staking.ErrNoCase},
		"linked, nobody":        {staking.WalletsLinked{A: "", B: "ann"}, staking.ErrID},
		"linked with nobody":    {staking.WalletsLinked{A: "ann", B: ""}, staking.ErrID},
		"linked, 129 bytes":     {staking.WalletsLinked{A: "ann", B: staking.HolderID(strings.Repeat("x", 129))}, staking.ErrID},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.shared()
			w.refuse(begin(102), c.event, c.want)
		})
	}
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
	for s := staking.OfferState(0); s <= 6; s++ {
		states = append(states, s.String())
	}
	require.Equal(t, []string{"state(0)", "open", "filled", "closed", "expired", "exhausted", "state(6)"}, states)
	states = nil
	for s := staking.LotState(0); s <= 5; s++ {
		states = append(states, s.String())
	}
	require.Equal(t, []string{"state(0)", "active", "waiting", "cooling", "matured", "state(5)"}, states)
	require.Equal(t, "order(2)", staking.SlashOrder(2).String())
	require.EqualError(t, &staking.ShortStakeError{Bond: "gpu-1", Have: io(150), Need: io(200)},
		`staking: bond "gpu-1" holds 150 IO, needs 200`)
	require.EqualError(t, &staking.ShortStakeError{Bond: "gpu-1", Have: io(150), Need: io(200), Epoch: 105, Late: io(50)},
		`staking: bond "gpu-1" holds 150 IO, needs 200; 50 IO more came too late to count in epoch 105`)
}

func TestQueries(t *testing.T) {
	w := newWorld(t)
	w.open(io(600), io(600))
	w.do(begin(101), staking.BondOpened{Bond: "a0", Owner: "eve", MultiplierCenti: 25, GPUs: 4})
	w.do(begin(101), staking.Deposited{Bond: "a0", Holder: "eve", Amount: io(750)})
	w.do(begin(101), post(func(o *staking.OfferPosted) { o.Lock = days(3) }))
	w.do(begin(102), staking.OfferAccepted{Offer: "o1", Holder: "ann", Amount: io(500)})
	w.do(begin(102), staking.HireStarted{Bond: "a100"})
	w.reward(103, 200)

	got := w.bond()
	require.Equal(t, staking.BondView{
		Owner: "sam", MultiplierCenti: 500, GPUs: 1, Required: io(1_000), Suffices: io(1_000), Counted: io(1_700),
		OwnerStake: io(1_200), CoStake: io(500), Overflow: io(200), Rewarded: 200, LastEpoch: 103, Hires: 1, OwnerEarned: 138,
		Lots: []staking.LotView{
			{
				ID: 1, Holder: "sam", Role: staking.Owner, State: staking.LotActive, Bonded: io(600), Balance: io(600),
				BondedAt: begin(100), EarnsFrom: 101,
			},
			{
				ID: 2, Holder: "sam", Role: staking.Owner, State: staking.LotActive, Bonded: io(600), Balance: io(600),
				BondedAt: begin(100), EarnsFrom: 101,
			},
			{
				ID: 4, Holder: "ann", Role: staking.CoStaker, State: staking.LotActive, Offer: "o1", RewardShareBps: 3_100,
				Bonded: io(500), Balance: io(500), BondedAt: begin(102), EarnsFrom: 103, Until: begin(102).Add(days(3)), Earned: 62,
			},
		},
	}, got)
	got.Lots[0].Balance = 0 // the slice is the caller's
	require.NoError(t, w.Audit())
	o, ok := w.Offer("o1")
	require.True(t, ok)
	require.Equal(t, staking.OfferView{
		Bond: "a100", Amount: io(500), Filled: io(500), MinFill: io(500), Fills: 1, MaxFills: 1, RewardShareBps: 3_100,
		Posted: begin(101), Expires: begin(200), Lock: days(3), State: staking.StateFilled,
	}, o)
	short, ok := w.Bond("a0")
	require.True(t, ok)
	require.Equal(t, io(50), short.Missing)
	require.Zero(t, short.Overflow)
	for _, c := range []struct {
		bond   staking.BondID
		holder staking.HolderID
		want   uint64
	}{{"a100", "sam", 138}, {"a100", "ann", 62}, {"a100", "eve", 0}, {"a0", "sam", 0}, {"a0", "eve", 0}, {"a", "sam", 0}, {"a100", "bob", 0}} {
		require.EqualValues(t, c.want, w.Claimable(c.bond, c.holder))
	}
	require.Equal(t, staking.Books{Deposits: io(2_450), Bonded: io(2_450), Rewards: 200, Accrued: 200}, w.Books())
}

func TestQueriesOfNothing(t *testing.T) {
	w := newWorld(t)
	_, ok := w.Bond("b")
	require.False(t, ok)
	_, ok = w.Offer("o2")
	require.False(t, ok)
	_, ok = w.Holder("bob")
	require.False(t, ok)
	_, ok = w.Case("e1")
	require.False(t, ok)
	_, ok = w.Next()
	require.False(t, ok)
	require.True(t, w.Linked("ann", "ann"), "everybody is linked with themselves")
	require.False(t, w.Linked("ann", "bob"))
	require.Equal(t, staking.Books{}, w.Books())
	require.NoError(t, w.Audit())
}

// Lists come in the order of the identifiers, whatever the order in which they arose, and can be left at any point.
func TestListsAreSorted(t *testing.T) {
	w := newWorld(t, func(p *staking.Params) { p.MaxOffersPerBond = 9 })
	w.open(io(2_000))
	for i, id := range []string{"7", "10", "2"} {
		w.do(begin(103), staking.BondOpened{Bond: staking.BondID(id), Owner: "sam", GPUs: 1})
		w.do(begin(103), post(func(o *staking.OfferPosted) { o.Offer, o.Amount, o.RewardShareBps = staking.OfferID(id), io(100), 500 }))
		w.do(begin(103), staking.Infracted{
			Evidence: staking.EvidenceID(id), Bond: "a100", Kind: staking.Utilisation, At: begin(100).Add(time.Duration(i) * time.Hour), Measure: 1,
		})
	}
	var bonds []staking.BondID
	for id := range w.Bonds() {
		bonds = append(bonds, id)
	}
	require.Equal(t, []staking.BondID{"10", "2", "7", "a100"}, bonds)
	var offers []staking.OfferID
	for id := range w.Offers() {
		offers = append(offers, id)
	}
	require.Equal(t, []staking.OfferID{"10", "2", "7"}, offers)
	var cases []staking.EvidenceID
	for id := range w.Cases() {
		cases = append(cases, id)
	}
	require.Equal(t, []staking.EvidenceID{"10", "2", "7"}, cases)
	for range w.Bonds() {
		break
	}
	for range w.Offers() {
		break
	}
	for range w.Cases() {
		break
	}
}

// Stake and rewards together fit 64 bits, to the unit.
func TestAllFits(t *testing.T) {
	w := newWorld(t)
	w.open(io(1_000))
	w.deposit(begin(100), math.MaxUint64-io(1_000)-1)
	w.reward(101, 0)
	w.refuse(begin(103), staking.Rewarded{Bond: "a100", Epoch: 102, Amount: 2}, tokenomics.ErrOverflow)
	w.reward(102, 1)
	w.refuse(begin(104), staking.Rewarded{Bond: "a100", Epoch: 103, Amount: 1}, tokenomics.ErrOverflow)
	w.refuse(begin(104), staking.Deposited{Bond: "a100", Holder: "sam", Amount: 1}, tokenomics.ErrOverflow)
	w.do(begin(104), post())
	w.refuse(begin(104), staking.OfferAccepted{Offer: "o1", Holder: "ann", Amount: io(500)}, tokenomics.ErrOverflow)
	w.reward(103, 0)
}
