package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/golden"
)

// published are the rewards of the three machines in the block that io.net's documentation shows for 2024-06-20T00:00.
func published() []string {
	return []string{
		"a100: 1 x NVIDIA A100 80GB PCIe: ", "reward 0.87866191 IO", "0.27238519 IO to the co-staker",
		"a4000: 1 x NVIDIA RTX A4000: ", "reward 0.07190646 IO",
		"rig6: 6 x NVIDIA GeForce RTX 3080: ", "reward 0.26351088 IO",
	}
}

func tell(t *testing.T, openb string) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out, openb))
	return out.String()
}

// The story is the same every time, to the byte, signatures and slots on the chain included.
func TestEpoch(t *testing.T) {
	first := tell(t, "")
	golden.Check(t, "testdata/epoch.golden", first)
	require.Equal(t, first, tell(t, ""))
	inOrder(t, first, published())
	require.Contains(t, first, "equal the books to the base unit")
}

// Among the machines and jobs of the real trace the block pays the same.
func TestEpochOnTheTrace(t *testing.T) {
	data := os.Getenv("IDLEGRID_DATA")
	if data == "" {
		t.Skip("the trace is read from the folder openb in IDLEGRID_DATA, which is not set")
	}
	text := tell(t, filepath.Join(data, "openb"))
	inOrder(t, text, published())
	require.Contains(t, text, "equal the books to the base unit")
}

// Where there is no trace to read, nothing is told.
func TestEpochWithoutTheTrace(t *testing.T) {
	var out bytes.Buffer
	require.ErrorIs(t, run(t.Context(), &out, filepath.Join(t.TempDir(), "nothing")), os.ErrNotExist)
	require.Empty(t, out.String())
}

// inOrder wants every part to stand in the text after the one before it.
func inOrder(t *testing.T, text string, parts []string) {
	t.Helper()
	rest := text
	for _, part := range parts {
		_, after, found := strings.Cut(rest, part)
		require.True(t, found, "%q is missing in %q", part, rest)
		rest = after
	}
}
