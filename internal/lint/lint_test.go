package lint_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/lint"
)

func checkout(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	require.NoError(t, err)
	return dir
}

func TestHouse(t *testing.T) {
	found, err := lint.Check(checkout(t))
	require.NoError(t, err)
	for _, v := range found {
		t.Error(v)
	}
}

// planted is one file that breaks one rule, and what the lint has to say of it.
type planted struct {
	rule, file, text string
	replace          bool   // the file is there: text is put at its end
	says             string // part of the message
}

func plants() []planted {
	long := "package sched\n" + strings.Repeat("\n", 600)
	tall := "package sched\n\nfunc tall() {\n" + strings.Repeat("\t_ = 0\n", 69) + "}\n"
	program := "// Command x shows nothing.\npackage main\n\nfunc main() {}\n"
	return []planted{
		{rule: "rooms", file: "util/util.go", text: "// Package util is a drawer.\npackage util\n", says: "no such room"},
		{rule: "replace", file: "go.mod", text: "\nreplace example.org/x => ./x\n", replace: true, says: "has none"},
		{rule: "arrows", file: "gpu/planted.go", text: "package gpu\n\nimport _ \"github.com/idlegrid/idlegrid/tokenomics\"\n", says: "gpu imports"},
		{rule: "arrows", file: "sched/planted.go", text: "package sched\n\nimport _ \"github.com/idlegrid/idlegrid/staking\"\n", says: "allowed are internal/canon, gpu"},
		{rule: "arrows", file: "staking/planted.go", text: "package staking\n\nimport _ \"github.com/gagliardetto/solana-go\"\n", says: "only settlement/spl, settlement/svmtest may"},
		{rule: "arrows", file: "staking/planted.go", text: "package staking\n\nimport _ \"github.com/idlegrid/idlegrid/internal/golden\"\n", says: "internal/canon only"},
		{rule: "arrows", file: "reputation/planted.go", text: "package reputation\n\nimport _ \"math/rand/v2\"\n", says: "no randomness"},
		{rule: "arrows", file: "reputation/planted.go", text: "package reputation\n\nimport _ \"os\"\n", says: "no I/O"},
		{rule: "clock", file: "sched/planted.go", text: "package sched\n\nimport \"time\"\n\nfunc now() time.Time { return time.Now() }\n", says: "time.Now"},
		{rule: "goroutine", file: "sched/planted.go", text: "package sched\n\nfunc f() { go f() }\n", says: "no goroutine"},
		{rule: "goroutine", file: "sched/planted.go", text: "package sched\n\nvar c chan int\n", says: "no channels"},
		{rule: "map-range", file: "sched/planted.go", text: "package sched\n\nfunc f(m map[int]int) (n int) {\n\tfor k := range m {\n\t\tn += k\n\t}\n\treturn n\n}\n", says: "slices.Sorted"},
		{rule: "map-range", file: "sched/planted.go", text: "package sched\n\nimport \"maps\"\n\nfunc f(m map[int]int) (n int) {\n\tfor k := range maps.Keys(m) {\n\t\tn += k\n\t}\n\treturn n\n}\n", says: "slices.Sorted"},
		{rule: "map-range", file: "sched/planted.go", text: "package sched\n\ntype tab map[int]int\n\nfunc f[M ~map[int]int](m M, t tab) (n int) {\n\tfor k := range t {\n\t\tn += k\n\t}\n\treturn n\n}\n", says: "slices.Sorted"},
		{rule: "float", file: "sched/planted.go", text: "package sched\n\nfunc f(a, b uint64) uint64 { return uint64(float64(a) * 0.5) }\n", says: "for display"},
		{rule: "decimal", file: "tokenomics/planted.go", text: "package tokenomics\n\nimport \"github.com/shopspring/decimal\"\n\nfunc f(a, b decimal.Decimal) decimal.Decimal { return a.Div(b) }\n", says: "Div"},
		{rule: "init", file: "sched/planted.go", text: "package sched\n\nfunc init() {}\n", says: "no init"},
		{rule: "globals", file: "sched/planted.go", text: "package sched\n\n// Limit is a policy in a variable.\nvar Limit = 7\n", says: "no variables but errors"},
		{rule: "file-length", file: "sched/planted.go", text: long, says: "at most 600"},
		{rule: "func-length", file: "sched/planted.go", text: tall, says: "at most 70"},
		{rule: "package-comment", file: "sched/planted.go", text: "// Package sched has a second comment.\npackage sched\n", says: "stands in doc.go"},
		{rule: "package-comment", file: "internal/planted/planted.go", text: "package planted\n", says: "found 0"},
		{rule: "package-comment", file: "sched/doc.go", text: "\nvar inDoc int\n", replace: true, says: "nothing else"},
		{rule: "documented", file: "sched/planted.go", text: "package sched\n\ntype Undocumented struct{}\n", says: "type Undocumented"},
		{rule: "documented", file: "sched/planted.go", text: "package sched\n\n// PlantedParams are.\ntype PlantedParams struct{ Limit int }\n", says: "PlantedParams.Limit"},
		{rule: "documented", file: "sched/planted.go", text: "package sched\n\nconst Ten = 10\n", says: "const Ten"},
		{rule: "documented", file: "sched/planted.go", text: "package sched\n\nfunc Planted() {}\n", says: "Planted has no comment"},
		{rule: "examples", file: "sched/planted.go", text: "package sched\n\n// Planted does nothing.\nfunc Planted() {}\n", says: "no ExamplePlanted"},
		{rule: "examples", file: "sched/planted.go", text: "package sched\n\n// PlantedType is a type.\ntype PlantedType struct{}\n", says: "shown in no example"},
		{rule: "examples", file: "sched/planted.go", text: "package sched\n\n// PlantedType is a type.\ntype PlantedType struct{}\n\n// PlantedMethod does nothing.\nfunc (PlantedType) PlantedMethod() {}\n", says: "PlantedType.PlantedMethod is called in no example"},
		{rule: "examples", file: "sched/planted_test.go", text: "package sched_test\n\nfunc Example_planted() {}\n", says: "no // Output"},
		{rule: "example-program", file: "examples/planted/main.go", text: program + strings.Repeat("\n", 120), says: "at most 120"},
		{rule: "example-program", file: "examples/planted/more.go", text: "package main\n", says: "2 files"},
	}
}

