package main

import (
	"context"

	"github.com/open-feature/go-sdk/openfeature"
	"github.com/open-feature/go-sdk/openfeature/isolated"

	"github.com/haywardhq/hayward/vault/flag"
	provider "github.com/haywardhq/hayward/vault/flag/openfeature"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/memory"
)

const app = "bench"

// service returns Hayward's flags with the flag defined, and the context of each caller.
func service(callers []caller) (*flag.Service, []context.Context, error) {
	ctx := scope.WithScope(context.Background(), app, "", "operator", "")
	svc := flag.NewService(flag.NewEngine(memory.New()), flag.WithAppID(app))
	err := svc.Define(ctx, &flag.Definition{Key: flagKey, Type: flag.TypeBool, DefaultValue: false, Enabled: true})
	if err == nil {
		err = svc.SetRules(ctx, flagKey, []*flag.Rule{flag.WhenUser(users...).Return(true), flag.WhenTenant(tenants...).Return(true),
			flag.Rollout(percent).Return(true)})
	}
	ctxs := make([]context.Context, len(callers))
	for i, c := range callers {
		ctxs[i] = scope.WithScope(context.Background(), app, c.tenant, c.user, "10.0.0.1")
	}
	return svc, ctxs, err
}

func newHayward(callers []caller) (contender, error) {
	svc, ctxs, err := service(callers)
	return contender{name: "Hayward: Service.Bool", call: func(i int) bool { return svc.Bool(ctxs[i], flagKey, false) }}, err
}

func newDetail(callers []caller) (contender, error) {
	svc, ctxs, err := service(callers)
	return contender{name: "Hayward: Service.BoolDetail", call: func(i int) bool { return svc.BoolDetail(ctxs[i], flagKey, false).Value }}, err
}

func newOpenFeature(callers []caller) (contender, error) {
	svc, ctxs, err := service(callers)
	if err != nil {
		return contender{}, err
	}
	api := isolated.NewAPI()
	if err := api.SetProviderAndWait(context.Background(), provider.New(svc)); err != nil {
		return contender{}, err
	}
	client := api.NewClient()
	none := openfeature.EvaluationContext{}
	return contender{name: "Hayward through the OpenFeature client", call: func(i int) bool { return client.Boolean(ctxs[i], flagKey, false, none) },
		close: func() { _ = api.Shutdown(context.Background()) }}, nil
}
