package reputation_test

import (
	"cmp"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/golden"
	"github.com/idlegrid/idlegrid/reputation"
)

// Figures computed elsewhere: spares for 99 %, by variance.
func TestSparesVectors(t *testing.T) {
	for _, v := range []struct {
		variance uint32
		sizes    []int
		want     map[uint32][]int
	}{
		{0, []int{1, 8, 16, 32, 64, 128, 256}, map[uint32][]int{
			950_000: {1, 3, 4, 5, 8, 14, 23},
			970_000: {1, 2, 3, 4, 6, 9, 15},
			980_000: {1, 2, 2, 3, 5, 7, 11},
			990_000: {0, 1, 2, 2, 3, 5, 7},
			995_000: {0, 1, 1, 2, 2, 3, 5},
		}},
		{400_000, []int{8, 16, 32, 64, 128}, map[uint32][]int{
			990_000: {1, 2, 2, 4, 6},
			980_000: {2, 3, 4, 6, 10},
		}},
		{1_400_000, []int{8, 16, 32, 64, 128}, map[uint32][]int{
			990_000: {1, 2, 3, 5, 9},
			980_000: {2, 3, 5, 9, 17},
			970_000: {3, 4, 7, 13, 25},
		}},
	} {
		c := cluster(t, reputation.Frailty{VariancePPM: v.variance})
		for up, want := range v.want {
			require.Equal(t, [][]int{want}, c.SparesTable([]uint32{up}, v.sizes, 990_000), "variance %d, up %d", v.variance, up)
		}
	}
}

// The promise of 99 % as a table, for three kinds of weather.
func TestSparesTable(t *testing.T) {
	up := []uint32{950_000, 970_000, 980_000, 985_000, 990_000, 995_000, 998_000, 999_000}
	sizes := []int{1, 2, 4, 8, 16, 32, 64, 128, 256}
	var out strings.Builder
	for _, variance := range []uint32{0, 70_000, 400_000, 1_430_000} {
		fmt.Fprintf(&out, "spares for 99 %%, variance %d ppm\n%7s", variance, "up")
		for _, k := range sizes {
			fmt.Fprintf(&out, "%6s", fmt.Sprint("k=", k))
		}
		out.WriteString("\n")
		for i, row := range cluster(t, reputation.Frailty{VariancePPM: variance}).SparesTable(up, sizes, 990_000) {
			fmt.Fprintf(&out, "%7d", up[i])
			for _, s := range row {
				fmt.Fprintf(&out, "%6d", s)
			}
			out.WriteString("\n")
		}
		out.WriteString("\n")
	}
	golden.Check(t, "testdata/cluster_spares.golden", out.String())
}

func TestSparesForBorders(t *testing.T) {
	c := cluster(t, reputation.DefaultFrailty())
	for _, v := range []struct {
		k          int
		up, target uint32
		spares     int
		ok         bool
	}{
		{0, 0, 1_000_000, 0, true},
		{-5, 0, 1_000_000, 0, true},
		{8, 0, 0, 0, true},
		{8, 0, 1, 1024, false},
		{8, 1_000_000, 1_000_000, 0, true},
		{1, 990_000, 990_000, 0, true},
		{1, 990_000, 990_001, 1, true},
	} {
		n, ok := c.SparesFor(v.k, v.up, v.target)
		require.Equal(t, v.ok, ok, "%+v", v)
		require.Equal(t, v.spares, n, "%+v", v)
	}
	require.Equal(t, [][]int{{-1, 0}}, c.SparesTable([]uint32{500_000}, []int{64, 0}, 999_999))
	require.Empty(t, c.SparesTable(nil, nil, 0))
	require.Panics(t, func() { c.SparesFor(1, 1_000_001, 0) })
	require.Panics(t, func() { c.SparesFor(1, 1, 1_000_001) })
	require.Panics(t, func() { c.Spares(nil, 1, 1_000_001) })
}

// Fill stops at the first prefix that AtLeast finds good enough.
func TestFillIsTheFirst(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 1))
	for range 120 {
		c, list := cluster(t, drawFrailty(r)), draw(r, r.IntN(40), r.IntN(4) == 0)
		k, target := r.IntN(12), []uint32{500_000, 900_000, 990_000}[r.IntN(3)]
		n, ok := c.Fill(list, k, target)
		want := min(k, len(list))
		for want < len(list) && c.AtLeast(list[:want], k) < target {
			want++
		}
		require.Equal(t, want, n)
		require.Equal(t, c.AtLeast(list[:want], k) >= target, ok)
	}
}

