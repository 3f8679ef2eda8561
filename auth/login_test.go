package auth_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/haywardhq/hayward/auth"
	"github.com/haywardhq/hayward/auth/identity"
	"github.com/haywardhq/hayward/auth/limit"
	"github.com/haywardhq/hayward/auth/password"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
)

func TestALoginAnswersWithAToken(t *testing.T) {
	h := newHouse(t)
	tok, err := h.Login(t.Context(), h.form("Bob", secret, "192.0.2.1"))
	h.must(err)
	if tok.TokenType != "bearer" || tok.ExpiresIn != 1800 || tok.Scope != "tenant:acme" {
		t.Errorf("got %+v", tok)
	}
	id := h.who(string(reveal.Inside(tok.AccessToken)))
	if id.App != h.app || id.TenantID != h.acme.ID || id.TenantSlug != "acme" || id.UserID != h.bob.ID || id.UserName != "bob" ||
		id.Roles.String() != "editor" || id.Operator || !strings.HasPrefix(id.GrantID, "gr_") || id.Expires.Unix() != 1_800_001_800 {
		t.Errorf("got %+v", id)
	}
	if c := id.Caller("192.0.2.1", "req_1"); c.App != h.app || c.Tenant != h.acme.ID || c.User != h.bob.ID || c.IP != "192.0.2.1" {
		t.Errorf("got %+v", c)
	}
	var body map[string]any
	if err := json.Unmarshal(tok.AppendJSON(nil), &body); err != nil {
		t.Fatal(err)
	}
	if body["access_token"] != string(reveal.Inside(tok.AccessToken)) || body["token_type"] != "bearer" ||
		body["expires_in"] != 1800.0 || body["scope"] != "tenant:acme" || len(body) != 4 {
		t.Errorf("body %v", body)
	}
	if text, err := json.Marshal(tok); err == nil || strings.Contains(string(text)+fmt.Sprintf("%+v", tok), "eyJ") {
		t.Errorf("the token is printed: %s", text)
	}
	me, err := h.Me(t.Context(), id)
	h.must(err)
	text, _ := json.Marshal(me)
	want := `{"id":"` + h.bob.ID + `","username":"bob","email":"bob@example.com","full_name":"The bob","disabled":false,` +
		`"operator":false,"tenant":"acme","roles":["editor"]}`
	if string(text) != want {
		t.Errorf("me:\n got %s\nwant %s", text, want)
	}
}

func TestTheFormsFields(t *testing.T) {
	h := newHouse(t)
	full := h.form("bob", secret, "192.0.2.1")
	for _, tc := range []struct {
		name   string
		change func(*auth.Request)
		want   string // field:type of every error
	}{
		{"nothing", func(r *auth.Request) { r.Username, r.Password = "", sealed.Value{} }, "username:missing password:missing"},
		{"no username", func(r *auth.Request) { r.Username = "" }, "username:missing"},
		{"no password", func(r *auth.Request) { r.Password = sealed.Value{} }, "password:missing"},
		{"empty password", func(r *auth.Request) { r.Password = sealed.NewString("") }, "password:missing"},
		{"another grant", func(r *auth.Request) { r.GrantType = "client_credentials" }, "grant_type:string_pattern_mismatch"},
		{"grant in capitals", func(r *auth.Request) { r.GrantType = "PASSWORD" }, "grant_type:string_pattern_mismatch"},
		{"grant and name", func(r *auth.Request) { r.GrantType, r.Username = "x", "" }, "grant_type:string_pattern_mismatch username:missing"},
		{"huge username", func(r *auth.Request) { r.Username = strings.Repeat("u", 513) }, "username:string_too_long"},
		{"huge password", func(r *auth.Request) { r.Password = sealed.New(make([]byte, 1025)) }, "password:string_too_long"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := full
			tc.change(&r)
			_, err := h.Login(t.Context(), r)
			var fields *auth.FieldErrors
			if !fault.Is(err, fault.Invalid) || !errors.As(err, &fields) {
				t.Fatalf("got %v", err)
			}
			var got []string
			for _, f := range fields.Fields {
				got = append(got, f.Field+":"+f.Type)
				if f.Message == "" {
					t.Errorf("%s has no message", f.Field)
				}
			}
			if strings.Join(got, " ") != tc.want {
				t.Errorf("got %v, want %s", got, tc.want)
			}
		})
	}
	if n := h.Passwords.Runs(); n != 3 { // the three users' own hashes
		t.Errorf("%d hashes computed for forms that are not whole", n-3)
	}
	full.GrantType = "password"
	if _, err := h.Login(t.Context(), full); err != nil {
		t.Errorf("grant_type=password: %v", err)
	}
}

