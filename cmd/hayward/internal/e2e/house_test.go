package e2e

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/cmd/hayward/internal/apptest"
)

const helloYAML = `
components:
  prompt:
    type: haystack.components.builders.prompt_builder.PromptBuilder
    init_parameters:
      template: "Hello {{ name }}!"
inputs:
  name: prompt.name
outputs:
  text: prompt.prompt
`

const password = "correct horse battery"

func TestATenantDeploysAndRunsAndAnotherSeesNothing(t *testing.T) {
	s := apptest.Start(t, nil)
	s.Member("acme", "ann", password, policy.Admin)
	s.Member("globex", "gus", password, policy.Admin)
	ann, gus := s.Login("ann", password), s.Login("gus", password)
	s.Deploy(ann, "hello", helloYAML)
	if body := s.Must(200, ann, "POST", "/hello/run", `{"name": "Ann"}`); body != `{"result":{"prompt":{"prompt":"Hello Ann!"}}}` {
		t.Fatalf("got %s", body)
	}
	if body := s.Must(200, ann, "POST", "/api/v1/pipelines/hello/runs", `{"inputs": {"name": "Bob"}}`); !strings.Contains(body, `"declared":{"text":"Hello Bob!"}`) {
		t.Fatalf("got %s", body)
	}
	s.Must(200, ann, "PUT", "/api/v1/secrets/THE_KEY", `{"value": "acmes-own-value"}`)
	s.Must(200, ann, "PUT", "/api/v1/rotations/THE_KEY", `{"interval": "720h", "rotator": "random-password"}`)
	for _, call := range []struct{ method, here, nowhere, body string }{
		{"POST", "/hello/run", "/nothing/run", `{"name": "x"}`},
		{"GET", "/status/hello", "/status/nothing", ""},
		{"POST", "/undeploy/hello", "/undeploy/nothing", ""},
		{"GET", "/api/v1/pipelines/hello", "/api/v1/pipelines/nothing", ""},
		{"DELETE", "/api/v1/pipelines/hello", "/api/v1/pipelines/nothing", ""},
		{"POST", "/api/v1/pipelines/hello/runs", "/api/v1/pipelines/nothing/runs", `{"inputs": {"name": "x"}}`},
		{"GET", "/api/v1/secrets/THE_KEY", "/api/v1/secrets/NOT_KEY", ""},
		{"DELETE", "/api/v1/secrets/THE_KEY", "/api/v1/secrets/NOT_KEY", ""},
		{"POST", "/api/v1/secrets/THE_KEY/reveal", "/api/v1/secrets/NOT_KEY/reveal", ""},
		{"GET", "/api/v1/secrets/THE_KEY/versions", "/api/v1/secrets/NOT_KEY/versions", ""},
		{"GET", "/api/v1/rotations/THE_KEY", "/api/v1/rotations/NOT_KEY", ""},
		{"DELETE", "/api/v1/rotations/THE_KEY", "/api/v1/rotations/NOT_KEY", ""},
		{"GET", "/api/v1/rotations/THE_KEY/status", "/api/v1/rotations/NOT_KEY/status", ""},
		{"POST", "/api/v1/rotations/THE_KEY/abandon", "/api/v1/rotations/NOT_KEY/abandon", ""},
		{"PATCH", "/api/v1/secrets/THE_KEY", "/api/v1/secrets/NOT_KEY", `{"max_versions": 2}`},
		{"POST", "/api/v1/secrets/THE_KEY/rollback", "/api/v1/secrets/NOT_KEY/rollback", `{"version": 1}`},
		{"POST", "/api/v1/secrets/THE_KEY/undelete", "/api/v1/secrets/NOT_KEY/undelete", `{}`},
		{"POST", "/api/v1/secrets/THE_KEY/undelete", "/api/v1/secrets/NOT_KEY/undelete", `{"versions": [1]}`},
		{"POST", "/api/v1/secrets/THE_KEY/delete", "/api/v1/secrets/NOT_KEY/delete", `{"versions": [1]}`},
		{"POST", "/api/v1/secrets/THE_KEY/destroy", "/api/v1/secrets/NOT_KEY/destroy", `{"versions": [1]}`},
		{"POST", "/api/v1/secrets/THE_KEY/destroy", "/api/v1/secrets/NOT_KEY/destroy", `{"all": true}`},
		{"POST", "/api/v1/secrets/THE_KEY/reveal?version=1", "/api/v1/secrets/NOT_KEY/reveal?version=1", ""},
	} {
		t.Run(call.method+" "+call.here, func(t *testing.T) {
			code, there := s.Call(gus, call.method, call.here, call.body)
			_, none := s.Call(gus, call.method, call.nowhere, call.body)
			if code != http.StatusNotFound || neutral(there) != neutral(none) {
				t.Fatalf("%d: another tenant's gives %s, none gives %s", code, there, none)
			}
		})
	}
	s.Must(200, ann, "POST", "/hello/run", `{"name": "Ann"}`)
}

