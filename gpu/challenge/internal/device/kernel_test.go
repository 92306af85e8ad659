package device_test

import (
	"crypto/sha256"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu/challenge/internal/device"
)

// TestPTXIsCurrent generates both modules again: they are what clang makes of the source, byte for byte.
func TestPTXIsCurrent(t *testing.T) {
	if _, err := exec.LookPath("clang-16"); err != nil {
		const missing = "clang-16 (Debian package clang-16) is not installed"
		if os.Getenv("IDLEGRID_REQUIRE") == "all" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	folder := t.TempDir()
	out, err := exec.CommandContext(t.Context(), "sh", "kernel/generate.sh", folder).CombinedOutput()
	require.NoError(t, err, string(out))
	for name, have := range map[string]string{"plain.ptx": device.PlainPTX(), "tensor.ptx": device.TensorPTX()} {
		want, err := os.ReadFile(filepath.Join(folder, name))
		require.NoError(t, err)
		require.Equal(t, sha256.Sum256(want), sha256.Sum256([]byte(have)), "%s is not what generate.sh makes: run go generate", name)
	}
}

// TestPTX: nothing is left that a driver could not link or that would spill by itself, every entry says its group size, and the
// instructions that count are there as often as the tiles want.
func TestPTX(t *testing.T) {
	plain := []string{"generate", "product_dp4a", "hash_records", "gather", "entries", "fill", "lanes", "walk"}
	tensor := append([]string{"product_imma", "product_hmma"}, plain...)
	for _, m := range []struct {
		text, target string
		entries      []string
		tensor       int // 1 if the module has tensor cores
	}{
		{device.PlainPTX(), "sm_61", plain, 0},
		{device.TensorPTX(), "sm_80", tensor, 1},
	} {
		require.Contains(t, m.text, "\n.version 7.0\n.target "+m.target+"\n.address_size 64\n")
		require.NotContains(t, m.text, ".extern")
		require.NotContains(t, m.text, ".local") // arrays that do not stay in registers
		require.NotRegexp(t, `(?m)^\s*call`, m.text)
		require.NotContains(t, m.text, ".f64")
		var entries []string
		for _, e := range regexp.MustCompile(`(?m)^\.visible \.entry (\w+)\(`).FindAllStringSubmatch(m.text, -1) {
			entries = append(entries, e[1])
		}
		require.ElementsMatch(t, m.entries, entries)
		require.Equal(t, len(entries), strings.Count(m.text, "\n)\n.reqntid 256, 1, 1\n{\n"))
		// A step is 64 bytes of k: 2 x (4 x 8) mma for each warp, 8 ldmatrix for each 32 bytes, 6 cp.async at the start and in the loop.
		require.Equal(t, 64*m.tensor, strings.Count(m.text, "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 "))
		require.Equal(t, 64*m.tensor, strings.Count(m.text, "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "))
		require.Equal(t, 2*16*m.tensor, strings.Count(m.text, "ldmatrix.sync.aligned.m8n8.x4.shared.b16 "))
		require.Equal(t, 2*12*m.tensor, strings.Count(m.text, "cp.async.cg.shared.global "))
		require.GreaterOrEqual(t, strings.Count(m.text, "dp4a.s32.s32 "), 8*64)
		shared := regexp.MustCompile(`\.shared \.align 16 \.b8 product_[ih]mma\S*\[(\d+)\]`).FindAllStringSubmatch(m.text, -1)
		require.Len(t, shared, 2*m.tensor)
		for _, s := range shared {
			require.Equal(t, "49152", s[1], "48 KiB is what a launch gets without asking")
		}
	}
}
