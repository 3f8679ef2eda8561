package generators_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/component/componenttest"
	"github.com/haywardhq/hayward/pipeline/components/generators"
	"github.com/haywardhq/hayward/pipeline/components/generators/chat"
	"github.com/haywardhq/hayward/pipeline/value"
)

// asked is what the provider was sent.
type asked struct {
	path, query string
	head        http.Header
	body        map[string]any
}

func provider(t *testing.T, answer string) (base string, env *component.Env, last *asked) {
	t.Helper()
	last = &asked{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*last = asked{path: r.URL.Path, query: r.URL.RawQuery, head: r.Header.Clone()}
		if err := json.NewDecoder(r.Body).Decode(&last.body); err != nil {
			t.Error(err)
		}
		if strings.HasPrefix(answer, "data:") {
			w.Header().Set("Content-Type", "text/event-stream")
		}
		_, _ = w.Write([]byte(answer))
	}))
	t.Cleanup(srv.Close)
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	policy, err := egress.NewPolicy(u.Host)
	if err != nil {
		t.Fatal(err)
	}
	env = with(componenttest.With(componenttest.NewEnv(t), func(w *componenttest.World) { w.HTTP = egress.New(policy, egress.Options{}) }),
		componenttest.Secrets{"OPENAI_API_KEY": "sk-open", "AZURE_OPENAI_API_KEY": "sk-azure"})
	return srv.URL, env, last
}

// with is env with other secrets.
func with(env *component.Env, secrets componenttest.Secrets) *component.Env {
	return componenttest.With(env, func(w *componenttest.World) { w.Secrets = secrets })
}

const whole = `{"id": "c", "object": "chat.completion", "created": 1, "model": "gpt-x-1", "choices": [
	{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hay"}},
	{"index": 1, "finish_reason": "length", "message": {"role": "assistant", "content": null}}],
	"usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}}`

const streamed = "data: {\"model\":\"gpt-x-1\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"ha\"}}]}\n\n" +
	"data: {\"model\":\"gpt-x-1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"y\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"

func registry() *component.Registry {
	return component.NewRegistry([]*component.Type{generators.OpenAIGeneratorType(), generators.AzureOpenAIGeneratorType(), chat.AzureOpenAIChatGeneratorType()}, nil)
}

func roles(t *testing.T, body map[string]any) (out string) {
	t.Helper()
	list, _ := body["messages"].([]any)
	for _, m := range list {
		d, _ := m.(map[string]any)
		out += d["role"].(string) + ":" + d["content"].(string) + " "
	}
	return out
}

func TestAPromptAndItsReplies(t *testing.T) {
	base, env, last := provider(t, whole)
	g := componenttest.New(t, registry(), generators.OpenAIGeneratorType().Name, value.NewDict("api_base_url", value.Str(base+"/v1"),
		"system_prompt", value.Str("be brief"), "generation_kwargs", value.NewDict("temperature", value.Float(0.5))))
	for _, tc := range []struct {
		more []any
		want string
	}{
		{nil, "system:be brief user:what? "},
		{[]any{"system_prompt", value.Str("be long")}, "system:be long user:what? "},
		{[]any{"system_prompt", value.Str("")}, "system: user:what? "},
		{[]any{"system_prompt", value.None}, "system:be brief user:what? "},
	} {
		out, err := componenttest.Run(t, g, env, value.NewDict(append([]any{"prompt", value.Str("what?")}, tc.more...)...))
		if err != nil {
			t.Fatal(err)
		}
		if got := roles(t, last.body); got != tc.want {
			t.Errorf("%q", got)
		}
		if got := value.Repr(out["replies"]) + value.Repr(out["meta"]); !strings.HasPrefix(got, "['hay', None][{'model': 'gpt-x-1', 'index': 0, 'finish_reason': 'stop'") {
			t.Errorf("%s", got)
		}
	}
	if _, sent := last.body["n"]; sent || last.body["stream"] != false || last.body["temperature"] != 0.5 || last.body["model"] != "gpt-5-mini" {
		t.Errorf("%v", last.body)
	}
	if last.path != "/v1/chat/completions" || last.head.Get("Authorization") != "Bearer sk-open" {
		t.Errorf("%s %v", last.path, last.head)
	}
}