// neutral drops what must differ between two answers: the name that was asked for and the request's id.
func neutral(body string) string {
	var v map[string]any
	if json.Unmarshal([]byte(body), &v) != nil {
		return body
	}
	delete(v, "request_id")
	b, _ := json.Marshal(v)
	return strings.NewReplacer("hello", "X", "nothing", "X", "THE_KEY", "X", "NOT_KEY", "X").Replace(string(b))
}

func TestEveryRouteIsReservedAndDescribed(t *testing.T) {
	s := apptest.Start(t, nil)
	s.Member("acme", "ann", password, policy.Admin)
	ann := s.Login("ann", password)
	segments := s.Router.Reserved()
	if len(segments) < 5 {
		t.Fatalf("the router lists only %v", segments)
	}
	src, _ := json.Marshal(helloYAML)
	for _, seg := range segments {
		if code, body := s.Call(ann, "POST", "/deploy-yaml", `{"name": "`+seg+`", "source_code": `+string(src)+`}`); code != 422 {
			t.Errorf("a pipeline may be called %q: %d %s", seg, code, body)
		}
	}
	var doc struct {
		Paths map[string]map[string]any `json:"paths"`
	}
	if err := json.Unmarshal([]byte(s.Must(200, "", "GET", "/openapi.json", "")), &doc); err != nil {
		t.Fatal(err)
	}
	for _, r := range s.Router.Routes() {
		if _, ok := doc.Paths[r.Path][strings.ToLower(r.Method)]; r.Document && !ok {
			t.Errorf("%s %s is not described", r.Method, r.Path)
		}
		if r.Action != "" && !policy.Declared(r.Action) {
			t.Errorf("%s %s asks for an action that the policy does not know: %s", r.Method, r.Path, r.Action)
		}
	}
	s.Deploy(ann, "hello", helloYAML)
	if own := s.Must(200, ann, "GET", "/api/v1/openapi.json", ""); !strings.Contains(own, `"/hello/run"`) || !strings.Contains(own, `"required":["name"]`) {
		t.Errorf("the tenant's own pipeline is not described: %s", own)
	}
	if open := s.Must(200, "", "GET", "/openapi.json", ""); strings.Contains(open, "/hello/run") {
		t.Error("a tenant's pipeline is described to everybody")
	}
	if page := s.Must(200, "", "GET", "/docs", ""); strings.Contains(page, "<script") || !strings.Contains(page, "/deploy-yaml") {
		t.Error("the docs page loads a script, or does not show the routes")
	}
}

