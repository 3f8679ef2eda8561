package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/cmd/hayward/internal/app"
	"github.com/haywardhq/hayward/cmd/hayward/internal/apptest"
	"github.com/haywardhq/hayward/devllm"
	"github.com/haywardhq/hayward/host"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components"
	"github.com/haywardhq/hayward/pipeline/value"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/secret"
)

const (
	tenants = 64
	runs    = 200
)

// askYAML asks a model; %s is its address. The question carries the tenant's name, so that the model's side can tell
// whose request it is without looking at the key.
const askYAML = `
components:
  prompt:
    type: haystack.components.builders.prompt_builder.PromptBuilder
    init_parameters:
      template: "Documents:\nThe field of {{ name }} is green.\n\nQuestion: Which field of {{ name }} is green?"
  llm:
    type: haystack.components.generators.chat.openai.OpenAIChatGenerator
    init_parameters:
      api_key: {type: env_var, env_vars: [OPENAI_API_KEY], strict: true}
      api_base_url: %s/v1
connections:
  - {sender: prompt.prompt, receiver: llm.messages}
inputs:
  name: prompt.name
outputs:
  replies: llm.replies
`

// model is a development model on a real socket that writes down which key came with whose question.
type model struct {
	*httptest.Server
	requests, wrong atomic.Int64
}

func key(i int) string { return fmt.Sprintf("sk-tenant-%03d-%s", i, strings.Repeat("k", 20)) }

func newModel(t *testing.T) *model {
	t.Helper()
	keys := make([]sealed.Value, tenants)
	for i := range keys {
		keys[i] = sealed.NewString(key(i))
	}
	llm := devllm.New(devllm.Options{Keys: keys})
	m := &model{}
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		m.requests.Add(1)
		var who int
		at := bytes.Index(b, []byte("tenant number "))
		if _, err := fmt.Sscanf(string(b[max(at, 0):]), "tenant number %d", &who); err != nil || r.Header.Get("Authorization") != "Bearer "+key(who) {
			m.wrong.Add(1)
		}
		r.Body = io.NopCloser(bytes.NewReader(b))
		llm.ServeHTTP(w, r)
	}))
	t.Cleanup(m.Close)
	return m
}

// everybodyAtOnce has every tenant run the same file at the same time and returns how many requests carried a key that
// was not the tenant's own.
func everybodyAtOnce(t *testing.T, registry *component.Registry, runs int) (requests, wrong int64) {
	m := newModel(t)
	s := apptest.Start(t, func(set *app.Settings) {
		set.EgressAllow = []string{strings.TrimPrefix(m.URL, "http://")}
		set.Registry = registry
	})
	dest := sealed.MustDestination(m.URL)
	contexts := make([]context.Context, tenants)
	for i := range contexts {
		user := fmt.Sprintf("user%d", i)
		s.Member(fmt.Sprintf("tenant-%d", i), user, "a long enough password", policy.Admin)
		contexts[i] = s.As(user)
		if _, err := s.Secrets.Set(contexts[i], "OPENAI_API_KEY", []byte(key(i)), "", secret.WithDestinations(dest)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Host.Deploy(contexts[i], host.DeployRequest{Name: "ask", Source: fmt.Sprintf(askYAML, m.URL)}); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	for i, ctx := range contexts {
		wg.Go(func() {
			for range runs {
				name := fmt.Sprintf("tenant number %d", i)
				out, err := s.Host.Run(ctx, host.RunRequest{Pipeline: "ask", Inputs: value.NewDict("name", value.Str(name))})
				if err != nil {
					t.Errorf("tenant %d: %v", i, err)
					return
				}
				if !strings.Contains(string(value.AppendJSON(nil, out.Outputs)), name) {
					t.Errorf("tenant %d got somebody else's answer: %s", i, value.AppendJSON(nil, out.Outputs))
				}
			}
		})
	}
	wg.Wait()
	return m.requests.Load(), m.wrong.Load()
}

func TestEveryRequestCarriesItsOwnTenantsKey(t *testing.T) {
	requests, wrong := everybodyAtOnce(t, nil, runs)
	if requests != tenants*runs || wrong != 0 {
		t.Fatalf("%d requests, want %d; %d with another tenant's key", requests, tenants*runs, wrong)
	}
}

// The test above must be able to fail: here the generator keeps the first key it resolves, as Python's does.
func TestACachedKeyIsNoticed(t *testing.T) {
	all := components.Registry()
	const name = "haystack.components.generators.chat.openai.OpenAIChatGenerator"
	original, _ := all.Lookup(name)
	var once keyOnce
	caching := *original
	caching.New = func(b *component.Builder) (component.Component, *component.Spec, error) {
		c, spec, err := original.New(b)
		return cachingGenerator{c, &once}, spec, err
	}
	m := newModel(t)
	s := apptest.Start(t, func(set *app.Settings) {
		set.EgressAllow = []string{strings.TrimPrefix(m.URL, "http://")}
		set.Registry = all.With(&caching)
	})
	for i := range 2 {
		user := fmt.Sprintf("user%d", i)
		s.Member(fmt.Sprintf("tenant-%d", i), user, "a long enough password", policy.Admin)
		ctx := s.As(user)
		if _, err := s.Secrets.Set(ctx, "OPENAI_API_KEY", []byte(key(i)), "", secret.WithDestinations(sealed.MustDestination(m.URL))); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Host.Deploy(ctx, host.DeployRequest{Name: "ask", Source: fmt.Sprintf(askYAML, m.URL)}); err != nil {
			t.Fatal(err)
		}
		_, _ = s.Host.Run(ctx, host.RunRequest{Pipeline: "ask", Inputs: value.NewDict("name", value.Str(fmt.Sprintf("tenant number %d", i)))})
	}
	if m.wrong.Load() == 0 {
		t.Fatal("a generator with one cached key for all tenants was not noticed")
	}
}

type keyOnce struct {
	mu  sync.Mutex
	val sealed.Value
}

type cachingGenerator struct {
	component.Component
	once *keyOnce
}

func (g cachingGenerator) Run(ctx context.Context, env *component.Env, in component.In) (component.Out, error) {
	cached := component.NewEnv(env.Place(), cachingResolver{env.Secrets(), g.once}, env.Doors())
	return g.Component.Run(ctx, cached, in)
}

type cachingResolver struct {
	component.SecretResolver
	once *keyOnce
}

func (r cachingResolver) ResolveSecret(ctx context.Context, req component.SecretRequest) (sealed.Value, error) {
	r.once.mu.Lock()
	defer r.once.mu.Unlock()
	if r.once.val.IsZero() {
		v, err := r.SecretResolver.ResolveSecret(ctx, req)
		if err != nil {
			return v, err
		}
		r.once.val = v
	}
	return r.once.val, nil
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
