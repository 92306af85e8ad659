package staking_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// An appeal comes within 30 times 24 hours, by a holder that the case took from, and once for all.
func TestAppealed(t *testing.T) {
	brought := begin(102).Add(time.Nanosecond)
	end := brought.Add(720 * time.Hour)
	for name, c := range map[string]struct {
		at   time.Time
		by   staking.HolderID
		want error
	}{
		"by the owner":        {brought, "sam", nil},
		"by a co-staker":      {brought, "ann", nil},
		"by who lost nothing": {brought, "bob", staking.ErrNotSlashed},
		"by a stranger":       {brought, "eve", staking.ErrNotSlashed},
		"by nobody":           {brought, "", staking.ErrNotSlashed},
		"a second before":     {end.Add(-time.Second), "sam", nil},
		"a nanosecond before": {end.Add(-time.Nanosecond), "sam", nil},
		"at the deadline":     {end, "sam", staking.ErrTick},
		"a nanosecond after":  {end.Add(time.Nanosecond), "sam", staking.ErrTick},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, with(staking.SupplierFirst, moreCo))
			w.shared()
			w.sell(begin(102), "bob", func(o *staking.OfferPosted) { o.Offer, o.Amount, o.RewardShareBps = "o2", io(1), 500 })
			w.do(brought, infracted("e", staking.Spoofing, begin(101), 10))
			e := staking.Appealed{Evidence: "e", Holder: c.by}
			if c.want != nil {
				w.refuse(c.at, e, c.want)
				w.tick(end.Add(time.Nanosecond))
				w.refuse(end.Add(time.Nanosecond), e, staking.ErrNoCase)
				return
			}
			w.tick(c.at) // the evidence is forgotten meanwhile, but for its case
			require.Empty(t, w.do(c.at, e))
			v, _ := w.Case("e")
			require.True(t, v.Appealed)
			require.Empty(t, w.tick(begin(9_000)), "an appealed case waits for its decision")
		})
	}
}

// Every event on a case in every state.
func TestCaseStates(t *testing.T) {
	appeal := staking.Appealed{Evidence: "e", Holder: "sam"}
	lost, won := staking.AppealDecided{Evidence: "e"}, staking.AppealDecided{Evidence: "e", Won: true}
	again := infracted("e", staking.Spoofing, begin(101), 1)
	last := begin(101).Add(days(30))
	for name, c := range map[string]struct {
		path  []staking.Event
		event staking.Event
		want  error
	}{
		"open, appealed":         {nil, appeal, nil},
		"open, lost":             {nil, lost, staking.ErrAppeal},
		"open, won":              {nil, won, staking.ErrAppeal},
		"open, the evidence":     {nil, again, staking.ErrEvidenceUsed},
		"appealed, appealed":     {[]staking.Event{appeal}, appeal, staking.ErrAppeal},
		"appealed, lost":         {[]staking.Event{appeal}, lost, nil},
		"appealed, won":          {[]staking.Event{appeal}, won, nil},
		"appealed, the evidence": {[]staking.Event{appeal}, again, staking.ErrEvidenceUsed},
		"lost, appealed":         {[]staking.Event{appeal, lost}, appeal, staking.ErrNoCase},
		"lost, lost":             {[]staking.Event{appeal, lost}, lost, staking.ErrNoCase},
		"lost, won":              {[]staking.Event{appeal, lost}, won, staking.ErrNoCase},
		"lost, the evidence":     {[]staking.Event{appeal, lost}, again, staking.ErrEvidenceUsed},
		"won, appealed":          {[]staking.Event{appeal, won}, appeal, staking.ErrNoCase},
		"won, lost":              {[]staking.Event{appeal, won}, lost, staking.ErrNoCase},
		"won, won":               {[]staking.Event{appeal, won}, won, staking.ErrNoCase},
		"won, the evidence":      {[]staking.Event{appeal, won}, again, staking.ErrEvidenceUsed},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.shared()
			w.do(begin(101), infracted("e", staking.Utilisation, begin(101), 1))
			for _, e := range c.path {
				w.do(begin(102), e)
			}
			if c.want != nil {
				w.refuse(begin(102), c.event, c.want)
				return
			}
			w.do(begin(102), c.event)
		})
	}
	for name, e := range map[string]staking.Event{"final, appealed": appeal, "final, lost": lost, "final, won": won} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.shared()
			w.do(begin(101), infracted("e", staking.Utilisation, begin(101), 1))
			w.tick(last)
			w.refuse(last, e, staking.ErrNoCase)
		})
	}
}

