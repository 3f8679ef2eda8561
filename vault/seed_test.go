package vault_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/config"
	"github.com/haywardhq/hayward/vault/crypto"
	"github.com/haywardhq/hayward/vault/flag"
	"github.com/haywardhq/hayward/vault/override"
	"github.com/haywardhq/hayward/vault/rotation"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/secret"
	"github.com/haywardhq/hayward/vault/store/memory"
)

func tenantOf(r *http.Request) string { return r.Header.Get("X-Tenant") }
func userOf(r *http.Request) string   { return r.Header.Get("X-User") }

func scopeMiddleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		ctx = scope.WithAppID(ctx, "myapp")
		ctx = scope.WithTenantID(ctx, tenantOf(r))
		ctx = scope.WithUserID(ctx, userOf(r))
		ctx = scope.WithIP(ctx, r.RemoteAddr)
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

func rotateSecrets(mgr *rotation.Manager, appID string) error {
	ctx := context.Background()
	ctx = scope.WithAppID(ctx, appID)
	ctx = scope.WithTenantID(ctx, "system")
	ctx = scope.WithUserID(ctx, "rotation-manager")
	return mgr.RotateNow(ctx, "database-password", appID)
}

// TestTheSeedsProgram is every sample of the documentation that this wing follows, in one program, with what its text
// promises.
func TestTheSeedsProgram(t0 *testing.T) {
	want := func(what string, ok bool) {
		t0.Helper()
		if !ok {
			t0.Errorf("falls short: %s", what)
		}
	}
	noError := func(err error, what string) { t0.Helper(); want(what+": "+fmt.Sprint(err), err == nil) }
	contains := strings.Contains

	st := memory.New()
	enc, err := crypto.NewEncryptor([]byte("0123456789abcdef0123456789abcdef"))
	want("encryptor", err == nil)
	secretSvc := secret.NewService(st, enc, secret.WithAppID("myapp"))
	engine := flag.NewEngine(st)
	flagSvc := flag.NewService(engine, flag.WithAppID("myapp"))
	resolver := override.NewResolver(st, st)
	logger := audit.NewLogger(st)
	mgr := rotation.NewManager(st, secretSvc, rotation.WithAppID("myapp"))

	ctx := context.Background()
	ctx = scope.WithAppID(ctx, "myapp")
	ctx = scope.WithTenantID(ctx, "tenant-1")
	ctx = scope.WithUserID(ctx, "user-42")
	ctx = scope.WithIP(ctx, "10.0.0.1")
	a, t, u, ip := scope.FromContext(ctx)
	want("four values", a == "myapp" && t == "tenant-1" && u == "user-42" && ip == "10.0.0.1")
	ctx = scope.WithScope(context.Background(), "myapp", "tenant-1", "user-42", "10.0.0.1")
	a, t, u, ip = scope.FromContext(ctx)
	want("WithScope", a == "myapp" && t == "tenant-1" && u == "user-42" && ip == "10.0.0.1")
	a, t, u, ip = scope.FromContext(context.Background())
	want("missing is empty", a+t+u+ip == "")
	want("keys", string(scope.KeyTenantID) == "vault.tenant_id" && string(flag.ContextKeyTenantID) == "vault.tenant_id" &&
		string(override.ContextKeyTenantID) == "vault.tenant_id" && string(flag.ContextKeyUserID) == string(scope.KeyUserID))

	// One tenant set once is seen by flags and overrides.
	noError(st.DefineFlag(ctx, &flag.Definition{Key: "new-dashboard", Type: flag.TypeBool, DefaultValue: false, Enabled: true, AppID: "myapp"}), "DefineFlag")
	noError(st.SetFlagRules(ctx, "new-dashboard", "myapp", []*flag.Rule{flag.WhenTenant("tenant-1").Return(true)}), "SetFlagRules")
	val, err := engine.Evaluate(ctx, "new-dashboard", "myapp")
	want("flag sees the scope", err == nil && val == true)
	want("flag service", flagSvc.Bool(ctx, "new-dashboard", false))
	other := scope.WithTenantID(ctx, "tenant-2")
	want("flag of another tenant", !flagSvc.Bool(other, "new-dashboard", false))

	noError(st.SetConfig(ctx, &config.Entry{Key: "rate-limit", Value: 100, AppID: "myapp"}), "SetConfig")
	noError(st.SetOverride(ctx, &override.Override{Key: "rate-limit", Value: 7, AppID: "myapp", TenantID: "tenant-1"}), "SetOverride")
	val, err = resolver.Resolve(ctx, "rate-limit", "myapp")
	want("override sees the scope", err == nil && fmt.Sprint(val) == "7")
	val, err = resolver.Resolve(other, "rate-limit", "myapp")
	want("config is the fallback", err == nil && fmt.Sprint(val) == "100")

	// Secrets: explicit app, tenant from the scope, never another tenant's.
	_, err = secretSvc.Set(ctx, "api-key", []byte("sk-tenant-1"), "myapp")
	want("secret set", err == nil)
	sec, err := secretSvc.Get(ctx, "api-key", "myapp")
	want("secret get", err == nil && sec != nil)
	_, err = secretSvc.Get(other, "api-key", "myapp")
	want("another tenant's secret", err != nil)
	printed := ""
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		printed += fmt.Sprintf(verb, sec)
	}
	want("a secret does not print", !contains(printed, "sk-tenant-1"))

	want("audit", logger.LogAccess(ctx, "api-key", "secret.accessed", "secret") == nil)

	// Middleware and background jobs.
	h := scopeMiddleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, t, u, ip := scope.FromContext(r.Context())
		fmt.Fprint(w, t, u, ip != "")
	}))
	rec := httptest.NewRecorder()
	req := httptest.NewRequest("GET", "/", nil)
	req.Header.Set("X-Tenant", "acme")
	req.Header.Set("X-User", "ann")
	h.ServeHTTP(rec, req)
	want("middleware", rec.Body.String() == "acmeanntrue")

	sys := scope.WithScope(context.Background(), "myapp", "system", "rotation-manager", "")
	_, err = secretSvc.Set(sys, "database-password", []byte("old"), "myapp")
	want("set for rotation", err == nil)
	mgr.RegisterRotator("database-password", func(ctx context.Context, cur []byte) ([]byte, error) { return []byte("new"), nil })
	err = rotateSecrets(mgr, "myapp")
	want("RotateNow", err == nil)

}
