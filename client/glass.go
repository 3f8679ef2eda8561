package client

import (
	"context"
	"net/http"
	"time"
)

// Glass is an operator's leave for one tenant to go on although its record was changed.
type Glass struct {
	ID       string    `json:"id"`
	Tenant   string    `json:"tenant"` // id
	Reason   string    `json:"reason"`
	OpenedBy string    `json:"opened_by"`
	OpenedAt time.Time `json:"opened_at"`
	Until    time.Time `json:"until"`
	ClosedAt time.Time `json:"closed_at,omitzero"`
	Open     bool      `json:"open"`
}

func glassPath(slug string) string { return "/api/v1/tenants/" + segment(slug) + "/break-glass" }

// BreakGlass lets a tenant go on although its record was changed; for operators. A zero length is an hour.
func (c *Client) BreakGlass(ctx context.Context, slug, reason string, length time.Duration) (Glass, error) {
	body := map[string]string{"reason": reason}
	if length != 0 {
		body["for"] = length.String()
	}
	var out Glass
	return out, c.Do(ctx, Request{Method: http.MethodPost, Path: glassPath(slug), JSON: body}, &out)
}

// CloseGlass closes a tenant's break-glass before its time; for operators.
func (c *Client) CloseGlass(ctx context.Context, slug string) (Glass, error) {
	var out Glass
	return out, c.Do(ctx, Request{Method: http.MethodDelete, Path: glassPath(slug)}, &out)
}

// Glasses lists a tenant's break-glasses, newest first: "" is the caller's own, operators name one by its slug.
func (c *Client) Glasses(ctx context.Context, slug string) ([]Glass, error) {
	var out struct {
		Glasses []Glass `json:"glasses"`
	}
	return out.Glasses, c.Do(ctx, Request{Method: http.MethodGet, Path: "/api/v1/audit/break-glass", Query: ofTenant(slug)}, &out)
}
