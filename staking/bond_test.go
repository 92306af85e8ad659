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

func TestBondOpened(t *testing.T) {
	w := newWorld(t)
	require.Empty(t, w.do(begin(100), staking.BondOpened{Bond: "a100", Owner: "sam", MultiplierCenti: 500, GPUs: 1}))
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
	require.True(t, w.bond().GraceUntil.IsZero())
}

// The published requirements, as a bond has them.
func TestBondRequires(t *testing.T) {
	for name, c := range map[string]struct {
		centi, gpus uint32
		want        uint64
	}{
		"8 H100 at 10.00":        {1_000, 8, 16_000},
		"4 RTX 4070 at 0.25":     {25, 4, 800},
		"8 RTX 6000 Ada at 2.50": {250, 8, 4_000},
		"4 RTX 4070 at 1.50":     {150, 4, 1_200},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.do(begin(100), staking.BondOpened{Bond: "a100", Owner: "sam", MultiplierCenti: c.centi, GPUs: c.gpus})
			require.Equal(t, io(c.want), w.bond().Required)
			require.Equal(t, io(c.want), w.bond().Missing)
			w.deposit(begin(100), io(c.want)-1)
			require.EqualValues(t, 1, w.bond().Missing)
			w.refuseShort(begin(102), staking.Rewarded{Bond: "a100", Epoch: 101, Amount: 1},
				staking.ShortStakeError{Bond: "a100", Have: io(c.want) - 1, Need: io(c.want), Epoch: 101})
			w.deposit(begin(102), 1)
			w.reward(103, 1)
			w.do(begin(104), post(func(o *staking.OfferPosted) { o.Amount = io(c.want) / 2 }))
		})
	}
}

func TestRequalified(t *testing.T) {
	at := begin(105)
	end := at.Add(days(30))
	for name, c := range map[string]struct {
		centi, gpus uint32
		table       bool
		required    uint64
		suffices    uint64
		deadline    time.Time // of Underbonded; the zero time without one
	}{
		"nothing changed":                 {500, 1, false, 1_000, 1_000, time.Time{}},
		"another device, larger":          {600, 1, false, 1_200, 1_200, at},
		"another device, smaller":         {400, 1, false, 800, 800, time.Time{}},
		"another processor":               {500, 2, false, 2_000, 2_000, at},
		"the table, larger":               {600, 1, true, 1_200, 1_000, end},
		"the table, smaller":              {400, 1, true, 800, 800, time.Time{}},
		"the table, the same":             {500, 1, true, 1_000, 1_000, time.Time{}},
		"the table and the processors":    {600, 2, true, 2_400, 2_000, at},
		"a hundredth more, by the table":  {501, 1, true, 1_002, 1_000, end},
		"a model that earns nothing":      {0, 1, false, 200, 200, time.Time{}},
		"the table, to what earns nought": {0, 1, true, 200, 200, time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.open(io(1_000))
			got := w.do(at, staking.Requalified{Bond: "a100", MultiplierCenti: c.centi, GPUs: c.gpus, TableChanged: c.table})
			var want []staking.Effect
			if !c.deadline.IsZero() {
				want = []staking.Effect{underbonded(io(1_000), io(c.required), c.deadline)}
			}
			require.Equal(t, want, got)
			b := w.bond()
			require.Equal(t, io(c.required), b.Required)
			require.Equal(t, io(c.suffices), b.Suffices)
			require.Equal(t, c.table, !b.GraceUntil.IsZero())
			if c.table {
				require.Equal(t, end, b.GraceUntil)
			}
		})
	}
	w := newWorld(t)
	w.open(io(1_000))
	w.refuse(at, staking.Requalified{Bond: "a100", MultiplierCenti: 500}, staking.ErrGPUs)
	w.refuse(at, staking.Requalified{Bond: "a100", MultiplierCenti: math.MaxUint32, GPUs: math.MaxUint32}, tokenomics.ErrOverflow)
}

