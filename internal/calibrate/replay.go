package calibrate

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/idlegrid/idlegrid/reputation"
)

// Replay feeds a trace to a book of the parameters, as an observer of the network would have done: every node that was ever
// seen is looked at, up or down. At each evaluation it calls visit, before the book has learned anything later, with the
// index of the evaluation and a function that scores one of its cases. Where weather counts, stock is taken right before.
//
// Where nothing happens the observer looks only as often as the book asks for (Gap): a look that finds no change leaves the
// same record to the bit, however many there are.
func (t *Trace) Replay(p reputation.Params, evals []Evaluation, horizon time.Duration, visit func(e int, score func(c int) reputation.Score)) error {
	book, err := reputation.NewBook(p)
	if err != nil {
		return err
	}
	r := &replay{trace: t, book: book, next: make([]int, len(t.Nodes)), up: make([]bool, len(t.Nodes))}
	changes := make([][]int32, len(t.Times)) // nodes that change at a snapshot
	for i, n := range t.Nodes {
		r.names = append(r.names, reputation.Subject(strconv.FormatUint(n.ID, 10)))
		r.seen = append(r.seen, [2]reputation.Event{reputation.Seen{Subject: r.names[i]}, reputation.Seen{Subject: r.names[i], Up: true}})
		for _, v := range n.Up {
			changes[v.From] = append(changes[v.From], int32(i))
			if v.Until < len(t.Times) {
				changes[v.Until] = append(changes[v.Until], int32(i))
			}
		}
	}
	e, looked := 0, int64(0)
	for s, at := range t.Times {
		if e == len(evals) {
			return nil
		}
		now := time.Unix(at, 0)
		if err := r.changed(changes[s], now); err != nil {
			return err
		}
		ask := evals[e].Now == s
		if ask || s+1 < len(t.Times) && t.Times[s+1]-looked > int64(p.Gap/time.Second) {
			looked = at
			if err := r.look(r.known, now); err != nil {
				return err
			}
		} else if err := r.look(changes[s+1], now); err != nil { // last seen as before, right before it changes
			return err
		}
		if ask && p.Weather != (reputation.Weather{}) {
			if _, err := book.Apply(now, reputation.StockTaken{}); err != nil && !errors.Is(err, reputation.ErrTooEarly) {
				return err
			}
		}
		if ask {
			visit(e, func(c int) reputation.Score {
				score, _ := book.Score(r.names[evals[e].Cases[c].Node], now, horizon)
				return score
			})
			e++
		}
	}
	return nil
}

type replay struct {
	trace *Trace
	book  *reputation.Book
	names []reputation.Subject
	seen  [][2]reputation.Event // down, up: made once, an event in an interface is an allocation
	next  []int                 // changes that a node has behind it
	up    []bool
	known []int32 // nodes in the order in which they appeared
}

// changed applies the changes of a snapshot.
func (r *replay) changed(nodes []int32, now time.Time) error {
	for _, i := range nodes {
		if r.next[i] == 0 {
			r.known = append(r.known, i)
			if _, err := r.book.Apply(now, reputation.Joined{Subject: r.names[i]}); err != nil {
				return fmt.Errorf("node %s: %w", r.names[i], err)
			}
		}
		r.next[i]++
		r.up[i] = !r.up[i]
	}
	return r.look(nodes, now)
}

// look observes nodes as they are; those that were never seen are left alone.
func (r *replay) look(nodes []int32, now time.Time) error {
	for _, i := range nodes {
		if r.next[i] == 0 {
			continue
		}
		up := 0
		if r.up[i] {
			up = 1
		}
		if _, err := r.book.Apply(now, r.seen[i][up]); err != nil {
			return fmt.Errorf("node %s: %w", r.names[i], err)
		}
	}
	return nil
}
