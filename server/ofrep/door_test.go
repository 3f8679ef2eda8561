package ofrep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/host"
	"github.com/haywardhq/hayward/server/router"
	"github.com/haywardhq/hayward/vault/flag"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/memory"
)

// tenants logs in whoever names a tenant.
type tenants struct{}

func (tenants) Authenticate(_ context.Context, bearer string) (router.Identity, error) {
	if bearer == "nobody" {
		return router.Identity{}, fault.New(fault.Unauthenticated, "Could not validate credentials")
	}
	return router.Identity{App: "myapp", Tenant: strings.TrimSuffix(bearer, "operator"), User: "ann"}, nil
}

// limited refuses one tenant.
type limited struct{}

func (limited) Allow(_ context.Context, tenant, _, _ string) error {
	if tenant == "busy" {
		return router.RetryLater(fault.New(fault.Limited, "too many requests"), 7*time.Second)
	}
	return nil
}

// library is the service without roles: what the door asks for is the same.
type library struct{ *flag.Service }

func (l library) target(ctx context.Context, t host.FlagTarget) (context.Context, error) {
	c, err := scope.Strict(ctx)
	if err != nil {
		return ctx, err
	}
	if c.Tenant == "denied" {
		return ctx, fault.New(fault.Denied, "you may not do this").WithCode("flag:read")
	}
	return l.Target(ctx, t.User, t.Attributes)
}

func (l library) EvaluateFor(ctx context.Context, key string, t host.FlagTarget) (flag.Detail, error) {
	ctx, err := l.target(ctx, t)
	if err != nil {
		return flag.Detail{}, err
	}
	return l.Detail(ctx, key)
}

func (l library) EvaluateAllFor(ctx context.Context, t host.FlagTarget) ([]flag.Detail, error) {
	ctx, err := l.target(ctx, t)
	if err != nil {
		return nil, err
	}
	return l.All(ctx)
}

type fixture struct {
	*testing.T
	flags *flag.Service
	srv   *httptest.Server
}

var operator = scope.WithScope(context.Background(), "myapp", "", "root", "")

func open(t *testing.T) *fixture {
	t.Helper()
	engine := flag.NewEngine(memory.New(), flag.WithEvaluator("fails", func(context.Context, flag.Target, map[string]any) (bool, error) {
		return false, errors.New("SQLSTATE 42P01")
	}))
	f := &fixture{t, flag.NewService(engine), nil}
	f.srv = httptest.NewServer(router.New(router.Options{Auth: tenants{}, Limit: limited{}, Log: slog.New(slog.DiscardHandler)}, &Door{Flags: library{f.flags}}))
	t.Cleanup(f.srv.Close)
	f.define(flag.Definition{Key: "f", Type: flag.TypeString, DefaultValue: "a"}, flag.WhenUser("bob").Return("bob's"), flag.WhenTenant("globex").Return("globex's"),
		flag.When(flag.If("n", flag.OpEquals, 1<<53+1)).Return("large"), flag.When(flag.If("x", flag.OpEquals, 1.5)).Return("x"))
	f.define(flag.Definition{Key: "float", Type: flag.TypeFloat, DefaultValue: 5})
	f.define(flag.Definition{Key: "tree", Type: flag.TypeJSON, DefaultValue: json.RawMessage(`{"f":5.5,"i":5,"l":[1e100,9007199254740993,null,"\u00e9"],"a":{"b":true}}`)})
	f.define(flag.Definition{Key: "fails", Type: flag.TypeBool, DefaultValue: true}, flag.Custom("fails", nil).Return(true))
	f.define(flag.Definition{Key: "rag/rerank", Type: flag.TypeBool, DefaultValue: true})
	return f
}

