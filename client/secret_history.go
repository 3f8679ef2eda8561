package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// SecretVersion is one version of a secret, without its value.
type SecretVersion struct {
	ID          string     `json:"id"`
	Version     int64      `json:"version"`
	State       string     `json:"state"` // current, pending, superseded, deleted or destroyed
	Current     bool       `json:"current"`
	CreatedAt   time.Time  `json:"created_at"`
	CreatedBy   string     `json:"created_by,omitempty"`
	ExpiresAt   *time.Time `json:"expires_at,omitempty"`
	DeletedAt   *time.Time `json:"deleted_at,omitempty"`
	RecoverBy   *time.Time `json:"recover_by,omitempty"` // a deleted version is destroyed then
	DestroyedAt *time.Time `json:"destroyed_at,omitempty"`
}

// SecretHistory is what became of each version of a secret.
type SecretHistory struct {
	Key         string          `json:"key"`
	Current     int64           `json:"current"`           // 0: none is served
	Pending     int64           `json:"pending,omitempty"` // of a rotation under way
	Latest      int64           `json:"latest"`
	MaxVersions int             `json:"max_versions"`
	Versions    []SecretVersion `json:"versions"` // oldest first
}

func ofVersion(n int64) url.Values {
	if n == 0 {
		return nil
	}
	return url.Values{"version": {strconv.FormatInt(n, 10)}}
}

// SecretHistory lists a secret's versions, deleted ones too.
func (c *Client) SecretHistory(ctx context.Context, name string, shared bool) (SecretHistory, error) {
	var out SecretHistory
	return out, c.Do(ctx, Request{Method: http.MethodGet, Path: secretPath(shared, name) + "/versions"}, &out)
}

// RollbackSecret sets a secret to an earlier version's value, as a new version. ifVersion, if not nil, must be the current one.
func (c *Client) RollbackSecret(ctx context.Context, name string, shared bool, version int64, ifVersion *int64) (Secret, error) {
	var out Secret
	return out, c.Do(ctx, Request{Method: http.MethodPost, Path: secretPath(shared, name) + "/rollback", JSON: rollback(version, ifVersion)}, &out)
}

// UndeleteSecret brings deleted versions back: those named, or with none named those that the last deletion took.
func (c *Client) UndeleteSecret(ctx context.Context, name string, shared bool, versions ...int64) error {
	return c.ofVersions(ctx, name, shared, "/undelete", versions)
}

// DeleteSecretVersions deletes single versions; they can be brought back for a while.
func (c *Client) DeleteSecretVersions(ctx context.Context, name string, shared bool, versions ...int64) error {
	return c.ofVersions(ctx, name, shared, "/delete", versions)
}

func (c *Client) ofVersions(ctx context.Context, name string, shared bool, what string, versions []int64) error {
	body := map[string]any{}
	if len(versions) > 0 {
		body["versions"] = versions
	}
	return c.Do(ctx, Request{Method: http.MethodPost, Path: secretPath(shared, name) + what, JSON: body}, nil)
}

// DestroySecret removes the values of versions for good; with none named, of all.
func (c *Client) DestroySecret(ctx context.Context, name string, shared bool, versions ...int64) error {
	body := map[string]any{"versions": versions}
	if len(versions) == 0 {
		body = map[string]any{"all": true}
	}
	return c.Do(ctx, Request{Method: http.MethodPost, Path: secretPath(shared, name) + "/destroy", JSON: body}, nil)
}

// SetMaxVersions sets how many versions a secret keeps; 0 is the server's default.
func (c *Client) SetMaxVersions(ctx context.Context, name string, shared bool, n int) error {
	return c.Do(ctx, Request{Method: http.MethodPatch, Path: secretPath(shared, name), JSON: map[string]any{"max_versions": n}}, nil)
}
