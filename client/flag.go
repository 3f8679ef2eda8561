package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"
)

// FlagValue is what a flag is for one caller, and why.
type FlagValue struct {
	Key          string          `json:"key"`
	Value        json.RawMessage `json:"value"` // with every digit as the server has it
	Variant      string          `json:"variant,omitempty"`
	Reason       string          `json:"reason"`          // OpenFeature's word: STATIC, DEFAULT, TARGETING_MATCH, SPLIT, DISABLED, ERROR
	Layer        string          `json:"layer,omitempty"` // default, tenant or rule
	RuleID       string          `json:"rule_id,omitempty"`
	Version      int64           `json:"version,omitempty"`
	ErrorCode    string          `json:"error_code,omitempty"`
	ErrorMessage string          `json:"error_message,omitempty"`
}

// FlagExplanation is a flag's value and the way to it.
type FlagExplanation struct {
	FlagValue
	Steps []struct {
		What    string `json:"what"`
		Flag    string `json:"flag,omitempty"`
		RuleID  string `json:"rule_id,omitempty"`
		Matched bool   `json:"matched"`
		Says    string `json:"says"`
	} `json:"steps"` // in the order they were taken
}

// FlagQuestion asks what a flag is for somebody. The zero value of a field is the caller's own.
type FlagQuestion struct {
	Tenant     string                     `json:"tenant,omitempty"` // slug; for operators
	User       string                     `json:"user,omitempty"`   // id
	Attributes map[string]json.RawMessage `json:"attributes,omitempty"`
}

// FlagOverride is the value a flag has for one tenant.
type FlagOverride struct {
	FlagKey   string          `json:"flag_key"`
	TenantID  string          `json:"tenant_id"`
	Tenant    string          `json:"tenant"` // slug
	Value     json.RawMessage `json:"value"`
	UpdatedAt time.Time       `json:"updated_at"`
}

// Flag is a flag's definition.
type Flag struct {
	Key            string          `json:"key"`
	Type           string          `json:"type"` // bool, string, int, float or json
	DefaultValue   json.RawMessage `json:"default_value"`
	DefaultVariant string          `json:"default_variant,omitempty"`
	Description    string          `json:"description,omitempty"`
	Tags           []string        `json:"tags,omitempty"`
	Enabled        bool            `json:"enabled"`
	Version        int64           `json:"version"`
	UpdatedAt      time.Time       `json:"updated_at"`
	Rules          json.RawMessage `json:"rules,omitempty"` // as the server has them; only when one flag is asked for
}

func flagPath(key string) string       { return "/api/v1/flags/" + segment(key) }
func definitionPath(key string) string { return "/api/v1/flag-definitions/" + segment(key) }

// Flags evaluates every flag of the app for the caller.
func (c *Client) Flags(ctx context.Context) ([]FlagValue, error) {
	var out struct {
		Flags []FlagValue `json:"flags"`
	}
	return out.Flags, c.Do(ctx, Request{Method: http.MethodGet, Path: "/api/v1/flags"}, &out)
}

// Flag evaluates a flag for the caller.
func (c *Client) Flag(ctx context.Context, key string) (FlagValue, error) {
	var out FlagValue
	return out, c.Do(ctx, Request{Method: http.MethodGet, Path: flagPath(key)}, &out)
}

// ExplainFlag says step by step what a flag is for somebody, and why.
func (c *Client) ExplainFlag(ctx context.Context, key string, q FlagQuestion) (FlagExplanation, error) {
	var out FlagExplanation
	return out, c.Do(ctx, Request{Method: http.MethodPost, Path: flagPath(key) + "/explain", JSON: q}, &out)
}

// FlagOverrides lists the values a flag has for tenants: the caller's own; an operator's, every tenant's.
func (c *Client) FlagOverrides(ctx context.Context, key string) ([]FlagOverride, error) {
	var out struct {
		Overrides []FlagOverride `json:"overrides"`
	}
	return out.Overrides, c.Do(ctx, Request{Method: http.MethodGet, Path: flagPath(key) + "/overrides"}, &out)
}

// SetFlagOverride sets the value a flag has for a tenant: "" is the caller's own, operators name one by its slug.
func (c *Client) SetFlagOverride(ctx context.Context, key, tenant string, value json.RawMessage) error {
	return c.Do(ctx, Request{Method: http.MethodPut, Path: flagPath(key) + "/override", Query: ofTenant(tenant), JSON: map[string]any{"value": value}}, nil)
}

// DeleteFlagOverride removes the value a flag has for a tenant, as [Client.SetFlagOverride] sets it.
func (c *Client) DeleteFlagOverride(ctx context.Context, key, tenant string) error {
	return c.Do(ctx, Request{Method: http.MethodDelete, Path: flagPath(key) + "/override", Query: ofTenant(tenant)}, nil)
}

func ofTenant(slug string) url.Values {
	if slug == "" {
		return nil
	}
	return url.Values{"tenant": {slug}}
}

// FlagDefinitions lists the app's flags; for operators.
func (c *Client) FlagDefinitions(ctx context.Context) ([]Flag, error) {
	out := []Flag{}
	err := c.pages(ctx, "/api/v1/flag-definitions", nil, func(get func(any) error) (string, error) {
		var page struct {
			Flags []Flag `json:"flags"`
			Next  string `json:"next"`
		}
		err := get(&page)
		out = append(out, page.Flags...)
		return page.Next, err
	})
	return out, err
}

// FlagDefinition describes a flag with its rules; for operators.
func (c *Client) FlagDefinition(ctx context.Context, key string) (Flag, error) {
	var out Flag
	return out, c.Do(ctx, Request{Method: http.MethodGet, Path: definitionPath(key)}, &out)
}

