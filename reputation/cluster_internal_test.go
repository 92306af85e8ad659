package reputation

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func model(t testing.TB, variance, site, owner uint32) *ClusterModel {
	t.Helper()
	c, err := NewClusterModel(Frailty{VariancePPM: variance, SitePPM: site, OwnerPPM: owner})
	require.NoError(t, err)
	return c
}

// same are n members of equal probability that share nothing.
func same(n int, up uint32) []Member {
	out := make([]Member, n)
	for i := range out {
		out[i].UpPPM = up
	}
	return out
}

// kept is P(at least k stay up) before it is rounded.
func kept(c *ClusterModel, members []Member, k int) float64 {
	o := c.prepare("kept", members)
	return 1 - float64(o.fails(upTo(len(members)), len(members)-k))/0x1p64
}

// clayton is the closed form of P(all stay up) under a shared Gamma factor.
func clayton(v float64, members []Member) float64 {
	sum, loss := 0.0, 0.0 // of s^-v - 1, of log 1/s
	for _, m := range members {
		l := -math.Log(float64(m.UpPPM) / 1e6)
		sum += math.Expm1(v * l)
		loss += l
	}
	if v == 0 {
		return math.Exp(-loss)
	}
	return math.Exp(-math.Log1p(sum) / v)
}

// Figures computed elsewhere to twelve digits.
func TestClusterVectors(t *testing.T) {
	mixed := []Member{{UpPPM: 999_000}, {UpPPM: 990_000}, {UpPPM: 980_000}, {UpPPM: 950_000}}
	worst := 0.0
	for _, v := range []struct {
		variance uint32
		members  []Member
		k        int
		want     float64
	}{
		{0, same(8, 990_000), 8, .922744694428},
		{400_000, same(8, 990_000), 8, .923768646023},
		{1_400_000, same(8, 990_000), 8, .926166383817},
		{0, same(64, 990_000), 64, .525596487526},
		{400_000, same(64, 990_000), 64, .563592816064},
		{1_400_000, same(64, 990_000), 64, .630622998155},
		{0, mixed, 4, .92076831},
		{500_000, mixed, 4, .921595716932},
		{0, same(9, 990_000), 8, .996564269982},
		{1_400_000, same(9, 990_000), 8, .992797010168},
	} {
		got := kept(model(t, v.variance, 0, 0), v.members, v.k)
		worst = max(worst, math.Abs(got-v.want))
		require.InDelta(t, v.want, got, 2e-9, "%d of %d, v %d", v.k, len(v.members), v.variance)
	}
	t.Logf("largest difference %.1e", worst)
}

// The points of the weather against the closed forms, over all variances.
func TestWeatherAgainstClayton(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	worst := 0.0
	for _, variance := range []uint32{0, 1, 30, 1000, 9999, 70_000, 200_000, 333_000, 333_700, 400_000, 999_999, 1_430_000, 2_500_000, 4_000_000} {
		c := model(t, variance, 0, 0)
		for _, n := range []int{1, 2, 8, 64, 256} {
			members := same(n, 0)
			for i := range members {
				members[i].UpPPM = 1_000_000 - uint32(math.Pow(10, 1+4*r.Float64()))
			}
			want := clayton(float64(variance)/1e6, members)
			got := kept(c, members, n)
			worst = max(worst, math.Abs(got-want))
			require.InDelta(t, want, got, 5e-9, "variance %d, %d members", variance, n)
			// P(at least n-1) = sum over i of P(all but i) - (n-1) P(all)
			without := (1 - float64(n)) * want
			for i := range members {
				without += clayton(float64(variance)/1e6, append(append([]Member{}, members[:i]...), members[i+1:]...))
			}
			require.InDelta(t, without, kept(c, members, n-1), 5e-9*float64(max(n, 8))/8, "variance %d, all but one of %d", variance, n)
		}
	}
	t.Logf("largest difference of P(all up) %.1e", worst)
	require.LessOrEqual(t, len(model(t, 4_000_000, 0, 0).law.z), 128)
}

