package onchain

import (
	_ "embed"
	"slices"
)

//go:generate go run ./internal/rebuild

//go:embed distributor.so
var program []byte

// Program returns the program as it is deployed: an ELF file of SBPF version 3, made of program/distributor.c by clang 16 and this
// module's own linker. A test builds it again and compares the bytes.
func Program() []byte { return slices.Clone(program) }
