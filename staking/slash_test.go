package staking_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// infracted is evidence against the bond of world.open.
func infracted(id staking.EvidenceID, kind staking.Infraction, at time.Time, measure uint64) staking.Infracted {
	return staking.Infracted{Evidence: id, Bond: "a100", Kind: kind, At: at, Measure: measure}
}

// slashed is what the evidence e took from one lot, or from the owner's rewards.
func slashed(holder staking.HolderID, lot staking.LotID, stake, rewards tokenomics.Amount) staking.Effect {
	role := staking.CoStaker
	if holder == "sam" {
		role = staking.Owner
	}
	return staking.Slashed{Evidence: "e", Bond: "a100", Holder: holder, Role: role, Lot: lot, Stake: stake, Rewards: rewards}
}

// with takes the rule of tenths, and an order.
func with(order staking.SlashOrder, change ...func(*staking.Params)) func(*staking.Params) {
	return func(p *staking.Params) {
		p.Slashes, p.SlashOrder, p.MaxFills, p.MaxClaims = []staking.SlashRule{tenths()}, order, 9, 9
		for _, f := range change {
			f(p)
		}
	}
}

// Who loses what: 600 and 400 IO of sam's (lots 1 and 2), 300 of ann's (3) and 200 of bob's (4), who can lose half.
func TestWaterfall(t *testing.T) {
	for name, c := range map[string]struct {
		order   staking.SlashOrder
		measure uint64 // tenths of 1,500
		want    []staking.Effect
	}{
		"the supplier, pro rata by deposit": {staking.SupplierFirst, 1, []staking.Effect{
			slashed("sam", 1, io(90), 0), slashed("sam", 2, io(60), 0),
		}},
		"the supplier, nearly all": {staking.SupplierFirst, 6, []staking.Effect{
			slashed("sam", 1, io(540), 0), slashed("sam", 2, io(360), 0),
		}},
		"the supplier, all, and co-stakers": {staking.SupplierFirst, 7, []staking.Effect{
			slashed("sam", 1, io(600), 0), slashed("sam", 2, io(400), 0), slashed("ann", 3, io(30), 0), slashed("bob", 4, io(20), 0),
		}},
		"all that there is": {staking.SupplierFirst, 10, []staking.Effect{
			slashed("sam", 1, io(600), 0), slashed("sam", 2, io(400), 0), slashed("ann", 3, io(150), 0), slashed("bob", 4, io(100), 0),
		}},
		// 150 of 1,250 that can be lost: 12 % of each.
		"pro rata": {staking.ProRata, 1, []staking.Effect{
			slashed("sam", 1, io(72), 0), slashed("sam", 2, io(48), 0), slashed("ann", 3, io(18), 0), slashed("bob", 4, io(12), 0),
		}},
		"pro rata, all that there is": {staking.ProRata, 9, []staking.Effect{
			slashed("sam", 1, io(600), 0), slashed("sam", 2, io(400), 0), slashed("ann", 3, io(150), 0), slashed("bob", 4, io(100), 0),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, with(c.order))
			w.open(io(600), io(400))
			w.do(begin(100), post(func(o *staking.OfferPosted) { o.MinFill, o.MaxFills = io(200), 2 }))
			w.do(begin(100), accept("o1", "ann", io(300)))
			w.do(begin(100), accept("o1", "bob", io(200)))
			got := w.do(begin(102), infracted("e", staking.Spoofing, begin(101), c.measure))
			if have := w.bond().Counted; have < io(1_000) {
				c.want = append(c.want, underbonded(have, io(1_000), begin(102)))
			}
			require.Equal(t, c.want, got)
			v, ok := w.Case("e")
			require.True(t, ok)
			require.Equal(t, io(1_500), v.Basis)
			require.Equal(t, io(150*c.measure), v.Due)
			require.Equal(t, v.Due, v.Taken+v.Shortfall)
			require.Equal(t, begin(102).Add(days(30)), v.Deadline)
			require.Equal(t, v.Taken, w.Books().Escrow)
		})
	}
}

