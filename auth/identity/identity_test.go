package identity_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/haywardhq/hayward/auth/identity"
	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/db/dbtest"
	"github.com/haywardhq/hayward/fault"
)

// house is a store with an app and two tenants.
type house struct {
	*identity.Store
	t            testing.TB
	db           *db.DB
	app          string
	acme, globex identity.Tenant
}

func newHouse(t testing.TB) *house {
	t.Helper()
	d := dbtest.New(t, identity.Schema())
	s, err := identity.Open(t.Context(), d, identity.Options{Reserved: []string{"token", "docs"}})
	if err != nil {
		t.Fatal(err)
	}
	app, err := s.EnsureApp(t.Context(), "default")
	if err != nil {
		t.Fatal(err)
	}
	h := &house{Store: s, t: t, db: d, app: app.ID}
	h.acme, h.globex = h.tenant("acme"), h.tenant("globex")
	return h
}

func (h *house) tenant(slug string) identity.Tenant {
	h.t.Helper()
	t, err := h.CreateTenant(h.t.Context(), h.app, slug, "")
	if err != nil {
		h.t.Fatal(err)
	}
	return t
}

func (h *house) user(name string, tenants ...identity.Tenant) identity.User {
	h.t.Helper()
	u, err := h.CreateUser(h.t.Context(), h.app, identity.NewUser{Name: name, PasswordHash: "hash of " + name})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, t := range tenants {
		h.must(h.SetMembership(h.t.Context(), h.app, t.ID, u.ID, policy.Editor))
	}
	return u
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) account(u identity.User) *identity.Account {
	h.t.Helper()
	a, ok := h.Account(h.app, u.ID)
	if !ok {
		h.t.Fatal("the account is not there")
	}
	return a
}

func TestSlugs(t *testing.T) {
	h := newHouse(t)
	for slug, ok := range map[string]bool{
		"ab": true, "a1": true, "1a": true, "a-b": true, "a--b": true, strings.Repeat("a", 40): true,
		"": false, "a": false, "-ab": false, "ab-": false, "Ab": false, "a_b": false, "a b": false, "ä1": false, "a/b": false,
		"a.b": false, "..": false, strings.Repeat("a", 41): false, "ab\n": false,
		"system": false, "default": false, "shared": false, "operator": false, "token": false, "docs": false,
	} {
		_, err := h.CreateTenant(t.Context(), h.app, slug, "")
		if (err == nil) != ok || err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v, want ok=%v", slug, err, ok)
		}
	}
}

func TestCanonicalNames(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"johndoe", "johndoe"},
		{"JohnDoe", "johndoe"},
		{"ＪｏｈｎＤｏｅ", "johndoe"},
		{"bob@example.com", "bob@example.com"},
		{"José", "josé"},
		{"Jose\u0301", "josé"},
		{"STRASSE", "strasse"},
		{"straße", "strasse"},
		{"ΣΊΣΥΦΟΣ", "σίσυφοσ"},
		{"иван.петров-1", "иван.петров-1"},
		{"山田たろう", "山田たろう"},
		{"ﬁnn", "finn"},
		{"", ""},
		{" bob", ""},
		{"bob ", ""},
		{".bob", ""},
		{"bob.", ""},
		{"b ob", ""},
		{"bob\n", ""},
		{"bob\u200b", ""},
		{"bob\u202e", ""},
		{"bоb", ""}, // a Cyrillic о
		{"a/b", ""},
		{"<script>", ""},
		{"\xff\xfe", ""},
		{strings.Repeat("a", 129), ""},
		{strings.Repeat("ﷺ", 100), ""},
	} {
		got, err := identity.CanonicalName(tc.in)
		if got != tc.want || (err == nil) != (tc.want != "") {
			t.Errorf("%q: got %q, %v; want %q", tc.in, got, err, tc.want)
		}
		if err != nil && tc.in != "" && strings.Contains(err.Error(), strings.TrimSpace(tc.in)) {
			t.Errorf("%q: the error quotes it", tc.in)
		}
	}
}

func TestCanonicalNamesAreStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		once, err := identity.CanonicalName(rapid.StringN(1, 20, 200).Draw(t, "name"))
		if err != nil {
			return
		}
		twice, err := identity.CanonicalName(once)
		if err != nil || twice != once {
			t.Fatalf("%q became %q, %v", once, twice, err)
		}
	})
}

