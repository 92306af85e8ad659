package sbpf_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement/onchain/internal/sbpf"
)

// What C can say and a program cannot.
func TestCompiledRefusals(t *testing.T) {
	clang, err := exec.LookPath(sbpf.Clang)
	if err != nil && os.Getenv("IDLEGRID_REQUIRE") != "all" {
		t.Skipf("%s is missing", sbpf.Clang)
	}
	require.NoError(t, err)
	for _, c := range []struct{ source, want string }{
		{"unsigned long entrypoint(void) { return 7; }", ""},
		{"__attribute__((noinline)) static int f(int a) { return a * 3; } int entrypoint(int a) { return f(a) + f(a + 1); }", ""},
		{"static int n; int entrypoint(void) { return n++; }", `section ".bss" is for variables`},
		{"int n = 3; int entrypoint(void) { return n++; }", `section ".data" is for variables`},
		{"int memcmp(void *, void *, long); int entrypoint(void *a) { return memcmp(a, a + 9, 99); }", `"memcmp" is called`},
		{"extern int n; int entrypoint(void) { return n; }", `symbol "n" is not in the program`},
		{"int f(int a) { return a; } int (*const volatile p)(int) = f; int entrypoint(int a) { return p(a); }", "relocates constants"},
		{"static int f(int a) { return a; } void g(void *); int entrypoint(int a) { return (long)f != a; }", `the address of code is taken`},
		{"int entrypoint(int *a) { return __sync_fetch_and_add(a, 1); }", "is not supported"},
		{"int f(void) { return 1; }", `entry "entrypoint" is missing`},
	} {
		file := filepath.Join(t.TempDir(), "x.c")
		require.NoError(t, os.WriteFile(file, []byte(c.source), 0o600))
		object, err := sbpf.Compile(t.Context(), clang, file)
		require.NoError(t, err, c.source)
		_, err = sbpf.Link(object, sbpf.Distributor())
		if c.want == "" {
			require.NoError(t, err, c.source)
			continue
		}
		require.ErrorContains(t, err, c.want, c.source)
	}
	_, err = sbpf.Compile(t.Context(), clang, "testdata/missing.c")
	require.ErrorContains(t, err, "missing.c")
}
