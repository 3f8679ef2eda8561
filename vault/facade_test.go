package vault_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed/reveal"
	"github.com/haywardhq/hayward/vault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/config"
	"github.com/haywardhq/hayward/vault/crypto"
	"github.com/haywardhq/hayward/vault/flag"
	"github.com/haywardhq/hayward/vault/metrics"
	"github.com/haywardhq/hayward/vault/override"
	"github.com/haywardhq/hayward/vault/plugin"
	"github.com/haywardhq/hayward/vault/rotation"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/source"
	"github.com/haywardhq/hayward/vault/store/driver"
	"github.com/haywardhq/hayward/vault/store/memory"
)

var rootKey = []byte("0123456789abcdef0123456789abcdef")

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func quiet() vault.Option { return vault.WithLogger(slog.New(slog.DiscardHandler)) }

// TestOneScopeIsSeenByAllSixRooms: set once, through the facade.
func TestOneScopeIsSeenByAllSixRooms(t *testing.T) {
	v, err := vault.New(vault.WithAppID("myapp"), vault.WithEncryptionKey(rootKey), quiet())
	ok(t, err)
	ok(t, v.Start(t.Context()))
	t.Cleanup(func() { ok(t, v.Close(context.Background())) })
	ctx := scope.WithScope(t.Context(), "myapp", "acme", "ann", "10.0.0.1")
	other, operator := scope.WithTenantID(ctx, "globex"), scope.WithScope(t.Context(), "myapp", "", "root", "")

	_, err = v.Secrets().Set(ctx, "K", []byte("of acme"), "")
	ok(t, err)
	if sec, err := v.Secrets().Get(ctx, "K", ""); err != nil || string(reveal.Inside(sec.Value)) != "of acme" {
		t.Error(err)
	}
	if _, err := v.Secrets().Get(other, "K", ""); !errors.Is(err, vault.ErrSecretNotFound) {
		t.Error(err)
	}
	ok(t, v.Flags().Define(operator, &flag.Definition{Key: "f", Type: flag.TypeBool, DefaultValue: false, Enabled: true}))
	ok(t, v.Flags().SetRules(operator, "f", []*flag.Rule{flag.WhenTenant("acme").Return(true)}))
	if !v.Flags().Bool(ctx, "f", false) || v.Flags().Bool(other, "f", false) {
		t.Error("flags do not see the tenant")
	}
	ok(t, v.Config().Set(operator, "limit", 100, ""))
	ok(t, v.Config().Set(ctx, "limit", 7, ""))
	if v.Config().Int(ctx, "limit", 0) != 7 || v.Config().Int(other, "limit", 0) != 100 {
		t.Error("config does not see the tenant")
	}
	if a, err := v.Overrides().Resolve(ctx, "limit", "myapp"); err != nil || fmt.Sprint(a) != "7" {
		t.Error(a, err)
	}
	v.Rotation().RegisterRotator("K", func(context.Context, []byte) ([]byte, error) { return []byte("rotated"), nil })
	ok(t, v.Rotation().RotateNow(ctx, "K", ""))
	if sec, err := v.Secrets().Get(ctx, "K", ""); err != nil || string(reveal.Inside(sec.Value)) != "rotated" {
		t.Error(err)
	}
	ok(t, v.Audit().LogAccess(ctx, "K", "secret.accessed", "secret"))
	page, err := v.AuditLog().List(ctx, audit.Query{})
	if err != nil || len(page.Entries) < 8 || page.Entries[0].UserID != "ann" {
		t.Errorf("%d entries, %v", len(page.Entries), err)
	}
	if page, err = v.AuditLog().List(other, audit.Query{Action: "config.*"}); err != nil || len(page.Entries) != 0 {
		t.Errorf("another tenant sees %d entries, %v", len(page.Entries), err)
	}
	if val, err := v.Sources().Get(t.Context(), "limit"); err != nil || string(reveal.Inside(val.Raw)) != "100" || val.Source != "database" {
		t.Error(val, err)
	}
}

