package sbpf

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Clang is the compiler by whose output a committed program is compared: another version may give other instructions.
const Clang = "clang-16"

// Compile runs clang over one C file and returns the object. The file's directory is the working directory, so that the object
// does not depend on where it is.
func Compile(ctx context.Context, clang, file string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "sbpf")
	if err != nil {
		return nil, fmt.Errorf("sbpf: compile %q: %w", file, err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	object := filepath.Join(dir, "object.o")
	cmd := exec.CommandContext(ctx, clang, "-target", "bpf", "-mcpu=v3", "-O2", "-std=c11", "-Wall", "-Wextra", "-Werror", //nolint:gosec // clang as found in PATH
		"-ffreestanding", "-fno-builtin", "-nostdlib", "-fno-ident", "-g0", "-c", filepath.Base(file), "-o", object)
	cmd.Dir = filepath.Dir(file)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("sbpf: compile %q: %w\n%s", file, err, said.Bytes())
	}
	b, err := os.ReadFile(object) //nolint:gosec // what clang has just written
	if err != nil {
		return nil, fmt.Errorf("sbpf: compile %q: %w", file, err)
	}
	return b, nil
}
