package gpu_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
)

// lines are n equal measurements of the last minutes.
func lines(n int, down, up uint64) []gpu.Measurement {
	var out []gpu.Measurement
	for i := range n {
		out = append(out, gpu.Measurement{At: noon.Add(-time.Duration(i) * time.Minute), DownKbps: down, UpKbps: up, Samples: 1})
	}
	return out
}

func TestConnectivityTiers(t *testing.T) {
	p := gpu.IONetConnectivity()
	require.NoError(t, p.Validate())
	for _, c := range []struct {
		down, up uint64
		want     string
	}{
		{0, 0, "tier 0; tier 1 needs 100 Mb/s download, has 0 and 10 Mb/s upload, has 0"},
		{99_999, 10_000, "tier 0; tier 1 needs 100 Mb/s download, has 99"},
		{100_000, 9_999, "tier 0; tier 1 needs 10 Mb/s upload, has 9"},
		{100_000, 10_000, "tier 1 (low); tier 2 needs 400 Mb/s download, has 100 and 300 Mb/s upload, has 10"},
		{399_999, 1_200_000, "tier 1 (low); tier 2 needs 400 Mb/s download, has 399"},
		{400_000, 300_000, "tier 2 (medium); tier 3 needs 800 Mb/s download, has 400 and 600 Mb/s upload, has 300"},
		{10_000_000, 599_999, "tier 2 (medium); tier 3 needs 600 Mb/s upload, has 599"},
		{800_000, 600_000, "tier 3 (high); tier 4 needs 1600 Mb/s download, has 800 and 1200 Mb/s upload, has 600"},
		{1_600_000, 1_199_999, "tier 3 (high); tier 4 needs 1200 Mb/s upload, has 1199"},
		{1_600_000, 1_200_000, "tier 4 (ultra high)"},
		{1 << 63, 1 << 63, "tier 4 (ultra high)"},
	} {
		require.Equal(t, c.want, p.Judge(noon, lines(3, c.down, c.up)).String())
	}
}

func TestConnectivityUse(t *testing.T) {
	p := gpu.IONetConnectivity()
	judge := func(change func(ms []gpu.Measurement)) gpu.Connectivity {
		ms := lines(3, 900_000, 700_000)
		change(ms)
		return p.Judge(noon, ms)
	}
	require.Equal(t, uint8(3), judge(func([]gpu.Measurement) {}).Tier)
	for name, change := range map[string]func(ms []gpu.Measurement){
		"too old":     func(ms []gpu.Measurement) { ms[1].At = noon.Add(-24*time.Hour - 1) },
		"yet to come": func(ms []gpu.Measurement) { ms[1].At = noon.Add(1) },
		"no sample":   func(ms []gpu.Measurement) { ms[1].Samples = 0 },
	} {
		v := judge(change)
		require.Equal(t, gpu.Connectivity{Used: 2, Unused: 1, Why: "2 measurements of the last 24h0m0s, 3 needed"}, v, name)
		require.Equal(t, "tier 0: 2 measurements of the last 24h0m0s, 3 needed", v.String())
	}
	edge := judge(func(ms []gpu.Measurement) { ms[0].At, ms[1].At = noon.Add(-24*time.Hour), noon })
	require.Equal(t, []int{3, 0, 3}, []int{edge.Used, edge.Unused, int(edge.Tier)})
	require.Equal(t, uint8(0), p.Judge(noon, nil).Tier)
}

