package settlement

import (
	"errors"
	"fmt"
	"slices"
)

// confirm asks further endpoints about the batches whose lines the one of that number finds impossible, until Quorum of them
// agree: what one of them says of a recipient may be a lie, or old. Lines that all of them name are refused. An endpoint that
// can carry the whole batch is taken at its attempt instead, which costs a fee at most.
func (s *step) confirm(by int, planned []Batch, made []Prepared) {
	said := make([]int, len(made)) // endpoints that refuse lines of the batch
	for i, p := range made {
		if lines := (*LineError)(nil); errors.As(p.Err, &lines) {
			said[i] = 1
		}
	}
	for k, c := range s.Chains {
		var open []int
		var ask []Batch
		for i, n := range said {
			if n > 0 && n < s.Quorum {
				open, ask = append(open, i), append(ask, planned[i])
			}
		}
		if k == by || len(open) == 0 {
			continue
		}
		got, err := c.Prepare(s.ctx, ask)
		if err == nil && len(got) != len(ask) {
			err = fmt.Errorf("%d answers for %d batches", len(got), len(ask))
		}
		if err != nil {
			s.note(err, "confirm at endpoint %d that lines of %d batches cannot be carried", k, len(ask))
			continue
		}
		for n, i := range open {
			made[i], said[i] = second(made[i], got[n], said[i])
		}
	}
	for i, n := range said {
		if n > 0 && n < s.Quorum {
			made[i].Err = fmt.Errorf("%d endpoints say that lines cannot be carried, want Quorum, %d: %v", n, s.Quorum, made[i].Err) //nolint:errorlint // it is no *LineError yet
		}
	}
}

// second joins what n endpoints have said of a batch, a *LineError, and what one more says. It returns 0 where there is nothing
// more to be asked.
func second(first, more Prepared, n int) (Prepared, int) {
	var have, add *LineError
	switch {
	case more.Err == nil, errors.Is(more.Err, ErrLater):
		return more, 0
	case !errors.As(more.Err, &add) || !errors.As(first.Err, &have):
		return first, n // it is no answer: the next endpoint may have one
	}
	both := slices.DeleteFunc(slices.Clone(have.Faults), func(f Fault) bool {
		return !slices.ContainsFunc(add.Faults, func(g Fault) bool { return g.Line == f.Line })
	})
	if len(both) == 0 {
		return Prepared{Err: fmt.Errorf("endpoints disagree on which lines cannot be carried: %v, and %v", have, add)}, 0 //nolint:errorlint // neither holds
	}
	return Prepared{Err: &LineError{both}}, n + 1
}
