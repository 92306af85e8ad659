package script_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/script"
)

// sum is a state machine that adds numbers up.
func sum(*testing.T) func(script.Command) string {
	var n uint64
	return func(c script.Command) string {
		switch c.Name {
		case "add":
			n += c.Uint("n")
			return ""
		case "say":
			return c.Opt("before", "n = ") + string(rune('0'+n)) + "\n"
		case "echo":
			return c.Str("text")
		case "has":
			if c.Has("x") {
				return "x=" + c.Str("x")
			}
			return "no x"
		}
		return "unknown command"
	}
}

func TestRun(t *testing.T) { script.Run(t, "testdata/*.txt", sum) }

// scriptFile is where TestOne finds its script: it is this test's other half, in a process of its own.
const scriptFile = "IDLEGRID_SCRIPT"

func TestOne(t *testing.T) {
	if os.Getenv(scriptFile) == "" {
		return
	}
	script.Run(t, os.Getenv(scriptFile), sum)
}

// play runs a script in a process of its own, since a test that fails fails its parent.
func play(t *testing.T, text string, args ...string) (out, after string, ok bool) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s.txt")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	cmd := exec.CommandContext(t.Context(), os.Args[0], append([]string{"-test.run=^TestOne$"}, args...)...)
	cmd.Env = append(os.Environ(), scriptFile+"="+path)
	b, err := cmd.CombinedOutput()
	got, readErr := os.ReadFile(path)
	require.NoError(t, readErr)
	return string(b), string(got), err == nil
}

func TestFailures(t *testing.T) {
	for _, row := range []struct{ name, text, says string }{
		{"nothing", "", "there is no command"},
		{"comments alone", "# add n=1\n", "there is no command"},
		{"another output", "add n=1\n----\n1\n", "differs"},
		{"less output", "add n=1\nsay\n----\nok\n", "differs"},
		{"more output", "add n=1\n----\nok\nok\n", "differs"},
		{"no output expected", "add n=1\n----\n", "differs"},
		{"nothing expected at all", "# a comment\nadd n=1\n", `s.txt:3: nothing is expected of the commands before this line: "----" is missing`},
		{"nothing expected of the first block", "add n=1\n\nsay\n----\nn = 1\n", `s.txt:2: nothing is expected`},
		{"an argument is missing", "add\n----\nok\n", "s.txt:1: add needs n="},
		{"an argument is not known", "add n=1 m=2\n----\nok\n", "s.txt:1: add does not know m="},
		{"an argument stands twice", "add n=1 n=2\n----\nok\n", "s.txt:1: n= stands twice"},
		{"no number", "add n=-1\n----\nok\n", "s.txt:1: n=: strconv.ParseUint"},
		{"no argument", "add 1\n----\nok\n", `s.txt:1: "1" is not key=value`},
		{"no key", "add =1\n----\nok\n", `"=1" is not key=value`},
		{"an open quote", "echo text=\"a\n----\na\n", "s.txt:1: quote not closed"},
		{"after a quote", "echo text=\"a\"b=c\n----\na\n", "a space is needed after the value of text="},
		{"an empty line in the output", "say before=\"\"\n----\n0\n\necho text=x\n----\ny\n", "differs"},
	} {
		t.Run(row.name, func(t *testing.T) {
			out, after, ok := play(t, row.text)
			require.False(t, ok, out)
			require.Contains(t, out, row.says)
			require.Equal(t, row.text, after)
		})
	}
}

// TestUpdate rewrites what was expected, and keeps all else.
func TestUpdate(t *testing.T) {
	text := "# one\n\n# two\nadd   n=3\nsay\n----\nold\nold\n\nsay before=\"\"\n----\n"
	out, after, ok := play(t, text, "-update")
	require.True(t, ok, out)
	require.Equal(t, strings.NewReplacer("old\nold", "ok\nn = 3", "----\n\x00", "").Replace(text)+"3\n", after)
	out, again, ok := play(t, after)
	require.True(t, ok, out)
	require.Equal(t, after, again)
	_, again, ok = play(t, after, "-update")
	require.True(t, ok)
	require.Equal(t, after, again)
}
