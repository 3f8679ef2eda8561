package override_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/haywardhq/hayward/db/dbtest"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/config"
	"github.com/haywardhq/hayward/vault/flag"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/override"
	"github.com/haywardhq/hayward/vault/scope"
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

func in(app, tenant string) context.Context {
	return scope.WithScope(context.Background(), app, tenant, "ann", "10.0.0.1")
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func setConfig(t testing.TB, st store, app, key string, v any) {
	t.Helper()
	must(t, st.SetConfig(in(app, ""), &config.Entry{Key: key, Value: v, AppID: app}))
}

func setOverride(t testing.TB, st store, app, tenant, key string, v any) {
	t.Helper()
	must(t, st.SetOverride(in(app, ""), &override.Override{Key: key, Value: v, AppID: app, TenantID: tenant}))
}

func TestDefectA_OneScopeIsSeenByOverrides(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		setConfig(t, st, "myapp", "rate-limit", "app-default")
		setOverride(t, st, "myapp", "tenant-1", "rate-limit", "tenant-value")
		r := override.NewResolver(st, st)
		app := scope.WithAppID(t.Context(), "myapp")
		for name, ctx := range map[string]context.Context{
			"scope":                scope.WithTenantID(app, "tenant-1"),
			"override's key":       context.WithValue(t.Context(), override.ContextKeyTenantID, "tenant-1"),
			"flag's key":           context.WithValue(t.Context(), flag.ContextKeyTenantID, "tenant-1"),
			"scope's key by value": context.WithValue(t.Context(), scope.KeyTenantID, "tenant-1"),
		} {
			if v, err := r.Resolve(ctx, "rate-limit", "myapp"); err != nil || v != "tenant-value" {
				t.Errorf("%s: %v, %v", name, v, err)
			}
		}
		for _, ctx := range []context.Context{app, scope.WithTenantID(app, "tenant-2"), t.Context()} {
			if v, err := r.Resolve(ctx, "rate-limit", "myapp"); err != nil || v != "app-default" {
				t.Errorf("%v, %v", v, err)
			}
		}
		if _, err := r.Resolve(in("other", "tenant-1"), "rate-limit", "myapp"); !fault.Is(err, fault.Invalid) {
			t.Errorf("another app in scope: %v", err)
		}
		if _, err := r.Resolve(app, "none", "myapp"); !errors.Is(err, base.ErrConfigNotFound) {
			t.Errorf("%v", err)
		}
		if _, err := r.Resolve(t.Context(), "rate-limit", ""); !errors.Is(err, scope.ErrNoApp) {
			t.Errorf("%v", err)
		}
	})
}

func TestDefectB4_NobodySharesAMutableValue(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		given := map[string]any{"rpm": int64(10), "list": []any{map[string]any{"a": int64(1)}}}
		setConfig(t, st, "myapp", "k", given)
		setOverride(t, st, "myapp", "own", "k", given)
		given["rpm"] = int64(1_000_000)
		r := override.NewResolver(st, st)
		for range 3 {
			for _, tenant := range []string{"t1", "t2", "own"} {
				v, err := r.Resolve(in("myapp", tenant), "k", "")
				m, ok := v.(map[string]any)
				if err != nil || !ok || fmt.Sprint(m) != "map[list:[map[a:1]] rpm:10]" {
					t.Fatalf("%s: %v %v", tenant, v, err)
				}
				m["rpm"] = int64(1_000_000)
				m["list"].([]any)[0].(map[string]any)["a"] = "mine"
			}
		}
	})
}

