package vault_test

import (
	"context"
	"fmt"

	"github.com/haywardhq/hayward/vault/config"
	"github.com/haywardhq/hayward/vault/flag"
	"github.com/haywardhq/hayward/vault/override"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/memory"
)

// One tenant, set once, is seen by flags and overrides; another tenant sees the app's.
func Example_settings() {
	st := memory.New()
	engine := flag.NewEngine(st)
	flags := flag.NewService(engine, flag.WithAppID("myapp"))
	resolver := override.NewResolver(st, st)

	ctx := scope.WithScope(context.Background(), "myapp", "tenant-1", "user-42", "10.0.0.1")
	other := scope.WithTenantID(ctx, "tenant-2")
	fmt.Println(scope.KeyTenantID == flag.ContextKeyTenantID, scope.KeyTenantID == override.ContextKeyTenantID, scope.KeyUserID == flag.ContextKeyUserID)

	check(st.DefineFlag(ctx, &flag.Definition{Key: "new-dashboard", Type: flag.TypeBool, DefaultValue: false, Enabled: true, AppID: "myapp"}))
	check(st.SetFlagRules(ctx, "new-dashboard", "myapp", []*flag.Rule{flag.WhenTenant("tenant-1").Return(true)}))
	val, err := engine.Evaluate(ctx, "new-dashboard", "myapp")
	fmt.Println(val, err, flags.Bool(ctx, "new-dashboard", false), flags.Bool(other, "new-dashboard", false))

	check(st.SetConfig(ctx, &config.Entry{Key: "rate-limit", Value: 100, AppID: "myapp"}))
	check(st.SetOverride(ctx, &override.Override{Key: "rate-limit", Value: 7, AppID: "myapp", TenantID: "tenant-1"}))
	val, err = resolver.Resolve(ctx, "rate-limit", "myapp")
	fmt.Println(val, err)
	val, err = resolver.Resolve(other, "rate-limit", "myapp")
	fmt.Println(val, err)
	// Output:
	// true true true
	// true <nil> true false
	// 7 <nil>
	// 100 <nil>
}

func check(err error) {
	if err != nil {
		fmt.Println(err)
	}
}