// TestE3ABadKeyIsSaidByEverything: NewVault cannot return an error, so that every room does.
func TestE3ABadKeyIsSaidByEverything(t *testing.T) {
	t.Setenv("SOME_KEY", "canary-that-is-no-key")
	for name, opt := range map[string]vault.Option{"five bytes": vault.WithEncryptionKey([]byte("short")), "no bytes": vault.WithEncryptionKey(nil),
		"no such variable": vault.WithEncryptionKeyEnv("NO_SUCH_VARIABLE"), "a bad variable": vault.WithEncryptionKeyEnv("SOME_KEY"),
		"no store": vault.WithStore(nil), "in a config": vault.WithConfig(vault.Config{EncryptionKey: []byte("short")})} {
		t.Run(name, func(t *testing.T) {
			_, want := vault.New(opt, quiet())
			if want == nil {
				t.Fatal("New is silent")
			}
			v := vault.NewVault(vault.WithAppID("myapp"), opt, quiet())
			defer v.Close(context.Background())
			ctx := scope.WithScope(t.Context(), "myapp", "acme", "ann", "")
			_, get := v.Secrets().Get(ctx, "K", "")
			_, set := v.Secrets().Set(ctx, "K", []byte("x"), "")
			_, eval := v.FlagEngine().Evaluate(ctx, "f", "myapp")
			_, conf := v.Config().Get(ctx, "k", "")
			_, over := v.Overrides().Resolve(ctx, "k", "myapp")
			_, list := v.AuditLog().List(ctx, audit.Query{})
			for i, err := range []error{v.Health(ctx), v.Start(ctx), get, set, eval, conf, over, list, v.Audit().LogAccess(ctx, "K", "a.b", "secret"),
				v.Rotation().RotateNow(ctx, "K", "")} {
				if err == nil {
					t.Errorf("call %d is silent", i)
				}
				if text := fmt.Sprintf("%v %+v", err, err); strings.Contains(text, "canary") {
					t.Errorf("call %d quotes the key: %s", i, text)
				}
			}
			if h := v.Health(ctx); errors.Is(h, vault.ErrInvalidKey) != (name != "no store" && name != "no such variable") ||
				errors.Is(h, vault.ErrNoStore) != (name == "no store") || errors.Is(h, vault.ErrNoRootKey) != (name == "no such variable") {
				t.Error(h)
			}
		})
	}
}

// TestE3AConfigKeepsTheKeySetBefore, and whatever else it says nothing about.
func TestE3AConfigKeepsTheKeySetBefore(t *testing.T) {
	for _, opts := range [][]vault.Option{
		{vault.WithEncryptionKey(rootKey), vault.WithAppID("myapp"), vault.WithConfig(vault.Config{FlagCacheTTL: 1})},
		{vault.WithConfig(vault.Config{AppID: "myapp", EncryptionKey: rootKey}), vault.WithConfig(vault.Config{})},
		{vault.WithConfig(vault.DefaultConfig()), vault.WithEncryptionKey(rootKey), vault.WithAppID("myapp")},
	} {
		v, err := vault.New(append(opts, quiet())...)
		ok(t, err)
		if !v.EncryptionEnabled() || v.AppID() != "myapp" {
			t.Errorf("%v, %q", v.EncryptionEnabled(), v.AppID())
		}
		ctx := scope.WithScope(t.Context(), "myapp", "acme", "", "")
		_, err = v.Secrets().Set(ctx, "K", []byte("x"), "")
		ok(t, err)
		ok(t, v.Close(t.Context()))
	}
	key := bytes.Clone(rootKey)
	v, err := vault.New(vault.WithConfig(vault.Config{EncryptionKey: key}), quiet())
	ok(t, err)
	defer v.Close(t.Context())
	clear(key) // the caller's own copy: the vault has its own
	if !v.EncryptionEnabled() {
		t.Error("the key went with the caller's copy")
	}
	if text := fmt.Sprintf("%v %+v %#v %s", vault.Config{EncryptionKey: rootKey}, vault.Config{EncryptionKey: rootKey}, vault.Config{EncryptionKey: rootKey}, vault.Config{EncryptionKey: rootKey}); strings.Contains(text, "0123") || strings.Contains(text, "48 49") || strings.Contains(text, "0x30") {
		t.Error(text)
	}
}

