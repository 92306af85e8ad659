package gputest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMissing(t *testing.T) {
	root := t.TempDir() + "/"
	require.Empty(t, missing("1", "windows", root))
	require.Equal(t, "IDLEGRID_GPU is 0", missing("0", "linux", root))
	require.Contains(t, missing("", "darwin", root), "IDLEGRID_GPU=1")
	require.Equal(t, "/dev/nvidia0 is not there", missing("", "linux", root))
	for _, name := range []string{"dev/nvidia0", "proc/driver/nvidia/version"} {
		require.NotEmpty(t, missing("", "linux", root))
		require.NoError(t, os.MkdirAll(filepath.Dir(root+name), 0o755))
		require.NoError(t, os.WriteFile(root+name, nil, 0o644))
	}
	require.Empty(t, missing("", "linux", root))
	require.Equal(t, "IDLEGRID_GPU is 0", missing("0", "linux", root))
}
