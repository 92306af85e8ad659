package gpu_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
)

func migNames(t testing.TB, names ...string) []gpu.MIGName {
	t.Helper()
	var out []gpu.MIGName
	for _, s := range names {
		n, err := gpu.ParseMIGName(s)
		require.NoError(t, err)
		out = append(out, n)
	}
	return out
}

func TestParseMIGName(t *testing.T) {
	for s, want := range map[string]gpu.MIGName{
		"1g.5gb":         {Slices: 1, GB: 5},
		"1g.10gb+me":     {Slices: 1, GB: 10, Media: "+me"},
		"1g.24gb+me.all": {Slices: 1, GB: 24, Media: "+me.all"},
		"1g.24gb+gfx":    {Slices: 1, GB: 24, Media: "+gfx"},
		"2g.48gb-me":     {Slices: 2, GB: 48, Media: "-me"},
		"7g.141gb":       {Slices: 7, GB: 141},
		"1c.3g.20gb":     {Compute: 1, Slices: 3, GB: 20},
		"6c.7g.80gb":     {Compute: 6, Slices: 7, GB: 80},
	} {
		got, err := gpu.ParseMIGName(s)
		require.NoError(t, err, s)
		require.Equal(t, want, got)
		require.Equal(t, s, got.String())
	}
	for _, s := range []string{
		"", "1g", "5gb", "g.gb", "0g.5gb", "8g.5gb", "1g.0gb", "01g.5gb", "1g.05gb", "+1g.5gb", "1g.+5gb", "-1g.5gb", "1g.5gb+", "1g.5gb+xy",
		"1g.5gb+me,gfx", "MIG 1g.5gb", "1g.5GB", "1g.5gb ", "3c.3g.20gb", "4c.3g.20gb", "0c.3g.20gb", "1c.1c.3g.20gb", "1g.65536gb", "1.5gb",
		"1g..5gb", "65536c.7g.80gb",
	} {
		_, err := gpu.ParseMIGName(s)
		require.ErrorIs(t, err, gpu.ErrInvalid, s)
	}
}

// The guide's table of H100, and what nvidia-smi mig -lgipp prints.
func TestMIGTable(t *testing.T) {
	table, ok := gpu.NewMIGTable("NVIDIA H100 80GB HBM3")
	require.True(t, ok)
	var got []string
	for _, r := range table.Rows() {
		got = append(got, fmt.Sprintf("%v x%d %v:%d", r.Name, r.Most, r.Starts, r.MemorySlices))
	}
	require.Equal(t, []string{
		"1g.10gb x7 [0 1 2 3 4 5 6]:1", "1g.10gb+me x1 [0 1 2 3 4 5 6]:1", "1g.20gb x4 [0 2 4 6]:2", "2g.20gb x3 [0 2 4]:2",
		"3g.40gb x2 [0 4]:4", "4g.40gb x1 [0]:4", "7g.80gb x1 [0]:8",
	}, got)
	table.Rows()[0].Starts[0] = 9
	require.Equal(t, uint8(0), table.Rows()[0].Starts[0], "the caller's copy")
	for _, model := range []string{"NVIDIA L40S", "NVIDIA GeForce RTX 4090", "H100", ""} {
		_, ok := gpu.NewMIGTable(model)
		require.False(t, ok, model)
	}
}