func TestWithoutAKeyThereAreNoSecrets(t *testing.T) {
	v, err := vault.New(vault.WithAppID("myapp"), quiet())
	ok(t, err)
	defer v.Close(t.Context())
	ok(t, v.Start(t.Context()))
	ctx := scope.WithScope(t.Context(), "myapp", "acme", "", "")
	if _, err := v.Secrets().Set(ctx, "K", []byte("x"), ""); !errors.Is(err, vault.ErrNoRootKey) || v.EncryptionEnabled() {
		t.Error(err)
	}
	ok(t, v.Config().Set(ctx, "k", 1, ""))
	ok(t, v.Health(ctx))
}

func TestTheWrongKeyIsFoundAtTheStart(t *testing.T) {
	st := memory.New()
	ctx := scope.WithScope(t.Context(), "myapp", "acme", "", "")
	for i, key := range [][]byte{rootKey, rootKey, []byte("another key of just 32 bytes ....")[:32]} {
		v, err := vault.New(vault.WithStore(st), vault.WithEncryptionKey(key), quiet())
		ok(t, err)
		err = v.Start(ctx)
		if (i == 2) != errors.Is(err, vault.ErrWrongRootKey) {
			t.Errorf("%d: %v", i, err)
		}
		if i == 0 {
			_, err = v.Secrets().Set(ctx, "K", []byte("x"), "")
			ok(t, err)
		}
		ok(t, errors.Join(v.Close(ctx), v.Close(ctx)))
		if err := v.Start(ctx); !fault.Is(err, fault.Unavailable) {
			t.Error(err)
		}
	}
}

// TestKNothingWritesASecretInPlainText: every way the facade and its sources offer to write, and not one byte of it is in the
// rows. There is no method that takes a secret as it is kept.
func TestKNothingWritesASecretInPlainText(t *testing.T) {
	st := memory.New()
	v, err := vault.New(vault.WithStore(st), vault.WithAppID("myapp"), vault.WithEncryptionKey(rootKey), quiet())
	ok(t, err)
	defer v.Close(t.Context())
	ctx := scope.WithScope(t.Context(), "myapp", "acme", "ann", "")
	const canary = "plain-text-canary"
	_, err = v.Secrets().Set(ctx, "K", []byte(canary), "")
	ok(t, err)
	v.Rotation().RegisterRotator("K", func(context.Context, []byte) ([]byte, error) { return []byte(canary + "-rotated"), nil })
	ok(t, v.Rotation().RotateNow(ctx, "K", ""))
	src, err := source.NewSecrets(v.Secrets(), "myapp", "acme")
	ok(t, err)
	defer src.Close()
	if val, err := src.Get(ctx, "K"); err != nil || string(reveal.Inside(val.Raw)) != canary+"-rotated" {
		t.Error(err)
	}
	var rows string
	ok(t, st.View(ctx, func(tx driver.Tx) error {
		head, current, err := tx.CurrentSecret(ctx, "myapp", "acme", "K")
		if err != nil {
			return err
		}
		all, err := tx.ListSecretVersions(ctx, "myapp", "acme", "K", 0, 100)
		if err != nil {
			return err
		}
		entries, err := tx.ListAuditEveryTenant(ctx, "myapp", driver.AuditFilter{Limit: 1000})
		rows = fmt.Sprintf("%s %s %q %q", head.Mark, current.Ciphertext, fmt.Sprint(all), fmt.Sprint(entries))
		for _, version := range all {
			rows += string(version.Ciphertext)
		}
		if len(all) < 2 || len(entries) < 4 {
			t.Errorf("%d versions, %d entries", len(all), len(entries))
		}
		return err
	}))
	if strings.Contains(rows, canary) {
		t.Error("a secret is kept in plain text")
	}
}