// In a grace the old multiplier suffices for every epoch that begins before the grace ends, to the nanosecond, even if the
// reward comes after its end.
func TestGraceEnds(t *testing.T) {
	const last = 105 + 30*24 // begins when the grace of a change at the beginning of epoch 105 ends
	for name, c := range map[string]struct {
		changed time.Time
		lenient tokenomics.Epoch // the last one
	}{
		"a second before an epoch":     {begin(105).Add(-time.Second), last - 1},
		"a nanosecond before an epoch": {begin(105).Add(-time.Nanosecond), last - 1},
		"as an epoch begins":           {begin(105), last - 1},
		"a nanosecond after":           {begin(105).Add(time.Nanosecond), last},
		"a second after":               {begin(105).Add(time.Second), last},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.open(io(1_000))
			w.requalify(c.changed, 600, true)
			end := c.changed.Add(days(30))
			require.Equal(t, []staking.Effect{underbonded(io(1_000), io(1_200), end)}, w.pass(end))
			require.True(t, w.bond().GraceUntil.IsZero())
			require.Equal(t, io(1_200), w.bond().Suffices)
			w.do(begin(900), staking.Rewarded{Bond: "a100", Epoch: c.lenient, Amount: 1})
			w.refuseShort(begin(900), staking.Rewarded{Bond: "a100", Epoch: c.lenient + 1, Amount: 1},
				staking.ShortStakeError{Bond: "a100", Have: io(1_000), Need: io(1_200), Epoch: c.lenient + 1})
		})
	}
}

// A grace says nothing at its end if the owner has filled up, or if the device has left.
func TestGraceSaysNothing(t *testing.T) {
	for name, e := range map[string]staking.Event{
		"filled up": staking.Deposited{Bond: "a100", Holder: "sam", Amount: io(200)},
		"left":      staking.DeviceTerminated{Bond: "a100"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.open(io(1_000))
			w.requalify(begin(105), 600, true)
			w.do(begin(106), e)
			require.Empty(t, w.pass(begin(105).Add(days(30))))
		})
	}
}

// No later change prolongs a grace, and a change of the device ends it.
func TestGraceGoesOn(t *testing.T) {
	for name, c := range map[string]struct {
		next     staking.Requalified
		suffices uint64
		grace    bool
	}{
		"the table once more":            {staking.Requalified{MultiplierCenti: 700, GPUs: 1, TableChanged: true}, 1_000, true},
		"the table back":                 {staking.Requalified{MultiplierCenti: 500, GPUs: 1, TableChanged: true}, 1_000, true},
		"another multiplier":             {staking.Requalified{MultiplierCenti: 700, GPUs: 1}, 1_400, false},
		"the old multiplier":             {staking.Requalified{MultiplierCenti: 500, GPUs: 1}, 1_000, false},
		"another number of processors":   {staking.Requalified{MultiplierCenti: 600, GPUs: 2}, 2_000, true},
		"nothing new":                    {staking.Requalified{MultiplierCenti: 600, GPUs: 1}, 1_000, true},
		"the table and processors":       {staking.Requalified{MultiplierCenti: 700, GPUs: 2, TableChanged: true}, 2_000, true},
		"the table, below what sufficed": {staking.Requalified{MultiplierCenti: 300, GPUs: 1, TableChanged: true}, 600, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.open(io(1_000))
			w.requalify(begin(105), 600, true)
			c.next.Bond = "a100"
			w.do(begin(200), c.next)
			require.Equal(t, io(c.suffices), w.bond().Suffices)
			require.Equal(t, c.grace, !w.bond().GraceUntil.IsZero())
			if c.grace {
				require.Equal(t, begin(105).Add(days(30)), w.bond().GraceUntil)
			}
		})
	}
}

// After its end a table that changes once more gives another grace.
func TestGraceAgain(t *testing.T) {
	w := newWorld(t)
	w.open(io(1_000))
	w.requalify(begin(105), 600, true)
	end := begin(105).Add(days(30))
	w.pass(end)
	require.Equal(t, []staking.Effect{underbonded(io(1_000), io(1_400), end)}, w.requalify(end, 700, true),
		"the 1,200 IO of before would suffice, 1,000 do not")
	require.Equal(t, end.Add(days(30)), w.bond().GraceUntil)
	require.Equal(t, io(1_200), w.bond().Suffices)
}

func TestNoGrace(t *testing.T) {
	w := newWorld(t, func(p *staking.Params) { p.Grace = 0 })
	w.open(io(1_000))
	require.Equal(t, []staking.Effect{underbonded(io(1_000), io(1_200), begin(105))}, w.requalify(begin(105), 600, true))
	w.refuseShort(begin(106), staking.Rewarded{Bond: "a100", Epoch: 105, Amount: 1},
		staking.ShortStakeError{Bond: "a100", Have: io(1_000), Need: io(1_200), Epoch: 105})
}

