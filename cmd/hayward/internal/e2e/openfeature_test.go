package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/cmd/hayward/internal/apptest"
	"github.com/haywardhq/hayward/internal/parts"
)

// ofCall is one evaluation that testdata/evaluate_flags.py is asked for.
type ofCall struct {
	Token      string         `json:"token"`
	Type       string         `json:"type"`
	Key        string         `json:"key"`
	Default    any            `json:"default"`
	User       string         `json:"user,omitempty"`
	Attributes map[string]any `json:"attributes,omitempty"`
}

type ofAnswer struct {
	Value    any            `json:"value"`
	Python   string         `json:"python"` // the type that Python has it as
	Reason   string         `json:"reason"`
	Variant  string         `json:"variant"`
	Code     string         `json:"code"`
	Metadata map[string]any `json:"metadata"`
}

// The OpenFeature SDK for Python evaluates two tenants' flags of all five types, with the right reasons.
func TestTheOpenFeatureSDKForPython(t *testing.T) {
	python := parts.Need(t, parts.OpenFeature)
	s := apptest.Start(t, nil)
	acme := s.Member("acme", "ann", password, policy.Viewer)
	s.Member("globex", "gus", password, policy.Admin)
	s.Operator("olga", password)
	ann, gus, olga := s.Login("ann", password), s.Login("gus", password), s.Login("olga", password)
	define := func(key, definition, rules string) {
		t.Helper()
		s.Must(200, olga, "PUT", "/api/v1/flag-definitions/"+key, definition)
		s.Must(204, olga, "PUT", "/api/v1/flag-definitions/"+key+"/rules", `{"rules": [`+rules+`]}`)
	}
	define("bool", `{"type": "bool", "default_value": true, "metadata": {"owner": "search"}}`, "")
	define("text", `{"type": "string", "default_variant": "control", "variants": [{"name": "control", "value": "a"}, {"name": "treatment", "value": "b"}]}`,
		`{"type": "when_tenant", "config": {"tenant_ids": ["`+acme+`"]}, "return_variant": "treatment"}`)
	define("int", `{"type": "int", "default_value": 1}`, `{"type": "rollout", "config": {"percentage": 100}, "return_value": 9007199254740993}`)
	define("float", `{"type": "float", "default_value": 5}`,
		`{"type": "segment", "config": {"conditions": [{"attribute": "plan", "op": "equals", "values": ["pro"]}]}, "return_value": 0.25},
		 {"type": "when_user", "config": {"user_ids": ["zoe"]}, "return_value": 7}`)
	define("object", `{"type": "json", "default_value": {"limit": 10, "models": ["small", "large"]}}`, "")
	define("off", `{"type": "bool", "default_value": false}`, `{"type": "when_tenant", "config": {"tenant_ids": ["`+acme+`"]}, "return_value": true}`)
	define("broken", `{"type": "bool", "default_value": true}`, `{"type": "custom", "config": {"evaluator": "nobody"}, "return_value": true}`)
	s.Must(204, olga, "PATCH", "/api/v1/flag-definitions/off", `{"enabled": false}`)
	s.Must(204, gus, "PUT", "/api/v1/flags/object/override", `{"value": {"limit": 99}}`)
	pro := map[string]any{"plan": "pro", "age": 20, "tags": []string{"a"}, "ratio": 0.5}
	forged := map[string]any{"tenant_id": acme, "tenant": "acme", "app_id": "other"}
	object := map[string]any{}
	for i, got := range ofEvaluate(t, python, s.URL(), []ofTest{
		{ofCall{Token: ann, Type: "boolean", Key: "bool", Default: false}, "true bool STATIC - -"},
		{ofCall{Token: ann, Type: "string", Key: "text", Default: ""}, "b str TARGETING_MATCH treatment -"},
		{ofCall{Token: gus, Type: "string", Key: "text", Default: ""}, "a str DEFAULT control -"},
		{ofCall{Token: gus, Type: "string", Key: "text", Default: "", Attributes: forged}, "a str DEFAULT control -"},
		{ofCall{Token: ann, Type: "integer", Key: "int", Default: 0}, "9007199254740993 int SPLIT - -"},
		{ofCall{Token: ann, Type: "float", Key: "float", Default: 0.1}, "5.0 float DEFAULT - -"},
		{ofCall{Token: ann, Type: "float", Key: "float", Default: 0.1, Attributes: pro}, "0.25 float TARGETING_MATCH - -"},
		{ofCall{Token: ann, Type: "float", Key: "float", Default: 0.1, User: "zoe"}, "7.0 float TARGETING_MATCH - -"},
		{ofCall{Token: ann, Type: "object", Key: "object", Default: object}, `{"limit":10,"models":["small","large"]} dict STATIC - -`},
		{ofCall{Token: gus, Type: "object", Key: "object", Default: object}, `{"limit":99} dict TARGETING_MATCH - -`},
		{ofCall{Token: ann, Type: "boolean", Key: "off", Default: true}, "false bool DISABLED - -"},
		{ofCall{Token: ann, Type: "boolean", Key: "never", Default: true}, "true bool ERROR - FLAG_NOT_FOUND"},
		{ofCall{Token: ann, Type: "boolean", Key: "text", Default: true}, "true bool ERROR - TYPE_MISMATCH"},
		{ofCall{Token: ann, Type: "boolean", Key: "broken", Default: false}, "false bool ERROR - GENERAL"},
		{ofCall{Token: olga, Type: "boolean", Key: "bool", Default: false}, "false bool ERROR - INVALID_CONTEXT"},
		{ofCall{Token: "", Type: "boolean", Key: "bool", Default: false}, "false bool ERROR - GENERAL"},
	}) {
		if i == 0 && (got.Metadata["owner"] != "search" || got.Metadata["flagSetId"] != s.AppID || got.Metadata["version"] == "") {
			t.Errorf("metadata %v", got.Metadata)
		}
	}
	if report, err := s.Verify(t.Context()); err != nil || !report.OK() {
		t.Errorf("%+v %v", report, err)
	}
	for _, action := range []string{"flag.evaluate", "flag.get"} {
		if list := s.Must(200, gus, "GET", "/api/v1/audit?action="+action, ""); strings.Contains(list, `"action"`) {
			t.Errorf("an evaluation is recorded: %s", list)
		}
	}
}

