package api

import (
	"context"
	"net/http"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/server/router"
	"github.com/haywardhq/hayward/vault/config"
	"github.com/haywardhq/hayward/vault/override"
)

func (d *Door) overrideRoutes() []router.Route {
	const tag, one = "overrides", "/api/v1/overrides/{key}"
	return []router.Route{
		{Method: http.MethodGet, Path: "/api/v1/overrides", Handler: d.listOverrides, Action: policy.ConfigRead, Tag: tag,
			Summary: "List the tenant's own config entries", Answers: OverrideList{}},
		{Method: http.MethodGet, Path: one, Handler: d.getOverride, Action: policy.ConfigRead, Tag: tag,
			Summary: "Read the tenant's own entry of a key", Answers: override.Override{}},
		{Method: http.MethodPut, Path: one, Handler: d.setOverride, Action: policy.ConfigSet, Tag: tag,
			Summary: "Set the tenant's own entry of a key", Accepts: body(ConfigBody{}), Answers: config.Entry{}},
		{Method: http.MethodDelete, Path: one, Handler: d.deleteOverride, Action: policy.ConfigSet, Tag: tag,
			Summary: "Remove the tenant's own entry of a key: the app's answers from then on"},
	}
}

// OverrideList lists a tenant's overrides.
type OverrideList struct {
	Overrides []*override.Override `json:"overrides"`
}

func (d *Door) listOverrides(ctx context.Context, _ *router.Request) (any, error) {
	list, err := d.Settings.ListOverrides(ctx)
	return answer(OverrideList{Overrides: append([]*override.Override{}, list...)}, err)
}

func (d *Door) getOverride(ctx context.Context, r *router.Request) (any, error) {
	return answer(d.Settings.Override(ctx, r.PathValue("key")))
}

func (d *Door) setOverride(ctx context.Context, r *router.Request) (any, error) {
	var b ConfigBody
	if err := r.Decode(&b); err != nil {
		return nil, err
	}
	if b.Value == nil {
		return nil, missingValue()
	}
	return answer(d.Settings.SetOverride(ctx, r.PathValue("key"), b.Value.Any, b.options()...))
}

func (d *Door) deleteOverride(ctx context.Context, r *router.Request) (any, error) {
	return nil, d.Settings.DeleteOverride(ctx, r.PathValue("key"))
}
