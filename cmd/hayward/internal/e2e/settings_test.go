package e2e

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/cmd/hayward/internal/app"
	"github.com/haywardhq/hayward/cmd/hayward/internal/apptest"
	"github.com/haywardhq/hayward/host"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components"
	"github.com/haywardhq/hayward/pipeline/value"
)

// What one tenant sets of flags and config is as good as absent for another.
func TestAnotherTenantsSettingsAreNotThere(t *testing.T) {
	s := apptest.Start(t, nil)
	s.Member("acme", "ann", password, policy.Admin)
	s.Member("globex", "gus", password, policy.Admin)
	s.Operator("olga", password)
	ann, gus, olga := s.Login("ann", password), s.Login("gus", password), s.Login("olga", password)
	for _, key := range []string{"THE_KEY", "NOT_KEY"} {
		s.Must(200, olga, "PUT", "/api/v1/flag-definitions/"+key, `{"type": "string", "default_value": "off"}`)
	}
	s.Must(204, ann, "PUT", "/api/v1/flags/THE_KEY/override", `{"value": "acmes own"}`)
	s.Must(200, ann, "PUT", "/api/v1/config/THE_KEY", `{"value": "acmes own"}`)
	s.Must(200, ann, "PUT", "/api/v1/config/THE_KEY", `{"value": "acmes own 2"}`)
	for _, call := range []struct{ method, here, body string }{
		{"DELETE", "/api/v1/flags/THE_KEY/override", ""},
		{"DELETE", "/api/v1/flags/THE_KEY/override?tenant=acme", ""},
		{"PUT", "/api/v1/flags/THE_KEY/override?tenant=acme", `{"value": "stolen"}`},
		{"GET", "/api/v1/flags/THE_KEY/overrides", ""},
		{"GET", "/api/v1/flags/THE_KEY", ""}, // the reason, too, must not say that somebody has a value
		{"POST", "/api/v1/flags/THE_KEY/explain", `{}`},
		{"POST", "/api/v1/flags/THE_KEY/explain", `{"tenant": "acme"}`},
		{"GET", "/api/v1/flags/THE_KEY/override/versions", ""},
		{"POST", "/api/v1/flags/THE_KEY/override/rollback", `{"version": 1}`},
		{"POST", "/api/v1/flags/THE_KEY/override/rollback?tenant=acme", `{"version": 1}`},
		{"GET", "/api/v1/config/THE_KEY", ""},
		{"GET", "/api/v1/config/THE_KEY?version=1", ""},
		{"GET", "/api/v1/config/THE_KEY/versions", ""},
		{"GET", "/api/v1/config/THE_KEY/explain", ""},
		{"POST", "/api/v1/config/THE_KEY/rollback", `{"version": 1}`},
		{"DELETE", "/api/v1/config/THE_KEY", ""},
		{"GET", "/api/v1/overrides/THE_KEY", ""},
		{"DELETE", "/api/v1/overrides/THE_KEY", ""},
	} {
		t.Run(call.method+" "+call.here, func(t *testing.T) {
			code, there := s.Call(gus, call.method, call.here, call.body)
			code2, none := s.Call(gus, call.method, strings.ReplaceAll(strings.ReplaceAll(call.here, "THE_KEY", "NOT_KEY"), "acme", "nowhere"),
				strings.ReplaceAll(call.body, "acme", "nowhere"))
			there, none = strings.ReplaceAll(neutral(there), "acme", "X"), strings.ReplaceAll(neutral(none), "nowhere", "X")
			if code != code2 || there != none || strings.Contains(there, "own") && strings.Contains(there, "acmes") {
				t.Fatalf("%d: another tenant's gives %s, none gives %d: %s", code, there, code2, none)
			}
		})
	}
	for _, path := range []string{"/api/v1/config", "/api/v1/overrides", "/api/v1/flags"} {
		if list := s.Must(200, gus, "GET", path, ""); strings.Contains(list, "acmes") {
			t.Errorf("%s shows %s", path, list)
		}
		if list := s.Must(200, ann, "GET", path, ""); !strings.Contains(list, "acmes own") {
			t.Errorf("%s shows its owner %s", path, list)
		}
	}
	if list := s.Must(200, olga, "GET", "/api/v1/config", ""); strings.Contains(list, "acmes") {
		t.Errorf("the operator sees %s", list)
	}
}

