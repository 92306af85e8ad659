package settlement_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
)

var errNet = errors.New("no route to host")

// canned is a chain that answers what it is told to.
type canned struct {
	prepare func(b settlement.Batch) (settlement.Tx, error)
	sent    []string
	sendErr error
	seen    settlement.Sighting
	lookErr error
	asked   int
}

func (c *canned) Prepare(_ context.Context, b settlement.Batch) (settlement.Tx, error) {
	return c.prepare(b)
}

func (c *canned) Send(_ context.Context, t settlement.Tx) error {
	c.sent = append(c.sent, t.ID)
	return c.sendErr
}

func (c *canned) Look(_ context.Context, a []settlement.Attempt) (settlement.Sighting, error) {
	c.asked += len(a)
	return c.seen, c.lookErr
}

func TestStep(t *testing.T) {
	sent := []settlement.Event{decided(), settlement.Signed{Batch: first, Tx: tx("s1")}}
	sight := func(height uint64, r ...settlement.Result) settlement.Sighting {
		return settlement.Sighting{Height: height, Results: r}
	}
	for _, row := range []struct {
		name   string
		before []settlement.Event
		chain  canned
		moved  bool
		state  settlement.State
		sent   []string
		want   string // in the error
	}{
		{"signs and sends", sent[:1], canned{prepare: func(settlement.Batch) (settlement.Tx, error) { return tx("s1"), nil }}, true, settlement.StateSigned, []string{"s1"}, ""},
		{"a send that fails is no news", sent[:1], canned{sendErr: errNet, prepare: func(settlement.Batch) (settlement.Tx, error) { return tx("s1"), nil }}, true, settlement.StateSigned, []string{"s1"}, "send batch 7/0/0: no route"},
		{"cannot be prepared", sent[:1], canned{prepare: func(settlement.Batch) (settlement.Tx, error) { return settlement.Tx{}, errNet }}, false, settlement.StatePlanned, nil, "prepare batch 7/0/0: no route"},
		{"later", sent[:1], canned{prepare: func(settlement.Batch) (settlement.Tx, error) { return settlement.Tx{}, settlement.ErrLater }}, false, settlement.StatePlanned, nil, ""},
		{"lines at fault", sent[:1], canned{prepare: func(settlement.Batch) (settlement.Tx, error) {
			return settlement.Tx{}, &settlement.LineError{Faults: append(fault(0), fault(1)...)}
		}}, true, settlement.StateRefused, nil, ""},
		{"lines that are none", sent[:1], canned{prepare: func(settlement.Batch) (settlement.Tx, error) {
			return settlement.Tx{}, &settlement.LineError{Faults: fault(7)}
		}}, false, settlement.StatePlanned, nil, "fault in line 7 of 2"},
		{"an attempt without bytes", sent[:1], canned{prepare: func(settlement.Batch) (settlement.Tx, error) { return settlement.Tx{}, nil }}, false, settlement.StatePlanned, nil, "without ID or bytes"},
		{"cannot look", sent, canned{lookErr: errNet}, false, settlement.StateSigned, nil, "look at 1 attempts: no route"},
		{"half an answer", sent, canned{seen: sight(5)}, false, settlement.StateSigned, nil, "0 results for 1 attempts"},
		{"pending", sent, canned{seen: sight(500, settlement.Result{Sight: settlement.Pending})}, false, settlement.StateSigned, nil, ""},
		{"missing in its last block", sent, canned{seen: sight(150, settlement.Result{})}, false, settlement.StateSigned, []string{"s1"}, ""},
		{"missing, and sent again in vain", sent, canned{sendErr: errNet, seen: sight(150, settlement.Result{})}, false, settlement.StateSigned, []string{"s1"}, "send batch 7/0/0 again: no route"},
		{"missing after it, marker there", sent, canned{seen: sight(151, settlement.Result{Marker: true})}, false, settlement.StateSigned, nil, "its marker exists"},
		{"missing after it", sent, canned{
			seen: sight(151, settlement.Result{}), prepare: func(settlement.Batch) (settlement.Tx, error) { return tx("s2"), nil },
		}, true, settlement.StateSigned, []string{"s2"}, ""},
		{"succeeded", sent, canned{seen: sight(151, settlement.Result{Sight: settlement.Succeeded})}, true, settlement.StatePaid, nil, ""},
		{"reverted", sent, canned{seen: sight(9, settlement.Result{Sight: settlement.Reverted, Failure: settlement.Failure{Reason: "short"}})}, true, settlement.StateStuck, nil, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			j := newJournal(t)
			apply(t, j, row.before...)
			r := settlement.Runner{Chain: &row.chain, Open: j.Open, Apply: j.Apply}
			moved, err := r.Step(t.Context(), morning)
			if row.want == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, row.want)
			}
			require.Equal(t, row.moved, moved)
			e, _ := j.Batch(first)
			require.Equal(t, row.state, e.State)
			require.Equal(t, row.sent, row.chain.sent)
			require.NoError(t, j.Audit())
		})
	}
}

