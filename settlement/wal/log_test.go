package wal_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/wal"
)

var _ settlement.Store = (*wal.Log)(nil)

// childEnv names the log that this binary writes to as the child of TestKill.
const childEnv = "IDLEGRID_WAL_CHILD"

func TestMain(m *testing.M) {
	if path := os.Getenv(childEnv); path != "" {
		write := func() error {
			l, err := wal.Open(path)
			if err != nil {
				return err
			}
			for {
				if err := l.Append([]byte(strconv.FormatUint(l.Seq()+1, 10))); err != nil {
					return err
				}
				fmt.Println(l.Seq())
			}
		}
		fmt.Fprintln(os.Stderr, write())
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// read opens the log and returns its records as text.
func read(t *testing.T, path string) ([]string, *wal.Log, error) {
	t.Helper()
	l, err := wal.Open(path)
	if err != nil {
		return nil, nil, err
	}
	var got []string
	require.NoError(t, l.Replay(func(p []byte) error {
		got = append(got, string(p))
		return nil
	}))
	require.Equal(t, uint64(len(got)), l.Seq())
	return got, l, nil
}

// write makes a log of three records and returns its path, its bytes and where each record ends.
func write(t *testing.T) (path string, whole []byte, ends []int) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "state", "log")
	_, l, err := read(t, path)
	require.NoError(t, err)
	info, err := os.Stat(path)
	require.NoError(t, err)
	ends = append(ends, int(info.Size()))
	for _, p := range []string{"one", "two", "three"} {
		require.NoError(t, l.Append([]byte(p)))
		info, err := os.Stat(path)
		require.NoError(t, err)
		ends = append(ends, int(info.Size()))
	}
	require.Equal(t, uint64(3), l.Seq())
	require.NoError(t, l.Close())
	whole, err = os.ReadFile(path)
	require.NoError(t, err)
	return path, whole, ends
}

func TestReplay(t *testing.T) {
	path, _, _ := write(t)
	got, l, err := read(t, path)
	require.NoError(t, err)
	require.Equal(t, []string{"one", "two", "three"}, got)
	require.Zero(t, l.Cut)
	require.NoError(t, l.Append([]byte("four")))
	require.NoError(t, l.Append(nil))
	require.NoError(t, l.Replay(func(p []byte) error {
		got = append(got, string(p))
		return nil
	}), "what was appended just now is replayed too")
	require.Equal(t, []string{"one", "two", "three", "one", "two", "three", "four", ""}, got)
	stop := errors.New("stop")
	n := 0
	require.ErrorIs(t, l.Replay(func([]byte) error { n++; return stop }), stop)
	require.Equal(t, 1, n)
	require.NoError(t, l.Append([]byte("six")), "a reader that stops does not harm the log")
	require.NoError(t, l.Close())
	got, l, err = read(t, path)
	require.NoError(t, err)
	require.Equal(t, []string{"one", "two", "three", "four", "", "six"}, got)
	require.NoError(t, l.Close())
}

// Wherever a crash cuts the file, what had been acknowledged before that byte is there, and the log goes on.
func TestTornAtEveryByte(t *testing.T) {
	path, whole, ends := write(t)
	for n := range len(whole) + 1 {
		for _, zeros := range []int{0, 1, 64} {
			require.NoError(t, os.WriteFile(path, append(append([]byte{}, whole[:n]...), make([]byte, zeros)...), 0o600))
			want := []string{}
			last := 0
			for i, text := range []string{"one", "two", "three"} {
				if n >= ends[i+1] {
					want, last = append(want, text), ends[i+1]
				}
			}
			got, l, err := read(t, path)
			if n < ends[3] && zeros > 0 && err != nil { // a header whose rest are zeros is no torn write of an append
				require.ErrorIs(t, err, wal.ErrCorrupt)
				continue
			}
			require.NoError(t, err, "cut at %d, %d zeros", n, zeros)
			require.Equal(t, fmt.Sprint(want), fmt.Sprint(got), "cut at %d, %d zeros", n, zeros)
			if last > 0 {
				require.EqualValues(t, n+zeros-last, l.Cut, "what was cut is told")
			}
			require.NoError(t, l.Append([]byte("next")))
			require.NoError(t, l.Close())
			got, l, err = read(t, path)
			require.NoError(t, err)
			require.Equal(t, fmt.Sprint(append(want, "next")), fmt.Sprint(got))
			require.NoError(t, l.Close())
		}
	}
}

