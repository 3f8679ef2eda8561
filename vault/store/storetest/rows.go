package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/driver"
)

func testVersions(t *testing.T, h Harness) {
	st := h.Open(t)
	update(t, st, func(ctx context.Context, tx driver.Tx) error {
		for _, n := range []int64{1, 3, 2} {
			if err := tx.AddSecretVersion(ctx, version("a", "t", "K", n)); err != nil {
				return err
			}
		}
		return tx.PutSecret(ctx, head("a", "t", "K"))
	})
	err := st.Update(t.Context(), func(tx driver.Tx) error { return tx.AddSecretVersion(t.Context(), version("a", "t", "K", 2)) })
	if !fault.Is(err, fault.Conflict) {
		t.Errorf("a version written twice: %v", err)
	}
	view(t, st, func(ctx context.Context, tx driver.Tx) error {
		r, v, err := tx.CurrentSecret(ctx, "a", "t", "K")
		if err != nil || fmt.Sprint(r, v) != fmt.Sprint(head("a", "t", "K"), version("a", "t", "K", 1)) {
			t.Errorf("current: %v %v %v", r, v, err)
		}
		got, err := tx.SecretVersion(ctx, "a", "t", "K", 3)
		if want := version("a", "t", "K", 3); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got %v, %v; want %v", got, err, want)
		}
		for _, tc := range []struct {
			above int64
			limit int
			want  string
		}{{0, 10, "[1 2 3]"}, {1, 10, "[2 3]"}, {0, 2, "[1 2]"}, {3, 10, "[]"}} {
			vs, err := tx.ListSecretVersions(ctx, "a", "t", "K", tc.above, tc.limit)
			nums := []int64{}
			for _, v := range vs {
				nums = append(nums, v.Version)
			}
			if err != nil || fmt.Sprint(nums) != tc.want {
				t.Errorf("above %d, at most %d: got %v, %v; want %s", tc.above, tc.limit, nums, err, tc.want)
			}
		}
		return nil
	})
	update(t, st, func(ctx context.Context, tx driver.Tx) error {
		gone := head("a", "t", "K")
		gone.Current = 0
		return errors.Join(tx.DeleteSecretVersions(ctx, "a", "t", "K"), tx.PutSecret(ctx, gone), tx.PutSecret(ctx, head("a", "t", "L")))
	})
	view(t, st, func(ctx context.Context, tx driver.Tx) error {
		if vs, err := tx.ListSecretVersions(ctx, "a", "t", "K", 0, 10); err != nil || len(vs) != 0 {
			t.Errorf("versions after deletion: %v, %v", vs, err)
		}
		if r, err := tx.Secret(ctx, "a", "t", "K"); err != nil || r.Latest != 1 || r.Current != 0 {
			t.Errorf("the head does not outlive deletion: %v, %v", r, err)
		}
		if r, v, err := tx.CurrentSecret(ctx, "a", "t", "K"); err != nil || r.Latest != 1 || v.Version != 0 || len(v.Ciphertext) != 0 {
			t.Errorf("current after deletion: %v %v %v", r, v, err)
		}
		if rows, err := tx.ListSecrets(ctx, "a", "t", "", 10); err != nil || len(rows) != 1 || rows[0].Name != "L" {
			t.Errorf("the list shows %v, %v", rows, err)
		}
		return nil
	})
}

