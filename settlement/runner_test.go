package settlement_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
)

var errNet = errors.New("no route to host")

// canned is an endpoint that answers what it is told to.
type canned struct {
	name         string
	height, slot uint64 // slot 0: nine more than height
	context      uint64 // 0: the slot
	down         error  // what Look and Find return
	few          bool   // it answers for one less than was asked
	results      []settlement.Result
	findings     []settlement.Finding // none: it says that every marker was never made
	lastValid    uint64
	prepare      func(batches []settlement.Batch) ([]settlement.Prepared, error)
	sendErr      error
	gone         bool // what Reclaim answers

	looks, finds, prepares, reclaims int
	sent                             [][]string
}

func (c *canned) at() (height, slot, context uint64) {
	height, slot, context = c.height, c.slot, c.context
	if slot == 0 {
		slot = height + 9
	}
	if context == 0 {
		context = slot
	}
	return height, slot, context
}

func (c *canned) Prepare(_ context.Context, batches []settlement.Batch) ([]settlement.Prepared, error) {
	c.prepares++
	if c.prepare == nil {
		return nil, errNet
	}
	return c.prepare(batches)
}

func (c *canned) Send(_ context.Context, txs []settlement.Tx) error {
	var ids []string
	for _, x := range txs {
		ids = append(ids, x.ID)
	}
	c.sent = append(c.sent, ids)
	return c.sendErr
}

func (c *canned) Look(_ context.Context, a []settlement.Attempt) (settlement.Sighting, error) {
	c.looks++
	height, slot, seen := c.at()
	s := settlement.Sighting{Endpoint: c.name, Height: height, Slot: slot}
	for i := range a {
		r := settlement.Result{}
		if i < len(c.results) {
			r = c.results[i]
		}
		r.Context = seen
		s.Results = append(s.Results, r)
	}
	if c.few {
		s.Results = s.Results[1:]
	}
	return s, c.down
}

func (c *canned) Find(_ context.Context, b []settlement.Batch) (settlement.Findings, error) {
	c.finds++
	height, slot, seen := c.at()
	s := settlement.Findings{Endpoint: c.name, Height: height, Slot: slot, LastValid: c.lastValid}
	for i := range b {
		f := settlement.Finding{Origin: settlement.Never}
		if i < len(c.findings) {
			f = c.findings[i]
		}
		f.Context = seen
		s.Results = append(s.Results, f)
	}
	if c.few && len(b) > 0 {
		s.Results = s.Results[1:]
	}
	return s, c.down
}

func (c *canned) Reclaim(_ context.Context, m []settlement.MarkerID) (settlement.Reclaims, error) {
	c.reclaims++
	height, slot, seen := c.at()
	s := settlement.Reclaims{Endpoint: c.name, Height: height, Slot: slot, Context: seen}
	for range m {
		s.Gone = append(s.Gone, c.gone)
	}
	return s, c.down
}

// runner returns a runner over the endpoints, which are named a, b, c unless they have a name.
func runner(j *settlement.Journal, quorum int, endpoints ...*canned) *settlement.Runner {
	r := &settlement.Runner{Quorum: quorum, Open: j.Open, Apply: j.Apply, Probes: j.Probes, Reclaimable: j.Reclaimable}
	for i, c := range endpoints {
		if c.name == "" {
			c.name = string(rune('a' + i))
		}
		r.Chains = append(r.Chains, c)
	}
	return r
}

// makes returns a Prepare that answers with these attempts.
func makes(made ...settlement.Prepared) func([]settlement.Batch) ([]settlement.Prepared, error) {
	return func([]settlement.Batch) ([]settlement.Prepared, error) { return made, nil }
}

// step makes a round and checks that all is well with the journal.
func step(t *testing.T, r *settlement.Runner, j *settlement.Journal) (bool, error) {
	t.Helper()
	moved, err := r.Step(t.Context(), morning)
	require.NoError(t, j.Audit())
	return moved, err
}

