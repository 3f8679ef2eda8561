package componenttest

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/docstore"
	"github.com/haywardhq/hayward/pipeline/value"
	"github.com/haywardhq/hayward/sealed"
)

// New makes a component of a registered type, and fails the test if it cannot.
func New(t testing.TB, reg *component.Registry, typ string, params *value.Dict) *component.Child {
	t.Helper()
	if params == nil {
		params = &value.Dict{}
	}
	c, err := reg.Build("tested", typ, params, fault.Where{})
	if err != nil {
		t.Fatalf("making a %s: %v", typ, err)
	}
	return c
}

// Run runs a component once with the named inputs, as the engine would: defaults are filled in, a variadic input is given
// as the list of what was sent. It fails the test for an unknown or missing input, for inputs that the component changed
// without saying so (Spec.Mutates), and for an answer that does not fit its Spec. A nil env is [NewEnv]'s.
func Run(t testing.TB, c *component.Child, env *component.Env, inputs *value.Dict) (map[string]value.Value, error) {
	t.Helper()
	if env == nil {
		env = NewEnv(t)
	}
	in := slots(t, c, inputs)
	before := make([]string, len(in))
	for i, v := range in {
		before[i] = value.Repr(v)
	}
	given := in
	if c.Spec.Mutates {
		given = make(component.In, len(in))
		for i, v := range in {
			given[i] = value.DeepCopy(v)
		}
	}
	out, err := c.Component.Run(context.Background(), env, given)
	for i, v := range in {
		if now := value.Repr(v); now != before[i] {
			t.Errorf("%s changed its input '%s' without declaring Spec.Mutates:\nbefore %s\nafter  %s", c.Type, c.Spec.Inputs[i].Name, before[i], now)
		}
	}
	if err != nil {
		return nil, err
	}
	return named(t, c, out), nil
}

func slots(t testing.TB, c *component.Child, inputs *value.Dict) component.In {
	t.Helper()
	in := make(component.In, len(c.Spec.Inputs))
	known := map[string]bool{}
	for i, s := range c.Spec.Inputs {
		known[s.Name] = true
		v, ok := inputs.Get(s.Name)
		switch {
		case ok:
			in[i] = v
		case s.Default == nil:
			t.Fatalf("%s: mandatory input '%s' is missing", c.Type, s.Name)
		case s.Variadic != component.Single:
			in[i] = value.NewList(s.Default)
		default:
			in[i] = s.Default
		}
	}
	for name := range inputs.Strings() {
		if !known[name] {
			t.Fatalf("%s has no input '%s'", c.Type, name)
		}
	}
	return in
}

func named(t testing.TB, c *component.Child, out component.Out) map[string]value.Value {
	t.Helper()
	if len(out.Values) != len(c.Spec.Outputs) {
		t.Fatalf("%s declares %d outputs and returned %d", c.Type, len(c.Spec.Outputs), len(out.Values))
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
	return got
}

// Shared runs a component from n goroutines at once, each with its own inputs, and fails the test if any answer differs
// from the one the same inputs get alone. Run it under -race.
func Shared(t testing.TB, c *component.Child, n int, inputs func(i int) *value.Dict) {
	t.Helper()
	want := make([]string, n)
	for i := range n {
		want[i] = answer(c, slots(t, c, inputs(i)))
	}
	var wg sync.WaitGroup
	got := make([]string, n)
	for i := range n {
		in := slots(t, c, inputs(i))
		wg.Go(func() { got[i] = answer(c, in) })
	}
	wg.Wait()
	for i := range n {
		if got[i] != want[i] {
			t.Errorf("%s, caller %d: shared with others it answers %s, alone %s", c.Type, i, got[i], want[i])
		}
	}
}

func answer(c *component.Child, in component.In) string {
	out, err := c.Component.Run(context.Background(), &component.Env{}, in)
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	for _, v := range out.Values {
		if v != nil {
			b.WriteString(value.Repr(v))
		}
		b.WriteByte(';')
	}
	return b.String()
}

// NewEnv returns an environment for tests: no secrets, no network, no stores, no files; a clock that stands still at
// 2026-01-02 03:04:05 UTC.
func NewEnv(t testing.TB) *component.Env {
	t.Helper()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return component.NewEnv(component.Place{Component: "tested", Visit: 1}, Secrets{},
		component.Doors{RequestID: "test", Now: func() time.Time { return at }})
}

// World is what [With] may change.
type World struct {
	Secrets component.SecretResolver
	component.Doors
}

// With returns an environment like env, but for what change changes.
func With(env *component.Env, change func(*World)) *component.Env {
	w := World{env.Secrets(), env.Doors()}
	change(&w)
	return component.NewEnv(env.Place(), w.Secrets, w.Doors)
}

// Secrets is a resolver that holds values by name and gives them for whatever destination is asked.
type Secrets map[string]string

// ResolveSecret implements [component.SecretResolver].
func (s Secrets) ResolveSecret(_ context.Context, req component.SecretRequest) (sealed.Value, error) {
	for _, name := range req.Secret.EnvVars {
		if text, ok := s[name]; ok {
			return sealed.NewString(text).For(req.For), nil
		}
	}
	if !req.Secret.Strict {
		return sealed.Value{}, nil
	}
	names := make(value.Tuple, len(req.Secret.EnvVars))
	for i, n := range req.Secret.EnvVars {
		names[i] = value.Str(n)
	}
	return sealed.Value{}, fault.New(fault.Invalid, "None of the following authentication environment variables are set: %s", value.Repr(names)).
		WithCode("ValueError")
}

// Stores is a provider that gives the same store for every reference.
type Stores struct{ Store docstore.Store }

// Open implements [docstore.Provider].
func (s Stores) Open(context.Context, docstore.Ref) (docstore.Store, error) { return s.Store, nil }
