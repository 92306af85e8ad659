package settlement_test

import (
	"errors"
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
	landed := settlement.Landed{Batch: first, Tx: "s1", Witnesses: seen(9)}
	expired := settlement.Expired{Batch: first, Tx: "s1", Witnesses: seen(151)}
	lost := settlement.Failed{Batch: first, Tx: "s1", Failure: settlement.Failure{Reason: "sender is short"}, Witnesses: seen(9)}
	marker := settlement.MarkerID{Batch: first}
	ann := settlement.Line{Kind: settlement.Pay, Asset: io, From: "vault", To: "ann", Units: 5}
	found := settlement.Found{Marker: marker, Tx: "f", Lines: []settlement.Line{ann}, Witnesses: seen(9)}
	lossy := settlement.Recovering{LastValid: 150}
	type events = []settlement.Event
	for _, row := range []struct {
		name   string
		before events
		event  settlement.Event
		want   error
	}{
		{"unknown batch", nil, signed, settlement.ErrUnknownBatch},
		{"resume of an unknown batch", nil, settlement.Resumed{Batch: first}, settlement.ErrUnknownBatch},
		{"landed in an unknown batch", nil, landed, settlement.ErrUnknownBatch},
		{"no event", nil, nil, settlement.ErrStale},
		{"same ID, other units", events{decided()}, settlement.Decided{Epoch: 7, Intents: []settlement.Intent{pay("ann", 6, "a")}}, settlement.ErrConflict},
		{"same ID, other content, in one event", nil, settlement.Decided{Epoch: 7, Intents: []settlement.Intent{pay("ann", 6, "a"), pay("ann", 5, "a")}}, settlement.ErrConflict},
		{"late member of a bundle", events{settlement.Decided{Epoch: 7, Intents: []settlement.Intent{bundled(pay("ann", 1, "x"), "lot")}}}, settlement.Decided{Epoch: 8, Intents: []settlement.Intent{bundled(pay("bob", 1, "y"), "lot")}}, settlement.ErrConflict},
		{"more lines than Params has", nil, settlement.Decided{Epoch: 7, MaxLines: 4, Intents: decided().Intents}, &settlement.LimitError{}},
		{"signed without ID", events{decided()}, settlement.Signed{Batch: first, Tx: settlement.Tx{Raw: []byte{1}, LastValid: 150}}, settlement.ErrStale},
		{"signed without bytes", events{decided()}, settlement.Signed{Batch: first, Tx: settlement.Tx{ID: "s1", LastValid: 150}}, settlement.ErrStale},
		{"signed without an end", events{decided()}, settlement.Signed{Batch: first, Tx: settlement.Tx{ID: "s1", Raw: []byte{1}}}, settlement.ErrStale},
		{"signed with two ends", events{decided()}, settlement.Signed{Batch: first, Tx: settlement.Tx{ID: "s1", Raw: []byte{1}, LastValid: 150, Nonce: settlement.Nonce{Account: "n", Value: "v"}}}, settlement.ErrStale},
		{"signed at another revision", events{decided()}, settlement.Signed{Batch: first, Revision: 1, Tx: tx("s1")}, settlement.ErrStale},
		{"signed while another is alive", events{decided(), signed}, settlement.Signed{Batch: first, Tx: tx("s2")}, settlement.ErrStale},
		{"signed twice", events{decided(), signed, expired}, signed, settlement.ErrStale},
		{"signed while unsure", events{decided(), lossy}, signed, settlement.ErrStale},
		{"rejected while signed", events{decided(), signed}, settlement.Rejected{Batch: first, Faults: fault(0)}, settlement.ErrStale},
		{"rejected for nothing", events{decided()}, settlement.Rejected{Batch: first}, settlement.ErrStale},
		{"rejected line below", events{decided()}, settlement.Rejected{Batch: first, Faults: fault(-1)}, settlement.ErrStale},
		{"rejected line above", events{decided()}, settlement.Rejected{Batch: first, Faults: fault(2)}, settlement.ErrStale},
		{"rejected twice over", events{decided()}, settlement.Rejected{Batch: first, Faults: append(fault(0), fault(0)...)}, settlement.ErrStale},
		{"rejected without a reason", events{decided()}, settlement.Rejected{Batch: first, Faults: []settlement.Fault{{}}}, settlement.ErrStale},
		{"rejected a second time", events{decided(), settlement.Rejected{Batch: first, Faults: fault(1)}}, settlement.Rejected{Batch: first, Faults: fault(1)}, settlement.ErrStale},
		{"landed unknown attempt", events{decided(), signed}, settlement.Landed{Batch: first, Tx: "s2", Witnesses: seen(9)}, settlement.ErrStale},
		{"landed twice", events{decided(), signed, landed}, landed, settlement.ErrStale},
		{"landed after it failed", events{decided(), signed, lost}, landed, settlement.ErrBroken},
		{"landed twice, by two attempts", events{decided(), signed, expired, settlement.Signed{Batch: first, Tx: tx("s2")}, settlement.Landed{Batch: first, Tx: "s2", Witnesses: seen(9)}}, landed, settlement.ErrBroken},
		{"landed on a poisoned marker, while the next one may be made", events{decided(), signed, expired, settlement.Poisoned{Marker: marker, Tx: "x", Witnesses: seen(9)}, settlement.Signed{Batch: first, Tx: tx("s2")}}, landed, settlement.ErrBroken},
		{"failed without a reason", events{decided(), signed}, settlement.Failed{Batch: first, Tx: "s1", Witnesses: seen(9)}, settlement.ErrStale},
		{"failed for being expired", events{decided(), signed}, settlement.Failed{Batch: first, Tx: "s1", Failure: settlement.Failure{Reason: "expired"}, Witnesses: seen(9)}, settlement.ErrStale},
		{"failed in no line", events{decided(), signed}, settlement.Failed{Batch: first, Tx: "s1", Failure: settlement.Failure{Faults: fault(2), Reason: "x"}, Witnesses: seen(9)}, settlement.ErrStale},
		{"failed after it landed", events{decided(), signed, landed}, lost, settlement.ErrStale},
		{"expired in its last block", events{decided(), signed}, settlement.Expired{Batch: first, Tx: "s1", Witnesses: seen(150)}, settlement.ErrQuorum},
		{"expired twice", events{decided(), signed, expired}, expired, settlement.ErrStale},
		{"resumed without being stuck", events{decided()}, settlement.Resumed{Batch: first}, settlement.ErrStale},
		{"books beyond 64 bits", events{decided()}, settlement.Decided{Epoch: 8, Intents: []settlement.Intent{pay("cat", math.MaxUint64-8, "c")}}, &settlement.IntentError{}},
		{"found without a transaction", events{decided()}, settlement.Found{Marker: marker, Witnesses: seen(9)}, settlement.ErrStale},
		{"found in no plan", nil, found, settlement.ErrUnknownBatch},
		{"found again", events{decided(), found}, found, settlement.ErrStale},
		{"found twice", events{decided(), found}, settlement.Found{Marker: marker, Tx: "g", Witnesses: seen(9)}, settlement.ErrBroken},
		{"found after it landed", events{decided(), signed, landed}, found, settlement.ErrBroken},
		{"found with what was not planned", events{decided()}, settlement.Found{Marker: marker, Tx: "f", Lines: []settlement.Line{ann, ann}, Witnesses: seen(9)}, settlement.ErrUnexplained},
		{"found on a marker that is not due", events{decided()}, settlement.Found{Marker: settlement.MarkerID{Batch: first, N: 1}, Tx: "f", Witnesses: seen(9)}, settlement.ErrStale},
		{"found on a poisoned marker", events{decided(), settlement.Poisoned{Marker: marker, Tx: "x", Witnesses: seen(9)}}, found, settlement.ErrBroken},
		{"found an attempt with other lines", events{decided(), signed}, settlement.Found{Marker: marker, Tx: "s1", Lines: []settlement.Line{ann}, Witnesses: seen(9)}, settlement.ErrUnexplained},
		{"found an attempt on another marker", events{decided(), signed}, settlement.Found{Marker: settlement.MarkerID{Batch: first, N: 1}, Tx: "s1", Witnesses: seen(9)}, settlement.ErrBroken},
		{"found a part of a bundle", events{settlement.Decided{Epoch: 7, Intents: []settlement.Intent{bundled(pay("ann", 5, "a"), "lot"), bundled(pay("bob", 4, "b"), "lot")}}}, found, settlement.ErrUnexplained},
		{"poisoned by nobody", events{decided()}, settlement.Poisoned{Marker: marker, Witnesses: seen(9)}, settlement.ErrStale},
		{"poisoned when it is paid", events{decided(), signed, landed}, settlement.Poisoned{Marker: marker, Tx: "x", Witnesses: seen(9)}, settlement.ErrStale},
		{"poisoned, the number before", events{decided(), settlement.Poisoned{Marker: marker, Tx: "x", Witnesses: seen(9)}}, settlement.Poisoned{Marker: marker, Tx: "x", Witnesses: seen(9)}, settlement.ErrStale},
		{"poisoned while an attempt can land", events{decided(), signed}, settlement.Poisoned{Marker: marker, Tx: "x", Witnesses: seen(150)}, settlement.ErrQuorum},
		{"absent while an attempt is on its way", events{decided(), signed}, settlement.Absent{Marker: marker, Witnesses: seen(151)}, settlement.ErrStale},
		{"absent before an attempt expired", events{decided(), signed, expired}, settlement.Absent{Marker: marker, Witnesses: seen(150)}, settlement.ErrQuorum},
		{"signed too long after the decision", events{decided()}, signed, settlement.ErrUnseen},
		{"absent while a lost attempt can land", events{decided(), lossy}, settlement.Absent{Marker: marker, Witnesses: seen(150)}, settlement.ErrQuorum},
		{"absent while a known attempt can land", events{decided(), signed, settlement.Recovering{LastValid: 1}}, settlement.Absent{Marker: marker, Witnesses: seen(150)}, settlement.ErrQuorum},
		{"absent probe that is not asked for", events{decided(), lossy}, settlement.Absent{Marker: settlement.MarkerID{Batch: settlement.BatchID{Epoch: 7, Lane: settlement.Overflow}}, Witnesses: seen(151)}, settlement.ErrUnknownBatch},
		{"recovering from nothing", nil, settlement.Recovering{Since: 1}, settlement.ErrStale},
		{"recovered from nothing", nil, settlement.Recovering{}, settlement.ErrStale},
		{"recovered while unsure", events{decided(), lossy}, settlement.Recovering{}, settlement.ErrStale},
		{"retried nothing", events{decided()}, settlement.Retried{}, settlement.ErrStale},
		{"retried the unknown", events{decided()}, settlement.Retried{Intents: []settlement.IntentID{{1}}}, settlement.ErrStale},
		{"retried the planned", events{decided()}, settlement.Retried{Intents: []settlement.IntentID{id("a")}}, settlement.ErrStale},
		{"retried while its batch is open", events{decided(), settlement.Rejected{Batch: first, Faults: fault(1)}}, settlement.Retried{Intents: []settlement.IntentID{id("b")}}, settlement.ErrStale},
		{"retried while its batch is to be sealed", events{decided(), settlement.Rejected{Batch: first, Faults: append(fault(0), fault(1)...)}}, settlement.Retried{Intents: []settlement.IntentID{id("b")}}, settlement.ErrStale},
		{"retried in too large batches", events{decided(), found}, settlement.Retried{MaxLines: 4, Intents: []settlement.IntentID{id("b")}}, &settlement.LimitError{}},
		{"reclaimed nothing", events{decided(), signed, landed}, settlement.Reclaimed{Witnesses: seen(151)}, settlement.ErrStale},
		{"reclaimed while open", events{decided()}, settlement.Reclaimed{Markers: []settlement.MarkerID{marker}, Witnesses: seen(151)}, settlement.ErrStale},
		{"reclaimed another number", events{decided(), signed, landed}, settlement.Reclaimed{Markers: []settlement.MarkerID{{Batch: first, N: 1}}, Witnesses: seen(151)}, settlement.ErrStale},
		{"reclaimed twice in one", events{decided(), signed, landed}, settlement.Reclaimed{Markers: []settlement.MarkerID{marker, marker}, Witnesses: seen(151)}, settlement.ErrStale},
	} {
		t.Run(row.name, func(t *testing.T) {
			j := newJournal(t)
			apply(t, j, row.before...)
			before := j.Digest()
			effects, err := j.Apply(morning.Add(time.Hour), row.event)
			var field *settlement.IntentError
			var limit *settlement.LimitError
			switch {
			case errors.As(row.want, &field):
				require.ErrorAs(t, err, &field)
			case errors.As(row.want, &limit):
				require.ErrorAs(t, err, &limit)
			default:
				require.ErrorIs(t, err, row.want)
			}
			require.Empty(t, effects)
			require.Equal(t, before, j.Digest())
		})
	}
}