func TestRow1TheScopeChoosesAmongTheUsersOwnTenants(t *testing.T) {
	h := newHouse(t)
	h.must(h.Identity.SetMembership(t.Context(), h.app, h.acme.ID, h.eve.ID, 1))
	suspended, err := h.Identity.CreateTenant(t.Context(), h.app, "suspended", "")
	h.must(err)
	h.must(h.Identity.SetMembership(t.Context(), h.app, suspended.ID, h.bob.ID, 1))
	h.must(h.Identity.SetTenantDisabled(t.Context(), h.app, suspended.ID, true))
	h.user("lonely", h.acme, 1)
	lonely, _ := h.Identity.UserByName(t.Context(), h.app, "lonely")
	h.must(h.Identity.RemoveMembership(t.Context(), h.app, h.acme.ID, lonely.ID))

	var foreign []string
	for _, tc := range []struct{ user, scope, want string }{
		{"bob", "", "tenant:acme"},
		{"bob", "  tenant:acme ", "tenant:acme"},
		{"eve", "", "tenant:globex"},
		{"eve", "tenant:acme", "tenant:acme"},
		{"root", "", ""},
		{"bob", "tenant:globex", "foreign"},
		{"bob", "tenant:nosuch", "foreign"},
		{"bob", "tenant:suspended", "foreign"},
		{"root", "tenant:acme", "error"},
		{"lonely", "", "error"},
		{"bob", "tenant:", "error"},
		{"bob", "tenant:ACME", "error"},
		{"bob", "tenant:acme tenant:globex", "error"},
		{"bob", "admin", "error"},
		{"bob", "tenant:acme openid", "error"},
		{"bob", "tenant:../x", "error"},
	} {
		r := h.form(tc.user, secret, "192.0.2.1")
		r.Scope = tc.scope
		tok, err := h.Login(t.Context(), r)
		if tc.want == "foreign" || tc.want == "error" {
			if f := fault.From(err); !fault.Is(err, fault.Invalid) || f.Code != "invalid_scope" {
				t.Errorf("%s with %q: %v, want invalid_scope", tc.user, tc.scope, err)
			} else if tc.want == "foreign" {
				foreign = append(foreign, err.Error()+f.Hint)
			}
			continue
		}
		if err != nil || tok.Scope != tc.want {
			t.Errorf("%s with %q: %q, %v", tc.user, tc.scope, tok.Scope, err)
		}
	}
	for _, f := range foreign {
		if f != foreign[0] {
			t.Errorf("another's tenant and no tenant differ: %q, %q", f, foreign[0])
		}
	}
	r := h.form("bob", "wrong password", "192.0.2.9")
	r.Scope = "tenant:globex"
	if _, err := h.Login(t.Context(), r); !errors.Is(err, auth.ErrCredentials) {
		t.Errorf("a wrong password learns about tenants: %v", err)
	}
}

func TestRow8NobodyLearnsWhoExists(t *testing.T) {
	h := newHouse(t)
	h.user("gone", h.acme, 1)
	gone, _ := h.Identity.UserByName(t.Context(), h.app, "gone")
	h.must(h.Identity.DeleteUser(t.Context(), h.app, gone.ID))
	off := h.user("off", h.acme, 1)
	h.must(h.Identity.SetUserDisabled(t.Context(), h.app, off.ID, true))
	_, err := h.CreateUser(t.Context(), h.app, identity.NewUser{Name: "federated"}, sealed.Value{})
	h.must(err)
	damaged := h.user("damaged", h.acme, 1)
	h.must(h.Identity.SetPasswordHash(t.Context(), h.app, damaged.ID, "{SHA}nonsense"))

	for i, tc := range []struct{ name, pw string }{
		{"bob", "wrong password"},
		{"nobody", secret},
		{"gone", secret},
		{"off", secret},
		{"off", "wrong password"},
		{"federated", secret},
		{"damaged", secret},
		{"b\u200bob", secret}, // not a name at all
		{"' OR 1=1 --", secret},
	} {
		before := h.Passwords.Runs()
		_, err := h.Login(t.Context(), h.form(tc.name, tc.pw, fmt.Sprintf("192.0.2.%d", i)))
		if !errors.Is(err, auth.ErrCredentials) || err.Error() != "Incorrect username or password" {
			t.Errorf("%q: got %v", tc.name, err)
		}
		if got := h.Passwords.Runs() - before; got != 1 {
			t.Errorf("%q: %d hashes computed, want 1", tc.name, got)
		}
	}
}

