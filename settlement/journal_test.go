package settlement_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
)

var first = settlement.BatchID{Epoch: 7}

// decided is one batch of two lines.
func decided() settlement.Decided {
	return settlement.Decided{Epoch: 7, Intents: []settlement.Intent{pay("ann", 5, "a"), pay("bob", 4, "b")}}
}

// fault names a line.
func fault(n int) []settlement.Fault {
	return []settlement.Fault{{Line: n, Reason: "no token account"}}
}

func TestRefusedEventsChangeNothing(t *testing.T) {
	signed := settlement.Signed{Batch: first, Tx: tx("s1")}
	lost := settlement.Failure{Reason: "sender is short"}
	for _, row := range []struct {
		name   string
		before []settlement.Event
		event  settlement.Event
		want   error
	}{
		{"unknown batch", nil, signed, settlement.ErrUnknownBatch},
		{"resume of an unknown batch", nil, settlement.Resumed{Batch: first}, settlement.ErrUnknownBatch},
		{"landed in an unknown batch", nil, settlement.Landed{Batch: first, Tx: "s1"}, settlement.ErrUnknownBatch},
		{"no event", nil, nil, settlement.ErrStale},
		{"same ID, other units", []settlement.Event{decided()}, settlement.Decided{Epoch: 7, Intents: []settlement.Intent{pay("ann", 6, "a")}}, settlement.ErrConflict},
		{"same ID, other content, in one event", nil, settlement.Decided{Epoch: 7, Intents: []settlement.Intent{pay("ann", 6, "a"), pay("ann", 5, "a")}}, settlement.ErrConflict},
		{"late member of a bundle", []settlement.Event{settlement.Decided{Epoch: 7, Intents: []settlement.Intent{bundled(pay("ann", 1, "x"), "lot")}}}, settlement.Decided{Epoch: 8, Intents: []settlement.Intent{bundled(pay("bob", 1, "y"), "lot")}}, settlement.ErrConflict},
		{"signed without ID", []settlement.Event{decided()}, settlement.Signed{Batch: first, Tx: settlement.Tx{Raw: []byte{1}}}, settlement.ErrStale},
		{"signed without bytes", []settlement.Event{decided()}, settlement.Signed{Batch: first, Tx: settlement.Tx{ID: "s1"}}, settlement.ErrStale},
		{"signed at another revision", []settlement.Event{decided()}, settlement.Signed{Batch: first, Revision: 1, Tx: tx("s1")}, settlement.ErrStale},
		{"signed while another is alive", []settlement.Event{decided(), signed}, settlement.Signed{Batch: first, Tx: tx("s2")}, settlement.ErrStale},
		{"signed twice", []settlement.Event{decided(), signed, settlement.Expired{Batch: first, Tx: "s1", Height: 151}}, signed, settlement.ErrStale},
		{"rejected while signed", []settlement.Event{decided(), signed}, settlement.Rejected{Batch: first, Faults: fault(0)}, settlement.ErrStale},
		{"rejected for nothing", []settlement.Event{decided()}, settlement.Rejected{Batch: first}, settlement.ErrStale},
		{"rejected line below", []settlement.Event{decided()}, settlement.Rejected{Batch: first, Faults: fault(-1)}, settlement.ErrStale},
		{"rejected line above", []settlement.Event{decided()}, settlement.Rejected{Batch: first, Faults: fault(2)}, settlement.ErrStale},
		{"rejected twice over", []settlement.Event{decided()}, settlement.Rejected{Batch: first, Faults: append(fault(0), fault(0)...)}, settlement.ErrStale},
		{"rejected without a reason", []settlement.Event{decided()}, settlement.Rejected{Batch: first, Faults: []settlement.Fault{{}}}, settlement.ErrStale},
		{"rejected a second time", []settlement.Event{decided(), settlement.Rejected{Batch: first, Faults: fault(1)}}, settlement.Rejected{Batch: first, Faults: fault(1)}, settlement.ErrStale},
		{"landed unknown attempt", []settlement.Event{decided(), signed}, settlement.Landed{Batch: first, Tx: "s2"}, settlement.ErrStale},
		{"landed twice", []settlement.Event{decided(), signed, settlement.Landed{Batch: first, Tx: "s1"}}, settlement.Landed{Batch: first, Tx: "s1"}, settlement.ErrStale},
		{"landed after it failed", []settlement.Event{decided(), signed, settlement.Failed{Batch: first, Tx: "s1", Failure: lost}}, settlement.Landed{Batch: first, Tx: "s1"}, settlement.ErrStale},
		{"landed twice, by two attempts", []settlement.Event{
			decided(), signed, settlement.Expired{Batch: first, Tx: "s1", Height: 151}, settlement.Signed{Batch: first, Tx: tx("s2")}, settlement.Landed{Batch: first, Tx: "s2"},
		}, settlement.Landed{Batch: first, Tx: "s1"}, settlement.ErrStale},
		{"failed without a reason", []settlement.Event{decided(), signed}, settlement.Failed{Batch: first, Tx: "s1"}, settlement.ErrStale},
		{"failed in no line", []settlement.Event{decided(), signed}, settlement.Failed{Batch: first, Tx: "s1", Failure: settlement.Failure{Faults: fault(2), Reason: "x"}}, settlement.ErrStale},
		{"failed after it landed", []settlement.Event{decided(), signed, settlement.Landed{Batch: first, Tx: "s1"}}, settlement.Failed{Batch: first, Tx: "s1", Failure: lost}, settlement.ErrStale},
		{"expired in its last block", []settlement.Event{decided(), signed}, settlement.Expired{Batch: first, Tx: "s1", Height: 150}, settlement.ErrStale},
		{"expired twice", []settlement.Event{decided(), signed, settlement.Expired{Batch: first, Tx: "s1", Height: 151}}, settlement.Expired{Batch: first, Tx: "s1", Height: 152}, settlement.ErrStale},
		{"resumed without being stuck", []settlement.Event{decided()}, settlement.Resumed{Batch: first}, settlement.ErrStale},
		{"books beyond 64 bits", []settlement.Event{decided()}, settlement.Decided{Epoch: 8, Intents: []settlement.Intent{pay("cat", math.MaxUint64-8, "c")}}, &settlement.IntentError{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			j := newJournal(t)
			apply(t, j, row.before...)
			before := j.Digest()
			effects, err := j.Apply(morning.Add(time.Hour), row.event)
			if bad, ok := row.want.(*settlement.IntentError); ok { //nolint:errorlint // a type, not an error
				require.ErrorAs(t, err, &bad)
			} else {
				require.ErrorIs(t, err, row.want)
			}
			require.Empty(t, effects)
			require.Equal(t, before, j.Digest())
		})
	}
}

