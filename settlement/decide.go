package settlement

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"
)

func (j *Journal) decided(at time.Time, e Decided) ([]Effect, error) {
	size, err := j.size(e.MaxLines)
	if err != nil {
		return nil, err
	}
	fresh, err := j.fresh(e.Intents)
	if err != nil || len(fresh) == 0 {
		return nil, err
	}
	if err := j.checkSums(fresh); err != nil {
		return nil, err
	}
	spending := j.spending(fresh)
	if err := j.checkCaps(at, e.Epoch, spending); err != nil {
		return nil, err
	}
	now, wait, ripe := j.sift(fresh)
	batches, err := plan(size, e.Epoch, j.lanes[e.Epoch], now)
	if err != nil {
		return nil, err
	}
	if err := j.checkLines(batches); err != nil {
		return nil, err
	}
	j.spend(at, e.Epoch, spending)
	j.intents = slices.Grow(j.intents, len(fresh))
	j.batches = slices.Grow(j.batches, len(batches))
	effects := j.pool(e, wait)
	for _, p := range ripe {
		delete(j.pools, p)
	}
	since := at
	if !e.Made.IsZero() && e.Made.Before(at) {
		since = e.Made
	}
	for _, b := range batches {
		n := int32(len(j.batches))
		lines := make([]line, len(b.Lines))
		for i, l := range b.Lines {
			lines[i].Line = l
			for range l.Intents {
				j.enter(e, now[0], n, int32(i))
				now = now[1:]
			}
		}
		j.add(batch{id: b.ID, bundle: b.Bundle, lines: lines, made: -1, since: since.UTC()}, j.begin(b.ID))
		effects = append(effects, j.proceed(at, n)...)
	}
	return effects, nil
}

// size is the number of lines of a batch that an event asks for.
func (j *Journal) size(asked uint16) (uint16, error) {
	if asked > j.params.MaxLines {
		return 0, &LimitError{"MaxLines", Asset{}, uint64(asked), uint64(j.params.MaxLines)}
	}
	return cmp.Or(asked, j.params.MaxLines), nil
}

// fresh returns the intents that are not known. One that is known with another content is a conflict, as is a bundle that
// is known and gets a new member.
func (j *Journal) fresh(in []Intent) ([]*Intent, error) {
	out := make([]*Intent, 0, len(in))
	here := make(map[IntentID]int, len(in))
	for i := range in {
		x := &in[i]
		var known *Intent
		if k, ok := j.byID[x.ID]; ok {
			known = &j.intents[k].Intent
		} else if k, ok := here[x.ID]; ok {
			known = &in[k]
		}
		if known != nil {
			if *known != *x {
				return nil, fmt.Errorf("%w: intent %x was decided as %+v", ErrConflict, x.ID[:4], *known)
			}
			continue
		}
		if err := x.check(j.params); err != nil {
			return nil, err
		}
		here[x.ID] = i
		if _, ok := j.bundles[x.Bundle]; ok {
			return nil, fmt.Errorf("%w: bundle %q is closed, intent %x cannot join it", ErrConflict, x.Bundle, x.ID[:4])
		}
		out = append(out, x)
	}
	return out, nil
}

// sift parts intents into those to be planned now and those that wait to be enough together. To the first belong those that
// have waited and are enough now: ripe names their pairs.
func (j *Journal) sift(fresh []*Intent) (now, wait []*Intent, ripe []pair) {
	if len(j.params.Limits) == 0 {
		return fresh, nil, nil
	}
	sums := map[pair]uint64{}
	for _, x := range fresh {
		if x.waits() {
			sums[pair{x.Asset, x.From, x.To}] += x.Units
		}
	}
	for _, x := range fresh {
		p := pair{x.Asset, x.From, x.To}
		if have := j.pools[p].units; x.waits() && have+sums[p] < j.params.limit(x.Asset).MinPay {
			wait = append(wait, x)
			continue
		}
		now = append(now, x)
	}
	for _, p := range slices.SortedFunc(maps.Keys(sums), pair.compare) {
		old := j.pools[p]
		if old.units == 0 || old.units+sums[p] < j.params.limit(p.asset).MinPay {
			continue
		}
		ripe = append(ripe, p)
		for _, i := range old.in {
			now = append(now, &j.intents[i].Intent)
		}
	}
	return now, wait, ripe
}

// pool lets intents wait, and tells so for each pair in rising order.
func (j *Journal) pool(e Decided, wait []*Intent) []Effect {
	told := map[pair][]IntentID{}
	for _, x := range wait {
		p := pair{x.Asset, x.From, x.To}
		told[p] = append(told[p], x.ID)
		j.enter(e, x, -1, -1)
	}
	var effects []Effect
	for _, p := range slices.SortedFunc(maps.Keys(told), pair.compare) {
		slices.SortFunc(told[p], compareIDs)
		effects = append(effects, Waiting{p.to, j.pools[p].units, told[p]})
	}
	return effects
}

// enter puts an intent into a line, or into its pool if there is none. One that has waited leaves the pool's account in the
// books; any other one is new.
func (j *Journal) enter(e Decided, x *Intent, n, i int32) {
	if k, ok := j.byID[x.ID]; ok {
		j.intents[k].batch, j.intents[k].line = n, i
		j.move(x.Asset, bookWaiting, bookOpen, x.Units)
		return
	}
	k := int32(len(j.intents))
	j.byID[x.ID] = k
	j.intents = append(j.intents, intent{*x, e.Epoch, n, i})
	account := bookOpen
	if n < 0 {
		account = bookWaiting
		j.await(k)
	}
	j.book(x.Asset)[account] += x.Units
}

// await adds an intent to the pool of its pair.
func (j *Journal) await(k int32) {
	x := &j.intents[k]
	p := pair{x.Asset, x.From, x.To}
	old := j.pools[p]
	j.pools[p] = pool{old.units + x.Units, append(old.in, k)}
}

// compare orders pairs by asset, sender and recipient.
func (p pair) compare(q pair) int {
	return cmp.Or(cmp.Compare(p.asset.Mint, q.asset.Mint), cmp.Compare(p.from, q.from), cmp.Compare(p.to, q.to))
}

func compareIDs(a, b IntentID) int { return bytes.Compare(a[:], b[:]) }
