package flag_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/haywardhq/hayward/vault/flag"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/memory"
)

// floor is the least a flag with three rules can cost: a snapshot, a list of users, a list of tenants, a rollout of 25 %.
type floor struct {
	key            string
	users, tenants []string
	percent        uint32
}

func (f *floor) on(tenant, user string) bool {
	for _, u := range f.users {
		if u == user {
			return true
		}
	}
	for _, t := range f.tenants {
		if t == tenant {
			return true
		}
	}
	var buf [192]byte
	b := append(buf[:0], tenant...)
	b = append(b, ':')
	b = append(b, f.key...)
	sum := sha256.Sum256(b)
	return binary.BigEndian.Uint32(sum[:4])%100 < f.percent
}

// BenchmarkEvaluate is a flag with three rules, of which the third decides. Compare with the floor in the same run.
func BenchmarkEvaluate(b *testing.B) {
	users, tenants := []string{"u-a", "u-b", "u-c"}, []string{"t-a", "t-b", "t-c"}
	ctxs := make([]context.Context, 1024)
	names := make([][2]string, len(ctxs))
	for i := range ctxs {
		names[i] = [2]string{fmt.Sprint("tenant-", i), fmt.Sprint("user-", i)}
		ctxs[i] = scope.WithScope(context.Background(), "myapp", names[i][0], names[i][1], "10.0.0.1")
	}
	f := &floor{"new-dashboard", users, tenants, 25}
	st := memory.New()
	define(b, st, boolFlag("new-dashboard"), flag.WhenUser(users...).Return(true), flag.WhenTenant(tenants...).Return(true), flag.Rollout(25).Return(true))
	e := flag.NewEngine(st)
	svc := flag.NewService(e, flag.WithAppID("myapp"))
	for _, bm := range []struct {
		name string
		call func(i int) bool
	}{
		{"floor", func(i int) bool { return f.on(names[i][0], names[i][1]) }},
		{"Evaluate", func(i int) bool {
			v, err := e.Evaluate(ctxs[i], "new-dashboard", "myapp")
			return err == nil && v == true
		}},
		{"Bool", func(i int) bool { return svc.Bool(ctxs[i], "new-dashboard", false) }},
		{"Detail", func(i int) bool {
			d, err := e.Detail(ctxs[i], "new-dashboard", "myapp")
			return err == nil && d.Value == true
		}},
	} {
		b.Run(bm.name, func(b *testing.B) {
			b.ReportAllocs()
			for i := range b.N {
				sink = bm.call(i & 1023)
			}
		})
		b.Run(bm.name+"/parallel", func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					bm.call(i & 1023)
				}
			})
		})
	}
}

var sink bool