// helper is a plugin that can do everything.
type helper struct {
	log    *[]string
	refuse string
	src    *source.Memory
}

func (h helper) say(format string, args ...any) {
	*h.log = append(*h.log, fmt.Sprintf(format, args...))
}

func (helper) Name() string                                        { return "helper" }
func (h helper) OnInit(context.Context) error                      { h.say("init"); return nil }
func (h helper) OnShutdown(context.Context) error                  { h.say("shutdown"); return nil }
func (h helper) Source() source.Source                             { return h.src }
func (helper) Priority() int                                       { return 10 }
func (helper) EncryptionKeyProvider() crypto.EncryptionKeyProvider { return provider{} }
func (helper) EvaluatorName() string                               { return "geo" }
func (helper) RotationName() string                                { return "helper" }

func (helper) Evaluate(_ context.Context, rule *flag.Rule, tenant, _ string) (bool, error) {
	return tenant == rule.Config.Params["tenant"], nil
}

func (h helper) OnSecretAccess(_ context.Context, key, action string) error {
	if h.say("%s %s", action, key); action == h.refuse {
		return errors.New("no")
	}
	return nil
}

func (h helper) OnConfigChange(_ context.Context, key string, was, is any) error {
	h.say("%s %v->%v", key, was, is)
	return nil
}

func (helper) Rotate(_ context.Context, key string, current []byte) ([]byte, error) {
	return []byte(key + " after " + string(current)), nil
}

type provider struct{}

func (provider) GetKey(context.Context) ([]byte, error)    { return bytes.Clone(rootKey), nil }
func (provider) RotateKey(context.Context) ([]byte, error) { return nil, errors.New("no") }

