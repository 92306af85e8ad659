package chaos

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
	"github.com/idlegrid/idlegrid/settlement/wal"
)

// PayerEnv is the environment variable by which a program knows that it is started as a payer.
const PayerEnv = "IDLEGRID_CHAOS_PAYER"

// callTimeout is how long a payer waits for an endpoint that hangs.
const callTimeout = 600 * time.Millisecond

// Payer is the child process: it returns when its input ends. A program that calls Run has to call Payer in place of its own
// work, and end, when PayerEnv is set.
func Payer(ctx context.Context, in io.Reader, out io.Writer) error {
	l := &line{bufio.NewReader(in), out}
	var j job
	if err := l.read(&j); err != nil {
		return fmt.Errorf("chaos: read the job: %w", err)
	}
	var deny [endpoints]bool
	p, err := newWorker(ctx, l, j, &deny)
	if err != nil {
		return err
	}
	for {
		var c command
		switch err := l.read(&c); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("chaos: read a command: %w", err)
		}
		deny = c.Deny
		if err := l.at(c.Do); err != nil {
			return err
		}
		s, err := p.do(ctx, c)
		if err != nil {
			return err
		}
		if err := l.done(s); err != nil {
			return err
		}
	}
}

// worker is any payer: the protocol's, or one that lacks a rule.
type worker interface {
	do(ctx context.Context, c command) (status, error)
}

func newWorker(ctx context.Context, l *line, j job, deny *[endpoints]bool) (worker, error) {
	chains, err := connect(l, j, deny)
	if err != nil {
		return nil, err
	}
	if j.Mode == Naive {
		return newNaive(ctx, l, j, chains)
	}
	return newHonest(l, j, chains)
}

// connect makes the chains of a job.
func connect(l *line, j job, deny *[endpoints]bool) ([]settlement.Chain, error) {
	key, err := spl.NewKey(svmtest.Key(keyName))
	if err != nil {
		return nil, err
	}
	var out []settlement.Chain
	for i, url := range j.URLs {
		c, err := spl.New(spl.Config{
			URL: url, Name: fmt.Sprintf("endpoint %d", i), Payer: &slowSigner{key, l}, Timeout: callTimeout, Parallel: 1,
		})
		if err != nil {
			return nil, err
		}
		var chain fullChain = &denying{c, &deny[i]}
		if j.Mode == NoMarker || j.Mode == Naive {
			chain = newUnmarked(chain, j, i)
		}
		out = append(out, &watched{chain, l})
	}
	return out, nil
}

// honest is the payer as a user would build it. For the control early-reclaim it takes the rent of markers back too early.
type honest struct {
	job      job
	line     *line
	recorder *settlement.Recorder
	runner   *settlement.Runner
	store    *watchedStore
	now      time.Time
}

func newHonest(l *line, j job, chains []settlement.Chain) (*honest, error) {
	log, err := wal.Open(j.Journal)
	if err != nil {
		return nil, err
	}
	store := &watchedStore{Store: log, line: l}
	r, err := settlement.NewRecorder(params(j.Asset, j.World.Lines), store)
	if err != nil {
		return nil, err
	}
	h := &honest{job: j, line: l, recorder: r, store: store}
	book := r.Journal()
	h.runner = &settlement.Runner{
		Chains: chains, Quorum: quorum, Open: book.Open, Apply: h.apply, Probes: book.Probes, Reclaimable: book.Reclaimable,
	}
	if j.Mode == EarlyReclaim {
		h.runner.Reclaimable = func(time.Time, uint64) []settlement.MarkerID { return paid(book) }
	}
	return h, nil
}

// paid returns the markers of all batches that are closed and still have theirs.
func paid(j *settlement.Journal) []settlement.MarkerID {
	var out []settlement.MarkerID
	for e := range j.Batches() {
		for _, a := range e.Attempts {
			if a.Outcome == "landed" && !e.Reclaimed {
				out = append(out, settlement.MarkerID{Batch: e.Batch.ID, N: a.Marker})
			}
		}
	}
	return out
}

