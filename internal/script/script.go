package script

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/idlegrid/idlegrid/internal/golden"
)

// Command is one line of a script.
type Command struct {
	Name string
	args map[string]string
	used map[string]bool
	at   string
	t    testing.TB
}

// Str returns the argument key; the test fails if it is absent.
func (c Command) Str(key string) string {
	c.t.Helper()
	v, ok := c.args[key]
	if !ok {
		c.t.Fatalf("%s: %s needs %s=", c.at, c.Name, key)
	}
	c.used[key] = true
	return v
}

// Has reports whether the argument key was given.
func (c Command) Has(key string) bool {
	_, ok := c.args[key]
	return ok
}

// Opt returns the argument key, or otherwise if it is absent.
func (c Command) Opt(key, otherwise string) string {
	if !c.Has(key) {
		return otherwise
	}
	return c.Str(key)
}

// Uint returns the argument key as a whole number; the test fails if it is none.
func (c Command) Uint(key string) uint64 {
	c.t.Helper()
	v, err := strconv.ParseUint(c.Str(key), 10, 64)
	if err != nil {
		c.t.Fatalf("%s: %s=: %v", c.at, key, err)
	}
	return v
}

// Run plays every file that matches the pattern as a subtest. It calls begin once a file, for a fresh state, and the
// function that it returns once a command; what that returns is the command's output, and an empty string is "ok".
func Run(t *testing.T, pattern string, begin func(t *testing.T) func(Command) string) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no script matches %s (%v)", pattern, err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), filepath.Ext(f)), func(t *testing.T) {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			golden.Check(t, f, play(t, f, string(text), begin(t)))
		})
	}
}

// play runs the commands of a script and returns it with the output that they really had.
func play(t testing.TB, file, text string, do func(Command) string) string {
	t.Helper()
	var out strings.Builder
	expected, played := false, false
	var got []string
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i, line := range append(lines, "") { // the empty line ends the last block
		trim := strings.TrimSpace(line)
		switch {
		case trim == "":
			if len(got) > 0 && !expected {
				t.Fatalf("%s:%d: nothing is expected of the commands before this line: \"----\" is missing", file, i+1)
			}
			expected, got = false, nil
			out.WriteString("\n")
		case trim == "----":
			expected = true
			out.WriteString("----\n" + strings.Join(got, ""))
		case expected: // the old output: what was got stands in its place
		case strings.HasPrefix(trim, "#"):
			out.WriteString(line + "\n")
		default:
			out.WriteString(line + "\n")
			c := parse(t, fmt.Sprintf("%s:%d", file, i+1), trim)
			res := do(c)
			played = true
			for k := range c.args {
				if !c.used[k] {
					t.Fatalf("%s: %s does not know %s=", c.at, c.Name, k)
				}
			}
			if res == "" {
				res = "ok"
			}
			if strings.Contains(strings.TrimRight(res, "\n"), "\n\n") {
				t.Fatalf("%s: the output of %s has an empty line, which would end the block", c.at, c.Name)
			}
			got = append(got, strings.TrimRight(res, "\n")+"\n")
		}
	}
	if !played {
		t.Fatalf("%s: there is no command", file)
	}
	return strings.TrimRight(out.String(), "\n") + "\n"
}

func parse(t testing.TB, at, line string) Command {
	t.Helper()
	c := Command{args: map[string]string{}, used: map[string]bool{}, at: at, t: t}
	c.Name, line, _ = strings.Cut(line, " ")
	for line = strings.TrimLeft(line, " "); line != ""; line = strings.TrimLeft(line, " ") {
		key, rest, ok := strings.Cut(line, "=")
		if !ok || key == "" || strings.ContainsAny(key, " \"") {
			word, _, _ := strings.Cut(line, " ")
			t.Fatalf("%s: %q is not key=value", at, word)
		}
		if _, twice := c.args[key]; twice {
			t.Fatalf("%s: %s= stands twice", at, key)
		}
		var value string
		if quoted, isQuoted := strings.CutPrefix(rest, `"`); isQuoted {
			if value, line, ok = strings.Cut(quoted, `"`); !ok {
				t.Fatalf("%s: quote not closed", at)
			}
			if line != "" && line[0] != ' ' {
				t.Fatalf("%s: a space is needed after the value of %s=", at, key)
			}
		} else {
			value, line, _ = strings.Cut(rest, " ")
		}
		c.args[key] = value
	}
	return c
}
