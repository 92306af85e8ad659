package settlement_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
)

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

// TestNothingIsSentThatIsNotDurable: a store that fails when the second of two attempts is recorded.
func TestNothingIsSentThatIsNotDurable(t *testing.T) {
	s := &brittle{n: 3}
	r, err := settlement.NewRecorder(params(), s)
	require.NoError(t, err)
	other := pay("cat", 1, "c")
	other.From = "desk"
	_, err = r.Apply(morning, settlement.Decided{Epoch: 7, Intents: []settlement.Intent{pay("ann", 5, "a"), other}})
	require.NoError(t, err)
	c := &canned{prepare: makes(settlement.Prepared{Tx: tx("s1")}, settlement.Prepared{Tx: tx("s2")})}
	run := settlement.Runner{Chains: []settlement.Chain{c}, Quorum: 1, Open: r.Journal().Open, Apply: r.Apply}
	moved, err := run.Step(t.Context(), morning)
	require.ErrorIs(t, err, errNet)
	require.True(t, moved, "the first one is recorded")
	require.Empty(t, c.sent)
	s.n = 100
	_, err = r.Apply(morning, settlement.Resumed{})
	require.ErrorIs(t, err, errNet, "the recorder stays broken")
	again, err := settlement.NewRecorder(params(), s)
	require.NoError(t, err)
	require.Equal(t, settlement.StateSigned, again.Journal().Open()[0].State, "the next process starts from what is durable")
	require.Equal(t, settlement.StatePlanned, again.Journal().Open()[1].State)
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
