package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
	"github.com/haywardhq/hayward/server/router"
	"github.com/haywardhq/hayward/vault/secret"
)

func (d *Door) secretRoutes() []router.Route {
	const tag, shared = "secrets", "shared secrets"
	return []router.Route{
		{Method: http.MethodGet, Path: "/api/v1/secrets", Handler: d.listSecrets(false), Action: policy.SecretList, Tag: tag,
			Summary: "List the tenant's secrets, without values", Params: pageParams, Answers: SecretList{}},
		{Method: http.MethodPut, Path: "/api/v1/secrets/{name}", Handler: d.setSecret(false), Action: policy.SecretSet, Tag: tag,
			Summary: "Set a secret: a new version", Accepts: body(SetSecretBody{}), Answers: secret.Meta{}},
		{Method: http.MethodGet, Path: "/api/v1/secrets/{name}", Handler: d.getSecret, Action: policy.SecretReadMeta, Tag: tag,
			Summary: "Describe a secret, without its value", Answers: secret.Meta{}},
		{Method: http.MethodDelete, Path: "/api/v1/secrets/{name}", Handler: d.deleteSecret(false), Action: policy.SecretDelete, Tag: tag, Summary: "Delete a secret"},
		{Method: http.MethodGet, Path: "/api/v1/secrets/{name}/versions", Handler: d.versions, Action: policy.SecretReadMeta, Tag: tag,
			Summary: "List a secret's versions, without values", Answers: VersionList{}},
		{Method: http.MethodGet, Path: "/api/v1/secrets/{name}/explain", Handler: d.explain, Action: policy.SecretReadMeta, Tag: tag,
			Summary: "Say which layer would answer in a pipeline, and why", Params: []router.Param{{Name: "pipeline", Doc: "the pipeline that would ask"}}, Answers: map[string]any{}},
		{Method: http.MethodPost, Path: "/api/v1/secrets/{name}/reveal", Handler: d.reveal, Action: policy.SecretReveal, Tag: tag,
			Summary: "Show a secret's value; audited", Answers: Revealed{}},
		{Method: http.MethodGet, Path: "/api/v1/shared/secrets", Handler: d.listSecrets(true), Action: policy.SharedList, Tag: shared,
			Summary: "List what the operator shares with every tenant", Params: pageParams, Answers: SecretList{}},
		{Method: http.MethodPut, Path: "/api/v1/shared/secrets/{name}", Handler: d.setSecret(true), Action: policy.SharedWrite, Tag: shared,
			Summary: "Share a secret with every tenant; it must name its destinations", Accepts: body(SetSecretBody{}), Answers: secret.Meta{}},
		{Method: http.MethodDelete, Path: "/api/v1/shared/secrets/{name}", Handler: d.deleteSecret(true), Action: policy.SharedWrite, Tag: shared, Summary: "Stop sharing a secret"},
	}
}

var pageParams = []router.Param{{Name: "limit", Doc: "entries per page, at most 1000; default 100", Integer: true}, {Name: "after", Doc: "the last name of the page before"}}

// SetSecretBody is the body of setting a secret.
type SetSecretBody struct {
	Value        *router.Sealed       `json:"value"`
	Destinations []sealed.Destination `json:"destinations,omitempty"` // origins that may receive it; none: the component's documented host
	Metadata     map[string]string    `json:"metadata,omitempty"`
	ExpiresAt    *time.Time           `json:"expires_at,omitempty"`
	IfVersion    *int64               `json:"if_version,omitempty"` // fail unless this version is current; 0: unless there is none
}

// SecretList is a page of secrets.
type SecretList struct {
	Secrets []*secret.Meta `json:"secrets"`
	Next    string         `json:"next,omitempty"`
}

// VersionList lists a secret's versions.
type VersionList struct {
	Versions []*secret.Version `json:"versions"`
}

// Revealed is a secret's value: the one place in the API that carries one.
type Revealed struct {
	Name    string `json:"name"`
	Version int64  `json:"version"`
	Value   string `json:"value"`
}

