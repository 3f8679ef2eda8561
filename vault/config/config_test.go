package config_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/haywardhq/hayward/db/dbtest"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/config"
	"github.com/haywardhq/hayward/vault/crypto"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/override"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/secret"
	"github.com/haywardhq/hayward/vault/store/driver"
	"github.com/haywardhq/hayward/vault/store/memory"
	"github.com/haywardhq/hayward/vault/store/postgres"
	"github.com/haywardhq/hayward/vault/store/sqlite"
)

type store interface {
	config.Store
	override.Store
	driver.Store
	driver.Watcher
}

func everyStore(t *testing.T, test func(t *testing.T, st store)) {
	t.Run("memory", func(t *testing.T) { test(t, memory.New()) })
	t.Run("sqlite", func(t *testing.T) { test(t, sqlite.New(dbtest.New(t, sqlite.Schema()))) })
	t.Run("postgres", func(t *testing.T) { test(t, postgres.New(dbtest.NewPostgres(t, postgres.Schema()))) })
}

func as(tenant string) context.Context {
	return scope.WithScope(context.Background(), "myapp", tenant, "ann", "10.0.0.1")
}

var operator = as("")

func service(t *testing.T, st store, opts ...config.ServiceOption) *config.Service {
	s := config.NewService(st, append([]config.ServiceOption{config.WithLogger(slog.New(slog.DiscardHandler))}, opts...)...)
	t.Cleanup(s.Close)
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestDefectM_ValuesComeBackAsTheyWere(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		svc, r := service(t, st), override.NewResolver(st, st)
		for i, v := range []any{true, "text", 7, int8(1), int32(32), int64(1<<53 + 1), uint64(math.MaxUint64), 1.5, float32(0.1), 30 * time.Second,
			map[string]any{"n": int64(1<<53 + 1), "f": 0.5, "s": []any{"a", nil}}, []any{int64(1)}, config.SecretRef{Name: "K"}} {
			key := fmt.Sprint("k", i)
			must(t, st.SetConfig(operator, &config.Entry{Key: key, Value: v, AppID: "myapp"}))
			must(t, st.SetOverride(operator, &override.Override{Key: key, Value: v, AppID: "myapp", TenantID: "t"}))
			for range 2 {
				for _, ctx := range []context.Context{as("t"), as("other"), operator} {
					got, err := svc.Value(ctx, key)
					resolved, err2 := r.Resolve(ctx, key, "myapp")
					if errors.Join(err, err2) != nil || !reflect.DeepEqual(got.Any(), v) || !reflect.DeepEqual(resolved, v) {
						t.Errorf("%T %v: %T %v, %T %v, %v", v, v, got.Any(), got.Any(), resolved, resolved, errors.Join(err, err2))
					}
				}
			}
			e, err := st.GetConfigVersion(operator, key, "myapp", 1)
			if err != nil || !reflect.DeepEqual(e.Value, v) {
				t.Errorf("in the history: %T %v, %v", e.Value, e.Value, err)
			}
		}
	})
}

