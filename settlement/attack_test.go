package settlement_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
)

// staff are seven payments of one unit each.
func staff() []settlement.Intent {
	var out []settlement.Intent
	for i := range 7 {
		out = append(out, pay(settlement.Account(fmt.Sprint("worker ", i)), 1, fmt.Sprint(i)))
	}
	return out
}

// office is a chain in memory with an account for each of the staff.
func office(t testing.TB) *settlement.Memory {
	t.Helper()
	m := settlement.NewMemory()
	m.Open(io, "vault", 1000)
	for _, x := range staff() {
		m.Open(io, x.To, 0)
	}
	return m
}

// work steps a recorder's journal over two endpoints until nothing moves any more.
func work(t testing.TB, r *settlement.Recorder, m *settlement.Memory) {
	t.Helper()
	j := r.Journal()
	run := settlement.Runner{
		Chains: []settlement.Chain{m, m.Endpoint("second")}, Quorum: 2, Open: j.Open, Apply: r.Apply, Probes: j.Probes, Reclaimable: j.Reclaimable,
	}
	for range 8 {
		_, err := run.Step(t.Context(), morning)
		require.NoError(t, err)
		m.Advance(40)
	}
	require.NoError(t, j.Audit())
}

// once requires that each of the staff has one unit.
func once(t testing.TB, m *settlement.Memory) {
	t.Helper()
	for _, x := range staff() {
		units, ok := m.Balance(io, x.To)
		require.True(t, ok)
		require.EqualValues(t, 1, units, "%s", x.To)
	}
}

// TestAttackOtherParams: a restart with smaller batches cuts the same decision into other batches. What the records then say
// of batch 0/0 is about other lines, and the batches that are new would pay some of them a second time.
func TestAttackOtherParams(t *testing.T) {
	m, s := office(t), &notes{}
	r, err := settlement.NewRecorder(params(), s)
	require.NoError(t, err)
	_, err = r.Apply(morning, settlement.Decided{Epoch: 7, Intents: staff()})
	require.NoError(t, err)
	work(t, r, m)
	once(t, m)
	for name, change := range map[string]func(*settlement.Params){
		"MaxLines":            func(p *settlement.Params) { p.MaxLines = 2 },
		"Quorum":              func(p *settlement.Params) { p.Quorum = 1 },
		"ReclaimAfterSeconds": func(p *settlement.Params) { p.ReclaimAfterSeconds = 1 },
		"Limits":              func(p *settlement.Params) { p.Limits = []settlement.Limit{{Mint: io.Mint, MinPay: 5}} },
		"Version":             func(p *settlement.Params) { p.Version = "next" },
	} {
		p := params()
		change(&p)
		again, err := settlement.NewRecorder(p, s)
		if err == nil {
			work(t, again, m)
			once(t, m) // before records were linked, worker 6 was paid twice
		}
		require.ErrorIs(t, err, settlement.ErrRecord, "%s", name)
	}
	again, err := settlement.NewRecorder(params(), s)
	require.NoError(t, err)
	require.Equal(t, r.Journal().Digest(), again.Journal().Digest())
	work(t, again, m)
	once(t, m)
}

// TestAttackRecords: no record of a journal may be missing before its end, stand twice, stand elsewhere or come from another one.
func TestAttackRecords(t *testing.T) {
	keep := func(cause string) [][]byte {
		s := &notes{}
		r, err := settlement.NewRecorder(params(), s)
		require.NoError(t, err)
		for i := range 4 {
			in := pay("ann", 1, fmt.Sprint(cause, i))
			_, err = r.Apply(morning, settlement.Decided{Epoch: 7, Intents: []settlement.Intent{in}})
			require.NoError(t, err)
		}
		return s.records
	}
	ours, theirs := keep("ours"), keep("theirs")
	for name, records := range map[string][][]byte{
		"missing":   {ours[0], ours[2], ours[3]},
		"beheaded":  ours[1:],
		"twice":     {ours[0], ours[1], ours[1], ours[2]},
		"reordered": {ours[0], ours[2], ours[1]},
		"foreign":   {ours[0], theirs[1]},
		"inserted":  {ours[0], theirs[0], ours[1]},
	} {
		_, err := settlement.NewRecorder(params(), &notes{records})
		require.ErrorIs(t, err, settlement.ErrRecord, "%s", name)
	}
	for n := range ours {
		_, err := settlement.NewRecorder(params(), &notes{ours[:n]})
		require.NoError(t, err, "a lost end is what Recover is for")
	}
}

// cut cancels a context at the n-th call of a chain.
type cut struct {
	*settlement.Memory
	n      int
	cancel context.CancelFunc
}

func (c *cut) tick(ctx context.Context) error {
	if c.n--; c.n == 0 {
		c.cancel()
	}
	return ctx.Err()
}

