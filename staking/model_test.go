package staking_test

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/golden"
	"github.com/idlegrid/idlegrid/staking"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// refusals are all errors that an event can be refused for.
func refusals() []error {
	return []error{
		staking.ErrID, staking.ErrBondExists, staking.ErrNoBond, staking.ErrGPUs, staking.ErrNotOwner, staking.ErrAmount,
		staking.ErrLots, staking.ErrOfferExists, staking.ErrNoOffer, staking.ErrOpenOffers, staking.ErrFills, staking.ErrLock,
		staking.ErrCoStake, staking.ErrRewardShare, staking.ErrExpiry, staking.ErrOfferOver, staking.ErrSelfStake, staking.ErrClaims,
		staking.ErrNoStake, staking.ErrHired, staking.ErrNotHired, staking.ErrLocked, staking.ErrCooling, staking.ErrOfferOpen,
		staking.ErrOpenCase, staking.ErrTerminated, staking.ErrLinked, staking.ErrNothing, staking.ErrEpochDone, staking.ErrEpochOpen,
		staking.ErrInfraction, staking.ErrEvidenceAge, staking.ErrEvidenceUsed, staking.ErrSlashCap, staking.ErrNoCase,
		staking.ErrAppeal, staking.ErrNotSlashed, staking.ErrTime, staking.ErrTimeBackwards, staking.ErrTick, tokenomics.ErrOverflow,
	}
}

// isRule reports whether a refusal names a rule; one for want of stake must say the same numbers.
func isRule(err, rule error) bool {
	var got, want *staking.ShortStakeError
	if errors.As(rule, &want) {
		return errors.As(err, &got) && *got == *want
	}
	return errors.Is(err, rule)
}

// tally counts what became of the events.
type tally map[string]int

func (d tally) count(effects []staking.Effect, err error) {
	d["all"]++
	var short *staking.ShortStakeError
	switch {
	case err == nil:
		d["accepted"]++
		for _, e := range effects {
			d[fmt.Sprintf("%T", e)]++
		}
	case errors.As(err, &short):
		d["short stake"]++
	default:
		for _, rule := range refusals() {
			if errors.Is(err, rule) {
				d[rule.Error()]++
			}
		}
	}
}

// play runs n events through a pool and the oracle side by side, counts what became of them.
func play(t testing.TB, seed uint64, n int, seen tally) {
	t.Helper()
	g := newGenerator(seed)
	pool, err := staking.NewPool(g.p)
	require.NoError(t, err)
	o := newOracle(g.p)
	twin, since := pool, n-n/8 // the last events run through a restored twin too
	var s sight
	for i := range n {
		if i == since {
			twin, err = staking.Restore(g.p, pool.Snapshot())
			require.NoError(t, err)
			require.Equal(t, pool.Digest(), twin.Digest())
		}
		at, e := g.next(s)
		where := func() string {
			return fmt.Sprintf("seed %d, event %d, %s, %T %+v", seed, i, at.Format(time.RFC3339Nano), e, e)
		}
		want, broken := o.apply(at, e)
		var before [32]byte
		if len(broken) > 0 {
			before = pool.Digest()
		}
		effects, err := pool.Apply(at, e)
		seen.count(effects, err)
		if twin != pool {
			again, err2 := twin.Apply(at, e)
			if !reflect.DeepEqual(effects, again) || (err == nil) != (err2 == nil) {
				require.Fail(t, "a restored pool goes on in another way", "%v %v\n%v %v\n%s", effects, err, again, err2, where())
			}
		}
		if err != nil {
			if !broken.hold(err) {
				require.Fail(t, "refused for another reason", "%v, the oracle says %v\n%s", err, broken, where())
			}
			require.Nil(t, effects)
			if before != pool.Digest() {
				require.Fail(t, "refused, and changed the state", where())
			}
			continue
		}
		if len(broken) > 0 {
			require.Fail(t, "accepted", "the oracle says %v\n%s", broken, where())
		}
		if len(want) != len(effects) || len(want) > 0 && !reflect.DeepEqual(want, effects) {
			require.Equal(t, want, effects, where())
		}
		if err := pool.Audit(); err != nil {
			require.NoError(t, err, where())
		}
		seen[fmt.Sprintf("%T", e)]++
		s = o.compare(t, pool, where)
	}
	require.Equal(t, pool.Digest(), twin.Digest())
	checkNames(t, pool)
}

// checkNames asks for everything by its name, and for what there is not.
func checkNames(t testing.TB, p *staking.Pool) {
	t.Helper()
	s := look(p)
	for _, b := range s.bonds {
		v, ok := p.Bond(b.id)
		require.True(t, ok)
		require.Equal(t, b.view, v)
	}
	for _, o := range s.offers {
		v, ok := p.Offer(o.id)
		require.True(t, ok)
		require.Equal(t, o.view, v)
	}
	for _, c := range s.cases {
		v, ok := p.Case(c.id)
		require.True(t, ok)
		require.Equal(t, c.view, v)
	}
	_, bond := p.Bond("none")
	_, offer := p.Offer("none")
	_, open := p.Case("none")
	_, holder := p.Holder("none")
	require.False(t, bond || offer || open || holder)
	require.Zero(t, p.Claimable("none", "ann"))
	require.Zero(t, p.Claimable("b0", "none"))
	require.ErrorIs(t, p.Eligible("none", 1), staking.ErrNoBond)
}

