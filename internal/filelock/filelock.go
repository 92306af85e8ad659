package filelock

import (
	"errors"
	"fmt"
	"os"
)

// ErrHeld says that another process holds the lock.
var ErrHeld = errors.New("filelock: held by another process")

// File is a lock that is held.
type File struct{ f *os.File }

// Wait takes the lock at path, creating the file, and waits as long as another process holds it.
func Wait(path string) (*File, error) { return open(path, true) }

// Try takes the lock at path, creating the file, and returns ErrHeld if another process holds it.
func Try(path string) (*File, error) { return open(path, false) }

// Release gives the lock up. The file stays: removing it would let two processes lock two files of one name.
func (l *File) Release() error { return l.f.Close() }

func open(path string, wait bool) (*File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the caller names its own lock file
	if err != nil {
		return nil, err
	}
	if err := lock(f, wait); err != nil {
		_ = f.Close() // the error that counts is the lock's
		return nil, fmt.Errorf("lock %q: %w", path, err)
	}
	return &File{f: f}, nil
}