// A flipped bit before the last record is never taken for a torn end.
func TestDamage(t *testing.T) {
	path, whole, ends := write(t)
	for at := range ends[2] {
		for bit := range 8 {
			b := append([]byte{}, whole...)
			b[at] ^= 1 << bit
			require.NoError(t, os.WriteFile(path, b, 0o600))
			_, _, err := read(t, path)
			require.ErrorIs(t, err, wal.ErrCorrupt, "byte %d bit %d", at, bit)
			left, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, b, left, "a damaged file is left as it is")
		}
	}
}

// A bit that flips while the log is open is told by the next Replay.
func TestDamageWhileOpen(t *testing.T) {
	path, whole, ends := write(t)
	_, l, err := read(t, path)
	require.NoError(t, err)
	for _, at := range []int{ends[0], ends[1] - 1, ends[2] + 11} {
		b := append([]byte{}, whole...)
		b[at] ^= 1
		require.NoError(t, os.WriteFile(path, b, 0o600))
		require.ErrorIs(t, l.Replay(func([]byte) error { return nil }), wal.ErrCorrupt, "byte %d", at)
	}
	require.NoError(t, l.Close())
}

func TestOneWriter(t *testing.T) {
	path, _, _ := write(t)
	_, l, err := read(t, path)
	require.NoError(t, err)
	_, _, err = read(t, path)
	require.ErrorContains(t, err, "in use")
	require.NoError(t, l.Close())
}

func TestPermissions(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no permission bits")
	}
	path, _, _ := write(t)
	for name, want := range map[string]os.FileMode{path: 0o600, path + ".lock": 0o600, filepath.Dir(path): 0o700} {
		info, err := os.Stat(name)
		require.NoError(t, err)
		require.Equal(t, want, info.Mode().Perm(), name)
	}
}

func TestTooLong(t *testing.T) {
	_, l, err := read(t, filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	require.ErrorIs(t, l.Append(make([]byte, wal.MaxRecord+1)), wal.ErrTooLong)
	require.NoError(t, l.Append([]byte("the log goes on")))
	require.NoError(t, l.Close())
}

// TestKill ends a writing process with SIGKILL, again and again on one log: what it had acknowledged is there, in order, and
// at most one record more.
func TestKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	before := 0
	for _, acks := range []int{1, 2, 7, 40} {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
		child.Env = append(os.Environ(), childEnv+"="+path)
		out, err := child.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, child.Start())
		last := 0
		for lines := bufio.NewScanner(out); lines.Scan(); {
			last, err = strconv.Atoi(strings.TrimSpace(lines.Text()))
			require.NoError(t, err)
			if last == before+acks {
				require.NoError(t, child.Process.Kill())
			}
		}
		require.Error(t, child.Wait(), "it was killed")
		require.GreaterOrEqual(t, last, before+acks)
		got, l, err := read(t, path)
		require.NoError(t, err)
		require.NoError(t, l.Close())
		require.GreaterOrEqual(t, len(got), last, "nothing that was acknowledged is lost")
		require.LessOrEqual(t, len(got), last+1, "nothing is there that was not written")
		for i, text := range got {
			require.Equal(t, strconv.Itoa(i+1), text)
		}
		before = len(got)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte("idlegrid journal 1\n"))
	f.Add([]byte("idlegrid journal 1\n\x00\x00\x00\x01"))
	f.Add([]byte("idle"))
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "log")
		require.NoError(t, os.WriteFile(path, b, 0o600))
		got, l, err := read(t, path)
		if err != nil {
			return
		}
		require.NoError(t, l.Append([]byte("x")))
		require.NoError(t, l.Close())
		again, l, err := read(t, path)
		require.NoError(t, err)
		require.Equal(t, append(got, "x"), again)
		require.NoError(t, l.Close())
	})
}