// A million random events, a tenth of them in short mode and under the race detector: pool and oracle agree on every effect, every refusal and
// everything that can be asked.
func TestAgainstOracle(t *testing.T) {
	const length = 400
	worlds := uint64(2_500)
	if testing.Short() || underRace {
		worlds /= 10
	}
	seen := tally{}
	for seed := range worlds {
		play(t, seed, length, seen)
	}
	// The test is worth something only if it saw every outcome, and often.
	least := seen["all"] / 20_000
	for _, err := range refusals() {
		require.GreaterOrEqual(t, seen[err.Error()], least, err.Error())
	}
	require.GreaterOrEqual(t, seen["short stake"], least)
	for _, e := range []staking.Effect{
		staking.Locked{},
		staking.Unlocking{},
		staking.Matured{},
		staking.Released{},
		staking.Accrued{},
		staking.Paid{},
		staking.Underbonded{},
		staking.OfferEnded{},
		staking.Slashed{},
		staking.Restored{},
		staking.Burned{},
		staking.Compensated{},
	} {
		require.GreaterOrEqual(t, seen[fmt.Sprintf("%T", e)], 10*least, "%T", e)
	}
	require.Greater(t, seen["accepted"], seen["all"]/3)
	t.Log(seen)
}

// A fill that a slash has emptied keeps its share of the rewards while the slash can be reverted: sold twice, the bond would
// owe more than it earns.
func TestShareOfAnEmptiedFill(t *testing.T) {
	w := newWorld(t, func(p *staking.Params) { p.CoMaxLossBps = 10_000 })
	w.open(io(1_000))
	w.do(begin(100), offer(func(o *staking.OfferPosted) { o.RewardShareBps = 10_000 }))
	w.do(begin(100), staking.OfferAccepted{Offer: "o1", Holder: "ann", Amount: io(500)})
	w.do(begin(102), staking.Infracted{Evidence: "e", Bond: "a100", Kind: staking.Spoofing, At: begin(101), Measure: 1})
	w.do(begin(102), staking.Deposited{Bond: "a100", Holder: "sam", Amount: io(1_000)})
	second := offer(func(o *staking.OfferPosted) { o.Offer, o.RewardShareBps = "o2", 500 })
	w.refuse(begin(102), second, staking.ErrRewardShare)
	w.do(begin(102), staking.Appealed{Evidence: "e", Holder: "ann"})
	w.do(begin(102), staking.AppealDecided{Evidence: "e", Won: true})
	got := w.do(begin(102), staking.Rewarded{Bond: "a100", Epoch: 101, Amount: 7})
	require.Equal(t, []staking.Effect{staking.Accrued{Bond: "a100", Epoch: 101, CoStakers: 7}}, got)
	w.do(begin(102), staking.Claimed{Bond: "a100", Holder: "ann"})
	// When the slash is final the fill is gone, and its share is free.
	w.do(begin(103), staking.Infracted{Evidence: "f", Bond: "a100", Kind: staking.Spoofing, At: begin(102), Measure: 1})
	w.do(begin(103), staking.Deposited{Bond: "a100", Holder: "sam", Amount: io(1_000)})
	w.tick(begin(103).Add(w.Params().AppealWindow))
	second.Expires = begin(2_000)
	w.do(begin(103).Add(w.Params().AppealWindow), second)
}

// The hours before 1970 are as long as those after: the one that ends at its beginning is not that which begins there.
func TestHoursBefore1970(t *testing.T) {
	w := newWorld(t)
	zero := time.Unix(0, 0).UTC()
	w.do(zero.Add(-time.Hour), staking.BondOpened{Bond: "a100", Owner: "sam", MultiplierCenti: 500, GPUs: 1})
	w.do(zero.Add(-time.Hour), staking.Deposited{Bond: "a100", Holder: "sam", Amount: io(1_000)})
	busy := func(id staking.EvidenceID, at time.Time) staking.Infracted {
		return staking.Infracted{Evidence: id, Bond: "a100", Kind: staking.Utilisation, At: at, Measure: 1}
	}
	now := zero.Add(time.Hour)
	w.do(now, busy("a", zero.Add(-1)))
	w.do(now, busy("b", zero))
	w.refuse(now, busy("c", zero.Add(-time.Hour)), staking.ErrEvidenceUsed)
	w.refuse(now, busy("d", zero.Add(time.Hour-1)), staking.ErrEvidenceUsed)
}

// Random worlds agree with the oracle, pass the audit after every event, and change nothing where they refuse.
func FuzzApply(f *testing.F) {
	for seed := range uint64(4) {
		f.Add(seed, uint16(50))
	}
	f.Fuzz(func(t *testing.T, seed uint64, n uint16) { play(t, seed, int(n%500), tally{}) })
}

// digests plays worlds without the oracle and lists the digests of their last states.
func digests(t testing.TB) string {
	var b strings.Builder
	for seed := range uint64(5) {
		g := newGenerator(seed)
		pool, err := staking.NewPool(g.p)
		require.NoError(t, err)
		for range 1_000 {
			at, e := g.next(look(pool))
			// What is refused is refused every time.
			_, _ = pool.Apply(at, e)
		}
		fmt.Fprintf(&b, "%d %x\n", seed, pool.Digest())
	}
	return b.String()
}

// The same events give the same state, on one processor and on all; what it is stands in testdata.
func TestDeterminism(t *testing.T) {
	many := digests(t)
	before := runtime.GOMAXPROCS(1)
	one := digests(t)
	runtime.GOMAXPROCS(before)
	require.Equal(t, many, one)
	golden.Check(t, "testdata/digest.txt", many)
}