// Rewards that nobody has claimed go first: the owner's and those of the lots, pro rata. Due are 15 IO, 1 % of 1,500.
func TestWaterfallRewards(t *testing.T) {
	for name, c := range map[string]struct {
		reward uint64 // 69 % sam's, 31 % ann's
		claims []staking.HolderID
		want   []staking.Effect
	}{
		"more than is due": {100, nil, []staking.Effect{slashed("sam", 0, 0, 1_035_000_000), slashed("ann", 2, 0, 465_000_000)}},
		"ann has claimed":  {100, []staking.HolderID{"ann"}, []staking.Effect{slashed("sam", 0, 0, io(15))}},
		"sam has claimed":  {100, []staking.HolderID{"sam"}, []staking.Effect{slashed("ann", 2, 0, io(15))}},
		"both have":        {100, []staking.HolderID{"sam", "ann"}, []staking.Effect{slashed("sam", 1, io(15), 0)}},
		"less than is due": {10, nil, []staking.Effect{
			slashed("sam", 0, 0, 690_000_000), slashed("sam", 1, io(5), 0), slashed("ann", 2, 0, 310_000_000),
		}},
		"exactly what is due": {15, nil, []staking.Effect{slashed("sam", 0, 0, 1_035_000_000), slashed("ann", 2, 0, 465_000_000)}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.shared()
			w.reward(101, io(c.reward))
			for _, by := range c.claims {
				w.do(begin(102), staking.Claimed{Bond: "a100", Holder: by})
			}
			require.Equal(t, c.want, w.do(begin(102), infracted("e", staking.Utilisation, begin(101), 1)))
		})
	}
}

// Stake that came after the infraction is not slashed, to the nanosecond, and neither are its rewards; what has matured is
// not, and everything in between is.
func TestSlashBasis(t *testing.T) {
	at := begin(110)
	for name, c := range map[string]struct {
		bonded time.Time // the second deposit, beside 1,000 IO
		basis  uint64
	}{
		"a second before":     {at.Add(-time.Second), 1_500},
		"a nanosecond before": {at.Add(-time.Nanosecond), 1_500},
		"at the instant":      {at, 1_500},
		"a nanosecond after":  {at.Add(time.Nanosecond), 1_000},
		"a second after":      {at.Add(time.Second), 1_000},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, with(staking.SupplierFirst))
			w.open(io(1_000))
			w.sell(c.bonded, "ann")
			got := w.do(begin(111), infracted("e", staking.Spoofing, at, 10))
			v, _ := w.Case("e")
			require.Equal(t, io(c.basis), v.Basis)
			require.Len(t, got, len(v.Parts)+1)
			require.Equal(t, c.basis > 1_000, w.lot(2).Lost > 0)
		})
	}
	w := newWorld(t)
	w.open(io(1_000))
	w.refuse(begin(101), infracted("e", staking.Spoofing, begin(100).Add(-1), 1), staking.ErrNoStake)
	empty := newWorld(t)
	empty.open()
	empty.refuse(begin(101), infracted("e", staking.Spoofing, begin(101), 1), staking.ErrNoStake)
}

// Attacks 2 and 25: a slash is rounded up once, on the total, and nobody's dust rounds it to nothing.
func TestSlashRoundsUpOnce(t *testing.T) {
	w := newWorld(t, func(p *staking.Params) { p.MaxLotsPerBond = 100 })
	w.open()
	for range 100 {
		w.deposit(begin(100), 1)
	}
	w.do(begin(102), infracted("e", staking.Utilisation, begin(101), 1)) // 1 % of 100 lots of a unit
	v, _ := w.Case("e")
	require.EqualValues(t, 1, v.Taken)
	w.do(begin(102), infracted("f", staking.InadequateService, begin(101), 601)) // 2 % of 99: 1.98
	v, _ = w.Case("f")
	require.EqualValues(t, 2, v.Taken)
	require.EqualValues(t, 97, w.bond().Counted)
}

// The 10,000 units of one holder in 10,000 lots of the sources: due 100, taken 100.
func TestSlashOfDust(t *testing.T) {
	w := newWorld(t, func(p *staking.Params) { p.MaxLotsPerBond = 10_000 })
	w.open()
	for range 10_000 {
		_, err := w.Apply(begin(100), staking.Deposited{Bond: "a100", Holder: "sam", Amount: 1})
		require.NoError(t, err)
	}
	require.Len(t, w.do(begin(102), infracted("e", staking.Utilisation, begin(101), 1)), 100)
	require.EqualValues(t, 100, w.Books().Escrow)
}

