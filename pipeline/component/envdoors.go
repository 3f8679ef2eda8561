package component

import (
	"context"
	"io"
	"net/http"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/docstore"
	"github.com/haywardhq/hayward/sealed"
)

func (e *Env) lacks(what string) error {
	return fault.New(fault.Unavailable, "component '%s' needs %s, and this run has none", e.Component, what).
		At(fault.Where{Component: e.Component, Type: e.Type})
}

// Secret resolves a secret; component and type are filled in. See [SecretResolver].
func (e *Env) Secret(ctx context.Context, req SecretRequest) (sealed.Value, error) {
	if e.Secrets == nil {
		return sealed.Value{}, e.lacks("a secret")
	}
	req.Component, req.Type = e.Component, e.Type
	return e.Secrets.ResolveSecret(ctx, req)
}

// Do sends a request through the guarded client.
func (e *Env) Do(req *http.Request, creds ...egress.Credential) (*http.Response, error) {
	if e.HTTP == nil {
		return nil, e.lacks("network access")
	}
	return e.HTTP.Do(req, creds...)
}

// OpenStore opens a document store for this run's tenant.
func (e *Env) OpenStore(ctx context.Context, ref docstore.Ref) (docstore.Store, error) {
	if e.Stores == nil {
		return nil, e.lacks("a document store")
	}
	return e.Stores.Open(ctx, ref)
}

// OpenFile opens a local file that an input names.
func (e *Env) OpenFile(ctx context.Context, path string) (io.ReadCloser, error) {
	if e.Files == nil {
		return nil, e.lacks("local files")
	}
	return e.Files.Open(ctx, path)
}