func TestDefectC2_JoinedKeysDoNotCollide(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		owners := [][3]string{{"a", "b:c", "d"}, {"a:b", "c", "d"}, {"a", "b", "c:d"}, {"a:b:c", "x", "d"}, {"a", "b:c:d", "d"}}
		for _, o := range owners {
			setConfig(t, st, o[0], o[2], "app "+o[0]+" "+o[2])
			setOverride(t, st, o[0], o[1], o[2], strings.Join(o[:], "|"))
		}
		r := override.NewResolver(st, st)
		for range 2 {
			for _, o := range owners {
				if v, err := r.Resolve(in(o[0], o[1]), o[2], ""); err != nil || v != strings.Join(o[:], "|") {
					t.Errorf("%v: %v, %v", o, v, err)
				}
			}
		}
		must(t, st.DeleteOverride(in("a", ""), "d", "a", "b:c"))
		for _, o := range owners[1:] {
			if v, err := r.Resolve(in(o[0], o[1]), o[2], ""); err != nil || v != strings.Join(o[:], "|") {
				t.Errorf("after a deletion %v: %v, %v", o, v, err)
			}
		}
	})
}

func TestDefectG3_TenantsSeeTheirOwnOverridesAlone(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		for _, tenant := range []string{"t1", "t2"} {
			setOverride(t, st, "myapp", tenant, "k", tenant)
			setOverride(t, st, "myapp", tenant, "of-"+tenant, tenant)
		}
		one := in("myapp", "t1")
		_, there := st.GetOverride(one, "k", "myapp", "t2")
		_, none := st.GetOverride(one, "k", "myapp", "t3")
		if !errors.Is(there, base.ErrOverrideNotFound) || there.Error() != none.Error() {
			t.Errorf("%v; %v", there, none)
		}
		there, none = st.DeleteOverride(one, "k", "myapp", "t2"), st.DeleteOverride(one, "k", "myapp", "t3")
		if !errors.Is(there, base.ErrOverrideNotFound) || there.Error() != none.Error() {
			t.Errorf("%v; %v", there, none)
		}
		if err := st.SetOverride(one, &override.Override{Key: "k", Value: 1, AppID: "myapp", TenantID: "t2"}); fault.From(err).Code != "scope" {
			t.Errorf("%v", err)
		}
		byKey, err := st.ListOverridesByKey(one, "k", "myapp")
		foreign, err2 := st.ListOverridesByTenant(one, "myapp", "t2")
		own, err3 := st.ListOverridesByTenant(one, "myapp", "t1")
		if errors.Join(err, err2, err3) != nil || len(byKey) != 1 || byKey[0].TenantID != "t1" || len(foreign) != 0 || len(own) != 2 {
			t.Errorf("%v %v %v %v", byKey, foreign, own, errors.Join(err, err2, err3))
		}
		all, err := st.ListOverridesByKey(in("myapp", ""), "k", "myapp")
		if err != nil || len(all) != 2 || all[0].Value != "t1" || all[1].Value != "t2" {
			t.Errorf("%v %v", all, err)
		}
		if err := st.SetOverride(in("myapp", ""), &override.Override{Key: "k", Value: 1, AppID: "myapp"}); !errors.Is(err, scope.ErrNoTenant) {
			t.Errorf("no tenant: %v", err)
		}
		if err := st.SetOverride(in("myapp", ""), &override.Override{Key: "k", Value: 1, AppID: "myapp", TenantID: driver.Shared}); !fault.Is(err, fault.Invalid) {
			t.Errorf("the app itself as a tenant: %v", err)
		}
	})
}

func TestDefectJ_TheCacheHasABound(t *testing.T) {
	st := memory.New()
	setConfig(t, st, "myapp", "k", "v")
	r := override.NewResolver(st, st, override.WithCacheTTL(time.Hour))
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	for i := range 100_000 {
		if v, err := r.Resolve(in("myapp", fmt.Sprint("t", i)), "k", ""); err != nil || v != "v" {
			t.Fatalf("%v %v", v, err)
		}
	}
	if grown := heap() - before; grown > 4<<20 {
		t.Errorf("100000 tenants hold %d bytes", grown)
	}
	runtime.KeepAlive(r)
}

