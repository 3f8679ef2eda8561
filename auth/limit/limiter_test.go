package limit_test

import (
	"fmt"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/haywardhq/hayward/auth/limit"
)

// clock is a clock that tests turn by hand.
type clock struct{ ns atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(1_800_000_000, c.ns.Load()) }
func (c *clock) advance(d time.Duration) { c.ns.Add(int64(d)) }

func newLimiter(maxKeys int) (*limit.Limiter, *clock) {
	c := &clock{}
	return limit.New(limit.Options{MaxKeys: maxKeys, Now: c.now}), c
}

func TestRow48AttemptNPlusOneIsRefusedAndToldWhenToRetry(t *testing.T) {
	l, c := newLimiter(0)
	rate, key := limit.Rate{Quota: 3, Window: 30 * time.Second}, l.Key("tenant", "app", "ten_1")
	for left := 2; left >= 0; left-- {
		if d := l.Take(key, rate); !d.Allowed || d.Remaining != left {
			t.Fatalf("got %+v, want allowed with %d left", d, left)
		}
	}
	d := l.Take(key, rate)
	if d.Allowed || d.RetryAfter != 10*time.Second {
		t.Fatalf("got %+v, want refused for 10 s", d)
	}
	c.advance(d.RetryAfter - 1)
	if l.Take(key, rate).Allowed {
		t.Fatal("allowed a nanosecond early")
	}
	c.advance(1)
	if !l.Take(key, rate).Allowed {
		t.Fatal("refused after RetryAfter")
	}
}

func TestHeaders(t *testing.T) {
	l, _ := newLimiter(0)
	check := limit.Check{Name: "tenant", Key: l.Key("tenant", "a"), Rate: limit.Rate{Quota: 600, Window: time.Minute}}
	d := l.All(check)
	if d.Policy() != `"tenant";q=600;w=60` || d.Header() != `"tenant";r=599;t=1` {
		t.Errorf("got %s and %s", d.Policy(), d.Header())
	}
	for range 599 {
		l.All(check)
	}
	if d = l.All(check); d.Allowed || d.Header() != `"tenant";r=0;t=1` {
		t.Errorf("after the last unit: %+v %s", d, d.Header())
	}
}

// The law of GCRA: in any span of time, no more than Quota + span/interval attempts pass, and an attempt passes as soon
// as the answer before said it would.
func TestNeverMoreThanTheRateAllows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l, c := newLimiter(0)
		rate := limit.Rate{Quota: rapid.IntRange(1, 20).Draw(t, "quota"),
			Window: time.Duration(rapid.Int64Range(1, int64(time.Minute)).Draw(t, "window"))}
		key := l.Key("k", "x")
		interval := max(rate.Window, time.Duration(rate.Quota)) / time.Duration(rate.Quota)
		var passed []int64
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			c.advance(time.Duration(rapid.Int64Range(0, 2*int64(interval)).Draw(t, "gap")))
			d := l.Take(key, rate)
			if !d.Allowed {
				c.advance(d.RetryAfter)
				if d = l.Take(key, rate); !d.Allowed {
					t.Fatalf("refused again after waiting for RetryAfter: %+v", d)
				}
			}
			passed = append(passed, c.ns.Load())
			if d.Remaining < 0 || d.Remaining >= rate.Quota {
				t.Fatalf("%d units left of %d", d.Remaining, rate.Quota)
			}
		}
		for i := range passed {
			for j := i; j < len(passed); j++ {
				if most := int64(rate.Quota) + (passed[j]-passed[i])/int64(interval); int64(j-i+1) > most {
					t.Fatalf("%d attempts in %d ns, at most %d", j-i+1, passed[j]-passed[i], most)
				}
			}
		}
	})
}

func TestARefundUndoesATake(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l, c := newLimiter(0)
		rate, key := limit.Rate{Quota: 5, Window: 50}, l.Key("k")
		for range rapid.IntRange(0, 12).Draw(t, "before") {
			l.Take(key, rate)
			c.advance(time.Duration(rapid.Int64Range(0, 30).Draw(t, "gap")))
		}
		before := l.Peek(key, rate)
		if l.Take(key, rate).Allowed {
			l.Refund(key, rate)
		}
		if after := l.Peek(key, rate); after.Remaining != before.Remaining || after.Allowed != before.Allowed {
			t.Fatalf("before %+v, after %+v", before, after)
		}
	})
}

func TestARefusalOfOneLimitSpendsNoneOfTheOthers(t *testing.T) {
	l, _ := newLimiter(0)
	user := limit.Check{Name: "user", Key: l.Key("user", "u"), Rate: limit.Rate{Quota: 10, Window: time.Minute}}
	tenant := limit.Check{Name: "tenant", Key: l.Key("tenant", "t"), Rate: limit.Rate{Quota: 2, Window: time.Minute}}
	global := limit.Check{Name: "global", Key: l.Key("global"), Rate: limit.Rate{Quota: 2, Window: time.Minute}}
	for range 2 {
		if d := l.All(user, tenant, global); !d.Allowed {
			t.Fatal("refused too early")
		}
	}
	for range 5 {
		if d := l.All(user, tenant, global); d.Allowed || d.Name != "tenant" {
			t.Fatalf("got %+v, want the most specific refusal, tenant", d)
		}
	}
	if d := l.Peek(user.Key, user.Rate); d.Remaining != 7 {
		t.Errorf("%d units of the user left to take after one more, want 7", d.Remaining)
	}
}

