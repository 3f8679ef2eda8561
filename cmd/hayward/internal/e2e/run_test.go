package e2e

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/cmd/hayward/internal/app"
	"github.com/haywardhq/hayward/cmd/hayward/internal/apptest"
	"github.com/haywardhq/hayward/host"
	"github.com/haywardhq/hayward/vault/audit"
)

const twoYAML = `
components:
  one:
    type: haystack.components.builders.prompt_builder.PromptBuilder
    init_parameters: {template: "1 {{ a }} {{ b }}", required_variables: []}
  two:
    type: haystack.components.builders.prompt_builder.PromptBuilder
    init_parameters: {template: "2 {{ p }}"}
connections:
  - {sender: one.prompt, receiver: two.p}
inputs:
  a: one.a
outputs:
  text: two.prompt
`

// A runner reaches what the file declares, by no form and through no door anything else.
func TestARunnerReachesOnlyWhatIsDeclared(t *testing.T) {
	s := apptest.Start(t, nil)
	s.Member("acme", "ed", password, policy.Editor)
	s.Member("acme", "rob", password, policy.Runner)
	ed, rob := s.Login("ed", password), s.Login("rob", password)
	s.Deploy(ed, "two", twoYAML)
	s.Deploy(ed, "bare", strings.Split(twoYAML, "inputs:")[0])
	const run = "/api/v1/pipelines/two/runs"
	for _, tc := range []struct {
		path, body string
		rob, ed    int
	}{
		{run, `{"inputs": {"a": "x"}}`, 200, 200},
		{run, `{"inputs": {"a": "x"}, "include_outputs_from": ["two"]}`, 200, 200},
		{run, `{"inputs": {"a": "x"}, "include_outputs_from": ["one"]}`, 403, 200},
		{run, `{"inputs": {"a": "x"}, "include_outputs_from": ["on"]}`, 422, 422},
		{run, `{"inputs": {"a": "x", "b": "y"}}`, 403, 200},
		{run, `{"inputs": {"b": "y"}}`, 403, 200},
		{run, `{"inputs": {"one": {"a": "x"}}}`, 403, 200},
		{run, `{"inputs": {"one": {"b": "x"}}}`, 403, 200},
		{run, `{"inputs": {"one": {"template": "{{ 1 + 1 }}"}}}`, 403, 200},
		{run, `{"inputs": {"c": "x"}}`, 422, 422},
		{"/two/run", `{"a": "x"}`, 200, 200},
		{"/two/run", `{"b": "x"}`, 422, 422},
		{"/two/run", `{"one": {"b": "x"}}`, 422, 422},
		{"/bare/run", `{}`, 403, 200},
		{"/bare/run", `{"a": "x"}`, 403, 200},
		{"/api/v1/pipelines/bare/runs", `{}`, 403, 200},
		{run, `{"inputs": {"a": "x"}, "context": {"secrets": {"K": "v"}}}`, 403, 422},
		{run, `{"inputs": {"a": "x"}, "context": {"Secrets": {"K": "v"}}}`, 422, 422},
		{run, `{"inputs": {"a": "x"}, "context": {"request_id": "` + strings.Repeat("r", 129) + `"}}`, 413, 413},
		{run, `{"inputs": [1]}`, 422, 422},
		{run, `{"inputs": {"a": "x"}, "inputs": {"a": "y"}}`, 422, 422},
	} {
		for token, want := range map[string]int{rob: tc.rob, ed: tc.ed} {
			if code, text := s.Call(token, "POST", tc.path, tc.body); code != want {
				t.Errorf("%s %s: %d %s, want %d", tc.path, tc.body, code, text, want)
			}
		}
	}
	form := func(name, content string) *http.Response {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		_ = w.WriteField(name, content)
		_ = w.Close()
		return s.Send(rob, "POST", run, w.FormDataContentType(), &b)
	}
	if resp := form("a", "x"); resp.StatusCode != 200 {
		t.Errorf("a form with a declared input: %d", resp.StatusCode)
	}
	if resp := form("b", "x"); resp.StatusCode != 403 {
		t.Errorf("a form with another socket: %d", resp.StatusCode)
	}
}

// provider is a model that streams the key it got, then fails if it was asked to.
func provider(t *testing.T) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var ask struct{ Stream bool }
		_ = json.NewDecoder(r.Body).Decode(&ask)
		key := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		switch {
		case strings.HasPrefix(r.URL.Path, "/fail"):
			http.Error(w, `{"error":{"message":"bad key `+key+`"}}`, http.StatusBadRequest)
		case strings.HasPrefix(r.URL.Path, "/hang"):
			<-r.Context().Done()
		case ask.Stream:
			w.Header().Set("Content-Type", "text/event-stream")
			for _, piece := range []string{"your key ", key[:9], key[9:], "."} {
				fmt.Fprintf(w, "data: {\"id\":\"1\",\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"created\":1,\"choices\":[{\"index\":0,\"delta\":{\"content\":%q}}]}\n\n", piece)
			}
			if strings.HasPrefix(r.URL.Path, "/cut") {
				_ = http.NewResponseController(w).Flush()
				panic(http.ErrAbortHandler)
			}
			fmt.Fprint(w, "data: {\"id\":\"1\",\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"created\":1,\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
		}
	}))
	t.Cleanup(srv.Close)
	return srv
}

