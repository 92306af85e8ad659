package journal_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/refserver/internal/journal"
)

// read opens the journal and returns its records as text.
func read(t *testing.T, path string) ([]string, *journal.Journal, error) {
	t.Helper()
	var got []string
	j, err := journal.Open(path, func(seq uint64, p []byte) error {
		require.Equal(t, uint64(len(got)+1), seq)
		got = append(got, string(p))
		return nil
	})
	return got, j, err
}

// write makes a journal of three records and returns its path, its bytes and where each record ends.
func write(t *testing.T) (path string, whole []byte, ends []int) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "state", "journal")
	_, j, err := read(t, path)
	require.NoError(t, err)
	info, err := os.Stat(path)
	require.NoError(t, err)
	ends = append(ends, int(info.Size()))
	for _, p := range []string{"one", "two", "three"} {
		require.NoError(t, j.Append([]byte(p)))
		info, err := os.Stat(path)
		require.NoError(t, err)
		ends = append(ends, int(info.Size()))
	}
	require.Equal(t, uint64(3), j.Seq())
	require.NoError(t, j.Close())
	whole, err = os.ReadFile(path)
	require.NoError(t, err)
	return path, whole, ends
}

func TestReplay(t *testing.T) {
	path, _, _ := write(t)
	got, j, err := read(t, path)
	require.NoError(t, err)
	require.Equal(t, []string{"one", "two", "three"}, got)
	require.Zero(t, j.Cut)
	require.NoError(t, j.Append([]byte("four"), []byte("five")))
	require.NoError(t, j.Close())
	got, j, err = read(t, path)
	require.NoError(t, err)
	require.Equal(t, []string{"one", "two", "three", "four", "five"}, got)
	require.NoError(t, j.Close())
}

// Wherever a crash cuts the file, what had been acknowledged before that byte is there, and the journal goes on.
func TestTornAtEveryByte(t *testing.T) {
	path, whole, ends := write(t)
	for n := range len(whole) + 1 {
		for _, zeros := range []int{0, 1, 64} {
			require.NoError(t, os.WriteFile(path, append(append([]byte{}, whole[:n]...), make([]byte, zeros)...), 0o600))
			want := []string{}
			for i, text := range []string{"one", "two", "three"} {
				if n >= ends[i+1] {
					want = append(want, text)
				}
			}
			got, j, err := read(t, path)
			if n < ends[3] && zeros > 0 && err != nil { // a header whose rest are zeros is no torn write of an append
				require.ErrorIs(t, err, journal.ErrCorrupt)
				continue
			}
			require.NoError(t, err, "cut at %d, %d zeros", n, zeros)
			require.Equal(t, fmt.Sprint(want), fmt.Sprint(got), "cut at %d, %d zeros", n, zeros)
			require.NoError(t, j.Append([]byte("next")))
			require.NoError(t, j.Close())
			got, j, err = read(t, path)
			require.NoError(t, err)
			require.Equal(t, fmt.Sprint(append(want, "next")), fmt.Sprint(got))
			require.NoError(t, j.Close())
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
			require.ErrorIs(t, err, journal.ErrCorrupt, "byte %d bit %d", at, bit)
		}
	}
}

func TestOneWriter(t *testing.T) {
	path, _, _ := write(t)
	_, j, err := read(t, path)
	require.NoError(t, err)
	_, _, err = read(t, path)
	require.ErrorContains(t, err, "in use")
	require.NoError(t, j.Close())
}

func TestTooLong(t *testing.T) {
	_, j, err := read(t, filepath.Join(t.TempDir(), "journal"))
	require.NoError(t, err)
	require.ErrorIs(t, j.Append(make([]byte, journal.MaxRecord+1)), journal.ErrTooLong)
	require.NoError(t, j.Append([]byte("the journal goes on")))
	require.NoError(t, j.Close())
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte("idlegrid journal 1\n"))
	f.Add([]byte("idlegrid journal 1\n\x00\x00\x00\x01"))
	f.Add([]byte("idle"))
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "journal")
		require.NoError(t, os.WriteFile(path, b, 0o600))
		got, j, err := read(t, path)
		if err != nil {
			return
		}
		require.NoError(t, j.Append([]byte("x")))
		require.NoError(t, j.Close())
		again, j, err := read(t, path)
		require.NoError(t, err)
		require.Equal(t, append(got, "x"), again)
		require.NoError(t, j.Close())
	})
}
