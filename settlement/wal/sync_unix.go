//go:build unix

package wal

import (
	"errors"
	"os"
)

// syncDir makes the name of a new file durable.
func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the folder of the operator's log
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
