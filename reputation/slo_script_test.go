package reputation_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/script"
	"github.com/idlegrid/idlegrid/reputation"
)

// TestSLOScripts plays testdata/slo/*.script.txt. Commands: contract [objective=] [window=]; at t=; wait for=; start; seen up=yes|no
// [boot=]; watch up= for= [every=]; announce in= for=; fault ago= for=; tick; end; status; restart.
func TestSLOScripts(t *testing.T) {
	script.Run(t, "testdata/slo/*.script.txt", func(t *testing.T) func(script.Command) string {
		c := reputation.DefaultContract("lease")
		s, err := reputation.NewSLO(c)
		require.NoError(t, err)
		at := start
		return func(cmd script.Command) string {
			duration := func(key, otherwise string) time.Duration {
				d, err := time.ParseDuration(cmd.Opt(key, otherwise))
				require.NoError(t, err)
				return d
			}
			switch cmd.Name {
			case "contract":
				if cmd.Has("objective") {
					c.ObjectivePPM, c.Ladder = uint32(cmd.Uint("objective")), nil
				}
				c.Window = duration("window", "0s")
				if s, err = reputation.NewSLO(c); err != nil {
					return err.Error()
				}
				return ""
			case "at":
				at, err = time.Parse(time.RFC3339, cmd.Str("t"))
				require.NoError(t, err)
				return ""
			case "wait":
				at = at.Add(duration("for", ""))
				return ""
			case "watch":
				var out strings.Builder
				for end, every := at.Add(duration("for", "")), duration("every", "1m"); at.Before(end); {
					at = at.Add(every)
					out.WriteString(sloStep(t, s, at, seen{Up: cmd.Str("up") == "yes"}))
				}
				return out.String()
			case "status":
				return statusLines(s.Status())
			case "restart":
				again, err := reputation.RestoreSLO(c, s.Snapshot())
				require.NoError(t, err)
				require.Equal(t, s.Digest(), again.Digest())
				s = again
				return ""
			}
			return sloStep(t, s, at, sloEvent(t, cmd, at, duration))
		}
	})
}

func sloEvent(t *testing.T, cmd script.Command, at time.Time, duration func(key, otherwise string) time.Duration) reputation.SLOEvent {
	t.Helper()
	switch cmd.Name {
	case "start":
		return started{}
	case "end":
		return over{}
	case "tick":
		return tick{}
	case "seen":
		e := seen{Up: cmd.Str("up") == "yes"}
		if cmd.Has("boot") {
			e.Boot = cmd.Uint("boot")
		}
		return e
	case "announce":
		from := at.Add(duration("in", ""))
		return reputation.MaintenanceAnnounced{From: from, To: from.Add(duration("for", ""))}
	case "fault":
		from := at.Add(-duration("ago", ""))
		return reputation.RenterFaulted{From: from, To: from.Add(duration("for", ""))}
	}
	t.Fatalf("unknown command %q", cmd.Name)
	return nil
}

func sloStep(t *testing.T, s *reputation.SLO, at time.Time, e reputation.SLOEvent) string {
	t.Helper()
	before := s.Digest()
	out, err := s.Apply(at, e)
	require.NoError(t, s.Audit())
	if err != nil {
		require.Equal(t, before, s.Digest())
		return err.Error()
	}
	var text strings.Builder
	for _, e := range out {
		switch e := e.(type) {
		case reputation.Alert:
			fmt.Fprintf(&text, "%s alert %s: %d s, %d s\n", e.At.Format(time.DateTime), e.Rule.Name, e.LongLost, e.ShortLost)
		case reputation.Recovered:
			fmt.Fprintf(&text, "%s recovered %s: %d s, %d s\n", e.At.Format(time.DateTime), e.Rule.Name, e.LongLost, e.ShortLost)
		case reputation.PeriodEnded:
			fmt.Fprintf(&text, "ended %s\n", attainedLine(e.Attained))
		case reputation.Breach:
			fmt.Fprintf(&text, "breach %d of %d s, %d ppm: %d bps\n", e.GoodSeconds, e.TotalSeconds, e.UptimePPM, e.CreditBps)
		}
	}
	return text.String()
}

func attainedLine(a reputation.Attained) string {
	return fmt.Sprintf("%s to %s: good %d, lost %d, excused %d, unobserved %d; %d outages, %d restarts", a.From.Format(time.DateTime),
		a.To.Format(time.DateTime), a.GoodSeconds, a.LostSeconds, a.ExcusedSeconds, a.UnobservedSeconds, a.Outages, a.Restarts)
}

func statusLines(st reputation.SLOStatus) string {
	out := "period " + attainedLine(st.Period) + "\nlease " + attainedLine(st.Lease) + "\n"
	out += fmt.Sprintf("running %v, up %v, budget %d s, left %d s", st.Running, st.Up, st.BudgetSeconds, st.BudgetLeftSeconds)
	for _, r := range st.Burning {
		out += ", burning " + r.Name
	}
	return out
}
