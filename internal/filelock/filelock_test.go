package filelock_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/filelock"
)

// TestMain lets the test binary be the other process: with LOCK_TRY set it tries the lock, and holds it until its
// standard input ends.
func TestMain(m *testing.M) {
	path := os.Getenv("LOCK_TRY")
	if path == "" {
		os.Exit(m.Run())
	}
	if _, err := filelock.Try(path); err != nil {
		os.Stdout.WriteString("held\n")
		os.Exit(3)
	}
	os.Stdout.WriteString("got\n")
	_, _ = os.Stdin.Read(make([]byte, 1))
}

func other(t *testing.T, path string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "LOCK_TRY="+path)
	return cmd
}

func TestExclusive(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	l, err := filelock.Try(path)
	require.NoError(t, err)
	out, err := other(t, path).Output()
	require.Error(t, err, "a second process took the lock")
	require.Equal(t, "held\n", string(out))
	require.NoError(t, l.Release())

	out, err = other(t, path).Output() // its standard input is empty, so it ends at once
	require.NoError(t, err)
	require.Equal(t, "got\n", string(out))
}

// A process that is killed leaves no lock behind.
func TestKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	cmd := other(t, path)
	_, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	word := make([]byte, 4)
	_, err = stdout.Read(word)
	require.NoError(t, err)
	require.Equal(t, "got\n", string(word))
	_, err = filelock.Try(path)
	require.ErrorIs(t, err, filelock.ErrHeld)
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()
	l, err := filelock.Wait(t.Context(), path)
	require.NoError(t, err)
	require.NoError(t, l.Release())
}
