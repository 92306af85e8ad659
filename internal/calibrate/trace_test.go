package calibrate_test

import (
	"bytes"
	"compress/gzip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/calibrate"
)

const (
	intervals = "node,up_from_snapshot,up_until_snapshot_exclusive\n7,3,4\n7,0,2\n5,1,5\n"
	snapshots = "snapshot,unix_time,nodes_up\n0,1000,1\n1,4600,2\n2,8200,1\n3,11800,2\n4,15400,1\n"
)

func zipped(t *testing.T, text string) *bytes.Buffer {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return &b
}

// A trace is the same plain and packed, and in whatever order its rows stand.
func TestReadTrace(t *testing.T) {
	plain, err := calibrate.ReadTrace(strings.NewReader(intervals), strings.NewReader(snapshots))
	require.NoError(t, err)
	require.Equal(t, []int64{1000, 4600, 8200, 11800, 15400}, plain.Times)
	require.Equal(t, []calibrate.Node{
		{ID: 5, Up: []calibrate.Interval{{From: 1, Until: 5}}},
		{ID: 7, Up: []calibrate.Interval{{From: 0, Until: 2}, {From: 3, Until: 4}}},
	}, plain.Nodes)
	packed, err := calibrate.ReadTrace(zipped(t, intervals), zipped(t, snapshots))
	require.NoError(t, err)
	require.Equal(t, plain, packed)
}

func TestReadTraceRefuses(t *testing.T) {
	for _, c := range []struct{ name, intervals, snapshots, says string }{
		{"nothing", "", snapshots, "intervals: empty"},
		{"other columns", "a,b,c\n", snapshots, `want the columns ["node"`},
		{"too few columns", "node\n1\n", snapshots, "line 1"},
		{"a word", intervals + "x,1,2\n", snapshots, `line 5: calibrate: invalid: node is "x"`},
		{"less than nothing", intervals + "8,-1,2\n", snapshots, `is "-1", not a whole number`},
		{"an empty interval", intervals + "8,2,2\n", snapshots, "up from 2 until 2"},
		{"beyond the record", intervals + "8,2,6\n", snapshots, "until 6, of 5 snapshots"},
		{"intervals that touch", intervals + "7,2,3\n", snapshots, "node 7: interval 2 to 3 after 2"},
		{"intervals that overlap", intervals + "5,2,3\n", snapshots, "node 5: interval 2 to 3 after 5"},
		{"a snapshot left out", intervals, snapshots + "6,16000,1\n", "snapshot 6 at 16000, want number 5"},
		{"time that stands still", intervals, snapshots + "5,15400,1\n", "snapshot 5 is not after"},
		{"a time beyond 2106", intervals, snapshots + "5,4294967296,1\n", "before 2106"},
		{"a torn row", intervals + "8,\"2\n", snapshots, "intervals:"},
		{"gzip that is none", "\x1f\x8bxxxxxxxxxxxx", snapshots, "intervals:"},
	} {
		_, err := calibrate.ReadTrace(strings.NewReader(c.intervals), strings.NewReader(c.snapshots))
		require.ErrorContains(t, err, c.says, c.name)
	}
	_, err := calibrate.NewTrace([]int64{1, 2}, []calibrate.Node{{ID: 1}})
	require.ErrorIs(t, err, calibrate.ErrInvalid)
	up := []calibrate.Interval{{From: 0, Until: 1}}
	_, err = calibrate.NewTrace([]int64{1, 2}, []calibrate.Node{{ID: 1, Up: up}, {ID: 1, Up: up}})
	require.ErrorContains(t, err, "there twice")
}

// Cut forgets what came later, nodes included.
func TestCut(t *testing.T) {
	whole, err := calibrate.ReadTrace(strings.NewReader(intervals+"9,4,5\n"), strings.NewReader(snapshots))
	require.NoError(t, err)
	cut := whole.Cut(3)
	require.Len(t, cut.Times, 3)
	require.Equal(t, []calibrate.Node{
		{ID: 5, Up: []calibrate.Interval{{From: 1, Until: 3}}},
		{ID: 7, Up: []calibrate.Interval{{From: 0, Until: 2}}},
	}, cut.Nodes)
	require.Equal(t, 5, whole.Nodes[0].Up[0].Until)
}

// FuzzReadTrace: no input makes the readers panic, and what they accept holds together.
func FuzzReadTrace(f *testing.F) {
	f.Add(intervals, snapshots)
	f.Add("node,up_from_snapshot,up_until_snapshot_exclusive\n\"1\",0,1\n", snapshots)
	f.Add("\x1f\x8b", "\x1f\x8b\x08")
	f.Fuzz(func(t *testing.T, a, b string) {
		trace, err := calibrate.ReadTrace(strings.NewReader(a), strings.NewReader(b))
		if err != nil {
			return
		}
		for i, n := range trace.Nodes {
			require.True(t, i == 0 || n.ID > trace.Nodes[i-1].ID)
			last := -1
			for _, v := range n.Up {
				require.Greater(t, v.From, last)
				require.Greater(t, v.Until, v.From)
				last = v.Until
			}
			require.LessOrEqual(t, last, len(trace.Times))
		}
	})
}
