package schema

import (
	"embed"
	"io/fs"

	"github.com/haywardhq/hayward/db"
)

//go:embed migrations/*.sql
var files embed.FS

// Schema returns the wing's migrations.
func Schema() db.Schema {
	sub, err := fs.Sub(files, "migrations")
	if err != nil {
		panic("auth: the embedded migrations are not there: " + err.Error())
	}
	return db.Schema{Name: "auth", FS: sub}
}
