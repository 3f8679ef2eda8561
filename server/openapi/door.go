package openapi

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/server/router"
)

// Door serves the document and its page.
type Door struct {
	Info    Info
	Mounted func() []router.Route // the whole mount list, this door's routes included
	Host    Pipelines
}

// Routes implements router.Mounter.
func (d *Door) Routes() []router.Route {
	const open, tag = "it describes the doors, not what is behind them", "service"
	return []router.Route{
		{Method: http.MethodGet, Path: "/openapi.json", Handler: d.document, Open: open, Tag: tag, Summary: "This document", Document: true, Answers: map[string]any{}},
		{Method: http.MethodGet, Path: "/api/v1/openapi.json", Handler: d.own, Action: policy.PipelineRead, Tag: tag,
			Summary: "This document, with the tenant's pipelines and their inputs", Document: true, Answers: map[string]any{}},
		{Method: http.MethodGet, Path: "/docs", Handler: d.page, Open: open},
		{Method: http.MethodGet, Path: "/docs/style.css", Handler: d.style, Open: open},
	}
}

func (d *Door) document(context.Context, *router.Request) (any, error) { return d.answer(nil) }

func (d *Door) own(ctx context.Context, _ *router.Request) (any, error) {
	list, err := ofTenant(ctx, d.Host)
	if err != nil {
		return nil, err
	}
	return d.answer(list)
}

func (d *Door) answer(list []Pipeline) (any, error) {
	b, err := json.Marshal(Document(d.Info, d.Mounted(), list))
	if err != nil {
		return nil, err
	}
	return &router.Response{Body: b, Header: http.Header{"Content-Type": {"application/json"}, "Cache-Control": {"no-cache"}}}, nil
}

func (d *Door) page(context.Context, *router.Request) (any, error) {
	b, err := Page(Document(d.Info, d.Mounted(), nil), "/docs/style.css")
	if err != nil {
		return nil, err
	}
	return &router.Response{Body: b, Header: http.Header{"Content-Type": {"text/html; charset=utf-8"}, "Cache-Control": {"no-cache"},
		"Content-Security-Policy": {ContentSecurityPolicy}, "X-Frame-Options": {"DENY"}}}, nil
}

func (d *Door) style(context.Context, *router.Request) (any, error) {
	return &router.Response{Body: []byte(Stylesheet), Header: http.Header{"Content-Type": {"text/css; charset=utf-8"}, "Cache-Control": {"no-cache"}}}, nil
}
