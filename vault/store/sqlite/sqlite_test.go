package sqlite_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/db/dbtest"
	"github.com/haywardhq/hayward/vault/store/driver"
	"github.com/haywardhq/hayward/vault/store/sqlite"
	"github.com/haywardhq/hayward/vault/store/storetest"
)

func TestStore(t *testing.T) {
	paths := map[driver.Store]string{}
	open := func(t *testing.T, path string) driver.Store {
		d, err := db.OpenSQLite(t.Context(), path, db.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = d.Close() })
		st := sqlite.New(d)
		if err := st.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		paths[st] = path
		return st
	}
	storetest.Run(t, storetest.Harness{
		Open: func(t *testing.T) driver.Store { return open(t, filepath.Join(t.TempDir(), "vault.db")) },
		Reopen: func(t *testing.T, st driver.Store) driver.Store {
			// The files as they lie there while the database is open are what a crash leaves.
			dir := t.TempDir()
			for _, suffix := range []string{"", "-wal"} {
				copyFile(t, paths[st]+suffix, filepath.Join(dir, "vault.db"+suffix))
			}
			return open(t, filepath.Join(dir, "vault.db"))
		},
		Bytes: func(t *testing.T, st driver.Store) (all []byte) {
			for _, suffix := range []string{"", "-wal", "-shm"} {
				b, err := os.ReadFile(paths[st] + suffix)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, b...)
			}
			return all
		},
	})
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
}

func TestAnotherRoomsWriteAndTheVaultsAreOneTransaction(t *testing.T) {
	d := dbtest.New(t, sqlite.Schema())
	st := sqlite.New(d)
	if err := d.Update(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(t.Context(), "CREATE TABLE theirs (n INTEGER) STRICT")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	err := d.Update(t.Context(), func(tx *db.Tx) error {
		if _, err := tx.Exec(t.Context(), "INSERT INTO theirs VALUES (1)"); err != nil {
			return err
		}
		v := st.In(tx)
		if err := v.PutKey(t.Context(), driver.KeyRow{App: "a", Tenant: "t", ID: "k", Primary: true}); err != nil {
			return err
		}
		_, err := tx.Exec(t.Context(), "INSERT INTO theirs VALUES ('not a number')")
		return err
	})
	if err == nil {
		t.Fatal("a strict table took a text for a number")
	}
	var n int
	if err := d.View(t.Context(), func(tx *db.Tx) error {
		return tx.QueryRow(t.Context(), "SELECT (SELECT count(*) FROM theirs) + (SELECT count(*) FROM vault_key)", nil, &n)
	}); err != nil || n != 0 {
		t.Fatalf("%d rows are left, %v", n, err)
	}
}
