package vectortest

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/pipeline/value"
)

// maxDifferences bounds how many places a diff names.
const maxDifferences = 20

// Equal fails the test with a diff unless got is what the vector wants. want may still be in the notation.
func Equal(t testing.TB, want, got value.Value) {
	t.Helper()
	if d := Diff(want, got); d != "" {
		t.Errorf("differs from Python:\n%s", d)
	}
}

// Diff returns the places where got differs from want, one a line, or "" when nothing differs. Either may be in the
// notation. Kinds count: 1, 1.0 and True differ, except in scores and embeddings, which Go always holds as floats.
// Dicts are compared without regard to order, sets likewise.
func Diff(want, got value.Value) string { return DiffWithin(want, got, 0) }

// DiffWithin is [Diff] that lets floats differ by the relative tolerance tol, for scores whose last bits depend on the
// order of a sum.
func DiffWithin(want, got value.Value, tol float64) string {
	d := differ{tol: tol}
	d.compare("", normal(want), normal(got))
	return strings.Join(d.lines, "\n")
}

// normal brings both sides to one form: what the notation's decoder reads, in the notation. What does not decode (a
// wrong vector, or data that only looks like notation) is compared as it is.
func normal(v value.Value) value.Value {
	if v == nil {
		return value.None
	}
	plain, err := Decode(v)
	if err != nil {
		return Encode(v)
	}
	return Encode(plain)
}

type differ struct {
	tol   float64
	lines []string
}

func (d *differ) add(path, format string, args ...any) {
	if path == "" {
		path = "(top)"
	}
	switch {
	case len(d.lines) < maxDifferences:
		d.lines = append(d.lines, path+": "+fmt.Sprintf(format, args...))
	case len(d.lines) == maxDifferences:
		d.lines = append(d.lines, "... and more")
	}
}

func (d *differ) compare(path string, want, got value.Value) {
	switch w := want.(type) {
	case *value.List:
		if g, ok := got.(*value.List); ok {
			d.lists(path, w, g)
			return
		}
	case *value.Dict:
		if g, ok := got.(*value.Dict); ok {
			d.dicts(path, w, g)
			return
		}
	}
	if !d.leaf(path, want, got) {
		d.add(path, "want %s, got %s", short(want), short(got))
	}
}

func (d *differ) leaf(path string, want, got value.Value) bool {
	x, xok := want.(value.Float)
	y, yok := got.(value.Float)
	if xok && yok {
		return d.close(float64(x), float64(y))
	}
	if want.Kind() != got.Kind() && !floatPlace(path) {
		return false
	}
	return value.Equal(want, got)
}

func (d *differ) close(x, y float64) bool {
	if x == y || math.IsNaN(x) && math.IsNaN(y) {
		return true
	}
	return math.Abs(x-y) <= d.tol*math.Max(math.Abs(x), math.Abs(y))
}

// floatPlace reports whether the path ends in a field that is a float in Go whatever number Python was given.
func floatPlace(path string) bool {
	if i := strings.LastIndexByte(path, '['); i >= 0 && strings.HasSuffix(path, "]") {
		path = path[:i]
		return strings.HasSuffix(path, ".embedding") || strings.HasSuffix(path, ".values")
	}
	return strings.HasSuffix(path, ".score")
}

func (d *differ) lists(path string, want, got *value.List) {
	if len(want.Items) != len(got.Items) {
		d.add(path, "want %d items, got %d: want %s, got %s", len(want.Items), len(got.Items), short(want), short(got))
	}
	for i := range min(len(want.Items), len(got.Items)) {
		d.compare(fmt.Sprintf("%s[%d]", path, i), want.Items[i], got.Items[i])
	}
}

func (d *differ) dicts(path string, want, got *value.Dict) {
	if w, ok := want.Get("$set"); ok {
		if g, ok := got.Get("$set"); ok {
			d.sets(path, w, g)
			return
		}
	}
	for k, w := range want.All() {
		at := path + "." + value.ToStr(k)
		if g, ok := got.GetKey(k); ok {
			d.compare(at, w, g)
		} else {
			d.add(at, "want %s, got nothing", short(w))
		}
	}
	for k, g := range got.All() {
		if _, ok := want.GetKey(k); !ok {
			d.add(path+"."+value.ToStr(k), "want nothing, got %s", short(g))
		}
	}
}

func (d *differ) sets(path string, want, got value.Value) {
	w, wok := want.(*value.List)
	g, gok := got.(*value.List)
	if !wok || !gok || !contains(w, g) || !contains(g, w) {
		d.add(path, "want the set %s, got %s", short(want), short(got))
	}
}

func contains(a, b *value.List) bool {
	for _, x := range b.Items {
		found := false
		for _, y := range a.Items {
			found = found || value.Equal(x, y)
		}
		if !found {
			return false
		}
	}
	return true
}

func short(v value.Value) string {
	s := value.Repr(v)
	if len(s) > 300 {
		return value.PySlice(s, 0, 300) + "..."
	}
	return s
}
