package tokenomics_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/canon"
	"github.com/idlegrid/idlegrid/internal/script"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// noon is a whole hour, at which an epoch begins.
func noon() time.Time { return time.Date(2024, 6, 20, 12, 0, 0, 0, time.UTC) }

// quoteAll lets sources quote, each its price, at an instant.
func quoteAll(t testing.TB, o *tokenomics.Oracle, at time.Time, quotes ...tokenomics.Quoted) {
	t.Helper()
	for _, q := range quotes {
		q.SeenAt = at
		_, err := o.Apply(at, q)
		require.NoError(t, err)
	}
}

// three returns quotes of a, b and c.
func three(a, b, c uint64) []tokenomics.Quoted {
	return []tokenomics.Quoted{
		{Source: "a", MicroPerToken: a}, {Source: "b", MicroPerToken: b}, {Source: "c", MicroPerToken: c},
	}
}

// steady returns an oracle that heard the same quotes every minute for a time, up to and including the last instant.
func steady(t testing.TB, from time.Time, span time.Duration, quotes ...tokenomics.Quoted) *tokenomics.Oracle {
	t.Helper()
	o := newOracle(t, tokenomics.DefaultOracle("a", "b", "c"))
	for at := from; !at.After(from.Add(span)); at = at.Add(time.Minute) {
		quoteAll(t, o, at, quotes...)
	}
	return o
}

func reading(t testing.TB, o *tokenomics.Oracle, at time.Time) tokenomics.Reading {
	t.Helper()
	r, err := o.Reading(at)
	require.NoError(t, err)
	return r
}

func TestOracleScripts(t *testing.T) {
	script.Run(t, "testdata/oracle_*.txt", func(t *testing.T) func(script.Command) string {
		var o *tokenomics.Oracle
		var p tokenomics.OracleParams
		now := noon()
		apply := func(e tokenomics.OracleEvent) string {
			before := o.Digest()
			effects, err := o.Apply(now, e)
			require.NoError(t, o.Audit())
			if err != nil {
				require.Equal(t, before, o.Digest(), "a refused event changes nothing")
				return err.Error()
			}
			var out strings.Builder
			for _, e := range effects {
				turned, ok := e.(tokenomics.OracleTurned)
				require.True(t, ok)
				fmt.Fprintf(&out, "%s: %s -> %s\n", now.Format("15:04:05.999999999"), turned.From, turned.To)
			}
			return out.String()
		}
		micro := func(text string) uint64 {
			v, err := tokenomics.ParseUSD(text)
			require.NoError(t, err)
			return uint64(v)
		}
		return func(c script.Command) string {
			switch c.Name {
			case "oracle":
				p = tokenomics.DefaultOracle(strings.Split(c.Str("sources"), ",")...)
				var err error
				if o, err = tokenomics.NewOracle(p); err != nil {
					return err.Error()
				}
				return ""
			case "wait", "back":
				d, err := time.ParseDuration(c.Str("for"))
				require.NoError(t, err)
				if c.Name == "back" {
					d = -d
				}
				now = now.Add(d)
				return ""
			case "tick":
				return apply(tokenomics.Ticked{})
			case "quote":
				age, err := time.ParseDuration(c.Opt("age", "0s"))
				require.NoError(t, err)
				return apply(tokenomics.Quoted{Source: c.Str("source"), MicroPerToken: micro(c.Str("price")), SeenAt: now.Add(-age)})
			case "feed": // the same quotes again and again, then the clock stands at the end
				every, err := time.ParseDuration(c.Str("every"))
				require.NoError(t, err)
				times, err := strconv.Atoi(c.Str("times"))
				require.NoError(t, err)
				var out strings.Builder
				for range times {
					now = now.Add(every)
					for _, pair := range strings.Split(c.Str("quotes"), ",") {
						source, text, _ := strings.Cut(pair, ":")
						out.WriteString(apply(tokenomics.Quoted{Source: source, MicroPerToken: micro(text), SeenAt: now}))
					}
				}
				return out.String()
			case "restore":
				back, err := tokenomics.RestoreOracle(p, o.Snapshot())
				require.NoError(t, err)
				require.Equal(t, o.Digest(), back.Digest())
				require.Equal(t, o.State(), back.State())
				o = back
				return ""
			case "read":
				r, err := o.Reading(now)
				if err != nil {
					return err.Error()
				}
				text := fmt.Sprintf("%s: spot %s, mean %s, %d of %d fresh count, spread %d bps, covered %s",
					r.State, tokenomics.USD(r.Spot.MicroPerToken), tokenomics.USD(r.TWAP.MicroPerToken), r.Sources, r.Fresh, r.SpreadBps, r.Window)
				high, err := r.Release()
				if err != nil {
					return text + "\n" + err.Error()
				}
				low, err := r.Credit()
				require.NoError(t, err)
				return text + fmt.Sprintf("\nrelease at %s, credit at %s", tokenomics.USD(high.MicroPerToken), tokenomics.USD(low.MicroPerToken))
			}
			t.Fatalf("unknown command %q", c.Name)
			return ""
		}
	})
}

