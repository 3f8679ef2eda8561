package vault_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/crypto"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/secret"
	"github.com/haywardhq/hayward/vault/store/memory"
)

// The documented way to use the wing as a library: a middleware sets the scope once, every room reads it.
func Example() {
	st := memory.New()
	enc, err := crypto.NewEncryptor([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		fmt.Println(err)
		return
	}
	secrets := secret.NewService(st, enc, secret.WithAppID("myapp"))
	logger := audit.NewLogger(st)

	acme := scope.WithScope(context.Background(), "myapp", "acme", "ann", "10.0.0.1")
	globex := scope.WithTenantID(acme, "globex")
	if _, err := secrets.Set(acme, "api-key", []byte("sk-acme"), "myapp"); err != nil {
		fmt.Println(err)
	}
	sec, err := secrets.Get(acme, "api-key", "myapp")
	fmt.Println(sec.Key, sec.Version, sec.Value, err)
	_, err = secrets.Get(globex, "api-key", "myapp")
	fmt.Println(err)
	fmt.Println(logger.LogAccess(acme, "api-key", "secret.accessed", "secret"))

	page, err := audit.NewService(st, audit.NewGate(logger, nil)).List(acme, audit.Query{Action: "secret.*", OldestFirst: true})
	for _, e := range page.Entries {
		fmt.Println(e.Seq, e.UserID, e.Action, e.Key, e.Outcome)
	}
	report, err2 := audit.Verify(acme, st, nil, nil)
	fmt.Println(report.OK(), err, err2)
	// Output:
	// api-key 1 [sealed] <nil>
	// there is no secret api-key: no such secret
	// <nil>
	// 1 ann secret.set api-key begin
	// 2 ann secret.set api-key ok
	// 3 ann secret.get api-key begin
	// 4 ann secret.get api-key ok
	// 5 ann secret.accessed api-key ok
	// true <nil> <nil>
}

func TestAMiddlewareSetsTheScopeForEveryRoom(t *testing.T) {
	st := memory.New()
	enc, err := crypto.NewEncryptor([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	svc := secret.NewService(st, enc)
	door := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := scope.WithScope(r.Context(), "myapp", r.Header.Get("X-Tenant"), r.Header.Get("X-User"), r.RemoteAddr)
		if _, err := svc.Set(ctx, "K", []byte("of "+r.Header.Get("X-Tenant")), ""); err != nil {
			w.WriteHeader(http.StatusBadRequest)
		}
	})
	for tenant, want := range map[string]int{"acme": 200, "globex": 200, "": 400} {
		rec, req := httptest.NewRecorder(), httptest.NewRequest("POST", "/", nil)
		req.Header.Set("X-Tenant", tenant)
		door.ServeHTTP(rec, req)
		if rec.Code != want {
			t.Errorf("tenant %q: %d", tenant, rec.Code)
		}
	}
}
