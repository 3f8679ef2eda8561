package rotation_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/haywardhq/hayward/db/dbtest"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
	"github.com/haywardhq/hayward/vault/crypto"
	"github.com/haywardhq/hayward/vault/rotation"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/secret"
	"github.com/haywardhq/hayward/vault/store/driver"
	"github.com/haywardhq/hayward/vault/store/memory"
	"github.com/haywardhq/hayward/vault/store/postgres"
	"github.com/haywardhq/hayward/vault/store/sqlite"
)

// store is what every store of the wing is: rows, and the documented methods.
type store interface {
	driver.Store
	rotation.Store
}

// stores are those that every test of this room is run on.
var stores = map[string]func(t testing.TB) store{
	"memory":   func(testing.TB) store { return memory.New() },
	"sqlite":   func(t testing.TB) store { return sqlite.New(dbtest.New(t, sqlite.Schema())) },
	"postgres": func(t testing.TB) store { return postgres.New(dbtest.NewPostgres(t, postgres.Schema())) },
}

// onLocalStores is onEachStore without a server, for what no server could do differently.
func onLocalStores(t *testing.T, test func(t *testing.T, st store)) {
	for _, name := range []string{"memory", "sqlite"} {
		t.Run(name, func(t *testing.T) { test(t, stores[name](t)) })
	}
}

func onEachStore(t *testing.T, test func(t *testing.T, st store)) {
	for _, name := range slices.Sorted(maps.Keys(stores)) {
		t.Run(name, func(t *testing.T) { test(t, stores[name](t)) })
	}
}

func secretsIn(t testing.TB, st driver.Store) *secret.Service {
	t.Helper()
	enc, err := crypto.NewEncryptor([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	return secret.NewService(st, enc)
}

func as(app, tenant string) context.Context {
	return scope.WithScope(context.Background(), app, tenant, "ann", "10.0.0.1")
}

func setSecret(t testing.TB, svc *secret.Service, ctx context.Context, key, value string, opts ...secret.SetOption) {
	t.Helper()
	if _, err := svc.Set(ctx, key, []byte(value), "", opts...); err != nil {
		t.Fatal(err)
	}
}

// served returns the value that callers get, and its version.
func served(t testing.TB, svc *secret.Service, ctx context.Context, key string) (string, int64) {
	t.Helper()
	s, err := svc.Get(ctx, key, "")
	if err != nil {
		t.Fatal(err)
	}
	return string(reveal.Inside(s.Value)), s.Version
}

func long() *time.Time { t := time.Now().Add(-time.Hour); return &t }

func save(t testing.TB, st rotation.Store, ctx context.Context, p rotation.Policy) {
	t.Helper()
	if err := st.SaveRotationPolicy(ctx, &p); err != nil {
		t.Fatal(err)
	}
}

func history(t testing.TB, st rotation.Store, ctx context.Context, key string) (outcomes []string) {
	t.Helper()
	list, err := st.ListRotationRecords(ctx, key, "", rotation.ListOpts{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range list {
		outcomes = append(outcomes, string(r.Outcome))
	}
	return outcomes
}

// until waits for something that background work brings about.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("in vain: %s", what)
		}
	}
}

func start(t testing.TB, m *rotation.Manager) {
	t.Helper()
	if err := m.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// world is something outside that accepts passwords. It writes down what it was told.
type world struct {
	mu      sync.Mutex
	accepts map[string]bool
	byToken map[string]string // the value each token came with
	sets    []string          // tokens, in order
	retired []string
	fails   map[string]int // how often a step fails first
	tests   int
	made    int
}

func newWorld(first string) *world {
	return &world{accepts: map[string]bool{first: true}, byToken: map[string]string{}, fails: map[string]int{}}
}

func (w *world) failing(step string) error {
	if w.fails[step] > 0 {
		w.fails[step]--
		return fault.New(fault.Unavailable, "the world is not there")
	}
	return nil
}

func (w *world) Create(context.Context, rotation.Step) (sealed.Value, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.failing("create"); err != nil {
		return sealed.Value{}, err
	}
	w.made++
	return sealed.NewString(fmt.Sprintf("made %d", w.made)), nil
}

func (w *world) Set(_ context.Context, s rotation.Step) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.failing("set"); err != nil {
		return err
	}
	value := string(reveal.Inside(s.Pending))
	if had, again := w.byToken[s.Token]; again && had != value {
		return errors.New("a token came with another value")
	}
	w.accepts[value], w.byToken[s.Token] = true, value
	w.sets = append(w.sets, s.Token)
	return nil
}

func (w *world) Test(_ context.Context, s rotation.Step) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tests++
	if err := w.failing("test"); err != nil {
		return err
	}
	if !w.accepts[string(reveal.Inside(s.Pending))] {
		return errors.New("not accepted")
	}
	return nil
}

func (w *world) Retire(_ context.Context, s rotation.Step) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.failing("retire"); err != nil {
		return err
	}
	old := string(reveal.Inside(s.Previous))
	delete(w.accepts, old)
	if !slices.Contains(w.retired, old) {
		w.retired = append(w.retired, old)
	}
	return nil
}

// count is how many values were made.
func (w *world) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.made
}

func (w *world) tokens() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.byToken)
}

func (w *world) takes(value string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.accepts[value]
}

// ownerOf is whose secrets a context of this test is about.
func ownerOf(ctx context.Context) secret.Owner {
	app, tenant, _, _ := scope.FromContext(ctx)
	return secret.Owner{App: app, Tenant: tenant}
}