// TestStepPrepares: what a round makes of what Prepare answers.
func TestStepPrepares(t *testing.T) {
	rejected := func(lines ...int) error {
		e := &settlement.LineError{}
		for _, n := range lines {
			e.Faults = append(e.Faults, settlement.Fault{Line: n, Reason: "no account"})
		}
		return e
	}
	for _, row := range []struct {
		name    string
		first   func([]settlement.Batch) ([]settlement.Prepared, error)
		second  func([]settlement.Batch) ([]settlement.Prepared, error)
		sendErr error
		moved   bool
		state   settlement.State
		sent    [][]string
		want    string // in the error
	}{
		{"signs and sends", makes(settlement.Prepared{Tx: tx("s1")}), nil, nil, true, settlement.StateSigned, [][]string{{"s1"}}, ""},
		{"a send that fails is no news", makes(settlement.Prepared{Tx: tx("s1")}), nil, errNet, true, settlement.StateSigned, [][]string{{"s1"}}, "send new attempts to endpoint 1: no route"},
		{"cannot be prepared", makes(settlement.Prepared{Err: errNet}), nil, nil, false, settlement.StatePlanned, nil, "prepare batch 7/0/0: no route"},
		{"later", makes(settlement.Prepared{Err: fmt.Errorf("wait: %w", settlement.ErrLater)}), nil, nil, false, settlement.StatePlanned, nil, ""},
		{"a line at fault", makes(settlement.Prepared{Err: rejected(1)}), makes(settlement.Prepared{Err: rejected(1)}), nil, true, settlement.StatePlanned, nil, ""},
		{"one line that both refuse", makes(settlement.Prepared{Err: rejected(0, 1)}), makes(settlement.Prepared{Err: rejected(1)}), nil, true, settlement.StatePlanned, nil, ""},
		{"one alone refuses nobody", makes(settlement.Prepared{Err: rejected(0, 1)}), makes(settlement.Prepared{Tx: tx("s1")}), nil, true, settlement.StateSigned, [][]string{{"s1"}}, ""},
		{"one refuses, the other is away", makes(settlement.Prepared{Err: rejected(1)}), nil, nil, false, settlement.StatePlanned, nil, "1 endpoints refuse lines of it, want Quorum, 2"},
		{"each refuses another line", makes(settlement.Prepared{Err: rejected(0)}), makes(settlement.Prepared{Err: rejected(1)}), nil, false, settlement.StatePlanned, nil, "2 endpoints refuse different lines"},
		{"lines that are none", makes(settlement.Prepared{Err: rejected(7)}), makes(settlement.Prepared{Err: rejected(7)}), nil, false, settlement.StatePlanned, nil, "fault in line 7 of 2"},
		{"an attempt without bytes", makes(settlement.Prepared{}), nil, nil, false, settlement.StatePlanned, nil, "without ID or bytes"},
		{"the next endpoint can", nil, makes(settlement.Prepared{Tx: tx("s1")}), nil, true, settlement.StateSigned, [][]string{{"s1"}}, "prepare 1 batches at endpoint 0: no route"},
		{"none can", nil, nil, nil, false, settlement.StatePlanned, nil, "prepare 1 batches at endpoint 1: no route"},
		{"half an answer", makes(), makes(settlement.Prepared{Tx: tx("s1")}), nil, true, settlement.StateSigned, [][]string{{"s1"}}, "0 answers for 1 batches"},
	} {
		t.Run(row.name, func(t *testing.T) {
			j := newJournal(t)
			apply(t, j, decided())
			a, b := &canned{prepare: row.first, sendErr: row.sendErr}, &canned{prepare: row.second, sendErr: row.sendErr}
			moved, err := step(t, runner(j, 2, a, b), j)
			if row.want == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, row.want)
			}
			require.Equal(t, row.moved, moved)
			e, _ := j.Batch(first)
			require.Equal(t, row.state, e.State)
			require.Equal(t, row.sent, a.sent)
			require.Equal(t, row.sent, b.sent, "what is sent goes to every endpoint")
		})
	}
}

