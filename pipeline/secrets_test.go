package pipeline_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/value"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
)

var (
	openai = sealed.MustDestination("https://api.openai.com")
	evil   = sealed.MustDestination("https://evil.example")
)

// asker is a component that asks for a secret for a destination, and answers with what it could send there.
func asker(secret component.Secret, dest sealed.Destination) *pipeline.Plan {
	type in struct{}
	type out struct{ Sent string }
	typ := component.Define(component.Definition[in, out]{Name: "test.generators.Asker",
		New: func(*component.Builder) (func(context.Context, *component.Env, in) (out, error), error) {
			return func(ctx context.Context, env *component.Env, _ in) (out, error) {
				v, err := env.Secrets().ResolveSecret(ctx, component.SecretRequest{Secret: secret, Component: env.Component(), Type: env.Type(),
					Param: "api_key", For: dest, Documented: []sealed.Destination{openai}})
				if err != nil || v.IsZero() {
					return out{Sent: "nothing"}, err
				}
				text, err := reveal.For(v, dest)
				return out{Sent: string(text)}, err
			}, nil
		}})
	plan, err := pipeline.Load([]byte("components: {llm: {type: test.generators.Asker}}"), "p.yml",
		component.NewRegistry([]*component.Type{typ}, nil), pipeline.LoadOptions{})
	if err != nil {
		panic(err)
	}
	return plan
}

func values(pairs ...string) map[string]sealed.Value {
	m := map[string]sealed.Value{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = sealed.NewString(pairs[i+1])
	}
	return m
}

// backend is a host's resolver for tests.
type backend struct {
	values map[string]sealed.Value
	err    error
}

func (b backend) Resolve(_ context.Context, name string, _ component.SecretRequest) (pipeline.Found, error) {
	return pipeline.Found{Value: b.values[name], Layer: "vault", Tried: []string{"vault", "shared"}, MayChange: "an editor of the tenant"}, b.err
}

func TestSecretOrder(t *testing.T) {
	a := component.Secret{EnvVars: []string{"A", "B"}, Strict: true}
	for _, c := range []struct {
		name                     string
		run, init, ambient, back map[string]sealed.Value
		want, layer, used        string
	}{
		{"run context first", values("A", "1"), values("A", "2"), values("A", "3"), values("A", "4"), "1", "run context", "A"},
		{"then init context", nil, values("A", "2"), values("A", "3"), values("A", "4"), "2", "init context", "A"},
		{"then ambient", nil, nil, values("A", "3"), values("A", "4"), "3", "ambient context", "A"},
		{"then the back end", nil, nil, nil, values("A", "4"), "4", "vault", "A"},
		{"A through all layers before B", values("B", "b"), nil, nil, values("A", "4"), "4", "vault", "A"},
		{"B when A is nowhere", nil, values("B", "b"), nil, nil, "b", "init context", "B"},
		{"an empty value is a value", values("A", ""), nil, nil, values("A", "4"), "", "run context", "A"},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan := asker(a, openai).With(pipeline.Init{Secrets: c.init})
			ctx := pipeline.WithSecrets(context.Background(), c.ambient)
			res, err := plan.Run(ctx, nil, pipeline.WithRunContext(pipeline.RunContext{Secrets: c.run}), pipeline.WithResolver(backend{values: c.back}))
			if err != nil {
				t.Fatal(err)
			}
			if got := value.Repr(res.Outputs); got != "{'llm': {'sent': '"+c.want+"'}}" {
				t.Errorf("got %s, want %s", got, c.want)
			}
			want := []pipeline.SecretUse{{Name: c.used, Layer: c.layer, Destination: openai, Component: "llm", Type: "test.generators.Asker", Param: "api_key"}}
			if !slices.Equal(res.Secrets, want) {
				t.Errorf("audit %+v\nwant %+v", res.Secrets, want)
			}
		})
	}
}