// testTwins looks for the things of (a, t) as somebody else: each answer is that of an empty store.
func testTwins(t *testing.T, h Harness) {
	st := h.Open(t)
	update(t, st, func(ctx context.Context, tx driver.Tx) error { return owner(ctx, tx, "a", "t", "K") })
	for _, other := range []struct{ app, tenant string }{{"a", "u"}, {"b", "t"}, {"a", driver.Shared}, {"a", driver.Operator}, {"a", "T"}, {"a", "t "}} {
		view(t, st, func(ctx context.Context, tx driver.Tx) error {
			app, tenant := other.app, other.tenant
			missing := func(what string, err error) {
				if !errors.Is(err, driver.ErrNotFound) {
					t.Errorf("%s as %q, %q: %v", what, app, tenant, err)
				}
			}
			none := func(what string, n int, err error) {
				if n != 0 || err != nil {
					t.Errorf("%s as %q, %q: %d rows, %v", what, app, tenant, n, err)
				}
			}
			_, err := tx.Secret(ctx, app, tenant, "K")
			missing("Secret", err)
			_, _, err = tx.CurrentSecret(ctx, app, tenant, "K")
			missing("CurrentSecret", err)
			_, err = tx.SecretVersion(ctx, app, tenant, "K", 1)
			missing("SecretVersion", err)
			_, err = tx.Key(ctx, app, tenant, "K")
			missing("Key", err)
			_, err = tx.PrimaryKey(ctx, app, tenant)
			missing("PrimaryKey", err)
			c := driver.Chain{App: app, Tenant: tenant, Node: "n", Epoch: 1}
			_, err = tx.AuditTail(ctx, c)
			missing("AuditTail", err)
			heads, err := tx.ListSecrets(ctx, app, tenant, "", 10)
			none("ListSecrets", len(heads), err)
			versions, err := tx.ListSecretVersions(ctx, app, tenant, "K", 0, 10)
			none("ListSecretVersions", len(versions), err)
			entries, err := tx.ListAudit(ctx, app, tenant, driver.AuditFilter{Limit: 10})
			none("ListAudit", len(entries), err)
			n := 0
			err = tx.ScanAudit(ctx, c, 0, func(driver.AuditRow) error { n++; return nil })
			none("ScanAudit", n, err)
			return nil
		})
		update(t, st, func(ctx context.Context, tx driver.Tx) error {
			return tx.DeleteSecretVersions(ctx, other.app, other.tenant, "K")
		})
	}
	view(t, st, func(ctx context.Context, tx driver.Tx) error {
		if _, err := tx.SecretVersion(ctx, "a", "t", "K", 1); err != nil {
			t.Errorf("somebody else's deletion reached it: %v", err)
		}
		if rows, err := tx.ListAuditEveryTenant(ctx, "b", driver.AuditFilter{Limit: 10}); err != nil || len(rows) != 0 {
			t.Errorf("another app's operator sees %v, %v", rows, err)
		}
		return nil
	})
}

func testJoinedNames(t *testing.T, h Harness) {
	st := h.Open(t)
	owners := [][3]string{{"a", "b:c", "d"}, {"a:b", "c", "d"}, {"a", "b", "c:d"}, {"a:b:c", "d", "d"}, {"a/b", "c", "d"}, {"a", "b/c", "d"}, {"a\x00b", "c", "d"}, {"a", "b\x00c", "d"}}
	for i, o := range owners {
		update(t, st, func(ctx context.Context, tx driver.Tx) error {
			v := version(o[0], o[1], o[2], 1)
			v.KeyID = fmt.Sprint(i)
			k := key(o[0], o[1], "k", true)
			k.RootID = v.KeyID
			return errors.Join(tx.PutSecret(ctx, head(o[0], o[1], o[2])), tx.AddSecretVersion(ctx, v), tx.PutKey(ctx, k))
		})
	}
	for i, o := range owners {
		view(t, st, func(ctx context.Context, tx driver.Tx) error {
			v, err := tx.SecretVersion(ctx, o[0], o[1], o[2], 1)
			k, err2 := tx.PrimaryKey(ctx, o[0], o[1])
			if errors.Join(err, err2) != nil || v.KeyID != fmt.Sprint(i) || k.RootID != fmt.Sprint(i) {
				t.Errorf("%q reads what belongs to %q (%v, %v)", o, v.KeyID, err, err2)
			}
			return nil
		})
	}
}

