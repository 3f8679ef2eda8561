package auth_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/haywardhq/hayward/auth"
	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/auth/token"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
)

func TestRow21WhatEndsATokenEndsItAtOnce(t *testing.T) {
	ctx := t.Context()
	for name, do := range map[string]func(*house) error{
		"user disabled":       func(h *house) error { return h.Identity.SetUserDisabled(ctx, h.app, h.bob.ID, true) },
		"user deleted":        func(h *house) error { return h.Identity.DeleteUser(ctx, h.app, h.bob.ID) },
		"password changed":    func(h *house) error { return h.SetPassword(ctx, h.app, h.bob.ID, sealed.NewString("another password")) },
		"logged out all over": func(h *house) error { return h.Identity.EndTokens(ctx, h.app, h.bob.ID) },
		"membership removed":  func(h *house) error { return h.Identity.RemoveMembership(ctx, h.app, h.acme.ID, h.bob.ID) },
		"tenant suspended":    func(h *house) error { return h.Identity.SetTenantDisabled(ctx, h.app, h.acme.ID, true) },
		"tenant deleted":      func(h *house) error { return h.Identity.DeleteTenant(ctx, h.app, h.acme.ID) },
		"signing key revoked": func(h *house) error { return h.Tokens.RevokeKey(ctx, h.Tokens.Keys()[0].ID) },
		"disabled and enabled": func(h *house) error {
			return errors.Join(h.Identity.SetUserDisabled(ctx, h.app, h.bob.ID, true), h.Identity.SetUserDisabled(ctx, h.app, h.bob.ID, false))
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			tok := h.login("bob")
			h.who(tok)
			h.must(do(h))
			h.refused(name, tok)
		})
	}
}

func TestRow21ARoleChangeHoldsAtTheNextRequest(t *testing.T) {
	h := newHouse(t)
	tok := h.login("bob")
	if !h.who(tok).May(policy.PipelineDeploy).Allowed {
		t.Fatal("an editor may not deploy")
	}
	h.must(h.Identity.SetMembership(t.Context(), h.app, h.acme.ID, h.bob.ID, policy.Viewer))
	if id := h.who(tok); id.May(policy.PipelineDeploy).Allowed || id.Roles != policy.Viewer {
		t.Errorf("after the change: %s", id.Roles)
	}
}

func TestRow3AnOldTokenMeetsNobodyOfTheSameName(t *testing.T) {
	h := newHouse(t)
	tok := h.login("bob")
	h.must(h.Identity.DeleteUser(t.Context(), h.app, h.bob.ID))
	h.user("bob", h.acme, policy.Admin)
	h.refused("a token of the former bob", tok)

	tok = h.login("eve")
	h.must(h.Identity.DeleteTenant(t.Context(), h.app, h.globex.ID))
	again, err := h.Identity.CreateTenant(t.Context(), h.app, "globex", "")
	h.must(err)
	h.must(h.Identity.SetMembership(t.Context(), h.app, again.ID, h.eve.ID, policy.Admin))
	h.refused("a token for the former globex", tok)
}

func TestWallTheOperatorStandsOutsideEveryTenant(t *testing.T) {
	h := newHouse(t)
	id := h.who(h.login("root"))
	if !id.Operator || id.TenantID != "" || id.TenantSlug != "" || id.Roles != policy.Operator {
		t.Fatalf("got %+v", id)
	}
	for _, a := range policy.Actions() {
		if strings.HasPrefix(string(a), "secret:") && id.May(a).Allowed {
			t.Errorf("the operator may %s", a)
		}
	}
	if me, err := h.Me(t.Context(), id); err != nil || !me.Operator || fmt.Sprint(me.Roles) != "[operator]" {
		t.Errorf("me: %+v, %v", me, err)
	}
	// A token that names a tenant for an operator, or none for a member, cannot come from a login.
	for what, sub := range map[string]token.Subject{
		"an operator in a tenant": {App: h.app, Tenant: h.acme.ID, User: h.root.ID, CredentialVersion: 1},
		"a member in none":        {App: h.app, User: h.bob.ID, CredentialVersion: 1},
		"a member of another":     {App: h.app, Tenant: h.globex.ID, User: h.bob.ID, CredentialVersion: 1},
		"another app":             {App: "app_x", Tenant: h.acme.ID, User: h.bob.ID, CredentialVersion: 1},
		"an old version":          {App: h.app, Tenant: h.acme.ID, User: h.bob.ID, CredentialVersion: 9},
	} {
		i, err := h.Tokens.Issue(t.Context(), sub)
		h.must(err)
		h.refused(what, string(reveal.Inside(i.Token)))
	}
}