func TestOneNameIsOneUserInEverySpelling(t *testing.T) {
	h := newHouse(t)
	u := h.user("Bob.Smith")
	for _, same := range []string{"bob.smith", "BOB.SMITH", "ｂｏｂ.smith"} {
		if _, err := h.CreateUser(t.Context(), h.app, identity.NewUser{Name: same}); !fault.Is(err, fault.Conflict) {
			t.Errorf("%q: got %v, want Conflict", same, err)
		}
		if got, _, err := h.Credential(t.Context(), h.app, same); err != nil || got.ID != u.ID {
			t.Errorf("%q: got %v, %v", same, got.ID, err)
		}
	}
	h.user("сара")
	if _, err := h.CreateUser(t.Context(), h.app, identity.NewUser{Name: "capa"}); !fault.Is(err, fault.Conflict) {
		t.Errorf("a name that looks like another: got %v, want Conflict", err)
	}
}

func TestProfileFieldsAreBounded(t *testing.T) {
	h := newHouse(t)
	for _, n := range []identity.NewUser{
		{Name: "x1", FullName: strings.Repeat("a", 201)},
		{Name: "x1", FullName: "line\nbreak"},
		{Name: "x1", FullName: "right \u202e left"},
		{Name: "x1", Email: "no at"},
		{Name: "x1", Email: "a@evil.com@corp.com"},
		{Name: "x1", Email: "a b@corp.com"},
		{Name: "x1", Email: strings.Repeat("a", 250) + "@b.co"},
	} {
		if _, err := h.CreateUser(t.Context(), h.app, n); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: got %v", n, err)
		}
	}
}

func TestRow3NothingAttachesToARecreatedUserOrTenant(t *testing.T) {
	h := newHouse(t)
	old := h.user("bob", h.acme)
	h.must(h.DeleteUser(t.Context(), h.app, old.ID))
	again := h.user("bob")
	if again.ID == old.ID {
		t.Fatal("the id was given out twice")
	}
	if _, ok := h.Account(h.app, old.ID); ok {
		t.Error("the deleted user is still there")
	}
	if n := len(h.account(again).Memberships()); n != 0 {
		t.Errorf("the new bob has %d memberships", n)
	}
	if _, hash, _ := h.Credential(t.Context(), h.app, "bob"); hash != "hash of bob" {
		t.Errorf("got %q", hash)
	}

	member := h.user("eve", h.acme, h.globex)
	h.must(h.DeleteTenant(t.Context(), h.app, h.acme.ID))
	fresh := h.tenant("acme")
	a := h.account(member)
	if fresh.ID == h.acme.ID || a.Roles(fresh.ID) != 0 || a.Roles(h.acme.ID) != 0 || a.HomeTenant != h.globex.ID {
		t.Errorf("after deleting and creating acme: %s, roles %s, home %s", fresh.ID, a.Roles(fresh.ID), a.HomeTenant)
	}
	if got, ok := h.TenantBySlug(h.app, "acme"); !ok || got.ID != fresh.ID {
		t.Error("the slug does not name the new tenant")
	}
	if _, ok := h.Tenant(h.app, h.acme.ID); ok {
		t.Error("the deleted tenant is still there")
	}
	for name, err := range map[string]error{
		"SetMembership": h.SetMembership(t.Context(), h.app, h.acme.ID, member.ID, policy.Admin),
		"DeleteTenant":  h.DeleteTenant(t.Context(), h.app, h.acme.ID),
		"DeleteUser":    h.DeleteUser(t.Context(), h.app, old.ID),
		"SetPassword":   h.SetPasswordHash(t.Context(), h.app, old.ID, "x"),
	} {
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("%s of a deleted one: %v, want NotFound", name, err)
		}
	}
}

