package source_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/config"
	"github.com/haywardhq/hayward/vault/crypto"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/secret"
	"github.com/haywardhq/hayward/vault/source"
	"github.com/haywardhq/hayward/vault/source/sourcetest"
	"github.com/haywardhq/hayward/vault/store/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const quick = 10 * time.Millisecond

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// flaky is a source that fails on demand and counts how often it is asked.
type flaky struct {
	source.Source
	broken atomic.Pointer[fault.Error]
	asked  atomic.Int64
}

func (f *flaky) Get(ctx context.Context, key string) (*source.Value, error) {
	f.asked.Add(1)
	if err := f.broken.Load(); err != nil {
		return nil, err
	}
	return f.Source.Get(ctx, key)
}

func (f *flaky) List(ctx context.Context, prefix string) ([]*source.Value, error) {
	if err := f.broken.Load(); err != nil {
		return nil, err
	}
	return f.Source.List(ctx, prefix)
}

func (f *flaky) fail(kind fault.Kind) { f.broken.Store(fault.New(kind, "on purpose")) }
func (f *flaky) mend()                { f.broken.Store(nil) }

func (f *flaky) breaker(*testing.T) func() {
	f.fail(fault.Unavailable)
	return f.mend
}

func hands(m *source.Memory, src source.Source) sourcetest.Subject {
	return sourcetest.Subject{Source: src,
		Set:    func(t *testing.T, key, raw string) { t.Helper(); must(t, m.Set(context.Background(), key, raw)) },
		Delete: func(t *testing.T, key string) { t.Helper(); must(t, m.Delete(context.Background(), key)) }}
}

// over is a harness for something that stands before a memory source.
func over(wrap func(t *testing.T, src source.Source) source.Source) sourcetest.Harness {
	return sourcetest.Harness{Open: func(t *testing.T) sourcetest.Subject {
		m := source.NewMemory()
		f := &flaky{Source: m}
		s := hands(m, wrap(t, f))
		s.Break = f.breaker
		return s
	}}
}

func TestMemory(t *testing.T) {
	sourcetest.Run(t, sourcetest.Harness{Open: func(t *testing.T) sourcetest.Subject {
		m := source.NewMemory(source.WithName("the program's own"))
		return hands(m, m)
	}})
}

func TestChainSuite(t *testing.T) {
	sourcetest.Run(t, sourcetest.Harness{Open: func(t *testing.T) sourcetest.Subject {
		m := source.NewMemory()
		f := &flaky{Source: m}
		s := hands(m, named{source.NewChain(source.NewMemory(source.WithName("empty")), f), "memory"})
		s.Break = f.breaker
		return s
	}})
}

// named is a chain under the name of the one source that has something.
type named struct {
	source.Source
	name string
}

func (n named) Name() string { return n.name }

func TestCacheSuite(t *testing.T) {
	sourcetest.Run(t, over(func(_ *testing.T, src source.Source) source.Source {
		return source.NewCache(src, source.CacheOptions{TTL: time.Microsecond, NegativeTTL: time.Microsecond})
	}))
}

func TestBreakerSuite(t *testing.T) {
	sourcetest.Run(t, over(func(_ *testing.T, src source.Source) source.Source {
		return source.NewBreaker(src, source.BreakerOptions{OpenFor: quick})
	}))
}

func TestOptionalSuite(t *testing.T) {
	h := over(func(_ *testing.T, src source.Source) source.Source { return source.Optional(src) })
	open := h.Open
	// A source that fails or is closed is left out: that is what Optional is for, and not what the suite asks.
	h.Open = func(t *testing.T) sourcetest.Subject {
		s := open(t)
		s.Break, s.Source = nil, closing{Source: s.Source, gone: new(atomic.Bool)}
		return s
	}
	sourcetest.Run(t, h)
}

// closing says itself that it is closed.
type closing struct {
	source.Source
	gone *atomic.Bool
}

func (c closing) err() error {
	if c.gone.Load() {
		return fault.New(fault.Unavailable, "closed")
	}
	return nil
}

