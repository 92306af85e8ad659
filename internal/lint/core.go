package lint

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// clock lists what package time offers that depends on when or where it is called.
func clock() []string {
	return []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker", "Local", "LoadLocation"}
}

// lossy lists the parts of decimal that lose digits, wrap, or change the program of whoever imports us.
func lossy() []string {
	return []string{
		"Div", "IntPart", "NewFromFloat", "NewFromFloat32", "NewFromFloatWithExponent", "InexactFloat64", "Float64",
		"DivisionPrecision", "PowPrecisionNegativeExponent", "MarshalJSONWithoutQuotes", "ExpMaxIterations",
	}
}

// checkCore looks for what makes a state machine differ from one run or one machine to the next.
func checkCore(p *pass) {
	for _, file := range p.files {
		for _, decl := range file.Decls {
			display := false
			if fn, ok := decl.(*ast.FuncDecl); ok {
				display = fn.Recv != nil && strings.Contains(fn.Doc.Text(), "for display")
				if fn.Recv == nil && fn.Name.Name == "init" {
					p.report("init", fn.Pos(), "a core has no init function")
				}
			}
			if g, ok := decl.(*ast.GenDecl); ok && g.Tok == token.VAR {
				checkVars(p, g)
			}
			ast.Inspect(decl, func(n ast.Node) bool {
				checkNode(p, n, display)
				return true
			})
		}
	}
}

func checkNode(p *pass, n ast.Node, display bool) {
	switch n := n.(type) {
	case *ast.GoStmt:
		p.report("goroutine", n.Pos(), "a core starts no goroutine")
	case *ast.SendStmt, *ast.SelectStmt, *ast.ChanType:
		p.report("goroutine", n.Pos(), "a core has no channels")
	case *ast.RangeStmt:
		if t := p.info.TypeOf(n.X); t != nil && isMap(t) || overMap(p, n.X) {
			p.report("map-range", n.Pos(), "the order of a map is random: range over slices.Sorted(maps.Keys(m))")
		}
	case *ast.SelectorExpr:
		checkSelector(p, n)
	}
	if e, ok := n.(ast.Expr); ok && !display {
		if tv, ok := p.info.Types[e]; ok && isFloat(tv.Type) {
			p.report("float", e.Pos(), "no floating point in a core, but in a method documented as \"for display\"")
		}
	}
}

func checkSelector(p *pass, n *ast.SelectorExpr) {
	obj := p.info.Uses[n.Sel]
	if obj == nil || obj.Pkg() == nil {
		return
	}
	switch obj.Pkg().Path() {
	case "time":
		if obj.Parent() == obj.Pkg().Scope() && slices.Contains(clock(), obj.Name()) {
			p.report("clock", n.Pos(), "time.%s: time is an argument", obj.Name())
		}
	case "github.com/shopspring/decimal":
		if slices.Contains(lossy(), obj.Name()) {
			p.report("decimal", n.Pos(), "decimal's %s loses digits or is global: use DivRound, QuoRem, BigInt, exact parsing", obj.Name())
		}
	}
}

func checkVars(p *pass, g *ast.GenDecl) {
	for _, s := range g.Specs {
		v, ok := s.(*ast.ValueSpec)
		if !ok {
			continue
		}
		for i, name := range v.Names {
			if name.Name == "_" || !name.IsExported() {
				continue
			}
			if i < len(v.Values) {
				if t := p.info.TypeOf(v.Values[i]); t != nil && types.Implements(t, errorType()) {
					continue
				}
			}
			p.report("globals", name.Pos(), "%s: a core exports no variables but errors", name.Name)
		}
	}
}

func errorType() *types.Interface {
	t, _ := types.Universe.Lookup("error").Type().Underlying().(*types.Interface)
	return t
}

func isMap(t types.Type) bool {
	if tp, ok := t.(*types.TypeParam); ok { // a map may hide in the core type of a constraint
		t = tp.Constraint()
	}
	_, ok := t.Underlying().(*types.Map)
	return ok
}

// overMap reports whether x is an iterator of package maps, whose order is that of the map.
func overMap(p *pass, x ast.Expr) bool {
	call, ok := ast.Unparen(x).(*ast.CallExpr)
	if !ok {
		return false
	}
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok {
		return false
	}
	obj := p.info.Uses[sel.Sel]
	return obj != nil && obj.Pkg() != nil && obj.Pkg().Path() == "maps" && slices.Contains([]string{"Keys", "Values", "All"}, obj.Name())
}

func isFloat(t types.Type) bool {
	if t == nil {
		return false
	}
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&(types.IsFloat|types.IsComplex) != 0
}
