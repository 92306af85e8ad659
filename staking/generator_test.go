package staking_test

import (
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// generator draws the events of one small world: few names, short spans, amounts near the limits, a clock that lands on
// deadlines and just beside them. It completes most events from what it sees of the pool, so that they make sense.
type generator struct {
	r  *rand.Rand
	p  staking.Params
	at time.Time
	n  int
	// changed is the instant of the last change of a requirement, which begins a hold, and of which bond.
	changed time.Time
	which   staking.BondID
}

func newGenerator(seed uint64) *generator {
	g := &generator{r: rand.New(rand.NewPCG(seed, 7))}
	g.p = g.params()
	g.at = g.p.Calendar.Start.Add(-2 * time.Hour)
	switch { // worlds at the ends of time
	case g.oneIn(60):
		g.at = time.Date(2199, 12, 28, 0, 0, 0, 0, time.UTC)
	case g.oneIn(60):
		g.p.Calendar.Start = time.Unix(0, 0).UTC()
		g.at = g.p.Calendar.Start.Add(-4 * time.Hour)
	case g.oneIn(60):
		g.p.Calendar.Length = time.Second
		g.at = g.p.Calendar.StartOf(math.MaxUint32).Add(-30 * time.Hour)
	}
	return g
}

// wallets are all holders of a world.
func wallets() []staking.HolderID {
	return []staking.HolderID{"ann", "bob", "cyd", "dan", "eve", "fay", "gus"}
}

// params are small enough that every limit is met, and differ from world to world.
func (g *generator) params() staking.Params {
	p := staking.IONet()
	p.Version, p.BaseStake, p.MinFill = "small", 200, 3
	p.MaxCoBps, p.CoMaxLossBps = pick[uint32](g, 5_000, 5_000, 10_000), pick[uint32](g, 0, 5_000, 10_000)
	p.MaxClaims, p.MaxOffersPerBond, p.MaxFills = 1+g.r.Uint32N(5), 1+g.r.Uint32N(3), 1+g.r.Uint32N(4)
	p.MaxLotsPerBond = 6 + g.r.Uint32N(7)
	p.Calendar.Length = pick(g, time.Hour, time.Hour, 10*time.Minute)
	p.MaxLock, p.OwnerCooldown, p.CoCooldown = 3*time.Hour, 3*time.Hour, pick(g, 3*time.Hour, 2*time.Hour, 2*time.Hour+time.Second)
	p.CoWait = pick(g, 2*time.Hour, 2*time.Hour, 71*time.Minute+7*time.Second, 0)
	p.OverflowHold, p.Grace = pick(g, 0, 2*time.Hour), pick(g, 0, 3*time.Hour, 3*time.Hour)
	p.EvidenceWindow, p.AppealWindow = pick(g, 2*time.Hour, 100*time.Minute), pick(g, 4*time.Hour, time.Hour)
	p.SlashOrder = pick(g, staking.SupplierFirst, staking.ProRata)
	p.Slashes = []staking.SlashRule{
		{
			Kind: "outage", Steps: []staking.SlashStep{{Bps: 100}, {Over: 60, Bps: 400}, {Over: 3_600, Bps: 5_000}},
			RenterBps: 1_000, ReporterBps: 500,
		},
		{Kind: "spoofing", Steps: []staking.SlashStep{{Bps: 10_000}}, Fraud: true},
		{Kind: "idle", Steps: []staking.SlashStep{{Over: 1, Bps: 700}}, CapBps: 700, CapWindow: 5 * time.Hour, ReporterBps: 10_000},
		{
			Kind: "proof", Steps: []staking.SlashStep{{Bps: 3_333}}, CapBps: 6_000, CapWindow: 95 * time.Minute,
			RenterBps: 5_000, ReporterBps: 5_000,
		},
	}
	if g.oneIn(12) { // a world of sums near the limit of 64 bits
		p.BaseStake = 100 * (1 + tokenomics.Amount(g.r.Uint64N(1<<54)))
	}
	return p
}

func pick[T any](g *generator, from ...T) T { return from[g.r.IntN(len(from))] }

func (g *generator) oneIn(n int) bool { return g.r.IntN(n) == 0 }

// wallet returns a holder, now and then one that is not allowed.
func (g *generator) wallet() staking.HolderID {
	if g.oneIn(60) {
		return pick(g, "", staking.HolderID(strings.Repeat("h", 129)), "nobody")
	}
	return pick(g, wallets()...)
}

// upTo returns an amount of at most n, rarely more.
func (g *generator) upTo(n tokenomics.Amount) tokenomics.Amount {
	if g.oneIn(150) {
		return pick(g, 0, n+1, tokenomics.Amount(g.r.Uint64()), math.MaxUint64)
	}
	if n == math.MaxUint64 {
		return tokenomics.Amount(g.r.Uint64())
	}
	return tokenomics.Amount(g.r.Uint64N(uint64(n) + 1))
}

// name returns one of few identifiers, now and then one that is not allowed.
func (g *generator) name(prefix string, n int) string {
	if g.oneIn(60) {
		return pick(g, "", strings.Repeat(prefix, 129))
	}
	return prefix + strconv.Itoa(g.r.IntN(n))
}

// advance moves the clock: to the next deadline, to the next epoch, by some minutes; on the spot or just beside it.
func (g *generator) advance(s sight) {
	at := g.at
	switch g.r.IntN(11) {
	case 0, 1, 2, 3, 4:
		return
	case 5, 6:
		at = at.Add(time.Duration(g.r.Int64N(40*60)) * time.Second)
	case 7:
		at = at.Truncate(time.Hour).Add(time.Duration(g.r.Int64N(2)) * time.Hour)
	case 8, 9:
		if s.due {
			at = s.next
		}
	case 10: // the end of a hold
		at = g.changed.Add(g.p.OverflowHold)
		if len(s.bonds) > 0 && g.oneIn(2) {
			at = g.lotOf(pick(g, s.bonds...).view).BondedAt.Add(g.p.OverflowHold)
		}
	}
	at = at.Add(pick(g, 0, 0, 0, -1, 1, -time.Second, time.Second))
	// Far jumps would carry out everything at once.
	if at.After(g.at) && at.Before(g.at.Add(6*time.Hour)) {
		g.at = at
	}
}

// next returns an event and its instant, by what is seen of the pool.
func (g *generator) next(s sight) (time.Time, staking.Event) {
	g.n++
	g.advance(s)
	if s.due && !s.next.After(g.at) && !g.oneIn(5) {
		return g.at, staking.Ticked{}
	}
	e := g.draw(s)
	switch g.r.IntN(400) {
	case 0:
		return g.at.Add(-time.Duration(1 + g.r.Int64N(3))), e
	case 1:
		return time.Date(pick(g, 1899, 2201, 1, 9999), 12, 31, 23, 59, 59, 0, time.UTC), e
	}
	return g.at, e
}

// draw weighs the kinds of events.
func (g *generator) draw(s sight) staking.Event {
	if len(s.bonds) == 0 || len(s.bonds) < 3 && g.oneIn(4) || g.oneIn(100) {
		return staking.BondOpened{
			Bond: staking.BondID(g.name("b", 5)), Owner: g.wallet(),
			MultiplierCenti: pick[uint32](g, 0, 50, 100, 150, 200, 250), GPUs: pick[uint32](g, 1, 1, 1, 2, 2, 0, math.MaxUint32),
		}
	}
	id, b := g.bond(s)
	if id == g.which && g.at.Before(g.changed.Add(g.p.Grace)) && g.oneIn(8) {
		return g.requalify(id, b)
	}
	switch n := g.r.IntN(100); {
	case n < 14 && (b.Missing > 0 || g.oneIn(5)):
		return g.deposit(id, b)
	case n < 28 && len(s.open()) > 0:
		return g.accept(s)
	case n < 36:
		return g.post(s, id, b)
	case n < 52:
		return g.reward(id, b)
	case n < 64:
		return g.leave(id, b)
	case n < 72:
		return g.withdraw(id, b)
	case n < 86:
		return g.slash(s, id, b)
	}
	return g.rare(s, id, b)
}

// rare draws the events that a world sees less often.
func (g *generator) rare(s sight, id staking.BondID, b staking.BondView) staking.Event {
	switch g.r.IntN(14) {
	case 0, 1:
		if b.Hires > 0 {
			return staking.HireEnded{Bond: id}
		}
		return staking.HireStarted{Bond: id}
	case 2:
		return staking.HireEnded{Bond: id}
	case 3, 4, 5:
		g.changed, g.which = g.at, id
		return g.requalify(id, b)
	case 6:
		if g.oneIn(2) {
			return staking.WalletsLinked{A: pick(g, b.Owner, g.wallet()), B: pick(g, g.lotOf(b).Holder, g.wallet())}
		}
	case 7:
		if g.oneIn(6) {
			return staking.DeviceTerminated{Bond: id}
		}
	case 8:
		o := g.offer(s)
		return staking.OfferClosed{Offer: o.id, Holder: pick(g, b.Owner, g.wallet())}
	case 9, 10:
		return staking.Ticked{}
	}
	return g.claim(id, b)
}

func (g *generator) requalify(id staking.BondID, b staking.BondView) staking.Event {
	return staking.Requalified{
		Bond: id, MultiplierCenti: pick(g, b.MultiplierCenti, 0, 100, 150, 200, 300), GPUs: pick(g, b.GPUs, b.GPUs, 1, 2, uint32(g.r.IntN(2))),
		TableChanged: g.oneIn(2),
	}
}

// claim asks mostly for what is there.
func (g *generator) claim(id staking.BondID, b staking.BondView) staking.Event {
	for _, l := range b.Lots {
		if l.Earned > 0 && g.oneIn(2) {
			return staking.Claimed{Bond: id, Holder: l.Holder}
		}
	}
	if b.OwnerEarned > 0 && !g.oneIn(4) {
		return staking.Claimed{Bond: id, Holder: b.Owner}
	}
	return staking.Claimed{Bond: id, Holder: g.lotOf(b).Holder}
}

// bond returns a bond of the pool, rarely one that does not exist.
func (g *generator) bond(s sight) (staking.BondID, staking.BondView) {
	if g.oneIn(80) {
		return staking.BondID(g.name("b", 9)), s.bonds[0].view
	}
	b := pick(g, s.bonds...)
	return b.id, b.view
}

// lotOf returns a lot of a bond, rarely one that is not there.
func (g *generator) lotOf(b staking.BondView) staking.LotView {
	if len(b.Lots) == 0 || g.oneIn(30) {
		return staking.LotView{Holder: g.wallet(), Offer: staking.OfferID(g.name("o", 30))}
	}
	if g.oneIn(3) {
		return staking.LotView{Holder: b.Owner}
	}
	return pick(g, b.Lots...)
}

// open lists the offers that can be accepted.
func (s sight) open() (open []named[staking.OfferID, staking.OfferView]) {
	for _, o := range s.offers {
		if o.view.State == staking.StateOpen {
			open = append(open, o)
		}
	}
	return open
}

// offer returns an offer of the pool, mostly an open one.
func (g *generator) offer(s sight) (o named[staking.OfferID, staking.OfferView]) {
	if len(s.offers) == 0 || g.oneIn(40) {
		o.id, o.view.Amount = staking.OfferID(g.name("o", 30)), 1
		return o
	}
	if open := s.open(); len(open) > 0 && !g.oneIn(20) {
		return pick(g, open...)
	}
	return pick(g, s.offers...)
}

func (g *generator) deposit(id staking.BondID, b staking.BondView) staking.Event {
	e := staking.Deposited{Bond: id, Holder: b.Owner, Amount: g.upTo(b.Required/2 + 1)}
	if b.Missing > 0 && !g.oneIn(4) {
		e.Amount = b.Missing
	}
	if g.oneIn(10) {
		e.Holder = g.wallet()
	}
	return e
}

func (g *generator) accept(s sight) staking.Event {
	o := g.offer(s)
	rest := o.view.Amount - o.view.Filled
	e := staking.OfferAccepted{Offer: o.id, Holder: g.wallet(), Amount: rest}
	for _, b := range s.bonds {
		if b.id != o.view.Bond {
			continue
		}
		if g.oneIn(5) {
			e.Holder = g.lotOf(b.view).Holder
		}
		for _, l := range b.view.Lots { // who has lost all may come back
			if l.Balance == 0 && l.State != staking.LotActive && l.Role == staking.CoStaker && g.oneIn(2) {
				e.Holder = l.Holder
			}
		}
		if b.view.CoStake < b.view.Required && g.oneIn(20) {
			e.Amount = b.view.Required - b.view.CoStake - tokenomics.Amount(g.r.Uint64N(2))
			return e
		}
	}
	switch g.r.IntN(8) {
	case 0, 1, 2:
		e.Amount = min(rest, o.view.MinFill+g.upTo(rest-min(rest, o.view.MinFill)))
	case 3:
		e.Amount = g.upTo(rest)
	case 4:
		e.Amount = pick(g, o.view.MinFill, o.view.MinFill-1, rest+1)
	}
	return e
}

func (g *generator) post(s sight, id staking.BondID, b staking.BondView) staking.Event {
	room, _ := b.Required.MulDiv(uint64(g.p.MaxCoBps), 10_000, tokenomics.Down)
	e := staking.OfferPosted{
		Offer: staking.OfferID("o" + strconv.Itoa(g.n)), Bond: id, Holder: b.Owner, Amount: room / tokenomics.Amount(1+g.r.IntN(4)),
		MaxFills: g.r.Uint32N(g.p.MaxFills + 1), RewardShareBps: pick[uint32](g, 500, 777, 1_000, 2_500, 3_333, 5_000, 10_000),
		Expires: g.at.Add(time.Duration(1+g.r.Int64N(12*3600)) * time.Second), Lock: pick(g, 0, 0, time.Hour, 3*time.Hour),
	}
	if room > b.CoStake && !g.oneIn(4) {
		e.Amount = max(g.p.MinFill, (room-b.CoStake)/tokenomics.Amount(1+g.r.IntN(3)))
	}
	if e.MaxFills > 1 || g.oneIn(4) {
		e.MinFill = pick(g, g.p.MinFill, e.Amount/2, e.Amount/3+1, g.upTo(e.Amount))
	}
	switch g.r.IntN(40) {
	case 0:
		e.Offer = pick(g, staking.OfferID(g.name("o", 40)), g.offer(s).id)
	case 1:
		e.Holder = g.wallet()
	case 2:
		e.Amount = pick(g, 0, 2, room+1, g.upTo(room))
	case 3:
		e.MaxFills = g.p.MaxFills + 1
	case 4:
		e.RewardShareBps = pick[uint32](g, 0, 499, 10_001)
	case 5:
		e.Expires = pick(g, g.at, g.at.Add(-1), g.at.Add(1), time.Date(2201, 1, 1, 0, 0, 0, 0, time.UTC))
	case 6:
		e.Lock = pick(g, -1, g.p.MaxLock+1)
	}
	return e
}

func (g *generator) reward(id staking.BondID, b staking.BondView) staking.Event {
	// Most rewards are for the epoch that has just ended, some for any since the last one.
	running := tokenomics.Epoch(max(0, g.at.Sub(g.p.Calendar.Start)/g.p.Calendar.Length) + 1)
	e := staking.Rewarded{Bond: id, Epoch: running - 1, Amount: g.upTo(b.Required)}
	switch g.r.IntN(10) {
	case 0, 1, 2:
		if b.LastEpoch < running {
			e.Epoch = b.LastEpoch + tokenomics.Epoch(g.r.Uint32N(uint32(running-b.LastEpoch)+1))
		}
	case 3:
		e.Epoch = b.LastEpoch + 1
	case 4:
		e.Amount = pick[tokenomics.Amount](g, 0, 1, 2, 3)
	}
	return e
}

func (g *generator) leave(id staking.BondID, b staking.BondView) staking.Event {
	if g.oneIn(4) {
		n := pick(g, b.Overflow, b.Overflow, b.Overflow+1, 1, g.upTo(b.Overflow))
		return staking.OverflowWithdrawn{Bond: id, Holder: b.Owner, Amount: n}
	}
	var active []staking.LotView
	for _, l := range b.Lots {
		if l.State == staking.LotActive && l.Offer != "" {
			active = append(active, l)
		}
	}
	l := g.lotOf(b)
	if b.CoStake+2 >= b.Required && g.oneIn(2) {
		return staking.Unstaked{Bond: id, Holder: b.Owner}
	}
	switch {
	case l.Offer != "" || g.oneIn(8): // an owner that leaves empties the world
	case len(active) > 0:
		l = pick(g, active...)
	default:
		return g.claim(id, b)
	}
	if g.oneIn(20) {
		l.Holder = g.wallet()
	}
	return staking.Unstaked{Bond: id, Holder: l.Holder, Offer: l.Offer}
}

func (g *generator) withdraw(id staking.BondID, b staking.BondView) staking.Event {
	for _, l := range b.Lots {
		if l.State == staking.LotMatured && !g.oneIn(3) {
			return staking.Withdrawn{Bond: id, Holder: l.Holder}
		}
	}
	if g.oneIn(10) {
		return staking.Withdrawn{Bond: id, Holder: g.lotOf(b).Holder}
	}
	if b.Missing == 0 {
		return staking.HireEnded{Bond: id}
	}
	return g.deposit(id, b)
}

func (g *generator) slash(s sight, id staking.BondID, b staking.BondView) staking.Event {
	if n := g.r.IntN(3); n > 0 && len(s.cases) > 0 {
		c := pick(g, s.cases...)
		if g.oneIn(20) {
			c.id = staking.EvidenceID(g.name("e", 9))
		}
		if c.view.Appealed && !g.oneIn(5) {
			return staking.AppealDecided{Evidence: c.id, Won: g.oneIn(2)}
		}
		e := staking.Appealed{Evidence: c.id, Holder: pick(g, s.bonds...).view.Owner}
		if len(c.view.Parts) > 0 && !g.oneIn(4) {
			e.Holder = pick(g, c.view.Parts...).Holder
		}
		return e
	}
	e := staking.Infracted{
		Evidence: staking.EvidenceID("e" + strconv.Itoa(g.n)), Bond: id, Kind: pick(g, g.p.Slashes...).Kind,
		At: g.at.Add(-time.Duration(g.r.Int64N(int64(g.p.EvidenceWindow)))), Measure: pick[uint64](g, 1, 2, 61, 3_601, 9_999),
		Renter: pick(g, "", g.wallet()), Reporter: pick(g, "", g.wallet()),
	}
	if len(s.cases) > 0 && g.oneIn(3) { // beside another infraction, for the hour and the cap
		c := pick(g, s.cases...).view
		window := g.p.Slashes[g.r.IntN(len(g.p.Slashes))].CapWindow
		e.Bond, e.Kind, e.At = c.Bond, c.Kind, c.At.Add(pick(g, window, -window, time.Duration(g.r.Int64N(260)-130)*time.Minute))
		if g.oneIn(2) { // in the same hour
			e.At = c.At.Truncate(time.Hour).Add(time.Duration(g.r.Int64N(int64(time.Hour))))
		}
	} else if len(b.Lots) > 0 && g.oneIn(2) {
		e.At = pick(g, g.at, pick(g, b.Lots...).BondedAt.Add(pick[time.Duration](g, 0, 0, -1, 1)))
	}
	if e.Kind == "spoofing" && !g.oneIn(3) { // it takes all that there is
		e.Kind = pick[staking.Infraction](g, "outage", "proof")
	}
	switch g.r.IntN(30) {
	case 0:
		e.Evidence = staking.EvidenceID(g.name("e", g.n+1))
	case 1:
		e.Kind = pick[staking.Infraction](g, "", "lateness")
	case 2:
		e.Measure = 0
	case 3:
		e.At = pick(g, g.at.Add(1), g.at.Add(-g.p.EvidenceWindow), g.at.Add(1-g.p.EvidenceWindow), time.Date(1700, 1, 1, 0, 0, 0, 0, time.UTC))
	}
	return e
}
