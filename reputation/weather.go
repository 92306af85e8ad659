package reputation

import (
	"fmt"
	"math/bits"
	"time"
)

// Weather says how outages that all subjects have in common lately are told from each one's own. The zero value: not at all.
//
// A book takes stock when it is told to ([StockTaken]): it adds up the probabilities X that the N established subjects that
// are up have an outage within Params.Reference, and counts those that come, O. Each stock counts when the next one is taken,
// and is forgotten at a half-life. What came beyond what was expected is the weather,
//
//	c = max(0, (O - X)/N)
//
// and an established subject stays up for T with (1-c)^(T/Reference) of its probability, for T of Params.Reference or longer.
// A shock strikes good subjects as much as bad ones, which is why it is no factor on the rate. Newcomers are not counted, so
// that a burst of identities moves nobody's score.
type Weather struct {
	// HalfLife is that of the sums, in nanoseconds: whole seconds, 1 hour to 10 years.
	HalfLife time.Duration `json:"half_life_ns"`
	// Period is the shortest time between two stocks, in nanoseconds: whole seconds, 1 hour to Params.Reference.
	Period time.Duration `json:"period_ns"`
	// MaxPPM is the most that c can be, in parts per million, 1 to 10^6: so much can a crowd that fails on purpose take away.
	MaxPPM uint32 `json:"max_ppm"`
}

func (w Weather) used() bool { return w != Weather{} }

func (w Weather) validate(reference time.Duration) error {
	if !w.used() {
		return nil
	}
	if err := within("weather: half_life_ns", w.HalfLife, time.Hour, 10*year); err != nil {
		return err
	}
	if err := within("weather: period_ns", w.Period, time.Hour, reference); err != nil {
		return err
	}
	if w.MaxPPM == 0 || w.MaxPPM > 1e6 {
		return fmt.Errorf("%w: weather: max_ppm %d is not in 1..10^6", ErrInvalid, w.MaxPPM)
	}
	return nil
}

// stocks are the sums of a book.
type stocks struct {
	o, x, n uint64 // that count, decayed, Q32.32
	asOf    uint32
	next    stock // the one that is taken
	taken   bool
}

// stock is one stock: outages that came, those that were expected, subjects, Q32.32.
type stock struct {
	at      uint32
	o, x, n uint64
}

// checkStock refuses a stock that comes too early.
func (b *Book) checkStock(at uint32) error {
	switch {
	case !b.params.Weather.used():
		return fmt.Errorf("%w: weather does not count under %q", ErrUnused, b.params.Version)
	case b.stocks.taken && at-b.stocks.next.at < seconds(b.params.Weather.Period):
		return fmt.Errorf("%w: stock was taken %d s ago, every %v", ErrTooEarly, at-b.stocks.next.at, b.params.Weather.Period)
	}
	return nil
}

// takeStock ends the stock before and begins another. It looks at every subject.
func (b *Book) takeStock(at uint32) {
	s := &b.stocks
	if s.taken {
		if at > s.asOf {
			q := b.fade.kept(b.tables, at-s.asOf)
			s.o, s.x, s.n = high(s.o, q), high(s.x, q), high(s.n, q)
		}
		s.o, s.x, s.n = s.o+s.next.o, s.x+s.next.x, s.n+s.next.n
	}
	s.asOf, s.taken, s.next = at, true, stock{at: at}
	reference := seconds(b.params.Reference)
	for i := range b.records {
		r := &b.records[i]
		r.stock = r.known && r.up && r.observed() >= b.ages.established && at-r.seen <= b.clock.gap
		if !r.stock {
			continue
		}
		now := r.until(b.tables, &b.clock, at)
		s.next.x += now.outage(b.tables, &b.clock, reference) >> 32
		s.next.n += unit
	}
}

// failed notes that a subject that the stock counts had an outage within the horizon.
func (b *Book) failed(r *record, at uint32) {
	if r.stock && at-b.stocks.next.at <= seconds(b.params.Reference) {
		b.stocks.next.o += unit
	}
	r.stock = false
}

// shock is the chance that the weather ends a subject within the horizon, Q0.64, 0 in good weather.
func (b *Book) shock(horizon uint32) uint64 {
	reference := seconds(b.params.Reference)
	s := &b.stocks
	if s.o <= s.x || horizon < reference {
		return 0
	}
	most := millionths(b.params.Weather.MaxPPM)
	c := most
	if s.o-s.x < s.n {
		share, _ := bits.Div64(s.o-s.x, 0, s.n)
		c = min(c, share)
	}
	l := uint64(64<<48 - b.tables.log2(max(one-c, 1))) // log2 of 1/(1-c), Q16.48
	hi, lo := bits.Mul64(l, uint64(horizon))
	if hi >= uint64(reference) {
		return one
	}
	x, _ := bits.Div64(hi, lo, uint64(reference))
	return one - b.tables.exp2neg(x)
}
