package calibrate

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/idlegrid/idlegrid/reputation"
)

// Config is an evaluation.
type Config struct {
	Fit, Test Days     // days to fit on and to predict, in this order
	Question  Question // what is asked
}

// HalfLives are the memories of the score that is fitted, whose hazards are weighted.
func HalfLives() []time.Duration { return []time.Duration{6 * time.Hour, 720 * time.Hour} }

// MeanHalfLives are those of the model beside it, the geometric mean of three memories.
func MeanHalfLives() []time.Duration {
	return []time.Duration{24 * time.Hour, 168 * time.Hour, 720 * time.Hour}
}

// Row is a predictor with its metrics.
type Row struct {
	Name string
	Metrics
}

// Result is what an evaluation found.
type Result struct {
	Config    Config
	Trace     *Trace
	FitDays   int // evaluations fitted to
	FitCases  int
	Params    reputation.Params // as fitted, the score of which is judged; those of Mean where weights cannot be told
	Mean      reputation.Params // of the geometric mean beside it
	Test      []Evaluation
	Up        [][]uint32 // predictions for the cases of Test, in parts per million
	Score     Sample     // of the established
	Newcomers Sample
	Compared  []Row // the score first
	Beginners Metrics
}

// Run fits, predicts and compares.
func Run(t *Trace, c Config) (*Result, error) {
	if err := c.Question.check(); err != nil {
		return nil, err
	}
	if c.Fit.To > c.Test.From {
		return nil, fmt.Errorf("%w: fit days %v do not end before test days %v", ErrInvalid, c.Fit, c.Test)
	}
	r := &Result{Config: c, Trace: t, Test: t.Evaluations(c.Test, c.Question)}
	fit := t.fitEvaluations(c)
	if len(fit) == 0 || len(r.Test) == 0 {
		return nil, fmt.Errorf("%w: %d fit days %v and %d test days %v can be asked", ErrInvalid, len(fit), c.Fit, len(r.Test), c.Test)
	}
	r.FitDays = len(fit)
	for _, e := range fit {
		r.FitCases += len(e.Cases)
	}
	outage := c
	outage.Question.SLOPPM = 0 // the book answers for outages only
	var err error
	version := fmt.Sprintf("days %v, horizon %gh", c.Fit, c.Question.Horizon.Hours())
	evals := t.fitEvaluations(outage)
	if r.Mean, err = t.Fit(evals, outage.Question, MeanHalfLives(), version+", geometric mean"); err != nil {
		return nil, err
	}
	w, err := fitWeighted(evals, t.Features(evals, HalfLives()), outage.Question)
	if err != nil {
		return nil, err
	}
	r.Params = r.Mean
	if w.sound() {
		if r.Params, err = w.params(r.Mean, version, outage.Question.Horizon); err != nil {
			return nil, err
		}
	}
	if err := r.predict(fit); err != nil {
		return nil, err
	}
	return r, r.compare(fit)
}

// fitEvaluations are those of the fit days whose horizons end before the first test day.
func (t *Trace) fitEvaluations(c Config) []Evaluation {
	until := t.Times[0] + int64(c.Test.From)*day
	return slices.DeleteFunc(t.Evaluations(c.Fit, c.Question), func(e Evaluation) bool {
		return t.Times[e.Now]+int64(c.Question.Horizon/time.Second) > until
	})
}

// predict replays the book. An uptime is another question than the one that the book answers: where it is asked, the book's
// probability of the established is read through a step function that was fitted on the fit days.
func (r *Result) predict(fit []Evaluation) error {
	up, err := r.Trace.scores(r.Params, slices.Concat(fit, r.Test), r.Config.Question.Horizon)
	if err != nil {
		return err
	}
	before, up := up[:len(fit)], up[len(fit):]
	if r.Config.Question.SLOPPM > 0 {
		var x []float64
		var y []bool
		for e, ev := range fit {
			for c, v := range ev.Cases {
				if !v.Newcomer() {
					x, y = append(x, float64(1_000_000-before[e][c])), append(y, v.Failed)
				}
			}
		}
		steps := FitIsotonic(x, y)
		for e, ev := range r.Test {
			for c, v := range ev.Cases {
				if !v.Newcomer() {
					up[e][c] = 1_000_000 - ppm(steps.At(float64(1_000_000-up[e][c])))
				}
			}
		}
	}
	r.Up = up
	r.Score = sample(r.Test, up, func(v Case) bool { return !v.Newcomer() })
	r.Newcomers = sample(r.Test, up, Case.Newcomer)
	return nil
}

// scores replays a book and returns Score.UpPPM of every case.
func (t *Trace) scores(p reputation.Params, evals []Evaluation, horizon time.Duration) ([][]uint32, error) {
	up := make([][]uint32, len(evals))
	return up, t.Replay(p, evals, horizon, func(e int, score func(int) reputation.Score) {
		up[e] = make([]uint32, len(evals[e].Cases))
		for c := range up[e] {
			up[e][c] = score(c).UpPPM
		}
	})
}

func ppm(p float64) uint32 { return uint32(float64(p*1e6) + 0.5) }

// sample collects the predictions for some of the cases.
func sample(evals []Evaluation, up [][]uint32, which func(Case) bool) (s Sample) {
	for e, ev := range evals {
		s.Day = append(s.Day, len(s.P))
		for c, v := range ev.Cases {
			if which(v) {
				s.P, s.Y = append(s.P, float64(1_000_000-up[e][c])/1e6), append(s.Y, v.Failed)
			}
		}
	}
	return s
}

// compare measures the score and what stands beside it: the score without weather, the geometric mean of three memories, each
// of these alone, and what others use. Each is worked out in a goroutine of its own and has its place in the list.
func (r *Result) compare(fit []Evaluation) error {
	q := r.Config.Question
	ff, ft := r.Trace.Features(fit, baselineHalfLives()), r.Trace.Features(r.Test, baselineHalfLives())
	type other struct {
		name   string
		params reputation.Params
	}
	calm := r.Params
	calm.Weather = reputation.Weather{}
	others := []other{{"score without weather", calm}, {"geometric mean of three memories", r.Mean}}
	for k, m := range r.Mean.Memories {
		p := r.Mean
		p.Memories = p.Memories[k : k+1]
		others = append(others, other{fmt.Sprintf("memory of %gh alone", m.HalfLife.Hours()), p})
	}
	if calm.Weather == r.Params.Weather {
		others = others[1:]
	}
	beside := make([]compared, len(others))
	errs := make([]error, len(others))
	var rivals []compared
	var wait sync.WaitGroup
	for k, o := range others {
		wait.Go(func() {
			var up [][]uint32
			up, errs[k] = r.Trace.scores(o.params, r.Test, q.Horizon)
			if errs[k] == nil {
				beside[k] = compared{o.name, sample(r.Test, up, func(v Case) bool { return !v.Newcomer() })}
			}
		})
	}
	wait.Go(func() { rivals = compareBaselines(fit, r.Test, ff, ft) })
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	rows := slices.Concat([]compared{{"score", r.Score}}, beside, rivals)
	r.Compared = make([]Row, len(rows))
	for i, c := range rows {
		wait.Go(func() { r.Compared[i] = Row{c.name, Measure(c.sample)} })
	}
	wait.Go(func() { r.Beginners = Measure(r.Newcomers) })
	wait.Wait()
	return nil
}
