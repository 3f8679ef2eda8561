package flag_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

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

var snapshot atomic.Pointer[map[string]*floor]

func on(key, tenant, user string) bool {
	f := (*snapshot.Load())[key]
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

// callers returns contexts and the names in them, and a service over a flag with three rules.
func callers(b *testing.B, n int) ([]context.Context, [][2]string, *flag.Service) {
	users, tenants := []string{"u-a", "u-b", "u-c"}, []string{"t-a", "t-b", "t-c"}
	ctxs, names := make([]context.Context, n), make([][2]string, n)
	for i := range ctxs {
		names[i] = [2]string{fmt.Sprint("tenant-", i), fmt.Sprint("user-", i)}
		ctxs[i] = scope.WithScope(context.Background(), "myapp", names[i][0], names[i][1], "10.0.0.1")
	}
	snapshot.Store(&map[string]*floor{"new-dashboard": {"new-dashboard", users, tenants, 25}})
	st := memory.New()
	define(b, st, boolFlag("new-dashboard"), flag.WhenUser(users...).Return(true), flag.WhenTenant(tenants...).Return(true), flag.Rollout(25).Return(true))
	return ctxs, names, flag.NewService(flag.NewEngine(st), flag.WithAppID("myapp"))
}

// BenchmarkEvaluate is a flag with three rules, of which the third decides. Compare with the floor in the same run.
func BenchmarkEvaluate(b *testing.B) {
	ctxs, names, svc := callers(b, 1024)
	e := svc.Engine()
	for _, bm := range []struct {
		name string
		call func(i int) bool
	}{
		{"floor", func(i int) bool { return on("new-dashboard", names[i][0], names[i][1]) }},
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

// BenchmarkRatio measures the floor and the evaluation in turns, so that a busy machine slows both, and reports the median
// of their ratios.
func BenchmarkRatio(b *testing.B) {
	for _, n := range []int{1, 64, 1024} {
		b.Run(fmt.Sprint(n, " callers"), func(b *testing.B) {
			ctxs, names, svc := callers(b, n)
			const each = 5000
			var ratios []float64
			for range max(b.N, 21) {
				start := time.Now()
				for i := range each {
					sink = on("new-dashboard", names[i%n][0], names[i%n][1])
				}
				middle := time.Now()
				for i := range each {
					sink = svc.Bool(ctxs[i%n], "new-dashboard", false)
				}
				ratios = append(ratios, float64(time.Since(middle))/float64(middle.Sub(start)))
			}
			slices.Sort(ratios)
			b.ReportMetric(ratios[len(ratios)/2], "x-of-floor")
		})
	}
}
