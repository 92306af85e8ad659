package staking_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// The owner takes out what was never needed, at once: to the unit, and never the whole stake by mistake.
func TestOverflow(t *testing.T) {
	for name, c := range map[string]struct {
		own    []tokenomics.Amount
		amount tokenomics.Amount
		want   error
	}{
		"nothing is over":       {[]tokenomics.Amount{io(1_000)}, 1, staking.ErrAmount},
		"nothing is asked for":  {[]tokenomics.Amount{io(1_500)}, 0, staking.ErrAmount},
		"a unit":                {[]tokenomics.Amount{io(1_000) + 1}, 1, nil},
		"a unit too many":       {[]tokenomics.Amount{io(1_000) + 1}, 2, staking.ErrAmount},
		"all that is over":      {[]tokenomics.Amount{io(1_500)}, io(500), nil},
		"all that there is":     {[]tokenomics.Amount{io(1_500)}, io(1_500), staking.ErrAmount},
		"short of the rest":     {[]tokenomics.Amount{io(999)}, 1, staking.ErrAmount},
		"nothing bonded at all": {nil, 1, staking.ErrAmount},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.open(c.own...)
			if c.want != nil {
				w.refuse(begin(100), takeOut(c.amount), c.want)
				return
			}
			require.Equal(t, []staking.Effect{staking.Released{Bond: "a100", Holder: "sam", Number: 1, Amount: c.amount}},
				w.do(begin(100), takeOut(c.amount)))
			require.Equal(t, io(1_000), w.bond().Counted)
		})
	}
	w := newWorld(t)
	w.open(io(1_500))
	for _, holder := range []staking.HolderID{"", "ann", "eve"} {
		w.refuse(begin(100), staking.OverflowWithdrawn{Bond: "a100", Holder: holder, Amount: 1}, staking.ErrNotOwner)
	}
}

// The newest stake leaves first; a lot that is emptied is gone, the others keep what they began with.
func TestOverflowNewestFirst(t *testing.T) {
	w := newWorld(t)
	w.open(io(700), io(200), io(300), io(400))
	w.do(begin(101), takeOut(io(600)))
	require.Equal(t, []staking.LotView{
		{ID: 1, Holder: "sam", Role: staking.Owner, State: staking.LotActive, Bonded: io(700), Balance: io(700), BondedAt: begin(100), EarnsFrom: 101},
		{ID: 2, Holder: "sam", Role: staking.Owner, State: staking.LotActive, Bonded: io(200), Balance: io(200), BondedAt: begin(100), EarnsFrom: 101},
		{ID: 3, Holder: "sam", Role: staking.Owner, State: staking.LotActive, Bonded: io(300), Balance: io(100), BondedAt: begin(100), EarnsFrom: 101},
	}, w.bond().Lots)
	w.deposit(begin(101), io(5))
	require.EqualValues(t, 5, w.bond().Lots[3].ID, "no number is used twice")
}

// Attack 12: cheat, put somebody else in the way, and leave before the evidence comes in. A fill releases the owner's stake
// only when it is as old as the hold.
func TestOverflowHoldOfFill(t *testing.T) {
	held := begin(100).Add(days(10))
	for name, c := range map[string]struct {
		at   time.Time
		want tokenomics.Amount
	}{
		"at once":             {begin(100), 0},
		"a second before":     {held.Add(-time.Second), 0},
		"a nanosecond before": {held.Add(-time.Nanosecond), 0},
		"after ten days":      {held, io(500)},
		"a nanosecond after":  {held.Add(time.Nanosecond), io(500)},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.shared(func(o *staking.OfferPosted) { o.Expires = begin(101) })
			w.pass(c.at)
			require.Equal(t, c.want, w.bond().Overflow)
			w.refuse(c.at, takeOut(c.want+1), staking.ErrAmount)
			if c.want > 0 {
				w.do(c.at, takeOut(c.want))
			}
		})
	}
}

// The same for a requirement that falls: what was needed counts as needed for ten days more.
func TestOverflowHoldOfRequirement(t *testing.T) {
	at := begin(105)
	for name, c := range map[string]struct {
		changes map[time.Duration]uint32 // after at: the multiplier
		after   time.Duration
		want    uint64
	}{
		"a second before":                    {map[time.Duration]uint32{0: 300}, days(10) - time.Second, 0},
		"a nanosecond before":                {map[time.Duration]uint32{0: 300}, days(10) - time.Nanosecond, 0},
		"after ten days":                     {map[time.Duration]uint32{0: 300}, days(10), 400},
		"no change":                          {map[time.Duration]uint32{0: 500}, 0, 0},
		"a second fall prolongs it":          {map[time.Duration]uint32{0: 300, days(9): 200}, days(10), 0},
		"no change prolongs nothing":         {map[time.Duration]uint32{0: 300, days(9): 300}, days(10), 400},
		"as long as it lasts":                {map[time.Duration]uint32{0: 300, days(9): 200}, days(19) - 1, 0},
		"and no longer":                      {map[time.Duration]uint32{0: 300, days(9): 200}, days(19), 600},
		"a fall after it is one of its own":  {map[time.Duration]uint32{0: 300, days(10): 200}, days(10), 400},
		"a rise between changes nothing":     {map[time.Duration]uint32{0: 300, days(1): 400}, days(10), 200},
		"a rise and a fall, by the old hold": {map[time.Duration]uint32{0: 300, days(1): 400, days(2): 100}, days(11), 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.open(io(1_000))
			for d := time.Duration(0); d <= days(10); d += days(1) {
				if centi, ok := c.changes[d]; ok {
					w.requalify(at.Add(d), centi, false)
				}
			}
			w.pass(at.Add(c.after))
			require.Equal(t, io(c.want), w.bond().Overflow)
			w.refuse(at.Add(c.after), takeOut(io(c.want)+1), staking.ErrAmount)
			if c.want > 0 {
				w.do(at.Add(c.after), takeOut(io(c.want)))
			}
		})
	}
}

