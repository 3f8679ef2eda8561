package secret_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/driver"
)

func shown(v sealed.Value) string { return string(reveal.Inside(v)) }

// rowsAre fails unless the rows of a secret of myapp's t are those of the given versions.
func rowsAre(t testing.TB, name string, versions ...int64) func(ctx context.Context, tx driver.Tx) error {
	return func(ctx context.Context, tx driver.Tx) error {
		t.Helper()
		rows, err := tx.ListSecretVersions(ctx, "myapp", "t", name, 0, 1000)
		var have []int64
		for _, r := range rows {
			have = append(have, r.Version)
		}
		if err == nil && fmt.Sprint(have) != fmt.Sprint(versions) {
			err = fmt.Errorf("the rows are of the versions %v, not %v", have, versions)
		}
		return err
	}
}

// without is a store in which the head of one secret has been taken away.
type without struct {
	driver.Store
	name string
}

func (w without) View(ctx context.Context, fn func(driver.Tx) error) error {
	return w.Store.View(ctx, func(tx driver.Tx) error { return fn(withoutTx{tx, w.name}) })
}

func (w without) Update(ctx context.Context, fn func(driver.Tx) error) error {
	return w.Store.Update(ctx, func(tx driver.Tx) error { return fn(withoutTx{tx, w.name}) })
}

type withoutTx struct {
	driver.Tx
	name string
}

func (x withoutTx) Secret(ctx context.Context, app, tenant, name string) (driver.SecretRow, error) {
	if name == x.name && tenant == "t" {
		return driver.SecretRow{}, driver.ErrNotFound
	}
	return x.Tx.Secret(ctx, app, tenant, name)
}

func (x withoutTx) CurrentSecret(ctx context.Context, app, tenant, name string) (driver.SecretRow, driver.SecretVersion, error) {
	if name == x.name && tenant == "t" {
		return driver.SecretRow{}, driver.SecretVersion{}, driver.ErrNotFound
	}
	return x.Tx.CurrentSecret(ctx, app, tenant, name)
}

// begin is an open action of t's, such as a run.
func begin(t testing.TB, st driver.Store) *audit.Pending {
	t.Helper()
	p, err := audit.NewLogger(st).Begin(t.Context(), scope.Caller{App: "myapp", Tenant: "t", User: "ann"}, audit.Event{Action: "pipeline.run", Resource: "pipeline"})
	if err != nil {
		t.Fatal(err)
	}
	return p
}
