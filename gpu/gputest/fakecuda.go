package gputest

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

//go:embed testdata/fakecuda.c
var fakeCUDASource string

// fakeCUDABuilds holds what was compiled, by flags: a compiler run is a third of a second, and a test binary needs few.
var fakeCUDABuilds sync.Map

// FakeCUDA compiles a fake libcuda and returns its path, for cuda.Config.Library. It runs the challenge's kernels as plain C on
// the host and refuses what a driver would: a wrong group size or number of groups, arguments that do not fit the PTX entry,
// addresses outside live buffers, calls without a current context, a context given back with buffers left. It does not
// show what PTX does. Each call gives a library with a state of its own.
//
// Flags are passed to the compiler: -DFAKECUDA_CC=75 (compute capability), -DFAKECUDA_PTX=65 (newest PTX of its compiler), -DFAKECUDA_DEVICES=2, -DFAKECUDA_MEMORY=1000000
// (bytes), -DFAKECUDA_NO_cuMemAlloc_v2 (that function is missing). While it runs, the environment variable FAKECUDA_FAIL set to
// "cuMemAlloc_v2:3:2" lets the third call of that function return 2, and FAKECUDA_LOST set to "5" lets the device be lost from
// the fifth launch on.
//
// The test is skipped where there is no C compiler "cc" or the system is not Linux on amd64 or arm64; with IDLEGRID_REQUIRE=all
// it fails instead.
func FakeCUDA(t testing.TB, flags ...string) string {
	t.Helper()
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		t.Skipf("a fake libcuda is a Linux library, this is %s/%s", runtime.GOOS, runtime.GOARCH)
	}
	cc, err := exec.LookPath("cc")
	if err != nil {
		const missing = "cc (Debian package gcc) is not installed"
		if os.Getenv("IDLEGRID_REQUIRE") == "all" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	build, _ := fakeCUDABuilds.LoadOrStore(strings.Join(flags, " "), sync.OnceValues(func() ([]byte, error) {
		return compileFakeCUDA(cc, flags)
	}))
	library, err := build.(func() ([]byte, error))()
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "libcuda.so.1") // a copy: libraries at two paths have two states
	require.NoError(t, os.WriteFile(path, library, 0o600))
	return path
}

func compileFakeCUDA(cc string, flags []string) ([]byte, error) {
	folder, err := os.MkdirTemp("", "idlegrid-fakecuda-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	path := filepath.Join(folder, "libcuda.so.1")
	args := slices.Concat([]string{"-x", "c", "-O2", "-shared", "-fPIC", "-o", path}, flags, []string{"-"})
	cmd := exec.Command(cc, args...) //nolint:gosec,noctx // the compiler found in PATH; it ends by itself
	cmd.Stdin = strings.NewReader(fakeCUDASource)
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("gputest: compile the fake libcuda: %w: %s", err, out)
	}
	return os.ReadFile(path) //nolint:gosec // the file that was just made
}
