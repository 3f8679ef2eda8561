package transit_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/keyring/transit"
	"github.com/haywardhq/hayward/vault/source/openbao"
	"github.com/haywardhq/hayward/vault/source/openbao/baotest"
	"github.com/haywardhq/hayward/vault/store/memory"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"), goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"))
}

// rules are the least that a root key needs.
const rules = `path "+/encrypt/hayward" { capabilities=["update"] }
path "+/decrypt/hayward" { capabilities=["update"] }`

// newServer returns a server with a transit engine, its key hayward, and a policy for it.
func newServer(t *testing.T) *baotest.Server {
	s := baotest.New(t)
	for _, mount := range []string{"transit", "deep/mount"} {
		s.Admin(t, "POST", "sys/mounts/"+mount, map[string]any{"type": "transit"})
		s.Admin(t, "POST", mount+"/keys/hayward", nil)
	}
	s.Admin(t, "PUT", "sys/policies/acl/root-key", map[string]any{"policy": rules + strings.ReplaceAll(rules, "+", "deep/mount")})
	return s
}

func token(t *testing.T, s *baotest.Server, body map[string]any) openbao.Token {
	t.Helper()
	body["policies"] = "root-key"
	return openbao.Token{Value: sealed.NewString(s.Admin(t, "POST", "auth/token/create", body).Auth("client_token").(string))}
}

func appRole(t *testing.T, s *baotest.Server, ttl string) openbao.AppRole {
	t.Helper()
	s.Do(t, "POST", "sys/auth/approle", map[string]string{"X-Vault-Token": s.RootToken}, map[string]any{"type": "approle"}) // it may be there
	s.Admin(t, "POST", "auth/approle/role/hayward", map[string]any{"token_policies": "root-key", "token_ttl": ttl, "token_max_ttl": "1h"})
	id := s.Admin(t, "GET", "auth/approle/role/hayward/role-id", nil).Data("role_id").(string)
	secret := s.Admin(t, "POST", "auth/approle/role/hayward/secret-id", map[string]any{}).Data("secret_id").(string)
	return openbao.AppRole{RoleID: sealed.NewString(id), SecretID: sealed.NewString(secret)}
}

func kubernetes(t *testing.T, s *baotest.Server) openbao.Kubernetes {
	t.Helper()
	s.Admin(t, "POST", "sys/auth/kubernetes", map[string]any{"type": "kubernetes"})
	s.Admin(t, "POST", "auth/kubernetes/role/hayward", map[string]any{"bound_service_account_names": "hayward", "bound_service_account_namespaces": "prod",
		"token_policies": "root-key", "token_ttl": "1h"})
	s.AcceptJWT("jwt-canary", "hayward", "prod")
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("jwt-canary\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return openbao.Kubernetes{Role: "hayward", File: file}
}

func open(t *testing.T, address string, auth openbao.Auth, change func(*transit.Options)) *transit.KMS {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	p, err := egress.NewPolicy(u.Host)
	if err != nil {
		t.Fatal(err)
	}
	o := transit.Options{Address: address, Key: "hayward", Auth: auth, Egress: p, Pause: time.Millisecond}
	if change != nil {
		change(&o)
	}
	k, err := transit.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
	return k
}

func TestARootKeyUnderTransit(t *testing.T) {
	s := newServer(t)
	for name, tc := range map[string]struct {
		auth  openbao.Auth
		mount string
	}{
		"token": {token(t, s, map[string]any{"ttl": "1h"}), ""}, "mount": {token(t, s, map[string]any{"period": "1h"}), "deep/mount"},
		"approle": {appRole(t, s, "1h"), ""}, "kubernetes": {kubernetes(t, s), ""},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "root.key")
			st := memory.New()
			p := keyring.WrappedRoot(path, open(t, s.URL, tc.auth, func(o *transit.Options) { o.Mount = tc.mount }), nil)
			r, err := keyring.Open(t.Context(), st, p)
			if err != nil {
				t.Fatal(err)
			}
			mount := "transit"
			if tc.mount != "" {
				mount = tc.mount
			}
			s.Admin(t, "POST", mount+"/keys/hayward/rotate", nil) // what the former version wrapped still opens
			asked := len(s.Requests())
			if again, err := keyring.Open(t.Context(), st, p); err != nil || again.RootID() != r.RootID() || len(s.Requests()) != asked+1 {
				t.Errorf("%v, asked %d times", err, len(s.Requests())-asked)
			}
			if _, err := r.RotateRoot(t.Context()); err != nil {
				t.Error(err)
			}
			if again, err := keyring.Open(t.Context(), st, p); err != nil || again.RootID() != r.RootID() {
				t.Error(err)
			}
		})
	}
}