// Each role is let through exactly where the policy says so; without a login nothing is.
func TestRoutesAndRoles(t *testing.T) {
	s := apptest.Start(t, nil)
	roles := map[string]policy.Roles{"viewer": policy.Viewer, "runner": policy.Runner, "editor": policy.Editor, "admin": policy.Admin}
	tokens := map[string]string{}
	for name, r := range roles {
		s.Member("acme", name, password, r)
		tokens[name] = s.Login(name, password)
	}
	s.Operator("operator", password)
	tokens["operator"], roles["operator"] = s.Login("operator", password), policy.Operator
	checked := 0
	for _, r := range s.Router.Routes() {
		if r.Open != "" {
			continue
		}
		path := strings.NewReplacer("{name}", "nothing", "{slug}", "nowhere", "{username}", "nobody", "{key}", "nothing", "{id}", "nothing").Replace(r.Path)
		if code, _ := s.Call("", r.Method, path, "{}"); code != http.StatusUnauthorized {
			t.Errorf("%s %s without a login: %d", r.Method, path, code)
		}
		if r.Self || path == "/deploy_files" || r.Path == "/api/v1/components" {
			continue
		}
		for name, role := range roles {
			code, body := s.Call(tokens[name], r.Method, path, bodyFor(r.Path, r.Method))
			denied := code == http.StatusForbidden || outside(role, code, body)
			allowed := policy.Allowed(role, r.Action).Allowed || (r.Action == policy.AuditRead && role == policy.Operator) // his own chain
			if role == policy.Operator && strings.HasPrefix(r.Path, "/api/v1/overrides") {                                 // an operator has none: the app's entries are his
				allowed = false
			}
			if denied == allowed {
				t.Errorf("%s %s as %s: %d %s", r.Method, path, name, code, body)
			}
			checked++
		}
	}
	if checked < 100 {
		t.Fatalf("only %d combinations checked", checked)
	}
}

// outside says that an operator was refused because he stands outside every tenant.
func outside(role policy.Roles, code int, body string) bool {
	return role == policy.Operator && code == 422 && strings.Contains(body, "no tenant in scope")
}

// bodyFor is a body that decodes, so that the answer is about the right to do it.
func bodyFor(path, method string) string {
	if method == http.MethodPatch && strings.Contains(path, "/secrets/") {
		return `{"max_versions": 3}`
	}
	if path == "/api/v1/flag-definitions/{key}" && method == http.MethodPatch {
		return `{"enabled": true}`
	}
	if strings.HasSuffix(path, "/rollback") {
		return `{"version": 1}`
	}
	if strings.HasSuffix(path, "/break-glass") {
		return `{"reason": "a reason long enough"}`
	}
	if strings.HasSuffix(path, "/keys/shred") {
		return `{"tenant": "nowhere", "confirm": "nowhere", "reason": "x"}`
	}
	if strings.HasSuffix(path, "/destroy") {
		return `{"all": true}`
	}
	bodies := map[string]string{
		"/deploy-yaml":                         `{"name": "x y", "source_code": "a"}`,
		"/api/v1/pipelines/{name}":             `{"source": "a"}`,
		"/api/v1/secrets/{name}":               `{"value": "12345678"}`,
		"/api/v1/rotations/{name}":             `{"interval": "720h", "rotator": "random-password"}`,
		"/api/v1/shared/secrets/{name}":        `{"value": "12345678", "destinations": ["https://example.com"]}`,
		"/api/v1/flags/{key}/override":         `{"value": true}`,
		"/api/v1/flag-definitions/{key}":       `{"type": "bool", "default_value": false}`,
		"/api/v1/flag-definitions/{key}/rules": `{"rules": []}`,
		"/api/v1/flag-segments/{key}":          `{"conditions": [{"attribute": "a", "op": "exists"}]}`,
		"/api/v1/config/{key}":                 `{"value": 1}`,
		"/api/v1/config/{key}/schema":          `{"schema": null}`,
		"/api/v1/overrides/{key}":              `{"value": 1}`,
		"/api/v1/tenants":                      `{"slug": "x y"}`,
		"/api/v1/tenants/{slug}":               `{"suspended": true}`,
		"/api/v1/users":                        `{"username": "", "password": "x", "tenant": "acme", "roles": ["viewer"]}`,
		"/api/v1/users/{username}":             `{"disabled": true}`,
	}
	if method == http.MethodGet || method == http.MethodDelete {
		return ""
	}
	if b, ok := bodies[path]; ok {
		return b
	}
	return "{}"
}

