package conformance_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/component/componenttest"
	"github.com/haywardhq/hayward/pipeline/components"
	"github.com/haywardhq/hayward/pipeline/docstore"
	"github.com/haywardhq/hayward/pipeline/docstore/memory"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/value"
	"github.com/haywardhq/hayward/pipeline/vectortest"
)

// scoreTolerance is for what Python adds up in an order of its own: numpy's dot products, Okapi's mean weight.
const scoreTolerance = 1e-9

// TestComponentCalls runs every recorded call of a component that is delivered, and lists the types that are not.
func TestComponentCalls(t *testing.T) {
	known := loadBaseline(t)
	reg := components.Registry()
	missing := map[string]int{}
	ran := 0
	for i, c := range vectortest.LoadLines(t, "component_calls.jsonl") {
		typ, _ := field(c, "component", "type").(value.Str)
		if _, ok := reg.Lookup(string(typ)); !ok {
			missing[string(typ)]++
			continue
		}
		ran++
		name, _ := field(c, "test").(value.Str)
		id := fmt.Sprintf("component_calls:%d", i+1)
		t.Run(fmt.Sprintf("%d/%s", i+1, name[strings.LastIndexByte(string(name), '/')+1:]), func(t *testing.T) {
			known.judge(t, id, compareCall(t, reg, string(typ), c))
		})
	}
	report(t, ran, missing)
	for _, id := range known.stale("component_calls") {
		t.Errorf("baseline.yml lists %s, which is no recorded call of a delivered component", id)
	}
	if ran == 0 {
		t.Error("no recorded call was run")
	}
}

// report prints which types are not delivered.
func report(t *testing.T, ran int, missing map[string]int) {
	var names []string
	total := 0
	for n, count := range missing {
		names = append(names, fmt.Sprintf("%s (%d)", n[strings.LastIndexByte(n, '.')+1:], count))
		total += count
	}
	sort.Strings(names)
	t.Logf("%d calls run; %d calls of %d types that are not delivered yet: %s", ran, total, len(names), strings.Join(names, ", "))
}

func field(d *value.Dict, path ...string) value.Value {
	var v value.Value = d
	for _, p := range path {
		d, ok := v.(*value.Dict)
		if !ok {
			return value.None
		}
		if v, ok = d.Get(p); !ok {
			return value.None
		}
	}
	return v
}

// compareCall runs one call and returns how it differs from Python; "" when it does not.
func compareCall(t *testing.T, reg *component.Registry, typ string, c *value.Dict) string {
	provider := memory.NewProvider()
	if err := fill(reg, provider, field(c, "stores")); err != nil {
		return "filling the stores: " + err.Error()
	}
	params, _ := field(c, "component", "init_parameters").(*value.Dict)
	inputs, err := vectortest.Decode(field(c, "inputs"))
	if err != nil {
		return "the vector's inputs: " + err.Error()
	}
	plain, err := vectortest.Decode(params)
	if err != nil {
		return "the vector's parameters: " + err.Error()
	}
	child, err := reg.Build("tested", typ, plain.(*value.Dict), fault.Where{})
	var out map[string]value.Value
	if err == nil {
		env := componenttest.With(componenttest.NewEnv(t), func(w *componenttest.World) { w.Stores, w.Files = provider, files{} })
		out, err = call(child, env, inputs.(*value.Dict))
	}
	if want, ok := c.Get("error"); ok {
		return compareError(want.(*value.Dict), err)
	}
	if err != nil {
		return "unexpected error: " + err.Error()
	}
	got := &value.Dict{}
	for k, v := range out {
		got.Set(k, v)
	}
	if typ == "haystack.components.converters.html.HTMLToDocument" {
		return compareRecall(field(c, "outputs"), got)
	}
	if d := vectortest.DiffWithin(field(c, "outputs"), got, scoreTolerance); d != "" {
		return d
	}
	return compareStores(reg, provider, field(c, "stores_after"))
}

// call runs a component as Python code calls its run method: an input that was not given stays nil, and one that is no
// socket (a keyword argument) reaches a builder among its template_variables.
func call(c *component.Child, env *component.Env, inputs *value.Dict) (map[string]value.Value, error) {
	in := make(component.In, len(c.Spec.Inputs))
	rest := inputs.Clone()
	for i, s := range c.Spec.Inputs {
		v, ok := inputs.Get(s.Name)
		if in[i] = s.Default; ok {
			in[i] = v
		}
		rest.Delete(s.Name)
	}
	if rest.Len() > 0 {
		at := slices.IndexFunc(c.Spec.Inputs, func(s component.Input) bool { return s.Name == "template_variables" })
		if at < 0 {
			return nil, fault.New(fault.Invalid, "no socket for %s", value.Repr(rest))
		}
		if given, ok := in[at].(*value.Dict); ok {
			for k, v := range given.All() {
				rest.SetKey(k, v)
			}
		}
		in[at] = rest
	}
	before := value.Repr(value.NewList(in...))
	out, err := c.Component.Run(context.Background(), env, in)
	if now := value.Repr(value.NewList(in...)); now != before && !c.Spec.Mutates {
		return nil, fault.New(fault.Internal, "the inputs were changed from %s to %s", before, now)
	}
	if err != nil {
		return nil, err
	}
	got := map[string]value.Value{}
	for i, v := range out.Values {
		if v != nil {
			got[c.Spec.Outputs[i].Name] = v
		}
	}
	for name, v := range out.Extra.Strings() {
		got[name] = v
	}
	return got, nil
}

