package sched_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/internal/script"
	"github.com/idlegrid/idlegrid/sched"
)

// TestScripts plays testdata/*.script.txt. Times are hours and minutes after noon: at t=1h30m.
func TestScripts(t *testing.T) {
	script.Run(t, "testdata/*.script.txt", func(t *testing.T) func(script.Command) string {
		s := &stage{t: t, policy: sched.IONet(), at: noon, views: map[string]*sched.View{}}
		s.begin()
		return s.do
	})
}

type stage struct {
	t      *testing.T
	policy sched.Policy
	f      *sched.Fleet
	at     time.Time
	views  map[string]*sched.View
}

func (s *stage) begin() {
	f, err := sched.NewFleet(s.policy)
	require.NoError(s.t, err)
	s.f = f
}

// do carries out one line. What is no event is a question.
func (s *stage) do(c script.Command) string {
	switch c.Name {
	case "policy":
		require.Zero(s.t, s.f.Stats().Nodes, "the policy stands before all events")
		require.NoError(s.t, s.policy.Backfill.UnmarshalText([]byte(c.Opt("backfill", s.policy.Backfill.String()))))
		s.policy.MaxQueue = uint32(number(c, "queue", uint64(s.policy.MaxQueue)))
		s.policy.SpotNoticeSeconds = uint32(number(c, "spot", uint64(s.policy.SpotNoticeSeconds)))
		s.begin()
		return ""
	case "at":
		s.at = noon.Add(duration(s.t, c.Str("t")))
		return ""
	case "restart": // the rest is played on a fleet that was restored
		f, err := sched.Restore(s.policy, s.f.Snapshot())
		require.NoError(s.t, err)
		require.Equal(s.t, s.f.Digest(), f.Digest())
		s.f = f
		return ""
	case "try":
		p, err := s.f.Try(request(s.t, c))
		if err != nil {
			return err.Error()
		}
		return strings.Join(append(p.Why(), s.from(p)...), "\n")
	case "stats":
		return fmt.Sprintf("%+v", s.f.Stats())
	case "why":
		v, err := s.f.Why(request(s.t, c), gpu.DeviceID(c.Str("device")))
		if err != nil {
			return err.Error()
		}
		return verdict(v)
	case "queue":
		return s.leases(s.f.Queue())
	case "leases":
		return s.leases(slices.Collect(s.f.Leases()))
	case "calendar":
		return s.calendar(s.f.Calendar(sched.NodeID(c.Str("node"))))
	case "view":
		s.views[c.Str("as")] = s.f.View()
		return ""
	case "in":
		v := s.views[c.Str("view")]
		return fmt.Sprintf("at %v: %+v\n%s", v.At().Sub(noon), v.Stats(), s.leases(slices.Collect(v.Leases())))
	}
	return s.apply(event(s.t, c))
}

// event reads an event about nodes; the others are leaseEvent's.
func event(t *testing.T, c script.Command) sched.Event {
	node := func() sched.NodeID { return sched.NodeID(c.Str("node")) }
	switch c.Name {
	case "up":
		return sched.NodeUp{Node: nodeOf(c)}
	case "down":
		return sched.NodeDown{Node: node()}
	case "change":
		return sched.NodeChanged{
			Node: node(), Terms: sched.NodeTerms{
				Tier: uint8(number(c, "tier", 2)), StandingPPM: uint32(number(c, "standing", 950_000)), HourMicro: number(c, "price", 400_000),
			},
		}
	case "drain":
		return sched.Drain{Node: node(), On: c.Opt("on", "yes") == "yes"}
	case "reclaim":
		return sched.Reclaim{Node: node()}
	case "rate":
		return sched.SiteRated{Site: sched.SiteID(c.Str("site")), LossPPM: uint32(c.Uint("loss"))}
	case "link":
		return sched.LinkMeasured{
			A: sched.SiteID(c.Str("a")), B: sched.SiteID(c.Str("b")), DelayMicros: uint32(c.Uint("us")), Mbps: uint32(number(c, "mbps", 1000)),
		}
	case "rotate":
		return sched.Rotated{Seed: uint32(c.Uint("seed"))}
	case "tick":
		return sched.Ticked{}
	}
	return leaseEvent(t, c)
}

