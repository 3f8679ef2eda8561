package token

import (
	"context"
	"errors"

	"github.com/haywardhq/hayward/auth/internal/cow"
	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/fault"
)

// grants keeps who was let in, and what was taken back. Requests ask memory only.
type grants struct {
	db   *db.DB
	name string // of this process among those on the database
	now  func() int64
	gone *cow.Map[revokedKey, int64] // grant or token id -> when nothing of it can live any more
}

type revokedKey struct{ app, id string }

func openGrants(ctx context.Context, d *db.DB, name string, now func() int64) (*grants, error) {
	g := &grants{db: d, name: name, now: now, gone: cow.New[revokedKey, int64]()}
	return g, g.load(ctx)
}

// load reads what is revoked and could still be used.
func (g *grants) load(ctx context.Context) error {
	return g.db.View(ctx, func(tx *db.Tx) error {
		const q = "SELECT app, id, expires FROM auth_grant WHERE revoked_at <> 0 AND expires > ? " +
			"UNION ALL SELECT app, jti, expires FROM auth_revoked_token WHERE expires > ?"
		return tx.Query(ctx, q, []any{g.now(), g.now()}, func(scan func(...any) error) error {
			var k revokedKey
			var expires int64
			if err := scan(&k.app, &k.id, &expires); err != nil {
				return db.Classify(err)
			}
			g.gone.Set(k, expires) // only ever added: a revocation made meanwhile must not be lost
			return nil
		})
	})
}

func (g *grants) revoked(app, id string, now int64) bool {
	until, ok := g.gone.Get(revokedKey{app, id})
	return ok && now < until
}

type grant struct {
	app, tenant, id, user, client string
	credentialVersion             int64
	created, expires              int64
}

func (g *grants) create(ctx context.Context, n grant) error {
	return g.db.Update(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO auth_grant (app, tenant, id, user_id, client, credential_version, created, expires) "+
			"VALUES (?, ?, ?, ?, ?, ?, ?, ?)", n.app, n.tenant, n.id, n.user, n.client, n.credentialVersion, n.created, n.expires)
		return err
	})
}

// revokeGrant ends every token of a grant. Doing it twice is no error.
func (g *grants) revokeGrant(ctx context.Context, app, tenant, id string) error {
	return g.revoke(ctx, func(tx *db.Tx) (revokedKey, int64, error) {
		var expires int64
		err := tx.QueryRow(ctx, "SELECT expires FROM auth_grant WHERE app = ? AND tenant = ? AND id = ?",
			[]any{app, tenant, id}, &expires)
		if errors.Is(err, db.ErrNoRows) {
			err = fault.New(fault.NotFound, "there is no such grant")
		}
		if err == nil {
			_, err = tx.Exec(ctx, "UPDATE auth_grant SET revoked_at = ? WHERE app = ? AND tenant = ? AND id = ? AND revoked_at = 0",
				g.now(), app, tenant, id)
		}
		return revokedKey{app, id}, expires, err
	})
}

// revokeToken ends one token.
func (g *grants) revokeToken(ctx context.Context, c Claims) error {
	return g.revoke(ctx, func(tx *db.Tx) (revokedKey, int64, error) {
		_, err := tx.Exec(ctx, "INSERT INTO auth_revoked_token (app, tenant, jti, expires) VALUES (?, ?, ?, ?) "+
			"ON CONFLICT (app, tenant, jti) DO NOTHING", c.App, c.Tenant, c.ID, c.Expires*1e6)
		return revokedKey{c.App, c.ID}, c.Expires * 1e6, err
	})
}

// revoke stores a revocation and then lets requests see it. If storing was tried and its outcome is in doubt, they see
// it as well: of the two mistakes, refusing is the smaller one.
func (g *grants) revoke(ctx context.Context, fn func(*db.Tx) (revokedKey, int64, error)) error {
	var k revokedKey
	var until int64
	tried := false
	err := g.db.Update(ctx, func(tx *db.Tx) (err error) {
		k, until, err = fn(tx)
		tried = err == nil
		tx.Notify(topic, g.name)
		return err
	})
	if tried {
		g.gone.Set(k, until)
	}
	return err
}

// sweep forgets what has expired.
func (g *grants) sweep(ctx context.Context) error {
	now := g.now()
	g.gone.DeleteFunc(func(_ revokedKey, until int64) bool { return until <= now })
	return g.db.Update(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, "DELETE FROM auth_grant WHERE expires <= ?", now); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "DELETE FROM auth_revoked_token WHERE expires <= ?", now)
		return err
	})
}