func TestDefectM_ValuesAreThoseOfConfig(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		r := override.NewResolver(st, st)
		for i, v := range []any{int32(5), int64(1<<53 + 1), uint64(math.MaxUint64), 30 * time.Second, float32(0.5)} {
			key := fmt.Sprint("k", i)
			setOverride(t, st, "myapp", "t", key, v)
			if got, err := r.Resolve(in("myapp", "t"), key, ""); err != nil || got != v {
				t.Errorf("%T %v: %T %v, %v", v, v, got, got, err)
			}
		}
		v, err := r.Value(in("myapp", "t"), "k3", "")
		must(t, err)
		if d, err := v.Duration(); err != nil || d != 30*time.Second {
			t.Errorf("%v %v", d, err)
		}
		if _, err := v.Int64(); !errors.Is(err, base.ErrTypeMismatch) {
			t.Errorf("a duration read as a number: %v", err)
		}
	})
}

func TestDefectN_AnOverrideIsSeenAtOnce(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		r := override.NewResolver(st, st, override.WithCacheTTL(time.Hour))
		svc := config.NewService(st, config.WithResolver(r))
		defer svc.Close()
		ctx := in("myapp", "t")
		see := func(what, want string) {
			t.Helper()
			if got := svc.String(ctx, "k", "none"); got != want {
				t.Errorf("after %s: %s", what, got)
			}
		}
		see("nothing", "none")
		setConfig(t, st, "myapp", "k", "app")
		see("setting", "app")
		setOverride(t, st, "myapp", "t", "k", "own")
		see("overriding", "own")
		setOverride(t, st, "myapp", "u", "k", "theirs")
		see("overriding for another", "own")
		must(t, st.DeleteOverride(ctx, "k", "myapp", "t"))
		see("deleting the override", "app")
		must(t, st.DeleteConfig(ctx, "k", "myapp"))
		see("deleting", "none")
	})
}

func TestAStoreThatTellsNothingIsReadEachTime(t *testing.T) {
	st := memory.New()
	configs, overrides := struct{ config.Store }{st}, struct{ override.Store }{st}
	now := time.Unix(0, 0)
	clock := override.WithClock(func() time.Time { return now })
	each, aged := override.NewResolver(configs, overrides, clock), override.NewResolver(configs, overrides, clock, override.WithCacheTTL(time.Minute))
	ctx := in("myapp", "t")
	see := func(what string, r *override.Resolver, want any) {
		t.Helper()
		if v, err := r.Resolve(ctx, "k", ""); err != nil || v != want {
			t.Errorf("%s: %v, %v", what, v, err)
		}
	}
	setConfig(t, st, "myapp", "k", 1)
	see("each", each, 1)
	see("aged", aged, 1)
	setConfig(t, st, "myapp", "k", 2)
	see("each", each, 2)
	see("aged", aged, 1)
	aged.Invalidate("k", "myapp")
	see("invalidated", aged, 2)
	setConfig(t, st, "myapp", "k", 3)
	aged.InvalidateAll()
	see("all invalidated", aged, 3)
	setConfig(t, st, "myapp", "k", 4)
	now = now.Add(time.Minute)
	see("after its age", aged, 4)
}

// failing is a store whose reads fail as a database's driver would.
type failing struct{ store }

func (failing) GetOverride(context.Context, string, string, string) (*override.Override, error) {
	return nil, errors.New("ERROR: relation does not exist (SQLSTATE 42P01)")
}

func TestAStoreThatFailsIsAnErrorWithoutItsText(t *testing.T) {
	st := memory.New()
	setConfig(t, st, "myapp", "k", "app")
	_, err := override.NewResolver(st, failing{st}).Resolve(in("myapp", "t"), "k", "")
	if !fault.Is(err, fault.Unavailable) || strings.Contains(err.Error(), "SQLSTATE") {
		t.Errorf("%v", err)
	}
}