// compareError compares the class and, where Python's text is its own, the message. What follows a colon or a bracket
// may be another library's words or a repr.
func compareError(want *value.Dict, err error) string {
	if err == nil {
		return "no error, but Python has " + value.Repr(want)
	}
	class, _ := field(want, "class").(value.Str)
	message, _ := field(want, "message").(value.Str)
	f := fault.From(err)
	if f.Code != string(class) {
		return fmt.Sprintf("error class %q (%s), want %q (%s)", f.Code, f.Message, class, message)
	}
	if f.Message == string(message) {
		return ""
	}
	head := string(message)
	if i := strings.IndexAny(head, "{[<"); i > 0 {
		head = head[:i]
	}
	if len(head) < len(message) && strings.HasPrefix(f.Message, strings.TrimSpace(head)) {
		return ""
	}
	return fmt.Sprintf("message %q, want %q", f.Message, message)
}

// fill writes what the stores held before the call.
func fill(reg *component.Registry, p docstore.Provider, stores value.Value) error {
	d, _ := stores.(*value.Dict)
	for index, docs := range d.Strings() {
		store, err := open(reg, p, index)
		if err != nil {
			return err
		}
		list, err := vectortest.Decode(docs)
		if err != nil {
			return err
		}
		typed, err := document.FromList(list)
		if err != nil {
			return err
		}
		if _, err := store.WriteDocuments(context.Background(), typed, docstore.PolicyFail); err != nil {
			return err
		}
	}
	return nil
}

func open(reg *component.Registry, p docstore.Provider, index string) (docstore.Store, error) {
	ref, err := reg.StoreRef("tested", memory.TypeName, value.NewDict("index", value.Str(index)))
	if err != nil {
		return nil, err
	}
	return p.Open(context.Background(), ref)
}

func compareStores(reg *component.Registry, p docstore.Provider, after value.Value) string {
	d, _ := after.(*value.Dict)
	for index, want := range d.Strings() {
		store, err := open(reg, p, index)
		if err != nil {
			return err.Error()
		}
		docs, err := store.FilterDocuments(context.Background(), nil)
		if err != nil {
			return err.Error()
		}
		if diff := vectortest.Diff(want, document.List(docs)); diff != "" {
			return "store " + index + " afterwards: " + diff
		}
	}
	return ""
}

// files opens the files that cases name as test/test_files/...
type files struct{}

func (files) Open(_ context.Context, path string) (io.ReadCloser, error) {
	dir, err := vectortest.Dir()
	if err != nil {
		return nil, err
	}
	rel, ok := strings.CutPrefix(filepath.ToSlash(path), "test/test_files/")
	if !ok || slices.Contains(strings.Split(rel, "/"), "..") {
		return nil, os.ErrNotExist
	}
	return os.Open(filepath.Join(dir, "files", filepath.FromSlash(rel)))
}

// compareRecall compares documents whose text another library lays out: meta exactly, at least 95 of 100 words.
func compareRecall(want value.Value, got *value.Dict) string {
	plain, err := vectortest.Decode(want)
	if err != nil {
		return err.Error()
	}
	w, err1 := document.FromList(field(plain.(*value.Dict), "documents"))
	g, err2 := document.FromList(field(got, "documents"))
	if err1 != nil || err2 != nil || len(w) != len(g) {
		return fmt.Sprintf("%d documents, want %d (%v, %v)", len(g), len(w), err1, err2)
	}
	for i := range w {
		if d := vectortest.Diff(w[i].Meta, g[i].Meta); d != "" {
			return "meta: " + d
		}
		if r := recall(w[i].ContentOr(""), g[i].ContentOr("")); r < 0.95 {
			return fmt.Sprintf("word recall %.3f", r)
		}
	}
	return ""
}

func recall(want, got string) float64 {
	have := map[string]int{}
	for _, w := range strings.Fields(got) {
		have[w]++
	}
	found, total := 0, 0
	for _, w := range strings.Fields(want) {
		total++
		if have[w] > 0 {
			have[w]--
			found++
		}
	}
	if total == 0 {
		return 1
	}
	return float64(found) / float64(total)
}