func TestRow35ATokenInAnyOtherFormIsRefused(t *testing.T) {
	h := newHouse(t)
	tok := h.login("bob")
	h.who(tok)
	for name, other := range map[string]string{
		"truncated": tok[:len(tok)-1], "extended": tok + "A", "padded": tok + "=", "upper": strings.ToUpper(tok),
		"lower": strings.ToLower(tok), "spaced": tok + " ", "doubled": tok + tok, "halved": tok[:len(tok)/2],
	} {
		h.refused(name, other)
	}
	for i := range len(tok) {
		if c := tok[i]; 'a' <= c && c <= 'z' {
			h.refused(fmt.Sprintf("case of letter %d", i), tok[:i]+strings.ToUpper(tok[i:i+1])+tok[i+1:])
		}
	}
	if _, err := h.Authenticate(t.Context(), ""); !errors.Is(err, auth.ErrNoToken) || errors.Is(err, auth.ErrToken) {
		t.Errorf("no token: %v", err)
	}
	h.who(tok)
}

func TestRow38LogoutAndRevokeEndTheGrant(t *testing.T) {
	h := newHouse(t)
	tok, other := h.login("bob"), h.login("bob")
	h.audit.take()
	h.must(h.Logout(t.Context(), h.who(tok), auth.Origin{IP: "192.0.2.1"}))
	h.refused("after logout", tok)
	h.who(other)
	h.must(h.Revoke(t.Context(), other, auth.Origin{}))
	h.refused("after revoke", other)
	h.must(h.Revoke(t.Context(), "nonsense", auth.Origin{}))
	h.must(h.Revoke(t.Context(), other, auth.Origin{}))
	if n := len(h.audit.take()); n != 2 {
		t.Errorf("%d events, want 2", n)
	}
	root := h.login("root")
	h.must(h.Logout(t.Context(), h.who(root), auth.Origin{}))
	h.refused("an operator after logout", root)
}

func TestTokensAndRevocationsOutliveARestart(t *testing.T) {
	h := newHouse(t)
	kept, ended := h.login("bob"), h.login("bob")
	h.must(h.Logout(t.Context(), h.who(ended), auth.Origin{}))
	h.open()
	h.who(kept)
	h.refused("a revoked token", ended)
}

