package e2e

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"reflect"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/cmd/hayward/internal/apptest"
	"github.com/haywardhq/hayward/internal/parts"
)

// exchange is one thing that testdata/client.py tried.
type exchange struct {
	Status          int    `json:"status"`
	WWWAuthenticate string `json:"www_authenticate"`
	CacheControl    string `json:"cache_control"`
	Body            any    `json:"body"`
}

// A Python client with requests, written for a FastAPI service, logs in and runs a pipeline; and where it errs, it is told
// what FastAPI tells it.
func TestThePythonClientOfATutorial(t *testing.T) {
	python := parts.Need(t, parts.Oracle)
	s := apptest.Start(t, nil)
	s.Member("acme", "johndoe", password, policy.Admin)
	s.Deploy(s.Login("johndoe", password), "hello", helloYAML)
	tried := runClient(t, python, s.URL(), "johndoe", password)

	for _, name := range []string{"token", "multipart", "with grant type", "empty client"} {
		e := tried[name]
		body, _ := e.Body.(map[string]any)
		if token, _ := body["access_token"].(string); e.Status != 200 || strings.Count(token, ".") != 2 || body["token_type"] != "bearer" {
			t.Errorf("%s: %+v", name, e)
		}
		if !strings.Contains(e.CacheControl, "no-store") {
			t.Errorf("%s: the token may be cached: %q", name, e.CacheControl)
		}
	}
	if text, _ := json.Marshal(tried["run"].Body); tried["run"].Status != 200 || !bytes.Contains(text, []byte("Python")) {
		t.Errorf("run: %+v", tried["run"])
	}
	for _, name := range []string{"me", "lower case scheme"} {
		if body, _ := tried[name].Body.(map[string]any); tried[name].Status != 200 || body["username"] != "johndoe" {
			t.Errorf("%s: %+v", name, tried[name])
		}
	}
	const required = `{"type":"missing","loc":["body","%"],"msg":"Field required","input":null}`
	field := func(name string) string { return strings.Replace(required, "%", name, 1) }
	both := `{"detail":[` + field("username") + `,` + field("password") + `]}`
	for name, want := range map[string]struct {
		status          int
		wwwAuthenticate string
		body            string
	}{
		"wrong password":      {401, "Bearer", `{"detail":"Incorrect username or password"}`},
		"unknown user":        {401, "Bearer", `{"detail":"Incorrect username or password"}`},
		"no fields":           {422, "", both},
		"no password":         {422, "", `{"detail":[` + field("password") + `]}`},
		"JSON body":           {422, "", both},
		"wrong grant type":    {422, "", `{"detail":[{"type":"string_pattern_mismatch","loc":["body","grant_type"],"msg":"String should match pattern '^password$'","input":"x","ctx":{"pattern":"^password$"}}]}`},
		"no token":            {401, "Bearer", `{"detail":"Not authenticated"}`},
		"another scheme":      {401, "Bearer", `{"detail":"Not authenticated"}`},
		"bad token":           {401, "Bearer", `{"detail":"Could not validate credentials"}`},
		"run without a token": {401, "Bearer", `{"detail":"Not authenticated"}`},
		"run without inputs":  {422, "", `{"detail":[` + field("name") + `]}`},
	} {
		t.Run(name, func(t *testing.T) { compareExchange(t, tried[name], want.status, want.wwwAuthenticate, want.body) })
	}
}

func runClient(t *testing.T, python string, args ...string) map[string]exchange {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), python, append([]string{"-W", "ignore", "testdata/client.py"}, args...)...)
	cmd.Env = parts.OracleEnv()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	var tried map[string]exchange
	if err := json.Unmarshal(out, &tried); err != nil {
		t.Fatal(err)
	}
	return tried
}

// compareExchange compares what FastAPI's clients look at. A body may say more than FastAPI's: other clients read that.
func compareExchange(t *testing.T, got exchange, status int, wwwAuthenticate, body string) {
	t.Helper()
	var want map[string]any
	if err := json.Unmarshal([]byte(body), &want); err != nil {
		t.Fatal(err)
	}
	have, _ := got.Body.(map[string]any)
	if got.Status != status || !reflect.DeepEqual(have["detail"], want["detail"]) {
		t.Errorf("got %d %v, want %d %v", got.Status, got.Body, status, want)
	}
	if scheme, _, _ := strings.Cut(got.WWWAuthenticate, " "); scheme != wwwAuthenticate {
		t.Errorf("WWW-Authenticate %q, want %q", got.WWWAuthenticate, wwwAuthenticate)
	}
}