// The ladders of io.net's rules, at every step and both sides of it.
func TestLadders(t *testing.T) {
	for name, c := range map[string]struct {
		kind    staking.Infraction
		measure uint64
		bps     uint32 // 0 is no infraction
	}{
		"spoofing, nothing":      {staking.Spoofing, 0, 0},
		"spoofing":               {staking.Spoofing, 1, 10_000},
		"data, nothing":          {staking.DataCompromise, 0, 0},
		"data":                   {staking.DataCompromise, 1, 10_000},
		"outage 10 min":          {staking.InadequateService, 600, 0},
		"outage 10 min 1 s":      {staking.InadequateService, 601, 200},
		"outage 1 h":             {staking.InadequateService, 3_600, 200},
		"outage 1 h 1 s":         {staking.InadequateService, 3_601, 400},
		"outage 48 h":            {staking.InadequateService, 48 * 3_600, 400},
		"outage 48 h 1 s":        {staking.InadequateService, 48*3_600 + 1, 3_000},
		"outage 120 h":           {staking.InadequateService, 120 * 3_600, 3_000},
		"outage 120 h 1 s":       {staking.InadequateService, 120*3_600 + 1, 5_000},
		"outage for ever":        {staking.InadequateService, 1<<64 - 1, 5_000},
		"busy, nothing":          {staking.Utilisation, 0, 0},
		"busy for an hour":       {staking.Utilisation, 1, 100},
		"busy for a long time":   {staking.Utilisation, 1 << 40, 100},
		"2 missed proofs":        {staking.MissedProof, 2, 0},
		"3 missed proofs":        {staking.MissedProof, 3, 100},
		"23 missed proofs":       {staking.MissedProof, 23, 100},
		"24 missed proofs":       {staking.MissedProof, 24, 1_000},
		"what nobody knows":      {"tardiness", 1, 0},
		"nothing by that name":   {"", 1, 0},
		"a name of another case": {"Spoofing", 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.open(io(1_000))
			e := infracted("e", c.kind, begin(101), c.measure)
			if c.bps == 0 {
				w.refuse(begin(101), e, staking.ErrInfraction)
				return
			}
			w.do(begin(101), e)
			v, _ := w.Case("e")
			require.Equal(t, c.bps, v.Bps)
			require.Equal(t, io(uint64(c.bps)/10), v.Taken)
		})
	}
}

// Evidence is brought in time and once.
func TestEvidence(t *testing.T) {
	at := begin(110)
	for name, c := range map[string]struct {
		infraction, brought time.Time
		want                error
	}{
		"a second in the future":     {at.Add(time.Second), at, staking.ErrEvidenceAge},
		"a nanosecond in the future": {at.Add(1), at, staking.ErrEvidenceAge},
		"at once":                    {at, at, nil},
		"a nanosecond below 10 days": {at, at.Add(days(10) - 1), nil},
		"a second below 10 days":     {at, at.Add(days(10) - time.Second), nil},
		"10 days old":                {at, at.Add(days(10)), staking.ErrEvidenceAge},
		"a nanosecond older":         {at, at.Add(days(10) + 1), staking.ErrEvidenceAge},
		"of the year 1":              {time.Time{}, at, staking.ErrTime},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.open(io(1_000))
			e := infracted("e", staking.Utilisation, c.infraction, 1)
			if c.want != nil {
				w.refuse(c.brought, e, c.want)
				return
			}
			w.do(c.brought, e)
		})
	}
}

func TestEvidenceNames(t *testing.T) {
	long := strings.Repeat("x", 129)
	for name, change := range map[string]func(*staking.Infracted){
		"no name":               func(e *staking.Infracted) { e.Evidence = "" },
		"a name of 129 bytes":   func(e *staking.Infracted) { e.Evidence = staking.EvidenceID(long) },
		"renter of 129 bytes":   func(e *staking.Infracted) { e.Renter = staking.HolderID(long) },
		"reporter of 129 bytes": func(e *staking.Infracted) { e.Reporter = staking.HolderID(long) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.open(io(1_000))
			e := infracted("e", staking.Utilisation, begin(101), 1)
			change(&e)
			w.refuse(begin(101), e, staking.ErrID)
		})
	}
}