// TestQuorum: what is said to have happened needs two endpoints, different ones, that do not contradict themselves.
func TestQuorum(t *testing.T) {
	w := func(name string, height, slot, context uint64) settlement.Witness {
		return settlement.Witness{Endpoint: name, Height: height, Slot: slot, Context: context}
	}
	for _, row := range []struct {
		name  string
		list  []settlement.Witness
		final bool // whether they prove that something is final
		dead  bool // and whether they prove that the attempt cannot land
	}{
		{"two", seen(151), true, true},
		{"two before the end", seen(150), true, false},
		{"none", nil, false, false},
		{"one", seen(151)[:1], false, false},
		{"one that says it twice", []settlement.Witness{seen(151)[0], seen(152)[0]}, false, false},
		{"without a name", []settlement.Witness{w("a", 151, 151, 151), w("", 151, 151, 151)}, false, false},
		{"slot and height are equal", []settlement.Witness{w("a", 151, 151, 151), w("b", 151, 151, 151)}, true, true},
		{"more blocks than slots", []settlement.Witness{w("a", 151, 151, 151), w("b", 151, 150, 151)}, false, false},
		{"answered as of an earlier slot", []settlement.Witness{w("a", 151, 151, 151), w("b", 151, 151, 150)}, false, false},
		{"one lags", []settlement.Witness{w("a", 151, 151, 151), w("b", 150, 151, 151)}, true, false},
		{"one lags, two do not", []settlement.Witness{w("a", 151, 151, 151), w("b", 1, 1, 1), w("c", 151, 152, 153)}, true, true},
		{"one lies, two do not", []settlement.Witness{w("a", 151, 151, 151), w("b", 900, 1, 1), w("c", 151, 152, 153)}, true, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			marker := settlement.MarkerID{Batch: first}
			for _, c := range []struct {
				want  bool
				loss  bool
				event settlement.Event
			}{
				{row.final, false, settlement.Landed{Batch: first, Tx: "s1", Witnesses: row.list}},
				{row.final, false, settlement.Failed{Batch: first, Tx: "s1", Failure: settlement.Failure{Reason: "x"}, Witnesses: row.list}},
				{row.final, false, settlement.Found{Marker: marker, Tx: "f", Witnesses: row.list}},
				{row.dead, false, settlement.Expired{Batch: first, Tx: "s1", Witnesses: row.list}},
				{row.dead, false, settlement.Poisoned{Marker: marker, Tx: "x", Witnesses: row.list}},
				{row.dead, true, settlement.Poisoned{Marker: marker, Tx: "x", Witnesses: row.list}},
				{row.dead, true, settlement.Absent{Marker: marker, Witnesses: row.list}},
			} {
				j := newJournal(t)
				apply(t, j, decided(), settlement.Signed{Batch: first, Tx: tx("s1")})
				if c.loss {
					apply(t, j, settlement.Recovering{LastValid: 150})
				}
				_, err := j.Apply(morning, c.event)
				if !c.want {
					require.ErrorIs(t, err, settlement.ErrQuorum, "%T", c.event)
					continue
				}
				require.NoError(t, err, "%T", c.event)
				require.NoError(t, j.Audit())
				e, _ := j.Batch(first)
				if len(e.Proofs) > 0 {
					require.Equal(t, row.list, e.Proofs[0].Witnesses, "the evidence is kept")
				} else {
					require.Equal(t, row.list, e.Attempts[len(e.Attempts)-1].Witnesses, "the evidence is kept")
				}
			}
		})
	}
}