// A slash that nobody appeals, or whose appeal is lost, is final: the parts of the renter and the reporter are paid, the
// rest is burned, and the three are the whole.
func TestFinal(t *testing.T) {
	for name, c := range map[string]struct {
		renter, reporter staking.HolderID
		want             []staking.Effect // of 10.00000007 IO, 10 % and 5 %
	}{
		"nobody":     {"", "", []staking.Effect{burned(1_000_000_007)}},
		"a renter":   {"ron", "", []staking.Effect{compensated("ron", 100_000_000), burned(900_000_007)}},
		"a reporter": {"", "rita", []staking.Effect{compensated("rita", 50_000_000), burned(950_000_007)}},
		"both": {"ron", "rita", []staking.Effect{
			compensated("ron", 100_000_000), compensated("rita", 50_000_001), burned(850_000_006),
		}},
		"one who is both":            {"ron", "ron", []staking.Effect{compensated("ron", 150_000_001), burned(850_000_006)}},
		"the owner as renter":        {"sam", "rita", []staking.Effect{compensated("rita", 50_000_000), burned(950_000_007)}},
		"the owner as reporter":      {"ron", "sam", []staking.Effect{compensated("ron", 100_000_000), burned(900_000_007)}},
		"a wallet of the owner's":    {"tom", "rita", []staking.Effect{compensated("rita", 50_000_000), burned(950_000_007)}},
		"the owner as both":          {"sam", "tom", []staking.Effect{burned(1_000_000_007)}},
		"a co-staker may be harmed":  {"ann", "", []staking.Effect{compensated("ann", 100_000_000), burned(900_000_007)}},
		"somebody of another person": {"uma", "", []staking.Effect{compensated("uma", 100_000_000), burned(900_000_007)}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(p *staking.Params) {
				p.Slashes = []staking.SlashRule{{
					Kind: staking.Spoofing, Steps: []staking.SlashStep{{Bps: 100}}, RenterBps: 1_000, ReporterBps: 500,
				}}
			})
			w.open(io(1_000) + 700)
			w.do(begin(101), staking.WalletsLinked{A: "sam", B: "tom"})
			w.do(begin(101), staking.WalletsLinked{A: "uma", B: "vic"})
			e := infracted("e", staking.Spoofing, begin(101), 1)
			e.Renter, e.Reporter = c.renter, c.reporter
			w.do(begin(102), e)
			lost := w.twin()
			require.Equal(t, c.want, w.tick(begin(102).Add(days(30))))
			b := w.Books()
			require.EqualValues(t, 1_000_000_007, b.Burned+b.Compensated)
			require.Zero(t, b.Escrow)
			sam, _ := w.Holder("sam")
			require.EqualValues(t, 1_000_000_007, sam.Slashed)

			lost.do(begin(103), staking.Appealed{Evidence: "e", Holder: "sam"})
			require.Equal(t, c.want, lost.do(begin(104), staking.AppealDecided{Evidence: "e"}), "a lost appeal costs the same")
		})
	}
}

func burned(n tokenomics.Amount) staking.Effect {
	return staking.Burned{Evidence: "e", Bond: "a100", Kind: staking.Spoofing, Amount: n}
}

func compensated(who staking.HolderID, n tokenomics.Amount) staking.Effect {
	return staking.Compensated{Evidence: "e", Holder: who, Amount: n}
}

func restored(holder staking.HolderID, lot staking.LotID, stake, rewards tokenomics.Amount) staking.Effect {
	return staking.Restored{Evidence: "e", Bond: "a100", Holder: holder, Lot: lot, Stake: stake, Rewards: rewards}
}

// takesAll slashes everything of sam's 1,000 IO and ann's 500, and their rewards of 690 and 310 units.
func takesAll(t *testing.T) world {
	t.Helper()
	w := newWorld(t, with(staking.SupplierFirst))
	w.shared()
	w.reward(101, 1_000)
	require.Equal(t, []staking.Effect{
		slashed("sam", 0, 0, 690), slashed("sam", 1, io(1_000), 0), slashed("ann", 2, io(250), 310),
		underbonded(io(250), io(1_000), begin(102)),
	}, w.do(begin(102), infracted("e", staking.Spoofing, begin(101), 10)))
	w.do(begin(102), staking.Appealed{Evidence: "e", Holder: "ann"})
	return w
}

