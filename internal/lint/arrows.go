package lint

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// siblings lists, for every room, the rooms of this module that it may import besides itself and internal/canon.
func siblings() map[string][]string {
	return map[string][]string{
		"gpu": nil, "reputation": nil, "tokenomics": nil,
		"sched":                     {"gpu"},
		"staking":                   {"tokenomics"},
		"settlement":                {"tokenomics"},
		"gpu/nvml":                  {"gpu"},
		"gpu/challenge":             {"gpu"},
		"gpu/challenge/cpu":         {"gpu", "gpu/challenge"},
		"gpu/challenge/cuda":        {"gpu", "gpu/challenge", "gpu/challenge/internal/device"},
		"gpu/challenge/opencl":      {"gpu", "gpu/challenge", "gpu/challenge/internal/device"},
		"gpu/attest":                {"gpu"},
		"gpu/gputest":               {"gpu", "gpu/challenge", "gpu/challenge/cpu"},
		"sched/schedtest":           {"gpu", "sched"},
		"settlement/spl":            {"settlement", "tokenomics"},
		"settlement/svmtest":        {"settlement", "settlement/spl", "tokenomics"},
		"settlement/wal":            {"settlement"},
		"settlement/onchain":        nil,
		"settlement/settlementtest": {"settlement", "tokenomics"},
	}
}

// outside lists the modules that only some rooms may import. What is not listed, nobody may.
func outside() map[string][]string {
	return map[string][]string{
		"github.com/gagliardetto/solana-go": {"settlement/spl", "settlement/svmtest"},
		"github.com/NVIDIA/go-nvml":         {"gpu/nvml"},
		"github.com/ebitengine/purego":      {"gpu/nvml", "gpu/challenge/cuda", "gpu/challenge/opencl"},
		"github.com/shopspring/decimal":     {"tokenomics", "staking", "settlement"},
		"golang.org/x/sync":                 {"settlement/spl", "settlement/svmtest"},
		"github.com/stretchr/testify":       {"settlement/settlementtest", "gpu/gputest"},
	}
}

// forbidden is what a core may not import from the standard library: what touches the world, and what a state machine
// has no use for.
func forbidden() []string {
	return []string{
		"os", "os/exec", "os/signal", "os/user", "net", "net/http", "net/url", "net/netip", "log", "log/slog", "sync", "sync/atomic", "math/rand",
		"math/rand/v2", "crypto/rand", "syscall", "unsafe", "reflect", "runtime", "context", "flag", "testing", "plugin",
	}
}

// contexts are the cores whose calling half talks to the world through an interface, and so takes a context.
func contexts() []string { return []string{"gpu", "gpu/challenge", "settlement"} }

func checkArrows(p *pass) {
	if p.kind == outsider {
		p.reportDir("rooms", "no such room: the public packages are fixed, anything else goes under internal/")
	}
	for _, file := range p.files {
		for _, spec := range file.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				continue
			}
			if why := refuse(p, path); why != "" {
				p.report("arrows", spec.Pos(), "%s imports %s: %s", p.dir, path, why)
			}
		}
	}
}

// refuse says why p may not import path; "" if it may.
func refuse(p *pass, path string) string {
	if dir, own := strings.CutPrefix(path, module+"/"); own {
		return refuseOwn(p, dir)
	}
	if path == module {
		return "the root package is documentation"
	}
	if first, _, _ := strings.Cut(path, "/"); !strings.Contains(first, ".") {
		if p.kind != core || !slices.Contains(forbidden(), path) || path == "context" && slices.Contains(contexts(), p.dir) {
			return ""
		}
		return "a core has no clock, no randomness, no I/O and no threads"
	}
	if p.kind == program || p.kind == inside || p.kind == outsider {
		return ""
	}
	for mod, who := range outside() {
		if path == mod || strings.HasPrefix(path, mod+"/") {
			if slices.Contains(who, p.dir) {
				return ""
			}
			return "only " + strings.Join(who, ", ") + " may"
		}
	}
	return "a dependency that no package may import"
}

func refuseOwn(p *pass, dir string) string {
	if strings.HasPrefix(dir, "gpu/challenge/internal/") && slices.Contains(siblings()[p.dir], dir) {
		return ""
	}
	switch kindOf(dir) {
	case program:
		return "nobody imports a program"
	case inside:
		if p.kind == core && dir != "internal/canon" {
			return "a core imports internal/canon only"
		}
		locks := dir == "internal/filelock" && (p.kind == kit || p.dir == "settlement/wal")
		if (p.kind == leaf || p.kind == kit) && dir != "internal/canon" && !locks && !strings.HasPrefix(dir, p.dir+"/internal/") {
			return "a leaf imports internal/canon only, a test kit internal/filelock besides"
		}
		return ""
	case root, core, leaf, kit, outsider:
	}
	if p.kind == program || p.kind == inside {
		return ""
	}
	if slices.Contains(siblings()[p.dir], dir) {
		return ""
	}
	return "allowed are " + strings.Join(append([]string{"internal/canon"}, siblings()[p.dir]...), ", ")
}

// checkTop looks at the top level of the checkout and at go.mod.
func checkTop(rootDir string) []Violation {
	rooms := []string{"sched", "reputation", "staking", "tokenomics", "gpu", "settlement", "examples", "refserver", "internal", "docs"}
	var out []Violation
	entries, err := os.ReadDir(rootDir)
	if err != nil {
		return []Violation{{Rule: "rooms", File: ".", Text: err.Error()}}
	}
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") && !slices.Contains(rooms, e.Name()) {
			out = append(out, Violation{Rule: "rooms", File: e.Name() + "/", Text: "the top level is fixed: " + strings.Join(rooms, ", ")})
		}
	}
	mod, err := os.ReadFile(filepath.Join(rootDir, "go.mod"))
	if err != nil {
		return append(out, Violation{Rule: "replace", File: "go.mod", Text: err.Error()})
	}
	for i, line := range strings.Split(string(mod), "\n") {
		if word, _, _ := strings.Cut(strings.TrimSpace(line), " "); word == "replace" {
			out = append(out, Violation{Rule: "replace", File: "go.mod", Line: i + 1, Text: "importers do not inherit replace: go.mod has none"})
		}
	}
	return out
}