// DefineFlag creates a flag or changes its definition, which is a JSON object as the API takes it; for operators.
func (c *Client) DefineFlag(ctx context.Context, key string, definition json.RawMessage) (Flag, error) {
	var out Flag
	return out, c.Do(ctx, Request{Method: http.MethodPut, Path: definitionPath(key), Body: definition}, &out)
}

// EnableFlag switches a flag on or off; for operators.
func (c *Client) EnableFlag(ctx context.Context, key string, enabled bool) error {
	return c.Do(ctx, Request{Method: http.MethodPatch, Path: definitionPath(key), JSON: map[string]any{"enabled": enabled}}, nil)
}

// SetFlagRules replaces a flag's rules, a JSON list as the API takes it; for operators.
func (c *Client) SetFlagRules(ctx context.Context, key string, rules json.RawMessage) error {
	return c.Do(ctx, Request{Method: http.MethodPut, Path: definitionPath(key) + "/rules", JSON: map[string]any{"rules": rules}}, nil)
}

// DeleteFlag deletes a flag with its rules and every tenant's own value; for operators.
func (c *Client) DeleteFlag(ctx context.Context, key string) error {
	return c.Do(ctx, Request{Method: http.MethodDelete, Path: definitionPath(key)}, nil)
}

// Revision is one version of a flag, of a segment or of a tenant's own value.
type Revision struct {
	Version   int64     `json:"version"`
	Action    string    `json:"action"`
	Current   bool      `json:"current"`
	Deleted   bool      `json:"deleted,omitempty"` // it is a deletion
	CreatedAt time.Time `json:"created_at"`
	CreatedBy string    `json:"created_by,omitempty"`
}

func (c *Client) revisions(ctx context.Context, path, tenant string) ([]Revision, error) {
	var out struct {
		Versions []Revision `json:"versions"`
	}
	return out.Versions, c.Do(ctx, Request{Method: http.MethodGet, Path: path + "/versions", Query: ofTenant(tenant)}, &out)
}

// FlagVersions lists a flag's versions, oldest first; for operators.
func (c *Client) FlagVersions(ctx context.Context, key string) ([]Revision, error) {
	return c.revisions(ctx, definitionPath(key), "")
}

// RollbackFlag makes a flag what it was at a version; for operators.
func (c *Client) RollbackFlag(ctx context.Context, key string, version int64, ifVersion *int64) (Flag, error) {
	var out Flag
	return out, c.Do(ctx, Request{Method: http.MethodPost, Path: definitionPath(key) + "/rollback", JSON: rollback(version, ifVersion)}, &out)
}

// FlagOverrideVersions lists the versions of the value a flag has for a tenant, as [Client.SetFlagOverride] sets it.
func (c *Client) FlagOverrideVersions(ctx context.Context, key, tenant string) ([]Revision, error) {
	return c.revisions(ctx, flagPath(key)+"/override", tenant)
}

// RollbackFlagOverride makes the value a flag has for a tenant what it was at a version.
func (c *Client) RollbackFlagOverride(ctx context.Context, key, tenant string, version int64, ifVersion *int64) error {
	return c.Do(ctx, Request{Method: http.MethodPost, Path: flagPath(key) + "/override/rollback", Query: ofTenant(tenant), JSON: rollback(version, ifVersion)}, nil)
}

// Segment is a named list of conditions that rules refer to.
type Segment struct {
	Key         string          `json:"key"`
	Description string          `json:"description,omitempty"`
	Conditions  json.RawMessage `json:"conditions"`
	Any         bool            `json:"any,omitempty"` // one condition is enough
	Version     int64           `json:"version"`
	UpdatedAt   time.Time       `json:"updated_at"`
}

func segmentPath(key string) string { return "/api/v1/flag-segments/" + segment(key) }

// Segments lists the app's segments; for operators.
func (c *Client) Segments(ctx context.Context) ([]Segment, error) {
	out := []Segment{}
	err := c.pages(ctx, "/api/v1/flag-segments", nil, func(get func(any) error) (string, error) {
		var page struct {
			Segments []Segment `json:"segments"`
			Next     string    `json:"next"`
		}
		err := get(&page)
		out = append(out, page.Segments...)
		return page.Next, err
	})
	return out, err
}

// Segment describes a segment; for operators.
func (c *Client) Segment(ctx context.Context, key string) (Segment, error) {
	var out Segment
	return out, c.Do(ctx, Request{Method: http.MethodGet, Path: segmentPath(key)}, &out)
}

// DefineSegment creates a segment or changes it; the body is a JSON object as the API takes it. For operators.
func (c *Client) DefineSegment(ctx context.Context, key string, body json.RawMessage) (Segment, error) {
	var out Segment
	return out, c.Do(ctx, Request{Method: http.MethodPut, Path: segmentPath(key), Body: body}, &out)
}

// DeleteSegment deletes a segment that nothing refers to; for operators.
func (c *Client) DeleteSegment(ctx context.Context, key string) error {
	return c.Do(ctx, Request{Method: http.MethodDelete, Path: segmentPath(key)}, nil)
}

// SegmentVersions lists a segment's versions, oldest first; for operators.
func (c *Client) SegmentVersions(ctx context.Context, key string) ([]Revision, error) {
	return c.revisions(ctx, segmentPath(key), "")
}

// RollbackSegment makes a segment what it was at a version; for operators.
func (c *Client) RollbackSegment(ctx context.Context, key string, version int64, ifVersion *int64) (Segment, error) {
	var out Segment
	return out, c.Do(ctx, Request{Method: http.MethodPost, Path: segmentPath(key) + "/rollback", JSON: rollback(version, ifVersion)}, &out)
}
