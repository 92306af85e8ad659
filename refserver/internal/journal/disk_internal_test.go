package journal

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
			j, err := Open(filepath.Join(t.TempDir(), "journal"), func(uint64, []byte) error { return nil })
			require.NoError(t, err)
			require.NoError(t, j.Append([]byte("one")))
			d.file, j.f = j.f, d
			require.ErrorIs(t, j.Append([]byte("two")), full)
			require.ErrorIs(t, j.Append([]byte("three")), ErrFailed)
			require.Equal(t, uint64(1), j.Seq())
			require.NoError(t, j.Close())
		})
	}
}