// TestPluginsAreAsked: all eight, through the facade.
func TestPluginsAreAsked(t *testing.T) {
	var log []string
	h := helper{log: &log, src: source.NewMemory(source.WithName("of the plugin")), refuse: "secret.delete"}
	r := plugin.NewRegistry()
	r.Register(h)
	v, err := vault.New(vault.WithAppID("myapp"), vault.WithPlugins(r), quiet())
	ok(t, err)
	ok(t, v.Start(t.Context()))
	ctx := scope.WithScope(t.Context(), "myapp", "acme", "ann", "")
	operator := scope.WithScope(t.Context(), "myapp", "", "root", "")

	_, err = v.Secrets().Set(ctx, "K", []byte("x"), "") // under the plugin's key
	ok(t, err)
	_, err = v.Secrets().Get(ctx, "K", "")
	ok(t, err)
	if err := v.Secrets().Delete(ctx, "K", ""); !fault.Is(err, fault.Denied) || fault.From(err).Code != "PluginRefused" {
		t.Error(err)
	}
	if _, err := v.Secrets().Get(ctx, "K", ""); err != nil {
		t.Errorf("what a plugin refused was done: %v", err)
	}
	ok(t, v.Config().Set(ctx, "k", 1, ""))
	ok(t, v.Config().Set(ctx, "k", 2, ""))
	ok(t, v.Config().Delete(ctx, "k", ""))
	ok(t, v.Flags().Define(operator, &flag.Definition{Key: "f", Type: flag.TypeBool, DefaultValue: false, Enabled: true}))
	ok(t, v.Flags().SetRules(operator, "f", []*flag.Rule{{Type: flag.RuleCustom, Config: flag.RuleConfig{Evaluator: "geo", Params: map[string]any{"tenant": "acme"}}, ReturnValue: true}}))
	if !v.Flags().Bool(ctx, "f", false) || v.Flags().Bool(scope.WithTenantID(ctx, "globex"), "f", false) {
		t.Error("the evaluator was not asked")
	}
	ok(t, h.src.Set(ctx, "K", "from the plugin"))
	if val, err := v.Sources().Get(ctx, "K"); err != nil || val.Source != "of the plugin" {
		t.Error(err)
	}
	kinds := strings.Join(v.Rotation().Kinds(), " ")
	if !strings.Contains(kinds, "helper") {
		t.Error(kinds)
	}
	ok(t, v.Close(t.Context()))
	want := "init|secret.set K|secret.get K|secret.delete K|secret.get K|k <nil>->1|k 1->2|k 2-><nil>|shutdown"
	if got := strings.Join(log, "|"); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// TestEveryInstrumentCounts: thirteen, each incremented by what its name says.
func TestEveryInstrumentCounts(t *testing.T) {
	r := metrics.NewRegistry()
	v, err := vault.New(vault.WithAppID("myapp"), vault.WithEncryptionKey(rootKey), vault.WithMetrics(metrics.NewCollector(r)), quiet())
	ok(t, err)
	defer v.Close(t.Context())
	ctx := scope.WithScope(t.Context(), "myapp", "acme", "ann", "")
	operator := scope.WithScope(t.Context(), "myapp", "", "root", "")
	_, err = v.Secrets().Set(ctx, "K", []byte("x"), "")
	ok(t, err)
	_, err = v.Secrets().Get(ctx, "K", "")
	ok(t, err)
	v.Rotation().RegisterRotator("K", func(context.Context, []byte) ([]byte, error) { return []byte("y"), nil })
	ok(t, v.Rotation().RotateNow(ctx, "K", ""))
	ok(t, v.Secrets().Delete(ctx, "K", ""))
	ok(t, v.Flags().Define(operator, &flag.Definition{Key: "f", Type: flag.TypeBool, DefaultValue: true, Enabled: true}))
	for range 2000 { // one in 64 is timed
		v.Flags().Bool(ctx, "f", false)
	}
	ok(t, v.Config().Set(operator, "k", 1, ""))
	v.Config().Int(ctx, "k", 0)
	_, err = v.Overrides().Resolve(ctx, "k", "")
	ok(t, err)
	_, err = v.Sources().Get(ctx, "k")
	ok(t, err)
	for name, want := range map[string]float64{"secret_accessed_total": 1, "secret_set_total": 2, "secret_deleted_total": 1, "secret_rotated_total": 1,
		"flag_evaluated_total": 2000, "config_read_total": 1, "config_written_total": 1, "override_read_total": 1, "encrypted_total": 2, "source_latency_seconds": 1} {
		if got := r.Value("vault_" + name); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	for _, name := range []string{"flag_eval_duration_seconds", "audit_recorded_total", "decrypted_total"} {
		if r.Value("vault_"+name) == 0 {
			t.Errorf("%s: nothing", name)
		}
	}
}

// TestAStoreOfTransactionsAloneIsEnough: the documented methods are put on top.
func TestAStoreOfTransactionsAloneIsEnough(t *testing.T) {
	st := memory.New()
	for name, given := range map[string]driver.Store{"silent": struct{ driver.Store }{st}, "telling": struct {
		driver.Store
		driver.Watcher
	}{st, st}} {
		v, err := vault.New(vault.WithStore(given), vault.WithAppID("myapp"), vault.WithEncryptionKey(rootKey), quiet())
		ok(t, err)
		ctx := scope.WithScope(t.Context(), "myapp", "acme", "ann", "")
		ok(t, v.Config().Set(ctx, "k", name, ""))
		if got := v.Config().String(ctx, "k", ""); got != name {
			t.Errorf("%s: %q", name, got)
		}
		if _, is := v.Store().(driver.Watcher); is != (name == "telling") {
			t.Errorf("%s: tells %v", name, is)
		}
		ok(t, v.Health(ctx))
		ok(t, v.Close(ctx))
	}
	_ = []any{config.NewTable(st), override.NewTable(st), rotation.NewTable(st)}
}
