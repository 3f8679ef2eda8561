package openbao_test

import (
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
	"github.com/haywardhq/hayward/vault/source"
	"github.com/haywardhq/hayward/vault/source/openbao"
	"github.com/haywardhq/hayward/vault/source/openbao/baotest"
	"github.com/haywardhq/hayward/vault/source/sourcetest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"), goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func policy(t *testing.T, address string) egress.Policy {
	t.Helper()
	u, err := url.Parse(address)
	must(t, err)
	p, err := egress.NewPolicy(u.Host)
	must(t, err)
	return p
}

// open returns a source over a server; change may adjust its options.
func open(t *testing.T, s *baotest.Server, auth openbao.Auth, change func(*openbao.Options)) *openbao.Source {
	t.Helper()
	o := openbao.Options{Address: s.URL, Auth: auth, Egress: policy(t, s.URL), Backoff: time.Millisecond, MaxWait: 20 * time.Millisecond, PollInterval: 10 * time.Millisecond}
	if change != nil {
		change(&o)
	}
	src, err := openbao.New(o)
	must(t, err)
	t.Cleanup(func() { must(t, src.Close()) })
	return src
}

func root(s *baotest.Server) openbao.Token {
	return openbao.Token{Value: sealed.NewString(s.RootToken)}
}

func text(v *source.Value) string {
	if v == nil {
		return "<none>"
	}
	return string(reveal.Inside(v.Raw))
}

func expect(t *testing.T, s source.Source, key, want string) *source.Value {
	t.Helper()
	v, err := s.Get(t.Context(), key)
	if want == "<none>" && (v != nil || !errors.Is(err, source.ErrKeyNotFound)) || want != "<none>" && (err != nil || text(v) != want) {
		t.Errorf("%s: %q, %v; want %q", key, text(v), err, want)
	}
	return v
}

func refuse(t *testing.T, s source.Source, key string, kind fault.Kind, says ...string) error {
	t.Helper()
	v, err := s.Get(t.Context(), key)
	if v != nil || !fault.Is(err, kind) {
		t.Fatalf("%s: %q, %v (%v), want %v", key, text(v), err, fault.KindOf(err), kind)
	}
	full := err.Error() + " " + fault.From(err).Hint + " " + fault.From(err).Code
	for _, s := range says {
		if !strings.Contains(full, s) {
			t.Errorf("%q does not say %q", full, s)
		}
	}
	if strings.Contains(full, "canary") {
		t.Errorf("the error shows a secret: %s", full)
	}
	return err
}

func TestSuite(t *testing.T) {
	sourcetest.Run(t, sourcetest.Harness{Watches: 30, Key: func(w string) string { return "acme/" + w }, Open: func(t *testing.T) sourcetest.Subject {
		s := baotest.New(t)
		s.PutKV("other/K", map[string]any{"value": "x"})
		src := open(t, s, root(s), func(o *openbao.Options) { o.MaxWatchers = 30 })
		return sourcetest.Subject{Source: src,
			Set:    func(t *testing.T, key, raw string) { t.Helper(); s.PutKV(key, map[string]any{"value": raw}) },
			Delete: func(t *testing.T, key string) { t.Helper(); s.Admin(t, "DELETE", "secret/data/"+key, nil) },
			Break:  func(*testing.T) func() { s.Seal(); return s.Unseal }}
	}})
}

// TestSuiteForATenant: an AppRole that sees one tenant's part, divided by a template, behind a cache and a breaker.
func TestSuiteForATenant(t *testing.T) {
	sourcetest.Run(t, sourcetest.Harness{Watches: 30, Open: func(t *testing.T) sourcetest.Subject {
		s := baotest.New(t)
		s.PutKV("other/K", map[string]any{"value": "x"})
		src := open(t, s, approle(t, s, "20s", "1h", 0, `path "secret/data/default/acme/*" { capabilities=["read"] }
			path "secret/metadata/default/acme*" { capabilities=["list"] }`), func(o *openbao.Options) { o.MaxWatchers = 30 })
		near := source.NewCache(source.NewBreaker(src, source.BreakerOptions{OpenFor: time.Millisecond}), source.CacheOptions{TTL: time.Microsecond, NegativeTTL: -1})
		part, err := source.ForTenant(near, "", "default", "acme")
		must(t, err)
		return sourcetest.Subject{Source: both{part, near},
			Set: func(t *testing.T, key, raw string) {
				t.Helper()
				s.PutKV("default/acme/"+key, map[string]any{"value": raw})
			},
			Delete: func(t *testing.T, key string) { t.Helper(); s.Admin(t, "DELETE", "secret/data/default/acme/"+key, nil) },
			Break:  func(*testing.T) func() { s.Seal(); return s.Unseal }}
	}})
}