func (h *honest) apply(at time.Time, e settlement.Event) ([]settlement.Effect, error) {
	h.store.event = e
	return h.recorder.Apply(at, e)
}

// do takes a clock that went back for standing still, as the journal would refuse every event until it has caught up.
func (h *honest) do(ctx context.Context, c command) (status, error) {
	if now := time.Unix(c.Unix, 0).UTC(); now.After(h.now) {
		h.now = now
	}
	var err error
	moved := false
	switch c.Do {
	case "step":
		moved, err = h.step(ctx, c.Since)
	case "retry":
		err = h.retry()
	case "resume":
		err = h.resume()
	case "disk":
		info, failed := os.Stat(h.job.Journal)
		if failed != nil {
			return status{}, failed
		}
		err = limitFile(uint64(info.Size()) + uint64(c.Room))
	default:
		return status{}, fmt.Errorf("chaos: command %q", c.Do)
	}
	s := h.status()
	s.Moved = moved
	if err != nil {
		s.Trouble = err.Error()
		s.Broken = errors.Is(err, settlement.ErrBroken) || h.store.failed
	}
	return s, nil
}

func (h *honest) step(ctx context.Context, since []int64) (bool, error) {
	j := h.recorder.Journal()
	if last, _ := j.Recovery(); h.job.Lost && last.LastValid == 0 {
		if err := h.runner.Recover(ctx, h.now, epoch); err != nil {
			return false, err
		}
	}
	for wave, at := range since {
		d := decided(h.job.Asset, h.job.World, wave)
		if _, known := j.Payment(d.Intents[0].ID); known {
			continue
		}
		// The journal takes what it hears for new. What is so old that another payer may have paid it, and have taken the marker
		// back, is missing at the end of this journal.
		if _, on := j.Recovery(); !on && h.now.Unix() >= at+reclaimAfter {
			if err := h.runner.Recover(ctx, h.now, epoch); err != nil {
				return false, err
			}
		}
		if _, err := h.apply(h.now, d); err != nil {
			return false, err
		}
	}
	moved, err := h.runner.Step(ctx, h.now)
	if _, on := j.Recovery(); on && !h.store.failed {
		_, over := h.apply(h.now, settlement.Recovering{}) // refused while anything is unsure
		if over != nil && !errors.Is(over, settlement.ErrStale) {
			err = errors.Join(err, over)
		}
	}
	return moved, err
}

// retry plans again what is refused in batches that are closed.
func (h *honest) retry() error {
	j := h.recorder.Journal()
	var ids []settlement.IntentID
	for p := range j.Payments() {
		if p.State != settlement.StateRefused {
			continue
		}
		if e, ok := j.Batch(p.Batch); ok && !e.Closed.IsZero() {
			ids = append(ids, p.Intent.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	_, err := h.apply(h.now, settlement.Retried{Intents: ids})
	if errors.Is(err, settlement.ErrStale) {
		return nil // a lane is still searched
	}
	return err
}

// resume is an operator who has put right what a batch was stuck for.
func (h *honest) resume() error {
	var stuck []settlement.BatchID
	for e := range h.recorder.Journal().Batches() {
		if e.State == settlement.StateStuck {
			stuck = append(stuck, e.Batch.ID)
		}
	}
	for _, id := range stuck {
		if _, err := h.apply(h.now, settlement.Resumed{Batch: id}); err != nil {
			return err
		}
	}
	return nil
}

func (h *honest) status() status {
	j := h.recorder.Journal()
	last, on := j.Recovery()
	s := status{Recovering: on, Recovered: last.LastValid > 0}
	for e := range j.Batches() {
		if !e.Closed.IsZero() {
			continue
		}
		s.Open++
		s.Left = fmt.Sprintf("batch %s is %s after %d attempts: %s", e.Batch.ID, e.State, len(e.Attempts), e.Reason)
	}
	for p := range j.Payments() {
		if p.State == settlement.StateRefused {
			s.Refused++
		}
	}
	return s
}