// One source of three that lies moves nothing, whatever it says: with and without it the prices are the same.
func TestOneLiarOfThree(t *testing.T) {
	p := tokenomics.DefaultOracle()
	end := noon().Add(40 * time.Minute)
	honest := reading(t, steady(t, noon(), 40*time.Minute, three(2_500_000, 2_500_000, 2_500_000)...), end)
	require.Equal(t, tokenomics.OracleOK, honest.State)
	release, err := honest.Release()
	require.NoError(t, err)
	require.Equal(t, honest.Spot, release, "of two equal prices the spot, which somebody saw")
	credit, err := honest.Credit()
	require.NoError(t, err)
	require.Equal(t, honest.Spot, credit)
	for _, lie := range []uint64{p.MinMicro, 2_462_499, 2_537_501, p.MaxMicro} {
		got := reading(t, steady(t, noon(), 40*time.Minute, three(2_500_000, lie, 2_500_000)...), end)
		require.Equal(t, tokenomics.OracleDegraded, got.State, "the liar does not count, and that is said")
		require.Equal(t, honest.Spot, got.Spot)
		require.Equal(t, honest.TWAP, got.TWAP)
		require.Equal(t, uint32(2), got.Sources)
		require.Equal(t, uint32(3), got.Fresh)
	}
	// Where the honest ones differ, the liar may choose between them and no more.
	for _, lie := range []uint64{p.MinMicro, p.MaxMicro} {
		got := reading(t, steady(t, noon(), 40*time.Minute, three(2_500_000, lie, 2_510_000)...), end)
		high, err := got.Release()
		require.NoError(t, err)
		low, err := got.Credit()
		require.NoError(t, err)
		require.LessOrEqual(t, high.MicroPerToken, uint64(2_510_000))
		require.GreaterOrEqual(t, low.MicroPerToken, uint64(2_500_000))
	}
}

// The edges of the outlier's range: 1.5 % of the mean counts, a millionth more does not.
func TestOutlierEdges(t *testing.T) {
	for _, c := range []struct {
		quote uint64
		count uint32
	}{{2_537_500, 3}, {2_537_501, 2}, {2_462_500, 3}, {2_462_499, 2}} {
		o := steady(t, noon(), 40*time.Minute, three(2_500_000, 2_500_000, 2_500_000)...)
		at := noon().Add(40*time.Minute + 10*time.Second)
		quoteAll(t, o, at, tokenomics.Quoted{Source: "c", MicroPerToken: c.quote})
		require.Equal(t, c.count, reading(t, o, at).Sources, "%d", c.quote)
	}
}

