package main

import (
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/haywardhq/hayward/cmd/hayward/internal/app"
	"github.com/haywardhq/hayward/cmd/hayward/internal/tui"
	"github.com/haywardhq/hayward/db"
)

// migration is one file of a schema, as programs read it.
type migration struct {
	Schema  string     `json:"schema"`
	Version int64      `json:"version"`
	Name    string     `json:"name,omitempty"` // empty: a newer version of this program has run it
	Applied *time.Time `json:"applied,omitempty"`
}

// migrated is what a database has and lacks.
type migrated struct {
	Pending    int         `json:"pending"`
	Newer      bool        `json:"newer"` // a newer version of this program has migrated it
	Migrations []migration `json:"migrations"`
}

func (c *cli) migrateCommand() *cobra.Command {
	var d dataFlags
	var status bool
	cmd := &cobra.Command{Use: "migrate", Short: "Bring the database up to date, or say what is left to do", Args: cobra.NoArgs,
		Long: "Brings the tables of a server's database up to date with this program, as the server itself does when it starts. With\n" +
			"--status nothing is changed. The server of an SQLite database must not be running; one of PostgreSQL may.",
		RunE: c.do(func(cmd *cobra.Command, _ []string) error {
			s, err := d.settings()
			if err != nil {
				return err
			}
			if s.Postgres == nil {
				if err := mustBeData(s.DataDir); err != nil {
					return err
				}
			}
			list, err := app.Migrations(cmd.Context(), s, status)
			if err != nil {
				return err
			}
			m := migratedOf(list)
			return c.print(m, func(w io.Writer) error { return showMigrations(w, m) })
		})}
	d.add(cmd.Flags())
	cmd.Flags().BoolVar(&status, "status", false, "change nothing, and say what has run and what has not")
	return cmd
}

func migratedOf(list []db.SchemaStatus) migrated {
	out := migrated{Migrations: []migration{}}
	for _, s := range list {
		out.Pending += s.Pending()
		out.Newer = out.Newer || s.Newer()
		for _, m := range s.Migrations {
			row := migration{Schema: s.Schema, Version: m.Version, Name: m.Name}
			if !m.Applied.IsZero() {
				row.Applied = &m.Applied
			}
			out.Migrations = append(out.Migrations, row)
		}
	}
	return out
}

func showMigrations(w io.Writer, m migrated) error {
	rows := make([][]string, len(m.Migrations))
	for i, r := range m.Migrations {
		at := "pending"
		if r.Applied != nil {
			at = moment(*r.Applied)
		}
		name := r.Name
		if name == "" {
			name = "(of a newer version)"
		}
		rows[i] = []string{r.Schema, strconv.FormatInt(r.Version, 10), name, at}
	}
	if err := tui.Table(w, []string{"SCHEMA", "VERSION", "FILE", "APPLIED"}, rows); err != nil {
		return err
	}
	switch {
	case m.Newer:
		return say(w, "the database was migrated by a newer version of this program")
	case m.Pending > 0:
		return say(w, "%s to run", plural(m.Pending, "migration"))
	}
	return say(w, "up to date")
}