// Each table is right by itself: names are read, Most is how many fit, starts are multiples of the size, and the compute slices
// of any layout are at most 7, so that the placement of memory is the whole rule.
func TestMIGTablesHoldTogether(t *testing.T) {
	tables := 0
	for spec := range catalog(t).All() {
		table, ok := gpu.NewMIGTable(spec.Name)
		if !ok {
			continue
		}
		tables++
		slices8 := 8
		if spec.Name == "NVIDIA A30" {
			slices8 = 4
		}
		for _, r := range table.Rows() {
			n, err := gpu.ParseMIGName(r.Name.String())
			require.NoError(t, err)
			require.Equal(t, r.Name, n)
			require.Equal(t, int(r.Most), table.Room(nil, n), "%s %v", spec.Name, n)
			require.Equal(t, int(r.Most), table.RoomAtBest(nil, n), "%s %v", spec.Name, n)
			for _, s := range r.Starts {
				require.Zero(t, s%r.MemorySlices)
				require.LessOrEqual(t, int(s+r.MemorySlices), slices8)
			}
			nominal := int(spec.NominalGB[0])
			require.InDelta(t, nominal*int(r.MemorySlices)/slices8, int(n.GB), 1, "%s %v: a share of the %d GB", spec.Name, n, nominal)
		}
		for layout := range layouts(table.Rows()) {
			compute := 0
			for _, p := range layout {
				compute += int(p.Name.Slices)
			}
			require.LessOrEqual(t, compute, 7)
		}
	}
	require.Equal(t, 16, tables)
}

// layouts is the oracle: every set of places that do not overlap, with at most one of the media instances, built one place at
// a time without looking at masks.
func layouts(rows []gpu.MIGRow) func(func([]gpu.MIGPlace) bool) {
	return func(yield func([]gpu.MIGPlace) bool) {
		var walk func(slot uint8, taken []gpu.MIGPlace, media bool) bool
		walk = func(slot uint8, taken []gpu.MIGPlace, media bool) bool {
			if slot == 8 {
				return yield(taken)
			}
			if !walk(slot+1, taken, media) { // nothing begins here
				return false
			}
			for _, r := range rows {
				isMedia := r.Name.Media != ""
				if !slices.Contains(r.Starts, slot) || isMedia && media {
					continue
				}
				if !walk(slot+r.MemorySlices, append(slices.Clone(taken), gpu.MIGPlace{Name: r.Name, Start: slot}), media || isMedia) {
					return false
				}
			}
			return true
		}
		walk(0, nil, false)
	}
}

func countNames(places []gpu.MIGPlace) map[gpu.MIGName]int {
	count := map[gpu.MIGName]int{}
	for _, p := range places {
		count[p.Name]++
	}
	return count
}

// Every multiset of up to 4 names, and random larger ones: Layout finds a layout exactly if the oracle has one, and RoomAtBest
// counts as it does.
func TestLayoutAgainstOracle(t *testing.T) {
	for _, model := range []string{"NVIDIA H100 80GB HBM3", "NVIDIA A30"} {
		table, _ := gpu.NewMIGTable(model)
		rows := table.Rows()
		possible := map[string]bool{}
		key := func(count map[gpu.MIGName]int) string {
			s := ""
			for _, r := range rows {
				s += fmt.Sprint(count[r.Name], " ")
			}
			return s
		}
		var all [][]gpu.MIGPlace
		for l := range layouts(rows) {
			possible[key(countNames(l))] = true
			all = append(all, l)
		}
		random := rand.New(rand.NewPCG(1, 2))
		feasible := 0
		for range 4_000 {
			names := make([]gpu.MIGName, random.IntN(8))
			count := map[gpu.MIGName]int{}
			for i := range names {
				names[i] = rows[random.IntN(len(rows))].Name
				if random.IntN(2) == 0 {
					names[i] = rows[0].Name
				}
				count[names[i]]++
			}
			places, err := table.Layout(names...)
			require.Equal(t, possible[key(count)], err == nil, "%v", names)
			extra := rows[random.IntN(len(rows))].Name
			want := -1
			for k := 0; k <= 8 && possible[key(count)]; k++ {
				want = k
				count[extra]++
			}
			require.Equal(t, want, table.RoomAtBest(names, extra), "%v and %v", names, extra)
			if err != nil {
				require.ErrorIs(t, err, gpu.ErrInvalid)
				continue
			}
			feasible++
			for i := range places {
				require.Equal(t, names[i], places[i].Name)
			}
			require.True(t, free(rows, places), "%v", places)
		}
		require.Greater(t, feasible, 500)
		for _, l := range all { // Room counts what can still be added where things are
			for _, r := range rows {
				n, now := 0, slices.Clone(l)
				for _, s := range r.Starts {
					if try := append(slices.Clone(now), gpu.MIGPlace{Name: r.Name, Start: s}); free(rows, try) {
						n, now = n+1, try
					}
				}
				require.Equal(t, n, table.Room(l, r.Name), "%v beside %v", r.Name, l)
			}
		}
	}
}

