package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/cmd/hayward/internal/app"
	"github.com/haywardhq/hayward/cmd/hayward/internal/apptest"
	"github.com/haywardhq/hayward/sealed"
)

// catcher is a host that keeps everything it is sent.
type catcher struct {
	*httptest.Server
	mu  sync.Mutex
	got []string
}

func newCatcher(t *testing.T, answer http.HandlerFunc) *catcher {
	c := &catcher{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		c.mu.Lock()
		c.got = append(c.got, r.Method+" "+r.URL.String()+fmt.Sprint(r.Header)+string(b))
		c.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *catcher) all() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.got, "\n")
}

// An editor who may not read keys deploys a pipeline that would send them to a host of his. No layer gives one.
func TestADeployedAddressOfOnesOwnGetsNoKey(t *testing.T) {
	const tenantKey, sharedKey, envKey = "sk-tenants-own-key-000", "sk-shared-by-operator-000", "sk-from-environment-0000"
	evil := newCatcher(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "{}", http.StatusTeapot) })
	good := newCatcher(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, evil.URL+"/v1/chat/completions", http.StatusTemporaryRedirect)
	})
	t.Setenv("E2E_ENV_KEY", envKey)
	s := apptest.Start(t, func(set *app.Settings) {
		set.EgressAllow = []string{strings.TrimPrefix(evil.URL, "http://"), strings.TrimPrefix(good.URL, "http://")}
		set.EnvAllow = map[string][]sealed.Destination{"E2E_ENV_KEY": {sealed.MustDestination(good.URL)}}
	})
	s.Member("acme", "admin", "a long enough password", policy.Admin)
	s.Member("acme", "editor", "a long enough password", policy.Editor)
	s.Operator("operator", "a long enough password")
	admin, editor, operator := s.Login("admin", "a long enough password"), s.Login("editor", "a long enough password"), s.Login("operator", "a long enough password")
	s.Must(200, admin, "PUT", "/api/v1/secrets/BARE_KEY", `{"value": "`+tenantKey+`"}`)
	s.Must(200, admin, "PUT", "/api/v1/secrets/GOOD_KEY", `{"value": "`+tenantKey+`", "destinations": ["`+good.URL+`"]}`)
	s.Must(200, operator, "PUT", "/api/v1/shared/secrets/SHARED_KEY", `{"value": "`+sharedKey+`", "destinations": ["`+good.URL+`"]}`)
	if code, body := s.Call(operator, "PUT", "/api/v1/shared/secrets/LOOSE_KEY", `{"value": "x-loose-shared-key"}`); code != 422 {
		t.Errorf("a shared entry without destinations: %d %s", code, body)
	}
	if code, body := s.Call(editor, "PUT", "/api/v1/secrets/GOOD_KEY", `{"value": "x", "destinations": ["`+evil.URL+`"]}`); code != 403 {
		t.Errorf("an editor changes a destination: %d %s", code, body)
	}
	if code, body := s.Call(admin, "POST", "/api/v1/secrets/SHARED_KEY/reveal", ""); code != 404 || strings.Contains(body, sharedKey) {
		t.Errorf("a tenant reads what the operator shares: %d %s", code, body)
	}
	for _, name := range []string{"BARE_KEY", "GOOD_KEY", "SHARED_KEY", "E2E_ENV_KEY"} {
		for _, base := range []string{evil.URL, good.URL} {
			yaml := strings.ReplaceAll(fmt.Sprintf(askYAML, base), "OPENAI_API_KEY", name)
			s.Deploy(editor, "steal", yaml)
			code, body := s.Call(editor, "POST", "/steal/run", `{"name": "x"}`)
			if code < 400 {
				t.Errorf("%s to %s: %d %s", name, base, code, body)
			}
			if base == evil.URL && (!strings.Contains(body, evil.URL) || code != 403) {
				t.Errorf("%s: the refusal must name the host: %d %s", name, code, body)
			}
		}
	}
	if got := evil.all(); got != "" {
		t.Fatalf("the other host was sent:\n%s", got)
	}
	if got := good.all(); !strings.Contains(got, tenantKey) || !strings.Contains(got, sharedKey) || !strings.Contains(got, envKey) {
		t.Fatalf("the right host must get the keys, or this test shows nothing:\n%s", got)
	}
}

// A key that the caller brings along follows the same rule.
func TestARunsOwnSecretGoesToTheDocumentedHostOnly(t *testing.T) {
	evil := newCatcher(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "{}", http.StatusTeapot) })
	s := apptest.Start(t, func(set *app.Settings) { set.EgressAllow = []string{strings.TrimPrefix(evil.URL, "http://")} })
	s.Member("acme", "editor", "a long enough password", policy.Editor)
	s.Member("acme", "runner", "a long enough password", policy.Runner)
	editor, runner := s.Login("editor", "a long enough password"), s.Login("runner", "a long enough password")
	s.Deploy(editor, "ask", fmt.Sprintf(askYAML, evil.URL))
	body := `{"inputs": {"name": "x"}, "context": {"secrets": {"OPENAI_API_KEY": "sk-brought-along-0000"}}}`
	if code, text := s.Call(editor, "POST", "/api/v1/pipelines/ask/runs", body); code != 403 || !strings.Contains(text, "api.openai.com") {
		t.Errorf("got %d %s", code, text)
	}
	if code, text := s.Call(runner, "POST", "/api/v1/pipelines/ask/runs", body); code != 403 || !strings.Contains(text, "pipeline:run-with-secrets") {
		t.Errorf("a runner brings a secret: %d %s", code, text)
	}
	other := strings.Replace(body, "OPENAI_API_KEY", "OTHER_KEY", 1)
	if code, text := s.Call(editor, "POST", "/api/v1/pipelines/ask/runs", other); code != 422 {
		t.Errorf("a name the file does not declare: %d %s", code, text)
	}
	if got := evil.all(); got != "" {
		t.Fatalf("sent:\n%s", got)
	}
	// It is his own secret: he may say that it goes to another host, and then it goes there and nowhere else.
	named := strings.Replace(body, `"sk-brought-along-0000"`, `{"value": "sk-brought-along-0000", "destinations": ["`+evil.URL+`"]}`, 1)
	if code, text := s.Call(editor, "POST", "/api/v1/pipelines/ask/runs", named); code == 403 || !strings.Contains(evil.all(), "sk-brought-along-0000") {
		t.Errorf("a destination the caller names: %d %s", code, text)
	}
	for _, bad := range []string{`{"value": "sk-brought-along-0000", "destinations": ["ftp://x"]}`, `{"value": "sk-brought-along-0000", "to": 1}`, `{"destinations": []}`} {
		code, text := s.Call(editor, "POST", "/api/v1/pipelines/ask/runs", strings.Replace(body, `"sk-brought-along-0000"`, bad, 1))
		if code != 422 || strings.Contains(text, "sk-brought") {
			t.Errorf("%s: %d %s", bad, code, text)
		}
	}
}
