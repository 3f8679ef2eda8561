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

// Secrets is what the door needs of the vault; *secret.Service is one.
type Secrets interface {
	SecretHistory
	Get(ctx context.Context, key, appID string) (*secret.Secret, error)
	GetVersion(ctx context.Context, key, appID string, version int64) (*secret.Secret, error)
	GetMeta(ctx context.Context, key, appID string) (*secret.Meta, error)
	Set(ctx context.Context, key string, value []byte, appID string, opts ...secret.SetOption) (*secret.Meta, error)
	Delete(ctx context.Context, key, appID string) error
	List(ctx context.Context, appID string, opts secret.ListOpts) ([]*secret.Meta, error)
	SetShared(ctx context.Context, key string, value []byte, appID string, opts ...secret.SetOption) (*secret.Meta, error)
	DeleteShared(ctx context.Context, key, appID string) error
	ListShared(ctx context.Context, appID string, opts secret.ListOpts) ([]*secret.Meta, error)
}

func (d *Door) secretRoutes() []router.Route {
	const tag, shared = "secrets", "shared secrets"
	return []router.Route{
		{Method: http.MethodGet, Path: "/api/v1/secrets", Handler: d.listSecrets(false), Action: policy.SecretList, Tag: tag,
			Summary: "List the tenant's secrets, without values", Params: secretPage, Answers: SecretList{}},
		{Method: http.MethodPut, Path: "/api/v1/secrets/{name}", Handler: d.setSecret(false), Action: policy.SecretSet, Tag: tag,
			Summary: "Set a secret: a new version", Accepts: body(SetSecretBody{}), Answers: secret.Meta{}},
		{Method: http.MethodGet, Path: "/api/v1/secrets/{name}", Handler: d.getSecret, Action: policy.SecretReadMeta, Tag: tag,
			Summary: "Describe a secret, without its value", Answers: secret.Meta{}},
		{Method: http.MethodDelete, Path: "/api/v1/secrets/{name}", Handler: d.deleteSecret(false), Action: policy.SecretDelete, Tag: tag,
			Summary: "Delete a secret with all its versions; it can be brought back for a while"},
		{Method: http.MethodGet, Path: "/api/v1/secrets/{name}/explain", Handler: d.explain, Action: policy.SecretReadMeta, Tag: tag,
			Summary: "Say which layer would answer in a pipeline, and why", Params: []router.Param{{Name: "pipeline", Doc: "the pipeline that would ask"}}, Answers: map[string]any{}},
		{Method: http.MethodPost, Path: "/api/v1/secrets/{name}/reveal", Handler: d.reveal, Action: policy.SecretReveal, Tag: tag,
			Summary: "Show a secret's value, or an earlier version's; audited", Params: []router.Param{{Name: "version", Doc: "a version of the tenant's own", Integer: true}}, Answers: Revealed{}},
		{Method: http.MethodGet, Path: "/api/v1/shared/secrets", Handler: d.listSecrets(true), Action: policy.SharedList, Tag: shared,
			Summary: "List what the operator shares with every tenant", Params: secretPage, Answers: SecretList{}},
		{Method: http.MethodPut, Path: "/api/v1/shared/secrets/{name}", Handler: d.setSecret(true), Action: policy.SharedWrite, Tag: shared,
			Summary: "Share a secret with every tenant; it must name its destinations", Accepts: body(SetSecretBody{}), Answers: secret.Meta{}},
		{Method: http.MethodDelete, Path: "/api/v1/shared/secrets/{name}", Handler: d.deleteSecret(true), Action: policy.SharedWrite, Tag: shared, Summary: "Stop sharing a secret"},
	}
}

var pageParams = []router.Param{{Name: "limit", Doc: "entries per page, at most 1000; default 100", Integer: true}, {Name: "after", Doc: "the last name of the page before"}}

var secretPage = append([]router.Param{{Name: "deleted", Doc: "true: those that were deleted and can be brought back"}}, pageParams...)

// SetSecretBody is the body of setting a secret.
type SetSecretBody struct {
	Value        *router.Sealed       `json:"value"`
	Destinations []sealed.Destination `json:"destinations,omitempty"` // origins that may receive it; none: the component's documented host
	Metadata     map[string]string    `json:"metadata,omitempty"`
	ExpiresAt    *time.Time           `json:"expires_at,omitempty"`
	Lifetime     *string              `json:"lifetime,omitempty"`   // how long this version and later ones are served, such as 720h; "0s": without end
	IfVersion    *int64               `json:"if_version,omitempty"` // fail unless this version is current; 0: unless there is none
}

// SecretList is a page of secrets.
type SecretList struct {
	Secrets []*secret.Meta `json:"secrets"`
	Next    string         `json:"next,omitempty"`
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
		list, err := d.secretList(r, shared)
		if err != nil {
			return nil, err
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

type listSecrets func(ctx context.Context, appID string, opts secret.ListOpts) ([]*secret.Meta, error)

func (d *Door) secretList(r *router.Request, shared bool) (listSecrets, error) {
	deleted := r.URL.Query().Get("deleted")
	if err := oneOf(deleted, "deleted", "true", "false"); err != nil {
		return nil, err
	}
	switch {
	case shared && deleted == "true":
		return d.Secrets.ListSharedDeleted, nil
	case shared:
		return d.Secrets.ListShared, nil
	case deleted == "true":
		return d.Secrets.ListDeleted, nil
	}
	return d.Secrets.List, nil
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
		if b.Lifetime != nil {
			life, err := lifetime(*b.Lifetime)
			if err != nil {
				return nil, err
			}
			opts = append(opts, secret.WithLifetime(life))
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

// lifetime reads a duration that is not negative.
func lifetime(text string) (time.Duration, error) {
	life, err := time.ParseDuration(text)
	if err != nil || life < 0 {
		return 0, fault.New(fault.Invalid, "lifetime is not a duration such as 720h").At(fault.Where{Field: "lifetime"})
	}
	return life, nil
}

func (d *Door) explain(ctx context.Context, r *router.Request) (any, error) {
	return d.Host.ExplainSecret(ctx, r.PathValue("name"), r.URL.Query().Get("pipeline"))
}

// reveal is on the published list of importers of sealed/reveal: an admin asks for the value in so many words, and both
// audit entries are on disk before it leaves.
func (d *Door) reveal(ctx context.Context, r *router.Request) (any, error) {
	version, err := versionParam(r, "version")
	if err != nil {
		return nil, err
	}
	var s *secret.Secret
	if version > 0 {
		s, err = d.Secrets.GetVersion(ctx, r.PathValue("name"), "", version)
	} else {
		s, err = d.Secrets.Get(ctx, r.PathValue("name"), "")
	}
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
