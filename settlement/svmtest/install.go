package svmtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/idlegrid/idlegrid/internal/filelock"
)

// minNode is the oldest major version of Node.js on which LiteSVM runs.
const minNode = 20

var (
	// ErrNoNode is returned when Node.js is missing or too old.
	ErrNoNode = errors.New("svmtest: Node.js is missing")
	// ErrNoNPM is returned when the child's packages have to be installed and npm is missing.
	ErrNoNPM = errors.New("svmtest: npm is missing")
)

//go:embed svmd/*.js svmd/package.json svmd/package-lock.json
var svmd embed.FS

// findNode returns the path of node, or ErrNoNode with what to do.
func findNode(ctx context.Context) (string, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return "", fmt.Errorf("%w: node not found in PATH: install Node.js %d or newer (https://nodejs.org, or your system's package nodejs)", ErrNoNode, minNode)
	}
	out, err := exec.CommandContext(ctx, node, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("%w: %q --version: %w", ErrNoNode, node, err)
	}
	version := strings.TrimSpace(string(out))
	major, _, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	if n, err := strconv.Atoi(major); err != nil || n < minNode {
		return "", fmt.Errorf("%w: %q is %q: install Node.js %d or newer", ErrNoNode, node, version, minNode)
	}
	return node, nil
}

// installed returns the directory of the child with its packages, which it makes if need be. The directory's name is the
// hash of all that goes into it and appears only when it is whole.
func installed(ctx context.Context, node string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache directory: %w", err)
	}
	home := filepath.Join(cache, "idlegrid")
	name, err := hashOf(svmd)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(home, "svmd-"+name)
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if err := os.MkdirAll(home, 0o755); err != nil { //nolint:gosec // holds nothing secret
		return "", fmt.Errorf("make the cache directory: %w", err)
	}
	lock, err := filelock.Wait(ctx, dir+".lock")
	if err != nil {
		return "", fmt.Errorf("wait for another installation to end: %w", err)
	}
	defer lock.Release() //nolint:errcheck // it goes with the process at the latest
	if _, err := os.Stat(dir); err == nil {
		return dir, nil // another process was first
	}
	temp, err := os.MkdirTemp(home, "svmd-new-")
	if err != nil {
		return "", fmt.Errorf("make a directory to install into: %w", err)
	}
	defer func() { _ = os.RemoveAll(temp) }()
	if err := install(ctx, node, temp); err != nil {
		return "", err
	}
	if err := os.Rename(temp, dir); err != nil {
		if _, missing := os.Stat(dir); missing != nil {
			return "", fmt.Errorf("keep the installation: %w", err)
		}
	}
	return dir, nil
}

// install writes the child into dir, lets npm add its packages and tries whether the runtime loads.
func install(ctx context.Context, node, dir string) error {
	files, err := fs.Sub(svmd, "svmd")
	if err != nil {
		return fmt.Errorf("read the embedded files: %w", err)
	}
	if err := os.CopyFS(dir, files); err != nil {
		return fmt.Errorf("write the child: %w", err)
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		return fmt.Errorf("%w: npm not found in PATH: it comes with Node.js, or as your system's package npm; it is needed once", ErrNoNPM)
	}
	ci := exec.CommandContext(ctx, npm, "ci", "--omit=dev", "--no-audit", "--no-fund", "--ignore-scripts")
	ci.Dir = dir
	if out, err := ci.CombinedOutput(); err != nil {
		return fmt.Errorf("install with npm (needs a package registry, once): %w\n%s", err, lastLines(out, 12))
	}
	try := exec.CommandContext(ctx, node, "-e", "require('litesvm/dist/internal.js')")
	try.Dir = dir
	if out, err := try.CombinedOutput(); err != nil {
		return fmt.Errorf("load the runtime, which may have no build for %s/%s: %w\n%s", runtime.GOOS, runtime.GOARCH, err, lastLines(out, 12))
	}
	return nil
}

// hashOf names the contents of the embedded files on this platform.
func hashOf(files embed.FS) (string, error) {
	h := sha256.New()
	h.Write(fmt.Appendf(nil, "%s/%s\n", runtime.GOOS, runtime.GOARCH)) // a hash never fails
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := files.ReadFile(path)
		h.Write(fmt.Appendf(nil, "%s %d\n%s\n", path, len(b), b))
		return err
	})
	if err != nil {
		return "", fmt.Errorf("read the embedded files: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}

// lastLines returns the last n lines of a program's output.
func lastLines(out []byte, n int) string {
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-n):], []byte("\n")))
}
