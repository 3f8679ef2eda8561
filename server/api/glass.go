package api

import (
	"context"
	"net/http"
	"time"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/server/router"
	"github.com/haywardhq/hayward/vault/audit"
)

// Glasses is what the door needs of break-glasses; *host.Glasses is one.
type Glasses interface {
	BreakGlass(ctx context.Context, slug, reason string, d time.Duration) (audit.Glass, error)
	CloseGlass(ctx context.Context, slug string) (audit.Glass, error)
	List(ctx context.Context, slug string) ([]audit.Glass, error)
}

func (d *Door) glassRoutes() []router.Route {
	const tag, path = "audit", "/api/v1/tenants/{slug}/break-glass"
	return []router.Route{
		{Method: http.MethodPost, Path: path, Handler: d.breakGlass, Action: policy.BreakGlass, Tag: tag,
			Summary: "Let a tenant go on although its record was changed, in a chain beside it, for a time and a reason", Accepts: body(GlassBody{}), Answers: audit.Glass{}},
		{Method: http.MethodDelete, Path: path, Handler: d.closeGlass, Action: policy.BreakGlass, Tag: tag,
			Summary: "Close a tenant's break-glass before its time", Answers: audit.Glass{}},
		{Method: http.MethodGet, Path: "/api/v1/audit/break-glass", Handler: d.listGlasses, Action: policy.AuditRead, Tag: tag,
			Summary: "List a tenant's break-glasses: the caller's own, an operator's those of a tenant he names",
			Params:  []router.Param{{Name: "tenant", Doc: "operators: slug"}}, Answers: GlassList{}},
	}
}

// GlassBody says why, and for how long.
type GlassBody struct {
	Reason string `json:"reason"`        // 10 characters at least
	For    string `json:"for,omitempty"` // a duration such as 2h; an hour when left out, a day at most
}

// GlassList lists break-glasses, newest first.
type GlassList struct {
	Glasses []audit.Glass `json:"glasses"`
}

func (d *Door) breakGlass(ctx context.Context, r *router.Request) (any, error) {
	var b GlassBody
	if err := r.Decode(&b); err != nil {
		return nil, err
	}
	var length time.Duration
	if b.For != "" {
		var err error
		if length, err = time.ParseDuration(b.For); err != nil || length <= 0 {
			return nil, fault.New(fault.Invalid, "for is not a duration such as 2h").At(fault.Where{Field: "for"})
		}
	}
	return answer(d.Glasses.BreakGlass(ctx, r.PathValue("slug"), b.Reason, length))
}

func (d *Door) closeGlass(ctx context.Context, r *router.Request) (any, error) {
	return answer(d.Glasses.CloseGlass(ctx, r.PathValue("slug")))
}

func (d *Door) listGlasses(ctx context.Context, r *router.Request) (any, error) {
	list, err := d.Glasses.List(ctx, r.URL.Query().Get("tenant"))
	return answer(GlassList{list}, err)
}
