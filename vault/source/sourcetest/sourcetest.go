package sourcetest

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed/reveal"
	"github.com/haywardhq/hayward/vault/source"
)

// Harness is how the suite gets at a source.
type Harness struct {
	// Open returns a fresh, empty source that looks for changes at least every 20 ms; the suite closes it.
	Open func(t *testing.T) Subject
	// Key makes a key of this source from a plain word; nil: the word itself.
	Key func(word string) string
	// Unlisted says that List gives nothing; Constant that nothing changes, so that Watch never calls.
	Unlisted, Constant bool
	// Watches is how many watches the suite makes to see what becomes of many; the source must allow as many, and an end to
	// them. Default 100.
	Watches int
	// Answers is how long a change may take to be told; default 5 s.
	Answers time.Duration
}

// Subject is a source and the hands that change what it has.
type Subject struct {
	source.Source
	Set    func(t *testing.T, key, raw string)
	Delete func(t *testing.T, key string)
	// Break has the source fail until mended; nil: it cannot.
	Break func(t *testing.T) (mend func())
}

// Run runs the whole suite.
func Run(t *testing.T, h Harness) {
	if h.Key == nil {
		h.Key = func(w string) string { return w }
	}
	if h.Watches == 0 {
		h.Watches = 100
	}
	if h.Answers == 0 {
		h.Answers = 5 * time.Second
	}
	for _, tc := range []struct {
		name  string
		watch bool
		test  func(*testing.T, Harness)
	}{
		{"what is set is found, sealed and named", false, testGet},
		{"what is not there is ErrKeyNotFound", false, testMissing},
		{"a list has the keys with a prefix, in order", false, testList},
		{"bad and hostile keys find nothing", false, testHostileKeys},
		{"a caller who went away is not answered", false, testCanceled},
		{"a source that fails is not a missing key", false, testBroken},
		{"values are copies", false, testCopies},
		{"a closed source says so", false, testClosed},
		{"readers and a writer at the same time", false, testConcurrency},
		{"a watch tells set, change, delete and set again", true, testWatch},
		{"j2: a watch whose context ends leaves the others alone", true, testWatchCancel},
		{"j2: dead watches cost nothing and tell nothing", true, testDeadWatches},
		{"j2: closing inside a callback", true, testCloseInCallback},
		{"j2: a panic in a callback stays there", true, testPanic},
		{"watches are bounded and checked", true, testWatchLimits},
	} {
		if tc.watch && h.Constant {
			continue
		}
		t.Run(tc.name, func(t *testing.T) { tc.test(t, h) })
	}
	if h.Constant {
		t.Run("a source that cannot change takes a watch", func(t *testing.T) { testConstant(t, h) })
	}
}

func open(t *testing.T, h Harness) Subject {
	t.Helper()
	s := h.Open(t)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func raw(v *source.Value) string {
	if v == nil {
		return "<none>"
	}
	return string(reveal.Inside(v.Raw))
}

// get waits until the source answers want: some are told of a change a little later.
func get(t *testing.T, h Harness, s Subject, key, want string) *source.Value {
	t.Helper()
	for deadline := time.Now().Add(h.Answers); ; time.Sleep(5 * time.Millisecond) {
		v, err := s.Get(t.Context(), key)
		if err == nil && raw(v) == want {
			return v
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %q, %v; want %q", key, raw(v), err, want)
		}
	}
}

func testGet(t *testing.T, h Harness) {
	s := open(t, h)
	key := h.Key("OPENAI_API_KEY")
	s.Set(t, key, "sk-canary-first")
	v := get(t, h, s, key, "sk-canary-first")
	if v.Key != key || v.Source == "" || v.Source != s.Name() {
		t.Errorf("key %q, source %q of %q", v.Key, v.Source, s.Name())
	}
	if text := fmt.Sprintf("%v %+v %#v %s", v, v, *v, v.Raw); strings.Contains(text, "canary") {
		t.Errorf("a value prints: %s", text)
	}
	for _, want := range []string{"sk-second", "with spaces, \"quotes\" and ünïcode", strings.Repeat("x", 5000)} {
		s.Set(t, key, want)
		get(t, h, s, key, want)
	}
}

func missing(t *testing.T, v *source.Value, err error) {
	t.Helper()
	if v != nil || !errors.Is(err, source.ErrKeyNotFound) || !fault.Is(err, fault.NotFound) {
		t.Errorf("%v, %v (%v)", v, err, fault.KindOf(err))
	}
}

func testMissing(t *testing.T, h Harness) {
	s := open(t, h)
	v, err := s.Get(t.Context(), h.Key("NOPE"))
	missing(t, v, err)
	key := h.Key("GONE")
	s.Set(t, key, "x")
	get(t, h, s, key, "x")
	s.Delete(t, key)
	for deadline := time.Now().Add(h.Answers); ; time.Sleep(5 * time.Millisecond) {
		if v, err = s.Get(t.Context(), key); err != nil || time.Now().After(deadline) {
			break
		}
	}
	missing(t, v, err)
	s.Set(t, key, "again")
	get(t, h, s, key, "again")
}

func testList(t *testing.T, h Harness) {
	s := open(t, h)
	words := []string{"LIST_A", "LIST_B", "LIST_C", "OTHER"}
	for _, w := range words {
		s.Set(t, h.Key(w), "value of "+w)
		get(t, h, s, h.Key(w), "value of "+w)
	}
	all, err := s.List(t.Context(), h.Key("LIST_"))
	if h.Unlisted {
		if err != nil || len(all) != 0 {
			t.Errorf("%v, %v", all, err)
		}
		return
	}
	var keys []string
	for _, v := range all {
		keys = append(keys, v.Key)
		if word := words[len(keys)-1]; raw(v) != "value of "+word || v.Source != s.Name() {
			t.Errorf("%s: %q of %s", v.Key, raw(v), v.Source)
		}
	}
	if want := []string{h.Key("LIST_A"), h.Key("LIST_B"), h.Key("LIST_C")}; err != nil || !slices.Equal(keys, want) {
		t.Errorf("%v, %v; want %v", keys, err, want)
	}
	if all, err := s.List(t.Context(), h.Key("NOBODY")); err != nil || len(all) != 0 {
		t.Errorf("%v, %v", all, err)
	}
}

// Hostile are keys that no source may find anything under.
var Hostile = []string{"", "..", ".", "../etc/passwd", "../../etc/passwd", "/etc/passwd", "a/../../b", "a/../b", "./a", "a//b", "a/", "/", `..\..\b`,
	"%2e%2e/%2e%2e/x", "a\x00b", "a\nb", "a\r\nHost: evil", strings.Repeat("k", 5000), "a?version=1", "a#", "#a", "a;b", "..data/x", ".hidden"}

func testHostileKeys(t *testing.T, h Harness) {
	s := open(t, h)
	s.Set(t, h.Key("K"), "canary")
	get(t, h, s, h.Key("K"), "canary")
	for _, key := range Hostile {
		v, err := s.Get(t.Context(), key)
		if v != nil || !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Invalid) {
			t.Errorf("%.40q: %v, %v", key, v, err)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\n\r\x00") {
			t.Errorf("%.40q forges a line: %q", key, err)
		}
	}
}

