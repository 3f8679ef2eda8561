package secret_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/db/dbtest"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/crypto"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/secret"
	"github.com/haywardhq/hayward/vault/store/driver"
	"github.com/haywardhq/hayward/vault/store/memory"
	"github.com/haywardhq/hayward/vault/store/postgres"
	"github.com/haywardhq/hayward/vault/store/sqlite"
)

var (
	openai = sealed.MustDestination("https://api.openai.com")
	local  = sealed.MustDestination("http://127.0.0.1:4011")
)

// stores are the kinds of store each test runs on.
var stores = map[string]func(t *testing.T) driver.Store{
	"memory":   func(*testing.T) driver.Store { return memory.New() },
	"sqlite":   func(t *testing.T) driver.Store { return sqlite.New(dbtest.New(t, sqlite.Schema())) },
	"postgres": func(t *testing.T) driver.Store { return postgres.New(dbtest.NewPostgres(t, postgres.Schema())) },
}

func everyStore(t *testing.T, test func(t *testing.T, st driver.Store)) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func encryptor(t testing.TB) *crypto.Encryptor {
	enc, err := crypto.NewEncryptor([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	return enc
}

func service(t testing.TB, st driver.Store, opts ...secret.Option) *secret.Service {
	return secret.NewService(st, encryptor(t), append([]secret.Option{secret.WithAppID("myapp")}, opts...)...)
}

func as(tenant string) context.Context {
	return scope.WithScope(context.Background(), "myapp", tenant, "ann", "10.0.0.1")
}

func set(t testing.TB, svc *secret.Service, tenant, key, value string, opts ...secret.SetOption) *secret.Meta {
	t.Helper()
	m, err := svc.Set(as(tenant), key, []byte(value), "myapp", opts...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func open(t testing.TB, s *secret.Secret, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return string(reveal.Inside(s.Value))
}

func TestATenantSeesItsOwnAndWhatIsSharedOnPurpose(t *testing.T) {
	everyStore(t, func(t *testing.T, st driver.Store) {
		svc := service(t, st)
		set(t, svc, "t", "KEY", "of t")
		set(t, svc, "u", "OTHER", "of u")
		if _, err := svc.SetShared(as(""), "KEY", []byte("shared"), "", secret.WithDestinations(openai)); err != nil {
			t.Fatal(err)
		}
		own, err := svc.Get(as("t"), "KEY", "myapp")
		if got := open(t, own, err); got != "of t" || own.Shared || own.Layer() != "tenant" || own.TenantID != "t" {
			t.Errorf("%q %+v", got, own.Meta)
		}
		shared, err := svc.Get(as("u"), "KEY", "myapp")
		if got := open(t, shared, err); got != "shared" || !shared.Shared || shared.Layer() != "shared" || shared.TenantID != "" || !shared.Value.Allows(openai) || shared.Value.Allows(local) {
			t.Errorf("%q %+v", got, shared.Meta)
		}
		byOperator, err := svc.GetShared(as(""), "KEY", "")
		if got := open(t, byOperator, err); got != "shared" {
			t.Errorf("%q", got)
		}
		// Another tenant's is missing, in the same words.
		_, theirs := svc.Get(as("t"), "OTHER", "myapp")
		if err := svc.Delete(as("u"), "OTHER", ""); err != nil {
			t.Fatal(err)
		}
		_, none := svc.Get(as("t"), "OTHER", "myapp")
		if theirs == nil || theirs.Error() != none.Error() || !errors.Is(theirs, base.ErrSecretNotFound) || !fault.Is(theirs, fault.NotFound) {
			t.Errorf("%v / %v", theirs, none)
		}
		// Without a tenant nothing is guessed.
		if _, err := svc.Get(as(""), "KEY", "myapp"); !errors.Is(err, base.ErrNoTenant) {
			t.Errorf("without a tenant: %v", err)
		}
		list, err := svc.List(as("u"), "", secret.ListOpts{})
		if err != nil || len(list) != 0 {
			t.Errorf("shared entries in a tenant's list: %v %v", list, err)
		}
		list, err = svc.ListShared(as(""), "", secret.ListOpts{})
		if err != nil || len(list) != 1 || list[0].Key != "KEY" {
			t.Errorf("%v %v", list, err)
		}
	})
}

// Every call, made for another tenant's secret, answers as for one that does not exist.
func TestEachCallHasItsNotFoundTwin(t *testing.T) {
	everyStore(t, func(t *testing.T, st driver.Store) {
		svc := service(t, st)
		set(t, svc, "t", "KEY", "of t")
		for name, call := range map[string]func(key string) error{
			"Get":          func(key string) error { _, err := svc.Get(as("u"), key, ""); return err },
			"GetMeta":      func(key string) error { _, err := svc.GetMeta(as("u"), key, ""); return err },
			"GetVersion":   func(key string) error { _, err := svc.GetVersion(as("u"), key, "", 1); return err },
			"ListVersions": func(key string) error { _, err := svc.ListVersions(as("u"), key, ""); return err },
			"Delete":       func(key string) error { return svc.Delete(as("u"), key, "") },
			"GetShared":    func(key string) error { _, err := svc.GetShared(as(""), key, ""); return err },
			"DeleteShared": func(key string) error { return svc.DeleteShared(as(""), key, "") },
		} {
			there, missing := call("KEY"), call("NIL")
			if !errors.Is(there, base.ErrSecretNotFound) || strings.ReplaceAll(there.Error(), "KEY", "NIL") != missing.Error() {
				t.Errorf("%s: %v / %v", name, there, missing)
			}
		}
		if got := open(t, must(svc.Get(as("t"), "KEY", "")), nil); got != "of t" {
			t.Errorf("%q", got)
		}
	})
}

func must(s *secret.Secret, err error) *secret.Secret {
	if err != nil {
		panic(err)
	}
	return s
}

func TestOnlyAnOperatorTouchesSharedEntries(t *testing.T) {
	svc := service(t, memory.New())
	for name, err := range map[string]error{
		"SetShared":    second(svc.SetShared(as("t"), "K", []byte("v"), "", secret.WithDestinations(openai))),
		"GetShared":    second(svc.GetShared(as("t"), "K", "")),
		"ListShared":   second(svc.ListShared(as("t"), "", secret.ListOpts{})),
		"DeleteShared": svc.DeleteShared(as("t"), "K", ""),
	} {
		if !fault.Is(err, fault.Denied) {
			t.Errorf("%s by a tenant: %v", name, err)
		}
	}
	if _, err := svc.SetShared(as(""), "K", []byte("v"), ""); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "destinations") {
		t.Errorf("a shared entry that may go anywhere: %v", err)
	}
	for _, tenant := range []string{driver.Shared, driver.Operator} {
		if _, err := svc.Set(as(tenant), "K", []byte("v"), ""); !fault.Is(err, fault.Invalid) {
			t.Errorf("a tenant named %s: %v", tenant, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestTheAppIsNotGuessedEither(t *testing.T) {
	svc := service(t, memory.New())
	if _, err := svc.Get(as("t"), "K", "OTHER-APP"); !fault.Is(err, fault.Invalid) {
		t.Errorf("an argument that differs from the scope: %v", err)
	}
	elsewhere := scope.WithScope(context.Background(), "other", "t", "", "")
	if _, err := svc.Get(elsewhere, "K", ""); !fault.Is(err, fault.Invalid) {
		t.Errorf("a service of another app: %v", err)
	}
	bare := secret.NewService(memory.New(), encryptor(t))
	tenantOnly := scope.WithTenantID(context.Background(), "t")
	if _, err := bare.Get(tenantOnly, "K", ""); !errors.Is(err, base.ErrNoApp) {
		t.Errorf("no app at all: %v", err)
	}
	if _, err := bare.Set(tenantOnly, "K", []byte("v"), "named"); err != nil {
		t.Errorf("an app by argument: %v", err)
	}
	mixed := context.WithValue(as("t"), scope.KeyTenantID, "u")
	if _, err := svc.Get(mixed, "K", ""); !errors.Is(err, scope.ErrConflict) {
		t.Errorf("two scopes in one context: %v", err)
	}
}

func TestVersions(t *testing.T) {
	everyStore(t, func(t *testing.T, st driver.Store) {
		svc := service(t, st)
		first := set(t, svc, "t", "K", "one", secret.WithMetadata(map[string]string{"owner": "dba"}), secret.WithDestinations(local, openai, local))
		later := set(t, svc, "t", "K", "two", secret.WithExpiresAt(time.Now().Add(time.Hour)))
		if later.ID != first.ID || !later.CreatedAt.Equal(first.CreatedAt) || later.Version != 2 || later.Metadata["owner"] != "dba" || len(later.Destinations) != 2 || later.ExpiresAt == nil {
			t.Errorf("%+v\n%+v", first, later)
		}
		third := set(t, svc, "t", "K", "three", secret.WithMetadata(nil), secret.WithDestinations())
		if third.ExpiresAt != nil || len(third.Metadata) != 0 || len(third.Destinations) != 0 {
			t.Errorf("%+v", third)
		}
		for n, want := range map[int64]string{1: "one", 2: "two", 3: "three"} {
			s, err := svc.GetVersion(as("t"), "K", "", n)
			if got := open(t, s, err); got != want || s.Version != n {
				t.Errorf("version %d: %q", n, got)
			}
		}
		vs, err := svc.ListVersions(as("t"), "K", "")
		if err != nil || len(vs) != 3 || !vs[2].Current || vs[0].Current || vs[0].CreatedBy != "ann" {
			t.Errorf("%v %v", vs, err)
		}
		if _, err := svc.Set(as("t"), "K", []byte("x"), "", secret.WithExpectedVersion(2)); !errors.Is(err, base.ErrVersionConflict) || !fault.Is(err, fault.Conflict) {
			t.Errorf("a stale writer: %v", err)
		}
		if _, err := svc.Set(as("t"), "K", []byte("x"), "", secret.WithExpectedVersion(3)); err != nil {
			t.Error(err)
		}
		if _, err := svc.Set(as("t"), "NEW", []byte("x"), "", secret.WithExpectedVersion(0)); err != nil {
			t.Error(err)
		}
		if _, err := svc.Set(as("t"), "NEW", []byte("x"), "", secret.WithExpectedVersion(0)); !errors.Is(err, base.ErrVersionConflict) {
			t.Errorf("create only: %v", err)
		}
	})
}

func TestAnExpiredSecretIsNotServed(t *testing.T) {
	now := time.Now()
	svc := service(t, memory.New(), secret.WithClock(func() time.Time { return now }))
	set(t, svc, "t", "K", "old", secret.WithExpiresAt(now.Add(time.Minute)))
	if _, err := svc.SetShared(as(""), "K", []byte("shared"), "", secret.WithDestinations(openai)); err != nil {
		t.Fatal(err)
	}
	open(t, must(svc.Get(as("t"), "K", "")), nil)
	now = now.Add(time.Minute)
	for name, err := range map[string]error{"Get": second(svc.Get(as("t"), "K", "")), "GetVersion": second(svc.GetVersion(as("t"), "K", "", 1))} {
		if !errors.Is(err, secret.ErrExpired) || fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if m, err := svc.GetMeta(as("t"), "K", ""); err != nil || !m.Expired(now) {
		t.Errorf("%v %v", m, err)
	}
	if _, err := svc.Set(as("t"), "K", []byte("x"), "", secret.WithExpiresAt(now)); !fault.Is(err, fault.Invalid) {
		t.Errorf("born expired: %v", err)
	}
	set(t, svc, "t", "K", "new")
	open(t, must(svc.Get(as("t"), "K", "")), nil)
}

func TestWhatIsRefused(t *testing.T) {
	svc := service(t, memory.New())
	for _, name := range []string{"OPENAI_API_KEY", "api-key", "_x", "a.b.c", strings.Repeat("n", 128)} {
		set(t, svc, "t", name, "v")
	}
	for _, name := range []string{"", "1KEY", "a b", "a\n", "a/b", "ключ", "-a", ".a", "a:b", strings.Repeat("n", 129), "K\x00"} {
		if _, err := svc.Set(as("t"), name, []byte("v"), ""); !fault.Is(err, fault.Invalid) {
			t.Errorf("the name %q: %v", name, err)
		}
	}
	many := map[string]string{}
	for i := range 65 {
		many[fmt.Sprint(i)] = ""
	}
	dests := make([]sealed.Destination, 33)
	for i := range dests {
		dests[i] = sealed.MustDestination(fmt.Sprintf("https://h%d.example", i))
	}
	set(t, svc, "t", "K", strings.Repeat("x", 64<<10))
	for name, tc := range map[string]struct {
		err  error
		kind fault.Kind
	}{
		"an empty value":    {second(svc.Set(as("t"), "K", nil, "")), fault.Invalid},
		"a large value":     {second(svc.Set(as("t"), "K", make([]byte, 64<<10+1), "")), fault.TooLarge},
		"much metadata":     {second(svc.Set(as("t"), "K", []byte("v"), "", secret.WithMetadata(many))), fault.TooLarge},
		"large metadata":    {second(svc.Set(as("t"), "K", []byte("v"), "", secret.WithMetadata(map[string]string{"a": strings.Repeat("x", 9000)}))), fault.TooLarge},
		"many destinations": {second(svc.Set(as("t"), "K", []byte("v"), "", secret.WithDestinations(dests...))), fault.TooLarge},
		"no destination":    {second(svc.Set(as("t"), "K", []byte("v"), "", secret.WithDestinations(sealed.Destination{}))), fault.Invalid},
		"a page too large":  {second(svc.List(as("t"), "", secret.ListOpts{Limit: 1001})), fault.Invalid},
	} {
		if !fault.Is(tc.err, tc.kind) {
			t.Errorf("%s: %v", name, tc.err)
		}
	}
	for name, enc := range map[string]secret.Encryption{"nothing": nil, "a nil encryptor": (*crypto.Encryptor)(nil), "a nil ring": (*keyring.Ring)(nil)} {
		bare := secret.NewService(memory.New(), enc)
		if _, err := bare.Set(as("t"), "K", []byte("v"), ""); !errors.Is(err, base.ErrNoRootKey) {
			t.Errorf("%s as encryption: %v", name, err)
		}
	}
}

func TestAListIsPaged(t *testing.T) {
	svc := service(t, memory.New())
	for _, n := range []string{"b", "a", "c", "d"} {
		set(t, svc, "t", n, "v")
	}
	if err := svc.Delete(as("t"), "c", ""); err != nil {
		t.Fatal(err)
	}
	var got []string
	for after := ""; ; {
		page, err := svc.List(as("t"), "", secret.ListOpts{Limit: 2, After: after})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range page {
			got = append(got, m.Key)
		}
		if len(page) < 2 {
			break
		}
		after = page[1].Key
	}
	if fmt.Sprint(got) != "[a b d]" {
		t.Errorf("%v", got)
	}
}

func TestASecretDoesNotPrint(t *testing.T) {
	svc := service(t, memory.New())
	set(t, svc, "t", "K", "sk-very-secret")
	s := must(svc.Get(as("t"), "K", ""))
	js, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	verbs := strings.Join([]string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"}, " ")
	out := fmt.Sprintf(verbs, s, s, s, *s, s, s, s) + string(js)
	for _, form := range []string{"sk-very", "736b2d76", "c2stdm", "115 107 45"} {
		if strings.Contains(out, form) {
			t.Errorf("it prints %s", form)
		}
	}
}

// entries are the audit entries of a tenant, oldest first, as "action outcome name".
func entries(t *testing.T, st driver.Store, tenant string) (out []string) {
	t.Helper()
	_ = st.View(t.Context(), func(tx driver.Tx) error {
		rows, err := tx.ListAudit(t.Context(), "myapp", tenant, driver.AuditFilter{Limit: 1000, OldestFirst: true})
		for _, r := range rows {
			out = append(out, strings.TrimSpace(r.Action+" "+r.Outcome+" "+r.Name))
		}
		return err
	})
	return out
}

func TestEveryCallIsRecorded(t *testing.T) {
	everyStore(t, func(t *testing.T, st driver.Store) {
		var called []string
		svc := service(t, st,
			secret.WithOnAccess(func(_ context.Context, key, app string) { called = append(called, "access "+key+" "+app) }),
			secret.WithOnMutate(func(_ context.Context, action, key, app string) { called = append(called, action+" "+key+" "+app) }))
		set(t, svc, "t", "K", "v")
		_, _ = svc.Get(as("t"), "K", "")
		_, _ = svc.Get(as("t"), "NIL", "")
		_, _ = svc.GetMeta(as("t"), "K", "")
		_, _ = svc.GetVersion(as("t"), "K", "", 1)
		_, _ = svc.GetVersion(as("t"), "K", "", 7)
		_, _ = svc.List(as("t"), "", secret.ListOpts{})
		_, _ = svc.ListVersions(as("t"), "K", "")
		_, _ = svc.Set(as("t"), "no name", []byte("v"), "")
		_, _ = svc.SetShared(as("t"), "K", []byte("v"), "")
		_ = svc.Delete(as("t"), "K", "")
		_ = svc.Delete(as("t"), "K", "")
		_, _ = svc.ListShared(as(""), "", secret.ListOpts{})
		want := []string{"secret.set begin K", "secret.set ok K", "secret.get begin K", "secret.get ok K", "secret.get begin NIL", "secret.get not_found NIL",
			"secret.get_meta begin K", "secret.get_meta ok K", "secret.get_version begin K", "secret.get_version ok K",
			"secret.get_version begin K", "secret.get_version not_found K", "secret.list begin", "secret.list ok",
			"secret.list_versions begin K", "secret.list_versions ok K", "secret.set begin no name", "secret.set error no name", "secret.set_shared denied K",
			"secret.delete begin K", "secret.delete ok K", "secret.delete begin K", "secret.delete not_found K"}
		if got := entries(t, st, "t"); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("got\n%s", strings.Join(got, "\n"))
		}
		if got := entries(t, st, driver.Operator); fmt.Sprint(got) != "[secret.list_shared begin secret.list_shared ok]" {
			t.Errorf("the operator's chain: %v", got)
		}
		if got := fmt.Sprint(called); got != "[set K myapp access K myapp access K myapp delete K myapp]" {
			t.Errorf("callbacks: %s", got)
		}
		if r, err := audit.Verify(t.Context(), st, nil, nil); err != nil || !r.OK() || r.Unfinished != 0 {
			t.Errorf("%+v %v", r, err)
		}
	})
}

// failing is a gate whose second entry, or whose first, cannot be written.
func TestWithoutARecordThereIsNoAnswer(t *testing.T) {
	d := dbtest.New(t, sqlite.Schema())
	st := sqlite.New(d)
	svc := service(t, st)
	set(t, svc, "t", "K", "v")
	sql := func(query string) {
		if err := d.Update(t.Context(), func(tx *db.Tx) error { _, err := tx.Exec(t.Context(), query); return err }); err != nil {
			t.Fatal(err)
		}
	}
	for name, when := range map[string]string{"first": "NEW.ref = ''", "second": "NEW.ref <> ''"} {
		sql("CREATE TRIGGER broken BEFORE INSERT ON vault_audit WHEN " + when + " BEGIN SELECT RAISE(ABORT, 'no'); END")
		for call, err := range map[string]error{
			"Get": second(svc.Get(as("t"), "K", "")), "GetMeta": second(svc.GetMeta(as("t"), "K", "")), "List": second(svc.List(as("t"), "", secret.ListOpts{})),
			"Set": second(svc.Set(as("t"), "K", []byte("w"), "")), "Delete": svc.Delete(as("t"), "K", ""), "a miss": second(svc.Get(as("t"), "NIL", "")),
		} {
			if !errors.Is(err, base.ErrAuditUnavailable) {
				t.Errorf("%s without a %s entry: %v", call, name, err)
			}
		}
		sql("DROP TRIGGER broken")
		s := must(svc.Get(as("t"), "K", ""))
		if got := open(t, s, nil); got != "v" || s.Version != 1 {
			t.Errorf("an unrecorded write was kept: %q, version %d", got, s.Version)
		}
	}
}

func TestLookupNeedsAnOpenAction(t *testing.T) {
	st := memory.New()
	svc := service(t, st)
	set(t, svc, "t", "K", "of t", secret.WithDestinations(openai))
	gate := audit.NewGate(audit.NewLogger(st), nil)
	run := func(tenant string) *audit.Pending {
		p, err := gate.Enter(t.Context(), audit.Request{Caller: scope.Caller{App: "myapp", Tenant: tenant, User: "ann"}, Action: "pipeline.run", Resource: "pipeline", Name: "rag"})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	p := run("t")
	s, err := svc.Lookup(t.Context(), p, "K")
	if got := open(t, s, err); got != "of t" || !s.Value.Allows(openai) {
		t.Errorf("%q", got)
	}
	if m, err := svc.LookupMeta(t.Context(), p, "K"); err != nil || m.Layer() != "tenant" || m.Version != 1 {
		t.Errorf("%v %v", m, err)
	}
	if _, err := svc.Lookup(t.Context(), run("u"), "K"); !errors.Is(err, base.ErrSecretNotFound) {
		t.Errorf("in another tenant's run: %v", err)
	}
	if err := p.End(t.Context(), audit.OK); err != nil {
		t.Fatal(err)
	}
	for name, under := range map[string]*audit.Pending{"ended": p, "none": nil} {
		if _, err := svc.Lookup(t.Context(), under, "K"); err == nil {
			t.Errorf("%s: a secret outside of a recorded action", name)
		}
		if _, err := svc.LookupMeta(t.Context(), under, "K"); err == nil {
			t.Errorf("%s: a secret's record outside of a recorded action", name)
		}
	}
}

func TestTenantsAtTheSameTime(t *testing.T) {
	st := stores["sqlite"](t)
	svc := service(t, st)
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			tenant := fmt.Sprintf("t%d", i)
			for n := range 5 {
				want := fmt.Sprintf("%s-%d", tenant, n)
				if _, err := svc.Set(as(tenant), "K", []byte(want), ""); err != nil {
					t.Error(err)
					return
				}
				s, err := svc.Get(as(tenant), "K", "")
				if err != nil || string(reveal.Inside(s.Value)) != want {
					t.Errorf("%s: %v", want, err)
				}
			}
		})
	}
	wg.Wait()
	if r, err := audit.Verify(t.Context(), st, nil, nil); err != nil || !r.OK() || r.Chains != 16 {
		t.Errorf("%+v %v", r, err)
	}
}
