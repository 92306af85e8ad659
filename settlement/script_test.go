package settlement_test

import (
	"fmt"
	"strconv"
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
		s := &stage{t: t, params: params(), now: morning}
		return s.do
	})
}

// stage plays a script: decide collects intents, and whatever comes next hands them over.
type stage struct {
	t      *testing.T
	params settlement.Params
	j      *settlement.Journal // made by the first event
	now    time.Time
}

func (s *stage) do(c script.Command) string {
	s.now = s.now.Add(time.Second)
	if c.Name == "limit" {
		require.Nil(s.t, s.j)
		s.params.Limits = append(s.params.Limits, settlement.Limit{
			Mint: "IO", MinPay: s.opt(c, "minpay"), MaxLine: s.opt(c, "maxline"), MaxEpoch: s.opt(c, "maxepoch"), MaxDay: s.opt(c, "maxday"),
		})
		return ""
	}
	if s.j == nil {
		var err error
		s.j, err = settlement.NewJournal(s.params)
		require.NoError(s.t, err)
	}
	switch c.Name {
	case "later":
		d, err := time.ParseDuration(c.Str("by"))
		require.NoError(s.t, err)
		s.now = s.now.Add(d)
		return ""
	case "books":
		return fmt.Sprintf("%+v", s.j.Totals(io))
	case "open":
		var b strings.Builder
		for _, e := range s.j.Open() {
			fmt.Fprintf(&b, "%s %s\n", e.Batch.MarkerID(), e.State)
		}
		return short(b.String())
	case "payments":
		var b strings.Builder
		for p := range s.j.Payments() {
			fmt.Fprintf(&b, "%s %d %s in %s tx=%q reason=%q\n", p.Intent.To, p.Intent.Units, p.State, p.Batch, p.Tx, p.Reason)
		}
		return short(b.String())
	case "probes":
		if list := s.j.Probes(); len(list) > 0 {
			return fmt.Sprintf("%d from %s to %s", len(list), short(list[0].String()), short(list[len(list)-1].String()))
		}
		return "none"
	case "absents": // all probes there are, at once
		for _, m := range s.j.Probes() {
			s.apply(settlement.Absent{Marker: m, Witnesses: seen(c.Uint("height"))})
		}
		return ""
	case "reclaimable":
		return fmt.Sprint(s.j.Reclaimable(s.now, c.Uint("height")))
	}
	return s.event(c)
}

func (s *stage) event(c script.Command) string {
	switch c.Name {
	case "pay", "move", "burn", "refund", "swap":
		return s.apply(settlement.Decided{Epoch: tokenomics.Epoch(c.Uint("epoch")), Intents: []settlement.Intent{s.intent(c)}})
	case "decide": // "who:units who:units" from the vault, as one decision; who*n is who for the n-th time
		e := settlement.Decided{Epoch: tokenomics.Epoch(c.Uint("epoch")), MaxLines: uint16(s.opt(c, "lines"))}
		for _, item := range strings.Fields(c.Str("pay")) {
			who, units, _ := strings.Cut(item, ":")
			to, _, _ := strings.Cut(who, "*")
			in := pay(settlement.Account(to), s.number(units), c.Opt("bundle", "")+who)
			in.Bundle = c.Opt("bundle", "")
			e.Intents = append(e.Intents, in)
		}
		return s.apply(e)
	case "signed":
		return s.apply(settlement.Signed{Batch: s.batch(c), Revision: uint16(c.Uint("revision")), Tx: tx(c.Str("tx"))})
	case "rejected":
		return s.apply(settlement.Rejected{Batch: s.batch(c), Revision: uint16(c.Uint("revision")), Faults: s.faults(c)})
	case "landed":
		return s.apply(settlement.Landed{Batch: s.batch(c), Tx: c.Str("tx"), Slot: c.Uint("slot"), Fee: 5000, Witnesses: seen(c.Uint("slot"))})
	case "failed":
		f := settlement.Failure{Reason: c.Str("reason"), Marker: c.Has("marker") && c.Str("marker") == "true"}
		if c.Has("line") {
			f.Faults = s.faults(c)
		}
		return s.apply(settlement.Failed{Batch: s.batch(c), Tx: c.Str("tx"), Slot: 1, Fee: 5000, Failure: f, Witnesses: seen(1)})
	case "expired":
		return s.apply(settlement.Expired{Batch: s.batch(c), Tx: c.Str("tx"), Witnesses: seen(c.Uint("height"))})
	case "found":
		e := settlement.Found{Marker: s.marker(c), Tx: c.Str("tx"), Slot: c.Uint("slot"), Fee: 5000, Witnesses: seen(c.Uint("slot"))}
		for _, item := range strings.Fields(c.Opt("pay", "")) {
			to, units, _ := strings.Cut(item, ":")
			e.Lines = append(e.Lines, settlement.Line{Kind: settlement.Move, Asset: io, From: "vault", To: settlement.Account(to), Units: s.number(units)})
		}
		return s.apply(e)
	case "poisoned":
		return s.apply(settlement.Poisoned{Marker: s.marker(c), Tx: c.Str("tx"), Slot: 1, Witnesses: seen(c.Uint("height"))})
	case "absent":
		return s.apply(settlement.Absent{Marker: s.marker(c), Witnesses: seen(c.Uint("height"))})
	case "recovering":
		return s.apply(settlement.Recovering{LastValid: c.Uint("last"), Since: tokenomics.Epoch(s.opt(c, "since"))})
	case "recovered":
		return s.apply(settlement.Recovering{})
	case "retried":
		e := settlement.Retried{MaxLines: uint16(s.opt(c, "lines"))}
		for _, cause := range strings.Fields(c.Str("causes")) {
			e.Intents = append(e.Intents, id(cause))
		}
		return s.apply(e)
	case "reclaimed":
		return s.apply(settlement.Reclaimed{Markers: []settlement.MarkerID{s.marker(c)}, Witnesses: seen(c.Uint("height"))})
	case "resumed":
		return s.apply(settlement.Resumed{Batch: s.batch(c)})
	}
	s.t.Fatalf("unknown command %q", c.Name)
	return ""
}