func TestRow9EverySpellingReachesOneCounter(t *testing.T) {
	h := newHouse(t)
	for _, name := range []string{"bob", "Bob", "BOB", "ｂｏｂ", "bOb"} {
		if _, err := h.Login(t.Context(), h.form(name, "wrong password", "192.0.2.1")); !errors.Is(err, auth.ErrCredentials) {
			t.Fatalf("%s: %v", name, err)
		}
	}
	runs := h.Passwords.Runs()
	for _, pw := range []string{"wrong password", secret} {
		_, err := h.Login(t.Context(), h.form("boB", pw, "192.0.2.1"))
		after, ok := auth.RetryAfter(err)
		if !fault.Is(err, fault.Limited) || !ok || after != 3*time.Minute {
			t.Errorf("got %v, wait %v", err, after)
		}
	}
	if h.Passwords.Runs() != runs {
		t.Error("a throttled login looked at the password")
	}
	h.advance(3 * time.Minute)
	if _, err := h.Login(t.Context(), h.form("bob", secret, "192.0.2.1")); err != nil {
		t.Errorf("after the wait: %v", err)
	}
}

func TestRow10TheOwnerLogsInWhileHisNameIsHammered(t *testing.T) {
	h := newHouse(t)
	home := h.form("bob", secret, "203.0.113.7")
	_, err := h.Login(t.Context(), home)
	h.must(err)
	throttled := 0
	for i := range 60 {
		_, err := h.Login(t.Context(), h.form("bob", "guess number "+fmt.Sprint(i), fmt.Sprintf("198.51.100.%d", i)))
		if fault.Is(err, fault.Limited) {
			throttled++
		}
	}
	if throttled != 49 { // ten are free, the eleventh starts the delay
		t.Errorf("%d of 60 guesses were throttled, want 49", throttled)
	}
	if _, err := h.Login(t.Context(), home); err != nil {
		t.Errorf("the owner is locked out: %v", err)
	}
}

func TestRow11ParallelGuessesDoNotOvertakeTheCount(t *testing.T) {
	h := newHouse(t)
	before := h.Passwords.Runs()
	var wg sync.WaitGroup
	var limited atomic.Int64
	for range 100 {
		wg.Go(func() {
			_, err := h.Login(t.Context(), h.form("bob", "wrong password", "192.0.2.1"))
			if _, ok := auth.RetryAfter(err); ok && fault.Is(err, fault.Limited) {
				limited.Add(1)
			} else if !errors.Is(err, auth.ErrCredentials) {
				t.Errorf("got %v", err)
			}
		})
	}
	wg.Wait()
	if runs := h.Passwords.Runs() - before; runs != 5 || limited.Load() != 95 {
		t.Errorf("%d hashes, %d throttled, want 5 and 95", runs, limited.Load())
	}
}