// A root key that is changed long after the start finds a login that is alive: it was renewed, or is made anew.
func TestTheLoginStaysAlive(t *testing.T) {
	s := newServer(t)
	for name, auth := range map[string]func() openbao.Auth{
		"token":   func() openbao.Auth { return token(t, s, map[string]any{"period": "1s"}) },
		"approle": func() openbao.Auth { return appRole(t, s, "1s") },
	} {
		k := open(t, s.URL, auth(), nil)
		ct, err := k.Wrap(t.Context(), []byte("plain"), "here")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		renewed := len(s.Requests("renew-self"))
		for end := time.Now().Add(20 * time.Second); len(s.Requests("renew-self")) < renewed+2 && time.Now().Before(end); {
			time.Sleep(10 * time.Millisecond)
		}
		if pt, err := k.Unwrap(t.Context(), ct, "here"); err != nil || string(pt) != "plain" || len(s.Requests("renew-self")) < renewed+2 {
			t.Errorf("%s: %q, %v", name, pt, err)
		}
	}
	k := open(t, s.URL, appRole(t, s, "1h"), nil)
	ct, err := k.Wrap(t.Context(), []byte("plain"), "here")
	if err != nil {
		t.Fatal(err)
	}
	s.RevokeAll()
	if pt, err := k.Unwrap(t.Context(), ct, "here"); err != nil || string(pt) != "plain" {
		t.Errorf("after every token was revoked: %q, %v", pt, err)
	}
}

func TestWhatDoesNotUnwrap(t *testing.T) {
	s := newServer(t)
	good := token(t, s, map[string]any{"ttl": "1h"})
	k := open(t, s.URL, good, nil)
	ct, err := k.Wrap(t.Context(), []byte("plain"), "here")
	if err != nil || bytes.Contains(ct, []byte("plain")) {
		t.Fatal(err)
	}
	s.Inject(baotest.Fault{Status: 503, Times: 2})
	if pt, err := k.Unwrap(t.Context(), ct, "here"); err != nil || string(pt) != "plain" {
		t.Errorf("a server that was sealed for a moment: %q, %v", pt, err)
	}
	s.Seal()
	if _, err := k.Unwrap(t.Context(), ct, "here"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a sealed server: %v", err)
	}
	s.Unseal()
	for name, tc := range map[string]struct {
		auth   openbao.Auth
		change func(*transit.Options)
		ct     []byte
		aad    string
		kind   fault.Kind
	}{
		"another place": {good, nil, ct, "there", fault.Failed}, "changed": {good, nil, append(bytes.Clone(ct), '='), "here", fault.Failed},
		"nonsense":    {good, nil, []byte("x"), "here", fault.Failed},
		"another key": {good, func(o *transit.Options) { o.Key = "other" }, ct, "here", fault.Denied},
		"bad token":   {openbao.Token{Value: sealed.NewString("s.canary")}, nil, ct, "here", fault.Denied},
		"namespace":   {good, func(o *transit.Options) { o.Namespace = "team/b" }, ct, "here", fault.Denied},
		"no engine":   {openbao.Token{Value: sealed.NewString(s.RootToken)}, func(o *transit.Options) { o.Mount = "nowhere" }, ct, "here", fault.Denied},
		"not allowed": {good, func(o *transit.Options) { o.Egress = egress.Policy{} }, ct, "here", fault.Denied},
	} {
		pt, err := open(t, s.URL, tc.auth, tc.change).Unwrap(t.Context(), tc.ct, tc.aad)
		if !fault.Is(err, tc.kind) || pt != nil || strings.Contains(fmt.Sprint(err, fault.From(err).Hint), "canary") {
			t.Errorf("%s: %q, %v (%v)", name, pt, err, fault.KindOf(err))
		}
	}
}

func TestOddAnswers(t *testing.T) {
	for _, body := range []string{``, `{}`, `{"data":null}`, `{"data":[]}`, `{"data":{"ciphertext":7}}`, `{"data":{"ciphertext":"x"}}`, `<html>`, strings.Repeat(" ", 1<<17)} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }))
		if ct, err := open(t, s.URL, openbao.Token{Value: sealed.NewString("t")}, nil).Wrap(t.Context(), []byte("p"), "a"); err == nil {
			t.Errorf("%.20q: %q", body, ct)
		}
		s.Close()
	}
}

func TestOptions(t *testing.T) {
	good := transit.Options{Address: "https://bao.example:8200", Key: "hayward", Auth: openbao.Token{Value: sealed.NewString("t")}}
	for name, change := range map[string]func(*transit.Options){
		"address": func(o *transit.Options) { o.Address = "" }, "path": func(o *transit.Options) { o.Address += "/v1" }, "key": func(o *transit.Options) { o.Key = "" },
		"dots": func(o *transit.Options) { o.Key = ".." }, "slash": func(o *transit.Options) { o.Key = "a/b" }, "mount": func(o *transit.Options) { o.Mount = "a/../sys" },
		"namespace": func(o *transit.Options) { o.Namespace = "a\nb" }, "token": func(o *transit.Options) { o.Auth = openbao.Token{} },
		"no login": func(o *transit.Options) { o.Auth = nil }, "in clear": func(o *transit.Options) { o.Address = "http://bao.example:8200" },
		"not PEM": func(o *transit.Options) { o.CA = []byte("x") },
	} {
		o := good
		change(&o)
		if _, err := transit.New(o); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	good.Namespace = "team/a/"
	k, err := transit.New(good)
	if err != nil || k.Name() != "transit:https://bao.example:8200/team/a/transit/hayward" {
		t.Errorf("%v %v", k.Name(), err)
	}
	if err := k.Close(); err != nil {
		t.Error(err)
	}
}