// TestStepLooks: what a round makes of what two or three endpoints say of one attempt, which can land until block 150.
func TestStepLooks(t *testing.T) {
	at := func(height uint64, r settlement.Result) *canned {
		return &canned{height: height, results: []settlement.Result{r}}
	}
	down := func() *canned { return &canned{down: errNet} }
	missing, pending := settlement.Result{Sight: settlement.Missing}, settlement.Result{Sight: settlement.Pending}
	dead, marked := settlement.Result{Sight: settlement.Dead}, settlement.Result{Sight: settlement.Marked}
	landed := settlement.Result{Sight: settlement.Succeeded, Slot: 20, Fee: 5000}
	failed := settlement.Result{Sight: settlement.Reverted, Slot: 20, Fee: 5000, Failure: settlement.Failure{Reason: "short"}}
	other := landed
	other.Slot = 21
	blamed := failed
	blamed.Failure.Faults = []settlement.Fault{{Line: 0, Reason: "no account"}}
	stale := func(c *canned) *canned { c.context = 1; return c }
	for _, row := range []struct {
		name      string
		endpoints []*canned
		state     settlement.State
		sent      bool
		want      string // in the error
	}{
		{"landed", []*canned{at(90, landed), at(91, landed)}, settlement.StatePaid, false, ""},
		{"landed, says one", []*canned{at(90, landed), at(91, pending)}, settlement.StateSigned, false, ""},
		{"landed, says one, the other lags", []*canned{at(90, landed), at(9, missing)}, settlement.StateSigned, true, ""},
		{"landed, say two of three", []*canned{at(90, landed), at(9, missing), at(91, landed)}, settlement.StatePaid, false, ""},
		{"landed in two slots", []*canned{at(90, landed), at(90, other)}, settlement.StateSigned, false, `"a" says that it landed in slot 20 (fee 5000, got 0), "b" says that it landed in slot 21`},
		{"landed, as of long ago", []*canned{at(90, landed), stale(at(90, landed))}, settlement.StateSigned, false, ""},
		{"failed", []*canned{at(90, failed), at(90, failed)}, settlement.StateStuck, false, ""},
		{"failed, says one", []*canned{at(90, failed), at(90, pending)}, settlement.StateSigned, false, ""},
		{"failed and landed", []*canned{at(90, failed), at(90, landed)}, settlement.StateSigned, false, "endpoints disagree on attempt \"s1\" of batch 7/0/0"},
		{"failed for two reasons", []*canned{at(90, failed), at(90, blamed)}, settlement.StateSigned, false, "endpoints disagree"},
		{"missing", []*canned{at(90, missing), at(90, missing)}, settlement.StateSigned, true, ""},
		{"pending", []*canned{at(90, pending), at(90, pending)}, settlement.StateSigned, false, ""},
		{"pending, says one", []*canned{at(90, pending), at(90, missing)}, settlement.StateSigned, true, ""},
		{"dead", []*canned{at(151, dead), at(151, dead)}, settlement.StatePlanned, false, ""},
		{"dead in its last block", []*canned{at(150, dead), at(151, dead)}, settlement.StateSigned, false, ""},
		{"dead, says one", []*canned{at(151, dead), at(151, missing)}, settlement.StateSigned, true, ""},
		{"dead, as of long ago", []*canned{at(151, dead), stale(at(151, dead))}, settlement.StateSigned, false, ""},
		{"dead, say two of three", []*canned{at(151, dead), at(9, missing), at(151, dead)}, settlement.StatePlanned, false, ""},
		{"dead and landed", []*canned{at(151, dead), at(151, landed)}, settlement.StateSigned, false, `"b" says that it landed in slot 20 (fee 5000, got 0), "a" says that it is dead at height 151`},
		{"dead, say two, and landed, says one", []*canned{at(151, dead), at(151, dead), at(151, landed)}, settlement.StateSigned, false, "endpoints disagree"},
		{"dead and marked", []*canned{at(151, dead), at(151, marked)}, settlement.StateSigned, false, ""},
		{"dead, and nobody else answers", []*canned{at(151, dead), down()}, settlement.StateSigned, false, "look at endpoint 1: no route"},
		{"half an answer", []*canned{at(90, landed), {height: 90, few: true}}, settlement.StateSigned, false, "look at endpoint 1: 0 results for 1 attempts"},
		{"one endpoint twice", []*canned{{name: "x", height: 90, results: []settlement.Result{landed}}, {name: "x", height: 90, results: []settlement.Result{landed}}}, settlement.StateSigned, false, `two endpoints are named "x"`},
		{"more blocks than slots", []*canned{at(90, landed), {height: 90, slot: 89, results: []settlement.Result{landed}}}, settlement.StateSigned, false, `endpoint "b" contradicts itself: height 90 in slot 89`},
		{"slot as height", []*canned{at(160, dead), {height: 169, slot: 169, results: []settlement.Result{dead}}}, settlement.StateSigned, false, `endpoints "a" and "b" contradict each other`},
		{"slot as height, says one of three", []*canned{at(140, missing), {height: 151, slot: 151, results: []settlement.Result{dead}}, at(142, missing)}, settlement.StateSigned, true, `endpoints "b" and`},
	} {
		t.Run(row.name, func(t *testing.T) {
			j := newJournal(t)
			apply(t, j, decided(), settlement.Signed{Batch: first, Tx: tx("s1")})
			moved, err := step(t, runner(j, 2, row.endpoints...), j)
			e, _ := j.Batch(first)
			require.Equal(t, row.state, e.State)
			require.Equal(t, row.state != settlement.StateSigned, moved)
			switch {
			case row.want != "":
				require.ErrorContains(t, err, row.want)
			case row.state == settlement.StatePlanned:
				require.ErrorContains(t, err, "prepare 1 batches", "these endpoints cannot prepare")
			default:
				require.NoError(t, err)
			}
			for _, c := range row.endpoints {
				require.Equal(t, 1, c.looks)
				if row.sent {
					require.Equal(t, [][]string{{"s1"}}, c.sent)
				} else {
					require.Empty(t, c.sent)
				}
			}
			if row.state == settlement.StatePaid {
				require.Len(t, e.Attempts[0].Witnesses, 2, "who saw it is kept")
			}
		})
	}
}