// Attack 9: the same evidence twice, or the same infraction under another name. One of a kind in an hour of Unix time.
func TestEvidenceTwice(t *testing.T) {
	hour := begin(110) // on the hour
	for name, c := range map[string]struct {
		id   staking.EvidenceID
		kind staking.Infraction
		at   time.Time
		want error
	}{
		"the same":                    {"e", staking.Utilisation, hour, staking.ErrEvidenceUsed},
		"its name, another hour":      {"e", staking.Utilisation, hour.Add(-time.Hour), staking.ErrEvidenceUsed},
		"its name, another kind":      {"e", staking.InadequateService, hour, staking.ErrEvidenceUsed},
		"another name":                {"f", staking.Utilisation, hour, staking.ErrEvidenceUsed},
		"the end of the hour":         {"f", staking.Utilisation, hour.Add(time.Hour - 1), staking.ErrEvidenceUsed},
		"the next hour":               {"f", staking.Utilisation, hour.Add(time.Hour), nil},
		"a nanosecond before":         {"f", staking.Utilisation, hour.Add(-1), nil},
		"another kind, the same hour": {"f", staking.MissedProof, hour, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.open(io(1_000))
			w.do(hour.Add(time.Hour), infracted("e", staking.Utilisation, hour, 3))
			e := infracted(c.id, c.kind, c.at, 3)
			if c.want == nil {
				w.do(hour.Add(time.Hour), e)
				return
			}
			w.refuse(hour.Add(time.Hour), e, c.want)
		})
	}
	// An hour before 1970 is an hour as well: -1 ns and 0 ns are in two.
	past := newWorld(t)
	zero := time.Unix(0, 0)
	past.do(zero.Add(-time.Hour), staking.BondOpened{Bond: "a100", Owner: "sam", GPUs: 1})
	past.deposit(zero.Add(-time.Hour), io(200))
	past.do(zero, infracted("e", staking.Utilisation, zero.Add(-1), 1))
	past.refuse(zero, infracted("f", staking.Utilisation, zero.Add(-time.Hour), 1), staking.ErrEvidenceUsed)
	past.do(zero, infracted("f", staking.Utilisation, zero, 1))
}

// Evidence is remembered for as long as a like one could be brought, and while its case is open; then the name is free.
func TestEvidenceIsForgotten(t *testing.T) {
	w := newWorld(t)
	w.open(io(1_000))
	at := begin(110).Add(30 * time.Minute)
	e := infracted("e", staking.InadequateService, at, 601)
	w.do(at, e)
	w.pass(at.Add(days(10) + time.Hour)) // forgotten, but for the case
	e.At = at.Add(days(10) + time.Hour)
	w.refuse(e.At, e, staking.ErrEvidenceUsed)
	w.pass(at.Add(days(30))) // final
	e.At = at.Add(days(30))
	w.do(e.At, e)

	soon := newWorld(t, func(p *staking.Params) { p.AppealWindow = time.Second })
	soon.open(io(1_000))
	e.At = at
	soon.do(at, e)
	soon.pass(at.Add(time.Second))
	e.At = at.Add(days(10) + time.Hour)
	soon.refuse(e.At, e, staking.ErrTick)
	soon.pass(e.At.Add(-1))
	e.At = e.At.Add(-1)
	soon.refuse(e.At, e, staking.ErrEvidenceUsed)
	soon.pass(e.At.Add(1))
	e.At = e.At.Add(1)
	soon.do(e.At, e)
}

