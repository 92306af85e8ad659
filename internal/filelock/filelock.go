package filelock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// every is how often Wait looks again.
const every = 50 * time.Millisecond

// ErrHeld says that another process holds the lock.
var ErrHeld = errors.New("filelock: held by another process")

// File is a lock that is held.
type File struct{ f *os.File }

// Wait takes the lock at path, creating the file, and waits as long as another process holds it and the context lives.
func Wait(ctx context.Context, path string) (*File, error) {
	for {
		l, err := Try(path)
		if !errors.Is(err, ErrHeld) {
			return l, err
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(err, ctx.Err())
		case <-time.After(every):
		}
	}
}

// Try takes the lock at path, creating the file, and returns ErrHeld if another process holds it.
func Try(path string) (*File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lock(f); err != nil {
		_ = f.Close() // the error that counts is the lock's
		return nil, fmt.Errorf("lock %q: %w", path, err)
	}
	return &File{f: f}, nil
}

// Release gives the lock up. The file stays: removing it would let two processes lock two files of one name.
func (l *File) Release() error { return l.f.Close() }