// TestPlanted plants one violation after the other in a copy of the repository: every rule has to find its own.
func TestPlanted(t *testing.T) {
	copied := t.TempDir()
	require.NoError(t, os.CopyFS(copied, goFiles(t, checkout(t))))
	seen := map[string]bool{}
	for i, p := range plants() {
		seen[p.rule] = true
		t.Run(fmt.Sprintf("%d-%s", i, p.rule), func(t *testing.T) {
			plant(t, filepath.Join(copied, p.file), p)
			if p.file == "examples/planted/more.go" {
				plant(t, filepath.Join(copied, "examples/planted/main.go"), planted{text: "// Command x is an example.\npackage main\n\nfunc main() {}\n"})
			}
			pattern := "./" + filepath.Dir(p.file)
			if filepath.Dir(p.file) == "." {
				pattern = "./internal/canon"
			}
			found, err := lint.Check(copied, pattern)
			require.NoError(t, err)
			hit := false
			for _, v := range found {
				hit = hit || v.Rule == p.rule && strings.Contains(v.Text, p.says)
			}
			require.True(t, hit, "rule %q says nothing of %q; found: %v", p.rule, p.says, found)
		})
	}
	require.Equal(t, map[string]bool{
		"rooms": true, "replace": true, "arrows": true, "clock": true, "goroutine": true, "map-range": true, "float": true, "decimal": true,
		"init": true, "globals": true, "file-length": true, "func-length": true, "package-comment": true, "documented": true, "examples": true,
		"example-program": true,
	}, seen, "every rule is planted once")
}

// plant writes a file, or the end of one, and takes it back when the test ends.
func plant(t *testing.T, path string, p planted) {
	t.Helper()
	old, err := os.ReadFile(path)
	if p.replace {
		require.NoError(t, err)
	}
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, append(old, p.text...), 0o600))
	t.Cleanup(func() {
		if p.replace {
			require.NoError(t, os.WriteFile(path, old, 0o600))
			return
		}
		require.NoError(t, os.Remove(path))
		_ = os.Remove(filepath.Dir(path)) // fails where it is not empty, as it should
	})
}
