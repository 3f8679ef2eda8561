package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/host"
	"github.com/haywardhq/hayward/server/router"
	"github.com/haywardhq/hayward/vault/config"
	"github.com/haywardhq/hayward/vault/override"
)

// Settings is what the door needs of config and overrides; *host.Settings is one.
type Settings interface {
	Get(ctx context.Context, key, appID string) (*config.Entry, error)
	GetVersion(ctx context.Context, key, appID string, version int64) (*config.Entry, error)
	List(ctx context.Context, appID string, opts config.ListOpts) ([]*config.Entry, error)
	ListVersions(ctx context.Context, key, appID string) ([]*config.EntryVersion, error)
	SetEntry(ctx context.Context, key string, value any, appID string, opts ...config.SetOption) (*config.Entry, error)
	Rollback(ctx context.Context, key, appID string, version int64, opts ...config.SetOption) (*config.Entry, error)
	Delete(ctx context.Context, key, appID string, opts ...config.SetOption) error
	SetSchema(ctx context.Context, key string, schema json.RawMessage, appID string) error
	ExplainConfig(ctx context.Context, key string) (*host.ConfigExplanation, error)

	Override(ctx context.Context, key string) (*override.Override, error)
	ListOverrides(ctx context.Context) ([]*override.Override, error)
	SetOverride(ctx context.Context, key string, v any, opts ...config.SetOption) (*config.Entry, error)
	DeleteOverride(ctx context.Context, key string) error
}

func (d *Door) configRoutes() []router.Route {
	const tag, one = "config", "/api/v1/config/{key}"
	return []router.Route{
		{Method: http.MethodGet, Path: "/api/v1/config", Handler: d.listConfig, Action: policy.ConfigRead, Tag: tag,
			Summary: "List what the keys are for the caller: a tenant's own entries and the app's others", Params: pageParams, Answers: ConfigList{}},
		{Method: http.MethodGet, Path: one, Handler: d.getConfig, Action: policy.ConfigRead, Tag: tag,
			Summary: "Read an entry: the tenant's own, else the app's", Params: []router.Param{{Name: "version", Doc: "an earlier version of the caller's own", Integer: true}}, Answers: config.Entry{}},
		{Method: http.MethodGet, Path: one + "/explain", Handler: d.explainConfig, Action: policy.ConfigRead, Tag: tag,
			Summary: "Say which layers have a key, and which answers", Answers: host.ConfigExplanation{}},
		{Method: http.MethodPut, Path: one, Handler: d.setConfig, Action: policy.ConfigSet, Tag: tag,
			Summary: "Set an entry: a tenant's own, an operator's the app's", Accepts: body(ConfigBody{}), Answers: config.Entry{}},
		{Method: http.MethodDelete, Path: one, Handler: d.deleteConfig, Action: policy.ConfigSet, Tag: tag,
			Summary: "Delete an entry: a tenant's own, an operator's the app's"},
		{Method: http.MethodGet, Path: one + "/versions", Handler: d.configVersions, Action: policy.ConfigRead, Tag: tag,
			Summary: "List the versions of the caller's own entry", Answers: ConfigVersions{}},
		{Method: http.MethodPost, Path: one + "/rollback", Handler: d.rollbackConfig, Action: policy.ConfigSet, Tag: tag,
			Summary: "Write an earlier version's value as a new version", Accepts: body(RollbackBody{}), Answers: config.Entry{}},
		{Method: http.MethodPut, Path: one + "/schema", Handler: d.setConfigSchema, Action: policy.ConfigSchema, Tag: tag,
			Summary: "Set the JSON Schema that every value of a key must fit; null takes it away", Accepts: body(SchemaBody{})},
	}
}

// ConfigList is a page of entries.
type ConfigList struct {
	Entries []*config.Entry `json:"entries"`
	Next    string          `json:"next,omitempty"`
}

// ConfigVersions lists an entry's versions.
type ConfigVersions struct {
	Versions []*config.EntryVersion `json:"versions"`
}

