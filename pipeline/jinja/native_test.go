package jinja_test

import (
	"context"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/jinja"
	"github.com/haywardhq/hayward/pipeline/value"
)

// What a native render returns goes to components, which know Python's values alone.
func TestNativeReturnsPythonsValues(t *testing.T) {
	for _, c := range []struct{ tpl, want string }{
		{"{{ [s|e, {'k': s|e}, ('a', s|e), [[s|e]]] }}", `["&lt;",{"k":"&lt;"},["a","&lt;"],[["&lt;"]]]`},
		{"{{ {s|e: 1, 'b': s} }}", `{"&lt;":1,"b":"<"}`},
		{"{{ [nope, {'k': nope}] }}", `[null,{"k":null}]`},
		{"{{ [{'n': 1}]|groupby('n') }}", `[[1,[{"n":1}]]]`},
		{"{{ ([{'n': 1}]|groupby('n'))[0] }}", `[1,[{"n":1}]]`},
		{"{{ {s|e: 1}.keys() - [] }}", `["&lt;"]`},
		{"{{ nope }}", `null`},
	} {
		tpl, err := jinja.New(jinja.Options{}).Compile(c.tpl, "")
		if err != nil {
			t.Fatal(err)
		}
		got, err := tpl.RenderNative(context.Background(), value.NewDict("s", value.Str("<")))
		if err != nil {
			t.Fatalf("%s: %v", c.tpl, err)
		}
		if text := string(value.AppendJSON(nil, got)); text != c.want {
			t.Errorf("%s: got %s, want %s", c.tpl, text, c.want)
		}
	}
}

// What a native render passes through is the same value, not a copy.
func TestNativePassesThrough(t *testing.T) {
	given := value.NewList(value.Int(1), value.NewDict("k", value.NewList(value.Str("v"))))
	tpl, err := jinja.New(jinja.Options{}).Compile("{{ given }}", "")
	if err != nil {
		t.Fatal(err)
	}
	got, err := tpl.RenderNative(context.Background(), value.NewDict("given", given))
	if err != nil || got != value.Value(given) {
		t.Fatalf("got %v, %v", value.Repr(got), err)
	}
}

// A list inside itself comes out, or is refused for its work; it never hangs.
func TestNativeOfWhatHoldsItself(t *testing.T) {
	env := jinja.New(jinja.Options{Limits: jinja.Limits{Steps: 100_000}})
	for _, src := range []string{"{% set l = [1] %}{% if l.append(l) %}{% endif %}{{ l }}",
		"{% set l = [1] %}{% if l.append(l) %}{% endif %}{% if l.append(l) %}{% endif %}{{ l }}"} {
		tpl, err := env.Compile(src, "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tpl.RenderNative(context.Background(), value.NewDict()); err != nil && !fault.Is(err, fault.TooLarge) {
			t.Errorf("%s: %v", src, err)
		}
	}
}
