package sqlstore

import (
	"context"
	"errors"

	"github.com/haywardhq/hayward/vault/store/driver"
)

const treeCols = "SELECT app, tenant, node, epoch, number, size, root, edges FROM vault_audit_tree "

func treeDest(r *driver.AuditTreeRow) []any {
	return []any{&r.App, &r.Tenant, &r.Node, &r.Epoch, &r.Number, &r.Size, &r.Root, &r.Edges}
}

func (x *tx) PutAuditTree(ctx context.Context, r driver.AuditTreeRow) error {
	if err := x.own(r.App, r.Tenant); err != nil {
		return err
	}
	if err := x.exec(ctx, `UPDATE vault_audit_tree SET edges = ? WHERE app = ? AND tenant = ? AND node = ? AND epoch = ? AND number =
		(SELECT max(number) FROM vault_audit_tree AS former WHERE former.app = ? AND former.tenant = ? AND former.node = ? AND former.epoch = ?
		AND former.number < ?)`, []byte{}, r.App, r.Tenant, r.Node, r.Epoch, r.App, r.Tenant, r.Node, r.Epoch, r.Number); err != nil {
		return err
	}
	return x.exec(ctx, `INSERT INTO vault_audit_tree (app, tenant, node, epoch, number, size, root, edges) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (app, tenant, node, epoch, number) DO UPDATE SET size = excluded.size, root = excluded.root, edges = excluded.edges`,
		r.App, r.Tenant, r.Node, r.Epoch, r.Number, r.Size, blob(r.Root), blob(r.Edges))
}

func (x *tx) AuditTree(ctx context.Context, c driver.Chain, number int64) (r driver.AuditTreeRow, err error) {
	if err := x.own(c.App, c.Tenant); err != nil {
		return r, err
	}
	err = x.row(ctx, treeCols+"WHERE app = ? AND tenant = ? AND node = ? AND epoch = ? AND number <= ? ORDER BY number DESC LIMIT 1",
		[]any{c.App, c.Tenant, c.Node, c.Epoch, number}, treeDest(&r)...)
	return r, err
}