// A number of a request is the number that is stored, digit for digit, and what is not known is an error.
func TestSettingsAreReadStrictly(t *testing.T) {
	s := apptest.Start(t, nil)
	s.Operator("olga", password)
	olga := s.Login("olga", password)
	const flags, config = "/api/v1/flag-definitions/f", "/api/v1/config/c"
	for _, tc := range []struct {
		method, path, body string
		code               int
		says               string
	}{
		{"PUT", flags, `{"type": "int", "default_value": 9007199254740993}`, 200, `"default_value":9007199254740993`},
		{"PUT", flags, `{"type": "int", "default_value": 1.5}`, 422, "int flag cannot have"},
		{"PUT", flags, `{"type": "int"}`, 422, "default"},
		{"PUT", flags, `{"type": "integer", "default_value": 1}`, 422, "not a type"},
		{"PUT", flags, `{"type": "int", "default_value": 1, "version": 3}`, 422, "unknown field"},
		{"PUT", flags + "/rules", `{"rules": [{"type": "when_user", "config": {"user_ids": ["u"]}, "return_value": 9007199254740995}]}`, 204, ""},
		{"GET", flags, "", 200, `"return_value":9007199254740995`},
		{"PUT", flags + "/rules", `{"rules": [{"type": "when_user", "config": {"users": ["u"]}, "return_value": 1}]}`, 422, "unknown field"},
		{"PUT", flags + "/rules", `{"rules": [null]}`, 422, "null"},
		{"PUT", flags + "/rules", `{"rules": {}}`, 422, "cannot be read"},
		{"PUT", flags + "/rules", `{}`, 422, "missing"},
		{"PUT", flags + "/rules", `{"rules": [{"type": "segment", "config": {"conditions": [{"attribute": "n", "op": "gt", "values": [1.50]}]}, "return_value": 2}]}`, 204, ""},
		{"POST", "/api/v1/flags/f/explain", `{"attributes": {"n": 1.6}}`, 200, `"value":2`},
		{"POST", "/api/v1/flags/f/explain", `{"attributes": {"n": 1.5}}`, 200, `"value":9007199254740993`},
		{"POST", "/api/v1/flags/f/explain", `{"usr": "x"}`, 422, "unknown field"},
		{"PATCH", flags, `{}`, 422, "enabled"},
		{"PATCH", flags, `{"enabled": false, "if_version": 1}`, 409, "VersionConflict"},
		{"DELETE", flags + "?if_version=1", "", 409, "VersionConflict"},
		{"DELETE", flags + "?if_version=x", "", 422, "number of a version"},
		{"PUT", "/api/v1/flag-segments/s", `{"conditions": [{"attribute": "n", "op": "gt", "values": [1.50]}]}`, 200, `"version":1`},
		{"PUT", "/api/v1/flag-segments/s", `{"conditions": [{"attribute": "n", "op": "above", "values": [1]}]}`, 422, "no operator"},
		{"PUT", "/api/v1/flag-segments/s", `{"conditions": [{"attr": "n"}]}`, 422, "unknown field"},
		{"PUT", "/api/v1/flag-segments/s", `{}`, 422, "missing"},
		{"PUT", "/api/v1/flags/f/override", `{"value": 1}`, 422, "tenant is missing"},
		{"PUT", "/api/v1/flags/f/override?tenant=nowhere", `{"value": 1}`, 404, "no tenant"},
		{"PUT", config, `{"value": 12345678901234567890}`, 200, `"value":12345678901234567890`},
		{"PUT", config, `{"value": null}`, 422, "missing"},
		{"PUT", config, `{}`, 422, "missing"},
		{"PUT", config, `{"value": "1m30s", "value_type": "duration"}`, 200, `"value_type":"duration"`},
		{"PUT", config, `{"value": 90, "value_type": "duration"}`, 422, ""},
		{"PUT", config, `{"value": 1, "if_version": 7}`, 409, "VersionConflict"},
		{"GET", config + "?version=0", "", 422, "number of a version"},
		{"GET", config + "?version=77", "", 404, "no version 77"},
		{"GET", config + "?versoin=1", "", 422, "no query parameter"},
		{"POST", config + "/rollback", `{"version": 1, "if_version": 2}`, 200, `"version":3`},
		{"POST", config + "/rollback", `{}`, 422, "version to go back to"},
		{"PUT", config + "/schema", `{"schema": {"type": "string"}}`, 422, "schema"},
		{"PUT", config + "/schema", `{"schema": {"type": "integer"}}`, 204, ""},
		{"PUT", config, `{"value": "text"}`, 422, "schema"},
		{"PUT", config + "/schema", `{"schema": null}`, 204, ""},
		{"PUT", config, `{"value": "text"}`, 200, ""},
		{"PUT", "/api/v1/config/a%2Fb", `{"value": true}`, 200, `"key":"a/b"`},
		{"GET", "/api/v1/config/a%2Fb", "", 200, `"value":true`},
	} {
		if code, text := s.Call(olga, tc.method, tc.path, tc.body); code != tc.code || !strings.Contains(text, tc.says) {
			t.Errorf("%s %s %s: %d %s", tc.method, tc.path, tc.body, code, text)
		}
	}
}

