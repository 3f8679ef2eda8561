package db_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/db/dbtest"
)

// both runs a benchmark over each kind of database. PostgreSQL writes as in production with HAYWARD_TEST_POSTGRES_FSYNC=on.
func both(b *testing.B, bench func(b *testing.B, d *db.DB)) {
	b.Run("sqlite", func(b *testing.B) { bench(b, dbtest.NewSQLite(b, schema)) })
	b.Run("postgres", func(b *testing.B) { bench(b, dbtest.NewPostgres(b, schema)) })
}

var serial atomic.Int64

func one(d *db.DB) error {
	ctx := context.Background()
	return d.Update(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO t (k, v) VALUES (?, ?)", fmt.Sprint(serial.Add(1)), 1)
		return err
	})
}

func BenchmarkUpdateParallel(b *testing.B) {
	both(b, func(b *testing.B, d *db.DB) {
		b.SetParallelism(64)
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if err := one(d); err != nil {
					b.Fatal(err)
				}
			}
		})
	})
}

func BenchmarkUpdate(b *testing.B) {
	both(b, func(b *testing.B, d *db.DB) {
		b.ReportAllocs()
		for b.Loop() {
			if err := one(d); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkView(b *testing.B) {
	both(b, func(b *testing.B, d *db.DB) {
		_ = put(d, "a", 1)
		b.ReportAllocs()
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			for pb.Next() {
				var n int
				if err := d.View(ctx, func(tx *db.Tx) error { return tx.QueryRow(ctx, "SELECT v FROM t WHERE k = ?", []any{"a"}, &n) }); err != nil {
					b.Fatal(err)
				}
			}
		})
	})
}

// BenchmarkRows writes a hundred rows in one write: statement by statement, and with ExecMany.
func BenchmarkRows(b *testing.B) {
	for name, write := range map[string]func(tx *db.Tx, rows [][]any) error{
		"each": func(tx *db.Tx, rows [][]any) error {
			for _, r := range rows {
				if _, err := tx.Exec(context.Background(), "INSERT INTO t (k, v) VALUES (?, ?)", r...); err != nil {
					return err
				}
			}
			return nil
		},
		"many": func(tx *db.Tx, rows [][]any) error {
			_, err := tx.ExecMany(context.Background(), "INSERT INTO t (k, v) VALUES (?, ?)", rows)
			return err
		},
	} {
		b.Run(name, func(b *testing.B) {
			both(b, func(b *testing.B, d *db.DB) {
				for b.Loop() {
					rows := make([][]any, 100)
					for i := range rows {
						rows[i] = []any{fmt.Sprint(serial.Add(1)), i}
					}
					if err := d.Update(context.Background(), func(tx *db.Tx) error { return write(tx, rows) }); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}
