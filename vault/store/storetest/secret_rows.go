package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/store/driver"
)

func ledgerRow(app, tenant string, part int64) driver.LedgerRow {
	return driver.LedgerRow{App: app, Tenant: tenant, Part: part, Revision: part + 7, Entries: []byte{1, byte(part)}, Mark: []byte("mark"), MarkKey: "key_1"}
}

func namesOf(rows []driver.SecretRow) (out []string) {
	for _, r := range rows {
		out = append(out, r.Name)
	}
	return out
}

// testSecretRows looks at what a head, a version and the ledger keep, to the last field.
func testSecretRows(t *testing.T, h Harness) {
	st := h.Open(t)
	whole := driver.SecretRow{App: "a", Tenant: "t", Name: "K", ID: "sec_1", Latest: 9, Current: 4, Pending: 5, MaxVersions: 6, Versions: `{"versions":[]}`,
		Revision: 8, DueAt: 10, Mark: []byte("mark"), MarkKey: "key_1", CreatedAt: 11, UpdatedAt: 12}
	v := version("a", "t", "K", 4)
	v.Lifetime, v.ExpiresAt = 13, 14
	update(t, st, func(ctx context.Context, tx driver.Tx) error {
		other := whole
		other.Pending, other.Versions, other.MarkKey = 0, "", ""
		return errors.Join(tx.PutSecret(ctx, other), tx.PutSecret(ctx, whole), tx.AddSecretVersion(ctx, v),
			tx.PutLedger(ctx, ledgerRow("a", "t", 3)), tx.PutLedger(ctx, ledgerRow("a", "t", driver.LedgerRoot)), tx.PutLedger(ctx, ledgerRow("a", "u", 3)))
	})
	replaced := v
	replaced.KeyID, replaced.Algorithm, replaced.Ciphertext = "key_2", "other", []byte("fresh")
	same := func(name string, got, want any) {
		t.Helper()
		if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
			t.Errorf("%s: %+v, not %+v", name, got, want)
		}
	}
	look := func(want driver.SecretVersion) {
		t.Helper()
		view(t, st, func(ctx context.Context, tx driver.Tx) error {
			head, current, err := tx.CurrentSecret(ctx, "a", "t", "K")
			same("head", head, whole)
			same("current version", current, want)
			part, err2 := tx.Ledger(ctx, "a", "t", 3)
			same("part", part, ledgerRow("a", "t", 3))
			all, err3 := tx.ListLedger(ctx, "a", "t")
			same("ledger", all, []driver.LedgerRow{ledgerRow("a", "t", driver.LedgerRoot), ledgerRow("a", "t", 3)})
			return errors.Join(err, err2, err3)
		})
	}
	look(v)
	update(t, st, func(ctx context.Context, tx driver.Tx) error {
		changed := replaced
		changed.Metadata, changed.ExpiresAt = "not written", 99
		return errors.Join(tx.LockSecrets(ctx, "a", "t"), tx.ReplaceSecretVersion(ctx, changed))
	})
	look(replaced)
	failed := errors.New("not kept")
	if err := st.Update(t.Context(), func(tx driver.Tx) error {
		return errors.Join(tx.DestroySecretVersion(t.Context(), "a", "t", "K", 4), tx.PutLedger(t.Context(), ledgerRow("a", "t", 4)), failed)
	}); !errors.Is(err, failed) {
		t.Fatal(err)
	}
	look(replaced)
	update(t, st, func(ctx context.Context, tx driver.Tx) error {
		return errors.Join(tx.DestroySecretVersion(ctx, "a", "t", "K", 4), tx.DestroySecretVersion(ctx, "a", "t", "K", 4))
	})
	look(driver.SecretVersion{})
}

