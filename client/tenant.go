package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Tenant is a tenant of the app.
type Tenant struct {
	ID        string    `json:"id"`
	Slug      string    `json:"slug"`
	Name      string    `json:"name"`
	Suspended bool      `json:"suspended"`
	CreatedAt time.Time `json:"created_at"`
}

// CreateTenant creates a tenant; for operators.
func (c *Client) CreateTenant(ctx context.Context, slug, name string) (Tenant, error) {
	body := map[string]any{"slug": slug}
	if name != "" {
		body["name"] = name
	}
	var out Tenant
	return out, c.Do(ctx, Request{Method: http.MethodPost, Path: "/api/v1/tenants", JSON: body}, &out)
}

// Tenants lists all tenants; for operators.
func (c *Client) Tenants(ctx context.Context) ([]Tenant, error) {
	out := []Tenant{}
	err := c.pages(ctx, "/api/v1/tenants", nil, func(get func(any) error) (string, error) {
		var page struct {
			Tenants []Tenant `json:"tenants"`
			Next    string   `json:"next"`
		}
		err := get(&page)
		out = append(out, page.Tenants...)
		return page.Next, err
	})
	return out, err
}

// SuspendTenant suspends a tenant, or lets it go on; for operators.
func (c *Client) SuspendTenant(ctx context.Context, slug string, suspended bool) error {
	return c.Do(ctx, Request{Method: http.MethodPatch, Path: "/api/v1/tenants/" + segment(slug), JSON: map[string]any{"suspended": suspended}}, nil)
}

// pageSize is how many things a list asks for at a time: the most the server gives.
const pageSize = 1000

// pages calls read for each page of a list until one names no next.
func (c *Client) pages(ctx context.Context, path string, query url.Values, read func(get func(any) error) (next string, err error)) error {
	q := url.Values{"limit": {strconv.Itoa(pageSize)}}
	for k, v := range query {
		q[k] = v
	}
	for {
		next, err := read(func(out any) error { return c.Do(ctx, Request{Method: http.MethodGet, Path: path, Query: q}, out) })
		if err != nil || next == "" {
			return err
		}
		q.Set("after", next)
	}
}
