package reputation

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Every invariant that Audit names is found broken when it is.
func TestAuditFinds(t *testing.T) {
	for want, spoil := range map[string]func(b *Book, r *record){
		"2 names, 1 records":                 func(b *Book, _ *record) { b.records = b.records[:1] },
		"2 names, 2 records, 1 in the index": func(b *Book, _ *record) { delete(b.index, "x") },
		`subject "x" found at 1, is at 0`:    func(b *Book, _ *record) { b.index["x"] = 1 },
		"subject 0 has 0 bytes":              func(b *Book, _ *record) { b.names[0], b.index[""] = "", 0; delete(b.index, "x") },
		"not empty, though never observed":   func(b *Book, _ *record) { b.records[1].up = true },
		"settled 3600":                       func(_ *Book, r *record) { r.born = r.asOf + 1 },
		"settled 9999":                       func(_ *Book, r *record) { r.asOf = 9999 },
		"seen 7201":                          func(_ *Book, r *record) { r.seen = 7201 },
		"3601 s unobserved of 3600":          func(_ *Book, r *record) { r.gaps = 3601 },
		"memory 0: 4294967297/2^32 outages":  func(_ *Book, r *record) { r.e[0] = unit + 1 },
		"memory 2: 1/2^32 outages of 0":      func(_ *Book, r *record) { r.outages, r.e = 0, [3]uint64{0, 0, 1} },
		"memory 1: 15466177232896/2^32 s":    func(_ *Book, r *record) { r.u[1] = 3601 * unit },
		"memory 0: 18446744073709551615":     func(_ *Book, r *record) { r.u[0] = one },
	} {
		b, err := NewBook(Default())
		require.NoError(t, err)
		for at, e := range []Event{
			Joined{Subject: "x"}, Joined{Subject: "y"}, Seen{"x", true}, Seen{"x", false}, Seen{"x", false},
		} {
			_, err := b.Apply(time.Unix(int64(max(at-2, 0))*3600, 0), e)
			require.NoError(t, err)
		}
		b.records[0].u[1] = 3600 * unit // as much as the hour allows
		require.NoError(t, b.Audit())
		spoil(b, &b.records[0])
		require.ErrorContains(t, b.Audit(), want)
	}
	p := Default()
	p.Memories = p.Memories[:2]
	b, err := NewBook(p)
	require.NoError(t, err)
	_, err = b.Apply(time.Unix(0, 0), Joined{Subject: "x"})
	require.NoError(t, err)
	b.records[0] = record{known: true, u: [3]uint64{2: 1}}
	require.ErrorContains(t, b.Audit(), "memory 2 is not in use")
}

// The counters stop at their ends instead of wrapping.
func TestCountersStop(t *testing.T) {
	tab := newTables()
	c := newClock(tab, Default())
	r := record{known: true, up: true, outages: ^uint32(0), e: [3]uint64{maxEvents, maxEvents, maxEvents}}
	require.True(t, r.observe(tab, &c, 0, false))
	require.Equal(t, ^uint32(0), r.outages)
	require.Equal(t, uint64(maxEvents), r.e[0])
	require.Equal(t, uint32(1_000_000), ppm(r.outage(tab, &c, 1)))
	best, worst := r.rates(tab, &c)
	low, high := tab.hazard(best, 1), tab.hazard(worst, 1)
	require.Equal(t, []uint64{one, one}, []uint64{low, high})
}