// One lucky measurement does not lift a line, and of four one unlucky one sets the rate at the first quartile.
func TestConnectivityQuantile(t *testing.T) {
	p := gpu.IONetConnectivity()
	for _, c := range []struct {
		downs []uint64
		want  uint64
	}{
		{[]uint64{7}, 7},
		{[]uint64{9, 7}, 7},
		{[]uint64{3, 1, 2, 4}, 1},
		{[]uint64{5, 3, 1, 2, 4}, 2}, // ceil(5/4) = 2nd
		{[]uint64{8, 7, 6, 5, 4, 3, 2, 1}, 2},
		{[]uint64{9, 8, 7, 6, 5, 4, 3, 2, 1}, 3},
	} {
		var ms []gpu.Measurement
		for i, d := range c.downs {
			ms = append(ms, gpu.Measurement{At: noon.Add(time.Duration(i)), DownKbps: d, UpKbps: 2 * d, RTTMicros: uint32(d), Samples: 1<<32 - 1})
		}
		got := p.Combine(ms)
		require.Equal(t, []uint64{c.want, 2 * c.want}, []uint64{got.DownKbps, got.UpKbps}, "%v", c.downs)
		require.Equal(t, ms[len(ms)-1].At, got.At)
		require.Equal(t, uint32(1<<32-1), got.Samples, "samples do not wrap")
	}
	require.Zero(t, p.Combine(nil))
	p.QuantilePPM = 1_000_000
	require.Equal(t, uint64(3), p.Combine([]gpu.Measurement{{DownKbps: 3}, {DownKbps: 1}}).DownKbps)
	p.QuantilePPM = 1
	require.Equal(t, uint64(1), p.Combine([]gpu.Measurement{{DownKbps: 3}, {DownKbps: 1}}).DownKbps)
	median := p.Combine([]gpu.Measurement{{RTTMicros: 4, JitterMicros: 1, LossPPM: 9}, {RTTMicros: 2, JitterMicros: 8, LossPPM: 3}})
	require.Equal(t, []uint32{4, 8, 9}, []uint32{median.RTTMicros, median.JitterMicros, median.LossPPM}, "of two the worse")
}

// The rate at a quantile, by its definition: the least of the rates that at least q of the measurements do not exceed.
func TestCombineAgainstDefinition(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		p := gpu.IONetConnectivity()
		p.QuantilePPM = 1 + random.Uint32N(1_000_000)
		ms := make([]gpu.Measurement, 1+random.IntN(9))
		for i := range ms {
			ms[i] = gpu.Measurement{At: noon, DownKbps: random.Uint64N(5), RTTMicros: random.Uint32N(5), Samples: 1}
		}
		atMost := func(v uint64) (n uint64) {
			for _, m := range ms {
				if m.DownKbps <= v {
					n++
				}
			}
			return n
		}
		want := uint64(0)
		for atMost(want)*1_000_000 < uint64(len(ms))*uint64(p.QuantilePPM) || atMost(want) == 0 {
			want++
		}
		got := p.Combine(ms)
		require.Equal(t, want, got.DownKbps)
		below, above := 0, 0
		for _, m := range ms {
			if m.RTTMicros < got.RTTMicros {
				below++
			}
			if m.RTTMicros > got.RTTMicros {
				above++
			}
		}
		require.LessOrEqual(t, 2*below, len(ms))
		require.Less(t, 2*above, len(ms))
	}
}

func TestConnectivityParams(t *testing.T) {
	for name, change := range map[string]func(*gpu.ConnectivityParams){
		"no version":          func(p *gpu.ConnectivityParams) { p.Version = "" },
		"no tiers":            func(p *gpu.ConnectivityParams) { p.Tiers = nil },
		"256 tiers":           func(p *gpu.ConnectivityParams) { p.Tiers = make([]gpu.ConnectivityTier, 256) },
		"a tier without name": func(p *gpu.ConnectivityParams) { p.Tiers[2].Name = "" },
		"download descends":   func(p *gpu.ConnectivityParams) { p.Tiers[2].DownKbps = 399_999 },
		"upload descends":     func(p *gpu.ConnectivityParams) { p.Tiers[2].UpKbps = 299_999 },
		"stale at once":       func(p *gpu.ConnectivityParams) { p.Fresh = 0 },
		"none needed":         func(p *gpu.ConnectivityParams) { p.Least = 0 },
		"no quantile":         func(p *gpu.ConnectivityParams) { p.QuantilePPM = 0 },
		"beyond the last":     func(p *gpu.ConnectivityParams) { p.QuantilePPM = 1_000_001 },
	} {
		p := gpu.IONetConnectivity()
		change(&p)
		require.ErrorIs(t, p.Validate(), gpu.ErrInvalid, name)
	}
}
