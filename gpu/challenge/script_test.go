package challenge_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu/challenge"
	"github.com/idlegrid/idlegrid/internal/script"
)

// TestScripts plays testdata/*.script.txt. Commands: barrier devices= [table=no] [rate=no]; begin; wait d=; tick; together; broken;
// outcome; and of one exchange: answer x= [times=] [lie=roots|walk|value|path|order|few|segment] [copy=exchange]; examine x=;
// decline x=; lost x=. An answer is the honest one, but for its lie.
func TestScripts(t *testing.T) {
	script.Run(t, "testdata/*.script.txt", func(t *testing.T) func(script.Command) string {
		c := newClock()
		var s *stage
		return func(k script.Command) string {
			switch k.Name {
			case "barrier":
				r := rated()
				if k.Opt("rate", "yes") == "no" {
					r = challenge.Rate{}
				}
				s = newStage(t, c, int(k.Uint("devices")), k.Opt("table", "yes") != "no", r)
				return ""
			case "wait":
				d, err := time.ParseDuration(k.Str("d"))
				require.NoError(t, err)
				c.add(d)
				return ""
			case "begin":
				return s.do(challenge.Begun{})
			case "tick":
				return s.do(challenge.Ticked{})
			case "broken":
				return s.do(challenge.Broken{})
			case "together":
				return s.together()
			case "outcome":
				o, over := s.b.Outcome()
				return fmt.Sprintf("over %v, late %v, complete %v", over, o.Late, o.Complete)
			}
			return of(t, s, k)
		}
	})
}

// of is a command of one exchange.
func of(t *testing.T, s *stage, k script.Command) string {
	t.Helper()
	x := int(k.Uint("x"))
	give := func(e challenge.Event) string { return s.do(challenge.Of{Exchange: uint32(x), Event: e}) }
	switch k.Name {
	case "answer":
		times := 1
		if k.Has("times") {
			times = int(k.Uint("times"))
		}
		out := ""
		for range times {
			e := s.answer(x)
			if k.Has("lie") {
				e = lie(t, k.Str("lie"), e)
			}
			if c, ok := e.(challenge.Committed); ok && k.Has("copy") {
				c.Commitment = s.players[k.Uint("copy")].roots
				e = c
			}
			out = give(e)
		}
		return out
	case "examine":
		return give(challenge.Examined{Err: s.players[x].examine.Verify()})
	case "decline":
		return give(challenge.Declined{})
	case "lost":
		return give(challenge.Broken{})
	}
	t.Fatalf("unknown command %q", k.Name)
	return ""
}

// lie changes one thing of an honest answer.
func lie(t *testing.T, how string, e challenge.Event) challenge.Event {
	t.Helper()
	switch e := e.(type) {
	case challenge.Committed:
		require.Equal(t, "roots", how)
		e.Commitment.Roots[1][0] ^= 1
		return e
	case challenge.Walked:
		require.Equal(t, "walk", how)
		e.Commitment.Root[0] ^= 1
		return e
	case challenge.Opened:
		switch how {
		case "value":
			e.Openings[0].Values[3]++
		case "path":
			e.Openings[0].Path[2][0] ^= 1
		case "order":
			e.Openings[0], e.Openings[1] = e.Openings[1], e.Openings[0]
		case "few":
			e.Openings = e.Openings[1:]
		case "segment":
			e.Segments[1].To[0]++
		default:
			t.Fatalf("no lie %q of openings", how)
		}
		return e
	}
	t.Fatalf("no lie %q of %T", how, e)
	return nil
}
