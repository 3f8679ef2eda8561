package db_test

import (
	"context"
	"testing"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/db/dbtest"
)

func BenchmarkUpdateParallel(b *testing.B) {
	d := dbtest.New(b, schema)
	b.SetParallelism(64)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			_ = d.Update(b.Context(), func(tx *db.Tx) error {
				_, err := tx.Exec(context.Background(), "INSERT INTO t (k, v) VALUES (hex(randomblob(16)), 1)")
				return err
			})
		}
	})
}

func BenchmarkUpdate(b *testing.B) {
	d := dbtest.New(b, schema)
	b.ReportAllocs()
	for b.Loop() {
		_ = d.Update(b.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(b.Context(), "INSERT INTO t (k, v) VALUES (hex(randomblob(16)), 1)")
			return err
		})
	}
}

func BenchmarkView(b *testing.B) {
	d := dbtest.New(b, schema)
	_ = put(d, "a", 1)
	b.ReportAllocs()
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
}