// The edges of staleness, of the warm-up and of the window, to the nanosecond.
func TestOracleEdges(t *testing.T) {
	o := steady(t, noon(), 10*time.Minute, three(2_000_000, 2_000_000, 2_000_000)...)
	last := noon().Add(10 * time.Minute)
	fresh := reading(t, o, last.Add(5*time.Minute-1))
	require.Equal(t, uint32(3), fresh.Fresh)
	require.Equal(t, tokenomics.OracleNoQuorum, fresh.State, "a nanosecond of the warm-up is missing")
	require.Equal(t, 15*time.Minute-1, fresh.Window)
	stale := reading(t, o, last.Add(5*time.Minute))
	require.Equal(t, uint32(0), stale.Fresh)
	require.Equal(t, tokenomics.OracleStale, stale.State)
	require.Equal(t, 15*time.Minute, stale.Window)
	require.Equal(t, stale.Window, reading(t, o, noon().Add(30*time.Minute)).Window)
	require.Equal(t, 15*time.Minute-1, reading(t, o, noon().Add(30*time.Minute+1)).Window, "the window has left the first nanosecond")
	require.Equal(t, time.Duration(1), reading(t, o, noon().Add(45*time.Minute-1)).Window)
	empty := reading(t, o, noon().Add(45*time.Minute))
	require.Zero(t, empty.Window)
	require.Zero(t, empty.TWAP)
	require.Zero(t, empty.Spot)

	// One more minute, and the warm-up is over in the instant in which it is complete.
	o = steady(t, noon(), 15*time.Minute, three(2_000_000, 2_000_000, 2_000_000)...)
	require.Equal(t, tokenomics.OracleOK, reading(t, o, noon().Add(15*time.Minute)).State)

	// The mean weighs by time: 20 minutes at 2 dollars, 10 at 2.03, the last nanosecond not yet counted.
	for at := noon().Add(16 * time.Minute); at.Before(noon().Add(20 * time.Minute)); at = at.Add(time.Minute) {
		quoteAll(t, o, at, three(2_000_000, 2_000_000, 2_000_000)...)
	}
	for at := noon().Add(20 * time.Minute); !at.After(noon().Add(30 * time.Minute)); at = at.Add(time.Minute) {
		quoteAll(t, o, at, three(2_030_000, 2_030_000, 2_030_000)...)
	}
	r := reading(t, o, noon().Add(30*time.Minute))
	require.Equal(t, uint64(2_010_000), r.TWAP.MicroPerToken)
	high, err := r.Release()
	require.NoError(t, err)
	require.Equal(t, r.Spot, high)
	low, err := r.Credit()
	require.NoError(t, err)
	require.Equal(t, r.TWAP, low)
	require.Equal(t, uint64(2_010_000), low.MicroPerToken)
	later := reading(t, o, noon().Add(30*time.Minute+1))
	high, err = later.Release()
	require.NoError(t, err)
	require.Equal(t, uint64(2_030_000), high.MicroPerToken)
	require.Equal(t, uint64(2_010_000), later.TWAP.MicroPerToken, "the fraction is dropped")
}

// Release rounds up and Credit down, also where the mean is the higher one.
func TestReadingRounds(t *testing.T) {
	o := newOracle(t, tokenomics.DefaultOracle("a", "b", "c", "d"))
	at := noon()
	for ; at.Before(noon().Add(20 * time.Minute)); at = at.Add(time.Minute) {
		quoteAll(t, o, at, append(three(2_000_000, 2_000_000, 2_000_001), tokenomics.Quoted{Source: "d", MicroPerToken: 2_000_001})...)
	}
	r := reading(t, o, at)
	require.Equal(t, uint64(2_000_000), r.Spot.MicroPerToken)
	require.Equal(t, uint64(2_000_000), r.TWAP.MicroPerToken)
	high, err := r.Release()
	require.NoError(t, err)
	require.Equal(t, uint64(2_000_001), high.MicroPerToken, "half a millionth, up")
	low, err := r.Credit()
	require.NoError(t, err)
	require.Equal(t, uint64(2_000_000), low.MicroPerToken)
	require.Equal(t, uint64(1), r.SpreadBps)
}

