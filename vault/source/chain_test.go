package source_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed/reveal"
	"github.com/haywardhq/hayward/vault/source"
)

func text(v *source.Value) string {
	if v == nil {
		return "<none>"
	}
	return string(reveal.Inside(v.Raw))
}

func set(t *testing.T, m *source.Memory, key, raw string) {
	t.Helper()
	must(t, m.Set(t.Context(), key, raw))
}

func TestTheFirstSourceThatHasAKeyAnswers(t *testing.T) {
	high, low := source.NewMemory(source.WithName("high")), source.NewMemory(source.WithName("low"))
	c := source.NewChain(high, low)
	defer c.Close()
	set(t, low, "a", "low a")
	set(t, low, "b", "low b")
	set(t, high, "b", "high b")
	for key, want := range map[string]string{"a": "low a of low", "b": "high b of high"} {
		v, err := c.Get(t.Context(), key)
		if err != nil || text(v)+" of "+v.Source != want {
			t.Errorf("%s: %q of %s, %v", key, text(v), v.Source, err)
		}
	}
	if _, err := c.Get(t.Context(), "c"); !errors.Is(err, source.ErrKeyNotFound) {
		t.Error(err)
	}
	all, err := c.List(t.Context(), "")
	if err != nil || len(all) != 2 || text(all[0])+text(all[1]) != "low ahigh b" {
		t.Errorf("%v, %v", all, err)
	}
	if c.Name() != "chain(high, low)" {
		t.Error(c.Name())
	}
}

func TestALowerPriorityNumberIsAskedEarlier(t *testing.T) {
	c := source.NewChain()
	for name, priority := range map[string]int{"ten": 10, "minus": -1, "five": 5} {
		c.AddSource(source.NewMemory(source.WithName(name)), priority)
	}
	c.AddSource(source.NewMemory(source.WithName("five again")), 5)
	c.AddSource(nil, 0)
	if got := c.Name(); got != "chain(minus, five, five again, ten)" {
		t.Error(got)
	}
	must(t, c.Close())
}

// TestASourceThatFailsHidesWhatStandsBehindIt: what is behind it must not answer in its place, unless that was said.
func TestASourceThatFailsHidesWhatStandsBehindIt(t *testing.T) {
	kinds := map[fault.Kind]bool{fault.Unavailable: true, fault.Timeout: true, fault.Limited: true, fault.Denied: false, fault.Internal: false, fault.Invalid: false}
	for kind, optional := range kinds {
		first := &flaky{Source: source.NewMemory(source.WithName("first"))}
		second := source.NewMemory(source.WithName("second"))
		set(t, second, "K", "old")
		first.fail(kind)
		_, err := source.NewChain(first, second).Get(t.Context(), "K")
		if !fault.Is(err, kind) || !strings.Contains(err.Error(), "first") {
			t.Errorf("%v: %v (%v)", kind, err, fault.KindOf(err))
		}
		v, err := source.NewChain(source.Optional(first), second).Get(t.Context(), "K")
		if optional != (err == nil) || optional && text(v) != "old" {
			t.Errorf("optional, %v: %q, %v", kind, text(v), err)
		}
		list, err := source.NewChain(source.Optional(first), second).List(t.Context(), "")
		if optional != (err == nil) || optional && len(list) != 1 {
			t.Errorf("optional list, %v: %v, %v", kind, list, err)
		}
	}
}

func TestAnOptionalSourceDoesNotHideThatTheCallerWentAway(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	slow := asking{Source: source.NewMemory(), get: func(context.Context, string) (*source.Value, error) {
		cancel()
		return nil, fault.New(fault.Timeout, "too slow")
	}}
	if _, err := source.Optional(slow).Get(ctx, "K"); !fault.Is(err, fault.Timeout) {
		t.Error(err)
	}
}

// asking is a source whose Get is a function.
type asking struct {
	source.Source
	get func(context.Context, string) (*source.Value, error)
}

func (a asking) Get(ctx context.Context, key string) (*source.Value, error) { return a.get(ctx, key) }

// TestJ2ChainTellsOnlyWhatGetReturns: a change in a source that another hides is not told.
func TestJ2ChainTellsOnlyWhatGetReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		high, low := source.NewMemory(source.WithName("high")), source.NewMemory(source.WithName("low"))
		c := source.NewChain(high, low)
		defer c.Close()
		set(t, high, "K", "high")
		var told []string
		must(t, c.Watch(t.Context(), "K", func(_ context.Context, _ string, v *source.Value) {
			got, err := c.Get(t.Context(), "K")
			if err != nil && !errors.Is(err, source.ErrKeyNotFound) || !source.Same(got, v) {
				t.Errorf("told %q while Get returns %q", text(v), text(got))
			}
			told = append(told, text(v))
		}))
		for _, step := range []func(){
			func() { set(t, low, "K", "low1") },
			func() { set(t, low, "K", "low2") },
			func() { must(t, high.Delete(t.Context(), "K")) },
			func() { set(t, low, "K", "low3") },
			func() { set(t, high, "K", "high again") },
			func() { must(t, low.Delete(t.Context(), "K")) },
			func() { must(t, high.Delete(t.Context(), "K")) },
		} {
			step()
			synctest.Wait()
		}
		if got := strings.Join(told, ","); got != "low2,low3,high again,<none>" {
			t.Error(got)
		}
	})
}

func TestAnOptionalSourceIsWatchedOnceItIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := source.NewMemory()
		f := &failingWatch{flaky{Source: m}}
		f.fail(fault.Unavailable)
		c := source.NewChain(source.Optional(f, source.WithPollInterval(time.Second)))
		defer c.Close()
		var told []string
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		must(t, c.Watch(ctx, "K", func(_ context.Context, _ string, v *source.Value) { told = append(told, text(v)) }))
		set(t, m, "K", "set while it was away")
		time.Sleep(3 * time.Second)
		if len(told) != 0 {
			t.Error(told)
		}
		f.mend()
		time.Sleep(2 * time.Second)
		set(t, m, "K", "two")
		synctest.Wait()
		if got := strings.Join(told, ","); got != "set while it was away,two" {
			t.Error(got)
		}
	})
}

// failingWatch fails in Watch, too.
type failingWatch struct{ flaky }

func (f *failingWatch) Watch(ctx context.Context, key string, fn source.WatchFunc) error {
	if err := f.broken.Load(); err != nil {
		return err
	}
	return f.Source.Watch(ctx, key, fn)
}

func TestAWatchIsSetUpWhole(t *testing.T) {
	m := source.NewMemory()
	f := &failingWatch{flaky{Source: source.NewMemory()}}
	c := source.NewChain(m, f)
	defer c.Close()
	set(t, m, "K", "x")
	f.fail(fault.Unavailable)
	if err := c.Watch(t.Context(), "K", func(context.Context, string, *source.Value) {}); !fault.Is(err, fault.Unavailable) {
		t.Error(err)
	}
}

func TestClosingAChainClosesAll(t *testing.T) {
	a, b := source.NewMemory(), &refusing{Source: source.NewMemory()}
	d := source.NewMemory()
	err := source.NewChain(a, b, d).Close()
	if err == nil || !strings.Contains(err.Error(), "memory") {
		t.Error(err)
	}
	for _, s := range []source.Source{a, d} {
		if _, err := s.Get(t.Context(), "K"); !fault.Is(err, fault.Unavailable) {
			t.Error(err)
		}
	}
}

type refusing struct{ source.Source }

func (refusing) Close() error { return errors.New("no") }
