package secret_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/secret"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// states is a secret's history as "1 superseded, 2 current".
func states(t testing.TB, svc *secret.Service, tenant, key string) string {
	t.Helper()
	h, err := svc.History(as(tenant), key, "")
	if err != nil {
		return err.Error()
	}
	var out []string
	for _, v := range h.Versions {
		out = append(out, fmt.Sprint(v.Version, " ", v.State))
	}
	return strings.Join(out, ", ")
}

func wantStates(t testing.TB, svc *secret.Service, want string) {
	t.Helper()
	if got := states(t, svc, "t", "K"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// value is what Get gives, or the code of its error.
func value(svc *secret.Service, tenant, key string) string {
	s, err := svc.Get(as(tenant), key, "")
	return valueOf(s, err)
}

func valueOf(s *secret.Secret, err error) string {
	if err != nil {
		return "error " + fault.From(err).Code
	}
	return shown(s.Value)
}

func fine(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestDeleteAndUndelete(t *testing.T) {
	everyStore(t, func(t *testing.T, st driver.Store) {
		svc := service(t, st)
		set(t, svc, "t", "K", "one")
		set(t, svc, "t", "K", "two", secret.WithMetadata(map[string]string{"owner": "dba"}))
		fine(t, svc.Delete(as("t"), "K", ""))
		wantStates(t, svc, "1 deleted, 2 deleted")
		for name, err := range map[string]error{
			"Get": second(svc.Get(as("t"), "K", "")), "GetMeta": second(svc.GetMeta(as("t"), "K", "")),
			"GetVersion": second(svc.GetVersion(as("t"), "K", "", 1)), "Delete": svc.Delete(as("t"), "K", ""),
		} {
			if !errors.Is(err, base.ErrSecretNotFound) {
				t.Errorf("%s of a deleted secret: %v", name, err)
			}
		}
		list, err := svc.ListDeleted(as("t"), "", secret.ListOpts{})
		if err != nil || len(list) != 1 || list[0].Key != "K" || list[0].Version != 2 || list[0].DeletedAt == nil || list[0].Metadata["owner"] != "dba" {
			t.Errorf("%+v, %v", list, err)
		}
		fine(t, svc.Undelete(as("t"), "K", ""))
		wantStates(t, svc, "1 superseded, 2 current")
		if got := value(svc, "t", "K"); got != "two" {
			t.Errorf("%q came back", got)
		}
		if list, err := svc.ListDeleted(as("t"), "", secret.ListOpts{}); err != nil || len(list) != 0 {
			t.Errorf("%+v, %v", list, err)
		}
		if err := svc.Undelete(as("t"), "K", ""); !errors.Is(err, base.ErrSecretNotFound) {
			t.Errorf("nothing was deleted: %v", err)
		}
		// A new version over a deleted secret: the old ones stay deleted, and can come back behind it.
		fine(t, svc.Delete(as("t"), "K", ""))
		if m := set(t, svc, "t", "K", "three"); m.Version != 3 || len(m.Metadata) != 0 {
			t.Errorf("%+v", m)
		}
		wantStates(t, svc, "1 deleted, 2 deleted, 3 current")
		fine(t, svc.Undelete(as("t"), "K", "", 2))
		wantStates(t, svc, "1 deleted, 2 superseded, 3 current")
		if got := value(svc, "t", "K"); got != "three" {
			t.Errorf("%q is served", got)
		}
	})
}

func TestSingleVersions(t *testing.T) {
	everyStore(t, func(t *testing.T, st driver.Store) {
		svc := service(t, st)
		for _, v := range []string{"one", "two", "three"} {
			set(t, svc, "t", "K", v)
		}
		fine(t, svc.DeleteVersions(as("t"), "K", "", 1, 3))
		wantStates(t, svc, "1 deleted, 2 superseded, 3 deleted")
		if got := value(svc, "t", "K"); got != "error SecretNotFound" {
			t.Errorf("an earlier version took its place: %q", got)
		}
		if got := valueOf(svc.GetVersion(as("t"), "K", "", 2)); got != "two" {
			t.Errorf("%q", got)
		}
		fine(t, svc.Undelete(as("t"), "K", "", 3))
		if got := value(svc, "t", "K"); got != "three" {
			t.Errorf("%q came back", got)
		}
		fine(t, svc.DestroyVersions(as("t"), "K", "", 1, 2))
		wantStates(t, svc, "1 destroyed, 2 destroyed, 3 current")
		for name, err := range map[string]error{
			"undelete": svc.Undelete(as("t"), "K", "", 1), "destroy again": svc.DestroyVersions(as("t"), "K", "", 3, 1),
			"delete": svc.DeleteVersions(as("t"), "K", "", 3, 2), "one that never was": svc.DeleteVersions(as("t"), "K", "", 9),
			"read": second(svc.GetVersion(as("t"), "K", "", 2)),
		} {
			if !errors.Is(err, base.ErrSecretNotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		wantStates(t, svc, "1 destroyed, 2 destroyed, 3 current") // nothing by halves
		for name, err := range map[string]error{"delete": svc.DeleteVersions(as("t"), "K", ""), "destroy": svc.DestroyVersions(as("t"), "K", "")} {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%s without a version: %v", name, err)
			}
		}
		fine(t, svc.Destroy(as("t"), "K", ""))
		wantStates(t, svc, "1 destroyed, 2 destroyed, 3 destroyed")
		if err := svc.Undelete(as("t"), "K", ""); !errors.Is(err, base.ErrSecretNotFound) {
			t.Errorf("a destroyed secret came back: %v", err)
		}
		if m := set(t, svc, "t", "K", "four"); m.Version != 4 {
			t.Errorf("version %d", m.Version)
		}
		if err := inTx(t, st, rowsAre(t, "K", 4)); err != nil {
			t.Error(err)
		}
	})
}

func TestTheRecoveryWindow(t *testing.T) {
	everyStore(t, func(t *testing.T, st driver.Store) {
		long := service(t, st)
		set(t, long, "t", "H", "one")
		fine(t, long.Delete(as("t"), "H", ""))
		if names, err := long.Sweep(t.Context(), "myapp", "t", 100); err != nil || len(names) != 0 {
			t.Errorf("before its end: %v, %v", names, err)
		}
		fine(t, long.Undelete(as("t"), "H", ""))
		svc := service(t, st, secret.WithRecoveryWindow(time.Microsecond)) // over with the next transaction
		set(t, svc, "t", "K", "one")
		set(t, svc, "t", "L", "one")
		fine(t, svc.Delete(as("t"), "K", ""))
		fine(t, svc.DeleteVersions(as("t"), "L", "", 1))
		if err := svc.Undelete(as("t"), "K", ""); !errors.Is(err, base.ErrSecretNotFound) {
			t.Errorf("after its end: %v", err)
		}
		if list, err := svc.ListDeleted(as("t"), "", secret.ListOpts{}); err != nil || len(list) != 0 {
			t.Errorf("%+v, %v", list, err)
		}
		names, err := svc.Sweep(t.Context(), "myapp", "t", 100)
		if err != nil || fmt.Sprint(names) != "[K L]" {
			t.Errorf("%v, %v", names, err)
		}
		wantStates(t, svc, "1 destroyed")
		if err := inTx(t, st, rowsAre(t, "K")); err != nil {
			t.Error(err)
		}
		if names, err := svc.Sweep(t.Context(), "myapp", "t", 100); err != nil || len(names) != 0 {
			t.Errorf("again: %v, %v", names, err)
		}
		hard := service(t, st, secret.WithRecoveryWindow(0))
		set(t, hard, "t", "M", "one")
		fine(t, hard.Delete(as("t"), "M", ""))
		if got := states(t, hard, "t", "M"); got != "1 destroyed" {
			t.Errorf("without a window: %s", got)
		}
	})
}

func TestASecretKeepsSoManyVersions(t *testing.T) {
	everyStore(t, func(t *testing.T, st driver.Store) {
		svc := service(t, st)
		for range 12 {
			set(t, svc, "t", "K", "v")
		}
		if h, err := svc.History(as("t"), "K", ""); err != nil || len(h.Versions) != 10 || h.Versions[0].Version != 3 || h.MaxVersions != 10 || h.Latest != 12 {
			t.Errorf("%+v, %v", h, err)
		}
		set(t, svc, "t", "K", "v", secret.WithKeepVersions(2))
		wantStates(t, svc, "12 superseded, 13 current")
		set(t, svc, "t", "K", "v")
		wantStates(t, svc, "13 superseded, 14 current")
		fine(t, svc.SetMaxVersions(as("t"), "K", "", 1))
		wantStates(t, svc, "14 current")
		if err := inTx(t, st, rowsAre(t, "K", 14)); err != nil {
			t.Error(err)
		}
		for _, n := range []int{-1, 101} {
			if err := svc.SetMaxVersions(as("t"), "K", "", n); !fault.Is(err, fault.Invalid) {
				t.Errorf("%d versions: %v", n, err)
			}
			if _, err := svc.Set(as("t"), "K", []byte("v"), "", secret.WithKeepVersions(n)); !fault.Is(err, fault.Invalid) {
				t.Errorf("%d versions: %v", n, err)
			}
		}
		few := service(t, st, secret.WithMaxVersions(2))
		for range 4 {
			set(t, few, "t", "L", "v")
		}
		if got := states(t, few, "t", "L"); got != "3 superseded, 4 current" {
			t.Errorf("a service that keeps two: %s", got)
		}
	})
}

func TestRollbackIsANewVersion(t *testing.T) {
	everyStore(t, func(t *testing.T, st driver.Store) {
		now := time.Now()
		svc := service(t, st, secret.WithClock(func() time.Time { return now }))
		set(t, svc, "t", "K", "one", secret.WithMetadata(map[string]string{"owner": "dba"}), secret.WithDestinations(local), secret.WithExpiresAt(now.Add(time.Hour)))
		set(t, svc, "t", "K", "two", secret.WithMetadata(nil), secret.WithDestinations())
		m, err := svc.Rollback(as("t"), "K", "", 1)
		if err != nil || m.Version != 3 || m.Metadata["owner"] != "dba" || len(m.Destinations) != 1 || m.ExpiresAt != nil {
			t.Fatalf("%+v, %v", m, err)
		}
		if got := value(svc, "t", "K"); got != "one" {
			t.Errorf("%q", got)
		}
		wantStates(t, svc, "1 superseded, 2 superseded, 3 current")
		if _, err := svc.Rollback(as("t"), "K", "", 2, secret.WithExpectedVersion(2)); !errors.Is(err, base.ErrVersionConflict) {
			t.Errorf("a stale caller: %v", err)
		}
		fine(t, svc.DeleteVersions(as("t"), "K", "", 2))
		for _, n := range []int64{2, 9, 0} {
			if _, err := svc.Rollback(as("t"), "K", "", n); !errors.Is(err, base.ErrSecretNotFound) {
				t.Errorf("version %d: %v", n, err)
			}
		}
		now = now.Add(2 * time.Hour)
		if _, err := svc.Rollback(as("t"), "K", "", 1); !errors.Is(err, base.ErrSecretExpired) {
			t.Errorf("what has expired: %v", err)
		}
		if m, err := svc.Rollback(as("t"), "K", "", 1, secret.WithExpiresAt(now.Add(time.Hour))); err != nil || m.Version != 4 {
			t.Errorf("%+v, %v", m, err)
		}
	})
}

func TestAPendingVersionInTheHistory(t *testing.T) {
	everyStore(t, func(t *testing.T, st driver.Store) {
		svc := service(t, st)
		set(t, svc, "t", "K", "one")
		if _, err := stage(t, st, svc, ownerT, "K", "two"); err != nil {
			t.Fatal(err)
		}
		wantStates(t, svc, "1 current, 2 pending")
		if vs, err := svc.ListVersions(as("t"), "K", ""); err != nil || len(vs) != 1 {
			t.Errorf("%v, %v", vs, err)
		}
		for name, err := range map[string]error{"rollback": second(svc.Rollback(as("t"), "K", "", 2)), "delete": svc.DeleteVersions(as("t"), "K", "", 2)} {
			if !errors.Is(err, base.ErrSecretNotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		set(t, svc, "t", "K", "three")
		wantStates(t, svc, "1 superseded, 2 pending, 3 current")
		fine(t, svc.Delete(as("t"), "K", ""))
		wantStates(t, svc, "1 deleted, 2 destroyed, 3 deleted")
		if err := promote(t, st, svc, 2, 0); !errors.Is(err, base.ErrSecretNotFound) {
			t.Errorf("a rotation of what was deleted meanwhile: %v", err)
		}
	})
}

// A shared entry has all that a tenant's own has, for the operator alone.
func TestSharedEntriesHaveAHistoryToo(t *testing.T) {
	everyStore(t, func(t *testing.T, st driver.Store) {
		svc := service(t, st)
		op := as("")
		for _, v := range []string{"one", "two"} {
			if _, err := svc.SetShared(op, "K", []byte(v), "", secret.WithDestinations(openai)); err != nil {
				t.Fatal(err)
			}
		}
		calls := []struct {
			name string
			call func(tenant, key string) error
		}{
			{"HistoryShared", func(tenant, key string) error { return second(svc.HistoryShared(as(tenant), key, "")) }},
			{"RollbackShared", func(tenant, key string) error { return second(svc.RollbackShared(as(tenant), key, "", 1)) }},
			{"SetSharedMaxVersions", func(tenant, key string) error { return svc.SetSharedMaxVersions(as(tenant), key, "", 5) }},
			{"DeleteSharedVersions", func(tenant, key string) error { return svc.DeleteSharedVersions(as(tenant), key, "", 3) }},
			{"UndeleteShared", func(tenant, key string) error { return svc.UndeleteShared(as(tenant), key, "", 3) }},
			{"DestroySharedVersions", func(tenant, key string) error { return svc.DestroySharedVersions(as(tenant), key, "", 1) }},
			{"DeleteShared", func(tenant, key string) error { return svc.DeleteShared(as(tenant), key, "") }},
			{"ListSharedDeleted", func(tenant, key string) error {
				return second(svc.ListSharedDeleted(as(tenant), "", secret.ListOpts{}))
			}},
			{"DestroyShared", func(tenant, key string) error { return svc.DestroyShared(as(tenant), key, "") }},
		}
		for _, c := range calls {
			if err := c.call("t", "K"); !fault.Is(err, fault.Denied) {
				t.Errorf("%s by a tenant: %v", c.name, err)
			}
			if err := c.call("", "NIL"); c.name != "ListSharedDeleted" && !errors.Is(err, base.ErrSecretNotFound) {
				t.Errorf("%s of none: %v", c.name, err)
			}
			if err := c.call("", "K"); err != nil {
				t.Errorf("%s by the operator: %v", c.name, err)
			}
		}
	})
}

// Every change, made for another tenant's secret, answers as for one that does not exist, and is recorded.
func TestEachChangeHasItsNotFoundTwin(t *testing.T) {
	everyStore(t, func(t *testing.T, st driver.Store) {
		svc := service(t, st)
		set(t, svc, "t", "KEY", "of t")
		set(t, svc, "t", "KEY", "again")
		fine(t, svc.DeleteVersions(as("t"), "KEY", "", 1))
		for name, call := range map[string]func(key string) error{
			"History":         func(key string) error { return second(svc.History(as("u"), key, "")) },
			"Rollback":        func(key string) error { return second(svc.Rollback(as("u"), key, "", 2)) },
			"Undelete":        func(key string) error { return svc.Undelete(as("u"), key, "", 1) },
			"UndeleteAll":     func(key string) error { return svc.Undelete(as("u"), key, "") },
			"DeleteVersions":  func(key string) error { return svc.DeleteVersions(as("u"), key, "", 2) },
			"DestroyVersions": func(key string) error { return svc.DestroyVersions(as("u"), key, "", 2) },
			"Destroy":         func(key string) error { return svc.Destroy(as("u"), key, "") },
			"SetMaxVersions":  func(key string) error { return svc.SetMaxVersions(as("u"), key, "", 3) },
		} {
			there, missing := call("KEY"), call("NIL")
			if !errors.Is(there, base.ErrSecretNotFound) || strings.ReplaceAll(there.Error(), "KEY", "NIL") != missing.Error() {
				t.Errorf("%s: %v / %v", name, there, missing)
			}
		}
		if got := value(svc, "t", "KEY"); got != "again" {
			t.Errorf("%q", got)
		}
		if list, err := svc.ListDeleted(as("u"), "", secret.ListOpts{}); err != nil || len(list) != 0 {
			t.Errorf("%v, %v", list, err)
		}
		if r, err := audit.Verify(t.Context(), st, nil, nil); err != nil || !r.OK() || r.Unfinished != 0 {
			t.Errorf("%+v, %v", r, err)
		}
	})
}