func TestDefectM_TypedAccessorsRefuseWhatIsNotExact(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		var log strings.Builder
		svc := service(t, st, config.WithAppID("myapp"), config.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
		for key, v := range map[string]any{"int": 30, "int32": int32(5), "big": int64(1<<53 + 1), "huge": uint64(math.MaxUint64), "whole": 3.0, "frac": 3.9,
			"text": "1m30s", "dur": 30 * time.Second, "bool": true, "json": map[string]any{"n": int64(1<<53 + 1)}} {
			must(t, st.SetConfig(operator, &config.Entry{Key: key, Value: v, AppID: "myapp"}))
		}
		ctx := as("t")
		for i, ok := range []bool{
			svc.Int(ctx, "int", 0) == 30, svc.Int(ctx, "int32", 0) == 5, svc.Int64(ctx, "big", 0) == 1<<53+1, svc.Int(ctx, "whole", 0) == 3, svc.Float(ctx, "int", 0) == 30,
			svc.Duration(ctx, "dur", 0) == 30*time.Second, svc.Duration(ctx, "text", 0) == 90*time.Second, svc.Bool(ctx, "bool", false), svc.String(ctx, "text", "") == "1m30s",
			svc.Int(ctx, "nothing", 9) == 9,
		} {
			if !ok {
				t.Errorf("value %d is wrong", i)
			}
		}
		if log.Len() > 0 {
			t.Errorf("logged: %s", log.String())
		}
		for i, ok := range []bool{
			svc.Int(ctx, "frac", -1) == -1, svc.Int(ctx, "huge", -1) == -1, svc.Float(ctx, "big", -1) == -1, svc.Duration(ctx, "int", time.Second) == time.Second,
			svc.Int(ctx, "dur", -1) == -1, svc.String(ctx, "bool", "d") == "d", svc.Bool(ctx, "int", true),
		} {
			if !ok {
				t.Errorf("value %d was guessed", i)
			}
		}
		if n := strings.Count(log.String(), "\n"); n != 6 { // "int" fails twice in the same way
			t.Errorf("%d lines in the log:\n%s", n, log.String())
		}
		v, err := svc.Value(ctx, "frac")
		must(t, err)
		if _, err := v.Int(); !errors.Is(err, base.ErrTypeMismatch) || !strings.Contains(err.Error(), "frac") {
			t.Errorf("%v", err)
		}
		var doc struct{ N int64 }
		if err := svc.JSON(ctx, "json", &doc); err != nil || doc.N != 1<<53+1 {
			t.Errorf("%v %v", doc, err)
		}
		if err := svc.JSON(ctx, "nothing", &doc); !errors.Is(err, base.ErrConfigNotFound) {
			t.Errorf("%v", err)
		}
	})
}

func TestVersionsAndRollback(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		svc := service(t, st)
		must(t, svc.Set(operator, "k", 1, "", config.WithDescription("d"), config.WithMetadata(map[string]string{"m": "1"})))
		must(t, svc.Set(operator, "k", "two", "myapp"))
		e, err := svc.Get(operator, "k", "")
		if err != nil || e.Version != 2 || e.Value != "two" || e.ValueType != "string" || e.Description != "d" || e.Metadata["m"] != "1" || e.CreatedBy != "ann" {
			t.Errorf("%+v %v", e, err)
		}
		e, err = svc.Rollback(operator, "k", "", 1)
		if err != nil || e.Version != 3 || e.Value != 1 {
			t.Errorf("%+v %v", e, err)
		}
		if svc.Int(as("t"), "k", 0) != 1 {
			t.Error("what was rolled back is not read")
		}
		versions, err := svc.ListVersions(operator, "k", "")
		if err != nil || len(versions) != 3 || !versions[2].Current || versions[1].Value != "two" || versions[1].Current {
			t.Errorf("%v %v", versions, err)
		}
		if old, err := svc.GetVersion(operator, "k", "", 2); err != nil || old.Value != "two" || old.Version != 2 {
			t.Errorf("%+v %v", old, err)
		}
		for _, err := range []error{svc.Set(operator, "k", 4, "", config.WithExpectedVersion(2)), svc.Set(operator, "k", 4, "", config.WithExpectedVersion(0))} {
			if !errors.Is(err, base.ErrVersionConflict) || !fault.Is(err, fault.Conflict) {
				t.Errorf("%v", err)
			}
		}
		must(t, svc.Set(operator, "k", 4, "", config.WithExpectedVersion(3)))
		must(t, svc.Delete(operator, "k", ""))
		if _, err := svc.Rollback(operator, "k", "", 1); !errors.Is(err, base.ErrConfigNotFound) {
			t.Errorf("%v", err)
		}
		must(t, svc.Set(operator, "k", 5, "", config.WithExpectedVersion(0)))
		if e, err := svc.Get(operator, "k", ""); err != nil || e.Version != 5 || e.Description != "" {
			t.Errorf("a version number was used twice, or what was deleted came back: %+v %v", e, err)
		}
		for i := range 120 {
			must(t, svc.Set(operator, "many", i, ""))
		}
		if versions, err := svc.ListVersions(operator, "many", ""); err != nil || len(versions) != 100 || versions[0].Version != 21 {
			t.Errorf("%d %v", len(versions), err)
		}
	})
}

