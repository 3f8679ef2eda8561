package plugin_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/crypto"
	"github.com/haywardhq/hayward/vault/flag"
	"github.com/haywardhq/hayward/vault/plugin"
	"github.com/haywardhq/hayward/vault/source"
)

// infra can do everything.
type infra struct {
	name string
	log  *[]string
	err  error
	src  source.Source
}

func (p infra) say(what string) error { *p.log = append(*p.log, p.name+" "+what); return p.err }

func (p infra) Name() string                     { return p.name }
func (p infra) OnInit(context.Context) error     { return p.say("init") }
func (p infra) OnShutdown(context.Context) error { return p.say("shutdown") }
func (p infra) Source() source.Source            { return p.src }
func (p infra) Priority() int                    { return len(p.name) }
func (p infra) EncryptionKeyProvider() crypto.EncryptionKeyProvider {
	return crypto.NewEnvKeyProvider("X")
}
func (p infra) EvaluatorName() string { return "geo" }
func (p infra) OnSecretAccess(_ context.Context, key, action string) error {
	return p.say(action + " " + key)
}
func (p infra) RotationName() string { return "rds" }

func (p infra) Evaluate(_ context.Context, rule *flag.Rule, tenant, user string) (bool, error) {
	return rule.Config.Params["region"] == "eu" && tenant == "acme" && user == "ann" && rule.FlagKey == "f" && rule.Config.Evaluator == "geo", p.err
}

func (p infra) OnConfigChange(_ context.Context, key string, was, is any) error {
	return p.say(fmt.Sprint(key, " ", was, "->", is))
}

func (p infra) Rotate(_ context.Context, key string, current []byte) ([]byte, error) {
	return append([]byte(key+" after "), current...), nil
}

// bare can do nothing but have a name.
type bare struct{}

func (bare) Name() string { return "bare" }

// bomb panics.
type bomb struct{ bare }

func (bomb) OnInit(context.Context) error                         { panic("canary") }
func (bomb) OnShutdown(context.Context) error                     { panic("canary") }
func (bomb) OnSecretAccess(context.Context, string, string) error { panic("canary") }
func (bomb) OnConfigChange(context.Context, string, any, any) error {
	panic("canary")
}

func TestCapabilitiesAreFound(t *testing.T) {
	var log []string
	var out bytes.Buffer
	r := plugin.NewRegistry(plugin.WithLogger(slog.New(slog.NewTextHandler(&out, nil))))
	if r.FlagEvaluatorByName("geo") != nil || r.RotationStrategyByName("rds") != nil || r.Evaluator("geo") != nil || len(r.Plugins()) != 0 {
		t.Error("an empty registry has something")
	}
	r.Register(nil)
	r.Register(bare{})
	r.Register(infra{name: "infra", log: &log, src: source.NewMemory()})
	counts := []int{len(r.Plugins()), len(r.InitHooks()), len(r.ShutdownHooks()), len(r.SourceProviders()), len(r.EncryptionProviders()), len(r.SecretAccessHooks()),
		len(r.ConfigChangeHooks()), len(r.RotationStrategies())}
	if fmt.Sprint(counts) != "[2 1 1 1 1 1 1 1]" || r.FlagEvaluatorByName("geo") == nil || r.RotationStrategyByName("rds") == nil {
		t.Error(counts)
	}
	r.InitHooks()[0] = nil
	if r.InitHooks()[0] == nil {
		t.Error("what is returned is not a copy")
	}
	if !strings.Contains(out.String(), "name=infra") {
		t.Error(out.String())
	}
}

func TestLifecycle(t *testing.T) {
	var log []string
	r := plugin.NewRegistry()
	for _, name := range []string{"a", "b", "c"} {
		r.Register(infra{name: name, log: &log})
	}
	if err := errors.Join(r.Init(t.Context()), r.Shutdown(t.Context())); err != nil {
		t.Error(err)
	}
	if got := strings.Join(log, ","); got != "a init,b init,c init,c shutdown,b shutdown,a shutdown" {
		t.Error(got)
	}
	log = nil
	r = plugin.NewRegistry()
	r.Register(infra{name: "a", log: &log})
	r.Register(infra{name: "b", log: &log, err: errors.New("no")})
	r.Register(infra{name: "c", log: &log})
	if err := r.Init(t.Context()); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), `"b"`) {
		t.Error(err)
	}
	if err := r.Shutdown(t.Context()); err == nil {
		t.Error("an error of a shutdown is lost")
	}
	if got := strings.Join(log, ","); got != "a init,b init,a shutdown,c shutdown,b shutdown,a shutdown" {
		t.Error(got)
	}
}

func TestAccessIsAsked(t *testing.T) {
	var log []string
	r := plugin.NewRegistry()
	r.Register(infra{name: "a", log: &log})
	if err := r.SecretAccess(t.Context(), "K", "secret.get"); err != nil {
		t.Error(err)
	}
	r.Register(infra{name: "b", log: &log, err: errors.New("no")})
	r.Register(infra{name: "c", log: &log})
	if err := r.SecretAccess(t.Context(), "K", "secret.get"); !fault.Is(err, fault.Denied) || fault.From(err).Code != "PluginRefused" {
		t.Error(err)
	}
	if got := strings.Join(log, ","); got != "a secret.get K,a secret.get K,b secret.get K" {
		t.Error(got)
	}
	r = plugin.NewRegistry()
	r.Register(infra{name: "d", log: &log, err: fault.New(fault.Limited, "slowly")})
	if err := r.SecretAccess(t.Context(), "K", "secret.get"); !fault.Is(err, fault.Limited) {
		t.Error(err)
	}
}

func TestAPanicIsAnError(t *testing.T) {
	r := plugin.NewRegistry()
	r.Register(bomb{})
	for i, err := range []error{r.SecretAccess(t.Context(), "K", "x"), r.ConfigChange(t.Context(), "k", 1, 2), r.Init(t.Context()), r.Shutdown(t.Context())} {
		if err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%d: %v", i, err)
		}
	}
}

func TestEverybodyIsToldOfAChange(t *testing.T) {
	var log []string
	r := plugin.NewRegistry()
	r.Register(infra{name: "a", log: &log, err: errors.New("no")})
	r.Register(infra{name: "b", log: &log})
	if err := r.ConfigChange(t.Context(), "k", nil, 7); err == nil {
		t.Error("an error is lost")
	}
	if got := strings.Join(log, ","); got != "a k <nil>->7,b k <nil>->7" {
		t.Error(got)
	}
}

func TestEvaluatorsAndSources(t *testing.T) {
	var log []string
	r := plugin.NewRegistry()
	r.Register(infra{name: "longer", log: &log, src: source.NewMemory(source.WithName("second"))})
	r.Register(infra{name: "a", log: &log, src: source.NewMemory(source.WithName("first"))})
	ok, err := r.Evaluator("geo")(t.Context(), flag.Target{App: "x", Tenant: "acme", User: "ann", FlagKey: "f"}, map[string]any{"region": "eu"})
	if !ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
	c := source.NewChain()
	r.AddSources(c)
	if c.Name() != "chain(first, second)" {
		t.Error(c.Name())
	}
	if got, err := r.RotationStrategyByName("rds").Rotate(t.Context(), "K", []byte("x")); string(got) != "K after x" || err != nil {
		t.Error(string(got), err)
	}
}