// free reports whether places are allowed and no two overlap, slice by slice.
func free(rows []gpu.MIGRow, places []gpu.MIGPlace) bool {
	var owner [8]bool
	media := 0
	for _, p := range places {
		r := rows[slices.IndexFunc(rows, func(r gpu.MIGRow) bool { return r.Name == p.Name })]
		if !slices.Contains(r.Starts, p.Start) {
			return false
		}
		if p.Name.Media != "" {
			media++
		}
		for s := range r.MemorySlices {
			if owner[p.Start+s] {
				return false
			}
			owner[p.Start+s] = true
		}
	}
	return media <= 1
}

func TestLayoutCases(t *testing.T) {
	table, _ := gpu.NewMIGTable("NVIDIA A100-SXM4-40GB")
	for _, c := range []struct {
		names []string
		want  string // starts; empty: impossible
	}{
		{nil, "[]"},
		{[]string{"3g.20gb", "2g.10gb", "1g.5gb", "1g.5gb"}, "[4 0 2 3]"}, // slice 7 begins nothing
		{[]string{"2g.10gb", "1g.5gb", "1g.5gb", "3g.20gb"}, "[0 2 3 4]"},
		{[]string{"4g.20gb", "3g.20gb"}, "[0 4]"},
		{[]string{"3g.20gb", "4g.20gb"}, "[4 0]"},
		{[]string{"4g.20gb", "4g.20gb"}, ""},
		{[]string{"1g.5gb+me", "1g.5gb"}, "[0 1]"},
		{[]string{"1g.5gb+me", "1g.5gb+me"}, ""},
		{[]string{"7g.40gb", "1g.5gb"}, ""},
		{[]string{"1c.3g.20gb", "3g.20gb"}, "[0 4]"},
		{[]string{"1g.10gb"}, "[0]"},
		{[]string{"1g.20gb"}, ""}, // of another model
	} {
		places, err := table.Layout(migNames(t, c.names...)...)
		if c.want == "" {
			require.ErrorIs(t, err, gpu.ErrInvalid, "%v", c.names)
			continue
		}
		require.NoError(t, err, "%v", c.names)
		starts := make([]uint8, 0)
		for _, p := range places {
			starts = append(starts, p.Start)
		}
		require.Equal(t, c.want, fmt.Sprint(starts))
	}
	_, err := table.Layout(slices.Repeat(migNames(t, "1g.5gb"), 1000)...)
	require.ErrorIs(t, err, gpu.ErrInvalid)
	require.Equal(t, 0, table.Room(nil, gpu.MIGName{Slices: 1, GB: 99}))
	require.Equal(t, -1, table.RoomAtBest(migNames(t, "4g.20gb", "4g.20gb"), migNames(t, "1g.5gb")[0]))
	// Free falls as nvidia-smi shows it: beside 3g at 0 there is room for 3 of 7.
	require.Equal(t, 3, table.Room([]gpu.MIGPlace{{Name: migNames(t, "3g.20gb")[0], Start: 0}}, migNames(t, "1g.5gb")[0]))
	require.Equal(t, 4, table.RoomAtBest(migNames(t, "3g.20gb"), migNames(t, "1g.5gb")[0]), "at 4 it would leave 0 to 3")
}

func FuzzParseMIGName(f *testing.F) {
	for _, s := range []string{"1g.5gb", "1c.3g.20gb+me", "2g.48gb-me", "9g.9gb"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := gpu.ParseMIGName(s)
		if err != nil {
			require.ErrorIs(t, err, gpu.ErrInvalid)
			return
		}
		require.Equal(t, s, n.String(), "one spelling for one kind")
	})
}
