package audit_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// BenchmarkAction is one action: a durable Begin and a durable End, on disk with its head, by 1, 8 and 64 at once.
func BenchmarkAction(b *testing.B) {
	for _, n := range []int{1, 8, 64} {
		for _, tenants := range []int{1, 64} {
			b.Run(fmt.Sprintf("callers=%d/tenants=%d", n, tenants), func(b *testing.B) {
				bench := open(b, b.TempDir())
				bench.act("t0", "warm")
				var who atomic.Int64
				b.SetParallelism(max(1, n/runtime.GOMAXPROCS(0)))
				b.ReportAllocs()
				b.ResetTimer()
				b.RunParallel(func(pb *testing.PB) {
					tenant := fmt.Sprintf("t%d", who.Add(1)%int64(tenants))
					for pb.Next() {
						bench.act(tenant, "OPENAI_API_KEY")
					}
				})
				b.ReportMetric(2*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
			})
		}
	}
}

// BenchmarkSync is the floor: one write and sync of a file, by one.
func BenchmarkSync(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "f"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	for b.Loop() {
		if _, err := f.WriteString("0123456789\n"); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCanonical is the share of hashing: the bytes of one entry.
func BenchmarkCanonical(b *testing.B) {
	r := driver.AuditRow{Chain: driver.Chain{App: "default", Tenant: "acme", Node: "node-1", Epoch: 1}, ID: "vaudit_0123456789", Action: "secret.get",
		Resource: "secret", Name: "OPENAI_API_KEY", Outcome: "ok", Details: "[]"}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = audit.Canonical(buf[:0], &r)
	}
}