func testMissingOwner(t *testing.T, h Harness) {
	st := h.Open(t)
	for _, o := range []struct {
		app, tenant string
		want        error
	}{{"", "t", scope.ErrNoApp}, {"a", "", scope.ErrNoTenant}, {"", "", scope.ErrNoApp}} {
		calls := map[string]func(context.Context, driver.Tx) error{
			"Secret": func(ctx context.Context, tx driver.Tx) error {
				_, err := tx.Secret(ctx, o.app, o.tenant, "K")
				return err
			},
			"CurrentSecret": func(ctx context.Context, tx driver.Tx) error {
				_, _, err := tx.CurrentSecret(ctx, o.app, o.tenant, "K")
				return err
			},
			"PutSecret": func(ctx context.Context, tx driver.Tx) error { return tx.PutSecret(ctx, head(o.app, o.tenant, "K")) },
			"ListSecrets": func(ctx context.Context, tx driver.Tx) error {
				_, err := tx.ListSecrets(ctx, o.app, o.tenant, "", 1)
				return err
			},
			"SecretVersion": func(ctx context.Context, tx driver.Tx) error {
				_, err := tx.SecretVersion(ctx, o.app, o.tenant, "K", 1)
				return err
			},
			"AddSecretVersion": func(ctx context.Context, tx driver.Tx) error {
				return tx.AddSecretVersion(ctx, version(o.app, o.tenant, "K", 1))
			},
			"ListSecretVersions": func(ctx context.Context, tx driver.Tx) error {
				_, err := tx.ListSecretVersions(ctx, o.app, o.tenant, "K", 0, 1)
				return err
			},
			"DeleteVersions": func(ctx context.Context, tx driver.Tx) error {
				return tx.DeleteSecretVersions(ctx, o.app, o.tenant, "K")
			},
			"Key": func(ctx context.Context, tx driver.Tx) error { _, err := tx.Key(ctx, o.app, o.tenant, "k"); return err },
			"PrimaryKey": func(ctx context.Context, tx driver.Tx) error {
				_, err := tx.PrimaryKey(ctx, o.app, o.tenant)
				return err
			},
			"PutKey": func(ctx context.Context, tx driver.Tx) error { return tx.PutKey(ctx, key(o.app, o.tenant, "k", true)) },
			"AppendAudit": func(ctx context.Context, tx driver.Tx) error {
				_, err := tx.AppendAudit(ctx, nil, []driver.AuditRow{entry(driver.Chain{App: o.app, Tenant: o.tenant, Node: "n"}, 1, "x")})
				return err
			},
			"AuditTail": func(ctx context.Context, tx driver.Tx) error {
				_, err := tx.AuditTail(ctx, driver.Chain{App: o.app, Tenant: o.tenant})
				return err
			},
			"ScanAudit": func(ctx context.Context, tx driver.Tx) error {
				return tx.ScanAudit(ctx, driver.Chain{App: o.app, Tenant: o.tenant}, 0, func(driver.AuditRow) error { return nil })
			},
			"ListAudit": func(ctx context.Context, tx driver.Tx) error {
				_, err := tx.ListAudit(ctx, o.app, o.tenant, driver.AuditFilter{Limit: 1})
				return err
			},
		}
		for name, call := range calls {
			err := st.Update(t.Context(), func(tx driver.Tx) error { return call(t.Context(), tx) })
			if !errors.Is(err, o.want) || !fault.Is(err, fault.Invalid) {
				t.Errorf("%s with app %q, tenant %q: %v", name, o.app, o.tenant, err)
			}
		}
	}
}

func testRollback(t *testing.T, h Harness) {
	st := h.Open(t)
	update(t, st, func(ctx context.Context, tx driver.Tx) error { return owner(ctx, tx, "a", "t", "K") })
	boom := errors.New("boom")
	change := func(tx driver.Tx) error {
		ctx := t.Context()
		moved := head("a", "t", "K")
		moved.Latest, moved.Current = 9, 9
		c := driver.Chain{App: "a", Tenant: "t", Node: "n", Epoch: 1}
		_, err := tx.AppendAudit(ctx, []byte("atK"), []driver.AuditRow{entry(c, 2, "second")})
		return errors.Join(err, tx.PutSecret(ctx, moved), tx.AddSecretVersion(ctx, version("a", "t", "K", 9)), tx.PutKey(ctx, key("a", "t", "other", true)),
			tx.PutRoot(ctx, driver.RootRow{RootID: "r"}), owner(ctx, tx, "a", "new", "K"), tx.DeleteSecretVersions(ctx, "a", "t", "K"))
	}
	err := st.Update(t.Context(), func(tx driver.Tx) error { return errors.Join(change(tx), boom) })
	if !errors.Is(err, boom) {
		t.Fatal(err)
	}
	checkUntouched(t, st, "an error")
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic did not reach the caller")
			}
		}()
		_ = st.Update(t.Context(), func(tx driver.Tx) error {
			_ = change(tx)
			panic("boom")
		})
	}()
	checkUntouched(t, st, "a panic")
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := st.Update(canceled, func(driver.Tx) error { t.Error("it ran"); return nil }); !fault.Is(err, fault.Canceled) {
		t.Errorf("a write after the caller left: %v", err)
	}
}

