package audithook_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/vault/audit"
	audithook "github.com/haywardhq/hayward/vault/audit_hook"
	"github.com/haywardhq/hayward/vault/crypto"
	"github.com/haywardhq/hayward/vault/flag"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/secret"
	"github.com/haywardhq/hayward/vault/store/memory"
)

// recorder keeps what it is told.
type recorder struct {
	events []audithook.AuditEvent
	fail   error
}

func (r *recorder) Record(_ context.Context, e *audithook.AuditEvent) error {
	r.events = append(r.events, *e)
	return r.fail
}

func (r *recorder) names() string {
	var out []string
	for _, e := range r.events {
		out = append(out, e.Category+" "+e.Action+" "+e.Key+" "+e.Outcome+" "+e.Severity+" "+e.Reason)
	}
	r.events = nil
	return strings.Join(out, "\n")
}

func TestTheServicesTellTheRecorder(t *testing.T) {
	st := memory.New()
	rec := &recorder{}
	gate := audit.NewGate(audit.NewLogger(st, audit.WithHook(audithook.New(rec))), nil)
	enc, err := crypto.NewEncryptor([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	secrets := secret.NewService(st, enc, secret.WithGate(gate))
	flags := flag.NewService(flag.NewEngine(st), flag.WithGate(gate))
	ctx := scope.WithScope(t.Context(), "myapp", "t", "ann", "10.0.0.1")
	operator := scope.WithCaller(t.Context(), scope.Caller{App: "myapp", User: "op"})
	for _, step := range []struct {
		name string
		do   func() error
		want string
	}{
		{"set", func() error { _, err := secrets.Set(ctx, "KEY", []byte("sk-value"), ""); return err }, "vault.secret secret.set KEY success info "},
		{"get", func() error { _, err := secrets.Get(ctx, "KEY", ""); return err }, "vault.secret secret.accessed KEY success info "},
		{"a miss", func() error { _, _ = secrets.Get(ctx, "NONE", ""); return nil },
			"vault.secret secret.accessed NONE failure warning not_found: SecretNotFound"},
		{"delete", func() error { return secrets.Delete(ctx, "KEY", "") }, "vault.secret secret.deleted KEY success info "},
		{"switch", func() error {
			if err := flags.Define(operator, &flag.Definition{Key: "f", Type: flag.TypeBool, DefaultValue: false, Enabled: true}); err != nil {
				return err
			}
			rec.events = nil
			return flags.SetEnabled(operator, "f", false)
		}, "vault.flag flag.toggled f success info "},
		{"define again", func() error {
			return flags.Define(operator, &flag.Definition{Key: "f", Type: flag.TypeBool, DefaultValue: true, Enabled: true})
		}, "vault.flag flag.updated f success info "},
		{"a denial", func() error {
			_ = flags.Define(ctx, &flag.Definition{Key: "g", Type: flag.TypeBool, DefaultValue: true})
			return nil
		},
			"vault.flag flag.updated g failure warning denied"},
	} {
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if len(rec.events) == 1 {
			e := rec.events[0]
			if e.ResourceID == "" || e.Metadata["app"] != "myapp" || strings.Contains(fmt.Sprint(e), "sk-value") {
				t.Errorf("%s: %+v", step.name, e)
			}
		}
		if got := rec.names(); !strings.HasPrefix(got, step.want) || strings.Contains(got, "\n") {
			t.Errorf("%s: got %q", step.name, got)
		}
	}
}

func TestDocumentedCalls(t *testing.T) {
	rec := &recorder{}
	ext := audithook.New(audithook.RecorderFunc(rec.Record), audithook.WithActions(audithook.ActionSecretAccessed, audithook.ActionConfigSet))
	logger := audit.NewLogger(memory.New(), audit.WithHook(ext))
	ctx := scope.WithScope(t.Context(), "myapp", "tenant-abc", "user-42", "10.0.0.1")
	_ = logger.LogAccess(ctx, "db-password", audithook.ActionSecretAccessed, audithook.ResourceSecret)
	_ = logger.LogFailure(ctx, "db-password", audithook.ActionSecretAccessed, audithook.ResourceSecret, errors.New("decryption failed"))
	_ = logger.LogAccess(ctx, "f", audithook.ActionFlagDeleted, audithook.ResourceFlag)
	if got := rec.names(); got != "vault.secret secret.accessed db-password success info \nvault.secret secret.accessed db-password failure warning error" {
		t.Errorf("got %q", got)
	}
	ext.Record(ctx, audithook.ActionConfigSet, audithook.SeverityCritical, audithook.OutcomeFailure, audithook.ResourceConfig, "cfg_1", audithook.CategoryConfig, "k",
		errors.New("no\nroom"), "n", 1, "alone")
	if e := rec.events[0]; e.Reason != `no\u{a}room` || e.Metadata["n"] != 1 || len(e.Metadata) != 2 || e.ResourceID != "cfg_1" {
		t.Errorf("%+v", e)
	}
	if all := audithook.AllActions(); len(all) != 13 || !slices.Contains(all, "override.deleted") {
		t.Errorf("%v", all)
	}
}

func TestAFirstVersionIsAFlagThatWasCreated(t *testing.T) {
	rec := &recorder{}
	ext := audithook.New(rec)
	for _, version := range []string{"1", "2"} {
		ext.Audited(t.Context(), audit.Entry{Action: "flag.define", Resource: "flag", Outcome: audit.OK, Details: []audit.Detail{{Key: "version", Value: version}}})
	}
	ext.Audited(t.Context(), audit.Entry{Action: "flag.define", Outcome: audit.Begun})
	if len(rec.events) != 2 || rec.events[0].Action != audithook.ActionFlagCreated || rec.events[1].Action != audithook.ActionFlagUpdated {
		t.Errorf("%+v", rec.events)
	}
}

func TestARecorderThatFailsChangesNothing(t *testing.T) {
	ctx := scope.WithScope(t.Context(), "a", "t", "u", "")
	for name, r := range map[string]audithook.Recorder{
		"an error": &recorder{fail: errors.New("down")}, "nobody": nil,
		"a panic": audithook.RecorderFunc(func(context.Context, *audithook.AuditEvent) error { panic("ouch") }),
	} {
		l := audit.NewLogger(memory.New(), audit.WithHook(audithook.New(r)))
		if err := l.LogAccess(ctx, "k", audithook.ActionSecretAccessed, audithook.ResourceSecret); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
