package config_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/db/dbtest"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/config"
	"github.com/haywardhq/hayward/vault/crypto"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/override"
	"github.com/haywardhq/hayward/vault/secret"
	"github.com/haywardhq/hayward/vault/store/postgres"
)

func secretsOf(t *testing.T, st store) *secret.Service {
	t.Helper()
	enc, err := crypto.NewEncryptor([]byte("0123456789abcdef0123456789abcdef"))
	must(t, err)
	return secret.NewService(st, enc)
}

func set(t *testing.T, s *secret.Service, tenant, name, value string) {
	t.Helper()
	_, err := s.Set(as(tenant), name, []byte(value), "")
	must(t, err)
}

func TestAValueIsOpenedWithItsSecrets(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		secrets := secretsOf(t, st)
		set(t, secrets, "t1", "A", "one's a")
		set(t, secrets, "t1", "B", "one's b")
		set(t, secrets, "t2", "A", "two's a")
		svc := service(t, st, config.WithSecrets(secrets))
		must(t, svc.Set(operator, "db", json.RawMessage(`{"host":"h","all":[{"$secret":"A"},{"deep":{"$secret":"B"}}],"n":1}`), ""))
		must(t, svc.Set(operator, "plain", config.SecretRef{Name: "A"}, ""))
		v, err := svc.Open(as("t1"), "db")
		must(t, err)
		m := v.(map[string]any)
		list := m["all"].([]any)
		a, ok := list[0].(sealed.Value)
		b, ok2 := list[1].(map[string]any)["deep"].(sealed.Value)
		if !ok || !ok2 || a.IsZero() || b.IsZero() || m["host"] != "h" || strings.Contains(fmt.Sprintf("%v %+v", v, v), "one's") {
			t.Errorf("%v", v)
		}
		if plain, err := svc.Open(as("t2"), "plain"); err != nil || plain.(sealed.Value).IsZero() {
			t.Errorf("%v %v", plain, err)
		}
		if _, err := svc.Open(as("t2"), "db"); !errors.Is(err, base.ErrSecretNotFound) {
			t.Errorf("a tenant without one of them: %v", err)
		}
		raw, err := svc.Value(as("t1"), "db")
		if err != nil || fmt.Sprint(raw.Any().(map[string]any)["all"].([]any)[0]) != "{A}" {
			t.Errorf("opening changed the value: %v %v", raw.Any(), err)
		}
		must(t, svc.Set(operator, "many", json.RawMessage("["+strings.Repeat(`{"$secret":"A"},`, 64)+`{"$secret":"A"}]`), ""))
		if _, err := svc.Open(as("t1"), "many"); !fault.Is(err, fault.TooLarge) {
			t.Errorf("%v", err)
		}
		if _, err := svc.Open(as("t1"), "none"); !errors.Is(err, base.ErrConfigNotFound) {
			t.Errorf("%v", err)
		}
	})
}

func TestAWatchHearsOfASecretThatItsValueRefersTo(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		secrets := secretsOf(t, st)
		svc := service(t, st, config.WithSecrets(secrets))
		must(t, svc.Set(operator, "db", json.RawMessage(`{"password":{"$secret":"A"}}`), ""))
		mine, other := listen(), listen()
		must(t, errors.Join(svc.WatchContext(as("t1"), "db", mine.cb), svc.WatchContext(as("t2"), "db", other.cb)))
		const same = "myapp/t1 db: map[password:{A}] to map[password:{A}]"
		set(t, secrets, "t1", "A", "one")
		mine.want(t, same)
		set(t, secrets, "t1", "B", "unrelated")
		set(t, secrets, "t1", "A", "two")
		mine.want(t, same)
		must(t, secrets.Delete(as("t1"), "A", ""))
		mine.want(t, same)
		other.nothing(t)
		must(t, svc.Set(as("t1"), "db", config.SecretRef{Name: "B"}, ""))
		mine.want(t, "myapp/t1 db: map[password:{A}] to {B}")
		set(t, secrets, "t1", "A", "no more")
		set(t, secrets, "t1", "B", "now it is this")
		mine.want(t, "myapp/t1 db: {B} to {B}")
		other.nothing(t)
		must(t, svc.Delete(as("t1"), "db", ""))
		mine.want(t, "myapp/t1 db: {B} to map[password:{A}]")
	})
}

func TestDeletingMayNameTheVersionItHasSeen(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		svc := service(t, st)
		must(t, svc.Set(operator, "k", 1, ""))
		if err := svc.Delete(operator, "k", "", config.WithExpectedVersion(2)); !errors.Is(err, base.ErrVersionConflict) {
			t.Errorf("%v", err)
		}
		must(t, svc.Delete(operator, "k", "", config.WithExpectedVersion(1)))
	})
}

func TestAnotherReplicaSeesEachChangeWithinASecond(t *testing.T) {
	server := dbtest.Postgres(t)
	open := func() store { return postgres.New(server.Open(t, db.Options{})) }
	first := postgres.New(server.Open(t, db.Options{}))
	must(t, first.Migrate(t.Context()))
	second := open()
	here, there := service(t, first), service(t, second)
	resolver := override.NewResolver(second, second)
	defer resolver.Close()
	heard := listen()
	must(t, there.WatchContext(as("t"), "k", heard.cb))
	before := "<nil>"
	for _, step := range []struct {
		do   func() error
		want string
	}{
		{func() error { return here.Set(operator, "k", "app's", "") }, "app's"},
		{func() error { return here.Set(as("t"), "k", "own", "") }, "own"},
		{func() error {
			return first.SetOverride(operator, &override.Override{Key: "k", Value: "own 2", AppID: "myapp", TenantID: "t"})
		}, "own 2"},
		{func() error { _, err := here.Rollback(as("t"), "k", "", 1); return err }, "own"},
		{func() error { return here.Delete(as("t"), "k", "") }, "app's"},
		{func() error { return here.Delete(operator, "k", "") }, "<nil>"},
	} {
		must(t, step.do())
		for begin := time.Now(); ; time.Sleep(time.Millisecond) {
			resolved, err := resolver.Resolve(as("t"), "k", "")
			if got := there.String(as("t"), "k", "<nil>"); got == step.want && (err != nil) == (got == "<nil>") && fmt.Sprint(resolved) == got {
				break
			}
			if time.Since(begin) > time.Second {
				t.Fatalf("a second later the other replica does not see %s", step.want)
			}
		}
		heard.want(t, "myapp/t k: "+before+" to "+step.want)
		before = step.want
	}
}