func (c *cut) Prepare(ctx context.Context, b []settlement.Batch) ([]settlement.Prepared, error) {
	if err := c.tick(ctx); err != nil {
		return nil, err
	}
	return c.Memory.Prepare(ctx, b)
}

func (c *cut) Send(ctx context.Context, txs []settlement.Tx) error {
	if err := c.tick(ctx); err != nil {
		return err
	}
	return c.Memory.Send(ctx, txs)
}

func (c *cut) Look(ctx context.Context, a []settlement.Attempt) (settlement.Sighting, error) {
	if err := c.tick(ctx); err != nil {
		return settlement.Sighting{}, err
	}
	return c.Memory.Look(ctx, a)
}

// TestAttackCancel cancels the context at every call that a payment makes, and starts again from the records each time.
func TestAttackCancel(t *testing.T) {
	for n := range 12 {
		m, s := office(t), &notes{}
		r, err := settlement.NewRecorder(params(), s)
		require.NoError(t, err)
		_, err = r.Apply(morning, settlement.Decided{Epoch: 7, Intents: staff()})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		c := &cut{m, n + 1, cancel}
		run := settlement.Runner{Chains: []settlement.Chain{c, m.Endpoint("second")}, Quorum: 2, Open: r.Journal().Open, Apply: r.Apply}
		for range 5 {
			_, err = run.Step(ctx, morning)
			require.True(t, err == nil || errors.Is(err, context.Canceled), "%v", err)
			m.Advance(40)
		}
		cancel()
		again, err := settlement.NewRecorder(params(), s)
		require.NoError(t, err)
		work(t, again, m)
		once(t, m)
	}
}

// TestAttackTwoRunners lets two runners take turns on one recorder, and a third one with a journal of its own that was given
// the same decision: consensus keeps them apart.
func TestAttackTwoRunners(t *testing.T) {
	m := office(t)
	var all []*settlement.Recorder
	for range 2 {
		r, err := settlement.NewRecorder(params(), &notes{})
		require.NoError(t, err)
		_, err = r.Apply(morning, settlement.Decided{Epoch: 7, Intents: staff()})
		require.NoError(t, err)
		all = append(all, r)
	}
	for range 6 {
		for _, r := range []*settlement.Recorder{all[0], all[0], all[1]} {
			j := r.Journal()
			run := settlement.Runner{Chains: []settlement.Chain{m, m.Endpoint("second")}, Quorum: 2, Open: j.Open, Apply: r.Apply, Probes: j.Probes}
			_, err := run.Step(t.Context(), morning)
			require.NoError(t, err)
		}
		m.Advance(40)
	}
	once(t, m)
	for _, r := range all {
		require.NoError(t, r.Journal().Audit())
		require.Equal(t, settlement.Totals{Decided: 7, Paid: 7}, r.Journal().Totals(io))
	}
}

// TestAttackClock sets the clock back by a day between two rounds, as a time server may: payments go on, stamped with the
// latest time that the journal knows.
func TestAttackClock(t *testing.T) {
	m := office(t)
	r, err := settlement.NewRecorder(params(), &notes{})
	require.NoError(t, err)
	_, err = r.Apply(morning, settlement.Decided{Epoch: 7, Intents: staff()})
	require.NoError(t, err)
	run := settlement.Runner{Chains: []settlement.Chain{m, m.Endpoint("second")}, Quorum: 2, Open: r.Journal().Open, Apply: r.Apply}
	for range 4 {
		_, err := run.Step(t.Context(), morning.Add(-24*time.Hour))
		require.NoError(t, err)
		m.Advance(40)
	}
	once(t, m)
}

// TestAttackOneLiar lets one endpoint of three claim, in turn, that attempts have landed, failed or died, and that markers were
// made by strangers. Nothing of it may reach the journal.
func TestAttackOneLiar(t *testing.T) {
	lies := []settlement.Result{
		{Sight: settlement.Succeeded, Slot: 20},
		{Sight: settlement.Reverted, Slot: 20, Failure: settlement.Failure{Reason: "no"}},
		{Sight: settlement.Reverted, Slot: 20, Failure: settlement.Failure{Reason: "no", Marker: true}},
		{Sight: settlement.Dead},
		{Sight: settlement.Marked},
	}
	for _, lie := range lies {
		for _, height := range []uint64{0, 90, 151, 1 << 40, ^uint64(0) - 9} {
			j := newJournal(t)
			apply(t, j, settlement.Decided{Epoch: 7, Intents: staff()[:1]})
			var all []*canned
			for range 2 {
				all = append(all, &canned{height: 90, results: []settlement.Result{{Sight: settlement.Missing}}})
			}
			liar := &canned{
				height: height, results: []settlement.Result{lie, lie},
				findings: []settlement.Finding{{Origin: settlement.Theirs, Tx: "mallory's", Slot: 20}},
			}
			all = append(all, liar)
			all[0].prepare = makes(settlement.Prepared{Tx: tx("s1")})
			r := runner(j, 2, all...)
			for range 3 {
				_, _ = step(t, r, j)
			}
			got, ok := j.Batch(settlement.BatchID{Epoch: 7})
			require.True(t, ok)
			require.Equal(t, settlement.StateSigned, got.State)
			require.Len(t, got.Attempts, 1)
			require.Equal(t, settlement.Totals{Decided: 1, Open: 1}, j.Totals(io))
			require.False(t, slices.ContainsFunc(j.Open(), func(e settlement.Entry) bool { return e.Batch.Marker > 0 }))
		}
	}
}

