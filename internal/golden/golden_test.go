package golden_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/golden"
)

// fake is a test that is meant to fail: it keeps the message and ends its goroutine.
type fake struct {
	testing.TB
	message string
}

func (f *fake) Helper() {}

func (f *fake) Fatal(args ...any) {
	f.message = fmt.Sprint(args...)
	runtime.Goexit()
}

func (f *fake) Fatalf(format string, args ...any) { f.Fatal(fmt.Sprintf(format, args...)) }

// check returns the message with which Check fails, "" if it does not.
func check(path, got string) string {
	f := &fake{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		golden.Check(f, path, got)
	}()
	<-done
	return f.message
}

func TestCheck(t *testing.T) {
	path := filepath.Join(t.TempDir(), "testdata", "x.golden")
	require.Contains(t, check(path, "one\n"), "run with -update to write it")

	update(t, true)
	require.True(t, golden.Update())
	require.Empty(t, check(path, "one\n"), "it is written, with its folder")
	update(t, false)
	require.False(t, golden.Update())

	require.Empty(t, check(path, "one\n"))
	message := check(path, "one")
	require.Contains(t, message, "x.golden differs")
	require.Contains(t, message, "--- want\none\n\n--- got\none")
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "one\n", string(b), "without -update nothing is written")

	update(t, true)
	require.Empty(t, check(path, "two"))
	require.NotEmpty(t, check(filepath.Join(path, "below"), "a file is no folder"))
	require.NotEmpty(t, check(filepath.Dir(path), "a folder is no file"))
	update(t, false)
	require.Empty(t, check(path, "two"))
}

// update sets the flag until the test ends.
func update(t *testing.T, on bool) {
	t.Helper()
	old := flag.Lookup("update").Value.String()
	require.NoError(t, flag.Set("update", fmt.Sprint(on)))
	t.Cleanup(func() { _ = flag.Set("update", old) })
}
