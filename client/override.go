package client

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// Override is the tenant's own entry of a config key.
type Override struct {
	Key       string            `json:"key"`
	Value     json.RawMessage   `json:"value"`
	Version   int64             `json:"version"`
	Metadata  map[string]string `json:"metadata,omitempty"`
	UpdatedAt time.Time         `json:"updated_at"`
}

func overridePath(key string) string { return "/api/v1/overrides/" + segment(key) }

// Overrides lists the tenant's own config entries.
func (c *Client) Overrides(ctx context.Context) ([]Override, error) {
	var out struct {
		Overrides []Override `json:"overrides"`
	}
	return out.Overrides, c.Do(ctx, Request{Method: http.MethodGet, Path: "/api/v1/overrides"}, &out)
}

// Override reads the tenant's own entry of a key.
func (c *Client) Override(ctx context.Context, key string) (Override, error) {
	var out Override
	return out, c.Do(ctx, Request{Method: http.MethodGet, Path: overridePath(key)}, &out)
}

// SetOverride sets the tenant's own entry of a key.
func (c *Client) SetOverride(ctx context.Context, key string, w ConfigWrite) (ConfigEntry, error) {
	var out ConfigEntry
	return out, c.Do(ctx, Request{Method: http.MethodPut, Path: overridePath(key), JSON: w}, &out)
}

// DeleteOverride removes the tenant's own entry of a key: the app's answers from then on.
func (c *Client) DeleteOverride(ctx context.Context, key string) error {
	return c.Do(ctx, Request{Method: http.MethodDelete, Path: overridePath(key)}, nil)
}
