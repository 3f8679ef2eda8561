package secret_test

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"path/filepath"
	"testing"

	"github.com/haywardhq/hayward/db/dbtest"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/crypto"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/secret"
	"github.com/haywardhq/hayward/vault/store/driver"
	"github.com/haywardhq/hayward/vault/store/memory"
	"github.com/haywardhq/hayward/vault/store/sqlite"
)

// BenchmarkLookup is what a run pays per secret, inside its open audit entry.
func BenchmarkLookup(b *testing.B) {
	for _, tc := range []struct {
		name string
		st   driver.Store
	}{{"memory", memory.New()}, {"sqlite", sqlite.New(dbtest.New(b, sqlite.Schema()))}} {
		b.Run(tc.name, func(b *testing.B) {
			svc := service(b, tc.st)
			set(b, svc, "t", "K", "sk-0123456789012345678901234567890123456789012345678")
			p, err := audit.NewLogger(tc.st).Begin(b.Context(), scope.Caller{App: "myapp", Tenant: "t"}, audit.Event{Action: "run", Resource: "pipeline"})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := svc.Lookup(b.Context(), p, "K"); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

// passing is a gate that lets everybody in and records nothing: what is left is what reading a secret costs.
type passing struct{ p *audit.Pending }

func (g passing) Enter(context.Context, audit.Request) (*audit.Pending, error) { return g.p, nil }

// BenchmarkHotRead sets Get, without the record, beside the bare AEAD that no read can do without.
func BenchmarkHotRead(b *testing.B) {
	const plain = "sk-0123456789012345678901234567890123456789012345678"
	b.Run("bare", func(b *testing.B) {
		block, err := aes.NewCipher(make([]byte, 32))
		if err != nil {
			b.Fatal(err)
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			b.Fatal(err)
		}
		nonce, ad := make([]byte, aead.NonceSize()), make([]byte, 200)
		box := aead.Seal(nil, nonce, []byte(plain), ad)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := aead.Open(nil, nonce, box, ad); err != nil {
				b.Fatal(err)
			}
		}
	})
	st := memory.New()
	set(b, service(b, st), "t", "K", plain)
	p, err := audit.NewLogger(st).Begin(b.Context(), scope.Caller{App: "myapp", Tenant: "t"}, audit.Event{Action: "run", Resource: "pipeline"})
	if err != nil {
		b.Fatal(err)
	}
	ctx := as("t")
	b.Run("lookup", func(b *testing.B) {
		svc := service(b, st)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := svc.Lookup(ctx, p, "K"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("get", func(b *testing.B) {
		if err := p.End(ctx, audit.OK); err != nil {
			b.Fatal(err)
		}
		svc := service(b, st, secret.WithGate(passing{p}))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := svc.Get(ctx, "K", ""); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkSet is an audited write: versions, the ledger and two entries.
func BenchmarkSet(b *testing.B) {
	st := sqlite.New(dbtest.New(b, sqlite.Schema()))
	svc := service(b, st)
	b.SetParallelism(32)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := svc.Set(as("t"), "K", []byte("sk-0123456789"), ""); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkGet is an audited read: two durable entries and the value.
func BenchmarkGet(b *testing.B) {
	d := dbtest.New(b, sqlite.Schema())
	st := sqlite.New(d)
	heads, err := audit.OpenHeads(filepath.Join(b.TempDir(), "audit.heads"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = heads.Close() })
	enc, err := crypto.NewEncryptor([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		b.Fatal(err)
	}
	ring, _ := enc.Ring()
	log := audit.NewLogger(st, audit.WithMAC(ring.MAC(audit.KeyPurpose)), audit.WithHeads(heads))
	svc := service(b, st, secret.WithGate(audit.NewGate(log, nil)))
	set(b, svc, "t", "K", "sk-0123456789")
	b.SetParallelism(32)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := svc.Get(as("t"), "K", ""); err != nil {
				b.Fatal(err)
			}
		}
	})
}
