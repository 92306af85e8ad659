package settlement

import (
	"errors"
	"fmt"
	"slices"
)

// proposal is what the endpoints have made of one batch so far.
type proposal struct {
	Prepared
	refusals int     // endpoints that refuse lines of it
	faults   []Fault // the lines that all of those refuse
}

// proposals asks one endpoint after the other for attempts, until every batch has one or has been refused lines by a quorum:
// an endpoint alone, which may lag or lie, keeps nobody from being paid. Of several refusals only the lines count that are in
// all of them.
func (s *step) proposals(planned []Batch) []Prepared {
	all := make([]proposal, len(planned))
	open := make([]int, len(planned))
	for i := range open {
		open[i] = i
	}
	for turn := range s.Chains {
		if len(open) == 0 {
			break
		}
		i := (s.turn + turn) % len(s.Chains)
		c := s.Chains[i]
		ask := make([]Batch, len(open))
		for k, n := range open {
			ask[k] = planned[n]
		}
		made, err := c.Prepare(s.ctx, ask)
		if err == nil && len(made) != len(ask) {
			err = fmt.Errorf("%d answers for %d batches", len(made), len(ask))
		}
		if err != nil {
			s.note(err, "prepare %d batches at endpoint %d", len(ask), i)
			for _, n := range open {
				if all[n].Err == nil {
					all[n].Err = ErrLater // it is noted for all of them
				}
			}
			continue
		}
		var left []int
		for k, n := range open {
			if !all[n].add(made[k], s.Quorum) {
				left = append(left, n)
			}
		}
		open = left
	}
	out := make([]Prepared, len(all))
	for i := range all {
		out[i] = all[i].Prepared
	}
	return out
}

// add takes an endpoint's answer and says whether no other one has to be asked.
func (p *proposal) add(made Prepared, quorum int) bool {
	lines := (*LineError)(nil)
	if !errors.As(made.Err, &lines) {
		if p.refusals == 0 || made.Err == nil {
			p.Prepared = made
		}
		return made.Err == nil || errors.Is(made.Err, ErrLater)
	}
	if p.refusals++; p.refusals == 1 {
		p.faults = lines.Faults
	} else {
		p.faults = slices.DeleteFunc(slices.Clone(p.faults), func(f Fault) bool {
			return !slices.ContainsFunc(lines.Faults, func(g Fault) bool { return g.Line == f.Line })
		})
	}
	switch {
	case p.refusals < quorum:
		p.Prepared = Prepared{Err: fmt.Errorf("%d endpoints refuse lines of it, want Quorum, %d: %s", p.refusals, quorum, lines.Error())}
		return false
	case len(p.faults) == 0:
		p.Prepared = Prepared{Err: fmt.Errorf("%d endpoints refuse different lines of it, one of them: %s", p.refusals, lines.Error())}
		return false
	}
	p.Prepared = Prepared{Err: &LineError{p.faults}}
	return true
}