// What nobody could hold was never in force: an old multiplier that overflows gives no grace.
func TestGraceThatOverflows(t *testing.T) {
	w := newWorld(t)
	w.do(begin(100), staking.BondOpened{Bond: "a100", Owner: "sam", MultiplierCenti: math.MaxUint32, GPUs: 1})
	w.requalify(begin(101), 100, true)
	w.do(begin(101), staking.Requalified{Bond: "a100", MultiplierCenti: 100, GPUs: 1_000})
	require.Equal(t, io(200_000), w.bond().Suffices)
	require.False(t, w.bond().GraceUntil.IsZero())
}

// A reward that comes late is measured by what was needed then, and by the most of it where several changes lie between:
// never leniently.
func TestNeedOfPastEpochs(t *testing.T) {
	for name, c := range map[string]struct {
		changes map[tokenomics.Epoch]uint32 // at the beginning of the epoch: the multiplier
		first   tokenomics.Epoch            // is rewarded in time, unless it is 0
		epoch   tokenomics.Epoch
		need    uint64
	}{
		"before a rise":                          {map[tokenomics.Epoch]uint32{110: 600}, 0, 109, 1_000},
		"in the epoch of a rise":                 {map[tokenomics.Epoch]uint32{110: 600}, 0, 110, 1_200},
		"before a fall":                          {map[tokenomics.Epoch]uint32{110: 400}, 0, 109, 1_000},
		"in the epoch of a fall":                 {map[tokenomics.Epoch]uint32{110: 400}, 0, 110, 800},
		"before a rise and a fall":               {map[tokenomics.Epoch]uint32{110: 600, 120: 400}, 0, 109, 1_200},
		"between":                                {map[tokenomics.Epoch]uint32{110: 600, 120: 400}, 0, 119, 1_200},
		"after":                                  {map[tokenomics.Epoch]uint32{110: 600, 120: 400}, 0, 120, 800},
		"before a fall and a rise":               {map[tokenomics.Epoch]uint32{110: 400, 120: 600}, 0, 109, 1_000},
		"between a fall and a rise":              {map[tokenomics.Epoch]uint32{110: 400, 120: 600}, 0, 115, 1_000},
		"between, the epochs before are settled": {map[tokenomics.Epoch]uint32{110: 400, 120: 600}, 109, 115, 800},
		"between, one is not":                    {map[tokenomics.Epoch]uint32{110: 400, 120: 600}, 108, 115, 1_000},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.open(io(1_000))
			for e := tokenomics.Epoch(101); e < 130; e++ {
				if e == c.first+1 && c.first > 0 {
					w.reward(c.first, 0)
				}
				if centi, ok := c.changes[e]; ok {
					w.requalify(begin(e), centi, false)
				}
			}
			// All stake is lost, so that the refusal says what was needed.
			w.do(begin(130), staking.Infracted{Evidence: "e1", Bond: "a100", Kind: staking.Spoofing, At: begin(130), Measure: 1})
			w.refuseShort(begin(130), staking.Rewarded{Bond: "a100", Epoch: c.epoch, Amount: 1},
				staking.ShortStakeError{Bond: "a100", Need: io(c.need), Epoch: c.epoch})
		})
	}
}

// Of several changes within an epoch the one before the first counts for the past, and the last one from now on.
func TestRequalifiedTwiceInAnEpoch(t *testing.T) {
	w := newWorld(t)
	w.open(io(1_000))
	w.requalify(begin(110), 900, false)
	w.requalify(begin(111).Add(-time.Nanosecond), 500, false)
	w.do(begin(112), staking.Rewarded{Bond: "a100", Epoch: 109, Amount: 1})
	w.do(begin(112), staking.Rewarded{Bond: "a100", Epoch: 110, Amount: 1})
}

func TestHires(t *testing.T) {
	w := newWorld(t)
	w.shared()
	w.refuse(begin(101), staking.HireEnded{Bond: "a100"}, staking.ErrNotHired)
	require.Empty(t, w.do(begin(101), staking.HireStarted{Bond: "a100"}))
	w.do(begin(101), staking.HireStarted{Bond: "a100"})
	require.EqualValues(t, 2, w.bond().Hires)
	require.Empty(t, w.do(begin(101), staking.HireEnded{Bond: "a100"}))
	w.refuse(begin(101), leave("sam", ""), staking.ErrHired) // one hire goes on
	w.do(begin(101), staking.HireEnded{Bond: "a100"})
	w.refuse(begin(101), staking.HireEnded{Bond: "a100"}, staking.ErrNotHired)
	w.do(begin(101), leave("sam", ""))
}

