package nvml

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/idlegrid/idlegrid/gpu"
)

// digest hashes the file from which the library was loaded, once.
func (s *Source) digest() gpu.Opt[string] {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.sha.OK {
		s.sha = hashMapped("/proc/self/maps", s.cfg.Library)
	}
	return s.sha
}

// hashMapped finds the library among the files that the kernel has mapped into this process, and hashes that one: the search
// path may lead to another file by now. A file that was replaced since (another inode, or deleted) is unreadable.
func hashMapped(maps, library string) gpu.Opt[string] {
	f, err := os.Open(maps) //nolint:gosec // the kernel's list
	if err != nil {
		return gpu.None[string](gpu.WhyNotSupported)
	}
	defer f.Close() //nolint:errcheck // it was only read
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		path, inode, ok := mapped(lines.Text())
		if ok && sameLibrary(path, library) {
			return hashFile(path, inode)
		}
	}
	return gpu.None[string](gpu.WhyUnreadable)
}

// mapped reads "start-end perms offset device inode path" (proc_pid_maps(5)).
func mapped(line string) (path string, inode uint64, ok bool) {
	for i := range 5 {
		word, rest, found := strings.Cut(strings.TrimLeft(line, " "), " ")
		if !found {
			return "", 0, false
		}
		if i == 4 {
			n, err := strconv.ParseUint(word, 10, 64)
			if err != nil || n == 0 {
				return "", 0, false
			}
			inode = n
		}
		line = rest
	}
	path = strings.TrimLeft(line, " ")
	return path, inode, strings.HasPrefix(path, "/")
}

// sameLibrary compares a mapped file with what was asked for: a path, links followed, or the beginning of a name, because
// the loader's libnvidia-ml.so.1 is a link to libnvidia-ml.so.550.54.15.
func sameLibrary(path, library string) bool {
	if strings.Contains(library, "/") {
		target, err := filepath.EvalSymlinks(library)
		return err == nil && path == target
	}
	stem, _, _ := strings.Cut(library, ".so")
	return strings.HasPrefix(filepath.Base(path), stem+".so")
}

func hashFile(path string, inode uint64) gpu.Opt[string] {
	f, err := os.Open(path) //nolint:gosec // the kernel names it
	if err != nil {
		return gpu.None[string](gpu.WhyUnreadable)
	}
	defer f.Close() //nolint:errcheck // it was only read
	if now, ok := inodeOf(f); !ok || now != inode {
		return gpu.None[string](gpu.WhyUnreadable)
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return gpu.None[string](gpu.WhyUnreadable)
	}
	return gpu.Some(hex.EncodeToString(h.Sum(nil)))
}