// An appeal that is won puts everything back where it was taken, to the unit.
func TestWon(t *testing.T) {
	w := takesAll(t)
	require.Equal(t, []staking.Effect{restored("sam", 0, 0, 690), restored("sam", 1, io(1_000), 0), restored("ann", 2, io(250), 310)},
		w.do(begin(103), staking.AppealDecided{Evidence: "e", Won: true}))
	require.Equal(t, io(1_500), w.bond().Counted)
	require.Zero(t, w.lot(2).Lost)
	require.EqualValues(t, 690, w.Claimable("a100", "sam"))
	require.EqualValues(t, 310, w.Claimable("a100", "ann"))
	require.Equal(t, staking.Books{Deposits: io(1_500), Bonded: io(1_500), Rewards: 1_000, Accrued: 1_000}, w.Books())
	for _, id := range []staking.HolderID{"sam", "ann"} {
		h, _ := w.Holder(id)
		require.Zero(t, h.Slashed)
	}
}

// A lot that is gone when the appeal is won: its units go to its wallet. A lot without a balance stays till then.
func TestWonTooLate(t *testing.T) {
	w := takesAll(t)
	require.Equal(t, staking.LotView{
		ID: 1, Holder: "sam", Role: staking.Owner, State: staking.LotActive, Bonded: io(1_000), Lost: io(1_000), BondedAt: begin(100),
		EarnsFrom: 101,
	}, w.lot(1))
	at := begin(103)
	require.Equal(t, []staking.Effect{
		unlocking(w.lot(1), staking.LotCooling, at.Add(days(14)), false),
		unlocking(w.lot(2), staking.LotCooling, at.Add(days(14)), true),
		underbonded(0, io(1_000), at),
	}, w.do(at, leave("sam", "")), "it passes through the states like any other")
	end := at.Add(days(14))
	w.tick(end)
	require.Empty(t, w.do(end, withdraw("sam")), "there is nothing to withdraw, and the lot is gone")
	require.Equal(t, []staking.Effect{staking.Released{Bond: "a100", Holder: "ann", Number: 1, Amount: io(250)}},
		w.do(end, withdraw("ann")))
	require.Empty(t, w.bond().Lots)
	require.Equal(t, []staking.Effect{
		restored("sam", 0, 0, 690),
		restored("sam", 1, io(1_000), 0),
		staking.Released{Bond: "a100", Holder: "sam", Number: 2, Amount: io(1_000)},
		restored("ann", 2, io(250), 310),
		staking.Released{Bond: "a100", Holder: "ann", Number: 3, Amount: io(250)},
		staking.Paid{Bond: "a100", Holder: "ann", Role: staking.CoStaker, Number: 4, Epoch: 101, Amount: 310},
	}, w.do(end, staking.AppealDecided{Evidence: "e", Won: true}))
	require.EqualValues(t, 690, w.Claimable("a100", "sam"))
	require.Equal(t, staking.Books{Deposits: io(1_500), Released: io(1_500), Rewards: 1_000, Accrued: 690, Paid: 310}, w.Books())
}

// Two cases hold one empty lot: it leaves with the last of them, and what it earned is paid then.
func TestEmptyLotIsHeld(t *testing.T) {
	for name, c := range map[string]struct {
		first, second bool // won
		left          tokenomics.Amount
	}{
		"both lost":         {false, false, 0},
		"the first is won":  {true, false, io(100)},
		"the second is won": {false, true, io(400)},
		"both are won":      {true, true, io(500)},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, with(staking.ProRata, func(p *staking.Params) { p.CoMaxLossBps = 10_000 }))
			w.shared()
			w.spoof(begin(101), 2) // 300 of 1,500: 200 and 100
			w.spoof(begin(102), 10)
			require.Zero(t, w.lot(2).Balance)
			require.Equal(t, staking.HolderView{Slashed: io(500), Claims: 1}, holderOf(w, "ann"))
			w.refuseShort(begin(103), staking.Rewarded{Bond: "a100", Epoch: 102, Amount: 1},
				staking.ShortStakeError{Bond: "a100", Need: io(1_000), Epoch: 102})
			for _, at := range []time.Time{begin(101), begin(102)} {
				w.do(begin(103), staking.Appealed{Evidence: evidenceOf(at), Holder: "ann"})
			}
			w.do(begin(104), staking.AppealDecided{Evidence: evidenceOf(begin(101)), Won: c.first})
			require.Len(t, w.bond().Lots, 2, "the second case holds the lots")
			w.do(begin(105), staking.AppealDecided{Evidence: evidenceOf(begin(102)), Won: c.second})
			require.Equal(t, c.left, w.lot(2).Balance)
			if c.left == 0 {
				require.Empty(t, w.bond().Lots)
				require.Zero(t, holderOf(w, "ann").Claims)
				o, _ := w.Offer("o1")
				require.EqualValues(t, 1, o.Withdrawn)
			}
		})
	}
}