// TestAttackRefusals: one endpoint says, of recipients that can be paid, that they cannot. Only what two endpoints say of a line
// refuses it; an endpoint that can pay them all is believed, since the chain judges its attempt.
func TestAttackRefusals(t *testing.T) {
	refuses := func(lines ...int) func([]settlement.Batch) ([]settlement.Prepared, error) {
		e := &settlement.LineError{}
		for _, n := range lines {
			e.Faults = append(e.Faults, settlement.Fault{Line: n, Reason: "no account"})
		}
		return makes(settlement.Prepared{Err: e})
	}
	type says = []func([]settlement.Batch) ([]settlement.Prepared, error)
	signs := makes(settlement.Prepared{Tx: tx("s1")})
	for name, row := range map[string]struct {
		says  says
		state settlement.State
		gone  uint64 // units refused
		want  string // in the error
	}{
		"liar first":      {says{refuses(0, 1, 2), signs, signs}, settlement.StateSigned, 0, ""},
		"liar second":     {says{signs, refuses(0, 1, 2), signs}, settlement.StateSigned, 0, ""},
		"one too many":    {says{refuses(0, 1), refuses(1), refuses(1)}, settlement.StatePlanned, 1, ""},
		"different lines": {says{refuses(0), refuses(1), refuses(1)}, settlement.StatePlanned, 0, "endpoints refuse different lines"},
		"the others down": {says{refuses(0), nil, nil}, settlement.StatePlanned, 0, "want Quorum, 2"},
		"one down":        {says{refuses(0), nil, refuses(0)}, settlement.StatePlanned, 1, "no route"},
		"no opinion":      {says{refuses(0), makes(settlement.Prepared{Err: errNet}), refuses(0)}, settlement.StatePlanned, 1, ""},
		"later":           {says{refuses(0), makes(settlement.Prepared{Err: settlement.ErrLater}), refuses(0)}, settlement.StatePlanned, 0, "1 endpoints refuse lines"},
		"half an answer":  {says{refuses(0), makes(), refuses(0)}, settlement.StatePlanned, 1, "0 answers"},
	} {
		t.Run(name, func(t *testing.T) {
			j := newJournal(t)
			apply(t, j, settlement.Decided{Epoch: 7, Intents: staff()[:3]})
			var all []*canned
			for _, p := range row.says {
				all = append(all, &canned{prepare: p})
			}
			_, err := step(t, runner(j, 2, all...), j)
			if row.want == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, row.want)
			}
			got, _ := j.Batch(settlement.BatchID{Epoch: 7})
			require.Equal(t, row.state, got.State)
			require.Equal(t, row.gone, j.Totals(io).Refused)
		})
	}
}

// TestAttackRecovery: the wait of a recovery ends with the last block that any endpoint names. One that is far ahead of a quorum
// would make it last for ever, and what a journal has once recorded of it cannot be taken back.
func TestAttackRecovery(t *testing.T) {
	for _, height := range []uint64{4000, 1 << 40, ^uint64(0) - 5000} {
		j := newJournal(t)
		var all []*canned
		for range 2 {
			all = append(all, &canned{height: 90, lastValid: 240})
		}
		all = append(all, &canned{height: height, lastValid: height + 150})
		r := runner(j, 2, all...)
		require.NoError(t, r.Recover(t.Context(), morning, 0))
		apply(t, j, settlement.Decided{Epoch: 7, Intents: staff()[:1]})
		all[0].prepare = makes(settlement.Prepared{Tx: tx("s1")})
		for i := range all {
			all[i].height = max(all[i].height, 241)
		}
		for range 3 {
			_, _ = step(t, r, j)
		}
		_, err := j.Apply(morning, settlement.Recovering{})
		require.NoError(t, err, "height %d", height)
		got, _ := j.Batch(settlement.BatchID{Epoch: 7})
		require.Equal(t, settlement.StateSigned, got.State)
	}
}