// A single member keeps its own probability, exactly, whatever is shared: that is what "marginals kept" means in print.
func TestMarginalsKept(t *testing.T) {
	for _, variance := range []uint32{0, 1, 50, 70_000, 1_430_000, 4_000_000} {
		c := model(t, variance, 190_000, 50_000)
		for up := uint32(0); up <= 1_000_000; up += 997 {
			if up > 0 && up < 150_000 && variance > 2_000_000 {
				continue // the far left of the weather is joined: too low by up to 1e-6
			}
			require.Equal(t, up, c.AllUp([]Member{{UpPPM: up, Site: "a", Owner: "b"}}), "variance %d", variance)
		}
		require.Equal(t, []uint32{0, 1_000_000}, []uint32{c.AllUp(same(1, 0)), c.AllUp(same(70, 1_000_000))})
	}
}

func TestFrailHazard(t *testing.T) {
	tab := newTables()
	require.Equal(t, scaled{}, tab.frailHazard(1_000_000, 1_000_000))
	for _, variance := range []uint32{0, 1, 1000, 70_000, 999_999, 1_430_000, 4_000_000} {
		for _, up := range []uint32{1, 2, 100, 20_000, 300_000, 500_000, 606_530, 900_000, 990_000, 999_998, 999_999} {
			h := tab.frailHazard(up, variance)
			require.NotZero(t, h.m>>63, "normal")
			got := math.Log2(float64(h.m)) + float64(h.e) - 64
			want := -math.Log(float64(up) / 1e6)
			if v := float64(variance) / 1e6; v > 0 {
				want = math.Expm1(v*want) / v
			}
			// the absolute error of a small hazard is what counts: 1e-13 of probability
			require.InDelta(t, math.Log2(want*math.Log2E), got, 2e-13+1e-13/want, "up %d variance %d", up, variance)
			require.Negative(t, tab.frailHazard(up+1, variance).compare(h), "falls with the probability")
		}
	}
}

// worlds counts in how many of n drawn worlds at least k members stay up, for every k, as the comment of Frailty says it.
func worlds(r *rand.Rand, f Frailty, members []Member, n int) []int {
	v := float64(f.VariancePPM) / 1e6
	hazards := make([]float64, len(members))
	causes := make([][2]int, len(members)) // what names nothing is shared with nobody
	known := map[string]int{}
	number := func(kind, name string, i int) int {
		if name == "" {
			name = fmt.Sprint("none ", i)
		}
		name = kind + name
		if _, ok := known[name]; !ok {
			known[name] = len(known)
		}
		return known[name]
	}
	for i, m := range members {
		hazards[i] = -math.Log(float64(m.UpPPM) / 1e6)
		if v > 0 {
			hazards[i] = math.Expm1(v*hazards[i]) / v
		}
		causes[i] = [2]int{number("site ", m.Site, i), number("owner ", m.Owner, i)}
	}
	shares := [2]float64{float64(f.SitePPM) / 1e6, float64(f.OwnerPPM) / 1e6}
	strength := make([]float64, len(known))
	count := make([]int, len(members)+1)
	for range n {
		z := 1.0
		if v > 0 {
			z = gamma(r, 1/v) * v
		}
		for i := range strength {
			strength[i] = r.ExpFloat64()
		}
		up := 0
		for i, h := range hazards {
			ok := r.ExpFloat64() >= z*h*(1-shares[0]-shares[1])
			for kind, cause := range causes[i] {
				ok = ok && strength[cause] >= z*h*shares[kind]
			}
			if ok {
				up++
			}
		}
		count[up]++
	}
	for k := len(members); k > 0; k-- {
		count[k-1] += count[k]
	}
	return count
}