// TestStepOneBadBatch: trouble with one batch does not stop the others.
func TestStepOneBadBatch(t *testing.T) {
	j := newJournal(t)
	other := pay("cat", 1, "c")
	other.From = "desk"
	apply(t, j, settlement.Decided{Epoch: 7, Intents: []settlement.Intent{pay("ann", 5, "a"), other}})
	c := &canned{prepare: func(b settlement.Batch) (settlement.Tx, error) {
		if b.Lines[0].From == "desk" {
			return settlement.Tx{}, errNet
		}
		return tx("s1"), nil
	}}
	moved, err := (&settlement.Runner{Chain: c, Open: j.Open, Apply: j.Apply}).Step(t.Context(), morning)
	require.True(t, moved)
	require.ErrorIs(t, err, errNet)
	require.Equal(t, []string{"s1"}, c.sent)
}

// TestStepFindsTheEarlierAttempt: the second attempt has failed on the marker, because the first, called expired, landed.
func TestStepFindsTheEarlierAttempt(t *testing.T) {
	j := newJournal(t)
	apply(t, j, decided(), settlement.Signed{Batch: first, Tx: tx("s1")}, settlement.Expired{Batch: first, Tx: "s1", Height: 151}, settlement.Signed{Batch: first, Tx: tx("s2")})
	c := &canned{seen: settlement.Sighting{Height: 400, Results: []settlement.Result{
		{Sight: settlement.Succeeded, Slot: 8}, {Sight: settlement.Reverted, Failure: settlement.Failure{Marker: true, Reason: "Custom(0)"}},
	}}}
	moved, err := (&settlement.Runner{Chain: c, Open: j.Open, Apply: j.Apply}).Step(t.Context(), morning)
	require.NoError(t, err)
	require.True(t, moved)
	require.Equal(t, 2, c.asked)
	require.Equal(t, settlement.Totals{Decided: 9, Paid: 9}, j.Totals(io))
}

// brittle is a store that fails at its n-th append.
type brittle struct {
	notes
	n int
}

func (b *brittle) Append(record []byte) error {
	if b.n--; b.n <= 0 {
		return errNet
	}
	return b.notes.Append(record)
}

// TestNothingIsSentThatIsNotDurable: a store that fails when the attempt is recorded.
func TestNothingIsSentThatIsNotDurable(t *testing.T) {
	s := &brittle{n: 2}
	r, err := settlement.NewRecorder(params(), s)
	require.NoError(t, err)
	_, err = r.Apply(morning, decided())
	require.NoError(t, err)
	c := &canned{prepare: func(settlement.Batch) (settlement.Tx, error) { return tx("s1"), nil }}
	runner := settlement.Runner{Chain: c, Open: r.Journal().Open, Apply: r.Apply}
	moved, err := runner.Step(t.Context(), morning)
	require.ErrorIs(t, err, errNet)
	require.False(t, moved)
	require.Empty(t, c.sent)
	s.n = 100
	_, err = r.Apply(morning, settlement.Resumed{})
	require.ErrorIs(t, err, errNet, "the recorder stays broken")
	again, err := settlement.NewRecorder(params(), s)
	require.NoError(t, err)
	require.Equal(t, settlement.StatePlanned, again.Journal().Open()[0].State, "the next process starts from what is durable")
}

func TestRecorderRefusesRecords(t *testing.T) {
	good := &notes{}
	r, err := settlement.NewRecorder(params(), good)
	require.NoError(t, err)
	_, err = r.Apply(morning, decided())
	require.NoError(t, err)
	_, err = r.Apply(morning, settlement.Resumed{Batch: first})
	require.ErrorIs(t, err, settlement.ErrStale)
	require.Len(t, good.records, 1, "what is refused is not recorded")
	for n := range good.records[0] {
		_, err := settlement.NewRecorder(params(), &notes{[][]byte{good.records[0][:n]}})
		require.ErrorContains(t, err, "settlement: replay: record 0")
	}
	other := params()
	other.Assets = other.Assets[1:]
	_, err = settlement.NewRecorder(other, good)
	require.ErrorContains(t, err, "Asset is unknown")
	_, err = settlement.NewRecorder(settlement.Params{}, good)
	require.Error(t, err)
}

func TestMemoryRefuses(t *testing.T) {
	m := settlement.NewMemory()
	m.Open(io, "vault", 10)
	require.Panics(t, func() { m.Open(io, "vault", ^uint64(0)) })
	require.Error(t, m.Send(t.Context(), tx("nonsense")))
	plan, err := settlement.Plan(params(), 7, 0, []settlement.Intent{burn(4, "a")})
	require.NoError(t, err)
	late, err := m.Prepare(t.Context(), plan[0])
	require.NoError(t, err)
	m.Advance(150)
	last, err := m.Prepare(t.Context(), plan[0])
	require.NoError(t, err)
	require.NoError(t, m.Send(t.Context(), late), "its last block")
	m.Advance(1)
	require.NoError(t, m.Send(t.Context(), late), "known already")
	require.EqualValues(t, 6, m.Supply(io))
	m.Advance(150)
	require.ErrorContains(t, m.Send(t.Context(), last), "could land until block 301, this is 302")
}