func leaseEvent(t *testing.T, c script.Command) sched.Event {
	lease := func() sched.LeaseID { return sched.LeaseID(c.Str("lease")) }
	switch c.Name {
	case "submit":
		return sched.Submitted{Request: request(t, c)}
	case "hold":
		return sched.Hold{Request: request(t, c), TTL: duration(t, c.Opt("ttl", "0s"))}
	case "commit":
		return sched.Commit{Lease: lease()}
	case "release":
		return sched.Release{Lease: lease()}
	case "extend":
		return sched.Extend{Lease: lease(), By: duration(t, c.Str("by"))}
	case "finish":
		return sched.Finished{Lease: lease()}
	case "funds":
		return sched.FundsEnded{Lease: lease(), Until: noon.Add(duration(t, c.Str("until")))}
	case "pay":
		return sched.FundsAdded{Lease: lease()}
	case "migrate":
		return sched.Migrate{Moves: []sched.Move{{Lease: lease(), Rank: int(number(c, "rank", 0)), To: sched.NodeID(c.Str("to"))}}}
	}
	t.Fatalf("no command %q", c.Name)
	return nil
}

func nodeOf(c script.Command) sched.Node {
	n := machine(sched.NodeID(c.Str("node")), sched.SiteID(c.Str("site")), int(number(c, "cards", 8)))
	n.Supplier = sched.SupplierID(c.Opt("supplier", string(n.Supplier)))
	n.Model = c.Opt("model", n.Model)
	n.Country = c.Opt("country", n.Country)
	n.HourMicro = number(c, "price", n.HourMicro)
	n.StandingPPM = uint32(number(c, "standing", uint64(n.StandingPPM)))
	n.LossPPM = uint32(number(c, "loss", uint64(n.LossPPM)))
	n.Tier = uint8(number(c, "tier", uint64(n.Tier)))
	n.CPUMilli = number(c, "cpu", n.CPUMilli)
	n.RAMMiB = number(c, "ram", n.RAMMiB)
	n.MemoryMiB = number(c, "mem", n.MemoryMiB)
	n.Connectivity = uint8(number(c, "connectivity", uint64(n.Connectivity)))
	n.Shares, n.MIG = c.Opt("shares", "") == "yes", c.Opt("mig", "") == "yes"
	if c.Has("device") {
		n.Devices[0] = machine(sched.NodeID(c.Str("device")), "", 1).Devices[0]
	}
	return n
}

func (s *stage) apply(e sched.Event) string {
	before := s.f.Digest()
	effects, err := s.f.Apply(s.at, e)
	require.NoError(s.t, s.f.Audit())
	if err != nil {
		require.Equal(s.t, before, s.f.Digest())
		return err.Error()
	}
	out := make([]string, len(effects))
	for i, x := range effects {
		out[i] = s.effect(x)
	}
	return strings.Join(out, "\n")
}

// since writes an instant as the time after noon.
func since(at time.Time) string {
	if at.IsZero() {
		return "never"
	}
	return at.Sub(noon).String()
}

// stretch writes what a lease has, and from when if that is not now.
func (s *stage) stretch(l sched.Lease) string {
	out := "until " + since(l.Until)
	if !l.From.Equal(s.at) {
		out = "from " + since(l.From) + " " + out
	}
	if len(l.Members) > 0 {
		out += ": " + members(l.Members)
	}
	if len(l.Spares) > 0 {
		out += ", spare " + members(l.Spares)
	}
	return out
}

func (s *stage) effect(e sched.Effect) string {
	switch x := e.(type) {
	case sched.Held:
		return fmt.Sprintf("held %s for %s to %s %s", x.Lease.ID, x.Lease.Job, since(x.Until), s.stretch(x.Lease))
	case sched.HoldEnded:
		return fmt.Sprintf("gave up %s of %s: %v", x.Lease, x.Job, x.Cause)
	case sched.Leased:
		return fmt.Sprintf("leased %s to %s %s", x.Lease.ID, x.Lease.Job, s.stretch(x.Lease))
	case sched.Started:
		return fmt.Sprintf("started %s", x.Lease)
	case sched.Queued:
		return fmt.Sprintf("queued %s as %s, at the latest %s: %s", x.Job, x.Lease, since(x.Earliest), strings.TrimPrefix(x.Why.Error(), "sched: "))
	case sched.Extended:
		return fmt.Sprintf("extended %s until %s", x.Lease, since(x.Until))
	case sched.Notified:
		return strings.TrimSuffix(fmt.Sprintf("notified %s: %v at %s for %s", x.Lease, x.Cause, since(x.At), x.For), " for ")
	case sched.NoticeLifted:
		return fmt.Sprintf("lifted the notice of %s", x.Lease)
	case sched.Replaced:
		return fmt.Sprintf("replaced in %s, %v: %s by %s, %d from spares%s", x.Lease.ID, x.Cause, ranked(x.Lost), ranked(x.New), x.FromSpares, gaveUp(x.Relaxed))
	case sched.Requeued:
		return fmt.Sprintf("requeued %s as %s", x.Job, x.Lease)
	case sched.Moved:
		return fmt.Sprintf("moved in %s: %s to %s", x.Lease.ID, ranked(x.From), ranked(x.To))
	case sched.Ended:
		return fmt.Sprintf("ended %s at %s, %v: %s", x.Lease.ID, since(x.Lease.Until), x.Cause, usage(x.Usage))
	}
	return fmt.Sprintf("%T", e)
}