func checkUntouched(t *testing.T, st driver.Store, after string) {
	t.Helper()
	view(t, st, func(ctx context.Context, tx driver.Tx) error {
		r, err := tx.Secret(ctx, "a", "t", "K")
		vs, err2 := tx.ListSecretVersions(ctx, "a", "t", "K", 0, 10)
		k, err3 := tx.PrimaryKey(ctx, "a", "t")
		tail, err4 := tx.AuditTail(ctx, driver.Chain{App: "a", Tenant: "t", Node: "n", Epoch: 1})
		if err := errors.Join(err, err2, err3, err4); err != nil || r.Latest != 1 || len(vs) != 1 || k.ID != "K" || tail.Seq != 1 {
			t.Errorf("after %s: %v %v %v %v %v", after, r, vs, k, tail, err)
		}
		_, err = tx.Secret(ctx, "a", "new", "K")
		_, err2 = tx.Root(ctx)
		if !errors.Is(err, driver.ErrNotFound) || !errors.Is(err2, driver.ErrNotFound) {
			t.Errorf("after %s something new is there: %v, %v", after, err, err2)
		}
		return nil
	})
}

func testAfterCommit(t *testing.T, h Harness) {
	st := h.Open(t)
	var calls []string
	note := func(s string) func() error { return func() error { calls = append(calls, s); return nil } }
	update(t, st, func(ctx context.Context, tx driver.Tx) error {
		tx.AfterCommit("key", note("keyed"))
		tx.AfterCommit(nil, note("one"))
		tx.AfterCommit("key", note("keyed again"))
		tx.AfterCommit(nil, note("two"))
		if len(calls) > 0 {
			t.Error("it ran before the commit")
		}
		return nil
	})
	if got := fmt.Sprint(calls); got != "[one two keyed]" {
		t.Errorf("got %s", got)
	}
	calls = nil
	_ = st.Update(t.Context(), func(tx driver.Tx) error {
		tx.AfterCommit(nil, note("failed write"))
		return errors.New("boom")
	})
	if len(calls) > 0 {
		t.Errorf("a failed write was followed by %v", calls)
	}
	err := st.Update(t.Context(), func(tx driver.Tx) error {
		tx.AfterCommit(nil, func() error { return errors.New("no room") })
		return nil
	})
	if !fault.Is(err, fault.Unavailable) {
		t.Errorf("an unacknowledged write: %v", err)
	}
}

func testReadOnly(t *testing.T, h Harness) {
	st := h.Open(t)
	err := st.View(t.Context(), func(tx driver.Tx) error { return tx.PutSecret(t.Context(), head("a", "t", "K")) })
	if err == nil {
		t.Error("a read transaction wrote")
	}
	view(t, st, func(ctx context.Context, tx driver.Tx) error {
		if _, err := tx.Secret(ctx, "a", "t", "K"); !errors.Is(err, driver.ErrNotFound) {
			t.Errorf("what a read transaction wrote is there: %v", err)
		}
		return nil
	})
}