// TestStepNonce: an attempt with a nonce is dead when the nonce is another one, whatever the height.
func TestStepNonce(t *testing.T) {
	for _, row := range []struct {
		values [2]string
		state  settlement.State
	}{
		{[2]string{"old", "old"}, settlement.StateSigned},
		{[2]string{"new", "old"}, settlement.StateSigned},
		{[2]string{"new", ""}, settlement.StateSigned},
		{[2]string{"new", "new"}, settlement.StatePlanned},
		{[2]string{"new", "newer"}, settlement.StatePlanned},
	} {
		j := newJournal(t)
		x := settlement.Tx{ID: "s1", Raw: []byte{1}, Nonce: settlement.Nonce{Account: "n", Value: "old"}}
		apply(t, j, decided(), settlement.Signed{Batch: first, Tx: x})
		var all []*canned
		for _, v := range row.values {
			all = append(all, &canned{height: 900, results: []settlement.Result{{Sight: settlement.Dead, Nonce: v}}})
		}
		_, _ = step(t, runner(j, 2, all...), j)
		e, _ := j.Batch(first)
		require.Equal(t, row.state, e.State, "%q", row.values)
	}
}

// TestStepBackwards: an endpoint that contradicts what it has said before is not heard until it is consistent again. One that is
// merely behind is.
func TestStepBackwards(t *testing.T) {
	j := newJournal(t)
	apply(t, j, decided(), settlement.Signed{Batch: first, Tx: tx("s1")})
	a, b := &canned{height: 100, slot: 120}, &canned{height: 90, slot: 105}
	r := runner(j, 2, a, b)
	_, err := step(t, r, j)
	require.NoError(t, err)
	for _, row := range []struct {
		height, slot uint64
		want         string // in the error
	}{
		{100, 120, ""},
		{99, 121, `endpoint "a" contradicts itself: height 99 in slot 121 after height 100 in slot 120`},
		{100, 119, `endpoint "a" contradicts itself: slot 119 after slot 120`},
		{122, 122, `endpoint "a" contradicts itself: 20 slots without a block until slot 120, and 0 until slot 122`},
		{101, 121, ""},
		{101, 125, ""},
	} {
		a.height, a.slot = row.height, row.slot
		_, err := step(t, r, j)
		if row.want == "" {
			require.NoError(t, err, "%d %d", row.height, row.slot)
		} else {
			require.ErrorContains(t, err, row.want)
		}
	}
}