func TestBadInputIsNamed(t *testing.T) {
	s := apptest.Start(t, nil)
	s.Member("acme", "ann", password, policy.Admin)
	ann := s.Login("ann", password)
	for _, tc := range []struct {
		name, yaml string
		want       []string
	}{
		{"not YAML", "components: [", []string{"x:1:14"}},
		{"unknown type", strings.Replace(helloYAML, "PromptBuilder", "PromptBilder", 1), []string{"prompt", "PromptBilder", "haystack.components.builders.prompt_builder.PromptBuilder", "x:4"}},
		{"bad connection", helloYAML + "connections:\n  - {sender: prompt.prompt, receiver: prompt.nme}\n", []string{"itself"}},
		{"unknown parameter", strings.Replace(helloYAML, "template:", "tmplate:", 1), []string{"tmplate", "template"}},
		{"unknown socket", strings.Replace(helloYAML, "name: prompt.name", "name: prompt.nam", 1), []string{"prompt", "nam", "name"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			src, _ := json.Marshal(tc.yaml)
			code, body := s.Call(ann, "POST", "/deploy-yaml", `{"name": "x", "source_code": `+string(src)+`}`)
			if code != 422 {
				t.Fatalf("%d %s", code, body)
			}
			for _, w := range tc.want {
				if !strings.Contains(body, w) {
					t.Errorf("%s\ndoes not name %q", body, w)
				}
			}
		})
	}
	if body := s.Must(200, ann, "GET", "/status", ""); !strings.Contains(body, `"pipelines":[]`) {
		t.Fatalf("something was stored: %s", body)
	}
	s.Must(413, ann, "POST", "/deploy-yaml", `{"name": "x", "source_code": "`+strings.Repeat("a", 9<<20)+`"}`)
	s.Must(422, ann, "POST", "/deploy-yaml", `{"name": "../evil", "source_code": "a"}`)
	s.Must(422, ann, "POST", "/deploy-yaml", `{"name": "x", "source_code": "a", "extra": 1}`)
	s.Deploy(ann, "hello", helloYAML)
	if body := s.Must(422, ann, "POST", "/hello/run", `{}`); body != `{"detail":[{"type":"missing","loc":["body","name"],"msg":"Field required","input":null}]}` {
		t.Errorf("got %s", body)
	}
	s.Must(422, ann, "POST", "/hello/run", `{"name": "x", "nme": "y"}`)
}

// Wrong password, unknown user and disabled user are one answer.
func TestALoginSaysNothingAboutUsers(t *testing.T) {
	s := apptest.Start(t, nil)
	s.Member("acme", "ann", password, policy.Admin)
	s.Member("acme", "dan", password, policy.Viewer)
	ann := s.Login("ann", password)
	s.Must(204, ann, "PATCH", "/api/v1/users/dan", `{"disabled": true}`)
	var bodies []string
	for _, form := range []string{"username=ann&password=wrong-password", "username=nobody&password=wrong-password", "username=dan&password=" + strings.ReplaceAll(password, " ", "+")} {
		resp := s.Send("", "POST", "/token", "application/x-www-form-urlencoded", strings.NewReader(form))
		b := make([]byte, 4096)
		n, _ := resp.Body.Read(b)
		resp.Body.Close()
		resp.Header.Del("X-Request-Id")
		resp.Header.Del("Date")
		bodies = append(bodies, resp.Status+string(b[:n])+mustJSON(t, resp.Header))
	}
	if len(slices.Compact(bodies)) != 1 || !strings.Contains(bodies[0], `{"detail":"Incorrect username or password"}`) || !strings.HasPrefix(bodies[0], "401") {
		t.Fatalf("%v", bodies)
	}
}