func TestBooksOf64BitsAreKept(t *testing.T) {
	j := newJournal(t)
	apply(t, j, decided(), settlement.Decided{Epoch: 8, Intents: []settlement.Intent{pay("cat", math.MaxUint64-9, "c")}})
	require.Equal(t, settlement.Totals{Decided: math.MaxUint64, Open: math.MaxUint64}, j.Totals(io))
}

func TestTimeGoesForward(t *testing.T) {
	j := newJournal(t)
	apply(t, j, decided())
	before := j.Digest()
	_, err := j.Apply(morning.Add(-time.Nanosecond), settlement.Signed{Batch: first, Tx: tx("s1")})
	require.ErrorIs(t, err, settlement.ErrTimeBackwards)
	require.Equal(t, before, j.Digest())
	_, err = j.Apply(morning, settlement.Signed{Batch: first, Tx: tx("s1")})
	require.NoError(t, err, "the same instant is no step back")
}

func TestDecidingTwiceIsDecidingOnce(t *testing.T) {
	j := newJournal(t)
	require.Len(t, apply(t, j, decided()), 1)
	require.Empty(t, apply(t, j, decided()))
	require.Len(t, apply(t, j, settlement.Decided{Epoch: 7, Intents: []settlement.Intent{pay("ann", 5, "a"), pay("cat", 1, "c"), pay("cat", 1, "c")}}), 1)
	require.Equal(t, settlement.Totals{Decided: 10, Open: 10}, j.Totals(io))
	var ids []string
	for e := range j.Batches() {
		ids = append(ids, e.Batch.ID.String())
	}
	require.Equal(t, []string{"7/0/0", "7/1/0"}, ids, "a later decision of the epoch gets lanes of its own")
}