// Managing is recorded in both steps, and so is a look at another tenant that is not there for who looks.
func TestManagingSettingsIsRecorded(t *testing.T) {
	s := apptest.Start(t, nil)
	s.Member("acme", "ann", password, policy.Admin)
	s.Member("acme", "vic", password, policy.Viewer)
	s.Operator("olga", password)
	ann, vic, olga := s.Login("ann", password), s.Login("vic", password), s.Login("olga", password)
	s.Must(200, olga, "PUT", "/api/v1/flag-definitions/f", `{"type": "bool", "default_value": false}`)
	s.Must(403, vic, "PUT", "/api/v1/flags/f/override", `{"value": true}`)
	s.Must(404, ann, "PUT", "/api/v1/flags/f/override?tenant=globex", `{"value": true}`)
	s.Must(200, ann, "GET", "/api/v1/config/c/explain", "")
	s.Must(200, ann, "GET", "/api/v1/flags/f", "")
	for _, want := range []string{"action=flag.set_override&outcome=denied", "action=flag.set_override&outcome=not_found", "action=config.explain&outcome=ok"} {
		if list := s.Must(200, ann, "GET", "/api/v1/audit?"+want, ""); !strings.Contains(list, `"id"`) {
			t.Errorf("%s: %s", want, list)
		}
	}
	if list := s.Must(200, olga, "GET", "/api/v1/audit?scope=operator&action=flag.define&outcome=ok", ""); !strings.Contains(list, `"key":"f"`) {
		t.Errorf("defining: %s", list)
	}
}

// A component sees the flags of the tenant that runs the pipeline.
func TestARunSeesItsTenantsFlags(t *testing.T) {
	all := components.Registry()
	const name = "haystack.components.builders.prompt_builder.PromptBuilder"
	original, _ := all.Lookup(name)
	asking := *original
	seen := map[string]string{}
	asking.New = func(b *component.Builder) (component.Component, *component.Spec, error) {
		c, spec, err := original.New(b)
		return flagReader{c, seen}, spec, err
	}
	s := apptest.Start(t, func(set *app.Settings) { set.Registry = all.With(&asking) })
	s.Operator("olga", password)
	olga := s.Login("olga", password)
	s.Must(200, olga, "PUT", "/api/v1/flag-definitions/style", `{"type": "string", "default_value": "plain"}`)
	for _, tenant := range []string{"acme", "globex"} {
		s.Member(tenant, "u-"+tenant, password, policy.Admin)
		s.Deploy(s.Login("u-"+tenant, password), "hello", helloYAML)
	}
	s.Must(http.StatusNoContent, olga, "PUT", "/api/v1/flags/style/override?tenant=acme", `{"value": "fancy"}`)
	for tenant, want := range map[string]string{"acme": "'fancy' None", "globex": "'plain' None"} {
		if _, err := s.Host.Run(s.As("u-"+tenant), host.RunRequest{Pipeline: "hello", Inputs: value.NewDict("name", value.Str(tenant))}); err != nil {
			t.Fatal(err)
		}
		if seen["last"] != want {
			t.Errorf("%s sees %s, want %s", tenant, seen["last"], want)
		}
	}
}

type flagReader struct {
	component.Component
	seen map[string]string
}

func (f flagReader) Run(ctx context.Context, env *component.Env, in component.In) (component.Out, error) {
	style, err := env.Flag(ctx, "style")
	if err != nil {
		return component.Out{}, err
	}
	none, err := env.Flag(ctx, "no-such-flag")
	if err != nil {
		return component.Out{}, err
	}
	text := "None"
	if none != nil {
		text = value.Repr(none)
	}
	f.seen["last"] = value.Repr(style) + " " + text
	return f.Component.Run(ctx, env, in)
}
