package chaos

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Mode says which payer runs, and what happens to it.
type Mode string

// The modes.
const (
	Protocol      Mode = "protocol"
	ProtocolLost  Mode = "protocol-lost"
	ProtocolLying Mode = "protocol-lying"
	ProtocolRace  Mode = "protocol-race"
	Naive         Mode = "naive"
	NoMarker      Mode = "nomarker"
	EarlyReclaim  Mode = "early-reclaim"
)

// Modes returns all modes, the controls last.
func Modes() []Mode {
	return []Mode{Protocol, ProtocolLost, ProtocolLying, ProtocolRace, Naive, NoMarker, EarlyReclaim}
}

// Control says whether payers of this mode have to fail.
func (m Mode) Control() bool { return m == Naive || m == NoMarker || m == EarlyReclaim }

// payers is how many processes work on one key.
func (m Mode) payers() int {
	if m == ProtocolRace || m == EarlyReclaim {
		return 2
	}
	return 1
}

// World is the size of a history.
type World struct {
	Batches int // that are to be paid, 1 to 100
	Lines   int // of each batch, 1 to 50
	Ticks   int // rounds before all is healed, 1 to 1,000
	Blocks  int // between two rounds, 1 to 100
}

// Op is one operation: words, of which the first is its name.
type Op struct {
	Tick  int
	Words []string
}

// Script is one history. Operations are in order of their ticks.
type Script struct {
	Mode      Mode
	World     World
	Token2022 bool // the token is one of Token-2022
	Ops       []Op
}

// String returns the script's text, which Parse reads.
func (s Script) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "mode %s\nworld %d %d %d %d\n", s.Mode, s.World.Batches, s.World.Lines, s.World.Ticks, s.World.Blocks)
	if s.Token2022 {
		b.WriteString("token 2022\n")
	}
	for _, o := range s.Ops {
		fmt.Fprintf(&b, "at %d %s\n", o.Tick, strings.Join(o.Words, " "))
	}
	return b.String()
}

// Parse reads a script's text. Lines that are empty or begin with # are left out. Errors name the line.
func Parse(text string) (Script, error) {
	var s Script
	for i, line := range strings.Split(text, "\n") {
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if err := s.line(words); err != nil {
			return Script{}, fmt.Errorf("chaos: line %d: %w", i+1, err)
		}
	}
	if err := s.valid(); err != nil {
		return Script{}, fmt.Errorf("chaos: %w", err)
	}
	return s, nil
}

func (s *Script) line(words []string) error {
	switch {
	case words[0] == "mode" && len(words) == 2:
		s.Mode = Mode(words[1])
		return nil
	case words[0] == "world" && len(words) == 5:
		n, err := numbers(words[1:])
		if err != nil {
			return err
		}
		s.World = World{n[0], n[1], n[2], n[3]}
		return nil
	case words[0] == "token" && len(words) == 2 && words[1] == "2022":
		s.Token2022 = true
		return nil
	case words[0] == "at" && len(words) > 2:
		n, err := numbers(words[1:2])
		if err != nil {
			return err
		}
		s.Ops = append(s.Ops, Op{n[0], words[2:]})
		return nil
	}
	return fmt.Errorf("%q is none of mode, world, token 2022 and at", strings.Join(words, " "))
}

func (s Script) valid() error {
	in := func(what string, n, most int) error {
		if n < 1 || n > most {
			return fmt.Errorf("%s is %d, want 1 to %d", what, n, most)
		}
		return nil
	}
	if !slices.Contains(Modes(), s.Mode) {
		return fmt.Errorf("mode is %q, want one of %v", s.Mode, Modes())
	}
	w := s.World
	for _, err := range []error{in("Batches", w.Batches, 100), in("Lines", w.Lines, 50), in("Ticks", w.Ticks, 1000), in("Blocks", w.Blocks, 100)} {
		if err != nil {
			return err
		}
	}
	for i, o := range s.Ops {
		if o.Tick < 0 || o.Tick >= w.Ticks || i > 0 && o.Tick < s.Ops[i-1].Tick {
			return fmt.Errorf("operation %q is at tick %d, want 0 to %d, in rising order", strings.Join(o.Words, " "), o.Tick, w.Ticks-1)
		}
	}
	return nil
}

// numbers reads words that all are whole numbers.
func numbers(words []string) ([]int, error) {
	out := make([]int, len(words))
	for i, w := range words {
		n, err := strconv.Atoi(w)
		if err != nil {
			return nil, fmt.Errorf("%q is no number", w)
		}
		out[i] = n
	}
	return out, nil
}
