// Command standing follows three suppliers through a year: what happened, what their scores say and why, and which of them
// a job of eight cards should get for 24 hours.
package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/idlegrid/idlegrid/reputation"
)

const day = 24 * time.Hour

func main() {
	var out bytes.Buffer
	err := run(&out)
	if _, unwritten := out.WriteTo(os.Stdout); errors.Join(err, unwritten) != nil {
		fmt.Fprintln(os.Stderr, "standing:", errors.Join(err, unwritten))
		os.Exit(1)
	}
}

// suppliers have three machines of four cards each, at one site. A machine is down when its supplier's rule says so.
var suppliers = []struct {
	name, story string
	down        func(hour, machine int) bool
}{
	{"anna", "fails twice a year", func(h, m int) bool { return (h+1_500*m)%4_400 == 4_399 }},
	{"boris", "restarts every five days, for minutes", func(h, m int) bool { return (h+40*m)%120 == 119 }},
	{"carla", "never failed, and was slashed in autumn for cards that were others", func(int, int) bool { return false }},
}

func machine(supplier string, m int) reputation.Subject {
	return reputation.Subject(fmt.Sprintf("%s-%d", supplier, m+1))
}

func run(out *bytes.Buffer) error {
	b, err := reputation.NewBook(reputation.IONet())
	if err != nil {
		return err
	}
	start := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 9 {
		s := suppliers[i/3].name
		_, joined := b.Apply(start, reputation.Joined{Subject: machine(s, i%3), Owner: s, Site: "site of " + s})
		err = errors.Join(err, joined)
	}
	fmt.Fprintln(out, "Probability, in ppm, that a job of 24 hours ends well on the first machine of each, and its standing:")
	for h := 0; h <= 365*24 && err == nil; h++ {
		at := start.Add(time.Duration(h) * time.Hour)
		err = hour(b, at, h)
		if h == 24 || h == 90*24 || h == 300*24 || h == 365*24 {
			fmt.Fprintf(out, "  day %3d ", h/24)
			for _, s := range suppliers {
				score, _ := b.Score(machine(s.name, 0), at, day)
				fmt.Fprintf(out, "  %s %d, %d", s.name, score.Ends.PPM, score.Standing)
			}
			fmt.Fprintln(out)
		}
	}
	explain(out, b, start.Add(365*day))
	return errors.Join(err, choose(out, b, start.Add(365*day)), b.Audit())
}

// hour tells the book what happened in an hour: who was up, and once a day a job, a challenge and a sample of the line.
func hour(b *reputation.Book, at time.Time, h int) (err error) {
	apply := func(e reputation.Event) { _, e2 := b.Apply(at, e); err = errors.Join(err, e2) }
	for i, s := range suppliers {
		for m := range 3 {
			x, id := machine(s.name, m), fmt.Sprint(s.name, m, h)
			down := s.down(h, m)
			apply(reputation.Seen{Subject: x, Up: !down})
			if (h+m)%24 == 23 {
				outcome := map[bool]reputation.Outcome{false: reputation.JobDone, true: reputation.JobFailed}[down]
				renter := fmt.Sprint("renter ", (h/24+i)%9)
				apply(reputation.JobEnded{ID: id, Subject: x, Renter: renter, PaidMicroUSD: 40_000_000, GPUSeconds: 345_600, Outcome: outcome})
				apply(reputation.Challenged{ID: id, Subject: x, Answer: reputation.AnswerRight})
				apply(reputation.Measured{Subject: x, Latency: 20 * time.Millisecond, DownKbps: 8_000_000, UpKbps: 6_000_000, Meets: h%1_000 != 23})
			}
		}
	}
	if h == 280*24 {
		apply(reputation.Faulted{ID: "slash", Subject: "carla-2", Kind: reputation.FaultSpoofing})
	}
	return err
}

func explain(out *bytes.Buffer, b *reputation.Book, at time.Time) {
	fmt.Fprintln(out, "\nWhy, in millionths of log-odds against a stranger:")
	for _, s := range suppliers {
		x, _ := b.Explain(machine(s.name, 0), at, day)
		fmt.Fprintf(out, "  %s %s: %+d =", s.name, s.story, x.MicroNats)
		for _, t := range x.Terms {
			fmt.Fprintf(out, " %s %+d", t.Name, t.MicroNats)
		}
		fmt.Fprintf(out, "\n    to raise: %s\n", x.Terms[len(x.Terms)-1].Raise)
	}
}

// choose compares the suppliers for eight cards: two machines of four, and a third as a spare.
func choose(out *bytes.Buffer, b *reputation.Book, at time.Time) error {
	c, err := reputation.NewClusterModel(reputation.DefaultFrailty())
	fmt.Fprintln(out, "\nEight cards for 24 hours, two machines of four: P(both stay up), and with the third as a spare, causes shared:")
	for _, r := range b.Rank(at, day, reputation.Filter{ShowExcluded: true, MinStanding: 500_000}) {
		var m []reputation.Member
		for i := range 3 {
			x, _ := b.Member(r.Subject[:len(r.Subject)-1]+reputation.Subject('1'+rune(i)), at, day)
			m = append(m, x)
		}
		if err == nil && r.Subject[len(r.Subject)-1] == '1' {
			verdict := cmp.Or(r.Why, "and gets the job")
			fmt.Fprintf(out, "  %-8s %d, %d  standing %d, %s\n", m[0].Owner, c.AllUp(m[:2]), c.AtLeast(m, 2), r.Score.Standing, verdict)
		}
	}
	return err
}