func testCanceled(t *testing.T, h Harness) {
	s := open(t, h)
	c, cancel := withCancel(t)
	cancel()
	_, err := s.Get(c, h.Key("K"))
	if !fault.Is(err, fault.Canceled) {
		t.Errorf("%v (%v)", err, fault.KindOf(err))
	}
	if _, err = s.List(c, ""); !fault.Is(err, fault.Canceled) {
		t.Errorf("list: %v (%v)", err, fault.KindOf(err))
	}
}

func testBroken(t *testing.T, h Harness) {
	s := open(t, h)
	if s.Break == nil {
		return
	}
	key := h.Key("K")
	s.Set(t, key, "x")
	get(t, h, s, key, "x")
	mend := s.Break(t)
	v, err := s.Get(t.Context(), key)
	if v != nil || err == nil || errors.Is(err, source.ErrKeyNotFound) || fault.Is(err, fault.NotFound) {
		t.Errorf("%v, %v", raw(v), err)
	}
	mend()
	get(t, h, s, key, "x")
}

func testCopies(t *testing.T, h Harness) {
	s := open(t, h)
	key := h.Key("K")
	s.Set(t, key, "x")
	v := get(t, h, s, key, "x")
	v.Key, v.Source, v.Version = "changed", "changed", -1
	if v.Metadata != nil {
		v.Metadata["changed"] = "yes"
	}
	again := get(t, h, s, key, "x")
	if again.Key != key || again.Source != s.Name() || again.Version == -1 || again.Metadata["changed"] != "" {
		t.Errorf("%+v", again)
	}
}

func testClosed(t *testing.T, h Harness) {
	s := open(t, h)
	key := h.Key("K")
	s.Set(t, key, "x")
	get(t, h, s, key, "x")
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	if v, err := s.Get(t.Context(), key); v != nil || !fault.Is(err, fault.Unavailable) {
		t.Errorf("%v, %v", v, err)
	}
	if _, err := s.List(t.Context(), ""); !fault.Is(err, fault.Unavailable) {
		t.Errorf("list: %v", err)
	}
	if err := s.Watch(t.Context(), key, func(ctx, string, *source.Value) {}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("watch: %v", err)
	}
}

func testConcurrency(t *testing.T, h Harness) {
	s := open(t, h)
	key := h.Key("K")
	s.Set(t, key, "0")
	get(t, h, s, key, "0")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 25 {
				if v, err := s.Get(t.Context(), key); err != nil || !bytes.ContainsAny(reveal.Inside(v.Raw), "0123456789") {
					t.Errorf("%v, %v", raw(v), err)
					return
				}
			}
		})
	}
	if !h.Constant {
		for i := range 10 {
			s.Set(t, key, fmt.Sprint(i))
		}
	}
	wg.Wait()
}

// told collects what a watch tells.
type told struct {
	ch chan string
	h  Harness
}