func TestCompareAndSetLosesNothing(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		svc := service(t, st)
		must(t, svc.Set(operator, "n", 0, ""))
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for done := 0; done < 10; {
					e, err := svc.Get(operator, "n", "")
					if err == nil {
						err = svc.Set(operator, "n", e.Value.(int)+1, "", config.WithExpectedVersion(e.Version))
					}
					switch {
					case err == nil:
						done++
					case !errors.Is(err, base.ErrVersionConflict):
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		if got := svc.Int(operator, "n", 0); got != 40 {
			t.Errorf("40 increments made %d", got)
		}
	})
}

func TestTenantsAreApart(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		svc := service(t, st)
		must(t, svc.Set(operator, "k", "app", ""))
		must(t, svc.Set(as("t1"), "k", "one", ""))
		for tenant, want := range map[string]string{"": "app", "t1": "one", "t2": "app"} {
			if got := svc.String(as(tenant), "k", ""); got != want {
				t.Errorf("%q reads %q", tenant, got)
			}
		}
		must(t, svc.Set(as("t1"), "own", 1, ""))
		_, there := svc.Get(as("t2"), "own", "")
		_, none := svc.Get(as("t2"), "nwo", "")
		if !errors.Is(there, base.ErrConfigNotFound) || strings.ReplaceAll(there.Error(), "own", "nwo") != none.Error() {
			t.Errorf("%v; %v", there, none)
		}
		for _, err := range []error{svc.Delete(as("t2"), "own", ""), svc.Delete(as("t2"), "k", "")} {
			if !errors.Is(err, base.ErrConfigNotFound) {
				t.Errorf("%v", err)
			}
		}
		if _, err := svc.ListVersions(as("t2"), "k", ""); !errors.Is(err, base.ErrConfigNotFound) {
			t.Errorf("a tenant reads the history of the app's entry: %v", err)
		}
		if err := svc.SetSchema(as("t2"), "k", json.RawMessage(`{}`), ""); !fault.Is(err, fault.Denied) {
			t.Errorf("%v", err)
		}
		list, err := svc.List(as("t1"), "", config.ListOpts{})
		if err != nil || len(list) != 2 || list[0].Value != "one" || list[0].TenantID != "t1" || list[1].Key != "own" {
			t.Errorf("%v %v", list, err)
		}
		list, err = svc.List(as("t2"), "", config.ListOpts{Limit: 1})
		if err != nil || len(list) != 1 || list[0].Value != "app" {
			t.Errorf("%v %v", list, err)
		}
		must(t, svc.Delete(as("t1"), "k", ""))
		if got := svc.String(as("t1"), "k", ""); got != "app" {
			t.Errorf("after deleting its own: %q", got)
		}
	})
}

func TestDefectA2_AnotherAppInScopeIsAnError(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		svc := service(t, st)
		must(t, svc.Set(operator, "k", "myapp's", ""))
		other := scope.WithScope(t.Context(), "other", "t", "u", "")
		_, err := st.GetConfig(other, "k", "myapp")
		for _, err := range []error{err, svc.Set(other, "k", 1, "myapp"), st.SetConfig(other, &config.Entry{Key: "k", Value: 1, AppID: "myapp"})} {
			if !fault.Is(err, fault.Invalid) || fault.From(err).Code != "scope" {
				t.Errorf("%v", err)
			}
		}
		if _, err := svc.Value(other, "k"); !errors.Is(err, base.ErrConfigNotFound) {
			t.Errorf("another app's entry: %v", err)
		}
		if _, err := svc.Value(context.WithValue(as("t"), scope.KeyTenantID, "u"), "k"); !errors.Is(err, scope.ErrConflict) {
			t.Errorf("two scopes: %v", err)
		}
	})
}

