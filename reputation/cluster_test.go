package reputation_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/reputation"
)

func cluster(t testing.TB, f reputation.Frailty) *reputation.ClusterModel {
	t.Helper()
	c, err := reputation.NewClusterModel(f)
	require.NoError(t, err)
	require.Equal(t, f, c.Frailty())
	return c
}

func members(up ...uint32) []reputation.Member {
	out := make([]reputation.Member, len(up))
	for i := range up {
		out[i].UpPPM = up[i]
	}
	return out
}

func equal(n int, up uint32) []reputation.Member {
	out := make([]reputation.Member, n)
	for i := range out {
		out[i].UpPPM = up
	}
	return out
}

// A site can have many owners or an owner many sites; with cross both.
func draw(r *rand.Rand, n int, cross bool) []reputation.Member {
	out := make([]reputation.Member, n)
	sites, owners := 1+r.IntN(4), 1+r.IntN(4)
	kind := r.IntN(4)
	for i := range out {
		site, owner := r.IntN(sites), r.IntN(owners)
		if !cross {
			switch kind {
			case 0:
				owner = site
			case 1:
				owner = owner*sites + site
			case 2:
				site = site*owners + owner
			case 3:
				owner = i
			}
		}
		out[i] = reputation.Member{
			UpPPM: 1_000_000 - uint32(math.Pow(10, 2+3.9*r.Float64())),
			Site:  fmt.Sprint("site ", site), Owner: fmt.Sprint("owner ", owner),
		}
		if r.IntN(6) == 0 {
			out[i].Site = ""
		}
		if r.IntN(9) == 0 {
			out[i].UpPPM = []uint32{0, 1, 500_000, 999_999, 1_000_000}[r.IntN(5)]
		}
	}
	return out
}

func drawFrailty(r *rand.Rand) reputation.Frailty {
	site := uint32(r.IntN(1_000_001))
	return reputation.Frailty{
		VariancePPM: []uint32{0, 3, 70_000, 400_000, 1_430_000, 4_000_000}[r.IntN(6)],
		SitePPM:     site,
		OwnerPPM:    uint32(r.IntN(int(1_000_001 - site))),
	}
}

func TestFrailtyValidate(t *testing.T) {
	for _, f := range []reputation.Frailty{{}, reputation.DefaultFrailty(), {4_000_000, 1_000_000, 0}, {0, 0, 1_000_000}} {
		require.NoError(t, f.Validate())
		text, err := json.Marshal(f)
		require.NoError(t, err)
		var back reputation.Frailty
		require.NoError(t, json.Unmarshal(text, &back))
		require.Equal(t, f, back)
	}
	for _, f := range []reputation.Frailty{{4_000_001, 0, 0}, {0, 1_000_001, 0}, {0, 0, 1_000_001}, {0, 600_000, 400_001}, {0, 1, math.MaxUint32}} {
		_, err := reputation.NewClusterModel(f)
		require.ErrorIs(t, err, reputation.ErrInvalid, "%+v", f)
	}
}

func TestClusterBorders(t *testing.T) {
	for _, f := range []reputation.Frailty{{}, reputation.DefaultFrailty()} {
		c := cluster(t, f)
		require.Equal(t, uint32(1_000_000), c.AllUp(nil))
		require.Equal(t, uint32(1_000_000), c.AtLeast(nil, 0))
		require.Equal(t, uint32(1_000_000), c.AtLeast(members(1, 2), -1))
		require.Equal(t, uint32(0), c.AtLeast(members(1_000_000), 2))
		require.Equal(t, uint32(1_000_000), c.AllUp(equal(300, 1_000_000)))
		require.Equal(t, uint32(0), c.AllUp(append(equal(8, 999_999), members(0)...)))
		require.Equal(t, c.AllUp(equal(8, 990_000)), c.AtLeast(append(equal(8, 990_000), members(0)...), 8), "who is never up changes nothing")
		require.Empty(t, c.Marginals(nil, 1))
		require.Empty(t, c.Gains(nil, nil, 1))
		require.PanicsWithValue(t, "reputation: ClusterModel.AllUp: member 1 has UpPPM 1000001 above 10^6",
			func() { c.AllUp(members(1, 1_000_001)) })
		require.PanicsWithValue(t, "reputation: ClusterModel.Fill: target 1000001 above 10^6", func() { c.Fill(nil, 1, 1_000_001) })
	}
}

