package component_test

import (
	"context"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/component/componenttest"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/value"
)

type everything struct {
	Text      string
	TopK      int                  `default:"10"`
	Score     float64              `default:"0.5"`
	Strict    bool                 `default:"true"`
	Query     *string              `socket:"query"`
	Documents []*document.Document `default:"None"`
	Replies   [][]*chat.Message    `socket:"replies,lazy"`
	First     int                  `socket:"first,greedy"`
	Meta      *value.Dict          `default:"None"`
	Any       value.Value          `socket:"any" default:"None"`
}

type answers struct {
	Text  *string
	Count int
	Any   value.Value `socket:"any"`
	List  []string
}

func define(fn func(everything) answers) *component.Registry {
	return component.NewRegistry([]*component.Type{component.Define(component.Definition[everything, answers]{Name: "test.All",
		New: func(*component.Builder) (func(context.Context, *component.Env, everything) (answers, error), error) {
			return func(_ context.Context, _ *component.Env, in everything) (answers, error) { return fn(in), nil }, nil
		}})}, nil)
}

func TestDefineSockets(t *testing.T) {
	c := componenttest.New(t, define(func(everything) answers { return answers{} }), "test.All", nil)
	var got []string
	for _, in := range c.Spec.Inputs {
		def := "mandatory"
		if in.Default != nil {
			def = value.Repr(in.Default)
		}
		got = append(got, in.Name+": "+in.Type.Display()+" "+[]string{"", "lazy ", "greedy "}[in.Variadic]+def)
	}
	want := `text: str mandatory
top_k: int 10
score: float 0.5
strict: bool True
query: str | None None
documents: list[Document] | None None
replies: list[ChatMessage] lazy mandatory
first: int greedy mandatory
meta: dict | None None
any: Any None`
	if g := strings.Join(got, "\n"); g != want {
		t.Errorf("inputs\n%s\nwant\n%s", g, want)
	}
	got = nil
	for _, out := range c.Spec.Outputs {
		got = append(got, out.Name+": "+out.Type.Display())
	}
	if g, want := strings.Join(got, "\n"), "text: str\ncount: int\nany: Any\nlist: list[str]"; g != want {
		t.Errorf("outputs\n%s\nwant\n%s", g, want)
	}
}

func TestDefineRuns(t *testing.T) {
	var got everything
	c := componenttest.New(t, define(func(in everything) answers {
		got = in
		return answers{Count: in.TopK}
	}), "test.All", nil)
	hello := chat.FromUser("hello")
	out, err := componenttest.Run(t, c, nil, value.NewDict("text", value.Str("x"), "score", value.Int(2), "query", value.Str("q"),
		"replies", value.NewList(value.NewList(hello), value.NewList()), "first", value.NewList(value.Int(7))))
	if err != nil {
		t.Fatal(err)
	}
	if got.Text != "x" || got.TopK != 10 || got.Score != 2 || !got.Strict || got.Query == nil || *got.Query != "q" || got.Documents != nil ||
		len(got.Replies) != 2 || got.Replies[0][0] != hello || got.First != 7 || got.Meta != nil || got.Any != value.None {
		t.Errorf("the function got %+v", got)
	}
	if len(out) != 2 || out["count"] != value.Int(10) || value.Repr(out["list"]) != "[]" {
		t.Errorf("outputs %v: a nil pointer and a nil Any are not produced, a nil slice is empty", out)
	}
}

func TestDefineRefusesOtherTypes(t *testing.T) {
	c := componenttest.New(t, define(func(everything) answers { return answers{} }), "test.All", nil)
	good := func() *value.Dict {
		return value.NewDict("text", value.Str("x"), "replies", value.NewList(), "first", value.NewList(value.Int(1)))
	}
	for name, v := range map[string]value.Value{"text": value.Int(1), "top_k": value.Str("1"), "top_k ": value.None, "strict": value.Int(1),
		"documents": value.NewList(value.Str("no")), "replies": value.NewList(chat.FromUser("not in a list")), "meta": value.NewList()} {
		in := good()
		in.Set(strings.TrimSpace(name), v)
		_, err := componenttest.Run(t, c, nil, in)
		if f := fault.From(err); f == nil || f.Code != "TypeError" || !strings.Contains(f.Message, "input '"+strings.TrimSpace(name)+"' must be ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDefinePanicsOnWrongStructs(t *testing.T) {
	panics := func(name string, f func()) {
		defer func() {
			if recover() == nil {
				t.Errorf("%s: no panic", name)
			}
		}()
		f()
	}
	panics("unknown type", func() { component.Define(component.Definition[struct{ C chan int }, struct{}]{Name: "x"}) })
	panics("unexported", func() { component.Define(component.Definition[struct{ c int }, struct{}]{Name: "x"}) })
	panics("lazy scalar", func() {
		component.Define(component.Definition[struct {
			N int `socket:"n,lazy"`
		}, struct{}]{Name: "x"})
	})
	panics("bad default", func() {
		component.Define(component.Definition[struct {
			N int `default:"many"`
		}, struct{}]{Name: "x"})
	})
	panics("variadic output", func() {
		component.Define(component.Definition[struct{}, struct {
			N []int `socket:"n,lazy"`
		}]{Name: "x"})
	})
}

// A run of a typed component uses no reflection: its cost is the slots, the two structs, and what they hold.
func BenchmarkTyped(b *testing.B) {
	type in struct{ Text string }
	type out struct{ Text string }
	reg := component.NewRegistry([]*component.Type{component.Define(component.Definition[in, out]{Name: "test.Echo",
		New: func(*component.Builder) (func(context.Context, *component.Env, in) (out, error), error) {
			return func(_ context.Context, _ *component.Env, x in) (out, error) { return out(x), nil }, nil
		}})}, nil)
	c := componenttest.New(b, reg, "test.Echo", nil)
	slots := component.In{value.Str("text")}
	env := componenttest.NewEnv(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Component.Run(context.Background(), env, slots); err != nil {
			b.Fatal(err)
		}
	}
}