type ofTest struct {
	call ofCall
	want string // value, Python's type, reason, variant, error code
}

func ofEvaluate(t *testing.T, python, url string, tests []ofTest) []ofAnswer {
	t.Helper()
	calls := make([]ofCall, len(tests))
	for i, tc := range tests {
		calls[i] = tc.call
	}
	in, err := json.Marshal(calls)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python, "-W", "ignore", "testdata/evaluate_flags.py", url)
	cmd.Env, cmd.Stdin = parts.OracleEnv(), bytes.NewReader(in)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	var all struct {
		Answers []ofAnswer `json:"answers"`
		Hooks   int        `json:"hooks"`
	}
	dec := json.NewDecoder(bytes.NewReader(out))
	dec.UseNumber()
	if err := dec.Decode(&all); err != nil || len(all.Answers) != len(tests) || all.Hooks != 2*len(tests) {
		t.Fatalf("%s: %v", out, err)
	}
	dash := func(s string) string {
		if s == "" {
			return "-"
		}
		return s
	}
	for i, a := range all.Answers {
		value := fmt.Sprint(a.Value)
		if m, ok := a.Value.(map[string]any); ok {
			b, _ := json.Marshal(m)
			value = string(b)
		}
		if got := fmt.Sprint(value, " ", a.Python, " ", a.Reason, " ", dash(a.Variant), " ", dash(a.Code)); got != tests[i].want {
			t.Errorf("%+v:\n got %s\nwant %s", tests[i].call, got, tests[i].want)
		}
	}
	return all.Answers
}
