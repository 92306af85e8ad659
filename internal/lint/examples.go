package lint

import (
	"go/ast"
	"go/doc"
	"slices"
	"strings"
)

// called lists the methods that the standard library calls for the user: an example shows them by printing, comparing
// or encoding a value.
func called() []string {
	return []string{
		"String", "Error", "Unwrap", "Is", "As", "MarshalText", "UnmarshalText", "MarshalJSON", "UnmarshalJSON",
		"AppendText", "MarshalBinary", "UnmarshalBinary",
	}
}

// checkExamples wants every exported function in an example of its own, every exported type that has methods likewise,
// every exported method called, and every other exported type used, in an example of the package. Examples have an
// output, but those of the test kits, which need a *testing.T.
func checkExamples(p *pass) {
	examples := doc.Examples(p.tests...)
	have, used := map[string]bool{}, map[string]bool{}
	for _, e := range examples {
		name, _, _ := strings.Cut(e.Name, "_")
		have[name] = true
		ast.Inspect(e.Code, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				used[id.Name] = true
			}
			return true
		})
		if p.kind != kit && e.Output == "" && !e.EmptyOutput {
			p.report("examples", e.Code.Pos(), "Example%s has no // Output: nothing checks it", e.Name)
		}
	}
	withMethods := map[string]bool{}
	p.eachFunc(func(fn *ast.FuncDecl) {
		switch {
		case !exportedFunc(fn):
		case fn.Recv == nil:
			if !have[fn.Name.Name] {
				p.report("examples", fn.Pos(), "%s has no Example%s", fn.Name.Name, fn.Name.Name)
			}
		case !slices.Contains(called(), fn.Name.Name):
			withMethods[receiver(fn)] = true
			if !used[fn.Name.Name] {
				p.report("examples", fn.Pos(), "%s is called in no example", funcName(fn))
			}
		}
	})
	names, at := exportedTypes(p)
	for _, n := range names {
		switch {
		case have[n]:
		case withMethods[n]:
			p.report("examples", at[n], "type %s has no Example%s", n, n)
		case !used[n] && !standsInside(p, n):
			p.report("examples", at[n], "type %s is shown in no example", n)
		}
	}
}

// standsInside reports whether a type is named by the signature of a function or a field of a type that examples use:
// such a type is shown where its values are, without being written out.
func standsInside(p *pass, name string) bool {
	found := false
	look := func(n ast.Node) {
		ast.Inspect(n, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && id.Name == name {
				found = true
			}
			return !found
		})
	}
	p.eachFunc(func(fn *ast.FuncDecl) {
		if exportedFunc(fn) {
			look(fn.Type)
		}
	})
	for _, file := range p.files {
		for _, decl := range file.Decls {
			if d, ok := decl.(*ast.GenDecl); ok {
				for _, s := range d.Specs {
					if ts, ok := s.(*ast.TypeSpec); ok && ts.Name.Name != name && ts.Name.IsExported() {
						look(ts.Type)
					}
				}
			}
		}
	}
	return found
}
