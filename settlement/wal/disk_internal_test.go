package wal

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// disk fails on demand.
type disk struct {
	file
	write, sync error
}

func (d *disk) Write(b []byte) (int, error) {
	if d.write != nil {
		return len(b) / 2, d.write
	}
	return d.file.Write(b)
}

func (d *disk) Sync() error {
	if d.sync != nil {
		return d.sync
	}
	return d.file.Sync()
}

// After a failed write or sync nothing more is taken: the page that failed may be lost although later ones are not.
func TestFailedDisk(t *testing.T) {
	full := errors.New("no space left")
	for name, d := range map[string]*disk{"write": {write: full}, "sync": {sync: full}} {
		t.Run(name, func(t *testing.T) {
			l, err := Open(filepath.Join(t.TempDir(), "log"))
			require.NoError(t, err)
			require.NoError(t, l.Append([]byte("one")))
			d.file, l.f = l.f, d
			require.ErrorIs(t, l.Append([]byte("two")), full)
			d.write, d.sync = nil, nil // the disk is well again, and that changes nothing
			require.ErrorIs(t, l.Append([]byte("three")), ErrFailed)
			require.ErrorIs(t, l.Replay(func([]byte) error { return nil }), ErrFailed)
			require.Equal(t, uint64(1), l.Seq())
			require.NoError(t, l.Close())
		})
	}
}
