//go:build linux && cgo

package nvml

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unsafe"

	direct "github.com/NVIDIA/go-nvml/pkg/nvml"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/gpu/gputest"
)

// methodsOf lists the methods of go-nvml's interfaces.
func methodsOf() map[string]bool {
	all := map[string]bool{}
	for _, t := range []reflect.Type{reflect.TypeFor[direct.Interface](), reflect.TypeFor[direct.Device](), reflect.TypeFor[direct.EventSet]()} {
		for i := range t.NumMethod() {
			all[t.Method(i).Name] = true
		}
	}
	return all
}

// used lists go-nvml's methods that this package calls, as its source has them.
func used(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	methods := methodsOf()
	seen := map[string]bool{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		if !slices.ContainsFunc(f.Imports, func(i *ast.ImportSpec) bool { return strings.Contains(i.Path.Value, "go-nvml") }) {
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok || !methods[s.Sel.Name] {
				return true
			}
			if x, ok := s.X.(*ast.Ident); !ok || s.Sel.Name != "Free" || x.Name != "v" { // v.Free is a number of bytes
				seen[s.Sel.Name] = true
			}
			return true
		})
	}
	var out []string
	for name := range seen {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// symbolsOf finds which C functions a method of go-nvml can call, by its own source: the calls in the method's body, and in
// the functions of that package that it calls, each with the versions that lib.go may put in its place.
func symbolsOf(t *testing.T, methods []string) map[string][]string {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Dir}}", "github.com/NVIDIA/go-nvml/pkg/nvml").Output()
	require.NoError(t, err)
	bodies, calls := map[string]*ast.FuncDecl{}, map[string]map[string]bool{}
	versions := map[string]map[string]bool{} // a variable, and what is assigned to it
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "*.go"))
	require.NoError(t, err)
	note := func(into map[string]map[string]bool, key, value string) {
		if into[key] == nil {
			into[key] = map[string]bool{}
		}
		into[key][value] = true
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || strings.Contains(name, "mock") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				key, ok := keyOf(n)
				if ok && (bodies[key] == nil || receiverOf(n) != "library") { // a library's method calls the device's of that name
					bodies[key] = n
				}
			case *ast.ValueSpec:
				for i, v := range n.Names {
					if i < len(n.Values) {
						if id, ok := n.Values[i].(*ast.Ident); ok {
							note(versions, v.Name, id.Name)
						}
					}
				}
			case *ast.AssignStmt:
				left, ok1 := n.Lhs[0].(*ast.Ident)
				right, ok2 := n.Rhs[0].(*ast.Ident)
				if ok1 && ok2 && n.Tok == token.ASSIGN {
					note(versions, left.Name, right.Name)
				}
			}
			return true
		})
	}
	for key, fn := range bodies {
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && x.Name == "C" && strings.HasPrefix(n.Sel.Name, "nvml") {
					note(calls, key, "C."+n.Sel.Name)
				} else {
					note(calls, key, "method "+n.Sel.Name)
				}
			case *ast.Ident:
				note(calls, key, n.Name)
			}
			return true
		})
	}
	out := map[string][]string{}
	function := regexp.MustCompile(`^C\.(nvml[A-Z]\w+)$`)
	for _, m := range methods {
		start := "method " + m
		if m == "GetGpuFabricInfoV" {
			start = "handler V2" // the method only makes the handler
		}
		seen, todo := map[string]bool{start: true}, []string{start}
		for len(todo) > 0 {
			now := todo[0]
			todo = todo[1:]
			for _, next := range []map[string]bool{calls[now], versions[now]} {
				for n := range next {
					if s := function.FindStringSubmatch(n); s != nil && !strings.HasSuffix(n, "_t") && !slices.Contains(out[m], s[1]) {
						out[m] = append(out[m], s[1])
					}
					if !seen[n] && (bodies[n] != nil || versions[n] != nil) {
						seen[n] = true
						todo = append(todo, n)
					}
				}
			}
		}
		slices.Sort(out[m])
	}
	return out
}