// Where nothing is shared the result is that of rational arithmetic, to the nearest 10^-8 and down.
func TestClusterAgainstRationals(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 1))
	c := cluster(t, reputation.Frailty{SitePPM: 500_000})
	for range 40 {
		list := make([]reputation.Member, 1+r.IntN(24))
		law := []*big.Rat{big.NewRat(1, 1)} // law[u]: P(u are up)
		for i := range list {
			list[i].UpPPM = uint32(r.IntN(1_000_001))
			p := big.NewRat(int64(list[i].UpPPM), 1_000_000)
			q := new(big.Rat).Sub(big.NewRat(1, 1), p)
			next := make([]*big.Rat, len(law)+1)
			for u := range next {
				next[u] = new(big.Rat)
				if u < len(law) {
					next[u].Add(next[u], new(big.Rat).Mul(law[u], q))
				}
				if u > 0 {
					next[u].Add(next[u], new(big.Rat).Mul(law[u-1], p))
				}
			}
			law = next
		}
		for k := 1; k <= len(list); k++ {
			fail := new(big.Rat)
			for _, p := range law[:k] {
				fail.Add(fail, p)
			}
			fail.Mul(fail, big.NewRat(100_000_000, 1)).Add(fail, big.NewRat(1, 2))
			cents := new(big.Int).Div(fail.Num(), fail.Denom()).Int64()
			require.Equal(t, uint32(1_000_000-(cents+99)/100), c.AtLeast(list, k), "%d of %v", k, list)
		}
	}
}

// P(all up) has a closed form for whatever is shared, crossed or not: given Z, each cause has to spare its weakest member.
func TestAllUpClosedForm(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 1))
	for range 300 {
		f, list := drawFrailty(r), draw(r, 1+r.IntN(30), r.IntN(2) == 0)
		v := float64(f.VariancePPM) / 1e6
		own, causes := 0.0, map[string]float64{}
		for i, m := range list {
			h := -math.Log(float64(m.UpPPM) / 1e6)
			if v > 0 {
				h = math.Expm1(v*h) / v
			}
			own += h * float64(1_000_000-f.SitePPM-f.OwnerPPM) / 1e6
			site := m.Site
			if site == "" {
				site = fmt.Sprint(i)
			}
			causes[site] = max(causes[site], h*float64(f.SitePPM)/1e6)
			causes[m.Owner] = max(causes[m.Owner], h*float64(f.OwnerPPM)/1e6)
		}
		for _, h := range causes {
			own += h
		}
		want := math.Exp(-own)
		if v > 0 {
			want = math.Exp(-math.Log1p(v*own) / v)
		}
		if math.IsNaN(want) {
			want = 0 // a share of nothing of a member that is never up
		}
		require.InDelta(t, 1e6*want-.5, float64(cluster(t, f).AllUp(list)), .5+.5, "%+v %v", f, list)
	}
}

func TestClusterMonotone(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 1))
	for range 250 {
		c, list := cluster(t, drawFrailty(r)), draw(r, 2+r.IntN(12), r.IntN(3) == 0)
		last := uint32(1_000_000)
		for k := 1; k <= len(list); k++ {
			p := c.AtLeast(list, k)
			require.LessOrEqual(t, p, last, "never rises with k")
			last = p
			require.LessOrEqual(t, c.AtLeast(list[1:], k), p, "never falls with a member more")
			better := append([]reputation.Member{}, list...)
			i := r.IntN(len(better))
			better[i].UpPPM += uint32(r.IntN(int(1_000_001 - better[i].UpPPM)))
			require.LessOrEqual(t, p, c.AtLeast(better, k), "never falls with a probability: %v, %v", list, better[i])
		}
		require.Equal(t, last, c.AllUp(list))
	}
}

// Indicators of staying up are associated: rising functions of independent draws (of -Z, the strengths and the members' own
// times). So P(none is up) and P(all are up) are never below the product of what they are for each alone: what is shared raises
// P(all up) and lowers P(at least 1 up). For k between there is no such theorem, as the second test shows.
func TestSharingAtTheEnds(t *testing.T) {
	r := rand.New(rand.NewPCG(14, 1))
	free := cluster(t, reputation.Frailty{})
	for range 250 {
		c, list := cluster(t, drawFrailty(r)), draw(r, 1+r.IntN(12), r.IntN(3) == 0)
		require.GreaterOrEqual(t, c.AllUp(list), free.AllUp(list))
		require.LessOrEqual(t, c.AtLeast(list, 1), free.AtLeast(list, 1))
	}
}

func TestSharingBetweenTheEnds(t *testing.T) {
	free, shared := cluster(t, reputation.Frailty{}), cluster(t, reputation.DefaultFrailty())
	for _, v := range []struct {
		up    uint32
		first int // size from which what is shared lowers P(at least 64 up)
	}{{990_000, 65}, {970_000, 67}} {
		for n := 64; n < 80; n++ {
			with, without := shared.AtLeast(equal(n, v.up), 64), free.AtLeast(equal(n, v.up), 64)
			if n < v.first {
				require.Greater(t, with, without, "%d of %d: it would fail often, so it gains", n, v.up)
			} else {
				require.Less(t, with, without, "%d of %d: it has spares, so it loses", n, v.up)
			}
		}
	}
}

