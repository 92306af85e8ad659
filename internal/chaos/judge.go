package chaos

import (
	"context"
	"fmt"
	"strings"

	"github.com/idlegrid/idlegrid/internal/canon"
	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/wal"
)

// judge compares what was paid with what was owed, and for the protocol the journals with the chain.
func (h *history) judge(ctx context.Context) (err error) {
	if h.out.Over, h.out.Under, err = h.sums(ctx); err != nil {
		return err
	}
	h.stop()
	if h.script.Mode.Control() {
		return nil
	}
	tried := map[settlement.BatchID]int{} // by how many payers
	for i, p := range h.payers {
		j, failed, err := h.read(p.journal)
		if err != nil {
			return fmt.Errorf("journal %d: %w", i, err)
		}
		for e := range j.Batches() {
			if len(e.Attempts) == 0 {
				continue
			}
			if tried[e.Batch.ID]++; tried[e.Batch.ID] == 2 {
				h.out.Faults["payers race for a batch"]++
			}
		}
		wrong := append(failed, audit(j)...)
		report, err := settlement.Reconcile(ctx, j, told{h.marker, h.own})
		if err != nil {
			return fmt.Errorf("reconcile journal %d: %w", i, err)
		}
		for _, d := range report.Differences {
			if h.explained(d) {
				continue
			}
			wrong = append(wrong, fmt.Sprintf("reconcile: batch %s, transaction %q: %s", d.Batch, d.Tx, d.Text))
		}
		for _, text := range wrong {
			h.out.Wrong = append(h.out.Wrong, fmt.Sprintf("journal %d: %s", i, text))
		}
	}
	return nil
}

// told is the chain's history without what the harness has sent with the payer's key.
type told struct {
	*spl.Chain
	own map[string]bool
}

// History implements settlement.Historian.
func (t told) History(ctx context.Context, each func(settlement.Trace) error) error {
	return t.Chain.History(ctx, func(x settlement.Trace) error {
		if t.own[x.Tx] {
			return nil
		}
		return each(x)
	})
}

// explained says whether a difference is of the harness's own making: an account that was given to another owner after the
// attempt was signed is still the one that was paid. Of two payers one may seal an Overflow batch of its own, which carries
// nothing, and which the other has no need to know of.
func (h *history) explained(d settlement.Difference) bool {
	if len(h.payers) > 1 && strings.Contains(d.Text, "carried 0 lines: another payer opened that batch") {
		return true
	}
	for i, to := range h.to {
		if h.given[i] && strings.Contains(d.Text, string(to)) {
			return true
		}
	}
	return false
}

func audit(j *settlement.Journal) []string {
	if err := j.Audit(); err != nil {
		return []string{err.Error()}
	}
	return nil
}

// read opens a journal of which the payer is dead, and says what is wrong with the order of its events: after a failure of
// lines no attempt may carry the same lines again, and the failures of a batch may be no more than its bad recipients and the
// times that an operator resumed it.
func (h *history) read(file string) (*settlement.Journal, []string, error) {
	log, err := wal.Open(file)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = log.Close() }()
	r, err := settlement.NewRecorder(params(h.asset, h.size.Lines), log)
	if err != nil {
		return nil, nil, err
	}
	j := r.Journal()
	type count struct {
		failed, resumed int
		revision        int // that failed last, -1 if it may be tried again
	}
	counts := map[settlement.BatchID]*count{}
	at := func(id settlement.BatchID) *count {
		if counts[id] == nil {
			counts[id] = &count{revision: -1}
		}
		return counts[id]
	}
	var wrong []string
	err = log.Replay(func(record []byte) error {
		e, err := eventOf(record)
		if err != nil {
			return err
		}
		h.out.Events[eventName(e)]++
		switch e := e.(type) {
		case settlement.Signed:
			if at(e.Batch).revision == int(e.Revision) {
				wrong = append(wrong, fmt.Sprintf("batch %s: revision %d is signed again after it had failed", e.Batch, e.Revision))
			}
		case settlement.Failed:
			if c := at(e.Batch); !e.Failure.Marker {
				c.failed++
				entry, _ := j.Batch(e.Batch)
				c.revision = revisionOf(entry, e.Tx)
			}
		case settlement.Resumed:
			at(e.Batch).resumed++
			at(e.Batch).revision = -1
		case settlement.Decided, settlement.Rejected, settlement.Landed, settlement.Expired, settlement.Found, settlement.Poisoned,
			settlement.Recovering, settlement.Absent, settlement.Retried, settlement.Reclaimed:
		}
		return nil
	})
	for e := range j.Batches() {
		if c := counts[e.Batch.ID]; c != nil && c.failed > h.badIn(e)+c.resumed {
			wrong = append(wrong, fmt.Sprintf("batch %s: %d attempts have failed, with %d bad recipients and resumed %d times",
				e.Batch.ID, c.failed, h.badIn(e), c.resumed))
		}
	}
	return j, wrong, err
}

// eventOf reads a record of a Recorder: what it holds is linked to the records before it.
func eventOf(linked []byte) (settlement.Event, error) {
	out := canon.NewReader(linked, "idlegrid/settlement/linked/v1")
	record := out.Bytes()
	out.Raw(make([]byte, 32))
	if err := out.Close(); err != nil {
		return nil, err
	}
	in := canon.NewReader(record, "idlegrid/settlement/record/v1")
	_, body := in.Time(), in.Bytes()
	if err := in.Close(); err != nil {
		return nil, err
	}
	return settlement.DecodeEvent(body)
}

// revisionOf returns the revision that an attempt carried.
func revisionOf(e settlement.Entry, tx string) int {
	for _, a := range e.Attempts {
		if a.Tx.ID == tx {
			return int(a.Revision)
		}
	}
	return -1
}

// badIn counts the lines of a batch whose recipients were bad at any time.
func (h *history) badIn(e settlement.Entry) int {
	n := 0
	for i, to := range h.to {
		if !h.ever[i] {
			continue
		}
		for _, l := range e.Ever {
			if l.To == to {
				n++
			}
		}
	}
	return n
}