func TestAStreamedReply(t *testing.T) {
	base, env, last := provider(t, streamed)
	g := componenttest.New(t, registry(), generators.OpenAIGeneratorType().Name, value.NewDict("api_base_url", value.Str(base+"/v1")))
	out, err := componenttest.Run(t, g, env, value.NewDict("prompt", value.Str("what?"),
		"streaming_callback", value.Str("haystack.components.generators.utils.print_streaming_chunk")))
	if err != nil || last.body["stream"] != true || value.Repr(out["replies"]) != "['hay']" {
		t.Errorf("%v %v %v", out, err, last.body)
	}
	_, err = componenttest.Run(t, g, env, value.NewDict("prompt", value.Str("what?"), "generation_kwargs", value.NewDict("n", value.Int(2)),
		"streaming_callback", value.Str("haystack.components.generators.utils.print_streaming_chunk")))
	if err == nil || !strings.Contains(err.Error(), "Cannot stream multiple responses") {
		t.Error(err)
	}
}

func TestAzureSpeaksAtItsOwnAddress(t *testing.T) {
	for _, name := range []string{generators.AzureOpenAIGeneratorType().Name, chat.AzureOpenAIChatGeneratorType().Name} {
		base, env, last := provider(t, whole)
		g := componenttest.New(t, registry(), name, value.NewDict("azure_endpoint", value.Str(base+"/"), "azure_deployment", value.Str("my model"),
			"api_version", value.Str("2024-06-01"), "organization", value.Str("org-1"), "default_headers", value.NewDict("X-Team", value.Str("hay"))))
		inputs := value.NewDict("prompt", value.Str("what?"))
		if strings.HasSuffix(name, "ChatGenerator") {
			inputs = value.NewDict("messages", value.Str("what?"))
		}
		if _, err := componenttest.Run(t, g, env, inputs); err != nil {
			t.Fatal(err)
		}
		if last.path != "/openai/deployments/my model/chat/completions" || last.query != "api-version=2024-06-01" || last.body["model"] != "my model" {
			t.Errorf("%s: %s?%s %v", name, last.path, last.query, last.body)
		}
		if h := last.head; h.Get("Api-Key") != "sk-azure" || h.Get("Authorization") != "" || h.Get("OpenAI-Organization") != "org-1" || h.Get("X-Team") != "hay" {
			t.Errorf("%s: %v", name, h)
		}
		env = with(env, componenttest.Secrets{"AZURE_OPENAI_API_KEY": "sk-azure", "AZURE_OPENAI_AD_TOKEN": "token"})
		if _, err := componenttest.Run(t, g, env, inputs); err != nil || last.head.Get("Authorization") != "Bearer token" || last.head.Get("Api-Key") != "" {
			t.Errorf("%s: %v %v", name, err, last.head)
		}
		env = with(env, componenttest.Secrets{})
		if _, err := componenttest.Run(t, g, env, inputs); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "AZURE_OPENAI_AD_TOKEN, AZURE_OPENAI_API_KEY") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatAzureCannotBe(t *testing.T) {
	endpoint := []any{"azure_endpoint", value.Str("https://x.openai.azure.com")}
	secret := value.NewDict("type", value.Str("env_var"), "env_vars", value.NewList(value.Str("AZURE_OPENAI_ENDPOINT")), "strict", value.Bool(true))
	for name, tc := range map[string]struct {
		params []any
		says   string
	}{
		"no endpoint":        {nil, "Please provide an Azure endpoint"},
		"no version":         {append([]any{"api_version", value.None}, endpoint...), "Must provide either the `api_version` argument"},
		"no key":             {append([]any{"api_key", value.None, "azure_ad_token", value.None}, endpoint...), "Please provide an API key or an Azure Active Directory token."},
		"a secret address":   {[]any{"azure_endpoint", secret}, "'azure_endpoint' names a secret"},
		"a token provider":   {append([]any{"azure_ad_token_provider", value.Str("os.getcwd")}, endpoint...), "names Python code"},
		"a key as a header":  {append([]any{"default_headers", value.NewDict("api-key", value.Str("x"))}, endpoint...), "the header 'api-key' cannot be set"},
		"a Python client":    {append([]any{"http_client_kwargs", value.NewDict("proxy", value.Str("x"))}, endpoint...), "Python's HTTP client"},
		"an unknown address": {[]any{"azure_endpoint", value.Str("ftp://x")}, "neither http nor https"},
	} {
		for _, typ := range []string{generators.AzureOpenAIGeneratorType().Name, chat.AzureOpenAIChatGeneratorType().Name} {
			_, err := registry().Build("llm", typ, value.NewDict(tc.params...), fault.Where{})
			if err == nil || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%s, %s: %v", name, typ, err)
			}
		}
	}
}