func TestWhatIsRefused(t *testing.T) {
	svc := service(t, memory.New())
	for name, err := range map[string]error{
		"a key":                   svc.Set(operator, "a b", 1, ""),
		"no value":                svc.Set(operator, "k", nil, ""),
		"NaN":                     svc.Set(operator, "k", math.NaN(), ""),
		"a secret":                svc.Set(operator, "k", sealed.New([]byte("x")), ""),
		"a type":                  svc.Set(operator, "k", 1, "", config.WithValueType("number")),
		"text as an int":          svc.Set(operator, "k", "5", "", config.WithValueType("int")),
		"text as a duration":      svc.Set(operator, "k", "5", "", config.WithValueType("duration")),
		"a reference and more":    svc.Set(operator, "k", map[string]any{"a": map[string]any{"$secret": "K", "b": 1}}, ""),
		"a reference to a number": svc.Set(operator, "k", []any{map[string]any{"$secret": 1}}, ""),
		"a reference to no name":  svc.Set(operator, "k", config.SecretRef{Name: "a b"}, ""),
		"a long description":      svc.Set(operator, "k", 1, "", config.WithDescription(strings.Repeat("x", 5000))),
		"much metadata":           svc.Set(operator, "k", 1, "", config.WithMetadata(map[string]string{"a": strings.Repeat("x", 9000)})),
		"a long value":            svc.Set(operator, "k", strings.Repeat("x", 300<<10), ""),
	} {
		if !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.TooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(t, svc.Set(operator, "f", 5, "", config.WithValueType("float")))
	if e, err := svc.Get(operator, "f", ""); err != nil || e.ValueType != "float" || svc.Float(operator, "f", 0) != 5 {
		t.Errorf("%+v %v", e, err)
	}
}

func TestSchema(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		svc := service(t, st)
		must(t, svc.Set(operator, "limits", map[string]any{"rpm": 10}, ""))
		schema := json.RawMessage(`{"type":"object","properties":{"rpm":{"type":"integer","maximum":9007199254740993}},"required":["rpm"],"additionalProperties":false}`)
		must(t, svc.SetSchema(operator, "limits", schema, ""))
		must(t, svc.Set(as("t"), "limits", map[string]any{"rpm": int64(1<<53 + 1)}, ""))
		for _, bad := range []any{5, map[string]any{"rpm": "SECRETISH"}, map[string]any{"rpm": 1, "x": 2}, map[string]any{"rpm": int64(1<<53 + 2)}} {
			for _, err := range []error{svc.Set(operator, "limits", bad, ""), svc.Set(as("t"), "limits", bad, ""),
				st.SetOverride(as("u"), &override.Override{Key: "limits", Value: bad, AppID: "myapp", TenantID: "u"})} {
				if !fault.Is(err, fault.Invalid) || fault.From(err).Code != "SchemaMismatch" || strings.Contains(err.Error(), "SECRETISH") {
					t.Errorf("%v: %v", bad, err)
				}
			}
		}
		for _, bad := range []string{`{`, `{"type":"nonsense"}`, `{"$ref":"file:///etc/passwd"}`, `{"$ref":"http://127.0.0.1/x.json"}`, `5`} {
			if err := svc.SetSchema(operator, "limits", json.RawMessage(bad), ""); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", bad, err)
			}
		}
		if err := svc.SetSchema(operator, "limits", json.RawMessage(`{"properties":{"rpm":{"maximum":100}}}`), ""); !fault.Is(err, fault.Conflict) {
			t.Errorf("a schema that a tenant's value does not fit: %v", err)
		}
		must(t, svc.SetSchema(operator, "dur", json.RawMessage(`{"type":"string","pattern":"s$"}`), ""))
		must(t, svc.Set(operator, "dur", 30*time.Second, ""))
		if err := svc.Set(operator, "dur", 5, ""); err == nil {
			t.Error("a number fits a schema of text")
		}
		must(t, svc.Delete(operator, "limits", ""))
		if err := svc.Set(operator, "limits", 5, ""); err == nil {
			t.Error("deleting an entry took its schema away")
		}
		must(t, svc.SetSchema(operator, "limits", nil, ""))
		must(t, svc.Set(operator, "limits", 5, ""))
	})
}

