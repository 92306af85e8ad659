package main

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/golden"
)

func TestStory(t *testing.T) {
	var out, again bytes.Buffer
	require.NoError(t, run(&out))
	require.NoError(t, run(&again))
	require.Equal(t, out.String(), again.String())
	golden.Check(t, "testdata/embed.golden", out.String())
	// The score sends bob where his data lies although another machine comes first; the filter keeps the second guest out of the private rack.
	for _, want := range []string{"a1 is next: custom 0, here 100", "2 cards, 1 custom", "same digest: true"} {
		require.Contains(t, out.String(), want)
	}
	require.Equal(t, 3, strings.Count(out.String(), "6 devices free, eve would get [a1/0 a1/1]"), "a view stays as it was")
}

// A partner needs the scheduler and the standard library, nothing else.
func TestImports(t *testing.T) {
	source, err := os.ReadFile("main.go")
	require.NoError(t, err)
	require.Equal(t, []string{`"github.com/idlegrid/idlegrid/sched"`}, regexp.MustCompile(`"[a-z]+\.[^"]*/[^"]*"`).FindAllString(string(source), -1))
}