func (s *stage) number(text string) uint64 {
	n, err := strconv.ParseUint(text, 10, 64)
	require.NoError(s.t, err)
	return n
}

// opt is an argument that is 0 when it is absent.
func (s *stage) opt(c script.Command, key string) uint64 { return s.number(c.Opt(key, "0")) }

// short writes the number of the Overflow lane as a word.
func short(text string) string { return strings.ReplaceAll(text, "4294967295", "over") }

func (s *stage) intent(c script.Command) settlement.Intent {
	kind := map[string]settlement.Kind{
		"pay": settlement.Pay, "move": settlement.Move, "burn": settlement.Burn, "refund": settlement.Refund, "swap": settlement.Swap,
	}[c.Name]
	cause := c.Str("cause")
	if kind == settlement.Swap {
		in := swap(c.Uint("units"), cause)
		in.Least = c.Uint("least")
		return in
	}
	return settlement.Intent{
		ID: settlement.NewIntentID(kind, cause), Kind: kind, Asset: io, From: settlement.Account(c.Opt("from", "vault")),
		To: settlement.Account(c.Opt("to", "")), Units: c.Uint("units"), Bundle: c.Opt("bundle", ""), Cause: cause,
	}
}

func (s *stage) batch(c script.Command) settlement.BatchID {
	var id settlement.BatchID
	_, err := fmt.Sscanf(strings.Replace(c.Str("batch"), "over", "4294967295", 1), "%d/%d/%d", &id.Epoch, &id.Lane, &id.Index)
	require.NoError(s.t, err)
	return id
}

func (s *stage) marker(c script.Command) settlement.MarkerID {
	return settlement.MarkerID{Batch: s.batch(c), N: uint16(s.opt(c, "n"))}
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
		return short("refused: " + err.Error())
	}
	var b strings.Builder
	for _, x := range effects {
		switch x := x.(type) {
		case settlement.Prepare:
			what := lines(x.Batch)
			if what == "" {
				what = "seal"
			}
			fmt.Fprintf(&b, "prepare %s revision %d: %s\n", x.Batch.MarkerID(), x.Batch.Revision, what)
		case settlement.Send:
			fmt.Fprintf(&b, "send %s %s\n", x.Batch, x.Tx.ID)
		case settlement.Paid:
			fmt.Fprintf(&b, "paid %s by %s in slot %d: %d intents\n", x.Batch, x.Tx, x.Slot, len(x.Intents))
		case settlement.Refused:
			fmt.Fprintf(&b, "refused %s to %q: %s (%d intents)\n", x.Batch, x.To, x.Reason, len(x.Intents))
		case settlement.Stuck:
			fmt.Fprintf(&b, "stuck %s: %s\n", x.Batch, x.Reason)
		case settlement.Find:
			fmt.Fprintf(&b, "find %s: %s\n", x.Batch.MarkerID(), lines(x.Batch))
		case settlement.Waiting:
			fmt.Fprintf(&b, "waiting for %q: %d units (%d intents more)\n", x.To, x.Units, len(x.Intents))
		}
	}
	return short(b.String())
}
