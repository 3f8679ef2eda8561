package source_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/source"
)

func cacheOver(o source.CacheOptions) (*source.Cache, *flaky, *source.Memory) {
	m := source.NewMemory()
	f := &flaky{Source: m}
	return source.NewCache(f, o), f, m
}

func expect(t *testing.T, s source.Source, key, want string) {
	t.Helper()
	v, err := s.Get(t.Context(), key)
	switch {
	case want == "<none>" && (v != nil || !errors.Is(err, source.ErrKeyNotFound)):
		t.Errorf("%s: %q, %v", key, text(v), err)
	case want != "<none>" && (err != nil || text(v) != want):
		t.Errorf("%s: %q, %v; want %q", key, text(v), err, want)
	}
}

func TestACacheServesWithinItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, f, m := cacheOver(source.CacheOptions{TTL: time.Minute, NegativeTTL: 5 * time.Second})
		set(t, m, "K", "one")
		expect(t, c, "K", "one")
		expect(t, c, "NO", "<none>")
		set(t, m, "K", "two")
		set(t, m, "NO", "there now")
		time.Sleep(4 * time.Second)
		expect(t, c, "K", "one")
		expect(t, c, "NO", "<none>")
		if n := f.asked.Load(); n != 2 {
			t.Errorf("asked %d times", n)
		}
		time.Sleep(2 * time.Second)
		expect(t, c, "NO", "there now")
		time.Sleep(time.Minute)
		expect(t, c, "K", "two")
		c.Forget("K")
		expect(t, c, "K", "two")
		if s := c.Stats(); s.Hits != 2 || s.Misses != 5 || s.Entries != 2 {
			t.Errorf("%+v", s)
		}
	})
}

func TestACacheNeverServesPastAValuesOwnExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, f, m := cacheOver(source.CacheOptions{TTL: time.Hour, StaleIfError: time.Hour})
		at := time.Now().Add(10 * time.Second)
		must(t, m.SetValue(t.Context(), source.Value{Key: "K", Raw: sealed.NewString("x"), ExpiresAt: &at}))
		expect(t, c, "K", "x")
		time.Sleep(10 * time.Second)
		f.fail(fault.Unavailable)
		if v, err := c.Get(t.Context(), "K"); v != nil || !fault.Is(err, fault.Unavailable) {
			t.Errorf("%v, %v", v, err)
		}
		f.mend()
		expect(t, c, "K", "<none>")
	})
}

func TestAStaleValueStandsInOnlyIfAsked(t *testing.T) {
	for kind, standsIn := range map[fault.Kind]bool{fault.Unavailable: true, fault.Timeout: true, fault.Limited: true, fault.Internal: true,
		fault.Denied: false, fault.NotFound: false, fault.Invalid: false} {
		for _, stale := range []time.Duration{0, time.Minute} {
			synctest.Test(t, func(t *testing.T) {
				c, f, m := cacheOver(source.CacheOptions{TTL: time.Second, StaleIfError: stale})
				set(t, m, "K", "x")
				expect(t, c, "K", "x")
				time.Sleep(2 * time.Second)
				f.fail(kind)
				v, err := c.Get(t.Context(), "K")
				if want := standsIn && stale > 0; want != (err == nil) || want && text(v) != "x" {
					t.Errorf("%v, stale %v: %q, %v", kind, stale, text(v), err)
				}
				time.Sleep(2 * time.Minute)
				if _, err := c.Get(t.Context(), "K"); err == nil {
					t.Errorf("%v: served long after", kind)
				}
				if n := c.Stats().Entries; n != 0 {
					t.Errorf("%v: %d entries are kept for nothing", kind, n)
				}
			})
		}
	}
}

func TestACacheKeepsItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := source.CacheOptions{MaxEntries: rapid.IntRange(1, 8).Draw(t, "entries"), MaxBytes: rapid.IntRange(300, 3000).Draw(t, "bytes"), MaxValueBytes: 1500}
		c, _, m := cacheOver(o)
		for range rapid.IntRange(1, 60).Draw(t, "calls") {
			key := rapid.StringMatching(`[a-p]`).Draw(t, "key")
			if rapid.Bool().Draw(t, "set") {
				want := strings.Repeat("x", rapid.IntRange(0, 1600).Draw(t, "size"))
				if err := m.Set(context.Background(), key, want); err != nil {
					t.Fatal(err)
				}
				c.Forget(key)
				if v, err := c.Get(context.Background(), key); err != nil || text(v) != want {
					t.Fatalf("%q, %v", text(v), err)
				}
			} else if _, err := c.Get(context.Background(), key); err != nil && !errors.Is(err, source.ErrKeyNotFound) {
				t.Fatal(err)
			}
			if s := c.Stats(); s.Entries > o.MaxEntries || s.Bytes > o.MaxBytes || s.Bytes < 0 {
				t.Fatalf("%+v in %+v", s, o)
			}
		}
	})
}

func TestWhatIsUsedStays(t *testing.T) {
	c, f, m := cacheOver(source.CacheOptions{MaxEntries: 10})
	for i := range 100 {
		set(t, m, fmt.Sprint(i), "x")
	}
	expect(t, c, "0", "x")
	for i := 1; i < 100; i++ {
		expect(t, c, fmt.Sprint(i), "x")
		expect(t, c, "0", "x")
	}
	if n := f.asked.Load(); n != 100 {
		t.Errorf("asked %d times, want 100", n)
	}
}

func TestManyCallersAskOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := source.NewMemory()
		set(t, m, "K", "x")
		release, asked := make(chan struct{}), 0
		slow := asking{Source: m, get: func(ctx context.Context, key string) (*source.Value, error) {
			asked++
			select {
			case <-release:
			case <-ctx.Done():
				return nil, fault.Wrap(fault.Canceled, ctx.Err(), "nobody waits")
			}
			return m.Get(ctx, key)
		}}
		c := source.NewCache(slow, source.CacheOptions{})
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() { expect(t, c, "K", "x") })
		}
		// One who goes away does not take the answer from the others.
		ctx, cancel := context.WithCancel(t.Context())
		wg.Go(func() {
			if _, err := c.Get(ctx, "K"); !fault.Is(err, fault.Canceled) {
				t.Error(err)
			}
		})
		synctest.Wait()
		cancel()
		synctest.Wait()
		close(release)
		wg.Wait()
		if asked != 1 {
			t.Errorf("asked %d times", asked)
		}
	})
}

func TestAQuestionNobodyWaitsForEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := false
		c := source.NewCache(asking{Source: source.NewMemory(), get: func(ctx context.Context, _ string) (*source.Value, error) {
			<-ctx.Done()
			ended = true
			return nil, ctx.Err()
		}}, source.CacheOptions{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.Get(ctx, "K"); !fault.Is(err, fault.Timeout) {
			t.Error(err)
		}
		synctest.Wait()
		if !ended {
			t.Error("it goes on")
		}
	})
}

func TestAChangeDropsWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := source.NewMemory()
		set(t, m, "K", "old")
		release := make(chan struct{})
		c := source.NewCache(asking{Source: m, get: func(ctx context.Context, key string) (*source.Value, error) {
			v, err := m.Get(ctx, key)
			<-release
			return v, err
		}}, source.CacheOptions{})
		done := make(chan struct{})
		go func() { defer close(done); _, _ = c.Get(t.Context(), "K") }()
		synctest.Wait()
		set(t, m, "K", "new")
		c.Forget("K")
		close(release)
		<-done
		expect(t, c, "K", "new")
	})
}

func TestAWatchedKeyIsNeverServedOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _, m := cacheOver(source.CacheOptions{TTL: time.Hour})
		defer c.Close()
		set(t, m, "K", "one")
		expect(t, c, "K", "one")
		must(t, c.Watch(t.Context(), "K", func(_ context.Context, _ string, v *source.Value) { expect(t, c, "K", text(v)) }))
		for _, raw := range []string{"two", "three"} {
			set(t, m, "K", raw)
			synctest.Wait()
			expect(t, c, "K", raw)
		}
	})
}

func TestASourceThatPanicsIsAnError(t *testing.T) {
	c := source.NewCache(asking{Source: source.NewMemory(), get: func(context.Context, string) (*source.Value, error) { panic("boom") }}, source.CacheOptions{})
	if _, err := c.Get(t.Context(), "K"); !fault.Is(err, fault.Internal) {
		t.Error(err)
	}
}

func TestABreakerOpensAndCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := source.NewMemory()
		f := &flaky{Source: m}
		b := source.NewBreaker(f, source.BreakerOptions{Failures: 3, OpenFor: 10 * time.Second})
		set(t, m, "K", "x")
		state := func(want string, asked int64) {
			t.Helper()
			if got := b.State(); got != want || f.asked.Load() != asked {
				t.Errorf("%s after %d calls, want %s after %d", got, f.asked.Load(), want, asked)
			}
		}
		for _, kind := range []fault.Kind{fault.NotFound, fault.Denied, fault.Invalid, fault.Canceled} { // answers, all of them
			f.fail(kind)
			_, _ = b.Get(t.Context(), "K")
		}
		state("closed", 4)
		f.fail(fault.Unavailable)
		_, _ = b.Get(t.Context(), "K")
		_, _ = b.Get(t.Context(), "K")
		f.mend()
		expect(t, b, "K", "x") // in a row means in a row
		f.fail(fault.Timeout)
		for range 3 {
			_, _ = b.Get(t.Context(), "K")
		}
		state("open", 10)
		for _, err := range []error{second(b.Get(t.Context(), "K")), second(b.List(t.Context(), ""))} {
			if !fault.Is(err, fault.Unavailable) || fault.From(err).Code != "CircuitOpen" {
				t.Error(err)
			}
		}
		state("open", 10)
		time.Sleep(10 * time.Second)
		state("half-open", 10)
		_, _ = b.Get(t.Context(), "K") // one try, which fails
		state("open", 11)
		time.Sleep(10 * time.Second)
		f.mend()
		expect(t, b, "K", "x")
		state("closed", 12)
	})
}

func second[T any](_ T, err error) error { return err }

func TestOneCallTriesAHalfOpenCircuit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release, asked := make(chan struct{}), 0
		failing := true
		b := source.NewBreaker(asking{Source: source.NewMemory(), get: func(context.Context, string) (*source.Value, error) {
			asked++
			if failing {
				return nil, fault.New(fault.Unavailable, "on purpose")
			}
			<-release
			return &source.Value{Key: "K", Raw: sealed.NewString("x")}, nil
		}}, source.BreakerOptions{Failures: 1, OpenFor: time.Second})
		_, _ = b.Get(t.Context(), "K")
		failing = false
		time.Sleep(time.Second)
		go func() { expect(t, b, "K", "x") }()
		synctest.Wait()
		for range 5 {
			if _, err := b.Get(t.Context(), "K"); fault.From(err).Code != "CircuitOpen" {
				t.Error(err)
			}
		}
		close(release)
		synctest.Wait()
		expect(t, b, "K", "x")
		if asked != 3 {
			t.Errorf("asked %d times", asked)
		}
	})
}

// BenchmarkCacheHit: what a secret costs that is kept.
func BenchmarkCacheHit(b *testing.B) {
	m := source.NewMemory()
	_ = m.Set(b.Context(), "K", "sk-0123456789")
	c := source.NewCache(m, source.CacheOptions{})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := c.Get(context.Background(), "K"); err != nil {
				b.Fatal(err)
			}
		}
	})
}
