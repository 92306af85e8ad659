package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/idlegrid/idlegrid/settlement"
)

// unmarked is a chain whose attempts have a marker of their own each, which no other attempt makes: as good as none. Which one
// that is stands in a file, as a chain that is asked for an attempt wants to know.
type unmarked struct {
	fullChain
	next uint16
	file string
}

// none is the number of a marker that no attempt makes.
const none = 1<<16 - 1

// newUnmarked gives each endpoint of each life of a payer numbers of its own: lives below 120.
func newUnmarked(c fullChain, j job, endpoint int) *unmarked {
	return &unmarked{c, uint16(j.Life*512 + endpoint*170), j.Journal + ".markers"}
}

// Prepare implements settlement.Chain.
func (u *unmarked) Prepare(ctx context.Context, batches []settlement.Batch) ([]settlement.Prepared, error) {
	own := make([]settlement.Batch, len(batches))
	for i, b := range batches {
		b.Marker = u.next
		own[i] = b
	}
	u.next++
	out, err := u.fullChain.Prepare(ctx, own)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(u.file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	for i, p := range out {
		if _, err := fmt.Fprintf(f, "%s %d\n", p.Tx.ID, own[i].Marker); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	return out, f.Close()
}

// Look implements settlement.Chain.
func (u *unmarked) Look(ctx context.Context, attempts []settlement.Attempt) (settlement.Sighting, error) {
	text, err := os.ReadFile(u.file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return settlement.Sighting{}, err
	}
	numbers := map[string]uint16{}
	for line := range strings.Lines(string(text)) {
		var id string
		var n uint16
		if _, err := fmt.Sscan(line, &id, &n); err == nil { // else there was no attempt
			numbers[id] = n
		}
	}
	own := make([]settlement.Attempt, len(attempts))
	for i, a := range attempts {
		a.Marker.N = numbers[a.Tx.ID]
		own[i] = a
	}
	return u.fullChain.Look(ctx, own)
}

// Find implements settlement.Finder: there is nothing to find.
func (u *unmarked) Find(ctx context.Context, batches []settlement.Batch) (settlement.Findings, error) {
	own := make([]settlement.Batch, len(batches))
	for i, b := range batches {
		b.Marker = none
		own[i] = b
	}
	return u.fullChain.Find(ctx, own)
}

// Reclaim implements settlement.Reclaimer: nothing was made.
func (u *unmarked) Reclaim(context.Context, []settlement.MarkerID) (settlement.Reclaims, error) {
	return settlement.Reclaims{}, errors.New("chaos: no markers")
}

// naive is the payer that is written in an afternoon: it sends a batch, asks one endpoint a few times, and signs the batch again
// on an error or if nothing is to be seen. It writes down which batches are paid.
type naive struct {
	job     job
	line    *line
	chain   settlement.Chain
	batches []settlement.Batch
	sent    map[int]settlement.Tx // by batch
	asked   map[int]int           // how often
	done    map[int]bool
}

// patience is how often a naive payer asks before it signs again.
const patience = 4

func newNaive(_ context.Context, l *line, j job, chains []settlement.Chain) (*naive, error) {
	p := params(j.Asset, j.World.Lines)
	var batches []settlement.Batch
	for wave := range j.World.Batches {
		b, err := settlement.Plan(p, epoch, uint32(wave), decided(j.Asset, j.World, wave).Intents)
		if err != nil {
			return nil, err
		}
		batches = append(batches, b...)
	}
	n := &naive{j, l, chains[0], batches, map[int]settlement.Tx{}, map[int]int{}, map[int]bool{}}
	text, err := os.ReadFile(j.Journal)
	if errors.Is(err, os.ErrNotExist) {
		return n, nil
	}
	if err != nil {
		return nil, err
	}
	_ = json.Unmarshal(text, &n.done) // a torn file is an empty one: that is what naive means
	return n, nil
}

func (n *naive) do(ctx context.Context, c command) (status, error) {
	s := status{}
	for i, b := range n.batches[:c.Waves] {
		if c.Do != "step" || n.done[i] {
			continue
		}
		if err := n.batch(ctx, i, b); err != nil {
			s.Trouble = err.Error()
		}
	}
	for i := range n.batches {
		if !n.done[i] {
			s.Open++
		}
	}
	return s, nil
}

func (n *naive) batch(ctx context.Context, i int, b settlement.Batch) error {
	tx, sent := n.sent[i]
	if !sent {
		made, err := n.chain.Prepare(ctx, []settlement.Batch{b})
		if err != nil {
			return err
		}
		if made[0].Err != nil {
			return made[0].Err
		}
		if err := n.chain.Send(ctx, []settlement.Tx{made[0].Tx}); err != nil {
			return err // and so it is signed again
		}
		n.sent[i], n.asked[i] = made[0].Tx, 0
		return nil
	}
	seen, err := n.chain.Look(ctx, []settlement.Attempt{{Marker: settlement.MarkerID{Batch: b.ID}, Tx: tx}})
	n.asked[i]++
	switch {
	case err == nil && (seen.Results[0].Sight == settlement.Succeeded || seen.Results[0].Sight == settlement.Pending):
		n.done[i] = true
		text, err := json.Marshal(n.done)
		if err != nil {
			return err
		}
		if err := n.line.at("append.before.Landed"); err != nil {
			return err
		}
		if err := os.WriteFile(n.job.Journal, text, 0o600); err != nil {
			return err
		}
		return n.line.at("append.after.Landed")
	case err != nil || n.asked[i] > patience || seen.Results[0].Sight == settlement.Reverted:
		delete(n.sent, i)
	}
	return err
}
