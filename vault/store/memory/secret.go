package memory

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// ledgerKey is (app, tenant, part).
type ledgerKey struct {
	app, tenant string
	part        int64
}

func (x *tx) Secret(_ context.Context, app, tenant, name string) (driver.SecretRow, error) {
	if err := driver.Args(app, tenant); err != nil {
		return driver.SecretRow{}, err
	}
	r, ok := x.s.data.secrets[named{app, tenant, name}]
	if !ok {
		return driver.SecretRow{}, driver.ErrNotFound
	}
	return copyHead(r), nil
}

func (x *tx) CurrentSecret(ctx context.Context, app, tenant, name string) (driver.SecretRow, driver.SecretVersion, error) {
	r, err := x.Secret(ctx, app, tenant, name)
	if err != nil {
		return r, driver.SecretVersion{}, err
	}
	v, err := x.SecretVersion(ctx, app, tenant, name, r.Current)
	if errors.Is(err, driver.ErrNotFound) {
		err = nil
	}
	return r, v, err
}

func copyHead(r driver.SecretRow) driver.SecretRow {
	r.Mark = bytes.Clone(r.Mark)
	return r
}

func (x *tx) PutSecret(_ context.Context, r driver.SecretRow) error {
	if err := x.writing(r.App, r.Tenant); err != nil {
		return err
	}
	set(x, x.s.data.secrets, named{r.App, r.Tenant, r.Name}, copyHead(r))
	x.changed(driver.NounSecret, r.App, r.Tenant, r.Name)
	return nil
}

func (x *tx) ListSecrets(_ context.Context, app, tenant, after string, limit int) ([]driver.SecretRow, error) {
	return x.heads(app, tenant, limit, func(r *driver.SecretRow) bool { return r.Name > after && r.Current > 0 })
}

func (x *tx) ListDeletedSecrets(_ context.Context, app, tenant, after string, limit int) ([]driver.SecretRow, error) {
	return x.heads(app, tenant, limit, func(r *driver.SecretRow) bool { return r.Name > after && r.Current == 0 })
}

func (x *tx) ListDueSecrets(_ context.Context, app, tenant string, until int64, limit int) ([]driver.SecretRow, error) {
	return x.heads(app, tenant, limit, func(r *driver.SecretRow) bool { return r.DueAt > 0 && r.DueAt <= until })
}

func (x *tx) StaleSecrets(_ context.Context, app, tenant, keyID, after string, limit int) ([]driver.SecretRow, error) {
	return x.heads(app, tenant, limit, func(r *driver.SecretRow) bool { return r.Name > after && x.stale(r, keyID) })
}

func (x *tx) CountStaleSecrets(ctx context.Context, app, tenant, keyID string) (int64, error) {
	rows, err := x.StaleSecrets(ctx, app, tenant, keyID, "", len(x.s.data.secrets))
	return int64(len(rows)), err
}

func (x *tx) stale(r *driver.SecretRow, keyID string) bool {
	return r.MarkKey != keyID || slices.ContainsFunc(x.s.data.versions[named{r.App, r.Tenant, r.Name}],
		func(v driver.SecretVersion) bool { return v.KeyID != keyID })
}

// heads returns up to limit heads of one owner, by name.
func (x *tx) heads(app, tenant string, limit int, want func(*driver.SecretRow) bool) ([]driver.SecretRow, error) {
	if err := driver.Args(app, tenant); err != nil {
		return nil, err
	}
	var out []driver.SecretRow
	for k, r := range x.s.data.secrets {
		if k.app == app && k.tenant == tenant && want(&r) {
			out = append(out, copyHead(r))
		}
	}
	slices.SortFunc(out, func(a, b driver.SecretRow) int { return cmp.Compare(a.Name, b.Name) })
	return out[:min(limit, len(out))], nil
}

func (x *tx) SecretVersion(_ context.Context, app, tenant, name string, version int64) (driver.SecretVersion, error) {
	if err := driver.Args(app, tenant); err != nil {
		return driver.SecretVersion{}, err
	}
	for _, v := range x.s.data.versions[named{app, tenant, name}] {
		if v.Version == version {
			return copyVersion(v), nil
		}
	}
	return driver.SecretVersion{}, driver.ErrNotFound
}

func copyVersion(v driver.SecretVersion) driver.SecretVersion {
	v.Ciphertext = bytes.Clone(v.Ciphertext)
	return v
}

