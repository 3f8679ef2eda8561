package e2e

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/cmd/hayward/internal/app"
	"github.com/haywardhq/hayward/cmd/hayward/internal/apptest"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/source/openbao"
	"github.com/haywardhq/hayward/vault/source/openbao/baotest"
)

// spellings are the forms a value could hide in.
func spellings(v string) map[string]string {
	quoted, _ := json.Marshal(v)
	out := map[string]string{"raw": v, "json": strings.Trim(string(quoted), `"`), "url": url.QueryEscape(v), "hex": hex.EncodeToString([]byte(v))}
	for offset := range 3 {
		text := base64.StdEncoding.EncodeToString(append(make([]byte, offset), v...))
		out[fmt.Sprintf("base64+%d", offset)] = text[(offset*8+5)/6 : (offset+len(v))*8/6]
	}
	return out
}

// find returns where a canary is in text, and how it is spelled there.
func find(text string, canaries map[string]string) []string {
	var hits []string
	for name, v := range canaries {
		for form, s := range spellings(v) {
			if strings.Contains(text, s) {
				hits = append(hits, name+" ("+form+")")
			}
		}
	}
	return hits
}

// Every secret, password, key and token of a whole session is looked for in everything the server keeps and says. A
// canary planted in each of those places is found first, so that a search that looks nowhere fails.
func TestNoSecretIsLeftAnywhere(t *testing.T) {
	const echo = "the provider says: your key is "
	canaries := map[string]string{"tenant secret": `sk-canary-tenant/"quoted"+0001`, "run secret": "sk-canary-run-secret-00002", "shared secret": "sk-canary-shared-000000003",
		"password": "canary pass word 0004", "operator password": "canary operator pass 5", "env secret": "sk-canary-env-000000006", "source secret": "sk-canary-openbao-00007", "shared source secret": "sk-canary-openbao-00008"}
	// A model that repeats the key it got, in an error and in an answer.
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if strings.HasPrefix(r.URL.Path, "/fail") {
			w.WriteHeader(http.StatusBadRequest)
			_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"message": echo + k, "type": "invalid_request_error"}})
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"id": "1", "object": "chat.completion", "model": "m", "created": 1, "choices": []any{map[string]any{"index": 0,
			"finish_reason": "stop", "message": map[string]any{"role": "assistant", "content": echo + k + " and " + base64.StdEncoding.EncodeToString([]byte(k))}}},
			"usage": map[string]any{"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}})
	}))
	defer provider.Close()
	t.Setenv("E2E_ENV_KEY", canaries["env secret"])
	bao, collector := baotest.New(t), newCollector(t)
	canaries["token of the source"], canaries["token of the collector"] = bao.RootToken, "canary-collector-00009"
	s := apptest.Start(t, func(set *app.Settings) {
		set.EgressAllow = []string{strings.TrimPrefix(provider.URL, "http://")}
		set.EnvAllow = map[string][]sealed.Destination{"E2E_ENV_KEY": {sealed.MustDestination(provider.URL)}}
		set.Traces = app.Traces{Endpoint: collector.URL, Content: true, Token: sealed.NewString(canaries["token of the collector"])}
		reach, err := app.PolicyFor(bao.URL)
		if err != nil {
			t.Fatal(err)
		}
		set.Sources.OpenBao = &openbao.Options{Address: bao.URL, Auth: openbao.Token{Value: sealed.NewString(bao.RootToken)}, Egress: reach}
	})
	acme := s.Member("acme", "ann", canaries["password"], policy.Admin)
	s.Operator("operator", canaries["operator password"])
	ann, op := s.Login("ann", canaries["password"]), s.Login("operator", canaries["operator password"])
	canaries["access token"], canaries["operator token"] = ann, op
	var bodies strings.Builder
	call := func(token, method, path, body string) string {
		code, text := s.Call(token, method, path, body)
		fmt.Fprintf(&bodies, "%s %s: %d %s\n", method, path, code, text)
		return text
	}
	set := func(token, path, value string) {
		call(token, "PUT", path, mustJSON(t, map[string]any{"value": value, "destinations": []string{provider.URL}}))
	}
	set(ann, "/api/v1/secrets/OPENAI_API_KEY", canaries["tenant secret"])
	set(op, "/api/v1/shared/secrets/SHARED_KEY", canaries["shared secret"])
	for path, value := range map[string]string{acme + "/SOURCE_KEY": canaries["source secret"], "=2Fshared/SHARED_SOURCE_KEY": canaries["shared source secret"]} {
		bao.PutKV(s.AppID+"/"+path, map[string]any{"value": value})
		bao.Admin(t, "POST", "secret/metadata/"+s.AppID+"/"+path, map[string]any{"custom_metadata": map[string]string{"destinations": provider.URL}})
	}
	for i, name := range []string{"OPENAI_API_KEY", "SHARED_KEY", "E2E_ENV_KEY", "SOURCE_KEY", "SHARED_SOURCE_KEY"} {
		for _, path := range []string{"", "/fail"} {
			s.Deploy(ann, fmt.Sprintf("ask%d", i), strings.ReplaceAll(fmt.Sprintf(askYAML, provider.URL+path), "OPENAI_API_KEY", name))
			text := call(ann, "POST", fmt.Sprintf("/ask%d/run", i), `{"name": "x"}`)
			if !strings.Contains(text, echo) {
				t.Fatalf("the provider's echo is not in the answer, so this test shows nothing: %s", text)
			}
			call(ann, "POST", fmt.Sprintf("/api/v1/pipelines/ask%d/runs", i), `{"inputs": {"name": "x"}, "stream": true}`)
		}
	}
	call(ann, "POST", "/api/v1/pipelines/ask0/runs", mustJSON(t, map[string]any{"inputs": map[string]any{"name": "x"},
		"context": map[string]any{"secrets": map[string]string{"OPENAI_API_KEY": canaries["run secret"]}}}))
	for _, path := range []string{"/api/v1/secrets", "/api/v1/secrets/OPENAI_API_KEY", "/api/v1/secrets/OPENAI_API_KEY/versions", "/api/v1/audit", "/status",
		"/api/v1/secrets/OPENAI_API_KEY/explain?pipeline=ask0", "/api/v1/secrets/SOURCE_KEY/explain?pipeline=ask3", "/api/v1/pipelines/ask0", "/users/me", "/api/v1/users", "/openapi.json"} {
		call(ann, "GET", path, "")
	}
	for _, path := range []string{"/api/v1/audit", "/api/v1/shared/secrets", "/api/v1/tenants", "/metrics"} {
		call(op, "GET", path, "")
	}
	call(ann, "PUT", "/api/v1/secrets/BAD", `{"value": "`+canaries["run secret"]+`", "unknown": 1}`)
	call(ann, "PUT", "/api/v1/secrets/BAD", `{"value": ["`+canaries["run secret"]+`"]}`)
	call("x"+ann, "GET", "/users/me", "")
	// The documented field is the only place: it must hold the value, and is left out of the search.
	if text := s.Must(200, ann, "POST", "/api/v1/secrets/OPENAI_API_KEY/reveal", ""); !strings.Contains(text, `"value":`) || len(find(text, canaries)) == 0 {
		t.Fatalf("reveal: %s", text)
	}
	places := map[string]string{"bodies": bodies.String(), "log": s.Logs.String()}
	readFiles(t, s.Dir, places)
	s.Stop()
	readFiles(t, s.Dir, places)
	places["spans"] = collector.got()
	if !strings.Contains(places["spans"], echo) {
		t.Fatal("the provider's echo is not in the spans, so they show nothing")
	}
	if len(places) < 4 {
		t.Fatalf("only %d places to look at", len(places))
	}
	for place, text := range places {
		planted := text + "planted: " + url.QueryEscape(canaries["tenant secret"])
		if len(find(planted, canaries)) == 0 {
			t.Fatalf("a canary planted in %s is not found", place)
		}
		if hits := find(text, canaries); len(hits) > 0 {
			t.Errorf("%s holds %v", place, hits)
		}
	}
}

// readFiles adds every file of the data directory: database, write-ahead log, heads.
func readFiles(t *testing.T, dir string, into map[string]string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		into[e.Name()] += string(b)
	}
}