// TestNonce: an attempt with a nonce ends when a quorum has seen another value, at whatever height.
func TestNonce(t *testing.T) {
	for _, row := range []struct {
		values []string
		dead   bool
	}{{[]string{"v2", "v2"}, true}, {[]string{"v2", "v3"}, true}, {[]string{"v1", "v2"}, false}, {[]string{"", "v2"}, false}, {[]string{"v1", "v1"}, false}} {
		j := newJournal(t)
		apply(t, j, decided(), settlement.Signed{Batch: first, Tx: settlement.Tx{ID: "n", Raw: []byte{1}, Nonce: settlement.Nonce{Account: "acc", Value: "v1"}}})
		list := seen(1_000_000)
		for i := range list {
			list[i].Nonce = row.values[i]
		}
		_, err := j.Apply(morning, settlement.Expired{Batch: first, Tx: "n", Witnesses: list})
		require.Equal(t, row.dead, err == nil, "%v: %v", row.values, err)
	}
}

// TestReclaim: a marker goes back when the batch is old and nothing that could still pay it is alive.
func TestReclaim(t *testing.T) {
	marker := settlement.MarkerID{Batch: first}
	s1, s2 := settlement.Signed{Batch: first, Tx: tx("s1")}, settlement.Signed{Batch: first, Tx: settlement.Tx{ID: "s2", Raw: []byte{2}, LastValid: 400}}
	nonce := settlement.Signed{Batch: first, Tx: settlement.Tx{ID: "n", Raw: []byte{3}, Nonce: settlement.Nonce{Account: "acc", Value: "v1"}}}
	expired := settlement.Expired{Batch: first, Tx: "s1", Witnesses: seen(151)}
	landed := settlement.Landed{Batch: first, Tx: "s1", Witnesses: seen(9)}
	for _, row := range []struct {
		name   string
		events []settlement.Event
		from   uint64 // the first height at which it may go, 0: never
	}{
		{"one attempt, landed", []settlement.Event{s1, landed}, 1},
		{"after one that expired", []settlement.Event{s1, expired, s2, settlement.Landed{Batch: first, Tx: "s2", Witnesses: seen(9)}}, 1},
		{"beaten by one called expired", []settlement.Event{s1, expired, s2, landed}, 401},
		{"beaten by one that was found", []settlement.Event{s1, settlement.Found{Marker: marker, Tx: "f", Witnesses: seen(9)}}, 151},
		{"a beaten nonce lives for ever", []settlement.Event{s1, expired, nonce, landed}, 0},
		{"lost attempts", []settlement.Event{s1, landed, settlement.Recovering{LastValid: 700}}, 701},
	} {
		t.Run(row.name, func(t *testing.T) {
			j := newJournal(t)
			apply(t, j, append([]settlement.Event{decided()}, row.events...)...)
			late := morning.Add(time.Hour)
			require.Empty(t, j.Reclaimable(late.Add(-1), 1e9), "too young")
			event := settlement.Reclaimed{Markers: []settlement.MarkerID{marker}, Witnesses: seen(1e9)}
			if row.from == 0 {
				require.Empty(t, j.Reclaimable(late.Add(9999*time.Hour), 1e9))
				_, err := j.Apply(late, event)
				require.ErrorIs(t, err, settlement.ErrStale)
				return
			}
			require.Empty(t, j.Reclaimable(late, row.from-1))
			require.Equal(t, event.Markers, j.Reclaimable(late, row.from))
			_, err := j.Apply(late.Add(-1), event)
			require.ErrorIs(t, err, settlement.ErrStale, "too young")
			event.Witnesses = seen(row.from - 1)
			_, err = j.Apply(late, event)
			require.ErrorIs(t, err, settlement.ErrQuorum)
			event.Witnesses = seen(row.from)
			_, err = j.Apply(late, event)
			require.NoError(t, err)
			require.NoError(t, j.Audit())
			e, _ := j.Batch(first)
			require.True(t, e.Reclaimed)
			require.Equal(t, seen(row.from), e.Proofs[len(e.Proofs)-1].Witnesses)
			require.Empty(t, j.Reclaimable(late, 1e9))
			_, err = j.Apply(late, event)
			require.ErrorIs(t, err, settlement.ErrStale, "once")
			_, err = j.Apply(late, settlement.Retried{Intents: []settlement.IntentID{id("a")}})
			require.ErrorIs(t, err, map[bool]error{true: nil, false: settlement.ErrStale}[row.name == "beaten by one that was found"])
		})
	}
}