func TestMemberships(t *testing.T) {
	h := newHouse(t)
	u := h.user("bob")
	if h.account(u).HomeTenant != "" {
		t.Error("a home without a membership")
	}
	h.must(h.SetMembership(t.Context(), h.app, h.globex.ID, u.ID, policy.Viewer))
	h.must(h.SetMembership(t.Context(), h.app, h.acme.ID, u.ID, policy.Admin|policy.Runner))
	a := h.account(u)
	if a.HomeTenant != h.globex.ID || a.Roles(h.acme.ID) != policy.Admin|policy.Runner || a.Roles("") != 0 {
		t.Errorf("got home %s, roles %s", a.HomeTenant, a.Roles(h.acme.ID))
	}
	h.must(h.SetMembership(t.Context(), h.app, h.acme.ID, u.ID, policy.Viewer))
	if got := h.account(u).Roles(h.acme.ID); got != policy.Viewer {
		t.Errorf("after a change: %s", got)
	}
	if got := a.Roles(h.acme.ID); got != policy.Admin|policy.Runner {
		t.Errorf("an account read before changed under its reader: %s", got)
	}
	h.must(h.UpdateUser(t.Context(), h.app, u.ID, identity.UserChange{HomeTenant: &h.acme.ID}))
	h.must(h.RemoveMembership(t.Context(), h.app, h.acme.ID, u.ID))
	if a := h.account(u); a.HomeTenant != h.globex.ID || a.Roles(h.acme.ID) != 0 {
		t.Errorf("after leaving: home %s, roles %s", a.HomeTenant, a.Roles(h.acme.ID))
	}
	other := h.tenant("initech")
	for name, err := range map[string]error{
		"leaving twice":         h.RemoveMembership(t.Context(), h.app, h.acme.ID, u.ID),
		"home without a place":  h.UpdateUser(t.Context(), h.app, u.ID, identity.UserChange{HomeTenant: &other.ID}),
		"an unknown tenant":     h.SetMembership(t.Context(), h.app, "ten_x", u.ID, policy.Viewer),
		"an unknown user":       h.SetMembership(t.Context(), h.app, h.acme.ID, "usr_x", policy.Viewer),
		"another app":           h.SetMembership(t.Context(), "app_x", h.acme.ID, u.ID, policy.Viewer),
		"members of no tenant":  second(h.ListMembers(t.Context(), h.app, "ten_x", identity.Page{})),
		"a user in another app": second(h.GetUser(t.Context(), "app_x", u.ID)),
	} {
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v, want NotFound", name, err)
		}
	}
	for name, err := range map[string]error{
		"no roles":        h.SetMembership(t.Context(), h.app, h.acme.ID, u.ID, 0),
		"operator inside": h.SetMembership(t.Context(), h.app, h.acme.ID, u.ID, policy.Operator),
		"no tenant":       h.SetMembership(t.Context(), h.app, "", u.ID, policy.Viewer),
		"no app":          h.SetMembership(t.Context(), "", h.acme.ID, u.ID, policy.Viewer),
	} {
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want Invalid", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestWallAnOperatorIsNeverAMember(t *testing.T) {
	h := newHouse(t)
	op, err := h.CreateUser(t.Context(), h.app, identity.NewUser{Name: "root", Operator: true})
	h.must(err)
	if err := h.SetMembership(t.Context(), h.app, h.acme.ID, op.ID, policy.Viewer); !fault.Is(err, fault.Conflict) {
		t.Errorf("got %v, want Conflict", err)
	}
	if a := h.account(op); a.Roles("") != policy.Operator || a.Roles(h.acme.ID) != 0 {
		t.Errorf("got %s and %s", a.Roles(""), a.Roles(h.acme.ID))
	}
}

func TestWhatEndsTokens(t *testing.T) {
	h := newHouse(t)
	u := h.user("bob", h.acme)
	version := func() int64 { return h.account(u).CredentialVersion }
	for _, tc := range []struct {
		name string
		do   func() error
		by   int64
	}{
		{"stronger hash", func() error { return h.ReplaceHash(t.Context(), h.app, u.ID, "hash of bob", "h2") }, 0},
		{"new password", func() error { return h.SetPasswordHash(t.Context(), h.app, u.ID, "h3") }, 1},
		{"disabled", func() error { return h.SetUserDisabled(t.Context(), h.app, u.ID, true) }, 1},
		{"disabled again", func() error { return h.SetUserDisabled(t.Context(), h.app, u.ID, true) }, 0},
		{"enabled", func() error { return h.SetUserDisabled(t.Context(), h.app, u.ID, false) }, 0},
		{"logged out everywhere", func() error { return h.EndTokens(t.Context(), h.app, u.ID) }, 1},
		{"role changed", func() error { return h.SetMembership(t.Context(), h.app, h.acme.ID, u.ID, policy.Viewer) }, 0},
	} {
		before := version()
		if err := tc.do(); err != nil {
			t.Errorf("%s: %v", tc.name, err)
		}
		if got := version() - before; got != tc.by {
			t.Errorf("%s: the version grew by %d, want %d", tc.name, got, tc.by)
		}
	}
	if err := h.ReplaceHash(t.Context(), h.app, u.ID, "hash of bob", "h4"); !fault.Is(err, fault.Conflict) {
		t.Errorf("replacing a hash that changed meanwhile: %v", err)
	}
}

