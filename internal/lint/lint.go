package lint

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
)

// Violation is one place that breaks a rule.
type Violation struct {
	Rule string // the name of the rule, for example "arrows"
	File string // slash-separated, relative to the root
	Line int    // from 1; 0 when the file or the folder as a whole is meant
	Text string // what is wrong and what is allowed
}

// String returns "file:line: rule: text".
func (v Violation) String() string {
	return fmt.Sprintf("%s:%d: %s: %s", v.File, v.Line, v.Rule, v.Text)
}

// kind is the place of a package in the house.
type kind int

const (
	root     kind = iota // the module's own package: documentation, no code
	core                 // pure domain package
	leaf                 // translates between a core and the world
	kit                  // for users' tests
	program              // package main: refserver and examples
	inside               // internal/...
	outsider             // no such room
)

const module = "github.com/idlegrid/idlegrid"

// rooms lists the public packages. A package that is not here, not internal and not an example has no place.
func rooms() map[string]kind {
	return map[string]kind{
		"":    root,
		"gpu": core, "reputation": core, "sched": core, "tokenomics": core, "staking": core, "settlement": core,
		"gpu/nvml": leaf, "gpu/challenge": core, "gpu/challenge/cpu": leaf, "gpu/challenge/cuda": leaf, "gpu/challenge/opencl": leaf, "gpu/attest": core,
		"settlement/spl": leaf, "settlement/wal": leaf, "settlement/onchain": leaf,
		"gpu/gputest": kit, "settlement/settlementtest": kit, "settlement/svmtest": kit, "sched/schedtest": kit,
		"refserver": program,
	}
}

// kindOf places a folder, given relative to the root.
func kindOf(dir string) kind {
	if k, ok := rooms()[dir]; ok {
		return k
	}
	switch {
	case strings.HasPrefix(dir, "internal/"), strings.Contains(dir, "/internal/"):
		return inside
	case strings.HasPrefix(dir, "examples/"):
		return program
	}
	return outsider
}

// pass is one package under inspection and what was found in it.
type pass struct {
	*folder
	kind  kind
	found *[]Violation
}

func (p *pass) report(rule string, pos token.Pos, format string, args ...any) {
	at := p.fset.Position(pos)
	file, err := filepath.Rel(p.root, at.Filename)
	if err != nil {
		file = at.Filename
	}
	*p.found = append(*p.found, Violation{Rule: rule, File: filepath.ToSlash(file), Line: at.Line, Text: fmt.Sprintf(format, args...)})
}

func (p *pass) reportDir(rule, format string, args ...any) {
	*p.found = append(*p.found, Violation{Rule: rule, File: p.dir + "/", Text: fmt.Sprintf(format, args...)})
}

// Check reads the packages of the module at root that match the patterns ("./..." if there are none) and returns what
// breaks a rule. An error means that the packages could not be read.
func Check(rootDir string, patterns ...string) ([]Violation, error) {
	folders, err := load(rootDir, patterns)
	if err != nil {
		return nil, err
	}
	var found []Violation
	found = append(found, checkTop(rootDir)...)
	for _, f := range folders {
		p := &pass{folder: f, kind: kindOf(f.dir), found: &found}
		checkArrows(p)
		checkLength(p)
		checkComments(p)
		checkExampleProgram(p)
		if p.kind == core {
			checkCore(p)
		}
		if p.kind == core || p.kind == leaf || p.kind == kit {
			checkDocs(p)
			checkExamples(p)
		}
	}
	slices.SortFunc(found, func(a, b Violation) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Text, b.Text))
	})
	return found, nil
}

// eachFunc calls f for every function of the folder's files that are not tests.
func (p *pass) eachFunc(f func(*ast.FuncDecl)) {
	for _, file := range p.files {
		for _, d := range file.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				f(fn)
			}
		}
	}
}