// ConfigBody sets an entry. What is left out beside the value stays as it was.
type ConfigBody struct {
	Value       *router.Value     `json:"value"`
	ValueType   string            `json:"value_type,omitempty"` // string, bool, int, float, duration or json; the value's own when left out
	Description *string           `json:"description,omitempty"`
	Metadata    map[string]string `json:"metadata,omitempty"`
	IfVersion   *int64            `json:"if_version,omitempty"` // fail unless this version is current; 0: unless there is none
}

func (b *ConfigBody) options() []config.SetOption {
	var opts []config.SetOption
	if b.ValueType != "" {
		opts = append(opts, config.WithValueType(b.ValueType))
	}
	if b.Description != nil {
		opts = append(opts, config.WithDescription(*b.Description))
	}
	if b.Metadata != nil {
		opts = append(opts, config.WithMetadata(b.Metadata))
	}
	return append(opts, expectConfig(b.IfVersion)...)
}

func expectConfig(version *int64) []config.SetOption {
	if version == nil {
		return nil
	}
	return []config.SetOption{config.WithExpectedVersion(*version)}
}

// RollbackBody names the version whose value becomes the current one.
type RollbackBody struct {
	Version   int64  `json:"version"`
	IfVersion *int64 `json:"if_version,omitempty"` // fail unless this version is current
}

func rollbackBody(r *router.Request) (b RollbackBody, err error) {
	if err = r.Decode(&b); err == nil && b.Version < 1 {
		err = fault.New(fault.Invalid, "the version to go back to is missing").At(fault.Where{Field: "version"})
	}
	return b, err
}

// SchemaBody is a JSON Schema, or null.
type SchemaBody struct {
	Schema *router.Value `json:"schema"`
}

func (d *Door) listConfig(ctx context.Context, r *router.Request) (any, error) {
	limit, err := intParam(r, "limit", 100)
	if err != nil {
		return nil, err
	}
	list, err := d.Settings.List(ctx, "", config.ListOpts{Limit: limit, After: r.URL.Query().Get("after")})
	if err != nil {
		return nil, err
	}
	out := ConfigList{Entries: append([]*config.Entry{}, list...)}
	if len(list) == limit {
		out.Next = list[len(list)-1].Key
	}
	return out, nil
}

func (d *Door) getConfig(ctx context.Context, r *router.Request) (any, error) {
	version, err := versionParam(r, "version")
	if err != nil {
		return nil, err
	}
	if version > 0 {
		return answer(d.Settings.GetVersion(ctx, r.PathValue("key"), "", version))
	}
	return answer(d.Settings.Get(ctx, r.PathValue("key"), ""))
}

func (d *Door) explainConfig(ctx context.Context, r *router.Request) (any, error) {
	return answer(d.Settings.ExplainConfig(ctx, r.PathValue("key")))
}

func (d *Door) setConfig(ctx context.Context, r *router.Request) (any, error) {
	var b ConfigBody
	if err := r.Decode(&b); err != nil {
		return nil, err
	}
	if b.Value == nil {
		return nil, missingValue()
	}
	return answer(d.Settings.SetEntry(ctx, r.PathValue("key"), b.Value.Any, "", b.options()...))
}

func (d *Door) deleteConfig(ctx context.Context, r *router.Request) (any, error) {
	return nil, d.Settings.Delete(ctx, r.PathValue("key"), "")
}

func (d *Door) configVersions(ctx context.Context, r *router.Request) (any, error) {
	list, err := d.Settings.ListVersions(ctx, r.PathValue("key"), "")
	return answer(ConfigVersions{Versions: append([]*config.EntryVersion{}, list...)}, err)
}

func (d *Door) rollbackConfig(ctx context.Context, r *router.Request) (any, error) {
	b, err := rollbackBody(r)
	if err != nil {
		return nil, err
	}
	return answer(d.Settings.Rollback(ctx, r.PathValue("key"), "", b.Version, expectConfig(b.IfVersion)...))
}

func (d *Door) setConfigSchema(ctx context.Context, r *router.Request) (any, error) {
	b := struct {
		Schema json.RawMessage `json:"schema"`
	}{}
	if err := r.Decode(&b); err != nil {
		return nil, err
	}
	if b.Schema == nil {
		return nil, nothing("schema")
	}
	if string(b.Schema) == "null" {
		b.Schema = nil
	}
	return nil, d.Settings.SetSchema(ctx, r.PathValue("key"), b.Schema, "")
}