// TestTheResolversLaw: after any writes, a caller sees the tenant's override if there is one, else the app's entry.
func TestTheResolversLaw(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		st := memory.New()
		r := override.NewResolver(st, st)
		type owner struct{ app, tenant, key string }
		model := map[owner]int{}
		pick := func(label string, from ...string) string { return rapid.SampledFrom(from).Draw(rt, label) }
		for i := range rapid.IntRange(1, 40).Draw(rt, "steps") {
			o := owner{pick("app", "a", "b"), pick("tenant", "", "t", "u"), pick("key", "k", "l")}
			ctx := in(o.app, o.tenant)
			_, there := model[o]
			var err error
			switch set := rapid.Bool().Draw(rt, "set"); {
			case set && o.tenant == "":
				err = st.SetConfig(ctx, &config.Entry{Key: o.key, Value: i, AppID: o.app})
			case set:
				err = st.SetOverride(ctx, &override.Override{Key: o.key, Value: i, AppID: o.app, TenantID: o.tenant})
			case o.tenant == "":
				err = st.DeleteConfig(ctx, o.key, o.app)
			default:
				err = st.DeleteOverride(ctx, o.key, o.app, o.tenant)
			}
			if err == nil {
				model[o] = i
			}
			if _, kept := st.GetConfig(in(o.app, ""), o.key, o.app); o.tenant == "" && kept != nil {
				delete(model, o)
			}
			if o.tenant != "" {
				if _, kept := st.GetOverride(ctx, o.key, o.app, o.tenant); kept != nil {
					delete(model, o)
				}
			}
			if err != nil && (there || !fault.Is(err, fault.NotFound)) {
				rt.Fatalf("%v: %v", o, err)
			}
			for _, app := range []string{"a", "b"} {
				for _, tenant := range []string{"", "t", "u"} {
					want, ok := model[owner{app, tenant, o.key}]
					if !ok {
						want, ok = model[owner{app, "", o.key}]
					}
					got, err := r.Resolve(in(app, tenant), o.key, "")
					if ok && (err != nil || got != want) || !ok && !errors.Is(err, base.ErrConfigNotFound) {
						rt.Fatalf("%s/%s %s: %v, %v; want %v %v", app, tenant, o.key, got, err, want, ok)
					}
				}
			}
		}
	})
}

func TestNoReadingIsOlderThanItsWrite(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		r := override.NewResolver(st, st)
		setOverride(t, st, "myapp", "t", "k", 0)
		var acknowledged atomic.Int64
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					low := acknowledged.Load()
					v, err := r.Resolve(in("myapp", "t"), "k", "")
					if n, _ := v.(int); err != nil || int64(n) < low {
						t.Errorf("%v, %v after %d", v, err, low)
						return
					}
				}
			})
		}
		for i := range 100 {
			setOverride(t, st, "myapp", "t", "k", i+1)
			acknowledged.Store(int64(i + 1))
		}
		close(stop)
		wg.Wait()
	})
}

func BenchmarkResolve(b *testing.B) {
	st := memory.New()
	setConfig(b, st, "myapp", "k", 100)
	ctxs := make([]context.Context, 64)
	for i := range ctxs {
		ctxs[i] = in("myapp", fmt.Sprint("tenant-", i))
	}
	setOverride(b, st, "myapp", "tenant-1", "k", 7)
	kept, read := override.NewResolver(st, st), override.NewResolver(struct{ config.Store }{st}, struct{ override.Store }{st})
	svc := config.NewService(st, config.WithAppID("myapp"))
	for _, bm := range []struct {
		name string
		call func(i int)
	}{
		{"kept", func(i int) { _, _ = kept.Resolve(ctxs[i&63], "k", "myapp") }},
		{"read", func(i int) { _, _ = read.Resolve(ctxs[i&63], "k", "myapp") }},
		{"config.Int", func(i int) { _ = svc.Int(ctxs[i&63], "k", 0) }},
	} {
		b.Run(bm.name, func(b *testing.B) {
			b.ReportAllocs()
			for i := range b.N {
				bm.call(i)
			}
		})
		b.Run(bm.name+"/parallel", func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					bm.call(i)
				}
			})
		})
	}
}