// A requirement that rises above what is held counts by itself.
func TestOverflowRequirementAboveHold(t *testing.T) {
	w := newWorld(t)
	w.open(io(1_500))
	w.requalify(begin(105), 300, false)
	require.Equal(t, io(500), w.bond().Overflow)
	w.requalify(begin(106), 600, false)
	require.Equal(t, io(300), w.bond().Overflow)
}

// A network without a hold, as io.net publishes it.
func TestNoOverflowHold(t *testing.T) {
	w := newWorld(t, func(p *staking.Params) { p.OverflowHold = 0 })
	w.shared()
	w.requalify(begin(100), 400, false)
	require.Equal(t, io(700), w.bond().Overflow)
	w.do(begin(100), takeOut(io(700)))
}

// What the rest of the stake has to do with the overflow.
func TestOverflowOfOthers(t *testing.T) {
	at := begin(100).Add(days(10))
	for name, c := range map[string]struct {
		prepare func(world)
		want    uint64
	}{
		"active co-stake":                {func(world) {}, 500},
		"co-stake that waits":            {func(w world) { w.do(at, leave("ann", "o1")) }, 500},
		"co-stake that cools":            {func(w world) { w.do(begin(101), leave("ann", "o1")); w.pass(at) }, 0},
		"more of the owner's":            {func(w world) { w.deposit(at, io(300)) }, 800},
		"an open offer asks for nothing": {func(w world) { w.do(at, expiring("o2", at.Add(1))) }, 500},
		"the owner's own cools":          {func(w world) { w.do(at, leave("sam", "")) }, 0},
		"a larger requirement":           {func(w world) { w.requalify(at, 600, false) }, 300},
		"a larger one with a grace":      {func(w world) { w.requalify(at, 600, true) }, 300},
		"a device that left":             {func(w world) { w.do(at, staking.DeviceTerminated{Bond: "a100"}) }, 500},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, moreCo)
			w.shared()
			c.prepare(w)
			w.pass(at)
			require.Equal(t, io(c.want), w.bond().Overflow)
			w.refuse(at, takeOut(io(c.want)+1), staking.ErrAmount)
		})
	}
	all := newWorld(t, func(p *staking.Params) { p.MaxCoBps = 10_000 })
	all.shared(func(o *staking.OfferPosted) { o.Amount = io(1_000) })
	all.pass(at.Add(days(1)))
	all.do(at.Add(days(1)), takeOut(io(1_000))) // everything, since others meet the requirement
	require.Len(t, all.bond().Lots, 1)

	most := newWorld(t, func(p *staking.Params) { p.MaxCoBps = 10_000 })
	most.shared(func(o *staking.OfferPosted) { o.Amount = io(1_000) })
	most.requalify(begin(100), 300, false)
	most.pass(at)
	require.Equal(t, io(1_000), most.bond().Overflow, "1,400 IO are over, and 1,000 of them his")
	most.refuse(at, takeOut(io(1_000)+1), staking.ErrAmount)
}

// expiring is an offer for 1 IO.
func expiring(id staking.OfferID, expires time.Time) staking.OfferPosted {
	return post(func(o *staking.OfferPosted) { o.Offer, o.Amount, o.Expires = id, io(1), expires })
}

// Nothing leaves at once while a slash is not final, even what nobody needs.
func TestOverflowOpenCase(t *testing.T) {
	w := newWorld(t)
	w.open(io(2_000))
	w.do(begin(101), staking.Infracted{Evidence: "e1", Bond: "a100", Kind: staking.Utilisation, At: begin(101), Measure: 1})
	require.Zero(t, w.bond().Overflow)
	w.refuse(begin(101), takeOut(1), staking.ErrOpenCase)
	w.do(begin(102), staking.Appealed{Evidence: "e1", Holder: "sam"})
	w.refuse(begin(102).Add(days(900)), takeOut(1), staking.ErrTick)
	w.pass(begin(102).Add(days(900)))
	w.refuse(begin(102).Add(days(900)), takeOut(1), staking.ErrOpenCase)
	w.do(begin(102).Add(days(900)), staking.AppealDecided{Evidence: "e1"})
	w.do(begin(102).Add(days(900)), takeOut(io(980)))
}