func TestAFullQueueIsNotAFailedLogin(t *testing.T) {
	h := newHouse(t, func(c *auth.Config) {
		c.Password.Slots, c.Password.Queue = 1, 1
		c.Password.Params = password.Params{Memory: 1 << 10, Time: 2, Threads: 1, Salt: 16, Key: 32}
	})
	var others sync.WaitGroup
	var stop atomic.Bool
	for range 8 { // they keep the slot and the queue full
		others.Go(func() {
			for !stop.Load() {
				h.Passwords.VerifyNothing(t.Context(), sealed.NewString("x"))
				runtime.Gosched()
			}
		})
	}
	busy := 0
	for tries := 0; busy < 10 && tries < 10_000; tries++ {
		_, err := h.Login(t.Context(), h.form("bob", secret, "192.0.2.1"))
		if fault.Is(err, fault.Unavailable) {
			busy++
			if _, ok := auth.RetryAfter(err); !ok {
				t.Errorf("no time to retry: %v", err)
			}
		} else if err != nil {
			t.Errorf("got %v", err)
		}
	}
	stop.Store(true)
	others.Wait()
	if busy < 10 {
		t.Errorf("turned away %d times, want 10", busy)
	}
	if _, err := h.Login(t.Context(), h.form("bob", secret, "192.0.2.1")); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestAnImportedHashIsReplacedAtLoginAndTokensLive(t *testing.T) {
	h := newHouse(t)
	const passlib = "$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW" // "secret"
	u, err := h.CreateUser(t.Context(), h.app, identity.NewUser{Name: "johndoe", PasswordHash: passlib}, sealed.Value{})
	h.must(err)
	h.must(h.Identity.SetMembership(t.Context(), h.app, h.acme.ID, u.ID, 1))
	tok, err := h.Login(t.Context(), h.form("johndoe", "secret", "192.0.2.1"))
	h.must(err)
	_, hash, err := h.Identity.Credential(t.Context(), h.app, "johndoe")
	h.must(err)
	if !strings.HasPrefix(hash, "$argon2id$") {
		t.Errorf("the hash is still %s", hash[:4])
	}
	h.who(string(reveal.Inside(tok.AccessToken)))
	if _, err := h.Login(t.Context(), h.form("johndoe", "secret", "192.0.2.1")); err != nil {
		t.Errorf("with the new hash: %v", err)
	}
	for _, bad := range []string{"plain", "$argon2id$v=19$m=4294967295,t=1,p=1$AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAA"} {
		if _, err := h.CreateUser(t.Context(), h.app, identity.NewUser{Name: "other", PasswordHash: bad}, sealed.Value{}); !fault.Is(err, fault.Invalid) {
			t.Errorf("importing %q: %v", bad, err)
		}
	}
}

func TestALoginWithoutAVerdictIsNotCounted(t *testing.T) {
	h := newHouse(t)
	gone, leave := context.WithCancel(t.Context())
	leave()
	for range 30 {
		if _, err := h.Login(gone, h.form("bob", secret, "192.0.2.1")); !fault.Is(err, fault.Canceled) {
			t.Fatalf("got %v", err)
		}
	}
	if _, err := h.Login(t.Context(), h.form("bob", secret, "192.0.2.1")); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestChangingTheOwnPassword(t *testing.T) {
	h := newHouse(t)
	tok := h.login("bob")
	id, from := h.who(tok), auth.Origin{IP: "192.0.2.1"}
	h.audit.take()
	change := func(current, fresh string) error {
		return h.ChangePassword(t.Context(), id, sealed.NewString(current), sealed.NewString(fresh), from)
	}
	for name, err := range map[string]error{
		"too short":     change(secret, "short"),
		"wrong current": change("wrong password", "another password"),
		"huge current":  change(strings.Repeat("x", 2000), "another password"),
	} {
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	h.who(tok)
	h.must(change(secret, "another password"))
	h.refused("after the change", tok)
	var got []string
	for _, e := range h.audit.take() {
		got = append(got, e.Action+" "+e.Outcome+" "+e.Reason)
	}
	if want := "auth.password.change denied wrong_password, auth.password.change ok "; strings.Join(got, ", ") != want {
		t.Errorf("recorded %q, want %q", strings.Join(got, ", "), want)
	}
	if _, err := h.Login(t.Context(), h.form("bob", "another password", "192.0.2.1")); err != nil {
		t.Errorf("with the new password: %v", err)
	}
	for range 6 {
		change("wrong password", "another password")
	}
	if err := change("another password", "a third password"); !fault.Is(err, fault.Limited) {
		t.Errorf("guesses through the change of password are not counted: %v", err)
	}
}

func TestRow48AQuotaIsRefusedWithATimeToRetry(t *testing.T) {
	h := newHouse(t)
	check := limit.Check{Name: "tenant", Key: h.Limiter.Key("tenant", h.app, h.acme.ID), Rate: limit.Rate{Quota: 2, Window: time.Minute}}
	for range 2 {
		if _, err := h.Allow(check); err != nil {
			t.Fatal(err)
		}
	}
	d, err := h.Allow(check)
	if after, ok := auth.RetryAfter(err); !fault.Is(err, fault.Limited) || !ok || after != 30*time.Second || d.Header() != `"tenant";r=0;t=30` {
		t.Errorf("got %v, %s", err, d.Header())
	}
}
