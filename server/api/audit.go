package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/server/router"
	"github.com/haywardhq/hayward/vault/audit"
)

func (d *Door) auditRoutes() []router.Route {
	const tag = "audit"
	return []router.Route{
		{Method: http.MethodGet, Path: "/api/v1/audit", Handler: d.listAudit, Action: policy.AuditRead, Tag: tag,
			Summary: "List audit entries: a tenant's own; an operator's by default those of every tenant", Answers: audit.Page{},
			Params: []router.Param{{Name: "tenant", Doc: "operators: one tenant's id"}, {Name: "scope", Doc: "operators: every (default) or operator, for the operator's own chain"},
				{Name: "user", Doc: "who acted"}, {Name: "action", Doc: "pipeline.run, or a prefix: secret.*"}, {Name: "key", Doc: "the name of the thing"},
				{Name: "outcome", Doc: "begin, ok, denied, not_found or error"}, {Name: "request_id", Doc: "one request"},
				{Name: "from", Doc: "RFC 3339"}, {Name: "to", Doc: "RFC 3339"}, {Name: "limit", Doc: "at most 1000; default 100", Integer: true},
				{Name: "cursor", Doc: "next of the page before"}, {Name: "order", Doc: "newest (default) or oldest"}}},
		{Method: http.MethodPost, Path: "/api/v1/audit/verify", Handler: d.verifyAudit, Action: policy.AuditReadAll, Tag: tag,
			Summary: "Verify every audit chain against its head", Answers: map[string]any{}},
	}
}

func (d *Door) listAudit(ctx context.Context, r *router.Request) (any, error) {
	q, err := auditQuery(r)
	if err != nil {
		return nil, err
	}
	return d.Audit.List(ctx, q)
}

func auditQuery(r *router.Request) (audit.Query, error) {
	v := r.URL.Query()
	if err := oneOf(v.Get("order"), "order", "newest", "oldest"); err != nil {
		return audit.Query{}, err
	}
	if err := oneOf(v.Get("scope"), "scope", "every", "operator"); err != nil {
		return audit.Query{}, err
	}
	if err := oneOf(v.Get("outcome"), "outcome", "begin", "ok", "denied", "not_found", "error"); err != nil {
		return audit.Query{}, err
	}
	limit, err := intParam(r, "limit", 100)
	if err != nil {
		return audit.Query{}, err
	}
	q := audit.Query{Tenant: v.Get("tenant"), User: v.Get("user"), Action: v.Get("action"), Key: v.Get("key"), Outcome: audit.Outcome(v.Get("outcome")),
		RequestID: v.Get("request_id"), Cursor: v.Get("cursor"), OldestFirst: v.Get("order") == "oldest", Limit: limit}
	q.EveryTenant = r.Who.Tenant == "" && q.Tenant == "" && v.Get("scope") != "operator"
	if q.From, err = timeParam(v.Get("from"), "from"); err != nil {
		return q, err
	}
	q.To, err = timeParam(v.Get("to"), "to")
	return q, err
}

func oneOf(text, name string, words ...string) error {
	if text == "" || slices.Contains(words, text) {
		return nil
	}
	return fault.New(fault.Invalid, "%s must be %s", name, strings.Join(words, " or ")).At(fault.Where{Field: name})
}

func timeParam(text, name string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, fault.New(fault.Invalid, "%s is not a time such as 2026-11-22T10:00:00Z", name).At(fault.Where{Field: name})
	}
	return t, nil
}

func (d *Door) verifyAudit(ctx context.Context, _ *router.Request) (any, error) { return d.Verify(ctx) }