func TestOracleRefuses(t *testing.T) {
	p := tokenomics.DefaultOracle("a", "b", "c")
	o := newOracle(t, p)
	at := noon()
	quoteAll(t, o, at, three(2_000_000, 2_000_000, 2_000_000)...)
	at = at.Add(time.Minute)
	_, err := o.Apply(at, tokenomics.Ticked{})
	require.NoError(t, err)
	for _, c := range []struct {
		name string
		at   time.Time
		e    tokenomics.OracleEvent
		err  error
		says string
	}{
		{"clock back", at.Add(-1), tokenomics.Ticked{}, tokenomics.ErrTimeBackwards, "after 2024-06-20T12:01:00Z"},
		{"no event", at, nil, tokenomics.ErrEvent, "<nil>"},
		{"before 1970", time.Unix(-1, 0), tokenomics.Ticked{}, tokenomics.ErrOverflow, "1970 to 2254"},
		{"after 2254", time.Unix(8_993_721_600, 0), tokenomics.Ticked{}, tokenomics.ErrOverflow, "1970 to 2254"},
		{"nobody", at, tokenomics.Quoted{Source: "d", MicroPerToken: 2_000_000, SeenAt: at}, tokenomics.ErrSource, `"d"`},
		{"below the least price", at, tokenomics.Quoted{Source: "a", MicroPerToken: 999, SeenAt: at}, tokenomics.ErrPrice, "want 1000 to 1000000000"},
		{"above the largest", at, tokenomics.Quoted{Source: "a", MicroPerToken: 1_000_000_001, SeenAt: at}, tokenomics.ErrPrice, ""},
		{"of the future", at, tokenomics.Quoted{Source: "a", MicroPerToken: 2_000_000, SeenAt: at.Add(1)}, tokenomics.ErrQuoteTime, "which is after"},
		{"no time", at, tokenomics.Quoted{Source: "a", MicroPerToken: 2_000_000}, tokenomics.ErrQuoteTime, "stale"},
		{"stale", at.Add(time.Hour), tokenomics.Quoted{Source: "a", MicroPerToken: 2_000_000, SeenAt: at.Add(55 * time.Minute)}, tokenomics.ErrQuoteTime, "stale"},
		{"late", at, tokenomics.Quoted{Source: "a", MicroPerToken: 2_000_000, SeenAt: noon().Add(-1)}, tokenomics.ErrQuoteTime, "told of 2024-06-20T12:00:00Z before"},
		{"the same time, another price", at, tokenomics.Quoted{Source: "a", MicroPerToken: 2_000_001, SeenAt: noon()}, tokenomics.ErrQuoteTime, "before"},
		{"too soon", at, tokenomics.Quoted{Source: "a", MicroPerToken: 2_000_000, SeenAt: noon().Add(5*time.Second - 1)}, tokenomics.ErrQuoteTime, "again 5s later"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := o.Digest()
			effects, err := o.Apply(c.at, c.e)
			require.ErrorIs(t, err, c.err)
			require.ErrorContains(t, err, c.says)
			require.Nil(t, effects)
			require.Equal(t, before, o.Digest())
		})
	}
	_, err = o.Reading(at.Add(-1))
	require.ErrorIs(t, err, tokenomics.ErrTimeBackwards)
	// The neighbours that are taken.
	same := o.Digest()
	_, err = o.Apply(at, tokenomics.Quoted{Source: "a", MicroPerToken: 2_000_000, SeenAt: noon()})
	require.NoError(t, err, "the same quote again")
	require.Equal(t, same, o.Digest(), "and it counts once")
	for _, e := range []tokenomics.Quoted{
		{Source: "a", MicroPerToken: 1_000, SeenAt: noon().Add(5 * time.Second)},
		{Source: "b", MicroPerToken: 1_000_000_000, SeenAt: at},
	} {
		_, err = o.Apply(at, e)
		require.NoError(t, err)
	}
	at = at.Add(time.Hour)
	_, err = o.Apply(at, tokenomics.Quoted{Source: "a", MicroPerToken: 2_000_000, SeenAt: at.Add(1 - 5*time.Minute)})
	require.NoError(t, err, "a nanosecond before it is stale")
	_, err = o.Apply(time.Unix(8_993_721_599, 999_999_999), tokenomics.Ticked{})
	require.NoError(t, err)
	require.NoError(t, o.Audit())
	first := newOracle(t, p)
	_, err = first.Apply(time.Unix(0, 0), tokenomics.Quoted{Source: "a", MicroPerToken: 2_000_000, SeenAt: time.Unix(-1, 0)})
	require.ErrorIs(t, err, tokenomics.ErrQuoteTime)
	_, err = first.Apply(time.Unix(0, 0), tokenomics.Quoted{Source: "a", MicroPerToken: 2_000_000, SeenAt: time.Unix(0, 0)})
	require.NoError(t, err)
	require.NoError(t, first.Audit())
	require.Equal(t, uint32(1), reading(t, first, time.Unix(0, 0)).Fresh)
}

