package staking

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/tokenomics"
)

// SampleParams are the parameters of [Sample]: io.net's, but with offers that two may share and appeals that outlast the
// memory of the evidence.
func SampleParams() Params {
	p := IONet()
	p.MaxFills, p.MaxClaims, p.MaxOffersPerBond, p.AppealWindow = 2, 9, 2, 100*24*time.Hour
	return p
}

// Sample returns a pool that has every kind of object in every state, in epoch 437.
func Sample(t testing.TB) *Pool {
	t.Helper()
	p, err := NewPool(SampleParams())
	require.NoError(t, err)
	for _, s := range sampleEvents() {
		_, err := p.Apply(s.at, s.event)
		require.NoError(t, err)
		require.NoError(t, p.Audit())
	}
	return p
}

type sampleEvent struct {
	at    time.Time
	event Event
}

func sampleEvents() []sampleEvent {
	var list []sampleEvent
	at := func(e tokenomics.Epoch, events ...Event) {
		for _, x := range events {
			list = append(list, sampleEvent{IONet().Calendar.StartOf(e), x})
		}
	}
	const io = tokenomics.UnitsPerToken
	post := func(id OfferID, amount tokenomics.Amount, bps uint32, until tokenomics.Epoch) OfferPosted {
		return OfferPosted{
			Offer: id, Bond: "a100", Holder: "sam", Amount: amount * io, MinFill: 10 * io, MaxFills: 2, RewardShareBps: bps,
			Expires: IONet().Calendar.StartOf(until), Lock: time.Hour,
		}
	}
	fault := func(id EvidenceID, kind Infraction, e tokenomics.Epoch, measure uint64) Infracted {
		return Infracted{
			Evidence: id, Bond: "a100", Kind: kind, At: IONet().Calendar.StartOf(e), Measure: measure, Renter: "ron", Reporter: "rita",
		}
	}
	at(100,
		BondOpened{Bond: "a100", Owner: "sam", MultiplierCenti: 500, GPUs: 1},
		Deposited{Bond: "a100", Holder: "sam", Amount: 1_600 * io}, Deposited{Bond: "a100", Holder: "sam", Amount: 400 * io},
		BondOpened{Bond: "left", Owner: "eve", MultiplierCenti: 25, GPUs: 1}, Deposited{Bond: "left", Holder: "eve", Amount: 200 * io},
		Unstaked{Bond: "left", Holder: "eve"},
		post("closed", 100, 500, 200), OfferClosed{Offer: "closed", Holder: "sam"}, post("expired", 100, 500, 101))
	at(101, Ticked{}, WalletsLinked{A: "ann", B: "amy"}, WalletsLinked{A: "ann", B: "abe"},
		post("exhausted", 300, 2_000, 200),
		OfferAccepted{Offer: "exhausted", Holder: "ann", Amount: 100 * io}, OfferAccepted{Offer: "exhausted", Holder: "bob", Amount: 150 * io},
		post("filled", 100, 700, 200), OfferAccepted{Offer: "filled", Holder: "cyd", Amount: 100 * io},
		post("open", 100, 900, 9_000), OfferAccepted{Offer: "open", Holder: "dan", Amount: 10 * io})
	at(103, Rewarded{Bond: "a100", Epoch: 102, Amount: 1_001}, Claimed{Bond: "a100", Holder: "cyd"})
	at(110, fault("old", InadequateService, 110, 601)) // forgotten in epoch 351, but for the appeal
	at(200, Requalified{Bond: "a100", MultiplierCenti: 505, GPUs: 1, TableChanged: true})
	at(351, Ticked{})
	at(360, Rewarded{Bond: "a100", Epoch: 359, Amount: 1_001_001})
	at(400, Unstaked{Bond: "a100", Holder: "bob", Offer: "exhausted"}) // waits until epoch 568
	at(430, BondOpened{Bond: "gone", Owner: "gus", MultiplierCenti: 100, GPUs: 1},
		Deposited{Bond: "gone", Holder: "gus", Amount: 200 * io}, Unstaked{Bond: "gone", Holder: "gus"}, DeviceTerminated{Bond: "gone"},
		Requalified{Bond: "a100", MultiplierCenti: 503, GPUs: 1, TableChanged: true}, HireStarted{Bond: "a100"})
	at(432, fault("lost", MissedProof, 430, 3), Appealed{Evidence: "lost", Holder: "sam"}, AppealDecided{Evidence: "lost"},
		fault("won", Utilisation, 430, 1), Appealed{Evidence: "won", Holder: "sam"}, AppealDecided{Evidence: "won", Won: true},
		fault("open", Utilisation, 431, 1),
		fault("appealed", Utilisation, 432, 1), Appealed{Evidence: "appealed", Holder: "sam"})
	at(436, Ticked{}) // eve's lot has matured
	at(437, Rewarded{Bond: "a100", Epoch: 435, Amount: 7}, BondOpened{Bond: "empty", Owner: "sam", MultiplierCenti: 100, GPUs: 1})
	return list
}

// The sample is what it says: every state of a lot and of an offer, and cases of every sort.
func TestSample(t *testing.T) {
	p := Sample(t)
	lots, offers := map[LotState]bool{}, map[OfferState]bool{}
	for i := range p.bonds {
		for k := range p.bonds[i].lots {
			lots[p.bonds[i].lots[k].state] = true
		}
	}
	for i := range p.offers {
		offers[p.offers[i].state] = true
	}
	require.Len(t, lots, 4)
	require.Len(t, offers, 5)
	b := &p.bonds[0]
	require.True(t, b.inGrace(p.now) && b.heldUntil > p.now && b.hires > 0 && b.held > 0 && b.prior > 0)
	require.True(t, p.bonds[2].terminated())
	require.True(t, p.proofs["old"].forgotten && p.proofs["old"].open != nil)
	require.True(t, p.proofs["lost"].open == nil && p.proofs["won"].bps == 0)
	require.True(t, p.proofs["appealed"].open.appealed && !p.proofs["open"].open.appealed)
	require.Zero(t, p.proofs["old"].open.parts[0].lot, "rewards were taken")
	require.Positive(t, p.offers[2].acc.carry)
	require.Positive(t, p.books.Compensated+p.books.Burned)
}