// TestStepOneBadBatch: trouble with one batch does not stop the others, and all of them are prepared in one call.
func TestStepOneBadBatch(t *testing.T) {
	j := newJournal(t)
	other := pay("cat", 1, "c")
	other.From = "desk"
	apply(t, j, settlement.Decided{Epoch: 7, Intents: []settlement.Intent{pay("ann", 5, "a"), other}})
	for _, bad := range []settlement.Prepared{{Err: errNet}, {}} {
		a, b := &canned{prepare: makes(bad, settlement.Prepared{Tx: tx("s1")})}, &canned{}
		if j.Open()[1].State == settlement.StateSigned {
			a.prepare = makes(bad)
		}
		_, err := step(t, runner(j, 2, a, b), j)
		require.Error(t, err)
		require.Equal(t, 1, a.prepares)
		require.Equal(t, bad.Err != nil, b.prepares == 1, "another endpoint is asked for what the first one could not make")
		require.Equal(t, [][]string{{"s1"}}, a.sent)
	}
}

// TestStepFindsTheEarlierAttempt: the second attempt has failed on the marker, because the first, called expired, landed.
func TestStepFindsTheEarlierAttempt(t *testing.T) {
	j := newJournal(t)
	apply(t, j, decided(), settlement.Signed{Batch: first, Tx: tx("s1")}, settlement.Expired{Batch: first, Tx: "s1", Witnesses: seen(151)}, settlement.Signed{Batch: first, Tx: tx("s2")})
	results := []settlement.Result{
		{Sight: settlement.Succeeded, Slot: 8}, {Sight: settlement.Reverted, Failure: settlement.Failure{Marker: true, Reason: "Custom(0)"}},
	}
	moved, err := step(t, runner(j, 2, &canned{height: 400, results: results}, &canned{height: 400, results: results}), j)
	require.NoError(t, err)
	require.True(t, moved)
	require.Equal(t, settlement.Totals{Decided: 9, Paid: 9}, j.Totals(io))
}

