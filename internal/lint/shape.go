package lint

import (
	"go/ast"
	"path/filepath"
	"strings"
)

const (
	maxFileLines    = 600 // conventions: 100 to 300 is normal
	maxFuncLines    = 70  // a function fits a screen
	maxExampleLines = 120 // an example tells one story
)

// checkLength measures files, tests included, and functions outside tests.
func checkLength(p *pass) {
	for _, list := range [][]*ast.File{p.files, p.tests} {
		for _, file := range list {
			if n := p.fset.File(file.Pos()).LineCount(); n > maxFileLines && !ast.IsGenerated(file) {
				p.report("file-length", file.Package, "%d lines, at most %d: split it by noun", n, maxFileLines)
			}
		}
	}
	p.eachFunc(func(fn *ast.FuncDecl) {
		if n := p.fset.Position(fn.End()).Line - p.fset.Position(fn.Pos()).Line + 1; n > maxFuncLines {
			p.report("func-length", fn.Pos(), "%s has %d lines, at most %d", fn.Name.Name, n, maxFuncLines)
		}
	})
}

// checkComments wants one package comment a folder: in doc.go, alone, or for a program in doc.go or main.go.
func checkComments(p *pass) {
	var with []string
	for _, file := range p.files {
		base := filepath.Base(p.fset.Position(file.Pos()).Filename)
		if base == "doc.go" && len(file.Decls) > len(file.Imports) {
			p.report("package-comment", file.Decls[len(file.Decls)-1].Pos(), "doc.go holds the package comment and nothing else")
		}
		if file.Doc == nil {
			continue
		}
		with = append(with, base)
		want := "Package " + p.name + " "
		if p.name == "main" {
			want = ""
		}
		if !strings.HasPrefix(file.Doc.Text(), want) {
			p.report("package-comment", file.Doc.Pos(), "the package comment begins with %q", want)
		}
		if base != "doc.go" && (p.name != "main" || base != "main.go") {
			p.report("package-comment", file.Doc.Pos(), "the package comment stands in doc.go")
		}
	}
	if len(with) != 1 {
		p.reportDir("package-comment", "one package comment is wanted, found %d %v", len(with), with)
	}
}

// checkExampleProgram holds the programs under examples to one short file.
func checkExampleProgram(p *pass) {
	if !strings.HasPrefix(p.dir, "examples/") {
		return
	}
	if len(p.files) != 1 {
		p.reportDir("example-program", "%d files: an example is one main.go", len(p.files))
	}
	for _, file := range p.files {
		if n := p.fset.File(file.Pos()).LineCount(); n > maxExampleLines {
			p.report("example-program", file.Package, "%d lines, at most %d: an example tells one story", n, maxExampleLines)
		}
	}
}