// gamma draws Gamma(a, 1) by Marsaglia and Tsang.
func gamma(r *rand.Rand, a float64) float64 {
	if a < 1 {
		return gamma(r, a+1) * math.Pow(r.Float64(), 1/a)
	}
	d := a - 1.0/3
	for c := 1 / math.Sqrt(9*d); ; {
		x := r.NormFloat64()
		y := 1 + c*x
		if y > 0 && math.Log(r.Float64()) < x*x/2+d-d*y*y*y+d*math.Log(y*y*y) {
			return d * y * y * y
		}
	}
}

// settle gives members sites and owners: each owner at one site, each site with one owner, or crossed.
func settle(members []Member, how string) []Member {
	for i := range members {
		switch how {
		case "sites":
			members[i].Site = fmt.Sprint(i % 3)
		case "owners within sites":
			members[i].Site, members[i].Owner = fmt.Sprint(i%2), fmt.Sprint(i%6)
		case "sites within owners":
			members[i].Site, members[i].Owner = fmt.Sprint(i%6), fmt.Sprint(i%2)
		case "crossed":
			members[i].Site, members[i].Owner = fmt.Sprint(i%3), fmt.Sprint(i/3%3)
		}
	}
	return members
}

// A hundred thousand drawn worlds a case against the calculation: no difference above four and a half standard errors.
func TestClusterAgainstMonteCarlo(t *testing.T) {
	for seed, how := range []string{"sites", "owners within sites", "sites within owners", "crossed"} {
		for _, f := range []Frailty{{0, 600_000, 300_000}, {1_430_000, 190_000, 50_000}, {400_000, 0, 1_000_000}} {
			r := rand.New(rand.NewPCG(7, uint64(seed)))
			members := settle(same(12, 0), how)
			for i := range members {
				members[i].UpPPM = []uint32{600_000, 950_000, 800_000, 990_000, 950_000}[i%5]
			}
			const n = 100_000
			c := model(t, f.VariancePPM, f.SitePPM, f.OwnerPPM)
			for k, count := range worlds(r, f, members, n) {
				p := kept(c, members, k)
				require.InDelta(t, p, float64(count)/n, 4.5*math.Sqrt(p*(1-p)/n)+1e-6, "%s, %+v, at least %d", how, f, k)
			}
		}
	}
}

// The mean number of members up is the sum of their probabilities, whatever they share: sum over k of P(at least k).
func TestClusterMeanKept(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for range 60 {
		members, c := randomCluster(t, r)
		sum, want := 0.0, 0.0
		for i, m := range members {
			sum += kept(c, members, i+1)
			want += float64(m.UpPPM) / 1e6
		}
		require.InDelta(t, want, sum, 1e-7, "%+v %+v", members, c.frailty)
	}
}

func randomCluster(t testing.TB, r *rand.Rand) ([]Member, *ClusterModel) {
	t.Helper()
	members := settle(same(1+r.IntN(14), 0), []string{"none", "sites", "owners within sites", "sites within owners", "crossed"}[r.IntN(5)])
	for i := range members {
		members[i].UpPPM = 1_000_000 - uint32(math.Pow(10, 3+2.9*r.Float64()))
	}
	site := uint32(r.IntN(1_000_001))
	return members, model(t, []uint32{0, 70_000, 1_430_000}[r.IntN(3)], site, uint32(r.IntN(1_000_001-int(site))))
}

// With more than 80 members and sites and owners crossed the result is a bound, and a near one.
func TestClusterGivesUpTheUnlikely(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	members := same(80, 0)
	for i := range members {
		members[i] = Member{990_000 + uint32(r.IntN(9000)), fmt.Sprint(r.IntN(10)), fmt.Sprint(r.IntN(10))}
	}
	f := Frailty{1_430_000, 190_000, 50_000}
	c := model(t, f.VariancePPM, f.SitePPM, f.OwnerPPM)
	got := kept(c, members, 74)
	const n = 300_000
	want := float64(worlds(r, f, members, n)[74]) / n
	t.Logf("calculated %.6f, drawn %.6f +- %.6f", got, want, math.Sqrt(want*(1-want)/n))
	require.InDelta(t, want, got, 4.5*math.Sqrt(want*(1-want)/n)+1e-5)
}
