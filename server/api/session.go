package api

import (
	"context"
	"net/http"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/server/router"
)

func (d *Door) sessionRoutes() []router.Route {
	return []router.Route{
		{Method: http.MethodDelete, Path: "/api/v1/sessions/{id}", Handler: d.forgetSession, Action: policy.PipelineRun, Tag: "pipelines",
			Summary: "Forget a conversation of one's own"},
	}
}

func (d *Door) forgetSession(ctx context.Context, r *router.Request) (any, error) {
	return nil, d.Host.ForgetSession(ctx, r.PathValue("id"))
}