func (c closing) Get(ctx context.Context, key string) (*source.Value, error) {
	if err := c.err(); err != nil {
		return nil, err
	}
	return c.Source.Get(ctx, key)
}

func (c closing) List(ctx context.Context, prefix string) ([]*source.Value, error) {
	if err := c.err(); err != nil {
		return nil, err
	}
	return c.Source.List(ctx, prefix)
}

func (c closing) Watch(ctx context.Context, key string, fn source.WatchFunc) error {
	if err := c.err(); err != nil {
		return err
	}
	return c.Source.Watch(ctx, key, fn)
}

func (c closing) Close() error {
	c.gone.Store(true)
	return c.Source.Close()
}

func TestTenantSuite(t *testing.T) {
	sourcetest.Run(t, sourcetest.Harness{Open: func(t *testing.T) sourcetest.Subject {
		m := source.NewMemory()
		part, err := source.ForTenant(m, "kv/{app}/{tenant}/{name}", "default", "acme")
		must(t, err)
		s := hands(m, closesBoth{part, m})
		set, del := s.Set, s.Delete
		s.Set = func(t *testing.T, name, raw string) { t.Helper(); set(t, "kv/default/acme/"+name, raw) }
		s.Delete = func(t *testing.T, name string) { t.Helper(); del(t, "kv/default/acme/"+name) }
		return s
	}})
}

type closesBoth struct {
	source.Source
	under source.Source
}

func (c closesBoth) Close() error { return c.under.Close() }

func TestEnvSuite(t *testing.T) {
	sourcetest.Run(t, sourcetest.Harness{Unlisted: true, Constant: true, Open: func(t *testing.T) sourcetest.Subject {
		return sourcetest.Subject{Source: source.NewEnv("test"),
			Set:    func(t *testing.T, key, raw string) { t.Helper(); t.Setenv("TEST_"+key, raw) },
			Delete: func(t *testing.T, key string) { t.Helper(); must(t, os.Unsetenv("TEST_"+key)) }}
	}})
}

func write(t *testing.T, path, raw string) {
	t.Helper()
	tmp := path + "." + strings.Repeat("t", 3)
	must(t, os.WriteFile(tmp, []byte(raw), 0o600))
	must(t, os.Rename(tmp, path))
}

func TestFileSuite(t *testing.T) {
	sourcetest.Run(t, sourcetest.Harness{Open: func(t *testing.T) sourcetest.Subject {
		dir := t.TempDir()
		src, err := source.NewFile(dir, source.WithPollInterval(quick))
		must(t, err)
		s := sourcetest.Subject{Source: src,
			Set:    func(t *testing.T, key, raw string) { t.Helper(); write(t, filepath.Join(dir, key), raw) },
			Delete: func(t *testing.T, key string) { t.Helper(); must(t, os.Remove(filepath.Join(dir, key))) }}
		s.Break = func(t *testing.T) func() {
			must(t, os.Rename(dir, dir+".away"))
			return func() { must(t, os.Rename(dir+".away", dir)) }
		}
		return s
	}})
}

// TestFileSuiteOnAKubernetesMount runs the suite where every change exchanges all files together, as the kubelet does.
func TestFileSuiteOnAKubernetesMount(t *testing.T) {
	sourcetest.Run(t, sourcetest.Harness{Open: func(t *testing.T) sourcetest.Subject {
		m := newMount(t)
		src, err := source.NewFile(m.dir, source.WithPollInterval(quick))
		must(t, err)
		return sourcetest.Subject{Source: src,
			Set:    func(t *testing.T, key, raw string) { t.Helper(); m.files[key] = raw; m.publish(t) },
			Delete: func(t *testing.T, key string) { t.Helper(); delete(m.files, key); m.publish(t) }}
	}})
}

// mount is a volume as the kubelet writes one: KEY -> ..data/KEY, ..data -> ..<time>, exchanged by a rename.
type mount struct {
	dir   string
	n     int
	files map[string]string
}

