package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// ConfigEntry is a config entry as it is now, or as a version of it was.
type ConfigEntry struct {
	Key         string            `json:"key"`
	Value       json.RawMessage   `json:"value"`
	ValueType   string            `json:"value_type"` // string, bool, int, float, duration or json
	Version     int64             `json:"version"`
	Description string            `json:"description"`
	TenantID    string            `json:"tenant_id,omitempty"` // empty for the app's own
	Metadata    map[string]string `json:"metadata,omitempty"`
	CreatedBy   string            `json:"created_by,omitempty"`
	UpdatedAt   time.Time         `json:"updated_at"`
}

// ConfigVersion is one version of an entry.
type ConfigVersion struct {
	Version   int64           `json:"version"`
	Current   bool            `json:"current"`
	Value     json.RawMessage `json:"value"`
	CreatedBy string          `json:"created_by"`
	CreatedAt time.Time       `json:"created_at"`
}

// ConfigExplanation says which layers have a key.
type ConfigExplanation struct {
	Key    string `json:"key"`
	Layers []struct {
		Layer   string          `json:"layer"`
		Found   bool            `json:"found"`
		Version int64           `json:"version,omitempty"`
		Value   json.RawMessage `json:"value,omitempty"`
		Why     string          `json:"why"`
	} `json:"layers"` // in the order they are asked
	Answer string `json:"answer"` // the layer that answers; "" for none
}

// ConfigWrite is a value and what is kept beside it. What is nil or empty stays as it was.
type ConfigWrite struct {
	Value       json.RawMessage   `json:"value"`
	ValueType   string            `json:"value_type,omitempty"`
	Description *string           `json:"description,omitempty"`
	Metadata    map[string]string `json:"metadata,omitempty"`
	IfVersion   *int64            `json:"if_version,omitempty"` // fail unless this version is current; 0: unless there is none
}

func configPath(key string) string { return "/api/v1/config/" + segment(key) }

// Config lists what the keys are for the caller.
func (c *Client) Config(ctx context.Context) ([]ConfigEntry, error) {
	out := []ConfigEntry{}
	err := c.pages(ctx, "/api/v1/config", nil, func(get func(any) error) (string, error) {
		var page struct {
			Entries []ConfigEntry `json:"entries"`
			Next    string        `json:"next"`
		}
		err := get(&page)
		out = append(out, page.Entries...)
		return page.Next, err
	})
	return out, err
}

// ConfigEntry reads an entry: the tenant's own, else the app's. With a version other than 0 that version of the caller's own.
func (c *Client) ConfigEntry(ctx context.Context, key string, version int64) (ConfigEntry, error) {
	var q url.Values
	if version != 0 {
		q = url.Values{"version": {strconv.FormatInt(version, 10)}}
	}
	var out ConfigEntry
	return out, c.Do(ctx, Request{Method: http.MethodGet, Path: configPath(key), Query: q}, &out)
}

// ExplainConfig says which layers have a key, and which answers.
func (c *Client) ExplainConfig(ctx context.Context, key string) (ConfigExplanation, error) {
	var out ConfigExplanation
	return out, c.Do(ctx, Request{Method: http.MethodGet, Path: configPath(key) + "/explain"}, &out)
}

// SetConfig sets an entry: a tenant's own, an operator's the app's.
func (c *Client) SetConfig(ctx context.Context, key string, w ConfigWrite) (ConfigEntry, error) {
	var out ConfigEntry
	return out, c.Do(ctx, Request{Method: http.MethodPut, Path: configPath(key), JSON: w}, &out)
}

// DeleteConfig deletes an entry, as [Client.SetConfig] sets it.
func (c *Client) DeleteConfig(ctx context.Context, key string) error {
	return c.Do(ctx, Request{Method: http.MethodDelete, Path: configPath(key)}, nil)
}

// ConfigVersions lists the versions of the caller's own entry, oldest first.
func (c *Client) ConfigVersions(ctx context.Context, key string) ([]ConfigVersion, error) {
	var out struct {
		Versions []ConfigVersion `json:"versions"`
	}
	return out.Versions, c.Do(ctx, Request{Method: http.MethodGet, Path: configPath(key) + "/versions"}, &out)
}

// RollbackConfig writes the value of an earlier version as a new one. ifVersion, if not nil, must be the current one.
func (c *Client) RollbackConfig(ctx context.Context, key string, version int64, ifVersion *int64) (ConfigEntry, error) {
	var out ConfigEntry
	return out, c.Do(ctx, Request{Method: http.MethodPost, Path: configPath(key) + "/rollback", JSON: rollback(version, ifVersion)}, &out)
}

func rollback(version int64, ifVersion *int64) map[string]any {
	body := map[string]any{"version": version}
	if ifVersion != nil {
		body["if_version"] = *ifVersion
	}
	return body
}

// SetConfigSchema sets the JSON Schema that every value of a key must fit; nil takes it away. For operators.
func (c *Client) SetConfigSchema(ctx context.Context, key string, schema json.RawMessage) error {
	return c.Do(ctx, Request{Method: http.MethodPut, Path: configPath(key) + "/schema", JSON: map[string]any{"schema": schema}}, nil)
}
