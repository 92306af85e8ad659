package lint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// folder is one package: its syntax, its types, and its tests' syntax.
type folder struct {
	root    string // the checkout
	dir     string // relative to it, with slashes; "" is the root
	name    string // of the package
	fset    *token.FileSet
	files   []*ast.File // without tests
	tests   []*ast.File // *_test.go
	imports []string    // of the files, all build tags of this platform
	info    *types.Info
}

// listed is what the go command says of a package.
type listed struct {
	ImportPath, Name, Dir, Export              string
	GoFiles, CgoFiles, IgnoredGoFiles          []string
	TestGoFiles, XTestGoFiles, IgnoredTestOnly []string
	Imports                                    []string
	DepOnly                                    bool
}

// load lists, parses and type-checks the packages. Types of what they import come from the compiler's export data.
func load(rootDir string, patterns []string) ([]*folder, error) {
	if len(patterns) == 0 {
		patterns = []string{"./..."}
	}
	rootDir, err := filepath.Abs(rootDir)
	if err != nil {
		return nil, err
	}
	pkgs, exports, err := list(rootDir, patterns)
	if err != nil {
		return nil, err
	}
	var out []*folder
	for _, p := range pkgs {
		f, err := parse(rootDir, p, exports)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

func list(rootDir string, patterns []string) (pkgs []listed, exports map[string]string, err error) {
	args := append([]string{
		"list", "-e", "-deps", "-export",
		"-json=ImportPath,Name,Dir,Export,GoFiles,CgoFiles,IgnoredGoFiles,TestGoFiles,XTestGoFiles,Imports,DepOnly", "--",
	}, patterns...)
	cmd := exec.Command("go", args...)
	cmd.Dir = rootDir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	text, err := cmd.Output()
	if err != nil {
		return nil, nil, fmt.Errorf("go list: %w: %s", err, stderr.String())
	}
	exports = map[string]string{}
	for dec := json.NewDecoder(bytes.NewReader(text)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs, exports, nil
		} else if err != nil {
			return nil, nil, err
		}
		exports[p.ImportPath] = p.Export
		if !p.DepOnly {
			pkgs = append(pkgs, p)
		}
	}
}

func parse(rootDir string, p listed, exports map[string]string) (*folder, error) {
	dir := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
	f := &folder{root: rootDir, dir: dir, name: p.Name, fset: token.NewFileSet(), imports: p.Imports}
	parseAll := func(names ...[]string) (files []*ast.File, err error) {
		for _, group := range names {
			for _, n := range group {
				file, err := parser.ParseFile(f.fset, filepath.Join(p.Dir, n), nil, parser.ParseComments|parser.SkipObjectResolution)
				if err != nil {
					return nil, err
				}
				files = append(files, file)
			}
		}
		return files, nil
	}
	var err error
	if f.files, err = parseAll(p.GoFiles, p.CgoFiles); err != nil {
		return nil, err
	}
	if f.tests, err = parseAll(p.TestGoFiles, p.XTestGoFiles); err != nil {
		return nil, err
	}
	f.info = &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}
	conf := types.Config{
		Importer: importer.ForCompiler(f.fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) }),
		Error:    func(error) {}, // what does not compile, the compiler reports
	}
	_, _ = conf.Check(p.ImportPath, f.fset, f.files, f.info)
	return f, nil
}
