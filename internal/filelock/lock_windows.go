package filelock

import (
	"errors"
	"os"
	"syscall"
	"unsafe"
)

const (
	failImmediately = 1
	exclusive       = 2
	lockViolation   = syscall.Errno(33)
)

func lock(f *os.File) error {
	var ov syscall.Overlapped
	proc := syscall.NewLazyDLL("kernel32.dll").NewProc("LockFileEx")
	if r, _, err := proc.Call(f.Fd(), exclusive|failImmediately, 0, 1, 0, uintptr(unsafe.Pointer(&ov))); r == 0 {
		if errors.Is(err, lockViolation) {
			return ErrHeld
		}
		return err
	}
	return nil
}