// What a hire hinders, and what not: nobody unstakes, and the device stays.
func TestHired(t *testing.T) {
	for name, c := range map[string]struct {
		event staking.Event
		want  error
	}{
		"the owner unstakes":      {leave("sam", ""), staking.ErrHired},
		"the co-staker unstakes":  {leave("ann", "o1"), staking.ErrHired},
		"the device leaves":       {staking.DeviceTerminated{Bond: "a100"}, staking.ErrHired},
		"another hire":            {staking.HireStarted{Bond: "a100"}, nil},
		"a deposit":               {staking.Deposited{Bond: "a100", Holder: "sam", Amount: 1}, nil},
		"overflow":                {staking.OverflowWithdrawn{Bond: "a100", Holder: "sam", Amount: io(1_000)}, nil},
		"another table":           {staking.Requalified{Bond: "a100", MultiplierCenti: 600, GPUs: 1, TableChanged: true}, nil},
		"an offer":                {second(500), nil},
		"a reward":                {staking.Rewarded{Bond: "a100", Epoch: 102, Amount: 1}, nil},
		"a claim":                 {staking.Claimed{Bond: "a100", Holder: "sam"}, nil},
		"an infraction":           {staking.Infracted{Evidence: "e", Bond: "a100", Kind: staking.Spoofing, At: begin(101), Measure: 1}, nil},
		"a link, which unstakes":  {staking.WalletsLinked{A: "sam", B: "ann"}, nil},
		"an offer on another one": {staking.BondOpened{Bond: "b", Owner: "sam", GPUs: 1}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, moreCo)
			w.open(io(2_000))
			w.sell(begin(100), "ann")
			w.reward(101, 100)
			w.do(begin(102), staking.HireStarted{Bond: "a100"})
			if c.want != nil {
				w.refuse(begin(103), c.event, c.want)
				return
			}
			w.do(begin(103), c.event)
		})
	}
}

// A device that left earns nothing from the running epoch on, takes no stake and no offer, and lets everybody go.
func TestTerminated(t *testing.T) {
	for name, c := range map[string]struct {
		event staking.Event
		want  error
	}{
		"again":                     {staking.DeviceTerminated{Bond: "a100"}, staking.ErrTerminated},
		"a hire":                    {staking.HireStarted{Bond: "a100"}, staking.ErrTerminated},
		"the end of a hire":         {staking.HireEnded{Bond: "a100"}, staking.ErrNotHired},
		"another table":             {staking.Requalified{Bond: "a100", MultiplierCenti: 100, GPUs: 1}, staking.ErrTerminated},
		"a deposit":                 {staking.Deposited{Bond: "a100", Holder: "sam", Amount: 1}, staking.ErrTerminated},
		"an offer":                  {post(func(o *staking.OfferPosted) { o.Offer = "o9" }), staking.ErrTerminated},
		"a fill":                    {staking.OfferAccepted{Offer: "o2", Holder: "bob", Amount: io(1)}, staking.ErrOfferOver},
		"the end of an offer":       {staking.OfferClosed{Offer: "o2", Holder: "sam"}, staking.ErrOfferOver},
		"a reward before":           {staking.Rewarded{Bond: "a100", Epoch: 104, Amount: 1}, nil},
		"a reward of that epoch":    {staking.Rewarded{Bond: "a100", Epoch: 105, Amount: 1}, staking.ErrTerminated},
		"a reward of the next one":  {staking.Rewarded{Bond: "a100", Epoch: 106, Amount: 1}, staking.ErrTerminated},
		"a claim":                   {staking.Claimed{Bond: "a100", Holder: "ann"}, nil},
		"the owner unstakes":        {leave("sam", ""), nil},
		"a locked fill":             {leave("ann", "o1"), nil},
		"overflow":                  {staking.OverflowWithdrawn{Bond: "a100", Holder: "sam", Amount: io(1_000)}, nil},
		"an infraction":             {staking.Infracted{Evidence: "e", Bond: "a100", Kind: staking.Spoofing, At: begin(101), Measure: 1}, nil},
		"a link":                    {staking.WalletsLinked{A: "sam", B: "ann"}, nil},
		"nothing that could go yet": {staking.Withdrawn{Bond: "a100", Holder: "sam"}, staking.ErrNoStake},
	} {
		t.Run(name, func(t *testing.T) {
			w := terminated(t)
			if c.want != nil {
				w.refuse(begin(108), c.event, c.want)
				return
			}
			for _, e := range w.do(begin(108), c.event) {
				_, short := e.(staking.Underbonded)
				require.False(t, short, "a device that left needs nothing")
			}
		})
	}
	require.ErrorIs(t, terminated(t).Eligible("a100", 105), staking.ErrTerminated)
	require.NoError(t, terminated(t).Eligible("a100", 104))
}

