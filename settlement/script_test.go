package settlement_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/script"
	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/tokenomics"
)

func TestScripts(t *testing.T) {
	script.Run(t, "testdata/*.script.txt", func(t *testing.T) func(script.Command) string {
		s := &stage{t: t, j: newJournal(t), now: morning}
		return s.do
	})
}

// stage plays a script: decide collects intents, and whatever comes next hands them over.
type stage struct {
	t   *testing.T
	j   *settlement.Journal
	now time.Time
}

func (s *stage) do(c script.Command) string {
	s.now = s.now.Add(time.Second)
	switch c.Name {
	case "pay", "move", "burn":
		return s.apply(settlement.Decided{Epoch: tokenomics.Epoch(c.Uint("epoch")), Intents: []settlement.Intent{s.intent(c)}})
	case "decide": // "who:units who:units" from the vault, as one decision
		e := settlement.Decided{Epoch: tokenomics.Epoch(c.Uint("epoch"))}
		for _, item := range strings.Fields(c.Str("pay")) {
			var to string
			var units uint64
			_, err := fmt.Sscanf(strings.ReplaceAll(item, ":", " "), "%s %d", &to, &units)
			require.NoError(s.t, err)
			in := pay(settlement.Account(to), units, c.Opt("bundle", "")+to)
			in.Bundle = c.Opt("bundle", "")
			e.Intents = append(e.Intents, in)
		}
		return s.apply(e)
	case "signed":
		return s.apply(settlement.Signed{Batch: s.batch(c), Revision: uint16(c.Uint("revision")), Tx: tx(c.Str("tx"))})
	case "rejected":
		return s.apply(settlement.Rejected{Batch: s.batch(c), Revision: uint16(c.Uint("revision")), Faults: s.faults(c)})
	case "landed":
		return s.apply(settlement.Landed{Batch: s.batch(c), Tx: c.Str("tx"), Slot: c.Uint("slot"), Fee: 5000})
	case "failed":
		f := settlement.Failure{Reason: c.Str("reason"), Marker: c.Has("marker") && c.Str("marker") == "true"}
		if c.Has("line") {
			f.Faults = s.faults(c)
		}
		return s.apply(settlement.Failed{Batch: s.batch(c), Tx: c.Str("tx"), Slot: 1, Fee: 5000, Failure: f})
	case "expired":
		return s.apply(settlement.Expired{Batch: s.batch(c), Tx: c.Str("tx"), Height: c.Uint("height")})
	case "resumed":
		return s.apply(settlement.Resumed{Batch: s.batch(c)})
	case "books":
		return fmt.Sprintf("%+v", s.j.Totals(io))
	case "payments":
		var b strings.Builder
		for p := range s.j.Payments() {
			fmt.Fprintf(&b, "%s %d %s in %s tx=%q reason=%q\n", p.Intent.To, p.Intent.Units, p.State, p.Batch, p.Tx, p.Reason)
		}
		return b.String()
	}
	s.t.Fatalf("unknown command %q", c.Name)
	return ""
}

func (s *stage) intent(c script.Command) settlement.Intent {
	kind := map[string]settlement.Kind{"pay": settlement.Pay, "move": settlement.Move, "burn": settlement.Burn}[c.Name]
	cause := c.Str("cause")
	return settlement.Intent{
		ID: settlement.NewIntentID(kind, cause), Kind: kind, Asset: io, From: settlement.Account(c.Opt("from", "vault")),
		To: settlement.Account(c.Opt("to", "")), Units: c.Uint("units"), Bundle: c.Opt("bundle", ""), Cause: cause,
	}
}

func (s *stage) batch(c script.Command) settlement.BatchID {
	var id settlement.BatchID
	_, err := fmt.Sscanf(c.Str("batch"), "%d/%d/%d", &id.Epoch, &id.Lane, &id.Index)
	require.NoError(s.t, err)
	return id
}

func (s *stage) faults(c script.Command) []settlement.Fault {
	return []settlement.Fault{{Line: int(c.Uint("line")), Reason: c.Opt("why", "no token account")}}
}

// apply applies an event and writes its effects, or its refusal, as text.
func (s *stage) apply(e settlement.Event) string {
	before := s.j.Digest()
	effects, err := s.j.Apply(s.now, e)
	require.NoError(s.t, s.j.Audit())
	if err != nil {
		require.Equal(s.t, before, s.j.Digest())
		return "refused: " + err.Error()
	}
	var b strings.Builder
	for _, x := range effects {
		switch x := x.(type) {
		case settlement.Prepare:
			fmt.Fprintf(&b, "prepare %s revision %d: %s\n", x.Batch.ID, x.Batch.Revision, lines(x.Batch))
		case settlement.Send:
			fmt.Fprintf(&b, "send %s %s\n", x.Batch, x.Tx.ID)
		case settlement.Paid:
			fmt.Fprintf(&b, "paid %s by %s in slot %d: %d intents\n", x.Batch, x.Tx, x.Slot, len(x.Intents))
		case settlement.Refused:
			fmt.Fprintf(&b, "refused %s to %q: %s (%d intents)\n", x.Batch, x.To, x.Reason, len(x.Intents))
		case settlement.Stuck:
			fmt.Fprintf(&b, "stuck %s: %s\n", x.Batch, x.Reason)
		}
	}
	return b.String()
}
