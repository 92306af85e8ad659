package challenge_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu/challenge"
	"github.com/idlegrid/idlegrid/gpu/challenge/cpu"
)

// stage is a barrier with a prover for each exchange, and what each was asked last.
type stage struct {
	t       testing.TB
	b       *challenge.Barrier
	c       *clock
	draws   uint64
	players []*player
}

type player struct {
	*cpu.Prover
	asked   challenge.Effect // the last that wants an answer
	roots   challenge.Commitment
	examine challenge.Examine
}

// newStage sets up a barrier of devices with tables, or without.
func newStage(t testing.TB, c *clock, devices int, table bool, r challenge.Rate) *stage {
	t.Helper()
	s := &stage{t: t, c: c}
	var tasks []challenge.Task
	for i := range devices {
		spec := tabled()
		if !table {
			spec.Memory = challenge.MemorySpec{}
		}
		spec.Session, spec.Device = s.draw(), fmt.Sprint("GPU-", i)
		tasks = append(tasks, challenge.Task{Spec: spec, Rate: r})
		s.players = append(s.players, &player{Prover: prover(t)})
	}
	var err error
	s.b, err = challenge.NewBarrier(challenge.DefaultParams(), tasks)
	require.NoError(t, err)
	return s
}

// draw gives nonces that follow from how many were drawn.
func (s *stage) draw() challenge.Hash {
	s.draws++
	return sha256.Sum256(binary.BigEndian.AppendUint64(nil, s.draws))
}

// do applies an event and tells what followed, a line for each effect; a refusal changes nothing and is told as it is.
func (s *stage) do(e challenge.Event) string {
	s.t.Helper()
	before := s.b.Digest()
	effects, err := s.b.Apply(s.c.now, e)
	require.NoError(s.t, s.b.Audit())
	if err != nil {
		require.Equal(s.t, before, s.b.Digest())
		return err.Error()
	}
	var lines []string
	for _, f := range effects {
		lines = append(lines, s.told(f))
	}
	return strings.Join(lines, "\n")
}

func (s *stage) told(f challenge.Effect) string {
	at := func(t time.Time) string { return t.Format("15:04:05.000") }
	switch f := f.(type) {
	case challenge.To:
		p := s.players[f.Exchange]
		var text string
		switch g := f.Effect.(type) {
		case challenge.SendPing:
			p.asked, text = g, "ping"
		case challenge.SendFill:
			p.asked, text = g, fmt.Sprintf("fill %d bytes", g.Spec.Memory.Bytes)
		case challenge.SendWork:
			p.asked, text = g, fmt.Sprintf("work n=%d rounds=%d", g.Spec.N, g.Spec.Rounds)
		case challenge.SendWalk:
			p.asked, text = g, "walk"
		case challenge.SendOpen:
			p.asked, text = g, "open"
		case challenge.Examine:
			p.asked, p.examine, text = nil, g, "examine"
		case challenge.Ready:
			p.asked, text = nil, "ready"
		case challenge.WakeAt:
			text = "wake at " + at(g.At)
		case challenge.Judged:
			v := g.Verdict
			p.asked, text = nil, strings.TrimRight(fmt.Sprintf("judged %q passed=%v failed=%v rates judged %v %v: %s", v.Reason, v.Passed(), v.Failed(),
				v.RateJudged, v.ReadsJudged, v.Text), ": ")
		default:
			text = fmt.Sprintf("%T", g)
		}
		return fmt.Sprintf("%d: %s", f.Exchange, text)
	case challenge.Assembled:
		return "assembled"
	case challenge.Concluded:
		return fmt.Sprintf("concluded: late %v, complete %v", f.Outcome.Late, f.Outcome.Complete)
	}
	return fmt.Sprintf("%T", f)
}

// together starts all clocks.
func (s *stage) together() string {
	var sessions []challenge.Hash
	for range s.players {
		sessions = append(sessions, s.draw())
	}
	return s.do(challenge.Together{Sessions: sessions})
}

// answer is the honest answer of an exchange to what it was asked last; nil: it was asked nothing.
func (s *stage) answer(i int) challenge.Event {
	s.t.Helper()
	p, ctx := s.players[i], s.t.Context()
	switch f := p.asked.(type) {
	case challenge.SendPing:
		return challenge.Ponged{}
	case challenge.SendFill:
		require.NoError(s.t, p.Fill(ctx, f.Spec))
		return challenge.Filled{}
	case challenge.SendWork:
		roots, err := p.Commit(ctx, f.Spec)
		require.NoError(s.t, err)
		p.roots = roots
		return challenge.Committed{Commitment: roots, Nonce: s.draw()}
	case challenge.SendWalk:
		root, err := p.Walk(ctx, f.Nonce)
		require.NoError(s.t, err)
		return challenge.Walked{Commitment: root, Nonce: s.draw()}
	case challenge.SendOpen:
		o, err := p.Open(ctx, f.Nonce)
		require.NoError(s.t, err)
		w, err := p.OpenWalk(ctx, f.Nonce)
		if err != nil {
			require.ErrorIs(s.t, err, cpu.ErrUncommitted)
		}
		return challenge.Opened{Openings: o, Segments: w}
	}
	return nil
}
