package lint_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// goFiles returns the checkout as a file system, without what the go command and git made.
func goFiles(t *testing.T, root string) fs.FS {
	t.Helper()
	out := fstest.MapFS{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if rel != "." && strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || rel == filepath.Join("internal", "tools") {
				return filepath.SkipDir
			}
			return nil
		}
		text, err := os.ReadFile(path)
		out[filepath.ToSlash(rel)] = &fstest.MapFile{Data: text, Mode: 0o644}
		return err
	})
	require.NoError(t, err)
	return out
}
