package pipeline_test

import (
	"context"
	"fmt"
	"runtime"
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

// mailbox is a pipeline of one component that resolves its secret and answers with the question and what the secret is. seen,
// if not nil, gets each answer.
func mailbox(t testing.TB, seen func(value.Value)) *pipeline.Plan {
	t.Helper()
	type input struct{ Question string }
	type output struct{ Reply string }
	typ := component.Define(component.Definition[input, output]{Name: "test.Mailbox",
		Params: []component.Param{component.Optional("api_key", component.EnvSecret(true, "MAIL_KEY"))},
		New: func(b *component.Builder) (func(context.Context, *component.Env, input) (output, error), error) {
			key, home := b.Secret("api_key"), sealed.MustDestination("https://mail.example")
			return func(ctx context.Context, env *component.Env, in input) (output, error) {
				v, err := env.Secrets().ResolveSecret(ctx, component.SecretRequest{Secret: key, Component: env.Component(), Type: env.Type(),
					Param: "api_key", For: home, Documented: []sealed.Destination{home}})
				if err != nil {
					return output{}, err
				}
				text, err := reveal.For(v, home)
				reply := in.Question + " " + string(text)
				if seen != nil {
					seen(value.Str(reply))
				}
				return output{Reply: reply}, err
			}, nil
		}})
	plan, err := pipeline.Load([]byte("components: {mail: {type: test.Mailbox, init_parameters: {}}}\n"), "mail.yml",
		component.NewRegistry([]*component.Type{typ}, nil), pipeline.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// serve runs the pipeline for a thousand tenants, several at once, each with a key of its own in each of the three ways and
// about a kilobyte of question, and checks that each sees its own.
func serve(t testing.TB, plan *pipeline.Plan) {
	t.Helper()
	const tenants = 1000
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i := worker; i < tenants; i += 4 {
				key := map[string]sealed.Value{"MAIL_KEY": sealed.NewString(fmt.Sprintf("%s-%d", strings.Repeat("k", 500), i))}
				question := fmt.Sprintf("%s-%d", strings.Repeat("q", 500), i)
				inputs := value.NewDict("question", value.Str(question))
				want := fmt.Sprintf("{'mail': {'reply': '%s %s-%d'}}", question, strings.Repeat("k", 500), i)
				for way, run := range map[string]func() (*pipeline.Result, error){
					"ambient": func() (*pipeline.Result, error) {
						return plan.Run(pipeline.WithSecrets(context.Background(), key), inputs)
					},
					"run": func() (*pipeline.Result, error) {
						return plan.Run(context.Background(), inputs, pipeline.WithRunContext(pipeline.RunContext{Secrets: key, Ledger: true}))
					},
					"init": func() (*pipeline.Result, error) {
						return plan.With(pipeline.Init{Secrets: key}).Run(context.Background(), inputs, pipeline.WithConcurrency(2))
					},
				} {
					res, err := run()
					if err != nil || value.Repr(res.Outputs) != want {
						t.Errorf("tenant %d, %s context: %v", i, way, err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
}

// live is what the heap holds once what nobody refers to is gone; pools are emptied by the second collection.
func live() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// grown is by how much a thousand tenants make the heap grow, after as many have been there before.
func grown(t testing.TB, plan *pipeline.Plan) int64 {
	t.Helper()
	serve(t, plan)
	before := live()
	serve(t, plan)
	return live() - before
}

// A pipeline is compiled once and serves a thousand tenants without growing: it keeps nothing of any of them. Had it kept
// one kilobyte of each, the heap would hold a megabyte more, as the component that keeps its answers shows.
func TestAThousandTenantsLeaveNothing(t *testing.T) {
	const most = 256 << 10
	plan := mailbox(t, nil)
	if n := grown(t, plan); n > most {
		t.Errorf("the heap grew by %d bytes", n)
	} else {
		t.Logf("the heap grew by %d bytes in 3,000 runs for 1,000 tenants", n)
	}
	if _, err := plan.Run(context.Background(), value.NewDict("question", value.Str("?"))); !fault.Is(err, fault.Invalid) &&
		!strings.Contains(fmt.Sprint(err), "None of the following authentication environment variables are set") {
		t.Errorf("a run without a key after them: %v", err)
	}
	var mu sync.Mutex
	var kept []value.Value
	hoarder := mailbox(t, func(v value.Value) { mu.Lock(); defer mu.Unlock(); kept = append(kept, v) })
	if n := grown(t, hoarder); n <= most {
		t.Errorf("%d answers are kept, and the heap grew by %d bytes only", len(kept), n)
	}
	runtime.KeepAlive(plan)
	runtime.KeepAlive(kept)
}
