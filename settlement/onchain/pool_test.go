package onchain_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement/onchain/internal/sbpf"
)

// The pool that cheats, against which settlement/spl tests its guard, is what its source gives, too: a test against a program
// whose source nobody can check would say little.
func TestPoolIsRebuilt(t *testing.T) {
	clang, err := exec.LookPath(sbpf.Clang)
	if err != nil && os.Getenv("IDLEGRID_REQUIRE") != "all" {
		t.Skipf("%s is missing", sbpf.Clang)
	}
	require.NoError(t, err)
	object, err := sbpf.Compile(t.Context(), clang, "../spl/testdata/pool/pool.c")
	require.NoError(t, err)
	program, err := sbpf.Link(object, sbpf.Distributor())
	require.NoError(t, err)
	want, err := os.ReadFile("../spl/testdata/pool/pool.so")
	require.NoError(t, err)
	require.Equal(t, want, program)
}
