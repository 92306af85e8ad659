package wal_test

import (
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAttackZeroTail: the file has grown by a whole record, or more, and only its first bytes have reached the disk. Such a tail
// is cut wherever it begins, also inside of a header; a journal that refused to open would pay nobody any more.
func TestAttackZeroTail(t *testing.T) {
	path, whole, ends := write(t)
	for _, more := range []int{0, 1, 4096} {
		for at := ends[2]; at < ends[3]; at++ {
			torn := slices.Concat(whole[:at], make([]byte, ends[3]-at+more))
			require.NoError(t, os.WriteFile(path, torn, 0o600))
			got, l, err := read(t, path)
			require.NoError(t, err, "%d bytes of the record, %d more", at-ends[2], more)
			require.Equal(t, []string{"one", "two"}, got)
			require.EqualValues(t, len(torn)-ends[2], l.Cut)
			require.NoError(t, l.Append([]byte("again")))
			require.NoError(t, l.Close())
			got, l, err = read(t, path)
			require.NoError(t, err)
			require.Equal(t, []string{"one", "two", "again"}, got)
			require.NoError(t, l.Close())
		}
	}
}