// The cap of a kind holds for infractions less than its window apart, and the last one pays only what is left of it.
func TestSlashCap(t *testing.T) {
	capped := func(p *staking.Params) {
		p.Slashes = []staking.SlashRule{{
			Kind: staking.Utilisation, Steps: []staking.SlashStep{{Bps: 400}}, CapBps: 1_000, CapWindow: 5 * time.Hour,
		}}
	}
	at := begin(110)
	for name, c := range map[string]struct {
		infraction time.Time // after 400 and 400 at 110:00 and 111:00
		bps        uint32    // 0 is refused
	}{
		"within the window":          {begin(113), 200},
		"a nanosecond below 5 hours": {begin(115).Add(-1), 200},
		"5 hours after the first":    {begin(115), 400},
		"5 hours after the second":   {begin(116), 400},
		"before both":                {begin(107), 200},
		"5 hours before the second":  {begin(106), 400},
		"a nanosecond later":         {begin(106).Add(1), 200},
		"5 hours before the first":   {begin(105), 400},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, capped)
			w.open(io(1_000))
			w.do(begin(120), infracted("a", staking.Utilisation, at, 1))
			w.do(begin(120), infracted("b", staking.Utilisation, at.Add(time.Hour), 1))
			w.do(begin(120), infracted("e", staking.Utilisation, c.infraction, 1))
			v, _ := w.Case("e")
			require.Equal(t, c.bps, v.Bps)
		})
	}
	w := newWorld(t, capped)
	w.open(io(1_000))
	for i, id := range []staking.EvidenceID{"a", "b", "c"} {
		w.do(begin(120), infracted(id, staking.Utilisation, begin(tokenomics.Epoch(110+i)), 1))
	}
	fourth := infracted("d", staking.Utilisation, begin(113), 1)
	w.refuse(begin(120), fourth, staking.ErrSlashCap)
	w.do(begin(120), staking.Appealed{Evidence: "b", Holder: "sam"})
	w.do(begin(120), staking.AppealDecided{Evidence: "b", Won: true})
	w.do(begin(120), fourth) // what was no infraction counts towards no cap
	v, _ := w.Case("d")
	require.EqualValues(t, 400, v.Bps)
	w.do(begin(120), staking.BondOpened{Bond: "b", Owner: "sam", GPUs: 1}) // another bond has a cap of its own
}

// The published cap: ten hours of a busy device in thirty days, and no more.
func TestSlashCapOfIONet(t *testing.T) {
	w := newWorld(t)
	w.open(io(1_000))
	for i := range 10 {
		at := begin(tokenomics.Epoch(110 + i))
		w.do(begin(130), infracted(evidenceOf(at), staking.Utilisation, at, 1))
	}
	w.refuse(begin(130), infracted("e", staking.Utilisation, begin(121), 1), staking.ErrSlashCap)
}

// A co-staker never loses more than half of what was bonded, in however many slashes, rounded down.
func TestCoMaxLoss(t *testing.T) {
	w := newWorld(t, with(staking.SupplierFirst, func(p *staking.Params) { p.MinFill = 1 }))
	w.open(io(1_000))
	w.sell(begin(100), "ann", func(o *staking.OfferPosted) { o.Amount = 101 })
	w.do(begin(101), infracted("e", staking.Spoofing, begin(101), 10))
	require.EqualValues(t, 51, w.lot(2).Balance)
	got := w.do(begin(102), infracted("f", staking.Spoofing, begin(102), 10))
	require.Empty(t, got, "he has nothing left, and she has lost her half")
	v, _ := w.Case("f")
	require.Equal(t, staking.CaseView{
		Bond: "a100", Kind: staking.Spoofing, At: begin(102), Basis: 51, Bps: 10_000, Due: 51, Shortfall: 51,
		Deadline: begin(102).Add(days(30)), Parts: []staking.PartView{},
	}, v)
	w.refuse(begin(102), staking.Appealed{Evidence: "f", Holder: "ann"}, staking.ErrNotSlashed)
	w.pass(begin(101).Add(days(30)))
	require.Equal(t, []staking.Effect{staking.Burned{Evidence: "f", Bond: "a100", Kind: staking.Spoofing}}, w.pass(begin(102).Add(days(30))),
		"a case that took nothing is final all the same")
}

// Underbonded follows when a slash takes what the device needs, and only then.
func TestSlashUnderbonds(t *testing.T) {
	for name, c := range map[string]struct {
		own   tokenomics.Amount // 1 % of it is slashed
		short bool
	}{
		"more than enough": {io(1_200), false},
		"just enough":      {101_010_101_011, false}, // less 10.10101011, rounded up
		"a unit short":     {101_010_101_010, true},  // less as much
		"short already":    {io(900), false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.open(c.own)
			got := w.do(begin(101), infracted("e", staking.Utilisation, begin(101), 1))
			if c.short {
				require.Equal(t, underbonded(io(1_000)-1, io(1_000), begin(101)), got[1])
				return
			}
			require.Len(t, got, 1)
		})
	}
}