func gaveUp(list []sched.Change) string {
	if len(list) == 0 {
		return ""
	}
	return fmt.Sprintf(", without %v", list)
}

// usage writes equal devices in one.
func usage(list []sched.Usage) string {
	var out []string
	for i := 0; i < len(list); {
		j := i
		for j < len(list) && list[j].Seconds == list[i].Seconds && list[j].Milli == list[i].Milli {
			j++
		}
		line := fmt.Sprintf("%d devices, %d s each", j-i, list[i].Seconds)
		if m := list[i].Milli; m != 1000 {
			line += fmt.Sprintf(" of %d milli at %d", m, list[i].HourMicro)
		}
		out = append(out, line)
		i = j
	}
	if len(out) == 0 {
		return "no usage"
	}
	return strings.Join(out, "; ")
}

func members(ms []sched.Member) string {
	var out []string
	for _, m := range ms {
		d := make([]string, len(m.Devices))
		for i := range d {
			d[i] = string(m.Devices[i])
		}
		name := strings.Join(d, "+")
		switch {
		case m.ShareMilli != 0:
			name += fmt.Sprintf("*%d", m.ShareMilli)
		case m.MIGSlices != 0:
			name += fmt.Sprintf("[%08b]", m.MIGSlices)
		case len(d) == 0:
			name = string(m.Node)
		}
		out = append(out, name)
	}
	return strings.Join(out, " ")
}

// ranked is members with their ranks.
func ranked(ms []sched.Member) string {
	out := make([]string, len(ms))
	for i, m := range ms {
		out[i] = fmt.Sprintf("%d=%s", m.Rank, members(ms[i:i+1]))
	}
	return strings.Join(out, " ")
}

func (s *stage) leases(list []sched.Lease) string {
	out := make([]string, len(list))
	for i, l := range list {
		out[i] = fmt.Sprintf("%s of %s %v", l.ID, l.Job, l.State)
		if !l.From.IsZero() {
			out[i] += " " + s.stretch(l)
		}
		if l.Notice != 0 {
			out[i] += fmt.Sprintf(", %v at %s", l.Notice, since(l.NoticeAt))
		}
	}
	if len(out) == 0 {
		return "none"
	}
	return strings.Join(out, "\n")
}

func (s *stage) calendar(list []sched.Booking) string {
	out := make([]string, len(list))
	for i, b := range list {
		out[i] = fmt.Sprintf("%s %v %s to %s: %v", b.Lease, b.State, since(b.From), since(b.Until), b.Devices)
	}
	if len(out) == 0 {
		return "nothing"
	}
	return strings.Join(out, "\n")
}

// from is what a placement says beyond Why.
func (s *stage) from(p sched.Placement) (out []string) {
	if !p.From.Equal(s.at) {
		out = append(out, "from "+since(p.From))
	}
	if p.Alternative != 0 {
		out = append(out, fmt.Sprintf("alternative %d", p.Alternative))
	}
	return out
}

func verdict(v sched.Verdict) string {
	out := []string{fmt.Sprintf("%s of %s, taken %v, goes to %q, rank %d of %d", v.Device, v.Node, v.Taken, v.Chosen, v.Rank, v.Compared)}
	for _, f := range v.Fails {
		out = append(out, fmt.Sprintf("fails %v: has %d, needs %d", f.Reason, f.Have, f.Need))
	}
	if v.Lost != 0 {
		out = append(out, fmt.Sprintf("loses by %v: %d, winner %d; wins at %d", v.Lost, v.Had, v.Won, v.WinsAtHourMicro))
	}
	return strings.Join(out, "\n")
}
