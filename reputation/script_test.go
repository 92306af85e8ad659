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

// TestScripts plays testdata/*.script.txt. Commands: at t=; wait for=; join x=; seen x= up=yes|no; watch x= up= for= [every=];
// score x= [horizon=]; explain x= [horizon=]; restart.
func TestScripts(t *testing.T) {
	script.Run(t, "testdata/*.script.txt", func(t *testing.T) func(script.Command) string {
		b := book(t)
		at := start
		return func(c script.Command) string {
			duration := func(key, otherwise string) time.Duration {
				d, err := time.ParseDuration(c.Opt(key, otherwise))
				require.NoError(t, err)
				return d
			}
			switch c.Name {
			case "at":
				var err error
				at, err = time.Parse(time.RFC3339, c.Str("t"))
				require.NoError(t, err)
				return ""
			case "wait":
				at = at.Add(duration("for", ""))
				return ""
			case "restart":
				again, err := reputation.Restore(reputation.Default(), b.Snapshot())
				require.NoError(t, err)
				require.Equal(t, b.Digest(), again.Digest())
				b = again
				return ""
			case "score":
				return scoreLine(b, reputation.Subject(c.Str("x")), at, duration("horizon", "24h"))
			case "explain":
				return explainLines(b, reputation.Subject(c.Str("x")), at, duration("horizon", "24h"))
			case "join":
				return step(t, b, at, reputation.Joined{Subject: reputation.Subject(c.Str("x"))})
			case "seen":
				return step(t, b, at, reputation.Seen{Subject: reputation.Subject(c.Str("x")), Up: c.Str("up") == "yes"})
			case "watch":
				var out strings.Builder
				e := reputation.Seen{Subject: reputation.Subject(c.Str("x")), Up: c.Str("up") == "yes"}
				for end, every := at.Add(duration("for", "")), duration("every", "30m"); at.Before(end); {
					at = at.Add(every)
					out.WriteString(step(t, b, at, e))
				}
				return out.String()
			}
			t.Fatalf("unknown command %q", c.Name)
			return ""
		}
	})
}

func step(t *testing.T, b *reputation.Book, at time.Time, e reputation.Event) string {
	t.Helper()
	before := b.Digest()
	out, err := b.Apply(at, e)
	require.NoError(t, b.Audit())
	if err != nil {
		require.Equal(t, before, b.Digest())
		return err.Error()
	}
	var text strings.Builder
	for _, e := range out {
		switch e := e.(type) {
		case reputation.WentDown:
			fmt.Fprintf(&text, "%s went down at %s, counted %v\n", e.Subject, e.At.Format(time.DateTime), e.Counted)
		case reputation.CameUp:
			fmt.Fprintf(&text, "%s came up at %s\n", e.Subject, e.At.Format(time.DateTime))
		}
	}
	return text.String()
}

func scoreLine(b *reputation.Book, s reputation.Subject, at time.Time, horizon time.Duration) string {
	sc, ok := b.Score(s, at, horizon)
	if !ok {
		return "unknown"
	}
	return fmt.Sprintf("up %d [%d, %d] standing %d, is up %v, observed %v", sc.UpPPM, sc.LowPPM, sc.HighPPM, sc.Standing, sc.Up, sc.Observed)
}

func explainLines(b *reputation.Book, s reputation.Subject, at time.Time, horizon time.Duration) string {
	x, ok := b.Explain(s, at, horizon)
	if !ok {
		return "unknown"
	}
	out := fmt.Sprintf("from %d to %d: %+d\n", x.FromPPM, x.ToPPM, x.MicroNats)
	for _, t := range x.Terms {
		out += fmt.Sprintf("  %s %+d (%d milli-outages, %v)\n", t.Name, t.MicroNats, t.MilliOutages, t.Exposure)
	}
	return out
}