type both struct {
	source.Source
	under source.Source
}

func (b both) Close() error { return b.under.Close() }

func TestVersions(t *testing.T) {
	s := baotest.New(t)
	src := open(t, s, root(s), nil)
	s.PutKV("K", map[string]any{"value": "one"})
	if v := expect(t, src, "K", "one"); v.Version != 1 || v.ExpiresAt != nil || v.Metadata != nil || v.Source != "openbao" {
		t.Errorf("%+v", v)
	}
	s.Admin(t, "POST", "secret/metadata/K", map[string]any{"custom_metadata": map[string]string{"owner": "data"}, "delete_version_after": "1h"})
	s.PutKV("K", map[string]any{"value": "two"})
	v := expect(t, src, "K", "two")
	if v.Version != 2 || v.Metadata["owner"] != "data" || v.ExpiresAt == nil || time.Until(*v.ExpiresAt).Round(time.Minute) != time.Hour {
		t.Errorf("%+v", v)
	}
	s.Admin(t, "DELETE", "secret/data/K", nil)
	expect(t, src, "K", "<none>")
	s.Admin(t, "POST", "secret/undelete/K", map[string]any{"versions": []int{2}})
	expect(t, src, "K", "two")
	s.Advance(2 * time.Hour)
	expect(t, src, "K", "<none>")
	s.PutKV("K", map[string]any{"value": "three"})
	expect(t, src, "K", "three")
	s.Admin(t, "PUT", "secret/destroy/K", map[string]any{"versions": []int{3}})
	expect(t, src, "K", "<none>")
	s.Admin(t, "DELETE", "secret/metadata/K", nil)
	expect(t, src, "K", "<none>")
}

// TestAVersionEndsByTheClockHereToo: the answer may be older than the moment it is read.
func TestAVersionEndsByTheClockHereToo(t *testing.T) {
	s := baotest.New(t)
	s.PutKV("K", map[string]any{"value": "x"})
	s.Admin(t, "POST", "secret/metadata/K", map[string]any{"delete_version_after": "1h"})
	s.Advance(-2 * time.Hour)
	s.PutKV("K", map[string]any{"value": "y"})
	expect(t, open(t, s, root(s), nil), "K", "<none>")
}

func TestFields(t *testing.T) {
	s := baotest.New(t)
	src := open(t, s, root(s), nil)
	s.PutKV("db", map[string]any{"user": "u", "password": "p", "port": 5432, "tls": true, "nested": map[string]any{"a": []int{1, 2}}, "none": nil, "empty": ""})
	for key, want := range map[string]string{"db#user": "u", "db#password": "p", "db#port": "5432", "db#tls": "true", "db#nested": `{"a":[1,2]}`, "db#empty": "",
		"db#none": "<none>", "db#nope": "<none>", "db": "<none>"} {
		expect(t, src, key, want)
	}
	if err := refuse(t, src, "db", fault.NotFound, "no field", "value"); strings.Contains(err.Error(), "password") {
		t.Error(err)
	}
	expect(t, open(t, s, root(s), func(o *openbao.Options) { o.Field = "password" }), "db", "p")
}

