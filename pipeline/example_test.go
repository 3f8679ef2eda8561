package pipeline_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/value"
	"github.com/haywardhq/hayward/sealed"
)

// askModel stands for a generator: it names a secret as every Haystack component does, resolves it inside Run, and sends
// it with one request. Its model answers with the key it saw.
func askModel(origin string) *component.Type {
	type input struct{ Question string }
	type output struct{ Reply string }
	return component.Define(component.Definition[input, output]{Name: "example.AskModel",
		Params: []component.Param{component.Optional("api_key", component.EnvSecret(true, "OPENAI_API_KEY"))},
		New: func(b *component.Builder) (func(context.Context, *component.Env, input) (output, error), error) {
			key := b.Secret("api_key")
			home := sealed.MustDestination(origin)
			return func(ctx context.Context, env *component.Env, in input) (output, error) {
				v, err := env.Secrets().ResolveSecret(ctx, component.SecretRequest{Secret: key, Component: env.Component(), Type: env.Type(),
					Param: "api_key", For: home, Documented: []sealed.Destination{home}})
				if err != nil {
					return output{}, err
				}
				req, err := http.NewRequestWithContext(ctx, http.MethodPost, origin, strings.NewReader(in.Question))
				if err != nil {
					return output{}, err
				}
				resp, err := env.HTTP().Do(req, egress.Bearer(v))
				if err != nil {
					return output{}, err
				}
				defer resp.Body.Close()
				body, err := io.ReadAll(resp.Body)
				return output{Reply: string(body)}, err
			}, nil
		}})
}

// compileOnce gives one compiled pipeline, a client that reaches its model, and a stop function.
func compileOnce() (*pipeline.Plan, pipeline.Option, func()) {
	model := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "I saw ", strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	}))
	policy, err := egress.NewPolicy(strings.TrimPrefix(model.URL, "http://"))
	if err != nil {
		panic(err)
	}
	registry := component.NewRegistry([]*component.Type{askModel(model.URL)}, nil)
	plan, err := pipeline.Load([]byte(`
components:
  llm:
    type: example.AskModel
    init_parameters:
      api_key: {type: env_var, env_vars: [OPENAI_API_KEY], strict: true}
`), "ask.yml", registry, pipeline.LoadOptions{})
	if err != nil {
		panic(err)
	}
	return plan, pipeline.WithHTTP(egress.New(policy, egress.Options{})), model.Close
}

func key(text string) map[string]sealed.Value {
	return map[string]sealed.Value{"OPENAI_API_KEY": sealed.NewString(text)}
}

func ask(ctx context.Context, plan *pipeline.Plan, opts ...pipeline.Option) string {
	res, err := plan.Run(ctx, value.NewDict("question", value.Str("who am I?")), opts...)
	if err != nil {
		return err.Error()
	}
	llm, _ := res.Outputs.Get("llm")
	reply, _ := llm.(*value.Dict).Get("reply")
	return value.ToStr(reply) + ", from the " + res.Secrets[0].Layer
}

// tenants runs a function for two tenants at once and prints what each got, in order.
func tenants(run func(name string) string) {
	names := []string{"acme", "globex"}
	got := make([]string, len(names))
	var wg sync.WaitGroup
	for i, name := range names {
		wg.Go(func() { got[i] = run(name) })
	}
	wg.Wait()
	for i, name := range names {
		fmt.Printf("%s: %s\n", name, got[i])
	}
}

// The ambient context: a value that is set around a run, and reset by going back to the context outside. Setting one hides
// the one around it as a whole.
func ExampleWithSecrets() {
	plan, network, stop := compileOnce()
	defer stop()
	tenants(func(name string) string {
		ctx := pipeline.WithSecrets(context.Background(), key("sk-"+name))
		return ask(ctx, plan, network)
	})

	outer := pipeline.WithSecrets(context.Background(), key("sk-outer"))
	inner := pipeline.WithSecrets(outer, key("sk-inner"))
	fmt.Println(ask(inner, plan, network))
	fmt.Println(ask(outer, plan, network)) // reset
	_, err := plan.Run(pipeline.WithSecrets(outer, nil), value.NewDict("question", value.Str("?")), network)
	fmt.Println(strings.Contains(err.Error(), "None of the following authentication environment variables are set: ('OPENAI_API_KEY',)"))
	// Output:
	// acme: I saw sk-acme, from the ambient context
	// globex: I saw sk-globex, from the ambient context
	// I saw sk-inner, from the ambient context
	// I saw sk-outer, from the ambient context
	// true
}

// The run context: one argument of Run.
func ExampleWithRunContext() {
	plan, network, stop := compileOnce()
	defer stop()
	tenants(func(name string) string {
		return ask(context.Background(), plan, network, pipeline.WithRunContext(pipeline.RunContext{Secrets: key("sk-" + name)}))
	})
	// Output:
	// acme: I saw sk-acme, from the run context
	// globex: I saw sk-globex, from the run context
}

// The init context: a handle on the one compiled plan.
func ExamplePlan_With() {
	plan, network, stop := compileOnce()
	defer stop()
	handles := map[string]*pipeline.Plan{
		"acme":   plan.With(pipeline.Init{Secrets: key("sk-acme")}),
		"globex": plan.With(pipeline.Init{Secrets: key("sk-globex")}),
	}
	tenants(func(name string) string { return ask(context.Background(), handles[name], network) })
	// Output:
	// acme: I saw sk-acme, from the init context
	// globex: I saw sk-globex, from the init context
}
