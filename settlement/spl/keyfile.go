package spl

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
)

var (
	// ErrKeyFile is returned for a file that is not a key of the Solana command line: a list of 64 numbers from 0 to 255, the
	// second half of which is the public key of the first. It says nothing about what the file holds.
	ErrKeyFile = errors.New("spl: no key file: want a JSON list of 64 numbers from 0 to 255")
	// ErrKeyMode is returned for a key file that others than its owner may use.
	ErrKeyMode = errors.New("spl: key file with too wide a mode")
)

// maxKeyFile is more than any list of 64 numbers with white space needs.
const maxKeyFile = 4096

// LoadKey reads a key from a file as the Solana command line writes it. A file that anybody but its owner may read, write or
// run, beyond mode 0600, is refused with ErrKeyMode. On Windows, where modes mean nothing, that is not checked: protect the file
// by its access control list.
func LoadKey(path string) (*Key, error) {
	f, err := os.Open(path) //nolint:gosec // G304: the caller says where the key is
	if err != nil {
		return nil, fmt.Errorf("spl: open the key file: %w", err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat() // of what was opened, not of what stands there now
	if err != nil {
		return nil, fmt.Errorf("spl: read the mode of the key file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %q is no file", ErrKeyFile, path)
	}
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&^0o600 != 0 {
		return nil, fmt.Errorf("%w: %q has %#o, want at most 0600", ErrKeyMode, path, mode)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	defer clear(text)
	if err != nil {
		return nil, fmt.Errorf("spl: read the key file: %w", err)
	}
	private, ok := parseKey(text)
	defer clear(private)
	if !ok {
		return nil, fmt.Errorf("%w in %q", ErrKeyFile, path)
	}
	k, err := NewKey(private)
	if err != nil {
		return nil, fmt.Errorf("%w in %q", ErrKeyFile, path)
	}
	return k, nil
}

// parseKey reads a list of 64 numbers. It is not encoding/json, whose errors show what they have read.
func parseKey(text []byte) (ed25519.PrivateKey, bool) {
	text = bytes.TrimSpace(text)
	if len(text) > maxKeyFile || !bytes.HasPrefix(text, []byte("[")) || !bytes.HasSuffix(text, []byte("]")) {
		return nil, false
	}
	out := make(ed25519.PrivateKey, 0, ed25519.PrivateKeySize)
	for field := range bytes.SplitSeq(text[1:len(text)-1], []byte(",")) {
		field = bytes.TrimSpace(field)
		value := 0
		if len(field) < 1 || len(field) > 3 || len(out) == ed25519.PrivateKeySize {
			return out, false
		}
		for _, c := range field {
			if c < '0' || c > '9' {
				return out, false
			}
			value = 10*value + int(c-'0')
		}
		if value > 255 || len(field) > 1 && field[0] == '0' {
			return out, false
		}
		out = append(out, byte(value))
	}
	return out, len(out) == ed25519.PrivateKeySize
}
