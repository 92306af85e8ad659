//go:build linux || darwin

package chaos

import (
	"os/signal"
	"syscall"
)

// limitFile makes the disk full for this process: no file grows beyond that size. The write fails then, as on a full disk, with
// an error and perhaps a part of the bytes written.
func limitFile(size uint64) error {
	signal.Ignore(syscall.SIGXFSZ)
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &l); err != nil {
		return err
	}
	l.Cur = min(size, l.Max)
	return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &l)
}