// A run that streams: chunks without the key, then the result; an error after the first chunk is an event, one before it
// a status.
func TestStreamedRuns(t *testing.T) {
	model := provider(t)
	s := apptest.Start(t, func(set *app.Settings) { set.EgressAllow = []string{strings.TrimPrefix(model.URL, "http://")} })
	s.Member("acme", "ann", password, policy.Admin)
	ann := s.Login("ann", password)
	const key = "sk-streaming-canary-0001"
	s.Must(200, ann, "PUT", "/api/v1/secrets/OPENAI_API_KEY", mustJSON(t, map[string]any{"value": key, "destinations": []string{model.URL}}))
	for _, name := range []string{"good", "fail", "cut"} {
		s.Deploy(ann, name, fmt.Sprintf(askYAML, model.URL+"/"+name))
	}
	const body = `{"inputs": {"name": "x"}, "stream": true}`
	good := s.Must(200, ann, "POST", "/api/v1/pipelines/good/runs", body)
	if strings.Contains(good, "streaming-canary") || strings.Contains(good, "sk-stream") || !strings.Contains(good, "[redacted]") || !strings.Contains(good, "event: result\n") ||
		strings.Count(good, "event: chunk\n") < 2 {
		t.Errorf("got %s", good)
	}
	for _, path := range []string{"/api/v1/pipelines/nothing/runs", "/api/v1/pipelines/fail/runs"} {
		resp := s.Send(ann, "POST", path, "application/json", strings.NewReader(body))
		resp.Body.Close()
		if resp.StatusCode < 400 || resp.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s", path, resp.StatusCode, resp.Header.Get("Content-Type"))
		}
	}
	if cut := s.Must(200, ann, "POST", "/api/v1/pipelines/cut/runs", body); !strings.Contains(cut, "event: error\n") || strings.Contains(cut, "event: result") || strings.Contains(cut, "streaming-canary") {
		t.Errorf("got %s", cut)
	}
	if strings.Contains(s.Logs.String(), "streaming-canary") {
		t.Error("the log holds the key")
	}
}

// What a caller brings along is bounded, declared by the file, under the same rule of destinations, and in no log.
func TestARunsOwnSecrets(t *testing.T) {
	model := provider(t)
	s := apptest.Start(t, func(set *app.Settings) { set.EgressAllow = []string{strings.TrimPrefix(model.URL, "http://")} })
	s.Member("acme", "ann", password, policy.Admin)
	ann := s.Login("ann", password)
	s.Deploy(ann, "fail", strings.Replace(fmt.Sprintf(askYAML, model.URL+"/fail"), "OPENAI_API_KEY", "OWN_KEY", 1))
	send := func(secrets map[string]string) (int, string) {
		return s.Call(ann, "POST", "/api/v1/pipelines/fail/runs", mustJSON(t, map[string]any{"inputs": map[string]string{"name": "x"}, "context": map[string]any{"secrets": secrets}}))
	}
	many := map[string]string{}
	for i := range host.MaxRunSecrets + 1 {
		many[fmt.Sprintf("K%d", i)] = "v"
	}
	for name, tc := range map[string]struct {
		secrets map[string]string
		code    int
	}{"too many": {many, 413}, "undeclared": {map[string]string{"OTHER": "v"}, 422}, "too long": {map[string]string{"OWN_KEY": strings.Repeat("v", host.MaxRunSecretBytes+1)}, 413},
		"empty": {map[string]string{"OWN_KEY": ""}, 422}} {
		if code, text := send(tc.secrets); code != tc.code {
			t.Errorf("%s: %d %s", name, code, text)
		}
	}
	if code, text := send(map[string]string{"OWN_KEY": "sk-own-canary-00001"}); code != 403 || !strings.Contains(text, "may not be sent to "+model.URL) || strings.Contains(text, "own-canary") {
		t.Errorf("a host that nobody named: %d %s", code, text)
	}
	if strings.Contains(s.Logs.String(), "own-canary") {
		t.Errorf("the log holds it: %s", s.Logs)
	}
}

