// Package dbtest opens throwaway databases for tests. Nothing outside tests imports it.
package dbtest

import (
	"path/filepath"
	"testing"

	"github.com/haywardhq/hayward/db"
)

// New returns an empty database with the given schemas, closed at the end of the test.
func New(t testing.TB, schemas ...db.Schema) *db.DB {
	t.Helper()
	d, err := db.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "test.db"), db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := d.Migrate(t.Context(), schemas...); err != nil {
		t.Fatal(err)
	}
	return d
}