// TestStepFinds: what a round makes of what the endpoints know of a marker that nobody can explain.
func TestStepFinds(t *testing.T) {
	ann := settlement.Line{Kind: settlement.Pay, Asset: io, From: "vault", To: "ann", Units: 5}
	ours := settlement.Finding{Origin: settlement.Ours, Tx: "other", Slot: 20, Fee: 5000, Lines: []settlement.Line{ann}}
	twice := ours
	twice.Tx = "third"
	whole := ours
	whole.Lines = []settlement.Line{ann, ann}
	theirs := settlement.Finding{Origin: settlement.Theirs, Tx: "stranger", Slot: 20}
	unclear, never := settlement.Finding{}, settlement.Finding{Origin: settlement.Never}
	at := func(height uint64, f settlement.Finding) *canned {
		return &canned{height: height, findings: []settlement.Finding{f}}
	}
	for _, row := range []struct {
		name      string
		endpoints []*canned
		state     settlement.State
		marker    uint16
		want      string // in the error
	}{
		{"ours", []*canned{at(90, ours), at(91, ours)}, settlement.StatePaid, 0, ""},
		{"ours, says one", []*canned{at(90, ours), at(90, unclear)}, settlement.StateMarked, 0, `find marker 7/0/0 at endpoint "b": its history does not tell`},
		{"ours, says one, the other lags", []*canned{at(90, ours), at(9, never)}, settlement.StateMarked, 0, ""},
		{"ours, says one, and never, says the other", []*canned{at(90, ours), at(90, never)}, settlement.StateMarked, 0, "endpoints disagree on marker 7/0/0"},
		{"two of ours", []*canned{at(90, ours), at(90, twice)}, settlement.StateMarked, 0, `"a" says "other" in slot 20 made it, "b" says "third" in slot 20`},
		{"ours, with other lines", []*canned{at(90, ours), at(90, whole)}, settlement.StateMarked, 0, "endpoints disagree"},
		{"ours and theirs", []*canned{at(90, ours), at(90, theirs)}, settlement.StateMarked, 0, "endpoints disagree"},
		{"theirs", []*canned{at(151, theirs), at(151, theirs)}, settlement.StatePlanned, 1, ""},
		{"never", []*canned{at(151, never), at(151, never)}, settlement.StateMarked, 0, ""},
		{"lines that nobody decided", []*canned{at(90, whole), at(90, whole)}, settlement.StateMarked, 0, settlement.ErrUnexplained.Error()},
		{"half an answer", []*canned{at(90, ours), {height: 90, few: true}}, settlement.StateMarked, 0, "1 endpoints answered, want Quorum, 2"},
		{"slot as height", []*canned{at(90, ours), {height: 99, slot: 99, findings: []settlement.Finding{ours}}}, settlement.StateMarked, 0, "contradict each other"},
	} {
		t.Run(row.name, func(t *testing.T) {
			j := newJournal(t)
			apply(t, j, decided(), settlement.Signed{Batch: first, Tx: tx("s1")},
				settlement.Failed{Batch: first, Tx: "s1", Failure: settlement.Failure{Marker: true, Reason: "Custom(0)"}, Witnesses: seen(9)})
			for _, c := range row.endpoints {
				c.results = []settlement.Result{{Sight: settlement.Reverted, Failure: settlement.Failure{Marker: true, Reason: "Custom(0)"}}}
				c.prepare = makes(settlement.Prepared{Err: settlement.ErrLater})
			}
			_, err := step(t, runner(j, 2, row.endpoints...), j)
			if row.want == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, row.want)
			}
			e, _ := j.Batch(first)
			require.Equal(t, row.state, e.State)
			require.Equal(t, row.marker, e.Batch.Marker)
			if row.state == settlement.StatePaid {
				require.Equal(t, settlement.Totals{Decided: 9, Paid: 5, Refused: 4}, j.Totals(io), "what it did not carry is refused")
			}
		})
	}
}

// TestStepMarked: an attempt is dead, and its marker exists: somebody made it, and he is asked for while the batch is signed.
func TestStepMarked(t *testing.T) {
	j := newJournal(t)
	apply(t, j, decided(), settlement.Signed{Batch: first, Tx: tx("s1")})
	var all []*canned
	for range 2 {
		all = append(all, &canned{height: 151, results: []settlement.Result{{Sight: settlement.Marked}}, findings: []settlement.Finding{{
			Origin: settlement.Ours, Tx: "other", Slot: 20, Lines: j.Open()[0].Batch.Lines,
		}}})
	}
	_, err := step(t, runner(j, 2, all...), j)
	require.NoError(t, err)
	require.Equal(t, settlement.Totals{Decided: 9, Paid: 9}, j.Totals(io))
}

