package auth_test

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/haywardhq/hayward/auth"
	"github.com/haywardhq/hayward/auth/identity"
	"github.com/haywardhq/hayward/auth/password"
	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/auth/token"
	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/db/dbtest"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
)

// recorder keeps what it is given, or fails.
type recorder struct {
	mu     sync.Mutex
	events []auth.Event
	fail   func(auth.Event) bool
}

func (r *recorder) Record(_ context.Context, e auth.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail != nil && r.fail(e) {
		return errors.New("the audit is down")
	}
	r.events = append(r.events, e)
	return nil
}

// take returns the events since the last take.
func (r *recorder) take() []auth.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.events
	r.events = nil
	return out
}

// flip is a KeyWrapper good enough for tests.
type flip struct{}

func (flip) Wrap(_ context.Context, b []byte, aad string) ([]byte, error) {
	out := bytes.Clone(b)
	for i := range out {
		out[i] ^= aad[i%len(aad)]
	}
	return out, nil
}

func (f flip) Unwrap(ctx context.Context, b []byte, aad string) ([]byte, error) {
	return f.Wrap(ctx, b, aad)
}

const secret = "correct horse battery"

type house struct {
	*auth.Service
	t            testing.TB
	db           *db.DB
	audit        *recorder
	cfg          auth.Config
	ns           atomic.Int64
	app          string
	acme, globex identity.Tenant
	bob          identity.User // editor in acme
	eve          identity.User // admin in globex
	root         identity.User // operator
}

func (h *house) now() time.Time          { return time.Unix(1_800_000_000, h.ns.Load()) }
func (h *house) advance(d time.Duration) { h.ns.Add(int64(d)) }

func newHouse(t testing.TB, change ...func(*auth.Config)) *house {
	t.Helper()
	h := &house{t: t, db: dbtest.New(t, auth.Schema()), audit: &recorder{}}
	h.cfg = auth.Config{Recorder: h.audit,
		Token:    token.Options{Issuer: "https://hay.example", Audience: "hayward", Wrapper: flip{}, Now: h.now},
		Password: password.Options{Params: password.Params{Memory: 16, Time: 1, Threads: 1, Salt: 16, Key: 32}, Slots: 4}}
	h.cfg.Limit.Now = h.now
	for _, c := range change {
		c(&h.cfg)
	}
	h.open()
	app, err := h.Identity.EnsureApp(t.Context(), "default")
	h.must(err)
	h.app = app.ID
	h.acme, err = h.Identity.CreateTenant(t.Context(), h.app, "acme", "")
	h.must(err)
	h.globex, err = h.Identity.CreateTenant(t.Context(), h.app, "globex", "")
	h.must(err)
	h.bob, h.eve = h.user("bob", h.acme, policy.Editor), h.user("eve", h.globex, policy.Admin)
	h.root, err = h.CreateUser(t.Context(), h.app, identity.NewUser{Name: "root", Operator: true}, sealed.NewString(secret))
	h.must(err)
	return h
}

func (h *house) open() {
	h.t.Helper()
	s, err := auth.Open(h.t.Context(), h.db, h.cfg)
	h.must(err)
	h.Service = s
}

func (h *house) user(name string, t identity.Tenant, roles policy.Roles) identity.User {
	h.t.Helper()
	u, err := h.CreateUser(h.t.Context(), h.app, identity.NewUser{Name: name, FullName: "The " + name, Email: name + "@example.com"},
		sealed.NewString(secret))
	h.must(err)
	h.must(h.Identity.SetMembership(h.t.Context(), h.app, t.ID, u.ID, roles))
	return u
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) form(name, pw, ip string) auth.Request {
	return auth.Request{App: h.app, Username: name, Password: sealed.NewString(pw), Origin: auth.Origin{IP: ip, UserAgent: "test", RequestID: "req_1"}}
}

func (h *house) login(name string) string {
	h.t.Helper()
	tok, err := h.Login(h.t.Context(), h.form(name, secret, "192.0.2.1"))
	h.must(err)
	return string(reveal.Inside(tok.AccessToken))
}

func (h *house) who(tok string) auth.Identity {
	h.t.Helper()
	id, err := h.Authenticate(h.t.Context(), tok)
	h.must(err)
	return id
}

func (h *house) refused(what, tok string) {
	h.t.Helper()
	if id, err := h.Authenticate(h.t.Context(), tok); !errors.Is(err, auth.ErrToken) {
		h.t.Errorf("%s: got %+v, %v, want ErrToken", what, id, err)
	}
}
