package hayward_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

const module = "github.com/haywardhq/hayward"

// house is every package of the module by its path inside it, without test files and without modules of their own.
type house map[string]*room

type room struct {
	documented bool
	doors      []door
	uses       []use // of other packages' names
	inits      []string
}

// door is one import; own ones are paths inside the module, others are whole.
type door struct {
	file, to string
	own      bool
}

type use struct{ file, name string }

func (h house) names() []string { return slices.Sorted(maps.Keys(h)) }

func readHouse(files fs.FS) (house, error) {
	h := house{}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		switch base := path.Base(name); {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (base == "testdata" || base == "vendor" || base[0] == '.' || base[0] == '_'):
			return fs.SkipDir
		case d.IsDir() && name != "." && nested(files, name):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		return h.read(files, name)
	})
	return h, err
}

// nested reports whether a folder is a module of its own: nothing of the product can import it, so it is no part of the house.
func nested(files fs.FS, dir string) bool {
	_, err := fs.Stat(files, path.Join(dir, "go.mod"))
	return err == nil
}

func (h house) read(files fs.FS, name string) error {
	src, err := fs.ReadFile(files, name)
	if err != nil {
		return err
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	dir := path.Dir(name)
	if h[dir] == nil {
		h[dir] = &room{}
	}
	r := h[dir]
	r.documented = r.documented || path.Base(name) == "doc.go" && file.Doc != nil && strings.TrimSpace(file.Doc.Text()) != ""
	locals := map[string]string{} // the name in this file -> the package's own name
	for _, spec := range file.Imports {
		to, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		own, isOwn := strings.CutPrefix(to, module+"/")
		r.doors = append(r.doors, door{name, own, isOwn})
		local := path.Base(to)
		if spec.Name != nil {
			local = spec.Name.Name
		}
		locals[local] = path.Base(to)
	}
	if _, dot := locals["."]; dot {
		r.uses = append(r.uses, use{name, "dot import"})
	}
	for _, decl := range file.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
			r.inits = append(r.inits, name)
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := sel.X.(*ast.Ident); ok && locals[id.Name] != "" {
				r.uses = append(r.uses, use{name, locals[id.Name] + "." + sel.Sel.Name})
			}
		}
		return true
	})
	return nil
}

func matches(patterns []string, p string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		base, below := strings.CutSuffix(pattern, "...")
		base = strings.TrimSuffix(base, "/")
		return p == base || below && (base == "" || strings.HasPrefix(p, base+"/"))
	})
}

func isTest(p string) bool { return strings.HasSuffix(p, "test") }

// check returns every broken rule, with its place and its reason.
func check(h house) (found []string) {
	for _, name := range h.names() {
		r := h[name]
		found = append(found, checkDoors(name, r)...)
		found = append(found, checkUses(name, r)...)
		if !r.documented {
			found = append(found, name+": "+needsDoc)
		}
		if inits[name] == "" {
			for _, file := range r.inits {
				found = append(found, file+": "+noInit)
			}
		}
	}
	return found
}

func checkDoors(name string, r *room) (found []string) {
	for _, d := range r.doors {
		complain := func(why string) { found = append(found, fmt.Sprintf("%s must not import %s: %s", d.file, d.to, why)) }
		if !d.own {
			if strings.Contains(strings.Split(d.to, "/")[0], ".") && matches([]string{"fault", "sealed/...", "vault/scope"}, name) {
				complain("these rooms import the standard library only")
			}
			continue
		}
		for _, e := range edges {
			if matches(e.from, name) && matches(e.not, d.to) && !matches(e.except, d.to) {
				complain(e.why)
			}
		}
		if may, guarded := importers[d.to]; guarded && may[name] == "" && !isTest(name) {
			complain(onlyThese)
		}
		if isTest(d.to) && !isTest(name) {
			complain(testOnly)
		}
	}
	return found
}

func checkUses(name string, r *room) (found []string) {
	for _, u := range r.uses {
		if u.name == "dot import" {
			found = append(found, u.file+": no dot import: a reader must see where a name comes from")
		}
		for _, rule := range uses {
			if slices.Contains(rule.names, u.name) && !matches(slices.Collect(maps.Keys(rule.by)), name) {
				found = append(found, fmt.Sprintf("%s must not use %s: %s", u.file, u.name, rule.why))
			}
		}
		if may, guarded := callers[u.name]; guarded && may[name] == "" && !isTest(name) {
			found = append(found, fmt.Sprintf("%s must not call %s: %s", u.file, u.name, onlyThese))
		}
	}
	return found
}

// stale returns lines of the published lists that nobody needs.
func stale(h house) (found []string) {
	for target, may := range importers {
		for name := range may {
			if r := h[name]; r == nil || !slices.ContainsFunc(r.doors, func(d door) bool { return d.own && d.to == target }) {
				found = append(found, fmt.Sprintf("%s is listed as an importer of %s and is none: take the line out", name, target))
			}
		}
	}
	for target, may := range callers {
		for name := range may {
			if r := h[name]; r == nil || !slices.ContainsFunc(r.uses, func(u use) bool { return u.name == target }) {
				found = append(found, fmt.Sprintf("%s is listed as a caller of %s and is none: take the line out", name, target))
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(inits)) {
		if r := h[name]; r == nil || len(r.inits) == 0 {
			found = append(found, name+" is listed with an init function and has none: take the line out")
		}
	}
	return found
}