// TestStepUnsure: in recovery, absence is believed when enough endpoints swear to it, and after the last block.
func TestStepUnsure(t *testing.T) {
	never, unclear := settlement.Finding{Origin: settlement.Never}, settlement.Finding{}
	for _, row := range []struct {
		findings [2]settlement.Finding
		height   uint64
		state    settlement.State
		want     string // in the error
	}{
		{[2]settlement.Finding{never, never}, 151, settlement.StatePlanned, ""},
		{[2]settlement.Finding{never, never}, 150, settlement.StateUnsure, ""},
		{[2]settlement.Finding{never, unclear}, 151, settlement.StateUnsure, "its history does not tell"},
	} {
		j := newJournal(t)
		apply(t, j, settlement.Recovering{LastValid: 150}, decided())
		var all []*canned
		for _, f := range row.findings {
			all = append(all, &canned{height: row.height, findings: []settlement.Finding{f}, prepare: makes(settlement.Prepared{Err: settlement.ErrLater})})
		}
		_, err := step(t, runner(j, 2, all...), j)
		if row.want == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, row.want)
		}
		require.Equal(t, row.state, j.Open()[0].State)
	}
}

// TestStepReclaims: the second endpoint is asked only for what the first calls gone, and both have to say it.
func TestStepReclaims(t *testing.T) {
	j := newJournal(t)
	apply(t, j, decided(), settlement.Signed{Batch: first, Tx: tx("s1")}, settlement.Landed{Batch: first, Tx: "s1", Witnesses: seen(9)})
	a, b := &canned{height: 500}, &canned{height: 500}
	r := runner(j, 2, a, b)
	late := morning.Add(3600e9)
	moved, err := r.Step(t.Context(), late.Add(-1))
	require.NoError(t, err)
	require.False(t, moved)
	require.Zero(t, a.reclaims+a.looks, "nothing is due")
	for _, row := range []struct {
		a, b, moved bool
		down        error
	}{{false, true, false, nil}, {true, false, false, nil}, {true, true, false, errNet}, {true, true, true, nil}} {
		a.gone, b.gone, b.down = row.a, row.b, row.down
		moved, err := r.Step(t.Context(), late)
		if row.down != nil {
			require.EqualError(t, err, "settlement: reclaim 1 markers at endpoint 1: no route to host", "one witness is none: nothing was applied")
		} else {
			require.NoError(t, err)
		}
		require.Equal(t, row.moved, moved)
	}
	require.Equal(t, [2]int{4, 3}, [2]int{a.reclaims, b.reclaims})
	e, _ := j.Batch(first)
	require.True(t, e.Reclaimed)
	require.NoError(t, j.Audit())
}

func TestRunnerRecovers(t *testing.T) {
	for _, row := range []struct {
		name string
		last [3]uint64
		down int // so many endpoints are
		want uint64
		err  string
	}{
		{"the largest that any names", [3]uint64{250, 260, 251}, 0, 260, ""},
		{"one is not plausible", [3]uint64{250, 251, 1 << 60}, 0, 251, ""},
		{"one is in the past", [3]uint64{99, 251, 250}, 0, 251, ""},
		{"one is down", [3]uint64{0, 250, 251}, 1, 251, ""},
		{"two are down", [3]uint64{0, 0, 251}, 2, 0, "1 endpoints say how long an attempt can land, want Quorum, 2"},
	} {
		t.Run(row.name, func(t *testing.T) {
			j := newJournal(t)
			var all []*canned
			for i, last := range row.last {
				c := &canned{height: 100, lastValid: last}
				if i < row.down {
					c.down = errNet
				}
				all = append(all, c)
			}
			err := runner(j, 2, all...).Recover(t.Context(), morning, 5)
			got, on := j.Recovery()
			require.Equal(t, row.err == "", on)
			if row.err == "" {
				require.NoError(t, err)
				require.Equal(t, settlement.Recovering{LastValid: row.want, Since: 5}, got)
				return
			}
			require.ErrorContains(t, err, row.err)
		})
	}
}

