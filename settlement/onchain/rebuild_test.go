package onchain_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement/onchain"
	"github.com/idlegrid/idlegrid/settlement/onchain/internal/sbpf"
)

// The committed program is what the committed source gives, byte for byte.
func TestProgramIsRebuilt(t *testing.T) {
	clang, err := exec.LookPath(sbpf.Clang)
	if err != nil && os.Getenv("IDLEGRID_REQUIRE") != "all" {
		t.Skipf("%s is missing", sbpf.Clang)
	}
	require.NoError(t, err)
	object, err := sbpf.Compile(t.Context(), clang, "program/distributor.c")
	require.NoError(t, err)
	program, err := sbpf.Link(object, sbpf.Distributor())
	require.NoError(t, err)
	require.Equal(t, onchain.Program(), program, "run go generate ./settlement/onchain")
}

// The linker's half needs no compiler: from the committed object.
func TestProgramIsLinkedAgain(t *testing.T) {
	object, err := os.ReadFile("internal/sbpf/testdata/distributor.o")
	require.NoError(t, err)
	program, err := sbpf.Link(object, sbpf.Distributor())
	require.NoError(t, err)
	require.Equal(t, onchain.Program(), program)
}

func TestProgramIsTheCallersOwn(t *testing.T) {
	p := onchain.Program()
	p[0] ^= 1
	require.NotEqual(t, p, onchain.Program())
}