func (x *tx) AddSecretVersion(_ context.Context, v driver.SecretVersion) error {
	if err := x.writing(v.App, v.Tenant); err != nil {
		return err
	}
	k := named{v.App, v.Tenant, v.Name}
	have := x.s.data.versions[k]
	at, found := slices.BinarySearchFunc(have, v.Version, func(a driver.SecretVersion, n int64) int { return cmp.Compare(a.Version, n) })
	if found {
		return fault.New(fault.Conflict, "it exists already or refers to something that does not")
	}
	// A fresh slice: the old one is what undo puts back.
	set(x, x.s.data.versions, k, slices.Insert(slices.Clone(have), at, copyVersion(v)))
	return nil
}

func (x *tx) ListSecretVersions(_ context.Context, app, tenant, name string, above int64, limit int) ([]driver.SecretVersion, error) {
	if err := driver.Args(app, tenant); err != nil {
		return nil, err
	}
	var out []driver.SecretVersion
	for _, v := range x.s.data.versions[named{app, tenant, name}] {
		if v.Version > above && len(out) < limit {
			out = append(out, copyVersion(v))
		}
	}
	return out, nil
}

func (x *tx) DeleteSecretVersions(_ context.Context, app, tenant, name string) error {
	if err := x.writing(app, tenant); err != nil {
		return err
	}
	set(x, x.s.data.versions, named{app, tenant, name}, nil)
	return nil
}

func (x *tx) ReplaceSecretVersion(_ context.Context, v driver.SecretVersion) error {
	return x.edit(v.App, v.Tenant, v.Name, func(have driver.SecretVersion) (driver.SecretVersion, bool) {
		if have.Version == v.Version {
			have.KeyID, have.Algorithm, have.Ciphertext = v.KeyID, v.Algorithm, bytes.Clone(v.Ciphertext)
		}
		return have, true
	})
}

func (x *tx) DestroySecretVersion(_ context.Context, app, tenant, name string, version int64) error {
	return x.edit(app, tenant, name, func(have driver.SecretVersion) (driver.SecretVersion, bool) { return have, have.Version != version })
}

// edit gives a secret a fresh list of versions: the old one is what undo puts back.
func (x *tx) edit(app, tenant, name string, change func(driver.SecretVersion) (changed driver.SecretVersion, keep bool)) error {
	if err := x.writing(app, tenant); err != nil {
		return err
	}
	k := named{app, tenant, name}
	var next []driver.SecretVersion
	for _, v := range x.s.data.versions[k] {
		if v, keep := change(v); keep {
			next = append(next, v)
		}
	}
	set(x, x.s.data.versions, k, next)
	return nil
}

func (x *tx) Ledger(_ context.Context, app, tenant string, part int64) (driver.LedgerRow, error) {
	if err := driver.Args(app, tenant); err != nil {
		return driver.LedgerRow{}, err
	}
	r, ok := x.s.data.ledger[ledgerKey{app, tenant, part}]
	if !ok {
		return driver.LedgerRow{}, driver.ErrNotFound
	}
	return copyLedger(r), nil
}

func copyLedger(r driver.LedgerRow) driver.LedgerRow {
	r.Entries, r.Mark = bytes.Clone(r.Entries), bytes.Clone(r.Mark)
	return r
}

func (x *tx) ListLedger(_ context.Context, app, tenant string) ([]driver.LedgerRow, error) {
	if err := driver.Args(app, tenant); err != nil {
		return nil, err
	}
	var out []driver.LedgerRow
	for k, r := range x.s.data.ledger {
		if k.app == app && k.tenant == tenant {
			out = append(out, copyLedger(r))
		}
	}
	slices.SortFunc(out, func(a, b driver.LedgerRow) int { return cmp.Compare(a.Part, b.Part) })
	return out, nil
}

func (x *tx) PutLedger(_ context.Context, r driver.LedgerRow) error {
	if err := x.writing(r.App, r.Tenant); err != nil {
		return err
	}
	set(x, x.s.data.ledger, ledgerKey{r.App, r.Tenant, r.Part}, copyLedger(r))
	return nil
}

// LockSecrets needs nothing: there is one writer.
func (x *tx) LockSecrets(_ context.Context, app, tenant string) error { return x.writing(app, tenant) }