func TestRow59EachThingIsRecordedOnce(t *testing.T) {
	h := newHouse(t)
	var got []string
	try := func(r auth.Request) {
		t.Helper()
		_, _ = h.Login(t.Context(), r)
		for _, e := range h.audit.take() {
			who := map[string]string{h.bob.ID: "bob", h.root.ID: "root", "": "-"}[e.User]
			where := map[string]string{h.acme.ID: "acme", "": "-"}[e.Tenant]
			got = append(got, fmt.Sprint(e.Action, " ", e.Outcome, " ", e.Reason, " ", who, " ", where))
			if e.App != h.app || e.IP != r.IP || e.RequestID != "req_1" || e.UserAgent != "test" {
				t.Errorf("%s: incomplete: %+v", e.Action, e)
			}
			if (e.Action == auth.ActionTokenIssue) != strings.HasPrefix(e.Target, "gr_") {
				t.Errorf("%s: target %q", e.Action, e.Target)
			}
			if text := fmt.Sprintf("%+v", e); strings.Contains(text, secret) || strings.Contains(text, "typed-by-mistake") {
				t.Errorf("%s holds what somebody typed: %s", e.Action, text)
			}
		}
	}
	try(h.form("bob", secret, "192.0.2.1"))
	try(h.form("root", secret, "192.0.2.1"))
	try(h.form("bob", "wrong password", "192.0.2.2"))
	try(h.form("typed-by-mistake", secret, "192.0.2.2"))
	scoped := h.form("bob", secret, "192.0.2.2")
	scoped.Scope = "tenant:globex"
	try(scoped)
	try(auth.Request{App: h.app, Origin: auth.Origin{IP: "192.0.2.2", UserAgent: "test", RequestID: "req_1"}})
	for range 9 {
		try(h.form("bob", "wrong password", "192.0.2.3"))
	}
	want := []string{
		"auth.login ok  bob acme", "auth.token.issue ok  bob acme",
		"auth.login ok  root -", "auth.token.issue ok  root -",
		"auth.login denied wrong_password bob acme",
		"auth.login denied unknown_user - -",
		"auth.login denied no_such_membership bob acme",
		"auth.login denied wrong_password bob acme", "auth.login denied wrong_password bob acme",
		"auth.login denied wrong_password bob acme", "auth.login denied wrong_password bob acme",
		"auth.login denied wrong_password bob acme",
		"auth.lockout denied login-user-ip bob acme",
	}
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
}

func TestRow59WithoutAnAuditThereIsNoLogin(t *testing.T) {
	for _, action := range []string{auth.ActionLogin, auth.ActionTokenIssue} {
		h := newHouse(t)
		h.audit.fail = func(e auth.Event) bool { return e.Action == action }
		tok, err := h.Login(t.Context(), h.form("bob", secret, "192.0.2.1"))
		if !fault.Is(err, fault.Unavailable) || !tok.AccessToken.IsZero() {
			t.Errorf("%s not recorded: %v", action, err)
		}
	}
	h := newHouse(t)
	tok := h.login("bob")
	id := h.who(tok)
	h.audit.fail = func(auth.Event) bool { return true }
	if err := h.Logout(t.Context(), id, auth.Origin{}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("logout: %v", err)
	}
	h.who(tok)
}

func TestManyAtOnce(t *testing.T) {
	h := newHouse(t)
	toks := map[string]string{"bob": h.login("bob"), "eve": h.login("eve"), "root": h.login("root")}
	tenants := map[string]string{"bob": h.acme.ID, "eve": h.globex.ID, "root": ""}
	var wg sync.WaitGroup
	for name, tok := range toks {
		for range 4 {
			wg.Go(func() {
				for range 300 {
					id, err := h.Authenticate(t.Context(), tok)
					if err != nil || id.UserName != name || id.TenantID != tenants[name] {
						t.Errorf("%s is %+v, %v", name, id, err)
						return
					}
				}
			})
		}
	}
	wg.Go(func() {
		for i := range 60 {
			h.Identity.SetMembership(t.Context(), h.app, h.acme.ID, h.bob.ID, policy.Roles(1+i%15))
			h.login("eve")
		}
	})
	wg.Wait()
}

func TestAuthenticatingASeenTokenAllocatesNothing(t *testing.T) {
	h := newHouse(t)
	tok := h.login("bob")
	h.who(tok)
	ctx := t.Context()
	if n := testing.AllocsPerRun(100, func() { h.Authenticate(ctx, tok) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestAnIncompleteConfigurationIsRefused(t *testing.T) {
	h := newHouse(t)
	c := h.cfg
	c.Recorder = nil
	if _, err := auth.Open(t.Context(), h.db, c); !fault.Is(err, fault.Invalid) {
		t.Errorf("without a recorder: %v", err)
	}
	c = h.cfg
	c.Token.Issuer = ""
	if _, err := auth.Open(t.Context(), h.db, c); !fault.Is(err, fault.Invalid) {
		t.Errorf("without an issuer: %v", err)
	}
}

func BenchmarkAuthenticateSeen(b *testing.B) {
	h := newHouse(b)
	tok := h.login("bob")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.Authenticate(b.Context(), tok); err != nil {
			b.Fatal(err)
		}
	}
}