func testCopies(t *testing.T, h Harness) {
	st := h.Open(t)
	given := version("a", "t", "K", 1)
	update(t, st, func(ctx context.Context, tx driver.Tx) error {
		return errors.Join(tx.AddSecretVersion(ctx, given), tx.PutKey(ctx, key("a", "t", "k", true)))
	})
	given.Ciphertext[0] = 99
	for range 2 {
		view(t, st, func(ctx context.Context, tx driver.Tx) error {
			v, err := tx.SecretVersion(ctx, "a", "t", "K", 1)
			k, err2 := tx.Key(ctx, "a", "t", "k")
			if errors.Join(err, err2) != nil || !bytes.Equal(v.Ciphertext, []byte{1, 2, 3}) || string(k.Wrapped) != "k" {
				t.Fatalf("a caller's slice is the store's own: %v %s", v.Ciphertext, k.Wrapped)
			}
			v.Ciphertext[0], k.Wrapped[0] = 99, 99
			return nil
		})
	}
}

func testConcurrency(t *testing.T, h Harness) {
	st := h.Open(t)
	const writers, each = 8, 25
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for range each {
				err := st.Update(t.Context(), func(tx driver.Tx) error { return nextVersion(t.Context(), tx) })
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	view(t, st, func(ctx context.Context, tx driver.Tx) error {
		r, err := tx.Secret(ctx, "a", "t", "K")
		vs, err2 := tx.ListSecretVersions(ctx, "a", "t", "K", 0, 10_000)
		if errors.Join(err, err2) != nil || r.Latest != writers*each || len(vs) != writers*each {
			t.Errorf("got %d and %d versions of %d (%v, %v)", r.Latest, len(vs), writers*each, err, err2)
		}
		return nil
	})
}

func nextVersion(ctx context.Context, tx driver.Tx) error {
	r, err := tx.Secret(ctx, "a", "t", "K")
	if errors.Is(err, driver.ErrNotFound) {
		r, err = head("a", "t", "K"), nil
		r.Latest = 0
	}
	if err != nil {
		return err
	}
	r.Latest++
	r.Current = r.Latest
	return errors.Join(tx.AddSecretVersion(ctx, version("a", "t", "K", r.Latest)), tx.PutSecret(ctx, r))
}

func testPrimaryKey(t *testing.T, h Harness) {
	st := h.Open(t)
	update(t, st, func(ctx context.Context, tx driver.Tx) error {
		return errors.Join(tx.PutKey(ctx, key("a", "t", "one", true)), tx.PutKey(ctx, key("a", "t", "two", true)), tx.PutKey(ctx, key("a", "t", "three", false)),
			tx.PutKey(ctx, key("a", "u", "four", true)))
	})
	view(t, st, func(ctx context.Context, tx driver.Tx) error {
		p, err := tx.PrimaryKey(ctx, "a", "t")
		one, err2 := tx.Key(ctx, "a", "t", "one")
		if errors.Join(err, err2) != nil || p.ID != "two" || one.Primary {
			t.Errorf("primary %v, first %v, %v %v", p, one, err, err2)
		}
		return nil
	})
}

func testRoot(t *testing.T, h Harness) {
	st := h.Open(t)
	view(t, st, func(ctx context.Context, tx driver.Tx) error {
		_, err := tx.Root(ctx)
		has, err2 := tx.HasKeys(ctx)
		if !errors.Is(err, driver.ErrNotFound) || has || err2 != nil {
			t.Errorf("a fresh store: %v, %v, %v", err, has, err2)
		}
		return nil
	})
	for _, id := range []string{"one", "two"} {
		update(t, st, func(ctx context.Context, tx driver.Tx) error {
			return errors.Join(tx.PutRoot(ctx, driver.RootRow{RootID: id, Check: []byte(id), CreatedAt: 5}), tx.PutKey(ctx, key("a", "t", "k", true)))
		})
		view(t, st, func(ctx context.Context, tx driver.Tx) error {
			r, err := tx.Root(ctx)
			has, err2 := tx.HasKeys(ctx)
			if errors.Join(err, err2) != nil || r.RootID != id || string(r.Check) != id || r.CreatedAt != 5 || !has {
				t.Errorf("got %v, %v, %v, %v", r, err, has, err2)
			}
			return nil
		})
	}
}