func newMount(t *testing.T) *mount {
	m := &mount{dir: t.TempDir(), files: map[string]string{}}
	m.publish(t)
	return m
}

func (m *mount) publish(t *testing.T) {
	t.Helper()
	m.n++
	name := "..2026_11_22_" + strings.Repeat("9", m.n)
	must(t, os.Mkdir(filepath.Join(m.dir, name), 0o700))
	for key, raw := range m.files {
		must(t, os.WriteFile(filepath.Join(m.dir, name, key), []byte(raw), 0o600))
	}
	old, _ := os.Readlink(filepath.Join(m.dir, "..data"))
	must(t, os.Symlink(name, filepath.Join(m.dir, "..data_tmp")))
	must(t, os.Rename(filepath.Join(m.dir, "..data_tmp"), filepath.Join(m.dir, "..data")))
	for key := range m.files {
		if err := os.Symlink("..data/"+key, filepath.Join(m.dir, key)); err != nil && !errors.Is(err, fs.ErrExist) {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(m.dir)
	must(t, err)
	for _, e := range entries {
		if _, keep := m.files[e.Name()]; !keep && e.Name()[0] != '.' {
			must(t, os.Remove(filepath.Join(m.dir, e.Name())))
		}
	}
	if old != "" {
		must(t, os.RemoveAll(filepath.Join(m.dir, old)))
	}
}

func TestDatabaseSuite(t *testing.T) {
	t.Run("a store that tells", func(t *testing.T) {
		sourcetest.Run(t, database(func(st *memory.Store) config.Store { return st }))
	})
	t.Run("a store that does not", func(t *testing.T) {
		sourcetest.Run(t, database(func(st *memory.Store) config.Store { return mute{st} }))
	})
}

// mute is a config store that does not tell of changes.
type mute struct{ config.Store }

func database(as func(*memory.Store) config.Store) sourcetest.Harness {
	return sourcetest.Harness{Open: func(t *testing.T) sourcetest.Subject {
		st := memory.New()
		return sourcetest.Subject{Source: source.NewDatabase(as(st), "myapp", source.WithPollInterval(quick)),
			Set: func(t *testing.T, key, raw string) {
				t.Helper()
				must(t, st.SetConfig(context.Background(), &config.Entry{Key: key, Value: raw, AppID: "myapp"}))
			},
			Delete: func(t *testing.T, key string) {
				t.Helper()
				must(t, st.DeleteConfig(context.Background(), key, "myapp"))
			}}
	}}
}

func secrets(t *testing.T) *secret.Service {
	t.Helper()
	return secretsIn(t, memory.New())
}

func secretsIn(t *testing.T, st *memory.Store) *secret.Service {
	t.Helper()
	enc, err := crypto.NewEncryptor([]byte("0123456789abcdef0123456789abcdef"))
	must(t, err)
	return secret.NewService(st, enc)
}

func TestSecretsSuite(t *testing.T) {
	t.Run("polled", func(t *testing.T) {
		sourcetest.Run(t, secretSource(func(*memory.Store) source.Option { return source.WithPollInterval(2 * quick) }))
	})
	t.Run("told", func(t *testing.T) {
		sourcetest.Run(t, secretSource(func(st *memory.Store) source.Option { return source.WithChanges(st) }))
	})
}

func secretSource(how func(*memory.Store) source.Option) sourcetest.Harness {
	return sourcetest.Harness{Open: func(t *testing.T) sourcetest.Subject {
		st := memory.New()
		svc := secretsIn(t, st)
		src, err := source.NewSecrets(svc, "myapp", "acme", how(st), source.WithMaxWatchers(150))
		must(t, err)
		ctx := scope.WithScope(context.Background(), "myapp", "acme", "ann", "")
		return sourcetest.Subject{Source: src,
			Set: func(t *testing.T, key, raw string) {
				t.Helper()
				_, err := svc.Set(ctx, key, []byte(raw), "")
				must(t, err)
			},
			Delete: func(t *testing.T, key string) { t.Helper(); must(t, svc.Delete(ctx, key, "")) }}
	}}
}