func watch(t *testing.T, h Harness, s Subject, c ctx, key string) told {
	t.Helper()
	w := told{make(chan string, 1000), h}
	if err := s.Watch(c, key, func(_ ctx, k string, v *source.Value) {
		if k != key || v != nil && v.Key != key {
			w.ch <- fmt.Sprintf("of the key %q", k)
			return
		}
		w.ch <- raw(v)
	}); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w told) want(t *testing.T, want string) {
	t.Helper()
	select {
	case got := <-w.ch:
		if got != want {
			t.Fatalf("told %q, want %q", got, want)
		}
	case <-time.After(w.h.Answers):
		t.Fatalf("%q was not told", want)
	}
}

func (w told) nothing(t *testing.T) {
	t.Helper()
	select {
	case got := <-w.ch:
		t.Fatalf("told %q, want nothing", got)
	case <-time.After(60 * time.Millisecond):
	}
}

func testWatch(t *testing.T, h Harness) {
	s := open(t, h)
	key, other := h.Key("K"), h.Key("OTHER")
	w := watch(t, h, s, t.Context(), key)
	s.Set(t, key, "one")
	w.want(t, "one")
	s.Set(t, other, "nobody watches this")
	s.Set(t, key, "two")
	w.want(t, "two")
	s.Delete(t, key)
	w.want(t, "<none>")
	s.Set(t, key, "two")
	w.want(t, "two")
	w.nothing(t)
	later := watch(t, h, s, t.Context(), key)
	later.nothing(t) // what there is when it begins is not told
	s.Set(t, key, "three")
	later.want(t, "three")
	w.want(t, "three")
}

func testWatchCancel(t *testing.T, h Harness) {
	s := open(t, h)
	key := h.Key("K")
	c, cancel := withCancel(t)
	a := watch(t, h, s, c, key)
	b := watch(t, h, s, t.Context(), key)
	s.Set(t, key, "one")
	a.want(t, "one")
	b.want(t, "one")
	cancel()
	s.Set(t, key, "two")
	b.want(t, "two")
	s.Set(t, key, "three")
	b.want(t, "three")
	a.nothing(t)
}

// running counts the goroutines of watches.
func running() int {
	stacks := make([]byte, 8<<20)
	return strings.Count(string(stacks[:runtime.Stack(stacks, true)]), "source.(*watcher).run(")
}

func testDeadWatches(t *testing.T, h Harness) {
	s := open(t, h)
	key := h.Key("K")
	c, cancel := withCancel(t)
	var mu sync.Mutex
	calls := 0
	for range h.Watches {
		if err := s.Watch(c, key, func(ctx, string, *source.Value) { mu.Lock(); calls++; mu.Unlock() }); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	for deadline := time.Now().Add(h.Answers); running() > 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d watches still run", running())
		}
	}
	live := watch(t, h, s, t.Context(), key)
	s.Set(t, key, "one")
	live.want(t, "one")
	mu.Lock()
	defer mu.Unlock()
	if calls != 0 {
		t.Errorf("dead watches were told %d times", calls)
	}
}

func testCloseInCallback(t *testing.T, h Harness) {
	s := open(t, h)
	key := h.Key("K")
	done := make(chan error, 1)
	if err := s.Watch(t.Context(), key, func(ctx, string, *source.Value) { done <- s.Close() }); err != nil {
		t.Fatal(err)
	}
	s.Set(t, key, "one")
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(h.Answers):
		t.Fatal("closing inside a callback hangs, or nothing was told")
	}
}

func testPanic(t *testing.T, h Harness) {
	s := open(t, h)
	key := h.Key("K")
	calls := make(chan string, 10)
	if err := s.Watch(t.Context(), key, func(_ ctx, _ string, v *source.Value) { calls <- raw(v); panic("boom") }); err != nil {
		t.Fatal(err)
	}
	w := told{calls, h}
	s.Set(t, key, "one")
	w.want(t, "one")
	s.Set(t, key, "two")
	w.want(t, "two")
}

func testWatchLimits(t *testing.T, h Harness) {
	s := open(t, h)
	if err := s.Watch(t.Context(), h.Key("K"), nil); !fault.Is(err, fault.Invalid) {
		t.Errorf("no function: %v", err)
	}
	if err := s.Watch(t.Context(), "", func(ctx, string, *source.Value) {}); !fault.Is(err, fault.Invalid) {
		t.Errorf("no key: %v", err)
	}
	c, cancel := withCancel(t)
	defer cancel()
	for n := 0; ; n++ {
		err := s.Watch(c, h.Key("K"), func(ctx, string, *source.Value) {})
		if fault.Is(err, fault.Limited) && n >= h.Watches {
			return
		}
		if err != nil || n > 20_000 {
			t.Fatalf("after %d watches: %v", n, err)
		}
	}
}

func testConstant(t *testing.T, h Harness) {
	s := open(t, h)
	w := watch(t, h, s, t.Context(), h.Key("K"))
	s.Set(t, h.Key("K"), "x")
	w.nothing(t)
}
