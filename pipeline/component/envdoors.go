package component

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/docstore"
	"github.com/haywardhq/hayward/sealed"
)

var (
	nowhere Place
	shut    Doors
	discard = slog.New(slog.DiscardHandler)
)

// Place returns who the environment is for.
func (e *Env) Place() Place { return *e.place() }

// Component returns the component's name in the pipeline.
func (e *Env) Component() string { return e.place().Component }

// Type returns the component's YAML type.
func (e *Env) Type() string { return e.place().Type }

// Visit returns how often the component ran in this run, from 1.
func (e *Env) Visit() int { return e.place().Visit }

func (e *Env) place() *Place {
	if e.at == nil {
		return &nowhere
	}
	return e.at
}

// Doors returns a copy of the run's doors, for [NewEnv].
func (e *Env) Doors() Doors { return *e.doors() }

func (e *Env) doors() *Doors {
	if e.means == nil || e.means.Doors == nil {
		return &shut
	}
	return e.means.Doors
}

// Secrets returns who answers for secrets; nil when nobody does. See [Env.Secret].
func (e *Env) Secrets() SecretResolver {
	if e.means == nil {
		return nil
	}
	return e.means.Secrets
}

// RequestID returns the run's request id, for logs; it may be empty.
func (e *Env) RequestID() string { return e.doors().RequestID }

// HTTP returns the guarded client, or nil. See [Env.Do].
func (e *Env) HTTP() Doer { return e.doors().HTTP }

// Stores returns who opens document stores for this run's tenant, or nil. See [Env.OpenStore].
func (e *Env) Stores() docstore.Provider { return e.doors().Stores }

// Files returns who opens local files, or nil. See [Env.OpenFile].
func (e *Env) Files() Files { return e.doors().Files }

// Ports returns what few runs have; nil in the others, and read-only.
func (e *Env) Ports() *Ports { return e.doors().Ports }

// Streams reports whether anybody listens to chunks.
func (e *Env) Streams() bool { return e.doors().Stream != nil }

// Stream passes a chunk on to whoever listens. An error stops the stream.
func (e *Env) Stream(chunk *chat.StreamingChunk) error {
	emit := e.doors().Stream
	if emit == nil {
		return nil
	}
	return emit(e.place(), chunk)
}

// Log returns the run's logger; it is never nil.
func (e *Env) Log() *slog.Logger {
	if log := e.doors().Log; log != nil {
		return log
	}
	return discard
}

// Now returns the time by the run's clock.
func (e *Env) Now() time.Time {
	if now := e.doors().Now; now != nil {
		return now()
	}
	return time.Now()
}

func (e *Env) lacks(what string) error {
	at := e.place()
	return fault.New(fault.Unavailable, "component '%s' needs %s, and this run has none", at.Component, what).
		At(fault.Where{Component: at.Component, Type: at.Type})
}

// Secret resolves a secret; component and type are filled in. See [SecretResolver].
func (e *Env) Secret(ctx context.Context, req SecretRequest) (sealed.Value, error) {
	secrets := e.Secrets()
	if secrets == nil {
		return sealed.Value{}, e.lacks("a secret")
	}
	req.Component, req.Type = e.Component(), e.Type()
	return secrets.ResolveSecret(ctx, req)
}

// Do sends a request through the guarded client.
func (e *Env) Do(req *http.Request, creds ...egress.Credential) (*http.Response, error) {
	client := e.HTTP()
	if client == nil {
		return nil, e.lacks("network access")
	}
	return client.Do(req, creds...)
}

// OpenStore opens a document store for this run's tenant.
func (e *Env) OpenStore(ctx context.Context, ref docstore.Ref) (docstore.Store, error) {
	stores := e.Stores()
	if stores == nil {
		return nil, e.lacks("a document store")
	}
	return stores.Open(ctx, ref)
}

// OpenFile opens a local file that an input names.
func (e *Env) OpenFile(ctx context.Context, path string) (io.ReadCloser, error) {
	files := e.Files()
	if files == nil {
		return nil, e.lacks("local files")
	}
	return files.Open(ctx, path)
}