// TestExpiredAttemptThatLanded is an endpoint that was wrong: the attempt that it did not know has paid after all.
func TestExpiredAttemptThatLanded(t *testing.T) {
	j := newJournal(t)
	apply(t, j, decided(),
		settlement.Signed{Batch: first, Tx: tx("s1")},
		settlement.Expired{Batch: first, Tx: "s1", Height: 151},
		settlement.Rejected{Batch: first, Faults: fault(1)},
		settlement.Signed{Batch: first, Revision: 1, Tx: tx("s2")})
	require.Equal(t, settlement.Totals{Decided: 9, Open: 5, Refused: 4}, j.Totals(io))
	effects := apply(t, j, settlement.Landed{Batch: first, Tx: "s1", Slot: 9, Fee: 5000})
	require.Equal(t, settlement.Totals{Decided: 9, Paid: 9}, j.Totals(io), "what it carried is paid, bob's refused line too")
	require.Equal(t, []settlement.Effect{settlement.Paid{
		Batch: first, Tx: "s1", Slot: 9,
		Intents: []settlement.IntentID{settlement.NewIntentID(settlement.Pay, "a"), settlement.NewIntentID(settlement.Pay, "b")},
	}}, effects)
	e, ok := j.Batch(first)
	require.True(t, ok)
	require.Equal(t, "beaten", e.Attempts[1].Outcome)
	require.Empty(t, j.Open())
}

func TestEntriesAreTheCallers(t *testing.T) {
	j := newJournal(t)
	effects := apply(t, j, decided(), settlement.Signed{Batch: first, Tx: tx("s1")})
	before := j.Digest()
	e := j.Open()[0]
	e.Batch.Lines[0].Units = 0
	e.Batch.Lines[0].Intents[0] = settlement.IntentID{}
	e.Attempts[0].Tx.Raw[0] = 'x'
	send, ok := effects[0].(settlement.Send)
	require.True(t, ok)
	send.Tx.Raw[0] = 'x'
	j.Params().Assets[0] = usdc
	require.Equal(t, before, j.Digest())
	require.NoError(t, j.Audit())
}

func TestUnknown(t *testing.T) {
	j := newJournal(t)
	_, ok := j.Batch(first)
	require.False(t, ok)
	_, ok = j.Payment(settlement.IntentID{1})
	require.False(t, ok)
	for range j.Batches() {
		t.Fatal("no batch")
	}
	for range j.Payments() {
		t.Fatal("no payment")
	}
}

func TestIterationsEnd(t *testing.T) {
	j := newJournal(t)
	apply(t, j, decided(), settlement.Decided{Epoch: 8, Intents: []settlement.Intent{pay("cat", 1, "c")}})
	n := 0
	for range j.Batches() {
		n++
		break
	}
	for range j.Payments() {
		n++
		break
	}
	for range j.Recent() {
		n++
		break
	}
	require.Equal(t, 3, n)

	back := slices.Collect(j.Recent())
	require.Greater(t, len(back), 1)
	slices.Reverse(back)
	require.Equal(t, slices.Collect(j.Payments()), back)
}

func TestNames(t *testing.T) {
	require.Equal(t, "pay move burn kind(9)", settlement.Pay.String()+" "+settlement.Move.String()+" "+settlement.Burn.String()+" "+settlement.Kind(9).String())
	require.Equal(t, "planned signed paid stuck refused state(9)",
		settlement.StatePlanned.String()+" "+settlement.StateSigned.String()+" "+settlement.StatePaid.String()+" "+
			settlement.StateStuck.String()+" "+settlement.StateRefused.String()+" "+settlement.State(9).String())
	require.NotEqual(t, settlement.NewIntentID(settlement.Pay, "ab", "c"), settlement.NewIntentID(settlement.Pay, "a", "bc"))
	require.NotEqual(t, settlement.NewIntentID(settlement.Pay, "a"), settlement.NewIntentID(settlement.Move, "a"))
	e := settlement.LineError{Faults: []settlement.Fault{{Line: 1, Reason: "x"}, {Line: 3, Reason: "y"}}}
	require.Equal(t, "settlement: lines that cannot be carried: line 1: x; line 3: y", e.Error())
}
