package sched_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/script"
	"github.com/idlegrid/idlegrid/sched"
)

// TestScripts plays testdata/*.script.txt. Times are hours and minutes after noon: at t=1h30m.
func TestScripts(t *testing.T) {
	script.Run(t, "testdata/*.script.txt", func(t *testing.T) func(script.Command) string {
		f, err := sched.NewFleet(sched.IONet())
		require.NoError(t, err)
		s := &stage{t: t, f: f, at: noon}
		return s.do
	})
}

type stage struct {
	t  *testing.T
	f  *sched.Fleet
	at time.Time
}

func (s *stage) do(c script.Command) string {
	var e sched.Event
	switch c.Name {
	case "at":
		d, err := time.ParseDuration(c.Str("t"))
		require.NoError(s.t, err)
		s.at = noon.Add(d)
		return ""
	case "up":
		n := machine(sched.NodeID(c.Str("node")), sched.SiteID(c.Str("site")), int(number(c, "cards", 8)))
		n.Model = c.Opt("model", n.Model)
		n.Country = c.Opt("country", n.Country)
		n.HourMicro = number(c, "price", n.HourMicro)
		n.StandingPPM = uint32(number(c, "standing", uint64(n.StandingPPM)))
		n.Tier = uint8(number(c, "tier", uint64(n.Tier)))
		n.CPUMilli = number(c, "cpu", n.CPUMilli)
		n.RAMMiB = number(c, "ram", n.RAMMiB)
		n.MemoryMiB = number(c, "mem", n.MemoryMiB)
		n.Connectivity = uint8(number(c, "connectivity", uint64(n.Connectivity)))
		if c.Has("device") {
			n.Devices[0] = machine(sched.NodeID(c.Str("device")), "", 1).Devices[0]
		}
		e = sched.NodeUp{Node: n}
	case "down":
		e = sched.NodeDown{Node: sched.NodeID(c.Str("node"))}
	case "change":
		e = sched.NodeChanged{
			Node: sched.NodeID(c.Str("node")), Terms: sched.NodeTerms{
				Tier: uint8(number(c, "tier", 2)), StandingPPM: uint32(number(c, "standing", 950_000)), HourMicro: number(c, "price", 400_000),
			},
		}
	case "link":
		e = sched.LinkMeasured{
			A: sched.SiteID(c.Str("a")), B: sched.SiteID(c.Str("b")), DelayMicros: uint32(c.Uint("us")), Mbps: uint32(number(c, "mbps", 1000)),
		}
	case "submit":
		e = sched.Submitted{Request: request(s.t, c)}
	case "try":
		p, err := s.f.Try(request(s.t, c))
		if err != nil {
			return err.Error()
		}
		return strings.Join(p.Why(), "\n")
	case "finish":
		e = sched.Finished{Lease: sched.LeaseID(c.Str("lease"))}
	case "tick":
		e = sched.Ticked{}
	case "stats":
		return fmt.Sprintf("%+v", s.f.Stats())
	default:
		s.t.Fatalf("no command %q", c.Name)
	}
	return s.apply(e)
}

func (s *stage) apply(e sched.Event) string {
	before := s.f.Digest()
	effects, err := s.f.Apply(s.at, e)
	require.NoError(s.t, s.f.Audit())
	if err != nil {
		require.Equal(s.t, before, s.f.Digest())
		return err.Error()
	}
	var out []string
	for _, x := range effects {
		switch x := x.(type) {
		case sched.Leased:
			out = append(out, fmt.Sprintf("leased %s to %s until %v: %s", x.Lease.ID, x.Lease.Job, x.Lease.Until.Sub(noon), members(x.Lease.Members)))
		case sched.Ended:
			out = append(out, fmt.Sprintf("ended %s at %v, %v: %d devices, %d s each", x.Lease.ID, x.Lease.Until.Sub(noon), x.Cause, len(x.Usage),
				x.Usage[0].Seconds))
		}
	}
	return strings.Join(out, "\n")
}

func members(ms []sched.Member) string {
	var out []string
	for _, m := range ms {
		d := make([]string, len(m.Devices))
		for i := range d {
			d[i] = string(m.Devices[i])
		}
		out = append(out, strings.Join(d, "+"))
	}
	return strings.Join(out, " ")
}

func request(t *testing.T, c script.Command) sched.Request {
	d, err := time.ParseDuration(c.Opt("for", "1h"))
	require.NoError(t, err)
	r := sched.Request{
		Job: sched.JobID(c.Str("job")), Owner: "ann", Replicas: uint16(number(c, "replicas", 1)), GPUsPerReplica: uint16(number(c, "gpus", 1)),
		MinMemoryMiB: number(c, "mem", 0), CPUMilli: number(c, "cpu", 0), RAMMiB: number(c, "ram", 0),
		MinConnectivity: uint8(number(c, "connectivity", 0)), MaxSites: uint8(number(c, "sites", 1)), MaxDelayMicros: uint32(number(c, "us", 0)),
		MinMbps: uint32(number(c, "mbps", 0)), MaxHourMicro: number(c, "price", 0), MinStandingPPM: uint32(number(c, "standing", 0)),
		MinTier: uint8(number(c, "tier", 0)), Duration: d,
	}
	if c.Has("model") {
		r.Models = strings.Split(c.Str("model"), "|")
	}
	if c.Has("country") {
		r.Countries = slices.Collect(strings.SplitSeq(c.Str("country"), "|"))
	}
	return r
}

func number(c script.Command, key string, otherwise uint64) uint64 {
	if !c.Has(key) {
		return otherwise
	}
	return c.Uint(key)
}