// The size of Spares against the smallest of all subsets that reaches the target. Without shared causes it is that; with them
// one choice in twenty at most is larger, and none by more than one member.
func TestSparesAgainstAllSubsets(t *testing.T) {
	r := rand.New(rand.NewPCG(22, 1))
	larger, blind, reachable, worlds := 0, 0, 0, 300
	for range worlds {
		f := reputation.Frailty{
			VariancePPM: []uint32{0, 1_430_000}[r.IntN(2)], SitePPM: uint32(r.IntN(4)) * 200_000, OwnerPPM: uint32(r.IntN(3)) * 150_000,
		}
		c, list := cluster(t, f), equal(6+r.IntN(5), 0)
		sites, owners := 1+r.IntN(5), 1+r.IntN(8)
		for i := range list {
			list[i] = reputation.Member{UpPPM: 940_000 + uint32(r.IntN(6))*10_000, Site: fmt.Sprint(r.IntN(sites)), Owner: fmt.Sprint(r.IntN(owners))}
		}
		k, target := 1+r.IntN(5), uint32(970_000+r.IntN(28)*1000)
		best, reached := len(list), false
		for set := range uint(1) << len(list) {
			if n := bits.OnesCount(set); n > best || n < k || n == best && reached {
				continue
			}
			if c.AtLeast(pick(list, set), k) >= target {
				best, reached = bits.OnesCount(set), true
			}
		}
		who, ok := c.Spares(list, k, target)
		require.Equal(t, reached, ok)
		var set uint
		for _, i := range who {
			require.Zero(t, set>>i&1, "nobody twice")
			set |= 1 << i
		}
		if !ok {
			require.Len(t, who, len(list))
			continue
		}
		reachable++
		require.GreaterOrEqual(t, c.AtLeast(pick(list, set), k), target)
		require.GreaterOrEqual(t, len(who), best)
		require.LessOrEqual(t, len(who), best+1)
		if len(who) > best {
			require.NotZero(t, f.SitePPM+f.OwnerPPM)
			larger++
		}
		slices.SortFunc(list, func(a, b reputation.Member) int { return cmp.Compare(b.UpPPM, a.UpPPM) })
		if n, _ := c.Fill(list, k, target); n > best {
			blind++
		}
	}
	t.Logf("of %d choices %d are larger than the smallest; best first, %d", reachable, larger, blind)
	require.LessOrEqual(t, larger, reachable/20)
	require.Greater(t, blind, 3*larger, "the best first are no choice")
}

func pick(list []reputation.Member, set uint) []reputation.Member {
	var out []reputation.Member
	for i, m := range list {
		if set>>i&1 == 1 {
			out = append(out, m)
		}
	}
	return out
}

// A site whose nodes look a little better loses to many sites, because its nodes fall together.
func TestSparesSpread(t *testing.T) {
	var list []reputation.Member
	for i := range 24 {
		m := reputation.Member{UpPPM: 991_000, Site: "large"}
		if i%2 == 1 {
			m = reputation.Member{UpPPM: 990_000, Site: fmt.Sprint("small ", i)}
		}
		list = append(list, m)
	}
	c := cluster(t, reputation.Frailty{SitePPM: 500_000})
	who, ok := c.Spares(list, 8, 996_000)
	require.True(t, ok)
	bySite := map[string]int{}
	for _, i := range who {
		bySite[list[i].Site]++
	}
	require.LessOrEqual(t, bySite["large"], 1, "%v", bySite)
	require.Len(t, who, 9)
	blind, ok := cluster(t, reputation.Frailty{}).Spares(list, 8, 996_000)
	require.True(t, ok)
	require.Less(t, c.AtLeast(pickAll(list, blind), 8), uint32(996_000), "who takes them for independent fails the promise")
}

func pickAll(list []reputation.Member, who []int) []reputation.Member {
	var out []reputation.Member
	for _, i := range who {
		out = append(out, list[i])
	}
	return out
}

// Splitting does not pay: a supplier that counts its cards as k owners or sites would look safer than it is; that it may not
// is for whoever names owners. Named truly, the same cards at one owner need no fewer spares than at many.
func TestSparesForOneOwner(t *testing.T) {
	c := cluster(t, reputation.DefaultFrailty())
	for _, k := range []int{4, 8, 16} {
		many, one := equal(k+20, 992_000), equal(k+20, 992_000)
		for i := range one {
			one[i].Owner, one[i].Site = "o", "s"
			many[i].Owner, many[i].Site = fmt.Sprint(i), fmt.Sprint(i)
		}
		n, ok := c.Spares(many, k, 990_000)
		require.True(t, ok)
		if m, ok := c.Spares(one, k, 990_000); ok {
			require.GreaterOrEqual(t, len(m), len(n))
		}
	}
}
