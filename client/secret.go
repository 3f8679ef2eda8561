package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
)

// Secret is everything about a secret but its value.
type Secret struct {
	ID           string            `json:"id"`
	Key          string            `json:"key"` // the name
	Version      int64             `json:"version"`
	Shared       bool              `json:"shared,omitempty"`
	Destinations []string          `json:"destinations,omitempty"` // none: the component's documented host
	Metadata     map[string]string `json:"metadata,omitempty"`
	ExpiresAt    *time.Time        `json:"expires_at,omitempty"`
	DeletedAt    *time.Time        `json:"deleted_at,omitempty"` // in lists of deleted secrets
	CreatedAt    time.Time         `json:"created_at"`
	UpdatedAt    time.Time         `json:"updated_at"`
}

// SecretOptions are what is kept with a secret. The zero value is usable for a tenant's own; a shared one needs
// destinations.
type SecretOptions struct {
	Destinations []sealed.Destination // origins that may receive it
	Metadata     map[string]string
	ExpiresAt    *time.Time
	Lifetime     *time.Duration // how long this version and later ones are served; 0: without end
	IfVersion    *int64         // fail unless this version is current; 0: unless there is none
	Shared       bool           // with every tenant of the app; for operators
}

func secretPath(shared bool, name string) string {
	if shared {
		return "/api/v1/shared/secrets/" + segment(name)
	}
	return "/api/v1/secrets/" + segment(name)
}

// SetSecret sets a secret: a new version of it.
func (c *Client) SetSecret(ctx context.Context, name string, value sealed.Value, o SecretOptions) (Secret, error) {
	fields := map[string]any{}
	if len(o.Destinations) > 0 {
		fields["destinations"] = o.Destinations
	}
	if len(o.Metadata) > 0 {
		fields["metadata"] = o.Metadata
	}
	if o.ExpiresAt != nil {
		fields["expires_at"] = o.ExpiresAt.UTC()
	}
	if o.Lifetime != nil {
		fields["lifetime"] = o.Lifetime.String()
	}
	if o.IfVersion != nil {
		fields["if_version"] = *o.IfVersion
	}
	var out Secret
	return out, c.doSealed(ctx, http.MethodPut, secretPath(o.Shared, name), "value", value, fields, &out)
}

// Secret describes a secret.
func (c *Client) Secret(ctx context.Context, name string) (Secret, error) {
	var out Secret
	return out, c.Do(ctx, Request{Method: http.MethodGet, Path: secretPath(false, name)}, &out)
}

// Secrets lists the tenant's secrets, or those that are shared with every tenant.
func (c *Client) Secrets(ctx context.Context, shared bool) ([]Secret, error) {
	return c.secrets(ctx, shared, nil)
}

// DeletedSecrets lists secrets that were deleted and can be brought back.
func (c *Client) DeletedSecrets(ctx context.Context, shared bool) ([]Secret, error) {
	return c.secrets(ctx, shared, url.Values{"deleted": {"true"}})
}

func (c *Client) secrets(ctx context.Context, shared bool, query url.Values) ([]Secret, error) {
	path := "/api/v1/secrets"
	if shared {
		path = "/api/v1/shared/secrets"
	}
	out := []Secret{}
	err := c.pages(ctx, path, query, func(get func(any) error) (string, error) {
		var page struct {
			Secrets []Secret `json:"secrets"`
			Next    string   `json:"next"`
		}
		err := get(&page)
		out = append(out, page.Secrets...)
		return page.Next, err
	})
	return out, err
}

// DeleteSecret removes a secret, or stops sharing one.
func (c *Client) DeleteSecret(ctx context.Context, name string, shared bool) error {
	return c.Do(ctx, Request{Method: http.MethodDelete, Path: secretPath(shared, name)}, nil)
}

// Explanation says which layer would answer for a secret in a pipeline, and why. It never holds a value.
type Explanation struct {
	Name     string `json:"name"`
	Pipeline string `json:"pipeline"`
	Version  int64  `json:"version"`
	Uses     []struct {
		Component string   `json:"component"`
		Type      string   `json:"type"`
		Param     string   `json:"param"`
		Names     []string `json:"names"`
		Strict    bool     `json:"strict"`
	} `json:"uses"`
	Layers []struct {
		Layer string `json:"layer"`
		Found bool   `json:"found"`
		Why   string `json:"why"`
	} `json:"layers"` // in the order they are asked
	Answer string  `json:"answer"` // the layer that answers; "" for none
	Secret *Secret `json:"secret,omitempty"`
}

// ExplainSecret says which layer would answer for a secret in a deployed pipeline.
func (c *Client) ExplainSecret(ctx context.Context, name, pipeline string) (Explanation, error) {
	var out Explanation
	return out, c.Do(ctx, Request{Method: http.MethodGet, Path: secretPath(false, name) + "/explain", Query: url.Values{"pipeline": {pipeline}}}, &out)
}

// RevealSecret returns a secret's value, or with a version other than 0 that version's. The server records who asked for it.
func (c *Client) RevealSecret(ctx context.Context, name string, version int64) (sealed.Value, error) {
	b, err := c.Bytes(ctx, Request{Method: http.MethodPost, Path: secretPath(false, name) + "/reveal", Query: ofVersion(version)})
	if err != nil {
		return sealed.Value{}, err
	}
	defer clear(b)
	var out struct {
		Value sealedText `json:"value"`
	}
	if err := json.Unmarshal(b, &out); err != nil || out.Value.IsZero() {
		return sealed.Value{}, fault.New(fault.Failed, "the server's answer holds no value")
	}
	return out.Value.Value, nil
}
