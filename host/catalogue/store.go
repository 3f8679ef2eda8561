package catalogue

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"io/fs"
	"time"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/fault"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Schema is the catalogue's tables.
func Schema() db.Schema {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil { // the folder is embedded above
		panic(err)
	}
	return db.Schema{Name: "catalogue", FS: sub}
}

// Deployment is one version of a pipeline.
type Deployment struct {
	App         string    `json:"-"`
	Tenant      string    `json:"-"`
	Name        string    `json:"name"`
	Version     int64     `json:"version"`
	Source      string    `json:"-"`
	Digest      string    `json:"digest"` // SHA-256 of the source, hexadecimal
	Description string    `json:"description"`
	CreatedAt   time.Time `json:"created_at"`
	CreatedBy   string    `json:"created_by"` // user id
}

// NotFound is the answer for a pipeline that is not there, and for another tenant's.
func NotFound(name string) error {
	return fault.New(fault.NotFound, "Pipeline '%s' not found", name).WithCode("PipelineNotFound")
}

// Digest returns the digest of a source.
func Digest(source string) string {
	sum := sha256.Sum256([]byte(source))
	return hex.EncodeToString(sum[:])
}

// put stores d as the next version and makes it current.
func put(ctx context.Context, tx *db.Tx, d *Deployment, overwrite bool) error {
	var current, latest int64
	err := tx.QueryRow(ctx, "SELECT current, latest FROM pipelines WHERE app = ? AND tenant = ? AND name = ?",
		[]any{d.App, d.Tenant, d.Name}, &current, &latest)
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return err
	}
	if current != 0 && !overwrite {
		return fault.New(fault.Conflict, "Pipeline '%s' already exists", d.Name).WithCode("PipelineExists").
			WithHint("deploy with overwrite to replace it")
	}
	d.Version, d.CreatedAt = latest+1, time.UnixMicro(tx.Now()).UTC()
	if _, err := tx.Exec(ctx, `INSERT INTO pipeline_versions (app, tenant, name, version, source, digest, description, created_at, created_by)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		d.App, d.Tenant, d.Name, d.Version, d.Source, d.Digest, d.Description, tx.Now(), d.CreatedBy); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO pipelines (app, tenant, name, current, latest, ordinal)
		VALUES (?, ?, ?, ?, ?, (SELECT coalesce(max(ordinal), 0) + 1 FROM pipelines WHERE app = ? AND tenant = ?))
		ON CONFLICT (app, tenant, name) DO UPDATE SET current = excluded.current, latest = excluded.latest`,
		d.App, d.Tenant, d.Name, d.Version, d.Version, d.App, d.Tenant)
	return err
}

// remove makes no version current. The versions stay.
func remove(ctx context.Context, tx *db.Tx, app, tenant, name string) error {
	n, err := tx.Exec(ctx, "UPDATE pipelines SET current = 0 WHERE app = ? AND tenant = ? AND name = ? AND current <> 0", app, tenant, name)
	if err == nil && n == 0 {
		return NotFound(name)
	}
	return err
}

const columns, fromCurrent = `v.name, v.version, v.digest, v.description, v.created_at, v.created_by`, `
	FROM pipelines p JOIN pipeline_versions v
	  ON v.app = p.app AND v.tenant = p.tenant AND v.name = p.name AND v.version = p.current
	WHERE p.app = ? AND p.tenant = ?`

func current(ctx context.Context, tx *db.Tx, app, tenant, name string) (*Deployment, error) {
	var out *Deployment
	err := tx.Query(ctx, "SELECT v.source, "+columns+fromCurrent+" AND p.name = ?", []any{app, tenant, name}, func(scan func(...any) error) error {
		var err error
		out, err = scanDeployment(app, tenant, scan)
		return err
	})
	if err == nil && out == nil {
		return nil, NotFound(name)
	}
	return out, err
}

func list(ctx context.Context, tx *db.Tx, app, tenant string) ([]*Deployment, error) {
	var out []*Deployment
	err := tx.Query(ctx, "SELECT '', "+columns+fromCurrent+" ORDER BY p.ordinal", []any{app, tenant}, func(scan func(...any) error) error {
		d, err := scanDeployment(app, tenant, scan)
		out = append(out, d)
		return err
	})
	return out, err
}

func scanDeployment(app, tenant string, scan func(...any) error) (*Deployment, error) {
	d := &Deployment{App: app, Tenant: tenant}
	var at int64
	err := scan(&d.Source, &d.Name, &d.Version, &d.Digest, &d.Description, &at, &d.CreatedBy)
	d.CreatedAt = time.UnixMicro(at).UTC()
	return d, err
}