func (f *fixture) define(d flag.Definition, rules ...*flag.Rule) {
	f.Helper()
	d.Enabled = true
	if err := errors.Join(f.flags.Define(operator, &d), f.flags.SetRules(operator, d.Key, rules)); err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) send(tenant, method, path, body string, header ...string) (*http.Response, string) {
	f.Helper()
	req, err := http.NewRequestWithContext(f.Context(), method, f.srv.URL+path, strings.NewReader(body))
	if err != nil {
		f.Fatal(err)
	}
	if tenant != "" {
		req.Header.Set("Authorization", "Bearer "+tenant)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := f.srv.Client().Do(req)
	if err != nil {
		f.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		f.Fatal(err)
	}
	return resp, string(b)
}

func TestOneFlag(t *testing.T) {
	f := open(t)
	const invalid, parse = `"errorCode":"INVALID_CONTEXT"`, `"errorCode":"PARSE_ERROR"`
	for name, tc := range map[string]struct {
		tenant, key, body string
		code              int
		want              string
	}{
		"without a context":               {"acme", "f", `{}`, 200, `{"key":"f","value":"a","reason":"DEFAULT","variant":"",`},
		"without a body":                  {"acme", "f", ``, 200, `"value":"a"`},
		"a context that is null":          {"acme", "f", `{"context":null}`, 200, `"value":"a"`},
		"a tenant":                        {"globex", "f", `{}`, 200, `"value":"globex's","reason":"TARGETING_MATCH"`},
		"a user":                          {"acme", "f", `{"context":{"targetingKey":"bob"}}`, 200, `"value":"bob's"`},
		"another user":                    {"acme", "f", `{"context":{"targetingKey":"mallory"}}`, 200, `"value":"a"`},
		"no user":                         {"acme", "f", `{"context":{"targetingKey":null}}`, 200, `"value":"a"`},
		"an attribute that names a user":  {"acme", "f", `{"context":{"user_id":"bob"}}`, 200, `"value":"a"`},
		"a tenant by attribute":           {"acme", "f", `{"context":{"tenant_id":"globex","tenant":"globex"}}`, 200, `"value":"a"`},
		"a large integer":                 {"acme", "f", `{"context":{"n":9007199254740993}}`, 200, `"value":"large"`},
		"its neighbour":                   {"acme", "f", `{"context":{"n":9007199254740992}}`, 200, `"value":"a"`},
		"a number inside a list":          {"acme", "f", `{"context":{"x":[1, 1.50]}}`, 200, `"value":"x"`},
		"a float":                         {"acme", "float", `{}`, 200, `"value":5.0,"reason":"STATIC"`},
		"a tree":                          {"acme", "tree", `{}`, 200, `"value":{"a":{"b":true},"f":5.5,"i":5,"l":[1e+100,9007199254740993,null,"é"]}`},
		"a key with a slash":              {"acme", "rag/rerank", `{}`, 200, `"key":"rag/rerank","value":true`},
		"a key with an escaped slash":     {"acme", "rag%2Frerank", `{}`, 200, `"key":"rag/rerank","value":true`},
		"no such flag":                    {"acme", "never", `{}`, 404, `{"key":"never","errorCode":"FLAG_NOT_FOUND","errorDetails":"there is no flag never"}`},
		"no key":                          {"acme", "", `{}`, 404, `"errorCode":"FLAG_NOT_FOUND"`},
		"not JSON":                        {"acme", "f", `{`, 400, parse},
		"not an object":                   {"acme", "f", `[]`, 400, parse},
		"an unknown field":                {"acme", "f", `{"contxt":{}}`, 400, parse},
		"something after it":              {"acme", "f", `{} {}`, 400, parse},
		"a context that is a list":        {"acme", "f", `{"context":[]}`, 400, `{"key":"f",` + invalid},
		"a context that is text":          {"acme", "f", `{"context":"x"}`, 400, invalid},
		"a targetingKey that is a number": {"acme", "f", `{"context":{"targetingKey":7}}`, 400, invalid},
		"a number that nothing can hold":  {"acme", "f", `{"context":{"n":1e999}}`, 400, invalid},
		"an evaluator that fails":         {"acme", "fails", `{}`, 500, `{"key":"fails","errorCode":"GENERAL","errorDetails":"the evaluator fails failed"}`},
		"an operator":                     {"operator", "f", `{}`, 400, invalid},
		"no token":                        {"", "f", `{}`, 401, `"errorCode":"GENERAL"`},
		"a bad token":                     {"nobody", "f", `{}`, 401, `"errorCode":"GENERAL"`},
		"who may not":                     {"denied", "f", `{}`, 403, `"errorCode":"GENERAL","errorDetails":"you may not do this`},
		"too many requests":               {"busy", "f", `{}`, 429, `"errorCode":"GENERAL"`},
		"too large":                       {"acme", "f", `{"context":{"a":"` + strings.Repeat("x", maxBody) + `"}}`, 413, `"errorCode":"GENERAL"`},
	} {
		t.Run(name, func(t *testing.T) {
			resp, body := f.send(tc.tenant, "POST", "/ofrep/v1/evaluate/flags/"+tc.key, tc.body)
			if resp.StatusCode != tc.code || !strings.Contains(body, tc.want) || strings.Contains(body, "SQLSTATE") {
				t.Errorf("%d %s; want %d %s", resp.StatusCode, body, tc.code, tc.want)
			}
			if after := resp.Header.Get("Retry-After"); (after == "7") != (tc.code == 429) {
				t.Errorf("Retry-After %q", after)
			}
		})
	}
}

func TestAnotherAppsFlagIsNotFound(t *testing.T) {
	f := open(t)
	other := scope.WithScope(t.Context(), "other", "", "root", "")
	if err := f.flags.Define(other, &flag.Definition{Key: "there", Type: flag.TypeBool, DefaultValue: true, Enabled: true}); err != nil {
		t.Fatal(err)
	}
	there, body := f.send("acme", "POST", "/ofrep/v1/evaluate/flags/there", `{}`)
	none, body2 := f.send("acme", "POST", "/ofrep/v1/evaluate/flags/never", `{}`)
	if there.StatusCode != 404 || none.StatusCode != 404 || strings.ReplaceAll(body, "there", "X") != strings.ReplaceAll(strings.ReplaceAll(body2, "there is", "X is"), "never", "X") {
		t.Errorf("%s; %s", body, body2)
	}
	if _, all := f.send("acme", "POST", "/ofrep/v1/evaluate/flags", `{}`); strings.Contains(all, `"there"`) {
		t.Errorf("%s", all)
	}
}

func TestEveryFlag(t *testing.T) {
	f := open(t)
	const path = "/ofrep/v1/evaluate/flags"
	resp, body := f.send("acme", "POST", path, `{"context":{"targetingKey":"bob"}}`)
	var all struct{ Flags []map[string]any }
	if err := json.Unmarshal([]byte(body), &all); err != nil || resp.StatusCode != 200 || len(all.Flags) != 5 {
		t.Fatalf("%d %s %v", resp.StatusCode, body, err)
	}
	for _, one := range all.Flags {
		key := one["key"].(string)
		if key == "fails" {
			if one["errorCode"] != "GENERAL" || one["errorDetails"] != "the evaluator fails failed" {
				t.Errorf("%v", one)
			}
			continue
		}
		_, single := f.send("acme", "POST", path+"/"+key, `{"context":{"targetingKey":"bob"}}`)
		if got, _ := json.Marshal(one); !sameJSON(single, string(got)) {
			t.Errorf("%s; alone %s", got, single)
		}
	}
	tag := resp.Header.Get("Etag")
	if len(tag) < 20 || tag[0] != '"' {
		t.Fatalf("entity tag %q", tag)
	}
	for _, tc := range []struct {
		tenant, body, match string
		code                int
	}{
		{"acme", `{"context":{"targetingKey":"bob"}}`, tag, 304},
		{"acme", `{"context":{"targetingKey":"bob"}}`, `"x", W/` + tag, 304},
		{"acme", `{"context":{"targetingKey":"bob"}}`, `*`, 304},
		{"acme", `{"context":{"targetingKey":"bob"}}`, `"x"`, 200},
		{"acme", `{}`, tag, 200},
		{"globex", `{"context":{"targetingKey":"zoe"}}`, tag, 200},
		{"acme", `{"context":7}`, tag, 400},
		{"operator", `{}`, tag, 400},
	} {
		resp, body := f.send(tc.tenant, "POST", path, tc.body, "If-None-Match", tc.match)
		if resp.StatusCode != tc.code || (tc.code == 304) != (body == "") || tc.code == 304 && resp.Header.Get("Etag") != tag {
			t.Errorf("%+v: %d %s", tc, resp.StatusCode, body)
		}
	}
	if err := f.flags.SetEnabled(operator, "float", false); err != nil {
		t.Fatal(err)
	}
	resp, body = f.send("acme", "POST", path, `{"context":{"targetingKey":"bob"}}`, "If-None-Match", tag)
	if resp.StatusCode != 200 || !strings.Contains(body, `"reason":"DISABLED"`) {
		t.Errorf("after a change: %d %s", resp.StatusCode, body)
	}
}

func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && fmt.Sprint(x) == fmt.Sprint(y)
}