// What a flood leaves is bounded, whatever is sent, and what is forgotten was not needed.
func TestOracleMemoryIsBounded(t *testing.T) {
	p := quickOracle()
	p.StaleAfter = p.Window
	o, at := newOracle(t, p), noon()
	most := uint32(0)
	for range 500 {
		at = at.Add(time.Second)
		_, _ = o.Apply(at, tokenomics.Quoted{Source: "a", MicroPerToken: 2_000_000, SeenAt: at})
		most = max(most, reading(t, o, at).Samples)
		require.NoError(t, o.Audit())
	}
	require.Equal(t, uint64(31), p.MaxSamples())
	require.Equal(t, uint32(31), most, "the bound is reached")
	require.Less(t, len(o.Snapshot()), 31*16+256)
	_, err := o.Apply(at.Add(24*time.Hour), tokenomics.Ticked{})
	require.NoError(t, err)
	require.Equal(t, uint32(1), reading(t, o, at.Add(24*time.Hour)).Samples, "the newest one stays")
}

// The edges of a jump: 20 % from the last median of the epoch before does not halt, a millionth more does.
func TestJumpEdges(t *testing.T) {
	for _, c := range []struct {
		to     uint64
		halted bool
	}{{2_400_000, false}, {2_400_001, true}, {1_600_000, false}, {1_599_999, true}} {
		o := steady(t, noon(), 70*time.Minute, three(2_000_000, 2_000_000, 2_000_000)...)
		quoteAll(t, o, noon().Add(71*time.Minute), three(c.to, c.to, c.to)...)
		require.Equal(t, c.halted, o.State() == tokenomics.OracleHalted, "%d", c.to)
	}
}

func TestRestoreOracleRefuses(t *testing.T) {
	o := steady(t, noon(), 20*time.Minute, three(2_000_000, 2_000_000, 2_000_000)...)
	p := tokenomics.DefaultOracle("a", "b", "c")
	good := o.Snapshot()
	back, err := tokenomics.RestoreOracle(p, good)
	require.NoError(t, err)
	require.Equal(t, good, back.Snapshot())
	require.Equal(t, reading(t, o, noon().Add(time.Hour)), reading(t, back, noon().Add(time.Hour)))
	for n := range good {
		_, err := tokenomics.RestoreOracle(p, good[:n])
		require.ErrorIs(t, err, tokenomics.ErrSnapshot, "%d bytes of %d", n, len(good))
	}
	_, err = tokenomics.RestoreOracle(p, append(good, 0))
	require.ErrorIs(t, err, tokenomics.ErrSnapshot)
	other := p
	other.Version = "test/2"
	_, err = tokenomics.RestoreOracle(other, good)
	require.ErrorContains(t, err, `"idlegrid/oracle/1" with 3 sources, not "test/2" with 3`)
	four := tokenomics.DefaultOracle("a", "b", "c", "d")
	_, err = tokenomics.RestoreOracle(four, good)
	require.ErrorIs(t, err, tokenomics.ErrSnapshot)
	_, err = tokenomics.RestoreOracle(p, newOracle(t, four).Snapshot())
	require.ErrorContains(t, err, `"idlegrid/oracle/1" with 4 sources, not "idlegrid/oracle/1" with 3`)
	other = p
	other.Quorum = 4
	_, err = tokenomics.RestoreOracle(other, good)
	require.ErrorIs(t, err, tokenomics.ErrOracle)
}

