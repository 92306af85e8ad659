package lint

import (
	"go/ast"
	"go/token"
	"strings"
)

// checkDocs wants a comment on every exported name: packages' constants, variables, types, functions and methods, and
// the fields of the structs that a caller fills in (Params, Policy, Config).
func checkDocs(p *pass) {
	for _, file := range p.files {
		for _, decl := range file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if exportedFunc(d) && d.Doc.Text() == "" {
					p.report("documented", d.Pos(), "%s has no comment", funcName(d))
				}
			case *ast.GenDecl:
				checkGenDocs(p, d)
			}
		}
	}
}

func checkGenDocs(p *pass, d *ast.GenDecl) {
	for _, s := range d.Specs {
		switch s := s.(type) {
		case *ast.ValueSpec:
			for _, n := range s.Names {
				if n.IsExported() && s.Doc.Text() == "" && s.Comment.Text() == "" && (d.Doc.Text() == "" || !d.Lparen.IsValid() && d.Doc == nil) {
					p.report("documented", n.Pos(), "%s %s has no comment", d.Tok, n.Name)
				}
			}
		case *ast.TypeSpec:
			if !s.Name.IsExported() {
				continue
			}
			if s.Doc.Text() == "" && (d.Lparen.IsValid() || d.Doc.Text() == "") {
				p.report("documented", s.Pos(), "type %s has no comment", s.Name.Name)
			}
			if st, ok := s.Type.(*ast.StructType); ok && isParams(s.Name.Name) {
				checkFieldDocs(p, s.Name.Name, st)
			}
		}
	}
}

func isParams(name string) bool {
	return strings.HasSuffix(name, "Params") || strings.HasSuffix(name, "Policy") || strings.HasSuffix(name, "Config")
}

func checkFieldDocs(p *pass, owner string, st *ast.StructType) {
	for _, f := range st.Fields.List {
		for _, n := range f.Names {
			if n.IsExported() && f.Doc.Text() == "" && f.Comment.Text() == "" {
				p.report("documented", n.Pos(), "%s.%s has no comment: unit, meaning, source", owner, n.Name)
			}
		}
	}
}

// exportedFunc reports whether a user of the package can call fn: the function, or its method's type, is exported.
func exportedFunc(fn *ast.FuncDecl) bool {
	return fn.Name.IsExported() && (fn.Recv == nil || ast.IsExported(receiver(fn)))
}

// receiver returns the name of the type that a method belongs to, "" for a function.
func receiver(fn *ast.FuncDecl) string {
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		return ""
	}
	t := fn.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

func funcName(fn *ast.FuncDecl) string {
	if r := receiver(fn); r != "" {
		return r + "." + fn.Name.Name
	}
	return fn.Name.Name
}

// exportedTypes returns the exported types of a package, in the order of their files, each with its position.
func exportedTypes(p *pass) (names []string, at map[string]token.Pos) {
	at = map[string]token.Pos{}
	for _, file := range p.files {
		for _, decl := range file.Decls {
			d, ok := decl.(*ast.GenDecl)
			if !ok || d.Tok != token.TYPE {
				continue
			}
			for _, s := range d.Specs {
				if ts, ok := s.(*ast.TypeSpec); ok && ts.Name.IsExported() {
					names = append(names, ts.Name.Name)
					at[ts.Name.Name] = ts.Pos()
				}
			}
		}
	}
	return names, at
}