// terminated is a bond with a locked fill and an open offer whose device left within epoch 105.
func terminated(t *testing.T) world {
	t.Helper()
	w := newWorld(t, moreCo)
	w.open(io(2_000))
	w.sell(begin(100), "ann", func(o *staking.OfferPosted) { o.Lock = days(365) })
	w.do(begin(101), second(500))
	w.reward(103, 100)
	require.Equal(t, []staking.Effect{staking.OfferEnded{Offer: "o2", State: staking.StateClosed}},
		w.do(begin(106).Add(-time.Nanosecond), staking.DeviceTerminated{Bond: "a100"}))
	require.True(t, w.bond().Terminated)
	return w
}

// Nobody is warned of what a device that left does not need, whichever way the stake goes.
func TestTerminatedNeedsNothing(t *testing.T) {
	w := replaced(t)
	at := w.Now()
	w.do(at, staking.DeviceTerminated{Bond: "a100"})
	ann := w.lot(2)
	require.Equal(t, []staking.Effect{unlocking(ann, staking.LotWaiting, at.Add(days(7)), false)}, w.do(at, leave("ann", "o1")))
	twin := w.twin()
	require.Equal(t, []staking.Effect{unlocking(ann, staking.LotCooling, at.Add(days(21)), false)}, w.pass(at.Add(days(7))))
	require.Len(t, twin.do(at, infracted("e", staking.Utilisation, at, 1)), 1)
	require.Len(t, twin.do(at, leave("sam", "")), 2)
}

// Open offers close in the order in which they were posted.
func TestTerminatedOffers(t *testing.T) {
	w := newWorld(t, func(p *staking.Params) { p.MaxOffersPerBond = 3 })
	w.open(io(1_000))
	var want []staking.Effect
	for _, id := range []staking.OfferID{"o3", "o1", "o2"} {
		w.do(begin(101), post(func(o *staking.OfferPosted) { o.Offer, o.Amount = id, io(100) }))
		want = append(want, staking.OfferEnded{Offer: id, State: staking.StateClosed})
	}
	require.Equal(t, want, w.do(begin(101), staking.DeviceTerminated{Bond: "a100"}))
}

// Beyond the last epoch that 32 bits number, nothing is bonded and nothing leaves, since no epoch could say until when it
// counts. The last two numbers are not used.
func TestBeyondTheCalendar(t *testing.T) {
	short := func(p *staking.Params) { p.Calendar.Length = time.Second }
	start := staking.IONet().Calendar.Start
	end := start.Add(time.Duration(math.MaxUint32-2) * time.Second) // when epoch 2^32-2 begins
	for name, c := range map[string]struct {
		event staking.Event
		ahead time.Duration // how far it looks
	}{
		"a deposit":              {staking.Deposited{Bond: "a100", Holder: "sam", Amount: 1}, 0},
		"a fill":                 {staking.OfferAccepted{Offer: "o2", Holder: "bob", Amount: io(1)}, 0},
		"the owner unstakes":     {leave("sam", ""), 0},
		"the co-staker unstakes": {leave("ann", "o1"), days(7)},
		"another table":          {staking.Requalified{Bond: "a100", MultiplierCenti: 600, GPUs: 1}, 0},
		"the device leaves":      {staking.DeviceTerminated{Bond: "a100"}, 0},
		"a link":                 {staking.WalletsLinked{A: "sam", B: "ann"}, days(7)},
		"a reward":               {staking.Rewarded{Bond: "a100", Epoch: math.MaxUint32 - 4, Amount: 1}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			for _, d := range []time.Duration{0, time.Nanosecond, days(400)} {
				w := newWorld(t, moreCo, short)
				w.open(io(2_000))
				w.sell(begin(100), "ann")
				if _, fill := c.event.(staking.OfferAccepted); fill {
					w.do(begin(100), post(func(o *staking.OfferPosted) { o.Offer, o.Amount, o.Expires = "o2", io(1), end.Add(days(4_000)) }))
				}
				w.refuse(end.Add(d-c.ahead), c.event, staking.ErrEpochOpen)
				if d == 0 {
					w.do(end.Add(-c.ahead-time.Nanosecond), c.event)
					w.pass(end.Add(days(100)))
				}
			}
		})
	}
}
