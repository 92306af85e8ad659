package worker

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Keep reads the agent's key, and makes it the first time: 32 bytes of seed, which nobody but the user may
// read. An empty path is idlegrid/worker.key in the user's configuration folder.
func Keep(path string) (ed25519.PrivateKey, error) {
	if path == "" {
		home, err := os.UserConfigDir()
		if err != nil {
			return nil, fmt.Errorf("where to keep the key: %w; name a file with -key", err)
		}
		path = filepath.Join(home, "idlegrid", "worker.key")
	}
	_, fresh, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the user's own file
	if errors.Is(err, os.ErrNotExist) {
		if err = os.MkdirAll(filepath.Dir(path), 0o700); err == nil {
			return Keep(path)
		}
	}
	if err == nil {
		_, err = f.Write(fresh.Seed())
		return fresh, errors.Join(err, f.Sync(), f.Close())
	}
	b, read := os.ReadFile(path) //nolint:gosec // the user's own file
	if read != nil || len(b) != ed25519.SeedSize {
		return nil, fmt.Errorf("key file %s: %d bytes, want %d: %w", path, len(b), ed25519.SeedSize, errors.Join(read, err))
	}
	return ed25519.NewKeyFromSeed(b), nil
}
