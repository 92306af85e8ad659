package journal

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
	ErrCorrupt = errors.New("journal: damaged before its end")
	// ErrFailed says that an earlier write failed, so that the state of the file is unknown.
	ErrFailed = errors.New("journal: an earlier write failed; open it again")
	// ErrTooLong says that a record is longer than MaxRecord.
	ErrTooLong = fmt.Errorf("journal: record longer than %d bytes", MaxRecord)
)

// file is what a journal needs of *os.File; tests put a failing disk in its place.
type file interface {
	io.Writer
	io.Closer
	Sync() error
}

// Journal is an open journal. It is not safe for concurrent use.
type Journal struct {
	f      file
	lock   *filelock.File
	seq    uint64
	failed bool
	// Cut is the number of bytes of a torn record that Open removed from the end.
	Cut int64
}

// Open opens the journal at path, making it and its folder if they are not there, and calls replay with every record in
// order. An error of replay ends the opening. The payload belongs to replay for the length of the call.
func Open(path string, replay func(seq uint64, payload []byte) error) (*Journal, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	lock, err := filelock.Try(path + ".lock")
	if err != nil {
		return nil, fmt.Errorf("journal %q is in use: %w", path, err)
	}
	j, err := openLocked(path, lock, replay)
	if err != nil {
		return nil, errors.Join(err, lock.Release())
	}
	return j, nil
}

func openLocked(path string, lock *filelock.File, replay func(uint64, []byte) error) (*Journal, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	j := &Journal{f: f, lock: lock}
	if err := j.recover(f, replay); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return j, syncDir(filepath.Dir(path))
}

// recover reads the whole file, cuts a torn end and leaves the file positioned for appending.
func (j *Journal) recover(f *os.File, replay func(uint64, []byte) error) error {
	b, err := io.ReadAll(f)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if len(b) < len(magic) && (magic[:len(b)] == string(b) || allZero(b)) { // new, or torn while it was made
		if err := f.Truncate(0); err != nil {
			return fmt.Errorf("journal: %w", err)
		}
		if _, err := f.WriteAt([]byte(magic), 0); err != nil {
			return fmt.Errorf("journal: %w", err)
		}
		b = []byte(magic)
	}
	if !bytes.HasPrefix(b, []byte(magic)) {
		return fmt.Errorf("%w: %q is no journal of this version", ErrCorrupt, f.Name())
	}
	at := len(magic)
	for at < len(b) {
		payload, n, err := record(b[at:])
		if err != nil {
			return fmt.Errorf("%w: record %d at byte %d: %w", ErrCorrupt, j.seq+1, at, err)
		}
		if n == 0 {
			break
		}
		if err := replay(j.seq+1, payload); err != nil {
			return fmt.Errorf("journal: replay of record %d: %w", j.seq+1, err)
		}
		j.seq++
		at += n
	}
	if j.Cut = int64(len(b) - at); j.Cut > 0 {
		if err := f.Truncate(int64(at)); err != nil {
			return fmt.Errorf("journal: %w", err)
		}
	}
	if _, err := f.Seek(int64(at), io.SeekStart); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}

// record takes the first record of b. n is 0 if b is the torn end of a journal.
func record(b []byte) (payload []byte, n int, err error) {
	if len(b) < headerSize {
		return nil, 0, nil
	}
	if checksum(b[:4]) != binary.BigEndian.Uint32(b[4:]) {
		if allZero(b) { // the file grew before its content reached the disk
			return nil, 0, nil
		}
		return nil, 0, errors.New("header checksum")
	}
	size := int(binary.BigEndian.Uint32(b))
	if size > MaxRecord {
		return nil, 0, fmt.Errorf("%d bytes long", size)
	}
	if len(b) < headerSize+size {
		return nil, 0, nil
	}
	payload = b[headerSize : headerSize+size]
	if checksum(payload) != binary.BigEndian.Uint32(b[8:]) {
		if len(b) == headerSize+size || allZero(b[headerSize+size:]) { // the last one
			return nil, 0, nil
		}
		return nil, 0, errors.New("payload checksum")
	}
	return payload, headerSize + size, nil
}

// Seq is the number of the last record, 0 if there is none.
func (j *Journal) Seq() uint64 { return j.seq }

// Append writes the records and returns when they are on the disk. All of them have been written or, after an error,
// any number of the first.
func (j *Journal) Append(payloads ...[]byte) error {
	if j.failed {
		return ErrFailed
	}
	var b []byte
	for _, p := range payloads {
		if len(p) > MaxRecord {
			return ErrTooLong
		}
		var h [headerSize]byte
		binary.BigEndian.PutUint32(h[:], uint32(len(p)))
		binary.BigEndian.PutUint32(h[4:], checksum(h[:4]))
		binary.BigEndian.PutUint32(h[8:], checksum(p))
		b = append(append(b, h[:]...), p...)
	}
	if _, err := j.f.Write(b); err != nil {
		j.failed = true
		return fmt.Errorf("journal: write: %w", err)
	}
	if err := j.f.Sync(); err != nil {
		j.failed = true
		return fmt.Errorf("journal: sync: %w", err)
	}
	j.seq += uint64(len(payloads))
	return nil
}

// Close gives the journal up for others.
func (j *Journal) Close() error { return errors.Join(j.f.Close(), j.lock.Release()) }

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

func allZero(b []byte) bool {
	for _, x := range b {
		if x != 0 {
			return false
		}
	}
	return true
}
