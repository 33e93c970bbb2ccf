package order

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheCoreImportsTheStandardLibraryOnly(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	equal(t, "not of the standard library", strings.TrimSpace(string(out)), "github.com/waybillhq/waybill/order")
}

// Replay must give the same answer: no clock, no chance, no I/O, no goroutines,
// no maps in random order.
func TestTheCoreIsDeterministic(t *testing.T) {
	forbidden := map[string]bool{
		"time.Now": true, "time.Since": true, "time.Until": true, "time.After": true, "time.Tick": true, "time.Sleep": true,
		"time.NewTimer": true, "time.NewTicker": true, "time.AfterFunc": true, "time.Local": true,
		"maps.Keys": true, "maps.Values": true, "maps.All": true, "maps.Collect": true,
	}
	fset := token.NewFileSet()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, imp := range f.Imports {
			switch path := strings.Trim(imp.Path.Value, `"`); path {
			case "cmp", "errors", "fmt", "regexp", "slices", "strconv", "strings", "time":
			default:
				t.Errorf("%s imports %s: is it pure?", name, path)
			}
		}
		files = append(files, f)
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}
	if _, err := (&types.Config{Importer: importer.Default()}).Check("order", fset, files, info); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			at := func() string { return fmt.Sprint(fset.Position(n.Pos())) }
			switch n := n.(type) {
			case *ast.RangeStmt:
				switch info.Types[n.X].Type.Underlying().(type) {
				case *types.Map, *types.Chan:
					t.Errorf("%s ranges over a %s", at(), info.Types[n.X].Type)
				}
			case *ast.GoStmt, *ast.SelectStmt, *ast.SendStmt:
				t.Errorf("%s: %T", at(), n)
			case *ast.Ident:
				if o := info.Uses[n]; o != nil && o.Pkg() != nil && o.Parent() == o.Pkg().Scope() && forbidden[o.Pkg().Path()+"."+o.Name()] {
					t.Errorf("%s uses %s.%s", at(), o.Pkg().Path(), o.Name())
				}
			}
			return true
		})
	}
}