// Members of one site fall together, and the more the site has in common the more so; spread out they stand better.
func TestSitesHoldTogether(t *testing.T) {
	together, apart := equal(10, 990_000), equal(10, 990_000)
	for i := range together {
		together[i].Site = "one"
		apart[i].Site = fmt.Sprint(i)
	}
	last := uint32(1_000_000)
	for _, share := range []uint32{0, 100_000, 200_000, 500_000, 900_000, 1_000_000} {
		c := cluster(t, reputation.Frailty{SitePPM: share})
		require.LessOrEqual(t, c.AtLeast(together, 8), last)
		last = c.AtLeast(together, 8)
		require.Equal(t, uint32(999_886), c.AtLeast(apart, 8), "a site of one is independent")
	}
	require.Equal(t, uint32(990_000), last, "all or none")
}

func TestMarginalsAndGains(t *testing.T) {
	c := cluster(t, reputation.DefaultFrailty())
	list := members(990_000, 980_000, 900_000, 0)
	list[0].Site, list[1].Site = "a", "a"
	whole := c.AtLeast(list, 2)
	for i, m := range c.Marginals(list, 2) {
		without := append(append([]reputation.Member{}, list[:i]...), list[i+1:]...)
		require.Equal(t, whole-c.AtLeast(without, 2), m)
	}
	pool := []reputation.Member{{990_000, "a", ""}, {990_000, "b", ""}, {0, "c", ""}}
	gains := c.Gains(list, pool, 2)
	for i, g := range gains {
		require.Equal(t, c.AtLeast(append(list[:4:4], pool[i]), 2)-c.AtLeast(list, 2), g)
	}
	require.Greater(t, gains[1], gains[0], "another site is worth more")
	require.Zero(t, gains[2])
	require.Equal(t, []uint32{c.AllUp(list[:3]), c.AllUp(list[:3]), c.AllUp(list[:3])}, c.Marginals(list[:3], 3), "without a spare each is worth all")
}

func FuzzCluster(f *testing.F) {
	f.Add(uint32(1_430_000), uint32(190_000), uint32(50_000), []byte("\x00\x01\x02\x03\x04\x05\x06\x07\x08"), 2)
	f.Add(uint32(0), uint32(1_000_000), uint32(0), []byte{255, 255, 255, 0, 0, 0, 1, 2, 3, 4, 5, 6}, 1)
	f.Fuzz(func(t *testing.T, variance, site, owner uint32, data []byte, k int) {
		c, err := reputation.NewClusterModel(reputation.Frailty{VariancePPM: variance % 4_000_001, SitePPM: site, OwnerPPM: owner})
		if err != nil {
			t.Skip()
		}
		var list []reputation.Member
		for ; len(data) >= 3 && len(list) < 20; data = data[3:] {
			up := (uint32(data[0])<<8 | uint32(data[1])) * 1_000_000 / 65_535
			list = append(list, reputation.Member{UpPPM: up, Site: string(data[2] & 3), Owner: string(data[2] >> 2 & 3)})
		}
		p := c.AtLeast(list, k)
		require.LessOrEqual(t, p, uint32(1_000_000))
		require.LessOrEqual(t, c.AtLeast(list, k+1), max(p, c.AtLeast(list, k)))
		who, ok := c.Spares(list, k, 900_000)
		require.Equal(t, c.AtLeast(list, k) >= 900_000, ok)
		var chosen []reputation.Member
		for _, i := range who {
			chosen = append(chosen, list[i])
		}
		require.Equal(t, ok, c.AtLeast(chosen, k) >= 900_000)
	})
}

func BenchmarkCluster(b *testing.B) {
	for _, v := range []struct {
		name    string
		frailty reputation.Frailty
		member  func(i int) reputation.Member
	}{
		{"independent", reputation.Frailty{}, func(int) reputation.Member { return reputation.Member{} }},
		{"weather", reputation.Frailty{VariancePPM: 1_430_000}, func(int) reputation.Member { return reputation.Member{} }},
		{"sites=10", reputation.DefaultFrailty(), func(i int) reputation.Member { return reputation.Member{Site: fmt.Sprint(i % 10)} }},
		{"sites=10,owners=5", reputation.DefaultFrailty(), func(i int) reputation.Member {
			return reputation.Member{Site: fmt.Sprint(i % 10), Owner: fmt.Sprint(i % 5)}
		}},
		{"sites=10,owners=10,crossed", reputation.DefaultFrailty(), func(i int) reputation.Member {
			return reputation.Member{Site: fmt.Sprint(i % 10), Owner: fmt.Sprint(i / 8)}
		}},
	} {
		list := make([]reputation.Member, 80)
		for i := range list {
			list[i] = v.member(i)
			list[i].UpPPM = 998_000 - uint32(i*i%17)*1000
		}
		c := cluster(b, v.frailty)
		b.Run("AtLeast/k=64/n=80/"+v.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.AtLeast(list, 64)
			}
		})
		b.Run("Fill/k=64/"+v.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.Fill(list, 64, 990_000)
			}
		})
		b.Run("Spares/k=64/"+v.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.Spares(list, 64, 990_000)
			}
		})
	}
}