func holderOf(w world, id staking.HolderID) staking.HolderView {
	v, _ := w.Holder(id)
	return v
}

// An empty lot can have earned something: rewards that another case had taken and gave back. They are paid when it leaves.
func TestEmptyLotIsPaid(t *testing.T) {
	w := newWorld(t, with(staking.SupplierFirst, func(p *staking.Params) { p.CoMaxLossBps = 10_000 }))
	w.shared()
	w.reward(101, io(1_000))
	w.spoof(begin(102), 1) // 150 of the 1,000 that nobody has claimed: 103.5 and 46.5
	for _, by := range []staking.HolderID{"sam", "ann"} {
		w.do(begin(102), staking.Claimed{Bond: "a100", Holder: by})
	}
	w.do(begin(103), infracted("e", staking.Spoofing, begin(103), 10))
	w.do(begin(103), staking.Appealed{Evidence: evidenceOf(begin(102)), Holder: "ann"})
	w.do(begin(103), staking.AppealDecided{Evidence: evidenceOf(begin(102)), Won: true})
	require.EqualValues(t, int64(4_650_000_000), w.lot(2).Earned)
	require.Zero(t, w.lot(2).Balance)
	w.do(begin(104), staking.Appealed{Evidence: "e", Holder: "ann"})
	require.Equal(t, []staking.Effect{
		burned(io(1_500)),
		staking.Paid{Bond: "a100", Holder: "ann", Role: staking.CoStaker, Number: 3, Epoch: 101, Amount: 4_650_000_000},
	}, w.do(begin(104), staking.AppealDecided{Evidence: "e"}))
	require.EqualValues(t, int64(10_350_000_000), w.Claimable("a100", "sam"))
}

// An appeal may fill an emptied lot again, and so its offer keeps its part of the rewards meanwhile: nobody sells it twice.
func TestEmptyFillKeepsItsShare(t *testing.T) {
	w := newWorld(t, with(staking.SupplierFirst, func(p *staking.Params) { p.CoMaxLossBps = 10_000 }))
	w.shared(func(o *staking.OfferPosted) { o.RewardShareBps = 10_000 })
	w.do(begin(102), infracted("e", staking.Spoofing, begin(101), 10))
	w.deposit(begin(102), io(1_000))
	again := offer(func(o *staking.OfferPosted) { o.Offer, o.RewardShareBps = "o2", 500 })
	w.refuse(begin(102), again, staking.ErrRewardShare)
	w.do(begin(103), staking.Appealed{Evidence: "e", Holder: "ann"})
	w.do(begin(103), staking.AppealDecided{Evidence: "e"})
	w.do(begin(103), again) // it is gone for good
}

// Attack 4: slash to nothing, then deposit: the bond goes on.
func TestSlashedToNothing(t *testing.T) {
	w := takesAll(t)
	w.do(begin(103), staking.AppealDecided{Evidence: "e"})
	require.Len(t, w.bond().Lots, 1)
	w.deposit(begin(103), io(750))
	w.reward(104, 1_000)
	require.EqualValues(t, 155, w.Claimable("a100", "ann"), "half of her fill earns half of its part")
}

// The fraction of a slash of the largest amounts goes through 128 bits.
func TestSlashOfHugeStake(t *testing.T) {
	w := newWorld(t)
	w.open(math.MaxUint64)
	w.do(begin(101), infracted("e", staking.Spoofing, begin(101), 1))
	require.EqualValues(t, uint64(math.MaxUint64), w.Books().Escrow)
	w.do(begin(101), staking.Appealed{Evidence: "e", Holder: "sam"})
	w.do(begin(101), staking.AppealDecided{Evidence: "e", Won: true})
	require.EqualValues(t, uint64(math.MaxUint64), w.bond().OwnerStake)
}