func TestPathsAreEscaped(t *testing.T) {
	s := baotest.New(t)
	src := open(t, s, root(s), nil)
	for i, key := range []string{"a b", "ü/ñ", "a+b", "100%", "a&b=c", "q?version=1", "semi;colon", "quote\"s", "a:b@c", "%2e%2e", "~tilde", "back\\slash", "deep/er/still", "trail."} {
		want := fmt.Sprint("value ", i)
		s.PutKV(key, map[string]any{"value": want})
		expect(t, src, key, want)
	}
	for _, key := range sourcetest.Hostile {
		before := len(s.Requests())
		if _, err := src.Get(t.Context(), key); fault.Is(err, fault.Invalid) && len(s.Requests()) != before {
			t.Errorf("%q was sent", key)
		}
	}
}

func TestListsGoDown(t *testing.T) {
	s := baotest.New(t)
	src := open(t, s, root(s), nil)
	for _, key := range []string{"acme/A", "acme/AB", "acme/B", "acme/sub/C", "acme/sub/deep/D", "acmeother/E", "top"} {
		s.PutKV(key, map[string]any{"value": "of " + key})
	}
	s.PutKV("acme/nofield", map[string]any{"user": "u"})
	s.PutKV("acme/gone", map[string]any{"value": "x"})
	s.Admin(t, "DELETE", "secret/data/acme/gone", nil)
	for prefix, want := range map[string]string{"": "acme/A acme/AB acme/B acme/sub/C acme/sub/deep/D acmeother/E top", "acme/": "acme/A acme/AB acme/B acme/sub/C acme/sub/deep/D",
		"acme/A": "acme/A acme/AB", "acme/sub": "acme/sub/C acme/sub/deep/D", "acme/s": "acme/sub/C acme/sub/deep/D", "acme": "acme/A acme/AB acme/B acme/sub/C acme/sub/deep/D acmeother/E", "nope/": ""} {
		all, err := src.List(t.Context(), prefix)
		var keys []string
		for _, v := range all {
			keys = append(keys, v.Key)
			if text(v) != "of "+v.Key {
				t.Errorf("%s: %q", v.Key, text(v))
			}
		}
		if got := strings.Join(keys, " "); err != nil || got != want {
			t.Errorf("%q: %s, %v", prefix, got, err)
		}
	}
	small := open(t, s, root(s), func(o *openbao.Options) { o.MaxList = 5 })
	if _, err := small.List(t.Context(), ""); !fault.Is(err, fault.TooLarge) {
		t.Error(err)
	}
	for _, bad := range []string{"/acme", "../x", "a#b", "a\nb"} {
		if _, err := src.List(t.Context(), bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestNamespacesAndMounts(t *testing.T) {
	s := baotest.New(t)
	s.PutKV("K", map[string]any{"value": "in the root"})
	s.Admin(t, "POST", "sys/namespaces/acme", map[string]any{})
	s.Admin(t, "POST", "acme/sys/mounts/kv/apps", map[string]any{"type": "kv", "options": map[string]any{"version": "2"}})
	s.Admin(t, "POST", "acme/kv/apps/data/K", map[string]any{"data": map[string]any{"value": "in acme"}})
	expect(t, open(t, s, root(s), nil), "K", "in the root")
	expect(t, open(t, s, root(s), func(o *openbao.Options) { o.Namespace, o.Mount = "/acme/", "kv/apps/" }), "K", "in acme")
	for _, r := range s.Requests("kv/apps/data/K") {
		if r.Method == "GET" && (r.Namespace != "acme" || r.Header.Get("X-Vault-Request") != "true") {
			t.Errorf("%+v", r)
		}
	}
	// A wrong setting is not a missing key: what stands behind it in a chain must not answer.
	for _, change := range []func(*openbao.Options){func(o *openbao.Options) { o.Namespace = "nope" }, func(o *openbao.Options) { o.Mount = "nope" }} {
		src := open(t, s, root(s), change)
		if _, err := src.Get(t.Context(), "K"); err == nil || fault.Is(err, fault.NotFound) {
			t.Errorf("%v", err)
		}
		if _, err := src.List(t.Context(), ""); err == nil {
			t.Error("a list of nothing")
		}
	}
}

func TestServersThatAskToComeAgain(t *testing.T) {
	for _, f := range []baotest.Fault{{Status: 500}, {Status: 502, Body: "<html>"}, {Status: 503}, {Status: 504}, {Status: 429}, {Status: 412}, {Status: 473}, {Status: 0},
		{Status: 429, RetryAfter: "3600"}, {Status: 503, RetryAfter: "Wed, 21 Oct 2015 07:28:00 GMT"}, {Status: 503, RetryAfter: "soon"}} {
		s := baotest.New(t)
		s.PutKV("K", map[string]any{"value": "x"})
		src := open(t, s, root(s), nil)
		expect(t, src, "K", "x")
		f.Times = 3
		s.Inject(f)
		expect(t, src, "K", "x")
		f.Times = 100
		s.Inject(f)
		kind := fault.Unavailable
		if f.Status == 429 {
			kind = fault.Limited
		}
		before := len(s.Requests())
		refuse(t, src, "K", kind)
		if n := len(s.Requests()) - before; f.Status != 0 && n != 4 { // a connection that breaks is tried again by net/http, too
			t.Errorf("%+v: %d attempts", f, n)
		}
		s.ClearFaults()
		expect(t, src, "K", "x")
	}
}

func TestAnswersThatAreFinal(t *testing.T) {
	s := baotest.New(t)
	s.PutKV("K", map[string]any{"value": "x"})
	src := open(t, s, root(s), nil)
	expect(t, src, "K", "x")
	for _, tc := range []struct {
		f    baotest.Fault
		kind fault.Kind
	}{
		{baotest.Fault{Status: 400, Body: `{"errors":["canary"]}`}, fault.Failed},
		{baotest.Fault{Status: 403, Body: `{"errors":["canary"]}`}, fault.Denied},
		{baotest.Fault{Status: 405}, fault.Failed},
		{baotest.Fault{Status: 307, Location: "http://127.0.0.1:1/v1/secret/data/K"}, fault.Unavailable},
		{baotest.Fault{Status: 200, Body: "<html>canary"}, fault.Failed},
		{baotest.Fault{Status: 200, Body: `{"data":{"value":"canary"}}`}, fault.Failed}, // version 1 of the engine
		{baotest.Fault{Status: 200, Body: `{"data":"canary"}`}, fault.Failed},
		{baotest.Fault{Status: 200, Body: `{}`}, fault.Failed},
		{baotest.Fault{Status: 200, Body: ` `}, fault.Failed},
		{baotest.Fault{Status: 200, Body: `{"data":{"data":{"value":"canary"},"metadata":{"version":1,"deletion_time":"canary"}}}`}, fault.Failed},
		{baotest.Fault{Status: 200, Body: `{"data":{"data":null,"metadata":{"version":1}}}`}, fault.NotFound},
		{baotest.Fault{Status: 200, Body: `{"data":{"data":{"value":"` + strings.Repeat("canary", 200_000) + `"},"metadata":{"version":1}}}`}, fault.TooLarge},
		{baotest.Fault{Status: 200, Body: `{"data":{"data":{"value":"` + strings.Repeat("canary", 20_000) + `"},"metadata":{"version":1}}}`}, fault.TooLarge},
	} {
		before := len(s.Requests())
		s.Inject(tc.f)
		refuse(t, src, "K", tc.kind)
		if n := len(s.Requests()) - before; n != 1 {
			t.Errorf("%.60v: %d requests", tc.f, n)
		}
	}
	expect(t, src, "K", "x")
}

func TestASealedServerSaysSo(t *testing.T) {
	s := baotest.New(t)
	src := open(t, s, root(s), nil)
	must(t, src.Health(t.Context()))
	s.Standby(true)
	must(t, src.Health(t.Context()))
	s.Standby(false)
	s.Seal()
	refuse(t, src, "K", fault.Unavailable, "sealed", "unseal")
	if err := src.Health(t.Context()); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "sealed") {
		t.Error(err)
	}
	fresh := baotest.NewUninitialized(t)
	if err := open(t, fresh, root(fresh), nil).Health(t.Context()); !strings.Contains(fmt.Sprint(err), "not initialised") {
		t.Error(err)
	}
}

func TestASlowServerIsGivenUp(t *testing.T) {
	s := baotest.New(t)
	s.PutKV("K", map[string]any{"value": "x"})
	src := open(t, s, root(s), func(o *openbao.Options) { o.Timeout = 30 * time.Millisecond; o.Attempts = 2 })
	expect(t, src, "K", "x")
	s.Inject(baotest.Fault{Status: 500, Delay: 5 * time.Second, Times: 2})
	refuse(t, src, "K", fault.Timeout)
	s.Inject(baotest.Fault{Status: 500, Delay: 5 * time.Second})
	expect(t, src, "K", "x")
}

func TestOnlyAllowedAddressesAreReached(t *testing.T) {
	s := baotest.New(t)
	src := open(t, s, root(s), func(o *openbao.Options) { o.Egress = egress.Policy{} })
	refuse(t, src, "K", fault.Denied, "is not allowed")
	if n := len(s.Requests()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

func TestTLS(t *testing.T) {
	s := baotest.NewTLS(t)
	s.PutKV("K", map[string]any{"value": "x"})
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	expect(t, open(t, s, root(s), func(o *openbao.Options) { o.CA = ca }), "K", "x")
	refuse(t, open(t, s, root(s), func(o *openbao.Options) { o.Attempts = 1 }), "K", fault.Unavailable, "certificate")
}

func TestOptions(t *testing.T) {
	token := openbao.Token{Value: sealed.NewString("t")}
	for name, o := range map[string]openbao.Options{
		"no address":      {Auth: token},
		"no auth":         {Address: "https://bao.internal"},
		"plain http":      {Address: "http://bao.internal:8200", Auth: token},
		"a path":          {Address: "https://bao.internal/v1", Auth: token},
		"user info":       {Address: "https://u:p@bao.internal", Auth: token},
		"a bad mount":     {Address: "https://bao.internal", Auth: token, Mount: "a/../b"},
		"a bad namespace": {Address: "https://bao.internal", Auth: token, Namespace: "a\nb"},
		"no token":        {Address: "https://bao.internal", Auth: openbao.Token{}},
		"no role id":      {Address: "https://bao.internal", Auth: openbao.AppRole{}},
		"two secret ids":  {Address: "https://bao.internal", Auth: openbao.AppRole{RoleID: token.Value, SecretID: token.Value, Wrapped: token.Value}},
		"a bad auth":      {Address: "https://bao.internal", Auth: openbao.AppRole{RoleID: token.Value, Mount: "a//b"}},
		"no role":         {Address: "https://bao.internal", Auth: openbao.Kubernetes{}},
		"no certificate":  {Address: "https://bao.internal", Auth: token, CA: []byte("canary")},
	} {
		if src, err := openbao.New(o); src != nil || !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", name, err)
		}
	}
	src, err := openbao.New(openbao.Options{Address: "https://bao.internal:8200", Auth: &token, Name: "hq"})
	if err != nil || src.Name() != "hq" {
		t.Error(err)
	}
	must(t, src.Close())
	if text := fmt.Sprintf("%+v %#v", src, openbao.Options{Auth: openbao.AppRole{RoleID: sealed.NewString("canary")}}); strings.Contains(text, "canary") {
		t.Error(text)
	}
}

// approle sets a role up and returns how to log in as it.
func approle(t *testing.T, s *baotest.Server, ttl, max string, uses int, rules string) openbao.AppRole {
	t.Helper()
	s.Admin(t, "PUT", "sys/policies/acl/tenant", map[string]any{"policy": rules})
	s.Do(t, "POST", "sys/auth/approle", map[string]string{"X-Vault-Token": s.RootToken}, map[string]any{"type": "approle"})
	s.Admin(t, "POST", "auth/approle/role/acme", map[string]any{"token_policies": "tenant", "token_ttl": ttl, "token_max_ttl": max, "secret_id_num_uses": uses})
	id := s.Admin(t, "GET", "auth/approle/role/acme/role-id", nil).Data("role_id").(string)
	secret := s.Admin(t, "POST", "auth/approle/role/acme/secret-id", map[string]any{}).Data("secret_id").(string)
	return openbao.AppRole{RoleID: sealed.NewString(id), SecretID: sealed.NewString(secret)}
}

const readAcme = `path "secret/data/acme/*" { capabilities=["read"] }`

func logins(s *baotest.Server) int { return len(s.Requests("auth/", "/login")) }

func TestAppRoleReadsItsOwnAndNothingElse(t *testing.T) {
	s := baotest.New(t)
	s.PutKV("acme/K", map[string]any{"value": "own"})
	s.PutKV("globex/K", map[string]any{"value": "canary"})
	src := open(t, s, approle(t, s, "20s", "60s", 1, readAcme), nil)
	expect(t, src, "acme/K", "own")
	for range 20 {
		refuse(t, src, "globex/K", fault.Denied, "policies")
	}
	if _, err := src.List(t.Context(), "acme/"); !fault.Is(err, fault.Denied) {
		t.Errorf("list: %v", err)
	}
	expect(t, src, "acme/K", "own")
	if n := logins(s); n != 1 {
		t.Errorf("%d logins", n)
	}
}

// TestARefusedPathIsNoReasonToLogInForEver: a token that may not even look itself up cannot tell why it is refused.
func TestARefusedPathIsNoReasonToLogInForEver(t *testing.T) {
	s := baotest.New(t)
	s.PutKV("acme/K", map[string]any{"value": "own"})
	auth := approle(t, s, "20s", "60s", 0, readAcme)
	s.Admin(t, "POST", "auth/approle/role/acme", map[string]any{"token_no_default_policy": true})
	src := open(t, s, auth, nil)
	for range 20 {
		refuse(t, src, "globex/K", fault.Denied)
	}
	if n := logins(s); n > 2 {
		t.Errorf("%d logins", n)
	}
	expect(t, src, "acme/K", "own")
}

func TestARevokedTokenIsReplacedOnce(t *testing.T) {
	s := baotest.New(t)
	s.PutKV("acme/K", map[string]any{"value": "x"})
	src := open(t, s, approle(t, s, "20s", "60s", 0, readAcme), nil)
	expect(t, src, "acme/K", "x")
	for n := 2; n <= 4; n++ {
		s.RevokeAll()
		expect(t, src, "acme/K", "x")
		if got := logins(s); got != n {
			t.Errorf("%d logins, want %d", got, n)
		}
	}
	s.Advance(time.Minute) // the server's clock says that it has ended
	expect(t, src, "acme/K", "x")
	if got := logins(s); got != 5 {
		t.Errorf("%d logins", got)
	}
}

func TestManyReadersLogInOnce(t *testing.T) {
	s := baotest.New(t)
	s.PutKV("acme/K", map[string]any{"value": "x"})
	src := open(t, s, approle(t, s, "20s", "60s", 0, readAcme), nil)
	for n := 1; n <= 2; n++ {
		var wg sync.WaitGroup
		for range 30 {
			wg.Go(func() { expect(t, src, "acme/K", "x") })
		}
		wg.Wait()
		if got := logins(s); got != n {
			t.Errorf("%d logins, want %d", got, n)
		}
		s.RevokeAll()
	}
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not in time: " + what)
		}
	}
}

func renewals(s *baotest.Server) (n int) {
	for _, r := range s.Requests("auth/token/renew-self") {
		if r.Status == 200 {
			n++
		}
	}
	return n
}

// TestATokenIsRenewedBeforeItEnds, and at the end of what it may ever live, there is another one in time. No reader notices,
// and nobody needs to read for it to happen.
func TestATokenIsRenewedBeforeItEnds(t *testing.T) {
	s := baotest.New(t)
	s.PutKV("acme/K", map[string]any{"value": "x"})
	src := open(t, s, approle(t, s, "1s", "3s", 0, readAcme), nil)
	expect(t, src, "acme/K", "x")
	waitFor(t, "two renewals", func() bool { return renewals(s) >= 2 })
	if n := logins(s); n != 1 {
		t.Errorf("%d logins", n)
	}
	waitFor(t, "a second login", func() bool { expect(t, src, "acme/K", "x"); return logins(s) >= 2 })
	for _, r := range s.Requests() {
		if r.Status == 403 {
			t.Errorf("%s %s was refused", r.Method, r.Path)
		}
	}
}

// TestASecretIDThatIsUsedUp: the token is renewed, not logged in for anew, as long as that helps.
func TestASecretIDThatIsUsedUp(t *testing.T) {
	s := baotest.New(t)
	s.PutKV("acme/K", map[string]any{"value": "x"})
	src := open(t, s, approle(t, s, "1s", "2s", 1, readAcme), func(o *openbao.Options) { o.Backoff = 50 * time.Millisecond })
	expect(t, src, "acme/K", "x")
	waitFor(t, "a renewal", func() bool { return renewals(s) >= 1 })
	expect(t, src, "acme/K", "x")
	waitFor(t, "the end", func() bool { _, err := src.Get(t.Context(), "acme/K"); return err != nil })
	refuse(t, src, "acme/K", fault.Denied, "LoginRefused", "used up")
}

func TestARefusedLogin(t *testing.T) {
	s := baotest.New(t)
	good := approle(t, s, "20s", "60s", 0, readAcme)
	for name, auth := range map[string]openbao.Auth{
		"a wrong secret id": openbao.AppRole{RoleID: good.RoleID, SecretID: sealed.NewString("canary")},
		"a wrong role id":   openbao.AppRole{RoleID: sealed.NewString("canary"), SecretID: good.SecretID},
		"no secret id":      openbao.AppRole{RoleID: good.RoleID},
	} {
		t.Run(name, func(t *testing.T) { refuse(t, open(t, s, auth, nil), "acme/K", fault.Denied, "LoginRefused", s.URL) })
	}
	refuse(t, open(t, s, openbao.AppRole{RoleID: good.RoleID, SecretID: good.SecretID, Mount: "elsewhere"}, nil), "acme/K", fault.NotFound)
	if _, err := open(t, s, openbao.AppRole{RoleID: good.RoleID, Mount: "elsewhere"}, nil).Get(t.Context(), "K"); errors.Is(err, source.ErrKeyNotFound) {
		t.Error("a login that does not exist is a missing key")
	}
	s.Inject(baotest.Fault{Status: 200, Body: `{"auth":{"client_token":""}}`, Path: "login"})
	refuse(t, open(t, s, good, nil), "acme/K", fault.Failed, "without a token")
}

func TestAWrappedSecretID(t *testing.T) {
	s := baotest.New(t)
	s.PutKV("acme/K", map[string]any{"value": "x"})
	good := approle(t, s, "1s", "1s", 0, readAcme)
	wrap := func(method, path string) sealed.Value {
		a := s.Do(t, method, path, map[string]string{"X-Vault-Token": s.RootToken, "X-Vault-Wrap-TTL": "60s"}, map[string]any{})
		return sealed.NewString(a.Body["wrap_info"].(map[string]any)["token"].(string))
	}
	src := open(t, s, &openbao.AppRole{RoleID: good.RoleID, Wrapped: wrap("POST", "auth/approle/role/acme/secret-id")}, nil)
	expect(t, src, "acme/K", "x")
	waitFor(t, "a second login", func() bool { return logins(s) >= 2 })
	expect(t, src, "acme/K", "x")
	if n := len(s.Requests("sys/wrapping/unwrap")); n != 1 {
		t.Errorf("unwrapped %d times", n)
	}

	opened := wrap("POST", "auth/approle/role/acme/secret-id")
	s.Do(t, "POST", "sys/wrapping/unwrap", map[string]string{"X-Vault-Token": string(reveal.Inside(opened))}, nil)
	refuse(t, open(t, s, openbao.AppRole{RoleID: good.RoleID, Wrapped: opened}, nil), "acme/K", fault.Denied, "WrapSpent", "somebody")
	foreign := wrap("GET", "secret/data/acme/K")
	refuse(t, open(t, s, openbao.AppRole{RoleID: good.RoleID, Wrapped: foreign}, nil), "acme/K", fault.Denied, "WrapForeign")
	if n := len(s.Requests("sys/wrapping/unwrap")); n != 2 {
		t.Errorf("unwrapped %d times, one of them by the test", n)
	}
}

func TestKubernetes(t *testing.T) {
	s := baotest.New(t)
	s.PutKV("acme/K", map[string]any{"value": "x"})
	s.Admin(t, "PUT", "sys/policies/acl/tenant", map[string]any{"policy": readAcme})
	s.Admin(t, "POST", "sys/auth/kubernetes", map[string]any{"type": "kubernetes"})
	s.Admin(t, "POST", "auth/kubernetes/role/app", map[string]any{"bound_service_account_names": "hayward", "bound_service_account_namespaces": []string{"prod"},
		"token_policies": "tenant", "token_ttl": "20s"})
	s.AcceptJWT("jwt-canary-1", "hayward", "prod")
	s.AcceptJWT("jwt-canary-2", "hayward", "prod")
	s.AcceptJWT("jwt-canary-other", "hayward", "dev")
	file := filepath.Join(t.TempDir(), "token")
	auth := openbao.Kubernetes{Role: "app", File: file}
	src := open(t, s, auth, nil)
	refuse(t, src, "acme/K", fault.Unavailable, "service account")
	must(t, os.WriteFile(file, []byte("jwt-canary-1\n"), 0o600))
	expect(t, src, "acme/K", "x")
	must(t, os.WriteFile(file, []byte("jwt-canary-2"), 0o600)) // the kubelet writes a new one every hour
	s.RevokeAll()
	expect(t, src, "acme/K", "x")
	must(t, os.WriteFile(file, []byte("jwt-canary-other"), 0o600))
	s.RevokeAll()
	refuse(t, src, "acme/K", fault.Denied, "LoginRefused")
	must(t, os.WriteFile(file, []byte(strings.Repeat("canary", 20_000)), 0o600))
	refuse(t, src, "acme/K", fault.Unavailable, "too long")
	refuse(t, open(t, s, openbao.Kubernetes{Role: "nope", File: file}, nil), "acme/K", fault.Unavailable)
}

func TestAGivenTokenIsRenewedWhileTheServerAllows(t *testing.T) {
	s := baotest.New(t)
	s.PutKV("acme/K", map[string]any{"value": "x"})
	s.Admin(t, "PUT", "sys/policies/acl/tenant", map[string]any{"policy": readAcme})
	create := func(body map[string]any) openbao.Token {
		return openbao.Token{Value: sealed.NewString(s.Admin(t, "POST", "auth/token/create", body).Auth("client_token").(string))}
	}
	periodic := open(t, s, create(map[string]any{"policies": "tenant", "period": "1s"}), nil)
	expect(t, periodic, "acme/K", "x")
	waitFor(t, "three renewals", func() bool { return renewals(s) >= 3 })
	expect(t, periodic, "acme/K", "x")

	bounded := open(t, s, create(map[string]any{"policies": "tenant", "ttl": "1s", "explicit_max_ttl": "1s"}), nil)
	expect(t, bounded, "acme/K", "x")
	waitFor(t, "its end", func() bool { _, err := bounded.Get(t.Context(), "acme/K"); return err != nil })
	refuse(t, bounded, "acme/K", fault.Denied, "ended")

	bare := open(t, s, create(map[string]any{"policies": "tenant", "no_default_policy": true}), nil)
	expect(t, bare, "acme/K", "x")
	refuse(t, open(t, s, openbao.Token{Value: sealed.NewString("s.canary")}, nil), "acme/K", fault.Denied)
}

func TestClosingEndsEverything(t *testing.T) {
	s := baotest.New(t)
	s.PutKV("acme/K", map[string]any{"value": "x"})
	src := open(t, s, approle(t, s, "1s", "1h", 0, readAcme), nil)
	expect(t, src, "acme/K", "x")
	must(t, src.Close())
	n := len(s.Requests())
	time.Sleep(1200 * time.Millisecond)
	if got := len(s.Requests()); got != n {
		t.Errorf("%d requests after closing", got-n)
	}
	refuse(t, src, "acme/K", fault.Unavailable, "closed")
}