func TestSecretReferences(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		enc, err := crypto.NewEncryptor([]byte("0123456789abcdef0123456789abcdef"))
		must(t, err)
		secrets := secret.NewService(st, enc)
		for _, tenant := range []string{"t1", "t2"} {
			_, err := secrets.Set(as(tenant), "DB_PASSWORD", []byte("password of "+tenant), "")
			must(t, err)
		}
		svc := service(t, st, config.WithSecrets(secrets))
		must(t, svc.Set(operator, "password", config.SecretRef{Name: "DB_PASSWORD"}, ""))
		must(t, svc.Set(operator, "db", json.RawMessage(`{"host":"h","password":{"$secret":"DB_PASSWORD"}}`), ""))
		one, err := svc.Secret(as("t1"), "password")
		two, err2 := secrets.Get(as("t1"), "DB_PASSWORD", "")
		if errors.Join(err, err2) != nil || one.IsZero() || fmt.Sprint(one) != fmt.Sprint(two.Value) {
			t.Errorf("%v %v", one, errors.Join(err, err2))
		}
		var doc struct {
			Host     string
			Password config.SecretRef
		}
		must(t, svc.JSON(as("t2"), "db", &doc))
		v, err := svc.OpenSecret(as("t2"), doc.Password)
		if err != nil || v.IsZero() || doc.Host != "h" {
			t.Errorf("%+v %v", doc, err)
		}
		all, err := svc.Value(as("t2"), "db")
		must(t, err)
		if text := fmt.Sprintf("%v %+v %#v", all, doc, all.Any()); strings.Contains(text, "password of") {
			t.Errorf("%s", text)
		}
		if _, err := svc.Secret(as("t3"), "password"); !errors.Is(err, base.ErrSecretNotFound) {
			t.Errorf("a tenant without that secret: %v", err)
		}
		if _, err := svc.Secret(as("t1"), "db"); !errors.Is(err, base.ErrTypeMismatch) {
			t.Errorf("%v", err)
		}
		if _, err := service(t, st).Secret(as("t1"), "password"); !fault.Is(err, fault.Unsupported) {
			t.Errorf("%v", err)
		}
		if svc.String(as("t1"), "password", "d") != "d" {
			t.Error("a reference was read as text")
		}
	})
}

func TestManagingIsRecorded(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		svc := service(t, st)
		must(t, svc.Set(as("t"), "k", 1, ""))
		_, _ = svc.Get(as("t"), "none", "")
		page, err := audit.NewService(st, audit.NewGate(audit.NewLogger(st), nil)).List(as("t"), audit.Query{Action: "config.*", OldestFirst: true})
		got := ""
		for _, e := range page.Entries {
			got += fmt.Sprintf("%s %s %s;", e.Action, e.Key, e.Outcome)
		}
		if want := "config.set k begin;config.set k ok;config.get none begin;config.get none not_found;"; err != nil || got != want {
			t.Errorf("%s, %v", got, err)
		}
	})
}

type refusing struct{}

func (refusing) Enter(context.Context, audit.Request) (*audit.Pending, error) {
	return nil, fault.Wrap(fault.Unavailable, base.ErrAuditUnavailable, "no")
}

func TestWithoutARecordNothingIsDone(t *testing.T) {
	st := memory.New()
	svc := service(t, st, config.WithGate(refusing{}))
	calls := map[string]func() error{
		"Set":          func() error { return svc.Set(operator, "k", 1, "") },
		"Delete":       func() error { return svc.Delete(operator, "k", "") },
		"SetSchema":    func() error { return svc.SetSchema(operator, "k", nil, "") },
		"Rollback":     func() error { _, err := svc.Rollback(operator, "k", "", 1); return err },
		"Get":          func() error { _, err := svc.Get(operator, "k", ""); return err },
		"GetVersion":   func() error { _, err := svc.GetVersion(operator, "k", "", 1); return err },
		"ListVersions": func() error { _, err := svc.ListVersions(operator, "k", ""); return err },
		"List":         func() error { _, err := svc.List(operator, "", config.ListOpts{}); return err },
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, base.ErrAuditUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := st.GetConfig(operator, "k", ""); !errors.Is(err, base.ErrConfigNotFound) {
		t.Errorf("%v", err)
	}
}
