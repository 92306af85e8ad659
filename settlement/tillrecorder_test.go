package settlement_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
)

// openShop records an open bill, a payment of it, and how far the feed is.
func openShop(t testing.TB, s settlement.Store) *settlement.TillRecorder {
	t.Helper()
	r, err := settlement.NewTillRecorder(tillParams(), s)
	require.NoError(t, err)
	for _, e := range []settlement.TillEvent{settlement.BillOpened{Bill: bill("a")}, settlement.InflowSeen{Inflow: inflow("s1", 20, "a")}} {
		_, err = r.Apply(noon, e)
		require.NoError(t, err)
	}
	require.NoError(t, r.SetBookmark([]byte("page 1")))
	return r
}

func TestTillRecorder(t *testing.T) {
	store := &notes{}
	r := openShop(t, store)
	require.Len(t, store.records, 3)
	other := inflow("s1", 21, "a")
	_, err := r.Apply(noon, settlement.InflowSeen{Inflow: other})
	require.ErrorIs(t, err, settlement.ErrConflict)
	require.Len(t, store.records, 3, "what is refused is not recorded")
	r.Bookmark()[0] = 'X'
	require.ErrorContains(t, r.SetBookmark(make([]byte, 1<<20+1)), "bookmark has 1048577 bytes, want at most 1048576")

	again, err := settlement.NewTillRecorder(tillParams(), store)
	require.NoError(t, err)
	require.Equal(t, r.Till().Digest(), again.Till().Digest())
	require.Equal(t, "page 1", string(again.Bookmark()))
	effects, err := again.Apply(noon, settlement.InflowSeen{Inflow: inflow("s1", 20, "a")})
	require.NoError(t, err)
	require.Empty(t, effects, "told again by a feed that was behind: nothing follows")
	fresh, err := settlement.NewTillRecorder(tillParams(), &notes{})
	require.NoError(t, err)
	require.Nil(t, fresh.Bookmark())
}

// TestTillRecorderOfABrokenStore: no effect and no bookmark is told that is not durable, and nothing is accepted after it.
func TestTillRecorderOfABrokenStore(t *testing.T) {
	for n, what := range map[int]string{4: "append settlement.InflowSeen", 5: "append bookmark"} {
		store := &brittle{n: n}
		r := openShop(t, store)
		effects, err := r.Apply(noon, settlement.InflowSeen{Inflow: inflow("s2", 5, "a")})
		if n == 4 {
			require.ErrorIs(t, err, errNet)
			require.Empty(t, effects)
		}
		err = r.SetBookmark([]byte("page 2"))
		require.ErrorIs(t, err, errNet)
		require.ErrorContains(t, err, what)
		require.Equal(t, "page 1", string(r.Bookmark()))
		store.n = 100
		_, err = r.Apply(noon, settlement.SeenThrough{Time: noon})
		require.ErrorIs(t, err, errNet, "it stays broken")
		again, err := settlement.NewTillRecorder(tillParams(), store)
		require.NoError(t, err)
		require.EqualValues(t, 20+5*(n-4), again.Till().Totals(dollars).In)
		require.Equal(t, "page 1", string(again.Bookmark()))
	}
}

func TestTillRecorderRefusesRecords(t *testing.T) {
	store := &notes{}
	openShop(t, store)
	for i, record := range store.records {
		for n := range record {
			_, err := settlement.NewTillRecorder(tillParams(), &notes{append(store.records[:i:i], record[:n])})
			require.ErrorContains(t, err, fmt.Sprintf("settlement: replay: record %d", i))
		}
	}
	_, err := settlement.NewTillRecorder(tillParams(), &notes{store.records[1:]})
	require.ErrorIs(t, err, settlement.ErrRecord, "each record is linked to those before it")
	_, err = settlement.NewTillRecorder(settlement.TillParams{}, store)
	require.Error(t, err)
	journal := &notes{}
	_, err = settlement.NewRecorder(params(), journal)
	require.NoError(t, err)
	_, err = settlement.NewRecorder(params(), store)
	require.ErrorContains(t, err, "record 0", "each machine has a store of its own")
}
