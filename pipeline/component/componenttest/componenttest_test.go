package componenttest_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/component/componenttest"
	"github.com/haywardhq/hayward/pipeline/docstore"
	"github.com/haywardhq/hayward/pipeline/pytype"
	"github.com/haywardhq/hayward/pipeline/value"
)

// recorder stands for a test that is expected to fail.
type recorder struct {
	testing.TB
	failures []string
}

func (r *recorder) Helper()                        {}
func (r *recorder) Errorf(format string, _ ...any) { r.failures = append(r.failures, format) }
func (r *recorder) Fatalf(format string, _ ...any) {
	r.failures = append(r.failures, format)
	panic(r)
}

// failing runs f and returns what it reported.
func failing(t *testing.T, f func(t testing.TB)) string {
	r := &recorder{TB: t}
	func() {
		defer func() {
			if p := recover(); p != nil && p != any(r) {
				panic(p)
			}
		}()
		f(r)
	}()
	return strings.Join(r.failures, "\n")
}

type runner func(in component.In) (component.Out, error)

func (f runner) Run(_ context.Context, _ *component.Env, in component.In) (component.Out, error) {
	return f(in)
}

func child(mutates bool, run runner) *component.Child {
	list := pytype.MustParse("list[int]")
	return &component.Child{Component: run, Type: "test.Child", Spec: &component.Spec{Mutates: mutates,
		Inputs: []component.Input{{Name: "value", Type: list}}, Outputs: []component.Output{{Name: "value", Type: list}}}}
}

func spoil(in component.In) (component.Out, error) {
	in[0].(*value.List).Items[0] = value.Int(9)
	return component.Outputs(in[0]), nil
}

func TestRunCatches(t *testing.T) {
	input := func() *value.Dict { return value.NewDict("value", value.NewList(value.Int(1))) }
	for name, c := range map[string]struct {
		child  *component.Child
		inputs *value.Dict
		want   string
	}{
		"a changed input":   {child(false, spoil), input(), "changed its input"},
		"a declared change": {child(true, spoil), input(), ""},
		"too few outputs":   {child(false, func(component.In) (component.Out, error) { return component.Outputs(), nil }), input(), "declares %d outputs"},
		"an unknown input":  {child(false, spoil), value.NewDict("value", value.NewList(), "x", value.None), "has no input"},
		"a missing input":   {child(false, spoil), value.NewDict(), "mandatory input"},
	} {
		got := failing(t, func(t testing.TB) { _, _ = componenttest.Run(t, c.child, nil, c.inputs) })
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: reported %q, want %q", name, got, c.want)
		}
	}
}

func TestSharedCatchesState(t *testing.T) {
	var state atomic.Int64
	counts := child(false, func(component.In) (component.Out, error) {
		return component.Outputs(value.NewList(value.Int(state.Add(1)))), nil
	})
	inputs := func(i int) *value.Dict { return value.NewDict("value", value.NewList(value.Int(i))) }
	if failing(t, func(t testing.TB) { componenttest.Shared(t, counts, 8, inputs) }) == "" {
		t.Error("a component with state passes")
	}
	echo := child(false, func(in component.In) (component.Out, error) { return component.Outputs(in[0]), nil })
	componenttest.Shared(t, echo, 8, inputs)
}

func TestScripted(t *testing.T) {
	sp := &component.Spec{Outputs: []component.Output{{Name: "a", Type: pytype.MustParse("int")}, {Name: "b", Type: pytype.MustParse("int")}}}
	s := &componenttest.Scripted{Spec: sp, Answer: componenttest.ByVisit(value.NewDict("b", value.Int(1), "c", value.Int(2)))}
	out, err := s.Run(context.Background(), component.NewEnv(component.Place{Visit: 1}, nil, component.Doors{}), nil)
	if err != nil || out.Values[0] != nil || out.Values[1] != value.Int(1) || value.Repr(out.Extra) != "{'c': 2}" {
		t.Errorf("%+v %v", out, err)
	}
	if _, err := s.Run(context.Background(), component.NewEnv(component.Place{Visit: 2}, nil, component.Doors{}), nil); err == nil {
		t.Error("a visit beyond the script is answered")
	}
}

func TestEnvSaysWhatIsMissing(t *testing.T) {
	env := component.NewEnv(component.Place{Component: "x"}, nil, component.Doors{})
	_, secret := env.Secret(t.Context(), component.SecretRequest{})
	_, store := env.OpenStore(t.Context(), docstore.Ref{})
	_, file := env.OpenFile(t.Context(), "f")
	_, network := env.Do(nil)
	for _, err := range []error{secret, store, file, network} {
		if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "component 'x' needs") {
			t.Errorf("%v", err)
		}
	}
}
