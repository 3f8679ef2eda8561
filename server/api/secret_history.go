package api

import (
	"context"
	"net/http"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/server/router"
	"github.com/haywardhq/hayward/vault/secret"
)

// SecretHistory is what the door needs of secrets' versions; *secret.Service is one.
type SecretHistory interface {
	History(ctx context.Context, key, appID string) (*secret.History, error)
	Rollback(ctx context.Context, key, appID string, version int64, opts ...secret.SetOption) (*secret.Meta, error)
	Undelete(ctx context.Context, key, appID string, versions ...int64) error
	DeleteVersions(ctx context.Context, key, appID string, versions ...int64) error
	DestroyVersions(ctx context.Context, key, appID string, versions ...int64) error
	Destroy(ctx context.Context, key, appID string) error
	SetMaxVersions(ctx context.Context, key, appID string, n int) error
	ListDeleted(ctx context.Context, appID string, opts secret.ListOpts) ([]*secret.Meta, error)

	HistoryShared(ctx context.Context, key, appID string) (*secret.History, error)
	RollbackShared(ctx context.Context, key, appID string, version int64, opts ...secret.SetOption) (*secret.Meta, error)
	UndeleteShared(ctx context.Context, key, appID string, versions ...int64) error
	DeleteSharedVersions(ctx context.Context, key, appID string, versions ...int64) error
	DestroySharedVersions(ctx context.Context, key, appID string, versions ...int64) error
	DestroyShared(ctx context.Context, key, appID string) error
	SetSharedMaxVersions(ctx context.Context, key, appID string, n int) error
	ListSharedDeleted(ctx context.Context, appID string, opts secret.ListOpts) ([]*secret.Meta, error)
}

// secretActions are what the policy is asked for, of a tenant's own secrets and of shared ones.
func secretActions(shared bool) (read, set, remove policy.Action) {
	if shared {
		return policy.SharedList, policy.SharedWrite, policy.SharedWrite
	}
	return policy.SecretReadMeta, policy.SecretSet, policy.SecretDelete
}

func (d *Door) secretHistoryRoutes(shared bool) []router.Route {
	tag, one := "secrets", "/api/v1/secrets/{name}"
	if shared {
		tag, one = "shared secrets", "/api/v1/shared/secrets/{name}"
	}
	read, set, remove := secretActions(shared)
	return []router.Route{
		{Method: http.MethodGet, Path: one + "/versions", Handler: d.secretHistory(shared), Action: read, Tag: tag,
			Summary: "List a secret's versions and what became of them, without values", Answers: secret.History{}},
		{Method: http.MethodPost, Path: one + "/rollback", Handler: d.rollbackSecret(shared), Action: set, Tag: tag,
			Summary: "Set a secret to an earlier version's value, as a new version", Accepts: body(RollbackBody{}), Answers: secret.Meta{}},
		{Method: http.MethodPost, Path: one + "/undelete", Handler: d.undeleteSecret(shared), Action: set, Tag: tag,
			Summary: "Bring deleted versions back: those named, or those the last deletion took", Accepts: body(VersionsBody{})},
		{Method: http.MethodPost, Path: one + "/delete", Handler: d.deleteVersions(shared), Action: remove, Tag: tag,
			Summary: "Delete single versions; they can be brought back for a while", Accepts: body(VersionsBody{})},
		{Method: http.MethodPost, Path: one + "/destroy", Handler: d.destroySecret(shared), Action: remove, Tag: tag,
			Summary: "Remove values for good: of single versions, or of all", Accepts: body(DestroyBody{})},
		{Method: http.MethodPatch, Path: one, Handler: d.patchSecret(shared), Action: set, Tag: tag,
			Summary: "Change how many versions a secret keeps", Accepts: body(SecretPatch{})},
	}
}

// VersionsBody names versions.
type VersionsBody struct {
	Versions []int64 `json:"versions,omitempty"`
}

// DestroyBody says what is destroyed: these versions, or everything.
type DestroyBody struct {
	Versions []int64 `json:"versions,omitempty"`
	All      bool    `json:"all,omitempty"`
}

// SecretPatch changes what a secret is kept like.
type SecretPatch struct {
	MaxVersions *int `json:"max_versions"` // 0: the server's default
}

func (d *Door) secretHistory(shared bool) router.Handler {
	return func(ctx context.Context, r *router.Request) (any, error) {
		history := d.Secrets.History
		if shared {
			history = d.Secrets.HistoryShared
		}
		return answer(history(ctx, r.PathValue("name"), ""))
	}
}

func (d *Door) rollbackSecret(shared bool) router.Handler {
	return func(ctx context.Context, r *router.Request) (any, error) {
		b, err := rollbackBody(r)
		if err != nil {
			return nil, err
		}
		var opts []secret.SetOption
		if b.IfVersion != nil {
			opts = append(opts, secret.WithExpectedVersion(*b.IfVersion))
		}
		rollback := d.Secrets.Rollback
		if shared {
			rollback = d.Secrets.RollbackShared
		}
		return answer(rollback(ctx, r.PathValue("name"), "", b.Version, opts...))
	}
}

func (d *Door) undeleteSecret(shared bool) router.Handler {
	return func(ctx context.Context, r *router.Request) (any, error) {
		var b VersionsBody
		if err := r.Decode(&b); err != nil {
			return nil, err
		}
		undelete := d.Secrets.Undelete
		if shared {
			undelete = d.Secrets.UndeleteShared
		}
		return nil, undelete(ctx, r.PathValue("name"), "", b.Versions...)
	}
}

func (d *Door) deleteVersions(shared bool) router.Handler {
	return func(ctx context.Context, r *router.Request) (any, error) {
		var b VersionsBody
		if err := r.Decode(&b); err != nil {
			return nil, err
		}
		remove := d.Secrets.DeleteVersions
		if shared {
			remove = d.Secrets.DeleteSharedVersions
		}
		return nil, remove(ctx, r.PathValue("name"), "", b.Versions...)
	}
}

// destroySecret wants it said in so many words that everything goes: an empty list must not mean that.
func (d *Door) destroySecret(shared bool) router.Handler {
	return func(ctx context.Context, r *router.Request) (any, error) {
		var b DestroyBody
		if err := r.Decode(&b); err != nil {
			return nil, err
		}
		if b.All == (len(b.Versions) > 0) {
			return nil, fault.New(fault.Invalid, "name the versions to destroy, or all").At(fault.Where{Field: "versions"}).
				WithHint(`{"versions": [1, 2]} or {"all": true}`)
		}
		destroy, some := d.Secrets.Destroy, d.Secrets.DestroyVersions
		if shared {
			destroy, some = d.Secrets.DestroyShared, d.Secrets.DestroySharedVersions
		}
		if b.All {
			return nil, destroy(ctx, r.PathValue("name"), "")
		}
		return nil, some(ctx, r.PathValue("name"), "", b.Versions...)
	}
}

func (d *Door) patchSecret(shared bool) router.Handler {
	return func(ctx context.Context, r *router.Request) (any, error) {
		var b SecretPatch
		if err := r.Decode(&b); err != nil {
			return nil, err
		}
		if b.MaxVersions == nil {
			return nil, nothing("max_versions")
		}
		set := d.Secrets.SetMaxVersions
		if shared {
			set = d.Secrets.SetSharedMaxVersions
		}
		return nil, set(ctx, r.PathValue("name"), "", *b.MaxVersions)
	}
}
