package scope_test

import (
	"context"
	"errors"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/scope"
)

// otherKey is a key of somebody else.
type otherKey struct{}

func TestEachHelperSetsOneValueAndKeepsTheOthers(t *testing.T) {
	ctx := scope.WithScope(context.Background(), "app", "t1", "u1", "10.0.0.1")
	ctx = scope.WithTenantID(ctx, "t2")
	app, tenant, user, ip := scope.FromContext(ctx)
	if app != "app" || tenant != "t2" || user != "u1" || ip != "10.0.0.1" {
		t.Fatalf("got %q %q %q %q", app, tenant, user, ip)
	}
	ctx = scope.WithIP(scope.WithUserID(scope.WithAppID(context.Background(), "a"), "u"), "i")
	app, tenant, user, ip = scope.FromContext(ctx)
	if app != "a" || tenant != "" || user != "u" || ip != "i" {
		t.Fatalf("got %q %q %q %q", app, tenant, user, ip)
	}
}

func TestRawKeysAndHelpersSeeEachOther(t *testing.T) {
	ctx := scope.WithScope(context.Background(), "app", "t1", "", "")
	if got := ctx.Value(scope.KeyTenantID); got != "t1" {
		t.Errorf("raw read: got %v", got)
	}
	if got := ctx.Value(scope.KeyUserID); got != nil {
		t.Errorf("a missing value must read as nil, got %v", got)
	}
	raw := context.WithValue(context.Background(), scope.KeyTenantID, "raw")
	if _, tenant, _, _ := scope.FromContext(raw); tenant != "raw" {
		t.Errorf("helper read of a raw key: got %q", tenant)
	}
	mixed := scope.WithUserID(raw, "u")
	if c, err := scope.Strict(scope.WithAppID(mixed, "a")); err != nil || c.Tenant != "raw" {
		t.Errorf("a raw key under a helper is adopted: got %+v, %v", c, err)
	}
}

func TestStrict(t *testing.T) {
	full := scope.WithScope(context.Background(), "app", "t1", "u1", "")
	for _, tc := range []struct {
		name string
		ctx  context.Context
		want error
	}{
		{"nothing", context.Background(), scope.ErrNoApp},
		{"no tenant", scope.WithAppID(context.Background(), "app"), scope.ErrNoTenant},
		{"whole", full, nil},
		{"through a child context", context.WithValue(full, otherKey{}, 1), nil},
		{"overwritten by hand", context.WithValue(full, scope.KeyTenantID, "t2"), scope.ErrConflict},
		{"the same by hand", context.WithValue(full, scope.KeyTenantID, "t1"), nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := scope.Strict(tc.ctx)
			if !errors.Is(err, tc.want) {
				t.Fatalf("got %v, want %v", err, tc.want)
			}
			if err != nil && !fault.Is(err, fault.Invalid) {
				t.Fatalf("kind %v", fault.KindOf(err))
			}
		})
	}
}

func TestRequestIDStaysWithTheScope(t *testing.T) {
	ctx := scope.WithCaller(context.Background(), scope.Caller{App: "a", Tenant: "t", RequestID: "req_1"})
	ctx = scope.WithScope(ctx, "a", "system", "rotation-manager", "")
	if got := scope.RequestID(ctx); got != "req_1" {
		t.Fatalf("got %q", got)
	}
}

func TestReadingAllocatesNothing(t *testing.T) {
	ctx := context.WithValue(scope.WithScope(context.Background(), "a", "t", "u", "i"), otherKey{}, 1)
	direct := scope.WithScope(context.Background(), "a", "t", "u", "i")
	for name, c := range map[string]context.Context{"direct": direct, "through a child": ctx} {
		if n := testing.AllocsPerRun(100, func() { scope.FromContext(c); _, _ = scope.Strict(c) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkFromContext(b *testing.B) {
	ctx := scope.WithScope(context.Background(), "a", "t", "u", "i")
	b.ReportAllocs()
	for b.Loop() {
		scope.FromContext(ctx)
	}
}

type below struct{} // a key of somebody else

func TestBorrowIsLenientWithoutACopy(t *testing.T) {
	ctx := scope.WithScope(t.Context(), "app", "tenant", "user", "ip")
	for name, c := range map[string]context.Context{"a scope": ctx, "none": t.Context(), "below": context.WithValue(ctx, below{}, 1),
		"a raw key": context.WithValue(t.Context(), scope.KeyAppID, "raw"), "a conflict": context.WithValue(ctx, scope.KeyTenantID, "other")} {
		want, wantErr := scope.Lenient(c)
		got, err := scope.Borrow(c)
		if *got != want || (err == nil) != (wantErr == nil) {
			t.Errorf("%s: %v %v, Lenient says %v %v", name, *got, err, want, wantErr)
		}
	}
	one, _ := scope.Borrow(ctx)
	two, _ := scope.Borrow(ctx)
	if one != two {
		t.Error("it was copied")
	}
}