// TestReclaimInOrder: the batch that was closed first comes first, whatever its ID; with ReclaimAfterSeconds 0 none does.
func TestReclaimInOrder(t *testing.T) {
	p := params()
	for _, never := range []bool{false, true} {
		if never {
			p.ReclaimAfterSeconds = 0
		}
		j, err := settlement.NewJournal(p)
		require.NoError(t, err)
		at := morning
		play := func(e settlement.Event) {
			at = at.Add(time.Second)
			_, err := j.Apply(at, e)
			require.NoError(t, err)
			require.NoError(t, j.Audit())
		}
		second := settlement.BatchID{Epoch: 7, Lane: 1}
		play(settlement.Decided{Epoch: 7, Intents: []settlement.Intent{pay("ann", 5, "a"), burn(1, "b")}})
		play(settlement.Signed{Batch: first, Tx: tx("s1")})
		play(settlement.Signed{Batch: second, Tx: tx("s2")})
		play(settlement.Landed{Batch: second, Tx: "s2", Witnesses: seen(9)})
		play(settlement.Landed{Batch: first, Tx: "s1", Witnesses: seen(9)})
		want := []settlement.MarkerID{{Batch: second}, {Batch: first}}
		if never {
			want = []settlement.MarkerID{}
		}
		require.Equal(t, want, j.Reclaimable(at.Add(9999*time.Hour), 200))
		back, err := settlement.Restore(p, j.Snapshot())
		require.NoError(t, err)
		require.Equal(t, want, back.Reclaimable(at.Add(9999*time.Hour), 200))
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

// TestExpiredAttemptThatLanded is endpoints that were wrong: the attempt that they did not know has paid after all.
func TestExpiredAttemptThatLanded(t *testing.T) {
	j := newJournal(t)
	apply(t, j, decided(),
		settlement.Signed{Batch: first, Tx: tx("s1")},
		settlement.Expired{Batch: first, Tx: "s1", Witnesses: seen(151)},
		settlement.Rejected{Batch: first, Faults: fault(1)},
		settlement.Signed{Batch: first, Revision: 1, Tx: tx("s2")})
	require.Equal(t, settlement.Totals{Decided: 9, Open: 5, Refused: 4}, j.Totals(io))
	effects := apply(t, j, settlement.Landed{Batch: first, Tx: "s1", Slot: 9, Fee: 5000, Witnesses: seen(9)})
	require.Equal(t, settlement.Totals{Decided: 9, Paid: 9}, j.Totals(io), "what it carried is paid, bob's refused line too")
	require.Equal(t, []settlement.Effect{settlement.Paid{Batch: first, Tx: "s1", Slot: 9, Intents: []settlement.IntentID{id("a"), id("b")}}}, effects)
	e, ok := j.Batch(first)
	require.True(t, ok)
	require.Equal(t, "beaten", e.Attempts[1].Outcome)
	require.Empty(t, j.Open())
}

// TestSwap: what a swap got is in the books of its attempt and its payment.
func TestSwap(t *testing.T) {
	j := newJournal(t)
	apply(t, j, settlement.Decided{Epoch: 7, Intents: []settlement.Intent{swap(9, "lot")}},
		settlement.Signed{Batch: first, Tx: tx("s1")})
	effects := apply(t, j, settlement.Landed{Batch: first, Tx: "s1", Slot: 9, Got: 42, Witnesses: seen(9)})
	lot := settlement.NewIntentID(settlement.Swap, "lot")
	require.Equal(t, []settlement.Effect{settlement.Paid{Batch: first, Tx: "s1", Slot: 9, Got: 42, Intents: []settlement.IntentID{lot}}}, effects)
	p, _ := j.Payment(lot)
	require.EqualValues(t, 42, p.Got)
	e, _ := j.Batch(first)
	require.EqualValues(t, 42, e.Attempts[0].Got)
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
	names := ""
	for s := settlement.StatePlanned; s <= settlement.StateWaiting+1; s++ {
		names += s.String() + " "
	}
	require.Equal(t, "planned signed paid stuck refused marked unsure waiting state(9) ", names)
	require.Equal(t, "refund swap", settlement.Refund.String()+" "+settlement.Swap.String())
	require.NotEqual(t, settlement.NewIntentID(settlement.Pay, "ab", "c"), settlement.NewIntentID(settlement.Pay, "a", "bc"))
	require.NotEqual(t, settlement.NewIntentID(settlement.Pay, "a"), settlement.NewIntentID(settlement.Move, "a"))
	e := settlement.LineError{Faults: []settlement.Fault{{Line: 1, Reason: "x"}, {Line: 3, Reason: "y"}}}
	require.Equal(t, "settlement: lines that cannot be carried: line 1: x; line 3: y", e.Error())
}