// Snapshots that are whole and still are of no oracle. Each row changes one value of a good one.
func TestRestoreOracleRefusesForgeries(t *testing.T) {
	p := quickOracle()
	p.Sources, p.Quorum, p.Least = []string{"a"}, 1, 1
	at := noon().UnixNano()
	type sample struct {
		seen  int64
		micro uint64
	}
	type forged struct {
		at           int64
		halted       bool
		since, epoch int64
		anchor, last uint64
		samples      []sample
	}
	const s = int64(time.Second)
	good := func() forged {
		return forged{
			at: at, epoch: at / int64(p.Epoch), anchor: 2_000_000, last: 2_000_000,
			samples: []sample{{at - 4*s, 2_000_000}, {at - 2*s, 2_000_000}},
		}
	}
	restore := func(f forged) error {
		w := canon.NewWriter("idlegrid/tokenomics/oracle/v1")
		w.String(p.Version)
		w.Int64(f.at)
		w.Bool(f.halted)
		w.Int64(f.since)
		w.Int64(f.epoch)
		w.Uint64(f.anchor)
		w.Uint64(f.last)
		w.Len(1)
		w.Len(len(f.samples))
		for _, x := range f.samples {
			w.Int64(x.seen)
			w.Uint64(x.micro)
		}
		_, err := tokenomics.RestoreOracle(p, w.Data())
		return err
	}
	require.NoError(t, restore(good()))
	for _, micro := range []uint64{p.MinMicro, p.MaxMicro} {
		f := good()
		f.anchor, f.last, f.samples[0].micro, f.samples[1].micro = micro, micro, micro, micro
		require.NoError(t, restore(f), "the bounds themselves are believed")
	}
	for _, c := range []struct {
		name  string
		spoil func(f *forged)
		says  string
	}{
		{"before 1970", func(f *forged) { f.at = -1 }, "the last event is at"},
		{"too late", func(f *forged) { f.at = 8_993_721_600 * s }, "the last event is at"},
		{"sample of the future", func(f *forged) { f.samples[1].seen = at + 1 }, "sample 2"},
		{"sample before 1970", func(f *forged) { f.samples[0].seen = -1 }, "sample 1"},
		{"samples too near", func(f *forged) { f.samples[1].seen-- }, "sample 2"},
		{"price too low", func(f *forged) { f.samples[0].micro = 999_999 }, "quotes 999999"},
		{"price too high", func(f *forged) { f.samples[0].micro = 10_000_000_001 }, "quotes 10000000001"},
		{"sample of no use", func(f *forged) { f.samples[0].seen = at - 80*s }, "nobody needs"},
		{"too many samples", func(f *forged) {
			for range p.MaxSamples() {
				f.samples = append(f.samples, f.samples[1])
			}
		}, "at most"},
		{"halt without a halt", func(f *forged) { f.since = 1 }, "halted false"},
		{"halt of the future", func(f *forged) { f.halted, f.since = true, at+1 }, "halted true"},
		{"halt before 1970", func(f *forged) { f.halted, f.since = true, -1 }, "halted true"},
		{"epoch of the future", func(f *forged) { f.epoch++ }, "a median in epoch"},
		{"epoch before 1970", func(f *forged) { f.epoch = -1 }, "a median in epoch"},
		{"anchor too low", func(f *forged) { f.anchor = 999_999 }, "medians 999999"},
		{"anchor too high", func(f *forged) { f.anchor = 10_000_000_001 }, "medians 10000000001"},
		{"no last median", func(f *forged) { f.last = 0 }, "medians 2000000 and 0"},
		{"last median of nobody", func(f *forged) { f.last = 2_000_001 }, "the brake is"},
		{"a jump without a halt", func(f *forged) { f.anchor = 1_000_000 }, "the brake is"},
		{"no memory of a median", func(f *forged) { f.epoch, f.anchor, f.last = 0, 0, 0 }, "the brake is"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := good()
			c.spoil(&f)
			err := restore(f)
			require.ErrorIs(t, err, tokenomics.ErrSnapshot)
			require.ErrorContains(t, err, c.says)
		})
	}
	last := good()
	last.samples[0].seen = at - 60*s - 20*s + 1
	require.NoError(t, restore(last), "a nanosecond of it is in the window")
}