func TestSecretMissing(t *testing.T) {
	plan := asker(component.Secret{EnvVars: []string{"A", "B"}, Strict: true}, openai)
	_, err := plan.Run(context.Background(), nil, pipeline.WithResolver(backend{}))
	f := fault.From(err)
	want := "The following component failed to run:\nComponent name: 'llm'\nComponent type: 'Asker'\n" +
		"Error: None of the following authentication environment variables are set: ('A', 'B')"
	if f.Kind != fault.Invalid || f.Message != want || f.Where.Field != "api_key" {
		t.Errorf("error %+v", f)
	}
	if f.Hint != "looked for A, B in: run context, init context, ambient context, vault, shared" {
		t.Errorf("hint %q", f.Hint)
	}
	res, err := asker(component.Secret{EnvVars: []string{"A"}}, openai).Run(context.Background(), nil)
	if err != nil || value.Repr(res.Outputs) != "{'llm': {'sent': 'nothing'}}" || len(res.Secrets) != 0 {
		t.Errorf("a lenient secret that is nowhere: %v, %v", res, err)
	}
	res, err = plan.Run(context.Background(), nil, pipeline.WithResolver(backend{err: fault.New(fault.Unavailable, "the vault is sealed")}))
	if !fault.Is(err, fault.Unavailable) || res == nil {
		t.Errorf("a broken back end: %v", err)
	}
}

// A value goes where its owner said; without a word from him, only to where the component's type is known to talk to.
func TestSecretDestination(t *testing.T) {
	s := component.Secret{EnvVars: []string{"KEY"}, Strict: true}
	undecided := values("KEY", "sk-secret-canary")
	forEvil := map[string]sealed.Value{"KEY": sealed.NewString("sk-secret-canary").For(evil)}
	forNobody := map[string]sealed.Value{"KEY": sealed.NewString("sk-secret-canary").For()}
	for _, c := range []struct {
		name   string
		dest   sealed.Destination
		values map[string]sealed.Value
		hosts  []string // named by the error; none when it works
	}{
		{"undecided, documented host", openai, undecided, nil},
		{"undecided, other host", evil, undecided, []string{"https://evil.example", "https://api.openai.com"}},
		{"decided, that host", evil, forEvil, nil},
		{"decided, documented host is another", openai, forEvil, []string{"https://api.openai.com", "https://evil.example"}},
		{"decided on no host", openai, forNobody, []string{"https://api.openai.com", "no host at all"}},
		{"no destination given", sealed.Destination{}, undecided, []string{"without saying where"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for layer, opt := range map[string]pipeline.Option{
				"run context": pipeline.WithRunContext(pipeline.RunContext{Secrets: c.values}), "vault": pipeline.WithResolver(backend{values: c.values})} {
				res, err := asker(s, c.dest).Run(context.Background(), nil, opt)
				if c.hosts == nil {
					if err != nil || value.Repr(res.Outputs) != "{'llm': {'sent': 'sk-secret-canary'}}" {
						t.Errorf("%s: %v", layer, err)
					}
					continue
				}
				f := fault.From(err)
				if f == nil || f.Kind != fault.Denied {
					t.Fatalf("%s: %v", layer, err)
				}
				for _, h := range c.hosts {
					if !strings.Contains(f.Message, h) {
						t.Errorf("%s: %q does not name %s", layer, f.Message, h)
					}
				}
				if strings.Contains(fmt.Sprintf("%+v %v", f, err), "canary") {
					t.Errorf("%s: the error holds the value", layer)
				}
				if len(res.Secrets) > 0 && !res.Secrets[0].Denied {
					t.Errorf("%s: audit %+v does not say that it was denied", layer, res.Secrets)
				}
			}
		})
	}
}