func TestParallelTakesShareOneQuotaExactly(t *testing.T) {
	l, _ := newLimiter(0)
	rate, key := limit.Rate{Quota: 100, Window: time.Hour}, l.Key("k")
	var passed atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				if l.All(limit.Check{Name: "k", Key: key, Rate: rate}).Allowed {
					passed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if passed.Load() != 100 {
		t.Errorf("%d passed, want 100", passed.Load())
	}
}

func TestAddressesCountBySubscriber(t *testing.T) {
	l, _ := newLimiter(0)
	for _, tc := range []struct {
		a, b string
		same bool
	}{
		{"2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true},
		{"2001:db8:1:2::1", "2001:db8:1:3::1", false},
		{"192.0.2.1", "192.0.2.2", false},
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"fe80::1%eth0", "fe80::2%eth1", true},
		{"0.0.0.0", "::", false},
	} {
		a, b := netip.MustParseAddr(tc.a), netip.MustParseAddr(tc.b)
		if got := l.KeyIP("ip", a) == l.KeyIP("ip", b); got != tc.same {
			t.Errorf("%s and %s count as one: %v", a, b, got)
		}
	}
	if l.KeyIP("ip", netip.Addr{}) == l.KeyIP("ip", netip.MustParseAddr("0.0.0.0")) {
		t.Error("an invalid address counts as a real one")
	}
	if l.Key("k", "ab", "c") == l.Key("k", "a", "bc") {
		t.Error("parts run into each other")
	}
}

func TestRow48AFloodOfAddressesNeitherGrowsTheHeapNorResetsATenant(t *testing.T) {
	l, _ := newLimiter(0)
	rate := limit.Rate{Quota: 10, Window: time.Hour}
	tenant := l.Key("tenant", "app", "ten_1")
	for range 10 {
		l.Take(tenant, rate)
	}
	before := heap()
	for i := range 1_200_000 {
		a := netip.AddrFrom4([4]byte{byte(i >> 24), byte(i >> 16), byte(i >> 8), byte(i)})
		l.Take(l.KeyIP("ip", a), rate)
	}
	grown := heap() - before
	if grown > 64<<20 {
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
	if l.Len() > limit.DefaultMaxKeys {
		t.Errorf("%d keys", l.Len())
	}
	if l.Take(tenant, rate).Allowed {
		t.Error("the flood reset the tenant's limit")
	}
	runtime.KeepAlive(l)
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestWhenFullNewKeysShareABucketPerNetworkUntilRoomIsSwept(t *testing.T) {
	l, c := newLimiter(64) // one key per shard
	rate := limit.Rate{Quota: 2, Window: time.Minute}
	for i := 0; l.Len() < 64; i++ {
		l.Take(l.Key("fill", fmt.Sprint(i)), rate)
	}
	a, b := l.KeyIP("ip", netip.MustParseAddr("192.0.2.1")), l.KeyIP("ip", netip.MustParseAddr("192.0.2.2"))
	far := l.KeyIP("ip", netip.MustParseAddr("198.51.100.1"))
	if d := l.Take(a, rate); !d.Allowed || !d.Shared {
		t.Fatalf("got %+v, want allowed from the shared bucket", d)
	}
	l.Take(b, rate)
	if d := l.Take(a, rate); d.Allowed {
		t.Error("two addresses of one /24 have two buckets")
	}
	if !l.Take(far, rate).Allowed {
		t.Error("another network is refused too")
	}
	c.advance(2 * time.Minute)
	if d := l.Take(a, rate); !d.Allowed || d.Shared {
		t.Errorf("after the keys' quotas are whole: %+v, want a bucket of its own", d)
	}
	c.advance(2 * time.Minute)
	l.Sweep()
	if l.Len() != 0 {
		t.Errorf("%d keys after a sweep, want 0", l.Len())
	}
}

func TestTakingAllocatesNothing(t *testing.T) {
	l, _ := newLimiter(0)
	ip := netip.MustParseAddr("2001:db8::1")
	rate := limit.Rate{Quota: 1 << 30, Window: time.Hour}
	n := testing.AllocsPerRun(100, func() {
		l.All(limit.Check{Name: "ip", Key: l.KeyIP("ip", ip, "run"), Rate: rate},
			limit.Check{Name: "tenant", Key: l.Key("tenant", "app", "ten_1"), Rate: rate})
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkTake(b *testing.B) {
	l := limit.New(limit.Options{})
	rate := limit.Rate{Quota: 1 << 30, Window: time.Hour}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		i := 0
		for pb.Next() {
			i++
			a := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
			l.Take(l.KeyIP("ip", a), rate)
		}
	})
}

func BenchmarkAllThree(b *testing.B) {
	l := limit.New(limit.Options{})
	rate := limit.Rate{Quota: 1 << 30, Window: time.Hour}
	ip := netip.MustParseAddr("192.0.2.1")
	b.ReportAllocs()
	for b.Loop() {
		l.All(limit.Check{Name: "ip", Key: l.KeyIP("ip", ip), Rate: rate},
			limit.Check{Name: "user", Key: l.Key("user", "app", "usr_1"), Rate: rate},
			limit.Check{Name: "tenant", Key: l.Key("tenant", "app", "ten_1"), Rate: rate})
	}
}