func TestOracleParamsValidate(t *testing.T) {
	good := tokenomics.DefaultOracle("a", "b", "c")
	require.NoError(t, good.Validate())
	require.Equal(t, uint64(361), good.MaxSamples())
	_, err := tokenomics.NewOracle(tokenomics.DefaultOracle())
	require.ErrorIs(t, err, tokenomics.ErrOracle)
	many := make([]string, 33)
	for i := range many {
		many[i] = fmt.Sprintf("%02d", i)
	}
	for _, c := range []struct {
		name  string
		spoil func(p *tokenomics.OracleParams)
		ok    bool
	}{
		{"no version", func(p *tokenomics.OracleParams) { p.Version = "" }, false},
		{"most sources", func(p *tokenomics.OracleParams) { p.Sources = many[:32] }, true},
		{"one more", func(p *tokenomics.OracleParams) { p.Sources = many }, false},
		{"a source without a name", func(p *tokenomics.OracleParams) { p.Sources = []string{"", "b", "c"} }, false},
		{"longest name", func(p *tokenomics.OracleParams) { p.Sources = []string{"a", "b", strings.Repeat("c", 64)} }, true},
		{"name too long", func(p *tokenomics.OracleParams) { p.Sources = []string{"a", "b", strings.Repeat("c", 65)} }, false},
		{"source twice", func(p *tokenomics.OracleParams) { p.Sources = []string{"a", "b", "b"} }, false},
		{"out of order", func(p *tokenomics.OracleParams) { p.Sources = []string{"a", "c", "b"} }, false},
		{"all equal to the quorum", func(p *tokenomics.OracleParams) { p.Least = 3 }, true},
		{"least above the quorum", func(p *tokenomics.OracleParams) { p.Least = 4 }, false},
		{"nobody at least", func(p *tokenomics.OracleParams) { p.Least = 0 }, false},
		{"quorum of more than all", func(p *tokenomics.OracleParams) { p.Quorum = 4 }, false},
		{"no window", func(p *tokenomics.OracleParams) { p.Window = 0 }, false},
		{"longest window", func(p *tokenomics.OracleParams) { p.Window, p.Spacing = 366*24*time.Hour, time.Hour }, true},
		{"window too long", func(p *tokenomics.OracleParams) { p.Window, p.Spacing = 366*24*time.Hour+1, time.Hour }, false},
		{"stale as the window ends", func(p *tokenomics.OracleParams) { p.StaleAfter = p.Window }, true},
		{"stale later", func(p *tokenomics.OracleParams) { p.StaleAfter = p.Window + 1 }, false},
		{"stale at once", func(p *tokenomics.OracleParams) { p.StaleAfter = 0 }, false},
		{"warm-up of the window", func(p *tokenomics.OracleParams) { p.Warmup = p.Window }, true},
		{"warm-up beyond", func(p *tokenomics.OracleParams) { p.Warmup = p.Window + 1 }, false},
		{"no warm-up", func(p *tokenomics.OracleParams) { p.Warmup = 0 }, false},
		{"no spacing", func(p *tokenomics.OracleParams) { p.Spacing = 0 }, false},
		{"spacing beyond", func(p *tokenomics.OracleParams) { p.Spacing = p.Window + 1 }, false},
		{"most samples", func(p *tokenomics.OracleParams) {
			p.Window, p.StaleAfter, p.Warmup, p.Spacing = 99_999, 999, 1, 1
		}, true},
		{"one more sample", func(p *tokenomics.OracleParams) {
			p.Window, p.StaleAfter, p.Warmup, p.Spacing = 100_000, 999, 1, 1
		}, false},
		{"no epoch", func(p *tokenomics.OracleParams) { p.Epoch = 0 }, false},
		{"epoch too long", func(p *tokenomics.OracleParams) { p.Epoch = 366*24*time.Hour + 1 }, false},
		{"everything is an outlier", func(p *tokenomics.OracleParams) { p.OutlierBps = 0 }, false},
		{"widest outlier", func(p *tokenomics.OracleParams) { p.OutlierBps = 10_000 }, true},
		{"wider", func(p *tokenomics.OracleParams) { p.OutlierBps = 10_001 }, false},
		{"everything is a jump", func(p *tokenomics.OracleParams) { p.JumpBps = 0 }, false},
		{"widest jump", func(p *tokenomics.OracleParams) { p.JumpBps = 10_000 }, true},
		{"wider jump", func(p *tokenomics.OracleParams) { p.JumpBps = 10_001 }, false},
		{"free", func(p *tokenomics.OracleParams) { p.MinMicro = 0 }, false},
		{"one price", func(p *tokenomics.OracleParams) { p.MinMicro = p.MaxMicro }, true},
		{"no price", func(p *tokenomics.OracleParams) { p.MinMicro = p.MaxMicro + 1 }, false},
		{"dearest", func(p *tokenomics.OracleParams) { p.MaxMicro = 1e15 }, true},
		{"too dear", func(p *tokenomics.OracleParams) { p.MaxMicro = 1e15 + 1 }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := tokenomics.DefaultOracle("a", "b", "c")
			c.spoil(&p)
			_, err := tokenomics.NewOracle(p)
			if c.ok {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, tokenomics.ErrOracle)
		})
	}
	text, err := json.Marshal(good)
	require.NoError(t, err)
	var back tokenomics.OracleParams
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, good, back)
	// An oracle keeps no reference to the caller's slice.
	o := newOracle(t, back)
	back.Sources[0] = "z"
	quoteAll(t, o, noon(), three(2_000_000, 2_000_000, 2_000_000)...)
}
