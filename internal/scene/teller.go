package scene

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/reputation"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// Teller gives commands to a network and prints what follows from them. It keeps the first error, after which it does
// nothing more, so that a story can be told without asking after every sentence.
type Teller struct {
	Out     io.Writer
	Net     *network.Network
	err     error
	chapter int
}

// Err returns the first error.
func (t *Teller) Err() error { return t.err }

// Chapter begins a step of the story.
func (t *Teller) Chapter(title string) {
	t.chapter++
	t.printf("\n%d. %s\n", t.chapter, title)
}

// Sayf prints a line of the story.
func (t *Teller) Sayf(format string, args ...any) { t.printf("   "+format+"\n", args...) }

// Do gives a command and prints every fact that follows.
func (t *Teller) Do(at time.Time, c network.Command) {
	if t.err == nil {
		t.Tell(t.Net.Apply(at, c))
	}
}

// Tell prints facts, and keeps an error.
func (t *Teller) Tell(facts []network.Fact, err error) {
	for _, f := range facts {
		t.Sayf("%s", network.Describe(f))
	}
	t.Keep(facts, err)
}

// First prints the first fact only, and keeps an error.
func (t *Teller) First(facts []network.Fact, err error) { t.Tell(facts[:min(1, len(facts))], err) }

// Keep keeps an error and lets the facts pass.
func (t *Teller) Keep(_ []network.Fact, err error) {
	if t.err == nil {
		t.err = err
	}
}

func (t *Teller) printf(format string, args ...any) {
	if t.err != nil {
		return
	}
	if _, err := fmt.Fprintf(t.Out, format, args...); err != nil {
		t.err = err
	}
}

// Score says what probability a machine's record gives, and of which terms it is the sum.
func (t *Teller) Score(at time.Time, name string) {
	if t.err != nil {
		return
	}
	s, _ := t.Net.Score(name, at)
	x, _ := t.Net.Explain(name, at)
	t.Sayf("%s: %s, 90 %% between %s and %s; seen for %.0f h; log-odds of a stranger %s", name,
		network.Percent(s.UpPPM), network.Percent(s.LowPPM), network.Percent(s.HighPPM), s.Observed.Hours(), terms(x))
}

func terms(x reputation.Explanation) string {
	var b strings.Builder
	for _, term := range x.Terms {
		fmt.Fprintf(&b, "%+d.%06d (%s) ", term.MicroNats/1_000_000, abs(term.MicroNats)%1_000_000, term.Name)
	}
	fmt.Fprintf(&b, "= %+d.%06d", x.MicroNats/1_000_000, abs(x.MicroNats)%1_000_000)
	return b.String()
}

func abs(v int64) int64 { return max(v, -v) }

// Tier says what tier a machine has, and what keeps it from the next one.
func (t *Teller) Tier(name string) {
	v, _ := t.Net.Node(name)
	t.Sayf("%s is tier %d", name, v.Tier)
	for _, s := range v.Shortfalls {
		t.Sayf("   %s", s)
	}
}

// Refused gives a command that is expected to be refused, and prints why it was. If it is not, that is the story's error.
func (t *Teller) Refused(at time.Time, c network.Command) {
	if t.err != nil {
		return
	}
	if _, err := t.Net.Apply(at, c); err != nil {
		t.Sayf("refused: %v", err)
		return
	}
	t.err = fmt.Errorf("scene: %T was expected to be refused", c)
}

// Block tells the last block: every machine that was paid, and how its reward was divided.
func (t *Teller) Block() {
	for _, b := range t.Net.Blocks(1) {
		for _, p := range b.Pools {
			t.Sayf("pool %s: %s IO for a base score of %d; paid %s, held %s, carried %s", p.Pool, p.Budget, p.Total, p.Paid, p.Held, p.Carried)
			for _, e := range b.Entries {
				if e.Pool != p.Pool {
					continue
				}
				t.Sayf("%s: %d x %s: 50*%d + 200*%s*100*%d = %d, normalised %s, reward %s IO", e.Node, e.GPUs, e.Model, e.Connectivity,
					e.Multiplier, e.GPUs, e.Score, tokenomics.Normalised(e.Score, p.Total, p.Points), e.Reward)
				for _, part := range e.Parts {
					t.Sayf("   %s IO to the %s", part.Amount, part.Role)
				}
			}
		}
		why := map[string]int{}
		for _, x := range b.Excluded {
			why[fmt.Sprintf("%s: %s", x.Rule, x.Why)]++
		}
		for _, w := range slices.Sorted(maps.Keys(why)) {
			t.Sayf("not nominated: %d machines, %s", why[w], w)
		}
	}
}
