package sqlstore

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"slices"
	"strings"
	"testing"
)

// ownerless are the methods about what belongs to no tenant, and their tables have no column of that name.
var ownerless = []string{"Now", "AfterCommit", "Root", "PutRoot", "LockRoot", "SystemKey", "PrimarySystemKey", "AddSystemKey", "PutSystemKey",
	"ListSystemKeys", "AddAuditCheckpointEverywhere", "AuditCheckpointEverywhere", "ScanAuditCheckpointsEverywhere", "AuditLogsEverywhere"}

// fences are what says whose rows a method may touch, and for which methods.
var fences = map[string]func(method string) bool{
	"own":              plain,
	"write":            plain,
	"list":             plain,
	"everyTenant":      crossing,
	"writeEveryTenant": crossing,
	"listEveryTenant":  crossing,
	"everywhere":       crossing,
	"listEverywhere":   crossing,
}

func crossing(method string) bool {
	return strings.Contains(method, "EveryTenant") || strings.Contains(method, "Everywhere") || method == "HasKeys"
}

func plain(method string) bool { return !crossing(method) }

// TestEveryMethodRaisesAFence: one that does not would find nothing on PostgreSQL, and one that opens more than its name
// says would have no second fence.
func TestEveryMethodRaisesAFence(t *testing.T) {
	calls := calledBy(t)
	checked := 0
	for method, called := range calls {
		method, ofTx := strings.CutPrefix(method, "tx.")
		if !ofTx || !ast.IsExported(method) || slices.Contains(ownerless, method) {
			continue
		}
		checked++
		raised := slices.DeleteFunc(reach(calls, called, map[string]bool{}), func(c string) bool { return fences[c] == nil })
		if len(raised) == 0 {
			t.Errorf("%s: call x.own(app, tenant) first, or x.everyTenant or x.everywhere if its name says so", method)
		}
		for _, f := range raised {
			if !fences[f](method) && !(crossing(method) && slices.ContainsFunc(raised, func(f string) bool { return fences[f](method) })) {
				t.Errorf("%s calls %s, which its name does not say", method, f)
			}
		}
	}
	if checked < 40 {
		t.Errorf("only %d methods were looked at", checked)
	}
}

// reach follows calls to other functions of the package, but not behind a fence.
func reach(calls map[string][]string, called []string, seen map[string]bool) (out []string) {
	for _, c := range called {
		if seen[c] {
			continue
		}
		seen[c] = true
		if out = append(out, c); fences[c] == nil {
			out = append(out, reach(calls, slices.Concat(calls[c], calls["tx."+c]), seen)...)
		}
	}
	return out
}

// calledBy returns what each function of the package calls, by name.
func calledBy(t *testing.T) map[string][]string {
	t.Helper()
	//lint:ignore SA1019 the files of one folder are all that is needed
	pkgs, err := parser.ParseDir(token.NewFileSet(), ".", func(f fs.FileInfo) bool { return !strings.HasSuffix(f.Name(), "_test.go") }, 0)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for _, f := range pkgs["sqlstore"].Files {
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Body == nil {
				continue
			}
			name := fn.Name.Name
			if fn.Recv != nil && ast.IsExported(name) {
				if star, ok := fn.Recv.List[0].Type.(*ast.StarExpr); ok {
					name = star.X.(*ast.Ident).Name + "." + name
				}
			}
			ast.Inspect(fn.Body, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok {
					switch f := call.Fun.(type) {
					case *ast.Ident:
						out[name] = append(out[name], f.Name)
					case *ast.SelectorExpr:
						if x, ok := f.X.(*ast.Ident); ok && x.Name == "x" {
							out[name] = append(out[name], f.Sel.Name)
						}
					}
				}
				return true
			})
		}
	}
	return out
}