func (d *Door) listSecrets(shared bool) router.Handler {
	return func(ctx context.Context, r *router.Request) (any, error) {
		limit, err := intParam(r, "limit", 100)
		if err != nil {
			return nil, err
		}
		opts := secret.ListOpts{Limit: limit, After: r.URL.Query().Get("after")}
		list := d.Secrets.List
		if shared {
			list = d.Secrets.ListShared
		}
		metas, err := list(ctx, "", opts)
		if err != nil {
			return nil, err
		}
		out := SecretList{Secrets: append([]*secret.Meta{}, metas...)}
		if len(metas) == limit {
			out.Next = metas[len(metas)-1].Key
		}
		return out, nil
	}
}

func (d *Door) setSecret(shared bool) router.Handler {
	return func(ctx context.Context, r *router.Request) (any, error) {
		var b SetSecretBody
		if err := r.Decode(&b); err != nil {
			return nil, err
		}
		if b.Value == nil || b.Value.IsZero() {
			return nil, fault.New(fault.Invalid, "the value is missing").At(fault.Where{Field: "value"})
		}
		var opts []secret.SetOption
		if b.Destinations != nil {
			opts = append(opts, secret.WithDestinations(b.Destinations...))
		}
		if b.Metadata != nil {
			opts = append(opts, secret.WithMetadata(b.Metadata))
		}
		if b.ExpiresAt != nil {
			opts = append(opts, secret.WithExpiresAt(*b.ExpiresAt))
		}
		if b.IfVersion != nil {
			opts = append(opts, secret.WithExpectedVersion(*b.IfVersion))
		}
		set := d.Secrets.Set
		if shared {
			set = d.Secrets.SetShared
		}
		raw := reveal.Inside(b.Value.Value)
		defer clear(raw)
		return set(ctx, r.PathValue("name"), raw, "", opts...)
	}
}

func (d *Door) getSecret(ctx context.Context, r *router.Request) (any, error) {
	return d.Secrets.GetMeta(ctx, r.PathValue("name"), "")
}

func (d *Door) deleteSecret(shared bool) router.Handler {
	return func(ctx context.Context, r *router.Request) (any, error) {
		if shared {
			return nil, d.Secrets.DeleteShared(ctx, r.PathValue("name"), "")
		}
		return nil, d.Secrets.Delete(ctx, r.PathValue("name"), "")
	}
}

func (d *Door) versions(ctx context.Context, r *router.Request) (any, error) {
	list, err := d.Secrets.ListVersions(ctx, r.PathValue("name"), "")
	if err != nil {
		return nil, err
	}
	return VersionList{Versions: append([]*secret.Version{}, list...)}, nil
}

func (d *Door) explain(ctx context.Context, r *router.Request) (any, error) {
	return d.Host.ExplainSecret(ctx, r.PathValue("name"), r.URL.Query().Get("pipeline"))
}

// reveal is on the published list of importers of sealed/reveal: an admin asks for the value in so many words, and both
// audit entries are on disk before it leaves.
func (d *Door) reveal(ctx context.Context, r *router.Request) (any, error) {
	s, err := d.Secrets.Get(ctx, r.PathValue("name"), "")
	if err != nil {
		return nil, err
	}
	if s.Shared { // what the operator shares is used by a tenant's pipelines, not read by the tenant
		return nil, fault.New(fault.NotFound, "there is no secret %s", s.Key).WithCode("SecretNotFound")
	}
	raw := reveal.Inside(s.Value)
	defer clear(raw)
	return Revealed{Name: s.Key, Version: s.Version, Value: string(raw)}, nil
}

func intParam(r *router.Request, name string, def int) (int, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return def, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 1000 {
		return 0, fault.New(fault.Invalid, "%s must be a whole number from 1 to 1000", name).At(fault.Where{Field: name})
	}
	return n, nil
}

// versionParam reads the number of a version; 0 when it is left out.
func versionParam(r *router.Request, name string) (int64, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return 0, fault.New(fault.Invalid, "%s must be the number of a version, 1 or more", name).At(fault.Where{Field: name})
	}
	return n, nil
}
