package staking_test

import (
	"fmt"
	"math/big"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// The attacks that were published against systems of this kind, one test each. Each plays the attack and, where there is
// something to gain, the honest twin of it, and compares what the attacker owns in the end: the gain is at most one base
// unit. docs/design/staking.md says where each of them happened.

const day = 24 * time.Hour

// 1. A first deposit of one unit and a donation inflate the price of a share, so that the next one is rounded away.
func TestAttack01ShareInflation(t *testing.T) {
	const amount, reward = 1_000_000, 999_983
	a := newArena(t, func(p *staking.Params) { p.MinFill, p.MaxFills = 1, 2 })
	a.device(begin(100), "d", "sam", io(1_000))
	a.do(begin(100), staking.OfferPosted{
		Offer: "o", Bond: "d", Holder: "sam", Amount: amount, MinFill: 1, MaxFills: 2, RewardShareBps: 10_000, Expires: begin(200),
	})
	a.do(begin(100), staking.OfferAccepted{Offer: "o", Holder: "eve", Amount: 1})
	a.refuse(begin(100), staking.Deposited{Bond: "d", Holder: "eve", Amount: io(1_000)}, staking.ErrNotOwner) // there is no way to donate
	a.do(begin(100), staking.OfferAccepted{Offer: "o", Holder: "ann", Amount: amount - 1})
	for e := tokenomics.Epoch(101); e < 111; e++ {
		a.do(begin(e+1), staking.Rewarded{Bond: "d", Epoch: e, Amount: reward})
	}
	require.LessOrEqual(t, a.worth("eve"), int64(10*reward/amount+1))
	require.GreaterOrEqual(t, a.worth("ann"), int64(10*reward-10*reward/amount-1))
}

// 2. A slash of 1 % that is rounded down for each of 10,000 positions of one unit takes nothing.
func TestAttack02RoundingToZero(t *testing.T) {
	for _, size := range []tokenomics.Amount{1, 99} {
		a := newArena(t, func(p *staking.Params) { p.MaxLotsPerBond = 10_000 })
		_, err := a.Apply(begin(100), staking.BondOpened{Bond: "d", Owner: "eve", MultiplierCenti: 100, GPUs: 1})
		require.NoError(t, err)
		for range 10_000 {
			_, err := a.Apply(begin(100), staking.Deposited{Bond: "d", Holder: "eve", Amount: size})
			require.NoError(t, err)
		}
		stake, _ := taken(a.do(begin(101), busy("x", "d", begin(101))))
		require.Equal(t, size*100, stake)
	}
}

// 3. Who slashes himself down to a tiny balance first rounds the real slash to nothing.
func TestAttack03TinyMagnitude(t *testing.T) {
	a := newArena(t, func(p *staking.Params) { p.Slashes[0].Steps = []staking.SlashStep{{Bps: 9_999}} })
	a.device(begin(100), "d", "eve", io(1_000))
	for i := 0; ; i++ {
		b, _ := a.Bond("d")
		at := begin(tokenomics.Epoch(101 + i))
		if b.Counted == 0 {
			require.Greater(t, i, 2)
			a.refuse(at, spoofed("last", "d", at), staking.ErrNoStake)
			return
		}
		stake, _ := taken(a.do(at, spoofed(staking.EvidenceID(fmt.Sprint(i)), "d", at)))
		want, err := b.Counted.MulDiv(9_999, 10_000, tokenomics.Up)
		require.NoError(t, err)
		require.Equal(t, want, stake)
		require.Positive(t, stake)
	}
}

// 4. A position that is slashed to zero bricks its pool, or comes back to life with the next deposit.
func TestAttack04SlashToZeroThenDeposit(t *testing.T) {
	a := newArena(t)
	a.device(begin(100), "d", "eve", io(1_000))
	a.do(begin(101), spoofed("x", "d", begin(101)))
	a.do(begin(102), staking.Deposited{Bond: "d", Holder: "eve", Amount: io(1_000)})
	a.do(begin(104), staking.Rewarded{Bond: "d", Epoch: 103, Amount: 5})
	a.pass(begin(101).Add(30 * day))
	b, _ := a.Bond("d")
	require.Len(t, b.Lots, 1)
	require.Equal(t, io(1_000), b.Counted)
	require.Equal(t, int64(5)-int64(io(1_000)), a.worth("eve"))
}

// 5. A deposit lowers what its depositor can withdraw.
func TestAttack05DepositLowersWithdrawable(t *testing.T) {
	a := newArena(t)
	a.device(begin(100), "d", "sam", io(1_500))
	for i := range 60 {
		at := begin(100).Add(time.Duration(i) * 7 * time.Hour)
		if i == 10 {
			a.market(at, "o", "d", io(500), 500, "ann")
		}
		a.do(at, staking.Ticked{})
		before, _ := a.Bond("d")
		a.do(at, staking.Deposited{Bond: "d", Holder: "sam", Amount: tokenomics.Amount(i + 1)})
		after, _ := a.Bond("d")
		require.Equal(t, before.Overflow+tokenomics.Amount(i+1), after.Overflow)
	}
	b, _ := a.Bond("d")
	require.Greater(t, b.Overflow, io(1_000), "the fill is ten days old")
}

// lossOf plays a fraud in epoch 110 and a way out after it, brings the evidence, and returns what the owner lost.
func lossOf(t *testing.T, evidenceAfter time.Duration, way func(a *arena, at time.Time)) int64 {
	a := newArena(t)
	a.device(begin(100), "d", "eve", io(1_000))
	fraud := begin(110)
	way(a, fraud)
	a.do(fraud.Add(evidenceAfter), spoofed("x", "d", fraud))
	a.leave(fraud.Add(15*day), "eve")
	return -a.worth("eve")
}

func stay(*arena, time.Time) {}

// 6. Who unbonds after the infraction is not there any more when the evidence comes.
func TestAttack06Unbonding(t *testing.T) {
	for _, after := range []time.Duration{0, time.Second, 7 * day, 10*day - 1} {
		honest := lossOf(t, after, stay)
		require.Equal(t, int64(io(1_000)), honest)
		require.Equal(t, honest, lossOf(t, after, func(a *arena, at time.Time) {
			a.do(at, staking.Unstaked{Bond: "d", Holder: "eve"})
		}))
	}
}

// 7. Who moves the stake to another device leaves the slash behind.
func TestAttack07MovingToAnotherDevice(t *testing.T) {
	loss := lossOf(t, 9*day, func(a *arena, at time.Time) {
		a.device(begin(100), "e", "eve", 1)
		a.do(at, staking.Unstaked{Bond: "d", Holder: "eve"})
		// What leaves d is not free for e: no event moves a lot, and none is released before it has cooled.
		a.refuse(at, staking.Withdrawn{Bond: "d", Holder: "eve"}, staking.ErrNoStake)
		a.refuse(at, staking.OverflowWithdrawn{Bond: "d", Holder: "eve", Amount: 1}, staking.ErrAmount)
		a.do(at, staking.Deposited{Bond: "e", Holder: "eve", Amount: io(1_000)})
	})
	require.Equal(t, int64(io(1_000)), loss, "fresh stake on e is not touched, and that of d is lost")
}

// 8. The same units are slashed once where they were and once where they went: 900,000 instead of 500,000.
func TestAttack08OverSlash(t *testing.T) {
	a := newArena(t, func(p *staking.Params) {
		p.Slashes[0].Steps = []staking.SlashStep{{Bps: 5_000}}
		p.MaxFills, p.SlashOrder, p.CoMaxLossBps = 4, staking.ProRata, 10_000
	})
	a.device(begin(100), "d", "sam", io(1_000))
	a.do(begin(100), staking.OfferPosted{
		Offer: "o", Bond: "d", Holder: "sam", Amount: io(400), MinFill: io(100), MaxFills: 4, RewardShareBps: 5_000, Expires: begin(200),
	})
	for _, h := range []staking.HolderID{"a", "b", "c", "d"} {
		a.do(begin(100), staking.OfferAccepted{Offer: "o", Holder: h, Amount: io(100)})
	}
	a.do(begin(110), staking.Unstaked{Bond: "d", Holder: "a", Offer: "o"})
	a.do(begin(110).Add(8*day), staking.Unstaked{Bond: "d", Holder: "b", Offer: "o"}) // a cools, b waits, c and d are active
	at := begin(110).Add(9 * day)
	stake, _ := taken(a.do(at, spoofed("x", "d", begin(109))))
	require.Equal(t, io(700), stake, "half of 1,400, wherever they are")
	for _, h := range []staking.HolderID{"a", "b", "c", "d"} {
		v, _ := a.Holder(h)
		require.Equal(t, io(50), v.Bonded)
	}
}

// 9. The same evidence is brought twice, or two infractions take more than there is.
func TestAttack09SameEvidenceTwice(t *testing.T) {
	a := newArena(t, func(p *staking.Params) { p.Slashes[0].Steps = []staking.SlashStep{{Bps: 6_000}} })
	a.device(begin(100), "d", "sam", io(1_000))
	first, _ := taken(a.do(begin(110), spoofed("x", "d", begin(105))))
	a.refuse(begin(110), spoofed("x", "d", begin(105)), staking.ErrEvidenceUsed)
	a.refuse(begin(110), spoofed("y", "d", begin(105).Add(time.Hour-1)), staking.ErrEvidenceUsed) // another name, the same hour
	second, _ := taken(a.do(begin(110), spoofed("z", "d", begin(106))))
	require.Equal(t, [2]tokenomics.Amount{io(600), io(240)}, [2]tokenomics.Amount{first, second})
	// False evidence that was overturned shields from nothing.
	a.do(begin(110), staking.Appealed{Evidence: "x", Holder: "sam"})
	a.do(begin(110), staking.AppealDecided{Evidence: "x", Won: true})
	a.refuse(begin(110), spoofed("x", "d", begin(105)), staking.ErrEvidenceUsed)
	third, _ := taken(a.do(begin(110), spoofed("y", "d", begin(105))))
	require.Equal(t, io(456), third, "60 % of the 760 that are there again")
	// When the pool has forgotten it, it is too old.
	a.refuse(begin(110).Add(60*day), spoofed("x", "d", begin(105)), staking.ErrEvidenceAge)
}

// 10. Who hops from device to device within the window of evidence is always gone.
func TestAttack10Hopping(t *testing.T) {
	honest := lossOf(t, 10*day-1, stay)
	require.Equal(t, honest, lossOf(t, 10*day-1, func(a *arena, at time.Time) {
		for i := range 5 {
			bond := staking.BondID(fmt.Sprint("hop", i))
			a.device(at, bond, "eve", io(1_000))
			a.do(at.Add(time.Hour), staking.Unstaked{Bond: bond, Holder: "eve"})
			a.refuse(at.Add(time.Hour), staking.Deposited{Bond: bond, Holder: "eve", Amount: 1}, staking.ErrCooling)
			if i == 0 {
				a.do(at.Add(time.Hour), staking.Unstaked{Bond: "d", Holder: "eve"})
			}
			at = at.Add(time.Hour)
		}
	}))
}

// 11. A position that can be handed on is slashed in other hands, or not at all.
func TestAttack11TransferablePosition(t *testing.T) {
	honest := lossOf(t, 9*day, stay)
	require.Equal(t, honest, lossOf(t, 9*day, func(a *arena, at time.Time) {
		a.do(at, staking.WalletsLinked{A: "eve", B: "eve2"})
		a.do(at, staking.Unstaked{Bond: "d", Holder: "eve"})
		for _, other := range []staking.HolderID{"eve2", "ann", ""} {
			a.refuse(at, staking.Withdrawn{Bond: "d", Holder: other}, staking.ErrNoStake)
			a.refuse(at.Add(15*day-day*6), staking.Withdrawn{Bond: "d", Holder: other}, staking.ErrNoStake)
		}
	}))
}

// 12. An insider knows when the evidence will come and leaves just before, by whatever way is shortest.
func TestAttack12InsiderTimedExit(t *testing.T) {
	last := 10*day - 1
	honest := lossOf(t, last, stay)
	for i, way := range []func(a *arena, at time.Time){
		func(a *arena, at time.Time) { a.do(at.Add(last), staking.Unstaked{Bond: "d", Holder: "eve"}) },
		// A stranger's fill makes half of the stake superfluous, and the owner takes it out at once. It is held.
		func(a *arena, at time.Time) {
			a.market(at, "o", "d", io(500), 10_000, "ann")
			a.refuse(at, staking.OverflowWithdrawn{Bond: "d", Holder: "eve", Amount: 1}, staking.ErrAmount)
			a.refuse(at.Add(last), staking.OverflowWithdrawn{Bond: "d", Holder: "eve", Amount: 1}, staking.ErrAmount)
		},
		// A device that becomes smaller needs less. It is held too.
		func(a *arena, at time.Time) {
			a.do(at, staking.Requalified{Bond: "d", MultiplierCenti: 100, GPUs: 1})
			a.refuse(at.Add(last), staking.OverflowWithdrawn{Bond: "d", Holder: "eve", Amount: 1}, staking.ErrAmount)
		},
		func(a *arena, at time.Time) { a.do(at, staking.DeviceTerminated{Bond: "d"}) },
	} {
		require.Equal(t, honest, lossOf(t, last, way), "way %d", i)
	}
	// At the end of the window the evidence is too old, and everybody is free to go.
	a := newArena(t)
	a.device(begin(100), "d", "eve", io(1_000))
	a.refuse(begin(110).Add(10*day), spoofed("x", "d", begin(110)), staking.ErrEvidenceAge)
}

// 13. Who bonds just before a distribution takes a part of it and leaves.
func TestAttack13FlashStake(t *testing.T) {
	a := newArena(t)
	a.device(begin(100), "d", "sam", io(1_000))
	a.market(begin(111).Add(-1), "o", "d", io(500), 10_000, "eve") // the last instant of epoch 110
	a.do(begin(111), staking.Rewarded{Bond: "d", Epoch: 110, Amount: 1_000})
	require.Zero(t, a.worth("eve"))
	a.do(begin(111), staking.Unstaked{Bond: "d", Holder: "eve", Offer: "o"}) // the first instant of epoch 111
	a.do(begin(112), staking.Rewarded{Bond: "d", Epoch: 111, Amount: 1_000})
	a.leave(begin(112), "eve")
	require.Zero(t, a.worth("eve"))
	require.Equal(t, tokenomics.Amount(2_000), a.Claimable("d", "sam"))
}

// 14. A reward that comes while nobody has stake is lost, or is the next one's.
func TestAttack14RewardWithoutStake(t *testing.T) {
	a := newArena(t)
	a.do(begin(100), staking.BondOpened{Bond: "d", Owner: "sam", MultiplierCenti: 500, GPUs: 1})
	_, err := a.try(begin(101), staking.Rewarded{Bond: "d", Epoch: 100, Amount: 1_000})
	var short *staking.ShortStakeError
	require.ErrorAs(t, err, &short)
	a.do(begin(101), staking.Deposited{Bond: "d", Holder: "sam", Amount: io(1_000)})
	_, err = a.try(begin(102), staking.Rewarded{Bond: "d", Epoch: 101, Amount: 1_000})
	require.ErrorAs(t, err, &short)
	require.Zero(t, a.Books().Rewards)
	require.Zero(t, a.worth("sam"))
}

// 15. Who has unstaked goes on to earn while it waits.
func TestAttack15RewardDuringWait(t *testing.T) {
	a := newArena(t)
	a.device(begin(100), "d", "sam", io(1_000))
	a.market(begin(100), "o", "d", io(500), 5_000, "eve")
	a.do(begin(102), staking.Rewarded{Bond: "d", Epoch: 101, Amount: 1_000})
	a.do(begin(103).Add(-1), staking.Unstaked{Bond: "d", Holder: "eve", Offer: "o"}) // the last instant of epoch 102
	for e := tokenomics.Epoch(102); e < 600; e++ {
		a.do(begin(e+1), staking.Rewarded{Bond: "d", Epoch: e, Amount: 1_000})
	}
	require.Equal(t, int64(500), a.worth("eve"), "epoch 101 and no other")
}

// 16. An owner co-stakes on the own device with a second account, or has more claims with more accounts.
func TestAttack16SelfCoStake(t *testing.T) {
	honest := newArena(t)
	honest.device(begin(100), "d", "eve", io(1_000))
	honest.do(begin(103), staking.Rewarded{Bond: "d", Epoch: 102, Amount: 999_999})

	// Nobody knows that eve2 is eve: nothing is gained.
	a := newArena(t)
	a.device(begin(100), "d", "eve", io(1_000))
	a.market(begin(100), "o", "d", io(500), 3_333, "eve2")
	a.do(begin(103), staking.Rewarded{Bond: "d", Epoch: 102, Amount: 999_999})
	require.Equal(t, honest.worth("eve"), a.worth("eve", "eve2"))
	// It comes out: the fill is sent away, and there is no second one.
	a.do(begin(103), staking.WalletsLinked{A: "eve", B: "eve2"})
	a.do(begin(103), staking.OfferPosted{Offer: "p", Bond: "d", Holder: "eve", Amount: io(500), RewardShareBps: 500, Expires: begin(200)})
	a.refuse(begin(103), staking.OfferAccepted{Offer: "p", Holder: "eve2", Amount: io(500)}, staking.ErrSelfStake)
	a.do(begin(105), staking.Rewarded{Bond: "d", Epoch: 104, Amount: 999_999})
	require.Equal(t, tokenomics.Amount(333_299), a.Claimable("d", "eve2"))

	// Two claims are the limit for all wallets of one person.
	for i, bond := range []staking.BondID{"x", "y", "z"} {
		a.device(begin(105), bond, "sam", io(1_000))
		offer := staking.OfferID(bond)
		a.do(begin(105), staking.OfferPosted{Offer: offer, Bond: bond, Holder: "sam", Amount: io(500), RewardShareBps: 500, Expires: begin(200)})
		e := staking.OfferAccepted{Offer: offer, Holder: []staking.HolderID{"ann", "bob", "cyd"}[i], Amount: io(500)}
		if i < 2 {
			a.do(begin(105), e)
			continue
		}
		a.do(begin(105), staking.WalletsLinked{A: "ann", B: "bob"})
		a.do(begin(105), staking.WalletsLinked{A: "bob", B: "cyd"})
		a.refuse(begin(105), e, staking.ErrClaims)
	}
}

// 17. An owner baits with good terms and changes them after the fill.
func TestAttack17OfferBait(t *testing.T) {
	a := newArena(t)
	a.device(begin(100), "d", "eve", io(1_000))
	a.market(begin(100), "o", "d", io(500), 5_000, "ann")
	terms, _ := a.Offer("o")
	a.refuse(begin(100), staking.OfferClosed{Offer: "o", Holder: "eve"}, staking.ErrOfferOver)
	a.refuse(begin(100), staking.OfferPosted{
		Offer: "o", Bond: "d", Holder: "eve", Amount: io(500), RewardShareBps: 500, Expires: begin(200),
	}, staking.ErrOfferExists)
	// There is no room to promise the same rewards to others, nor for more co-stake.
	a.refuse(begin(100), staking.OfferPosted{
		Offer: "p", Bond: "d", Holder: "eve", Amount: io(1), RewardShareBps: 5_000, Expires: begin(200),
	}, staking.ErrCoStake)
	a.do(begin(100), staking.Requalified{Bond: "d", MultiplierCenti: 500, GPUs: 2})
	a.do(begin(100), staking.Deposited{Bond: "d", Holder: "eve", Amount: io(1_000)})
	a.refuse(begin(100), staking.OfferPosted{
		Offer: "p", Bond: "d", Holder: "eve", Amount: io(500), RewardShareBps: 5_001, Expires: begin(200),
	}, staking.ErrRewardShare)
	now, _ := a.Offer("o")
	require.Equal(t, terms, now)
	a.do(begin(103), staking.Rewarded{Bond: "d", Epoch: 102, Amount: 1_000})
	require.Equal(t, int64(500), a.worth("ann"))
}

// 18. Two fill the same rest; a fill comes at the expiry; a claim at the instant of maturity.
func TestAttack18Races(t *testing.T) {
	a := newArena(t, func(p *staking.Params) { p.MaxFills = 3 })
	a.device(begin(100), "d", "sam", io(1_000))
	a.do(begin(100), staking.OfferPosted{
		Offer: "o", Bond: "d", Holder: "sam", Amount: io(500), MinFill: io(200), MaxFills: 3, RewardShareBps: 5_000, Expires: begin(101),
	})
	a.do(begin(100), staking.OfferAccepted{Offer: "o", Holder: "ann", Amount: io(300)})
	a.do(begin(100), staking.OfferAccepted{Offer: "o", Holder: "bob", Amount: io(200)})
	a.refuse(begin(100), staking.OfferAccepted{Offer: "o", Holder: "eve", Amount: io(200)}, staking.ErrOfferOver)

	a.device(begin(100), "e", "sam", io(1_000))
	a.do(begin(100), staking.OfferPosted{Offer: "p", Bond: "e", Holder: "sam", Amount: io(500), RewardShareBps: 500, Expires: begin(101)})
	_, err := a.Apply(begin(101), staking.OfferAccepted{Offer: "p", Holder: "eve", Amount: io(500)})
	require.ErrorIs(t, err, staking.ErrTick, "the deadline is carried out first")
	a.refuse(begin(101), staking.OfferAccepted{Offer: "p", Holder: "eve", Amount: io(500)}, staking.ErrOfferOver)

	a.do(begin(101), staking.Unstaked{Bond: "d", Holder: "sam"})
	mature := begin(101).Add(14 * day)
	a.refuse(mature.Add(-1), staking.Withdrawn{Bond: "d", Holder: "sam"}, staking.ErrNoStake)
	a.do(mature.Add(-1), busy("x", "d", mature.Add(-9*day))) // the last instant at which it can be slashed
	a.refuse(mature, busy("y", "d", mature.Add(-8*day)), staking.ErrNoStake)
	a.do(mature, staking.Withdrawn{Bond: "d", Holder: "sam"})
	a.refuse(mature, staking.Withdrawn{Bond: "d", Holder: "sam"}, staking.ErrNoStake)
	require.Equal(t, -int64(io(15)), a.worth("sam"), "1 % of 1,500, and nothing else")
}

// 19. An operator terminates the device, and the co-staker's stake is caught in it.
func TestAttack19Termination(t *testing.T) {
	a := newArena(t)
	a.device(begin(100), "d", "eve", io(1_000))
	a.do(begin(100), staking.OfferPosted{
		Offer: "o", Bond: "d", Holder: "eve", Amount: io(500), RewardShareBps: 500, Expires: begin(200), Lock: 365 * day,
	})
	a.do(begin(100), staking.OfferAccepted{Offer: "o", Holder: "ann", Amount: io(500)})
	a.refuse(begin(110), staking.Unstaked{Bond: "d", Holder: "ann", Offer: "o"}, staking.ErrLocked)
	a.do(begin(110), staking.DeviceTerminated{Bond: "d"})
	a.refuse(begin(112), staking.Rewarded{Bond: "d", Epoch: 110, Amount: 1_000}, staking.ErrTerminated)
	a.refuse(begin(112), staking.HireStarted{Bond: "d"}, staking.ErrTerminated)
	a.do(begin(112), staking.Unstaked{Bond: "d", Holder: "ann", Offer: "o"})
	a.do(begin(112).Add(21*day), staking.Withdrawn{Bond: "d", Holder: "ann"})
	require.Zero(t, a.cash["ann"])
}

// 20. An index of what slashes left over reaches zero after some thousand slashes of 1 %.
func TestAttack20IndexExhaustion(t *testing.T) {
	a := newArena(t, func(p *staking.Params) {
		p.Slashes[3].CapBps, p.Slashes[3].CapWindow, p.AppealWindow = 0, 0, time.Second
	})
	const slashes = 5_000
	a.device(begin(100), "d", "sam", io(1_000))
	left := new(big.Int).SetUint64(uint64(io(1_000)))
	var sum tokenomics.Amount
	for i := range slashes {
		at := begin(tokenomics.Epoch(101 + i))
		a.pass(at)
		effects, err := a.Apply(at, busy(staking.EvidenceID(fmt.Sprint(i)), "d", at))
		if left.Sign() == 0 {
			require.ErrorIs(t, err, staking.ErrNoStake)
			break
		}
		require.NoError(t, err)
		due := new(big.Int).Add(left, big.NewInt(99)) // ceil(left/100)
		due.Div(due, big.NewInt(100))
		stake, _ := taken(effects)
		require.Equal(t, due.Uint64(), uint64(stake))
		left.Sub(left, due)
		sum += stake
	}
	require.Equal(t, io(1_000), sum, "to the last unit")
	require.NoError(t, a.Audit())
	a.do(begin(6_000), staking.Deposited{Bond: "d", Holder: "sam", Amount: io(1_000)})
	a.do(begin(6_002), staking.Rewarded{Bond: "d", Epoch: 6_001, Amount: 7})
}

// 21. Products of two large amounts overflow: 8e16 * 8e16 has 113 bits.
func TestAttack21Overflow(t *testing.T) {
	const big8 = 80_000_000_000_000_000
	a := newArena(t, func(p *staking.Params) { p.BaseStake, p.MaxFills = big8, 2 })
	a.do(begin(100), staking.BondOpened{Bond: "d", Owner: "sam", MultiplierCenti: 100, GPUs: 1})
	a.do(begin(100), staking.Deposited{Bond: "d", Holder: "sam", Amount: big8})
	a.do(begin(100), staking.OfferPosted{
		Offer: "o", Bond: "d", Holder: "sam", Amount: big8 / 2, MinFill: io(1), MaxFills: 2, RewardShareBps: 9_999, Expires: begin(200),
	})
	a.do(begin(100), staking.OfferAccepted{Offer: "o", Holder: "ann", Amount: big8/2 - io(1)})
	a.do(begin(100), staking.OfferAccepted{Offer: "o", Holder: "bob", Amount: io(1)})
	a.do(begin(102), staking.Rewarded{Bond: "d", Epoch: 101, Amount: big8})
	co := new(big.Int).Mul(big.NewInt(big8), big.NewInt(9_999))
	co.Div(co, big.NewInt(10_000))
	bob := new(big.Int).Mul(co, big.NewInt(int64(io(1))))
	bob.Div(bob, big.NewInt(big8/2))
	require.InDelta(t, bob.Uint64(), uint64(a.Claimable("d", "bob")), 1)
	require.InDelta(t, co.Uint64()-bob.Uint64(), uint64(a.Claimable("d", "ann")), 1)
	require.Equal(t, co.Uint64(), uint64(a.Books().Accrued-a.Claimable("d", "sam")))
	stake, rewards := taken(a.do(begin(103), spoofed("x", "d", begin(101))))
	require.Equal(t, uint64(big8+big8/2), uint64(stake+rewards), "all that is due: the rewards, then the stake")
	a.refuse(begin(103), staking.Deposited{Bond: "d", Holder: "sam", Amount: ^tokenomics.Amount(0)}, tokenomics.ErrOverflow)
}

// 22. The clock goes back, or a tick comes twice.
func TestAttack22Clock(t *testing.T) {
	a := newArena(t)
	a.device(begin(100), "d", "sam", io(1_000))
	a.do(begin(110), staking.Unstaked{Bond: "d", Holder: "sam"})
	mature := begin(110).Add(14 * day)
	require.Empty(t, a.do(mature, staking.Ticked{}), "pass has carried it out")
	digest := a.Digest()
	for range 3 {
		require.Empty(t, a.do(mature, staking.Ticked{}))
		require.Equal(t, digest, a.Digest())
	}
	a.refuse(mature.Add(-1), staking.Ticked{}, staking.ErrTimeBackwards)
	a.refuse(mature.Add(-1), staking.Withdrawn{Bond: "d", Holder: "sam"}, staking.ErrTimeBackwards)
}

// 23. Two honest machines disagree: by the order of a map, by floating point, by goroutines.
func TestAttack23NonDeterminism(t *testing.T) {
	bonds := func(yield func(int, staking.BondID, staking.OfferID, staking.HolderID) bool) {
		for i := range 20 {
			if !yield(i, staking.BondID(fmt.Sprint("d", i*7%20)), staking.OfferID(fmt.Sprint("o", i)), staking.HolderID(fmt.Sprint("s", i%3))) {
				return
			}
		}
	}
	play := func() [32]byte {
		a := newArena(t, func(p *staking.Params) { p.MaxFills, p.MaxClaims = 8, 99 })
		bonds(func(i int, bond staking.BondID, offer staking.OfferID, owner staking.HolderID) bool {
			a.device(begin(100), bond, owner, io(1_000))
			a.do(begin(100), staking.OfferPosted{
				Offer: offer, Bond: bond, Holder: owner, Amount: io(499), MinFill: io(1), MaxFills: 8, RewardShareBps: 3_333, Expires: begin(101),
			})
			for k := range 5 {
				a.do(begin(100), staking.OfferAccepted{Offer: offer, Holder: staking.HolderID(fmt.Sprint("h", (i+k)%11)), Amount: io(uint64(50 + k))})
			}
			return true
		})
		bonds(func(i int, bond staking.BondID, offer staking.OfferID, _ staking.HolderID) bool {
			a.do(begin(102), staking.Rewarded{Bond: bond, Epoch: 101, Amount: 1_234_567})
			a.do(begin(102), busy(staking.EvidenceID(bond), bond, begin(101)))
			a.do(begin(102), staking.Unstaked{Bond: bond, Holder: staking.HolderID(fmt.Sprint("h", i%11)), Offer: offer})
			return true
		})
		a.pass(begin(102).Add(60 * day))
		return a.Digest()
	}
	want := func() [32]byte {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
		return play()
	}()
	for range 5 { // every pool has maps of another order
		require.Equal(t, want, play())
	}
}

// 24. An attacker fills the queue of those who leave.
func TestAttack24EntrySpam(t *testing.T) {
	a := newArena(t)
	a.do(begin(100), staking.BondOpened{Bond: "d", Owner: "eve", MultiplierCenti: 500, GPUs: 1})
	for range 64 {
		a.do(begin(100), staking.Deposited{Bond: "d", Holder: "eve", Amount: io(100)})
	}
	a.refuse(begin(100), staking.Deposited{Bond: "d", Holder: "eve", Amount: io(100)}, staking.ErrLots)
	before := len(a.Snapshot())
	for i := range 100 { // each exit is one for all lots, and there is no second before it is over
		if i == 0 {
			require.Len(t, a.do(begin(101), staking.Unstaked{Bond: "d", Holder: "eve"}), 65)
			continue
		}
		a.refuse(begin(101), staking.Unstaked{Bond: "d", Holder: "eve"}, staking.ErrNoStake)
	}
	require.Len(t, a.Snapshot(), before)
	// Others are not kept waiting: their deadlines are carried out at their own time.
	a.device(begin(101), "e", "sam", io(1_000))
	a.do(begin(101), staking.Unstaked{Bond: "e", Holder: "sam"})
	a.do(begin(101).Add(14*day), staking.Withdrawn{Bond: "e", Holder: "sam"})
	require.Zero(t, a.cash["sam"])
}

// 25. Dust positions make a slash expensive to carry out.
func TestAttack25Dust(t *testing.T) {
	a := newArena(t, func(p *staking.Params) { p.MaxFills, p.MaxClaims = 1_000, 1_000 })
	a.device(begin(100), "d", "sam", io(1_000))
	a.refuse(begin(100), staking.OfferPosted{
		Offer: "o", Bond: "d", Holder: "sam", Amount: io(500), MinFill: 1, MaxFills: 1_000, RewardShareBps: 500, Expires: begin(200),
	}, staking.ErrAmount)
	a.do(begin(100), staking.OfferPosted{
		Offer: "o", Bond: "d", Holder: "sam", Amount: io(500), MinFill: io(1), MaxFills: 1_000, RewardShareBps: 500, Expires: begin(200),
	})
	a.refuse(begin(100), staking.OfferAccepted{Offer: "o", Holder: "eve", Amount: io(1) - 1}, staking.ErrAmount)
	fills := 0
	for i := range 1_000 {
		_, err := a.try(begin(100), staking.OfferAccepted{Offer: "o", Holder: staking.HolderID(fmt.Sprint(i)), Amount: io(1)})
		if err != nil {
			require.ErrorIs(t, err, staking.ErrLots)
			break
		}
		fills++
	}
	require.Equal(t, 63, fills, "with the owner's lot 64")
	require.LessOrEqual(t, len(a.do(begin(101), spoofed("x", "d", begin(101)))), 65)
}

// What a second wallet that nobody links shields from a slash of everything is known: a quarter of the requirement, because
// a co-staker loses at most half. A network that does not accept it sets the limit to the whole.
func TestShieldOfSecondWallet(t *testing.T) {
	for limit, want := range map[uint32]int64{5_000: 750, 10_000: 1_000, 0: 500} {
		a := newArena(t, func(p *staking.Params) { p.CoMaxLossBps = limit })
		a.device(begin(100), "d", "eve", io(1_000))
		a.market(begin(100), "o", "d", io(500), 500, "eve2")
		a.do(begin(100).Add(10*day), staking.OverflowWithdrawn{Bond: "d", Holder: "eve", Amount: io(500)})
		fraud := begin(100).Add(11 * day)
		a.do(fraud, spoofed("x", "d", fraud))
		a.leave(fraud, "eve", "eve2")
		require.Equal(t, -want*int64(io(1)), a.worth("eve", "eve2"))
	}
}