func (x *tx) AuditTreesEverywhere(ctx context.Context, node string, epoch, number int64) ([]driver.AuditTreeRow, error) {
	x.everywhere()
	var chains []driver.Chain
	err := x.t.Query(ctx, "SELECT DISTINCT app, tenant, node FROM vault_audit_tree WHERE epoch = ? ORDER BY app, tenant, node",
		[]any{epoch}, func(scan func(...any) error) error {
			c := driver.Chain{Epoch: epoch}
			if err := scan(&c.App, &c.Tenant, &c.Node); err != nil {
				return err
			}
			if c.Log() == node {
				chains = append(chains, c)
			}
			return nil
		})
	if err != nil {
		return nil, err
	}
	var out []driver.AuditTreeRow
	for _, c := range chains {
		r, err := x.AuditTree(ctx, c, number)
		if errors.Is(err, driver.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

const checkpointCols = "SELECT node, epoch, number, at, note, edges FROM vault_audit_checkpoint "

func checkpointDest(r *driver.AuditCheckpointRow) []any {
	return []any{&r.Node, &r.Epoch, &r.Number, &r.At, &r.Note, &r.Edges}
}

func (x *tx) AddAuditCheckpointEverywhere(ctx context.Context, r driver.AuditCheckpointRow) (bool, error) {
	last, err := x.AuditCheckpointEverywhere(ctx, r.Node, r.Epoch, 0)
	if err != nil && !errors.Is(err, driver.ErrNotFound) {
		return false, err
	}
	if r.Number != last.Number+1 {
		return false, nil
	}
	if err := x.exec(ctx, "UPDATE vault_audit_checkpoint SET edges = ? WHERE node = ? AND epoch = ? AND number = ?",
		[]byte{}, r.Node, r.Epoch, last.Number); err != nil {
		return false, err
	}
	n, err := x.t.Exec(ctx, `INSERT INTO vault_audit_checkpoint (node, epoch, number, at, note, edges) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (node, epoch, number) DO NOTHING`, r.Node, r.Epoch, r.Number, r.At, r.Note, blob(r.Edges))
	return n > 0, err
}

func (x *tx) AuditCheckpointEverywhere(ctx context.Context, node string, epoch, number int64) (r driver.AuditCheckpointRow, err error) {
	where, args := "WHERE node = ? AND epoch = ? ORDER BY number DESC LIMIT 1", []any{node, epoch}
	if number > 0 {
		where, args = "WHERE node = ? AND epoch = ? AND number = ?", append(args, number)
	}
	err = x.row(ctx, checkpointCols+where, args, checkpointDest(&r)...)
	return r, err
}

func (x *tx) ScanAuditCheckpointsEverywhere(ctx context.Context, node string, epoch, after int64, fn func(driver.AuditCheckpointRow) error) error {
	return x.checkpoints(ctx, "WHERE node = ? AND epoch = ? AND number > ? ORDER BY number", []any{node, epoch, after}, fn)
}

func (x *tx) checkpoints(ctx context.Context, where string, args []any, fn func(driver.AuditCheckpointRow) error) error {
	return x.t.Query(ctx, checkpointCols+where, args, func(scan func(...any) error) error {
		var r driver.AuditCheckpointRow
		if err := scan(checkpointDest(&r)...); err != nil {
			return err
		}
		return fn(r)
	})
}

func (x *tx) AuditLogsEverywhere(ctx context.Context) (out []driver.AuditCheckpointRow, err error) {
	err = x.checkpoints(ctx, `WHERE number = (SELECT max(number) FROM vault_audit_checkpoint AS newest
		WHERE newest.node = vault_audit_checkpoint.node AND newest.epoch = vault_audit_checkpoint.epoch) ORDER BY node, epoch`, nil,
		func(r driver.AuditCheckpointRow) error { out = append(out, r); return nil })
	return out, err
}

func (x *tx) AuditCursor(ctx context.Context, c driver.Chain, sink string) (seq int64, err error) {
	if err := x.own(c.App, c.Tenant); err != nil {
		return 0, err
	}
	err = x.row(ctx, "SELECT seq FROM vault_audit_cursor WHERE app = ? AND tenant = ? AND node = ? AND epoch = ? AND sink = ?",
		[]any{c.App, c.Tenant, c.Node, c.Epoch, sink}, &seq)
	if errors.Is(err, driver.ErrNotFound) {
		err = nil
	}
	return seq, err
}

func (x *tx) PutAuditCursor(ctx context.Context, c driver.Chain, sink string, seq int64) error {
	if err := x.own(c.App, c.Tenant); err != nil {
		return err
	}
	return x.exec(ctx, `INSERT INTO vault_audit_cursor (app, tenant, node, epoch, sink, seq) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (app, tenant, node, epoch, sink) DO UPDATE SET seq = excluded.seq`, c.App, c.Tenant, c.Node, c.Epoch, sink, seq)
}

const auditKeyCols = "SELECT app, tenant, id, key_id, algorithm, ciphertext, is_primary, created_at FROM vault_audit_key "

// auditKey receives a row; the flag comes as a number.
type auditKey struct {
	driver.AuditKeyRow
	primary int64
}

func auditKeyDest(k *auditKey) []any {
	return []any{&k.App, &k.Tenant, &k.ID, &k.KeyID, &k.Algorithm, &k.Ciphertext, &k.primary, &k.CreatedAt}
}

func (k auditKey) row() driver.AuditKeyRow {
	k.Primary = k.primary == 1
	return k.AuditKeyRow
}

func (x *tx) AuditKey(ctx context.Context, app, tenant, id string) (driver.AuditKeyRow, error) {
	var k auditKey
	if err := x.own(app, tenant); err != nil {
		return k.AuditKeyRow, err
	}
	where, args := "WHERE app = ? AND tenant = ? AND is_primary = 1", []any{app, tenant}
	if id != "" {
		where, args = "WHERE app = ? AND tenant = ? AND id = ?", append(args, id)
	}
	err := x.row(ctx, auditKeyCols+where, args, auditKeyDest(&k)...)
	return k.row(), err
}

func (x *tx) PutAuditKey(ctx context.Context, r driver.AuditKeyRow) error {
	if err := x.own(r.App, r.Tenant); err != nil {
		return err
	}
	primary := int64(0)
	if r.Primary {
		primary = 1
		if err := x.exec(ctx, "UPDATE vault_audit_key SET is_primary = 0 WHERE app = ? AND tenant = ?", r.App, r.Tenant); err != nil {
			return err
		}
	}
	return x.exec(ctx, `INSERT INTO vault_audit_key (app, tenant, id, key_id, algorithm, ciphertext, is_primary, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (app, tenant, id) DO UPDATE SET key_id = excluded.key_id, algorithm = excluded.algorithm, ciphertext = excluded.ciphertext,
		is_primary = excluded.is_primary`, r.App, r.Tenant, r.ID, r.KeyID, r.Algorithm, blob(r.Ciphertext), primary, r.CreatedAt)
}

func (x *tx) ListAuditKeys(ctx context.Context, app, tenant string) ([]driver.AuditKeyRow, error) {
	return x.auditKeys(ctx, app, tenant, "WHERE app = ? AND tenant = ? ORDER BY id", app, tenant)
}

func (x *tx) ListAuditKeysEveryTenant(ctx context.Context, app string) ([]driver.AuditKeyRow, error) {
	if err := x.everyTenant(app); err != nil {
		return nil, err
	}
	return x.auditKeys(ctx, app, anyTenant, "WHERE app = ? ORDER BY tenant, id", app)
}

func (x *tx) auditKeys(ctx context.Context, app, tenant, where string, args ...any) ([]driver.AuditKeyRow, error) {
	keys, err := list(ctx, x, app, tenant, auditKeyDest, auditKeyCols+where, args...)
	var out []driver.AuditKeyRow
	for _, k := range keys {
		out = append(out, k.row())
	}
	return out, err
}

func (x *tx) PutAuditGlass(ctx context.Context, r driver.AuditGlassRow) error {
	if err := x.own(r.App, r.Tenant); err != nil {
		return err
	}
	return x.exec(ctx, `INSERT INTO vault_audit_glass (app, tenant, id, reason, opened_by, opened_at, until_at, closed_at, mac)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (app, tenant, id) DO UPDATE SET reason = excluded.reason, opened_by = excluded.opened_by,
		opened_at = excluded.opened_at, until_at = excluded.until_at, closed_at = excluded.closed_at, mac = excluded.mac`,
		r.App, r.Tenant, r.ID, r.Reason, r.OpenedBy, r.OpenedAt, r.Until, r.ClosedAt, blob(r.MAC))
}

func (x *tx) ListAuditGlass(ctx context.Context, app, tenant string, limit int) ([]driver.AuditGlassRow, error) {
	return list(ctx, x, app, tenant, func(r *driver.AuditGlassRow) []any {
		return []any{&r.App, &r.Tenant, &r.ID, &r.Reason, &r.OpenedBy, &r.OpenedAt, &r.Until, &r.ClosedAt, &r.MAC}
	}, `SELECT app, tenant, id, reason, opened_by, opened_at, until_at, closed_at, mac FROM vault_audit_glass
		WHERE app = ? AND tenant = ? ORDER BY opened_at DESC, id DESC LIMIT ?`, app, tenant, limit)
}