func TestRunnerRefuses(t *testing.T) {
	j := newJournal(t)
	for _, quorum := range []int{-1, 0, 3} {
		r := runner(j, quorum, &canned{}, &canned{})
		_, err := r.Step(t.Context(), morning)
		require.ErrorContains(t, err, fmt.Sprintf("settlement: runner: Quorum is %d, want 1 to len(Chains), 2", quorum))
		require.Error(t, r.Recover(t.Context(), morning, 0))
	}
}

// TestStepBroken: what consensus rules out is said loudly, and nothing is signed or sent any more.
func TestStepBroken(t *testing.T) {
	j := newJournal(t)
	apply(t, j, decided(), settlement.Signed{Batch: first, Tx: tx("s1")},
		settlement.Failed{Batch: first, Tx: "s1", Failure: settlement.Failure{Marker: true, Reason: "Custom(0)"}, Witnesses: seen(9)},
		settlement.Decided{Epoch: 8, Intents: []settlement.Intent{pay("cat", 1, "c")}})
	var all []*canned
	for range 2 {
		all = append(all, &canned{height: 90, results: []settlement.Result{{Sight: settlement.Succeeded, Slot: 20}}, prepare: makes(settlement.Prepared{Tx: tx("s2")})})
	}
	_, err := step(t, runner(j, 2, all...), j)
	require.ErrorIs(t, err, settlement.ErrBroken)
	require.Zero(t, all[0].prepares)
}

// BenchmarkRunner pays 10,000 recipients through two endpoints of a chain in memory: two rounds, from the decision to paid.
func BenchmarkRunner(b *testing.B) {
	p := params()
	p.MaxLines = 58
	in := make([]settlement.Intent, 10_000)
	for i := range in {
		in[i] = pay(settlement.Account(fmt.Sprintf("supplier %d", i)), 7, fmt.Sprint(i))
	}
	b.Run("payouts=10k", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			b.StopTimer()
			m := settlement.NewMemory()
			m.Open(io, "vault", 1e9)
			for _, x := range in {
				m.Open(io, x.To, 0)
			}
			j, err := settlement.NewJournal(p)
			require.NoError(b, err)
			r := settlement.Runner{Chains: []settlement.Chain{m, m.Endpoint("second")}, Quorum: 2, Open: j.Open, Apply: j.Apply}
			b.StartTimer()
			_, err = j.Apply(morning, settlement.Decided{Epoch: 1, Intents: in})
			require.NoError(b, err)
			for range 2 {
				_, err := r.Step(b.Context(), morning)
				require.NoError(b, err)
				m.Advance(40)
			}
			require.Equal(b, settlement.Totals{Decided: 70_000, Paid: 70_000}, j.Totals(io))
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10_000, "ns/payout")
	})
}

// TestStepTurns: an endpoint whose attempts expire, because nobody else knows its blockhash, is not asked for ever.
func TestStepTurns(t *testing.T) {
	j := newJournal(t)
	apply(t, j, decided(), settlement.Signed{Batch: first, Tx: tx("s1")})
	dead := settlement.Result{Sight: settlement.Dead}
	a := &canned{height: 151, results: []settlement.Result{dead}, prepare: makes(settlement.Prepared{Tx: tx("s2")})}
	b := &canned{height: 151, results: []settlement.Result{dead}, prepare: makes(settlement.Prepared{Tx: tx("s3")})}
	_, err := step(t, runner(j, 2, a, b), j)
	require.NoError(t, err)
	require.Zero(t, a.prepares)
	require.Equal(t, 1, b.prepares)
	require.Equal(t, [][]string{{"s3"}}, a.sent)
}
