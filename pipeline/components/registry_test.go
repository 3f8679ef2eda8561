package components

import (
	"os"
	"regexp"
	"sort"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/value"
)

// TestFoldersFollowTypes holds the rule that a YAML type tells its file: haystack.components.<path>.<Class>, or
// hayward.components.<path>.<Class>, is type Class in <path>.go.
func TestFoldersFollowTypes(t *testing.T) {
	for _, typ := range types() {
		rest, ok := strings.CutPrefix(typ.Name, "haystack.components.")
		if own, mine := strings.CutPrefix(typ.Name, "hayward.components."); mine {
			rest, ok = own, true
		}
		if !ok {
			t.Errorf("%s is neither a component of Haystack nor of Hayward", typ.Name)
			continue
		}
		dot := strings.LastIndexByte(rest, '.')
		file := strings.ReplaceAll(rest[:dot], ".", "/") + ".go"
		source, err := os.ReadFile(file)
		if err != nil {
			t.Errorf("%s: %v", typ.Name, err)
			continue
		}
		if !regexp.MustCompile(`(?m)^type ` + rest[dot+1:] + ` struct`).Match(source) {
			t.Errorf("%s does not define %s", file, rest[dot+1:])
		}
	}
}

// TestTableIsHaystacks compares init parameters, defaults and sockets with those of haystack-ai 3.4.0, and for what it
// removed with those of 2.31.0, as written by conformance/oracle/component_table.py.
func TestTableIsHaystacks(t *testing.T) {
	rows := append(table(t, "testdata/table.json"), table(t, "testdata/table2.json")...)
	listed := map[string]bool{}
	reg := Registry()
	for _, it := range rows {
		want := it.(*value.Dict)
		name := text(want, "type")
		listed[name] = true
		t.Run(name[strings.LastIndexByte(name, '.')+1:], func(t *testing.T) {
			typ, ok := reg.Lookup(name)
			if !ok {
				t.Fatal("is not in the registry")
			}
			given, _ := want.Get("given")
			made, err := reg.Build("x", name, given.(*value.Dict), fault.Where{})
			if err != nil {
				t.Fatal(err)
			}
			params, _ := want.Get("params")
			compareParams(t, params.(*value.List).Items, typ.Params)
			inputs, _ := want.Get("inputs")
			same(t, "inputs", value.Repr(inputs), value.Repr(showInputs(made.Spec)))
			outputs, _ := want.Get("outputs")
			same(t, "outputs", value.Repr(outputs), value.Repr(showOutputs(made.Spec)))
		})
	}
	for _, name := range reg.Names() {
		if !listed[name] && !strings.HasPrefix(name, "hayward.") {
			t.Errorf("%s is not in testdata/table.json: add it to conformance/oracle/component_table.py", name)
		}
	}
}

func table(t *testing.T, path string) []value.Value {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	v, err := value.FromJSON(data)
	if err != nil {
		t.Fatal(err)
	}
	return v.(*value.List).Items
}

func text(d *value.Dict, key string) string { v, _ := d.Get(key); return value.ToStr(v) }

func same(t *testing.T, what, want, got string) {
	t.Helper()
	if want != got {
		t.Errorf("%s\nwant %s\ngot  %s", what, want, got)
	}
}

// extra are parameters that a dump may hold and Python's signature does not.
var extra = map[string]bool{"return_empty_on_no_match": true, "is_pipeline_async": true}

// renamed are defaults that Python writes by another name in a dump.
var renamed = map[string]string{"'NONE'": "'none'"}

func compareParams(t *testing.T, want []value.Value, got []component.Param) {
	t.Helper()
	shown := func(name string, required bool, def value.Value) string {
		text := value.Repr(def)
		if other, ok := renamed[text]; ok {
			text = other
		}
		if required {
			text = "required"
		}
		return name + "=" + text
	}
	var a, b []string
	for _, it := range want {
		d := it.(*value.Dict)
		required, _ := d.Get("required")
		def, _ := d.Get("default")
		a = append(a, shown(text(d, "name"), required == value.Bool(true), def))
	}
	for _, p := range got {
		if !extra[p.Name] {
			b = append(b, shown(p.Name, p.Default == nil, p.Default))
		}
	}
	same(t, "init parameters", strings.Join(a, "\n"), strings.Join(b, "\n"))
}

func showInputs(s *component.Spec) *value.List {
	out := value.NewList()
	for _, in := range s.Inputs {
		def := in.Default
		if def == nil {
			def = value.None
		}
		out.Items = append(out.Items, value.NewDict("name", value.Str(in.Name), "type", value.Str(in.Type.String()),
			"mandatory", value.Bool(in.Default == nil), "default", def, "variadic", value.Str([]string{"", "lazy", "greedy"}[in.Variadic])))
	}
	return sorted(out)
}

func showOutputs(s *component.Spec) *value.List {
	out := value.NewList()
	for _, o := range s.Outputs {
		out.Items = append(out.Items, value.NewDict("name", value.Str(o.Name), "type", value.Str(o.Type.String())))
	}
	return sorted(out)
}

func sorted(l *value.List) *value.List {
	sort.Slice(l.Items, func(i, j int) bool {
		return text(l.Items[i].(*value.Dict), "name") < text(l.Items[j].(*value.Dict), "name")
	})
	return l
}