// keyOf names a function: methods of the types that this package meets share their names with those that they call.
func keyOf(fn *ast.FuncDecl) (string, bool) {
	switch receiverOf(fn) {
	case "":
		return fn.Name.Name, true
	case "library", "nvmlDevice", "nvmlEventSet":
		return "method " + fn.Name.Name, true
	case "GpuFabricInfoHandler":
		return "handler " + fn.Name.Name, true
	}
	return "", false
}

func receiverOf(fn *ast.FuncDecl) string {
	if fn.Recv == nil {
		return ""
	}
	t := fn.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	id, _ := t.(*ast.Ident)
	return id.Name
}

// Every method of go-nvml that is used is in the table, and no other; its row names the C functions that the method's own
// source calls; and the fake library has each of them.
func TestTable(t *testing.T) {
	var inTable, allSymbols []string
	rows := map[string][]string{}
	for c, s := range table() {
		require.NotEmpty(t, s.symbols, "call %d", c)
		inTable = append(inTable, s.method)
		rows[s.method] = slices.Sorted(slices.Values(s.symbols))
		allSymbols = append(allSymbols, s.symbols...)
	}
	slices.Sort(inTable)
	require.Equal(t, used(t), inTable)

	called := symbolsOf(t, inTable)
	for _, m := range inTable {
		called[m] = slices.DeleteFunc(called[m], func(s string) bool { return s == "nvmlErrorString" }) // TestNoWords
		switch m {
		case "Init": // it also assigns all variables that have versions
			require.Subset(t, called[m], rows[m])
		case "GetAttributes": // its first version is never reached: the gate wants the second
			require.Equal(t, []string{"nvmlDeviceGetAttributes", "nvmlDeviceGetAttributes_v2"}, called[m])
			require.Equal(t, []string{"nvmlDeviceGetAttributes_v2"}, rows[m])
		default:
			require.Equal(t, called[m], rows[m], m)
		}
	}
	slices.Sort(allSymbols)
	require.Equal(t, gputest.FakeNVMLSymbols(t), allSymbols)
}

// go-nvml turns a code into words with one more symbol: no source of this package may print a Return.
func TestNoWords(t *testing.T) {
	require.NotContains(t, used(t), "ErrorString")
	f, err := parser.ParseFile(token.NewFileSet(), "bind_gonvml.go", nil, 0)
	require.NoError(t, err)
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			require.NotContains(t, []string{"Error", "String"}, s.Sel.Name)
		}
		return true
	})
}

// The layouts that purego passes are those of nvml.h, field by field, as go-nvml's generated types have them.
func TestLayouts(t *testing.T) {
	for _, x := range []struct{ ours, theirs any }{
		{pciLayout{}, direct.PciInfo{}},
		{memoryLayout{}, direct.Memory{}},
		{memoryLayout{}, direct.BAR1Memory{}},
		{memory2Layout{}, direct.Memory_v2{}},
		{utilizationLayout{}, direct.Utilization{}},
		{confidentialLayout{}, direct.ConfComputeSystemState{}},
		{attributesLayout{}, direct.DeviceAttributes{}},
		{process1Layout{}, direct.ProcessInfo_v1{}},
		{processLayout{}, direct.ProcessInfo_v2{}},
		{processLayout{}, direct.ProcessInfo{}},
		{fieldLayout{}, direct.FieldValue{}},
		{fabricLayout{}, direct.GpuFabricInfo{}},
		{fabric2Layout{}, direct.GpuFabricInfo_v2{}},
	} {
		a, b := reflect.TypeOf(x.ours), reflect.TypeOf(x.theirs)
		require.Equal(t, b.Size(), a.Size(), b.Name())
		require.Equal(t, offsets(b), offsets(a), b.Name())
	}
	// Events hold a handle, for which go-nvml has an interface: by nvml.h, a pointer, two 64-bit and two 32-bit numbers.
	require.Equal(t, unsafe.Sizeof(uintptr(0))+2*8+2*4, unsafe.Sizeof(eventLayout{}))
}

// offsets lists where the fields of a struct begin and how large they are, padding aside.
func offsets(t reflect.Type) [][2]uintptr {
	var out [][2]uintptr
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Name != "_" && f.Name != "Pad_cgo_0" {
			out = append(out, [2]uintptr{f.Offset, f.Type.Size()})
		}
	}
	return out
}