func TestListsArePagedAndKeepToTheirTenant(t *testing.T) {
	h := newHouse(t)
	var want []string
	for i := range 7 {
		want = append(want, h.user(fmt.Sprint("user", i), h.acme).ID)
	}
	h.user("stranger", h.globex)
	var got []string
	for p := (identity.Page{Limit: 3}); ; {
		page, err := h.ListMembers(t.Context(), h.app, h.acme.ID, p)
		h.must(err)
		if len(page) == 0 {
			break
		}
		for _, m := range page {
			if m.Roles != policy.Editor {
				t.Errorf("%s: roles %s", m.User.Name, m.Roles)
			}
			got = append(got, m.User.ID)
		}
		p.After = got[len(got)-1]
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("got %v, want %v", got, want)
	}
	users, err := h.ListUsers(t.Context(), h.app, identity.Page{})
	if err != nil || len(users) != 8 {
		t.Errorf("%d users, %v", len(users), err)
	}
	tenants, err := h.ListTenants(t.Context(), h.app, identity.Page{After: h.acme.ID})
	if err != nil || len(tenants) != 1 || tenants[0].ID != h.globex.ID {
		t.Errorf("got %v, %v", tenants, err)
	}
}

func TestMemoryEqualsTheDatabaseAfterEveryWrite(t *testing.T) {
	h := newHouse(t)
	users := []identity.User{h.user("u1"), h.user("u2"), h.user("u3")}
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 25 {
				u, ten := users[(w+i)%3], []identity.Tenant{h.acme, h.globex}[i%2]
				switch (w * i) % 5 {
				case 0, 1, 2:
					h.SetMembership(t.Context(), h.app, ten.ID, u.ID, policy.Roles(1+(w+i)%15))
				case 3:
					h.RemoveMembership(t.Context(), h.app, ten.ID, u.ID)
				case 4:
					h.EndTokens(t.Context(), h.app, u.ID)
				}
			}
		})
	}
	wg.Wait()
	fresh, err := identity.Open(t.Context(), h.db, identity.Options{})
	h.must(err)
	for _, u := range users {
		a, b := h.account(u), first(fresh.Account(h.app, u.ID))
		if a.User != b.User || fmt.Sprint(a.Memberships()) != fmt.Sprint(b.Memberships()) {
			t.Errorf("memory %+v %v\n  disk %+v %v", a.User, a.Memberships(), b.User, b.Memberships())
		}
	}
}

func first[T any](v T, _ bool) T { return v }

func TestAFailedWriteChangesNothing(t *testing.T) {
	h := newHouse(t)
	u := h.user("bob", h.acme)
	before := *h.account(u)
	long := strings.Repeat("x", 300)
	if err := h.UpdateUser(t.Context(), h.app, u.ID, identity.UserChange{FullName: &long}); !fault.Is(err, fault.Invalid) {
		t.Fatal(err)
	}
	if after := *h.account(u); after.User != before.User {
		t.Errorf("before %+v, after %+v", before.User, after.User)
	}
}

func TestAWriteThatIsStoredButNotAcknowledgedIsSeen(t *testing.T) {
	h := newHouse(t)
	u := h.user("bob", h.acme)
	boom := errors.New("boom")
	var wg sync.WaitGroup
	for range 20 { // one of them shares its group of writes with the change
		wg.Go(func() {
			h.db.Update(t.Context(), func(tx *db.Tx) error { tx.AfterCommit(nil, func() error { return boom }); return nil })
		})
		wg.Go(func() { h.EndTokens(t.Context(), h.app, u.ID) })
	}
	wg.Wait()
	fresh, err := identity.Open(t.Context(), h.db, identity.Options{})
	h.must(err)
	if a, b := h.account(u), first(fresh.Account(h.app, u.ID)); a.CredentialVersion != b.CredentialVersion {
		t.Errorf("memory says %d, disk says %d", a.CredentialVersion, b.CredentialVersion)
	}
}

func TestLookupsAllocateNothing(t *testing.T) {
	h := newHouse(t)
	u := h.user("bob", h.acme)
	n := testing.AllocsPerRun(100, func() {
		a, _ := h.Account(h.app, u.ID)
		ten, _ := h.TenantBySlug(h.app, "acme")
		if !a.Roles(ten.ID).Has(policy.Editor) {
			t.Fatal("not an editor")
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzCanonicalName(f *testing.F) {
	for _, s := range []string{"bob", "ＢＯＢ", "straße", "山田", "ﷺ", "a\u0301", "\u0345"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once, err := identity.CanonicalName(s)
		if err != nil {
			return
		}
		if twice, err := identity.CanonicalName(once); err != nil || twice != once || strings.ContainsAny(once, "\x00\n/ <>") {
			t.Fatalf("%q became %q, then %q, %v", s, once, twice, err)
		}
	})
}

func BenchmarkAccount(b *testing.B) {
	h := newHouse(b)
	u := h.user("bob", h.acme)
	b.ReportAllocs()
	for b.Loop() {
		if a, ok := h.Account(h.app, u.ID); !ok || a.Roles(h.acme.ID) == 0 {
			b.Fatal("not there")
		}
	}
}
