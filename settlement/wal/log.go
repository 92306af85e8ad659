package wal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"

	"github.com/idlegrid/idlegrid/internal/filelock"
)

const (
	magic      = "idlegrid journal 1\n"
	headerSize = 12
	// MaxRecord is the longest payload in bytes. It bounds what a damaged length can make a reader allocate.
	MaxRecord = 16 << 20
)

var (
	// ErrCorrupt says that the file is damaged before its end.
	ErrCorrupt = errors.New("wal: damaged before its end")
	// ErrFailed says that an earlier write failed, so that the state of the file is unknown.
	ErrFailed = errors.New("wal: an earlier write failed; open it again")
	// ErrTooLong says that a record is longer than MaxRecord.
	ErrTooLong = fmt.Errorf("wal: record longer than %d bytes", MaxRecord)
)

// file is what a log needs of *os.File; tests put a failing disk in its place.
type file interface {
	io.Writer
	io.ReaderAt
	io.Closer
	Sync() error
}

// Log is an open log: a settlement.Store. It is not safe for concurrent use.
type Log struct {
	f      file
	lock   *filelock.File
	seq    uint64
	size   int64 // bytes of the file that are whole records
	failed bool
	// Cut is the number of bytes of a torn record that Open removed from the end.
	Cut int64
}

// Open opens the log at path, making it and its folder if they are not there, and checks every record. It returns
// ErrCorrupt for a file that is damaged before its end, and an error that says "in use" while another process holds it.
func Open(path string) (*Log, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("wal: %w", err)
	}
	lock, err := filelock.Try(path + ".lock")
	if err != nil {
		return nil, fmt.Errorf("wal: %q is in use: %w", path, err)
	}
	l, err := openLocked(path, lock)
	if err != nil {
		return nil, errors.Join(err, lock.Release())
	}
	return l, nil
}

// Seq is the number of the last record, 0 if there is none.
func (l *Log) Seq() uint64 { return l.seq }

// Append writes a record and returns when it is on the disk. After ErrTooLong nothing has happened; after any other error the
// record may be there or not, and every later call returns ErrFailed.
func (l *Log) Append(record []byte) error {
	if l.failed {
		return ErrFailed
	}
	if len(record) > MaxRecord {
		return ErrTooLong
	}
	b := make([]byte, headerSize, headerSize+len(record))
	binary.BigEndian.PutUint32(b, uint32(len(record)))
	binary.BigEndian.PutUint32(b[4:], checksum(b[:4]))
	binary.BigEndian.PutUint32(b[8:], checksum(record))
	b = append(b, record...)
	if _, err := l.f.Write(b); err != nil {
		l.failed = true
		return fmt.Errorf("wal: write: %w", err)
	}
	if err := l.f.Sync(); err != nil {
		l.failed = true
		return fmt.Errorf("wal: sync: %w", err)
	}
	l.seq++
	l.size += int64(len(b))
	return nil
}

// Replay hands over every record, oldest first, and stops at the first error of each. The record is each's own.
func (l *Log) Replay(each func(record []byte) error) error {
	if l.failed {
		return ErrFailed
	}
	var h [headerSize]byte
	for at, seq := int64(len(magic)), uint64(1); at < l.size; seq++ {
		if _, err := l.f.ReadAt(h[:], at); err != nil {
			return fmt.Errorf("wal: read record %d: %w", seq, err)
		}
		if checksum(h[:4]) != binary.BigEndian.Uint32(h[4:]) {
			return fmt.Errorf("%w: record %d at byte %d has changed since it was written or checked", ErrCorrupt, seq, at)
		}
		payload := make([]byte, binary.BigEndian.Uint32(h[:]))
		if _, err := l.f.ReadAt(payload, at+headerSize); err != nil {
			return fmt.Errorf("wal: read record %d: %w", seq, err)
		}
		if checksum(payload) != binary.BigEndian.Uint32(h[8:]) {
			return fmt.Errorf("%w: record %d at byte %d has changed since it was written or checked", ErrCorrupt, seq, at)
		}
		if err := each(payload); err != nil {
			return fmt.Errorf("wal: replay of record %d: %w", seq, err)
		}
		at += headerSize + int64(len(payload))
	}
	return nil
}

// Close gives the log up for others.
func (l *Log) Close() error { return errors.Join(l.f.Close(), l.lock.Release()) }

func openLocked(path string, lock *filelock.File) (*Log, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("wal: %w", err)
	}
	l := &Log{f: f, lock: lock}
	if err := l.recover(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return nil, errors.Join(fmt.Errorf("wal: sync folder: %w", err), f.Close())
	}
	return l, nil
}

// recover reads the whole file, cuts a torn end and leaves the file positioned for appending.
func (l *Log) recover(f *os.File) error {
	b, err := io.ReadAll(f)
	if err != nil {
		return fmt.Errorf("wal: %w", err)
	}
	if len(b) < len(magic) && (magic[:len(b)] == string(b) || allZero(b)) { // new, or torn while it was made
		if err := f.Truncate(0); err != nil {
			return fmt.Errorf("wal: %w", err)
		}
		if _, err := f.WriteAt([]byte(magic), 0); err != nil {
			return fmt.Errorf("wal: %w", err)
		}
		b = []byte(magic)
	}
	if !bytes.HasPrefix(b, []byte(magic)) {
		return fmt.Errorf("%w: %q is no log of this version", ErrCorrupt, f.Name())
	}
	at := len(magic)
	for at < len(b) {
		n, err := record(b[at:])
		if err != nil {
			return fmt.Errorf("%w: record %d at byte %d: %w", ErrCorrupt, l.seq+1, at, err)
		}
		if n == 0 {
			break
		}
		l.seq++
		at += n
	}
	l.size = int64(at)
	if l.Cut = int64(len(b) - at); l.Cut > 0 {
		if err := f.Truncate(l.size); err != nil {
			return fmt.Errorf("wal: %w", err)
		}
	}
	if _, err := f.Seek(l.size, io.SeekStart); err != nil {
		return fmt.Errorf("wal: %w", err)
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("wal: %w", err)
	}
	return nil
}

// record checks the first record of b and returns its length. That is 0 if b is the torn end of a log.
func record(b []byte) (n int, err error) {
	if len(b) < headerSize {
		return 0, nil
	}
	if checksum(b[:4]) != binary.BigEndian.Uint32(b[4:]) {
		if allZero(b[headerSize:]) { // the file grew before its content reached the disk, or more than a part of this header
			return 0, nil
		}
		return 0, errors.New("header checksum")
	}
	size := int(binary.BigEndian.Uint32(b))
	if size > MaxRecord {
		return 0, fmt.Errorf("%d bytes long", size)
	}
	if len(b) < headerSize+size {
		return 0, nil
	}
	if checksum(b[headerSize:headerSize+size]) != binary.BigEndian.Uint32(b[8:]) {
		if len(b) == headerSize+size || allZero(b[headerSize+size:]) { // the last one
			return 0, nil
		}
		return 0, errors.New("payload checksum")
	}
	return headerSize + size, nil
}

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

func allZero(b []byte) bool {
	for _, x := range b {
		if x != 0 {
			return false
		}
	}
	return true
}