// entries returns a tenant's entries of an action, oldest first, without their listing.
func entries(t *testing.T, s *apptest.Server, user, action string) []audit.Entry {
	t.Helper()
	page, err := s.Audit.List(s.As(user), audit.Query{Action: action, OldestFirst: true, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return page.Entries
}

// Every action is two entries, a denied one is one, and a run's second entry says how it went.
func TestEveryActionIsRecorded(t *testing.T) {
	model := provider(t)
	s := apptest.Start(t, func(set *app.Settings) {
		set.EgressAllow = []string{strings.TrimPrefix(model.URL, "http://")}
		set.RunTimeout = 300 * time.Millisecond
	})
	s.Member("acme", "ann", password, policy.Admin)
	s.Member("acme", "vic", password, policy.Viewer)
	ann, vic := s.Login("ann", password), s.Login("vic", password)
	s.Must(200, ann, "PUT", "/api/v1/secrets/OPENAI_API_KEY", `{"value": "sk-for-another-host"}`)
	s.Deploy(ann, "hello", helloYAML)
	s.Deploy(ann, "theft", fmt.Sprintf(askYAML, model.URL))
	s.Deploy(ann, "hang", strings.ReplaceAll(fmt.Sprintf(askYAML, model.URL+"/hang"), "strict: true", "strict: false"))
	for _, tc := range []struct {
		token, path, body string
		code              int
		outcomes, details string
	}{
		{ann, "/hello/run", `{"name": "x"}`, 200, "begin ok", "steps=1"},
		{ann, "/hello/run", `{"nme": "x"}`, 422, "begin error", "kind=invalid"},
		{ann, "/nothing/run", `{}`, 404, "begin not_found", "kind=not_found"},
		{vic, "/hello/run", `{"name": "x"}`, 403, "denied", "kind=denied"},
		{ann, "/theft/run", `{"name": "x"}`, 403, "begin denied", "secret=OPENAI_API_KEY from tenant vault to " + model.URL + " for llm (refused)"},
	} {
		before := len(entries(t, s, "ann", "pipeline.run"))
		if code, text := s.Call(tc.token, "POST", tc.path, tc.body); code != tc.code {
			t.Errorf("%s: %d %s", tc.path, code, text)
		}
		var outcomes, details []string
		made := entries(t, s, "ann", "pipeline.run")[before:]
		for _, e := range made {
			outcomes = append(outcomes, string(e.Outcome))
			for _, d := range e.Details {
				details = append(details, d.Key+"="+d.Value)
			}
		}
		if got := strings.Join(outcomes, " "); got != tc.outcomes || !strings.Contains(strings.Join(details, "\n"), tc.details) {
			t.Errorf("%s %s: %s %v, want %s with %s", tc.path, tc.body, got, details, tc.outcomes, tc.details)
		}
		if len(made) == 2 && (string(made[1].Ref) != string(made[0].ID) || made[0].RequestID == "" || made[1].RequestID != made[0].RequestID) {
			t.Errorf("%s: the entries do not belong together: %+v", tc.path, made)
		}
	}
}

// If the record cannot be written, nothing happens; if only its end cannot, nothing leaves.
func TestWithoutARecordNothingHappens(t *testing.T) {
	s := apptest.Start(t, nil)
	s.Member("acme", "ann", password, policy.Admin)
	ann := s.Login("ann", password)
	s.Deploy(ann, "hello", helloYAML)
	s.Must(200, ann, "PUT", "/api/v1/secrets/A_KEY", `{"value": "the-value-of-it"}`)
	raw, err := sql.Open("sqlite", filepath.Join(s.Dir, app.DatabaseFile))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	calls := []struct{ method, path, body string }{
		{"POST", "/hello/run", `{"name": "canary"}`}, {"POST", "/api/v1/pipelines/hello/runs", `{"inputs": {"name": "canary"}}`},
		{"POST", "/api/v1/pipelines/hello/runs", `{"inputs": {"name": "canary"}, "stream": true}`},
		{"PUT", "/api/v1/pipelines/fresh", mustJSON(t, map[string]string{"source": helloYAML})}, {"POST", "/undeploy/hello", ""},
		{"PUT", "/api/v1/secrets/B_KEY", `{"value": "another value"}`}, {"DELETE", "/api/v1/secrets/A_KEY", ""},
		{"POST", "/api/v1/secrets/A_KEY/reveal", ""}, {"GET", "/status", ""},
	}
	for _, when := range []string{"NEW.outcome = 'begin'", "NEW.outcome <> 'begin'"} {
		if _, err := raw.Exec("CREATE TRIGGER refuse BEFORE INSERT ON vault_audit WHEN " + when + " BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"); err != nil {
			t.Fatal(err)
		}
		for _, c := range calls {
			code, text := s.Call(ann, c.method, c.path, c.body)
			if code != http.StatusServiceUnavailable || strings.Contains(text, "canary") || strings.Contains(text, "the-value") || strings.Contains(text, "hello") || strings.Contains(text, "disk") {
				t.Errorf("%s, %s %s: %d %s", when, c.method, c.path, code, text)
			}
		}
		if _, err := raw.Exec("DROP TRIGGER refuse"); err != nil {
			t.Fatal(err)
		}
	}
	s.Must(200, ann, "POST", "/hello/run", `{"name": "x"}`)
	s.Must(404, ann, "GET", "/status/fresh", "")
	s.Must(404, ann, "GET", "/api/v1/secrets/B_KEY", "")
	if text := s.Must(200, ann, "POST", "/api/v1/secrets/A_KEY/reveal", ""); !strings.Contains(text, "the-value-of-it") {
		t.Errorf("got %s", text)
	}
}