func TestEnvironment(t *testing.T) {
	vars := map[string]string{"OPENAI_API_KEY": "sk", "AWS_SECRET_ACCESS_KEY": "aws", "https_proxy": "p", "EMPTY": ""}
	lookup := func(n string) (string, bool) { v, ok := vars[n]; return v, ok }
	allow := map[string][]sealed.Destination{"OPENAI_API_KEY": {openai}, "AWS_SECRET_ACCESS_KEY": {openai}, "https_proxy": {openai}, "EMPTY": {openai}}
	var told []string
	laptop := pipeline.Trust{Laptop: true, Report: func(n string, d sealed.Destination) { told = append(told, n+" -> "+d.String()) }}
	for _, c := range []struct {
		name  string
		env   string
		dest  sealed.Destination
		trust pipeline.Trust
		want  string // "" for a miss
		kind  fault.Kind
	}{
		{"no name is given by default", "OPENAI_API_KEY", openai, pipeline.Trust{}, "", fault.Invalid},
		{"an allowed name", "OPENAI_API_KEY", openai, pipeline.Trust{Allow: allow}, "sk", 0},
		{"an allowed name elsewhere", "OPENAI_API_KEY", evil, pipeline.Trust{Allow: allow}, "", fault.Denied},
		{"the server's own names never", "AWS_SECRET_ACCESS_KEY", openai, pipeline.Trust{Allow: allow}, "", fault.Denied},
		{"in no spelling", "https_proxy", openai, pipeline.Trust{Allow: allow}, "", fault.Denied},
		{"empty is set", "EMPTY", openai, pipeline.Trust{Allow: allow}, "", 0},
		{"a laptop trusts its file", "OPENAI_API_KEY", evil, laptop, "sk", 0},
		{"with every name", "AWS_SECRET_ACCESS_KEY", openai, laptop, "aws", 0},
		{"that is set", "NOT_SET", openai, laptop, "", fault.Invalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			res, err := asker(component.Secret{EnvVars: []string{c.env}, Strict: true}, c.dest).
				Run(context.Background(), nil, pipeline.WithResolver(pipeline.Environment(lookup, c.trust)))
			if c.kind != 0 {
				if !fault.Is(err, c.kind) {
					t.Errorf("error %v, want kind %s", err, c.kind)
				}
				return
			}
			if err != nil || value.Repr(res.Outputs) != "{'llm': {'sent': '"+c.want+"'}}" {
				t.Errorf("got %v, %v", res, err)
			}
			if len(res.Secrets) != 1 || res.Secrets[0].Layer != "environment" {
				t.Errorf("audit %+v", res.Secrets)
			}
		})
	}
	if want := []string{"OPENAI_API_KEY -> https://evil.example", "AWS_SECRET_ACCESS_KEY -> https://api.openai.com"}; !slices.Equal(told, want) {
		t.Errorf("reported %v, want %v", told, want)
	}
}

func TestReservedNames(t *testing.T) {
	for name, want := range map[string]bool{"HAYWARD_ROOT_KEY": true, "PGPASSWORD": true, "AWS_REGION": true, "GOOGLE_APPLICATION_CREDENTIALS": true,
		"HTTP_PROXY": true, "no_proxy": true, "OPENAI_API_KEY": false, "XPG": false, "PROXY": false, "MY_AWS_KEY": false} {
		if pipeline.ReservedName(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}

// Ambient, init and run contexts of many tenants on one plan never mix.
func TestTenantsAtOnce(t *testing.T) {
	plan := asker(component.Secret{EnvVars: []string{"KEY"}, Strict: true}, openai)
	var wg sync.WaitGroup
	for i := range 1000 {
		wg.Go(func() {
			own := fmt.Sprintf("key-of-%d", i)
			ctx, handle, opt := context.Background(), plan, pipeline.WithRequestID(own)
			switch i % 3 {
			case 0:
				ctx = pipeline.WithSecrets(pipeline.WithSecrets(ctx, values("KEY", "outer")), values("KEY", own))
			case 1:
				handle = plan.With(pipeline.Init{Secrets: values("KEY", own)})
			case 2:
				opt = pipeline.WithRunContext(pipeline.RunContext{Secrets: values("KEY", own)})
			}
			for range 5 {
				res, err := handle.Run(ctx, nil, opt)
				if err != nil || value.Repr(res.Outputs) != "{'llm': {'sent': '"+own+"'}}" {
					t.Errorf("tenant %d: %v %v", i, res, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// Who changes his map afterwards changes nothing, and a handle's context is not the plan's.
func TestSecretsAreCopied(t *testing.T) {
	plan := asker(component.Secret{EnvVars: []string{"KEY"}}, openai)
	m := values("KEY", "before")
	ctx, handle := pipeline.WithSecrets(context.Background(), m), plan.With(pipeline.Init{Secrets: m})
	m["KEY"] = sealed.NewString("after")
	for name, run := range map[string]func() (*pipeline.Result, error){
		"ambient": func() (*pipeline.Result, error) { return plan.Run(ctx, nil) },
		"init":    func() (*pipeline.Result, error) { return handle.Run(context.Background(), nil) },
	} {
		if res, err := run(); err != nil || value.Repr(res.Outputs) != "{'llm': {'sent': 'before'}}" {
			t.Errorf("%s: %v %v", name, res, err)
		}
	}
	if res, _ := plan.Run(context.Background(), nil); value.Repr(res.Outputs) != "{'llm': {'sent': 'nothing'}}" {
		t.Errorf("the plan itself has a secret: %v", res.Outputs)
	}
}