func TestConfiguration(t *testing.T) {
	f := open(t)
	resp, body := f.send("acme", "GET", "/ofrep/v1/configuration", "")
	want := `{"name":"hayward","capabilities":{"cacheInvalidation":{"polling":{"enabled":true,"minPollingIntervalMs":1000}},` +
		`"flagEvaluation":{"supportedTypes":["int","float","string","boolean","object"]},"caching":{"enabled":false}}}`
	if resp.StatusCode != 200 || body != want {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	if resp, body := f.send("acme", "GET", "/ofrep/v1/configuration", "", "If-None-Match", resp.Header.Get("Etag")); resp.StatusCode != 304 || body != "" {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}

func FuzzContext(f *testing.F) {
	for _, s := range []string{`{}`, `null`, `{"targetingKey":"a","n":[1,2.5,{"x":1e400}]}`, `{"targetingKey":{}}`, `[`, `{"a":-0}`, `{"a":1}{}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		target, err := parse(b)
		if err != nil {
			if code := flag.ErrorCodeOf(err); code != flag.CodeInvalidContext || fault.KindOf(err) != fault.Invalid {
				t.Errorf("%v has the code %s", err, code)
			}
			return
		}
		text, err := value{map[string]any(target.Attributes)}.MarshalJSON()
		if err != nil || !json.Valid(text) {
			t.Errorf("%q gives %s, %v", b, text, err)
		}
		again, err := parse(text)
		if err != nil || fmt.Sprint(again.Attributes) != fmt.Sprint(target.Attributes) {
			t.Errorf("%q gives %v, then %v (%v)", b, target.Attributes, again.Attributes, err)
		}
	})
}
