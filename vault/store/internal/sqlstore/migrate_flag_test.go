package sqlstore_test

import (
	"errors"
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/db/dbtest"
	"github.com/haywardhq/hayward/vault/store/driver"
	"github.com/haywardhq/hayward/vault/store/internal/sqlstore"
)

// What was there before flags had versions is their first one, on a database that holds some.
func TestFlagsFromBeforeTheyHadVersions(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		now := sqlstore.Schema()
		before := now
		old := fstest.MapFS{}
		for _, name := range []string{"00001_vault.sql", "00002_flag_config.sql", "00003_keys.sql", "00004_secret.sql"} {
			text, err := fs.ReadFile(now.FS, name)
			if err != nil {
				t.Fatal(err)
			}
			old[name] = &fstest.MapFile{Data: text}
		}
		before.FS = old
		ctx := t.Context()
		if err := d.Migrate(ctx, before); err != nil {
			t.Fatal(err)
		}
		err := d.Update(ctx, func(tx *db.Tx) error {
			tx.Fence(db.Everywhere, db.Everywhere)
			_, err := tx.Exec(ctx, `INSERT INTO vault_flag (app, tenant, name, id, version, definition, rules, created_at, updated_at)
				VALUES ('a', '/shared', 'f', 'flag_1', 7, '{"type":"bool"}', '[1]', 1, 2)`)
			_, err2 := tx.Exec(ctx, `INSERT INTO vault_flag_override (app, tenant, name, id, kind, value, created_at, updated_at)
				VALUES ('a', 't', 'f', 'ovr_1', 'string', '"it''s \"é\""', 1, 2)`)
			return errors.Join(err, err2)
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Migrate(ctx, now); err != nil {
			t.Fatal(err)
		}
		err = sqlstore.New(d).View(ctx, func(tx driver.Tx) error {
			f, err := tx.LatestFlagVersion(ctx, "a", driver.Shared, driver.FlagKindFlag, "f")
			o, err2 := tx.LatestFlagVersion(ctx, "a", "t", driver.FlagKindOverride, "f")
			row, err3 := tx.FlagOverride(ctx, "a", "t", "f")
			if f.Version != 7 || f.Body != `{"definition":{"type":"bool"},"rules":[1]}` || f.CreatedAt != 2 || o.Version != 1 || o.Body != `string "it's \"é\""` ||
				row.Version != 1 || row.ID != "ovr_1" {
				t.Errorf("%+v %+v %+v", f, o, row)
			}
			return errors.Join(err, err2, err3)
		})
		if err != nil {
			t.Error(err)
		}
	})
}