// testSecretLists looks at the lists of heads: deleted, due, and under another key.
func testSecretLists(t *testing.T, h Harness) {
	st := h.Open(t)
	update(t, st, func(ctx context.Context, tx driver.Tx) error {
		var errs []error
		for i, name := range []string{"a", "b", "c", "d"} {
			r := head("a", "t", name)
			r.MarkKey = "key_1"
			switch i {
			case 1:
				r.Current, r.DueAt = 0, 100
			case 2:
				r.Current, r.DueAt, r.MarkKey = 0, 200, "key_2"
			case 3:
				r.MarkKey = "key_2"
			}
			v := version("a", "t", name, 1)
			v.KeyID = r.MarkKey
			u := r
			u.Tenant = "u"
			errs = append(errs, tx.PutSecret(ctx, r), tx.PutSecret(ctx, u), tx.AddSecretVersion(ctx, v))
		}
		old := version("a", "t", "d", 2)
		return errors.Join(append(errs, tx.AddSecretVersion(ctx, old))...)
	})
	view(t, st, func(ctx context.Context, tx driver.Tx) error {
		for name, tc := range map[string]struct {
			list func() ([]driver.SecretRow, error)
			want []string
		}{
			"served":                {func() ([]driver.SecretRow, error) { return tx.ListSecrets(ctx, "a", "t", "", 10) }, []string{"a", "d"}},
			"deleted":               {func() ([]driver.SecretRow, error) { return tx.ListDeletedSecrets(ctx, "a", "t", "", 10) }, []string{"b", "c"}},
			"deleted, after b":      {func() ([]driver.SecretRow, error) { return tx.ListDeletedSecrets(ctx, "a", "t", "b", 10) }, []string{"c"}},
			"deleted, one":          {func() ([]driver.SecretRow, error) { return tx.ListDeletedSecrets(ctx, "a", "t", "", 1) }, []string{"b"}},
			"due by 99":             {func() ([]driver.SecretRow, error) { return tx.ListDueSecrets(ctx, "a", "t", 99, 10) }, nil},
			"due by 100":            {func() ([]driver.SecretRow, error) { return tx.ListDueSecrets(ctx, "a", "t", 100, 10) }, []string{"b"}},
			"due by 300, one":       {func() ([]driver.SecretRow, error) { return tx.ListDueSecrets(ctx, "a", "t", 300, 1) }, []string{"b"}},
			"not under key_2":       {func() ([]driver.SecretRow, error) { return tx.StaleSecrets(ctx, "a", "t", "key_2", "", 10) }, []string{"a", "b", "d"}},
			"not under key_1":       {func() ([]driver.SecretRow, error) { return tx.StaleSecrets(ctx, "a", "t", "key_1", "", 10) }, []string{"c", "d"}},
			"not under key_2, on":   {func() ([]driver.SecretRow, error) { return tx.StaleSecrets(ctx, "a", "t", "key_2", "a", 1) }, []string{"b"}},
			"another tenant's":      {func() ([]driver.SecretRow, error) { return tx.StaleSecrets(ctx, "a", "v", "key_2", "", 10) }, nil},
			"another tenant's, due": {func() ([]driver.SecretRow, error) { return tx.ListDueSecrets(ctx, "b", "t", 300, 10) }, nil},
			"another's, deleted":    {func() ([]driver.SecretRow, error) { return tx.ListDeletedSecrets(ctx, "b", "t", "", 10) }, nil},
		} {
			rows, err := tc.list()
			if err != nil || !slices.Equal(namesOf(rows), tc.want) {
				t.Errorf("%s: %v, %v", name, namesOf(rows), err)
			}
		}
		n, err := tx.CountStaleSecrets(ctx, "a", "t", "key_2")
		if n != 3 {
			t.Errorf("%d are not under key_2", n)
		}
		return err
	})
}

// testSecretTwins makes each call for another owner's rows, and without an owner.
func testSecretTwins(t *testing.T, h Harness) {
	st := h.Open(t)
	update(t, st, func(ctx context.Context, tx driver.Tx) error {
		return errors.Join(tx.PutSecret(ctx, head("a", "t", "K")), tx.AddSecretVersion(ctx, version("a", "t", "K", 1)), tx.PutLedger(ctx, ledgerRow("a", "t", 3)))
	})
	calls := func(ctx context.Context, tx driver.Tx, app, tenant string) map[string]error {
		v := version(app, tenant, "K", 1)
		v.Ciphertext = []byte("overwritten")
		_, ledger := tx.Ledger(ctx, app, tenant, 3)
		_, list := tx.ListLedger(ctx, app, tenant)
		_, due := tx.ListDueSecrets(ctx, app, tenant, 1<<60, 10)
		_, deleted := tx.ListDeletedSecrets(ctx, app, tenant, "", 10)
		_, stale := tx.StaleSecrets(ctx, app, tenant, "key", "", 10)
		_, count := tx.CountStaleSecrets(ctx, app, tenant, "key")
		return map[string]error{"Ledger": ledger, "ListLedger": list, "ListDueSecrets": due, "ListDeletedSecrets": deleted, "StaleSecrets": stale,
			"CountStaleSecrets": count, "ReplaceSecretVersion": tx.ReplaceSecretVersion(ctx, v), "DestroySecretVersion": tx.DestroySecretVersion(ctx, app, tenant, "K", 1),
			"LockSecrets": tx.LockSecrets(ctx, app, tenant)}
	}
	for _, o := range [][2]string{{"a", "u"}, {"b", "t"}, {"a/t", "K"}, {"a:t", "K"}} {
		update(t, st, func(ctx context.Context, tx driver.Tx) error {
			for name, err := range calls(ctx, tx, o[0], o[1]) {
				if want := name == "Ledger"; errors.Is(err, driver.ErrNotFound) != want || (err != nil) != want {
					t.Errorf("%s of %v: %v", name, o, err)
				}
			}
			return nil
		})
	}
	for _, o := range [][2]string{{"", "t"}, {"a", ""}} {
		_ = st.Update(t.Context(), func(tx driver.Tx) error {
			for name, err := range calls(t.Context(), tx, o[0], o[1]) {
				if !fault.Is(err, fault.Invalid) {
					t.Errorf("%s of %q: %v", name, o, err)
				}
			}
			return errors.New("nothing is kept")
		})
	}
	view(t, st, func(ctx context.Context, tx driver.Tx) error {
		v, err := tx.SecretVersion(ctx, "a", "t", "K", 1)
		if string(v.Ciphertext) == "overwritten" {
			t.Error("another owner overwrote it")
		}
		return err
	})
}
